/* CreateTopics: checked here, carried out by the controller. Kafka: KafkaApis.handleCreateTopicsRequest,
 * ZkAdminManager.createTopics, DelayedCreatePartitions.
 *
 * Clients send it to the broker that Metadata calls the controller. It is answered when the request has been
 * handed on; Kafka waits until the brokers know the new leaders, or the time-out is over. */

#include "mockbroker/broker.h"
#include "mockbroker/control.h"
#include "mockbroker/request.h"
#include "wire/message_structs.h"

#include <stdio.h>
#include <string.h>

enum { SETTING_TEXT_BYTES = 128 };

static enum kw_error set_configs(const struct kw_create_topics_request_topic *asked,
                                 struct mb_settings *settings, struct mb_error *error)
{
    for (int32_t i = 0; i < asked->configs.count; i++) {
        const struct kw_create_topics_request_config *config = &asked->configs.items[i];
        char name[SETTING_TEXT_BYTES];
        char value[SETTING_TEXT_BYTES];
        snprintf(name, sizeof name, "%.*s", (int)config->name.length_bytes, config->name.data);
        snprintf(value, sizeof value, "%.*s",
                 (int)(config->value.length_bytes < 0 ? 0 : config->value.length_bytes),
                 config->value.length_bytes < 0 ? "" : config->value.data);
        struct mb_setting setting = {name, value};
        if (!mb_settings_set(settings, "topic", &setting, error)) {
            return KW_ERROR_INVALID_CONFIG;
        }
    }
    return KW_ERROR_NONE;
}

/* The replicas of each partition as the client wants them, partitions 0, 1, 2... all alike long. */
static enum kw_error take_assignment(struct mb_request *request,
                                     const struct kw_create_topics_request_topic *asked,
                                     struct mb_topic_plan *plan)
{
    int32_t factor = asked->assignments.items[0].broker_ids.count;
    if (factor <= 0 || (uint32_t)factor > request->cluster->broker_count) {
        return KW_ERROR_INVALID_REPLICA_ASSIGNMENT;
    }
    plan->partition_count = asked->assignments.count;
    plan->replication_factor = factor;
    plan->assignment_count = (uint32_t)plan->partition_count * (uint32_t)factor;
    plan->assignment =
        mb_take(request->cluster->allocator, plan->assignment_count * sizeof *plan->assignment);
    for (int32_t i = 0; i < asked->assignments.count; i++) {
        const struct kw_create_topics_request_assignment *in = &asked->assignments.items[i];
        if (in->partition_index != i || in->broker_ids.count != factor) {
            return KW_ERROR_INVALID_REPLICA_ASSIGNMENT;
        }
        int32_t *replicas = &plan->assignment[i * factor];
        for (int32_t j = 0; j < factor; j++) {
            const struct mb_broker *broker = mb_broker_of(request->cluster, in->broker_ids.items[j]);
            if (broker == NULL || mb_is_member(replicas, (uint32_t)j, broker->index)) {
                return KW_ERROR_INVALID_REPLICA_ASSIGNMENT;
            }
            replicas[j] = broker->index;
        }
    }
    return KW_ERROR_NONE;
}

static enum kw_error take_counts(struct mb_request *request,
                                 const struct kw_create_topics_request_topic *asked,
                                 struct mb_topic_plan *plan)
{
    struct mb_cluster *cluster = request->cluster;
    int64_t alive = 0;
    for (uint32_t i = 0; i < cluster->broker_count; i++) {
        alive += request->broker->alive[i];
    }
    plan->partition_count = asked->num_partitions == -1
                                ? (int32_t)mb_setting(cluster, MB_SETTING_NUM_PARTITIONS)
                                : asked->num_partitions;
    plan->replication_factor = asked->replication_factor == -1
                                   ? (int32_t)mb_setting(cluster, MB_SETTING_DEFAULT_REPLICATION_FACTOR)
                                   : asked->replication_factor;
    if (plan->partition_count < 1 || plan->partition_count > 1000000) {
        return KW_ERROR_INVALID_PARTITIONS;
    }
    return plan->replication_factor < 1 || plan->replication_factor > alive
               ? KW_ERROR_INVALID_REPLICATION_FACTOR
               : KW_ERROR_NONE;
}

static bool is_repeated(const struct kw_create_topics_request *asked, struct kw_string name)
{
    int32_t times = 0;
    for (int32_t i = 0; i < asked->topics.count; i++) {
        struct kw_string other = asked->topics.items[i].name;
        times += other.length_bytes == name.length_bytes &&
                 memcmp(other.data, name.data, (size_t)name.length_bytes) == 0;
    }
    return times > 1;
}

static bool has_null_config(const struct kw_create_topics_request_topic *asked)
{
    for (int32_t i = 0; i < asked->configs.count; i++) {
        if (asked->configs.items[i].value.length_bytes < 0) {
            return true;
        }
    }
    return false;
}

/* In Kafka's order: KafkaApis.handleCreateTopicsRequest, ZkAdminManager.createTopics,
 * AdminZkClient.validateTopicCreate. */
static enum kw_error make_plan(struct mb_request *request, const struct kw_create_topics_request_topic *asked,
                               struct mb_topic_plan *plan, struct mb_error *error)
{
    const struct mb_cluster *cluster = request->cluster;
    bool is_assigned = asked->assignments.count > 0;
    if (request->broker->controller != request->broker->index) {
        return KW_ERROR_NOT_CONTROLLER;
    }
    if (is_repeated(request->body, asked->name)) {
        snprintf(error->text, sizeof error->text, "Found multiple entries for this topic.");
        return KW_ERROR_INVALID_REQUEST;
    }
    if (mb_topic_find(cluster, asked->name.data, asked->name.length_bytes) != NULL) {
        return KW_ERROR_TOPIC_ALREADY_EXISTS;
    }
    if (has_null_config(asked) ||
        (is_assigned && (asked->num_partitions != -1 || asked->replication_factor != -1))) {
        return KW_ERROR_INVALID_REQUEST;
    }
    enum kw_error problem = is_assigned ? KW_ERROR_NONE : take_counts(request, asked, plan);
    if (problem != KW_ERROR_NONE) {
        return problem;
    }
    if (!mb_topic_name_is_valid(asked->name.data, asked->name.length_bytes) ||
        mb_topic_name_collides(cluster, asked->name.data, asked->name.length_bytes)) {
        return KW_ERROR_INVALID_TOPIC_EXCEPTION;
    }
    mb_settings_inherit(&plan->settings, &cluster->settings);
    problem = is_assigned ? take_assignment(request, asked, plan) : KW_ERROR_NONE;
    return problem != KW_ERROR_NONE ? problem : set_configs(asked, &plan->settings, error);
}

static void hand_on(struct mb_request *request, struct kw_string name, struct mb_topic_plan *plan)
{
    struct mb_cluster *cluster = request->cluster;
    struct mb_control *control =
        mb_control_create(cluster, MB_CONTROL_CREATE_TOPIC, request->broker->index, MB_TO_CONTROLLER);
    control->topic = mb_take(cluster->allocator, (size_t)name.length_bytes + 1);
    memcpy(control->topic, name.data, (size_t)name.length_bytes);
    control->topic_length_bytes = name.length_bytes;
    control->plan = plan;
    mb_control_send(cluster, control);
}

static void create(struct mb_request *request, const struct kw_create_topics_request_topic *asked,
                   struct kw_create_topics_response_topic *out)
{
    struct mb_cluster *cluster = request->cluster;
    const struct kw_create_topics_request *all = request->body;
    struct mb_topic_plan *plan = mb_take(cluster->allocator, sizeof *plan);
    struct mb_error error = {{0}};
    int32_t injected = mb_strike_error(request, asked->name.data, asked->name.length_bytes, -1);
    kw_create_topics_response_topic_init(out);
    out->name = asked->name;
    out->error_code = (int16_t)(injected != 0 ? injected : (int32_t)make_plan(request, asked, plan, &error));
    out->error_message = (struct kw_string){NULL, -1};
    out->configs.count = -1;
    bool is_fine = out->error_code == KW_ERROR_NONE;
    if (is_fine && !all->validate_only && all->timeout_ms <= 0) {
        out->error_code = KW_ERROR_REQUEST_TIMED_OUT; /* it is created, and nobody waits to see it */
    }
    if (out->error_code != KW_ERROR_NONE) {
        const char *message =
            error.text[0] != '\0' ? error.text : kw_error_message((enum kw_error)out->error_code);
        out->error_message = mb_request_keep(request, (struct kw_string){message, (int32_t)strlen(message)});
    } else {
        out->num_partitions = plan->partition_count;
        out->replication_factor = (int16_t)plan->replication_factor;
        out->configs.count = 0;
    }
    if (is_fine && !all->validate_only) {
        hand_on(request, asked->name, plan);
    } else {
        mb_topic_plan_destroy(cluster, plan);
    }
}

void mb_handle_create_topics(struct mb_request *request)
{
    const struct kw_create_topics_request *asked = request->body;
    struct kw_create_topics_response response;
    int32_t error = KW_ERROR_NONE;
    kw_create_topics_response_init(&response);
    response.throttle_time_ms = request->throttle_ms;
    response.topics.count = asked->topics.count;
    response.topics.items =
        mb_request_take(request, (size_t)asked->topics.count, sizeof *response.topics.items);
    for (int32_t i = 0; i < asked->topics.count; i++) {
        create(request, &asked->topics.items[i], &response.topics.items[i]);
        error = error != KW_ERROR_NONE ? error : response.topics.items[i].error_code;
    }
    mb_request_respond(request, &response, error, NULL);
}
