/* Metadata: who is there and who leads what, as far as this broker has heard.
 * Kafka: KafkaApis.handleTopicMetadataRequest, ZkMetadataCache.getPartitionMetadata. */

#include "mockbroker/broker.h"
#include "mockbroker/connection.h"
#include "mockbroker/request.h"
#include "wire/errors.h"
#include "wire/message_structs.h"

#include <string.h>

/* "linger-mock-clus" in base64: Kafka's cluster ids are UUIDs written so. */
static const char cluster_id[] = "bGluZ2VyLW1vY2stY2x1cw";

/* Version 0 left dead brokers out of these lists, and called that REPLICA_NOT_AVAILABLE. */
static int32_t *list_ids(struct mb_request *request, const int32_t *members, uint32_t count, bool only_alive,
                         int32_t *listed)
{
    int32_t *ids = mb_request_take(request, count, sizeof *ids);
    *listed = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!only_alive || request->broker->alive[members[i]]) {
            ids[(*listed)++] = mb_broker_id(request->cluster, members[i]);
        }
    }
    return ids;
}

static void describe_partition(struct mb_request *request, const struct mb_topic_partition *tp,
                               const struct mb_partition_state *state,
                               struct kw_metadata_response_partition *partition)
{
    const struct mb_broker *broker = request->broker;
    bool only_alive = request->version == 0;
    kw_metadata_response_partition_init(partition);
    partition->partition_index = tp->index;
    partition->leader_epoch = state->leader_epoch;
    partition->replica_nodes.items =
        list_ids(request, tp->replicas, tp->replica_count, only_alive, &partition->replica_nodes.count);
    partition->isr_nodes.items =
        list_ids(request, state->isr, state->isr_count, only_alive, &partition->isr_nodes.count);
    int32_t *offline = mb_request_take(request, tp->replica_count, sizeof *offline);
    for (uint32_t i = 0; i < tp->replica_count; i++) {
        if (!broker->alive[tp->replicas[i]]) {
            offline[partition->offline_replicas.count++] = mb_broker_id(request->cluster, tp->replicas[i]);
        }
    }
    partition->offline_replicas.items = offline;
    if (state->leader < 0 || !broker->alive[state->leader]) {
        partition->error_code = KW_ERROR_LEADER_NOT_AVAILABLE;
        partition->leader_id = -1;
        return;
    }
    partition->leader_id = mb_broker_id(request->cluster, state->leader);
    if (only_alive && ((uint32_t)partition->replica_nodes.count < tp->replica_count ||
                       (uint32_t)partition->isr_nodes.count < state->isr_count)) {
        partition->error_code = KW_ERROR_REPLICA_NOT_AVAILABLE;
    }
}

/* False: the broker has not heard of the topic. */
static bool describe_topic(struct mb_request *request, const struct mb_topic *topic,
                           struct kw_metadata_response_topic *out)
{
    kw_metadata_response_topic_init(out);
    out->name = (struct kw_string){topic->name, topic->name_length_bytes};
    out->topic_id = topic->id;
    out->is_internal = topic->kind != MB_TOPIC_OF_CLIENTS;
    out->partitions.items =
        mb_request_take(request, (size_t)topic->partition_count, sizeof *out->partitions.items);
    for (int32_t i = 0; i < topic->partition_count; i++) {
        const struct mb_partition_state *state = mb_broker_knows(request->broker, topic->partitions[i]);
        if (state != NULL) {
            describe_partition(request, topic->partitions[i], state,
                               &out->partitions.items[out->partitions.count++]);
        }
    }
    return out->partitions.count > 0;
}

/* Kafka: DefaultAutoTopicCreationManager.createTopics: the controller is asked, the client is told to come
 * again. */
static int16_t create_topic(struct mb_request *request, struct kw_string name)
{
    struct mb_cluster *cluster = request->cluster;
    if (!mb_topic_name_is_valid(name.data, name.length_bytes) ||
        mb_topic_name_collides(cluster, name.data, name.length_bytes)) {
        return KW_ERROR_INVALID_TOPIC_EXCEPTION;
    }
    int64_t alive = 0;
    for (uint32_t i = 0; i < cluster->broker_count; i++) {
        alive += request->broker->alive[i];
    }
    if (alive < mb_setting(cluster, MB_SETTING_DEFAULT_REPLICATION_FACTOR)) {
        return KW_ERROR_INVALID_REPLICATION_FACTOR;
    }
    struct mb_control *control =
        mb_control_create(cluster, MB_CONTROL_CREATE_TOPIC, request->broker->index, MB_TO_CONTROLLER);
    control->topic = mb_take(cluster->allocator, (size_t)name.length_bytes + 1);
    memcpy(control->topic, name.data, (size_t)name.length_bytes);
    control->topic_length_bytes = name.length_bytes;
    mb_control_send(cluster, control);
    return KW_ERROR_LEADER_NOT_AVAILABLE;
}

static int16_t unknown_topic(struct mb_request *request, struct kw_string name, bool may_create)
{
    if (may_create) {
        return create_topic(request, name);
    }
    return mb_topic_name_is_valid(name.data, name.length_bytes) ? KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION
                                                                : KW_ERROR_INVALID_TOPIC_EXCEPTION;
}

static void list_all_topics(struct mb_request *request, struct kw_metadata_response *response)
{
    struct mb_cluster *cluster = request->cluster;
    response->topics.items = mb_request_take(request, cluster->topic_count, sizeof *response->topics.items);
    for (uint32_t i = 0; i < cluster->topic_count; i++) {
        if (describe_topic(request, cluster->topics[i], &response->topics.items[response->topics.count])) {
            response->topics.count++;
        }
    }
}

/* A name that is asked for twice is answered once: Kafka makes a set of them. */
static bool is_repeated(const struct kw_metadata_request *asked, int32_t index)
{
    struct kw_string name = asked->topics.items[index].name;
    for (int32_t i = 0; i < index; i++) {
        struct kw_string other = asked->topics.items[i].name;
        if (other.length_bytes == name.length_bytes &&
            (name.length_bytes <= 0 || memcmp(other.data, name.data, (size_t)name.length_bytes) == 0)) {
            return true;
        }
    }
    return false;
}

static void list_asked_topics(struct mb_request *request, const struct kw_metadata_request *asked,
                              struct kw_metadata_response *response, int32_t *error)
{
    bool may_create = asked->allow_auto_topic_creation &&
                      mb_setting(request->cluster, MB_SETTING_AUTO_CREATE_TOPICS_ENABLE) != 0;
    response->topics.items =
        mb_request_take(request, (size_t)asked->topics.count, sizeof *response->topics.items);
    for (int32_t i = 0; i < asked->topics.count; i++) {
        if (is_repeated(asked, i)) {
            continue;
        }
        struct kw_string name = asked->topics.items[i].name;
        struct kw_metadata_response_topic *out = &response->topics.items[response->topics.count++];
        int32_t injected = mb_strike_error(request, name.data, name.length_bytes, -1);
        const struct mb_topic *topic = mb_topic_find(request->cluster, name.data, name.length_bytes);
        bool is_known = topic != NULL && describe_topic(request, topic, out);
        if (injected != 0 || !is_known) {
            kw_metadata_response_topic_init(out);
            out->name = name;
            out->is_internal = mb_topic_kind_of(name.data, name.length_bytes) != MB_TOPIC_OF_CLIENTS;
            out->error_code = injected != 0 ? (int16_t)injected : unknown_topic(request, name, may_create);
            *error = out->error_code;
        }
    }
}

/* Who may do what: without an authorizer everybody may do everything there is, as bits of AclOperation.
 * Kafka: AuthHelper.authorizedOperations. */
static void list_operations(const struct mb_request *request, const struct kw_metadata_request *asked,
                            struct kw_metadata_response *response)
{
    enum { CLUSTER_OPERATIONS = 0x1fa0, TOPIC_OPERATIONS = 0x0df8 };
    if (request->version <= 10 && asked->include_cluster_authorized_operations) {
        response->cluster_authorized_operations = CLUSTER_OPERATIONS;
    }
    for (int32_t i = 0; asked->include_topic_authorized_operations && i < response->topics.count; i++) {
        response->topics.items[i].topic_authorized_operations = TOPIC_OPERATIONS;
    }
}

/* Topic ids cannot be asked for yet in these versions, and names must be there. */
static bool names_topics(const struct kw_metadata_request *asked)
{
    static const struct kw_uuid zero;
    for (int32_t i = 0; i < asked->topics.count; i++) {
        if (asked->topics.items[i].name.length_bytes < 0 ||
            memcmp(&asked->topics.items[i].topic_id, &zero, sizeof zero) != 0) {
            return false;
        }
    }
    return true;
}

static void refuse(struct mb_request *request, const struct kw_metadata_request *asked,
                   struct kw_metadata_response *response)
{
    /* Kafka: MetadataRequest.getErrorResponse: the error for each topic. */
    response->topics.items =
        mb_request_take(request, (size_t)asked->topics.count, sizeof *response->topics.items);
    for (int32_t i = 0; i < asked->topics.count; i++) {
        struct kw_metadata_response_topic *out = &response->topics.items[response->topics.count++];
        kw_metadata_response_topic_init(out);
        out->error_code = KW_ERROR_INVALID_REQUEST;
        out->topic_id = asked->topics.items[i].topic_id;
        out->name = asked->topics.items[i].name;
        if (out->name.length_bytes < 0) {
            out->name = (struct kw_string){"", 0};
        }
    }
    mb_request_respond(request, response, KW_ERROR_INVALID_REQUEST, NULL);
}

void mb_handle_metadata(struct mb_request *request)
{
    struct mb_cluster *cluster = request->cluster;
    const struct kw_metadata_request *asked = request->body;
    struct kw_metadata_response response;
    kw_metadata_response_init(&response);
    response.throttle_time_ms = request->throttle_ms;
    response.cluster_id = (struct kw_string){cluster_id, (int32_t)sizeof cluster_id - 1};
    response.controller_id = mb_broker_id(cluster, request->broker->controller);
    bool wants_all = asked->topics.count < 0 || (request->version == 0 && asked->topics.count == 0);
    if (!wants_all && !names_topics(asked)) {
        refuse(request, asked, &response);
        return;
    }
    response.brokers.items = mb_request_take(request, cluster->broker_count, sizeof *response.brokers.items);
    for (uint32_t i = 0; i < cluster->broker_count; i++) {
        const struct mb_broker *broker = &cluster->brokers[i];
        if (request->broker->alive[i]) {
            struct kw_metadata_response_broker *out = &response.brokers.items[response.brokers.count++];
            kw_metadata_response_broker_init(out);
            out->node_id = broker->id;
            out->host = (struct kw_string){broker->host, (int32_t)broker->host_bytes - 1};
            out->port = broker->port;
        }
    }
    int32_t error = KW_ERROR_NONE;
    if (wants_all) {
        list_all_topics(request, &response);
    } else {
        list_asked_topics(request, asked, &response, &error);
    }
    list_operations(request, asked, &response);
    mb_request_respond(request, &response, error, NULL);
}
