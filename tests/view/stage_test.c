/*
 * The stage against a synthetic run, by its draw lists: no display, no fonts.
 */
#include "synthetic_log.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view/stage_private.h"

struct fixture {
    struct sim_event_log *log;
    struct sim_timeline *timeline;
    struct view_text *text;
    struct view_stage *stage;
    struct view_draw_list list;
    uint32_t act_count;
};

static const struct sim_event_log *host_log(void *context)
{
    return ((struct fixture *)context)->log;
}

static struct sim_timeline *host_timeline(void *context)
{
    return ((struct fixture *)context)->timeline;
}

static bool host_act(void *context, const struct view_intent *intent, const char **message)
{
    (void)intent;
    ((struct fixture *)context)->act_count++;
    *message = "not today";
    return false;
}

static void open_with(struct fixture *fixture, const struct synthetic_options *options)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->log = synthetic_log_create(options);
    fixture->timeline = sim_timeline_create(fixture->log);
    fixture->text = view_text_create(&(struct view_text_options){.fixed_metrics = true});
    struct view_host host = {.context = fixture, .log = host_log, .timeline = host_timeline, .act = host_act};
    fixture->stage = view_stage_create(&host, fixture->text);
    view_draw_list_init(&fixture->list);
}

static void open_stage(struct fixture *fixture)
{
    open_with(fixture, NULL);
}

static void close_stage(struct fixture *fixture)
{
    view_draw_list_release(&fixture->list);
    view_stage_destroy(fixture->stage);
    view_text_destroy(fixture->text);
    sim_timeline_destroy(fixture->timeline);
    sim_event_log_destroy(fixture->log);
}

static uint64_t draw_at(struct fixture *fixture, int32_t width, int32_t height)
{
    view_stage_draw(fixture->stage, &fixture->list, width, height, 256);
    return view_draw_list_hash(&fixture->list);
}

static uint64_t draw(struct fixture *fixture)
{
    return draw_at(fixture, 1600, 900);
}

static void press_key(struct fixture *fixture, int32_t key, uint32_t modifiers)
{
    struct view_input input = {0};
    view_input_add_key(&input, key, modifiers, 0, false);
    view_stage_input(fixture->stage, &input);
    draw(fixture);
}

static void click(struct fixture *fixture, struct view_rect rect, uint32_t button)
{
    struct view_input input = {.mouse_inside = true,
                               .mouse = {rect.x + rect.w / 2, rect.y + rect.h / 2},
                               .buttons = button,
                               .buttons_pressed = button};
    view_stage_input(fixture->stage, &input);
    draw(fixture);
    input.buttons = 0;
    input.buttons_pressed = 0;
    input.buttons_released = button;
    view_stage_input(fixture->stage, &input);
    draw(fixture);
}

/* --- The picture is a function of the moment
 * ---------------------------------------------------------------------------- */

static void test_picture_depends_on_the_moment_alone(void)
{
    struct fixture wandered;
    open_stage(&wandered);
    static const uint64_t moments[] = {0, 1, 60, 700, 1500, 2200, 3000, 3600};
    uint64_t before = 0;
    for (uint32_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        view_stage_seek(wandered.stage, 3500 - moments[i]);
        draw(&wandered);
        view_stage_seek(wandered.stage, moments[i]);
        /* A step eases; a jump does not. */
        view_stage_advance(wandered.stage, 1000000);
        draw(&wandered);
        view_stage_advance(wandered.stage, 1000000);
        uint64_t here = draw(&wandered);
        struct fixture fresh;
        open_stage(&fresh);
        view_stage_seek(fresh.stage, moments[i]);
        CU_ASSERT_EQUAL(draw(&fresh), here);
        CU_ASSERT_NOT_EQUAL(here, before);
        close_stage(&fresh);
        before = here;
    }
    close_stage(&wandered);
}

static void test_another_moment_is_another_picture(void)
{
    struct fixture fixture;
    open_stage(&fixture);
    for (uint64_t sequence = 100; sequence < 3600; sequence += 500) {
        view_stage_seek(fixture.stage, sequence);
        uint64_t here = draw(&fixture);
        view_stage_seek(fixture.stage, sequence + 50);
        CU_ASSERT_NOT_EQUAL(draw(&fixture), here);
        view_stage_seek(fixture.stage, sequence - 50);
        CU_ASSERT_NOT_EQUAL(draw(&fixture), here);
    }
    close_stage(&fixture);
}

static void test_packets_move_between_events(void)
{
    struct fixture fixture;
    open_stage(&fixture);
    const struct kb_event *sent = NULL;
    uint64_t sequence = 0;
    for (uint64_t i = 1; i < sim_event_log_count(fixture.log) && sent == NULL; i++) {
        const struct kb_event *event = sim_event_log_get(fixture.log, i);
        sent = event->kind == KB_EVENT_PACKET_SENT ? event : NULL;
        sequence = i;
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(sent);
    view_stage_seek(fixture.stage, sequence);
    draw(&fixture);
    struct view_thing thing = view_thing_request(0, sent->as.packet_sent.request);
    const struct sim_run_info *info = sim_event_log_info_view(fixture.log);
    int32_t last_x = -1;
    for (int64_t at_us = sent->time_us + 20; at_us < sent->time_us + 400; at_us += 60) {
        view_stage_seek_time(fixture.stage, at_us);
        draw(&fixture);
        int32_t x = -1;
        struct view_layout layout;
        view_layout_make(&layout, &fixture.stage->theme, VIEW_PX(1600), VIEW_PX(900), 3, 0,
                         &fixture.stage->side);
        for (uint32_t i = 0; i < fixture.list.hit_count; i++) {
            const struct view_hit *hit = &fixture.list.hits[i];
            bool on_wire =
                view_rect_contains(layout.network, (struct view_point){hit->rect.x + 1, hit->rect.y + 1});
            x = hit->id == view_thing_id(info, &thing) && on_wire ? hit->rect.x : x;
        }
        CU_ASSERT_TRUE(x > last_x);
        last_x = x;
    }
    close_stage(&fixture);
}

/* --- Layout
 * ----------------------------------------------------------------------------------------------------------------
 */

static bool overlaps(struct view_rect a, struct view_rect b)
{
    return !view_rect_is_empty(view_rect_intersect(a, b));
}

static void test_panels_do_not_overlap(void)
{
    static const int32_t sizes[][2] = {{1280, 720},  {1366, 768},  {1600, 900},
                                       {1920, 1080}, {2560, 1440}, {3840, 2160}};
    for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0] * 4; i++) {
        struct view_theme theme;
        view_theme_init(&theme, VIEW_THEME_DARK, i % 2 != 0);
        struct view_side_state side = {.is_open = i / 2 % 2 == 0};
        int32_t width = VIEW_PX(sizes[i / 4][0]);
        int32_t height = VIEW_PX(sizes[i / 4][1]);
        struct view_layout layout;
        view_layout_make(&layout, &theme, width, height, 3, 0, &side);
        struct view_rect rects[] = {layout.top,     layout.application, layout.accumulator, layout.sender,
                                    layout.network, layout.cluster,     layout.side,        layout.timeline};
        for (uint32_t a = 0; a < 8; a++) {
            CU_ASSERT_TRUE(rects[a].x >= 0 && rects[a].y >= 0);
            CU_ASSERT_TRUE(rects[a].x + rects[a].w <= width && rects[a].y + rects[a].h <= height);
            for (uint32_t b = a + 1; b < 8; b++) {
                CU_ASSERT_FALSE(overlaps(rects[a], rects[b]));
            }
        }
        CU_ASSERT_TRUE(layout.application.w >= view_theme_px(&theme, 100));
        CU_ASSERT_TRUE(layout.cluster.w >= view_theme_px(&theme, 200));
    }
}

/* Text may not leave the canvas, nor the clip it is drawn under; and it may not be too small to read. */
static uint32_t count_bad_texts(const struct fixture *fixture)
{
    const struct view_draw_list *list = &fixture->list;
    uint32_t bad = 0;
    for (uint32_t i = 0; i < list->command_count; i++) {
        const struct view_command *command = &list->commands[i];
        if (command->kind != VIEW_COMMAND_TEXT) {
            continue;
        }
        const char *bytes = list->bytes + command->data_index;
        int32_t width = view_text_width(fixture->text, command->u.font, bytes, command->data_count);
        bool is_out = command->rect.x < 0 || command->rect.x + width > list->width || command->rect.y < 0 ||
                      command->rect.y > list->height;
        bool is_small = command->u.font.size_px16 < VIEW_PX(11);
        if (is_out || is_small) {
            fprintf(stderr, "text \"%.*s\" at %d,%d, width %d\n", (int)command->data_count, bytes,
                    command->rect.x / 16, command->rect.y / 16, width / 16);
            bad++;
        }
    }
    return bad;
}

/* Each panel's text stays within the panel. */
static uint32_t count_crossing_texts(const struct fixture *fixture, int32_t width, int32_t height)
{
    const struct view_draw_list *list = &fixture->list;
    struct view_layout layout;
    view_layout_make(&layout, &fixture->stage->theme, width, height, 3, 0, &fixture->stage->side);
    struct view_rect rects[] = {layout.top,     layout.application, layout.accumulator, layout.sender,
                                layout.network, layout.cluster,     layout.side,        layout.timeline};
    uint32_t bad = 0;
    for (uint32_t i = 0; i < list->command_count; i++) {
        const struct view_command *command = &list->commands[i];
        if (command->kind != VIEW_COMMAND_TEXT || command->layer != VIEW_LAYER_STAGE) {
            continue;
        }
        const char *bytes = list->bytes + command->data_index;
        int32_t text_width = view_text_width(fixture->text, command->u.font, bytes, command->data_count);
        for (uint32_t k = 0; k < 8; k++) {
            bool begins =
                view_rect_contains(rects[k], (struct view_point){command->rect.x, command->rect.y - 1});
            if (begins && command->rect.x + text_width > rects[k].x + rects[k].w) {
                fprintf(stderr, "text \"%.*s\" leaves panel %u at %dx%d\n", (int)command->data_count, bytes,
                        k, width / 16, height / 16);
                bad++;
            }
        }
    }
    return bad;
}

static void check_picture(struct fixture *fixture, int32_t width_px, int32_t height_px)
{
    draw_at(fixture, width_px, height_px);
    CU_ASSERT_FALSE(fixture->list.overflowed);
    CU_ASSERT_EQUAL(count_bad_texts(fixture), 0);
    CU_ASSERT_EQUAL(count_crossing_texts(fixture, VIEW_PX(width_px), VIEW_PX(height_px)), 0);
    CU_ASSERT_TRUE(fixture->list.hit_count > 20);
    for (uint32_t i = 0; i < fixture->list.hit_count; i++) {
        struct view_rect rect = fixture->list.hits[i].rect;
        CU_ASSERT_TRUE(rect.x >= 0 && rect.y >= 0 && rect.x + rect.w <= VIEW_PX(width_px) &&
                       rect.y + rect.h <= VIEW_PX(height_px));
    }
}

static void test_everything_stays_in_its_place_at_every_size(void)
{
    static const int32_t sizes[][2] = {{1280, 720}, {1600, 900}, {1920, 1080}, {3840, 2160}};
    struct fixture fixture;
    open_stage(&fixture);
    for (uint32_t i = 0; i < 8; i++) {
        view_stage_set_presenter(fixture.stage, i >= 4);
        for (uint64_t sequence = 0; sequence < 3600; sequence += 900) {
            view_stage_seek(fixture.stage, sequence);
            check_picture(&fixture, sizes[i % 4][0], sizes[i % 4][1]);
        }
    }
    close_stage(&fixture);
}

static bool has_text(const struct fixture *fixture, const char *beginning)
{
    const struct view_draw_list *list = &fixture->list;
    for (uint32_t i = 0; i < list->command_count; i++) {
        const struct view_command *command = &list->commands[i];
        if (command->kind == VIEW_COMMAND_TEXT && command->data_count >= strlen(beginning) &&
            memcmp(list->bytes + command->data_index, beginning, strlen(beginning)) == 0) {
            return true;
        }
    }
    return false;
}

static void test_three_hundred_partitions(void)
{
    struct fixture fixture;
    open_with(&fixture, &(struct synthetic_options){.partition_count = 300,
                                                    .broker_count = 20,
                                                    .topic = "a-topic-with-quite-a-long-name"});
    view_stage_seek(fixture.stage, UINT64_MAX);
    check_picture(&fixture, 1280, 720);
    check_picture(&fixture, 1920, 1080);
    CU_ASSERT_TRUE(has_text(&fixture, "▲ 0 above · "));
    close_stage(&fixture);
}

static void test_an_empty_run(void)
{
    struct fixture fixture;
    open_stage(&fixture);
    view_stage_seek(fixture.stage, 0);
    check_picture(&fixture, 1280, 720);
    press_key(&fixture, VIEW_KEY_LEFT, 0);
    CU_ASSERT_EQUAL(view_stage_sequence(fixture.stage), 0);
    close_stage(&fixture);
}

/* --- Keys and clicks
 * ---------------------------------------------------------------------------------------------------------
 */

static void test_keys_move_in_time(void)
{
    struct fixture fixture;
    open_stage(&fixture);
    view_stage_seek(fixture.stage, 1000);
    draw(&fixture);
    press_key(&fixture, VIEW_KEY_RIGHT, 0);
    CU_ASSERT_EQUAL(view_stage_sequence(fixture.stage), 1001);
    press_key(&fixture, VIEW_KEY_LEFT, 0);
    press_key(&fixture, VIEW_KEY_LEFT, 0);
    CU_ASSERT_EQUAL(view_stage_sequence(fixture.stage), 999);
    struct {
        int32_t key;
        uint32_t modifiers;
        sim_event_filter *filter;
    } jumps[] = {{'b', 0, sim_event_is_departure},
                 {'a', 0, sim_event_is_ack},
                 {'e', 0, sim_event_is_error},
                 {VIEW_KEY_RIGHT, VIEW_MODIFIER_SHIFT, sim_event_is_pass}};
    for (uint32_t i = 0; i < 4; i++) {
        uint64_t from = view_stage_sequence(fixture.stage);
        uint64_t wanted = sim_timeline_find(fixture.log, from, false, jumps[i].filter);
        CU_ASSERT_TRUE(wanted > from);
        press_key(&fixture, jumps[i].key, jumps[i].modifiers);
        CU_ASSERT_EQUAL(view_stage_sequence(fixture.stage), wanted);
    }
    press_key(&fixture, VIEW_KEY_END, 0);
    CU_ASSERT_EQUAL(view_stage_sequence(fixture.stage), sim_event_log_count(fixture.log));
    press_key(&fixture, VIEW_KEY_HOME, 0);
    CU_ASSERT_EQUAL(view_stage_sequence(fixture.stage), 0);
    close_stage(&fixture);
}

static void test_playing_takes_time_at_the_rate_shown(void)
{
    struct fixture fixture;
    open_stage(&fixture);
    draw(&fixture);
    int64_t rate = view_playback_us_per_second(fixture.stage);
    press_key(&fixture, VIEW_KEY_SPACE, 0);
    for (int i = 0; i < 100; i++) {
        CU_ASSERT_TRUE(view_stage_advance(fixture.stage, 16667));
        draw(&fixture);
    }
    CU_ASSERT_EQUAL(fixture.stage->time_us, rate * 1666700 / 1000000);
    press_key(&fixture, ']', 0);
    CU_ASSERT_TRUE(view_playback_us_per_second(fixture.stage) > rate);
    press_key(&fixture, '.', 0);
    int64_t stopped_us = fixture.stage->time_us;
    view_stage_advance(fixture.stage, 500000);
    CU_ASSERT_EQUAL(fixture.stage->time_us, stopped_us);
    close_stage(&fixture);
}

static void test_event_paced_gives_each_salient_event_its_time(void)
{
    struct fixture fixture;
    open_stage(&fixture);
    draw(&fixture);
    for (int i = 0; i < 6; i++) {
        press_key(&fixture, ']', 0); /* so fast that only the pace holds it back */
    }
    press_key(&fixture, 'v', 0);
    press_key(&fixture, VIEW_KEY_SPACE, 0);
    uint64_t salient = 0;
    uint64_t seen = 0;
    const int frames = 600; /* of 16 ms */
    for (int i = 0; i < frames; i++) {
        view_stage_advance(fixture.stage, 16000);
        uint64_t now = view_stage_sequence(fixture.stage);
        for (; seen < now; seen++) {
            salient += sim_event_is_salient(sim_event_log_get(fixture.log, seen + 1));
        }
    }
    CU_ASSERT_TRUE(salient > 3);
    CU_ASSERT_TRUE(salient <= frames * 16 / 250 + 1);
    close_stage(&fixture);
}

static void test_playing_stops_at_the_end_and_starts_again(void)
{
    struct fixture fixture;
    open_stage(&fixture);
    view_stage_seek_time(fixture.stage, sim_event_log_end_us(fixture.log) - 100);
    draw(&fixture);
    press_key(&fixture, VIEW_KEY_SPACE, 0);
    for (int i = 0; i < 60; i++) {
        view_stage_advance(fixture.stage, 16000);
        draw(&fixture);
    }
    CU_ASSERT_EQUAL(view_stage_sequence(fixture.stage), sim_event_log_count(fixture.log));
    CU_ASSERT_FALSE(fixture.stage->is_playing);
    press_key(&fixture, VIEW_KEY_SPACE, 0);
    CU_ASSERT_TRUE(fixture.stage->is_playing);
    CU_ASSERT_EQUAL(view_stage_sequence(fixture.stage), 0);
    close_stage(&fixture);
}

static void test_click_selects_and_right_click_opens_a_menu(void)
{
    struct fixture fixture;
    open_stage(&fixture);
    view_stage_seek(fixture.stage, 1500);
    draw(&fixture);
    const struct sim_run_info *info = sim_event_log_info_view(fixture.log);
    const struct view_hit *batch = NULL;
    for (uint32_t i = 0; i < fixture.list.hit_count; i++) {
        batch = view_id_kind(fixture.list.hits[i].id) == VIEW_THING_BATCH ? &fixture.list.hits[i] : batch;
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(batch);
    struct view_thing wanted = view_thing_of_id(info, batch->id);
    struct view_rect corner = {batch->rect.x + VIEW_PX(4), batch->rect.y + VIEW_PX(2), 2, 2};
    click(&fixture, corner, VIEW_BUTTON_LEFT);
    CU_ASSERT_TRUE(view_thing_equals(&fixture.stage->selected, &wanted));
    press_key(&fixture, VIEW_KEY_ESCAPE, 0);
    CU_ASSERT_EQUAL(fixture.stage->selected.kind, VIEW_THING_NONE);
    struct view_thing partition = {.kind = VIEW_THING_PARTITION};
    const struct view_hit *row = NULL;
    for (uint32_t i = 0; i < fixture.list.hit_count; i++) {
        bool is_row = view_id_kind(fixture.list.hits[i].id) == VIEW_THING_PARTITION;
        row = is_row && row == NULL ? &fixture.list.hits[i] : row;
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    partition = view_thing_of_id(info, row->id);
    click(&fixture, (struct view_rect){row->rect.x + VIEW_PX(20), row->rect.y + VIEW_PX(3), 2, 2},
          VIEW_BUTTON_RIGHT);
    CU_ASSERT_TRUE(fixture.stage->menu.is_open);
    CU_ASSERT_TRUE(view_thing_equals(&fixture.stage->menu.thing, &partition));
    close_stage(&fixture);
}

static void test_ids_name_things(void)
{
    struct sim_run_info info = {.broker_count = 2, .brokers = {{1001}, {1002}}};
    struct view_thing things[] = {view_thing_record(4000000000u),
                                  view_thing_batch(3, 77),
                                  view_thing_request(7, 12),
                                  view_thing_broker(1002),
                                  view_thing_partition(60000, 511),
                                  view_thing_replica(60000, 300, 1002),
                                  view_thing_event(123456),
                                  {.kind = VIEW_THING_NODE, .producer = 2, .number = -1},
                                  {.kind = VIEW_THING_STATION, .number = MODEL_AT_APPEND},
                                  {.kind = VIEW_THING_POOL, .producer = 1},
                                  {.kind = VIEW_THING_SENDER, .producer = 1}};
    for (uint32_t i = 0; i < sizeof things / sizeof things[0]; i++) {
        struct view_thing back = view_thing_of_id(&info, view_thing_id(&info, &things[i]));
        CU_ASSERT_TRUE(view_thing_equals(&things[i], &back));
    }
    CU_ASSERT_EQUAL(view_thing_of_id(&info, view_id_make(VIEW_HIT_TRANSPORT, 1, 0)).kind, VIEW_THING_NONE);
    CU_ASSERT_EQUAL(view_thing_of_id(&info, 0).kind, VIEW_THING_NONE);
}

static void test_numbers_as_text(void)
{
    char text[64];
    view_format_bytes(33554432, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "33\u202f554\u202f432 B");
    view_format_count(-1234, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "-1\u202f234");
    view_format_bytes_short(9100000, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "9.1 MB");
    view_format_clock(12400, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "12.400 ms");
    view_format_duration(640, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "640 µs");
    view_format_duration(1100, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "1.1 ms");
    view_format_duration(240000, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "240 ms");
    view_format_duration(29800000, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "29.8 s");
    view_format_mask(KB_FIELD_LEFT, KB_LEFT_NO_ROOM | KB_LEFT_LINGER, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "NO ROOM + LINGER");
}

/* --- Motion
 * ----------------------------------------------------------------------------------------------------------------
 */

static void test_a_step_eases_and_a_jump_does_not(void)
{
    struct fixture fixture;
    open_stage(&fixture);
    uint64_t departure = sim_timeline_find(fixture.log, 1000, false, sim_event_is_departure);
    int64_t departs_us = sim_event_log_get(fixture.log, departure)->time_us;
    view_stage_seek_time(fixture.stage, departs_us - 1);
    draw(&fixture);
    CU_ASSERT_FALSE(fixture.stage->is_moving);
    press_key(&fixture, VIEW_KEY_SPACE, 0);
    view_stage_advance(fixture.stage, 16000); /* the request enters a slot, coming from its batch */
    draw(&fixture);
    CU_ASSERT_TRUE(view_stage_sequence(fixture.stage) > departure);
    CU_ASSERT_TRUE(fixture.stage->is_moving);
    press_key(&fixture, VIEW_KEY_SPACE, 0);
    view_stage_advance(fixture.stage, 1000000);
    draw(&fixture);
    CU_ASSERT_FALSE(fixture.stage->is_moving);
    view_stage_seek(fixture.stage, view_stage_sequence(fixture.stage) + 60);
    draw(&fixture);
    CU_ASSERT_FALSE(fixture.stage->is_moving);
    view_stage_seek(fixture.stage, departure - 2);
    draw(&fixture);
    view_stage_set_reduced_motion(fixture.stage, true);
    for (int i = 0; i < 12; i++) {
        press_key(&fixture, VIEW_KEY_RIGHT, 0);
        CU_ASSERT_FALSE(fixture.stage->is_moving);
    }
    close_stage(&fixture);
}

static void test_an_intent_that_cannot_be_done_is_said(void)
{
    struct fixture fixture;
    open_stage(&fixture);
    draw(&fixture);
    press_key(&fixture, 's', VIEW_MODIFIER_CONTROL);
    CU_ASSERT_EQUAL(fixture.act_count, 1);
    CU_ASSERT_STRING_EQUAL(fixture.stage->toast.text, "not today");
    CU_ASSERT_TRUE(fixture.stage->toast.is_failure);
    close_stage(&fixture);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"the picture depends on the moment alone", test_picture_depends_on_the_moment_alone},
        {"another moment is another picture", test_another_moment_is_another_picture},
        {"packets move between events", test_packets_move_between_events},
        {"panels do not overlap", test_panels_do_not_overlap},
        {"everything stays in its place at every size", test_everything_stays_in_its_place_at_every_size},
        {"three hundred partitions", test_three_hundred_partitions},
        {"an empty run", test_an_empty_run},
        {"keys move in time", test_keys_move_in_time},
        {"playing takes time at the rate shown", test_playing_takes_time_at_the_rate_shown},
        {"event-paced gives each salient event its time", test_event_paced_gives_each_salient_event_its_time},
        {"playing stops at the end and starts again", test_playing_stops_at_the_end_and_starts_again},
        {"click selects, right click opens a menu", test_click_selects_and_right_click_opens_a_menu},
        {"ids name things", test_ids_name_things},
        {"numbers as text", test_numbers_as_text},
        {"a step eases and a jump does not", test_a_step_eases_and_a_jump_does_not},
        {"an intent that cannot be done is said", test_an_intent_that_cannot_be_done_is_said},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {{"stage", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};
    if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS) {
        return EXIT_FAILURE;
    }
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
