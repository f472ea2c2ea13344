/**
 * The simulation's random numbers: xoshiro256** (Blackman and Vigna), seeded through splitmix64. Integers
 * only, so that a seed gives the same run everywhere. Not for secrets.
 */
#ifndef KB_PRNG_H
#define KB_PRNG_H

#include <stdbool.h>
#include <stdint.h>

struct kb_prng {
    uint64_t state[4];
};

/**
 * Any seed will do. Streams of one seed are independent of each other: give each user of randomness a stream
 * of its own, so that what one draws does not change what another gets.
 */
void kb_prng_init(struct kb_prng *prng, uint64_t seed, uint64_t stream);

/** 64 random bits. */
uint64_t kb_prng_next(struct kb_prng *prng);

/** From 0 to bound - 1, each as likely as the others (draws again rather than favour some). bound > 0. */
uint64_t kb_prng_below(struct kb_prng *prng, uint64_t bound);

/** From minimum to maximum, both included, each as likely as the others. minimum <= maximum. */
int64_t kb_prng_between(struct kb_prng *prng, int64_t minimum, int64_t maximum);

/** True in numerator of denominator cases. denominator > 0; always draws, also when the answer is certain. */
bool kb_prng_chance(struct kb_prng *prng, uint64_t numerator, uint64_t denominator);

#endif
