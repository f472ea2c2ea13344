/**
 * What the files of the accumulator share: record_accumulator.c (appending, memory, ends),
 * record_accumulator_drain.c (ready and drain), record_accumulator_retry.c (reenqueue, split, abort).
 */
#ifndef KP_RECORD_ACCUMULATOR_INTERNAL_H
#define KP_RECORD_ACCUMULATOR_INTERNAL_H

#include "core/record_accumulator.h"

#include "base/heap.h"
#include "base/list.h"

/** The batches of one partition, oldest first. Kafka: an entry of RecordAccumulator.batches. */
struct kp_partition_queue {
    const struct kp_topic_partition *partition;
    struct kb_list batches;
    uint32_t batch_count;
    bool is_muted;
    struct kb_list_node active_node;     /* linked while there are batches */
    struct kb_heap_node drain_node;      /* in the order of the drain, during one */
    struct kb_list_node fresh_for_ready; /* appended to since the last look of that kind */
    struct kb_list_node fresh_for_deadline;
    bool has_deadline; /* it counted in the deadline that is remembered */
};

/**
 * What a look at all queues has found, for the next one: it is true in the same millisecond under the same
 * conditions, except for the queues that were appended to since (fresh). Whatever else changes a queue says
 * so with kp_accumulator_changed(). The sender passes many times in a millisecond, and Kafka's looks at all
 * partitions each time.
 */
struct kp_look {
    bool is_valid;
    int64_t now_ms;
    uint32_t conditions;      /* of enum kb_left, for all queues */
    int32_t metadata_version; /* leaders */
    int64_t found_ms;
    struct kb_list fresh;
};

struct kp_record_accumulator {
    struct kp_record_accumulator_options options;
    struct kp_buffer_pool pool;
    struct kp_batch_pool batch_pool;
    struct kp_batch_compressor compressor;
    struct kp_incomplete_batches incomplete;
    struct kp_completion_queue completions;

    struct kp_partition_queue **queues; /* by index of the partition; NULL where nothing was ever sent */
    uint32_t queue_capacity;
    /** The queues that are not empty, in the order in which they became so: idle ones cost nothing. */
    struct kb_list active;

    struct kp_look ready_look;    /* found_ms: until the next one is due */
    struct kp_look deadline_look; /* found_ms: the first deadline */
    bool is_oldest_known;         /* when the oldest head was created; INT64_MAX: there is none */
    int64_t oldest_ms;

    uint32_t last_batch;
    uint32_t flush_count; /* Kafka: flushesInProgress */
    uint32_t drain_index; /* one for all nodes */
    struct kb_heap drain_order;
    int64_t next_expiry_ms;
    bool is_closed;

    int32_t *ready_nodes;
    uint32_t ready_node_count;
    uint32_t ready_node_capacity;
    const struct kp_topic **unknown_leader_topics;
    uint32_t unknown_leader_topic_count;
    uint32_t unknown_leader_topic_capacity;
};

/** NULL when nothing was ever sent to it. */
struct kp_partition_queue *kp_accumulator_find_queue(const struct kp_record_accumulator *accumulator,
                                                     const struct kp_topic_partition *partition);
/** NULL: no memory. */
struct kp_partition_queue *kp_accumulator_queue(struct kp_record_accumulator *accumulator,
                                                const struct kp_topic_partition *partition);

/** The oldest and the newest, or NULL. */
struct kp_producer_batch *kp_partition_queue_first(const struct kp_partition_queue *queue);
struct kp_producer_batch *kp_partition_queue_last(const struct kp_partition_queue *queue);
struct kp_producer_batch *kp_partition_queue_next(const struct kp_partition_queue *queue,
                                                  const struct kp_producer_batch *batch);

/** Put a batch before another one of the queue; at the end when before is NULL. */
void kp_accumulator_insert(struct kp_record_accumulator *accumulator, struct kp_partition_queue *queue,
                           struct kp_producer_batch *before, struct kp_producer_batch *batch);
/** Take a batch out of its queue. */
void kp_accumulator_remove(struct kp_record_accumulator *accumulator, struct kp_partition_queue *queue,
                           struct kp_producer_batch *batch);

/** Something of a queue has changed that is no append at its end. */
void kp_accumulator_changed(struct kp_record_accumulator *accumulator);

/** Open a batch on a buffer, compressed if the producer says so; NULL without memory: the buffer stays the
 * caller's. */
struct kp_producer_batch *kp_accumulator_open_batch(struct kp_record_accumulator *accumulator,
                                                    const struct kp_topic_partition *partition,
                                                    struct kp_buffer *buffer, uint32_t number, bool is_split,
                                                    int64_t now_ms);

/** Chain a batch at the end. */
void kp_batch_list_add(struct kp_batch_list *list, struct kp_producer_batch *batch);

/** The queue that an active node stands for. */
static inline struct kp_partition_queue *kp_active_queue(struct kb_list_node *node)
{
    return KB_CONTAINER_OF(node, struct kp_partition_queue, active_node);
}

#endif
