/*
 * Which event explains what is selected, and which is worth a word when nothing is.
 */
#include "view/story.h"
#include "view/verdict.h"

/* So far back one is looked for. */
enum { LOOK_BACK_EVENTS = 1 << 16 };

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t event_of_batch(const struct view_frame *frame, const struct view_thing *thing)
{
    int32_t index = sim_model_find_batch(frame->model, thing->producer, (uint32_t)thing->number);
    if (index < 0) {
        return 0;
    }
    const struct model_batch *batch = &frame->model->batches[index];
    switch ((enum model_batch_state)batch->state) {
    case MODEL_BATCH_OPEN:
    case MODEL_BATCH_CLOSED: {
        uint64_t decided = later(batch->ready_event, batch->held_event);
        return decided > 0 ? decided : batch->last_event;
    }
    case MODEL_BATCH_DRAINED:
    case MODEL_BATCH_IN_FLIGHT:
        return batch->drained_event;
    case MODEL_BATCH_RETRYING:
    case MODEL_BATCH_DONE:
        return batch->last_event;
    }
    return batch->last_event;
}

/* The newest event of these kinds, not after now. */
static uint64_t newest(const struct view_frame *frame, sim_event_filter *wanted)
{
    uint64_t from = frame->model->sequence;
    uint64_t least = from > LOOK_BACK_EVENTS ? from - LOOK_BACK_EVENTS : 0;
    for (uint64_t i = from; i > least; i--) {
        if (wanted(sim_event_log_get(frame->log, i))) {
            return i;
        }
    }
    return 0;
}

/* Where somebody decides, or something goes wrong or well again. What follows by itself is not news: a batch
 * that opens or is acked, a request that is built, a batch that leaves because another one had to. */
static bool is_worth_telling(const struct kb_event *event)
{
    switch (event->kind) {
    case KB_EVENT_BATCH_DRAINED:
        return event->as.batch_drained.left != KB_LEFT_PIGGYBACK;
    case KB_EVENT_BATCH_REENQUEUED:
    case KB_EVENT_BATCH_SPLIT:
    case KB_EVENT_BATCH_EXPIRED:
    case KB_EVENT_THREAD_BLOCKED:
    case KB_EVENT_LEADER_ELECTED:
    case KB_EVENT_ISR_SHRUNK:
    case KB_EVENT_ISR_EXPANDED:
    case KB_EVENT_BROKER_UP:
    case KB_EVENT_BROKER_DOWN:
    case KB_EVENT_BROKER_LOSS_NOTICED:
    case KB_EVENT_PRODUCER_EPOCH_BUMPED:
    case KB_EVENT_FAULT:
    case KB_EVENT_FAULT_ARMED:
    case KB_EVENT_FOLLOWER_REFUSED:
    case KB_EVENT_SETTING_CHANGED:
        return true;
    default:
        return sim_event_is_error(event);
    }
}

static bool is_memory(const struct kb_event *event)
{
    return event->kind == KB_EVENT_MEMORY_ALLOCATED || event->kind == KB_EVENT_MEMORY_DEALLOCATED ||
           event->kind == KB_EVENT_MEMORY_WAITER_QUEUED;
}

static uint64_t event_of_partition(const struct view_frame *frame, const struct view_thing *thing)
{
    int32_t index = sim_model_find_partition(frame->model, thing->name, (int32_t)thing->number);
    uint64_t found = 0;
    for (int32_t i = index >= 0 ? frame->model->partitions[index].first_replica : -1; i >= 0;
         i = frame->model->replicas[i].next) {
        const struct model_replica *replica = &frame->model->replicas[i];
        if (thing->kind == VIEW_THING_PARTITION || replica->broker == thing->other) {
            found = later(found, replica->last_event);
        }
    }
    return found;
}

uint64_t story_event(const struct view_frame *frame)
{
    const struct view_thing *thing = &frame->stage->selected;
    const struct sim_model *model = frame->model;
    uint64_t found = 0;
    int32_t index = 0;
    switch (thing->kind) {
    case VIEW_THING_NONE: {
        struct verdict_group group;
        if (verdict_news(frame, &group)) {
            return group.fate->event;
        }
        break;
    }
    case VIEW_THING_EVENT:
        return (uint64_t)thing->number <= sim_event_log_count(frame->log) ? (uint64_t)thing->number : 0;
    case VIEW_THING_RECORD: {
        const struct model_record *record = sim_model_find_record(model, (uint32_t)thing->number);
        found = record != NULL ? record->last_event : 0;
        break;
    }
    case VIEW_THING_BATCH:
        found = event_of_batch(frame, thing);
        break;
    case VIEW_THING_REQUEST:
        index = sim_model_find_request(model, thing->producer, (uint32_t)thing->number);
        found = index >= 0 ? model->requests[index].last_event : 0;
        break;
    case VIEW_THING_BROKER:
        index = sim_model_find_broker(model, (int32_t)thing->number);
        found = index >= 0 ? model->brokers[index].last_event : 0;
        break;
    case VIEW_THING_CONSUMER:
        found = thing->number < SIM_CONSUMERS_MAX ? model->consumers[thing->number].last_event : 0;
        break;
    case VIEW_THING_PARTITION:
    case VIEW_THING_REPLICA:
        found = event_of_partition(frame, thing);
        break;
    case VIEW_THING_NODE:
        index = sim_model_find_broker(model, (int32_t)thing->number);
        found = index >= 0 && thing->producer < model->producer_count
                    ? model->producers[thing->producer].nodes[index].last_event
                    : 0;
        break;
    case VIEW_THING_STATION:
        found = frame->p->threads[frame->stage->thread].last_event;
        break;
    case VIEW_THING_POOL:
        found = newest(frame, is_memory);
        break;
    case VIEW_THING_SENDER:
        found = frame->p->last_pass_event;
        break;
    }
    found = found > 0 ? found : newest(frame, is_worth_telling);
    return found > 0 ? found : newest(frame, sim_event_is_salient);
}
