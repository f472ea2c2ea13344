/**
 * An allocator for tests: counts, says no when it is told to, and finds leaks and wrong sizes.
 *
 *     struct failing_allocator memory;
 *     failing_allocator_init(&memory);
 *     memory.allowed_count = 3;
 *     object = object_create(&memory.allocator);
 *     ...
 *     CU_ASSERT_EQUAL(memory.held_bytes, 0);
 */
#ifndef LINGER_TESTS_FAILING_ALLOCATOR_H
#define LINGER_TESTS_FAILING_ALLOCATOR_H

#include <linger/allocator.h>
#include <stdint.h>

struct failing_allocator {
    /** Hand this to what is tested; valid as long as this struct stays where it is. */
    struct linger_allocator allocator;
    /** So many allocations are still granted; UINT64_MAX: all. */
    uint64_t allowed_count;
    /** Granted and not given back. */
    uint64_t held_count;
    uint64_t held_bytes;
    /** Granted and refused in all. */
    uint64_t granted_count;
    uint64_t refused_count;
    /** Times that memory came back with another size than it was asked for. */
    uint64_t wrong_size_count;
};

/** Grants everything until allowed_count is lowered. */
void failing_allocator_init(struct failing_allocator *memory);

#endif
