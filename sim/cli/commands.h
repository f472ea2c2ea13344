/**
 * The commands of linger, each in a file of its own.
 */
#ifndef SIM_COMMANDS_H
#define SIM_COMMANDS_H

#include "cli/options.h"

extern const struct cli_command cli_play;
extern const struct cli_command cli_run;
extern const struct cli_command cli_config;
extern const struct cli_command cli_bench;
extern const struct cli_command cli_events;
extern const struct cli_command cli_matrix;
extern const struct cli_command cli_simulate;

#endif
