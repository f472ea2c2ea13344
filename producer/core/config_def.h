/**
 * The definition of the keys and what happens to a single value: parsed by its type, then checked by its
 * validator. Kafka: ConfigDef.parseType, ConfigDef.Validator, ConfigException.
 */
#ifndef KP_CONFIG_DEF_H
#define KP_CONFIG_DEF_H

#include <linger/producer_config.h>

#include "core/producer_config_text.h"

enum kp_config_id {
#define KEY(id, ...) KP_KEY_##id,
#include "core/producer_config.def"
#undef KEY
    KP_KEY_COUNT
};

enum kp_config_validator {
    KP_VALIDATOR_NONE,
    KP_VALIDATOR_INTEGER_RANGE,
    KP_VALIDATOR_DOUBLE_RANGE,
    KP_VALIDATOR_ONE_OF,
    KP_VALIDATOR_NON_NULL,
    KP_VALIDATOR_NON_EMPTY,
};

struct kp_config_definition {
    struct kp_config_key key;
    enum kp_config_validator validator;
    int64_t minimum;
    int64_t maximum;
    double double_minimum;
    double double_maximum;
    /** The bounds as Java prints them. */
    const char *minimum_text;
    const char *maximum_text;
    /** ONE_OF: separated by ", ". */
    const char *choices;
};

/** A parsed value. Everything it points at is in the arena. */
struct kp_config_value {
    /** The key was given, be it with null. */
    bool is_set;
    /** Parsed and valid, or a default. */
    bool is_valid;
    bool is_null;
    /** Index of the setting in what was given; -1: a default. */
    int64_t entry_index;
    bool boolean;
    int64_t integer;
    double real;
    /** As ConfigDef.convertToString gives it, but a password is itself; NULL: null. */
    const char *text;
    /** The elements of a list. */
    const char *const *items;
    size_t item_count;
};

const struct kp_config_definition *kp_config_definition(enum kp_config_id id);

/**
 * Parse one value and validate it. raw NULL is Java's null. A class must be one that kp_java_class_find()
 * knows.
 *
 * - KP_CONFIG_OK: *value has it; is_set and entry_index are left alone
 * - KP_CONFIG_REFUSED: *failure is the ConfigException
 * - KP_CONFIG_NO_MEMORY: the arena is exhausted
 */
enum kp_config_status kp_config_parse(const struct kp_config_definition *definition, const char *raw,
                                      const struct kp_config_options *options, struct kp_text_arena *arena,
                                      struct kp_config_value *value, struct kp_failure *failure);

/** Bytes of arena that parsing this text as any type may take at the most. */
size_t kp_config_parse_bound_bytes(const char *raw);

#endif
