#include "base/allocator.h"

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

const struct linger_allocator *kb_allocator_default(void)
{
    static const struct linger_allocator allocator = {.allocate = default_allocate,
                                                      .release = default_release};
    return &allocator;
}

void *kb_allocate(const struct linger_allocator *allocator, size_t size_bytes)
{
    KB_ASSERT(size_bytes > 0);
    return allocator->allocate(allocator->context, size_bytes);
}

void *kb_allocate_zeroed(const struct linger_allocator *allocator, size_t count, size_t size_bytes)
{
    KB_ASSERT(count > 0 && size_bytes > 0);
    if (count > SIZE_MAX / size_bytes) {
        return NULL;
    }
    void *memory = kb_allocate(allocator, count * size_bytes);
    if (memory != NULL) {
        memset(memory, 0, count * size_bytes);
    }
    return memory;
}

void kb_deallocate(const struct linger_allocator *allocator, void *memory, size_t size_bytes)
{
    if (memory != NULL) {
        allocator->release(allocator->context, memory, size_bytes);
    }
}
