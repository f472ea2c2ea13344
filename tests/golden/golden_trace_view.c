#include "golden_trace.h"

#include <stdlib.h>
#include <string.h>

static const char *copy_name(struct trace_run *run, struct kw_string name)
{
    char *copy = golden_allocate(run->golden, (size_t)name.length_bytes + 1);
    memcpy(copy, name.data, (size_t)name.length_bytes);
    return copy;
}

static bool is_named(const struct trace_leader *leader, struct kw_string name)
{
    return strlen(leader->topic) == (size_t)name.length_bytes &&
           memcmp(leader->topic, name.data, (size_t)name.length_bytes) == 0;
}

static void forget_topic(struct trace_run *run, struct kw_string name)
{
    struct trace_leader **place = &run->leaders;
    while (*place != NULL) {
        if (is_named(*place, name)) {
            *place = (*place)->next;
            run->has_view_changed = true;
        } else {
            place = &(*place)->next;
        }
    }
}

static void learn_partition(struct trace_run *run, struct kw_string name,
                            const struct kw_metadata_response_partition *partition)
{
    int32_t leads = partition->error_code == 0 ? partition->leader_id : -1;
    struct trace_leader **place = &run->leaders;
    for (; *place != NULL; place = &(*place)->next) {
        if (is_named(*place, name) && (*place)->partition == partition->partition_index) {
            run->has_view_changed = run->has_view_changed || (*place)->leader != leads;
            (*place)->leader = leads;
            return;
        }
    }
    *place = golden_allocate(run->golden, sizeof **place);
    (*place)->topic = copy_name(run, name);
    (*place)->partition = partition->partition_index;
    (*place)->leader = leads;
    run->has_view_changed = true;
}

/* The view that the case has for this millisecond, if any. */
static void change_orders(struct trace_run *run)
{
    const cJSON *event = NULL;
    cJSON_ArrayForEach(event, json_member(run->row, "trace"))
    {
        if (json_member_integer(event, "t", -1) == run->t &&
            strcmp(json_member_text(event, "ev", ""), "metadata_view") == 0) {
            run->view = event;
        }
    }
}

void trace_learn_metadata(struct trace_run *run, const struct kw_metadata_response *response)
{
    change_orders(run);
    for (int32_t i = 0; i < response->topics.count; i++) {
        const struct kw_metadata_response_topic *topic = &response->topics.items[i];
        if (topic->error_code != 0) {
            forget_topic(run, topic->name);
            continue;
        }
        for (int32_t p = 0; p < topic->partitions.count; p++) {
            learn_partition(run, topic->name, &topic->partitions.items[p]);
        }
    }
}

struct placed {
    int64_t place;
    const struct trace_leader *leader;
};

static int by_place(const void *left, const void *right)
{
    int64_t a = ((const struct placed *)left)->place;
    int64_t b = ((const struct placed *)right)->place;
    return (a > b) - (a < b);
}

static size_t count_leaders(const struct trace_run *run)
{
    size_t count = 0;
    for (const struct trace_leader *leader = run->leaders; leader != NULL; leader = leader->next) {
        count++;
    }
    return count;
}

static void tell_node(struct trace_run *run, int32_t node, struct placed *scratch, cJSON *nodes)
{
    char text[300];
    size_t count = 0;
    for (const struct trace_leader *leader = run->leaders; leader != NULL; leader = leader->next) {
        if (leader->leader == node) {
            scratch[count].leader = leader;
            scratch[count++].place = trace_place_in_node(run, node, leader->topic, leader->partition);
        }
    }
    qsort(scratch, count, sizeof *scratch, by_place);
    (void)snprintf(text, sizeof text, "%d", node);
    cJSON *list = cJSON_AddArrayToObject(nodes, text);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(text, sizeof text, "%s-%d", scratch[i].leader->topic, scratch[i].leader->partition);
        json_add_text(list, NULL, text);
    }
}

static void tell_topic(struct trace_run *run, const char *topic, struct placed *scratch, cJSON *topics)
{
    size_t count = 0;
    for (const struct trace_leader *leader = run->leaders; leader != NULL; leader = leader->next) {
        if (leader->leader >= 0 && strcmp(leader->topic, topic) == 0) {
            scratch[count].leader = leader;
            scratch[count++].place = trace_place_in_topic(run, topic, leader->partition);
        }
    }
    qsort(scratch, count, sizeof *scratch, by_place);
    cJSON *list = cJSON_AddArrayToObject(topics, topic);
    for (size_t i = 0; i < count; i++) {
        json_add_integer(list, NULL, scratch[i].leader->partition);
    }
}

void trace_tell_view(struct trace_run *run)
{
    if (!run->has_view_changed) {
        return;
    }
    run->has_view_changed = false;
    struct placed *scratch = golden_allocate(run->golden, (count_leaders(run) + 1) * sizeof *scratch);
    cJSON *event = trace_event(run, "metadata_view");
    cJSON *nodes = cJSON_AddObjectToObject(event, "partitions_for_node");
    for (int32_t node = 0; node < scripted_cluster_broker_count(run->cluster); node++) {
        tell_node(run, node, scratch, nodes);
    }
    cJSON *topics = cJSON_AddObjectToObject(event, "available_partitions");
    for (const struct trace_leader *leader = run->leaders; leader != NULL; leader = leader->next) {
        if (json_member(topics, leader->topic) == NULL) {
            tell_topic(run, leader->topic, scratch, topics);
        }
    }
}
