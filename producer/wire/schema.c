#include "wire/schema.h"

#include "base/assert.h"

#include <string.h>

bool kw_version_range_contains(struct kw_version_range range, int16_t version)
{
    return version >= range.first && version < range.end;
}

const struct kw_field *kw_schema_find_field(const struct kw_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        if (strcmp(schema->fields[i].name, name) == 0) {
            return &schema->fields[i];
        }
    }
    return NULL;
}

bool kw_schema_is_flexible(const struct kw_schema *schema, int16_t version)
{
    return version >= schema->first_flexible_version;
}

size_t kw_kind_size_bytes(enum kw_kind kind)
{
    switch (kind) {
    case KW_KIND_BOOL:
        return sizeof(bool);
    case KW_KIND_INT8:
        return sizeof(int8_t);
    case KW_KIND_INT16:
        return sizeof(int16_t);
    case KW_KIND_INT32:
        return sizeof(int32_t);
    case KW_KIND_INT64:
        return sizeof(int64_t);
    case KW_KIND_UUID:
        return sizeof(struct kw_uuid);
    case KW_KIND_STRING:
        return sizeof(struct kw_string);
    case KW_KIND_BYTES:
    case KW_KIND_RECORDS:
        return sizeof(struct kw_bytes);
    case KW_KIND_ARRAY:
        return sizeof(struct kw_array);
    case KW_KIND_STRUCT:
        break;
    }
    KB_UNREACHABLE();
}

size_t kw_field_element_size_bytes(const struct kw_field *field)
{
    return field->element_kind == KW_KIND_STRUCT ? field->element->struct_size_bytes
                                                 : kw_kind_size_bytes(field->element_kind);
}
