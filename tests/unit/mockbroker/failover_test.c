/* Brokers that die, stop, stall and come back: elections, truncation, what is lost and what is not. */

#include "harness.h"
#include "unit.h"

#include "wire/record_batch.h"

#include <string.h>

static const struct harness_batch one = {.records = 1, .value_bytes = 10};

static int16_t produce(struct harness *h, uint32_t c, int16_t acks)
{
    return harness_produce(h, c, 0, acks, 30000, harness_batch(h, &one)).error_code;
}

static void a_dead_leader_is_noticed_and_replaced(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, NULL, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(produce(&h, c, -1), 0);
    CU_ASSERT_TRUE(mb_kill(h.cluster, 1, h.now_us));
    CU_ASSERT_FALSE(mb_kill(h.cluster, 1, h.now_us));
    harness_run(&h, 1000000);
    CU_ASSERT_FALSE(harness_is_open(&h, c));
    CU_ASSERT_FALSE(mb_connection_opened(h.cluster, 200, MB_FROM_CLIENT, 1, h.now_us));
    harness_run(&h, 4900000);
    CU_ASSERT_EQUAL(harness_partition(&h).leader, 1); /* zookeeper.session.timeout.ms is 6000 here */
    harness_run(&h, 200000);
    CU_ASSERT_EQUAL(harness_partition(&h).leader, 2);
    CU_ASSERT_EQUAL(harness_partition(&h).leader_epoch, 1);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 2);
    CU_ASSERT_EQUAL(h.last_events[KB_EVENT_LEADER_ELECTED].as.leader_elected.why,
                    KB_ELECTION_WHY_LEADER_LOST);
    c = harness_connect(&h, 2);
    CU_ASSERT_EQUAL(produce(&h, c, -1), 0);
    const void *batch = NULL;
    size_t length_bytes = 0;
    CU_ASSERT_TRUE_FATAL(mb_log_read(h.cluster, 2, "t", 0, 1, &batch, &length_bytes));
    CU_ASSERT_EQUAL(kw_record_batch_partition_leader_epoch(batch), 1);
    CU_ASSERT_TRUE(mb_restart(h.cluster, 1, h.now_us));
    harness_run(&h, 5000000);
    CU_ASSERT_TRUE(mb_broker_is_up(h.cluster, 1));
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 3);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 2);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).leader_epoch, 1);
    harness_close(&h);
}

static void acked_by_one_then_gone(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, NULL, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(produce(&h, c, -1), 0);
    mb_slow_replica(h.cluster, 2, 3000000);
    mb_slow_replica(h.cluster, 3, 3000000);
    harness_run(&h, 1000000); /* the next fetches are delayed */
    CU_ASSERT_EQUAL(produce(&h, c, 1), 0);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 2);
    mb_kill(h.cluster, 1, h.now_us);
    mb_slow_replica(h.cluster, 2, 0);
    mb_slow_replica(h.cluster, 3, 0);
    harness_run(&h, 7000000);
    CU_ASSERT_EQUAL(harness_partition(&h).leader, 2);
    c = harness_connect(&h, 2);
    struct harness_batch other = {.records = 1, .value_bytes = 10, .fill = 'o'};
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, -1, 30000, harness_batch(&h, &other)).base_offset, 1);
    mb_restart(h.cluster, 1, h.now_us);
    harness_run(&h, 5000000);
    /* The acked record is cut off: the epochs differ at offset 1. */
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_LOG_TRUNCATED], 1);
    CU_ASSERT_EQUAL(h.last_events[KB_EVENT_LOG_TRUNCATED].as.log_truncated.end_offset, 1);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 2);
    const void *a = NULL;
    const void *b = NULL;
    size_t length_bytes = 0;
    CU_ASSERT_TRUE(mb_log_read(h.cluster, 1, "t", 0, 1, &a, &length_bytes));
    CU_ASSERT_TRUE(mb_log_read(h.cluster, 2, "t", 0, 1, &b, &length_bytes));
    CU_ASSERT_PTR_EQUAL(a, b);
    harness_close(&h);
}

static void nobody_in_sync_means_nobody_leads(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, NULL);
    harness_run(&h, 10000);
    mb_kill(h.cluster, 2, h.now_us);
    harness_run(&h, 7000000);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(produce(&h, c, -1), 0);
    mb_kill(h.cluster, 1, h.now_us);
    mb_restart(h.cluster, 2, h.now_us);
    harness_run(&h, 10000000);
    CU_ASSERT_EQUAL(harness_partition(&h).leader, -1);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 1); /* never the last one */
    CU_ASSERT_EQUAL(mb_partition_isr(h.cluster, "t", 0, 0), 1);
    /* Metadata: 5; produce: not the leader. */
    c = harness_connect(&h, 2);
    CU_ASSERT_EQUAL(produce(&h, c, 1), KW_ERROR_NOT_LEADER_OR_FOLLOWER);
    mb_restart(h.cluster, 1, h.now_us);
    harness_run(&h, 10000000);
    CU_ASSERT_EQUAL(harness_partition(&h).leader, 1);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 2);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_LOG_TRUNCATED], 0);
    CU_ASSERT_EQUAL(harness_replica(&h, 2).log_end_offset, 1);
    harness_close(&h);
}

static void unclean_election_loses(void)
{
    struct mb_setting topic[] = {{"unclean.leader.election.enable", "true"}, {NULL, NULL}};
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, topic);
    harness_run(&h, 10000);
    mb_kill(h.cluster, 2, h.now_us);
    harness_run(&h, 7000000);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(produce(&h, c, -1), 0);
    CU_ASSERT_EQUAL(produce(&h, c, -1), 0);
    mb_kill(h.cluster, 1, h.now_us);
    mb_restart(h.cluster, 2, h.now_us);
    harness_run(&h, 10000000);
    CU_ASSERT_EQUAL(harness_partition(&h).leader, 2);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 1);
    CU_ASSERT_EQUAL(h.last_events[KB_EVENT_LEADER_ELECTED].as.leader_elected.why, KB_ELECTION_WHY_UNCLEAN);
    c = harness_connect(&h, 2);
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, -1, 30000, harness_batch(&h, &one)).base_offset, 0);
    mb_restart(h.cluster, 1, h.now_us);
    harness_run(&h, 10000000);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 1);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 2);
    CU_ASSERT_TRUE(h.event_counts[KB_EVENT_LOG_TRUNCATED] >= 1);
    harness_close(&h);
}

static void a_controlled_shutdown_moves_leaders_first(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, NULL, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(produce(&h, c, -1), 0);
    mb_slow_replica(h.cluster, 2, 1000000);
    harness_run(&h, 600000);
    harness_produce_send(&h, c, 9, 0, -1, 30000, harness_batch(&h, &one));
    harness_run(&h, 10000);
    CU_ASSERT_TRUE(mb_shutdown(h.cluster, 1, h.now_us));
    CU_ASSERT_TRUE(mb_broker_is_up(h.cluster, 1));
    /* The parked request is told that its leader leads no more. */
    CU_ASSERT_EQUAL(harness_produce_answer(&h, c, 9, 1000000).error_code, KW_ERROR_NOT_LEADER_OR_FOLLOWER);
    harness_run(&h, 100000);
    CU_ASSERT_FALSE(mb_broker_is_up(h.cluster, 1));
    CU_ASSERT_EQUAL(h.last_events[KB_EVENT_BROKER_DOWN].as.broker_down.clean, 1);
    CU_ASSERT_EQUAL(harness_partition(&h).leader, 2);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 2);
    CU_ASSERT_EQUAL(h.last_events[KB_EVENT_LEADER_ELECTED].as.leader_elected.why,
                    KB_ELECTION_WHY_CONTROLLED_SHUTDOWN);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_BROKER_LOSS_NOTICED], 1);
    mb_restart(h.cluster, 1, h.now_us);
    harness_run(&h, 10000000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 3);
    harness_close(&h);
}

static void a_restart_waits_for_the_old_session(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, NULL, NULL);
    harness_run(&h, 10000);
    mb_kill(h.cluster, 1, h.now_us);
    mb_restart(h.cluster, 1, h.now_us);
    harness_run(&h, 5900000);
    CU_ASSERT_FALSE(mb_broker_is_up(h.cluster, 1));
    harness_run(&h, 200000);
    CU_ASSERT_TRUE(mb_broker_is_up(h.cluster, 1));
    CU_ASSERT_EQUAL(harness_partition(&h).leader, 2);
    harness_run(&h, 5000000);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 3);
    harness_close(&h);
}

static void a_frozen_leader_believes_until_it_hears(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, NULL, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_TRUE(mb_freeze(h.cluster, 1, h.now_us));
    harness_produce_send(&h, c, 9, 0, 1, 30000, harness_batch(&h, &one));
    harness_run(&h, 7000000);
    CU_ASSERT_EQUAL(harness_partition(&h).leader, 2);
    CU_ASSERT_TRUE(harness_replica(&h, 1).is_leader); /* in its own opinion */
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 0);
    uint32_t other = harness_connect(&h, 2);
    CU_ASSERT_EQUAL(produce(&h, other, -1), 0);
    mb_thaw(h.cluster, 1, h.now_us);
    /* It acks what lay in its socket: lost, as soon as it hears the news. */
    CU_ASSERT_EQUAL(harness_produce_answer(&h, c, 9, 1000000).error_code, 0);
    harness_run(&h, 10000000);
    CU_ASSERT_FALSE(harness_replica(&h, 1).is_leader);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 1);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_LOG_TRUNCATED], 1);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 3);
    harness_close(&h);
}

static void an_isolated_leader_acks_what_is_lost(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, NULL, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    harness_cut(&h, 1, 2);
    harness_cut(&h, 1, 3);
    harness_cut(&h, 1, MB_CONTROLLER);
    mb_controller_link(h.cluster, 1, false, h.now_us);
    harness_run(&h, 7000000);
    CU_ASSERT_EQUAL(harness_partition(&h).leader, 2);
    CU_ASSERT_EQUAL(produce(&h, c, 1), 0); /* acks=1: acked, and lost */
    struct kw_produce_response_partition answer =
        harness_produce(&h, c, 0, -1, 2000, harness_batch(&h, &one));
    CU_ASSERT_EQUAL(answer.error_code, KW_ERROR_REQUEST_TIMED_OUT);
    uint32_t other = harness_connect(&h, 2);
    CU_ASSERT_EQUAL(produce(&h, other, -1), 0);
    harness_heal(&h);
    mb_controller_link(h.cluster, 1, true, h.now_us);
    harness_run(&h, 40000000);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 1);
    CU_ASSERT_FALSE(harness_replica(&h, 1).is_leader);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 3);
    harness_close(&h);
}

static void leaders_move_on_request(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, NULL, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 3);
    CU_ASSERT_EQUAL(produce(&h, c, 1), KW_ERROR_NOT_LEADER_OR_FOLLOWER);
    CU_ASSERT_FALSE(mb_move_leader(h.cluster, "t", 0, 9, h.now_us));
    CU_ASSERT_FALSE(mb_move_leader(h.cluster, "t", 4, 3, h.now_us));
    CU_ASSERT_TRUE(mb_move_leader(h.cluster, "t", 0, 3, h.now_us));
    harness_run(&h, 10000);
    CU_ASSERT_EQUAL(produce(&h, c, -1), 0);
    CU_ASSERT_EQUAL(harness_partition(&h).isr_count, 3);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 1);
    harness_close(&h);
}

static void the_high_watermark_is_checkpointed(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    harness_run(&h, 1000000);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(produce(&h, c, 1), 0);
    harness_run(&h, 5000000);
    CU_ASSERT_EQUAL(produce(&h, c, 1), 0);
    mb_kill(h.cluster, 1, h.now_us);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 2);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 1); /* what was there at the last tick of 5 s */
    mb_restart(h.cluster, 1, h.now_us);
    harness_run(&h, 10000000);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 2); /* alone in the ISR */
    harness_close(&h);
}

static void runs_are_reproducible(void)
{
    uint64_t digests[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        struct harness h;
        harness_open_simple(&h, 3, 3, NULL, NULL);
        harness_run(&h, 10000);
        uint32_t c = harness_connect(&h, 1);
        (void)produce(&h, c, -1);
        mb_kill(h.cluster, 1, h.now_us);
        harness_run(&h, 7000000);
        mb_restart(h.cluster, 1, h.now_us);
        harness_run(&h, 7000000);
        digests[i] = h.digest;
        harness_close(&h);
    }
    CU_ASSERT_EQUAL(digests[0], digests[1]);
}

int main(void)
{
    return unit_main("mockbroker failover",
                     (struct unit_test[]){
                         {"a dead leader is replaced", a_dead_leader_is_noticed_and_replaced},
                         {"acked by one, then gone", acked_by_one_then_gone},
                         {"nobody in sync: nobody leads", nobody_in_sync_means_nobody_leads},
                         {"unclean election loses", unclean_election_loses},
                         {"controlled shutdown", a_controlled_shutdown_moves_leaders_first},
                         {"a restart waits for the old session", a_restart_waits_for_the_old_session},
                         {"a frozen leader", a_frozen_leader_believes_until_it_hears},
                         {"an isolated leader", an_isolated_leader_acks_what_is_lost},
                         {"leaders move on request", leaders_move_on_request},
                         {"the high watermark is checkpointed", the_high_watermark_is_checkpointed},
                         {"runs are reproducible", runs_are_reproducible},
                         {0},
                     });
}
