#include "base/crc32c.h"

#include "base/prng.h"
#include "unit.h"

#include <string.h>

enum { BUFFER_BYTES = 20000 };

static uint8_t buffer[BUFFER_BYTES];

static void fill_buffer(void)
{
    struct kb_prng prng;
    kb_prng_init(&prng, 3, 0);
    for (size_t i = 0; i < BUFFER_BYTES; i++) {
        buffer[i] = (uint8_t)kb_prng_next(&prng);
    }
}

/* The definition, a bit at a time: reflected polynomial 0x1EDC6F41, all ones before and inverted after. */
static uint32_t by_definition(const uint8_t *bytes, size_t length_bytes)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < length_bytes; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ ((crc & 1u) != 0 ? 0x82f63b78u : 0);
        }
    }
    return ~crc;
}

/* RFC 3720, B.4. */
static void agrees_with_the_rfc(void)
{
    uint8_t bytes[32] = {0};
    CU_ASSERT_EQUAL(kb_crc32c("123456789", 9), 0xe3069283u);
    CU_ASSERT_EQUAL(kb_crc32c(bytes, sizeof bytes), 0x8a9136aau);
    memset(bytes, 0xff, sizeof bytes);
    CU_ASSERT_EQUAL(kb_crc32c(bytes, sizeof bytes), 0x62a8ab43u);
    CU_ASSERT_EQUAL(kb_crc32c(NULL, 0), 0);
}

/* Lengths around those where another loop takes over (384 and 3072), from any alignment. */
static void agrees_with_the_definition(void)
{
    static const size_t lengths[] = {0,   1,   7,    8,    9,    63,   383,  384,  385,  391,   392,
                                     767, 768, 1151, 3071, 3072, 3073, 3455, 3456, 6144, 12345, 16384};
    fill_buffer();
    bool is_right = true;
    for (size_t offset = 0; offset < 9; offset++) {
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            uint32_t expected = by_definition(buffer + offset, lengths[i]);
            is_right = is_right && kb_crc32c(buffer + offset, lengths[i]) == expected &&
                       kb_crc32c_update_portable(0, buffer + offset, lengths[i]) == expected;
        }
    }
    CU_ASSERT_TRUE(is_right);
}

static void goes_on_from_a_checksum(void)
{
    fill_buffer();
    uint32_t whole = by_definition(buffer, 10000);
    bool is_right = true;
    for (size_t cut = 0; cut <= 10000; cut += 97) {
        is_right = is_right && kb_crc32c_update(kb_crc32c(buffer, cut), buffer + cut, 10000 - cut) == whole;
        uint32_t front = kb_crc32c_update_portable(0, buffer, cut);
        is_right = is_right && kb_crc32c_update_portable(front, buffer + cut, 10000 - cut) == whole;
    }
    CU_ASSERT_TRUE(is_right);
}

int main(void)
{
    return unit_main("crc32c",
                     (struct unit_test[]){{"agrees_with_the_rfc", agrees_with_the_rfc},
                                          {"agrees_with_the_definition", agrees_with_the_definition},
                                          {"goes_on_from_a_checksum", goes_on_from_a_checksum},
                                          {0}});
}
