/* AddOffsetsToTxn: the group's partition of __consumer_offsets joins the transaction.
 * Kafka: KafkaApis.handleAddOffsetsToTxnRequest. */

#include "mockbroker/coordinator.h"
#include "mockbroker/request.h"
#include "mockbroker/transaction_coordinator.h"
#include "wire/message_structs.h"

static void answer(struct mb_request *request, enum kw_error error, int64_t producer_id,
                   int16_t producer_epoch)
{
    (void)producer_id;
    (void)producer_epoch;
    struct kw_add_offsets_to_txn_response response;
    int32_t injected = mb_strike_error(request, NULL, 0, -1);
    bool is_old = request->version < 2 && error == KW_ERROR_PRODUCER_FENCED;
    kw_add_offsets_to_txn_response_init(&response);
    response.throttle_time_ms = request->throttle_ms;
    response.error_code = (int16_t)(injected != 0 ? injected
                                    : is_old      ? KW_ERROR_INVALID_PRODUCER_EPOCH
                                                  : (int32_t)error);
    mb_request_respond(request, &response, response.error_code, NULL);
}

void mb_handle_add_offsets_to_txn(struct mb_request *request)
{
    const struct kw_add_offsets_to_txn_request *asked = request->body;
    if (mb_strike_error(request, NULL, 0, -1) != 0 && !request->fault.appended) {
        answer(request, KW_ERROR_NONE, 0, 0);
        return;
    }
    struct mb_topic_partition *tp = mb_coordinator_partition_of(
        request->cluster, MB_TOPIC_CONSUMER_OFFSETS, asked->group_id.data, asked->group_id.length_bytes);
    if (tp == NULL) {
        /* Nobody has looked for the group's coordinator yet. In Kafka the partition is counted by the setting
         * and the marker waits for its leader; here the topic is created first. */
        mb_coordinator_create_topic(request->broker, MB_TOPIC_CONSUMER_OFFSETS);
        answer(request, KW_ERROR_COORDINATOR_NOT_AVAILABLE, 0, 0);
        return;
    }
    struct mb_txn_who who = {
        .id = asked->transactional_id.data,
        .id_length_bytes = asked->transactional_id.length_bytes,
        .producer_id = asked->producer_id,
        .producer_epoch = asked->producer_epoch,
    };
    mb_txn_add_partitions(request, &who, &tp, 1, answer);
}
