/*
 * Under the Sender's cards, where the column has room left: what its work came to so far, one line each.
 */
#include <inttypes.h>
#include <stdio.h>

#include "view/stage_private.h"

static void draw_history(struct view_frame *frame, struct view_rect rect, const char *name,
                         const int32_t *values, const char *most, struct view_hue hue)
{
    const struct view_theme *theme = frame->theme;
    struct view_rect head = view_rect_cut_top(&rect, view_theme_px(theme, 16));
    view_label_pair(frame->ui, head, theme->label, name, theme->text_muted, most, theme->text_faint);
    if (frame->model->plot.count > 1) {
        struct view_series series = {.values = values, .count = frame->model->plot.count, .hue = hue};
        view_sparkline(frame->ui, rect, &series);
    }
}

void view_draw_sender_history(struct view_frame *frame, struct view_rect rect)
{
    const struct view_theme *theme = frame->theme;
    const struct model_plot *plot = &frame->model->plot;
    int32_t in_flight[MODEL_PLOT_POINTS];
    int32_t latency[MODEL_PLOT_POINTS];
    int32_t most_in_flight = 0;
    int32_t most_latency = 0;
    for (uint32_t i = 0; i < plot->count; i++) {
        in_flight[i] = plot->in_flight[i] < INT32_MAX ? (int32_t)plot->in_flight[i] : INT32_MAX;
        latency[i] = plot->latency_us[i] < INT32_MAX ? (int32_t)plot->latency_us[i] : INT32_MAX;
        most_in_flight = in_flight[i] > most_in_flight ? in_flight[i] : most_in_flight;
        most_latency = latency[i] > most_latency ? latency[i] : most_latency;
    }
    int32_t least = view_theme_px(theme, 44);
    int32_t most = view_theme_px(theme, 80);
    if (rect.h < least) {
        return;
    }
    bool has_both = rect.h >= 2 * least + theme->space_2;
    int32_t height = has_both ? (rect.h - theme->space_2) / 2 : rect.h;
    height = height < most ? height : most;
    char text[40];
    snprintf(text, sizeof text, "≤ %" PRId32, most_in_flight);
    draw_history(frame, view_rect_cut_top(&rect, height), "in flight so far", in_flight, text, theme->accent);
    if (has_both) {
        view_rect_cut_top(&rect, theme->space_2);
        view_format_duration(most_latency, text, sizeof text);
        draw_history(frame, view_rect_cut_top(&rect, height), "send() to ack", latency, text, theme->warn);
    }
}
