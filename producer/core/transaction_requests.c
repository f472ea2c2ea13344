/*
 * The queue of requests to coordinators, and what each of them says. Kafka: TransactionManager's
 * TxnRequestHandlers and nextRequest.
 */
#include "base/assert.h"
#include "core/transaction_manager_internal.h"

#include <string.h>

/* --- Results */

struct kp_transactional_result *kp_txn_make_result(struct kp_transaction_manager *manager,
                                                   const char *operation)
{
    struct kp_transactional_result *result = kb_allocate_zeroed(manager->allocator, 1, sizeof(*result));

    if (result == NULL) {
        return NULL;
    }
    result->operation = operation;
    result->reference_count = 1;
    return result;
}

void kp_transaction_manager_release_result(struct kp_transaction_manager *manager,
                                           struct kp_transactional_result *result)
{
    if (result == NULL || --result->reference_count > 0) {
        return;
    }
    kb_deallocate(manager->allocator, result, sizeof(*result));
}

void kp_txn_result_done(struct kp_transaction_manager *manager, struct kp_transactional_result *result)
{
    result->is_completed = true;
    manager->change_count++;
}

void kp_txn_result_fail(struct kp_transaction_manager *manager, struct kp_transactional_result *result,
                        const struct kp_failure *failure)
{
    result->failure = *failure;
    result->is_completed = true;
    manager->change_count++;
}

/* --- Requests */

static const char *operation_of(enum kp_txn_request_kind kind)
{
    switch (kind) {
    case KP_TXN_FIND_COORDINATOR:
        return "FindCoordinator";
    case KP_TXN_INIT_PRODUCER_ID:
        return "InitProducerId";
    case KP_TXN_ADD_PARTITIONS:
        return "AddPartitionsToTxn";
    case KP_TXN_ADD_OFFSETS:
        return "AddOffsetsToTxn";
    case KP_TXN_OFFSET_COMMIT:
        return "TxnOffsetCommit";
    case KP_TXN_END:
        return "EndTxn";
    }
    KB_UNREACHABLE();
}

struct kp_txn_request *kp_txn_make_request(struct kp_transaction_manager *manager,
                                           enum kp_txn_request_kind kind,
                                           struct kp_transactional_result *result)
{
    struct kp_txn_request *request = kb_allocate_zeroed(manager->allocator, 1, sizeof(*request));

    if (request == NULL) {
        return NULL;
    }
    request->kind = kind;
    request->retry_backoff_ms = manager->options.retry_backoff_ms;
    request->result = result != NULL ? result : kp_txn_make_result(manager, operation_of(kind));
    if (request->result == NULL) {
        kb_deallocate(manager->allocator, request, sizeof(*request));
        return NULL;
    }
    if (result != NULL) {
        result->reference_count++;
    }
    return request;
}

void kp_txn_free_request(struct kp_transaction_manager *manager, struct kp_txn_request *request)
{
    if (request == NULL) {
        return;
    }
    kp_transaction_manager_release_result(manager, request->result);
    kp_release_text(manager->allocator, request->key);
    if (request->partitions != NULL) {
        kb_deallocate(manager->allocator, request->partitions,
                      ((size_t)request->count + 1) * sizeof(struct kp_topic_partition *));
    }
    for (uint32_t i = 0; request->offsets != NULL && i < request->count; i++) {
        kp_release_text(manager->allocator, request->offsets[i].metadata);
    }
    if (request->offsets != NULL) {
        kb_deallocate(manager->allocator, request->offsets,
                      ((size_t)request->count + 1) * sizeof(*request->offsets));
    }
    kb_deallocate(manager->allocator, request, sizeof(*request));
}

bool kp_txn_copy_offset(struct kp_transaction_manager *manager, struct kp_txn_offset *to,
                        const struct kp_topic_partition *partition, int64_t offset, int32_t leader_epoch,
                        const char *metadata)
{
    const char *text = metadata != NULL ? metadata : "";
    char *copy = kp_copy_text(manager->allocator, text, strlen(text));

    if (copy == NULL) {
        return false;
    }
    kp_release_text(manager->allocator, to->metadata);
    *to = (struct kp_txn_offset){
        .partition = partition, .offset = offset, .leader_epoch = leader_epoch, .metadata = copy};
    return true;
}

/* --- The queue. java.util.PriorityQueue, whose order among equals is that of its heap */

static int priority_of(const struct kp_txn_request *request)
{
    switch (request->kind) {
    case KP_TXN_FIND_COORDINATOR:
        return 0;
    case KP_TXN_INIT_PRODUCER_ID:
        return request->is_epoch_bump ? 4 : 1;
    case KP_TXN_ADD_PARTITIONS:
    case KP_TXN_ADD_OFFSETS:
    case KP_TXN_OFFSET_COMMIT:
        return 2;
    case KP_TXN_END:
        return 3;
    }
    KB_UNREACHABLE();
}

void kp_txn_enqueue(struct kp_transaction_manager *manager, struct kp_txn_request *request)
{
    uint32_t place = manager->queue_count;

    KB_ASSERT(request != NULL && kp_grow(manager->allocator, &manager->queue, &manager->queue_capacity,
                                         manager->queue_count + 1, sizeof(struct kp_txn_request *)));
    while (place > 0) {
        uint32_t parent = (place - 1) / 2;

        if (priority_of(request) >= priority_of(manager->queue[parent])) {
            break;
        }
        manager->queue[place] = manager->queue[parent];
        place = parent;
    }
    manager->queue[place] = request;
    manager->queue_count++;
    manager->change_count++;
}

static struct kp_txn_request *poll_queue(struct kp_transaction_manager *manager)
{
    struct kp_txn_request *first;
    struct kp_txn_request *last;
    uint32_t place = 0;

    if (manager->queue_count == 0) {
        return NULL;
    }
    first = manager->queue[0];
    last = manager->queue[--manager->queue_count];
    manager->change_count++;
    while (place < manager->queue_count / 2) {
        uint32_t child = 2 * place + 1;

        if (child + 1 < manager->queue_count &&
            priority_of(manager->queue[child]) > priority_of(manager->queue[child + 1])) {
            child++;
        }
        if (priority_of(last) <= priority_of(manager->queue[child])) {
            break;
        }
        manager->queue[place] = manager->queue[child];
        place = child;
    }
    if (manager->queue_count > 0) {
        manager->queue[place] = last;
    }
    return first;
}

bool kp_transaction_manager_has_pending_requests(const struct kp_transaction_manager *manager)
{
    return manager->queue_count > 0;
}

bool kp_transaction_manager_has_in_flight_request(const struct kp_transaction_manager *manager)
{
    return manager->in_flight != NULL;
}

/* Java takes partitions out of a hash set here, so the driver's order of a topic's partitions holds. */
static int64_t place_of(const struct kp_transaction_manager *manager,
                        const struct kp_topic_partition *partition)
{
    const struct kp_partition_order *order = &manager->options.order;

    return order->in_topic != NULL
               ? order->in_topic(order->context, partition->topic->name, partition->partition)
               : partition->partition;
}

/* Insert by topic and place; the partitions come in the order of their indices, so mostly at the end. */
static void insert_partition(const struct kp_transaction_manager *manager,
                             const struct kp_topic_partition **partitions, uint32_t count,
                             const struct kp_topic_partition *partition)
{
    uint32_t place = count;

    while (place > 0 && (partitions[place - 1]->topic->index > partition->topic->index ||
                         (partitions[place - 1]->topic == partition->topic &&
                          place_of(manager, partitions[place - 1]) > place_of(manager, partition)))) {
        partitions[place] = partitions[place - 1];
        place--;
    }
    partitions[place] = partition;
}

struct kp_txn_request *kp_txn_add_partitions_request(struct kp_transaction_manager *manager)
{
    struct kp_txn_request *request = kp_txn_make_request(manager, KP_TXN_ADD_PARTITIONS, NULL);
    uint32_t count;

    KB_ASSERT(request != NULL);
    kp_txn_move_members(manager, KP_TXN_NEW, KP_TXN_PENDING);
    count = manager->membership_counts[KP_TXN_PENDING];
    request->identity = manager->identity;
    request->partitions =
        kb_allocate_zeroed(manager->allocator, (size_t)count + 1, sizeof(struct kp_topic_partition *));
    KB_ASSERT(request->partitions != NULL);
    request->count = count;
    for (uint32_t i = 0, place = 0; i < manager->entry_capacity && place < count; i++) {
        if (manager->entries[i].membership == KP_TXN_PENDING) {
            insert_partition(manager, request->partitions, place++,
                             kp_topics_partition_at(manager->options.topics, i));
        }
    }
    return request;
}

/* Kafka: maybeTerminateRequestWithError. */
static bool is_terminated(struct kp_transaction_manager *manager, const struct kp_txn_request *request)
{
    if (!kp_transaction_manager_has_error(manager) ||
        (kp_transaction_manager_has_abortable_error(manager) && request->kind == KP_TXN_FIND_COORDINATOR)) {
        return false;
    }
    kp_txn_result_fail(manager, request->result, &manager->last_error);
    return true;
}

struct kp_txn_request *kp_transaction_manager_next_request(struct kp_transaction_manager *manager,
                                                           bool has_incomplete_batches)
{
    struct kp_txn_request *request;

    if (manager->membership_counts[KP_TXN_NEW] > 0) {
        kp_txn_enqueue(manager, kp_txn_add_partitions_request(manager));
    }
    if (manager->queue_count == 0 || (manager->queue[0]->kind == KP_TXN_END && has_incomplete_batches)) {
        return NULL;
    }
    request = poll_queue(manager);
    if (is_terminated(manager, request)) {
        kp_txn_free_request(manager, request);
        return NULL;
    }
    if (request->kind == KP_TXN_END && !manager->is_transaction_started) {
        /* Nothing was added to the transaction: the coordinator need not hear of its end. */
        kp_txn_result_done(manager, request->result);
        if (manager->state != KB_TXN_STATE_FATAL_ERROR) {
            kp_txn_complete_transaction(manager);
        }
        kp_txn_free_request(manager, request);
        request = poll_queue(manager);
    }
    return request;
}

enum kp_coordinator_type kp_txn_coordinator_type(const struct kp_transaction_manager *manager,
                                                 const struct kp_txn_request *request)
{
    switch (request->kind) {
    case KP_TXN_FIND_COORDINATOR:
        return KP_COORDINATOR_NONE;
    case KP_TXN_INIT_PRODUCER_ID:
        return kp_transaction_manager_is_transactional(manager) ? KP_COORDINATOR_TRANSACTION
                                                                : KP_COORDINATOR_NONE;
    case KP_TXN_OFFSET_COMMIT:
        return KP_COORDINATOR_GROUP;
    case KP_TXN_ADD_PARTITIONS:
    case KP_TXN_ADD_OFFSETS:
    case KP_TXN_END:
        return KP_COORDINATOR_TRANSACTION;
    }
    KB_UNREACHABLE();
}

int64_t kp_txn_retry_backoff_ms(const struct kp_transaction_manager *manager,
                                const struct kp_txn_request *request)
{
    int64_t usual_ms = manager->options.retry_backoff_ms;

    return request->retry_backoff_ms < usual_ms ? request->retry_backoff_ms : usual_ms;
}

const struct kp_coordinator *kp_transaction_manager_coordinator(const struct kp_transaction_manager *manager,
                                                                enum kp_coordinator_type type)
{
    return manager->coordinators[type].is_known ? &manager->coordinators[type] : NULL;
}

void kp_transaction_manager_handle_coordinator_ready(struct kp_transaction_manager *manager,
                                                     int16_t max_version)
{
    enum { FIRST_VERSION_THAT_BUMPS_EPOCHS = 3 };

    manager->can_coordinator_bump_epoch = max_version >= FIRST_VERSION_THAT_BUMPS_EPOCHS;
}

void kp_txn_lookup_coordinator(struct kp_transaction_manager *manager, enum kp_coordinator_type type,
                               const char *key)
{
    struct kp_txn_request *request = kp_txn_make_request(manager, KP_TXN_FIND_COORDINATOR, NULL);

    KB_ASSERT(type != KP_COORDINATOR_NONE && request != NULL);
    manager->coordinators[type].is_known = false;
    request->wanted_type = type;
    request->key = kp_copy_text(manager->allocator, key, strlen(key));
    KB_ASSERT(request->key != NULL);
    kp_txn_enqueue(manager, request);
}

void kp_transaction_manager_lookup_for(struct kp_transaction_manager *manager,
                                       const struct kp_txn_request *request)
{
    enum kp_coordinator_type type = kp_txn_coordinator_type(manager, request);

    kp_txn_lookup_coordinator(manager, type,
                              type == KP_COORDINATOR_GROUP ? request->key : manager->transactional_id);
}

void kp_transaction_manager_retry(struct kp_transaction_manager *manager, struct kp_txn_request *request)
{
    request->is_retry = true;
    kp_txn_enqueue(manager, request);
}

void kp_transaction_manager_sent(struct kp_transaction_manager *manager, struct kp_txn_request *request)
{
    manager->in_flight = request;
    manager->change_count++;
}

void kp_transaction_manager_close(struct kp_transaction_manager *manager)
{
    struct kp_failure failure;

    kp_failure_throw(&failure, "KafkaException", "The producer closed forcefully");
    for (uint32_t i = 0; i < manager->queue_count; i++) {
        kp_txn_result_fail(manager, manager->queue[i]->result, &failure);
        kp_txn_transition_to_fatal_error(manager, KW_ERROR_KAFKA, &failure);
    }
    if (manager->pending_result != NULL) {
        kp_txn_result_fail(manager, manager->pending_result, &failure);
    }
}
