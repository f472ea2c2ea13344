/**
 * Scenarios made for measuring: steady load, nothing goes wrong.
 */
#ifndef SIM_BENCH_WORLD_H
#define SIM_BENCH_WORLD_H

#include <stdint.h>

#include "engine/world.h"

struct bench_load {
    uint32_t producer_count;
    uint32_t thread_count; /* of each producer: every one has its next record scheduled */
    int64_t record_count;  /* of all */
    int64_t rate_per_s;    /* of all */
    int32_t partition_count;
    int32_t replication_factor;
    const char *acks;
    int32_t active_partitions; /* 0: the partitioner decides; else threads take these in turn */
    int64_t broker_latency_us;
    int32_t broker_count;        /* 0: 3 */
    bool round_robin;            /* every record to another partition */
    const char *batch_size;      /* NULL: 16384 */
    const char *retention_bytes; /* NULL: logs are kept; else log.retention.bytes, in segments of a quarter */
    const char *segment_bytes;
};

/** NULL without memory. Give it back with bench_scenario_destroy(). */
struct sim_scenario *bench_scenario_create(const struct bench_load *load);
void bench_scenario_destroy(struct sim_scenario *scenario);

/** The world of a scenario, or NULL with a message on stderr. */
struct sim_world *bench_world_create(const struct sim_scenario *scenario, bool log_events);
/** The same, with an allocator and a log that keeps only its newest events. */
struct sim_world *bench_world_create_with(const struct sim_scenario *scenario, bool log_events,
                                          const struct linger_allocator *allocator);

#endif
