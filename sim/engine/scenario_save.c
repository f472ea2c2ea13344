#include "engine/scenario_save.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "engine/network.h"
#include "engine/scenario_reader.h"
#include "wire/api_keys.h"

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

static void put_truth(cJSON *object, const char *key, bool truth)
{
    cJSON *added = cJSON_AddBoolToObject(object, key, truth);
    KB_ASSERT(added != NULL);
}

static void put_link(cJSON *object, const struct sim_scenario *scenario,
                     const struct sim_timeline_entry *entry)
{
    if (entry->other >= 0) {
        put_number(object, "to", entry->other);
    } else if (sim_end_is_consumer(entry->other)) {
        put_text(object, "to", scenario->consumers[entry->other - sim_end_of_consumer(0)].name);
    } else {
        put_text(object, "to",
                 entry->other == SIM_END_PRODUCER   ? "producers"
                 : entry->other == SIM_END_CONSUMER ? "consumers"
                 : entry->other == SIM_END_CLUSTER  ? "cluster"
                                                    : "all");
    }
    if (entry->one_way) {
        put_truth(object, "one_way", true);
    }
}

/* Which requests it waits for. What is any, or as it is without the key, is not written. */
static void put_filter(cJSON *object, const struct sim_scenario *scenario,
                       const struct sim_timeline_entry *entry)
{
    const struct kw_api *api = kw_api_find((int16_t)entry->api);
    if (entry->point != MB_POINT_NONE) {
        put_text(object, "when", kb_field_value_text(KB_FIELD_FAULT_POINT, entry->point));
    }
    if (entry->cut_bytes > 0) {
        put_number(object, "bytes", entry->cut_bytes);
    }
    if (entry->fault == KB_FAULT_KIND_CORRUPT_BATCH) {
        put_text(object, "where", entry->api == KW_API_FETCH ? "follower" : "producer");
    } else if (entry->api != KW_API_PRODUCE && api != NULL) {
        put_text(object, "api", api->name);
    }
    if (entry->producer >= 0) {
        put_text(object, "producer", scenario->producers[entry->producer].name);
    }
    if (entry->topic != NULL) {
        put_text(object, "topic", entry->topic);
    }
    if (entry->partition >= 0) {
        put_number(object, "partition", entry->partition);
    }
    if (entry->skip > 0) {
        put_number(object, "skip", entry->skip);
    }
    if (entry->count != 1) {
        put_number(object, "count", entry->count);
    }
}

/* What belongs to one kind of fault alone. */
static void put_own(cJSON *object, const struct sim_scenario *scenario,
                    const struct sim_timeline_entry *entry)
{
    static const struct {
        int32_t fault;
        const char *delay_key;
        const char *undo_key;
    } keys[] = {
        {KB_FAULT_KIND_SLOW_REPLICA, "fetch_delay_ms", NULL},
        {KB_FAULT_KIND_SLOW_DISK, "append_ms", NULL},
        {KB_FAULT_KIND_DELAY_RESPONSE, "delay_ms", NULL},
        {KB_FAULT_KIND_THROTTLE, "throttle_ms", NULL},
        {KB_FAULT_KIND_KILL, NULL, "restart_after_ms"},
        {KB_FAULT_KIND_SHUTDOWN, NULL, "restart_after_ms"},
        {KB_FAULT_KIND_FREEZE, NULL, "thaw_after_ms"},
        {KB_FAULT_KIND_CUT, NULL, "heal_after_ms"},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (keys[i].fault == entry->fault && keys[i].delay_key != NULL) {
            put_number(object, keys[i].delay_key, (double)(entry->value_us / 1000));
        }
        if (keys[i].fault == entry->fault && keys[i].undo_key != NULL && entry->undo_after_us > 0) {
            put_number(object, keys[i].undo_key, (double)(entry->undo_after_us / 1000));
        }
    }
    if (entry->fault == KB_FAULT_KIND_CUT || entry->fault == KB_FAULT_KIND_HEAL) {
        put_link(object, scenario, entry);
    }
    if (entry->fault == KB_FAULT_KIND_ERROR) {
        put_number(object, "code", entry->code);
        put_truth(object, "appended", entry->appended);
    }
    if (entry->fault == KB_FAULT_KIND_MOVE_LEADER || entry->fault == KB_FAULT_KIND_ADD_PARTITIONS) {
        put_text(object, "topic", entry->topic);
    }
    if (entry->fault == KB_FAULT_KIND_MOVE_LEADER) {
        put_number(object, "partition", entry->partition);
    }
    if (entry->fault == KB_FAULT_KIND_ADD_PARTITIONS) {
        put_number(object, "partitions", entry->count);
    }
}

static void put_fault(cJSON *object, const struct sim_scenario *scenario,
                      const struct sim_timeline_entry *entry)
{
    /* The words of the event table are the words of the file. */
    put_text(object, "do", kb_field_value_text(KB_FIELD_FAULT_KIND, entry->fault));
    if (entry->broker >= 0) {
        put_number(object, "broker", entry->broker);
    }
    put_own(object, scenario, entry);
    if (sim_timeline_is_armed(entry)) {
        put_filter(object, scenario, entry);
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
            put_fault(object, scenario, &interventions[i]);
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
