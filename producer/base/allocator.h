/**
 * Memory through a <linger/allocator.h>, with the arithmetic checked.
 */
#ifndef KB_ALLOCATOR_H
#define KB_ALLOCATOR_H

#include <linger/allocator.h>
#include <stddef.h>

/** malloc and free. The only place that calls them; valid forever. */
const struct linger_allocator *kb_allocator_default(void);

/** Memory aligned for any object, or NULL when there is none. size_bytes > 0. */
void *kb_allocate(const struct linger_allocator *allocator, size_t size_bytes)
    __attribute__((warn_unused_result));

/** The same, all zero, for count objects; NULL also when count * size_bytes overflows. Both > 0. */
void *kb_allocate_zeroed(const struct linger_allocator *allocator, size_t count, size_t size_bytes)
    __attribute__((warn_unused_result));

/** Give back what was taken, with its size (count * size_bytes). memory may be NULL. */
void kb_deallocate(const struct linger_allocator *allocator, void *memory, size_t size_bytes);

#endif
