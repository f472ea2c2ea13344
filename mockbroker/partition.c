#include "mockbroker/partition.h"

#include "base/assert.h"
#include "base/planted.h"
#include "mockbroker/check.h"
#include "mockbroker/coordinator.h"
#include "mockbroker/delayed_fetch.h"
#include "mockbroker/fetch_session.h"
#include "mockbroker/log_validator.h"
#include "wire/record_batch.h"

#include <string.h>

static void tell_observer(void *context, int64_t start_offset)
{
    const struct mb_partition *partition = context;
    const struct mb_observer *observer = &partition->cluster->observer;
    observer->log_start_moves(observer->context, partition->broker->id, partition->tp->topic->name,
                              partition->tp->index, start_offset);
}

struct mb_partition *mb_partition_create(struct mb_broker *broker, struct mb_topic_partition *tp)
{
    struct mb_cluster *cluster = broker->cluster;
    const struct mb_settings *settings = &tp->topic->settings;
    struct mb_partition *partition = mb_take(cluster->allocator, sizeof *partition);
    *partition = (struct mb_partition){
        .cluster = cluster,
        .broker = broker,
        .tp = tp,
        .leader = -1,
        .leader_epoch = -1,
        .told_held_at = -1,
        .isr = mb_take(cluster->allocator, tp->replica_count * sizeof(int32_t)),
        .proposed_isr = mb_take(cluster->allocator, tp->replica_count * sizeof(int32_t)),
        .remotes = mb_take(cluster->allocator, tp->replica_count * sizeof(struct mb_remote)),
    };
    bool is_deleted = (settings->values[MB_SETTING_TOPIC_CLEANUP_POLICY] & MB_CLEANUP_DELETE) != 0;
    mb_log_init(&partition->log, cluster->allocator, settings->values[MB_SETTING_TOPIC_SEGMENT_BYTES],
                is_deleted ? settings->values[MB_SETTING_TOPIC_RETENTION_BYTES] : -1);
    if (cluster->observer.log_start_moves != NULL) {
        partition->log.start_moves = tell_observer;
        partition->log.start_moves_context = partition;
    }
    kb_list_init(&partition->produces);
    kb_list_init(&partition->waits);
    kb_list_init(&partition->fetches);
    kb_list_init(&partition->sessions);
    for (uint32_t i = 0; i < tp->replica_count; i++) {
        if (tp->replicas[i] != broker->index) {
            partition->remotes[partition->remote_count++] =
                (struct mb_remote){.broker = tp->replicas[i], .log_end_offset = MB_UNKNOWN_OFFSET};
        } else {
            KB_TRACE(tp->topic->trace, 0, REPLICA_PLACED, replica_placed, .broker = broker->id,
                     .topic = tp->topic->trace_name, .partition = tp->index, .position = i);
        }
    }
    return partition;
}

void mb_partition_destroy(struct mb_partition *partition)
{
    const struct linger_allocator *allocator = partition->cluster->allocator;
    uint32_t count = partition->tp->replica_count;
    mb_log_release(&partition->log);
    mb_check_forget(partition);
    mb_give(allocator, partition->isr, count * sizeof(int32_t));
    mb_give(allocator, partition->proposed_isr, count * sizeof(int32_t));
    mb_give(allocator, partition->remotes, count * sizeof(struct mb_remote));
    mb_give(allocator, partition, sizeof *partition);
}

struct mb_partition *mb_partition_online(const struct mb_broker *broker, const struct mb_topic_partition *tp)
{
    struct mb_partition *partition = tp->number < broker->hosted_capacity ? broker->hosted[tp->number] : NULL;
    return partition != NULL && partition->is_online ? partition : NULL;
}

static void unlink_node(struct kb_list_node *node)
{
    if (kb_list_node_is_linked(node)) {
        kb_list_remove(node);
    }
}

static void forget_remotes(struct mb_partition *partition)
{
    for (uint32_t i = 0; i < partition->remote_count; i++) {
        partition->remotes[i] =
            (struct mb_remote){.broker = partition->remotes[i].broker, .log_end_offset = MB_UNKNOWN_OFFSET};
    }
}

/* An AlterIsr that is queued or on its way keeps its place, though it is of an epoch that is over. Kafka:
 * Partition.updateAssignmentAndIsr, which tells the AlterIsrManager nothing. */
static void reset_isr(struct mb_partition *partition)
{
    partition->isr_change = MB_ISR_COMMITTED;
    partition->proposed_isr_count = 0;
    partition->isr_count = 0;
}

void mb_partition_stop(struct mb_partition *partition, bool clean)
{
    KB_ASSERT(kb_list_is_empty(&partition->produces) && kb_list_is_empty(&partition->fetches));
    mb_fetch_sessions_forget(partition);
    mb_coordinators_resign(partition);
    mb_append_waits_forget(partition);
    reset_isr(partition);
    mb_partition_forget_alter_isr(partition);
    unlink_node(&partition->of_changed);
    unlink_node(&partition->of_lagging);
    partition->is_online = false;
    partition->is_leader = false;
    partition->leader = -1;
    partition->leader_epoch = -1;
    partition->version = 0;
    partition->high_watermark_changed = false;
    forget_remotes(partition);
    mb_log_recover(&partition->log, clean, partition->cluster->now_us);
}

/* --- Leader and follower --- */

void mb_partition_changed(struct mb_partition *partition, bool high_watermark)
{
    mb_check_touch(partition->cluster, partition->tp);
    partition->high_watermark_changed = partition->high_watermark_changed || high_watermark;
    if (!kb_list_node_is_linked(&partition->of_changed)) {
        kb_list_push_back(&partition->cluster->changed, &partition->of_changed);
    }
}

struct mb_remote *mb_partition_remote(const struct mb_partition *partition, int32_t broker)
{
    for (uint32_t i = 0; i < partition->remote_count; i++) {
        if (partition->remotes[i].broker == broker) {
            return &partition->remotes[i];
        }
    }
    return NULL;
}

void mb_partition_make_leader(struct mb_partition *partition, const struct mb_partition_state *state)
{
    struct mb_log *log = &partition->log;
    int64_t now_ms = mb_now_ms(partition->cluster);
    bool is_new_leader = !partition->is_leader;
    reset_isr(partition);
    memcpy(partition->isr, state->isr, state->isr_count * sizeof state->isr[0]);
    partition->isr_count = state->isr_count;
    partition->is_online = true;
    partition->leader_epoch = state->leader_epoch;
    partition->version = state->version;
    partition->epoch_start_offset = log->end_offset;
    partition->epoch_high_watermark = log->high_watermark;
    mb_epoch_cache_assign(&log->epochs, state->leader_epoch, log->end_offset);
    for (uint32_t i = 0; i < partition->remote_count; i++) {
        /* Replica.resetLastCaughtUpTime: who is in sync has its full time to fetch. */
        struct mb_remote *remote = &partition->remotes[i];
        remote->idle_in = NULL;
        remote->last_fetch_leader_end_offset = log->end_offset;
        remote->last_fetch_ms = now_ms;
        remote->last_caught_up_ms =
            mb_is_member(partition->isr, partition->isr_count, remote->broker) ? now_ms : 0;
        if (is_new_leader && !KB_PLANTED(REMOTES_NOT_FORGOTTEN)) {
            /* What it had when this broker led before says nothing. */
            remote->log_end_offset = MB_UNKNOWN_OFFSET;
            remote->last_fetch_leader_end_offset = MB_UNKNOWN_OFFSET;
            remote->last_fetch_ms = 0;
        }
    }
    if (is_new_leader && KB_PLANTED(STATE_LOST_ON_FAILOVER)) {
        mb_producer_states_clear(&log->producers);
    }
    partition->is_leader = true;
    partition->leader = partition->broker->index;
    mb_partition_increment_high_watermark(partition);
    mb_partition_watch_lag(partition);
    mb_partition_changed(partition, true);
    mb_coordinators_elect(partition);
}

bool mb_partition_make_follower(struct mb_partition *partition, const struct mb_partition_state *state)
{
    bool is_same = partition->is_online && !partition->is_leader && partition->leader == state->leader &&
                   partition->leader_epoch == state->leader_epoch;
    reset_isr(partition);
    unlink_node(&partition->of_lagging);
    partition->is_online = true;
    partition->is_leader = false;
    partition->leader = state->leader;
    partition->leader_epoch = state->leader_epoch;
    partition->version = state->version;
    for (uint32_t i = 0; i < partition->remote_count; i++) {
        partition->remotes[i].idle_in = NULL;
    }
    mb_coordinators_resign(partition);
    mb_partition_changed(partition, true);
    return !is_same;
}

/* --- High watermark --- */

void mb_partition_announce_last_stable_offset(struct mb_partition *partition)
{
    const struct mb_log *log = &partition->log;
    int64_t stable = mb_log_last_stable_offset(log);
    int64_t held_at = stable < log->high_watermark ? stable : -1;
    if (held_at == partition->told_held_at) {
        return;
    }
    partition->told_held_at = held_at;
    KB_TRACE(partition->tp->topic->trace, 0, LSO_ADVANCED, lso_advanced, .last_stable_offset = stable,
             .high_watermark = log->high_watermark, .broker = partition->broker->id,
             .topic = partition->tp->topic->trace_name, .partition = partition->tp->index,
             .is_leader = partition->is_leader);
}

static void announce_high_watermark(struct mb_partition *partition)
{
    mb_partition_announce_last_stable_offset(partition);
    KB_TRACE(partition->tp->topic->trace, 0, HW_ADVANCED, hw_advanced,
             .high_watermark = partition->log.high_watermark, .broker = partition->broker->id,
             .topic = partition->tp->topic->trace_name, .partition = partition->tp->index,
             .is_leader = partition->is_leader);
}

void mb_partition_increment_high_watermark(struct mb_partition *partition)
{
    struct mb_log *log = &partition->log;
    int64_t now_ms = mb_now_ms(partition->cluster);
    int64_t lag_ms = mb_setting(partition->cluster, MB_SETTING_REPLICA_LAG_TIME_MAX_MS);
    int64_t high_watermark = log->end_offset;
    for (uint32_t i = 0; i < partition->remote_count; i++) {
        const struct mb_remote *remote = &partition->remotes[i];
        /* One that is nearly in sync holds it back as well, or it could never reach it. */
        if (remote->log_end_offset < high_watermark && !KB_PLANTED(HW_IGNORES_FOLLOWERS) &&
            (now_ms - remote->last_caught_up_ms <= lag_ms ||
             (mb_partition_is_in_maximal_isr(partition, remote->broker) && !KB_PLANTED(HW_IGNORES_ISR)))) {
            high_watermark = remote->log_end_offset;
        }
    }
    if (high_watermark <= log->high_watermark) {
        return; /* Log.maybeIncrementHighWatermark: never backwards */
    }
    mb_log_set_high_watermark(log, high_watermark, partition->cluster->now_us);
    partition->epoch_high_watermark = high_watermark;
    announce_high_watermark(partition);
    mb_partition_changed(partition, true);
}

void mb_partition_announce_start(const struct mb_partition *partition)
{
    KB_TRACE(partition->tp->topic->trace, 0, LOG_START_MOVED, log_start_moved,
             .start_offset = partition->log.start_offset, .broker = partition->broker->id,
             .topic = partition->tp->topic->trace_name, .partition = partition->tp->index);
}

void mb_partition_enforce_retention(struct mb_partition *partition)
{
    if (mb_log_enforce_retention(&partition->log)) {
        mb_partition_announce_start(partition);
    }
}

int64_t mb_partition_fetch_limit(const struct mb_partition *partition, enum mb_fetch_isolation isolation)
{
    switch (isolation) {
    case MB_FETCH_LOG_END:
        return partition->log.end_offset;
    case MB_FETCH_HIGH_WATERMARK:
        return KB_PLANTED(READ_PAST_HW) ? partition->log.end_offset : partition->log.high_watermark;
    case MB_FETCH_COMMITTED:
        return mb_log_last_stable_offset(&partition->log);
    }
    KB_UNREACHABLE();
}

bool mb_partition_has_reached(const struct mb_partition *partition, int64_t required_offset,
                              enum kw_error *error)
{
    *error = KW_ERROR_NONE;
    if (!partition->is_online || (!partition->is_leader && !KB_PLANTED(PARKED_OUTLIVES_LEADER))) {
        *error = KW_ERROR_NOT_LEADER_OR_FOLLOWER;
        return true;
    }
    if (partition->log.high_watermark < required_offset && !KB_PLANTED(ACK_BEFORE_REPLICATION)) {
        return false;
    }
    int64_t min_isr = partition->tp->topic->settings.values[MB_SETTING_TOPIC_MIN_INSYNC_REPLICAS];
    if (min_isr > mb_partition_maximal_isr_count(partition) && !KB_PLANTED(NO_MIN_ISR_AFTER_APPEND)) {
        *error = KW_ERROR_NOT_ENOUGH_REPLICAS_AFTER_APPEND;
    }
    return true;
}

enum kw_error mb_partition_check_epoch(const struct mb_partition *partition, int32_t current_leader_epoch,
                                       bool must_lead)
{
    /* Kafka: Partition.checkCurrentLeaderEpoch comes first, then whether it leads. */
    if (current_leader_epoch >= 0 && current_leader_epoch < partition->leader_epoch) {
        return KW_ERROR_FENCED_LEADER_EPOCH;
    }
    if (current_leader_epoch >= 0 && current_leader_epoch > partition->leader_epoch) {
        return KW_ERROR_UNKNOWN_LEADER_EPOCH;
    }
    return must_lead && !partition->is_leader ? KW_ERROR_NOT_LEADER_OR_FOLLOWER : KW_ERROR_NONE;
}

/* --- Append --- */

void mb_partition_wake_remote(struct mb_partition *partition, struct mb_remote *remote)
{
    if (remote->idle_in == NULL) {
        return;
    }
    remote->last_fetch_ms = remote->idle_in->last_fetch_ms;
    if (remote->last_caught_up_ms < remote->idle_in->last_fetch_ms) {
        remote->last_caught_up_ms = remote->idle_in->last_fetch_ms;
    }
    remote->last_fetch_leader_end_offset = partition->log.end_offset;
    remote->idle_in = NULL;
}

/* The log end is about to move. */
static void wake_remotes(struct mb_partition *partition)
{
    for (uint32_t i = 0; i < partition->remote_count; i++) {
        mb_partition_wake_remote(partition, &partition->remotes[i]);
    }
}

/* Kafka: Log.analyzeAndValidateProducerState. */
static enum kw_error validate_producer(const struct mb_log *log, enum mb_append_origin origin,
                                       const struct mb_block *block,
                                       const struct mb_batch_metadata **duplicate)
{
    struct mb_marker marker;
    if (origin == MB_ORIGIN_COORDINATOR && mb_marker_read(block->bytes, block->size_bytes, &marker)) {
        return mb_producer_states_validate_marker(&log->producers, &marker);
    }
    return mb_producer_states_validate(&log->producers, origin, block->bytes, duplicate);
}

/* Takes the reference to the block over. Kafka: Log.append, from the look at the producers on. */
static enum kw_error append(struct mb_partition *partition, enum mb_append_origin origin,
                            struct mb_block *block, struct mb_append_result *result)
{
    struct mb_cluster *cluster = partition->cluster;
    struct mb_log *log = &partition->log;
    bool stamps =
        partition->tp->topic->settings.values[MB_SETTING_TOPIC_MESSAGE_TIMESTAMP_TYPE] == MB_LOG_APPEND_TIME;
    const struct mb_batch_metadata *duplicate = NULL;
    enum kw_error error = validate_producer(log, origin, block, &duplicate);
    if (error != KW_ERROR_NONE) {
        mb_block_drop(cluster->allocator, block);
        result->log_start_offset = log->start_offset;
        return error;
    }
    result->log_start_offset = log->start_offset;
    if (duplicate != NULL) {
        /* The first answer once more; its time even under CreateTime. */
        result->is_duplicate = true;
        result->last_offset =
            KB_PLANTED(DUPLICATE_GETS_NEW_OFFSET) ? log->end_offset - 1 : duplicate->last_offset;
        result->base_offset = result->last_offset - duplicate->offset_delta;
        result->log_append_time_ms = duplicate->timestamp_ms;
        mb_block_drop(cluster->allocator, block);
        return KW_ERROR_NONE;
    }
    result->base_offset = log->end_offset;
    result->last_offset = kw_record_batch_last_offset(block->bytes);
    result->log_append_time_ms = stamps ? mb_now_ms(cluster) : KW_NO_TIMESTAMP;
    wake_remotes(partition);
    mb_log_append(log, block);
    return KW_ERROR_NONE;
}

static void after_append(struct mb_partition *partition, const struct mb_append_result *result)
{
    mb_partition_increment_high_watermark(partition);
    if (!result->is_duplicate) {
        mb_partition_watch_lag(partition);
        mb_partition_changed(partition, false);
    }
}

/* From a client's records to the batch for the log; *block stays NULL when there is none. Kafka: Log.append,
 * up to the look at the segment's size. */
static enum kw_error prepare(struct mb_partition *partition, const uint8_t *records, size_t length_bytes,
                             struct mb_append_result *result, struct mb_block **block)
{
    const struct mb_settings *settings = &partition->tp->topic->settings;
    struct mb_records_analysis analysis;
    enum kw_error error = mb_records_analyze(settings, records, length_bytes, &analysis);
    if (error != KW_ERROR_NONE || analysis.batch_count == 0) {
        return error;
    }
    error = mb_log_validate(partition, &analysis, result, block);
    if (error == KW_ERROR_NONE && (*block)->size_bytes > settings->values[MB_SETTING_TOPIC_SEGMENT_BYTES]) {
        mb_block_drop(partition->cluster->allocator, *block);
        return KW_ERROR_RECORD_LIST_TOO_LARGE;
    }
    return error;
}

enum kw_error mb_partition_append_as_leader(struct mb_partition *partition, int16_t acks,
                                            const uint8_t *records, size_t length_bytes,
                                            struct mb_append_result *result)
{
    const struct mb_settings *settings = &partition->tp->topic->settings;
    if (!partition->is_leader) {
        return KW_ERROR_NOT_LEADER_OR_FOLLOWER;
    }
    if (acks == -1 && partition->isr_count < settings->values[MB_SETTING_TOPIC_MIN_INSYNC_REPLICAS] &&
        !KB_PLANTED(NO_MIN_ISR_BEFORE_APPEND)) {
        result->log_start_offset = partition->log.start_offset;
        return KW_ERROR_NOT_ENOUGH_REPLICAS;
    }
    struct mb_block *block = NULL;
    enum kw_error error = prepare(partition, records, length_bytes, result, &block);
    if (error != KW_ERROR_NONE) {
        /* Kafka: ReplicaManager.appendToLocalLog: some errors are reported without the log's start. */
        bool is_plain = error == KW_ERROR_MESSAGE_TOO_LARGE || error == KW_ERROR_RECORD_LIST_TOO_LARGE ||
                        error == KW_ERROR_CORRUPT_MESSAGE;
        result->log_start_offset = is_plain ? -1 : partition->log.start_offset;
        return error;
    }
    if (block == NULL) {
        /* Before version 3 nothing at all may be produced, too. */
        result->log_start_offset = partition->log.start_offset;
        result->last_offset = -1;
        return KW_ERROR_NONE;
    }
    error = append(partition, MB_ORIGIN_CLIENT, block, result);
    if (error == KW_ERROR_NONE) {
        after_append(partition, result);
    }
    return error;
}

enum kw_error mb_partition_append_as_coordinator(struct mb_partition *partition, const uint8_t *batch,
                                                 uint32_t batch_bytes, struct mb_append_result *result)
{
    const struct mb_settings *settings = &partition->tp->topic->settings;
    if (!partition->is_leader) {
        return KW_ERROR_NOT_LEADER_OR_FOLLOWER;
    }
    if (partition->isr_count < settings->values[MB_SETTING_TOPIC_MIN_INSYNC_REPLICAS]) {
        return KW_ERROR_NOT_ENOUGH_REPLICAS;
    }
    enum kw_error error =
        append(partition, MB_ORIGIN_COORDINATOR, mb_log_assign(partition, batch, batch_bytes), result);
    if (error == KW_ERROR_NONE) {
        after_append(partition, result);
    }
    return error;
}

/* --- A follower's fetch --- */

void mb_partition_follower_fetched(struct mb_partition *partition, int32_t follower, int64_t offset,
                                   struct mb_fetch_session *session)
{
    struct mb_remote *remote = mb_partition_remote(partition, follower);
    if (remote == NULL || !partition->is_leader) {
        return;
    }
    int64_t now_ms = mb_now_ms(partition->cluster);
    int64_t leader_end_offset = partition->log.end_offset;
    int64_t old_end_offset = remote->log_end_offset;
    /* Kafka: Replica.updateFetchState. */
    if (offset >= leader_end_offset || KB_PLANTED(ALWAYS_CAUGHT_UP)) {
        remote->last_caught_up_ms = now_ms > remote->last_caught_up_ms ? now_ms : remote->last_caught_up_ms;
    } else if (offset >= remote->last_fetch_leader_end_offset &&
               remote->last_caught_up_ms < remote->last_fetch_ms) {
        remote->last_caught_up_ms = remote->last_fetch_ms;
    }
    mb_check_touch(partition->cluster, partition->tp);
    remote->log_end_offset = offset;
    remote->last_fetch_leader_end_offset = leader_end_offset;
    remote->last_fetch_ms = now_ms;
    if (offset < old_end_offset) {
        mb_partition_watch_lag(partition);
    }
    mb_partition_maybe_expand_isr(partition, remote);
    if (old_end_offset != offset) {
        mb_partition_increment_high_watermark(partition);
    }
    bool is_idle = offset == leader_end_offset && mb_partition_is_in_maximal_isr(partition, follower);
    remote->idle_in = is_idle ? session : NULL;
}
