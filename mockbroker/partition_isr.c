/* The in-sync set of a leader: who is in it, and how it changes with the controller's consent.
 *
 * A change is proposed, and holds when the controller has written it down. Until then an expansion counts
 * when that is the safe side (the maximal ISR), a shrinking does not. */

#include "mockbroker/broker.h"
#include "mockbroker/check.h"
#include "mockbroker/control.h"
#include "mockbroker/fetch_session.h"
#include "mockbroker/partition.h"

#include "base/assert.h"
#include "base/planted.h"

#include <string.h>

bool mb_partition_is_in_maximal_isr(const struct mb_partition *partition, int32_t broker)
{
    return mb_is_member(partition->isr, partition->isr_count, broker) ||
           (partition->isr_change == MB_ISR_PENDING_EXPAND && !KB_PLANTED(EXPAND_NOT_MAXIMAL) &&
            mb_is_member(partition->proposed_isr, partition->proposed_isr_count, broker));
}

uint32_t mb_partition_maximal_isr_count(const struct mb_partition *partition)
{
    return partition->isr_change == MB_ISR_PENDING_EXPAND ? partition->proposed_isr_count
                                                          : partition->isr_count;
}

void mb_partition_forget_alter_isr(struct mb_partition *partition)
{
    if (partition->alter_isr == MB_ALTER_ISR_QUEUED) {
        kb_list_remove(&partition->of_alter_isr);
    }
    if (partition->alter_isr_wanted != NULL) {
        mb_partition_state_drop(partition->cluster->allocator, partition->alter_isr_wanted);
        partition->alter_isr_wanted = NULL;
    }
    partition->alter_isr = MB_ALTER_ISR_NONE;
}

/* Kafka: Partition.sendAlterIsrRequest, DefaultAlterIsrManager.submit. One change of a partition at a time;
 * refused while an earlier one is not answered, even if a new leader epoch made that one meaningless. */
static void propose(struct mb_partition *partition, enum mb_isr_change change)
{
    if (partition->alter_isr != MB_ALTER_ISR_NONE) {
        partition->proposed_isr_count = 0;
        return;
    }
    mb_check_touch(partition->cluster, partition->tp);
    partition->isr_change = change;
    partition->alter_isr = MB_ALTER_ISR_QUEUED;
    partition->alter_isr_wanted = mb_partition_state_create(
        partition->cluster->allocator, partition->broker->index, partition->leader_epoch, partition->version,
        partition->proposed_isr, partition->proposed_isr_count);
    kb_list_push_back(&partition->broker->alter_isr_queue, &partition->of_alter_isr);
    mb_broker_propagate_isr_changes(partition->broker);
}

void mb_partition_maybe_expand_isr(struct mb_partition *partition, const struct mb_remote *remote)
{
    if (partition->isr_change != MB_ISR_COMMITTED ||
        mb_is_member(partition->isr, partition->isr_count, remote->broker)) {
        return;
    }
    /* Kafka: Partition.isFollowerAtHighwatermark. */
    if ((remote->log_end_offset < partition->log.high_watermark ||
         remote->log_end_offset < partition->epoch_start_offset) &&
        !KB_PLANTED(EXPAND_BELOW_HW)) {
        return;
    }
    memcpy(partition->proposed_isr, partition->isr, partition->isr_count * sizeof(int32_t));
    partition->proposed_isr_count = partition->isr_count;
    partition->proposed_isr[partition->proposed_isr_count++] = remote->broker;
    propose(partition, MB_ISR_PENDING_EXPAND);
}

/* Kafka: Partition.isFollowerOutOfSync. A member of the ISR always has a remote here: assignments do not
 * change. */
static bool is_out_of_sync(const struct mb_partition *partition, int32_t broker)
{
    const struct mb_remote *remote = mb_partition_remote(partition, broker);
    return remote != NULL && remote->log_end_offset != partition->log.end_offset &&
           mb_now_ms(partition->cluster) - remote->last_caught_up_ms >
               mb_setting(partition->cluster, MB_SETTING_REPLICA_LAG_TIME_MAX_MS);
}

void mb_partition_maybe_shrink_isr(struct mb_partition *partition)
{
    if (!partition->is_leader || partition->isr_change != MB_ISR_COMMITTED || KB_PLANTED(ISR_NEVER_SHRINKS)) {
        return;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < partition->isr_count; i++) {
        if (!is_out_of_sync(partition, partition->isr[i])) {
            partition->proposed_isr[kept++] = partition->isr[i];
        }
    }
    partition->proposed_isr_count = kept;
    if (kept < partition->isr_count && KB_PLANTED(SHRINK_AT_ONCE)) {
        memcpy(partition->isr, partition->proposed_isr, kept * sizeof(int32_t));
        partition->isr_count = kept;
        propose(partition, MB_ISR_PENDING_SHRINK);
        mb_partition_increment_high_watermark(partition);
    } else if (kept < partition->isr_count) {
        propose(partition, MB_ISR_PENDING_SHRINK);
        mb_partition_increment_high_watermark(partition);
    }
}

/*
 * In 3.0.0 nothing else happens when the answer comes: a smaller ISR lets the high watermark advance only at
 * the next append or fetch that moves a log end (KAFKA-13091 changed that later). So an acks=all request that
 * waited for a laggard goes on waiting when nobody writes any more.
 */
void mb_partition_alter_isr_done(struct mb_partition *partition, const struct mb_partition_state *state,
                                 int32_t error)
{
    mb_check_touch(partition->cluster, partition->tp);
    mb_partition_forget_alter_isr(partition);
    if (partition->isr_change == MB_ISR_COMMITTED) {
        return; /* a new leader epoch came first */
    }
    if (error != KW_ERROR_NONE) {
        /* It stays pending, and nothing else is proposed: a LeaderAndIsr is on its way. (The retry that 3.0.0
         * has for other errors never gets into the queue: the answered item still stands in it.) */
        return;
    }
    if (state->leader_epoch != partition->leader_epoch || state->version < partition->version) {
        return;
    }
    memcpy(partition->isr, state->isr, state->isr_count * sizeof state->isr[0]);
    partition->isr_count = state->isr_count;
    partition->isr_change = MB_ISR_COMMITTED;
    partition->proposed_isr_count = 0;
    partition->version = state->version;
    /* Who caught up while it was being removed has to be looked at again at its next fetch. */
    for (uint32_t i = 0; i < partition->remote_count; i++) {
        struct mb_remote *remote = &partition->remotes[i];
        if (!mb_is_member(partition->isr, partition->isr_count, remote->broker)) {
            mb_partition_wake_remote(partition, remote);
        }
    }
    mb_fetch_sessions_mark(partition);
    mb_partition_watch_lag(partition);
}

/* --- Per broker --- */

void mb_broker_propagate_isr_changes(struct mb_broker *broker)
{
    struct mb_cluster *cluster = broker->cluster;
    if (broker->alter_isr_message != 0 || kb_list_is_empty(&broker->alter_isr_queue)) {
        return;
    }
    struct mb_control *control =
        mb_control_create(cluster, MB_CONTROL_ALTER_ISR, broker->index, MB_TO_CONTROLLER);
    struct kb_list_node *node;
    while ((node = kb_list_pop_front(&broker->alter_isr_queue)) != NULL) {
        struct mb_partition *partition = KB_CONTAINER_OF(node, struct mb_partition, of_alter_isr);
        partition->alter_isr = MB_ALTER_ISR_IN_FLIGHT;
        mb_control_add(cluster, control, partition->tp, partition->alter_isr_wanted, 0);
    }
    broker->alter_isr_message = control->number;
    mb_control_send(cluster, control);
}

static bool has_laggard(const struct mb_partition *partition)
{
    for (uint32_t i = 0; i < partition->isr_count; i++) {
        const struct mb_remote *remote = mb_partition_remote(partition, partition->isr[i]);
        if (remote != NULL && remote->log_end_offset != partition->log.end_offset) {
            return true;
        }
    }
    return false;
}

/* Kafka looks at every partition at a fixed rate (ReplicaManager.startup, "isr-expiration", half of the lag
 * time); here the same instants count, but only where somebody is behind. */
static void arm(struct mb_broker *broker)
{
    struct mb_cluster *cluster = broker->cluster;
    int64_t period_us = mb_setting(cluster, MB_SETTING_REPLICA_LAG_TIME_MAX_MS) * 1000 / 2;
    int64_t passed = (cluster->now_us - broker->started_us) / period_us;
    mb_timer_set(cluster, &broker->isr_check, broker->started_us + (passed + 1) * period_us);
}

void mb_partition_watch_lag(struct mb_partition *partition)
{
    struct mb_broker *broker = partition->broker;
    if (kb_list_node_is_linked(&partition->of_lagging) || !partition->is_leader || !has_laggard(partition)) {
        return;
    }
    if (kb_list_is_empty(&broker->lagging)) {
        arm(broker);
    }
    kb_list_push_back(&broker->lagging, &partition->of_lagging);
}

void mb_broker_check_isrs(struct mb_cluster *cluster, struct mb_timer *timer)
{
    (void)cluster;
    struct mb_broker *broker = KB_CONTAINER_OF(timer, struct mb_broker, isr_check);
    struct kb_list_node *next = NULL;
    for (struct kb_list_node *node = kb_list_first(&broker->lagging); node != NULL; node = next) {
        next = kb_list_next(&broker->lagging, node);
        struct mb_partition *partition = KB_CONTAINER_OF(node, struct mb_partition, of_lagging);
        mb_partition_maybe_shrink_isr(partition);
        if (!has_laggard(partition)) {
            kb_list_remove(node);
        }
    }
    if (!kb_list_is_empty(&broker->lagging)) {
        arm(broker);
    }
}
