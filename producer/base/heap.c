#include "base/heap.h"

#include "base/allocator.h"
#include "base/assert.h"

#include <string.h>

enum { FIRST_CAPACITY = 16 };

static inline bool is_before(const struct kb_heap_entry *left, const struct kb_heap_entry *right)
{
    return left->key < right->key || (left->key == right->key && left->sequence < right->sequence);
}

static inline void put(struct kb_heap *heap, size_t place, struct kb_heap_entry entry)
{
    heap->entries[place] = entry;
    entry.node->place = place + 1;
}

/* Move entry, which belongs at place or nearer the top, to where it belongs. */
static void sift_up(struct kb_heap *heap, size_t place, struct kb_heap_entry entry)
{
    while (place > 0) {
        size_t parent = (place - 1) / 2;
        if (!is_before(&entry, &heap->entries[parent])) {
            break;
        }
        put(heap, place, heap->entries[parent]);
        place = parent;
    }
    put(heap, place, entry);
}

/* Move entry, which belongs at place or farther from the top, to where it belongs. */
static void sift_down(struct kb_heap *heap, size_t place, struct kb_heap_entry entry)
{
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= heap->count) {
            break;
        }
        if (child + 1 < heap->count && is_before(&heap->entries[child + 1], &heap->entries[child])) {
            child++;
        }
        if (!is_before(&heap->entries[child], &entry)) {
            break;
        }
        put(heap, place, heap->entries[child]);
        place = child;
    }
    put(heap, place, entry);
}

static void settle(struct kb_heap *heap, size_t place, struct kb_heap_entry entry)
{
    if (place > 0 && is_before(&entry, &heap->entries[(place - 1) / 2])) {
        sift_up(heap, place, entry);
    } else {
        sift_down(heap, place, entry);
    }
}

void kb_heap_init(struct kb_heap *heap, const struct linger_allocator *allocator)
{
    *heap = (struct kb_heap){.allocator = allocator};
}

void kb_heap_release(struct kb_heap *heap)
{
    for (size_t i = 0; i < heap->count; i++) {
        heap->entries[i].node->place = 0;
    }
    kb_deallocate(heap->allocator, heap->entries, heap->capacity * sizeof *heap->entries);
    kb_heap_init(heap, heap->allocator);
}

bool kb_heap_reserve(struct kb_heap *heap, size_t count)
{
    if (count <= heap->capacity) {
        return true;
    }
    struct kb_heap_entry *entries = kb_allocate_zeroed(heap->allocator, count, sizeof *entries);
    if (entries == NULL) {
        return false;
    }
    if (heap->count > 0) {
        memcpy(entries, heap->entries, heap->count * sizeof *entries);
    }
    kb_deallocate(heap->allocator, heap->entries, heap->capacity * sizeof *entries);
    heap->entries = entries;
    heap->capacity = count;
    return true;
}

bool kb_heap_push(struct kb_heap *heap, struct kb_heap_node *node, int64_t key, uint64_t sequence)
{
    KB_ASSERT(node->place == 0);
    if (heap->count == heap->capacity &&
        !kb_heap_reserve(heap, heap->capacity == 0 ? FIRST_CAPACITY : 2 * heap->capacity)) {
        return false;
    }
    heap->count++;
    sift_up(heap, heap->count - 1, (struct kb_heap_entry){.key = key, .sequence = sequence, .node = node});
    return true;
}

size_t kb_heap_count(const struct kb_heap *heap)
{
    return heap->count;
}

bool kb_heap_contains(const struct kb_heap *heap, const struct kb_heap_node *node)
{
    return node->place > 0 && node->place <= heap->count && heap->entries[node->place - 1].node == node;
}

const struct kb_heap_entry *kb_heap_first(const struct kb_heap *heap)
{
    return heap->count > 0 ? &heap->entries[0] : NULL;
}

const struct kb_heap_entry *kb_heap_entry_of(const struct kb_heap *heap, const struct kb_heap_node *node)
{
    KB_ASSERT(kb_heap_contains(heap, node));
    return &heap->entries[node->place - 1];
}

void kb_heap_remove(struct kb_heap *heap, struct kb_heap_node *node)
{
    KB_ASSERT(kb_heap_contains(heap, node));
    size_t place = node->place - 1;
    node->place = 0;
    heap->count--;
    if (place < heap->count) {
        settle(heap, place, heap->entries[heap->count]);
    }
}

struct kb_heap_node *kb_heap_pop(struct kb_heap *heap)
{
    if (heap->count == 0) {
        return NULL;
    }
    struct kb_heap_node *node = heap->entries[0].node;
    kb_heap_remove(heap, node);
    return node;
}

void kb_heap_update(struct kb_heap *heap, struct kb_heap_node *node, int64_t key, uint64_t sequence)
{
    KB_ASSERT(kb_heap_contains(heap, node));
    settle(heap, node->place - 1, (struct kb_heap_entry){.key = key, .sequence = sequence, .node = node});
}

void kb_heap_check(const struct kb_heap *heap)
{
    KB_ASSERT(heap->count <= heap->capacity);
    for (size_t i = 0; i < heap->count; i++) {
        KB_ASSERT(heap->entries[i].node->place == i + 1);
        KB_ASSERT(i == 0 || !is_before(&heap->entries[i], &heap->entries[(i - 1) / 2]));
    }
}
