/* What a leader makes of its followers' fetches, one by one: the fetches of brokers 2 and 3 are made by hand.
 */

#include "harness.h"
#include "unit.h"

static const struct harness_batch one = {.records = 1, .value_bytes = 10};
static const struct mb_setting quick_lag[] = {{"replica.lag.time.max.ms", "2000"}, {NULL, NULL}};

/* A fetch of a follower, without a session and without waiting. Returns the partition's error. */
static int16_t fetch(struct harness *h, uint32_t c, int32_t replica, int64_t offset)
{
    struct kw_fetch_request request;
    struct kw_fetch_request_topic topic;
    struct kw_fetch_request_partition item;
    struct kw_fetch_response response;
    kw_fetch_request_init(&request);
    kw_fetch_request_topic_init(&topic);
    kw_fetch_request_partition_init(&item);
    item.fetch_offset = offset;
    item.partition_max_bytes = 1000000;
    topic.topic = (struct kw_string){"t", 1};
    topic.partitions.items = &item;
    topic.partitions.count = 1;
    request.replica_id = replica;
    request.topics.items = &topic;
    request.topics.count = 1;
    harness_send(h, c, KW_API_FETCH, 12, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(h, c, KW_API_FETCH, 12, &response, 1000000));
    return response.responses.items[0].partitions.items[0].error_code;
}

static int16_t produce(struct harness *h, uint32_t c)
{
    return harness_produce(h, c, 0, 1, 1000, harness_batch(h, &one)).error_code;
}

/* Broker 1 leads alone; 2 and 3 are dead, and out of the ISR. */
static uint32_t open_alone(struct harness *h, const struct mb_setting *broker)
{
    harness_open_simple(h, 3, 3, broker, NULL);
    harness_run(h, 10000);
    mb_kill(h->cluster, 2, h->now_us);
    mb_kill(h->cluster, 3, h->now_us);
    harness_run(h, 8000000);
    CU_ASSERT_EQUAL(harness_partition(h).isr_count, 1);
    return harness_connect(h, 1);
}

static void behind_the_high_watermark_nobody_joins(void)
{
    struct harness h;
    uint32_t c = open_alone(&h, NULL);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(produce(&h, c), 0);
    }
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 3);
    CU_ASSERT_EQUAL(fetch(&h, c, 2, 2), 0);
    harness_run(&h, 100000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 1);
    CU_ASSERT_EQUAL(fetch(&h, c, 2, 3), 0);
    harness_run(&h, 100000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 2);
    harness_close(&h);
}

static void before_the_epochs_start_nobody_joins(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, NULL, NULL);
    harness_run(&h, 10000);
    mb_kill(h.cluster, 3, h.now_us);
    harness_run(&h, 8000000);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(produce(&h, c), 0);
    harness_run(&h, 5000); /* the other one has it, but does not know that it is committed */
    CU_ASSERT_EQUAL(harness_replica(&h, 2).log_end_offset, 1);
    CU_ASSERT_EQUAL(harness_replica(&h, 2).high_watermark, 0);
    harness_cut(&h, 1, 2);
    CU_ASSERT_TRUE(mb_move_leader(h.cluster, "t", 0, 2, h.now_us));
    harness_run(&h, 10000);
    CU_ASSERT_TRUE(harness_replica(&h, 2).is_leader);
    CU_ASSERT_EQUAL(harness_replica(&h, 2).high_watermark, 0);
    c = harness_connect(&h, 2);
    CU_ASSERT_EQUAL(fetch(&h, c, 3, 0), 0); /* at the high watermark, before the epoch's start */
    harness_run(&h, 10000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 2);
    CU_ASSERT_EQUAL(fetch(&h, c, 3, 1), 0);
    harness_run(&h, 10000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 3);
    harness_close(&h);
}

static void a_pending_expansion_counts(void)
{
    struct harness h;
    uint32_t c = open_alone(&h, quick_lag);
    harness_cut(&h, 1, MB_CONTROLLER);
    CU_ASSERT_EQUAL(fetch(&h, c, 2, 0), 0); /* it is to join, and the controller does not hear of it */
    harness_run(&h, 5000000);               /* longer than the lag time */
    CU_ASSERT_EQUAL(produce(&h, c), 0);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 0);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 1);
    CU_ASSERT_EQUAL(fetch(&h, c, 2, 1), 0);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 1);
    harness_close(&h);
}

static void who_is_nearly_in_sync_holds_the_high_watermark(void)
{
    struct harness h;
    uint32_t c = open_alone(&h, quick_lag);
    harness_cut(&h, 1, MB_CONTROLLER);
    CU_ASSERT_EQUAL(fetch(&h, c, 2, 0), 0); /* one change in flight: 3 cannot be proposed */
    CU_ASSERT_EQUAL(fetch(&h, c, 3, 0), 0);
    CU_ASSERT_EQUAL(produce(&h, c), 0);
    CU_ASSERT_EQUAL(fetch(&h, c, 2, 1), 0);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 0);
    CU_ASSERT_EQUAL(fetch(&h, c, 3, 1), 0);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 1);
    /* After the lag time it holds nothing back any more. */
    harness_run(&h, 3000000);
    CU_ASSERT_EQUAL(produce(&h, c), 0);
    CU_ASSERT_EQUAL(fetch(&h, c, 2, 2), 0);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 2);
    harness_close(&h);
}

/* The time at which a silent follower leaves the ISR, in ticks of half the lag time (1 s). */
static void caught_up_is_when_it_last_reached_the_end(void)
{
    struct harness h;
    uint32_t c = open_alone(&h, quick_lag);
    CU_ASSERT_EQUAL(fetch(&h, c, 2, 0), 0);
    harness_run(&h, 1900000 - h.now_us % 1000000); /* 900 ms after a tick */
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 2);
    CU_ASSERT_EQUAL(fetch(&h, c, 2, 0), 0); /* at the end, now */
    CU_ASSERT_EQUAL(produce(&h, c), 0);
    harness_run(&h, 2050000); /* two ticks later: 1.1 s and not yet 2 s */
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 2);
    harness_run(&h, 1000000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 1);
    harness_close(&h);
}

static void silence_in_a_session_is_not_lag(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, quick_lag, NULL);
    harness_run(&h, 59900000);
    uint32_t c = harness_connect(&h, 1);
    mb_slow_replica(h.cluster, 3, 900000);
    CU_ASSERT_EQUAL(produce(&h, c), 0);
    harness_run(&h, 500000); /* the tick at 60 s finds it behind, but it was at the end a moment ago */
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_ISR_SHRUNK], 0);
    harness_close(&h);
}

static void caught_up_while_being_removed(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, quick_lag, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    h.control_latency_us = 3000000;
    harness_cut(&h, 1, 3);
    CU_ASSERT_EQUAL(produce(&h, c), 0);
    harness_run(&h, 3200000); /* the shrinking is on its way */
    harness_heal(&h);
    harness_run(&h, 2000000);
    CU_ASSERT_EQUAL(harness_replica(&h, 3).log_end_offset, 1);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 3);
    harness_run(&h, 4000000);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_ISR_SHRUNK], 1);
    harness_run(&h, 20000000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 3);
    harness_close(&h);
}

static void a_link_says_nothing_of_another_process(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, NULL);
    harness_run(&h, 10000);
    mb_kill(h.cluster, 1, h.now_us);
    mb_restart(h.cluster, 1, h.now_us);
    harness_run(&h, 1000000);
    CU_ASSERT_TRUE(mb_controller_link(h.cluster, 1, false, h.now_us));
    harness_run(&h, 1000000);
    CU_ASSERT_TRUE(mb_controller_link(h.cluster, 1, true, h.now_us));
    harness_run(&h, 5000000);
    CU_ASSERT_TRUE(mb_broker_is_up(h.cluster, 1)); /* the old session ended all the same */
    CU_ASSERT_EQUAL(harness_partition(&h).leader, 2);
    harness_close(&h);
}

int main(void)
{
    return unit_main(
        "mockbroker leader",
        (struct unit_test[]){
            {"behind the high watermark nobody joins", behind_the_high_watermark_nobody_joins},
            {"before the epoch's start nobody joins", before_the_epochs_start_nobody_joins},
            {"a pending expansion counts", a_pending_expansion_counts},
            {"nearly in sync holds back", who_is_nearly_in_sync_holds_the_high_watermark},
            {"caught up: when it last reached the end", caught_up_is_when_it_last_reached_the_end},
            {"silence in a session is not lag", silence_in_a_session_is_not_lag},
            {"caught up while being removed", caught_up_while_being_removed},
            {"a link and another process", a_link_says_nothing_of_another_process},
            {0},
        });
}
