/**
 * One batch of records for one partition, from its first record to the last callback. Kafka: ProducerBatch,
 * ProduceRequestResult, FutureRecordMetadata.
 *
 * References: the accumulator holds one from creation to deallocation, a request that carries the batch holds
 * one until it is answered or given up, the queue of completions holds one until the callbacks ran. A request
 * also holds one on the buffer as long as its bytes are being written (kp_buffer_retain(batch->buffer)): the
 * batch itself lets go of its buffer when the accumulator deallocates it.
 */
#ifndef KP_PRODUCER_BATCH_H
#define KP_PRODUCER_BATCH_H

#include "base/list.h"
#include "base/trace.h"
#include "core/batch_compressor.h"
#include "core/buffer_pool.h"
#include "core/topics.h"
#include "wire/record_batch_builder.h"

#include <linger/failure.h>

#include <stdbool.h>
#include <stdint.h>

/** What its future and callback need to know of a record. Kafka: ProducerBatch.Thunk. */
struct kp_record_slot {
    int64_t timestamp_ms;
    int32_t key_bytes; /* -1: null */
    int32_t value_bytes;
};

/** A record of a batch that fails otherwise than the rest. Kafka: the recordExceptions of
 * completeExceptionally. */
struct kp_record_failure {
    int32_t batch_index;
    const char *exception; /* static */
    const char *message;   /* NULL: Java's null */
};

enum kp_batch_state {
    KP_BATCH_PENDING,
    KP_BATCH_SUCCEEDED,
    KP_BATCH_FAILED,
    KP_BATCH_ABORTED,
};

struct kp_batch_failure;
struct kp_producer_batch;

/** Batches that are done with, with their slots, for the next ones. Zeroed before its first use. */
struct kp_batch_pool {
    struct kp_producer_batch *first;
};

struct kp_producer_batch {
    const struct linger_allocator *allocator;
    struct kp_batch_pool *pool; /* NULL: none */
    struct kb_trace *trace;
    uint32_t number; /* as in the trace; grows, the order of creation */
    uint32_t reference_count;
    const struct kp_topic_partition *partition;

    struct kp_buffer *buffer; /* NULL once deallocated */
    struct kw_record_batch_builder builder;
    struct kp_batch_compressor *compressor; /* NULL: it is not to be compressed */
    struct kp_buffer *scratch;              /* the compressor's, while it is open */

    /* The records, by index. The ids are apart, because a request lists them. */
    struct kp_record_slot *slots;
    uint32_t *record_ids;
    uint32_t record_count;
    uint32_t slot_capacity;
    uint32_t id_capacity;

    int64_t created_ms;
    int64_t last_attempt_ms;
    int64_t last_append_ms;
    int64_t drained_ms;
    int32_t attempts;
    int32_t max_record_size_bytes; /* upper bounds, for the metrics */
    bool in_retry;
    bool is_split;
    bool sequence_has_been_reset; /* Kafka: reopened */
    enum kp_batch_state state;

    /* What became of it. Kafka: ProduceRequestResult. */
    int64_t base_offset;              /* -1: unknown */
    int64_t log_append_time_ms;       /* -1: none */
    struct kp_batch_failure *failure; /* of one that failed or was aborted; NULL: no memory was left for it */

    /* What was last announced of it. */
    uint32_t left_mask; /* enum kb_left */
    uint32_t held_mask; /* enum kb_held */

    /* Places in lists: each belongs to the module it names. */
    struct kb_list_node queue_node;               /* record_accumulator: the deque of its partition */
    struct kb_list_node incomplete_node;          /* incomplete_batches */
    struct kp_producer_batch *drained_next;       /* between drain and request */
    struct kp_producer_batch *in_flight_previous; /* sender */
    struct kp_producer_batch *in_flight_next;
    struct kp_producer_batch *completion_next; /* the queue of completions */
    bool is_in_flight;                         /* sender */
};

/** Batches that are done, in the order in which they became so, until their callbacks have run. */
struct kp_completion_queue {
    struct kp_producer_batch *first;
    struct kp_producer_batch *last;
    uint32_t next_record; /* of the first batch */
    uint64_t batch_count; /* ever put in: tells whether something was told in a pass */
};

/** Frees the batches that are kept; those in use must be back. */
void kp_batch_pool_release(struct kp_batch_pool *pool);

/**
 * Open a batch on a buffer, whose reference it takes over. number: unique and growing. NULL: no memory (the
 * buffer stays the caller's). One reference.
 */
struct kp_producer_batch *kp_producer_batch_create(const struct linger_allocator *allocator,
                                                   struct kb_trace *trace, uint32_t number,
                                                   const struct kp_topic_partition *partition,
                                                   struct kp_buffer *buffer, bool is_split, int64_t now_ms);
/** The same, from a pool if that has one; it goes there with its last reference. */
struct kp_producer_batch *kp_producer_batch_open(struct kp_batch_pool *pool,
                                                 const struct linger_allocator *allocator,
                                                 struct kb_trace *trace, uint32_t number,
                                                 const struct kp_topic_partition *partition,
                                                 struct kp_buffer *buffer, bool is_split, int64_t now_ms);
/** The records of an empty batch are to be compressed. Borrows the compressor; false without memory. */
bool kp_producer_batch_compress_with(struct kp_producer_batch *batch, struct kp_batch_compressor *compressor)
    __attribute__((warn_unused_result));
void kp_producer_batch_retain(struct kp_producer_batch *batch);
/** batch may be NULL. */
void kp_producer_batch_release(struct kp_producer_batch *batch);

enum kp_append_result {
    KP_APPEND_OK,
    KP_APPEND_NO_ROOM,
    KP_APPEND_NO_MEMORY,
};

/** Encode a record into the batch. *size_bytes: what it took. Kafka: ProducerBatch.tryAppend. */
enum kp_append_result kp_producer_batch_try_append(struct kp_producer_batch *batch, int64_t timestamp_ms,
                                                   const struct kw_record_fields *fields, uint32_t record_id,
                                                   int64_t now_ms, uint32_t *size_bytes)
    __attribute__((warn_unused_result));

/** The slots of record_count further records; false without memory. Kafka needs none: its list grows. */
bool kp_producer_batch_reserve(struct kp_producer_batch *batch, uint32_t record_count)
    __attribute__((warn_unused_result));

bool kp_producer_batch_is_full(const struct kp_producer_batch *batch);
bool kp_producer_batch_is_closed(const struct kp_producer_batch *batch);
/** Whether its bytes, as far as they are known, are those that it may have: full, not only closed. */
bool kp_producer_batch_has_reached_capacity(const struct kp_producer_batch *batch);
/** Bytes written so far, estimated when they are to be compressed; of a closed batch its size on the wire. */
int32_t kp_producer_batch_size_bytes(const struct kp_producer_batch *batch);
/** Its first byte; final once closed. */
const uint8_t *kp_producer_batch_bytes(const struct kp_producer_batch *batch);

/** Announces why it closed, once; compresses. Kafka: closeForRecordAppends. */
void kp_producer_batch_close_for_appends(struct kp_producer_batch *batch, enum kb_close_why why);
/** Write the header and CRC; the estimate of the topic learns from it, every time. Kafka: close. */
void kp_producer_batch_close(struct kp_producer_batch *batch);
/** Kafka: abortRecordAppends. */
void kp_producer_batch_abort_appends(struct kp_producer_batch *batch);

/* Time and retries. */
bool kp_producer_batch_has_reached_delivery_timeout(const struct kp_producer_batch *batch,
                                                    int64_t delivery_timeout_ms, int64_t now_ms);
/** Since it was created or last reenqueued. Kafka: waitedTimeMs. */
int64_t kp_producer_batch_waited_ms(const struct kp_producer_batch *batch, int64_t now_ms);
void kp_producer_batch_reenqueued(struct kp_producer_batch *batch, int64_t now_ms);

/* Producer id and sequence. Kafka: the methods of the same names. */
bool kp_producer_batch_has_sequence(const struct kp_producer_batch *batch);
int64_t kp_producer_batch_producer_id(const struct kp_producer_batch *batch);
int16_t kp_producer_batch_producer_epoch(const struct kp_producer_batch *batch);
int32_t kp_producer_batch_base_sequence(const struct kp_producer_batch *batch);
/** base + count - 1, without wrapping, as in Java. */
int32_t kp_producer_batch_last_sequence(const struct kp_producer_batch *batch);
bool kp_producer_batch_is_transactional(const struct kp_producer_batch *batch);
void kp_producer_batch_set_producer_state(struct kp_producer_batch *batch, int64_t producer_id,
                                          int16_t producer_epoch, int32_t base_sequence,
                                          bool is_transactional);
/** Of a batch that was closed: reopens it. Kafka: resetProducerState. */
void kp_producer_batch_reset_producer_state(struct kp_producer_batch *batch, int64_t producer_id,
                                            int16_t producer_epoch, int32_t base_sequence,
                                            bool is_transactional);

/* The end. Each puts the batch into the queue of completions when it was still pending. */

bool kp_producer_batch_is_done(const struct kp_producer_batch *batch);
/** log_append_time_ms -1: none. False: it was done before (and a success must not be followed by anything).
 * Kafka: complete. */
bool kp_producer_batch_complete(struct kp_producer_batch *batch, struct kp_completion_queue *completions,
                                int64_t base_offset, int64_t log_append_time_ms);
/**
 * Copies everything. With record failures the records that they do not name fail with Kafka's general
 * message; without any, all fail with top_level. error: for the trace. Kafka: completeExceptionally.
 */
bool kp_producer_batch_complete_exceptionally(struct kp_producer_batch *batch,
                                              struct kp_completion_queue *completions, enum kw_error error,
                                              const struct kp_failure *top_level,
                                              const struct kp_record_failure *record_failures,
                                              uint32_t record_failure_count);
/** It must be pending. Kafka: abort. */
void kp_producer_batch_abort(struct kp_producer_batch *batch, struct kp_completion_queue *completions,
                             enum kw_error error, const struct kp_failure *reason);

/** The failure of one record of a batch that failed or was aborted. */
void kp_producer_batch_failure_of(const struct kp_producer_batch *batch, uint32_t index,
                                  struct kp_failure *out);
/** Its error, for the trace; NONE for one that succeeded. */
enum kw_error kp_producer_batch_error(const struct kp_producer_batch *batch);

/** The oldest batch whose records are not all told; the queue's reference goes with the last of them. */
struct kp_producer_batch *kp_completion_queue_first(const struct kp_completion_queue *queue);
/** Drop the first batch and the queue's reference. */
void kp_completion_queue_pop(struct kp_completion_queue *queue);

#endif
