/* The frame of the immediate mode, text in boxes, and surfaces. */
#include "view/widget.h"

#include "view/widget_private.h"

#include <string.h>

#define TIP_DELAY_MS 450

/* --- Input against the regions of the last frame
 * ---------------------------------------------------------------- */

static bool can_focus(const struct view_hit *hit)
{
    return (hit->flags & VIEW_HIT_FOCUSABLE) != 0;
}

/* Only the topmost layer that has anything to focus takes part: a menu keeps the focus until it closes. */
static void move_focus(struct view_ui *ui, const struct view_draw_list *list, bool backwards)
{
    uint32_t layer = 0;
    for (uint32_t i = 0; i < list->hit_count; i++) {
        if (can_focus(&list->hits[i]) && list->hits[i].layer > layer) {
            layer = list->hits[i].layer;
        }
    }
    view_id first = 0;
    view_id last = 0;
    view_id before = 0;
    view_id after = 0;
    bool seen = false;
    for (uint32_t i = 0; i < list->hit_count; i++) {
        const struct view_hit *hit = &list->hits[i];
        if (!can_focus(hit) || hit->layer != layer) {
            continue;
        }
        first = first == 0 ? hit->id : first;
        if (hit->id == ui->focus) {
            seen = true;
            before = last;
        } else if (seen && after == 0) {
            after = hit->id;
        }
        last = hit->id;
    }
    ui->focus = backwards ? (before != 0 ? before : last) : (after != 0 ? after : first);
    ui->focus_visible = ui->focus != 0;
}

static void resolve_keys(struct view_ui *ui, const struct view_draw_list *list)
{
    const struct view_input *input = ui->input;
    const struct view_hit *focused = view_draw_list_find(list, ui->focus);
    if (focused == NULL) {
        ui->focus = 0;
        ui->focus_visible = false;
    }
    if (view_input_has_key(input, VIEW_KEY_TAB, 0) ||
        view_input_has_key(input, VIEW_KEY_TAB, VIEW_MODIFIER_SHIFT)) {
        move_focus(ui, list, view_input_has_key(input, VIEW_KEY_TAB, VIEW_MODIFIER_SHIFT));
        ui->key_taken = true;
        return;
    }
    if (focused == NULL) {
        return;
    }
    if ((focused->flags & VIEW_HIT_TEXT) != 0) {
        ui->key_taken = input->key_count > 0 || input->text_count > 0;
        return;
    }
    bool confirmed =
        view_input_has_key(input, VIEW_KEY_RETURN, 0) || view_input_has_key(input, VIEW_KEY_SPACE, 0);
    if (confirmed && ui->focus_visible) {
        ui->activated = ui->focus;
        ui->key_taken = true;
    } else if (ui->focus_visible && view_input_has_key(input, VIEW_KEY_ESCAPE, 0)) {
        ui->focus = 0;
        ui->focus_visible = false;
    }
}

static void resolve_press(struct view_ui *ui, const struct view_hit *under)
{
    const struct view_input *input = ui->input;
    if ((input->buttons_pressed & VIEW_BUTTON_LEFT) != 0) {
        ui->active = under != NULL ? under->id : 0;
        ui->press_at = input->mouse;
        ui->press_cancelled = false;
        ui->drag = under != NULL && (under->flags & VIEW_HIT_DRAGGABLE) != 0 ? under->id : 0;
        ui->focus = under != NULL && can_focus(under) ? under->id : 0;
        ui->focus_visible = false;
        if (input->double_click) {
            ui->double_clicked = ui->active;
        }
    }
    if (input->long_press && ui->drag == 0) {
        ui->context = ui->active;
        ui->press_cancelled = true;
    }
    if ((input->buttons_released & VIEW_BUTTON_LEFT) != 0) {
        if (under != NULL && under->id == ui->active && !ui->press_cancelled) {
            ui->activated = ui->active;
        }
        ui->active = 0;
        ui->drag = 0;
    } else if ((input->buttons & VIEW_BUTTON_LEFT) == 0) {
        ui->active = 0;
        ui->drag = 0;
    }
    if ((input->buttons_pressed & VIEW_BUTTON_RIGHT) != 0 && under != NULL) {
        ui->context = under->id;
    }
}

static void resolve_hover(struct view_ui *ui, const struct view_draw_list *list, const struct view_hit *under)
{
    view_id hot = under != NULL ? under->id : 0;
    if (ui->active != 0 && hot != ui->active) {
        hot = 0;
    }
    if (hot != ui->hot || ui->input->buttons != 0) {
        ui->hot_since_ms = ui->input->now_ms;
    }
    ui->hot = hot;
    uint32_t count = under != NULL && hot != 0 ? under->tip_count : 0;
    count = count < VIEW_TIP_BYTES ? count : VIEW_TIP_BYTES - 1;
    if (count > 0) {
        memcpy(ui->tip, &list->bytes[under->tip_index], count);
    }
    ui->tip[count] = '\0';
}

void view_ui_begin(struct view_ui *ui, struct view_draw_list *list, struct view_text *text,
                   const struct view_theme *theme, const struct view_input *input)
{
    ui->list = list;
    ui->text = text;
    ui->theme = theme;
    ui->input = input;
    ui->activated = ui->double_clicked = ui->context = ui->wheel = 0;
    ui->key_taken = false;
    if (list->clip_count > 0) {
        const struct view_hit *under = input->mouse_inside ? view_draw_list_pick(list, input->mouse) : NULL;
        resolve_press(ui, under);
        resolve_hover(ui, list, under);
        resolve_keys(ui, list);
        const struct view_hit *scrolls = view_draw_list_pick_flags(list, input->mouse, VIEW_HIT_SCROLLS);
        ui->wheel = scrolls != NULL && (input->wheel.y != 0 || input->wheel.x != 0) ? scrolls->id : 0;
    }
    view_text_set_scale(text, input->scale_256 > 0 ? input->scale_256 : 256);
    view_draw_list_clear(list, input->width, input->height, theme->background);
}

int32_t view_ui_end(struct view_ui *ui)
{
    if (ui->hot == 0 || ui->tip[0] == '\0' || ui->active != 0) {
        return -1;
    }
    int64_t rested_ms = ui->input->now_ms - ui->hot_since_ms;
    if (rested_ms < TIP_DELAY_MS) {
        return (int32_t)(TIP_DELAY_MS - rested_ms);
    }
    const struct view_hit *target = view_draw_list_find(ui->list, ui->hot);
    if (target != NULL) {
        view_tooltip(ui, target->rect, ui->tip);
    }
    return -1;
}

/* --- Text
 * ------------------------------------------------------------------------------------------------------- */

int32_t view_label_width(struct view_ui *ui, struct view_font font, const char *text)
{
    return view_text_width(ui->text, font, text, strlen(text));
}

int32_t view_label(struct view_ui *ui, struct view_rect rect, struct view_font font, uint32_t color,
                   enum view_align align, const char *text)
{
    char fitted[512];
    if (text == NULL || text[0] == '\0' || !view_draw_is_visible(ui->list, rect)) {
        return 0;
    }
    size_t length = view_text_elide(ui->text, font, text, strlen(text), rect.w, fitted, sizeof fitted);
    int32_t width = view_text_width(ui->text, font, fitted, length);
    int32_t slack = rect.w > width ? rect.w - width : 0;
    struct view_text_metrics metrics = view_text_metrics(ui->text, font);
    struct view_point at = {rect.x, rect.y + (rect.h + metrics.cap_height + 1) / 2};
    switch (align) {
    case VIEW_ALIGN_LEFT:
        break;
    case VIEW_ALIGN_CENTER:
        at.x += slack / 2;
        break;
    case VIEW_ALIGN_RIGHT:
        at.x += slack;
        break;
    }
    view_draw_text(ui->list, at, font, color, fitted, length);
    return width;
}

void view_label_pair(struct view_ui *ui, struct view_rect rect, struct view_font font, const char *left,
                     uint32_t left_color, const char *right, uint32_t right_color)
{
    struct view_rect strip = view_rect_cut_right(&rect, view_label_width(ui, font, right));
    view_label(ui, strip, font, right_color, VIEW_ALIGN_RIGHT, right);
    view_rect_cut_right(&rect, ui->theme->space_2);
    view_label(ui, rect, font, left_color, VIEW_ALIGN_LEFT, left);
}

int32_t view_paragraph_line_height(struct view_ui *ui, struct view_font font)
{
    /* One and a half em, on whole logical pixels, reads best in narrow columns. */
    (void)ui;
    return (font.size_px16 * 3 / 2 + 15) / 16 * 16;
}

int32_t view_paragraph(struct view_ui *ui, struct view_rect rect, struct view_font font, uint32_t color,
                       const char *text)
{
    int32_t line_height = view_paragraph_line_height(ui, font);
    size_t left = strlen(text);
    int32_t used = 0;
    while (left > 0 && used + line_height <= rect.h) {
        size_t consumed = 0;
        size_t line = view_text_next_line(ui->text, font, text, left, rect.w, &consumed);
        bool last = used + 2 * line_height > rect.h && consumed < left;
        char shown[1024];
        size_t count = (last ? left : line) < sizeof shown - 1 ? (last ? left : line) : sizeof shown - 1;
        memcpy(shown, text, count);
        shown[count] = '\0';
        view_label(ui, (struct view_rect){rect.x, rect.y + used, rect.w, line_height}, font, color,
                   VIEW_ALIGN_LEFT, shown);
        text += consumed;
        left -= consumed;
        used += line_height;
    }
    return used;
}

int32_t view_paragraph_height(struct view_ui *ui, int32_t width, struct view_font font, const char *text)
{
    int32_t line_height = view_paragraph_line_height(ui, font);
    size_t left = strlen(text);
    int32_t used = 0;
    while (left > 0) {
        size_t consumed = 0;
        view_text_next_line(ui->text, font, text, left, width, &consumed);
        text += consumed;
        left -= consumed;
        used += line_height;
    }
    return used;
}

/* --- Surfaces
 * --------------------------------------------------------------------------------------------------- */

struct view_rect view_panel_plain(struct view_ui *ui, struct view_rect rect)
{
    const struct view_theme *theme = ui->theme;
    view_draw_box(ui->list, rect, theme->radius_panel, theme->panel, theme->line, theme->stroke);
    return view_rect_inset(rect, theme->space_3, theme->space_3);
}

struct view_rect view_panel(struct view_ui *ui, struct view_rect rect, const char *title,
                            const char *subtitle)
{
    const struct view_theme *theme = ui->theme;
    struct view_rect inside = view_panel_plain(ui, rect);
    inside.y -= theme->space_1 / 2;
    inside.h += theme->space_1 / 2;
    view_label(ui, view_rect_cut_top(&inside, theme->title_height), theme->title, theme->text,
               VIEW_ALIGN_LEFT, title);
    if (subtitle != NULL) {
        struct view_rect strip = view_rect_cut_top(&inside, theme->title_height - theme->space_1 / 2);
        view_label(ui, strip, theme->mono_small, theme->text_faint, VIEW_ALIGN_LEFT, subtitle);
    }
    view_rect_cut_top(&inside, theme->space_2);
    return inside;
}

struct view_rect view_card(struct view_ui *ui, view_id id, struct view_rect rect, uint32_t flags,
                           uint32_t outline, const char *title, const char *detail)
{
    const struct view_theme *theme = ui->theme;
    bool hot = id != 0 && ui->hot == id;
    uint32_t fill = (flags & VIEW_CARD_WELL) != 0 ? theme->background : theme->card;
    fill = hot ? view_color_mix(fill, theme->card_hot, 160) : fill;
    bool strong = (flags & VIEW_CARD_ACTIVE) != 0;
    uint32_t stroke = outline != VIEW_NONE ? outline : theme->line;
    view_draw_box(ui->list, rect, theme->radius_card, fill, stroke,
                  strong ? theme->stroke_strong : theme->stroke);
    view_draw_hit(ui->list, id, rect, VIEW_HIT_FOCUSABLE, NULL);
    view_focus_ring(ui, id, rect, theme->radius_card);
    int32_t padding = (flags & VIEW_CARD_TIGHT) != 0 ? theme->space_2 : theme->space_3;
    struct view_rect inside = view_rect_inset(rect, padding, padding - theme->space_1);
    if (title == NULL && detail == NULL) {
        return inside;
    }
    struct view_rect strip = view_rect_cut_top(&inside, theme->row_height);
    if (detail != NULL) {
        int32_t most = strip.w * 3 / 5;
        int32_t width = view_label_width(ui, theme->mono_small, detail);
        struct view_rect right = view_rect_cut_right(&strip, width < most ? width : most);
        view_label(ui, right, theme->mono_small, theme->text_muted, VIEW_ALIGN_RIGHT, detail);
        view_rect_cut_right(&strip, theme->space_2);
    }
    struct view_font font = (flags & VIEW_CARD_MONO) != 0 ? theme->mono_strong : theme->title;
    view_label(ui, strip, font, theme->text, VIEW_ALIGN_LEFT, title);
    return inside;
}

void view_card_stripe(struct view_ui *ui, struct view_rect rect, uint32_t color)
{
    int32_t width = ui->theme->space_1 + ui->theme->stroke;
    view_draw_box(ui->list, (struct view_rect){rect.x, rect.y, width, rect.h}, ui->theme->space_1 / 2, color,
                  VIEW_NONE, 0);
}

void view_separator(struct view_ui *ui, int32_t x, int32_t y, int32_t width)
{
    view_draw_rect(ui->list, (struct view_rect){x, y, width, ui->theme->stroke}, ui->theme->line);
}

void view_focus_ring(struct view_ui *ui, view_id id, struct view_rect rect, int32_t radius)
{
    if (id != 0 && ui->focus == id && ui->focus_visible) {
        const int32_t gap = VIEW_PX(2);
        view_draw_box(ui->list, view_rect_inset(rect, -gap, -gap), radius + gap, VIEW_NONE,
                      ui->theme->accent.ink, ui->theme->stroke_strong);
    }
}
