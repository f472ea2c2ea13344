#include "core/network_client.h"

#include "base/assert.h"
#include "core/memory.h"
#include "core/network_client_internal.h"
#include "wire/api_frame.h"

#include <stdio.h>
#include <string.h>

enum { ARENA_BLOCK_BYTES = 8192 };

struct kp_network_client *kp_network_client_create(const struct kp_network_client_options *options)
{
    struct kp_network_client *client = kb_allocate_zeroed(options->allocator, 1, sizeof(*client));

    if (client == NULL) {
        return NULL;
    }
    client->options = *options;
    client->trace = options->trace;
    client->settings = (struct kp_connection_settings){
        .reconnect_backoff_ms = options->reconnect_backoff_ms,
        .reconnect_backoff_max_ms = options->reconnect_backoff_max_ms,
        .setup_timeout_ms = options->connection_setup_timeout_ms,
        .setup_timeout_max_ms = options->connection_setup_timeout_max_ms,
        .chance = options->chance,
    };
    client->pool.allocator = options->allocator;
    kb_arena_init(&client->arena, options->allocator, ARENA_BLOCK_BYTES, 0);
    kb_arena_init(&client->request_arena, options->allocator, ARENA_BLOCK_BYTES, 0);
    return client;
}

void kp_network_client_destroy(struct kp_network_client *client)
{
    if (client == NULL) {
        return;
    }
    const struct linger_allocator *allocator = client->options.allocator;

    for (uint32_t i = 0; i < client->node_count; i++) {
        struct kp_client_node *node = client->nodes[i];

        for (struct kp_in_flight_request *r; (r = kp_in_flight_take_oldest(&node->in_flight)) != NULL;) {
            kp_client_free_request(client, r);
        }
        kp_release_text(allocator, node->host);
        kb_deallocate(allocator, node, sizeof(*node));
    }
    for (struct kp_in_flight_request *r = client->aborted.first, *next; r != NULL; r = next) {
        next = r->next;
        kp_client_free_request(client, r);
    }
    for (uint32_t i = client->action_first; i < client->action_count; i++) {
        if (client->actions[i].kind != KP_ACTION_CLOSE || client->actions[i].request == NULL) {
            continue;
        }
        client->actions[i].request->is_held_by_action = false;
        if (client->actions[i].request->is_over) {
            kp_client_free_request(client, client->actions[i].request);
        }
    }
    kp_in_flight_pool_release(&client->pool);
    kb_arena_release(&client->arena);
    kb_arena_release(&client->request_arena);
    kb_deallocate(allocator, client->nodes, client->node_capacity * sizeof(struct kp_client_node *));
    kb_deallocate(allocator, client->actions, client->action_capacity * sizeof(*client->actions));
    kb_deallocate(allocator, client->reports, client->report_capacity * sizeof(*client->reports));
    kb_deallocate(allocator, client, sizeof(*client));
}

/* --- Nodes */

/* Place of the first node whose id is not below. */
static uint32_t lower_bound(const struct kp_network_client *client, int32_t id)
{
    uint32_t from = 0;
    uint32_t to = client->node_count;

    while (from < to) {
        uint32_t middle = from + (to - from) / 2;

        if (client->nodes[middle]->id < id) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

struct kp_client_node *kp_client_find_node(const struct kp_network_client *client, int32_t id)
{
    uint32_t place = lower_bound(client, id);

    return place < client->node_count && client->nodes[place]->id == id ? client->nodes[place] : NULL;
}

struct kp_client_node *kp_client_find_connection(const struct kp_network_client *client, uint32_t connection)
{
    for (uint32_t i = 0; i < client->node_count; i++) {
        if (client->nodes[i]->connection == connection) {
            return client->nodes[i];
        }
    }
    return NULL;
}

static struct kp_client_node *get_node(struct kp_network_client *client, int32_t id)
{
    uint32_t place = lower_bound(client, id);
    struct kp_client_node *node;

    if (place < client->node_count && client->nodes[place]->id == id) {
        return client->nodes[place];
    }
    node = kb_allocate_zeroed(client->options.allocator, 1, sizeof(*node));
    if (node == NULL || !kp_grow(client->options.allocator, &client->nodes, &client->node_capacity,
                                 client->node_count + 1, sizeof(struct kp_client_node *))) {
        kb_deallocate(client->options.allocator, node, sizeof(*node));
        return NULL;
    }
    node->id = id;
    memmove(client->nodes + place + 1, client->nodes + place,
            (client->node_count - place) * sizeof(struct kp_client_node *));
    client->nodes[place] = node;
    client->node_count++;
    return node;
}

void kp_client_announce_state(const struct kp_network_client *client, const struct kp_client_node *node,
                              enum kw_error error)
{
    (void)KB_TRACE(client->trace, 0, CONNECTION_STATE, connection_state,
                   .backoff_ms =
                       kp_connection_is_disconnected(&node->state) ? node->state.reconnect_backoff_ms : 0,
                   .node = node->id, .state = (int32_t)node->state.state, .connection = node->connection,
                   .error = (int32_t)error);
}

static bool queue_action(struct kp_network_client *client, enum kp_action_kind kind,
                         const struct kp_client_node *node, struct kp_in_flight_request *request)
{
    if (client->action_first == client->action_count) {
        client->action_first = 0;
        client->action_count = 0;
    }
    if (!kp_grow(client->options.allocator, &client->actions, &client->action_capacity,
                 client->action_count + 1, sizeof(*client->actions))) {
        return false;
    }
    client->actions[client->action_count++] = (struct kp_pending_action){
        .kind = kind, .connection = node->connection, .node = node->id, .request = request};
    return true;
}

void kp_client_connect(struct kp_network_client *client, const struct kp_node *target, int64_t now_ms)
{
    struct kp_client_node *node = get_node(client, target->id);
    bool is_same_host;

    if (node == NULL) {
        return; /* no memory: tried again in the next pass */
    }
    is_same_host = node->host != NULL && strcmp(node->host, target->host) == 0;
    if (!is_same_host) {
        char *host = kp_copy_text(client->options.allocator, target->host, strlen(target->host));

        if (host == NULL) {
            return;
        }
        kp_release_text(client->options.allocator, node->host);
        node->host = host;
    }
    node->port = target->port;
    node->connection = ++client->last_connection;
    if (!queue_action(client, KP_ACTION_CONNECT, node, NULL)) {
        node->connection = 0;
        return;
    }
    kp_connection_connecting(&node->state, &client->settings, is_same_host, now_ms);
    node->is_channel_ready = false;
    node->last_active_ms = now_ms;
    client->change_count++;
    kp_client_announce_state(client, node, KW_ERROR_NONE);
}

bool kp_client_drop_actions(struct kp_network_client *client, uint32_t connection)
{
    uint32_t kept = client->action_first;
    bool was_begun = true;

    for (uint32_t i = client->action_first; i < client->action_count; i++) {
        if (client->actions[i].connection != connection) {
            client->actions[kept++] = client->actions[i];
            continue;
        }
        if (client->actions[i].kind == KP_ACTION_CONNECT) {
            was_begun = false;
        }
    }
    client->action_count = kept;
    return was_begun;
}

void kp_client_close_connection(struct kp_network_client *client, struct kp_client_node *node, int64_t now_ms)
{
    struct kp_in_flight_request *unsent = node->in_flight.newest;

    if (node->connection == 0) {
        return;
    }
    bool was_begun = kp_client_drop_actions(client, node->connection);

    /* A request that the driver is writing: its bytes must stay until the driver knows of the end. */
    if (unsent != NULL && (unsent->is_sent || !unsent->is_handed_out)) {
        unsent = NULL;
    }
    if (was_begun && queue_action(client, KP_ACTION_CLOSE, node, unsent) && unsent != NULL) {
        unsent->is_held_by_action = true;
    }
    node->connection = 0;
    node->is_channel_ready = false;
    client->change_count++;
    kp_producer_metrics_record(client->options.metrics, KP_SENSOR_CONNECTION_CLOSED, 1, now_ms);
}

/* --- Readiness */

bool kp_client_can_send(const struct kp_network_client *client, const struct kp_client_node *node,
                        int64_t now_ms)
{
    return node != NULL && kp_connection_is_ready(&node->state, now_ms) && node->is_channel_ready &&
           kp_in_flight_can_send_more(&node->in_flight,
                                      (uint32_t)client->options.max_in_flight_requests_per_connection);
}

static bool can_connect(const struct kp_client_node *node, int64_t now_ms)
{
    return node == NULL || kp_connection_can_connect(&node->state, now_ms);
}

bool kp_network_client_is_ready(const struct kp_network_client *client, int32_t id, int64_t now_ms)
{
    return !kp_metadata_updater_is_due(client, now_ms) &&
           kp_client_can_send(client, kp_client_find_node(client, id), now_ms);
}

bool kp_network_client_ready(struct kp_network_client *client, const struct kp_node *node, int64_t now_ms)
{
    if (kp_network_client_is_ready(client, node->id, now_ms)) {
        return true;
    }
    if (can_connect(kp_client_find_node(client, node->id), now_ms)) {
        kp_client_connect(client, node, now_ms);
    }
    return false;
}

uint32_t kp_network_client_held_why(const struct kp_network_client *client, int32_t id, int64_t now_ms,
                                    int64_t *left_ms)
{
    const struct kp_client_node *node = kp_client_find_node(client, id);
    uint32_t why = 0;

    *left_ms = INT64_MAX;
    if (kp_metadata_updater_is_due(client, now_ms)) {
        why |= KB_HELD_METADATA_DUE;
    }
    if (node == NULL || !node->state.exists || kp_connection_is_preparing(&node->state)) {
        why |= KB_HELD_NOT_CONNECTED;
    } else if (kp_connection_is_disconnected(&node->state)) {
        *left_ms = kp_connection_delay_ms(&node->state, now_ms);
        why |= *left_ms > 0 ? KB_HELD_RECONNECT_BACKOFF : KB_HELD_NOT_CONNECTED;
    } else if (kp_connection_throttle_delay_ms(&node->state, now_ms) > 0) {
        *left_ms = kp_connection_throttle_delay_ms(&node->state, now_ms);
        why |= KB_HELD_THROTTLED;
    } else if (!kp_client_can_send(client, node, now_ms)) {
        why |= KB_HELD_INFLIGHT_FULL;
    }
    return why;
}

bool kp_network_client_connection_failed(const struct kp_network_client *client, int32_t id)
{
    const struct kp_client_node *node = kp_client_find_node(client, id);

    return node != NULL && kp_connection_is_disconnected(&node->state);
}

int64_t kp_network_client_poll_delay_ms(const struct kp_network_client *client, int32_t id, int64_t now_ms)
{
    const struct kp_client_node *node = kp_client_find_node(client, id);

    return node == NULL ? 0 : kp_connection_poll_delay_ms(&node->state, now_ms);
}

const struct kp_node *kp_network_client_least_loaded_node(const struct kp_network_client *client,
                                                          int64_t now_ms)
{
    const struct kp_node *connecting = NULL;
    const struct kp_node *connectable = NULL;
    const struct kp_node *ready = NULL;
    int64_t connectable_last_ms = 0;
    uint32_t least_count = UINT32_MAX;

    for (uint32_t i = 0; i < kp_producer_metadata_node_count(client->options.metadata); i++) {
        const struct kp_node *candidate = kp_producer_metadata_node(client->options.metadata, i);
        const struct kp_client_node *node = kp_client_find_node(client, candidate->id);

        if (kp_client_can_send(client, node, now_ms)) {
            if (node->in_flight.count == 0) {
                return candidate;
            }
            if (node->in_flight.count < least_count) {
                least_count = node->in_flight.count;
                ready = candidate;
            }
        } else if (node != NULL && kp_connection_is_preparing(&node->state)) {
            connecting = candidate;
        } else if (can_connect(node, now_ms)) {
            int64_t last_ms = node == NULL || !node->state.exists ? INT64_MIN : node->state.last_attempt_ms;

            if (connectable == NULL || connectable_last_ms > last_ms) {
                connectable = candidate;
                connectable_last_ms = last_ms;
            }
        }
    }
    return ready != NULL ? ready : connecting != NULL ? connecting : connectable;
}

int16_t kp_network_client_max_version(const struct kp_network_client *client, int32_t id, int16_t api_key)
{
    const struct kp_client_node *node = kp_client_find_node(client, id);

    if (node == NULL || !node->has_versions || node->versions[api_key].max < node->versions[api_key].min) {
        return -1;
    }
    return node->versions[api_key].max;
}

/* --- Sending */

void kp_request_list_add(struct kp_request_list *list, struct kp_in_flight_request *request)
{
    request->next = NULL;
    if (list->last != NULL) {
        list->last->next = request;
    } else {
        list->first = request;
    }
    list->last = request;
}

void kp_client_free_request(struct kp_network_client *client, struct kp_in_flight_request *request)
{
    if (request->is_held_by_action) {
        request->is_over = true;
        return;
    }
    if (request->request.release != NULL) {
        request->request.release(request->request.context, request->request.subject);
    }
    request->request.release = NULL;
    kp_in_flight_pool_give(&client->pool, request);
}

static void set_mismatch(struct kp_network_client *client, struct kp_in_flight_request *request,
                         const char *text)
{
    request->is_version_mismatch = true;
    if (request->version_mismatch == NULL) {
        request->version_mismatch =
            kb_allocate_zeroed(client->options.allocator, 1, KP_VERSION_MISMATCH_TEXT_BYTES);
    }
    if (request->version_mismatch != NULL) {
        (void)snprintf(request->version_mismatch, KP_VERSION_MISMATCH_TEXT_BYTES, "%s", text);
    }
}

/* Kafka: ApiKeys' enumerators, which NodeApiVersions prints. */
static const char *api_enumerator(int16_t key)
{
    static const char *const names[KW_API_COUNT] = {
#define API(enumerator, key_, name, min, max, flexible, listeners, message)       [key_] = #enumerator,
#define API_WITHOUT_SCHEMA(enumerator, key_, name, min, max, flexible, listeners) [key_] = #enumerator,
#include "wire/schema_apis.def"
#undef API
#undef API_WITHOUT_SCHEMA
    };

    return names[key];
}

/* The latest version that both sides have. Kafka: NodeApiVersions.latestUsableVersion. */
static bool choose_version(const struct kp_client_node *node, const struct kp_client_request *request,
                           int16_t *version, char *mismatch, size_t mismatch_bytes)
{
    const struct kp_version_pair *supported = &node->versions[request->api_key];

    *version = request->latest_version;
    if (!node->has_versions) {
        return true;
    }
    if (supported->max < supported->min) {
        (void)snprintf(mismatch, mismatch_bytes, "The broker does not support %s",
                       api_enumerator(request->api_key));
        return false;
    }
    if (supported->max < *version) {
        *version = supported->max;
    }
    if (*version >= request->oldest_version && *version >= supported->min) {
        return true;
    }
    (void)snprintf(
        mismatch, mismatch_bytes,
        "The broker does not support %s with version in range [%d,%d]. The supported range is [%d,%d].",
        api_enumerator(request->api_key), request->oldest_version, request->latest_version, supported->min,
        supported->max);
    return false;
}

/* Write the frame into the slot. */
static enum kw_message_status encode(struct kp_network_client *client, struct kp_in_flight_request *slot,
                                     uint32_t records_count, struct kw_message_error *error)
{
    const struct linger_allocator *allocator = client->options.allocator;
    struct kw_frame frame = {
        .api = kw_api_find(slot->request.api_key),
        .version = slot->version,
        .is_request = true,
        .correlation_id = (int32_t)slot->correlation_id,
        .client_id = {client->options.client_id, (int32_t)strlen(client->options.client_id)},
        .body = slot->request.message,
    };
    uint32_t wanted_segments = 2 * records_count + 1;
    size_t size_bytes;
    size_t records_bytes;
    enum kw_message_status status = kw_frame_size(&frame, &size_bytes, &records_bytes, error);

    if (status != KW_MESSAGE_OK) {
        return status;
    }
    if (size_bytes > INT32_MAX) {
        return KW_MESSAGE_TOO_LONG;
    }
    if (!kp_grow(allocator, &slot->frame, &slot->frame_capacity, (uint32_t)(size_bytes - records_bytes), 1) ||
        !kp_grow(allocator, &slot->wire_segments, &slot->wire_segment_capacity, wanted_segments,
                 sizeof(*slot->wire_segments)) ||
        !kp_grow(allocator, &slot->segments, &slot->segment_capacity, wanted_segments,
                 sizeof(*slot->segments))) {
        return KW_MESSAGE_NO_MEMORY;
    }

    struct kw_writer writer;
    struct kw_segment_list list = {.segments = slot->wire_segments, .capacity = slot->wire_segment_capacity};

    kw_writer_init(&writer, slot->frame, slot->frame_capacity);
    status = kw_frame_encode(&frame, &writer, &list, error);
    if (status != KW_MESSAGE_OK) {
        return status;
    }
    for (size_t i = 0; i < list.count; i++) {
        slot->segments[i].bytes = slot->wire_segments[i].bytes;
        slot->segments[i].length_bytes = slot->wire_segments[i].length_bytes;
    }
    slot->segment_count = (uint32_t)list.count;
    slot->length_bytes = (uint32_t)size_bytes;
    return KW_MESSAGE_OK;
}

static void announce_built(const struct kp_network_client *client, const struct kp_client_node *node,
                           const struct kp_in_flight_request *slot)
{
    (void)KB_TRACE(client->trace, 0, REQUEST_BUILT, request_built,
                   .timeout_ms = slot->request.request_timeout_ms, .request = slot->correlation_id,
                   .node = node->id, .api = slot->request.api_key, .version = slot->version,
                   .bytes = (int32_t)slot->length_bytes, .batches = slot->request.batch_count,
                   .acks = slot->request.acks, .in_flight = node->in_flight.count);
}

uint32_t kp_client_do_send(struct kp_network_client *client, const struct kp_client_request *request,
                           enum kp_request_kind kind, int64_t now_ms)
{
    struct kp_client_node *node = kp_client_find_node(client, request->node);
    struct kp_in_flight_request *slot = kp_in_flight_pool_take(&client->pool);
    char mismatch[KP_VERSION_MISMATCH_TEXT_BYTES];
    struct kw_message_error error;
    uint32_t correlation_id = client->next_correlation_id++;
    enum kw_message_status status = KW_MESSAGE_UNSUPPORTED_VERSION;

    KB_ASSERT(node != NULL && node->connection != 0);
    KB_ASSERT(slot != NULL); /* see docs/deviations.md: the library needs the memory that it was promised */
    slot->request = *request;
    slot->kind = kind;
    slot->correlation_id = correlation_id;
    slot->node = request->node;
    slot->connection = node->connection;
    slot->sent_ms = now_ms;
    if (choose_version(node, request, &slot->version, mismatch, sizeof(mismatch))) {
        status = encode(client, slot, request->batch_count, &error);
        if (status != KW_MESSAGE_OK) {
            kw_message_error_text(&error, mismatch, sizeof(mismatch));
        }
    }
    slot->request.message = NULL;
    KB_ASSERT(status != KW_MESSAGE_NO_MEMORY);
    client->change_count++;
    if (status == KW_MESSAGE_OK) {
        kp_in_flight_add(&node->in_flight, slot);
        client->in_flight_count++;
        node->last_active_ms = now_ms;
        KB_ASSERT(queue_action(client, KP_ACTION_SEND, node, slot));
        announce_built(client, node, slot);
        return correlation_id;
    }
    set_mismatch(client, slot, mismatch);
    if (kind == KP_REQUEST_USER) {
        kp_request_list_add(&client->aborted, slot);
        return correlation_id;
    }
    if (kind == KP_REQUEST_METADATA) {
        kp_metadata_updater_handle_failure(client, mismatch, now_ms);
    }
    kp_client_free_request(client, slot);
    return correlation_id;
}

uint32_t kp_network_client_send(struct kp_network_client *client, const struct kp_client_request *request,
                                int64_t now_ms)
{
    KB_ASSERT(kp_client_can_send(client, kp_client_find_node(client, request->node), now_ms));
    return kp_client_do_send(client, request, KP_REQUEST_USER, now_ms);
}

void kp_network_client_refuse_send(struct kp_network_client *client, int32_t node, int16_t api_key,
                                   enum kw_error error)
{
    (void)KB_TRACE(client->trace, 0, REQUEST_FAILED, request_failed, .request = client->next_correlation_id,
                   .node = node, .api = api_key, .error = (int32_t)error,
                   .in_flight = kp_client_find_node(client, node)->in_flight.count);
    client->next_correlation_id++;
    client->change_count++;
}

/* --- Actions */

static void fill_send(const struct kp_in_flight_request *slot, struct kp_action *out)
{
    out->segments = slot->segments;
    out->segment_count = slot->segment_count;
    out->length_bytes = slot->length_bytes;
    out->request = slot->correlation_id;
    out->api = slot->request.api_key;
    out->version = slot->version;
    out->batches = slot->request.batches;
    out->batch_count = slot->request.batch_count;
    out->acks = slot->request.acks;
    out->timeout_ms = slot->request.timeout_ms;
}

bool kp_network_client_next_action(struct kp_network_client *client, struct kp_action *out)
{
    struct kp_pending_action *action;
    const struct kp_client_node *node;

    if (client->action_first == client->action_count) {
        return false;
    }
    action = &client->actions[client->action_first++];
    node = kp_client_find_node(client, action->node);
    memset(out, 0, sizeof(*out));
    out->kind = action->kind;
    out->connection = action->connection;
    out->node = action->node;
    switch (action->kind) {
    case KP_ACTION_CONNECT:
        out->host = node->host;
        out->port = node->port;
        break;
    case KP_ACTION_SEND:
        action->request->is_handed_out = true;
        fill_send(action->request, out);
        break;
    case KP_ACTION_CLOSE:
        if (action->request != NULL) {
            action->request->is_held_by_action = false;
            if (action->request->is_over) {
                kp_client_free_request(client, action->request);
            }
        }
        break;
    }
    return true;
}

uint32_t kp_network_client_in_flight_count(const struct kp_network_client *client)
{
    return client->in_flight_count;
}

uint32_t kp_network_client_connection_count(const struct kp_network_client *client)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < client->node_count; i++) {
        count += client->nodes[i]->connection != 0;
    }
    return count;
}

uint64_t kp_network_client_change_count(const struct kp_network_client *client)
{
    return client->change_count;
}
