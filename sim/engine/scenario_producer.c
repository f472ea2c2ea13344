/*
 * "producers" of a scenario: their settings and their application threads.
 */
#include "engine/scenario_reader.h"

#include <string.h>

#include "log/run_info.h"

/* Set by the engine, so that a scenario need not: the made-up addresses of the brokers. */
static const char made_up_servers[] = "10.0.0.1:9092";

static const char string_serializer[] = "org.apache.kafka.common.serialization.StringSerializer";

struct lint {
    struct scenario_reader *reader;
    const struct json_place *place;
};

static void take_problem(void *context, const struct kp_config_problem *problem)
{
    struct lint *lint = context;
    struct json_place at = {lint->place, problem->name, 0};
    const char *advice = problem->advice != NULL ? problem->advice : "";
    const char *separator = problem->advice != NULL ? "; " : "";
    if (problem->severity == KP_CONFIG_ERROR) {
        reader_complain(lint->reader, &at, "%s%s%s", problem->message, separator, advice);
        return;
    }
    const char *meant =
        kp_config_key_find(problem->name) == NULL ? kp_config_key_nearest(problem->name) : NULL;
    if (problem->severity == KP_CONFIG_WARNING && meant != NULL) {
        /* A name that is nearly Kafka's is a typing error: here nobody else would read the setting. */
        reader_complain(lint->reader, &at, "Kafka's producer has no such setting; did you mean \"%s\"?",
                        meant);
    } else if (problem->severity == KP_CONFIG_WARNING && kp_config_key_find(problem->name) == NULL) {
        reader_complain(lint->reader, &at,
                        "Kafka's producer has no such setting; `linger config` lists them");
    } else {
        reader_warn(lint->reader, &at, "%s%s%s", problem->message, separator, advice);
    }
}

static bool has_entry(const struct kp_config_entry *entries, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(entries[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void add_default(struct sim_producer *producer, const char *name, const char *value)
{
    if (!has_entry(producer->entries, producer->entry_count, name)) {
        producer->entries[producer->entry_count++] = (struct kp_config_entry){name, value};
    }
}

static void read_config(struct scenario_reader *reader, const struct json_place *place, const cJSON *config,
                        struct sim_producer *producer)
{
    enum { DEFAULTS = 4 };
    if (!reader_check_count(reader, place, config)) {
        config = NULL;
    }
    size_t count = config != NULL ? (size_t)cJSON_GetArraySize(config) : 0;
    producer->entries = reader_allocate(reader, count + DEFAULTS, sizeof(struct kp_config_entry));
    for (const cJSON *member = config != NULL ? config->child : NULL; member != NULL; member = member->next) {
        struct json_place at = {place, member->string, 0};
        const char *value = reader_setting_text(reader, &at, member);
        if (value == NULL) {
            continue;
        }
        if (has_entry(producer->entries, producer->entry_count, member->string)) {
            reader_complain(reader, &at, "given twice; keep one of them");
        } else if (strcmp(member->string, "bootstrap.servers") == 0) {
            reader_warn(reader, &at, "has no effect: the producer is given the brokers of this scenario");
        } else {
            producer->entries[producer->entry_count++] =
                (struct kp_config_entry){reader_copy(reader, member->string), value};
        }
    }
    add_default(producer, "client.id", producer->name);
    add_default(producer, "key.serializer", string_serializer);
    add_default(producer, "value.serializer", string_serializer);
    producer->entries[producer->entry_count++] =
        (struct kp_config_entry){"bootstrap.servers", made_up_servers};
    struct lint lint = {reader, place};
    (void)!kp_config_lint(NULL, producer->entries, producer->entry_count, NULL, take_problem, &lint);
}

bool check_producer_setting(struct scenario_reader *reader, const struct json_place *place,
                            const struct sim_producer *producer, const char *name, const char *value)
{
    uint32_t before = reader->complaints->count;
    struct kp_config_entry *entries = reader_allocate(reader, producer->entry_count + 1, sizeof *entries);
    uint32_t count = 0;
    for (uint32_t i = 0; i < producer->entry_count; i++) {
        if (strcmp(producer->entries[i].name, name) != 0) {
            entries[count++] = producer->entries[i];
        }
    }
    entries[count++] = (struct kp_config_entry){name, value};
    struct lint lint = {reader, place};
    (void)!kp_config_lint(NULL, entries, count, NULL, take_problem, &lint);
    return reader->complaints->count == before;
}

/* --- Threads
 * --------------------------------------------------------------------------------------------------------------
 */

static const char *const call_words[] = {
    "flush", "close", "initTransactions", "beginTransaction", "commitTransaction", "abortTransaction", NULL};

static void read_calls(struct scenario_reader *reader, const struct json_place *place, const cJSON *thread,
                       struct sim_thread *out)
{
    static const char *const known[] = {"at_ms", "call", "timeout_ms", NULL};
    const cJSON *calls = reader_array(reader, place, thread, "calls");
    int count = calls != NULL ? cJSON_GetArraySize(calls) : 0;
    out->calls = reader_allocate(reader, (size_t)count, sizeof(struct sim_thread_call));
    struct json_place at = {place, "calls", 0};
    int index = 0;
    for (const cJSON *call = calls != NULL ? calls->child : NULL; call != NULL; call = call->next, index++) {
        struct json_place here = {&at, NULL, index};
        if (!cJSON_IsObject(call)) {
            reader_complain(reader, &here, "found %s; a call is {\"at_ms\": 20, \"call\": \"flush\"}",
                            reader_show(call));
            continue;
        }
        reader_check_keys(reader, &here, call, known);
        reader_require(reader, &here, call, "call", "say which one");
        struct sim_thread_call read = {
            .at_us = reader_whole(reader, &here, call, "at_ms", 0, 86400000, 0) * 1000,
            .call = reader_word(reader, &here, call, "call", call_words, KB_CALL_FLUSH),
            .timeout_ms = reader_whole(reader, &here, call, "timeout_ms", 0, 86400000, -1),
        };
        if (out->call_count > 0 && read.at_us < out->calls[out->call_count - 1].at_us) {
            reader_complain(reader, &here,
                            "is before the call in front of it; write the calls in their order");
        }
        out->calls[out->call_count++] = read;
    }
}

/* {"records": 20, "abort_every": 5} */
static void read_transactions(struct scenario_reader *reader, const struct json_place *place,
                              const cJSON *thread, struct sim_thread *out)
{
    static const char *const known[] = {"records", "abort_every", NULL};
    const cJSON *transactions = reader_object(reader, place, thread, "transactions");
    struct json_place at = {place, "transactions", 0};
    if (transactions == NULL) {
        return;
    }
    reader_check_keys(reader, &at, transactions, known);
    reader_require(reader, &at, transactions, "records", "say how many records make a transaction");
    out->transaction_records = reader_whole(reader, &at, transactions, "records", 1, 1000000, 1);
    out->abort_every = reader_whole(reader, &at, transactions, "abort_every", 0, 1000000, 0);
    if (out->call_count > 0) {
        reader_complain(reader, &at, "stands beside \"calls\"; let the thread make its calls by one of them");
    }
}

static void read_thread(struct scenario_reader *reader, const struct json_place *place, const cJSON *thread,
                        uint32_t index, struct sim_thread *out)
{
    static const char *const known[] = {"name",  "send_cost_us", "records",      "sync",
                                        "flush", "calls",        "transactions", NULL};
    static const char *const names[] = {"main", "app-2", "app-3", "app-4"};
    if (!cJSON_IsObject(thread)) {
        reader_complain(reader, place, "found %s; a thread is an object with its records",
                        reader_show(thread));
        return;
    }
    reader_check_keys(reader, place, thread, known);
    out->name = reader_text(reader, place, thread, "name", index < 4 ? names[index] : "app");
    out->send_cost_us = reader_whole(reader, place, thread, "send_cost_us", 0, 1000000, 10);
    out->sync = reader_bool(reader, place, thread, "sync", false);
    out->flush_at_end = reader_bool(reader, place, thread, "flush", false);
    read_calls(reader, place, thread, out);
    read_transactions(reader, place, thread, out);
    reader_require(reader, place, thread, "records", "say what the thread sends");
    const cJSON *records = reader_object(reader, place, thread, "records");
    struct json_place at = {place, "records", 0};
    if (records != NULL) {
        read_records(reader, &at, records, &out->source);
    }
}

/* A producer has one transaction at a time: one thread runs them. */
static void check_transactions(struct scenario_reader *reader, const struct json_place *place,
                               const struct sim_producer *producer, const struct sim_thread *thread)
{
    struct json_place at = {place, "transactions", 0};
    if (thread->transaction_records == 0) {
        return;
    }
    if (!has_entry(producer->entries, producer->entry_count, "transactional.id")) {
        reader_complain(reader, &at, "needs a producer with \"transactional.id\" in its config");
    }
    for (uint32_t i = 0; i < producer->thread_count; i++) {
        if (producer->threads[i].transaction_records > 0) {
            reader_complain(reader, &at,
                            "another thread of this producer runs transactions; a producer has one "
                            "at a time, so give one thread all of them");
            return;
        }
    }
}

static void read_producer(struct scenario_reader *reader, const struct json_place *place, const cJSON *object,
                          struct sim_producer *producer)
{
    static const char *const known[] = {"name", "config", "threads", "interceptors", "close", NULL};
    if (!cJSON_IsObject(object)) {
        reader_complain(reader, place, "found %s; a producer is an object with its threads",
                        reader_show(object));
        return;
    }
    reader_check_keys(reader, place, object, known);
    producer->name = reader_text(reader, place, object, "name", "producer");
    producer->interceptor_count = (uint32_t)reader_whole(reader, place, object, "interceptors", 0, 8, 0);
    producer->close_at_end = reader_bool(reader, place, object, "close", true);
    struct json_place at_config = {place, "config", 0};
    read_config(reader, &at_config, reader_object(reader, place, object, "config"), producer);
    const cJSON *threads = reader_array(reader, place, object, "threads");
    struct json_place at_threads = {place, "threads", 0};
    int count = threads != NULL ? cJSON_GetArraySize(threads) : 0;
    if (count < 1 || count > SIM_THREADS_MAX) {
        reader_complain(reader, &at_threads, "found %d threads; a producer has 1 to %d", count,
                        SIM_THREADS_MAX);
        count = count < 1 ? 0 : SIM_THREADS_MAX;
    }
    producer->threads = reader_allocate(reader, (size_t)count, sizeof(struct sim_thread));
    for (int i = 0; i < count; i++) {
        struct json_place here = {&at_threads, NULL, i};
        read_thread(reader, &here, cJSON_GetArrayItem(threads, i), (uint32_t)i, &producer->threads[i]);
        check_transactions(reader, &here, producer, &producer->threads[i]);
        producer->thread_count++;
    }
}

void read_producers(struct scenario_reader *reader, const struct json_place *place, const cJSON *producers)
{
    struct sim_scenario *scenario = reader->scenario;
    int count = producers != NULL ? cJSON_GetArraySize(producers) : 0;
    if (count < 1 || count > SIM_PRODUCERS_MAX) {
        reader_complain(reader, place, "found %d producers; a scenario has 1 to %d", count,
                        SIM_PRODUCERS_MAX);
        count = count < 1 ? 0 : SIM_PRODUCERS_MAX;
    }
    scenario->producers = reader_allocate(reader, (size_t)count, sizeof(struct sim_producer));
    for (int i = 0; i < count; i++) {
        struct json_place here = {place, NULL, i};
        struct sim_producer *producer = &scenario->producers[i];
        read_producer(reader, &here, cJSON_GetArrayItem(producers, i), producer);
        for (int k = 0; k < i; k++) {
            if (producer->name != NULL && scenario->producers[k].name != NULL &&
                strcmp(producer->name, scenario->producers[k].name) == 0) {
                struct json_place at_name = {&here, "name", 0};
                reader_complain(reader, &at_name, "found \"%s\" again; give every producer a name of its own",
                                producer->name);
            }
        }
        scenario->producer_count++;
    }
}
