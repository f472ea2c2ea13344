/* Produce: who refuses first, what acks=all waits for, and what acks=0 is told. */

#include "follower.h"
#include "unit.h"

#include "wire/record_batch.h"

static const struct harness_batch one = {.records = 1, .value_bytes = 10};
static const struct harness_batch three = {.records = 3, .value_bytes = 10};
static const struct mb_setting quick_lag[] = {{"replica.lag.time.max.ms", "2000"}, {NULL, NULL}};
static const struct mb_setting two[] = {{"min.insync.replicas", "2"}, {NULL, NULL}};
static const struct mb_setting all_three[] = {{"min.insync.replicas", "3"}, {NULL, NULL}};

static int16_t error_of(struct harness *h, uint32_t c, int16_t acks, struct kw_bytes records)
{
    return harness_produce(h, c, 0, acks, 1000, records).error_code;
}

/* --- Rules 2 and 3 --- */

static void who_has_not_heard_of_it_answers_three(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 1, NULL, NULL);
    harness_run(&h, 10000);
    harness_cut(&h, 1, MB_CONTROLLER);
    CU_ASSERT_TRUE(mb_add_partitions(h.cluster, "t", 2, h.now_us));
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(harness_produce(&h, c, 1, 1, 1000, harness_batch(&h, &one)).error_code,
                    KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
    harness_heal(&h);
    harness_run(&h, 1000000);
    CU_ASSERT_EQUAL(harness_produce(&h, c, 1, 1, 1000, harness_batch(&h, &one)).error_code,
                    KW_ERROR_NOT_LEADER_OR_FOLLOWER);
    harness_close(&h);
}

static void records_are_looked_at_before_acks(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    uint32_t elsewhere = harness_connect(&h, 2);
    struct kw_bytes nothing = {(const uint8_t *)"abc", 3};
    CU_ASSERT_EQUAL(error_of(&h, c, 2, nothing), KW_ERROR_INVALID_RECORD);
    CU_ASSERT_EQUAL(error_of(&h, elsewhere, 1, nothing), KW_ERROR_INVALID_RECORD);
    /* acks before the replica. */
    CU_ASSERT_EQUAL(error_of(&h, elsewhere, 2, harness_batch(&h, &one)), KW_ERROR_INVALID_REQUIRED_ACKS);
    harness_close(&h);
}

static void version_three_validates_records(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    struct harness_batch zstd = {.records = 1, .value_bytes = 9, .compression = KW_COMPRESSION_ZSTD};
    harness_produce_send(&h, c, 2, 0, 1, 1000, harness_batch(&h, &zstd));
    CU_ASSERT_EQUAL(harness_produce_answer(&h, c, 2, 1000000).error_code, KW_ERROR_NONE);
    harness_produce_send(&h, c, 3, 0, 1, 1000, harness_batch(&h, &zstd));
    CU_ASSERT_EQUAL(harness_produce_answer(&h, c, 3, 1000000).error_code,
                    KW_ERROR_UNSUPPORTED_COMPRESSION_TYPE);
    harness_close(&h);
}

/* --- Rule 4 --- */

static void who_does_not_lead_counts_no_replicas(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, two);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 2);
    CU_ASSERT_EQUAL(error_of(&h, c, -1, harness_batch(&h, &one)), KW_ERROR_NOT_LEADER_OR_FOLLOWER);
    harness_close(&h);
}

static void nineteen_counts_the_committed_isr(void)
{
    struct harness h;
    uint32_t c = follower_open_alone(&h, NULL, two);
    harness_cut(&h, 1, MB_CONTROLLER);
    CU_ASSERT_EQUAL(follower_fetch(&h, c, 2, 0),
                    0); /* it is to join, and the controller does not hear of it */
    CU_ASSERT_EQUAL(mb_partition_maximal_isr_count(follower_replica(&h, 1)), 2);
    CU_ASSERT_EQUAL(error_of(&h, c, -1, harness_batch(&h, &one)), KW_ERROR_NOT_ENOUGH_REPLICAS);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 0);
    harness_close(&h);
}

static void nineteen_comes_before_the_records(void)
{
    struct harness h;
    uint32_t c = follower_open_alone(&h, NULL, two);
    struct kw_bytes corrupt = harness_batch(&h, &one);
    ((uint8_t *)corrupt.bytes)[KW_RECORD_BATCH_RECORDS + 3] ^= 1;
    CU_ASSERT_EQUAL(error_of(&h, c, -1, corrupt), KW_ERROR_NOT_ENOUGH_REPLICAS);
    CU_ASSERT_EQUAL(error_of(&h, c, 1, corrupt), KW_ERROR_CORRUPT_MESSAGE);
    harness_close(&h);
}

static void acks_zero_and_one_never_ask(void)
{
    struct harness h;
    uint32_t c = follower_open_alone(&h, NULL, two);
    CU_ASSERT_EQUAL(error_of(&h, c, 1, harness_batch(&h, &one)), 0);
    harness_produce_send(&h, c, 9, 0, 0, 1000, harness_batch(&h, &one));
    harness_run(&h, 10000);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 2);
    CU_ASSERT_TRUE(harness_is_open(&h, c));
    harness_close(&h);
}

/* --- Rule 5 --- */

static void acks_all_waits_for_the_last_record(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    uint32_t follower = harness_connect(&h, 1);
    harness_cut(&h, 1, 2);
    harness_produce_send(&h, c, 9, 0, -1, 30000, harness_batch(&h, &three));
    harness_run(&h, 10000);
    CU_ASSERT_EQUAL(follower_fetch(&h, follower, 2, 2), 0);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 2);
    CU_ASSERT_EQUAL(harness_produce_answer(&h, c, 9, 10000).error_code, HARNESS_NO_ANSWER);
    CU_ASSERT_EQUAL(follower_fetch(&h, follower, 2, 3), 0);
    CU_ASSERT_EQUAL(harness_produce_answer(&h, c, 9, 10000).error_code, 0);
    harness_close(&h);
}

/* Both partitions of "t" in one request. */
static void send_to_both(struct harness *h, uint32_t c, int16_t acks, struct kw_bytes first,
                         struct kw_bytes second)
{
    struct kw_produce_request request;
    struct kw_produce_request_topic topic;
    struct kw_produce_request_partition items[2];
    kw_produce_request_init(&request);
    kw_produce_request_topic_init(&topic);
    for (int i = 0; i < 2; i++) {
        kw_produce_request_partition_init(&items[i]);
        items[i].index = i;
        items[i].records = i == 0 ? first : second;
    }
    topic.name = (struct kw_string){"t", 1};
    topic.partition_data.items = items;
    topic.partition_data.count = 2;
    request.acks = acks;
    request.timeout_ms = 5000;
    request.topic_data.items = &topic;
    request.topic_data.count = 1;
    harness_send(h, c, KW_API_PRODUCE, 9, &request);
}

static void open_two_partitions(struct harness *h)
{
    static const int32_t ids[] = {1, 2};
    static const int32_t assignment[] = {1, 2, 1, 2};
    struct mb_topic_options topic = {
        .name = "t", .partition_count = 2, .replication_factor = 2, .assignment = assignment};
    struct mb_options options = {.broker_ids = ids, .broker_count = 2, .topics = &topic, .topic_count = 1};
    harness_open(h, &options);
    harness_run(h, 10000);
}

static void a_request_waits_for_all_its_partitions(void)
{
    struct harness h;
    open_two_partitions(&h);
    uint32_t c = harness_connect(&h, 1);
    uint32_t follower = harness_connect(&h, 1);
    harness_cut(&h, 1, 2);
    send_to_both(&h, c, -1, harness_batch(&h, &one), harness_batch(&h, &one));
    harness_run(&h, 10000);
    CU_ASSERT_EQUAL(follower_fetch(&h, follower, 2, 1), 0); /* of the first partition */
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 1);
    harness_run(&h, 100000);
    CU_ASSERT_EQUAL(h.clients[c].length_bytes, 0);
    /* The second one's time is over; the first was replicated. */
    struct kw_produce_response response;
    CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_PRODUCE, 9, &response, 6000000));
    const struct kw_produce_response_partition *answers =
        response.responses.items[0].partition_responses.items;
    CU_ASSERT_EQUAL(answers[0].error_code, 0);
    CU_ASSERT_EQUAL(answers[1].error_code, KW_ERROR_REQUEST_TIMED_OUT);
    CU_ASSERT_EQUAL(answers[1].base_offset, 0);
    harness_close(&h);
}

/* The ISR shrinks to too few while a request waits, and nobody writes: in 3.0.0 the high watermark stays. */
static void too_few_is_no_answer_before_the_high_watermark(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, quick_lag, two);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    harness_cut(&h, 1, 2);
    int64_t sent_us = h.now_us;
    struct kw_produce_response_partition answer =
        harness_produce(&h, c, 0, -1, 8000, harness_batch(&h, &one));
    CU_ASSERT_EQUAL(answer.error_code, KW_ERROR_REQUEST_TIMED_OUT);
    CU_ASSERT_EQUAL(h.now_us - sent_us, 8000000 + 2 * h.latency_us);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 1);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 0);
    harness_close(&h);
}

/* The controller drops a dead follower: too few, but the record is not everywhere yet where it has to be. */
static void too_few_is_told_when_the_record_is_replicated(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, NULL, all_three);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    uint32_t follower = harness_connect(&h, 1);
    harness_cut(&h, 1, 2);
    mb_kill(h.cluster, 3, h.now_us);
    harness_produce_send(&h, c, 9, 0, -1, 30000, harness_batch(&h, &one));
    harness_run(&h, 7000000);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).isr_count, 2);
    CU_ASSERT_EQUAL(h.clients[c].length_bytes, 0);
    CU_ASSERT_EQUAL(follower_fetch(&h, follower, 2, 1), 0);
    CU_ASSERT_EQUAL(harness_produce_answer(&h, c, 9, 10000).error_code,
                    KW_ERROR_NOT_ENOUGH_REPLICAS_AFTER_APPEND);
    harness_close(&h);
}

/* The same, but somebody writes with acks=1: now it is 20. */
static void an_append_moves_it_after_the_shrinking(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, quick_lag, two);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    uint32_t other = harness_connect(&h, 1);
    harness_cut(&h, 1, 2);
    harness_produce_send(&h, c, 9, 0, -1, 30000, harness_batch(&h, &one));
    harness_run(&h, 5000000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 1);
    CU_ASSERT_EQUAL(h.clients[c].length_bytes, 0);
    CU_ASSERT_EQUAL(follower_produce(&h, other), 0);
    CU_ASSERT_EQUAL(harness_produce_answer(&h, c, 9, 10000).error_code,
                    KW_ERROR_NOT_ENOUGH_REPLICAS_AFTER_APPEND);
    harness_close(&h);
}

static void a_pending_expansion_is_enough(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, quick_lag, two);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    uint32_t follower = harness_connect(&h, 1);
    harness_cut(&h, 1, 2);
    harness_produce_send(&h, c, 9, 0, -1, 30000, harness_batch(&h, &one));
    harness_run(&h, 5000000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 1);
    harness_cut(&h, 1, MB_CONTROLLER);
    CU_ASSERT_EQUAL(follower_fetch(&h, follower, 2, 1),
                    0); /* it joins again, as far as the leader is concerned */
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 1);
    CU_ASSERT_EQUAL(harness_produce_answer(&h, c, 9, 10000).error_code, 0);
    harness_close(&h);
}

static void a_pending_shrinking_is_not_too_few(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, quick_lag, all_three);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    uint32_t follower = harness_connect(&h, 1);
    harness_cut(&h, 1, 3);
    harness_produce_send(&h, c, 9, 0, -1, 30000, harness_batch(&h, &one));
    harness_run(&h, 1500000);
    h.control_latency_us = 20000000;
    harness_run(&h, 3000000);
    CU_ASSERT_EQUAL(follower_replica(&h, 1)->isr_change, MB_ISR_PENDING_SHRINK);
    CU_ASSERT_EQUAL(mb_partition_maximal_isr_count(follower_replica(&h, 1)), 3);
    CU_ASSERT_EQUAL(follower_fetch(&h, follower, 3, 1), 0);
    CU_ASSERT_EQUAL(harness_produce_answer(&h, c, 9, 10000).error_code, 0);
    harness_close(&h);
}

static void no_patience_is_no_wait(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    int64_t sent_us = h.now_us;
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, -1, 0, harness_batch(&h, &one)).error_code,
                    KW_ERROR_REQUEST_TIMED_OUT);
    CU_ASSERT_EQUAL(h.now_us - sent_us, 2 * h.latency_us);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 1);
    harness_close(&h);
}

/* --- Rule 6 --- */

static void an_error_of_any_partition_closes_acks_zero(void)
{
    struct harness h;
    open_two_partitions(&h);
    uint32_t c = harness_connect(&h, 1);
    struct kw_bytes corrupt = harness_batch(&h, &one);
    ((uint8_t *)corrupt.bytes)[KW_RECORD_BATCH_RECORDS + 3] ^= 1;
    send_to_both(&h, c, 0, harness_batch(&h, &one), corrupt);
    harness_run(&h, 10000);
    CU_ASSERT_FALSE(harness_is_open(&h, c));
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 1);
    CU_ASSERT_EQUAL(h.clients[c].length_bytes, 0);
    harness_close(&h);
}

int main(void)
{
    return unit_main(
        "mockbroker produce order",
        (struct unit_test[]){
            {"who has not heard of it: 3", who_has_not_heard_of_it_answers_three},
            {"records before acks before the replica", records_are_looked_at_before_acks},
            {"version 3 validates records", version_three_validates_records},
            {"who does not lead counts no replicas", who_does_not_lead_counts_no_replicas},
            {"19 counts the committed ISR", nineteen_counts_the_committed_isr},
            {"19 comes before the records", nineteen_comes_before_the_records},
            {"acks 0 and 1 never ask", acks_zero_and_one_never_ask},
            {"acks=all waits for the last record", acks_all_waits_for_the_last_record},
            {"a request waits for all its partitions", a_request_waits_for_all_its_partitions},
            {"too few is no answer before the high watermark",
             too_few_is_no_answer_before_the_high_watermark},
            {"20 waits for the replication", too_few_is_told_when_the_record_is_replicated},
            {"an append moves it after the shrinking", an_append_moves_it_after_the_shrinking},
            {"a pending expansion is enough", a_pending_expansion_is_enough},
            {"a pending shrinking is not too few", a_pending_shrinking_is_not_too_few},
            {"no patience, no wait", no_patience_is_no_wait},
            {"an error of any partition closes acks=0", an_error_of_any_partition_closes_acks_zero},
            {0},
        });
}
