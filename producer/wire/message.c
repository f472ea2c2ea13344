#include "wire/message.h"

#include "base/assert.h"
#include "wire/message_internal.h"

#include <stdio.h>
#include <string.h>

void kw_field_set_default(const struct kw_field *field, void *value)
{
    static const uint8_t nothing[1];
    int32_t length = field->is_default_null ? -1 : 0;
    switch (field->kind) {
    case KW_KIND_BOOL:
        *(bool *)value = field->default_integer != 0;
        return;
    case KW_KIND_INT8:
        *(int8_t *)value = (int8_t)field->default_integer;
        return;
    case KW_KIND_INT16:
        *(int16_t *)value = (int16_t)field->default_integer;
        return;
    case KW_KIND_INT32:
        *(int32_t *)value = (int32_t)field->default_integer;
        return;
    case KW_KIND_INT64:
        *(int64_t *)value = field->default_integer;
        return;
    case KW_KIND_UUID:
        *(struct kw_uuid *)value = (struct kw_uuid){{0}};
        return;
    case KW_KIND_STRING:
        *(struct kw_string *)value = (struct kw_string){NULL, length};
        return;
    case KW_KIND_BYTES:
    case KW_KIND_RECORDS:
        *(struct kw_bytes *)value = (struct kw_bytes){field->is_default_null ? NULL : nothing, 0};
        return;
    case KW_KIND_STRUCT:
        kw_message_set_defaults(field->element, value);
        return;
    case KW_KIND_ARRAY:
        *(struct kw_array *)value = (struct kw_array){NULL, length};
        return;
    }
    KB_UNREACHABLE();
}

void kw_message_set_defaults(const struct kw_schema *schema, void *message)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        kw_field_set_default(&schema->fields[i], (char *)message + schema->fields[i].offset_bytes);
    }
}

/* Null is the default of some, empty that of the others. */
static bool is_default_length(const struct kw_field *field, int32_t length)
{
    return field->is_default_null ? length < 0 : length == 0;
}

bool kw_field_is_default(const struct kw_field *field, const void *value)
{
    static const struct kw_uuid zero;
    switch (field->kind) {
    case KW_KIND_BOOL:
        return *(const bool *)value == (field->default_integer != 0);
    case KW_KIND_INT8:
        return *(const int8_t *)value == field->default_integer;
    case KW_KIND_INT16:
        return *(const int16_t *)value == field->default_integer;
    case KW_KIND_INT32:
        return *(const int32_t *)value == field->default_integer;
    case KW_KIND_INT64:
        return *(const int64_t *)value == field->default_integer;
    case KW_KIND_UUID:
        return memcmp(value, &zero, sizeof zero) == 0;
    case KW_KIND_STRING:
        return is_default_length(field, ((const struct kw_string *)value)->length_bytes);
    case KW_KIND_BYTES:
    case KW_KIND_RECORDS:
        return is_default_length(field, kw_bytes_encoded_length(*(const struct kw_bytes *)value));
    case KW_KIND_STRUCT:
        for (size_t i = 0; i < field->element->field_count; i++) {
            const struct kw_field *part = &field->element->fields[i];
            if (!kw_field_is_default(part, (const char *)value + part->offset_bytes)) {
                return false;
            }
        }
        return true;
    case KW_KIND_ARRAY:
        return is_default_length(field, ((const struct kw_array *)value)->count);
    }
    KB_UNREACHABLE();
}

static bool is_same_range(const void *left, int32_t left_length, const void *right, int32_t right_length)
{
    if (left_length <= 0 || right_length <= 0) {
        return left_length == right_length || (left_length < 0 && right_length < 0);
    }
    return left_length == right_length && memcmp(left, right, (size_t)left_length) == 0;
}

static bool is_value_equal(enum kw_kind kind, const struct kw_field *field, const void *left,
                           const void *right);

static bool is_array_equal(const struct kw_field *field, const struct kw_array *left,
                           const struct kw_array *right)
{
    if (left->count < 0 || right->count < 0) {
        return left->count < 0 && right->count < 0;
    }
    if (left->count != right->count) {
        return false;
    }
    size_t stride_bytes = kw_field_element_size_bytes(field);
    for (size_t i = 0; i < (size_t)left->count; i++) {
        if (!is_value_equal(field->element_kind, field, (const char *)left->items + i * stride_bytes,
                            (const char *)right->items + i * stride_bytes)) {
            return false;
        }
    }
    return true;
}

static bool is_value_equal(enum kw_kind kind, const struct kw_field *field, const void *left,
                           const void *right)
{
    const struct kw_string *left_string = left;
    const struct kw_string *right_string = right;
    const struct kw_bytes *left_bytes = left;
    const struct kw_bytes *right_bytes = right;
    switch (kind) {
    case KW_KIND_BOOL:
        return *(const bool *)left == *(const bool *)right;
    case KW_KIND_INT8:
    case KW_KIND_INT16:
    case KW_KIND_INT32:
    case KW_KIND_INT64:
    case KW_KIND_UUID:
        return memcmp(left, right, kw_kind_size_bytes(kind)) == 0;
    case KW_KIND_STRING:
        return is_same_range(left_string->data, left_string->length_bytes, right_string->data,
                             right_string->length_bytes);
    case KW_KIND_BYTES:
    case KW_KIND_RECORDS:
        return is_same_range(left_bytes->bytes, kw_bytes_encoded_length(*left_bytes), right_bytes->bytes,
                             kw_bytes_encoded_length(*right_bytes));
    case KW_KIND_STRUCT:
        return kw_message_is_equal(field->element, left, right);
    case KW_KIND_ARRAY:
        return is_array_equal(field, left, right);
    }
    KB_UNREACHABLE();
}

bool kw_message_is_equal(const struct kw_schema *schema, const void *left, const void *right)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct kw_field *field = &schema->fields[i];
        if (!is_value_equal(field->kind, field, (const char *)left + field->offset_bytes,
                            (const char *)right + field->offset_bytes)) {
            return false;
        }
    }
    return true;
}

void kw_message_error_text(const struct kw_message_error *error, char *text, size_t capacity_bytes)
{
    const char *where = error->schema != NULL ? error->schema->name : "message";
    const char *what = error->field != NULL ? error->field->name : "bytes";
    switch (error->status) {
    case KW_MESSAGE_OK:
        (void)snprintf(text, capacity_bytes, "no error");
        return;
    case KW_MESSAGE_UNSUPPORTED_VERSION:
        (void)snprintf(text, capacity_bytes, "%s has no version %d", where, error->version);
        return;
    case KW_MESSAGE_UNSUPPORTED_FIELD:
        (void)snprintf(text, capacity_bytes, "Attempted to write a non-default %s at version %d", what,
                       error->version);
        return;
    case KW_MESSAGE_NULL:
        (void)snprintf(text, capacity_bytes, "non-nullable field %s of %s was null at version %d", what,
                       where, error->version);
        return;
    case KW_MESSAGE_TOO_LONG:
        (void)snprintf(text, capacity_bytes, "field %s of %s is longer than %d bytes", what, where,
                       KW_STRING_MAX_BYTES);
        return;
    case KW_MESSAGE_NO_ROOM:
        (void)snprintf(text, capacity_bytes, "no room for field %s of %s", what, where);
        return;
    case KW_MESSAGE_MALFORMED:
        (void)snprintf(text, capacity_bytes, "%s version %d is malformed at byte %zu, in %s", where,
                       error->version, error->offset_bytes, what);
        return;
    case KW_MESSAGE_NO_MEMORY:
        (void)snprintf(text, capacity_bytes, "no memory left for %s of %s", what, where);
        return;
    }
    KB_UNREACHABLE();
}
