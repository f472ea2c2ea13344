/**
 * Random scenarios, each run and checked: the search for what nobody thought of.
 */
#ifndef SIM_SIMULATE_H
#define SIM_SIMULATE_H

#include "engine/scenario.h"
#include "engine/simulate_plan.h"

/** How often runs met what there is to meet, so that idle ones do not count as proof. */
enum sim_coverage_item {
    SIM_COVERAGE_LEADER_LOST,
    SIM_COVERAGE_UNCLEAN_ELECTION,
    SIM_COVERAGE_CONTROLLED_SHUTDOWN,
    SIM_COVERAGE_LEADER_MOVED,
    SIM_COVERAGE_NO_LEADER,
    SIM_COVERAGE_ISR_SHRUNK,
    SIM_COVERAGE_ISR_EXPANDED,
    SIM_COVERAGE_TRUNCATED,
    SIM_COVERAGE_PARKED,
    SIM_COVERAGE_DUPLICATE_REFUSED,
    SIM_COVERAGE_TIMED_OUT,
    SIM_COVERAGE_REENQUEUED,
    SIM_COVERAGE_EXPIRED,
    SIM_COVERAGE_SPLIT,
    SIM_COVERAGE_EPOCH_BUMPED,
    SIM_COVERAGE_MEMORY_WAITED,
    SIM_COVERAGE_THROTTLED,
    SIM_COVERAGE_LOST_AFTER_ACK,
    SIM_COVERAGE_DUPLICATE,
    SIM_COVERAGE_REORDERED,
    SIM_COVERAGE_FALSE_FAILURE,
    SIM_COVERAGE_ITEM_COUNT,
};
enum { SIM_COVERAGE_ERRORS = 128, SIM_COVERAGE_FAULTS = 18 };

struct sim_coverage {
    uint64_t runs;
    uint64_t steps;
    uint64_t records;
    uint64_t items[SIM_COVERAGE_ITEM_COUNT];
    uint64_t errors[SIM_COVERAGE_ERRORS]; /* answers to producers, by Kafka's error code */
    uint64_t faults[SIM_COVERAGE_FAULTS]; /* by enum kb_fault_kind */
};
const char *sim_coverage_item_name(enum sim_coverage_item item);
void sim_coverage_add(struct sim_coverage *coverage, const struct sim_coverage *more);

struct sim_simulation {
    uint64_t hash;                /* of the event log */
    struct sim_complaints broken; /* count 0: all is well; to be released */
};

/** Run a plan and check it, after every step and at the end. coverage may be NULL. */
void sim_simulate(const struct sim_plan *plan, struct sim_coverage *coverage, struct sim_simulation *out);
/** Do two runs fail alike: with the same rule? */
bool sim_simulate_is_alike(const char *complaint, const char *other);
/** Make a plan smaller while it fails, as fails() finds out, in at most so many runs. */
void sim_simulate_shrink(struct sim_plan *plan, uint32_t runs_max,
                         bool (*fails)(const void *context, const struct sim_plan *plan),
                         const void *context);

#endif
