/* What floats: tooltips, menus, toasts, the card of keys. */
#include "view/widget_private.h"

#include <string.h>

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* Push a rectangle back onto the canvas. */
static struct view_rect keep_on_canvas(const struct view_ui *ui, struct view_rect rect)
{
    int32_t margin = ui->theme->space_1;
    int32_t most_x = ui->list->width - rect.w - margin;
    int32_t most_y = ui->list->height - rect.h - margin;
    rect.x = smaller(rect.x, most_x);
    rect.y = smaller(rect.y, most_y);
    rect.x = rect.x > margin ? rect.x : margin;
    rect.y = rect.y > margin ? rect.y : margin;
    return rect;
}

void view_popup_surface(struct view_ui *ui, view_id id, struct view_rect rect)
{
    const struct view_theme *theme = ui->theme;
    /* Three faint boxes, each wider and lower, read as one soft shadow. */
    for (int32_t i = 3; i > 0; i--) {
        struct view_rect shade = view_rect_inset(rect, -VIEW_PX(1) * i, -VIEW_PX(1) * i);
        shade.y += VIEW_PX(2);
        view_draw_box(ui->list, shade, theme->radius_card + VIEW_PX(1) * i,
                      view_color_with_alpha(theme->shadow, 110), VIEW_NONE, 0);
    }
    view_draw_box(ui->list, rect, theme->radius_card, theme->card, theme->line_strong, theme->stroke);
    view_draw_hit(ui->list, id, rect, VIEW_HIT_BLOCKS, NULL);
}

/* --- Tooltip
 * ---------------------------------------------------------------------------------------------------- */

void view_tooltip(struct view_ui *ui, struct view_rect target, const char *text)
{
    const struct view_theme *theme = ui->theme;
    enum view_layer layer = view_draw_layer(ui->list, VIEW_LAYER_POPUP);
    view_draw_clip_push_canvas(ui->list);
    int32_t padding = theme->space_2;
    int32_t most = smaller(view_theme_px(theme, 320), ui->list->width - 4 * padding);
    int32_t one_line = view_label_width(ui, theme->label, text);
    int32_t width = smaller(one_line, most);
    int32_t height = view_paragraph_height(ui, width, theme->label, text);
    struct view_rect rect = {target.x + target.w / 2 - width / 2 - padding,
                             target.y + target.h + theme->space_1, width + 2 * padding, height + padding};
    if (rect.y + rect.h + theme->space_1 > ui->list->height) {
        rect.y = target.y - rect.h - theme->space_1;
    }
    rect = keep_on_canvas(ui, rect);
    view_popup_surface(ui, 0, rect);
    view_paragraph(ui, view_rect_inset(rect, padding, padding / 2), theme->label, theme->text, text);
    view_draw_clip_pop(ui->list);
    view_draw_layer(ui->list, layer);
}

/* --- Menu
 * ------------------------------------------------------------------------------------------------------- */

static int32_t menu_row_height(const struct view_theme *theme, const struct view_menu_item *item)
{
    return item->label == NULL ? theme->space_2 : theme->row_height * 3 / 2;
}

static view_id menu_item_id(view_id id, uint32_t index)
{
    return view_id_make(view_id_kind(id), view_id_index(id), (uint16_t)(view_id_sub(id) + 1 + index));
}

static bool can_choose(const struct view_menu_item *item)
{
    return item->label != NULL && (item->flags & VIEW_CONTROL_DISABLED) == 0;
}

static struct view_rect menu_place(struct view_ui *ui, struct view_point at, const char *title,
                                   const struct view_menu_item *items, uint32_t count)
{
    const struct view_theme *theme = ui->theme;
    int32_t width = title != NULL ? view_label_width(ui, theme->label, title) : 0;
    int32_t height = 2 * theme->space_1 + (title != NULL ? theme->row_height * 3 / 2 : 0);
    for (uint32_t i = 0; i < count; i++) {
        height += menu_row_height(theme, &items[i]);
        if (items[i].label != NULL) {
            int32_t row = view_label_width(ui, theme->body, items[i].label) + theme->space_6;
            if (items[i].shortcut != NULL) {
                row += view_label_width(ui, theme->mono_small, items[i].shortcut) + theme->space_6;
            }
            width = row > width ? row : width;
        }
    }
    int32_t least = view_theme_px(theme, 140);
    width = (width > least ? width : least) + 2 * theme->space_3;
    return keep_on_canvas(ui, (struct view_rect){at.x, at.y, width, height});
}

/* Arrow keys walk over what can be chosen. Returns the focused item's index, or count. */
static uint32_t menu_focus(struct view_ui *ui, view_id id, const struct view_menu_item *items, uint32_t count)
{
    uint32_t focused = count;
    for (uint32_t i = 0; i < count; i++) {
        focused = ui->focus == menu_item_id(id, i) ? i : focused;
    }
    bool down = view_input_has_key(ui->input, VIEW_KEY_DOWN, 0);
    bool up = view_input_has_key(ui->input, VIEW_KEY_UP, 0);
    for (uint32_t steps = 0; (down || up) && steps < count; steps++) {
        if (focused >= count) {
            focused = down ? 0 : count - 1;
        } else {
            focused = down ? (focused + 1) % count : (focused + count - 1) % count;
        }
        if (can_choose(&items[focused])) {
            ui->focus = menu_item_id(id, focused);
            ui->focus_visible = true;
            break;
        }
    }
    ui->key_taken = ui->key_taken || down || up;
    return focused;
}

static void menu_row(struct view_ui *ui, view_id id, struct view_rect row, const struct view_menu_item *item)
{
    const struct view_theme *theme = ui->theme;
    if (item->label == NULL) {
        view_separator(ui, row.x, row.y + row.h / 2, row.w);
        return;
    }
    bool enabled = can_choose(item);
    bool lit = enabled && (ui->hot == id || (ui->focus == id && ui->focus_visible));
    struct view_rect band = view_rect_inset(row, theme->space_1, 0);
    if (lit) {
        view_draw_box(ui->list, band, theme->space_1, theme->card_hot, VIEW_NONE, 0);
    }
    view_draw_hit(ui->list, id, row, enabled ? VIEW_HIT_FOCUSABLE : VIEW_HIT_BLOCKS, NULL);
    struct view_rect inside = view_rect_inset(row, theme->space_3, 0);
    if ((item->flags & VIEW_CONTROL_SELECTED) != 0) {
        struct view_rect mark = view_rect_cut_right(&inside, theme->space_4);
        view_icon(ui, mark, VIEW_ICON_CHECK, theme->accent.ink);
    } else if (item->shortcut != NULL) {
        int32_t width = view_label_width(ui, theme->mono_small, item->shortcut);
        view_label(ui, view_rect_cut_right(&inside, width), theme->mono_small, theme->text_faint,
                   VIEW_ALIGN_RIGHT, item->shortcut);
    }
    uint32_t color = !enabled                                   ? theme->text_faint
                     : (item->flags & VIEW_CONTROL_DANGER) != 0 ? theme->fail.ink
                                                                : theme->text;
    view_label(ui, inside, theme->body, color, VIEW_ALIGN_LEFT, item->label);
}

int32_t view_menu(struct view_ui *ui, view_id id, struct view_point at, const char *title,
                  const struct view_menu_item *items, uint32_t count)
{
    const struct view_theme *theme = ui->theme;
    int32_t result = VIEW_MENU_OPEN;
    menu_focus(ui, id, items, count);
    for (uint32_t i = 0; i < count; i++) {
        if (can_choose(&items[i]) && ui->activated == menu_item_id(id, i)) {
            result = (int32_t)i;
        }
    }
    struct view_rect rect = menu_place(ui, at, title, items, count);
    bool pressed = (ui->input->buttons_pressed & (VIEW_BUTTON_LEFT | VIEW_BUTTON_RIGHT)) != 0;
    bool elsewhere = pressed && !view_rect_contains(rect, ui->input->mouse) && ui->context == 0;
    if (result == VIEW_MENU_OPEN && (elsewhere || view_input_has_key(ui->input, VIEW_KEY_ESCAPE, 0))) {
        ui->key_taken = true;
        result = VIEW_MENU_CLOSED;
    }
    enum view_layer layer = view_draw_layer(ui->list, VIEW_LAYER_POPUP);
    view_draw_clip_push_canvas(ui->list);
    view_popup_surface(ui, id, rect);
    struct view_rect rest = view_rect_inset(rect, 0, theme->space_1);
    if (title != NULL) {
        struct view_rect strip = view_rect_cut_top(&rest, theme->row_height * 3 / 2);
        view_label(ui, view_rect_inset(strip, theme->space_3, 0), theme->label, theme->text_faint,
                   VIEW_ALIGN_LEFT, title);
    }
    for (uint32_t i = 0; i < count; i++) {
        menu_row(ui, menu_item_id(id, i), view_rect_cut_top(&rest, menu_row_height(theme, &items[i])),
                 &items[i]);
    }
    view_draw_clip_pop(ui->list);
    view_draw_layer(ui->list, layer);
    return result;
}

/* --- Toast
 * ------------------------------------------------------------------------------------------------------ */

void view_toast(struct view_ui *ui, struct view_hue hue, const char *text, uint32_t visible_256)
{
    if (visible_256 == 0) {
        return;
    }
    const struct view_theme *theme = ui->theme;
    enum view_layer layer = view_draw_layer(ui->list, VIEW_LAYER_POPUP);
    view_draw_clip_push_canvas(ui->list);
    view_draw_opacity_push(ui->list, visible_256);
    int32_t padding = theme->space_3;
    int32_t most = smaller(view_theme_px(theme, 560), ui->list->width - 2 * theme->space_6);
    int32_t width = smaller(view_label_width(ui, theme->body, text) + 3 * padding, most);
    int32_t height = theme->row_height * 2;
    struct view_rect rect = {(ui->list->width - width) / 2, ui->list->height - height - theme->space_6, width,
                             height};
    view_popup_surface(ui, 0, rect);
    struct view_rect mark = {rect.x + theme->space_2, rect.y + theme->space_2, theme->space_1,
                             height - theme->space_4};
    view_draw_box(ui->list, mark, theme->space_1 / 2, hue.fill, VIEW_NONE, 0);
    struct view_rect inside = {rect.x + 2 * padding - theme->space_1, rect.y,
                               width - 3 * padding + theme->space_1, height};
    view_label(ui, inside, theme->body, theme->text, VIEW_ALIGN_LEFT, text);
    view_draw_opacity_pop(ui->list);
    view_draw_clip_pop(ui->list);
    view_draw_layer(ui->list, layer);
}

/* --- The card of keys
 * ------------------------------------------------------------------------------------------- */

/*
 * Key caps of one row: "Shift+←  ." are three caps, the first two joined by a plus. Returns the width; draws
 * when asked to, as far as the area reaches.
 */
static int32_t key_caps(struct view_ui *ui, struct view_rect area, const char *keys, bool drawn)
{
    const struct view_theme *theme = ui->theme;
    int32_t x = area.x;
    for (const char *at = keys; *at != '\0';) {
        bool lone_plus = *at == '+' && (at[1] == '\0' || at[1] == ' ');
        size_t length = lone_plus ? 1 : strcspn(at, " +");
        if (length == 0) {
            if (*at == '+') {
                struct view_rect joint = {x - theme->space_1, area.y, theme->space_3, area.h};
                x += theme->space_2 - theme->space_1;
                if (drawn && joint.x + joint.w <= area.x + area.w) {
                    view_label(ui, joint, theme->label, theme->text_faint, VIEW_ALIGN_CENTER, "+");
                }
            }
            at++;
            continue;
        }
        char name[32];
        size_t kept = length < sizeof name ? length : sizeof name - 1;
        memcpy(name, at, kept);
        name[kept] = '\0';
        int32_t least = theme->row_height + theme->space_1;
        int32_t width = view_label_width(ui, theme->mono_small, name) + theme->space_3;
        width = width < least ? least : width;
        struct view_rect cap = {x, area.y + (area.h - theme->row_height) / 2, width, theme->row_height};
        if (drawn && cap.x + cap.w <= area.x + area.w) {
            view_draw_box(ui->list, cap, theme->space_1, theme->card_hot, theme->line_strong, theme->stroke);
            view_label(ui, cap, theme->mono_small, theme->text, VIEW_ALIGN_CENTER, name);
        }
        x += width + theme->space_1;
        at += length;
    }
    return x - area.x;
}

/* Where each line of the card stands. A heading that would end a column goes to the top of the next. */
static int32_t key_row_after(const struct view_key_help *keys, uint32_t index, int32_t slot, int32_t rows)
{
    bool heading = keys[index].keys == NULL;
    return heading && slot % rows == rows - 1 ? slot + 1 : slot;
}

static void key_rows(struct view_ui *ui, struct view_rect inside, const struct view_key_help *keys,
                     uint32_t count, int32_t rows, int32_t column_width)
{
    const struct view_theme *theme = ui->theme;
    int32_t row = theme->row_height * 3 / 2;
    int32_t caps_width = 0;
    for (uint32_t i = 0; i < count; i++) {
        int32_t width = keys[i].keys != NULL ? key_caps(ui, inside, keys[i].keys, false) : 0;
        caps_width = width > caps_width ? width : caps_width;
    }
    caps_width = smaller(caps_width + theme->space_3, column_width / 2);
    int32_t slot = 0;
    for (uint32_t i = 0; i < count; i++) {
        slot = key_row_after(keys, i, slot, rows);
        struct view_rect line = {inside.x + slot / rows * (column_width + theme->space_6),
                                 inside.y + slot % rows * row, column_width, row};
        slot++;
        if (keys[i].keys == NULL) {
            view_label(ui, line, theme->body_strong, theme->accent.ink, VIEW_ALIGN_LEFT, keys[i].meaning);
            continue;
        }
        key_caps(ui, view_rect_cut_left(&line, caps_width), keys[i].keys, true);
        view_label(ui, line, theme->body, theme->text_muted, VIEW_ALIGN_LEFT, keys[i].meaning);
    }
}

bool view_key_card(struct view_ui *ui, view_id id, const char *title, const struct view_key_help *keys,
                   uint32_t count)
{
    const struct view_theme *theme = ui->theme;
    enum view_layer layer = view_draw_layer(ui->list, VIEW_LAYER_OVERLAY);
    view_draw_clip_push_canvas(ui->list);
    struct view_rect canvas = {0, 0, ui->list->width, ui->list->height};
    view_draw_rect(ui->list, canvas, theme->scrim);
    view_draw_hit(ui->list, id, canvas, VIEW_HIT_BLOCKS, NULL);
    int32_t row = theme->row_height * 3 / 2;
    int32_t columns = count > 12 && canvas.w >= view_theme_px(theme, 800) ? 2 : 1;
    int32_t rows = ((int32_t)count + columns) / columns;
    int32_t column_width = smaller(view_theme_px(theme, 400), (canvas.w - 4 * theme->space_6) / columns);
    int32_t width = columns * column_width + (columns + 1) * theme->space_6;
    int32_t height = rows * row + theme->button_height + 3 * theme->space_4;
    struct view_rect rect = {(canvas.w - width) / 2, (canvas.h - height) / 2, width, height};
    rect = keep_on_canvas(ui, rect);
    view_popup_surface(ui, view_id_make(view_id_kind(id), view_id_index(id), 1), rect);
    struct view_rect inside = view_rect_inset(rect, theme->space_6, theme->space_4);
    struct view_rect head = view_rect_cut_top(&inside, theme->button_height);
    struct view_rect close = view_rect_cut_right(&head, theme->button_height);
    view_id close_id = view_id_make(view_id_kind(id), view_id_index(id), 2);
    bool closed = view_icon_button(ui, close_id, close, VIEW_ICON_CLOSE, VIEW_CONTROL_QUIET, NULL);
    view_label(ui, head, theme->heading, theme->text, VIEW_ALIGN_LEFT, title);
    view_rect_cut_top(&inside, theme->space_4);
    key_rows(ui, inside, keys, count, rows, column_width);
    view_draw_clip_pop(ui->list);
    view_draw_layer(ui->list, layer);
    bool key = !ui->key_taken && view_input_has_key(ui->input, VIEW_KEY_ESCAPE, 0);
    ui->key_taken = ui->key_taken || key;
    return closed || key || ui->activated == id;
}
