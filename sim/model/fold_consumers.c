/*
 * Consumers, and what their isolation levels are about: last stable offsets, markers, aborted records.
 */
#include <string.h>

#include "model/fold.h"

/* --- Transactions in a log
 * ----------------------------------------------------------------------------------------------------------
 */

static void remove_span(struct model_partition *partition, uint32_t place)
{
    partition->span_count--;
    memmove(&partition->spans[place], &partition->spans[place + 1],
            (partition->span_count - place) * sizeof partition->spans[0]);
    memset(&partition->spans[partition->span_count], 0, sizeof partition->spans[0]);
}

static void add_span(struct model_partition *partition, int64_t first_offset, int64_t last_offset,
                     enum model_span_kind kind, uint8_t producer)
{
    if (partition->span_count == MODEL_SPANS) {
        remove_span(partition, 0);
    }
    struct model_span *span = &partition->spans[partition->span_count++];
    memset(span, 0, sizeof *span);
    span->first_offset = first_offset;
    span->last_offset = last_offset;
    span->kind = (uint8_t)kind;
    span->producer = producer;
}

/* Offsets from here on are written anew: after a truncation. */
static void cut_spans(struct model_partition *partition, int64_t from)
{
    for (uint32_t i = partition->span_count; i-- > 0;) {
        if (partition->spans[i].first_offset >= from) {
            remove_span(partition, i);
        } else if (partition->spans[i].last_offset >= from) {
            partition->spans[i].last_offset = from - 1;
        }
    }
}

void fold_transactional_append(const struct fold *fold, uint32_t topic, int32_t number, int64_t first_offset,
                               int64_t last_offset, uint8_t producer)
{
    struct model_partition *partition = fold_partition(fold, topic, number);
    if (partition == NULL) {
        return;
    }
    cut_spans(partition, first_offset);
    if (producer >= SIM_PRODUCERS_MAX || !fold->info->producers[producer].is_transactional) {
        return;
    }
    struct model_span *last = partition->span_count > 0 ? &partition->spans[partition->span_count - 1] : NULL;
    if (last != NULL && last->kind == MODEL_SPAN_OPEN && last->producer == producer &&
        last->last_offset + 1 == first_offset) {
        last->last_offset = last_offset;
        return;
    }
    add_span(partition, first_offset, last_offset, MODEL_SPAN_OPEN, producer);
}

static uint8_t producer_with_id(const struct sim_model *model, int64_t producer_id)
{
    for (uint32_t i = 0; i < model->producer_count; i++) {
        if (model->producers[i].producer_id == producer_id) {
            return (uint8_t)i;
        }
    }
    return 0xff;
}

static void marker_appended(const struct fold *fold)
{
    const struct kb_event_marker_appended *event = &fold->event->as.marker_appended;
    struct model_partition *partition = fold_partition(fold, event->topic, event->partition);
    struct model_replica *replica = fold_replica(fold, event->broker, event->topic, event->partition);
    uint8_t producer = producer_with_id(fold->model, event->producer_id);
    bool is_abort = event->marker == KB_MARKER_ABORT;
    if (partition == NULL || replica == NULL) {
        return;
    }
    if (replica->end_offset <= event->offset) {
        replica->end_offset = event->offset + 1;
        replica->caught_up_us = fold->event->time_us;
    }
    replica->last_event = fold->model->sequence;
    cut_spans(partition, event->offset);
    for (uint32_t i = partition->span_count; i-- > 0;) {
        struct model_span *span = &partition->spans[i];
        if (span->kind != MODEL_SPAN_OPEN || span->producer != producer) {
            continue;
        }
        if (is_abort) {
            span->kind = MODEL_SPAN_ABORTED;
        } else {
            remove_span(partition, i);
        }
    }
    add_span(partition, event->offset, event->offset, is_abort ? MODEL_SPAN_ABORT : MODEL_SPAN_COMMIT,
             producer);
}

static void lso_advanced(const struct fold *fold)
{
    const struct kb_event_lso_advanced *event = &fold->event->as.lso_advanced;
    struct model_replica *replica = fold_replica(fold, event->broker, event->topic, event->partition);
    if (replica != NULL) {
        replica->last_stable_offset = event->last_stable_offset;
        replica->is_held = event->last_stable_offset < event->high_watermark;
        replica->last_event = fold->model->sequence;
    }
}

/* --- Consumers
 * ----------------------------------------------------------------------------------------------------------
 */

static struct model_consumer *consumer_of(const struct fold *fold)
{
    uint32_t index = (uint32_t)fold->event->source - KB_SOURCE_CONSUMER;
    if (fold->event->source < KB_SOURCE_CONSUMER || index >= SIM_CONSUMERS_MAX) {
        return NULL;
    }
    fold->model->consumers[index].last_event = fold->model->sequence;
    return &fold->model->consumers[index];
}

static int64_t *position_of(const struct fold *fold, uint32_t topic, int32_t number)
{
    struct model_partition *partition = fold_partition(fold, topic, number);
    uint32_t index = (uint32_t)fold->event->source - KB_SOURCE_CONSUMER;
    return partition != NULL && index < SIM_CONSUMERS_MAX ? &partition->consumer_positions[index] : NULL;
}

static void state_changed(const struct fold *fold, struct model_consumer *consumer)
{
    const struct kb_event_consumer_state *event = &fold->event->as.consumer_state;
    consumer->state = (uint8_t)event->state;
    consumer->has_begun = 1;
    consumer->generation = event->generation;
    consumer->error = event->error != 0 ? event->error : consumer->error;
    if (event->state == KB_MEMBER_STATE_FAILED) {
        fold->model->last_error = fold->model->sequence;
    }
}

static void fetched(const struct fold *fold, struct model_consumer *consumer)
{
    const struct kb_event_consumer_fetched *event = &fold->event->as.consumer_fetched;
    consumer->last_fetch_event = fold->model->sequence;
    if (event->error != 0) {
        fold->model->last_error = fold->model->sequence;
    }
}

void fold_consumer_event(const struct fold *fold)
{
    const struct kb_event *event = fold->event;
    if (event->kind == KB_EVENT_MARKER_APPENDED) {
        marker_appended(fold);
        return;
    }
    if (event->kind == KB_EVENT_LSO_ADVANCED) {
        lso_advanced(fold);
        return;
    }
    struct model_consumer *consumer = consumer_of(fold);
    int64_t *position = NULL;
    if (consumer == NULL) {
        return;
    }
    switch ((int)event->kind) {
    case KB_EVENT_CONSUMER_STATE:
        state_changed(fold, consumer);
        break;
    case KB_EVENT_CONSUMER_ASSIGNED:
        position =
            position_of(fold, event->as.consumer_assigned.topic, event->as.consumer_assigned.partition);
        if (position != NULL && *position == MODEL_NOT_ASSIGNED) {
            *position = MODEL_NO_POSITION;
            consumer->partition_count++;
        }
        break;
    case KB_EVENT_CONSUMER_POSITION:
        position =
            position_of(fold, event->as.consumer_position.topic, event->as.consumer_position.partition);
        if (position != NULL) {
            *position = event->as.consumer_position.position;
        }
        break;
    case KB_EVENT_CONSUMER_FETCHED:
        fetched(fold, consumer);
        break;
    case KB_EVENT_CONSUMER_READ:
        position = position_of(fold, event->as.consumer_read.topic, event->as.consumer_read.partition);
        if (position != NULL) {
            *position = event->as.consumer_read.position;
        }
        consumer->records += event->as.consumer_read.records;
        consumer->left_out += event->as.consumer_read.aborted;
        consumer->read_us = event->time_us;
        break;
    case KB_EVENT_CONSUMER_COMMITTED:
        consumer->committed_event = fold->model->sequence;
        break;
    default:
        break;
    }
}
