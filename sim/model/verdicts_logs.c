/*
 * What each replica's log holds, batch by batch, and how often the leader's holds each.
 */
#include <stdlib.h>
#include <string.h>

#include "model/verdicts_state.h"

struct fate_partition *fate_partition_of(struct sim_verdicts *verdicts, uint32_t topic, int32_t partition)
{
    uint32_t slot = (topic * 0x9e3779b1u ^ (uint32_t)partition * 0x85ebca6bu) >> 8;
    for (slot %= FATE_SLOTS; verdicts->slots[slot] != 0; slot = (slot + 1) % FATE_SLOTS) {
        struct fate_partition *found = &verdicts->partitions[verdicts->slots[slot] - 1];
        if (found->topic == topic && found->partition == partition) {
            return found;
        }
    }
    if (verdicts->partition_count == FATE_SLOTS / 2) {
        return NULL; /* of so many more nothing is told */
    }
    if (verdicts->partition_count == verdicts->partition_capacity) {
        uint32_t capacity = verdicts->partition_capacity > 0 ? 2 * verdicts->partition_capacity : 8;
        struct fate_partition *grown = realloc(verdicts->partitions, capacity * sizeof *grown);
        if (grown == NULL) {
            verdicts->is_out_of_memory = true;
            return NULL;
        }
        verdicts->partitions = grown;
        verdicts->partition_capacity = capacity;
    }
    struct fate_partition *made = &verdicts->partitions[verdicts->partition_count++];
    *made = (struct fate_partition){.topic = topic, .partition = partition, .counted = -1};
    verdicts->slots[slot] = verdicts->partition_count;
    return made;
}

void fate_release_partitions(struct sim_verdicts *verdicts)
{
    for (uint32_t i = 0; i < verdicts->partition_count; i++) {
        for (uint32_t k = 0; k < verdicts->partitions[i].replica_count; k++) {
            free(verdicts->partitions[i].replicas[k].segments);
        }
    }
    free(verdicts->partitions);
    verdicts->partitions = NULL;
    verdicts->partition_count = 0;
    verdicts->partition_capacity = 0;
}

struct fate_replica *fate_replica_of(struct fate_partition *partition, int32_t broker)
{
    for (uint32_t i = 0; i < partition->replica_count; i++) {
        if (partition->replicas[i].broker == broker) {
            return &partition->replicas[i];
        }
    }
    if (partition->replica_count == FATE_REPLICAS) {
        return NULL;
    }
    struct fate_replica *made = &partition->replicas[partition->replica_count++];
    *made = (struct fate_replica){.broker = broker};
    return made;
}

static bool is_counted(const struct fate_partition *partition, const struct fate_replica *replica)
{
    return partition->counted >= 0 && &partition->replicas[partition->counted] == replica;
}

/* --- The counted log
 * ------------------------------------------------------------------------------------------------ */

/* The first batch before this place that should stand behind it. */
static const struct fate_batch *overtaker(struct sim_verdicts *verdicts, const struct fate_replica *replica,
                                          uint32_t place, const struct fate_batch *batch, int64_t *offset)
{
    const struct fate_batch *found = NULL;
    for (uint32_t i = place; i-- > 0;) {
        const struct fate_batch *before = fate_batch_of_id(verdicts, replica->segments[i].batch);
        if (before == NULL || before->producer != batch->producer) {
            continue;
        }
        if (before->order < batch->order) {
            break;
        }
        if (before->order > batch->order) {
            found = before;
            *offset = replica->segments[i].base_offset;
        }
    }
    return found;
}

/* One copy more in the counted log, at this place of it. */
static void count_in(struct sim_verdicts *verdicts, struct fate_partition *partition,
                     const struct fate_replica *replica, uint32_t place)
{
    const struct fate_segment *segment = &replica->segments[place];
    struct fate_batch *batch = fate_batch_of_id(verdicts, segment->batch);
    if (batch == NULL) {
        return;
    }
    batch->was_appended = true;
    batch->copy_offset = segment->base_offset;
    batch->copies++;
    if (batch->copies > 1) {
        return; /* as the ledger has it: a copy too many is that, and not out of order */
    }
    batch->offset = segment->base_offset;
    if (batch->order >= partition->highest[batch->producer]) {
        partition->highest[batch->producer] = batch->order;
        return;
    }
    int64_t offset = -1;
    const struct fate_batch *before = overtaker(verdicts, replica, place, batch, &offset);
    fate_find_late(verdicts, batch, before != NULL ? before->number : 0, offset);
}

static void count_out(struct sim_verdicts *verdicts, const struct fate_segment *segment)
{
    struct fate_batch *batch = fate_batch_of_id(verdicts, segment->batch);
    if (batch == NULL || batch->copies == 0) {
        return;
    }
    batch->copies--;
    if (batch->copies == 0) {
        fate_undo_late(verdicts, batch);
    }
}

static void find_highest(struct sim_verdicts *verdicts, struct fate_partition *partition,
                         const struct fate_replica *replica, uint32_t count)
{
    memset(partition->highest, 0, sizeof partition->highest);
    for (uint32_t i = 0; i < count; i++) {
        const struct fate_batch *batch = fate_batch_of_id(verdicts, replica->segments[i].batch);
        if (batch != NULL && batch->order > partition->highest[batch->producer]) {
            partition->highest[batch->producer] = batch->order;
        }
    }
}

static void judge_segments(struct sim_verdicts *verdicts, const struct fate_replica *replica, uint32_t from)
{
    for (uint32_t i = from; i < replica->count; i++) {
        struct fate_batch *batch = fate_batch_of_id(verdicts, replica->segments[i].batch);
        if (batch != NULL) {
            fate_judge(verdicts, batch);
        }
    }
}

/* --- What happens to logs
 * ------------------------------------------------------------------------------------------- */

static bool push(struct sim_verdicts *verdicts, struct fate_replica *replica, struct fate_segment segment)
{
    if (replica->count == FATE_SEGMENTS) { /* the older half is settled long since */
        replica->count /= 2;
        memmove(replica->segments, replica->segments + replica->count,
                replica->count * sizeof *replica->segments);
    }
    if (replica->count == replica->capacity) {
        uint32_t capacity = replica->capacity > 0 ? 2 * replica->capacity : 64;
        struct fate_segment *grown = realloc(replica->segments, capacity * sizeof *grown);
        if (grown == NULL) {
            verdicts->is_out_of_memory = true;
            return false;
        }
        replica->segments = grown;
        replica->capacity = capacity;
    }
    replica->segments[replica->count++] = segment;
    return true;
}

void fate_append(struct sim_verdicts *verdicts, struct fate_partition *partition, int32_t broker,
                 struct fate_segment segment)
{
    struct fate_replica *replica = fate_replica_of(partition, broker);
    if (replica == NULL || !push(verdicts, replica, segment) || !is_counted(partition, replica)) {
        return;
    }
    count_in(verdicts, partition, replica, replica->count - 1);
    judge_segments(verdicts, replica, replica->count - 1);
}

void fate_copy(struct sim_verdicts *verdicts, struct fate_partition *partition, int32_t broker,
               int32_t leader, int64_t base_offset, int64_t last_offset)
{
    const struct fate_replica *source = fate_replica_of(partition, leader);
    if (source == NULL) {
        return;
    }
    uint32_t first = source->count;
    while (first > 0 && source->segments[first - 1].last_offset >= base_offset) {
        first--;
    }
    for (uint32_t i = first; i < source->count && source->segments[i].base_offset <= last_offset; i++) {
        fate_append(verdicts, partition, broker, source->segments[i]);
    }
}

void fate_truncate(struct sim_verdicts *verdicts, struct fate_partition *partition, int32_t broker,
                   int64_t end_offset)
{
    struct fate_replica *replica = fate_replica_of(partition, broker);
    if (replica == NULL) {
        return;
    }
    uint32_t kept = replica->count;
    while (kept > 0 && replica->segments[kept - 1].base_offset >= end_offset) {
        kept--;
    }
    if (is_counted(partition, replica) && kept < replica->count) {
        for (uint32_t i = kept; i < replica->count; i++) {
            count_out(verdicts, &replica->segments[i]);
        }
        find_highest(verdicts, partition, replica, kept);
        judge_segments(verdicts, replica, kept);
    }
    replica->count = kept;
}

static bool are_same(const struct fate_segment *a, const struct fate_segment *b)
{
    return a->batch == b->batch && a->base_offset == b->base_offset;
}

/* Where two logs part, as places in each: both may have lost a different older part. */
static void part_of_ways(const struct fate_replica *old, const struct fate_replica *now, uint32_t *in_old,
                         uint32_t *in_now)
{
    uint32_t i = old->count;
    uint32_t k = now->count;
    while (i > 0 && k > 0) {
        const struct fate_segment *a = &old->segments[i - 1];
        const struct fate_segment *b = &now->segments[k - 1];
        if (are_same(a, b)) {
            *in_old = i;
            *in_now = k;
            return; /* a log that has this has what is before it */
        }
        if (a->base_offset >= b->base_offset) {
            i--;
        }
        if (b->base_offset >= a->base_offset) {
            k--;
        }
    }
    *in_old = 0; /* nothing in common */
    *in_now = 0;
}

void fate_elect(struct sim_verdicts *verdicts, struct fate_partition *partition, int32_t broker)
{
    struct fate_replica *now = fate_replica_of(partition, broker);
    if (now == NULL || is_counted(partition, now)) {
        return;
    }
    const struct fate_replica *old =
        partition->counted >= 0 ? &partition->replicas[partition->counted] : NULL;
    uint32_t in_old = 0;
    uint32_t in_now = 0;
    if (old != NULL) {
        part_of_ways(old, now, &in_old, &in_now);
        for (uint32_t i = in_old; i < old->count; i++) {
            count_out(verdicts, &old->segments[i]);
        }
    }
    partition->counted = (int32_t)(now - partition->replicas);
    find_highest(verdicts, partition, now, in_now);
    for (uint32_t i = in_now; i < now->count; i++) {
        count_in(verdicts, partition, now, i);
    }
    if (old != NULL) {
        judge_segments(verdicts, old, in_old);
    }
    judge_segments(verdicts, now, in_now);
}

void fate_end_transaction(struct sim_verdicts *verdicts, struct fate_partition *partition, int32_t broker,
                          int64_t producer_id, bool is_commit)
{
    struct fate_replica *replica = fate_replica_of(partition, broker);
    if (replica == NULL || !is_counted(partition, replica)) {
        return;
    }
    for (uint32_t i = replica->count; i-- > 0;) {
        struct fate_batch *batch = fate_batch_of_id(verdicts, replica->segments[i].batch);
        if (batch == NULL || batch->producer_id != producer_id) {
            continue;
        }
        if (batch->transaction == FATE_COMMITTED || batch->transaction == FATE_ABORTED) {
            return; /* of an earlier transaction */
        }
        if (batch->transaction == FATE_UNDECIDED) {
            batch->transaction = is_commit ? FATE_COMMITTED : FATE_ABORTED;
            fate_judge(verdicts, batch);
        }
    }
}
