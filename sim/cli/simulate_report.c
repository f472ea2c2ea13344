/*
 * What a search met, as a table and as JSON, and whether that is enough.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/trace.h"
#include "cli/simulate.h"
#include "wire/errors.h"

/* In 1000 runs each fault must happen, and each of these errors be answered to producers, so often. */
enum { FAULTS_AT_LEAST = 20, ERRORS_AT_LEAST = 5, RUNS_OF_MINIMUM = 1000 };
static const enum kw_error required_errors[] = {
    KW_ERROR_CORRUPT_MESSAGE,
    KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION,
    KW_ERROR_NOT_LEADER_OR_FOLLOWER,
    KW_ERROR_REQUEST_TIMED_OUT,
    KW_ERROR_MESSAGE_TOO_LARGE,
    KW_ERROR_RECORD_LIST_TOO_LARGE,
    KW_ERROR_NOT_ENOUGH_REPLICAS,
    KW_ERROR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER,
    KW_ERROR_INVALID_PRODUCER_EPOCH,
};

static const char *fault_name(int fault)
{
    return kb_field_value_text(KB_FIELD_FAULT_KIND, fault);
}

void simulate_print_text(const struct simulate_found *found)
{
    const struct sim_coverage *coverage = &found->coverage;
    printf("%" PRIu64 " runs, %" PRIu64 " steps, %" PRIu64 " records; %" PRIu64 " failed\n\n", found->seeds,
           coverage->steps, coverage->records, found->failed);
    printf("%-38s %-18s %10s\n", "met", "rule, class", "times");
    for (int i = 0; i < SIM_COVERAGE_ITEM_COUNT; i++) {
        const struct sim_coverage_info *info = sim_coverage_info((enum sim_coverage_item)i);
        printf("%-38s %-18s %10" PRIu64 "\n", info->name, info->rules, coverage->items[i]);
    }
    for (int i = 0; i < SIM_COVERAGE_FAULTS; i++) {
        printf("%-38s %-18s %10" PRIu64 "\n", fault_name(i), "fault", coverage->faults[i]);
    }
    for (int i = 0; i < SIM_COVERAGE_ERRORS; i++) {
        if (coverage->errors[i] > 0) {
            const char *name = kw_error_name((enum kw_error)i);
            printf("%-38s %-18s %10" PRIu64 "\n", name, "answer to Produce", coverage->errors[i]);
        }
    }
}

void simulate_print_json(const struct simulate_found *found)
{
    const struct sim_coverage *coverage = &found->coverage;
    printf("{\"runs\":%" PRIu64 ",\"steps\":%" PRIu64 ",\"records\":%" PRIu64 ",\"failed\":%" PRIu64
           ",\"faults\":{",
           found->seeds, coverage->steps, coverage->records, found->failed);
    for (int i = 0; i < SIM_COVERAGE_FAULTS; i++) {
        printf("%s\"%s\":%" PRIu64, i > 0 ? "," : "", fault_name(i), coverage->faults[i]);
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
        printf("%s\"%s\":%" PRIu64, i > 0 ? "," : "", sim_coverage_info((enum sim_coverage_item)i)->name,
               coverage->items[i]);
    }
    fputs("}}\n", stdout);
}

static bool is_enough(const char *what, uint64_t times, uint64_t minimum, uint64_t runs)
{
    uint64_t wanted = minimum * runs / RUNS_OF_MINIMUM;
    if (times < wanted) {
        fprintf(stderr, "linger: these seeds met \"%s\" %" PRIu64 " times; %" PRIu64 " are wanted\n", what,
                times, wanted);
    }
    return times >= wanted;
}

bool simulate_has_met_enough(const struct sim_coverage *coverage)
{
    bool enough = true;
    for (int i = 0; i < SIM_COVERAGE_ITEM_COUNT; i++) {
        const struct sim_coverage_info *info = sim_coverage_info((enum sim_coverage_item)i);
        enough = is_enough(info->name, coverage->items[i], info->minimum, coverage->runs) && enough;
    }
    for (int i = 0; i < SIM_COVERAGE_FAULTS; i++) {
        enough = is_enough(fault_name(i), coverage->faults[i], FAULTS_AT_LEAST, coverage->runs) && enough;
    }
    for (size_t i = 0; i < sizeof required_errors / sizeof required_errors[0]; i++) {
        enum kw_error error = required_errors[i];
        enough = is_enough(kw_error_name(error), coverage->errors[error], ERRORS_AT_LEAST, coverage->runs) &&
                 enough;
    }
    return enough;
}
