/**
 * Random scenarios, each run and checked: the search for what nobody thought of.
 */
#ifndef SIM_SIMULATE_H
#define SIM_SIMULATE_H

#include "engine/scenario.h"
#include "engine/simulate_plan.h"

/*
 * How often runs met what there is to meet, so that idle ones do not count as proof.
 */
/** X(NAME, text, what of it is met: rules of the mock cluster or a class, at least so often in 1000 runs). */
#define SIM_COVERAGE_ITEMS(X)                                                                                \
    X(LEADER_LOST, "leader lost", "14, 15", 10)                                                              \
    X(UNCLEAN_ELECTION, "unclean election", "15", 5)                                                         \
    X(NO_LEADER, "no leader", "15", 10)                                                                      \
    X(CONTROLLED_SHUTDOWN, "controlled shutdown", "15", 10)                                                  \
    X(LEADER_MOVED, "leader moved", "16", 5)                                                                 \
    X(PARKED_REFUSED, "leader resigned under a produce", "16", 2)                                            \
    X(LOSS_NOTICED, "dead broker noticed", "14", 10)                                                         \
    X(ISR_SHRUNK, "ISR shrunk", "11, 13", 10)                                                                \
    X(ISR_EXPANDED, "ISR expanded", "12, 13", 10)                                                            \
    X(TRUNCATED, "log truncated", "17", 10)                                                                  \
    X(PARKED, "produce parked", "1, 5", 10)                                                                  \
    X(HW_LEADER, "high watermark of a leader", "8", 10)                                                      \
    X(HW_FOLLOWER, "high watermark of a follower", "9", 10)                                                  \
    X(ACKS_0_REFUSED, "error under acks=0", "6", 10)                                                         \
    X(READ_UNCOMMITTED, "consumer read", "10", 10)                                                           \
    X(ABORTED_SKIPPED, "aborted records skipped", "10, 25", 10)                                              \
    X(FOLLOWER_REFUSED, "corrupt batch refused by a follower", "18", 2)                                      \
    X(APPEND_TIME, "append time of the broker", "19", 10)                                                    \
    X(DUPLICATE_KNOWN, "duplicate batch known", "20", 10)                                                    \
    X(TXN_EMPTY, "producer id of a transaction", "23", 10)                                                   \
    X(TXN_ONGOING, "transaction begun", "23", 10)                                                            \
    X(TXN_PREPARED, "transaction decided", "24", 10)                                                         \
    X(TXN_COMPLETE, "transaction complete", "24", 10)                                                        \
    X(MARKER_COMMIT, "commit marker", "24", 10)                                                              \
    X(MARKER_ABORT, "abort marker", "24", 10)                                                                \
    X(LSO_HELD, "last stable offset held back", "25", 10)                                                    \
    X(THROTTLED, "producer throttled", "26", 10)                                                             \
    X(START_MOVED, "retention", "retention", 10)                                                             \
    X(AT_POINT, "fault at a point", "faults", 10)                                                            \
    X(TIMED_OUT, "request timed out", "NetworkClient", 10)                                                   \
    X(REENQUEUED, "batch retried", "RecordAccumulator", 10)                                                  \
    X(EXPIRED, "batch expired", "RecordAccumulator", 10)                                                     \
    X(SPLIT, "batch split", "RecordAccumulator", 10)                                                         \
    X(EPOCH_BUMPED, "epoch bumped", "TransactionManager", 10)                                                \
    X(MEMORY_WAITED, "memory waited for", "BufferPool", 10)                                                  \
    X(LOST_AFTER_ACK, "lost after ack", "verdict", 10)                                                       \
    X(DUPLICATE, "duplicate", "verdict", 10)                                                                 \
    X(REORDERED, "reordered", "verdict", 10)                                                                 \
    X(FALSE_FAILURE, "false failure", "verdict", 10)                                                         \
    X(ABORTED, "aborted", "verdict", 10)

#define SIM_COVERAGE_ENUM(name, text, rules, minimum) SIM_COVERAGE_##name,
enum sim_coverage_item { SIM_COVERAGE_ITEMS(SIM_COVERAGE_ENUM) SIM_COVERAGE_ITEM_COUNT };
#undef SIM_COVERAGE_ENUM
enum { SIM_COVERAGE_ERRORS = 128, SIM_COVERAGE_FAULTS = 18 };

struct sim_coverage {
    uint64_t runs;
    uint64_t steps;
    uint64_t records;
    uint64_t items[SIM_COVERAGE_ITEM_COUNT];
    uint64_t errors[SIM_COVERAGE_ERRORS]; /* answers to producers, by Kafka's error code */
    uint64_t faults[SIM_COVERAGE_FAULTS]; /* by enum kb_fault_kind */
};
struct sim_coverage_info {
    const char *name;
    const char *rules;
    uint64_t minimum; /* in 1000 runs */
};
const struct sim_coverage_info *sim_coverage_info(enum sim_coverage_item item);
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
