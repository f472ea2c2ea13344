/*
 * linger matrix: what is lost, doubled, reordered or refused when something breaks, by running it.
 */
#define _GNU_SOURCE /* isatty */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "engine/matrix.h"

struct matrix_options {
    int64_t seeds;
    int64_t first_seed;
    bool json;
    bool detail;
    const char *fault;
    const char *save_cell;
    const char *to;
};

enum { COLUMN_COUNT = SIM_MATRIX_PRODUCER_COUNT * SIM_MATRIX_MIN_ISR_MAX };
typedef struct sim_matrix_result matrix_table[SIM_MATRIX_FAULT_COUNT][COLUMN_COUNT];

static struct sim_matrix_cell cell_at(int fault, int column)
{
    return (struct sim_matrix_cell){.producer = (enum sim_matrix_producer)(column / SIM_MATRIX_MIN_ISR_MAX),
                                    .min_insync_replicas = column % SIM_MATRIX_MIN_ISR_MAX + 1,
                                    .fault = (enum sim_matrix_fault)fault};
}

/* --- As text
 * ------------------------------------------------------------------------------------------------------------
 */

static const char *color(const char *code)
{
    return cli_use_color() ? code : "";
}

/* A capital letter: in half of the runs or more; a small one: in some; a dot: in none. */
static char symbol(char letter, uint32_t runs_with, uint32_t runs)
{
    return runs_with == 0 ? '.' : (char)(2 * runs_with >= runs ? letter : letter - 'A' + 'a');
}

static void print_cell(const struct sim_matrix_result *result)
{
    const struct {
        char letter;
        const char *color;
        uint32_t runs_with;
    } parts[] = {
        {'L', "\033[31;1m", result->runs_with_lost},
        {'D', "\033[35m", result->runs_with_duplicate},
        {'R', "\033[34m", result->runs_with_reordered},
        {'E', "\033[33m", result->runs_with_error},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char shown = symbol(parts[i].letter, parts[i].runs_with, result->runs);
        printf("%s%c%s", color(shown == '.' ? "\033[2m" : parts[i].color), shown, color("\033[0m"));
    }
}

static void print_answers(const struct sim_matrix_result *result)
{
    for (int code = 1; code < (int)(sizeof result->answers / sizeof result->answers[0]); code++) {
        if (result->answers[code] > 0) {
            printf("  error %d: %" PRIu64, code, result->answers[code]);
        }
    }
    if (result->timed_out > 0) {
        printf("  timed out: %" PRIu64, result->timed_out);
    }
}

static void print_detail(int fault, matrix_table table)
{
    for (int column = 0; column < COLUMN_COUNT; column++) {
        const struct sim_matrix_result *result = &table[fault][column];
        struct sim_matrix_cell cell = cell_at(fault, column);
        printf("    %s m%d ", sim_matrix_producer_name(cell.producer), cell.min_insync_replicas);
        print_cell(result);
        printf("  of %" PRIu64 ": %" PRIu64 " delivered, %" PRIu64 " lost, %" PRIu64 " duplicate, %" PRIu64
               " reordered, %" PRIu64 " failed, %" PRIu64 " false failures, %" PRIu64 " pending;",
               result->totals.sent, result->totals.verdicts[SIM_VERDICT_DELIVERED],
               result->totals.verdicts[SIM_VERDICT_LOST_AFTER_ACK],
               result->totals.verdicts[SIM_VERDICT_DUPLICATE], result->totals.reordered,
               result->totals.verdicts[SIM_VERDICT_FAILED],
               result->totals.verdicts[SIM_VERDICT_FALSE_FAILURE],
               result->totals.verdicts[SIM_VERDICT_PENDING]);
        print_answers(result);
        putchar('\n');
    }
}

static void print_table(const struct matrix_options *options, matrix_table table, const bool *wanted)
{
    printf("Replication factor 3, %" PRId64 " runs a cell. m: min.insync.replicas\n\n%-42s", options->seeds,
           "");
    static const char *const heads[] = {"acks=0", "acks=1", "acks=all", "acks=all, idempotent"};
    for (int i = 0; i < SIM_MATRIX_PRODUCER_COUNT; i++) {
        printf("%-18s", heads[i]);
    }
    printf("\n%-42s", "");
    for (int column = 0; column < COLUMN_COUNT; column++) {
        printf("m%-*d", column % SIM_MATRIX_MIN_ISR_MAX == SIM_MATRIX_MIN_ISR_MAX - 1 ? 7 : 4,
               column % SIM_MATRIX_MIN_ISR_MAX + 1);
    }
    putchar('\n');
    for (int fault = 0; fault < SIM_MATRIX_FAULT_COUNT; fault++) {
        if (!wanted[fault]) {
            continue;
        }
        printf("%-42s", sim_matrix_fault_text((enum sim_matrix_fault)fault));
        for (int column = 0; column < COLUMN_COUNT; column++) {
            print_cell(&table[fault][column]);
            fputs(column % SIM_MATRIX_MIN_ISR_MAX == SIM_MATRIX_MIN_ISR_MAX - 1 ? "    " : " ", stdout);
        }
        putchar('\n');
        if (options->detail) {
            print_detail(fault, table);
        }
    }
    fputs("\nL acked and lost   D twice in the log   R in another order than sent   E the application saw an "
          "error\nA capital: in half of the runs or more. A small letter: in some. A dot: in none.\n"
          "--detail has the counts; --save-cell A1/2/leader-crash writes one as a scenario to look at.\n",
          stdout);
}

/* --- As JSON
 * ------------------------------------------------------------------------------------------------------------
 */

static void print_json_cell(const struct sim_matrix_cell *cell, const struct sim_matrix_result *result)
{
    printf("{\"fault\":\"%s\",\"producer\":\"%s\",\"min.insync.replicas\":%d,\"runs\":%" PRIu32
           ",\"runs_with\":{\"lost\":%" PRIu32 ",\"duplicate\":%" PRIu32 ",\"reordered\":%" PRIu32
           ",\"error\":%" PRIu32 "},\"sent\":%" PRIu64,
           sim_matrix_fault_name(cell->fault), sim_matrix_producer_name(cell->producer),
           cell->min_insync_replicas, result->runs, result->runs_with_lost, result->runs_with_duplicate,
           result->runs_with_reordered, result->runs_with_error, result->totals.sent);
    for (int i = 0; i < SIM_VERDICT_COUNT; i++) {
        printf(",\"%s\":%" PRIu64, sim_verdict_name((enum sim_verdict)i), result->totals.verdicts[i]);
    }
    printf(",\"reordered\":%" PRIu64 ",\"unknown\":%" PRIu64 ",\"timed_out\":%" PRIu64 ",\"answers\":{",
           result->totals.reordered, result->totals.unknown, result->timed_out);
    bool first = true;
    for (int code = 0; code < (int)(sizeof result->answers / sizeof result->answers[0]); code++) {
        if (result->answers[code] > 0) {
            printf("%s\"%d\":%" PRIu64, first ? "" : ",", code, result->answers[code]);
            first = false;
        }
    }
    fputs("}}", stdout);
}

static void print_json(const struct matrix_options *options, matrix_table table, const bool *wanted)
{
    printf("{\"first_seed\":%" PRId64 ",\"seeds\":%" PRId64 ",\"cells\":[", options->first_seed,
           options->seeds);
    bool first = true;
    for (int fault = 0; fault < SIM_MATRIX_FAULT_COUNT; fault++) {
        for (int column = 0; column < COLUMN_COUNT && wanted[fault]; column++) {
            struct sim_matrix_cell cell = cell_at(fault, column);
            fputs(first ? "\n" : ",\n", stdout);
            print_json_cell(&cell, &table[fault][column]);
            first = false;
        }
    }
    fputs("]}\n", stdout);
}

/* --- The command
 * -------------------------------------------------------------------------------------------------------- */

static void show_progress(int64_t done, int64_t all)
{
    if (isatty(STDERR_FILENO) == 0) {
        return;
    }
    if (done == all) {
        fputs("\r\033[K", stderr);
    } else if (done % 16 == 0) {
        fprintf(stderr, "\r%" PRId64 " of %" PRId64 " runs", done, all);
    }
}

static bool run_table(const struct matrix_options *options, matrix_table table, const bool *wanted)
{
    struct sim_complaints complaints = {0};
    int64_t fault_count = 0;
    int64_t done = 0;
    bool ran = true;
    for (int fault = 0; fault < SIM_MATRIX_FAULT_COUNT; fault++) {
        fault_count += wanted[fault];
    }
    for (int fault = 0; fault < SIM_MATRIX_FAULT_COUNT; fault++) {
        for (int column = 0; column < COLUMN_COUNT && wanted[fault]; column++) {
            struct sim_matrix_cell cell = cell_at(fault, column);
            for (int64_t i = 0; i < options->seeds && ran; i++) {
                ran = sim_matrix_run(&cell, (uint64_t)(options->first_seed + i), &table[fault][column],
                                     &complaints);
                if (!ran) {
                    show_progress(1, 1);
                    fprintf(stderr, "linger: %s m%d %s, seed %" PRId64 ": %s",
                            sim_matrix_producer_name(cell.producer), cell.min_insync_replicas,
                            sim_matrix_fault_name(cell.fault), options->first_seed + i, complaints.text);
                }
                show_progress(++done, fault_count * COLUMN_COUNT * options->seeds);
            }
        }
    }
    sim_complaints_release(&complaints);
    return ran;
}

static bool find_fault(const char *name, enum sim_matrix_fault *fault)
{
    for (int i = 0; i < SIM_MATRIX_FAULT_COUNT; i++) {
        if (strcmp(name, sim_matrix_fault_name((enum sim_matrix_fault)i)) == 0) {
            *fault = (enum sim_matrix_fault)i;
            return true;
        }
    }
    return false;
}

/* "A1/2/leader-crash" */
static bool parse_cell(const char *text, struct sim_matrix_cell *cell)
{
    for (int i = 0; i < SIM_MATRIX_PRODUCER_COUNT; i++) {
        if (strncmp(text, sim_matrix_producer_name((enum sim_matrix_producer)i), 2) == 0 && text[2] == '/' &&
            text[3] >= '1' && text[3] <= '0' + SIM_MATRIX_MIN_ISR_MAX && text[4] == '/') {
            cell->producer = (enum sim_matrix_producer)i;
            cell->min_insync_replicas = text[3] - '0';
            return find_fault(text + 5, &cell->fault);
        }
    }
    return false;
}

static int save_cell(const struct cli_command *command, const struct matrix_options *options)
{
    struct sim_matrix_cell cell;
    if (!parse_cell(options->save_cell, &cell)) {
        return cli_usage_error(
            command,
            "--save-cell %s: must be PRODUCER/M/FAULT: A0, A1, AN or AI, then 1 to 3, then "
            "leader-crash, ack-lost, follower-slow, followers-down, unclean-election, "
            "producer-cut, leader-isolated or leader-restart",
            options->save_cell);
    }
    struct sim_text text = {0};
    sim_matrix_write(&cell, (uint64_t)options->first_seed, &text);
    bool written = true;
    if (options->to != NULL) {
        written = sim_text_write_file(&text, options->to);
    } else {
        fputs(text.bytes, stdout);
    }
    if (!written) {
        fprintf(stderr, "linger: %s cannot be written: %s\n", options->to, strerror(errno));
    }
    sim_text_release(&text);
    return written ? CLI_OK : CLI_BAD_INPUT;
}

static int run_matrix(const struct cli_command *command, int argument_count, char **arguments)
{
    static matrix_table table;
    struct matrix_options matrix = {.seeds = 20, .first_seed = 1};
    const struct cli_option options[] = {
        {"--seeds", CLI_WHOLE, &matrix.seeds, "N", "so many runs of each cell (default 20)"},
        {"--seed", CLI_WHOLE, &matrix.first_seed, "N", "the first of the seeds (default 1)"},
        {"--fault", CLI_TEXT, &matrix.fault, "NAME", "only this row, such as leader-crash"},
        {"--detail", CLI_FLAG, &matrix.detail, NULL, "the counts behind each cell"},
        {"--json", CLI_FLAG, &matrix.json, NULL, "everything as JSON"},
        {"--save-cell", CLI_TEXT, &matrix.save_cell, "CELL",
         "write a cell as a scenario instead: A1/2/leader-crash"},
        {"--to", CLI_TEXT, &matrix.to, "FILE", "where to (default: stdout)"},
        {0},
    };
    int exit_code;
    if (!cli_parse(command, options, &argument_count, arguments, &exit_code)) {
        return exit_code;
    }
    if (argument_count != 0) {
        return cli_usage_error(command, "takes no argument: \"%s\"", arguments[0]);
    }
    if (matrix.seeds < 1 || matrix.seeds > 10000 || matrix.first_seed < 0) {
        return cli_usage_error(command, "--seeds must be 1 to 10000, and --seed not negative");
    }
    if (matrix.save_cell != NULL) {
        return save_cell(command, &matrix);
    }
    bool wanted[SIM_MATRIX_FAULT_COUNT];
    enum sim_matrix_fault only = SIM_MATRIX_FAULT_COUNT;
    if (matrix.fault != NULL && !find_fault(matrix.fault, &only)) {
        return cli_usage_error(command, "--fault %s: there is no such fault; --help names them",
                               matrix.fault);
    }
    for (int i = 0; i < SIM_MATRIX_FAULT_COUNT; i++) {
        wanted[i] = matrix.fault == NULL || i == (int)only;
    }
    if (!run_table(&matrix, table, wanted)) {
        return CLI_RUN_FAILED;
    }
    if (matrix.json) {
        print_json(&matrix, table, wanted);
    } else {
        print_table(&matrix, table, wanted);
    }
    return CLI_OK;
}

const struct cli_command cli_matrix = {
    .name = "matrix",
    .arguments = "[OPTIONS]",
    .summary = "acks, min.insync.replicas, idempotence and faults: what is lost, doubled, reordered, refused",
    .details =
        "Faults: leader-crash, ack-lost, follower-slow, followers-down, unclean-election, producer-cut,\n"
        "leader-isolated, leader-restart. docs/failure-matrix.md explains the outcome.\n\n"
        "Examples:\n"
        "  linger matrix\n"
        "  linger matrix --fault unclean-election --seeds 100 --detail\n"
        "  linger matrix --json > matrix.json\n"
        "  linger matrix --save-cell AN/2/followers-down --seed 3 --to two-down.json\n"
        "  linger run two-down.json",
    .run = run_matrix,
};
