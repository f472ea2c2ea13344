#include "core/buffer_pool.h"

#include "base/allocator.h"
#include "base/assert.h"
#include "base/planted.h"

#include <inttypes.h>

/* --- Physical buffers */

struct kp_buffer *kp_buffer_create(const struct linger_allocator *allocator, uint32_t capacity_bytes)
{
    struct kp_buffer *buffer = kb_allocate(allocator, sizeof *buffer);
    if (buffer == NULL) {
        return NULL;
    }
    *buffer = (struct kp_buffer){.allocator = allocator,
                                 .reference_count = 1,
                                 .capacity_bytes = capacity_bytes,
                                 .bytes = kb_allocate(allocator, capacity_bytes)};
    if (buffer->bytes == NULL) {
        kb_deallocate(allocator, buffer, sizeof *buffer);
        return NULL;
    }
    return buffer;
}

void kp_buffer_retain(struct kp_buffer *buffer)
{
    KB_ASSERT(buffer->reference_count > 0);
    buffer->reference_count++;
}

void kp_buffer_release(struct kp_buffer *buffer)
{
    if (buffer == NULL) {
        return;
    }
    KB_ASSERT(buffer->reference_count > 0);
    if (--buffer->reference_count == 0) {
        const struct linger_allocator *allocator = buffer->allocator;
        kb_deallocate(allocator, buffer->bytes, buffer->capacity_bytes);
        kb_deallocate(allocator, buffer, sizeof *buffer);
    }
}

/* --- The account and the queue of kept buffers */

void kp_buffer_pool_init(struct kp_buffer_pool *pool, const struct linger_allocator *allocator,
                         struct kb_trace *trace, int64_t total_bytes, uint32_t poolable_size_bytes)
{
    *pool = (struct kp_buffer_pool){.allocator = allocator,
                                    .trace = trace,
                                    .total_bytes = total_bytes,
                                    .poolable_size_bytes = poolable_size_bytes,
                                    .unallocated_bytes = total_bytes};
}

int64_t kp_buffer_pool_available_bytes(const struct kp_buffer_pool *pool)
{
    return pool->unallocated_bytes + (int64_t)pool->free_count * pool->poolable_size_bytes;
}

static void keep(struct kp_buffer_pool *pool, struct kp_buffer *buffer)
{
    buffer->next_free = NULL;
    buffer->previous_free = pool->free_last;
    if (pool->free_last != NULL) {
        pool->free_last->next_free = buffer;
    } else {
        pool->free_first = buffer;
    }
    pool->free_last = buffer;
    pool->free_count++;
}

static struct kp_buffer *take_out(struct kp_buffer_pool *pool, struct kp_buffer *buffer)
{
    KB_ASSERT(buffer != NULL && pool->free_count > 0);
    if (buffer->previous_free != NULL) {
        buffer->previous_free->next_free = buffer->next_free;
    } else {
        pool->free_first = buffer->next_free;
    }
    if (buffer->next_free != NULL) {
        buffer->next_free->previous_free = buffer->previous_free;
    } else {
        pool->free_last = buffer->previous_free;
    }
    buffer->next_free = NULL;
    buffer->previous_free = NULL;
    pool->free_count--;
    return buffer;
}

void kp_buffer_pool_release(struct kp_buffer_pool *pool)
{
    KB_ASSERT(pool->waiter_count == 0);
    while (pool->free_count > 0) {
        kp_buffer_release(take_out(pool, pool->free_first));
    }
}

/* Kafka: freeUp. The most recently kept buffers go first. */
static void free_up(struct kp_buffer_pool *pool, int64_t size_bytes)
{
    while (pool->free_count > 0 && pool->unallocated_bytes < size_bytes) {
        pool->unallocated_bytes += pool->poolable_size_bytes;
        kp_buffer_release(take_out(pool, pool->free_last));
    }
}

/* The oldest kept buffer; another one in its place while somebody still reads it. NULL: no memory, and it
 * stays kept. */
static struct kp_buffer *take_kept(struct kp_buffer_pool *pool)
{
    struct kp_buffer *buffer = pool->free_first;
    if (buffer->reference_count == 1) {
        return take_out(pool, buffer);
    }
    struct kp_buffer *fresh = kp_buffer_create(pool->allocator, pool->poolable_size_bytes);
    if (fresh != NULL) {
        kp_buffer_release(take_out(pool, buffer));
    }
    return fresh;
}

static void announce_allocated(struct kp_buffer_pool *pool, uint32_t size_bytes, bool reused)
{
    KB_TRACE(pool->trace, 0, MEMORY_ALLOCATED, memory_allocated, .bytes = size_bytes,
             .available_bytes = kp_buffer_pool_available_bytes(pool),
             .unallocated_bytes = pool->unallocated_bytes, .free_buffers = pool->free_count, .reused = reused,
             .waiters = pool->waiter_count);
}

/* --- Waiters */

static void signal_first(struct kp_buffer_pool *pool)
{
    if (pool->waiter_first != NULL) {
        pool->waiter_first->is_signalled = true;
    }
}

/* What Java does on every way out of allocate(): whatever is left may serve the next. */
static void signal_if_memory_is_left(struct kp_buffer_pool *pool)
{
    if (pool->unallocated_bytes != 0 || pool->free_count > 0) {
        signal_first(pool);
    }
}

static void enqueue(struct kp_buffer_pool *pool, struct kp_memory_waiter *waiter)
{
    waiter->next = NULL;
    waiter->previous = pool->waiter_last;
    if (pool->waiter_last != NULL) {
        pool->waiter_last->next = waiter;
    } else {
        pool->waiter_first = waiter;
    }
    pool->waiter_last = waiter;
    pool->waiter_count++;
    waiter->is_waiting = true;
    waiter->is_signalled = false;
}

static void dequeue(struct kp_buffer_pool *pool, struct kp_memory_waiter *waiter)
{
    KB_ASSERT(waiter->is_waiting && pool->waiter_count > 0);
    if (waiter->previous != NULL) {
        waiter->previous->next = waiter->next;
    } else {
        pool->waiter_first = waiter->next;
    }
    if (waiter->next != NULL) {
        waiter->next->previous = waiter->previous;
    } else {
        pool->waiter_last = waiter->previous;
    }
    pool->waiter_count--;
    waiter->is_waiting = false;
    waiter->is_signalled = false;
}

static enum kp_pool_result fail_closed(struct kp_failure *failure)
{
    kp_failure_throw(failure, "KafkaException", "Producer closed while allocating memory");
    return KP_POOL_CLOSED;
}

static enum kp_pool_result fail_exhausted(const struct kp_memory_waiter *waiter, struct kp_failure *failure)
{
    kp_failure_throwf(failure, "BufferExhaustedException",
                      "Failed to allocate memory within the configured max blocking time %" PRId64 " ms.",
                      waiter->max_block_ms);
    return KP_POOL_EXHAUSTED;
}

static enum kp_pool_result fail_no_memory(struct kp_failure *failure)
{
    kp_failure_throw(failure, "OutOfMemoryError", "Java heap space");
    return KP_POOL_NO_MEMORY;
}

/* Leave the queue with nothing: what was taken goes back. */
static void give_up(struct kp_buffer_pool *pool, struct kp_memory_waiter *waiter)
{
    pool->unallocated_bytes += waiter->accumulated_bytes;
    waiter->accumulated_bytes = 0;
    dequeue(pool, waiter);
    signal_if_memory_is_left(pool);
}

/* --- Allocation */

/* The account has size_bytes taken; now the bytes themselves. Kafka: safeAllocateByteBuffer. */
static enum kp_pool_result make_buffer(struct kp_buffer_pool *pool, uint32_t size_bytes,
                                       struct kp_buffer **out, struct kp_failure *failure)
{
    *out = kp_buffer_create(pool->allocator, size_bytes);
    if (*out == NULL) {
        pool->unallocated_bytes += size_bytes;
        signal_first(pool);
        return fail_no_memory(failure);
    }
    announce_allocated(pool, size_bytes, false);
    return KP_POOL_OK;
}

enum kp_pool_result kp_buffer_pool_allocate(struct kp_buffer_pool *pool, uint32_t size_bytes,
                                            int64_t max_block_ms, int64_t now_ms,
                                            struct kp_memory_waiter *waiter, struct kp_buffer **out,
                                            struct kp_failure *failure)
{
    KB_ASSERT(size_bytes > 0 && !waiter->is_waiting);
    *out = NULL;
    if (size_bytes > pool->total_bytes) {
        kp_failure_throwf(failure, "IllegalArgumentException",
                          "Attempt to allocate %" PRIu32 " bytes, but there is a hard limit of %" PRId64
                          " on memory allocations.",
                          size_bytes, pool->total_bytes);
        return KP_POOL_TOO_LARGE;
    }
    if (pool->is_closed) {
        return fail_closed(failure);
    }
    if (size_bytes == pool->poolable_size_bytes && pool->free_count > 0) {
        *out = take_kept(pool);
        signal_if_memory_is_left(pool);
        if (*out == NULL) {
            return fail_no_memory(failure);
        }
        announce_allocated(pool, size_bytes, true);
        return KP_POOL_OK;
    }
    if (kp_buffer_pool_available_bytes(pool) >= size_bytes) {
        free_up(pool, size_bytes);
        pool->unallocated_bytes -= size_bytes;
        signal_if_memory_is_left(pool);
        return make_buffer(pool, size_bytes, out, failure);
    }
    waiter->size_bytes = size_bytes;
    waiter->accumulated_bytes = 0;
    waiter->max_block_ms = max_block_ms;
    waiter->deadline_ms = max_block_ms > INT64_MAX - now_ms ? INT64_MAX : now_ms + max_block_ms;
    if (max_block_ms <= 0) {
        signal_if_memory_is_left(pool);
        return fail_exhausted(waiter, failure);
    }
    enqueue(pool, waiter);
    KB_TRACE(pool->trace, 0, MEMORY_WAITER_QUEUED, memory_waiter_queued, .bytes = size_bytes,
             .record = waiter->record, .waiters = pool->waiter_count);
    return KP_POOL_BLOCKED;
}

bool kp_memory_waiter_is_runnable(const struct kp_memory_waiter *waiter, int64_t now_ms)
{
    return waiter->is_waiting && (waiter->is_signalled || now_ms >= waiter->deadline_ms);
}

/* One turn of the loop in Java's allocate(): take what is there, towards what is wanted. */
static void take_part(struct kp_buffer_pool *pool, struct kp_memory_waiter *waiter)
{
    uint32_t wanted_bytes = waiter->size_bytes - waiter->accumulated_bytes;
    free_up(pool, wanted_bytes);
    uint32_t got_bytes =
        pool->unallocated_bytes < wanted_bytes ? (uint32_t)pool->unallocated_bytes : wanted_bytes;
    pool->unallocated_bytes -= got_bytes;
    waiter->accumulated_bytes += got_bytes;
}

enum kp_pool_result kp_buffer_pool_resume(struct kp_buffer_pool *pool, struct kp_memory_waiter *waiter,
                                          int64_t now_ms, struct kp_buffer **out, struct kp_failure *failure)
{
    KB_ASSERT(kp_memory_waiter_is_runnable(waiter, now_ms));
    *out = NULL;
    if (pool->is_closed) {
        give_up(pool, waiter);
        return fail_closed(failure);
    }
    if (!waiter->is_signalled) {
        give_up(pool, waiter);
        return fail_exhausted(waiter, failure);
    }
    waiter->is_signalled = false;
    bool is_poolable = waiter->size_bytes == pool->poolable_size_bytes;
    if (waiter->accumulated_bytes == 0 && is_poolable && pool->free_count > 0) {
        *out = take_kept(pool);
        dequeue(pool, waiter);
        signal_if_memory_is_left(pool);
        if (*out == NULL) {
            return fail_no_memory(failure);
        }
        announce_allocated(pool, waiter->size_bytes, true);
        return KP_POOL_OK;
    }
    take_part(pool, waiter);
    if (waiter->accumulated_bytes < waiter->size_bytes) {
        if (now_ms < waiter->deadline_ms) {
            return KP_POOL_BLOCKED;
        }
        give_up(pool, waiter);
        return fail_exhausted(waiter, failure);
    }
    waiter->accumulated_bytes = 0;
    dequeue(pool, waiter);
    signal_if_memory_is_left(pool);
    return make_buffer(pool, waiter->size_bytes, out, failure);
}

void kp_buffer_pool_abandon(struct kp_buffer_pool *pool, struct kp_memory_waiter *waiter)
{
    give_up(pool, waiter);
}

void kp_buffer_pool_deallocate(struct kp_buffer_pool *pool, struct kp_buffer *buffer, uint32_t size_bytes)
{
    bool is_kept = size_bytes == pool->poolable_size_bytes && size_bytes == buffer->capacity_bytes;
    if (is_kept) {
        keep(pool, buffer);
    } else {
        pool->unallocated_bytes += KB_PLANTED(POOL_LEAK) ? size_bytes / 2 : size_bytes;
        kp_buffer_release(buffer);
    }
    signal_first(pool);
    KB_TRACE(pool->trace, 0, MEMORY_DEALLOCATED, memory_deallocated, .bytes = size_bytes,
             .available_bytes = kp_buffer_pool_available_bytes(pool),
             .unallocated_bytes = pool->unallocated_bytes, .free_buffers = pool->free_count, .kept = is_kept,
             .waiters = pool->waiter_count);
    KB_ASSERT_DEBUG(kp_buffer_pool_available_bytes(pool) <= pool->total_bytes);
}

void kp_buffer_pool_close(struct kp_buffer_pool *pool)
{
    pool->is_closed = true;
    for (struct kp_memory_waiter *waiter = pool->waiter_first; waiter != NULL; waiter = waiter->next) {
        waiter->is_signalled = true;
    }
}

void kp_buffer_pool_check(const struct kp_buffer_pool *pool)
{
    uint32_t free_count = 0;
    for (const struct kp_buffer *buffer = pool->free_first; buffer != NULL; buffer = buffer->next_free) {
        KB_ASSERT(buffer->capacity_bytes == pool->poolable_size_bytes && buffer->reference_count > 0);
        KB_ASSERT(buffer->next_free != NULL ? buffer->next_free->previous_free == buffer
                                            : pool->free_last == buffer);
        free_count++;
    }
    uint32_t waiter_count = 0;
    int64_t accumulated_bytes = 0;
    for (const struct kp_memory_waiter *waiter = pool->waiter_first; waiter != NULL; waiter = waiter->next) {
        KB_ASSERT(waiter->is_waiting && waiter->accumulated_bytes < waiter->size_bytes);
        KB_ASSERT(waiter->next != NULL ? waiter->next->previous == waiter : pool->waiter_last == waiter);
        accumulated_bytes += waiter->accumulated_bytes;
        waiter_count++;
    }
    KB_ASSERT(free_count == pool->free_count && waiter_count == pool->waiter_count);
    KB_ASSERT(pool->unallocated_bytes >= 0);
    KB_ASSERT(kp_buffer_pool_available_bytes(pool) + accumulated_bytes <= pool->total_bytes);
}
