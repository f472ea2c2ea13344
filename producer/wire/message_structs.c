#include "wire/message_structs.h"

/* The codec treats every array as a struct kw_array. */
#define SAME_LAYOUT(type)                                                                                    \
    _Static_assert(sizeof(type) == sizeof(struct kw_array) &&                                                \
                       offsetof(type, items) == offsetof(struct kw_array, items) &&                          \
                       offsetof(type, count) == offsetof(struct kw_array, count),                            \
                   #type)
SAME_LAYOUT(struct kw_int32_array);
SAME_LAYOUT(struct kw_int64_array);
SAME_LAYOUT(struct kw_string_array);

#define NEVER                           KW_VERSION_OPEN
#define SINCE(since)                    .versions = {since, KW_VERSION_OPEN}
#define VERSIONS(since, last)           .versions = {since, (last) + 1}
#define NULLABLE_SINCE(since)           .nullable = {since, KW_VERSION_OPEN}
#define NULLABLE_VERSIONS(since, last)  .nullable = {since, (last) + 1}
#define DEFAULT(value)                  .default_integer = (value)
#define DEFAULT_NULL                    .is_default_null = true
#define IGNORABLE                       .is_ignorable = true
#define TAGGED(number)                  .is_tagged = true, .tag = (number)
#define NEVER_FLEXIBLE                  .is_never_flexible = true

#define PLACE(member)                   .offset_bytes = offsetof(struct KW_NAME(kw_, SELF, ), member)

#define BEGIN(text, min, max, flexible) static const struct kw_field KW_NAME(fields_of_, SELF, )[] = {
#define FIELD(type, member, text, ...)  {.name = (text), .kind = KW_KIND_##type, PLACE(member), __VA_ARGS__},
#define STRUCT(structure, member, text, ...)                                                                 \
    {.name = (text), .kind = KW_KIND_STRUCT, .element = &kw_##structure##_schema, PLACE(member), __VA_ARGS__},
#define ARRAY(type, member, text, ...)                                                                       \
    {.name = (text), .kind = KW_KIND_ARRAY, .element_kind = KW_KIND_##type, PLACE(member), __VA_ARGS__},
#define STRUCT_ARRAY(structure, member, text, ...)                                                           \
    {.name = (text),                                                                                         \
     .kind = KW_KIND_ARRAY,                                                                                  \
     .element_kind = KW_KIND_STRUCT,                                                                         \
     .element = &kw_##structure##_schema,                                                                    \
     PLACE(member),                                                                                          \
     __VA_ARGS__},
#define END()                                                                                                \
    }                                                                                                        \
    ;
#include "wire/schema.def"

#define BEGIN(text, min, max, flexible)                                                                      \
    const struct kw_schema KW_NAME(kw_, SELF, _schema) = {                                                   \
        .name = (text),                                                                                      \
        .fields = KW_NAME(fields_of_, SELF, ),                                                               \
        .field_count = sizeof KW_NAME(fields_of_, SELF, ) / sizeof(struct kw_field),                         \
        .struct_size_bytes = sizeof(struct KW_NAME(kw_, SELF, )),                                            \
        .min_version = (min),                                                                                \
        .max_version = (max),                                                                                \
        .first_flexible_version = (flexible),                                                                \
    };                                                                                                       \
    SAME_LAYOUT(struct KW_NAME(kw_, SELF, _array));
#define FIELD(...)
#define STRUCT(...)
#define ARRAY(...)
#define STRUCT_ARRAY(...)
#define END()
#include "wire/schema.def"
