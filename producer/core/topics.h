/**
 * The topics and partitions that a producer has heard of, each as one object: two names are equal exactly
 * when their pointers are. Objects live as long as the table.
 *
 * The indices are dense, in the order of first mention, and never change: every part of the producer keeps
 * what it knows of a partition in an array by that index (as Java does in maps by TopicPartition).
 *
 * Kafka: org.apache.kafka.common.TopicPartition, and String for topics.
 */
#ifndef KP_TOPICS_H
#define KP_TOPICS_H

#include "base/trace.h"

#include <linger/allocator.h>

#include <stddef.h>
#include <stdint.h>

struct kp_topic {
    const char *name; /* NUL-terminated */
    size_t name_length_bytes;
    uint32_t index;
    uint32_t trace_name; /* interned; 0 without a trace */
};

struct kp_topic_partition {
    const struct kp_topic *topic;
    int32_t partition;
    uint32_t index; /* over all topics */
};

struct kp_topics;

/** Borrows the allocator and the trace (which may be NULL) for its lifetime. NULL: no memory. */
struct kp_topics *kp_topics_create(const struct linger_allocator *allocator, struct kb_trace *trace);
/** topics may be NULL. */
void kp_topics_destroy(struct kp_topics *topics);

/** The topic of that name, made when it is new. NULL: no memory. The name need not end with NUL. */
const struct kp_topic *kp_topics_topic(struct kp_topics *topics, const char *name, size_t length_bytes);
/** The topic of that name, or NULL. */
const struct kp_topic *kp_topics_find(const struct kp_topics *topics, const char *name, size_t length_bytes);
/** The partition, made when it is new. NULL: no memory. Any number is accepted. */
const struct kp_topic_partition *kp_topics_partition(struct kp_topics *topics, const struct kp_topic *topic,
                                                     int32_t partition);

/** Topics and partitions so far: every index is below. */
uint32_t kp_topics_count(const struct kp_topics *topics);
uint32_t kp_topics_partition_count(const struct kp_topics *topics);
const struct kp_topic *kp_topics_at(const struct kp_topics *topics, uint32_t index);
const struct kp_topic_partition *kp_topics_partition_at(const struct kp_topics *topics, uint32_t index);

#endif
