#include "mockbroker/memory.h"

#include "base/allocator.h"
#include "base/assert.h"

#include <string.h>

void *mb_take(const struct linger_allocator *allocator, size_t size_bytes)
{
    if (size_bytes == 0) {
        return NULL;
    }
    void *memory = kb_allocate_zeroed(allocator, 1, size_bytes);
    KB_ASSERT(memory != NULL);
    return memory;
}

void mb_give(const struct linger_allocator *allocator, void *memory, size_t size_bytes)
{
    kb_deallocate(allocator, memory, size_bytes);
}

void *mb_reserve(const struct linger_allocator *allocator, void *items, uint32_t *capacity, uint32_t needed,
                 size_t item_bytes)
{
    if (needed <= *capacity) {
        return items;
    }
    KB_ASSERT(needed <= UINT32_MAX / 2);
    uint32_t larger = *capacity < 4 ? 4 : *capacity;
    while (larger < needed) {
        larger *= 2;
    }
    void *memory = mb_take(allocator, larger * item_bytes);
    if (*capacity > 0) {
        memcpy(memory, items, *capacity * item_bytes);
        mb_give(allocator, items, *capacity * item_bytes);
    }
    *capacity = larger;
    return memory;
}

/* --- Map: open addressing, linear probing, deletion by shifting back --- */

static uint32_t place_of(uint64_t key, uint32_t capacity)
{
    /* Fibonacci hashing: the high bits of the product are well mixed. */
    return (uint32_t)((key * 0x9E3779B97F4A7C15u) >> 32) & (capacity - 1);
}

void mb_map_init(struct mb_map *map, const struct linger_allocator *allocator)
{
    *map = (struct mb_map){.allocator = allocator};
}

void mb_map_release(struct mb_map *map)
{
    mb_give(map->allocator, map->entries, map->capacity * sizeof *map->entries);
    mb_map_init(map, map->allocator);
}

static struct mb_map_entry *probe(const struct mb_map *map, uint64_t key)
{
    uint32_t place = place_of(key, map->capacity);
    while (map->entries[place].value != NULL && map->entries[place].key != key) {
        place = (place + 1) & (map->capacity - 1);
    }
    return &map->entries[place];
}

void *mb_map_find(const struct mb_map *map, uint64_t key)
{
    return map->count == 0 ? NULL : probe(map, key)->value;
}

static void grow(struct mb_map *map)
{
    struct mb_map old = *map;
    map->capacity = old.capacity == 0 ? 16 : old.capacity * 2;
    map->entries = mb_take(map->allocator, map->capacity * sizeof *map->entries);
    for (uint32_t i = 0; i < old.capacity; i++) {
        if (old.entries[i].value != NULL) {
            *probe(map, old.entries[i].key) = old.entries[i];
        }
    }
    mb_give(map->allocator, old.entries, old.capacity * sizeof *old.entries);
}

void mb_map_insert(struct mb_map *map, uint64_t key, void *value)
{
    KB_ASSERT(value != NULL);
    if ((map->count + 1) * 4 > map->capacity * 3) {
        grow(map);
    }
    struct mb_map_entry *entry = probe(map, key);
    KB_ASSERT(entry->value == NULL);
    *entry = (struct mb_map_entry){.key = key, .value = value};
    map->count++;
}

void *mb_map_remove(struct mb_map *map, uint64_t key)
{
    if (map->count == 0) {
        return NULL;
    }
    struct mb_map_entry *found = probe(map, key);
    void *value = found->value;
    if (value == NULL) {
        return NULL;
    }
    uint32_t mask = map->capacity - 1;
    uint32_t hole = (uint32_t)(found - map->entries);
    for (uint32_t next = (hole + 1) & mask; map->entries[next].value != NULL; next = (next + 1) & mask) {
        uint32_t wanted = place_of(map->entries[next].key, map->capacity);
        if (((next - wanted) & mask) >= ((next - hole) & mask)) {
            map->entries[hole] = map->entries[next];
            hole = next;
        }
    }
    map->entries[hole] = (struct mb_map_entry){0};
    map->count--;
    return value;
}

/* --- Buffer --- */

void mb_buffer_init(struct mb_buffer *buffer, const struct linger_allocator *allocator)
{
    *buffer = (struct mb_buffer){.allocator = allocator};
}

void mb_buffer_release(struct mb_buffer *buffer)
{
    mb_give(buffer->allocator, buffer->bytes, buffer->capacity_bytes);
    mb_buffer_init(buffer, buffer->allocator);
}

void mb_buffer_append(struct mb_buffer *buffer, const void *bytes, size_t length_bytes)
{
    if (length_bytes == 0) {
        return;
    }
    size_t held = mb_buffer_length_bytes(buffer);
    if (buffer->end_bytes + length_bytes > buffer->capacity_bytes) {
        size_t larger = buffer->capacity_bytes < 1024 ? 1024 : buffer->capacity_bytes;
        while (larger < held + length_bytes) {
            larger *= 2;
        }
        uint8_t *memory = kb_allocate(buffer->allocator, larger);
        KB_ASSERT(memory != NULL);
        if (held > 0) {
            memcpy(memory, buffer->bytes + buffer->start_bytes, held);
        }
        mb_give(buffer->allocator, buffer->bytes, buffer->capacity_bytes);
        buffer->bytes = memory;
        buffer->capacity_bytes = larger;
        buffer->start_bytes = 0;
        buffer->end_bytes = held;
    }
    memcpy(buffer->bytes + buffer->end_bytes, bytes, length_bytes);
    buffer->end_bytes += length_bytes;
}

void mb_buffer_take(struct mb_buffer *buffer, size_t length_bytes)
{
    KB_ASSERT(length_bytes <= mb_buffer_length_bytes(buffer));
    buffer->start_bytes += length_bytes;
    if (buffer->start_bytes == buffer->end_bytes) {
        buffer->start_bytes = 0;
        buffer->end_bytes = 0;
    }
}

/* --- Block --- */

struct mb_block *mb_block_create(const struct linger_allocator *allocator, const void *bytes,
                                 uint32_t size_bytes)
{
    struct mb_block *block = kb_allocate(allocator, sizeof *block + size_bytes);
    KB_ASSERT(block != NULL);
    block->references = 1;
    block->size_bytes = size_bytes;
    memcpy(block->bytes, bytes, size_bytes);
    return block;
}

struct mb_block *mb_block_hold(struct mb_block *block)
{
    KB_ASSERT(block->references > 0);
    block->references++;
    return block;
}

void mb_block_drop(const struct linger_allocator *allocator, struct mb_block *block)
{
    KB_ASSERT(block->references > 0);
    if (--block->references == 0) {
        mb_give(allocator, block, sizeof *block + block->size_bytes);
    }
}
