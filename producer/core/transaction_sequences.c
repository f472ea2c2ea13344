/*
 * Sequence numbers per partition, and the producer id and epoch that they belong to. Kafka: the first half of
 * TransactionManager.
 */
#include "base/assert.h"
#include "base/planted.h"
#include "core/transaction_manager_internal.h"

#include <string.h>

static const struct kp_producer_identity NO_IDENTITY = {.producer_id = -1, .epoch = -1};

static bool is_same(struct kp_producer_identity left, struct kp_producer_identity right)
{
    return left.producer_id == right.producer_id && left.epoch == right.epoch;
}

/* --- Entries */

static void clear_entry(struct kp_sequence_entry *entry)
{
    entry->exists = false;
    entry->identity = NO_IDENTITY;
    entry->next_sequence = 0;
    entry->last_acked_sequence = -1;
    entry->last_acked_offset = -1;
    for (uint32_t i = 0; i < entry->in_flight_count; i++) {
        kp_producer_batch_release(entry->in_flight[i]);
    }
    entry->in_flight_count = 0;
}

const struct kp_sequence_entry *kp_txn_find_entry(const struct kp_transaction_manager *manager,
                                                  const struct kp_topic_partition *partition)
{
    return partition->index < manager->entry_capacity ? &manager->entries[partition->index] : NULL;
}

struct kp_sequence_entry *kp_txn_entry(struct kp_transaction_manager *manager,
                                       const struct kp_topic_partition *partition)
{
    uint32_t old_capacity = manager->entry_capacity;

    if (partition->index >= old_capacity) {
        if (!kp_grow(manager->allocator, &manager->entries, &manager->entry_capacity, partition->index + 1,
                     sizeof(*manager->entries))) {
            return NULL;
        }
        for (uint32_t i = old_capacity; i < manager->entry_capacity; i++) {
            clear_entry(&manager->entries[i]);
        }
    }
    manager->entries[partition->index].exists = true;
    return &manager->entries[partition->index];
}

void kp_txn_release_entries(struct kp_transaction_manager *manager)
{
    for (uint32_t i = 0; i < manager->entry_capacity; i++) {
        struct kp_sequence_entry *entry = &manager->entries[i];

        clear_entry(entry);
        kb_deallocate(manager->allocator, entry->in_flight,
                      entry->in_flight_capacity * sizeof(struct kp_producer_batch *));
        kp_release_text(manager->allocator, entry->pending_offset.metadata);
    }
    kb_deallocate(manager->allocator, manager->entries, manager->entry_capacity * sizeof(*manager->entries));
}

static void set_unresolved(struct kp_transaction_manager *manager, struct kp_sequence_entry *entry,
                           bool is_unresolved)
{
    if (entry->is_unresolved == is_unresolved) {
        return;
    }
    entry->is_unresolved = is_unresolved;
    manager->unresolved_count += is_unresolved ? 1 : UINT32_MAX;
}

void kp_txn_reset_sequences(struct kp_transaction_manager *manager)
{
    for (uint32_t i = 0; i < manager->entry_capacity; i++) {
        clear_entry(&manager->entries[i]);
        set_unresolved(manager, &manager->entries[i], false);
    }
}

void kp_txn_set_membership(struct kp_transaction_manager *manager, struct kp_sequence_entry *entry,
                           enum kp_txn_membership membership)
{
    if (entry->membership != KP_TXN_NOT_IN) {
        manager->membership_counts[entry->membership]--;
    }
    if (membership != KP_TXN_NOT_IN) {
        manager->membership_counts[membership]++;
    }
    entry->membership = membership;
}

void kp_txn_move_members(struct kp_transaction_manager *manager, enum kp_txn_membership from,
                         enum kp_txn_membership to)
{
    for (uint32_t i = 0; i < manager->entry_capacity && manager->membership_counts[from] > 0; i++) {
        if (manager->entries[i].membership == from) {
            kp_txn_set_membership(manager, &manager->entries[i], to);
        }
    }
}

/* --- What the accumulator asks */

bool kp_transaction_manager_is_send_allowed(const struct kp_transaction_manager *manager,
                                            const struct kp_topic_partition *partition)
{
    const struct kp_sequence_entry *entry = kp_txn_find_entry(manager, partition);

    if (kp_transaction_manager_has_fatal_error(manager)) {
        return false;
    }
    return !kp_transaction_manager_is_transactional(manager) ||
           (entry != NULL && entry->membership == KP_TXN_ADDED);
}

bool kp_transaction_manager_has_inflight_batches(const struct kp_transaction_manager *manager,
                                                 const struct kp_topic_partition *partition)
{
    const struct kp_sequence_entry *entry = kp_txn_find_entry(manager, partition);

    return entry != NULL && entry->in_flight_count > 0;
}

bool kp_transaction_manager_has_stale_identity(const struct kp_transaction_manager *manager,
                                               const struct kp_topic_partition *partition)
{
    const struct kp_sequence_entry *entry = kp_txn_find_entry(manager, partition);

    return !is_same(manager->identity, entry != NULL ? entry->identity : NO_IDENTITY);
}

bool kp_transaction_manager_has_unresolved_sequence(const struct kp_transaction_manager *manager,
                                                    const struct kp_topic_partition *partition)
{
    const struct kp_sequence_entry *entry = kp_txn_find_entry(manager, partition);

    return entry != NULL && entry->is_unresolved;
}

struct kp_producer_batch *kp_transaction_manager_next_batch_by_sequence(
    const struct kp_transaction_manager *manager, const struct kp_topic_partition *partition)
{
    const struct kp_sequence_entry *entry = kp_txn_find_entry(manager, partition);

    return entry != NULL && entry->in_flight_count > 0 ? entry->in_flight[0] : NULL;
}

int32_t kp_transaction_manager_first_in_flight_sequence(const struct kp_transaction_manager *manager,
                                                        const struct kp_topic_partition *partition)
{
    const struct kp_producer_batch *batch = kp_transaction_manager_next_batch_by_sequence(manager, partition);

    return batch != NULL ? kp_producer_batch_base_sequence(batch) : -1;
}

int32_t kp_transaction_manager_sequence_number(const struct kp_transaction_manager *manager,
                                               const struct kp_topic_partition *partition)
{
    const struct kp_sequence_entry *entry = kp_txn_find_entry(manager, partition);

    return entry != NULL ? entry->next_sequence : 0;
}

/* Kafka: DefaultRecordBatch.incrementSequence: 0 follows the largest number. */
void kp_transaction_manager_increment_sequence_number(struct kp_transaction_manager *manager,
                                                      const struct kp_topic_partition *partition,
                                                      int32_t increment)
{
    struct kp_sequence_entry *entry = kp_txn_entry(manager, partition);

    KB_ASSERT(entry != NULL && increment >= 0);
    if (entry->next_sequence > INT32_MAX - increment) {
        entry->next_sequence = increment - (INT32_MAX - entry->next_sequence) - 1;
    } else {
        entry->next_sequence += increment;
    }
}

/* Kafka: startSequencesAtBeginning. The batches in flight are renumbered in their order. */
static void start_at_beginning(struct kp_transaction_manager *manager,
                               const struct kp_topic_partition *partition)
{
    struct kp_sequence_entry *entry = kp_txn_entry(manager, partition);
    int32_t sequence = KB_PLANTED(SEQUENCES_NOT_RESET) && entry != NULL ? entry->next_sequence : 0;

    KB_ASSERT(entry != NULL);
    for (uint32_t i = 0; i < entry->in_flight_count; i++) {
        struct kp_producer_batch *batch = entry->in_flight[i];

        kp_producer_batch_reset_producer_state(batch, manager->identity.producer_id, manager->identity.epoch,
                                               sequence, kp_producer_batch_is_transactional(batch));
        sequence += (int32_t)batch->record_count;
    }
    entry->identity = manager->identity;
    entry->next_sequence = sequence;
    entry->last_acked_sequence = -1;
}

void kp_transaction_manager_maybe_update_identity(struct kp_transaction_manager *manager,
                                                  const struct kp_topic_partition *partition)
{
    if (kp_transaction_manager_has_stale_identity(manager, partition) &&
        !kp_transaction_manager_has_inflight_batches(manager, partition)) {
        start_at_beginning(manager, partition);
    }
}

/* --- Batches in flight: a set by first sequence, so that of two with the same one only one is in it */

static uint32_t find_place(const struct kp_sequence_entry *entry, int32_t sequence, bool *is_there)
{
    uint32_t place = 0;

    while (place < entry->in_flight_count &&
           kp_producer_batch_base_sequence(entry->in_flight[place]) < sequence) {
        place++;
    }
    *is_there = place < entry->in_flight_count &&
                kp_producer_batch_base_sequence(entry->in_flight[place]) == sequence;
    return place;
}

void kp_transaction_manager_add_in_flight_batch(struct kp_transaction_manager *manager,
                                                struct kp_producer_batch *batch)
{
    struct kp_sequence_entry *entry = kp_txn_entry(manager, batch->partition);
    bool is_there;
    uint32_t place;

    KB_ASSERT(entry != NULL && kp_producer_batch_has_sequence(batch));
    place = find_place(entry, kp_producer_batch_base_sequence(batch), &is_there);
    if (is_there) {
        return;
    }
    KB_ASSERT(kp_grow(manager->allocator, &entry->in_flight, &entry->in_flight_capacity,
                      entry->in_flight_count + 1, sizeof(struct kp_producer_batch *)));
    memmove(entry->in_flight + place + 1, entry->in_flight + place,
            (entry->in_flight_count - place) * sizeof(struct kp_producer_batch *));
    kp_producer_batch_retain(batch);
    entry->in_flight[place] = batch;
    entry->in_flight_count++;
}

void kp_transaction_manager_remove_in_flight_batch(struct kp_transaction_manager *manager,
                                                   struct kp_producer_batch *batch)
{
    struct kp_sequence_entry *entry = kp_txn_entry(manager, batch->partition);
    struct kp_producer_batch *removed;
    bool is_there;
    uint32_t place;

    KB_ASSERT(entry != NULL);
    /* As in Java by its sequence: the late answer to a batch that was given up can take out another one. */
    place = find_place(entry, kp_producer_batch_base_sequence(batch), &is_there);
    if (!is_there) {
        return;
    }
    removed = entry->in_flight[place];
    entry->in_flight_count--;
    memmove(entry->in_flight + place, entry->in_flight + place + 1,
            (entry->in_flight_count - place) * sizeof(struct kp_producer_batch *));
    kp_producer_batch_release(removed);
}

/* --- Acknowledgements and failures */

static bool is_next_sequence(const struct kp_transaction_manager *manager,
                             const struct kp_topic_partition *partition, int32_t sequence)
{
    const struct kp_sequence_entry *entry = kp_txn_find_entry(manager, partition);

    return (int64_t)sequence - (entry != NULL ? entry->last_acked_sequence : -1) == 1;
}

static void request_epoch_bump(struct kp_transaction_manager *manager,
                               const struct kp_topic_partition *partition)
{
    struct kp_sequence_entry *entry = kp_txn_entry(manager, partition);

    KB_ASSERT(entry != NULL);
    manager->is_epoch_bump_required = true;
    if (!entry->is_to_be_rewritten) {
        manager->rewrite_count++;
    }
    entry->is_to_be_rewritten = true;
}

void kp_transaction_manager_handle_completed_batch(struct kp_transaction_manager *manager,
                                                   struct kp_producer_batch *batch,
                                                   const struct kp_partition_response *response)
{
    struct kp_sequence_entry *entry = kp_txn_entry(manager, batch->partition);

    KB_ASSERT(entry != NULL);
    if (kp_producer_batch_last_sequence(batch) > entry->last_acked_sequence) {
        entry->last_acked_sequence = kp_producer_batch_last_sequence(batch);
    }
    if (response->base_offset != -1) {
        int64_t last_offset = response->base_offset + (int64_t)batch->record_count - 1;

        if (last_offset > entry->last_acked_offset) {
            entry->last_acked_offset = last_offset;
        }
    }
    kp_transaction_manager_remove_in_flight_batch(manager, batch);
}

/* Kafka: maybeTransitionToErrorState. */
static bool maybe_transition_to_error(struct kp_transaction_manager *manager, enum kw_error code,
                                      const struct kp_failure *error)
{
    if (code == KW_ERROR_CLUSTER_AUTHORIZATION_FAILED ||
        code == KW_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED || code == KW_ERROR_PRODUCER_FENCED ||
        code == KW_ERROR_UNSUPPORTED_VERSION) {
        kp_txn_transition_to_fatal_error(manager, code, error);
        return true;
    }
    if (!kp_transaction_manager_is_transactional(manager)) {
        return true;
    }
    if (kp_txn_can_bump_epoch(manager) && !kp_transaction_manager_is_completing(manager)) {
        manager->is_epoch_bump_required = true;
    }
    return kp_txn_transition_to_abortable_error(manager, code, error);
}

/* Kafka: adjustSequencesDueToFailedBatch: those behind it move up. */
static bool adjust_sequences(struct kp_transaction_manager *manager, const struct kp_producer_batch *batch)
{
    struct kp_sequence_entry *entry = kp_txn_entry(manager, batch->partition);
    int32_t record_count = (int32_t)batch->record_count;

    KB_ASSERT(entry != NULL);
    if (entry->next_sequence < record_count) {
        return false; /* Java throws */
    }
    entry->next_sequence -= record_count;
    for (uint32_t i = 0; i < entry->in_flight_count; i++) {
        struct kp_producer_batch *other = entry->in_flight[i];
        int32_t sequence = kp_producer_batch_base_sequence(other);

        if (sequence < kp_producer_batch_base_sequence(batch)) {
            continue;
        }
        if (sequence < record_count) {
            return false;
        }
        kp_producer_batch_reset_producer_state(
            other, kp_producer_batch_producer_id(other), kp_producer_batch_producer_epoch(other),
            sequence - record_count, kp_producer_batch_is_transactional(other));
    }
    return true;
}

bool kp_transaction_manager_handle_failed_batch(struct kp_transaction_manager *manager,
                                                struct kp_producer_batch *batch, enum kw_error code,
                                                const struct kp_failure *error, bool adjusts_sequences)
{
    bool is_transactional = kp_transaction_manager_is_transactional(manager);

    if (!maybe_transition_to_error(manager, code, error)) {
        return false;
    }
    kp_transaction_manager_remove_in_flight_batch(manager, batch);
    if (kp_transaction_manager_has_fatal_error(manager)) {
        return true;
    }
    /* Java's UnknownProducerIdException is an OutOfOrderSequenceException. */
    if ((code == KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER || code == KW_ERROR_UNKNOWN_PRODUCER_ID) &&
        !is_transactional) {
        request_epoch_bump(manager, batch->partition);
    } else if (code == KW_ERROR_UNKNOWN_PRODUCER_ID) {
        struct kp_sequence_entry *entry = kp_txn_entry(manager, batch->partition);

        KB_ASSERT(entry != NULL);
        clear_entry(entry);
        set_unresolved(manager, entry, false);
    } else if (adjusts_sequences && !is_transactional) {
        request_epoch_bump(manager, batch->partition);
    } else if (adjusts_sequences) {
        return adjust_sequences(manager, batch);
    }
    return true;
}

/* A broker that has forgotten the producer; Kafka: canRetry, first part. */
static bool can_retry_unknown_producer(struct kp_transaction_manager *manager,
                                       const struct kp_partition_response *response,
                                       const struct kp_producer_batch *batch)
{
    const struct kp_sequence_entry *entry = kp_txn_find_entry(manager, batch->partition);
    bool is_transactional = kp_transaction_manager_is_transactional(manager);

    if (response->log_start_offset == -1 || batch->sequence_has_been_reset) {
        return true;
    }
    if ((entry != NULL ? entry->last_acked_offset : -1) < response->log_start_offset) {
        /* Retention took all that the producer had written. */
        if (is_transactional) {
            start_at_beginning(manager, batch->partition);
        } else {
            request_epoch_bump(manager, batch->partition);
        }
        return true;
    }
    if (!is_transactional) {
        request_epoch_bump(manager, batch->partition);
        return true;
    }
    return false;
}

bool kp_transaction_manager_can_retry(struct kp_transaction_manager *manager,
                                      const struct kp_partition_response *response,
                                      const struct kp_producer_batch *batch)
{
    const struct kp_topic_partition *partition = batch->partition;
    bool is_unresolved = kp_transaction_manager_has_unresolved_sequence(manager, partition);
    int32_t sequence = kp_producer_batch_base_sequence(batch);

    if (response->error == KW_ERROR_UNKNOWN_PRODUCER_ID) {
        if (can_retry_unknown_producer(manager, response, batch)) {
            return true;
        }
    } else if (response->error == KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER) {
        if (!is_unresolved &&
            (batch->sequence_has_been_reset || !is_next_sequence(manager, partition, sequence))) {
            return true;
        }
        if (!kp_transaction_manager_is_transactional(manager)) {
            if (!is_unresolved ||
                sequence == kp_txn_find_entry(manager, partition)->unresolved_next_sequence) {
                request_epoch_bump(manager, partition);
            }
            return true;
        }
    }
    return kw_error_is_retriable(response->error);
}

/* --- Unresolved sequences and the epoch */

void kp_transaction_manager_mark_unresolved(struct kp_transaction_manager *manager,
                                            const struct kp_producer_batch *batch)
{
    struct kp_sequence_entry *entry = kp_txn_entry(manager, batch->partition);
    int32_t next_sequence = kp_producer_batch_last_sequence(batch) + 1;

    KB_ASSERT(entry != NULL);
    if (!entry->is_unresolved || next_sequence > entry->unresolved_next_sequence) {
        entry->unresolved_next_sequence = next_sequence;
    }
    set_unresolved(manager, entry, true);
    (void)KB_TRACE(manager->trace, 0, SEQUENCE_UNRESOLVED, sequence_unresolved,
                   .topic = batch->partition->topic->trace_name, .partition = batch->partition->partition,
                   .sequence = kp_producer_batch_base_sequence(batch));
}

static void give_up_sequence(struct kp_transaction_manager *manager,
                             const struct kp_topic_partition *partition)
{
    struct kp_failure failure;

    if (!kp_transaction_manager_is_transactional(manager)) {
        request_epoch_bump(manager, partition);
        return;
    }
    if (kp_txn_can_bump_epoch(manager)) {
        manager->is_epoch_bump_required = true;
        kp_failure_throw(
            &failure, "KafkaException",
            "The client hasn't received acknowledgment for some previously sent messages and can "
            "no longer retry them. It is safe to abort the transaction and continue.");
        (void)kp_txn_transition_to_abortable_error(manager, KW_ERROR_KAFKA, &failure);
        return;
    }
    kp_failure_throw(&failure, "KafkaException",
                     "The client hasn't received acknowledgment for some previously sent messages and can no "
                     "longer retry them. It isn't safe to continue.");
    kp_txn_transition_to_fatal_error(manager, KW_ERROR_KAFKA, &failure);
}

void kp_transaction_manager_maybe_resolve_sequences(struct kp_transaction_manager *manager)
{
    for (uint32_t i = 0; i < manager->entry_capacity && manager->unresolved_count > 0; i++) {
        struct kp_sequence_entry *entry = &manager->entries[i];
        const struct kp_topic_partition *partition;

        if (!entry->is_unresolved || entry->in_flight_count > 0) {
            continue;
        }
        partition = kp_topics_partition_at(manager->options.topics, i);
        if (!is_next_sequence(manager, partition, entry->next_sequence)) {
            give_up_sequence(manager, partition);
        }
        set_unresolved(manager, entry, false);
        manager->change_count++;
    }
}

/* Kafka: bumpIdempotentProducerEpoch, resetIdempotentProducerId. */
static void bump_epoch(struct kp_transaction_manager *manager)
{
    if (manager->identity.epoch == INT16_MAX) {
        kp_txn_set_identity(manager, NO_IDENTITY);
        (void)kp_txn_transition(manager, KB_TXN_STATE_UNINITIALIZED, KW_ERROR_NONE, NULL, NULL);
    } else {
        kp_txn_set_identity(manager,
                            (struct kp_producer_identity){.producer_id = manager->identity.producer_id,
                                                          .epoch = (int16_t)(manager->identity.epoch + 1)});
        (void)KB_TRACE(manager->trace, 0, PRODUCER_EPOCH_BUMPED, producer_epoch_bumped,
                       .producer_id = manager->identity.producer_id, .epoch = manager->identity.epoch);
    }
    for (uint32_t i = 0; i < manager->entry_capacity && manager->rewrite_count > 0; i++) {
        if (!manager->entries[i].is_to_be_rewritten) {
            continue;
        }
        start_at_beginning(manager, kp_topics_partition_at(manager->options.topics, i));
        set_unresolved(manager, &manager->entries[i], false);
        manager->entries[i].is_to_be_rewritten = false;
        manager->rewrite_count--;
    }
    manager->is_epoch_bump_required = false;
}

void kp_transaction_manager_bump_epoch_if_needed(struct kp_transaction_manager *manager)
{
    struct kp_txn_request *request;

    if (kp_transaction_manager_is_transactional(manager)) {
        return;
    }
    if (manager->is_epoch_bump_required) {
        bump_epoch(manager);
    }
    if (manager->state == KB_TXN_STATE_INITIALIZING || kp_transaction_manager_has_producer_id(manager)) {
        return;
    }
    request = kp_txn_make_request(manager, KP_TXN_INIT_PRODUCER_ID, NULL);
    if (request == NULL) {
        return; /* tried again in the next pass */
    }
    (void)kp_txn_transition(manager, KB_TXN_STATE_INITIALIZING, KW_ERROR_NONE, NULL, NULL);
    request->identity = NO_IDENTITY;
    kp_txn_enqueue(manager, request);
}
