#include "base/crc32c.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define HAS_X86_CRC 1
#include <immintrin.h>
#else
#define HAS_X86_CRC 0
#endif

/*
 * Table k holds, for each byte, the remainder of that byte followed by k zero bytes. The remainder is linear,
 * so eight values, one for each bit of the byte, make a table; the compiler multiplies them out.
 */
#define BIT(n, bit, value) (((n) >> (bit)&1u) != 0 ? (value) : 0u)
#define ENTRY(n, a, b, c, d, e, f, g, h)                                                                     \
    (BIT(n, 0, a) ^ BIT(n, 1, b) ^ BIT(n, 2, c) ^ BIT(n, 3, d) ^ BIT(n, 4, e) ^ BIT(n, 5, f) ^               \
     BIT(n, 6, g) ^ BIT(n, 7, h))
#define FOUR(n, ...)                                                                                         \
    ENTRY(n, __VA_ARGS__), ENTRY((n) + 1, __VA_ARGS__), ENTRY((n) + 2, __VA_ARGS__),                         \
        ENTRY((n) + 3, __VA_ARGS__)
#define SIXTEEN(n, ...)                                                                                      \
    FOUR(n, __VA_ARGS__), FOUR((n) + 4, __VA_ARGS__), FOUR((n) + 8, __VA_ARGS__), FOUR((n) + 12, __VA_ARGS__)
#define SIXTY_FOUR(n, ...)                                                                                   \
    SIXTEEN(n, __VA_ARGS__), SIXTEEN((n) + 16, __VA_ARGS__), SIXTEEN((n) + 32, __VA_ARGS__),                 \
        SIXTEEN((n) + 48, __VA_ARGS__)
#define SLICE(...)                                                                                           \
    {                                                                                                        \
        SIXTY_FOUR(0u, __VA_ARGS__), SIXTY_FOUR(64u, __VA_ARGS__), SIXTY_FOUR(128u, __VA_ARGS__),            \
            SIXTY_FOUR(192u, __VA_ARGS__)                                                                    \
    }

static const uint32_t slices[8][256] = {
    SLICE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78),
    SLICE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9),
    SLICE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743),
    SLICE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f),
    SLICE(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c),
    SLICE(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6),
    SLICE(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4),
    SLICE(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664),
};

static uint64_t load_little_endian(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++) {
        value |= (uint64_t)bytes[i] << 8 * i;
    }
    return value;
}

uint32_t kb_crc32c_update_portable(uint32_t crc, const void *bytes, size_t length_bytes)
{
    const uint8_t *at = bytes;
    crc = ~crc;
    for (; length_bytes >= 8; length_bytes -= 8, at += 8) {
        uint64_t word = load_little_endian(at) ^ crc;
        crc = 0;
        for (unsigned i = 0; i < 8; i++) {
            crc ^= slices[7 - i][word >> 8 * i & 0xffu];
        }
    }
    for (; length_bytes > 0; length_bytes--, at++) {
        crc = crc >> 8 ^ slices[0][(crc ^ *at) & 0xffu];
    }
    return ~crc;
}

#if HAS_X86_CRC

/*
 * The instruction takes three cycles and a new one can begin in each: three streams side by side keep it
 * busy. A stream's checksum is carried over the bytes behind it by multiplying it with a power of x: the
 * product of the carry-less multiplication, as a word fed to the instruction, counts 33 powers too high.
 */
static const size_t LONG_STREAM_BYTES = 1024;
static const size_t SHORT_STREAM_BYTES = 128;

struct carry {
    /* x^(8 n - 33) and x^(16 n - 33) modulo the polynomial, for streams of n bytes. */
    uint32_t over_one;
    uint32_t over_two;
};

static const struct carry over_long = {.over_one = 0x170076fa, .over_two = 0xa51b6135};
static const struct carry over_short = {.over_one = 0x0d3b6092, .over_two = 0xb9e02b86};

static inline uint64_t load_word(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

__attribute__((target("sse4.2,pclmul"))) static inline uint64_t multiply(uint32_t crc, uint32_t power)
{
    __m128i product =
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc), _mm_cvtsi64_si128((long long)power), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

__attribute__((target("sse4.2,pclmul"))) static inline uint32_t three_streams(uint32_t crc, const uint8_t *at,
                                                                              size_t stream_bytes,
                                                                              const struct carry *carry)
{
    uint64_t first = crc;
    uint64_t second = 0;
    uint64_t third = 0;
    for (size_t i = 0; i < stream_bytes; i += 8) {
        first = _mm_crc32_u64(first, load_word(at + i));
        second = _mm_crc32_u64(second, load_word(at + stream_bytes + i));
        third = _mm_crc32_u64(third, load_word(at + 2 * stream_bytes + i));
    }
    uint64_t carried =
        multiply((uint32_t)first, carry->over_two) ^ multiply((uint32_t)second, carry->over_one);
    return (uint32_t)(_mm_crc32_u64(0, carried) ^ third);
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t update_x86(uint32_t crc, const uint8_t *at,
                                                                    size_t length_bytes)
{
    crc = ~crc;
    for (; length_bytes >= 3 * LONG_STREAM_BYTES; length_bytes -= 3 * LONG_STREAM_BYTES) {
        crc = three_streams(crc, at, LONG_STREAM_BYTES, &over_long);
        at += 3 * LONG_STREAM_BYTES;
    }
    for (; length_bytes >= 3 * SHORT_STREAM_BYTES; length_bytes -= 3 * SHORT_STREAM_BYTES) {
        crc = three_streams(crc, at, SHORT_STREAM_BYTES, &over_short);
        at += 3 * SHORT_STREAM_BYTES;
    }
    for (; length_bytes >= 8; length_bytes -= 8, at += 8) {
        crc = (uint32_t)_mm_crc32_u64(crc, load_word(at));
    }
    for (; length_bytes > 0; length_bytes--, at++) {
        crc = _mm_crc32_u8(crc, *at);
    }
    return ~crc;
}

/* Reads what the C runtime found out at start: no state of our own, so nothing to race for. */
bool kb_crc32c_is_hardware(void)
{
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

uint32_t kb_crc32c_update(uint32_t crc, const void *bytes, size_t length_bytes)
{
    return kb_crc32c_is_hardware() ? update_x86(crc, bytes, length_bytes)
                                   : kb_crc32c_update_portable(crc, bytes, length_bytes);
}

#else

bool kb_crc32c_is_hardware(void)
{
    return false;
}

uint32_t kb_crc32c_update(uint32_t crc, const void *bytes, size_t length_bytes)
{
    return kb_crc32c_update_portable(crc, bytes, length_bytes);
}

#endif

uint32_t kb_crc32c(const void *bytes, size_t length_bytes)
{
    return kb_crc32c_update(0, bytes, length_bytes);
}
