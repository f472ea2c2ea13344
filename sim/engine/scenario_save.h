/**
 * A scenario with what was done to it by hand, as a file again.
 */
#ifndef SIM_SCENARIO_SAVE_H
#define SIM_SCENARIO_SAVE_H

#include <stdbool.h>

#include "engine/scenario.h"

/**
 * Read the file the scenario came from, add the interventions to its timeline, write it to path. Everything
 * else in the file stays as it is. scenario: whose path and producers are meant. false with *complaints.
 */
bool sim_scenario_save(const struct sim_scenario *scenario, const struct sim_timeline_entry *interventions,
                       uint32_t intervention_count, const char *path, struct sim_complaints *complaints);

#endif
