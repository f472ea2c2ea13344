/**
 * What the consumers of a run have read, for people and for programs.
 */
#ifndef SIM_REPORT_CONSUMERS_H
#define SIM_REPORT_CONSUMERS_H

#include <stdio.h>

#include "engine/world.h"

/** Nothing without consumers. The world's readings are settled. */
void report_consumers_text(FILE *file, struct sim_world *world);
/** ,"consumers":[...] */
void report_consumers_json(FILE *file, struct sim_world *world);

#endif
