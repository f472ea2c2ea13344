/**
 * Which leader epoch began at which offset of a log: what decides where a follower truncates.
 *
 * Kafka: LeaderEpochFileCache.
 */
#ifndef MB_LEADER_EPOCH_CACHE_H
#define MB_LEADER_EPOCH_CACHE_H

#include "mockbroker/memory.h"

/** Kafka: OffsetsForLeaderEpochResponse.UNDEFINED_EPOCH, UNDEFINED_EPOCH_OFFSET. */
enum { MB_UNDEFINED_EPOCH = -1, MB_UNDEFINED_EPOCH_OFFSET = -1 };

struct mb_epoch_entry {
    int64_t start_offset;
    int32_t epoch;
};

struct mb_epoch_cache {
    const struct linger_allocator *allocator;
    struct mb_epoch_entry *entries; /* ascending in both */
    uint32_t count;
    uint32_t capacity;
};

void mb_epoch_cache_init(struct mb_epoch_cache *cache, const struct linger_allocator *allocator);
void mb_epoch_cache_release(struct mb_epoch_cache *cache);
/** Kafka: assign, with maybeTruncateNonMonotonicEntries. */
void mb_epoch_cache_assign(struct mb_epoch_cache *cache, int32_t epoch, int64_t start_offset);
/** MB_UNDEFINED_EPOCH when there is none. */
int32_t mb_epoch_cache_latest(const struct mb_epoch_cache *cache);
/**
 * The largest epoch up to the one asked for, and where it ended; both undefined when that cannot be said.
 * Kafka: endOffsetFor.
 */
struct mb_epoch_end {
    int32_t epoch;
    int64_t end_offset;
};
struct mb_epoch_end mb_epoch_cache_end_offset_for(const struct mb_epoch_cache *cache, int32_t epoch,
                                                  int64_t log_end_offset);
void mb_epoch_cache_truncate_from_end(struct mb_epoch_cache *cache, int64_t end_offset);
void mb_epoch_cache_truncate_from_start(struct mb_epoch_cache *cache, int64_t start_offset);

#endif
