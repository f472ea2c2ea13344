#include "base/list.h"

#include "base/assert.h"

void kb_list_init(struct kb_list *list)
{
    list->ring.next = &list->ring;
    list->ring.previous = &list->ring;
}

void kb_list_node_init(struct kb_list_node *node)
{
    *node = (struct kb_list_node){0};
}

void kb_list_insert_after(struct kb_list_node *place, struct kb_list_node *node)
{
    KB_ASSERT(kb_list_node_is_linked(place) && !kb_list_node_is_linked(node));
    node->previous = place;
    node->next = place->next;
    place->next->previous = node;
    place->next = node;
}

void kb_list_insert_before(struct kb_list_node *place, struct kb_list_node *node)
{
    KB_ASSERT(kb_list_node_is_linked(place));
    kb_list_insert_after(place->previous, node);
}

void kb_list_push_back(struct kb_list *list, struct kb_list_node *node)
{
    kb_list_insert_before(&list->ring, node);
}

void kb_list_push_front(struct kb_list *list, struct kb_list_node *node)
{
    kb_list_insert_after(&list->ring, node);
}

void kb_list_remove(struct kb_list_node *node)
{
    KB_ASSERT(kb_list_node_is_linked(node));
    node->previous->next = node->next;
    node->next->previous = node->previous;
    kb_list_node_init(node);
}

struct kb_list_node *kb_list_pop_front(struct kb_list *list)
{
    struct kb_list_node *node = kb_list_first(list);
    if (node != NULL) {
        kb_list_remove(node);
    }
    return node;
}

struct kb_list_node *kb_list_pop_back(struct kb_list *list)
{
    struct kb_list_node *node = kb_list_last(list);
    if (node != NULL) {
        kb_list_remove(node);
    }
    return node;
}

size_t kb_list_count(const struct kb_list *list)
{
    size_t count = 0;
    KB_LIST_FOR_EACH(node, list)
    {
        count++;
    }
    return count;
}

void kb_list_check(const struct kb_list *list)
{
    const struct kb_list_node *node = &list->ring;
    do {
        KB_ASSERT(node->next->previous == node && node->previous->next == node);
        node = node->next;
    } while (node != &list->ring);
}
