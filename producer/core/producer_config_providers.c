/*
 * Settings outside the table of keys: config.providers, and which settings the constructor looks at.
 * Kafka: AbstractConfig.resolveConfigVariables, ConfigTransformer, AbstractConfig.unused.
 */
#include "core/producer_config_internal.h"

#include "core/producer_config_classes.h"

#include <string.h>

/** The class named by config.providers.NAME.class; NULL when it is not set. */
static const char *provider_class(const struct kp_config *config, const char *name, size_t name_bytes)
{
    static const char prefix[] = "config.providers.";
    static const char suffix[] = ".class";
    for (size_t i = 0; i < config->setting_count; i++) {
        const char *setting = config->settings[i]->name;
        size_t length_bytes = strlen(setting);
        if (length_bytes == sizeof prefix - 1 + name_bytes + sizeof suffix - 1 &&
            strncmp(setting, prefix, sizeof prefix - 1) == 0 &&
            memcmp(setting + sizeof prefix - 1, name, name_bytes) == 0 &&
            strcmp(setting + sizeof prefix - 1 + name_bytes, suffix) == 0) {
            return config->settings[i]->value;
        }
    }
    return NULL;
}

/** AbstractConfig.instantiateConfigProviders for one of them. */
static bool check_provider(const struct kp_config *config, const char *class_name, struct kp_failure *failure)
{
    struct kp_java_class java_class;
    if (kp_java_class_find(&config->options, class_name, &java_class)) {
        return kp_java_class_cast(&java_class, KP_JAVA_ROLE_CONFIG_PROVIDER, failure) &&
               kp_java_class_instantiate(&java_class, failure);
    }
    /* Kafka takes the exception for the value and its own message for the name of the setting. */
    kp_failure_throwf(
        failure, "ConfigException",
        "Invalid value java.lang.ClassNotFoundException: %s for configuration Invalid config:%s "
        "ClassNotFoundException exception occurred",
        class_name, class_name);
    return false;
}

/** A variable ${name:path:key} of this provider, from *next on. Paths are cut at 511 bytes. */
static bool next_path(const char **next, const char *name, size_t name_bytes, char path[512])
{
    for (const char *begin; (begin = strstr(*next, "${")) != NULL;) {
        *next = begin + 2;
        const char *end = strchr(begin, '}');
        if (end == NULL || strncmp(begin + 2, name, name_bytes) != 0 || begin[2 + name_bytes] != ':') {
            continue;
        }
        const char *from = begin + 2 + name_bytes + 1;
        const char *colon = memchr(from, ':', (size_t)(end - from));
        if (colon == NULL || colon == from) {
            continue;
        }
        size_t length_bytes = (size_t)(colon - from) < 511 ? (size_t)(colon - from) : 511;
        memcpy(path, from, length_bytes);
        path[length_bytes] = '\0';
        return true;
    }
    return false;
}

/** FileConfigProvider.get: the files of all variables must be there. */
static bool check_variables(const struct kp_config *config, const char *name, size_t name_bytes,
                            struct kp_failure *failure)
{
    for (size_t i = 0; config->options.can_read != NULL && i < config->setting_count; i++) {
        const char *next = config->settings[i]->value;
        char path[512];
        while (next != NULL && next_path(&next, name, name_bytes, path)) {
            if (!config->options.can_read(config->options.context, path)) {
                kp_failure_throwf(failure, "ConfigException", "Could not read properties from file %s", path);
                return false;
            }
        }
    }
    return true;
}

bool kp_config_check_providers(const struct kp_config *config, struct kp_failure *failure)
{
    static const char file_provider[] = "org.apache.kafka.common.config.provider.FileConfigProvider";
    const struct kp_config_entry *providers = kp_config_setting(config, "config.providers");
    const char *list = providers != NULL && providers->value != NULL ? providers->value : "";
    for (int pass = 0; pass < 2; pass++) {
        /* All are made before the first is asked. */
        for (const char *name = list; *name != '\0';) {
            size_t name_bytes = strcspn(name, ",");
            const char *class_name = provider_class(config, name, name_bytes);
            if (pass == 0 && class_name != NULL && !check_provider(config, class_name, failure)) {
                return false;
            }
            if (pass == 1 && class_name != NULL && strcmp(class_name, file_provider) == 0 &&
                !check_variables(config, name, name_bytes, failure)) {
                return false;
            }
            name += name_bytes;
            name += *name == ',';
        }
    }
    return true;
}

static bool is_text(const struct kp_config *config, enum kp_config_id id, const char *text)
{
    const char *value = kp_config_value_text(config, id);
    return value != NULL && strcmp(value, text) == 0;
}

/** Does the constructor look at this known key? */
static bool is_known_used(const struct kp_config *config, enum kp_config_id id)
{
    enum kp_security_protocol protocol = config->resolved.security_protocol;
    bool is_ssl = protocol == KP_SECURITY_SSL || protocol == KP_SECURITY_SASL_SSL;
    bool is_sasl = protocol == KP_SECURITY_SASL_PLAINTEXT || protocol == KP_SECURITY_SASL_SSL;
    if (id == KP_KEY_TRANSACTION_TIMEOUT_MS) {
        return config->resolved.is_idempotent;
    }
    if (id == KP_KEY_SECURITY_PROVIDERS) {
        return is_ssl || is_sasl;
    }
    if (id == KP_KEY_SASL_MECHANISM) {
        return true;
    }
    if (id >= KP_KEY_SSL_PROTOCOL && id <= KP_KEY_SSL_ENGINE_FACTORY_CLASS) {
        return is_ssl;
    }
    if (id >= KP_KEY_SASL_KERBEROS_SERVICE_NAME && id <= KP_KEY_SASL_KERBEROS_MIN_RELOGIN) {
        return is_sasl && is_text(config, KP_KEY_SASL_MECHANISM, "GSSAPI");
    }
    if (id >= KP_KEY_SASL_REFRESH_WINDOW_FACTOR && id <= KP_KEY_SASL_REFRESH_BUFFER) {
        return is_sasl && is_text(config, KP_KEY_SASL_MECHANISM, "OAUTHBEARER");
    }
    if (id >= KP_KEY_SASL_JAAS_CONFIG && id <= KP_KEY_SASL_LOGIN_CLASS) {
        return is_sasl;
    }
    return true;
}

/** An alternative is looked at when the one before it is not set. */
struct fallback {
    const char *name;
    const char *unless;
};

static bool is_fallback_used(const struct kp_config *config, const char *name,
                             const struct fallback *fallbacks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *unless = fallbacks[i].unless;
        if (strcmp(fallbacks[i].name, name) == 0 &&
            (unless == NULL || kp_config_setting(config, unless) == NULL)) {
            return true;
        }
    }
    return false;
}

/** The elements of a list are serialized with text or UUIDs: their serializer is configured as well. */
static bool has_text_elements(const struct kp_config *config, const char *setting_name)
{
    const struct kp_config_entry *inner = kp_config_setting(config, setting_name);
    return inner != NULL && inner->value != NULL &&
           (strcmp(inner->value, "org.apache.kafka.common.serialization.Serdes$StringSerde") == 0 ||
            strcmp(inner->value, "org.apache.kafka.common.serialization.Serdes$UUIDSerde") == 0);
}

/** Does a serializer look at this setting when it is configured? */
static bool is_used_by_serializer(const struct kp_config *config, enum kp_serializer_kind kind, bool is_key,
                                  const char *name)
{
    const char *inner = is_key ? "default.list.key.serde.inner" : "default.list.value.serde.inner";
    const char *encoding = is_key ? "key.serializer.encoding" : "value.serializer.encoding";
    const struct fallback encodings[] = {{encoding, NULL}, {"serializer.encoding", encoding}};
    bool is_list = kind == KP_SERIALIZER_LIST;
    bool has_encoding = kind == KP_SERIALIZER_STRING || kind == KP_SERIALIZER_UUID ||
                        (is_list && has_text_elements(config, inner));
    return (is_list && strcmp(name, inner) == 0) ||
           (has_encoding && is_fallback_used(config, name, encodings, 2));
}

/** Does some class that the constructor makes look at this setting, which is not a key of the producer? */
static bool is_other_used(const struct kp_config *config, const char *name)
{
    static const struct fallback of_jmx_reporter[] = {
        {"metrics.jmx.include", NULL},
        {"metrics.jmx.exclude", NULL},
        {"metrics.jmx.whitelist", "metrics.jmx.include"},
        {"metrics.jmx.blacklist", "metrics.jmx.exclude"},
    };
    return is_fallback_used(config, name, of_jmx_reporter, 4) ||
           is_used_by_serializer(config, config->resolved.key_serializer, true, name) ||
           is_used_by_serializer(config, config->resolved.value_serializer, false, name);
}

void kp_config_find_unused(struct kp_config *config)
{
    config->unused_count = 0;
    for (size_t i = 0; i < config->entry_count; i++) {
        const char *name = config->entries[i].name;
        size_t id = 0;
        while (id < KP_KEY_COUNT && strcmp(kp_config_key_at(id)->name, name) != 0) {
            id++;
        }
        bool is_used =
            id < KP_KEY_COUNT ? is_known_used(config, (enum kp_config_id)id) : is_other_used(config, name);
        if (!is_used && kp_config_setting(config, name) == &config->entries[i]) {
            config->unused[config->unused_count++] = name;
        }
    }
}
