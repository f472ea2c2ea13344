/*
 * The invariants that the cluster's events show: appends and their answers, high watermarks, leaders, logs
 * that are cut.
 */
#include "engine/invariants_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/assert.h"
#include "wire/api_keys.h"
#include "wire/errors.h"

/* --- Appends --- */

static bool view_of(const struct sim_invariants *invariants, const struct sim_seen_partition *partition,
                    int32_t broker, struct mb_replica_view *view)
{
    return mb_replica_view(sim_world_cluster(invariants->world), broker, partition->name, partition->number,
                           view);
}

static void remember_append(struct sim_invariants *invariants, const struct sim_seen_append *append)
{
    if (invariants->append_count == invariants->append_capacity) {
        invariants->append_capacity = 2 * invariants->append_capacity + 16;
        invariants->appends =
            realloc(invariants->appends, invariants->append_capacity * sizeof *invariants->appends);
        KB_ASSERT(invariants->appends != NULL);
    }
    invariants->appends[invariants->append_count++] = *append;
}

/* The batch that a request has for a partition; NULL: too many requests came since. */
static struct sim_seen_batch *batch_of(struct sim_seen_producer *producer, uint32_t request, uint32_t topic,
                                       int32_t partition)
{
    uint32_t first = producer->carried_count > SIM_RECENT ? producer->carried_count - SIM_RECENT : 0;
    for (uint32_t i = producer->carried_count; i > first; i--) {
        const struct sim_seen_carried *carried = &producer->carried[(i - 1) % SIM_RECENT];
        if (carried->request == request && carried->topic == topic && carried->partition == partition) {
            return sim_seen_batch(producer, carried->batch);
        }
    }
    producer->has_lost_track = true;
    return NULL;
}

static void note_offset(struct sim_seen_batch *batch, int64_t base_offset)
{
    if (batch->offset_count < SIM_OFFSETS_OF_BATCH) {
        batch->offsets[batch->offset_count] = base_offset;
    }
    if (batch->offset_count <= SIM_OFFSETS_OF_BATCH) {
        batch->offset_count++;
    }
}

static void on_appended(struct sim_invariants *invariants, const struct kb_event_leader_appended *event)
{
    struct sim_seen_partition *partition = sim_seen_partition(invariants, event->topic, event->partition);
    struct sim_seen_producer *producer = sim_seen_client(invariants, event->connection);
    if (partition == NULL || producer == NULL) {
        return;
    }
    struct sim_seen_batch *batch = batch_of(producer, event->request, event->topic, event->partition);
    if (batch != NULL) {
        note_offset(batch, event->base_offset);
    }
    if (!producer->is_all) {
        return;
    }
    struct mb_replica_view view;
    if (!invariants->has_fault && view_of(invariants, partition, event->broker, &view) &&
        view.isr_count < partition->min_insync_replicas) {
        SIM_BROKEN(invariants,
                   "rule 11: at %" PRId64 " us broker %d appends for acks=all with %" PRIu32 " in the ISR",
                   invariants->now_us, event->broker, view.isr_count);
    }
    remember_append(invariants, &(struct sim_seen_append){.connection = event->connection,
                                                          .request = event->request,
                                                          .partition = partition,
                                                          .broker = event->broker,
                                                          .last_offset = event->last_offset});
}

/* It waits like the first one. Where it ends is not said: at least where it begins. */
static void on_duplicate(struct sim_invariants *invariants, const struct kb_event_append_duplicate *event)
{
    struct sim_seen_partition *partition = sim_seen_partition(invariants, event->topic, event->partition);
    const struct sim_seen_producer *producer = sim_seen_client(invariants, event->connection);
    if (partition != NULL && producer != NULL && producer->is_all) {
        remember_append(invariants, &(struct sim_seen_append){.connection = event->connection,
                                                              .request = event->request,
                                                              .partition = partition,
                                                              .broker = event->broker,
                                                              .last_offset = event->base_offset});
    }
}

static void on_refused(struct sim_invariants *invariants, const struct kb_event_append_refused *event)
{
    struct sim_seen_producer *producer = sim_seen_client(invariants, event->connection);
    if (producer != NULL && producer->is_none) {
        sim_seen_connection(invariants, event->connection)->is_to_close = true;
    }
    struct sim_seen_batch *batch =
        producer != NULL ? batch_of(producer, event->request, event->topic, event->partition) : NULL;
    if (batch != NULL) {
        batch->refused++;
    }
}

/* --- Answers --- */

/* A broker that froze between the decision and the answer gives it when it thaws, whatever the ISR is by
 * then: DelayedProduce.tryComplete decides a partition once. */
static void on_fault(struct sim_invariants *invariants, const struct kb_event_fault *event)
{
    bool is_decided =
        event->fault == KB_FAULT_KIND_FREEZE &&
        (event->point == KB_FAULT_POINT_AFTER_REPLICATION || event->point == KB_FAULT_POINT_BEFORE_RESPONSE);
    for (uint32_t i = 0; i < invariants->append_count && is_decided; i++) {
        struct sim_seen_append *append = &invariants->appends[i];
        struct mb_replica_view view;
        if (append->connection == event->connection && append->request == event->request &&
            !append->is_decided && view_of(invariants, append->partition, append->broker, &view)) {
            append->is_decided = true;
            append->was_leader = view.is_leader;
            append->decided_isr_count = view.maximal_isr_count;
        }
    }
}

static void check_acknowledged(struct sim_invariants *invariants, const struct sim_seen_append *append,
                               bool is_alone)
{
    struct sim_seen_partition *partition = append->partition;
    struct mb_replica_view view;
    const struct sim_seen_replica *replica = sim_seen_replica(invariants, partition, append->broker);
    if (replica != NULL && replica->high_watermark <= append->last_offset) {
        SIM_BROKEN(invariants,
                   "rule 1: at %" PRId64 " us broker %d acknowledges offset %" PRId64
                   " under acks=all, and its high watermark is %" PRId64,
                   invariants->now_us, append->broker, append->last_offset, replica->high_watermark);
    }
    bool is_known = append->is_decided ||
                    (!invariants->has_fault && view_of(invariants, partition, append->broker, &view));
    bool is_leader = append->is_decided ? append->was_leader : is_known && view.is_leader;
    uint32_t isr_count = append->is_decided ? append->decided_isr_count
                         : is_known         ? view.maximal_isr_count
                                            : 0;
    /* Of several partitions each was decided at its time, which may be long ago. */
    if (is_alone && is_known && (!is_leader || isr_count < partition->min_insync_replicas)) {
        SIM_BROKEN(invariants,
                   "rule 11: at %" PRId64 " us broker %d, which %s, acknowledges under acks=all with %" PRIu32
                   " in the ISR",
                   invariants->now_us, append->broker, is_leader ? "leads" : "does not lead", isr_count);
    }
    if (invariants->is_clean && append->last_offset >= partition->acked_end) {
        partition->acked_end = append->last_offset + 1;
    }
}

static void settle_appends(struct sim_invariants *invariants, const struct kb_event_response_sent *event)
{
    uint32_t kept = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < invariants->append_count; i++) {
        count += invariants->appends[i].connection == event->connection &&
                 invariants->appends[i].request == event->request;
    }
    for (uint32_t i = 0; i < invariants->append_count; i++) {
        const struct sim_seen_append *append = &invariants->appends[i];
        if (append->connection != event->connection || append->request != event->request) {
            invariants->appends[kept++] = *append;
        } else if (event->error == KW_ERROR_NONE) {
            check_acknowledged(invariants, append, count == 1);
        }
    }
    invariants->append_count = kept;
}

static void on_response(struct sim_invariants *invariants, const struct kb_event_response_sent *event)
{
    struct sim_seen_connection *connection = sim_seen_connection(invariants, event->connection);
    struct sim_seen_producer *producer = sim_seen_client(invariants, event->connection);
    if (producer == NULL) {
        return;
    }
    if (event->request + 1 <= connection->answered) {
        SIM_BROKEN(invariants,
                   "rule 14: at %" PRId64 " us request %" PRIu32 " is answered behind a later one",
                   invariants->now_us, event->request);
    }
    connection->answered = event->request + 1;
    connection->answers[connection->answer_count++ % SIM_ANSWERS] =
        (struct sim_seen_answer){event->request, invariants->now_us, invariants->event};
    if (event->error == KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER && invariants->is_clean &&
        !producer->has_failed && !invariants->has_moved) {
        SIM_BROKEN(invariants,
                   "rule 15: at %" PRId64 " us a batch is out of sequence, and none was refused before it",
                   invariants->now_us);
    }
    if (event->error != KW_ERROR_NONE) {
        producer->has_failed = true; /* what was sent behind it comes too early now */
    }
    settle_appends(invariants, event);
}

/* --- Replicas --- */

static void on_high_watermark(struct sim_invariants *invariants, const struct kb_event_hw_advanced *event)
{
    struct sim_seen_partition *partition = sim_seen_partition(invariants, event->topic, event->partition);
    struct sim_seen_replica *replica =
        partition != NULL ? sim_seen_replica(invariants, partition, event->broker) : NULL;
    if (partition != NULL && partition->highest < event->high_watermark) {
        partition->highest = event->high_watermark;
    }
    if (replica != NULL && replica->high_watermark < event->high_watermark) {
        replica->before = replica->high_watermark;
        replica->since_us = invariants->now_us;
        replica->high_watermark = event->high_watermark;
    }
}

/* Clean: whoever leads has everything that was acknowledged. */
static void check_leader(struct sim_invariants *invariants, const struct sim_seen_partition *partition)
{
    struct mb_replica_view view;
    if (invariants->is_clean && partition->leader >= 0 &&
        view_of(invariants, partition, partition->leader, &view) &&
        view.log_end_offset < partition->acked_end) {
        SIM_BROKEN(invariants,
                   "rule 2: at %" PRId64 " us broker %d leads with a log to %" PRId64
                   ", and what was acknowledged under acks=all goes to %" PRId64,
                   invariants->now_us, partition->leader, view.log_end_offset, partition->acked_end);
    }
}

static void on_truncated(struct sim_invariants *invariants, const struct kb_event_log_truncated *event)
{
    struct sim_seen_partition *partition = sim_seen_partition(invariants, event->topic, event->partition);
    struct sim_seen_replica *replica =
        partition != NULL ? sim_seen_replica(invariants, partition, event->broker) : NULL;
    if (replica == NULL) {
        return;
    }
    /* AbstractFetcherThread.processFetchRequest of 3.0.0 takes over the leader's high watermark before it
     * truncates for the diverging epoch of the same answer: that one does not count. */
    int64_t known = replica->since_us == invariants->now_us ? replica->before : replica->high_watermark;
    if (invariants->is_clean && event->end_offset < known) {
        SIM_BROKEN(invariants,
                   "rule 9: at %" PRId64 " us broker %d truncates to %" PRId64
                   ", below its high watermark %" PRId64,
                   invariants->now_us, event->broker, event->end_offset, known);
    }
    if (event->end_offset < replica->high_watermark) {
        replica->high_watermark = event->end_offset;
    }
    if (event->broker == partition->leader) {
        check_leader(invariants, partition);
    }
}

static void on_elected(struct sim_invariants *invariants, const struct kb_event_leader_elected *event)
{
    struct sim_seen_partition *partition = sim_seen_partition(invariants, event->topic, event->partition);
    if (partition == NULL) {
        return;
    }
    if (event->leader_epoch <= partition->leader_epoch && event->leader >= 0) {
        SIM_BROKEN(invariants, "rule 10: at %" PRId64 " us leader epoch %d comes after %d",
                   invariants->now_us, event->leader_epoch, partition->leader_epoch);
    }
    if (invariants->is_clean && event->why == KB_ELECTION_WHY_UNCLEAN) {
        SIM_BROKEN(invariants, "rule 9: at %" PRId64 " us broker %d is elected uncleanly", invariants->now_us,
                   event->leader);
    }
    partition->leader_epoch = event->leader_epoch;
    partition->leader = event->leader;
    invariants->has_moved = invariants->has_moved || event->why != KB_ELECTION_WHY_CREATED;
    check_leader(invariants, partition);
}

static void on_isr(struct sim_invariants *invariants, uint32_t isr_count)
{
    if (isr_count == 0) {
        SIM_BROKEN(invariants, "rule 10: at %" PRId64 " us an ISR is empty", invariants->now_us);
    }
}

static void on_read(struct sim_invariants *invariants, const struct kb_event_consumer_read *event)
{
    const struct sim_seen_partition *partition =
        sim_seen_partition(invariants, event->topic, event->partition);
    if (invariants->is_clean && partition != NULL && event->position > partition->highest) {
        SIM_BROKEN(invariants,
                   "rule 26: at %" PRId64 " us a consumer has read up to offset %" PRId64
                   ", and no high watermark was ever above %" PRId64,
                   invariants->now_us, event->position, partition->highest);
    }
}

/* The leader as the controller sees it has something new. */
static void scan(struct sim_invariants *invariants, uint32_t topic, int32_t number, int32_t broker)
{
    struct sim_seen_partition *partition = sim_seen_partition(invariants, topic, number);
    if (partition != NULL && partition->leader == broker) {
        sim_invariants_scan(invariants, partition);
    }
}

void sim_invariants_of_cluster(struct sim_invariants *invariants, const struct kb_event *event)
{
    switch ((int)event->kind) {
    case KB_EVENT_LEADER_APPENDED:
        on_appended(invariants, &event->as.leader_appended);
        scan(invariants, event->as.leader_appended.topic, event->as.leader_appended.partition,
             event->as.leader_appended.broker);
        break;
    case KB_EVENT_MARKER_APPENDED:
        scan(invariants, event->as.marker_appended.topic, event->as.marker_appended.partition,
             event->as.marker_appended.broker);
        break;
    case KB_EVENT_APPEND_DUPLICATE:
        on_duplicate(invariants, &event->as.append_duplicate);
        break;
    case KB_EVENT_APPEND_REFUSED:
        on_refused(invariants, &event->as.append_refused);
        break;
    case KB_EVENT_FAULT:
        on_fault(invariants, &event->as.fault);
        break;
    case KB_EVENT_RESPONSE_SENT:
        on_response(invariants, &event->as.response_sent);
        break;
    case KB_EVENT_HW_ADVANCED:
        on_high_watermark(invariants, &event->as.hw_advanced);
        break;
    case KB_EVENT_CONSUMER_READ:
        on_read(invariants, &event->as.consumer_read);
        break;
    case KB_EVENT_LOG_TRUNCATED:
        on_truncated(invariants, &event->as.log_truncated);
        break;
    case KB_EVENT_LEADER_ELECTED:
        on_elected(invariants, &event->as.leader_elected);
        break;
    case KB_EVENT_ISR_SHRUNK:
        on_isr(invariants, event->as.isr_shrunk.isr_count);
        break;
    case KB_EVENT_ISR_EXPANDED:
        on_isr(invariants, event->as.isr_expanded.isr_count);
        break;
    default:
        break;
    }
}
