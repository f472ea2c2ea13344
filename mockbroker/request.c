#include "mockbroker/request.h"

#include "base/assert.h"
#include "mockbroker/broker.h"
#include "mockbroker/client_quota.h"
#include "mockbroker/connection.h"
#include "mockbroker/delayed_fetch.h"
#include "mockbroker/delayed_produce.h"
#include "wire/api_frame.h"

#include <string.h>

enum { ARENA_BLOCK_BYTES = 4096 };

typedef void handler(struct mb_request *request);

/* What is served. */
static handler *const handlers[KW_API_COUNT] = {
    [KW_API_PRODUCE] = mb_handle_produce,
    [KW_API_FETCH] = mb_handle_fetch,
    [KW_API_LIST_OFFSETS] = mb_handle_list_offsets,
    [KW_API_METADATA] = mb_handle_metadata,
    [KW_API_API_VERSIONS] = mb_handle_api_versions,
    [KW_API_FIND_COORDINATOR] = mb_handle_find_coordinator,
    [KW_API_INIT_PRODUCER_ID] = mb_handle_init_producer_id,
    [KW_API_OFFSET_FOR_LEADER_EPOCH] = mb_handle_offset_for_leader_epoch,
    [KW_API_ADD_PARTITIONS_TO_TXN] = mb_handle_add_partitions_to_txn,
    [KW_API_ADD_OFFSETS_TO_TXN] = mb_handle_add_offsets_to_txn,
    [KW_API_END_TXN] = mb_handle_end_txn,
    [KW_API_TXN_OFFSET_COMMIT] = mb_handle_txn_offset_commit,
    [KW_API_JOIN_GROUP] = mb_handle_join_group,
    [KW_API_SYNC_GROUP] = mb_handle_sync_group,
    [KW_API_HEARTBEAT] = mb_handle_heartbeat,
    [KW_API_LEAVE_GROUP] = mb_handle_leave_group,
    [KW_API_OFFSET_COMMIT] = mb_handle_offset_commit,
    [KW_API_OFFSET_FETCH] = mb_handle_offset_fetch,
    [KW_API_CREATE_TOPICS] = mb_handle_create_topics,
};

bool mb_api_is_served(int16_t api_key)
{
    return api_key >= 0 && api_key < KW_API_COUNT && handlers[api_key] != NULL;
}

void *mb_request_take(struct mb_request *request, size_t count, size_t item_bytes)
{
    KB_ASSERT(item_bytes == 0 || count <= SIZE_MAX / item_bytes);
    void *memory = kb_arena_allocate(&request->arena, count * item_bytes);
    KB_ASSERT(memory != NULL || count * item_bytes == 0);
    if (count * item_bytes > 0) {
        memset(memory, 0, count * item_bytes);
    }
    return memory;
}

struct kw_string mb_request_keep(struct mb_request *request, struct kw_string text)
{
    if (text.length_bytes < 0) {
        return text;
    }
    char *copy = mb_request_take(request, (size_t)text.length_bytes + 1, 1);
    if (text.length_bytes > 0) {
        memcpy(copy, text.data, (size_t)text.length_bytes);
    }
    return (struct kw_string){copy, text.length_bytes};
}

/* --- Begin and end --- */

static void delay_is_over(struct mb_cluster *cluster, struct mb_timer *timer);
static void disk_is_done(struct mb_cluster *cluster, struct mb_timer *timer);
static void broker_thaws(struct mb_cluster *cluster, struct mb_timer *timer);

static struct mb_request *begin(struct mb_cluster *cluster, struct mb_connection *connection)
{
    struct kb_list_node *spare = kb_list_pop_front(&cluster->spare_requests);
    struct mb_request *request;
    struct kb_arena arena;
    if (spare != NULL) {
        request = KB_CONTAINER_OF(spare, struct mb_request, spare);
        arena = request->arena;
    } else {
        request = mb_take(cluster->allocator, sizeof *request);
        kb_arena_init(&arena, cluster->allocator, ARENA_BLOCK_BYTES, 0);
    }
    *request = (struct mb_request){
        .cluster = cluster,
        .broker = connection->server,
        .connection = connection,
        .arena = arena,
        .disk = {.fire = disk_is_done, .broker = connection->server},
        .delay = {.fire = delay_is_over, .broker = connection->server},
        .thaw = {.fire = broker_thaws, .broker = connection->server},
    };
    connection->in_service = request;
    return request;
}

static void end(struct mb_request *request)
{
    struct mb_cluster *cluster = request->cluster;
    KB_ASSERT(request->produce == NULL && request->fetch == NULL && request->waits_for == NULL);
    mb_timer_cancel(cluster, &request->disk);
    mb_timer_cancel(cluster, &request->delay);
    mb_timer_cancel(cluster, &request->thaw);
    if (request->hit != NULL) {
        mb_hit_forget_request(request->hit);
    }
    if (request->response != NULL) {
        mb_output_destroy(cluster->allocator, request->response);
    }
    if (request->frame != NULL) {
        mb_block_drop(cluster->allocator, request->frame);
    }
    kb_arena_reset(&request->arena);
    kb_list_push_front(&cluster->spare_requests, &request->spare);
}

void mb_request_finish(struct mb_request *request)
{
    struct mb_connection *connection = request->connection;
    struct mb_cluster *cluster = request->cluster;
    end(request);
    mb_connection_unmute(cluster, connection);
}

void mb_request_abandon(struct mb_request *request)
{
    if (request->produce != NULL) {
        mb_delayed_produce_cancel(request->produce);
    }
    if (request->fetch != NULL) {
        mb_delayed_fetch_cancel(request->fetch);
    }
    if (request->waits_for != NULL) {
        request->forget(request);
        request->waits_for = NULL;
    }
    request->connection->in_service = NULL;
    end(request);
}

void mb_request_close_connection(struct mb_request *request)
{
    struct mb_connection *connection = request->connection;
    struct mb_cluster *cluster = request->cluster;
    mb_request_abandon(request);
    mb_connection_close(cluster, connection);
}

/* --- Serving --- */

/* Kafka: RequestContext.parseRequest: a version of ApiVersions that is too new has an unreadable body, and is
 * answered all the same. Any other version or body that does not fit ends the connection. */
static bool decode(struct mb_request *request, struct kw_reader *reader)
{
    const struct kw_api *api = request->api;
    if (!kw_api_has_version(api, request->version)) {
        return api->key == KW_API_API_VERSIONS;
    }
    request->body = mb_request_take(request, 1, api->request->struct_size_bytes);
    struct kw_message_error error;
    return kw_message_decode(api->request, request->version, reader, &request->arena, request->body,
                             &error) == KW_MESSAGE_OK;
}

static void dispatch(struct mb_request *request)
{
    mb_faults_strike(request);
    if (request->fault.is_struck && request->fault.kind == MB_FAULT_DROP_REQUEST) {
        request->connection->is_hung = true;
        mb_request_finish(request);
        return;
    }
    handlers[request->api->key](request);
}

/* Decode the copy. It was decoded before, so that it is fine. */
static void decode_kept(struct mb_request *request)
{
    struct kw_reader reader;
    kw_reader_init(&reader, request->frame->bytes, request->frame->size_bytes);
    struct kw_request_header header;
    const struct kw_api *api = NULL;
    struct kw_message_error error;
    bool is_fine =
        kw_request_header_decode(&reader, &header, &api, &error) == KW_MESSAGE_OK && decode(request, &reader);
    KB_ASSERT(is_fine);
}

void mb_request_keep_frame(struct mb_request *request)
{
    if (request->frame == NULL && request->arrived != NULL) {
        request->frame =
            mb_block_create(request->cluster->allocator, request->arrived, (uint32_t)request->arrived_bytes);
        decode_kept(request);
    }
}

bool mb_request_content_is_there(const struct mb_request *request)
{
    /* A produce request keeps the names itself, as its answer needs them. */
    return request->frame != NULL || request->arrived != NULL || request->api->key == KW_API_PRODUCE;
}

/* It is received as a whole. */
static void go_on(struct mb_request *request)
{
    if (request->broker->append_us > 0 && request->api->key == KW_API_PRODUCE) {
        /* The frame belongs to the connection's buffer: what waits for the disk needs its own. */
        mb_request_keep_frame(request);
        mb_timer_set(request->cluster, &request->disk, mb_broker_disk_done_us(request->broker));
        return;
    }
    dispatch(request);
}

bool mb_request_serve(struct mb_cluster *cluster, struct mb_connection *connection, const uint8_t *frame,
                      size_t length_bytes)
{
    struct kw_reader reader;
    kw_reader_init(&reader, frame, length_bytes);
    struct kw_request_header header;
    const struct kw_api *api = NULL;
    struct kw_message_error error;
    if (kw_request_header_decode(&reader, &header, &api, &error) != KW_MESSAGE_OK || api == NULL ||
        api->request == NULL || !mb_api_is_served(api->key)) {
        return false;
    }
    mb_connection_name_client(connection, header.client_id);
    struct mb_request *request = begin(cluster, connection);
    request->api = api;
    request->version = header.request_api_version;
    request->correlation_id = header.correlation_id;
    request->arrived = frame;
    request->arrived_bytes = length_bytes;
    request->size_bytes = (int32_t)length_bytes;
    if (connection->from == MB_FROM_CLIENT) {
        request->quota_sensor = mb_quota_sensor_of(request->broker, header.client_id);
    }
    KB_TRACE(cluster->trace, 0, REQUEST_ARRIVED, request_arrived, .broker = request->broker->id,
             .connection = connection->id, .request = (uint32_t)header.correlation_id, .api = api->key,
             .version = header.request_api_version);
    if (!decode(request, &reader)) {
        mb_request_abandon(request);
        return false;
    }
    if (cluster->faults.late_filter_count > 0) {
        mb_request_keep_frame(request);
    }
    if (!mb_point_reached(request, MB_POINT_REQUEST_RECEIVED, MB_WHOLE_REQUEST, -1)) {
        go_on(request);
    }
    return true;
}

static void disk_is_done(struct mb_cluster *cluster, struct mb_timer *timer)
{
    (void)cluster;
    dispatch(KB_CONTAINER_OF(timer, struct mb_request, disk));
}

/* --- Answering --- */

struct mb_pending_output *mb_request_begin_response(struct mb_request *request)
{
    return mb_output_create(request->cluster->allocator, MB_OUTPUT_BYTES);
}

static void encode(struct mb_request *request, int16_t version, const void *body,
                   struct mb_pending_output *output)
{
    const struct linger_allocator *allocator = request->cluster->allocator;
    struct kw_frame frame = {
        .api = request->api, .version = version, .correlation_id = request->correlation_id, .body = body};
    size_t size_bytes = 0;
    size_t records_bytes = 0;
    struct kw_message_error error;
    enum kw_message_status status = kw_frame_size(&frame, &size_bytes, &records_bytes, &error);
    KB_ASSERT(status == KW_MESSAGE_OK);
    output->memory_bytes = size_bytes - records_bytes;
    output->memory = mb_take(allocator, output->memory_bytes);
    struct kw_writer writer;
    kw_writer_init(&writer, output->memory, output->memory_bytes);

    uint32_t capacity = 2 * output->block_count + 1;
    struct kw_segment *scratch = mb_request_take(request, capacity, sizeof *scratch);
    struct kw_segment_list list = {.segments = scratch, .capacity = capacity};
    status = kw_frame_encode(&frame, &writer, &list, &error);
    KB_ASSERT(status == KW_MESSAGE_OK);
    output->segments = mb_reserve(allocator, output->segments, &output->segment_capacity,
                                  (uint32_t)list.count, sizeof *output->segments);
    for (size_t i = 0; i < list.count; i++) {
        output->segments[i] = (struct mb_segment){scratch[i].bytes, scratch[i].length_bytes};
    }
    output->out.segment_count = (uint32_t)list.count;
    output->out.length_bytes = size_bytes;
}

static void throttle(struct mb_request *request)
{
    /* Kafka: ClientQuotaManager.throttle: the answer leaves at once, the channel stays muted that long. */
    struct mb_connection *connection = request->connection;
    connection->is_throttled = true;
    mb_timer_set(request->cluster, &connection->throttled,
                 request->cluster->now_us + (int64_t)request->throttle_ms * 1000);
}

/* The client is gone: the answer goes nowhere. */
static void answer_nobody(struct mb_request *request)
{
    mb_connection_answer_lost(request->connection);
    mb_request_finish(request);
}

/* It leaves. */
static void send(struct mb_request *request)
{
    if (request->connection->is_gone) {
        answer_nobody(request);
        return;
    }
    if (mb_point_reached(request, MB_POINT_RESPONSE_CUT, MB_WHOLE_REQUEST, -1)) {
        return;
    }
    mb_output_push(&request->cluster->outputs, request->response);
    request->response = NULL;
    if (request->throttle_ms > 0) {
        throttle(request);
    }
    mb_request_finish(request);
}

static void delay_is_over(struct mb_cluster *cluster, struct mb_timer *timer)
{
    (void)cluster;
    send(KB_CONTAINER_OF(timer, struct mb_request, delay));
}

/* It is made: what may happen to it, happens. */
static void release(struct mb_request *request)
{
    struct mb_cluster *cluster = request->cluster;
    const struct mb_strike *fault = &request->fault;
    if (request->connection->is_gone) {
        answer_nobody(request);
        return;
    }
    if (fault->is_struck && fault->kind == MB_FAULT_DROP_RESPONSE) {
        request->connection->is_hung = true;
        mb_request_finish(request);
        return;
    }
    if (fault->is_struck && fault->kind == MB_FAULT_DISCONNECT) {
        mb_request_close_connection(request);
        return;
    }
    KB_TRACE(cluster->trace, 0, RESPONSE_SENT, response_sent, .broker = request->broker->id,
             .connection = request->connection->id, .request = (uint32_t)request->correlation_id,
             .api = request->api->key, .error = request->response_error);
    if (fault->is_struck && fault->kind == MB_FAULT_DELAY_RESPONSE && fault->delay_us > 0) {
        mb_timer_set(cluster, &request->delay, cluster->now_us + fault->delay_us);
        return;
    }
    send(request);
}

void mb_request_send_part(struct mb_request *request, uint32_t length_bytes)
{
    struct mb_pending_output *output = request->response;
    size_t left_bytes = length_bytes == 0                         ? output->out.length_bytes / 2
                        : length_bytes < output->out.length_bytes ? length_bytes
                                                                  : output->out.length_bytes - 1;
    output->out.length_bytes = left_bytes;
    uint32_t count = 0;
    for (; left_bytes > 0; count++) {
        struct mb_segment *segment = &output->segments[count];
        segment->length_bytes = segment->length_bytes < left_bytes ? segment->length_bytes : left_bytes;
        left_bytes -= segment->length_bytes;
    }
    output->out.segment_count = count;
    mb_output_push(&request->cluster->outputs, output);
    request->response = NULL;
}

void mb_request_respond_as(struct mb_request *request, int16_t version, const void *body, int32_t error,
                           struct mb_pending_output *output)
{
    if (output == NULL) {
        output = mb_request_begin_response(request);
    }
    encode(request, version, body, output);
    output->out.connection = request->connection->id;
    output->out.from = request->broker->id;
    output->out.to = request->connection->from;
    output->out.request = (uint32_t)request->correlation_id;
    output->out.api = request->api->key;
    output->out.is_response = true;
    request->response = output;
    request->response_error = error;
    if (!mb_point_reached(request, MB_POINT_BEFORE_RESPONSE, MB_WHOLE_REQUEST, -1)) {
        release(request);
    }
}

void mb_request_respond(struct mb_request *request, const void *body, int32_t error,
                        struct mb_pending_output *output)
{
    mb_request_respond_as(request, request->version, body, error, output);
}

/* --- Faults at points --- */

struct kw_string mb_request_client(const struct mb_request *request)
{
    const struct mb_connection *connection = request->connection;
    return (struct kw_string){connection->client, connection->client_length_bytes};
}

static void go_on_from(struct mb_request *request)
{
    enum mb_fault_point point = request->stopped_at;
    request->stopped_at = MB_POINT_NONE;
    switch (point) {
    case MB_POINT_REQUEST_RECEIVED:
        go_on(request);
        return;
    case MB_POINT_BEFORE_APPEND:
    case MB_POINT_AFTER_APPEND:
    case MB_POINT_AFTER_REPLICATION:
        mb_produce_resume(request);
        return;
    case MB_POINT_BEFORE_RESPONSE:
        release(request);
        return;
    case MB_POINT_NONE:
    case MB_POINT_REQUEST_CUT:
    case MB_POINT_RESPONSE_CUT:
        break; /* nothing goes on from there */
    }
    KB_UNREACHABLE();
}

static void broker_thaws(struct mb_cluster *cluster, struct mb_timer *timer)
{
    (void)cluster;
    go_on_from(KB_CONTAINER_OF(timer, struct mb_request, thaw));
}

void mb_request_resume(struct mb_request *request)
{
    if (request->broker->is_frozen) {
        mb_timer_set(request->cluster, &request->thaw, request->cluster->now_us); /* held back until then */
    } else {
        go_on_from(request);
    }
}
