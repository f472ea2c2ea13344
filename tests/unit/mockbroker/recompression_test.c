/* compression.type of a topic: the leader writes a batch anew that comes otherwise. */

#include "batches.h"
#include "unit.h"

#include "base/allocator.h"

#include <string.h>

static const char *const names[] = {"uncompressed", "gzip", "snappy", "lz4", "zstd"};

static const struct harness_batch sample = {.records = 5,
                                            .value_bytes = 300,
                                            .has_key = true,
                                            .timestamp_ms = 1600000000100,
                                            .timestamp_step_ms = 7,
                                            .has_producer = true,
                                            .producer_id = 9,
                                            .producer_epoch = 2,
                                            .base_sequence = 40,
                                            .fill = 'r'};

/* Five records as they were sent, at these offsets. */
static void check_records(struct kw_bytes batch, int64_t base_offset)
{
    struct kw_compression_buffer buffer;
    struct kw_record_reader reader;
    struct kw_record record;
    int count = 0;
    kw_compression_buffer_init(&buffer, kb_allocator_default());
    CU_ASSERT_EQUAL_FATAL(
        kw_record_reader_open(&reader, batch.bytes, (size_t)batch.length_bytes, 1 << 20, &buffer),
        KW_ERROR_NONE);
    while (kw_record_reader_next(&reader, &record)) {
        CU_ASSERT_EQUAL(record.offset, base_offset + count);
        CU_ASSERT_EQUAL(record.timestamp_ms, 1600000000100 + 7 * count);
        CU_ASSERT_EQUAL(record.sequence, 40 + count);
        CU_ASSERT_EQUAL(record.key.length_bytes, 3);
        CU_ASSERT_EQUAL(record.value.length_bytes, 300);
        CU_ASSERT_EQUAL(record.value.bytes[299], 'r');
        count++;
    }
    CU_ASSERT_EQUAL(reader.error, KW_ERROR_NONE);
    CU_ASSERT_EQUAL(count, 5);
    kw_compression_buffer_release(&buffer);
}

/* Whatever comes, and whatever the topic wants. */
static void every_pair(void)
{
    for (int target = KW_COMPRESSION_NONE; target <= KW_COMPRESSION_ZSTD; target++) {
        for (int source = KW_COMPRESSION_NONE; source <= KW_COMPRESSION_ZSTD; source++) {
            struct mb_setting topic[] = {{"compression.type", names[target]}, {NULL, NULL}};
            struct harness h;
            struct harness_batch batch = sample;
            struct harness_batch first = {.records = 2, .value_bytes = 9};
            batch.compression = (enum kw_compression)source;
            harness_open_simple(&h, 2, 2, NULL, topic);
            uint32_t c = harness_connect(&h, 1);
            CU_ASSERT_EQUAL(batch_error(&h, c, harness_batch(&h, &first)), KW_ERROR_NONE);
            struct kw_bytes sent = harness_batch(&h, &batch);
            struct kw_produce_response_partition answer = harness_produce(&h, c, 0, -1, 1000, sent);
            CU_ASSERT_EQUAL(answer.error_code, KW_ERROR_NONE);
            CU_ASSERT_EQUAL(answer.base_offset, 2);
            CU_ASSERT_EQUAL(answer.log_append_time_ms, -1);
            struct kw_bytes kept = batch_in_log(&h, 2, 2); /* as the follower has it */
            CU_ASSERT_EQUAL(kw_record_batch_compression_id(kept.bytes), target);
            CU_ASSERT_EQUAL(kw_record_batch_producer_id(kept.bytes), 9);
            CU_ASSERT_EQUAL(kw_record_batch_producer_epoch(kept.bytes), 2);
            CU_ASSERT_EQUAL(kw_record_batch_base_sequence(kept.bytes), 40);
            CU_ASSERT_EQUAL(kw_record_batch_max_timestamp_ms(kept.bytes), 1600000000128);
            CU_ASSERT_EQUAL(kw_record_batch_base_timestamp_ms(kept.bytes), 1600000000100);
            check_records(kept, 2);
            /* What fits already keeps its bytes. */
            CU_ASSERT_EQUAL(source == target,
                            kept.length_bytes == sent.length_bytes &&
                                memcmp(kept.bytes + KW_RECORD_BATCH_ATTRIBUTES,
                                       sent.bytes + KW_RECORD_BATCH_ATTRIBUTES,
                                       (size_t)sent.length_bytes - KW_RECORD_BATCH_ATTRIBUTES) == 0);
            /* It is a duplicate all the same. */
            CU_ASSERT_EQUAL(harness_produce(&h, c, 0, -1, 1000, sent).base_offset, 2);
            CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 7);
            harness_close(&h);
        }
    }
}

/* producer, the default, keeps every batch; the broker's setting is what a topic without its own has. */
static void producer_keeps(void)
{
    for (int source = KW_COMPRESSION_NONE; source <= KW_COMPRESSION_ZSTD; source++) {
        struct mb_setting broker[] = {{"compression.type", "gzip"}, {NULL, NULL}};
        struct mb_setting topic[] = {{"compression.type", "producer"}, {NULL, NULL}};
        struct harness h;
        struct harness_batch batch = sample;
        batch.compression = (enum kw_compression)source;
        for (int i = 0; i < 3; i++) {
            harness_open_simple(&h, 1, 1, i > 0 ? broker : NULL, i == 2 ? topic : NULL);
            uint32_t c = harness_connect(&h, 1);
            CU_ASSERT_EQUAL(batch_error(&h, c, harness_batch(&h, &batch)), KW_ERROR_NONE);
            int kept = kw_record_batch_compression_id(batch_in_log(&h, 1, 0).bytes);
            CU_ASSERT_EQUAL(kept, i == 1 ? KW_COMPRESSION_GZIP : source);
            harness_close(&h);
        }
    }
}

/* Headers, null keys and values, LogAppendTime: all of a record is kept. */
static void nothing_is_lost(void)
{
    struct mb_setting topic[] = {
        {"compression.type", "zstd"}, {"message.timestamp.type", "LogAppendTime"}, {NULL, NULL}};
    struct harness h;
    uint8_t memory[500];
    struct kw_record_batch_options options = kw_record_batch_options_default();
    struct kw_record_batch_builder builder;
    struct kw_record_header headers[] = {
        {.key = {(const uint8_t *)"trace", 5}, .value = {(const uint8_t *)"\1\2", 2}},
        {.key = {(const uint8_t *)"", 0}, .value = {NULL, -1}}};
    struct kw_record_fields fields[] = {
        {.value = {(const uint8_t *)"v", 1}, .headers = headers, .header_count = 2},
        {.key = {(const uint8_t *)"k", 1}}};
    harness_open_simple(&h, 1, 1, NULL, topic);
    uint32_t c = harness_connect(&h, 1);
    kw_record_batch_builder_init(&builder, memory, sizeof memory, &options);
    kw_record_batch_builder_append(&builder, 1600000000050, &fields[0]);
    kw_record_batch_builder_append(&builder, 1600000000060, &fields[1]);
    kw_record_batch_builder_close(&builder);
    struct kw_produce_response_partition answer =
        harness_produce(&h, c, 0, 1, 1000, (struct kw_bytes){memory, (int32_t)builder.written_bytes});
    CU_ASSERT_EQUAL(answer.error_code, KW_ERROR_NONE);
    CU_ASSERT_EQUAL(answer.log_append_time_ms, 1600000000000);
    struct kw_bytes kept = batch_in_log(&h, 1, 0);
    CU_ASSERT_EQUAL(kw_record_batch_compression_id(kept.bytes), KW_COMPRESSION_ZSTD);
    CU_ASSERT_EQUAL(kw_record_batch_timestamp_type(kept.bytes), KW_TIMESTAMP_LOG_APPEND_TIME);
    CU_ASSERT_EQUAL(kw_record_batch_max_timestamp_ms(kept.bytes), 1600000000000);
    struct kw_compression_buffer buffer;
    struct kw_record_reader reader;
    struct kw_record record;
    struct kw_record_header header;
    kw_compression_buffer_init(&buffer, kb_allocator_default());
    CU_ASSERT_EQUAL_FATAL(
        kw_record_reader_open(&reader, kept.bytes, (size_t)kept.length_bytes, 1 << 20, &buffer),
        KW_ERROR_NONE);
    CU_ASSERT_TRUE_FATAL(kw_record_reader_next(&reader, &record));
    CU_ASSERT_EQUAL(record.timestamp_ms, 1600000000000);
    CU_ASSERT_PTR_NULL(record.key.bytes);
    CU_ASSERT_EQUAL(record.value.length_bytes, 1);
    CU_ASSERT_EQUAL(record.header_count, 2);
    CU_ASSERT_TRUE(kw_record_header_next(&record.headers, &header));
    CU_ASSERT_EQUAL(memcmp(header.key.bytes, "trace", 5), 0);
    CU_ASSERT_EQUAL(header.value.bytes[1], 2);
    CU_ASSERT_TRUE(kw_record_header_next(&record.headers, &header));
    CU_ASSERT_PTR_NULL(header.value.bytes);
    CU_ASSERT_TRUE_FATAL(kw_record_reader_next(&reader, &record));
    CU_ASSERT_EQUAL(record.key.length_bytes, 1);
    CU_ASSERT_PTR_NULL(record.value.bytes);
    kw_compression_buffer_release(&buffer);
    harness_close(&h);
}

/* Written anew it may be too large: for the topic, which is asked again, or for a segment. */
static void sizes_are_checked_again(void)
{
    struct harness h;
    struct harness_batch batch = {.records = 1, .value_bytes = 2000, .compression = KW_COMPRESSION_GZIP};
    struct mb_setting small[] = {
        {"compression.type", "uncompressed"}, {"max.message.bytes", "1000"}, {NULL, NULL}};
    harness_open_simple(&h, 1, 1, NULL, small);
    uint32_t c = harness_connect(&h, 1);
    struct kw_produce_response_partition answer =
        harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &batch));
    CU_ASSERT_EQUAL(answer.error_code, KW_ERROR_MESSAGE_TOO_LARGE);
    CU_ASSERT_EQUAL(answer.log_start_offset, -1);
    harness_close(&h);
    struct mb_setting segment[] = {
        {"compression.type", "uncompressed"}, {"segment.bytes", "1000"}, {NULL, NULL}};
    harness_open_simple(&h, 1, 1, NULL, segment);
    c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(batch_error(&h, c, harness_batch(&h, &batch)), KW_ERROR_RECORD_LIST_TOO_LARGE);
    harness_close(&h);
    /* The other way round: too large as it comes, though small enough afterwards. */
    struct mb_setting packed[] = {{"compression.type", "gzip"}, {"segment.bytes", "1000"}, {NULL, NULL}};
    harness_open_simple(&h, 1, 1, NULL, packed);
    c = harness_connect(&h, 1);
    batch.compression = KW_COMPRESSION_NONE;
    CU_ASSERT_EQUAL(batch_error(&h, c, harness_batch(&h, &batch)), KW_ERROR_NONE);
    harness_close(&h);
}

/* What a batch may say as long as its bytes are kept, but not when they are written anew. */
static void what_cannot_be_written(void)
{
    struct harness_batch odd = {.records = 1, .value_bytes = 5, .timestamp_ms = -5};
    struct harness_batch idempotent = {
        .records = 1, .value_bytes = 5, .has_producer = true, .producer_id = 4};
    for (int i = 0; i < 2; i++) {
        struct mb_setting topic[] = {{"compression.type", i == 0 ? "producer" : "lz4"}, {NULL, NULL}};
        int16_t wanted = i == 0 ? KW_ERROR_NONE : KW_ERROR_UNKNOWN_SERVER_ERROR;
        struct harness h;
        harness_open_simple(&h, 1, 1, NULL, topic);
        uint32_t c = harness_connect(&h, 1);
        struct kw_bytes batch = harness_batch(&h, &idempotent);
        kw_store_i16((uint8_t *)batch.bytes + KW_RECORD_BATCH_PRODUCER_EPOCH, -1);
        batch_fix_crc(batch);
        CU_ASSERT_EQUAL(batch_error(&h, c, batch), wanted);
        odd.timestamp_ms = 1;
        batch = harness_batch(&h, &odd);
        kw_store_i64((uint8_t *)batch.bytes + KW_RECORD_BATCH_BASE_TIMESTAMP, -5);
        batch_fix_crc(batch);
        CU_ASSERT_EQUAL(batch_error(&h, c, batch), wanted);
        /* A transaction of nobody: its id says that it may be sent. */
        struct harness_batch plain = {.records = 1, .value_bytes = 5};
        batch = batch_with(&h, &plain, KW_RECORD_BATCH_ATTRIBUTES + 1, 0x10, true);
        CU_ASSERT_EQUAL(batch_error(&h, c, batch), wanted);
        harness_close(&h);
    }
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"every pair", every_pair},
        {"producer keeps", producer_keeps},
        {"nothing is lost", nothing_is_lost},
        {"sizes are checked again", sizes_are_checked_again},
        {"what cannot be written", what_cannot_be_written},
        {0},
    };
    return unit_main("mockbroker recompression", tests);
}
