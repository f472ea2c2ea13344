/* What a follower does with the leader's data. Kafka: AbstractFetcherThread.processFetchRequest,
 * ReplicaFetcherThread.processPartitionData, AbstractFetcherThread.getOffsetTruncationState. */

#include "base/planted.h"
#include "mockbroker/partition.h"
#include "mockbroker/replica_fetcher.h"
#include "wire/errors.h"
#include "wire/message_structs.h"
#include "wire/record_batch.h"

#include <string.h>

/* The very block that the leader holds, if the bytes are the same: its CRC was checked when it was made. */
static struct mb_block *find_shared(const struct mb_partition *partition, const uint8_t *batch,
                                    uint32_t size_bytes)
{
    const struct mb_broker *leader = &partition->cluster->brokers[partition->leader];
    const struct mb_partition *other =
        partition->tp->number < leader->hosted_capacity ? leader->hosted[partition->tp->number] : NULL;
    if (other == NULL) {
        return NULL;
    }
    uint32_t index = mb_log_find(&other->log, kw_record_batch_base_offset(batch));
    if (index == other->log.count) {
        return NULL;
    }
    struct mb_block *block = mb_log_entry_at(&other->log, index)->block;
    return block->size_bytes == size_bytes && memcmp(block->bytes, batch, size_bytes) == 0 ? block : NULL;
}

/* Kafka: Log.appendAsFollower: offsets as they come, CRC checked, nothing else. */
static enum mb_fetched append_batch(struct mb_partition *partition, const uint8_t *batch, uint32_t size_bytes)
{
    const struct linger_allocator *allocator = partition->cluster->allocator;
    struct mb_log *log = &partition->log;
    struct mb_block *block = find_shared(partition, batch, size_bytes);
    if (block != NULL) {
        mb_block_hold(block);
    } else if (kw_record_batch_validate(batch, size_bytes) != KW_ERROR_NONE ||
               kw_record_batch_last_offset_delta(batch) < 0) {
        return MB_FETCHED_RETRY; /* CorruptRecordException: the next fetch may bring it intact */
    } else {
        block = mb_block_create(allocator, batch, size_bytes);
    }
    int64_t base_offset = kw_record_batch_base_offset(block->bytes);
    if (base_offset < log->end_offset) {
        /* Kafka: appendRecordsToFollowerOrFutureReplica: an empty log may begin inside a batch. */
        if (log->count > 0 || kw_record_batch_last_offset(block->bytes) < log->end_offset) {
            mb_block_drop(allocator, block);
            return MB_FETCHED_FAILED;
        }
        mb_log_truncate_fully_and_start_at(log, base_offset, partition->cluster->now_us);
    }
    mb_log_append(log, block);
    return MB_FETCHED_FINE;
}

static enum mb_fetched append_records(struct mb_partition *partition, struct kw_bytes records)
{
    struct mb_log *log = &partition->log;
    int64_t base_offset = log->end_offset;
    int64_t position_bytes = log->end_position_bytes;
    enum mb_fetched outcome = MB_FETCHED_FINE;
    struct kw_record_batch_cursor cursor;
    kw_record_batch_cursor_init(&cursor, records.bytes,
                                records.bytes == NULL ? 0 : (size_t)records.length_bytes);
    const uint8_t *batch = NULL;
    uint32_t size_bytes = 0;
    while (outcome == MB_FETCHED_FINE && kw_record_batch_next(&cursor, &batch, &size_bytes)) {
        outcome = append_batch(partition, batch, size_bytes);
    }
    if (outcome == MB_FETCHED_FINE && cursor.error != KW_ERROR_NONE) {
        outcome = MB_FETCHED_RETRY;
    }
    if (log->end_offset > base_offset) {
        KB_TRACE(partition->tp->topic->trace, 0, FOLLOWER_APPENDED, follower_appended,
                 .base_offset = base_offset, .last_offset = log->end_offset - 1,
                 .broker = partition->broker->id,
                 .leader = mb_broker_id(partition->cluster, partition->leader),
                 .topic = partition->tp->topic->trace_name, .partition = partition->tp->index,
                 .bytes = (int32_t)(log->end_position_bytes - position_bytes));
    }
    return outcome;
}

/* Kafka: Log.updateHighWatermark: the leader's, as far as this log reaches. */
static void update_high_watermark(struct mb_partition *partition, int64_t leader_high_watermark)
{
    struct mb_log *log = &partition->log;
    int64_t high_watermark = leader_high_watermark < log->end_offset && !KB_PLANTED(HW_OF_FOLLOWER_IS_ITS_END)
                                 ? leader_high_watermark
                                 : log->end_offset;
    high_watermark = high_watermark < log->start_offset ? log->start_offset : high_watermark;
    if (high_watermark != log->high_watermark) {
        mb_log_set_high_watermark(log, high_watermark, partition->cluster->now_us);
        mb_partition_announce_last_stable_offset(partition);
        KB_TRACE(partition->tp->topic->trace, 0, HW_ADVANCED, hw_advanced, .high_watermark = high_watermark,
                 .broker = partition->broker->id, .topic = partition->tp->topic->trace_name,
                 .partition = partition->tp->index, .is_leader = 0);
    }
}

static void update_start(struct mb_partition *partition, int64_t leader_start_offset)
{
    struct mb_log *log = &partition->log;
    bool has_moved = mb_log_increment_start_offset(log, leader_start_offset);
    has_moved = mb_log_enforce_retention(log) || has_moved;
    if (has_moved) {
        KB_TRACE(partition->tp->topic->trace, 0, LOG_START_MOVED, log_start_moved,
                 .start_offset = log->start_offset, .broker = partition->broker->id,
                 .topic = partition->tp->topic->trace_name, .partition = partition->tp->index);
    }
}

void mb_fetcher_truncate(struct mb_partition *partition, int64_t offset)
{
    int64_t old_end_offset = partition->log.end_offset;
    if (KB_PLANTED(TRUNCATION_TOO_DEEP) && offset < old_end_offset) {
        offset = offset > partition->log.start_offset + 2 ? offset - 2 : partition->log.start_offset;
    }
    if (mb_log_truncate_to(&partition->log, offset, partition->cluster->now_us)) {
        KB_TRACE(partition->tp->topic->trace, 0, LOG_TRUNCATED, log_truncated,
                 .end_offset = partition->log.end_offset, .old_end_offset = old_end_offset,
                 .broker = partition->broker->id, .topic = partition->tp->topic->trace_name,
                 .partition = partition->tp->index);
        mb_partition_announce_last_stable_offset(partition);
        mb_partition_changed(partition, true);
    }
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Kafka: getOffsetTruncationState: up to where the two logs agree, as far as the epochs tell. When the
 * leader's epoch is not known here, the next fetch finds the next difference. */
static int64_t truncation_offset(const struct mb_partition *partition, int32_t epoch, int64_t end_offset)
{
    const struct mb_log *log = &partition->log;
    if (end_offset == MB_UNDEFINED_EPOCH_OFFSET) {
        return partition->fetch.fetch_offset;
    }
    if (epoch == MB_UNDEFINED_EPOCH) {
        return least(end_offset, log->end_offset);
    }
    struct mb_epoch_end own = mb_epoch_cache_end_offset_for(&log->epochs, epoch, log->end_offset);
    if (own.epoch == MB_UNDEFINED_EPOCH || own.end_offset == MB_UNDEFINED_EPOCH_OFFSET) {
        return least(end_offset, log->end_offset);
    }
    if (own.epoch != epoch) {
        return least(own.end_offset, log->end_offset);
    }
    return least(least(own.end_offset, end_offset), log->end_offset);
}

/* Kafka logs "Found invalid messages during fetch", and goes on. */
static void announce_corrupt(const struct mb_partition *partition)
{
    KB_TRACE(partition->tp->topic->trace, 0, FOLLOWER_REFUSED, follower_refused,
             .offset = partition->log.end_offset, .broker = partition->broker->id,
             .leader = mb_broker_id(partition->cluster, partition->leader),
             .topic = partition->tp->topic->trace_name, .partition = partition->tp->index,
             .error = KW_ERROR_CORRUPT_MESSAGE);
}

static enum mb_fetched process_data(struct mb_partition *partition,
                                    const struct kw_fetch_response_partition *data)
{
    struct mb_fetch_state *state = &partition->fetch;
    if (state->fetch_offset != partition->log.end_offset) {
        return MB_FETCHED_FAILED; /* "Offset mismatch" */
    }
    enum mb_fetched outcome = append_records(
        partition, mb_faults_corrupt_fetched(partition, &state->fetcher->arena, data->records));
    if (outcome == MB_FETCHED_RETRY) {
        announce_corrupt(partition);
    }
    state->fetch_offset = partition->log.end_offset;
    state->last_fetched_epoch = mb_epoch_cache_latest(&partition->log.epochs);
    if (outcome != MB_FETCHED_FINE) {
        return outcome;
    }
    update_high_watermark(partition, data->high_watermark);
    update_start(partition, data->log_start_offset);
    /* Consumers may read from followers. */
    mb_partition_changed(partition, false);
    if (data->diverging_epoch.epoch >= 0 && !KB_PLANTED(NO_TRUNCATION)) {
        mb_fetcher_truncate(partition, truncation_offset(partition, data->diverging_epoch.epoch,
                                                         data->diverging_epoch.end_offset));
        state->fetch_offset = partition->log.end_offset;
        state->last_fetched_epoch = mb_epoch_cache_latest(&partition->log.epochs);
        return MB_FETCHED_FINE;
    }
    state->is_verified = true;
    return MB_FETCHED_FINE;
}

enum mb_fetched mb_fetcher_process(struct mb_partition *partition,
                                   const struct kw_fetch_response_partition *data)
{
    switch (data->error_code) {
    case KW_ERROR_NONE:
        return process_data(partition, data);
    case KW_ERROR_OFFSET_OUT_OF_RANGE:
        return MB_FETCHED_OUT_OF_RANGE;
    case KW_ERROR_FENCED_LEADER_EPOCH:
        /* onPartitionFenced: with the epoch of the request still ours, wait for the next LeaderAndIsr. */
        return MB_FETCHED_FAILED;
    default:
        return MB_FETCHED_RETRY;
    }
}
