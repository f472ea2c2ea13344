/* A line of text that is edited. */
#include "view/widget_private.h"

#include <string.h>

void view_field_set(struct view_field *field, const char *text)
{
    size_t length = strlen(text);
    length = length < VIEW_FIELD_BYTES ? length : VIEW_FIELD_BYTES - 1;
    while (length > 0 && text[length] != '\0' && ((unsigned char)text[length] & 0xC0) == 0x80) {
        length--;
    }
    memcpy(field->bytes, text, length);
    field->bytes[length] = '\0';
    field->length = field->caret = field->anchor = (uint32_t)length;
    field->scroll = 0;
}

static bool is_inside(const struct view_field *field, uint32_t at)
{
    return at > 0 && at < field->length && ((unsigned char)field->bytes[at] & 0xC0) == 0x80;
}

static uint32_t step_left(const struct view_field *field, uint32_t at)
{
    at -= at > 0;
    while (is_inside(field, at)) {
        at--;
    }
    return at;
}

static uint32_t step_right(const struct view_field *field, uint32_t at)
{
    at += at < field->length;
    while (is_inside(field, at)) {
        at++;
    }
    return at;
}

static void erase(struct view_field *field, uint32_t from, uint32_t to)
{
    memmove(field->bytes + from, field->bytes + to, field->length - to + 1);
    field->length -= to - from;
    field->caret = field->anchor = from;
}

static bool erase_selection(struct view_field *field)
{
    if (field->caret == field->anchor) {
        return false;
    }
    uint32_t from = field->caret < field->anchor ? field->caret : field->anchor;
    uint32_t to = field->caret < field->anchor ? field->anchor : field->caret;
    erase(field, from, to);
    return true;
}

static bool insert(struct view_field *field, const char *text, uint32_t count)
{
    erase_selection(field);
    if (field->length + count >= VIEW_FIELD_BYTES) {
        return false;
    }
    memmove(field->bytes + field->caret + count, field->bytes + field->caret,
            field->length - field->caret + 1);
    memcpy(field->bytes + field->caret, text, count);
    field->length += count;
    field->caret += count;
    field->anchor = field->caret;
    return true;
}

static void move_caret(struct view_field *field, uint32_t to, bool selecting)
{
    field->caret = to;
    field->anchor = selecting ? field->anchor : to;
}

static enum view_field_event on_key(struct view_field *field, const struct view_key_press *press)
{
    bool selecting = (press->modifiers & VIEW_MODIFIER_SHIFT) != 0;
    bool changed = false;
    switch (press->key) {
    case VIEW_KEY_RETURN:
        return VIEW_FIELD_COMMITTED;
    case VIEW_KEY_ESCAPE:
        return VIEW_FIELD_CANCELLED;
    case VIEW_KEY_LEFT:
        move_caret(field, step_left(field, field->caret), selecting);
        break;
    case VIEW_KEY_RIGHT:
        move_caret(field, step_right(field, field->caret), selecting);
        break;
    case VIEW_KEY_HOME:
        move_caret(field, 0, selecting);
        break;
    case VIEW_KEY_END:
        move_caret(field, field->length, selecting);
        break;
    case VIEW_KEY_BACKSPACE:
        changed = field->length > 0 && (field->caret > 0 || field->anchor > 0);
        if (!erase_selection(field)) {
            erase(field, step_left(field, field->caret), field->caret);
        }
        break;
    case VIEW_KEY_DELETE:
        changed = field->caret < field->length || field->anchor < field->length;
        if (!erase_selection(field)) {
            erase(field, field->caret, step_right(field, field->caret));
        }
        break;
    case 'a':
        if ((press->modifiers & VIEW_MODIFIER_CONTROL) != 0) {
            field->anchor = 0;
            field->caret = field->length;
        }
        break;
    default:
        break;
    }
    return changed ? VIEW_FIELD_CHANGED : VIEW_FIELD_NOTHING;
}

static enum view_field_event edit(struct view_ui *ui, struct view_field *field)
{
    enum view_field_event event = VIEW_FIELD_NOTHING;
    if (ui->input->text_count > 0 && insert(field, ui->input->text, ui->input->text_count)) {
        event = VIEW_FIELD_CHANGED;
    }
    for (uint32_t i = 0; i < ui->input->key_count; i++) {
        enum view_field_event one = on_key(field, &ui->input->keys[i]);
        event = one > event ? one : event;
    }
    if (event == VIEW_FIELD_COMMITTED || event == VIEW_FIELD_CANCELLED) {
        ui->focus = 0;
    }
    return event;
}

/* The character boundary nearest to a place in the field. */
static uint32_t boundary_at(struct view_ui *ui, const struct view_field *field, struct view_font font,
                            int32_t x)
{
    uint32_t best = 0;
    int32_t best_distance = x < 0 ? -x : x;
    for (uint32_t at = 0; at < field->length;) {
        at = step_right(field, at);
        int32_t distance = view_text_width(ui->text, font, field->bytes, at) - x;
        distance = distance < 0 ? -distance : distance;
        if (distance < best_distance) {
            best = at;
            best_distance = distance;
        }
    }
    return best;
}

static void draw_content(struct view_ui *ui, struct view_rect inside, const struct view_field *field,
                         bool focused, const char *placeholder)
{
    const struct view_theme *theme = ui->theme;
    struct view_text_metrics metrics = view_text_metrics(ui->text, theme->mono);
    int32_t baseline = inside.y + (inside.h + metrics.cap_height + 1) / 2;
    int32_t x = inside.x - field->scroll;
    int32_t top = baseline - metrics.cap_height - VIEW_PX(3);
    int32_t height = metrics.cap_height + VIEW_PX(6);
    if (focused && field->caret != field->anchor) {
        int32_t a = view_text_width(ui->text, theme->mono, field->bytes, field->caret);
        int32_t b = view_text_width(ui->text, theme->mono, field->bytes, field->anchor);
        struct view_rect selection = {x + (a < b ? a : b), top, a < b ? b - a : a - b, height};
        view_draw_rect(ui->list, selection, view_color_with_alpha(theme->accent.fill, 90));
    }
    if (field->length == 0) {
        view_label(ui, inside, theme->mono, theme->text_faint, VIEW_ALIGN_LEFT, placeholder);
    } else {
        view_draw_text(ui->list, (struct view_point){x, baseline}, theme->mono, theme->text, field->bytes,
                       field->length);
    }
    if (focused) {
        int32_t at = x + view_text_width(ui->text, theme->mono, field->bytes, field->caret);
        view_draw_rect(ui->list, (struct view_rect){at, top, VIEW_PX(1.5), height}, theme->accent.ink);
    }
}

enum view_field_event view_text_field(struct view_ui *ui, view_id id, struct view_rect rect,
                                      struct view_field *field, const char *placeholder, const char *error)
{
    const struct view_theme *theme = ui->theme;
    bool focused = id != 0 && ui->focus == id;
    struct view_rect inside = view_rect_inset(rect, theme->space_2, 0);
    enum view_field_event event = focused ? edit(ui, field) : VIEW_FIELD_NOTHING;
    if (id != 0 && ui->drag == id) {
        uint32_t at = boundary_at(ui, field, theme->mono, ui->input->mouse.x - inside.x + field->scroll);
        bool selecting = (ui->input->buttons_pressed & VIEW_BUTTON_LEFT) == 0;
        move_caret(field, at, selecting);
    }
    int32_t caret_x = view_text_width(ui->text, theme->mono, field->bytes, field->caret);
    int32_t room = inside.w - VIEW_PX(2);
    if (caret_x - field->scroll > room) {
        field->scroll = caret_x - room;
    } else if (caret_x < field->scroll) {
        field->scroll = caret_x;
    }
    uint32_t stroke = error != NULL   ? theme->fail.ink
                      : focused       ? theme->accent.ink
                      : ui->hot == id ? theme->text_muted
                                      : theme->line_strong;
    view_draw_box(ui->list, rect, theme->radius_button, theme->background, stroke,
                  focused || error != NULL ? theme->stroke_strong : theme->stroke);
    view_draw_clip_push(ui->list, inside);
    draw_content(ui, inside, field, focused, placeholder);
    view_draw_clip_pop(ui->list);
    view_draw_hit(ui->list, id, rect, VIEW_HIT_FOCUSABLE | VIEW_HIT_TEXT | VIEW_HIT_DRAGGABLE, error);
    return event;
}
