#include "core/config_def.h"

#include "base/assert.h"
#include "core/producer_config_classes.h"

#include <stdio.h>
#include <string.h>

/* The columns of producer_config.def. */
#define HERE          true
#define NOT_HERE      false
#define REQUIRED      false, NULL
#define IS_NULL       true, NULL
#define IS(text)      true, text
#define ANY           NULL, KP_VALIDATOR_NONE, 0, 0, 0, 0, NULL, NULL, NULL
#define NON_NULL      "non-null string", KP_VALIDATOR_NON_NULL, 0, 0, 0, 0, NULL, NULL, NULL
#define NON_EMPTY     "non-empty string", KP_VALIDATOR_NON_EMPTY, 0, 0, 0, 0, NULL, NULL, NULL
#define AT_LEAST(low) "[" #low ",...]", KP_VALIDATOR_INTEGER_RANGE, low, INT64_MAX, 0, 0, #low, NULL, NULL
#define BETWEEN(low, high)                                                                                   \
    "[" #low ",...," #high "]", KP_VALIDATOR_INTEGER_RANGE, low, high, 0, 0, #low, #high, NULL
#define FROM_TO(low, high)                                                                                   \
    "[" #low ",...," #high "]", KP_VALIDATOR_DOUBLE_RANGE, 0, 0, low, high, #low, #high, NULL
#define ONE_OF(list) "[" list "]", KP_VALIDATOR_ONE_OF, 0, 0, 0, 0, NULL, NULL, list

#define DEFINITION(name, type, importance, has_default, text, valid, kind, low, high, from, to, low_text,    \
                   high_text, choices, effect, doc)                                                          \
    {                                                                                                        \
        {name, KP_CONFIG_TYPE_##type, KP_CONFIG_IMPORTANCE_##importance, has_default, text, valid, effect,   \
         doc},                                                                                               \
            kind, low, high, from, to, low_text, high_text, choices                                          \
    }
/* One more round of expansion, so that a column that stands for several becomes several. */
#define EXPAND_DEFINITION(...) DEFINITION(__VA_ARGS__)

static const struct kp_config_definition definitions[KP_KEY_COUNT] = {
#define KEY(id, name, type, importance, ...)                                                                 \
    [KP_KEY_##id] = EXPAND_DEFINITION(name, type, importance, __VA_ARGS__),
#include "core/producer_config.def"
#undef KEY
};

const struct kp_config_definition *kp_config_definition(enum kp_config_id id)
{
    KB_ASSERT(id < KP_KEY_COUNT);
    return &definitions[id];
}

size_t kp_config_key_count(void)
{
    return KP_KEY_COUNT;
}

const struct kp_config_key *kp_config_key_at(size_t index)
{
    KB_ASSERT(index < KP_KEY_COUNT);
    return &definitions[index].key;
}

const struct kp_config_key *kp_config_key_find(const char *name)
{
    for (size_t i = 0; i < KP_KEY_COUNT; i++) {
        if (strcmp(definitions[i].key.name, name) == 0) {
            return &definitions[i].key;
        }
    }
    return NULL;
}

const char *kp_config_type_name(enum kp_config_type type)
{
    static const char *const names[] = {"boolean", "string", "int",   "short",   "long",
                                        "double",  "list",   "class", "password"};
    return names[type];
}

const char *kp_config_importance_name(enum kp_config_importance importance)
{
    static const char *const names[] = {"high", "medium", "low"};
    return names[importance];
}

/** ConfigException(name, value, message). */
static enum kp_config_status refuse(struct kp_failure *failure, const char *name, const char *value,
                                    const char *message)
{
    kp_failure_throwf(failure, "ConfigException", "Invalid value %s for configuration %s: %s",
                      value != NULL ? value : "null", name, message);
    return KP_CONFIG_REFUSED;
}

static enum kp_config_status refuse_number(struct kp_failure *failure, const struct kp_config_key *key,
                                           const char *raw)
{
    static const char *const messages[] = {
        [KP_CONFIG_TYPE_INT] = "Not a number of type INT",
        [KP_CONFIG_TYPE_SHORT] = "Not a number of type SHORT",
        [KP_CONFIG_TYPE_LONG] = "Not a number of type LONG",
        [KP_CONFIG_TYPE_DOUBLE] = "Not a number of type DOUBLE",
    };
    return refuse(failure, key->name, raw, messages[key->type]);
}

static enum kp_config_status parse_integer(const struct kp_config_key *key, const char *raw, int64_t minimum,
                                           int64_t maximum, struct kp_text_arena *arena,
                                           struct kp_config_value *value, struct kp_failure *failure)
{
    if (!kp_text_parse_integer(kp_text_trim(raw), minimum, maximum, &value->integer)) {
        return refuse_number(failure, key, raw);
    }
    char text[24];
    int length = snprintf(text, sizeof text, "%lld", (long long)value->integer);
    value->text = kp_text_arena_copy(arena, text, (size_t)length);
    return KP_CONFIG_OK;
}

static enum kp_config_status parse_double(const struct kp_config_key *key, const char *raw,
                                          struct kp_text_arena *arena, struct kp_config_value *value,
                                          struct kp_failure *failure)
{
    struct kp_text_span trimmed = kp_text_trim(raw);
    char *scratch = kp_text_arena_copy(arena, trimmed.text, trimmed.length_bytes);
    if (scratch == NULL) {
        return KP_CONFIG_NO_MEMORY;
    }
    if (!kp_text_parse_double(scratch, &value->real)) {
        return refuse_number(failure, key, raw);
    }
    char text[KP_TEXT_DOUBLE_BYTES];
    kp_text_format_double(value->real, text);
    value->text = kp_text_arena_copy(arena, text, strlen(text));
    return KP_CONFIG_OK;
}

static enum kp_config_status parse_boolean(const struct kp_config_key *key, const char *raw,
                                           struct kp_config_value *value, struct kp_failure *failure)
{
    struct kp_text_span trimmed = kp_text_trim(raw);
    if (kp_text_equals_ignore_case(trimmed, "true")) {
        value->boolean = true;
        value->text = "true";
    } else if (kp_text_equals_ignore_case(trimmed, "false")) {
        value->boolean = false;
        value->text = "false";
    } else {
        return refuse(failure, key->name, raw, "Expected value to be either true or false");
    }
    return KP_CONFIG_OK;
}

static void parse_list(const char *raw, struct kp_text_arena *arena, struct kp_config_value *value)
{
    struct kp_text_span rest = kp_text_trim(raw);
    value->items = NULL;
    value->item_count = 0;
    if (rest.length_bytes == 0) {
        value->text = "";
        return;
    }
    size_t capacity = 1;
    for (size_t i = 0; i < rest.length_bytes; i++) {
        capacity += rest.text[i] == ',';
    }
    const char **items = kp_text_arena_take(arena, capacity * sizeof *items);
    char *joined = kp_text_arena_copy(arena, rest.text, rest.length_bytes);
    value->items = items;
    value->text = joined;
    size_t used_bytes = 0;
    for (bool is_last = false; !is_last && !arena->is_exhausted;) {
        struct kp_text_span element = kp_text_next_element(&rest, &is_last);
        items[value->item_count++] = kp_text_arena_copy(arena, element.text, element.length_bytes);
        memcpy(joined + used_bytes, element.text, element.length_bytes);
        used_bytes += element.length_bytes;
        joined[used_bytes++] = is_last ? '\0' : ',';
    }
}

static enum kp_config_status parse_type(const struct kp_config_key *key, const char *raw,
                                        const struct kp_config_options *options, struct kp_text_arena *arena,
                                        struct kp_config_value *value, struct kp_failure *failure)
{
    struct kp_text_span trimmed = kp_text_trim(raw);
    switch (key->type) {
    case KP_CONFIG_TYPE_BOOLEAN:
        return parse_boolean(key, raw, value, failure);
    case KP_CONFIG_TYPE_INT:
        return parse_integer(key, raw, INT32_MIN, INT32_MAX, arena, value, failure);
    case KP_CONFIG_TYPE_SHORT:
        return parse_integer(key, raw, INT16_MIN, INT16_MAX, arena, value, failure);
    case KP_CONFIG_TYPE_LONG:
        return parse_integer(key, raw, INT64_MIN, INT64_MAX, arena, value, failure);
    case KP_CONFIG_TYPE_DOUBLE:
        return parse_double(key, raw, arena, value, failure);
    case KP_CONFIG_TYPE_LIST:
        parse_list(raw, arena, value);
        return KP_CONFIG_OK;
    case KP_CONFIG_TYPE_STRING:
    case KP_CONFIG_TYPE_PASSWORD:
        value->text = kp_text_arena_copy(arena, trimmed.text, trimmed.length_bytes);
        return KP_CONFIG_OK;
    case KP_CONFIG_TYPE_CLASS:
        break;
    }
    value->text = kp_text_arena_copy(arena, trimmed.text, trimmed.length_bytes);
    if (value->text == NULL) {
        return KP_CONFIG_NO_MEMORY;
    }
    struct kp_java_class found;
    if (!kp_java_class_find(options, value->text, &found)) {
        kp_failure_throwf(failure, "ConfigException",
                          "Invalid value %s for configuration %s: Class %s could not be found.", raw,
                          key->name, raw);
        return KP_CONFIG_REFUSED;
    }
    return KP_CONFIG_OK;
}

static bool is_choice(const char *choices, const char *text)
{
    if (text == NULL) {
        return false;
    }
    size_t length_bytes = strlen(text);
    for (const char *choice = choices; *choice != '\0';) {
        size_t choice_bytes = strcspn(choice, ",");
        if (choice_bytes == length_bytes && memcmp(choice, text, length_bytes) == 0) {
            return true;
        }
        choice += choice_bytes;
        choice += strspn(choice, ", ");
    }
    return false;
}

/** Range.ensureValid. */
static enum kp_config_status check_range(const struct kp_config_definition *definition,
                                         const struct kp_config_value *value, struct kp_failure *failure)
{
    const char *name = definition->key.name;
    if (value->is_null) {
        return refuse(failure, name, NULL, "Value must be non-null");
    }
    bool is_integer = definition->validator == KP_VALIDATOR_INTEGER_RANGE;
    /* Both comparisons are false for NaN, which therefore passes, in Java too. */
    bool is_low =
        is_integer ? value->integer < definition->minimum : value->real < definition->double_minimum;
    bool is_high =
        is_integer ? value->integer > definition->maximum : value->real > definition->double_maximum;
    if (!is_low && !is_high) {
        return KP_CONFIG_OK;
    }
    char message[80];
    snprintf(message, sizeof message, is_low ? "Value must be at least %s" : "Value must be no more than %s",
             is_low ? definition->minimum_text : definition->maximum_text);
    return refuse(failure, name, value->text, message);
}

static enum kp_config_status validate(const struct kp_config_definition *definition,
                                      const struct kp_config_value *value, struct kp_failure *failure)
{
    const char *name = definition->key.name;
    char message[160];
    switch (definition->validator) {
    case KP_VALIDATOR_NONE:
        return KP_CONFIG_OK;
    case KP_VALIDATOR_INTEGER_RANGE:
    case KP_VALIDATOR_DOUBLE_RANGE:
        return check_range(definition, value, failure);
    case KP_VALIDATOR_ONE_OF:
        if (is_choice(definition->choices, value->text)) {
            return KP_CONFIG_OK;
        }
        snprintf(message, sizeof message, "String must be one of: %s", definition->choices);
        return refuse(failure, name, value->text, message);
    case KP_VALIDATOR_NON_NULL:
        return value->is_null ? refuse(failure, name, NULL, "entry must be non null") : KP_CONFIG_OK;
    case KP_VALIDATOR_NON_EMPTY:
        break;
    }
    if (!value->is_null && value->text[0] == '\0') {
        return refuse(failure, name, value->text, "String must be non-empty");
    }
    return KP_CONFIG_OK;
}

enum kp_config_status kp_config_parse(const struct kp_config_definition *definition, const char *raw,
                                      const struct kp_config_options *options, struct kp_text_arena *arena,
                                      struct kp_config_value *value, struct kp_failure *failure)
{
    value->is_valid = false;
    value->is_null = raw == NULL;
    value->text = NULL;
    if (raw != NULL) {
        enum kp_config_status status = parse_type(&definition->key, raw, options, arena, value, failure);
        if (arena->is_exhausted) {
            return KP_CONFIG_NO_MEMORY;
        }
        if (status != KP_CONFIG_OK) {
            return status;
        }
    }
    enum kp_config_status status = validate(definition, value, failure);
    value->is_valid = status == KP_CONFIG_OK;
    return status;
}

size_t kp_config_parse_bound_bytes(const char *raw)
{
    /* A list: pointers, a joined copy, one copy per element with a NUL; else one text, or scratch and a
     * number. */
    size_t length_bytes = strlen(raw);
    size_t elements = 1;
    for (size_t i = 0; i < length_bytes; i++) {
        elements += raw[i] == ',';
    }
    return elements * (sizeof(char *) + 1) + 2 * (length_bytes + 1) + KP_TEXT_DOUBLE_BYTES +
           2 * _Alignof(max_align_t);
}
