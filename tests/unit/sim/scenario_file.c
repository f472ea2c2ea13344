#define _GNU_SOURCE /* mkdtemp, asprintf */
#include "scenario_file.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *scenario_complaints = "";
const char *scenario_warnings = "";
unsigned scenario_complaint_count;

static char folder[64];

static void remove_folder(void)
{
    DIR *list = opendir(folder);
    for (struct dirent *entry; list != NULL && (entry = readdir(list)) != NULL;) {
        if (entry->d_name[0] != '.') {
            (void)unlinkat(dirfd(list), entry->d_name, 0);
        }
    }
    if (list != NULL) {
        (void)closedir(list);
    }
    (void)rmdir(folder);
    free(scenario_complaints[0] != '\0' ? (char *)scenario_complaints : NULL);
    free(scenario_warnings[0] != '\0' ? (char *)scenario_warnings : NULL);
}

static void make_folder(void)
{
    if (folder[0] == '\0') {
        strcpy(folder, "/tmp/linger-test-XXXXXX");
        if (mkdtemp(folder) == NULL) {
            perror(folder);
            abort();
        }
        (void)atexit(remove_folder);
    }
}

const char *scenario_file_path(const char *name)
{
    static char path[PATH_MAX];
    make_folder();
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

const char *scenario_file_write(const char *name, const void *bytes, size_t length_bytes)
{
    const char *path = scenario_file_path(name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, length_bytes, file) != length_bytes || fclose(file) != 0) {
        perror(path);
        abort();
    }
    return path;
}

/* A copy without "FOLDER/". */
static const char *tidy(const char *text, const char *old)
{
    free(old[0] != '\0' ? (char *)old : NULL);
    if (text == NULL) {
        return "";
    }
    char *copy = calloc(1, strlen(text) + 1);
    size_t folder_bytes = strlen(folder);
    for (char *to = copy; *text != '\0';) {
        if (folder_bytes > 0 && strncmp(text, folder, folder_bytes) == 0 && text[folder_bytes] == '/') {
            text += folder_bytes + 1;
        } else {
            *to++ = *text++;
        }
    }
    return copy;
}

struct sim_scenario *scenario_load_path(const char *path, const struct sim_override *overrides,
                                        uint32_t override_count)
{
    struct sim_scenario *scenario = NULL;
    struct sim_complaints complaints = {0};
    struct sim_complaints warnings = {0};
    bool loaded = sim_scenario_load(path, overrides, override_count, &scenario, &complaints, &warnings);
    scenario_complaints = tidy(complaints.text, scenario_complaints);
    scenario_warnings = tidy(warnings.text, scenario_warnings);
    scenario_complaint_count = complaints.count;
    if (loaded != (scenario != NULL) || loaded != (complaints.count == 0)) {
        fprintf(stderr, "loaded %d, scenario %p, complaints: %s\n", loaded, (void *)scenario,
                scenario_complaints);
        abort();
    }
    sim_complaints_release(&complaints);
    sim_complaints_release(&warnings);
    return scenario;
}

struct sim_scenario *scenario_load_text(const char *text)
{
    return scenario_load_path(scenario_file_write("scenario.json", text, strlen(text)), NULL, 0);
}

static const char *or_default(const char *text, const char *otherwise)
{
    return text != NULL ? text : otherwise;
}

struct sim_scenario *scenario_load_sections(const struct scenario_sections *sections)
{
    char *producers = NULL;
    char *text = NULL;
    if (asprintf(&producers, "[{\"name\": \"shop\", \"threads\": [{\"name\": \"main\", \"records\": %s}]}]",
                 or_default(sections->records, "{\"topic\": \"orders\", \"count\": 3}")) < 0 ||
        asprintf(&text, "{%s \"cluster\": %s, \"producers\": %s, \"timeline\": %s}",
                 or_default(sections->members, ""),
                 or_default(sections->cluster, "{\"topics\": [{\"name\": \"orders\", \"partitions\": 3}]}"),
                 or_default(sections->producers, producers), or_default(sections->timeline, "[]")) < 0) {
        abort();
    }
    struct sim_scenario *scenario = scenario_load_text(text);
    free(producers);
    free(text);
    return scenario;
}

bool scenario_says(const struct scenario_sections *sections, const char *line)
{
    struct sim_scenario *scenario = scenario_load_sections(sections);
    sim_scenario_release(scenario);
    size_t line_bytes = strlen(line);
    for (const char *at = scenario_complaints; *at != '\0'; at = strchr(at, '\n') + 1) {
        if (strncmp(at, line, line_bytes) == 0 && at[line_bytes] == '\n') {
            return true;
        }
    }
    fprintf(stderr, "\nexpected  %s\nfound     %s\n", line,
            scenario_complaints[0] != '\0' ? scenario_complaints : "no complaint");
    return false;
}
