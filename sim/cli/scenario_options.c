#include "cli/scenario_options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OVERRIDES_MAX = CLI_LIST_MAX + 256, PROPERTIES_MAX_BYTES = 1 << 20 };

struct overrides {
    struct sim_override list[OVERRIDES_MAX];
    uint32_t count;
    char *texts[CLI_LIST_MAX]; /* owned */
    uint32_t text_count;
    char seed[24];
    struct kp_properties *properties;
};

static char *read_text(const char *path, size_t *length_bytes)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(PROPERTIES_MAX_BYTES + 1);
    bool read = false;
    if (file != NULL && text != NULL) {
        *length_bytes = fread(text, 1, PROPERTIES_MAX_BYTES + 1, file);
        read = ferror(file) == 0;
    }
    if (!read) {
        fprintf(stderr, "linger: %s cannot be read: %s\n", path, strerror(errno));
    } else if (*length_bytes > PROPERTIES_MAX_BYTES) {
        fprintf(stderr, "linger: %s is larger than 1 MB; that is no file of settings\n", path);
        read = false;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    if (!read) {
        free(text);
        return NULL;
    }
    return text;
}

/* Kafka's tools take the producer's whole configuration from such a file. */
static bool add_properties(const char *path, struct overrides *overrides)
{
    size_t length_bytes = 0;
    char *text = read_text(path, &length_bytes);
    if (text == NULL) {
        return false;
    }
    uint32_t line = 0;
    struct kp_failure failure;
    enum kp_config_status status =
        kp_properties_parse(NULL, text, length_bytes, &overrides->properties, &line, &failure);
    free(text);
    if (status != KP_CONFIG_OK) {
        fprintf(stderr, "%s: line %u: %s\n", path, line, failure.thrown.message);
        return false;
    }
    size_t count;
    const struct kp_config_entry *entries = kp_properties_entries(overrides->properties, &count);
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        if (kp_config_key_find(entries[i].name) == NULL) {
            const char *meant = kp_config_key_nearest(entries[i].name);
            fprintf(stderr, "%s: line %u: Kafka's producer has no setting \"%s\"%s%s%s\n", path,
                    kp_properties_line(overrides->properties, i), entries[i].name,
                    meant != NULL ? "; did you mean " : "", meant != NULL ? meant : "",
                    meant != NULL ? "?" : "");
            good = false;
        } else if (overrides->count < OVERRIDES_MAX) {
            overrides->list[overrides->count++] = (struct sim_override){entries[i].name, entries[i].value};
        }
    }
    return good;
}

static bool add_set(const struct cli_command *command, const char *text, struct overrides *overrides)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        cli_usage_error(command, "--set %s: write NAME=VALUE, such as shop.linger.ms=20", text);
        return false;
    }
    size_t name_bytes = (size_t)(equals - text);
    char *name = malloc(name_bytes + 1);
    if (name == NULL) {
        return false;
    }
    memcpy(name, text, name_bytes);
    name[name_bytes] = '\0';
    overrides->texts[overrides->text_count++] = name;
    overrides->list[overrides->count++] = (struct sim_override){name, equals + 1};
    return true;
}

bool scenario_options_load(const struct cli_command *command, const struct scenario_options *options,
                           const char *path, struct sim_scenario **out)
{
    struct overrides *overrides = calloc(1, sizeof *overrides);
    bool good = overrides != NULL;
    if (good && options->producer_config_path != NULL) {
        good = add_properties(options->producer_config_path, overrides);
    }
    for (uint32_t i = 0; i < options->set.count && good; i++) {
        good = add_set(command, options->set.items[i], overrides);
    }
    if (good && options->seed >= 0) {
        snprintf(overrides->seed, sizeof overrides->seed, "%" PRId64, options->seed);
        overrides->list[overrides->count++] = (struct sim_override){"seed", overrides->seed};
    }
    struct sim_complaints complaints = {0};
    struct sim_complaints warnings = {0};
    if (good) {
        good = sim_scenario_load(path, overrides->list, overrides->count, out, &complaints, &warnings);
    }
    if (warnings.count > 0) {
        fprintf(stderr, "%s", warnings.text);
    }
    if (complaints.count > 0) {
        fprintf(stderr, "%s%u mistake%s; nothing was run.\n", complaints.text, complaints.count,
                complaints.count > 1 ? "s" : "");
    }
    sim_complaints_release(&complaints);
    sim_complaints_release(&warnings);
    for (uint32_t i = 0; overrides != NULL && i < overrides->text_count; i++) {
        free(overrides->texts[i]);
    }
    if (overrides != NULL) {
        kp_properties_destroy(overrides->properties);
    }
    free(overrides);
    return good;
}
