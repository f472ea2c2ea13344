#include "mockbroker/connection.h"

#include "base/assert.h"
#include "base/planted.h"
#include "mockbroker/fetch_session.h"
#include "mockbroker/replica_fetcher.h"
#include "mockbroker/request.h"
#include "wire/api_frame.h"

#include <string.h>

struct mb_connection *mb_connection_find(const struct mb_cluster *cluster, uint32_t id)
{
    return mb_map_find(&cluster->connections, id);
}

/* When the cluster settles. */
static void look_again(struct mb_cluster *cluster, struct mb_connection *connection)
{
    if (!kb_list_node_is_linked(&connection->ready)) {
        kb_list_push_back(&cluster->ready, &connection->ready);
    }
}

static void throttle_is_over(struct mb_cluster *cluster, struct mb_timer *timer)
{
    struct mb_connection *connection = KB_CONTAINER_OF(timer, struct mb_connection, throttled);
    connection->is_throttled = false;
    look_again(cluster, connection);
}

struct mb_connection *mb_connection_create(struct mb_cluster *cluster, uint32_t id)
{
    struct mb_connection *connection = mb_take(cluster->allocator, sizeof *connection);
    connection->id = id;
    connection->throttled.fire = throttle_is_over;
    connection->client_length_bytes = -1;
    mb_buffer_init(&connection->input, cluster->allocator);
    mb_map_insert(&cluster->connections, id, connection);
    return connection;
}

static void destroy_if_unused(struct mb_cluster *cluster, struct mb_connection *connection)
{
    if (connection->server == NULL && connection->fetcher == NULL && !connection->is_being_read) {
        if (!connection->is_gone) {
            mb_map_remove(&cluster->connections, connection->id);
        }
        mb_buffer_release(&connection->input);
        mb_give(cluster->allocator, connection, sizeof *connection);
    }
}

void mb_connection_announce_close(struct mb_cluster *cluster, uint32_t connection, int32_t from, int32_t to)
{
    struct mb_pending_output *output = mb_output_create(cluster->allocator, MB_OUTPUT_CLOSE);
    output->out.connection = connection;
    output->out.from = from;
    output->out.to = to;
    mb_output_push(&cluster->outputs, output);
}

static void forget_client(const struct mb_cluster *cluster, struct mb_connection *connection)
{
    if (connection->client != NULL) {
        mb_give(cluster->allocator, connection->client, (size_t)connection->client_length_bytes + 1);
        connection->client = NULL;
    }
    connection->client_length_bytes = -1;
}

void mb_connection_name_client(struct mb_connection *connection, struct kw_string client)
{
    const struct mb_cluster *cluster = connection->server->cluster;
    if (connection->client_length_bytes == client.length_bytes &&
        (client.length_bytes <= 0 ||
         memcmp(connection->client, client.data, (size_t)client.length_bytes) == 0)) {
        return;
    }
    forget_client(cluster, connection);
    if (client.length_bytes >= 0) {
        connection->client = mb_take(cluster->allocator, (size_t)client.length_bytes + 1);
        memcpy(connection->client, client.data, (size_t)client.length_bytes);
        connection->client_length_bytes = client.length_bytes;
    }
}

static void end_server(struct mb_cluster *cluster, struct mb_connection *connection)
{
    if (connection->in_service != NULL) {
        mb_request_abandon(connection->in_service);
        KB_ASSERT(connection->in_service == NULL);
    }
    if (connection->session != NULL) {
        mb_fetch_session_close(connection->session);
    }
    if (kb_list_node_is_linked(&connection->ready)) {
        kb_list_remove(&connection->ready);
    }
    mb_timer_cancel(cluster, &connection->throttled);
    kb_list_remove(&connection->of_broker);
    forget_client(cluster, connection);
    connection->server = NULL;
    mb_buffer_release(&connection->input);
}

static void drop_server(struct mb_cluster *cluster, struct mb_connection *connection)
{
    end_server(cluster, connection);
    destroy_if_unused(cluster, connection);
}

/* The socket is closed. Kafka's Processor forgets the channel, and what is in service never hears of it. A
 * fetch changes nothing any more, so it is dropped; brokers send nothing else. */
static void leave(struct mb_cluster *cluster, struct mb_connection *connection, bool reads_on)
{
    if (connection->in_service != NULL && connection->in_service->fetch != NULL) {
        mb_request_abandon(connection->in_service);
    }
    bool has_more = reads_on && mb_buffer_length_bytes(&connection->input) > 0;
    if (connection->from != MB_FROM_CLIENT || connection->is_hung ||
        (connection->in_service == NULL && !has_more)) {
        drop_server(cluster, connection);
        return;
    }
    if (connection->session != NULL) {
        mb_fetch_session_close(connection->session);
    }
    mb_map_remove(&cluster->connections, connection->id);
    connection->is_gone = true;
    connection->reads_on = reads_on;
    look_again(cluster, connection);
}

void mb_connection_close(struct mb_cluster *cluster, struct mb_connection *connection)
{
    if (connection->is_gone) {
        connection->reads_on = false;
        look_again(cluster, connection);
        return;
    }
    mb_connection_announce_close(cluster, connection->id, connection->server->id, connection->from);
    leave(cluster, connection, false);
}

void mb_connection_kill(struct mb_cluster *cluster, struct mb_connection *connection)
{
    if (!connection->is_gone) {
        mb_connection_announce_close(cluster, connection->id, connection->server->id, connection->from);
    }
    drop_server(cluster, connection);
}

/* The client's host takes the first answer and resets the connection; writing another one fails, and with it
 * the rest of the socket is given up. Kafka: Selector.pollSelectionKeys, CloseMode.NOTIFY_ONLY. */
void mb_connection_answer_lost(struct mb_connection *connection)
{
    KB_ASSERT(connection->is_gone);
    connection->reads_on = connection->reads_on && !connection->is_reset;
    connection->is_reset = true;
}

void mb_connection_drop_fetcher(struct mb_cluster *cluster, struct mb_connection *connection)
{
    connection->fetcher = NULL;
    destroy_if_unused(cluster, connection);
}

void mb_connection_unmute(struct mb_cluster *cluster, struct mb_connection *connection)
{
    connection->in_service = NULL;
    if (mb_buffer_length_bytes(&connection->input) > 0 || connection->is_gone) {
        look_again(cluster, connection);
    }
}

static bool may_read(const struct mb_connection *connection)
{
    return connection->server != NULL && connection->in_service == NULL && !connection->is_hung &&
           (!connection->is_gone || connection->reads_on) &&
           (!connection->is_throttled || KB_PLANTED(CONNECTION_NOT_THROTTLED)) &&
           !connection->server->is_frozen;
}

/* The length of the frame at the front, when it is there as a whole; -1: not yet; -2: absurd.
 * Kafka: NetworkReceive.readFrom throws InvalidReceiveException, and the connection is closed. */
static int64_t whole_frame(const struct mb_cluster *cluster, const uint8_t *bytes, size_t length_bytes)
{
    if (length_bytes < KW_FRAME_LENGTH_BYTES) {
        return -1;
    }
    int32_t length = kw_load_i32(bytes);
    if (length < 0 || length > mb_setting(cluster, MB_SETTING_SOCKET_REQUEST_MAX_BYTES)) {
        return -2;
    }
    return length_bytes - KW_FRAME_LENGTH_BYTES < (size_t)length ? -1 : length;
}

/* One request after the other; true: nothing more can come before something happens. False: there is not a
 * whole one. */
static bool read_requests(struct mb_cluster *cluster, struct mb_connection *connection)
{
    while (may_read(connection)) {
        const uint8_t *front = mb_buffer_front(&connection->input);
        if (mb_point_request_cut(cluster, connection, front, mb_buffer_length_bytes(&connection->input))) {
            return true;
        }
        int64_t length = whole_frame(cluster, front, mb_buffer_length_bytes(&connection->input));
        if (length == -1) {
            return false;
        }
        if (length == -2 ||
            !mb_request_serve(cluster, connection, front + KW_FRAME_LENGTH_BYTES, (size_t)length)) {
            mb_connection_close(cluster, connection);
            return true;
        }
        if (connection->in_service != NULL) {
            connection->in_service->arrived = NULL;
        }
        connection->is_front_known = false;
        if (connection->server != NULL) {
            mb_buffer_take(&connection->input, (size_t)length + KW_FRAME_LENGTH_BYTES);
        }
    }
    return true;
}

void mb_connection_read(struct mb_cluster *cluster, struct mb_connection *connection)
{
    connection->is_being_read = true;
    bool may_go_on = read_requests(cluster, connection);
    connection->is_being_read = false;
    bool is_over = connection->is_gone && connection->server != NULL && connection->in_service == NULL &&
                   (!may_go_on || !connection->reads_on || connection->is_hung);
    if (is_over) {
        end_server(cluster, connection);
    }
    destroy_if_unused(cluster, connection);
}

/* --- The public side --- */

bool mb_connection_opened(struct mb_cluster *cluster, uint32_t connection_id, int32_t from, int32_t to,
                          int64_t now_us)
{
    mb_cluster_begin(cluster, now_us);
    struct mb_broker *broker = mb_broker_of(cluster, to);
    struct mb_connection *connection = mb_connection_find(cluster, connection_id);
    if (broker == NULL || !mb_broker_is_running(broker) ||
        (connection != NULL && connection->server != NULL)) {
        return false;
    }
    if (connection == NULL) {
        connection = mb_connection_create(cluster, connection_id);
    }
    connection->server = broker;
    connection->from = from;
    connection->throttled.broker = broker;
    kb_list_push_back(&broker->connections, &connection->of_broker);
    return true;
}

void mb_connection_closed(struct mb_cluster *cluster, uint32_t connection_id, int32_t at, int64_t now_us)
{
    mb_cluster_begin(cluster, now_us);
    struct mb_connection *connection = mb_connection_find(cluster, connection_id);
    if (connection == NULL) {
        return;
    }
    if (connection->server != NULL && connection->server->id == at) {
        leave(cluster, connection, true);
    } else if (connection->fetcher != NULL && connection->fetcher->broker->id == at) {
        mb_fetcher_disconnected(connection->fetcher);
    }
    mb_cluster_settle(cluster);
}

void mb_receive(struct mb_cluster *cluster, uint32_t connection_id, int32_t at, const void *bytes,
                size_t length_bytes, int64_t now_us)
{
    mb_cluster_begin(cluster, now_us);
    struct mb_connection *connection = mb_connection_find(cluster, connection_id);
    if (connection == NULL) {
        return;
    }
    if (connection->server != NULL && connection->server->id == at) {
        mb_buffer_append(&connection->input, bytes, length_bytes);
        mb_connection_read(cluster, connection);
    } else if (connection->fetcher != NULL && connection->fetcher->broker->id == at) {
        mb_fetcher_receive(connection->fetcher, bytes, length_bytes);
    }
    mb_cluster_settle(cluster);
}

void mb_connect_numbered(struct mb_cluster *cluster, uint64_t message, uint32_t connection_id)
{
    struct mb_connecting *connecting = mb_map_remove(&cluster->connecting, message);
    if (connecting != NULL) {
        mb_fetcher_numbered(cluster, connecting, connection_id);
    }
}

void mb_connection_ready(struct mb_cluster *cluster, uint32_t connection_id, int64_t now_us)
{
    mb_cluster_begin(cluster, now_us);
    struct mb_connection *connection = mb_connection_find(cluster, connection_id);
    if (connection != NULL && connection->fetcher != NULL) {
        mb_fetcher_connected(connection->fetcher);
    }
    mb_cluster_settle(cluster);
}

bool mb_disconnect_clients(struct mb_cluster *cluster, int32_t broker_id, int64_t now_us)
{
    mb_cluster_begin(cluster, now_us);
    struct mb_broker *broker = mb_broker_of(cluster, broker_id);
    if (broker == NULL || !mb_broker_is_running(broker)) {
        return false;
    }
    struct kb_list_node *next = NULL;
    for (struct kb_list_node *node = kb_list_first(&broker->connections); node != NULL; node = next) {
        next = kb_list_next(&broker->connections, node);
        struct mb_connection *connection = KB_CONTAINER_OF(node, struct mb_connection, of_broker);
        if (connection->from == MB_FROM_CLIENT) {
            mb_connection_close(cluster, connection);
        }
    }
    mb_cluster_settle(cluster);
    return true;
}
