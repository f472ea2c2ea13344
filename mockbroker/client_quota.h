/**
 * Quotas: how many bytes a second a client may send to, and fetch from, a broker. Whoever goes over is
 * answered at once, with the time in the answer, and not read from until that time is over.
 *
 * A broker keeps a rate per client id, of the last quota.window.num samples of quota.window.size.seconds
 * each. All in integers: Kafka's doubles give the same milliseconds but for ties of rounding.
 *
 * Not here: request_percentage (threads do not take time in this cluster), controller_mutation_rate, users.
 *
 * Kafka: ClientQuotaManager, its DefaultQuotaCallback, QuotaUtils.throttleTime, metrics.stats.Rate,
 * SampledStat.
 */
#ifndef MB_CLIENT_QUOTA_H
#define MB_CLIENT_QUOTA_H

#include "mockbroker/cluster.h"
#include "wire/schema.h"

struct mb_request;

enum mb_quota_kind { MB_QUOTA_PRODUCE, MB_QUOTA_FETCH, MB_QUOTA_KIND_COUNT };

/** What is allowed, of the cluster. Kafka: the entity <client-id>, or <default>. */
struct mb_quota {
    char *client_id; /* NULL: of every client id without its own */
    size_t client_id_bytes;
    int64_t byte_rates[MB_QUOTA_KIND_COUNT]; /* 0: no limit */
};

/** Kafka: SampledStat.Sample. */
struct mb_quota_sample {
    int64_t start_ms;
    int64_t bytes;
};

/** Kafka: Rate over WindowedSum. */
struct mb_quota_rate {
    int64_t bound; /* bytes per second; 0: none */
    struct mb_quota_sample *samples;
    uint32_t sample_count;
    uint32_t current;
};

/** What one broker has seen of one client id. Kafka: ClientSensors. */
struct mb_quota_sensor {
    struct mb_quota_sensor *next;
    char *client_id;
    size_t client_id_bytes;
    struct mb_quota_rate rates[MB_QUOTA_KIND_COUNT];
};

/** False with *error: an empty client id or one that is there twice, a rate below 0, or no rate at all. */
bool mb_quotas_check(const struct mb_options *options, struct mb_error *error)
    __attribute__((warn_unused_result));
/** Copies the quotas of options that were checked. */
void mb_quotas_init(struct mb_cluster *cluster, const struct mb_options *options);
void mb_quotas_release(struct mb_cluster *cluster);

/** NULL when there are no quotas, or for a client without id. Valid until the broker stops. */
struct mb_quota_sensor *mb_quota_sensor_of(struct mb_broker *broker, struct kw_string client_id);
void mb_quota_sensors_release(struct mb_broker *broker);

/**
 * So many bytes are recorded. How long the client is to be left alone for it, in ms; 0: it is within its
 * quota. Kafka: recordAndGetThrottleTimeMs.
 */
int32_t mb_quota_record(struct mb_request *request, enum mb_quota_kind kind, int64_t bytes);
/** They do not count after all. Kafka: unrecordQuotaSensor. */
void mb_quota_unrecord(struct mb_request *request, enum mb_quota_kind kind, int64_t bytes);
/** The request's connection is muted that long, and it is announced. Kafka: ClientQuotaManager.throttle. */
void mb_quota_throttle(struct mb_request *request, enum mb_quota_kind kind, int32_t throttle_ms);
/** What a fetch can ask for without being throttled for certain. Kafka: getMaxValueInQuotaWindow. */
int32_t mb_quota_most_bytes(const struct mb_request *request, enum mb_quota_kind kind);

#endif
