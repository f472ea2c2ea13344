#include "scripted_internal.h"

#include <stdlib.h>
#include <string.h>

/* What the golden cluster calls itself. */
#define CLUSTER_ID "cluster-1"

/* --- ApiVersions */

/* The range that this cluster advertises: 3.0.0's, or what the description says of an older broker. */
static void advertised(const struct scripted_cluster *cluster, const struct kw_api *api, int16_t *min_version,
                       int16_t *max_version)
{
    const cJSON *range = json_member(json_member(cluster->description, "api_versions"), api->name);
    *min_version = api->min_version;
    *max_version = api->max_version;
    if (cJSON_GetArraySize(range) == 2) {
        *min_version = (int16_t)json_integer(range->child);
        *max_version = (int16_t)json_integer(range->child->next);
    }
}

static void answer_api_versions(const struct scripted_request *request, bool is_supported)
{
    struct scripted_cluster *cluster = request->cluster;
    struct kw_api_versions_response *response = request->response;
    response->api_keys.items =
        scripted_passing(cluster, KW_API_COUNT, sizeof(struct kw_api_versions_response_api));
    response->error_code = is_supported ? KW_ERROR_NONE : KW_ERROR_UNSUPPORTED_VERSION;
    for (int key = 0; key < KW_API_COUNT; key++) {
        const struct kw_api *api = kw_api_find((int16_t)key);
        if (is_supported ? (api->listeners & KW_LISTENER_ZK_BROKER) != 0 : key == KW_API_API_VERSIONS) {
            struct kw_api_versions_response_api *item = &response->api_keys.items[response->api_keys.count++];
            item->api_key = (int16_t)key;
            advertised(cluster, api, &item->min_version, &item->max_version);
        }
    }
}

/* --- Metadata */

static struct kw_int32_array one_node(struct scripted_cluster *cluster, int32_t node)
{
    int32_t *items = scripted_passing(cluster, 1, sizeof *items);
    items[0] = node;
    return (struct kw_int32_array){.items = items, .count = 1};
}

static void fill_partitions(struct scripted_cluster *cluster, const struct scripted_topic *topic,
                            struct kw_metadata_response_topic *out)
{
    out->partitions.items =
        scripted_passing(cluster, (size_t)topic->partition_count + 1, sizeof *out->partitions.items);
    out->partitions.count = topic->partition_count;
    for (int32_t p = 0; p < topic->partition_count; p++) {
        struct kw_metadata_response_partition *item = &out->partitions.items[p];
        int32_t leader = topic->partitions[p].leader;
        bool is_led = !cluster->brokers[leader].is_down;
        kw_metadata_response_partition_init(item);
        item->error_code = is_led ? KW_ERROR_NONE : KW_ERROR_LEADER_NOT_AVAILABLE;
        item->partition_index = p;
        item->leader_id = is_led ? leader : -1;
        item->leader_epoch = topic->partitions[p].leader_epoch;
        item->replica_nodes = one_node(cluster, leader);
        item->isr_nodes = one_node(cluster, leader);
    }
}

static void fill_topic(struct scripted_cluster *cluster, struct kw_string name,
                       const struct scripted_topic *topic, struct kw_metadata_response_topic *out)
{
    kw_metadata_response_topic_init(out);
    out->name = name;
    if (topic == NULL) {
        out->error_code = KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    } else if (topic->error != 0) {
        out->error_code = topic->error;
    } else {
        fill_partitions(cluster, topic, out);
    }
}

static void fill_brokers(struct scripted_cluster *cluster, struct kw_metadata_response *response)
{
    response->brokers.items =
        scripted_passing(cluster, (size_t)cluster->broker_count + 1, sizeof *response->brokers.items);
    for (int32_t i = cluster->broker_count - 1; i >= 0; i--) {
        response->controller_id = cluster->brokers[i].is_down ? response->controller_id : i;
    }
    for (int32_t i = 0; i < cluster->broker_count; i++) {
        if (!cluster->brokers[i].is_down) {
            struct kw_metadata_response_broker *broker = &response->brokers.items[response->brokers.count++];
            kw_metadata_response_broker_init(broker);
            broker->node_id = i;
            broker->host = scripted_string(cluster->brokers[i].host);
            broker->port = cluster->brokers[i].port;
        }
    }
}

void scripted_fill_metadata(struct scripted_cluster *cluster, const struct kw_metadata_request *asked,
                            int64_t t, struct kw_metadata_response *response)
{
    bool asks_for_all = asked == NULL || asked->topics.count < 0;
    int32_t count = asks_for_all ? cluster->topic_count : asked->topics.count;
    fill_brokers(cluster, response);
    response->cluster_id = scripted_string(CLUSTER_ID);
    response->topics.items = scripted_passing(cluster, (size_t)count + 1, sizeof *response->topics.items);
    for (int32_t i = 0; i < count; i++) {
        const struct scripted_topic *topic =
            asks_for_all ? &cluster->topics[i] : scripted_topic_find(cluster, asked->topics.items[i].name, t);
        if (!asks_for_all || topic->is_known_at_start) {
            fill_topic(cluster, asks_for_all ? scripted_string(topic->name) : asked->topics.items[i].name,
                       topic, &response->topics.items[response->topics.count++]);
        }
    }
}

/* --- Producer ids and transactions: errors come from the script alone */

/* Version 4 asks for several keys, and has only the list in its response. */
static void answer_find_coordinator(const struct scripted_request *request)
{
    struct scripted_cluster *cluster = request->cluster;
    const struct kw_find_coordinator_request *body = request->body;
    struct kw_find_coordinator_response *response = request->response;
    const struct scripted_broker *broker = &cluster->brokers[cluster->coordinator];
    int16_t error = scripted_error_code(scripted_error_entry(request, "", -1));
    int32_t node_id = error == 0 ? cluster->coordinator : -1;
    struct kw_string host = scripted_string(error == 0 ? broker->host : "");
    int32_t port = error == 0 ? broker->port : -1;
    if (body->coordinator_keys.count <= 0) {
        response->error_code = error;
        response->node_id = node_id;
        response->host = host;
        response->port = port;
        return;
    }
    response->coordinators.items =
        scripted_passing(cluster, (size_t)body->coordinator_keys.count, sizeof *response->coordinators.items);
    response->coordinators.count = body->coordinator_keys.count;
    for (int32_t i = 0; i < body->coordinator_keys.count; i++) {
        struct kw_find_coordinator_response_coordinator *item = &response->coordinators.items[i];
        kw_find_coordinator_response_coordinator_init(item);
        item->key = body->coordinator_keys.items[i];
        item->error_code = error;
        item->node_id = node_id;
        item->host = host;
        item->port = port;
    }
}

static struct scripted_transactional_id *transactional_id(struct scripted_cluster *cluster,
                                                          struct kw_string name)
{
    struct scripted_transactional_id *id = cluster->transactional_ids;
    while (id != NULL && !scripted_string_is(name, id->name)) {
        id = id->next;
    }
    if (id == NULL) {
        id = scripted_lasting(cluster, 1, sizeof *id);
        id->name = scripted_lasting(cluster, (size_t)name.length_bytes + 1, 1);
        memcpy(id->name, name.data, (size_t)name.length_bytes);
        id->producer_id = -1;
        id->next = cluster->transactional_ids;
        cluster->transactional_ids = id;
    }
    return id;
}

static void answer_init_producer_id(const struct scripted_request *request)
{
    struct scripted_cluster *cluster = request->cluster;
    const struct kw_init_producer_id_request *body = request->body;
    struct kw_init_producer_id_response *response = request->response;
    int16_t epoch = cluster->next_producer_id == SCRIPTED_FIRST_PRODUCER_ID ? cluster->first_epoch : 0;
    response->error_code = scripted_error_code(scripted_error_entry(request, "", -1));
    if (response->error_code != 0) {
        return;
    }
    if (body->transactional_id.length_bytes < 0) {
        response->producer_id = cluster->next_producer_id++;
        response->producer_epoch = epoch;
        return;
    }
    struct scripted_transactional_id *id = transactional_id(cluster, body->transactional_id);
    if (id->producer_id < 0) {
        id->producer_id = cluster->next_producer_id++;
        id->epoch = epoch;
    } else {
        id->epoch++;
    }
    response->producer_id = id->producer_id;
    response->producer_epoch = id->epoch;
}

static void answer_add_partitions(const struct scripted_request *request)
{
    const struct kw_add_partitions_to_txn_request *body = request->body;
    struct kw_add_partitions_to_txn_response *response = request->response;
    response->results.count = body->topics.count;
    response->results.items =
        scripted_passing(request->cluster, (size_t)body->topics.count + 1, sizeof *response->results.items);
    for (int32_t i = 0; i < body->topics.count; i++) {
        const struct kw_add_partitions_to_txn_request_topic *topic = &body->topics.items[i];
        struct kw_add_partitions_to_txn_response_topic *out = &response->results.items[i];
        char *name = scripted_passing(request->cluster, (size_t)topic->name.length_bytes + 1, 1);
        memcpy(name, topic->name.data, (size_t)topic->name.length_bytes);
        out->name = topic->name;
        out->results.count = topic->partitions.count;
        out->results.items = scripted_passing(request->cluster, (size_t)topic->partitions.count + 1,
                                              sizeof *out->results.items);
        for (int32_t p = 0; p < topic->partitions.count; p++) {
            out->results.items[p].partition_index = topic->partitions.items[p];
            out->results.items[p].error_code =
                scripted_error_code(scripted_error_entry(request, name, topic->partitions.items[p]));
        }
    }
}

static void answer_txn_offset_commit(const struct scripted_request *request)
{
    const struct kw_txn_offset_commit_request *body = request->body;
    struct kw_txn_offset_commit_response *response = request->response;
    int16_t error = scripted_error_code(scripted_error_entry(request, "", -1));
    response->topics.count = body->topics.count;
    response->topics.items =
        scripted_passing(request->cluster, (size_t)body->topics.count + 1, sizeof *response->topics.items);
    for (int32_t i = 0; i < body->topics.count; i++) {
        const struct kw_txn_offset_commit_request_topic *topic = &body->topics.items[i];
        struct kw_txn_offset_commit_response_topic *out = &response->topics.items[i];
        out->name = topic->name;
        out->partitions.count = topic->partitions.count;
        out->partitions.items = scripted_passing(request->cluster, (size_t)topic->partitions.count + 1,
                                                 sizeof *out->partitions.items);
        for (int32_t p = 0; p < topic->partitions.count; p++) {
            out->partitions.items[p].partition_index = topic->partitions.items[p].partition_index;
            out->partitions.items[p].error_code = error;
        }
    }
}

static void answer_with_error_alone(const struct scripted_request *request)
{
    int16_t error = scripted_error_code(scripted_error_entry(request, "", -1));
    if (request->api->key == KW_API_END_TXN) {
        ((struct kw_end_txn_response *)request->response)->error_code = error;
    } else {
        ((struct kw_add_offsets_to_txn_response *)request->response)->error_code = error;
    }
}

/* --- Any request */

/* Fill in the response. False: none is wanted. */
static bool serve(struct scripted_request *request, bool is_supported)
{
    switch (request->api->key) {
    case KW_API_API_VERSIONS:
        answer_api_versions(request, is_supported);
        return true;
    case KW_API_METADATA:
        scripted_fill_metadata(request->cluster, request->body, request->t, request->response);
        return true;
    case KW_API_PRODUCE:
        return scripted_produce(request);
    case KW_API_FIND_COORDINATOR:
        answer_find_coordinator(request);
        return true;
    case KW_API_INIT_PRODUCER_ID:
        answer_init_producer_id(request);
        return true;
    case KW_API_ADD_PARTITIONS_TO_TXN:
        answer_add_partitions(request);
        return true;
    case KW_API_TXN_OFFSET_COMMIT:
        answer_txn_offset_commit(request);
        return true;
    case KW_API_END_TXN:
    case KW_API_ADD_OFFSETS_TO_TXN:
        answer_with_error_alone(request);
        return true;
    default:
        scripted_fail(request->cluster, "a producer has no use for %s", request->api->name);
        return false;
    }
}

static bool encode(struct scripted_request *request, int16_t version, struct scripted_answer *answer)
{
    struct kw_frame frame = {.api = request->api,
                             .version = version,
                             .correlation_id = request->correlation_id,
                             .body = request->response};
    struct kw_writer writer;
    size_t size_bytes = 0;
    if (kw_frame_size(&frame, &size_bytes, NULL, NULL) == KW_MESSAGE_OK) {
        answer->frame = malloc(size_bytes);
        kw_writer_init(&writer, answer->frame, size_bytes);
        if (answer->frame != NULL && kw_frame_encode(&frame, &writer, NULL, NULL) == KW_MESSAGE_OK) {
            answer->length_bytes = size_bytes - KW_FRAME_LENGTH_BYTES;
            memmove(answer->frame, answer->frame + KW_FRAME_LENGTH_BYTES, answer->length_bytes);
            return true;
        }
    }
    scripted_fail(request->cluster, "the response to %s v%d cannot be encoded", request->api->name, version);
    return false;
}

/* The struct of the body, in the passing arena; NULL with a failure when the bytes make no sense. */
static const void *decode_body(struct scripted_request *request, struct kw_reader *reader)
{
    struct kw_message_error error;
    char why[KW_MESSAGE_ERROR_TEXT_MAX_BYTES];
    void *body = scripted_passing(request->cluster, 1, request->api->request->struct_size_bytes);
    if (kw_message_decode(request->api->request, request->version, reader, &request->cluster->passing, body,
                          &error) != KW_MESSAGE_OK) {
        kw_message_error_text(&error, why, sizeof why);
        scripted_fail(request->cluster, "%s v%d cannot be read: %s", request->api->name, request->version,
                      why);
        return NULL;
    }
    if (kw_reader_remaining_bytes(reader) != 0) {
        scripted_fail(request->cluster, "%s v%d has %zu bytes too many", request->api->name, request->version,
                      kw_reader_remaining_bytes(reader));
        return NULL;
    }
    return body;
}

/* What the script does to the answer apart from its content. */
static void apply_script(const struct scripted_request *request, struct scripted_answer *answer)
{
    const cJSON *delay = NULL;
    bool is_immediate = request->api->key == KW_API_API_VERSIONS || request->api->key == KW_API_METADATA;
    answer->correlation_id = request->correlation_id;
    answer->latency_ms = request->api->key == KW_API_PRODUCE ? request->cluster->rtt_ms
                         : is_immediate                      ? 0
                                                             : request->cluster->txn_rtt_ms;
    while ((delay = scripted_entry(request, "delay", delay)) != NULL) {
        answer->latency_ms += json_member_integer(delay, "ms", 0);
    }
    answer->is_dropped = scripted_entry(request, "drop_response", NULL) != NULL;
    answer->closes = scripted_entry(request, "disconnect", NULL) != NULL;
    answer->closes_now = scripted_entry(request, "disconnect_now", NULL) != NULL;
}

static bool read_header(struct scripted_cluster *cluster, struct kw_reader *reader, size_t length_bytes,
                        struct scripted_request *request)
{
    struct kw_request_header header;
    if (kw_read_i32(reader) != (int64_t)length_bytes - KW_FRAME_LENGTH_BYTES ||
        kw_request_header_decode(reader, &header, &request->api, NULL) != KW_MESSAGE_OK ||
        request->api->request == NULL) {
        scripted_fail(cluster, "a request of %zu bytes has no sensible header", length_bytes);
        return false;
    }
    request->version = header.request_api_version;
    request->correlation_id = header.correlation_id;
    request->nth = cluster->request_counts[request->api->key]++;
    return true;
}

bool scripted_broker_answer(struct scripted_cluster *cluster, int32_t broker, const uint8_t *frame,
                            size_t length_bytes, int64_t t, struct scripted_answer *answer)
{
    struct scripted_request request = {.cluster = cluster, .broker = broker, .t = t};
    struct kw_reader reader;
    int16_t min_version = 0;
    int16_t max_version = 0;
    bool is_good = false;
    *answer = (struct scripted_answer){.frame = NULL};
    kw_reader_init(&reader, frame, length_bytes);
    kb_arena_reset(&cluster->passing);
    if (!read_header(cluster, &reader, length_bytes, &request)) {
        return false;
    }
    advertised(cluster, request.api, &min_version, &max_version);
    bool is_supported = request.version >= min_version && request.version <= max_version;
    if (!is_supported && request.api->key != KW_API_API_VERSIONS) {
        scripted_fail(cluster, "%s v%d, where this broker has %d to %d", request.api->name, request.version,
                      min_version, max_version);
        return false;
    }
    request.response = scripted_passing(cluster, 1, request.api->response->struct_size_bytes);
    kw_message_set_defaults(request.api->response, request.response);
    request.body = decode_body(&request, &reader);
    if (request.body != NULL) {
        apply_script(&request, answer);
        is_good =
            !serve(&request, is_supported) || encode(&request, is_supported ? request.version : 0, answer);
    }
    return is_good;
}
