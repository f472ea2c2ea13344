/**
 * Queues of batches, one per partition, between the application's threads and the sender. Kafka:
 * RecordAccumulator.
 *
 * Every decision of ready and drain is announced with its reason where it is taken: BATCH_READY and
 * BATCH_DRAINED with the bits of enum kb_left, BATCH_HELD with those of enum kb_held. BATCH_READY and
 * BATCH_HELD come only when the reasons of a batch are others than the last time.
 */
#ifndef KP_RECORD_ACCUMULATOR_H
#define KP_RECORD_ACCUMULATOR_H

#include "core/buffer_pool.h"
#include "core/incomplete_batches.h"
#include "core/producer_batch.h"
#include "core/topics.h"

#include <linger/failure.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kp_producer_metadata;
struct kp_transaction_manager;
struct kp_record_accumulator;

struct kp_record_accumulator_options {
    const struct linger_allocator *allocator;           /* borrowed */
    struct kb_trace *trace;                             /* borrowed; NULL: none */
    const struct kp_producer_metadata *metadata;        /* borrowed */
    struct kp_transaction_manager *transaction_manager; /* borrowed; NULL: no idempotence */
    int64_t buffer_memory_bytes;
    int32_t batch_size_bytes;
    enum kw_compression compression;
    int32_t linger_ms;
    int64_t retry_backoff_ms;
    int32_t delivery_timeout_ms;
};

/** NULL: no memory. */
struct kp_record_accumulator *kp_record_accumulator_create(
    const struct kp_record_accumulator_options *options);
/** Lets go of all batches without completing them. accumulator may be NULL. */
void kp_record_accumulator_destroy(struct kp_record_accumulator *accumulator);

struct kp_buffer_pool *kp_record_accumulator_pool(struct kp_record_accumulator *accumulator);
/** What became of the batches, for the callbacks. */
struct kp_completion_queue *kp_record_accumulator_completions(struct kp_record_accumulator *accumulator);
const struct kp_incomplete_batches *kp_record_accumulator_incomplete(
    const struct kp_record_accumulator *accumulator);
int32_t kp_record_accumulator_delivery_timeout_ms(const struct kp_record_accumulator *accumulator);

/* --- The application's side */

/** A record on its way into a batch; memory of the caller, zeroed, kept while the append is blocked. */
struct kp_append {
    const struct kp_topic_partition *partition;
    struct kw_record_fields fields; /* borrowed until the append is over */
    int64_t timestamp_ms;
    int32_t upper_bound_bytes; /* of the record in a batch of its own, for the metrics */
    uint32_t record_id;
    bool abort_on_new_batch;
    struct kp_memory_waiter waiter;

    /* Out, with KP_ACCUMULATE_APPENDED. */
    uint32_t batch;
    bool batch_is_full;
    bool new_batch_created;
    bool wakes_sender; /* one of them */
};

enum kp_accumulate {
    KP_ACCUMULATE_APPENDED,
    KP_ACCUMULATE_ABORTED, /* a new batch would be needed, and abort_on_new_batch is set */
    KP_ACCUMULATE_BLOCKED, /* on memory: resume when kp_memory_waiter_is_runnable(&append->waiter) */
    KP_ACCUMULATE_FAILED,  /* *failure */
};

/** Kafka: append. *error, with KP_ACCUMULATE_FAILED: what the failure is, for the trace. */
enum kp_accumulate kp_record_accumulator_append(struct kp_record_accumulator *accumulator,
                                                struct kp_append *append, int64_t max_block_ms,
                                                int64_t now_ms, struct kp_failure *failure,
                                                enum kw_error *error) __attribute__((warn_unused_result));
enum kp_accumulate kp_record_accumulator_resume(struct kp_record_accumulator *accumulator,
                                                struct kp_append *append, int64_t now_ms,
                                                struct kp_failure *failure, enum kw_error *error)
    __attribute__((warn_unused_result));

/** Everything is ready from now on, until as many ends as begins. Kafka: beginFlush. */
void kp_record_accumulator_begin_flush(struct kp_record_accumulator *accumulator);
void kp_record_accumulator_end_flush(struct kp_record_accumulator *accumulator);
/** The number of the newest batch: a flush waits until none up to it is incomplete. */
uint32_t kp_record_accumulator_last_batch(const struct kp_record_accumulator *accumulator);

/** No append is accepted any more, everything is ready. Kafka: close. */
void kp_record_accumulator_close(struct kp_record_accumulator *accumulator);

/* --- The sender's side, in the order of a pass */

/** Valid until the next call of ready. */
struct kp_ready_check {
    const int32_t *ready_nodes; /* ids, ascending */
    uint32_t ready_node_count;
    int64_t next_ready_check_delay_ms;                   /* INT64_MAX: nothing to wait for */
    const struct kp_topic *const *unknown_leader_topics; /* in the order of their indices */
    uint32_t unknown_leader_topic_count;
};

/** Kafka: ready. */
void kp_record_accumulator_ready(struct kp_record_accumulator *accumulator, int64_t now_ms,
                                 struct kp_ready_check *out);

/**
 * The sender decides that a node may not be sent to now: the batches that wait for it, and are ready, are
 * held because of held (bits of enum kb_held) for left_ms (0: not known).
 */
void kp_record_accumulator_note_held_node(struct kp_record_accumulator *accumulator, int32_t node,
                                          uint32_t held, int64_t left_ms, int64_t now_ms);
/** The same for all batches: the sender does not even look (KB_HELD_SENDER_BUSY). */
void kp_record_accumulator_note_held_all(struct kp_record_accumulator *accumulator, uint32_t held,
                                         int64_t left_ms, int64_t now_ms);

/** Batches chained by drained_next, in the order of the drain. Each still has the accumulator's reference. */
struct kp_batch_list {
    struct kp_producer_batch *first;
    struct kp_producer_batch *last;
    uint32_t count;
};

/**
 * Take what goes to one node, closed and with its sequence; call it for the ready nodes in the order of their
 * ids. Kafka: drainBatchesForOneNode.
 */
void kp_record_accumulator_drain_node(struct kp_record_accumulator *accumulator, int32_t node,
                                      int32_t max_size_bytes, int64_t now_ms, struct kp_batch_list *out);

/** Kafka: resetNextBatchExpiryTime, maybeUpdateNextBatchExpiryTime, nextExpiryTimeMs. */
void kp_record_accumulator_reset_next_expiry(struct kp_record_accumulator *accumulator);
void kp_record_accumulator_update_next_expiry(struct kp_record_accumulator *accumulator, int64_t created_ms);
int64_t kp_record_accumulator_next_expiry_ms(const struct kp_record_accumulator *accumulator);

/**
 * Take the queued batches whose delivery.timeout.ms is over, chained by drained_next; the caller fails them.
 * Kafka: expiredBatches.
 */
void kp_record_accumulator_expired(struct kp_record_accumulator *accumulator, int64_t now_ms,
                                   struct kp_batch_list *out);

/** Put a batch back that is to be tried again; error is why. Kafka: reenqueue. */
void kp_record_accumulator_reenqueue(struct kp_record_accumulator *accumulator,
                                     struct kp_producer_batch *batch, enum kw_error error, int64_t now_ms);

/**
 * Split a batch that was too large for the broker and queue the parts; its own reference stays, the caller
 * deallocates it. Returns the number of parts; 0 when there was no memory: nothing has changed then.
 * Kafka: splitAndReenqueue.
 */
uint32_t kp_record_accumulator_split_and_reenqueue(struct kp_record_accumulator *accumulator,
                                                   struct kp_producer_batch *batch)
    __attribute__((warn_unused_result));

/** The batch is done with: its memory goes back, and the accumulator's reference. Kafka: deallocate. */
void kp_record_accumulator_deallocate(struct kp_record_accumulator *accumulator,
                                      struct kp_producer_batch *batch);

void kp_record_accumulator_mute_partition(struct kp_record_accumulator *accumulator,
                                          const struct kp_topic_partition *partition);
void kp_record_accumulator_unmute_partition(struct kp_record_accumulator *accumulator,
                                            const struct kp_topic_partition *partition);

bool kp_record_accumulator_has_undrained(const struct kp_record_accumulator *accumulator);
bool kp_record_accumulator_has_incomplete(const struct kp_record_accumulator *accumulator);

/** Abort all batches, drained or not. Kafka: abortBatches. */
void kp_record_accumulator_abort_batches(struct kp_record_accumulator *accumulator, enum kw_error error,
                                         const struct kp_failure *reason);
/** Abort those that were never drained. Kafka: abortUndrainedBatches. */
void kp_record_accumulator_abort_undrained(struct kp_record_accumulator *accumulator, enum kw_error error,
                                           const struct kp_failure *reason);
/** The producer is closed by force. Kafka: abortIncompleteBatches. */
void kp_record_accumulator_abort_incomplete(struct kp_record_accumulator *accumulator);

/** When a queued batch becomes ready or expires by itself; INT64_MAX: never. */
int64_t kp_record_accumulator_next_deadline_ms(struct kp_record_accumulator *accumulator, int64_t now_ms);

#endif
