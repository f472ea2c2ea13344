#include "engine/scenario_save.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "engine/scenario_reader.h"

static void put_number(cJSON *object, const char *key, double number)
{
    cJSON *added = cJSON_AddNumberToObject(object, key, number);
    KB_ASSERT(added != NULL);
}

static void put_text(cJSON *object, const char *key, const char *text)
{
    cJSON *added = cJSON_AddStringToObject(object, key, text);
    KB_ASSERT(added != NULL);
}

static void put_set(cJSON *object, const struct sim_scenario *scenario,
                    const struct sim_timeline_entry *entry)
{
    put_text(object, "do", "set");
    put_text(object, "producer", scenario->producers[entry->producer].name);
    cJSON *config = cJSON_AddObjectToObject(object, "config");
    KB_ASSERT(config != NULL);
    put_text(config, entry->setting, entry->value);
}

static void put_fault(cJSON *object, const struct sim_timeline_entry *entry)
{
    /* The words of the event table are the words of the file. */
    put_text(object, "do", kb_field_value_text(KB_FIELD_FAULT_KIND, entry->fault));
    if (entry->broker >= 0) {
        put_number(object, "broker", entry->broker);
    }
    if (entry->fault == KB_FAULT_KIND_CUT || entry->fault == KB_FAULT_KIND_HEAL) {
        if (entry->other >= 0) {
            put_number(object, "to", entry->other);
        } else {
            put_text(object, "to",
                     entry->other == SIM_END_PRODUCER  ? "producers"
                     : entry->other == SIM_END_CLUSTER ? "cluster"
                                                       : "all");
        }
    }
    if (entry->fault == KB_FAULT_KIND_SLOW_REPLICA) {
        put_number(object, "fetch_delay_ms", (double)(entry->value_us / 1000));
    }
    if (entry->fault == KB_FAULT_KIND_SLOW_DISK) {
        put_number(object, "append_ms", (double)(entry->value_us / 1000));
    }
    if (entry->fault == KB_FAULT_KIND_MOVE_LEADER) {
        put_text(object, "topic", entry->topic);
        put_number(object, "partition", entry->partition);
    }
}

static bool write_file(const char *path, const char *text, struct sim_complaints *complaints)
{
    FILE *file = fopen(path, "wb");
    bool written = file != NULL && fputs(text, file) >= 0 && fputc('\n', file) != EOF;
    if (file != NULL && fclose(file) != 0) {
        written = false;
    }
    if (!written) {
        sim_complain(complaints, "%s: cannot be written: %s", path, strerror(errno));
    }
    return written;
}

bool sim_scenario_save(const struct sim_scenario *scenario, const struct sim_timeline_entry *interventions,
                       uint32_t intervention_count, const char *path, struct sim_complaints *complaints)
{
    char *bytes;
    size_t length_bytes;
    if (!load_file(scenario->path, SIM_SCENARIO_FILE_MAX_BYTES, &bytes, &length_bytes, complaints)) {
        return false;
    }
    cJSON *root = cJSON_ParseWithLength(bytes, length_bytes);
    free(bytes);
    if (!cJSON_IsObject(root)) {
        sim_complain(complaints, "%s: is no scenario any more; somebody changed it", scenario->path);
        cJSON_Delete(root);
        return false;
    }
    cJSON *timeline = cJSON_GetObjectItemCaseSensitive(root, "timeline");
    if (timeline == NULL) {
        timeline = cJSON_AddArrayToObject(root, "timeline");
    }
    for (uint32_t i = 0; i < intervention_count; i++) {
        cJSON *object = cJSON_CreateObject();
        KB_ASSERT(object != NULL);
        /* Times by hand fall between milliseconds; the file counts in whole ones. */
        put_number(object, "at_ms", (double)((interventions[i].at_us + 500) / 1000));
        if (interventions[i].is_set) {
            put_set(object, scenario, &interventions[i]);
        } else {
            put_fault(object, &interventions[i]);
        }
        (void)cJSON_AddItemToArray(timeline, object);
    }
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    KB_ASSERT(text != NULL);
    bool written = write_file(path, text, complaints);
    cJSON_free(text);
    return written;
}
