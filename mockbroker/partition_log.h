/**
 * The log of one replica: record batches in the order of their offsets, with everything that is derived from
 * them (end offset, high watermark, leader epochs, producer state).
 *
 * Survives the broker's process: a crash loses nothing that was appended (the page cache lives on), but the
 * high watermark goes back to its last checkpoint.
 *
 * Kafka: Log (appendAsLeader, appendAsFollower, read, truncateTo), LogSegment.
 */
#ifndef MB_PARTITION_LOG_H
#define MB_PARTITION_LOG_H

#include "mockbroker/leader_epoch_cache.h"
#include "mockbroker/memory.h"
#include "mockbroker/producer_state.h"

struct mb_log_entry {
    struct mb_block *block;
    int64_t base_offset;
    int64_t last_offset;
    int64_t position_bytes; /* counted from the first byte ever appended */
};

struct mb_log_segment {
    int64_t base_offset;
    int64_t position_bytes;
};

struct mb_log {
    const struct linger_allocator *allocator;
    /* A ring: entry i is entries[(head + i) % capacity]; capacity is a power of two. */
    struct mb_log_entry *entries;
    uint32_t capacity;
    uint32_t head;
    uint32_t count;
    struct mb_log_segment *segments; /* oldest first; the last is the active one */
    uint32_t segment_count;
    uint32_t segment_capacity;
    int64_t segment_bytes;
    int64_t retention_bytes; /* -1: keep everything */
    int64_t start_offset;
    int64_t end_offset;
    int64_t end_position_bytes;
    int64_t high_watermark;
    int64_t checkpointed_high_watermark;
    int64_t high_watermark_changed_us;
    uint32_t truncation_count;
    struct mb_epoch_cache epochs;
    struct mb_producer_states producers;
    /* Told before batches leave at the front; NULL: nobody. */
    void (*start_moves)(void *context, int64_t start_offset);
    void *start_moves_context;
};

void mb_log_init(struct mb_log *log, const struct linger_allocator *allocator, int64_t segment_bytes,
                 int64_t retention_bytes);
void mb_log_release(struct mb_log *log);

/** Append a batch whose bytes carry their final base offset (at least end_offset). Takes a reference over. */
void mb_log_append(struct mb_log *log, struct mb_block *block);

/** Index 0 is the oldest batch. */
const struct mb_log_entry *mb_log_entry_at(const struct mb_log *log, uint32_t index);
/** Index of the batch that holds offset, or of the first after it; log->count past the end. */
uint32_t mb_log_find(const struct mb_log *log, int64_t offset);
/** Bytes of the batches from offset up to end_offset. Kafka: LogOffsetMetadata.positionDiff. */
int64_t mb_log_bytes_between(const struct mb_log *log, int64_t offset, int64_t end_offset);

/** Set the high watermark, remembering what its checkpoint would hold. Within [start_offset, end_offset]. */
void mb_log_set_high_watermark(struct mb_log *log, int64_t high_watermark, int64_t now_us);
/** Where consumers that read committed data may read to: the high watermark, or before it the first offset of
 * a transaction that has not ended. Kafka: Log.fetchLastStableOffsetMetadata. */
int64_t mb_log_last_stable_offset(const struct mb_log *log);
/**
 * What is left of the high watermark after a crash: replica.high.watermark.checkpoint.interval.ms is 5000,
 * and what the file held at the last multiple of it counts. A clean stop writes it once more.
 * Kafka: ReplicaManager.checkpointHighWatermarks.
 */
void mb_log_recover(struct mb_log *log, bool clean, int64_t now_us);

/** Kafka: Log.truncateTo. Returns whether something was removed; producer state is rebuilt then. */
bool mb_log_truncate_to(struct mb_log *log, int64_t offset, int64_t now_us);
/** Kafka: Log.truncateFullyAndStartAt. */
void mb_log_truncate_fully_and_start_at(struct mb_log *log, int64_t offset, int64_t now_us);
/** Kafka: Log.maybeIncrementLogStartOffset. True when it moved. */
bool mb_log_increment_start_offset(struct mb_log *log, int64_t offset);
/**
 * Remove whole segments while the log is larger than retention.bytes without them, up to the high watermark.
 * True when the start moved. Kafka: Log.deleteOldSegments, deleteRetentionSizeBreachedSegments; Kafka asks
 * every log.retention.check.interval.ms, this log whenever a segment is rolled.
 */
bool mb_log_enforce_retention(struct mb_log *log);
/**
 * Remove whole segments, oldest first, whose newest record is older than retention_ms, up to the high
 * watermark; the active one, too. One without any time stays. Kafka: Log.deleteRetentionMsBreachedSegments.
 */
bool mb_log_enforce_retention_ms(struct mb_log *log, int64_t retention_ms, int64_t now_ms);

#endif
