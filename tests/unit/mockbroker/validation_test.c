/* What the leader asks of a batch, and in which order (rule 18). */

#include "batches.h"
#include "unit.h"

#include <string.h>

static const struct harness_batch one = {.records = 1, .value_bytes = 10};
static const struct harness_batch three = {.records = 3, .value_bytes = 10};
static const struct harness_batch idempotent = {
    .records = 1, .value_bytes = 10, .has_producer = true, .producer_id = 5};

static void header_checks(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    /* Base offset; CRC; a control batch; counts that do not fit; a sequence below 0. */
    CU_ASSERT_EQUAL(batch_error(&h, c, batch_with(&h, &one, KW_RECORD_BATCH_BASE_OFFSET + 7, 1, false)),
                    KW_ERROR_INVALID_RECORD);
    CU_ASSERT_EQUAL(batch_error(&h, c, batch_with(&h, &one, KW_RECORD_BATCH_RECORDS + 8, 1, false)),
                    KW_ERROR_CORRUPT_MESSAGE);
    CU_ASSERT_EQUAL(batch_error(&h, c, batch_with(&h, &one, KW_RECORD_BATCH_ATTRIBUTES + 1, 0x20, true)),
                    KW_ERROR_INVALID_RECORD);
    CU_ASSERT_EQUAL(batch_error(&h, c, batch_with(&h, &one, KW_RECORD_BATCH_RECORD_COUNT + 3, 2, true)),
                    KW_ERROR_INVALID_RECORD);
    CU_ASSERT_EQUAL(batch_error(&h, c, batch_with(&h, &one, KW_RECORD_BATCH_LAST_OFFSET_DELTA + 3, 1, true)),
                    KW_ERROR_INVALID_RECORD);
    /* Count and last delta agree, on something that no batch has. */
    struct kw_bytes none = harness_batch(&h, &one);
    kw_store_i32((uint8_t *)none.bytes + KW_RECORD_BATCH_RECORD_COUNT, 0);
    kw_store_i32((uint8_t *)none.bytes + KW_RECORD_BATCH_LAST_OFFSET_DELTA, -1);
    batch_fix_crc(none);
    CU_ASSERT_EQUAL(batch_error(&h, c, none), KW_ERROR_INVALID_RECORD);
    none.length_bytes = KW_RECORD_BATCH_OVERHEAD_BYTES; /* nor has it anything behind its header */
    kw_store_i32((uint8_t *)none.bytes + KW_RECORD_BATCH_LENGTH,
                 KW_RECORD_BATCH_OVERHEAD_BYTES - KW_RECORD_BATCH_LOG_OVERHEAD_BYTES);
    batch_fix_crc(none);
    CU_ASSERT_EQUAL(batch_error(&h, c, none), KW_ERROR_INVALID_RECORD);
    struct kw_bytes negative = harness_batch(&h, &idempotent);
    kw_store_i32((uint8_t *)negative.bytes + KW_RECORD_BATCH_BASE_SEQUENCE, -1);
    batch_fix_crc(negative);
    CU_ASSERT_EQUAL(batch_error(&h, c, negative), KW_ERROR_INVALID_RECORD);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 0);
    /* What is not looked at: the leader epoch (franz-go sends -1, others 0), bits that nobody knows. */
    CU_ASSERT_EQUAL(
        batch_error(&h, c, batch_with(&h, &one, KW_RECORD_BATCH_PARTITION_LEADER_EPOCH, 0x80, false)),
        KW_ERROR_NONE);
    CU_ASSERT_EQUAL(kw_record_batch_partition_leader_epoch(batch_in_log(&h, 1, 0).bytes), 0);
    harness_close(&h);
}

/* The whole batch counts, header and all, as it comes over the wire. */
static void size_limits(void)
{
    struct kw_bytes batch;
    struct harness h;
    struct mb_setting exact[] = {{"max.message.bytes", "90"}, {"segment.bytes", "80"}, {NULL, NULL}};
    struct harness_batch fitting = {.records = 1, .value_bytes = 21};
    harness_open_simple(&h, 1, 1, NULL, exact);
    uint32_t c = harness_connect(&h, 1);
    batch = harness_batch(&h, &fitting);
    CU_ASSERT_EQUAL_FATAL(batch.length_bytes, 89);
    fitting.value_bytes = 22;
    batch = harness_batch(&h, &fitting);
    CU_ASSERT_EQUAL_FATAL(batch.length_bytes, 90);
    CU_ASSERT_EQUAL(batch_error(&h, c, batch), KW_ERROR_RECORD_LIST_TOO_LARGE); /* small enough, but for 80 */
    fitting.value_bytes = 23;
    CU_ASSERT_EQUAL(batch_error(&h, c, harness_batch(&h, &fitting)), KW_ERROR_MESSAGE_TOO_LARGE);
    fitting.value_bytes = 12;
    CU_ASSERT_EQUAL(batch_error(&h, c, harness_batch(&h, &fitting)), KW_ERROR_NONE); /* 80 bytes */
    fitting.value_bytes = 13;
    CU_ASSERT_EQUAL(batch_error(&h, c, harness_batch(&h, &fitting)), KW_ERROR_RECORD_LIST_TOO_LARGE);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 1);
    harness_close(&h);
    /* Kafka's default. */
    harness_open_simple(&h, 1, 1, NULL, NULL);
    c = harness_connect(&h, 1);
    fitting.value_bytes = 1048000;
    fitting.value_bytes += 1048588 - harness_batch(&h, &fitting).length_bytes;
    batch = harness_batch(&h, &fitting);
    CU_ASSERT_EQUAL_FATAL(batch.length_bytes, 1048588);
    CU_ASSERT_EQUAL(batch_error(&h, c, batch), KW_ERROR_NONE);
    fitting.value_bytes++;
    CU_ASSERT_EQUAL(batch_error(&h, c, harness_batch(&h, &fitting)), KW_ERROR_MESSAGE_TOO_LARGE);
    harness_close(&h);
}

/* Each batch breaks two rules, or more: the answer is that of the first. */
static void the_first_complaint_wins(void)
{
    struct mb_setting topic[] = {{"max.message.bytes", "300"},
                                 {"segment.bytes", "100"},
                                 {"cleanup.policy", "compact"},
                                 {"message.timestamp.difference.max.ms", "1000"},
                                 {NULL, NULL}};
    struct harness h;
    struct harness_batch large = {.records = 1, .value_bytes = 400};
    harness_open_simple(&h, 1, 1, NULL, topic);
    uint32_t c = harness_connect(&h, 1);
    struct kw_bytes batch = batch_with(&h, &large, KW_RECORD_BATCH_BASE_OFFSET + 7, 1, false);
    ((uint8_t *)batch.bytes)[KW_RECORD_BATCH_RECORDS + 8] ^= 1;
    CU_ASSERT_EQUAL(batch_error(&h, c, batch), KW_ERROR_INVALID_RECORD); /* base offset, size, CRC */
    batch = batch_with(&h, &large, KW_RECORD_BATCH_RECORDS + 8, 1, false);
    CU_ASSERT_EQUAL(batch_error(&h, c, batch), KW_ERROR_MESSAGE_TOO_LARGE); /* size, CRC */
    struct harness_batch late = {.records = 2, .value_bytes = 50, .timestamp_ms = 1500000000000};
    batch = batch_with(&h, &late, KW_RECORD_BATCH_ATTRIBUTES + 1, 0x20, false);
    CU_ASSERT_EQUAL(batch_error(&h, c, batch), KW_ERROR_CORRUPT_MESSAGE); /* CRC, control */
    batch = batch_with(&h, &late, KW_RECORD_BATCH_ATTRIBUTES + 1, 0x28, true);
    struct kw_produce_response_partition answer = harness_produce(&h, c, 0, 1, 1000, batch);
    CU_ASSERT_EQUAL(answer.error_code, KW_ERROR_INVALID_RECORD); /* control, keyless, late */
    CU_ASSERT_EQUAL(answer.record_errors.count, 0);
    /* A record without a key is not asked for its time. */
    answer = harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &late));
    CU_ASSERT_EQUAL(answer.error_code, KW_ERROR_INVALID_RECORD);
    CU_ASSERT_EQUAL(answer.record_errors.count, 2);
    late.has_key = true;
    CU_ASSERT_EQUAL(batch_error(&h, c, harness_batch(&h, &late)),
                    KW_ERROR_INVALID_TIMESTAMP); /* late, segment */
    late.timestamp_ms = 0;
    CU_ASSERT_EQUAL(batch_error(&h, c, harness_batch(&h, &late)), KW_ERROR_RECORD_LIST_TOO_LARGE);
    harness_close(&h);
}

/* All of that comes before the look at who wrote it: even a duplicate has to pass. */
static void validation_comes_before_producer_state(void)
{
    struct mb_setting topic[] = {
        {"message.timestamp.difference.max.ms", "1000"}, {"min.insync.replicas", "2"}, {NULL, NULL}};
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, topic);
    uint32_t c = harness_connect(&h, 1);
    struct harness_batch gap = idempotent;
    CU_ASSERT_EQUAL(batch_error(&h, c, harness_batch(&h, &idempotent)), KW_ERROR_NONE);
    gap.base_sequence = 7;
    gap.timestamp_ms = 1500000000000;
    CU_ASSERT_EQUAL(batch_error(&h, c, harness_batch(&h, &gap)), KW_ERROR_INVALID_TIMESTAMP);
    gap.timestamp_ms = 0;
    CU_ASSERT_EQUAL(batch_error(&h, c, harness_batch(&h, &gap)), KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    harness_run(&h, 2000000);
    CU_ASSERT_EQUAL(batch_error(&h, c, harness_batch(&h, &idempotent)), KW_ERROR_INVALID_TIMESTAMP);
    /* ... and after min.insync.replicas. */
    mb_kill(h.cluster, 2, h.now_us);
    harness_run(&h, 8000000);
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, -1, 1000, harness_batch(&h, &gap)).error_code,
                    KW_ERROR_NOT_ENOUGH_REPLICAS);
    harness_close(&h);
}

/* The count of an uncompressed batch, too, is compared with the records that are there. */
static void records_are_counted(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    for (int32_t count = 2; count <= 4; count++) {
        struct kw_bytes batch = harness_batch(&h, &three);
        kw_store_i32((uint8_t *)batch.bytes + KW_RECORD_BATCH_RECORD_COUNT, count);
        kw_store_i32((uint8_t *)batch.bytes + KW_RECORD_BATCH_LAST_OFFSET_DELTA, count - 1);
        batch_fix_crc(batch);
        struct kw_produce_response_partition answer = harness_produce(&h, c, 0, 1, 1000, batch);
        CU_ASSERT_EQUAL(answer.error_code, count == 3 ? KW_ERROR_NONE : KW_ERROR_INVALID_RECORD);
        CU_ASSERT_EQUAL(answer.record_errors.count, 0);
    }
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 3);
    /* Offsets within an uncompressed batch may be anything. */
    CU_ASSERT_EQUAL(batch_error(&h, c, batch_with(&h, &three, KW_RECORD_BATCH_RECORDS + 3, 2, true)),
                    KW_ERROR_NONE);
    harness_close(&h);
}

/* Before version 3 nobody counts batches beforehand; the log does, after it has looked at each. */
static void old_versions(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    struct kw_bytes good = harness_batch(&h, &one);
    struct kw_bytes bad = batch_with(&h, &one, KW_RECORD_BATCH_RECORDS + 8, 1, false);
    for (int16_t version = 0; version <= 3; version++) {
        struct kw_bytes several[] = {
            batches_joined(&h, good, good), batches_joined(&h, good, bad), {(const uint8_t *)"", 0}, good};
        int16_t errors[] = {KW_ERROR_INVALID_RECORD,
                            version < 3 ? KW_ERROR_CORRUPT_MESSAGE : KW_ERROR_INVALID_RECORD,
                            version < 3 ? KW_ERROR_NONE : KW_ERROR_INVALID_RECORD, KW_ERROR_NONE};
        for (int i = 0; i < 4; i++) {
            harness_produce_send(&h, c, version, 0, 1, 1000, several[i]);
            struct kw_produce_response_partition answer = harness_produce_answer(&h, c, version, 1000000);
            CU_ASSERT_EQUAL(answer.error_code, errors[i]);
            CU_ASSERT_EQUAL(answer.base_offset, i == 3 ? version : -1);
        }
    }
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 4);
    /* Bytes behind the batch that are not yet another one are left out. */
    struct kw_bytes tail = batches_joined(&h, good, (struct kw_bytes){good.bytes, good.length_bytes - 1});
    CU_ASSERT_EQUAL(batch_error(&h, c, tail), KW_ERROR_NONE);
    CU_ASSERT_EQUAL(batch_in_log(&h, 1, 4).length_bytes, good.length_bytes);
    harness_close(&h);
}

/* What Kafka finds while it looks through all partitions at once concerns all of them. */
static void some_errors_are_of_the_whole_request(void)
{
    struct harness h;
    struct kw_produce_request request;
    struct kw_produce_request_topic topic;
    struct kw_produce_request_partition items[2];
    struct kw_produce_response response;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    kw_produce_request_init(&request);
    kw_produce_request_topic_init(&topic);
    struct harness_batch transactional = idempotent;
    transactional.is_transactional = true;
    struct kw_bytes culprits[] = {
        batch_with(&h, &one, KW_RECORD_BATCH_MAGIC, 6, false), /* no magic of Kafka's */
        batch_with(&h, &one, KW_RECORD_BATCH_ATTRIBUTES + 1, 7, true), harness_batch(&h, &transactional)};
    int16_t errors[] = {KW_ERROR_CORRUPT_MESSAGE, KW_ERROR_UNKNOWN_SERVER_ERROR,
                        KW_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED};
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 2; j++) {
            kw_produce_request_partition_init(&items[j]);
            items[j].records = j == 0 ? harness_batch(&h, &one) : culprits[i];
        }
        topic.name = (struct kw_string){"t", 1};
        topic.partition_data.items = items;
        topic.partition_data.count = 2;
        request.transactional_id.length_bytes = -1;
        request.acks = 1;
        request.timeout_ms = 1000;
        request.topic_data.items = &topic;
        request.topic_data.count = 1;
        harness_send(&h, c, KW_API_PRODUCE, 6, &request);
        CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_PRODUCE, 6, &response, 1000000));
        for (int j = 0; j < 2; j++) {
            CU_ASSERT_EQUAL(response.responses.items[0].partition_responses.items[j].error_code, errors[i]);
        }
    }
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 0);
    /* From version 7 on the compression is a matter of the log. */
    CU_ASSERT_EQUAL(batch_error(&h, c, culprits[1]), KW_ERROR_UNKNOWN_SERVER_ERROR);
    ((uint8_t *)culprits[1].bytes)[KW_RECORD_BATCH_ATTRIBUTES + 1] |=
        0x20; /* before it can be a control batch */
    batch_fix_crc(culprits[1]);
    CU_ASSERT_EQUAL(batch_error(&h, c, culprits[1]), KW_ERROR_UNKNOWN_SERVER_ERROR);
    harness_close(&h);
}

/* Versions 8 and 9 say which records were wrong; those before only that. */
static void bad_records_are_named(void)
{
    struct mb_setting topic[] = {{"cleanup.policy", "compact,delete"}, {NULL, NULL}};
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, topic);
    uint32_t c = harness_connect(&h, 1);
    for (int16_t version = 7; version <= 9; version++) {
        harness_produce_send(&h, c, version, 0, 1, 1000, harness_batch(&h, &three));
        struct kw_produce_response_partition answer = harness_produce_answer(&h, c, version, 1000000);
        CU_ASSERT_EQUAL(answer.error_code, KW_ERROR_INVALID_RECORD);
        CU_ASSERT_EQUAL(answer.base_offset, -1);
        CU_ASSERT_EQUAL(answer.log_append_time_ms, -1);
        CU_ASSERT_EQUAL(answer.log_start_offset, 0);
        CU_ASSERT_EQUAL(answer.record_errors.count, version >= 8 ? 3 : 0);
        for (int32_t i = 0; i < answer.record_errors.count; i++) {
            CU_ASSERT_EQUAL(answer.record_errors.items[i].batch_index, i);
            CU_ASSERT_TRUE(
                text_is(answer.record_errors.items[i].batch_index_error_message,
                        "Compacted topic cannot accept message without key in topic partition t-0."));
        }
        if (version >= 8) {
            CU_ASSERT_TRUE(text_is(answer.error_message, "One or more records have been rejected"));
        }
    }
    /* Which errors leave out where the log begins. Kafka: ReplicaManager.appendToLocalLog. */
    struct kw_bytes corrupt = batch_with(&h, &one, KW_RECORD_BATCH_RECORDS + 8, 1, false);
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, 1, 1000, corrupt).log_start_offset, -1);
    struct kw_bytes offset = batch_with(&h, &one, KW_RECORD_BATCH_BASE_OFFSET + 7, 1, false);
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, 1, 1000, offset).log_start_offset, 0);
    harness_close(&h);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"header", header_checks},
        {"sizes", size_limits},
        {"the first complaint wins", the_first_complaint_wins},
        {"before producer state", validation_comes_before_producer_state},
        {"records are counted", records_are_counted},
        {"old versions", old_versions},
        {"errors of the whole request", some_errors_are_of_the_whole_request},
        {"bad records are named", bad_records_are_named},
        {0},
    };
    return unit_main("mockbroker validation", tests);
}
