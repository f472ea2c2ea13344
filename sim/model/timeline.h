/**
 * The model at any moment of a run: going back costs what going forward costs.
 *
 * Keyframes are copies of the model: coarse ones all along the log, fine ones around where one was last. A
 * seek copies the nearest one before its goal and folds the rest.
 */
#ifndef SIM_TIMELINE_H
#define SIM_TIMELINE_H

#include "log/event_log.h"
#include "model/view_model.h"

enum {
    TIMELINE_COARSE_EVENTS = 1 << 18,
    TIMELINE_FINE_EVENTS = 1 << 10,
    TIMELINE_FINE_FRAMES = 16,
};

struct sim_timeline;

/** The log is borrowed and may grow. Starts before its first event. NULL when there is no memory. */
struct sim_timeline *sim_timeline_create(const struct sim_event_log *log);
void sim_timeline_destroy(struct sim_timeline *timeline);

/** The model after event number `sequence`; 0: before the first; past the end: the end. Valid until the next
 * seek. */
const struct sim_model *sim_timeline_seek(struct sim_timeline *timeline, uint64_t sequence);
/** Where it is. */
const struct sim_model *sim_timeline_model(const struct sim_timeline *timeline);

/** Lay coarse keyframes for at most so many events more, ahead of any seek; false when all of the log has
 * them. */
bool sim_timeline_prepare(struct sim_timeline *timeline, uint64_t event_count);

/** The next (or the last before) event of these lanes, kinds or whatever: from exclusive. 0 when there is
 * none. */
typedef bool sim_event_filter(const struct kb_event *event);
uint64_t sim_timeline_find(const struct sim_event_log *log, uint64_t from, bool backwards,
                           sim_event_filter *wanted);

/** Filters for the keys of the view. */
bool sim_event_is_departure(const struct kb_event *event); /* a batch is drained */
bool sim_event_is_ack(const struct kb_event *event);
bool sim_event_is_error(const struct kb_event *event);
bool sim_event_is_pass(const struct kb_event *event);    /* of a sender */
bool sim_event_is_salient(const struct kb_event *event); /* worth a moment of its own */

#endif
