/*
 * The panel at the right: its tabs, and what all of them write with.
 */
#include "view/panel_side.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/event_text.h"

void side_gap(struct side_column *column, int32_t height)
{
    column->y += height;
}

void side_separator(struct side_column *column)
{
    const struct view_theme *theme = column->frame->theme;
    column->y += theme->space_2;
    view_separator(column->frame->ui, column->x, column->y, column->w);
    column->y += theme->space_2;
}

void side_caption(struct side_column *column, const char *text)
{
    const struct view_theme *theme = column->frame->theme;
    struct view_rect rect = {column->x, column->y, column->w, theme->row_height};
    view_label(column->frame->ui, rect, theme->body_strong, theme->text, VIEW_ALIGN_LEFT, text);
    column->y += rect.h + theme->space_1 / 2;
}

void side_paragraph(struct side_column *column, struct view_font font, uint32_t color, const char *text)
{
    int32_t height = view_paragraph_height(column->frame->ui, column->w, font, text);
    struct view_rect rect = {column->x, column->y, column->w, height};
    view_paragraph(column->frame->ui, rect, font, color, text);
    column->y += height;
}

void side_row(struct side_column *column, const char *key, const char *value, uint32_t color, const char *tip)
{
    const struct view_theme *theme = column->frame->theme;
    struct view_rect rect = {column->x, column->y, column->w, theme->row_height};
    int32_t key_width = view_label_width(column->frame->ui, theme->label, key);
    int32_t room = rect.w - key_width - theme->space_2;
    int32_t least = rect.w / 3;
    room = room < least ? least : room;
    struct view_rect right = view_rect_cut_right(&rect, room);
    view_label(column->frame->ui, right, theme->mono, color, VIEW_ALIGN_RIGHT, value);
    view_label(column->frame->ui, rect, theme->label, theme->text_muted, VIEW_ALIGN_LEFT, key);
    if (tip != NULL) {
        view_id id = view_id_make(VIEW_HIT_TERM, 1000 + (uint32_t)(column->y & 0xffff), 1);
        view_draw_hit(column->frame->ui->list, id,
                      (struct view_rect){column->x, column->y, column->w, theme->row_height}, 0, tip);
    }
    column->y += theme->row_height;
}

void side_row_number(struct side_column *column, const char *key, int64_t value)
{
    char text[40];
    view_format_count(value, text, sizeof text);
    side_row(column, key, text, column->frame->theme->text, NULL);
}

void side_row_bytes(struct side_column *column, const char *key, int64_t bytes)
{
    char text[48];
    view_format_bytes(bytes, text, sizeof text);
    side_row(column, key, text, column->frame->theme->text, NULL);
}

void side_row_time(struct side_column *column, const char *key, int64_t time_us)
{
    char text[48];
    if (time_us >= 0) {
        view_format_clock(time_us, text, sizeof text);
        side_row(column, key, text, column->frame->theme->text, NULL);
    }
}

void side_event_name(const struct kb_event *event, char *text, size_t capacity)
{
    snprintf(text, capacity, "%s", kb_event_info(event->kind)->name);
    for (char *at = text; *at != '\0'; at++) {
        *at = *at == '_' ? ' ' : *at;
    }
}

void side_go_to(struct view_stage *stage, uint64_t sequence)
{
    struct view_thing thing = view_thing_event(sequence);
    stage->is_playing = false;
    view_stage_seek(stage, sequence);
    view_stage_select(stage, &thing);
}

/* Two lines at most: what is longer is in the tooltip. */
void side_event_line(struct side_column *column, uint64_t sequence, const char *prefix)
{
    struct view_frame *frame = column->frame;
    const struct view_theme *theme = frame->theme;
    char sentence[256];
    char text[320];
    sim_event_sentence(frame->log, sim_event_log_get(frame->log, sequence), sentence, sizeof sentence);
    snprintf(text, sizeof text, "%s%s", prefix != NULL ? prefix : "", sentence);
    int32_t indent = theme->space_3;
    int32_t width = column->w - indent - theme->space_1;
    int32_t height = view_paragraph_height(frame->ui, width, theme->label, text);
    int32_t line = view_paragraph_height(frame->ui, width, theme->label, "x");
    height = height > 2 * line ? 2 * line : height;
    struct view_rect row = {column->x, column->y, column->w, height + theme->space_1};
    view_id id = view_id_make(VIEW_HIT_EVENT_LINE, (uint32_t)sequence, 0);
    bool hot = frame->ui->hot == id;
    if (hot) {
        view_draw_box(frame->ui->list, row, theme->space_1, theme->card_hot, VIEW_NONE, 0);
    }
    struct view_rect bar = {row.x, row.y + theme->space_1, theme->stroke_strong, row.h - 2 * theme->space_1};
    view_draw_rect(frame->ui->list, bar, hot ? theme->accent.ink : theme->line_strong);
    view_paragraph(frame->ui, (struct view_rect){row.x + indent, row.y + theme->space_1 / 2, width, height},
                   theme->label, hot ? theme->text : theme->text_muted, text);
    view_draw_hit(frame->ui->list, id, row, VIEW_HIT_FOCUSABLE, text);
    if (frame->ui->activated == id) {
        side_go_to(frame->stage, sequence);
    }
    column->y += row.h + theme->space_1 / 2;
}

/* --- The panel
 * ---------------------------------------------------------------------------------------------------------
 */

static void draw_tab(struct side_column *column, enum view_tab tab)
{
    switch (tab) {
    case VIEW_TAB_WHY:
        side_draw_why(column);
        break;
    case VIEW_TAB_INSPECT:
        side_draw_inspect(column);
        break;
    case VIEW_TAB_CONFIG:
        side_draw_config(column);
        break;
    case VIEW_TAB_PLOTS:
        side_draw_plots(column);
        break;
    case VIEW_TAB_LEDGER:
        side_draw_ledger(column);
        break;
    case VIEW_TAB_COUNT:
        break;
    }
}

void view_draw_panel_side(struct view_frame *frame, struct view_rect rect)
{
    static const char *const labels[VIEW_TAB_COUNT] = {"Why", "Inspect", "Config", "Plots", "Ledger"};
    const struct view_theme *theme = frame->theme;
    struct view_side_state *side = &frame->stage->side;
    view_draw_box(frame->ui->list, rect, theme->radius_panel, theme->panel, theme->line, theme->stroke);
    struct view_rect inside = view_rect_inset(rect, theme->stroke, theme->stroke);
    struct view_rect tabs = view_rect_cut_top(&inside, view_theme_px(theme, 34));
    uint32_t tab =
        view_tabs(frame->ui, view_id_make(VIEW_HIT_TAB, 0, 0), tabs, labels, VIEW_TAB_COUNT, side->tab);
    if (tab != side->tab) {
        side->tab = (enum view_tab)tab;
        frame->stage->is_dirty = true;
    }
    struct view_rect area = view_rect_inset(inside, theme->space_3, theme->space_2);
    /* The bar stands in the margin: if it took its room from the content, the content's height would depend
     * on whether there is one, and there being one on the height. */
    struct view_rect with_bar = area;
    with_bar.w += theme->scrollbar_width + theme->space_1;
    struct view_rect content =
        view_scroll_begin(frame->ui, view_id_make(VIEW_HIT_SIDE_SCROLL, side->tab, 0), with_bar,
                          side->content_height[side->tab], &side->scroll[side->tab]);
    struct side_column column = {frame, content.x, content.y, area.w, area.y + area.h};
    draw_tab(&column, side->tab);
    int32_t height = column.y - content.y;
    if (height != side->content_height[side->tab]) {
        side->content_height[side->tab] = height;
        frame->stage->is_dirty = true;
    }
    view_scroll_end(frame->ui);
}
