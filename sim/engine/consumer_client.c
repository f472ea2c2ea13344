/*
 * The consumer's connections and requests. Kafka: NetworkClient, ConsumerNetworkClient,
 * ClusterConnectionStates.
 */
#include "engine/consumer_internal.h"

#include <stdlib.h>

#include "base/assert.h"
#include "wire/api_frame.h"
#include "wire/cursor.h"

enum { FRAME_MAX_BYTES = 100 << 20, MAX_IN_FLIGHT = 100 };

static const char software_name[] = "apache-kafka-java";
static const char software_version[] = "3.0.0";

/* --- Nodes --- */

struct consumer_node *consumer_node_at(const struct sim_consumer_driver *consumer, int32_t key)
{
    for (uint32_t i = 0; i < consumer->node_count; i++) {
        if (consumer->nodes[i]->key == key) {
            return consumer->nodes[i];
        }
    }
    return NULL;
}

static struct consumer_node *node_of(struct sim_consumer_driver *consumer, int32_t key, int32_t broker)
{
    struct consumer_node *node = consumer_node_at(consumer, key);
    if (node != NULL) {
        return node;
    }
    struct consumer_node **grown =
        realloc(consumer->nodes, (consumer->node_count + 1) * sizeof(struct consumer_node *));
    KB_ASSERT(grown != NULL);
    consumer->nodes = grown;
    node = consumer_allocate(1, sizeof *node);
    node->key = key;
    node->broker = broker;
    node->setup_timeout_ms = consumer->config->connection_setup_timeout_ms;
    kb_list_init(&node->requests);
    uint32_t place = consumer->node_count++;
    for (; place > 0 && consumer->nodes[place - 1]->key > key; place--) {
        consumer->nodes[place] = consumer->nodes[place - 1];
    }
    consumer->nodes[place] = node;
    return node;
}

static struct consumer_node *node_with(const struct sim_consumer_driver *consumer,
                                       const struct sim_connection *connection)
{
    for (uint32_t i = 0; i < consumer->node_count; i++) {
        if (consumer->nodes[i]->connection == connection) {
            return consumer->nodes[i];
        }
    }
    return NULL;
}

static int64_t doubled(int64_t value_ms, int64_t first_ms, int64_t most_ms)
{
    int64_t next_ms = value_ms <= 0 ? first_ms : value_ms > most_ms / 2 ? most_ms : 2 * value_ms;
    return next_ms > most_ms ? most_ms : next_ms;
}

static void connect_to(struct sim_consumer_driver *consumer, struct consumer_node *node)
{
    node->link = CONSUMER_LINK_CONNECTING;
    node->setup_deadline_ms = consumer->now_ms + node->setup_timeout_ms;
    node->connection = sim_network_connect(&consumer->world->network, sim_end_of_consumer(consumer->index),
                                           node->broker, 0, consumer);
}

bool consumer_is_ready(struct sim_consumer_driver *consumer, int32_t key, int32_t broker)
{
    struct consumer_node *node = node_of(consumer, key, broker);
    if (node->link == CONSUMER_LINK_READY && consumer->now_ms >= node->throttled_until_ms) {
        return node->request_count < MAX_IN_FLIGHT;
    }
    if (node->link == CONSUMER_LINK_READY) {
        consumer_wake_at(consumer, node->throttled_until_ms);
    } else if (node->link == CONSUMER_LINK_NONE && consumer->now_ms >= node->retry_ms) {
        connect_to(consumer, node);
    } else if (node->link == CONSUMER_LINK_NONE) {
        consumer_wake_at(consumer, node->retry_ms);
    }
    return false;
}

bool consumer_is_unavailable(const struct sim_consumer_driver *consumer, int32_t key)
{
    const struct consumer_node *node = consumer_node_at(consumer, key);
    return node != NULL && node->link == CONSUMER_LINK_NONE && consumer->now_ms < node->retry_ms;
}

bool consumer_has_requests(const struct sim_consumer_driver *consumer, int32_t key)
{
    const struct consumer_node *node = consumer_node_at(consumer, key);
    return node != NULL && node->request_count > 0;
}

/* Ready and idle before ready and busy before connecting before one that could be connected to.
 * Kafka: NetworkClient.leastLoadedNode. */
bool consumer_least_loaded(struct sim_consumer_driver *consumer, int32_t *key, int32_t *broker)
{
    const struct sim_scenario *scenario = consumer->world->scenario;
    bool is_bootstrap = consumer->broker_count == 0;
    uint32_t count = is_bootstrap ? scenario->broker_count : consumer->broker_count;
    uint32_t first = (uint32_t)(kb_prng_next(&consumer->prng) % count);
    uint32_t best_rank = UINT32_MAX;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = (first + i) % count;
        int32_t candidate = is_bootstrap ? -1 - (int32_t)place : consumer->brokers[place];
        const struct consumer_node *node = consumer_node_at(consumer, candidate);
        uint32_t rank = 2 * MAX_IN_FLIGHT; /* could be connected to */
        if (node != NULL && node->link == CONSUMER_LINK_READY) {
            rank = consumer->now_ms >= node->throttled_until_ms ? node->request_count : UINT32_MAX;
        } else if (node != NULL && node->link != CONSUMER_LINK_NONE) {
            rank = MAX_IN_FLIGHT;
        } else if (node != NULL && consumer->now_ms < node->retry_ms) {
            consumer_wake_at(consumer, node->retry_ms);
            rank = UINT32_MAX;
        }
        if (rank < best_rank) {
            best_rank = rank;
            *key = candidate;
            *broker = is_bootstrap ? scenario->broker_ids[place] : candidate;
        }
    }
    return best_rank != UINT32_MAX;
}

/* --- Requests --- */

int16_t consumer_version(const struct sim_consumer_driver *consumer, int32_t key, enum kw_api_key api)
{
    const struct consumer_node *node = consumer_node_at(consumer, key);
    int16_t ours = kw_api_find((int16_t)api)->max_version;
    KB_ASSERT(node != NULL);
    if (api == KW_API_API_VERSIONS || node->max_versions[api] > ours) {
        return ours;
    }
    return node->max_versions[api];
}

static void write_out(struct sim_consumer_driver *consumer, struct consumer_node *node,
                      const struct consumer_request *request, const void *body)
{
    struct kw_frame frame = {
        .api = request->api,
        .version = request->version,
        .is_request = true,
        .correlation_id = (int32_t)request->correlation,
        .client_id = consumer_text(consumer->config->client_id),
        .body = body,
    };
    size_t size_bytes = 0;
    struct kw_message_error error;
    enum kw_message_status status = kw_frame_size(&frame, &size_bytes, NULL, &error);
    KB_ASSERT(status == KW_MESSAGE_OK);
    uint8_t *bytes = consumer_allocate(size_bytes, 1);
    struct kw_writer writer;
    kw_writer_init(&writer, bytes, size_bytes);
    status = kw_frame_encode(&frame, &writer, NULL, &error);
    KB_ASSERT(status == KW_MESSAGE_OK);
    uint64_t cause =
        KB_TRACE(consumer_trace(consumer), 0, CONSUMER_REQUEST, consumer_request, .consumer = consumer->name,
                 .request = request->correlation, .broker = node->broker, .api = request->api->key,
                 .version = request->version, .bytes = (int32_t)size_bytes);
    struct sim_segment segment = {bytes, size_bytes};
    struct sim_packet_label label = {.request = request->correlation, .api = request->api->key};
    sim_network_send(&consumer->world->network, node->connection, sim_end_of_consumer(consumer->index),
                     &segment, 1, &label, cause);
    free(bytes);
}

void consumer_send(struct sim_consumer_driver *consumer, int32_t key, enum kw_api_key api, const void *body,
                   struct consumer_asked *asked, uint32_t asked_count)
{
    enum { JOIN_TIMEOUT_LAPSE_MS = 5000 };
    struct consumer_node *node = consumer_node_at(consumer, key);
    struct consumer_request *request = consumer_allocate(1, sizeof *request);
    KB_ASSERT(node != NULL && node->connection != NULL);
    request->correlation = consumer->next_correlation++;
    request->api = kw_api_find((int16_t)api);
    request->version = consumer_version(consumer, key, api);
    request->node = key;
    request->sent_ms = consumer->now_ms;
    request->timeout_ms = consumer->config->request_timeout_ms;
    if (api == KW_API_JOIN_GROUP &&
        request->timeout_ms < consumer->config->max_poll_interval_ms + JOIN_TIMEOUT_LAPSE_MS) {
        request->timeout_ms = consumer->config->max_poll_interval_ms + JOIN_TIMEOUT_LAPSE_MS;
    }
    request->assignment = consumer->assignment;
    request->generation = consumer->group.generation;
    request->asked = asked;
    request->asked_count = asked_count;
    kb_list_push_back(&node->requests, &request->of_node);
    node->request_count++;
    node->has_fetch = node->has_fetch || api == KW_API_FETCH;
    write_out(consumer, node, request, body);
}

static void ask_api_versions(struct sim_consumer_driver *consumer, struct consumer_node *node)
{
    struct kw_api_versions_request request;
    kw_api_versions_request_init(&request);
    request.client_software_name = consumer_text(software_name);
    request.client_software_version = consumer_text(software_version);
    node->link = CONSUMER_LINK_CHECKING;
    consumer_send(consumer, node->key, KW_API_API_VERSIONS, &request, NULL, 0);
}

static void take_api_versions(struct consumer_node *node, const struct kw_api_versions_response *response)
{
    for (int32_t i = 0; i < response->api_keys.count; i++) {
        const struct kw_api_versions_response_api *api = &response->api_keys.items[i];
        if (api->api_key >= 0 && api->api_key < KW_API_COUNT) {
            node->max_versions[api->api_key] = api->max_version;
        }
    }
    node->link = CONSUMER_LINK_READY;
    node->backoff_ms = 0;
}

/* body is NULL when there will be no answer. */
static void handle(struct sim_consumer_driver *consumer, struct consumer_node *node,
                   const struct consumer_request *request, const void *body)
{
    switch ((int)request->api->key) {
    case KW_API_API_VERSIONS:
        if (body != NULL) {
            take_api_versions(node, body);
        }
        break;
    case KW_API_METADATA:
        consumer_on_metadata(consumer, body);
        break;
    case KW_API_FETCH:
        node->has_fetch = false;
        consumer_on_fetch(consumer, request, body);
        break;
    case KW_API_LIST_OFFSETS:
        consumer_on_list_offsets(consumer, request, body);
        break;
    case KW_API_OFFSET_FOR_LEADER_EPOCH:
        consumer_on_epoch_ends(consumer, request, body);
        break;
    case KW_API_FIND_COORDINATOR:
        consumer_on_find_coordinator(consumer, body);
        break;
    case KW_API_OFFSET_FETCH:
        consumer_on_offset_fetch(consumer, request, body);
        break;
    case KW_API_OFFSET_COMMIT:
        consumer_on_offset_commit(consumer, request, body);
        break;
    case KW_API_JOIN_GROUP:
        consumer_on_join(consumer, request, body);
        break;
    case KW_API_SYNC_GROUP:
        consumer_on_sync(consumer, request, body);
        break;
    case KW_API_HEARTBEAT:
        consumer_on_heartbeat(consumer, request, body);
        break;
    default:
        break; /* LeaveGroup: whatever the answer is */
    }
}

static void drop_request(struct consumer_request *request)
{
    free(request->asked);
    free(request);
}

/* The connection is of no use any more: what is in flight fails, and the node is left alone for a while. */
static void disconnect(struct sim_consumer_driver *consumer, struct consumer_node *node)
{
    const struct sim_consumer_config *config = consumer->config;
    bool was_setting_up = node->link == CONSUMER_LINK_CONNECTING;
    if (node->connection != NULL) {
        sim_network_close(&consumer->world->network, node->connection, sim_end_of_consumer(consumer->index));
    }
    node->connection = NULL;
    node->link = CONSUMER_LINK_NONE;
    node->is_new = node->is_ended = false;
    node->inbox_bytes = 0;
    node->backoff_ms =
        doubled(node->backoff_ms, config->reconnect_backoff_ms, config->reconnect_backoff_max_ms);
    node->retry_ms = consumer->now_ms + node->backoff_ms;
    node->setup_timeout_ms = was_setting_up
                                 ? doubled(node->setup_timeout_ms, config->connection_setup_timeout_ms,
                                           config->connection_setup_timeout_max_ms)
                                 : config->connection_setup_timeout_ms;
    consumer->is_metadata_wanted = true; /* Kafka: NetworkClient.handleDisconnections */
    struct kb_list failed;
    kb_list_init(&failed);
    for (struct kb_list_node *first; (first = kb_list_pop_front(&node->requests)) != NULL;) {
        node->request_count--;
        kb_list_push_back(&failed, first);
    }
    for (struct kb_list_node *first; (first = kb_list_pop_front(&failed)) != NULL;) {
        struct consumer_request *request = KB_CONTAINER_OF(first, struct consumer_request, of_node);
        handle(consumer, node, request, NULL);
        drop_request(request);
    }
}

/* --- Responses --- */

static int32_t throttle_of(const struct kw_api *api, const void *body)
{
    const struct kw_field *field = kw_schema_find_field(api->response, "throttleTimeMs");
    int32_t throttle_ms = 0;
    if (field != NULL) {
        memcpy(&throttle_ms, (const char *)body + field->offset_bytes, sizeof throttle_ms);
    }
    return throttle_ms;
}

/* False: it makes no sense, and nothing behind it will. */
static bool take_frame(struct sim_consumer_driver *consumer, struct consumer_node *node, const uint8_t *bytes,
                       size_t length_bytes)
{
    struct kb_list_node *first = kb_list_first(&node->requests);
    if (first == NULL) {
        return false;
    }
    struct consumer_request *request = KB_CONTAINER_OF(first, struct consumer_request, of_node);
    struct kw_reader reader;
    struct kw_response_header header;
    struct kw_message_error error;
    kw_reader_init(&reader, bytes, length_bytes);
    kb_arena_reset(&consumer->arena);
    if (kw_response_header_decode(request->api, request->version, &reader, &header, &error) !=
            KW_MESSAGE_OK ||
        header.correlation_id != (int32_t)request->correlation) {
        return false;
    }
    void *body = kb_arena_allocate_zeroed(&consumer->arena, 1, request->api->response->struct_size_bytes);
    KB_ASSERT(body != NULL);
    if (kw_message_decode(request->api->response, request->version, &reader, &consumer->arena, body,
                          &error) != KW_MESSAGE_OK) {
        return false;
    }
    (void)kb_list_pop_front(&node->requests);
    node->request_count--;
    int32_t throttle_ms = throttle_of(request->api, body);
    if (throttle_ms > 0) {
        node->throttled_until_ms = consumer->now_ms + throttle_ms;
    }
    handle(consumer, node, request, body);
    drop_request(request);
    return true;
}

static void take_frames(struct sim_consumer_driver *consumer, struct consumer_node *node)
{
    size_t taken_bytes = 0;
    bool is_sound = true;
    while (is_sound && node->inbox_bytes - taken_bytes >= KW_FRAME_LENGTH_BYTES) {
        int32_t length_bytes = kw_load_i32(node->inbox + taken_bytes);
        if (length_bytes < 0 || length_bytes > FRAME_MAX_BYTES) {
            is_sound = false;
            break;
        }
        size_t whole_bytes = KW_FRAME_LENGTH_BYTES + (size_t)length_bytes;
        if (node->inbox_bytes - taken_bytes < whole_bytes) {
            break;
        }
        is_sound = take_frame(consumer, node, node->inbox + taken_bytes + KW_FRAME_LENGTH_BYTES,
                              (size_t)length_bytes);
        taken_bytes += whole_bytes;
    }
    node->inbox_bytes -= taken_bytes;
    if (taken_bytes > 0) {
        memmove(node->inbox, node->inbox + taken_bytes, node->inbox_bytes);
    }
    if (!is_sound) {
        disconnect(consumer, node);
    }
}

static bool has_timed_out(struct sim_consumer_driver *consumer, const struct consumer_node *node)
{
    if (node->link == CONSUMER_LINK_CONNECTING) {
        consumer_wake_at(consumer, node->setup_deadline_ms);
        return consumer->now_ms >= node->setup_deadline_ms;
    }
    KB_LIST_FOR_EACH(item, &node->requests)
    {
        const struct consumer_request *request = KB_CONTAINER_OF(item, struct consumer_request, of_node);
        consumer_wake_at(consumer, request->sent_ms + request->timeout_ms + 1);
        if (consumer->now_ms - request->sent_ms > request->timeout_ms) {
            return true;
        }
    }
    return false;
}

void consumer_poll_network(struct sim_consumer_driver *consumer)
{
    for (uint32_t i = 0; i < consumer->node_count; i++) {
        struct consumer_node *node = consumer->nodes[i];
        if (node->is_new) {
            node->is_new = false;
            node->setup_timeout_ms = consumer->config->connection_setup_timeout_ms;
            ask_api_versions(consumer, node);
        }
        take_frames(consumer, node);
        if (node->is_ended || has_timed_out(consumer, node)) {
            disconnect(consumer, node);
        }
    }
}

void consumer_disconnect_all(struct sim_consumer_driver *consumer)
{
    for (uint32_t i = 0; i < consumer->node_count; i++) {
        struct consumer_node *node = consumer->nodes[i];
        if (node->connection != NULL) {
            sim_network_close(&consumer->world->network, node->connection,
                              sim_end_of_consumer(consumer->index));
        }
        for (struct kb_list_node *item; (item = kb_list_pop_front(&node->requests)) != NULL;) {
            drop_request(KB_CONTAINER_OF(item, struct consumer_request, of_node));
        }
        free(node->inbox);
        free(node);
    }
    free(consumer->nodes);
    consumer->nodes = NULL;
    consumer->node_count = 0;
}

/* --- The network's word --- */

static void wake(struct sim_consumer_driver *consumer)
{
    struct sim_scheduler *scheduler = &consumer->world->scheduler;
    sim_scheduler_at_latest(scheduler, &consumer->pass, scheduler->now_us + 1);
}

void sim_consumer_established(struct sim_consumer_driver *consumer, struct sim_connection *connection)
{
    struct consumer_node *node = node_with(consumer, connection);
    if (node != NULL) {
        node->is_new = true;
        wake(consumer);
    }
}

void sim_consumer_ended(struct sim_consumer_driver *consumer, struct sim_connection *connection)
{
    struct consumer_node *node = node_with(consumer, connection);
    if (node != NULL) {
        node->is_ended = true;
        wake(consumer);
    }
}

void sim_consumer_received(struct sim_consumer_driver *consumer, struct sim_connection *connection,
                           const void *bytes, size_t length_bytes)
{
    struct consumer_node *node = node_with(consumer, connection);
    if (node == NULL) {
        return;
    }
    size_t needed_bytes = node->inbox_bytes + length_bytes;
    if (needed_bytes > node->inbox_capacity_bytes) {
        node->inbox_capacity_bytes = 2 * needed_bytes;
        uint8_t *grown = realloc(node->inbox, node->inbox_capacity_bytes);
        KB_ASSERT(grown != NULL);
        node->inbox = grown;
    }
    memcpy(node->inbox + node->inbox_bytes, bytes, length_bytes);
    node->inbox_bytes += length_bytes;
    wake(consumer);
}
