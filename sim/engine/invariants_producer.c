/*
 * The invariants that a producer's events show: its records, its memory, what it sends and when.
 */
#include "engine/invariants_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/assert.h"
#include "wire/api_keys.h"

struct pass {
    struct sim_invariants *invariants;
    struct sim_seen_producer *producer;
    const struct sim_producer_info *info;
    uint16_t index;
};

/* --- Records --- */

static void on_created(struct pass *pass, uint32_t record)
{
    struct sim_invariants *invariants = pass->invariants;
    if (record >= invariants->record_count) {
        uint32_t count = 2 * (record + 64);
        invariants->records = realloc(invariants->records, count * sizeof *invariants->records);
        KB_ASSERT(invariants->records != NULL);
        for (uint32_t i = invariants->record_count; i < count; i++) {
            invariants->records[i] = (struct sim_seen_record){.created_us = -1};
        }
        invariants->record_count = count;
    }
    invariants->records[record].created_us = invariants->now_us;
    invariants->records[record].transaction = pass->producer->transaction;
    invariants->records[record].incarnation = pass->producer->incarnation;
    invariants->records[record].producer = (uint8_t)pass->index;
}

static void on_record_appended(struct pass *pass, uint32_t record, uint32_t batch)
{
    if (record < pass->invariants->record_count) {
        pass->invariants->records[record].batch = batch;
    }
}

static void on_completed(struct pass *pass, const struct kb_event_record_completed *event)
{
    uint32_t number = event->record;
    struct sim_invariants *invariants = pass->invariants;
    if (number >= invariants->record_count || invariants->records[number].created_us < 0) {
        return;
    }
    struct sim_seen_record *record = &invariants->records[number];
    if (record->told++ > 0) {
        SIM_BROKEN(invariants, "rule 6: at %" PRId64 " us record %" PRIu32 " is told a second time",
                   invariants->now_us, number);
    }
    const struct sim_seen_batch *batch = sim_seen_batch(pass->producer, event->batch);
    record->is_doubtful = batch->is_doubtful;
    record->is_given_up = event->error != 0 && sim_seen_batch_may_be_written(batch);
    int64_t took_us = invariants->now_us - record->created_us;
    if (sim_invariants_is_late(invariants, record, event->batch)) {
        SIM_BROKEN(invariants, "rule 7: record %" PRIu32 " is told after %" PRId64 " us", number, took_us);
    }
}

/* --- Memory --- */

static void on_memory(struct pass *pass, int64_t lent_bytes, int64_t available_bytes, uint32_t waiters)
{
    struct sim_seen_producer *producer = pass->producer;
    producer->lent_bytes += lent_bytes;
    producer->available_bytes = available_bytes;
    producer->has_lent = true;
    int64_t sum_bytes = producer->lent_bytes + available_bytes;
    /* A waiter may hold a part of what it waits for. */
    bool is_right = waiters == 0 ? sum_bytes == pass->info->buffer_memory_bytes
                                 : sum_bytes <= pass->info->buffer_memory_bytes;
    if (!is_right || producer->lent_bytes < 0 || available_bytes < 0) {
        SIM_BROKEN(pass->invariants,
                   "rule 8: at %" PRId64 " us producer %d has lent %" PRId64 " bytes, and %" PRId64
                   " are left of %" PRId64,
                   pass->invariants->now_us, pass->index, producer->lent_bytes, available_bytes,
                   pass->info->buffer_memory_bytes);
    }
}

static void on_closed(struct pass *pass)
{
    struct sim_seen_producer *producer = pass->producer;
    if (producer->has_lent && producer->available_bytes != pass->info->buffer_memory_bytes) {
        SIM_BROKEN(pass->invariants,
                   "rule 8: producer %d closes with %" PRId64 " of %" PRId64 " bytes in its pool",
                   pass->index, producer->available_bytes, pass->info->buffer_memory_bytes);
    }
    producer->has_lent = false;
    producer->lent_bytes = 0;
}

/* --- Batches --- */

static void is_out_of_flight(struct pass *pass, uint32_t topic, int32_t number, uint32_t batch)
{
    struct sim_seen_partition *partition = sim_seen_partition(pass->invariants, topic, number);
    if (partition != NULL && partition->in_flight[pass->index] == batch) {
        partition->in_flight[pass->index] = UINT32_MAX;
    }
}

static void on_carried(struct pass *pass, const struct kb_event_request_carries *event)
{
    struct sim_seen_producer *producer = pass->producer;
    struct sim_seen_partition *partition =
        sim_seen_partition(pass->invariants, event->topic, event->partition);
    producer->carried[producer->carried_count++ % SIM_RECENT] =
        (struct sim_seen_carried){event->request, event->batch, event->topic, event->partition};
    struct sim_seen_batch *batch = sim_seen_batch(producer, event->batch);
    batch->sent++;
    if (batch->sent_sequence < batch->base_sequence) {
        batch->sent_sequence = batch->base_sequence;
    }
    if (partition == NULL || pass->info->max_in_flight != 1 || producer->has_set || batch->is_over) {
        return; /* one that expired in the pass that drained it is sent all the same */
    }
    if (partition->in_flight[pass->index] != UINT32_MAX) {
        SIM_BROKEN(pass->invariants,
                   "rule 17: at %" PRId64 " us batches %" PRIu32 " and %" PRIu32
                   " of partition %d are in flight together",
                   pass->invariants->now_us, partition->in_flight[pass->index], event->batch,
                   event->partition);
    }
    partition->in_flight[pass->index] = event->batch;
}

static void on_drained(struct pass *pass, const struct kb_event_batch_drained *event)
{
    struct sim_seen_batch *batch = sim_seen_batch(pass->producer, event->batch);
    int64_t waited_ms = pass->invariants->now_us / 1000 - batch->reenqueued_us / 1000;
    if (batch->reenqueued_us >= 0 && waited_ms < pass->info->retry_backoff_ms && !pass->producer->has_set) {
        SIM_BROKEN(pass->invariants,
                   "rule 22: at %" PRId64 " us batch %" PRIu32 " is tried again after %" PRId64 " ms",
                   pass->invariants->now_us, event->batch, waited_ms);
    }
    batch->reenqueued_us = -1;
}

static void on_done(struct pass *pass, const struct kb_event_batch_done *event)
{
    struct sim_seen_producer *producer = pass->producer;
    struct sim_seen_batch *batch = sim_seen_batch(producer, event->batch);
    batch->is_over = true;
    producer->has_failed = producer->has_failed || event->error != 0;
    producer->has_given_up = producer->has_given_up || event->error != 0;
    is_out_of_flight(pass, event->topic, event->partition, event->batch);
    if (event->error != 0 || event->base_offset < 0 || batch->offset_count > SIM_OFFSETS_OF_BATCH ||
        producer->has_set || producer->has_lost_track || batch->is_doubtful) {
        return;
    }
    for (uint8_t i = 0; i < batch->offset_count; i++) {
        if (batch->offsets[i] == event->base_offset) {
            return;
        }
    }
    SIM_BROKEN(pass->invariants,
               "rule 16: at %" PRId64 " us batch %" PRIu32 " is acknowledged at offset %" PRId64
               ", where no leader appended it",
               pass->invariants->now_us, event->batch, event->base_offset);
}

/* Were its sequences given to another batch of this id and epoch, which may be in a log? Then both are in
 * doubt, see invariants.h. */
static bool is_reused(const struct pass *pass, const struct sim_seen_batch *batch)
{
    bool is_reused = false;
    for (uint32_t i = 0; i < pass->producer->batch_count; i++) {
        struct sim_seen_batch *other = &pass->producer->batches[i];
        bool is_moved = other != batch || other->sent_sequence > batch->base_sequence; /* itself, up */
        if (is_moved && other->partition == batch->partition && other->producer_id == batch->producer_id &&
            other->epoch == batch->epoch && other->sent_sequence >= batch->base_sequence &&
            sim_seen_batch_may_be_written(other)) {
            other->is_doubtful = true;
            is_reused = true;
        }
    }
    return is_reused;
}

static void on_sequenced(struct pass *pass, const struct kb_event_batch_sequenced *event)
{
    struct sim_seen_partition *partition =
        sim_seen_partition(pass->invariants, event->topic, event->partition);
    if (partition == NULL || event->producer_id < 0) {
        return;
    }
    bool is_same_id = partition->producer_id[pass->index] == event->producer_id;
    if (is_same_id && event->epoch < partition->epoch[pass->index]) {
        return; /* a part of a batch that was split has the epoch of the whole */
    }
    bool is_new = !is_same_id || event->epoch > partition->epoch[pass->index];
    if (is_new && event->base_sequence != 0) {
        SIM_BROKEN(pass->invariants,
                   "rule 23: at %" PRId64 " us the first batch of producer id %" PRId64
                   ", epoch %d, has sequence %d",
                   pass->invariants->now_us, event->producer_id, event->epoch, event->base_sequence);
    }
    partition->producer_id[pass->index] = event->producer_id;
    partition->epoch[pass->index] = event->epoch;

    struct sim_seen_batch *batch = sim_seen_batch(pass->producer, event->batch);
    if (batch->partition != partition || batch->producer_id != event->producer_id ||
        batch->epoch != event->epoch) {
        batch->sent_sequence = -1;
    }
    batch->partition = partition;
    batch->producer_id = event->producer_id;
    batch->epoch = event->epoch;
    batch->base_sequence = event->base_sequence;
    bool *is_tainted = &partition->is_tainted[pass->index];
    int32_t *highest = &partition->highest_sequence[pass->index];
    bool has_returned = !is_new && pass->info->is_transactional && event->base_sequence <= *highest;
    *is_tainted = (has_returned && is_reused(pass, batch)) || (!is_new && *is_tainted);
    *highest = is_new || *highest < event->base_sequence ? event->base_sequence : *highest;
    batch->is_doubtful = batch->is_doubtful || *is_tainted;
}

/* --- Requests and identity --- */

static void on_request(struct pass *pass, const struct kb_event_request_built *event)
{
    if (event->api == KW_API_PRODUCE && (int64_t)event->in_flight > pass->info->max_in_flight) {
        SIM_BROKEN(pass->invariants, "rule 12: at %" PRId64 " us %" PRIu32 " requests are in flight",
                   pass->invariants->now_us, event->in_flight);
    }
}

/* The answer that says so left the broker earlier: what it read since then it should not have. */
static void on_throttled(struct pass *pass, int64_t throttle_ms)
{
    struct sim_invariants *invariants = pass->invariants;
    for (uint32_t i = 0; i < invariants->connection_count && !pass->producer->has_set; i++) {
        struct sim_seen_connection *connection = &invariants->connections[i];
        for (uint32_t j = 0; connection->producer == pass->index && j < SIM_ANSWERS; j++) {
            const struct sim_seen_answer *answer = &connection->answers[j];
            if (j >= connection->answer_count || answer->request != pass->producer->received) {
                continue;
            }
            connection->muted_until_us = answer->at_us + throttle_ms * 1000;
            if (connection->arrived_event > answer->event &&
                connection->arrived_us < connection->muted_until_us) {
                SIM_BROKEN(invariants,
                           "rule 20: at %" PRId64
                           " us a broker reads from a connection that is throttled until"
                           " %" PRId64 " us",
                           connection->arrived_us, connection->muted_until_us);
            }
        }
    }
}

static void on_identity(struct pass *pass, const struct kb_event_producer_id_assigned *event)
{
    struct sim_invariants *invariants = pass->invariants;
    if (event->error != 0 || event->producer_id < 0) {
        return;
    }
    for (uint32_t i = 0; i < invariants->info->producer_count; i++) {
        const struct sim_seen_producer *other = &invariants->producers[i];
        if (i != pass->index && other->id == event->producer_id && other->epoch == event->epoch) {
            SIM_BROKEN(invariants,
                       "rule 24: at %" PRId64 " us producers %" PRIu32 " and %d share id %" PRId64
                       ", epoch %d",
                       invariants->now_us, i, pass->index, event->producer_id, event->epoch);
        }
    }
    pass->producer->id = event->producer_id;
    pass->producer->epoch = event->epoch;
}

/* --- Transactions: what the application was told of each --- */

static void end_transaction(struct pass *pass, enum sim_seen_end end)
{
    struct sim_invariants *invariants = pass->invariants;
    for (uint32_t i = 0; i < invariants->record_count; i++) {
        struct sim_seen_record *record = &invariants->records[i];
        if (record->transaction == pass->producer->transaction && record->end == SIM_SEEN_OPEN &&
            record->producer == pass->index && record->created_us >= 0) {
            record->end = (uint8_t)end;
        }
    }
}

static void on_returned(struct pass *pass, const struct kb_event_call_returned *event)
{
    switch (event->call) {
    case KB_CALL_BEGIN_TRANSACTION:
        pass->producer->transaction += event->error == 0;
        break;
    case KB_CALL_COMMIT_TRANSACTION:
        end_transaction(pass, event->error == 0 ? SIM_SEEN_COMMITTED : SIM_SEEN_UNKNOWN);
        break;
    case KB_CALL_ABORT_TRANSACTION:
        end_transaction(pass, event->error == 0 ? SIM_SEEN_ABORTED : SIM_SEEN_UNKNOWN);
        break;
    default:
        break;
    }
}

/* It may be made again: its requests and batches are numbered from the beginning. */
static void on_set(struct pass *pass, bool is_recreated)
{
    struct sim_seen_producer *producer = pass->producer;
    producer->has_set = true;
    producer->incarnation = (uint16_t)(producer->incarnation + is_recreated);
    producer->has_failed = true;
    for (uint32_t i = 0; i < pass->invariants->connection_count; i++) {
        if (pass->invariants->connections[i].producer == pass->index) {
            pass->invariants->connections[i].answer_count = 0;
        }
    }
}

static void of_batches(struct pass *pass, const struct kb_event *event)
{
    switch ((int)event->kind) {
    case KB_EVENT_REQUEST_CARRIES:
        on_carried(pass, &event->as.request_carries);
        break;
    case KB_EVENT_BATCH_CREATED: /* a producer that is made again counts anew */
        *sim_seen_batch(pass->producer, event->as.batch_created.batch) =
            (struct sim_seen_batch){.reenqueued_us = -1};
        break;
    case KB_EVENT_BATCH_DRAINED:
        on_drained(pass, &event->as.batch_drained);
        break;
    case KB_EVENT_BATCH_SEQUENCED:
        on_sequenced(pass, &event->as.batch_sequenced);
        break;
    case KB_EVENT_BATCH_REENQUEUED:
        sim_seen_batch(pass->producer, event->as.batch_reenqueued.batch)->reenqueued_us =
            pass->invariants->now_us;
        is_out_of_flight(pass, event->as.batch_reenqueued.topic, event->as.batch_reenqueued.partition,
                         event->as.batch_reenqueued.batch);
        break;
    case KB_EVENT_BATCH_SPLIT:
        is_out_of_flight(pass, event->as.batch_split.topic, event->as.batch_split.partition,
                         event->as.batch_split.batch);
        sim_seen_batch(pass->producer, event->as.batch_split.batch)->partition = NULL; /* its parts go on */
        break;
    case KB_EVENT_BATCH_EXPIRED:
        pass->producer->has_expired = true;
        pass->producer->has_failed = true;
        is_out_of_flight(pass, event->as.batch_expired.topic, event->as.batch_expired.partition,
                         event->as.batch_expired.batch);
        break;
    case KB_EVENT_BATCH_DONE:
        on_done(pass, &event->as.batch_done);
        break;
    default:
        break;
    }
}

static void of_the_rest(struct pass *pass, const struct kb_event *event)
{
    switch ((int)event->kind) {
    case KB_EVENT_RECORD_CREATED:
        on_created(pass, event->as.record_created.record);
        break;
    case KB_EVENT_RECORD_APPENDED:
        on_record_appended(pass, event->as.record_appended.record, event->as.record_appended.batch);
        break;
    case KB_EVENT_RECORD_COMPLETED:
        on_completed(pass, &event->as.record_completed);
        break;
    case KB_EVENT_MEMORY_ALLOCATED:
        on_memory(pass, event->as.memory_allocated.bytes, event->as.memory_allocated.available_bytes,
                  event->as.memory_allocated.waiters);
        break;
    case KB_EVENT_MEMORY_DEALLOCATED:
        on_memory(pass, -event->as.memory_deallocated.bytes, event->as.memory_deallocated.available_bytes,
                  event->as.memory_deallocated.waiters);
        break;
    case KB_EVENT_PRODUCER_CLOSED:
        on_closed(pass);
        break;
    case KB_EVENT_REQUEST_BUILT:
        on_request(pass, &event->as.request_built);
        break;
    case KB_EVENT_RESPONSE_RECEIVED:
        pass->producer->received = event->as.response_received.request;
        break;
    case KB_EVENT_THROTTLED:
        on_throttled(pass, event->as.throttled.throttle_ms);
        break;
    case KB_EVENT_PRODUCER_ID_ASSIGNED:
        on_identity(pass, &event->as.producer_id_assigned);
        break;
    case KB_EVENT_PRODUCER_EPOCH_BUMPED:
        pass->producer->has_bumped = true;
        pass->producer->epoch = event->as.producer_epoch_bumped.epoch;
        break;
    case KB_EVENT_CALL_RETURNED:
        on_returned(pass, &event->as.call_returned);
        break;
    case KB_EVENT_SETTING_CHANGED:
        on_set(pass, event->as.setting_changed.recreated != 0);
        break;
    default:
        break;
    }
}

void sim_invariants_of_producer(struct sim_invariants *invariants, const struct kb_event *event)
{
    struct pass pass = {
        .invariants = invariants,
        .producer = &invariants->producers[event->source],
        .info = &invariants->info->producers[event->source],
        .index = event->source,
    };
    sim_invariants_of_delays(invariants, event);
    of_batches(&pass, event);
    of_the_rest(&pass, event);
}
