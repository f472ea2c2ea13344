/*
 * What KafkaProducer's constructor refuses of values that are fine by themselves, in its order.
 */
#include "core/producer_config_internal.h"

#include "base/assert.h"
#include "core/producer_config_classes.h"
#include "core/producer_config_hosts.h"

#include <string.h>

static bool refuse(struct kp_failure *failure, const char *exception, const char *message)
{
    kp_failure_throw(failure, exception, message);
    return false;
}

static const struct kp_config_value *value_of(const struct kp_config *config, enum kp_config_id id)
{
    return &config->values[id];
}

/* --- ProducerConfig.postProcessParsedConfig --- */

static bool check_transactions_are_idempotent(struct kp_config *config, struct kp_failure *failure)
{
    const struct kp_config_value *idempotence = value_of(config, KP_KEY_ENABLE_IDEMPOTENCE);
    if (!idempotence->is_set) {
        return true;
    }
    if (idempotence->is_null) {
        return refuse(failure, "NullPointerException",
                      "Cannot invoke \"java.lang.Boolean.booleanValue()\" because the return value of "
                      "\"org.apache.kafka.clients.producer.ProducerConfig.getBoolean(String)\" is null");
    }
    if (!idempotence->boolean && value_of(config, KP_KEY_TRANSACTIONAL_ID)->is_set) {
        return refuse(failure, "ConfigException",
                      "Cannot set a transactional.id without also enabling idempotence.");
    }
    return true;
}

static bool check_idempotent_retries(struct kp_config *config, struct kp_failure *failure)
{
    return !kp_config_is_idempotent(config) || value_of(config, KP_KEY_RETRIES)->integer != 0 ||
           refuse(failure, "ConfigException",
                  "Must set retries to non-zero when using the idempotent producer.");
}

static bool check_idempotent_acks(struct kp_config *config, struct kp_failure *failure)
{
    const struct kp_config_value *acks = value_of(config, KP_KEY_ACKS);
    return !kp_config_is_idempotent(config) || !acks->is_set || strcmp(acks->text, "-1") == 0 ||
           refuse(
               failure, "ConfigException",
               "Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee "
               "idempotence.");
}

/** Not of postProcessParsedConfig, but whatever else the constructor finds, its clean-up fails with this
 * instead. */
static bool check_client_id(struct kp_config *config, struct kp_failure *failure)
{
    return !value_of(config, KP_KEY_CLIENT_ID)->is_null ||
           refuse(failure, "NullPointerException",
                  "Cannot invoke \"java.lang.CharSequence.length()\" because \"this.text\" is null");
}

const struct kp_config_check kp_config_post_checks[] = {
    {KP_KEY_ENABLE_IDEMPOTENCE, check_transactions_are_idempotent, 1, {KP_KEY_ENABLE_IDEMPOTENCE}},
    {KP_KEY_RETRIES, check_idempotent_retries, 2, {KP_KEY_RETRIES, KP_KEY_ENABLE_IDEMPOTENCE}},
    {KP_KEY_ACKS, check_idempotent_acks, 2, {KP_KEY_ACKS, KP_KEY_ENABLE_IDEMPOTENCE}},
    {KP_KEY_CLIENT_ID, check_client_id, 0, {0}},
};
const size_t kp_config_post_check_count = sizeof kp_config_post_checks / sizeof kp_config_post_checks[0];

/* --- KafkaProducer's constructor --- */

static bool check_instances(struct kp_config *config, enum kp_config_id id, unsigned role,
                            struct kp_failure *failure)
{
    const struct kp_config_value *list = value_of(config, id);
    for (size_t i = 0; i < list->item_count; i++) {
        if (!kp_java_class_configure_named(&config->options, list->items[i], role, failure)) {
            return false;
        }
    }
    return true;
}

static bool check_reporters(struct kp_config *config, struct kp_failure *failure)
{
    return check_instances(config, KP_KEY_METRIC_REPORTERS, KP_CONFIG_ROLE_REPORTER, failure);
}

static bool check_interceptors(struct kp_config *config, struct kp_failure *failure)
{
    return check_instances(config, KP_KEY_INTERCEPTOR_CLASSES, KP_CONFIG_ROLE_INTERCEPTOR, failure);
}

static bool check_partitioner(struct kp_config *config, struct kp_failure *failure)
{
    const struct kp_config_value *value = value_of(config, KP_KEY_PARTITIONER_CLASS);
    if (value->is_null) {
        return true;
    }
    struct kp_java_class java_class;
    bool is_found = kp_java_class_find(&config->options, value->text, &java_class);
    KB_ASSERT(is_found);
    return kp_java_class_configure(&java_class, KP_CONFIG_ROLE_PARTITIONER,
                                   "org.apache.kafka.clients.producer.Partitioner", failure);
}

/** ListSerializer.configure: the setting names the class of the elements. */
static bool check_list_serializer(struct kp_config *config, bool is_key, struct kp_failure *failure)
{
    const char *name = is_key ? "default.list.key.serde.inner" : "default.list.value.serde.inner";
    const struct kp_config_entry *setting = kp_config_setting(config, name);
    if (setting == NULL || setting->value == NULL) {
        return refuse(failure, "ConfigException",
                      "Not able to determine the serializer class because it was neither passed via the "
                      "constructor nor set in the config.");
    }
    struct kp_java_class serde;
    if (!kp_java_class_find(&config->options, setting->value, &serde)) {
        kp_failure_throwf(failure, "ConfigException",
                          "Invalid value %s for configuration %s: Serializer class %s could not be found.",
                          setting->value, name, setting->value);
        return false;
    }
    if (strcmp(serde.name, "org.apache.kafka.common.serialization.Serdes$ListSerde") == 0) {
        /* A list of lists asks for the class of its elements again, and again. */
        return refuse(failure, "StackOverflowError", NULL);
    }
    return kp_java_class_cast(&serde, KP_JAVA_ROLE_SERDE, failure) &&
           kp_java_class_instantiate(&serde, failure);
}

static bool check_serializer(struct kp_config *config, bool is_key, struct kp_failure *failure)
{
    const struct kp_config_value *value =
        value_of(config, is_key ? KP_KEY_KEY_SERIALIZER : KP_KEY_VALUE_SERIALIZER);
    if (value->is_null) {
        kp_failure_throwf(failure, "NullPointerException",
                          "Cannot invoke \"org.apache.kafka.common.serialization.Serializer.configure"
                          "(java.util.Map, boolean)\" because \"this.%s\" is null",
                          is_key ? "keySerializer" : "valueSerializer");
        return false;
    }
    struct kp_java_class java_class;
    bool is_found = kp_java_class_find(&config->options, value->text, &java_class);
    KB_ASSERT(is_found);
    if (!kp_java_class_configure(&java_class, KP_CONFIG_ROLE_SERIALIZER,
                                 "org.apache.kafka.common.serialization.Serializer", failure)) {
        return false;
    }
    bool is_list = strcmp(java_class.name, "org.apache.kafka.common.serialization.ListSerializer") == 0;
    return !is_list || check_list_serializer(config, is_key, failure);
}

static bool check_key_serializer(struct kp_config *config, struct kp_failure *failure)
{
    return check_serializer(config, true, failure);
}

static bool check_value_serializer(struct kp_config *config, struct kp_failure *failure)
{
    return check_serializer(config, false, failure);
}

static bool check_compression(struct kp_config *config, struct kp_failure *failure)
{
    static const char *const names[] = {
        [KP_COMPRESSION_NONE] = "none", [KP_COMPRESSION_GZIP] = "gzip", [KP_COMPRESSION_SNAPPY] = "snappy",
        [KP_COMPRESSION_LZ4] = "lz4",   [KP_COMPRESSION_ZSTD] = "zstd",
    };
    const char *name = value_of(config, KP_KEY_COMPRESSION_TYPE)->text;
    for (size_t i = 0; name != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            config->resolved.compression = (enum kp_compression)i;
            return true;
        }
    }
    kp_failure_throwf(failure, "IllegalArgumentException", "Unknown compression name: %s",
                      name != NULL ? name : "null");
    return false;
}

/** KafkaProducer.configureDeliveryTimeout. */
static bool check_delivery_timeout(struct kp_config *config, struct kp_failure *failure)
{
    int64_t linger_ms = value_of(config, KP_KEY_LINGER_MS)->integer;
    linger_ms = linger_ms < INT32_MAX ? linger_ms : INT32_MAX;
    int64_t needed_ms = linger_ms + value_of(config, KP_KEY_REQUEST_TIMEOUT_MS)->integer;
    needed_ms = needed_ms < INT32_MAX ? needed_ms : INT32_MAX;
    const struct kp_config_value *delivery = value_of(config, KP_KEY_DELIVERY_TIMEOUT_MS);
    config->resolved.linger_ms = (int32_t)linger_ms;
    config->resolved.delivery_timeout_ms = (int32_t)delivery->integer;
    if (delivery->integer >= needed_ms) {
        return true;
    }
    if (delivery->is_set) {
        return refuse(failure, "ConfigException",
                      "delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms");
    }
    config->resolved.delivery_timeout_ms = (int32_t)needed_ms;
    config->is_delivery_timeout_raised = true;
    return true;
}

static bool throw_null_number(struct kp_failure *failure, const char *unboxing, const char *getter)
{
    kp_failure_throwf(failure, "NullPointerException",
                      "Cannot invoke \"java.lang.%s\" because the return value of "
                      "\"org.apache.kafka.clients.producer.ProducerConfig.%s(String)\" is null",
                      unboxing, getter);
    return false;
}

static bool check_transaction_timeout(struct kp_config *config, struct kp_failure *failure)
{
    return !kp_config_is_idempotent(config) || !value_of(config, KP_KEY_TRANSACTION_TIMEOUT_MS)->is_null ||
           throw_null_number(failure, "Integer.intValue()", "getInt");
}

bool kp_config_check_url(struct kp_config *config, const char *url, struct kp_bootstrap_server *server,
                         bool *resolves, struct kp_failure *failure)
{
    struct kp_text_span host;
    int32_t port = 0;
    bool is_canonical = strcmp(value_of(config, KP_KEY_CLIENT_DNS_LOOKUP)->text, "use_all_dns_ips") != 0;
    enum kp_host_parse parse = kp_host_parse(url, &host, &port);
    const char *problem = parse == KP_HOST_OK            ? NULL
                          : parse == KP_HOST_INVALID_URL ? "Invalid url"
                                                         : "Invalid port";
    if (problem == NULL) {
        server->host = kp_text_arena_copy(&config->arena, host.text, host.length_bytes);
        server->port = (uint16_t)port;
        *resolves = server->host != NULL && kp_host_resolves(&config->options, server->host);
        /* The canonical name is looked up before an address is made of host and port. */
        problem = is_canonical && !*resolves && server->host != NULL ? "Unknown host"
                  : port > UINT16_MAX                                ? "Invalid port"
                                                                     : NULL;
    }
    if (problem != NULL) {
        kp_failure_throwf(failure, "ConfigException", "%s in bootstrap.servers: %s", problem, url);
    }
    return problem == NULL;
}

static bool check_bootstrap_servers(struct kp_config *config, struct kp_failure *failure)
{
    const struct kp_config_value *list = value_of(config, KP_KEY_BOOTSTRAP_SERVERS);
    struct kp_bootstrap_server *servers =
        kp_text_arena_take(&config->arena, (list->item_count + 1) * sizeof *servers);
    uint32_t count = 0;
    for (size_t i = 0; i < list->item_count && servers != NULL; i++) {
        bool resolves = false;
        if (list->items[i][0] == '\0') {
            continue;
        }
        if (!kp_config_check_url(config, list->items[i], &servers[count], &resolves, failure)) {
            return false;
        }
        count += resolves;
    }
    config->resolved.bootstrap_servers = servers;
    config->resolved.bootstrap_server_count = count;
    return count > 0 || config->arena.is_exhausted ||
           refuse(failure, "ConfigException", "No resolvable bootstrap urls given in bootstrap.servers");
}

static bool check_in_flight_requests(struct kp_config *config, struct kp_failure *failure)
{
    return !kp_config_is_idempotent(config) ||
           value_of(config, KP_KEY_MAX_IN_FLIGHT_REQUESTS)->integer <= 5 ||
           refuse(
               failure, "ConfigException",
               "Must set max.in.flight.requests.per.connection to at most 5 to use the idempotent producer.");
}

static bool check_network_times(struct kp_config *config, struct kp_failure *failure)
{
    bool is_null = value_of(config, KP_KEY_CONNECTIONS_MAX_IDLE_MS)->is_null ||
                   value_of(config, KP_KEY_SOCKET_SETUP_TIMEOUT_MS)->is_null ||
                   value_of(config, KP_KEY_SOCKET_SETUP_TIMEOUT_MAX_MS)->is_null;
    return !is_null || throw_null_number(failure, "Long.longValue()", "getLong");
}

const struct kp_config_check kp_config_constructor_checks[] = {
    {KP_KEY_METRIC_REPORTERS, check_reporters, 1, {KP_KEY_METRIC_REPORTERS}},
    {KP_KEY_PARTITIONER_CLASS, check_partitioner, 1, {KP_KEY_PARTITIONER_CLASS}},
    {KP_KEY_KEY_SERIALIZER, check_key_serializer, 1, {KP_KEY_KEY_SERIALIZER}},
    {KP_KEY_VALUE_SERIALIZER, check_value_serializer, 1, {KP_KEY_VALUE_SERIALIZER}},
    {KP_KEY_INTERCEPTOR_CLASSES, check_interceptors, 1, {KP_KEY_INTERCEPTOR_CLASSES}},
    {KP_KEY_COMPRESSION_TYPE, check_compression, 0, {0}},
    {KP_KEY_DELIVERY_TIMEOUT_MS,
     check_delivery_timeout,
     3,
     {KP_KEY_DELIVERY_TIMEOUT_MS, KP_KEY_LINGER_MS, KP_KEY_REQUEST_TIMEOUT_MS}},
    {KP_KEY_TRANSACTION_TIMEOUT_MS,
     check_transaction_timeout,
     2,
     {KP_KEY_TRANSACTION_TIMEOUT_MS, KP_KEY_ENABLE_IDEMPOTENCE}},
    {KP_KEY_BOOTSTRAP_SERVERS,
     check_bootstrap_servers,
     2,
     {KP_KEY_BOOTSTRAP_SERVERS, KP_KEY_CLIENT_DNS_LOOKUP}},
    {KP_KEY_MAX_IN_FLIGHT_REQUESTS,
     check_in_flight_requests,
     2,
     {KP_KEY_MAX_IN_FLIGHT_REQUESTS, KP_KEY_ENABLE_IDEMPOTENCE}},
    {KP_KEY_SECURITY_PROTOCOL,
     kp_config_check_security,
     2,
     {KP_KEY_SSL_ENGINE_FACTORY_CLASS, KP_KEY_SASL_LOGIN_CLASS}},
    {KP_KEY_CONNECTIONS_MAX_IDLE_MS,
     check_network_times,
     3,
     {KP_KEY_CONNECTIONS_MAX_IDLE_MS, KP_KEY_SOCKET_SETUP_TIMEOUT_MS, KP_KEY_SOCKET_SETUP_TIMEOUT_MAX_MS}},
};
const size_t kp_config_constructor_check_count =
    sizeof kp_config_constructor_checks / sizeof kp_config_constructor_checks[0];
