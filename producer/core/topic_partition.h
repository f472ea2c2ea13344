/**
 * The topics and partitions that a producer has met, each as one object that stays for the lifetime of the
 * producer. Whoever keeps something per partition (queues, sequences) uses its index; nobody looks a name up
 * twice.
 *
 * Kafka: TopicPartition, and the HashMaps that have it as their key.
 */
#ifndef KP_TOPIC_PARTITION_H
#define KP_TOPIC_PARTITION_H

#include <linger/allocator.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kb_trace;

/** No node. Bootstrap brokers have the ids -1, -2, ... */
#define KP_NODE_NONE INT32_MIN

struct kp_topic {
    const char *name; /* NUL-terminated */
    uint32_t name_length_bytes;
    uint32_t trace_name; /* for events */
    uint32_t index;      /* topics count from 0 in the order in which they came to be known */

    /** Every partition that was ever met, by number, without gaps in the array. */
    struct kp_topic_partition **partitions;
    uint32_t partition_count;
    uint32_t partition_capacity;
    struct kp_topic *next_in_bucket;
};

struct kp_topic_partition {
    struct kp_topic *topic;
    int32_t partition;
    uint32_t index; /* partitions of all topics count from 0 in the order in which they came to be known */

    /* What the metadata says of it; written by producer_metadata only. */
    bool is_known;          /* it is in the metadata */
    int32_t leader;         /* node id; KP_NODE_NONE when there is none, or it is not in the metadata */
    int32_t leader_epoch;   /* -1: none */
    uint32_t place_in_node; /* index among the partitions that its leader leads (kp_node.partitions) */
};

struct kp_topic_table {
    const struct linger_allocator *allocator;
    struct kb_trace *trace;
    struct kp_topic **buckets;
    uint32_t bucket_count;
    struct kp_topic **topics; /* by index */
    uint32_t topic_count;
    uint32_t topic_capacity;
    struct kp_topic_partition **partitions; /* by index */
    uint32_t partition_count;
    uint32_t partition_capacity;
};

/** Borrows the allocator and the trace. */
void kp_topic_table_init(struct kp_topic_table *table, const struct linger_allocator *allocator,
                         struct kb_trace *trace);
void kp_topic_table_release(struct kp_topic_table *table);

/** The topic of that name, or NULL when nobody has met it yet. */
struct kp_topic *kp_topic_table_find(const struct kp_topic_table *table, const char *name,
                                     size_t length_bytes);

/** The same; makes it when it is not there. NULL: no memory. */
struct kp_topic *kp_topic_table_topic(struct kp_topic_table *table, const char *name, size_t length_bytes);

/** The partition of that number, or NULL when nobody has met it yet. */
struct kp_topic_partition *kp_topic_find_partition(const struct kp_topic *topic, int32_t partition);

/** The same; makes it when it is not there. NULL: no memory. partition >= 0. */
struct kp_topic_partition *kp_topic_table_partition(struct kp_topic_table *table, struct kp_topic *topic,
                                                    int32_t partition);

#endif
