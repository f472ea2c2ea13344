/*
 * Any bytes as any message.
 *
 * Input: a byte (odd: a response), the API key, the version, then a frame without its length. A request says
 * its API and version itself; for a response they are the bytes before it.
 *
 * What decodes must be annotated without a gap, encode again in no more bytes than it took, and decode to the
 * same; and memory is bounded by the input, however large the counts in it.
 */
#include "fuzz.h"

#include "base/allocator.h"
#include "base/arena.h"
#include "wire/api_frame.h"

#include <stdlib.h>
#include <string.h>

enum {
    PREFIX_BYTES = 3,
    /* Of a message's struct. */
    MESSAGE_BYTES = 512,
    /*
     * Of arrays, for a byte of input: an item takes fewer than 200 bytes, and an array that is not empty has
     * a block of its own here, with a header.
     */
    MEMORY_PER_BYTE = 256,
    SEGMENTS_MAX = 4096
};

struct message {
    const struct kw_schema *schema;
    int16_t version;
    const uint8_t *bytes;
    size_t length_bytes;
};

/* Blocks of one byte: each array is an allocation of its own, watched by the sanitizer. */
static struct kb_arena arena;

struct walk {
    size_t position_bytes;
    size_t length_bytes;
    uint32_t depth;
};

static void follow(void *context, const struct kw_annotation *annotation)
{
    struct walk *walk = context;
    size_t end_bytes = annotation->offset_bytes + annotation->length_bytes;
    FUZZ_CHECK(annotation->name != NULL);
    FUZZ_CHECK(end_bytes <= walk->length_bytes);
    if (annotation->phase == KW_ANNOTATION_LEAVE) {
        FUZZ_CHECK(annotation->depth + 1 == walk->depth);
        FUZZ_CHECK(walk->position_bytes == end_bytes);
        walk->depth--;
        return;
    }
    FUZZ_CHECK(annotation->depth == walk->depth);
    FUZZ_CHECK(walk->position_bytes == annotation->offset_bytes);
    walk->position_bytes += annotation->prefix_bytes;
    if (annotation->phase == KW_ANNOTATION_ENTER) {
        walk->depth++;
        return;
    }
    FUZZ_CHECK(annotation->type == KW_ANNOTATION_INTEGER || annotation->type == KW_ANNOTATION_BOOL ||
               annotation->length_bytes ==
                   annotation->prefix_bytes + (size_t)annotation->content.length_bytes);
    walk->position_bytes = end_bytes;
}

static void check_annotation(const struct message *message, enum kw_message_status decoded,
                             size_t taken_bytes)
{
    struct walk walk = {.length_bytes = message->length_bytes};
    enum kw_message_status status = kw_message_annotate(message->schema, message->version, message->bytes,
                                                        message->length_bytes, follow, &walk, NULL);
    FUZZ_CHECK(status == decoded);
    FUZZ_CHECK(status != KW_MESSAGE_OK || (walk.position_bytes == taken_bytes && walk.depth == 0));
}

/* The segments put together are the bytes. */
static void check_scatter(const struct message *message, const void *decoded, const uint8_t *bytes,
                          size_t size_bytes, size_t records_bytes)
{
    static struct kw_segment segments[SEGMENTS_MAX];
    struct kw_segment_list list = {.segments = segments, .capacity = SEGMENTS_MAX};
    struct kw_writer writer;
    size_t head_bytes = size_bytes - records_bytes;
    uint8_t *head = fuzz_allocate(head_bytes);
    kw_writer_init(&writer, head, head_bytes);
    enum kw_message_status status =
        kw_message_encode_scatter(message->schema, message->version, decoded, &writer, &list, NULL);
    FUZZ_CHECK(status == KW_MESSAGE_OK || (status == KW_MESSAGE_NO_ROOM && list.count == SEGMENTS_MAX));
    size_t position_bytes = 0;
    for (size_t i = 0; status == KW_MESSAGE_OK && i < list.count; i++) {
        FUZZ_CHECK(segments[i].length_bytes > 0 && segments[i].length_bytes <= size_bytes - position_bytes);
        FUZZ_CHECK(memcmp(bytes + position_bytes, segments[i].bytes, segments[i].length_bytes) == 0);
        position_bytes += segments[i].length_bytes;
    }
    FUZZ_CHECK(status != KW_MESSAGE_OK || position_bytes == size_bytes);
    free(head);
}

static void check_round_trip(const struct message *message, const void *decoded, size_t taken_bytes)
{
    static _Alignas(max_align_t) char again[MESSAGE_BYTES];
    size_t size_bytes = 0;
    size_t records_bytes = 0;
    struct kw_writer writer;
    struct kw_reader reader;
    FUZZ_CHECK(kw_message_size(message->schema, message->version, decoded, &size_bytes, &records_bytes,
                               NULL) == KW_MESSAGE_OK);
    FUZZ_CHECK(size_bytes <= taken_bytes && records_bytes <= size_bytes);
    uint8_t *bytes = fuzz_allocate(size_bytes);
    kw_writer_init(&writer, bytes, size_bytes);
    FUZZ_CHECK(kw_message_encode(message->schema, message->version, decoded, &writer, NULL) == KW_MESSAGE_OK);
    FUZZ_CHECK(writer.position_bytes == size_bytes);
    check_scatter(message, decoded, bytes, size_bytes, records_bytes);
    kw_reader_init(&reader, bytes, size_bytes);
    FUZZ_CHECK(kw_message_decode(message->schema, message->version, &reader, &arena, again, NULL) ==
               KW_MESSAGE_OK);
    FUZZ_CHECK(kw_reader_remaining_bytes(&reader) == 0);
    FUZZ_CHECK(kw_message_is_equal(message->schema, decoded, again));
    free(bytes);
}

static void check_message(const struct message *message)
{
    static _Alignas(max_align_t) char decoded[MESSAGE_BYTES];
    struct kw_reader reader;
    struct kw_message_error error;
    char text[KW_MESSAGE_ERROR_TEXT_MAX_BYTES];
    FUZZ_CHECK(message->schema->struct_size_bytes <= MESSAGE_BYTES);
    kw_reader_init(&reader, message->bytes, message->length_bytes);
    enum kw_message_status status =
        kw_message_decode(message->schema, message->version, &reader, &arena, decoded, &error);
    kw_message_error_text(&error, text, sizeof text);
    FUZZ_CHECK(status == error.status && status != KW_MESSAGE_NO_MEMORY);
    FUZZ_CHECK(kw_reader_is_ok(&reader) == (status == KW_MESSAGE_OK));
    FUZZ_CHECK(arena.held_bytes <= (message->length_bytes + 1) * MEMORY_PER_BYTE);
    check_annotation(message, status, reader.position_bytes);
    if (status == KW_MESSAGE_OK) {
        check_round_trip(message, decoded, reader.position_bytes);
    }
}

void fuzz_one(const uint8_t *bytes, size_t length_bytes)
{
    if (length_bytes < PREFIX_BYTES) {
        return;
    }
    struct kw_reader reader;
    struct message message = {.version = bytes[2]};
    const struct kw_api *api = kw_api_find(bytes[1]);
    bool is_request = bytes[0] % 2 == 0;
    size_t frame_bytes = length_bytes - PREFIX_BYTES;
    uint8_t *frame = fuzz_allocate(frame_bytes);
    memcpy(frame, bytes + PREFIX_BYTES, frame_bytes);
    kw_reader_init(&reader, frame, frame_bytes);
    if (is_request) {
        struct kw_request_header header;
        bool is_ok = kw_request_header_decode(&reader, &header, &api, NULL) == KW_MESSAGE_OK;
        message.version = is_ok ? header.request_api_version : 0;
        api = is_ok ? api : NULL;
    } else if (api != NULL) {
        struct kw_response_header header;
        bool is_ok = kw_response_header_decode(api, message.version, &reader, &header, NULL) == KW_MESSAGE_OK;
        api = is_ok ? api : NULL;
    }
    if (api != NULL && api->request != NULL) {
        kb_arena_init(&arena, kb_allocator_default(), 1, 0);
        message.schema = is_request ? api->request : api->response;
        message.bytes = frame + reader.position_bytes;
        message.length_bytes = frame_bytes - reader.position_bytes;
        check_message(&message);
        kb_arena_release(&arena);
    }
    free(frame);
}
