#include "core/record_accumulator_internal.h"

#include "base/allocator.h"
#include "base/assert.h"
#include "base/planted.h"
#include "core/memory.h"
#include "wire/record.h"

struct kp_record_accumulator *kp_record_accumulator_create(
    const struct kp_record_accumulator_options *options)
{
    struct kp_record_accumulator *accumulator =
        kb_allocate_zeroed(options->allocator, 1, sizeof *accumulator);
    if (accumulator == NULL) {
        return NULL;
    }
    KB_ASSERT(options->batch_size_bytes >= 0 && options->metadata != NULL);
    accumulator->options = *options;
    kp_buffer_pool_init(&accumulator->pool, options->allocator, options->trace, options->buffer_memory_bytes,
                        (uint32_t)options->batch_size_bytes);
    kp_batch_compressor_init(&accumulator->compressor, options->allocator, options->compression);
    kp_incomplete_batches_init(&accumulator->incomplete);
    kb_list_init(&accumulator->active);
    kb_list_init(&accumulator->ready_look.fresh);
    kb_list_init(&accumulator->deadline_look.fresh);
    kb_heap_init(&accumulator->drain_order, options->allocator);
    accumulator->next_expiry_ms = INT64_MAX;
    return accumulator;
}

void kp_record_accumulator_destroy(struct kp_record_accumulator *accumulator)
{
    if (accumulator == NULL) {
        return;
    }
    const struct linger_allocator *allocator = accumulator->options.allocator;
    while (kp_completion_queue_first(&accumulator->completions) != NULL) {
        kp_completion_queue_pop(&accumulator->completions);
    }
    for (uint32_t i = 0; i < accumulator->queue_capacity; i++) {
        struct kp_partition_queue *queue = accumulator->queues[i];
        while (queue != NULL && queue->batch_count > 0) {
            kp_accumulator_remove(accumulator, queue, kp_partition_queue_first(queue));
        }
        kb_deallocate(allocator, queue, sizeof *queue);
    }
    while (!kp_incomplete_batches_is_empty(&accumulator->incomplete)) {
        kp_record_accumulator_deallocate(accumulator, kp_incomplete_batches_first(&accumulator->incomplete));
    }
    kp_batch_pool_release(&accumulator->batch_pool);
    kp_batch_compressor_release(&accumulator->compressor);
    kp_buffer_pool_release(&accumulator->pool);
    kb_heap_release(&accumulator->drain_order);
    kb_deallocate(allocator, accumulator->queues,
                  accumulator->queue_capacity * sizeof(struct kp_partition_queue *));
    kb_deallocate(allocator, accumulator->ready_nodes, accumulator->ready_node_capacity * sizeof(int32_t));
    kb_deallocate(allocator, accumulator->unknown_leader_topics,
                  accumulator->unknown_leader_topic_capacity * sizeof(struct kp_topic *));
    kb_deallocate(allocator, accumulator, sizeof *accumulator);
}

struct kp_buffer_pool *kp_record_accumulator_pool(struct kp_record_accumulator *accumulator)
{
    return &accumulator->pool;
}

struct kp_completion_queue *kp_record_accumulator_completions(struct kp_record_accumulator *accumulator)
{
    return &accumulator->completions;
}

const struct kp_incomplete_batches *kp_record_accumulator_incomplete(
    const struct kp_record_accumulator *accumulator)
{
    return &accumulator->incomplete;
}

int32_t kp_record_accumulator_delivery_timeout_ms(const struct kp_record_accumulator *accumulator)
{
    return accumulator->options.delivery_timeout_ms;
}

/* --- Queues */

struct kp_partition_queue *kp_accumulator_find_queue(const struct kp_record_accumulator *accumulator,
                                                     const struct kp_topic_partition *partition)
{
    return partition->index < accumulator->queue_capacity ? accumulator->queues[partition->index] : NULL;
}

struct kp_partition_queue *kp_accumulator_queue(struct kp_record_accumulator *accumulator,
                                                const struct kp_topic_partition *partition)
{
    const struct linger_allocator *allocator = accumulator->options.allocator;
    if (!kp_grow(allocator, &accumulator->queues, &accumulator->queue_capacity, partition->index + 1,
                 sizeof *accumulator->queues)) {
        return NULL;
    }
    struct kp_partition_queue *queue = accumulator->queues[partition->index];
    if (queue == NULL) {
        queue = kb_allocate_zeroed(allocator, 1, sizeof *queue);
        if (queue != NULL) {
            queue->partition = partition;
            kb_list_init(&queue->batches);
            accumulator->queues[partition->index] = queue;
        }
    }
    return queue;
}

static struct kp_producer_batch *batch_of(struct kb_list_node *node)
{
    return node != NULL ? KB_CONTAINER_OF(node, struct kp_producer_batch, queue_node) : NULL;
}

struct kp_producer_batch *kp_partition_queue_first(const struct kp_partition_queue *queue)
{
    return batch_of(kb_list_first(&queue->batches));
}

struct kp_producer_batch *kp_partition_queue_last(const struct kp_partition_queue *queue)
{
    return batch_of(kb_list_last(&queue->batches));
}

struct kp_producer_batch *kp_partition_queue_next(const struct kp_partition_queue *queue,
                                                  const struct kp_producer_batch *batch)
{
    return batch_of(kb_list_next(&queue->batches, &batch->queue_node));
}

void kp_accumulator_changed(struct kp_record_accumulator *accumulator)
{
    accumulator->ready_look.is_valid = false;
    accumulator->deadline_look.is_valid = false;
    accumulator->is_oldest_known = false;
}

/* It was appended to. */
static void mark_fresh(struct kp_record_accumulator *accumulator, struct kp_partition_queue *queue)
{
    if (!kb_list_node_is_linked(&queue->fresh_for_ready)) {
        kb_list_push_back(&accumulator->ready_look.fresh, &queue->fresh_for_ready);
    }
    if (!kb_list_node_is_linked(&queue->fresh_for_deadline)) {
        kb_list_push_back(&accumulator->deadline_look.fresh, &queue->fresh_for_deadline);
    }
}

static void forget_fresh(struct kp_partition_queue *queue)
{
    if (kb_list_node_is_linked(&queue->fresh_for_ready)) {
        kb_list_remove(&queue->fresh_for_ready);
    }
    if (kb_list_node_is_linked(&queue->fresh_for_deadline)) {
        kb_list_remove(&queue->fresh_for_deadline);
    }
}

void kp_accumulator_insert(struct kp_record_accumulator *accumulator, struct kp_partition_queue *queue,
                           struct kp_producer_batch *before, struct kp_producer_batch *batch)
{
    if (before != NULL) {
        kb_list_insert_before(&before->queue_node, &batch->queue_node);
    } else {
        kb_list_push_back(&queue->batches, &batch->queue_node);
    }
    if (queue->batch_count++ == 0) {
        kb_list_push_back(&accumulator->active, &queue->active_node);
        accumulator->oldest_ms =
            batch->created_ms < accumulator->oldest_ms ? batch->created_ms : accumulator->oldest_ms;
    }
    mark_fresh(accumulator, queue);
    batch->left_mask = 0;
    batch->held_mask = 0;
}

void kp_accumulator_remove(struct kp_record_accumulator *accumulator, struct kp_partition_queue *queue,
                           struct kp_producer_batch *batch)
{
    KB_ASSERT(queue->batch_count > 0 && batch->partition == queue->partition);
    kb_list_remove(&batch->queue_node);
    kp_accumulator_changed(accumulator);
    if (--queue->batch_count == 0) {
        kb_list_remove(&queue->active_node);
        forget_fresh(queue);
    }
}

struct kp_producer_batch *kp_accumulator_open_batch(struct kp_record_accumulator *accumulator,
                                                    const struct kp_topic_partition *partition,
                                                    struct kp_buffer *buffer, uint32_t number, bool is_split,
                                                    int64_t now_ms)
{
    struct kp_producer_batch *batch =
        kp_producer_batch_open(&accumulator->batch_pool, accumulator->options.allocator,
                               accumulator->options.trace, number, partition, buffer, is_split, now_ms);
    if (batch == NULL) {
        return NULL;
    }
    bool is_compressed = accumulator->options.compression != KW_COMPRESSION_NONE;
    if (!kp_producer_batch_reserve(batch, 1) ||
        (is_compressed && !kp_producer_batch_compress_with(batch, &accumulator->compressor))) {
        batch->buffer = NULL;
        kp_producer_batch_release(batch);
        return NULL;
    }
    return batch;
}

void kp_batch_list_add(struct kp_batch_list *list, struct kp_producer_batch *batch)
{
    batch->drained_next = NULL;
    if (list->last != NULL) {
        list->last->drained_next = batch;
    } else {
        list->first = batch;
    }
    list->last = batch;
    list->count++;
}

/* --- Appending */

static enum kp_accumulate fail(enum kw_error code, const char *exception, const char *message,
                               struct kp_failure *failure, enum kw_error *error)
{
    kp_failure_throw(failure, exception, message);
    *error = code;
    return KP_ACCUMULATE_FAILED;
}

static enum kp_accumulate fail_no_memory(struct kp_failure *failure, enum kw_error *error)
{
    return fail(KW_ERROR_OUT_OF_MEMORY, kw_error_exception(KW_ERROR_OUT_OF_MEMORY),
                kw_error_message(KW_ERROR_OUT_OF_MEMORY), failure, error);
}

static enum kp_accumulate fail_closed(struct kp_failure *failure, enum kw_error *error)
{
    return fail(KW_ERROR_KAFKA, "KafkaException", "Producer closed while send in progress", failure, error);
}

static void appended(struct kp_record_accumulator *accumulator, struct kp_append *append,
                     const struct kp_partition_queue *queue, struct kp_producer_batch *batch,
                     uint32_t size_bytes, bool is_new)
{
    if (append->upper_bound_bytes > batch->max_record_size_bytes) {
        batch->max_record_size_bytes = append->upper_bound_bytes;
    }
    append->batch = batch->number;
    append->batch_is_full = queue->batch_count > 1 || kp_producer_batch_is_full(batch);
    append->new_batch_created = is_new;
    append->wakes_sender = append->batch_is_full || is_new;
    accumulator->incomplete.record_count++;
    KB_TRACE(accumulator->options.trace, 0, RECORD_APPENDED, record_appended, .record = append->record_id,
             .batch = batch->number, .topic = batch->partition->topic->trace_name,
             .partition = batch->partition->partition, .slot = batch->record_count - 1,
             .record_bytes = (int32_t)size_bytes, .batch_bytes = kp_producer_batch_size_bytes(batch),
             .wakes_sender = append->wakes_sender);
}

/* Kafka: tryAppend. *is_done: there is an answer. */
static enum kp_accumulate try_append(struct kp_record_accumulator *accumulator, struct kp_append *append,
                                     struct kp_partition_queue *queue, int64_t now_ms,
                                     struct kp_failure *failure, enum kw_error *error, bool *is_done)
{
    *is_done = true;
    struct kp_producer_batch *last = kp_partition_queue_last(queue);
    uint32_t size_bytes = 0;
    if (last != NULL) {
        mark_fresh(accumulator, queue);
        switch (kp_producer_batch_try_append(last, append->timestamp_ms, &append->fields, append->record_id,
                                             now_ms, &size_bytes)) {
        case KP_APPEND_OK:
            appended(accumulator, append, queue, last, size_bytes, false);
            return KP_ACCUMULATE_APPENDED;
        case KP_APPEND_NO_MEMORY:
            return fail_no_memory(failure, error);
        case KP_APPEND_NO_ROOM:
            kp_producer_batch_close_for_appends(last, kp_producer_batch_has_reached_capacity(last)
                                                          ? KB_CLOSE_WHY_FULL
                                                          : KB_CLOSE_WHY_NO_ROOM);
            break;
        }
    }
    *is_done = false;
    return KP_ACCUMULATE_ABORTED;
}

/* The part of append() behind the allocation: the buffer is ours. */
static enum kp_accumulate open_batch(struct kp_record_accumulator *accumulator, struct kp_append *append,
                                     struct kp_buffer *buffer, int64_t now_ms, struct kp_failure *failure,
                                     enum kw_error *error)
{
    uint32_t size_bytes = buffer->capacity_bytes;
    struct kp_partition_queue *queue = kp_accumulator_queue(accumulator, append->partition);
    if (accumulator->is_closed || queue == NULL) {
        kp_buffer_pool_deallocate(&accumulator->pool, buffer, size_bytes);
        return queue == NULL ? fail_no_memory(failure, error) : fail_closed(failure, error);
    }
    bool is_done;
    enum kp_accumulate result = try_append(accumulator, append, queue, now_ms, failure, error, &is_done);
    if (is_done) {
        /* Somebody else found us a batch. */
        kp_buffer_pool_deallocate(&accumulator->pool, buffer, size_bytes);
        return result;
    }
    struct kp_producer_batch *batch = kp_accumulator_open_batch(accumulator, append->partition, buffer,
                                                                accumulator->last_batch + 1, false, now_ms);
    if (batch == NULL) {
        kp_buffer_pool_deallocate(&accumulator->pool, buffer, size_bytes);
        return fail_no_memory(failure, error);
    }
    accumulator->last_batch = batch->number;
    KB_TRACE(accumulator->options.trace, 0, BATCH_CREATED, batch_created, .batch = batch->number,
             .topic = append->partition->topic->trace_name, .partition = append->partition->partition,
             .capacity_bytes = (int32_t)size_bytes, .record = append->record_id);
    kp_incomplete_batches_add(&accumulator->incomplete, batch);
    kp_accumulator_insert(accumulator, queue, NULL, batch);
    uint32_t record_bytes;
    enum kp_append_result first = kp_producer_batch_try_append(batch, append->timestamp_ms, &append->fields,
                                                               append->record_id, now_ms, &record_bytes);
    KB_ASSERT(first == KP_APPEND_OK); /* the first record always fits, and its slot is there */
    appended(accumulator, append, queue, batch, record_bytes, true);
    return KP_ACCUMULATE_APPENDED;
}

static enum kp_accumulate after_allocation(struct kp_record_accumulator *accumulator,
                                           struct kp_append *append, enum kp_pool_result result,
                                           struct kp_buffer *buffer, int64_t now_ms,
                                           struct kp_failure *failure, enum kw_error *error)
{
    switch (result) {
    case KP_POOL_OK:
        return open_batch(accumulator, append, buffer, now_ms, failure, error);
    case KP_POOL_BLOCKED:
        return KP_ACCUMULATE_BLOCKED;
    case KP_POOL_TOO_LARGE:
        *error = KW_ERROR_ILLEGAL_ARGUMENT;
        break;
    case KP_POOL_EXHAUSTED:
        *error = KW_ERROR_BUFFER_EXHAUSTED;
        break;
    case KP_POOL_CLOSED:
        *error = KW_ERROR_KAFKA;
        break;
    case KP_POOL_NO_MEMORY:
        *error = KW_ERROR_OUT_OF_MEMORY;
        break;
    }
    return KP_ACCUMULATE_FAILED;
}

enum kp_accumulate kp_record_accumulator_append(struct kp_record_accumulator *accumulator,
                                                struct kp_append *append, int64_t max_block_ms,
                                                int64_t now_ms, struct kp_failure *failure,
                                                enum kw_error *error)
{
    struct kp_partition_queue *queue = kp_accumulator_queue(accumulator, append->partition);
    if (queue == NULL) {
        return fail_no_memory(failure, error);
    }
    if (accumulator->is_closed) {
        return fail_closed(failure, error);
    }
    bool is_done;
    enum kp_accumulate result = try_append(accumulator, append, queue, now_ms, failure, error, &is_done);
    if (is_done || append->abort_on_new_batch) {
        return result;
    }
    int64_t size_bytes = kw_record_batch_size_upper_bound_bytes(&append->fields);
    if (size_bytes < accumulator->options.batch_size_bytes) {
        size_bytes = accumulator->options.batch_size_bytes;
    }
    KB_ASSERT(size_bytes <= INT32_MAX); /* the caller checked it against max.request.size */
    append->waiter.record = append->record_id;
    struct kp_buffer *buffer;
    enum kp_pool_result allocated = kp_buffer_pool_allocate(
        &accumulator->pool, (uint32_t)size_bytes, max_block_ms, now_ms, &append->waiter, &buffer, failure);
    return after_allocation(accumulator, append, allocated, buffer, now_ms, failure, error);
}

enum kp_accumulate kp_record_accumulator_resume(struct kp_record_accumulator *accumulator,
                                                struct kp_append *append, int64_t now_ms,
                                                struct kp_failure *failure, enum kw_error *error)
{
    struct kp_buffer *buffer;
    enum kp_pool_result allocated =
        kp_buffer_pool_resume(&accumulator->pool, &append->waiter, now_ms, &buffer, failure);
    return after_allocation(accumulator, append, allocated, buffer, now_ms, failure, error);
}

/* --- Memory, flush, close */

void kp_record_accumulator_deallocate(struct kp_record_accumulator *accumulator,
                                      struct kp_producer_batch *batch)
{
    kp_incomplete_batches_remove(&accumulator->incomplete, batch);
    struct kp_buffer *buffer = batch->buffer;
    batch->buffer = NULL;
    if (batch->is_split) {
        /* Split batches are allocated outside the pool. */
        kp_buffer_release(buffer);
    } else {
        /* Compressed to more than was estimated it may be in another buffer; the account has the first. */
        kp_buffer_pool_deallocate(&accumulator->pool, buffer, batch->builder.capacity_bytes);
    }
    kp_producer_batch_release(batch);
}

void kp_record_accumulator_begin_flush(struct kp_record_accumulator *accumulator)
{
    accumulator->flush_count++;
}

void kp_record_accumulator_end_flush(struct kp_record_accumulator *accumulator)
{
    KB_ASSERT(accumulator->flush_count > 0);
    accumulator->flush_count--;
}

uint32_t kp_record_accumulator_last_batch(const struct kp_record_accumulator *accumulator)
{
    return accumulator->last_batch;
}

void kp_record_accumulator_close(struct kp_record_accumulator *accumulator)
{
    accumulator->is_closed = true;
    kp_buffer_pool_close(&accumulator->pool);
}

void kp_record_accumulator_mute_partition(struct kp_record_accumulator *accumulator,
                                          const struct kp_topic_partition *partition)
{
    struct kp_partition_queue *queue = kp_accumulator_find_queue(accumulator, partition);
    KB_ASSERT(queue != NULL); /* something of it was drained */
    queue->is_muted = !KB_PLANTED(PARTITION_NOT_MUTED);
    kp_accumulator_changed(accumulator);
}

void kp_record_accumulator_unmute_partition(struct kp_record_accumulator *accumulator,
                                            const struct kp_topic_partition *partition)
{
    struct kp_partition_queue *queue = kp_accumulator_find_queue(accumulator, partition);
    if (queue != NULL) {
        queue->is_muted = false;
        kp_accumulator_changed(accumulator);
    }
}

bool kp_record_accumulator_has_undrained(const struct kp_record_accumulator *accumulator)
{
    return !kb_list_is_empty(&accumulator->active);
}

bool kp_record_accumulator_has_incomplete(const struct kp_record_accumulator *accumulator)
{
    return !kp_incomplete_batches_is_empty(&accumulator->incomplete);
}
