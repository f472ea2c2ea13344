#include "base/allocator.h"

#include "failing_allocator.h"
#include "unit.h"

#include <stdint.h>
#include <string.h>

static void default_allocates(void)
{
    const struct linger_allocator *allocator = kb_allocator_default();
    unsigned char *bytes = kb_allocate(allocator, 100);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    CU_ASSERT_EQUAL((uintptr_t)bytes % _Alignof(max_align_t), 0);
    memset(bytes, 1, 100);
    kb_deallocate(allocator, bytes, 100);
    kb_deallocate(allocator, NULL, 100);
}

static void zeroes_arrays(void)
{
    struct failing_allocator memory;
    static const unsigned char zeros[24];
    failing_allocator_init(&memory);
    void *zeroed = kb_allocate_zeroed(&memory.allocator, 3, 8);
    CU_ASSERT_PTR_NOT_NULL_FATAL(zeroed);
    CU_ASSERT_EQUAL(memcmp(zeroed, zeros, sizeof zeros), 0);
    CU_ASSERT_EQUAL(memory.held_bytes, 24);
    kb_deallocate(&memory.allocator, zeroed, 24);
    CU_ASSERT_EQUAL(memory.held_count, 0);
    CU_ASSERT_EQUAL(memory.wrong_size_count, 0);
}

static void refuses_a_product_that_overflows(void)
{
    struct failing_allocator memory;
    failing_allocator_init(&memory);
    CU_ASSERT_PTR_NULL(kb_allocate_zeroed(&memory.allocator, SIZE_MAX / 2 + 1, 2));
    CU_ASSERT_EQUAL(memory.granted_count, 0);
    CU_ASSERT_EQUAL(memory.refused_count, 0);
}

/* The helper of the other tests must itself notice. */
static void helper_counts(void)
{
    struct failing_allocator memory;
    failing_allocator_init(&memory);
    memory.allowed_count = 1;
    void *first = kb_allocate(&memory.allocator, 10);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    CU_ASSERT_PTR_NULL(kb_allocate(&memory.allocator, 10));
    CU_ASSERT_EQUAL(memory.refused_count, 1);
    CU_ASSERT_EQUAL(memory.held_bytes, 10);
    kb_deallocate(&memory.allocator, first, 11);
    CU_ASSERT_EQUAL(memory.wrong_size_count, 1);
    CU_ASSERT_EQUAL(memory.held_bytes, 0);
}

int main(void)
{
    return unit_main("allocator", (struct unit_test[]){
                                      {"default_allocates", default_allocates},
                                      {"zeroes_arrays", zeroes_arrays},
                                      {"refuses_a_product_that_overflows", refuses_a_product_that_overflows},
                                      {"helper_counts", helper_counts},
                                      {0}});
}
