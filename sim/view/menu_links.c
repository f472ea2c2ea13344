/* The page of a broker's menu about its links. */
#include "view/menu_faults.h"

#include <inttypes.h>
#include <stdio.h>

/* More brokers than this have no rows of their own. */
enum { ROWS_FOR_BROKERS = 8, ROWS_FOR_ONE_WAY = 4 };

static void add_link(struct view_choices *choices, const char *label, bool cut, int32_t id, int32_t other,
                     bool one_way)
{
    struct view_choice *choice = view_choices_add(choices, VIEW_CHOICE_INTENT, label);
    choice->intent = (struct view_intent){
        .kind = VIEW_INTENT_FAULT,
        .fault = cut ? KB_FAULT_KIND_CUT : KB_FAULT_KIND_HEAL,
        .broker = id,
        .other = other,
        .one_way = one_way,
        .partition = -1,
    };
    choice->flags = cut ? VIEW_CONTROL_DANGER : 0;
}

static void add_links_to_brokers(const struct view_frame *frame, int32_t place, bool is_cut,
                                 struct view_choices *choices)
{
    uint32_t others = frame->info->broker_count - 1;
    for (uint32_t i = 0; i < frame->info->broker_count && others <= ROWS_FOR_BROKERS; i++) {
        int32_t id = frame->info->brokers[place].id;
        int32_t other = frame->info->brokers[i].id;
        char label[64];
        if ((int32_t)i == place || sim_model_is_link_cut(frame->model, place, (int32_t)i) != is_cut) {
            continue;
        }
        snprintf(label, sizeof label, "%s the link to broker %" PRId32, is_cut ? "Heal" : "Cut", other);
        add_link(choices, label, !is_cut, id, other, false);
        if (!is_cut && others <= ROWS_FOR_ONE_WAY) {
            snprintf(label, sizeof label, "Cut only the way to broker %" PRId32, other);
            add_link(choices, label, true, id, other, true);
        }
    }
}

void view_menu_links(const struct view_frame *frame, int32_t id, struct view_choices *choices)
{
    int32_t place = sim_model_find_broker(frame->model, id);
    if (place < 0) {
        return;
    }
    const struct model_broker *broker = &frame->model->brokers[place];
    bool from_producers = (broker->cut & MODEL_CUT_PRODUCERS) != 0;
    if (broker->cut != 0) {
        add_link(choices, "Heal all its links", false, id, VIEW_END_ALL, false);
    }
    if (from_producers) {
        add_link(choices, "Join it with the producers again", false, id, VIEW_END_PRODUCERS, false);
    }
    add_links_to_brokers(frame, place, true, choices);
    if ((broker->cut & MODEL_CUT_ALL) != 0) {
        return;
    }
    if (broker->cut != 0) {
        view_choices_separate(choices);
    }
    add_link(choices, "Cut it off from everybody", true, id, VIEW_END_ALL, false);
    add_link(choices, "Cut it off from the rest of the cluster", true, id, VIEW_END_CLUSTER, false);
    if (!from_producers) {
        add_link(choices, "Cut it off from the producers only", true, id, VIEW_END_PRODUCERS, false);
        add_link(choices, "Cut only its answers to the producers", true, id, VIEW_END_PRODUCERS, true);
    }
    if (frame->info->broker_count > 1) {
        view_choices_separate(choices);
    }
    add_links_to_brokers(frame, place, false, choices);
}
