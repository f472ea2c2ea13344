#include "mockbroker/client_quota.h"

#include "mockbroker/connection.h"
#include "mockbroker/request.h"

#include <stdio.h>
#include <string.h>

/* --- Rates --- */

static int64_t window_ms(const struct mb_cluster *cluster)
{
    return mb_setting(cluster, MB_SETTING_QUOTA_WINDOW_SIZE_SECONDS) * 1000;
}

/* Kafka: SampledStat.record, advance, current. */
static void record(const struct mb_cluster *cluster, struct mb_quota_rate *rate, int64_t bytes)
{
    int64_t now_ms = mb_now_ms(cluster);
    uint32_t most = (uint32_t)mb_setting(cluster, MB_SETTING_QUOTA_WINDOW_NUM);
    if (rate->samples == NULL) {
        rate->samples = mb_take(cluster->allocator, most * sizeof *rate->samples);
        rate->samples[rate->sample_count++].start_ms = now_ms;
    } else if (now_ms - rate->samples[rate->current].start_ms >= window_ms(cluster)) {
        rate->current = (rate->current + 1) % most;
        if (rate->current == rate->sample_count) {
            rate->sample_count++;
        }
        rate->samples[rate->current] = (struct mb_quota_sample){.start_ms = now_ms};
    }
    rate->samples[rate->current].bytes += bytes;
}

/* Samples that are too old begin anew. Kafka: SampledStat.purgeObsoleteSamples. */
static void purge(const struct mb_cluster *cluster, struct mb_quota_rate *rate)
{
    int64_t now_ms = mb_now_ms(cluster);
    int64_t age_ms = mb_setting(cluster, MB_SETTING_QUOTA_WINDOW_NUM) * window_ms(cluster);
    for (uint32_t i = 0; i < rate->sample_count; i++) {
        if (now_ms - rate->samples[i].start_ms >= age_ms) {
            rate->samples[i] = (struct mb_quota_sample){.start_ms = now_ms};
        }
    }
}

/* The time that the samples stand for: whole windows but for the last one, even those that nothing was
 * recorded in. Kafka: Rate.windowSize. */
static int64_t size_ms(const struct mb_cluster *cluster, const struct mb_quota_rate *rate)
{
    int64_t now_ms = mb_now_ms(cluster);
    int64_t oldest_ms = now_ms;
    for (uint32_t i = 0; i < rate->sample_count; i++) {
        oldest_ms = rate->samples[i].start_ms < oldest_ms ? rate->samples[i].start_ms : oldest_ms;
    }
    int64_t elapsed_ms = now_ms - oldest_ms;
    int64_t full_windows = elapsed_ms / window_ms(cluster);
    int64_t least_windows = mb_setting(cluster, MB_SETTING_QUOTA_WINDOW_NUM) - 1;
    return full_windows < least_windows ? elapsed_ms + (least_windows - full_windows) * window_ms(cluster)
                                        : elapsed_ms;
}

static int64_t total_bytes(const struct mb_quota_rate *rate)
{
    int64_t total = 0;
    for (uint32_t i = 0; i < rate->sample_count; i++) {
        total += rate->samples[i].bytes;
    }
    return total;
}

/* With the rate O = total / W and the bound T: (O - T) / T * W = total / T - W, rounded as Math.round does.
 * Kafka: QuotaUtils.throttleTime. */
static int32_t throttle_time_ms(const struct mb_cluster *cluster, struct mb_quota_rate *rate)
{
    purge(cluster, rate);
    int64_t total = total_bytes(rate);
    int64_t window = size_ms(cluster, rate);
    /* Where the product is too large to be one, nothing exceeds it. */
    if (window == 0 || total <= 0 || rate->bound > INT64_MAX / window ||
        total * 1000 <= rate->bound * window) {
        return 0;
    }
    int64_t needed_ms = total * 1000 / rate->bound;
    int64_t rest = total * 1000 % rate->bound;
    int64_t throttle_ms = needed_ms + (rest >= rate->bound - rest) - window;
    return throttle_ms > INT32_MAX ? INT32_MAX : (int32_t)throttle_ms;
}

/* --- Who may do what --- */

static bool check(const struct mb_quota_options *quota, const struct mb_options *options, uint32_t index,
                  struct mb_error *error)
{
    const char *name = quota->client_id == NULL ? "<default>" : quota->client_id;
    const char *wrong = NULL;
    if (name[0] == '\0') {
        wrong = "a client id is not empty";
    } else if (quota->producer_byte_rate < 0 || quota->consumer_byte_rate < 0) {
        wrong = "a rate is not negative";
    } else if (quota->producer_byte_rate == 0 && quota->consumer_byte_rate == 0) {
        wrong = "it limits nothing";
    }
    for (uint32_t i = 0; i < index && wrong == NULL; i++) {
        const char *other = options->quotas[i].client_id;
        if ((other == NULL) == (quota->client_id == NULL) && (other == NULL || strcmp(other, name) == 0)) {
            wrong = "there is another one for this client id";
        }
    }
    if (wrong != NULL) {
        snprintf(error->text, sizeof error->text, "quota of client id %.80s: %s", name, wrong);
    }
    return wrong == NULL;
}

static char *copy(const struct linger_allocator *allocator, const char *text, size_t length_bytes)
{
    char *made = mb_take(allocator, length_bytes + 1);
    memcpy(made, text, length_bytes);
    return made;
}

bool mb_quotas_check(const struct mb_options *options, struct mb_error *error)
{
    for (uint32_t i = 0; i < options->quota_count; i++) {
        if (!check(&options->quotas[i], options, i, error)) {
            return false;
        }
    }
    return true;
}

void mb_quotas_init(struct mb_cluster *cluster, const struct mb_options *options)
{
    cluster->quota_count = options->quota_count;
    cluster->quotas = mb_take(cluster->allocator, options->quota_count * sizeof *cluster->quotas);
    for (uint32_t i = 0; i < options->quota_count; i++) {
        const struct mb_quota_options *from = &options->quotas[i];
        struct mb_quota *quota = &cluster->quotas[i];
        quota->byte_rates[MB_QUOTA_PRODUCE] = from->producer_byte_rate;
        quota->byte_rates[MB_QUOTA_FETCH] = from->consumer_byte_rate;
        if (from->client_id != NULL) {
            quota->client_id_bytes = strlen(from->client_id);
            quota->client_id = copy(cluster->allocator, from->client_id, quota->client_id_bytes);
        }
    }
}

void mb_quotas_release(struct mb_cluster *cluster)
{
    for (uint32_t i = 0; i < cluster->quota_count; i++) {
        if (cluster->quotas[i].client_id != NULL) {
            mb_give(cluster->allocator, cluster->quotas[i].client_id, cluster->quotas[i].client_id_bytes + 1);
        }
    }
    mb_give(cluster->allocator, cluster->quotas, cluster->quota_count * sizeof *cluster->quotas);
}

/* Its own one, else the default one; each kind for itself. Kafka: DefaultQuotaCallback.quotaLimit. */
static int64_t bound_of(const struct mb_cluster *cluster, enum mb_quota_kind kind, struct kw_string client_id)
{
    int64_t bound = 0;
    for (uint32_t i = 0; i < cluster->quota_count; i++) {
        const struct mb_quota *quota = &cluster->quotas[i];
        if (quota->byte_rates[kind] == 0) {
            continue;
        }
        if (quota->client_id == NULL) {
            bound = bound == 0 ? quota->byte_rates[kind] : bound;
        } else if ((int64_t)quota->client_id_bytes == client_id.length_bytes &&
                   memcmp(quota->client_id, client_id.data, quota->client_id_bytes) == 0) {
            return quota->byte_rates[kind];
        }
    }
    return bound;
}

struct mb_quota_sensor *mb_quota_sensor_of(struct mb_broker *broker, struct kw_string client_id)
{
    const struct mb_cluster *cluster = broker->cluster;
    if (cluster->quota_count == 0 || client_id.length_bytes <= 0) {
        return NULL;
    }
    size_t length_bytes = (size_t)client_id.length_bytes;
    for (struct mb_quota_sensor *sensor = broker->quota_sensors; sensor != NULL; sensor = sensor->next) {
        if (sensor->client_id_bytes == length_bytes &&
            memcmp(sensor->client_id, client_id.data, length_bytes) == 0) {
            return sensor;
        }
    }
    struct mb_quota_sensor *sensor = mb_take(cluster->allocator, sizeof *sensor);
    sensor->client_id = copy(cluster->allocator, client_id.data, length_bytes);
    sensor->client_id_bytes = length_bytes;
    for (int kind = 0; kind < MB_QUOTA_KIND_COUNT; kind++) {
        sensor->rates[kind].bound = bound_of(cluster, (enum mb_quota_kind)kind, client_id);
    }
    sensor->next = broker->quota_sensors;
    broker->quota_sensors = sensor;
    return sensor;
}

void mb_quota_sensors_release(struct mb_broker *broker)
{
    const struct mb_cluster *cluster = broker->cluster;
    size_t samples_bytes =
        (size_t)mb_setting(cluster, MB_SETTING_QUOTA_WINDOW_NUM) * sizeof(struct mb_quota_sample);
    while (broker->quota_sensors != NULL) {
        struct mb_quota_sensor *sensor = broker->quota_sensors;
        broker->quota_sensors = sensor->next;
        for (int kind = 0; kind < MB_QUOTA_KIND_COUNT; kind++) {
            mb_give(cluster->allocator, sensor->rates[kind].samples, samples_bytes);
        }
        mb_give(cluster->allocator, sensor->client_id, sensor->client_id_bytes + 1);
        mb_give(cluster->allocator, sensor, sizeof *sensor);
    }
}

/* --- Requests --- */

/* NULL: without a limit there is nothing to count. */
static struct mb_quota_rate *rate_of(const struct mb_request *request, enum mb_quota_kind kind)
{
    struct mb_quota_sensor *sensor = request->quota_sensor;
    return sensor != NULL && sensor->rates[kind].bound > 0 ? &sensor->rates[kind] : NULL;
}

int32_t mb_quota_record(struct mb_request *request, enum mb_quota_kind kind, int64_t bytes)
{
    struct mb_quota_rate *rate = rate_of(request, kind);
    if (rate == NULL) {
        return 0;
    }
    record(request->cluster, rate, bytes);
    return throttle_time_ms(request->cluster, rate);
}

void mb_quota_unrecord(struct mb_request *request, enum mb_quota_kind kind, int64_t bytes)
{
    struct mb_quota_rate *rate = rate_of(request, kind);
    if (rate != NULL) {
        record(request->cluster, rate, -bytes);
    }
}

void mb_quota_throttle(struct mb_request *request, enum mb_quota_kind kind, int32_t throttle_ms)
{
    struct mb_cluster *cluster = request->cluster;
    struct mb_connection *connection = request->connection;
    const struct mb_quota_rate *rate = rate_of(request, kind);
    if (rate == NULL || throttle_ms <= 0 || connection->is_gone) {
        return;
    }
    connection->is_throttled = true;
    mb_timer_set(cluster, &connection->throttled, cluster->now_us + (int64_t)throttle_ms * 1000);
    KB_TRACE(cluster->trace, 0, QUOTA_EXCEEDED, quota_exceeded, .throttle_ms = throttle_ms,
             .quota = rate->bound, .broker = request->broker->id, .connection = connection->id,
             .request = (uint32_t)request->correlation_id, .api = request->api->key);
}

int32_t mb_quota_most_bytes(const struct mb_request *request, enum mb_quota_kind kind)
{
    const struct mb_quota_rate *rate = rate_of(request, kind);
    int64_t seconds = (mb_setting(request->cluster, MB_SETTING_QUOTA_WINDOW_NUM) - 1) *
                      mb_setting(request->cluster, MB_SETTING_QUOTA_WINDOW_SIZE_SECONDS);
    if (rate == NULL || (seconds > 0 && rate->bound > INT32_MAX / seconds)) {
        return INT32_MAX;
    }
    return (int32_t)(rate->bound * seconds);
}
