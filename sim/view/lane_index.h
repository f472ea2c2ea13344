/**
 * How many events each lane of the timeline has where: built once per log, taken further as the log grows.
 *
 * The run is cut into buckets of equal time, and when it grows past them every two become one; so the cost of
 * a picture of the whole run does not depend on its length. A picture of so short a part that buckets are too
 * coarse for it counts the events themselves and remembers the answer.
 *
 * It also keeps where something happened that people look for: faults, changes of settings, leaders and ISR.
 */
#ifndef VIEW_LANE_INDEX_H
#define VIEW_LANE_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "log/event_log.h"

enum {
    VIEW_LANE_BUCKETS = 1 << 14,
    VIEW_LANE_COLUMNS_MAX = 4096,
    VIEW_LANE_MARKS_MAX = 4096, /* the first; later ones are only counted */
};

/** What happened in a stretch of time on one lane. */
struct view_lane_cell {
    uint32_t count;
    uint32_t errors; /* of them */
    uint16_t topic;  /* name of the topic of one of them; 0: of none */
    uint16_t partition;
};

struct view_lane_index;

/** NULL when there is no memory. */
struct view_lane_index *view_lane_index_create(void);
void view_lane_index_destroy(struct view_lane_index *index);

/**
 * Take in at most so many events that are new in the log; one that is not the log of the last call starts
 * anew. Returns whether all of the log is in.
 */
bool view_lane_index_update(struct view_lane_index *index, const struct sim_event_log *log,
                            uint64_t event_count_max);

/**
 * The events of [from_us, to_us) by lane and column: cells[lane * columns + column]. Borrowed from the index
 * until its next call. columns: 1 … VIEW_LANE_COLUMNS_MAX.
 */
const struct view_lane_cell *view_lane_index_query(struct view_lane_index *index, int64_t from_us,
                                                   int64_t to_us, uint32_t columns);

/** Sequence numbers of marks in the order of time. */
const uint64_t *view_lane_index_marks(const struct view_lane_index *index, uint32_t *count);
/** How many marks there were in all. */
uint64_t view_lane_index_marks_seen(const struct view_lane_index *index);

/** Worth a mark on the lane of faults? */
bool view_event_is_mark(const struct kb_event *event);

/** The partition an event is about: what it names, else 0. topic is a name's number. */
bool view_event_partition(const struct kb_event *event, uint32_t *topic, int32_t *partition);

#endif
