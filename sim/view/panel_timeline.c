/*
 * The timeline: all of the run at a glance, and the way to any moment of it.
 */
#include "view/panel_timeline.h"

#include <inttypes.h>
#include <stdio.h>

#include "model/event_text.h"

enum {
    COLUMN_PX = 2,
    SHORTEST_US = 20,
    EVENTS_A_FRAME = 1 << 17, /* that the index takes in, so that a long run does not stop the picture */
    EVENTS_UNDER_POINTER = 4096,
};

int32_t timeline_x(const struct timeline_area *area, int64_t time_us)
{
    int64_t span_us = area->to_us - area->from_us;
    int64_t x = (time_us - area->from_us) * area->all.w / span_us;
    int64_t most = (int64_t)area->all.w * 4;
    x = x > most ? most : x < -most ? -most : x;
    return area->all.x + (int32_t)x;
}

int64_t timeline_time(const struct timeline_area *area, int32_t x)
{
    int64_t span_us = area->to_us - area->from_us;
    return area->from_us + (int64_t)(x - area->all.x) * span_us / (area->all.w > 0 ? area->all.w : 1);
}

/* --- Where things stand
 * ------------------------------------------------------------------------------------------------ */

static void place_lanes(const struct view_frame *frame, struct view_rect rect, struct timeline_area *area)
{
    const struct view_theme *theme = frame->theme;
    struct view_rect inside = view_rect_inset(rect, theme->space_3, theme->space_1);
    view_rect_cut_left(&inside, view_theme_px(theme, 64));
    view_rect_cut_right(&inside, theme->space_2);
    area->all = inside;
    area->ruler = view_rect_cut_top(&inside, view_theme_px(theme, 20));
    /* Branches get a line each, up to three; further ones share the room. */
    const struct view_host *host = &frame->stage->host;
    uint32_t branches = host->branch_count != NULL ? host->branch_count(host->context) : 1;
    int32_t lines = branches > 3 ? 3 : branches > 1 ? (int32_t)branches : 1;
    int32_t height = inside.h / (KB_LANE_COUNT + lines) & ~15;
    for (uint32_t i = 0; i < TIMELINE_LANES; i++) {
        area->lanes[i] = view_rect_cut_top(&inside, height);
    }
    area->lanes[TIMELINE_LANE_BRANCHES].h += inside.h;
}

static void place_time(struct view_frame *frame, struct timeline_area *area)
{
    struct view_stage *stage = frame->stage;
    struct view_timeline_state *state = &stage->timeline;
    uint32_t progress = stage->host.progress != NULL ? stage->host.progress(stage->host.context) : 1000;
    area->is_computing = progress < 1000;
    area->computed_us = sim_event_log_end_us(frame->log);
    area->end_us = area->computed_us;
    if (area->is_computing && frame->info->duration_us > area->end_us) {
        area->end_us = frame->info->duration_us;
    }
    area->end_us = area->end_us > SHORTEST_US ? area->end_us : SHORTEST_US;
    if (state->to_us <= state->from_us) {
        area->from_us = 0;
        area->to_us = area->end_us + area->end_us / 64;
        return;
    }
    /* While it plays, the part that is shown turns its pages. */
    int64_t span_us = state->to_us - state->from_us;
    if (stage->is_playing && (frame->now_us >= state->to_us || frame->now_us < state->from_us)) {
        state->from_us = frame->now_us - span_us / 16;
        state->from_us = state->from_us > 0 ? state->from_us : 0;
        state->to_us = state->from_us + span_us;
    }
    area->from_us = state->from_us;
    area->to_us = state->to_us;
}

/* --- What a person does
 * ------------------------------------------------------------------------------------------------ */

static void show_part(struct view_timeline_state *state, const struct timeline_area *area, int64_t from_us,
                      int64_t span_us)
{
    int64_t whole_us = area->end_us + area->end_us / 64;
    if (span_us >= whole_us) {
        state->from_us = state->to_us = 0;
        return;
    }
    span_us = span_us > SHORTEST_US ? span_us : SHORTEST_US;
    from_us = from_us + span_us > whole_us ? whole_us - span_us : from_us;
    state->from_us = from_us > 0 ? from_us : 0;
    state->to_us = state->from_us + span_us;
}

static void zoom(struct view_frame *frame, const struct timeline_area *area)
{
    const struct view_input *input = frame->ui->input;
    int64_t span_us = area->to_us - area->from_us;
    int64_t at_us = timeline_time(area, input->mouse.x);
    int64_t wanted_us = input->wheel.y > 0   ? span_us + span_us / 4 + 1
                        : input->wheel.y < 0 ? span_us * 4 / 5
                                             : span_us;
    int64_t part_us = at_us - area->from_us;
    int64_t from_us = at_us - part_us * (wanted_us >> 4) / ((span_us >> 4) + 1);
    if (wanted_us < 1 << 20) {
        from_us = at_us - part_us * wanted_us / span_us;
    }
    from_us += span_us * input->wheel.x / (area->all.w > 0 ? area->all.w : 1);
    show_part(&frame->stage->timeline, area, from_us, wanted_us);
    frame->stage->is_dirty = true;
}

/* Moving the part that is shown: what was under the pointer when it went down stays under it. */
static bool pan(struct view_frame *frame, const struct timeline_area *area, view_id id)
{
    struct view_timeline_state *state = &frame->stage->timeline;
    const struct view_input *input = frame->ui->input;
    bool by_middle = (input->buttons & VIEW_BUTTON_MIDDLE) != 0 &&
                     (state->is_panning || view_rect_contains(area->all, input->mouse));
    bool by_shift = frame->ui->drag == id && (input->modifiers & VIEW_MODIFIER_SHIFT) != 0;
    if (!by_middle && !by_shift) {
        state->is_panning = false;
        return false;
    }
    if (!state->is_panning) {
        state->is_panning = true;
        state->pan_at_us = timeline_time(area, input->mouse.x);
    }
    int64_t moved_us = timeline_time(area, input->mouse.x) - state->pan_at_us;
    show_part(state, area, area->from_us - moved_us, area->to_us - area->from_us);
    frame->stage->is_dirty = true;
    return true;
}

static uint64_t event_under_pointer(const struct view_frame *frame, const struct timeline_area *area,
                                    uint32_t *others)
{
    const struct view_input *input = frame->ui->input;
    int32_t reach = VIEW_PX(4);
    int64_t from_us = timeline_time(area, input->mouse.x - reach);
    int64_t to_us = timeline_time(area, input->mouse.x + reach);
    int64_t at_us = timeline_time(area, input->mouse.x);
    uint64_t found = 0;
    int64_t best_us = INT64_MAX;
    *others = 0;
    for (uint32_t lane = 0; lane < KB_LANE_COUNT; lane++) {
        if (!view_rect_contains(area->lanes[lane], input->mouse)) {
            continue;
        }
        uint64_t count = sim_event_log_count(frame->log);
        uint64_t first = from_us > 0 ? sim_event_log_find_time(frame->log, from_us - 1) + 1 : 1;
        for (uint64_t i = first; i <= count && i - first < EVENTS_UNDER_POINTER; i++) {
            const struct kb_event *event = sim_event_log_get(frame->log, i);
            if (event->time_us > to_us) {
                break;
            }
            if (kb_event_info(event->kind)->lane != (enum kb_lane)lane) {
                continue;
            }
            int64_t away_us = event->time_us > at_us ? event->time_us - at_us : at_us - event->time_us;
            *others += 1;
            if (away_us < best_us || (away_us == best_us && sim_event_is_salient(event))) {
                best_us = away_us;
                found = i;
            }
        }
    }
    *others -= *others > 0;
    return found;
}

static void answer_pointer(struct view_frame *frame, const struct timeline_area *area)
{
    struct view_stage *stage = frame->stage;
    struct view_ui *ui = frame->ui;
    view_id id = view_id_make(VIEW_HIT_TIMELINE, 0, 0);
    view_draw_hit(ui->list, id, view_rect_inset(area->all, -frame->theme->space_2, 0),
                  VIEW_HIT_DRAGGABLE | VIEW_HIT_SCROLLS, NULL);
    if (ui->wheel == id) {
        zoom(frame, area);
    }
    uint32_t others = 0;
    uint64_t under = ui->hot == id ? event_under_pointer(frame, area, &others) : 0;
    if (pan(frame, area, id)) {
        return;
    }
    stage->timeline.is_scrubbing = ui->drag == id;
    if (ui->drag == id) {
        stage->is_playing = false;
        int64_t at_us = timeline_time(area, ui->input->mouse.x);
        at_us = at_us < 0 ? 0 : at_us > area->computed_us ? area->computed_us : at_us;
        view_stage_seek_time(stage, at_us);
        return;
    }
    int32_t moved = ui->input->mouse.x - ui->press_at.x;
    if (ui->activated == id && under != 0 && moved < VIEW_PX(3) && moved > -VIEW_PX(3)) {
        struct view_thing thing = view_thing_event(under);
        view_stage_seek(stage, under);
        view_stage_select(stage, &thing);
    } else if (under != 0) {
        char clock[48];
        char sentence[320];
        char text[420];
        const struct kb_event *event = sim_event_log_get(frame->log, under);
        view_format_clock(event->time_us, clock, sizeof clock);
        sim_event_sentence(frame->log, event, sentence, sizeof sentence);
        if (others > 0) {
            snprintf(text, sizeof text, "%s: %s (and %" PRIu32 " more here)", clock, sentence, others);
        } else {
            snprintf(text, sizeof text, "%s: %s", clock, sentence);
        }
        struct view_point at = ui->input->mouse;
        struct view_rect target = {at.x - VIEW_PX(4), at.y - VIEW_PX(10), VIEW_PX(8), VIEW_PX(20)};
        view_tooltip(ui, target, text);
    }
}

/* --- Ruler and lanes
 * --------------------------------------------------------------------------------------------------- */

/* 1, 2 or 5 times a power of ten. */
static int64_t round_step(int64_t least)
{
    int64_t step = 1;
    while (step < least) {
        step = step * 2 >= least ? step * 2 : step * 5 >= least ? step * 5 : step * 10;
    }
    return step;
}

static void draw_ruler(struct view_frame *frame, const struct timeline_area *area)
{
    const struct view_theme *theme = frame->theme;
    struct view_draw_list *list = frame->ui->list;
    int32_t labels = area->all.w / view_theme_px(theme, 96);
    int64_t step_us = round_step((area->to_us - area->from_us) / (labels > 0 ? labels : 1) + 1);
    int32_t bottom = area->ruler.y + area->ruler.h;
    int32_t floor = area->all.y + area->all.h;
    int64_t first_us = (area->from_us + step_us - 1) / step_us * step_us;
    for (int64_t at_us = first_us; at_us < area->to_us; at_us += step_us) {
        int32_t x = timeline_x(area, at_us);
        char text[48];
        view_format_duration(at_us, text, sizeof text);
        int32_t width = view_theme_px(theme, 88);
        struct view_rect label = {x - width / 2, area->ruler.y, width, area->ruler.h - theme->space_1};
        char clock[48];
        view_format_clock(frame->now_us, clock, sizeof clock);
        int32_t pill = view_label_width(frame->ui, theme->mono_small_strong, clock) + theme->space_2;
        int32_t own = view_label_width(frame->ui, theme->mono_small, text);
        int32_t away = x - timeline_x(area, frame->now_us);
        bool is_hidden = (away < 0 ? -away : away) < (pill + own) / 2 + theme->space_1;
        int32_t over = label.x + label.w - (area->all.x + area->all.w + theme->space_2);
        enum view_align align = over > width / 3 ? VIEW_ALIGN_RIGHT : VIEW_ALIGN_CENTER;
        label.x -= align == VIEW_ALIGN_RIGHT ? over : 0;
        view_label(frame->ui, label, theme->mono_small, theme->text_faint, align,
                   is_hidden    ? ""
                   : at_us == 0 ? "0 ms"
                                : text);
        view_draw_line(list, (struct view_point){x, bottom}, (struct view_point){x, floor},
                       view_color_with_alpha(theme->line, 130), theme->stroke);
    }
}

static int32_t height_for(uint32_t count, int32_t full)
{
    uint32_t bits = 0;
    while (count >> bits > 1 && bits < 10) {
        bits++;
    }
    return full / 2 + (int32_t)((int64_t)(full / 2) * bits / 10);
}

static void draw_lane(struct view_frame *frame, const struct timeline_area *area, uint32_t lane,
                      const struct view_lane_cell *cells, uint32_t columns)
{
    const struct view_theme *theme = frame->theme;
    struct view_draw_list *list = frame->ui->list;
    struct view_rect rect = area->lanes[lane];
    int32_t full = rect.h * 3 / 4;
    int32_t now_x = timeline_x(area, frame->now_us);
    int32_t width = VIEW_PX(COLUMN_PX);
    for (uint32_t i = 0; i < columns; i++) {
        const struct view_lane_cell *cell = &cells[i];
        if (cell->count == 0) {
            continue;
        }
        struct view_hue hue = view_hue_of(frame, cell->topic, cell->partition);
        int32_t x = rect.x + (int32_t)i * width;
        int32_t height = height_for(cell->count, full);
        struct view_rect tick = {x, rect.y + (rect.h - height) / 2, width - VIEW_PX(0.25), height};
        uint32_t alpha = x > now_x ? 100 : cell->topic == 0 ? 170 : 230;
        view_draw_rect(list, tick, view_color_with_alpha(hue.fill, alpha));
        if (cell->errors > 0) {
            struct view_rect notch = {x - VIEW_PX(0.5), rect.y + rect.h - VIEW_PX(4), width + VIEW_PX(1),
                                      VIEW_PX(4)};
            view_draw_rect(list, notch, view_color_with_alpha(theme->fail.fill, x > now_x ? 140 : 255));
        }
    }
}

static void draw_lanes(struct view_frame *frame, const struct timeline_area *area, struct view_rect rect)
{
    static const char *const names[TIMELINE_LANES] = {"app",     "sender", "network",
                                                      "brokers", "faults", "branches"};
    const struct view_theme *theme = frame->theme;
    struct view_stage *stage = frame->stage;
    uint32_t columns = (uint32_t)(area->all.w / VIEW_PX(COLUMN_PX));
    columns = columns > VIEW_LANE_COLUMNS_MAX ? VIEW_LANE_COLUMNS_MAX : columns > 0 ? columns : 1;
    const struct view_lane_cell *cells = NULL;
    if (stage->lanes == NULL) {
        stage->lanes = view_lane_index_create();
    }
    if (stage->lanes != NULL) {
        if (!view_lane_index_update(stage->lanes, frame->log, EVENTS_A_FRAME)) {
            stage->is_dirty = true;
        }
        cells = view_lane_index_query(stage->lanes, area->from_us, area->to_us, columns);
    }
    for (uint32_t lane = 0; lane < TIMELINE_LANES; lane++) {
        struct view_rect strip = area->lanes[lane];
        struct view_rect name = {rect.x + theme->space_3, strip.y, strip.x - rect.x - theme->space_4,
                                 strip.h};
        bool is_last = lane == TIMELINE_LANE_BRANCHES;
        name.h = is_last ? area->lanes[0].h : name.h;
        view_label(frame->ui, name, theme->label, theme->text_muted, VIEW_ALIGN_LEFT, names[lane]);
        if (lane < KB_LANE_FAULT) {
            view_draw_rect(frame->ui->list,
                           (struct view_rect){strip.x, strip.y + strip.h / 2, strip.w, theme->stroke},
                           view_color_with_alpha(theme->line, 160));
            if (cells != NULL) {
                draw_lane(frame, area, lane, cells + (size_t)lane * columns, columns);
            }
        }
    }
}

static void draw_playhead(struct view_frame *frame, const struct timeline_area *area)
{
    const struct view_theme *theme = frame->theme;
    struct view_draw_list *list = frame->ui->list;
    int32_t x = timeline_x(area, frame->now_us);
    if (x < area->all.x - VIEW_PX(1) || x > area->all.x + area->all.w + VIEW_PX(1)) {
        return;
    }
    char text[48];
    view_format_clock(frame->now_us, text, sizeof text);
    int32_t width = view_label_width(frame->ui, theme->mono_small_strong, text) + theme->space_2;
    struct view_rect pill = {x - width / 2, area->ruler.y, width, area->ruler.h - theme->space_1};
    int32_t least = area->all.x - theme->space_6;
    int32_t most = area->all.x + area->all.w + theme->space_3 - width;
    pill.x = pill.x < least ? least : pill.x > most ? most : pill.x;
    int32_t bottom = area->all.y + area->all.h;
    int32_t wing = view_theme_px(theme, 5);
    int32_t neck = pill.y + pill.h;
    view_draw_rect(list, (struct view_rect){x - theme->stroke, neck, 2 * theme->stroke, bottom - neck},
                   theme->text);
    view_draw_triangle(list, (struct view_point){x - wing, neck - VIEW_PX(1)},
                       (struct view_point){x + wing, neck - VIEW_PX(1)}, (struct view_point){x, neck + wing},
                       theme->text);
    view_draw_box(list, pill, theme->space_1, theme->text, VIEW_NONE, 0);
    view_label(frame->ui, pill, theme->mono_small_strong, theme->background, VIEW_ALIGN_CENTER, text);
}

/* What is not computed yet: hatched, with how far it is. */
static void draw_progress(struct view_frame *frame, const struct timeline_area *area)
{
    if (!area->is_computing) {
        return;
    }
    const struct view_theme *theme = frame->theme;
    int32_t from = timeline_x(area, area->computed_us);
    int32_t to = timeline_x(area, area->end_us);
    from = from < area->all.x ? area->all.x : from;
    to = to > area->all.x + area->all.w ? area->all.x + area->all.w : to;
    if (to <= from) {
        return;
    }
    struct view_rect rest = {from, area->ruler.y + area->ruler.h, to - from, area->all.h - area->ruler.h};
    view_draw_pattern_box(frame->ui->list, rest, 0, view_color_with_alpha(theme->background, 120),
                          VIEW_PATTERN_DIAGONAL, view_color_with_alpha(theme->line_strong, 90));
    char text[64];
    uint32_t permille = frame->stage->host.progress(frame->stage->host.context);
    snprintf(text, sizeof text, "computing … %" PRIu32 " %%", permille / 10);
    if (view_label_width(frame->ui, theme->label, text) + theme->space_4 < rest.w) {
        view_label(frame->ui, rest, theme->label, theme->text_muted, VIEW_ALIGN_CENTER, text);
    }
}

static void draw_whole_run_button(struct view_frame *frame, struct view_rect rect)
{
    struct view_timeline_state *state = &frame->stage->timeline;
    if (state->to_us <= state->from_us) {
        return;
    }
    const struct view_theme *theme = frame->theme;
    struct view_rect button = {rect.x + theme->space_2, rect.y + theme->space_1, view_theme_px(theme, 44),
                               view_theme_px(theme, 20)};
    if (view_button(frame->ui, view_id_make(VIEW_HIT_TIMELINE_ALL, 0, 0), button, "all", VIEW_CONTROL_QUIET,
                    "Show the whole run again")) {
        state->from_us = state->to_us = 0;
        frame->stage->is_dirty = true;
    }
}

void view_draw_panel_timeline(struct view_frame *frame, struct view_rect rect)
{
    struct timeline_area area = {0};
    const struct view_theme *theme = frame->theme;
    view_draw_box(frame->ui->list, rect, theme->radius_panel, theme->panel, theme->line, theme->stroke);
    place_lanes(frame, rect, &area);
    place_time(frame, &area);
    answer_pointer(frame, &area);
    view_draw_clip_push(frame->ui->list, view_rect_inset(rect, theme->stroke, theme->stroke));
    draw_ruler(frame, &area);
    draw_lanes(frame, &area, rect);
    draw_progress(frame, &area);
    struct view_rect clip = {area.all.x - theme->space_2, rect.y, area.all.w + 2 * theme->space_2, rect.h};
    view_draw_clip_push(frame->ui->list, clip);
    timeline_draw_branches(frame, &area);
    timeline_draw_marks(frame, &area);
    view_draw_clip_pop(frame->ui->list);
    draw_playhead(frame, &area);
    draw_whole_run_button(frame, rect);
    view_draw_clip_pop(frame->ui->list);
}
