#include "golden_trace.h"

#include "wire/api_frame.h"
#include "wire/record_batch.h"
#include "wire/record_batch_reader.h"

#include <string.h>

enum { NAME_BYTES = 300 };

static void add_string(cJSON *parent, const char *name, struct kw_string string)
{
    char text[NAME_BYTES];
    if (string.length_bytes < 0) {
        json_add_text(parent, name, NULL);
        return;
    }
    (void)snprintf(text, sizeof text, "%.*s", (int)string.length_bytes,
                   string.length_bytes > 0 ? string.data : "");
    json_add_text(parent, name, text);
}

/* "topic-partition" */
static const char *partition_name(struct kw_string topic, int32_t partition, char text[NAME_BYTES])
{
    (void)snprintf(text, NAME_BYTES, "%.*s-%d", (int)topic.length_bytes, topic.data, partition);
    return text;
}

static bool is_text(struct kw_string string, const char *text)
{
    return string.length_bytes >= 0 && strlen(text) == (size_t)string.length_bytes &&
           memcmp(string.data, text, (size_t)string.length_bytes) == 0;
}

/* --- Produce requests */

static bool is_same(struct kw_bytes written, struct kp_bytes sent)
{
    int32_t length_bytes = kw_bytes_encoded_length(written);
    return length_bytes == sent.length_bytes &&
           (length_bytes <= 0 || memcmp(written.bytes, sent.data, (size_t)length_bytes) == 0);
}

static bool is_what_was_sent(const struct kw_record *record, const struct trace_send *send)
{
    struct kw_record_header header;
    struct kw_bytes left = record->headers;
    bool is_good = is_same(record->key, send->record.key) && is_same(record->value, send->record.value) &&
                   record->timestamp_ms == send->timestamp_ms &&
                   record->header_count == (int32_t)send->record.header_count;
    for (uint32_t i = 0; is_good && i < send->record.header_count; i++) {
        is_good = kw_record_header_next(&left, &header) && is_same(header.key, send->record.headers[i].key) &&
                  is_same(header.value, send->record.headers[i].value);
    }
    return is_good;
}

/* The records of the batch are those that it says it has. */
static void check_records(struct trace_run *run, const uint8_t *batch, size_t size_bytes,
                          const struct kp_request_batch *told)
{
    struct kw_record_reader reader;
    struct kw_record record;
    uint32_t count = 0;
    kw_record_reader_init(&reader, batch, batch + KW_RECORD_BATCH_RECORDS,
                          size_bytes - KW_RECORD_BATCH_RECORDS);
    while (count < told->record_count && kw_record_reader_next(&reader, &record)) {
        uint32_t id = told->record_ids[count++];
        if (id >= run->send_count || !is_what_was_sent(&record, &run->sends[id])) {
            trace_fail(run, "record %u of a batch of %s-%d is not what send %u sent", count - 1, told->topic,
                       told->partition, id);
        }
    }
    if (reader.error != KW_ERROR_NONE || count != told->record_count ||
        kw_record_batch_record_count(batch) != (int32_t)told->record_count) {
        trace_fail(run, "a batch of %s-%d does not hold the %u records that it should", told->topic,
                   told->partition, told->record_count);
    }
}

static void add_sends(cJSON *event, const struct kp_request_batch *told)
{
    bool is_consecutive = true;
    for (uint32_t i = 0; i < told->record_count; i++) {
        is_consecutive = is_consecutive && told->record_ids[i] == told->record_ids[0] + i;
    }
    json_add_integer(event, "first_send", told->record_count > 0 ? (int64_t)told->record_ids[0] : -1);
    json_add_integer(event, "count", told->record_count);
    if (!is_consecutive) {
        cJSON *sends = cJSON_AddArrayToObject(event, "sends");
        for (uint32_t i = 0; i < told->record_count; i++) {
            json_add_integer(sends, NULL, told->record_ids[i]);
        }
    }
}

/* What the header of the batch says, and who is in it, which only the action says. */
static void describe_batch(struct trace_run *run, struct kw_string topic,
                           const struct kw_produce_request_partition *data,
                           const struct kp_request_batch *told, cJSON *batches)
{
    const uint8_t *batch = data->records.bytes;
    cJSON *event = cJSON_CreateObject();
    json_add(batches, NULL, event);
    add_string(event, "topic", topic);
    json_add_integer(event, "partition", data->index);
    if (batch == NULL || data->records.length_bytes < KW_RECORD_BATCH_OVERHEAD_BYTES) {
        trace_fail(run, "a Produce request without a batch");
        return;
    }
    if (told == NULL || !is_text(topic, told->topic) || told->partition != data->index) {
        trace_fail(run, "the action of a Produce request tells other batches than the request holds");
        return;
    }
    add_sends(event, told);
    json_add_integer(event, "size", data->records.length_bytes);
    json_add_integer(event, "attempt", told->attempt);
    json_add_integer(event, "producer_id", kw_record_batch_producer_id(batch));
    json_add_integer(event, "epoch", kw_record_batch_producer_epoch(batch));
    json_add_integer(event, "base_sequence", kw_record_batch_base_sequence(batch));
    if (kw_record_batch_is_transactional(batch)) {
        json_add_bool(event, "transactional", true);
    }
    if (told->size_bytes != data->records.length_bytes ||
        told->producer_id != kw_record_batch_producer_id(batch) ||
        told->producer_epoch != kw_record_batch_producer_epoch(batch) ||
        told->base_sequence != kw_record_batch_base_sequence(batch) ||
        told->transactional != kw_record_batch_is_transactional(batch)) {
        trace_fail(run, "the action of a Produce request tells another header of the batch of %s-%d",
                   told->topic, told->partition);
    }
    check_records(run, batch, (size_t)data->records.length_bytes, told);
}

static void describe_produce(struct trace_run *run, const struct kp_action *action,
                             const struct kw_produce_request *body, cJSON *event)
{
    uint32_t told = 0;
    if (body->transactional_id.length_bytes >= 0) {
        add_string(event, "transactional_id", body->transactional_id);
    }
    json_add_integer(event, "acks", body->acks);
    json_add_integer(event, "timeout_ms", body->timeout_ms);
    cJSON *batches = cJSON_AddArrayToObject(event, "batches");
    for (int32_t i = 0; i < body->topic_data.count; i++) {
        const struct kw_produce_request_topic *topic = &body->topic_data.items[i];
        for (int32_t p = 0; p < topic->partition_data.count; p++, told++) {
            describe_batch(run, topic->name, &topic->partition_data.items[p],
                           told < action->batch_count ? &action->batches[told] : NULL, batches);
        }
    }
    if (told != action->batch_count || action->acks != body->acks || action->timeout_ms != body->timeout_ms) {
        trace_fail(run, "the action of a Produce request tells another acks, time-out or number of batches");
    }
}

/* --- Other requests */

static void describe_metadata_request(const struct kw_metadata_request *body, cJSON *event)
{
    cJSON *topics = cJSON_AddArrayToObject(event, "topics");
    for (int32_t i = 0; i < body->topics.count; i++) {
        add_string(topics, NULL, body->topics.items[i].name);
    }
}

static void describe_find_coordinator_request(const struct kw_find_coordinator_request *body, cJSON *event)
{
    add_string(event, "key", body->coordinator_keys.count > 0 ? body->coordinator_keys.items[0] : body->key);
    json_add_integer(event, "key_type", body->key_type);
}

static void describe_init_producer_id_request(const struct kw_init_producer_id_request *body, cJSON *event)
{
    add_string(event, "transactional_id", body->transactional_id);
    json_add_integer(event, "transaction_timeout_ms", body->transaction_timeout_ms);
    json_add_integer(event, "producer_id", body->producer_id);
    json_add_integer(event, "epoch", body->producer_epoch);
}

static void describe_add_partitions_request(const struct kw_add_partitions_to_txn_request *body, cJSON *event)
{
    char name[NAME_BYTES];
    cJSON *partitions = cJSON_AddArrayToObject(event, "partitions");
    for (int32_t i = 0; i < body->topics.count; i++) {
        const struct kw_add_partitions_to_txn_request_topic *topic = &body->topics.items[i];
        for (int32_t p = 0; p < topic->partitions.count; p++) {
            json_add_text(partitions, NULL, partition_name(topic->name, topic->partitions.items[p], name));
        }
    }
    json_add_integer(event, "producer_id", body->producer_id);
    json_add_integer(event, "epoch", body->producer_epoch);
}

static void describe_end_txn_request(const struct kw_end_txn_request *body, cJSON *event)
{
    json_add_bool(event, "committed", body->committed);
    json_add_integer(event, "producer_id", body->producer_id);
    json_add_integer(event, "epoch", body->producer_epoch);
}

static void describe_body(struct trace_run *run, const struct kp_action *action, const void *body,
                          cJSON *event)
{
    switch (action->api) {
    case KW_API_PRODUCE:
        describe_produce(run, action, body, event);
        break;
    case KW_API_METADATA:
        describe_metadata_request(body, event);
        break;
    case KW_API_FIND_COORDINATOR:
        describe_find_coordinator_request(body, event);
        break;
    case KW_API_INIT_PRODUCER_ID:
        describe_init_producer_id_request(body, event);
        break;
    case KW_API_ADD_PARTITIONS_TO_TXN:
        describe_add_partitions_request(body, event);
        break;
    case KW_API_ADD_OFFSETS_TO_TXN:
        add_string(event, "group_id", ((const struct kw_add_offsets_to_txn_request *)body)->group_id);
        break;
    case KW_API_TXN_OFFSET_COMMIT:
        add_string(event, "group_id", ((const struct kw_txn_offset_commit_request *)body)->group_id);
        break;
    case KW_API_END_TXN:
        describe_end_txn_request(body, event);
        break;
    default:
        break;
    }
}

/* The struct of a message, in the run's arena; NULL with a failure. */
static void *decode(struct trace_run *run, const struct kw_schema *schema, int16_t version,
                    struct kw_reader *reader)
{
    struct kw_message_error error;
    char why[KW_MESSAGE_ERROR_TEXT_MAX_BYTES];
    void *body = schema != NULL ? kb_arena_allocate_zeroed(&run->arena, 1, schema->struct_size_bytes) : NULL;
    if (body == NULL) {
        trace_fail(run, "a message without a schema");
        return NULL;
    }
    if (kw_message_decode(schema, version, reader, &run->arena, body, &error) != KW_MESSAGE_OK) {
        kw_message_error_text(&error, why, sizeof why);
        trace_fail(run, "%s v%d cannot be read: %s", schema->name, version, why);
        return NULL;
    }
    return body;
}

void trace_describe_request(struct trace_run *run, const struct kp_action *action, const uint8_t *frame,
                            size_t length_bytes, cJSON *event)
{
    struct kw_request_header header;
    struct kw_reader reader;
    const struct kw_api *api = NULL;
    kw_reader_init(&reader, frame, length_bytes);
    if (kw_request_header_decode(&reader, &header, &api, NULL) != KW_MESSAGE_OK || api->key != action->api ||
        header.request_api_version != action->version || (uint32_t)header.correlation_id != action->request) {
        trace_fail(run, "the header of request %u says something else than its action", action->request);
        return;
    }
    const void *body = decode(run, api->request, header.request_api_version, &reader);
    if (body != NULL) {
        describe_body(run, action, body, event);
    }
    if (run->has_frames) {
        json_add_hex(event, "frame_hex", frame, length_bytes);
    }
}

/* --- Responses */

static void describe_record_errors(const struct kw_produce_response_partition *partition, cJSON *event)
{
    if (partition->record_errors.count <= 0) {
        return;
    }
    cJSON *list = cJSON_AddArrayToObject(event, "record_errors");
    for (int32_t i = 0; i < partition->record_errors.count; i++) {
        cJSON *pair = cJSON_CreateArray();
        json_add(list, NULL, pair);
        json_add_integer(pair, NULL, partition->record_errors.items[i].batch_index);
        add_string(pair, NULL, partition->record_errors.items[i].batch_index_error_message);
    }
}

/* What is told of a partition only where it is not as usual. */
static void describe_unusual(const struct kw_produce_response_partition *partition, cJSON *event)
{
    if (partition->log_start_offset != (partition->error_code == 0 ? 0 : -1)) {
        json_add_integer(event, "log_start_offset", partition->log_start_offset);
    }
    if (partition->log_append_time_ms >= 0) {
        json_add_integer(event, "log_append_time", partition->log_append_time_ms);
    }
    if (partition->error_message.length_bytes >= 0) {
        add_string(event, "error_message", partition->error_message);
    }
    describe_record_errors(partition, event);
}

static void describe_produce_response(const struct kw_produce_response *body, cJSON *event)
{
    char name[NAME_BYTES];
    cJSON *errors = cJSON_AddObjectToObject(event, "errors");
    cJSON *offsets = cJSON_AddObjectToObject(event, "offsets");
    for (int32_t i = 0; i < body->responses.count; i++) {
        const struct kw_produce_response_topic *topic = &body->responses.items[i];
        for (int32_t p = 0; p < topic->partition_responses.count; p++) {
            const struct kw_produce_response_partition *partition = &topic->partition_responses.items[p];
            (void)partition_name(topic->name, partition->index, name);
            json_add_integer(errors, name, partition->error_code);
            json_add_integer(offsets, name, partition->base_offset);
            describe_unusual(partition, event);
        }
    }
    if (body->throttle_time_ms != 0) {
        json_add_integer(event, "throttle_ms", body->throttle_time_ms);
    }
}

static void describe_metadata_response(struct trace_run *run, const struct kw_metadata_response *body,
                                       cJSON *event)
{
    char name[NAME_BYTES];
    cJSON *errors = cJSON_AddObjectToObject(event, "errors");
    cJSON *leaders = cJSON_AddObjectToObject(event, "leaders");
    for (int32_t i = 0; i < body->topics.count; i++) {
        const struct kw_metadata_response_topic *topic = &body->topics.items[i];
        (void)snprintf(name, sizeof name, "%.*s", (int)topic->name.length_bytes, topic->name.data);
        json_add_integer(errors, name, topic->error_code);
        for (int32_t p = 0; p < topic->partitions.count; p++) {
            (void)partition_name(topic->name, topic->partitions.items[p].partition_index, name);
            json_add_integer(leaders, name, topic->partitions.items[p].leader_id);
        }
    }
    trace_learn_metadata(run, body);
}

static void describe_find_coordinator_response(const struct kw_find_coordinator_response *body, cJSON *event)
{
    bool has_list = body->coordinators.count > 0;
    json_add_integer(event, "error", has_list ? body->coordinators.items[0].error_code : body->error_code);
    json_add_integer(event, "coordinator", has_list ? body->coordinators.items[0].node_id : body->node_id);
}

static void describe_init_producer_id_response(const struct kw_init_producer_id_response *body, cJSON *event)
{
    json_add_integer(event, "error", body->error_code);
    json_add_integer(event, "producer_id", body->producer_id);
    json_add_integer(event, "epoch", body->producer_epoch);
}

static void describe_add_partitions_response(const struct kw_add_partitions_to_txn_response *body,
                                             cJSON *event)
{
    char name[NAME_BYTES];
    cJSON *errors = cJSON_AddObjectToObject(event, "errors");
    for (int32_t i = 0; i < body->results.count; i++) {
        const struct kw_add_partitions_to_txn_response_topic *topic = &body->results.items[i];
        for (int32_t p = 0; p < topic->results.count; p++) {
            json_add_integer(errors,
                             partition_name(topic->name, topic->results.items[p].partition_index, name),
                             topic->results.items[p].error_code);
        }
    }
}

static int16_t txn_offset_commit_error(const struct kw_txn_offset_commit_response *body)
{
    return body->topics.count > 0 && body->topics.items[0].partitions.count > 0
               ? body->topics.items[0].partitions.items[0].error_code
               : 0;
}

static void describe_response_body(struct trace_run *run, const struct kw_api *api, const void *body,
                                   cJSON *event)
{
    switch (api->key) {
    case KW_API_PRODUCE:
        describe_produce_response(body, event);
        break;
    case KW_API_METADATA:
        describe_metadata_response(run, body, event);
        break;
    case KW_API_API_VERSIONS:
        if (((const struct kw_api_versions_response *)body)->error_code != 0) {
            json_add_integer(event, "error", ((const struct kw_api_versions_response *)body)->error_code);
        }
        break;
    case KW_API_FIND_COORDINATOR:
        describe_find_coordinator_response(body, event);
        break;
    case KW_API_INIT_PRODUCER_ID:
        describe_init_producer_id_response(body, event);
        break;
    case KW_API_ADD_PARTITIONS_TO_TXN:
        describe_add_partitions_response(body, event);
        break;
    case KW_API_ADD_OFFSETS_TO_TXN:
        json_add_integer(event, "error", ((const struct kw_add_offsets_to_txn_response *)body)->error_code);
        break;
    case KW_API_END_TXN:
        json_add_integer(event, "error", ((const struct kw_end_txn_response *)body)->error_code);
        break;
    case KW_API_TXN_OFFSET_COMMIT:
        json_add_integer(event, "error", txn_offset_commit_error(body));
        break;
    default:
        break;
    }
}

void trace_describe_response(struct trace_run *run, const struct trace_request *request, const uint8_t *frame,
                             size_t length_bytes, cJSON *event)
{
    struct kw_response_header header;
    struct kw_reader reader;
    int16_t version = request->version;
    kw_reader_init(&reader, frame, length_bytes);
    if (kw_response_header_decode(request->api, version, &reader, &header, NULL) != KW_MESSAGE_OK ||
        header.correlation_id != request->correlation_id) {
        trace_fail(run, "the response to request %d has another header", request->correlation_id);
        return;
    }
    /* A broker that does not speak the version answers in version 0; the error code comes first in all. */
    if (request->api->key == KW_API_API_VERSIONS && kw_reader_remaining_bytes(&reader) >= sizeof(int16_t) &&
        kw_load_i16(reader.bytes + reader.position_bytes) == KW_ERROR_UNSUPPORTED_VERSION) {
        version = 0;
    }
    const void *body = decode(run, request->api->response, version, &reader);
    if (body != NULL) {
        describe_response_body(run, request->api, body, event);
    }
    if (run->has_frames) {
        json_add_hex(event, "frame_hex", frame, length_bytes);
    }
}
