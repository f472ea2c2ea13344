/*
 * Where in the logs the selected or followed record stands, or the records of the selected batch.
 */
#include "view/panel_cluster.h"

enum { LOOK_BACK_EVENTS = 1 << 14 };

/* Before its answer the producer does not know the offset of a batch; the leader that appended it does. */
static bool find_appended(const struct view_frame *frame, const struct model_batch *batch,
                          struct view_log_range *range)
{
    const struct sim_model *model = frame->model;
    int32_t request = sim_model_find_request(model, batch->producer, batch->request);
    if (request < 0) {
        return false;
    }
    uint64_t least = model->requests[request].built_event;
    for (uint64_t i = model->sequence; i > least && model->sequence - i < LOOK_BACK_EVENTS; i--) {
        const struct kb_event *event = sim_event_log_get(frame->log, i);
        const struct kb_event_leader_appended *appended = &event->as.leader_appended;
        if (event->kind != KB_EVENT_LEADER_APPENDED || appended->request != batch->request ||
            appended->topic != batch->topic || appended->partition != batch->partition) {
            continue;
        }
        int32_t connection = sim_model_find_connection(model, appended->connection);
        if (connection >= 0 && model->connections[connection].from == -1 - (int32_t)batch->producer) {
            range->first = appended->base_offset;
            range->last = appended->last_offset;
            return true;
        }
    }
    return false;
}

static bool find_batch(const struct view_frame *frame, uint32_t producer, uint32_t number,
                       struct view_log_range *range)
{
    int32_t index = sim_model_find_batch(frame->model, producer, number);
    if (index < 0) {
        return false;
    }
    const struct model_batch *batch = &frame->model->batches[index];
    range->partition = sim_model_find_partition(frame->model, batch->topic, batch->partition);
    if (batch->base_offset >= 0) {
        range->first = batch->base_offset;
        range->last = batch->base_offset + (int64_t)batch->records - 1;
        return true;
    }
    return find_appended(frame, batch, range);
}

static bool find_record(const struct view_frame *frame, int64_t number, struct view_log_range *range)
{
    const struct model_record *record = sim_model_find_record(frame->model, (uint32_t)number);
    if (record == NULL) {
        return false;
    }
    if (record->offset >= 0) {
        range->partition = sim_model_find_partition(frame->model, record->topic, record->partition);
        range->first = range->last = record->offset;
        return true;
    }
    if (!find_batch(frame, record->producer, record->batch, range)) {
        return false;
    }
    range->first += record->slot;
    range->last = range->first;
    return true;
}

void cluster_find_marked(struct view_frame *frame)
{
    const struct view_thing *thing = &frame->stage->selected;
    struct view_log_range found = {.partition = MODEL_NONE};
    bool is_found = false;
    if (thing->kind == VIEW_THING_BATCH) {
        is_found = find_batch(frame, thing->producer, (uint32_t)thing->number, &found);
    } else if (thing->kind == VIEW_THING_RECORD) {
        is_found = find_record(frame, thing->number, &found);
    }
    if (!is_found && frame->stage->followed.kind == VIEW_THING_RECORD) {
        is_found = find_record(frame, frame->stage->followed.number, &found);
    }
    frame->stage->marked = found;
    if (!is_found) {
        frame->stage->marked.partition = MODEL_NONE;
    }
}
