#include "mockbroker/leader_epoch_cache.h"

#include <string.h>

void mb_epoch_cache_init(struct mb_epoch_cache *cache, const struct linger_allocator *allocator)
{
    *cache = (struct mb_epoch_cache){.allocator = allocator};
}

void mb_epoch_cache_release(struct mb_epoch_cache *cache)
{
    mb_give(cache->allocator, cache->entries, cache->capacity * sizeof *cache->entries);
    mb_epoch_cache_init(cache, cache->allocator);
}

int32_t mb_epoch_cache_latest(const struct mb_epoch_cache *cache)
{
    return cache->count == 0 ? MB_UNDEFINED_EPOCH : cache->entries[cache->count - 1].epoch;
}

void mb_epoch_cache_assign(struct mb_epoch_cache *cache, int32_t epoch, int64_t start_offset)
{
    if (epoch < 0) {
        return;
    }
    if (cache->count > 0) {
        const struct mb_epoch_entry *last = &cache->entries[cache->count - 1];
        if (epoch == last->epoch && start_offset >= last->start_offset) {
            return;
        }
    }
    while (cache->count > 0 && (cache->entries[cache->count - 1].epoch >= epoch ||
                                cache->entries[cache->count - 1].start_offset >= start_offset)) {
        cache->count--;
    }
    cache->entries = mb_reserve(cache->allocator, cache->entries, &cache->capacity, cache->count + 1,
                                sizeof *cache->entries);
    cache->entries[cache->count++] = (struct mb_epoch_entry){.start_offset = start_offset, .epoch = epoch};
}

struct mb_epoch_end mb_epoch_cache_end_offset_for(const struct mb_epoch_cache *cache, int32_t epoch,
                                                  int64_t log_end_offset)
{
    if (epoch == MB_UNDEFINED_EPOCH || cache->count == 0) {
        return (struct mb_epoch_end){MB_UNDEFINED_EPOCH, MB_UNDEFINED_EPOCH_OFFSET};
    }
    if (epoch == mb_epoch_cache_latest(cache)) {
        return (struct mb_epoch_end){epoch, log_end_offset};
    }
    uint32_t higher = 0;
    while (higher < cache->count && cache->entries[higher].epoch <= epoch) {
        higher++;
    }
    if (higher == cache->count) {
        return (struct mb_epoch_end){MB_UNDEFINED_EPOCH, MB_UNDEFINED_EPOCH_OFFSET};
    }
    return (struct mb_epoch_end){higher == 0 ? epoch : cache->entries[higher - 1].epoch,
                                 cache->entries[higher].start_offset};
}

void mb_epoch_cache_truncate_from_end(struct mb_epoch_cache *cache, int64_t end_offset)
{
    while (cache->count > 0 && cache->entries[cache->count - 1].start_offset >= end_offset) {
        cache->count--;
    }
}

void mb_epoch_cache_truncate_from_start(struct mb_epoch_cache *cache, int64_t start_offset)
{
    uint32_t removed = 0;
    while (removed < cache->count && cache->entries[removed].start_offset <= start_offset) {
        removed++;
    }
    if (removed == 0) {
        return;
    }
    /* The last one removed covers the new start: it stays, beginning there. */
    cache->entries[removed - 1].start_offset = start_offset;
    memmove(cache->entries, &cache->entries[removed - 1],
            (cache->count - removed + 1) * sizeof *cache->entries);
    cache->count -= removed - 1;
}
