#include "engine/scenario_reader.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/* --- Complaints
 * -------------------------------------------------------------------------------------------------------- */

void sim_complaints_release(struct sim_complaints *complaints)
{
    free(complaints->text);
    *complaints = (struct sim_complaints){0};
}

static void append_line(struct sim_complaints *complaints, const char *line, size_t length_bytes)
{
    size_t needed_bytes = complaints->length_bytes + length_bytes + 2;
    if (needed_bytes > complaints->capacity_bytes) {
        complaints->capacity_bytes = 2 * needed_bytes;
        char *grown = realloc(complaints->text, complaints->capacity_bytes);
        KB_ASSERT(grown != NULL);
        complaints->text = grown;
    }
    char *written = complaints->text + complaints->length_bytes;
    for (size_t i = 0; i < length_bytes; i++) {
        /* What a file holds may not move the cursor of whoever reads the complaint, or break its line. */
        written[i] = (unsigned char)line[i] < ' ' || line[i] == 0x7f ? '?' : line[i];
    }
    complaints->length_bytes += length_bytes;
    complaints->text[complaints->length_bytes++] = '\n';
    complaints->text[complaints->length_bytes] = '\0';
    complaints->count++;
}

void sim_complain(struct sim_complaints *complaints, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int length_bytes = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length_bytes >= 0) {
        append_line(complaints, line, strlen(line));
    }
}

static size_t write_place(const struct json_place *place, char *text, size_t capacity_bytes)
{
    size_t used_bytes = place->up != NULL ? write_place(place->up, text, capacity_bytes) : 0;
    char *rest = text + used_bytes;
    size_t room_bytes = capacity_bytes - used_bytes;
    int added_bytes = place->up == NULL                 ? snprintf(rest, room_bytes, "$")
                      : place->key == NULL              ? snprintf(rest, room_bytes, "[%d]", place->index)
                      : strchr(place->key, '.') != NULL ? snprintf(rest, room_bytes, "[\"%s\"]", place->key)
                                                        : snprintf(rest, room_bytes, ".%s", place->key);
    used_bytes += added_bytes > 0 ? (size_t)added_bytes : 0;
    return used_bytes < capacity_bytes ? used_bytes : capacity_bytes - 1;
}

static void complain_to(struct sim_complaints *complaints, struct scenario_reader *reader,
                        const struct json_place *place, const char *format, va_list arguments)
{
    char where[256];
    char what[768];
    write_place(place, where, sizeof where);
    vsnprintf(what, sizeof what, format, arguments);
    sim_complain(complaints, "%s: %s: %s", reader->path, where, what);
}

void reader_complain(struct scenario_reader *reader, const struct json_place *place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain_to(reader->complaints, reader, place, format, arguments);
    va_end(arguments);
}

void reader_warn(struct scenario_reader *reader, const struct json_place *place, const char *format, ...)
{
    if (reader->warnings != NULL) {
        va_list arguments;
        va_start(arguments, format);
        complain_to(reader->warnings, reader, place, format, arguments);
        va_end(arguments);
    }
}

const char *reader_show(const cJSON *value)
{
    static char shown[80];
    if (cJSON_IsString(value)) {
        snprintf(shown, sizeof shown, "\"%.60s\"", value->valuestring);
    } else if (cJSON_IsNumber(value)) {
        snprintf(shown, sizeof shown, "%.17g", value->valuedouble);
    } else if (cJSON_IsBool(value)) {
        snprintf(shown, sizeof shown, "%s", cJSON_IsTrue(value) ? "true" : "false");
    } else if (cJSON_IsNull(value)) {
        snprintf(shown, sizeof shown, "null");
    } else {
        snprintf(shown, sizeof shown, "%s", cJSON_IsArray(value) ? "a list" : "an object");
    }
    return shown;
}

/* --- Words
 * -----------------------------------------------------------------------------------------------------------------
 */

enum { WORD_MAX_BYTES = 63 };

/* Insertions, deletions, replacements and swaps of neighbours between two words. */
static int edit_distance(const char *a, const char *b)
{
    size_t a_bytes = strlen(a);
    size_t b_bytes = strlen(b);
    if (a_bytes > WORD_MAX_BYTES || b_bytes > WORD_MAX_BYTES) {
        return WORD_MAX_BYTES;
    }
    int rows[3][WORD_MAX_BYTES + 1];
    for (size_t k = 0; k <= b_bytes; k++) {
        rows[0][k] = (int)k;
    }
    for (size_t i = 1; i <= a_bytes; i++) {
        int *now = rows[i % 3];
        const int *before = rows[(i + 2) % 3];
        now[0] = (int)i;
        for (size_t k = 1; k <= b_bytes; k++) {
            int best = before[k - 1] + (a[i - 1] != b[k - 1]);
            best = before[k] + 1 < best ? before[k] + 1 : best;
            best = now[k - 1] + 1 < best ? now[k - 1] + 1 : best;
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1]) {
                int swapped = rows[(i + 1) % 3][k - 2] + 1;
                best = swapped < best ? swapped : best;
            }
            now[k] = best;
        }
    }
    return rows[a_bytes % 3][b_bytes];
}

const char *reader_nearest(const char *word, const char *const *known)
{
    const char *best = NULL;
    int best_distance = (int)strlen(word) / 3 + 2;
    for (; *known != NULL; known++) {
        int distance = edit_distance(word, *known);
        if (distance < best_distance) {
            best = *known;
            best_distance = distance;
        }
    }
    return best;
}

static bool is_word(const char *text, const char *const *words)
{
    while (*words != NULL && strcmp(text, *words) != 0) {
        words++;
    }
    return *words != NULL;
}

static bool came_before(const cJSON *object, const cJSON *member)
{
    const cJSON *other = object->child;
    while (other != member && strcmp(other->string, member->string) != 0) {
        other = other->next;
    }
    return other != member;
}

bool reader_check_count(struct scenario_reader *reader, const struct json_place *place, const cJSON *list)
{
    int count = list != NULL ? cJSON_GetArraySize(list) : 0;
    if (count <= READER_MEMBERS_MAX) {
        return true;
    }
    reader_complain(reader, place, "found %d entries; more than %d are not read", count, READER_MEMBERS_MAX);
    return false;
}

void reader_check_keys(struct scenario_reader *reader, const struct json_place *place, const cJSON *object,
                       const char *const *known)
{
    if (!reader_check_count(reader, place, object)) {
        return;
    }
    for (const cJSON *member = object->child; member != NULL; member = member->next) {
        struct json_place at = {place, member->string, 0};
        bool is_comment = member->string[0] == '$' || member->string[0] == '_'; /* $schema, _comment */
        if (came_before(object, member)) {
            reader_complain(reader, &at, "given twice; keep one of them");
        }
        if (!is_comment && !is_word(member->string, known)) {
            const char *meant = reader_nearest(member->string, known);
            reader_complain(reader, &at, "unknown key%s%s%s",
                            meant != NULL ? "; did you mean \"" : "; remove it", meant != NULL ? meant : "",
                            meant != NULL ? "\"?" : "");
        }
    }
}

/* --- Values
 * ----------------------------------------------------------------------------------------------------------------
 */

static const cJSON *member_of(const cJSON *object, const char *key)
{
    return object != NULL ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

static bool as_whole(const cJSON *value, int64_t minimum, int64_t maximum, int64_t *out)
{
    /* A double holds whole numbers up to 2^53 exactly. */
    static const double exact = 9007199254740992.0;
    if (!cJSON_IsNumber(value) || !(value->valuedouble >= -exact && value->valuedouble <= exact)) {
        return false;
    }
    *out = (int64_t)value->valuedouble;
    return (double)*out == value->valuedouble && *out >= minimum && *out <= maximum;
}

static int64_t whole_at(struct scenario_reader *reader, const struct json_place *at, const cJSON *value,
                        int64_t minimum, int64_t maximum, int64_t fallback)
{
    int64_t number;
    if (as_whole(value, minimum, maximum, &number)) {
        return number;
    }
    reader_complain(reader, at, "found %s; must be a whole number from %" PRId64 " to %" PRId64,
                    reader_show(value), minimum, maximum);
    return fallback;
}

int64_t reader_whole(struct scenario_reader *reader, const struct json_place *place, const cJSON *object,
                     const char *key, int64_t minimum, int64_t maximum, int64_t fallback)
{
    const cJSON *value = member_of(object, key);
    struct json_place at = {place, key, 0};
    return value != NULL ? whole_at(reader, &at, value, minimum, maximum, fallback) : fallback;
}

bool reader_bool(struct scenario_reader *reader, const struct json_place *place, const cJSON *object,
                 const char *key, bool fallback)
{
    const cJSON *value = member_of(object, key);
    if (value == NULL || cJSON_IsBool(value)) {
        return value != NULL ? cJSON_IsTrue(value) : fallback;
    }
    struct json_place at = {place, key, 0};
    reader_complain(reader, &at, "found %s; must be true or false", reader_show(value));
    return fallback;
}

const char *reader_text(struct scenario_reader *reader, const struct json_place *place, const cJSON *object,
                        const char *key, const char *fallback)
{
    const cJSON *value = member_of(object, key);
    if (value != NULL && cJSON_IsString(value)) {
        return reader_copy(reader, value->valuestring);
    }
    if (value != NULL) {
        struct json_place at = {place, key, 0};
        reader_complain(reader, &at, "found %s; must be a text", reader_show(value));
    }
    return fallback;
}

const cJSON *reader_object(struct scenario_reader *reader, const struct json_place *place,
                           const cJSON *object, const char *key)
{
    const cJSON *value = member_of(object, key);
    if (value == NULL || cJSON_IsObject(value)) {
        return value;
    }
    struct json_place at = {place, key, 0};
    reader_complain(reader, &at, "found %s; must be an object { ... }", reader_show(value));
    return NULL;
}

const cJSON *reader_array(struct scenario_reader *reader, const struct json_place *place, const cJSON *object,
                          const char *key)
{
    const cJSON *value = member_of(object, key);
    if (value == NULL || cJSON_IsArray(value)) {
        return value;
    }
    struct json_place at = {place, key, 0};
    reader_complain(reader, &at, "found %s; must be a list [ ... ]", reader_show(value));
    return NULL;
}

int reader_word(struct scenario_reader *reader, const struct json_place *place, const cJSON *object,
                const char *key, const char *const *words, int fallback)
{
    const cJSON *value = member_of(object, key);
    if (value == NULL) {
        return fallback;
    }
    for (int i = 0; cJSON_IsString(value) && words[i] != NULL; i++) {
        if (strcmp(words[i], value->valuestring) == 0) {
            return i;
        }
    }
    char list[512] = "";
    size_t used_bytes = 0;
    for (int i = 0; words[i] != NULL && used_bytes < sizeof list; i++) {
        int added_bytes =
            snprintf(list + used_bytes, sizeof list - used_bytes, "%s%s", i > 0 ? ", " : "", words[i]);
        used_bytes += added_bytes > 0 ? (size_t)added_bytes : 0;
    }
    struct json_place at = {place, key, 0};
    const char *meant = cJSON_IsString(value) ? reader_nearest(value->valuestring, words) : NULL;
    reader_complain(reader, &at, "found %s; must be one of %s%s%s%s", reader_show(value), list,
                    meant != NULL ? "; did you mean \"" : "", meant != NULL ? meant : "",
                    meant != NULL ? "\"?" : "");
    return fallback;
}

static struct sim_distribution read_uniform(struct scenario_reader *reader, const struct json_place *place,
                                            const cJSON *value, int64_t maximum, int64_t fallback)
{
    struct json_place at = {place, "uniform", 0};
    struct sim_distribution distribution = {SIM_DISTRIBUTION_FIXED, fallback, fallback};
    if (!cJSON_IsArray(value) || cJSON_GetArraySize(value) != 2) {
        reader_complain(reader, &at, "found %s; must be a list of two numbers, [from, to]",
                        reader_show(value));
        return distribution;
    }
    struct json_place first = {&at, NULL, 0};
    struct json_place second = {&at, NULL, 1};
    distribution.a = whole_at(reader, &first, cJSON_GetArrayItem(value, 0), 0, maximum, fallback);
    distribution.b = whole_at(reader, &second, cJSON_GetArrayItem(value, 1), 0, maximum, fallback);
    if (distribution.b < distribution.a) {
        reader_complain(reader, &at,
                        "from %" PRId64 " to %" PRId64 " is no range; write the smaller number first",
                        distribution.a, distribution.b);
        distribution.b = distribution.a;
    }
    distribution.kind = SIM_DISTRIBUTION_UNIFORM;
    return distribution;
}

struct sim_distribution reader_distribution(struct scenario_reader *reader, const struct json_place *place,
                                            const cJSON *object, const char *key, int64_t maximum,
                                            int64_t fallback)
{
    const cJSON *value = member_of(object, key);
    struct json_place at = {place, key, 0};
    struct sim_distribution distribution = {SIM_DISTRIBUTION_FIXED, fallback, fallback};
    if (value == NULL) {
        return distribution;
    }
    if (!cJSON_IsObject(value)) {
        distribution.a = whole_at(reader, &at, value, 0, maximum, fallback);
        distribution.b = distribution.a;
        return distribution;
    }
    static const char *const known[] = {"uniform", "exponential", NULL};
    reader_check_keys(reader, &at, value, known);
    const cJSON *uniform = member_of(value, "uniform");
    if (uniform != NULL && member_of(value, "exponential") != NULL) {
        reader_complain(reader, &at, "is both uniform and exponential; keep one of them");
    }
    if (uniform != NULL) {
        return read_uniform(reader, &at, uniform, maximum, fallback);
    }
    distribution.kind = SIM_DISTRIBUTION_EXPONENTIAL;
    distribution.a = reader_whole(reader, &at, value, "exponential", 0, maximum, fallback);
    if (member_of(value, "exponential") == NULL) {
        reader_complain(reader, &at,
                        "must be a number, {\"uniform\": [from, to]} or {\"exponential\": mean}");
    }
    return distribution;
}

void reader_require(struct scenario_reader *reader, const struct json_place *place, const cJSON *object,
                    const char *key, const char *what)
{
    if (member_of(object, key) == NULL) {
        struct json_place at = {place, key, 0};
        reader_complain(reader, &at, "is missing; %s", what);
    }
}

/* --- Memory
 * -----------------------------------------------------------------------------------------------------------------
 */

void *reader_allocate(struct scenario_reader *reader, size_t count, size_t size_bytes)
{
    void *memory = kb_arena_allocate_zeroed(reader->arena, count > 0 ? count : 1, size_bytes);
    KB_ASSERT(memory != NULL);
    return memory;
}

const char *reader_copy(struct scenario_reader *reader, const char *text)
{
    const char *copy = kb_arena_copy(reader->arena, text, strlen(text));
    KB_ASSERT(copy != NULL);
    return copy;
}

const char *reader_setting_text(struct scenario_reader *reader, const struct json_place *place,
                                const cJSON *value)
{
    int64_t number;
    char digits[32];
    if (cJSON_IsString(value)) {
        return reader_copy(reader, value->valuestring);
    }
    if (cJSON_IsBool(value)) {
        return cJSON_IsTrue(value) ? "true" : "false";
    }
    if (as_whole(value, INT64_MIN, INT64_MAX, &number)) {
        snprintf(digits, sizeof digits, "%" PRId64, number);
        return reader_copy(reader, digits);
    }
    if (cJSON_IsNumber(value)) {
        snprintf(digits, sizeof digits, "%.15g", value->valuedouble);
        return reader_copy(reader, digits);
    }
    reader_complain(reader, place, "found %s; a setting is a text, a number, true or false",
                    reader_show(value));
    return NULL;
}
