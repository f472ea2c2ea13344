#include "mockbroker/delayed_fetch.h"

#include "base/assert.h"
#include "mockbroker/broker.h"
#include "mockbroker/client_quota.h"
#include "mockbroker/connection.h"
#include "mockbroker/request.h"

#include <string.h>

/* What was read of one partition. Kafka: LogReadResult. */
struct target {
    const struct mb_fetch_spec *spec;
    struct mb_session_partition *part; /* NULL without a session */
    enum kw_error error;
    bool is_diverging;
    struct mb_epoch_end diverging;
    int64_t high_watermark;
    int64_t last_stable_offset;
    int64_t log_start_offset;
    uint32_t first_batch;
    uint32_t batch_count;
    int64_t bytes;
};

/* --- Reading --- */

/* Kafka: ReplicaManager.getPartitionOrError. */
static enum kw_error find_replica(const struct mb_delayed_fetch *fetch, const struct mb_fetch_spec *spec)
{
    if (spec->partition != NULL) {
        return mb_partition_check_epoch(spec->partition, spec->current_leader_epoch, fetch->must_lead);
    }
    return spec->tp != NULL && mb_broker_knows(fetch->request->broker, spec->tp) != NULL
               ? KW_ERROR_NOT_LEADER_OR_FOLLOWER
               : KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
}

/* Has the fetcher something that this log never had? Kafka: Partition.readRecords, lastFetchedEpoch. */
static bool is_diverging(const struct mb_fetch_spec *spec, struct mb_epoch_end *end)
{
    const struct mb_log *log = &spec->partition->log;
    if (spec->last_fetched_epoch < 0) {
        return false;
    }
    *end = mb_epoch_cache_end_offset_for(&log->epochs, spec->last_fetched_epoch, log->end_offset);
    return end->epoch < spec->last_fetched_epoch || end->end_offset < spec->fetch_offset;
}

/* The batches from the fetch offset on, whole ones only: Kafka may cut the last one off in the middle, and
 * every client drops such a piece. Kafka: Log.read. */
static void choose_batches(const struct mb_delayed_fetch *fetch, struct target *target, int64_t limit_bytes,
                           bool at_least_one)
{
    const struct mb_log *log = &target->spec->partition->log;
    int64_t end_offset = mb_partition_fetch_limit(target->spec->partition, fetch->isolation);
    uint32_t index = mb_log_find(log, target->spec->fetch_offset);
    target->first_batch = index;
    for (; index < log->count; index++) {
        const struct mb_log_entry *entry = mb_log_entry_at(log, index);
        bool fits = target->bytes + entry->block->size_bytes <= limit_bytes ||
                    (at_least_one && target->batch_count == 0);
        if (entry->base_offset >= end_offset || !fits) {
            return;
        }
        target->bytes += entry->block->size_bytes;
        target->batch_count++;
    }
}

static void read_target(const struct mb_delayed_fetch *fetch, struct target *target, int64_t limit_bytes,
                        bool at_least_one)
{
    const struct mb_fetch_spec *spec = target->spec;
    target->high_watermark = -1;
    target->last_stable_offset = -1;
    target->log_start_offset = -1;
    target->error = find_replica(fetch, spec);
    if (target->error != KW_ERROR_NONE) {
        return;
    }
    const struct mb_log *log = &spec->partition->log;
    struct mb_epoch_end end = {0, 0};
    bool diverges = is_diverging(spec, &end);
    if (spec->last_fetched_epoch >= 0 &&
        (end.epoch == MB_UNDEFINED_EPOCH || end.end_offset == MB_UNDEFINED_EPOCH_OFFSET)) {
        target->error = KW_ERROR_OFFSET_OUT_OF_RANGE;
        return;
    }
    if (spec->fetch_offset < log->start_offset || (!diverges && spec->fetch_offset > log->end_offset)) {
        target->error = KW_ERROR_OFFSET_OUT_OF_RANGE;
        return;
    }
    target->high_watermark = log->high_watermark;
    target->last_stable_offset = mb_log_last_stable_offset(log);
    target->log_start_offset = log->start_offset;
    if (diverges) {
        target->is_diverging = true;
        target->diverging = end;
        return;
    }
    if (fetch->is_follower && mb_partition_remote(spec->partition, fetch->follower) == NULL) {
        return; /* not one of the assignment: nothing is read for it */
    }
    choose_batches(fetch, target, limit_bytes < spec->max_bytes ? limit_bytes : spec->max_bytes,
                   at_least_one);
}

/* Kafka: ReplicaManager.readFromLocalLog. */
static struct target *read_all(struct mb_delayed_fetch *fetch, uint32_t *count)
{
    struct mb_fetch_session *session = fetch->session;
    uint32_t total = session != NULL ? session->dirty_count : fetch->wait_count;
    struct target *targets = mb_request_take(fetch->request, total, sizeof *targets);
    struct kb_list_node *node = session != NULL ? kb_list_first(&session->dirty) : NULL;
    int64_t left_bytes = fetch->max_bytes;
    bool at_least_one = !fetch->has_hard_limit;
    for (uint32_t i = 0; i < total; i++) {
        if (session != NULL) {
            targets[i].part = KB_CONTAINER_OF(node, struct mb_session_partition, of_dirty);
            mb_session_partition_attach(targets[i].part);
            targets[i].spec = &targets[i].part->spec;
            node = kb_list_next(&session->dirty, node);
        } else {
            targets[i].spec = &fetch->waits[i].spec;
        }
        read_target(fetch, &targets[i], left_bytes, at_least_one);
        if (targets[i].bytes > 0) {
            at_least_one = false;
        }
        left_bytes = left_bytes > targets[i].bytes ? left_bytes - targets[i].bytes : 0;
    }
    *count = total;
    return targets;
}

/* --- Answering --- */

static struct kw_bytes gather(struct mb_request *request, struct mb_pending_output *output,
                              const struct target *target)
{
    static const uint8_t nothing[1];
    const struct linger_allocator *allocator = request->cluster->allocator;
    if (target->batch_count == 0) {
        return (struct kw_bytes){nothing, 0};
    }
    const struct mb_log *log = &target->spec->partition->log;
    struct mb_block *block = mb_log_entry_at(log, target->first_batch)->block;
    if (target->batch_count == 1) {
        mb_output_hold(allocator, output, block);
        return (struct kw_bytes){block->bytes, (int32_t)block->size_bytes};
    }
    /* The records of a partition are one range of bytes: several batches are put together. */
    struct mb_block *joined = mb_take(allocator, sizeof *joined + (size_t)target->bytes);
    joined->references = 1;
    joined->size_bytes = (uint32_t)target->bytes;
    size_t length_bytes = 0;
    for (uint32_t i = 0; i < target->batch_count; i++) {
        block = mb_log_entry_at(log, target->first_batch + i)->block;
        memcpy(joined->bytes + length_bytes, block->bytes, block->size_bytes);
        length_bytes += block->size_bytes;
    }
    mb_output_hold(allocator, output, joined);
    mb_block_drop(allocator, joined);
    return (struct kw_bytes){joined->bytes, (int32_t)joined->size_bytes};
}

/* Kafka: CachedPartition.maybeUpdateResponseData: what a session need not be told. */
static bool must_mention(const struct mb_delayed_fetch *fetch, const struct target *target)
{
    const struct mb_session_partition *part = target->part;
    return part == NULL || fetch->is_full || target->error != KW_ERROR_NONE || target->is_diverging ||
           target->bytes > 0 || part->told_high_watermark != target->high_watermark ||
           part->told_log_start_offset != target->log_start_offset;
}

/* Those that reach into what is read: the consumer leaves out the records of each from its first offset to
 * its marker. Kafka: Log.addAbortedTransactions, LogSegment.collectAbortedTxns. */
static void list_aborted(struct mb_request *request, const struct target *target,
                         struct kw_fetch_response_partition *out)
{
    const struct mb_log *log = &target->spec->partition->log;
    const struct mb_producer_states *states = &log->producers;
    out->aborted_transactions.count = 0;
    if (target->batch_count == 0) {
        return;
    }
    int64_t end_offset = mb_log_entry_at(log, target->first_batch + target->batch_count - 1)->last_offset + 1;
    uint32_t first = mb_producer_states_find_aborted(states, target->spec->fetch_offset);
    out->aborted_transactions.items =
        mb_request_take(request, states->aborted_count - first, sizeof *out->aborted_transactions.items);
    for (uint32_t i = first; i < states->aborted_count; i++) {
        const struct mb_aborted_transaction *aborted = &states->aborted[i];
        if (aborted->first_offset < end_offset) {
            struct kw_fetch_response_aborted_transaction *entry =
                &out->aborted_transactions.items[out->aborted_transactions.count++];
            kw_fetch_response_aborted_transaction_init(entry);
            entry->producer_id = aborted->producer_id;
            entry->first_offset = aborted->first_offset;
        }
    }
}

static void fill(struct mb_delayed_fetch *fetch, struct mb_pending_output *output,
                 const struct target *target, int32_t injected, struct kw_fetch_response_partition *out)
{
    struct mb_request *request = fetch->request;
    kw_fetch_response_partition_init(out);
    out->partition_index = target->spec->index;
    out->error_code = (int16_t)(injected != 0 ? injected : target->error);
    out->high_watermark = target->high_watermark;
    out->last_stable_offset = target->last_stable_offset;
    out->log_start_offset = target->log_start_offset;
    out->aborted_transactions.count = -1;
    if (target->is_diverging) {
        out->diverging_epoch.epoch = target->diverging.epoch;
        out->diverging_epoch.end_offset = target->diverging.end_offset;
    }
    if (fetch->isolation == MB_FETCH_COMMITTED && !target->is_diverging && out->error_code == KW_ERROR_NONE) {
        list_aborted(request, target, out);
    }
    struct target nothing = {0};
    out->records = gather(request, output, injected != 0 ? &nothing : target);
}

/* The session knows now what it was told, and what of it needs no more looking at. */
static void settle_part(const struct mb_delayed_fetch *fetch, const struct target *target, bool is_mentioned)
{
    struct mb_session_partition *part = target->part;
    if (part == NULL) {
        return;
    }
    if (is_mentioned) {
        bool is_fine = target->error == KW_ERROR_NONE && !target->is_diverging;
        part->told_high_watermark = is_fine ? target->high_watermark : -1;
        part->told_log_start_offset = is_fine ? target->log_start_offset : -1;
    }
    mb_session_partition_unmark(part);
    const struct mb_partition *partition = part->spec.partition;
    const struct mb_remote *remote =
        partition == NULL ? NULL : mb_partition_remote(partition, fetch->follower);
    bool is_clean = remote != NULL && remote->idle_in == fetch->session &&
                    part->told_high_watermark == partition->log.high_watermark &&
                    part->told_log_start_offset == partition->log.start_offset;
    if (!is_clean) {
        mb_session_partition_mark(part); /* at the end: everybody's turn comes */
    }
}

static bool is_same_topic(struct kw_string a, struct kw_string b)
{
    return a.length_bytes == b.length_bytes &&
           (a.length_bytes <= 0 || memcmp(a.data, b.data, (size_t)a.length_bytes) == 0);
}

/* A consumer that goes over its quota gets nothing, and what it would have got does not count. Kafka:
 * KafkaApis.handleFetchRequest, FetchContext.getThrottledResponse. */
static bool is_over_quota(struct mb_request *request, struct kw_fetch_response *response)
{
    enum { LENGTH_FIELD_BYTES = 4 }; /* Kafka: FetchResponse.sizeOf counts it, and no header */
    size_t body_bytes = 0;
    struct kw_message_error error;
    if (request->quota_sensor == NULL) {
        return false;
    }
    enum kw_message_status status =
        kw_message_size(request->api->response, request->version, response, &body_bytes, NULL, &error);
    KB_ASSERT(status == KW_MESSAGE_OK);
    int64_t bytes = (int64_t)body_bytes + LENGTH_FIELD_BYTES;
    int32_t throttle_ms = mb_quota_record(request, MB_QUOTA_FETCH, bytes);
    if (throttle_ms <= request->throttle_ms) {
        return false;
    }
    mb_quota_unrecord(request, MB_QUOTA_FETCH, bytes);
    mb_quota_throttle(request, MB_QUOTA_FETCH, throttle_ms);
    request->throttle_ms = throttle_ms;
    response->throttle_time_ms = throttle_ms;
    response->responses.count = 0;
    return true;
}

static void respond(struct mb_delayed_fetch *fetch, const struct target *targets, uint32_t count)
{
    struct mb_request *request = fetch->request;
    struct mb_pending_output *output = mb_request_begin_response(request);
    struct kw_fetch_response response;
    kw_fetch_response_init(&response);
    response.throttle_time_ms = request->throttle_ms;
    response.session_id = fetch->session != NULL ? fetch->session->id : 0;
    response.responses.items = mb_request_take(request, count, sizeof *response.responses.items);
    struct kw_fetch_response_partition *partitions = mb_request_take(request, count, sizeof *partitions);
    struct kw_fetch_response_topic *topic = NULL;
    uint32_t used = 0;
    int32_t error = KW_ERROR_NONE;
    for (uint32_t i = 0; i < count; i++) {
        const struct target *target = &targets[i];
        bool is_mentioned = must_mention(fetch, target);
        if (is_mentioned) {
            if (topic == NULL || !is_same_topic(topic->topic, target->spec->topic)) {
                topic = &response.responses.items[response.responses.count++];
                kw_fetch_response_topic_init(topic);
                topic->topic = target->spec->topic;
                topic->partitions.items = &partitions[used];
            }
            int32_t injected =
                mb_strike_error(request, topic->topic.data, topic->topic.length_bytes, target->spec->index);
            fill(fetch, output, target, injected, &partitions[used]);
            error = partitions[used].error_code != 0 ? partitions[used].error_code : error;
            used++;
            topic->partitions.count++;
        }
        settle_part(fetch, target, is_mentioned);
    }
    if (!fetch->is_follower && is_over_quota(request, &response)) {
        mb_output_destroy(request->cluster->allocator, output);
        output = NULL;
    }
    mb_request_respond(request, &response, error, output);
}

/* --- Waiting --- */

static void unpark(struct mb_delayed_fetch *fetch)
{
    for (uint32_t i = 0; i < fetch->wait_count; i++) {
        if (kb_list_node_is_linked(&fetch->waits[i].of_partition)) {
            kb_list_remove(&fetch->waits[i].of_partition);
        }
    }
    if (fetch->session != NULL) {
        fetch->session->parked = NULL;
    }
    mb_timer_cancel(fetch->request->cluster, &fetch->expiry);
    fetch->request->fetch = NULL;
}

/* Whatever is there now is the answer. Kafka: DelayedFetch.onComplete. */
static void complete(struct mb_delayed_fetch *fetch)
{
    uint32_t count = 0;
    unpark(fetch);
    struct target *targets = read_all(fetch, &count);
    respond(fetch, targets, count);
}

static void expire(struct mb_cluster *cluster, struct mb_timer *timer)
{
    (void)cluster;
    complete(KB_CONTAINER_OF(timer, struct mb_delayed_fetch, expiry));
}

/* What one partition contributes; -1: the wait is over at once. A new high watermark alone is nothing to a
 * follower. */
static int64_t available_bytes(const struct mb_delayed_fetch *fetch, const struct mb_fetch_spec *spec)
{
    struct mb_epoch_end end;
    if (find_replica(fetch, spec) != KW_ERROR_NONE || is_diverging(spec, &end)) {
        return -1;
    }
    int64_t bytes = mb_log_bytes_between(&spec->partition->log, spec->fetch_offset,
                                         mb_partition_fetch_limit(spec->partition, fetch->isolation));
    return bytes < spec->max_bytes ? bytes : spec->max_bytes;
}

bool mb_delayed_fetch_try(struct mb_delayed_fetch *fetch)
{
    int64_t total_bytes = 0;
    bool is_over = false;
    if (fetch->session != NULL) {
        KB_LIST_FOR_EACH(node, &fetch->session->dirty)
        {
            const struct mb_session_partition *part =
                KB_CONTAINER_OF(node, struct mb_session_partition, of_dirty);
            int64_t bytes = available_bytes(fetch, &part->spec);
            is_over = is_over || bytes < 0;
            total_bytes += bytes;
        }
    } else {
        for (uint32_t i = 0; i < fetch->wait_count; i++) {
            int64_t bytes = available_bytes(fetch, &fetch->waits[i].spec);
            is_over = is_over || bytes < 0;
            total_bytes += bytes;
        }
    }
    if (!is_over && total_bytes < fetch->min_bytes) {
        return false;
    }
    complete(fetch);
    return true;
}

bool mb_delayed_fetch_try_changed(struct mb_delayed_fetch *fetch, const struct mb_fetch_spec *changed)
{
    /* It waits, so that all the others together have too little; nearly always that is nothing at all. */
    bool is_out_of_question = fetch->min_bytes <= 1 && available_bytes(fetch, changed) == 0;
    return !is_out_of_question && mb_delayed_fetch_try(fetch);
}

void mb_delayed_fetch_cancel(struct mb_delayed_fetch *fetch)
{
    unpark(fetch);
}

static void park(struct mb_delayed_fetch *fetch, int32_t max_wait_ms)
{
    struct mb_cluster *cluster = fetch->request->cluster;
    fetch->request->fetch = fetch;
    fetch->expiry = (struct mb_timer){.fire = expire, .broker = fetch->request->broker};
    for (uint32_t i = 0; i < fetch->wait_count; i++) {
        if (fetch->waits[i].spec.partition != NULL) {
            kb_list_push_back(&fetch->waits[i].spec.partition->fetches, &fetch->waits[i].of_partition);
        }
    }
    if (fetch->session != NULL) {
        fetch->session->parked = fetch;
    }
    mb_timer_set(cluster, &fetch->expiry, cluster->now_us + (int64_t)max_wait_ms * 1000);
}

void mb_delayed_fetch_begin(struct mb_delayed_fetch *fetch, int32_t max_wait_ms)
{
    uint32_t count = 0;
    struct target *targets = read_all(fetch, &count);
    int64_t bytes = 0;
    bool is_over = fetch->session != NULL ? kb_list_is_empty(&fetch->session->all) : count == 0;
    for (uint32_t i = 0; i < count; i++) {
        bool is_fine = targets[i].error == KW_ERROR_NONE && !targets[i].is_diverging;
        is_over = is_over || !is_fine;
        bytes += targets[i].bytes;
        if (is_fine && fetch->is_follower) {
            /* After the read: the answer carries the high watermark from before this fetch. */
            mb_partition_follower_fetched(targets[i].spec->partition, fetch->follower,
                                          targets[i].spec->fetch_offset, fetch->session);
        }
    }
    bool has_injected = fetch->request->fault.is_struck && fetch->request->fault.kind == MB_FAULT_ERROR;
    if (max_wait_ms <= 0 || is_over || bytes >= fetch->min_bytes || has_injected) {
        respond(fetch, targets, count);
    } else {
        park(fetch, max_wait_ms);
    }
}
