/* Whose clock stamps records, and how far the producer's may be off (rules 18 and 19). */

#include "batches.h"
#include "unit.h"

enum { EPOCH_S = 1600000000 };
static const int64_t epoch_ms = EPOCH_S * INT64_C(1000);

static struct kw_produce_response_partition produce_at(struct harness *h, uint32_t c, int64_t timestamp_ms)
{
    struct harness_batch batch = {.records = 1, .value_bytes = 4, .timestamp_ms = timestamp_ms};
    return harness_produce(h, c, 0, 1, 1000, harness_batch(h, &batch));
}

/* The bound itself is still fine, on both sides of the broker's clock. */
static void bounds(void)
{
    struct mb_setting topic[] = {{"message.timestamp.difference.max.ms", "1000"}, {NULL, NULL}};
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, topic);
    uint32_t c = harness_connect(&h, 1);
    harness_run(&h, 9999500); /* with the way to the broker: 10 s */
    CU_ASSERT_EQUAL(produce_at(&h, c, epoch_ms + 9000).error_code, KW_ERROR_NONE);
    harness_run(&h, 9999500 - (h.now_us - 10000000));
    CU_ASSERT_EQUAL(produce_at(&h, c, epoch_ms + 20000 + 1000 - 1).error_code, KW_ERROR_NONE);
    int64_t now_ms = epoch_ms + (h.now_us + 500) / 1000;
    CU_ASSERT_EQUAL(produce_at(&h, c, now_ms + 1001).error_code, KW_ERROR_INVALID_TIMESTAMP);
    now_ms = epoch_ms + (h.now_us + 500) / 1000;
    CU_ASSERT_EQUAL(produce_at(&h, c, now_ms + 1000).error_code, KW_ERROR_NONE);
    now_ms = epoch_ms + (h.now_us + 500) / 1000;
    CU_ASSERT_EQUAL(produce_at(&h, c, now_ms - 1000).error_code, KW_ERROR_NONE);
    now_ms = epoch_ms + (h.now_us + 500) / 1000;
    CU_ASSERT_EQUAL(produce_at(&h, c, now_ms - 1001).error_code, KW_ERROR_INVALID_TIMESTAMP);
    CU_ASSERT_EQUAL(produce_at(&h, c, -1).error_code, KW_ERROR_NONE); /* no time at all */
    harness_close(&h);
}

/* Kafka's default is no bound; under LogAppendTime there is none, either. */
static void no_bound(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(produce_at(&h, c, 1).error_code, KW_ERROR_NONE);
    CU_ASSERT_EQUAL(produce_at(&h, c, INT64_MAX).error_code, KW_ERROR_NONE);
    harness_close(&h);
    struct mb_setting topic[] = {{"message.timestamp.type", "LogAppendTime"},
                                 {"message.timestamp.difference.max.ms", "0"},
                                 {NULL, NULL}};
    harness_open_simple(&h, 1, 1, NULL, topic);
    c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(produce_at(&h, c, 1).error_code, KW_ERROR_NONE);
    harness_close(&h);
}

/* Every late record is named; one without a key among them makes no other error of it. */
static void late_records_are_named(void)
{
    struct mb_setting topic[] = {{"message.timestamp.difference.max.ms", "1000"}, {NULL, NULL}};
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, topic);
    uint32_t c = harness_connect(&h, 1);
    struct harness_batch batch = {
        .records = 4, .value_bytes = 4, .timestamp_ms = epoch_ms, .timestamp_step_ms = 600};
    for (int i = KW_COMPRESSION_NONE; i <= KW_COMPRESSION_GZIP; i++) {
        batch.compression = (enum kw_compression)i;
        struct kw_produce_response_partition answer =
            harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &batch));
        CU_ASSERT_EQUAL(answer.error_code, KW_ERROR_INVALID_TIMESTAMP);
        CU_ASSERT_EQUAL_FATAL(answer.record_errors.count, 2);
        CU_ASSERT_EQUAL(answer.record_errors.items[0].batch_index, 2);
        CU_ASSERT_EQUAL(answer.record_errors.items[1].batch_index, 3);
        CU_ASSERT_TRUE(
            text_is(answer.error_message, "One or more records have been rejected due to invalid timestamp"));
        if (i == KW_COMPRESSION_NONE) {
            CU_ASSERT_TRUE(text_is(answer.record_errors.items[1].batch_index_error_message,
                                   "Timestamp 1600000001800 of message with offset 3 is out of range. The "
                                   "timestamp should be within [1599999999000, 1600000001000]"));
        }
    }
    harness_close(&h);
}

/* Only brokers may say LogAppendTime. */
static void the_type_is_the_brokers(void)
{
    struct harness h;
    struct harness_batch two = {.records = 2, .value_bytes = 4, .has_key = true};
    for (int i = 0; i < 2; i++) {
        struct mb_setting topic[] = {{"message.timestamp.type", i == 0 ? "CreateTime" : "LogAppendTime"},
                                     {NULL, NULL}};
        harness_open_simple(&h, 1, 1, NULL, topic);
        uint32_t c = harness_connect(&h, 1);
        for (int compression = KW_COMPRESSION_NONE; compression <= KW_COMPRESSION_GZIP; compression++) {
            two.compression = (enum kw_compression)compression;
            struct kw_bytes batch = batch_with(&h, &two, KW_RECORD_BATCH_ATTRIBUTES + 1, 0x08, true);
            struct kw_produce_response_partition answer = harness_produce(&h, c, 0, 1, 1000, batch);
            CU_ASSERT_EQUAL(answer.error_code, KW_ERROR_INVALID_TIMESTAMP);
            CU_ASSERT_EQUAL_FATAL(answer.record_errors.count, 2);
            CU_ASSERT_TRUE(text_is(
                answer.record_errors.items[1].batch_index_error_message,
                compression == KW_COMPRESSION_NONE
                    ? "Invalid timestamp type in message DefaultRecord(offset=1, timestamp=1600000000000, "
                      "key=3 "
                      "bytes, value=4 bytes). Producer should not set timestamp type to LogAppendTime."
                    : "Invalid timestamp type in message PartialDefaultRecord(offset=1, "
                      "timestamp=1600000000000, key=3 bytes, value=4 bytes). Producer should not set "
                      "timestamp "
                      "type to LogAppendTime."));
        }
        CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 0);
        harness_close(&h);
    }
}

/* Under CreateTime the largest time is that of the records, whatever the producer says; the answer is -1. */
static void create_time(void)
{
    struct harness h;
    struct harness_batch two = {
        .records = 2, .value_bytes = 4, .timestamp_ms = epoch_ms + 30, .timestamp_step_ms = -20};
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    for (int compression = KW_COMPRESSION_NONE; compression <= KW_COMPRESSION_GZIP; compression++) {
        two.compression = (enum kw_compression)compression;
        struct kw_bytes batch = harness_batch(&h, &two);
        kw_store_i64((uint8_t *)batch.bytes + KW_RECORD_BATCH_MAX_TIMESTAMP, 77);
        batch_fix_crc(batch);
        struct kw_produce_response_partition answer = harness_produce(&h, c, 0, 1, 1000, batch);
        CU_ASSERT_EQUAL(answer.error_code, KW_ERROR_NONE);
        CU_ASSERT_EQUAL(answer.log_append_time_ms, -1);
        struct kw_bytes kept = batch_in_log(&h, 1, answer.base_offset);
        CU_ASSERT_EQUAL(kw_record_batch_max_timestamp_ms(kept.bytes), epoch_ms + 30);
        CU_ASSERT_EQUAL(kw_record_batch_base_timestamp_ms(kept.bytes), epoch_ms + 30);
        CU_ASSERT_EQUAL(kw_record_batch_timestamp_type(kept.bytes), KW_TIMESTAMP_CREATE_TIME);
    }
    harness_close(&h);
}

/* Under LogAppendTime the leader's clock is in the batch and in the answer, and what a follower copies, and
 * what a duplicate is answered. */
static void log_append_time(void)
{
    struct mb_setting topic[] = {{"message.timestamp.type", "LogAppendTime"}, {NULL, NULL}};
    struct harness h;
    struct harness_batch batch = {.records = 2,
                                  .value_bytes = 4,
                                  .timestamp_ms = epoch_ms - 500,
                                  .has_producer = true,
                                  .producer_id = 3};
    harness_open_simple(&h, 2, 2, NULL, topic);
    uint32_t c = harness_connect(&h, 1);
    harness_run(&h, 4999500);
    struct kw_produce_response_partition answer =
        harness_produce(&h, c, 0, -1, 1000, harness_batch(&h, &batch));
    CU_ASSERT_EQUAL(answer.error_code, KW_ERROR_NONE);
    CU_ASSERT_EQUAL(answer.log_append_time_ms, epoch_ms + 5000);
    for (int32_t broker = 1; broker <= 2; broker++) {
        struct kw_bytes kept = batch_in_log(&h, broker, 0);
        CU_ASSERT_EQUAL(kw_record_batch_timestamp_type(kept.bytes), KW_TIMESTAMP_LOG_APPEND_TIME);
        CU_ASSERT_EQUAL(kw_record_batch_max_timestamp_ms(kept.bytes), epoch_ms + 5000);
        CU_ASSERT_EQUAL(kw_record_batch_base_timestamp_ms(kept.bytes), epoch_ms - 500);
    }
    harness_run(&h, 60000000);
    answer = harness_produce(&h, c, 0, -1, 1000, harness_batch(&h, &batch));
    CU_ASSERT_EQUAL(answer.base_offset, 0);
    CU_ASSERT_EQUAL(answer.log_append_time_ms, epoch_ms + 5000); /* the first answer once more */
    harness_close(&h);
}

/* Under CreateTime a duplicate is answered with its batch's largest time, although the first answer said -1.
 */
static void duplicates_tell_their_time(void)
{
    struct harness h;
    struct harness_batch batch = {.records = 2,
                                  .value_bytes = 4,
                                  .timestamp_ms = epoch_ms + 10,
                                  .timestamp_step_ms = 5,
                                  .has_producer = true,
                                  .producer_id = 3};
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &batch)).log_append_time_ms, -1);
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &batch)).log_append_time_ms,
                    epoch_ms + 15);
    harness_close(&h);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"bounds", bounds},
        {"no bound", no_bound},
        {"late records are named", late_records_are_named},
        {"the type is the broker's", the_type_is_the_brokers},
        {"CreateTime", create_time},
        {"LogAppendTime", log_append_time},
        {"duplicates tell their time", duplicates_tell_their_time},
        {0},
    };
    return unit_main("mockbroker timestamps", tests);
}
