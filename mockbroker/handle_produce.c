/* Produce. Kafka: KafkaApis.handleProduceRequest, ReplicaManager.appendRecords. */

#include "base/planted.h"
#include "mockbroker/broker.h"
#include "mockbroker/client_quota.h"
#include "mockbroker/connection.h"
#include "mockbroker/delayed_produce.h"
#include "mockbroker/partition.h"
#include "mockbroker/request.h"
#include "wire/message_structs.h"
#include "wire/record_batch.h"

#include <string.h>

/* Kafka: new PartitionResponse(error): no offset, no time, no start. */
static void refuse(struct kw_produce_response_partition *out, int32_t error)
{
    out->error_code = (int16_t)error;
    out->base_offset = -1;
    out->log_append_time_ms = -1;
    out->log_start_offset = -1;
}

static void announce(const struct mb_partition *partition, const struct mb_request *request,
                     const struct mb_append_result *result, enum kw_error error, int32_t length_bytes)
{
    struct kb_trace *trace = request->cluster->trace;
    const struct mb_topic_partition *tp = partition->tp;
    uint32_t id = (uint32_t)request->correlation_id;
    if (error != KW_ERROR_NONE) {
        KB_TRACE(trace, 0, APPEND_REFUSED, append_refused, .broker = request->broker->id,
                 .connection = request->connection->id, .request = id, .topic = tp->topic->trace_name,
                 .partition = tp->index, .error = error);
    } else if (result->is_duplicate) {
        KB_TRACE(trace, 0, APPEND_DUPLICATE, append_duplicate, .base_offset = result->base_offset,
                 .broker = request->broker->id, .connection = request->connection->id, .request = id,
                 .topic = tp->topic->trace_name, .partition = tp->index);
    } else {
        KB_TRACE(trace, 0, LEADER_APPENDED, leader_appended, .base_offset = result->base_offset,
                 .last_offset = result->last_offset, .broker = request->broker->id,
                 .connection = request->connection->id, .request = id, .topic = tp->topic->trace_name,
                 .partition = tp->index, .bytes = length_bytes);
    }
}

/* What did not even reach a log: only the topic's name is known. */
static void announce_refusal(const struct mb_request *request, struct kw_string name, int32_t index,
                             int32_t error)
{
    struct kb_trace *trace = request->cluster->trace;
    if (trace != NULL) {
        KB_TRACE(trace, 0, APPEND_REFUSED, append_refused, .broker = request->broker->id,
                 .connection = request->connection->id, .request = (uint32_t)request->correlation_id,
                 .topic = kb_trace_intern(trace, name.data, (size_t)name.length_bytes), .partition = index,
                 .error = error);
    }
}

/* v8 and later name every record that did not pass. Kafka: RecordValidationException, ProduceResponse. */
static void name_bad_records(struct mb_request *request, const struct mb_append_result *result,
                             struct kw_produce_response_partition *out)
{
    if (result->error_text == NULL) {
        return;
    }
    out->record_errors.count = (int32_t)result->record_error_count;
    out->record_errors.items =
        mb_request_take(request, result->record_error_count, sizeof *out->record_errors.items);
    for (uint32_t i = 0; i < result->record_error_count; i++) {
        const struct mb_record_error *error = &result->record_errors[i];
        struct kw_produce_response_record_error *bad = &out->record_errors.items[i];
        kw_produce_response_record_error_init(bad);
        bad->batch_index = error->batch_index;
        bad->batch_index_error_message = (struct kw_string){error->text, error->text_bytes};
    }
    out->error_message = (struct kw_string){result->error_text, (int32_t)strlen(result->error_text)};
}

/* Kafka: ReplicaManager.appendToLocalLog, for one partition. Returns the offset that acks=all waits for. */
static int64_t append(struct mb_request *request, struct mb_partition *partition, int16_t acks,
                      struct kw_bytes records, struct kw_produce_response_partition *out)
{
    struct mb_append_result result = {
        .base_offset = -1, .log_append_time_ms = -1, .log_start_offset = -1, .arena = &request->arena};
    enum kw_error error =
        mb_partition_append_as_leader(partition, acks, records.bytes, (size_t)records.length_bytes, &result);
    announce(partition, request, &result, error, records.length_bytes);
    out->error_code = (int16_t)error;
    out->base_offset = error == KW_ERROR_NONE ? result.base_offset : -1;
    out->log_append_time_ms = error == KW_ERROR_NONE ? result.log_append_time_ms : -1;
    out->log_start_offset = result.log_start_offset;
    name_bad_records(request, &result, out);
    if (result.is_duplicate && KB_PLANTED(DUPLICATE_NOT_WAITING)) {
        return -1;
    }
    return error == KW_ERROR_NONE ? result.last_offset + 1 : -1;
}

/* The checks before anything is appended. */
static int32_t check(struct mb_request *request, const struct kw_produce_request *asked,
                     struct kw_string name, const struct kw_produce_request_partition *in,
                     struct mb_topic_partition **tp)
{
    struct mb_topic *topic = mb_topic_find(request->cluster, name.data, name.length_bytes);
    *tp = topic == NULL ? NULL : mb_topic_partition_at(topic, in->index);
    if (*tp == NULL || mb_broker_knows(request->broker, *tp) == NULL) {
        return KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    }
    enum kw_error error = mb_records_validate(request->version, in->records.bytes, in->records.length_bytes);
    if (error != KW_ERROR_NONE) {
        return error;
    }
    if (asked->acks < -1 || asked->acks > 1) {
        return KW_ERROR_INVALID_REQUIRED_ACKS;
    }
    if ((*tp)->topic->kind != MB_TOPIC_OF_CLIENTS) {
        return KW_ERROR_INVALID_TOPIC_EXCEPTION; /* ReplicaManager.appendToLocalLog: not for clients */
    }
    /* ReplicaManager.getPartitionOrException: the metadata cache knows it, but it is not hosted here. */
    return mb_partition_online(request->broker, *tp) == NULL ? KW_ERROR_NOT_LEADER_OR_FOLLOWER
                                                             : KW_ERROR_NONE;
}

/* How far the appends of a request are: it may stop at a point between them and go on later. */
struct progress {
    struct kw_produce_response *response;
    struct mb_delayed_produce *delayed;
    int32_t error_of_all; /* nothing of it is carried out */
    int32_t topic;        /* the next one is responses.items[topic] */
    int32_t partition;    /* and of it partition_responses.items[partition] */
    enum { BEGINS, IS_CHECKED, IS_APPENDED } stage;
    int64_t required_offset;
};

/* What must hold before a batch is appended. False: it is answered. */
static bool admit(struct mb_request *request, const struct kw_produce_request *asked, struct kw_string name,
                  const struct kw_produce_request_partition *in, struct kw_produce_response_partition *out)
{
    struct mb_topic_partition *tp = NULL;
    int32_t injected = mb_strike_error(request, name.data, name.length_bytes, in->index);
    int32_t error =
        injected != 0 && !request->fault.appended ? injected : check(request, asked, name, in, &tp);
    if (error != KW_ERROR_NONE) {
        refuse(out, error);
        announce_refusal(request, name, in->index, error);
    }
    return error == KW_ERROR_NONE;
}

/* It is appended, or not; the error is in the answer. True: the log has a new batch. */
static bool append_partition(struct mb_request *request, struct progress *progress,
                             const struct kw_produce_request *asked, struct kw_string name,
                             const struct kw_produce_request_partition *in,
                             struct kw_produce_response_partition *out)
{
    const struct mb_topic *topic = mb_topic_find(request->cluster, name.data, name.length_bytes);
    struct mb_partition *partition =
        mb_partition_online(request->broker, mb_topic_partition_at(topic, in->index));
    int64_t old_end_offset = partition->log.end_offset;
    struct kw_bytes records = mb_faults_corrupt_produced(request, name, in->index, in->records);
    progress->required_offset = append(request, partition, asked->acks, records, out);
    int32_t injected = mb_strike_error(request, name.data, name.length_bytes, in->index);
    if (injected != 0) {
        out->error_code = (int16_t)injected;
    } else if (out->error_code == KW_ERROR_NONE && asked->acks == -1) {
        /* Kafka: DelayedProduce: the time-out is the outcome until a better one is known. */
        struct mb_delayed_produce *delayed = progress->delayed;
        delayed->waits[delayed->wait_count++] =
            (struct mb_produce_wait){.produce = delayed,
                                     .partition = partition,
                                     .status = out,
                                     .required_offset = progress->required_offset};
        out->error_code = KW_ERROR_REQUEST_TIMED_OUT;
    }
    return partition->log.end_offset != old_end_offset;
}

/* False: it stops at a point. */
static bool produce_partition(struct mb_request *request, struct progress *progress, struct kw_string name,
                              const struct kw_produce_request_partition *in,
                              struct kw_produce_response_partition *out)
{
    const struct kw_produce_request *asked = request->body;
    if (progress->stage == BEGINS) {
        kw_produce_response_partition_init(out);
        out->index = in->index;
        if (progress->error_of_all != KW_ERROR_NONE) {
            refuse(out, progress->error_of_all);
            announce_refusal(request, name, in->index, progress->error_of_all);
            return true;
        }
        if (!admit(request, asked, name, in, out)) {
            return true;
        }
        progress->stage = IS_CHECKED;
        if (mb_point_reached(request, MB_POINT_BEFORE_APPEND, name, in->index)) {
            return false;
        }
    }
    if (progress->stage == IS_CHECKED) {
        bool has_grown = append_partition(request, progress, asked, name, in, out);
        progress->stage = IS_APPENDED;
        if (has_grown && mb_point_reached(request, MB_POINT_AFTER_APPEND, name, in->index)) {
            return false;
        }
    }
    progress->stage = BEGINS;
    return true;
}

/* The first batch of some records; NULL: there is none. */
static const uint8_t *first_batch(struct kw_bytes records, enum kw_error *error)
{
    struct kw_record_batch_cursor cursor;
    const uint8_t *batch = NULL;
    uint32_t size_bytes = 0;
    *error = KW_ERROR_NONE;
    if (records.bytes == NULL) {
        return NULL;
    }
    kw_record_batch_cursor_init(&cursor, records.bytes, (size_t)records.length_bytes);
    if (kw_record_batch_next(&cursor, &batch, &size_bytes)) {
        return batch;
    }
    *error = cursor.error == KW_ERROR_CORRUPT_MESSAGE ? cursor.error : KW_ERROR_NONE;
    return NULL;
}

/* What is wrong with one partition's records so that nothing of the request is carried out: Kafka finds it
 * while it walks over all of them, and throws. */
static int32_t error_of_all(const struct mb_request *request, const struct kw_produce_request *asked,
                            const struct kw_produce_request_partition *in, bool *has_transactional)
{
    enum kw_error error;
    const uint8_t *batch = first_batch(in->records, &error);
    if (error != KW_ERROR_NONE && !*has_transactional) {
        return error; /* RequestUtils.hasTransactionalRecords stops at the first that it finds */
    }
    if (batch != NULL && kw_record_batch_is_transactional(batch)) {
        *has_transactional = true;
        if (asked->transactional_id.length_bytes < 0) {
            return KW_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
        }
    }
    /* ProduceRequest.validateRecords asks these versions for the compression: CompressionType.forId. */
    bool is_asked = request->version >= 3 && request->version < 7;
    return batch != NULL && is_asked && kw_record_batch_compression_id(batch) > KW_COMPRESSION_ZSTD
               ? KW_ERROR_UNKNOWN_SERVER_ERROR
               : KW_ERROR_NONE;
}

/* Kafka: KafkaApis.handleProduceRequest, what it throws before anything is appended. */
static int32_t check_all(const struct mb_request *request, const struct kw_produce_request *asked)
{
    bool has_transactional = false;
    for (int32_t i = 0; i < asked->topic_data.count; i++) {
        const struct kw_produce_request_topic *topic = &asked->topic_data.items[i];
        for (int32_t j = 0; j < topic->partition_data.count; j++) {
            int32_t error = error_of_all(request, asked, &topic->partition_data.items[j], &has_transactional);
            if (error != KW_ERROR_NONE) {
                return error;
            }
        }
    }
    return KW_ERROR_NONE;
}

static uint32_t partition_total(const struct kw_produce_request *asked)
{
    uint32_t total = 0;
    for (int32_t i = 0; i < asked->topic_data.count; i++) {
        total += (uint32_t)asked->topic_data.items[i].partition_data.count;
    }
    return total;
}

static int32_t first_error(const struct kw_produce_response *response)
{
    for (int32_t i = 0; i < response->responses.count; i++) {
        const struct kw_produce_response_topic *topic = &response->responses.items[i];
        for (int32_t j = 0; j < topic->partition_responses.count; j++) {
            if (topic->partition_responses.items[j].error_code != KW_ERROR_NONE) {
                return topic->partition_responses.items[j].error_code;
            }
        }
    }
    return KW_ERROR_NONE;
}

static void send(struct mb_request *request, const struct kw_produce_response *response)
{
    const struct kw_produce_request *asked = request->body;
    int32_t error = first_error(response);
    if (asked->acks != 0) {
        mb_request_respond(request, response, error, NULL);
        return;
    }
    /* acks=0 is never answered; an error ends the connection, so that the client asks for metadata.
     * Kafka: sendNoOpResponseExemptThrottle, requestChannel.closeConnection. */
    if ((error != KW_ERROR_NONE && !KB_PLANTED(ACKS_0_ERROR_IGNORED)) ||
        (request->fault.is_struck && request->fault.kind == MB_FAULT_DISCONNECT)) {
        mb_request_close_connection(request);
    } else {
        mb_request_finish(request);
    }
}

/* One batch after the other, and then wait for what has to be replicated. */
static void go_on(struct mb_request *request, struct progress *progress)
{
    const struct kw_produce_request *asked = request->body;
    for (; progress->topic < asked->topic_data.count; progress->topic++, progress->partition = 0) {
        const struct kw_produce_request_topic *in = &asked->topic_data.items[progress->topic];
        struct kw_produce_response_topic *out = &progress->response->responses.items[progress->topic];
        for (; progress->partition < in->partition_data.count; progress->partition++) {
            if (!produce_partition(request, progress, out->name,
                                   &in->partition_data.items[progress->partition],
                                   &out->partition_responses.items[progress->partition])) {
                return;
            }
        }
    }
    if (progress->error_of_all != KW_ERROR_NONE) {
        send(request,
             progress->response); /* an exception's answer: no quota but that of requests looks at it */
    } else {
        mb_delayed_produce_begin(progress->delayed, asked->timeout_ms);
    }
}

void mb_handle_produce(struct mb_request *request)
{
    const struct kw_produce_request *asked = request->body;
    struct kw_produce_response *response = mb_request_take(request, 1, sizeof *response);
    struct mb_delayed_produce *delayed = mb_request_take(request, 1, sizeof *delayed);
    struct progress *progress = mb_request_take(request, 1, sizeof *progress);
    kw_produce_response_init(response);
    response->throttle_time_ms = request->throttle_ms;
    response->responses.count = asked->topic_data.count;
    response->responses.items =
        mb_request_take(request, (size_t)asked->topic_data.count, sizeof *response->responses.items);
    *delayed = (struct mb_delayed_produce){.request = request, .response = response};
    delayed->waits = mb_request_take(request, partition_total(asked), sizeof *delayed->waits);
    *progress = (struct progress){
        .response = response, .delayed = delayed, .error_of_all = check_all(request, asked)};
    for (int32_t i = 0; i < asked->topic_data.count; i++) {
        struct kw_produce_request_topic *in = &asked->topic_data.items[i];
        struct kw_produce_response_topic *out = &response->responses.items[i];
        kw_produce_response_topic_init(out);
        out->name = mb_request_keep(request, in->name);
        in->name = out->name; /* faults ask for it even when the request was parked */
        out->partition_responses.count = in->partition_data.count;
        out->partition_responses.items = mb_request_take(request, (size_t)in->partition_data.count,
                                                         sizeof *out->partition_responses.items);
    }
    request->answer = progress;
    go_on(request, progress);
}

void mb_produce_resume(struct mb_request *request)
{
    struct progress *progress = request->answer;
    if (progress->topic < progress->response->responses.count) {
        go_on(request, progress);
    } else {
        mb_produce_respond(request, progress->response);
    }
}

/* The quota counts the whole request, header and all, when it is answered, acks=0 or not. Kafka:
 * KafkaApis.handleProduceRequest, sendResponseCallback. */
void mb_produce_respond(struct mb_request *request, struct kw_produce_response *response)
{
    int32_t throttle_ms = mb_quota_record(request, MB_QUOTA_PRODUCE, request->size_bytes);
    if (throttle_ms > request->throttle_ms) {
        request->throttle_ms = throttle_ms;
        response->throttle_time_ms = throttle_ms;
        mb_quota_throttle(request, MB_QUOTA_PRODUCE, throttle_ms);
    }
    send(request, response);
}
