/*
 * From what was fetched to the records that poll() returns; read_committed leaves out what was aborted.
 * Kafka: Fetcher.fetchedRecords, Fetcher.CompletedFetch.
 */
#include "engine/consumer_internal.h"

#include <stdlib.h>

#include "base/assert.h"
#include "engine/consumer_ledger.h"
#include "wire/record_batch.h"

enum { LARGEST_RECORDS_BYTES = 1 << 28 };

/* The oldest answer is read, or of no use. */
static void drop_first(struct sim_consumer_driver *consumer)
{
    struct kb_list_node *node = kb_list_pop_front(&consumer->fetched);
    struct consumer_fetched *fetched = KB_CONTAINER_OF(node, struct consumer_fetched, node);
    if (fetched->assignment == consumer->assignment) {
        consumer->partitions[fetched->partition].fetched_count--;
    }
    if (consumer->current == fetched) {
        consumer->current = NULL;
    }
    free(fetched->bytes);
    free(fetched->aborted);
    free(fetched->aborted_producers);
    free(fetched);
}

void consumer_forget_fetched(struct sim_consumer_driver *consumer)
{
    while (!kb_list_is_empty(&consumer->fetched)) {
        drop_first(consumer);
    }
}

/* --- One batch --- */

static void forget_producer(struct consumer_fetched *fetched, int64_t producer_id)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < fetched->aborted_producer_count; i++) {
        if (fetched->aborted_producers[i] != producer_id) {
            fetched->aborted_producers[kept++] = fetched->aborted_producers[i];
        }
    }
    fetched->aborted_producer_count = kept;
}

static bool is_aborted_producer(const struct consumer_fetched *fetched, int64_t producer_id)
{
    for (uint32_t i = 0; i < fetched->aborted_producer_count; i++) {
        if (fetched->aborted_producers[i] == producer_id) {
            return true;
        }
    }
    return false;
}

/* Kafka: ControlRecordType: a key of version and type, of which 0 is ABORT. */
static bool is_abort_marker(const uint8_t *batch, uint32_t size_bytes)
{
    enum { KEY_BYTES = 4, TYPE_AT = 2 };
    struct kw_record_reader reader;
    struct kw_record record;
    if (!kw_record_batch_is_control(batch)) {
        return false;
    }
    kw_record_reader_init(&reader, batch, batch + KW_RECORD_BATCH_RECORDS,
                          size_bytes - KW_RECORD_BATCH_RECORDS);
    return kw_record_reader_next(&reader, &record) && record.key.bytes != NULL &&
           record.key.length_bytes >= KEY_BYTES && kw_load_i16(record.key.bytes + TYPE_AT) == 0;
}

/* Whether the batch belongs to a transaction that was aborted. Kafka: CompletedFetch.nextFetchedRecord. */
static bool is_aborted(struct consumer_fetched *fetched, const uint8_t *batch, uint32_t size_bytes)
{
    int64_t producer_id = kw_record_batch_producer_id(batch);
    if (producer_id == KW_NO_PRODUCER_ID) {
        return false;
    }
    while (fetched->aborted_next < fetched->aborted_count &&
           fetched->aborted[fetched->aborted_next].first_offset <= kw_record_batch_last_offset(batch)) {
        int64_t beginning = fetched->aborted[fetched->aborted_next++].producer_id;
        if (!is_aborted_producer(fetched, beginning)) {
            fetched->aborted_producers[fetched->aborted_producer_count++] = beginning;
        }
    }
    if (is_abort_marker(batch, size_bytes)) {
        forget_producer(fetched, producer_id);
        return false;
    }
    return kw_record_batch_is_transactional(batch) && is_aborted_producer(fetched, producer_id);
}

/* The next batch that has something for the application; false: there is none, or it cannot be read. */
static bool open_batch(struct sim_consumer_driver *consumer, struct consumer_fetched *fetched,
                       enum kw_error *error)
{
    const uint8_t *batch;
    uint32_t size_bytes;
    while (kw_record_batch_next(&fetched->batches, &batch, &size_bytes)) {
        fetched->batch = batch;
        fetched->last_epoch = kw_record_batch_partition_leader_epoch(batch);
        if (consumer->config->check_crcs != 0) {
            *error = kw_record_batch_validate(batch, size_bytes);
            if (*error != KW_ERROR_NONE) {
                return false;
            }
        }
        if (consumer->config->isolation_level == SIM_READ_COMMITTED &&
            is_aborted(fetched, batch, size_bytes)) {
            int64_t from = kw_record_batch_base_offset(batch);
            from = from < fetched->next_offset ? fetched->next_offset : from;
            fetched->next_offset = kw_record_batch_last_offset(batch) + 1;
            fetched->aborted_records += (uint32_t)(fetched->next_offset - from);
            continue;
        }
        *error = kw_record_reader_open(&fetched->records, batch, size_bytes, LARGEST_RECORDS_BYTES,
                                       &consumer->decompressed);
        consumer->current = fetched;
        fetched->has_records = *error == KW_ERROR_NONE;
        return fetched->has_records;
    }
    if (fetched->batch != NULL) {
        fetched->next_offset = kw_record_batch_last_offset(fetched->batch) + 1;
    }
    return false;
}

/* Another partition's batch was decompressed in between: go back to where this one was. */
static void reopen_batch(struct sim_consumer_driver *consumer, struct consumer_fetched *fetched)
{
    if (consumer->current == fetched || !fetched->has_records) {
        return;
    }
    size_t size_bytes = (size_t)kw_record_batch_size_bytes(fetched->batch);
    enum kw_error error = kw_record_reader_open(&fetched->records, fetched->batch, size_bytes,
                                                LARGEST_RECORDS_BYTES, &consumer->decompressed);
    KB_ASSERT(error == KW_ERROR_NONE); /* it could be read before */
    consumer->current = fetched;
}

/* The next record for the application: its offset, or -1 when there is none left. */
static int64_t next_record(struct sim_consumer_driver *consumer, struct consumer_fetched *fetched,
                           enum kw_error *error)
{
    struct kw_record record;
    for (;;) {
        if (!fetched->has_records && !open_batch(consumer, fetched, error)) {
            return -1;
        }
        if (!kw_record_reader_next(&fetched->records, &record)) {
            *error = fetched->records.error;
            fetched->has_records = false;
            if (*error != KW_ERROR_NONE) {
                return -1;
            }
            continue;
        }
        if (record.offset < fetched->next_offset) {
            continue; /* the batch begins before what was asked for */
        }
        if (!kw_record_batch_is_control(fetched->batch)) {
            return record.offset;
        }
        fetched->next_offset = record.offset + 1;
    }
}

/* --- What poll() returns --- */

/* Offsets that follow each other, of one epoch: the ledger takes them at once. */
struct run {
    int64_t first;
    int64_t next;
    int32_t epoch;
};

static void end_run(struct sim_consumer_driver *consumer, const struct consumer_partition *partition,
                    const struct run *run)
{
    if (run->next > run->first) {
        sim_readings_read(consumer->world->readings, consumer->index, consumer->topics[partition->topic].name,
                          partition->partition, run->first, run->next - 1, run->epoch,
                          consumer->world->scheduler.now_us);
    }
}

static uint32_t take(struct sim_consumer_driver *consumer, struct consumer_fetched *fetched, uint32_t most,
                     enum kw_error *error)
{
    struct consumer_partition *partition = &consumer->partitions[fetched->partition];
    const struct consumer_topic *topic = &consumer->topics[partition->topic];
    int64_t from = fetched->next_offset;
    struct run run = {0, 0, 0};
    uint32_t count = 0;
    fetched->aborted_records = 0;
    reopen_batch(consumer, fetched);
    while (count < most) {
        int64_t offset = next_record(consumer, fetched, error);
        if (offset < 0) {
            break;
        }
        if (offset != run.next || fetched->last_epoch != run.epoch) {
            end_run(consumer, partition, &run);
            run = (struct run){offset, offset, fetched->last_epoch};
        }
        run.next = offset + 1;
        fetched->next_offset = offset + 1;
        count++;
    }
    end_run(consumer, partition, &run);
    sim_readings_left_out(consumer->world->readings, consumer->index, fetched->aborted_records);
    if (fetched->next_offset > partition->position) {
        partition->position = fetched->next_offset;
        partition->offset_epoch = fetched->last_epoch;
        KB_TRACE(consumer_trace(consumer), 0, CONSUMER_READ, consumer_read, .offset = from,
                 .position = partition->position, .consumer = consumer->name, .topic = topic->trace_name,
                 .partition = partition->partition, .records = count, .aborted = fetched->aborted_records,
                 .leader_epoch = fetched->last_epoch);
    }
    return count;
}

/* Errors after which somebody else may know better. */
static bool wants_metadata(enum kw_error error)
{
    return error == KW_ERROR_NOT_LEADER_OR_FOLLOWER || error == KW_ERROR_REPLICA_NOT_AVAILABLE ||
           error == KW_ERROR_KAFKA_STORAGE_ERROR || error == KW_ERROR_FENCED_LEADER_EPOCH ||
           error == KW_ERROR_OFFSET_NOT_AVAILABLE || error == KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
}

static void take_error(struct sim_consumer_driver *consumer, const struct consumer_fetched *fetched)
{
    struct consumer_partition *partition = &consumer->partitions[fetched->partition];
    enum kw_error error = fetched->error;
    consumer_move_to_end(consumer, fetched->partition);
    if (wants_metadata(error)) {
        consumer->is_metadata_wanted = true;
    } else if (error == KW_ERROR_OFFSET_OUT_OF_RANGE) {
        if (partition->position == fetched->offset) {
            consumer_request_reset(consumer, partition, KW_ERROR_OFFSET_OUT_OF_RANGE);
        }
    } else if (error != KW_ERROR_UNKNOWN_LEADER_EPOCH && error != KW_ERROR_UNKNOWN_SERVER_ERROR) {
        consumer_fail(consumer, error);
    }
}

/* Whether it is to be read. Kafka: Fetcher.initializeCompletedFetch. */
static bool initialize(struct sim_consumer_driver *consumer, struct consumer_fetched *fetched)
{
    struct consumer_partition *partition = &consumer->partitions[fetched->partition];
    if (!consumer_has_position(partition)) {
        return false;
    }
    if (fetched->error != KW_ERROR_NONE) {
        take_error(consumer, fetched);
        return false;
    }
    if (partition->position != fetched->offset) {
        return false;
    }
    partition->high_watermark = fetched->high_watermark;
    partition->last_stable_offset = fetched->last_stable_offset;
    kw_record_batch_cursor_init(&fetched->batches, fetched->bytes, fetched->length_bytes);
    fetched->is_initialized = true;
    return true;
}

static bool can_be_read(struct sim_consumer_driver *consumer, struct consumer_fetched *fetched)
{
    if (!fetched->is_initialized && !initialize(consumer, fetched)) {
        return false;
    }
    const struct consumer_partition *partition = &consumer->partitions[fetched->partition];
    return partition->state == CONSUMER_FETCHING && partition->position == fetched->next_offset;
}

uint32_t consumer_take_records(struct sim_consumer_driver *consumer)
{
    uint32_t left = (uint32_t)consumer->config->max_poll_records;
    uint32_t total = 0;
    struct kb_list_node *node;
    while (left > 0 && !consumer->is_closing && (node = kb_list_first(&consumer->fetched)) != NULL) {
        struct consumer_fetched *fetched = KB_CONTAINER_OF(node, struct consumer_fetched, node);
        uint32_t taken = 0;
        enum kw_error error = KW_ERROR_NONE;
        if (can_be_read(consumer, fetched)) {
            taken = take(consumer, fetched, left, &error);
        }
        total += taken;
        left -= taken;
        if (error != KW_ERROR_NONE && total == 0) {
            consumer_fail(consumer, error); /* what was read before it is returned first */
            return 0;
        }
        if (error != KW_ERROR_NONE) {
            return total;
        }
        if (left > 0) {
            if (fetched->length_bytes > 0) {
                consumer_move_to_end(consumer, fetched->partition);
            }
            drop_first(consumer);
        }
    }
    return total;
}
