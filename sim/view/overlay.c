/*
 * What floats over the stage: the menu of a thing, the card of keys, the toast.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "view/menu_faults.h"

/* --- The menu of a thing
 * ----------------------------------------------------------------------------------------------- */

/* How many partitions there are now. */
static uint32_t partition_count(const struct view_frame *frame, uint32_t topic)
{
    uint32_t count = 0;
    while (sim_model_find_partition(frame->model, topic, (int32_t)count) >= 0) {
        count++;
    }
    return count;
}

static void leader_choices(const struct view_frame *frame, const struct view_thing *thing,
                           struct view_choices *choices)
{
    int32_t index = sim_model_find_partition(frame->model, thing->name, (int32_t)thing->number);
    if (index < 0) {
        return;
    }
    for (int32_t i = frame->model->partitions[index].first_replica; i >= 0;
         i = frame->model->replicas[i].next) {
        const struct model_replica *replica = &frame->model->replicas[i];
        if (replica->broker == frame->model->partitions[index].leader) {
            continue;
        }
        int32_t place = sim_model_find_broker(frame->model, replica->broker);
        bool can_lead = replica->is_in_sync && place >= 0 && frame->model->brokers[place].is_up;
        char label[64];
        snprintf(label, sizeof label, "Move its leader to broker %" PRId32 "%s", replica->broker,
                 can_lead              ? ""
                 : replica->is_in_sync ? " (down)"
                                       : " (out of sync)");
        struct view_choice *choice = view_choices_add(choices, VIEW_CHOICE_INTENT, label);
        choice->intent = (struct view_intent){.kind = VIEW_INTENT_FAULT,
                                              .fault = KB_FAULT_KIND_MOVE_LEADER,
                                              .broker = replica->broker,
                                              .other = VIEW_END_ALL,
                                              .topic = thing->name,
                                              .partition = (int32_t)thing->number};
        choice->flags = can_lead ? 0 : VIEW_CONTROL_DISABLED;
    }
}

/* Whose requests the other pages of a thing's menu are about. */
static struct view_target target_of(const struct view_thing *thing)
{
    bool is_partition = thing->kind == VIEW_THING_PARTITION || thing->kind == VIEW_THING_REPLICA;
    bool is_broker = thing->kind == VIEW_THING_BROKER || thing->kind == VIEW_THING_NODE;
    return (struct view_target){
        .broker = is_broker ? (int32_t)thing->number : -1,
        .topic = is_partition ? thing->name : 0,
        .partition = is_partition ? (int32_t)thing->number : -1,
        .of_producer = thing->kind == VIEW_THING_NODE || thing->kind == VIEW_THING_SENDER,
        .producer = thing->producer,
    };
}

static void partition_choices(const struct view_frame *frame, const struct view_thing *thing,
                              struct view_choices *choices)
{
    char label[80];
    leader_choices(frame, thing, choices);
    snprintf(label, sizeof label, "Add a partition to %.40s", sim_event_log_name(frame->log, thing->name));
    struct view_choice *choice = view_choices_add(choices, VIEW_CHOICE_INTENT, label);
    choice->intent = (struct view_intent){.kind = VIEW_INTENT_FAULT,
                                          .fault = KB_FAULT_KIND_ADD_PARTITIONS,
                                          .broker = -1,
                                          .other = VIEW_END_ALL,
                                          .topic = thing->name,
                                          .partition = -1,
                                          .count = partition_count(frame, thing->name) + 1};
    view_choices_separate(choices);
    view_menu_turn(choices, false);
    int32_t index = sim_model_find_partition(frame->model, thing->name, (int32_t)thing->number);
    if (thing->kind == VIEW_THING_REPLICA && index >= 0 &&
        frame->model->partitions[index].leader != thing->other) {
        struct view_target target = target_of(thing);
        view_menu_corrupt_fetch(&target, thing->other, choices);
    }
}

/* false: it is the first page. */
static bool make_page(const struct view_frame *frame, const struct view_thing *thing,
                      enum view_menu_page page, struct view_choices *choices)
{
    struct view_target target = target_of(thing);
    if (page == VIEW_PAGE_FIRST) {
        return false;
    }
    view_choices_add(choices, VIEW_CHOICE_PAGE, "‹ Back")->page = VIEW_PAGE_FIRST;
    view_choices_separate(choices);
    if (page == VIEW_PAGE_LINKS) {
        view_menu_links(frame, (int32_t)thing->number, choices);
    } else if (page == VIEW_PAGE_POINTS) {
        view_menu_points(&target, choices);
    } else {
        view_menu_requests(&target, choices);
        if (thing->kind == VIEW_THING_BROKER) {
            view_menu_corrupt_fetch(&target, (int32_t)thing->number, choices);
        }
    }
    return true;
}

static void make_choices(const struct view_frame *frame, const struct view_thing *thing,
                         enum view_menu_page page, struct view_choices *choices)
{
    if (make_page(frame, thing, page, choices)) {
        return;
    }
    switch (thing->kind) {
    case VIEW_THING_BROKER:
    case VIEW_THING_NODE:
        view_menu_broker(frame, (int32_t)thing->number, choices);
        break;
    case VIEW_THING_PARTITION:
    case VIEW_THING_REPLICA:
        partition_choices(frame, thing, choices);
        break;
    case VIEW_THING_RECORD:
        if (view_thing_equals(&frame->stage->followed, thing)) {
            (void)view_choices_add(choices, VIEW_CHOICE_LET_GO, "Stop following");
        } else {
            (void)view_choices_add(choices, VIEW_CHOICE_FOLLOW, "Follow this record");
        }
        (void)view_choices_add(choices, VIEW_CHOICE_INSPECT, "Tell its life");
        (void)view_choices_add(choices, VIEW_CHOICE_WHY, "Why is it there?");
        return;
    case VIEW_THING_EVENT:
        (void)view_choices_add(choices, VIEW_CHOICE_GO, "Go there");
        break;
    case VIEW_THING_NONE:
    case VIEW_THING_BATCH:
    case VIEW_THING_REQUEST:
    case VIEW_THING_STATION:
    case VIEW_THING_POOL:
    case VIEW_THING_CONSUMER:
        break;
    case VIEW_THING_SENDER:
        view_menu_turn(choices, false);
        break;
    }
    if (choices->count > 0) {
        view_choices_separate(choices);
    }
    (void)view_choices_add(choices, VIEW_CHOICE_INSPECT, "Inspect");
    (void)view_choices_add(choices, VIEW_CHOICE_WHY, "Why?");
}

static void title_of(const struct view_frame *frame, const struct view_thing *thing, char *text,
                     size_t capacity)
{
    char name[64];
    switch (thing->kind) {
    case VIEW_THING_BROKER:
    case VIEW_THING_NODE:
        snprintf(text, capacity, "Broker %" PRId64, thing->number);
        break;
    case VIEW_THING_PARTITION:
    case VIEW_THING_REPLICA:
        view_partition_name(frame, thing->name, (int32_t)thing->number, name, sizeof name);
        snprintf(text, capacity, "%s", name);
        break;
    case VIEW_THING_RECORD:
        snprintf(text, capacity, "Record %" PRId64, thing->number);
        break;
    case VIEW_THING_BATCH:
        snprintf(text, capacity, "Batch #%" PRId64, thing->number);
        break;
    case VIEW_THING_REQUEST:
        snprintf(text, capacity, "Request %" PRId64, thing->number);
        break;
    case VIEW_THING_EVENT:
        snprintf(text, capacity, "Event %" PRId64, thing->number);
        break;
    case VIEW_THING_STATION:
        snprintf(text, capacity, "Step of send()");
        break;
    case VIEW_THING_POOL:
        snprintf(text, capacity, "BufferPool");
        break;
    case VIEW_THING_CONSUMER:
        snprintf(text, capacity, "Consumer %s",
                 thing->number < SIM_CONSUMERS_MAX ? frame->info->consumers[thing->number].name : "");
        break;
    case VIEW_THING_SENDER:
        snprintf(text, capacity, "Sender");
        break;
    case VIEW_THING_NONE:
        text[0] = '\0';
        break;
    }
}

static void show_tab(struct view_stage *stage, enum view_tab tab)
{
    stage->side.tab = tab;
    stage->side.is_open = true;
    stage->side.is_forced = true;
}

static void choose(struct view_frame *frame, const struct view_thing *thing, const struct view_choice *choice)
{
    struct view_stage *stage = frame->stage;
    switch (choice->kind) {
    case VIEW_CHOICE_INTENT:
        view_stage_act(stage, &choice->intent);
        break;
    case VIEW_CHOICE_PAGE:
        stage->menu.is_open = true;
        stage->menu.page = (uint32_t)choice->page;
        break;
    case VIEW_CHOICE_WHY:
        show_tab(stage, VIEW_TAB_WHY);
        break;
    case VIEW_CHOICE_INSPECT:
        show_tab(stage, VIEW_TAB_INSPECT);
        break;
    case VIEW_CHOICE_FOLLOW:
        view_stage_follow(stage, thing);
        break;
    case VIEW_CHOICE_LET_GO:
        stage->followed = (struct view_thing){.kind = VIEW_THING_NONE};
        break;
    case VIEW_CHOICE_GO:
        stage->is_playing = false;
        view_stage_seek(stage, (uint64_t)thing->number);
        break;
    case VIEW_CHOICE_NOTHING:
        break;
    }
    stage->is_dirty = true;
}

/* What the page is about: a node is a producer's way to a broker. */
static void title_of_page(const struct view_frame *frame, const struct view_thing *thing,
                          enum view_menu_page page, char *text, size_t capacity)
{
    char name[64];
    title_of(frame, thing, name, sizeof name);
    if (page != VIEW_PAGE_FIRST && page != VIEW_PAGE_LINKS && thing->kind == VIEW_THING_NODE) {
        snprintf(name, sizeof name, "%.40s to broker %" PRId64, frame->info->producers[thing->producer].name,
                 thing->number);
    } else if (page != VIEW_PAGE_FIRST && thing->kind == VIEW_THING_SENDER) {
        snprintf(name, sizeof name, "%.40s", frame->info->producers[thing->producer].name);
    }
    snprintf(text, capacity, "%s%s", name, view_menu_page_words(page));
}

static void draw_menu(struct view_frame *frame)
{
    struct view_menu_state *menu = &frame->stage->menu;
    struct view_thing thing = menu->thing;
    enum view_menu_page page = (enum view_menu_page)menu->page;
    struct view_choices choices = {.count = 0};
    struct view_menu_item items[VIEW_CHOICES_MAX];
    char title[128];
    make_choices(frame, &thing, page, &choices);
    title_of_page(frame, &thing, page, title, sizeof title);
    for (uint32_t i = 0; i < choices.count; i++) {
        const struct view_choice *choice = &choices.items[i];
        items[i] = (struct view_menu_item){
            .label = choice->kind == VIEW_CHOICE_NOTHING ? NULL : choice->label, .flags = choice->flags};
        if (choice->kind == VIEW_CHOICE_PAGE && choice->page != VIEW_PAGE_FIRST) {
            items[i].shortcut = "›";
        }
    }
    int32_t chosen =
        view_menu(frame->ui, view_id_make(VIEW_HIT_MENU, page, 0), menu->at, title, items, choices.count);
    if (chosen == VIEW_MENU_OPEN) {
        return;
    }
    menu->is_open = false;
    frame->stage->is_dirty = true;
    if (chosen >= 0) {
        choose(frame, &thing, &choices.items[chosen]);
    }
}

/* --- The card of keys
 * --------------------------------------------------------------------------------------------------- */

static const struct view_key_help keys[] = {
    {NULL, "Time"},
    {"Space  .", "play or pause"},
    {"←  →", "one event back, forward"},
    {"Shift+←  Shift+→", "one pass of the Sender"},
    {"b  Shift+b", "next, last batch that leaves"},
    {"a  Shift+a", "next, last ack"},
    {"e  Shift+e", "next, last error"},
    {"[  ]", "slower, faster"},
    {"v", "a pace by events, or even time"},
    {"Home  End", "to the start, to the end"},
    {"Wheel", "zoom into the timeline"},
    {"Drag", "scrub; with Shift: move the part"},
    {"Click", "to that event"},
    {NULL, "Looking"},
    {"f", "follow the selected record"},
    {"i", "the panel at the right"},
    {"1  2  3  4  5", "its tabs"},
    {"t  p", "dark or light; size for the back row"},
    {"F11", "full screen"},
    {"Esc", "let go of what is selected"},
    {"?", "this card"},
    {"q", "quit"},
    {NULL, "Doing"},
    {"Ctrl+S", "save as a scenario"},
    {"Ctrl+P", "save the picture"},
    {"Ctrl+R", "drop all branches"},
};

bool view_handle_side_key(struct view_stage *stage, const struct view_key_press *key)
{
    if (key->key < '1' || key->key >= '1' + (int32_t)VIEW_TAB_COUNT || key->modifiers != 0) {
        return false;
    }
    show_tab(stage, (enum view_tab)(key->key - '1'));
    stage->is_dirty = true;
    return true;
}

void view_draw_overlays(struct view_frame *frame)
{
    enum { FADE_US = 400000 };
    struct view_stage *stage = frame->stage;
    if (stage->menu.is_open) {
        draw_menu(frame);
    }
    if (stage->is_key_card_open) {
        uint32_t count = sizeof keys / sizeof keys[0];
        if (view_key_card(frame->ui, view_id_make(VIEW_HIT_KEY_CARD, 0, 0), "Keys", keys, count)) {
            stage->is_key_card_open = false;
            stage->is_dirty = true;
        }
    }
    int64_t left_us = stage->toast.until_us - stage->clock_us;
    if (left_us > 0) {
        uint32_t visible = left_us >= FADE_US ? 256 : (uint32_t)(left_us * 256 / FADE_US);
        struct view_hue hue = stage->toast.is_failure ? frame->theme->fail : frame->theme->accent;
        view_toast(frame->ui, hue, stage->toast.text, visible);
    }
}
