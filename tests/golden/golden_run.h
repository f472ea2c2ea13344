/**
 * Between main.c, golden.c and mutate.c: how a case is run, and how a row is changed.
 */
#ifndef LINGER_TESTS_GOLDEN_RUN_H
#define LINGER_TESTS_GOLDEN_RUN_H

#include "golden.h"

/** Run checker on row. The caller owns the case until golden_case_destroy(). */
struct golden_case *golden_case_run(const struct golden_checker *checker, const cJSON *row);
void golden_case_destroy(struct golden_case *golden);
/** The first difference, or NULL. */
const char *golden_case_failure(const struct golden_case *golden);
/** Why the case was skipped, or NULL; a case that failed is not skipped. */
const char *golden_case_skipped(const struct golden_case *golden);

/** What golden_is_dumping() answers from now on. */
void golden_set_dumping(bool is_dumping);

enum golden_mutation {
    GOLDEN_MUTATION_NUMBER,
    GOLDEN_MUTATION_HEX,
    GOLDEN_MUTATION_TEXT,
    GOLDEN_MUTATION_BOOL,
    GOLDEN_MUTATION_NULL,
    GOLDEN_MUTATION_ORDER,
    GOLDEN_MUTATION_REMOVAL,
    GOLDEN_MUTATION_COUNT
};

/**
 * Change one thing of that kind in row. Which one is a function of seed alone. False when row has nothing of
 * the kind that the checker does not exclude; else what was changed is written to description.
 */
bool golden_mutate(const struct golden_checker *checker, cJSON *row, enum golden_mutation kind, uint64_t seed,
                   char *description, size_t description_capacity_bytes);

#endif
