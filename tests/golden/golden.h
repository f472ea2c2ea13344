/**
 * Golden vectors: what the Java client of Kafka 3.0.0 did, case by case, and the checkers that hold Linger to
 * it.
 *
 * To add a checker for NAME.jsonl:
 *   1. Write tests/golden/golden_NAME.c with one function
 *          void golden_check_NAME(struct golden_case *golden, const cJSON *row);
 *      that reads its inputs with golden_integer(), golden_text(), golden_bytes() …, computes everything that
 * the row states, puts it into a tree of the row's shape and calls golden_compare() on the two: so no field
 * is forgotten, and a field that one side has and the other has not is a difference.
 *   2. Declare it below, give it a line in the table of main.c, and its source (and layers) in
 * CMakeLists.txt.
 *   3. Put NAME.jsonl into tests/golden/data and its name into the list of CMakeLists.txt: ctest runs
 * golden.NAME.
 *
 * Every case is also checked with one thing in it changed (linger-golden DIR --mutate): the checker must
 * notice. A row may then hold anything of any type anywhere, so read it only with the functions below or
 * those of json_exact.h, and bound what it makes you allocate or loop.
 */
#ifndef LINGER_TESTS_GOLDEN_H
#define LINGER_TESTS_GOLDEN_H

#include "json_exact.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One check of one row. Holds what the row's checker has allocated through it, and the first difference. */
struct golden_case;

typedef void golden_check_function(struct golden_case *golden, const cJSON *row);

/** A line of the table in main.c. */
struct golden_checker {
    /** Name of the file in the directory, e.g. "murmur2.jsonl". */
    const char *file;
    golden_check_function *check;
    /**
     * Paths that mutations leave alone, because they are labels or cannot make a difference; ends with NULL.
     * A path covers what is below it, unless it ends with ".$"; `*` is any member or index:
     * "records.*.headers". "KIND:PATH" excludes one kind only: number, hex, text, bool, null, order (two
     * neighbours swapped), removal: "order:headers".
     */
    const char *const *not_mutated;
};

/** The case fails; the first message is kept. printf's formats. */
void golden_fail(struct golden_case *golden, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** The case cannot be checked yet; why is counted and printed, so keep it a short fixed text ("compression").
 */
void golden_skip(struct golden_case *golden, const char *why);
/** Whether a checker may print what it computed, for somebody who looks for the cause of a failure. */
bool golden_is_dumping(void);
/** Nothing has failed so far. */
bool golden_is_ok(const struct golden_case *golden);

/**
 * Fail with the path of the first difference of two trees: missing or extra members, types, values, order in
 * arrays. path is where they are in the row, "" for the row itself.
 */
void golden_compare(struct golden_case *golden, const char *path, const cJSON *expected, const cJSON *actual);
void golden_compare_integer(struct golden_case *golden, const char *path, int64_t expected, int64_t actual);
/** Either may be NULL. */
void golden_compare_text(struct golden_case *golden, const char *path, const char *expected,
                         const char *actual);
void golden_compare_bytes(struct golden_case *golden, const char *path, const void *expected,
                          size_t expected_length_bytes, const void *actual, size_t actual_length_bytes);

/** Members that must be there with that type: otherwise the case fails and the answer is 0, "", false, NULL.
 */
int64_t golden_integer(struct golden_case *golden, const cJSON *object, const char *name);
/** As golden_integer, and it must be from minimum to maximum: otherwise fail and minimum. */
int64_t golden_integer_in(struct golden_case *golden, const cJSON *object, const char *name, int64_t minimum,
                          int64_t maximum);
const char *golden_text(struct golden_case *golden, const cJSON *object, const char *name);
bool golden_bool(struct golden_case *golden, const cJSON *object, const char *name);
/** An array. Never NULL: an empty one when it fails. */
const cJSON *golden_array(struct golden_case *golden, const cJSON *object, const char *name);
/** Hexadecimal, as bytes that live as long as the case; NULL for null. A missing member fails. */
const uint8_t *golden_bytes(struct golden_case *golden, const cJSON *object, const char *name,
                            size_t *length_bytes);

/** Zeroed memory that lives as long as the case. Never NULL; aborts beyond 256 MB. */
void *golden_allocate(struct golden_case *golden, size_t size_bytes);
/** An empty object that lives as long as the case: the tree to fill and to compare. */
cJSON *golden_new_object(struct golden_case *golden);

golden_check_function golden_check_murmur2;
golden_check_function golden_check_varint;
golden_check_function golden_check_crc32c;
golden_check_function golden_check_record_batch;
golden_check_function golden_check_buffer_pool;
golden_check_function golden_check_size_estimate;
golden_check_function golden_check_protocol;
golden_check_function golden_check_config_defaults;
golden_check_function golden_check_config_errors;
golden_check_function golden_check_producer_trace;
golden_check_function golden_check_txn_trace;
golden_check_function golden_check_metrics;
golden_check_function golden_check_why;

#endif
