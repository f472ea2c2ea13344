#include "model/timeline.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

struct sim_timeline {
    const struct sim_event_log *log;
    struct sim_model *model;    /* where the timeline is */
    struct sim_model *frontier; /* where the coarse keyframes end */
    struct sim_model **coarse;  /* [i] is the model after i * TIMELINE_COARSE_EVENTS events */
    size_t coarse_count;
    size_t coarse_capacity;
    struct sim_model *fine; /* a ring */
    size_t fine_count;
    size_t fine_next;
};

static void fold_to(const struct sim_event_log *log, struct sim_model *model, uint64_t sequence)
{
    const struct sim_run_info *info = sim_event_log_info_view(log);
    while (model->sequence < sequence) {
        sim_model_fold(model, info, sim_event_log_get(log, model->sequence + 1));
    }
}

struct sim_timeline *sim_timeline_create(const struct sim_event_log *log)
{
    struct sim_timeline *timeline = calloc(1, sizeof *timeline);
    if (timeline == NULL) {
        return NULL;
    }
    timeline->log = log;
    timeline->model = malloc(sizeof *timeline->model);
    timeline->frontier = malloc(sizeof *timeline->frontier);
    timeline->fine = malloc(TIMELINE_FINE_FRAMES * sizeof *timeline->fine);
    if (timeline->model == NULL || timeline->frontier == NULL || timeline->fine == NULL) {
        sim_timeline_destroy(timeline);
        return NULL;
    }
    sim_model_init(timeline->model, sim_event_log_info_view(log));
    memcpy(timeline->frontier, timeline->model, sizeof *timeline->model);
    return timeline;
}

void sim_timeline_destroy(struct sim_timeline *timeline)
{
    if (timeline == NULL) {
        return;
    }
    for (size_t i = 0; i < timeline->coarse_count; i++) {
        free(timeline->coarse[i]);
    }
    free(timeline->coarse);
    free(timeline->fine);
    free(timeline->frontier);
    free(timeline->model);
    free(timeline);
}

static void keep_coarse(struct sim_timeline *timeline)
{
    if (timeline->coarse_count == timeline->coarse_capacity) {
        size_t capacity = timeline->coarse_capacity != 0 ? 2 * timeline->coarse_capacity : 16;
        struct sim_model **grown = realloc(timeline->coarse, capacity * sizeof(struct sim_model *));
        if (grown == NULL) {
            return; /* seeks take longer, that is all */
        }
        timeline->coarse = grown;
        timeline->coarse_capacity = capacity;
    }
    struct sim_model *copy = malloc(sizeof *copy);
    if (copy != NULL) {
        memcpy(copy, timeline->frontier, sizeof *copy);
        timeline->coarse[timeline->coarse_count++] = copy;
    }
}

bool sim_timeline_prepare(struct sim_timeline *timeline, uint64_t event_count)
{
    uint64_t last = sim_event_log_count(timeline->log);
    uint64_t goal =
        last - timeline->frontier->sequence > event_count ? timeline->frontier->sequence + event_count : last;
    while (timeline->frontier->sequence < goal) {
        uint64_t next = (timeline->frontier->sequence / TIMELINE_COARSE_EVENTS + 1) * TIMELINE_COARSE_EVENTS;
        fold_to(timeline->log, timeline->frontier, next < goal ? next : goal);
        if (timeline->frontier->sequence == next) {
            keep_coarse(timeline);
        }
    }
    return goal < last;
}

/* The nearest keyframe at or before the goal; NULL: the beginning. */
static const struct sim_model *nearest(const struct sim_timeline *timeline, uint64_t sequence)
{
    const struct sim_model *best = NULL;
    for (size_t i = timeline->coarse_count; i > 0 && best == NULL; i--) {
        best = timeline->coarse[i - 1]->sequence <= sequence ? timeline->coarse[i - 1] : NULL;
    }
    for (size_t i = 0; i < timeline->fine_count; i++) {
        const struct sim_model *frame = &timeline->fine[i];
        if (frame->sequence <= sequence && (best == NULL || frame->sequence > best->sequence)) {
            best = frame;
        }
    }
    return best;
}

static void keep_fine(struct sim_timeline *timeline)
{
    for (size_t i = 0; i < timeline->fine_count; i++) {
        if (timeline->fine[i].sequence == timeline->model->sequence) {
            return;
        }
    }
    memcpy(&timeline->fine[timeline->fine_next], timeline->model, sizeof *timeline->model);
    timeline->fine_next = (timeline->fine_next + 1) % TIMELINE_FINE_FRAMES;
    if (timeline->fine_count < TIMELINE_FINE_FRAMES) {
        timeline->fine_count++;
    }
}

const struct sim_model *sim_timeline_seek(struct sim_timeline *timeline, uint64_t sequence)
{
    uint64_t last = sim_event_log_count(timeline->log);
    sequence = sequence < last ? sequence : last;
    if (sequence > timeline->frontier->sequence) {
        (void)sim_timeline_prepare(timeline, sequence - timeline->frontier->sequence);
    }
    struct sim_model *model = timeline->model;
    const struct sim_model *frame = nearest(timeline, sequence);
    bool here_is_nearer =
        model->sequence <= sequence && (frame == NULL || frame->sequence <= model->sequence);
    if (!here_is_nearer && frame != NULL) {
        memcpy(model, frame, sizeof *model);
    } else if (!here_is_nearer) {
        sim_model_init(model, sim_event_log_info_view(timeline->log));
    }
    /* Fine keyframes only where a step back is likely: before the goal. */
    uint64_t window = (uint64_t)TIMELINE_FINE_EVENTS * (TIMELINE_FINE_FRAMES - 2);
    while (model->sequence < sequence) {
        uint64_t next = (model->sequence / TIMELINE_FINE_EVENTS + 1) * TIMELINE_FINE_EVENTS;
        fold_to(timeline->log, model, next < sequence ? next : sequence);
        if (model->sequence == next && model->sequence + window >= sequence) {
            keep_fine(timeline);
        }
    }
    return model;
}

const struct sim_model *sim_timeline_model(const struct sim_timeline *timeline)
{
    return timeline->model;
}

uint64_t sim_timeline_find(const struct sim_event_log *log, uint64_t from, bool backwards,
                           sim_event_filter *wanted)
{
    uint64_t last = sim_event_log_count(log);
    if (backwards) {
        for (uint64_t i = from; i > 1; i--) {
            if (wanted(sim_event_log_get(log, i - 1))) {
                return i - 1;
            }
        }
        return 0;
    }
    for (uint64_t i = from + 1; i <= last; i++) {
        if (wanted(sim_event_log_get(log, i))) {
            return i;
        }
    }
    return 0;
}

bool sim_event_is_departure(const struct kb_event *event)
{
    return event->kind == KB_EVENT_BATCH_DRAINED;
}

bool sim_event_is_ack(const struct kb_event *event)
{
    return event->kind == KB_EVENT_BATCH_DONE && event->as.batch_done.error == 0;
}

bool sim_event_is_error(const struct kb_event *event)
{
    switch (event->kind) {
    case KB_EVENT_RECORD_REJECTED:
    case KB_EVENT_BATCH_REENQUEUED:
    case KB_EVENT_BATCH_EXPIRED:
    case KB_EVENT_REQUEST_TIMED_OUT:
    case KB_EVENT_REQUEST_FAILED:
    case KB_EVENT_APPEND_REFUSED:
    case KB_EVENT_LOG_TRUNCATED:
    case KB_EVENT_PACKET_LOST:
        return true;
    case KB_EVENT_BATCH_DONE:
        return event->as.batch_done.error != 0;
    case KB_EVENT_RESPONSE_RECEIVED:
        return event->as.response_received.error != 0;
    default:
        return false;
    }
}

bool sim_event_is_pass(const struct kb_event *event)
{
    return event->kind == KB_EVENT_SENDER_PASS;
}

bool sim_event_is_salient(const struct kb_event *event)
{
    switch (event->kind) {
    case KB_EVENT_BATCH_CREATED:
    case KB_EVENT_BATCH_CLOSED:
    case KB_EVENT_BATCH_SPLIT:
    case KB_EVENT_REQUEST_BUILT:
    case KB_EVENT_LEADER_ELECTED:
    case KB_EVENT_ISR_SHRUNK:
    case KB_EVENT_ISR_EXPANDED:
    case KB_EVENT_BROKER_UP:
    case KB_EVENT_BROKER_DOWN:
    case KB_EVENT_THREAD_BLOCKED:
    case KB_EVENT_FAULT:
    case KB_EVENT_FAULT_ARMED:
    case KB_EVENT_SETTING_CHANGED:
        return true;
    default:
        return sim_event_is_departure(event) || sim_event_is_ack(event) || sim_event_is_error(event);
    }
}
