/**
 * Topics and their partitions, as far as they never change: names, numbers, assignments.
 *
 * Every partition of the cluster has a number, by which brokers and controller index their tables. What leads
 * it is a mb_partition_state: immutable, shared by reference between the controller, the messages on their
 * way and the brokers' metadata caches, each of which may hold another one.
 *
 * Kafka: TopicPartition, LeaderAndIsr, UpdateMetadataPartitionState.
 */
#ifndef MB_TOPIC_H
#define MB_TOPIC_H

#include "base/list.h"
#include "mockbroker/memory.h"
#include "mockbroker/settings.h"
#include "wire/schema.h"

struct kb_trace;
struct mb_cluster;
struct mb_topic;

struct mb_topic_partition {
    struct mb_topic *topic;
    int32_t *replicas; /* indexes of brokers, preferred leader first */
    uint32_t replica_count;
    int32_t index;
    uint32_t number;
    struct kb_list_node of_touched; /* something of it is not what it was at the last mb_check_changed() */
};

/** What the brokers keep their own state in is a topic, too. Kafka: Topic.INTERNAL_TOPICS. */
enum mb_topic_kind { MB_TOPIC_OF_CLIENTS, MB_TOPIC_TRANSACTION_STATE, MB_TOPIC_CONSUMER_OFFSETS };

struct mb_topic {
    char *name;
    int32_t name_length_bytes;
    uint32_t trace_name;
    enum mb_topic_kind kind;
    struct kb_trace *trace; /* NULL: what happens to its partitions is not announced */
    struct kw_uuid id;
    struct mb_topic_partition **partitions;
    int32_t partition_count;
    uint32_t partition_capacity;
    struct mb_settings settings;
};

/** LeaderAndIsr: leader -1 is none. Members are indexes of brokers. */
struct mb_partition_state {
    uint32_t references;
    int32_t leader;
    int32_t leader_epoch;
    int32_t version; /* ZooKeeper's, of the node that holds it */
    uint32_t isr_count;
    int32_t isr[];
};

struct mb_partition_state *mb_partition_state_create(const struct linger_allocator *allocator, int32_t leader,
                                                     int32_t leader_epoch, int32_t version,
                                                     const int32_t *isr, uint32_t isr_count);
struct mb_partition_state *mb_partition_state_hold(struct mb_partition_state *state);
void mb_partition_state_drop(const struct linger_allocator *allocator, struct mb_partition_state *state);

/** Is member among the count ids? */
bool mb_is_member(const int32_t *members, uint32_t count, int32_t member);

/** NULL when there is none. name need not be terminated. */
struct mb_topic *mb_topic_find(const struct mb_cluster *cluster, const char *name, int32_t length_bytes);
/** NULL when the topic has no such partition. */
struct mb_topic_partition *mb_topic_partition_at(const struct mb_topic *topic, int32_t index);

/** Letters, digits, ".", "_" and "-", 1 to 249 of them, not "." or "..". Kafka: Topic.validate. */
bool mb_topic_name_is_valid(const char *name, int32_t length_bytes);
/** Another topic has the same name but for "." and "_". Kafka: Topic.hasCollision. */
bool mb_topic_name_collides(const struct mb_cluster *cluster, const char *name, int32_t length_bytes);

/** The name of an internal topic; NULL for MB_TOPIC_OF_CLIENTS. */
const char *mb_topic_kind_name(enum mb_topic_kind kind);
enum mb_topic_kind mb_topic_kind_of(const char *name, int32_t length_bytes);

/** A topic without partitions. The name must be new. */
struct mb_topic *mb_topic_create(struct mb_cluster *cluster, const char *name, int32_t length_bytes);
/** The next partition of a topic. Copies the indexes. */
struct mb_topic_partition *mb_topic_add_partition(struct mb_cluster *cluster, struct mb_topic *topic,
                                                  const int32_t *replicas, uint32_t replica_count);
void mb_topics_release(struct mb_cluster *cluster);

#endif
