/*
 * linger simulate: random clusters, producers and faults, each run and checked.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/planted.h"
#include "cli/commands.h"
#include "cli/simulate.h"

struct command_options {
    struct simulate_options search;
    const char *seeds;
    const char *plant;
    bool plants_all;
    bool json;
    bool require;
    bool print;
};

/* JSON keeps whole numbers below this one. */
#define SEEDS_END UINT64_C(9007199254740992)

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
           *last < SEEDS_END;
}

/* --- A seed that fails
 * ---------------------------------------------------------------------------------------------- */

/* Tried in another process: it may be the end of that one. */
static bool fails_again(const void *context, const struct sim_plan *plan)
{
    char text[SIMULATE_TEXT_BYTES];
    return !simulate_apart(plan, text) && sim_simulate_is_alike(context, text);
}

void simulate_report_failure(const struct simulate_options *options, uint64_t seed, const char *complaint)
{
    struct sim_plan plan;
    fprintf(stderr, "linger: seed %" PRIu64 " fails:\n%sagain: linger simulate --seeds %" PRIu64 "%s%s\n",
            seed, complaint, seed, options->plant != NULL ? " --plant " : "",
            options->plant != NULL ? options->plant : "");
    sim_plan_draw(seed, &plan);
    sim_simulate_shrink(&plan, (uint32_t)options->shrink_runs, fails_again, complaint);
    char path[512];
    (void)snprintf(path, sizeof path, "%s/simulate-%" PRIu64 ".json", options->failures, seed);
    struct sim_text text = {0};
    sim_plan_write(&plan, &text);
    if (sim_text_write_file(&text, path)) {
        fprintf(stderr, "made smaller (%" PRIu32 " faults, %" PRIu32 " producers, %" PRIu32 " brokers): %s\n",
                plan.fault_count, plan.producer_count, plan.broker_count, path);
    } else {
        fprintf(stderr, "linger: %s cannot be written: %s\n", path, strerror(errno));
    }
    sim_text_release(&text);
}

static bool is_repeatable(const struct sim_plan *plan, const struct sim_simulation *first)
{
    struct sim_simulation again;
    sim_simulate(plan, NULL, &again);
    sim_complaints_release(&again.broken);
    if (again.hash != first->hash) {
        fprintf(stderr,
                "linger: seed %" PRIu64 " gives another run the second time: %016" PRIx64 ", %016" PRIx64
                "\nagain: linger simulate --seeds %" PRIu64 " --twice 1\n",
                plan->seed, first->hash, again.hash, plan->seed);
    }
    return again.hash == first->hash;
}

/* --- The command
 * -------------------------------------------------------------------------------------------------------- */

bool simulate_seed(const struct simulate_options *options, uint64_t seed, struct sim_coverage *coverage,
                   char text[SIMULATE_TEXT_BYTES])
{
    struct sim_plan plan;
    struct sim_simulation run;
    text[0] = '\0';
    sim_plan_draw(seed, &plan);
    sim_simulate(&plan, coverage, &run);
    bool fine = run.broken.count == 0;
    if (!fine) {
        (void)snprintf(text, SIMULATE_TEXT_BYTES, "%s", run.broken.text);
    }
    if (!fine && !options->is_quiet) {
        simulate_report_failure(options, seed, text);
    } else if (fine && options->twice_every > 0 && seed % (uint64_t)options->twice_every == 0) {
        fine = is_repeatable(&plan, &run);
    }
    sim_complaints_release(&run.broken);
    return fine;
}

static int search(const struct command_options *options)
{
    struct simulate_found found;
    if (options->plants_all) {
        return simulate_planted_all(&options->search) ? CLI_OK : CLI_RUN_FAILED;
    }
    if (!simulate_search(&options->search, &found)) {
        fprintf(stderr, "linger: no process can be started: %s\n", strerror(errno));
        return CLI_RUN_FAILED;
    }
    if (options->json) {
        simulate_print_json(&found);
    } else {
        simulate_print_text(&found);
    }
    bool enough = !options->require || simulate_has_met_enough(&found.coverage);
    return found.failed == 0 && enough ? CLI_OK : CLI_RUN_FAILED;
}

#ifdef LINGER_PLANTED_FAULTS
/* false: nothing more is to be done; *exit_code is how it ends. */
static bool plant(const struct cli_command *command, const char *name, int *exit_code)
{
    if (strcmp(name, "all") == 0) {
        return true;
    }
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

static int check_options(const struct cli_command *command, struct command_options *simulate)
{
    struct simulate_options *search = &simulate->search;
    if (!parse_seeds(simulate->seeds, &search->first, &search->last)) {
        return cli_usage_error(command, "--seeds %s: must be a number, or two as in 1..1000",
                               simulate->seeds);
    }
    if (search->jobs < 0 || search->jobs > SIMULATE_JOBS_MAX) {
        return cli_usage_error(command, "--jobs must be 0 to %d", SIMULATE_JOBS_MAX);
    }
    if (search->twice_every < 0 || search->seconds < 0 || search->shrink_runs < 0 ||
        search->shrink_runs > 1000000) {
        return cli_usage_error(command, "--twice, --for and --shrink must not be negative");
    }
    if (search->seconds > 0) {
        search->last = SEEDS_END - 1;
    }
    return CLI_OK;
}

static int print_plan(uint64_t seed)
{
    struct sim_plan plan;
    struct sim_text text = {0};
    sim_plan_draw(seed, &plan);
    sim_plan_write(&plan, &text);
    fputs(text.bytes, stdout);
    sim_text_release(&text);
    return CLI_OK;
}

static int run_simulate(const struct cli_command *command, int argument_count, char **arguments)
{
    struct command_options simulate = {
        .seeds = "1..1000",
        .search = {.jobs = 1, .twice_every = 10, .shrink_runs = 400, .failures = "."},
    };
    const struct cli_option options[] = {
        {"--seeds", CLI_TEXT, &simulate.seeds, "A..B", "the seeds to run, or one (default 1..1000)"},
        {"--for", CLI_WHOLE, &simulate.search.seconds, "S", "from seed A on, for so many seconds"},
        {"--jobs", CLI_WHOLE, &simulate.search.jobs, "N",
         "in N processes (default 1; 0: in this one, for debuggers)"},
        {"--twice", CLI_WHOLE, &simulate.search.twice_every, "K",
         "run each K-th seed twice and compare (default 10; 0: none)"},
        {"--stop", CLI_FLAG, &simulate.search.stops_at_first, NULL, "stop at the first seed that fails"},
        {"--failures", CLI_TEXT, &simulate.search.failures, "DIR",
         "where small failing scenarios go (default here)"},
        {"--require-coverage", CLI_FLAG, &simulate.require, NULL,
         "fail when faults or rules were hardly met"},
        {"--shrink", CLI_WHOLE, &simulate.search.shrink_runs, "N",
         "at most so many runs to make a failing one smaller (default 400)"},
        {"--json", CLI_FLAG, &simulate.json, NULL, "the counts as JSON"},
        {"--plant", CLI_TEXT, &simulate.plant, "NAME",
         "break a rule on purpose (builds of the preset dev); list: name them; all: find each in the seeds"},
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
    simulate.search.plant = simulate.plant;
    simulate.plants_all = simulate.plant != NULL && strcmp(simulate.plant, "all") == 0;
    exit_code = check_options(command, &simulate);
    if (exit_code != CLI_OK) {
        return exit_code;
    }
    return simulate.print ? print_plan(simulate.search.first) : search(&simulate);
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
        "  linger simulate --for 600 --jobs 8\n"
        "  linger simulate --seeds 4711 --twice 1\n"
        "  linger simulate --seeds 4711 --print > 4711.json\n"
        "  linger simulate --seeds 1..500 --json --require-coverage",
    .run = run_simulate,
};
