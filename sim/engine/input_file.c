/*
 * Real input: a CSV file (RFC 4180) with a header line, or JSON Lines. Which column is the key, the value,
 * the time, is the scenario's to say; without a value column the whole row is the value.
 */
#include "engine/scenario_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 256, INPUT_MAX_BYTES = 1 << 30, COMPLAINTS_MAX = 20, TIME_SPAN_MAX_MS = 86400000 };

/* A field of a row; quotes are taken off. */
struct field {
    const char *text;
    size_t length_bytes;
};

struct input {
    struct scenario_reader *reader;
    const struct json_place *place;
    char path[1024];
    char *bytes; /* of the whole file, changed in place where quotes are taken off; belongs to nobody after
                    reading */
    const char *key_column;
    const char *value_column;
    const char *time_column;
    const char *partition_column;
    struct sim_source *source;
    uint64_t capacity;
    int64_t first_ms; /* time of the first row: the run begins with it */
    int64_t last_ms;
    bool has_time;
    uint32_t bad_rows;
};

static void complain_row(struct input *input, uint64_t line, const char *what)
{
    if (input->bad_rows++ < COMPLAINTS_MAX) {
        sim_complain(input->reader->complaints, "%s: line %" PRIu64 ": %s", input->path, line, what);
    }
}

static bool parse_whole(const char *text, size_t length_bytes, int64_t *out)
{
    if (length_bytes == 0 || length_bytes > 18) {
        return false;
    }
    *out = 0;
    for (size_t i = 0; i < length_bytes; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        *out = *out * 10 + (text[i] - '0');
    }
    return true;
}

static void add_record(struct input *input, const struct sim_given_record *record)
{
    struct sim_source *source = input->source;
    if (source->given_count == input->capacity) {
        uint64_t capacity = input->capacity != 0 ? 2 * input->capacity : 1024;
        struct sim_given_record *grown = reader_allocate(input->reader, capacity, sizeof *grown);
        if (source->given_count > 0) {
            memcpy(grown, source->given, source->given_count * sizeof *grown);
        }
        source->given = grown;
        input->capacity = capacity;
    }
    source->given[source->given_count++] = *record;
}

/* A row's fields, found; NULL text is a missing one. */
static void take_row(struct input *input, uint64_t line, struct field key, struct field value,
                     struct field time, struct field partition)
{
    struct sim_given_record record = {
        .at_us = -1,
        .partition = -1,
        .timestamp_ms = -1,
        .key = key.text,
        .key_bytes = key.text != NULL ? (int32_t)key.length_bytes : -1,
        .value = value.text,
        .value_bytes = value.text != NULL ? (int32_t)value.length_bytes : -1,
    };
    int64_t number;
    if (input->time_column != NULL) {
        if (time.text == NULL || !parse_whole(time.text, time.length_bytes, &number)) {
            complain_row(input, line, "the time is not a whole number of milliseconds");
            return;
        }
        input->first_ms = input->has_time ? input->first_ms : number;
        input->has_time = true;
        if (number < input->last_ms) {
            complain_row(input, line,
                         "its time is before that of the row in front of it; sort the file by time");
            return;
        }
        if (number - input->first_ms > TIME_SPAN_MAX_MS) {
            complain_row(input, line, "its time is more than a day after that of the first row");
            return;
        }
        record.at_us = input->source->start_us + (number - input->first_ms) * 1000;
        input->last_ms = number;
    }
    if (input->partition_column != NULL && partition.length_bytes > 0) {
        if (!parse_whole(partition.text, partition.length_bytes, &number) || number > 9999) {
            complain_row(input, line, "the partition is not a number from 0 to 9999");
            return;
        }
        record.partition = (int32_t)number;
    }
    add_record(input, &record);
}

/* --- CSV
 * ---------------------------------------------------------------------------------------------------------------------
 */

/* Bytes of the row up to its line break, which is one that is not within quotes. */
static size_t measure_row(const char *row, const char *end, char separator)
{
    bool is_quoted = false;
    bool at_field_start = true;
    for (const char *at = row; at < end; at++) {
        if (*at == '"' && (is_quoted || at_field_start)) {
            bool doubled = is_quoted && at + 1 < end && at[1] == '"';
            is_quoted = !is_quoted || doubled;
            at += doubled;
        } else if (*at == '\n' && !is_quoted) {
            return (size_t)(at - row);
        }
        at_field_start = *at == separator && !is_quoted;
    }
    return (size_t)(end - row);
}

/* One row: its fields, with doubled quotes made single in place. Returns where the next row begins; NULL when
 * a quoted field does not end. *lines is how many lines the row takes. */
static char *split_row(char *text, const char *end, char separator, struct field *fields, uint32_t *count,
                       uint64_t *lines)
{
    *count = 0;
    *lines = 1;
    for (char *at = text;;) {
        struct field field = {at, 0};
        char *write = at;
        if (at < end && *at == '"') {
            for (at++;; at++) {
                if (at >= end) {
                    return NULL;
                }
                if (*at == '"' && !(at + 1 < end && at[1] == '"')) {
                    at++;
                    break;
                }
                at += *at == '"';
                *lines += *at == '\n';
                *write++ = *at;
            }
        }
        while (at < end && *at != separator && *at != '\n') {
            *write++ = *at++;
        }
        if (write > field.text && (at >= end || *at == '\n') && write[-1] == '\r') {
            write--;
        }
        field.length_bytes = (size_t)(write - field.text);
        if (*count < COLUMNS_MAX) {
            fields[(*count)++] = field;
        }
        if (at >= end || *at == '\n') {
            return at < end ? at + 1 : at;
        }
        at++;
    }
}

static int find_column(struct input *input, const char *name, const struct field *header, uint32_t count)
{
    if (name == NULL) {
        return -1;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (strlen(name) == header[i].length_bytes &&
            memcmp(name, header[i].text, header[i].length_bytes) == 0) {
            return (int)i;
        }
    }
    char list[256] = "";
    size_t used_bytes = 0;
    for (uint32_t i = 0; i < count && used_bytes < sizeof list; i++) {
        int added = snprintf(list + used_bytes, sizeof list - used_bytes, "%s%.*s", i > 0 ? ", " : "",
                             (int)header[i].length_bytes, header[i].text);
        used_bytes += added > 0 ? (size_t)added : 0;
    }
    reader_complain(input->reader, input->place, "%s has no column \"%.60s\"; its columns are %s",
                    input->path, name, list);
    return -1;
}

static struct field field_at(const struct field *fields, uint32_t count, int column)
{
    return column >= 0 && (uint32_t)column < count ? fields[column] : (struct field){NULL, 0};
}

static void read_csv(struct input *input, size_t length_bytes, char separator)
{
    static struct field fields[COLUMNS_MAX];
    const char *end = input->bytes + length_bytes;
    uint32_t count;
    uint64_t lines;
    uint64_t line = 1;
    char *at = split_row(input->bytes, end, separator, fields, &count, &lines);
    if (at == NULL) {
        complain_row(input, 1, "the quotes of the header do not end");
        return;
    }
    uint32_t columns = count;
    uint32_t before = input->reader->complaints->count;
    int key = find_column(input, input->key_column, fields, count);
    int value = find_column(input, input->value_column, fields, count);
    int time = find_column(input, input->time_column, fields, count);
    int partition = find_column(input, input->partition_column, fields, count);
    line += lines;
    if (input->reader->complaints->count > before) {
        return; /* without its columns no row is right */
    }
    while (at < end && input->bad_rows <= COMPLAINTS_MAX) {
        const char *row = at;
        /* Taking quotes off changes the row, which may be the value as a whole. */
        size_t row_bytes = measure_row(row, end, separator);
        const char *whole =
            input->value_column == NULL ? kb_arena_copy(input->reader->arena, row, row_bytes) : NULL;
        at = split_row(at, end, separator, fields, &count, &lines);
        if (at == NULL) {
            complain_row(input, line, "the quotes do not end");
            return;
        }
        bool blank = count == 1 && fields[0].length_bytes == 0;
        if (!blank && count != columns) {
            char what[96];
            snprintf(what, sizeof what, "has %u fields where the header has %u", count, columns);
            complain_row(input, line, what);
        } else if (!blank) {
            row_bytes -= row_bytes > 0 && whole != NULL && whole[row_bytes - 1] == '\r';
            take_row(input, line, field_at(fields, count, key),
                     input->value_column != NULL ? field_at(fields, count, value)
                                                 : (struct field){whole, row_bytes},
                     field_at(fields, count, time), field_at(fields, count, partition));
        }
        line += lines;
    }
}

/* --- JSON Lines
 * ----------------------------------------------------------------------------------------------------------------
 */

/* A member as the bytes that are sent: a text as it is, anything else as JSON. */
static struct field member_field(struct input *input, const cJSON *object, const char *column)
{
    const cJSON *member = column != NULL ? cJSON_GetObjectItemCaseSensitive(object, column) : NULL;
    if (member == NULL || cJSON_IsNull(member)) {
        return (struct field){NULL, 0};
    }
    if (cJSON_IsString(member)) {
        return (struct field){reader_copy(input->reader, member->valuestring), strlen(member->valuestring)};
    }
    char *printed = cJSON_PrintUnformatted(member);
    if (printed == NULL) {
        return (struct field){NULL, 0};
    }
    struct field field = {reader_copy(input->reader, printed), strlen(printed)};
    cJSON_free(printed);
    return field;
}

static bool is_blank(const char *text, const char *end)
{
    while (text < end && (*text == ' ' || *text == '\t')) {
        text++;
    }
    return text >= end;
}

static void read_json_lines(struct input *input, size_t length_bytes)
{
    const char *end = input->bytes + length_bytes;
    uint64_t line = 0;
    for (const char *at = input->bytes; at < end && input->bad_rows <= COMPLAINTS_MAX;) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        size_t row_bytes = (size_t)((line_end != NULL ? line_end : end) - at);
        const char *row = at;
        line++;
        at += row_bytes + 1;
        row_bytes -= row_bytes > 0 && row[row_bytes - 1] == '\r';
        if (row_bytes == 0) {
            continue;
        }
        const char *rest = NULL;
        cJSON *object = cJSON_ParseWithLengthOpts(row, row_bytes, &rest, false);
        if (!cJSON_IsObject(object) || !is_blank(rest, row + row_bytes)) {
            complain_row(input, line, "is not a JSON object");
        } else {
            struct field value =
                input->value_column != NULL
                    ? member_field(input, object, input->value_column)
                    : (struct field){kb_arena_copy(input->reader->arena, row, row_bytes), row_bytes};
            take_row(input, line, member_field(input, object, input->key_column), value,
                     member_field(input, object, input->time_column),
                     member_field(input, object, input->partition_column));
        }
        cJSON_Delete(object);
    }
}

/* --- Both
 * ------------------------------------------------------------------------------------------------------------------------
 */

/* Beside the scenario, unless the name is absolute. */
static void find_beside(const char *scenario, const char *name, char *path, size_t capacity_bytes)
{
    const char *slash = strrchr(scenario, '/');
    if (name[0] == '/' || slash == NULL) {
        snprintf(path, capacity_bytes, "%s", name);
    } else {
        snprintf(path, capacity_bytes, "%.*s/%s", (int)(slash - scenario), scenario, name);
    }
}

static bool has_suffix(const char *name, const char *suffix)
{
    size_t name_bytes = strlen(name);
    size_t suffix_bytes = strlen(suffix);
    return name_bytes >= suffix_bytes && strcmp(name + name_bytes - suffix_bytes, suffix) == 0;
}

void read_record_file(struct scenario_reader *reader, const struct json_place *place, const cJSON *file,
                      struct sim_source *source)
{
    static const char *const known[] = {"path", "format",    "key",       "value",
                                        "time", "partition", "separator", NULL};
    static const char *const formats[] = {"csv", "jsonl", NULL};
    reader_check_keys(reader, place, file, known);
    reader_require(reader, place, file, "path", "name a .csv or .jsonl file");
    const char *name = reader_text(reader, place, file, "path", NULL);
    struct input input = {
        .reader = reader,
        .place = place,
        .key_column = reader_text(reader, place, file, "key", NULL),
        .value_column = reader_text(reader, place, file, "value", NULL),
        .time_column = reader_text(reader, place, file, "time", NULL),
        .partition_column = reader_text(reader, place, file, "partition", NULL),
        .source = source,
    };
    const char *separator = reader_text(reader, place, file, "separator", ",");
    struct json_place at_separator = {place, "separator", 0};
    if (strlen(separator) != 1 || separator[0] == '"') {
        reader_complain(reader, &at_separator, "found \"%.20s\"; a separator is one character", separator);
        separator = ",";
    }
    if (name == NULL) {
        return;
    }
    bool is_lines = has_suffix(name, ".jsonl") || has_suffix(name, ".ndjson");
    int format = reader_word(reader, place, file, "format", formats, is_lines ? 1 : 0);
    source->kind = SIM_SOURCE_GIVEN;
    source->path = name;
    find_beside(reader->path, name, input.path, sizeof input.path);
    char *loaded = NULL;
    size_t length_bytes;
    if (!load_file(input.path, INPUT_MAX_BYTES, &loaded, &length_bytes, reader->complaints)) {
        return;
    }
    reader->scenario->input_hash = hash_input(reader->scenario->input_hash, loaded, length_bytes);
    size_t mark_bytes = length_bytes >= 3 && memcmp(loaded, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    length_bytes -= mark_bytes;
    input.bytes = kb_arena_copy(reader->arena, loaded + mark_bytes, length_bytes);
    free(loaded);
    uint32_t before = reader->complaints->count;
    if (format == 0) {
        read_csv(&input, length_bytes, separator[0]);
    } else {
        read_json_lines(&input, length_bytes);
    }
    source->count = (int64_t)source->given_count;
    if (input.bad_rows > COMPLAINTS_MAX) {
        sim_complain(reader->complaints, "%s: more rows are wrong", input.path);
    }
    if (source->given_count == 0 && reader->complaints->count == before) {
        sim_complain(reader->complaints, "%s: has no records; a CSV file begins with a line of column names",
                     input.path);
    }
}
