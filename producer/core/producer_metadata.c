#include "core/producer_metadata.h"

#include "base/assert.h"
#include "core/memory.h"
#include "core/producer_metadata_internal.h"

#include <string.h>

enum { KP_METADATA_SLAB_BYTES = 8192 };

static int64_t max_ms(int64_t left, int64_t right)
{
    return left > right ? left : right;
}

/** a + b, or the largest number where that overflows; b >= 0. */
static int64_t add_ms(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

struct kp_producer_metadata *kp_producer_metadata_create(const struct kp_producer_metadata_options *options)
{
    struct kp_producer_metadata *metadata = kb_allocate_zeroed(options->allocator, 1, sizeof(*metadata));

    if (metadata == NULL) {
        return NULL;
    }
    metadata->options = *options;
    metadata->trace = options->trace;
    metadata->last_refresh_ms = KP_METADATA_NEVER_MS;
    metadata->last_successful_refresh_ms = KP_METADATA_NEVER_MS;
    kb_arena_init(&metadata->arenas[0], options->allocator, KP_METADATA_SLAB_BYTES, 0);
    kb_arena_init(&metadata->arenas[1], options->allocator, KP_METADATA_SLAB_BYTES, 0);
    return metadata;
}

void kp_producer_metadata_destroy(struct kp_producer_metadata *metadata)
{
    if (metadata == NULL) {
        return;
    }
    const struct linger_allocator *allocator = metadata->options.allocator;

    kb_arena_release(&metadata->arenas[0]);
    kb_arena_release(&metadata->arenas[1]);
    kb_deallocate(allocator, metadata->topics, metadata->topic_capacity * sizeof(*metadata->topics));
    kb_deallocate(allocator, metadata->partitions,
                  metadata->partition_capacity * sizeof(*metadata->partitions));
    kb_deallocate(allocator, metadata->request_topics,
                  metadata->request_topic_capacity * sizeof(struct kp_topic *));
    kb_deallocate(allocator, metadata, sizeof(*metadata));
}

struct kp_topic_metadata *kp_metadata_topic_entry(struct kp_producer_metadata *metadata,
                                                  const struct kp_topic *topic)
{
    if (topic->index >= metadata->topic_capacity &&
        !kp_grow(metadata->options.allocator, &metadata->topics, &metadata->topic_capacity, topic->index + 1,
                 sizeof(*metadata->topics))) {
        return NULL;
    }
    return &metadata->topics[topic->index];
}

static const struct kp_topic_metadata *find_topic(const struct kp_producer_metadata *metadata,
                                                  const struct kp_topic *topic)
{
    return topic->index < metadata->topic_capacity ? &metadata->topics[topic->index] : NULL;
}

struct kp_partition_entry *kp_metadata_partition_entry(struct kp_producer_metadata *metadata,
                                                       const struct kp_topic_partition *partition)
{
    uint32_t old_capacity = metadata->partition_capacity;

    if (partition->index < old_capacity) {
        return &metadata->partitions[partition->index];
    }
    if (!kp_grow(metadata->options.allocator, &metadata->partitions, &metadata->partition_capacity,
                 partition->index + 1, sizeof(*metadata->partitions))) {
        return NULL;
    }
    for (uint32_t i = old_capacity; i < metadata->partition_capacity; i++) {
        metadata->partitions[i].view.leader = KP_NODE_NONE;
        metadata->partitions[i].view.leader_epoch = -1;
        metadata->partitions[i].cached_leader_id = -1;
        metadata->partitions[i].cached_leader_epoch = -1;
        metadata->partitions[i].last_seen_epoch = -1;
    }
    return &metadata->partitions[partition->index];
}

static void remember_why(struct kp_producer_metadata *metadata, enum kb_metadata_why why)
{
    if (metadata->has_why) {
        return;
    }
    metadata->has_why = true;
    metadata->why = why;
}

bool kp_producer_metadata_bootstrap(struct kp_producer_metadata *metadata, const char *const *hosts,
                                    const uint16_t *ports, uint32_t count)
{
    metadata->needs_full_update = true;
    metadata->update_version++;
    remember_why(metadata, KB_METADATA_WHY_STARTUP);
    return kp_metadata_cache_bootstrap(metadata, hosts, ports, count);
}

/* Kafka: Metadata.requestUpdateForNewTopics. A new topic does not wait for the refresh backoff. */
static void request_update_for_new_topics(struct kp_producer_metadata *metadata)
{
    metadata->last_refresh_ms = KP_METADATA_NEVER_MS;
    metadata->needs_partial_update = true;
    metadata->request_version++;
}

bool kp_producer_metadata_add(struct kp_producer_metadata *metadata, const struct kp_topic *topic,
                              int64_t now_ms)
{
    struct kp_topic_metadata *entry = kp_metadata_topic_entry(metadata, topic);

    if (entry == NULL) {
        return false;
    }
    entry->expires_ms = add_ms(now_ms, metadata->options.max_idle_ms);
    if (entry->is_tracked) {
        return true;
    }
    entry->is_tracked = true;
    entry->is_new = true;
    metadata->new_topic_count++;
    request_update_for_new_topics(metadata);
    remember_why(metadata, KB_METADATA_WHY_NEW_TOPIC);
    return true;
}

int32_t kp_producer_metadata_renew(struct kp_producer_metadata *metadata, const struct kp_topic *topic,
                                   int64_t now_ms)
{
    if (topic->index >= metadata->topic_capacity) {
        return -1;
    }
    struct kp_topic_metadata *entry = &metadata->topics[topic->index];
    if (!entry->is_tracked || entry->is_invalid || entry->partition_count == 0) {
        return -1;
    }
    entry->expires_ms = add_ms(now_ms, metadata->options.max_idle_ms);
    return (int32_t)entry->partition_count;
}

bool kp_producer_metadata_contains_topic(const struct kp_producer_metadata *metadata,
                                         const struct kp_topic *topic)
{
    const struct kp_topic_metadata *entry = find_topic(metadata, topic);

    return entry != NULL && entry->is_tracked;
}

int32_t kp_producer_metadata_request_update(struct kp_producer_metadata *metadata, enum kb_metadata_why why)
{
    metadata->needs_full_update = true;
    remember_why(metadata, why);
    return metadata->update_version;
}

int32_t kp_producer_metadata_request_update_for_topic(struct kp_producer_metadata *metadata,
                                                      const struct kp_topic *topic, enum kb_metadata_why why)
{
    const struct kp_topic_metadata *entry = find_topic(metadata, topic);

    if (entry == NULL || !entry->is_new) {
        return kp_producer_metadata_request_update(metadata, why);
    }
    request_update_for_new_topics(metadata);
    remember_why(metadata, KB_METADATA_WHY_NEW_TOPIC);
    return metadata->update_version;
}

int32_t kp_producer_metadata_update_version(const struct kp_producer_metadata *metadata)
{
    return metadata->update_version;
}

int32_t kp_producer_metadata_request_version(const struct kp_producer_metadata *metadata)
{
    return metadata->request_version;
}

bool kp_metadata_retain_topic(struct kp_producer_metadata *metadata, const struct kp_topic *topic,
                              int64_t now_ms)
{
    if (topic->index >= metadata->topic_capacity) {
        return false;
    }
    struct kp_topic_metadata *entry = &metadata->topics[topic->index];

    if (!entry->is_tracked || entry->is_new) {
        return entry->is_tracked;
    }
    if (entry->expires_ms > now_ms) {
        return true;
    }
    entry->is_tracked = false;
    return false;
}

/* --- Errors */

bool kp_producer_metadata_throws_fatal(struct kp_producer_metadata *metadata, struct kp_failure *failure)
{
    if (!metadata->has_fatal_error) {
        return false;
    }
    *failure = metadata->fatal_error;
    metadata->has_fatal_error = false;
    return true;
}

bool kp_producer_metadata_throws_for_topic(struct kp_producer_metadata *metadata,
                                           const struct kp_topic *topic, struct kp_failure *failure)
{
    const struct kp_topic_metadata *entry = find_topic(metadata, topic);
    bool throws = kp_producer_metadata_throws_fatal(metadata, failure);

    if (!throws && entry != NULL && entry->has_unauthorized_error) {
        kp_failure_throwf(failure, "TopicAuthorizationException", "Not authorized to access topics: [%s]",
                          topic->name);
        throws = true;
    } else if (!throws && entry != NULL && entry->has_invalid_error) {
        kp_failure_throwf(failure, "InvalidTopicException", "Invalid topics: [%s]", topic->name);
        throws = true;
    }
    /* Whoever asks takes all errors away, also those of other topics. Kafka: clearRecoverableErrors. */
    for (uint32_t i = 0; metadata->topics != NULL && i < metadata->topic_capacity; i++) {
        metadata->topics[i].has_invalid_error = false;
        metadata->topics[i].has_unauthorized_error = false;
    }
    return throws;
}

void kp_producer_metadata_fatal_error(struct kp_producer_metadata *metadata, const struct kp_failure *failure)
{
    metadata->fatal_error = *failure;
    metadata->has_fatal_error = true;
}

bool kp_producer_metadata_has_fatal_error(const struct kp_producer_metadata *metadata)
{
    return metadata->has_fatal_error;
}

void kp_producer_metadata_close(struct kp_producer_metadata *metadata)
{
    metadata->is_closed = true;
}

bool kp_producer_metadata_is_closed(const struct kp_producer_metadata *metadata)
{
    return metadata->is_closed;
}

/* --- The view */

bool kp_producer_metadata_is_invalid_topic(const struct kp_producer_metadata *metadata,
                                           const struct kp_topic *topic)
{
    const struct kp_topic_metadata *entry = find_topic(metadata, topic);

    return entry != NULL && entry->is_invalid;
}

int32_t kp_producer_metadata_partition_count(const struct kp_producer_metadata *metadata,
                                             const struct kp_topic *topic)
{
    const struct kp_topic_metadata *entry = find_topic(metadata, topic);

    return entry != NULL && entry->partition_count > 0 ? (int32_t)entry->partition_count : -1;
}

void kp_producer_metadata_topic_view(const struct kp_producer_metadata *metadata,
                                     const struct kp_topic *topic, struct kp_topic_view *out)
{
    const struct kp_topic_metadata *entry = find_topic(metadata, topic);

    *out = (struct kp_topic_view){.topic = topic->name};
    if (entry != NULL) {
        out->partition_count = (int32_t)entry->partition_count;
        out->available = entry->available;
        out->available_count = (int32_t)entry->available_count;
    }
}

const struct kp_partition_metadata *kp_producer_metadata_partition(
    const struct kp_producer_metadata *metadata, const struct kp_topic_partition *partition)
{
    static const struct kp_partition_metadata unknown = {.leader = KP_NODE_NONE, .leader_epoch = -1};

    return partition->index < metadata->partition_capacity ? &metadata->partitions[partition->index].view
                                                           : &unknown;
}

uint32_t kp_producer_metadata_node_count(const struct kp_producer_metadata *metadata)
{
    return metadata->node_count;
}

const struct kp_node *kp_producer_metadata_node(const struct kp_producer_metadata *metadata, uint32_t place)
{
    KB_ASSERT(place < metadata->node_count);
    return &metadata->nodes[place];
}

const struct kp_node *kp_producer_metadata_find_node(const struct kp_producer_metadata *metadata, int32_t id)
{
    /* Brokers are in the order of their ids; bootstrap servers are few. */
    if (metadata->node_count > 0 && metadata->nodes[0].id >= 0) {
        uint32_t from = 0;
        uint32_t to = metadata->node_count;

        while (from < to) {
            uint32_t middle = from + (to - from) / 2;

            if (metadata->nodes[middle].id < id) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        return from < metadata->node_count && metadata->nodes[from].id == id ? &metadata->nodes[from] : NULL;
    }
    for (uint32_t i = 0; i < metadata->node_count; i++) {
        if (metadata->nodes[i].id == id) {
            return &metadata->nodes[i];
        }
    }
    return NULL;
}

uint64_t kp_producer_metadata_view_number(const struct kp_producer_metadata *metadata)
{
    return metadata->view_number;
}

/* --- Updates */

int64_t kp_producer_metadata_last_successful_update_ms(const struct kp_producer_metadata *metadata)
{
    int64_t last_ms = metadata->last_successful_refresh_ms;
    return last_ms == KP_METADATA_NEVER_MS ? 0 : last_ms;
}

int64_t kp_producer_metadata_next_update_ms(const struct kp_producer_metadata *metadata)
{
    bool is_requested = metadata->needs_full_update || metadata->needs_partial_update;
    int64_t expires_ms = is_requested
                             ? KP_METADATA_NEVER_MS
                             : add_ms(metadata->last_successful_refresh_ms, metadata->options.max_age_ms);

    return max_ms(expires_ms, add_ms(metadata->last_refresh_ms, metadata->options.refresh_backoff_ms));
}

int64_t kp_producer_metadata_time_to_next_update_ms(const struct kp_producer_metadata *metadata,
                                                    int64_t now_ms)
{
    int64_t next_ms = kp_producer_metadata_next_update_ms(metadata);

    return next_ms <= now_ms ? 0 : next_ms - now_ms;
}

void kp_producer_metadata_new_request(struct kp_producer_metadata *metadata, int64_t now_ms,
                                      struct kp_metadata_request *out)
{
    uint32_t count = 0;
    bool is_partial = !metadata->needs_full_update &&
                      add_ms(metadata->last_successful_refresh_ms, metadata->options.max_age_ms) > now_ms;

    memset(out, 0, sizeof(*out));
    out->is_partial = is_partial;
    out->request_version = metadata->request_version;
    out->why = metadata->has_why ? metadata->why : KB_METADATA_WHY_MAX_AGE;
    for (uint32_t i = 0; i < kp_topics_count(metadata->options.topics) && i < metadata->topic_capacity; i++) {
        const struct kp_topic_metadata *entry = &metadata->topics[i];

        if (!(is_partial ? entry->is_new : entry->is_tracked)) {
            continue;
        }
        if (!kp_grow(metadata->options.allocator, &metadata->request_topics,
                     &metadata->request_topic_capacity, count + 1, sizeof(struct kp_topic *))) {
            break; /* a request for fewer topics; the others stay of interest */
        }
        metadata->request_topics[count++] = kp_topics_at(metadata->options.topics, i);
    }
    out->topics = metadata->request_topics;
    out->topic_count = count;
}

/* Kafka: the end of ProducerMetadata.update. */
static void forget_new_topics(struct kp_producer_metadata *metadata)
{
    for (uint32_t i = 0; i < metadata->topic_capacity && metadata->new_topic_count > 0; i++) {
        struct kp_topic_metadata *entry = &metadata->topics[i];

        if (!entry->is_new || entry->update_seen != metadata->view_number) {
            continue;
        }
        entry->is_new = false;
        metadata->new_topic_count--;
    }
}

bool kp_producer_metadata_update(struct kp_producer_metadata *metadata, int32_t request_version,
                                 const struct kw_metadata_response *response, int16_t api_version,
                                 bool is_partial, int64_t now_ms)
{
    KB_ASSERT(!metadata->is_closed);
    metadata->needs_partial_update = request_version < metadata->request_version;
    metadata->last_refresh_ms = now_ms;
    metadata->update_version++;
    if (!is_partial) {
        metadata->needs_full_update = false;
        metadata->last_successful_refresh_ms = now_ms;
    }
    metadata->has_why = false;
    if (metadata->needs_full_update || metadata->needs_partial_update) {
        remember_why(metadata, KB_METADATA_WHY_NEW_TOPIC);
    }
    if (!kp_metadata_cache_apply(metadata, response, api_version, is_partial, now_ms)) {
        return false;
    }
    forget_new_topics(metadata);
    (void)KB_TRACE(metadata->trace, 0, METADATA_UPDATED, metadata_updated,
                   .refresh_in_ms = kp_producer_metadata_time_to_next_update_ms(metadata, now_ms),
                   .version = metadata->update_version, .brokers = metadata->node_count,
                   .topics = metadata->viewed_topic_count);
    return true;
}

void kp_producer_metadata_failed_update(struct kp_producer_metadata *metadata, int64_t now_ms)
{
    metadata->last_refresh_ms = now_ms;
}
