/**
 * What a run came to, for people and for programs.
 */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include <stdio.h>

#include "engine/ledger.h"
#include "model/summary.h"

void report_text(FILE *file, const struct sim_event_log *log, const struct sim_summary *summary,
                 const struct sim_ledger_totals *ledger);
void report_json(FILE *file, const struct sim_event_log *log, const struct sim_summary *summary,
                 const struct sim_ledger_totals *ledger);

#endif
