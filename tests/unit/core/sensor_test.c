#include "core/sensor.h"

#include "failing_allocator.h"
#include "unit.h"

#include <math.h>

/* All expected values are worked out by hand from Kafka's Rate, SampledStat, Avg, Max and CumulativeSum. */

static struct failing_allocator memory;
static struct kp_sensor_config config;
static struct kp_sensor sensor;

static void prepare(int32_t sample_count)
{
    failing_allocator_init(&memory);
    config = (struct kp_sensor_config){&memory.allocator, 30000, sample_count};
    sensor = (struct kp_sensor){0};
}

static void finish(void)
{
    kp_sensor_release(&sensor, &config);
    CU_ASSERT_EQUAL(memory.held_bytes, 0);
}

static void expect(enum kp_stat stat, int64_t now_ms, double expected)
{
    CU_ASSERT_DOUBLE_EQUAL(kp_sensor_measure(&sensor, &config, stat, now_ms), expected, 1e-12);
}

static void nothing_recorded(void)
{
    prepare(2);
    CU_ASSERT(isnan(kp_sensor_measure(&sensor, &config, KP_STAT_AVG, 5)));
    CU_ASSERT(isnan(kp_sensor_measure(&sensor, &config, KP_STAT_MAX, 5)));
    expect(KP_STAT_RATE, 5, 0);
    expect(KP_STAT_COUNT_RATE, 5, 0);
    expect(KP_STAT_RATIO, 5, 0);
    expect(KP_STAT_TOTAL, 5, 0);
    expect(KP_STAT_COUNT_TOTAL, 5, 0);
    finish();
}

static void one_window(void)
{
    prepare(2);
    kp_sensor_record(&sensor, &config, 10, 1000);
    kp_sensor_record(&sensor, &config, 20, 2000);
    kp_sensor_record(&sensor, &config, -6, 7000);
    expect(KP_STAT_AVG, 11000, 8);
    expect(KP_STAT_MAX, 11000, 20);
    /* 10 s have passed of the window; one whole window is added: 40 s. */
    expect(KP_STAT_RATE, 11000, 24.0 / 40.0);
    expect(KP_STAT_COUNT_RATE, 11000, 3.0 / 40.0);
    expect(KP_STAT_RATIO, 11000, 24.0 / 40e9);
    expect(KP_STAT_TOTAL, 11000, 24);
    expect(KP_STAT_COUNT_TOTAL, 11000, 3);
    finish();
}

static void windows_follow_each_other(void)
{
    prepare(2);
    kp_sensor_record(&sensor, &config, 5, 0);
    kp_sensor_record(&sensor, &config, 7, 29999); /* still the first */
    kp_sensor_record(&sensor, &config, 100, 30000);
    expect(KP_STAT_AVG, 30000, 112.0 / 3);
    expect(KP_STAT_RATE, 40000, 112.0 / 40); /* one window is whole: nothing is added */
    /* The third takes the place of the first. */
    kp_sensor_record(&sensor, &config, 1, 65000);
    expect(KP_STAT_MAX, 65000, 100);
    expect(KP_STAT_AVG, 65000, 101.0 / 2);
    expect(KP_STAT_RATE, 65000, 101.0 / 35);
    expect(KP_STAT_TOTAL, 65000, 113);
    CU_ASSERT_EQUAL(memory.granted_count, 0);
    finish();
}

static void old_windows_do_not_count(void)
{
    prepare(2);
    kp_sensor_record(&sensor, &config, 5, 0);
    expect(KP_STAT_AVG, 59999, 5);
    expect(KP_STAT_RATE, 59999, 5.0 / 59.999);
    CU_ASSERT(isnan(kp_sensor_measure(&sensor, &config, KP_STAT_AVG, 60000)));
    expect(KP_STAT_RATE, 60000, 0);
    expect(KP_STAT_TOTAL, 60000, 5);
    /* Having been read changed nothing. */
    expect(KP_STAT_AVG, 59999, 5);
    finish();
}

static void more_samples_grow(void)
{
    prepare(5);
    for (int i = 0; i < 7; i++) {
        kp_sensor_record(&sensor, &config, i, 30000 * i);
    }
    expect(KP_STAT_AVG, 180000, (2 + 3 + 4 + 5 + 6) / 5.0);
    expect(KP_STAT_RATE, 180000, 20.0 / 120);
    CU_ASSERT_EQUAL(sensor.count, 5);
    finish();
    /* Without memory the windows that there are go round. */
    prepare(5);
    memory.allowed_count = 0;
    for (int i = 0; i < 7; i++) {
        kp_sensor_record(&sensor, &config, i, 30000 * i);
    }
    expect(KP_STAT_AVG, 180000, (5 + 6) / 2.0);
    expect(KP_STAT_TOTAL, 180000, 21);
    finish();
}

static void one_sample(void)
{
    prepare(1);
    kp_sensor_record(&sensor, &config, 8, 1000);
    expect(KP_STAT_RATE, 5000, 2);
    CU_ASSERT(
        isinf(kp_sensor_measure(&sensor, &config, KP_STAT_RATE, 1000))); /* as in Java: no time has passed */
    kp_sensor_record(&sensor, &config, 3, 31000);
    expect(KP_STAT_MAX, 31000, 3);
    finish();
}

static void windows_of_no_length(void)
{
    prepare(2);
    config.window_ms = 0; /* Java throws an ArithmeticException where a rate is read */
    kp_sensor_record(&sensor, &config, 8, 1000);
    CU_ASSERT(isnan(kp_sensor_measure(&sensor, &config, KP_STAT_RATE, 1000)));
    expect(KP_STAT_TOTAL, 1000, 8);
    finish();
}

int main(void)
{
    return unit_main("sensor", (struct unit_test[]){
                                   {"nothing recorded", nothing_recorded},
                                   {"one window", one_window},
                                   {"windows follow each other", windows_follow_each_other},
                                   {"old windows do not count", old_windows_do_not_count},
                                   {"more samples grow", more_samples_grow},
                                   {"one sample", one_sample},
                                   {"windows of no length", windows_of_no_length},
                                   {NULL, NULL},
                               });
}
