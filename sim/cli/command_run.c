/*
 * linger run: a scenario without a window.
 */
#define _GNU_SOURCE /* isatty */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/report.h"
#include "cli/report_consumers.h"
#include "cli/scenario_options.h"
#include "engine/world.h"
#include "export/jsonl.h"
#ifdef LINGER_HAS_VIEW
#include "cli/pictures.h"
#endif

struct run_options {
    struct scenario_options scenario;
    bool json;
    bool check;
    const char *events_path;
    FILE *events;
    const char *png_path;
    int64_t at_ms; /* of the picture; -1: the end, and moments before it */
    bool light;
};

static uint64_t records_of(const struct sim_scenario *scenario)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < scenario->producer_count; i++) {
        for (uint32_t j = 0; j < scenario->producers[i].thread_count; j++) {
            count += (uint64_t)scenario->producers[i].threads[j].source.count;
        }
    }
    return count;
}

/* A line that is written over, when somebody looks and it takes longer than a moment. How far it is: a run is
 * over when all records are through, or at the end of its time. */
static void show_progress(struct sim_world *world, const struct sim_scenario *scenario, bool last)
{
    static bool shown;
    if (isatty(STDERR_FILENO) == 0 || (last && !shown)) {
        return;
    }
    if (last) {
        fputs("\r\033[K", stderr);
        return;
    }
    enum { WIDTH = 40 };
    uint64_t sent = sim_ledger_count(sim_world_ledger(world));
    uint64_t record_count = records_of(scenario);
    double of_records = record_count > 0 ? (double)sent / (double)record_count : 0;
    double of_time =
        (double)sim_world_now_us(world) / (double)(scenario->duration_us > 0 ? scenario->duration_us : 1);
    double share = of_records > of_time ? of_records : of_time;
    char bar[WIDTH + 1];
    for (int i = 0; i < WIDTH; i++) {
        bar[i] = i < (int)(share * WIDTH) ? '=' : ' ';
    }
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r\033[K[%s] %" PRIu64 " of %" PRIu64 " records, %.1f ms simulated", bar, sent,
            record_count, (double)sim_world_now_us(world) / 1000);
    shown = true;
}

static void run_world(struct sim_world *world, const struct sim_scenario *scenario)
{
    enum { STEPS_BETWEEN = 200000 };
    bool more = true;
    while (more) {
        for (int i = 0; i < STEPS_BETWEEN && more; i++) {
            more = sim_world_step(world);
        }
        show_progress(world, scenario, !more);
    }
}

static int complain_of_file(const char *path)
{
    fprintf(stderr, "linger: %s cannot be written: %s\n", path, strerror(errno));
    return CLI_BAD_INPUT;
}

/* Opened before the run, so that a wrong name costs no waiting. NULL: nothing is to be written. */
static bool open_events(const char *path, FILE **file)
{
    *file = path == NULL ? NULL : strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    return path == NULL || *file != NULL;
}

static int write_events(const struct sim_event_log *log, const char *path, FILE *file)
{
    bool written = sim_export_jsonl(log, file);
    if (file != stdout && fclose(file) != 0) {
        written = false;
    }
    return written ? CLI_OK : complain_of_file(path);
}

#ifdef LINGER_HAS_VIEW
static bool write_pictures(const struct sim_event_log *log, const struct sim_ledger_totals *totals,
                           const struct run_options *options)
{
    struct ledger_lines ledger;
    report_ledger_lines(totals, &ledger);
    const char *lines[LEDGER_LINES_MAX + 1] = {NULL};
    for (uint32_t i = 0; i < ledger.count; i++) {
        lines[i] = ledger.texts[i];
    }
    struct picture_options picture = {.light = options->light,
                                      .at_us = options->at_ms >= 0 ? options->at_ms * 1000 : -1};
    return cli_write_pictures(log, lines, options->png_path, &picture);
}
#endif

static int report(struct sim_world *world, const struct sim_summary_fold *fold,
                  const struct run_options *options)
{
    const struct sim_event_log *log = sim_world_log(world);
    struct sim_ledger *ledger = sim_world_ledger(world);
    struct sim_summary summary;
    struct sim_ledger_totals totals;
    if (!sim_ledger_settle(ledger, sim_world_cluster(world)) ||
        !sim_summary_fold_finish(fold, sim_event_log_end_us(log), &summary)) {
        fprintf(stderr, "linger: no memory to sum up the run\n");
        return CLI_RUN_FAILED;
    }
    sim_ledger_totals(ledger, &totals);
    sim_readings_settle(sim_world_readings(world), sim_world_cluster(world));
    int result = CLI_OK;
    if (options->events != NULL) {
        result = write_events(log, options->events_path, options->events);
    }
#ifdef LINGER_HAS_VIEW
    if (options->png_path != NULL && result == CLI_OK) {
        result = write_pictures(log, &totals, options) ? CLI_OK : CLI_BAD_INPUT;
    }
#else
    if (options->png_path != NULL) {
        fprintf(stderr, "linger: this build has no view, so it cannot draw %s\n", options->png_path);
        result = CLI_BAD_INPUT;
    }
#endif
    FILE *out = options->events == stdout ? stderr : stdout;
    if (options->json) {
        report_json(out, log, &summary, &totals, world);
    } else {
        report_text(out, log, &summary, &totals);
        report_consumers_text(out, world);
    }
    return result;
}

static void fold_event(void *context, const struct kb_event *event)
{
    sim_summary_fold_take(context, event);
}

/* The summary is made while the run goes on. Nobody asks for its events: then they need not be kept. */
static struct sim_summary_fold *begin_summary(struct sim_event_log *log, const struct run_options *options)
{
    struct sim_summary_fold *fold = sim_summary_fold_create(sim_event_log_info_view(log));
    if (fold != NULL) {
        sim_event_log_listen(log, fold_event, fold);
    }
    if (options->events_path == NULL && options->png_path == NULL) {
        sim_event_log_keep_newest(log);
    }
    return fold;
}

static int run_scenario(const struct cli_command *command, struct run_options *options, const char *path)
{
    struct sim_scenario *scenario;
    if (!scenario_options_load(command, &options->scenario, path, &scenario)) {
        return CLI_BAD_INPUT;
    }
    if (!open_events(options->events_path, &options->events)) {
        sim_scenario_release(scenario);
        return complain_of_file(options->events_path);
    }
    struct sim_world *world;
    struct sim_complaints complaints = {0};
    struct sim_event_log *log = sim_event_log_create();
    struct sim_summary_fold *fold = log != NULL ? begin_summary(log, options) : NULL;
    struct sim_world_options world_options = {.log_events = true, .check = options->check, .log = log};
    int result = CLI_BAD_INPUT;
    if (fold == NULL) {
        fprintf(stderr, "linger: no memory for a run\n");
        sim_event_log_destroy(log);
    } else if (!sim_world_create(scenario, &world_options, &world, &complaints)) {
        fprintf(stderr, "%s", complaints.text);
    } else {
        run_world(world, scenario);
        result = report(world, fold, options);
        if (sim_world_failure(world) == NULL && !sim_world_check_end(world, &complaints)) {
            fprintf(stderr, "linger: broken at the end: %s", complaints.text);
            result = CLI_RUN_FAILED;
        }
        if (sim_world_failure(world) != NULL) {
            fprintf(stderr, "linger: %s\n", sim_world_failure(world));
            result = CLI_RUN_FAILED;
        }
        sim_world_destroy(world);
    }
    sim_summary_fold_destroy(fold);
    sim_complaints_release(&complaints);
    sim_scenario_release(scenario);
    return result;
}

static int run_run(const struct cli_command *command, int argument_count, char **arguments)
{
    struct run_options run = {.scenario = {.seed = -1}, .at_ms = -1};
    const struct cli_option options[] = {
        SCENARIO_OPTIONS(run.scenario),
        {"--json", CLI_FLAG, &run.json, NULL, "the summary and the ledger as JSON"},
        {"--events", CLI_TEXT, &run.events_path, "FILE", "every event as JSON Lines (- for stdout)"},
        {"--png", CLI_TEXT, &run.png_path, "FILE",
         "what the view shows at the end, and at four moments before it"},
        {"--at", CLI_WHOLE, &run.at_ms, "MS", "draw only this moment"},
        {"--light", CLI_FLAG, &run.light, NULL, "draw in light colours"},
        {"--check", CLI_FLAG, &run.check, NULL, "check the invariants after every step and at the end"},
        {0},
    };
    int exit_code;
    if (!cli_parse(command, options, &argument_count, arguments, &exit_code)) {
        return exit_code;
    }
    if (argument_count != 1) {
        return cli_usage_error(command, argument_count == 0 ? "which scenario?" : "one scenario at a time");
    }
    return run_scenario(command, &run, arguments[0]);
}

const struct cli_command cli_run = {
    .name = "run",
    .arguments = "SCENARIO [OPTIONS]",
    .summary = "run a scenario without a window: summary, latencies, and the ledger of every record",
    .details = "Examples:\n"
               "  linger run assets/scenarios/default.json\n"
               "  linger run assets/scenarios/default.json --set shop.linger.ms=20 --seed 7\n"
               "  linger run assets/scenarios/default.json --producer-config producer.properties --json\n"
               "  linger run assets/scenarios/kill-a-broker.json --events events.jsonl --png picture.png",
    .run = run_run,
};
