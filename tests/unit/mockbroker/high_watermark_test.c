/* What a leader knows of its followers, and the high watermark that follows from it. */

#include "follower.h"
#include "unit.h"

#include "wire/record_batch.h"

static const struct mb_setting quick_lag[] = {{"replica.lag.time.max.ms", "2000"}, {NULL, NULL}};

/* Leader 1; the fetches of broker 2, which is in the ISR, are made by hand. */
static uint32_t open_by_hand(struct harness *h)
{
    harness_open_simple(h, 2, 2, NULL, NULL);
    harness_run(h, 10000);
    harness_cut(h, 1, 2);
    return harness_connect(h, 1);
}

static int64_t now_ms(const struct harness *h)
{
    return 1600000000000 + h->now_us / 1000;
}

/* A fetch, and when it came to the leader. */
static int64_t fetch_at(struct harness *h, uint32_t c, int64_t offset)
{
    int64_t arrives_us = h->now_us + h->latency_us;
    CU_ASSERT_EQUAL(follower_fetch(h, c, 2, offset), 0);
    return 1600000000000 + arrives_us / 1000;
}

static void the_fetch_offset_is_the_log_end(void)
{
    struct harness h;
    uint32_t c = open_by_hand(&h);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    CU_ASSERT_EQUAL(follower_fetch(&h, c, 2, 1), 0);
    CU_ASSERT_EQUAL(follower_remote(&h, 1, 2)->log_end_offset, 1);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 1);
    harness_close(&h);
}

static void caught_up_now_at_the_leaders_end(void)
{
    struct harness h;
    uint32_t c = open_by_hand(&h);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    harness_run(&h, 1000000);
    int64_t at_ms = fetch_at(&h, c, 1);
    CU_ASSERT_EQUAL(follower_remote(&h, 1, 2)->last_caught_up_ms, at_ms);
    harness_run(&h, 1000000);
    CU_ASSERT_EQUAL(follower_remote(&h, 1, 2)->last_caught_up_ms, at_ms);
    harness_close(&h);
}

static void caught_up_then_at_the_end_of_the_fetch_before(void)
{
    struct harness h;
    uint32_t c = open_by_hand(&h);
    int64_t first_ms = fetch_at(&h, c, 0); /* at the end */
    harness_run(&h, 100000);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    harness_run(&h, 100000);
    int64_t second_ms = fetch_at(&h, c, 0); /* the end is 1 now, and was 0 then */
    CU_ASSERT_EQUAL(follower_remote(&h, 1, 2)->last_caught_up_ms, first_ms);
    harness_run(&h, 100000);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    harness_run(&h, 100000);
    (void)fetch_at(&h, c, 1); /* the end is 2 now, and was 1 then */
    CU_ASSERT_EQUAL(follower_remote(&h, 1, 2)->last_caught_up_ms, second_ms);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    harness_run(&h, 100000);
    (void)fetch_at(&h, c, 1); /* neither: it was 2 then */
    CU_ASSERT_EQUAL(follower_remote(&h, 1, 2)->last_caught_up_ms, second_ms);
    harness_close(&h);
}

static void whoever_was_caught_up_holds_it_back(void)
{
    struct harness h;
    uint32_t c = follower_open_alone(&h, quick_lag, NULL);
    harness_cut(&h, 1, MB_CONTROLLER);
    CU_ASSERT_EQUAL(follower_fetch(&h, c, 3, 0), 0); /* proposed, so that 2 cannot be */
    int64_t at_ms = fetch_at(&h, c, 0);
    CU_ASSERT_EQUAL(follower_remote(&h, 1, 2)->last_caught_up_ms, at_ms);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    /* Exactly the lag time later it still counts, and a millisecond more is too much. */
    harness_run(&h, (at_ms + 2000 - now_ms(&h)) * 1000 - h.latency_us);
    CU_ASSERT_EQUAL(follower_fetch(&h, c, 3, 1), 0);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 0);
    harness_run(&h, 1000 - h.latency_us);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 1);
    harness_close(&h);
}

static void it_never_goes_back(void)
{
    struct harness h;
    uint32_t c = open_by_hand(&h);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    CU_ASSERT_EQUAL(follower_fetch(&h, c, 2, 1), 0);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 1);
    CU_ASSERT_EQUAL(follower_fetch(&h, c, 2, 0), 0);
    CU_ASSERT_EQUAL(follower_remote(&h, 1, 2)->log_end_offset, 0);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 1);
    harness_close(&h);
}

static void an_answer_has_the_one_from_before(void)
{
    struct harness h;
    uint32_t c = open_by_hand(&h);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    struct follower_fetch fetch = {.replica = 2, .offset = 1};
    CU_ASSERT_EQUAL(follower_ask(&h, c, &fetch).high_watermark, 0);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 1);
    CU_ASSERT_EQUAL(follower_ask(&h, c, &fetch).high_watermark, 1);
    harness_close(&h);
}

/* One by hand without a session, which is not woken; a consumer's is. */
static void a_new_one_wakes_consumers_and_no_follower(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, NULL, NULL);
    harness_run(&h, 10000);
    harness_cut(&h, 1, 2);
    harness_cut(&h, 1, 3);
    uint32_t second = harness_connect(&h, 1);
    uint32_t third = harness_connect(&h, 1);
    uint32_t consumer = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(follower_produce(&h, second), 0);
    follower_send(&h, second, &(struct follower_fetch){.replica = 2, .offset = 1, .max_wait_ms = 400});
    follower_send(&h, consumer, &(struct follower_fetch){.replica = -1, .offset = 0, .max_wait_ms = 30000});
    harness_run(&h, 10000);
    CU_ASSERT_EQUAL(h.clients[consumer].length_bytes, 0);
    CU_ASSERT_EQUAL(follower_fetch(&h, third, 3, 1), 0);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 1);
    harness_run(&h, 10000);
    CU_ASSERT_TRUE(h.clients[consumer].length_bytes > 0);
    CU_ASSERT_EQUAL(h.clients[second].length_bytes, 0);
    harness_run(&h, 400000);
    CU_ASSERT_TRUE(h.clients[second].length_bytes > 0); /* its time was over */
    harness_close(&h);
}

/* A follower takes the leader's, as far as its own log reaches. */
static void a_follower_takes_what_its_log_has(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, NULL);
    harness_run(&h, 10000);
    struct mb_partition *follower = follower_replica(&h, 2);
    struct kw_fetch_response_partition data;
    kw_fetch_response_partition_init(&data);
    data.high_watermark = 5;
    data.log_start_offset = 0;
    CU_ASSERT_EQUAL(mb_fetcher_process(follower, &data), MB_FETCHED_FINE);
    CU_ASSERT_EQUAL(follower->log.high_watermark, 0);
    struct harness_batch three = {.records = 3, .value_bytes = 10};
    data.records = harness_batch(&h, &three);
    kw_record_batch_set_partition_leader_epoch((uint8_t *)data.records.bytes, 0);
    CU_ASSERT_EQUAL(mb_fetcher_process(follower, &data), MB_FETCHED_FINE);
    CU_ASSERT_EQUAL(follower->log.end_offset, 3);
    CU_ASSERT_EQUAL(follower->log.high_watermark, 3);
    data.records = (struct kw_bytes){NULL, 0};
    data.high_watermark = 2;
    CU_ASSERT_EQUAL(mb_fetcher_process(follower, &data), MB_FETCHED_FINE);
    CU_ASSERT_EQUAL(follower->log.high_watermark, 2); /* Log.updateHighWatermark: backwards, too */
    harness_close(&h);
}

int main(void)
{
    return unit_main(
        "mockbroker high watermark",
        (struct unit_test[]){
            {"the fetch offset is the log end", the_fetch_offset_is_the_log_end},
            {"caught up now: at the leader's end", caught_up_now_at_the_leaders_end},
            {"caught up then: at the end of the fetch before", caught_up_then_at_the_end_of_the_fetch_before},
            {"whoever was caught up holds it back", whoever_was_caught_up_holds_it_back},
            {"it never goes back", it_never_goes_back},
            {"an answer has the one from before", an_answer_has_the_one_from_before},
            {"a new one wakes consumers and no follower", a_new_one_wakes_consumers_and_no_follower},
            {"a follower takes what its log has", a_follower_takes_what_its_log_has},
            {0},
        });
}
