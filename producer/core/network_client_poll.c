/*
 * What follows the network's move: NetworkClient.poll from Selector.poll on, in Kafka's order.
 */
#include "base/assert.h"
#include "core/memory.h"
#include "core/network_client_internal.h"
#include "wire/api_frame.h"

#include <string.h>

/* --- Reports */

static void add_report(struct kp_network_client *client, enum kp_report_kind kind, uint32_t connection,
                       const void *frame, size_t length_bytes)
{
    struct kp_client_node *node = connection != 0 ? kp_client_find_connection(client, connection) : NULL;

    if (node == NULL) {
        return; /* of a connection that this side has closed */
    }
    KB_ASSERT(kp_grow(client->options.allocator, &client->reports, &client->report_capacity,
                      client->report_count + 1, sizeof(*client->reports)));
    client->reports[client->report_count++] = (struct kp_report){
        .kind = kind, .connection = connection, .frame = frame, .length_bytes = length_bytes};
}

void kp_network_client_on_connected(struct kp_network_client *client, uint32_t connection)
{
    add_report(client, KP_REPORT_CONNECTED, connection, NULL, 0);
}

void kp_network_client_on_disconnected(struct kp_network_client *client, uint32_t connection)
{
    add_report(client, KP_REPORT_DISCONNECTED, connection, NULL, 0);
}

void kp_network_client_on_sent(struct kp_network_client *client, uint32_t connection)
{
    add_report(client, KP_REPORT_SENT, connection, NULL, 0);
}

void kp_network_client_on_received(struct kp_network_client *client, uint32_t connection, const void *frame,
                                   size_t length_bytes)
{
    add_report(client, KP_REPORT_RECEIVED, connection, frame, length_bytes);
}

bool kp_network_client_has_reports(const struct kp_network_client *client)
{
    return client->report_count > 0;
}

/* --- Ends of connections */

/* Kafka: cancelInFlightRequests. */
static void cancel_in_flight(struct kp_network_client *client, struct kp_client_node *node, int64_t now_ms)
{
    for (struct kp_in_flight_request *r; (r = kp_in_flight_take_oldest(&node->in_flight)) != NULL;) {
        client->in_flight_count--;
        r->was_disconnected = true;
        (void)KB_TRACE(client->trace, 0, REQUEST_FAILED, request_failed, .request = r->correlation_id,
                       .node = node->id, .api = r->request.api_key, .error = KW_ERROR_NETWORK_EXCEPTION,
                       .in_flight = node->in_flight.count);
        if (r->kind == KP_REQUEST_USER) {
            kp_request_list_add(&client->responses, r);
            continue;
        }
        if (r->kind == KP_REQUEST_METADATA) {
            kp_metadata_updater_handle_failure(client, NULL, now_ms);
        }
        kp_client_free_request(client, r);
    }
}

/* Kafka: processDisconnection. The connection is gone already. */
static void process_disconnection(struct kp_network_client *client, struct kp_client_node *node,
                                  enum kw_error error, int64_t now_ms)
{
    client->change_count++;
    if (node->connection != 0) {
        (void)kp_client_drop_actions(client, node->connection);
        kp_producer_metrics_record(client->options.metrics, KP_SENSOR_CONNECTION_CLOSED, 1, now_ms);
    }
    node->connection = 0;
    node->is_channel_ready = false;
    node->has_versions = false;
    node->needs_api_versions = false;
    kp_connection_disconnected(&node->state, &client->settings, now_ms);
    kp_client_announce_state(client, node, error);
    cancel_in_flight(client, node, now_ms);
    kp_metadata_updater_handle_disconnect(client, now_ms);
}

static void close_and_process(struct kp_network_client *client, struct kp_client_node *node,
                              enum kw_error error, int64_t now_ms)
{
    kp_client_close_connection(client, node, now_ms);
    process_disconnection(client, node, error, now_ms);
}

/* --- Responses */

/* The first version of each API whose throttle time the client obeys. Kafka: shouldClientThrottle. */
static bool should_throttle(int16_t api_key, int16_t version)
{
    switch (api_key) {
    case KW_API_PRODUCE:
    case KW_API_METADATA:
        return version >= 6;
    case KW_API_API_VERSIONS:
    case KW_API_FIND_COORDINATOR:
        return version >= 2;
    default:
        return version >= 1;
    }
}

/* What the trace shows of a response: its throttle time, and its first error. */
static enum kw_error summarize(int16_t api_key, const void *body, int32_t *throttle_ms)
{
    enum kw_error error = KW_ERROR_NONE;

    switch (api_key) {
    case KW_API_PRODUCE: {
        const struct kw_produce_response *produce = body;

        *throttle_ms = produce->throttle_time_ms;
        for (int32_t t = 0; t < produce->responses.count && error == KW_ERROR_NONE; t++) {
            const struct kw_produce_response_topic *topic = &produce->responses.items[t];

            for (int32_t p = 0; p < topic->partition_responses.count && error == KW_ERROR_NONE; p++) {
                error = kw_error_from_code(topic->partition_responses.items[p].error_code);
            }
        }
        return error;
    }
    case KW_API_METADATA: {
        const struct kw_metadata_response *metadata = body;

        *throttle_ms = metadata->throttle_time_ms;
        for (int32_t t = 0; t < metadata->topics.count && error == KW_ERROR_NONE; t++) {
            error = kw_error_from_code(metadata->topics.items[t].error_code);
        }
        return error;
    }
    case KW_API_API_VERSIONS: {
        const struct kw_api_versions_response *versions = body;

        *throttle_ms = versions->throttle_time_ms;
        return kw_error_from_code(versions->error_code);
    }
    case KW_API_FIND_COORDINATOR: {
        const struct kw_find_coordinator_response *coordinator = body;

        *throttle_ms = coordinator->throttle_time_ms;
        return kw_error_from_code(coordinator->coordinators.count > 0
                                      ? coordinator->coordinators.items[0].error_code
                                      : coordinator->error_code);
    }
    case KW_API_INIT_PRODUCER_ID: {
        const struct kw_init_producer_id_response *init = body;

        *throttle_ms = init->throttle_time_ms;
        return kw_error_from_code(init->error_code);
    }
    case KW_API_ADD_PARTITIONS_TO_TXN:
        *throttle_ms = ((const struct kw_add_partitions_to_txn_response *)body)->throttle_time_ms;
        return error;
    case KW_API_ADD_OFFSETS_TO_TXN: {
        const struct kw_add_offsets_to_txn_response *offsets = body;

        *throttle_ms = offsets->throttle_time_ms;
        return kw_error_from_code(offsets->error_code);
    }
    case KW_API_TXN_OFFSET_COMMIT:
        *throttle_ms = ((const struct kw_txn_offset_commit_response *)body)->throttle_time_ms;
        return error;
    case KW_API_END_TXN: {
        const struct kw_end_txn_response *end = body;

        *throttle_ms = end->throttle_time_ms;
        return kw_error_from_code(end->error_code);
    }
    default:
        KB_UNREACHABLE(); /* no such request is ever sent */
    }
}

static const void *decode_body(struct kp_network_client *client, const struct kw_api *api, int16_t version,
                               const struct kw_reader *at_body)
{
    struct kw_reader reader = *at_body;
    void *body = kb_arena_allocate_zeroed(&client->arena, 1, api->response->struct_size_bytes);

    if (body == NULL ||
        kw_message_decode(api->response, version, &reader, &client->arena, body, NULL) != KW_MESSAGE_OK) {
        return NULL;
    }
    return body;
}

/*
 * NULL when the bytes are not the response to that request. A broker that does not know the version of an
 * ApiVersions request answers in version 0. Kafka: parseResponse, ApiVersionsResponse.parse.
 */
static const void *parse_response(struct kp_network_client *client,
                                  const struct kp_in_flight_request *request, const struct kp_report *report)
{
    const struct kw_api *api = kw_api_find(request->request.api_key);
    struct kw_response_header header;
    struct kw_reader reader;
    const void *body;

    kw_reader_init(&reader, report->frame, report->length_bytes);
    if (kw_response_header_decode(api, request->version, &reader, &header, NULL) != KW_MESSAGE_OK ||
        header.correlation_id != (int32_t)request->correlation_id) {
        return NULL;
    }
    body = decode_body(client, api, request->version, &reader);
    if (body == NULL && api->key == KW_API_API_VERSIONS && request->version != 0) {
        body = decode_body(client, api, 0, &reader);
    }
    return body;
}

static void store_versions(struct kp_client_node *node, const struct kw_api_versions_response *response)
{
    for (int key = 0; key < KW_API_COUNT; key++) {
        node->versions[key] = (struct kp_version_pair){.min = 0, .max = -1};
    }
    for (int32_t i = 0; i < response->api_keys.count; i++) {
        const struct kw_api_versions_response_api *api = &response->api_keys.items[i];

        if (api->api_key >= 0 && api->api_key < KW_API_COUNT) {
            node->versions[api->api_key] =
                (struct kp_version_pair){.min = api->min_version, .max = api->max_version};
        }
    }
    node->has_versions = true;
}

/* Kafka: handleApiVersionsResponse. */
static void handle_api_versions(struct kp_network_client *client, struct kp_client_node *node,
                                int16_t request_version, const struct kw_api_versions_response *response,
                                int64_t now_ms)
{
    enum kw_error error = kw_error_from_code(response->error_code);

    if (error == KW_ERROR_NONE) {
        store_versions(node, response);
        kp_connection_ready(&node->state, &client->settings);
        kp_client_announce_state(client, node, KW_ERROR_NONE);
        return;
    }
    if (request_version == 0 || error != KW_ERROR_UNSUPPORTED_VERSION) {
        close_and_process(client, node, error, now_ms);
        return;
    }
    node->needs_api_versions = true;
    node->api_versions_version = 0;
    for (int32_t i = 0; i < response->api_keys.count; i++) {
        const struct kw_api_versions_response_api *api = &response->api_keys.items[i];

        if (api->api_key == KW_API_API_VERSIONS &&
            kw_api_has_version(kw_api_find(KW_API_API_VERSIONS), api->max_version)) {
            node->api_versions_version = api->max_version;
        }
    }
}

/* Kafka: one turn of handleCompletedReceives. */
static void handle_receive(struct kp_network_client *client, const struct kp_report *report, int64_t now_ms)
{
    struct kp_client_node *node = kp_client_find_connection(client, report->connection);
    struct kp_in_flight_request *request;
    const void *body;
    enum kw_error error;
    int32_t throttle_ms = 0;

    if (node == NULL) {
        return; /* closed a moment ago */
    }
    kp_producer_metrics_record_response(client->options.metrics, node->metrics, report->length_bytes, now_ms);
    request = node->in_flight.oldest;
    body = request != NULL && request->is_sent ? parse_response(client, request, report) : NULL;
    if (body == NULL) {
        /* Nothing that comes over this connection can be understood any more. See docs/deviations.md. */
        close_and_process(client, node, KW_ERROR_SCHEMA, now_ms);
        return;
    }
    (void)kp_in_flight_take_oldest(&node->in_flight);
    client->in_flight_count--;
    client->change_count++;
    error = summarize(request->request.api_key, body, &throttle_ms);
    kp_producer_metrics_record(client->options.metrics, KP_SENSOR_THROTTLE_TIME, throttle_ms, now_ms);
    (void)KB_TRACE(client->trace, 0, RESPONSE_RECEIVED, response_received,
                   .latency_ms = now_ms - request->sent_ms, .request = request->correlation_id,
                   .node = node->id, .api = request->request.api_key, .error = (int32_t)error,
                   .in_flight = node->in_flight.count);
    if (throttle_ms > 0 && should_throttle(request->request.api_key, request->version)) {
        kp_connection_throttle(&node->state, now_ms + throttle_ms);
        (void)KB_TRACE(client->trace, 0, THROTTLED, throttled, .throttle_ms = throttle_ms, .node = node->id,
                       .api = request->request.api_key);
    }
    switch (request->kind) {
    case KP_REQUEST_USER:
        request->body = body;
        kp_request_list_add(&client->responses, request);
        return;
    case KP_REQUEST_METADATA:
        kp_metadata_updater_handle_response(client, body, request->version, now_ms);
        break;
    case KP_REQUEST_API_VERSIONS:
        handle_api_versions(client, node, request->version, body, now_ms);
        break;
    }
    kp_client_free_request(client, request);
}

/* --- The rest, in the order of poll() */

/* Kafka: handleCompletedSends. */
static void handle_sent(struct kp_network_client *client, const struct kp_report *report, int64_t now_ms)
{
    struct kp_client_node *node = kp_client_find_connection(client, report->connection);
    struct kp_in_flight_request *request = node != NULL ? node->in_flight.newest : NULL;

    if (request == NULL || request->is_sent || !request->is_handed_out) {
        return; /* the driver is mistaken */
    }
    request->is_sent = true;
    kp_producer_metrics_record_request(client->options.metrics, node->metrics, request->length_bytes, now_ms);
    (void)KB_TRACE(client->trace, 0, REQUEST_SENT, request_sent, .request = request->correlation_id,
                   .node = node->id, .api = request->request.api_key);
    if (request->request.expects_response) {
        return;
    }
    (void)kp_in_flight_take_newest(&node->in_flight);
    client->in_flight_count--;
    client->change_count++;
    kp_request_list_add(&client->responses, request);
}

/* Kafka: handleConnections. */
static void handle_connected(struct kp_network_client *client, const struct kp_report *report, int64_t now_ms)
{
    struct kp_client_node *node = kp_client_find_connection(client, report->connection);

    if (node == NULL || node->is_channel_ready) {
        return;
    }
    node->is_channel_ready = true;
    node->needs_api_versions = true;
    node->api_versions_version = kw_api_find(KW_API_API_VERSIONS)->max_version;
    kp_producer_metrics_record(client->options.metrics, KP_SENSOR_CONNECTION_CREATED, 1, now_ms);
    kp_connection_checking_api_versions(&node->state, &client->settings);
    client->change_count++;
    kp_client_announce_state(client, node, KW_ERROR_NONE);
}

/* Kafka: handleInitiateApiVersionRequests. */
static void initiate_api_versions(struct kp_network_client *client, int64_t now_ms)
{
    static const char software_name[] = "apache-kafka-java";
    static const char software_version[] = "3.0.0";

    for (uint32_t i = 0; i < client->node_count; i++) {
        struct kp_client_node *node = client->nodes[i];
        struct kw_api_versions_request message;
        struct kp_client_request request = {
            .node = node->id,
            .api_key = KW_API_API_VERSIONS,
            .oldest_version = node->api_versions_version,
            .latest_version = node->api_versions_version,
            .expects_response = true,
            .request_timeout_ms = client->options.request_timeout_ms,
            .message = &message,
        };

        if (!node->needs_api_versions || !node->is_channel_ready ||
            !kp_in_flight_can_send_more(&node->in_flight,
                                        (uint32_t)client->options.max_in_flight_requests_per_connection)) {
            continue;
        }
        kw_api_versions_request_init(&message);
        message.client_software_name = (struct kw_string){software_name, sizeof(software_name) - 1};
        message.client_software_version = (struct kw_string){software_version, sizeof(software_version) - 1};
        node->needs_api_versions = false;
        (void)kp_client_do_send(client, &request, KP_REQUEST_API_VERSIONS, now_ms);
    }
}

/* Kafka: handleTimedOutConnections, handleTimedOutRequests. */
static void handle_timeouts(struct kp_network_client *client, int64_t now_ms)
{
    for (uint32_t i = 0; i < client->node_count; i++) {
        if (kp_connection_is_setup_timed_out(&client->nodes[i]->state, now_ms)) {
            close_and_process(client, client->nodes[i], KW_ERROR_REQUEST_TIMED_OUT, now_ms);
        }
    }
    for (uint32_t i = 0; i < client->node_count && client->in_flight_count > 0; i++) {
        struct kp_client_node *node = client->nodes[i];

        if (!kp_in_flight_has_expired(&node->in_flight, now_ms)) {
            continue;
        }
        for (const struct kp_in_flight_request *r = node->in_flight.oldest; r != NULL; r = r->newer) {
            if (now_ms - r->sent_ms > r->request.request_timeout_ms) {
                (void)KB_TRACE(client->trace, 0, REQUEST_TIMED_OUT, request_timed_out,
                               .timeout_ms = r->request.request_timeout_ms, .request = r->correlation_id,
                               .node = node->id, .api = r->request.api_key);
            }
        }
        close_and_process(client, node, KW_ERROR_REQUEST_TIMED_OUT, now_ms);
    }
}

/* The connection that nothing moved over for longest, when that is too long: one per poll. Kafka:
 * Selector.maybeCloseOldestConnection. */
static void close_idle(struct kp_network_client *client, int64_t now_ms)
{
    struct kp_client_node *oldest = NULL;

    for (uint32_t i = 0; i < client->node_count && client->options.connections_max_idle_ms >= 0; i++) {
        struct kp_client_node *node = client->nodes[i];

        if (node->connection != 0 && (oldest == NULL || node->last_active_ms < oldest->last_active_ms)) {
            oldest = node;
        }
    }
    if (oldest != NULL && now_ms - oldest->last_active_ms > client->options.connections_max_idle_ms) {
        close_and_process(client, oldest, KW_ERROR_NONE, now_ms);
    }
}

void kp_client_complete(struct kp_network_client *client, struct kp_request_list *list, int64_t now_ms)
{
    struct kp_in_flight_request *request = list->first;

    *list = (struct kp_request_list){NULL, NULL};
    while (request != NULL) {
        struct kp_in_flight_request *next = request->next;
        struct kp_client_response response = {
            .correlation_id = request->correlation_id,
            .node = request->node,
            .api_version = request->version,
            .was_disconnected = request->was_disconnected,
            .is_version_mismatch = request->is_version_mismatch,
            .version_mismatch = request->version_mismatch,
            .body = request->body,
            .sent_ms = request->sent_ms,
            .now_ms = now_ms,
        };

        client->change_count++;
        if (request->request.callback != NULL) {
            request->request.callback(request->request.context, request->request.subject, &response);
        }
        kp_client_free_request(client, request);
        request = next;
    }
}

bool kp_network_client_begin_poll(struct kp_network_client *client, int64_t *timeout_ms, int64_t now_ms)
{
    int64_t metadata_ms;

    KB_ASSERT(!client->is_closed);
    if (client->aborted.first != NULL) {
        kp_client_complete(client, &client->aborted, now_ms);
        return false;
    }
    metadata_ms = kp_metadata_updater_maybe_update(client, now_ms);
    if (metadata_ms < *timeout_ms) {
        *timeout_ms = metadata_ms;
    }
    if (client->options.request_timeout_ms < *timeout_ms) {
        *timeout_ms = client->options.request_timeout_ms;
    }
    return true;
}

void kp_network_client_digest(struct kp_network_client *client, int64_t now_ms)
{
    kp_producer_metrics_record(client->options.metrics, KP_SENSOR_SELECT, 0, now_ms);
    for (uint32_t i = 0; i < client->report_count; i++) {
        struct kp_client_node *node = kp_client_find_connection(client, client->reports[i].connection);

        if (node != NULL) {
            node->last_active_ms = now_ms;
            if (node->metrics == NULL) {
                node->metrics = kp_producer_metrics_register_node(client->options.metrics, node->id);
            }
        }
        if (client->reports[i].kind == KP_REPORT_SENT) {
            handle_sent(client, &client->reports[i], now_ms);
        }
    }
    for (uint32_t i = 0; i < client->report_count; i++) {
        if (client->reports[i].kind == KP_REPORT_RECEIVED) {
            handle_receive(client, &client->reports[i], now_ms);
        }
    }
    for (uint32_t i = 0; i < client->report_count; i++) {
        struct kp_client_node *node = kp_client_find_connection(client, client->reports[i].connection);

        if (client->reports[i].kind == KP_REPORT_DISCONNECTED && node != NULL) {
            process_disconnection(client, node, KW_ERROR_NETWORK_EXCEPTION, now_ms);
        }
    }
    close_idle(client, now_ms);
    for (uint32_t i = 0; i < client->report_count; i++) {
        if (client->reports[i].kind == KP_REPORT_CONNECTED) {
            handle_connected(client, &client->reports[i], now_ms);
        }
    }
    client->report_count = 0;
    initiate_api_versions(client, now_ms);
    handle_timeouts(client, now_ms);
    kp_client_complete(client, &client->responses, now_ms);
    kb_arena_reset(&client->arena);
}

static int64_t least(int64_t left, int64_t right)
{
    return left < right ? left : right;
}

int64_t kp_network_client_next_deadline_ms(const struct kp_network_client *client, int64_t now_ms)
{
    int64_t deadline_ms = INT64_MAX;

    if (client->is_closed) {
        return INT64_MAX;
    }
    if (!client->has_metadata_in_progress) {
        int64_t update_ms = kp_producer_metadata_next_update_ms(client->options.metadata);

        if (update_ms > now_ms) {
            deadline_ms = update_ms;
        }
    }
    for (uint32_t i = 0; i < client->node_count; i++) {
        const struct kp_client_node *node = client->nodes[i];

        deadline_ms = least(deadline_ms, kp_connection_next_deadline_ms(&node->state, now_ms));
        deadline_ms = least(deadline_ms, kp_in_flight_next_expiry_ms(&node->in_flight));
        if (node->connection != 0 && client->options.connections_max_idle_ms >= 0 &&
            client->options.connections_max_idle_ms < INT64_MAX - 1 - node->last_active_ms) {
            deadline_ms =
                least(deadline_ms, node->last_active_ms + client->options.connections_max_idle_ms + 1);
        }
    }
    return deadline_ms;
}

void kp_network_client_close(struct kp_network_client *client, int64_t now_ms)
{
    for (uint32_t i = 0; i < client->node_count; i++) {
        struct kp_client_node *node = client->nodes[i];

        kp_client_close_connection(client, node, now_ms);
        for (struct kp_in_flight_request *r; (r = kp_in_flight_take_oldest(&node->in_flight)) != NULL;) {
            client->in_flight_count--;
            kp_client_free_request(client, r);
        }
    }
    client->report_count = 0;
    client->is_closed = true;
    kp_producer_metadata_close(client->options.metadata);
}
