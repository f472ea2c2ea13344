/**
 * Arrays that grow, and copies of texts, beside base/allocator.h.
 */
#ifndef KP_MEMORY_H
#define KP_MEMORY_H

#include "base/allocator.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * kp_grow: make room for at least wanted_count elements: *array (NULL when *capacity is 0) moves, its
 * elements are kept, the new ones are zero. Capacities double. Returns false, with nothing changed, when
 * there is no memory. array points at a pointer of any object type; give it back with
 * kb_deallocate(allocator, array, capacity * element_bytes). kp_grow_more is its rare part.
 */
bool kp_grow_more(const struct linger_allocator *allocator, void *array, uint32_t *capacity,
                  uint32_t wanted_count, size_t element_bytes) __attribute__((warn_unused_result));

static inline __attribute__((warn_unused_result)) bool kp_grow(const struct linger_allocator *allocator,
                                                               void *array, uint32_t *capacity,
                                                               uint32_t wanted_count, size_t element_bytes)
{
    return wanted_count <= *capacity || kp_grow_more(allocator, array, capacity, wanted_count, element_bytes);
}

/** A NUL-terminated copy, or NULL without memory; release it with kp_release_text(). */
char *kp_copy_text(const struct linger_allocator *allocator, const char *text, size_t length_bytes);
/** text may be NULL. */
void kp_release_text(const struct linger_allocator *allocator, const char *text);

#endif
