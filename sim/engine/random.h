/**
 * Draws from the distributions that a scenario can name, with integers only.
 */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdint.h>

#include "base/prng.h"
#include "engine/scenario.h"

/** Exponential with the given mean, by an integer logarithm; never more than 23 means. */
int64_t sim_random_exponential(struct kb_prng *prng, int64_t mean);
int64_t sim_random_draw(struct kb_prng *prng, const struct sim_distribution *distribution);

/** Streams of a run's seed, for kb_prng_init(). Threads are STREAM_THREAD + number over all producers. */
enum {
    SIM_STREAM_NETWORK = 1,
    SIM_STREAM_CLUSTER = 2,
    SIM_STREAM_PRODUCER = 100,
    SIM_STREAM_CONSUMER = 500,
    SIM_STREAM_THREAD = 1000
};

#endif
