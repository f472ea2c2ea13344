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
    uint32_t batch; /* number of its batch */
    uint16_t producer;
    bool is_appended;
    bool is_over; /* acked, failed or rejected */
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

/* Things that are numbered one after the other and forgotten in about that order: a ring of those from
 * `from` to before `until`. */
struct window {
    void *items;
    uint64_t from;
    uint64_t until;
    uint64_t capacity; /* a power of two, or 0 */
};

struct sim_summary_fold {
    const struct sim_run_info *info;
    struct sim_summary out;
    struct window records;
    struct window batches[SIM_PRODUCERS_MAX];
    struct sim_durations latency;
    struct sim_durations blocked;
    struct sim_durations queued;
    struct sim_durations in_flight;
    struct sim_durations backing_off;
    bool out_of_memory;
};

enum { FIRST_CAPACITY = 1024 };

static bool grow(struct window *window, size_t item_bytes)
{
    uint64_t capacity = window->capacity != 0 ? 2 * window->capacity : FIRST_CAPACITY;
    char *grown = calloc(capacity, item_bytes);
    if (grown == NULL) {
        return false;
    }
    for (uint64_t i = window->from; i < window->until; i++) {
        const char *item = (const char *)window->items + (i & (window->capacity - 1)) * item_bytes;
        memcpy(grown + (i & (capacity - 1)) * item_bytes, item, item_bytes);
    }
    free(window->items);
    window->items = grown;
    window->capacity = capacity;
    return true;
}

static void forget_records(struct window *records)
{
    const struct record *items = records->items;
    while (records->from < records->until && items[records->from & (records->capacity - 1)].is_over) {
        records->from++;
    }
}

/* The oldest batch that a record under way is in. */
static void forget_batches(struct sim_summary_fold *fold, uint16_t producer)
{
    struct window *batches = &fold->batches[producer];
    const struct window *records = &fold->records;
    const struct record *items = records->items;
    uint64_t oldest = batches->until;
    for (uint64_t i = records->from; i < records->until; i++) {
        const struct record *record = &items[i & (records->capacity - 1)];
        if (record->is_appended && !record->is_over && record->producer == producer &&
            record->batch < oldest) {
            oldest = record->batch;
        }
    }
    batches->from = oldest > batches->from ? oldest : batches->from;
}

/* All up to the number are in the ring, those that are new all zero. false: it has been forgotten. */
static bool reach(struct sim_summary_fold *fold, struct window *window, uint64_t number, size_t item_bytes)
{
    if (number < window->from) {
        return false;
    }
    while (number - window->from >= window->capacity) {
        if (!grow(window, item_bytes)) {
            fold->out_of_memory = true;
            return false;
        }
    }
    for (; window->until <= number; window->until++) {
        memset((char *)window->items + (window->until & (window->capacity - 1)) * item_bytes, 0, item_bytes);
    }
    return true;
}

static struct record *record_of(struct sim_summary_fold *fold, uint32_t number)
{
    struct window *records = &fold->records;
    if (number >= records->from + records->capacity) {
        forget_records(records);
    }
    return reach(fold, records, number, sizeof(struct record))
               ? (struct record *)records->items + (number & (records->capacity - 1))
               : NULL;
}

static struct batch *batch_of(struct sim_summary_fold *fold, uint16_t producer, uint32_t number)
{
    if (producer >= SIM_PRODUCERS_MAX) {
        return NULL;
    }
    struct window *batches = &fold->batches[producer];
    if (number >= batches->from + batches->capacity) {
        forget_batches(fold, producer);
        /* Half of the ring at once, or this would be done for each new one. */
        if (batches->capacity > 0 && number - batches->from >= batches->capacity / 2 &&
            !grow(batches, sizeof(struct batch))) {
            fold->out_of_memory = true;
            return NULL;
        }
    }
    return reach(fold, batches, number, sizeof(struct batch))
               ? (struct batch *)batches->items + (number & (batches->capacity - 1))
               : NULL;
}

static void add(struct sim_summary_fold *fold, struct sim_durations *durations, int64_t duration_us)
{
    if (!sim_durations_add(durations, duration_us)) {
        fold->out_of_memory = true;
    }
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

static void record_acked(struct sim_summary_fold *fold, const struct kb_event *event)
{
    const struct kb_event_record_completed *done = &event->as.record_completed;
    struct sim_summary *out = &fold->out;
    struct record *record = record_of(fold, done->record);
    struct batch *batch = batch_of(fold, event->source, done->batch);
    out->acked++;
    out->last_ack_us = event->time_us;
    if (record == NULL || batch == NULL) {
        return;
    }
    record->is_over = true;
    struct batch now = *batch;
    move_batch(&now, now.place, event->time_us);
    out->acked_bytes += (uint64_t)record->bytes;
    add(fold, &fold->latency, event->time_us - record->created_us);
    add(fold, &fold->blocked, record->blocked_us);
    /* A record that joins a batch later has waited in it for less. */
    int64_t late_us = record->appended_us - now.first_append_us;
    add(fold, &fold->queued, now.queued_us > late_us ? now.queued_us - late_us : 0);
    add(fold, &fold->in_flight, now.in_flight_us);
    add(fold, &fold->backing_off, now.backing_off_us);
}

static void record_failed(struct sim_summary_fold *fold, uint32_t number)
{
    struct record *record = record_of(fold, number);
    fold->out.failed++;
    if (record != NULL) {
        record->is_over = true;
    }
}

static void fold_record_event(struct sim_summary_fold *fold, const struct kb_event *event)
{
    struct sim_summary *out = &fold->out;
    struct record *record;
    switch (event->kind) {
    case KB_EVENT_RECORD_CREATED:
        record = record_of(fold, event->as.record_created.record);
        if (record != NULL) {
            *record = (struct record){
                .created_us = event->time_us, .blocked_since_us = -1, .producer = event->source};
        }
        out->first_send_us = out->first_send_us < 0 ? event->time_us : out->first_send_us;
        out->sent++;
        break;
    case KB_EVENT_THREAD_BLOCKED:
        record = record_of(fold, event->as.thread_blocked.record);
        if (record != NULL && record->blocked_since_us < 0) {
            record->blocked_since_us = event->time_us;
            out->blocked_sends++;
        }
        break;
    case KB_EVENT_THREAD_UNBLOCKED:
        record = record_of(fold, event->as.thread_unblocked.record);
        if (record != NULL && record->blocked_since_us >= 0) {
            record->blocked_us += event->time_us - record->blocked_since_us;
            record->blocked_since_us = -1;
        }
        break;
    case KB_EVENT_RECORD_APPENDED: {
        const struct kb_event_record_appended *appended = &event->as.record_appended;
        struct batch *batch = batch_of(fold, event->source, appended->batch);
        record = record_of(fold, appended->record);
        if (record != NULL && batch != NULL) {
            record->appended_us = event->time_us;
            record->bytes = appended->record_bytes;
            record->batch = appended->batch;
            record->is_appended = true;
            if (appended->slot == 0) {
                *batch = (struct batch){.since_us = event->time_us, .first_append_us = event->time_us};
            }
        }
        break;
    }
    case KB_EVENT_RECORD_REJECTED:
        record_failed(fold, event->as.record_rejected.record);
        break;
    case KB_EVENT_RECORD_COMPLETED:
        if (event->as.record_completed.error == 0) {
            record_acked(fold, event);
        } else {
            record_failed(fold, event->as.record_completed.record);
        }
        break;
    default:
        break;
    }
}

static void batch_drained(struct sim_summary_fold *fold, const struct kb_event *event)
{
    const struct kb_event_batch_drained *drained = &event->as.batch_drained;
    struct sim_summary *out = &fold->out;
    struct batch *batch = batch_of(fold, event->source, drained->batch);
    out->batches_drained++;
    out->records_drained += drained->records;
    out->bytes_drained += (uint64_t)drained->bytes;
    out->capacity_drained += (uint64_t)fold->info->producers[event->source].batch_size_bytes;
    for (uint32_t bit = 0; bit < SIM_LEFT_REASONS; bit++) {
        out->left[bit] += drained->left >> bit & 1;
    }
    if (batch != NULL) {
        move_batch(batch, IN_FLIGHT, event->time_us);
    }
}

void sim_summary_fold_take(struct sim_summary_fold *fold, const struct kb_event *event)
{
    struct sim_summary *out = &fold->out;
    switch (event->kind) {
    case KB_EVENT_BATCH_DRAINED:
        batch_drained(fold, event);
        break;
    case KB_EVENT_BATCH_REENQUEUED: {
        struct batch *batch = batch_of(fold, event->source, event->as.batch_reenqueued.batch);
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
        int64_t total_bytes = fold->info->producers[event->source].buffer_memory_bytes;
        int64_t used_bytes = total_bytes - event->as.memory_allocated.available_bytes;
        out->buffer_used_max_bytes =
            used_bytes > out->buffer_used_max_bytes ? used_bytes : out->buffer_used_max_bytes;
        break;
    }
    default:
        fold_record_event(fold, event);
        break;
    }
}

struct sim_summary_fold *sim_summary_fold_create(const struct sim_run_info *info)
{
    struct sim_summary_fold *fold = calloc(1, sizeof *fold);
    if (fold != NULL) {
        fold->info = info;
        fold->out = (struct sim_summary){.first_send_us = -1, .last_ack_us = -1};
    }
    return fold;
}

void sim_summary_fold_destroy(struct sim_summary_fold *fold)
{
    if (fold == NULL) {
        return;
    }
    sim_durations_release(&fold->latency);
    sim_durations_release(&fold->blocked);
    sim_durations_release(&fold->queued);
    sim_durations_release(&fold->in_flight);
    sim_durations_release(&fold->backing_off);
    free(fold->records.items);
    for (uint32_t i = 0; i < SIM_PRODUCERS_MAX; i++) {
        free(fold->batches[i].items);
    }
    free(fold);
}

bool sim_summary_fold_finish(const struct sim_summary_fold *fold, int64_t end_us, struct sim_summary *out)
{
    *out = fold->out;
    out->end_us = end_us;
    sim_durations_summarize(&fold->latency, &out->latency);
    sim_durations_summarize(&fold->blocked, &out->blocked);
    sim_durations_summarize(&fold->queued, &out->queued);
    sim_durations_summarize(&fold->in_flight, &out->in_flight);
    sim_durations_summarize(&fold->backing_off, &out->backing_off);
    return !fold->out_of_memory;
}

bool sim_summarize(const struct sim_event_log *log, struct sim_summary *out)
{
    struct sim_summary_fold *fold = sim_summary_fold_create(sim_event_log_info_view(log));
    if (fold == NULL) {
        return false;
    }
    uint64_t count = sim_event_log_count(log);
    for (uint64_t sequence = 1; sequence <= count; sequence++) {
        sim_summary_fold_take(fold, sim_event_log_get(log, sequence));
    }
    bool good = sim_summary_fold_finish(fold, sim_event_log_end_us(log), out);
    sim_summary_fold_destroy(fold);
    return good;
}
