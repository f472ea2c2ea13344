/*
 * The part of runOnce that looks after the producer id and the transaction, and that in Java waits for a
 * broker or sleeps. Kafka: Sender.maybeSendAndPollTransactionalRequest, NetworkClientUtils.awaitReady.
 */
#include "base/assert.h"
#include "core/memory.h"
#include "core/sender_internal.h"

#include <string.h>

/* Every way out of the waiting ends the business with the request. */
static struct kp_txn_request *take_request(struct kp_sender *sender)
{
    struct kp_txn_request *request = sender->request;

    sender->request = NULL;
    sender->step = KP_STEP_RUN;
    return request;
}

/* Kafka: maybeFindCoordinatorAndRetry. */
static enum kp_sender_next find_coordinator_and_retry(struct kp_sender *sender, int64_t now_ms)
{
    struct kp_transaction_manager *manager = sender->options.transaction_manager;

    if (kp_txn_coordinator_type(manager, sender->request) != KP_COORDINATOR_NONE) {
        struct kp_txn_request *request = take_request(sender);

        kp_transaction_manager_lookup_for(manager, request);
        kp_transaction_manager_retry(manager, request);
        return KP_NEXT_AGAIN;
    }
    sender->step = KP_STEP_SLEEP_TO_RETRY;
    sender->until_ms = now_ms + sender->options.retry_backoff_ms;
    sender->change_count++;
    return KP_NEXT_SLEEP;
}

/* The node is ready: the request goes out. */
static enum kp_sender_next send_request(struct kp_sender *sender, int64_t now_ms)
{
    struct kp_transaction_manager *manager = sender->options.transaction_manager;
    struct kp_network_client *client = sender->options.client;
    struct kp_txn_request *request = take_request(sender);
    int16_t max_version = kp_network_client_max_version(client, sender->target.id, kp_txn_api_key(request));
    struct kp_client_request message;

    kb_arena_reset(&sender->arena);
    if (!kp_transaction_manager_fill(manager, request, max_version, &sender->arena, &message)) {
        kp_transaction_manager_retry(manager, request); /* no memory now */
        return kp_sender_begin_poll(sender, sender->options.retry_backoff_ms, now_ms);
    }
    message.node = sender->target.id;
    message.request_timeout_ms = sender->options.request_timeout_ms;
    kp_transaction_manager_sent(manager, request);
    (void)kp_network_client_send(client, &message, now_ms);
    return kp_sender_begin_poll(sender, sender->options.retry_backoff_ms, now_ms);
}

static enum kp_sender_next node_is_ready(struct kp_sender *sender, int64_t now_ms)
{
    struct kp_transaction_manager *manager = sender->options.transaction_manager;

    if (sender->coordinator_type == KP_COORDINATOR_TRANSACTION) {
        kp_transaction_manager_handle_coordinator_ready(
            manager, kp_network_client_max_version(sender->options.client, sender->target.id,
                                                   KW_API_INIT_PRODUCER_ID));
    }
    if (sender->request->is_retry) {
        sender->step = KP_STEP_SLEEP_TO_SEND;
        sender->until_ms = now_ms + kp_txn_retry_backoff_ms(manager, sender->request);
        sender->change_count++;
        if (sender->until_ms > now_ms) {
            return KP_NEXT_SLEEP;
        }
    }
    return send_request(sender, now_ms);
}

/* The loop of awaitReady, from its condition on. */
static enum kp_sender_next await_on(struct kp_sender *sender, int64_t now_ms)
{
    for (;;) {
        bool is_ready = kp_network_client_is_ready(sender->options.client, sender->target.id, now_ms);

        if (is_ready) {
            return node_is_ready(sender, now_ms);
        }
        if (now_ms >= sender->await_expiry_ms ||
            kp_network_client_connection_failed(sender->options.client, sender->target.id)) {
            return find_coordinator_and_retry(sender, now_ms);
        }
        sender->step = KP_STEP_AWAIT_POLL;
        if (kp_sender_begin_poll(sender, sender->await_expiry_ms - now_ms, now_ms) == KP_NEXT_POLL) {
            return KP_NEXT_POLL;
        }
    }
}

static enum kp_sender_next after_first_poll(struct kp_sender *sender, int64_t now_ms)
{
    if (kp_network_client_is_ready(sender->options.client, sender->target.id, now_ms) ||
        kp_network_client_ready(sender->options.client, &sender->target, now_ms)) {
        return node_is_ready(sender, now_ms);
    }
    return await_on(sender, now_ms);
}

enum kp_sender_next kp_sender_go_on(struct kp_sender *sender, int64_t now_ms)
{
    switch (sender->step) {
    case KP_STEP_RUN:
        break;
    case KP_STEP_FIRST_POLL:
        return after_first_poll(sender, now_ms);
    case KP_STEP_AWAIT_POLL:
        return await_on(sender, now_ms);
    case KP_STEP_SLEEP_TO_SEND:
        sender->change_count++;
        return send_request(sender, now_ms);
    case KP_STEP_SLEEP_TO_RETRY:
        sender->change_count++;
        (void)kp_producer_metadata_request_update(sender->options.metadata, KB_METADATA_WHY_DISCONNECTED);
        kp_transaction_manager_retry(sender->options.transaction_manager, take_request(sender));
        return KP_NEXT_AGAIN;
    }
    KB_UNREACHABLE();
}

/* A copy: what the metadata says of nodes lives only until its next update. */
static bool set_target(struct kp_sender *sender, int32_t id, const char *host, uint16_t port)
{
    char *copy = kp_copy_text(sender->options.allocator, host, strlen(host));

    if (copy == NULL) {
        return false;
    }
    kp_release_text(sender->options.allocator, sender->target_host);
    sender->target_host = copy;
    sender->target = (struct kp_node){.id = id, .host = copy, .port = port};
    return true;
}

/* Kafka: awaitNodeReady, which begins with a poll that does not wait. */
static enum kp_sender_next await_node(struct kp_sender *sender, int64_t now_ms)
{
    sender->await_expiry_ms = now_ms + sender->options.request_timeout_ms;
    sender->step = KP_STEP_FIRST_POLL;
    if (kp_sender_begin_poll(sender, 0, now_ms) == KP_NEXT_POLL) {
        return KP_NEXT_POLL;
    }
    return after_first_poll(sender, now_ms);
}

/* Kafka: maybeSendAndPollTransactionalRequest. */
static enum kp_sender_next maybe_send(struct kp_sender *sender, int64_t now_ms)
{
    struct kp_transaction_manager *manager = sender->options.transaction_manager;
    struct kp_record_accumulator *accumulator = sender->options.accumulator;
    bool is_found;

    if (kp_transaction_manager_has_in_flight_request(manager)) {
        return kp_sender_begin_poll(sender, sender->options.retry_backoff_ms, now_ms);
    }
    if ((kp_transaction_manager_has_abortable_error(manager) ||
         kp_transaction_manager_is_aborting(manager)) &&
        kp_record_accumulator_has_incomplete(accumulator)) {
        enum kw_error code;
        const struct kp_failure *last = kp_transaction_manager_last_error(manager, &code);
        struct kp_failure failure;

        if (last == NULL) {
            code = KW_ERROR_TRANSACTION_ABORTED;
            kp_failure_throw(&failure, kw_error_exception(code), kw_error_message(code));
        } else {
            failure = *last;
        }
        kp_record_accumulator_abort_undrained(accumulator, code, &failure);
    }
    sender->request =
        kp_transaction_manager_next_request(manager, kp_record_accumulator_has_incomplete(accumulator));
    if (sender->request == NULL) {
        return KP_NEXT_GO_ON;
    }
    sender->coordinator_type = kp_txn_coordinator_type(manager, sender->request);
    if (sender->coordinator_type == KP_COORDINATOR_NONE) {
        const struct kp_node *node = kp_network_client_least_loaded_node(sender->options.client, now_ms);

        is_found = node != NULL && set_target(sender, node->id, node->host, node->port);
        if (!is_found) {
            kp_transaction_manager_retry(manager, take_request(sender));
            return kp_sender_begin_poll(sender, sender->options.retry_backoff_ms, now_ms);
        }
    } else {
        const struct kp_coordinator *node =
            kp_transaction_manager_coordinator(manager, sender->coordinator_type);

        is_found = node != NULL && set_target(sender, node->id, node->host, node->port);
    }
    return is_found ? await_node(sender, now_ms) : find_coordinator_and_retry(sender, now_ms);
}

enum kp_sender_next kp_sender_run_transactions(struct kp_sender *sender, int64_t now_ms)
{
    struct kp_transaction_manager *manager = sender->options.transaction_manager;
    enum kp_sender_next next;

    kp_transaction_manager_maybe_resolve_sequences(manager);
    if (kp_transaction_manager_has_fatal_error(manager)) {
        enum kw_error code;
        const struct kp_failure *last = kp_transaction_manager_last_error(manager, &code);

        if (last != NULL && kp_record_accumulator_has_incomplete(sender->options.accumulator)) {
            kp_record_accumulator_abort_batches(sender->options.accumulator, code, last);
        }
        return kp_sender_begin_poll(sender, sender->options.retry_backoff_ms, now_ms);
    }
    kp_transaction_manager_bump_epoch_if_needed(manager);
    next = maybe_send(sender, now_ms);
    if (next == KP_NEXT_POLL && sender->trace != NULL) {
        kp_record_accumulator_note_held_all(sender->options.accumulator, KB_HELD_SENDER_BUSY, 0, now_ms);
    }
    return next;
}
