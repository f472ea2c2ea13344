/*
 * From events to batches in logs, and from what became of them to verdicts.
 */
#include "model/verdicts.h"

#include <stdlib.h>
#include <string.h>

#include "model/verdicts_state.h"

enum { PRODUCE_API = 0 };

const char *model_fate_name(enum model_fate_kind kind)
{
    static const char *const names[MODEL_FATE_KINDS] = {"lost after ack", "duplicate", "reordered",
                                                        "false failure"};
    return names[kind];
}

/* --- Batches
 * -------------------------------------------------------------------------------------------------------- */

struct fate_batch *fate_batch_of_id(struct sim_verdicts *verdicts, uint32_t id)
{
    struct fate_batch *found = &verdicts->batches[id % FATE_BATCHES];
    return id != FATE_NONE && found->id == id ? found : NULL;
}

struct fate_batch *fate_batch_of_number(struct sim_verdicts *verdicts, uint32_t producer, uint32_t number)
{
    if (producer >= SIM_PRODUCERS_MAX || verdicts->by_number[producer] == NULL) {
        return NULL;
    }
    struct fate_batch *found =
        fate_batch_of_id(verdicts, verdicts->by_number[producer][number % FATE_BATCHES]);
    return found != NULL && found->number == number && found->producer == producer ? found : NULL;
}

static struct fate_batch *add_batch(struct sim_verdicts *verdicts, uint32_t producer, uint32_t number,
                                    uint32_t topic, int32_t partition)
{
    const struct fate_partition *there = fate_partition_of(verdicts, topic, partition);
    if (there == NULL || producer >= SIM_PRODUCERS_MAX) {
        return NULL;
    }
    if (verdicts->by_number[producer] == NULL) {
        verdicts->by_number[producer] = malloc(FATE_BATCHES * sizeof(uint32_t));
        if (verdicts->by_number[producer] == NULL) {
            verdicts->is_out_of_memory = true;
            return NULL;
        }
        memset(verdicts->by_number[producer], 0xff, FATE_BATCHES * sizeof(uint32_t));
    }
    uint32_t id = verdicts->batch_count++;
    struct fate_batch *batch = &verdicts->batches[id % FATE_BATCHES];
    *batch = (struct fate_batch){
        .order = verdicts->sequence,
        .offset = -1,
        .copy_offset = -1,
        .producer_id = -1,
        .id = id,
        .number = number,
        .first_record = UINT32_MAX,
        .last_record = UINT32_MAX,
        .verdict = FATE_NONE,
        .lateness = FATE_NONE,
        .partition = (uint32_t)(there - verdicts->partitions),
        .producer = (uint8_t)producer,
        .transaction = verdicts->is_in_transaction[producer] ? FATE_UNDECIDED : FATE_NOT_IN_ONE,
    };
    verdicts->by_number[producer][number % FATE_BATCHES] = id;
    return batch;
}

/* --- Verdicts
 * ------------------------------------------------------------------------------------------------------- */

static uint32_t add_fate(struct sim_verdicts *verdicts, const struct fate_batch *batch,
                         enum model_fate_kind kind)
{
    verdicts->fates_seen++;
    if (verdicts->fate_count == MODEL_FATES_MAX) {
        return FATE_NONE;
    }
    const struct fate_partition *partition = &verdicts->partitions[batch->partition];
    verdicts->fates[verdicts->fate_count] = (struct model_fate){
        .event = verdicts->sequence,
        .told_event = batch->told_event,
        .retry_event = batch->retry_event,
        .appended_event = batch->appended_event,
        .offset = batch->offset,
        .copy_offset = batch->copy_offset,
        .batch = batch->number,
        .records = batch->records,
        .first_record = batch->first_record,
        .last_record = batch->last_record,
        .topic = partition->topic,
        .partition = partition->partition,
        .broker = partition->counted >= 0 ? partition->replicas[partition->counted].broker : -1,
        .error = batch->error,
        .kind = (uint8_t)kind,
        .producer = batch->producer,
        .acks = batch->acks,
    };
    return verdicts->fate_count++;
}

static void undo(struct sim_verdicts *verdicts, uint32_t *place)
{
    if (*place != FATE_NONE) {
        verdicts->fates[*place].undone_event = verdicts->sequence;
        *place = FATE_NONE;
    }
}

/* What the ledger would say if the run ended here; MODEL_FATE_KINDS: nothing remarkable. */
static enum model_fate_kind fate_of(const struct fate_batch *batch)
{
    bool is_visible = batch->transaction == FATE_NOT_IN_ONE || batch->transaction == FATE_COMMITTED;
    if (batch->told == FATE_TOLD_ACKED && batch->copies == 0) {
        /* With acks=0 the producer goes on before anybody has read the request. */
        bool may_come = batch->acks == 0 && !batch->was_appended && !batch->is_gone;
        return may_come ? MODEL_FATE_KINDS : MODEL_FATE_LOST;
    }
    if (batch->told == FATE_TOLD_FAILED) {
        return batch->copies > 0 && is_visible ? MODEL_FATE_FALSE_FAILURE : MODEL_FATE_KINDS;
    }
    return batch->copies > 1 ? MODEL_FATE_DUPLICATE : MODEL_FATE_KINDS;
}

void fate_judge(struct sim_verdicts *verdicts, struct fate_batch *batch)
{
    enum model_fate_kind kind = fate_of(batch);
    if (batch->verdict != FATE_NONE && verdicts->fates[batch->verdict].kind == kind) {
        return;
    }
    undo(verdicts, &batch->verdict);
    if (kind != MODEL_FATE_KINDS) {
        batch->verdict = add_fate(verdicts, batch, kind);
    }
}

void fate_find_late(struct sim_verdicts *verdicts, struct fate_batch *batch, uint32_t overtaken_by,
                    int64_t before_offset)
{
    if (batch->lateness != FATE_NONE) {
        return;
    }
    batch->lateness = add_fate(verdicts, batch, MODEL_FATE_REORDERED);
    if (batch->lateness != FATE_NONE) {
        verdicts->fates[batch->lateness].overtaken_by = overtaken_by;
        verdicts->fates[batch->lateness].copy_offset = before_offset;
    }
}

void fate_undo_late(struct sim_verdicts *verdicts, struct fate_batch *batch)
{
    undo(verdicts, &batch->lateness);
}

/* --- The producer's side
 * -------------------------------------------------------------------------------------------- */

static void record_appended(struct sim_verdicts *verdicts, const struct kb_event *event)
{
    const struct kb_event_record_appended *appended = &event->as.record_appended;
    struct fate_batch *batch = fate_batch_of_number(verdicts, event->source, appended->batch);
    if (batch == NULL) {
        return;
    }
    batch->records = appended->slot + 1;
    batch->last_record = appended->record;
}

static void batch_created(struct sim_verdicts *verdicts, const struct kb_event *event)
{
    const struct kb_event_batch_created *created = &event->as.batch_created;
    struct fate_batch *batch = fate_batch_of_number(verdicts, event->source, created->batch);
    if (batch == NULL || !batch->is_part || batch->records > 0) {
        batch = add_batch(verdicts, event->source, created->batch, created->topic, created->partition);
    }
    if (batch != NULL) {
        batch->first_record = created->record;
    }
}

/* The parts stand where the whole one stood. They are created right after. */
static void batch_split(struct sim_verdicts *verdicts, const struct kb_event *event)
{
    const struct kb_event_batch_split *split = &event->as.batch_split;
    const struct fate_batch *whole = fate_batch_of_number(verdicts, event->source, split->batch);
    if (whole == NULL) {
        return;
    }
    uint64_t order = whole->order; /* the table may take the whole one's place */
    for (uint32_t i = 0; i < split->parts; i++) {
        struct fate_batch *part =
            add_batch(verdicts, event->source, split->first_part + i, split->topic, split->partition);
        if (part != NULL) {
            part->order = order + i;
            part->is_part = true;
        }
    }
}

static void request_carries(struct sim_verdicts *verdicts, const struct kb_event *event)
{
    const struct kb_event_request_carries *carries = &event->as.request_carries;
    struct fate_batch *batch = fate_batch_of_number(verdicts, event->source, carries->batch);
    if (batch == NULL) {
        return;
    }
    batch->records = carries->records;
    batch->acks = verdicts->acks[event->source];
    batch->is_gone = false;
    verdicts->carried[verdicts->carried_count++ % FATE_CARRIED] = (struct fate_carried){
        .request = carries->request,
        .batch = batch->id,
        .partition = batch->partition,
        .producer = batch->producer,
    };
}

static void batch_done(struct sim_verdicts *verdicts, const struct kb_event *event)
{
    const struct kb_event_batch_done *done = &event->as.batch_done;
    struct fate_batch *batch = fate_batch_of_number(verdicts, event->source, done->batch);
    if (batch == NULL || batch->told != FATE_TOLD_NOTHING) {
        return;
    }
    batch->told = done->error == 0 ? FATE_TOLD_ACKED : FATE_TOLD_FAILED;
    batch->told_event = verdicts->sequence;
    batch->error = done->error;
    if (done->base_offset >= 0 && batch->offset < 0) {
        batch->offset = done->base_offset;
    }
    fate_judge(verdicts, batch);
}

static void producer_event(struct sim_verdicts *verdicts, const struct kb_event *event)
{
    struct fate_batch *batch = NULL;
    switch (event->kind) {
    case KB_EVENT_BATCH_CREATED:
        batch_created(verdicts, event);
        break;
    case KB_EVENT_RECORD_APPENDED:
        record_appended(verdicts, event);
        break;
    case KB_EVENT_BATCH_SPLIT:
        batch_split(verdicts, event);
        break;
    case KB_EVENT_BATCH_SEQUENCED:
        batch = fate_batch_of_number(verdicts, event->source, event->as.batch_sequenced.batch);
        if (batch != NULL) {
            batch->producer_id = event->as.batch_sequenced.producer_id;
        }
        break;
    case KB_EVENT_BATCH_REENQUEUED:
        batch = fate_batch_of_number(verdicts, event->source, event->as.batch_reenqueued.batch);
        if (batch != NULL) {
            batch->retry_event = verdicts->sequence;
        }
        break;
    case KB_EVENT_REQUEST_BUILT:
        if (event->as.request_built.api == PRODUCE_API) {
            verdicts->acks[event->source] = (int8_t)event->as.request_built.acks;
        }
        break;
    case KB_EVENT_REQUEST_CARRIES:
        request_carries(verdicts, event);
        break;
    case KB_EVENT_BATCH_DONE:
        batch_done(verdicts, event);
        break;
    case KB_EVENT_TRANSACTION_STATE:
        if (event->as.transaction_state.new_state == KB_TXN_STATE_IN_TRANSACTION) {
            verdicts->is_in_transaction[event->source] = true;
        }
        break;
    default:
        break;
    }
}

/* --- The cluster's side
 * --------------------------------------------------------------------------------------------- */

/* Of a connection whose other end is a producer; SIM_PRODUCERS_MAX when it is not or not known. */
static uint32_t producer_at(const struct sim_verdicts *verdicts, uint32_t connection)
{
    const struct fate_end *end = &verdicts->connections[connection % FATE_ENDS];
    bool is_producer = end->number == connection && end->from < 0 && end->from >= -SIM_PRODUCERS_MAX;
    return is_producer ? (uint32_t)(-1 - end->from) : SIM_PRODUCERS_MAX;
}

static uint64_t oldest_carried(const struct sim_verdicts *verdicts)
{
    return verdicts->carried_count > FATE_CARRIED ? verdicts->carried_count - FATE_CARRIED : 0;
}

/* The newest batch that a request carried to a partition. */
static struct fate_batch *carried_by(struct sim_verdicts *verdicts, uint32_t producer, uint32_t request,
                                     const struct fate_partition *partition)
{
    uint32_t place = (uint32_t)(partition - verdicts->partitions);
    for (uint64_t i = verdicts->carried_count; i > oldest_carried(verdicts); i--) {
        const struct fate_carried *carried = &verdicts->carried[(i - 1) % FATE_CARRIED];
        if (carried->request == request && carried->producer == producer && carried->partition == place) {
            return fate_batch_of_id(verdicts, carried->batch);
        }
    }
    return NULL;
}

/* Nobody will append this batch: of acks=0, where no answer tells. If somebody does after all, it is not
 * lost. */
static void batch_gone(struct sim_verdicts *verdicts, const struct fate_carried *carried)
{
    struct fate_batch *batch = fate_batch_of_id(verdicts, carried->batch);
    if (batch != NULL && batch->acks == 0 && !batch->is_gone) {
        batch->is_gone = true;
        fate_judge(verdicts, batch);
    }
}

static void request_gone(struct sim_verdicts *verdicts, uint32_t producer, uint32_t request,
                         const struct fate_partition *partition)
{
    for (uint64_t i = verdicts->carried_count; i > oldest_carried(verdicts); i--) {
        const struct fate_carried *carried = &verdicts->carried[(i - 1) % FATE_CARRIED];
        if (carried->request == request && carried->producer == producer &&
            (partition == NULL || partition == &verdicts->partitions[carried->partition])) {
            batch_gone(verdicts, carried);
        }
    }
}

/* What was on its way, or lay unread at the other end. */
static void connection_gone(struct sim_verdicts *verdicts, uint32_t connection)
{
    for (uint64_t i = verdicts->carried_count; i > oldest_carried(verdicts); i--) {
        const struct fate_carried *carried = &verdicts->carried[(i - 1) % FATE_CARRIED];
        if (carried->connection == connection) {
            batch_gone(verdicts, carried);
        }
    }
}

static void request_leaves(struct sim_verdicts *verdicts, const struct kb_event_packet_sent *sent)
{
    enum { LATELY = 1024 }; /* it was carried a moment ago, with those to other nodes */
    uint64_t oldest = oldest_carried(verdicts);
    oldest = verdicts->carried_count - oldest > LATELY ? verdicts->carried_count - LATELY : oldest;
    bool is_found = false;
    for (uint64_t i = verdicts->carried_count; i > oldest; i--) {
        struct fate_carried *carried = &verdicts->carried[(i - 1) % FATE_CARRIED];
        bool is_it = carried->request == sent->request && carried->producer == (uint32_t)(-1 - sent->from);
        if (is_found && !is_it) {
            return;
        }
        is_found = is_it;
        carried->connection = is_it ? sent->connection : carried->connection;
    }
}

static void leader_appended(struct sim_verdicts *verdicts, const struct kb_event *event)
{
    const struct kb_event_leader_appended *appended = &event->as.leader_appended;
    struct fate_partition *partition = fate_partition_of(verdicts, appended->topic, appended->partition);
    uint32_t producer = producer_at(verdicts, appended->connection);
    struct fate_batch *batch = partition != NULL && producer < SIM_PRODUCERS_MAX
                                   ? carried_by(verdicts, producer, appended->request, partition)
                                   : NULL;
    if (batch != NULL) {
        batch->appended_event = verdicts->sequence;
        batch->was_appended = true;
        fate_append(verdicts, partition, appended->broker,
                    (struct fate_segment){appended->base_offset, appended->last_offset, .batch = batch->id});
    }
}

static void refused(struct sim_verdicts *verdicts, const struct kb_event *event)
{
    const struct kb_event_append_refused *refused = &event->as.append_refused;
    struct fate_partition *partition = fate_partition_of(verdicts, refused->topic, refused->partition);
    uint32_t producer = producer_at(verdicts, refused->connection);
    if (partition != NULL && producer < SIM_PRODUCERS_MAX) {
        request_gone(verdicts, producer, refused->request, partition);
    }
}

static void network_event(struct sim_verdicts *verdicts, const struct kb_event *event)
{
    if (event->kind == KB_EVENT_CONNECTION_OPENED) {
        const struct kb_event_connection_opened *opened = &event->as.connection_opened;
        verdicts->connections[opened->connection % FATE_ENDS] =
            (struct fate_end){.number = opened->connection, .from = opened->from};
    } else if (event->kind == KB_EVENT_PACKET_SENT) {
        const struct kb_event_packet_sent *sent = &event->as.packet_sent;
        bool is_produce = sent->api == PRODUCE_API && !sent->is_response && sent->from < 0;
        verdicts->packets[sent->packet % FATE_ENDS] = (struct fate_end){
            .number = is_produce ? sent->packet : 0, .request = sent->request, .from = sent->from};
        if (is_produce) {
            request_leaves(verdicts, sent);
        }
    } else if (event->kind == KB_EVENT_CONNECTION_CLOSED) {
        connection_gone(verdicts, event->as.connection_closed.connection);
    } else if (event->kind == KB_EVENT_PACKET_LOST) {
        uint32_t packet = event->as.packet_lost.packet;
        const struct fate_end *lost = &verdicts->packets[packet % FATE_ENDS];
        if (packet != 0 && lost->number == packet && lost->from >= -SIM_PRODUCERS_MAX) {
            request_gone(verdicts, (uint32_t)(-1 - lost->from), lost->request, NULL);
        }
    }
}

static void log_event(struct sim_verdicts *verdicts, const struct kb_event *event)
{
    struct fate_partition *partition = NULL;
    switch (event->kind) {
    case KB_EVENT_LEADER_APPENDED:
        leader_appended(verdicts, event);
        break;
    case KB_EVENT_APPEND_REFUSED:
        refused(verdicts, event);
        break;
    case KB_EVENT_FOLLOWER_APPENDED: {
        const struct kb_event_follower_appended *appended = &event->as.follower_appended;
        partition = fate_partition_of(verdicts, appended->topic, appended->partition);
        if (partition != NULL) {
            fate_copy(verdicts, partition, appended->broker, appended->leader, appended->base_offset,
                      appended->last_offset);
        }
        break;
    }
    case KB_EVENT_LOG_TRUNCATED: {
        const struct kb_event_log_truncated *truncated = &event->as.log_truncated;
        partition = fate_partition_of(verdicts, truncated->topic, truncated->partition);
        if (partition != NULL) {
            fate_truncate(verdicts, partition, truncated->broker, truncated->end_offset);
        }
        break;
    }
    case KB_EVENT_LEADER_ELECTED: {
        const struct kb_event_leader_elected *elected = &event->as.leader_elected;
        partition = fate_partition_of(verdicts, elected->topic, elected->partition);
        if (partition != NULL && elected->leader >= 0) {
            fate_elect(verdicts, partition, elected->leader);
        }
        break;
    }
    case KB_EVENT_MARKER_APPENDED: {
        const struct kb_event_marker_appended *marker = &event->as.marker_appended;
        partition = fate_partition_of(verdicts, marker->topic, marker->partition);
        if (partition != NULL) {
            fate_end_transaction(verdicts, partition, marker->broker, marker->producer_id,
                                 marker->marker == KB_MARKER_COMMIT);
        }
        break;
    }
    default:
        network_event(verdicts, event);
        break;
    }
}

/* --- As a whole
 * ----------------------------------------------------------------------------------------------------- */

struct sim_verdicts *sim_verdicts_create(void)
{
    struct sim_verdicts *verdicts = calloc(1, sizeof *verdicts);
    if (verdicts == NULL) {
        return NULL;
    }
    verdicts->batches = malloc(FATE_BATCHES * sizeof *verdicts->batches);
    verdicts->fates = malloc(MODEL_FATES_MAX * sizeof *verdicts->fates);
    if (verdicts->batches == NULL || verdicts->fates == NULL) {
        sim_verdicts_destroy(verdicts);
        return NULL;
    }
    return verdicts;
}

static void forget(struct sim_verdicts *verdicts)
{
    fate_release_partitions(verdicts);
    for (uint32_t i = 0; i < SIM_PRODUCERS_MAX; i++) {
        free(verdicts->by_number[i]);
    }
}

void sim_verdicts_destroy(struct sim_verdicts *verdicts)
{
    if (verdicts != NULL) {
        forget(verdicts);
        free(verdicts->batches);
        free(verdicts->fates);
        free(verdicts);
    }
}

static void start_anew(struct sim_verdicts *verdicts, const struct sim_event_log *log)
{
    forget(verdicts);
    struct fate_batch *batches = verdicts->batches;
    struct model_fate *fates = verdicts->fates;
    memset(verdicts, 0, sizeof *verdicts);
    verdicts->log = log;
    verdicts->batches = batches;
    verdicts->fates = fates;
    for (uint32_t i = 0; i < FATE_BATCHES; i++) {
        batches[i].id = FATE_NONE;
    }
}

bool sim_verdicts_update(struct sim_verdicts *verdicts, const struct sim_event_log *log, uint64_t sequence,
                         uint64_t more)
{
    uint64_t count = sim_event_log_count(log);
    if (verdicts->log != log || count < verdicts->sequence) {
        start_anew(verdicts, log);
    }
    uint64_t goal = verdicts->sequence > sequence ? verdicts->sequence : sequence;
    goal = count > goal && count - goal > more ? goal + more : count;
    while (verdicts->sequence < goal && !verdicts->is_out_of_memory) {
        verdicts->sequence++;
        const struct kb_event *event = sim_event_log_get(log, verdicts->sequence);
        if (event->source < SIM_PRODUCERS_MAX) {
            producer_event(verdicts, event);
        } else {
            log_event(verdicts, event);
        }
    }
    return goal == count || verdicts->is_out_of_memory;
}

const struct model_fate *sim_verdicts_list(const struct sim_verdicts *verdicts, uint32_t *count)
{
    *count = verdicts->fate_count;
    return verdicts->fates;
}

uint64_t sim_verdicts_seen(const struct sim_verdicts *verdicts)
{
    return verdicts->fates_seen;
}

bool model_fate_holds(const struct model_fate *fate, uint64_t sequence)
{
    return fate->event <= sequence && (fate->undone_event == 0 || fate->undone_event > sequence);
}

uint64_t sim_verdicts_records(const struct sim_verdicts *verdicts, enum model_fate_kind kind,
                              uint64_t sequence)
{
    uint64_t records = 0;
    for (uint32_t i = 0; i < verdicts->fate_count && verdicts->fates[i].event <= sequence; i++) {
        if (verdicts->fates[i].kind == kind && model_fate_holds(&verdicts->fates[i], sequence)) {
            records += verdicts->fates[i].records;
        }
    }
    return records;
}
