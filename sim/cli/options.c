#define _GNU_SOURCE /* readlink, isatty */
#include "cli/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool no_color;

void cli_set_no_color(void)
{
    no_color = true;
}

bool cli_use_color(void)
{
    return !no_color && getenv("NO_COLOR") == NULL && isatty(STDOUT_FILENO) != 0;
}

static void print_help(const struct cli_command *command, const struct cli_option *options)
{
    printf("usage: linger %s%s%s\n\n%s\n", command->name, command->arguments[0] != '\0' ? " " : "",
           command->arguments, command->summary);
    if (command->details[0] != '\0') {
        printf("\n%s\n", command->details);
    }
    printf("\nOptions:\n");
    for (; options->name != NULL; options++) {
        char left[64];
        snprintf(left, sizeof left, "%s%s%s", options->name, options->argument != NULL ? " " : "",
                 options->argument != NULL ? options->argument : "");
        printf("  %-28s %s\n", left, options->help);
    }
    printf("  %-28s %s\n  %-28s %s\n", "--no-color", "plain text, also on a terminal", "--help", "this text");
}

int cli_usage_error(const struct cli_command *command, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "linger %s: ", command->name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nTry: linger %s --help\n", command->name);
    return CLI_BAD_INPUT;
}

static const struct cli_option *find_option(const struct cli_option *options, const char *text,
                                            size_t length_bytes)
{
    for (; options->name != NULL; options++) {
        if (strncmp(options->name, text, length_bytes) == 0 && options->name[length_bytes] == '\0') {
            return options;
        }
    }
    return NULL;
}

/* The option with the longest beginning in common: good enough to guess what was meant. */
static const char *guess(const struct cli_option *options, const char *text)
{
    const char *best = NULL;
    size_t best_bytes = 3; /* "--" and a letter */
    for (; options->name != NULL; options++) {
        size_t common_bytes = 0;
        while (text[common_bytes] != '\0' && text[common_bytes] == options->name[common_bytes]) {
            common_bytes++;
        }
        if (common_bytes > best_bytes) {
            best = options->name;
            best_bytes = common_bytes;
        }
    }
    return best;
}

static bool take_value(const struct cli_command *command, const struct cli_option *option, const char *value)
{
    switch (option->kind) {
    case CLI_FLAG:
        break;
    case CLI_TEXT:
        *(const char **)option->target = value;
        return true;
    case CLI_LIST: {
        struct cli_list *list = option->target;
        if (list->count == CLI_LIST_MAX) {
            cli_usage_error(command, "%s comes more than %d times", option->name, CLI_LIST_MAX);
            return false;
        }
        list->items[list->count++] = value;
        return true;
    }
    case CLI_WHOLE: {
        char *end;
        errno = 0;
        long long number = strtoll(value, &end, 10);
        if (errno != 0 || *end != '\0' || end == value || number < 0) {
            cli_usage_error(command, "%s %s: must be a whole number, 0 or more", option->name, value);
            return false;
        }
        *(int64_t *)option->target = number;
        return true;
    }
    }
    *(bool *)option->target = true;
    return true;
}

bool cli_parse(const struct cli_command *command, const struct cli_option *options, int *argument_count,
               char **arguments, int *exit_code)
{
    int kept = 0;
    bool only_names = false;
    for (int i = 0; i < *argument_count; i++) {
        char *text = arguments[i];
        *exit_code = CLI_BAD_INPUT;
        if (only_names || text[0] != '-' || text[1] == '\0') {
            arguments[kept++] = text;
            continue;
        }
        if (strcmp(text, "--") == 0) {
            only_names = true;
            continue;
        }
        if (strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0) {
            print_help(command, options);
            *exit_code = CLI_OK;
            return false;
        }
        if (strcmp(text, "--no-color") == 0) {
            cli_set_no_color();
            continue;
        }
        const char *equals = strchr(text, '=');
        size_t name_bytes = equals != NULL ? (size_t)(equals - text) : strlen(text);
        const struct cli_option *option = find_option(options, text, name_bytes);
        if (option == NULL) {
            const char *meant = guess(options, text);
            cli_usage_error(command, "there is no option %.*s%s%s%s", (int)name_bytes, text,
                            meant != NULL ? "; did you mean " : "", meant != NULL ? meant : "",
                            meant != NULL ? "?" : "");
            return false;
        }
        if (option->kind == CLI_FLAG ? equals != NULL : equals == NULL && i + 1 == *argument_count) {
            cli_usage_error(command,
                            option->kind == CLI_FLAG ? "%s takes no value" : "%s needs a value: %s %s",
                            option->name, option->name, option->argument != NULL ? option->argument : "");
            return false;
        }
        const char *value = option->kind == CLI_FLAG ? NULL : equals != NULL ? equals + 1 : arguments[++i];
        if (!take_value(command, option, value)) {
            return false;
        }
    }
    *argument_count = kept;
    *exit_code = CLI_OK;
    return true;
}

const char *cli_find_asset(const char *name)
{
    static char path[4096];
    char program[2048];
    ssize_t program_bytes = readlink("/proc/self/exe", program, sizeof program - 1);
    program[program_bytes > 0 ? program_bytes : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    /* In the tree the program is build/PRESET/bin/linger; installed it is bin/linger beside share/linger. */
    static const char *const beside[] = {"../../../assets", "../share/linger", NULL};
    for (const char *const *folder = beside; *folder != NULL; folder++) {
        snprintf(path, sizeof path, "%s/%s/%s", program, *folder, name);
        if (access(path, R_OK) == 0) {
            return path;
        }
    }
    snprintf(path, sizeof path, "assets/%s", name);
    if (access(path, R_OK) == 0) {
        return path;
    }
    fprintf(stderr,
            "linger: assets/%s is not to be found; run linger in its source tree, or install it whole\n",
            name);
    return NULL;
}
