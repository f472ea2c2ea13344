/*
 * What a search met, as a table and as JSON, and whether that is enough.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/trace.h"
#include "cli/simulate.h"

/* What a search of many seeds must have met at least once in so many runs, or else it proves little. */
enum { RUNS_PER_MINIMUM = 500 };
static const int required_errors[] = {3, 6, 7, 19, 20};

/* --- What was met
 * ------------------------------------------------------------------------------------------------------ */

void simulate_print_text(const struct simulate_found *found)
{
    const struct sim_coverage *coverage = &found->coverage;
    uint64_t failed = found->failed;
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

void simulate_print_json(const struct simulate_found *found)
{
    const struct sim_coverage *coverage = &found->coverage;
    uint64_t failed = found->failed;
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

bool simulate_has_met_enough(const struct sim_coverage *coverage)
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
