/**
 * Which partition a record goes to. Kafka: DefaultPartitioner, UniformStickyPartitioner,
 * RoundRobinPartitioner, and Partitioner for one of the application.
 */
#ifndef KP_PARTITIONER_H
#define KP_PARTITIONER_H

#include "core/sticky_partition_cache.h"

#include <linger/failure.h>
#include <linger/producer_config.h>

#include <stdbool.h>

struct kp_partitioner_state {
    enum kp_partitioner_kind kind;
    struct kp_partitioner custom;
    struct kp_sticky_partition_cache sticky;
    uint32_t *counters; /* round robin: by index of the topic */
    uint32_t counter_capacity;
};

struct kp_partition_choice {
    int32_t partition;
    enum kb_partition_why why;
    int32_t murmur2; /* 0 unless why says so */
};

/** custom may be NULL unless kind is KP_PARTITIONER_CUSTOM. Copies it. */
void kp_partitioner_init(struct kp_partitioner_state *partitioner, const struct linger_allocator *allocator,
                         struct kb_trace *trace, enum kp_partitioner_kind kind,
                         const struct kp_partitioner *custom, const struct kp_chance *chance);
void kp_partitioner_release(struct kp_partitioner_state *partitioner);

/** Choose by serialized key and value. False with what Java throws. Kafka: Partitioner.partition. */
bool kp_partitioner_choose(struct kp_partitioner_state *partitioner, const struct kp_topic *topic,
                           const struct kp_topic_view *view, struct kp_bytes key, struct kp_bytes value,
                           struct kp_partition_choice *out, struct kp_failure *failure)
    __attribute__((warn_unused_result));

/** Kafka: Partitioner.onNewBatch. */
void kp_partitioner_on_new_batch(struct kp_partitioner_state *partitioner, const struct kp_topic *topic,
                                 const struct kp_topic_view *view, int32_t previous_partition);

#endif
