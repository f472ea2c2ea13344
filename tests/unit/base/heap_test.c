#include "base/heap.h"

#include "base/allocator.h"
#include "base/prng.h"
#include "failing_allocator.h"
#include "unit.h"

#include <stdlib.h>

enum { ITEM_COUNT = 200, STEP_COUNT = 20000 };

struct item {
    struct kb_heap_node node;
    int64_t key;
    uint64_t sequence;
    bool is_in;
};

static void pops_by_key_then_sequence(void)
{
    struct kb_heap heap;
    struct kb_heap_node nodes[5] = {0};
    static const int64_t keys[] = {7, -3, 7, INT64_MAX, INT64_MIN};
    static const int order[] = {4, 1, 0, 2, 3};
    kb_heap_init(&heap, kb_allocator_default());
    CU_ASSERT_PTR_NULL(kb_heap_first(&heap));
    CU_ASSERT_PTR_NULL(kb_heap_pop(&heap));
    for (size_t i = 0; i < 5; i++) {
        CU_ASSERT_TRUE(kb_heap_push(&heap, &nodes[i], keys[i], i));
    }
    CU_ASSERT_EQUAL(kb_heap_first(&heap)->key, INT64_MIN);
    CU_ASSERT_EQUAL(kb_heap_entry_of(&heap, &nodes[2])->sequence, 2);
    for (size_t i = 0; i < 5; i++) {
        CU_ASSERT_PTR_EQUAL(kb_heap_pop(&heap), &nodes[order[i]]);
    }
    CU_ASSERT_EQUAL(kb_heap_count(&heap), 0);
    kb_heap_release(&heap);
}

/* What a search finds in the model. */
static struct item *least(struct item *items)
{
    struct item *found = NULL;
    for (size_t i = 0; i < ITEM_COUNT; i++) {
        struct item *item = &items[i];
        if (item->is_in && (found == NULL || item->key < found->key ||
                            (item->key == found->key && item->sequence < found->sequence))) {
            found = item;
        }
    }
    return found;
}

/* Random pushes, pops, removals and changes beside a model that searches; few keys, so that many are equal.
 */
static void agrees_with_a_search(void)
{
    struct item *items = calloc(ITEM_COUNT, sizeof *items);
    struct kb_heap heap;
    struct kb_prng prng;
    bool is_right = items != NULL;
    size_t count = 0;
    kb_prng_init(&prng, 1, 0);
    kb_heap_init(&heap, kb_allocator_default());
    for (uint64_t step = 0; step < STEP_COUNT && is_right; step++) {
        struct item *item = &items[kb_prng_below(&prng, ITEM_COUNT)];
        int64_t key = kb_prng_between(&prng, -10, 10);
        if (!item->is_in) {
            item->key = key;
            item->sequence = step;
            item->is_in = true;
            count++;
            is_right = kb_heap_push(&heap, &item->node, key, step);
        } else if (step % 3 == 0) {
            kb_heap_remove(&heap, &item->node);
            item->is_in = false;
            count--;
        } else if (step % 3 == 1) {
            item->key = key;
            item->sequence = step;
            kb_heap_update(&heap, &item->node, key, step);
        } else {
            struct item *expected = least(items);
            is_right = kb_heap_pop(&heap) == &expected->node;
            expected->is_in = false;
            count--;
        }
        kb_heap_check(&heap);
        is_right = is_right && kb_heap_count(&heap) == count &&
                   kb_heap_contains(&heap, &item->node) == item->is_in &&
                   (count == 0 || kb_heap_first(&heap)->node == &least(items)->node);
    }
    CU_ASSERT_TRUE(is_right);
    kb_heap_release(&heap);
    for (size_t i = 0; i < ITEM_COUNT && items != NULL; i++) {
        CU_ASSERT_FALSE(kb_heap_contains(&heap, &items[i].node));
        CU_ASSERT_EQUAL(items[i].node.place, 0);
    }
    free(items);
}

static void survives_refused_memory(void)
{
    struct failing_allocator memory;
    struct kb_heap heap;
    struct kb_heap_node nodes[17] = {0};
    failing_allocator_init(&memory);
    memory.allowed_count = 0;
    kb_heap_init(&heap, &memory.allocator);
    CU_ASSERT_FALSE(kb_heap_push(&heap, &nodes[0], 1, 1));
    CU_ASSERT_FALSE(kb_heap_contains(&heap, &nodes[0]));
    memory.allowed_count = 1;
    CU_ASSERT_TRUE(kb_heap_reserve(&heap, 16));
    for (size_t i = 0; i < 16; i++) {
        CU_ASSERT_TRUE(kb_heap_push(&heap, &nodes[i], 1, i));
    }
    CU_ASSERT_FALSE(kb_heap_push(&heap, &nodes[16], 0, 0));
    CU_ASSERT_FALSE(kb_heap_contains(&heap, &nodes[16]));
    CU_ASSERT_EQUAL(kb_heap_count(&heap), 16);
    kb_heap_check(&heap);
    memory.allowed_count = 1;
    CU_ASSERT_TRUE(kb_heap_push(&heap, &nodes[16], 0, 0));
    CU_ASSERT_PTR_EQUAL(kb_heap_pop(&heap), &nodes[16]);
    CU_ASSERT_PTR_EQUAL(kb_heap_pop(&heap), &nodes[0]);
    kb_heap_release(&heap);
    CU_ASSERT_EQUAL(memory.held_count, 0);
    CU_ASSERT_EQUAL(memory.held_bytes, 0);
    CU_ASSERT_EQUAL(memory.wrong_size_count, 0);
}

int main(void)
{
    return unit_main("heap", (struct unit_test[]){{"pops_by_key_then_sequence", pops_by_key_then_sequence},
                                                  {"agrees_with_a_search", agrees_with_a_search},
                                                  {"survives_refused_memory", survives_refused_memory},
                                                  {0}});
}
