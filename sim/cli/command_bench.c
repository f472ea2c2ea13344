/*
 * linger bench: the figures of docs/performance.md, measured here and now.
 */
#define _GNU_SOURCE /* getloadavg, isatty */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "cli/bench.h"
#include "cli/commands.h"

static const struct group {
    const char *name;
    const char *title;
    bool (*run)(struct bench *bench);
} groups[] = {
    {"core", "The producer core: send() to callback, one thread, a broker in process that acknowledges",
     bench_core},
    {"simulation", "Simulated events: the real producer core and the mock cluster in virtual time",
     bench_simulation},
    {"scale", "How cost and memory grow: brokers, partitions, producers, records", bench_scale},
    {"seek", "Going anywhere in a run", bench_seek},
#ifdef LINGER_HAS_VIEW
    {"frame", "A frame of the view, without a GPU", bench_frame},
#endif
};
enum { GROUP_COUNT = sizeof groups / sizeof groups[0] };

/* --- Samples and figures */

static double read_clock_s(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

double bench_cpu_s(void)
{
    return read_clock_s(CLOCK_THREAD_CPUTIME_ID);
}

double bench_wall_s(void)
{
    return read_clock_s(CLOCK_MONOTONIC);
}

void bench_announce(const char *what)
{
    if (isatty(STDERR_FILENO) != 0) {
        fprintf(stderr, "\r\033[K%s ...", what);
    }
}

void bench_sample(struct bench_samples *samples, double value)
{
    if (samples->count < BENCH_SAMPLES_MAX) {
        samples->values[samples->count++] = value;
    }
}

static int compare_values(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

double bench_percentile(const struct bench_samples *samples, double permille)
{
    static struct bench_samples sorted;
    if (samples->count == 0) {
        return 0;
    }
    memcpy(sorted.values, samples->values, samples->count * sizeof *samples->values);
    qsort(sorted.values, samples->count, sizeof *sorted.values, compare_values);
    return sorted.values[(uint32_t)((double)(samples->count - 1) * permille / 1000 + 0.5)];
}

struct bench_figure *bench_add(struct bench *bench, const char *group, const char *name, const char *unit,
                               const struct bench_samples *samples)
{
    static struct bench_figure spare; /* a figure too many is measured and not shown */
    struct bench_figure *figure =
        bench->figure_count < BENCH_FIGURES_MAX ? &bench->figures[bench->figure_count++] : &spare;
    *figure = (struct bench_figure){
        .group = group,
        .unit = unit,
        .minimum = bench_percentile(samples, 0),
        .median = bench_percentile(samples, 500),
        .maximum = bench_percentile(samples, 1000),
        .sample_count = samples->count,
    };
    snprintf(figure->name, sizeof figure->name, "%s", name);
    return figure;
}

void bench_hold(struct bench_figure *figure, enum bench_target kind, double target)
{
    figure->target_kind = kind;
    figure->target = target;
    figure->value_held = figure->median;
}

void bench_hold_p99(struct bench_figure *figure, const struct bench_samples *samples, double target)
{
    bench_hold(figure, BENCH_AT_MOST, target);
    figure->p99 = bench_percentile(samples, 990);
    figure->value_held = figure->p99;
}

void bench_compare(struct bench_figure *figure, const char *bound, const struct bench_samples *percents,
                   double target_percent)
{
    snprintf(figure->bound, sizeof figure->bound, "%s", bound);
    figure->bound_percent = bench_percentile(percents, 500);
    figure->bound_target_percent = target_percent;
}

/* --- The report */

static bool is_met(const struct bench_figure *figure)
{
    return figure->target_kind == BENCH_AT_LEAST ? figure->value_held >= figure->target
                                                 : figure->value_held <= figure->target;
}

struct conditions {
    char cpu[128];
    long core_count;
    const char *compiler;
    const char *build_type;
    double load;
};

static void find_conditions(struct conditions *out)
{
    *out = (struct conditions){
        .cpu = "unknown",
        .core_count = sysconf(_SC_NPROCESSORS_ONLN),
#ifdef __clang__
        .compiler = __VERSION__,
#else
        .compiler = "gcc " __VERSION__,
#endif
#ifdef LINGER_BUILD_TYPE
        .build_type = LINGER_BUILD_TYPE,
#else
        .build_type = "unknown",
#endif
    };
    double loads[1];
    out->load = getloadavg(loads, 1) == 1 ? loads[0] : -1;
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL) {
            snprintf(out->cpu, sizeof out->cpu, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
            break;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

static void print_figure(const struct bench_figure *figure)
{
    printf("  %-58s %10.3f %10.3f %10.3f %-10s", figure->name, figure->minimum, figure->median,
           figure->maximum, figure->unit);
    if (figure->p99 > 0) {
        printf("  p99 %.3f", figure->p99);
    }
    if (figure->target_kind != BENCH_NO_TARGET) {
        printf("  target %s %g: %s", figure->target_kind == BENCH_AT_LEAST ? ">=" : "<=", figure->target,
               is_met(figure) ? "met" : "MISSED");
    }
    if (figure->bound_percent > 0) {
        printf("  %.0f %% of the bound (%s)", figure->bound_percent, figure->bound);
    }
    if (figure->bound_target_percent > 0) {
        printf(", target %.0f %%: %s", figure->bound_target_percent,
               figure->bound_percent >= figure->bound_target_percent ? "met" : "MISSED");
    }
    putchar('\n');
}

static void print_text(const struct bench *bench)
{
    struct conditions conditions;
    find_conditions(&conditions);
    printf("%s, %ld core%s, %s, build %s, CRC-32C by %s, load average %.1f\n", conditions.cpu,
           conditions.core_count, conditions.core_count == 1 ? "" : "s", conditions.compiler,
           conditions.build_type, kb_crc32c_is_hardware() ? "instruction" : "tables", conditions.load);
    puts("Of the thread's CPU time, unless it says wall.");
    for (int i = 0; i < GROUP_COUNT; i++) {
        bool has_title = false;
        for (uint32_t j = 0; j < bench->figure_count; j++) {
            if (strcmp(bench->figures[j].group, groups[i].name) != 0) {
                continue;
            }
            if (!has_title) {
                printf("\n%s (%s)\n  %-58s %10s %10s %10s\n", groups[i].title, groups[i].name, "", "min",
                       "median", "max");
                has_title = true;
            }
            print_figure(&bench->figures[j]);
        }
    }
}

static void print_json_text(const char *name, const char *text)
{
    printf("\"%s\": \"", name);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            putchar('\\');
        }
        if ((unsigned char)*text >= ' ') {
            putchar(*text);
        }
    }
    putchar('"');
}

static void print_json_figure(const struct bench_figure *figure)
{
    printf("    {");
    print_json_text("group", figure->group);
    printf(", ");
    print_json_text("name", figure->name + strspn(figure->name, " "));
    printf(", ");
    print_json_text("unit", figure->unit);
    printf(", \"min\": %.6g, \"median\": %.6g, \"max\": %.6g, \"samples\": %u", figure->minimum,
           figure->median, figure->maximum, figure->sample_count);
    if (figure->p99 > 0) {
        printf(", \"p99\": %.6g", figure->p99);
    }
    if (figure->target_kind != BENCH_NO_TARGET) {
        printf(", \"%s\": %g, \"met\": %s",
               figure->target_kind == BENCH_AT_LEAST ? "target_at_least" : "target_at_most", figure->target,
               is_met(figure) ? "true" : "false");
    }
    if (figure->bound_percent > 0) {
        printf(", ");
        print_json_text("bound", figure->bound);
        printf(", \"percent_of_bound\": %.4g", figure->bound_percent);
    }
    if (figure->bound_target_percent > 0) {
        printf(", \"target_percent_of_bound\": %g", figure->bound_target_percent);
    }
    printf("}");
}

static void print_json(const struct bench *bench)
{
    struct conditions conditions;
    find_conditions(&conditions);
    printf("{\n  ");
    print_json_text("cpu", conditions.cpu);
    printf(", \"cores\": %ld, ", conditions.core_count);
    print_json_text("compiler", conditions.compiler);
    printf(", ");
    print_json_text("build_type", conditions.build_type);
    printf(", \"crc32c_by_instruction\": %s, \"load_average\": %.2f,\n  \"figures\": [\n",
           kb_crc32c_is_hardware() ? "true" : "false", conditions.load);
    for (uint32_t i = 0; i < bench->figure_count; i++) {
        print_json_figure(&bench->figures[i]);
        puts(i + 1 < bench->figure_count ? "," : "");
    }
    puts("  ]\n}");
}

/* --- The command */

static int run_bench(const struct cli_command *command, int argument_count, char **arguments)
{
    static struct bench bench;
    const char *only = NULL;
    const char *seconds = "1";
    bool json = false;
    const struct cli_option options[] = {
        {"--only", CLI_TEXT, &only, "GROUP",
         "core, simulation, scale, seek, or frame (where this build has a view)"},
        {"--seconds", CLI_TEXT, &seconds, "S",
         "how long to measure each figure, at least three times (1); less than 0.5 takes smaller runs"},
        {"--json", CLI_FLAG, &json, NULL, "conditions and figures as JSON"},
        {0},
    };
    int exit_code;
    if (!cli_parse(command, options, &argument_count, arguments, &exit_code)) {
        return exit_code;
    }
    char *end;
    bench = (struct bench){.seconds = strtod(seconds, &end)};
    if (argument_count > 0) {
        return cli_usage_error(command, "%s: it takes no argument", arguments[0]);
    }
    if (end == seconds || *end != '\0' || !(bench.seconds >= 0 && bench.seconds <= 3600)) {
        return cli_usage_error(command, "--seconds %s: must be a number from 0 to 3600", seconds);
    }
    bench.is_quick = bench.seconds < 0.5;
    bool found = false;
    bool good = true;
    for (int i = 0; i < GROUP_COUNT; i++) {
        if (only == NULL || strcmp(only, groups[i].name) == 0) {
            found = true;
            good = groups[i].run(&bench) && good;
        }
    }
    if (!found) {
        return cli_usage_error(command, "--only %s: there is no such group in this build", only);
    }
    if (isatty(STDERR_FILENO) != 0) {
        fputs("\r\033[K", stderr);
    }
    (json ? print_json : print_text)(&bench);
    return good ? CLI_OK : CLI_RUN_FAILED;
}

const struct cli_command cli_bench = {
    .name = "bench",
    .arguments = "[OPTIONS]",
    .summary = "the figures of docs/performance.md, measured here and now",
    .details =
        "Each figure is measured several times after warming up; what stands beside it, the bound, is\n"
        "measured in alternation with it. Use a Release build and an idle machine.\n\n"
        "Examples:\n"
        "  linger bench\n"
        "  linger bench --only core --seconds 3\n"
        "  linger bench --json > figures.json",
    .run = run_bench,
};
