/**
 * Kafka's messages as bytes: encode, decode and annotate any structure that has a schema, in any version.
 *
 *     struct kw_produce_response response;
 *     if (kw_message_decode(&kw_produce_response_schema, version, &reader, arena, &response, &error) !=
 * KW_MESSAGE_OK) ...
 *
 * The structs and their schemas are in message_structs.h, the list of APIs in api_keys.h.
 *
 * Decoding borrows: strings, bytes and records point into the input and are valid as long as it is; arrays
 * lie in the arena. Encoding borrows everything. Nothing here blocks, allocates outside the arena, or asserts
 * on bytes.
 *
 * Kafka: the read(), write() and addSize() that MessageDataGenerator makes for each message;
 * org.apache.kafka.common.requests.RequestHeader, ResponseHeader.
 */
#ifndef KW_MESSAGE_H
#define KW_MESSAGE_H

#include "wire/cursor.h"
#include "wire/schema.h"

struct kb_arena;

enum kw_message_status {
    KW_MESSAGE_OK,
    /** The message has no such version. */
    KW_MESSAGE_UNSUPPORTED_VERSION,
    /** Encoding: a field that the version lacks, and that may not be dropped, has another value than its
       default. */
    KW_MESSAGE_UNSUPPORTED_FIELD,
    /** Null where the version does not allow it. */
    KW_MESSAGE_NULL,
    /** A string longer than 32767 bytes. */
    KW_MESSAGE_TOO_LONG,
    /** Encoding: the writer, or the list of segments, is full. */
    KW_MESSAGE_NO_ROOM,
    /** Decoding: the bytes end too early, or make no sense. */
    KW_MESSAGE_MALFORMED,
    /** Decoding: the arena is exhausted. */
    KW_MESSAGE_NO_MEMORY
};

/** What went wrong, and with which field; schema and field may be NULL. All of it static storage. */
struct kw_message_error {
    enum kw_message_status status;
    const struct kw_schema *schema;
    const struct kw_field *field;
    int16_t version;
    /** Decoding: where in the reader. */
    size_t offset_bytes;
};

enum { KW_MESSAGE_ERROR_TEXT_MAX_BYTES = 160 };

/**
 * A sentence in Kafka's words where it has some, e.g. "Attempted to write a non-default keyType at version
 * 0". Writes at most capacity_bytes with the terminating zero; KW_MESSAGE_ERROR_TEXT_MAX_BYTES always
 * suffice.
 */
void kw_message_error_text(const struct kw_message_error *error, char *text, size_t capacity_bytes);

/** Every field gets its default. Each structure that is made by hand begins with this, array items too. */
void kw_message_set_defaults(const struct kw_schema *schema, void *message);

/** Do the two hold the same values? Structures of the same schema; deep. Fields outside the version count,
 * too. */
bool kw_message_is_equal(const struct kw_schema *schema, const void *left, const void *right);

/**
 * Bytes that the message takes in that version. Of these *records_size_bytes (may be NULL) are record
 * batches, which kw_message_encode_scatter() does not copy. KW_MESSAGE_UNSUPPORTED_VERSION,
 * _UNSUPPORTED_FIELD, _NULL, _TOO_LONG; `error` (may be NULL) has the details
 */
enum kw_message_status kw_message_size(const struct kw_schema *schema, int16_t version, const void *message,
                                       size_t *size_bytes, size_t *records_size_bytes,
                                       struct kw_message_error *error) __attribute__((warn_unused_result));

/**
 * Append the message to the writer; what it wrote before an error is without meaning.
 *   as kw_message_size(), and KW_MESSAGE_NO_ROOM
 */
enum kw_message_status kw_message_encode(const struct kw_schema *schema, int16_t version, const void *message,
                                         struct kw_writer *writer, struct kw_message_error *error)
    __attribute__((warn_unused_result));

/** A range of bytes to be sent, borrowed. Segments one after the other are the message. */
struct kw_segment {
    const uint8_t *bytes;
    size_t length_bytes;
};

/** A list of segments in memory that the caller owns. To begin with, everything but the memory is 0. */
struct kw_segment_list {
    struct kw_segment *segments;
    size_t capacity;
    size_t count;
    /** How many of the writer's bytes are in segments by now. */
    size_t covered_bytes;
};

/**
 * As kw_message_encode(), but record batches stay where they are: the list gets, in turn, what was written
 * into the writer and the batches themselves. The segments are valid as long as the writer's memory and the
 * batches are.
 *
 * What the writer held before (a length, a request header) goes into the first segment, so a whole frame
 * comes from kw_message_encode() of the header and this for the body. At most two segments per records field,
 * and one more, are needed. as kw_message_encode(); KW_MESSAGE_NO_ROOM for a full list, too
 */
enum kw_message_status kw_message_encode_scatter(const struct kw_schema *schema, int16_t version,
                                                 const void *message, struct kw_writer *writer,
                                                 struct kw_segment_list *list, struct kw_message_error *error)
    __attribute__((warn_unused_result));

/**
 * Read one message from the reader, which stands behind it afterwards. Fields that the version lacks get
 * their defaults; tagged fields that nobody knows are skipped. Bytes behind the message stay unread: the
 * caller judges them. Counts are checked against the bytes that are left, so that memory is bounded by the
 * input. KW_MESSAGE_UNSUPPORTED_VERSION, _MALFORMED, _NULL, _TOO_LONG, _NO_MEMORY; the struct is then without
 * meaning, and the reader has failed
 */
enum kw_message_status kw_message_decode(const struct kw_schema *schema, int16_t version,
                                         struct kw_reader *reader, struct kb_arena *arena, void *message,
                                         struct kw_message_error *error) __attribute__((warn_unused_result));

enum kw_annotation_phase {
    /** A value without parts. */
    KW_ANNOTATION_VALUE,
    /** A structure or an array begins; its length is not known yet, and what follows until LEAVE is in it. */
    KW_ANNOTATION_ENTER,
    /** The same structure or array ends; now with its length. */
    KW_ANNOTATION_LEAVE
};

enum kw_annotation_type {
    KW_ANNOTATION_BOOL,
    KW_ANNOTATION_INTEGER,
    KW_ANNOTATION_UUID,
    KW_ANNOTATION_STRING,
    KW_ANNOTATION_BYTES,
    KW_ANNOTATION_RECORDS,
    KW_ANNOTATION_STRUCT,
    KW_ANNOTATION_ARRAY,
    /** The tagged fields of a structure: ENTER, each field, LEAVE. The integer is their number. */
    KW_ANNOTATION_TAGGED_FIELDS,
    /** A tagged field that the schema does not know; the integer is its tag. */
    KW_ANNOTATION_UNKNOWN_TAG
};

/** One step of the walk over a message's bytes. Offsets count from the beginning of the bytes given. */
struct kw_annotation {
    enum kw_annotation_phase phase;
    enum kw_annotation_type type;
    uint32_t depth;
    /** The field's name; of an array's items, that of the array. */
    const char *name;
    /** Index within the array, or -1. */
    int32_t index;
    size_t offset_bytes;
    size_t length_bytes;
    /** The first bytes of the length that only say how long the value is; for a tagged field, its tag and
     * size, too. */
    size_t prefix_bytes;
    bool is_null;
    /** INTEGER, BOOL: the value. ARRAY: the count. TAGGED_FIELDS: how many. UNKNOWN_TAG: the tag. */
    int64_t integer;
    /** STRING, BYTES, RECORDS, UUID, UNKNOWN_TAG: the content, in the input. */
    struct kw_bytes content;
};

/** Valid only during the call. */
typedef void (*kw_annotate_callback)(void *context, const struct kw_annotation *annotation);

/**
 * Walk over one message and tell what each byte is, in the order of the bytes. Needs no memory. When the
 * bytes are malformed, the steps up to there were told. as kw_message_decode() without _NO_MEMORY
 */
enum kw_message_status kw_message_annotate(const struct kw_schema *schema, int16_t version, const void *bytes,
                                           size_t length_bytes, kw_annotate_callback callback, void *context,
                                           struct kw_message_error *error)
    __attribute__((warn_unused_result));

#endif
