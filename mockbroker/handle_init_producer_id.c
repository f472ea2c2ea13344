/* InitProducerId for idempotent producers. Kafka: KafkaApis.handleInitProducerIdRequest,
 * TransactionCoordinator.handleInitProducerId, ZkProducerIdManager.
 *
 * Each broker takes blocks of 1000 ids from the controller, the first in the order in which the brokers
 * started: broker 1's first producer gets 0, broker 2's 1000. */

#include "mockbroker/request.h"
#include "wire/errors.h"
#include "wire/message_structs.h"
#include "wire/record_batch.h"

enum { BLOCK_SIZE = 1000 };

static int64_t next_producer_id(struct mb_broker *broker)
{
    if (broker->next_producer_id == broker->producer_ids_end) {
        broker->next_producer_id = mb_controller_take_producer_ids(broker->cluster);
        broker->producer_ids_end = broker->next_producer_id + BLOCK_SIZE;
    }
    return broker->next_producer_id++;
}

/* Both of producer id and epoch are there, or none. */
static bool is_consistent(const struct kw_init_producer_id_request *asked)
{
    return (asked->producer_id == KW_NO_PRODUCER_ID) == (asked->producer_epoch == KW_NO_PRODUCER_EPOCH);
}

static int32_t find_error(struct mb_request *request, const struct kw_init_producer_id_request *asked)
{
    int32_t injected = mb_strike_error(request, NULL, 0, -1);
    if (injected != 0) {
        return injected;
    }
    if (!is_consistent(asked)) {
        return KW_ERROR_INVALID_REQUEST;
    }
    if (asked->transactional_id.length_bytes == 0) {
        return KW_ERROR_INVALID_REQUEST; /* TransactionCoordinator: an empty one is invalid */
    }
    /* There is no transaction coordinator here. */
    return asked->transactional_id.length_bytes > 0 ? KW_ERROR_COORDINATOR_NOT_AVAILABLE : KW_ERROR_NONE;
}

void mb_handle_init_producer_id(struct mb_request *request)
{
    const struct kw_init_producer_id_request *asked = request->body;
    struct kw_init_producer_id_response response;
    kw_init_producer_id_response_init(&response);
    response.throttle_time_ms = request->throttle_ms;
    response.error_code = (int16_t)find_error(request, asked);
    response.producer_id = KW_NO_PRODUCER_ID;
    response.producer_epoch = KW_NO_PRODUCER_EPOCH;
    if (response.error_code == KW_ERROR_NONE) {
        response.producer_id = next_producer_id(request->broker);
        response.producer_epoch = 0;
    }
    mb_request_respond(request, &response, response.error_code, NULL);
}
