/**
 * The events of one thing, from its first to its last, as far as a bounded look at the log finds them.
 */
#ifndef VIEW_LIFE_H
#define VIEW_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "log/event_log.h"
#include "view/stage.h"

enum {
    LIFE_EVENTS_MAX = 64,
    LIFE_LOOK_EVENTS = 1 << 17, /* at most so many are looked at */
};

struct life {
    struct view_thing thing;
    const struct sim_event_log *log;
    uint64_t looked_at; /* events of the log then */
    uint64_t events[LIFE_EVENTS_MAX];
    uint32_t count;
    bool is_cut;  /* there are more than fit */
    bool is_over; /* its last event is among them: nothing can follow */
};

/** Does the event say something of the thing? batch: of a record, 0: unknown. */
bool life_is_about(const struct sim_event_log *log, const struct kb_event *event,
                   const struct view_thing *thing, uint32_t batch);

/** Fills in the life from event number `first` on; a life that is the same and over is left as it is. */
void life_trace(struct life *life, const struct sim_event_log *log, const struct view_thing *thing,
                uint64_t first, uint32_t batch);

/** The newest events about the thing not after `last`, newest first. */
void life_trace_back(struct life *life, const struct sim_event_log *log, const struct view_thing *thing,
                     uint64_t last, uint32_t count_max);

#endif
