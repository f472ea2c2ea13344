/* InitProducerId. Kafka: KafkaApis.handleInitProducerIdRequest.
 *
 * Each broker takes blocks of 1000 ids from the controller, the first in the order in which the brokers
 * started: broker 1's first producer gets 0, broker 2's 1000. */

#include "mockbroker/request.h"
#include "mockbroker/transaction_coordinator.h"
#include "wire/errors.h"
#include "wire/message_structs.h"
#include "wire/record_batch.h"

static void answer(struct mb_request *request, enum kw_error error, int64_t producer_id,
                   int16_t producer_epoch)
{
    struct kw_init_producer_id_response response;
    int32_t injected = mb_strike_error(request, NULL, 0, -1);
    kw_init_producer_id_response_init(&response);
    response.throttle_time_ms = request->throttle_ms;
    /* Older clients do not know PRODUCER_FENCED. */
    bool is_old = request->version < 4 && error == KW_ERROR_PRODUCER_FENCED;
    response.error_code = (int16_t)(injected != 0 ? injected
                                    : is_old      ? KW_ERROR_INVALID_PRODUCER_EPOCH
                                                  : (int32_t)error);
    response.producer_id = response.error_code == KW_ERROR_NONE ? producer_id : KW_NO_PRODUCER_ID;
    response.producer_epoch = response.error_code == KW_ERROR_NONE ? producer_epoch : KW_NO_PRODUCER_EPOCH;
    mb_request_respond(request, &response, response.error_code, NULL);
}

/* Both of producer id and epoch are there, or none. */
static bool is_consistent(const struct kw_init_producer_id_request *asked)
{
    return (asked->producer_id == KW_NO_PRODUCER_ID) == (asked->producer_epoch == KW_NO_PRODUCER_EPOCH);
}

void mb_handle_init_producer_id(struct mb_request *request)
{
    const struct kw_init_producer_id_request *asked = request->body;
    if (mb_strike_error(request, NULL, 0, -1) != 0 && !request->fault.appended) {
        answer(request, KW_ERROR_NONE, KW_NO_PRODUCER_ID, KW_NO_PRODUCER_EPOCH);
    } else if (!is_consistent(asked)) {
        answer(request, KW_ERROR_INVALID_REQUEST, KW_NO_PRODUCER_ID, KW_NO_PRODUCER_EPOCH);
    } else if (asked->transactional_id.length_bytes < 0) {
        answer(request, KW_ERROR_NONE, mb_next_producer_id(request->broker), 0);
    } else {
        struct mb_init_producer_id init = {
            .id = asked->transactional_id.data,
            .id_length_bytes = asked->transactional_id.length_bytes,
            .timeout_ms = asked->transaction_timeout_ms,
            .producer_id = asked->producer_id,
            .producer_epoch = asked->producer_epoch,
        };
        mb_txn_init_producer_id(request, &init, answer);
    }
}
