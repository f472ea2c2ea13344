/*
 * bench_producer [RECORDS] [VALUE_BYTES] [PARTITIONS] [name=value]...: the producer core in process, on one
 * thread, against a broker that checks the CRC of each batch and acknowledges. Says how many records a second
 * went from send() to callback, and how often the allocator was asked after the first tenth.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include "base/assert.h"
#include "wire/api_frame.h"
#include "wire/api_keys.h"
#include "wire/cursor.h"
#include "wire/message_structs.h"
#include "wire/record_batch.h"

#include <linger/producer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    FRAME_BYTES = 1 << 16,
    PENDING_MAX = 16,
    PARTITIONS_MAX = 1 << 14,
    BATCHES_MAX = 1 << 12,
    /* The virtual clock: so many records take a millisecond. */
    RECORDS_PER_MS = 10000,
    ENTRIES_MAX = 32
};

#define SERIALIZER "org.apache.kafka.common.serialization.ByteArraySerializer"

struct response {
    uint32_t connection;
    uint8_t bytes[FRAME_BYTES];
    size_t length_bytes;
};

struct bench {
    struct kp_producer *producer;
    struct response pending[PENDING_MAX];
    uint32_t pending_count;
    uint64_t next_offset;
    uint64_t completed;
    uint64_t batches;
    uint64_t passes;
    uint64_t allocations;
};

static struct bench bench;

static void *count_allocation(void *context, size_t size_bytes)
{
    (void)context;
    bench.allocations++;
    return malloc(size_bytes);
}

static void release(void *context, void *memory, size_t size_bytes)
{
    (void)context;
    (void)size_bytes;
    free(memory);
}

static void answer(const struct kp_action *action, const void *body, const struct kw_api *api)
{
    KB_ASSERT(bench.pending_count < PENDING_MAX);
    struct response *response = &bench.pending[bench.pending_count++];
    struct kw_writer writer;
    kw_writer_init(&writer, response->bytes, sizeof response->bytes);
    struct kw_frame frame = {.api = api,
                             .version = (int16_t)action->version,
                             .correlation_id = (int32_t)action->request,
                             .body = body};
    enum kw_message_status status = kw_frame_encode(&frame, &writer, NULL, NULL);
    KB_ASSERT(status == KW_MESSAGE_OK);
    response->connection = action->connection;
    response->length_bytes = writer.position_bytes;
}

static void answer_api_versions(const struct kp_action *action)
{
    static const int16_t keys[] = {KW_API_PRODUCE, KW_API_METADATA, KW_API_API_VERSIONS,
                                   KW_API_INIT_PRODUCER_ID};
    struct kw_api_versions_response_api apis[sizeof keys / sizeof keys[0]];
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        kw_api_versions_response_api_init(&apis[i]);
        apis[i].api_key = keys[i];
        apis[i].min_version = kw_api_find(keys[i])->min_version;
        apis[i].max_version = kw_api_find(keys[i])->max_version;
    }
    struct kw_api_versions_response response;
    kw_api_versions_response_init(&response);
    response.api_keys.items = apis;
    response.api_keys.count = (int32_t)(sizeof keys / sizeof keys[0]);
    answer(action, &response, kw_api_find(KW_API_API_VERSIONS));
}

static void answer_init_producer_id(const struct kp_action *action)
{
    struct kw_init_producer_id_response response;
    kw_init_producer_id_response_init(&response);
    response.producer_id = 1;
    answer(action, &response, kw_api_find(KW_API_INIT_PRODUCER_ID));
}

static void answer_produce(const struct kp_action *action)
{
    static struct kw_produce_response_partition partitions[BATCHES_MAX];
    KB_ASSERT(action->batch_count <= BATCHES_MAX);
    size_t next_segment = 0;
    for (uint32_t i = 0; i < action->batch_count; i++) {
        const struct kp_request_batch *batch = &action->batches[i];
        while (action->segments[next_segment].length_bytes != (size_t)batch->size_bytes) {
            next_segment++;
        }
        const uint8_t *bytes = action->segments[next_segment++].bytes;
        KB_ASSERT(kw_record_batch_validate(bytes, (size_t)batch->size_bytes) == KW_ERROR_NONE);
        kw_produce_response_partition_init(&partitions[i]);
        partitions[i].index = batch->partition;
        partitions[i].base_offset = (int64_t)bench.next_offset;
        bench.next_offset += batch->record_count;
        bench.batches++;
    }
    struct kw_produce_response_topic topic;
    kw_produce_response_topic_init(&topic);
    topic.name = (struct kw_string){"t", 1};
    topic.partition_responses.items = partitions;
    topic.partition_responses.count = (int32_t)action->batch_count;
    struct kw_produce_response response;
    kw_produce_response_init(&response);
    response.responses.items = &topic;
    response.responses.count = 1;
    answer(action, &response, kw_api_find(KW_API_PRODUCE));
}

static void carry_out(const struct kp_action *action)
{
    switch (action->kind) {
    case KP_ACTION_CONNECT:
        kp_producer_on_connected(bench.producer, action->connection);
        break;
    case KP_ACTION_SEND:
        if (action->api == KW_API_API_VERSIONS) {
            answer_api_versions(action);
        } else if (action->api == KW_API_INIT_PRODUCER_ID) {
            answer_init_producer_id(action);
        } else if (action->api == KW_API_PRODUCE) {
            answer_produce(action);
        }
        kp_producer_on_sent(bench.producer, action->connection);
        break;
    case KP_ACTION_CLOSE:
        break;
    }
}

/* One pass of the sender, the network and the callbacks. */
static void pass(int64_t now_ms)
{
    bench.passes++;
    kp_producer_decide(bench.producer, now_ms);
    uint32_t readable = bench.pending_count;
    struct kp_action action;
    while (kp_producer_next_action(bench.producer, &action)) {
        carry_out(&action);
    }
    for (uint32_t i = 0; i < readable; i++) {
        kp_producer_on_received(bench.producer, bench.pending[i].connection, bench.pending[i].bytes + 4,
                                bench.pending[i].length_bytes - 4);
    }
    kp_producer_digest(bench.producer, now_ms);
    bench.pending_count -= readable;
    if (readable > 0 && bench.pending_count > 0) {
        memmove(bench.pending, bench.pending + readable, bench.pending_count * sizeof bench.pending[0]);
    }
    static struct kp_completion completion;
    while (kp_producer_next_completion(bench.producer, &completion)) {
        KB_ASSERT(!completion.failed);
        bench.completed++;
    }
}

static void seed_metadata(int32_t partition_count)
{
    static struct kw_metadata_response_partition partitions[PARTITIONS_MAX];
    static uint8_t bytes[PARTITIONS_MAX * 64];
    for (int32_t i = 0; i < partition_count; i++) {
        kw_metadata_response_partition_init(&partitions[i]);
        partitions[i].partition_index = i;
    }
    struct kw_metadata_response_topic topic;
    kw_metadata_response_topic_init(&topic);
    topic.name = (struct kw_string){"t", 1};
    topic.partitions.items = partitions;
    topic.partitions.count = partition_count;
    struct kw_metadata_response_broker broker;
    kw_metadata_response_broker_init(&broker);
    broker.host = (struct kw_string){"h", 1};
    broker.port = 9092;
    struct kw_metadata_response response;
    kw_metadata_response_init(&response);
    response.brokers.items = &broker;
    response.brokers.count = 1;
    response.topics.items = &topic;
    response.topics.count = 1;
    struct kw_writer writer;
    kw_writer_init(&writer, bytes, sizeof bytes);
    enum kw_message_status status =
        kw_message_encode(&kw_metadata_response_schema, 11, &response, &writer, NULL);
    bool is_seeded =
        status == KW_MESSAGE_OK && kp_producer_seed_metadata(bench.producer, bytes, writer.position_bytes, 0);
    KB_ASSERT(is_seeded);
}

static struct kp_config *make_config(int argument_count, char **arguments)
{
    struct kp_config_entry entries[ENTRIES_MAX] = {{"bootstrap.servers", "127.0.0.1:9092"},
                                                   {"key.serializer", SERIALIZER},
                                                   {"value.serializer", SERIALIZER},
                                                   {"acks", "1"},
                                                   {"linger.ms", "5"}};
    size_t count = 5;
    for (int i = 0; i < argument_count && count < ENTRIES_MAX; i++) {
        char *equals = strchr(arguments[i], '=');
        if (equals != NULL) {
            *equals = '\0';
            entries[count++] = (struct kp_config_entry){arguments[i], equals + 1};
        }
    }
    static struct kp_failure failure;
    struct kp_config *config = NULL;
    if (kp_config_create(NULL, entries, count, NULL, &config, &failure) != KP_CONFIG_OK) {
        fprintf(stderr, "%s\n", failure.thrown.message);
        exit(2);
    }
    return config;
}

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void send_record(const struct kp_record *record, int64_t now_ms)
{
    static struct kp_outcome outcome;
    kp_producer_send(bench.producer, record, now_ms, &outcome);
    while (outcome.kind == KP_OUTCOME_BLOCKED) {
        uint64_t ticket;
        pass(now_ms);
        if (kp_producer_next_runnable(bench.producer, now_ms, &ticket)) {
            kp_producer_resume(bench.producer, ticket, now_ms, &outcome);
        }
    }
    KB_ASSERT(outcome.kind == KP_OUTCOME_DONE);
    if (outcome.wakes_sender) {
        pass(now_ms);
    }
}

int main(int argc, char **argv)
{
    uint64_t record_count = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000;
    int32_t value_bytes = argc > 2 ? atoi(argv[2]) : 100;
    int32_t partition_count = argc > 3 ? atoi(argv[3]) : 6;
    struct linger_allocator allocator = {NULL, count_allocation, release};
    struct kp_config *config = make_config(argc > 4 ? argc - 4 : 0, argv + 4);
    struct kp_producer_options options = {.config = config, .allocator = &allocator};
    static struct kp_failure failure;
    if (partition_count > PARTITIONS_MAX || !kp_producer_create(&options, 0, &bench.producer, &failure)) {
        fprintf(stderr, "%s\n", failure.cause_count > 0 ? failure.causes[0].message : "too many partitions");
        return 2;
    }
    seed_metadata(partition_count);
    char *value = calloc(1, (size_t)value_bytes + 1);
    struct kp_record record = {.topic = "t",
                               .partition = -1,
                               .timestamp_ms = -1,
                               .key = KP_BYTES_NULL,
                               .value = {value, value_bytes}};
    uint64_t warm_allocations = 0;
    double begin_s = now_s();
    for (uint64_t i = 0; i < record_count; i++) {
        record.id = (uint32_t)i;
        send_record(&record, (int64_t)(i / RECORDS_PER_MS));
        if (i == record_count / 10) {
            warm_allocations = bench.allocations;
        }
    }
    int64_t now_ms = (int64_t)(record_count / RECORDS_PER_MS);
    for (int64_t end_ms = now_ms + 1000; bench.completed < record_count && now_ms < end_ms; now_ms++) {
        pass(now_ms);
    }
    double taken_s = now_s() - begin_s;
    printf(
        "%.2f Mrec/s, %llu records in %.3f s; %.1f records a batch, %llu passes, %llu allocations later on\n",
        (double)bench.completed / taken_s / 1e6, (unsigned long long)bench.completed, taken_s,
        (double)bench.completed / (double)bench.batches, (unsigned long long)bench.passes,
        (unsigned long long)(bench.allocations - warm_allocations));
    kp_producer_destroy(bench.producer);
    kp_config_destroy(config);
    free(value);
    return bench.completed == record_count ? 0 : 1;
}
