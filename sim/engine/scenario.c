/*
 * A scenario file: read, changed as the command line says, checked whole.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/allocator.h"
#include "base/assert.h"
#include "engine/scenario_reader.h"

/* --- Files
 * ----------------------------------------------------------------------------------------------------------------
 */

uint64_t hash_input(uint64_t hash, const void *bytes, size_t length_bytes)
{
    /* FNV-1a: short, and good enough to tell one input from another. */
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < length_bytes; i++) {
        hash = (hash ^ byte[i]) * 0x100000001b3u;
    }
    return hash;
}

static bool read_whole(FILE *file, size_t limit_bytes, char **bytes, size_t *length_bytes)
{
    size_t capacity_bytes = 1 << 16;
    *length_bytes = 0;
    *bytes = malloc(capacity_bytes + 1);
    while (*bytes != NULL) {
        size_t read_bytes = fread(*bytes + *length_bytes, 1, capacity_bytes - *length_bytes, file);
        *length_bytes += read_bytes;
        if (read_bytes == 0 || *length_bytes > limit_bytes) {
            (*bytes)[*length_bytes] = '\0';
            return ferror(file) == 0;
        }
        if (*length_bytes == capacity_bytes) {
            capacity_bytes *= 2;
            char *grown = realloc(*bytes, capacity_bytes + 1);
            if (grown == NULL) {
                free(*bytes);
            }
            *bytes = grown;
        }
    }
    errno = ENOMEM;
    return false;
}

bool load_file(const char *path, size_t limit_bytes, char **bytes, size_t *length_bytes,
               struct sim_complaints *complaints)
{
    struct stat status;
    *bytes = NULL;
    if (stat(path, &status) != 0) {
        sim_complain(complaints, "%s: %s", path, strerror(errno));
        return false;
    }
    if (S_ISDIR(status.st_mode)) {
        sim_complain(complaints, "%s: is a directory; name a file in it", path);
        return false;
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL || !read_whole(file, limit_bytes, bytes, length_bytes)) {
        sim_complain(complaints, "%s: cannot be read: %s", path, strerror(errno));
        free(*bytes);
        *bytes = NULL;
    } else if (*length_bytes > limit_bytes) {
        sim_complain(complaints, "%s: is larger than %zu MB, which is as much as is read", path,
                     limit_bytes >> 20);
        free(*bytes);
        *bytes = NULL;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return *bytes != NULL;
}

static cJSON *parse(const char *path, const char *bytes, size_t length_bytes,
                    struct sim_complaints *complaints)
{
    if (strspn(bytes, " \t\r\n") == length_bytes) {
        sim_complain(complaints, "%s: is empty; a scenario is a JSON object, see docs/scenario.md", path);
        return NULL;
    }
    if (strlen(bytes) != length_bytes) {
        sim_complain(complaints, "%s: has zero bytes in it, so it is no JSON text", path);
        return NULL;
    }
    const char *end = NULL;
    cJSON *root = cJSON_ParseWithOpts(bytes, &end, true);
    if (root == NULL) {
        size_t line = 1;
        size_t column = 1;
        for (const char *at = bytes; end != NULL && at < end && *at != '\0'; at++) {
            column = *at == '\n' ? 1 : column + 1;
            line += *at == '\n';
        }
        sim_complain(
            complaints,
            "%s: line %zu, column %zu: is no JSON here; look for a missing comma, quote or bracket, or "
            "brackets nested deeper than 1000",
            path, line, column);
        return NULL;
    }
    if (!cJSON_IsObject(root)) {
        sim_complain(complaints, "%s: $: found %s; a scenario is an object { ... }", path, reader_show(root));
        cJSON_Delete(root);
        return NULL;
    }
    return root;
}

/* --- Changes from the command line
 * ------------------------------------------------------------------------------------------- */

static void set_member(cJSON *object, const char *key, const char *value)
{
    cJSON *text = cJSON_CreateString(value);
    KB_ASSERT(text != NULL);
    if (cJSON_GetObjectItemCaseSensitive(object, key) != NULL) {
        (void)cJSON_ReplaceItemInObjectCaseSensitive(object, key, text);
    } else {
        (void)cJSON_AddItemToObject(object, key, text);
    }
}

static cJSON *config_of(cJSON *object)
{
    cJSON *config = cJSON_GetObjectItemCaseSensitive(object, "config");
    return config != NULL ? config : cJSON_AddObjectToObject(object, "config");
}

/* Set in every element of the list that has the name (NULL: in all); whether there was one. */
static bool set_in(cJSON *list, const char *name, size_t name_bytes, const char *key, const char *value)
{
    bool found = false;
    for (cJSON *item = cJSON_IsArray(list) ? list->child : NULL; item != NULL; item = item->next) {
        const cJSON *its_name = cJSON_GetObjectItemCaseSensitive(item, "name");
        bool matches =
            name == NULL || (cJSON_IsString(its_name) && strlen(its_name->valuestring) == name_bytes &&
                             strncmp(its_name->valuestring, name, name_bytes) == 0);
        if (matches && cJSON_IsObject(item)) {
            set_member(config_of(item), key, value);
            found = true;
        }
    }
    return found;
}

static void apply_override(cJSON *root, const struct sim_override *change, struct sim_complaints *complaints)
{
    if (strcmp(change->name, "seed") == 0 || strcmp(change->name, "duration_ms") == 0) {
        char *end;
        double number = strtod(change->value, &end);
        if (*end != '\0' || end == change->value) {
            sim_complain(complaints, "--set %s=%s: must be a whole number", change->name, change->value);
            return;
        }
        cJSON_DeleteItemFromObjectCaseSensitive(root, change->name);
        (void)cJSON_AddNumberToObject(root, change->name, number);
        return;
    }
    cJSON *cluster = cJSON_GetObjectItemCaseSensitive(root, "cluster");
    cJSON *producers = cJSON_GetObjectItemCaseSensitive(root, "producers");
    cJSON *consumers = cJSON_GetObjectItemCaseSensitive(root, "consumers");
    if (kp_config_key_find(change->name) != NULL && set_in(producers, NULL, 0, change->name, change->value)) {
        return;
    }
    if (kp_config_key_find(change->name) == NULL && sim_consumer_key_find(change->name) != NULL &&
        set_in(consumers, NULL, 0, change->name, change->value)) {
        return;
    }
    /* A name may have dots in it, as a setting has: the longest name that there is counts. */
    for (size_t name_bytes = strlen(change->name); name_bytes-- > 0;) {
        const char *dot = change->name + name_bytes;
        if (*dot != '.') {
            continue;
        }
        if (name_bytes == 7 && strncmp(change->name, "cluster", 7) == 0 && cJSON_IsObject(cluster)) {
            set_member(config_of(cluster), dot + 1, change->value);
            return;
        }
        if (set_in(producers, change->name, name_bytes, dot + 1, change->value) ||
            set_in(consumers, change->name, name_bytes, dot + 1, change->value) ||
            set_in(cJSON_GetObjectItemCaseSensitive(cluster, "topics"), change->name, name_bytes, dot + 1,
                   change->value)) {
            return;
        }
    }
    const char *meant = kp_config_key_nearest(change->name);
    if (meant != NULL) {
        sim_complain(complaints, "--set %s=%s: Kafka's producer has no such setting; did you mean \"%s\"?",
                     change->name, change->value, meant);
        return;
    }
    sim_complain(
        complaints,
        "--set %s=%s: no producer, consumer or topic of this scenario has that name; write "
        "PRODUCER.linger.ms=20, CONSUMER.isolation.level=read_committed, TOPIC.min.insync.replicas=2, "
        "cluster.SETTING=VALUE, seed=7, or linger.ms=20 for all producers",
        change->name, change->value);
}

/* --- Checking
 * -----------------------------------------------------------------------------------------------------------------
 */

static void read_root(struct scenario_reader *reader, const cJSON *root)
{
    static const char *const known[] = {"linger",      "name",     "description", "seed",
                                        "duration_ms", "epoch_ms", "cluster",     "producers",
                                        "consumers",   "timeline", NULL};
    struct json_place top = {NULL, NULL, 0};
    struct sim_scenario *scenario = reader->scenario;
    reader_check_keys(reader, &top, root, known);
    (void)reader_whole(reader, &top, root, "linger", 1, 1, 1);
    scenario->name = reader_text(reader, &top, root, "name", "a scenario without a name");
    scenario->description = reader_text(reader, &top, root, "description", "");
    scenario->seed = (uint64_t)reader_whole(reader, &top, root, "seed", 0, 9007199254740992, 1);
    scenario->duration_us = reader_whole(reader, &top, root, "duration_ms", 1, 86400000, 600000) * 1000;
    scenario->epoch_ms = reader_whole(reader, &top, root, "epoch_ms", 0, 4102444800000, 1600000000000);
    struct json_place at_cluster = {&top, "cluster", 0};
    struct json_place at_producers = {&top, "producers", 0};
    struct json_place at_consumers = {&top, "consumers", 0};
    struct json_place at_timeline = {&top, "timeline", 0};
    read_cluster(reader, &at_cluster, reader_object(reader, &top, root, "cluster"));
    read_producers(reader, &at_producers, reader_array(reader, &top, root, "producers"));
    read_consumers(reader, &at_consumers, reader_array(reader, &top, root, "consumers"));
    read_timeline(reader, &at_timeline, reader_array(reader, &top, root, "timeline"));
}

static bool read_text(const char *path, const char *bytes, size_t length_bytes,
                      const struct sim_override *overrides, uint32_t override_count,
                      struct sim_scenario **out, struct sim_complaints *complaints,
                      struct sim_complaints *warnings)
{
    *out = NULL;
    cJSON *root = parse(path, bytes, length_bytes, complaints);
    uint64_t input_hash = hash_input(0xcbf29ce484222325u, bytes, length_bytes);
    if (root == NULL) {
        return false;
    }
    struct sim_scenario *scenario = calloc(1, sizeof *scenario);
    struct kb_arena *arena = malloc(sizeof *arena);
    KB_ASSERT(scenario != NULL && arena != NULL);
    kb_arena_init(arena, kb_allocator_default(), 1 << 16, 0);
    scenario->memory = arena;
    for (uint32_t i = 0; i < override_count; i++) {
        apply_override(root, &overrides[i], complaints);
        input_hash = hash_input(input_hash, overrides[i].name, strlen(overrides[i].name) + 1);
        input_hash = hash_input(input_hash, overrides[i].value, strlen(overrides[i].value) + 1);
    }
    struct scenario_reader reader = {path, complaints, warnings, arena, scenario};
    scenario->path = reader_copy(&reader, path);
    scenario->input_hash = input_hash;
    read_root(&reader, root);
    cJSON_Delete(root);
    if (complaints->count > 0) {
        sim_scenario_release(scenario);
        return false;
    }
    *out = scenario;
    return true;
}

bool sim_scenario_parse(const char *name, const char *text, const struct sim_override *overrides,
                        uint32_t override_count, struct sim_scenario **out, struct sim_complaints *complaints,
                        struct sim_complaints *warnings)
{
    return read_text(name, text, strlen(text), overrides, override_count, out, complaints, warnings);
}

bool sim_scenario_load(const char *path, const struct sim_override *overrides, uint32_t override_count,
                       struct sim_scenario **out, struct sim_complaints *complaints,
                       struct sim_complaints *warnings)
{
    *out = NULL;
    char *bytes;
    size_t length_bytes;
    if (!load_file(path, SIM_SCENARIO_FILE_MAX_BYTES, &bytes, &length_bytes, complaints)) {
        return false;
    }
    bool read = read_text(path, bytes, length_bytes, overrides, override_count, out, complaints, warnings);
    free(bytes);
    return read;
}

void sim_scenario_release(struct sim_scenario *scenario)
{
    if (scenario != NULL) {
        kb_arena_release(scenario->memory);
        free(scenario->memory);
        free(scenario);
    }
}
