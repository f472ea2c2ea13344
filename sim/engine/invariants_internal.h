/**
 * The parts of the invariants: what they remember of partitions, connections, producers and batches.
 */
#ifndef SIM_INVARIANTS_INTERNAL_H
#define SIM_INVARIANTS_INTERNAL_H

#include "engine/invariants.h"

enum { SIM_INVARIANT_COMPLAINTS_MAX = 5, SIM_RECENT = 1024, SIM_ANSWERS = 16 };

/* Of one replica, by the index of its broker. */
struct sim_seen_replica {
    int64_t high_watermark; /* the highest that it announced since it was truncated below */
    int64_t before;         /* the one before that */
    int64_t since_us;
};

/* What a producer id wrote last into a log. */
struct sim_seen_sequence {
    int64_t producer_id;
    int32_t epoch;
    int32_t next;
};

/* Batches that wait for the sender: numbers plus one; 0: none. */
struct sim_seen_queue {
    uint32_t first;
    uint32_t last;
};

struct sim_seen_partition {
    struct sim_seen_partition *next; /* of all of them */
    uint32_t topic;                  /* as names are numbered in the log */
    int32_t number;
    const char *name;
    int64_t min_insync_replicas;
    int64_t max_message_bytes;
    bool has_append_time; /* LogAppendTime */
    int32_t leader;
    int32_t leader_epoch;
    int64_t highest;   /* high watermark that anybody ever had */
    int64_t acked_end; /* clean: one past the highest offset that was acknowledged under acks=all */
    struct sim_seen_replica *replicas;
    struct sim_seen_queue queues[SIM_PRODUCERS_MAX];
    uint32_t in_flight[SIM_PRODUCERS_MAX]; /* batch, with one request in flight; UINT32_MAX: none */
    /* The identity whose sequences a producer numbers with here. */
    int64_t producer_id[SIM_PRODUCERS_MAX];
    int32_t epoch[SIM_PRODUCERS_MAX];
    int32_t highest_sequence[SIM_PRODUCERS_MAX]; /* that a batch of it begins with */
    bool is_tainted[SIM_PRODUCERS_MAX];          /* it gave sequences twice, see is_reused() */
    /* Of the leader's log, as far as it was read. */
    int32_t scanned_leader;
    int32_t scanned_epoch;
    int64_t scanned_end;
    struct sim_seen_sequence *sequences;
    uint32_t sequence_count;
    uint32_t sequence_capacity;
};

/* An answer that a broker gave on a connection. */
struct sim_seen_answer {
    uint32_t request;
    int64_t at_us;
    uint64_t event;
};

struct sim_seen_connection {
    int32_t producer;  /* -1: not a producer's */
    uint32_t answered; /* the highest request, plus one */
    uint32_t left;     /* the highest whose answer left, plus one */
    uint32_t packet;   /* the newest of those */
    bool is_to_close;  /* an error under acks=0 */
    struct sim_seen_answer answers[SIM_ANSWERS];
    uint32_t answer_count; /* ever */
    int64_t arrived_us;    /* of the last request */
    uint64_t arrived_event;
    int64_t muted_until_us;
};

/* A batch appended, or known as a duplicate, for a request that was not answered yet. */
struct sim_seen_append {
    uint32_t connection;
    uint32_t request;
    struct sim_seen_partition *partition;
    int32_t broker;
    int64_t last_offset;
    /* It stopped on its way to the answer; the leader as it was when that was decided. */
    bool is_decided;
    bool was_leader;
    uint32_t decided_isr_count; /* the maximal one */
};

/* Which batches a request of a producer carries. */
struct sim_seen_carried {
    uint32_t request;
    uint32_t batch;
    uint32_t topic;
    int32_t partition;
};

/* By its number within a producer. */
enum { SIM_OFFSETS_OF_BATCH = 4 };
struct sim_seen_batch {
    int64_t reenqueued_us; /* -1 */
    const struct sim_seen_partition *partition;
    int64_t producer_id;
    int32_t epoch;
    int32_t base_sequence;
    int32_t sent_sequence; /* the highest base sequence that it was sent with */
    uint32_t sent;         /* so often */
    uint32_t refused;      /* so often by a leader, which did not append it */
    bool is_over;
    bool is_doubtful; /* its sequences may be those of another one in the log */
    int64_t offsets[SIM_OFFSETS_OF_BATCH];
    uint8_t offset_count; /* beyond the room: any will do */
};

struct sim_seen_producer {
    bool is_all; /* acks */
    bool is_none;
    bool has_bumped;      /* it lost its id or epoch */
    bool has_expired;     /* a batch did */
    bool has_given_up;    /* a batch failed, which may still be on its way */
    bool has_set;         /* it was made again */
    uint16_t incarnation; /* so often */
    bool has_failed;      /* a batch was refused or expired, or it is another one */
    int64_t lent_bytes;
    bool has_lent; /* something, ever */
    int64_t available_bytes;
    int64_t id; /* the last that it was given; -1: none */
    int32_t epoch;
    uint32_t received; /* the last request whose answer it got */
    struct sim_seen_carried carried[SIM_RECENT];
    uint32_t carried_count; /* ever */
    bool has_lost_track;    /* an append was for a request of which too many came since */
    struct sim_seen_batch *batches;
    uint32_t batch_count;
    struct sim_seen_waits *waits; /* invariants_delays.c; NULL: no batch yet */
    /* The open transaction. */
    uint32_t transaction; /* the one that began last; 0: none */
};

/* Of a record. */
enum sim_seen_end { SIM_SEEN_OPEN, SIM_SEEN_COMMITTED, SIM_SEEN_ABORTED, SIM_SEEN_UNKNOWN };
struct sim_seen_record {
    int64_t created_us;   /* -1 */
    uint32_t batch;       /* that it was appended to; 0: none */
    uint32_t transaction; /* of its producer; 0: none */
    uint16_t incarnation; /* of its producer */
    uint8_t producer;
    uint8_t told;
    uint8_t end;      /* enum sim_seen_end */
    bool is_doubtful; /* as its batch */
    bool is_given_up; /* it failed, and may be in the log, or come there */
};

struct sim_invariants {
    struct sim_world *world;
    const struct sim_scenario *scenario;
    const struct sim_run_info *info;
    struct sim_complaints *complaints;
    bool is_clean;
    uint64_t taken; /* events */
    uint64_t event;
    int64_t now_us;
    bool has_fault; /* in this step */
    bool has_moved; /* a leader: a batch may overtake one that is on its way to the old leader */
    struct sim_seen_partition *partitions;
    struct sim_seen_partition *newest;       /* found last */
    struct sim_seen_connection *connections; /* by number */
    uint32_t connection_count;
    struct sim_seen_append *appends;
    uint32_t append_count;
    uint32_t append_capacity;
    struct sim_seen_producer producers[SIM_PRODUCERS_MAX];
    struct sim_seen_record *records;
    uint32_t record_count;
};

/** One line of a complaint, unless there are enough. */
#define SIM_BROKEN(invariants, ...)                                                                          \
    do {                                                                                                     \
        if ((invariants)->complaints->count < SIM_INVARIANT_COMPLAINTS_MAX) {                                \
            sim_complain((invariants)->complaints, __VA_ARGS__);                                             \
        }                                                                                                    \
    } while (0)

/* invariants.c */

/** NULL: a topic that the scenario does not name (an internal one). */
struct sim_seen_partition *sim_seen_partition(struct sim_invariants *invariants, uint32_t topic,
                                              int32_t number);
struct sim_seen_connection *sim_seen_connection(struct sim_invariants *invariants, uint32_t number);
/** NULL: not a producer's. */
struct sim_seen_producer *sim_seen_client(struct sim_invariants *invariants, uint32_t connection);
struct sim_seen_batch *sim_seen_batch(struct sim_seen_producer *producer, uint32_t number);
/** May it be in a log, or come there? No leader is known to have refused all that was sent of it. */
static inline bool sim_seen_batch_may_be_written(const struct sim_seen_batch *batch)
{
    return batch->sent > batch->refused;
}
/** NULL: unknown broker. */
struct sim_seen_replica *sim_seen_replica(const struct sim_invariants *invariants,
                                          const struct sim_seen_partition *partition, int32_t broker);

/* invariants_cluster.c, invariants_network.c, invariants_producer.c: one event each. */
void sim_invariants_of_cluster(struct sim_invariants *invariants, const struct kb_event *event);
void sim_invariants_of_network(struct sim_invariants *invariants, const struct kb_event *event);
void sim_invariants_of_producer(struct sim_invariants *invariants, const struct kb_event *event);

/* invariants_delays.c */
void sim_invariants_of_delays(struct sim_invariants *invariants, const struct kb_event *event);
/** Rule 7, of a record in this batch (0: in none) that is told now or is still pending. */
bool sim_invariants_is_late(struct sim_invariants *invariants, const struct sim_seen_record *record,
                            uint32_t batch);
void sim_invariants_release_waits(struct sim_seen_producer *producer);

/* invariants_logs.c */
/** Read what is new in the log of a partition's leader. */
void sim_invariants_scan(struct sim_invariants *invariants, struct sim_seen_partition *partition);
/** The ledger and the logs, at the end. */
void sim_invariants_of_logs(struct sim_invariants *invariants);

#endif
