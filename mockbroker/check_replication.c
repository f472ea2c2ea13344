/* The invariants between a leader and its followers. Part of mb_check().
 *
 * Some need a memory: up to where two logs were compared, and when a leader's log grew. It lies beside each
 * replica, made by the first check, so that a cluster that nobody checks has none. */

#include "mockbroker/check.h"

#include <string.h>

enum { ENDS_KEPT = 32 };

/* A leader's log reached this end at this time. */
struct end {
    int64_t end_offset;
    int64_t at_ms;
};

struct mb_check_memory {
    /* Of a leader, in this epoch: a ring of the newest. */
    int32_t leader_epoch;
    struct end ends[ENDS_KEPT];
    uint32_t end_count;       /* ever */
    int64_t laggard_since_ms; /* somebody should leave the ISR; -1: nobody */
    /* Of a follower: with that leader it agrees up to that offset. */
    int32_t agreed_leader;
    int32_t agreed_epoch;
    uint32_t agreed_truncations;
    int64_t agreed_offset;
};

static struct mb_check_memory *memory_of(struct mb_partition *partition)
{
    if (partition->seen == NULL) {
        partition->seen = mb_take(partition->cluster->allocator, sizeof *partition->seen);
        partition->seen->leader_epoch = -1;
        partition->seen->agreed_leader = -1;
    }
    return partition->seen;
}

void mb_check_forget(struct mb_partition *partition)
{
    if (partition->seen != NULL) {
        mb_give(partition->cluster->allocator, partition->seen, sizeof *partition->seen);
        partition->seen = NULL;
    }
}

/* --- Caught up --- */

static void note_end(struct mb_check_memory *memory, const struct mb_partition *leader)
{
    if (memory->leader_epoch != leader->leader_epoch) {
        memory->leader_epoch = leader->leader_epoch;
        memory->end_count = 0;
        memory->laggard_since_ms = -1;
    }
    if (memory->end_count == 0 ||
        memory->ends[(memory->end_count - 1) % ENDS_KEPT].end_offset < leader->log.end_offset) {
        memory->ends[memory->end_count++ % ENDS_KEPT] =
            (struct end){leader->log.end_offset, mb_now_ms(leader->cluster)};
    }
}

/* When the leader's log grew past an offset: nobody who is not further was caught up later. Of what is not
 * remembered any more, a later time. */
static int64_t passed_ms(const struct mb_check_memory *memory, int64_t offset)
{
    uint32_t first = memory->end_count > ENDS_KEPT ? memory->end_count - ENDS_KEPT : 0;
    for (uint32_t i = first; i < memory->end_count; i++) {
        const struct end *end = &memory->ends[i % ENDS_KEPT];
        if (end->end_offset > offset) {
            return end->at_ms;
        }
    }
    return INT64_MAX;
}

/* Kafka: Replica.updateFetchState. */
static const char *check_caught_up(const struct mb_partition *leader, const struct mb_remote *remote)
{
    if (remote->log_end_offset != leader->log.end_offset && remote->log_end_offset != MB_UNKNOWN_OFFSET &&
        remote->idle_in == NULL &&
        remote->last_caught_up_ms > passed_ms(leader->seen, remote->log_end_offset)) {
        return "a follower counts as caught up though it was not";
    }
    return NULL;
}

/* Should somebody leave the ISR? Kafka: Partition.isFollowerOutOfSync. */
static bool has_laggard(const struct mb_partition *leader)
{
    const struct mb_cluster *cluster = leader->cluster;
    int64_t lag_ms = mb_setting(cluster, MB_SETTING_REPLICA_LAG_TIME_MAX_MS);
    for (uint32_t i = 0; i < leader->remote_count; i++) {
        const struct mb_remote *remote = &leader->remotes[i];
        if (remote->log_end_offset != leader->log.end_offset && remote->idle_in == NULL &&
            mb_now_ms(cluster) - remote->last_caught_up_ms > lag_ms &&
            mb_is_member(leader->isr, leader->isr_count, remote->broker)) {
            return true;
        }
    }
    return false;
}

/* The leader looks every half of the lag time, unless a change is on its way already. */
static const char *check_shrinking(const struct mb_partition *leader)
{
    struct mb_check_memory *memory = leader->seen;
    int64_t now_ms = mb_now_ms(leader->cluster);
    int64_t lag_ms = mb_setting(leader->cluster, MB_SETTING_REPLICA_LAG_TIME_MAX_MS);
    bool can_shrink = leader->isr_change == MB_ISR_COMMITTED && leader->alter_isr == MB_ALTER_ISR_NONE &&
                      !leader->broker->is_frozen;
    if (!can_shrink || !has_laggard(leader)) {
        memory->laggard_since_ms = -1;
    } else if (memory->laggard_since_ms < 0) {
        memory->laggard_since_ms = now_ms;
    } else if (now_ms - memory->laggard_since_ms > lag_ms / 2 + 1) {
        return "a follower that is behind for too long is in the ISR";
    }
    return NULL;
}

/* --- The in-sync set --- */

/* Kafka: Partition.maybeIncrementLeaderHW, isFollowerAtHighwatermark. */
static const char *check_member(const struct mb_partition *leader, const struct mb_remote *remote)
{
    bool is_joining = leader->isr_change == MB_ISR_PENDING_EXPAND &&
                      mb_is_member(leader->proposed_isr, leader->proposed_isr_count, remote->broker);
    if (!is_joining && !mb_is_member(leader->isr, leader->isr_count, remote->broker)) {
        return NULL;
    }
    if (remote->log_end_offset != MB_UNKNOWN_OFFSET && remote->log_end_offset < leader->log.high_watermark) {
        return is_joining ? "a follower that joins the ISR is below the high watermark"
                          : "the high watermark is past the log of a member of the ISR";
    }
    return NULL;
}

/* What a leader was told by a fetch is what the follower had, and has as long as it follows this leader. */
static const char *check_belief(const struct mb_partition *leader, const struct mb_remote *remote)
{
    const struct mb_partition *follower =
        mb_partition_online(&leader->cluster->brokers[remote->broker], leader->tp);
    if (follower != NULL && follower->leader_epoch == leader->leader_epoch &&
        remote->log_end_offset > follower->log.end_offset) {
        return "a leader believes that a follower has more than it has";
    }
    return NULL;
}

const char *mb_check_followers(struct mb_partition *leader)
{
    note_end(memory_of(leader), leader);
    const char *problem = check_shrinking(leader);
    for (uint32_t i = 0; i < leader->remote_count && problem == NULL; i++) {
        const struct mb_remote *remote = &leader->remotes[i];
        problem = check_caught_up(leader, remote);
        problem = problem != NULL ? problem : check_member(leader, remote);
        problem = problem != NULL ? problem : check_belief(leader, remote);
    }
    return problem;
}

/* --- Agreement --- */

static bool is_same_block(const struct mb_block *a, const struct mb_block *b)
{
    return a == b || (a->size_bytes == b->size_bytes && memcmp(a->bytes, b->bytes, a->size_bytes) == 0);
}

static void restart_agreement(struct mb_check_memory *memory, const struct mb_partition *leader,
                              const struct mb_partition *follower)
{
    if (memory->agreed_leader != leader->broker->index || memory->agreed_epoch != leader->leader_epoch ||
        memory->agreed_truncations != follower->log.truncation_count) {
        memory->agreed_leader = leader->broker->index;
        memory->agreed_epoch = leader->leader_epoch;
        memory->agreed_truncations = follower->log.truncation_count;
        memory->agreed_offset = 0;
    }
}

static int64_t greatest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

const char *mb_check_agreement(const struct mb_partition *leader, struct mb_partition *follower)
{
    if (!follower->is_online || follower->is_leader || !follower->fetch.is_verified ||
        follower->leader_epoch != leader->leader_epoch) {
        return NULL;
    }
    if (follower->log.high_watermark > leader->log.high_watermark) {
        return "the high watermark of a follower is above its leader's";
    }
    struct mb_check_memory *memory = memory_of(follower);
    restart_agreement(memory, leader, follower);
    int64_t offset =
        greatest(greatest(leader->log.start_offset, follower->log.start_offset), memory->agreed_offset);
    uint32_t theirs = mb_log_find(&leader->log, offset);
    uint32_t ours = mb_log_find(&follower->log, offset);
    while (offset < follower->log.high_watermark) {
        if (theirs >= leader->log.count || ours >= follower->log.count ||
            !is_same_block(mb_log_entry_at(&leader->log, theirs)->block,
                           mb_log_entry_at(&follower->log, ours)->block)) {
            return "two replicas differ below the high watermark";
        }
        offset = mb_log_entry_at(&leader->log, theirs)->last_offset + 1;
        theirs++;
        ours++;
    }
    memory->agreed_offset = greatest(memory->agreed_offset, offset);
    return NULL;
}
