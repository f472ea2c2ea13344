/*
 * What the answers of coordinators change. Kafka: the onComplete() and handleResponse() of
 * TransactionManager's TxnRequestHandlers.
 */
#include "base/assert.h"
#include "core/transaction_manager_internal.h"

#include <stdio.h>
#include <string.h>

/* --- The ends of a request */

static void set_error(struct kp_failure *failure, enum kw_error error)
{
    kp_failure_throw(failure, kw_error_exception(error), kw_error_message(error));
}

/* Kafka: TxnRequestHandler.reenqueue. */
static void reenqueue(struct kp_transaction_manager *manager, struct kp_txn_request *request)
{
    kp_transaction_manager_retry(manager, request);
}

static void finish(struct kp_transaction_manager *manager, struct kp_txn_request *request)
{
    kp_txn_result_done(manager, request->result);
    kp_txn_free_request(manager, request);
}

static void fatal(struct kp_transaction_manager *manager, struct kp_txn_request *request, enum kw_error code,
                  const struct kp_failure *failure)
{
    kp_txn_result_fail(manager, request->result, failure);
    kp_txn_transition_to_fatal_error(manager, code, failure);
    kp_txn_free_request(manager, request);
}

static void fatal_error(struct kp_transaction_manager *manager, struct kp_txn_request *request,
                        enum kw_error code)
{
    struct kp_failure failure;

    set_error(&failure, code);
    fatal(manager, request, code, &failure);
}

/* "Unexpected error in ...; message". */
static void fatal_unexpected(struct kp_transaction_manager *manager, struct kp_txn_request *request,
                             const char *prefix, enum kw_error error)
{
    struct kp_failure failure;

    kp_failure_throwf(&failure, "KafkaException", "%s%s", prefix, kw_error_message(error));
    fatal(manager, request, KW_ERROR_KAFKA, &failure);
}

static void abortable(struct kp_transaction_manager *manager, struct kp_txn_request *request,
                      enum kw_error code, const struct kp_failure *failure)
{
    kp_txn_result_fail(manager, request->result, failure);
    (void)kp_txn_transition_to_abortable_error(manager, code, failure);
    kp_txn_free_request(manager, request);
}

/* Kafka: abortableErrorIfPossible. */
static void abortable_if_possible(struct kp_transaction_manager *manager, struct kp_txn_request *request,
                                  enum kw_error code)
{
    struct kp_failure failure;

    if (!kp_txn_can_bump_epoch(manager)) {
        fatal_error(manager, request, code);
        return;
    }
    manager->is_epoch_bump_required = true;
    set_error(&failure, code);
    abortable(manager, request, code, &failure);
}

static void abortable_group_authorization(struct kp_transaction_manager *manager,
                                          struct kp_txn_request *request)
{
    struct kp_failure failure;

    kp_failure_throwf(&failure, "GroupAuthorizationException", "Not authorized to access group: %s",
                      request->key);
    abortable(manager, request, KW_ERROR_GROUP_AUTHORIZATION_FAILED, &failure);
}

static void look_up_and_reenqueue(struct kp_transaction_manager *manager, struct kp_txn_request *request)
{
    kp_txn_lookup_coordinator(manager, KP_COORDINATOR_TRANSACTION, manager->transactional_id);
    reenqueue(manager, request);
}

static bool is_coordinator_lost(enum kw_error error)
{
    return error == KW_ERROR_NOT_COORDINATOR || error == KW_ERROR_COORDINATOR_NOT_AVAILABLE;
}

static bool is_fenced(enum kw_error error)
{
    return error == KW_ERROR_INVALID_PRODUCER_EPOCH || error == KW_ERROR_PRODUCER_FENCED;
}

/* --- One function per answer */

static void handle_init_producer_id(struct kp_transaction_manager *manager, struct kp_txn_request *request,
                                    const struct kw_init_producer_id_response *response)
{
    enum kw_error error = kw_error_from_code(response->error_code);

    if (error == KW_ERROR_NONE) {
        kp_txn_set_identity(manager, (struct kp_producer_identity){.producer_id = response->producer_id,
                                                                   .epoch = response->producer_epoch});
        (void)KB_TRACE(manager->trace, 0, PRODUCER_ID_ASSIGNED, producer_id_assigned,
                       .producer_id = response->producer_id, .epoch = response->producer_epoch);
        if (!kp_txn_transition(manager, KB_TXN_STATE_READY, KW_ERROR_NONE, NULL, NULL)) {
            kp_txn_free_request(manager, request); /* Java throws, and nobody is told */
            return;
        }
        if (request->is_epoch_bump) {
            kp_txn_reset_sequences(manager);
        }
        finish(manager, request);
    } else if (is_coordinator_lost(error) && kp_transaction_manager_is_transactional(manager)) {
        look_up_and_reenqueue(manager, request);
    } else if (error == KW_ERROR_COORDINATOR_LOAD_IN_PROGRESS || error == KW_ERROR_CONCURRENT_TRANSACTIONS ||
               is_coordinator_lost(error)) {
        reenqueue(manager, request);
    } else if (error == KW_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED ||
               error == KW_ERROR_CLUSTER_AUTHORIZATION_FAILED) {
        fatal_error(manager, request, error);
    } else if (is_fenced(error)) {
        fatal_error(manager, request, KW_ERROR_PRODUCER_FENCED);
    } else {
        fatal_unexpected(manager, request, "Unexpected error in InitProducerIdResponse; ", error);
    }
}

static void handle_find_coordinator(struct kp_transaction_manager *manager, struct kp_txn_request *request,
                                    const struct kw_find_coordinator_response *response, int16_t version)
{
    enum { FIRST_VERSION_WITH_KEYS = 4 };
    struct kp_coordinator *coordinator = &manager->coordinators[request->wanted_type];
    bool has_list = version >= FIRST_VERSION_WITH_KEYS;
    struct kw_find_coordinator_response_coordinator found = {
        .node_id = response->node_id,
        .host = response->host,
        .port = response->port,
        .error_code = response->error_code,
        .error_message = response->error_message,
    };
    struct kp_failure failure;
    enum kw_error error;

    if (has_list && response->coordinators.count != 1) {
        kp_failure_throw(&failure, "IllegalStateException",
                         "Group coordinator lookup failed: Invalid response containing more than a single "
                         "coordinator");
        fatal(manager, request, KW_ERROR_ILLEGAL_STATE, &failure);
        return;
    }
    if (has_list) {
        found = response->coordinators.items[0];
    }
    error = kw_error_from_code(found.error_code);
    if (error == KW_ERROR_NONE) {
        char *host = kp_copy_text(manager->allocator, found.host.data, (size_t)found.host.length_bytes);

        KB_ASSERT(host != NULL);
        kp_release_text(manager->allocator, coordinator->host);
        *coordinator = (struct kp_coordinator){
            .is_known = true, .id = found.node_id, .host = host, .port = (uint16_t)found.port};
        finish(manager, request);
    } else if (error == KW_ERROR_COORDINATOR_NOT_AVAILABLE) {
        reenqueue(manager, request);
    } else if (error == KW_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED) {
        fatal_error(manager, request, error);
    } else if (error == KW_ERROR_GROUP_AUTHORIZATION_FAILED) {
        abortable_group_authorization(manager, request);
    } else {
        bool has_message = found.error_message.length_bytes >= 0;

        kp_failure_throwf(
            &failure, "KafkaException",
            "Could not find a coordinator with type %s with key %s due to unexpected error: %.*s",
            request->wanted_type == KP_COORDINATOR_TRANSACTION ? "TRANSACTION" : "GROUP", request->key,
            has_message ? (int)found.error_message.length_bytes : 4,
            has_message ? found.error_message.data : "null");
        fatal(manager, request, KW_ERROR_KAFKA, &failure);
    }
}

/* The partitions of the answer: those it names, or all that were asked for. */
static void add_answered(struct kp_transaction_manager *manager,
                         const struct kw_add_partitions_to_txn_response *response,
                         enum kp_txn_membership membership)
{
    for (int32_t t = 0; t < response->results.count; t++) {
        const struct kw_add_partitions_to_txn_response_topic *topic = &response->results.items[t];
        const struct kp_topic *known =
            topic->name.length_bytes > 0
                ? kp_topics_find(manager->options.topics, topic->name.data, (size_t)topic->name.length_bytes)
                : NULL;

        for (int32_t p = 0; known != NULL && p < topic->results.count; p++) {
            const struct kp_topic_partition *partition =
                kp_topics_partition(manager->options.topics, known, topic->results.items[p].partition_index);
            struct kp_sequence_entry *entry = partition != NULL ? kp_txn_entry(manager, partition) : NULL;

            if (entry != NULL && (membership == KP_TXN_ADDED || entry->membership == KP_TXN_PENDING)) {
                kp_txn_set_membership(manager, entry, membership);
            }
        }
    }
}

/* What one partition's error means for the whole; true when the request is dealt with. */
static bool handle_partition_error(struct kp_transaction_manager *manager, struct kp_txn_request *request,
                                   enum kw_error error)
{
    struct kp_failure failure;

    if (is_coordinator_lost(error)) {
        look_up_and_reenqueue(manager, request);
    } else if (error == KW_ERROR_CONCURRENT_TRANSACTIONS) {
        enum { ADD_PARTITIONS_RETRY_BACKOFF_MS = 20 };

        if (manager->membership_counts[KP_TXN_ADDED] == 0) {
            request->retry_backoff_ms = ADD_PARTITIONS_RETRY_BACKOFF_MS;
        }
        reenqueue(manager, request);
    } else if (error == KW_ERROR_COORDINATOR_LOAD_IN_PROGRESS ||
               error == KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION) {
        reenqueue(manager, request);
    } else if (is_fenced(error)) {
        fatal_error(manager, request, KW_ERROR_PRODUCER_FENCED);
    } else if (error == KW_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED) {
        fatal_error(manager, request, error);
    } else if (error == KW_ERROR_INVALID_TXN_STATE) {
        /* new KafkaException(cause): its message is the cause's toString(), with the package. */
        set_error(&failure, error);
        kp_failure_wrapf(&failure, "KafkaException", "org.apache.kafka.common.errors.%s: %s",
                         kw_error_exception(error), kw_error_message(error));
        fatal(manager, request, KW_ERROR_KAFKA, &failure);
    } else if (error == KW_ERROR_UNKNOWN_PRODUCER_ID || error == KW_ERROR_INVALID_PRODUCER_ID_MAPPING) {
        abortable_if_possible(manager, request, error);
    } else {
        return false;
    }
    return true;
}

/* Append to a text of a fixed size; what does not fit is cut. */
static void append_text(char *text, size_t capacity_bytes, const char *more, size_t length_bytes)
{
    size_t used = strlen(text);

    if (length_bytes > capacity_bytes - 1 - used) {
        length_bytes = capacity_bytes - 1 - used;
    }
    memcpy(text + used, more, length_bytes);
    text[used + length_bytes] = '\0';
}

/* "{t-0=NONE, t-1=OPERATION_NOT_ATTEMPTED}", as Java prints its map; in the order of the answer. */
static void print_errors(const struct kw_add_partitions_to_txn_response *response, char *text,
                         size_t capacity_bytes)
{
    const char *separator = "{";

    for (int32_t t = 0; t < response->results.count; t++) {
        const struct kw_add_partitions_to_txn_response_topic *topic = &response->results.items[t];

        for (int32_t p = 0; p < topic->results.count; p++) {
            char rest[64];
            int length = snprintf(rest, sizeof(rest), "-%d=%s", topic->results.items[p].partition_index,
                                  kw_error_name(kw_error_from_code(topic->results.items[p].error_code)));

            append_text(text, capacity_bytes, separator, strlen(separator));
            append_text(text, capacity_bytes, topic->name.data, (size_t)topic->name.length_bytes);
            append_text(text, capacity_bytes, rest,
                        (size_t)length < sizeof(rest) ? (size_t)length : sizeof(rest) - 1);
            separator = ", ";
        }
    }
    append_text(text, capacity_bytes, "}", 1);
}

/* The topics that the producer may not write to, "t, u". */
static void list_unauthorized(const struct kw_add_partitions_to_txn_response *response, char *text,
                              size_t capacity_bytes)
{
    for (int32_t t = 0; t < response->results.count; t++) {
        const struct kw_add_partitions_to_txn_response_topic *topic = &response->results.items[t];
        bool is_unauthorized = false;

        for (int32_t p = 0; p < topic->results.count; p++) {
            is_unauthorized |= topic->results.items[p].error_code == KW_ERROR_TOPIC_AUTHORIZATION_FAILED;
        }
        if (!is_unauthorized) {
            continue;
        }
        if (text[0] != '\0') {
            append_text(text, capacity_bytes, ", ", 2);
        }
        append_text(text, capacity_bytes, topic->name.data, (size_t)topic->name.length_bytes);
    }
}

static void handle_add_partitions(struct kp_transaction_manager *manager, struct kp_txn_request *request,
                                  const struct kw_add_partitions_to_txn_response *response)
{
    bool has_errors = false;
    bool is_unauthorized = false;
    char text[KP_FAILURE_MESSAGE_BYTES] = "";
    struct kp_failure failure;

    request->retry_backoff_ms = manager->options.retry_backoff_ms;
    for (int32_t t = 0; t < response->results.count; t++) {
        const struct kw_add_partitions_to_txn_response_topic *topic = &response->results.items[t];

        for (int32_t p = 0; p < topic->results.count; p++) {
            enum kw_error error = kw_error_from_code(topic->results.items[p].error_code);

            if (error == KW_ERROR_NONE) {
                continue;
            }
            if (error == KW_ERROR_TOPIC_AUTHORIZATION_FAILED) {
                is_unauthorized = true;
            } else if (handle_partition_error(manager, request, error)) {
                return;
            } else {
                has_errors = true;
            }
        }
    }
    add_answered(manager, response, KP_TXN_NOT_IN);
    if (is_unauthorized) {
        list_unauthorized(response, text, sizeof(text));
        kp_failure_throwf(&failure, "TopicAuthorizationException", "Not authorized to access topics: [%s]",
                          text);
        abortable(manager, request, KW_ERROR_TOPIC_AUTHORIZATION_FAILED, &failure);
    } else if (has_errors) {
        print_errors(response, text, sizeof(text));
        kp_failure_throwf(&failure, "KafkaException",
                          "Could not add partitions to transaction due to errors: %s", text);
        abortable(manager, request, KW_ERROR_KAFKA, &failure);
    } else {
        add_answered(manager, response, KP_TXN_ADDED);
        manager->is_transaction_started = true;
        finish(manager, request);
    }
}

/* The offsets join those that are pending; one request carries them all. Kafka: txnOffsetCommitHandler. */
static void enqueue_offset_commit(struct kp_transaction_manager *manager,
                                  const struct kp_txn_request *add_offsets)
{
    struct kp_txn_request *commit = kp_txn_make_request(manager, KP_TXN_OFFSET_COMMIT, add_offsets->result);
    bool is_copied = commit != NULL;

    for (uint32_t i = 0; i < add_offsets->count && is_copied; i++) {
        const struct kp_txn_offset *offset = &add_offsets->offsets[i];
        struct kp_sequence_entry *entry = kp_txn_entry(manager, offset->partition);

        is_copied =
            entry != NULL && kp_txn_copy_offset(manager, &entry->pending_offset, offset->partition,
                                                offset->offset, offset->leader_epoch, offset->metadata);
        if (is_copied && !entry->has_pending_offset) {
            manager->pending_offset_count++;
        }
        if (is_copied) {
            entry->has_pending_offset = true;
        }
    }
    KB_ASSERT(is_copied);
    commit->identity = manager->identity;
    commit->key = kp_copy_text(manager->allocator, add_offsets->key, strlen(add_offsets->key));
    commit->offsets = kb_allocate_zeroed(manager->allocator, (size_t)manager->pending_offset_count + 1,
                                         sizeof(*commit->offsets));
    KB_ASSERT(commit->key != NULL && commit->offsets != NULL);
    for (uint32_t i = 0; i < manager->entry_capacity && commit->count < manager->pending_offset_count; i++) {
        const struct kp_txn_offset *offset = &manager->entries[i].pending_offset;

        if (manager->entries[i].has_pending_offset) {
            KB_ASSERT(kp_txn_copy_offset(manager, &commit->offsets[commit->count++], offset->partition,
                                         offset->offset, offset->leader_epoch, offset->metadata));
        }
    }
    /* The array was made for that many and one more: so it is given back. */
    KB_ASSERT(commit->count == manager->pending_offset_count);
    kp_txn_enqueue(manager, commit);
}

static void handle_add_offsets(struct kp_transaction_manager *manager, struct kp_txn_request *request,
                               const struct kw_add_offsets_to_txn_response *response)
{
    enum kw_error error = kw_error_from_code(response->error_code);

    if (error == KW_ERROR_NONE) {
        enqueue_offset_commit(manager, request);
        manager->is_transaction_started = true;
        kp_txn_free_request(manager, request);
    } else if (is_coordinator_lost(error)) {
        look_up_and_reenqueue(manager, request);
    } else if (error == KW_ERROR_COORDINATOR_LOAD_IN_PROGRESS || error == KW_ERROR_CONCURRENT_TRANSACTIONS) {
        reenqueue(manager, request);
    } else if (error == KW_ERROR_UNKNOWN_PRODUCER_ID || error == KW_ERROR_INVALID_PRODUCER_ID_MAPPING) {
        abortable_if_possible(manager, request, error);
    } else if (is_fenced(error)) {
        fatal_error(manager, request, KW_ERROR_PRODUCER_FENCED);
    } else if (error == KW_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED) {
        fatal_error(manager, request, error);
    } else if (error == KW_ERROR_GROUP_AUTHORIZATION_FAILED) {
        abortable_group_authorization(manager, request);
    } else {
        fatal_unexpected(manager, request, "Unexpected error in AddOffsetsToTxnResponse: ", error);
    }
}

static void handle_end_txn(struct kp_transaction_manager *manager, struct kp_txn_request *request,
                           const struct kw_end_txn_response *response)
{
    enum kw_error error = kw_error_from_code(response->error_code);

    if (error == KW_ERROR_NONE) {
        kp_txn_complete_transaction(manager);
        finish(manager, request);
    } else if (is_coordinator_lost(error)) {
        look_up_and_reenqueue(manager, request);
    } else if (error == KW_ERROR_COORDINATOR_LOAD_IN_PROGRESS || error == KW_ERROR_CONCURRENT_TRANSACTIONS) {
        reenqueue(manager, request);
    } else if (is_fenced(error)) {
        fatal_error(manager, request, KW_ERROR_PRODUCER_FENCED);
    } else if (error == KW_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED ||
               error == KW_ERROR_INVALID_TXN_STATE) {
        fatal_error(manager, request, error);
    } else if (error == KW_ERROR_UNKNOWN_PRODUCER_ID || error == KW_ERROR_INVALID_PRODUCER_ID_MAPPING) {
        abortable_if_possible(manager, request, error);
    } else {
        fatal_unexpected(manager, request, "Unhandled error in EndTxnResponse: ", error);
    }
}

static void forget_pending_offset(struct kp_transaction_manager *manager, struct kp_sequence_entry *entry)
{
    if (!entry->has_pending_offset) {
        return;
    }
    entry->has_pending_offset = false;
    manager->pending_offset_count--;
}

/* One partition of a TxnOffsetCommit response; true when the others do not matter any more. The result is
 * told, the request stays. */
static bool handle_offset_error(struct kp_transaction_manager *manager, struct kp_txn_request *request,
                                enum kw_error error, bool *is_coordinator_looked_up)
{
    struct kp_failure failure;
    bool is_fatal = error == KW_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED || is_fenced(error) ||
                    error == KW_ERROR_UNSUPPORTED_FOR_MESSAGE_FORMAT;

    if (is_coordinator_lost(error) || error == KW_ERROR_REQUEST_TIMED_OUT) {
        if (!*is_coordinator_looked_up) {
            kp_txn_lookup_coordinator(manager, KP_COORDINATOR_GROUP, request->key);
        }
        *is_coordinator_looked_up = true;
        return false;
    }
    if (error == KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION || error == KW_ERROR_COORDINATOR_LOAD_IN_PROGRESS) {
        return false;
    }
    set_error(&failure, error);
    if (error == KW_ERROR_GROUP_AUTHORIZATION_FAILED) {
        kp_failure_throwf(&failure, "GroupAuthorizationException", "Not authorized to access group: %s",
                          request->key);
    } else if (error == KW_ERROR_UNKNOWN_MEMBER_ID || error == KW_ERROR_ILLEGAL_GENERATION) {
        kp_failure_throwf(&failure, "CommitFailedException",
                          "Transaction offset Commit failed due to consumer group metadata mismatch: %s",
                          kw_error_message(error));
    } else if (error != KW_ERROR_FENCED_INSTANCE_ID && !is_fatal) {
        kp_failure_throwf(&failure, "KafkaException", "Unexpected error in TxnOffsetCommitResponse: %s",
                          kw_error_message(error));
    }
    kp_txn_result_fail(manager, request->result, &failure);
    if (error == KW_ERROR_GROUP_AUTHORIZATION_FAILED || error == KW_ERROR_FENCED_INSTANCE_ID ||
        error == KW_ERROR_UNKNOWN_MEMBER_ID || error == KW_ERROR_ILLEGAL_GENERATION) {
        (void)kp_txn_transition_to_abortable_error(manager, error, &failure);
    } else {
        kp_txn_transition_to_fatal_error(manager, is_fatal ? error : KW_ERROR_KAFKA, &failure);
    }
    return true;
}

static void handle_offset_commit(struct kp_transaction_manager *manager, struct kp_txn_request *request,
                                 const struct kw_txn_offset_commit_response *response)
{
    bool is_looked_up = false;
    bool is_over = false;

    for (int32_t t = 0; t < response->topics.count && !is_over; t++) {
        const struct kw_txn_offset_commit_response_topic *topic = &response->topics.items[t];
        const struct kp_topic *known =
            topic->name.length_bytes > 0
                ? kp_topics_find(manager->options.topics, topic->name.data, (size_t)topic->name.length_bytes)
                : NULL;

        for (int32_t p = 0; known != NULL && p < topic->partitions.count && !is_over; p++) {
            enum kw_error error = kw_error_from_code(topic->partitions.items[p].error_code);
            const struct kp_topic_partition *partition = kp_topics_partition(
                manager->options.topics, known, topic->partitions.items[p].partition_index);
            struct kp_sequence_entry *entry = partition != NULL ? kp_txn_entry(manager, partition) : NULL;

            if (error == KW_ERROR_NONE && entry != NULL) {
                forget_pending_offset(manager, entry);
            } else if (error != KW_ERROR_NONE) {
                is_over = handle_offset_error(manager, request, error, &is_looked_up);
            }
        }
    }
    if (request->result->is_completed) {
        for (uint32_t i = 0; i < manager->entry_capacity && manager->pending_offset_count > 0; i++) {
            forget_pending_offset(manager, &manager->entries[i]);
        }
        kp_txn_free_request(manager, request);
    } else if (manager->pending_offset_count == 0) {
        finish(manager, request);
    } else {
        reenqueue(manager, request);
    }
}

/* --- All of them */

static void handle_response(struct kp_transaction_manager *manager, struct kp_txn_request *request,
                            const struct kp_client_response *response)
{
    switch (request->kind) {
    case KP_TXN_FIND_COORDINATOR:
        handle_find_coordinator(manager, request, response->body, response->api_version);
        break;
    case KP_TXN_INIT_PRODUCER_ID:
        handle_init_producer_id(manager, request, response->body);
        break;
    case KP_TXN_ADD_PARTITIONS:
        handle_add_partitions(manager, request, response->body);
        break;
    case KP_TXN_ADD_OFFSETS:
        handle_add_offsets(manager, request, response->body);
        break;
    case KP_TXN_OFFSET_COMMIT:
        handle_offset_commit(manager, request, response->body);
        break;
    case KP_TXN_END:
        handle_end_txn(manager, request, response->body);
        break;
    }
}

void kp_txn_on_complete(void *context, void *subject, const struct kp_client_response *response)
{
    struct kp_transaction_manager *manager = context;
    struct kp_txn_request *request = subject;

    KB_ASSERT(manager->in_flight == request);
    manager->in_flight = NULL;
    manager->change_count++;
    if (response->was_disconnected) {
        if (kp_txn_coordinator_type(manager, request) != KP_COORDINATOR_NONE) {
            kp_transaction_manager_lookup_for(manager, request);
        }
        reenqueue(manager, request);
    } else if (response->is_version_mismatch) {
        struct kp_failure failure;

        kp_failure_throw(&failure, "UnsupportedVersionException", response->version_mismatch);
        fatal(manager, request, KW_ERROR_UNSUPPORTED_VERSION, &failure);
    } else {
        handle_response(manager, request, response);
    }
}
