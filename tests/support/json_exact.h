/**
 * JSON whose 64-bit integers stay exact: a thin wrapper on cJSON, which keeps every number as a double.
 *
 * Before cJSON sees the text, an integer of 16 digits or more becomes a marked string; json_is_integer() and
 * json_integer() know the mark. Trees are cJSON's: walk them with cJSON_ArrayForEach, free them with
 * cJSON_Delete.
 */
#ifndef LINGER_TESTS_JSON_EXACT_H
#define LINGER_TESTS_JSON_EXACT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** Parse one value. NULL when the text is no JSON, or has an integer beyond 64 bits. The caller owns the
 * tree. */
cJSON *json_parse(const char *text, size_t length_bytes);

/** A number without a fraction that fits int64_t. Anything else, also NULL: false. */
bool json_is_integer(const cJSON *node);
/** Its value; 0 when json_is_integer() is false. */
int64_t json_integer(const cJSON *node);
/** A node for any int64_t. The caller owns it. */
cJSON *json_create_integer(int64_t value);

/** A string of the text: not a marked integer. */
bool json_is_text(const cJSON *node);

/** The member, or NULL when there is none or object is no object. Case-sensitive. */
const cJSON *json_member(const cJSON *object, const char *name);
/** The member's value, or otherwise when it is missing or of another type. */
int64_t json_member_integer(const cJSON *object, const char *name, int64_t otherwise);
const char *json_member_text(const cJSON *object, const char *name, const char *otherwise);
bool json_member_bool(const cJSON *object, const char *name, bool otherwise);
/** There and not null. */
bool json_member_has_value(const cJSON *object, const char *name);

/** Add to an object or, with name NULL, to an array. */
void json_add(cJSON *parent, const char *name, cJSON *node);
void json_add_integer(cJSON *parent, const char *name, int64_t value);
void json_add_bool(cJSON *parent, const char *name, bool value);
/** NULL becomes null. */
void json_add_text(cJSON *parent, const char *name, const char *text);
/** Lower-case hexadecimal; bytes NULL becomes null. */
void json_add_hex(cJSON *parent, const char *name, const void *bytes, size_t length_bytes);

/** Equal in everything; the order of an object's members does not count. */
bool json_equal(const cJSON *left, const cJSON *right);

/** One value as compact text. The caller frees it with free(). */
char *json_print(const cJSON *node);

/** The bytes of an even number of hexadecimal digits: malloc'ed, never NULL for valid digits; NULL otherwise.
 */
uint8_t *json_decode_hex(const char *digits, size_t *length_bytes);

/** The next line without its end, however long: true, with *line and *length_bytes valid until the next call.
 */
struct json_lines {
    FILE *file;
    char *line;
    size_t capacity_bytes;
    size_t line_number;
};

/** False when the file cannot be opened (errno says why). Close in any case. */
bool json_lines_open(struct json_lines *lines, const char *path);
bool json_lines_next(struct json_lines *lines, const char **line, size_t *length_bytes);
void json_lines_close(struct json_lines *lines);

#endif
