/**
 * The failure matrix: four producers, min.insync.replicas of 1 to 3, and the ways in which a cluster fails,
 * each of them run with many seeds. docs/failure-matrix.md says what comes out and why.
 */
#ifndef SIM_MATRIX_H
#define SIM_MATRIX_H

#include "engine/ledger.h"
#include "engine/scenario.h"
#include "engine/text_builder.h"

enum sim_matrix_fault {
    SIM_MATRIX_LEADER_CRASH,     /* after the append, before the followers have it */
    SIM_MATRIX_ACK_LOST,         /* carried out, and the answer never comes */
    SIM_MATRIX_FOLLOWER_SLOW,    /* slower than replica.lag.time.max.ms */
    SIM_MATRIX_FOLLOWERS_DOWN,   /* two of three */
    SIM_MATRIX_UNCLEAN_ELECTION, /* a stale replica wins */
    SIM_MATRIX_PRODUCER_CUT,     /* from the leader */
    SIM_MATRIX_LEADER_ISOLATED,  /* from the cluster, with the producer still attached */
    SIM_MATRIX_LEADER_RESTART,   /* a controlled one */
    SIM_MATRIX_FAULT_COUNT,
};

enum sim_matrix_producer {
    SIM_MATRIX_A0, /* acks=0 */
    SIM_MATRIX_A1, /* acks=1 */
    SIM_MATRIX_AN, /* acks=all, not idempotent */
    SIM_MATRIX_AI, /* acks=all, idempotent */
    SIM_MATRIX_PRODUCER_COUNT,
};
enum { SIM_MATRIX_MIN_ISR_MAX = 3 };

struct sim_matrix_cell {
    enum sim_matrix_producer producer;
    int32_t min_insync_replicas; /* 1 to 3 */
    enum sim_matrix_fault fault;
};

/** What a cell's runs came to. */
struct sim_matrix_result {
    uint32_t runs;
    struct sim_ledger_totals totals; /* summed up */
    uint32_t runs_with_lost;
    uint32_t runs_with_duplicate;
    uint32_t runs_with_reordered;
    uint32_t runs_with_error; /* the application was told that a record failed */
    /* Answers of the cluster to Produce requests, and requests without an answer in time. */
    uint64_t answers[128]; /* by Kafka's error code; those out of its range are not counted */
    uint64_t timed_out;
};

const char *sim_matrix_fault_name(enum sim_matrix_fault fault);          /* "leader-crash" */
const char *sim_matrix_fault_text(enum sim_matrix_fault fault);          /* as people say it */
const char *sim_matrix_producer_name(enum sim_matrix_producer producer); /* "A0" */

/** The scenario of a cell with a seed, as a file would have it. The text is the caller's to release. */
void sim_matrix_write(const struct sim_matrix_cell *cell, uint64_t seed, struct sim_text *out);
/** Run it once and add it up. false: *complaints says what went wrong. */
bool sim_matrix_run(const struct sim_matrix_cell *cell, uint64_t seed, struct sim_matrix_result *result,
                    struct sim_complaints *complaints);

#endif
