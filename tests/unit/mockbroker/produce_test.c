/* Produce with acks 0 and 1: routing, validation in Kafka's order, answers. */

#include "harness.h"
#include "mockbroker/partition.h"
#include "unit.h"

#include "base/allocator.h"
#include "wire/record_batch.h"
#include "wire/record_batch_reader.h"

#include <string.h>

static const struct harness_batch one = {.records = 1, .value_bytes = 10};
static const struct harness_batch three = {.records = 3, .value_bytes = 10};

static void offsets_follow_each_other(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    struct kw_produce_response_partition answer =
        harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &three));
    CU_ASSERT_EQUAL(answer.error_code, 0);
    CU_ASSERT_EQUAL(answer.base_offset, 0);
    CU_ASSERT_EQUAL(answer.log_append_time_ms, -1);
    CU_ASSERT_EQUAL(answer.log_start_offset, 0);
    answer = harness_produce(&h, c, 0, -1, 1000, harness_batch(&h, &one));
    CU_ASSERT_EQUAL(answer.error_code, 0);
    CU_ASSERT_EQUAL(answer.base_offset, 3);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 4);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 4);
    const void *batch = NULL;
    size_t length_bytes = 0;
    CU_ASSERT_TRUE_FATAL(mb_log_read(h.cluster, 1, "t", 0, 3, &batch, &length_bytes));
    CU_ASSERT_EQUAL(kw_record_batch_base_offset(batch), 3);
    CU_ASSERT_EQUAL(kw_record_batch_partition_leader_epoch(batch), 0);
    CU_ASSERT_EQUAL(kw_record_batch_validate(batch, length_bytes), KW_ERROR_NONE);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_LEADER_APPENDED], 2);
    harness_close(&h);
}

static void every_version_is_answered(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    for (int16_t version = 0; version <= 9; version++) {
        harness_produce_send(&h, c, version, 0, 1, 1000, harness_batch(&h, &one));
        struct kw_produce_response_partition answer = harness_produce_answer(&h, c, version, 1000000);
        CU_ASSERT_EQUAL(answer.error_code, 0);
        CU_ASSERT_EQUAL(answer.base_offset, version);
    }
    harness_close(&h);
}

static void one_request_at_a_time_in_order(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_TRUE(mb_slow_disk(h.cluster, 1, 10000));
    for (int i = 0; i < 3; i++) {
        harness_produce_send(&h, c, 9, 0, 1, 1000, harness_batch(&h, &one));
    }
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(harness_produce_answer(&h, c, 9, 100000).base_offset, i);
        CU_ASSERT_EQUAL(h.now_us, 1000 + 10000 * (i + 1));
    }
    harness_close(&h);
}

static int16_t error_of(struct harness *h, uint32_t c, int32_t partition, int16_t acks,
                        struct kw_bytes records)
{
    return harness_produce(h, c, partition, acks, 1000, records).error_code;
}

static void errors_of_routing(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    uint32_t other = harness_connect(&h, 2);
    struct kw_bytes batch = harness_batch(&h, &one);
    CU_ASSERT_EQUAL(error_of(&h, c, 7, 1, batch), KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
    CU_ASSERT_EQUAL(error_of(&h, other, 0, 1, batch), KW_ERROR_NOT_LEADER_OR_FOLLOWER);
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 2, batch), KW_ERROR_INVALID_REQUIRED_ACKS);
    CU_ASSERT_EQUAL(error_of(&h, c, 0, -2, batch), KW_ERROR_INVALID_REQUIRED_ACKS);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 0);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_APPEND_REFUSED], 4);
    harness_close(&h);
}

static void acks_zero_is_silent(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    harness_produce_send(&h, c, 9, 0, 0, 1000, harness_batch(&h, &one));
    harness_produce_send(&h, c, 9, 0, 0, 1000, harness_batch(&h, &one));
    CU_ASSERT_EQUAL(harness_produce_answer(&h, c, 9, 1000000).error_code, HARNESS_NO_ANSWER);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 2);
    CU_ASSERT_TRUE(harness_is_open(&h, c));
    /* An error closes the connection, and what was behind it in the socket is gone. */
    harness_produce_send(&h, c, 9, 9, 0, 1000, harness_batch(&h, &one));
    harness_produce_send(&h, c, 9, 0, 0, 1000, harness_batch(&h, &one));
    harness_run(&h, 1000000);
    CU_ASSERT_FALSE(harness_is_open(&h, c));
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 2);
    harness_close(&h);
}

static struct kw_bytes changed(struct harness *h, int place, uint8_t bits)
{
    struct kw_bytes batch = harness_batch(h, &one);
    ((uint8_t *)batch.bytes)[place] ^= bits;
    return batch;
}

static void fix_crc(struct kw_bytes batch)
{
    kw_store_i32((uint8_t *)batch.bytes + KW_RECORD_BATCH_CRC,
                 (int32_t)kw_record_batch_compute_crc(batch.bytes, (size_t)batch.length_bytes));
}

static void errors_of_validation(void)
{
    struct mb_setting topic[] = {{"max.message.bytes", "300"}, {"segment.bytes", "200"}, {NULL, NULL}};
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, topic);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, (struct kw_bytes){NULL, 0}), KW_ERROR_UNKNOWN_SERVER_ERROR);
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, (struct kw_bytes){(const uint8_t *)"", 0}),
                    KW_ERROR_INVALID_RECORD);
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, (struct kw_bytes){(const uint8_t *)"abc", 3}),
                    KW_ERROR_INVALID_RECORD);
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, changed(&h, KW_RECORD_BATCH_BASE_OFFSET + 7, 1)),
                    KW_ERROR_INVALID_RECORD);
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, changed(&h, KW_RECORD_BATCH_RECORDS + 3, 1)),
                    KW_ERROR_CORRUPT_MESSAGE);
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, changed(&h, KW_RECORD_BATCH_MAGIC, 3)), KW_ERROR_INVALID_RECORD);
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, changed(&h, KW_RECORD_BATCH_MAGIC, 6)), KW_ERROR_CORRUPT_MESSAGE);

    struct kw_bytes two = harness_batch(&h, &one);
    uint8_t twice[400];
    memcpy(twice, two.bytes, (size_t)two.length_bytes);
    memcpy(twice + two.length_bytes, two.bytes, (size_t)two.length_bytes);
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, (struct kw_bytes){twice, 2 * two.length_bytes}),
                    KW_ERROR_INVALID_RECORD);

    struct harness_batch large = {.records = 1, .value_bytes = 300};
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, harness_batch(&h, &large)), KW_ERROR_MESSAGE_TOO_LARGE);
    large.value_bytes = 200;
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, harness_batch(&h, &large)), KW_ERROR_RECORD_LIST_TOO_LARGE);

    struct kw_bytes wrong = changed(&h, KW_RECORD_BATCH_ATTRIBUTES + 1, 0x20); /* a control batch */
    fix_crc(wrong);
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, wrong), KW_ERROR_INVALID_RECORD);
    wrong = changed(&h, KW_RECORD_BATCH_RECORD_COUNT + 3, 2);
    fix_crc(wrong);
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, wrong), KW_ERROR_INVALID_RECORD);
    wrong = changed(&h, KW_RECORD_BATCH_ATTRIBUTES + 1, 0x08); /* log append time */
    fix_crc(wrong);
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, wrong), KW_ERROR_INVALID_TIMESTAMP);
    struct harness_batch no_sequence = {
        .records = 1, .value_bytes = 1, .has_producer = true, .producer_id = 5, .base_sequence = 0};
    wrong = harness_batch(&h, &no_sequence);
    kw_store_i32((uint8_t *)wrong.bytes + KW_RECORD_BATCH_BASE_SEQUENCE, -1);
    fix_crc(wrong);
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, wrong), KW_ERROR_INVALID_RECORD);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 0);
    /* kafkajs: no producer id, but epoch and sequence 0. */
    wrong = harness_batch(&h, &one);
    kw_store_i16((uint8_t *)wrong.bytes + KW_RECORD_BATCH_PRODUCER_EPOCH, 0);
    kw_store_i32((uint8_t *)wrong.bytes + KW_RECORD_BATCH_BASE_SEQUENCE, 0);
    fix_crc(wrong);
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, wrong), KW_ERROR_NONE);
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, wrong), KW_ERROR_NONE);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 2);
    harness_close(&h);
}

static void zstd_needs_version_seven(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    struct harness_batch zstd = {.records = 1, .value_bytes = 9, .compression = KW_COMPRESSION_ZSTD};
    struct kw_bytes batch = harness_batch(&h, &zstd);
    harness_produce_send(&h, c, 6, 0, 1, 1000, batch);
    CU_ASSERT_EQUAL(harness_produce_answer(&h, c, 6, 1000000).error_code,
                    KW_ERROR_UNSUPPORTED_COMPRESSION_TYPE);
    harness_produce_send(&h, c, 7, 0, 1, 1000, batch);
    CU_ASSERT_EQUAL(harness_produce_answer(&h, c, 7, 1000000).error_code, KW_ERROR_NONE);
    harness_close(&h);
}

static void compressed_batches_are_opened(void)
{
    struct mb_setting topic[] = {{"message.timestamp.difference.max.ms", "1000"}, {NULL, NULL}};
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, topic);
    uint32_t c = harness_connect(&h, 1);
    for (int i = KW_COMPRESSION_GZIP; i <= KW_COMPRESSION_ZSTD; i++) {
        struct harness_batch good = {
            .records = 5, .value_bytes = 100, .compression = (enum kw_compression)i, .fill = 'c'};
        int64_t end_offset = harness_replica(&h, 1).log_end_offset;
        struct kw_produce_response_partition answer =
            harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &good));
        CU_ASSERT_EQUAL(answer.error_code, KW_ERROR_NONE);
        CU_ASSERT_EQUAL(answer.base_offset, end_offset);
        CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, end_offset + 5);

        /* Bytes that are none of that compression. */
        struct kw_bytes bad = harness_batch(&h, &good);
        memset((uint8_t *)bad.bytes + KW_RECORD_BATCH_RECORDS, 0x55,
               (size_t)bad.length_bytes - KW_RECORD_BATCH_RECORDS);
        fix_crc(bad);
        CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, bad), KW_ERROR_UNKNOWN_SERVER_ERROR);
        /* One record more, or less, than the header says. */
        bad = harness_batch(&h, &good);
        kw_store_i32((uint8_t *)bad.bytes + KW_RECORD_BATCH_RECORD_COUNT, 6);
        kw_store_i32((uint8_t *)bad.bytes + KW_RECORD_BATCH_LAST_OFFSET_DELTA, 5);
        fix_crc(bad);
        CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, bad), KW_ERROR_INVALID_RECORD);
        kw_store_i32((uint8_t *)bad.bytes + KW_RECORD_BATCH_RECORD_COUNT, 4);
        kw_store_i32((uint8_t *)bad.bytes + KW_RECORD_BATCH_LAST_OFFSET_DELTA, 3);
        fix_crc(bad);
        CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, bad), KW_ERROR_INVALID_RECORD);
        /* Only a record within it is too late. */
        struct harness_batch late = good;
        late.timestamp_step_ms = 400;
        answer = harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &late));
        CU_ASSERT_EQUAL(answer.error_code, KW_ERROR_INVALID_TIMESTAMP);
        CU_ASSERT_EQUAL_FATAL(answer.record_errors.count, 2);
        CU_ASSERT_EQUAL(answer.record_errors.items[0].batch_index, 3);
        CU_ASSERT_EQUAL(answer.record_errors.items[1].batch_index, 4);
        CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, end_offset + 5);
    }
    harness_close(&h);
}

/* Three records, of which the first says that it is the second: the batch is written anew. */
static void offsets_within_follow_each_other(void)
{
    enum { OFFSET_DELTA = KW_RECORD_BATCH_RECORDS + 3, ROOM_BYTES = 1000 };
    uint8_t bytes[ROOM_BYTES];
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    for (uint8_t delta = 0; delta < 2; delta++) {
        struct kw_bytes plain = harness_batch(&h, &three);
        size_t records_bytes = (size_t)plain.length_bytes - KW_RECORD_BATCH_RECORDS;
        size_t packed_bytes;
        CU_ASSERT_EQUAL(plain.bytes[OFFSET_DELTA], 0);
        memcpy(bytes, plain.bytes, (size_t)plain.length_bytes);
        bytes[OFFSET_DELTA] = (uint8_t)(2 * delta);
        uint8_t *records = bytes + KW_RECORD_BATCH_RECORDS;
        uint8_t *packed = kb_arena_allocate(&h.arena, ROOM_BYTES);
        CU_ASSERT_EQUAL_FATAL(
            kw_compress(KW_COMPRESSION_GZIP, records, records_bytes, packed, ROOM_BYTES, &packed_bytes),
            KW_ERROR_NONE);
        memcpy(records, packed, packed_bytes);
        struct kw_bytes batch = {bytes, (int32_t)(KW_RECORD_BATCH_RECORDS + packed_bytes)};
        bytes[KW_RECORD_BATCH_ATTRIBUTES + 1] = KW_COMPRESSION_GZIP;
        kw_store_i32(bytes + KW_RECORD_BATCH_LENGTH, batch.length_bytes - KW_RECORD_BATCH_LOG_OVERHEAD_BYTES);
        fix_crc(batch);
        CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, batch), KW_ERROR_NONE);
        const void *kept = NULL;
        size_t kept_bytes = 0;
        struct kw_record_reader reader;
        struct kw_record record;
        struct kw_compression_buffer buffer;
        kw_compression_buffer_init(&buffer, kb_allocator_default());
        CU_ASSERT_TRUE_FATAL(mb_log_read(h.cluster, 1, "t", 0, 3 * delta, &kept, &kept_bytes));
        CU_ASSERT_EQUAL(kw_record_batch_validate(kept, kept_bytes), KW_ERROR_NONE);
        CU_ASSERT_EQUAL(kw_record_batch_compression_id(kept), KW_COMPRESSION_GZIP);
        CU_ASSERT_EQUAL(kw_record_reader_open(&reader, kept, kept_bytes, ROOM_BYTES, &buffer), KW_ERROR_NONE);
        for (int64_t offset = 3 * delta; offset < 3 * delta + 3; offset++) {
            CU_ASSERT_TRUE(kw_record_reader_next(&reader, &record));
            CU_ASSERT_EQUAL(record.offset, offset);
        }
        kw_compression_buffer_release(&buffer);
    }
    harness_close(&h);
}

/* A batch of 16 KB may hold more than the cluster would ever want to see. */
static void decompression_is_bounded(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    struct harness_batch bomb = {
        .records = 1, .value_bytes = MB_DECOMPRESSED_LIMIT_BYTES, .compression = KW_COMPRESSION_ZSTD};
    struct kw_bytes batch = harness_batch(&h, &bomb);
    CU_ASSERT_TRUE(batch.length_bytes < 100000);
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, batch), KW_ERROR_MESSAGE_TOO_LARGE);
    harness_close(&h);
}

static void compacted_topics_want_keys(void)
{
    struct mb_setting topic[] = {{"cleanup.policy", "compact"}, {NULL, NULL}};
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, topic);
    uint32_t c = harness_connect(&h, 1);
    struct kw_produce_response_partition answer =
        harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &three));
    CU_ASSERT_EQUAL(answer.error_code, KW_ERROR_INVALID_RECORD);
    CU_ASSERT_EQUAL(answer.record_errors.count, 3);
    CU_ASSERT_EQUAL(answer.record_errors.items[0].batch_index, 0);
    CU_ASSERT_TRUE(answer.error_message.length_bytes > 0);
    struct harness_batch keyed = {.records = 2, .value_bytes = 4, .has_key = true};
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, harness_batch(&h, &keyed)), KW_ERROR_NONE);
    keyed.compression = KW_COMPRESSION_LZ4;
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, harness_batch(&h, &keyed)), KW_ERROR_NONE);
    keyed.has_key = false;
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, harness_batch(&h, &keyed)), KW_ERROR_INVALID_RECORD);
    harness_close(&h);
}

static void log_append_time_is_the_leaders(void)
{
    struct mb_setting topic[] = {{"message.timestamp.type", "LogAppendTime"}, {NULL, NULL}};
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, topic);
    harness_run(&h, 5000000);
    uint32_t c = harness_connect(&h, 1);
    struct kw_produce_response_partition answer = harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &one));
    CU_ASSERT_EQUAL(answer.log_append_time_ms, 1600000005000);
    const void *batch = NULL;
    size_t length_bytes = 0;
    CU_ASSERT_TRUE_FATAL(mb_log_read(h.cluster, 1, "t", 0, 0, &batch, &length_bytes));
    CU_ASSERT_EQUAL(kw_record_batch_timestamp_type(batch), KW_TIMESTAMP_LOG_APPEND_TIME);
    CU_ASSERT_EQUAL(kw_record_batch_max_timestamp_ms(batch), 1600000005000);
    CU_ASSERT_EQUAL(kw_record_batch_validate(batch, length_bytes), KW_ERROR_NONE);
    harness_close(&h);
}

static void timestamps_have_bounds(void)
{
    struct mb_setting topic[] = {{"message.timestamp.difference.max.ms", "1000"}, {NULL, NULL}};
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, topic);
    uint32_t c = harness_connect(&h, 1);
    struct harness_batch late = {.records = 1, .value_bytes = 1, .timestamp_ms = 1600000001000};
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, harness_batch(&h, &late)), KW_ERROR_NONE);
    late.timestamp_ms += 100;
    CU_ASSERT_EQUAL(error_of(&h, c, 0, 1, harness_batch(&h, &late)), KW_ERROR_INVALID_TIMESTAMP);
    harness_close(&h);
}

int main(void)
{
    return unit_main("mockbroker produce", (struct unit_test[]){
                                               {"offsets follow each other", offsets_follow_each_other},
                                               {"every version is answered", every_version_is_answered},
                                               {"one request at a time", one_request_at_a_time_in_order},
                                               {"errors of routing", errors_of_routing},
                                               {"acks=0 is silent", acks_zero_is_silent},
                                               {"errors of validation", errors_of_validation},
                                               {"zstd needs version 7", zstd_needs_version_seven},
                                               {"compressed batches", compressed_batches_are_opened},
                                               {"offsets within", offsets_within_follow_each_other},
                                               {"bounded decompression", decompression_is_bounded},
                                               {"compacted topics want keys", compacted_topics_want_keys},
                                               {"log append time", log_append_time_is_the_leaders},
                                               {"timestamps have bounds", timestamps_have_bounds},
                                               {0},
                                           });
}
