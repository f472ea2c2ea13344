/**
 * A run: the producers, the cluster, the network between them and the application threads, in virtual time.
 *
 * A world is a function of its scenario, seed and interventions; everything that happens goes to its event
 * log. One step takes the next thing that is due: (time, order of scheduling) decides.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/consumer.h"
#include "engine/consumer_ledger.h"
#include "engine/ledger.h"
#include "engine/scenario.h"
#include "log/event_log.h"

struct sim_world;

struct sim_world_options {
    bool log_events; /* false: nothing is traced (benchmarks) */
    /* Check the invariants (engine/invariants.h) after every step; needs log_events. */
    bool check;
    const struct linger_allocator *allocator; /* of the producers and the cluster; NULL: malloc */
    struct sim_event_log *log;                /* an empty one, the world's from then on; NULL: a new one */
    uint32_t kept_records;                    /* as sim_ledger_keep() has it; 0: SIM_LEDGER_KEPT_RECORDS */
    /* What people did: added to the scenario's timeline, in this order. */
    const struct sim_timeline_entry *interventions;
    uint32_t intervention_count;
};

/** The scenario is borrowed for the life of the world. false: *complaints says what could not be built. */
bool sim_world_create(const struct sim_scenario *scenario, const struct sim_world_options *options,
                      struct sim_world **out, struct sim_complaints *complaints);
void sim_world_destroy(struct sim_world *world);

/** Do the next thing. false when the run is over. */
bool sim_world_step(struct sim_world *world);
/** Step until the time is past until_us or the run is over; false when it is over. */
bool sim_world_run_until(struct sim_world *world, int64_t until_us);

int64_t sim_world_now_us(const struct sim_world *world);
bool sim_world_is_over(const struct sim_world *world);
/** Things done so far: what `events per second` counts. */
uint64_t sim_world_step_count(const struct sim_world *world);
/** A broken invariant, or a run that cannot go on, as a sentence; NULL when all is well. */
const char *sim_world_failure(const struct sim_world *world);

/** With options.check, when the run is over and its ledger settled: the invariants of the end. */
bool sim_world_check_end(struct sim_world *world, struct sim_complaints *complaints);

/** The log, which belongs to the world; _take_log() makes it the caller's. */
struct sim_event_log *sim_world_log(struct sim_world *world);
struct sim_event_log *sim_world_take_log(struct sim_world *world);

/** The cluster, for whoever reads its logs. */
const struct mb_cluster *sim_world_cluster(const struct sim_world *world);
/** What the application was told; settle it when the run is over. */
struct sim_ledger *sim_world_ledger(struct sim_world *world);
/** By the scenario's order; NULL past the end. */
const struct sim_consumer_driver *sim_world_consumer(const struct sim_world *world, uint32_t index);
/** What the consumers have read; NULL without consumers. */
struct sim_readings *sim_world_readings(struct sim_world *world);
const struct sim_scenario *sim_world_scenario(const struct sim_world *world);

#endif
