/**
 * Identity and sequence numbers of an idempotent producer, and the transactions of a transactional one.
 *
 * There is one only where idempotence is in use; elsewhere it is NULL. Kafka: TransactionManager (its
 * bookkeeping of sequences is in transaction_sequences.c, its requests are in transaction_requests.c).
 */
#ifndef KP_TRANSACTION_MANAGER_H
#define KP_TRANSACTION_MANAGER_H

#include "base/trace.h"
#include "core/topics.h"
#include "wire/errors.h"
#include "wire/message_structs.h"

#include <linger/failure.h>
#include <linger/producer.h>

struct kp_transaction_manager;
struct kp_producer_batch;

/** Kafka: ProducerIdAndEpoch. NONE is (-1, -1). */
struct kp_producer_identity {
    int64_t producer_id;
    int16_t epoch;
};

/** What a broker said of one batch. Kafka: ProduceResponse.PartitionResponse. Borrows from the response. */
struct kp_partition_response {
    enum kw_error error;
    int64_t base_offset;        /* -1: none */
    int64_t log_append_time_ms; /* -1: none */
    int64_t log_start_offset;   /* -1: none */
    struct kw_string error_message;
    const struct kw_produce_response_record_error *record_errors;
    int32_t record_error_count;
};

struct kp_transaction_manager_options {
    const struct linger_allocator *allocator; /* borrowed */
    struct kb_trace *trace;                   /* borrowed; NULL: none */
    struct kp_topics *topics;                 /* borrowed */
    struct kp_partition_order order;          /* copied; in_topic also orders AddPartitionsToTxn */
    const char *transactional_id;             /* copied; NULL: idempotent only */
    int32_t transaction_timeout_ms;
    int64_t retry_backoff_ms;
};

/** NULL: no memory. */
struct kp_transaction_manager *kp_transaction_manager_create(
    const struct kp_transaction_manager_options *options);
void kp_transaction_manager_destroy(struct kp_transaction_manager *manager);

bool kp_transaction_manager_is_transactional(const struct kp_transaction_manager *manager);
const char *kp_transaction_manager_transactional_id(const struct kp_transaction_manager *manager);
enum kb_txn_state kp_transaction_manager_state(const struct kp_transaction_manager *manager);
bool kp_transaction_manager_is_completing(const struct kp_transaction_manager *manager);
bool kp_transaction_manager_is_aborting(const struct kp_transaction_manager *manager);
bool kp_transaction_manager_has_fatal_error(const struct kp_transaction_manager *manager);
bool kp_transaction_manager_has_abortable_error(const struct kp_transaction_manager *manager);
bool kp_transaction_manager_has_error(const struct kp_transaction_manager *manager);
bool kp_transaction_manager_has_ongoing_transaction(const struct kp_transaction_manager *manager);
bool kp_transaction_manager_has_producer_id(const struct kp_transaction_manager *manager);
/** NULL when there is none; valid until the next change of state. */
const struct kp_failure *kp_transaction_manager_last_error(const struct kp_transaction_manager *manager,
                                                           enum kw_error *error);
/** Grows with every change of state, sequence or queue: what a pass of the sender did. */
uint64_t kp_transaction_manager_change_count(const struct kp_transaction_manager *manager);

/* --- What send() needs */

/** False with *failure when a transactional send must not be made now. Kafka: failIfNotReadyForSend. */
bool kp_transaction_manager_is_ready_for_send(struct kp_transaction_manager *manager,
                                              struct kp_failure *failure) __attribute__((warn_unused_result));
/** Kafka: maybeAddPartitionToTransaction. */
void kp_transaction_manager_maybe_add_partition(struct kp_transaction_manager *manager,
                                                const struct kp_topic_partition *partition);

/* --- What the accumulator needs. All per partition */

struct kp_producer_identity kp_transaction_manager_identity(const struct kp_transaction_manager *manager);
static inline bool kp_producer_identity_is_valid(struct kp_producer_identity identity)
{
    return identity.producer_id >= 0;
}
/** Kafka: isSendToPartitionAllowed. */
bool kp_transaction_manager_is_send_allowed(const struct kp_transaction_manager *manager,
                                            const struct kp_topic_partition *partition);
bool kp_transaction_manager_has_inflight_batches(const struct kp_transaction_manager *manager,
                                                 const struct kp_topic_partition *partition);
/** Kafka: hasStaleProducerIdAndEpoch. */
bool kp_transaction_manager_has_stale_identity(const struct kp_transaction_manager *manager,
                                               const struct kp_topic_partition *partition);
bool kp_transaction_manager_has_unresolved_sequence(const struct kp_transaction_manager *manager,
                                                    const struct kp_topic_partition *partition);
/** -1: nothing is in flight. Kafka: firstInFlightSequence. */
int32_t kp_transaction_manager_first_in_flight_sequence(const struct kp_transaction_manager *manager,
                                                        const struct kp_topic_partition *partition);
/** Kafka: maybeUpdateProducerIdAndEpoch. */
void kp_transaction_manager_maybe_update_identity(struct kp_transaction_manager *manager,
                                                  const struct kp_topic_partition *partition);
int32_t kp_transaction_manager_sequence_number(const struct kp_transaction_manager *manager,
                                               const struct kp_topic_partition *partition);
void kp_transaction_manager_increment_sequence_number(struct kp_transaction_manager *manager,
                                                      const struct kp_topic_partition *partition,
                                                      int32_t increment);
/** Batches are borrowed while they are in flight. Kafka: addInFlightBatch, removeInFlightBatch. */
void kp_transaction_manager_add_in_flight_batch(struct kp_transaction_manager *manager,
                                                struct kp_producer_batch *batch);
void kp_transaction_manager_remove_in_flight_batch(struct kp_transaction_manager *manager,
                                                   struct kp_producer_batch *batch);
/** The one with the lowest sequence, or NULL. Kafka: nextBatchBySequence. */
struct kp_producer_batch *kp_transaction_manager_next_batch_by_sequence(
    const struct kp_transaction_manager *manager, const struct kp_topic_partition *partition);

/* --- The transactional calls */

/** The fate of a call. Kafka: TransactionalRequestResult. */
struct kp_transactional_result {
    const char *operation; /* "InitProducerId", ...; static */
    bool is_completed;
    struct kp_failure failure; /* set when it failed */
    uint32_t reference_count;
};

/**
 * Each returns a result that the caller gives back with kp_transaction_manager_release_result(), or NULL with
 * *failure thrown. The sender must be woken then. Kafka: initializeTransactions, beginCommit, beginAbort,
 * sendOffsetsToTransaction.
 */
struct kp_transactional_result *kp_transaction_manager_initialize(struct kp_transaction_manager *manager,
                                                                  struct kp_failure *failure)
    __attribute__((warn_unused_result));
struct kp_transactional_result *kp_transaction_manager_begin_commit(struct kp_transaction_manager *manager,
                                                                    struct kp_failure *failure)
    __attribute__((warn_unused_result));
struct kp_transactional_result *kp_transaction_manager_begin_abort(struct kp_transaction_manager *manager,
                                                                   struct kp_failure *failure)
    __attribute__((warn_unused_result));
/** Copies the offsets and the group id. */
struct kp_transactional_result *kp_transaction_manager_send_offsets(
    struct kp_transaction_manager *manager, const struct kp_offset *offsets, uint32_t offset_count,
    const char *group_id, struct kp_failure *failure) __attribute__((warn_unused_result));
/** False with *failure thrown. Kafka: beginTransaction. */
bool kp_transaction_manager_begin(struct kp_transaction_manager *manager, struct kp_failure *failure)
    __attribute__((warn_unused_result));
void kp_transaction_manager_release_result(struct kp_transaction_manager *manager,
                                           struct kp_transactional_result *result);

#endif
