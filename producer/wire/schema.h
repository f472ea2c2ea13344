/**
 * How a Kafka message is described: one table of fields per structure, from which come the C struct, the
 * encoder, the decoder and the inspector.
 *
 * The tables are written once, in the schema_*.def files; message_structs.h makes the C structs of them and
 * message_structs.c the tables declared here. A table says for each field its name, type and place in the C
 * struct, in which versions it exists, in which it may be null, its default, and its tag when it is a tagged
 * field (KIP-482).
 *
 * Kafka: the *.json files of clients/src/main/resources/common/message, and MessageGenerator, which makes
 * Java of them.
 */
#ifndef KW_SCHEMA_H
#define KW_SCHEMA_H

#include "wire/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Text, borrowed: after decoding it points into the input, and has no terminating zero. Zeroed it is empty; a
 * length below 0 is null. (Bytes and records are struct kw_bytes, which is null when its pointer is. After
 * decoding, the pointer of a string is NULL for null and for nothing else, too.)
 */
struct kw_string {
    const char *data;
    int32_t length_bytes;
};

struct kw_uuid {
    uint8_t bytes[16];
};

/** Every array of a message has this layout, with items of its own type. Zeroed it is empty; a count below 0
 * is null. */
struct kw_array {
    void *items;
    int32_t count;
};

struct kw_int32_array {
    int32_t *items;
    int32_t count;
};

struct kw_int64_array {
    int64_t *items;
    int32_t count;
};

struct kw_string_array {
    struct kw_string *items;
    int32_t count;
};

enum kw_kind {
    KW_KIND_BOOL,
    KW_KIND_INT8,
    KW_KIND_INT16,
    KW_KIND_INT32,
    KW_KIND_INT64,
    KW_KIND_UUID,
    KW_KIND_STRING,
    KW_KIND_BYTES,
    /** Record batches: as bytes to the format, but the encoder can leave them where they are. */
    KW_KIND_RECORDS,
    /** A structure in place. */
    KW_KIND_STRUCT,
    /** An array; the field's element_kind says of what. */
    KW_KIND_ARRAY
};

/** Versions from first up to, not including, end. Zeroed: none. */
struct kw_version_range {
    int16_t first;
    int16_t end;
};

/** The end of a range that is still open in 3.0.0. */
#define KW_VERSION_OPEN INT16_MAX

struct kw_schema;

struct kw_field {
    /** In camelCase, as in Kafka's messages. */
    const char *name;
    enum kw_kind kind;
    /** Of an array: what it holds (never another array). */
    enum kw_kind element_kind;
    /** Of a structure, or of an array of structures. */
    const struct kw_schema *element;
    size_t offset_bytes;
    struct kw_version_range versions;
    struct kw_version_range nullable;
    /** What the field holds when it is not sent. Strings, bytes and arrays: empty, or null. */
    int64_t default_integer;
    bool is_default_null;
    /** A value that the version cannot carry is dropped in silence; without this it is an error. */
    bool is_ignorable;
    bool is_tagged;
    /** Keeps the old two-byte length in flexible versions too (the client id of the request header). */
    bool is_never_flexible;
    uint32_t tag;
};

struct kw_schema {
    /** Kafka's name of the structure. */
    const char *name;
    const struct kw_field *fields;
    size_t field_count;
    /** Of the C struct. */
    size_t struct_size_bytes;
    /** Versions of the message that the structure belongs to. */
    int16_t min_version;
    int16_t max_version;
    /** From this version on: compact lengths and tagged fields. KW_VERSION_OPEN: in none. */
    int16_t first_flexible_version;
};

bool kw_version_range_contains(struct kw_version_range range, int16_t version);
/** The field of that name, or NULL. */
const struct kw_field *kw_schema_find_field(const struct kw_schema *schema, const char *name);
bool kw_schema_is_flexible(const struct kw_schema *schema, int16_t version);
/** What a value of that kind takes in a C struct. Not for KW_KIND_STRUCT, whose schema knows. */
size_t kw_kind_size_bytes(enum kw_kind kind);
/** From one item of the array field to the next. */
size_t kw_field_element_size_bytes(const struct kw_field *field);

#endif
