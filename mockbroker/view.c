/* Looking in from outside, and what people do to topics. */

#include "mockbroker/broker.h"
#include "mockbroker/partition.h"

#include <string.h>

static struct mb_topic_partition *find(const struct mb_cluster *cluster, const char *topic, int32_t partition)
{
    const struct mb_topic *found = mb_topic_find(cluster, topic, (int32_t)strlen(topic));
    return found == NULL ? NULL : mb_topic_partition_at(found, partition);
}

static const struct mb_partition *find_replica(const struct mb_cluster *cluster, int32_t broker_id,
                                               const char *topic, int32_t partition)
{
    const struct mb_broker *broker = mb_broker_of(cluster, broker_id);
    const struct mb_topic_partition *tp = find(cluster, topic, partition);
    return broker == NULL || tp == NULL || tp->number >= broker->hosted_capacity ? NULL
                                                                                 : broker->hosted[tp->number];
}

bool mb_partition_view(const struct mb_cluster *cluster, const char *topic, int32_t partition,
                       struct mb_partition_view *out)
{
    const struct mb_topic_partition *tp = find(cluster, topic, partition);
    if (tp == NULL) {
        return false;
    }
    const struct mb_partition_state *state = mb_controller_state(cluster, tp);
    *out = (struct mb_partition_view){
        .leader = mb_broker_id(cluster, state->leader),
        .leader_epoch = state->leader_epoch,
        .isr_count = state->isr_count,
        .replica_count = tp->replica_count,
    };
    return true;
}

int32_t mb_partition_isr(const struct mb_cluster *cluster, const char *topic, int32_t partition,
                         uint32_t index)
{
    const struct mb_topic_partition *tp = find(cluster, topic, partition);
    const struct mb_partition_state *state = tp == NULL ? NULL : mb_controller_state(cluster, tp);
    return state == NULL || index >= state->isr_count ? -1 : mb_broker_id(cluster, state->isr[index]);
}

int32_t mb_partition_replica(const struct mb_cluster *cluster, const char *topic, int32_t partition,
                             uint32_t index)
{
    const struct mb_topic_partition *tp = find(cluster, topic, partition);
    return tp == NULL || index >= tp->replica_count ? -1 : mb_broker_id(cluster, tp->replicas[index]);
}

bool mb_replica_view(const struct mb_cluster *cluster, int32_t broker, const char *topic, int32_t partition,
                     struct mb_replica_view *out)
{
    const struct mb_partition *replica = find_replica(cluster, broker, topic, partition);
    *out = (struct mb_replica_view){0};
    if (replica == NULL) {
        return false;
    }
    *out = (struct mb_replica_view){
        .exists = true,
        .is_leader = replica->is_leader,
        .log_start_offset = replica->log.start_offset,
        .log_end_offset = replica->log.end_offset,
        .high_watermark = replica->log.high_watermark,
        .last_stable_offset = mb_log_last_stable_offset(&replica->log),
        .leader_epoch = replica->leader_epoch,
        .isr_count = replica->isr_count,
        .maximal_isr_count = mb_partition_maximal_isr_count(replica),
    };
    return true;
}

bool mb_broker_is_up(const struct mb_cluster *cluster, int32_t broker_id)
{
    const struct mb_broker *broker = mb_broker_of(cluster, broker_id);
    return broker != NULL && mb_broker_is_running(broker);
}

int32_t mb_topic_partition_count(const struct mb_cluster *cluster, const char *topic)
{
    const struct mb_topic *found = mb_topic_find(cluster, topic, (int32_t)strlen(topic));
    return found == NULL ? 0 : found->partition_count;
}

bool mb_log_read(const struct mb_cluster *cluster, int32_t broker, const char *topic, int32_t partition,
                 int64_t offset, const void **batch, size_t *length_bytes)
{
    const struct mb_partition *replica = find_replica(cluster, broker, topic, partition);
    uint32_t index = replica == NULL ? 0 : mb_log_find(&replica->log, offset);
    if (replica == NULL || index == replica->log.count) {
        return false;
    }
    const struct mb_block *block = mb_log_entry_at(&replica->log, index)->block;
    *batch = block->bytes;
    *length_bytes = block->size_bytes;
    return true;
}

bool mb_move_leader(struct mb_cluster *cluster, const char *topic, int32_t partition, int32_t broker_id,
                    int64_t now_us)
{
    mb_cluster_begin(cluster, now_us);
    struct mb_topic_partition *tp = find(cluster, topic, partition);
    const struct mb_broker *broker = mb_broker_of(cluster, broker_id);
    bool is_done = tp != NULL && broker != NULL && mb_controller_move_leader(cluster, tp, broker->index);
    mb_cluster_settle(cluster);
    return is_done;
}

bool mb_add_partitions(struct mb_cluster *cluster, const char *topic, int32_t partition_count, int64_t now_us)
{
    mb_cluster_begin(cluster, now_us);
    struct mb_topic *found = mb_topic_find(cluster, topic, (int32_t)strlen(topic));
    if (found == NULL || partition_count <= found->partition_count) {
        return false;
    }
    mb_controller_create_partitions(cluster, found, partition_count - found->partition_count,
                                    found->partitions[0]->replica_count, NULL, false);
    mb_cluster_settle(cluster);
    return true;
}
