#include "base/prng.h"

#include "unit.h"

/*
 * The reference: xoshiro256** from state {1, 2, 3, 4}, whose first outputs can be worked out on paper (the
 * first is rotl(2 * 5, 7) * 9 = 11520).
 */
static void is_xoshiro(void)
{
    static const uint64_t expected[] = {11520u, 0u, 1509978240u, 1215971899390074240u, 1216172134540287360u};
    struct kb_prng prng = {.state = {1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        CU_ASSERT_EQUAL(kb_prng_next(&prng), expected[i]);
    }
}

/* A seed gives the same run on every machine and in every version: these numbers must never change. */
static void is_the_same_forever(void)
{
    struct kb_prng prng;
    kb_prng_init(&prng, 42, 7);
    CU_ASSERT_EQUAL(kb_prng_next(&prng), 14324092632493767540u);
    CU_ASSERT_EQUAL(kb_prng_below(&prng, 1000), 526);
    CU_ASSERT_EQUAL(kb_prng_between(&prng, -500, 500), -434);
}

static void seeds_and_streams_differ(void)
{
    struct kb_prng prngs[4];
    kb_prng_init(&prngs[0], 0, 0);
    kb_prng_init(&prngs[1], 0, 1);
    kb_prng_init(&prngs[2], 1, 0);
    kb_prng_init(&prngs[3], 1, 1);
    uint64_t first[4];
    for (int i = 0; i < 4; i++) {
        first[i] = kb_prng_next(&prngs[i]);
        for (int j = 0; j < i; j++) {
            CU_ASSERT_NOT_EQUAL(first[i], first[j]);
        }
    }
}

static void stays_in_range(void)
{
    struct kb_prng prng;
    kb_prng_init(&prng, 1, 0);
    bool is_inside = true;
    bool reaches_ends = false;
    bool reaches_begin = false;
    for (int i = 0; i < 10000; i++) {
        int64_t drawn = kb_prng_between(&prng, -3, 3);
        is_inside = is_inside && drawn >= -3 && drawn <= 3;
        reaches_begin = reaches_begin || drawn == -3;
        reaches_ends = reaches_ends || drawn == 3;
        is_inside = is_inside && kb_prng_below(&prng, 1) == 0;
        is_inside = is_inside && kb_prng_between(&prng, INT64_MIN, INT64_MIN) == INT64_MIN;
        (void)kb_prng_between(&prng, INT64_MIN, INT64_MAX);
    }
    CU_ASSERT_TRUE(is_inside);
    CU_ASSERT_TRUE(reaches_begin);
    CU_ASSERT_TRUE(reaches_ends);
}

/*
 * Below 3 * 2^62 a plain remainder would give the lowest third twice as often (1/2 instead of 1/3): 30 000
 * draws tell that apart with ease.
 */
static void favours_none(void)
{
    struct kb_prng prng;
    uint64_t bound = (uint64_t)3 << 62;
    unsigned low_count = 0;
    kb_prng_init(&prng, 5, 0);
    for (int i = 0; i < 30000; i++) {
        low_count += kb_prng_below(&prng, bound) < bound / 3;
    }
    CU_ASSERT_TRUE(low_count > 9500 && low_count < 10500);
}

static void takes_its_chances(void)
{
    struct kb_prng prng;
    unsigned count = 0;
    kb_prng_init(&prng, 9, 0);
    for (int i = 0; i < 10000; i++) {
        count += kb_prng_chance(&prng, 1, 4);
        CU_ASSERT_FALSE(kb_prng_chance(&prng, 0, 4));
        CU_ASSERT_TRUE(kb_prng_chance(&prng, 4, 4));
    }
    CU_ASSERT_TRUE(count > 2300 && count < 2700);
}

int main(void)
{
    return unit_main("prng", (struct unit_test[]){{"is_xoshiro", is_xoshiro},
                                                  {"is_the_same_forever", is_the_same_forever},
                                                  {"seeds_and_streams_differ", seeds_and_streams_differ},
                                                  {"stays_in_range", stays_in_range},
                                                  {"favours_none", favours_none},
                                                  {"takes_its_chances", takes_its_chances},
                                                  {0}});
}
