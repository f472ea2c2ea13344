/**
 * Between the files of the timeline: where a moment stands.
 */
#ifndef VIEW_PANEL_TIMELINE_H
#define VIEW_PANEL_TIMELINE_H

#include "view/stage_private.h"

/* The lanes that are drawn; the first five are those of events. */
enum { TIMELINE_LANE_BRANCHES = KB_LANE_COUNT, TIMELINE_LANES };

struct timeline_area {
    struct view_rect ruler;
    struct view_rect lanes[TIMELINE_LANES];
    struct view_rect all;   /* ruler and lanes, without names */
    int64_t from_us, to_us; /* shown */
    int64_t end_us;         /* of the run, as far as it is known or planned */
    int64_t computed_us;    /* events exist up to here */
    bool is_computing;
};

/** May lie outside the area. */
int32_t timeline_x(const struct timeline_area *area, int64_t time_us);
int64_t timeline_time(const struct timeline_area *area, int32_t x);

/** Faults, leaders and ISR as shapes with labels, as far as these have room. */
void timeline_draw_marks(struct view_frame *frame, const struct timeline_area *area);
/** The branches of the run as lines that fork. */
void timeline_draw_branches(struct view_frame *frame, const struct timeline_area *area);

#endif
