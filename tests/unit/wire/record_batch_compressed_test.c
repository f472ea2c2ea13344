#include "base/allocator.h"
#include "unit.h"
#include "wire/compression.h"
#include "wire/record_batch_builder.h"
#include "wire/record_batch_reader.h"

#include <stdlib.h>
#include <string.h>

/* The sizes, counts and ratios below are those of the Java client 3.0.0 (MemoryRecordsBuilder); a ratio is
 * given by its bits. */

enum { MEMORY_BYTES = 1 << 24, LIMIT_BYTES = 1 << 25 };

static uint8_t memory[MEMORY_BYTES];
static uint8_t packed[MEMORY_BYTES];
static const uint8_t zeros[1000000];

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static struct kw_record_batch_builder begin(uint32_t capacity_bytes, enum kw_compression compression,
                                            uint32_t ratio_bits)
{
    struct kw_record_batch_options options = kw_record_batch_options_default();
    struct kw_record_batch_builder builder;
    kw_record_batch_builder_init(&builder, packed, capacity_bytes, &options);
    kw_record_batch_builder_set_compression(&builder, compression, from_bits(ratio_bits));
    kw_record_batch_builder_move(&builder, memory, MEMORY_BYTES);
    return builder;
}

static uint32_t append(struct kw_record_batch_builder *builder, int64_t timestamp_ms, int32_t value_bytes)
{
    struct kw_record_fields fields = {.value = {zeros, value_bytes}};
    return kw_record_batch_builder_try_append(builder, timestamp_ms, &fields);
}

static void pack(struct kw_record_batch_builder *builder)
{
    kw_record_batch_builder_close_for_appends(builder);
    CU_ASSERT_FATAL(kw_record_batch_builder_compressed_bound_bytes(builder) <= MEMORY_BYTES);
    CU_ASSERT_TRUE_FATAL(kw_record_batch_builder_compress(builder, packed, MEMORY_BYTES));
}

/* 61 + (int)(uncompressed * ratio * 1.05f), each product rounded to a float. By hand, for a ratio of 0.5 and
 * 1009 bytes: 504.5 * 1.0499999523 = 529.72497..., to 529. */
static void sizes_are_estimated(void)
{
    static const int32_t value_bytes[] = {0, 93, 1000, 1993, 16000, 123456, 1000000};
    static const struct {
        uint32_t ratio_bits;
        uint32_t sizes_bytes[7];
    } rows[] = {
        {0x3f800000, {61, 168, 1120, 2163, 16872, 129701, 1050072}}, /* 1 */
        {0x3f000000, {61, 114, 590, 1112, 8466, 64881, 525066}},     /* 0.5 */
        {0x3f7eb852, {61, 167, 1115, 2152, 16788, 129053, 1044822}}, /* 0.995 */
        {0x3ea8f5c3, {61, 96, 410, 754, 5608, 42842, 346564}},       /* 0.33 */
        {0x3cf5c28f, {61, 64, 92, 124, 565, 3950, 31561}},           /* 0.03 */
        {0x3f99999a, {61, 189, 1332, 2583, 20234, 155629, 1260074}}, /* 1.2 */
        {0x3f333333, {61, 135, 802, 1532, 11829, 90809, 735069}},    /* 0.7 */
        {0x3a83126f, {61, 61, 62, 63, 77, 190, 1111}},               /* 0.001 */
    };
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        for (size_t i = 0; i < 7; i++) {
            struct kw_record_batch_builder builder = begin(16384, KW_COMPRESSION_GZIP, rows[row].ratio_bits);
            if (value_bytes[i] > 0) {
                CU_ASSERT_TRUE(append(&builder, 0, value_bytes[i]) > 0);
            }
            CU_ASSERT_EQUAL(kw_record_batch_builder_estimated_size_bytes(&builder), rows[row].sizes_bytes[i]);
            CU_ASSERT_EQUAL(kw_record_batch_builder_is_full(&builder),
                            value_bytes[i] > 0 && rows[row].sizes_bytes[i] >= 16384);
        }
    }
}

/* Records of 100 bytes until there is no room for another; what is estimated then, and before compression. */
static void room_is_what_is_estimated(void)
{
    static const struct {
        uint32_t ratio_bits;
        uint32_t capacity_bytes;
        int32_t record_count;
        uint32_t estimated_bytes;
        uint32_t uncompressed_bytes;
    } rows[] = {
        {0x3f800000, 300, 2, 289, 279},
        {0x3f800000, 16384, 141, 16279, 15507},
        {0x3f000000, 300, 3, 232, 388},
        {0x3f000000, 16384, 282, 16312, 31017},
        {0x3f7eb852, 300, 2, 288, 279},
        {0x3f7eb852, 16384, 142, 16313, 15617},
        {0x3ea8f5c3, 300, 4, 212, 497},
        {0x3ea8f5c3, 16384, 426, 16275, 46857},
        {0x3cf5c28f, 300, 39, 194, 4312},
        {0x3cf5c28f, 16384, 4680, 16275, 514797},
        {0x3f99999a, 300, 1, 198, 170},
        {0x3f99999a, 16384, 118, 16335, 12977},
        {0x3a83126f, 300, 1127, 191, 123967},
        {0x3f333333, 16384, 202, 16345, 22217},
        {0x3a83126f, 16384, 139183, 16274, 15441118},
    };
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct kw_record_batch_builder builder =
            begin(rows[row].capacity_bytes, KW_COMPRESSION_GZIP, rows[row].ratio_bits);
        struct kw_record_fields fields = {.value = {zeros, 100}};
        int64_t timestamp_ms = INT64_C(1600000000000);
        while (append(&builder, timestamp_ms, 100) > 0) {
            timestamp_ms = INT64_C(1600000000000) + kw_record_batch_builder_record_count(&builder) % 7;
        }
        CU_ASSERT_FALSE(kw_record_batch_builder_has_room_for(&builder, timestamp_ms, &fields));
        CU_ASSERT_EQUAL(kw_record_batch_builder_record_count(&builder), rows[row].record_count);
        CU_ASSERT_EQUAL(kw_record_batch_builder_estimated_size_bytes(&builder), rows[row].estimated_bytes);
        CU_ASSERT_EQUAL(builder.written_bytes, rows[row].uncompressed_bytes);
        CU_ASSERT_FALSE(kw_record_batch_builder_is_full(&builder));
    }
}

/* Closed for appends a batch is as large as was estimated; closed, as large as it is. */
static void closing_makes_the_size_known(void)
{
    struct kw_record_batch_builder builder = begin(16384, KW_COMPRESSION_GZIP, 0x3f000000);
    CU_ASSERT_TRUE(append(&builder, 5, 1000) > 0);
    pack(&builder);
    CU_ASSERT_TRUE(kw_record_batch_builder_is_full(&builder));
    CU_ASSERT_EQUAL(kw_record_batch_builder_estimated_size_bytes(&builder), 590);
    kw_record_batch_builder_close(&builder);
    uint32_t size_bytes = kw_record_batch_builder_estimated_size_bytes(&builder);
    CU_ASSERT_TRUE(size_bytes > 61 && size_bytes < 150);
    float ratio = kw_record_batch_builder_compression_ratio(&builder);
    CU_ASSERT_TRUE(ratio == (float)(size_bytes - 61) / 1009.0F);
    /* Open again, the size is an estimate again, and the records are not compressed twice. */
    kw_record_batch_builder_reopen_and_rewrite_producer_state(&builder, 7, 1, 3, false);
    CU_ASSERT_EQUAL(kw_record_batch_builder_estimated_size_bytes(&builder), 590);
    kw_record_batch_builder_close(&builder);
    CU_ASSERT_EQUAL(kw_record_batch_builder_estimated_size_bytes(&builder), size_bytes);
    CU_ASSERT_EQUAL(kw_record_batch_producer_id(packed), 7);
    CU_ASSERT_EQUAL(kw_record_batch_validate(packed, size_bytes), KW_ERROR_NONE);
    CU_ASSERT_TRUE(kw_record_batch_builder_compression_ratio(&builder) == ratio);
}

static void an_empty_batch_has_no_bytes(void)
{
    struct kw_record_batch_builder builder = begin(300, KW_COMPRESSION_ZSTD, 0x3f800000);
    kw_record_batch_builder_close(&builder);
    CU_ASSERT_EQUAL(kw_record_batch_builder_estimated_size_bytes(&builder), 0);
    CU_ASSERT_TRUE(kw_record_batch_builder_compression_ratio(&builder) == 1.0F);
}

/* A batch that could not be compressed leaves as it is. */
static void compression_can_be_given_up(void)
{
    struct kw_record_batch_builder builder = begin(300, KW_COMPRESSION_LZ4, 0x3f000000);
    uint32_t record_bytes = append(&builder, 5, 100);
    kw_record_batch_builder_close_for_appends(&builder);
    kw_record_batch_builder_give_up_compression(&builder);
    kw_record_batch_builder_close(&builder);
    CU_ASSERT_EQUAL(kw_record_batch_builder_estimated_size_bytes(&builder), 61 + record_bytes);
    CU_ASSERT_EQUAL(kw_record_batch_compression_id(memory), KW_COMPRESSION_NONE);
    CU_ASSERT_EQUAL(kw_record_batch_validate(memory, 61 + record_bytes), KW_ERROR_NONE);
    CU_ASSERT_TRUE(kw_record_batch_builder_compression_ratio(&builder) == 1.0F);
}

static void check_batch(int compression, const uint8_t *batch, uint32_t size_bytes, int32_t record_count)
{
    struct kw_compression_buffer decompressed;
    struct kw_record_reader reader;
    struct kw_record record;
    kw_compression_buffer_init(&decompressed, kb_allocator_default());
    CU_ASSERT_EQUAL(kw_record_batch_validate(batch, size_bytes), KW_ERROR_NONE);
    CU_ASSERT_EQUAL(kw_record_batch_compression_id(batch), compression);
    CU_ASSERT_EQUAL_FATAL(kw_record_reader_open(&reader, batch, size_bytes, LIMIT_BYTES, &decompressed),
                          KW_ERROR_NONE);
    int32_t count = 0;
    for (; kw_record_reader_next(&reader, &record); count++) {
        CU_ASSERT_EQUAL(record.offset, count);
        CU_ASSERT_EQUAL(record.timestamp_ms, 1000 + count);
        CU_ASSERT_EQUAL(kw_bytes_encoded_length(record.value), count % 300);
    }
    CU_ASSERT_EQUAL(reader.error, KW_ERROR_NONE);
    CU_ASSERT_EQUAL(count, record_count);
    /* What is more than was allowed is not taken. */
    CU_ASSERT_EQUAL(kw_record_reader_open(&reader, batch, size_bytes, 1000, &decompressed),
                    compression == KW_COMPRESSION_NONE ? KW_ERROR_NONE : KW_ERROR_MESSAGE_TOO_LARGE);
    kw_compression_buffer_release(&decompressed);
}

static void what_is_compressed_can_be_read(void)
{
    for (int compression = KW_COMPRESSION_NONE; compression <= KW_COMPRESSION_ZSTD; compression++) {
        struct kw_record_batch_builder builder = begin(1 << 20, (enum kw_compression)compression, 0x3f800000);
        for (int32_t i = 0; i < 1000; i++) {
            CU_ASSERT_TRUE(append(&builder, 1000 + i, i % 300) > 0);
        }
        uint32_t collected_bytes = builder.written_bytes;
        const uint8_t *batch = memory;
        if (compression != KW_COMPRESSION_NONE) {
            pack(&builder);
            CU_ASSERT_TRUE(builder.written_bytes < collected_bytes / 4);
            batch = packed;
        }
        kw_record_batch_builder_close(&builder);
        check_batch(compression, batch, builder.written_bytes, 1000);
    }
}

int main(void)
{
    return unit_main("record batch, compressed",
                     (struct unit_test[]){
                         {"sizes are estimated", sizes_are_estimated},
                         {"room is what is estimated", room_is_what_is_estimated},
                         {"closing makes the size known", closing_makes_the_size_known},
                         {"an empty batch", an_empty_batch_has_no_bytes},
                         {"compression given up", compression_can_be_given_up},
                         {"what is compressed can be read", what_is_compressed_can_be_read},
                         {0},
                     });
}
