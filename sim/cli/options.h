/**
 * Command lines: one table an option, from which come the parser and the help.
 */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum { CLI_OK = 0, CLI_RUN_FAILED = 1, CLI_BAD_INPUT = 2 };

enum cli_option_kind {
    CLI_FLAG,  /* bool */
    CLI_TEXT,  /* const char * */
    CLI_WHOLE, /* int64_t */
    CLI_LIST,  /* struct cli_list: may come again and again */
};

enum { CLI_LIST_MAX = 64 };
struct cli_list {
    const char *items[CLI_LIST_MAX];
    uint32_t count;
};

struct cli_option {
    const char *name; /* "--seed"; NULL ends a table */
    enum cli_option_kind kind;
    void *target;
    const char *argument; /* "N"; NULL for a flag */
    const char *help;
};

struct cli_command {
    const char *name;
    const char *arguments; /* "SCENARIO [OPTIONS]" */
    const char *summary;   /* one line */
    const char *details;   /* paragraphs and examples */
    int (*run)(const struct cli_command *command, int argument_count, char **arguments);
};

/**
 * Take the options out of arguments (which does not begin with the command's name). What is left is moved to
 * the front and counted. `--help` prints the help and answers with *exit_code 0. Returns false when the
 * command is to end with *exit_code: a mistake was explained on stderr (2).
 */
bool cli_parse(const struct cli_command *command, const struct cli_option *options, int *argument_count,
               char **arguments, int *exit_code);

/** "linger run: MESSAGE", then how to get help; returns CLI_BAD_INPUT. */
int cli_usage_error(const struct cli_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** --no-color, or not a terminal. */
bool cli_use_color(void);
void cli_set_no_color(void);

/** A file of assets/, wherever this program finds them: beside the sources, or where it was installed. NULL
 * and a message on stderr when it is not there. The text is static. */
const char *cli_find_asset(const char *name);

#endif
