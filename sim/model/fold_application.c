/*
 * send() and the memory it takes: threads, records, batches as they fill.
 */
#include <string.h>

#include "model/fold.h"

static void touch(const struct fold *fold, uint32_t number, enum model_station station)
{
    struct model_record *record = fold_record(fold, number);
    if (record != NULL) {
        record->station = (uint8_t)station;
        record->last_event = fold->model->sequence;
    }
}

static struct model_thread *thread_of(const struct fold *fold, uint32_t record_number)
{
    const struct model_record *record = fold_record(fold, record_number);
    return record != NULL ? &fold_producer(fold)->threads[record->thread] : NULL;
}

static void record_created(const struct fold *fold)
{
    const struct kb_event_record_created *event = &fold->event->as.record_created;
    struct model_record *record = &fold->model->records[event->record % MODEL_RECORDS];
    if (record->number != UINT32_MAX && record->completed_us < 0 && record->station != MODEL_REJECTED) {
        fold->model->forgotten++;
    }
    memset(record, 0, sizeof *record);
    record->created_us = fold->event->time_us;
    record->appended_us = -1;
    record->completed_us = -1;
    record->offset = -1;
    record->last_event = fold->model->sequence;
    record->key = event->key;
    record->number = event->record;
    record->topic = event->topic;
    record->partition = event->wanted_partition;
    record->key_bytes = event->key_bytes;
    record->value_bytes = event->value_bytes;
    record->producer = (uint8_t)fold->event->source;
    record->thread = (uint8_t)(event->thread % SIM_THREADS_MAX);
    record->station = MODEL_AT_INTERCEPTORS;
    struct model_thread *thread = &fold_producer(fold)->threads[record->thread];
    thread->record = event->record;
    thread->last_event = fold->model->sequence;
    thread->sent++;
    fold_producer(fold)->sent++;
}

static void record_partitioned(const struct fold *fold)
{
    const struct kb_event_record_partitioned *event = &fold->event->as.record_partitioned;
    struct model_record *record = fold_record(fold, event->record);
    if (record != NULL) {
        record->partition = event->partition;
        record->partition_why = (uint8_t)event->why;
        record->murmur2 = event->murmur2;
    }
    touch(fold, event->record, MODEL_AT_PARTITIONER);
}

static void record_appended(const struct fold *fold)
{
    const struct kb_event_record_appended *event = &fold->event->as.record_appended;
    struct model_record *record = fold_record(fold, event->record);
    if (record != NULL) {
        record->appended_us = fold->event->time_us;
        record->batch = event->batch;
        record->slot = event->slot;
        record->partition = event->partition;
        record->record_bytes = event->record_bytes;
    }
    touch(fold, event->record, MODEL_IN_BATCH);
    struct model_batch *batch = fold_batch(fold, event->batch);
    if (batch != NULL) {
        batch->bytes = event->batch_bytes;
        batch->first_record = batch->records == 0 ? event->record : batch->first_record;
        batch->last_record = event->record;
        batch->records = event->slot + 1;
        batch->last_event = fold->model->sequence;
    }
}

static void record_completed(const struct fold *fold)
{
    const struct kb_event_record_completed *event = &fold->event->as.record_completed;
    struct model_producer *producer = fold_producer(fold);
    struct model_record *record = fold_record(fold, event->record);
    if (record != NULL) {
        record->completed_us = fold->event->time_us;
        record->offset = event->offset;
        record->error = event->error;
    }
    touch(fold, event->record, MODEL_COMPLETED);
    uint32_t point = plot_point(fold->model);
    if (event->error == 0) {
        producer->acked++;
        fold->model->last_ack = fold->model->sequence;
        fold->model->plot.acked[point]++;
        if (record != NULL) {
            uint32_t latency_us = (uint32_t)(record->completed_us - record->created_us);
            uint32_t *longest_us = &fold->model->plot.latency_us[point];
            *longest_us = latency_us > *longest_us ? latency_us : *longest_us;
        }
    } else {
        producer->failed++;
        fold->model->last_error = fold->model->sequence;
    }
}

static void record_rejected(const struct fold *fold)
{
    const struct kb_event_record_rejected *event = &fold->event->as.record_rejected;
    struct model_record *record = fold_record(fold, event->record);
    if (record != NULL) {
        record->error = event->error;
        record->completed_us = fold->event->time_us;
    }
    touch(fold, event->record, MODEL_REJECTED);
    fold_producer(fold)->rejected++;
    fold_producer(fold)->failed++;
    fold->model->last_error = fold->model->sequence;
}

static void thread_blocked(const struct fold *fold)
{
    const struct kb_event_thread_blocked *event = &fold->event->as.thread_blocked;
    struct model_thread *thread = thread_of(fold, event->record);
    if (thread != NULL) {
        thread->blocked_since_us = fold->event->time_us;
        thread->deadline_ms = event->deadline_ms;
        thread->wait = (uint8_t)event->wait;
        thread->last_event = fold->model->sequence;
    }
    touch(fold, event->record, event->wait == KB_WAIT_METADATA ? MODEL_AT_METADATA : MODEL_AT_APPEND);
}

static void thread_unblocked(const struct fold *fold)
{
    struct model_thread *thread = thread_of(fold, fold->event->as.thread_unblocked.record);
    if (thread != NULL) {
        thread->blocked_since_us = -1;
        thread->last_event = fold->model->sequence;
    }
}

static void batch_created(const struct fold *fold)
{
    const struct kb_event_batch_created *event = &fold->event->as.batch_created;
    struct sim_model *model = fold->model;
    uint32_t slot = model_slot(model, fold->event->source, event->batch, MODEL_BATCHES);
    struct model_batch *batch = &model->batches[slot];
    if (batch->number != 0 && batch->state != MODEL_BATCH_DONE) {
        deque_remove(fold, (int32_t)slot);
        model->forgotten++;
    }
    memset(batch, 0, sizeof *batch);
    batch->created_us = fold->event->time_us;
    batch->closed_us = -1;
    batch->drained_us = -1;
    batch->done_us = -1;
    batch->ripe_us = -1;
    batch->base_offset = -1;
    batch->producer_id = -1;
    batch->created_event = model->sequence;
    batch->last_event = model->sequence;
    batch->number = event->batch;
    batch->topic = event->topic;
    batch->partition = event->partition;
    batch->capacity_bytes = event->capacity_bytes;
    batch->base_sequence = -1;
    batch->epoch = -1;
    batch->node = MODEL_NONE;
    batch->next = MODEL_NONE;
    batch->producer = (uint8_t)fold->event->source;
    batch->state = MODEL_BATCH_OPEN;
    deque_push_back(fold, (int32_t)slot);
}

static void batch_closed(const struct fold *fold)
{
    const struct kb_event_batch_closed *event = &fold->event->as.batch_closed;
    struct model_batch *batch = fold_batch(fold, event->batch);
    if (batch == NULL) {
        return;
    }
    batch->closed_us = fold->event->time_us;
    batch->close_why = (uint8_t)event->why;
    batch->bytes = event->bytes;
    batch->records = event->records;
    batch->last_event = fold->model->sequence;
    if (batch->state == MODEL_BATCH_OPEN) {
        batch->state = MODEL_BATCH_CLOSED;
    }
}

static void set_memory(const struct fold *fold, int64_t available_bytes, int64_t unallocated_bytes,
                       uint32_t free_buffers, uint32_t waiters)
{
    struct model_memory *memory = &fold_producer(fold)->memory;
    memory->available_bytes = available_bytes;
    memory->unallocated_bytes = unallocated_bytes;
    memory->free_buffers = free_buffers;
    memory->waiters = waiters;
    int64_t used_bytes = 0;
    for (uint32_t i = 0; i < fold->info->producer_count; i++) {
        used_bytes +=
            fold->info->producers[i].buffer_memory_bytes - fold->model->producers[i].memory.available_bytes;
    }
    fold->model->plot.used_bytes_k[plot_point(fold->model)] = (uint32_t)(used_bytes / 1024);
}

void fold_memory_deallocated(const struct fold *fold)
{
    const struct kb_event_memory_deallocated *event = &fold->event->as.memory_deallocated;
    set_memory(fold, event->available_bytes, event->unallocated_bytes, event->free_buffers, event->waiters);
}

void fold_application_event(const struct fold *fold)
{
    const struct kb_event *event = fold->event;
    switch (event->kind) {
    case KB_EVENT_RECORD_CREATED:
        record_created(fold);
        break;
    case KB_EVENT_RECORD_INTERCEPTED:
        touch(fold, event->as.record_intercepted.record, MODEL_AT_INTERCEPTORS);
        break;
    case KB_EVENT_RECORD_METADATA_READY:
        touch(fold, event->as.record_metadata_ready.record, MODEL_AT_METADATA);
        break;
    case KB_EVENT_RECORD_SERIALIZED:
        touch(fold, event->as.record_serialized.record, MODEL_AT_SERIALIZER);
        break;
    case KB_EVENT_RECORD_PARTITIONED:
        record_partitioned(fold);
        break;
    case KB_EVENT_RECORD_SIZE_CHECKED:
        touch(fold, event->as.record_size_checked.record, MODEL_AT_SIZE_CHECK);
        break;
    case KB_EVENT_RECORD_REJECTED:
        record_rejected(fold);
        break;
    case KB_EVENT_RECORD_APPENDED:
        record_appended(fold);
        break;
    case KB_EVENT_RECORD_COMPLETED:
        record_completed(fold);
        break;
    case KB_EVENT_RECORD_CALLBACK: {
        struct model_record *record = fold_record(fold, event->as.record_callback.record);
        if (record != NULL) {
            record->is_called_back = 1;
            record->last_event = fold->model->sequence;
        }
        fold_producer(fold)->callbacks++;
        break;
    }
    case KB_EVENT_THREAD_BLOCKED:
        thread_blocked(fold);
        break;
    case KB_EVENT_THREAD_UNBLOCKED:
        thread_unblocked(fold);
        break;
    case KB_EVENT_CALL_STARTED:
        fold_producer(fold)->call = (uint8_t)event->as.call_started.call;
        break;
    case KB_EVENT_CALL_RETURNED:
        fold_producer(fold)->call = 0xff;
        break;
    case KB_EVENT_MEMORY_ALLOCATED: {
        const struct kb_event_memory_allocated *memory = &event->as.memory_allocated;
        set_memory(fold, memory->available_bytes, memory->unallocated_bytes, memory->free_buffers,
                   memory->waiters);
        break;
    }
    case KB_EVENT_MEMORY_WAITER_QUEUED:
        fold_producer(fold)->memory.waiters = event->as.memory_waiter_queued.waiters;
        break;
    case KB_EVENT_BATCH_CREATED:
        batch_created(fold);
        break;
    case KB_EVENT_BATCH_CLOSED:
        batch_closed(fold);
        break;
    default: /* STICKY_CHANGED: the next record shows it */
        break;
    }
}
