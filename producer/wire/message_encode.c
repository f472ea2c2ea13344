#include "base/assert.h"
#include "wire/message.h"
#include "wire/message_internal.h"

struct encoder {
    struct kw_writer *writer;
    /* NULL: records are copied. */
    struct kw_segment_list *list;
    size_t records_bytes;
    int16_t version;
    bool is_flexible;
    struct kw_message_error error;
};

static void encode_struct(struct encoder *encoder, const struct kw_schema *schema, const void *message);

static bool has_failed(const struct encoder *encoder)
{
    return encoder->error.status != KW_MESSAGE_OK;
}

/* The first error stays. */
static void fail(struct encoder *encoder, enum kw_message_status status, const struct kw_field *field)
{
    if (!has_failed(encoder)) {
        encoder->error.status = status;
        encoder->error.field = field;
    }
}

/* A length or a count, where null is below 0; false: nothing follows. */
static bool encode_length(struct encoder *encoder, const struct kw_field *field, enum kw_kind kind,
                          int32_t length, bool is_item)
{
    if (length < 0) {
        /* Arrays of nullable items do not occur: it is the array that may be null. */
        if (is_item || !kw_version_range_contains(field->nullable, encoder->version)) {
            fail(encoder, KW_MESSAGE_NULL, field);
            return false;
        }
        length = -1;
    }
    if (kind == KW_KIND_STRING && length > KW_STRING_MAX_BYTES) {
        fail(encoder, KW_MESSAGE_TOO_LONG, field);
        return false;
    }
    if (encoder->is_flexible && !field->is_never_flexible) {
        kw_write_uvarint(encoder->writer, (uint32_t)length + 1u);
    } else if (kind == KW_KIND_STRING) {
        kw_write_i16(encoder->writer, (int16_t)length);
    } else {
        kw_write_i32(encoder->writer, length);
    }
    return length > 0;
}

static void add_segment(struct encoder *encoder, const uint8_t *bytes, size_t length_bytes)
{
    struct kw_segment_list *list = encoder->list;
    if (length_bytes == 0) {
        return;
    }
    if (list->count == list->capacity) {
        fail(encoder, KW_MESSAGE_NO_ROOM, NULL);
        return;
    }
    list->segments[list->count++] = (struct kw_segment){bytes, length_bytes};
}

/* What was written since the last segment becomes one. */
static void cover_written(struct encoder *encoder)
{
    struct kw_segment_list *list = encoder->list;
    if (kw_writer_is_ok(encoder->writer)) {
        add_segment(encoder, encoder->writer->bytes + list->covered_bytes,
                    encoder->writer->position_bytes - list->covered_bytes);
        list->covered_bytes = encoder->writer->position_bytes;
    }
}

static void encode_records(struct encoder *encoder, const struct kw_bytes *records)
{
    encoder->records_bytes += (size_t)records->length_bytes;
    if (encoder->list == NULL) {
        kw_write_bytes(encoder->writer, records->bytes, (size_t)records->length_bytes);
        return;
    }
    cover_written(encoder);
    add_segment(encoder, records->bytes, (size_t)records->length_bytes);
}

static void encode_value(struct encoder *encoder, const struct kw_field *field, enum kw_kind kind,
                         const void *value, bool is_item);

static void encode_array(struct encoder *encoder, const struct kw_field *field, const struct kw_array *array)
{
    if (!encode_length(encoder, field, KW_KIND_ARRAY, array->count, false)) {
        return;
    }
    KB_ASSERT(array->items != NULL);
    size_t stride_bytes = kw_field_element_size_bytes(field);
    const char *item = array->items;
    for (int32_t i = 0; i < array->count && !has_failed(encoder); i++, item += stride_bytes) {
        encode_value(encoder, field, field->element_kind, item, true);
    }
}

static void encode_value(struct encoder *encoder, const struct kw_field *field, enum kw_kind kind,
                         const void *value, bool is_item)
{
    const struct kw_string *string = value;
    const struct kw_bytes *bytes = value;
    switch (kind) {
    case KW_KIND_BOOL:
        kw_write_i8(encoder->writer, *(const bool *)value ? 1 : 0);
        return;
    case KW_KIND_INT8:
        kw_write_i8(encoder->writer, *(const int8_t *)value);
        return;
    case KW_KIND_INT16:
        kw_write_i16(encoder->writer, *(const int16_t *)value);
        return;
    case KW_KIND_INT32:
        kw_write_i32(encoder->writer, *(const int32_t *)value);
        return;
    case KW_KIND_INT64:
        kw_write_i64(encoder->writer, *(const int64_t *)value);
        return;
    case KW_KIND_UUID:
        kw_write_bytes(encoder->writer, value, sizeof(struct kw_uuid));
        return;
    case KW_KIND_STRING:
        if (encode_length(encoder, field, kind, string->length_bytes, is_item)) {
            kw_write_bytes(encoder->writer, string->data, (size_t)string->length_bytes);
        }
        return;
    case KW_KIND_BYTES:
        if (encode_length(encoder, field, kind, kw_bytes_encoded_length(*bytes), is_item)) {
            kw_write_bytes(encoder->writer, bytes->bytes, (size_t)bytes->length_bytes);
        }
        return;
    case KW_KIND_RECORDS:
        if (encode_length(encoder, field, kind, kw_bytes_encoded_length(*bytes), is_item)) {
            encode_records(encoder, bytes);
        }
        return;
    case KW_KIND_STRUCT:
        encode_struct(encoder, field->element, value);
        return;
    case KW_KIND_ARRAY:
        encode_array(encoder, field, value);
        return;
    }
    KB_UNREACHABLE();
}

/* Tag, size, value: the size is found by encoding once more, into a writer that only counts. */
static void encode_tagged(struct encoder *encoder, const struct kw_field *field, const void *value)
{
    struct kw_writer counting;
    kw_writer_init_counting(&counting);
    struct encoder sizing = *encoder;
    sizing.writer = &counting;
    sizing.list = NULL;
    encode_value(&sizing, field, field->kind, value, false);
    kw_write_uvarint(encoder->writer, field->tag);
    kw_write_uvarint(encoder->writer, (uint32_t)counting.position_bytes);
    encode_value(encoder, field, field->kind, value, false);
}

static void encode_tagged_fields(struct encoder *encoder, const struct kw_schema *schema, const void *message,
                                 uint32_t tagged_count)
{
    kw_write_uvarint(encoder->writer, tagged_count);
    for (size_t i = 0; i < schema->field_count && tagged_count > 0; i++) {
        const struct kw_field *field = &schema->fields[i];
        const char *value = (const char *)message + field->offset_bytes;
        if (field->is_tagged && kw_version_range_contains(field->versions, encoder->version) &&
            !kw_field_is_default(field, value)) {
            encode_tagged(encoder, field, value);
            tagged_count--;
        }
    }
}

static void encode_struct(struct encoder *encoder, const struct kw_schema *schema, const void *message)
{
    const struct kw_schema *outer = encoder->error.schema;
    encoder->error.schema = schema;
    uint32_t tagged_count = 0;
    for (size_t i = 0; i < schema->field_count && !has_failed(encoder); i++) {
        const struct kw_field *field = &schema->fields[i];
        const char *value = (const char *)message + field->offset_bytes;
        if (!kw_version_range_contains(field->versions, encoder->version)) {
            if (!field->is_ignorable && !kw_field_is_default(field, value)) {
                fail(encoder, KW_MESSAGE_UNSUPPORTED_FIELD, field);
            }
        } else if (field->is_tagged) {
            tagged_count += kw_field_is_default(field, value) ? 0 : 1;
        } else {
            encode_value(encoder, field, field->kind, value, false);
        }
    }
    if (encoder->is_flexible && !has_failed(encoder)) {
        encode_tagged_fields(encoder, schema, message, tagged_count);
    }
    if (!has_failed(encoder)) {
        encoder->error.schema = outer;
    }
}

static enum kw_message_status encode(struct encoder *encoder, const struct kw_schema *schema,
                                     const void *message, struct kw_message_error *error)
{
    encoder->is_flexible = kw_schema_is_flexible(schema, encoder->version);
    encoder->error = (struct kw_message_error){.schema = schema, .version = encoder->version};
    if (encoder->version < schema->min_version || encoder->version > schema->max_version) {
        fail(encoder, KW_MESSAGE_UNSUPPORTED_VERSION, NULL);
    } else {
        encode_struct(encoder, schema, message);
    }
    if (encoder->list != NULL && !has_failed(encoder)) {
        cover_written(encoder);
    }
    if (!kw_writer_is_ok(encoder->writer)) {
        fail(encoder, KW_MESSAGE_NO_ROOM, NULL);
    }
    encoder->error.offset_bytes = encoder->writer->position_bytes;
    if (error != NULL) {
        *error = encoder->error;
    }
    return encoder->error.status;
}

enum kw_message_status kw_message_size(const struct kw_schema *schema, int16_t version, const void *message,
                                       size_t *size_bytes, size_t *records_size_bytes,
                                       struct kw_message_error *error)
{
    struct kw_writer counting;
    kw_writer_init_counting(&counting);
    struct encoder encoder = {.writer = &counting, .version = version};
    enum kw_message_status status = encode(&encoder, schema, message, error);
    *size_bytes = counting.position_bytes;
    if (records_size_bytes != NULL) {
        *records_size_bytes = encoder.records_bytes;
    }
    return status;
}

enum kw_message_status kw_message_encode(const struct kw_schema *schema, int16_t version, const void *message,
                                         struct kw_writer *writer, struct kw_message_error *error)
{
    struct encoder encoder = {.writer = writer, .version = version};
    return encode(&encoder, schema, message, error);
}

enum kw_message_status kw_message_encode_scatter(const struct kw_schema *schema, int16_t version,
                                                 const void *message, struct kw_writer *writer,
                                                 struct kw_segment_list *list, struct kw_message_error *error)
{
    struct encoder encoder = {.writer = writer, .list = list, .version = version};
    return encode(&encoder, schema, message, error);
}
