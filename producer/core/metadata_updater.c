/*
 * When and of whom the client asks for metadata. Kafka: NetworkClient.DefaultMetadataUpdater.
 */
#include "core/network_client_internal.h"

#include "wire/api_frame.h"

#include <string.h>

bool kp_metadata_updater_is_due(const struct kp_network_client *client, int64_t now_ms)
{
    return !client->has_metadata_in_progress &&
           kp_producer_metadata_time_to_next_update_ms(client->options.metadata, now_ms) == 0;
}

static bool is_any_node_connecting(const struct kp_network_client *client)
{
    for (uint32_t i = 0; i < kp_producer_metadata_node_count(client->options.metadata); i++) {
        const struct kp_client_node *node =
            kp_client_find_node(client, kp_producer_metadata_node(client->options.metadata, i)->id);

        if (node != NULL && node->state.exists && node->state.state == KB_CONNECTION_STATE_CONNECTING) {
            return true;
        }
    }
    return false;
}

static void send_request(struct kp_network_client *client, int32_t node, int64_t now_ms)
{
    const struct kw_api *api = kw_api_find(KW_API_METADATA);
    struct kp_metadata_request wanted;
    struct kw_metadata_request message;
    struct kp_client_request request = {
        .node = node,
        .api_key = KW_API_METADATA,
        .oldest_version = 1,
        .latest_version = api->max_version,
        .expects_response = true,
        .request_timeout_ms = client->options.request_timeout_ms,
        .message = &message,
    };
    uint32_t correlation_id;

    kp_producer_metadata_new_request(client->options.metadata, now_ms, &wanted);
    kb_arena_reset(&client->request_arena);
    kw_metadata_request_init(&message);
    message.topics.items = kb_arena_allocate_zeroed(&client->request_arena, (size_t)wanted.topic_count + 1,
                                                    sizeof(*message.topics.items));
    if (message.topics.items == NULL) {
        return;
    }
    for (uint32_t i = 0; i < wanted.topic_count; i++) {
        struct kw_metadata_request_topic *topic = &message.topics.items[i];

        kw_metadata_request_topic_init(topic);
        topic->name.data = wanted.topics[i]->name;
        topic->name.length_bytes = (int32_t)wanted.topics[i]->name_length_bytes;
    }
    message.topics.count = (int32_t)wanted.topic_count;
    correlation_id = kp_client_do_send(client, &request, KP_REQUEST_METADATA, now_ms);
    client->has_metadata_in_progress = true;
    client->metadata_request_version = wanted.request_version;
    client->is_metadata_partial = wanted.is_partial;
    (void)KB_TRACE(client->trace, 0, METADATA_REQUESTED, metadata_requested, .request = correlation_id,
                   .node = node, .why = (int32_t)wanted.why, .topics = wanted.topic_count);
}

int64_t kp_metadata_updater_maybe_update(struct kp_network_client *client, int64_t now_ms)
{
    int64_t next_ms = kp_producer_metadata_time_to_next_update_ms(client->options.metadata, now_ms);
    int64_t fetch_ms = client->has_metadata_in_progress ? client->options.request_timeout_ms : 0;
    const struct kp_node *node;
    const struct kp_client_node *known;

    if (next_ms > 0 || fetch_ms > 0) {
        return next_ms > fetch_ms ? next_ms : fetch_ms;
    }
    node = kp_network_client_least_loaded_node(client, now_ms);
    if (node == NULL) {
        return client->options.reconnect_backoff_ms;
    }
    known = kp_client_find_node(client, node->id);
    if (kp_client_can_send(client, known, now_ms)) {
        send_request(client, node->id, now_ms);
        return client->options.request_timeout_ms;
    }
    if (is_any_node_connecting(client)) {
        return client->options.reconnect_backoff_ms;
    }
    if (known == NULL || kp_connection_can_connect(&known->state, now_ms)) {
        kp_client_connect(client, node, now_ms);
        return client->options.reconnect_backoff_ms;
    }
    return INT64_MAX;
}

void kp_metadata_updater_handle_failure(struct kp_network_client *client, const char *mismatch,
                                        int64_t now_ms)
{
    if (mismatch != NULL) {
        struct kp_failure failure;

        kp_failure_throw(&failure, "UnsupportedVersionException", mismatch);
        kp_producer_metadata_fatal_error(client->options.metadata, &failure);
    }
    kp_producer_metadata_failed_update(client->options.metadata, now_ms);
    client->has_metadata_in_progress = false;
}

void kp_metadata_updater_handle_disconnect(struct kp_network_client *client, int64_t now_ms)
{
    /* A lost connection while an update is due counts as a failed one: the next waits for its backoff. */
    if (kp_metadata_updater_is_due(client, now_ms)) {
        kp_metadata_updater_handle_failure(client, NULL, now_ms);
    }
    (void)kp_producer_metadata_request_update(client->options.metadata, KB_METADATA_WHY_DISCONNECTED);
}

void kp_metadata_updater_handle_response(struct kp_network_client *client,
                                         const struct kw_metadata_response *response, int16_t version,
                                         int64_t now_ms)
{
    if (response->brokers.count <= 0 ||
        !kp_producer_metadata_update(client->options.metadata, client->metadata_request_version, response,
                                     version, client->is_metadata_partial, now_ms)) {
        kp_producer_metadata_failed_update(client->options.metadata, now_ms);
    }
    client->has_metadata_in_progress = false;
}
