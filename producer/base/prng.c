#include "base/prng.h"

#include "base/assert.h"

static uint64_t splitmix64(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t mixed = *state;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

static uint64_t rotate_left(uint64_t value, unsigned count)
{
    return value << count | value >> (64 - count);
}

void kb_prng_init(struct kb_prng *prng, uint64_t seed, uint64_t stream)
{
    /* The stream is mixed on its own first: seed 1 stream 0 and seed 0 stream 1 have nothing in common. */
    uint64_t stream_state = stream;
    uint64_t state = seed ^ rotate_left(splitmix64(&stream_state), 17);
    for (unsigned i = 0; i < 4; i++) {
        prng->state[i] = splitmix64(&state);
    }
    /* All zero is the one state that xoshiro never leaves; splitmix64 gives four zeros in a row for no seed.
     */
    KB_ASSERT((prng->state[0] | prng->state[1] | prng->state[2] | prng->state[3]) != 0);
}

uint64_t kb_prng_next(struct kb_prng *prng)
{
    uint64_t *state = prng->state;
    uint64_t result = rotate_left(state[1] * 5, 7) * 9;
    uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate_left(state[3], 45);
    return result;
}

uint64_t kb_prng_below(struct kb_prng *prng, uint64_t bound)
{
    KB_ASSERT(bound > 0);
    /* 2^64 mod bound: with that many of the lowest numbers left out, the rest divides evenly. */
    uint64_t left_out = (0 - bound) % bound;
    uint64_t drawn = kb_prng_next(prng);
    while (drawn < left_out) {
        drawn = kb_prng_next(prng);
    }
    return drawn % bound;
}

int64_t kb_prng_between(struct kb_prng *prng, int64_t minimum, int64_t maximum)
{
    KB_ASSERT(minimum <= maximum);
    uint64_t span = (uint64_t)maximum - (uint64_t)minimum;
    uint64_t drawn = span == UINT64_MAX ? kb_prng_next(prng) : kb_prng_below(prng, span + 1);
    return (int64_t)((uint64_t)minimum + drawn);
}

bool kb_prng_chance(struct kb_prng *prng, uint64_t numerator, uint64_t denominator)
{
    return kb_prng_below(prng, denominator) < numerator;
}
