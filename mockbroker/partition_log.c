#include "mockbroker/partition_log.h"

#include "base/assert.h"
#include "base/planted.h"
#include "wire/record_batch.h"

#include <string.h>

enum { CHECKPOINT_INTERVAL_US = 5000000 };

void mb_log_init(struct mb_log *log, const struct linger_allocator *allocator, int64_t segment_bytes,
                 int64_t retention_bytes)
{
    *log = (struct mb_log){
        .allocator = allocator,
        .segment_bytes = segment_bytes,
        .retention_bytes = retention_bytes,
    };
    mb_epoch_cache_init(&log->epochs, allocator);
    mb_producer_states_init(&log->producers, allocator);
}

static struct mb_log_entry *entry_at(const struct mb_log *log, uint32_t index)
{
    return &log->entries[(log->head + index) & (log->capacity - 1)];
}

const struct mb_log_entry *mb_log_entry_at(const struct mb_log *log, uint32_t index)
{
    KB_ASSERT(index < log->count);
    return entry_at(log, index);
}

static void drop_all(struct mb_log *log)
{
    for (uint32_t i = 0; i < log->count; i++) {
        mb_block_drop(log->allocator, entry_at(log, i)->block);
    }
    log->count = 0;
    log->head = 0;
    log->segment_count = 0;
}

void mb_log_release(struct mb_log *log)
{
    drop_all(log);
    mb_give(log->allocator, log->entries, log->capacity * sizeof *log->entries);
    mb_give(log->allocator, log->segments, log->segment_capacity * sizeof *log->segments);
    mb_epoch_cache_release(&log->epochs);
    mb_producer_states_release(&log->producers);
}

static void grow(struct mb_log *log)
{
    uint32_t larger = log->capacity == 0 ? 16 : log->capacity * 2;
    struct mb_log_entry *entries = mb_take(log->allocator, larger * sizeof *entries);
    for (uint32_t i = 0; i < log->count; i++) {
        entries[i] = *entry_at(log, i);
    }
    mb_give(log->allocator, log->entries, log->capacity * sizeof *log->entries);
    log->entries = entries;
    log->capacity = larger;
    log->head = 0;
}

/* Kafka: Log.maybeRoll, by size alone. */
static void maybe_roll(struct mb_log *log, uint32_t batch_bytes, int64_t base_offset)
{
    if (log->segment_count > 0) {
        const struct mb_log_segment *active = &log->segments[log->segment_count - 1];
        if (log->end_position_bytes - active->position_bytes <= log->segment_bytes - (int64_t)batch_bytes) {
            return;
        }
    }
    log->segments = mb_reserve(log->allocator, log->segments, &log->segment_capacity, log->segment_count + 1,
                               sizeof *log->segments);
    log->segments[log->segment_count++] =
        (struct mb_log_segment){.base_offset = base_offset, .position_bytes = log->end_position_bytes};
}

void mb_log_append(struct mb_log *log, struct mb_block *block)
{
    int64_t base_offset = kw_record_batch_base_offset(block->bytes);
    KB_ASSERT(base_offset >= log->end_offset);
    if (log->count == log->capacity) {
        grow(log);
    }
    maybe_roll(log, block->size_bytes, base_offset);
    *entry_at(log, log->count++) = (struct mb_log_entry){
        .block = block,
        .base_offset = base_offset,
        .last_offset = kw_record_batch_last_offset(block->bytes),
        .position_bytes = log->end_position_bytes,
    };
    log->end_offset = kw_record_batch_last_offset(block->bytes) + 1;
    log->end_position_bytes += block->size_bytes;
    /* Kafka: Log.append stamps the epoch cache with the epoch of each batch, then updates the producers. */
    mb_epoch_cache_assign(&log->epochs, kw_record_batch_partition_leader_epoch(block->bytes), base_offset);
    mb_producer_states_update(&log->producers, block->bytes, block->size_bytes);
}

uint32_t mb_log_find(const struct mb_log *log, int64_t offset)
{
    uint32_t low = 0;
    uint32_t high = log->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (entry_at(log, middle)->last_offset < offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int64_t position_of(const struct mb_log *log, int64_t offset)
{
    if (offset >= log->end_offset) {
        return log->end_position_bytes;
    }
    uint32_t index = mb_log_find(log, offset);
    return index == log->count ? log->end_position_bytes : entry_at(log, index)->position_bytes;
}

int64_t mb_log_bytes_between(const struct mb_log *log, int64_t offset, int64_t end_offset)
{
    return offset >= end_offset ? 0 : position_of(log, end_offset) - position_of(log, offset);
}

void mb_log_set_high_watermark(struct mb_log *log, int64_t high_watermark, int64_t now_us)
{
    KB_ASSERT(high_watermark >= log->start_offset && high_watermark <= log->end_offset);
    if (high_watermark == log->high_watermark) {
        return;
    }
    if (now_us / CHECKPOINT_INTERVAL_US > log->high_watermark_changed_us / CHECKPOINT_INTERVAL_US) {
        log->checkpointed_high_watermark = log->high_watermark;
    }
    log->high_watermark = high_watermark;
    log->high_watermark_changed_us = now_us;
    mb_producer_states_high_watermark(&log->producers, high_watermark);
}

int64_t mb_log_last_stable_offset(const struct mb_log *log)
{
    int64_t first_unstable =
        KB_PLANTED(LSO_IGNORED) ? -1 : mb_producer_states_first_unstable_offset(&log->producers);
    return first_unstable >= 0 && first_unstable < log->high_watermark ? first_unstable : log->high_watermark;
}

/* State is what the batches in the log say, so it rolls back with them. Kafka: Log.rebuildProducerState. */
static void rebuild_producers(struct mb_log *log)
{
    mb_producer_states_clear(&log->producers);
    for (uint32_t i = 0; i < log->count; i++) {
        const struct mb_block *block = entry_at(log, i)->block;
        mb_producer_states_update(&log->producers, block->bytes, block->size_bytes);
    }
    mb_producer_states_high_watermark(&log->producers, log->high_watermark);
}

void mb_log_recover(struct mb_log *log, bool clean, int64_t now_us)
{
    if (!clean &&
        now_us / CHECKPOINT_INTERVAL_US == log->high_watermark_changed_us / CHECKPOINT_INTERVAL_US) {
        log->high_watermark = log->checkpointed_high_watermark;
    }
    if (log->high_watermark < log->start_offset) {
        log->high_watermark = log->start_offset;
    }
    if (log->high_watermark > log->end_offset) {
        log->high_watermark = log->end_offset;
    }
    log->checkpointed_high_watermark = log->high_watermark;
    log->high_watermark_changed_us = now_us;
    if (log->producers.has_transactions) {
        rebuild_producers(log); /* what had become stable may not be any more */
    }
}

bool mb_log_truncate_to(struct mb_log *log, int64_t offset, int64_t now_us)
{
    if (offset >= log->end_offset) {
        /* Kafka: Log.truncateTo leaves the log, but cuts epochs assigned at its end. */
        if (offset == log->end_offset) {
            mb_epoch_cache_truncate_from_end(&log->epochs, offset);
        }
        return false;
    }
    log->truncation_count++;
    if (offset <= log->start_offset) {
        mb_log_truncate_fully_and_start_at(log, offset, now_us);
        return true;
    }
    while (log->count > 0 && entry_at(log, log->count - 1)->last_offset >= offset) {
        const struct mb_log_entry *last = entry_at(log, log->count - 1);
        log->end_position_bytes = last->position_bytes;
        mb_block_drop(log->allocator, last->block);
        log->count--;
    }
    while (log->segment_count > 1 && log->segments[log->segment_count - 1].base_offset >= offset) {
        log->segment_count--;
    }
    log->end_offset = offset;
    mb_epoch_cache_truncate_from_end(&log->epochs, offset);
    if (log->high_watermark > offset) {
        mb_log_set_high_watermark(log, offset, now_us);
    }
    if (log->checkpointed_high_watermark > offset) {
        log->checkpointed_high_watermark = offset;
    }
    if (!KB_PLANTED(STATE_NOT_ROLLED_BACK)) {
        rebuild_producers(log);
    }
    return true;
}

void mb_log_truncate_fully_and_start_at(struct mb_log *log, int64_t offset, int64_t now_us)
{
    drop_all(log);
    log->truncation_count++;
    log->start_offset = offset;
    log->end_offset = offset;
    log->high_watermark = offset;
    log->checkpointed_high_watermark = offset;
    log->high_watermark_changed_us = now_us;
    log->epochs.count = 0;
    mb_producer_states_clear(&log->producers);
}

/* Batches that end before the start go; one that only begins before it stays. */
static void drop_before_start(struct mb_log *log)
{
    while (log->count > 0 && entry_at(log, 0)->last_offset < log->start_offset) {
        mb_block_drop(log->allocator, entry_at(log, 0)->block);
        log->head = (log->head + 1) & (log->capacity - 1);
        log->count--;
    }
    uint32_t gone = 0;
    while (gone + 1 < log->segment_count && log->segments[gone + 1].base_offset <= log->start_offset) {
        gone++;
    }
    if (gone > 0) {
        memmove(log->segments, &log->segments[gone], (log->segment_count - gone) * sizeof *log->segments);
        log->segment_count -= gone;
    }
}

bool mb_log_increment_start_offset(struct mb_log *log, int64_t offset)
{
    if (offset <= log->start_offset || offset > log->high_watermark) {
        return false;
    }
    if (log->start_moves != NULL) {
        log->start_moves(log->start_moves_context, offset);
    }
    log->start_offset = offset;
    mb_epoch_cache_truncate_from_start(&log->epochs, offset);
    mb_producer_states_increment_start(&log->producers, offset);
    drop_before_start(log);
    return true;
}

bool mb_log_enforce_retention(struct mb_log *log)
{
    if (log->retention_bytes < 0 || log->segment_count < 2) {
        return false;
    }
    int64_t excess = log->end_position_bytes - log->segments[0].position_bytes - log->retention_bytes;
    int64_t new_start = log->start_offset;
    for (uint32_t i = 0; i + 1 < log->segment_count; i++) {
        int64_t size = log->segments[i + 1].position_bytes - log->segments[i].position_bytes;
        if (excess - size < 0 || log->segments[i + 1].base_offset > log->high_watermark) {
            break;
        }
        excess -= size;
        new_start = log->segments[i + 1].base_offset;
    }
    return mb_log_increment_start_offset(log, new_start);
}

bool mb_log_enforce_retention_ms(struct mb_log *log, int64_t retention_ms, int64_t now_ms)
{
    int64_t new_start = log->start_offset;
    uint32_t index = 0;
    for (uint32_t i = 0; i < log->segment_count; i++) {
        bool is_last = i + 1 == log->segment_count;
        int64_t end_offset = is_last ? log->end_offset : log->segments[i + 1].base_offset;
        int64_t newest_ms = KW_NO_TIMESTAMP; /* Kafka: LogSegment.largestTimestamp */
        for (; index < log->count && entry_at(log, index)->base_offset < end_offset; index++) {
            int64_t timestamp_ms = kw_record_batch_max_timestamp_ms(entry_at(log, index)->block->bytes);
            newest_ms = timestamp_ms > newest_ms ? timestamp_ms : newest_ms;
        }
        if (newest_ms < 0 || newest_ms >= now_ms - retention_ms || end_offset > log->high_watermark) {
            break;
        }
        new_start = end_offset;
    }
    bool has_moved = mb_log_increment_start_offset(log, new_start);
    if (has_moved && log->count == 0) {
        log->segment_count = 0; /* Kafka rolls a new one before the last one goes */
    }
    return has_moved;
}
