/**
 * What the parts of the stage share: its state, one drawing of it, and small helpers.
 *
 * A panel is one function that draws into its rectangle and answers its own widgets while it does so
 * (immediate mode, widget.h). What can be selected is registered under the id of its thing; a click on it
 * selects, a double click follows, a right click opens its menu, and none of that is a panel's business:
 * stage_input.c does it for every id that view_thing_of_id() knows.
 *
 * A panel changes the stage only through the functions below. What it changes shows in the next drawing.
 */
#ifndef VIEW_STAGE_PRIVATE_H
#define VIEW_STAGE_PRIVATE_H

#include "model/verdicts.h"
#include "view/lane_index.h"
#include "view/life.h"
#include "view/stage.h"
#include "view/widget.h"

/* --- Ids of hit regions
 * ------------------------------------------------------------------------------------------------ */

/* Kinds below VIEW_HIT_FIRST are things: enum view_thing_kind. Each of the others is one widget or a family.
 */
enum view_hit_kind {
    VIEW_HIT_FIRST = 32,
    /* The bar at the top. */
    VIEW_HIT_TRANSPORT, /* index: button */
    VIEW_HIT_SPEED,
    VIEW_HIT_PACED,
    VIEW_HIT_CLOCK,
    VIEW_HIT_CHIP, /* index: setting */
    VIEW_HIT_HELP,
    VIEW_HIT_TITLE,
    /* Application, accumulator, sender, network. */
    VIEW_HIT_PRODUCER, /* index: producer */
    VIEW_HIT_THREAD,   /* index: thread, sub: producer */
    VIEW_HIT_DEQUES,   /* scroll area */
    VIEW_HIT_NODES,    /* scroll area */
    VIEW_HIT_LEFT_WHY, /* the chip of a batch: index, sub as of the batch */
    VIEW_HIT_TERM,     /* something that only explains itself; index: which */
    VIEW_HIT_MORE,     /* "+12": index of what, sub: direction */
    VIEW_HIT_WIRE,     /* index: place of the broker */
    VIEW_HIT_STAGE_END = 128,
    /* From here on: cluster, side, timeline, overlays. */
    VIEW_HIT_CLUSTER_FIRST = 128,
    VIEW_HIT_BROKERS,       /* scroll area of the cluster and of the wires */
    VIEW_HIT_BROKER_ACTION, /* index: place of the broker, sub: action */
    VIEW_HIT_PARKED,        /* index: place of the broker */
    VIEW_HIT_SIDE_FIRST = 160,
    VIEW_HIT_TAB,         /* sub: tab */
    VIEW_HIT_SIDE_SCROLL, /* sub: tab */
    VIEW_HIT_LAMP,        /* index: bit, sub: left or held */
    VIEW_HIT_EVENT_LINE,  /* a line that jumps to an event; index: its sequence number */
    VIEW_HIT_METHOD,
    VIEW_HIT_SETTING, /* index: setting, sub: part of its row */
    VIEW_HIT_PLOT,    /* index: plot */
    VIEW_HIT_BRANCH,  /* index: branch; sub: where it is clicked */
    VIEW_HIT_LEDGER,  /* index: line */
    VIEW_HIT_LINK,    /* a line that selects another thing; index: which of the list */
    VIEW_HIT_TIMELINE_FIRST = 224,
    VIEW_HIT_TIMELINE, /* the lanes: scrub, zoom, pan */
    VIEW_HIT_RULER,
    VIEW_HIT_TIMELINE_MARK, /* index: sequence number */
    VIEW_HIT_TIMELINE_ALL,  /* back to the whole run */
    VIEW_HIT_OVERLAY_FIRST = 256,
    VIEW_HIT_MENU,
    VIEW_HIT_KEY_CARD,
    VIEW_HIT_TOAST,
    VIEW_HIT_VERDICT,
};

/** The id under which a thing answers. 0 for a thing that is none, or that does not fit into an id. */
view_id view_thing_id(const struct sim_run_info *info, const struct view_thing *thing);
/** The reverse; kind VIEW_THING_NONE when the id is not a thing's. */
struct view_thing view_thing_of_id(const struct sim_run_info *info, view_id id);

/* --- Shorthands for things. */
struct view_thing view_thing_record(uint32_t number);
struct view_thing view_thing_batch(uint32_t producer, uint32_t number);
struct view_thing view_thing_request(uint32_t producer, uint32_t number);
struct view_thing view_thing_broker(int32_t id);
struct view_thing view_thing_partition(uint32_t topic, int32_t partition);
struct view_thing view_thing_replica(uint32_t topic, int32_t partition, int32_t broker);
struct view_thing view_thing_event(uint64_t sequence);
struct view_thing view_thing_consumer(uint32_t index);

/* --- Layout
 * ------------------------------------------------------------------------------------------------------------
 */

/** Where the panels stand, in 1/16 px. An empty rectangle is not drawn. None overlaps another. */
struct view_layout {
    struct view_rect top;
    struct view_rect application;
    struct view_rect accumulator; /* with the pool under it */
    struct view_rect sender;
    struct view_rect network;
    struct view_rect cluster;
    struct view_rect side;
    struct view_rect timeline;
    /* Cards of brokers in the cluster, which the wires of the network lead to: see view_layout_broker(). */
    struct view_rect brokers;
    int32_t broker_height;      /* of a card; they are space_2 apart */
    struct view_rect consumers; /* at the right of them; empty without consumers */
};

struct view_side_state;
/** width, height: of the canvas. broker_count, consumer_count: how many cards there are. side: what the
 * person wants of it. */
void view_layout_make(struct view_layout *layout, const struct view_theme *theme, int32_t width,
                      int32_t height, uint32_t broker_count, uint32_t consumer_count,
                      const struct view_side_state *side);

/* --- State
 * -------------------------------------------------------------------------------------------------------------
 */

enum view_tab {
    VIEW_TAB_WHY,
    VIEW_TAB_INSPECT,
    VIEW_TAB_CONFIG,
    VIEW_TAB_PLOTS,
    VIEW_TAB_LEDGER,
    VIEW_TAB_COUNT
};

enum { VIEW_SPEEDS = 19, VIEW_MOVERS = 8192, VIEW_TOAST_BYTES = 200 };

/** Where something with an identity was drawn last, and where it is going. */
struct view_mover {
    view_id id; /* 0: free */
    struct view_rect from, to;
    int64_t started_us; /* of the stage's clock */
    uint32_t frame;     /* it was last asked for in this drawing */
};

/** Of the side panel. */
struct view_side_state {
    enum view_tab tab;
    bool is_open;
    bool is_forced; /* open even where there is no room: then it stands where the cluster is */
    int32_t scroll[VIEW_TAB_COUNT];
    int32_t content_height[VIEW_TAB_COUNT]; /* of the last drawing */
    struct view_field field;                /* of Config */
    uint32_t edited;                        /* which setting has the field */
    struct life life;                       /* of what Inspect shows */
    int32_t pending_setting;                /* Config: a slider that is being moved, + 1; 0: none */
    int64_t pending_value;
};

/** Of the timeline: the part of the run that it shows. */
struct view_timeline_state {
    int64_t from_us, to_us; /* both 0: all of it */
    bool is_scrubbing;
    bool is_panning;
    int64_t pan_at_us; /* what was under the pointer when it began */
};

struct view_menu_state {
    bool is_open;
    struct view_point at;
    struct view_thing thing;
    uint32_t page; /* enum view_menu_page (menu_faults.h) */
};

struct view_toast_state {
    char text[VIEW_TOAST_BYTES];
    bool is_failure;
    int64_t until_us; /* of the stage's clock */
};

/** Offsets of one partition's logs. */
struct view_log_range {
    int32_t partition; /* index of a model_partition; MODEL_NONE: no range */
    int64_t first, last;
};

struct view_stage {
    struct view_host host;
    struct view_text *text; /* borrowed */
    struct view_theme theme;
    struct view_ui ui;
    struct view_input input;
    bool has_input;

    /* Time of the run. */
    uint64_t sequence; /* of the last event that is shown */
    int64_t time_us;   /* between that event's and the next one's */
    int64_t remainder; /* of run time below a microsecond, in millionths */
    bool is_playing;
    bool is_paced;  /* event-paced */
    uint32_t speed; /* index into the steps */
    /* Event-paced: the way from one salient event to the next. */
    uint64_t pace_goal; /* the event at its end; 0: none chosen yet */
    int64_t pace_from_us, pace_to_us;
    int64_t pace_begun_us, pace_lasts_us; /* of the stage's clock */
    int64_t idle_us;                      /* the way is a stretch of idleness this long; 0: it is not */
    /* The first verdict of a kind holds the run for a moment. */
    int64_t hold_until_us; /* of the stage's clock; 0: not held */
    uint32_t held_kinds;   /* bits of enum model_fate_kind: not again until somebody goes back */

    /* A branch begins where its parent was looked at; until it is computed that far, this is waited for. */
    bool is_awaiting;
    int64_t awaited_us;

    /* Time of the person. */
    int64_t clock_us; /* since the stage was made: the sum of all advances */
    bool is_dirty;    /* something that is drawn may have changed */

    /* What was chosen. */
    struct view_thing selected;
    struct view_thing followed; /* a record or VIEW_THING_NONE */
    uint32_t producer;          /* shown at the left */
    uint32_t thread;
    bool is_light, is_presenter, is_reduced_motion;
    bool wants_quit;
    bool is_key_card_open;
    int32_t deque_scroll;  /* of the accumulator */
    int32_t node_scroll;   /* of the sender */
    int32_t broker_scroll; /* of cluster and network together */
    struct view_side_state side;
    struct view_timeline_state timeline;
    struct view_lane_index *lanes; /* owned; made by the timeline's first drawing (lane_index.h) */
    struct sim_verdicts *verdicts; /* owned; made by the first drawing (verdict.h) */
    struct view_menu_state menu;
    struct view_toast_state toast;
    struct view_intent intent; /* to be handed over */
    bool has_intent;

    /* Motion. */
    uint32_t frame;
    int32_t width, height; /* of the last drawing */
    bool side_has_no_room;
    int64_t tip_due_us;        /* of the stage's clock; -1: none */
    bool must_snap;            /* the next drawing shows everything at its place: after a jump */
    bool is_moving;            /* something of the last drawing was on its way */
    struct view_mover *movers; /* hash table by id */

    struct view_log_range marked;      /* of the present drawing: what is selected or followed, in the logs */
    struct sim_producer_info settings; /* of the present drawing: what frame->pinfo points at */
    /* Of the present drawing: the records of each batch, as lists of indices; −1 ends one. */
    int16_t batch_records[MODEL_BATCHES];
    int16_t next_record[MODEL_RECORDS];
};

/* --- One drawing
 * ------------------------------------------------------------------------------------------------------- */

struct view_frame {
    struct view_stage *stage;
    struct view_ui *ui; /* ui->list is what is drawn into */
    const struct view_theme *theme;
    const struct sim_model *model; /* after the last event that is shown */
    const struct sim_event_log *log;
    const struct sim_run_info *info;
    int64_t now_us; /* of the run; not before model->time_us */
    uint32_t producer;
    const struct model_producer *p;        /* model->producers[producer] */
    const struct sim_producer_info *pinfo; /* of the producer, with the settings in force now */
    struct view_layout layout;
};

void view_draw_panel_top(struct view_frame *frame, struct view_rect rect);
void view_draw_panel_application(struct view_frame *frame, struct view_rect rect);
void view_draw_panel_accumulator(struct view_frame *frame, struct view_rect rect);
void view_draw_panel_pool(struct view_frame *frame, struct view_rect rect);
void view_draw_panel_sender(struct view_frame *frame, struct view_rect rect);
void view_draw_sender_history(struct view_frame *frame, struct view_rect rect);
void view_draw_panel_network(struct view_frame *frame, struct view_rect rect);
/* The cluster draws its cards at view_layout_broker(), so that the wires meet them. */
void view_draw_panel_cluster(struct view_frame *frame, struct view_rect rect);
void view_draw_panel_side(struct view_frame *frame, struct view_rect rect);
void view_draw_panel_timeline(struct view_frame *frame, struct view_rect rect);
/* The key card, the open menu, the toast: after all panels, over the whole canvas. */
void view_draw_overlays(struct view_frame *frame);
/* Keys that the stage itself does not know, before anything is drawn; true when it was one of theirs. */
bool view_handle_side_key(struct view_stage *stage, const struct view_key_press *key);

/** Card of the broker at this place of the run's list, scrolled; it may lie outside layout.brokers (clip). */
struct view_rect view_layout_broker(const struct view_frame *frame, uint32_t place);

/* --- Actions
 * ----------------------------------------------------------------------------------------------------------
 */

/* view_stage_seek(), view_stage_seek_time() and view_stage_select() of stage.h, and: */
void view_stage_play(struct view_stage *stage, bool play);
/** Double click on it: followed, and the stage goes to what is known of it. */
void view_stage_follow(struct view_stage *stage, const struct view_thing *thing);
void view_stage_open_menu(struct view_stage *stage, const struct view_thing *thing, struct view_point at);
void view_stage_toast(struct view_stage *stage, bool is_failure, const char *text);
/** Hands an intent to the host when the present drawing is over (the run may change under it); what the host
 * answers is shown as a toast. at_us is filled in. */
void view_stage_act(struct view_stage *stage, const struct view_intent *intent);
const struct sim_event_log *view_stage_log(const struct view_stage *stage);
/** Where the stage is. Not while a panel is drawn: it has frame->model. */
const struct sim_model *view_stage_model(const struct view_stage *stage);

/* stage_playback.c */
void view_playback_advance(struct view_stage *stage, int64_t elapsed_us);
void view_playback_step(struct view_stage *stage, bool backwards);
/** To this moment of a run that may not be computed so far: it gets there by itself. */
void view_playback_await(struct view_stage *stage, int64_t time_us);
/** To the next (last) event that the filter wants; false when there is none. */
bool view_playback_find(struct view_stage *stage, bool backwards, sim_event_filter *wanted);
void view_playback_faster(struct view_stage *stage, int32_t steps);
/** How much of the run a second shows. */
int64_t view_playback_us_per_second(const struct view_stage *stage);

/* stage_input.c */
void view_stage_handle_input(struct view_stage *stage);

/* --- Motion (stage_motion.c)
 * ------------------------------------------------------------------------------------------------ */

/**
 * Where to draw something that belongs at `target`: on its way there when it stood elsewhere before, for 260
 * ms with easing. origin: where it comes from when it was not drawn before; NULL: it appears at its target.
 * With reduced motion, and right after a jump, always the target.
 */
struct view_rect view_move(struct view_frame *frame, view_id id, struct view_rect target,
                           const struct view_rect *origin);
/** Where it was drawn last (this drawing or the one before); false when it was not. */
bool view_move_last(const struct view_frame *frame, view_id id, struct view_rect *rect);

/* --- Helpers for panels (stage_draw.c)
 * -------------------------------------------------------------------------------------- */

/** A producer's settings after an event that is not after now: as the run began, and what was set since. */
void view_settings_in_force(const struct view_frame *frame, uint32_t producer, uint64_t sequence,
                            struct sim_producer_info *settings);
/** How the shown producer's setting was changed last; NULL: it was not. */
const struct model_setting *view_setting_change(const struct view_frame *frame, const char *name);

/** The hue of a partition: the same wherever it shows. Topics go on where the one before ends. */
struct view_hue view_hue_of(const struct view_frame *frame, uint32_t topic, int32_t partition);
/** Of what a request carries: its first batch's partition; neutral for requests without batches. */
struct view_hue view_hue_of_request(const struct view_frame *frame, uint32_t producer, uint32_t number);

bool view_is_selected(const struct view_frame *frame, const struct view_thing *thing);
/** Selected, hovered, or the followed record. */
bool view_is_marked(const struct view_frame *frame, const struct view_thing *thing);
/** Registers a thing without making it a stop of Tab; draws its mark when it is selected. tip may be NULL. */
void view_thing_hit(struct view_frame *frame, const struct view_thing *thing, struct view_rect rect,
                    const char *tip);
/** The outline of what is selected or hovered. */
void view_mark(struct view_frame *frame, const struct view_thing *thing, struct view_rect rect,
               int32_t radius);

enum view_cell_style {
    VIEW_CELL_SOLID,     /* a record in a batch, a committed one in a log */
    VIEW_CELL_PALE,      /* not committed: pale with a dashed edge */
    VIEW_CELL_EMPTY,     /* room */
    VIEW_CELL_DUPLICATE, /* with a double outline */
    VIEW_CELL_FAILED,    /* with a cross */
};
/** A record as a cell, in the hue of its partition with its texture. */
void view_cell(struct view_frame *frame, struct view_rect rect, struct view_hue hue,
               enum view_cell_style style);
/** A request or packet as a box with its number. is_response: outlined instead of filled. */
void view_packet_box(struct view_frame *frame, struct view_rect rect, struct view_hue hue, bool is_response,
                     const char *label);

/** A request as a box with its number; one that carries several partitions shows all their hues. */
void view_request_box(struct view_frame *frame, struct view_rect rect, uint32_t producer, uint32_t number,
                      const char *label);

/** "orders-1"; elided by the label, not here. */
void view_partition_name(const struct view_frame *frame, uint32_t topic, int32_t partition, char *text,
                         size_t capacity);
/** The same, cut in the topic so that the number stays: "tele…-0". */
void view_partition_name_fit(const struct view_frame *frame, uint32_t topic, int32_t partition,
                             struct view_font font, int32_t width, char *text, size_t capacity);
/** 33 554 432, with narrow no-break spaces. */
void view_format_count(int64_t value, char *text, size_t capacity);
/** "16 272 B". */
void view_format_bytes(int64_t bytes, char *text, size_t capacity);
/** "9.1 MB", for where there is little room. */
void view_format_bytes_short(int64_t bytes, char *text, size_t capacity);
/** "12.400 ms", for the clock: always milliseconds with three places. */
void view_format_clock(int64_t time_us, char *text, size_t capacity);
/** "640 us" as µs, "1.1 ms", "240 ms", "29.8 s", "5 min". */
void view_format_duration(int64_t duration_us, char *text, size_t capacity);
/** The words of a mask, "LINGER + FULL", with spaces for underscores. */
void view_format_mask(enum kb_field_type type, uint32_t mask, char *text, size_t capacity);

#endif
