/*
 * What is told of an event: a title, a sentence with its numbers, the reasons that held.
 */
#include "view/story.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/event_text.h"
#include "view/verdict.h"

/* So far back a reason is looked for. */
enum { LOOK_BACK_EVENTS = 1 << 16 };

/* --- Batches
 * -----------------------------------------------------------------------------------------------------------
 */

/* The batch an event is about and its producer; 0: none. */
static uint32_t batch_of(const struct kb_event *event)
{
    switch (event->kind) {
    case KB_EVENT_BATCH_CREATED:
        return event->as.batch_created.batch;
    case KB_EVENT_BATCH_CLOSED:
        return event->as.batch_closed.batch;
    case KB_EVENT_BATCH_READY:
        return event->as.batch_ready.batch;
    case KB_EVENT_BATCH_HELD:
        return event->as.batch_held.batch;
    case KB_EVENT_BATCH_DRAINED:
        return event->as.batch_drained.batch;
    case KB_EVENT_BATCH_REENQUEUED:
        return event->as.batch_reenqueued.batch;
    default:
        return 0;
    }
}

/* The newest event of a kind about the same batch, not after `from`. */
static uint64_t find_of_batch(const struct view_frame *frame, uint64_t from, uint32_t kind, uint32_t batch,
                              uint16_t source)
{
    uint64_t least = from > LOOK_BACK_EVENTS ? from - LOOK_BACK_EVENTS : 0;
    for (uint64_t i = from; i > least; i--) {
        const struct kb_event *event = sim_event_log_get(frame->log, i);
        if (event->kind == kind && event->source == source && batch_of(event) == batch) {
            return i;
        }
    }
    return 0;
}

static uint64_t find_kind(const struct view_frame *frame, uint64_t from, uint32_t kind, uint16_t source)
{
    uint64_t least = from > LOOK_BACK_EVENTS ? from - LOOK_BACK_EVENTS : 0;
    for (uint64_t i = from; i > least; i--) {
        const struct kb_event *event = sim_event_log_get(frame->log, i);
        if (event->kind == kind && event->source == source) {
            return i;
        }
    }
    return 0;
}

uint64_t story_cause_of_lamp(const struct view_frame *frame, uint64_t sequence, bool is_left, uint32_t bit)
{
    const struct kb_event *event = sim_event_log_get(frame->log, sequence);
    uint32_t batch = batch_of(event);
    uint16_t source = event->source;
    uint64_t found = 0;
    if (is_left) {
        switch ((enum kb_left)(1u << bit)) {
        case KB_LEFT_FULL:
        case KB_LEFT_NO_ROOM:
            found = find_of_batch(frame, sequence, KB_EVENT_BATCH_CLOSED, batch, source);
            break;
        case KB_LEFT_LINGER:
            found = find_of_batch(frame, sequence, KB_EVENT_BATCH_CREATED, batch, source);
            break;
        case KB_LEFT_BACKOFF_OVER:
            found = find_of_batch(frame, sequence, KB_EVENT_BATCH_REENQUEUED, batch, source);
            break;
        case KB_LEFT_MEMORY_WAITER:
            found = find_kind(frame, sequence, KB_EVENT_MEMORY_WAITER_QUEUED, source);
            break;
        case KB_LEFT_FLUSH:
        case KB_LEFT_CLOSE:
            found = find_kind(frame, sequence, KB_EVENT_CALL_STARTED, source);
            break;
        case KB_LEFT_TXN_COMPLETING:
            found = find_kind(frame, sequence, KB_EVENT_TRANSACTION_STATE, source);
            break;
        case KB_LEFT_PIGGYBACK:
            break;
        }
    } else if (bit == 0) {
        found = find_of_batch(frame, sequence, KB_EVENT_BATCH_CREATED, batch, source);
    } else if ((1u << bit) == KB_HELD_BACKOFF) {
        found = find_of_batch(frame, sequence, KB_EVENT_BATCH_REENQUEUED, batch, source);
    } else if ((1u << bit) == KB_HELD_INFLIGHT_FULL || (1u << bit) == KB_HELD_MUTED) {
        found = find_kind(frame, sequence, KB_EVENT_REQUEST_BUILT, source);
    } else if ((1u << bit) == KB_HELD_NOT_CONNECTED || (1u << bit) == KB_HELD_RECONNECT_BACKOFF) {
        found = find_kind(frame, sequence, KB_EVENT_CONNECTION_STATE, source);
    }
    return found != 0 && found != sequence ? found : sim_event_log_cause(frame->log, sequence);
}

static uint32_t lowest_bit(uint32_t mask)
{
    uint32_t bit = 0;
    while (bit < 31 && (mask >> bit & 1) == 0) {
        bit++;
    }
    return bit;
}

/* The reason in a title: one of the batch's own, where there is one, rather than that memory is wanted. */
static uint32_t telling_bit(uint32_t left)
{
    uint32_t own = left & ~(uint32_t)(KB_LEFT_MEMORY_WAITER | KB_LEFT_PIGGYBACK);
    return lowest_bit(own != 0 ? own : left);
}

/* Those that are lit, and those that people should compare with. */
static void add_lamps(struct story *story, enum kb_field_type type, uint32_t lit, uint32_t always)
{
    for (uint32_t bit = 0; bit < 32 && story->lamp_count < STORY_LAMPS_MAX; bit++) {
        const char *name = ((lit | always) >> bit & 1) != 0 ? kb_field_value_name(type, bit) : NULL;
        if (name != NULL) {
            struct story_lamp *lamp = &story->lamps[story->lamp_count++];
            *lamp = (struct story_lamp){.name = name, .text = kb_field_value_text(type, bit), .bit = bit};
            lamp->is_lit = (lit >> bit & 1) != 0;
        }
    }
}

static void lamp_detail(struct story *story, uint32_t bit, const char *format, int64_t value)
{
    for (uint32_t i = 0; i < story->lamp_count; i++) {
        if (story->lamps[i].bit == bit) {
            char text[24];
            view_format_duration(value, text, sizeof text);
            snprintf(story->lamps[i].detail, sizeof story->lamps[i].detail, format, text);
        }
    }
}

/* What RecordAccumulator.ready() computes, in its own names. */
static const char *left_rule(uint32_t bit)
{
    switch ((enum kb_left)(1u << bit)) {
    case KB_LEFT_FULL:
        return "full: batch.isFull()";
    case KB_LEFT_NO_ROOM:
        return "full: deque.size() > 1";
    case KB_LEFT_LINGER:
        return "expired: waited ≥ linger.ms";
    case KB_LEFT_BACKOFF_OVER:
        return "expired: waited ≥ retry.backoff.ms";
    case KB_LEFT_MEMORY_WAITER:
        return "exhausted: free.queued() > 0";
    case KB_LEFT_FLUSH:
        return "flushInProgress()";
    case KB_LEFT_CLOSE:
        return "closed";
    case KB_LEFT_TXN_COMPLETING:
        return "transactionCompleting";
    case KB_LEFT_PIGGYBACK:
        return "the node is drained, not the partition";
    }
    return NULL;
}

/* How far the reasons were that did not hold. */
static void tell_unlit(const struct view_frame *frame, uint64_t sequence, uint32_t batch,
                       const struct sim_producer_info *producer, struct story *story)
{
    const struct kb_event *event = sim_event_log_get(frame->log, sequence);
    uint64_t created = find_of_batch(frame, sequence, KB_EVENT_BATCH_CREATED, batch, event->source);
    for (uint32_t i = 0; i < story->lamp_count; i++) {
        struct story_lamp *lamp = &story->lamps[i];
        if (lamp->is_lit || created == 0 || 1u << lamp->bit != KB_LEFT_LINGER) {
            continue;
        }
        int64_t left_us = sim_event_log_get(frame->log, created)->time_us + producer->linger_ms * 1000;
        left_us -= event->time_us;
        if (left_us > 0) {
            lamp_detail(story, lamp->bit, "%s left", left_us);
        }
    }
}

static const char *left_title(uint32_t bit)
{
    static const char *const titles[] = {
        "it is full",           "no room was left",      "linger.ms is over",
        "its back-off is over", "memory is wanted back", "flush() was called",
        "close() was called",   "the transaction ends",  "its node is drained anyway",
    };
    return bit < sizeof titles / sizeof titles[0] ? titles[bit] : "it may";
}

static void tell_no_room(const struct view_frame *frame, uint64_t sequence, uint32_t batch, uint16_t source,
                         struct story *story)
{
    uint64_t closed = find_of_batch(frame, sequence, KB_EVENT_BATCH_CLOSED, batch, source);
    uint64_t created = closed > 0 ? find_of_batch(frame, closed, KB_EVENT_BATCH_CREATED, batch, source) : 0;
    if (created == 0) {
        return;
    }
    const struct kb_event_batch_closed *end = &sim_event_log_get(frame->log, closed)->as.batch_closed;
    const struct kb_event_batch_created *start = &sim_event_log_get(frame->log, created)->as.batch_created;
    char room[32];
    char size[32];
    view_format_bytes(start->capacity_bytes - end->bytes, room, sizeof room);
    struct sim_producer_info settings;
    view_settings_in_force(frame, source < SIM_PRODUCERS_MAX ? source : 0, sequence, &settings);
    view_format_count(settings.batch_size_bytes, size, sizeof size);
    /* The record that did not fit is the first of the batch that follows. */
    uint64_t count = sim_event_log_count(frame->log);
    for (uint64_t i = closed + 1; i <= count && i < closed + 64; i++) {
        const struct kb_event *event = sim_event_log_get(frame->log, i);
        if (event->kind == KB_EVENT_BATCH_CREATED && event->source == source &&
            event->as.batch_created.topic == end->topic &&
            event->as.batch_created.partition == end->partition) {
            snprintf(story->sentence, sizeof story->sentence,
                     "Record %" PRIu32
                     " did not fit into the %s left of batch.size = %s, so append() closed batch "
                     "#%" PRIu32 ", opened #%" PRIu32
                     " and woke the Sender. How much of linger.ms is left no longer "
                     "matters.",
                     event->as.batch_created.record, room, size, batch, event->as.batch_created.batch);
            return;
        }
    }
    snprintf(
        story->sentence, sizeof story->sentence,
        "The next record did not fit into the %s left of batch.size = %s, so append() closed batch #%" PRIu32
        ".",
        room, size, batch);
}

static void tell_left(const struct view_frame *frame, uint64_t sequence, uint32_t left, uint32_t batch,
                      int64_t waited_ms, struct story *story)
{
    const struct kb_event *event = sim_event_log_get(frame->log, sequence);
    uint16_t source = event->source < SIM_PRODUCERS_MAX ? event->source : 0;
    struct sim_producer_info settings;
    view_settings_in_force(frame, source, story->event, &settings);
    const struct sim_producer_info *producer = &settings;
    uint32_t bit = telling_bit(left);
    bool leaves = event->kind == KB_EVENT_BATCH_DRAINED;
    snprintf(story->title, sizeof story->title, "Batch #%" PRIu32 " %s: %s", batch,
             leaves ? "leaves now" : "may leave", left_title(bit));
    story->is_left = true;
    add_lamps(story, KB_FIELD_LEFT, left,
              KB_LEFT_FULL | KB_LEFT_NO_ROOM | KB_LEFT_LINGER | KB_LEFT_MEMORY_WAITER | KB_LEFT_FLUSH);
    tell_unlit(frame, sequence, batch, producer, story);
    story->rule = left_rule(bit);
    if (leaves && left != KB_LEFT_PIGGYBACK) {
        story->method = "RecordAccumulator.ready"; /* drain() takes what ready() has let go */
    }
    char size[32];
    view_format_count(producer->batch_size_bytes, size, sizeof size);
    switch ((enum kb_left)(1u << bit)) {
    case KB_LEFT_FULL:
        snprintf(story->sentence, sizeof story->sentence,
                 "Its records fill batch.size = %s. More cannot go in, so waiting out linger.ms = %" PRId64
                 " would win nothing.",
                 size, producer->linger_ms);
        break;
    case KB_LEFT_NO_ROOM:
        tell_no_room(frame, sequence, batch, event->source, story);
        break;
    case KB_LEFT_LINGER:
        snprintf(story->sentence, sizeof story->sentence,
                 "It has waited %" PRId64 " ms and linger.ms is %" PRId64 ": it leaves as full as it is.",
                 waited_ms, producer->linger_ms);
        break;
    case KB_LEFT_BACKOFF_OVER:
        snprintf(story->sentence, sizeof story->sentence,
                 "An earlier attempt failed. retry.backoff.ms = %" PRId64
                 " has passed, so it is tried again.",
                 producer->retry_backoff_ms);
        break;
    case KB_LEFT_MEMORY_WAITER: {
        char memory[32];
        view_format_bytes(producer->buffer_memory_bytes, memory, sizeof memory);
        snprintf(story->sentence, sizeof story->sentence,
                 "buffer.memory = %s is used up and a send() waits. Every batch may leave at once, full or "
                 "not, so that "
                 "its memory comes back.",
                 memory);
        break;
    }
    case KB_LEFT_FLUSH:
        snprintf(story->sentence, sizeof story->sentence,
                 "flush() lets everything leave at once and returns when all of it is answered.");
        break;
    case KB_LEFT_CLOSE:
        snprintf(story->sentence, sizeof story->sentence,
                 "The producer is being closed: what it still holds leaves without waiting.");
        break;
    case KB_LEFT_TXN_COMPLETING:
        snprintf(
            story->sentence, sizeof story->sentence,
            "The transaction is being completed, and all of its records have to be written before that.");
        break;
    case KB_LEFT_PIGGYBACK:
        snprintf(story->sentence, sizeof story->sentence,
                 "Another partition of the same broker had a batch that had to leave. The drain takes the "
                 "first batch "
                 "of every partition there: it costs no request more.");
        break;
    }
}

static void tell_held(const struct view_frame *frame, uint64_t sequence, struct story *story)
{
    const struct kb_event *event = sim_event_log_get(frame->log, sequence);
    const struct kb_event_batch_held *held = &event->as.batch_held;
    const char *text = kb_field_value_text(KB_FIELD_HELD, lowest_bit(held->held));
    snprintf(story->title, sizeof story->title, "Batch #%" PRIu32 " stays for now", held->batch);
    snprintf(story->sentence, sizeof story->sentence, "It stays because %s.%s",
             text != NULL ? text : "it must", "");
    if (held->left_ms > 0) {
        size_t used = strlen(story->sentence);
        snprintf(story->sentence + used, sizeof story->sentence - used, " %" PRId64 " ms are left.",
                 held->left_ms);
    }
    add_lamps(story, KB_FIELD_HELD, held->held,
              KB_HELD_LINGER | KB_HELD_BACKOFF | KB_HELD_NO_LEADER | KB_HELD_MUTED | KB_HELD_INFLIGHT_FULL);
    if (held->left_ms > 0) {
        lamp_detail(story, lowest_bit(held->held), "%s left", held->left_ms * 1000);
    }
}

/* --- Everything else
 * --------------------------------------------------------------------------------------------------- */

static void tell_partitioned(const struct view_frame *frame, const struct kb_event *event,
                             struct story *story)
{
    const struct kb_event_record_partitioned *made = &event->as.record_partitioned;
    char name[64];
    view_partition_name(frame, made->topic, made->partition, name, sizeof name);
    snprintf(story->title, sizeof story->title, "Record %" PRIu32 " goes to %s", made->record, name);
    if (made->why == KB_PARTITION_WHY_MURMUR2) {
        snprintf(story->sentence, sizeof story->sentence,
                 "murmur2 of its key is 0x%08" PRIx32 ". Without the sign bit, modulo %" PRId32
                 " partitions, that is %" PRId32 ": the same key always goes there.",
                 (uint32_t)made->murmur2, made->partition_count, made->partition);
    } else if (made->why == KB_PARTITION_WHY_STICKY) {
        snprintf(story->sentence, sizeof story->sentence,
                 "It has no key, so it joins the sticky partition. That one changes when a new batch has to "
                 "be opened, "
                 "which makes batches fuller than going round would.");
    }
}

static void tell_appended(const struct view_frame *frame, const struct kb_event *event, struct story *story)
{
    const struct kb_event_record_appended *made = &event->as.record_appended;
    char used[32];
    char size[32];
    uint16_t source = event->source < SIM_PRODUCERS_MAX ? event->source : 0;
    view_format_bytes(made->batch_bytes, used, sizeof used);
    struct sim_producer_info settings;
    view_settings_in_force(frame, source, story->event, &settings);
    view_format_count(settings.batch_size_bytes, size, sizeof size);
    snprintf(story->title, sizeof story->title, "Record %" PRIu32 " joins batch #%" PRIu32, made->record,
             made->batch);
    snprintf(story->sentence, sizeof story->sentence,
             "It is number %" PRIu32 " in it. The batch now holds %s of batch.size = %s.%s", made->slot, used,
             size, made->wakes_sender ? " The batch is full or new, so the Sender is woken." : "");
}

static void tell_blocked(const struct view_frame *frame, const struct kb_event *event, struct story *story)
{
    const struct kb_event_thread_blocked *blocked = &event->as.thread_blocked;
    uint16_t source = event->source < SIM_PRODUCERS_MAX ? event->source : 0;
    struct sim_producer_info settings;
    view_settings_in_force(frame, source, story->event, &settings);
    const struct sim_producer_info *producer = &settings;
    char bytes[32];
    char memory[32];
    view_format_bytes(blocked->bytes, bytes, sizeof bytes);
    view_format_bytes(producer->buffer_memory_bytes, memory, sizeof memory);
    if (blocked->wait == KB_WAIT_MEMORY) {
        snprintf(story->title, sizeof story->title, "Record %" PRIu32 " blocks in send(): no memory",
                 blocked->record);
        snprintf(story->sentence, sizeof story->sentence,
                 "It needs %s and buffer.memory = %s is used up. It waits at most max.block.ms = %" PRId64
                 ", metadata and memory together; then send() fails.",
                 bytes, memory, producer->max_block_ms);
        return;
    }
    snprintf(story->title, sizeof story->title, "Record %" PRIu32 " waits in send() for metadata",
             blocked->record);
    snprintf(story->sentence, sizeof story->sentence,
             "The producer does not know the topic's partitions yet. It asks a broker and waits at most "
             "max.block.ms = "
             "%" PRId64 ".",
             producer->max_block_ms);
}

static void tell_error(int32_t error, struct story *story)
{
    if (error == 0) {
        return;
    }
    story->is_failure = true;
    size_t used = strlen(story->sentence);
    snprintf(story->sentence + used, sizeof story->sentence - used, " %s: %s", sim_error_name(error),
             sim_error_message(error));
}

/* A sentence begins with a capital and ends with a stop. */
static void polish(struct story *story)
{
    char *first = story->sentence;
    if (first[0] >= 'a' && first[0] <= 'z') {
        first[0] = (char)(first[0] - 'a' + 'A');
    }
    size_t length = strlen(first);
    if (length > 0 && length + 1 < sizeof story->sentence && first[length - 1] != '.') {
        memcpy(first + length, ".", 2);
    }
    if (story->title[0] >= 'a' && story->title[0] <= 'z') {
        story->title[0] = (char)(story->title[0] - 'a' + 'A');
    }
}

static int32_t error_of(const struct kb_event *event)
{
    const struct kb_event_info *info = kb_event_info(event->kind);
    for (uint32_t i = 0; i < info->field_count; i++) {
        if (info->fields[i].type == KB_FIELD_ERROR) {
            return (int32_t)kb_event_field_value(event, &info->fields[i]);
        }
    }
    return 0;
}

static void tell_in_general(const struct view_frame *frame, const struct kb_event *event, struct story *story)
{
    snprintf(story->title, sizeof story->title, "%s", kb_event_info(event->kind)->name);
    for (char *at = story->title; *at != '\0'; at++) {
        *at = *at == '_' ? ' ' : *at;
    }
    sim_event_sentence(frame->log, event, story->sentence, sizeof story->sentence);
    polish(story);
}

void story_tell(const struct view_frame *frame, uint64_t sequence, struct story *story)
{
    *story = (struct story){.event = sequence, .method = "-"};
    if (sequence == 0) {
        return;
    }
    const struct kb_event *event = sim_event_log_get(frame->log, sequence);
    story->method = kb_event_info(event->kind)->method;
    tell_in_general(frame, event, story);
    if (verdict_tell(frame, sequence, story)) {
        return;
    }
    switch (event->kind) {
    case KB_EVENT_BATCH_DRAINED:
        tell_left(frame, sequence, event->as.batch_drained.left, event->as.batch_drained.batch,
                  event->as.batch_drained.queued_ms, story);
        break;
    case KB_EVENT_BATCH_READY:
        tell_left(frame, sequence, event->as.batch_ready.left, event->as.batch_ready.batch,
                  event->as.batch_ready.waited_ms, story);
        break;
    case KB_EVENT_BATCH_HELD:
        tell_held(frame, sequence, story);
        break;
    case KB_EVENT_RECORD_PARTITIONED:
        tell_partitioned(frame, event, story);
        break;
    case KB_EVENT_RECORD_APPENDED:
        tell_appended(frame, event, story);
        break;
    case KB_EVENT_THREAD_BLOCKED:
        tell_blocked(frame, event, story);
        break;
    default:
        story_tell_more(frame, event, story);
        tell_error(error_of(event), story);
        break;
    }
    polish(story);
}
