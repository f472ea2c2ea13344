#include "base/arena.h"

#include "base/assert.h"

#include <stdint.h>
#include <string.h>

struct kb_arena_block {
    struct kb_arena_block *older;
    /* Both without this header. */
    size_t size_bytes;
    size_t used_bytes;
    _Alignas(max_align_t) unsigned char memory[];
};

void kb_arena_init(struct kb_arena *arena, const struct linger_allocator *allocator, size_t block_size_bytes,
                   size_t limit_bytes)
{
    KB_ASSERT(allocator != NULL && block_size_bytes > 0);
    *arena = (struct kb_arena){
        .allocator = allocator, .block_size_bytes = block_size_bytes, .limit_bytes = limit_bytes};
}

static void release_blocks(struct kb_arena *arena, struct kb_arena_block *block)
{
    while (block != NULL) {
        struct kb_arena_block *older = block->older;
        size_t whole_bytes = sizeof *block + block->size_bytes;
        arena->held_bytes -= whole_bytes;
        arena->allocator->release(arena->allocator->context, block, whole_bytes);
        block = older;
    }
}

static struct kb_arena_block *add_block(struct kb_arena *arena, size_t size_bytes)
{
    size_t whole_bytes = sizeof(struct kb_arena_block) + size_bytes;
    if (whole_bytes < size_bytes) {
        return NULL;
    }
    if (arena->limit_bytes != 0 && whole_bytes > arena->limit_bytes - arena->held_bytes) {
        return NULL;
    }
    struct kb_arena_block *block = arena->allocator->allocate(arena->allocator->context, whole_bytes);
    if (block == NULL) {
        return NULL;
    }
    *block = (struct kb_arena_block){.older = arena->newest, .size_bytes = size_bytes};
    arena->newest = block;
    arena->held_bytes += whole_bytes;
    return block;
}

void *kb_arena_allocate(struct kb_arena *arena, size_t size_bytes)
{
    const size_t alignment = _Alignof(max_align_t);
    /* No object is that large, and sums with headers and alignment stay far from wrapping. */
    if (size_bytes > SIZE_MAX / 4) {
        return NULL;
    }
    size_bytes = (size_bytes + alignment - 1) / alignment * alignment;
    struct kb_arena_block *block = arena->newest;
    if (block == NULL || size_bytes > block->size_bytes - block->used_bytes) {
        block = add_block(arena, size_bytes > arena->block_size_bytes ? size_bytes : arena->block_size_bytes);
        if (block == NULL) {
            return NULL;
        }
    }
    void *memory = block->memory + block->used_bytes;
    block->used_bytes += size_bytes;
    return memory;
}

void *kb_arena_allocate_zeroed(struct kb_arena *arena, size_t count, size_t size_bytes)
{
    if (size_bytes > 0 && count > SIZE_MAX / size_bytes) {
        return NULL;
    }
    void *memory = kb_arena_allocate(arena, count * size_bytes);
    if (memory != NULL) {
        memset(memory, 0, count * size_bytes);
    }
    return memory;
}

void *kb_arena_copy(struct kb_arena *arena, const void *bytes, size_t length_bytes)
{
    unsigned char *copy = length_bytes < SIZE_MAX ? kb_arena_allocate(arena, length_bytes + 1) : NULL;
    if (copy != NULL) {
        if (length_bytes > 0) {
            memcpy(copy, bytes, length_bytes);
        }
        copy[length_bytes] = 0;
    }
    return copy;
}

void kb_arena_reset(struct kb_arena *arena)
{
    if (arena->newest != NULL) {
        release_blocks(arena, arena->newest->older);
        arena->newest->older = NULL;
        arena->newest->used_bytes = 0;
    }
}

void kb_arena_release(struct kb_arena *arena)
{
    release_blocks(arena, arena->newest);
    arena->newest = NULL;
    KB_ASSERT(arena->held_bytes == 0);
}
