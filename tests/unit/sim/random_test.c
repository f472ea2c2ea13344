#include "engine/random.h"

#include <math.h>
#include <stdio.h>

#include "unit.h"

/* Kolmogorov-Smirnov distance of draws in buckets of a tenth of the mean to 1 - e^(-x). */
static void exponential_has_its_shape(void)
{
    enum { DRAWS = 200000, MEAN = 1000000, BUCKETS = 100 };
    struct kb_prng prng;
    kb_prng_init(&prng, 7, 1);
    static int64_t below[BUCKETS + 1];
    int64_t total = 0;
    int64_t largest = 0;
    for (int i = 0; i < DRAWS; i++) {
        int64_t drawn = sim_random_exponential(&prng, MEAN);
        CU_ASSERT_TRUE_FATAL(drawn >= 0 && drawn <= 23 * (int64_t)MEAN);
        total += drawn;
        largest = drawn > largest ? drawn : largest;
        int64_t bucket = drawn * 10 / MEAN;
        below[bucket < BUCKETS ? bucket : BUCKETS]++;
    }
    /* The standard error of the mean is 0.22 %. */
    CU_ASSERT_DOUBLE_EQUAL((double)total / DRAWS, MEAN, 0.01 * MEAN);
    CU_ASSERT_TRUE(largest > 8 * (int64_t)MEAN);
    int64_t so_far = 0;
    double distance = 0;
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
        so_far += below[bucket];
        double error = fabs((double)so_far / DRAWS - (1 - exp(-(bucket + 1) / 10.0)));
        distance = error > distance ? error : distance;
    }
    CU_ASSERT_TRUE(distance < 0.005); /* 1.63 / sqrt(200000) is 0.0036 at 1 % */
}

static void exponential_takes_small_and_large_means(void)
{
    struct kb_prng prng;
    kb_prng_init(&prng, 7, 1);
    CU_ASSERT_EQUAL(sim_random_exponential(&prng, 0), 0);
    for (int i = 0; i < 1000; i++) {
        int64_t drawn = sim_random_exponential(&prng, INT64_MAX / (32 * 65536));
        CU_ASSERT_TRUE_FATAL(drawn >= 0);
    }
}

static void draws_keep_their_bounds(void)
{
    struct kb_prng prng;
    kb_prng_init(&prng, 3, 1);
    struct sim_distribution fixed = {SIM_DISTRIBUTION_FIXED, 5, 9};
    struct sim_distribution uniform = {SIM_DISTRIBUTION_UNIFORM, 2, 6};
    struct sim_distribution exponential = {SIM_DISTRIBUTION_EXPONENTIAL, 100, 0};
    int seen[7] = {0};
    int64_t total = 0;
    for (int i = 0; i < 50000; i++) {
        CU_ASSERT_EQUAL(sim_random_draw(&prng, &fixed), 5);
        int64_t drawn = sim_random_draw(&prng, &uniform);
        CU_ASSERT_TRUE_FATAL(drawn >= 2 && drawn <= 6);
        seen[drawn]++;
        total += sim_random_draw(&prng, &exponential);
    }
    for (int value = 2; value <= 6; value++) {
        CU_ASSERT_TRUE(seen[value] > 9600 && seen[value] < 10400);
    }
    CU_ASSERT_DOUBLE_EQUAL((double)total / 50000, 99.5, 2.0); /* whole numbers: rounded down */
}

/* The draws themselves, so that a change of them does not go unnoticed: every hash would change. */
static void draws_stay_the_same(void)
{
    static const int64_t expected[] = {2560195, 2163299, 432723, 24673, 147552, 235321};
    struct kb_prng prng;
    kb_prng_init(&prng, 42, SIM_STREAM_NETWORK);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        int64_t drawn = sim_random_exponential(&prng, 1000000);
        CU_ASSERT_EQUAL(drawn, expected[i]);
        if (drawn != expected[i]) {
            printf("%lld, ", (long long)drawn);
        }
    }
}

int main(void)
{
    return unit_main("random",
                     (struct unit_test[]){
                         {"exponential has its shape", exponential_has_its_shape},
                         {"exponential takes small and large means", exponential_takes_small_and_large_means},
                         {"draws keep their bounds", draws_keep_their_bounds},
                         {"draws stay the same", draws_stay_the_same},
                         {0},
                     });
}
