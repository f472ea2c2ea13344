#include "base/list.h"

#include "unit.h"

enum { ITEM_COUNT = 4 };

struct item {
    int value;
    struct kb_list_node node;
};

static struct item items[ITEM_COUNT];

/* Four items, none in a list. */
static void make_items(struct kb_list *list)
{
    kb_list_init(list);
    for (int i = 0; i < ITEM_COUNT; i++) {
        items[i].value = i;
        kb_list_node_init(&items[i].node);
    }
}

/* The values from first to last as decimal digits, and the same from last to first must be its mirror. */
static int digits(const struct kb_list *list)
{
    int forward = 0;
    int backward = 0;
    int unit = 1;
    kb_list_check(list);
    KB_LIST_FOR_EACH(node, list)
    {
        forward = 10 * forward + KB_CONTAINER_OF(node, struct item, node)->value;
    }
    for (const struct kb_list_node *node = kb_list_last(list); node != NULL;
         node = kb_list_previous(list, node)) {
        backward += unit * KB_CONTAINER_OF(node, const struct item, node)->value;
        unit *= 10;
    }
    CU_ASSERT_EQUAL(forward, backward);
    return forward;
}

static void is_empty_at_first(void)
{
    struct kb_list list;
    make_items(&list);
    CU_ASSERT_TRUE(kb_list_is_empty(&list));
    CU_ASSERT_PTR_NULL(kb_list_first(&list));
    CU_ASSERT_PTR_NULL(kb_list_last(&list));
    CU_ASSERT_PTR_NULL(kb_list_pop_front(&list));
    CU_ASSERT_PTR_NULL(kb_list_pop_back(&list));
    CU_ASSERT_EQUAL(kb_list_count(&list), 0);
    CU_ASSERT_FALSE(kb_list_node_is_linked(&items[0].node));
}

static void keeps_order(void)
{
    struct kb_list list;
    make_items(&list);
    kb_list_push_back(&list, &items[2].node);
    kb_list_push_front(&list, &items[1].node);
    kb_list_push_back(&list, &items[3].node);
    CU_ASSERT_EQUAL(digits(&list), 123);
    CU_ASSERT_EQUAL(kb_list_count(&list), 3);
    CU_ASSERT_PTR_EQUAL(kb_list_first(&list), &items[1].node);
    CU_ASSERT_PTR_EQUAL(kb_list_last(&list), &items[3].node);
    CU_ASSERT_FALSE(kb_list_is_empty(&list));
}

static void inserts_beside_a_node(void)
{
    struct kb_list list;
    make_items(&list);
    kb_list_push_back(&list, &items[1].node);
    kb_list_insert_before(&items[1].node, &items[2].node);
    kb_list_insert_after(&items[1].node, &items[3].node);
    CU_ASSERT_EQUAL(digits(&list), 213);
}

static void removes_anywhere(void)
{
    struct kb_list list;
    make_items(&list);
    for (int i = 0; i < ITEM_COUNT; i++) {
        kb_list_push_back(&list, &items[i].node);
    }
    kb_list_remove(&items[2].node);
    CU_ASSERT_FALSE(kb_list_node_is_linked(&items[2].node));
    CU_ASSERT_EQUAL(digits(&list), 13);
    CU_ASSERT_PTR_EQUAL(kb_list_pop_front(&list), &items[0].node);
    CU_ASSERT_PTR_EQUAL(kb_list_pop_back(&list), &items[3].node);
    CU_ASSERT_EQUAL(digits(&list), 1);
    kb_list_push_front(&list, &items[2].node);
    CU_ASSERT_EQUAL(digits(&list), 21);
}

int main(void)
{
    return unit_main("list", (struct unit_test[]){{"is_empty_at_first", is_empty_at_first},
                                                  {"keeps_order", keeps_order},
                                                  {"inserts_beside_a_node", inserts_beside_a_node},
                                                  {"removes_anywhere", removes_anywhere},
                                                  {0}});
}
