/**
 * Quantities over the last few windows of time, and since ever: averages, maxima, rates, totals.
 *
 * Kafka: org.apache.kafka.common.metrics.Sensor with its SampledStats (Avg, Max, Rate over WindowedSum or
 * WindowedCount) and CumulativeSum. In Java each stat has samples of its own, which move alike; here a sensor
 * has one set, and a stat is a way of reading it. Reading changes nothing: a value is what Java gives to
 * whoever asks for the first time. (There, asking also clears samples that are too old, which moves the later
 * windows.)
 *
 * Metrics are looked at and never decided upon, which is why floating point may be used here.
 */
#ifndef KP_SENSOR_H
#define KP_SENSOR_H

#include <linger/allocator.h>

#include <stdint.h>

/** Kafka: MetricConfig, of metrics.sample.window.ms and metrics.num.samples. */
struct kp_sensor_config {
    const struct linger_allocator *allocator; /* for more than KP_SENSOR_OWN_SAMPLES samples */
    int64_t window_ms;
    int32_t sample_count;
};

/** Kafka: SampledStat.Sample. */
struct kp_sensor_sample {
    int64_t began_ms; /* lastWindowMs */
    int64_t event_count;
    double sum;
    double max;
};

/** Samples that need no memory of their own: Kafka's default of metrics.num.samples. */
#define KP_SENSOR_OWN_SAMPLES 2

/** Zeroed before its first use. */
struct kp_sensor {
    double total;
    uint64_t total_count;
    uint32_t count; /* samples in use */
    uint32_t current;
    struct kp_sensor_sample own[KP_SENSOR_OWN_SAMPLES];
    struct kp_sensor_sample *more; /* all of them, when they are too many for own; owned */
    uint32_t more_capacity;
};

/** How a sensor is read. */
enum kp_stat {
    KP_STAT_AVG,         /* NaN without a value. Kafka: Avg */
    KP_STAT_MAX,         /* NaN without a value. Kafka: Max */
    KP_STAT_RATE,        /* of the sum, per second. Kafka: Rate(SECONDS, WindowedSum) */
    KP_STAT_TOTAL,       /* Kafka: CumulativeSum */
    KP_STAT_COUNT_RATE,  /* of the number of values, per second. Kafka: Rate(SECONDS, WindowedCount) */
    KP_STAT_COUNT_TOTAL, /* Kafka: CumulativeCount */
    KP_STAT_RATIO,       /* of nanoseconds, per nanosecond. Kafka: Rate(NANOSECONDS, WindowedSum) */
};

void kp_sensor_release(struct kp_sensor *sensor, const struct kp_sensor_config *config);

/**
 * Kafka: Sensor.record. Takes memory at most when a window is over and there are to be more samples than
 * before; without any, the oldest sample is used again too early.
 */
void kp_sensor_record(struct kp_sensor *sensor, const struct kp_sensor_config *config, double value,
                      int64_t now_ms);

/** Kafka: Measurable.measure. */
double kp_sensor_measure(const struct kp_sensor *sensor, const struct kp_sensor_config *config,
                         enum kp_stat stat, int64_t now_ms);

#endif
