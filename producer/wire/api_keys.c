#include "wire/api_keys.h"

#include "base/assert.h"
#include "wire/message_structs.h"

#include <string.h>

enum {
    ZK = KW_LISTENER_ZK_BROKER,
    BROKER = KW_LISTENER_BROKER,
    CONTROLLER = KW_LISTENER_CONTROLLER,
    NEVER = KW_VERSION_OPEN
};

static const struct kw_api apis[KW_API_COUNT] = {
#define API(enumerator, number, text, min, max, flexible, who, message)                                      \
    [number] = {number,                                                                                      \
                text,                                                                                        \
                min,                                                                                         \
                max,                                                                                         \
                flexible,                                                                                    \
                who,                                                                                         \
                &kw_##message##_request_schema,                                                              \
                &kw_##message##_response_schema},
#define API_WITHOUT_SCHEMA(enumerator, number, text, min, max, flexible, who)                                \
    [number] = {number, text, min, max, flexible, who, NULL, NULL},
#include "wire/schema_apis.def"
};

const struct kw_api *kw_api_find(int16_t key)
{
    return key >= 0 && key < KW_API_COUNT ? &apis[key] : NULL;
}

const struct kw_api *kw_api_find_name(const char *name)
{
    for (size_t i = 0; i < KW_API_COUNT; i++) {
        if (strcmp(apis[i].name, name) == 0) {
            return &apis[i];
        }
    }
    return NULL;
}

bool kw_api_has_version(const struct kw_api *api, int16_t version)
{
    return version >= api->min_version && version <= api->max_version;
}

int16_t kw_api_request_header_version(const struct kw_api *api, int16_t version)
{
    if (api->key == KW_API_CONTROLLED_SHUTDOWN && version == 0) {
        return 0; /* the only request without a client id */
    }
    return version >= api->first_flexible_version ? 2 : 1;
}

int16_t kw_api_response_header_version(const struct kw_api *api, int16_t version)
{
    if (api->key == KW_API_API_VERSIONS) {
        return 0; /* a client that does not know the broker yet must be able to read it (KIP-511) */
    }
    return version >= api->first_flexible_version ? 1 : 0;
}
