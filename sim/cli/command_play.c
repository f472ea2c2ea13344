/*
 * linger play: a scenario in the window.
 */
#define _GNU_SOURCE /* clock_gettime */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/scenario_options.h"
#include "cli/session.h"
#include "view/picture.h"
#include "view/window.h"

struct play_options {
    struct scenario_options scenario;
    bool light;
    bool presenter;
    bool reduced_motion;
    bool full_screen;
};

static int64_t clock_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* linger-1.png, or the next number that is free, in the folder the program was started in. */
static void save_picture(const struct view_draw_list *list, struct view_text *text)
{
    char path[64];
    char message[256];
    for (int i = 1; i < 10000; i++) {
        snprintf(path, sizeof path, "linger-%d.png", i);
        FILE *there = fopen(path, "rb");
        if (there == NULL) {
            break;
        }
        (void)fclose(there);
    }
    if (view_picture_write_png(list, text, 256, path, message, sizeof message)) {
        fprintf(stderr, "linger: saved %s\n", path);
    } else {
        fprintf(stderr, "linger: %s cannot be written: %s\n", path, message);
    }
}

/* Where the run stands, in the title too: for task bars, screen readers and whoever drives the window by a
 * script. While it plays, not more often than somebody can read. */
struct shown_title {
    char text[256];
    int64_t at_us;
};

static void show_title(struct view_window *window, const struct view_stage *stage, int64_t now_us,
                       struct shown_title *shown)
{
    enum { READING_US = 250000 };
    if (view_stage_is_playing(stage) && now_us - READING_US < shown->at_us) {
        return;
    }
    char text[sizeof shown->text];
    view_stage_title(stage, text, sizeof text);
    if (strcmp(text, shown->text) != 0) {
        snprintf(shown->text, sizeof shown->text, "%s", text);
        view_window_set_title(window, text);
    }
    shown->at_us = now_us;
}

/* Input, time, drawing, and between them as much computing as there is time for. */
static void show(struct view_window *window, struct view_stage *stage, struct view_text *text,
                 struct session *session)
{
    struct view_draw_list list;
    struct view_input input = {0};
    view_draw_list_init(&list);
    struct shown_title title = {.text = "", .at_us = 0};
    bool computing = true;
    bool moving = true;
    int64_t before_us = clock_us();
    while (!view_stage_wants_quit(stage)) {
        bool was_computing = computing;
        if (computing) {
            computing = session_compute(session, 8000);
        }
        enum { IDLE_MS = 100 };
        int32_t wait_ms = computing ? 0 : moving ? view_window_frame_wait_ms(window) : IDLE_MS;
        view_window_poll(window, wait_ms, &input);
        if (input.quit) {
            break;
        }
        view_stage_input(stage, &input);
        int64_t now_us = clock_us();
        moving = view_stage_advance(stage, now_us - before_us);
        before_us = now_us;
        show_title(window, stage, now_us, &title);
        if (!moving && !was_computing) {
            continue;
        }
        int32_t scale = (int32_t)input.scale_256;
        view_stage_draw(stage, &list, input.width / VIEW_PX(1) * scale / 256,
                        input.height / VIEW_PX(1) * scale / 256, input.scale_256);
        (void)view_window_present(window, &list, text);
        if (session_takes_picture(session)) {
            save_picture(&list, text);
        }
        computing = computing || session_host(session).progress(session) < 1000;
    }
    view_draw_list_release(&list);
}

static int play(struct session *session, const char *title, const struct play_options *options)
{
    struct view_window_options window_options = {.title = title, .full_screen = options->full_screen};
    struct view_window *window = view_window_create(&window_options);
    if (window == NULL) {
        fprintf(stderr,
                "linger: no window can be opened: %s\nWithout a display, draw pictures: linger run SCENARIO "
                "--png FILE\n",
                view_window_error());
        return CLI_BAD_INPUT;
    }
    struct view_text *text = view_text_create(NULL);
    struct view_host host = session_host(session);
    struct view_stage *stage = text != NULL ? view_stage_create(&host, text) : NULL;
    int result = stage != NULL ? CLI_OK : CLI_BAD_INPUT;
    if (stage != NULL) {
        view_stage_set_light(stage, options->light);
        view_stage_set_presenter(stage, options->presenter);
        view_stage_set_reduced_motion(stage, options->reduced_motion);
        show(window, stage, text, session);
    } else {
        fprintf(stderr, "linger: no memory, or no fonts, to draw with\n");
    }
    view_stage_destroy(stage);
    view_text_destroy(text);
    view_window_destroy(window);
    return result;
}

static int run_play(const struct cli_command *command, int argument_count, char **arguments)
{
    struct play_options play_options = {.scenario = {.seed = -1}};
    const struct cli_option options[] = {
        SCENARIO_OPTIONS(play_options.scenario),
        {"--light", CLI_FLAG, &play_options.light, NULL, "light colours, for a projector"},
        {"--presenter", CLI_FLAG, &play_options.presenter, NULL, "everything half as large again"},
        {"--reduced-motion", CLI_FLAG, &play_options.reduced_motion, NULL, "jump instead of glide"},
        {"--full-screen", CLI_FLAG, &play_options.full_screen, NULL, "as F11 does"},
        {0},
    };
    int exit_code;
    if (!cli_parse(command, options, &argument_count, arguments, &exit_code)) {
        return exit_code;
    }
    if (argument_count > 1) {
        return cli_usage_error(command, "one scenario at a time");
    }
    const char *path = argument_count == 1 ? arguments[0] : cli_find_asset("scenarios/default.json");
    struct sim_scenario *scenario;
    if (path == NULL || !scenario_options_load(command, &play_options.scenario, path, &scenario)) {
        return CLI_BAD_INPUT;
    }
    char title[128];
    snprintf(title, sizeof title, "Linger: %.100s", scenario->name);
    struct sim_complaints complaints = {0};
    struct session *session = session_create(scenario, &complaints);
    int result = CLI_BAD_INPUT;
    if (session == NULL) {
        fprintf(stderr, "%s", complaints.text);
    } else {
        result = play(session, title, &play_options);
    }
    session_destroy(session);
    sim_complaints_release(&complaints);
    return result;
}

const struct cli_command cli_play = {
    .name = "play",
    .arguments = "[SCENARIO] [OPTIONS]",
    .summary = "watch a scenario: step, scrub, ask why, kill a broker (without SCENARIO: the default one)",
    .details = "In the window, ? shows the keys.\n\nExamples:\n"
               "  linger play\n"
               "  linger play assets/scenarios/kill-a-broker.json --light\n"
               "  linger play assets/scenarios/default.json --set linger.ms=0",
    .run = run_play,
};
