/*
 * Is what the consumer has read still in the log? After a change of leader it asks where the epoch of its
 * last record ended (KIP-320). Kafka: SubscriptionState.maybeValidatePosition, Fetcher.validateOffsetsAsync.
 */
#include "engine/consumer_internal.h"

#include <stdlib.h>

enum { CONSUMER_REPLICA = -1 };

static bool is_same_leader(struct consumer_leader a, struct consumer_leader b)
{
    return a.leader == b.leader && a.epoch == b.epoch;
}

void consumer_validate_on_metadata(struct sim_consumer_driver *consumer)
{
    if (consumer->validated_version == consumer->metadata_version) {
        return;
    }
    consumer->validated_version = consumer->metadata_version;
    for (uint32_t i = 0; i < consumer->partition_count; i++) {
        struct consumer_partition *partition = &consumer->partitions[i];
        struct consumer_leader leader = consumer_leader_of(consumer, partition);
        if (!consumer_has_position(partition) || leader.leader < 0 ||
            is_same_leader(leader, partition->leader)) {
            continue;
        }
        partition->leader = leader;
        partition->retry_ms = 0;
        partition->state =
            partition->offset_epoch >= 0 && leader.epoch >= 0 ? CONSUMER_AWAIT_VALIDATION : CONSUMER_FETCHING;
    }
}

static bool is_due(const struct sim_consumer_driver *consumer, const struct consumer_partition *partition)
{
    return partition->state == CONSUMER_AWAIT_VALIDATION && consumer->now_ms >= partition->retry_ms;
}

static void ask_node(struct sim_consumer_driver *consumer, int32_t node)
{
    struct kw_offset_for_leader_epoch_request request;
    kw_offset_for_leader_epoch_request_init(&request);
    struct kw_offset_for_leader_epoch_request_topic *topics =
        consumer_allocate(consumer->topic_count, sizeof *topics);
    struct kw_offset_for_leader_epoch_request_partition *all =
        consumer_allocate(consumer->partition_count, sizeof *all);
    struct consumer_asked *asked = consumer_allocate(consumer->partition_count, sizeof *asked);
    uint32_t count = 0;
    for (uint32_t t = 0; t < consumer->topic_count; t++) {
        struct kw_offset_for_leader_epoch_request_topic topic;
        kw_offset_for_leader_epoch_request_topic_init(&topic);
        topic.topic = consumer_text(consumer->topics[t].name);
        topic.partitions.items = &all[count];
        for (uint32_t i = 0; i < consumer->partition_count; i++) {
            struct consumer_partition *partition = &consumer->partitions[i];
            if (partition->topic != t || partition->leader.leader != node || !is_due(consumer, partition)) {
                continue;
            }
            kw_offset_for_leader_epoch_request_partition_init(&all[count]);
            all[count].partition = partition->partition;
            all[count].current_leader_epoch = partition->leader.epoch;
            all[count].leader_epoch = partition->offset_epoch;
            asked[count++] = (struct consumer_asked){i, partition->offset_epoch, partition->position};
            topic.partitions.count++;
            partition->retry_ms = consumer->now_ms + consumer->config->request_timeout_ms;
        }
        if (topic.partitions.count > 0) {
            topics[request.topics.count++] = topic;
        }
    }
    request.replica_id = CONSUMER_REPLICA;
    request.topics.items = topics;
    consumer_send(consumer, node, KW_API_OFFSET_FOR_LEADER_EPOCH, &request, asked, count);
    free(topics);
    free(all);
}

void consumer_validate_positions(struct sim_consumer_driver *consumer)
{
    consumer_validate_on_metadata(consumer);
    for (uint32_t i = 0; i < consumer->partition_count; i++) {
        const struct consumer_partition *partition = &consumer->partitions[i];
        if (partition->state != CONSUMER_AWAIT_VALIDATION) {
            continue;
        }
        if (!is_due(consumer, partition)) {
            consumer_wake_at(consumer, partition->retry_ms);
        } else if (partition->leader.leader < 0) {
            consumer->is_metadata_wanted = true;
        } else if (consumer_is_ready(consumer, partition->leader.leader, partition->leader.leader)) {
            ask_node(consumer, partition->leader.leader);
        }
    }
}

/* Kafka: SubscriptionState.maybeCompleteValidation. */
static void take_end(struct sim_consumer_driver *consumer, struct consumer_partition *partition,
                     const struct consumer_asked *asked,
                     const struct kw_offset_for_leader_epoch_response_partition *answer)
{
    if (partition->state != CONSUMER_AWAIT_VALIDATION || partition->position != asked->offset ||
        partition->offset_epoch != asked->epoch) {
        return;
    }
    if (answer->error_code != KW_ERROR_NONE) {
        partition->retry_ms = consumer->now_ms + consumer->config->retry_backoff_ms;
        consumer->is_metadata_wanted = true;
    } else if (answer->end_offset < 0 || answer->leader_epoch < 0) {
        consumer_request_reset(consumer, partition, KW_ERROR_OFFSET_OUT_OF_RANGE);
    } else if (answer->end_offset < partition->position &&
               consumer->config->auto_offset_reset == SIM_RESET_NONE) {
        consumer_fail(consumer, KW_ERROR_OFFSET_OUT_OF_RANGE); /* Kafka: LogTruncationException */
    } else if (answer->end_offset < partition->position) {
        consumer_seek(consumer, partition, answer->end_offset, answer->leader_epoch,
                      KB_POSITION_WHY_TRUNCATED);
    } else {
        partition->state = CONSUMER_FETCHING;
    }
}

static void take_failure(struct sim_consumer_driver *consumer, const struct consumer_request *request)
{
    consumer->is_metadata_wanted = true;
    for (uint32_t i = 0; i < request->asked_count; i++) {
        struct consumer_partition *partition = &consumer->partitions[request->asked[i].partition];
        if (partition->state == CONSUMER_AWAIT_VALIDATION) {
            partition->retry_ms = consumer->now_ms + consumer->config->retry_backoff_ms;
        }
    }
}

void consumer_on_epoch_ends(struct sim_consumer_driver *consumer, const struct consumer_request *request,
                            const struct kw_offset_for_leader_epoch_response *response)
{
    if (request->assignment != consumer->assignment) {
        return;
    }
    if (response == NULL) {
        take_failure(consumer, request);
        return;
    }
    for (int32_t i = 0; i < response->topics.count; i++) {
        const struct kw_offset_for_leader_epoch_response_topic *topic = &response->topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            const struct kw_offset_for_leader_epoch_response_partition *answer = &topic->partitions.items[j];
            struct consumer_partition *partition =
                consumer_partition_find(consumer, topic->topic, answer->partition);
            for (uint32_t k = 0; partition != NULL && k < request->asked_count; k++) {
                if (&consumer->partitions[request->asked[k].partition] == partition) {
                    take_end(consumer, partition, &request->asked[k], answer);
                    break;
                }
            }
        }
    }
}
