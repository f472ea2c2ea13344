/**
 * What the menu of a thing offers of faults: at once, to the next request, at a point of the next request's
 * life, and to links. Each is an intent, which makes a new branch from the moment that is shown.
 */
#ifndef VIEW_MENU_FAULTS_H
#define VIEW_MENU_FAULTS_H

#include "view/stage_private.h"

/** A menu has pages, so that each stays short. */
enum view_menu_page { VIEW_PAGE_FIRST, VIEW_PAGE_LINKS, VIEW_PAGE_REQUESTS, VIEW_PAGE_POINTS };

enum view_choice_kind {
    VIEW_CHOICE_INTENT,
    VIEW_CHOICE_PAGE, /* turn to another page */
    VIEW_CHOICE_WHY,
    VIEW_CHOICE_INSPECT,
    VIEW_CHOICE_FOLLOW,
    VIEW_CHOICE_LET_GO,
    VIEW_CHOICE_GO,
    VIEW_CHOICE_NOTHING, /* a separator */
};

struct view_choice {
    enum view_choice_kind kind;
    char label[80];
    struct view_intent intent; /* INTENT */
    enum view_menu_page page;  /* PAGE */
    uint32_t flags;            /* VIEW_CONTROL_... */
};

enum { VIEW_CHOICES_MAX = 32 };

struct view_choices {
    struct view_choice items[VIEW_CHOICES_MAX];
    uint32_t count;
};

/** The choice added last, to be completed; what does not fit is dropped. */
struct view_choice *view_choices_add(struct view_choices *choices, enum view_choice_kind kind,
                                     const char *label);
void view_choices_separate(struct view_choices *choices);

/** Whose requests a fault waits for. */
struct view_target {
    int32_t broker;    /* -1: any */
    uint32_t topic;    /* a name; 0: any */
    int32_t partition; /* -1: any */
    bool of_producer;
    uint32_t producer;
};

/** A broker, with its requests; target: what the other pages are about. */
void view_menu_broker(const struct view_frame *frame, int32_t id, struct view_choices *choices);
void view_menu_links(const struct view_frame *frame, int32_t id, struct view_choices *choices);
void view_menu_requests(const struct view_target *target, struct view_choices *choices);
void view_menu_points(const struct view_target *target, struct view_choices *choices);
/** Corrupt what the broker fetches next as a follower; of one partition, if the target has one. */
void view_menu_corrupt_fetch(const struct view_target *target, int32_t follower,
                             struct view_choices *choices);
/** The ways to the pages. */
void view_menu_turn(struct view_choices *choices, bool has_links);
/** " — links": what follows the title of a page. */
const char *view_menu_page_words(enum view_menu_page page);

#endif
