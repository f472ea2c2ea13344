#include "core/transaction_manager.h"

#include "base/assert.h"
#include "core/transaction_manager_internal.h"

#include <string.h>

static const struct kp_producer_identity NO_IDENTITY = {.producer_id = -1, .epoch = -1};

struct kp_transaction_manager *kp_transaction_manager_create(
    const struct kp_transaction_manager_options *options)
{
    struct kp_transaction_manager *manager = kb_allocate_zeroed(options->allocator, 1, sizeof(*manager));

    if (manager == NULL) {
        return NULL;
    }
    manager->options = *options;
    manager->allocator = options->allocator;
    manager->trace = options->trace;
    manager->identity = NO_IDENTITY;
    manager->state = KB_TXN_STATE_UNINITIALIZED;
    if (options->transactional_id == NULL) {
        return manager;
    }
    manager->transactional_id =
        kp_copy_text(options->allocator, options->transactional_id, strlen(options->transactional_id));
    if (manager->transactional_id == NULL) {
        kb_deallocate(options->allocator, manager, sizeof(*manager));
        return NULL;
    }
    return manager;
}

void kp_transaction_manager_destroy(struct kp_transaction_manager *manager)
{
    if (manager == NULL) {
        return;
    }
    for (uint32_t i = 0; i < manager->queue_count; i++) {
        kp_txn_free_request(manager, manager->queue[i]);
    }
    kb_deallocate(manager->allocator, manager->queue,
                  manager->queue_capacity * sizeof(struct kp_txn_request *));
    if (manager->in_flight != NULL) {
        kp_txn_free_request(manager, manager->in_flight);
    }
    kp_transaction_manager_release_result(manager, manager->pending_result);
    kp_txn_release_entries(manager);
    kp_release_text(manager->allocator, manager->coordinators[KP_COORDINATOR_GROUP].host);
    kp_release_text(manager->allocator, manager->coordinators[KP_COORDINATOR_TRANSACTION].host);
    kp_release_text(manager->allocator, manager->transactional_id);
    kb_deallocate(manager->allocator, manager, sizeof(*manager));
}

/* --- What it knows */

bool kp_transaction_manager_is_transactional(const struct kp_transaction_manager *manager)
{
    return manager->transactional_id != NULL;
}

const char *kp_transaction_manager_transactional_id(const struct kp_transaction_manager *manager)
{
    return manager->transactional_id;
}

enum kb_txn_state kp_transaction_manager_state(const struct kp_transaction_manager *manager)
{
    return manager->state;
}

bool kp_transaction_manager_is_completing(const struct kp_transaction_manager *manager)
{
    return manager->state == KB_TXN_STATE_COMMITTING_TRANSACTION ||
           manager->state == KB_TXN_STATE_ABORTING_TRANSACTION;
}

bool kp_transaction_manager_is_aborting(const struct kp_transaction_manager *manager)
{
    return manager->state == KB_TXN_STATE_ABORTING_TRANSACTION;
}

bool kp_transaction_manager_has_fatal_error(const struct kp_transaction_manager *manager)
{
    return manager->state == KB_TXN_STATE_FATAL_ERROR;
}

bool kp_transaction_manager_has_abortable_error(const struct kp_transaction_manager *manager)
{
    return manager->state == KB_TXN_STATE_ABORTABLE_ERROR;
}

bool kp_transaction_manager_has_error(const struct kp_transaction_manager *manager)
{
    return kp_transaction_manager_has_fatal_error(manager) ||
           kp_transaction_manager_has_abortable_error(manager);
}

bool kp_transaction_manager_has_ongoing_transaction(const struct kp_transaction_manager *manager)
{
    return manager->state == KB_TXN_STATE_IN_TRANSACTION || kp_transaction_manager_is_completing(manager) ||
           kp_transaction_manager_has_abortable_error(manager);
}

bool kp_transaction_manager_has_producer_id(const struct kp_transaction_manager *manager)
{
    return kp_producer_identity_is_valid(manager->identity);
}

const struct kp_failure *kp_transaction_manager_last_error(const struct kp_transaction_manager *manager,
                                                           enum kw_error *error)
{
    *error = manager->has_last_error ? manager->last_error_code : KW_ERROR_NONE;
    return manager->has_last_error ? &manager->last_error : NULL;
}

uint64_t kp_transaction_manager_change_count(const struct kp_transaction_manager *manager)
{
    return manager->change_count;
}

struct kp_producer_identity kp_transaction_manager_identity(const struct kp_transaction_manager *manager)
{
    return manager->identity;
}

bool kp_txn_can_bump_epoch(const struct kp_transaction_manager *manager)
{
    return !kp_transaction_manager_is_transactional(manager) || manager->can_coordinator_bump_epoch;
}

/* --- States */

/* Kafka: State.isTransitionValid. */
static bool is_transition_valid(enum kb_txn_state source, enum kb_txn_state target)
{
    switch (target) {
    case KB_TXN_STATE_UNINITIALIZED:
        return source == KB_TXN_STATE_READY;
    case KB_TXN_STATE_INITIALIZING:
        return source == KB_TXN_STATE_UNINITIALIZED || source == KB_TXN_STATE_ABORTING_TRANSACTION;
    case KB_TXN_STATE_READY:
        return source == KB_TXN_STATE_INITIALIZING || source == KB_TXN_STATE_COMMITTING_TRANSACTION ||
               source == KB_TXN_STATE_ABORTING_TRANSACTION;
    case KB_TXN_STATE_IN_TRANSACTION:
        return source == KB_TXN_STATE_READY;
    case KB_TXN_STATE_COMMITTING_TRANSACTION:
        return source == KB_TXN_STATE_IN_TRANSACTION;
    case KB_TXN_STATE_ABORTING_TRANSACTION:
        return source == KB_TXN_STATE_IN_TRANSACTION || source == KB_TXN_STATE_ABORTABLE_ERROR;
    case KB_TXN_STATE_ABORTABLE_ERROR:
        return source == KB_TXN_STATE_IN_TRANSACTION || source == KB_TXN_STATE_COMMITTING_TRANSACTION ||
               source == KB_TXN_STATE_ABORTABLE_ERROR;
    case KB_TXN_STATE_FATAL_ERROR:
        return true;
    }
    KB_UNREACHABLE();
}

bool kp_txn_transition(struct kp_transaction_manager *manager, enum kb_txn_state target, enum kw_error code,
                       const struct kp_failure *error, struct kp_failure *failure)
{
    enum kb_txn_state source = manager->state;

    if (!is_transition_valid(source, target)) {
        if (failure != NULL) {
            kp_failure_throwf(failure, "KafkaException",
                              "%s%s%sInvalid transition attempted from state %s to state %s",
                              manager->transactional_id != NULL ? "TransactionalId " : "",
                              manager->transactional_id != NULL ? manager->transactional_id : "",
                              manager->transactional_id != NULL ? ": " : "",
                              kb_field_value_name(KB_FIELD_TXN_STATE, source),
                              kb_field_value_name(KB_FIELD_TXN_STATE, target));
        }
        return false;
    }
    manager->has_last_error = error != NULL;
    if (error != NULL) {
        manager->last_error_code = code;
        manager->last_error = *error;
    }
    manager->state = target;
    manager->change_count++;
    (void)KB_TRACE(manager->trace, 0, TRANSACTION_STATE, transaction_state, .old_state = (int32_t)source,
                   .new_state = (int32_t)target, .error = (int32_t)code);
    return true;
}

bool kp_txn_transition_to_abortable_error(struct kp_transaction_manager *manager, enum kw_error code,
                                          const struct kp_failure *error)
{
    if (manager->state == KB_TXN_STATE_ABORTING_TRANSACTION) {
        return true; /* it is being aborted anyhow */
    }
    return kp_txn_transition(manager, KB_TXN_STATE_ABORTABLE_ERROR, code, error, NULL);
}

void kp_txn_transition_to_fatal_error(struct kp_transaction_manager *manager, enum kw_error code,
                                      const struct kp_failure *error)
{
    (void)kp_txn_transition(manager, KB_TXN_STATE_FATAL_ERROR, code, error, NULL);
    if (manager->pending_result != NULL) {
        kp_txn_result_fail(manager, manager->pending_result, error);
    }
}

void kp_txn_set_identity(struct kp_transaction_manager *manager, struct kp_producer_identity identity)
{
    manager->identity = identity;
    manager->change_count++;
}

/* --- What send() asks */

bool kp_transaction_manager_is_ready_for_send(struct kp_transaction_manager *manager,
                                              struct kp_failure *failure)
{
    if (kp_transaction_manager_has_error(manager)) {
        *failure = manager->last_error;
        kp_failure_wrap(
            failure, "KafkaException",
            "Cannot perform send because at least one previous transactional or idempotent request "
            "has failed with errors.");
        return false;
    }
    if (!kp_transaction_manager_is_transactional(manager)) {
        return true;
    }
    if (!kp_transaction_manager_has_producer_id(manager)) {
        kp_failure_throw(failure, "IllegalStateException",
                         "Cannot perform a 'send' before completing a call to initTransactions when "
                         "transactions are enabled.");
        return false;
    }
    if (manager->state != KB_TXN_STATE_IN_TRANSACTION) {
        kp_failure_throwf(failure, "IllegalStateException", "Cannot call send in state %s",
                          kb_field_value_name(KB_FIELD_TXN_STATE, manager->state));
        return false;
    }
    return true;
}

void kp_transaction_manager_maybe_add_partition(struct kp_transaction_manager *manager,
                                                const struct kp_topic_partition *partition)
{
    struct kp_sequence_entry *entry = kp_txn_entry(manager, partition);

    if (entry == NULL || entry->membership != KP_TXN_NOT_IN) {
        return;
    }
    kp_txn_set_membership(manager, entry, KP_TXN_NEW);
}

/* --- The calls */

/* Kafka: ensureTransactional. */
static bool ensure_transactional(const struct kp_transaction_manager *manager, struct kp_failure *failure)
{
    if (kp_transaction_manager_is_transactional(manager)) {
        return true;
    }
    kp_failure_throw(failure, "IllegalStateException",
                     "Transactional method invoked on a non-transactional producer.");
    return false;
}

/* Kafka: maybeFailWithError. True when it throws. */
static bool fails_with_error(const struct kp_transaction_manager *manager, struct kp_failure *failure)
{
    if (!kp_transaction_manager_has_error(manager)) {
        return false;
    }
    if (manager->last_error_code == KW_ERROR_PRODUCER_FENCED) {
        kp_failure_throw(
            failure, "ProducerFencedException",
            "The producer has been rejected from the broker because it tried to use an old epoch "
            "with the transactionalId");
    } else if (manager->last_error_code == KW_ERROR_INVALID_PRODUCER_EPOCH) {
        kp_failure_throwf(
            failure, "InvalidProducerEpochException",
            "Producer attempted to produce with an old epoch ProducerIdAndEpoch(producerId=%lld, "
            "epoch=%d)",
            (long long)manager->identity.producer_id, manager->identity.epoch);
    } else {
        *failure = manager->last_error;
        kp_failure_wrap(failure, "KafkaException",
                        "Cannot execute transactional method because we are in an error state");
    }
    return true;
}

/* The result that a call gets which was made before and timed out. Kafka:
 * handleCachedTransactionRequestResult. */
static struct kp_transactional_result *take_cached(struct kp_transaction_manager *manager,
                                                   enum kb_txn_state state)
{
    struct kp_transactional_result *result = manager->pending_result;

    if (result == NULL || manager->state != state) {
        return NULL;
    }
    result->reference_count++;
    if (result->is_completed) {
        manager->pending_result = NULL;
        kp_transaction_manager_release_result(manager, result);
    }
    return result;
}

/* Keep the result (whose reference goes to the caller) until the next call. */
static struct kp_transactional_result *cache(struct kp_transaction_manager *manager,
                                             struct kp_transactional_result *result)
{
    if (result == NULL) {
        return NULL;
    }
    kp_transaction_manager_release_result(manager, manager->pending_result);
    manager->pending_result = result;
    result->reference_count++;
    return result;
}

static void throw_no_memory(struct kp_failure *failure)
{
    kp_failure_throw(failure, kw_error_exception(KW_ERROR_OUT_OF_MEMORY),
                     kw_error_message(KW_ERROR_OUT_OF_MEMORY));
}

/* Without the caching; the reference is the caller's. */
static struct kp_transactional_result *initialize(struct kp_transaction_manager *manager,
                                                  struct kp_producer_identity identity,
                                                  struct kp_failure *failure)
{
    bool is_epoch_bump = kp_producer_identity_is_valid(identity);
    struct kp_txn_request *request;

    if (!is_epoch_bump &&
        !kp_txn_transition(manager, KB_TXN_STATE_INITIALIZING, KW_ERROR_NONE, NULL, failure)) {
        return NULL;
    }
    request = kp_txn_make_request(manager, KP_TXN_INIT_PRODUCER_ID, NULL);
    if (request == NULL) {
        throw_no_memory(failure);
        return NULL;
    }
    request->identity = identity;
    request->is_epoch_bump = is_epoch_bump;
    request->result->reference_count++;
    struct kp_transactional_result *result = request->result;

    kp_txn_enqueue(manager, request);
    return result;
}

struct kp_transactional_result *kp_txn_initialize(struct kp_transaction_manager *manager,
                                                  struct kp_producer_identity identity,
                                                  struct kp_failure *failure)
{
    struct kp_transactional_result *result = take_cached(manager, KB_TXN_STATE_INITIALIZING);

    return result != NULL ? result : cache(manager, initialize(manager, identity, failure));
}

struct kp_transactional_result *kp_transaction_manager_initialize(struct kp_transaction_manager *manager,
                                                                  struct kp_failure *failure)
{
    return ensure_transactional(manager, failure) ? kp_txn_initialize(manager, NO_IDENTITY, failure) : NULL;
}

bool kp_transaction_manager_begin(struct kp_transaction_manager *manager, struct kp_failure *failure)
{
    return ensure_transactional(manager, failure) && !fails_with_error(manager, failure) &&
           kp_txn_transition(manager, KB_TXN_STATE_IN_TRANSACTION, KW_ERROR_NONE, NULL, failure);
}

/* Kafka: beginCompletingTransaction. last_code: the error that there was before the state changed. */
static struct kp_transactional_result *begin_completing(struct kp_transaction_manager *manager,
                                                        bool is_commit, struct kp_failure *failure)
{
    if (manager->membership_counts[KP_TXN_NEW] > 0) {
        kp_txn_enqueue(manager, kp_txn_add_partitions_request(manager));
    }
    if (!manager->has_last_error || manager->last_error_code != KW_ERROR_INVALID_PRODUCER_ID_MAPPING) {
        struct kp_txn_request *request = kp_txn_make_request(manager, KP_TXN_END, NULL);
        struct kp_transactional_result *result;

        if (request == NULL) {
            throw_no_memory(failure);
            return NULL;
        }
        request->identity = manager->identity;
        request->is_commit = is_commit;
        result = request->result;
        result->reference_count++;
        kp_txn_enqueue(manager, request);
        if (!manager->is_epoch_bump_required) {
            return result;
        }
        kp_transaction_manager_release_result(manager, result);
    }
    /* initializeTransactions caches its result itself; the caller's caching replaces it by the same one. */
    return kp_txn_initialize(manager, manager->identity, failure);
}

struct kp_transactional_result *kp_transaction_manager_begin_commit(struct kp_transaction_manager *manager,
                                                                    struct kp_failure *failure)
{
    struct kp_transactional_result *result;

    if (!ensure_transactional(manager, failure)) {
        return NULL;
    }
    result = take_cached(manager, KB_TXN_STATE_COMMITTING_TRANSACTION);
    if (result != NULL) {
        return result;
    }
    if (fails_with_error(manager, failure) ||
        !kp_txn_transition(manager, KB_TXN_STATE_COMMITTING_TRANSACTION, KW_ERROR_NONE, NULL, failure)) {
        return NULL;
    }
    return cache(manager, begin_completing(manager, true, failure));
}

struct kp_transactional_result *kp_transaction_manager_begin_abort(struct kp_transaction_manager *manager,
                                                                   struct kp_failure *failure)
{
    struct kp_transactional_result *result;

    if (!ensure_transactional(manager, failure)) {
        return NULL;
    }
    result = take_cached(manager, KB_TXN_STATE_ABORTING_TRANSACTION);
    if (result != NULL) {
        return result;
    }
    if ((manager->state != KB_TXN_STATE_ABORTABLE_ERROR && fails_with_error(manager, failure)) ||
        !kp_txn_transition(manager, KB_TXN_STATE_ABORTING_TRANSACTION, KW_ERROR_NONE, NULL, failure)) {
        return NULL;
    }
    kp_txn_move_members(manager, KP_TXN_NEW, KP_TXN_NOT_IN);
    return cache(manager, begin_completing(manager, false, failure));
}

struct kp_transactional_result *kp_transaction_manager_send_offsets(struct kp_transaction_manager *manager,
                                                                    const struct kp_offset *offsets,
                                                                    uint32_t offset_count,
                                                                    const char *group_id,
                                                                    struct kp_failure *failure)
{
    struct kp_txn_request *request;

    if (!ensure_transactional(manager, failure) || fails_with_error(manager, failure)) {
        return NULL;
    }
    if (manager->state != KB_TXN_STATE_IN_TRANSACTION) {
        kp_failure_throw(failure, "KafkaException",
                         "Cannot send offsets to transaction either because the producer is not in an active "
                         "transaction");
        return NULL;
    }
    request = kp_txn_make_request(manager, KP_TXN_ADD_OFFSETS, NULL);
    if (request == NULL) {
        throw_no_memory(failure);
        return NULL;
    }
    request->identity = manager->identity;
    request->key = kp_copy_text(manager->allocator, group_id, strlen(group_id));
    request->offsets =
        kb_allocate_zeroed(manager->allocator, (size_t)offset_count + 1, sizeof(*request->offsets));
    bool is_copied = request->key != NULL && request->offsets != NULL;

    if (request->offsets != NULL) {
        request->count = offset_count;
    }
    for (uint32_t i = 0; i < offset_count && is_copied; i++) {
        const struct kp_topic *topic =
            kp_topics_topic(manager->options.topics, offsets[i].topic, strlen(offsets[i].topic));
        const struct kp_topic_partition *partition =
            topic != NULL ? kp_topics_partition(manager->options.topics, topic, offsets[i].partition) : NULL;

        is_copied = partition != NULL &&
                    kp_txn_copy_offset(manager, &request->offsets[i], partition, offsets[i].offset,
                                       offsets[i].leader_epoch, offsets[i].metadata);
    }
    if (!is_copied) {
        kp_txn_free_request(manager, request);
        throw_no_memory(failure);
        return NULL;
    }
    request->result->reference_count++;
    struct kp_transactional_result *result = request->result;

    kp_txn_enqueue(manager, request);
    return result;
}

void kp_txn_complete_transaction(struct kp_transaction_manager *manager)
{
    (void)kp_txn_transition(manager,
                            manager->is_epoch_bump_required ? KB_TXN_STATE_INITIALIZING : KB_TXN_STATE_READY,
                            KW_ERROR_NONE, NULL, NULL);
    manager->has_last_error = false;
    manager->is_epoch_bump_required = false;
    manager->is_transaction_started = false;
    kp_txn_move_members(manager, KP_TXN_NEW, KP_TXN_NOT_IN);
    kp_txn_move_members(manager, KP_TXN_PENDING, KP_TXN_NOT_IN);
    kp_txn_move_members(manager, KP_TXN_ADDED, KP_TXN_NOT_IN);
}
