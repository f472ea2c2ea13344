#include "scripted_internal.h"

#include <string.h>

static bool meets(const struct scripted_request *request, const cJSON *entry)
{
    if (json_member(entry, "nth_produce") != NULL) {
        return request->api->key == KW_API_PRODUCE &&
               json_member_integer(entry, "nth_produce", -1) == request->nth;
    }
    return strcmp(json_member_text(entry, "api", ""), request->api->name) == 0 &&
           json_member_integer(entry, "nth", -1) == request->nth;
}

const cJSON *scripted_entry(const struct scripted_request *request, const char *action, const cJSON *after)
{
    const cJSON *entry = after != NULL ? after->next : request->cluster->script->child;
    for (; entry != NULL; entry = entry->next) {
        if (strcmp(json_member_text(entry, "action", ""), action) == 0 && meets(request, entry)) {
            return entry;
        }
    }
    return NULL;
}

const cJSON *scripted_error_entry(const struct scripted_request *request, const char *topic,
                                  int64_t partition)
{
    const cJSON *entry = NULL;
    while ((entry = scripted_entry(request, "error", entry)) != NULL) {
        if (strcmp(json_member_text(entry, "topic", topic), topic) == 0 &&
            json_member_integer(entry, "partition", partition) == partition) {
            return entry;
        }
    }
    return NULL;
}

int16_t scripted_error_code(const cJSON *entry)
{
    return entry != NULL ? (int16_t)json_member_integer(entry, "code", 0) : 0;
}
