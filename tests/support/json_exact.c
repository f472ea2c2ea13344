#include "json_exact.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A control character cannot stand in JSON text unescaped, so that no string of a file begins with it by
 * accident. */
#define MARK         "\\u0001i64:"
#define MARK_PARSED  "\001i64:"
#define MARK_PRINTED "\"" MARK

enum {
    MARK_PARSED_BYTES = sizeof MARK_PARSED - 1,
    MARK_PRINTED_BYTES = sizeof MARK_PRINTED - 1,
    /* Integers of so many digits are below 2^53. */
    EXACT_DIGITS = 15
};

/* The end of the string literal that begins at text[at]. */
static size_t skip_string(const char *text, size_t length_bytes, size_t at)
{
    for (at++; at < length_bytes && text[at] != '"'; at++) {
        if (text[at] == '\\') {
            at++;
        }
    }
    return at < length_bytes ? at + 1 : length_bytes;
}

static bool is_number_byte(char byte)
{
    return (byte >= '0' && byte <= '9') || byte == '-' || byte == '+' || byte == '.' || byte == 'e' ||
           byte == 'E';
}

static bool is_long_integer(const char *token, size_t length_bytes)
{
    size_t digits = length_bytes - (token[0] == '-' ? 1 : 0);
    if (digits <= EXACT_DIGITS) {
        return false;
    }
    for (size_t i = length_bytes - digits; i < length_bytes; i++) {
        if (token[i] < '0' || token[i] > '9') {
            return false;
        }
    }
    return true;
}

/* A copy in which every long integer is a marked string. */
static char *mark_long_integers(const char *text, size_t length_bytes)
{
    /* A long integer takes at least 16 bytes of the text, and its mark adds fewer. */
    char *marked = malloc(2 * length_bytes + 1);
    size_t out = 0;
    for (size_t at = 0; marked != NULL && at < length_bytes;) {
        size_t end = at + 1;
        bool is_long = false;
        if (text[at] == '"') {
            end = skip_string(text, length_bytes, at);
        } else if (text[at] == '-' || (text[at] >= '0' && text[at] <= '9')) {
            while (end < length_bytes && is_number_byte(text[end])) {
                end++;
            }
            is_long = is_long_integer(text + at, end - at);
        }
        if (is_long) {
            memcpy(marked + out, MARK_PRINTED, MARK_PRINTED_BYTES);
            out += MARK_PRINTED_BYTES;
        }
        memcpy(marked + out, text + at, end - at);
        out += end - at;
        if (is_long) {
            marked[out++] = '"';
        }
        at = end;
    }
    if (marked != NULL) {
        marked[out] = '\0';
    }
    return marked;
}

static bool is_marked(const cJSON *node)
{
    return cJSON_IsString(node) && strncmp(node->valuestring, MARK_PARSED, MARK_PARSED_BYTES) == 0;
}

static bool parse_marked(const cJSON *node, int64_t *value)
{
    const char *digits = node->valuestring + MARK_PARSED_BYTES;
    char *end = NULL;
    errno = 0;
    *value = strtoll(digits, &end, 10);
    return errno == 0 && end != digits && *end == '\0';
}

static bool all_marks_fit(const cJSON *node)
{
    int64_t value = 0;
    if (is_marked(node) && !parse_marked(node, &value)) {
        return false;
    }
    const cJSON *child = NULL;
    cJSON_ArrayForEach(child, node)
    {
        if (!all_marks_fit(child)) {
            return false;
        }
    }
    return true;
}

cJSON *json_parse(const char *text, size_t length_bytes)
{
    char *marked = mark_long_integers(text, length_bytes);
    cJSON *root = marked != NULL ? cJSON_ParseWithOpts(marked, NULL, true) : NULL;
    free(marked);
    if (root != NULL && !all_marks_fit(root)) {
        cJSON_Delete(root);
        root = NULL;
    }
    return root;
}

bool json_is_integer(const cJSON *node)
{
    static const double limit = 9007199254740992.0; /* 2^53 */
    if (cJSON_IsNumber(node)) {
        double value = node->valuedouble;
        return value >= -limit && value <= limit && (double)(int64_t)value == value;
    }
    return is_marked(node);
}

int64_t json_integer(const cJSON *node)
{
    int64_t value = 0;
    if (!json_is_integer(node)) {
        return 0;
    }
    if (is_marked(node)) {
        return parse_marked(node, &value) ? value : 0;
    }
    return (int64_t)node->valuedouble;
}

cJSON *json_create_integer(int64_t value)
{
    if (value > -1000000000000000 && value < 1000000000000000) {
        return cJSON_CreateNumber((double)value);
    }
    char text[MARK_PARSED_BYTES + 24];
    (void)snprintf(text, sizeof text, MARK_PARSED "%lld", (long long)value);
    return cJSON_CreateString(text);
}

bool json_is_text(const cJSON *node)
{
    return cJSON_IsString(node) && !is_marked(node);
}

const cJSON *json_member(const cJSON *object, const char *name)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}

int64_t json_member_integer(const cJSON *object, const char *name, int64_t otherwise)
{
    const cJSON *node = json_member(object, name);
    return json_is_integer(node) ? json_integer(node) : otherwise;
}

const char *json_member_text(const cJSON *object, const char *name, const char *otherwise)
{
    const cJSON *node = json_member(object, name);
    return json_is_text(node) ? node->valuestring : otherwise;
}

bool json_member_bool(const cJSON *object, const char *name, bool otherwise)
{
    const cJSON *node = json_member(object, name);
    return cJSON_IsBool(node) ? cJSON_IsTrue(node) : otherwise;
}

bool json_member_has_value(const cJSON *object, const char *name)
{
    const cJSON *node = json_member(object, name);
    return node != NULL && !cJSON_IsNull(node);
}

void json_add(cJSON *parent, const char *name, cJSON *node)
{
    if (name != NULL) {
        (void)cJSON_AddItemToObject(parent, name, node);
    } else {
        (void)cJSON_AddItemToArray(parent, node);
    }
}

void json_add_integer(cJSON *parent, const char *name, int64_t value)
{
    json_add(parent, name, json_create_integer(value));
}

void json_add_bool(cJSON *parent, const char *name, bool value)
{
    json_add(parent, name, cJSON_CreateBool(value));
}

void json_add_text(cJSON *parent, const char *name, const char *text)
{
    json_add(parent, name, text != NULL ? cJSON_CreateString(text) : cJSON_CreateNull());
}

void json_add_hex(cJSON *parent, const char *name, const void *bytes, size_t length_bytes)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = bytes;
    char *text = from != NULL ? malloc(2 * length_bytes + 1) : NULL;
    if (text != NULL) {
        for (size_t i = 0; i < length_bytes; i++) {
            text[2 * i] = digits[from[i] >> 4];
            text[2 * i + 1] = digits[from[i] & 0xf];
        }
        text[2 * length_bytes] = '\0';
    }
    json_add_text(parent, name, text);
    free(text);
}

static bool scalars_are_equal(const cJSON *left, const cJSON *right)
{
    if (json_is_integer(left) || json_is_integer(right)) {
        return json_is_integer(left) && json_is_integer(right) && json_integer(left) == json_integer(right);
    }
    if ((left->type & 0xff) != (right->type & 0xff)) {
        return false;
    }
    if (cJSON_IsString(left)) {
        return strcmp(left->valuestring, right->valuestring) == 0;
    }
    return !cJSON_IsNumber(left) ||
           !(left->valuedouble < right->valuedouble || left->valuedouble > right->valuedouble);
}

bool json_equal(const cJSON *left, const cJSON *right)
{
    if (left == NULL || right == NULL) {
        return left == right;
    }
    if (!scalars_are_equal(left, right) || cJSON_GetArraySize(left) != cJSON_GetArraySize(right)) {
        return false;
    }
    const cJSON *other = cJSON_IsArray(right) ? right->child : NULL;
    const cJSON *child = NULL;
    cJSON_ArrayForEach(child, left)
    {
        if (!json_equal(child, cJSON_IsObject(left) ? json_member(right, child->string) : other)) {
            return false;
        }
        other = other != NULL ? other->next : NULL;
    }
    return true;
}

/* Turn "\u0001i64:123" back into 123, in place. */
static void unmark(char *text)
{
    char *out = text;
    bool in_mark = false;
    for (const char *at = text; *at != '\0';) {
        if (!in_mark && strncmp(at, MARK_PRINTED, MARK_PRINTED_BYTES) == 0) {
            in_mark = true;
            at += MARK_PRINTED_BYTES;
        } else if (in_mark && *at == '"') {
            in_mark = false;
            at++;
        } else {
            *out++ = *at++;
        }
    }
    *out = '\0';
}

char *json_print(const cJSON *node)
{
    char *text = cJSON_PrintUnformatted(node);
    if (text != NULL) {
        unmark(text);
    }
    return text;
}

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

uint8_t *json_decode_hex(const char *digits, size_t *length_bytes)
{
    size_t count = strlen(digits);
    *length_bytes = 0;
    uint8_t *bytes = count % 2 == 0 ? malloc(count / 2 + 1) : NULL;
    for (size_t i = 0; bytes != NULL && i < count / 2; i++) {
        int high = digit_value(digits[2 * i]);
        int low = digit_value(digits[2 * i + 1]);
        if (high < 0 || low < 0) {
            free(bytes);
            return NULL;
        }
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    if (bytes != NULL) {
        *length_bytes = count / 2;
    }
    return bytes;
}

bool json_lines_open(struct json_lines *lines, const char *path)
{
    *lines = (struct json_lines){.file = fopen(path, "rb")};
    return lines->file != NULL;
}

bool json_lines_next(struct json_lines *lines, const char **line, size_t *length_bytes)
{
    size_t used = 0;
    for (;;) {
        if (lines->capacity_bytes - used < 2) {
            size_t capacity_bytes = lines->capacity_bytes == 0 ? 65536 : 2 * lines->capacity_bytes;
            char *grown = realloc(lines->line, capacity_bytes);
            if (grown == NULL) {
                return false;
            }
            lines->line = grown;
            lines->capacity_bytes = capacity_bytes;
        }
        if (fgets(lines->line + used, (int)(lines->capacity_bytes - used), lines->file) == NULL) {
            break;
        }
        used += strlen(lines->line + used);
        if (used > 0 && lines->line[used - 1] == '\n') {
            used--;
            break;
        }
    }
    if (used == 0 && feof(lines->file)) {
        return false;
    }
    lines->line[used] = '\0';
    lines->line_number++;
    *line = lines->line;
    *length_bytes = used;
    return true;
}

void json_lines_close(struct json_lines *lines)
{
    if (lines->file != NULL) {
        (void)fclose(lines->file);
    }
    free(lines->line);
    *lines = (struct json_lines){0};
}
