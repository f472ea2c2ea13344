/* FindCoordinator. Kafka: KafkaApis.getCoordinator. */

#include "mockbroker/broker.h"
#include "mockbroker/coordinator.h"
#include "mockbroker/request.h"
#include "wire/errors.h"
#include "wire/message_structs.h"

#include <string.h>

enum { KEY_GROUP = 0, KEY_TRANSACTION = 1 };

/* Who leads the key's partition, as far as this broker knows. The first client that asks has the topic
 * created, and comes again. */
static enum kw_error find(struct mb_request *request, int8_t key_type, struct kw_string key,
                          const struct mb_broker **coordinator)
{
    struct mb_broker *broker = request->broker;
    if (key_type != KEY_GROUP && key_type != KEY_TRANSACTION) {
        return KW_ERROR_INVALID_REQUEST;
    }
    enum mb_topic_kind kind = key_type == KEY_GROUP ? MB_TOPIC_CONSUMER_OFFSETS : MB_TOPIC_TRANSACTION_STATE;
    const struct mb_topic_partition *tp =
        mb_coordinator_partition_of(request->cluster, kind, key.data, key.length_bytes);
    const struct mb_partition_state *state = tp == NULL ? NULL : mb_broker_knows(broker, tp);
    if (tp == NULL) {
        mb_coordinator_create_topic(broker, kind);
    }
    if (state == NULL || state->leader < 0 || !broker->alive[state->leader]) {
        return KW_ERROR_COORDINATOR_NOT_AVAILABLE;
    }
    *coordinator = &request->cluster->brokers[state->leader];
    return KW_ERROR_NONE;
}

static void describe(struct mb_request *request, int8_t key_type, struct kw_string key,
                     struct kw_find_coordinator_response_coordinator *out)
{
    const struct mb_broker *coordinator = NULL;
    int32_t injected = mb_strike_error(request, NULL, 0, -1);
    int32_t error = injected != 0 ? injected : (int32_t)find(request, key_type, key, &coordinator);
    kw_find_coordinator_response_coordinator_init(out);
    out->key = key;
    out->error_code = (int16_t)error;
    /* Kafka: Errors.NONE.message(); since version 4 only what is wrong with the whole request has a text. */
    const char *message = error == KW_ERROR_NONE ? "NONE" : kw_error_message((enum kw_error)error);
    if (request->version >= 4 && error != KW_ERROR_INVALID_REQUEST) {
        message = "";
    }
    out->error_message = (struct kw_string){message, (int32_t)strlen(message)};
    if (error == KW_ERROR_NONE) {
        out->node_id = coordinator->id;
        out->host = (struct kw_string){coordinator->host, (int32_t)coordinator->host_bytes - 1};
        out->port = coordinator->port;
    } else {
        out->node_id = -1;
        out->host = (struct kw_string){"", 0};
        out->port = -1;
    }
}

void mb_handle_find_coordinator(struct mb_request *request)
{
    const struct kw_find_coordinator_request *asked = request->body;
    struct kw_find_coordinator_response response;
    int32_t error = KW_ERROR_NONE;
    kw_find_coordinator_response_init(&response);
    response.throttle_time_ms = request->throttle_ms;
    if (request->version < 4) {
        struct kw_find_coordinator_response_coordinator only;
        describe(request, asked->key_type, asked->key, &only);
        response.error_code = only.error_code;
        response.error_message = only.error_message;
        response.node_id = only.node_id;
        response.host = only.host;
        response.port = only.port;
        error = only.error_code;
    } else {
        response.coordinators.count = asked->coordinator_keys.count;
        response.coordinators.items = mb_request_take(request, (size_t)asked->coordinator_keys.count,
                                                      sizeof *response.coordinators.items);
        for (int32_t i = 0; i < asked->coordinator_keys.count; i++) {
            struct kw_find_coordinator_response_coordinator *out = &response.coordinators.items[i];
            describe(request, asked->key_type, asked->coordinator_keys.items[i], out);
            error = out->error_code != KW_ERROR_NONE ? out->error_code : error;
        }
    }
    mb_request_respond(request, &response, error, NULL);
}
