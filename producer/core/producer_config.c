#include <linger/producer_config.h>

#include "base/allocator.h"
#include "base/assert.h"
#include "core/producer_config_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Making one --- */

/** Bytes for everything that is made of these entries; a bound, so that there is one allocation. */
static size_t bound_bytes(const struct kp_config_entry *entries, size_t entry_count)
{
    size_t alignment = _Alignof(max_align_t);
    size_t total = sizeof(struct kp_config) + 8 * alignment;
    total += entry_count * (sizeof entries[0] + 2 * sizeof(char *));
    for (size_t i = 0; i < entry_count; i++) {
        total += strlen(entries[i].name) + 1;
        if (entries[i].value != NULL) {
            size_t value_bytes = strlen(entries[i].value) + 1;
            size_t parse_bytes = kp_config_parse_bound_bytes(entries[i].value);
            /* bootstrap.servers: one server for every element, which parse_bytes has a pointer for; their
             * hosts. */
            total += 4 * value_bytes + 3 * parse_bytes + sizeof(struct kp_bootstrap_server);
        }
    }
    for (size_t id = 0; id < KP_KEY_COUNT; id++) {
        const char *text = kp_config_key_at(id)->default_text;
        total += text != NULL ? kp_config_parse_bound_bytes(text) : 0;
    }
    return total + sizeof(struct kp_bootstrap_server) + 32;
}

/** By name, then by place: entries are elements of one array. */
static int compare_settings(const void *left, const void *right)
{
    const struct kp_config_entry *a = *(const struct kp_config_entry *const *)left;
    const struct kp_config_entry *b = *(const struct kp_config_entry *const *)right;
    int order = strcmp(a->name, b->name);
    return order != 0 ? order : (a > b) - (a < b);
}

static void index_settings(struct kp_config *config)
{
    for (size_t i = 0; i < config->entry_count; i++) {
        config->settings[i] = &config->entries[i];
    }
    if (config->entry_count > 0) {
        qsort(config->settings, config->entry_count, sizeof config->settings[0], compare_settings);
    }
    size_t count = 0;
    for (size_t i = 0; i < config->entry_count; i++) {
        bool is_last = i + 1 == config->entry_count ||
                       strcmp(config->settings[i]->name, config->settings[i + 1]->name) != 0;
        if (is_last) {
            config->settings[count++] = config->settings[i];
        }
    }
    config->setting_count = count;
}

struct kp_config *kp_config_load(const struct linger_allocator *allocator,
                                 const struct kp_config_entry *entries, size_t entry_count,
                                 const struct kp_config_options *options)
{
    size_t size_bytes = bound_bytes(entries, entry_count);
    struct kp_config *config = allocator->allocate(allocator->context, size_bytes);
    if (config == NULL) {
        return NULL;
    }
    memset(config, 0, sizeof *config);
    config->allocator = *allocator;
    config->size_bytes = size_bytes;
    if (options != NULL) {
        config->options = *options;
    }
    kp_text_arena_init(&config->arena, config + 1, size_bytes - sizeof *config);
    config->entries = kp_text_arena_take(&config->arena, entry_count * sizeof config->entries[0]);
    config->settings = kp_text_arena_take(&config->arena, entry_count * sizeof config->settings[0]);
    config->unused = kp_text_arena_take(&config->arena, entry_count * sizeof config->unused[0]);
    KB_ASSERT(config->entries != NULL && config->settings != NULL && config->unused != NULL);
    config->entry_count = entry_count;
    for (size_t i = 0; i < entry_count; i++) {
        const char *name = entries[i].name;
        const char *value = entries[i].value;
        config->entries[i].name = kp_text_arena_copy(&config->arena, name, strlen(name));
        config->entries[i].value =
            value != NULL ? kp_text_arena_copy(&config->arena, value, strlen(value)) : NULL;
    }
    KB_ASSERT(!config->arena.is_exhausted);
    index_settings(config);
    return config;
}

const struct kp_config_entry *kp_config_setting(const struct kp_config *config, const char *name)
{
    size_t low = 0;
    size_t high = config->setting_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, config->settings[middle]->name);
        if (order == 0) {
            return config->settings[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

enum kp_config_status kp_config_parse_key(struct kp_config *config, enum kp_config_id id,
                                          struct kp_failure *failure)
{
    const struct kp_config_definition *definition = kp_config_definition(id);
    struct kp_config_value *value = &config->values[id];
    const struct kp_config_entry *setting = kp_config_setting(config, definition->key.name);
    value->is_set = setting != NULL;
    value->entry_index = setting != NULL ? setting - config->entries : -1;
    if (setting == NULL && !definition->key.has_default) {
        value->is_valid = false;
        kp_failure_throwf(failure, "ConfigException",
                          "Missing required configuration \"%s\" which has no default value.",
                          definition->key.name);
        return KP_CONFIG_REFUSED;
    }
    const char *raw = setting != NULL ? setting->value : definition->key.default_text;
    return kp_config_parse(definition, raw, &config->options, &config->arena, value, failure);
}

bool kp_config_is_idempotent(const struct kp_config *config)
{
    const struct kp_config_value *idempotence = &config->values[KP_KEY_ENABLE_IDEMPOTENCE];
    return config->values[KP_KEY_TRANSACTIONAL_ID].is_set ||
           (idempotence->is_set && idempotence->is_valid && !idempotence->is_null && idempotence->boolean);
}

const char *kp_config_value_text(const struct kp_config *config, enum kp_config_id id)
{
    const struct kp_config_value *value = &config->values[id];
    return value->is_valid && !value->is_null ? value->text : NULL;
}

/** ProducerConfig.maybeOverrideClientId. */
static void derive_client_id(struct kp_config *config)
{
    struct kp_config_value *client_id = &config->values[KP_KEY_CLIENT_ID];
    if (client_id->is_set) {
        return;
    }
    const char *transactional_id = kp_config_value_text(config, KP_KEY_TRANSACTIONAL_ID);
    if (transactional_id != NULL) {
        static const char prefix[] = "producer-";
        size_t id_bytes = strlen(transactional_id);
        char *text = kp_text_arena_take(&config->arena, sizeof prefix + id_bytes);
        if (text != NULL) {
            memcpy(text, prefix, sizeof prefix - 1);
            memcpy(text + sizeof prefix - 1, transactional_id, id_bytes + 1);
        }
        client_id->text = text;
        return;
    }
    uint32_t *sequence = config->options.client_id_sequence;
    uint32_t number = sequence != NULL && *sequence > 0 ? *sequence : 1;
    if (sequence != NULL) {
        *sequence = number + 1;
    }
    char text[24];
    int length = snprintf(text, sizeof text, "producer-%u", (unsigned)number);
    client_id->text = kp_text_arena_copy(&config->arena, text, (size_t)length);
}

void kp_config_derive(struct kp_config *config)
{
    struct kp_config_value *values = config->values;
    /* CommonClientConfigs.postProcessReconnectBackoffConfigs */
    if (values[KP_KEY_RECONNECT_BACKOFF_MS].is_set && !values[KP_KEY_RECONNECT_BACKOFF_MAX_MS].is_set) {
        values[KP_KEY_RECONNECT_BACKOFF_MAX_MS].integer = values[KP_KEY_RECONNECT_BACKOFF_MS].integer;
        values[KP_KEY_RECONNECT_BACKOFF_MAX_MS].text = values[KP_KEY_RECONNECT_BACKOFF_MS].text;
    }
    /* ProducerConfig.maybeOverrideEnableIdempotence has nothing to do: the default is true already. */
    derive_client_id(config);
    /* ProducerConfig.parseAcks */
    struct kp_config_value *acks = &values[KP_KEY_ACKS];
    if (acks->is_valid) {
        acks->text = strcmp(acks->text, "all") == 0 ? "-1" : acks->text;
        acks->integer = acks->text[0] == '-' ? -1 : acks->text[0] - '0';
    }
}

/* --- What the producer's parts get --- */

static enum kp_serializer_kind serializer_kind(const char *class_name)
{
    static const char prefix[] = "org.apache.kafka.common.serialization.";
    static const char *const names[] = {
        [KP_SERIALIZER_BYTE_ARRAY] = "ByteArraySerializer",
        [KP_SERIALIZER_BYTE_BUFFER] = "ByteBufferSerializer",
        [KP_SERIALIZER_BYTES] = "BytesSerializer",
        [KP_SERIALIZER_STRING] = "StringSerializer",
        [KP_SERIALIZER_SHORT] = "ShortSerializer",
        [KP_SERIALIZER_INTEGER] = "IntegerSerializer",
        [KP_SERIALIZER_LONG] = "LongSerializer",
        [KP_SERIALIZER_FLOAT] = "FloatSerializer",
        [KP_SERIALIZER_DOUBLE] = "DoubleSerializer",
        [KP_SERIALIZER_UUID] = "UUIDSerializer",
        [KP_SERIALIZER_VOID] = "VoidSerializer",
        [KP_SERIALIZER_LIST] = "ListSerializer",
    };
    if (strncmp(class_name, prefix, sizeof prefix - 1) != 0) {
        return KP_SERIALIZER_CUSTOM;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], class_name + sizeof prefix - 1) == 0) {
            return (enum kp_serializer_kind)i;
        }
    }
    return KP_SERIALIZER_CUSTOM;
}

static enum kp_partitioner_kind partitioner_kind(const char *class_name)
{
    static const char *const names[] = {
        [KP_PARTITIONER_DEFAULT] = "org.apache.kafka.clients.producer.internals.DefaultPartitioner",
        [KP_PARTITIONER_UNIFORM_STICKY] = "org.apache.kafka.clients.producer.UniformStickyPartitioner",
        [KP_PARTITIONER_ROUND_ROBIN] = "org.apache.kafka.clients.producer.RoundRobinPartitioner",
    };
    if (class_name == NULL) {
        return KP_PARTITIONER_NONE;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], class_name) == 0) {
            return (enum kp_partitioner_kind)i;
        }
    }
    return KP_PARTITIONER_CUSTOM;
}

static int32_t int_of(const struct kp_config *config, enum kp_config_id id)
{
    KB_ASSERT(config->values[id].integer >= INT32_MIN && config->values[id].integer <= INT32_MAX);
    return (int32_t)config->values[id].integer;
}

static int64_t long_of(const struct kp_config *config, enum kp_config_id id)
{
    return config->values[id].integer;
}

static void resolve_sizes_and_times(const struct kp_config *config, struct kp_producer_config *out)
{
    out->buffer_memory_bytes = long_of(config, KP_KEY_BUFFER_MEMORY);
    out->batch_size_bytes = int_of(config, KP_KEY_BATCH_SIZE);
    out->max_request_size_bytes = int_of(config, KP_KEY_MAX_REQUEST_SIZE);
    out->send_buffer_bytes = int_of(config, KP_KEY_SEND_BUFFER);
    out->receive_buffer_bytes = int_of(config, KP_KEY_RECEIVE_BUFFER);
    out->max_block_ms = long_of(config, KP_KEY_MAX_BLOCK_MS);
    out->request_timeout_ms = int_of(config, KP_KEY_REQUEST_TIMEOUT_MS);
    out->retry_backoff_ms = long_of(config, KP_KEY_RETRY_BACKOFF_MS);
    out->reconnect_backoff_ms = long_of(config, KP_KEY_RECONNECT_BACKOFF_MS);
    out->reconnect_backoff_max_ms = long_of(config, KP_KEY_RECONNECT_BACKOFF_MAX_MS);
    out->socket_connection_setup_timeout_ms = long_of(config, KP_KEY_SOCKET_SETUP_TIMEOUT_MS);
    out->socket_connection_setup_timeout_max_ms = long_of(config, KP_KEY_SOCKET_SETUP_TIMEOUT_MAX_MS);
    out->connections_max_idle_ms = long_of(config, KP_KEY_CONNECTIONS_MAX_IDLE_MS);
    out->metadata_max_age_ms = long_of(config, KP_KEY_METADATA_MAX_AGE_MS);
    out->metadata_max_idle_ms = long_of(config, KP_KEY_METADATA_MAX_IDLE_MS);
    out->transaction_timeout_ms = int_of(config, KP_KEY_TRANSACTION_TIMEOUT_MS);
    out->metrics_sample_window_ms = long_of(config, KP_KEY_METRICS_SAMPLE_WINDOW_MS);
    out->metrics_num_samples = int_of(config, KP_KEY_METRICS_NUM_SAMPLES);
}

/** What the checks have not resolved already. */
static void resolve(struct kp_config *config)
{
    struct kp_producer_config *out = &config->resolved;
    resolve_sizes_and_times(config, out);
    out->client_id = kp_config_value_text(config, KP_KEY_CLIENT_ID);
    out->transactional_id = kp_config_value_text(config, KP_KEY_TRANSACTIONAL_ID);
    out->acks = (int16_t)int_of(config, KP_KEY_ACKS);
    out->retries = int_of(config, KP_KEY_RETRIES);
    out->max_in_flight_requests = int_of(config, KP_KEY_MAX_IN_FLIGHT_REQUESTS);
    out->is_idempotent = kp_config_is_idempotent(config);
    out->partitioner_class = kp_config_value_text(config, KP_KEY_PARTITIONER_CLASS);
    out->partitioner = partitioner_kind(out->partitioner_class);
    out->key_serializer_class = kp_config_value_text(config, KP_KEY_KEY_SERIALIZER);
    out->key_serializer = serializer_kind(out->key_serializer_class);
    out->value_serializer_class = kp_config_value_text(config, KP_KEY_VALUE_SERIALIZER);
    out->value_serializer = serializer_kind(out->value_serializer_class);
    out->interceptor_classes = config->values[KP_KEY_INTERCEPTOR_CLASSES].items;
    out->interceptor_count = (uint32_t)config->values[KP_KEY_INTERCEPTOR_CLASSES].item_count;
    out->metrics_recording_level = kp_config_value_text(config, KP_KEY_METRICS_RECORDING_LEVEL);
    kp_config_find_unused(config);
}

static enum kp_config_status construct(struct kp_config *config, struct kp_failure *failure)
{
    if (!kp_config_check_providers(config, failure)) {
        return KP_CONFIG_REFUSED;
    }
    for (size_t id = 0; id < KP_KEY_COUNT; id++) {
        enum kp_config_status status = kp_config_parse_key(config, (enum kp_config_id)id, failure);
        if (status != KP_CONFIG_OK) {
            return status;
        }
    }
    kp_config_derive(config);
    for (size_t i = 0; i < kp_config_post_check_count; i++) {
        if (!kp_config_post_checks[i].check(config, failure)) {
            return KP_CONFIG_REFUSED;
        }
    }
    for (size_t i = 0; i < kp_config_constructor_check_count; i++) {
        if (!kp_config_constructor_checks[i].check(config, failure)) {
            kp_failure_wrap(failure, "KafkaException", "Failed to construct kafka producer");
            return KP_CONFIG_REFUSED;
        }
    }
    return config->arena.is_exhausted ? KP_CONFIG_NO_MEMORY : KP_CONFIG_OK;
}

enum kp_config_status kp_config_create(const struct linger_allocator *allocator,
                                       const struct kp_config_entry *entries, size_t entry_count,
                                       const struct kp_config_options *options, struct kp_config **out,
                                       struct kp_failure *failure)
{
    if (allocator == NULL) {
        allocator = kb_allocator_default();
    }
    kp_failure_clear(failure);
    *out = NULL;
    struct kp_config *config = kp_config_load(allocator, entries, entry_count, options);
    enum kp_config_status status = config != NULL ? construct(config, failure) : KP_CONFIG_NO_MEMORY;
    if (status == KP_CONFIG_NO_MEMORY) {
        kp_failure_throw(failure, "OutOfMemoryError", "Java heap space");
    }
    if (status != KP_CONFIG_OK) {
        kp_config_destroy(config);
        return status;
    }
    resolve(config);
    memset(&config->options, 0, sizeof config->options);
    *out = config;
    return KP_CONFIG_OK;
}

void kp_config_destroy(struct kp_config *config)
{
    if (config != NULL) {
        struct linger_allocator allocator = config->allocator;
        allocator.release(allocator.context, config, config->size_bytes);
    }
}

/* --- Reading it --- */

const struct kp_producer_config *kp_config_values(const struct kp_config *config)
{
    return &config->resolved;
}

const char *kp_config_text(const struct kp_config *config, const char *name)
{
    for (size_t id = 0; id < KP_KEY_COUNT; id++) {
        const struct kp_config_key *key = kp_config_key_at(id);
        if (strcmp(key->name, name) == 0) {
            const char *text = kp_config_value_text(config, (enum kp_config_id)id);
            return text != NULL && key->type == KP_CONFIG_TYPE_PASSWORD ? "[hidden]" : text;
        }
    }
    KB_UNREACHABLE();
}

bool kp_config_is_set(const struct kp_config *config, const char *name)
{
    return kp_config_setting(config, name) != NULL;
}

size_t kp_config_unused_count(const struct kp_config *config)
{
    return config->unused_count;
}

const char *kp_config_unused_name(const struct kp_config *config, size_t index)
{
    KB_ASSERT(index < config->unused_count);
    return config->unused[index];
}
