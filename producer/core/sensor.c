#include "core/sensor.h"

#include "base/assert.h"
#include "core/memory.h"

#include <math.h>
#include <string.h>

static struct kp_sensor_sample *samples_of(struct kp_sensor *sensor)
{
    return sensor->more != NULL ? sensor->more : sensor->own;
}

static void reset(struct kp_sensor_sample *sample, int64_t now_ms)
{
    *sample = (struct kp_sensor_sample){.began_ms = now_ms, .max = -INFINITY};
}

void kp_sensor_release(struct kp_sensor *sensor, const struct kp_sensor_config *config)
{
    kb_deallocate(config->allocator, sensor->more, sensor->more_capacity * sizeof *sensor->more);
    sensor->more = NULL;
}

/* Room for one more sample. */
static bool grow(struct kp_sensor *sensor, const struct kp_sensor_config *config)
{
    if (sensor->count < KP_SENSOR_OWN_SAMPLES) {
        return true;
    }
    bool is_first = sensor->more == NULL;
    if (!kp_grow(config->allocator, &sensor->more, &sensor->more_capacity, sensor->count + 1,
                 sizeof *sensor->more)) {
        return false;
    }
    if (is_first) {
        memcpy(sensor->more, sensor->own, sizeof sensor->own);
    }
    return true;
}

/* Kafka: SampledStat.advance. */
static struct kp_sensor_sample *advance(struct kp_sensor *sensor, const struct kp_sensor_config *config,
                                        int64_t now_ms)
{
    sensor->current++;
    if (sensor->current == (uint32_t)config->sample_count ||
        (sensor->current == sensor->count && !grow(sensor, config))) {
        sensor->current = 0;
    }
    if (sensor->current == sensor->count) {
        sensor->count++;
    }
    struct kp_sensor_sample *sample = &samples_of(sensor)[sensor->current];
    reset(sample, now_ms);
    return sample;
}

void kp_sensor_record(struct kp_sensor *sensor, const struct kp_sensor_config *config, double value,
                      int64_t now_ms)
{
    KB_ASSERT(config->sample_count > 0);
    if (sensor->count == 0) {
        reset(&sensor->own[0], now_ms);
        sensor->count = 1;
    }
    struct kp_sensor_sample *sample = &samples_of(sensor)[sensor->current];
    if (now_ms - sample->began_ms >= config->window_ms) {
        sample = advance(sensor, config, now_ms);
    }
    sample->sum += value;
    sample->max = value > sample->max ? value : sample->max;
    sample->event_count++;
    sensor->total += value;
    sensor->total_count++;
}

/* The samples that are not too old, added up. */
struct combined {
    double sum;
    double max;
    int64_t event_count;
    int64_t oldest_ms;
};

/* Kafka: purgeObsoleteSamples, then combine; oldest. A sample that is too old is as one that begins now. */
static struct combined combine(const struct kp_sensor *sensor, const struct kp_sensor_config *config,
                               int64_t now_ms)
{
    const struct kp_sensor_sample *samples = sensor->more != NULL ? sensor->more : sensor->own;
    /* The product wraps as a Java long does. */
    int64_t expire_ms = (int64_t)((uint64_t)config->sample_count * (uint64_t)config->window_ms);
    struct combined all = {.max = -INFINITY, .oldest_ms = now_ms};
    for (uint32_t i = 0; i < sensor->count; i++) {
        if (now_ms - samples[i].began_ms >= expire_ms) {
            continue;
        }
        all.sum += samples[i].sum;
        all.max = samples[i].max > all.max ? samples[i].max : all.max;
        all.event_count += samples[i].event_count;
        all.oldest_ms = samples[i].began_ms < all.oldest_ms ? samples[i].began_ms : all.oldest_ms;
    }
    return all;
}

/* As though all windows but the last were over, at least. Kafka: Rate.windowSize. */
static double window_size_ms(const struct kp_sensor_config *config, int64_t oldest_ms, int64_t now_ms)
{
    int64_t elapsed_ms = now_ms - oldest_ms;
    int64_t least = (int64_t)config->sample_count - 1;
    if (config->window_ms <= 0) {
        return NAN; /* Java divides by zero, and reading the metric throws */
    }
    int64_t full = elapsed_ms / config->window_ms;
    if (full < least) {
        elapsed_ms = (int64_t)((uint64_t)elapsed_ms + (uint64_t)(least - full) * (uint64_t)config->window_ms);
    }
    return (double)elapsed_ms;
}

double kp_sensor_measure(const struct kp_sensor *sensor, const struct kp_sensor_config *config,
                         enum kp_stat stat, int64_t now_ms)
{
    struct combined all = combine(sensor, config, now_ms);
    switch (stat) {
    case KP_STAT_AVG:
        return all.event_count == 0 ? (double)NAN : all.sum / (double)all.event_count;
    case KP_STAT_MAX:
        return all.event_count == 0 ? (double)NAN : all.max;
    case KP_STAT_RATE:
        return all.sum / (window_size_ms(config, all.oldest_ms, now_ms) / 1000.0);
    case KP_STAT_COUNT_RATE:
        return (double)all.event_count / (window_size_ms(config, all.oldest_ms, now_ms) / 1000.0);
    case KP_STAT_RATIO:
        return all.sum / (window_size_ms(config, all.oldest_ms, now_ms) * 1000.0 * 1000.0);
    case KP_STAT_TOTAL:
        return sensor->total;
    case KP_STAT_COUNT_TOTAL:
        return (double)sensor->total_count;
    }
    KB_UNREACHABLE();
}
