/*
 * linger simulate: random clusters, producers and faults, each run and checked.
 */
#define _GNU_SOURCE /* isatty */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/planted.h"
#include "base/trace.h"
#include "cli/commands.h"
#include "engine/simulate.h"

struct simulate_options {
    const char *seeds;
    uint64_t first;
    uint64_t last;
    int64_t twice_every;
    int64_t check_every;
    int64_t shrink_runs;
    const char *failures;
    bool json;
    bool require;
    bool print;
    const char *plant;
};

/* What a search of many seeds must have met at least once in so many runs, or else it proves little. */
enum { RUNS_PER_MINIMUM = 500 };
static const int required_errors[] = {3, 6, 7, 19, 20};

static bool parse_seeds(const char *text, uint64_t *first, uint64_t *last)
{
    char *end;
    errno = 0;
    *first = strtoull(text, &end, 10);
    *last = *first;
    if (end != text && strncmp(end, "..", 2) == 0) {
        const char *second = end + 2;
        *last = strtoull(second, &end, 10);
        if (end == second) {
            return false;
        }
    }
    return errno == 0 && end != text && *end == '\0' && text[0] != '-' && *first <= *last &&
           *last < UINT64_C(9007199254740992);
}

static void show_progress(uint64_t done, uint64_t all)
{
    if (isatty(STDERR_FILENO) == 0) {
        return;
    }
    if (done == all) {
        fputs("\r\033[K", stderr);
    } else if (done % 20 == 0) {
        enum { WIDTH = 40 };
        char bar[WIDTH + 1];
        for (uint64_t i = 0; i < WIDTH; i++) {
            bar[i] = i < done * WIDTH / all ? '=' : ' ';
        }
        bar[WIDTH] = '\0';
        fprintf(stderr, "\r[%s] %" PRIu64 " of %" PRIu64 " seeds", bar, done, all);
    }
}

/* --- A seed that fails
 * ---------------------------------------------------------------------------------------------- */

static void report_failure(const struct simulate_options *options, const struct sim_plan *plan,
                           const struct sim_simulation *found)
{
    fprintf(stderr, "linger: seed %" PRIu64 " fails:\n%sagain: linger simulate --seeds %" PRIu64 "\n",
            plan->seed, found->broken.text, plan->seed);
    struct sim_plan small = *plan;
    sim_simulate_shrink(&small, found, (uint32_t)options->shrink_runs);
    char path[512];
    (void)snprintf(path, sizeof path, "%s/simulate-%" PRIu64 ".json", options->failures, plan->seed);
    struct sim_text text = {0};
    sim_plan_write(&small, &text);
    if (sim_text_write_file(&text, path)) {
        fprintf(stderr, "made smaller (%" PRIu32 " faults, %" PRIu32 " producers, %" PRIu32 " brokers): %s\n",
                small.fault_count, small.producer_count, small.broker_count, path);
    } else {
        fprintf(stderr, "linger: %s cannot be written: %s\n", path, strerror(errno));
    }
    sim_text_release(&text);
}

static bool is_repeatable(const struct sim_plan *plan, const struct sim_simulation *first)
{
    struct sim_simulation again;
    sim_simulate(plan, 1, NULL, &again);
    sim_complaints_release(&again.broken);
    if (again.hash != first->hash) {
        fprintf(stderr,
                "linger: seed %" PRIu64 " gives another run the second time: %016" PRIx64 ", %016" PRIx64
                "\nagain: linger simulate --seeds %" PRIu64 " --twice 1\n",
                plan->seed, first->hash, again.hash, plan->seed);
    }
    return again.hash == first->hash;
}

/* --- What was met
 * ------------------------------------------------------------------------------------------------------ */

static void print_text(const struct sim_coverage *coverage, uint64_t failed)
{
    printf("%" PRIu64 " runs, %" PRIu64 " steps, %" PRIu64 " records; %" PRIu64 " failed\n", coverage->runs,
           coverage->steps, coverage->records, failed);
    printf("faults:");
    for (int i = 0; i < SIM_COVERAGE_FAULTS; i++) {
        if (coverage->faults[i] > 0) {
            printf("  %s %" PRIu64, kb_field_value_text(KB_FIELD_FAULT_KIND, i), coverage->faults[i]);
        }
    }
    printf("\nanswers to Produce, by error code:");
    for (int i = 0; i < SIM_COVERAGE_ERRORS; i++) {
        if (coverage->errors[i] > 0) {
            printf("  %d: %" PRIu64, i, coverage->errors[i]);
        }
    }
    printf("\nmet:");
    for (int i = 0; i < SIM_COVERAGE_ITEM_COUNT; i++) {
        printf("%s  %s %" PRIu64, i % 7 == 6 ? "\n    " : "",
               sim_coverage_item_name((enum sim_coverage_item)i), coverage->items[i]);
    }
    putchar('\n');
}

static void print_json(const struct sim_coverage *coverage, uint64_t failed)
{
    printf("{\"runs\":%" PRIu64 ",\"steps\":%" PRIu64 ",\"records\":%" PRIu64 ",\"failed\":%" PRIu64
           ",\"faults\":{",
           coverage->runs, coverage->steps, coverage->records, failed);
    for (int i = 0; i < SIM_COVERAGE_FAULTS; i++) {
        printf("%s\"%s\":%" PRIu64, i > 0 ? "," : "", kb_field_value_text(KB_FIELD_FAULT_KIND, i),
               coverage->faults[i]);
    }
    fputs("},\"answers\":{", stdout);
    bool first = true;
    for (int i = 0; i < SIM_COVERAGE_ERRORS; i++) {
        if (coverage->errors[i] > 0) {
            printf("%s\"%d\":%" PRIu64, first ? "" : ",", i, coverage->errors[i]);
            first = false;
        }
    }
    fputs("},\"met\":{", stdout);
    for (int i = 0; i < SIM_COVERAGE_ITEM_COUNT; i++) {
        printf("%s\"%s\":%" PRIu64, i > 0 ? "," : "", sim_coverage_item_name((enum sim_coverage_item)i),
               coverage->items[i]);
    }
    fputs("}}\n", stdout);
}

static bool has_met_enough(const struct sim_coverage *coverage)
{
    uint64_t minimum = coverage->runs / RUNS_PER_MINIMUM;
    bool enough = true;
    for (int i = 0; i < SIM_COVERAGE_ITEM_COUNT; i++) {
        if (coverage->items[i] < minimum) {
            fprintf(stderr, "linger: these seeds met \"%s\" %" PRIu64 " times; %" PRIu64 " are wanted\n",
                    sim_coverage_item_name((enum sim_coverage_item)i), coverage->items[i], minimum);
            enough = false;
        }
    }
    for (size_t i = 0; i < sizeof required_errors / sizeof required_errors[0]; i++) {
        if (coverage->errors[required_errors[i]] < minimum) {
            fprintf(stderr, "linger: these seeds met error %d %" PRIu64 " times; %" PRIu64 " are wanted\n",
                    required_errors[i], coverage->errors[required_errors[i]], minimum);
            enough = false;
        }
    }
    return enough;
}

/* --- The command
 * -------------------------------------------------------------------------------------------------------- */

static int search(const struct simulate_options *options)
{
    struct sim_coverage coverage = {0};
    uint64_t failed = 0;
    uint64_t all = options->last - options->first + 1;
    for (uint64_t seed = options->first; seed <= options->last; seed++) {
        struct sim_plan plan;
        struct sim_simulation run;
        sim_plan_draw(seed, &plan);
        /* Some seeds are looked at after every step, the others now and then. */
        uint32_t every = seed % 4 == 0 ? 1 : (uint32_t)options->check_every;
        sim_simulate(&plan, every, &coverage, &run);
        bool fine = run.broken.count == 0;
        if (!fine) {
            show_progress(1, 1);
            report_failure(options, &plan, &run);
        } else if (options->twice_every > 0 && seed % (uint64_t)options->twice_every == 0) {
            fine = is_repeatable(&plan, &run);
        }
        failed += !fine;
        sim_complaints_release(&run.broken);
        show_progress(seed - options->first + 1, all);
    }
    if (options->json) {
        print_json(&coverage, failed);
    } else {
        print_text(&coverage, failed);
    }
    bool enough = !options->require || has_met_enough(&coverage);
    return failed == 0 && enough ? CLI_OK : CLI_RUN_FAILED;
}

#ifdef LINGER_PLANTED_FAULTS
/* false: nothing more is to be done; *exit_code is how it ends. */
static bool plant(const struct cli_command *command, const char *name, int *exit_code)
{
    if (strcmp(name, "list") == 0) {
        for (int i = KB_PLANTED_NONE + 1; i < KB_PLANTED_COUNT; i++) {
            const struct kb_planted_info *info = kb_planted_info((enum kb_planted)i);
            printf("%-26s %-18s %s\n", info->name, info->where, info->what);
        }
        *exit_code = CLI_OK;
        return false;
    }
    kb_planted_fault = kb_planted_find(name);
    if (kb_planted_fault == KB_PLANTED_NONE) {
        *exit_code = cli_usage_error(command, "--plant %s: unknown; --plant list names them all", name);
        return false;
    }
    return true;
}
#else
static bool plant(const struct cli_command *command, const char *name, int *exit_code)
{
    *exit_code = cli_usage_error(
        command, "--plant %s: this build has no planted faults; configure with the preset \"dev\"", name);
    return false;
}
#endif

static int run_simulate(const struct cli_command *command, int argument_count, char **arguments)
{
    struct simulate_options simulate = {
        .seeds = "1..1000", .twice_every = 10, .check_every = 8, .shrink_runs = 400, .failures = "."};
    const struct cli_option options[] = {
        {"--seeds", CLI_TEXT, &simulate.seeds, "A..B", "the seeds to run, or one (default 1..1000)"},
        {"--twice", CLI_WHOLE, &simulate.twice_every, "K",
         "run each K-th seed twice and compare (default 10; 0: none)"},
        {"--check-every", CLI_WHOLE, &simulate.check_every, "K",
         "look at the cluster's invariants every K steps (default 8; every fourth seed: each step)"},
        {"--failures", CLI_TEXT, &simulate.failures, "DIR",
         "where small failing scenarios go (default here)"},
        {"--require-coverage", CLI_FLAG, &simulate.require, NULL,
         "fail when faults or rules were hardly met"},
        {"--shrink", CLI_WHOLE, &simulate.shrink_runs, "N",
         "at most so many runs to make a failing one smaller (default 400)"},
        {"--json", CLI_FLAG, &simulate.json, NULL, "the counts as JSON"},
        {"--plant", CLI_TEXT, &simulate.plant, "NAME",
         "break a rule on purpose: must be found (builds of the preset dev; NAME list: all of them)"},
        {"--print", CLI_FLAG, &simulate.print, NULL, "only print the first seed's scenario"},
        {0},
    };
    int exit_code;
    if (!cli_parse(command, options, &argument_count, arguments, &exit_code)) {
        return exit_code;
    }
    if (argument_count != 0) {
        return cli_usage_error(command, "takes no argument: \"%s\"", arguments[0]);
    }
    if (simulate.plant != NULL && !plant(command, simulate.plant, &exit_code)) {
        return exit_code;
    }
    if (!parse_seeds(simulate.seeds, &simulate.first, &simulate.last)) {
        return cli_usage_error(command, "--seeds %s: must be a number, or two as in 1..1000", simulate.seeds);
    }
    if (simulate.check_every < 1 || simulate.check_every > 1000000 || simulate.twice_every < 0 ||
        simulate.shrink_runs < 0 || simulate.shrink_runs > 1000000) {
        return cli_usage_error(command,
                               "--check-every must be 1 to 1000000, and --twice and --shrink not negative");
    }
    if (simulate.print) {
        struct sim_plan plan;
        struct sim_text text = {0};
        sim_plan_draw(simulate.first, &plan);
        sim_plan_write(&plan, &text);
        fputs(text.bytes, stdout);
        sim_text_release(&text);
        return CLI_OK;
    }
    return search(&simulate);
}

const struct cli_command cli_simulate = {
    .name = "simulate",
    .arguments = "[--seeds A..B] [OPTIONS]",
    .summary = "random clusters, producers and faults from seeds; what must hold is checked in each",
    .details =
        "A seed that fails is made smaller and written as a scenario, to be looked at with `linger play`.\n"
        "docs/testing.md lists what is checked.\n\n"
        "Examples:\n"
        "  linger simulate --seeds 1..2000\n"
        "  linger simulate --seeds 4711 --twice 1\n"
        "  linger simulate --seeds 4711 --print > 4711.json\n"
        "  linger simulate --seeds 1..500 --json --require-coverage",
    .run = run_simulate,
};
