/**
 * The parts of a configuration that its own files share.
 */
#ifndef KP_PRODUCER_CONFIG_INTERNAL_H
#define KP_PRODUCER_CONFIG_INTERNAL_H

#include <linger/producer_config.h>

#include "core/config_def.h"
#include "core/producer_config_text.h"

struct kp_config {
    struct linger_allocator allocator;
    size_t size_bytes;
    struct kp_text_arena arena;
    /** While it is made or linted; all zero afterwards. */
    struct kp_config_options options;
    /** Copies, in the order given. */
    struct kp_config_entry *entries;
    size_t entry_count;
    /** The entries that count (the last one of each name), by name. */
    const struct kp_config_entry **settings;
    size_t setting_count;
    struct kp_config_value values[KP_KEY_COUNT];
    struct kp_producer_config resolved;
    const char **unused;
    size_t unused_count;
    bool is_delivery_timeout_raised;
};

/** Allocate, and copy the entries. NULL when there is no memory. */
struct kp_config *kp_config_load(const struct linger_allocator *allocator,
                                 const struct kp_config_entry *entries, size_t entry_count,
                                 const struct kp_config_options *options);

/** The setting of that name; NULL when there is none. */
const struct kp_config_entry *kp_config_setting(const struct kp_config *config, const char *name);

/** Parse the value of one key, or its default. ConfigDef.parseValue. */
enum kp_config_status kp_config_parse_key(struct kp_config *config, enum kp_config_id id,
                                          struct kp_failure *failure);

/** The values that follow from others: ProducerConfig.postProcessParsedConfig without its checks. */
void kp_config_derive(struct kp_config *config);

/** ProducerConfig.idempotenceEnabled, once it has not thrown. */
bool kp_config_is_idempotent(const struct kp_config *config);

/** Text of a valid value; NULL for null. */
const char *kp_config_value_text(const struct kp_config *config, enum kp_config_id id);

/** A check of values that belong together. Values are derived; those in needs[] are valid. */
struct kp_config_check {
    /** Whose setting is to blame. */
    enum kp_config_id subject;
    /** False, with *failure, when Kafka refuses. Only writes config->resolved and takes from the arena. */
    bool (*check)(struct kp_config *config, struct kp_failure *failure);
    size_t need_count;
    enum kp_config_id needs[4];
};

/** In the order of ProducerConfig.postProcessParsedConfig; what they throw comes out as it is. */
extern const struct kp_config_check kp_config_post_checks[];
extern const size_t kp_config_post_check_count;
/** In the order of KafkaProducer's constructor, whose KafkaException wraps what they throw. */
extern const struct kp_config_check kp_config_constructor_checks[];
extern const size_t kp_config_constructor_check_count;

/** ClientUtils.parseAndValidateAddresses for one url: *resolves, or a failure. */
bool kp_config_check_url(struct kp_config *config, const char *url, struct kp_bootstrap_server *server,
                         bool *resolves, struct kp_failure *failure);

/** AbstractConfig.resolveConfigVariables: config.providers. */
bool kp_config_check_providers(const struct kp_config *config, struct kp_failure *failure);

/** ClientUtils.createChannelBuilder: security.protocol and what it needs. */
bool kp_config_check_security(struct kp_config *config, struct kp_failure *failure);

/** What of a login's one module matters here. */
struct kp_jaas_login {
    char module[160];
    bool has_service_name;
    char service_name[160];
};

/** JaasContext.load for a client with sasl.jaas.config. False with the IllegalArgumentException. */
bool kp_jaas_parse(const char *text, struct kp_jaas_login *login, struct kp_failure *failure);

/** DefaultSslEngineFactory.configure. */
bool kp_config_check_ssl(const struct kp_config *config, struct kp_failure *failure);

/** Fill config->unused: the settings that the constructor has not asked for. */
void kp_config_find_unused(struct kp_config *config);

#endif
