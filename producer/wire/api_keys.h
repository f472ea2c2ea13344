/**
 * The APIs of Kafka 3.0.0: numbers, names, versions, and the schemas of those whose messages are known here.
 *
 * Kafka: org.apache.kafka.common.protocol.ApiKeys, and the generated ApiMessageType.
 */
#ifndef KW_API_KEYS_H
#define KW_API_KEYS_H

#include "wire/schema.h"

enum kw_api_key {
#define API(enumerator, key, name, min, max, flexible, listeners, message)       KW_API_##enumerator = (key),
#define API_WITHOUT_SCHEMA(enumerator, key, name, min, max, flexible, listeners) KW_API_##enumerator = (key),
#include "wire/schema_apis.def"
    /** The keys are 0 to this, without a gap. */
    KW_API_COUNT
};

/** Who serves an API, as bits. Kafka: ApiMessageType.ListenerType. */
enum kw_listener { KW_LISTENER_ZK_BROKER = 1, KW_LISTENER_BROKER = 2, KW_LISTENER_CONTROLLER = 4 };

struct kw_api {
    int16_t key;
    /** In camel case with a capital, e.g. "InitProducerId". */
    const char *name;
    int16_t min_version;
    int16_t max_version;
    /** KW_VERSION_OPEN: none. */
    int16_t first_flexible_version;
    /** Of enum kw_listener. */
    unsigned listeners;
    /** Both NULL for an API whose messages have no schema here. */
    const struct kw_schema *request;
    const struct kw_schema *response;
};

/** The API with that key, which comes from outside; NULL when 3.0.0 has none. */
const struct kw_api *kw_api_find(int16_t key);
/** The API of that name, e.g. "Fetch", or NULL. */
const struct kw_api *kw_api_find_name(const char *name);
bool kw_api_has_version(const struct kw_api *api, int16_t version);
/** Kafka: ApiKeys.requestHeaderVersion. Defined for versions that the API lacks, too: a broker must read the
 * header. */
int16_t kw_api_request_header_version(const struct kw_api *api, int16_t version);
/** Kafka: ApiKeys.responseHeaderVersion. */
int16_t kw_api_response_header_version(const struct kw_api *api, int16_t version);

#endif
