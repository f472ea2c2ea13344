/**
 * The batches whose fate is not known, sent or not, in the order of their numbers. Kafka: IncompleteBatches.
 *
 * A list through the batches: nothing here allocates.
 */
#ifndef KP_INCOMPLETE_BATCHES_H
#define KP_INCOMPLETE_BATCHES_H

#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

struct kp_producer_batch;

struct kp_incomplete_batches {
    struct kb_list batches;
    uint32_t batch_count;
    uint64_t record_count; /* of these batches; the accumulator counts the appended ones up */
};

void kp_incomplete_batches_init(struct kp_incomplete_batches *incomplete);
/** The oldest, or NULL; and the next after one. */
struct kp_producer_batch *kp_incomplete_batches_first(const struct kp_incomplete_batches *incomplete);
struct kp_producer_batch *kp_incomplete_batches_next(const struct kp_incomplete_batches *incomplete,
                                                     const struct kp_producer_batch *batch);
/** The batch must have a greater number than all before it. */
void kp_incomplete_batches_add(struct kp_incomplete_batches *incomplete, struct kp_producer_batch *batch);
/** A programmer error when it is not there. */
void kp_incomplete_batches_remove(struct kp_incomplete_batches *incomplete, struct kp_producer_batch *batch);
bool kp_incomplete_batches_is_empty(const struct kp_incomplete_batches *incomplete);
/** Whether one with a number up to this one is there: what a flush waits for. */
bool kp_incomplete_batches_has_up_to(const struct kp_incomplete_batches *incomplete, uint32_t number);

#endif
