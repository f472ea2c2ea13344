#include "core/record_accumulator_internal.h"

#include "base/allocator.h"
#include "base/assert.h"
#include "base/planted.h"
#include "core/transaction_manager.h"
#include "wire/record_batch_reader.h"

/* The batch that the new one goes before, so that sequences stay in order; NULL: the end. Kafka:
 * insertInSequenceOrder. */
static struct kp_producer_batch *place_by_sequence(const struct kp_partition_queue *queue,
                                                   const struct kp_producer_batch *batch)
{
    struct kp_producer_batch *place = kp_partition_queue_first(queue);
    while (place != NULL && kp_producer_batch_has_sequence(place) &&
           kp_producer_batch_base_sequence(place) < kp_producer_batch_base_sequence(batch)) {
        place = kp_partition_queue_next(queue, place);
    }
    return place;
}

static void put_back(struct kp_record_accumulator *accumulator, struct kp_partition_queue *queue,
                     struct kp_producer_batch *batch)
{
    struct kp_producer_batch *place = kp_partition_queue_first(queue);
    if (accumulator->options.transaction_manager != NULL) {
        KB_ASSERT(kp_producer_batch_has_sequence(batch));
        place = KB_PLANTED(REENQUEUE_AT_FRONT) ? place : place_by_sequence(queue, batch);
    }
    kp_accumulator_insert(accumulator, queue, place, batch);
    kp_accumulator_changed(accumulator);
}

void kp_record_accumulator_reenqueue(struct kp_record_accumulator *accumulator,
                                     struct kp_producer_batch *batch, enum kw_error error, int64_t now_ms)
{
    kp_producer_batch_reenqueued(batch, now_ms);
    struct kp_partition_queue *queue = kp_accumulator_find_queue(accumulator, batch->partition);
    KB_ASSERT(queue != NULL); /* the batch came from it */
    put_back(accumulator, queue, batch);
    KB_TRACE(accumulator->options.trace, 0, BATCH_REENQUEUED, batch_reenqueued,
             .backoff_ms = accumulator->options.retry_backoff_ms, .batch = batch->number,
             .topic = batch->partition->topic->trace_name, .partition = batch->partition->partition,
             .attempts = (uint32_t)batch->attempts, .error = (int32_t)error);
}

/* --- Splitting */

/* The parts so far, chained by drained_next, and the headers of the record at hand. */
struct split {
    struct kp_record_accumulator *accumulator;
    struct kp_producer_batch *whole;
    struct kp_batch_list parts;
    struct kw_record_header *headers;
    uint32_t header_capacity;
    uint32_t record_index;
};

static bool read_headers(struct split *split, const struct kw_record *record)
{
    const struct linger_allocator *allocator = split->accumulator->options.allocator;
    uint32_t count = (uint32_t)record->header_count;
    if (count > split->header_capacity) {
        struct kw_record_header *headers = kb_allocate_zeroed(allocator, count, sizeof *headers);
        if (headers == NULL) {
            return false;
        }
        kb_deallocate(allocator, split->headers, split->header_capacity * sizeof *headers);
        split->headers = headers;
        split->header_capacity = count;
    }
    struct kw_bytes rest = record->headers;
    for (uint32_t i = 0; i < count; i++) {
        bool has_header = kw_record_header_next(&rest, &split->headers[i]);
        KB_ASSERT(has_header); /* we wrote them */
    }
    return true;
}

/* Kafka: createBatchOffAccumulatorForRecord. Keeps the time of creation of the whole. */
static struct kp_producer_batch *add_part(struct split *split, const struct kw_record_fields *fields)
{
    struct kp_record_accumulator *accumulator = split->accumulator;
    int64_t size_bytes = kw_record_batch_size_upper_bound_bytes(fields);
    if (size_bytes < accumulator->options.batch_size_bytes) {
        size_bytes = accumulator->options.batch_size_bytes;
    }
    struct kp_buffer *buffer = kp_buffer_create(accumulator->options.allocator, (uint32_t)size_bytes);
    if (buffer == NULL) {
        return NULL;
    }
    struct kp_producer_batch *part = kp_accumulator_open_batch(
        accumulator, split->whole->partition, buffer, accumulator->last_batch + 1 + split->parts.count, true,
        split->whole->created_ms);
    if (part == NULL) {
        kp_buffer_release(buffer);
        return NULL;
    }
    kp_batch_list_add(&split->parts, part);
    return part;
}

static void note_record_size(struct kp_producer_batch *part, const struct kw_record_fields *fields)
{
    int64_t bound_bytes = kw_record_batch_size_upper_bound_bytes(fields);
    if (bound_bytes > part->max_record_size_bytes) {
        part->max_record_size_bytes = (int32_t)bound_bytes; /* it was in a batch that was sent */
    }
}

static bool split_record(struct split *split, const struct kw_record *record)
{
    if (!read_headers(split, record)) {
        return false;
    }
    struct kw_record_fields fields = {record->key, record->value, split->headers, record->header_count};
    uint32_t record_id = split->whole->record_ids[split->record_index++];
    uint32_t size_bytes;
    for (int attempt = 0; attempt < 2; attempt++) {
        struct kp_producer_batch *part = split->parts.last;
        if (part == NULL || attempt > 0) {
            part = add_part(split, &fields);
        }
        if (part == NULL) {
            return false;
        }
        switch (kp_producer_batch_try_append(part, record->timestamp_ms, &fields, record_id, part->created_ms,
                                             &size_bytes)) {
        case KP_APPEND_OK:
            note_record_size(part, &fields);
            return true;
        case KP_APPEND_NO_MEMORY:
            return false;
        case KP_APPEND_NO_ROOM:
            break;
        }
    }
    KB_UNREACHABLE(); /* a new batch hosts any first record */
}

static bool split_records(struct split *split, struct kw_compression_buffer *decompressed)
{
    const struct kw_record_batch_builder *builder = &split->whole->builder;
    struct kw_record_reader reader;
    struct kw_record record;
    /* Not the size of the batch: one whose sequences were reset on the way is open again. */
    enum kw_error error =
        kw_record_reader_open(&reader, kp_producer_batch_bytes(split->whole), builder->written_bytes,
                              builder->uncompressed_bytes, decompressed);
    KB_ASSERT(error == KW_ERROR_NONE || error == KW_ERROR_OUT_OF_MEMORY); /* we compressed them */
    if (error != KW_ERROR_NONE) {
        return false;
    }
    while (kw_record_reader_next(&reader, &record)) {
        if (!split_record(split, &record)) {
            return false;
        }
    }
    KB_ASSERT(reader.error == KW_ERROR_NONE && split->record_index == split->whole->record_count);
    return true;
}

/* A batch is only split when the estimate was too low: the parts begin with a cautious one. Kafka: the
 * beginning of splitAndReenqueue. */
static void reset_estimation(struct kp_record_accumulator *accumulator, const struct kp_producer_batch *batch)
{
    if (batch->compressor == NULL) {
        return;
    }
    float ratio = kw_record_batch_builder_compression_ratio(&batch->builder);
    kp_compression_ratio_set_estimation(&accumulator->compressor.estimator, batch->partition->topic->index,
                                        accumulator->options.compression, ratio > 1.0F ? ratio : 1.0F);
}

/* The parts take the place of the whole: closed, numbered, with its sequences. */
static void adopt_parts(struct split *split)
{
    struct kp_record_accumulator *accumulator = split->accumulator;
    const struct kp_producer_batch *whole = split->whole;
    uint32_t sequence = (uint32_t)kp_producer_batch_base_sequence(whole);
    for (struct kp_producer_batch *part = split->parts.first; part != NULL; part = part->drained_next) {
        KB_TRACE(accumulator->options.trace, 0, BATCH_CREATED, batch_created, .batch = part->number,
                 .topic = part->partition->topic->trace_name, .partition = part->partition->partition,
                 .capacity_bytes = (int32_t)part->builder.capacity_bytes, .record = part->record_ids[0]);
        kp_producer_batch_close_for_appends(
            part, kp_producer_batch_has_reached_capacity(part) ? KB_CLOSE_WHY_FULL : KB_CLOSE_WHY_NO_ROOM);
        if (kp_producer_batch_has_sequence(whole)) {
            kp_producer_batch_set_producer_state(part, kp_producer_batch_producer_id(whole),
                                                 kp_producer_batch_producer_epoch(whole), (int32_t)sequence,
                                                 kp_producer_batch_is_transactional(whole));
            sequence += part->record_count;
        }
        accumulator->last_batch = part->number;
        kp_incomplete_batches_add(&accumulator->incomplete, part);
        if (accumulator->options.transaction_manager != NULL) {
            kp_transaction_manager_add_in_flight_batch(accumulator->options.transaction_manager, part);
        }
    }
}

/* Last part first, each before what is there. */
static void put_back_parts(struct kp_record_accumulator *accumulator, struct kp_partition_queue *queue,
                           struct kp_producer_batch *part)
{
    struct kp_producer_batch *place = kp_partition_queue_first(queue);
    for (; part != NULL; part = part->drained_next) {
        if (accumulator->options.transaction_manager != NULL) {
            place = place_by_sequence(queue, part);
        }
        kp_accumulator_insert(accumulator, queue, place, part);
        kp_accumulator_changed(accumulator);
    }
}

uint32_t kp_record_accumulator_split_and_reenqueue(struct kp_record_accumulator *accumulator,
                                                   struct kp_producer_batch *batch)
{
    const struct linger_allocator *allocator = accumulator->options.allocator;
    struct kp_partition_queue *queue = kp_accumulator_find_queue(accumulator, batch->partition);
    KB_ASSERT(queue != NULL && !kp_producer_batch_is_done(batch));
    struct split split = {.accumulator = accumulator, .whole = batch};
    reset_estimation(accumulator, batch);
    struct kw_compression_buffer decompressed;
    kw_compression_buffer_init(&decompressed, allocator);
    bool is_split = split_records(&split, &decompressed);
    kw_compression_buffer_release(&decompressed);
    kb_deallocate(allocator, split.headers, split.header_capacity * sizeof *split.headers);
    if (!is_split) {
        while (split.parts.first != NULL) {
            struct kp_producer_batch *part = split.parts.first;
            split.parts.first = part->drained_next;
            kp_producer_batch_release(part);
        }
        return 0;
    }
    KB_ASSERT(split.parts.first != NULL); /* a batch that is split has records */
    KB_TRACE(accumulator->options.trace, 0, BATCH_SPLIT, batch_split, .batch = batch->number,
             .topic = batch->partition->topic->trace_name, .partition = batch->partition->partition,
             .parts = split.parts.count, .first_part = split.parts.first->number);
    adopt_parts(&split);
    put_back_parts(accumulator, queue, split.parts.first);
    return split.parts.count;
}

/* --- Aborting */

static void abort_batch(struct kp_record_accumulator *accumulator, struct kp_producer_batch *batch,
                        enum kw_error error, const struct kp_failure *reason)
{
    struct kp_partition_queue *queue = kp_accumulator_find_queue(accumulator, batch->partition);
    kp_producer_batch_abort_appends(batch);
    if (queue != NULL && kb_list_node_is_linked(&batch->queue_node)) {
        kp_accumulator_remove(accumulator, queue, batch);
    }
    kp_producer_batch_abort(batch, &accumulator->completions, error, reason);
    kp_record_accumulator_deallocate(accumulator, batch);
}

void kp_record_accumulator_abort_batches(struct kp_record_accumulator *accumulator, enum kw_error error,
                                         const struct kp_failure *reason)
{
    struct kp_producer_batch *batch;
    while ((batch = kp_incomplete_batches_first(&accumulator->incomplete)) != NULL) {
        abort_batch(accumulator, batch, error, reason);
    }
}

void kp_record_accumulator_abort_undrained(struct kp_record_accumulator *accumulator, enum kw_error error,
                                           const struct kp_failure *reason)
{
    bool is_idempotent = accumulator->options.transaction_manager != NULL;
    struct kp_producer_batch *next = kp_incomplete_batches_first(&accumulator->incomplete);
    while (next != NULL) {
        struct kp_producer_batch *batch = next;
        next = kp_incomplete_batches_next(&accumulator->incomplete, batch);
        if (is_idempotent ? !kp_producer_batch_has_sequence(batch) : !kp_producer_batch_is_closed(batch)) {
            abort_batch(accumulator, batch, error, reason);
        }
    }
}

void kp_record_accumulator_abort_incomplete(struct kp_record_accumulator *accumulator)
{
    struct kp_failure reason;
    kp_failure_clear(&reason);
    kp_failure_throw(&reason, "KafkaException", "Producer is closed forcefully.");
    kp_record_accumulator_abort_batches(accumulator, KW_ERROR_KAFKA, &reason);
}
