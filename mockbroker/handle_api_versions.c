/* ApiVersions: which APIs this broker serves. Kafka: KafkaApis.handleApiVersionsRequest. */

#include "mockbroker/request.h"
#include "wire/errors.h"
#include "wire/message_structs.h"

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Kafka: ApiVersionsRequest.SOFTWARE_NAME_VERSION_PATTERN: letters and digits, "-" and "." inside. */
static bool is_software_name(struct kw_string text)
{
    if (text.length_bytes < 1 || !is_letter_or_digit(text.data[0]) ||
        !is_letter_or_digit(text.data[text.length_bytes - 1])) {
        return false;
    }
    for (int32_t i = 0; i < text.length_bytes; i++) {
        char c = text.data[i];
        if (!is_letter_or_digit(c) && c != '-' && c != '.') {
            return false;
        }
    }
    return true;
}

/* Kafka: ApiVersionsResponse.collectApis. */
static void list_apis(struct mb_request *request, struct kw_api_versions_response *response)
{
    response->api_keys.items = mb_request_take(request, KW_API_COUNT, sizeof *response->api_keys.items);
    for (int32_t number = 0; number < KW_API_COUNT; number++) {
        int16_t key = (int16_t)number;
        if (mb_api_is_served(key)) {
            struct kw_api_versions_response_api *entry =
                &response->api_keys.items[response->api_keys.count++];
            const struct kw_api *api = kw_api_find(key);
            kw_api_versions_response_api_init(entry);
            entry->api_key = key;
            entry->min_version = api->min_version;
            entry->max_version = api->max_version;
        }
    }
}

/* The body is of version 0 and says which versions of ApiVersions there are. Kafka:
 * ApiVersionsRequest.getErrorResponse (KIP-511). */
static void respond_unsupported(struct mb_request *request)
{
    struct kw_api_versions_response response;
    kw_api_versions_response_init(&response);
    struct kw_api_versions_response_api entry;
    kw_api_versions_response_api_init(&entry);
    entry.api_key = KW_API_API_VERSIONS;
    entry.min_version = request->api->min_version;
    entry.max_version = request->api->max_version;
    response.error_code = KW_ERROR_UNSUPPORTED_VERSION;
    response.api_keys.items = &entry;
    response.api_keys.count = 1;
    mb_request_respond_as(request, 0, &response, response.error_code, NULL);
}

void mb_handle_api_versions(struct mb_request *request)
{
    if (!kw_api_has_version(request->api, request->version)) {
        respond_unsupported(request);
        return;
    }
    const struct kw_api_versions_request *asked = request->body;
    struct kw_api_versions_response response;
    kw_api_versions_response_init(&response);
    response.throttle_time_ms = request->throttle_ms;
    response.error_code = (int16_t)mb_strike_error(request, NULL, 0, -1);
    if (response.error_code == KW_ERROR_NONE && request->version >= 3 &&
        (!is_software_name(asked->client_software_name) ||
         !is_software_name(asked->client_software_version))) {
        response.error_code = KW_ERROR_INVALID_REQUEST;
    }
    if (response.error_code == KW_ERROR_NONE) {
        list_apis(request, &response);
        if (request->version >= 3) {
            response.finalized_features_epoch = 0;
        }
    }
    mb_request_respond(request, &response, response.error_code, NULL);
}
