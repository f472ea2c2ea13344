/**
 * Variable-length integers straight to and from memory, for the paths where a cursor's checks would be felt:
 * the caller has made sure of the room. Elsewhere use wire/cursor.h.
 *
 * Kafka: org.apache.kafka.common.utils.ByteUtils.
 */
#ifndef KW_VARINT_H
#define KW_VARINT_H

#include <stdint.h>

static inline uint32_t kw_zigzag32(int32_t value)
{
    return (uint32_t)value << 1 ^ (value < 0 ? UINT32_MAX : 0);
}

static inline uint64_t kw_zigzag64(int64_t value)
{
    return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

/** Bytes of the unsigned encoding: one for each seven bits up to the highest that is set, at least one. */
static inline uint32_t kw_base128_size_bytes(uint64_t value)
{
    uint32_t bits = 64u - (uint32_t)__builtin_clzll(value | 1u);
    /* (bits + 6) / 7 without a division, exact for 1 to 64. */
    return (bits * 9u + 64u) / 64u;
}

/** Writes at most 10 bytes; returns what is behind them. */
static inline uint8_t *kw_put_base128(uint8_t *out, uint64_t value)
{
    while (value >= 0x80u) {
        *out++ = (uint8_t)(value | 0x80u);
        value >>= 7;
    }
    *out++ = (uint8_t)value;
    return out;
}

#endif
