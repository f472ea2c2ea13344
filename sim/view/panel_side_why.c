/*
 * Why: one sentence, the reasons as lamps, where Kafka decides it, and what led there.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/event_text.h"
#include "view/glossary.h"
#include "view/panel_side.h"
#include "view/story.h"

enum { CAUSES_SHOWN = 4 };

static void draw_method(struct side_column *column, const struct story *story)
{
    if (strcmp(story->method, "-") == 0) {
        return;
    }
    struct view_frame *frame = column->frame;
    const struct view_theme *theme = frame->theme;
    char method[96];
    snprintf(method, sizeof method, "%s%s", story->method, strchr(story->method, '.') != NULL ? "()" : "");
    /* A name that is too long goes on below, from its dot on. */
    char *dot = strchr(method, '.');
    bool is_long =
        view_label_width(frame->ui, theme->mono, method) > column->w - 2 * theme->space_3 && dot != NULL;
    int32_t lines = 2 + (story->rule != NULL) + is_long;
    struct view_rect box = {column->x, column->y, column->w, lines * theme->row_height + theme->space_3};
    view_draw_box(frame->ui->list, box, theme->radius_card, theme->background, theme->line, theme->stroke);
    view_draw_hit(frame->ui->list, view_id_make(VIEW_HIT_METHOD, 0, 0), box, 0, method);
    struct view_rect inside = view_rect_inset(box, theme->space_3, theme->space_1 + theme->space_1 / 2);
    view_label(frame->ui, view_rect_cut_top(&inside, theme->row_height), theme->label, theme->text_faint,
               VIEW_ALIGN_LEFT, "in Kafka 3.0.0");
    struct view_rect line = view_rect_cut_top(&inside, theme->row_height);
    if (is_long) {
        struct view_rect below = view_rect_cut_top(&inside, theme->row_height);
        view_rect_cut_left(&below, theme->space_3);
        view_label(frame->ui, below, theme->mono, theme->accent.ink, VIEW_ALIGN_LEFT, dot);
        *dot = '\0';
    }
    view_label(frame->ui, line, theme->mono, theme->accent.ink, VIEW_ALIGN_LEFT, method);
    if (story->rule != NULL) {
        view_label(frame->ui, view_rect_cut_top(&inside, theme->row_height), theme->label, theme->text_muted,
                   VIEW_ALIGN_LEFT, story->rule);
    }
    column->y += box.h + theme->space_2;
}

static void draw_lamps(struct side_column *column, const struct story *story)
{
    struct view_frame *frame = column->frame;
    const struct view_theme *theme = frame->theme;
    if (story->lamp_count == 0) {
        return;
    }
    side_caption(column, story->is_left ? "Left because" : "Held because");
    for (uint32_t i = 0; i < story->lamp_count; i++) {
        const struct story_lamp *lamp = &story->lamps[i];
        char name[48];
        snprintf(name, sizeof name, "%s", lamp->name);
        for (char *at = name; *at != '\0'; at++) {
            *at = *at == '_' ? ' ' : *at;
        }
        struct view_rect row = {column->x, column->y, column->w, theme->row_height};
        view_id id = view_id_make(VIEW_HIT_LAMP, lamp->bit, story->is_left);
        bool clicked =
            view_lamp_row(frame->ui, id, row, lamp->is_lit ? VIEW_LAMP_ON : VIEW_LAMP_OFF, theme->warn, name,
                          lamp->detail[0] != '\0' ? lamp->detail : NULL, lamp->text);
        if (clicked && lamp->is_lit) {
            uint64_t cause = story_cause_of_lamp(frame, story->event, story->is_left, lamp->bit);
            if (cause > 0) {
                side_go_to(frame->stage, cause);
            }
        }
        column->y += theme->row_height;
    }
    side_gap(column, theme->space_2);
}

/* The log's own cause, else where the reason that held comes from. */
static uint64_t first_cause(const struct view_frame *frame, const struct story *story)
{
    uint64_t cause = sim_event_log_cause(frame->log, story->event);
    for (uint32_t i = 0; i < story->lamp_count && cause == 0; i++) {
        if (story->lamps[i].is_lit) {
            cause = story_cause_of_lamp(frame, story->event, story->is_left, story->lamps[i].bit);
        }
    }
    return cause;
}

static void draw_causes(struct side_column *column, const struct story *story)
{
    if (story->cause_count > 0) {
        side_caption(column, "What led there");
        for (uint32_t i = 0; i < story->cause_count; i++) {
            side_event_line(column, story->causes[i], NULL);
        }
        return;
    }
    uint64_t cause = first_cause(column->frame, story);
    if (cause == 0) {
        return;
    }
    side_caption(column, "What led there");
    for (uint32_t i = 0; i < CAUSES_SHOWN && cause > 0; i++) {
        side_event_line(column, cause, "because ");
        cause = sim_event_log_cause(column->frame->log, cause);
    }
}

static const char *selected_hint(const struct view_frame *frame)
{
    return frame->stage->selected.kind == VIEW_THING_NONE ? "newest event" : "selected";
}

void side_draw_why(struct side_column *column)
{
    struct view_frame *frame = column->frame;
    const struct view_theme *theme = frame->theme;
    struct story story;
    story_tell(frame, story_event(frame), &story);
    if (story.event == 0) {
        side_paragraph(column, theme->heading, theme->text, "Nothing has happened yet");
        side_paragraph(column, theme->body, theme->text_muted,
                       "Space plays the run. Click on anything to ask why it is as it is.");
        return;
    }
    side_paragraph(column, theme->heading, story.is_failure ? theme->fail.ink : theme->text, story.title);
    char when[48];
    char line[96];
    view_format_clock(sim_event_log_get(frame->log, story.event)->time_us, when, sizeof when);
    snprintf(line, sizeof line, "%s · %s", when, selected_hint(frame));
    side_paragraph(column, theme->mono_small, theme->text_faint, line);
    side_gap(column, theme->space_1);
    side_paragraph(column, theme->body, theme->text_muted, story.sentence);
    side_gap(column, theme->space_2);
    if (story.is_verdict) {
        side_draw_verdicts_now(column);
        side_gap(column, theme->space_2);
    }
    draw_method(column, &story);
    draw_lamps(column, &story);
    draw_causes(column, &story);
    /* At the bottom, where there is room for it. */
    int32_t height = 7 * theme->row_height;
    if (column->y + height + theme->space_4 < column->bottom) {
        side_separator(column);
        side_draw_ledger_now(column);
        if (!story.is_verdict) {
            side_draw_verdicts_now(column);
        }
    }
}
