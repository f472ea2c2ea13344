/**
 * What the parts of the transaction manager share, and what the sender needs of it.
 *
 * transaction_manager.c has the states and the calls, transaction_sequences.c the sequence numbers,
 * transaction_requests.c the queue of requests to coordinators, transaction_messages.c what they say,
 * transaction_responses.c what their answers change.
 */
#ifndef KP_TRANSACTION_MANAGER_INTERNAL_H
#define KP_TRANSACTION_MANAGER_INTERNAL_H

#include "base/arena.h"
#include "core/memory.h"
#include "core/network_client.h"
#include "core/producer_batch.h"
#include "core/transaction_manager.h"
#include "wire/api_keys.h"

/** Kafka: FindCoordinatorRequest.CoordinatorType. */
enum kp_coordinator_type {
    KP_COORDINATOR_GROUP,
    KP_COORDINATOR_TRANSACTION,
    KP_COORDINATOR_NONE, /* any broker will do */
};

enum kp_txn_request_kind {
    KP_TXN_FIND_COORDINATOR,
    KP_TXN_INIT_PRODUCER_ID,
    KP_TXN_ADD_PARTITIONS,
    KP_TXN_ADD_OFFSETS,
    KP_TXN_OFFSET_COMMIT,
    KP_TXN_END,
};

/** An offset to be committed with the transaction. */
struct kp_txn_offset {
    const struct kp_topic_partition *partition;
    int64_t offset;
    int32_t leader_epoch;
    char *metadata; /* owned; never NULL */
};

/** Kafka: TransactionManager.TxnRequestHandler and those derived from it. What is sent is fixed when it is
 * made. */
struct kp_txn_request {
    enum kp_txn_request_kind kind;
    struct kp_transactional_result *result; /* a reference */
    bool is_retry;
    int64_t retry_backoff_ms;
    struct kp_producer_identity identity;         /* all but FIND_COORDINATOR */
    bool is_epoch_bump;                           /* INIT_PRODUCER_ID */
    bool is_commit;                               /* END */
    enum kp_coordinator_type wanted_type;         /* FIND_COORDINATOR */
    char *key;                                    /* FIND_COORDINATOR; group id of the OFFSETS; owned */
    const struct kp_topic_partition **partitions; /* ADD_PARTITIONS */
    struct kp_txn_offset *offsets;                /* ADD_OFFSETS, OFFSET_COMMIT */
    uint32_t count;                               /* of either */
};

/** Membership in the transaction. Kafka: newPartitionsInTransaction and the two sets after it. */
enum kp_txn_membership { KP_TXN_NOT_IN, KP_TXN_NEW, KP_TXN_PENDING, KP_TXN_ADDED };

/** Kafka: TopicPartitionEntry, by the index of the partition. */
struct kp_sequence_entry {
    bool exists;
    struct kp_producer_identity identity;
    int32_t next_sequence;
    int32_t last_acked_sequence;          /* -1: none */
    int64_t last_acked_offset;            /* -1: none */
    struct kp_producer_batch **in_flight; /* by their first sequence, one each */
    uint32_t in_flight_count;
    uint32_t in_flight_capacity;
    bool is_unresolved;
    int32_t unresolved_next_sequence;
    bool is_to_be_rewritten;
    enum kp_txn_membership membership;
    bool has_pending_offset; /* pendingTxnOffsetCommits */
    struct kp_txn_offset pending_offset;
};

struct kp_coordinator {
    bool is_known;
    int32_t id;
    char *host; /* owned */
    uint16_t port;
};

struct kp_transaction_manager {
    struct kp_transaction_manager_options options;
    const struct linger_allocator *allocator;
    struct kb_trace *trace;
    char *transactional_id;

    enum kb_txn_state state;
    bool has_last_error;
    enum kw_error last_error_code;
    struct kp_failure last_error;
    struct kp_producer_identity identity;
    bool is_transaction_started;
    bool is_epoch_bump_required;
    bool can_coordinator_bump_epoch;

    struct kp_sequence_entry *entries;
    uint32_t entry_capacity;
    uint32_t unresolved_count;
    uint32_t rewrite_count;
    uint32_t membership_counts[4]; /* by enum kp_txn_membership; NOT_IN is not counted */
    uint32_t pending_offset_count;

    struct kp_txn_request **queue; /* a heap by priority, as java.util.PriorityQueue */
    uint32_t queue_count;
    uint32_t queue_capacity;
    struct kp_transactional_result *pending_result;

    struct kp_coordinator coordinators[2]; /* by enum kp_coordinator_type */
    struct kp_txn_request *in_flight;      /* NULL: none. Kafka: inFlightRequestCorrelationId */
    uint64_t change_count;
};

/* --- transaction_manager.c */

/** False when the transition is not allowed: *failure (may be NULL) has the exception. code and error: of an
 * error state. */
bool kp_txn_transition(struct kp_transaction_manager *manager, enum kb_txn_state target, enum kw_error code,
                       const struct kp_failure *error, struct kp_failure *failure);
bool kp_txn_transition_to_abortable_error(struct kp_transaction_manager *manager, enum kw_error code,
                                          const struct kp_failure *error);
void kp_txn_transition_to_fatal_error(struct kp_transaction_manager *manager, enum kw_error code,
                                      const struct kp_failure *error);
bool kp_txn_can_bump_epoch(const struct kp_transaction_manager *manager);
struct kp_transactional_result *kp_txn_initialize(struct kp_transaction_manager *manager,
                                                  struct kp_producer_identity identity,
                                                  struct kp_failure *failure);
void kp_txn_complete_transaction(struct kp_transaction_manager *manager);
void kp_txn_set_identity(struct kp_transaction_manager *manager, struct kp_producer_identity identity);

/* --- transaction_sequences.c */

/** NULL: no memory. Kafka: getOrCreatePartition. */
struct kp_sequence_entry *kp_txn_entry(struct kp_transaction_manager *manager,
                                       const struct kp_topic_partition *partition);
const struct kp_sequence_entry *kp_txn_find_entry(const struct kp_transaction_manager *manager,
                                                  const struct kp_topic_partition *partition);
void kp_txn_set_membership(struct kp_transaction_manager *manager, struct kp_sequence_entry *entry,
                           enum kp_txn_membership membership);
/** All partitions of one kind become another. */
void kp_txn_move_members(struct kp_transaction_manager *manager, enum kp_txn_membership from,
                         enum kp_txn_membership to);
/** Kafka: resetSequenceNumbers. */
void kp_txn_reset_sequences(struct kp_transaction_manager *manager);
void kp_txn_release_entries(struct kp_transaction_manager *manager);

/** Kafka: maybeResolveSequences, bumpIdempotentEpochAndResetIdIfNeeded. */
void kp_transaction_manager_maybe_resolve_sequences(struct kp_transaction_manager *manager);
void kp_transaction_manager_bump_epoch_if_needed(struct kp_transaction_manager *manager);
/** Kafka: markSequenceUnresolved. */
void kp_transaction_manager_mark_unresolved(struct kp_transaction_manager *manager,
                                            const struct kp_producer_batch *batch);
bool kp_transaction_manager_can_retry(struct kp_transaction_manager *manager,
                                      const struct kp_partition_response *response,
                                      const struct kp_producer_batch *batch);
void kp_transaction_manager_handle_completed_batch(struct kp_transaction_manager *manager,
                                                   struct kp_producer_batch *batch,
                                                   const struct kp_partition_response *response);
/** False when Java throws out of it, so that the batch is not completed. */
bool kp_transaction_manager_handle_failed_batch(struct kp_transaction_manager *manager,
                                                struct kp_producer_batch *batch, enum kw_error code,
                                                const struct kp_failure *error, bool adjusts_sequences)
    __attribute__((warn_unused_result));

/* --- transaction_requests.c */

struct kp_transactional_result *kp_txn_make_result(struct kp_transaction_manager *manager,
                                                   const char *operation);
void kp_txn_result_done(struct kp_transaction_manager *manager, struct kp_transactional_result *result);
void kp_txn_result_fail(struct kp_transaction_manager *manager, struct kp_transactional_result *result,
                        const struct kp_failure *failure);
/** An empty request with a result of its own (or a new reference to the one given); NULL: no memory. */
struct kp_txn_request *kp_txn_make_request(struct kp_transaction_manager *manager,
                                           enum kp_txn_request_kind kind,
                                           struct kp_transactional_result *result);
void kp_txn_free_request(struct kp_transaction_manager *manager, struct kp_txn_request *request);
/** Takes it over. Kafka: enqueueRequest. */
void kp_txn_enqueue(struct kp_transaction_manager *manager, struct kp_txn_request *request);
struct kp_txn_request *kp_txn_add_partitions_request(struct kp_transaction_manager *manager);
void kp_txn_lookup_coordinator(struct kp_transaction_manager *manager, enum kp_coordinator_type type,
                               const char *key);
bool kp_txn_copy_offset(struct kp_transaction_manager *manager, struct kp_txn_offset *to,
                        const struct kp_topic_partition *partition, int64_t offset, int32_t leader_epoch,
                        const char *metadata);

bool kp_transaction_manager_has_in_flight_request(const struct kp_transaction_manager *manager);
bool kp_transaction_manager_has_pending_requests(const struct kp_transaction_manager *manager);
/** The next one to send, the caller's until retry() or sent(); NULL: none now. Kafka: nextRequest. */
struct kp_txn_request *kp_transaction_manager_next_request(struct kp_transaction_manager *manager,
                                                           bool has_incomplete_batches);
enum kp_coordinator_type kp_txn_coordinator_type(const struct kp_transaction_manager *manager,
                                                 const struct kp_txn_request *request);
int64_t kp_txn_retry_backoff_ms(const struct kp_transaction_manager *manager,
                                const struct kp_txn_request *request);
/** NULL: not known. */
const struct kp_coordinator *kp_transaction_manager_coordinator(const struct kp_transaction_manager *manager,
                                                                enum kp_coordinator_type type);
/** max_version: of InitProducerId at the coordinator; -1: unknown. Kafka: handleCoordinatorReady. */
void kp_transaction_manager_handle_coordinator_ready(struct kp_transaction_manager *manager,
                                                     int16_t max_version);
/** Kafka: lookupCoordinator(request), retry(request). */
void kp_transaction_manager_lookup_for(struct kp_transaction_manager *manager,
                                       const struct kp_txn_request *request);
void kp_transaction_manager_retry(struct kp_transaction_manager *manager, struct kp_txn_request *request);
/** It is on its way; the callback of fill() takes it from here. */
void kp_transaction_manager_sent(struct kp_transaction_manager *manager, struct kp_txn_request *request);
/** The producer closes by force. Kafka: close. */
void kp_transaction_manager_close(struct kp_transaction_manager *manager);

/* --- transaction_messages.c */

/**
 * What to send: *out gets everything but node and time-out; its message lies in the arena. max_version: what
 * the node can do at most of the API, -1: unknown. false: no memory.
 */
bool kp_transaction_manager_fill(struct kp_transaction_manager *manager, struct kp_txn_request *request,
                                 int16_t max_version, struct kb_arena *arena, struct kp_client_request *out)
    __attribute__((warn_unused_result));
int16_t kp_txn_api_key(const struct kp_txn_request *request);

/* --- transaction_responses.c */

/** Kafka: TxnRequestHandler.onComplete. */
void kp_txn_on_complete(void *context, void *subject, const struct kp_client_response *response);

#endif
