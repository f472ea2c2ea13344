/*
 * What the consumer believes about the cluster. Kafka: ConsumerMetadata, Metadata, DefaultMetadataUpdater.
 */
#include "engine/consumer_internal.h"

#include <stdlib.h>

#include "base/assert.h"

struct consumer_topic *consumer_topic_find(const struct sim_consumer_driver *consumer, struct kw_string name)
{
    for (uint32_t i = 0; i < consumer->topic_count; i++) {
        const char *known = consumer->topics[i].name;
        if (name.length_bytes == (int32_t)strlen(known) &&
            memcmp(known, name.data, (size_t)name.length_bytes) == 0) {
            return &consumer->topics[i];
        }
    }
    return NULL;
}

struct consumer_leader consumer_leader_of(const struct sim_consumer_driver *consumer,
                                          const struct consumer_partition *partition)
{
    const struct consumer_topic *topic = &consumer->topics[partition->topic];
    if (partition->partition < topic->partition_count) {
        return topic->leaders[partition->partition];
    }
    return (struct consumer_leader){-1, -1};
}

/* Somebody has seen a newer epoch than metadata has: it is stale. Kafka: updateLastSeenEpochIfNewer. */
void consumer_see_epoch(struct sim_consumer_driver *consumer, const struct consumer_partition *partition,
                        int32_t epoch)
{
    if (epoch > consumer_leader_of(consumer, partition).epoch) {
        consumer->is_metadata_wanted = true;
    }
}

static void ask(struct sim_consumer_driver *consumer, int32_t key)
{
    struct kw_metadata_request request;
    kw_metadata_request_init(&request);
    struct kw_metadata_request_topic *topics = consumer_allocate(consumer->topic_count, sizeof *topics);
    for (uint32_t i = 0; i < consumer->topic_count; i++) {
        kw_metadata_request_topic_init(&topics[i]);
        topics[i].name = consumer_text(consumer->topics[i].name);
    }
    request.topics.items = topics;
    request.topics.count = (int32_t)consumer->topic_count;
    request.allow_auto_topic_creation = consumer->config->allow_auto_create_topics != 0;
    consumer->is_metadata_asked = true;
    consumer_send(consumer, key, KW_API_METADATA, &request, NULL, 0);
    free(topics);
}

void consumer_metadata_poll(struct sim_consumer_driver *consumer)
{
    const struct sim_consumer_config *config = consumer->config;
    if (consumer->is_metadata_asked) {
        return;
    }
    int64_t due_ms = consumer->is_metadata_wanted ? consumer->now_ms
                     : config->metadata_max_age_ms > INT64_MAX - consumer->metadata_ms
                         ? INT64_MAX
                         : consumer->metadata_ms + config->metadata_max_age_ms;
    int64_t allowed_ms = consumer->metadata_try_ms + config->retry_backoff_ms;
    due_ms = due_ms < allowed_ms ? allowed_ms : due_ms;
    int32_t key;
    int32_t broker;
    if (consumer->now_ms < due_ms) {
        consumer_wake_at(consumer, due_ms);
    } else if (consumer_least_loaded(consumer, &key, &broker) && consumer_is_ready(consumer, key, broker)) {
        ask(consumer, key);
    }
}

static void take_brokers(struct sim_consumer_driver *consumer, const struct kw_metadata_response *response)
{
    free(consumer->brokers);
    consumer->broker_count = (uint32_t)response->brokers.count;
    consumer->brokers = consumer_allocate(consumer->broker_count, sizeof(int32_t));
    for (uint32_t i = 0; i < consumer->broker_count; i++) {
        consumer->brokers[i] = response->brokers.items[i].node_id;
    }
}

/* An answer of a broker that knows less than another one did is no news. Kafka: updateLatestMetadata. */
static void take_partition(struct consumer_topic *topic,
                           const struct kw_metadata_response_partition *partition)
{
    if (partition->partition_index < 0 || partition->partition_index >= topic->partition_count) {
        return;
    }
    struct consumer_leader *known = &topic->leaders[partition->partition_index];
    if (partition->leader_epoch >= known->epoch) {
        *known = (struct consumer_leader){partition->leader_id, partition->leader_epoch};
    }
}

static void grow(struct consumer_topic *topic, int32_t partition_count)
{
    if (partition_count <= topic->partition_count) {
        return;
    }
    struct consumer_leader *grown = realloc(topic->leaders, (size_t)partition_count * sizeof *grown);
    KB_ASSERT(grown != NULL);
    for (int32_t i = topic->partition_count; i < partition_count; i++) {
        grown[i] = (struct consumer_leader){-1, -1};
    }
    topic->leaders = grown;
    topic->partition_count = partition_count;
}

/* Whether metadata has to be asked for again: something is not known yet. */
static bool take_topic(struct sim_consumer_driver *consumer, const struct kw_metadata_response_topic *answer)
{
    struct consumer_topic *topic = consumer_topic_find(consumer, answer->name);
    bool is_incomplete = kw_error_refreshes_metadata(kw_error_from_code(answer->error_code));
    if (topic == NULL) {
        return false;
    }
    int32_t before = topic->partition_count;
    if (answer->error_code == KW_ERROR_NONE) {
        grow(topic, answer->partitions.count);
    }
    /* Kafka: ConsumerCoordinator.rejoinNeededOrPending: the leader of a group looks for new partitions. */
    if (before > 0 && topic->partition_count > before && consumer->scenario->topic_count > 0) {
        consumer->group.needs_rejoin = true;
    }
    for (int32_t i = 0; answer->error_code == KW_ERROR_NONE && i < answer->partitions.count; i++) {
        const struct kw_metadata_response_partition *partition = &answer->partitions.items[i];
        is_incomplete =
            is_incomplete || kw_error_refreshes_metadata(kw_error_from_code(partition->error_code));
        take_partition(topic, partition);
    }
    return is_incomplete;
}

void consumer_on_metadata(struct sim_consumer_driver *consumer, const struct kw_metadata_response *response)
{
    consumer->is_metadata_asked = false;
    consumer->metadata_try_ms = consumer->now_ms;
    if (response == NULL || response->brokers.count <= 0) {
        consumer->is_metadata_wanted = true; /* Kafka: failedUpdate */
        return;
    }
    consumer->is_metadata_wanted = false;
    consumer->metadata_ms = consumer->now_ms;
    consumer->metadata_version++;
    take_brokers(consumer, response);
    for (int32_t i = 0; i < response->topics.count; i++) {
        if (take_topic(consumer, &response->topics.items[i])) {
            consumer->is_metadata_wanted = true;
        }
    }
}
