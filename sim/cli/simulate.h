/**
 * The parts of `linger simulate`.
 */
#ifndef SIM_CLI_SIMULATE_H
#define SIM_CLI_SIMULATE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/simulate.h"

enum { SIMULATE_TEXT_BYTES = 512, SIMULATE_JOBS_MAX = 256 };

struct simulate_options {
    uint64_t first;
    uint64_t last;
    int64_t jobs;    /* processes; 0: this one */
    int64_t seconds; /* 0: until the last seed */
    int64_t twice_every;
    int64_t shrink_runs;
    const char *failures; /* the folder of small scenarios */
    const char *plant;    /* the planted fault; NULL: none */
    bool stops_at_first;
    bool is_quiet; /* no progress, nothing written of a failure */
};

/** What all the processes found together. */
struct simulate_found {
    uint64_t seeds;
    uint64_t failed;
    uint64_t first_failed;          /* the smallest seed; 0: none */
    char text[SIMULATE_TEXT_BYTES]; /* what is said of it */
    struct sim_coverage coverage;
};

/** Run the seeds, each in a process of its own kind, so that a program error is one seed's failure. false: no
 * process could be started. */
bool simulate_search(const struct simulate_options *options, struct simulate_found *out);

/** Run one seed; false when it fails. What is wrong goes to stderr, unless quiet, and to *text. */
bool simulate_seed(const struct simulate_options *options, uint64_t seed, struct sim_coverage *coverage,
                   char text[SIMULATE_TEXT_BYTES]);

/** Run a plan in a process of its own; false when it fails, and *text says how. */
bool simulate_apart(const struct sim_plan *plan, char text[SIMULATE_TEXT_BYTES]);

/** Say how to repeat a seed that fails, make it smaller, and write that as a scenario. */
void simulate_report_failure(const struct simulate_options *options, uint64_t seed, const char *complaint);

/* simulate_report.c */
void simulate_print_text(const struct simulate_found *found);
void simulate_print_json(const struct simulate_found *found);
/** Was everything met that has to be? Names what was not, on stderr. */
bool simulate_has_met_enough(const struct sim_coverage *coverage);

/* simulate_planted.c */
/** Plant one fault after the other and search for each. Prints a line for each; false when one is not found.
 */
bool simulate_planted_all(const struct simulate_options *options);

#endif
