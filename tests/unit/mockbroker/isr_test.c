/* The in-sync set: when it shrinks and grows, and the two phases of a change. */

#include "follower.h"
#include "mockbroker/control.h"
#include "mockbroker/controller.h"
#include "unit.h"

static const struct mb_setting quick_lag[] = {{"replica.lag.time.max.ms", "2000"}, {NULL, NULL}};

/* Leader 1; the fetches of 2 are made by hand. Checks of the ISR are at every full second. */
static uint32_t open_by_hand(struct harness *h)
{
    harness_open_simple(h, 2, 2, quick_lag, NULL);
    harness_run(h, 10000);
    harness_cut(h, 1, 2);
    return harness_connect(h, 1);
}

static void run_until(struct harness *h, int64_t us)
{
    harness_run(h, us - h->now_us);
}

/* --- Rule 11 --- */

static void it_is_looked_at_every_half_of_the_lag_time(void)
{
    struct harness h;
    uint32_t c = open_by_hand(&h);
    run_until(&h, 1300000);
    CU_ASSERT_EQUAL(follower_fetch(&h, c, 2, 0), 0);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    run_until(&h, 3900000); /* 2.6 s after it was caught up */
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 2);
    CU_ASSERT_EQUAL(follower_replica(&h, 1)->isr_change, MB_ISR_COMMITTED);
    run_until(&h, 4010000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 1);
    harness_close(&h);
}

static void just_the_lag_time_is_not_too_long(void)
{
    struct harness h;
    uint32_t c = open_by_hand(&h);
    run_until(&h, 2000000 - h.latency_us);
    CU_ASSERT_EQUAL(follower_fetch(&h, c, 2, 0), 0);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    run_until(&h, 4900000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 2);
    run_until(&h, 5010000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 1);
    harness_close(&h);
}

static void at_the_leaders_end_nobody_is_too_late(void)
{
    struct harness h;
    uint32_t c = open_by_hand(&h);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    CU_ASSERT_EQUAL(follower_fetch(&h, c, 2, 1), 0);
    harness_run(&h, 20000000); /* silence, but there is nothing to fetch */
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 2);
    harness_close(&h);
}

static void who_falls_behind_by_fetching_is_looked_at_too(void)
{
    struct harness h;
    uint32_t c = open_by_hand(&h);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    CU_ASSERT_EQUAL(follower_fetch(&h, c, 2, 1), 0);
    harness_run(&h, 5000000); /* it was looked at for the last time */
    CU_ASSERT_EQUAL(follower_fetch(&h, c, 2, 0), 0);
    harness_run(&h, 4000000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 1);
    harness_close(&h);
}

/* --- Rule 13 --- */

static void a_pending_expansion_keeps_its_members(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, quick_lag, NULL);
    harness_run(&h, 10000);
    mb_kill(h.cluster, 3, h.now_us);
    harness_run(&h, 8000000);
    uint32_t c = harness_connect(&h, 1);
    harness_cut(&h, 1, MB_CONTROLLER);
    harness_cut(&h, 1, 2);
    CU_ASSERT_EQUAL(follower_fetch(&h, c, 3, 0), 0);
    CU_ASSERT_EQUAL(mb_partition_maximal_isr_count(follower_replica(&h, 1)), 3);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    harness_run(&h, 10000000); /* 2 is too late, but one change is in flight */
    CU_ASSERT_EQUAL(mb_partition_maximal_isr_count(follower_replica(&h, 1)), 3);
    CU_ASSERT_EQUAL(follower_replica(&h, 1)->isr_change, MB_ISR_PENDING_EXPAND);
    harness_close(&h);
}

static void one_change_is_in_flight(void)
{
    struct harness h;
    uint32_t c = follower_open_alone(&h, NULL, NULL);
    struct mb_partition *leader = follower_replica(&h, 1);
    harness_cut(&h, 1, MB_CONTROLLER);
    CU_ASSERT_EQUAL(follower_fetch(&h, c, 2, 0), 0);
    CU_ASSERT_EQUAL(follower_fetch(&h, c, 3, 0), 0);
    CU_ASSERT_EQUAL(mb_partition_maximal_isr_count(leader), 2);
    CU_ASSERT_TRUE(mb_partition_is_in_maximal_isr(leader, mb_broker_of(h.cluster, 2)->index));
    CU_ASSERT_FALSE(mb_partition_is_in_maximal_isr(leader, mb_broker_of(h.cluster, 3)->index));
    harness_heal(&h);
    harness_run(&h, 1000000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 2);
    CU_ASSERT_EQUAL(follower_fetch(&h, c, 3, 0), 0);
    harness_run(&h, 1000000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 3);
    harness_close(&h);
}

static void an_old_change_holds_up_the_next(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, NULL, NULL);
    harness_run(&h, 10000);
    mb_kill(h.cluster, 3, h.now_us);
    harness_run(&h, 8000000);
    uint32_t c = harness_connect(&h, 1);
    h.control_latency_us = 5000000; /* only for what leaves now */
    CU_ASSERT_EQUAL(follower_fetch(&h, c, 3, 0), 0);
    h.control_latency_us = 500;
    CU_ASSERT_TRUE(mb_move_leader(h.cluster, "t", 0, 2, h.now_us));
    harness_run(&h, 100000);
    CU_ASSERT_TRUE(mb_move_leader(h.cluster, "t", 0, 1, h.now_us));
    harness_run(&h, 100000);
    struct mb_partition *leader = follower_replica(&h, 1);
    CU_ASSERT_TRUE(leader->is_leader);
    CU_ASSERT_EQUAL(leader->isr_change, MB_ISR_COMMITTED); /* the new epoch's ISR is the controller's */
    CU_ASSERT_EQUAL(follower_fetch(&h, c, 3, 0), 0);
    CU_ASSERT_EQUAL(mb_partition_maximal_isr_count(leader), 2);
    harness_run(&h, 5000000); /* fenced */
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 2);
    CU_ASSERT_EQUAL(follower_fetch(&h, c, 3, 0), 0);
    CU_ASSERT_EQUAL(mb_partition_maximal_isr_count(leader), 3);
    harness_run(&h, 10000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 3);
    harness_close(&h);
}

/* Two partitions: the second one's change waits for the first one's request, and is sent as it was. */
static void a_queued_change_is_sent_as_it_was(void)
{
    static const int32_t ids[] = {1, 2, 3};
    static const int32_t assignment[] = {1, 2, 3, 1, 2, 3};
    struct mb_topic_options topic = {
        .name = "t", .partition_count = 2, .replication_factor = 3, .assignment = assignment};
    struct mb_options options = {.broker_ids = ids, .broker_count = 3, .topics = &topic, .topic_count = 1};
    struct harness h;
    harness_open(&h, &options);
    harness_run(&h, 10000);
    mb_kill(h.cluster, 3, h.now_us);
    harness_run(&h, 8000000);
    struct mb_broker *broker = mb_broker_of(h.cluster, 1);
    struct mb_partition *second = broker->hosted[1];
    harness_cut(&h, 1, MB_CONTROLLER);
    CU_ASSERT_EQUAL(follower_fetch(&h, harness_connect(&h, 1), 3, 0), 0);
    mb_partition_follower_fetched(second, 2, 0, NULL);
    CU_ASSERT_EQUAL(second->alter_isr, MB_ALTER_ISR_QUEUED);
    int32_t isr[] = {0, 1};
    struct mb_partition_state *state = mb_partition_state_create(
        h.cluster->allocator, 0, second->leader_epoch + 1, second->version + 1, isr, 2);
    mb_partition_make_leader(second, state);
    mb_partition_state_drop(h.cluster->allocator, state);
    mb_partition_follower_fetched(second, 2, 0, NULL);
    CU_ASSERT_EQUAL(second->alter_isr, MB_ALTER_ISR_QUEUED);
    CU_ASSERT_EQUAL(second->alter_isr_wanted->leader_epoch, second->leader_epoch - 1);
    CU_ASSERT_EQUAL(mb_partition_maximal_isr_count(second), 2);
    h.is_unchecked = true;
    harness_close(&h);
}

/* An answer from the controller to the leader of "t", as it might come. */
static void answer(struct harness *h, int32_t epoch_offset, int32_t version_offset, int32_t error)
{
    struct mb_partition *leader = follower_replica(h, 1);
    int32_t isr[] = {0, 1, 2};
    struct mb_partition_state *state =
        mb_partition_state_create(h->cluster->allocator, 0, leader->leader_epoch + epoch_offset,
                                  leader->version + version_offset, isr, 3);
    mb_partition_alter_isr_done(leader, error == 0 ? state : NULL, error);
    mb_partition_state_drop(h->cluster->allocator, state);
}

static void only_an_answer_that_fits_counts(void)
{
    struct harness h;
    uint32_t c = follower_open_alone(&h, NULL, NULL);
    struct mb_partition *leader = follower_replica(&h, 1);
    harness_cut(&h, 1, MB_CONTROLLER);
    CU_ASSERT_EQUAL(follower_fetch(&h, c, 2, 0), 0);
    answer(&h, 1, 1, 0); /* of another epoch */
    CU_ASSERT_EQUAL(leader->isr_change, MB_ISR_PENDING_EXPAND);
    answer(&h, -1, 1, 0);
    CU_ASSERT_EQUAL(leader->isr_change, MB_ISR_PENDING_EXPAND);
    answer(&h, 0, -1, 0); /* older than what it knows */
    CU_ASSERT_EQUAL(leader->isr_change, MB_ISR_PENDING_EXPAND);
    answer(&h, 0, 0, KW_ERROR_INVALID_UPDATE_VERSION); /* it gives up and waits for a LeaderAndIsr */
    CU_ASSERT_EQUAL(leader->isr_change, MB_ISR_PENDING_EXPAND);
    CU_ASSERT_EQUAL(leader->alter_isr, MB_ALTER_ISR_NONE);
    answer(&h, 0, 1, 0);
    CU_ASSERT_EQUAL(leader->isr_change, MB_ISR_COMMITTED);
    CU_ASSERT_EQUAL(leader->isr_count, 3);
    int32_t version = leader->version;
    answer(&h, 0, 5, 0); /* nothing was asked */
    CU_ASSERT_EQUAL(leader->version, version);
    h.is_unchecked = true;
    harness_close(&h);
}

/* Ask the controller as broker 1 does; the error of its answer. */
static int32_t ask(struct harness *h, int32_t epoch_offset, int32_t version_offset, const int32_t *isr,
                   uint32_t isr_count)
{
    struct mb_topic_partition *tp = follower_replica(h, 1)->tp;
    const struct mb_partition_state *current = mb_controller_state(h->cluster, tp);
    struct mb_control *control = mb_control_create(h->cluster, MB_CONTROL_ALTER_ISR, 0, MB_TO_CONTROLLER);
    struct mb_partition_state *wanted =
        mb_partition_state_create(h->cluster->allocator, 0, current->leader_epoch + epoch_offset,
                                  current->version + version_offset, isr, isr_count);
    mb_control_add(h->cluster, control, tp, wanted, 0);
    mb_partition_state_drop(h->cluster->allocator, wanted);
    mb_controller_receive(h->cluster, control);
    mb_control_destroy(h->cluster, control);
    int32_t error = -1;
    KB_LIST_FOR_EACH(node, &h->cluster->control_list)
    {
        const struct mb_control *sent = KB_CONTAINER_OF(node, struct mb_control, all);
        error = sent->kind == MB_CONTROL_ALTER_ISR_DONE ? sent->items[0].error : error;
    }
    return error;
}

static void the_controller_writes_only_what_fits(void)
{
    struct harness h;
    (void)follower_open_alone(&h, NULL, NULL);
    struct mb_topic_partition *tp = follower_replica(&h, 1)->tp;
    int32_t version = mb_controller_state(h.cluster, tp)->version;
    int32_t epoch = mb_controller_state(h.cluster, tp)->leader_epoch;
    static const int32_t alone[] = {0};
    static const int32_t two[] = {0, 1};
    CU_ASSERT_EQUAL(ask(&h, -1, 0, two, 2), KW_ERROR_FENCED_LEADER_EPOCH);
    CU_ASSERT_EQUAL(ask(&h, 0, -1, two, 2), KW_ERROR_INVALID_UPDATE_VERSION);
    CU_ASSERT_EQUAL(ask(&h, 0, 1, two, 2), KW_ERROR_INVALID_UPDATE_VERSION);
    CU_ASSERT_EQUAL(ask(&h, 0, -1, alone, 1), 0); /* nothing to write: its version is not asked for */
    CU_ASSERT_EQUAL(mb_controller_state(h.cluster, tp)->version, version);
    CU_ASSERT_EQUAL(ask(&h, 0, 0, two, 2), 0);
    CU_ASSERT_EQUAL(mb_controller_state(h.cluster, tp)->version, version + 1);
    CU_ASSERT_EQUAL(mb_controller_state(h.cluster, tp)->leader_epoch, epoch);
    CU_ASSERT_EQUAL(mb_controller_state(h.cluster, tp)->isr_count, 2);
    h.is_unchecked = true;
    harness_close(&h);
}

/* Its session is over, and it does not know: refused as a whole, and sent again and again. */
static void an_unknown_broker_tries_again(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, quick_lag, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_TRUE(mb_controller_link(h.cluster, 1, false, h.now_us)); /* no heartbeats; messages pass */
    harness_run(&h, 7000000);
    CU_ASSERT_EQUAL(harness_partition(&h).leader, 2);
    CU_ASSERT_TRUE(harness_replica(&h, 1).is_leader);
    CU_ASSERT_EQUAL(follower_produce(&h, c), 0);
    harness_run(&h, 5000000); /* nobody fetches from it: it wants a smaller ISR */
    struct mb_partition *leader = follower_replica(&h, 1);
    CU_ASSERT_EQUAL(leader->isr_change, MB_ISR_PENDING_SHRINK);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 2);
    uint64_t first = h.cluster->next_message;
    harness_run(&h, 500000);
    CU_ASSERT_TRUE(h.cluster->next_message - first >= 16); /* a request and an answer every 50 ms */
    CU_ASSERT_TRUE(mb_controller_link(h.cluster, 1, true, h.now_us));
    harness_run(&h, 10000000);
    CU_ASSERT_FALSE(harness_replica(&h, 1).is_leader);
    CU_ASSERT_EQUAL(leader->alter_isr, MB_ALTER_ISR_NONE); /* fenced */
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 3);
    harness_close(&h);
}

int main(void)
{
    return unit_main("mockbroker ISR",
                     (struct unit_test[]){
                         {"looked at every half of the lag time", it_is_looked_at_every_half_of_the_lag_time},
                         {"just the lag time is not too long", just_the_lag_time_is_not_too_long},
                         {"at the leader's end nobody is too late", at_the_leaders_end_nobody_is_too_late},
                         {"who falls behind by fetching", who_falls_behind_by_fetching_is_looked_at_too},
                         {"a pending expansion keeps its members", a_pending_expansion_keeps_its_members},
                         {"one change is in flight", one_change_is_in_flight},
                         {"an old change holds up the next", an_old_change_holds_up_the_next},
                         {"a queued change is sent as it was", a_queued_change_is_sent_as_it_was},
                         {"only an answer that fits counts", only_an_answer_that_fits_counts},
                         {"the controller writes only what fits", the_controller_writes_only_what_fits},
                         {"an unknown broker tries again", an_unknown_broker_tries_again},
                         {0},
                     });
}
