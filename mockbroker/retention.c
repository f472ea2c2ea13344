/* Old segments go when a broker looks for them: retention.ms. (retention.bytes is looked at whenever the high
 * watermark moves.)
 *
 * Kafka: LogManager.cleanupLogs, which runs log.retention.check.interval.ms after it ran last, for the first
 * time 30 seconds after the start; Log.deleteRetentionMsBreachedSegments. Here the instants are the same, but
 * nobody looks before something can be too old. */

#include "mockbroker/broker.h"
#include "mockbroker/partition.h"
#include "wire/record_batch.h"

enum { INITIAL_DELAY_US = 30000000 }; /* Kafka: LogManager.InitialTaskDelayMs */

static int64_t retention_ms_of(const struct mb_partition *partition)
{
    const struct mb_settings *settings = &partition->tp->topic->settings;
    bool is_deleted = (settings->values[MB_SETTING_TOPIC_CLEANUP_POLICY] & MB_CLEANUP_DELETE) != 0;
    return is_deleted ? settings->values[MB_SETTING_TOPIC_RETENTION_MS] : -1;
}

/* The first instant, not before due_us, at which the broker looks. */
static int64_t instant_after(const struct mb_broker *broker, int64_t due_us)
{
    int64_t first_us = broker->started_us + INITIAL_DELAY_US;
    int64_t period_ms = mb_setting(broker->cluster, MB_SETTING_LOG_RETENTION_CHECK_INTERVAL_MS);
    if (due_us <= first_us || period_ms > INT64_MAX / 2000) {
        return due_us <= first_us ? first_us : INT64_MAX;
    }
    int64_t period_us = period_ms * 1000;
    int64_t passed = (due_us - first_us + period_us - 1) / period_us;
    return first_us + passed * period_us;
}

void mb_retention_watch(struct mb_partition *partition)
{
    struct mb_broker *broker = partition->broker;
    struct mb_cluster *cluster = partition->cluster;
    int64_t retention_ms = retention_ms_of(partition);
    if (retention_ms < 0 || partition->log.count == 0) {
        return;
    }
    int64_t oldest_ms = kw_record_batch_max_timestamp_ms(mb_log_entry_at(&partition->log, 0)->block->bytes);
    int64_t most_ms = INT64_MAX / 4000 - cluster->epoch_ms; /* what is later than that never comes */
    if (oldest_ms < 0 || retention_ms > most_ms || oldest_ms > most_ms - retention_ms) {
        return;
    }
    int64_t due_us = (oldest_ms + retention_ms + 1 - cluster->epoch_ms) * 1000;
    /* Not now: what may go now was looked at, or is at the next instant. */
    int64_t look_us = instant_after(broker, due_us > cluster->now_us ? due_us : cluster->now_us + 1);
    bool is_armed = kb_heap_contains(&cluster->timers, &broker->retention_check.node);
    if (look_us < INT64_MAX && (!is_armed || look_us < broker->retention_check_us)) {
        broker->retention_check_us = look_us;
        mb_timer_set(cluster, &broker->retention_check, look_us);
    }
}

void mb_retention_check(struct mb_cluster *cluster, struct mb_timer *timer)
{
    struct mb_broker *broker = KB_CONTAINER_OF(timer, struct mb_broker, retention_check);
    for (uint32_t i = 0; i < broker->hosted_capacity; i++) {
        struct mb_partition *partition = broker->hosted[i];
        if (partition == NULL || !partition->is_online) {
            continue;
        }
        int64_t retention_ms = retention_ms_of(partition);
        if (retention_ms >= 0 &&
            mb_log_enforce_retention_ms(&partition->log, retention_ms, mb_now_ms(cluster))) {
            mb_partition_announce_start(partition);
            mb_partition_changed(partition, false);
        }
        mb_retention_watch(partition);
    }
}
