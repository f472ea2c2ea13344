#include "core/buffer_pool.h"

#include "failing_allocator.h"
#include "unit.h"

#include <string.h>

/* The whole of Kafka's behaviour is in the golden vectors (buffer_pool.jsonl); these are the parts they do
 * not have: the physical buffers, closing, abandoned waits, memory that the allocator does not give. */

struct fixture {
    struct failing_allocator memory;
    struct kp_buffer_pool pool;
    struct kp_failure failure;
};

static void set_up(struct fixture *f, int64_t total_bytes)
{
    failing_allocator_init(&f->memory);
    kp_buffer_pool_init(&f->pool, &f->memory.allocator, NULL, total_bytes, 100);
    kp_failure_clear(&f->failure);
}

static void tear_down(struct fixture *f)
{
    kp_buffer_pool_check(&f->pool);
    kp_buffer_pool_release(&f->pool);
    CU_ASSERT_EQUAL(f->memory.held_bytes, 0);
    CU_ASSERT_EQUAL(f->memory.wrong_size_count, 0);
}

static struct kp_buffer *take(struct fixture *f, uint32_t size_bytes)
{
    struct kp_memory_waiter waiter = {0};
    struct kp_buffer *buffer = NULL;
    CU_ASSERT_EQUAL(kp_buffer_pool_allocate(&f->pool, size_bytes, 0, 0, &waiter, &buffer, &f->failure),
                    KP_POOL_OK);
    return buffer;
}

static void kept_buffer_in_use_is_replaced(void)
{
    struct fixture f;
    set_up(&f, 300);
    struct kp_buffer *buffer = take(&f, 100);
    memset(buffer->bytes, 7, 100);
    kp_buffer_retain(buffer); /* a request is still writing it */
    kp_buffer_pool_deallocate(&f.pool, buffer, 100);
    CU_ASSERT_EQUAL(f.pool.free_count, 1);
    CU_ASSERT_EQUAL(kp_buffer_pool_available_bytes(&f.pool), 300);

    struct kp_buffer *second = take(&f, 100);
    CU_ASSERT_PTR_NOT_EQUAL(second, buffer);
    CU_ASSERT_EQUAL(f.pool.free_count, 0);
    CU_ASSERT_EQUAL(f.pool.unallocated_bytes, 200); /* the account took the kept one */
    memset(second->bytes, 9, 100);
    CU_ASSERT_EQUAL(buffer->bytes[0], 7);
    kp_buffer_release(buffer);
    kp_buffer_pool_deallocate(&f.pool, second, 100);

    /* Not in use: the very same comes back. */
    CU_ASSERT_PTR_EQUAL(take(&f, 100), second);
    kp_buffer_pool_deallocate(&f.pool, second, 100);
    tear_down(&f);
}

static void buffer_outlives_its_account(void)
{
    struct fixture f;
    set_up(&f, 300);
    struct kp_buffer *large = take(&f, 250);
    kp_buffer_retain(large);
    kp_buffer_pool_deallocate(&f.pool, large, 250);
    CU_ASSERT_EQUAL(f.pool.unallocated_bytes, 300);
    large->bytes[249] = 1; /* still there */
    kp_buffer_release(large);
    tear_down(&f);
}

static void close_fails_all_waiters(void)
{
    struct fixture f;
    set_up(&f, 100);
    struct kp_buffer *buffer = take(&f, 100);
    struct kp_buffer *out;
    struct kp_memory_waiter waiters[2] = {{0}};
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(kp_buffer_pool_allocate(&f.pool, 60, 1000, 0, &waiters[i], &out, &f.failure),
                        KP_POOL_BLOCKED);
    }
    CU_ASSERT_FALSE(kp_memory_waiter_is_runnable(&waiters[0], 999));
    CU_ASSERT_TRUE(kp_memory_waiter_is_runnable(&waiters[0], 1000));
    kp_buffer_pool_close(&f.pool);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_TRUE_FATAL(kp_memory_waiter_is_runnable(&waiters[i], 1));
        CU_ASSERT_EQUAL(kp_buffer_pool_resume(&f.pool, &waiters[i], 1, &out, &f.failure), KP_POOL_CLOSED);
        CU_ASSERT_STRING_EQUAL(f.failure.thrown.exception, "KafkaException");
        CU_ASSERT_STRING_EQUAL(f.failure.thrown.message, "Producer closed while allocating memory");
    }
    CU_ASSERT_EQUAL(kp_buffer_pool_allocate(&f.pool, 60, 1000, 0, &waiters[0], &out, &f.failure),
                    KP_POOL_CLOSED);
    kp_buffer_pool_deallocate(&f.pool, buffer, 100);
    CU_ASSERT_EQUAL(kp_buffer_pool_available_bytes(&f.pool), 100);
    tear_down(&f);
}

static void partial_memory_goes_to_the_next(void)
{
    struct fixture f;
    set_up(&f, 200);
    struct kp_buffer *first = take(&f, 100);
    struct kp_buffer *second = take(&f, 100);
    struct kp_buffer *out;
    struct kp_memory_waiter large = {0};
    struct kp_memory_waiter small = {0};
    CU_ASSERT_EQUAL(kp_buffer_pool_allocate(&f.pool, 200, 10, 0, &large, &out, &f.failure), KP_POOL_BLOCKED);
    CU_ASSERT_EQUAL(kp_buffer_pool_allocate(&f.pool, 90, 50, 0, &small, &out, &f.failure), KP_POOL_BLOCKED);
    kp_buffer_pool_deallocate(&f.pool, first, 100);
    CU_ASSERT_FALSE(kp_memory_waiter_is_runnable(&small, 5));
    CU_ASSERT_EQUAL(kp_buffer_pool_resume(&f.pool, &large, 5, &out, &f.failure), KP_POOL_BLOCKED);
    CU_ASSERT_EQUAL(large.accumulated_bytes, 100);
    CU_ASSERT_EQUAL(kp_buffer_pool_available_bytes(&f.pool), 0);
    kp_buffer_pool_check(&f.pool);

    CU_ASSERT_EQUAL(kp_buffer_pool_resume(&f.pool, &large, 10, &out, &f.failure), KP_POOL_EXHAUSTED);
    CU_ASSERT_STRING_EQUAL(f.failure.thrown.message,
                           "Failed to allocate memory within the configured max blocking time 10 ms.");
    CU_ASSERT_TRUE_FATAL(kp_memory_waiter_is_runnable(&small, 10));
    CU_ASSERT_EQUAL(kp_buffer_pool_resume(&f.pool, &small, 10, &out, &f.failure), KP_POOL_OK);
    CU_ASSERT_EQUAL(f.pool.unallocated_bytes, 10);
    kp_buffer_pool_deallocate(&f.pool, out, 90);
    kp_buffer_pool_deallocate(&f.pool, second, 100);
    CU_ASSERT_EQUAL(kp_buffer_pool_available_bytes(&f.pool), 200);
    tear_down(&f);
}

static void abandoned_wait_gives_back(void)
{
    struct fixture f;
    set_up(&f, 150);
    struct kp_buffer *buffer = take(&f, 100);
    struct kp_buffer *out;
    struct kp_memory_waiter waiter = {0};
    CU_ASSERT_EQUAL(kp_buffer_pool_allocate(&f.pool, 140, INT64_MAX, 5, &waiter, &out, &f.failure),
                    KP_POOL_BLOCKED);
    CU_ASSERT_EQUAL(waiter.deadline_ms, INT64_MAX);
    waiter.is_signalled = true;
    CU_ASSERT_EQUAL(kp_buffer_pool_resume(&f.pool, &waiter, 6, &out, &f.failure), KP_POOL_BLOCKED);
    CU_ASSERT_EQUAL(f.pool.unallocated_bytes, 0);
    kp_buffer_pool_abandon(&f.pool, &waiter);
    CU_ASSERT_EQUAL(f.pool.unallocated_bytes, 50);
    kp_buffer_pool_deallocate(&f.pool, buffer, 100);
    tear_down(&f);
}

static void no_memory_leaves_the_account(void)
{
    struct fixture f;
    set_up(&f, 300);
    struct kp_buffer *out;
    struct kp_memory_waiter waiter = {0};
    for (uint64_t allowed = 0; allowed < 2; allowed++) {
        f.memory.allowed_count = allowed;
        CU_ASSERT_EQUAL(kp_buffer_pool_allocate(&f.pool, 100, 10, 0, &waiter, &out, &f.failure),
                        KP_POOL_NO_MEMORY);
        CU_ASSERT_EQUAL(f.pool.unallocated_bytes, 300);
        CU_ASSERT_EQUAL(f.memory.held_count, 0);
    }
    tear_down(&f);
}

int main(void)
{
    return unit_main("buffer_pool", (struct unit_test[]){
                                        {"kept buffer in use is replaced", kept_buffer_in_use_is_replaced},
                                        {"buffer outlives its account", buffer_outlives_its_account},
                                        {"close fails all waiters", close_fails_all_waiters},
                                        {"partial memory goes to the next", partial_memory_goes_to_the_next},
                                        {"abandoned wait gives back", abandoned_wait_gives_back},
                                        {"no memory leaves the account", no_memory_leaves_the_account},
                                        {0}});
}
