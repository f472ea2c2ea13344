/*
 * linger-golden DIR [--mutate [--rounds N]] [--only FILE]... [--case NAME [--dump]]
 *               [--limit N] [--failures N] [--why]
 *
 * Checks the library against every golden file in DIR that there is a checker for (see golden.h).
 */
#include "golden_run.h"
#include "golden_trace_observer.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What a trace begins with can often be another without anything happening otherwise. Results of one step may
 * come in any order between partitions, and so may the topics of a Metadata request.
 */
static const char *const trace_not_mutated[] = {"name",
                                                "note",
                                                "epoch_ms",
                                                "config",
                                                "cluster",
                                                "script",
                                                "sends",
                                                "duration_ms",
                                                "sticky_draws",
                                                "iteration_sensitive",
                                                "order:trace.*.$",
                                                "order:trace.*.topics",
                                                NULL};

static const struct golden_checker checkers[] = {
    {.file = "murmur2.jsonl", .check = golden_check_murmur2},
    {.file = "varint.jsonl", .check = golden_check_varint},
    {.file = "crc32c.jsonl", .check = golden_check_crc32c},
    {.file = "record_batch.jsonl", .check = golden_check_record_batch},
    /* Sizes add up the same in any order, and nothing takes as many bytes as null. */
    {.file = "size_estimate.jsonl",
     .check = golden_check_size_estimate,
     .not_mutated =
         (const char *const[]){"order:headers", "null:key_size", "null:value_size", "null:headers", NULL}},
    /* The bytes of a response do not say its version, and versions can be alike. */
    {.file = "protocol.jsonl",
     .check = golden_check_protocol,
     .not_mutated = (const char *const[]){"filling", "number:version", NULL}},
    /* A trace with an operation less, or two that change places, can be as good; so can another time-out. */
    {.file = "buffer_pool.jsonl",
     .check = golden_check_buffer_pool,
     .not_mutated = (const char *const[]){"name", "number:ops.*.max_block_ms", "number:ops.*.id",
                                          "number:poolable", "order:ops", "removal:ops", NULL}},
    {.file = "config_defaults.jsonl", .check = golden_check_config_defaults},
    /* Most settings can change without anything of what is stated changing. */
    {.file = "config_errors.jsonl",
     .check = golden_check_config_errors,
     .not_mutated = (const char *const[]){"config", NULL}},
    /* More rows of the same kind, from the same client on Java 17. */
    {.file = "config_errors_more.jsonl",
     .check = golden_check_config_errors,
     .not_mutated = (const char *const[]){"config", NULL}},
    {.file = "metrics.jsonl", .check = golden_check_metrics},
    /* Not of the Java client: cases for reasons that the traces do not have. */
    {.file = "why.jsonl",
     .check = golden_check_why,
     .not_mutated = (const char *const[]){"name", "note", "epoch_ms", "config", "cluster", "script", "sends",
                                          "duration_ms", "order:left", "order:held", "removal:left",
                                          "removal:held", NULL}},
    {.file = "producer_trace.jsonl", .check = golden_check_producer_trace, .not_mutated = trace_not_mutated},
    {.file = "txn_trace.jsonl", .check = golden_check_txn_trace, .not_mutated = trace_not_mutated},
};

enum { CHECKER_COUNT = sizeof checkers / sizeof checkers[0], SKIP_REASON_COUNT = 8, EXIT_USAGE = 2 };

struct options {
    const char *directory;
    bool is_mutating;
    bool wants_every_reason;
    const char *case_name;
    const char *only[CHECKER_COUNT];
    size_t only_count;
    unsigned long rounds;
    unsigned long limit;
    unsigned long shown_failures;
};

struct tally {
    const struct options *options;
    const struct golden_checker *checker;
    unsigned long passed;
    unsigned long failed;
    unsigned long selected;
    unsigned long mutants;
    unsigned long noticed;
    unsigned long shown;
    const char *skip_reasons[SKIP_REASON_COUNT];
    unsigned long skip_counts[SKIP_REASON_COUNT];
};

static void case_name(const cJSON *row, size_t line_number, char *name, size_t capacity_bytes)
{
    const char *label = json_member_text(row, "name", NULL);
    (void)snprintf(name, capacity_bytes, "line %zu%s%s", line_number, label != NULL ? " " : "",
                   label != NULL ? label : "");
}

static void show(struct tally *tally, const char *name, const char *text)
{
    if (tally->shown++ < tally->options->shown_failures) {
        printf("  %s: %s\n", name, text);
    }
}

static void count_skip(struct tally *tally, const char *reason)
{
    for (size_t i = 0; i < SKIP_REASON_COUNT; i++) {
        if (tally->skip_reasons[i] == NULL) {
            tally->skip_reasons[i] = reason;
        }
        if (strcmp(tally->skip_reasons[i], reason) == 0 || i == SKIP_REASON_COUNT - 1) {
            tally->skip_counts[i]++;
            return;
        }
    }
}

static void check_row(struct tally *tally, const cJSON *row, const char *name)
{
    struct golden_case *golden = golden_case_run(tally->checker, row);
    if (golden_case_failure(golden) != NULL) {
        tally->failed++;
        show(tally, name, golden_case_failure(golden));
    } else if (golden_case_skipped(golden) != NULL) {
        count_skip(tally, golden_case_skipped(golden));
    } else {
        tally->passed++;
    }
    golden_case_destroy(golden);
}

static void mutate_row(struct tally *tally, const cJSON *row, size_t line_number, const char *name)
{
    for (int kind = 0; kind < GOLDEN_MUTATION_COUNT; kind++) {
        for (unsigned long round = 0; round < tally->options->rounds; round++) {
            char what[384];
            cJSON *mutant = cJSON_Duplicate(row, true);
            uint64_t seed = line_number * 1000003u + (uint64_t)kind * 7919u + round * 104729u;
            if (golden_mutate(tally->checker, mutant, (enum golden_mutation)kind, seed, what, sizeof what)) {
                struct golden_case *golden = golden_case_run(tally->checker, mutant);
                if (golden_case_skipped(golden) == NULL) {
                    tally->mutants++;
                    tally->noticed += golden_case_failure(golden) != NULL;
                    if (golden_case_failure(golden) == NULL) {
                        show(tally, name, what);
                    }
                }
                golden_case_destroy(golden);
            }
            cJSON_Delete(mutant);
        }
    }
}

static void run_line(struct tally *tally, const char *line, size_t length_bytes, size_t line_number)
{
    char name[160];
    const char *only = tally->options->case_name;
    cJSON *row = json_parse(line, length_bytes);
    case_name(row, line_number, name, sizeof name);
    if (only != NULL && strcmp(json_member_text(row, "name", ""), only) != 0) {
        cJSON_Delete(row);
        return;
    }
    tally->selected++;
    if (row == NULL) {
        tally->failed++;
        show(tally, name, "no JSON");
    } else if (tally->options->is_mutating) {
        mutate_row(tally, row, line_number, name);
    } else {
        check_row(tally, row, name);
    }
    cJSON_Delete(row);
}

static void print_tally(const struct tally *tally)
{
    if (tally->options->is_mutating) {
        printf("%s: %lu mutants, %lu noticed", tally->checker->file, tally->mutants, tally->noticed);
    } else {
        printf("%s: %lu passed, %lu failed", tally->checker->file, tally->passed, tally->failed);
    }
    for (size_t i = 0; i < SKIP_REASON_COUNT && tally->skip_reasons[i] != NULL; i++) {
        printf(", %lu skipped: %s", tally->skip_counts[i], tally->skip_reasons[i]);
    }
    if (tally->shown > tally->options->shown_failures) {
        printf(" (%lu not shown; --failures N shows more)", tally->shown - tally->options->shown_failures);
    }
    printf("\n");
}

/* 1 when the file is there and all is well, 0 when it is there and not, -1 when it is not there. */
static int run_file(const struct options *options, const struct golden_checker *checker)
{
    char path[4096];
    struct json_lines lines;
    struct tally tally = {.options = options, .checker = checker};
    (void)snprintf(path, sizeof path, "%s/%s", options->directory, checker->file);
    if (!json_lines_open(&lines, path)) {
        printf("%s: %s\n", checker->file, errno == ENOENT ? "not present" : strerror(errno));
        return errno == ENOENT ? -1 : 0;
    }
    const char *line = NULL;
    size_t length_bytes = 0;
    while (lines.line_number < options->limit && json_lines_next(&lines, &line, &length_bytes)) {
        run_line(&tally, line, length_bytes, lines.line_number);
    }
    bool is_empty = tally.selected == 0;
    json_lines_close(&lines);
    print_tally(&tally);
    if (is_empty) {
        printf("  %s holds no %scase\n", checker->file, options->case_name != NULL ? "such " : "");
    }
    return !is_empty && tally.failed == 0 && tally.noticed == tally.mutants;
}

static bool is_selected(const struct options *options, const char *file)
{
    for (size_t i = 0; i < options->only_count; i++) {
        if (strcmp(options->only[i], file) == 0) {
            return true;
        }
    }
    return options->only_count == 0;
}

static bool has_checker(const char *file)
{
    for (size_t i = 0; i < CHECKER_COUNT; i++) {
        if (strcmp(checkers[i].file, file) == 0) {
            return true;
        }
    }
    return false;
}

/* Vectors that nobody checks are said, not passed over. */
static void list_unchecked(const char *directory)
{
    DIR *entries = opendir(directory);
    for (struct dirent *entry = NULL; entries != NULL && (entry = readdir(entries)) != NULL;) {
        size_t length = strlen(entry->d_name);
        if (length > 6 && strcmp(entry->d_name + length - 6, ".jsonl") == 0 && !has_checker(entry->d_name)) {
            printf("%s: no checker\n", entry->d_name);
        }
    }
    if (entries != NULL) {
        (void)closedir(entries);
    }
}

static bool parse_count(const char *text, unsigned long *count)
{
    char *end = NULL;
    errno = 0;
    *count = text != NULL ? strtoul(text, &end, 10) : 0;
    return text != NULL && text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

static bool parse_options(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--mutate") == 0) {
            options->is_mutating = true;
        } else if (strcmp(argv[i], "--why") == 0) {
            options->wants_every_reason = true;
        } else if (strcmp(argv[i], "--only") == 0 && value != NULL && has_checker(value) &&
                   options->only_count < CHECKER_COUNT) {
            options->only[options->only_count++] = argv[++i];
        } else if (strcmp(argv[i], "--case") == 0 && value != NULL) {
            options->case_name = argv[++i];
        } else if (strcmp(argv[i], "--dump") == 0) {
            golden_set_dumping(true);
        } else if (strcmp(argv[i], "--limit") == 0 && parse_count(value, &options->limit)) {
            i++;
        } else if (strcmp(argv[i], "--rounds") == 0 && parse_count(value, &options->rounds)) {
            i++;
        } else if (strcmp(argv[i], "--failures") == 0 && parse_count(value, &options->shown_failures)) {
            i++;
        } else if (argv[i][0] != '-' && options->directory == NULL) {
            options->directory = argv[i];
        } else {
            (void)fprintf(stderr, "linger-golden: %s is not understood here\n", argv[i]);
            return false;
        }
    }
    return options->directory != NULL;
}

/*
 * Whether each reason for which a batch leaves or is held was given in some trace. Two are guards that a
 * whole producer of 3.0.0 never reaches, since its sender only polls in these states; unit.record_accumulator
 * has them.
 */
static bool was_every_reason_given(void)
{
    bool were_all = true;
    uint32_t held = trace_observed_held | KB_HELD_NO_PRODUCER_ID | KB_HELD_NOT_IN_TXN;
#define SAY_IF_MISSING(kind, observed, NAME, number)                                                         \
    if (((observed) >> (number)&1) == 0) {                                                                   \
        printf("no batch %s because " #NAME "\n", kind);                                                     \
        were_all = false;                                                                                    \
    }
#define LEFT(NAME, number, text) SAY_IF_MISSING("left", trace_observed_left, NAME, number)
#define HELD(NAME, number, text) SAY_IF_MISSING("was held", held, NAME, number)
    KB_LEFT_LIST(LEFT)
    KB_HELD_LIST(HELD)
#undef LEFT
#undef HELD
#undef SAY_IF_MISSING
    return were_all;
}

int main(int argc, char **argv)
{
    struct options options = {.rounds = 1, .limit = (unsigned long)-1, .shown_failures = 20};
    if (!parse_options(argc, argv, &options)) {
        (void)fprintf(
            stderr,
            "usage: linger-golden DIR [--mutate [--rounds N]] [--only FILE]... [--case NAME [--dump]] "
            "[--limit CASES] [--failures N] [--why]\n  DIR holds the golden vectors; --case takes the name "
            "of a "
            "case; --dump prints both traces of it;\n  --why fails when there is a reason for a batch to "
            "leave "
            "or to stay that no trace gives;\n  --only takes a file that there is a checker for:\n");
        for (size_t i = 0; i < CHECKER_COUNT; i++) {
            (void)fprintf(stderr, "    %s\n", checkers[i].file);
        }
        return EXIT_USAGE;
    }
    size_t present = 0;
    bool is_good = true;
    for (size_t i = 0; i < CHECKER_COUNT; i++) {
        if (is_selected(&options, checkers[i].file)) {
            int result = run_file(&options, &checkers[i]);
            present += result >= 0;
            is_good = is_good && result != 0;
        }
    }
    if (options.only_count == 0) {
        list_unchecked(options.directory);
    }
    if (present == 0) {
        (void)fprintf(stderr, "linger-golden: no golden file in %s\n", options.directory);
        return EXIT_USAGE;
    }
    is_good = (!options.wants_every_reason || was_every_reason_given()) && is_good;
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
