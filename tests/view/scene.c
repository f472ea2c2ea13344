#include "scene.h"

#include <stdio.h>
#include <string.h>

void scene_init(struct scene *scene)
{
    memset(scene, 0, sizeof *scene);
    scene->linger_ms = 5;
    scene->answer = 1;
    scene->chosen = -1;
    scene->playing = true;
    view_field_set(&scene->field, "shop.linger.ms=20");
}

static view_id id_of(enum scene_kind kind, uint32_t index)
{
    return view_id_make((uint16_t)kind, index, 0);
}

/* --- The bar at the top
 * ----------------------------------------------------------------------------------------- */

static void top_bar(struct scene *scene, struct view_rect bar)
{
    struct view_ui *ui = &scene->ui;
    const struct view_theme *theme = ui->theme;
    view_draw_rect(ui->list, bar, theme->panel);
    view_separator(ui, bar.x, bar.y + bar.h - theme->stroke, bar.w);
    struct view_rect row = view_rect_inset(bar, theme->space_4, theme->space_2);
    view_label(ui, view_rect_cut_left(&row, view_theme_px(theme, 62)), theme->brand, theme->text,
               VIEW_ALIGN_LEFT, "linger");
    struct view_rect lesson = view_rect_cut_left(&row, row.w / 4);
    view_label(ui, lesson, theme->body, theme->text_muted, VIEW_ALIGN_LEFT,
               "Lesson 14 · acks=all with a slow follower");
    static const enum view_icon icons[5] = {VIEW_ICON_START, VIEW_ICON_PREVIOUS, VIEW_ICON_PLAY,
                                            VIEW_ICON_NEXT, VIEW_ICON_END};
    static const char *const tips[5] = {"To the start (Home)", "One event back (←)", "Play or pause (Space)",
                                        "One event forward (→)", "To the end (End)"};
    for (uint32_t i = 0; i < 5; i++) {
        struct view_rect button = view_rect_cut_left(&row, view_theme_px(theme, 34));
        button.y += (button.h - theme->button_height) / 2;
        button.h = theme->button_height;
        enum view_icon icon = i == 2 && !scene->playing ? VIEW_ICON_PAUSE : icons[i];
        bool hit = view_icon_button(ui, id_of(SCENE_ICON, i), button, icon,
                                    i == 2 ? VIEW_CONTROL_PRIMARY : 0u, tips[i]);
        scene->playing = hit && i == 2 ? !scene->playing : scene->playing;
        view_rect_cut_left(&row, theme->space_1 + VIEW_PX(2));
    }
    view_rect_cut_left(&row, theme->space_3);
    view_label(ui, view_rect_cut_left(&row, view_theme_px(theme, 24)), theme->label, theme->text_muted,
               VIEW_ALIGN_LEFT, "t =");
    view_label(ui, view_rect_cut_left(&row, view_theme_px(theme, 100)), theme->clock, theme->text,
               VIEW_ALIGN_LEFT, "12.400 ms");
    view_label(ui, view_rect_cut_left(&row, view_theme_px(theme, 130)), theme->mono_small, theme->text_muted,
               VIEW_ALIGN_LEFT, "event 318 / 1 204");
    static const char *const chips[4] = {"acks=all", "linger.ms=5", "batch.size=16384", "idempotence=on"};
    struct view_hue plain = {theme->card, theme->text_muted, theme->text, VIEW_PATTERN_NONE};
    for (uint32_t i = 0; i < 4 && row.w > view_theme_px(theme, 90); i++) {
        struct view_point at = {row.x, row.y + (row.h - theme->chip_height) / 2};
        int32_t width = view_chip(ui, id_of(SCENE_CHIP, i), at, row.w, plain, VIEW_CHIP_OUTLINE, chips[i],
                                  "A setting of the producer. Click to change it.");
        view_rect_cut_left(&row, width + theme->space_2);
    }
}

/* --- Partitions, batches, the pool
 * ------------------------------------------------------------------------------ */

static void batch(struct view_ui *ui, struct view_rect rect, struct view_hue hue, const char *name,
                  int32_t records, int64_t bytes, const char *chip, struct view_hue chip_hue, int64_t left_us)
{
    const struct view_theme *theme = ui->theme;
    view_draw_box(ui->list, rect, VIEW_PX(5), theme->card, hue.ink, VIEW_PX(1.5));
    struct view_rect inside = view_rect_inset(rect, theme->space_1 + VIEW_PX(2), theme->space_1);
    view_label(ui, view_rect_cut_top(&inside, theme->row_height), theme->mono_small_strong, theme->text,
               VIEW_ALIGN_LEFT, name);
    int32_t per_row = inside.w / VIEW_PX(11);
    for (int32_t i = 0; i < records; i++) {
        struct view_rect cell = {inside.x + i % per_row * VIEW_PX(11), inside.y + i / per_row * VIEW_PX(11),
                                 VIEW_PX(9), VIEW_PX(9)};
        view_draw_pattern_box(ui->list, cell, theme->radius_cell, hue.fill, hue.pattern,
                              view_color_with_alpha(hue.on_fill, 170));
    }
    struct view_rect bar = view_rect_cut_bottom(&inside, theme->bar_height);
    view_bar(ui, bar, bytes, 16384, hue.fill);
    if (chip != NULL) {
        int32_t width = view_chip_width(ui, chip);
        view_chip(ui, 0,
                  (struct view_point){inside.x + inside.w - width, bar.y - theme->chip_height - VIEW_PX(4)},
                  width, chip_hue, VIEW_CHIP_OUTLINE, chip, NULL);
    } else {
        struct view_rect line = view_rect_cut_bottom(&inside, theme->row_height);
        struct view_point center = {line.x + line.w - VIEW_PX(7), line.y - VIEW_PX(9)};
        view_countdown_ring(ui, center, VIEW_PX(7.5), left_us, 5000, hue.ink);
        char label[32];
        snprintf(label, sizeof label, "%d.%d ms left", (int)(left_us / 1000), (int)(left_us / 100 % 10));
        view_label(ui, line, theme->mono_small, theme->text_muted, VIEW_ALIGN_RIGHT, label);
    }
}

static void partition_row(struct view_ui *ui, struct view_rect rect, uint32_t index, const char *leader)
{
    const struct view_theme *theme = ui->theme;
    struct view_hue hue = view_theme_partition(theme, index);
    char name[32];
    snprintf(name, sizeof name, "orders-%u", (unsigned)index);
    struct view_rect inside = view_card(ui, id_of(SCENE_CARD, index), rect, VIEW_CARD_WELL | VIEW_CARD_TIGHT,
                                        VIEW_NONE, NULL, leader);
    view_card_stripe(ui, rect, hue.fill);
    view_label(ui,
               (struct view_rect){inside.x + theme->space_1, inside.y - theme->row_height, inside.w / 2,
                                  theme->row_height},
               theme->mono_strong, hue.ink, VIEW_ALIGN_LEFT, name);
    view_rect_cut_left(&inside, theme->space_1);
    struct view_rect first = view_rect_cut_left(&inside, inside.w / 2 - theme->space_1);
    view_rect_cut_left(&inside, theme->space_2);
    if (index == 0) {
        batch(ui, first, hue, "#5  16 272 B", 24, 16272, "NO ROOM", theme->warn, 0);
        batch(ui, inside, hue, "#8  6 881 B", 10, 6881, NULL, hue, 3200);
    } else if (index == 1) {
        batch(ui, first, hue, "#7  8 355 B", 12, 8355, NULL, hue, 1100);
    } else {
        batch(ui, first, hue, "#6  10 321 B", 15, 10321, "RETRY 1", theme->fail, 0);
        batch(ui, inside, hue, "#9  1 310 B", 2, 1310, NULL, hue, 4500);
    }
}

static void accumulator(struct scene *scene, struct view_rect rect)
{
    struct view_ui *ui = &scene->ui;
    const struct view_theme *theme = ui->theme;
    struct view_rect inside =
        view_panel(ui, rect, "RecordAccumulator", "Map<TopicPartition, Deque<ProducerBatch>>");
    static const uint32_t rows[4] = {0, 1, 2, 7};
    for (uint32_t i = 0; i < 4; i++) {
        static const char *const leaders[4] = {"leader B1", "leader B2", "leader B3", "leader B2"};
        partition_row(ui, view_rect_cut_top(&inside, view_theme_px(theme, 116)), rows[i], leaders[i]);
        view_rect_cut_top(&inside, theme->space_2);
    }
    struct view_rect pool =
        view_card(ui, 0, inside, VIEW_CARD_WELL, VIEW_NONE, "BufferPool", "buffer.memory 33 554 432 B");
    view_rect_cut_top(&pool, theme->space_1);
    struct view_bar_part parts[3] = {
        {91, theme->accent}, {25, view_theme_partition(theme, 8)}, {56, theme->pool}};
    view_stacked_bar(ui, view_rect_cut_top(&pool, view_theme_px(theme, 16)), parts, 3, 335);
    view_rect_cut_top(&pool, theme->space_1);
    struct view_rect legend = view_rect_cut_top(&pool, theme->row_height);
    view_label_pair(ui, legend, theme->mono_small, "in use 9.1 MB", theme->accent.ink, "free list 5.6 MB",
                    theme->pool.ink);
    view_key_value(ui, view_rect_cut_top(&pool, theme->row_height), "waiters (max.block.ms 60 000)", "none",
                   theme->ok.ink);
    static const int32_t values[] = {3, 4, 9, 8, 14, 12, 15, 14, 15, 15, 16, 12, 11, 18, 19, 17, 15};
    struct view_series series = {values, sizeof values / sizeof *values, theme->accent, NULL};
    view_sparkline(ui, pool, &series);
}

/* --- Controls
 * --------------------------------------------------------------------------------------------------- */

static void sender(struct scene *scene, struct view_rect rect)
{
    struct view_ui *ui = &scene->ui;
    const struct view_theme *theme = ui->theme;
    struct view_rect inside = view_panel(ui, rect, "Sender thread", "Sender.runOnce()");
    struct view_rect card =
        view_card(ui, id_of(SCENE_CARD, 100), view_rect_cut_top(&inside, view_theme_px(theme, 92)),
                  VIEW_CARD_MONO, VIEW_NONE, "ready()", NULL);
    static const char *const nodes[3] = {"B1  orders-0", "B2  orders-1", "B3  orders-2"};
    static const char *const whys[3] = {"no room", "1.1 ms", "backoff 88"};
    for (uint32_t i = 0; i < 3; i++) {
        struct view_rect row = view_rect_cut_top(&card, theme->row_height);
        view_label_pair(ui, row, theme->mono_small, nodes[i], view_theme_partition(theme, i).ink, whys[i],
                        i == 0 ? theme->warn.ink : theme->text_muted);
    }
    view_rect_cut_top(&inside, theme->space_3);
    card = view_card(ui, id_of(SCENE_CARD, 101), view_rect_cut_top(&inside, view_theme_px(theme, 70)),
                     VIEW_CARD_MONO | VIEW_CARD_ACTIVE, theme->accent.ink, "drain()", NULL);
    view_label(ui, view_rect_cut_top(&card, theme->row_height), theme->mono, theme->accent.ink,
               VIEW_ALIGN_LEFT, "B1 ← #5");
    view_label(ui, view_rect_cut_top(&card, theme->row_height), theme->mono_small, theme->text_muted,
               VIEW_ALIGN_LEFT, "16 272 ≤ max.request.size");
    view_rect_cut_top(&inside, theme->space_3);
    card = view_card(ui, 0, view_rect_cut_top(&inside, view_theme_px(theme, 112)), VIEW_CARD_MONO, VIEW_NONE,
                     "poll()", NULL);
    view_key_value(ui, view_rect_cut_top(&card, theme->row_height), "timeout", "1 ms", theme->text);
    view_key_value(ui, view_rect_cut_top(&card, theme->row_height), "next linger expiry", "13 ms",
                   theme->text);
    view_key_value(ui, view_rect_cut_top(&card, theme->row_height), "next retry", "100 ms", theme->text);
    view_label(ui, view_rect_cut_top(&card, theme->row_height), theme->mono_small, theme->text_muted,
               VIEW_ALIGN_LEFT, "PID 1000  epoch 0");
    view_rect_cut_top(&inside, theme->space_3);
    struct view_rect badges = view_rect_cut_top(&inside, theme->row_height * 3 / 2);
    for (uint32_t i = 0; i < 8; i++) {
        char label[8];
        snprintf(label, sizeof label, "%u", i < 6 ? 41u + i : 1234u * i);
        struct view_point center = {badges.x + theme->space_3 + (int32_t)i * VIEW_PX(23),
                                    badges.y + badges.h / 2};
        if (center.x + VIEW_PX(20) < badges.x + badges.w) {
            view_badge(ui, center, view_theme_partition(theme, i), label);
        }
    }
    struct view_rect hint = view_rect_cut_top(&inside, theme->row_height * 2);
    view_status_dot(ui, view_rect_cut_left(&hint, hint.w / 4), VIEW_STATUS_UP, "up");
    view_status_dot(ui, view_rect_cut_left(&hint, hint.w / 2), VIEW_STATUS_SLOW, "lag 240");
    view_status_dot(ui, hint, VIEW_STATUS_DOWN, "down");
    for (uint32_t i = 0; i < 14 && inside.h > theme->row_height; i++) {
        struct view_rect cell = view_rect_cut_left(&inside, VIEW_PX(11.25));
        struct view_hue hue = view_theme_partition(theme, i + 3);
        view_draw_pattern_box(ui->list, (struct view_rect){cell.x, cell.y, VIEW_PX(9), VIEW_PX(18)},
                              VIEW_PX(2), hue.fill, hue.pattern, view_color_with_alpha(hue.on_fill, 170));
    }
}

static void network(struct scene *scene, struct view_rect rect)
{
    struct view_ui *ui = &scene->ui;
    const struct view_theme *theme = ui->theme;
    struct view_rect inside = view_rect_inset(rect, 0, theme->space_3);
    view_label(ui, view_rect_cut_top(&inside, theme->title_height), theme->title, theme->text,
               VIEW_ALIGN_CENTER, "Network");
    view_label(ui, view_rect_cut_top(&inside, theme->title_height), theme->mono_small, theme->text_faint,
               VIEW_ALIGN_CENTER, "0.5 ms each way");
    for (uint32_t i = 0; i < 3; i++) {
        struct view_hue hue = view_theme_partition(theme, i);
        int32_t y = rect.y + VIEW_PX(130) + (int32_t)i * VIEW_PX(190);
        struct view_point a = {rect.x, y};
        struct view_point b = {rect.x + rect.w, y};
        view_draw_line(ui->list, a, b, theme->line_strong, VIEW_PX(1.5));
        a.y = b.y = y + VIEW_PX(26);
        view_draw_dashed_line(ui->list, a, b, theme->line_strong, VIEW_PX(1.5), VIEW_PX(3), VIEW_PX(4));
        struct view_rect out = {rect.x + VIEW_PX(20 + 24 * (int32_t)i), y - VIEW_PX(11), VIEW_PX(42),
                                VIEW_PX(22)};
        enum view_layer layer = view_draw_layer(ui->list, VIEW_LAYER_MOVERS);
        view_draw_box(ui->list, out, VIEW_PX(5), hue.fill, VIEW_NONE, 0);
        view_label(ui, out, theme->mono_small_strong, hue.on_fill, VIEW_ALIGN_CENTER, "42");
        struct view_rect back = {rect.x + VIEW_PX(80 - 30 * (int32_t)i), y + VIEW_PX(15), VIEW_PX(48),
                                 VIEW_PX(22)};
        view_draw_box(ui->list, back, VIEW_PX(5), theme->background, hue.ink, VIEW_PX(1.5));
        view_label(ui, back, theme->mono_small_strong, hue.ink, VIEW_ALIGN_CENTER, "41 ok");
        view_draw_layer(ui->list, layer);
    }
    struct view_point from = {rect.x + rect.w / 2, rect.y + VIEW_PX(190)};
    struct view_point to = {from.x, from.y + VIEW_PX(170)};
    view_draw_bow(ui->list, from, to, -VIEW_PX(30), theme->accent.ink, VIEW_PX(1.5), VIEW_PX(4), VIEW_PX(4));
    view_draw_curve(ui->list, (struct view_point){rect.x, rect.y + VIEW_PX(540)},
                    (struct view_point){rect.x + rect.w, rect.y + VIEW_PX(600)}, theme->pool.ink, VIEW_PX(2),
                    0, 0);
    view_draw_gradient(
        ui->list, (struct view_rect){rect.x, rect.y + rect.h - VIEW_PX(60), rect.w, VIEW_PX(40)},
        view_color_with_alpha(theme->accent.fill, 0), view_color_with_alpha(theme->accent.fill, 90));
}

static void controls(struct scene *scene, struct view_rect rect)
{
    struct view_ui *ui = &scene->ui;
    const struct view_theme *theme = ui->theme;
    struct view_rect inside =
        view_panel(ui, rect, "Controls · 控件", "生产者累加器 RecordAccumulator.append()");
    struct view_rect row = view_rect_cut_top(&inside, theme->button_height);
    int32_t width = (row.w - 3 * theme->space_2) / 4;
    static const char *const labels[4] = {"Reset", "Play", "Disabled", "Kill broker 2 now, at once"};
    static const uint32_t flags[4] = {0, VIEW_CONTROL_PRIMARY, VIEW_CONTROL_DISABLED, VIEW_CONTROL_DANGER};
    for (uint32_t i = 0; i < 4; i++) {
        scene->click_count +=
            view_button(ui, id_of(SCENE_BUTTON, i), view_rect_cut_left(&row, width), labels[i], flags[i],
                        i == 3 ? "Stops the process of broker 2. Its partitions elect new leaders." : NULL);
        view_rect_cut_left(&row, theme->space_2);
    }
    view_rect_cut_top(&inside, theme->space_3);
    row = view_rect_cut_top(&inside, theme->button_height);
    for (uint32_t i = 0; i < VIEW_ICON_COUNT && row.w > 0; i++) {
        struct view_rect place = view_rect_cut_left(&row, inside.w / VIEW_ICON_COUNT);
        view_icon(ui, place, (enum view_icon)i, theme->text);
    }
    view_rect_cut_top(&inside, theme->space_3);
    char value[32];
    snprintf(value, sizeof value, "%d", (int)scene->linger_ms);
    view_key_value(ui, view_rect_cut_top(&inside, theme->row_height), "linger.ms", value, theme->text);
    view_slider(ui, id_of(SCENE_SLIDER, 0), view_rect_cut_top(&inside, theme->row_height), 0, 100, 1,
                &scene->linger_ms);
    view_rect_cut_top(&inside, theme->space_3);
    row = view_rect_cut_top(&inside, theme->button_height);
    struct view_rect left = view_rect_cut_left(&row, row.w / 2 - theme->space_1);
    view_rect_cut_left(&row, theme->space_2);
    view_text_field(ui, id_of(SCENE_FIELD, 0), left, &scene->field, "setting=value", NULL);
    struct view_field wrong = {0};
    view_field_set(&wrong, "acks=two");
    view_text_field(ui, id_of(SCENE_FIELD, 1), row, &wrong, "", "acks is one of all, -1, 0, 1");
    view_rect_cut_top(&inside, theme->space_3);
    row = view_rect_cut_top(&inside, theme->chip_height);
    static const char *const chips[5] = {"IN SYNC", "NO ROOM", "FAILED", "LINGER", "uncommitted"};
    const struct view_hue hues[5] = {theme->ok, theme->warn, theme->fail, theme->accent, theme->neutral};
    for (uint32_t i = 0; i < 5; i++) {
        enum view_chip_style style = i == 3   ? VIEW_CHIP_FILLED
                                     : i == 4 ? VIEW_CHIP_DASHED
                                              : VIEW_CHIP_OUTLINE;
        int32_t used =
            view_chip(ui, 0, (struct view_point){row.x, row.y}, row.w, hues[i], style, chips[i], NULL);
        view_rect_cut_left(&row, used + theme->space_2);
    }
    view_rect_cut_top(&inside, theme->space_3);
    static const int32_t fast[] = {4,  8,  15, 16, 23, 42, 40, 38, 41, 44,
                                   43, 20, 12, 30, 39, 44, 46, 45, 47, 48};
    static const int32_t slow[] = {1, 2, 3, 5, 8, 9, 11, 12, 12, 13, 15, 30, 33, 21, 16, 14, 12, 11, 10, 9};
    struct view_series series[2] = {{fast, 20, theme->partition[0], "records/s"},
                                    {slow, 20, theme->partition[1], "latency"}};
    view_plot(ui, id_of(SCENE_PLOT, 0), view_rect_cut_top(&inside, view_theme_px(theme, 120)), "Throughput",
              "48 k/s", series, 2, 0);
    view_rect_cut_top(&inside, theme->space_3);
    struct view_rect area =
        view_scroll_begin(ui, id_of(SCENE_SCROLL, 0), inside, 24 * theme->row_height, &scene->scroll);
    for (uint32_t i = 0; i < 24; i++) {
        char line[64];
        snprintf(line, sizeof line, "record %u → orders-%u", (unsigned)(300 + i), (unsigned)(i % 3));
        view_key_value(ui, view_rect_cut_top(&area, theme->row_height), line,
                       i % 5 == 0 ? "retry 1" : "acked", i % 5 == 0 ? theme->fail.ink : theme->ok.ink);
    }
    view_scroll_end(ui);
}

static void why(struct scene *scene, struct view_rect rect)
{
    struct view_ui *ui = &scene->ui;
    const struct view_theme *theme = ui->theme;
    struct view_rect inside = view_panel_plain(ui, rect);
    static const char *const tabs[5] = {"Why", "Inspect", "Config", "Plots", "Ledger"};
    scene->tab =
        view_tabs(ui, id_of(SCENE_TAB, 0),
                  (struct view_rect){rect.x, rect.y, rect.w, view_theme_px(theme, 34)}, tabs, 5, scene->tab);
    view_rect_cut_top(&inside, view_theme_px(theme, 30));
    view_label(ui, view_rect_cut_top(&inside, theme->row_height), theme->heading, theme->text,
               VIEW_ALIGN_LEFT, "Batch #5 leaves now: no room was left");
    view_rect_cut_top(&inside, theme->space_1);
    int32_t used = view_paragraph(
        ui, inside, theme->body, theme->text_muted,
        "Record 56 did not fit into the 112 B left of batch.size = 16 384, so append() closed "
        "batch #5, opened #8 and woke the Sender. linger.ms (5 ms, 1.8 ms left) no longer matters.");
    view_rect_cut_top(&inside, used + theme->space_2);
    used = view_paragraph(
        ui, inside, theme->body, theme->text_muted,
        "记录 56 放不进批次剩下的 112 字节，于是 append() 关闭了 #5，打开了 #8，并唤醒 Sender。");
    view_rect_cut_top(&inside, used + theme->space_2);
    struct view_rect code =
        view_card(ui, 0, view_rect_cut_top(&inside, view_theme_px(theme, 64)), 0, VIEW_NONE, NULL, NULL);
    view_label(ui, view_rect_cut_top(&code, theme->row_height), theme->mono, theme->accent.ink,
               VIEW_ALIGN_LEFT, "RecordAccumulator.ready()");
    view_label(ui, view_rect_cut_top(&code, theme->row_height), theme->mono_small, theme->text_muted,
               VIEW_ALIGN_LEFT, "full = deque.size() > 1 || batch.isFull()");
    view_rect_cut_top(&inside, theme->space_2);
    view_label(ui, view_rect_cut_top(&inside, theme->row_height), theme->label, theme->text_muted,
               VIEW_ALIGN_LEFT, "Left because");
    static const char *const reasons[5] = {"FULL", "NO_ROOM", "LINGER", "MEMORY_WAITER", "BACKOFF_OVER"};
    static const char *const details[5] = {NULL, "#8 stands behind it", "1.8 ms left", NULL, "failed"};
    static const enum view_lamp lamps[5] = {VIEW_LAMP_OFF, VIEW_LAMP_ON, VIEW_LAMP_OFF, VIEW_LAMP_OFF,
                                            VIEW_LAMP_FAILED};
    for (uint32_t i = 0; i < 5; i++) {
        view_lamp_row(ui, id_of(SCENE_LAMP, i), view_rect_cut_top(&inside, theme->row_height + VIEW_PX(2)),
                      lamps[i], i == 4 ? theme->fail : theme->warn, reasons[i], details[i],
                      "Click to see what made it so.");
    }
    view_rect_cut_top(&inside, theme->space_2);
    view_separator(ui, inside.x, inside.y, inside.w);
    view_rect_cut_top(&inside, theme->space_2);
    view_label(ui, view_rect_cut_top(&inside, theme->row_height), theme->heading, theme->warn.ink,
               VIEW_ALIGN_LEFT, "Predict");
    used = view_paragraph(
        ui, inside, theme->body, theme->text,
        "Broker 2 is about to be killed. Broker 3 is already out of the ISR of orders-0. What will the "
        "producer get for batch #5?");
    view_rect_cut_top(&inside, used + theme->space_1);
    static const char *const answers[3] = {"A   an ack: the leader has it",
                                           "B   NOT_ENOUGH_REPLICAS, then a retry",
                                           "C   nothing until request.timeout.ms"};
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t flags = VIEW_CONTROL_LEFT | (scene->answer == i ? VIEW_CONTROL_SELECTED : 0u);
        if (view_button(ui, id_of(SCENE_ANSWER, i), view_rect_cut_top(&inside, theme->button_height),
                        answers[i], flags, NULL)) {
            scene->answer = i;
        }
        view_rect_cut_top(&inside, theme->space_1 + VIEW_PX(2));
    }
    view_rect_cut_top(&inside, theme->space_2);
    view_label(ui, view_rect_cut_top(&inside, theme->row_height), theme->title, theme->text, VIEW_ALIGN_LEFT,
               "Ledger");
    view_key_value(ui, view_rect_cut_top(&inside, theme->row_height), "sent", "57", theme->text);
    view_key_value(ui, view_rect_cut_top(&inside, theme->row_height), "acked", "44", theme->ok.ink);
    view_key_value(ui, view_rect_cut_top(&inside, theme->row_height), "in flight / queued", "13",
                   theme->accent.ink);
    view_key_value(ui, view_rect_cut_top(&inside, theme->row_height), "lost after ack", "0", theme->text);
}

static void popups(struct scene *scene)
{
    struct view_ui *ui = &scene->ui;
    static const struct view_menu_item items[] = {{"Kill", "k", VIEW_CONTROL_DANGER},
                                                  {"Restart", NULL, VIEW_CONTROL_DISABLED},
                                                  {"Freeze", NULL, 0},
                                                  {NULL, NULL, 0},
                                                  {"Slow replica", NULL, VIEW_CONTROL_SELECTED},
                                                  {"Cut the link to B1", "Shift+c", 0}};
    static const struct view_key_help keys[] = {{NULL, "Time"},
                                                {"Space  .", "play or pause"},
                                                {"←  →", "one event back or forward"},
                                                {"Shift+←  Shift+→", "one Sender pass"},
                                                {"b  a  e", "next batch, ack, error"},
                                                {"[  ]", "slower, faster"},
                                                {"Home  End", "start, end"},
                                                {NULL, "View"},
                                                {"f", "follow the selected record"},
                                                {"i", "inspector"},
                                                {"l  t", "language, theme"},
                                                {"p", "presenter size"},
                                                {"F11", "full screen"},
                                                {"Ctrl+S", "save as scenario"},
                                                {"Ctrl+P", "picture"},
                                                {"?", "this card"}};
    if (ui->context != 0) {
        scene->menu_open = true;
        scene->menu_at = ui->input->mouse;
    }
    if (scene->menu_open) {
        int32_t chosen = view_menu(ui, id_of(SCENE_MENU, 0), scene->menu_at, "Broker 2", items, 6);
        scene->menu_open = chosen == VIEW_MENU_OPEN;
        scene->chosen = chosen >= 0 ? chosen : scene->chosen;
    }
    if (scene->key_card_open &&
        view_key_card(ui, id_of(SCENE_KEY_CARD, 0), "Keys", keys, sizeof keys / sizeof *keys)) {
        scene->key_card_open = false;
    }
    if (scene->toast) {
        view_toast(ui, ui->theme->ok, "Saved as scenarios/acks-all-slow-follower.json", 256);
    }
}

int32_t scene_build(struct scene *scene, struct view_draw_list *list, struct view_text *text,
                    const struct view_theme *theme, const struct view_input *input)
{
    struct view_ui *ui = &scene->ui;
    view_ui_begin(ui, list, text, theme, input);
    struct view_rect canvas = {0, 0, list->width, list->height};
    top_bar(scene, view_rect_cut_top(&canvas, view_theme_px(theme, 46)));
    canvas = view_rect_inset(canvas, theme->space_3, theme->space_3);
    why(scene, view_rect_cut_right(&canvas, canvas.w * 20 / 100));
    view_rect_cut_right(&canvas, theme->space_3);
    accumulator(scene, view_rect_cut_left(&canvas, canvas.w * 32 / 100));
    view_rect_cut_left(&canvas, theme->space_3);
    sender(scene, view_rect_cut_left(&canvas, canvas.w * 24 / 100));
    network(scene, view_rect_cut_left(&canvas, canvas.w * 22 / 100));
    controls(scene, canvas);
    popups(scene);
    return view_ui_end(ui);
}
