#include "wire/compression.h"

#include "base/allocator.h"
#include "base/prng.h"
#include "failing_allocator.h"
#include "unit.h"
#include "wire/cursor.h"

#include <stdlib.h>
#include <string.h>

enum { DATA_BYTES = 200000, LIMIT_BYTES = 1 << 20 };

static uint8_t data[DATA_BYTES];

/* Bytes that compress, with some that do not. */
static void fill_data(void)
{
    struct kb_prng prng;
    kb_prng_init(&prng, 21, 0);
    for (size_t i = 0; i < DATA_BYTES; i++) {
        data[i] = i / 1000 % 3 == 0 ? (uint8_t)kb_prng_next(&prng) : (uint8_t)(i / 7);
    }
}

/* In memory of exactly that size, for the sanitizer to see what is read beyond it. The caller frees it. */
static uint8_t *compressed(int compression, size_t length_bytes, size_t *compressed_bytes)
{
    size_t bound_bytes = kw_compress_bound_bytes((enum kw_compression)compression, length_bytes);
    uint8_t *out = malloc(bound_bytes + 1);
    CU_ASSERT_EQUAL_FATAL(
        kw_compress((enum kw_compression)compression, data, length_bytes, out, bound_bytes, compressed_bytes),
        KW_ERROR_NONE);
    CU_ASSERT_TRUE(*compressed_bytes <= bound_bytes);
    uint8_t *exact = malloc(*compressed_bytes > 0 ? *compressed_bytes : 1);
    memcpy(exact, out, *compressed_bytes);
    free(out);
    return exact;
}

static void comes_back(void)
{
    static const size_t lengths[] = {0, 1, 100, 4096, 32767, 32768, 32769, 65536, 131072, DATA_BYTES};
    struct kw_compression_buffer buffer;
    fill_data();
    kw_compression_buffer_init(&buffer, kb_allocator_default());
    for (int compression = KW_COMPRESSION_NONE; compression <= KW_COMPRESSION_ZSTD; compression++) {
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            size_t compressed_bytes = 0;
            uint8_t *bytes = compressed(compression, lengths[i], &compressed_bytes);
            CU_ASSERT_EQUAL(kw_decompress(compression, bytes, compressed_bytes, LIMIT_BYTES, &buffer),
                            KW_ERROR_NONE);
            CU_ASSERT_EQUAL(buffer.length_bytes, lengths[i]);
            CU_ASSERT_TRUE(lengths[i] == 0 || memcmp(buffer.bytes, data, lengths[i]) == 0);
            CU_ASSERT_TRUE(compression == KW_COMPRESSION_NONE || lengths[i] < 32767 ||
                           compressed_bytes < lengths[i]);
            free(bytes);
        }
    }
    kw_compression_buffer_release(&buffer);
}

/* Exactly the limit is allowed, one byte more is not. */
static void stops_at_its_limit(void)
{
    struct failing_allocator memory;
    struct kw_compression_buffer buffer;
    fill_data();
    failing_allocator_init(&memory);
    kw_compression_buffer_init(&buffer, &memory.allocator);
    for (int compression = KW_COMPRESSION_NONE; compression <= KW_COMPRESSION_ZSTD; compression++) {
        size_t compressed_bytes = 0;
        uint8_t *bytes = compressed(compression, DATA_BYTES, &compressed_bytes);
        CU_ASSERT_EQUAL(kw_decompress(compression, bytes, compressed_bytes, DATA_BYTES, &buffer),
                        KW_ERROR_NONE);
        CU_ASSERT_EQUAL(kw_decompress(compression, bytes, compressed_bytes, DATA_BYTES - 1, &buffer),
                        KW_ERROR_MESSAGE_TOO_LARGE);
        kw_compression_buffer_release(&buffer);
        CU_ASSERT_EQUAL(kw_decompress(compression, bytes, compressed_bytes, 50000, &buffer),
                        KW_ERROR_MESSAGE_TOO_LARGE);
        CU_ASSERT_TRUE(memory.held_bytes <= 50001);
        kw_compression_buffer_release(&buffer);
        free(bytes);
    }
    CU_ASSERT_EQUAL(memory.held_bytes, 0);
    CU_ASSERT_EQUAL(memory.wrong_size_count, 0);
}

static void refuses_what_is_cut_off(void)
{
    struct kw_compression_buffer buffer;
    fill_data();
    kw_compression_buffer_init(&buffer, kb_allocator_default());
    for (int compression = KW_COMPRESSION_GZIP; compression <= KW_COMPRESSION_ZSTD; compression++) {
        size_t compressed_bytes = 0;
        uint8_t *bytes = compressed(compression, 3000, &compressed_bytes);
        for (size_t length_bytes = 0; length_bytes < compressed_bytes; length_bytes++) {
            uint8_t *part = malloc(length_bytes + 1);
            memcpy(part, bytes, length_bytes);
            enum kw_error error = kw_decompress(compression, part, length_bytes, LIMIT_BYTES, &buffer);
            /* Snappy's frame has no end of its own: behind its header is a good place to end. */
            bool may_end = compression == KW_COMPRESSION_SNAPPY && length_bytes == 16;
            CU_ASSERT_EQUAL(error, may_end ? KW_ERROR_NONE : KW_ERROR_CORRUPT_MESSAGE);
            free(part);
        }
        free(bytes);
    }
    kw_compression_buffer_release(&buffer);
}

/* Whatever comes out, nothing is read or written out of bounds, and memory stays within the limit. */
static void survives_changed_bytes(void)
{
    struct failing_allocator memory;
    struct kw_compression_buffer buffer;
    struct kb_prng prng;
    fill_data();
    failing_allocator_init(&memory);
    kb_prng_init(&prng, 22, 0);
    kw_compression_buffer_init(&buffer, &memory.allocator);
    for (int compression = KW_COMPRESSION_GZIP; compression <= KW_COMPRESSION_ZSTD; compression++) {
        size_t compressed_bytes = 0;
        uint8_t *bytes = compressed(compression, 5000, &compressed_bytes);
        for (int round = 0; round < 2000; round++) {
            size_t at = kb_prng_below(&prng, round % 2 == 0 ? compressed_bytes : 24);
            uint8_t before = bytes[at];
            bytes[at] = (uint8_t)kb_prng_next(&prng);
            enum kw_error error = kw_decompress(compression, bytes, compressed_bytes, LIMIT_BYTES, &buffer);
            CU_ASSERT_TRUE(error == KW_ERROR_NONE || error == KW_ERROR_CORRUPT_MESSAGE ||
                           error == KW_ERROR_MESSAGE_TOO_LARGE);
            CU_ASSERT_TRUE(memory.held_bytes <= LIMIT_BYTES + 1);
            bytes[at] = before;
        }
        free(bytes);
    }
    kw_compression_buffer_release(&buffer);
    CU_ASSERT_EQUAL(memory.held_bytes, 0);
}

static void reads_what_others_write(void)
{
    struct kw_compression_buffer buffer;
    size_t first_bytes = 0;
    fill_data();
    kw_compression_buffer_init(&buffer, kb_allocator_default());
    /* gzip and zstd: two members or frames in a row are one text. */
    static const int concatenable[] = {KW_COMPRESSION_GZIP, KW_COMPRESSION_ZSTD};
    for (size_t i = 0; i < 2; i++) {
        uint8_t *bytes = compressed(concatenable[i], 1000, &first_bytes);
        uint8_t *twice = malloc(2 * first_bytes);
        memcpy(twice, bytes, first_bytes);
        memcpy(twice + first_bytes, bytes, first_bytes);
        CU_ASSERT_EQUAL(kw_decompress(concatenable[i], twice, 2 * first_bytes, LIMIT_BYTES, &buffer),
                        KW_ERROR_NONE);
        CU_ASSERT_EQUAL(buffer.length_bytes, 2000);
        CU_ASSERT_EQUAL(memcmp(buffer.bytes + 1000, data, 1000), 0);
        free(twice);
        free(bytes);
    }
    /* Snappy without the Java library's header (librdkafka, for one): a single block. */
    uint8_t *bytes = compressed(KW_COMPRESSION_SNAPPY, 1000, &first_bytes);
    CU_ASSERT_EQUAL(kw_decompress(KW_COMPRESSION_SNAPPY, bytes + 20, first_bytes - 20, LIMIT_BYTES, &buffer),
                    KW_ERROR_NONE);
    CU_ASSERT_EQUAL(buffer.length_bytes, 1000);
    CU_ASSERT_EQUAL(memcmp(buffer.bytes, data, 1000), 0);
    /* A negative block length. */
    kw_store_i32(bytes + 16, -1);
    CU_ASSERT_EQUAL(kw_decompress(KW_COMPRESSION_SNAPPY, bytes, first_bytes, LIMIT_BYTES, &buffer),
                    KW_ERROR_CORRUPT_MESSAGE);
    free(bytes);
    kw_compression_buffer_release(&buffer);
}

/* Three bytes that claim to become a megabyte. */
static void spends_no_memory_on_a_claim(void)
{
    struct failing_allocator memory;
    struct kw_compression_buffer buffer;
    failing_allocator_init(&memory);
    kw_compression_buffer_init(&buffer, &memory.allocator);
    CU_ASSERT_EQUAL(kw_decompress(KW_COMPRESSION_SNAPPY, "\x80\x80\x40", 3, LIMIT_BYTES, &buffer),
                    KW_ERROR_CORRUPT_MESSAGE);
    CU_ASSERT_TRUE(memory.held_bytes < 10000);
    kw_compression_buffer_release(&buffer);
}

/* What is far larger than the first guess: the buffer grows, and again is large enough the second time. */
static void grows_with_the_result(void)
{
    struct failing_allocator memory;
    struct kw_compression_buffer buffer;
    failing_allocator_init(&memory);
    for (size_t i = 0; i < DATA_BYTES; i++) {
        data[i] = (uint8_t)(i / 1000);
    }
    for (int compression = KW_COMPRESSION_GZIP; compression <= KW_COMPRESSION_ZSTD; compression++) {
        size_t compressed_bytes = 0;
        uint8_t *bytes = compressed(compression, DATA_BYTES, &compressed_bytes);
        CU_ASSERT_TRUE(compressed_bytes < DATA_BYTES / 10);
        kw_compression_buffer_init(&buffer, &memory.allocator);
        uint64_t granted_count = 0;
        for (int round = 0; round < 2; round++) {
            CU_ASSERT_EQUAL(kw_decompress(compression, bytes, compressed_bytes, LIMIT_BYTES, &buffer),
                            KW_ERROR_NONE);
            CU_ASSERT_EQUAL_FATAL(buffer.length_bytes, DATA_BYTES);
            CU_ASSERT_EQUAL(memcmp(buffer.bytes, data, DATA_BYTES), 0);
            CU_ASSERT_TRUE(round == 0 || memory.granted_count == granted_count);
            granted_count = memory.granted_count;
        }
        kw_compression_buffer_release(&buffer);
        free(bytes);
    }
    CU_ASSERT_EQUAL(memory.held_bytes, 0);
}

static void refuses_unknown_compressions(void)
{
    struct kw_compression_buffer buffer;
    kw_compression_buffer_init(&buffer, kb_allocator_default());
    for (int compression = 5; compression <= 7; compression++) {
        CU_ASSERT_EQUAL(kw_decompress(compression, "abc", 3, LIMIT_BYTES, &buffer),
                        KW_ERROR_UNSUPPORTED_COMPRESSION_TYPE);
    }
    kw_compression_buffer_release(&buffer);
    CU_ASSERT_STRING_EQUAL(kw_compression_library_version(KW_COMPRESSION_NONE), "");
    for (int compression = KW_COMPRESSION_GZIP; compression <= KW_COMPRESSION_ZSTD; compression++) {
        CU_ASSERT_PTR_NOT_NULL(strchr(kw_compression_library_version((enum kw_compression)compression), '.'));
    }
}

static void survives_refused_memory(void)
{
    struct failing_allocator memory;
    struct kw_compression_buffer buffer;
    fill_data();
    failing_allocator_init(&memory);
    for (int compression = KW_COMPRESSION_NONE; compression <= KW_COMPRESSION_ZSTD; compression++) {
        size_t compressed_bytes = 0;
        uint8_t *bytes = compressed(compression, DATA_BYTES, &compressed_bytes);
        kw_compression_buffer_init(&buffer, &memory.allocator);
        memory.allowed_count = 0;
        CU_ASSERT_EQUAL(kw_decompress(compression, bytes, compressed_bytes, LIMIT_BYTES, &buffer),
                        KW_ERROR_OUT_OF_MEMORY);
        memory.allowed_count = UINT64_MAX;
        kw_compression_buffer_release(&buffer);
        free(bytes);
    }
    CU_ASSERT_EQUAL(memory.held_bytes, 0);
}

int main(void)
{
    return unit_main("compression",
                     (struct unit_test[]){{"comes_back", comes_back},
                                          {"stops_at_its_limit", stops_at_its_limit},
                                          {"refuses_what_is_cut_off", refuses_what_is_cut_off},
                                          {"survives_changed_bytes", survives_changed_bytes},
                                          {"spends_no_memory_on_a_claim", spends_no_memory_on_a_claim},
                                          {"grows_with_the_result", grows_with_the_result},
                                          {"reads_what_others_write", reads_what_others_write},
                                          {"refuses_unknown_compressions", refuses_unknown_compressions},
                                          {"survives_refused_memory", survives_refused_memory},
                                          {0}});
}
