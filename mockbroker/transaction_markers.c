/* The end of a transaction, partition by partition: the coordinator tells each leader, the leader appends a
 * control batch, and when all of them are replicated the transaction is complete.
 *
 * WriteTxnMarkers is a typed message here, not bytes. A marker may be written twice, when the answer to the
 * first one was lost: the second one ends nothing.
 *
 * Kafka: TransactionMarkerChannelManager, TransactionMarkerRequestCompletionHandler,
 * KafkaApis.handleWriteTxnMarkersRequest, MemoryRecords.withEndTransactionMarker. */

#include "base/assert.h"
#include "base/planted.h"
#include "mockbroker/broker.h"
#include "mockbroker/coordinator.h"
#include "mockbroker/group_coordinator.h"
#include "mockbroker/transaction_coordinator.h"

#include <string.h>

enum {
    RETRY_US = 100000,
    REQUEST_TIMEOUT_MS = 30000, /* the brokers' request.timeout.ms */
    CONTROL_KEY_BYTES = 4,
    MARKER_VALUE_BYTES = 6,
};

/* --- The coordinator --- */

static void retry_later(struct mb_txn *txn)
{
    struct mb_cluster *cluster = txn->shard->partition->cluster;
    mb_timer_set(cluster, &txn->retry, cluster->now_us + RETRY_US);
}

void mb_txn_begin_markers(struct mb_txn *txn)
{
    for (uint32_t i = 0; i < txn->now.partition_count; i++) {
        txn->partitions[i].progress = MB_MARKER_TO_SEND;
    }
    /* Kafka: prepareComplete: from here on the completion is pending. */
    txn->is_pending = true;
    txn->is_fence = false;
    txn->next = txn->now;
    txn->next.state =
        txn->now.state == MB_TXN_PREPARE_COMMIT ? MB_TXN_COMPLETE_COMMIT : MB_TXN_COMPLETE_ABORT;
    txn->next.last_update_ms = mb_now_ms(txn->shard->partition->cluster);
    txn->next.partition_count = 0;
    mb_txn_send_markers(txn);
}

/* Index of the broker that leads, as far as this one knows; -1: nobody alive. */
static int32_t leader_of(const struct mb_broker *broker, const struct mb_topic_partition *tp)
{
    const struct mb_partition_state *state = mb_broker_knows(broker, tp);
    return state != NULL && state->leader >= 0 && broker->alive[state->leader] ? state->leader : -1;
}

static void send_to(struct mb_txn *txn, int32_t leader)
{
    struct mb_broker *broker = txn->shard->partition->broker;
    struct mb_cluster *cluster = broker->cluster;
    struct mb_control *control = NULL;
    for (uint32_t i = 0; i < txn->now.partition_count; i++) {
        struct mb_txn_partition *part = &txn->partitions[i];
        if (part->progress != MB_MARKER_TO_SEND || leader_of(broker, part->tp) != leader) {
            continue;
        }
        if (control == NULL) {
            control = mb_control_create(cluster, MB_CONTROL_TXN_MARKERS, broker->index, leader);
        }
        mb_control_add(cluster, control, part->tp, NULL, 0);
        part->progress = MB_MARKER_SENT;
        part->broker = leader;
        part->incarnation = cluster->brokers[leader].incarnation;
    }
    if (control != NULL) {
        control->transactions = txn->shard->partition->tp;
        control->marker = (struct mb_marker){
            .producer_id = txn->now.producer_id,
            .producer_epoch = txn->now.producer_epoch,
            .coordinator_epoch = txn->shard->coordinator_epoch,
            .is_commit = txn->now.state == MB_TXN_PREPARE_COMMIT,
        };
        mb_control_send(cluster, control);
    }
}

void mb_txn_send_markers(struct mb_txn *txn)
{
    struct mb_broker *broker = txn->shard->partition->broker;
    bool is_waiting = false;
    bool has_no_leader = false;
    for (uint32_t i = 0; i < broker->cluster->broker_count; i++) {
        send_to(txn, (int32_t)i);
    }
    for (uint32_t i = 0; i < txn->now.partition_count; i++) {
        is_waiting = is_waiting || txn->partitions[i].progress != MB_MARKER_WRITTEN;
        has_no_leader = has_no_leader || txn->partitions[i].progress == MB_MARKER_TO_SEND;
    }
    if (!is_waiting) {
        mb_txn_complete(txn);
    } else if (has_no_leader) {
        retry_later(txn);
    }
}

/* Is this transaction between its decision and its completion? */
static bool awaits_markers(const struct mb_txn *txn)
{
    return txn->is_pending && txn->wait.partition == NULL &&
           (txn->now.state == MB_TXN_PREPARE_COMMIT || txn->now.state == MB_TXN_PREPARE_ABORT);
}

/* Kafka: NetworkClient notices that a broker is gone: its markers are sent to the next leader. */
static void look_again(struct mb_txn *txn)
{
    const struct mb_broker *broker = txn->shard->partition->broker;
    const struct mb_cluster *cluster = broker->cluster;
    bool has_lost = false;
    for (uint32_t i = 0; i < txn->now.partition_count; i++) {
        struct mb_txn_partition *part = &txn->partitions[i];
        if (part->progress == MB_MARKER_SENT &&
            (leader_of(broker, part->tp) != part->broker ||
             cluster->brokers[part->broker].incarnation != part->incarnation)) {
            part->progress = MB_MARKER_TO_SEND;
            has_lost = true;
        }
    }
    if (has_lost) {
        mb_txn_send_markers(txn);
    }
}

void mb_transactions_look_again(struct mb_partition *partition)
{
    if (partition->transactions == NULL) {
        return;
    }
    KB_LIST_FOR_EACH(node, &partition->transactions->transactions)
    {
        struct mb_txn *txn = KB_CONTAINER_OF(node, struct mb_txn, of_shard);
        if (awaits_markers(txn)) {
            look_again(txn);
        }
    }
}

/* The transaction that a message is about, if this broker still coordinates it; else NULL. */
static struct mb_txn *find_subject(struct mb_broker *broker, const struct mb_control *control)
{
    struct mb_partition *partition = mb_partition_online(broker, control->transactions);
    struct mb_txn_shard *shard = partition == NULL ? NULL : partition->transactions;
    if (shard == NULL || shard->coordinator_epoch != control->marker.coordinator_epoch) {
        return NULL;
    }
    KB_LIST_FOR_EACH(node, &shard->transactions)
    {
        struct mb_txn *txn = KB_CONTAINER_OF(node, struct mb_txn, of_shard);
        if (txn->now.producer_id == control->marker.producer_id &&
            txn->now.producer_epoch == control->marker.producer_epoch && awaits_markers(txn)) {
            return txn;
        }
    }
    return NULL;
}

static struct mb_txn_partition *part_of(struct mb_txn *txn, const struct mb_topic_partition *tp)
{
    for (uint32_t i = 0; i < txn->now.partition_count; i++) {
        if (txn->partitions[i].tp == tp) {
            return &txn->partitions[i];
        }
    }
    return NULL;
}

void mb_txn_markers_lost(struct mb_cluster *cluster, struct mb_control *control)
{
    struct mb_txn *txn = find_subject(&cluster->brokers[control->from], control);
    for (uint32_t i = 0; i < control->item_count && txn != NULL; i++) {
        struct mb_txn_partition *part = part_of(txn, control->items[i].tp);
        if (part != NULL && part->progress == MB_MARKER_SENT && part->broker == control->to) {
            part->progress = MB_MARKER_TO_SEND;
        }
    }
    mb_control_destroy(cluster, control);
    if (txn != NULL) {
        retry_later(txn);
    }
}

void mb_txn_receive_markers_done(struct mb_broker *broker, struct mb_control *control)
{
    struct mb_txn *txn = find_subject(broker, control);
    bool is_cancelled = false;
    bool must_retry = false;
    for (uint32_t i = 0; i < control->item_count && txn != NULL; i++) {
        const struct mb_control_item *item = &control->items[i];
        struct mb_txn_partition *part = part_of(txn, item->tp);
        if (part == NULL || part->progress == MB_MARKER_WRITTEN) {
            continue;
        }
        if (item->error == KW_ERROR_NONE) {
            part->progress = MB_MARKER_WRITTEN;
        } else if (item->error == KW_ERROR_INVALID_PRODUCER_EPOCH ||
                   item->error == KW_ERROR_TRANSACTION_COORDINATOR_FENCED) {
            /* Somebody newer has taken over: the markers are no longer this coordinator's to write. */
            is_cancelled = true;
        } else {
            part->progress = MB_MARKER_TO_SEND;
            must_retry = true;
        }
    }
    mb_control_destroy(broker->cluster, control);
    if (txn == NULL || is_cancelled) {
        return;
    }
    if (must_retry) {
        retry_later(txn);
    } else {
        mb_txn_send_markers(txn);
    }
}

/* --- The leader of a partition --- */

struct job;

struct job_item {
    struct mb_append_wait wait;
    struct job *job;
    uint32_t index;
};

/* One message with markers, until all of them are replicated or refused. */
struct job {
    struct mb_broker *broker;
    struct mb_control *control; /* its items carry the errors */
    uint32_t waiting;
    bool is_forgotten;
    struct job_item items[];
};

static void finish_job(struct job *job)
{
    struct mb_broker *broker = job->broker;
    struct mb_cluster *cluster = broker->cluster;
    struct mb_control *control = job->control;
    if (!job->is_forgotten) {
        struct mb_control *done =
            mb_control_create(cluster, MB_CONTROL_TXN_MARKERS_DONE, broker->index, control->from);
        for (uint32_t i = 0; i < control->item_count; i++) {
            mb_control_add(cluster, done, control->items[i].tp, NULL, control->items[i].error);
        }
        done->transactions = control->transactions;
        done->marker = control->marker;
        mb_control_send(cluster, done);
    }
    mb_give(cluster->allocator, job, sizeof *job + control->item_count * sizeof job->items[0]);
    mb_control_destroy(cluster, control);
}

static void item_done(struct job_item *item, enum kw_error error)
{
    struct job *job = item->job;
    struct mb_control_item *marked = &job->control->items[item->index];
    marked->error = (int32_t)error;
    job->is_forgotten = job->is_forgotten || error == MB_WAIT_FORGOTTEN;
    if (error == KW_ERROR_NONE && marked->tp->topic->kind == MB_TOPIC_CONSUMER_OFFSETS) {
        struct mb_partition *partition = mb_partition_online(job->broker, marked->tp);
        mb_groups_transaction_ended(partition, job->control->marker.producer_id,
                                    job->control->marker.is_commit);
    }
    if (--job->waiting == 0) {
        finish_job(job);
    }
}

static void is_replicated(struct mb_append_wait *wait, enum kw_error error)
{
    item_done(KB_CONTAINER_OF(wait, struct job_item, wait), error);
}

static void announce(const struct mb_partition *partition, const struct mb_marker *marker, int64_t offset)
{
    const struct mb_topic_partition *tp = partition->tp;
    KB_TRACE(tp->topic->trace, 0, MARKER_APPENDED, marker_appended, .offset = offset,
             .producer_id = marker->producer_id, .broker = partition->broker->id,
             .topic = tp->topic->trace_name, .partition = tp->index,
             .marker = marker->is_commit ? KB_MARKER_COMMIT : KB_MARKER_ABORT);
}

/* Kafka: MemoryRecords.withEndTransactionMarker: key {version, type}, value {version, coordinator epoch}. */
static enum kw_error append_marker(struct mb_partition *partition, const struct mb_marker *marker,
                                   struct mb_append_wait *wait)
{
    uint8_t key[CONTROL_KEY_BYTES] = {0};
    uint8_t value[MARKER_VALUE_BYTES] = {0};
    kw_store_i16(key + 2, marker->is_commit != KB_PLANTED(MARKER_REVERSED));
    kw_store_i32(value + 2, marker->coordinator_epoch);
    struct kw_record_fields record = {.key = {key, sizeof key}, .value = {value, sizeof value}};
    struct mb_coordinator_batch batch = {
        .records = &record,
        .record_count = 1,
        .producer_id = marker->producer_id,
        .producer_epoch = marker->producer_epoch,
        .is_control = true,
    };
    int64_t offset = partition->log.end_offset;
    enum kw_error error = mb_coordinator_append(partition, &batch, wait, REQUEST_TIMEOUT_MS);
    if (error == KW_ERROR_NONE) {
        announce(partition, marker, offset);
    }
    return error;
}

void mb_txn_receive_markers(struct mb_broker *broker, struct mb_control *control)
{
    struct job *job =
        mb_take(broker->cluster->allocator, sizeof *job + control->item_count * sizeof job->items[0]);
    job->broker = broker;
    job->control = control;
    job->waiting = control->item_count;
    uint32_t count = control->item_count; /* the job is gone with its last item */
    for (uint32_t i = 0; i < count; i++) {
        struct job_item *item = &job->items[i];
        struct mb_partition *partition = mb_partition_online(broker, control->items[i].tp);
        item->wait.done = is_replicated;
        item->job = job;
        item->index = i;
        if (KB_PLANTED(MARKER_MISSING) && !control->marker.is_commit) {
            item_done(item, KW_ERROR_NONE);
            continue;
        }
        enum kw_error error = partition == NULL ? KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION
                                                : append_marker(partition, &control->marker, &item->wait);
        if (error != KW_ERROR_NONE) {
            item_done(item, error);
        }
    }
}
