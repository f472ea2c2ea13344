/**
 * A borrowed range of bytes that may be null, as keys, values and byte fields of Kafka may.
 */
#ifndef KW_BYTES_H
#define KW_BYTES_H

#include <stddef.h>
#include <stdint.h>

/** Null when bytes == NULL (so zero-initialised means null); empty when bytes != NULL and length_bytes == 0.
 */
struct kw_bytes {
    const uint8_t *bytes;
    int32_t length_bytes;
};

/** The length as it is encoded: -1 for null. */
static inline int32_t kw_bytes_encoded_length(struct kw_bytes bytes)
{
    return bytes.bytes != NULL ? bytes.length_bytes : -1;
}

#endif
