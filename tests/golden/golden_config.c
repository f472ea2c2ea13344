#include "golden.h"

#include <linger/producer_config.h>

#include <stdlib.h>
#include <string.h>

enum { ENTRIES_MAX = 256 };

static void *allocate(void *context, size_t size_bytes)
{
    (void)context;
    return malloc(size_bytes);
}

static void release(void *context, void *memory, size_t size_bytes)
{
    (void)context;
    (void)size_bytes;
    free(memory);
}

static const struct linger_allocator allocator = {.allocate = allocate, .release = release};

/* --- config_defaults.jsonl --- */

void golden_check_config_defaults(struct golden_case *golden, const cJSON *row)
{
    const char *name = golden_text(golden, row, "name");
    const struct kp_config_key *key = kp_config_key_find(name);
    if (key == NULL) {
        golden_fail(golden, "name: \"%s\" is no key", name);
        return;
    }
    cJSON *actual = golden_new_object(golden);
    json_add_text(actual, "name", key->name);
    json_add_text(actual, "type", kp_config_type_name(key->type));
    json_add_bool(actual, "has_default", key->has_default);
    json_add_text(actual, "default", key->default_text);
    json_add_text(actual, "importance", kp_config_importance_name(key->importance));
    json_add_text(actual, "validator", key->validator);
    golden_compare(golden, "", row, actual);
}

/* --- config_errors.jsonl --- */

/* The vectors were made where no file was and no name server answered. */
static bool no_file(void *context, const char *path)
{
    (void)context;
    (void)path;
    return false;
}

struct entries {
    struct kp_config_entry list[ENTRIES_MAX];
    size_t count;
};

static void add(struct golden_case *golden, struct entries *entries, const char *name, const char *value)
{
    if (entries->count == ENTRIES_MAX) {
        golden_fail(golden, "config: more than %d settings", ENTRIES_MAX);
        return;
    }
    entries->list[entries->count++] = (struct kp_config_entry){name, value};
}

static bool is_left_out(const cJSON *row, const char *name)
{
    const cJSON *one = NULL;
    cJSON_ArrayForEach(one, json_member(row, "without"))
    {
        if (json_is_text(one) && strcmp(one->valuestring, name) == 0) {
            return true;
        }
    }
    return false;
}

static void read_settings(struct golden_case *golden, const cJSON *row, struct entries *entries)
{
    static const char serializer[] = "org.apache.kafka.common.serialization.ByteArraySerializer";
    static const struct kp_config_entry base[] = {{"bootstrap.servers", "127.0.0.1:9092"},
                                                  {"key.serializer", serializer},
                                                  {"value.serializer", serializer},
                                                  {"client.id", "c"}};
    for (size_t i = 0; i < sizeof base / sizeof base[0]; i++) {
        if (!is_left_out(row, base[i].name)) {
            add(golden, entries, base[i].name, base[i].value);
        }
    }
    const cJSON *settings = json_member(row, "config");
    if (!cJSON_IsObject(settings)) {
        golden_fail(golden, "config: an object is wanted");
        return;
    }
    const cJSON *setting = NULL;
    cJSON_ArrayForEach(setting, settings)
    {
        if (!json_is_text(setting) && !cJSON_IsNull(setting)) {
            golden_fail(golden, "config.%s: a text is wanted, or null", setting->string);
            return;
        }
        add(golden, entries, setting->string, cJSON_IsNull(setting) ? NULL : setting->valuestring);
    }
}

static void add_throwable(cJSON *object, const struct kp_throwable *thrown)
{
    json_add_text(object, "exception", thrown->exception[0] != '\0' ? thrown->exception : NULL);
    json_add_text(object, "message", thrown->has_message ? thrown->message : NULL);
}

static void add_failure(cJSON *actual, const struct kp_failure *failure)
{
    cJSON *causes = cJSON_CreateArray();
    json_add(actual, "causes", causes);
    for (uint32_t i = 0; i < failure->cause_count; i++) {
        cJSON *cause = cJSON_CreateObject();
        add_throwable(cause, &failure->causes[i]);
        json_add(causes, NULL, cause);
    }
}

static void add_effective(cJSON *actual, const struct kp_config *config)
{
    static const char *const keys[] = {"acks",
                                       "retries",
                                       "enable.idempotence",
                                       "max.in.flight.requests.per.connection",
                                       "reconnect.backoff.ms",
                                       "reconnect.backoff.max.ms",
                                       "client.id"};
    const struct kp_producer_config *values = kp_config_values(config);
    cJSON *effective = cJSON_CreateObject();
    json_add(actual, "effective", effective);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        json_add_text(effective, keys[i], kp_config_text(config, keys[i]));
    }
    json_add_integer(effective, "delivery_timeout_used", values->delivery_timeout_ms);
    json_add_integer(effective, "linger_used", values->linger_ms);
    json_add_integer(effective, "sender_acks", values->acks);
    json_add_integer(effective, "sender_retries", values->retries);
    json_add_bool(effective, "idempotence_in_use", values->is_idempotent);
}

static void count_errors(void *context, const struct kp_config_problem *problem)
{
    if (problem->severity == KP_CONFIG_ERROR) {
        ++*(unsigned *)context;
    }
}

/* The lint must find an error exactly when Kafka does. */
static void check_lint(struct golden_case *golden, const struct entries *entries,
                       const struct kp_config_options *options, bool is_refused)
{
    unsigned errors = 0;
    enum kp_config_status status =
        kp_config_lint(&allocator, entries->list, entries->count, options, count_errors, &errors);
    golden_compare_integer(golden, "lint", is_refused, status == KP_CONFIG_REFUSED);
    golden_compare_integer(golden, "lint finds errors", is_refused, errors > 0);
}

void golden_check_config_errors(struct golden_case *golden, const cJSON *row)
{
    struct entries *entries = golden_allocate(golden, sizeof *entries);
    read_settings(golden, row, entries);
    if (!golden_is_ok(golden)) {
        return;
    }
    struct kp_config_options options = {.can_read = no_file};
    struct kp_config *config = NULL;
    struct kp_failure failure;
    enum kp_config_status status =
        kp_config_create(&allocator, entries->list, entries->count, &options, &config, &failure);
    cJSON *actual = golden_new_object(golden);
    json_add(actual, "config", cJSON_Duplicate(json_member(row, "config"), true));
    if (json_member(row, "without") != NULL) {
        json_add(actual, "without", cJSON_Duplicate(json_member(row, "without"), true));
    }
    add_throwable(actual, &failure.thrown);
    if (status == KP_CONFIG_OK) {
        add_effective(actual, config);
    } else {
        add_failure(actual, &failure);
    }
    golden_compare(golden, "", row, actual);
    check_lint(golden, entries, &options, status != KP_CONFIG_OK);
    kp_config_destroy(config);
}
