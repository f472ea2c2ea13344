/**
 * A C struct, an array of it, a schema and an init function for every structure of the messages of 3.0.0:
 *
 *     struct kw_produce_request_partition {
 *         int32_t index;
 *         struct kw_bytes records;
 *     };
 *     struct kw_produce_request_partition_array {
 *         struct kw_produce_request_partition *items;
 *         int32_t count;
 *     };
 *     extern const struct kw_schema kw_produce_request_partition_schema;
 *     void kw_produce_request_partition_init(struct kw_produce_request_partition *);
 *
 * The names and fields are those of the schema_*.def files; see schema.def for their columns. The init
 * function gives every field its default; use it for each structure that is made by hand, then set what
 * differs.
 */
#ifndef KW_MESSAGE_STRUCTS_H
#define KW_MESSAGE_STRUCTS_H

#include "wire/message.h"

#define KW_NAME_EXPANDED(prefix, name, suffix)     prefix##name##suffix
#define KW_NAME(prefix, name, suffix)              KW_NAME_EXPANDED(prefix, name, suffix)

#define KW_C_TYPE_BOOL                             bool
#define KW_C_TYPE_INT8                             int8_t
#define KW_C_TYPE_INT16                            int16_t
#define KW_C_TYPE_INT32                            int32_t
#define KW_C_TYPE_INT64                            int64_t
#define KW_C_TYPE_UUID                             struct kw_uuid
#define KW_C_TYPE_STRING                           struct kw_string
#define KW_C_TYPE_BYTES                            struct kw_bytes
#define KW_C_TYPE_RECORDS                          struct kw_bytes
#define KW_C_ARRAY_INT32                           struct kw_int32_array
#define KW_C_ARRAY_INT64                           struct kw_int64_array
#define KW_C_ARRAY_STRING                          struct kw_string_array

#define BEGIN(name, min, max, flexible)            struct KW_NAME(kw_, SELF, ) {
#define FIELD(kind, member, name, ...)             KW_C_TYPE_##kind member;
#define STRUCT(structure, member, name, ...)       struct kw_##structure member;
#define ARRAY(element_kind, member, name, ...)     KW_C_ARRAY_##element_kind member;
#define STRUCT_ARRAY(structure, member, name, ...) struct kw_##structure##_array member;
#define END()                                                                                                \
    }                                                                                                        \
    ;                                                                                                        \
    struct KW_NAME(kw_, SELF, _array) {                                                                      \
        struct KW_NAME(kw_, SELF, ) * items;                                                                 \
        int32_t count;                                                                                       \
    };                                                                                                       \
    extern const struct kw_schema KW_NAME(kw_, SELF, _schema);                                               \
    static inline void KW_NAME(kw_, SELF, _init)(struct KW_NAME(kw_, SELF, ) * message)                      \
    {                                                                                                        \
        kw_message_set_defaults(&KW_NAME(kw_, SELF, _schema), message);                                      \
    }
#include "wire/schema.def"

#endif
