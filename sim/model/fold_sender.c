/*
 * The sender: what is ready, what is held, what is in flight, and how it ends.
 */
#include <string.h>

#include "model/fold.h"

static int32_t index_of(const struct fold *fold, const struct model_batch *batch)
{
    return (int32_t)(batch - fold->model->batches);
}

static void batch_ready(const struct fold *fold)
{
    const struct kb_event_batch_ready *event = &fold->event->as.batch_ready;
    struct model_batch *batch = fold_batch(fold, event->batch);
    if (batch != NULL) {
        batch->left = event->left;
        batch->held = 0;
        batch->ripe_us = fold->event->time_us;
        batch->node = event->node;
        batch->ready_event = fold->model->sequence;
        batch->last_event = fold->model->sequence;
    }
    struct model_node *node = fold_node(fold, event->node);
    if (node != NULL) {
        node->is_ready = 1;
        node->last_event = fold->model->sequence;
    }
}

static void batch_held(const struct fold *fold)
{
    const struct kb_event_batch_held *event = &fold->event->as.batch_held;
    struct model_batch *batch = fold_batch(fold, event->batch);
    if (batch != NULL) {
        batch->held = event->held;
        batch->left = 0;
        batch->held_event = fold->model->sequence;
        batch->last_event = fold->model->sequence;
        batch->node = event->node;
        /* The producer counts in whole milliseconds. */
        if (event->left_ms >= 0 && (event->held & (KB_HELD_LINGER | KB_HELD_BACKOFF)) != 0) {
            batch->ripe_us = (fold->event->time_us / 1000 + event->left_ms) * 1000;
        }
    }
}

static void batch_drained(const struct fold *fold)
{
    const struct kb_event_batch_drained *event = &fold->event->as.batch_drained;
    struct model_batch *batch = fold_batch(fold, event->batch);
    struct model_producer *producer = fold_producer(fold);
    for (uint32_t bit = 0; bit < sizeof producer->left_counts / sizeof producer->left_counts[0]; bit++) {
        producer->left_counts[bit] += event->left >> bit & 1;
    }
    fold->model->last_drain = fold->model->sequence;
    if (batch == NULL) {
        return;
    }
    deque_remove(fold, index_of(fold, batch));
    batch->state = MODEL_BATCH_DRAINED;
    batch->drained_us = fold->event->time_us;
    batch->drained_event = fold->model->sequence;
    batch->last_event = fold->model->sequence;
    batch->left = event->left;
    batch->held = 0;
    batch->node = event->node;
    batch->bytes = event->bytes;
    batch->records = event->records;
    if (batch->capacity_bytes > 0) {
        int64_t fill = (int64_t)event->bytes * 100 / batch->capacity_bytes;
        fold->model->plot.fill_percent[plot_point(fold->model)] = (uint8_t)(fill > 100 ? 100 : fill);
    }
}

static void batch_reenqueued(const struct fold *fold)
{
    const struct kb_event_batch_reenqueued *event = &fold->event->as.batch_reenqueued;
    struct model_batch *batch = fold_batch(fold, event->batch);
    fold_producer(fold)->retries++;
    fold->model->last_error = fold->model->sequence;
    if (batch != NULL) {
        batch->state = MODEL_BATCH_RETRYING;
        batch->attempts = event->attempts;
        batch->error = event->error;
        batch->request = 0;
        batch->left = 0;
        batch->ripe_us = (fold->event->time_us / 1000 + event->backoff_ms) * 1000;
        batch->last_event = fold->model->sequence;
        deque_put_back(fold, index_of(fold, batch));
    }
}

static void finish_batch(const struct fold *fold, struct model_batch *batch)
{
    if (batch->state != MODEL_BATCH_IN_FLIGHT && batch->state != MODEL_BATCH_DRAINED) {
        deque_remove(fold, index_of(fold, batch));
    }
    batch->state = MODEL_BATCH_DONE;
    batch->done_us = fold->event->time_us;
    batch->held = 0;
    batch->last_event = fold->model->sequence;
}

static void batch_done(const struct fold *fold)
{
    const struct kb_event_batch_done *event = &fold->event->as.batch_done;
    struct model_batch *batch = fold_batch(fold, event->batch);
    struct model_producer *producer = fold_producer(fold);
    producer->batches_done++;
    producer->records_in_done_batches += event->records;
    if (event->error != 0) {
        fold->model->last_error = fold->model->sequence;
    }
    if (batch != NULL) {
        producer->bytes_in_done_batches += (uint64_t)batch->bytes;
        producer->capacity_of_done_batches += (uint64_t)batch->capacity_bytes;
        batch->base_offset = event->base_offset;
        batch->error = event->error;
        finish_batch(fold, batch);
    }
}

/* --- Requests
 * ---------------------------------------------------------------------------------------------------------
 */

static void request_built(const struct fold *fold)
{
    const struct kb_event_request_built *event = &fold->event->as.request_built;
    struct sim_model *model = fold->model;
    struct model_request *request =
        &model->requests[model_slot(model, fold->event->source, event->request, MODEL_REQUESTS)];
    memset(request, 0, sizeof *request);
    request->built_us = fold->event->time_us;
    request->sent_us = -1;
    request->answered_us = -1;
    request->built_event = model->sequence;
    request->last_event = model->sequence;
    request->number = event->request;
    request->batches = event->batches;
    request->node = event->node;
    request->api = event->api;
    request->version = event->version;
    request->bytes = event->bytes;
    request->acks = event->acks;
    request->first_batch = MODEL_NONE;
    request->producer = (uint8_t)fold->event->source;
    struct model_node *node = fold_node(fold, event->node);
    if (node != NULL) {
        node->in_flight = (uint16_t)event->in_flight;
        node->last_event = model->sequence;
    }
}

static void request_carries(const struct fold *fold)
{
    const struct kb_event_request_carries *event = &fold->event->as.request_carries;
    struct model_request *request = fold_request(fold, event->request);
    struct model_batch *batch = fold_batch(fold, event->batch);
    if (batch == NULL) {
        return;
    }
    batch->state = MODEL_BATCH_IN_FLIGHT;
    batch->request = event->request;
    batch->node = event->node;
    batch->bytes = event->bytes;
    batch->last_event = fold->model->sequence;
    batch->next = MODEL_NONE;
    if (request == NULL) {
        return;
    }
    int32_t *link = &request->first_batch;
    while (*link >= 0) {
        link = &fold->model->batches[*link].next;
    }
    *link = index_of(fold, batch);
}

static void count_in_flight(const struct fold *fold, int32_t node_id, uint32_t in_flight)
{
    struct model_node *node = fold_node(fold, node_id);
    if (node != NULL) {
        node->in_flight = (uint16_t)in_flight;
        node->last_event = fold->model->sequence;
    }
    uint32_t total = 0;
    for (uint32_t p = 0; p < fold->info->producer_count; p++) {
        for (uint32_t n = 0; n < fold->info->broker_count; n++) {
            total += fold->model->producers[p].nodes[n].in_flight;
        }
    }
    fold->model->plot.in_flight[plot_point(fold->model)] = total;
}

static void end_request(const struct fold *fold, uint32_t number, int32_t error)
{
    struct model_request *request = fold_request(fold, number);
    if (request != NULL) {
        request->answered_us = fold->event->time_us;
        request->error = error;
        request->is_over = 1;
        request->is_parked = 0;
        request->first_batch = MODEL_NONE;
        request->last_event = fold->model->sequence;
    }
    if (error != 0) {
        fold->model->last_error = fold->model->sequence;
    }
}

/* With acks=0 a produce request is over when it is written: no answer comes. */
static void complete_unanswered(const struct fold *fold, struct model_request *request)
{
    if (request->api != 0 || request->acks != 0 || request->is_over) {
        return;
    }
    request->is_over = 1;
    request->answered_us = fold->event->time_us;
    struct model_node *node = fold_node(fold, request->node);
    if (node != NULL && node->in_flight > 0) {
        count_in_flight(fold, request->node, node->in_flight - 1u);
    }
}

static void connection_state(const struct fold *fold)
{
    const struct kb_event_connection_state *event = &fold->event->as.connection_state;
    struct model_node *node = fold_node(fold, event->node);
    if (node != NULL) {
        node->connection_state = (uint8_t)event->state;
        node->last_event = fold->model->sequence;
        if (event->state == KB_CONNECTION_STATE_DISCONNECTED) {
            node->in_flight = 0;
        }
    }
}

static void sender_pass(const struct fold *fold)
{
    const struct kb_event_sender_pass *event = &fold->event->as.sender_pass;
    struct model_producer *producer = fold_producer(fold);
    producer->passes = event->pass;
    producer->poll_ms = event->poll_ms;
    producer->ready_nodes = event->ready_nodes;
    producer->drained = event->drained;
    producer->sender_state = (uint8_t)event->state;
    producer->last_pass_event = fold->model->sequence;
    if (event->ready_nodes == 0) {
        for (uint32_t i = 0; i < fold->info->broker_count; i++) {
            producer->nodes[i].is_ready = 0;
        }
    }
}

static void metadata_updated(const struct fold *fold)
{
    const struct kb_event_metadata_updated *event = &fold->event->as.metadata_updated;
    struct model_producer *producer = fold_producer(fold);
    producer->metadata_us = fold->event->time_us;
    producer->metadata_version = event->version;
    producer->metadata_refresh_in_ms = event->refresh_in_ms;
}

static void sequence_batch(const struct fold *fold)
{
    const struct kb_event_batch_sequenced *event = &fold->event->as.batch_sequenced;
    struct model_batch *batch = fold_batch(fold, event->batch);
    if (batch != NULL) {
        batch->producer_id = event->producer_id;
        batch->epoch = event->epoch;
        batch->base_sequence = event->base_sequence;
        batch->last_event = fold->model->sequence;
    }
}

static void fold_request_event(const struct fold *fold)
{
    const struct kb_event *event = fold->event;
    switch (event->kind) {
    case KB_EVENT_REQUEST_BUILT:
        request_built(fold);
        count_in_flight(fold, event->as.request_built.node, event->as.request_built.in_flight);
        break;
    case KB_EVENT_REQUEST_CARRIES:
        request_carries(fold);
        break;
    case KB_EVENT_REQUEST_SENT: {
        struct model_request *request = fold_request(fold, event->as.request_sent.request);
        if (request != NULL) {
            request->sent_us = event->time_us;
            request->last_event = fold->model->sequence;
            complete_unanswered(fold, request);
        }
        break;
    }
    case KB_EVENT_RESPONSE_RECEIVED:
        end_request(fold, event->as.response_received.request, event->as.response_received.error);
        count_in_flight(fold, event->as.response_received.node, event->as.response_received.in_flight);
        break;
    case KB_EVENT_REQUEST_FAILED:
        end_request(fold, event->as.request_failed.request, event->as.request_failed.error);
        count_in_flight(fold, event->as.request_failed.node, event->as.request_failed.in_flight);
        break;
    case KB_EVENT_REQUEST_TIMED_OUT:
        fold->model->last_error = fold->model->sequence;
        break;
    case KB_EVENT_CONNECTION_STATE:
        connection_state(fold);
        break;
    case KB_EVENT_THROTTLED: {
        struct model_node *node = fold_node(fold, event->as.throttled.node);
        if (node != NULL) {
            node->throttled_until_us = event->time_us + event->as.throttled.throttle_ms * 1000;
            node->last_event = fold->model->sequence;
        }
        break;
    }
    default:
        break;
    }
}

static void fold_state_event(const struct fold *fold)
{
    const struct kb_event *event = fold->event;
    struct model_producer *producer = fold_producer(fold);
    switch (event->kind) {
    case KB_EVENT_SENDER_PASS:
        sender_pass(fold);
        break;
    case KB_EVENT_METADATA_UPDATED:
        metadata_updated(fold);
        break;
    case KB_EVENT_METADATA_PARTITION: {
        const struct kb_event_metadata_partition *believed = &event->as.metadata_partition;
        struct model_partition *partition = fold_partition(fold, believed->topic, believed->partition);
        if (partition != NULL) {
            partition->believed_leader = believed->leader;
        }
        break;
    }
    case KB_EVENT_PRODUCER_ID_ASSIGNED:
        producer->producer_id = event->as.producer_id_assigned.producer_id;
        producer->epoch = event->as.producer_id_assigned.epoch;
        break;
    case KB_EVENT_PRODUCER_EPOCH_BUMPED:
        producer->producer_id = event->as.producer_epoch_bumped.producer_id;
        producer->epoch = event->as.producer_epoch_bumped.epoch;
        break;
    case KB_EVENT_TRANSACTION_STATE:
        producer->transaction_state = (uint8_t)event->as.transaction_state.new_state;
        break;
    case KB_EVENT_PRODUCER_CLOSED:
        producer->is_closed = 1;
        break;
    default:
        fold_request_event(fold);
        break;
    }
}

void fold_sender_event(const struct fold *fold)
{
    const struct kb_event *event = fold->event;
    switch (event->kind) {
    case KB_EVENT_MEMORY_DEALLOCATED:
        fold_memory_deallocated(fold);
        break;
    case KB_EVENT_BATCH_READY:
        batch_ready(fold);
        break;
    case KB_EVENT_BATCH_HELD:
        batch_held(fold);
        break;
    case KB_EVENT_BATCH_DRAINED:
        batch_drained(fold);
        break;
    case KB_EVENT_BATCH_SEQUENCED:
        sequence_batch(fold);
        break;
    case KB_EVENT_BATCH_REENQUEUED:
        batch_reenqueued(fold);
        break;
    case KB_EVENT_BATCH_SPLIT: {
        struct model_batch *batch = fold_batch(fold, event->as.batch_split.batch);
        if (batch != NULL) {
            finish_batch(fold, batch);
        }
        break;
    }
    case KB_EVENT_BATCH_EXPIRED:
        fold->model->last_error = fold->model->sequence;
        break;
    case KB_EVENT_BATCH_DONE:
        batch_done(fold);
        break;
    default:
        fold_state_event(fold);
        break;
    }
}
