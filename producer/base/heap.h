/**
 * Binary heap of (key, sequence): the least key first and, of equal keys, the least sequence. With times as
 * keys and ever-growing sequence numbers, what falls on one instant happens in the order in which it was
 * scheduled.
 *
 * Intrusive: an element embeds a kb_heap_node, which knows its place, so that removal and change are O(log n)
 * without a search. The array holds the keys beside the pointers: comparisons touch no element.
 */
#ifndef KB_HEAP_H
#define KB_HEAP_H

#include <linger/allocator.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kb_heap_node {
    /** Place in the array plus one; 0 outside a heap, so that zeroed memory is a node outside. */
    size_t place;
};

struct kb_heap_entry {
    int64_t key;
    uint64_t sequence;
    struct kb_heap_node *node;
};

struct kb_heap {
    const struct linger_allocator *allocator;
    struct kb_heap_entry *entries;
    size_t count;
    size_t capacity;
};

/** An empty heap without memory. Borrows the allocator. */
void kb_heap_init(struct kb_heap *heap, const struct linger_allocator *allocator);
/** Gives the memory back; the elements are the caller's, and are outside a heap then. */
void kb_heap_release(struct kb_heap *heap);

/** Room for count elements in all: false when there is no memory. After it that many pushes cannot fail. */
bool kb_heap_reserve(struct kb_heap *heap, size_t count) __attribute__((warn_unused_result));

/** Put in a node that is in no heap: false, and nothing changes, when there is no memory. */
bool kb_heap_push(struct kb_heap *heap, struct kb_heap_node *node, int64_t key, uint64_t sequence)
    __attribute__((warn_unused_result));

size_t kb_heap_count(const struct kb_heap *heap);
bool kb_heap_contains(const struct kb_heap *heap, const struct kb_heap_node *node);

/** The least entry, valid until the heap changes; NULL when it is empty. */
const struct kb_heap_entry *kb_heap_first(const struct kb_heap *heap);
/** The entry of a node that is in this heap, valid until it changes. */
const struct kb_heap_entry *kb_heap_entry_of(const struct kb_heap *heap, const struct kb_heap_node *node);

/** Take the least out; NULL when the heap is empty. */
struct kb_heap_node *kb_heap_pop(struct kb_heap *heap);
/** Take a node that is in this heap out. */
void kb_heap_remove(struct kb_heap *heap, struct kb_heap_node *node);
/** Give a node that is in this heap another place. */
void kb_heap_update(struct kb_heap *heap, struct kb_heap_node *node, int64_t key, uint64_t sequence);

/** Order and places hold everywhere; asserts. O(n), for debug builds and tests. */
void kb_heap_check(const struct kb_heap *heap);

#endif
