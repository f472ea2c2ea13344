#include "core/serializer.h"

#include "base/allocator.h"
#include "core/memory.h"
#include "core/producer_config_text.h"
#include "wire/errors.h"

#include <string.h>

enum { NUMBER_TEXT_BYTES = 64 };

static bool is_of_bytes(enum kp_serializer_kind kind)
{
    return kind == KP_SERIALIZER_BYTE_ARRAY || kind == KP_SERIALIZER_BYTE_BUFFER ||
           kind == KP_SERIALIZER_BYTES || kind == KP_SERIALIZER_STRING || kind == KP_SERIALIZER_UUID;
}

void kp_serializer_init(struct kp_serializer_state *serializer, enum kp_serializer_kind kind,
                        const char *class_name, const char *role, const struct kp_serializer *custom)
{
    *serializer = (struct kp_serializer_state){
        .kind = kind, .class_name = class_name, .role = role, .is_custom = custom != NULL};
    if (custom != NULL) {
        serializer->custom = *custom;
    }
    serializer->passes_through = custom != NULL ? custom->serialize == NULL : is_of_bytes(kind);
}

void kp_serialized_release(struct kp_serialized *scratch, const struct linger_allocator *allocator)
{
    kb_deallocate(allocator, scratch->bytes, scratch->capacity_bytes);
    *scratch = (struct kp_serialized){0};
}

static bool fail_no_memory(struct kp_failure *failure)
{
    kp_failure_throw(failure, kw_error_exception(KW_ERROR_OUT_OF_MEMORY),
                     kw_error_message(KW_ERROR_OUT_OF_MEMORY));
    return false;
}

/* What KafkaProducer makes of a ClassCastException. */
static bool fail_class_cast(const struct kp_serializer_state *serializer, struct kp_failure *failure)
{
    kp_failure_throw(failure, "ClassCastException", NULL);
    kp_failure_wrapf(failure, "SerializationException",
                     "Can't convert %s of class java.lang.String to class %s specified in %s.serializer",
                     serializer->role, serializer->class_name, serializer->role);
    return false;
}

/* --- One of the application */

struct sink {
    struct kp_serialized *scratch;
    const struct linger_allocator *allocator;
    bool is_full;
};

static bool write_to_scratch(void *context, const void *bytes, size_t length_bytes)
{
    struct sink *sink = context;
    struct kp_serialized *scratch = sink->scratch;
    if (sink->is_full || length_bytes > (size_t)INT32_MAX - scratch->length_bytes ||
        !kp_grow(sink->allocator, &scratch->bytes, &scratch->capacity_bytes,
                 scratch->length_bytes + (uint32_t)length_bytes, 1)) {
        sink->is_full = true;
        return false;
    }
    if (length_bytes > 0) {
        memcpy(scratch->bytes + scratch->length_bytes, bytes, length_bytes);
    }
    scratch->length_bytes += (uint32_t)length_bytes;
    return true;
}

static bool serialize_custom(const struct kp_serializer_state *serializer,
                             const struct linger_allocator *allocator, const char *topic,
                             struct kp_bytes object, struct kp_serialized *scratch, struct kp_bytes *out,
                             struct kp_failure *failure)
{
    struct sink sink = {scratch, allocator, false};
    struct kp_sink writer = {&sink, write_to_scratch};
    scratch->length_bytes = 0;
    /* A first byte of capacity, so that an empty result is not null. */
    if (!kp_grow(allocator, &scratch->bytes, &scratch->capacity_bytes, 1, 1)) {
        return fail_no_memory(failure);
    }
    const char *message = serializer->custom.serialize(serializer->custom.context, topic, object, &writer);
    if (sink.is_full) {
        return fail_no_memory(failure);
    }
    if (message != NULL) {
        kp_failure_throw(failure, "SerializationException", message);
        return false;
    }
    *out = object.length_bytes < 0 ? KP_BYTES_NULL
                                   : (struct kp_bytes){scratch->bytes, (int32_t)scratch->length_bytes};
    return true;
}

/* --- Kafka's numbers */

static bool put_big_endian(struct kp_serialized *scratch, const struct linger_allocator *allocator,
                           uint64_t bits, uint32_t length_bytes, struct kp_bytes *out,
                           struct kp_failure *failure)
{
    if (!kp_grow(allocator, &scratch->bytes, &scratch->capacity_bytes, length_bytes, 1)) {
        return fail_no_memory(failure);
    }
    for (uint32_t i = 0; i < length_bytes; i++) {
        scratch->bytes[i] = (uint8_t)(bits >> (8 * (length_bytes - 1 - i)));
    }
    scratch->length_bytes = length_bytes;
    *out = (struct kp_bytes){scratch->bytes, (int32_t)length_bytes};
    return true;
}

static bool parse_integer(struct kp_bytes object, int64_t minimum, int64_t maximum, uint64_t *bits)
{
    struct kp_text_span span = {object.data, (size_t)object.length_bytes};
    int64_t number;
    if (!kp_text_parse_integer(span, minimum, maximum, &number)) {
        return false;
    }
    *bits = (uint64_t)number;
    return true;
}

static bool parse_real(struct kp_bytes object, bool is_double, uint64_t *bits)
{
    char text[NUMBER_TEXT_BYTES];
    double number;
    if ((size_t)object.length_bytes >= sizeof text || object.length_bytes == 0) {
        return false;
    }
    memcpy(text, object.data, (size_t)object.length_bytes);
    text[object.length_bytes] = '\0';
    if (!kp_text_parse_double(text, &number)) {
        return false;
    }
    if (is_double) {
        memcpy(bits, &number, sizeof number);
        return true;
    }
    float narrow = (float)number;
    uint32_t narrow_bits;
    memcpy(&narrow_bits, &narrow, sizeof narrow);
    *bits = narrow_bits;
    return true;
}

static bool serialize_number(const struct kp_serializer_state *serializer,
                             const struct linger_allocator *allocator, struct kp_bytes object,
                             struct kp_serialized *scratch, struct kp_bytes *out, struct kp_failure *failure)
{
    uint64_t bits = 0;
    uint32_t length_bytes = 0;
    bool is_number = false;
    if (serializer->kind == KP_SERIALIZER_SHORT) {
        length_bytes = 2;
        is_number = parse_integer(object, INT16_MIN, INT16_MAX, &bits);
    } else if (serializer->kind == KP_SERIALIZER_INTEGER) {
        length_bytes = 4;
        is_number = parse_integer(object, INT32_MIN, INT32_MAX, &bits);
    } else if (serializer->kind == KP_SERIALIZER_LONG) {
        length_bytes = 8;
        is_number = parse_integer(object, INT64_MIN, INT64_MAX, &bits);
    } else if (serializer->kind == KP_SERIALIZER_FLOAT) {
        length_bytes = 4;
        is_number = parse_real(object, false, &bits);
    } else {
        length_bytes = 8;
        is_number = parse_real(object, true, &bits);
    }
    if (!is_number) {
        return fail_class_cast(serializer, failure);
    }
    return put_big_endian(scratch, allocator, bits, length_bytes, out, failure);
}

bool kp_serializer_convert(const struct kp_serializer_state *serializer,
                           const struct linger_allocator *allocator, const char *topic,
                           struct kp_bytes object, struct kp_serialized *scratch, struct kp_bytes *out,
                           struct kp_failure *failure)
{
    if (serializer->is_custom && serializer->custom.serialize != NULL) {
        return serialize_custom(serializer, allocator, topic, object, scratch, out, failure);
    }
    *out = object;
    if (serializer->is_custom || object.length_bytes < 0) {
        return true;
    }
    switch (serializer->kind) {
    case KP_SERIALIZER_BYTE_ARRAY:
    case KP_SERIALIZER_BYTE_BUFFER:
    case KP_SERIALIZER_BYTES:
    case KP_SERIALIZER_STRING:
    case KP_SERIALIZER_UUID:
    case KP_SERIALIZER_CUSTOM:
        return true;
    case KP_SERIALIZER_SHORT:
    case KP_SERIALIZER_INTEGER:
    case KP_SERIALIZER_LONG:
    case KP_SERIALIZER_FLOAT:
    case KP_SERIALIZER_DOUBLE:
        return serialize_number(serializer, allocator, object, scratch, out, failure);
    case KP_SERIALIZER_VOID:
        kp_failure_throw(failure, "IllegalArgumentException", "Data should be null for a VoidSerializer.");
        return false;
    case KP_SERIALIZER_LIST:
        break;
    }
    return fail_class_cast(serializer, failure);
}
