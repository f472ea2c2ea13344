/* What only shows: chips, badges, lamps, bars, keys and values. */
#include "view/widget_private.h"

int32_t view_chip_width(struct view_ui *ui, const char *label)
{
    return view_label_width(ui, ui->theme->mono_small, label) + 2 * ui->theme->space_2;
}

/* A dashed pill: its two straight sides dashed, its ends drawn as arcs. */
static void dashed_pill(struct view_ui *ui, struct view_rect rect, uint32_t color)
{
    const struct view_theme *theme = ui->theme;
    int32_t radius = rect.h / 2;
    int32_t half = theme->stroke / 2;
    struct view_point left = {rect.x + radius, rect.y + radius};
    struct view_point right = {rect.x + rect.w - radius, rect.y + radius};
    view_draw_arc(ui->list, left, radius - half, VIEW_TURN / 2, VIEW_TURN / 2, color, theme->stroke);
    view_draw_arc(ui->list, right, radius - half, 0, VIEW_TURN / 2, color, theme->stroke);
    for (int32_t side = 0; side < 2; side++) {
        int32_t y = rect.y + half + side * (rect.h - theme->stroke);
        view_draw_dashed_line(ui->list, (struct view_point){left.x + VIEW_PX(2), y},
                              (struct view_point){right.x, y}, color, theme->stroke, VIEW_PX(3), VIEW_PX(3));
    }
}

int32_t view_chip(struct view_ui *ui, view_id id, struct view_point top_left, int32_t max_width,
                  struct view_hue hue, enum view_chip_style style, const char *label, const char *tip)
{
    const struct view_theme *theme = ui->theme;
    int32_t width = view_chip_width(ui, label);
    width = width < max_width ? width : max_width;
    struct view_rect rect = {top_left.x, top_left.y, width, theme->chip_height};
    int32_t radius = theme->chip_height / 2;
    bool hot = id != 0 && ui->hot == id;
    uint32_t surface = hot ? theme->card_hot : theme->background;
    uint32_t text = hue.ink;
    switch (style) {
    case VIEW_CHIP_OUTLINE:
        view_draw_box(ui->list, rect, radius, surface, hue.ink, theme->stroke);
        break;
    case VIEW_CHIP_FILLED:
        view_draw_box(ui->list, rect, radius, hue.fill, VIEW_NONE, 0);
        text = hue.on_fill;
        break;
    case VIEW_CHIP_DASHED:
        view_draw_box(ui->list, rect, radius, surface, VIEW_NONE, 0);
        dashed_pill(ui, rect, hue.ink);
        break;
    }
    view_label(ui, view_rect_inset(rect, theme->space_2 - theme->stroke, 0), theme->mono_small, text,
               VIEW_ALIGN_CENTER, label);
    view_draw_hit(ui->list, id, rect, VIEW_HIT_FOCUSABLE, tip);
    view_focus_ring(ui, id, rect, radius);
    return width;
}

void view_badge(struct view_ui *ui, struct view_point center, struct view_hue hue, const char *label)
{
    const struct view_theme *theme = ui->theme;
    int32_t height = theme->row_height - theme->space_1 / 2;
    int32_t width = view_label_width(ui, theme->mono_small_strong, label) + theme->space_1;
    width = width < height ? height : width;
    struct view_rect rect = {center.x - width / 2, center.y - height / 2, width, height};
    view_draw_box(ui->list, rect, height / 2, hue.fill, VIEW_NONE, 0);
    view_label(ui, rect, theme->mono_small_strong, hue.on_fill, VIEW_ALIGN_CENTER, label);
}

bool view_lamp_row(struct view_ui *ui, view_id id, struct view_rect rect, enum view_lamp lamp,
                   struct view_hue hue, const char *label, const char *detail, const char *tip)
{
    const struct view_theme *theme = ui->theme;
    if (id != 0 && ui->hot == id) {
        view_draw_box(ui->list, rect, theme->space_1, theme->card_hot, VIEW_NONE, 0);
    }
    view_draw_hit(ui->list, id, rect, VIEW_HIT_FOCUSABLE, tip);
    view_focus_ring(ui, id, rect, theme->space_1);
    struct view_rect row = view_rect_inset(rect, theme->space_1, 0);
    struct view_rect place = view_rect_cut_left(&row, view_theme_px(theme, 10));
    struct view_point center = {place.x + place.w / 2, place.y + place.h / 2};
    int32_t radius = view_theme_px(theme, 5);
    switch (lamp) {
    case VIEW_LAMP_OFF:
        view_draw_circle(ui->list, center, radius, VIEW_NONE, theme->line_strong, theme->stroke);
        break;
    case VIEW_LAMP_ON:
        view_draw_circle(ui->list, center, radius, VIEW_NONE, hue.ink, theme->stroke);
        view_draw_circle(ui->list, center, view_theme_px(theme, 3), hue.fill, VIEW_NONE, 0);
        break;
    case VIEW_LAMP_FAILED:
        view_icon(ui, place, VIEW_ICON_CROSS, hue.ink);
        break;
    }
    view_rect_cut_left(&row, theme->space_2);
    bool lit = lamp != VIEW_LAMP_OFF;
    if (detail != NULL) {
        int32_t width = view_label_width(ui, theme->mono_small, detail);
        int32_t most = row.w / 2;
        struct view_rect right = view_rect_cut_right(&row, width < most ? width : most);
        view_label(ui, right, theme->mono_small, lit ? hue.ink : theme->text_faint, VIEW_ALIGN_RIGHT, detail);
        view_rect_cut_right(&row, theme->space_2);
    }
    view_label(ui, row, theme->label, lit ? theme->text : theme->text_faint, VIEW_ALIGN_LEFT, label);
    return id != 0 && ui->activated == id;
}

void view_status_dot(struct view_ui *ui, struct view_rect rect, enum view_status status, const char *label)
{
    const struct view_theme *theme = ui->theme;
    struct view_rect place = view_rect_cut_left(&rect, view_theme_px(theme, 10));
    int32_t r = view_theme_px(theme, 4);
    struct view_point c = {place.x + place.w / 2, place.y + place.h / 2};
    switch (status) {
    case VIEW_STATUS_UP:
        view_draw_circle(ui->list, c, r, theme->ok.fill, VIEW_NONE, 0);
        break;
    case VIEW_STATUS_SLOW:
        view_draw_triangle(ui->list, (struct view_point){c.x, c.y - r},
                           (struct view_point){c.x + r + r / 8, c.y + r},
                           (struct view_point){c.x - r - r / 8, c.y + r}, theme->warn.fill);
        break;
    case VIEW_STATUS_DOWN:
        view_draw_rect(ui->list, (struct view_rect){c.x - r, c.y - r, 2 * r, 2 * r}, theme->fail.fill);
        break;
    }
    view_rect_cut_left(&rect, theme->space_1);
    view_label(ui, rect, theme->mono_small, theme->text_muted, VIEW_ALIGN_LEFT, label);
}

/* The part of a length; a little for anything over 0, and all of it only for all. */
static int32_t portion(int32_t length, int64_t value, int64_t total)
{
    if (value <= 0 || total <= 0) {
        return 0;
    }
    if (value >= total) {
        return length;
    }
    while (total > INT32_MAX) {
        total >>= 1;
        value >>= 1;
    }
    int64_t part = value * length / total;
    part = part < VIEW_PX(1) ? VIEW_PX(1) : part;
    return part > length - VIEW_PX(1) && length > VIEW_PX(2) ? length - VIEW_PX(1) : (int32_t)part;
}

void view_bar(struct view_ui *ui, struct view_rect rect, int64_t value, int64_t total, uint32_t color)
{
    int32_t radius = rect.h / 2 < VIEW_PX(3) ? rect.h / 2 : VIEW_PX(3);
    view_draw_box(ui->list, rect, radius, ui->theme->background, VIEW_NONE, 0);
    int32_t width = portion(rect.w, value, total);
    if (width > 0) {
        view_draw_box(ui->list, (struct view_rect){rect.x, rect.y, width, rect.h}, radius, color, VIEW_NONE,
                      0);
    }
}

void view_stacked_bar(struct view_ui *ui, struct view_rect rect, const struct view_bar_part *parts,
                      uint32_t count, int64_t total)
{
    const struct view_theme *theme = ui->theme;
    view_draw_box(ui->list, rect, VIEW_PX(3), theme->card, theme->line, theme->stroke);
    int64_t before = 0;
    for (uint32_t i = 0; i < count; i++) {
        int32_t from = before > 0 ? portion(rect.w, before, total) : 0;
        before += parts[i].value;
        int32_t to = portion(rect.w, before, total);
        if (to > from) {
            struct view_rect part = {rect.x + from, rect.y, to - from, rect.h};
            view_draw_pattern_box(ui->list, part, VIEW_PX(2), parts[i].hue.fill, parts[i].hue.pattern,
                                  view_color_with_alpha(parts[i].hue.on_fill, 150));
        }
    }
}

void view_countdown_ring(struct view_ui *ui, struct view_point center, int32_t radius, int64_t left,
                         int64_t total, uint32_t color)
{
    int32_t width = radius * 2 / 5;
    width = width < VIEW_PX(2) ? VIEW_PX(2) : width;
    view_draw_arc(ui->list, center, radius - width / 2, 0, VIEW_TURN, ui->theme->line_strong, width);
    int32_t sweep = portion(VIEW_TURN, left, total);
    /* It empties clockwise: what is left ends at the top. */
    view_draw_arc(ui->list, center, radius - width / 2, VIEW_TURN - sweep, sweep, color, width);
}

void view_key_value(struct view_ui *ui, struct view_rect rect, const char *key, const char *value,
                    uint32_t value_color)
{
    const struct view_theme *theme = ui->theme;
    int32_t width = view_label_width(ui, theme->mono, value);
    struct view_rect right = view_rect_cut_right(&rect, width);
    view_label(ui, right, theme->mono, value_color, VIEW_ALIGN_RIGHT, value);
    view_rect_cut_right(&rect, theme->space_2);
    view_label(ui, rect, theme->label, theme->text_muted, VIEW_ALIGN_LEFT, key);
}
