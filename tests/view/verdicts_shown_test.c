/*
 * Whoever plays a scenario about a verdict sees it fall within ten seconds.
 *
 * usage: verdicts_shown_test FOLDER [PICTURES]
 *
 * Each of the four scenarios in FOLDER is played from its beginning at the speed that the stage chooses,
 * frame by frame in the person's time. Before ten seconds of that are over, all of these must be on the stage
 * at once: the line that says what befell the records, the sentence with the cause in Why, the name beside
 * the records' cells in a broker's card, the count in the ledger; and they stay long enough to be read, the
 * line twice as long. With PICTURES, each moment is written there. No display, no fonts, no clock.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/world.h"
#include "model/timeline.h"
#include "view/picture.h"
#include "view/stage.h"

enum {
    FRAME_US = 16667,
    TEN_SECONDS_US = 10000000,
    READING_US = 2500000,
    NEWS_US = 5000000,
    WIDTH = 1280,
    HEIGHT = 720
};

struct showing {
    struct sim_event_log *log;
    struct sim_timeline *timeline;
};

static const struct sim_event_log *show_log(void *context)
{
    return ((struct showing *)context)->log;
}

static struct sim_timeline *show_timeline(void *context)
{
    return ((struct showing *)context)->timeline;
}

static struct sim_event_log *run(const char *path)
{
    struct sim_complaints complaints = {0};
    struct sim_world_options options = {.log_events = true};
    struct sim_scenario *scenario;
    struct sim_world *world;
    if (!sim_scenario_load(path, NULL, 0, &scenario, &complaints, NULL) ||
        !sim_world_create(scenario, &options, &world, &complaints)) {
        fprintf(stderr, "%s", complaints.text);
        exit(EXIT_FAILURE);
    }
    while (sim_world_step(world)) {
    }
    struct sim_event_log *log = sim_world_take_log(world);
    sim_world_destroy(world);
    sim_scenario_release(scenario);
    return log;
}

/* A label that begins so; a paragraph is one label a line. */
static bool shows(const struct view_draw_list *list, const char *beginning)
{
    size_t length = strlen(beginning);
    for (uint32_t i = 0; i < list->command_count; i++) {
        const struct view_command *command = &list->commands[i];
        if (command->kind == VIEW_COMMAND_TEXT && command->data_count >= length &&
            memcmp(list->bytes + command->data_index, beginning, length) == 0) {
            return true;
        }
    }
    return false;
}

struct wanted {
    const char *scenario;
    const char *headline; /* of the line, in full */
    const char *title;    /* its beginning, in Why */
    const char *tag;      /* beside the cells */
    const char *row;      /* of the ledger */
    const char *cause;    /* how a line of the sentence or of what led there begins */
};

enum { PARTS = 5 };

/* As bits, in the order above. */
static uint32_t parts_shown(const struct view_draw_list *list, const struct wanted *wanted)
{
    const char *const parts[PARTS] = {wanted->headline, wanted->title, wanted->tag, wanted->row,
                                      wanted->cause};
    uint32_t shown = 0;
    for (uint32_t i = 0; i < PARTS; i++) {
        shown |= (uint32_t)shows(list, parts[i]) << i;
    }
    return shown;
}

static void write_picture(const struct view_draw_list *list, struct view_text *text, const char *folder,
                          const char *name)
{
    char path[512];
    char message[256];
    snprintf(path, sizeof path, "%s/%s.png", folder, name);
    if (!view_picture_write_png(list, text, 256, path, message, sizeof message)) {
        fprintf(stderr, "%s\n", message);
    }
}

static bool play(struct view_stage *stage, struct view_text *text, const struct wanted *wanted,
                 const char *pictures)
{
    struct view_draw_list list;
    view_draw_list_init(&list);
    view_stage_draw(stage, &list, WIDTH, HEIGHT, 256);
    struct view_input input = {0};
    view_input_add_key(&input, ' ', 0, 0, false);
    view_stage_input(stage, &input);
    int64_t first_us = -1;
    int64_t shown_us = 0;
    int64_t headline_us = 0;
    uint32_t best = 0;
    for (int64_t at_us = 0; at_us < TEN_SECONDS_US + NEWS_US; at_us += FRAME_US) {
        (void)view_stage_advance(stage, FRAME_US);
        view_stage_draw(stage, &list, WIDTH, HEIGHT, 256);
        uint32_t parts = parts_shown(&list, wanted);
        headline_us += (parts & 1) != 0 ? FRAME_US : 0;
        best = __builtin_popcount(parts) > __builtin_popcount(best) ? parts : best;
        if (parts != (1u << PARTS) - 1) {
            continue;
        }
        if (first_us < 0 && pictures != NULL) {
            write_picture(&list, text, pictures, wanted->scenario);
        }
        first_us = first_us < 0 ? at_us : first_us;
        shown_us += FRAME_US;
    }
    bool is_well =
        first_us >= 0 && first_us < TEN_SECONDS_US && shown_us >= READING_US && headline_us >= NEWS_US;
    printf("%s: \"%s\" after %.1f s, for %.1f s, parts %" PRIx32 "%s\n", wanted->scenario, wanted->headline,
           (double)first_us / 1e6, (double)shown_us / 1e6, best, is_well ? "" : ": FAILED");
    view_draw_list_release(&list);
    return is_well;
}

static bool watch(const char *folder, const struct wanted *wanted, const char *pictures)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.json", folder, wanted->scenario);
    struct showing showing = {.log = run(path)};
    showing.timeline = sim_timeline_create(showing.log);
    struct view_text *text = view_text_create(&(struct view_text_options){.fixed_metrics = pictures == NULL});
    struct view_host host = {.context = &showing, .log = show_log, .timeline = show_timeline};
    struct view_stage *stage = view_stage_create(&host, text);
    bool is_well = play(stage, text, wanted, pictures);
    view_stage_destroy(stage);
    view_text_destroy(text);
    sim_timeline_destroy(showing.timeline);
    sim_event_log_destroy(showing.log);
    return is_well;
}

int main(int argument_count, char **arguments)
{
    static const struct wanted wanted[] = {
        {"lost-after-ack", "6 records are lost, though acknowledged", "6 records are lost", "missing",
         "lost after ack", "broker 1 is down"},
        {"duplicated", "2 records are written twice", "2 records are written", "twice", "duplicate",
         "batch 9 of orders-0 goes back"},
        {"reordered", "Record 59 is out of order: a retry came too late", "Record 59 is out of order", "late",
         "reordered", "batch 45 of orders-0 goes"},
        {"false-failure", "2 records are reported as failed, and are in the log", "2 records are reported",
         "\xe2\x80\x9c"
         "failed",
         "false failure", "broker 3 is down"},
    };
    if (argument_count < 2) {
        fprintf(stderr, "usage: verdicts_shown_test FOLDER [PICTURES]\n");
        return EXIT_FAILURE;
    }
    bool is_well = true;
    for (uint32_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        is_well = watch(arguments[1], &wanted[i], argument_count > 2 ? arguments[2] : NULL) && is_well;
    }
    return is_well ? EXIT_SUCCESS : EXIT_FAILURE;
}
