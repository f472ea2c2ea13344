/**
 * What the producer believes of the cluster: brokers, topics, leaders; and when it will ask again.
 *
 * Kafka: ProducerMetadata, Metadata, MetadataCache, Cluster. Where Java waits in awaitUpdate() the caller
 * remembers the version that a request for an update answered, and goes on once the update version is
 * greater, the metadata is closed, or a fatal error is there.
 */
#ifndef KP_PRODUCER_METADATA_H
#define KP_PRODUCER_METADATA_H

#include "base/trace.h"
#include "core/topics.h"
#include "wire/message_structs.h"

#include <linger/failure.h>
#include <linger/producer.h>

struct kp_producer_metadata;

/** No node. Bootstrap brokers have the ids -1, -2, ... */
#define KP_NODE_NONE INT32_MIN

struct kp_producer_metadata_options {
    const struct linger_allocator *allocator; /* borrowed */
    struct kb_trace *trace;                   /* borrowed; NULL: none */
    struct kp_topics *topics;                 /* borrowed */
    struct kp_partition_order order;          /* copied */
    int64_t refresh_backoff_ms;               /* retry.backoff.ms */
    int64_t max_age_ms;                       /* metadata.max.age.ms */
    int64_t max_idle_ms;                      /* metadata.max.idle.ms */
};

/** Kafka: Node, and Cluster.partitionsForNode. Valid until the next update. */
struct kp_node {
    int32_t id;
    const char *host;
    uint16_t port;
    /** What it leads, in the order of the drain. */
    const struct kp_topic_partition **partitions;
    uint32_t partition_count;
};

/** NULL: no memory. */
struct kp_producer_metadata *kp_producer_metadata_create(const struct kp_producer_metadata_options *options);
void kp_producer_metadata_destroy(struct kp_producer_metadata *metadata);

/**
 * Start from the list of bootstrap servers: nodes -1, -2, ... Copies. Kafka: Metadata.bootstrap.
 * Returns false without memory.
 */
bool kp_producer_metadata_bootstrap(struct kp_producer_metadata *metadata, const char *const *hosts,
                                    const uint16_t *ports, uint32_t count)
    __attribute__((warn_unused_result));

/* --- Topics of interest */

/** A send needs the topic: it stays of interest for metadata.max.idle.ms. false: no memory. Kafka:
 * ProducerMetadata.add. */
bool kp_producer_metadata_add(struct kp_producer_metadata *metadata, const struct kp_topic *topic,
                              int64_t now_ms);
/**
 * is_invalid_topic, add and partition_count in one look, for the topic of nearly every record: one that is of
 * interest, valid and known. -1: it is something else, and nothing was changed.
 */
int32_t kp_producer_metadata_renew(struct kp_producer_metadata *metadata, const struct kp_topic *topic,
                                   int64_t now_ms);
bool kp_producer_metadata_contains_topic(const struct kp_producer_metadata *metadata,
                                         const struct kp_topic *topic);

/** Ask for an update; each returns the version that is there now. why goes into the trace. */
int32_t kp_producer_metadata_request_update(struct kp_producer_metadata *metadata, enum kb_metadata_why why);
int32_t kp_producer_metadata_request_update_for_topic(struct kp_producer_metadata *metadata,
                                                      const struct kp_topic *topic, enum kb_metadata_why why);
int32_t kp_producer_metadata_update_version(const struct kp_producer_metadata *metadata);

/* --- Errors */

/** True, with the failure, when a fatal error is pending; it is thrown once. Kafka:
 * maybeThrowFatalException. */
bool kp_producer_metadata_throws_fatal(struct kp_producer_metadata *metadata, struct kp_failure *failure);
/** Kafka: maybeThrowExceptionForTopic: a fatal error, or that the topic is invalid or not authorized. */
bool kp_producer_metadata_throws_for_topic(struct kp_producer_metadata *metadata,
                                           const struct kp_topic *topic, struct kp_failure *failure);
void kp_producer_metadata_fatal_error(struct kp_producer_metadata *metadata,
                                      const struct kp_failure *failure);

bool kp_producer_metadata_has_fatal_error(const struct kp_producer_metadata *metadata);

void kp_producer_metadata_close(struct kp_producer_metadata *metadata);
bool kp_producer_metadata_is_closed(const struct kp_producer_metadata *metadata);

/* --- The view. Kafka: Cluster */

/** Whether the last metadata said that the name of the topic is invalid. */
bool kp_producer_metadata_is_invalid_topic(const struct kp_producer_metadata *metadata,
                                           const struct kp_topic *topic);
/** -1: the topic is not in the metadata. Kafka: Cluster.partitionCountForTopic. */
int32_t kp_producer_metadata_partition_count(const struct kp_producer_metadata *metadata,
                                             const struct kp_topic *topic);
/** For partitioners; valid until the next update. count 0 when it is not known. */
void kp_producer_metadata_topic_view(const struct kp_producer_metadata *metadata,
                                     const struct kp_topic *topic, struct kp_topic_view *out);

/**
 * What is known of a partition. The leader is the id of a node that is in the metadata, or KP_NODE_NONE; the
 * place is that among the partitions of its leader (struct kp_node). Kafka: Cluster.leaderFor.
 */
struct kp_partition_metadata {
    bool is_known;
    int32_t leader;
    int32_t leader_epoch; /* -1: none */
    uint32_t place_in_node;
};
/** Valid until the next update; a partition that is not in the metadata is not known and has no leader. */
const struct kp_partition_metadata *kp_producer_metadata_partition(
    const struct kp_producer_metadata *metadata, const struct kp_topic_partition *partition);

/** The nodes in the order of the list: brokers by id; bootstrap brokers as they were given. */
uint32_t kp_producer_metadata_node_count(const struct kp_producer_metadata *metadata);
const struct kp_node *kp_producer_metadata_node(const struct kp_producer_metadata *metadata, uint32_t place);
/** NULL: no such node. */
const struct kp_node *kp_producer_metadata_find_node(const struct kp_producer_metadata *metadata, int32_t id);

/** Counts the changes of what this view says; a cached selection is valid while it stays. */
uint64_t kp_producer_metadata_view_number(const struct kp_producer_metadata *metadata);

/* --- Updates. For the network client */

/** A request to send. The topics are borrowed until the next call with the metadata. */
struct kp_metadata_request {
    const struct kp_topic *const *topics;
    uint32_t topic_count;
    int32_t request_version;
    bool is_partial;
    enum kb_metadata_why why;
};

int64_t kp_producer_metadata_time_to_next_update_ms(const struct kp_producer_metadata *metadata,
                                                    int64_t now_ms);
/** When a response last brought metadata; 0: never. Kafka: lastSuccessfulUpdate. */
int64_t kp_producer_metadata_last_successful_update_ms(const struct kp_producer_metadata *metadata);
/** When the update is due by itself; INT64_MAX: never. */
int64_t kp_producer_metadata_next_update_ms(const struct kp_producer_metadata *metadata);
void kp_producer_metadata_new_request(struct kp_producer_metadata *metadata, int64_t now_ms,
                                      struct kp_metadata_request *out);
/** Kafka: Metadata.update. api_version: of the response (epochs are reliable from 9 on). false: no memory. */
bool kp_producer_metadata_update(struct kp_producer_metadata *metadata, int32_t request_version,
                                 const struct kw_metadata_response *response, int16_t api_version,
                                 bool is_partial, int64_t now_ms) __attribute__((warn_unused_result));
int32_t kp_producer_metadata_request_version(const struct kp_producer_metadata *metadata);
void kp_producer_metadata_failed_update(struct kp_producer_metadata *metadata, int64_t now_ms);

#endif
