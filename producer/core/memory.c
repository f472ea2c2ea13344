#include "core/memory.h"

#include "base/assert.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *default_allocate(void *context, size_t size_bytes)
{
    (void)context;
    return malloc(size_bytes);
}

static void default_release(void *context, void *memory, size_t size_bytes)
{
    (void)context;
    (void)size_bytes;
    free(memory);
}

const struct linger_allocator *kp_allocator_default(void)
{
    static const struct linger_allocator allocator = {NULL, default_allocate, default_release};
    return &allocator;
}

void *kp_allocate(const struct linger_allocator *allocator, size_t count, size_t size_bytes)
{
    KB_ASSERT(count > 0 && size_bytes > 0);
    if (count > SIZE_MAX / size_bytes) {
        return NULL;
    }
    void *memory = allocator->allocate(allocator->context, count * size_bytes);
    if (memory != NULL) {
        memset(memory, 0, count * size_bytes);
    }
    return memory;
}

void kp_release(const struct linger_allocator *allocator, void *memory, size_t count, size_t size_bytes)
{
    if (memory != NULL) {
        allocator->release(allocator->context, memory, count * size_bytes);
    }
}

_Bool kp_grow(const struct linger_allocator *allocator, void **array, size_t *capacity, size_t wanted_count,
              size_t element_bytes)
{
    if (wanted_count <= *capacity) {
        return 1;
    }
    size_t grown = *capacity == 0 ? 8 : *capacity;
    while (grown < wanted_count) {
        if (grown > SIZE_MAX / 2) {
            return 0;
        }
        grown *= 2;
    }
    void *moved = kp_allocate(allocator, grown, element_bytes);
    if (moved == NULL) {
        return 0;
    }
    if (*capacity > 0) {
        memcpy(moved, *array, *capacity * element_bytes);
        kp_release(allocator, *array, *capacity, element_bytes);
    }
    *array = moved;
    *capacity = grown;
    return 1;
}

char *kp_copy_text(const struct linger_allocator *allocator, const char *text)
{
    size_t size_bytes = strlen(text) + 1;
    char *copy = kp_allocate(allocator, size_bytes, 1);
    if (copy != NULL) {
        memcpy(copy, text, size_bytes);
    }
    return copy;
}
