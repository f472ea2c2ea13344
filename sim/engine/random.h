/**
 * Draws from the distributions that a scenario can name, with integers only.
 */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdint.h>

#include "base/prng.h"
#include "engine/scenario.h"

/** A generator for one purpose of one run: the same seed and stream give the same numbers, other streams
 * others. */
void sim_random_init(struct kb_prng *prng, uint64_t seed, uint64_t stream);
/** From low to high, both included; high >= low. */
int64_t sim_random_between(struct kb_prng *prng, int64_t low, int64_t high);
/** Exponential with the given mean, at most 20 means; 0 for a mean of 0. */
int64_t sim_random_exponential(struct kb_prng *prng, int64_t mean);
int64_t sim_random_draw(struct kb_prng *prng, const struct sim_distribution *distribution);

/** Streams of a run. Threads are STREAM_THREAD + number over all producers. */
enum { SIM_STREAM_NETWORK = 1, SIM_STREAM_CLUSTER = 2, SIM_STREAM_PRODUCER = 100, SIM_STREAM_THREAD = 1000 };

#endif
