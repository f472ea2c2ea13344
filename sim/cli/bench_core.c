/*
 * Records per second of the producer core: send() to callback, on one thread, against a broker in process
 * that acknowledges. The driver is the least that <linger/producer.h> asks of one, with the clock and the
 * lock that a driver with threads needs.
 */
#define _GNU_SOURCE /* CLOCK_REALTIME_COARSE */
#include "cli/bench.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linger/producer.h>

#include "base/assert.h"
#include "base/trace.h"
#include "log/event_log.h"
#include "wire/api_frame.h"
#include "wire/api_keys.h"
#include "wire/cursor.h"
#include "wire/message_structs.h"
#include "wire/record_batch.h"

enum { FRAME_BYTES = 8192, PENDING_MAX = 16, BATCHES_MAX = 64, PARTITION_COUNT = 6, ENTRIES_MAX = 16 };

struct response {
    uint32_t connection;
    uint8_t bytes[FRAME_BYTES];
    size_t length_bytes;
};

/* The producer, and the other end of its connections. */
struct rig {
    struct kp_config *config;
    struct kp_producer *producer;
    pthread_mutex_t lock; /* never contended here */
    bool verifies_crc;
    struct response pending[PENDING_MAX]; /* oldest first; readable from the next pass on */
    uint32_t pending_count;
    int64_t next_offset;
    uint64_t sent;
    uint64_t completed;
    uint64_t sender_late_records;
    uint64_t sender_due; /* runs when so many were sent; 0: not woken */
    uint64_t batches;
    uint64_t passes;
    int64_t callback_sum;
    uint64_t allocations;
    struct linger_allocator allocator;
    struct kb_trace trace;
    struct sim_event_log *log; /* NULL: events are dropped */
    uint64_t events;
    char *value;
    int32_t value_bytes;
};

/* What is measured. */
struct scene {
    const char *name;
    int32_t value_bytes;
    const char *batch_size;
    bool idempotent;
    bool verifies_crc;
    enum { TRACE_OFF, TRACE_DROPPED, TRACE_LOGGED } tracing;
    double target;                /* millions of records a second; 0: none */
    double target_percent;        /* of the bound */
    uint64_t sender_late_records; /* how many a woken sender lets pass before it runs */
};

/* --- The broker */

static void answer(struct rig *rig, const struct kp_action *action, const void *body)
{
    KB_ASSERT(rig->pending_count < PENDING_MAX);
    struct response *response = &rig->pending[rig->pending_count++];
    struct kw_writer writer;
    kw_writer_init(&writer, response->bytes, sizeof response->bytes);
    struct kw_frame frame = {.api = kw_api_find((int16_t)action->api),
                             .version = (int16_t)action->version,
                             .correlation_id = (int32_t)action->request,
                             .body = body};
    enum kw_message_status status = kw_frame_encode(&frame, &writer, NULL, NULL);
    KB_ASSERT(status == KW_MESSAGE_OK);
    response->connection = action->connection;
    response->length_bytes = writer.position_bytes;
}

static void answer_api_versions(struct rig *rig, const struct kp_action *action)
{
    static const int16_t keys[] = {KW_API_PRODUCE, KW_API_METADATA, KW_API_API_VERSIONS,
                                   KW_API_INIT_PRODUCER_ID};
    enum { KEY_COUNT = sizeof keys / sizeof keys[0] };
    struct kw_api_versions_response_api apis[KEY_COUNT];
    for (int i = 0; i < KEY_COUNT; i++) {
        kw_api_versions_response_api_init(&apis[i]);
        apis[i].api_key = keys[i];
        apis[i].min_version = kw_api_find(keys[i])->min_version;
        apis[i].max_version = kw_api_find(keys[i])->max_version;
    }
    struct kw_api_versions_response response;
    kw_api_versions_response_init(&response);
    response.api_keys.items = apis;
    response.api_keys.count = KEY_COUNT;
    answer(rig, action, &response);
}

static void answer_init_producer_id(struct rig *rig, const struct kp_action *action)
{
    struct kw_init_producer_id_response response;
    kw_init_producer_id_response_init(&response);
    response.producer_id = 1;
    answer(rig, action, &response);
}

static void verify(const struct kp_action *action)
{
    uint32_t segment = 0;
    for (uint32_t i = 0; i < action->batch_count; i++) {
        size_t size_bytes = (size_t)action->batches[i].size_bytes;
        while (action->segments[segment].length_bytes != size_bytes) {
            segment++;
        }
        enum kw_error error = kw_record_batch_validate(action->segments[segment++].bytes, size_bytes);
        KB_ASSERT(error == KW_ERROR_NONE);
    }
}

static void answer_produce(struct rig *rig, const struct kp_action *action)
{
    struct kw_produce_response_partition partitions[BATCHES_MAX];
    KB_ASSERT(action->batch_count <= BATCHES_MAX);
    if (rig->verifies_crc) {
        verify(action);
    }
    for (uint32_t i = 0; i < action->batch_count; i++) {
        kw_produce_response_partition_init(&partitions[i]);
        partitions[i].index = action->batches[i].partition;
        partitions[i].base_offset = rig->next_offset;
        rig->next_offset += action->batches[i].record_count;
    }
    rig->batches += action->batch_count;
    struct kw_produce_response_topic topic;
    kw_produce_response_topic_init(&topic);
    topic.name = (struct kw_string){"bench", 5};
    topic.partition_responses.items = partitions;
    topic.partition_responses.count = (int32_t)action->batch_count;
    struct kw_produce_response response;
    kw_produce_response_init(&response);
    response.responses.items = &topic;
    response.responses.count = 1;
    answer(rig, action, &response);
}

static void carry_out(struct rig *rig, const struct kp_action *action)
{
    switch (action->kind) {
    case KP_ACTION_CONNECT:
        kp_producer_on_connected(rig->producer, action->connection);
        break;
    case KP_ACTION_SEND:
        if (action->api == KW_API_API_VERSIONS) {
            answer_api_versions(rig, action);
        } else if (action->api == KW_API_INIT_PRODUCER_ID) {
            answer_init_producer_id(rig, action);
        } else {
            KB_ASSERT(action->api == KW_API_PRODUCE);
            answer_produce(rig, action);
        }
        kp_producer_on_sent(rig->producer, action->connection);
        break;
    case KP_ACTION_CLOSE:
        break;
    }
}

/* --- The sender's thread */

static void pass(struct rig *rig, int64_t now_ms)
{
    rig->passes++;
    kp_producer_decide(rig->producer, now_ms);
    uint32_t readable = rig->pending_count > 0 ? 1 : 0; /* a poll reads one response of a connection */
    struct kp_action action;
    while (kp_producer_next_action(rig->producer, &action)) {
        carry_out(rig, &action);
    }
    if (readable > 0) {
        const struct response *response = &rig->pending[0];
        kp_producer_on_received(rig->producer, response->connection, response->bytes + 4,
                                response->length_bytes - 4);
    }
    kp_producer_digest(rig->producer, now_ms);
    rig->pending_count -= readable;
    for (uint32_t i = 0; readable > 0 && i < rig->pending_count; i++) {
        struct response *next = &rig->pending[i + 1];
        rig->pending[i].connection = next->connection;
        rig->pending[i].length_bytes = next->length_bytes;
        memcpy(rig->pending[i].bytes, next->bytes, next->length_bytes);
    }
    struct kp_completion completion;
    while (kp_producer_next_completion(rig->producer, &completion)) {
        KB_ASSERT(!completion.failed);
        rig->completed++;
        rig->callback_sum += completion.metadata.offset;
    }
}

static int64_t coarse_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME_COARSE, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* --- The application's thread */

static void send_one(struct rig *rig, const struct kp_record *record)
{
    int64_t now_ms = coarse_ms();
    struct kp_outcome outcome;
    pthread_mutex_lock(&rig->lock);
    kp_producer_send(rig->producer, record, now_ms, &outcome);
    while (outcome.kind == KP_OUTCOME_BLOCKED) {
        uint64_t ticket;
        pass(rig, now_ms);
        if (kp_producer_next_runnable(rig->producer, now_ms, &ticket)) {
            kp_producer_resume(rig->producer, ticket, now_ms, &outcome);
        }
    }
    KB_ASSERT(outcome.kind == KP_OUTCOME_DONE);
    rig->sent++;
    if (outcome.wakes_sender && rig->sender_due == 0) {
        rig->sender_due = rig->sent + rig->sender_late_records;
    }
    if (rig->sender_due != 0 && rig->sent >= rig->sender_due) {
        rig->sender_due = 0;
        pass(rig, now_ms);
    }
    pthread_mutex_unlock(&rig->lock);
}

/* Send so many and see them acknowledged; millions of records a second. */
static double run(struct rig *rig, uint64_t record_count)
{
    struct kp_record record = {.topic = "bench",
                               .partition = -1,
                               .timestamp_ms = -1,
                               .key = KP_BYTES_NULL,
                               .value = {rig->value, rig->value_bytes}};
    double begin_s = bench_cpu_s();
    for (uint64_t i = 0; i < record_count; i++) {
        record.id = (uint32_t)i;
        send_one(rig, &record);
    }
    struct kp_outcome outcome;
    uint64_t ticket;
    kp_producer_flush(rig->producer, coarse_ms(), &outcome);
    while (outcome.kind == KP_OUTCOME_BLOCKED) {
        pass(rig, coarse_ms());
        if (kp_producer_next_runnable(rig->producer, coarse_ms(), &ticket)) {
            kp_producer_resume(rig->producer, ticket, coarse_ms(), &outcome);
        }
    }
    double taken_s = bench_cpu_s() - begin_s;
    KB_ASSERT(rig->completed == rig->sent);
    return (double)record_count / taken_s / 1e6;
}

/* --- Making one */

static void *count_allocation(void *context, size_t size_bytes)
{
    struct rig *rig = context;
    rig->allocations++;
    return malloc(size_bytes);
}

static void release(void *context, void *memory, size_t size_bytes)
{
    (void)context;
    (void)size_bytes;
    free(memory);
}

static uint64_t take_event(void *context, struct kb_event *event, uint64_t cause)
{
    struct rig *rig = context;
    rig->events++;
    return rig->log != NULL ? sim_event_log_append(rig->log, event, 0, cause) : rig->events;
}

static uint32_t take_name(void *context, const char *name, size_t length_bytes)
{
    struct rig *rig = context;
    return rig->log != NULL ? sim_event_log_intern(rig->log, name, length_bytes) : 1;
}

static bool seed_metadata(struct kp_producer *producer, int64_t now_ms)
{
    struct kw_metadata_response_partition partitions[PARTITION_COUNT];
    for (int32_t i = 0; i < PARTITION_COUNT; i++) {
        kw_metadata_response_partition_init(&partitions[i]);
        partitions[i].partition_index = i;
    }
    struct kw_metadata_response_topic topic;
    kw_metadata_response_topic_init(&topic);
    topic.name = (struct kw_string){"bench", 5};
    topic.partitions.items = partitions;
    topic.partitions.count = PARTITION_COUNT;
    struct kw_metadata_response_broker broker;
    kw_metadata_response_broker_init(&broker);
    broker.host = (struct kw_string){"localhost", 9};
    broker.port = 9092;
    struct kw_metadata_response response;
    kw_metadata_response_init(&response);
    response.brokers.items = &broker;
    response.brokers.count = 1;
    response.topics.items = &topic;
    response.topics.count = 1;
    uint8_t bytes[1024];
    struct kw_writer writer;
    kw_writer_init(&writer, bytes, sizeof bytes);
    return kw_message_encode(&kw_metadata_response_schema, 11, &response, &writer, NULL) == KW_MESSAGE_OK &&
           kp_producer_seed_metadata(producer, bytes, writer.position_bytes, now_ms);
}

static bool make_config(struct rig *rig, const struct scene *scene)
{
    static const char serializer[] = "org.apache.kafka.common.serialization.ByteArraySerializer";
    struct kp_config_entry entries[ENTRIES_MAX] = {
        {"bootstrap.servers", "127.0.0.1:9092"}, {"key.serializer", serializer},
        {"value.serializer", serializer},        {"linger.ms", "5"},
        {"batch.size", scene->batch_size},       {"acks", scene->idempotent ? "all" : "1"},
        {"max.request.size", "4194304"},
    };
    size_t count = 7;
    if (scene->idempotent) {
        entries[count++] = (struct kp_config_entry){"enable.idempotence", "true"};
    }
    struct kp_failure failure;
    if (kp_config_create(NULL, entries, count, NULL, &rig->config, &failure) != KP_CONFIG_OK) {
        fprintf(stderr, "linger bench: %s\n", failure.thrown.message);
        return false;
    }
    return true;
}

static void destroy_rig(struct rig *rig)
{
    if (rig != NULL) {
        kp_producer_destroy(rig->producer);
        kp_config_destroy(rig->config);
        sim_event_log_destroy(rig->log);
        free(rig->value);
        free(rig);
    }
}

static struct rig *make_rig(const struct scene *scene)
{
    struct rig *rig = calloc(1, sizeof *rig);
    if (rig == NULL) {
        return NULL;
    }
    rig->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    rig->verifies_crc = scene->verifies_crc;
    rig->sender_late_records = scene->sender_late_records;
    rig->value_bytes = scene->value_bytes;
    rig->value = calloc(1, (size_t)scene->value_bytes);
    rig->allocator = (struct linger_allocator){rig, count_allocation, release};
    rig->trace = (struct kb_trace){.context = rig, .emit = take_event, .intern = take_name};
    rig->log = scene->tracing == TRACE_LOGGED ? sim_event_log_create() : NULL;
    struct kp_failure failure;
    struct kp_producer_options options = {.allocator = &rig->allocator,
                                          .trace = scene->tracing != TRACE_OFF ? &rig->trace : NULL};
    if (rig->value == NULL || !make_config(rig, scene)) {
        destroy_rig(rig);
        return NULL;
    }
    options.config = rig->config;
    if (!kp_producer_create(&options, coarse_ms(), &rig->producer, &failure) ||
        !seed_metadata(rig->producer, coarse_ms())) {
        fprintf(stderr, "linger bench: %s\n", failure.thrown.message);
        destroy_rig(rig);
        return NULL;
    }
    return rig;
}

/* --- Measuring */

/* A log grows with every event: shorter runs, and a new log for each. */
static bool measure_logged(struct bench *bench, const struct scene *scene, uint64_t record_count,
                           struct bench_samples *rates, struct bench_samples *events)
{
    double end_s = bench_wall_s() + bench->seconds;
    while (rates->count < BENCH_REPETITIONS_MIN || bench_wall_s() < end_s) {
        struct rig *rig = make_rig(scene);
        if (rig == NULL) {
            return false;
        }
        double rate = run(rig, record_count);
        bench_sample(rates, rate);
        bench_sample(events, rate * (double)rig->events / (double)record_count);
        destroy_rig(rig);
    }
    return true;
}

static bool measure_scene(struct bench *bench, const struct scene *scene)
{
    static struct bench_samples rates, percents, bounds, events;
    rates.count = percents.count = bounds.count = events.count = 0;
    uint64_t record_count = (bench->is_quick ? 50000000u : 200000000u) / (uint32_t)(scene->value_bytes + 300);
    enum bench_bound kind = scene->verifies_crc ? BENCH_BOUND_VERIFY : BENCH_BOUND_PATH;
    uint32_t batch_bytes = (uint32_t)strtoul(scene->batch_size, NULL, 10);
    char name[80];
    bench_announce(scene->name);
    if (scene->tracing == TRACE_LOGGED) {
        if (!measure_logged(bench, scene, record_count / 4, &rates, &events)) {
            return false;
        }
        bench_hold(bench_add(bench, "core", scene->name, "Mrec/s", &rates), BENCH_NO_TARGET, 0);
        bench_add(bench, "core", "  events logged meanwhile", "Mevents/s", &events);
        return true;
    }
    struct rig *rig = make_rig(scene);
    if (rig == NULL) {
        return false;
    }
    (void)run(rig, record_count); /* warms up */
    uint64_t warm_allocations = rig->allocations;
    double end_s = bench_wall_s() + bench->seconds;
    while (rates.count < BENCH_REPETITIONS_MIN || bench_wall_s() < end_s) {
        double bound = bench_bound_run(kind, scene->value_bytes, batch_bytes, record_count);
        double rate = run(rig, record_count);
        bench_sample(&bounds, bound);
        bench_sample(&rates, rate);
        bench_sample(&percents, 100 * rate / bound);
    }
    struct bench_figure *figure = bench_add(bench, "core", scene->name, "Mrec/s", &rates);
    if (scene->target > 0) {
        bench_hold(figure, BENCH_AT_LEAST, scene->target);
    }
    bench_compare(figure, scene->verifies_crc ? "path + broker's CRC" : "path", &percents,
                  scene->target_percent);
    snprintf(name, sizeof name, "  bound: whole path%s",
             scene->verifies_crc ? ", broker checks the CRC" : "");
    bench_add(bench, "core", name, "Mrec/s", &bounds);
    struct bench_samples one = {.count = 0};
    bench_sample(&one, (double)rig->completed / (double)rig->batches);
    bench_add(bench, "core", "  records in a batch", "records", &one);
    one.count = 0;
    bench_sample(&one, 1e6 * (double)(rig->allocations - warm_allocations) / (double)rig->completed);
    bench_add(bench, "core", "  allocations for a million records", "", &one);
    destroy_rig(rig);
    return true;
}

static void measure_bounds(struct bench *bench)
{
    static const char *const names[] = {"bound: encode + copy into the batch", "bound: + CRC at close",
                                        "bound: + clock, lock, slot and callback of each record",
                                        "bound: + the broker checks the CRC"};
    static struct bench_samples rates;
    for (int kind = BENCH_BOUND_ENCODE; kind <= BENCH_BOUND_VERIFY; kind++) {
        rates.count = 0;
        bench_announce(names[kind]);
        double end_s = bench_wall_s() + bench->seconds / 2;
        while (rates.count < BENCH_REPETITIONS_MIN || bench_wall_s() < end_s) {
            bench_sample(&rates, bench_bound_run((enum bench_bound)kind, 100, 16384, 500000));
        }
        bench_add(bench, "core", names[kind], "Mrec/s", &rates);
    }
}

bool bench_core(struct bench *bench)
{
    /* A sender that runs in the very moment it is woken sends each full batch with the one record of the next
     * (PIGGYBACK), as Kafka's would; a thread needs a while to wake, and finds full batches. */
    static const struct scene scenes[] = {
        {"100 B, 16 KB, acks=1, broker checks the CRC", 100, "16384", false, true, TRACE_OFF, 10, 40, 0},
        {"the same, a sender that runs 500 records late", 100, "16384", false, true, TRACE_OFF, 10, 40, 500},
        {"100 B, 16 KB, acks=1, broker only acknowledges", 100, "16384", false, false, TRACE_OFF, 10, 40, 0},
        {"100 B, 16 KB, idempotent, acks=all", 100, "16384", true, false, TRACE_OFF, 0, 40, 0},
        {"100 B, 16 KB, acks=1, events dropped by the sink", 100, "16384", false, false, TRACE_DROPPED, 0, 0,
         0},
        {"100 B, 16 KB, acks=1, events logged", 100, "16384", false, false, TRACE_LOGGED, 0, 0, 0},
        {"100 B, 1 MB", 100, "1048576", false, false, TRACE_OFF, 10, 40, 0},
        {"1 KB, 16 KB", 1024, "16384", false, false, TRACE_OFF, 0, 40, 0},
        {"1 KB, 1 MB", 1024, "1048576", false, false, TRACE_OFF, 0, 40, 0},
    };
    measure_bounds(bench);
    for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
        if (!measure_scene(bench, &scenes[i])) {
            return false;
        }
    }
    return true;
}
