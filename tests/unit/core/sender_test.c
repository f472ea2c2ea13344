#include "core/sender.h"

#include "core/record_accumulator.h"
#include "core/transaction_manager_internal.h"
#include "core_support.h"
#include "unit.h"
#include "wire/api_frame.h"

#include <string.h>

enum { FRAME_BYTES = 4096, BROKERS = 2, DELIVERY_MS = 1000, TIMEOUT_MS = 500, BACKOFF_MS = 100 };

/* Partitions 0 and 2 at broker 0, 1 at broker 1. */
static const int32_t leaders[] = {0, 1, 0};

/* The request that was written last to a broker. */
struct written {
    uint32_t connection;
    uint32_t count;
    uint32_t request;
    int32_t api;
    uint32_t batch_count;
    struct kp_request_batch batches[8];
    size_t bytes; /* of all segments */
};

struct fixture {
    struct recorded_trace recorded;
    struct known_cluster cluster;
    const struct kp_topic *topics[2];
    struct kp_record_accumulator *accumulator;
    struct kp_network_client *client;
    struct kp_transaction_manager *manager;
    struct kp_sender *sender;
    struct written written[BROKERS];
    uint32_t closed_count;
    bool refuses;
    int16_t produce_version; /* of broker 0; 0: the newest */
    struct kp_append append;
    uint32_t next_record;
    uint8_t frame[FRAME_BYTES];
    size_t frame_bytes;
    uint8_t versions[BROKERS][FRAME_BYTES];
    uint8_t wire[FRAME_BYTES]; /* a request as it is written: every byte of it must be there */
};

static struct fixture f; /* large: the trace */

/* The metadata of one more topic, in a partial update. */
static void add_topic(const char *name, int32_t leader_of_0)
{
    struct kw_metadata_response_broker brokers[BROKERS];
    struct kw_metadata_response_partition partitions[3];
    struct kw_metadata_response_topic topic;
    struct kw_metadata_response response;

    kw_metadata_response_init(&response);
    for (int32_t i = 0; i < BROKERS; i++) {
        kw_metadata_response_broker_init(&brokers[i]);
        brokers[i].node_id = i;
        brokers[i].host = (struct kw_string){"broker", 6};
    }
    kw_metadata_response_topic_init(&topic);
    topic.name = (struct kw_string){name, (int32_t)strlen(name)};
    for (int32_t i = 0; i < 3; i++) {
        kw_metadata_response_partition_init(&partitions[i]);
        partitions[i].partition_index = i;
        partitions[i].leader_id = i == 0 ? leader_of_0 : leaders[i];
    }
    topic.partitions.items = partitions;
    topic.partitions.count = 3;
    response.brokers.items = brokers;
    response.brokers.count = BROKERS;
    response.topics.items = &topic;
    response.topics.count = 1;
    CU_ASSERT_TRUE_FATAL(kp_producer_metadata_add(f.cluster.metadata,
                                                  kp_topics_topic(f.cluster.topics, name, strlen(name)), 0));
    CU_ASSERT_TRUE_FATAL(kp_producer_metadata_update(f.cluster.metadata,
                                                     kp_producer_metadata_request_version(f.cluster.metadata),
                                                     &response, 11, true, 0));
}

static void set_up_compressed(bool is_idempotent, int32_t max_in_flight, enum kw_compression compression)
{
    const struct linger_allocator *allocator = &f.cluster.memory.allocator;

    memset(&f, 0, sizeof(f));
    recorded_trace_init(&f.recorded);
    known_cluster_init(&f.cluster);
    f.topics[1] = known_cluster_update(&f.cluster, "u", BROKERS, leaders, 3);
    f.topics[0] = kp_topics_topic(f.cluster.topics, "t", 1);
    add_topic("t", 0);
    if (is_idempotent) {
        f.manager = kp_transaction_manager_create(&(struct kp_transaction_manager_options){
            .allocator = allocator, .topics = f.cluster.topics, .retry_backoff_ms = BACKOFF_MS});
    }
    f.accumulator = kp_record_accumulator_create(
        &(struct kp_record_accumulator_options){.allocator = allocator,
                                                .trace = &f.recorded.trace,
                                                .metadata = f.cluster.metadata,
                                                .transaction_manager = f.manager,
                                                .buffer_memory_bytes = 100000,
                                                .batch_size_bytes = 200,
                                                .compression = compression,
                                                .retry_backoff_ms = BACKOFF_MS,
                                                .delivery_timeout_ms = DELIVERY_MS});
    f.client = kp_network_client_create(
        &(struct kp_network_client_options){.allocator = allocator,
                                            .trace = &f.recorded.trace,
                                            .metadata = f.cluster.metadata,
                                            .client_id = "c",
                                            .max_in_flight_requests_per_connection = max_in_flight,
                                            .reconnect_backoff_ms = 50,
                                            .reconnect_backoff_max_ms = 50,
                                            .connection_setup_timeout_ms = 10000,
                                            .connection_setup_timeout_max_ms = 10000,
                                            .connections_max_idle_ms = -1,
                                            .request_timeout_ms = TIMEOUT_MS});
    f.sender = kp_sender_create(&(struct kp_sender_options){.allocator = allocator,
                                                            .trace = &f.recorded.trace,
                                                            .metadata = f.cluster.metadata,
                                                            .accumulator = f.accumulator,
                                                            .client = f.client,
                                                            .transaction_manager = f.manager,
                                                            .guarantees_message_order = max_in_flight == 1,
                                                            .max_request_size_bytes = 100000,
                                                            .acks = -1,
                                                            .retries = INT32_MAX,
                                                            .request_timeout_ms = TIMEOUT_MS,
                                                            .retry_backoff_ms = BACKOFF_MS,
                                                            .delivery_timeout_ms = DELIVERY_MS});
    CU_ASSERT_FATAL(f.accumulator != NULL && f.client != NULL && f.sender != NULL);
}

static void set_up(bool is_idempotent, int32_t max_in_flight)
{
    set_up_compressed(is_idempotent, max_in_flight, KW_COMPRESSION_NONE);
}

static void tear_down(void)
{
    kp_network_client_destroy(f.client);
    kp_sender_destroy(f.sender);
    kp_transaction_manager_destroy(f.manager);
    kp_record_accumulator_destroy(f.accumulator);
    known_cluster_release(&f.cluster);
}

static void append(int topic, int32_t partition, int64_t now_ms)
{
    struct kp_failure failure;
    enum kw_error error;

    memset(&f.append, 0, sizeof(f.append));
    f.append.partition = kp_topics_partition(f.cluster.topics, f.topics[topic], partition);
    f.append.fields = (struct kw_record_fields){.value = {(const uint8_t *)"value", 5}};
    f.append.record_id = f.next_record++;
    CU_ASSERT_EQUAL_FATAL(kp_record_accumulator_append(f.accumulator, &f.append, 0, now_ms, &failure, &error),
                          KP_ACCUMULATE_APPENDED);
}

static void encode(int16_t api, int16_t version, uint32_t correlation_id, const void *body)
{
    struct kw_frame frame = {
        .api = kw_api_find(api), .version = version, .correlation_id = (int32_t)correlation_id, .body = body};
    struct kw_writer writer;

    kw_writer_init(&writer, f.frame, sizeof(f.frame));
    CU_ASSERT_EQUAL_FATAL(kw_frame_encode(&frame, &writer, NULL, NULL), KW_MESSAGE_OK);
    f.frame_bytes = writer.position_bytes - KW_FRAME_LENGTH_BYTES;
    memmove(f.frame, f.frame + KW_FRAME_LENGTH_BYTES, f.frame_bytes);
}

static void answer_versions(const struct kp_action *action)
{
    bool is_old = action->node == 0 && f.produce_version != 0;
    struct kw_api_versions_response_api apis[] = {
        {.api_key = KW_API_PRODUCE, .max_version = is_old ? f.produce_version : 9},
        {.api_key = KW_API_METADATA, .max_version = 11},
        {.api_key = KW_API_INIT_PRODUCER_ID, .max_version = 4}};
    struct kw_api_versions_response body;

    kw_api_versions_response_init(&body);
    body.api_keys.items = apis;
    body.api_keys.count = 3;
    encode(KW_API_API_VERSIONS, 3, action->request, &body);
    /* Each has its own place: several may come in one pass. */
    memcpy(f.versions[action->node], f.frame, f.frame_bytes);
    kp_network_client_on_received(f.client, action->connection, f.versions[action->node], f.frame_bytes);
}

/* Keep what a test wants to see of a request, as the driver would write it. */
static void write_request(const struct kp_action *action)
{
    struct written *written = &f.written[action->node];

    written->connection = action->connection;
    written->count++;
    written->request = action->request;
    written->api = action->api;
    written->batch_count = action->batch_count;
    written->bytes = 0;
    for (uint32_t i = 0; i < action->segment_count; i++) {
        CU_ASSERT_FATAL(written->bytes + action->segments[i].length_bytes <= sizeof(f.wire));
        memcpy(f.wire + written->bytes, action->segments[i].bytes, action->segments[i].length_bytes);
        written->bytes += action->segments[i].length_bytes;
    }
    CU_ASSERT_EQUAL(written->bytes, action->length_bytes);
    for (uint32_t i = 0; i < action->batch_count && i < 8; i++) {
        written->batches[i] = action->batches[i];
    }
    kp_network_client_on_sent(f.client, action->connection);
}

/* What the driver does with one pass; brokers answer ApiVersions at once. */
static void pass(int64_t now_ms)
{
    struct kp_action action;

    kp_sender_decide(f.sender, now_ms);
    while (kp_network_client_next_action(f.client, &action)) {
        switch (action.kind) {
        case KP_ACTION_CONNECT:
            if (f.refuses) {
                kp_network_client_on_disconnected(f.client, action.connection);
            } else {
                kp_network_client_on_connected(f.client, action.connection);
            }
            break;
        case KP_ACTION_SEND:
            write_request(&action);
            if (action.api == KW_API_API_VERSIONS) {
                answer_versions(&action);
            }
            break;
        case KP_ACTION_CLOSE:
            f.closed_count++;
            break;
        }
    }
    kp_sender_digest(f.sender, now_ms);
}

static void run(int64_t now_ms)
{
    int passes = 0;

    do {
        pass(now_ms);
    } while (!kp_sender_is_idle(f.sender) && ++passes < 100);
    CU_ASSERT_TRUE(passes < 100);
}

static void deliver(int32_t broker, int64_t now_ms)
{
    kp_sender_decide(f.sender, now_ms);
    kp_network_client_on_received(f.client, f.written[broker].connection, f.frame, f.frame_bytes);
    kp_sender_digest(f.sender, now_ms);
}

/* A produce response: an error for each of the partitions of topic t. */
static void encode_produce(uint32_t correlation_id, const int32_t *partitions, int32_t count, int16_t error)
{
    struct kw_produce_response_partition items[8];
    struct kw_produce_response_topic topic;
    struct kw_produce_response body;

    kw_produce_response_init(&body);
    kw_produce_response_topic_init(&topic);
    for (int32_t i = 0; i < count; i++) {
        kw_produce_response_partition_init(&items[i]);
        items[i].index = partitions[i];
        items[i].error_code = error;
        items[i].base_offset = error == 0 ? 40 : -1;
    }
    topic.name = (struct kw_string){"t", 1};
    topic.partition_responses.items = items;
    topic.partition_responses.count = count;
    body.responses.items = &topic;
    body.responses.count = 1;
    encode(KW_API_PRODUCE, 9, correlation_id, &body);
}

/* How many batches are done, and of the last one how. */
static uint64_t done_count(void)
{
    return kp_record_accumulator_completions(f.accumulator)->batch_count;
}

static const struct kp_producer_batch *last_done(void)
{
    return kp_record_accumulator_completions(f.accumulator)->last;
}

static void topics_stand_together_in_the_order_of_the_drain(void)
{
    set_up(false, 5);
    append(0, 0, 0);
    append(1, 0, 0);
    append(0, 2, 0);
    append(1, 2, 0);
    append(0, 1, 0);
    run(0);
    CU_ASSERT_EQUAL(f.written[0].api, KW_API_PRODUCE);
    CU_ASSERT_EQUAL_FATAL(f.written[0].batch_count, 4);
    CU_ASSERT_EQUAL(f.written[1].batch_count, 1);
    /* u is known for longer, so the drain meets it first; each topic's partitions follow each other. */
    CU_ASSERT_STRING_EQUAL(f.written[0].batches[0].topic, f.written[0].batches[1].topic);
    CU_ASSERT_STRING_EQUAL(f.written[0].batches[2].topic, f.written[0].batches[3].topic);
    CU_ASSERT_STRING_NOT_EQUAL(f.written[0].batches[1].topic, f.written[0].batches[2].topic);
    CU_ASSERT_EQUAL(f.written[0].batches[0].partition, 0);
    CU_ASSERT_EQUAL(f.written[0].batches[1].partition, 2);
    CU_ASSERT_EQUAL(recorded_trace_count(&f.recorded, KB_EVENT_REQUEST_CARRIES), 5);
    CU_ASSERT_EQUAL(kp_sender_next_deadline_ms(f.sender), TIMEOUT_MS + 1);
    tear_down();
}

static void each_batch_is_answered_once(void)
{
    set_up(false, 5);
    append(0, 0, 0);
    append(0, 2, 0);
    run(0);
    /* Twice the same, a success and then the same again, and one that nobody asked about. */
    encode_produce(f.written[0].request, (const int32_t[]){0, 0, 2, 2}, 4, 0);
    deliver(0, 5);
    CU_ASSERT_EQUAL(done_count(), 1);
    CU_ASSERT_EQUAL(last_done()->base_offset, 40);
    CU_ASSERT_EQUAL(kp_network_client_in_flight_count(f.client), 0);
    /* The other one was not heard of, as in Java: it ends by its delivery time-out. */
    run(DELIVERY_MS - 1);
    CU_ASSERT_EQUAL(done_count(), 1);
    CU_ASSERT_EQUAL(kp_sender_next_deadline_ms(f.sender), DELIVERY_MS);
    run(DELIVERY_MS);
    CU_ASSERT_EQUAL(done_count(), 2);
    CU_ASSERT_FALSE(kp_record_accumulator_has_incomplete(f.accumulator));
    tear_down();
}

/* Java's ProduceRequest refuses what the broker would not understand, the sender's loop logs that, and the
 * drained batches of this pass are nobody's until they expire. */
static void zstd_is_not_sent_to_old_brokers(void)
{
    set_up_compressed(false, 5, KW_COMPRESSION_ZSTD);
    f.produce_version = 6;
    append(0, 0, 0);
    append(0, 1, 0);
    run(0);
    CU_ASSERT_EQUAL(f.written[0].api, KW_API_API_VERSIONS);
    CU_ASSERT_EQUAL(done_count(), 0);
    CU_ASSERT_EQUAL(kp_network_client_in_flight_count(f.client), 0);
    const struct kb_event *failed = recorded_trace_last(&f.recorded, KB_EVENT_REQUEST_FAILED);
    CU_ASSERT_PTR_NOT_NULL_FATAL(failed);
    CU_ASSERT_EQUAL(failed->as.request_failed.error, KW_ERROR_UNSUPPORTED_COMPRESSION_TYPE);
    CU_ASSERT_EQUAL(failed->as.request_failed.node, 0);
    CU_ASSERT_EQUAL(failed->as.request_failed.api, KW_API_PRODUCE);
    /* Broker 1 came later in the same pass: nothing of it was sent either. Its next batch is. */
    CU_ASSERT_EQUAL(f.written[1].api, KW_API_API_VERSIONS);
    append(0, 1, 1);
    run(1);
    CU_ASSERT_EQUAL_FATAL(f.written[1].api, KW_API_PRODUCE);
    CU_ASSERT_EQUAL(f.written[1].batch_count, 1);
    encode_produce(f.written[1].request, (const int32_t[]){1}, 1, 0);
    deliver(1, 5);
    CU_ASSERT_EQUAL(done_count(), 1);
    run(DELIVERY_MS - 1);
    CU_ASSERT_EQUAL(done_count(), 1);
    run(DELIVERY_MS);
    CU_ASSERT_EQUAL(done_count(), 3);
    CU_ASSERT_EQUAL(last_done()->state, KP_BATCH_FAILED);
    CU_ASSERT_FALSE(kp_record_accumulator_has_incomplete(f.accumulator));
    tear_down();
}

static void zstd_is_sent_from_version_seven_on(void)
{
    set_up_compressed(false, 5, KW_COMPRESSION_ZSTD);
    f.produce_version = 7;
    append(0, 0, 0);
    run(0);
    CU_ASSERT_EQUAL(f.written[0].api, KW_API_PRODUCE);
    CU_ASSERT_EQUAL(recorded_trace_count(&f.recorded, KB_EVENT_REQUEST_FAILED), 0);
    tear_down();
    /* Other compressions are as old as the format. */
    set_up_compressed(false, 5, KW_COMPRESSION_LZ4);
    f.produce_version = 3;
    append(0, 0, 0);
    run(0);
    CU_ASSERT_EQUAL(f.written[0].api, KW_API_PRODUCE);
    tear_down();
}

static void an_error_is_retried_after_the_backoff(void)
{
    set_up(false, 5);
    append(0, 0, 0);
    run(0);
    encode_produce(f.written[0].request, (const int32_t[]){0}, 1, KW_ERROR_NOT_ENOUGH_REPLICAS);
    deliver(0, 5);
    CU_ASSERT_EQUAL(done_count(), 0);
    run(5);
    CU_ASSERT_EQUAL(kp_sender_next_deadline_ms(f.sender), 105);
    uint32_t before = f.written[0].count;

    run(104);
    CU_ASSERT_EQUAL(f.written[0].count, before);
    run(105);
    CU_ASSERT_EQUAL(f.written[0].count, before + 1);
    CU_ASSERT_EQUAL(f.written[0].batches[0].attempt, 1);
    encode_produce(f.written[0].request, (const int32_t[]){0}, 1, KW_ERROR_INVALID_RECORD);
    deliver(0, 110);
    CU_ASSERT_EQUAL(done_count(), 1);
    CU_ASSERT_EQUAL(last_done()->state, KP_BATCH_FAILED);
    tear_down();
}

static void one_in_flight_keeps_a_partition_muted(void)
{
    set_up(false, 1);
    append(0, 0, 0);
    run(0);
    append(0, 0, 1);
    run(1);
    CU_ASSERT_EQUAL(kp_network_client_in_flight_count(f.client), 1);
    /* Also for another broker, that leads the partition by now. */
    add_topic("t", 1);
    run(2);
    CU_ASSERT_EQUAL(f.written[1].batch_count, 0);
    encode_produce(f.written[0].request, (const int32_t[]){0}, 1, 0);
    deliver(0, 5);
    run(5);
    CU_ASSERT_EQUAL(f.written[1].batch_count, 1);
    tear_down();
}

static void a_batch_can_be_sent_and_fail_in_one_pass(void)
{
    set_up(false, 5);
    f.refuses = true;
    append(0, 0, 0);
    run(0);
    f.refuses = false;
    /* The node becomes reachable only when the delivery time is over. */
    run(DELIVERY_MS - 1);
    CU_ASSERT_EQUAL(done_count(), 0);
    tear_down();

    set_up(false, 5);
    append(0, 0, 0);
    run(0);
    encode_produce(f.written[0].request, (const int32_t[]){0}, 1, 0);
    deliver(0, 1);
    append(0, 0, 2);
    uint32_t before = f.written[0].count;

    run(2 + DELIVERY_MS); /* nobody looked in between: ready, drained, expired, written */
    CU_ASSERT_EQUAL(f.written[0].count, before + 1);
    CU_ASSERT_EQUAL(last_done()->state, KP_BATCH_FAILED);
    CU_ASSERT_PTR_NULL(last_done()->buffer);
    uint64_t done = done_count();

    encode_produce(f.written[0].request, (const int32_t[]){0}, 1, 0);
    deliver(0, 3 + DELIVERY_MS);
    CU_ASSERT_EQUAL(done_count(), done);
    tear_down();
}

static void hostile_answers_complete_nothing_twice(void)
{
    uint8_t whole[FRAME_BYTES];
    size_t whole_bytes;

    set_up(false, 5);
    encode_produce(7, (const int32_t[]){0, 2}, 2, 0);
    whole_bytes = f.frame_bytes;
    tear_down();
    for (size_t place = 0; place < whole_bytes; place++) {
        for (int flip = 0; flip < 9; flip++) {
            set_up(false, 5);
            append(0, 0, 0);
            append(0, 2, 0);
            run(0);
            encode_produce(f.written[0].request, (const int32_t[]){0, 2}, 2, 0);
            memcpy(whole, f.frame, f.frame_bytes);
            if (flip < 8) {
                f.frame[place] ^= (uint8_t)(1u << flip);
            } else {
                f.frame_bytes = place;
            }
            deliver(0, 1);
            CU_ASSERT_TRUE(done_count() <= 2);
            kp_sender_force_close(f.sender);
            pass(2);
            CU_ASSERT_TRUE(kp_sender_has_ended(f.sender));
            CU_ASSERT_EQUAL(done_count(), 2);
            tear_down();
        }
    }
}

static void closing_waits_for_what_is_in_flight(void)
{
    set_up(false, 5);
    append(0, 0, 0);
    run(0);
    append(0, 2, 0);
    kp_sender_initiate_close(f.sender);
    CU_ASSERT_FALSE(kp_sender_is_running(f.sender));
    run(1);
    CU_ASSERT_FALSE(kp_sender_has_ended(f.sender));
    CU_ASSERT_EQUAL(kp_network_client_in_flight_count(f.client), 2);
    encode_produce(f.written[0].request - 1, (const int32_t[]){0}, 1, 0);
    deliver(0, 2);
    encode_produce(f.written[0].request, (const int32_t[]){2}, 1, 0);
    deliver(0, 2);
    run(2);
    CU_ASSERT_TRUE(kp_sender_has_ended(f.sender));
    CU_ASSERT_EQUAL(done_count(), 2);
    CU_ASSERT_EQUAL(last_done()->state, KP_BATCH_SUCCEEDED);
    int64_t until_ms;

    CU_ASSERT_EQUAL(kp_sender_state(f.sender, &until_ms), KB_SENDER_STATE_CLOSED);
    CU_ASSERT_EQUAL(kp_sender_next_deadline_ms(f.sender), INT64_MAX);
    tear_down();
}

static void without_a_producer_id_nothing_else_happens(void)
{
    int64_t until_ms;

    set_up(true, 5);
    f.refuses = true;
    append(0, 0, 0);
    pass(0); /* the first, short poll of awaitReady */
    CU_ASSERT_EQUAL(kp_sender_state(f.sender, &until_ms), KB_SENDER_STATE_AWAIT_READY);
    CU_ASSERT_FALSE(kp_sender_is_idle(f.sender));
    run(0);
    /* Refused: it sleeps for the backoff, and does not even poll. */
    CU_ASSERT_EQUAL(kp_sender_state(f.sender, &until_ms), KB_SENDER_STATE_SLEEP);
    CU_ASSERT_EQUAL(until_ms, BACKOFF_MS);
    CU_ASSERT_EQUAL(kp_sender_next_deadline_ms(f.sender), BACKOFF_MS);
    CU_ASSERT_TRUE((recorded_trace_last(&f.recorded, KB_EVENT_BATCH_HELD)->as.batch_held.held &
                    KB_HELD_SENDER_BUSY) != 0);
    f.refuses = false;
    run(BACKOFF_MS - 1);
    CU_ASSERT_EQUAL(f.written[0].count + f.written[1].count, 0);
    run(BACKOFF_MS);
    /* The node is ready, but the request is a retry: it sleeps once more. */
    CU_ASSERT_EQUAL(kp_sender_state(f.sender, &until_ms), KB_SENDER_STATE_SLEEP);
    CU_ASSERT_EQUAL(until_ms, 2 * BACKOFF_MS);
    run(2 * BACKOFF_MS);
    CU_ASSERT_EQUAL(kp_sender_state(f.sender, &until_ms), KB_SENDER_STATE_RUN);
    CU_ASSERT_TRUE(kp_transaction_manager_has_in_flight_request(f.manager));
    CU_ASSERT_EQUAL(done_count(), 0);
    /* It only polls: no produce request, no expiry. */
    run(BACKOFF_MS + TIMEOUT_MS);
    CU_ASSERT_TRUE(kp_transaction_manager_has_in_flight_request(f.manager));
    CU_ASSERT_EQUAL(done_count(), 0);
    tear_down();
}

static void awaiting_a_node_polls_until_something_comes(void)
{
    int64_t until_ms;
    struct kp_action action;

    set_up(true, 5);
    pass(0);
    kp_sender_decide(f.sender, 0);
    CU_ASSERT_TRUE_FATAL(kp_network_client_next_action(f.client, &action));
    CU_ASSERT_EQUAL(action.kind, KP_ACTION_CONNECT);
    kp_sender_digest(f.sender, 0);
    CU_ASSERT_TRUE(kp_sender_state(f.sender, &until_ms) == KB_SENDER_STATE_AWAIT_READY);
    CU_ASSERT_EQUAL(until_ms, TIMEOUT_MS);
    run(1);
    run(TIMEOUT_MS - 1);
    CU_ASSERT_EQUAL(kp_sender_next_deadline_ms(f.sender), TIMEOUT_MS);
    /* Its time is over: to sleep, and to try again. */
    run(TIMEOUT_MS);
    CU_ASSERT_EQUAL(kp_sender_state(f.sender, &until_ms), KB_SENDER_STATE_SLEEP);
    CU_ASSERT_EQUAL(until_ms, TIMEOUT_MS + BACKOFF_MS);
    /* A force does not wake it: it ends when the sleep does. */
    kp_sender_force_close(f.sender);
    run(TIMEOUT_MS + BACKOFF_MS - 1);
    CU_ASSERT_FALSE(kp_sender_has_ended(f.sender));
    run(TIMEOUT_MS + BACKOFF_MS);
    CU_ASSERT_TRUE(kp_sender_has_ended(f.sender));
    tear_down();
}

int main(void)
{
    return unit_main(
        "sender",
        (struct unit_test[]){
            {"topics stand together", topics_stand_together_in_the_order_of_the_drain},
            {"each batch is answered once", each_batch_is_answered_once},
            {"zstd and old brokers", zstd_is_not_sent_to_old_brokers},
            {"zstd from version 7", zstd_is_sent_from_version_seven_on},
            {"an error is retried after the backoff", an_error_is_retried_after_the_backoff},
            {"one in flight keeps a partition muted", one_in_flight_keeps_a_partition_muted},
            {"sent and failed in one pass", a_batch_can_be_sent_and_fail_in_one_pass},
            {"hostile answers complete nothing twice", hostile_answers_complete_nothing_twice},
            {"closing waits for what is in flight", closing_waits_for_what_is_in_flight},
            {"without a producer id nothing else happens", without_a_producer_id_nothing_else_happens},
            {"awaiting a node", awaiting_a_node_polls_until_something_comes},
            {0}});
}
