/*
 * What a run is remembered by: faults, elections, the ISR; and its branches.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/event_text.h"
#include "view/panel_timeline.h"
#include "view/stage_actions.h"
#include "view/verdict.h"

/* --- Marks
 * -------------------------------------------------------------------------------------------------------------
 */

enum mark_shape { MARK_TRIANGLE, MARK_CIRCLE, MARK_DIAMOND, MARK_SQUARE };

struct mark {
    enum mark_shape shape;
    struct view_hue hue;
    bool is_first_class; /* its label comes before others' */
    char label[96];
};

static void name_of(const struct view_frame *frame, uint32_t topic, int32_t partition, char *text,
                    size_t capacity)
{
    view_partition_name(frame, topic, partition, text, capacity);
}

static void fault_mark(const struct view_frame *frame, const struct kb_event_fault *fault, struct mark *mark)
{
    const struct view_theme *theme = frame->theme;
    const char *what = kb_field_value_text(KB_FIELD_FAULT_KIND, fault->fault);
    mark->shape = MARK_TRIANGLE;
    mark->hue = theme->fail;
    snprintf(mark->label, sizeof mark->label, "%s B%" PRId32, what != NULL ? what : "fault", fault->broker);
    if (fault->broker < 0) {
        char name[64] = "";
        if (fault->topic != 0) {
            name_of(frame, fault->topic, fault->partition, name, sizeof name);
        }
        snprintf(mark->label, sizeof mark->label, "%s %s", what != NULL ? what : "fault", name);
    }
    if (fault->point != KB_FAULT_POINT_NONE) {
        snprintf(mark->label, sizeof mark->label, "%s B%" PRId32 " %s", what != NULL ? what : "fault",
                 fault->broker, kb_field_value_text(KB_FIELD_FAULT_POINT, fault->point));
    }
    switch ((enum kb_fault_kind)fault->fault) {
    case KB_FAULT_KIND_RESTART:
    case KB_FAULT_KIND_THAW:
    case KB_FAULT_KIND_HEAL:
        mark->shape = MARK_CIRCLE;
        mark->hue = theme->ok;
        break;
    case KB_FAULT_KIND_SLOW_REPLICA:
        mark->hue = theme->warn;
        if (fault->ms > 0) {
            snprintf(mark->label, sizeof mark->label, "B%" PRId32 " fetches %" PRId64 " ms late",
                     fault->broker, fault->ms);
        } else {
            mark->shape = MARK_CIRCLE;
            mark->hue = theme->ok;
            snprintf(mark->label, sizeof mark->label, "B%" PRId32 " fetches at once", fault->broker);
        }
        break;
    case KB_FAULT_KIND_SLOW_DISK:
        mark->hue = theme->warn;
        snprintf(mark->label, sizeof mark->label, "B%" PRId32 " disk %" PRId64 " ms", fault->broker,
                 fault->ms);
        break;
    case KB_FAULT_KIND_MOVE_LEADER:
    case KB_FAULT_KIND_ADD_PARTITIONS:
    case KB_FAULT_KIND_THROTTLE:
        mark->shape = MARK_DIAMOND;
        mark->hue = theme->accent;
        break;
    case KB_FAULT_KIND_KILL:
    case KB_FAULT_KIND_FREEZE:
    case KB_FAULT_KIND_CUT:
    case KB_FAULT_KIND_DISCONNECT:
    case KB_FAULT_KIND_DROP_RESPONSE:
    case KB_FAULT_KIND_DROP_REQUEST:
    case KB_FAULT_KIND_DELAY_RESPONSE:
    case KB_FAULT_KIND_ERROR:
    case KB_FAULT_KIND_CORRUPT_BATCH:
    case KB_FAULT_KIND_SHUTDOWN:
        break;
    }
    for (char *at = mark->label; *at != '\0'; at++) {
        *at = *at == '_' ? ' ' : *at;
    }
}

/* Nothing has happened yet. */
static void armed_mark(const struct view_frame *frame, const struct kb_event_fault_armed *armed,
                       struct mark *mark)
{
    const char *what = kb_field_value_text(KB_FIELD_FAULT_KIND, armed->fault);
    const char *point = kb_field_value_text(KB_FIELD_FAULT_POINT, armed->point);
    mark->shape = MARK_DIAMOND;
    mark->hue = frame->theme->neutral;
    snprintf(mark->label, sizeof mark->label, "waiting: %s%s%s", what != NULL ? what : "fault",
             armed->point != KB_FAULT_POINT_NONE ? " " : "",
             armed->point != KB_FAULT_POINT_NONE && point != NULL ? point : "");
    for (char *at = mark->label; *at != '\0'; at++) {
        *at = *at == '_' ? ' ' : *at;
    }
}

static void describe(const struct view_frame *frame, const struct kb_event *event, struct mark *mark)
{
    const struct view_theme *theme = frame->theme;
    char name[64];
    *mark = (struct mark){.shape = MARK_SQUARE, .hue = theme->neutral};
    switch (event->kind) {
    case KB_EVENT_FAULT:
        mark->is_first_class = true;
        fault_mark(frame, &event->as.fault, mark);
        break;
    case KB_EVENT_FAULT_ARMED:
        mark->is_first_class = true;
        armed_mark(frame, &event->as.fault_armed, mark);
        break;
    case KB_EVENT_FOLLOWER_REFUSED:
        name_of(frame, event->as.follower_refused.topic, event->as.follower_refused.partition, name,
                sizeof name);
        mark->shape = MARK_TRIANGLE;
        mark->hue = theme->warn;
        snprintf(mark->label, sizeof mark->label, "%s: B%" PRId32 " refuses a batch", name,
                 event->as.follower_refused.broker);
        break;
    case KB_EVENT_SETTING_CHANGED:
        mark->is_first_class = true;
        mark->shape = MARK_DIAMOND;
        mark->hue = theme->accent;
        snprintf(mark->label, sizeof mark->label, "%s = %s",
                 sim_event_log_name(frame->log, event->as.setting_changed.setting),
                 sim_event_log_name(frame->log, event->as.setting_changed.value));
        break;
    case KB_EVENT_ISR_SHRUNK:
        name_of(frame, event->as.isr_shrunk.topic, event->as.isr_shrunk.partition, name, sizeof name);
        mark->shape = MARK_TRIANGLE;
        mark->hue = theme->warn;
        snprintf(mark->label, sizeof mark->label, "%s: B%" PRId32 " leaves the ISR", name,
                 event->as.isr_shrunk.broker);
        break;
    case KB_EVENT_ISR_EXPANDED:
        name_of(frame, event->as.isr_expanded.topic, event->as.isr_expanded.partition, name, sizeof name);
        mark->shape = MARK_CIRCLE;
        mark->hue = theme->ok;
        snprintf(mark->label, sizeof mark->label, "%s: B%" PRId32 " back in the ISR", name,
                 event->as.isr_expanded.broker);
        break;
    case KB_EVENT_LEADER_ELECTED:
        name_of(frame, event->as.leader_elected.topic, event->as.leader_elected.partition, name, sizeof name);
        mark->shape = MARK_DIAMOND;
        mark->hue = event->as.leader_elected.leader < 0 ? theme->fail : theme->warn;
        if (event->as.leader_elected.leader < 0) {
            snprintf(mark->label, sizeof mark->label, "%s: no leader", name);
        } else {
            snprintf(mark->label, sizeof mark->label, "%s: B%" PRId32 " leads", name,
                     event->as.leader_elected.leader);
        }
        break;
    case KB_EVENT_BROKER_DOWN:
        mark->hue = theme->fail;
        snprintf(mark->label, sizeof mark->label, "B%" PRId32 " is down", event->as.broker_down.broker);
        break;
    case KB_EVENT_BROKER_LOSS_NOTICED:
        snprintf(mark->label, sizeof mark->label, "controller misses B%" PRId32,
                 event->as.broker_loss_noticed.broker);
        break;
    case KB_EVENT_LOG_TRUNCATED:
        mark->hue = theme->fail;
        snprintf(mark->label, sizeof mark->label, "B%" PRId32 " truncates", event->as.log_truncated.broker);
        break;
    default:
        break;
    }
}

static void draw_shape(struct view_draw_list *list, struct view_point center, int32_t r,
                       const struct mark *mark)
{
    uint32_t color = mark->hue.ink;
    switch (mark->shape) {
    case MARK_TRIANGLE:
        view_draw_triangle(list, (struct view_point){center.x, center.y - r},
                           (struct view_point){center.x + r + r / 8, center.y + r},
                           (struct view_point){center.x - r - r / 8, center.y + r}, color);
        break;
    case MARK_CIRCLE:
        view_draw_circle(list, center, r, color, VIEW_NONE, 0);
        break;
    case MARK_DIAMOND: {
        struct view_point points[4] = {{center.x, center.y - r - r / 8},
                                       {center.x + r + r / 8, center.y},
                                       {center.x, center.y + r + r / 8},
                                       {center.x - r - r / 8, center.y}};
        view_draw_polygon(list, points, 4, color);
        break;
    }
    case MARK_SQUARE:
        view_draw_rect(list,
                       (struct view_rect){center.x - r * 3 / 4, center.y - r * 3 / 4, r * 3 / 2, r * 3 / 2},
                       color);
        break;
    }
}

/* Stretches of the lane that are taken by shapes and labels. */
enum { TAKEN_MAX = 160 };
struct taken {
    int32_t from[TAKEN_MAX], to[TAKEN_MAX];
    uint32_t count;
};

static bool is_free(const struct taken *taken, int32_t from, int32_t to)
{
    for (uint32_t i = 0; i < taken->count; i++) {
        if (from < taken->to[i] && taken->from[i] < to) {
            return false;
        }
    }
    return taken->count < TAKEN_MAX;
}

static void take(struct taken *taken, int32_t from, int32_t to)
{
    if (taken->count < TAKEN_MAX) {
        taken->from[taken->count] = from;
        taken->to[taken->count++] = to;
    }
}

static void draw_mark(struct view_frame *frame, struct view_rect lane, int32_t x, uint64_t sequence,
                      const struct kb_event *event, struct taken *taken, bool is_label_turn)
{
    const struct view_theme *theme = frame->theme;
    struct mark mark;
    describe(frame, event, &mark);
    int32_t r = view_theme_px(theme, 5);
    struct view_point center = {x, lane.y + lane.h / 2};
    view_id id = view_id_make(VIEW_HIT_TIMELINE_MARK, (uint32_t)sequence, 0);
    if (!is_label_turn) {
        char sentence[256];
        sim_event_sentence(frame->log, event, sentence, sizeof sentence);
        struct view_rect hit = {x - r, lane.y, 2 * r, lane.h};
        draw_shape(frame->ui->list, center, r, &mark);
        view_draw_hit(frame->ui->list, id, hit, VIEW_HIT_FOCUSABLE, sentence);
        if (frame->ui->activated == id) {
            struct view_thing thing = view_thing_event(sequence);
            frame->stage->is_playing = false;
            view_stage_seek(frame->stage, sequence);
            view_stage_select(frame->stage, &thing);
        }
        return;
    }
    int32_t from = x + r + theme->space_1;
    int32_t width = view_label_width(frame->ui, theme->label, mark.label);
    if (from + width < frame->ui->list->width && is_free(taken, from, from + width + theme->space_2)) {
        struct view_rect label = {from, lane.y, width + VIEW_PX(1), lane.h};
        view_label(frame->ui, label, theme->label, mark.hue.ink, VIEW_ALIGN_LEFT, mark.label);
        take(taken, from, from + width + theme->space_2);
    }
}

/* Of one kind and within reach of the one before they are one: a cross, and how many records it is about. */
static void draw_verdicts(struct view_frame *frame, const struct timeline_area *area, struct taken *taken,
                          bool is_label)
{
    const struct view_theme *theme = frame->theme;
    uint32_t count = 0;
    const struct model_fate *fates =
        frame->stage->verdicts != NULL ? sim_verdicts_list(frame->stage->verdicts, &count) : NULL;
    struct view_rect lane = area->lanes[KB_LANE_FAULT];
    int32_t r = view_theme_px(theme, 5);
    for (uint32_t i = 0; i < count;) {
        const struct model_fate *first = &fates[i];
        int64_t time_us = sim_event_log_get(frame->log, first->event)->time_us;
        int32_t x = timeline_x(area, time_us);
        uint32_t records = 0;
        for (; i < count && fates[i].kind == first->kind &&
               timeline_x(area, sim_event_log_get(frame->log, fates[i].event)->time_us) - x < 3 * r;
             i++) {
            records += fates[i].records;
        }
        if (time_us < area->from_us || time_us > area->to_us) {
            continue;
        }
        char label[48];
        snprintf(label, sizeof label, "%" PRIu32 " %s", records,
                 verdict_tag((enum model_fate_kind)first->kind));
        uint32_t color = view_color_with_alpha(theme->fail.ink, time_us > frame->now_us ? 150 : 255);
        if (is_label) {
            int32_t from = x + r + theme->space_1;
            int32_t width = view_label_width(frame->ui, theme->label, label);
            if (from + width < frame->ui->list->width &&
                is_free(taken, from, from + width + theme->space_2)) {
                view_label(frame->ui, (struct view_rect){from, lane.y, width + VIEW_PX(1), lane.h},
                           theme->label, color, VIEW_ALIGN_LEFT, label);
                take(taken, from, from + width + theme->space_2);
            }
            continue;
        }
        int32_t y = lane.y + lane.h / 2;
        struct view_rect hit = {x - r, y - r, 2 * r, 2 * r};
        view_draw_line(frame->ui->list, (struct view_point){x - r, y - r}, (struct view_point){x + r, y + r},
                       color, theme->stroke_strong);
        view_draw_line(frame->ui->list, (struct view_point){x - r, y + r}, (struct view_point){x + r, y - r},
                       color, theme->stroke_strong);
        view_id id = view_id_make(VIEW_HIT_TIMELINE_MARK, (uint32_t)first->event, 2);
        view_draw_hit(frame->ui->list, id, hit, VIEW_HIT_FOCUSABLE, label);
        take(taken, x - r, x + r);
        if (frame->ui->activated == id) {
            struct view_thing thing = view_thing_event(first->event);
            frame->stage->is_playing = false;
            view_stage_seek(frame->stage, first->event);
            view_stage_select(frame->stage, &thing);
        }
    }
}

/* Shapes first, so that no label covers one; then the labels of faults, then the others' where there is room.
 */
void timeline_draw_marks(struct view_frame *frame, const struct timeline_area *area)
{
    uint32_t count = 0;
    if (frame->stage->lanes == NULL) {
        return;
    }
    const uint64_t *marks = view_lane_index_marks(frame->stage->lanes, &count);
    struct view_rect lane = area->lanes[KB_LANE_FAULT];
    struct taken taken = {.count = 0};
    int32_t reach = view_theme_px(frame->theme, 6);
    for (uint32_t turn = 0; turn < 3; turn++) {
        if (turn > 0) { /* over other shapes, and named before what is not a fault */
            draw_verdicts(frame, area, &taken, turn == 2);
        }
        int32_t last_x = INT32_MIN / 2;
        for (uint32_t i = 0; i < count; i++) {
            const struct kb_event *event = sim_event_log_get(frame->log, marks[i]);
            if (event->time_us < area->from_us || event->time_us > area->to_us) {
                continue;
            }
            int32_t x = timeline_x(area, event->time_us);
            bool is_first_class = event->kind == KB_EVENT_FAULT || event->kind == KB_EVENT_SETTING_CHANGED;
            if (!is_first_class && x - last_x < reach) {
                continue; /* under the one before */
            }
            last_x = x;
            if (turn == 0) {
                draw_mark(frame, lane, x, marks[i], event, &taken, false);
                take(&taken, x - reach, x + reach - VIEW_PX(2));
            } else if (is_first_class == (turn == 1)) {
                draw_mark(frame, lane, x, marks[i], event, &taken, true);
            }
        }
    }
}

/* --- Branches
 * ----------------------------------------------------------------------------------------------------------
 */

static int32_t branch_step(const struct timeline_area *area, uint32_t count, int32_t line)
{
    struct view_rect lane = area->lanes[TIMELINE_LANE_BRANCHES];
    int32_t room = lane.h - area->lanes[0].h / 2 - line / 2;
    int32_t step = count > 1 ? room / (int32_t)(count - 1) : 0;
    return step > line ? line : step;
}

static int32_t branch_y(const struct timeline_area *area, uint32_t index, uint32_t count, int32_t line)
{
    int32_t first = area->lanes[TIMELINE_LANE_BRANCHES].y + area->lanes[0].h / 2;
    return first + (int32_t)index * branch_step(area, count, line);
}

static void draw_branch(struct view_frame *frame, const struct timeline_area *area, uint32_t index,
                        uint32_t count)
{
    const struct view_theme *theme = frame->theme;
    struct view_draw_list *list = frame->ui->list;
    const struct view_branch *branch = frame->stage->host.branch(frame->stage->host.context, index);
    bool is_current = frame->stage->host.current_branch(frame->stage->host.context) == index;
    if (branch == NULL) {
        return;
    }
    int32_t line = view_theme_px(theme, 16);
    int32_t y = branch_y(area, index, count, line);
    int32_t end = timeline_x(area, is_current ? area->computed_us : area->end_us);
    int32_t start = timeline_x(area, index > 0 ? branch->from_us : 0);
    uint32_t color = is_current ? theme->accent.ink : theme->pool.ink;
    int32_t width = is_current ? VIEW_PX(3) : VIEW_PX(1.5);
    if (index > 0) {
        int32_t parent_y = branch_y(area, branch->parent, count, line);
        int32_t bend = view_theme_px(theme, 20);
        view_draw_curve(list, (struct view_point){start, parent_y}, (struct view_point){start + bend, y},
                        color, width, 0, 0);
        view_draw_circle(list, (struct view_point){start, parent_y}, view_theme_px(theme, 3), color,
                         VIEW_NONE, 0);
        start += bend;
    }
    if (end > start) {
        view_draw_line(list, (struct view_point){start, y}, (struct view_point){end, y}, color, width);
    }
    view_id id = view_id_make(VIEW_HIT_BRANCH, index, 0);
    struct view_rect hit = {start, y - line / 4, end > start ? end - start : VIEW_PX(8), line / 2};
    view_draw_hit(list, id, hit, VIEW_HIT_FOCUSABLE, branch->title);
    if (frame->ui->activated == id && !is_current) {
        view_act_branch(frame->stage, index);
    }
    if (is_current && branch->differs_at > 0 && branch->differs_at <= sim_event_log_count(frame->log)) {
        int32_t x = timeline_x(area, sim_event_log_get(frame->log, branch->differs_at)->time_us);
        struct mark mark = {.shape = MARK_DIAMOND, .hue = theme->accent};
        draw_shape(list, (struct view_point){x, y}, view_theme_px(theme, 5), &mark);
        view_id at = view_id_make(VIEW_HIT_TIMELINE_MARK, (uint32_t)branch->differs_at, 1);
        view_draw_hit(list, at, (struct view_rect){x - VIEW_PX(6), y - VIEW_PX(6), VIEW_PX(12), VIEW_PX(12)},
                      VIEW_HIT_FOCUSABLE, "The first event that differs from the branch it parts from");
        if (frame->ui->activated == at) {
            frame->stage->is_playing = false;
            view_stage_seek(frame->stage, branch->differs_at);
        }
    }
}

/* After all lines: a fork must not cross a name. */
static void draw_branch_title(struct view_frame *frame, const struct timeline_area *area, uint32_t index,
                              uint32_t count)
{
    const struct view_theme *theme = frame->theme;
    const struct view_host *host = &frame->stage->host;
    const struct view_branch *branch = host->branch(host->context, index);
    bool is_current = host->current_branch(host->context) == index;
    int32_t line = view_theme_px(theme, 16);
    int32_t y = branch_y(area, index, count, line);
    int32_t start = timeline_x(area, branch->from_us) + view_theme_px(theme, 20);
    int32_t end = timeline_x(area, area->end_us);
    int32_t wide = view_label_width(frame->ui, theme->label, branch->title);
    bool has_room = branch_step(area, count, line) >= view_theme_px(theme, 11) || is_current;
    /* Behind whatever parts from this one right there. */
    for (uint32_t i = index + 1; i < count; i++) {
        const struct view_branch *child = host->branch(host->context, i);
        int32_t fork = timeline_x(area, child->from_us);
        if (child->parent == index && fork > start - theme->space_6 && fork < start + wide + theme->space_4) {
            start = fork + view_theme_px(theme, 24);
        }
    }
    if (has_room && wide + theme->space_4 < end - start) {
        int32_t high = view_theme_px(theme, 12);
        struct view_rect label = {start + theme->space_2, y - high / 2, wide + theme->space_2, high};
        view_draw_rect(frame->ui->list, label, theme->panel);
        view_label(frame->ui, label, theme->label, is_current ? theme->accent.ink : theme->pool.ink,
                   VIEW_ALIGN_CENTER, branch->title);
    }
}

void timeline_draw_branches(struct view_frame *frame, const struct timeline_area *area)
{
    const struct view_host *host = &frame->stage->host;
    uint32_t count = host->branch_count != NULL ? host->branch_count(host->context) : 0;
    for (uint32_t i = 0; i < count; i++) {
        draw_branch(frame, area, i, count);
    }
    for (uint32_t i = 1; i < count; i++) {
        draw_branch_title(frame, area, i, count);
    }
}
