/* The stage as a whole: its life, its drawing, and what panels may do to it. */
#include "view/stage_private.h"
#include "view/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOAST_US = 3500000 };

/* A run is shown in about a minute, but not so fast that nobody sees a packet on its wire. */
static uint32_t speed_for(const struct sim_run_info *info)
{
    struct view_stage stage = {.speed = 0};
    int64_t wanted_us = info->duration_us / 60;
    int64_t most_us = info->latency_us > 0 ? info->latency_us * 10 : wanted_us;
    wanted_us = wanted_us < most_us ? wanted_us : most_us;
    while (stage.speed + 1 < VIEW_SPEEDS && view_playback_us_per_second(&stage) < wanted_us) {
        stage.speed++;
    }
    return stage.speed;
}

struct view_stage *view_stage_create(const struct view_host *host, struct view_text *text)
{
    struct view_stage *stage = calloc(1, sizeof *stage);
    struct view_mover *movers = calloc(VIEW_MOVERS, sizeof *movers);
    if (stage == NULL || movers == NULL) {
        free(stage);
        free(movers);
        return NULL;
    }
    stage->host = *host;
    stage->text = text;
    stage->movers = movers;
    stage->side.is_open = true;
    stage->must_snap = true;
    stage->is_dirty = true;
    stage->frame = 1;
    stage->speed = speed_for(sim_event_log_info_view(view_stage_log(stage)));
    view_theme_init(&stage->theme, VIEW_THEME_DARK, false);
    return stage;
}

void view_stage_destroy(struct view_stage *stage)
{
    if (stage != NULL) {
        view_lane_index_destroy(stage->lanes);
        sim_verdicts_destroy(stage->verdicts);
        free(stage->movers);
        free(stage);
    }
}

const struct sim_event_log *view_stage_log(const struct view_stage *stage)
{
    return stage->host.log(stage->host.context);
}

const struct sim_model *view_stage_model(const struct view_stage *stage)
{
    return sim_timeline_seek(stage->host.timeline(stage->host.context), stage->sequence);
}

bool view_stage_advance(struct view_stage *stage, int64_t elapsed_us)
{
    stage->clock_us += elapsed_us;
    view_playback_advance(stage, elapsed_us);
    bool computing = stage->host.progress != NULL && stage->host.progress(stage->host.context) < 1000;
    bool tip_is_due = stage->tip_due_us >= 0 && stage->clock_us >= stage->tip_due_us;
    return stage->is_dirty || stage->is_moving || computing || tip_is_due || stage->toast.until_us > 0 ||
           stage->has_input;
}

static bool something_happened(const struct view_input *input)
{
    return input->buttons_pressed != 0 || input->buttons_released != 0 || input->buttons != 0 ||
           input->key_count > 0 || input->text_count > 0 || input->wheel.x != 0 || input->wheel.y != 0;
}

/* Nothing is drawn again for an input that only says that the pointer is still where it was. */
static bool is_news(const struct view_input *input, const struct view_input *before)
{
    return something_happened(input) || input->resized || input->exposed || input->quit ||
           input->double_click || input->long_press || input->mouse.x != before->mouse.x ||
           input->mouse.y != before->mouse.y || input->mouse_inside != before->mouse_inside ||
           input->modifiers != before->modifiers;
}

/* Two inputs before one drawing: what lasts is the newer's, what happened is both's. */
void view_stage_input(struct view_stage *stage, const struct view_input *input)
{
    struct view_input before = stage->input;
    stage->input = *input;
    if (stage->has_input) {
        struct view_input merged = before;
        for (uint32_t i = 0; i < input->key_count; i++) {
            const struct view_key_press *key = &input->keys[i];
            view_input_add_key(&merged, key->key, key->modifiers, key->typed, key->repeated);
        }
        memcpy(stage->input.keys, merged.keys, sizeof merged.keys);
        stage->input.key_count = merged.key_count;
        view_input_add_text(&merged, input->text);
        memcpy(stage->input.text, merged.text, sizeof merged.text);
        stage->input.text_count = merged.text_count;
        stage->input.buttons_pressed |= before.buttons_pressed;
        stage->input.buttons_released |= before.buttons_released;
        stage->input.double_click = stage->input.double_click || before.double_click;
        stage->input.long_press = stage->input.long_press || before.long_press;
        stage->input.wheel.x += before.wheel.x;
        stage->input.wheel.y += before.wheel.y;
        stage->input.quit = stage->input.quit || before.quit;
    }
    stage->has_input = stage->has_input || is_news(input, &before);
    stage->wants_quit = stage->wants_quit || input->quit;
}

bool view_stage_wants_quit(const struct view_stage *stage)
{
    return stage->wants_quit;
}

uint64_t view_stage_sequence(const struct view_stage *stage)
{
    return stage->sequence;
}

bool view_stage_is_playing(const struct view_stage *stage)
{
    return stage->is_playing;
}

/* --- Looks
 * --------------------------------------------------------------------------------------------------------------
 */

static void set_theme(struct view_stage *stage)
{
    view_theme_init(&stage->theme, stage->is_light ? VIEW_THEME_LIGHT : VIEW_THEME_DARK, stage->is_presenter);
    stage->is_dirty = true;
    stage->must_snap = true;
}

void view_stage_set_light(struct view_stage *stage, bool light)
{
    stage->is_light = light;
    set_theme(stage);
}

void view_stage_set_presenter(struct view_stage *stage, bool presenter)
{
    stage->is_presenter = presenter;
    set_theme(stage);
}

void view_stage_set_reduced_motion(struct view_stage *stage, bool reduced)
{
    stage->is_reduced_motion = reduced;
    stage->is_dirty = true;
}

/* --- Actions
 * ------------------------------------------------------------------------------------------------------------
 */

void view_stage_select(struct view_stage *stage, const struct view_thing *thing)
{
    stage->selected = *thing;
    stage->is_dirty = true;
}

void view_stage_follow(struct view_stage *stage, const struct view_thing *thing)
{
    view_stage_select(stage, thing);
    if (thing->kind == VIEW_THING_RECORD) {
        stage->followed = *thing;
    } else if (thing->kind == VIEW_THING_EVENT) {
        stage->is_playing = false;
        view_stage_seek(stage, (uint64_t)thing->number);
    } else {
        stage->side.tab = VIEW_TAB_INSPECT;
        stage->side.is_open = true;
    }
}

void view_stage_open_menu(struct view_stage *stage, const struct view_thing *thing, struct view_point at)
{
    stage->menu = (struct view_menu_state){.is_open = true, .at = at, .thing = *thing};
    stage->is_dirty = true;
}

void view_stage_toast(struct view_stage *stage, bool is_failure, const char *text)
{
    snprintf(stage->toast.text, sizeof stage->toast.text, "%s", text);
    stage->toast.is_failure = is_failure;
    stage->toast.until_us = stage->clock_us + TOAST_US;
    stage->is_dirty = true;
}

void view_stage_act(struct view_stage *stage, const struct view_intent *intent)
{
    stage->intent = *intent;
    stage->intent.at_us = stage->time_us;
    stage->has_intent = true;
    stage->is_dirty = true;
}

/* Saving leaves the run, and the event within its microsecond, as they are. */
static bool changes_run(enum view_intent_kind kind)
{
    return kind != VIEW_INTENT_SAVE && kind != VIEW_INTENT_PICTURE;
}

/* The host may put another run under the stage; it stays at the same moment of it. */
static void hand_over_intent(struct view_stage *stage)
{
    if (!stage->has_intent) {
        return;
    }
    stage->has_intent = false;
    const char *message = NULL;
    bool done = false;
    if (stage->intent.kind == VIEW_INTENT_QUIT) {
        stage->wants_quit = true;
        return;
    }
    if (stage->host.act != NULL) {
        done = stage->host.act(stage->host.context, &stage->intent, &message);
    } else {
        message = "This run cannot be changed.";
    }
    if (message != NULL) {
        view_stage_toast(stage, !done, message);
    }
    if (done && changes_run(stage->intent.kind)) {
        view_playback_await(stage, stage->is_awaiting ? stage->awaited_us : stage->time_us);
    }
}

/* --- Drawing
 * ------------------------------------------------------------------------------------------------------------
 */

static void make_frame(struct view_stage *stage, struct view_frame *frame, int32_t width, int32_t height)
{
    uint64_t count = sim_event_log_count(view_stage_log(stage));
    stage->sequence = stage->sequence < count ? stage->sequence : count;
    *frame = (struct view_frame){.stage = stage, .ui = &stage->ui, .theme = &stage->theme};
    frame->log = view_stage_log(stage);
    frame->info = sim_event_log_info_view(frame->log);
    frame->model = view_stage_model(stage);
    frame->now_us = stage->time_us > frame->model->time_us ? stage->time_us : frame->model->time_us;
    stage->producer = stage->producer < frame->model->producer_count ? stage->producer : 0;
    frame->producer = stage->producer;
    frame->p = &frame->model->producers[stage->producer];
    view_settings_in_force(frame, stage->producer, frame->model->sequence, &stage->settings);
    frame->pinfo = &stage->settings;
    stage->thread = stage->thread < frame->pinfo->thread_count ? stage->thread : 0;
    view_layout_make(&frame->layout, &stage->theme, width, height, frame->info->broker_count,
                     frame->info->consumer_count, &stage->side);
    stage->side_has_no_room = frame->layout.side.w == 0;
    verdict_update(frame);
}

static void draw_panels(struct view_frame *frame)
{
    const struct {
        void (*draw)(struct view_frame *, struct view_rect);
        struct view_rect rect;
    } panels[] = {
        {view_draw_panel_top, frame->layout.top},
        {view_draw_panel_application, frame->layout.application},
        {view_draw_panel_accumulator, frame->layout.accumulator},
        {view_draw_panel_sender, frame->layout.sender},
        {view_draw_panel_cluster, frame->layout.cluster},
        {view_draw_panel_network, frame->layout.network},
        {view_draw_panel_side, frame->layout.side},
        {view_draw_panel_timeline, frame->layout.timeline},
    };
    for (uint32_t i = 0; i < sizeof panels / sizeof panels[0]; i++) {
        if (!view_rect_is_empty(panels[i].rect)) {
            panels[i].draw(frame, panels[i].rect);
        }
    }
    verdict_draw_banner(frame);
    view_draw_overlays(frame);
}

void view_stage_draw(struct view_stage *stage, struct view_draw_list *list, int32_t width_px,
                     int32_t height_px, uint32_t scale_256)
{
    scale_256 = scale_256 > 0 ? scale_256 : 256;
    int32_t width = (int32_t)((int64_t)width_px * 16 * 256 / scale_256);
    int32_t height = (int32_t)((int64_t)height_px * 16 * 256 / scale_256);
    struct view_input *input = &stage->input;
    stage->must_snap =
        stage->must_snap || width != stage->width || height != stage->height || input->wheel.y != 0;
    stage->width = width;
    stage->height = height;
    input->width = width;
    input->height = height;
    input->scale_256 = scale_256;
    input->now_ms = stage->clock_us / 1000;
    /* What widgets do while they are drawn shows in the next drawing. */
    stage->is_dirty = something_happened(input) || stage->must_snap;
    stage->is_moving = false;
    stage->has_input = false;
    stage->frame++;

    view_ui_begin(&stage->ui, list, stage->text, &stage->theme, input);
    view_stage_handle_input(stage);
    hand_over_intent(stage);
    struct view_frame frame;
    make_frame(stage, &frame, width, height);
    bool snapped = stage->must_snap;
    draw_panels(&frame);
    int32_t wait_ms = view_ui_end(&stage->ui);
    stage->tip_due_us = wait_ms >= 0 ? stage->clock_us + (int64_t)wait_ms * 1000 : -1;
    if (stage->toast.until_us <= stage->clock_us) {
        stage->toast.until_us = 0;
    }
    stage->must_snap = stage->must_snap && !snapped;
    hand_over_intent(stage);
    view_input_begin_frame(input, input->now_ms);
}

void view_stage_draw_settled(struct view_stage *stage, struct view_draw_list *list, int32_t width_px,
                             int32_t height_px, uint32_t scale_256)
{
    enum { DRAWINGS_MAX = 4 };
    for (int i = 0; i < DRAWINGS_MAX; i++) {
        view_stage_draw(stage, list, width_px, height_px, scale_256);
        if (!stage->is_dirty && i > 0) {
            return;
        }
    }
}
