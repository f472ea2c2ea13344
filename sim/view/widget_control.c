/* Buttons, tabs, sliders, scroll areas. */
#include "view/widget_private.h"

struct button_look {
    uint32_t fill, stroke, text;
    int32_t stroke_width;
};

static struct button_look look_of(const struct view_ui *ui, view_id id, uint32_t flags)
{
    const struct view_theme *theme = ui->theme;
    bool enabled = (flags & VIEW_CONTROL_DISABLED) == 0;
    bool hot = enabled && ui->hot == id;
    bool held = hot && ui->active == id;
    struct button_look look = {theme->card, theme->line, theme->text, theme->stroke};
    if ((flags & VIEW_CONTROL_PRIMARY) != 0) {
        look.fill = theme->accent.fill;
        look.stroke = VIEW_NONE;
        look.text = theme->accent.on_fill;
        look.fill = held  ? view_color_mix(look.fill, theme->background, 64)
                    : hot ? view_color_mix(look.fill, theme->text, 40)
                          : look.fill;
    } else if ((flags & VIEW_CONTROL_QUIET) != 0) {
        look.fill = held ? theme->card_pressed : hot ? theme->card_hot : VIEW_NONE;
        look.stroke = VIEW_NONE;
        look.text = hot ? theme->text : theme->text_muted;
    } else {
        look.fill = held ? theme->card_pressed : hot ? theme->card_hot : look.fill;
    }
    if ((flags & VIEW_CONTROL_DANGER) != 0 && (hot || (flags & VIEW_CONTROL_QUIET) == 0)) {
        look.text = theme->fail.ink;
    }
    if ((flags & VIEW_CONTROL_SELECTED) != 0) {
        look.stroke = theme->accent.ink;
        look.stroke_width = theme->stroke_strong;
    }
    if (!enabled) {
        look.text = view_color_mix(theme->text_faint, theme->panel, 100);
        look.fill =
            (flags & VIEW_CONTROL_QUIET) != 0 ? VIEW_NONE : view_color_mix(theme->card, theme->panel, 128);
        look.stroke =
            (flags & VIEW_CONTROL_QUIET) != 0 ? VIEW_NONE : view_color_mix(theme->line, theme->panel, 128);
    }
    return look;
}

/* Box, region and focus ring; returns what is drawn on top. */
static struct button_look button_base(struct view_ui *ui, view_id id, struct view_rect rect, uint32_t flags,
                                      const char *tip)
{
    struct button_look look = look_of(ui, id, flags);
    view_draw_box(ui->list, rect, ui->theme->radius_button, look.fill, look.stroke, look.stroke_width);
    bool enabled = (flags & VIEW_CONTROL_DISABLED) == 0;
    view_draw_hit(ui->list, id, rect, enabled ? VIEW_HIT_FOCUSABLE : VIEW_HIT_BLOCKS, tip);
    view_focus_ring(ui, id, rect, ui->theme->radius_button);
    return look;
}

static bool is_activated(const struct view_ui *ui, view_id id, uint32_t flags)
{
    return id != 0 && ui->activated == id && (flags & VIEW_CONTROL_DISABLED) == 0;
}

bool view_button(struct view_ui *ui, view_id id, struct view_rect rect, const char *label, uint32_t flags,
                 const char *tip)
{
    struct button_look look = button_base(ui, id, rect, flags, tip);
    bool quiet = (flags & VIEW_CONTROL_QUIET) != 0;
    int32_t padding = quiet ? ui->theme->space_1 : ui->theme->space_2;
    struct view_font font = quiet ? ui->theme->label : ui->theme->body;
    enum view_align align = (flags & VIEW_CONTROL_LEFT) != 0 ? VIEW_ALIGN_LEFT : VIEW_ALIGN_CENTER;
    view_label(ui, view_rect_inset(rect, padding, 0), font, look.text, align, label);
    return is_activated(ui, id, flags);
}

bool view_icon_button(struct view_ui *ui, view_id id, struct view_rect rect, enum view_icon icon,
                      uint32_t flags, const char *tip)
{
    struct button_look look = button_base(ui, id, rect, flags, tip);
    view_icon(ui, view_rect_inset(rect, ui->theme->space_1, ui->theme->space_1), icon, look.text);
    return is_activated(ui, id, flags);
}

uint32_t view_tabs(struct view_ui *ui, view_id id, struct view_rect rect, const char *const *labels,
                   uint32_t count, uint32_t selected)
{
    const struct view_theme *theme = ui->theme;
    view_separator(ui, rect.x, rect.y + rect.h - theme->stroke, rect.w);
    int32_t natural = 0;
    for (uint32_t i = 0; i < count; i++) {
        natural += view_label_width(ui, theme->body_strong, labels[i]);
    }
    int32_t spare = count > 0 ? (rect.w - natural) / (int32_t)count : 0;
    int32_t x = rect.x;
    for (uint32_t i = 0; i < count; i++) {
        view_id tab = view_id_make(view_id_kind(id), view_id_index(id), (uint16_t)i);
        if (ui->activated == tab) {
            selected = i;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        view_id tab = view_id_make(view_id_kind(id), view_id_index(id), (uint16_t)i);
        int32_t width = view_label_width(ui, theme->body_strong, labels[i]) + spare;
        if (i + 1 == count || spare < 0) {
            width = spare < 0 ? rect.w / (int32_t)count : rect.x + rect.w - x;
        }
        struct view_rect area = {x, rect.y, width, rect.h};
        uint32_t color = i == selected ? theme->text : ui->hot == tab ? theme->text : theme->text_muted;
        view_label(ui, area, i == selected ? theme->body_strong : theme->body, color, VIEW_ALIGN_CENTER,
                   labels[i]);
        if (i == selected) {
            int32_t under = theme->stroke_strong + theme->stroke / 2;
            struct view_rect mark = {x + theme->space_1, rect.y + rect.h - under, width - 2 * theme->space_1,
                                     under};
            view_draw_box(ui->list, mark, under / 2, theme->accent.fill, VIEW_NONE, 0);
        }
        view_draw_hit(ui->list, tab, area, VIEW_HIT_FOCUSABLE, NULL);
        view_focus_ring(ui, tab, view_rect_inset(area, VIEW_PX(3), VIEW_PX(4)), theme->radius_button);
        x += width;
    }
    return selected;
}

/* --- Slider
 * ----------------------------------------------------------------------------------------------------- */

static int32_t clamp(int64_t value, int32_t min, int32_t max)
{
    return value < min ? min : value > max ? max : (int32_t)value;
}

static int32_t slider_keys(const struct view_ui *ui, view_id id, int32_t min, int32_t max, int32_t step,
                           int32_t value)
{
    const struct view_input *input = ui->input;
    int64_t next = value;
    if (ui->focus == id && id != 0) {
        for (uint32_t i = 0; i < input->key_count; i++) {
            int32_t key = input->keys[i].key;
            int64_t stride =
                (input->keys[i].modifiers & VIEW_MODIFIER_SHIFT) != 0 ? 10 * (int64_t)step : step;
            next += key == VIEW_KEY_RIGHT || key == VIEW_KEY_UP ? stride : 0;
            next -= key == VIEW_KEY_LEFT || key == VIEW_KEY_DOWN ? stride : 0;
            next = key == VIEW_KEY_HOME ? min : key == VIEW_KEY_END ? max : next;
        }
    }
    if (ui->wheel == id && id != 0) {
        next -= input->wheel.y > 0 ? step : input->wheel.y < 0 ? -(int64_t)step : 0;
    }
    return clamp(next, min, max);
}

bool view_slider(struct view_ui *ui, view_id id, struct view_rect rect, int32_t min, int32_t max,
                 int32_t step, int32_t *value)
{
    const struct view_theme *theme = ui->theme;
    step = step > 0 ? step : 1;
    int32_t before = *value;
    int32_t knob = view_theme_px(theme, 7);
    int32_t left = rect.x + knob;
    int32_t room = rect.w - 2 * knob;
    int32_t now = slider_keys(ui, id, min, max, step, clamp(before, min, max));
    if (ui->drag == id && id != 0 && room > 0) {
        int64_t range = (int64_t)max - min;
        int64_t raw = (int64_t)(ui->input->mouse.x - left) * range / room;
        now = clamp(min + (raw + step / 2) / step * step, min, max);
    }
    if (ui->focus == id && id != 0 && now != before) {
        ui->key_taken = true;
    }
    int32_t x = left + (max > min ? (int32_t)(((int64_t)now - min) * room / ((int64_t)max - min)) : 0);
    int32_t y = rect.y + rect.h / 2;
    int32_t track = theme->bar_height;
    bool hot = ui->hot == id || ui->drag == id;
    view_draw_box(ui->list, (struct view_rect){left, y - track / 2, room, track}, track / 2,
                  theme->line_strong, VIEW_NONE, 0);
    view_draw_box(ui->list, (struct view_rect){left, y - track / 2, x - left, track}, track / 2,
                  theme->accent.fill, VIEW_NONE, 0);
    view_draw_circle(ui->list, (struct view_point){x, y}, knob, hot ? theme->text : theme->accent.fill,
                     theme->panel, theme->stroke_strong);
    view_draw_hit(ui->list, id, rect, VIEW_HIT_FOCUSABLE | VIEW_HIT_DRAGGABLE | VIEW_HIT_SCROLLS, NULL);
    view_focus_ring(ui, id, (struct view_rect){x - knob, y - knob, 2 * knob, 2 * knob}, knob);
    *value = now;
    return now != before;
}

/* --- Scroll area
 * ------------------------------------------------------------------------------------------------ */

/* The bar is dragged by where the pointer is on it; the region under the bar is the area's id with sub + 1.
 */
static view_id bar_of(view_id id)
{
    return view_id_make(view_id_kind(id), view_id_index(id), (uint16_t)(view_id_sub(id) + 1));
}

struct view_rect view_scroll_begin(struct view_ui *ui, view_id id, struct view_rect rect,
                                   int32_t content_height, int32_t *offset)
{
    const struct view_theme *theme = ui->theme;
    int32_t hidden = content_height - rect.h;
    hidden = hidden > 0 ? hidden : 0;
    view_id bar_id = bar_of(id);
    int32_t length = hidden > 0 ? (int32_t)((int64_t)rect.h * rect.h / content_height) : rect.h;
    int32_t least = view_theme_px(theme, 24);
    length = length < least && rect.h > least ? least : length;
    int32_t travel = rect.h - length;
    if (ui->drag == bar_id && travel > 0) {
        int64_t moved = ui->input->mouse.y - rect.y - length / 2;
        *offset = (int32_t)(moved * hidden / travel);
    }
    *offset += ui->wheel == id ? ui->input->wheel.y : 0;
    *offset = clamp(*offset, 0, hidden);
    view_draw_hit(ui->list, id, rect, VIEW_HIT_SCROLLS, NULL);
    struct view_rect content = {rect.x, rect.y - *offset, rect.w, content_height};
    if (hidden > 0) {
        int32_t width = theme->scrollbar_width;
        int32_t y = rect.y + (travel > 0 ? (int32_t)((int64_t)travel * *offset / hidden) : 0);
        struct view_rect lane = {rect.x + rect.w - width, rect.y, width, rect.h};
        struct view_rect thumb = {lane.x + width / 4, y, width / 2, length};
        bool hot = ui->hot == bar_id || ui->drag == bar_id;
        view_draw_box(ui->list, thumb, width / 4, hot ? theme->text_muted : theme->line_strong, VIEW_NONE, 0);
        view_draw_hit(ui->list, bar_id, lane, VIEW_HIT_DRAGGABLE, NULL);
        content.w -= width + theme->space_1;
    }
    view_draw_clip_push(ui->list, (struct view_rect){rect.x, rect.y, content.w, rect.h});
    return content;
}

void view_scroll_end(struct view_ui *ui)
{
    view_draw_clip_pop(ui->list);
}
