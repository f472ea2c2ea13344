/**
 * The options of every command that takes a scenario, and what they do to it.
 */
#ifndef SIM_SCENARIO_OPTIONS_H
#define SIM_SCENARIO_OPTIONS_H

#include <stdint.h>

#include "cli/options.h"
#include "engine/scenario.h"

struct scenario_options {
    struct cli_list set;
    const char *producer_config_path;
    int64_t seed; /* -1: the scenario's */
};

#define SCENARIO_OPTIONS(target)                                                                             \
    {"--set", CLI_LIST, &(target).set, "NAME=VALUE",                                                         \
     "change a setting: shop.linger.ms=20, orders.min.insync.replicas=1, linger.ms=0"},                      \
        {"--producer-config", CLI_TEXT, &(target).producer_config_path, "FILE",                              \
         "settings of your own producer, a .properties file"},                                               \
    {                                                                                                        \
        "--seed", CLI_WHOLE, &(target).seed, "N", "another seed than the scenario's"                         \
    }

/** Load and change the scenario; complaints and warnings go to stderr. The caller releases *out. */
bool scenario_options_load(const struct cli_command *command, const struct scenario_options *options,
                           const char *path, struct sim_scenario **out);

#endif
