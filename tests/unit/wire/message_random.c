#include "message_random.h"

#include "base/assert.h"
#include "wire/message.h"

#include <string.h>

static void randomize_value(const struct kw_field *field, enum kw_kind kind, int16_t version,
                            struct kb_prng *prng, struct kb_arena *arena, void *value);

static void *random_bytes(struct kb_prng *prng, struct kb_arena *arena, int32_t length_bytes)
{
    uint8_t *bytes = kb_arena_allocate(arena, (size_t)length_bytes);
    KB_ASSERT(bytes != NULL);
    for (int32_t i = 0; i < length_bytes; i++) {
        bytes[i] = (uint8_t)kb_prng_next(prng);
    }
    return bytes;
}

static void randomize_array(const struct kw_field *field, int32_t count, int16_t version,
                            struct kb_prng *prng, struct kb_arena *arena, struct kw_array *array)
{
    size_t stride_bytes = kw_field_element_size_bytes(field);
    *array = (struct kw_array){kb_arena_allocate(arena, (size_t)count * stride_bytes), count};
    KB_ASSERT(array->items != NULL);
    for (int32_t i = 0; i < count; i++) {
        randomize_value(field, field->element_kind, version, prng, arena,
                        (char *)array->items + (size_t)i * stride_bytes);
    }
}

static void randomize_value(const struct kw_field *field, enum kw_kind kind, int16_t version,
                            struct kb_prng *prng, struct kb_arena *arena, void *value)
{
    bool is_item = field->kind != kind;
    bool is_null =
        !is_item && kw_version_range_contains(field->nullable, version) && kb_prng_chance(prng, 1, 4);
    uint64_t number = kb_prng_next(prng);
    int32_t length = (int32_t)(number % 200);
    switch (kind) {
    case KW_KIND_BOOL:
        *(bool *)value = number % 2 == 0;
        return;
    case KW_KIND_INT8:
        *(int8_t *)value = (int8_t)number;
        return;
    case KW_KIND_INT16:
        *(int16_t *)value = (int16_t)number;
        return;
    case KW_KIND_INT32:
        *(int32_t *)value = (int32_t)number;
        return;
    case KW_KIND_INT64:
        *(int64_t *)value = (int64_t)number;
        return;
    case KW_KIND_UUID:
        memcpy(value, random_bytes(prng, arena, 16), 16);
        return;
    case KW_KIND_STRING:
        *(struct kw_string *)value = (struct kw_string){NULL, -1};
        if (!is_null) {
            *(struct kw_string *)value = (struct kw_string){random_bytes(prng, arena, length), length};
        }
        return;
    case KW_KIND_BYTES:
    case KW_KIND_RECORDS:
        *(struct kw_bytes *)value = (struct kw_bytes){NULL, 0};
        if (!is_null) {
            *(struct kw_bytes *)value = (struct kw_bytes){random_bytes(prng, arena, length), length};
        }
        return;
    case KW_KIND_STRUCT:
        message_randomize(field->element, version, prng, arena, value);
        return;
    case KW_KIND_ARRAY:
        *(struct kw_array *)value = (struct kw_array){NULL, -1};
        if (!is_null) {
            randomize_array(field, (int32_t)(number % 4), version, prng, arena, value);
        }
        return;
    }
}

void message_randomize(const struct kw_schema *schema, int16_t version, struct kb_prng *prng,
                       struct kb_arena *arena, void *message)
{
    kw_message_set_defaults(schema, message);
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct kw_field *field = &schema->fields[i];
        if (kw_version_range_contains(field->versions, version)) {
            randomize_value(field, field->kind, version, prng, arena, (char *)message + field->offset_bytes);
        }
    }
}
