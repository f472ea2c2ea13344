/**
 * The stage: everything that a person sees of a run and does to it, above the toolkit and below the window.
 *
 * Its state is what the person chose (selection, speed, theme, open panel); what it shows comes from the view
 * model and the event log alone. What the person wants of the run is told to the host as an intent. Drawing
 * emits a draw list and hit regions; input is answered by the hit regions of the last drawing. So the same
 * code serves a window, a picture without a display, and tests.
 */
#ifndef VIEW_STAGE_H
#define VIEW_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "log/event_log.h"
#include "model/timeline.h"
#include "view/draw_list.h"
#include "view/input.h"
#include "view/text.h"
#include "view/theme.h"

/* --- What can be selected
 * ---------------------------------------------------------------------------------------------- */

enum view_thing_kind {
    VIEW_THING_NONE,
    VIEW_THING_RECORD,    /* number */
    VIEW_THING_BATCH,     /* producer, number */
    VIEW_THING_REQUEST,   /* producer, number */
    VIEW_THING_BROKER,    /* number: its id */
    VIEW_THING_PARTITION, /* name (of the topic), number */
    VIEW_THING_REPLICA,   /* name, number, other: broker id */
    VIEW_THING_NODE,      /* producer, number: a node as the sender sees it */
    VIEW_THING_EVENT,     /* sequence */
    VIEW_THING_STATION,   /* number: enum model_station */
    VIEW_THING_POOL,      /* producer */
    VIEW_THING_SENDER,    /* producer */
    VIEW_THING_CONSUMER,  /* number: its index */
};

struct view_thing {
    enum view_thing_kind kind;
    uint32_t producer;
    uint32_t name;
    int64_t number;
    int32_t other;
};
bool view_thing_equals(const struct view_thing *a, const struct view_thing *b);

/* --- What a person wants of the run
 * ---------------------------------------------------------------------------------------- */

enum view_intent_kind {
    VIEW_INTENT_FAULT,   /* at at_us: fault (enum kb_fault_kind) to broker, other, topic, partition, ms; those
                          * that wait for requests also take point, api, code, appended, of_producer, count */
    VIEW_INTENT_SET,     /* at at_us: producer's setting becomes value */
    VIEW_INTENT_BRANCH,  /* look at branch `index` */
    VIEW_INTENT_SAVE,    /* as a scenario file */
    VIEW_INTENT_PICTURE, /* of what is shown, as a file */
    VIEW_INTENT_RESET,   /* back to the scenario without interventions */
    VIEW_INTENT_QUIT,
};

/* The other end of a link that is cut or healed, where it is not one broker. */
enum { VIEW_END_ALL = -1, VIEW_END_PRODUCERS = -2, VIEW_END_CLUSTER = -3 };

struct view_intent {
    enum view_intent_kind kind;
    int64_t at_us;
    int32_t fault;
    int32_t broker;
    int32_t other;  /* a broker, VIEW_END_ALL, VIEW_END_PRODUCERS or VIEW_END_CLUSTER */
    bool one_way;   /* only from the broker to the other end */
    uint32_t topic; /* name */
    int32_t partition;
    int64_t ms;
    int32_t point;    /* enum kb_fault_point */
    int32_t api;      /* corrupt_batch: Produce, or Fetch (1) on the way to a follower */
    int32_t code;     /* of error */
    bool appended;    /* error: and yet it is written */
    uint32_t count;   /* add_partitions: how many there are to be; else so many requests, 0 is 1 */
    bool of_producer; /* only requests of `producer` */
    uint32_t producer;
    char setting[64];
    char value[64];
    uint32_t index;
};

/** One run of the scenario, with what was done by hand up to where it parts from another. */
struct view_branch {
    char title[80];      /* "kill broker 2" */
    int64_t from_us;     /* where it parts */
    uint32_t parent;     /* index of the branch it parts from; its own for the first */
    uint64_t differs_at; /* the first event that differs from the parent's; 0: none */
};

/** What the stage asks of whoever owns the run. The log and the timeline change when an intent makes a new
 * branch. */
struct view_host {
    void *context;
    const struct sim_event_log *(*log)(void *context);
    struct sim_timeline *(*timeline)(void *context);
    /** Is the run still being computed? permille: how far; 1000 when it is done. */
    uint32_t (*progress)(void *context);
    uint32_t (*branch_count)(void *context);
    const struct view_branch *(*branch)(void *context, uint32_t index);
    uint32_t (*current_branch)(void *context);
    /** false with a sentence in *message (valid until the next call) when it cannot be done. */
    bool (*act)(void *context, const struct view_intent *intent, const char **message);
    /** The ledger of the whole run as text lines "name\tcount", NULL past the end; only when the run is done.
     */
    const char *(*ledger_line)(void *context, uint32_t index);
};

/* --- The stage
 * ----------------------------------------------------------------------------------------------------------------
 */

struct view_stage;

/** The host is copied; what it points at, and the text, are borrowed for the stage's lifetime. NULL when
 * there is no memory. */
struct view_stage *view_stage_create(const struct view_host *host, struct view_text *text);
void view_stage_destroy(struct view_stage *stage);

/** Let `elapsed_us` of the person's time pass: playback, easing. Returns whether anything on screen may have
 * changed. */
bool view_stage_advance(struct view_stage *stage, int64_t elapsed_us);
/** Take what the person did. It is answered at the beginning of the next drawing, by the hit regions that the
 * list still holds from the last one. */
void view_stage_input(struct view_stage *stage, const struct view_input *input);
/** Draw everything for a surface of that many device pixels; scale_256: device pixels per logical pixel
 * × 256. */
void view_stage_draw(struct view_stage *stage, struct view_draw_list *list, int32_t width_px,
                     int32_t height_px, uint32_t scale_256);
/** The same until drawing changes nothing any more, as a window does frame by frame: what is measured while
 * it is drawn (the height of what scrolls) shows in the drawing after. For pictures. */
void view_stage_draw_settled(struct view_stage *stage, struct view_draw_list *list, int32_t width_px,
                             int32_t height_px, uint32_t scale_256);
bool view_stage_wants_quit(const struct view_stage *stage);

/* For pictures and tests: the same as the keys and clicks that do it. */
void view_stage_seek(struct view_stage *stage, uint64_t sequence);
void view_stage_seek_time(struct view_stage *stage, int64_t time_us);
void view_stage_select(struct view_stage *stage, const struct view_thing *thing);
void view_stage_set_light(struct view_stage *stage, bool light);
void view_stage_set_presenter(struct view_stage *stage, bool presenter);
void view_stage_set_reduced_motion(struct view_stage *stage, bool reduced);
uint64_t view_stage_sequence(const struct view_stage *stage);
bool view_stage_is_playing(const struct view_stage *stage);

/** What a window's title says: the run, where it stands, and what is selected. "Linger: a bad day · 12.400 ms
 * · event 318 / 1204 · playing · batch 5 · kill broker 2". */
void view_stage_title(const struct view_stage *stage, char *text, size_t capacity_bytes);

#endif
