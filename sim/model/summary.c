#include "model/summary.h"

#include <stdlib.h>
#include <string.h>

/* What must be remembered of a record until its ack. */
struct record {
    int64_t created_us;
    int64_t appended_us;
    int64_t blocked_us;
    int64_t blocked_since_us; /* -1: not blocked */
    int32_t bytes;
    uint32_t batch; /* key of its batch */
};

/* And of a batch: how long it has been in each place so far. */
struct batch {
    int64_t since_us;
    int64_t queued_us;
    int64_t in_flight_us;
    int64_t backing_off_us;
    int64_t first_append_us;
    uint8_t place; /* enum place */
};
enum place { IN_DEQUE, IN_FLIGHT, BACKING_OFF };

struct list {
    int64_t *values;
    uint64_t count;
    uint64_t capacity;
};

struct fold_state {
    const struct sim_event_log *log;
    struct sim_summary *out;
    struct record *records;
    uint64_t record_capacity;
    struct batch *batches[SIM_PRODUCERS_MAX];
    uint64_t batch_capacity[SIM_PRODUCERS_MAX];
    struct list latency;
    struct list blocked;
    struct list queued;
    struct list in_flight;
    struct list backing_off;
    bool out_of_memory;
};

static bool grow(void **memory, uint64_t *capacity, uint64_t needed, size_t size_bytes)
{
    if (needed <= *capacity) {
        return true;
    }
    uint64_t wanted = *capacity != 0 ? 2 * *capacity : 1024;
    wanted = wanted > needed ? wanted : needed;
    void *grown = realloc(*memory, wanted * size_bytes);
    if (grown == NULL) {
        return false;
    }
    memset((char *)grown + *capacity * size_bytes, 0, (wanted - *capacity) * size_bytes);
    *memory = grown;
    *capacity = wanted;
    return true;
}

static void push(struct fold_state *state, struct list *list, int64_t value)
{
    if (grow((void **)&list->values, &list->capacity, list->count + 1, sizeof(int64_t))) {
        list->values[list->count++] = value;
    } else {
        state->out_of_memory = true;
    }
}

static struct record *record_of(struct fold_state *state, uint32_t number)
{
    if (!grow((void **)&state->records, &state->record_capacity, (uint64_t)number + 1,
              sizeof(struct record))) {
        state->out_of_memory = true;
        return NULL;
    }
    return &state->records[number];
}

static struct batch *batch_of(struct fold_state *state, uint16_t producer, uint32_t number)
{
    if (producer >= SIM_PRODUCERS_MAX ||
        !grow((void **)&state->batches[producer], &state->batch_capacity[producer], (uint64_t)number + 1,
              sizeof(struct batch))) {
        state->out_of_memory = true;
        return NULL;
    }
    return &state->batches[producer][number];
}

static void move_batch(struct batch *batch, enum place place, int64_t now_us)
{
    int64_t spent_us = now_us - batch->since_us;
    batch->queued_us += batch->place == IN_DEQUE ? spent_us : 0;
    batch->in_flight_us += batch->place == IN_FLIGHT ? spent_us : 0;
    batch->backing_off_us += batch->place == BACKING_OFF ? spent_us : 0;
    batch->place = (uint8_t)place;
    batch->since_us = now_us;
}

static void record_acked(struct fold_state *state, const struct kb_event *event)
{
    const struct kb_event_record_completed *done = &event->as.record_completed;
    struct sim_summary *out = state->out;
    struct record *record = record_of(state, done->record);
    struct batch *batch = batch_of(state, event->source, done->batch);
    out->acked++;
    out->last_ack_us = event->time_us;
    if (record == NULL || batch == NULL) {
        return;
    }
    struct batch now = *batch;
    move_batch(&now, now.place, event->time_us);
    out->acked_bytes += (uint64_t)record->bytes;
    push(state, &state->latency, event->time_us - record->created_us);
    push(state, &state->blocked, record->blocked_us);
    /* A record that joins a batch later has waited in it for less. */
    int64_t late_us = record->appended_us - now.first_append_us;
    push(state, &state->queued, now.queued_us > late_us ? now.queued_us - late_us : 0);
    push(state, &state->in_flight, now.in_flight_us);
    push(state, &state->backing_off, now.backing_off_us);
}

static void fold_record_event(struct fold_state *state, const struct kb_event *event)
{
    struct sim_summary *out = state->out;
    struct record *record;
    switch (event->kind) {
    case KB_EVENT_RECORD_CREATED:
        record = record_of(state, event->as.record_created.record);
        if (record != NULL) {
            *record = (struct record){.created_us = event->time_us, .blocked_since_us = -1};
        }
        out->first_send_us = out->first_send_us < 0 ? event->time_us : out->first_send_us;
        out->sent++;
        break;
    case KB_EVENT_THREAD_BLOCKED:
        record = record_of(state, event->as.thread_blocked.record);
        if (record != NULL && record->blocked_since_us < 0) {
            record->blocked_since_us = event->time_us;
            out->blocked_sends++;
        }
        break;
    case KB_EVENT_THREAD_UNBLOCKED:
        record = record_of(state, event->as.thread_unblocked.record);
        if (record != NULL && record->blocked_since_us >= 0) {
            record->blocked_us += event->time_us - record->blocked_since_us;
            record->blocked_since_us = -1;
        }
        break;
    case KB_EVENT_RECORD_APPENDED: {
        const struct kb_event_record_appended *appended = &event->as.record_appended;
        struct batch *batch = batch_of(state, event->source, appended->batch);
        record = record_of(state, appended->record);
        if (record != NULL && batch != NULL) {
            record->appended_us = event->time_us;
            record->bytes = appended->record_bytes;
            record->batch = appended->batch;
            if (appended->slot == 0) {
                *batch = (struct batch){.since_us = event->time_us, .first_append_us = event->time_us};
            }
        }
        break;
    }
    case KB_EVENT_RECORD_REJECTED:
        out->failed++;
        break;
    case KB_EVENT_RECORD_COMPLETED:
        if (event->as.record_completed.error == 0) {
            record_acked(state, event);
        } else {
            out->failed++;
        }
        break;
    default:
        break;
    }
}

static void batch_drained(struct fold_state *state, const struct kb_event *event)
{
    const struct kb_event_batch_drained *drained = &event->as.batch_drained;
    struct sim_summary *out = state->out;
    struct batch *batch = batch_of(state, event->source, drained->batch);
    out->batches_drained++;
    out->records_drained += drained->records;
    out->bytes_drained += (uint64_t)drained->bytes;
    out->capacity_drained +=
        (uint64_t)sim_event_log_info_view(state->log)->producers[event->source].batch_size_bytes;
    for (uint32_t bit = 0; bit < SIM_LEFT_REASONS; bit++) {
        out->left[bit] += drained->left >> bit & 1;
    }
    if (batch != NULL) {
        move_batch(batch, IN_FLIGHT, event->time_us);
    }
}

static void fold_event(struct fold_state *state, const struct kb_event *event)
{
    struct sim_summary *out = state->out;
    switch (event->kind) {
    case KB_EVENT_BATCH_DRAINED:
        batch_drained(state, event);
        break;
    case KB_EVENT_BATCH_REENQUEUED: {
        struct batch *batch = batch_of(state, event->source, event->as.batch_reenqueued.batch);
        out->retries++;
        if (batch != NULL) {
            move_batch(batch, BACKING_OFF, event->time_us);
        }
        break;
    }
    case KB_EVENT_BATCH_SPLIT:
        out->splits++;
        break;
    case KB_EVENT_BATCH_EXPIRED:
        out->expired++;
        break;
    case KB_EVENT_REQUEST_BUILT:
        out->produce_requests += event->as.request_built.api == 0;
        break;
    case KB_EVENT_CONNECTION_STATE:
        out->disconnects += event->as.connection_state.state == KB_CONNECTION_STATE_DISCONNECTED;
        break;
    case KB_EVENT_METADATA_UPDATED:
        out->metadata_updates += event->as.metadata_updated.error == 0;
        break;
    case KB_EVENT_MEMORY_ALLOCATED: {
        int64_t total_bytes =
            sim_event_log_info_view(state->log)->producers[event->source].buffer_memory_bytes;
        int64_t used_bytes = total_bytes - event->as.memory_allocated.available_bytes;
        out->buffer_used_max_bytes =
            used_bytes > out->buffer_used_max_bytes ? used_bytes : out->buffer_used_max_bytes;
        break;
    }
    default:
        fold_record_event(state, event);
        break;
    }
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* The value that so many percent are not above; sorts the list and frees it. */
static struct sim_percentiles percentiles(struct list *list)
{
    struct sim_percentiles result = {.count = list->count};
    if (list->count > 0) {
        qsort(list->values, list->count, sizeof(int64_t), compare);
        int64_t sum_us = 0;
        for (uint64_t i = 0; i < list->count; i++) {
            sum_us += list->values[i];
        }
        result.mean_us = sum_us / (int64_t)list->count;
        result.p50_us = list->values[(list->count - 1) * 50 / 100];
        result.p90_us = list->values[(list->count - 1) * 90 / 100];
        result.p99_us = list->values[(list->count - 1) * 99 / 100];
        result.longest_us = list->values[list->count - 1];
    }
    free(list->values);
    return result;
}

bool sim_summarize(const struct sim_event_log *log, struct sim_summary *out)
{
    *out = (struct sim_summary){.first_send_us = -1, .last_ack_us = -1, .end_us = sim_event_log_end_us(log)};
    struct fold_state state = {.log = log, .out = out};
    uint64_t count = sim_event_log_count(log);
    for (uint64_t sequence = 1; sequence <= count && !state.out_of_memory; sequence++) {
        fold_event(&state, sim_event_log_get(log, sequence));
    }
    out->latency = percentiles(&state.latency);
    out->blocked = percentiles(&state.blocked);
    out->queued = percentiles(&state.queued);
    out->in_flight = percentiles(&state.in_flight);
    out->backing_off = percentiles(&state.backing_off);
    free(state.records);
    for (uint32_t i = 0; i < SIM_PRODUCERS_MAX; i++) {
        free(state.batches[i]);
    }
    return !state.out_of_memory;
}
