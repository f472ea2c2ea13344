/**
 * Pictures of a run without a display, by the code that draws the window.
 */
#ifndef SIM_PICTURES_H
#define SIM_PICTURES_H

#include <stdbool.h>
#include <stdint.h>

#include "log/event_log.h"

struct picture_options {
    int32_t width_px;  /* 0: 1600 */
    int32_t height_px; /* 0: 900 */
    bool light;
    int64_t at_us; /* -1: the end, and moments before it in files of their own */
};

/**
 * Draw the run to path; with at_us < 0 also four moments before the end, to path with -1 to -4 before its
 * suffix. ledger: text lines "name\tcount" as the view shows them, ended by NULL. false when a file cannot be
 * written; stderr says why.
 */
bool cli_write_pictures(const struct sim_event_log *log, const char *const *ledger, const char *path,
                        const struct picture_options *options);

#endif
