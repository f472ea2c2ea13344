/*
 * One walk over the bytes serves kw_message_decode(), which stores what it reads, and kw_message_annotate(),
 * which tells what it reads. Where nothing is stored, the place of a value is NULL.
 */
#include "base/arena.h"
#include "base/assert.h"
#include "wire/message.h"
#include "wire/message_internal.h"

#include <string.h>

struct decoder {
    struct kw_reader *reader;
    /* NULL: nothing is stored. */
    struct kb_arena *arena;
    int16_t version;
    bool is_flexible;
    uint32_t depth;
    /* NULL: nobody is told. */
    kw_annotate_callback callback;
    void *context;
    struct kw_message_error error;
};

/* Where in the walk a value is. */
struct place {
    const struct kw_field *field;
    /* Of an item in its array; else -1. */
    int32_t index;
    /* The first byte that belongs to the value: its length, or its tag. */
    size_t begin_bytes;
};

static void decode_struct(struct decoder *decoder, const struct kw_schema *schema, char *message);

static bool has_failed(const struct decoder *decoder)
{
    return decoder->error.status != KW_MESSAGE_OK || !kw_reader_is_ok(decoder->reader);
}

/* The first error stays. */
static void fail(struct decoder *decoder, enum kw_message_status status, const struct kw_field *field)
{
    if (decoder->error.status == KW_MESSAGE_OK) {
        decoder->error.status = status;
        decoder->error.field = field;
        decoder->error.offset_bytes = decoder->reader->position_bytes;
    }
    kw_reader_fail(decoder->reader);
}

/* Building an annotation costs more than reading an integer, so that it is asked first whether anybody
 * listens. */
static bool has_listener(const struct decoder *decoder)
{
    return decoder->callback != NULL && !has_failed(decoder);
}

/*
 * Of the bytes from the begin of the place to where the reader stands. content_bytes is the position of the
 * value proper, behind its length or tag.
 */
static struct kw_annotation annotation_of(const struct decoder *decoder, const struct place *place,
                                          enum kw_annotation_type type, size_t content_bytes)
{
    return (struct kw_annotation){.phase = KW_ANNOTATION_VALUE,
                                  .type = type,
                                  .depth = decoder->depth,
                                  .name = place->field->name,
                                  .index = place->index,
                                  .offset_bytes = place->begin_bytes,
                                  .length_bytes = decoder->reader->position_bytes - place->begin_bytes,
                                  .prefix_bytes = content_bytes - place->begin_bytes};
}

static void tell(struct decoder *decoder, struct kw_annotation annotation)
{
    decoder->callback(decoder->context, &annotation);
}

static int64_t read_integer(struct kw_reader *reader, enum kw_kind kind)
{
    if (kind == KW_KIND_INT32) {
        return kw_read_i32(reader);
    }
    if (kind == KW_KIND_INT64) {
        return kw_read_i64(reader);
    }
    if (kind == KW_KIND_INT16) {
        return kw_read_i16(reader);
    }
    int8_t byte = kw_read_i8(reader);
    return kind == KW_KIND_BOOL ? byte != 0 : byte;
}

static void store_integer(enum kw_kind kind, int64_t number, void *value)
{
    if (kind == KW_KIND_INT32) {
        *(int32_t *)value = (int32_t)number;
    } else if (kind == KW_KIND_INT64) {
        *(int64_t *)value = number;
    } else if (kind == KW_KIND_INT16) {
        *(int16_t *)value = (int16_t)number;
    } else if (kind == KW_KIND_INT8) {
        *(int8_t *)value = (int8_t)number;
    } else {
        *(bool *)value = number != 0;
    }
}

static void decode_integer(struct decoder *decoder, const struct place *place, enum kw_kind kind, void *value)
{
    size_t content_bytes = decoder->reader->position_bytes;
    int64_t number = read_integer(decoder->reader, kind);
    if (value != NULL) {
        store_integer(kind, number, value);
    }
    if (has_listener(decoder)) {
        enum kw_annotation_type type = kind == KW_KIND_BOOL ? KW_ANNOTATION_BOOL : KW_ANNOTATION_INTEGER;
        struct kw_annotation annotation = annotation_of(decoder, place, type, content_bytes);
        annotation.integer = number;
        tell(decoder, annotation);
    }
}

static void decode_uuid(struct decoder *decoder, const struct place *place, struct kw_uuid *value)
{
    size_t content_bytes = decoder->reader->position_bytes;
    const uint8_t *bytes = kw_read_bytes(decoder->reader, sizeof *value);
    if (bytes != NULL && value != NULL) {
        memcpy(value->bytes, bytes, sizeof value->bytes);
    }
    if (has_listener(decoder)) {
        struct kw_annotation annotation = annotation_of(decoder, place, KW_ANNOTATION_UUID, content_bytes);
        annotation.content = (struct kw_bytes){bytes, (int32_t)sizeof *value};
        tell(decoder, annotation);
    }
}

/*
 * A length or a count: -1 for null, checked against what the version allows. A compact length is one more
 * than it says, 0 being null; like Kafka, this takes a length beyond 2^31 for null as well.
 */
static int32_t decode_length(struct decoder *decoder, const struct place *place, enum kw_kind kind)
{
    const struct kw_field *field = place->field;
    int32_t length;
    if (decoder->is_flexible && !field->is_never_flexible) {
        length = (int32_t)(kw_read_uvarint(decoder->reader) - 1u);
    } else if (kind == KW_KIND_STRING) {
        length = kw_read_i16(decoder->reader);
    } else {
        length = kw_read_i32(decoder->reader);
    }
    if (has_failed(decoder)) {
        return -1;
    }
    if (length < 0) {
        if (place->index >= 0 || !kw_version_range_contains(field->nullable, decoder->version)) {
            fail(decoder, KW_MESSAGE_NULL, field);
        }
        return -1;
    }
    if (kind == KW_KIND_STRING && length > KW_STRING_MAX_BYTES) {
        fail(decoder, KW_MESSAGE_TOO_LONG, field);
        return -1;
    }
    return length;
}

static void decode_range(struct decoder *decoder, const struct place *place, enum kw_kind kind, void *value)
{
    int32_t length = decode_length(decoder, place, kind);
    size_t content_bytes = decoder->reader->position_bytes;
    const uint8_t *bytes = length >= 0 ? kw_read_bytes(decoder->reader, (size_t)length) : NULL;
    struct kw_bytes content = {bytes, bytes != NULL ? length : 0};
    if (value != NULL && kind == KW_KIND_STRING) {
        *(struct kw_string *)value = (struct kw_string){(const char *)bytes, length};
    } else if (value != NULL) {
        *(struct kw_bytes *)value = content;
    }
    if (has_listener(decoder)) {
        enum kw_annotation_type type = kind == KW_KIND_STRING    ? KW_ANNOTATION_STRING
                                       : kind == KW_KIND_RECORDS ? KW_ANNOTATION_RECORDS
                                                                 : KW_ANNOTATION_BYTES;
        struct kw_annotation annotation = annotation_of(decoder, place, type, content_bytes);
        annotation.is_null = length < 0;
        annotation.content = content;
        tell(decoder, annotation);
    }
}

/* The fewest bytes that one item can take, which bounds how many there can be. */
static size_t item_min_bytes(const struct decoder *decoder, const struct kw_field *array, enum kw_kind kind)
{
    size_t sum_bytes = decoder->is_flexible ? 1 : 0;
    switch (kind) {
    case KW_KIND_BOOL:
    case KW_KIND_INT8:
        return 1;
    case KW_KIND_INT16:
        return 2;
    case KW_KIND_INT32:
        return 4;
    case KW_KIND_INT64:
        return 8;
    case KW_KIND_UUID:
        return sizeof(struct kw_uuid);
    case KW_KIND_STRING:
        return decoder->is_flexible ? 1 : 2;
    case KW_KIND_BYTES:
    case KW_KIND_RECORDS:
    case KW_KIND_ARRAY:
        return decoder->is_flexible ? 1 : 4;
    case KW_KIND_STRUCT:
        for (size_t i = 0; i < array->element->field_count; i++) {
            const struct kw_field *part = &array->element->fields[i];
            if (!part->is_tagged && kw_version_range_contains(part->versions, decoder->version)) {
                sum_bytes += item_min_bytes(decoder, part, part->kind);
            }
        }
        return sum_bytes;
    }
    KB_UNREACHABLE();
}

static void decode_value(struct decoder *decoder, const struct place *place, enum kw_kind kind, char *value);

static void decode_items(struct decoder *decoder, const struct kw_field *field, char *items, int32_t count)
{
    size_t stride_bytes = kw_field_element_size_bytes(field);
    decoder->depth++;
    for (int32_t i = 0; i < count && !has_failed(decoder); i++) {
        struct place place = {field, i, decoder->reader->position_bytes};
        decode_value(decoder, &place, field->element_kind,
                     items != NULL ? items + (size_t)i * stride_bytes : NULL);
    }
    decoder->depth--;
}

/* Begin or end of an array. */
static void tell_array(struct decoder *decoder, const struct place *place, enum kw_annotation_phase phase,
                       size_t content_bytes, int32_t count)
{
    if (has_listener(decoder)) {
        struct kw_annotation annotation = annotation_of(decoder, place, KW_ANNOTATION_ARRAY, content_bytes);
        annotation.phase = phase;
        annotation.integer = count;
        annotation.is_null = count < 0;
        tell(decoder, annotation);
    }
}

/* Memory for the items, once it is sure that so many can be in the bytes that are left. */
static bool make_items(struct decoder *decoder, const struct kw_field *field, int32_t count, bool is_stored,
                       char **items)
{
    size_t min_bytes = item_min_bytes(decoder, field, field->element_kind);
    size_t stride_bytes = kw_field_element_size_bytes(field);
    if ((size_t)count > kw_reader_remaining_bytes(decoder->reader) / min_bytes) {
        fail(decoder, KW_MESSAGE_MALFORMED, field);
        return false;
    }
    if (is_stored) {
        bool fits = (size_t)count <= SIZE_MAX / stride_bytes && decoder->arena != NULL;
        *items = fits ? kb_arena_allocate(decoder->arena, (size_t)count * stride_bytes) : NULL;
        if (*items == NULL) {
            fail(decoder, KW_MESSAGE_NO_MEMORY, field);
            return false;
        }
    }
    return true;
}

static void decode_array(struct decoder *decoder, const struct place *place, struct kw_array *array)
{
    int32_t count = decode_length(decoder, place, KW_KIND_ARRAY);
    size_t content_bytes = decoder->reader->position_bytes;
    char *items = NULL;
    if (count > 0 && !make_items(decoder, place->field, count, array != NULL, &items)) {
        return;
    }
    if (array != NULL) {
        *array = (struct kw_array){items, count};
    }
    tell_array(decoder, place, KW_ANNOTATION_ENTER, content_bytes, count);
    decode_items(decoder, place->field, items, count);
    tell_array(decoder, place, KW_ANNOTATION_LEAVE, content_bytes, count);
}

static void tell_struct(struct decoder *decoder, const struct place *place, enum kw_annotation_phase phase,
                        size_t content_bytes)
{
    if (has_listener(decoder)) {
        struct kw_annotation annotation = annotation_of(decoder, place, KW_ANNOTATION_STRUCT, content_bytes);
        annotation.phase = phase;
        tell(decoder, annotation);
    }
}

static void decode_value(struct decoder *decoder, const struct place *place, enum kw_kind kind, char *value)
{
    size_t content_bytes = decoder->reader->position_bytes;
    switch (kind) {
    case KW_KIND_BOOL:
    case KW_KIND_INT8:
    case KW_KIND_INT16:
    case KW_KIND_INT32:
    case KW_KIND_INT64:
        decode_integer(decoder, place, kind, value);
        return;
    case KW_KIND_UUID:
        decode_uuid(decoder, place, (struct kw_uuid *)value);
        return;
    case KW_KIND_STRING:
    case KW_KIND_BYTES:
    case KW_KIND_RECORDS:
        decode_range(decoder, place, kind, value);
        return;
    case KW_KIND_STRUCT:
        tell_struct(decoder, place, KW_ANNOTATION_ENTER, content_bytes);
        decoder->depth++;
        decode_struct(decoder, place->field->element, value);
        decoder->depth--;
        tell_struct(decoder, place, KW_ANNOTATION_LEAVE, content_bytes);
        return;
    case KW_KIND_ARRAY:
        decode_array(decoder, place, (struct kw_array *)value);
        return;
    }
    KB_UNREACHABLE();
}

static const struct kw_field *find_tagged(const struct decoder *decoder, const struct kw_schema *schema,
                                          uint32_t tag)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct kw_field *field = &schema->fields[i];
        if (field->is_tagged && field->tag == tag &&
            kw_version_range_contains(field->versions, decoder->version)) {
            return field;
        }
    }
    return NULL;
}

static void skip_unknown_tag(struct decoder *decoder, uint32_t tag, size_t begin_bytes, size_t size_bytes)
{
    static const struct kw_field unknown = {.name = "unknownTaggedField"};
    struct place place = {&unknown, -1, begin_bytes};
    size_t content_bytes = decoder->reader->position_bytes;
    const uint8_t *bytes = kw_read_bytes(decoder->reader, size_bytes);
    if (has_listener(decoder)) {
        struct kw_annotation annotation =
            annotation_of(decoder, &place, KW_ANNOTATION_UNKNOWN_TAG, content_bytes);
        annotation.integer = tag;
        annotation.content = (struct kw_bytes){bytes, (int32_t)size_bytes};
        tell(decoder, annotation);
    }
}

/*
 * The size of a tagged field bounds what is read for it, and must be what it takes. (Kafka does not compare
 * the two; it would go on in the middle of something.)
 */
static void decode_tagged_field(struct decoder *decoder, const struct kw_schema *schema, char *message)
{
    struct kw_reader *reader = decoder->reader;
    size_t begin_bytes = reader->position_bytes;
    uint32_t tag = kw_read_uvarint(reader);
    uint32_t size_bytes = kw_read_uvarint(reader);
    if (has_failed(decoder) || size_bytes > INT32_MAX || size_bytes > kw_reader_remaining_bytes(reader)) {
        fail(decoder, KW_MESSAGE_MALFORMED, NULL);
        return;
    }
    const struct kw_field *field = find_tagged(decoder, schema, tag);
    if (field == NULL) {
        skip_unknown_tag(decoder, tag, begin_bytes, size_bytes);
        return;
    }
    size_t outer_length_bytes = reader->length_bytes;
    reader->length_bytes = reader->position_bytes + size_bytes;
    struct place place = {field, -1, begin_bytes};
    decode_value(decoder, &place, field->kind, message != NULL ? message + field->offset_bytes : NULL);
    if (kw_reader_remaining_bytes(reader) != 0) {
        fail(decoder, KW_MESSAGE_MALFORMED, field);
    }
    reader->length_bytes = outer_length_bytes;
}

static void tell_tagged_fields(struct decoder *decoder, const struct place *place,
                               enum kw_annotation_phase phase, size_t content_bytes, uint32_t tagged_count)
{
    if (has_listener(decoder)) {
        struct kw_annotation annotation =
            annotation_of(decoder, place, KW_ANNOTATION_TAGGED_FIELDS, content_bytes);
        annotation.phase = phase;
        annotation.integer = tagged_count;
        tell(decoder, annotation);
    }
}

static void decode_tagged_fields(struct decoder *decoder, const struct kw_schema *schema, char *message)
{
    static const struct kw_field section = {.name = "taggedFields"};
    struct place place = {&section, -1, decoder->reader->position_bytes};
    uint32_t tagged_count = kw_read_uvarint(decoder->reader);
    size_t content_bytes = decoder->reader->position_bytes;
    tell_tagged_fields(decoder, &place, KW_ANNOTATION_ENTER, content_bytes, tagged_count);
    decoder->depth++;
    for (uint32_t i = 0; i < tagged_count && !has_failed(decoder); i++) {
        decode_tagged_field(decoder, schema, message);
    }
    decoder->depth--;
    tell_tagged_fields(decoder, &place, KW_ANNOTATION_LEAVE, content_bytes, tagged_count);
}

static void decode_struct(struct decoder *decoder, const struct kw_schema *schema, char *message)
{
    const struct kw_schema *outer = decoder->error.schema;
    decoder->error.schema = schema;
    for (size_t i = 0; i < schema->field_count && !has_failed(decoder); i++) {
        const struct kw_field *field = &schema->fields[i];
        char *value = message != NULL ? message + field->offset_bytes : NULL;
        if (!field->is_tagged && kw_version_range_contains(field->versions, decoder->version)) {
            struct place place = {field, -1, decoder->reader->position_bytes};
            decode_value(decoder, &place, field->kind, value);
            if (!kw_reader_is_ok(decoder->reader)) {
                fail(decoder, KW_MESSAGE_MALFORMED, field);
            }
        } else if (value != NULL) {
            kw_field_set_default(field, value);
        }
    }
    if (decoder->is_flexible && !has_failed(decoder)) {
        decode_tagged_fields(decoder, schema, message);
        if (!kw_reader_is_ok(decoder->reader)) {
            fail(decoder, KW_MESSAGE_MALFORMED, NULL);
        }
    }
    if (!has_failed(decoder)) {
        decoder->error.schema = outer;
    }
}

static enum kw_message_status decode(struct decoder *decoder, const struct kw_schema *schema, void *message,
                                     struct kw_message_error *error)
{
    decoder->is_flexible = kw_schema_is_flexible(schema, decoder->version);
    decoder->error = (struct kw_message_error){.schema = schema, .version = decoder->version};
    if (decoder->version < schema->min_version || decoder->version > schema->max_version) {
        fail(decoder, KW_MESSAGE_UNSUPPORTED_VERSION, NULL);
    } else if (!kw_reader_is_ok(decoder->reader)) {
        fail(decoder, KW_MESSAGE_MALFORMED, NULL);
    } else {
        decode_struct(decoder, schema, message);
    }
    if (error != NULL) {
        *error = decoder->error;
    }
    return decoder->error.status;
}

enum kw_message_status kw_message_decode(const struct kw_schema *schema, int16_t version,
                                         struct kw_reader *reader, struct kb_arena *arena, void *message,
                                         struct kw_message_error *error)
{
    KB_ASSERT(message != NULL);
    struct decoder decoder = {.reader = reader, .arena = arena, .version = version};
    return decode(&decoder, schema, message, error);
}

enum kw_message_status kw_message_annotate(const struct kw_schema *schema, int16_t version, const void *bytes,
                                           size_t length_bytes, kw_annotate_callback callback, void *context,
                                           struct kw_message_error *error)
{
    struct kw_reader reader;
    kw_reader_init(&reader, bytes, length_bytes);
    struct decoder decoder = {
        .reader = &reader, .version = version, .callback = callback, .context = context};
    return decode(&decoder, schema, NULL, error);
}
