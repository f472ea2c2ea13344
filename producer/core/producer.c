#include "core/producer_internal.h"

#include "base/allocator.h"
#include "base/arena.h"
#include "base/assert.h"
#include "wire/cursor.h"
#include "wire/message_structs.h"

enum { METADATA_VERSION = 11, METADATA_ARENA_BLOCK_BYTES = 4096 };

/* --- Construction */

static bool fail_no_memory(struct kp_failure *failure)
{
    kp_failure_throw(failure, kw_error_exception(KW_ERROR_OUT_OF_MEMORY),
                     kw_error_message(KW_ERROR_OUT_OF_MEMORY));
    return false;
}

/* A class of the configuration that the driver should have brought, and has not. */
static bool fail_class(const char *option, const char *class_name, struct kp_failure *failure)
{
    kp_failure_throwf(failure, "ConfigException",
                      "Invalid value %s for configuration %s: Class %s could not be found.", class_name,
                      option, class_name);
    return false;
}

/* Partitioner, serializers, interceptors: what the application brings. */
static bool create_plug_ins(struct kp_producer *producer, const struct kp_producer_options *options,
                            struct kp_failure *failure)
{
    const struct kp_producer_config *config = producer->config;
    if (config->partitioner == KP_PARTITIONER_CUSTOM && options->partitioner == NULL) {
        return fail_class("partitioner.class", config->partitioner_class, failure);
    }
    if (config->key_serializer == KP_SERIALIZER_CUSTOM && options->key_serializer == NULL) {
        return fail_class("key.serializer", config->key_serializer_class, failure);
    }
    if (config->value_serializer == KP_SERIALIZER_CUSTOM && options->value_serializer == NULL) {
        return fail_class("value.serializer", config->value_serializer_class, failure);
    }
    kp_partitioner_init(&producer->partitioner, producer->allocator, producer->trace, config->partitioner,
                        options->partitioner, &options->chance);
    kp_serializer_init(&producer->key_serializer, config->key_serializer, config->key_serializer_class, "key",
                       options->key_serializer);
    kp_serializer_init(&producer->value_serializer, config->value_serializer, config->value_serializer_class,
                       "value", options->value_serializer);
    if (!kp_interceptors_init(&producer->interceptors, producer->allocator, producer->trace,
                              options->interceptors, options->interceptor_count)) {
        return fail_no_memory(failure);
    }
    return true;
}

static bool bootstrap(struct kp_producer *producer)
{
    const struct kp_producer_config *config = producer->config;
    uint32_t count = config->bootstrap_server_count;
    const char **hosts = kb_allocate_zeroed(producer->allocator, count, sizeof *hosts);
    uint16_t *ports = kb_allocate_zeroed(producer->allocator, count, sizeof *ports);
    bool is_known = false;
    if (hosts != NULL && ports != NULL) {
        for (uint32_t i = 0; i < count; i++) {
            hosts[i] = config->bootstrap_servers[i].host;
            ports[i] = config->bootstrap_servers[i].port;
        }
        is_known = kp_producer_metadata_bootstrap(producer->metadata, hosts, ports, count);
    }
    kb_deallocate(producer->allocator, hosts, count * sizeof *hosts);
    kb_deallocate(producer->allocator, ports, count * sizeof *ports);
    return is_known;
}

static bool create_records_side(struct kp_producer *producer, const struct kp_producer_options *options)
{
    const struct kp_producer_config *config = producer->config;
    producer->topics = kp_topics_create(producer->allocator, producer->trace);
    if (producer->topics == NULL) {
        return false;
    }
    if (config->is_idempotent) {
        producer->transaction_manager = kp_transaction_manager_create(
            &(struct kp_transaction_manager_options){.allocator = producer->allocator,
                                                     .trace = producer->trace,
                                                     .topics = producer->topics,
                                                     .order = options->order,
                                                     .transactional_id = config->transactional_id,
                                                     .transaction_timeout_ms = config->transaction_timeout_ms,
                                                     .retry_backoff_ms = config->retry_backoff_ms});
        if (producer->transaction_manager == NULL) {
            return false;
        }
    }
    producer->metadata = kp_producer_metadata_create(
        &(struct kp_producer_metadata_options){.allocator = producer->allocator,
                                               .trace = producer->trace,
                                               .topics = producer->topics,
                                               .order = options->order,
                                               .refresh_backoff_ms = config->retry_backoff_ms,
                                               .max_age_ms = config->metadata_max_age_ms,
                                               .max_idle_ms = config->metadata_max_idle_ms});
    if (producer->metadata == NULL || !bootstrap(producer)) {
        return false;
    }
    producer->accumulator = kp_record_accumulator_create(
        &(struct kp_record_accumulator_options){.allocator = producer->allocator,
                                                .trace = producer->trace,
                                                .metadata = producer->metadata,
                                                .transaction_manager = producer->transaction_manager,
                                                .buffer_memory_bytes = config->buffer_memory_bytes,
                                                .batch_size_bytes = config->batch_size_bytes,
                                                .compression = (enum kw_compression)config->compression,
                                                .linger_ms = config->linger_ms,
                                                .retry_backoff_ms = config->retry_backoff_ms,
                                                .delivery_timeout_ms = config->delivery_timeout_ms});
    return producer->accumulator != NULL;
}

static bool create_sender_side(struct kp_producer *producer, const struct kp_producer_options *options)
{
    const struct kp_producer_config *config = producer->config;
    producer->client = kp_network_client_create(&(struct kp_network_client_options){
        .allocator = producer->allocator,
        .trace = producer->trace,
        .metadata = producer->metadata,
        .metrics = producer->metrics,
        .chance = options->chance,
        .client_id = config->client_id,
        .max_in_flight_requests_per_connection = config->max_in_flight_requests,
        .reconnect_backoff_ms = config->reconnect_backoff_ms,
        .reconnect_backoff_max_ms = config->reconnect_backoff_max_ms,
        .connection_setup_timeout_ms = config->socket_connection_setup_timeout_ms,
        .connection_setup_timeout_max_ms = config->socket_connection_setup_timeout_max_ms,
        .connections_max_idle_ms = config->connections_max_idle_ms,
        .request_timeout_ms = config->request_timeout_ms});
    if (producer->client == NULL) {
        return false;
    }
    producer->sender = kp_sender_create(
        &(struct kp_sender_options){.allocator = producer->allocator,
                                    .trace = producer->trace,
                                    .metadata = producer->metadata,
                                    .accumulator = producer->accumulator,
                                    .client = producer->client,
                                    .transaction_manager = producer->transaction_manager,
                                    .metrics = producer->metrics,
                                    .guarantees_message_order = config->max_in_flight_requests == 1,
                                    .max_request_size_bytes = config->max_request_size_bytes,
                                    .acks = config->acks,
                                    .retries = config->retries,
                                    .request_timeout_ms = config->request_timeout_ms,
                                    .retry_backoff_ms = config->retry_backoff_ms,
                                    .delivery_timeout_ms = config->delivery_timeout_ms});
    return producer->sender != NULL;
}

bool kp_producer_create(const struct kp_producer_options *options, int64_t now_ms, struct kp_producer **out,
                        struct kp_failure *failure)
{
    *out = NULL;
    kp_failure_clear(failure);
    const struct linger_allocator *allocator =
        options->allocator != NULL ? options->allocator : kb_allocator_default();
    struct kp_producer *producer = kb_allocate_zeroed(allocator, 1, sizeof *producer);
    if (producer == NULL) {
        fail_no_memory(failure);
        kp_failure_wrap(failure, "KafkaException", "Failed to construct kafka producer");
        return false;
    }
    producer->allocator = allocator;
    producer->trace = options->trace;
    producer->config = kp_config_values(options->config);
    kb_list_init(&producer->waiting);
    bool is_created = create_plug_ins(producer, options, failure);
    producer->metrics = kp_producer_metrics_create(allocator, producer->config, now_ms);
    if (is_created && producer->metrics == NULL) {
        is_created = fail_no_memory(failure);
    }
    if (is_created && !(create_records_side(producer, options) && create_sender_side(producer, options))) {
        is_created = fail_no_memory(failure);
    }
    if (!is_created) {
        kp_producer_destroy(producer);
        kp_failure_wrap(failure, "KafkaException", "Failed to construct kafka producer");
        return false;
    }
    *out = producer;
    return true;
}

static void destroy_waiting(struct kp_producer *producer)
{
    struct kb_list_node *node;
    while ((node = kb_list_pop_front(&producer->waiting)) != NULL) {
        struct kp_waiting *waiting = KB_CONTAINER_OF(node, struct kp_waiting, node);
        if (waiting->kind == KP_WAITING_FOR_METADATA || waiting->kind == KP_WAITING_FOR_MEMORY) {
            kp_send_destroy(producer, KB_CONTAINER_OF(waiting, struct kp_send, waiting));
        } else {
            kp_call_destroy(producer, KB_CONTAINER_OF(waiting, struct kp_call, waiting));
        }
    }
    while (producer->free_sends != NULL) {
        struct kp_send *send = producer->free_sends;
        producer->free_sends = send->next_free;
        kp_send_destroy(producer, send);
    }
}

void kp_producer_destroy(struct kp_producer *producer)
{
    if (producer == NULL) {
        return;
    }
    destroy_waiting(producer);
    kp_network_client_destroy(producer->client); /* gives requests back to the sender */
    kp_sender_destroy(producer->sender);
    kp_transaction_manager_destroy(producer->transaction_manager);
    kp_record_accumulator_destroy(producer->accumulator);
    kp_producer_metadata_destroy(producer->metadata);
    kp_producer_metrics_destroy(producer->metrics);
    kp_topics_destroy(producer->topics);
    kp_interceptors_release(&producer->interceptors);
    kp_partitioner_release(&producer->partitioner);
    kb_deallocate(producer->allocator, producer, sizeof *producer);
}

/* --- Results */

bool kp_producer_next_completion(struct kp_producer *producer, struct kp_completion *out)
{
    struct kp_completion_queue *queue = kp_record_accumulator_completions(producer->accumulator);
    struct kp_producer_batch *batch = kp_completion_queue_first(queue);
    if (batch == NULL) {
        return false;
    }
    uint32_t index = queue->next_record++;
    const struct kp_record_slot *slot = &batch->slots[index];
    out->record_id = batch->record_ids[index];
    out->failed = batch->state != KP_BATCH_SUCCEEDED;
    out->metadata.topic = batch->partition->topic->name;
    out->metadata.partition = batch->partition->partition;
    if (out->failed) {
        out->metadata.offset = -1;
        out->metadata.timestamp_ms = -1;
        out->metadata.key_bytes = -1;
        out->metadata.value_bytes = -1;
        kp_producer_batch_failure_of(batch, index, &out->failure);
    } else {
        out->metadata.offset = batch->base_offset == -1 ? -1 : batch->base_offset + index;
        out->metadata.timestamp_ms =
            batch->log_append_time_ms != -1 ? batch->log_append_time_ms : slot->timestamp_ms;
        out->metadata.key_bytes = slot->key_bytes;
        out->metadata.value_bytes = slot->value_bytes;
    }
    kp_interceptors_on_acknowledgement(&producer->interceptors, &out->metadata,
                                       out->failed ? &out->failure : NULL);
    KB_TRACE(producer->trace, 0, RECORD_CALLBACK, record_callback, .record = out->record_id,
             .error = (int32_t)kp_producer_batch_error(batch));
    if (queue->next_record == batch->record_count) {
        kp_completion_queue_pop(queue);
    }
    producer->change_count++;
    return true;
}

/* --- The sender's side */

void kp_producer_decide(struct kp_producer *producer, int64_t now_ms)
{
    producer->change_count_at_decide = producer->change_count;
    kp_sender_decide(producer->sender, now_ms);
}

void kp_producer_digest(struct kp_producer *producer, int64_t now_ms)
{
    kp_sender_digest(producer->sender, now_ms);
}

bool kp_producer_next_action(struct kp_producer *producer, struct kp_action *out)
{
    return kp_network_client_next_action(producer->client, out);
}

void kp_producer_on_connected(struct kp_producer *producer, uint32_t connection)
{
    kp_network_client_on_connected(producer->client, connection);
}

void kp_producer_on_disconnected(struct kp_producer *producer, uint32_t connection)
{
    kp_network_client_on_disconnected(producer->client, connection);
}

void kp_producer_on_sent(struct kp_producer *producer, uint32_t connection)
{
    kp_network_client_on_sent(producer->client, connection);
}

void kp_producer_on_received(struct kp_producer *producer, uint32_t connection, const void *frame,
                             size_t length_bytes)
{
    kp_network_client_on_received(producer->client, connection, frame, length_bytes);
}

bool kp_producer_is_idle(const struct kp_producer *producer)
{
    return kp_sender_is_idle(producer->sender) &&
           producer->change_count == producer->change_count_at_decide &&
           kp_completion_queue_first(kp_record_accumulator_completions(producer->accumulator)) == NULL;
}

int32_t kp_producer_sender_state(const struct kp_producer *producer, int64_t *until_ms)
{
    return (int32_t)kp_sender_state(producer->sender, until_ms);
}

/* --- Looking in */

void kp_producer_memory(const struct kp_producer *producer, struct kp_memory_view *out)
{
    const struct kp_buffer_pool *pool = kp_record_accumulator_pool(producer->accumulator);
    *out = (struct kp_memory_view){.total_bytes = pool->total_bytes,
                                   .available_bytes = kp_buffer_pool_available_bytes(pool),
                                   .unallocated_bytes = pool->unallocated_bytes,
                                   .waiter_count = pool->waiter_count};
}

uint64_t kp_producer_incomplete_count(const struct kp_producer *producer)
{
    return kp_record_accumulator_incomplete(producer->accumulator)->record_count;
}

static double read_gauge(const void *context, enum kp_gauge gauge, int64_t now_ms)
{
    const struct kp_producer *producer = context;
    const struct kp_buffer_pool *pool = kp_record_accumulator_pool(producer->accumulator);
    switch (gauge) {
    case KP_GAUGE_REQUESTS_IN_FLIGHT:
        return kp_network_client_in_flight_count(producer->client);
    case KP_GAUGE_METADATA_AGE:
        return (double)(now_ms - kp_producer_metadata_last_successful_update_ms(producer->metadata)) / 1000.0;
    case KP_GAUGE_WAITING_THREADS:
        return pool->waiter_count;
    case KP_GAUGE_BUFFER_TOTAL:
        return (double)pool->total_bytes;
    case KP_GAUGE_BUFFER_AVAILABLE:
        return (double)kp_buffer_pool_available_bytes(pool);
    case KP_GAUGE_CONNECTION_COUNT:
        return kp_network_client_connection_count(producer->client);
    case KP_GAUGE_VERSION:
    case KP_GAUGE_COMMIT_ID:
    case KP_GAUGE_START_TIME:
    case KP_GAUGE_METRIC_COUNT:
        break;
    }
    KB_UNREACHABLE();
}

uint32_t kp_producer_metric_count(const struct kp_producer *producer)
{
    return kp_producer_metrics_count(producer->metrics);
}

void kp_producer_metric_at(const struct kp_producer *producer, uint32_t index, int64_t now_ms,
                           struct kp_metric *out)
{
    kp_producer_metrics_at(producer->metrics, index, read_gauge, producer, now_ms, out);
}

bool kp_producer_seed_metadata(struct kp_producer *producer, const void *body, size_t length_bytes,
                               int64_t now_ms)
{
    struct kb_arena arena;
    kb_arena_init(&arena, producer->allocator, METADATA_ARENA_BLOCK_BYTES, 0);
    struct kw_reader reader;
    kw_reader_init(&reader, body, length_bytes);
    struct kw_metadata_response response;
    bool is_seeded = kw_message_decode(&kw_metadata_response_schema, METADATA_VERSION, &reader, &arena,
                                       &response, NULL) == KW_MESSAGE_OK;
    for (int32_t i = 0; is_seeded && i < response.topics.count; i++) {
        struct kw_string name = response.topics.items[i].name;
        const struct kp_topic *topic =
            kp_topics_topic(producer->topics, name.data, (size_t)name.length_bytes);
        is_seeded = topic != NULL;
        if (is_seeded) {
            kp_producer_metadata_add(producer->metadata, topic, now_ms);
        }
    }
    is_seeded = is_seeded && kp_producer_metadata_update(
                                 producer->metadata, kp_producer_metadata_request_version(producer->metadata),
                                 &response, METADATA_VERSION, false, now_ms);
    kb_arena_release(&arena);
    return is_seeded;
}
