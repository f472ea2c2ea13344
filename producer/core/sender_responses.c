/*
 * What becomes of the batches of a produce request. Kafka: Sender.handleProduceResponse, completeBatch,
 * failBatch, canRetry, reenqueueBatch.
 */
#include "base/assert.h"
#include "core/memory.h"
#include "core/sender_internal.h"

#include <stdio.h>
#include <string.h>

/* The exception of an error with the broker's message, or its own. Kafka: Errors.exception(message). */
static void error_to_failure(struct kp_failure *failure, enum kw_error error, struct kw_string message)
{
    if (message.length_bytes >= 0) {
        kp_failure_throwf(failure, kw_error_exception(error), "%.*s", (int)message.length_bytes,
                          message.data);
    } else {
        kp_failure_throw(failure, kw_error_exception(error), kw_error_message(error));
    }
}

/* Kafka: failBatch(batch, exception, recordExceptions, adjustSequenceNumbers). */
static bool fail(struct kp_sender *sender, struct kp_producer_batch *batch, enum kw_error error,
                 const struct kp_failure *failure, const struct kp_record_failure *record_failures,
                 uint32_t record_failure_count, bool adjusts_sequences)
{
    struct kp_transaction_manager *manager = sender->options.transaction_manager;

    if (manager != NULL &&
        !kp_transaction_manager_handle_failed_batch(manager, batch, error, failure, adjusts_sequences)) {
        return false;
    }
    kp_producer_metrics_record_errors(sender->options.metrics, batch->partition->topic, batch->record_count,
                                      sender->last_pass_ms);
    if (kp_producer_batch_complete_exceptionally(
            batch, kp_record_accumulator_completions(sender->options.accumulator), error, failure,
            record_failures, record_failure_count)) {
        kp_sender_remove_and_deallocate(sender, batch);
    }
    return true;
}

bool kp_sender_fail_batch(struct kp_sender *sender, struct kp_producer_batch *batch, enum kw_error error,
                          const struct kp_failure *failure, bool adjusts_sequences)
{
    return fail(sender, batch, error, failure, NULL, 0, adjusts_sequences);
}

/* The failures of single records; NULL when there are none (or no memory for them). */
static struct kp_record_failure *make_record_failures(struct kp_sender *sender,
                                                      const struct kp_partition_response *response)
{
    struct kp_record_failure *failures;
    bool is_only_one = response->record_error_count == 1;

    if (response->record_error_count <= 0) {
        return NULL;
    }
    kb_arena_reset(&sender->arena);
    failures =
        kb_arena_allocate_zeroed(&sender->arena, (size_t)response->record_error_count, sizeof(*failures));
    for (int32_t i = 0; i < response->record_error_count && failures != NULL; i++) {
        const struct kw_produce_response_record_error *said = &response->record_errors[i];
        struct kw_string message = said->batch_index_error_message;

        if (message.length_bytes < 0) {
            message = response->error_message;
        }
        failures[i].batch_index = said->batch_index;
        failures[i].exception = is_only_one ? kw_error_exception(response->error) : "InvalidRecordException";
        failures[i].message = message.length_bytes < 0
                                  ? kw_error_message(response->error)
                                  : kb_arena_copy(&sender->arena, message.data, (size_t)message.length_bytes);
    }
    return failures;
}

/* Kafka: failBatch(batch, response, adjustSequenceNumbers). */
static bool fail_with_response(struct kp_sender *sender, struct kp_producer_batch *batch,
                               const struct kp_partition_response *response, bool adjusts_sequences)
{
    struct kp_record_failure *record_failures = make_record_failures(sender, response);
    struct kp_failure failure;

    if (response->error == KW_ERROR_TOPIC_AUTHORIZATION_FAILED) {
        kp_failure_throwf(&failure, "TopicAuthorizationException", "Not authorized to access topics: [%s]",
                          batch->partition->topic->name);
    } else if (response->error == KW_ERROR_CLUSTER_AUTHORIZATION_FAILED) {
        kp_failure_throw(&failure, "ClusterAuthorizationException",
                         "The producer is not authorized to do idempotent sends");
    } else {
        error_to_failure(&failure, response->error, response->error_message);
    }
    return fail(sender, batch, response->error, &failure, record_failures,
                record_failures != NULL ? (uint32_t)response->record_error_count : 0, adjusts_sequences);
}

static bool can_retry(struct kp_sender *sender, const struct kp_producer_batch *batch,
                      const struct kp_partition_response *response, int64_t now_ms)
{
    struct kp_transaction_manager *manager = sender->options.transaction_manager;

    if (kp_producer_batch_has_reached_delivery_timeout(batch, sender->options.delivery_timeout_ms, now_ms) ||
        batch->attempts >= sender->options.retries || kp_producer_batch_is_done(batch)) {
        return false;
    }
    return manager != NULL ? kp_transaction_manager_can_retry(manager, response, batch)
                           : kw_error_is_retriable(response->error);
}

/* Kafka: completeBatch(batch, response). */
static void succeed(struct kp_sender *sender, struct kp_producer_batch *batch,
                    const struct kp_partition_response *response)
{
    struct kp_transaction_manager *manager = sender->options.transaction_manager;

    if (manager != NULL) {
        kp_transaction_manager_handle_completed_batch(manager, batch, response);
    }
    if (kp_producer_batch_complete(batch, kp_record_accumulator_completions(sender->options.accumulator),
                                   response->base_offset, response->log_append_time_ms)) {
        kp_sender_remove_and_deallocate(sender, batch);
    }
}

/* A batch that the broker finds too large goes on as several. */
static bool split(struct kp_sender *sender, struct kp_producer_batch *batch)
{
    struct kp_transaction_manager *manager = sender->options.transaction_manager;

    if (manager != NULL) {
        kp_transaction_manager_remove_in_flight_batch(manager, batch);
    }
    if (kp_record_accumulator_split_and_reenqueue(sender->options.accumulator, batch) == 0) {
        return false;
    }
    kp_sender_remove_and_deallocate(sender, batch);
    kp_producer_metrics_record(sender->options.metrics, KP_SENSOR_BATCH_SPLIT, 1, sender->last_pass_ms);
    sender->change_count++;
    return true;
}

/* Kafka: completeBatch(batch, response, correlationId, now). False: Java throws out of it. */
static bool complete(struct kp_sender *sender, struct kp_producer_batch *batch,
                     const struct kp_partition_response *response, int64_t now_ms)
{
    enum kw_error error = response->error;

    if (error == KW_ERROR_MESSAGE_TOO_LARGE && batch->record_count > 1 && !kp_producer_batch_is_done(batch) &&
        split(sender, batch)) {
        /* Its parts are queued. */
    } else if (error != KW_ERROR_NONE) {
        if (can_retry(sender, batch, response, now_ms)) {
            kp_record_accumulator_reenqueue(sender->options.accumulator, batch, error, now_ms);
            kp_sender_remove_in_flight(sender, batch);
            kp_producer_metrics_record_retries(sender->options.metrics, batch->partition->topic,
                                               batch->record_count, now_ms);
            sender->change_count++;
        } else if (error == KW_ERROR_DUPLICATE_SEQUENCE_NUMBER) {
            succeed(sender, batch, response);
        } else if (!fail_with_response(sender, batch, response, batch->attempts < sender->options.retries)) {
            return false;
        }
        if (kw_error_refreshes_metadata(error)) {
            (void)kp_producer_metadata_request_update(sender->options.metadata, KB_METADATA_WHY_ERROR);
        }
    } else {
        succeed(sender, batch, response);
    }
    if (sender->options.guarantees_message_order) {
        kp_record_accumulator_unmute_partition(sender->options.accumulator, batch->partition);
    }
    return true;
}

static void complete_all(struct kp_sender *sender, struct kp_produce_request *request,
                         const struct kp_partition_response *response, int64_t now_ms)
{
    for (uint32_t i = 0; i < request->count; i++) {
        if (!complete(sender, request->carried[i].batch, response, now_ms)) {
            return;
        }
    }
}

/* The batch of the request for a partition that the response names; each is answered once. Brokers answer in
 * the order of the request, so the search begins where the last one ended. */
static struct kp_producer_batch *find_carried(struct kp_produce_request *request, struct kw_string topic,
                                              int32_t partition, uint32_t *cursor)
{
    for (uint32_t n = 0; n < request->count; n++) {
        uint32_t i = (*cursor + n) % request->count;
        struct kp_carried_batch *carried = &request->carried[i];
        const struct kp_topic *name = carried->batch->partition->topic;

        if (carried->is_answered || carried->batch->partition->partition != partition ||
            topic.length_bytes < 0 || name->name_length_bytes != (size_t)topic.length_bytes ||
            memcmp(name->name, topic.data, name->name_length_bytes) != 0) {
            continue;
        }
        carried->is_answered = true;
        *cursor = i + 1;
        return carried->batch;
    }
    return NULL;
}

/* False: Java throws out of it. */
static bool complete_named(struct kp_sender *sender, struct kp_produce_request *request,
                           const struct kw_produce_response *body, int64_t now_ms)
{
    uint32_t cursor = 0;

    for (int32_t t = 0; t < body->responses.count; t++) {
        const struct kw_produce_response_topic *topic = &body->responses.items[t];

        for (int32_t p = 0; p < topic->partition_responses.count; p++) {
            const struct kw_produce_response_partition *said = &topic->partition_responses.items[p];
            struct kp_producer_batch *batch = find_carried(request, topic->name, said->index, &cursor);
            struct kp_partition_response response = {
                .error = kw_error_from_code(said->error_code),
                .base_offset = said->base_offset,
                .log_append_time_ms = said->log_append_time_ms,
                .log_start_offset = said->log_start_offset,
                .error_message = said->error_message,
                .record_errors = said->record_errors.items,
                .record_error_count = said->record_errors.count,
            };

            /* A partition that nobody asked about ends Java's handling, too. */
            if (batch == NULL || !complete(sender, batch, &response, now_ms)) {
                return false;
            }
        }
    }
    return true;
}

void kp_sender_on_produce_response(void *context, void *subject, const struct kp_client_response *response)
{
    struct kp_sender *sender = context;
    struct kp_produce_request *request = subject;
    struct kp_partition_response all = {
        .error = KW_ERROR_NONE,
        .base_offset = -1,
        .log_append_time_ms = -1,
        .log_start_offset = -1,
        .error_message = {NULL, -1},
    };
    char message[64];

    if (response->was_disconnected) {
        (void)snprintf(message, sizeof(message), "Disconnected from node %d", response->node);
        all.error = KW_ERROR_NETWORK_EXCEPTION;
        all.error_message = (struct kw_string){message, (int32_t)strlen(message)};
        complete_all(sender, request, &all, response->now_ms);
    } else if (response->is_version_mismatch) {
        all.error = KW_ERROR_UNSUPPORTED_VERSION;
        complete_all(sender, request, &all, response->now_ms);
    } else if (response->body != NULL) {
        if (complete_named(sender, request, response->body, response->now_ms)) {
            kp_producer_metrics_record_latency(sender->options.metrics, response->node,
                                               response->now_ms - response->sent_ms, response->now_ms);
        }
    } else {
        complete_all(sender, request, &all, response->now_ms);
    }
}
