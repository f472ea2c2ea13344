/**
 * What an application thread sends, record by record: made up by the seed, or as a list or a file gives it.
 *
 * Integers only: exponential gaps and Zipf keys come from integer tables, so that every machine draws the
 * same.
 */
#ifndef SIM_WORKLOAD_H
#define SIM_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include <linger/producer.h>

#include "engine/scenario.h"

struct sim_workload;

/** Valid until the next call of sim_workload_next() with this workload. */
struct sim_workload_record {
    int64_t at_us; /* when the thread wants to send it */
    const char *topic;
    int32_t partition;    /* -1: not given */
    int64_t timestamp_ms; /* -1: not given */
    struct kp_bytes key;
    struct kp_bytes value;
    const struct kp_header *headers;
    uint32_t header_count;
};

/**
 * The source is borrowed. stream tells the threads of a run apart: each draws from a generator of its own.
 * NULL when there is no memory.
 */
struct sim_workload *sim_workload_create(const struct sim_source *source, uint64_t seed, uint64_t stream);
void sim_workload_destroy(struct sim_workload *workload);

/** false when there are no more. Times never go back. A generated value begins with the record's number in
 * its thread
 *  ("#17 ..."), as far as it has room, so that no two records are alike. */
bool sim_workload_next(struct sim_workload *workload, struct sim_workload_record *out);
/** How many there are in all. */
int64_t sim_workload_count(const struct sim_workload *workload);

#endif
