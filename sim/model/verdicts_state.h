/**
 * Between the files of verdicts: batches, and what each replica's log holds of them.
 */
#ifndef SIM_MODEL_VERDICTS_STATE_H
#define SIM_MODEL_VERDICTS_STATE_H

#include "log/run_info.h"
#include "model/verdicts.h"

enum {
    FATE_BATCHES = 1 << 16, /* the newest, of all producers together; a power of two */
    FATE_SEGMENTS = 4096,   /* of a replica's log */
    FATE_CARRIED = 1 << 13, /* the newest batches that went into requests */
    FATE_ENDS = 1 << 10,    /* connections, packets: the newest, by number */
    FATE_REPLICAS = 16,     /* of a partition */
    FATE_SLOTS = 1 << 14,   /* to find partitions by; a power of two */
    FATE_NONE = UINT32_MAX,
};

enum fate_told { FATE_TOLD_NOTHING, FATE_TOLD_ACKED, FATE_TOLD_FAILED };

/* The fate of what a transaction wrote is its marker's. */
enum fate_transaction { FATE_NOT_IN_ONE, FATE_UNDECIDED, FATE_COMMITTED, FATE_ABORTED };

struct fate_batch {
    uint64_t order; /* sequence of its creation: what came earlier is to stand earlier */
    uint64_t told_event;
    uint64_t retry_event;
    uint64_t appended_event;
    int64_t offset; /* of the first copy in the counted log; else of the newest that was there */
    int64_t copy_offset;
    int64_t producer_id;
    uint32_t id; /* FATE_NONE: an empty slot. Ids count all batches; the slot is the id modulo the table */
    uint32_t number;
    uint32_t records;
    uint32_t first_record, last_record;
    uint32_t copies;            /* in the counted log */
    uint32_t verdict, lateness; /* indices of verdicts that hold; FATE_NONE */
    uint32_t partition;         /* index */
    int32_t error;
    uint8_t producer;
    uint8_t told;        /* enum fate_told */
    uint8_t transaction; /* enum fate_transaction */
    uint8_t is_gone;     /* nobody will answer for it, and it was not appended: acks=0 */
    uint8_t was_appended;
    uint8_t is_part; /* of one that was split */
    int8_t acks;
};

/* A batch in a log. */
struct fate_segment {
    int64_t base_offset, last_offset;
    uint32_t batch; /* id */
};

struct fate_replica {
    struct fate_segment *segments; /* in the order of offsets */
    uint32_t count, capacity;
    int32_t broker;
};

struct fate_partition {
    uint32_t topic; /* name */
    int32_t partition;
    int32_t counted; /* index of the replica whose log counts: the leader's; -1: none yet */
    uint32_t replica_count;
    struct fate_replica replicas[FATE_REPLICAS];
    uint64_t highest[SIM_PRODUCERS_MAX]; /* order, in the counted log */
};

struct fate_carried {
    uint32_t request;
    uint32_t batch; /* id */
    uint32_t partition;
    uint32_t connection; /* it left on; 0: not yet */
    uint8_t producer;
};

struct fate_end {
    uint32_t number; /* of the connection or packet; 0: an empty slot */
    uint32_t request;
    int32_t from;
};

struct sim_verdicts {
    const struct sim_event_log *log;
    uint64_t sequence; /* taken in */
    struct fate_batch *batches;
    uint32_t batch_count;                   /* ids given */
    uint32_t *by_number[SIM_PRODUCERS_MAX]; /* id, by number modulo FATE_BATCHES */
    struct fate_partition *partitions;
    uint32_t partition_count, partition_capacity;
    uint32_t slots[FATE_SLOTS]; /* index + 1 of a partition, by its name and number; 0: empty */
    struct fate_carried carried[FATE_CARRIED];
    uint64_t carried_count;
    struct fate_end connections[FATE_ENDS];
    struct fate_end packets[FATE_ENDS];
    struct model_fate *fates;
    uint32_t fate_count;
    uint64_t fates_seen;
    bool is_in_transaction[SIM_PRODUCERS_MAX]; /* it was in one: its batches are of transactions */
    int8_t acks[SIM_PRODUCERS_MAX];            /* of the newest produce request */
    bool is_out_of_memory;
};

struct fate_batch *fate_batch_of_id(struct sim_verdicts *verdicts, uint32_t id); /* NULL: forgotten */
struct fate_batch *fate_batch_of_number(struct sim_verdicts *verdicts, uint32_t producer, uint32_t number);
/* Found or made; NULL when there is no memory. */
struct fate_partition *fate_partition_of(struct sim_verdicts *verdicts, uint32_t topic, int32_t partition);
struct fate_replica *fate_replica_of(struct fate_partition *partition, int32_t broker);

/* What a log gains and loses (verdicts_logs.c). */
void fate_append(struct sim_verdicts *verdicts, struct fate_partition *partition, int32_t broker,
                 struct fate_segment segment);
void fate_copy(struct sim_verdicts *verdicts, struct fate_partition *partition, int32_t broker,
               int32_t leader, int64_t base_offset, int64_t last_offset);
void fate_truncate(struct sim_verdicts *verdicts, struct fate_partition *partition, int32_t broker,
                   int64_t end_offset);
void fate_elect(struct sim_verdicts *verdicts, struct fate_partition *partition, int32_t broker);
void fate_end_transaction(struct sim_verdicts *verdicts, struct fate_partition *partition, int32_t broker,
                          int64_t producer_id, bool is_commit);
void fate_release_partitions(struct sim_verdicts *verdicts);

/* The verdict on a batch after the present event: found, kept, changed or taken back. */
void fate_judge(struct sim_verdicts *verdicts, struct fate_batch *batch);
void fate_find_late(struct sim_verdicts *verdicts, struct fate_batch *batch, uint32_t overtaken_by,
                    int64_t before_offset);
void fate_undo_late(struct sim_verdicts *verdicts, struct fate_batch *batch);

#endif
