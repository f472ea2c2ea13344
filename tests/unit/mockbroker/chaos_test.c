/*
 * Property test: whatever happens to brokers and links, every invariant holds after every step; when it is
 * over the replicas agree, everybody is in sync again, and no record that was acked with acks=all is lost.
 *
 *     MB_SEED=123 unit_mockbroker_chaos      replays one run
 */

#include "harness.h"
#include "unit.h"

#include "base/prng.h"
#include "wire/record_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BROKERS = 3, RUNS = 100, ROUNDS = 60, ACKED_MAX = 256 };

struct acked {
    int64_t offset;
    int64_t mark;
};

struct run {
    struct harness h;
    struct kb_prng prng;
    struct acked acked[ACKED_MAX];
    int acked_count;
    int64_t next_mark;
    bool is_down[BROKERS + 1];
    bool is_frozen[BROKERS + 1];
};

/* The timestamp of a batch marks it. */
static void produce(struct run *run)
{
    struct harness *h = &run->h;
    int32_t broker = 1 + (int32_t)kb_prng_below(&run->prng, BROKERS);
    uint32_t id = harness_connect(h, broker);
    if (!harness_is_open(h, id)) {
        return;
    }
    int64_t mark = 1600000000001 + run->next_mark++;
    struct harness_batch batch = {
        .records = 1 + (int32_t)kb_prng_below(&run->prng, 3), .value_bytes = 20, .timestamp_ms = mark};
    harness_produce_send(h, id, 9, 0, -1, 2500, harness_batch(h, &batch));
    struct kw_produce_response_partition answer = harness_produce_answer(h, id, 9, 3000000);
    if (answer.error_code == 0 && run->acked_count < ACKED_MAX) {
        run->acked[run->acked_count++] = (struct acked){answer.base_offset, mark};
    }
    mb_connection_closed(h->cluster, id, broker, h->now_us);
}

static void disturb(struct run *run)
{
    struct harness *h = &run->h;
    int32_t broker = 1 + (int32_t)kb_prng_below(&run->prng, BROKERS);
    int32_t other = 1 + (int32_t)kb_prng_below(&run->prng, BROKERS);
    switch (kb_prng_below(&run->prng, 11)) {
    case 0:
        run->is_down[broker] = mb_kill(h->cluster, broker, h->now_us) || run->is_down[broker];
        run->is_frozen[broker] = false;
        break;
    case 1:
    case 2:
        run->is_down[broker] = !mb_restart(h->cluster, broker, h->now_us) && run->is_down[broker];
        break;
    case 3:
        mb_shutdown(h->cluster, broker, h->now_us);
        break;
    case 4:
        run->is_frozen[broker] = mb_freeze(h->cluster, broker, h->now_us) || run->is_frozen[broker];
        break;
    case 5:
        (void)mb_thaw(h->cluster, broker, h->now_us);
        break;
    case 6:
        if (h->cut_count < HARNESS_CUTS && broker != other) {
            harness_cut(h, broker, other);
        }
        break;
    case 7:
        if (h->cut_count < HARNESS_CUTS) {
            harness_cut(h, broker, MB_CONTROLLER);
            mb_controller_link(h->cluster, broker, false, h->now_us);
        }
        break;
    case 8:
        harness_heal(h);
        for (int32_t i = 1; i <= BROKERS; i++) {
            mb_controller_link(h->cluster, i, true, h->now_us);
        }
        break;
    case 9:
        mb_slow_replica(h->cluster, broker, kb_prng_between(&run->prng, 0, 1500000));
        break;
    case 10:
        mb_move_leader(h->cluster, "t", 0, broker, h->now_us);
        break;
    }
    harness_drain(h);
}

static void repair(struct run *run)
{
    struct harness *h = &run->h;
    harness_heal(h);
    for (int32_t i = 1; i <= BROKERS; i++) {
        (void)mb_thaw(h->cluster, i, h->now_us);
        mb_slow_replica(h->cluster, i, 0);
        mb_controller_link(h->cluster, i, true, h->now_us);
    }
    for (int round = 0; round < 4; round++) {
        harness_run(h, 20000000);
        for (int32_t i = 1; i <= BROKERS; i++) {
            (void)mb_restart(h->cluster, i, h->now_us);
        }
    }
    harness_run(h, 60000000);
}

static bool is_present(struct run *run, int32_t broker, const struct acked *acked)
{
    const void *batch = NULL;
    size_t length_bytes = 0;
    return mb_log_read(run->h.cluster, broker, "t", 0, acked->offset, &batch, &length_bytes) &&
           kw_record_batch_base_offset(batch) == acked->offset &&
           kw_record_batch_max_timestamp_ms(batch) == acked->mark;
}

static bool verify(struct run *run, bool may_lose)
{
    struct harness *h = &run->h;
    struct mb_partition_view view = harness_partition(h);
    if (view.leader < 0 || view.isr_count != BROKERS) {
        printf("leader %d, isr %u\n", view.leader, view.isr_count);
        return false;
    }
    int64_t end_offset = harness_replica(h, view.leader).log_end_offset;
    for (int32_t i = 1; i <= BROKERS; i++) {
        struct mb_replica_view replica = harness_replica(h, i);
        if (replica.log_end_offset != end_offset || replica.high_watermark != end_offset) {
            printf("broker %d: end %lld, hw %lld; leader's end %lld\n", i, (long long)replica.log_end_offset,
                   (long long)replica.high_watermark, (long long)end_offset);
            return false;
        }
        for (int j = 0; j < run->acked_count && !may_lose; j++) {
            if (!is_present(run, i, &run->acked[j])) {
                printf("broker %d lost offset %lld\n", i, (long long)run->acked[j].offset);
                return false;
            }
        }
    }
    return true;
}

static int total_acked;

static void play(uint64_t seed, bool unclean)
{
    static struct run run;
    struct mb_setting broker[] = {{"replica.lag.time.max.ms", "3000"},
                                  {"zookeeper.session.timeout.ms", "4000"},
                                  {"unclean.leader.election.enable", unclean ? "true" : "false"},
                                  {NULL, NULL}};
    memset(&run, 0, sizeof run);
    kb_prng_init(&run.prng, seed, 1);
    harness_open_simple(&run.h, BROKERS, BROKERS, broker, NULL);
    harness_run(&run.h, 100000);
    for (int i = 0; i < ROUNDS && run.h.next_connection < HARNESS_CONNECTIONS - 100; i++) {
        if (kb_prng_chance(&run.prng, 2, 5)) {
            disturb(&run);
        } else {
            produce(&run);
        }
        harness_run(&run.h, kb_prng_between(&run.prng, 0, 2500000));
    }
    repair(&run);
    total_acked += run.acked_count;
    if (!verify(&run, unclean)) {
        printf("replay: MB_SEED=%llu %s unit_mockbroker_chaos\n", (unsigned long long)seed,
               unclean ? "MB_UNCLEAN=1" : "");
        CU_FAIL("the cluster did not come back as it should");
    }
    harness_close(&run.h);
}

static void play_all(bool unclean)
{
    const char *seed = getenv("MB_SEED");
    if (seed != NULL) {
        play(strtoull(seed, NULL, 10), unclean);
        return;
    }
    total_acked = 0;
    for (uint64_t i = 0; i < RUNS; i++) {
        play(i, unclean);
    }
    CU_ASSERT_TRUE(total_acked > RUNS * 5);
}

static void nothing_committed_is_lost(void)
{
    play_all(false);
}

static void unclean_elections_converge(void)
{
    play_all(true);
}

int main(void)
{
    return unit_main("mockbroker chaos", (struct unit_test[]){
                                             {"nothing committed is lost", nothing_committed_is_lost},
                                             {"unclean elections converge", unclean_elections_converge},
                                             {0},
                                         });
}
