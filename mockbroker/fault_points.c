/*
 * Faults at points of a request's life.
 *
 * When a request reaches a point that a fault waits at, the request stops there and the fault is written down
 * as a hit. It is carried out when the cluster settles, before anything else: a broker must not die under
 * code that works on it. Nothing can come in between, because a request is served by one call from outside,
 * and that call settles before it returns.
 */
#include "mockbroker/fault.h"

#include "base/assert.h"
#include "mockbroker/broker.h"
#include "mockbroker/connection.h"
#include "mockbroker/request.h"
#include "wire/api_frame.h"

struct mb_hit {
    struct kb_list_node node;
    struct mb_request_fault fault; /* without its texts */
    struct mb_broker *broker;
    struct mb_request *request; /* NULL: its frame was not there as a whole, or it is gone */
    uint32_t connection;
};

/* --- Hitting
 * -----------------------------------------------------------------------------------------------------------
 */

static struct mb_hit *hit(struct mb_connection *connection, const struct mb_injected *injected)
{
    struct mb_broker *broker = connection->server;
    struct mb_cluster *cluster = broker->cluster;
    struct mb_hit *made = mb_take(cluster->allocator, sizeof *made);
    *made = (struct mb_hit){.fault = injected->fault, .broker = broker, .connection = connection->id};
    made->fault.topic = NULL;
    made->fault.client = NULL;
    kb_list_push_back(&cluster->faults.hits, &made->node);
    return made;
}

static void announce(const struct mb_hit *made, int32_t api, int32_t correlation_id, struct kw_string topic,
                     int32_t partition)
{
    struct kb_trace *trace = made->broker->cluster->trace;
    uint32_t name =
        topic.length_bytes > 0 ? kb_trace_intern(trace, topic.data, (size_t)topic.length_bytes) : 0;
    KB_TRACE(trace, 0, FAULT, fault, .fault = mb_fault_trace_kind(made->fault.kind),
             .broker = made->broker->id, .other = made->fault.link, .topic = name, .partition = partition,
             .point = (int32_t)made->fault.point, .api = api, .connection = made->connection,
             .request = (uint32_t)correlation_id);
}

static bool is_met(struct mb_injected *injected, const struct mb_request *request, enum mb_fault_point point,
                   struct kw_string topic, int32_t partition)
{
    bool is_whole = topic.length_bytes < 0;
    return injected->fault.point == point &&
           mb_injected_meets(injected, request->broker, mb_request_client(request), request->api->key) &&
           (is_whole ? mb_injected_meets_content(injected, request)
                     : mb_injected_names(injected, topic, partition)) &&
           mb_injected_counts(injected);
}

bool mb_point_reached(struct mb_request *request, enum mb_fault_point point, struct kw_string topic,
                      int32_t partition)
{
    struct mb_cluster *cluster = request->cluster;
    /* Faults are for clients: replication between brokers is disturbed by links and slow replicas. */
    if (kb_list_is_empty(&cluster->faults.queue) || request->connection->from != MB_FROM_CLIENT) {
        return false;
    }
    KB_LIST_FOR_EACH(node, &cluster->faults.queue)
    {
        struct mb_injected *injected = KB_CONTAINER_OF(node, struct mb_injected, node);
        if (is_met(injected, request, point, topic, partition)) {
            KB_ASSERT(request->hit == NULL);
            request->hit = hit(request->connection, injected);
            request->hit->request = request;
            request->stopped_at = point;
            announce(request->hit, request->api->key, request->correlation_id, topic, partition);
            mb_injected_spend(cluster, injected);
            /* It may go on much later, when the connection's buffer has moved on. */
            mb_request_keep_frame(request);
            return true;
        }
    }
    return false;
}

bool mb_point_request_cut(struct mb_cluster *cluster, struct mb_connection *connection, const uint8_t *bytes,
                          size_t length_bytes)
{
    if (cluster->faults.request_cut_count == 0 || connection->is_front_known || connection->is_gone ||
        connection->from != MB_FROM_CLIENT || length_bytes < KW_FRAME_LENGTH_BYTES) {
        return false;
    }
    int64_t whole_bytes = (int64_t)kw_load_i32(bytes) + KW_FRAME_LENGTH_BYTES;
    if (whole_bytes < KW_FRAME_LENGTH_BYTES || (int64_t)length_bytes * 2 < whole_bytes) {
        return false;
    }
    struct kw_reader reader;
    kw_reader_init(&reader, bytes + KW_FRAME_LENGTH_BYTES, length_bytes - KW_FRAME_LENGTH_BYTES);
    struct kw_request_header header;
    const struct kw_api *api = NULL;
    struct kw_message_error error;
    if (kw_request_header_decode(&reader, &header, &api, &error) != KW_MESSAGE_OK || api == NULL) {
        return false;
    }
    connection->is_front_known = true;
    KB_LIST_FOR_EACH(node, &cluster->faults.queue)
    {
        struct mb_injected *injected = KB_CONTAINER_OF(node, struct mb_injected, node);
        if (injected->fault.point == MB_POINT_REQUEST_CUT &&
            mb_injected_meets(injected, connection->server, header.client_id, api->key) &&
            mb_injected_counts(injected)) {
            announce(hit(connection, injected), api->key, header.correlation_id, MB_WHOLE_REQUEST, -1);
            mb_injected_spend(cluster, injected);
            connection->is_hung = true; /* until it is closed, which is at once */
            return true;
        }
    }
    return false;
}

void mb_hit_forget_request(struct mb_hit *made)
{
    made->request = NULL;
}

/* --- Carrying out
 * ------------------------------------------------------------------------------------------------------ */

static void tell_driver(const struct mb_hit *made)
{
    struct mb_cluster *cluster = made->broker->cluster;
    struct mb_pending_output *output = mb_output_create(cluster->allocator, MB_OUTPUT_FAULT);
    output->out.from = made->broker->id;
    output->out.fault = (int32_t)made->fault.kind;
    output->out.link = made->fault.link;
    output->out.one_way = made->fault.one_way;
    output->out.undo_after_us = made->fault.undo_after_us;
    mb_output_push(&cluster->outputs, output);
}

static void kill(const struct mb_hit *made)
{
    struct mb_broker *broker = made->broker;
    if (made->fault.point == MB_POINT_RESPONSE_CUT && made->request != NULL) {
        mb_request_send_part(made->request, made->fault.cut_bytes);
    }
    if (broker->state == MB_BROKER_DOWN) {
        return; /* another request's hit came first */
    }
    mb_broker_stop(broker, false);
    mb_controller_silence(broker->cluster, broker->index);
    tell_driver(made);
}

static void go_on(const struct mb_hit *made)
{
    if (made->request != NULL) {
        made->request->hit = NULL;
        mb_request_resume(made->request);
    }
}

static void disconnect(const struct mb_hit *made)
{
    struct mb_connection *connection = made->request != NULL
                                           ? made->request->connection
                                           : mb_connection_find(made->broker->cluster, made->connection);
    if (connection == NULL || connection->server == NULL) {
        return;
    }
    if (made->fault.point == MB_POINT_RESPONSE_CUT && made->request != NULL) {
        mb_request_send_part(made->request, made->fault.cut_bytes);
        mb_request_close_connection(made->request);
        return;
    }
    mb_connection_close(made->broker->cluster, connection);
    go_on(made); /* a request that is being carried out does not look at its connection */
}

static void drop(const struct mb_hit *made)
{
    if (made->request != NULL) {
        made->request->hit = NULL;
        made->request->connection->is_hung = true;
        mb_request_finish(made->request);
    }
}

static void carry_out(struct mb_hit *made)
{
    switch (made->fault.kind) {
    case MB_FAULT_KILL:
        kill(made);
        return;
    case MB_FAULT_SHUTDOWN:
        if (mb_broker_begin_shutdown(made->broker)) {
            tell_driver(made);
        }
        go_on(made);
        return;
    case MB_FAULT_FREEZE:
        if (mb_broker_freeze(made->broker)) {
            tell_driver(made);
        }
        go_on(made); /* frozen: when it thaws */
        return;
    case MB_FAULT_CUT_LINKS:
        tell_driver(made);
        go_on(made);
        return;
    case MB_FAULT_DISCONNECT:
        disconnect(made);
        return;
    case MB_FAULT_DROP_REQUEST:
    case MB_FAULT_DROP_RESPONSE:
        drop(made);
        return;
    case MB_FAULT_ERROR:
    case MB_FAULT_DELAY_RESPONSE:
    case MB_FAULT_THROTTLE:
    case MB_FAULT_CORRUPT_BATCH:
        break; /* mb_fault_check lets none of these wait at a point */
    }
    KB_UNREACHABLE();
}

bool mb_faults_carry_out(struct mb_cluster *cluster)
{
    struct kb_list_node *node = kb_list_pop_front(&cluster->faults.hits);
    if (node == NULL) {
        return false;
    }
    struct mb_hit *made = KB_CONTAINER_OF(node, struct mb_hit, node);
    carry_out(made);
    mb_give(cluster->allocator, made, sizeof *made);
    return true;
}
