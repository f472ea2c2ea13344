/**
 * What a run came to, for people and for programs.
 */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include <stdio.h>

#include "engine/ledger.h"
#include "engine/world.h"
#include "model/summary.h"

void report_text(FILE *file, const struct sim_event_log *log, const struct sim_summary *summary,
                 const struct sim_ledger_totals *ledger);
void report_json(FILE *file, const struct sim_event_log *log, const struct sim_summary *summary,
                 const struct sim_ledger_totals *ledger, struct sim_world *world);

/** The ledger as the view shows it: "name\tcount", what matters always and the rest when there is some. */
enum { LEDGER_LINES_MAX = 12, LEDGER_LINE_BYTES = 64 };
struct ledger_lines {
    char texts[LEDGER_LINES_MAX][LEDGER_LINE_BYTES];
    uint32_t count;
};
void report_ledger_lines(const struct sim_ledger_totals *totals, struct ledger_lines *out);

#endif
