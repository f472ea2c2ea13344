/**
 * Where the library takes its memory from.
 *
 * Every object takes its allocator at creation and keeps using it until it is destroyed; the allocator must
 * outlive it.
 */
#ifndef LINGER_ALLOCATOR_H
#define LINGER_ALLOCATOR_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct linger_allocator {
    void *context;
    /** Returns memory aligned for any object, or NULL when there is none. size_bytes > 0. */
    void *(*allocate)(void *context, size_t size_bytes);
    /** Takes back what allocate() gave, with the size it was asked for. Never called with NULL. */
    void (*release)(void *context, void *memory, size_t size_bytes);
};

#ifdef __cplusplus
}
#endif

#endif
