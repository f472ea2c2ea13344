#include "base/arena.h"

#include "failing_allocator.h"
#include "unit.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static void hands_out_separate_aligned_memory(void)
{
    struct failing_allocator memory;
    struct kb_arena arena;
    unsigned char *pieces[100];
    failing_allocator_init(&memory);
    kb_arena_init(&arena, &memory.allocator, 256, 0);
    CU_ASSERT_EQUAL(memory.granted_count, 0);
    for (size_t i = 0; i < 100; i++) {
        size_t size_bytes = i * 7 % 60;
        pieces[i] = kb_arena_allocate(&arena, size_bytes);
        CU_ASSERT_PTR_NOT_NULL_FATAL(pieces[i]);
        CU_ASSERT_EQUAL((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        memset(pieces[i], (int)i, size_bytes);
    }
    bool is_kept = true;
    for (size_t i = 0; i < 100; i++) {
        for (size_t at = 0; at < i * 7 % 60; at++) {
            is_kept = is_kept && pieces[i][at] == (unsigned char)i;
        }
    }
    CU_ASSERT_TRUE(is_kept);
    kb_arena_release(&arena);
    CU_ASSERT_EQUAL(memory.held_bytes, 0);
    CU_ASSERT_EQUAL(memory.wrong_size_count, 0);
}

static void reuses_its_memory_after_a_reset(void)
{
    struct failing_allocator memory;
    struct kb_arena arena;
    failing_allocator_init(&memory);
    kb_arena_init(&arena, &memory.allocator, 1000, 0);
    for (int i = 0; i < 50; i++) {
        CU_ASSERT_PTR_NOT_NULL(kb_arena_allocate(&arena, 800));
        kb_arena_reset(&arena);
    }
    CU_ASSERT_EQUAL(memory.granted_count, 1);
    kb_arena_release(&arena);
    CU_ASSERT_EQUAL(memory.held_count, 0);
}

static void gives_large_objects_their_own_block(void)
{
    struct failing_allocator memory;
    struct kb_arena arena;
    failing_allocator_init(&memory);
    kb_arena_init(&arena, &memory.allocator, 64, 0);
    unsigned char *large = kb_arena_allocate(&arena, 100000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    memset(large, 1, 100000);
    CU_ASSERT_PTR_NULL(kb_arena_allocate(&arena, SIZE_MAX));
    CU_ASSERT_PTR_NULL(kb_arena_allocate(&arena, SIZE_MAX - 64));
    kb_arena_release(&arena);
    CU_ASSERT_EQUAL(memory.held_bytes, 0);
}

static void stops_at_its_limit(void)
{
    struct failing_allocator memory;
    struct kb_arena arena;
    failing_allocator_init(&memory);
    kb_arena_init(&arena, &memory.allocator, 100, 1000);
    size_t count = 0;
    while (count < 100 && kb_arena_allocate(&arena, 80) != NULL) {
        count++;
    }
    CU_ASSERT_TRUE(count > 3 && count < 13);
    CU_ASSERT_TRUE(memory.held_bytes <= 1000);
    CU_ASSERT_PTR_NULL(kb_arena_allocate(&arena, 2000));
    kb_arena_reset(&arena);
    CU_ASSERT_PTR_NOT_NULL(kb_arena_allocate(&arena, 80));
    kb_arena_release(&arena);
}

static void survives_refused_memory(void)
{
    struct failing_allocator memory;
    struct kb_arena arena;
    failing_allocator_init(&memory);
    memory.allowed_count = 0;
    kb_arena_init(&arena, &memory.allocator, 64, 0);
    CU_ASSERT_PTR_NULL(kb_arena_allocate(&arena, 1));
    kb_arena_reset(&arena);
    kb_arena_release(&arena);
    CU_ASSERT_EQUAL(memory.refused_count, 1);
}

static void zeroes_and_copies(void)
{
    struct failing_allocator memory;
    struct kb_arena arena;
    static const unsigned char zeros[40];
    failing_allocator_init(&memory);
    kb_arena_init(&arena, &memory.allocator, 256, 0);
    void *zeroed = kb_arena_allocate_zeroed(&arena, 5, 8);
    CU_ASSERT_PTR_NOT_NULL_FATAL(zeroed);
    CU_ASSERT_EQUAL(memcmp(zeroed, zeros, sizeof zeros), 0);
    CU_ASSERT_PTR_NULL(kb_arena_allocate_zeroed(&arena, SIZE_MAX / 2, 3));
    const char *copy = kb_arena_copy(&arena, "topic-a", 5);
    CU_ASSERT_STRING_EQUAL(copy, "topic");
    copy = kb_arena_copy(&arena, NULL, 0);
    CU_ASSERT_STRING_EQUAL(copy, "");
    kb_arena_release(&arena);
}

int main(void)
{
    return unit_main(
        "arena",
        (struct unit_test[]){{"hands_out_separate_aligned_memory", hands_out_separate_aligned_memory},
                             {"reuses_its_memory_after_a_reset", reuses_its_memory_after_a_reset},
                             {"gives_large_objects_their_own_block", gives_large_objects_their_own_block},
                             {"stops_at_its_limit", stops_at_its_limit},
                             {"survives_refused_memory", survives_refused_memory},
                             {"zeroes_and_copies", zeroes_and_copies},
                             {0}});
}
