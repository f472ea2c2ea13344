#include "base/murmur2.h"

static const uint32_t SEED = 0x9747b28c;
static const uint32_t MULTIPLIER = 0x5bd1e995;

static uint32_t load_little_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

int32_t kb_murmur2(const void *bytes, size_t length_bytes)
{
    const uint8_t *at = bytes;
    size_t left_bytes = length_bytes;
    uint32_t hash = SEED ^ (uint32_t)length_bytes;
    for (; left_bytes >= 4; left_bytes -= 4, at += 4) {
        uint32_t word = load_little_endian(at) * MULTIPLIER;
        word = (word ^ word >> 24) * MULTIPLIER;
        hash = hash * MULTIPLIER ^ word;
    }
    if (left_bytes > 0) {
        uint32_t tail = 0;
        for (size_t i = 0; i < left_bytes; i++) {
            tail |= (uint32_t)at[i] << 8 * i;
        }
        hash = (hash ^ tail) * MULTIPLIER;
    }
    hash = (hash ^ hash >> 13) * MULTIPLIER;
    return (int32_t)(hash ^ hash >> 15);
}

int32_t kb_to_positive(int32_t number)
{
    return number & INT32_MAX;
}
