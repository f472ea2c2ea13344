/* Who leads a partition. Kafka: Election, PartitionLeaderElectionAlgorithms, PartitionStateMachine,
 * ReplicaStateMachine. */

#include "base/planted.h"
#include "mockbroker/cluster.h"
#include "mockbroker/controller_internal.h"

bool mb_partition_has_leader(const struct mb_cluster *cluster, const struct mb_topic_partition *tp)
{
    const struct mb_partition_state *state = mb_controller_state(cluster, tp);
    return state->leader >= 0 && mb_controller_is_online(cluster, state->leader, true);
}

void mb_elect(struct mb_cluster *cluster, struct mb_topic_partition *tp, int32_t leader, const int32_t *isr,
              uint32_t isr_count, enum kb_election_why why)
{
    const struct mb_partition_state *old = mb_controller_state(cluster, tp);
    struct mb_partition_state *state = mb_partition_state_create(
        cluster->allocator, leader, old->leader_epoch + !KB_PLANTED(EPOCH_NOT_BUMPED), old->version + 1, isr,
        isr_count);
    KB_TRACE(tp->topic->trace, 0, LEADER_ELECTED, leader_elected, .topic = tp->topic->trace_name,
             .partition = tp->index, .leader = mb_broker_id(cluster, leader),
             .leader_epoch = state->leader_epoch, .why = (int32_t)why);
    mb_controller_set_state(cluster, tp, state);
    mb_batch_replicas(cluster, tp);
    mb_batch_update_metadata(cluster, tp);
}

/* The members that are online, in their order. */
static uint32_t keep_online(const struct mb_cluster *cluster, const int32_t *members, uint32_t count,
                            int32_t *kept)
{
    uint32_t kept_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (mb_controller_is_online(cluster, members[i], false)) {
            kept[kept_count++] = members[i];
        }
    }
    return kept_count;
}

static void announce_none(struct mb_cluster *cluster, const struct mb_topic_partition *tp)
{
    KB_TRACE(tp->topic->trace, 0, LEADER_ELECTED, leader_elected, .topic = tp->topic->trace_name,
             .partition = tp->index, .leader = -1,
             .leader_epoch = mb_controller_state(cluster, tp)->leader_epoch, .why = KB_ELECTION_WHY_NONE);
}

/* Kafka: PartitionLeaderElectionAlgorithms.offlinePartitionLeaderElection: the first of the assignment that
 * is online and in sync; else, if that is allowed, the first that is online, which is then all of the ISR. */
bool mb_elect_offline(struct mb_cluster *cluster, struct mb_topic_partition *tp, enum kb_election_why why)
{
    const struct mb_partition_state *old = mb_controller_state(cluster, tp);
    int32_t *online = mb_take(cluster->allocator, tp->replica_count * sizeof *online);
    uint32_t online_count = keep_online(cluster, tp->replicas, tp->replica_count, online);
    bool is_done = false;
    for (uint32_t i = 0; i < online_count && !is_done; i++) {
        if (old->isr_count > 0 && !mb_is_member(old->isr, old->isr_count, online[i]) &&
            !KB_PLANTED(ELECTION_OUTSIDE_ISR)) {
            continue;
        }
        int32_t leader = online[i];
        uint32_t isr_count = keep_online(cluster, old->isr, old->isr_count, online);
        if (old->isr_count == 0) {
            /* It never had a leader: PartitionStateMachine.initializeLeaderAndIsrForPartitions. */
            isr_count = keep_online(cluster, tp->replicas, tp->replica_count, online);
        }
        mb_elect(cluster, tp, leader, online, isr_count, why);
        is_done = true;
    }
    if (!is_done && online_count > 0 &&
        (tp->topic->settings.values[MB_SETTING_TOPIC_UNCLEAN_LEADER_ELECTION_ENABLE] ||
         KB_PLANTED(UNCLEAN_THOUGH_OFF))) {
        mb_elect(cluster, tp, online[0], online, 1, KB_ELECTION_WHY_UNCLEAN);
        is_done = true;
    }
    mb_give(cluster->allocator, online, tp->replica_count * sizeof *online);
    if (!is_done && why != KB_ELECTION_WHY_RETURNED) {
        announce_none(cluster, tp);
    }
    return is_done;
}

/* Kafka: controlledShutdownPartitionLeaderElection: another one of the ISR, which loses those that go. */
bool mb_elect_for_shutdown(struct mb_cluster *cluster, struct mb_topic_partition *tp)
{
    const struct mb_partition_state *old = mb_controller_state(cluster, tp);
    for (uint32_t i = 0; i < tp->replica_count; i++) {
        int32_t candidate = tp->replicas[i];
        if (mb_controller_is_online(cluster, candidate, false) &&
            mb_is_member(old->isr, old->isr_count, candidate)) {
            int32_t *isr = mb_take(cluster->allocator, old->isr_count * sizeof *isr);
            uint32_t capacity = old->isr_count;
            uint32_t isr_count = keep_online(cluster, old->isr, old->isr_count, isr);
            mb_elect(cluster, tp, candidate, isr, isr_count, KB_ELECTION_WHY_CONTROLLED_SHUTDOWN);
            mb_give(cluster->allocator, isr, capacity * sizeof *isr);
            return true;
        }
    }
    return false;
}

void mb_remove_from_isr(struct mb_cluster *cluster, struct mb_topic_partition *tp, int32_t broker)
{
    const struct mb_partition_state *old = mb_controller_state(cluster, tp);
    if (!mb_is_member(old->isr, old->isr_count, broker)) {
        return;
    }
    int32_t *isr = mb_take(cluster->allocator, old->isr_count * sizeof *isr);
    uint32_t capacity = old->isr_count;
    uint32_t isr_count = 0;
    for (uint32_t i = 0; i < old->isr_count; i++) {
        if (old->isr[i] != broker || (old->isr_count == 1 && !KB_PLANTED(LAST_OF_ISR_REMOVED))) {
            isr[isr_count++] = old->isr[i];
        }
    }
    struct mb_partition_state *state =
        mb_partition_state_create(cluster->allocator, old->leader == broker ? -1 : old->leader,
                                  old->leader_epoch + 1, old->version + 1, isr, isr_count);
    mb_give(cluster->allocator, isr, capacity * sizeof *isr);
    mb_controller_set_state(cluster, tp, state);
    for (uint32_t i = 0; i < tp->replica_count; i++) {
        if (tp->replicas[i] != broker) {
            mb_batch_leader_and_isr(cluster, tp->replicas[i], tp);
        }
    }
    mb_batch_update_metadata(cluster, tp);
}
