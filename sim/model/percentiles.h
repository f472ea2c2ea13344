/**
 * Percentiles of durations in bounded memory: exact for so many, then from a histogram whose steps are a
 * thousandth of the value wide. Count, mean and longest are always exact.
 */
#ifndef SIM_PERCENTILES_H
#define SIM_PERCENTILES_H

#include <stdbool.h>
#include <stdint.h>

enum { SIM_PERCENTILES_EXACT = 1 << 16 };

/** Of a set of durations, in microseconds. All 0 when the set is empty. */
struct sim_percentiles {
    uint64_t count;
    int64_t mean_us;
    int64_t p50_us;
    int64_t p90_us;
    int64_t p99_us;
    int64_t longest_us;
};

struct sim_durations {
    uint64_t count;
    int64_t sum_us;
    int64_t longest_us;
    int64_t *values; /* up to SIM_PERCENTILES_EXACT */
    uint32_t value_capacity;
    uint64_t *steps; /* afterwards; NULL before */
};

/** All zero is an empty set. Less than 0 counts as 0. false without memory: it is not in the set. */
bool sim_durations_add(struct sim_durations *durations, int64_t duration_us);
void sim_durations_summarize(const struct sim_durations *durations, struct sim_percentiles *out);
void sim_durations_release(struct sim_durations *durations);

#endif
