#include "model/percentiles.h"

#include <stdlib.h>

/* Values below 2^(STEP_BITS + 1) have a step each; above, each power of two has 2^STEP_BITS of them. */
enum {
    STEP_BITS = 10,
    EXACT_BELOW = 2 << STEP_BITS,
    STEP_COUNT = EXACT_BELOW + (62 - STEP_BITS) * (1 << STEP_BITS)
};

static uint32_t step_of(int64_t value)
{
    if (value < EXACT_BELOW) {
        return (uint32_t)value;
    }
    int shift = 63 - __builtin_clzll((unsigned long long)value) - STEP_BITS;
    return EXACT_BELOW + (uint32_t)(shift - 1) * (1 << STEP_BITS) + (uint32_t)(value >> shift) -
           (1 << STEP_BITS);
}

/* The middle of the step. */
static int64_t value_of(uint32_t step)
{
    if (step < EXACT_BELOW) {
        return step;
    }
    uint32_t shift = (step - EXACT_BELOW) / (1 << STEP_BITS) + 1;
    int64_t first = (int64_t)((step - EXACT_BELOW) % (1 << STEP_BITS) + (1 << STEP_BITS)) << shift;
    return first + (INT64_C(1) << (shift - 1));
}

static bool keep_value(struct sim_durations *durations, int64_t value)
{
    if (durations->count == durations->value_capacity) {
        uint32_t capacity = durations->value_capacity != 0 ? 2 * durations->value_capacity : 1024;
        int64_t *grown = realloc(durations->values, capacity * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        durations->values = grown;
        durations->value_capacity = capacity;
    }
    durations->values[durations->count] = value;
    return true;
}

static bool begin_steps(struct sim_durations *durations)
{
    durations->steps = calloc(STEP_COUNT, sizeof *durations->steps);
    if (durations->steps == NULL) {
        return false;
    }
    for (uint64_t i = 0; i < durations->count; i++) {
        durations->steps[step_of(durations->values[i])]++;
    }
    free(durations->values);
    durations->values = NULL;
    durations->value_capacity = 0;
    return true;
}

bool sim_durations_add(struct sim_durations *durations, int64_t duration_us)
{
    int64_t value = duration_us > 0 ? duration_us : 0;
    if (durations->count < SIM_PERCENTILES_EXACT) {
        if (!keep_value(durations, value)) {
            return false;
        }
    } else {
        if (durations->steps == NULL && !begin_steps(durations)) {
            return false;
        }
        durations->steps[step_of(value)]++;
    }
    durations->count++;
    durations->sum_us += value;
    durations->longest_us = value > durations->longest_us ? value : durations->longest_us;
    return true;
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* The value that so many percent are not above. */
static int64_t percentile(const struct sim_durations *durations, uint64_t percent)
{
    uint64_t rank = (durations->count - 1) * percent / 100;
    if (durations->steps == NULL) {
        return durations->values[rank];
    }
    uint32_t step = 0;
    for (uint64_t seen = durations->steps[0]; seen <= rank; seen += durations->steps[step]) {
        step++;
    }
    int64_t value = value_of(step);
    return value < durations->longest_us ? value : durations->longest_us;
}

void sim_durations_summarize(const struct sim_durations *durations, struct sim_percentiles *out)
{
    *out = (struct sim_percentiles){.count = durations->count};
    if (durations->count > 0) {
        if (durations->steps == NULL) {
            qsort(durations->values, durations->count, sizeof(int64_t), compare);
        }
        out->mean_us = durations->sum_us / (int64_t)durations->count;
        out->p50_us = percentile(durations, 50);
        out->p90_us = percentile(durations, 90);
        out->p99_us = percentile(durations, 99);
        out->longest_us = durations->longest_us;
    }
}

void sim_durations_release(struct sim_durations *durations)
{
    free(durations->values);
    free(durations->steps);
    *durations = (struct sim_durations){0};
}
