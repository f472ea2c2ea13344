/*
 * Rule 7: when a record has to be told, and what may hold a batch up when its delivery time is over.
 */
#include "engine/invariants_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/assert.h"

/* A second is more than all the steps between the waits take. */
enum { STEPS_US = 1000000 };

/* A batch as the queue of its partition sees it. Neighbours are numbers plus one; 0: none. */
struct sim_seen_wait {
    int64_t created_us;
    int64_t held_until_us; /* so long it could not be expired, although it was due */
    uint32_t ahead;
    uint32_t behind;
    uint32_t first_part;
    uint32_t part_count;
    int32_t base_sequence;
    bool has_sequence;
    bool is_queued;
    bool was_put_back;
};

struct sim_seen_waits {
    struct sim_seen_wait *batches; /* by number */
    uint32_t count;
    /* The last time that Sender.runOnce did not come to sendProducerData. */
    int64_t busy_from_us;
    int64_t busy_until_us;
    bool is_busy;
    /* The batch that was split last, and how many of its parts are still to come. */
    uint32_t whole;
    uint32_t parts_left;
};

struct queue {
    struct sim_invariants *invariants;
    struct sim_seen_waits *waits;
    struct sim_seen_queue *ends;
    const struct sim_producer_info *info;
};

void sim_invariants_release_waits(struct sim_seen_producer *producer)
{
    if (producer->waits != NULL) {
        free(producer->waits->batches);
        free(producer->waits);
    }
}

static struct sim_seen_wait *wait_of(struct sim_seen_waits *waits, uint32_t number)
{
    if (number >= waits->count) {
        uint32_t count = 2 * (number + 16);
        waits->batches = realloc(waits->batches, count * sizeof *waits->batches);
        KB_ASSERT(waits->batches != NULL);
        for (uint32_t i = waits->count; i < count; i++) {
            waits->batches[i] = (struct sim_seen_wait){.created_us = -1};
        }
        waits->count = count;
    }
    return &waits->batches[number];
}

static int64_t earlier(int64_t a_us, int64_t b_us)
{
    return a_us < b_us ? a_us : b_us;
}

static int64_t later(int64_t a_us, int64_t b_us)
{
    return a_us > b_us ? a_us : b_us;
}

/* --- The queue of a partition: RecordAccumulator.batches */

static void insert_behind(struct queue *queue, uint32_t ahead, uint32_t number)
{
    struct sim_seen_wait *wait = wait_of(queue->waits, number);
    uint32_t behind = ahead != 0 ? queue->waits->batches[ahead - 1].behind : queue->ends->first;
    wait->ahead = ahead;
    wait->behind = behind;
    wait->is_queued = true;
    *(ahead != 0 ? &queue->waits->batches[ahead - 1].behind : &queue->ends->first) = number + 1;
    *(behind != 0 ? &queue->waits->batches[behind - 1].ahead : &queue->ends->last) = number + 1;
}

/* In front, or after those of lower sequences. Kafka: reenqueue, insertInSequenceOrder. */
static void put_back(struct queue *queue, uint32_t number, int32_t base_sequence)
{
    uint32_t ahead = 0;
    for (uint32_t next = queue->ends->first; next != 0 && queue->info->is_idempotent;) {
        const struct sim_seen_wait *wait = &queue->waits->batches[next - 1];
        if (!wait->has_sequence || wait->base_sequence >= base_sequence) {
            break;
        }
        ahead = next;
        next = wait->behind;
    }
    insert_behind(queue, ahead, number);
    wait_of(queue->waits, number)->was_put_back = true;
}

/* What holds a batch up while it waits, as of now. */
static void note_what_holds(struct queue *queue, struct sim_seen_wait *wait)
{
    struct sim_seen_waits *waits = queue->waits;
    int64_t timeout_us = queue->info->delivery_timeout_ms * 1000;
    int64_t now_us = queue->invariants->now_us;
    /* expiredBatches ends at the first batch of a queue that is not due yet. */
    for (uint32_t ahead = wait->ahead; ahead != 0; ahead = waits->batches[ahead - 1].ahead) {
        const struct sim_seen_wait *other = &waits->batches[ahead - 1];
        if (other->created_us > wait->created_us) {
            wait->held_until_us = later(wait->held_until_us, earlier(now_us, other->created_us + timeout_us));
        }
    }
    /* Nothing expires before the next sendProducerData; the business began before it should have. */
    int64_t due_us = later(wait->created_us + timeout_us, wait->held_until_us);
    int64_t busy_until_us = waits->is_busy ? now_us : waits->busy_until_us;
    if (waits->busy_from_us <= due_us + STEPS_US) {
        wait->held_until_us = later(wait->held_until_us, busy_until_us);
    }
}

static void leave(struct queue *queue, uint32_t number)
{
    struct sim_seen_waits *waits = queue->waits;
    struct sim_seen_wait *wait = wait_of(waits, number);
    if (!wait->is_queued) {
        return;
    }
    note_what_holds(queue, wait);
    for (uint32_t behind = wait->behind; behind != 0 && wait->was_put_back;) {
        struct sim_seen_wait *other = &waits->batches[behind - 1];
        note_what_holds(queue, other);
        behind = other->behind;
    }
    *(wait->ahead != 0 ? &waits->batches[wait->ahead - 1].behind : &queue->ends->first) = wait->behind;
    *(wait->behind != 0 ? &waits->batches[wait->behind - 1].ahead : &queue->ends->last) = wait->ahead;
    wait->is_queued = false;
    wait->was_put_back = false;
}

/* A batch for a record, or a part of one that was split: parts come at once, in order, with the numbers that
 * follow, and keep the time at which the whole was created. Kafka: splitAndReenqueue,
 * createBatchOffAccumulatorForRecord. */
static void on_created(struct queue *queue, uint32_t number)
{
    struct sim_seen_waits *waits = queue->waits;
    leave(queue, number); /* one of a producer that was made again */
    struct sim_seen_wait whole = *wait_of(waits, waits->whole);
    struct sim_seen_wait *wait = wait_of(waits, number);
    *wait = (struct sim_seen_wait){.created_us = queue->invariants->now_us};
    if (waits->parts_left == 0) {
        insert_behind(queue, queue->ends->last, number);
        return;
    }
    wait->created_us = whole.created_us;
    if (waits->parts_left-- == whole.part_count) {
        put_back(queue, number, whole.base_sequence);
    } else {
        insert_behind(queue, number, number); /* the one before it, plus one */
        wait->was_put_back = true;
    }
}

static void on_split(struct sim_seen_waits *waits, const struct kb_event_batch_split *event)
{
    struct sim_seen_wait *whole = wait_of(waits, event->batch);
    whole->first_part = event->first_part;
    whole->part_count = event->parts;
    waits->whole = event->batch;
    waits->parts_left = event->parts;
}

/* --- The sender: what it says of batches, unless it is busy, it says in sendProducerData */

static void note_business(struct sim_seen_waits *waits, bool is_busy, int64_t now_us)
{
    if (is_busy && !waits->is_busy) {
        waits->busy_from_us = now_us;
    } else if (waits->is_busy && !is_busy) {
        waits->busy_until_us = now_us;
    }
    waits->is_busy = is_busy;
}

static void of_batch(struct sim_invariants *invariants, uint16_t index, uint32_t topic, int32_t number,
                     const struct kb_event *event)
{
    struct sim_seen_partition *partition = sim_seen_partition(invariants, topic, number);
    struct sim_seen_producer *producer = &invariants->producers[index];
    if (partition == NULL) {
        return;
    }
    if (producer->waits == NULL) {
        producer->waits = calloc(1, sizeof *producer->waits);
        KB_ASSERT(producer->waits != NULL);
        producer->waits->busy_from_us = INT64_MAX;
    }
    struct sim_seen_waits *waits = producer->waits;
    struct queue queue = {invariants, waits, &partition->queues[index], &invariants->info->producers[index]};
    switch ((int)event->kind) {
    case KB_EVENT_BATCH_CREATED:
        on_created(&queue, event->as.batch_created.batch);
        break;
    case KB_EVENT_BATCH_SEQUENCED:
        wait_of(waits, event->as.batch_sequenced.batch)->has_sequence = true;
        waits->batches[event->as.batch_sequenced.batch].base_sequence =
            event->as.batch_sequenced.base_sequence;
        break;
    case KB_EVENT_BATCH_HELD:
        note_business(waits, event->as.batch_held.held == KB_HELD_SENDER_BUSY, invariants->now_us);
        break;
    case KB_EVENT_BATCH_READY:
        note_business(waits, false, invariants->now_us);
        break;
    case KB_EVENT_BATCH_DRAINED:
        note_business(waits, false, invariants->now_us);
        leave(&queue, event->as.batch_drained.batch);
        break;
    case KB_EVENT_BATCH_EXPIRED:
        note_business(waits, false, invariants->now_us);
        leave(&queue, event->as.batch_expired.batch);
        break;
    case KB_EVENT_BATCH_REENQUEUED:
        put_back(&queue, event->as.batch_reenqueued.batch,
                 wait_of(waits, event->as.batch_reenqueued.batch)->base_sequence);
        break;
    case KB_EVENT_BATCH_SPLIT:
        on_split(waits, &event->as.batch_split);
        break;
    case KB_EVENT_BATCH_DONE:
        leave(&queue, event->as.batch_done.batch);
        break;
    default:
        break;
    }
}

#define OF_BATCH(KIND, fields)                                                                               \
    case KB_EVENT_##KIND:                                                                                    \
        of_batch(invariants, event->source, event->as.fields.topic, event->as.fields.partition, event);      \
        break

void sim_invariants_of_delays(struct sim_invariants *invariants, const struct kb_event *event)
{
    switch ((int)event->kind) {
        OF_BATCH(BATCH_CREATED, batch_created);
        OF_BATCH(BATCH_SEQUENCED, batch_sequenced);
        OF_BATCH(BATCH_HELD, batch_held);
        OF_BATCH(BATCH_READY, batch_ready);
        OF_BATCH(BATCH_DRAINED, batch_drained);
        OF_BATCH(BATCH_EXPIRED, batch_expired);
        OF_BATCH(BATCH_REENQUEUED, batch_reenqueued);
        OF_BATCH(BATCH_SPLIT, batch_split);
        OF_BATCH(BATCH_DONE, batch_done);
    default:
        break;
    }
}

/* --- The rule */

/* Of a batch, or of the part of it that was held longest: which of them a record is in is not asked. */
static int64_t held_until_us(struct queue *queue, uint32_t batch)
{
    struct sim_seen_wait *wait = wait_of(queue->waits, batch);
    uint32_t part_count = wait->part_count;
    uint32_t first_part = wait->first_part;
    if (wait->is_queued) {
        note_what_holds(queue, wait);
    }
    int64_t until_us = wait->held_until_us;
    for (uint32_t i = 0; i < part_count; i++) {
        until_us = later(until_us, held_until_us(queue, first_part + i));
    }
    return until_us;
}

bool sim_invariants_is_late(struct sim_invariants *invariants, const struct sim_seen_record *record,
                            uint32_t batch)
{
    const struct sim_producer_info *info = &invariants->info->producers[record->producer];
    struct queue queue = {invariants, invariants->producers[record->producer].waits, NULL, info};
    int64_t grace_us = info->request_timeout_ms * 1000 + STEPS_US;
    int64_t due_us = record->created_us + (info->max_block_ms + info->delivery_timeout_ms) * 1000;
    if (invariants->now_us <= due_us + grace_us) {
        return false;
    }
    if (queue.waits != NULL && batch != 0) {
        due_us = later(due_us, held_until_us(&queue, batch));
    }
    return invariants->now_us > due_us + grace_us;
}
