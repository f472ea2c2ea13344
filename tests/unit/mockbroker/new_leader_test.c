/* What a broker does with a LeaderAndIsr: as the new leader, and as one that leads no more. */

#include "follower.h"
#include "mockbroker/broker.h"
#include "unit.h"

static const struct harness_batch one = {.records = 1, .value_bytes = 10};
static const struct mb_setting quick_lag[] = {{"replica.lag.time.max.ms", "2000"}, {NULL, NULL}};

/* Broker 1 has led, 2 leads, one record everywhere. */
static void open_moved(struct harness *h, uint32_t *to_first)
{
    harness_open_simple(h, 3, 3, NULL, NULL);
    harness_run(h, 10000);
    *to_first = harness_connect(h, 1);
    CU_ASSERT_EQUAL(follower_produce(h, *to_first), 0);
    harness_run(h, 2000000);
    CU_ASSERT_EQUAL_FATAL(follower_remote(h, 1, 2)->log_end_offset, 1);
    CU_ASSERT_TRUE(mb_move_leader(h->cluster, "t", 0, 2, h->now_us));
    harness_run(h, 100000);
    CU_ASSERT_TRUE_FATAL(harness_replica(h, 2).is_leader);
}

static int64_t now_ms(const struct harness *h)
{
    return 1600000000000 + h->now_us / 1000;
}

static void its_epoch_begins_at_its_log_end(void)
{
    struct harness h;
    uint32_t c;
    open_moved(&h, &c);
    const struct mb_partition *leader = follower_replica(&h, 2);
    CU_ASSERT_EQUAL(leader->epoch_start_offset, 1);
    /* Before anything is written in it. */
    CU_ASSERT_EQUAL(mb_epoch_cache_latest(&leader->log.epochs), 1);
    CU_ASSERT_EQUAL(mb_epoch_cache_end_offset_for(&leader->log.epochs, 0, 1).end_offset, 1);
    harness_close(&h);
}

static void it_does_not_remember_its_followers(void)
{
    struct harness h;
    uint32_t c;
    open_moved(&h, &c);
    harness_cut(&h, 1, 2);
    harness_cut(&h, 1, 3);
    CU_ASSERT_TRUE(mb_move_leader(h.cluster, "t", 0, 1, h.now_us));
    int64_t hears_ms = now_ms(&h) + 1;
    harness_run(&h, 1000000);
    CU_ASSERT_TRUE(harness_replica(&h, 1).is_leader);
    const struct mb_remote *remote = follower_remote(&h, 1, 2);
    CU_ASSERT_EQUAL(remote->log_end_offset, MB_UNKNOWN_OFFSET);
    CU_ASSERT_EQUAL(remote->last_fetch_leader_end_offset, MB_UNKNOWN_OFFSET);
    CU_ASSERT_EQUAL(remote->last_fetch_ms, 0);
    /* But who is in sync has its full time to fetch. */
    CU_ASSERT_TRUE(remote->last_caught_up_ms >= hears_ms - 1 && remote->last_caught_up_ms <= hears_ms + 1);
    /* So nothing is committed that nobody confirmed in this epoch. */
    int64_t high_watermark = harness_replica(&h, 1).high_watermark;
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, high_watermark);
    harness_close(&h);
}

static void who_led_already_remembers_them(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, NULL, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    harness_run(&h, 2000000);
    harness_cut(&h, 1, 2);
    mb_kill(h.cluster, 3, h.now_us);
    harness_run(&h, 7000000);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).leader_epoch, 1);
    CU_ASSERT_EQUAL(follower_remote(&h, 1, 2)->log_end_offset, 1);
    /* Who is out of sync starts with nothing. */
    CU_ASSERT_EQUAL(follower_remote(&h, 1, 3)->last_caught_up_ms, 0);
    harness_close(&h);
}

static void followers_that_never_come_are_too_late(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, quick_lag, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    harness_run(&h, 1000000);
    harness_cut(&h, 1, 2);
    harness_cut(&h, 2, 3);
    CU_ASSERT_TRUE(mb_move_leader(h.cluster, "t", 0, 2, h.now_us));
    harness_run(&h, 10000000); /* nobody writes */
    CU_ASSERT_EQUAL(harness_partition(&h).leader, 2);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 1);
    harness_close(&h);
}

static void alone_its_log_is_committed_at_once(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    mb_freeze(h.cluster, 2, h.now_us);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 0);
    harness_run(&h, 7000000); /* the controller drops 2, and nobody writes */
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 1);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 1);
    harness_close(&h);
}

static void what_waits_at_an_old_leader_is_told_six(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, NULL, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    harness_cut(&h, 1, 3);
    harness_produce_send(&h, c, 9, 0, -1, 30000, harness_batch(&h, &one));
    harness_run(&h, 100000);
    CU_ASSERT_TRUE(mb_move_leader(h.cluster, "t", 0, 2, h.now_us));
    struct kw_produce_response_partition told = harness_produce_answer(&h, c, 9, 10000);
    CU_ASSERT_EQUAL(told.error_code, KW_ERROR_NOT_LEADER_OR_FOLLOWER);
    harness_close(&h);
}

static void become(struct harness *h, int32_t broker, int32_t leader, int32_t epoch)
{
    static const int32_t isr[] = {0, 1, 2};
    struct mb_topic_partition *tp = follower_replica(h, broker)->tp;
    struct mb_partition_state *state =
        mb_partition_state_create(h->cluster->allocator, leader, epoch, 50, isr, 3);
    mb_broker_become(mb_broker_of(h->cluster, broker), tp, state);
    mb_partition_state_drop(h->cluster->allocator, state);
}

static void an_old_leader_and_isr_is_not_listened_to(void)
{
    struct harness h;
    uint32_t c;
    open_moved(&h, &c);
    c = harness_connect(&h, 2);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    const struct mb_partition *leader = follower_replica(&h, 2);
    become(&h, 2, 0, 0); /* as it was */
    CU_ASSERT_TRUE(leader->is_leader);
    CU_ASSERT_EQUAL(leader->leader_epoch, 1);
    become(&h, 2, 1, 1); /* as it is: sent twice */
    CU_ASSERT_EQUAL(leader->epoch_start_offset, 1);
    CU_ASSERT_NOT_EQUAL(leader->version, 50);
    harness_close(&h);
}

static void without_a_live_leader_it_believes_what_it_did(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, NULL, NULL);
    harness_run(&h, 10000);
    const struct mb_partition *leader = follower_replica(&h, 1);
    become(&h, 1, -1, 1);
    CU_ASSERT_TRUE(leader->is_leader);
    CU_ASSERT_EQUAL(leader->leader_epoch, 0);
    mb_broker_of(h.cluster, 1)->alive[2] = false; /* as far as it has heard */
    become(&h, 1, 2, 1);
    CU_ASSERT_TRUE(leader->is_leader);
    CU_ASSERT_EQUAL(leader->leader_epoch, 0);
    harness_close(&h);
}

int main(void)
{
    return unit_main(
        "mockbroker new leader",
        (struct unit_test[]){
            {"its epoch begins at its log end", its_epoch_begins_at_its_log_end},
            {"it does not remember its followers", it_does_not_remember_its_followers},
            {"who led already remembers them", who_led_already_remembers_them},
            {"followers that never come are too late", followers_that_never_come_are_too_late},
            {"alone, its log is committed at once", alone_its_log_is_committed_at_once},
            {"what waits at an old leader: 6", what_waits_at_an_old_leader_is_told_six},
            {"an old LeaderAndIsr", an_old_leader_and_isr_is_not_listened_to},
            {"without a live leader it believes what it did", without_a_live_leader_it_believes_what_it_did},
            {0},
        });
}
