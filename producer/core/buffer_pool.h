/**
 * Memory for batches, kept under buffer.memory. Kafka: BufferPool. Never blocks: where Java's allocate()
 * waits, the caller's struct kp_memory_waiter is queued, and the caller goes on with
 * kp_buffer_pool_resume() when it is signalled or its time is over.
 *
 * Two things that Java's ByteBuffer does not tell apart: the *account*, which is Kafka's to the byte, and the
 * *buffer*, physical memory with a count of references. A batch that expires gives its account back at once,
 * while its bytes may still be in a half-written request; that buffer is not handed out again before the
 * request lets go of it. A kept buffer that is still being read is replaced when its turn comes.
 */
#ifndef KP_BUFFER_POOL_H
#define KP_BUFFER_POOL_H

#include "base/trace.h"

#include <linger/allocator.h>
#include <linger/failure.h>

#include <stdbool.h>
#include <stdint.h>

/** Memory with a count of references; the last one frees it. */
struct kp_buffer {
    const struct linger_allocator *allocator;
    struct kp_buffer *next_free; /* the pool's */
    struct kp_buffer *previous_free;
    uint32_t reference_count;
    uint32_t capacity_bytes;
    uint8_t *bytes;
};

/** A buffer outside any pool (a split batch), with one reference. NULL: no memory. capacity_bytes > 0. */
struct kp_buffer *kp_buffer_create(const struct linger_allocator *allocator, uint32_t capacity_bytes);
void kp_buffer_retain(struct kp_buffer *buffer);
/** buffer may be NULL. */
void kp_buffer_release(struct kp_buffer *buffer);

/** A place in the queue. The caller's memory, zeroed before its first use; at rest outside a wait. */
struct kp_memory_waiter {
    struct kp_memory_waiter *previous; /* the pool's, as is the rest */
    struct kp_memory_waiter *next;
    int64_t deadline_ms;
    int64_t max_block_ms;
    uint32_t size_bytes;
    /** Taken, and not in the pool's available memory any more, but not enough yet. */
    uint32_t accumulated_bytes;
    uint32_t record; /* for the trace */
    bool is_waiting;
    bool is_signalled;
};

struct kp_buffer_pool {
    const struct linger_allocator *allocator;
    struct kb_trace *trace;
    int64_t total_bytes;
    uint32_t poolable_size_bytes;
    int64_t unallocated_bytes; /* Kafka: nonPooledAvailableMemory */
    struct kp_buffer *free_first;
    struct kp_buffer *free_last;
    uint32_t free_count;
    struct kp_memory_waiter *waiter_first;
    struct kp_memory_waiter *waiter_last;
    uint32_t waiter_count;
    bool is_closed;
};

enum kp_pool_result {
    KP_POOL_OK,
    KP_POOL_BLOCKED,   /* the waiter is queued */
    KP_POOL_TOO_LARGE, /* IllegalArgumentException: more than the whole pool */
    KP_POOL_EXHAUSTED, /* BufferExhaustedException: the time is over */
    KP_POOL_CLOSED,    /* KafkaException */
    KP_POOL_NO_MEMORY, /* OutOfMemoryError: the allocator has none; the account is unchanged */
};

/** Borrows allocator and trace (NULL: none). */
void kp_buffer_pool_init(struct kp_buffer_pool *pool, const struct linger_allocator *allocator,
                         struct kb_trace *trace, int64_t total_bytes, uint32_t poolable_size_bytes);
/** Lets go of the kept buffers. Nobody may be waiting. */
void kp_buffer_pool_release(struct kp_buffer_pool *pool);

/**
 * Take size_bytes > 0. Kafka: BufferPool.allocate.
 * On KP_POOL_OK the caller owns one reference to *out, and the account, until kp_buffer_pool_deallocate().
 * On KP_POOL_BLOCKED the waiter belongs to the pool until resume() gives another answer.
 * Otherwise *failure says why.
 */
enum kp_pool_result kp_buffer_pool_allocate(struct kp_buffer_pool *pool, uint32_t size_bytes,
                                            int64_t max_block_ms, int64_t now_ms,
                                            struct kp_memory_waiter *waiter, struct kp_buffer **out,
                                            struct kp_failure *failure) __attribute__((warn_unused_result));

/** Whether resume() would do something: it was signalled, or its time is over. */
bool kp_memory_waiter_is_runnable(const struct kp_memory_waiter *waiter, int64_t now_ms);

/** A waiter that is_runnable goes on; results as of allocate. */
enum kp_pool_result kp_buffer_pool_resume(struct kp_buffer_pool *pool, struct kp_memory_waiter *waiter,
                                          int64_t now_ms, struct kp_buffer **out, struct kp_failure *failure)
    __attribute__((warn_unused_result));

/** Leave the queue without an answer: gives back what it has taken. Kafka: an interrupted allocate. */
void kp_buffer_pool_abandon(struct kp_buffer_pool *pool, struct kp_memory_waiter *waiter);

/**
 * Give size_bytes back to the account, and the caller's reference to the buffer. The first waiter is
 * signalled. Kafka: BufferPool.deallocate.
 */
void kp_buffer_pool_deallocate(struct kp_buffer_pool *pool, struct kp_buffer *buffer, uint32_t size_bytes);

/** Nothing is allocated any more; all waiters are signalled and will fail. Kafka: BufferPool.close. */
void kp_buffer_pool_close(struct kp_buffer_pool *pool);

/** Unallocated and kept. Kafka: availableMemory. */
int64_t kp_buffer_pool_available_bytes(const struct kp_buffer_pool *pool);

/** States the whole invariant; for tests and debug builds. */
void kp_buffer_pool_check(const struct kp_buffer_pool *pool);

#endif
