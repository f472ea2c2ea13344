/*
 * The invariants that the ledger and the logs show when a run is over.
 */
#include "engine/invariants.h"

#include <inttypes.h>
#include <string.h>

#include "wire/record_batch.h"

#define BROKEN(checks, ...)                                                                                  \
    do {                                                                                                     \
        if ((checks)->complaints->count < SIM_INVARIANT_COMPLAINTS_MAX) {                                    \
            sim_complain((checks)->complaints, __VA_ARGS__);                                                 \
        }                                                                                                    \
    } while (0)

/* --- The ledger
 * ----------------------------------------------------------------------------------------------------------
 */

static bool has_leader(const struct sim_invariants *checks)
{
    const struct mb_cluster *cluster = sim_world_cluster(checks->world);
    for (uint32_t t = 0; t < checks->scenario->topic_count; t++) {
        const char *topic = checks->scenario->topics[t].name;
        for (int32_t p = 0; p < mb_topic_partition_count(cluster, topic); p++) {
            struct mb_partition_view view;
            if (mb_partition_view(cluster, topic, p, &view) && view.leader < 0) {
                return false;
            }
        }
    }
    return true;
}

static void check_record(struct sim_invariants *checks, uint32_t id, const struct sim_ledger_record *record)
{
    const struct sim_producer_info *producer = &checks->info->producers[record->producer];
    bool is_all = strcmp(producer->acks, "all") == 0;
    if (is_all && record->verdict == SIM_VERDICT_LOST_AFTER_ACK) {
        BROKEN(checks,
               "rule 2: record %" PRIu32 " of partition %d was acknowledged under acks=all and is lost", id,
               record->partition);
    }
    if (producer->is_idempotent && !checks->has_bumped[record->producer]) {
        if (record->copies > 1) {
            BROKEN(checks,
                   "rule 3: record %" PRIu32 " of partition %d of an idempotent producer is there %" PRIu32
                   " times",
                   id, record->partition, record->copies);
        }
        if (record->is_reordered) {
            BROKEN(checks,
                   "rule 3: record %" PRIu32 " of partition %d of an idempotent producer is out of order", id,
                   record->partition);
        }
    }
    if (producer->max_in_flight == 1 && !checks->has_expired[record->producer] &&
        !checks->has_set[record->producer] && record->is_reordered && strcmp(producer->acks, "0") != 0) {
        BROKEN(checks,
               "rule 4: record %" PRIu32 " of partition %d is out of order with one request in flight", id,
               record->partition);
    }
}

static void check_ledger(struct sim_invariants *checks)
{
    struct sim_ledger *ledger = sim_world_ledger(checks->world);
    struct sim_ledger_totals totals;
    sim_ledger_totals(ledger, &totals);
    uint64_t verdicts = 0;
    for (int i = 0; i < SIM_VERDICT_COUNT; i++) {
        verdicts += totals.verdicts[i];
    }
    if (totals.unknown > 0) {
        BROKEN(checks, "rule 6: %" PRIu64 " records in the logs that nobody sent", totals.unknown);
    }
    if (verdicts != totals.sent ||
        totals.acked + totals.failed + totals.verdicts[SIM_VERDICT_PENDING] != totals.sent) {
        BROKEN(checks, "rule 6: %" PRIu64 " sent, %" PRIu64 " acked, %" PRIu64 " failed, %" PRIu64 " pending",
               totals.sent, totals.acked, totals.failed, totals.verdicts[SIM_VERDICT_PENDING]);
    }
    if (!checks->is_clean || !has_leader(checks)) {
        return; /* which replica holds the truth is not known */
    }
    for (uint32_t i = 0; i < sim_ledger_count(ledger); i++) {
        struct sim_ledger_record record;
        if (!sim_ledger_record(ledger, i, &record)) {
            continue; /* settled long ago */
        }
        check_record(checks, i, &record);
    }
}

/* --- The logs
 * ------------------------------------------------------------------------------------------------------------
 */

struct sequence {
    int64_t producer_id;
    int16_t epoch;
    int32_t next;
};

/* What a producer id wrote before in this partition. */
static void check_sequence(struct sim_invariants *checks, struct sequence *known, uint32_t *count,
                           const uint8_t *batch, const char *topic, int32_t partition)
{
    enum { IDS_MAX = 64 };
    int64_t producer_id = kw_record_batch_producer_id(batch);
    if (producer_id < 0 || kw_record_batch_is_control(batch)) {
        return;
    }
    uint32_t i = 0;
    while (i < *count && known[i].producer_id != producer_id) {
        i++;
    }
    if (i == IDS_MAX) {
        return;
    }
    int32_t base = kw_record_batch_base_sequence(batch);
    int16_t epoch = kw_record_batch_producer_epoch(batch);
    /* Of an id that the log does not know any sequence is taken (ProducerAppendInfo.checkSequence): what came
     * before may have been refused for good. */
    int32_t expected = i == *count ? base : known[i].epoch == epoch ? known[i].next : 0;
    if (base != expected) {
        BROKEN(checks, "rule 5: %s-%d offset %" PRId64 " has sequence %d of producer id %" PRId64 ", not %d",
               topic, partition, kw_record_batch_base_offset(batch), base, producer_id, expected);
    }
    known[i] = (struct sequence){producer_id, epoch, kw_record_batch_last_sequence(batch) + 1};
    *count = i == *count ? *count + 1 : *count;
}

static void check_leader_log(struct sim_invariants *checks, const char *topic, int32_t partition,
                             int32_t leader)
{
    const struct mb_cluster *cluster = sim_world_cluster(checks->world);
    struct sequence known[64];
    uint32_t count = 0;
    const void *batch;
    size_t length_bytes;
    int64_t offset = 0;
    while (mb_log_read(cluster, leader, topic, partition, offset, &batch, &length_bytes)) {
        check_sequence(checks, known, &count, batch, topic, partition);
        if (kw_record_batch_base_offset(batch) != offset) {
            BROKEN(checks, "rule 5: %s-%d has a gap before offset %" PRId64, topic, partition,
                   kw_record_batch_base_offset(batch));
        }
        offset = kw_record_batch_last_offset(batch) + 1;
    }
}

static void check_same_bytes(struct sim_invariants *checks, const char *topic, int32_t partition,
                             int32_t leader, int32_t follower)
{
    const struct mb_cluster *cluster = sim_world_cluster(checks->world);
    struct mb_replica_view view;
    if (!mb_replica_view(cluster, leader, topic, partition, &view) || follower == leader) {
        return;
    }
    int64_t offset = 0;
    while (offset < view.high_watermark) {
        const void *theirs;
        const void *ours;
        size_t their_bytes;
        size_t our_bytes;
        bool there = mb_log_read(cluster, leader, topic, partition, offset, &theirs, &their_bytes);
        bool here = mb_log_read(cluster, follower, topic, partition, offset, &ours, &our_bytes);
        if (!there || !here || their_bytes != our_bytes || memcmp(theirs, ours, our_bytes) != 0) {
            BROKEN(checks, "rule 13: %s-%d differs between brokers %d and %d at offset %" PRId64, topic,
                   partition, leader, follower, offset);
            return;
        }
        offset = kw_record_batch_last_offset(theirs) + 1;
    }
}

void sim_invariants_of_logs(struct sim_invariants *checks)
{
    check_ledger(checks);
    const struct mb_cluster *cluster = sim_world_cluster(checks->world);
    for (uint32_t t = 0; t < checks->scenario->topic_count && checks->is_clean; t++) {
        const char *topic = checks->scenario->topics[t].name;
        for (int32_t p = 0; p < mb_topic_partition_count(cluster, topic); p++) {
            struct mb_partition_view view;
            if (!mb_partition_view(cluster, topic, p, &view) || view.leader < 0) {
                continue;
            }
            check_leader_log(checks, topic, p, view.leader);
            for (uint32_t i = 0; i < view.isr_count; i++) {
                check_same_bytes(checks, topic, p, view.leader, mb_partition_isr(cluster, topic, p, i));
            }
        }
    }
}
