/**
 * The sizes of a record's parts, inline for those who measure every record; others use wire/record.h.
 *
 * Kafka: DefaultRecord.sizeOf, sizeOfBodyInBytes.
 */
#ifndef KW_RECORD_SIZE_H
#define KW_RECORD_SIZE_H

#include "base/assert.h"
#include "wire/record.h"
#include "wire/varint.h"

static inline int64_t kw_bytes_field_size_bytes(struct kw_bytes field)
{
    int32_t length = kw_bytes_encoded_length(field);
    return length > 0 ? (int64_t)kw_base128_size_bytes(kw_zigzag32(length)) + length : 1;
}

/** Key, value and headers: what does not depend on the batch. */
static inline int64_t kw_record_fields_size_bytes(const struct kw_record_fields *fields)
{
    KB_ASSERT(fields->header_count >= 0);
    int64_t size_bytes = kw_bytes_field_size_bytes(fields->key) + kw_bytes_field_size_bytes(fields->value) +
                         kw_base128_size_bytes(kw_zigzag32(fields->header_count));
    for (int32_t i = 0; i < fields->header_count; i++) {
        KB_ASSERT(fields->headers[i].key.bytes != NULL);
        size_bytes += kw_bytes_field_size_bytes(fields->headers[i].key);
        size_bytes += kw_bytes_field_size_bytes(fields->headers[i].value);
    }
    return size_bytes;
}

/** What the length field says: attributes, deltas and fields. */
static inline int64_t kw_record_measure_body_bytes(int32_t offset_delta, int64_t timestamp_delta_ms,
                                                   const struct kw_record_fields *fields)
{
    enum { ATTRIBUTES_BYTES = 1 };
    return ATTRIBUTES_BYTES + (int64_t)kw_base128_size_bytes(kw_zigzag32(offset_delta)) +
           kw_base128_size_bytes(kw_zigzag64(timestamp_delta_ms)) + kw_record_fields_size_bytes(fields);
}

#endif
