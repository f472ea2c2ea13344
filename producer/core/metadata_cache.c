/*
 * The view of the cluster: who leads what, in which order.
 *
 * What brokers said is kept per partition (cached_*); the view is computed from it anew at each update, in an
 * arena of its own, while the old one is still there to be compared with. Kafka: MetadataCache, Cluster.
 */
#include "base/assert.h"
#include "core/producer_metadata_internal.h"
#include "wire/errors.h"

#include <stdlib.h>
#include <string.h>

/* The first version whose leader epochs can be believed. Kafka: MetadataResponse.hasReliableLeaderEpochs. */
enum { FIRST_VERSION_WITH_RELIABLE_EPOCHS = 9 };

struct sort_entry {
    int64_t key;
    const struct kp_topic_partition *partition;
};

static int compare_entries(const void *left, const void *right)
{
    const struct sort_entry *a = left;
    const struct sort_entry *b = right;

    if (a->key != b->key) {
        return a->key < b->key ? -1 : 1;
    }
    if (a->partition->topic->index != b->partition->topic->index) {
        return a->partition->topic->index < b->partition->topic->index ? -1 : 1;
    }
    if (a->partition->partition != b->partition->partition) {
        return a->partition->partition < b->partition->partition ? -1 : 1;
    }
    return 0;
}

static int compare_nodes(const void *left, const void *right)
{
    const struct kp_node *a = left;
    const struct kp_node *b = right;

    return a->id < b->id ? -1 : a->id > b->id;
}

/* --- Computing the view. Kafka: MetadataCache.computeClusterView, Cluster's constructor */

/* The one that is there: a leader is a node of the view. */
static struct kp_node *find_node(struct kp_producer_metadata *metadata, int32_t id)
{
    const struct kp_node *node = kp_producer_metadata_find_node(metadata, id);

    KB_ASSERT(node != NULL);
    return &metadata->nodes[node - metadata->nodes];
}

static void set_view(struct kp_producer_metadata *metadata, const struct kp_topic_partition *partition)
{
    struct kp_partition_entry *entry = &metadata->partitions[partition->index];
    const struct kp_node *node = entry->is_cached && entry->cached_leader_id >= 0
                                     ? kp_producer_metadata_find_node(metadata, entry->cached_leader_id)
                                     : NULL;
    struct kp_partition_metadata view = {
        .is_known = entry->is_cached,
        .leader = node != NULL ? node->id : KP_NODE_NONE,
        .leader_epoch = entry->is_cached ? entry->cached_leader_epoch : -1,
    };
    bool has_changed = view.is_known != entry->view.is_known || view.leader != entry->view.leader ||
                       view.leader_epoch != entry->view.leader_epoch;

    entry->view = view;
    if (has_changed) {
        (void)KB_TRACE(metadata->trace, 0, METADATA_PARTITION, metadata_partition,
                       .topic = partition->topic->trace_name, .partition = partition->partition,
                       .leader = view.leader == KP_NODE_NONE ? -1 : view.leader,
                       .leader_epoch = view.leader_epoch);
    }
}

/* The partitions of each topic, by number, and those of them with a leader in the order of the driver. */
static bool view_topics(struct kp_producer_metadata *metadata, struct kb_arena *arena,
                        struct sort_entry *entries, uint32_t known_count)
{
    const struct kp_partition_order *order = &metadata->options.order;
    const struct kp_topic_partition **list =
        kb_arena_allocate(arena, ((size_t)known_count + 1) * sizeof(struct kp_topic_partition *));
    int32_t *available = kb_arena_allocate(arena, ((size_t)known_count + 1) * sizeof(*available));

    if (list == NULL || available == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < known_count; i++) {
        list[i] = entries[i].partition;
    }
    metadata->viewed_topic_count = 0;
    for (uint32_t from = 0, to = 0; from < known_count; from = to) {
        const struct kp_topic *topic = list[from]->topic;
        struct kp_topic_metadata *entry = &metadata->topics[topic->index];
        uint32_t count = 0;

        for (to = from; to < known_count && list[to]->topic == topic; to++) {
            if (metadata->partitions[list[to]->index].view.leader == KP_NODE_NONE) {
                continue;
            }
            entries[count].partition = list[to];
            entries[count++].key = order->in_topic != NULL
                                       ? order->in_topic(order->context, topic->name, list[to]->partition)
                                       : 0;
        }
        qsort(entries, count, sizeof(*entries), compare_entries);
        entry->partitions = list + from;
        entry->partition_count = to - from;
        entry->available = available + from;
        entry->available_count = count;
        for (uint32_t i = 0; i < count; i++) {
            entry->available[i] = entries[i].partition->partition;
        }
        metadata->viewed_topic_count++;
    }
    return true;
}

static void sort_node(struct kp_producer_metadata *metadata, struct kp_node *node, struct sort_entry *entries)
{
    const struct kp_partition_order *order = &metadata->options.order;

    for (uint32_t i = 0; i < node->partition_count; i++) {
        const struct kp_topic_partition *partition = node->partitions[i];

        entries[i].partition = partition;
        entries[i].key = order->in_node != NULL ? order->in_node(order->context, node->id,
                                                                 partition->topic->name, partition->partition)
                                                : 0;
    }
    qsort(entries, node->partition_count, sizeof(*entries), compare_entries);
    for (uint32_t i = 0; i < node->partition_count; i++) {
        node->partitions[i] = entries[i].partition;
        metadata->partitions[entries[i].partition->index].view.place_in_node = i;
    }
}

/* The partitions of each node, in the order of the drain. */
static bool view_nodes(struct kp_producer_metadata *metadata, struct kb_arena *arena,
                       struct sort_entry *entries)
{
    uint32_t partition_count = kp_topics_partition_count(metadata->options.topics);

    if (partition_count > metadata->partition_capacity) {
        partition_count = metadata->partition_capacity;
    }
    for (uint32_t i = 0; i < partition_count; i++) {
        if (metadata->partitions[i].view.leader != KP_NODE_NONE) {
            find_node(metadata, metadata->partitions[i].view.leader)->partition_count++;
        }
    }
    for (uint32_t n = 0; n < metadata->node_count; n++) {
        struct kp_node *node = &metadata->nodes[n];

        node->partitions = kb_arena_allocate(arena, ((size_t)node->partition_count + 1) *
                                                        sizeof(struct kp_topic_partition *));
        if (node->partitions == NULL) {
            return false;
        }
        node->partition_count = 0;
    }
    for (uint32_t i = 0; i < partition_count; i++) {
        struct kp_node *node = metadata->partitions[i].view.leader != KP_NODE_NONE
                                   ? find_node(metadata, metadata->partitions[i].view.leader)
                                   : NULL;

        if (node != NULL) {
            node->partitions[node->partition_count++] = kp_topics_partition_at(metadata->options.topics, i);
        }
    }
    for (uint32_t n = 0; n < metadata->node_count; n++) {
        sort_node(metadata, &metadata->nodes[n], entries);
    }
    return true;
}

static bool compute_view(struct kp_producer_metadata *metadata, struct kb_arena *arena)
{
    uint32_t partition_count = kp_topics_partition_count(metadata->options.topics);
    uint32_t known_count = 0;
    struct sort_entry *entries = kb_arena_allocate(arena, ((size_t)partition_count + 1) * sizeof(*entries));

    if (entries == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < metadata->topic_capacity; i++) {
        metadata->topics[i].partition_count = 0;
        metadata->topics[i].available_count = 0;
    }
    for (uint32_t i = 0; i < partition_count && i < metadata->partition_capacity; i++) {
        const struct kp_topic_partition *partition = kp_topics_partition_at(metadata->options.topics, i);

        set_view(metadata, partition);
        if (metadata->partitions[i].is_cached) {
            entries[known_count++] = (struct sort_entry){.key = 0, .partition = partition};
        }
    }
    qsort(entries, known_count, sizeof(*entries), compare_entries);
    return view_topics(metadata, arena, entries, known_count) && view_nodes(metadata, arena, entries);
}

bool kp_metadata_cache_bootstrap(struct kp_producer_metadata *metadata, const char *const *hosts,
                                 const uint16_t *ports, uint32_t count)
{
    struct kb_arena *arena = &metadata->arenas[metadata->arena_index];
    struct kp_node *nodes = kb_arena_allocate_zeroed(arena, (size_t)count + 1, sizeof(*nodes));

    metadata->view_number++;
    if (nodes == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        nodes[i].id = -1 - (int32_t)i;
        nodes[i].host = kb_arena_copy(arena, hosts[i], strlen(hosts[i]));
        nodes[i].port = ports[i];
        if (nodes[i].host == NULL) {
            return false;
        }
    }
    metadata->nodes = nodes;
    metadata->node_count = count;
    return true;
}

/* --- What a response changes */

static bool read_nodes(struct kb_arena *arena, const struct kw_metadata_response *response,
                       struct kp_node **out, uint32_t *count)
{
    struct kp_node *nodes =
        kb_arena_allocate_zeroed(arena, (size_t)response->brokers.count + 1, sizeof(*nodes));
    uint32_t kept = 0;

    if (nodes == NULL) {
        return false;
    }
    for (int32_t i = 0; i < response->brokers.count; i++) {
        const struct kw_metadata_response_broker *broker = &response->brokers.items[i];

        nodes[i].id = broker->node_id;
        nodes[i].host = kb_arena_copy(arena, broker->host.data, (size_t)broker->host.length_bytes);
        nodes[i].port = (uint16_t)broker->port;
        if (nodes[i].host == NULL) {
            return false;
        }
    }
    qsort(nodes, (size_t)response->brokers.count, sizeof(*nodes), compare_nodes);
    /* A map has one node per id; ids below 0 are those of bootstrap servers. */
    for (int32_t i = 0; i < response->brokers.count; i++) {
        if (nodes[i].id >= 0 && (kept == 0 || nodes[kept - 1].id != nodes[i].id)) {
            nodes[kept++] = nodes[i];
        }
    }
    *out = nodes;
    *count = kept;
    return true;
}

/* Kafka: Metadata.updateLatestMetadata. false: no memory. */
static bool update_partition(struct kp_producer_metadata *metadata, const struct kp_topic *topic,
                             const struct kw_metadata_response_partition *said, bool has_reliable_epochs,
                             bool is_topic_recreated)
{
    const struct kp_topic_partition *partition;
    struct kp_partition_entry *entry;

    if (said->partition_index < 0) {
        return true;
    }
    partition = kp_topics_partition(metadata->options.topics, topic, said->partition_index);
    entry = partition != NULL ? kp_metadata_partition_entry(metadata, partition) : NULL;
    if (entry == NULL) {
        return false;
    }
    if (kw_error_refreshes_metadata(kw_error_from_code(said->error_code))) {
        (void)kp_producer_metadata_request_update(metadata, KB_METADATA_WHY_NO_LEADER);
    }
    if (has_reliable_epochs && said->leader_epoch >= 0) {
        if (!is_topic_recreated && said->leader_epoch < entry->last_seen_epoch) {
            /* An older epoch than one that was seen: what is cached stays. */
            entry->update_seen = metadata->view_number;
            return true;
        }
        entry->last_seen_epoch = said->leader_epoch;
        entry->cached_leader_epoch = said->leader_epoch;
    } else {
        entry->last_seen_epoch = -1;
        entry->cached_leader_epoch = -1;
    }
    entry->is_cached = true;
    entry->cached_leader_id = said->leader_id >= 0 ? said->leader_id : -1;
    entry->update_seen = metadata->view_number;
    return true;
}

static bool update_topic(struct kp_producer_metadata *metadata, const struct kw_metadata_response_topic *said,
                         bool has_reliable_epochs, int64_t now_ms)
{
    static const struct kw_uuid zero;
    const struct kp_topic *topic =
        said->name.length_bytes > 0
            ? kp_topics_find(metadata->options.topics, said->name.data, (size_t)said->name.length_bytes)
            : NULL;
    enum kw_error error = kw_error_from_code(said->error_code);
    struct kp_topic_metadata *entry;
    bool has_id = memcmp(&said->topic_id, &zero, sizeof(zero)) != 0;
    bool is_recreated;

    if (topic == NULL || topic->index >= metadata->topic_capacity) {
        return true; /* nobody asked for it */
    }
    entry = &metadata->topics[topic->index];
    entry->update_seen = metadata->view_number;
    is_recreated =
        has_id && entry->has_topic_id && memcmp(&said->topic_id, &entry->topic_id, sizeof(zero)) != 0;
    entry->is_invalid = false;
    entry->is_unauthorized = false;
    entry->has_topic_id = has_id;
    entry->topic_id = said->topic_id;
    if (!kp_metadata_retain_topic(metadata, topic, now_ms)) {
        return true;
    }
    if (error == KW_ERROR_NONE) {
        for (int32_t i = 0; i < said->partitions.count; i++) {
            if (!update_partition(metadata, topic, &said->partitions.items[i], has_reliable_epochs,
                                  is_recreated)) {
                return false;
            }
        }
        return true;
    }
    if (kw_error_refreshes_metadata(error)) {
        (void)kp_producer_metadata_request_update(metadata, KB_METADATA_WHY_ERROR);
    }
    entry->is_invalid = error == KW_ERROR_INVALID_TOPIC_EXCEPTION;
    entry->is_unauthorized = error == KW_ERROR_TOPIC_AUTHORIZATION_FAILED;
    return true;
}

/* What the response did not name stays only in a partial update, while its topic is of interest. */
static void forget_unnamed(struct kp_producer_metadata *metadata, bool is_partial, int64_t now_ms)
{
    struct kp_topics *topics = metadata->options.topics;

    for (uint32_t i = 0; i < kp_topics_count(topics) && i < metadata->topic_capacity; i++) {
        struct kp_topic_metadata *entry = &metadata->topics[i];

        if (entry->update_seen == metadata->view_number ||
            (is_partial && kp_metadata_retain_topic(metadata, kp_topics_at(topics, i), now_ms))) {
            continue;
        }
        entry->is_invalid = false;
        entry->is_unauthorized = false;
        entry->has_topic_id = false;
    }
    for (uint32_t i = 0; i < kp_topics_partition_count(topics) && i < metadata->partition_capacity; i++) {
        const struct kp_topic *topic = kp_topics_partition_at(topics, i)->topic;
        struct kp_partition_entry *entry = &metadata->partitions[i];

        if (topic->index >= metadata->topic_capacity) {
            continue;
        }
        bool is_topic_named = metadata->topics[topic->index].update_seen == metadata->view_number;
        bool is_retained = kp_metadata_retain_topic(metadata, topic, now_ms);

        if (entry->update_seen != metadata->view_number && (!is_partial || is_topic_named || !is_retained)) {
            entry->is_cached = false;
        }
        if (!is_retained) {
            entry->last_seen_epoch = -1;
        }
    }
}

bool kp_metadata_cache_apply(struct kp_producer_metadata *metadata,
                             const struct kw_metadata_response *response, int16_t api_version,
                             bool is_partial, int64_t now_ms)
{
    struct kb_arena *arena = &metadata->arenas[1 - metadata->arena_index];
    struct kp_node *nodes;
    uint32_t node_count;

    metadata->view_number++;
    kb_arena_reset(arena);
    if (!read_nodes(arena, response, &nodes, &node_count)) {
        return false;
    }
    for (int32_t i = 0; i < response->topics.count; i++) {
        if (!update_topic(metadata, &response->topics.items[i],
                          api_version >= FIRST_VERSION_WITH_RELIABLE_EPOCHS, now_ms)) {
            return false;
        }
    }
    forget_unnamed(metadata, is_partial, now_ms);
    metadata->nodes = nodes;
    metadata->node_count = node_count;
    metadata->arena_index = 1 - metadata->arena_index;
    for (uint32_t i = 0; i < metadata->topic_capacity; i++) {
        metadata->topics[i].has_invalid_error = metadata->topics[i].is_invalid;
        metadata->topics[i].has_unauthorized_error = metadata->topics[i].is_unauthorized;
    }
    return compute_view(metadata, arena);
}
