#include "producer_config_support.h"
#include "unit.h"

#include <string.h>

static struct counting_memory memory;

/* NULL with *failure when it is refused. */
static struct kp_config *create(const struct kp_config_entry *entries, size_t count,
                                const struct kp_config_options *options, struct kp_failure *failure)
{
    struct linger_allocator allocator = counting_allocator(&memory);
    struct kp_config *config = NULL;
    enum kp_config_status status = kp_config_create(&allocator, entries, count, options, &config, failure);
    CU_ASSERT_EQUAL(status == KP_CONFIG_OK, config != NULL);
    CU_ASSERT_EQUAL(status == KP_CONFIG_OK, !kp_failure_is_set(failure));
    return config;
}

static void destroy(struct kp_config *config)
{
    kp_config_destroy(config);
    CU_ASSERT_EQUAL(memory.live_count, 0);
}

/* The message of the constructor, or of its cause when it only wraps one; "" when it accepts. */
static const char *refusal_of(const struct kp_config_entry *entries, size_t count,
                              const struct kp_config_options *options)
{
    static struct kp_failure failure;
    destroy(create(entries, count, options, &failure));
    return failure.cause_count > 0 ? failure.causes[0].message : failure.thrown.message;
}

#define REFUSAL(...)                                                                                         \
    refusal_of((const struct kp_config_entry[]){VALID_ENTRIES, __VA_ARGS__},                                 \
               COUNT_OF(((const struct kp_config_entry[]){VALID_ENTRIES, __VA_ARGS__})), NULL)

static void resolves_the_defaults(void)
{
    const struct kp_config_entry entries[] = {VALID_ENTRIES};
    struct kp_failure failure;
    struct kp_config *config = create(entries, COUNT_OF(entries), NULL, &failure);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    const struct kp_producer_config *values = kp_config_values(config);
    CU_ASSERT_EQUAL(values->bootstrap_server_count, 1);
    CU_ASSERT_STRING_EQUAL(values->bootstrap_servers[0].host, "127.0.0.1");
    CU_ASSERT_EQUAL(values->bootstrap_servers[0].port, 9092);
    CU_ASSERT_STRING_EQUAL(values->client_id, "c");
    CU_ASSERT_PTR_NULL(values->transactional_id);
    CU_ASSERT_EQUAL(values->buffer_memory_bytes, 33554432);
    CU_ASSERT_EQUAL(values->batch_size_bytes, 16384);
    CU_ASSERT_EQUAL(values->max_request_size_bytes, 1048576);
    CU_ASSERT_EQUAL(values->send_buffer_bytes, 131072);
    CU_ASSERT_EQUAL(values->receive_buffer_bytes, 32768);
    CU_ASSERT_EQUAL(values->linger_ms, 0);
    CU_ASSERT_EQUAL(values->max_block_ms, 60000);
    CU_ASSERT_EQUAL(values->request_timeout_ms, 30000);
    CU_ASSERT_EQUAL(values->delivery_timeout_ms, 120000);
    CU_ASSERT_EQUAL(values->retry_backoff_ms, 100);
    CU_ASSERT_EQUAL(values->reconnect_backoff_ms, 50);
    CU_ASSERT_EQUAL(values->reconnect_backoff_max_ms, 1000);
    CU_ASSERT_EQUAL(values->socket_connection_setup_timeout_ms, 10000);
    CU_ASSERT_EQUAL(values->socket_connection_setup_timeout_max_ms, 30000);
    CU_ASSERT_EQUAL(values->connections_max_idle_ms, 540000);
    CU_ASSERT_EQUAL(values->metadata_max_age_ms, 300000);
    CU_ASSERT_EQUAL(values->metadata_max_idle_ms, 300000);
    CU_ASSERT_EQUAL(values->transaction_timeout_ms, 60000);
    CU_ASSERT_EQUAL(values->acks, -1);
    CU_ASSERT_EQUAL(values->retries, INT32_MAX);
    CU_ASSERT_EQUAL(values->max_in_flight_requests, 5);
    CU_ASSERT_EQUAL(values->compression, KP_COMPRESSION_NONE);
    CU_ASSERT_FALSE(values->is_idempotent);
    CU_ASSERT_EQUAL(values->partitioner, KP_PARTITIONER_DEFAULT);
    CU_ASSERT_EQUAL(values->key_serializer, KP_SERIALIZER_BYTE_ARRAY);
    CU_ASSERT_EQUAL(values->interceptor_count, 0);
    CU_ASSERT_EQUAL(values->metrics_sample_window_ms, 30000);
    CU_ASSERT_EQUAL(values->metrics_num_samples, 2);
    CU_ASSERT_STRING_EQUAL(values->metrics_recording_level, "INFO");
    CU_ASSERT_EQUAL(values->security_protocol, KP_SECURITY_PLAINTEXT);
    CU_ASSERT_EQUAL(kp_config_unused_count(config), 0);
    destroy(config);
}

static void resolves_what_is_set(void)
{
    const struct kp_config_entry entries[] = {
        VALID_ENTRIES,
        {"bootstrap.servers", "PLAINTEXT://localhost:1, [::1]:2,,unknown:3"},
        {"acks", " 1 "},
        {"retries", "+7"},
        {"batch.size", "007"},
        {"linger.ms", "9223372036854775807"},
        {"compression.type", "zstd"},
        {"reconnect.backoff.ms", "5000"},
        {"partitioner.class", "org.apache.kafka.clients.producer.RoundRobinPartitioner"},
        {"value.serializer", SERIALIZATION "LongSerializer"},
        {"security.protocol", "ssl"},
        {"ssl.keystore.password", " secret"},
        {"ssl.keystore.location", "/k.jks"},
        {"ssl.cipher.suites", "a ,b,  c"},
        {"sasl.kerberos.ticket.renew.jitter", "5e-2"},
    };
    struct kp_failure failure;
    struct kp_config *config = create(entries, COUNT_OF(entries), NULL, &failure);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    const struct kp_producer_config *values = kp_config_values(config);
    CU_ASSERT_EQUAL(values->bootstrap_server_count, 2);
    CU_ASSERT_STRING_EQUAL(values->bootstrap_servers[0].host, "localhost");
    CU_ASSERT_STRING_EQUAL(values->bootstrap_servers[1].host, "::1");
    CU_ASSERT_EQUAL(values->bootstrap_servers[1].port, 2);
    CU_ASSERT_EQUAL(values->acks, 1);
    CU_ASSERT_EQUAL(values->retries, 7);
    CU_ASSERT_EQUAL(values->batch_size_bytes, 7);
    CU_ASSERT_EQUAL(values->linger_ms, INT32_MAX);
    CU_ASSERT_EQUAL(values->delivery_timeout_ms, INT32_MAX);
    CU_ASSERT_EQUAL(values->compression, KP_COMPRESSION_ZSTD);
    CU_ASSERT_EQUAL(values->reconnect_backoff_max_ms, 5000);
    CU_ASSERT_EQUAL(values->partitioner, KP_PARTITIONER_ROUND_ROBIN);
    CU_ASSERT_EQUAL(values->value_serializer, KP_SERIALIZER_LONG);
    CU_ASSERT_EQUAL(values->security_protocol, KP_SECURITY_SSL);
    CU_ASSERT_STRING_EQUAL(kp_config_text(config, "reconnect.backoff.max.ms"), "5000");
    CU_ASSERT_STRING_EQUAL(kp_config_text(config, "ssl.keystore.password"), "[hidden]");
    CU_ASSERT_STRING_EQUAL(kp_config_text(config, "ssl.cipher.suites"), "a,b,c");
    CU_ASSERT_STRING_EQUAL(kp_config_text(config, "sasl.kerberos.ticket.renew.jitter"), "0.05");
    CU_ASSERT_PTR_NULL(kp_config_text(config, "ssl.key.password"));
    CU_ASSERT_TRUE(kp_config_is_set(config, "linger.ms"));
    CU_ASSERT_FALSE(kp_config_is_set(config, "max.block.ms"));
    destroy(config);
}

/* Java's null, the last of several, and how an unnamed client is called. */
static void takes_nulls_duplicates_and_numbers_clients(void)
{
    uint32_t sequence = 0;
    struct kp_config_options options = {.client_id_sequence = &sequence};
    const struct kp_config_entry entries[] = {{"bootstrap.servers", "127.0.0.1:9092"},
                                              {"linger.ms", "1"},
                                              {"key.serializer", SERIALIZATION "StringSerializer"},
                                              {"value.serializer", SERIALIZATION "VoidSerializer"},
                                              {"partitioner.class", NULL},
                                              {"linger.ms", "2"},
                                              {"transactional.id", "t"}};
    struct kp_failure failure;
    struct kp_config *config = create(entries, COUNT_OF(entries) - 1, &options, &failure);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    CU_ASSERT_STRING_EQUAL(kp_config_values(config)->client_id, "producer-1");
    CU_ASSERT_EQUAL(kp_config_values(config)->linger_ms, 2);
    CU_ASSERT_EQUAL(kp_config_values(config)->partitioner, KP_PARTITIONER_NONE);
    CU_ASSERT_EQUAL(sequence, 2);
    destroy(config);
    config = create(entries, COUNT_OF(entries), &options, &failure);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    CU_ASSERT_STRING_EQUAL(kp_config_values(config)->client_id, "producer-t");
    CU_ASSERT_TRUE(kp_config_values(config)->is_idempotent);
    CU_ASSERT_EQUAL(sequence, 2);
    destroy(config);
}

static void refuses_single_values(void)
{
    CU_ASSERT_STRING_EQUAL(REFUSAL({"batch.size", " 1x "}),
                           "Invalid value  1x  for configuration batch.size: Not a number of type INT");
    CU_ASSERT_STRING_EQUAL(REFUSAL({"sasl.login.refresh.window.factor", "1.50"}),
                           "Invalid value 1.5 for configuration sasl.login.refresh.window.factor: Value must "
                           "be no more than 1.0");
    CU_ASSERT_STRING_EQUAL(REFUSAL({"sasl.login.refresh.buffer.seconds", "32768"}),
                           "Invalid value 32768 for configuration sasl.login.refresh.buffer.seconds: Not a "
                           "number of type SHORT");
    CU_ASSERT_STRING_EQUAL(REFUSAL({"max.block.ms", NULL}),
                           "Invalid value null for configuration max.block.ms: Value must be non-null");
    CU_ASSERT_STRING_EQUAL(REFUSAL({"partitioner.class", "com.acme.Mine"}),
                           "Invalid value com.acme.Mine for configuration partitioner.class: Class "
                           "com.acme.Mine could not be found.");
    /* An Arabic digit is one; a Mathematical one is beyond what Integer.parseInt looks at. */
    CU_ASSERT_STRING_EQUAL(REFUSAL({"batch.size", "\xd9\xa3"}), "");
    CU_ASSERT_STRING_NOT_EQUAL(REFUSAL({"batch.size", "\xf0\x9d\x9f\x8f"}), "");
    /* The upper case of the long s is S, so for Java this is "false". */
    CU_ASSERT_STRING_EQUAL(REFUSAL({"enable.idempotence", "fal\xc5\xbf"
                                                          "e"}),
                           "");
}

/* Values are parsed in the order of the keys, whatever the order in which they are given. */
static void refuses_the_first_key_of_kafka(void)
{
    CU_ASSERT_STRING_EQUAL(REFUSAL({"enable.idempotence", "maybe"}, {"linger.ms", "-1"}, {"retries", "x"}),
                           "Invalid value x for configuration retries: Not a number of type INT");
    CU_ASSERT_STRING_EQUAL(REFUSAL({"compression.type", "zip"}, {"bootstrap.servers", ""}),
                           "Unknown compression name: zip");
    CU_ASSERT_STRING_EQUAL(REFUSAL({"enable.idempotence", "false"}, {"transactional.id", "t"}, {"acks", "0"}),
                           "Cannot set a transactional.id without also enabling idempotence.");
    CU_ASSERT_STRING_EQUAL(
        REFUSAL({"enable.idempotence", "true"}, {"max.in.flight.requests.per.connection", "6"}),
        "Must set max.in.flight.requests.per.connection to at most 5 to use the idempotent producer.");
}

static bool resolves_brokers(void *context, const char *host)
{
    (void)context;
    return strncmp(host, "broker-", 7) == 0;
}

static bool reads_nothing(void *context, const char *path)
{
    (void)context;
    (void)path;
    return false;
}

static void asks_the_driver(void)
{
    const struct kp_config_class classes[] = {{"com.acme.Mine", KP_CONFIG_ROLE_PARTITIONER},
                                              {"com.acme.Spy", KP_CONFIG_ROLE_INTERCEPTOR}};
    struct kp_config_options options = {
        .can_resolve = resolves_brokers, .classes = classes, .class_count = COUNT_OF(classes)};
    struct kp_config_entry entries[] = {VALID_ENTRIES,
                                        {"bootstrap.servers", "localhost:1,broker-7:2"},
                                        {"partitioner.class", "com.acme.Mine"},
                                        {"interceptor.classes", "com.acme.Spy, com.acme.Spy"}};
    struct kp_failure failure;
    struct kp_config *config = create(entries, COUNT_OF(entries), &options, &failure);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    const struct kp_producer_config *values = kp_config_values(config);
    CU_ASSERT_EQUAL(values->bootstrap_server_count, 1);
    CU_ASSERT_STRING_EQUAL(values->bootstrap_servers[0].host, "broker-7");
    CU_ASSERT_EQUAL(values->partitioner, KP_PARTITIONER_CUSTOM);
    CU_ASSERT_STRING_EQUAL(values->partitioner_class, "com.acme.Mine");
    CU_ASSERT_EQUAL(values->interceptor_count, 2);
    CU_ASSERT_STRING_EQUAL(values->interceptor_classes[1], "com.acme.Spy");
    destroy(config);
    entries[5].value = "com.acme.Spy";
    CU_ASSERT_STRING_EQUAL(
        refusal_of(entries, COUNT_OF(entries), &options),
        "class com.acme.Spy is not an instance of org.apache.kafka.clients.producer.Partitioner");

    const struct kp_config_entry stores[] = {
        VALID_ENTRIES, {"security.protocol", "SSL"}, {"ssl.truststore.location", "/none"}};
    CU_ASSERT_STRING_EQUAL(refusal_of(stores, COUNT_OF(stores), NULL), "");
    options.can_read = reads_nothing;
    CU_ASSERT_STRING_EQUAL(
        refusal_of(stores, COUNT_OF(stores), &(struct kp_config_options){.can_read = reads_nothing}),
        "Failed to load SSL keystore /none of type JKS");
}

static void lists_the_unused(void)
{
    const struct kp_config_entry entries[] = {VALID_ENTRIES,   {"transaction.timeout.ms", "5"},
                                              {"zz.top", "1"}, {"ssl.protocol", "TLS"},
                                              {"zz.top", "2"}, {"linger", "3"}};
    static const char *const expected[] = {"transaction.timeout.ms", "ssl.protocol", "zz.top", "linger"};
    struct kp_failure failure;
    struct kp_config *config = create(entries, COUNT_OF(entries), NULL, &failure);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    CU_ASSERT_EQUAL_FATAL(kp_config_unused_count(config), COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        CU_ASSERT_STRING_EQUAL(kp_config_unused_name(config, i), expected[i]);
    }
    destroy(config);
}

static void survives_the_end_of_memory(void)
{
    const struct kp_config_entry entries[] = {VALID_ENTRIES, {"linger.ms", "5"}};
    struct linger_allocator allocator = counting_allocator(&memory);
    for (long failing = 1;; failing++) {
        struct kp_config *config = NULL;
        struct kp_failure failure;
        memory = (struct counting_memory){.failing = failing};
        enum kp_config_status status =
            kp_config_create(&allocator, entries, COUNT_OF(entries), NULL, &config, &failure);
        if (status == KP_CONFIG_OK) {
            /* Everything is in one allocation. */
            CU_ASSERT_EQUAL(failing, 2);
            kp_config_destroy(config);
            break;
        }
        CU_ASSERT_EQUAL(status, KP_CONFIG_NO_MEMORY);
        CU_ASSERT_PTR_NULL(config);
        CU_ASSERT_STRING_EQUAL(failure.thrown.exception, "OutOfMemoryError");
        CU_ASSERT_EQUAL(memory.live_count, 0);
    }
    CU_ASSERT_EQUAL(memory.live_count, 0);
    memory = (struct counting_memory){0};
}

static void ignore(void *context, const struct kp_config_problem *problem)
{
    (void)context;
    (void)problem;
}

/* The size of the one allocation is a bound for whatever is given: it never runs out. */
static void has_room_for_any_text(void)
{
    static const char *const pieces[] = {",",  " , ", "a",  "localhost:1", "\xc3\x9f", "1",    "-", ".",
                                         "::", "[",   "]:", "1,1",         "${f:g:h}", "java", " ", "0.1"};
    static const char *const more_names[] = {"config.providers", "config.providers.f.class", "unknown", ""};
    uint32_t state = 1;
    for (int round = 0; round < 3000; round++) {
        struct kp_config_entry entries[40] = {VALID_ENTRIES};
        static char texts[40][200];
        size_t count = 4;
        for (; count < COUNT_OF(entries); count++) {
            size_t used = 0;
            state = state * 1664525u + 1013904223u;
            for (uint32_t n = state >> 28; n > 0; n--) {
                state = state * 1664525u + 1013904223u;
                used += (size_t)snprintf(texts[count] + used, sizeof texts[0] - used, "%s",
                                         pieces[state >> 16 & 15]);
            }
            texts[count][used] = '\0';
            size_t pick = (state >> 12) % (kp_config_key_count() + COUNT_OF(more_names));
            entries[count].name = pick < kp_config_key_count() ? kp_config_key_at(pick)->name
                                                               : more_names[pick - kp_config_key_count()];
            /* Mostly lists, since they take the most, and what can be valid. */
            bool is_wild = kp_config_key_find(entries[count].name) == NULL || (state >> 8) % 64 == 0;
            if (!is_wild) {
                entries[count].name = (state & 1u) != 0 ? "ssl.cipher.suites" : "bootstrap.servers";
            }
            entries[count].value = texts[count];
        }
        struct kp_failure failure;
        struct linger_allocator allocator = counting_allocator(&memory);
        struct kp_config *config = NULL;
        CU_ASSERT_NOT_EQUAL(
            kp_config_create(&allocator, entries, 5 + (size_t)round % (count - 4), NULL, &config, &failure),
            KP_CONFIG_NO_MEMORY);
        destroy(config);
        CU_ASSERT_NOT_EQUAL(kp_config_lint(&allocator, entries, count, NULL, ignore, NULL),
                            KP_CONFIG_NO_MEMORY);
    }
}

static bool resolves_all(void *context, const char *host)
{
    (void)context;
    (void)host;
    return true;
}

/* The most that a setting can need: short names of brokers, and nothing else that leaves room unused. */
static void has_room_for_many_brokers(void)
{
    const struct kp_config_options options = {.can_resolve = resolves_all};
    static char text[6000];
    for (size_t length_bytes = 3; length_bytes + 4 < sizeof text; length_bytes += 1 + length_bytes / 5) {
        for (size_t kind = 0; kind < 3; kind++) {
            static const char *const servers[] = {":1,", "h:1,", ","};
            for (size_t at = 0; at < length_bytes; at++) {
                text[at] = servers[kind][at % strlen(servers[kind])];
            }
            memcpy(text + length_bytes, ",h:1", 5);
            const struct kp_config_entry entries[] = {{"bootstrap.servers", text},
                                                      {"key.serializer", SERIALIZATION "BytesSerializer"},
                                                      {"value.serializer", SERIALIZATION "BytesSerializer"}};
            struct linger_allocator allocator = counting_allocator(&memory);
            struct kp_config *config = NULL;
            struct kp_failure failure;
            CU_ASSERT_NOT_EQUAL(
                kp_config_create(&allocator, entries, COUNT_OF(entries), &options, &config, &failure),
                KP_CONFIG_NO_MEMORY);
            destroy(config);
            CU_ASSERT_NOT_EQUAL(
                kp_config_lint(&allocator, entries, COUNT_OF(entries), &options, ignore, NULL),
                KP_CONFIG_NO_MEMORY);
        }
    }
}

/* Addresses are told from names without asking anybody. */
static void knows_addresses(void)
{
    static const struct {
        const char *url;
        bool is_address;
    } cases[] = {{"1.2.3.4:1", true},
                 {"1.2.3:1", true},
                 {"1.16777216:1", false},
                 {"1.2.3.4.5:1", false},
                 {"256.1.1.1:1", false},
                 {"4294967295:1", true},
                 {"1:2:3:4:5:6:7:8:1", true},
                 {"1:2:3:4:5:6:7:1", false},
                 {"1:2:3:4:5:6:7:8:9:1", false},
                 {"::1:1", true},
                 {"1::2::3:1", false},
                 {"::1.2.3.4:1", true},
                 {"1:2:3:4:5:6:7.8.9.10:1", true},
                 {"1:2:3:4:5:7.8.9.10:1", false},
                 {"12345::1:1", false},
                 {":1:1", false},
                 {"fe80::1%2:1", true},
                 {"1.2.3.4%1:1", false},
                 {"::1%:1", false},
                 {"name:1", false}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CU_ASSERT_EQUAL(REFUSAL({"bootstrap.servers", cases[i].url})[0] == '\0', cases[i].is_address);
    }
}

static void checks_logins(void)
{
#define LOGIN(jaas)                                                                                          \
    REFUSAL({"security.protocol", "SASL_PLAINTEXT"}, {"sasl.mechanism", "PLAIN"}, {"sasl.jaas.config", jaas})
    CU_ASSERT_STRING_EQUAL(
        LOGIN("org.apache.kafka.common.security.plain.PlainLoginModule required a=b c='d';"), "");
    /* The octal escape, 141, is an a. */
    CU_ASSERT_STRING_EQUAL(LOGIN("'\\141.\\102\\n' required;"),
                           "javax.security.auth.login.LoginException: No LoginModule found for a.B\n");
    CU_ASSERT_STRING_EQUAL(LOGIN("a.B maybe;"), "Invalid login module control flag 'maybe' in JAAS config");
    CU_ASSERT_STRING_EQUAL(LOGIN("a.B required /* b */ // c"),
                           "JAAS config entry not terminated by semi-colon");
#undef LOGIN
    const struct kp_config_entry entries[] = {
        VALID_ENTRIES,
        {"security.protocol", "SASL_PLAINTEXT"},
        {"security.providers", "a.B"},
        {"sasl.mechanism", "PLAIN"},
        {"sasl.login.refresh.buffer.seconds", "1"},
        {"sasl.jaas.config", "org.apache.kafka.common.security.plain.PlainLoginModule required;"}};
    struct kp_failure failure;
    struct kp_config *config = create(entries, COUNT_OF(entries), NULL, &failure);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    CU_ASSERT_EQUAL_FATAL(kp_config_unused_count(config), 1);
    CU_ASSERT_STRING_EQUAL(kp_config_unused_name(config, 0), "sasl.login.refresh.buffer.seconds");
    destroy(config);
}

int main(void)
{
    return unit_main("producer_config",
                     (struct unit_test[]){
                         {"resolves the defaults", resolves_the_defaults},
                         {"resolves what is set", resolves_what_is_set},
                         {"nulls, duplicates, client ids", takes_nulls_duplicates_and_numbers_clients},
                         {"refuses single values", refuses_single_values},
                         {"refuses the first key of Kafka", refuses_the_first_key_of_kafka},
                         {"asks the driver", asks_the_driver},
                         {"lists the unused", lists_the_unused},
                         {"survives the end of memory", survives_the_end_of_memory},
                         {"has room for any text", has_room_for_any_text},
                         {"has room for many brokers", has_room_for_many_brokers},
                         {"knows addresses", knows_addresses},
                         {"checks logins", checks_logins},
                         {0},
                     });
}
