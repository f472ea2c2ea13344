/* Lines over time. */
#include "view/widget_private.h"

#define MOST_POINTS 512

static void extent(const struct view_series *series, int32_t *min, int32_t *max)
{
    for (uint32_t i = 0; i < series->count; i++) {
        *min = series->values[i] < *min ? series->values[i] : *min;
        *max = series->values[i] > *max ? series->values[i] : *max;
    }
}

/* More values than the line can show: each point takes the highest of its share, so that no peak is lost. */
static int32_t value_at(const struct view_series *series, uint32_t index, uint32_t points)
{
    uint64_t from = (uint64_t)index * series->count / points;
    uint64_t to = ((uint64_t)index + 1) * series->count / points;
    int32_t highest = series->values[from];
    for (uint64_t i = from; i < to; i++) {
        highest = series->values[i] > highest ? series->values[i] : highest;
    }
    return highest;
}

static void draw_line(struct view_ui *ui, struct view_rect rect, const struct view_series *series,
                      int32_t min, int32_t max)
{
    struct view_point path[MOST_POINTS];
    uint32_t points = series->count < MOST_POINTS ? series->count : MOST_POINTS;
    int32_t width_px = rect.w / 16;
    points = width_px > 1 && (uint32_t)width_px < points ? (uint32_t)width_px : points;
    if (points < 2 || max <= min) {
        return;
    }
    for (uint32_t i = 0; i < points; i++) {
        int64_t rise = (int64_t)value_at(series, i, points) - min;
        path[i].x = rect.x + (int32_t)((int64_t)rect.w * i / (points - 1));
        path[i].y = rect.y + rect.h - (int32_t)(rise * rect.h / ((int64_t)max - min));
    }
    view_draw_polyline(ui->list, path, points, series->hue.ink, VIEW_PX(1.5));
}

void view_sparkline(struct view_ui *ui, struct view_rect rect, const struct view_series *series)
{
    int32_t min = 0;
    int32_t max = 0;
    extent(series, &min, &max);
    view_draw_clip_push(ui->list, rect);
    draw_line(ui, view_rect_inset(rect, 0, VIEW_PX(1)), series, min, max > min ? max : min + 1);
    view_draw_clip_pop(ui->list);
}

static void draw_legend(struct view_ui *ui, struct view_rect strip, const struct view_series *series,
                        uint32_t count)
{
    const struct view_theme *theme = ui->theme;
    for (uint32_t i = count; i > 0; i--) {
        const struct view_series *one = &series[i - 1];
        if (one->name == NULL) {
            continue;
        }
        int32_t width = view_label_width(ui, theme->label, one->name);
        if (strip.w < width + theme->space_6) {
            return;
        }
        view_label(ui, view_rect_cut_right(&strip, width), theme->label, theme->text_muted, VIEW_ALIGN_LEFT,
                   one->name);
        view_rect_cut_right(&strip, theme->space_1);
        struct view_rect dash = view_rect_cut_right(&strip, theme->space_3);
        dash.y += dash.h / 2 - theme->stroke;
        dash.h = 2 * theme->stroke;
        view_draw_box(ui->list, dash, theme->stroke, one->hue.ink, VIEW_NONE, 0);
        view_rect_cut_right(&strip, theme->space_3);
    }
}

void view_plot(struct view_ui *ui, view_id id, struct view_rect rect, const char *title,
               const char *max_label, const struct view_series *series, uint32_t series_count, int32_t max)
{
    const struct view_theme *theme = ui->theme;
    int32_t low = 0;
    int32_t high = max;
    for (uint32_t i = 0; max <= 0 && i < series_count; i++) {
        extent(&series[i], &low, &high);
    }
    view_draw_hit(ui->list, id, rect, 0, NULL);
    struct view_rect head = view_rect_cut_top(&rect, theme->row_height);
    int32_t title_width = view_label_width(ui, theme->body_strong, title);
    view_label(ui, view_rect_cut_left(&head, title_width), theme->body_strong, theme->text, VIEW_ALIGN_LEFT,
               title);
    view_rect_cut_left(&head, theme->space_3);
    draw_legend(ui, head, series, series_count);
    view_rect_cut_top(&rect, theme->space_1);
    for (int32_t i = 0; i <= 2; i++) {
        int32_t y = rect.y + (rect.h - theme->stroke) * i / 2;
        view_draw_dashed_line(ui->list, (struct view_point){rect.x, y + theme->stroke / 2},
                              (struct view_point){rect.x + rect.w, y + theme->stroke / 2}, theme->line,
                              theme->stroke, i == 2 ? 0 : VIEW_PX(2), i == 2 ? 0 : VIEW_PX(3));
    }
    if (max_label != NULL) {
        struct view_rect label = {rect.x, rect.y + theme->stroke, rect.w, theme->row_height};
        view_label(ui, label, theme->mono_small, theme->text_faint, VIEW_ALIGN_LEFT, max_label);
    }
    view_draw_clip_push(ui->list, view_rect_inset(rect, 0, -VIEW_PX(1)));
    for (uint32_t i = 0; i < series_count; i++) {
        draw_line(ui, rect, &series[i], low, high > low ? high : low + 1);
    }
    view_draw_clip_pop(ui->list);
}
