/**
 * What became of batches that did not simply arrive: when, where, and after what.
 *
 * The ledger of the engine settles a run when it is over, by reading the logs. This finds the same from the
 * events alone while they come, so that somebody who watches sees each verdict at the moment it falls. What
 * counts is the log of a partition's leader; a verdict that later events take back knows when that was.
 *
 * Bounded: of very long runs it knows the newest batches and the newest part of each log.
 */
#ifndef SIM_MODEL_VERDICTS_H
#define SIM_MODEL_VERDICTS_H

#include <stdbool.h>
#include <stdint.h>

#include "log/event_log.h"

enum {
    MODEL_FATES_MAX = 4096, /* verdicts kept; later ones are only counted */
};

enum model_fate_kind {
    MODEL_FATE_LOST,          /* acknowledged, and not in the leader's log (any more) */
    MODEL_FATE_DUPLICATE,     /* there twice or more */
    MODEL_FATE_REORDERED,     /* behind what the same producer appended later to the partition */
    MODEL_FATE_FALSE_FAILURE, /* reported as failed, and in the log all the same */
    MODEL_FATE_KINDS,
};

/** One verdict on one batch. Sequence numbers are of events; 0: there is none. */
struct model_fate {
    uint64_t event;          /* that decided it */
    uint64_t undone_event;   /* from here on it does not hold any more */
    uint64_t told_event;     /* the application was told */
    uint64_t retry_event;    /* the newest return of the batch to its deque */
    uint64_t appended_event; /* the newest append of it to the leader's log */
    int64_t offset;          /* of its first copy, as it was appended or told; -1: unknown */
    int64_t copy_offset;     /* of the newest copy; of a reordered one, of what it should stand before */
    uint32_t batch;
    uint32_t records;
    uint32_t first_record; /* UINT32_MAX: unknown */
    uint32_t last_record;
    uint32_t overtaken_by; /* batch before it that is younger; 0: none */
    uint32_t topic;        /* name */
    int32_t partition;
    int32_t broker; /* whose log decided */
    int32_t error;  /* that the application was told */
    uint8_t kind;   /* enum model_fate_kind */
    uint8_t producer;
    int8_t acks;
};

struct sim_verdicts;

/** NULL when there is no memory. */
struct sim_verdicts *sim_verdicts_create(void);
void sim_verdicts_destroy(struct sim_verdicts *verdicts);

/**
 * Take in what is new in the log, up to event number `sequence` at least and, past it, at most `more` events;
 * a log that is not that of the last call starts anew. Returns whether all of the log is in.
 */
bool sim_verdicts_update(struct sim_verdicts *verdicts, const struct sim_event_log *log, uint64_t sequence,
                         uint64_t more);

/** In the order in which they fell. Borrowed until the next update. */
const struct model_fate *sim_verdicts_list(const struct sim_verdicts *verdicts, uint32_t *count);
/** How many there were in all. */
uint64_t sim_verdicts_seen(const struct sim_verdicts *verdicts);

/** Does it hold after event number `sequence`? */
bool model_fate_holds(const struct model_fate *fate, uint64_t sequence);
/** Records under a kind of verdict after event number `sequence`. */
uint64_t sim_verdicts_records(const struct sim_verdicts *verdicts, enum model_fate_kind kind,
                              uint64_t sequence);
/** "lost after ack", as the ledger calls it. */
const char *model_fate_name(enum model_fate_kind kind);

#endif
