#include "core/memory.h"

#include <string.h>

bool kp_grow_more(const struct linger_allocator *allocator, void *array, uint32_t *capacity,
                  uint32_t wanted_count, size_t element_bytes)
{
    uint32_t grown = *capacity == 0 ? 8 : *capacity;
    while (grown < wanted_count) {
        grown = grown > UINT32_MAX / 2 ? UINT32_MAX : grown * 2;
    }
    void *moved = kb_allocate_zeroed(allocator, grown, element_bytes);
    if (moved == NULL) {
        return false;
    }
    void *old;
    memcpy(&old, array, sizeof old);
    if (*capacity > 0) {
        memcpy(moved, old, *capacity * element_bytes);
        kb_deallocate(allocator, old, *capacity * element_bytes);
    }
    memcpy(array, &moved, sizeof moved);
    *capacity = grown;
    return true;
}

char *kp_copy_text(const struct linger_allocator *allocator, const char *text, size_t length_bytes)
{
    char *copy = kb_allocate_zeroed(allocator, length_bytes + 1, 1);
    if (copy != NULL && length_bytes > 0) {
        memcpy(copy, text, length_bytes);
    }
    return copy;
}

void kp_release_text(const struct linger_allocator *allocator, const char *text)
{
    if (text != NULL) {
        kb_deallocate(allocator, (void *)(uintptr_t)text, strlen(text) + 1);
    }
}
