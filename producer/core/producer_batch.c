#include "core/producer_batch.h"

#include "base/allocator.h"
#include "base/assert.h"
#include "base/planted.h"
#include "core/memory.h"

#include <string.h>

/* Why a batch failed. Apart from the batch, because most do not. */
struct kp_batch_failure {
    enum kw_error error;
    struct kp_failure top_level;
    struct kp_record_failure *records; /* owned, with their messages */
    uint32_t record_count;
};

/* A kept batch, zeroed but for its slots; or a new one. */
static struct kp_producer_batch *take_batch(const struct linger_allocator *allocator,
                                            struct kp_batch_pool *pool)
{
    if (pool == NULL || pool->first == NULL) {
        return kb_allocate_zeroed(allocator, 1, sizeof(struct kp_producer_batch));
    }
    struct kp_producer_batch *batch = pool->first;
    pool->first = batch->drained_next;
    *batch = (struct kp_producer_batch){.slots = batch->slots,
                                        .record_ids = batch->record_ids,
                                        .slot_capacity = batch->slot_capacity,
                                        .id_capacity = batch->id_capacity};
    return batch;
}

static void free_batch(const struct linger_allocator *allocator, struct kp_producer_batch *batch)
{
    kb_deallocate(allocator, batch->slots, batch->slot_capacity * sizeof *batch->slots);
    kb_deallocate(allocator, batch->record_ids, batch->id_capacity * sizeof *batch->record_ids);
    kb_deallocate(allocator, batch, sizeof *batch);
}

void kp_batch_pool_release(struct kp_batch_pool *pool)
{
    while (pool->first != NULL) {
        struct kp_producer_batch *batch = pool->first;
        pool->first = batch->drained_next;
        free_batch(batch->allocator, batch);
    }
}

struct kp_producer_batch *kp_producer_batch_create(const struct linger_allocator *allocator,
                                                   struct kb_trace *trace, uint32_t number,
                                                   const struct kp_topic_partition *partition,
                                                   struct kp_buffer *buffer, bool is_split, int64_t now_ms)
{
    return kp_producer_batch_open(NULL, allocator, trace, number, partition, buffer, is_split, now_ms);
}

struct kp_producer_batch *kp_producer_batch_open(struct kp_batch_pool *pool,
                                                 const struct linger_allocator *allocator,
                                                 struct kb_trace *trace, uint32_t number,
                                                 const struct kp_topic_partition *partition,
                                                 struct kp_buffer *buffer, bool is_split, int64_t now_ms)
{
    struct kp_producer_batch *batch = take_batch(allocator, pool);
    if (batch == NULL) {
        return NULL;
    }
    batch->allocator = allocator;
    batch->pool = pool;
    batch->trace = trace;
    batch->number = number;
    batch->reference_count = 1;
    batch->partition = partition;
    batch->buffer = buffer;
    batch->created_ms = now_ms;
    batch->last_attempt_ms = now_ms;
    batch->last_append_ms = now_ms;
    batch->is_split = is_split;
    batch->base_offset = -1;
    batch->log_append_time_ms = KW_NO_TIMESTAMP;
    struct kw_record_batch_options options = kw_record_batch_options_default();
    kw_record_batch_builder_init(&batch->builder, buffer->bytes, buffer->capacity_bytes, &options);
    return batch;
}

bool kp_producer_batch_compress_with(struct kp_producer_batch *batch, struct kp_batch_compressor *compressor)
{
    KB_ASSERT(batch->record_count == 0 && batch->compressor == NULL);
    if (!kp_batch_compressor_begin(compressor, &batch->builder, batch->partition->topic->index,
                                   &batch->scratch)) {
        return false;
    }
    batch->compressor = compressor;
    return true;
}

void kp_producer_batch_retain(struct kp_producer_batch *batch)
{
    KB_ASSERT(batch->reference_count > 0);
    batch->reference_count++;
}

static void release_failure(const struct linger_allocator *allocator, struct kp_batch_failure *failure)
{
    if (failure == NULL) {
        return;
    }
    for (uint32_t i = 0; i < failure->record_count; i++) {
        kp_release_text(allocator, failure->records[i].message);
    }
    kb_deallocate(allocator, failure->records, failure->record_count * sizeof *failure->records);
    kb_deallocate(allocator, failure, sizeof *failure);
}

static void give_scratch(struct kp_producer_batch *batch)
{
    if (batch->compressor != NULL) {
        kp_batch_compressor_give_scratch(batch->compressor, batch->scratch);
        batch->scratch = NULL;
    }
}

void kp_producer_batch_release(struct kp_producer_batch *batch)
{
    if (batch == NULL) {
        return;
    }
    KB_ASSERT(batch->reference_count > 0);
    if (--batch->reference_count > 0) {
        return;
    }
    KB_ASSERT(!kb_list_node_is_linked(&batch->queue_node) &&
              !kb_list_node_is_linked(&batch->incomplete_node));
    kp_buffer_release(batch->buffer);
    give_scratch(batch);
    release_failure(batch->allocator, batch->failure);
    if (batch->pool != NULL) {
        batch->drained_next = batch->pool->first;
        batch->pool->first = batch;
    } else {
        free_batch(batch->allocator, batch);
    }
}

/* --- Appending */

bool kp_producer_batch_reserve(struct kp_producer_batch *batch, uint32_t record_count)
{
    uint32_t wanted_count = batch->record_count + record_count;
    return kp_grow(batch->allocator, &batch->slots, &batch->slot_capacity, wanted_count,
                   sizeof *batch->slots) &&
           kp_grow(batch->allocator, &batch->record_ids, &batch->id_capacity, wanted_count,
                   sizeof *batch->record_ids);
}

/* The scratch of a batch that is to be compressed may be too small for what there is room for. */
static bool make_space(struct kp_producer_batch *batch, int64_t timestamp_ms,
                       const struct kw_record_fields *fields)
{
    int64_t bound_bytes = kw_record_batch_size_upper_bound_bytes(fields);
    return kw_record_batch_builder_has_space(&batch->builder, bound_bytes) ||
           !kw_record_batch_builder_has_room_for(&batch->builder, timestamp_ms, fields) ||
           kp_batch_compressor_make_space(batch->compressor, &batch->builder, &batch->scratch, bound_bytes);
}

enum kp_append_result kp_producer_batch_try_append(struct kp_producer_batch *batch, int64_t timestamp_ms,
                                                   const struct kw_record_fields *fields, uint32_t record_id,
                                                   int64_t now_ms, uint32_t *size_bytes)
{
    if (!kp_producer_batch_reserve(batch, 1) ||
        (batch->scratch != NULL && !make_space(batch, timestamp_ms, fields))) {
        return KP_APPEND_NO_MEMORY;
    }
    *size_bytes = kw_record_batch_builder_try_append(&batch->builder, timestamp_ms, fields);
    if (*size_bytes == 0) {
        return KP_APPEND_NO_ROOM;
    }
    batch->last_append_ms = now_ms;
    batch->record_ids[batch->record_count] = record_id;
    batch->slots[batch->record_count] =
        (struct kp_record_slot){.timestamp_ms = timestamp_ms,
                                .key_bytes = kw_bytes_encoded_length(fields->key),
                                .value_bytes = kw_bytes_encoded_length(fields->value)};
    batch->record_count++;
    return KP_APPEND_OK;
}

bool kp_producer_batch_is_full(const struct kp_producer_batch *batch)
{
    return kw_record_batch_builder_is_full(&batch->builder);
}

bool kp_producer_batch_is_closed(const struct kp_producer_batch *batch)
{
    return kw_record_batch_builder_is_closed(&batch->builder);
}

bool kp_producer_batch_has_reached_capacity(const struct kp_producer_batch *batch)
{
    return kw_record_batch_builder_estimated_size_bytes(&batch->builder) >= batch->builder.capacity_bytes;
}

int32_t kp_producer_batch_size_bytes(const struct kp_producer_batch *batch)
{
    return (int32_t)kw_record_batch_builder_estimated_size_bytes(&batch->builder);
}

const uint8_t *kp_producer_batch_bytes(const struct kp_producer_batch *batch)
{
    KB_ASSERT(batch->buffer != NULL);
    return batch->buffer->bytes;
}

static void announce_closed(const struct kp_producer_batch *batch, enum kb_close_why why)
{
    if (batch->builder.state == KW_BUILDER_OPEN) {
        KB_TRACE(batch->trace, 0, BATCH_CLOSED, batch_closed, .batch = batch->number,
                 .topic = batch->partition->topic->trace_name, .partition = batch->partition->partition,
                 .records = batch->record_count, .bytes = kp_producer_batch_size_bytes(batch),
                 .why = (int32_t)why);
    }
}

static void compress(struct kp_producer_batch *batch)
{
    uint32_t collected_bytes = batch->builder.written_bytes;
    int32_t estimated_bytes = kp_producer_batch_size_bytes(batch);
    kp_batch_compressor_finish(batch->compressor, &batch->builder, &batch->scratch, &batch->buffer);
    KB_TRACE(batch->trace, 0, BATCH_COMPRESSED, batch_compressed, .batch = batch->number,
             .topic = batch->partition->topic->trace_name, .partition = batch->partition->partition,
             .collected_bytes = (int32_t)collected_bytes, .estimated_bytes = estimated_bytes,
             .compressed_bytes = (int32_t)batch->builder.written_bytes);
}

void kp_producer_batch_close_for_appends(struct kp_producer_batch *batch, enum kb_close_why why)
{
    announce_closed(batch, why);
    kw_record_batch_builder_close_for_appends(&batch->builder);
    if (batch->scratch != NULL) {
        compress(batch);
    }
}

void kp_producer_batch_close(struct kp_producer_batch *batch)
{
    kp_producer_batch_close_for_appends(batch, KB_CLOSE_WHY_DRAINED);
    kw_record_batch_builder_close(&batch->builder);
    if (batch->builder.is_compressed) {
        (void)kp_compression_ratio_update_estimation(
            &batch->compressor->estimator, batch->partition->topic->index, batch->builder.options.compression,
            kw_record_batch_builder_compression_ratio(&batch->builder));
    }
    batch->sequence_has_been_reset = false;
}

void kp_producer_batch_abort_appends(struct kp_producer_batch *batch)
{
    announce_closed(batch, KB_CLOSE_WHY_ABORTED);
    kw_record_batch_builder_abort(&batch->builder);
    give_scratch(batch);
}

/* --- Time and retries */

bool kp_producer_batch_has_reached_delivery_timeout(const struct kp_producer_batch *batch,
                                                    int64_t delivery_timeout_ms, int64_t now_ms)
{
    return delivery_timeout_ms <= now_ms - batch->created_ms && !KB_PLANTED(NEVER_EXPIRES);
}

int64_t kp_producer_batch_waited_ms(const struct kp_producer_batch *batch, int64_t now_ms)
{
    return now_ms > batch->last_attempt_ms ? now_ms - batch->last_attempt_ms : 0;
}

void kp_producer_batch_reenqueued(struct kp_producer_batch *batch, int64_t now_ms)
{
    batch->attempts++;
    int64_t latest_ms = batch->last_append_ms > now_ms ? batch->last_append_ms : now_ms;
    batch->last_attempt_ms = latest_ms;
    batch->last_append_ms = latest_ms;
    batch->in_retry = true;
}

/* --- Producer id and sequence */

bool kp_producer_batch_has_sequence(const struct kp_producer_batch *batch)
{
    return batch->builder.options.base_sequence != KW_NO_SEQUENCE;
}

int64_t kp_producer_batch_producer_id(const struct kp_producer_batch *batch)
{
    return batch->builder.options.producer_id;
}

int16_t kp_producer_batch_producer_epoch(const struct kp_producer_batch *batch)
{
    return batch->builder.options.producer_epoch;
}

int32_t kp_producer_batch_base_sequence(const struct kp_producer_batch *batch)
{
    return batch->builder.options.base_sequence;
}

int32_t kp_producer_batch_last_sequence(const struct kp_producer_batch *batch)
{
    uint32_t last = (uint32_t)kp_producer_batch_base_sequence(batch) + batch->record_count - 1;
    return (int32_t)last;
}

bool kp_producer_batch_is_transactional(const struct kp_producer_batch *batch)
{
    return batch->builder.options.is_transactional;
}

static void announce_sequenced(const struct kp_producer_batch *batch)
{
    KB_TRACE(batch->trace, 0, BATCH_SEQUENCED, batch_sequenced,
             .producer_id = kp_producer_batch_producer_id(batch), .batch = batch->number,
             .topic = batch->partition->topic->trace_name, .partition = batch->partition->partition,
             .epoch = kp_producer_batch_producer_epoch(batch),
             .base_sequence = kp_producer_batch_base_sequence(batch));
}

void kp_producer_batch_set_producer_state(struct kp_producer_batch *batch, int64_t producer_id,
                                          int16_t producer_epoch, int32_t base_sequence,
                                          bool is_transactional)
{
    kw_record_batch_builder_set_producer_state(&batch->builder, producer_id, producer_epoch, base_sequence,
                                               is_transactional);
    announce_sequenced(batch);
}

void kp_producer_batch_reset_producer_state(struct kp_producer_batch *batch, int64_t producer_id,
                                            int16_t producer_epoch, int32_t base_sequence,
                                            bool is_transactional)
{
    batch->sequence_has_been_reset = true;
    kw_record_batch_builder_reopen_and_rewrite_producer_state(&batch->builder, producer_id, producer_epoch,
                                                              base_sequence, is_transactional);
    announce_sequenced(batch);
}

/* --- The end */

bool kp_producer_batch_is_done(const struct kp_producer_batch *batch)
{
    return batch->state != KP_BATCH_PENDING;
}

enum kw_error kp_producer_batch_error(const struct kp_producer_batch *batch)
{
    if (batch->state == KP_BATCH_PENDING || batch->state == KP_BATCH_SUCCEEDED) {
        return KW_ERROR_NONE;
    }
    return batch->failure != NULL ? batch->failure->error : KW_ERROR_OUT_OF_MEMORY;
}

/* Kafka: completeFutureAndFireCallbacks; the callbacks fire when the queue is emptied. */
static void finish(struct kp_producer_batch *batch, struct kp_completion_queue *completions,
                   enum kp_batch_state state)
{
    batch->state = state;
    enum kw_error error = kp_producer_batch_error(batch);
    uint32_t topic = batch->partition->topic->trace_name;
    uint64_t cause =
        KB_TRACE(batch->trace, 0, BATCH_DONE, batch_done, .base_offset = batch->base_offset,
                 .batch = batch->number, .topic = topic, .partition = batch->partition->partition,
                 .records = batch->record_count, .error = (int32_t)error);
    if (batch->trace != NULL) {
        for (uint32_t i = 0; i < batch->record_count; i++) {
            KB_TRACE(batch->trace, cause, RECORD_COMPLETED, record_completed,
                     .offset = batch->base_offset < 0 ? -1 : batch->base_offset + i,
                     .record = batch->record_ids[i], .batch = batch->number, .topic = topic,
                     .partition = batch->partition->partition, .error = (int32_t)error);
        }
    }
    kp_producer_batch_retain(batch);
    batch->completion_next = NULL;
    if (completions->last != NULL) {
        completions->last->completion_next = batch;
    } else {
        completions->first = batch;
    }
    completions->last = batch;
    completions->batch_count++;
}

bool kp_producer_batch_complete(struct kp_producer_batch *batch, struct kp_completion_queue *completions,
                                int64_t base_offset, int64_t log_append_time_ms)
{
    if (kp_producer_batch_is_done(batch)) {
        return false;
    }
    batch->base_offset = base_offset;
    batch->log_append_time_ms = log_append_time_ms;
    finish(batch, completions, KP_BATCH_SUCCEEDED);
    return true;
}

static bool copy_record_failures(const struct linger_allocator *allocator, struct kp_batch_failure *failure,
                                 const struct kp_record_failure *records, uint32_t count)
{
    if (count == 0) {
        return true;
    }
    failure->records = kb_allocate_zeroed(allocator, count, sizeof *failure->records);
    if (failure->records == NULL) {
        return false;
    }
    failure->record_count = count;
    for (uint32_t i = 0; i < count; i++) {
        failure->records[i] = records[i];
        failure->records[i].message = NULL;
        if (records[i].message == NULL) {
            continue;
        }
        failure->records[i].message = kp_copy_text(allocator, records[i].message, strlen(records[i].message));
        if (failure->records[i].message == NULL) {
            return false;
        }
    }
    return true;
}

static void fail(struct kp_producer_batch *batch, struct kp_completion_queue *completions,
                 enum kp_batch_state state, enum kw_error error, const struct kp_failure *top_level,
                 const struct kp_record_failure *record_failures, uint32_t record_failure_count)
{
    struct kp_batch_failure *failure = kb_allocate_zeroed(batch->allocator, 1, sizeof *failure);
    if (failure != NULL) {
        failure->error = error;
        failure->top_level = *top_level;
        if (!copy_record_failures(batch->allocator, failure, record_failures, record_failure_count)) {
            release_failure(batch->allocator, failure);
            failure = NULL;
        }
    }
    batch->failure = failure;
    finish(batch, completions, state);
}

bool kp_producer_batch_complete_exceptionally(struct kp_producer_batch *batch,
                                              struct kp_completion_queue *completions, enum kw_error error,
                                              const struct kp_failure *top_level,
                                              const struct kp_record_failure *record_failures,
                                              uint32_t record_failure_count)
{
    if (kp_producer_batch_is_done(batch)) {
        return false;
    }
    fail(batch, completions, KP_BATCH_FAILED, error, top_level, record_failures, record_failure_count);
    return true;
}

void kp_producer_batch_abort(struct kp_producer_batch *batch, struct kp_completion_queue *completions,
                             enum kw_error error, const struct kp_failure *reason)
{
    KB_ASSERT(!kp_producer_batch_is_done(batch));
    fail(batch, completions, KP_BATCH_ABORTED, error, reason, NULL, 0);
}

void kp_producer_batch_failure_of(const struct kp_producer_batch *batch, uint32_t index,
                                  struct kp_failure *out)
{
    KB_ASSERT(batch->state == KP_BATCH_FAILED || batch->state == KP_BATCH_ABORTED);
    const struct kp_batch_failure *failure = batch->failure;
    if (failure == NULL) {
        kp_failure_throw(out, kw_error_exception(KW_ERROR_OUT_OF_MEMORY),
                         kw_error_message(KW_ERROR_OUT_OF_MEMORY));
        return;
    }
    if (failure->record_count == 0) {
        *out = failure->top_level;
        return;
    }
    /* Of several for one record the last counts, as in Java's map. */
    for (uint32_t i = failure->record_count; i-- > 0;) {
        if (failure->records[i].batch_index >= 0 && (uint32_t)failure->records[i].batch_index == index) {
            kp_failure_throw(out, failure->records[i].exception, failure->records[i].message);
            return;
        }
    }
    kp_failure_throw(out, "KafkaException",
                     "Failed to append record because it was part of a batch which had one more more invalid "
                     "records");
}

/* --- Completions */

struct kp_producer_batch *kp_completion_queue_first(const struct kp_completion_queue *queue)
{
    return queue->first;
}

void kp_completion_queue_pop(struct kp_completion_queue *queue)
{
    struct kp_producer_batch *batch = queue->first;
    KB_ASSERT(batch != NULL);
    queue->first = batch->completion_next;
    if (queue->first == NULL) {
        queue->last = NULL;
    }
    queue->next_record = 0;
    batch->completion_next = NULL;
    kp_producer_batch_release(batch);
}
