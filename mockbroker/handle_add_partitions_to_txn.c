/* AddPartitionsToTxn. Kafka: KafkaApis.handleAddPartitionToTxnRequest. */

#include "mockbroker/broker.h"
#include "mockbroker/request.h"
#include "mockbroker/transaction_coordinator.h"
#include "wire/message_structs.h"

/* Of every partition that has no error of its own yet. */
static void answer(struct mb_request *request, enum kw_error error, int64_t producer_id,
                   int16_t producer_epoch)
{
    (void)producer_id;
    (void)producer_epoch;
    struct kw_add_partitions_to_txn_response *response = request->answer;
    /* Older clients do not know PRODUCER_FENCED. */
    bool is_old = request->version < 2 && error == KW_ERROR_PRODUCER_FENCED;
    int32_t code = is_old ? KW_ERROR_INVALID_PRODUCER_EPOCH : (int32_t)error;
    for (int32_t i = 0; i < response->results.count; i++) {
        struct kw_add_partitions_to_txn_response_topic *topic = &response->results.items[i];
        for (int32_t j = 0; j < topic->results.count; j++) {
            struct kw_add_partitions_to_txn_response_partition *result = &topic->results.items[j];
            int32_t injected =
                mb_strike_error(request, topic->name.data, topic->name.length_bytes, result->partition_index);
            if (result->error_code == KW_ERROR_NONE) {
                result->error_code = (int16_t)(injected != 0 ? injected : code);
            }
            code = code != KW_ERROR_NONE ? code : result->error_code;
        }
    }
    mb_request_respond(request, response, code, NULL);
}

/* The partition, if the broker knows it and clients may write to it: no internal topic, there or not. Kafka:
 * KafkaApis.handleAddPartitionToTxnRequest. */
static struct mb_topic_partition *find(const struct mb_request *request, struct kw_string name, int32_t index,
                                       int32_t *error)
{
    const struct mb_topic *topic = mb_topic_find(request->cluster, name.data, name.length_bytes);
    struct mb_topic_partition *tp = topic == NULL ? NULL : mb_topic_partition_at(topic, index);
    *error = KW_ERROR_NONE;
    if (mb_topic_kind_of(name.data, name.length_bytes) != MB_TOPIC_OF_CLIENTS) {
        *error = KW_ERROR_TOPIC_AUTHORIZATION_FAILED;
    } else if (tp == NULL || mb_broker_knows(request->broker, tp) == NULL) {
        *error = KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    }
    return tp;
}

/* The answer with the errors that are known beforehand; returns whether there are any. */
static bool prepare(struct mb_request *request, const struct kw_add_partitions_to_txn_request *asked,
                    struct mb_topic_partition **tps, uint32_t *count)
{
    struct kw_add_partitions_to_txn_response *response = mb_request_take(request, 1, sizeof *response);
    bool has_errors = false;
    kw_add_partitions_to_txn_response_init(response);
    request->answer = response;
    response->throttle_time_ms = request->throttle_ms;
    response->results.count = asked->topics.count;
    response->results.items =
        mb_request_take(request, (size_t)asked->topics.count, sizeof *response->results.items);
    for (int32_t i = 0; i < asked->topics.count; i++) {
        const struct kw_add_partitions_to_txn_request_topic *in = &asked->topics.items[i];
        struct kw_add_partitions_to_txn_response_topic *out = &response->results.items[i];
        kw_add_partitions_to_txn_response_topic_init(out);
        out->name = mb_request_keep(request, in->name);
        out->results.count = in->partitions.count;
        out->results.items =
            mb_request_take(request, (size_t)in->partitions.count, sizeof *out->results.items);
        for (int32_t j = 0; j < in->partitions.count; j++) {
            int32_t error;
            struct kw_add_partitions_to_txn_response_partition *result = &out->results.items[j];
            kw_add_partitions_to_txn_response_partition_init(result);
            result->partition_index = in->partitions.items[j];
            tps[(*count)++] = find(request, in->name, in->partitions.items[j], &error);
            result->error_code = (int16_t)error;
            has_errors = has_errors || error != KW_ERROR_NONE;
        }
    }
    return has_errors;
}

void mb_handle_add_partitions_to_txn(struct mb_request *request)
{
    const struct kw_add_partitions_to_txn_request *asked = request->body;
    uint32_t total = 0;
    uint32_t count = 0;
    for (int32_t i = 0; i < asked->topics.count; i++) {
        total += (uint32_t)asked->topics.items[i].partitions.count;
    }
    struct mb_topic_partition **tps = mb_request_take(request, total, sizeof(struct mb_topic_partition *));
    if (prepare(request, asked, tps, &count)) {
        /* One that cannot be added keeps the others out, too. */
        answer(request, KW_ERROR_OPERATION_NOT_ATTEMPTED, 0, 0);
        return;
    }
    if (mb_strike_error(request, NULL, 0, -1) != 0 && !request->fault.appended) {
        answer(request, KW_ERROR_NONE, 0, 0);
        return;
    }
    struct mb_txn_who who = {
        .id = asked->transactional_id.data,
        .id_length_bytes = asked->transactional_id.length_bytes,
        .producer_id = asked->producer_id,
        .producer_epoch = asked->producer_epoch,
    };
    mb_txn_add_partitions(request, &who, tps, count, answer);
}
