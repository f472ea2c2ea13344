/**
 * The partition to which records without key and partition go, until a batch of it is full. Kafka:
 * StickyPartitionCache.
 */
#ifndef KP_STICKY_PARTITION_CACHE_H
#define KP_STICKY_PARTITION_CACHE_H

#include "base/prng.h"
#include "base/trace.h"
#include "core/topics.h"

#include <linger/producer.h>

struct kp_sticky_partition_cache {
    const struct linger_allocator *allocator;
    struct kb_trace *trace;
    struct kp_chance chance;
    struct kb_prng prng; /* where chance has no draw of its own */
    int32_t *partitions; /* by index of the topic, plus 1; 0: none yet */
    uint32_t capacity;
};

/** Borrows allocator and trace (NULL: none). */
void kp_sticky_partition_cache_init(struct kp_sticky_partition_cache *cache,
                                    const struct linger_allocator *allocator, struct kb_trace *trace,
                                    const struct kp_chance *chance);
void kp_sticky_partition_cache_release(struct kp_sticky_partition_cache *cache);

/** The sticky partition; drawn when there is none. view->partition_count > 0. -1: no memory. */
int32_t kp_sticky_partition_cache_partition(struct kp_sticky_partition_cache *cache,
                                            const struct kp_topic *topic, const struct kp_topic_view *view);
/**
 * A batch of previous_partition is about to be opened: draw another sticky partition when that is the sticky
 * one, or there is none. Returns the sticky partition; -1: no memory. Kafka: nextPartition.
 */
int32_t kp_sticky_partition_cache_next(struct kp_sticky_partition_cache *cache, const struct kp_topic *topic,
                                       const struct kp_topic_view *view, int32_t previous_partition);

#endif
