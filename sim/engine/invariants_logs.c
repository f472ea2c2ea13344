/*
 * The invariants that the logs of leaders show as they grow, and the ledger and all logs when a run is over.
 */
#include "engine/invariants_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "wire/errors.h"
#include "wire/record_batch.h"

/* --- The ledger
 * ----------------------------------------------------------------------------------------------------------
 */

static bool has_leader(const struct sim_invariants *invariants)
{
    const struct mb_cluster *cluster = sim_world_cluster(invariants->world);
    for (uint32_t t = 0; t < invariants->scenario->topic_count; t++) {
        const char *topic = invariants->scenario->topics[t].name;
        for (int32_t p = 0; p < mb_topic_partition_count(cluster, topic); p++) {
            struct mb_partition_view view;
            if (mb_partition_view(cluster, topic, p, &view) && view.leader < 0) {
                return false;
            }
        }
    }
    return true;
}

/* A producer that is made again has another id (a transactional one the same, and a new epoch, which fences
 * what comes late), and one of the old one's requests that were given up may still be on its way. What the
 * old one was told is written was written before. */
static bool is_overtaken(const struct sim_invariants *invariants, uint32_t id,
                         const struct sim_ledger_record *record)
{
    const struct sim_seen_record *seen = &invariants->records[id];
    return record->verdict == SIM_VERDICT_FALSE_FAILURE &&
           !invariants->info->producers[record->producer].is_transactional &&
           seen->incarnation < invariants->producers[record->producer].incarnation;
}

static void check_record(struct sim_invariants *invariants, uint32_t id,
                         const struct sim_ledger_record *record)
{
    const struct sim_producer_info *producer = &invariants->info->producers[record->producer];
    const struct sim_seen_producer *seen = &invariants->producers[record->producer];
    bool is_doubtful = invariants->records[id].is_doubtful;
    if (seen->is_all && !is_doubtful && record->verdict == SIM_VERDICT_LOST_AFTER_ACK) {
        SIM_BROKEN(invariants,
                   "rule 2: record %" PRIu32 " of partition %d was acknowledged under acks=all and is lost",
                   id, record->partition);
    }
    if (producer->is_idempotent && !seen->has_bumped && !is_doubtful) {
        if (record->copies > 1) {
            SIM_BROKEN(invariants,
                       "rule 3: record %" PRIu32
                       " of partition %d of an idempotent producer is there %" PRIu32 " times",
                       id, record->partition, record->copies);
        }
        if (record->is_reordered && !is_overtaken(invariants, id, record)) {
            SIM_BROKEN(invariants,
                       "rule 3: record %" PRIu32 " of partition %d of an idempotent producer is out of order",
                       id, record->partition);
        }
    }
    if (producer->max_in_flight == 1 && !seen->has_expired && !seen->has_given_up && !seen->has_set &&
        record->is_reordered && !seen->is_none) {
        SIM_BROKEN(invariants,
                   "rule 4: record %" PRIu32 " of partition %d is out of order with one request in flight",
                   id, record->partition);
    }
}

static void check_pending(struct sim_invariants *invariants, uint32_t id,
                          const struct sim_ledger_record *record)
{
    const struct sim_seen_record *seen = &invariants->records[id];
    if (record->verdict == SIM_VERDICT_PENDING && seen->created_us >= 0 && seen->told == 0 &&
        sim_invariants_is_late(invariants, seen, seen->batch)) {
        SIM_BROKEN(invariants, "rule 7: record %" PRIu32 " is pending since %" PRId64 " us", id,
                   seen->created_us);
    }
}

/* What the application was told of the transaction is what consumers see. */
static void check_transaction(struct sim_invariants *invariants, uint32_t id,
                              const struct sim_ledger_record *record)
{
    const struct sim_seen_record *seen = &invariants->records[id];
    bool is_hidden = record->verdict == SIM_VERDICT_ABORTED;
    bool is_visible = record->verdict == SIM_VERDICT_DELIVERED || record->verdict == SIM_VERDICT_DUPLICATE ||
                      record->verdict == SIM_VERDICT_FALSE_FAILURE;
    if (seen->transaction == 0 || record->partition < 0 || seen->is_doubtful || seen->is_given_up) {
        return;
    }
    /* The one after it begins only when it is complete. */
    if (record->verdict == SIM_VERDICT_PENDING && seen->told > 0 &&
        seen->transaction + 1 < invariants->producers[record->producer].transaction) {
        SIM_BROKEN(invariants,
                   "rule 25: record %" PRIu32 " of partition %d waits for a marker that never came", id,
                   record->partition);
    }
    if ((seen->end == SIM_SEEN_COMMITTED && is_hidden) || (seen->end == SIM_SEEN_ABORTED && is_visible)) {
        SIM_BROKEN(invariants, "rule 25: record %" PRIu32 " of partition %d, whose transaction was %s, is %s",
                   id, record->partition, seen->end == SIM_SEEN_COMMITTED ? "committed" : "aborted",
                   is_hidden ? "hidden" : "visible");
    }
}

static void check_ledger(struct sim_invariants *invariants)
{
    struct sim_ledger *ledger = sim_world_ledger(invariants->world);
    struct sim_ledger_totals totals;
    sim_ledger_totals(ledger, &totals);
    uint64_t verdicts = 0;
    for (int i = 0; i < SIM_VERDICT_COUNT; i++) {
        verdicts += totals.verdicts[i];
    }
    if (totals.unknown > 0) {
        SIM_BROKEN(invariants, "rule 6: %" PRIu64 " records in the logs that nobody sent", totals.unknown);
    }
    /* Of a transaction that has not ended also what was acknowledged is pending. */
    uint64_t told = totals.acked + totals.failed;
    if (verdicts != totals.sent || told > totals.sent ||
        told + totals.verdicts[SIM_VERDICT_PENDING] < totals.sent) {
        SIM_BROKEN(invariants,
                   "rule 6: %" PRIu64 " sent, %" PRIu64 " acked, %" PRIu64 " failed, %" PRIu64 " pending",
                   totals.sent, totals.acked, totals.failed, totals.verdicts[SIM_VERDICT_PENDING]);
    }
    /* Without a leader, which replica holds the truth is not known. */
    bool is_certain = invariants->is_clean && has_leader(invariants);
    for (uint32_t i = 0; i < sim_ledger_count(ledger) && i < invariants->record_count; i++) {
        struct sim_ledger_record record;
        if (!sim_ledger_record(ledger, i, &record)) {
            continue; /* settled long ago */
        }
        check_pending(invariants, i, &record);
        if (is_certain) {
            check_record(invariants, i, &record);
            check_transaction(invariants, i, &record);
        }
    }
}

/* --- The logs
 * ------------------------------------------------------------------------------------------------------------
 */

static struct sim_seen_sequence *find_sequence(struct sim_seen_partition *partition, int64_t producer_id)
{
    for (uint32_t i = 0; i < partition->sequence_count; i++) {
        if (partition->sequences[i].producer_id == producer_id) {
            return &partition->sequences[i];
        }
    }
    return NULL;
}

static struct sim_seen_sequence *add_sequence(struct sim_seen_partition *partition, int64_t producer_id)
{
    if (partition->sequence_count == partition->sequence_capacity) {
        partition->sequence_capacity = 2 * partition->sequence_capacity + 8;
        partition->sequences =
            realloc(partition->sequences, partition->sequence_capacity * sizeof *partition->sequences);
        KB_ASSERT(partition->sequences != NULL);
    }
    partition->sequences[partition->sequence_count] = (struct sim_seen_sequence){.producer_id = producer_id};
    return &partition->sequences[partition->sequence_count++];
}

/* What a producer id wrote before in this partition. A marker has no sequence, but an epoch: the next one
 * begins anew when it is a newer one. */
static void check_sequence(struct sim_invariants *invariants, struct sim_seen_partition *partition,
                           const uint8_t *batch)
{
    int64_t producer_id = kw_record_batch_producer_id(batch);
    if (producer_id < 0) {
        return;
    }
    int32_t base = kw_record_batch_base_sequence(batch);
    int32_t epoch = kw_record_batch_producer_epoch(batch);
    struct sim_seen_sequence *known = find_sequence(partition, producer_id);
    bool is_marker = kw_record_batch_is_control(batch);
    /* Of an id that the log does not know any sequence is taken (ProducerAppendInfo.checkSequence): what came
     * before may have been refused for good. */
    bool is_known = known != NULL && known->next >= 0;
    int32_t expected = !is_known ? base : known->epoch == epoch ? known->next : 0;
    if (known != NULL && epoch < known->epoch) {
        SIM_BROKEN(invariants,
                   "rule 5: %s-%d offset %" PRId64 " has epoch %d of producer id %" PRId64 " after epoch %d",
                   partition->name, partition->number, kw_record_batch_base_offset(batch), epoch, producer_id,
                   known->epoch);
    } else if (base != expected && !is_marker) {
        SIM_BROKEN(invariants,
                   "rule 5: %s-%d offset %" PRId64 " has sequence %d of producer id %" PRId64 ", not %d",
                   partition->name, partition->number, kw_record_batch_base_offset(batch), base, producer_id,
                   expected);
    }
    if (known == NULL) {
        known = add_sequence(partition, producer_id);
    }
    int32_t last = kw_record_batch_last_sequence(batch);
    if (!is_marker) {
        known->next = last == INT32_MAX ? 0 : last + 1;
    } else if (!is_known) {
        known->next = -1; /* retention may have taken what came before the marker */
    } else if (known->epoch != epoch) {
        known->next = 0;
    }
    known->epoch = epoch;
}

static void check_batch(struct sim_invariants *invariants, const struct sim_seen_partition *partition,
                        const uint8_t *batch, size_t length_bytes)
{
    int64_t offset = kw_record_batch_base_offset(batch);
    bool is_control = kw_record_batch_is_control(batch);
    if (kw_record_batch_validate(batch, length_bytes) != KW_ERROR_NONE ||
        (!is_control && (int64_t)length_bytes > partition->max_message_bytes)) {
        SIM_BROKEN(invariants,
                   "rule 21: %s-%d offset %" PRId64 " is corrupt, or larger than max.message.bytes",
                   partition->name, partition->number, offset);
    }
    bool has_append_time = kw_record_batch_timestamp_type(batch) == KW_TIMESTAMP_LOG_APPEND_TIME;
    int64_t now_ms = invariants->scenario->epoch_ms + invariants->now_us / 1000;
    if (!is_control && (has_append_time != partition->has_append_time ||
                        (has_append_time && kw_record_batch_max_timestamp_ms(batch) > now_ms))) {
        SIM_BROKEN(invariants, "rule 19: %s-%d offset %" PRId64 " has the timestamp of %s, not of %s",
                   partition->name, partition->number, offset, has_append_time ? "a broker" : "its producer",
                   partition->has_append_time ? "a broker" : "its producer");
    }
}

void sim_invariants_scan(struct sim_invariants *invariants, struct sim_seen_partition *partition)
{
    const struct mb_cluster *cluster = sim_world_cluster(invariants->world);
    struct mb_replica_view view;
    if (!invariants->is_clean ||
        !mb_replica_view(cluster, partition->leader, partition->name, partition->number, &view)) {
        return;
    }
    if (partition->scanned_leader != partition->leader || partition->scanned_epoch != view.leader_epoch) {
        partition->scanned_leader = partition->leader;
        partition->scanned_epoch = view.leader_epoch;
        partition->scanned_end = view.log_start_offset;
        partition->sequence_count = 0;
    }
    const void *batch;
    size_t length_bytes;
    int64_t offset =
        partition->scanned_end > view.log_start_offset ? partition->scanned_end : view.log_start_offset;
    while (offset < view.log_end_offset && mb_log_read(cluster, partition->leader, partition->name,
                                                       partition->number, offset, &batch, &length_bytes)) {
        if (kw_record_batch_base_offset(batch) > offset) {
            SIM_BROKEN(invariants, "rule 5: %s-%d has a gap before offset %" PRId64, partition->name,
                       partition->number, kw_record_batch_base_offset(batch));
        }
        check_sequence(invariants, partition, batch);
        check_batch(invariants, partition, batch, length_bytes);
        offset = kw_record_batch_last_offset(batch) + 1;
    }
    partition->scanned_end = offset;
}

static void check_same_bytes(struct sim_invariants *invariants, const char *topic, int32_t partition,
                             int32_t leader, int32_t follower)
{
    const struct mb_cluster *cluster = sim_world_cluster(invariants->world);
    struct mb_replica_view view;
    if (!mb_replica_view(cluster, leader, topic, partition, &view) || follower == leader) {
        return;
    }
    struct mb_replica_view other;
    bool exists = mb_replica_view(cluster, follower, topic, partition, &other);
    int64_t offset = exists && other.log_start_offset > view.log_start_offset ? other.log_start_offset
                                                                              : view.log_start_offset;
    while (offset < view.high_watermark) {
        const void *theirs;
        const void *ours;
        size_t their_bytes;
        size_t our_bytes;
        bool there = mb_log_read(cluster, leader, topic, partition, offset, &theirs, &their_bytes);
        bool here = mb_log_read(cluster, follower, topic, partition, offset, &ours, &our_bytes);
        if (!there || !here || their_bytes != our_bytes || memcmp(theirs, ours, our_bytes) != 0) {
            SIM_BROKEN(invariants, "rule 13: %s-%d differs between brokers %d and %d at offset %" PRId64,
                       topic, partition, leader, follower, offset);
            return;
        }
        offset = kw_record_batch_last_offset(theirs) + 1;
    }
}

void sim_invariants_of_logs(struct sim_invariants *invariants)
{
    check_ledger(invariants);
    const struct mb_cluster *cluster = sim_world_cluster(invariants->world);
    for (uint32_t t = 0; t < invariants->scenario->topic_count && invariants->is_clean; t++) {
        const char *topic = invariants->scenario->topics[t].name;
        for (int32_t p = 0; p < mb_topic_partition_count(cluster, topic); p++) {
            struct mb_partition_view view;
            if (!mb_partition_view(cluster, topic, p, &view) || view.leader < 0) {
                continue;
            }
            for (uint32_t i = 0; i < view.isr_count; i++) {
                check_same_bytes(invariants, topic, p, view.leader, mb_partition_isr(cluster, topic, p, i));
            }
        }
    }
}
