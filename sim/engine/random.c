#include "engine/random.h"

#include "base/assert.h"

enum { ONE_Q16 = 65536, LN_2_Q16 = 45426 };

/*
 * Integer natural logarithm of x / 2^32 for 0 < x <= 2^32, times -65536: by repeated squaring of the
 * mantissa, which yields the binary logarithm bit by bit.
 */
static int64_t minus_ln_q16(uint64_t x)
{
    int64_t log2_q16 = 32 * (int64_t)ONE_Q16;
    while (x < UINT64_C(1) << 31) {
        x <<= 1;
        log2_q16 -= ONE_Q16;
    }
    /* x is in [2^31, 2^32]: mantissa of 1 to 2 in units of 2^31. */
    log2_q16 -= ONE_Q16;
    for (int64_t bit = ONE_Q16 / 2; bit > 0; bit /= 2) {
        x = x * x >> 31;
        if (x >= UINT64_C(1) << 32) {
            x >>= 1;
            log2_q16 += bit;
        }
    }
    int64_t minus_log2_q16 = 32 * (int64_t)ONE_Q16 - log2_q16;
    return minus_log2_q16 * LN_2_Q16 / ONE_Q16;
}

int64_t sim_random_exponential(struct kb_prng *prng, int64_t mean)
{
    KB_ASSERT(mean >= 0 && mean <= INT64_MAX / (32 * (int64_t)ONE_Q16));
    uint64_t uniform = kb_prng_below(prng, UINT64_C(1) << 32) + 1;
    return mean * minus_ln_q16(uniform) / ONE_Q16;
}

int64_t sim_random_draw(struct kb_prng *prng, const struct sim_distribution *distribution)
{
    switch (distribution->kind) {
    case SIM_DISTRIBUTION_FIXED:
        return distribution->a;
    case SIM_DISTRIBUTION_UNIFORM:
        return kb_prng_between(prng, distribution->a, distribution->b);
    case SIM_DISTRIBUTION_EXPONENTIAL:
        return sim_random_exponential(prng, distribution->a);
    }
    KB_UNREACHABLE();
}
