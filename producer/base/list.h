/**
 * Intrusive doubly linked list: the node lives in the object, so nothing allocates and removal is O(1).
 *
 *     struct batch { struct kb_list_node node; ... };
 *     kb_list_push_back(&deque, &batch->node);
 *     struct batch *head = KB_CONTAINER_OF(kb_list_first(&deque), struct batch, node);
 *
 * A node is in at most one list; the object outlives its membership. Asserts catch double insertion and
 * removal.
 */
#ifndef KB_LIST_H
#define KB_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct kb_list_node {
    /** Both NULL outside a list. */
    struct kb_list_node *next;
    struct kb_list_node *previous;
};

/** A ring through this node. Must not be moved while it holds something. */
struct kb_list {
    struct kb_list_node ring;
};

/** The object of type `type` whose `member` is at pointer. */
#define KB_CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/** Every node from first to last; the loop's body must not remove the node it is at. */
#define KB_LIST_FOR_EACH(node, list)                                                                         \
    for (struct kb_list_node *node = kb_list_first(list); node != NULL; node = kb_list_next(list, node))

void kb_list_init(struct kb_list *list);
/** For an object that is not in a list yet; zeroed memory is such an object too. */
void kb_list_node_init(struct kb_list_node *node);

/* What only looks is inline: it is on the path of every record, and shorter than a call. */

static inline bool kb_list_is_empty(const struct kb_list *list)
{
    return list->ring.next == &list->ring;
}

/** In any list. */
static inline bool kb_list_node_is_linked(const struct kb_list_node *node)
{
    return node->next != NULL;
}

/** NULL when there is none. */
static inline struct kb_list_node *kb_list_next(const struct kb_list *list, const struct kb_list_node *node)
{
    return node->next != &list->ring ? node->next : NULL;
}

static inline struct kb_list_node *kb_list_previous(const struct kb_list *list,
                                                    const struct kb_list_node *node)
{
    return node->previous != &list->ring ? node->previous : NULL;
}

static inline struct kb_list_node *kb_list_first(const struct kb_list *list)
{
    return kb_list_next(list, &list->ring);
}

static inline struct kb_list_node *kb_list_last(const struct kb_list *list)
{
    return kb_list_previous(list, &list->ring);
}

void kb_list_push_back(struct kb_list *list, struct kb_list_node *node);
void kb_list_push_front(struct kb_list *list, struct kb_list_node *node);
void kb_list_insert_before(struct kb_list_node *place, struct kb_list_node *node);
void kb_list_insert_after(struct kb_list_node *place, struct kb_list_node *node);
/** Out of the list that it is in. */
void kb_list_remove(struct kb_list_node *node);
/** Remove and return; NULL when there is none. */
struct kb_list_node *kb_list_pop_front(struct kb_list *list);
struct kb_list_node *kb_list_pop_back(struct kb_list *list);

/** Walks the list: O(n). */
size_t kb_list_count(const struct kb_list *list);

/** Every link has its counterpart; asserts. O(n), for debug builds and tests. */
void kb_list_check(const struct kb_list *list);

#endif
