/**
 * A scenario being looked at: its run, and the branches that people made by doing something to it.
 *
 * A branch is the scenario run again from its seed with the interventions so far and one more. Branches are
 * kept beside each other. A run is computed in slices, so that what there is of it can be watched meanwhile.
 */
#ifndef SIM_SESSION_H
#define SIM_SESSION_H

#include "engine/scenario.h"
#include "view/stage.h"

struct session;

/** Takes the scenario over. NULL with *complaints when it cannot be run. */
struct session *session_create(struct sim_scenario *scenario, struct sim_complaints *complaints);
void session_destroy(struct session *session);

/** Compute for about so long; false when there is nothing left to compute. */
bool session_compute(struct session *session, int64_t budget_us);
/** What the view asks of it. */
struct view_host session_host(struct session *session);
/** A picture was asked for; answers once. */
bool session_takes_picture(struct session *session);

enum { SESSION_BRANCHES_MAX = 32, SESSION_INTERVENTIONS_MAX = 64 };

#endif
