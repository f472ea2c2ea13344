/**
 * Scenarios written by a test into a folder of their own, and what the loader says about them.
 */
#ifndef LINGER_TESTS_SCENARIO_FILE_H
#define LINGER_TESTS_SCENARIO_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/scenario.h"

/** Write bytes into the test's folder, which is made at the first call and removed at exit. Returns the path;
 * static storage. */
const char *scenario_file_write(const char *name, const void *bytes, size_t length_bytes);
const char *scenario_file_path(const char *name);

/** The sections as JSON texts; NULL: a small one that is right. members goes into the root: "\"seed\": 1,".
 */
struct scenario_sections {
    const char *members;
    const char *cluster;
    const char *producers;
    const char *records; /* of the thread of the default producers */
    const char *timeline;
};
/** Write them as scenario.json and load it. The caller releases the result; what was said is in
 * scenario_complaints and scenario_warnings until the next load. */
struct sim_scenario *scenario_load_sections(const struct scenario_sections *sections);
struct sim_scenario *scenario_load_text(const char *text);
struct sim_scenario *scenario_load_path(const char *path, const struct sim_override *overrides,
                                        uint32_t override_count);

/** Never NULL. Paths of the test's folder are taken out of them. */
extern const char *scenario_complaints;
extern const char *scenario_warnings;
extern unsigned scenario_complaint_count;

/** Load, expect failure and that one complaint is exactly this line. */
bool scenario_says(const struct scenario_sections *sections, const char *line);

#endif
