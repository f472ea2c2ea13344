#include "golden_trace.h"

#include "base/trace.h"
#include "wire/api_frame.h"

#include <string.h>

/* --- Requests that are under way */

static struct trace_request **first_of(struct trace_run *run, uint32_t connection)
{
    struct trace_request **place = &run->requests;
    while (*place != NULL && !((*place)->connection == connection && (*place)->expects_response)) {
        place = &(*place)->next;
    }
    return place;
}

static struct trace_request *last_of(const struct trace_run *run, uint32_t connection)
{
    struct trace_request *found = NULL;
    for (struct trace_request *request = run->requests; request != NULL; request = request->next) {
        found = request->connection == connection ? request : found;
    }
    return found;
}

static void forget_connection(struct trace_run *run, uint32_t connection)
{
    struct trace_request **place = &run->requests;
    while (*place != NULL) {
        if ((*place)->connection == connection) {
            *place = (*place)->next;
        } else {
            place = &(*place)->next;
        }
    }
}

static void mark_unsent(struct trace_run *run, uint32_t connection)
{
    const struct trace_request *request = last_of(run, connection);
    if (request != NULL) {
        json_add_bool(request->event, "unsent", true);
    }
}

/* --- What the producer wants */

static const uint8_t *gather(struct trace_run *run, const struct kp_action *action)
{
    size_t used = 0;
    uint8_t *bytes = kb_arena_allocate(&run->arena, action->length_bytes + 1);
    for (uint32_t i = 0; i < action->segment_count; i++) {
        if (bytes == NULL || action->segments[i].length_bytes > action->length_bytes - used) {
            break;
        }
        memcpy(bytes + used, action->segments[i].bytes, action->segments[i].length_bytes);
        used += action->segments[i].length_bytes;
    }
    if (bytes == NULL || used != action->length_bytes || used < KW_FRAME_LENGTH_BYTES) {
        trace_fail(run, "the segments of request %u do not add up to %zu bytes", action->request,
                   action->length_bytes);
        run->is_over = true;
        return NULL;
    }
    return bytes;
}

static void take_send(struct trace_run *run, const struct kp_action *action)
{
    const struct kw_api *api = kw_api_find((int16_t)action->api);
    kb_arena_reset(&run->arena);
    const uint8_t *bytes = gather(run, action);
    if (bytes == NULL || api == NULL) {
        trace_fail(run, "there is no API %d", action->api);
        run->is_over = true;
        return;
    }
    scripted_cluster_hand_over(run->cluster, action->connection, bytes, action->length_bytes);
    struct trace_request **place = &run->requests;
    while (*place != NULL) {
        place = &(*place)->next;
    }
    *place = golden_allocate(run->golden, sizeof **place);
    **place = (struct trace_request){.connection = action->connection,
                                     .node = action->node,
                                     .correlation_id = (int32_t)action->request,
                                     .api = api,
                                     .version = (int16_t)action->version,
                                     .expects_response = action->api != KW_API_PRODUCE || action->acks != 0,
                                     .event = trace_event(run, "request")};
    json_add_integer((*place)->event, "node", action->node);
    json_add_text((*place)->event, "api", api->name);
    json_add_integer((*place)->event, "version", action->version);
    json_add_integer((*place)->event, "correlation_id", action->request);
    trace_describe_request(run, action, bytes + KW_FRAME_LENGTH_BYTES,
                           action->length_bytes - KW_FRAME_LENGTH_BYTES, (*place)->event);
}

static void take_close(struct trace_run *run, const struct kp_action *action)
{
    if (scripted_cluster_close(run->cluster, action->connection)) {
        mark_unsent(run, action->connection);
    }
    forget_connection(run, action->connection);
    /* A client that ends closes all its connections, which is not told. */
    int64_t until_ms = 0;
    if (kp_producer_sender_state(run->producer, &until_ms) != KB_SENDER_STATE_CLOSED) {
        json_add_integer(trace_event(run, "close_connection"), "node", action->node);
    }
}

static void take_action(struct trace_run *run, const struct kp_action *action)
{
    run->is_busy = true;
    switch (action->kind) {
    case KP_ACTION_CONNECT:
        scripted_cluster_connect(run->cluster, action->connection, action->node, run->t);
        json_add_integer(trace_event(run, "connect"), "node", action->node);
        break;
    case KP_ACTION_SEND:
        take_send(run, action);
        break;
    case KP_ACTION_CLOSE:
        take_close(run, action);
        break;
    }
}

void trace_take_actions(struct trace_run *run)
{
    struct kp_action action;
    while (!run->is_over && kp_producer_next_action(run->producer, &action)) {
        take_action(run, &action);
    }
}

void trace_take_decisions(struct trace_run *run)
{
    struct kp_action action;
    size_t count = 0;
    while (!run->is_over && kp_producer_next_action(run->producer, &action)) {
        if (action.kind != KP_ACTION_SEND) {
            take_action(run, &action);
        } else if (count < TRACE_DECIDED_COUNT_MAX) {
            run->decided[count++] = action;
        } else {
            trace_fail(run, "more than %d requests at once", TRACE_DECIDED_COUNT_MAX);
            run->is_over = true;
        }
    }
    trace_take_completions(run);
    for (size_t i = 0; i < count && !run->is_over; i++) {
        take_action(run, &run->decided[i]);
    }
}

/* --- What the network did */

static void take_response(struct trace_run *run, const struct scripted_report *report)
{
    struct trace_request **place = first_of(run, report->connection);
    struct trace_request *request = *place;
    if (request == NULL) {
        trace_fail(run, "a response on connection %u, where none is due", report->connection);
        run->is_over = true;
        return;
    }
    *place = request->next;
    cJSON *event = trace_event(run, "response");
    json_add_integer(event, "node", report->node);
    json_add_text(event, "api", request->api->name);
    json_add_integer(event, "correlation_id", report->correlation_id);
    kb_arena_reset(&run->arena);
    trace_describe_response(run, request, report->frame, report->length_bytes, event);
    kp_producer_on_received(run->producer, report->connection, report->frame, report->length_bytes);
}

static void take_end(struct trace_run *run, const struct scripted_report *report)
{
    cJSON *event = trace_event(run, "disconnected");
    json_add_integer(event, "node", report->node);
    json_add_text(event, "reason", report->kind == SCRIPTED_CLOSED ? "closed" : "refused");
    if (report->correlation_id >= 0) {
        json_add_integer(event, "correlation_id", report->correlation_id);
    }
    forget_connection(run, report->connection);
    kp_producer_on_disconnected(run->producer, report->connection);
}

static void take_report(void *context, const struct scripted_report *report)
{
    struct trace_run *run = context;
    run->is_busy = true;
    switch (report->kind) {
    case SCRIPTED_CONNECTED:
        kp_producer_on_connected(run->producer, report->connection);
        break;
    case SCRIPTED_REFUSED:
    case SCRIPTED_CLOSED:
        take_end(run, report);
        break;
    case SCRIPTED_WRITTEN:
        kp_producer_on_sent(run->producer, report->connection);
        break;
    case SCRIPTED_RECEIVED:
        take_response(run, report);
        break;
    case SCRIPTED_UNSENT:
        mark_unsent(run, report->connection);
        break;
    }
}

void trace_move_network(struct trace_run *run)
{
    scripted_cluster_move(run->cluster, run->t, take_report, run);
}
