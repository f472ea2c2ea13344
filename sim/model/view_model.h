/**
 * What is on the stage at one moment of a run: a fold over its events.
 *
 * Plain data of a fixed size without pointers, so that a copy is a keyframe. It is windowed: of everything
 * that can grow without end it holds the newest part and counts the rest. Links between entries are indices;
 * NONE is none.
 *
 * The model says what happened, not where it is drawn: places, colours and easing are the view's.
 */
#ifndef SIM_VIEW_MODEL_H
#define SIM_VIEW_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/trace.h"
#include "log/event_log.h"

enum {
    MODEL_NONE = -1,
    MODEL_RECORDS = 4096, /* the newest, by number; a power of two */
    MODEL_BATCHES = 2048, /* alive, or done a moment ago */
    MODEL_REQUESTS = 512, /* in flight, or answered a moment ago */
    MODEL_PACKETS = 512,  /* on the wire */
    MODEL_CONNECTIONS = 512,
    MODEL_PARTITIONS = 512, /* of all topics together; more are counted */
    MODEL_REPLICAS = 1536,
    MODEL_RANGES = 8, /* the newest appends of a replica */
    MODEL_PLOT_POINTS = 128,
    MODEL_SETTINGS = 16, /* that were changed of one producer */
    MODEL_SPANS = 24,    /* of transactions in a partition's log: the newest */
    /* Instead of the position of a consumer: */
    MODEL_NO_POSITION = -1,
    MODEL_NOT_ASSIGNED = -2,
};

/* --- Records
 * ---------------------------------------------------------------------------------------------------------
 */

enum model_station {
    MODEL_AT_INTERCEPTORS,
    MODEL_AT_METADATA,
    MODEL_AT_SERIALIZER,
    MODEL_AT_PARTITIONER,
    MODEL_AT_SIZE_CHECK,
    MODEL_AT_APPEND,
    MODEL_IN_BATCH,
    MODEL_COMPLETED,
    MODEL_REJECTED,
};

struct model_record {
    int64_t created_us;
    int64_t appended_us;  /* -1: not yet */
    int64_t completed_us; /* -1: not yet */
    int64_t offset;       /* -1: unknown */
    uint64_t last_event;  /* the newest event about it */
    struct kb_text16 key;
    uint32_t number; /* UINT32_MAX: an empty slot */
    uint32_t batch;  /* the producer's number of its batch; 0: none yet */
    uint32_t slot;   /* place in the batch */
    uint32_t topic;  /* name */
    int32_t partition;
    int32_t key_bytes;
    int32_t value_bytes;
    int32_t record_bytes; /* encoded */
    int32_t murmur2;
    int32_t error;
    uint8_t producer;
    uint8_t thread;
    uint8_t station;       /* enum model_station */
    uint8_t partition_why; /* enum kb_partition_why */
    uint8_t is_called_back;
};

/* --- Batches
 * ---------------------------------------------------------------------------------------------------------
 */

enum model_batch_state {
    MODEL_BATCH_OPEN,
    MODEL_BATCH_CLOSED,   /* in the deque, takes no more */
    MODEL_BATCH_RETRYING, /* back in the deque */
    MODEL_BATCH_DRAINED,  /* out of the deque, not yet in a request */
    MODEL_BATCH_IN_FLIGHT,
    MODEL_BATCH_DONE, /* kept for a moment */
};

struct model_batch {
    int64_t created_us;
    int64_t closed_us;  /* -1: open */
    int64_t drained_us; /* of the last time; -1: never */
    int64_t done_us;    /* -1: not yet */
    int64_t ripe_us;    /* when linger or back-off ends, as far as the producer said; -1: unknown */
    int64_t base_offset;
    int64_t producer_id; /* -1: none */
    uint64_t created_event;
    uint64_t ready_event; /* the newest batch_ready; 0: none */
    uint64_t held_event;  /* the newest batch_held */
    uint64_t drained_event;
    uint64_t last_event;
    uint32_t number; /* 0: an empty slot */
    uint32_t topic;  /* name */
    int32_t partition;
    int32_t capacity_bytes;
    int32_t bytes;
    uint32_t records;
    uint32_t first_record; /* numbers of the first and the last record in it */
    uint32_t last_record;
    uint32_t left; /* enum kb_left bits, of the last ready or drain */
    uint32_t held; /* enum kb_held bits, as long as it is held */
    int32_t base_sequence;
    int32_t epoch;
    uint32_t attempts; /* how often it came back */
    uint32_t request;  /* that carries it */
    int32_t node;      /* it was drained for */
    int32_t error;
    int32_t next; /* behind it in the deque, or in the request: index of a batch */
    uint8_t producer;
    uint8_t state;     /* enum model_batch_state */
    uint8_t close_why; /* enum kb_close_why */
    uint8_t is_split_part;
};

/* --- Partitions, as a producer sees them
 * ------------------------------------------------------------------------------- */

/* What became of transactional records, or a marker among them. */
enum model_span_kind {
    MODEL_SPAN_OPEN,    /* the transaction has not ended */
    MODEL_SPAN_ABORTED, /* read_committed never sees them */
    MODEL_SPAN_COMMIT,  /* a marker, which nobody sees */
    MODEL_SPAN_ABORT,
};

struct model_span {
    int64_t first_offset;
    int64_t last_offset;
    uint8_t kind; /* enum model_span_kind */
    uint8_t producer;
};

struct model_partition {
    uint32_t topic; /* name; 0: an empty slot */
    int32_t partition;
    int32_t believed_leader; /* node of the newest metadata; -1: none */
    int32_t leader;          /* as the controller sees it; -1: none */
    int32_t leader_epoch;
    uint32_t isr_count;
    int32_t first_replica; /* index of a replica; they are linked in the order of assignment */
    int64_t consumer_positions[SIM_CONSUMERS_MAX]; /* or MODEL_NOT_ASSIGNED, MODEL_NO_POSITION */
    struct model_span spans[MODEL_SPANS];          /* by offset */
    uint32_t span_count;
    /* By producer: the deque, from its head. */
    int32_t first_batch[SIM_PRODUCERS_MAX];
    int32_t last_batch[SIM_PRODUCERS_MAX];
    uint16_t batch_count[SIM_PRODUCERS_MAX];
};

/* --- The producer's other parts
 * ---------------------------------------------------------------------------------------- */

struct model_thread {
    uint32_t record; /* in hand, or sent last; UINT32_MAX: none yet */
    uint64_t last_event;
    int64_t blocked_since_us; /* -1: not blocked */
    int64_t deadline_ms;      /* of the wait */
    uint32_t sent;
    uint8_t wait; /* enum kb_wait */
};

struct model_memory {
    int64_t available_bytes; /* -1: never touched */
    int64_t unallocated_bytes;
    uint32_t free_buffers;
    uint32_t waiters;
};

struct model_node {
    int32_t id;
    uint8_t connection_state; /* enum kb_connection_state */
    uint8_t is_ready;         /* in the last pass something was ready for it */
    uint16_t in_flight;
    int64_t throttled_until_us;
    uint64_t last_event;
};

struct model_request {
    int64_t built_us;
    int64_t sent_us;     /* -1 */
    int64_t answered_us; /* -1: not yet */
    uint64_t built_event;
    uint64_t last_event;
    uint32_t number;
    uint32_t batches;
    int32_t node;
    int32_t api; /* -1: an empty slot */
    int32_t version;
    int32_t bytes;
    int32_t acks;
    int32_t error;
    int32_t first_batch; /* index of a batch; they are linked by next */
    uint8_t producer;
    uint8_t is_over;
    uint8_t is_parked; /* at the leader, waiting for the ISR */
};

enum { MODEL_NODES = SIM_BROKERS_MAX };

/* A setting that is not any more what it was when the run began. */
struct model_setting {
    uint64_t event; /* that changed it last */
    uint32_t name;
    uint32_t value;       /* name */
    uint8_t is_recreated; /* a living producer was closed and made again for it */
};

struct model_producer {
    struct model_thread threads[SIM_THREADS_MAX];
    struct model_memory memory;
    struct model_node nodes[MODEL_NODES]; /* in the order of the run's brokers */
    int64_t passes;
    int64_t poll_ms;     /* of the last pass */
    int64_t metadata_us; /* of the last update; -1: none */
    int64_t metadata_refresh_in_ms;
    int64_t producer_id; /* -1: none */
    int32_t epoch;
    int32_t metadata_version;
    uint32_t ready_nodes;
    uint32_t drained;
    uint64_t last_pass_event;
    uint32_t sent;
    uint32_t acked;
    uint32_t failed;
    uint32_t rejected;
    uint32_t callbacks;
    uint32_t retries;
    uint32_t batches_done;
    uint64_t records_in_done_batches;
    uint64_t bytes_in_done_batches;
    uint64_t capacity_of_done_batches;
    uint32_t left_counts[9]; /* by bit of enum kb_left */
    struct model_setting settings[MODEL_SETTINGS];
    uint32_t setting_count;
    uint8_t sender_state; /* enum kb_sender_state */
    uint8_t transaction_state;
    uint8_t is_closed;
    uint8_t call; /* enum kb_call that somebody waits in, or 0xff */
};

/* --- Network and cluster
 * ------------------------------------------------------------------------------------------------- */

struct model_packet {
    int64_t departed_us;
    int64_t arrives_us;
    int64_t lost_us; /* -1: not lost */
    uint64_t event;
    uint32_t number; /* 0: an empty slot */
    uint32_t connection;
    uint32_t request;
    int32_t from; /* producers are -1, -2, ... */
    int32_t to;
    int32_t bytes;
    int32_t api;
    uint8_t is_response;
};

struct model_connection {
    uint32_t number; /* 0: an empty slot */
    int32_t from;
    int32_t to;
};

/* One append, as a range of offsets. */
struct model_range {
    int64_t first_offset;
    int64_t last_offset;
    int64_t at_us;
    uint8_t is_duplicate;
    uint8_t producer; /* 0xff: unknown */
};

struct model_replica {
    int64_t end_offset;
    int64_t start_offset;
    int64_t high_watermark;
    int64_t last_stable_offset;
    int64_t caught_up_us; /* its end offset last moved */
    uint64_t last_event;
    struct model_range ranges[MODEL_RANGES]; /* the newest appends, oldest first */
    int32_t broker;
    int32_t partition; /* index of a model_partition; MODEL_NONE: an empty slot */
    int32_t next;      /* of the same partition */
    uint8_t range_count;
    uint8_t is_leader;
    uint8_t is_in_sync;
    uint8_t is_held; /* the last stable offset is behind the high watermark */
};

/* From whom a broker is cut off. */
enum model_cut {
    MODEL_CUT_ALL = 1,
    MODEL_CUT_PRODUCERS = 2,
    MODEL_CUT_BROKERS = 4, /* from one broker or several */
    MODEL_CUT_CONSUMERS = 8,
};

struct model_broker {
    int32_t id;
    uint8_t is_up;
    uint8_t is_frozen;
    uint8_t is_controller;
    uint8_t cut; /* enum model_cut bits */
    uint64_t
        cut_to[SIM_BROKERS_MAX / 64]; /* brokers at the other end of a link that is cut, by their places */
    int64_t fetch_delay_ms;           /* slow_replica; 0: none */
    int64_t append_delay_ms;
    int64_t changed_us; /* when it went up or down */
    uint64_t last_event;
    uint32_t parked; /* produce requests that wait */
};

struct model_consumer {
    uint64_t last_event;
    uint64_t last_fetch_event;
    uint64_t committed_event; /* the newest consumer_committed; 0: none */
    uint64_t records;         /* that poll() returned */
    uint64_t left_out;        /* of aborted transactions */
    int64_t read_us;          /* poll() last returned something */
    int32_t generation;
    int32_t error;
    uint32_t partition_count;
    uint8_t state; /* enum kb_member_state */
    uint8_t has_begun;
};

struct model_plot {
    int64_t step_us;
    uint32_t count;
    uint32_t acked[MODEL_PLOT_POINTS];        /* records acked in the step */
    uint32_t used_bytes_k[MODEL_PLOT_POINTS]; /* buffer memory in use at its end, in KiB */
    uint32_t in_flight[MODEL_PLOT_POINTS];
    uint32_t latency_us[MODEL_PLOT_POINTS];  /* the longest from send() to ack in the step */
    uint8_t fill_percent[MODEL_PLOT_POINTS]; /* of the batches drained in the step */
};

/* --- All of it
 * --------------------------------------------------------------------------------------------------------------
 */

struct sim_model {
    uint64_t sequence; /* of the last event folded in; 0: none */
    int64_t time_us;
    uint64_t lane_events[KB_LANE_COUNT]; /* so many so far */
    uint32_t producer_count;

    struct model_producer producers[SIM_PRODUCERS_MAX];
    struct model_broker brokers[SIM_BROKERS_MAX]; /* in the order of the run's brokers */
    struct model_consumer consumers[SIM_CONSUMERS_MAX];
    struct model_partition partitions[MODEL_PARTITIONS];
    uint32_t partition_count;
    uint32_t partitions_unseen;                     /* more than there is room for */
    uint16_t partition_slots[2 * MODEL_PARTITIONS]; /* hash of topic and partition: index + 1 */
    struct model_replica replicas[MODEL_REPLICAS];
    uint32_t replica_count;
    struct model_record records[MODEL_RECORDS]; /* by number modulo MODEL_RECORDS */
    struct model_batch
        batches[MODEL_BATCHES]; /* as the others below by number: the newest of each producer */
    struct model_request requests[MODEL_REQUESTS];
    struct model_packet packets[MODEL_PACKETS];
    struct model_connection connections[MODEL_CONNECTIONS];
    struct model_plot plot;

    uint64_t last_fault; /* events */
    uint64_t last_error;
    uint64_t last_drain;
    uint64_t last_ack;
    uint32_t forgotten; /* entries that fell out of a window while they were still of interest */
};

/** Before the first event of a run. */
void sim_model_init(struct sim_model *model, const struct sim_run_info *info);

/** The next event of the log, whose sequence number must follow the model's. info is the log's. */
void sim_model_fold(struct sim_model *model, const struct sim_run_info *info, const struct kb_event *event);

/* Look-ups. Indices are valid until the next fold; MODEL_NONE when it is not there (any more). */
int32_t sim_model_find_batch(const struct sim_model *model, uint32_t producer, uint32_t number);
int32_t sim_model_find_request(const struct sim_model *model, uint32_t producer, uint32_t number);
int32_t sim_model_find_partition(const struct sim_model *model, uint32_t topic, int32_t partition);
int32_t sim_model_find_replica(const struct sim_model *model, int32_t partition_index, int32_t broker);
int32_t sim_model_find_connection(const struct sim_model *model, uint32_t number);
int32_t sim_model_find_packet(const struct sim_model *model, uint32_t number);
/** NULL when the record has left the window. */
const struct model_record *sim_model_find_record(const struct sim_model *model, uint32_t number);
/** The span that an offset lies in; NULL: it is of no transaction that is remembered. */
const struct model_span *sim_model_find_span(const struct model_partition *partition, int64_t offset);
/** How far behind a consumer is: to its leader's high watermark, or with read_committed to the last stable
 *  offset; -1: nobody knows. */
int64_t sim_model_lag(const struct sim_model *model, const struct sim_run_info *info, uint32_t consumer,
                      const struct model_partition *partition);
/** Place of a broker in the run's list. */
/** Is the link between two brokers cut, in one direction at least? By their places. */
bool sim_model_is_link_cut(const struct sim_model *model, int32_t place, int32_t other);
int32_t sim_model_find_broker(const struct sim_model *model, int32_t id);

/** The same picture in both? Compares everything. */
bool sim_model_equals(const struct sim_model *a, const struct sim_model *b);

#endif
