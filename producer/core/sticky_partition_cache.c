#include "core/sticky_partition_cache.h"

#include "base/assert.h"
#include "core/memory.h"

enum {
    /* The stream of the seed that these draws have for themselves. */
    STICKY_STREAM = 1,
    /* Java draws until another partition comes. A source of numbers that never gives one ends here. */
    DRAW_COUNT_MAX = 10000
};

void kp_sticky_partition_cache_init(struct kp_sticky_partition_cache *cache,
                                    const struct linger_allocator *allocator, struct kb_trace *trace,
                                    const struct kp_chance *chance)
{
    *cache = (struct kp_sticky_partition_cache){.allocator = allocator, .trace = trace, .chance = *chance};
    kb_prng_init(&cache->prng, chance->seed, STICKY_STREAM);
}

void kp_sticky_partition_cache_release(struct kp_sticky_partition_cache *cache)
{
    kb_deallocate(cache->allocator, cache->partitions, cache->capacity * sizeof *cache->partitions);
    cache->partitions = NULL;
    cache->capacity = 0;
}

static int32_t draw(struct kp_sticky_partition_cache *cache)
{
    int32_t number = cache->chance.sticky_draw != NULL ? cache->chance.sticky_draw(cache->chance.context)
                                                       : (int32_t)(kb_prng_next(&cache->prng) >> 33);
    KB_ASSERT(number >= 0);
    return number;
}

/* An available partition other than old; *number is the last one drawn. */
static int32_t draw_another(struct kp_sticky_partition_cache *cache, const struct kp_topic_view *view,
                            int32_t old, int32_t *number)
{
    for (int i = 0; i < DRAW_COUNT_MAX; i++) {
        *number = draw(cache);
        int32_t partition = view->available[*number % view->available_count];
        if (partition != old) {
            return partition;
        }
    }
    for (int32_t i = 0; i < view->available_count; i++) {
        if (view->available[i] != old) {
            return view->available[i];
        }
    }
    return old;
}

int32_t kp_sticky_partition_cache_next(struct kp_sticky_partition_cache *cache, const struct kp_topic *topic,
                                       const struct kp_topic_view *view, int32_t previous_partition)
{
    KB_ASSERT(view->partition_count > 0);
    if (!kp_grow(cache->allocator, &cache->partitions, &cache->capacity, topic->index + 1,
                 sizeof *cache->partitions)) {
        return -1;
    }
    int32_t old = cache->partitions[topic->index] - 1;
    if (old >= 0 && old != previous_partition) {
        return old;
    }
    int32_t number = -1;
    int32_t partition;
    if (view->available_count < 1) {
        number = draw(cache);
        partition = number % view->partition_count;
    } else if (view->available_count == 1) {
        partition = view->available[0];
    } else {
        partition = draw_another(cache, view, old, &number);
    }
    cache->partitions[topic->index] = partition + 1;
    KB_TRACE(cache->trace, 0, STICKY_CHANGED, sticky_changed, .topic = topic->trace_name,
             .old_partition = old, .new_partition = partition, .draw = number);
    return partition;
}

int32_t kp_sticky_partition_cache_partition(struct kp_sticky_partition_cache *cache,
                                            const struct kp_topic *topic, const struct kp_topic_view *view)
{
    if (topic->index < cache->capacity && cache->partitions[topic->index] > 0) {
        return cache->partitions[topic->index] - 1;
    }
    return kp_sticky_partition_cache_next(cache, topic, view, -1);
}
