/**
 * The few ways in which the core takes memory from its allocator. Each returns NULL when there is none.
 */
#ifndef KP_MEMORY_H
#define KP_MEMORY_H

#include <linger/allocator.h>

#include <stddef.h>

/** malloc and free: what a NULL allocator stands for. */
const struct linger_allocator *kp_allocator_default(void);

/** Zeroed memory for count objects; NULL also when the size overflows. count and size_bytes > 0. */
void *kp_allocate(const struct linger_allocator *allocator, size_t count, size_t size_bytes);

/** Give back what kp_allocate() gave with the same count and size. memory may be NULL. */
void kp_release(const struct linger_allocator *allocator, void *memory, size_t count, size_t size_bytes);

/**
 * Make room for at least wanted_count elements: *array (NULL when *capacity is 0) moves, its elements are
 * kept, the new ones are zero. Capacities double. Returns false, with nothing changed, when there is no
 * memory.
 */
_Bool kp_grow(const struct linger_allocator *allocator, void **array, size_t *capacity, size_t wanted_count,
              size_t element_bytes) __attribute__((warn_unused_result));

/** A NUL-terminated copy; release it with kp_release(allocator, copy, strlen(copy) + 1, 1). */
char *kp_copy_text(const struct linger_allocator *allocator, const char *text);

#endif
