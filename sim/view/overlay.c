/*
 * What floats over the stage: the menu of a thing, the card of keys, the toast.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "view/stage_actions.h"

/* --- The menu of a thing
 * ----------------------------------------------------------------------------------------------- */

enum choice_kind {
    CHOICE_FAULT,
    CHOICE_LINK_CUT,
    CHOICE_LINK_HEAL,
    CHOICE_MOVE_LEADER,
    CHOICE_WHY,
    CHOICE_INSPECT,
    CHOICE_FOLLOW,
    CHOICE_LET_GO,
    CHOICE_GO,
    CHOICE_NOTHING, /* a separator */
};

struct choice {
    enum choice_kind kind;
    char label[64];
    enum kb_fault_kind fault;
    int64_t ms;
    int32_t broker; /* the other end (or VIEW_END_PRODUCERS), or the new leader */
    uint32_t flags;
};

enum { CHOICES_MAX = 24 };

struct choices {
    struct choice items[CHOICES_MAX];
    uint32_t count;
};

static struct choice *add(struct choices *choices, enum choice_kind kind, const char *label)
{
    static struct choice dropped;
    struct choice *choice = choices->count < CHOICES_MAX ? &choices->items[choices->count++] : &dropped;
    *choice = (struct choice){.kind = kind};
    snprintf(choice->label, sizeof choice->label, "%s", label);
    return choice;
}

static void add_fault(struct choices *choices, const char *label, enum kb_fault_kind fault, int64_t ms,
                      bool breaks)
{
    struct choice *choice = add(choices, CHOICE_FAULT, label);
    choice->fault = fault;
    choice->ms = ms;
    choice->flags = breaks ? VIEW_CONTROL_DANGER : 0;
}

static void add_link(struct choices *choices, const char *label, bool cut, int32_t other)
{
    struct choice *choice = add(choices, cut ? CHOICE_LINK_CUT : CHOICE_LINK_HEAL, label);
    choice->broker = other;
    choice->flags = cut ? VIEW_CONTROL_DANGER : 0;
}

enum { LINKS_SHOWN = 4 };

static void broker_choices(const struct view_frame *frame, int32_t id, struct choices *choices)
{
    int32_t place = sim_model_find_broker(frame->model, id);
    if (place < 0) {
        return;
    }
    const struct model_broker *broker = &frame->model->brokers[place];
    if (!broker->is_up) {
        add_fault(choices, "Restart", KB_FAULT_KIND_RESTART, 0, false);
        return;
    }
    add_fault(choices, "Kill", KB_FAULT_KIND_KILL, 0, true);
    add_fault(choices, "Shut down in an orderly way", KB_FAULT_KIND_SHUTDOWN, 0, false);
    if (broker->is_frozen) {
        add_fault(choices, "Thaw", KB_FAULT_KIND_THAW, 0, false);
    } else {
        add_fault(choices, "Freeze: the process stalls", KB_FAULT_KIND_FREEZE, 0, false);
    }
    add(choices, CHOICE_NOTHING, "");
    if (broker->fetch_delay_ms > 0) {
        add_fault(choices, "Fetch without delay", KB_FAULT_KIND_SLOW_REPLICA, 0, false);
    } else {
        add_fault(choices, "Fetch 250 ms late", KB_FAULT_KIND_SLOW_REPLICA, 250, false);
    }
    add_fault(choices, broker->append_delay_ms > 0 ? "Disk at full speed" : "Slow disk: 20 ms an append",
              KB_FAULT_KIND_SLOW_DISK, broker->append_delay_ms > 0 ? 0 : 20, false);
    add_fault(choices, "Drop its connections", KB_FAULT_KIND_DISCONNECT, 0, false);
    add(choices, CHOICE_NOTHING, "");
    if (broker->cut != 0) {
        add_fault(choices, "Heal all its links", KB_FAULT_KIND_HEAL, 0, false);
    }
    if ((broker->cut & MODEL_CUT_ALL) != 0) {
        return;
    }
    add_fault(choices, "Cut it off from everybody", KB_FAULT_KIND_CUT, 0, true);
    bool from_producers = (broker->cut & MODEL_CUT_PRODUCERS) != 0;
    add_link(choices,
             from_producers ? "Join it with the producers again" : "Cut it off from the producers only",
             !from_producers, VIEW_END_PRODUCERS);
    for (uint32_t i = 0; i < frame->info->broker_count && frame->info->broker_count <= LINKS_SHOWN + 1; i++) {
        int32_t other = frame->info->brokers[i].id;
        if (other != id) {
            char label[64];
            snprintf(label, sizeof label, "Cut the link to broker %" PRId32, other);
            add_link(choices, label, true, other);
        }
    }
}

static void partition_choices(const struct view_frame *frame, uint32_t topic, int32_t number,
                              struct choices *choices)
{
    int32_t index = sim_model_find_partition(frame->model, topic, number);
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
        struct choice *choice = add(choices, CHOICE_MOVE_LEADER, label);
        choice->broker = replica->broker;
        choice->flags = can_lead ? 0 : VIEW_CONTROL_DISABLED;
    }
}

static void make_choices(const struct view_frame *frame, const struct view_thing *thing,
                         struct choices *choices)
{
    switch (thing->kind) {
    case VIEW_THING_BROKER:
        broker_choices(frame, (int32_t)thing->number, choices);
        break;
    case VIEW_THING_NODE:
        broker_choices(frame, (int32_t)thing->number, choices);
        break;
    case VIEW_THING_PARTITION:
    case VIEW_THING_REPLICA:
        partition_choices(frame, thing->name, (int32_t)thing->number, choices);
        break;
    case VIEW_THING_RECORD:
        if (view_thing_equals(&frame->stage->followed, thing)) {
            add(choices, CHOICE_LET_GO, "Stop following");
        } else {
            add(choices, CHOICE_FOLLOW, "Follow this record");
        }
        add(choices, CHOICE_INSPECT, "Tell its life");
        add(choices, CHOICE_WHY, "Why is it there?");
        return;
    case VIEW_THING_EVENT:
        add(choices, CHOICE_GO, "Go there");
        break;
    case VIEW_THING_NONE:
    case VIEW_THING_BATCH:
    case VIEW_THING_REQUEST:
    case VIEW_THING_STATION:
    case VIEW_THING_POOL:
    case VIEW_THING_SENDER:
    case VIEW_THING_CONSUMER:
        break;
    }
    if (choices->count > 0) {
        add(choices, CHOICE_NOTHING, "");
    }
    add(choices, CHOICE_INSPECT, "Inspect");
    add(choices, CHOICE_WHY, "Why?");
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

static void choose(struct view_frame *frame, const struct view_thing *thing, const struct choice *choice)
{
    struct view_stage *stage = frame->stage;
    switch (choice->kind) {
    case CHOICE_FAULT:
        view_act_fault(stage, choice->fault, (int32_t)thing->number, choice->ms);
        break;
    case CHOICE_LINK_CUT:
    case CHOICE_LINK_HEAL:
        view_act_link(stage, choice->kind == CHOICE_LINK_CUT, (int32_t)thing->number, choice->broker);
        break;
    case CHOICE_MOVE_LEADER:
        view_act_move_leader(stage, thing->name, (int32_t)thing->number, choice->broker);
        break;
    case CHOICE_WHY:
        show_tab(stage, VIEW_TAB_WHY);
        break;
    case CHOICE_INSPECT:
        show_tab(stage, VIEW_TAB_INSPECT);
        break;
    case CHOICE_FOLLOW:
        view_stage_follow(stage, thing);
        break;
    case CHOICE_LET_GO:
        stage->followed = (struct view_thing){.kind = VIEW_THING_NONE};
        break;
    case CHOICE_GO:
        stage->is_playing = false;
        view_stage_seek(stage, (uint64_t)thing->number);
        break;
    case CHOICE_NOTHING:
        break;
    }
    stage->is_dirty = true;
}

static void draw_menu(struct view_frame *frame)
{
    struct view_menu_state *menu = &frame->stage->menu;
    struct view_thing thing = menu->thing;
    struct choices choices = {.count = 0};
    struct view_menu_item items[CHOICES_MAX];
    char title[80];
    make_choices(frame, &thing, &choices);
    title_of(frame, &thing, title, sizeof title);
    for (uint32_t i = 0; i < choices.count; i++) {
        const struct choice *choice = &choices.items[i];
        items[i] = (struct view_menu_item){.label = choice->kind == CHOICE_NOTHING ? NULL : choice->label,
                                           .flags = choice->flags};
    }
    int32_t chosen =
        view_menu(frame->ui, view_id_make(VIEW_HIT_MENU, 0, 0), menu->at, title, items, choices.count);
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
