#include "failing_allocator.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* In front of what is handed out. */
struct prefix {
    alignas(max_align_t) size_t size_bytes;
};

static void *allocate(void *context, size_t size_bytes)
{
    struct failing_allocator *memory = context;
    bool is_granted = memory->allowed_count > 0 && size_bytes < SIZE_MAX / 4;
    struct prefix *prefix = is_granted ? malloc(sizeof *prefix + size_bytes) : NULL;
    if (prefix == NULL) {
        memory->refused_count++;
        return NULL;
    }
    if (memory->allowed_count != UINT64_MAX) {
        memory->allowed_count--;
    }
    prefix->size_bytes = size_bytes;
    memory->granted_count++;
    memory->held_count++;
    memory->held_bytes += size_bytes;
    /* Whoever relies on zeros finds none. */
    memset(prefix + 1, 0xa5, size_bytes);
    return prefix + 1;
}

static void release(void *context, void *pointer, size_t size_bytes)
{
    struct failing_allocator *memory = context;
    struct prefix *prefix = (struct prefix *)pointer - 1;
    memory->wrong_size_count += prefix->size_bytes != size_bytes;
    memory->held_count--;
    memory->held_bytes -= prefix->size_bytes;
    free(prefix);
}

void failing_allocator_init(struct failing_allocator *memory)
{
    *memory =
        (struct failing_allocator){.allocator = {.context = memory, .allocate = allocate, .release = release},
                                   .allowed_count = UINT64_MAX};
}
