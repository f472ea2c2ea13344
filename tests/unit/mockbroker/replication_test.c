/* Followers that fetch, the high watermark, acks=all, and the in-sync set. */

#include "harness.h"
#include "unit.h"

#include <string.h>

static const struct harness_batch one = {.records = 1, .value_bytes = 10};
static const struct mb_setting quick_lag[] = {{"replica.lag.time.max.ms", "2000"}, {NULL, NULL}};

static void acks_all_takes_two_fetches(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, NULL, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    int64_t sent_us = h.now_us;
    struct kw_produce_response_partition answer =
        harness_produce(&h, c, 0, -1, 30000, harness_batch(&h, &one));
    CU_ASSERT_EQUAL(answer.error_code, 0);
    CU_ASSERT_EQUAL(answer.base_offset, 0);
    /* To the leader, to the followers, their next fetch back, to the client: four times the latency. */
    CU_ASSERT_EQUAL(h.now_us - sent_us, 4 * h.latency_us);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 1);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_PRODUCE_PARKED], 1);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_FOLLOWER_APPENDED], 2);
    /* The followers have the data, but hear of the high watermark only when their parked fetch ends. */
    CU_ASSERT_EQUAL(harness_replica(&h, 2).log_end_offset, 1);
    CU_ASSERT_EQUAL(harness_replica(&h, 2).high_watermark, 0);
    harness_run(&h, 490000);
    CU_ASSERT_EQUAL(harness_replica(&h, 2).high_watermark, 0);
    harness_run(&h, 20000);
    CU_ASSERT_EQUAL(harness_replica(&h, 2).high_watermark, 1);
    CU_ASSERT_EQUAL(harness_replica(&h, 3).high_watermark, 1);
    const void *a = NULL;
    const void *b = NULL;
    size_t length_bytes = 0;
    CU_ASSERT_TRUE(mb_log_read(h.cluster, 1, "t", 0, 0, &a, &length_bytes));
    CU_ASSERT_TRUE(mb_log_read(h.cluster, 3, "t", 0, 0, &b, &length_bytes));
    CU_ASSERT_PTR_EQUAL(a, b); /* one block, shared */
    harness_close(&h);
}

static void a_parked_request_mutes_its_connection(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    mb_slow_replica(h.cluster, 2, 100000);
    harness_run(&h, 10000);
    harness_produce_send(&h, c, 9, 0, -1, 30000, harness_batch(&h, &one));
    harness_produce_send(&h, c, 9, 0, 1, 30000, harness_batch(&h, &one));
    harness_run(&h, 50000);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 1);
    CU_ASSERT_EQUAL(harness_produce_answer(&h, c, 9, 1000000).base_offset, 0);
    CU_ASSERT_EQUAL(harness_produce_answer(&h, c, 9, 1000000).base_offset, 1);
    harness_close(&h);
}

static void expiry_is_error_seven_and_the_record_stays(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    mb_freeze(h.cluster, 2, h.now_us);
    int64_t sent_us = h.now_us;
    struct kw_produce_response_partition answer =
        harness_produce(&h, c, 0, -1, 1500, harness_batch(&h, &one));
    CU_ASSERT_EQUAL(answer.error_code, KW_ERROR_REQUEST_TIMED_OUT);
    CU_ASSERT_EQUAL(h.now_us - sent_us, 1500000 + 2 * h.latency_us);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 1);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 0);
    harness_close(&h);
}

static void too_few_before_the_append_is_nineteen(void)
{
    struct mb_setting topic[] = {{"min.insync.replicas", "2"}, {NULL, NULL}};
    struct harness h;
    harness_open_simple(&h, 2, 2, quick_lag, topic);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_TRUE(mb_kill(h.cluster, 2, h.now_us));
    harness_run(&h, 10000000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 1);
    struct kw_produce_response_partition answer =
        harness_produce(&h, c, 0, -1, 1500, harness_batch(&h, &one));
    CU_ASSERT_EQUAL(answer.error_code, KW_ERROR_NOT_ENOUGH_REPLICAS);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 0);
    /* acks=1 does not ask. */
    answer = harness_produce(&h, c, 0, 1, 1500, harness_batch(&h, &one));
    CU_ASSERT_EQUAL(answer.error_code, 0);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 1);
    harness_close(&h);
}

static void too_few_after_the_append_is_twenty(void)
{
    struct mb_setting topic[] = {{"min.insync.replicas", "2"}, {NULL, NULL}};
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, topic);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    mb_kill(h.cluster, 2, h.now_us);
    /* The controller notices before the leader would: its smaller ISR comes with a new leader epoch. */
    struct kw_produce_response_partition answer =
        harness_produce(&h, c, 0, -1, 60000, harness_batch(&h, &one));
    CU_ASSERT_EQUAL(harness_partition(&h).leader_epoch, 1);
    CU_ASSERT_EQUAL(answer.error_code, KW_ERROR_NOT_ENOUGH_REPLICAS_AFTER_APPEND);
    CU_ASSERT_EQUAL(answer.base_offset, 0);
    /* The record is there, and visible. */
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 1);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 1);
    harness_close(&h);
}

static void a_laggard_leaves_the_isr_and_comes_back(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, quick_lag, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    harness_cut(&h, 1, 3); /* it fetches no more, but lives on */
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &one)).error_code, 0);
    harness_run(&h, 1900000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 3);
    harness_run(&h, 1200000); /* seen at a multiple of half the lag time after the lag time */
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 2);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_ISR_SHRUNK], 1);
    CU_ASSERT_EQUAL(h.last_events[KB_EVENT_ISR_SHRUNK].as.isr_shrunk.broker, 3);
    /* 3.0.0: the smaller ISR alone does not move the high watermark, the next append does. */
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 0);
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, -1, 30000, harness_batch(&h, &one)).error_code, 0);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 2);
    harness_heal(&h);
    harness_run(&h, 40000000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 3);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_ISR_EXPANDED], 1);
    CU_ASSERT_EQUAL(harness_replica(&h, 3).log_end_offset, 2);
    CU_ASSERT_EQUAL(harness_replica(&h, 3).high_watermark, 2);
    CU_ASSERT_EQUAL(harness_partition(&h).leader_epoch, 0); /* no election was needed */
    harness_close(&h);
}

static void without_the_controller_a_shrink_does_not_count(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, quick_lag, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    harness_cut(&h, 1, 2);
    harness_cut(&h, 1, MB_CONTROLLER);
    harness_produce_send(&h, c, 9, 0, -1, 8000, harness_batch(&h, &one));
    harness_run(&h, 5000000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 2);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 0);
    CU_ASSERT_EQUAL(harness_produce_answer(&h, c, 9, 5000000).error_code, KW_ERROR_REQUEST_TIMED_OUT);
    /* Healed: the change is written down. */
    harness_heal(&h);
    harness_run(&h, 10000000);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_ISR_SHRUNK], 1);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_ISR_EXPANDED], 1);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 2);
    harness_close(&h);
}

static void idle_followers_stay_in_sync(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, quick_lag, NULL);
    harness_run(&h, 60000000);
    uint32_t c = harness_connect(&h, 1);
    /* A minute of silence, then records come faster than a follower ever is at the very end. */
    mb_slow_replica(h.cluster, 3, 300000);
    for (int i = 0; i < 100; i++) {
        CU_ASSERT_EQUAL(harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &one)).error_code, 0);
        harness_run(&h, 100000);
    }
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 3);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_ISR_SHRUNK], 0);
    harness_close(&h);
}

static void idle_clusters_cost_nothing(void)
{
    struct harness h;
    struct mb_topic_options topic = {.name = "t", .partition_count = 1000, .replication_factor = 3};
    static const int32_t ids[] = {1, 2, 3};
    struct mb_options options = {.broker_ids = ids, .broker_count = 3, .topics = &topic, .topic_count = 1};
    harness_open(&h, &options);
    harness_run(&h, 2000000);
    uint32_t fetched = h.event_counts[KB_EVENT_FOLLOWER_FETCHED];
    CU_ASSERT_EQUAL(fetched, 2000); /* each follower names each partition once */
    h.steps = 0;
    harness_run(&h, 10000000);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_FOLLOWER_FETCHED], fetched);
    /* Six fetchers, two fetches a second, three steps each: not a function of the partitions. */
    CU_ASSERT_TRUE(h.steps < 500);
    harness_close(&h);
}

static void follower_reads_do_not_pass_the_high_watermark(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    mb_freeze(h.cluster, 2, h.now_us);
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &one)).error_code, 0);
    struct kw_fetch_request request;
    struct kw_fetch_request_topic topic;
    struct kw_fetch_request_partition item;
    kw_fetch_request_init(&request);
    kw_fetch_request_topic_init(&topic);
    kw_fetch_request_partition_init(&item);
    item.partition_max_bytes = 1000000;
    topic.topic = (struct kw_string){"t", 1};
    topic.partitions.items = &item;
    topic.partitions.count = 1;
    request.replica_id = -1;
    request.max_wait_ms = 300;
    request.min_bytes = 1;
    request.topics.items = &topic;
    request.topics.count = 1;
    int64_t sent_us = h.now_us;
    harness_send(&h, c, KW_API_FETCH, 11, &request);
    struct kw_fetch_response response;
    CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_FETCH, 11, &response, 5000000));
    CU_ASSERT_EQUAL(h.now_us - sent_us, 300000 + 2 * h.latency_us);
    CU_ASSERT_EQUAL(response.responses.items[0].partitions.items[0].records.length_bytes, 0);
    /* When the follower goes on, the consumer's parked fetch is answered by the high watermark. */
    request.max_wait_ms = 30000;
    harness_send(&h, c, KW_API_FETCH, 11, &request);
    harness_run(&h, 10000);
    mb_thaw(h.cluster, 2, h.now_us);
    CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_FETCH, 11, &response, 5000000));
    CU_ASSERT_TRUE(response.responses.items[0].partitions.items[0].records.length_bytes > 61);
    CU_ASSERT_EQUAL(response.responses.items[0].partitions.items[0].high_watermark, 1);
    /* Out of range, fenced, unknown epochs. */
    item.fetch_offset = 5;
    harness_send(&h, c, KW_API_FETCH, 11, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_FETCH, 11, &response, 5000000));
    CU_ASSERT_EQUAL(response.responses.items[0].partitions.items[0].error_code, KW_ERROR_OFFSET_OUT_OF_RANGE);
    item.current_leader_epoch = 3;
    harness_send(&h, c, KW_API_FETCH, 11, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_FETCH, 11, &response, 5000000));
    CU_ASSERT_EQUAL(response.responses.items[0].partitions.items[0].error_code,
                    KW_ERROR_UNKNOWN_LEADER_EPOCH);
    harness_close(&h);
}

static void retention_moves_the_start_everywhere(void)
{
    struct mb_setting topic[] = {{"segment.bytes", "1000"}, {"retention.bytes", "2000"}, {NULL, NULL}};
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, topic);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    struct harness_batch large = {.records = 1, .value_bytes = 400};
    for (int i = 0; i < 40; i++) {
        CU_ASSERT_EQUAL(harness_produce(&h, c, 0, -1, 1000, harness_batch(&h, &large)).error_code, 0);
    }
    harness_run(&h, 2000000);
    CU_ASSERT_TRUE(harness_replica(&h, 1).log_start_offset >= 30);
    CU_ASSERT_TRUE(harness_replica(&h, 2).log_start_offset >= 30);
    CU_ASSERT_TRUE(h.event_counts[KB_EVENT_LOG_START_MOVED] > 10);
    harness_close(&h);
}

int main(void)
{
    return unit_main(
        "mockbroker replication",
        (struct unit_test[]){
            {"acks=all takes two fetches", acks_all_takes_two_fetches},
            {"a parked request mutes its connection", a_parked_request_mutes_its_connection},
            {"expiry is 7, the record stays", expiry_is_error_seven_and_the_record_stays},
            {"too few before the append: 19", too_few_before_the_append_is_nineteen},
            {"too few after the append: 20", too_few_after_the_append_is_twenty},
            {"a laggard leaves the ISR and returns", a_laggard_leaves_the_isr_and_comes_back},
            {"a shrink needs the controller", without_the_controller_a_shrink_does_not_count},
            {"idle followers stay in sync", idle_followers_stay_in_sync},
            {"idle clusters cost nothing", idle_clusters_cost_nothing},
            {"consumers read to the high watermark", follower_reads_do_not_pass_the_high_watermark},
            {"retention", retention_moves_the_start_everywhere},
            {0},
        });
}
