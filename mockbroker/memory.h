/**
 * Memory of the mock cluster, and the two small containers that everything here uses.
 *
 * The cluster is a simulator: an allocator that gives nothing is a programmer error (KB_ASSERT), since what
 * grows without bound here is only what a scenario writes, and retention.bytes bounds that.
 */
#ifndef MB_MEMORY_H
#define MB_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linger/allocator.h>

/** Zeroed memory; size_bytes may be 0 (NULL then). Never NULL otherwise. */
void *mb_take(const struct linger_allocator *allocator, size_t size_bytes);
void mb_give(const struct linger_allocator *allocator, void *memory, size_t size_bytes);

/** Room for at least `needed` items of item_bytes: the array, perhaps moved, new items zeroed. */
void *mb_reserve(const struct linger_allocator *allocator, void *items, uint32_t *capacity, uint32_t needed,
                 size_t item_bytes);

/** From 64-bit numbers to pointers. Nothing ever iterates over it, so its order reaches no decision. */
struct mb_map {
    const struct linger_allocator *allocator;
    struct mb_map_entry {
        uint64_t key;
        void *value; /* NULL: free */
    } * entries;
    uint32_t capacity; /* a power of two, or 0 */
    uint32_t count;
};

void mb_map_init(struct mb_map *map, const struct linger_allocator *allocator);
void mb_map_release(struct mb_map *map);
void *mb_map_find(const struct mb_map *map, uint64_t key);
/** The key must not be there yet; value is not NULL. */
void mb_map_insert(struct mb_map *map, uint64_t key, void *value);
/** What was there, or NULL. */
void *mb_map_remove(struct mb_map *map, uint64_t key);

/** Bytes that arrive piece by piece and are taken from the front. */
struct mb_buffer {
    const struct linger_allocator *allocator;
    uint8_t *bytes;
    size_t capacity_bytes;
    size_t start_bytes;
    size_t end_bytes;
};

void mb_buffer_init(struct mb_buffer *buffer, const struct linger_allocator *allocator);
void mb_buffer_release(struct mb_buffer *buffer);
void mb_buffer_append(struct mb_buffer *buffer, const void *bytes, size_t length_bytes);
void mb_buffer_take(struct mb_buffer *buffer, size_t length_bytes);

static inline const uint8_t *mb_buffer_front(const struct mb_buffer *buffer)
{
    return buffer->bytes == NULL ? NULL : buffer->bytes + buffer->start_bytes;
}

static inline size_t mb_buffer_length_bytes(const struct mb_buffer *buffer)
{
    return buffer->end_bytes - buffer->start_bytes;
}

/**
 * One record batch, immutable once it is in a log, shared by the replicas that hold it. Who holds a
 * reference may read; the last one gives the memory back.
 */
struct mb_block {
    uint32_t references;
    uint32_t size_bytes;
    uint8_t bytes[];
};

/** A copy with one reference, the caller's. */
struct mb_block *mb_block_create(const struct linger_allocator *allocator, const void *bytes,
                                 uint32_t size_bytes);
struct mb_block *mb_block_hold(struct mb_block *block);
void mb_block_drop(const struct linger_allocator *allocator, struct mb_block *block);

#endif
