/*
 * linger: one program, a command each file.
 */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "cli/commands.h"

static const struct cli_command *const commands[] = {
#ifdef LINGER_HAS_VIEW
    &cli_play,
#endif
    &cli_run,  &cli_config, &cli_bench, &cli_events, &cli_matrix, &cli_simulate,
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void print_usage(FILE *file)
{
    fputs("linger: see how a Kafka producer works\n\nusage: linger [COMMAND] [ARGUMENTS]\n\n", file);
    for (int i = 0; i < COMMAND_COUNT; i++) {
        fprintf(file, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
    }
    fputs("\nWithout a command it opens the default scenario. `linger COMMAND --help` says more, with "
          "examples.\n",
          file);
}

static void report_assertion(const char *file, int line, const char *expression)
{
    fprintf(stderr,
            "linger: a mistake in the program: %s:%d: %s\nPlease report it with the command you ran.\n", file,
            line, expression);
}

int main(int argument_count, char **arguments)
{
    kb_assert_hook = report_assertion;
    if (argument_count < 2) {
#ifdef LINGER_HAS_VIEW
        return cli_play.run(&cli_play, 0, arguments);
#else
        print_usage(stdout);
        return CLI_OK;
#endif
    }
    const char *name = arguments[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_usage(stdout);
        return CLI_OK;
    }
    if (strcmp(name, "--version") == 0) {
        puts("linger " LINGER_VERSION ", after Apache Kafka 3.0.0");
        return CLI_OK;
    }
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(name, commands[i]->name) == 0) {
            return commands[i]->run(commands[i], argument_count - 2, arguments + 2);
        }
    }
    fprintf(stderr, "linger: there is no command \"%s\"\n\n", name);
    print_usage(stderr);
    return CLI_BAD_INPUT;
}
