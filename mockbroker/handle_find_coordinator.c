/* FindCoordinator. Kafka: KafkaApis.getCoordinator.
 *
 * There are no coordinators in this cluster yet, so every key is answered as by brokers that are still
 * creating
 * __consumer_offsets and __transaction_state: COORDINATOR_NOT_AVAILABLE, come again. */

#include "mockbroker/request.h"
#include "wire/errors.h"
#include "wire/message_structs.h"

static void describe(struct mb_request *request, struct kw_string key,
                     struct kw_find_coordinator_response_coordinator *out)
{
    int32_t injected = mb_strike_error(request, NULL, 0, -1);
    kw_find_coordinator_response_coordinator_init(out);
    out->key = key;
    out->node_id = -1;
    out->host = (struct kw_string){"", 0};
    out->port = -1;
    out->error_code = (int16_t)(injected != 0 ? injected : KW_ERROR_COORDINATOR_NOT_AVAILABLE);
}

void mb_handle_find_coordinator(struct mb_request *request)
{
    const struct kw_find_coordinator_request *asked = request->body;
    struct kw_find_coordinator_response response;
    struct kw_find_coordinator_response_coordinator only;
    kw_find_coordinator_response_init(&response);
    response.throttle_time_ms = request->throttle_ms;
    describe(request, asked->key, &only);
    if (request->version < 4) {
        const char *message = kw_error_message((enum kw_error)only.error_code);
        int32_t length = 0;
        while (message[length] != '\0') {
            length++;
        }
        response.error_code = only.error_code;
        response.error_message = (struct kw_string){message, length};
        response.node_id = only.node_id;
        response.host = only.host;
        response.port = only.port;
    } else {
        response.coordinators.count = asked->coordinator_keys.count;
        response.coordinators.items = mb_request_take(request, (size_t)asked->coordinator_keys.count,
                                                      sizeof *response.coordinators.items);
        for (int32_t i = 0; i < asked->coordinator_keys.count; i++) {
            describe(request, asked->coordinator_keys.items[i], &response.coordinators.items[i]);
        }
    }
    mb_request_respond(request, &response, only.error_code, NULL);
}
