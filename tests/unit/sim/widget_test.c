/* Widgets by what a person does: frames of input against fixed text metrics, without a display. */
#include "view/widget.h"

#include "unit.h"

#include <string.h>

static struct view_draw_list list;
static struct view_text *text;
static struct view_theme theme;
static struct view_input input;
static struct view_ui ui;

static void start(void)
{
    view_draw_list_init(&list);
    text = view_text_create(&(struct view_text_options){.fixed_metrics = true});
    view_theme_init(&theme, VIEW_THEME_DARK, false);
    memset(&input, 0, sizeof input);
    memset(&ui, 0, sizeof ui);
    input.width = VIEW_PX(800);
    input.height = VIEW_PX(600);
    input.scale_256 = 256;
    input.mouse_inside = true;
}

static void stop(void)
{
    view_text_destroy(text);
    view_draw_list_release(&list);
}

static void begin(void)
{
    view_ui_begin(&ui, &list, text, &theme, &input);
}

static int32_t end(void)
{
    int32_t due = view_ui_end(&ui);
    view_input_begin_frame(&input, input.now_ms + 16);
    return due;
}

static void move(int32_t x, int32_t y)
{
    input.mouse = (struct view_point){VIEW_PX(x), VIEW_PX(y)};
}

static void press(void)
{
    input.buttons |= VIEW_BUTTON_LEFT;
    input.buttons_pressed |= VIEW_BUTTON_LEFT;
}

static void release(void)
{
    input.buttons &= ~(uint32_t)VIEW_BUTTON_LEFT;
    input.buttons_released |= VIEW_BUTTON_LEFT;
}

static bool has_text(const char *wanted)
{
    size_t length = strlen(wanted);
    for (uint32_t i = 0; i < list.command_count; i++) {
        const struct view_command *command = &list.commands[i];
        if (command->kind == VIEW_COMMAND_TEXT && command->data_count == length &&
            memcmp(&list.bytes[command->data_index], wanted, length) == 0) {
            return true;
        }
    }
    return false;
}

static const view_id first = (view_id)1 << 48 | 1;
static const view_id second = (view_id)1 << 48 | 2;
static const view_id third = (view_id)1 << 48 | 3;

static uint32_t two_buttons(uint32_t flags)
{
    begin();
    bool a = view_button(&ui, first, VIEW_RECT(10, 10, 80, 28), "One", 0, "the first");
    bool b = view_button(&ui, second, VIEW_RECT(100, 10, 80, 28), "Two", flags, NULL);
    return (a ? 1u : 0u) | (b ? 2u : 0u);
}

static void a_button_answers_when_released_on_it(void)
{
    start();
    two_buttons(0);
    end();
    move(20, 20);
    press();
    CU_ASSERT_EQUAL(two_buttons(0), 0);
    CU_ASSERT_EQUAL(ui.active, first);
    end();
    release();
    CU_ASSERT_EQUAL(two_buttons(0), 1);
    end();
    CU_ASSERT_EQUAL(two_buttons(0), 0);
    end();
    /* Pressed here, released elsewhere: nothing. */
    press();
    two_buttons(0);
    end();
    move(120, 20);
    release();
    CU_ASSERT_EQUAL(two_buttons(0), 0);
    end();
    /* A disabled button keeps quiet. */
    press();
    two_buttons(VIEW_CONTROL_DISABLED);
    end();
    release();
    CU_ASSERT_EQUAL(two_buttons(VIEW_CONTROL_DISABLED), 0);
    end();
    stop();
}

static void tab_walks_and_return_activates(void)
{
    start();
    two_buttons(0);
    end();
    view_input_add_key(&input, VIEW_KEY_TAB, 0, 0, false);
    two_buttons(0);
    CU_ASSERT_EQUAL(ui.focus, first);
    CU_ASSERT_TRUE(ui.key_taken);
    end();
    view_input_add_key(&input, VIEW_KEY_TAB, 0, 0, false);
    two_buttons(0);
    CU_ASSERT_EQUAL(ui.focus, second);
    end();
    view_input_add_key(&input, VIEW_KEY_RETURN, 0, 0, false);
    CU_ASSERT_EQUAL(two_buttons(0), 2);
    end();
    view_input_add_key(&input, VIEW_KEY_TAB, VIEW_MODIFIER_SHIFT, 0, false);
    two_buttons(0);
    CU_ASSERT_EQUAL(ui.focus, first);
    end();
    /* Space with nothing in focus belongs to the application: play and pause. */
    view_input_add_key(&input, VIEW_KEY_ESCAPE, 0, 0, false);
    two_buttons(0);
    CU_ASSERT_EQUAL(ui.focus, 0);
    end();
    view_input_add_key(&input, VIEW_KEY_SPACE, 0, ' ', false);
    CU_ASSERT_EQUAL(two_buttons(0), 0);
    CU_ASSERT_FALSE(ui.key_taken);
    end();
    stop();
}

static void context_and_double_click(void)
{
    start();
    two_buttons(0);
    end();
    move(120, 20);
    input.buttons_pressed = input.buttons = VIEW_BUTTON_RIGHT;
    two_buttons(0);
    CU_ASSERT_EQUAL(ui.context, second);
    end();
    input.buttons = 0;
    press();
    two_buttons(0);
    CU_ASSERT_EQUAL(ui.context, 0);
    end();
    input.long_press = true;
    two_buttons(0);
    CU_ASSERT_EQUAL(ui.context, second);
    end();
    release();
    CU_ASSERT_EQUAL(two_buttons(0), 0); /* a long press is no click */
    end();
    press();
    input.double_click = true;
    two_buttons(0);
    CU_ASSERT_EQUAL(ui.double_clicked, second);
    end();
    stop();
}

static void a_tooltip_waits(void)
{
    start();
    two_buttons(0);
    end();
    move(20, 20);
    two_buttons(0);
    int32_t due = end();
    CU_ASSERT_TRUE(due > 300 && due <= 450);
    CU_ASSERT_FALSE(has_text("the first"));
    input.now_ms += due;
    two_buttons(0);
    CU_ASSERT_EQUAL(end(), -1);
    CU_ASSERT_TRUE(has_text("the first"));
    stop();
}

static void a_slider_follows(void)
{
    start();
    int32_t value = 50;
    for (int frame = 0; frame < 8; frame++) {
        if (frame == 1) {
            move(107, 20);
            press();
        }
        if (frame == 2) {
            move(500, 500); /* dragged far beside it */
        }
        if (frame == 3) {
            release();
        }
        if (frame == 4) {
            view_input_add_key(&input, VIEW_KEY_LEFT, 0, 0, false);
        }
        if (frame == 5) {
            view_input_add_key(&input, VIEW_KEY_HOME, 0, 0, false);
        }
        if (frame == 6) {
            move(50, 20);
            input.wheel.y = -VIEW_PX(48);
        }
        begin();
        bool changed = view_slider(&ui, first, VIEW_RECT(0, 10, 214, 20), 0, 100, 1, &value);
        end();
        static const int32_t expected[8] = {50, 50, 100, 100, 99, 0, 1, 1};
        static const bool changes[8] = {false, false, true, false, true, true, true, false};
        CU_ASSERT_EQUAL(value, expected[frame]);
        CU_ASSERT_EQUAL(changed, changes[frame]);
    }
    stop();
}

static enum view_field_event field_frame(struct view_field *field)
{
    begin();
    enum view_field_event event = view_text_field(&ui, first, VIEW_RECT(0, 0, 120, 28), field, "empty", NULL);
    end();
    return event;
}

static void a_field_edits_utf8(void)
{
    start();
    struct view_field field = {0};
    field_frame(&field);
    CU_ASSERT_TRUE(has_text("empty"));
    move(20, 10);
    press();
    field_frame(&field);
    CU_ASSERT_EQUAL(ui.focus, first);
    release();
    view_input_add_text(&input, "\xE8\xAE\xB0"
                                "ab");
    view_input_add_key(&input, 'b', 0, 'b', false);
    CU_ASSERT_EQUAL(field_frame(&field), VIEW_FIELD_CHANGED);
    CU_ASSERT_TRUE(ui.key_taken);
    CU_ASSERT_STRING_EQUAL(field.bytes, "\xE8\xAE\xB0"
                                        "ab");
    view_input_add_key(&input, VIEW_KEY_HOME, 0, 0, false);
    view_input_add_key(&input, VIEW_KEY_DELETE, 0, 0, false);
    field_frame(&field);
    CU_ASSERT_STRING_EQUAL(field.bytes, "ab");
    view_input_add_key(&input, 'a', VIEW_MODIFIER_CONTROL, 0, false);
    view_input_add_key(&input, VIEW_KEY_BACKSPACE, 0, 0, false);
    field_frame(&field);
    CU_ASSERT_STRING_EQUAL(field.bytes, "");
    view_input_add_key(&input, VIEW_KEY_BACKSPACE, 0, 0, false);
    CU_ASSERT_EQUAL(field_frame(&field), VIEW_FIELD_NOTHING);
    for (int i = 0; i < 40; i++) {
        view_input_add_text(&input, "0123456789");
        field_frame(&field);
    }
    CU_ASSERT_EQUAL(field.length, 250); /* full, and whole */
    CU_ASSERT_EQUAL(strlen(field.bytes), 250);
    view_input_add_key(&input, VIEW_KEY_RETURN, 0, 0, false);
    CU_ASSERT_EQUAL(field_frame(&field), VIEW_FIELD_COMMITTED);
    CU_ASSERT_EQUAL(ui.focus, 0);
    stop();
}

static int32_t menu_frame(void)
{
    static const struct view_menu_item items[4] = {{"Kill", NULL, VIEW_CONTROL_DANGER},
                                                   {"Restart", NULL, VIEW_CONTROL_DISABLED},
                                                   {NULL, NULL, 0},
                                                   {"Freeze", "f", 0}};
    begin();
    view_button(&ui, second, VIEW_RECT(0, 0, 800, 600), "under", 0, NULL);
    int32_t chosen =
        view_menu(&ui, third, (struct view_point){VIEW_PX(790), VIEW_PX(590)}, "Broker 2", items, 4);
    end();
    return chosen;
}

static void a_menu_takes_keys_and_clicks(void)
{
    start();
    move(5, 5);
    CU_ASSERT_EQUAL(menu_frame(), VIEW_MENU_OPEN);
    /* It stays on the canvas. */
    const struct view_hit *surface = view_draw_list_find(&list, third);
    CU_ASSERT_PTR_NOT_NULL_FATAL(surface);
    CU_ASSERT_TRUE(surface->rect.x + surface->rect.w <= VIEW_PX(800));
    CU_ASSERT_TRUE(surface->rect.y + surface->rect.h <= VIEW_PX(600));
    view_input_add_key(&input, VIEW_KEY_DOWN, 0, 0, false);
    menu_frame();
    view_input_add_key(&input, VIEW_KEY_DOWN, 0, 0, false);
    menu_frame();
    view_input_add_key(&input, VIEW_KEY_RETURN, 0, 0, false);
    CU_ASSERT_EQUAL(menu_frame(), 3); /* past the disabled one and the line */
    view_input_add_key(&input, VIEW_KEY_ESCAPE, 0, 0, false);
    CU_ASSERT_EQUAL(menu_frame(), VIEW_MENU_CLOSED);
    menu_frame();
    press();
    CU_ASSERT_EQUAL(menu_frame(), VIEW_MENU_CLOSED);
    release();
    menu_frame();
    const struct view_hit *kill = view_draw_list_find(&list, view_id_make(1, 3, 1));
    CU_ASSERT_PTR_NOT_NULL_FATAL(kill);
    input.mouse = (struct view_point){kill->rect.x + 16, kill->rect.y + 16};
    press();
    CU_ASSERT_EQUAL(menu_frame(), VIEW_MENU_OPEN);
    release();
    CU_ASSERT_EQUAL(menu_frame(), 0);
    stop();
}

static void a_menu_keeps_the_focus(void)
{
    start();
    menu_frame();
    for (int i = 0; i < 4; i++) {
        view_input_add_key(&input, VIEW_KEY_TAB, 0, 0, false);
        menu_frame();
        CU_ASSERT_EQUAL(ui.focus, view_id_make(1, 3, i % 2 == 0 ? 1 : 4));
    }
    stop();
}

static void a_scroll_area_scrolls(void)
{
    start();
    int32_t offset = 0;
    for (int frame = 0; frame < 4; frame++) {
        move(10, 10);
        input.wheel.y = frame == 1 ? VIEW_PX(48) : frame == 2 ? VIEW_PX(5000) : 0;
        begin();
        struct view_rect area =
            view_scroll_begin(&ui, first, VIEW_RECT(0, 0, 200, 100), VIEW_PX(300), &offset);
        CU_ASSERT_TRUE(area.w < VIEW_PX(200));
        view_button(&ui, second, (struct view_rect){area.x, area.y, area.w, VIEW_PX(30)}, "row", 0, NULL);
        view_scroll_end(&ui);
        end();
        static const int32_t expected[4] = {0, VIEW_PX(48), VIEW_PX(200), VIEW_PX(200)};
        CU_ASSERT_EQUAL(offset, expected[frame]);
    }
    CU_ASSERT_PTR_NULL(view_draw_list_find(&list, second)); /* scrolled away: it does not answer */
    stop();
}

/* Text of widgets in boxes of every width from 0 on: nothing asserts, and no run is wider than its box. */
static void text_stays_in_its_box(void)
{
    start();
    for (int32_t w = 0; w < 200; w += 3) {
        begin();
        struct view_rect rect = VIEW_RECT(300, 50, w, 28);
        view_label(&ui, rect, theme.body, theme.text, VIEW_ALIGN_RIGHT, "Batch #5 leaves now: no room");
        view_button(&ui, first, rect, "Kill the broker", 0, NULL);
        view_key_value(&ui, rect, "in flight / queued", "16 272", theme.text);
        view_lamp_row(&ui, second, rect, VIEW_LAMP_ON, theme.warn, "NO_ROOM", "#8 stands behind it", NULL);
        view_chip(&ui, 0, (struct view_point){rect.x, rect.y}, rect.w, theme.ok, VIEW_CHIP_OUTLINE, "IN SYNC",
                  NULL);
        view_label_pair(&ui, rect, theme.mono, "B1  orders-0", theme.text, "backoff 88", theme.text);
        view_paragraph(&ui, rect, theme.body, theme.text,
                       "One line of these words fits and the rest does not");
        view_card(&ui, 0, rect, 0, VIEW_NONE, "BufferPool", "33 554 432 B");
        view_status_dot(&ui, rect, VIEW_STATUS_SLOW, "fetches slowly");
        view_bar(&ui, rect, 3, 7, theme.text);
        view_tabs(&ui, third, rect, (const char *const[]){"Why", "Inspect", "Config"}, 3, 1);
        for (uint32_t i = 0; i < list.command_count; i++) {
            const struct view_command *c = &list.commands[i];
            if (c->kind == VIEW_COMMAND_TEXT) {
                int32_t width = view_text_width(text, c->u.font, &list.bytes[c->data_index], c->data_count);
                CU_ASSERT_TRUE(c->rect.x >= rect.x);
                CU_ASSERT_TRUE(c->rect.x + width <= rect.x + rect.w + 16);
            }
        }
        end();
    }
    stop();
}

static void bars_never_lie(void)
{
    start();
    begin();
    struct view_rect rect = VIEW_RECT(0, 0, 100, 4);
    static const struct {
        int64_t value, total;
        int32_t least, most;
    } cases[] = {{1, 1000000, 16, 16},
                 {999999, 1000000, VIEW_PX(99), VIEW_PX(99)},
                 {1000000, 1000000, VIEW_PX(100), VIEW_PX(100)},
                 {INT64_MAX / 2, INT64_MAX, VIEW_PX(49.5), VIEW_PX(50)}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        view_bar(&ui, rect, cases[i].value, cases[i].total, theme.text);
        int32_t width = list.commands[list.command_count - 1].rect.w;
        CU_ASSERT_TRUE(width >= cases[i].least && width <= cases[i].most);
    }
    uint32_t before = list.command_count;
    view_bar(&ui, rect, 0, 10, theme.text);
    CU_ASSERT_EQUAL(list.command_count, before + 1); /* only the groove */
    end();
    stop();
}

static void plots_keep_their_peaks(void)
{
    start();
    begin();
    static int32_t values[5000];
    values[4321] = 1000;
    struct view_series series = {values, 5000, theme.accent, NULL};
    view_sparkline(&ui, VIEW_RECT(0, 0, 100, 40), &series);
    const struct view_command *line = &list.commands[list.command_count - 1];
    CU_ASSERT_EQUAL_FATAL(line->kind, VIEW_COMMAND_POLYLINE);
    int32_t highest = INT32_MAX;
    for (uint32_t i = 0; i < line->data_count; i++) {
        int32_t y = list.points[line->data_index + i].y;
        highest = y < highest ? y : highest;
    }
    CU_ASSERT_EQUAL(highest, VIEW_PX(1));
    series.count = 0;
    view_sparkline(&ui, VIEW_RECT(0, 0, 100, 40), &series);
    end();
    stop();
}

int main(void)
{
    return unit_main("widget",
                     (struct unit_test[]){
                         {"a button answers when released on it", a_button_answers_when_released_on_it},
                         {"Tab walks and Return activates", tab_walks_and_return_activates},
                         {"context and double click", context_and_double_click},
                         {"a tooltip waits", a_tooltip_waits},
                         {"a slider follows", a_slider_follows},
                         {"a field edits UTF-8", a_field_edits_utf8},
                         {"a menu takes keys and clicks", a_menu_takes_keys_and_clicks},
                         {"a menu keeps the focus", a_menu_keeps_the_focus},
                         {"a scroll area scrolls", a_scroll_area_scrolls},
                         {"text stays in its box", text_stays_in_its_box},
                         {"bars never lie", bars_never_lie},
                         {"plots keep their peaks", plots_keep_their_peaks},
                         {0},
                     });
}
