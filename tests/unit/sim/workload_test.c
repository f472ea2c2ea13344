#include "engine/workload.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

static struct sim_source made(int64_t count, int64_t rate_per_s)
{
    return (struct sim_source){
        .kind = SIM_SOURCE_GENERATED,
        .topic = "orders",
        .count = count,
        .rate_per_s = rate_per_s,
        .burst_records = 10,
        .partition = -1,
        .value_bytes = {SIM_DISTRIBUTION_FIXED, 20, 20},
    };
}

static bool same_bytes(struct kp_bytes bytes, const char *text)
{
    return bytes.length_bytes == (int32_t)strlen(text) && memcmp(bytes.data, text, strlen(text)) == 0;
}

static int64_t last_time(const struct sim_source *source, uint64_t seed)
{
    struct sim_workload *workload = sim_workload_create(source, seed, 1);
    struct sim_workload_record record;
    int64_t at_us = -1;
    while (sim_workload_next(workload, &record)) {
        CU_ASSERT_TRUE_FATAL(record.at_us >= at_us);
        at_us = record.at_us;
    }
    sim_workload_destroy(workload);
    return at_us;
}

static void a_steady_rate_does_not_drift(void)
{
    struct sim_source source = made(700001, 7000); /* 142.857 us each */
    CU_ASSERT_EQUAL(last_time(&source, 1), 100000000);
    source = made(3000001, 3000000); /* 3 in a microsecond */
    CU_ASSERT_EQUAL(last_time(&source, 1), 1000000);
    source = made(4, 1);
    source.start_us = 500;
    CU_ASSERT_EQUAL(last_time(&source, 1), 3000500);
    struct sim_workload *workload = sim_workload_create(&source, 1, 1);
    struct sim_workload_record record;
    CU_ASSERT_TRUE(sim_workload_next(workload, &record));
    CU_ASSERT_EQUAL(record.at_us, 500); /* the first one at once */
    CU_ASSERT_EQUAL(sim_workload_count(workload), 4);
    sim_workload_destroy(workload);
}

static void poisson_keeps_its_mean(void)
{
    static const int64_t rates[] = {100, 4000, 1000000};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        enum { RECORDS = 200000 };
        struct sim_source source = made(RECORDS + 1, rates[i]);
        source.arrivals = SIM_ARRIVALS_POISSON;
        double expected_us = RECORDS * 1e6 / (double)rates[i];
        /* The standard error is 0.22 %. */
        CU_ASSERT_DOUBLE_EQUAL((double)last_time(&source, 5), expected_us, 0.01 * expected_us);
    }
}

/* Gaps of a Poisson stream vary as much as their mean; of a steady one not at all. */
static void poisson_gaps_vary(void)
{
    struct sim_source source = made(100000, 1000);
    source.arrivals = SIM_ARRIVALS_POISSON;
    struct sim_workload *workload = sim_workload_create(&source, 9, 1);
    struct sim_workload_record record;
    int64_t before_us = 0;
    double squares = 0;
    while (sim_workload_next(workload, &record)) {
        double gap_us = (double)(record.at_us - before_us) - 1000;
        squares += gap_us * gap_us;
        before_us = record.at_us;
    }
    sim_workload_destroy(workload);
    CU_ASSERT_DOUBLE_EQUAL(sqrt(squares / 100000), 1000, 30);
}

static void bursts_come_together(void)
{
    struct sim_source source = made(25, 1000);
    source.arrivals = SIM_ARRIVALS_BURST;
    struct sim_workload *workload = sim_workload_create(&source, 1, 1);
    struct sim_workload_record record;
    for (int i = 0; i < 25; i++) {
        CU_ASSERT_TRUE(sim_workload_next(workload, &record));
        CU_ASSERT_EQUAL(record.at_us, i / 10 * 10000);
    }
    CU_ASSERT_FALSE(sim_workload_next(workload, &record));
    sim_workload_destroy(workload);
}

static void keys_are_as_told(void)
{
    struct sim_source source = made(8, 1000);
    struct sim_workload_record record;
    struct sim_workload *workload = sim_workload_create(&source, 1, 1);
    CU_ASSERT_TRUE(sim_workload_next(workload, &record));
    CU_ASSERT_EQUAL(record.key.length_bytes, -1);
    CU_ASSERT_TRUE(same_bytes(record.value, "#0 ................."));
    CU_ASSERT_TRUE(sim_workload_next(workload, &record));
    CU_ASSERT_TRUE(same_bytes(record.value, "#1 ................."));
    sim_workload_destroy(workload);

    source.key_kind = SIM_KEY_CONSTANT;
    source.key_text = "k";
    source.value_bytes.a = 2; /* no room for the whole number */
    workload = sim_workload_create(&source, 1, 1);
    CU_ASSERT_TRUE(sim_workload_next(workload, &record));
    CU_ASSERT_TRUE(same_bytes(record.key, "k"));
    CU_ASSERT_TRUE(same_bytes(record.value, "#0"));
    sim_workload_destroy(workload);

    source.value_bytes.a = 0;
    source.key_kind = SIM_KEY_CYCLE;
    source.key_text = "c-";
    source.key_count = 3;
    workload = sim_workload_create(&source, 1, 1);
    static const char *const cycle[] = {"c-1", "c-2", "c-3", "c-1"};
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_TRUE(sim_workload_next(workload, &record));
        CU_ASSERT_TRUE(same_bytes(record.key, cycle[i]));
        CU_ASSERT_EQUAL(record.value.length_bytes, 0);
    }
    sim_workload_destroy(workload);
}

static void headers_go_along(void)
{
    const char *names[] = {"a", "b"};
    const char *values[] = {"x", NULL};
    struct sim_source source = made(1, 1);
    source.header_count = 2;
    source.header_names = names;
    source.header_values = values;
    struct sim_workload *workload = sim_workload_create(&source, 1, 1);
    struct sim_workload_record record;
    CU_ASSERT_TRUE(sim_workload_next(workload, &record));
    CU_ASSERT_EQUAL_FATAL(record.header_count, 2);
    CU_ASSERT_TRUE(same_bytes(record.headers[0].key, "a"));
    CU_ASSERT_TRUE(same_bytes(record.headers[0].value, "x"));
    CU_ASSERT_EQUAL(record.headers[1].value.length_bytes, -1);
    sim_workload_destroy(workload);
}

enum { KEYS_MAX = 20000, DRAWS = 400000 };

/* How often each key was drawn. */
static int *count_keys(const struct sim_source *source)
{
    int *counts = calloc(KEYS_MAX + 1, sizeof *counts);
    struct sim_workload *workload = sim_workload_create(source, 11, 1);
    struct sim_workload_record record;
    while (sim_workload_next(workload, &record)) {
        char text[32] = "";
        memcpy(text, record.key.data, (size_t)record.key.length_bytes);
        int number = atoi(text + 1);
        CU_ASSERT_TRUE_FATAL(text[0] == 'k' && number >= 1 && number <= source->key_count);
        counts[number]++;
    }
    sim_workload_destroy(workload);
    return counts;
}

/* Shares of the first ranks, and of ranges of later ones, against 1 / rank^exponent. */
static void check_zipf(int64_t keys, int64_t exponent_milli)
{
    struct sim_source source = made(DRAWS, 1000);
    source.value_bytes.a = 0;
    source.key_kind = SIM_KEY_ZIPF;
    source.key_text = "k";
    source.key_count = keys;
    source.zipf_exponent_milli = exponent_milli;
    int *counts = count_keys(&source);
    double total = 0;
    for (int64_t rank = 1; rank <= keys; rank++) {
        total += pow((double)rank, -(double)exponent_milli / 1000);
    }
    int64_t from = 1;
    while (from <= keys) {
        int64_t to = from < 4 ? from : from * 2 < keys ? from * 2 : keys;
        double expected = 0;
        double found = 0;
        for (int64_t rank = from; rank <= to; rank++) {
            expected += DRAWS * pow((double)rank, -(double)exponent_milli / 1000) / total;
            found += counts[rank];
        }
        /* Five standard deviations, and a little for the fixed point. */
        double allowed = 5 * sqrt(expected + 1) + 0.002 * expected;
        CU_ASSERT_DOUBLE_EQUAL(found, expected, allowed);
        if (fabs(found - expected) > allowed) {
            printf("\n%lld keys, exponent %lld: ranks %lld to %lld: %.0f instead of %.0f\n", (long long)keys,
                   (long long)exponent_milli, (long long)from, (long long)to, found, expected);
        }
        from = to + 1;
    }
    free(counts);
}

static void zipf_has_its_shape(void)
{
    check_zipf(50, 1100);
    check_zipf(50, 1000);
    check_zipf(100, 0); /* all alike */
    check_zipf(1000, 500);
    check_zipf(20000, 1100);
    check_zipf(20000, 999);
    check_zipf(5000, 1750);
    check_zipf(300, 2500);
    check_zipf(20, 4000);
    check_zipf(1, 1000);
}

static void uniform_keys_are_uniform(void)
{
    struct sim_source source = made(DRAWS, 1000);
    source.value_bytes.a = 0;
    source.key_kind = SIM_KEY_UNIFORM;
    source.key_text = "k";
    source.key_count = 40;
    int *counts = count_keys(&source);
    for (int key = 1; key <= 40; key++) {
        CU_ASSERT_DOUBLE_EQUAL(counts[key], DRAWS / 40, 500);
    }
    free(counts);
}

/* Everything that a workload says, in one number. */
static uint64_t digest(uint64_t seed, uint64_t stream)
{
    struct sim_source source = made(5000, 3000);
    source.arrivals = SIM_ARRIVALS_POISSON;
    source.key_kind = SIM_KEY_ZIPF;
    source.key_text = "k";
    source.key_count = 30;
    source.zipf_exponent_milli = 1100;
    source.value_bytes = (struct sim_distribution){SIM_DISTRIBUTION_UNIFORM, 0, 90};
    struct sim_workload *workload = sim_workload_create(&source, seed, stream);
    struct sim_workload_record record;
    uint64_t hash = 0;
    while (sim_workload_next(workload, &record)) {
        hash = (hash ^ (uint64_t)record.at_us) * 0x100000001b3u;
        for (int32_t i = 0; i < record.key.length_bytes; i++) {
            hash = (hash ^ ((const uint8_t *)record.key.data)[i]) * 0x100000001b3u;
        }
        hash = (hash ^ (uint64_t)record.value.length_bytes) * 0x100000001b3u;
    }
    sim_workload_destroy(workload);
    return hash;
}

static void seeds_and_streams_decide(void)
{
    CU_ASSERT_EQUAL(digest(1, 1), digest(1, 1));
    CU_ASSERT_NOT_EQUAL(digest(1, 1), digest(2, 1));
    CU_ASSERT_NOT_EQUAL(digest(1, 1), digest(1, 2));
    /* The same on every machine, compiler and build. */
    CU_ASSERT_EQUAL(digest(42, 1000), UINT64_C(0x8141cfaf449008e8));
    if (digest(42, 1000) != UINT64_C(0x8141cfaf449008e8)) {
        printf("0x%llx\n", (unsigned long long)digest(42, 1000));
    }
}

static void given_records_keep_their_times(void)
{
    struct sim_given_record given[] = {
        {.at_us = 100, .partition = -1, .timestamp_ms = -1, .value = "a", .value_bytes = 1, .key_bytes = -1},
        {.at_us = 100, .partition = 2, .timestamp_ms = 7, .value = "b", .value_bytes = 1, .key_bytes = -1},
        {.at_us = 101, .partition = -1, .timestamp_ms = -1, .key = "k", .key_bytes = 1, .value_bytes = -1},
        {.at_us = -1, .partition = -1, .timestamp_ms = -1, .value = "d", .value_bytes = 1, .key_bytes = -1},
        {.at_us = 50, .partition = -1, .timestamp_ms = -1, .value = "e", .value_bytes = 1, .key_bytes = -1},
        {.at_us = 9000, .partition = -1, .timestamp_ms = -1, .value = "f", .value_bytes = 1, .key_bytes = -1},
    };
    static const int64_t times[] = {100, 100, 101, 1101, 1101, 9000};
    struct sim_source source = made(6, 1000);
    source.kind = SIM_SOURCE_GIVEN;
    source.given = given;
    source.given_count = 6;
    source.partition = 1; /* of those that say nothing */
    struct sim_workload *workload = sim_workload_create(&source, 1, 1);
    struct sim_workload_record record;
    for (int i = 0; i < 6; i++) {
        CU_ASSERT_TRUE(sim_workload_next(workload, &record));
        CU_ASSERT_EQUAL(record.at_us, times[i]);
        CU_ASSERT_EQUAL(record.partition, i == 1 ? 2 : 1);
        CU_ASSERT_EQUAL(record.timestamp_ms, i == 1 ? 7 : -1);
        CU_ASSERT_EQUAL(record.key.length_bytes, i == 2 ? 1 : -1);
        CU_ASSERT_EQUAL(record.value.length_bytes, i == 2 ? -1 : 1);
    }
    CU_ASSERT_FALSE(sim_workload_next(workload, &record));
    sim_workload_destroy(workload);
}

int main(void)
{
    return unit_main("workload", (struct unit_test[]){
                                     {"a steady rate does not drift", a_steady_rate_does_not_drift},
                                     {"poisson keeps its mean", poisson_keeps_its_mean},
                                     {"poisson gaps vary", poisson_gaps_vary},
                                     {"bursts come together", bursts_come_together},
                                     {"keys are as told", keys_are_as_told},
                                     {"headers go along", headers_go_along},
                                     {"zipf has its shape", zipf_has_its_shape},
                                     {"uniform keys are uniform", uniform_keys_are_uniform},
                                     {"seeds and streams decide", seeds_and_streams_decide},
                                     {"given records keep their times", given_records_keep_their_times},
                                     {0},
                                 });
}
