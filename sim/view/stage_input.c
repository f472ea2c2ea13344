/* Keys, and clicks on things: what every panel answers alike. */
#include "view/stage_private.h"

#include <stdio.h>

static void follow_selected(struct view_stage *stage)
{
    if (stage->followed.kind != VIEW_THING_NONE) {
        stage->followed = (struct view_thing){.kind = VIEW_THING_NONE};
    } else if (stage->selected.kind == VIEW_THING_RECORD) {
        stage->followed = stage->selected;
    } else {
        /* Nothing chosen: the record in hand. */
        const struct sim_model *model = view_stage_model(stage);
        uint32_t record = model->producers[stage->producer].threads[stage->thread].record;
        if (record != UINT32_MAX) {
            stage->followed = view_thing_record(record);
            view_stage_select(stage, &stage->followed);
        }
    }
}

static void find_or_say(struct view_stage *stage, bool backwards, sim_event_filter *wanted, const char *what)
{
    if (!view_playback_find(stage, backwards, wanted)) {
        char text[80];
        snprintf(text, sizeof text, "no %s %s", backwards ? "earlier" : "later", what);
        view_stage_toast(stage, false, text);
    }
}

static bool handle_time_key(struct view_stage *stage, const struct view_key_press *key)
{
    bool shift = (key->modifiers & VIEW_MODIFIER_SHIFT) != 0;
    switch (key->key) {
    case VIEW_KEY_SPACE:
    case '.':
        view_stage_play(stage, !stage->is_playing);
        return true;
    case VIEW_KEY_LEFT:
    case VIEW_KEY_RIGHT:
        if (shift) {
            find_or_say(stage, key->key == VIEW_KEY_LEFT, sim_event_is_pass, "pass of the Sender");
        } else {
            view_playback_step(stage, key->key == VIEW_KEY_LEFT);
        }
        return true;
    case 'b':
        find_or_say(stage, shift, sim_event_is_departure, "batch departure");
        return true;
    case 'a':
        find_or_say(stage, shift, sim_event_is_ack, "ack");
        return true;
    case 'e':
        find_or_say(stage, shift, sim_event_is_error, "error");
        return true;
    case VIEW_KEY_HOME:
        stage->is_playing = false;
        view_stage_seek(stage, 0);
        return true;
    case VIEW_KEY_END:
        stage->is_playing = false;
        view_stage_seek(stage, UINT64_MAX);
        return true;
    case '[':
        view_playback_faster(stage, -1);
        return true;
    case ']':
        view_playback_faster(stage, 1);
        return true;
    case 'v':
        stage->is_paced = !stage->is_paced;
        stage->pace_goal = 0;
        stage->idle_us = 0;
        return true;
    default:
        return false;
    }
}

static void toggle_side(struct view_stage *stage)
{
    /* Where there is no room for it, it first has to be asked for. */
    bool is_shown = stage->side.is_open && (stage->side.is_forced || !stage->side_has_no_room);
    stage->side.is_open = !is_shown;
    stage->side.is_forced = !is_shown;
}

static bool handle_look_key(struct view_stage *stage, const struct view_key_press *key)
{
    if (key->typed == '?' || key->key == '?' || key->key == VIEW_KEY_F1) {
        stage->is_key_card_open = !stage->is_key_card_open;
        return true;
    }
    switch (key->key) {
    case 't':
        view_stage_set_light(stage, !stage->is_light);
        return true;
    case 'p':
        view_stage_set_presenter(stage, !stage->is_presenter);
        return true;
    case 'i':
        toggle_side(stage);
        return true;
    case 'f':
        follow_selected(stage);
        return true;
    case VIEW_KEY_ESCAPE:
        if (stage->menu.is_open) {
            stage->menu.is_open = false;
        } else if (stage->is_key_card_open) {
            stage->is_key_card_open = false;
        } else if (stage->selected.kind != VIEW_THING_NONE || stage->followed.kind != VIEW_THING_NONE) {
            stage->selected = (struct view_thing){.kind = VIEW_THING_NONE};
            stage->followed = stage->selected;
        } else {
            view_stage_toast(stage, false, "Press q to quit.");
        }
        return true;
    case 'q':
        stage->wants_quit = true;
        return true;
    default:
        return false;
    }
}

static void handle_control_key(struct view_stage *stage, const struct view_key_press *key)
{
    struct view_intent intent = {.kind = VIEW_INTENT_SAVE};
    switch (key->key) {
    case 's':
        view_stage_act(stage, &intent);
        break;
    case 'p':
        intent.kind = VIEW_INTENT_PICTURE;
        view_stage_act(stage, &intent);
        break;
    case 'r':
        intent.kind = VIEW_INTENT_RESET;
        view_stage_act(stage, &intent);
        break;
    case 'q':
        stage->wants_quit = true;
        break;
    default:
        break;
    }
}

/* Held down, a key goes on stepping; it does not flicker between two states. */
static bool may_repeat(int32_t key)
{
    return key == VIEW_KEY_LEFT || key == VIEW_KEY_RIGHT || key == 'a' || key == 'b' || key == 'e' ||
           key == '[' || key == ']';
}

static void handle_key(struct view_stage *stage, const struct view_key_press *key)
{
    if (key->repeated && !may_repeat(key->key)) {
        return;
    }
    if ((key->modifiers & VIEW_MODIFIER_CONTROL) != 0) {
        handle_control_key(stage, key);
        return;
    }
    if ((key->modifiers & VIEW_MODIFIER_ALT) != 0) {
        return;
    }
    if (stage->menu.is_open && key->key != VIEW_KEY_ESCAPE) {
        return; /* the menu's own */
    }
    if (!handle_look_key(stage, key) && !handle_time_key(stage, key)) {
        (void)view_handle_side_key(stage, key);
    }
}

static struct view_thing thing_at(const struct view_stage *stage, view_id id)
{
    return view_thing_of_id(sim_event_log_info_view(view_stage_log(stage)), id);
}

/* What stands for a thing without being one has its menu, too: a wire is the way to a broker, the choice of
 * the producer is the producer. */
static struct view_thing thing_of_menu(const struct view_stage *stage, view_id id)
{
    const struct sim_run_info *info = sim_event_log_info_view(view_stage_log(stage));
    uint32_t place = view_id_index(id);
    if (view_id_kind(id) == VIEW_HIT_WIRE && place < info->broker_count) {
        return (struct view_thing){
            .kind = VIEW_THING_NODE, .producer = stage->producer, .number = info->brokers[place].id};
    }
    if (view_id_kind(id) == VIEW_HIT_PRODUCER) {
        return (struct view_thing){.kind = VIEW_THING_SENDER, .producer = stage->producer};
    }
    return thing_at(stage, id);
}

static void handle_pointer(struct view_stage *stage)
{
    struct view_thing thing = thing_at(stage, stage->ui.activated);
    if (thing.kind != VIEW_THING_NONE) {
        view_stage_select(stage, &thing);
    }
    thing = thing_at(stage, stage->ui.double_clicked);
    if (thing.kind != VIEW_THING_NONE) {
        view_stage_follow(stage, &thing);
    }
    thing = thing_of_menu(stage, stage->ui.context);
    if (thing.kind != VIEW_THING_NONE) {
        view_stage_select(stage, &thing);
        view_stage_open_menu(stage, &thing, stage->input.mouse);
    }
}

void view_stage_handle_input(struct view_stage *stage)
{
    const struct view_input *input = &stage->input;
    stage->wants_quit = stage->wants_quit || input->quit;
    handle_pointer(stage);
    for (uint32_t i = 0; i < input->key_count && !stage->ui.key_taken; i++) {
        handle_key(stage, &input->keys[i]);
    }
}
