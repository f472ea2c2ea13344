/**
 * What the two halves of the metadata share: producer_metadata.c keeps the time and the topics of interest,
 * metadata_cache.c the view.
 */
#ifndef KP_PRODUCER_METADATA_INTERNAL_H
#define KP_PRODUCER_METADATA_INTERNAL_H

#include "base/arena.h"
#include "core/producer_metadata.h"

/** "Never", early enough for every comparison and far enough from an overflow. Java has 0 for it. */
#define KP_METADATA_NEVER_MS (INT64_MIN / 4)

/** By the index of the topic. */
struct kp_topic_metadata {
    /* ProducerMetadata.topics and newTopics */
    int64_t expires_ms;
    bool is_tracked;
    bool is_new;
    /* Metadata.invalidTopics and unauthorizedTopics: told once */
    bool has_invalid_error;
    bool has_unauthorized_error;
    /* MetadataCache */
    bool is_invalid;
    bool is_unauthorized;
    bool has_topic_id;
    struct kw_uuid topic_id;
    uint64_t update_seen; /* the update whose response named it last */
    /* Cluster */
    const struct kp_topic_partition **partitions;
    uint32_t partition_count;
    int32_t *available;
    uint32_t available_count;
};

/** By the index of the partition. */
struct kp_partition_entry {
    struct kp_partition_metadata view;
    bool is_cached;
    int32_t cached_leader_id; /* as the broker said it, whether or not the node is known; -1: none */
    int32_t cached_leader_epoch;
    int32_t last_seen_epoch; /* -1: none. Kafka: Metadata.lastSeenLeaderEpochs */
    uint64_t update_seen;
};

struct kp_producer_metadata {
    struct kp_producer_metadata_options options;
    struct kb_trace *trace;

    struct kp_topic_metadata *topics;
    uint32_t topic_capacity;
    struct kp_partition_entry *partitions;
    uint32_t partition_capacity;
    const struct kp_topic **request_topics;
    uint32_t request_topic_capacity;
    uint32_t new_topic_count;

    int32_t update_version;
    int32_t request_version;
    int64_t last_refresh_ms;
    int64_t last_successful_refresh_ms;
    bool needs_full_update;
    bool needs_partial_update;
    bool has_why;
    enum kb_metadata_why why;
    bool is_closed;
    bool has_fatal_error;
    struct kp_failure fatal_error;

    /* The view, in one of two arenas: the next one is made of the old one. */
    struct kb_arena arenas[2];
    uint32_t arena_index;
    struct kp_node *nodes;
    uint32_t node_count;
    uint32_t viewed_topic_count;
    uint64_t view_number;
};

/** The entry of a topic or a partition, made when it is new; NULL: no memory. */
struct kp_topic_metadata *kp_metadata_topic_entry(struct kp_producer_metadata *metadata,
                                                  const struct kp_topic *topic);
struct kp_partition_entry *kp_metadata_partition_entry(struct kp_producer_metadata *metadata,
                                                       const struct kp_topic_partition *partition);

/** Whether the topic stays in the metadata; forgets one that nobody used for long. Kafka: retainTopic. */
bool kp_metadata_retain_topic(struct kp_producer_metadata *metadata, const struct kp_topic *topic,
                              int64_t now_ms);

/** The view of bootstrap servers. Kafka: MetadataCache.bootstrap. false: no memory. */
bool kp_metadata_cache_bootstrap(struct kp_producer_metadata *metadata, const char *const *hosts,
                                 const uint16_t *ports, uint32_t count) __attribute__((warn_unused_result));

/** Kafka: Metadata.handleMetadataResponse, MetadataCache.mergeWith. false: no memory. */
bool kp_metadata_cache_apply(struct kp_producer_metadata *metadata,
                             const struct kw_metadata_response *response, int16_t api_version,
                             bool is_partial, int64_t now_ms) __attribute__((warn_unused_result));

#endif
