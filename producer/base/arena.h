/**
 * Memory that is given back all at once: what one decoded message needs, what one iteration needs.
 *
 * Blocks come from an allocator and are cut off from front to back. A reset keeps the newest block, so that
 * an arena which is reset for each message soon allocates nothing any more.
 */
#ifndef KB_ARENA_H
#define KB_ARENA_H

#include <linger/allocator.h>

#include <stddef.h>

struct kb_arena_block;

struct kb_arena {
    const struct linger_allocator *allocator;
    struct kb_arena_block *newest;
    /** Of a block; one that is asked for more gets a block of its own size. */
    size_t block_size_bytes;
    /** What all blocks together may take; 0: whatever the allocator gives. */
    size_t limit_bytes;
    size_t held_bytes;
};

/** Takes nothing from the allocator yet, and borrows it until kb_arena_release(). */
void kb_arena_init(struct kb_arena *arena, const struct linger_allocator *allocator, size_t block_size_bytes,
                   size_t limit_bytes);

/**
 * Memory aligned for any object, not cleared, valid until the next reset. size_bytes may be 0: the answer is
 * then some address that must not be used. NULL: the limit is reached, or the allocator has no more.
 */
void *kb_arena_allocate(struct kb_arena *arena, size_t size_bytes);

/** Zeroed memory for count objects of size_bytes each; NULL also when the product overflows. */
void *kb_arena_allocate_zeroed(struct kb_arena *arena, size_t count, size_t size_bytes);

/** A copy of length_bytes bytes with a NUL behind them, so that a text may be copied too. */
void *kb_arena_copy(struct kb_arena *arena, const void *bytes, size_t length_bytes);

/** Everything allocated becomes invalid. Keeps the newest block and gives the others back. */
void kb_arena_reset(struct kb_arena *arena);

/** Gives all memory back; the arena is as after kb_arena_init(). */
void kb_arena_release(struct kb_arena *arena);

#endif
