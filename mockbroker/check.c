/* The invariants of the cluster. Cheap enough to be asked after every event: only what was touched is looked
 * at, and the contents of logs are compared by the blocks they share, each once. */

#include "mockbroker/check.h"

#include "mockbroker/broker.h"
#include "mockbroker/partition.h"

#include <string.h>

/* Everything is looked at again, touched or not, each so many calls of mb_check_changed(). */
enum { CALLS_BETWEEN_FULL = 1024 };

static const char *check_state(const struct mb_cluster *cluster, const struct mb_topic_partition *tp)
{
    const struct mb_partition_state *state = mb_controller_state(cluster, tp);
    for (uint32_t i = 0; i < state->isr_count; i++) {
        if (!mb_is_member(tp->replicas, tp->replica_count, state->isr[i])) {
            return "a member of the ISR is not a replica of its partition";
        }
        if (mb_is_member(state->isr, i, state->isr[i])) {
            return "a broker is twice in an ISR";
        }
    }
    if (state->isr_count == 0 && state->leader >= 0) {
        return "an ISR is empty";
    }
    if (state->leader >= 0 && !mb_is_member(state->isr, state->isr_count, state->leader)) {
        return "the leader of a partition is not in its ISR";
    }
    return NULL;
}

static const char *check_log(const struct mb_log *log)
{
    if (log->start_offset > log->high_watermark || log->high_watermark > log->end_offset) {
        return "a high watermark is outside its log";
    }
    if (log->count > 0) {
        const struct mb_log_entry *first = mb_log_entry_at(log, 0);
        const struct mb_log_entry *last = mb_log_entry_at(log, log->count - 1);
        if (last->last_offset >= log->end_offset) {
            return "a log holds a batch behind its end";
        }
        if (first->last_offset < log->start_offset) {
            return "a log holds a batch before its start";
        }
    }
    for (uint32_t i = 1; i < log->epochs.count; i++) {
        if (log->epochs.entries[i].epoch <= log->epochs.entries[i - 1].epoch ||
            log->epochs.entries[i].start_offset < log->epochs.entries[i - 1].start_offset) {
            return "the leader epochs of a log do not ascend";
        }
    }
    return mb_check_log_producers(log);
}

static const char *check_leader(const struct mb_partition *partition, const struct mb_partition **leader)
{
    const struct mb_topic_partition *tp = partition->tp;
    if (partition->log.high_watermark < partition->epoch_high_watermark) {
        return "the high watermark of a leader went back";
    }
    for (uint32_t i = 0; i < partition->isr_count; i++) {
        if (!mb_is_member(tp->replicas, tp->replica_count, partition->isr[i])) {
            return "a member of a leader's ISR is not a replica of its partition";
        }
    }
    for (uint32_t i = 0; i < partition->isr_count; i++) {
        const struct mb_remote *remote = mb_partition_remote(partition, partition->isr[i]);
        if (remote != NULL && remote->log_end_offset != MB_UNKNOWN_OFFSET &&
            partition->isr_change == MB_ISR_COMMITTED && remote->log_end_offset > partition->log.end_offset) {
            return "a follower is ahead of its leader";
        }
    }
    if (*leader != NULL && (*leader)->leader_epoch == partition->leader_epoch) {
        return "two brokers lead a partition in the same epoch";
    }
    if (*leader == NULL || partition->leader_epoch > (*leader)->leader_epoch) {
        *leader = partition;
    }
    return NULL;
}

static const char *check_partition(const struct mb_cluster *cluster, const struct mb_topic_partition *tp)
{
    const struct mb_partition *leader = NULL;
    const char *problem = check_state(cluster, tp);
    for (uint32_t i = 0; i < tp->replica_count && problem == NULL; i++) {
        const struct mb_broker *broker = &cluster->brokers[tp->replicas[i]];
        struct mb_partition *partition =
            tp->number < broker->hosted_capacity ? broker->hosted[tp->number] : NULL;
        if (partition == NULL) {
            continue;
        }
        problem = check_log(&partition->log);
        problem = problem != NULL ? problem : mb_check_coordinator(partition);
        if (problem == NULL && partition->is_online &&
            partition->leader_epoch > mb_controller_state(cluster, tp)->leader_epoch) {
            problem = "a broker knows a leader epoch that the controller never gave out";
        }
        if (problem == NULL && partition->is_online && !partition->is_leader &&
            !kb_list_is_empty(&partition->produces)) {
            problem = "a produce waits at a broker that does not lead its partition";
        }
        if (problem == NULL && partition->is_online && partition->is_leader) {
            problem = check_leader(partition, &leader);
            problem = problem != NULL ? problem : mb_check_followers(partition);
        }
    }
    for (uint32_t i = 0; i < tp->replica_count && problem == NULL && leader != NULL; i++) {
        struct mb_partition *follower = mb_partition_online(&cluster->brokers[tp->replicas[i]], tp);
        problem = follower == NULL ? NULL : mb_check_agreement(leader, follower);
    }
    return problem;
}

const char *mb_check(const struct mb_cluster *cluster)
{
    for (uint32_t i = 0; i < cluster->tp_count; i++) {
        const char *problem = check_partition(cluster, cluster->tps[i]);
        if (problem != NULL) {
            return problem;
        }
    }
    return NULL;
}

void mb_check_touch(struct mb_cluster *cluster, struct mb_topic_partition *tp)
{
    if (!kb_list_node_is_linked(&tp->of_touched)) {
        kb_list_push_back(&cluster->touched, &tp->of_touched);
    }
}

const char *mb_check_changed(struct mb_cluster *cluster)
{
    const char *problem = NULL;
    struct kb_list_node *node;
    while ((node = kb_list_pop_front(&cluster->touched)) != NULL) {
        const struct mb_topic_partition *tp = KB_CONTAINER_OF(node, struct mb_topic_partition, of_touched);
        problem = problem != NULL ? problem : check_partition(cluster, tp);
    }
    bool is_full = ++cluster->check_count % CALLS_BETWEEN_FULL == 0;
    return problem == NULL && is_full ? mb_check(cluster) : problem;
}
