/*
 * Where the consumer reads. Kafka: SubscriptionState, and of Fetcher what resets offsets.
 */
#include "engine/consumer_internal.h"

#include <stdlib.h>

#include "base/assert.h"

enum { LATEST_TIMESTAMP = -1, EARLIEST_TIMESTAMP = -2, CONSUMER_REPLICA = -1 };

struct consumer_partition *consumer_partition_find(const struct sim_consumer_driver *consumer,
                                                   struct kw_string topic, int32_t partition)
{
    for (uint32_t i = 0; i < consumer->partition_count; i++) {
        struct consumer_partition *found = &consumer->partitions[i];
        const char *name = consumer->topics[found->topic].name;
        if (found->partition == partition && topic.length_bytes == (int32_t)strlen(name) &&
            memcmp(name, topic.data, (size_t)topic.length_bytes) == 0) {
            return found;
        }
    }
    return NULL;
}

/* Positions of partitions that it had before are kept. Kafka: assignFromUser, assignFromSubscribed. */
void consumer_assign(struct sim_consumer_driver *consumer, const struct consumer_partition *partitions,
                     uint32_t count, bool is_subscribed)
{
    struct consumer_partition *assigned = consumer_allocate(count, sizeof *assigned);
    uint32_t *order = consumer_allocate(count, sizeof *order);
    for (uint32_t i = 0; i < count; i++) {
        const struct consumer_topic *topic = &consumer->topics[partitions[i].topic];
        const struct consumer_partition *before =
            consumer_partition_find(consumer, consumer_text(topic->name), partitions[i].partition);
        assigned[i] = (struct consumer_partition){
            .topic = partitions[i].topic,
            .partition = partitions[i].partition,
            .position = -1,
            .offset_epoch = -1,
            .leader = {-1, -1},
            .high_watermark = -1,
            .last_stable_offset = -1,
        };
        if (before != NULL) {
            assigned[i] = *before;
            assigned[i].fetched_count = 0;
        }
        order[i] = i;
        KB_TRACE(consumer_trace(consumer), 0, CONSUMER_ASSIGNED, consumer_assigned,
                 .consumer = consumer->name, .topic = topic->trace_name, .partition = partitions[i].partition,
                 .is_subscribed = is_subscribed);
    }
    consumer->assignment++;
    consumer_forget_fetched(consumer);
    free(consumer->partitions);
    free(consumer->order);
    consumer->partitions = assigned;
    consumer->order = order;
    consumer->partition_count = count;
}

bool consumer_has_all_positions(const struct sim_consumer_driver *consumer)
{
    for (uint32_t i = 0; i < consumer->partition_count; i++) {
        if (!consumer_has_position(&consumer->partitions[i])) {
            return false;
        }
    }
    return true;
}

void consumer_seek(struct sim_consumer_driver *consumer, struct consumer_partition *partition, int64_t offset,
                   int32_t offset_epoch, enum kb_position_why why)
{
    const struct consumer_topic *topic = &consumer->topics[partition->topic];
    KB_TRACE(consumer_trace(consumer), 0, CONSUMER_POSITION, consumer_position, .position = offset,
             .old_position = partition->position, .consumer = consumer->name, .topic = topic->trace_name,
             .partition = partition->partition, .why = (int32_t)why);
    partition->position = offset;
    partition->offset_epoch = offset_epoch;
    partition->leader = consumer_leader_of(consumer, partition);
    partition->retry_ms = 0;
    /* Kafka: TopicPartitionState.validatePosition; seekValidated after a truncation. */
    partition->state = offset_epoch >= 0 && partition->leader.epoch >= 0 && why != KB_POSITION_WHY_TRUNCATED
                           ? CONSUMER_AWAIT_VALIDATION
                           : CONSUMER_FETCHING;
}

void consumer_request_reset(struct sim_consumer_driver *consumer, struct consumer_partition *partition,
                            enum kw_error cause)
{
    if (consumer->config->auto_offset_reset == SIM_RESET_NONE) {
        consumer_fail(consumer, cause);
        return;
    }
    partition->state = CONSUMER_AWAIT_RESET;
    partition->retry_ms = 0;
}

/* --- ListOffsets --- */

static bool needs_offset(const struct consumer_partition *partition, int32_t node)
{
    return partition->state == CONSUMER_AWAIT_RESET && partition->leader.leader == node;
}

/* One request for all partitions that the node leads. Kafka: Fetcher.resetOffsetsAsync. */
static void ask_node(struct sim_consumer_driver *consumer, int32_t node)
{
    struct kw_list_offsets_request request;
    kw_list_offsets_request_init(&request);
    struct kw_list_offsets_request_topic *topics = consumer_allocate(consumer->topic_count, sizeof *topics);
    struct kw_list_offsets_request_partition *all = consumer_allocate(consumer->partition_count, sizeof *all);
    struct consumer_asked *asked = consumer_allocate(consumer->partition_count, sizeof *asked);
    uint32_t count = 0;
    for (uint32_t t = 0; t < consumer->topic_count; t++) {
        struct kw_list_offsets_request_topic topic;
        kw_list_offsets_request_topic_init(&topic);
        topic.name = consumer_text(consumer->topics[t].name);
        topic.partitions.items = &all[count];
        for (uint32_t i = 0; i < consumer->partition_count; i++) {
            struct consumer_partition *partition = &consumer->partitions[i];
            if (partition->topic != t || !needs_offset(partition, node) ||
                consumer->now_ms < partition->retry_ms) {
                continue;
            }
            struct kw_list_offsets_request_partition *out = &all[count];
            kw_list_offsets_request_partition_init(out);
            out->partition_index = partition->partition;
            out->current_leader_epoch = partition->leader.epoch;
            out->timestamp = consumer->config->auto_offset_reset == SIM_RESET_EARLIEST ? EARLIEST_TIMESTAMP
                                                                                       : LATEST_TIMESTAMP;
            asked[count++] = (struct consumer_asked){.partition = i};
            topic.partitions.count++;
            partition->retry_ms = consumer->now_ms + consumer->config->request_timeout_ms;
        }
        if (topic.partitions.count > 0) {
            topics[request.topics.count++] = topic;
        }
    }
    request.replica_id = CONSUMER_REPLICA;
    request.isolation_level = (int8_t)consumer->config->isolation_level;
    request.topics.items = topics;
    consumer_send(consumer, node, KW_API_LIST_OFFSETS, &request, asked, count);
    free(topics);
    free(all);
}

static void reset_offsets(struct sim_consumer_driver *consumer)
{
    for (uint32_t i = 0; i < consumer->partition_count; i++) {
        struct consumer_partition *partition = &consumer->partitions[i];
        if (partition->state != CONSUMER_AWAIT_RESET) {
            continue;
        }
        if (consumer->now_ms < partition->retry_ms) {
            consumer_wake_at(consumer, partition->retry_ms);
            continue;
        }
        partition->leader = consumer_leader_of(consumer, partition);
        if (partition->leader.leader < 0) {
            consumer->is_metadata_wanted = true;
        } else if (consumer_is_ready(consumer, partition->leader.leader, partition->leader.leader)) {
            ask_node(consumer, partition->leader.leader);
        }
    }
}

static void try_again(struct sim_consumer_driver *consumer, const struct consumer_request *request)
{
    consumer->is_metadata_wanted = true;
    for (uint32_t i = 0; i < request->asked_count; i++) {
        struct consumer_partition *partition = &consumer->partitions[request->asked[i].partition];
        if (partition->state == CONSUMER_AWAIT_RESET) {
            partition->retry_ms = consumer->now_ms + consumer->config->retry_backoff_ms;
        }
    }
}

static void take_offset(struct sim_consumer_driver *consumer, struct consumer_partition *partition,
                        const struct kw_list_offsets_response_partition *answer)
{
    if (partition->state != CONSUMER_AWAIT_RESET) {
        return;
    }
    if (answer->error_code != KW_ERROR_NONE || answer->offset < 0) {
        partition->retry_ms = consumer->now_ms + consumer->config->retry_backoff_ms;
        consumer->is_metadata_wanted = true;
        return;
    }
    if (answer->leader_epoch >= 0) {
        consumer_see_epoch(consumer, partition, answer->leader_epoch);
    }
    /* Kafka: resetOffsetIfNeeded: without an epoch, so that it is not validated again. */
    consumer_seek(consumer, partition, answer->offset, -1,
                  consumer->config->auto_offset_reset == SIM_RESET_EARLIEST ? KB_POSITION_WHY_EARLIEST
                                                                            : KB_POSITION_WHY_LATEST);
}

void consumer_on_list_offsets(struct sim_consumer_driver *consumer, const struct consumer_request *request,
                              const struct kw_list_offsets_response *response)
{
    if (request->assignment != consumer->assignment) {
        return;
    }
    if (response == NULL) {
        try_again(consumer, request);
        return;
    }
    for (int32_t i = 0; i < response->topics.count; i++) {
        const struct kw_list_offsets_response_topic *topic = &response->topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            const struct kw_list_offsets_response_partition *answer = &topic->partitions.items[j];
            struct consumer_partition *partition =
                consumer_partition_find(consumer, topic->name, answer->partition_index);
            if (partition != NULL) {
                take_offset(consumer, partition, answer);
            }
        }
    }
}

void consumer_update_positions(struct sim_consumer_driver *consumer)
{
    consumer_validate_positions(consumer);
    if (consumer_has_all_positions(consumer) || consumer->is_closing) {
        return;
    }
    if (consumer->config->group_id != NULL && !consumer_read_committed_offsets(consumer)) {
        return;
    }
    for (uint32_t i = 0; i < consumer->partition_count && !consumer->is_closing; i++) {
        if (consumer->partitions[i].state == CONSUMER_INITIALIZING) {
            consumer_request_reset(consumer, &consumer->partitions[i], KW_ERROR_OFFSET_OUT_OF_RANGE);
        }
    }
    reset_offsets(consumer);
}
