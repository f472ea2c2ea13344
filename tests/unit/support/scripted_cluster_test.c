#include "scripted_cluster.h"

#include "base/allocator.h"
#include "base/arena.h"
#include "unit.h"
#include "wire/api_frame.h"
#include "wire/record_batch.h"
#include "wire/record_batch_builder.h"

#include <stdlib.h>
#include <string.h>

enum { EPOCH_MS = 1000000, REPORT_COUNT_MAX = 64, FRAME_BYTES_MAX = 1024 };

/* --- A cluster, and what it reported */

struct seen {
    enum scripted_report_kind kind;
    uint32_t connection;
    int32_t node;
    int64_t correlation_id;
    uint8_t *frame;
    size_t length_bytes;
};

struct fixture {
    cJSON *description;
    cJSON *script;
    struct scripted_cluster *cluster;
    struct seen seen[REPORT_COUNT_MAX];
    size_t seen_count;
    int64_t t;
};

static void see(void *context, const struct scripted_report *report)
{
    struct fixture *f = context;
    CU_ASSERT_FATAL(f->seen_count < REPORT_COUNT_MAX);
    struct seen *seen = &f->seen[f->seen_count++];
    *seen = (struct seen){.kind = report->kind,
                          .connection = report->connection,
                          .node = report->node,
                          .correlation_id = report->correlation_id,
                          .length_bytes = report->length_bytes};
    if (report->frame != NULL) {
        seen->frame = malloc(report->length_bytes + 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(seen->frame);
        memcpy(seen->frame, report->frame, report->length_bytes);
    }
}

static void forget(struct fixture *f)
{
    for (size_t i = 0; i < f->seen_count; i++) {
        free(f->seen[i].frame);
    }
    f->seen_count = 0;
}

static struct fixture *start(const char *description, const char *script)
{
    struct fixture *f = calloc(1, sizeof *f);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    f->description = json_parse(description, strlen(description));
    f->script = json_parse(script, strlen(script));
    CU_ASSERT_PTR_NOT_NULL_FATAL(f->description);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f->script);
    f->cluster = scripted_cluster_create(f->description, f->script, EPOCH_MS);
    scripted_cluster_begin_ms(f->cluster, 0);
    return f;
}

static void stop(struct fixture *f)
{
    forget(f);
    scripted_cluster_destroy(f->cluster);
    cJSON_Delete(f->description);
    cJSON_Delete(f->script);
    free(f);
}

static void at(struct fixture *f, int64_t t)
{
    while (f->t < t) {
        scripted_cluster_begin_ms(f->cluster, ++f->t);
    }
}

/* One step; only its reports are kept. */
static size_t move(struct fixture *f)
{
    forget(f);
    scripted_cluster_move(f->cluster, f->t, see, f);
    return f->seen_count;
}

#define TWO_BROKERS                                                                                          \
    "\"brokers\":2,\"nodes\":[{\"id\":0,\"host\":\"a\",\"port\":1},{\"id\":1,\"host\":\"b\",\"port\":2}],"   \
    "\"topics\":[{\"name\":\"t\",\"partitions\":2}],\"rtt_ms\":5"

static const char two_brokers[] = "{" TWO_BROKERS "}";

static void connect_at_once(struct fixture *f, uint32_t connection, int32_t node)
{
    scripted_cluster_connect(f->cluster, connection, node, f->t);
    CU_ASSERT_EQUAL(move(f), 1);
    CU_ASSERT_EQUAL(f->seen[0].kind, SCRIPTED_CONNECTED);
}

/* --- Requests and responses */

static void hand_over(struct fixture *f, uint32_t connection, const char *api, int16_t version,
                      int32_t correlation_id, const void *body)
{
    uint8_t bytes[FRAME_BYTES_MAX];
    struct kw_writer writer;
    struct kw_frame frame = {.api = kw_api_find_name(api),
                             .version = version,
                             .is_request = true,
                             .correlation_id = correlation_id,
                             .client_id = {.data = "c", .length_bytes = 1},
                             .body = body};
    kw_writer_init(&writer, bytes, sizeof bytes);
    CU_ASSERT_EQUAL_FATAL(kw_frame_encode(&frame, &writer, NULL, NULL), KW_MESSAGE_OK);
    scripted_cluster_hand_over(f->cluster, connection, bytes, writer.position_bytes);
}

static void produce(struct fixture *f, uint32_t connection, int32_t correlation_id, int32_t partition,
                    int64_t id, int16_t epoch, int32_t sequence, int record_count)
{
    uint8_t memory[FRAME_BYTES_MAX];
    struct kw_record_batch_builder builder;
    struct kw_record_batch_options options = kw_record_batch_options_default();
    struct kw_record_fields fields = {.value = {.bytes = (const uint8_t *)"v", .length_bytes = 1}};
    kw_record_batch_builder_init(&builder, memory, sizeof memory, &options);
    for (int i = 0; i < record_count; i++) {
        (void)kw_record_batch_builder_append(&builder, EPOCH_MS, &fields);
    }
    kw_record_batch_builder_set_producer_state(&builder, id, epoch, sequence, false);
    kw_record_batch_builder_close(&builder);
    struct kw_produce_request_partition data = {
        .index = partition,
        .records = {.bytes = memory, .length_bytes = (int32_t)kw_record_batch_size_bytes(memory)}};
    struct kw_produce_request_topic topic = {.name = {.data = "t", .length_bytes = 1},
                                             .partition_data = {.items = &data, .count = 1}};
    struct kw_produce_request body;
    kw_produce_request_init(&body);
    body.acks = -1;
    body.topic_data.items = &topic;
    body.topic_data.count = 1;
    hand_over(f, connection, "Produce", 9, correlation_id, &body);
}

/* What the only response of the last step says of its only partition. */
static void expect_produced(const struct fixture *f, int32_t correlation_id, int16_t error, int64_t offset)
{
    CU_ASSERT_EQUAL_FATAL(f->seen_count, 1);
    CU_ASSERT_EQUAL_FATAL(f->seen[0].kind, SCRIPTED_RECEIVED);
    CU_ASSERT_EQUAL(f->seen[0].correlation_id, correlation_id);
    /* Header: correlation id, tags. Body: topics, "t", partitions, index, error, offset. */
    const uint8_t *frame = f->seen[0].frame;
    CU_ASSERT_FATAL(f->seen[0].length_bytes > 23);
    CU_ASSERT_EQUAL(kw_load_i32(frame), correlation_id);
    CU_ASSERT_EQUAL(kw_load_i16(frame + 13), error);
    CU_ASSERT_EQUAL(kw_load_i64(frame + 15), offset);
}

/* Write a batch, wait, and see what comes. */
static void produce_and_expect(struct fixture *f, int32_t correlation_id, int64_t id, int16_t epoch,
                               int32_t sequence, int record_count, int16_t error, int64_t offset)
{
    produce(f, 1, correlation_id, 0, id, epoch, sequence, record_count);
    CU_ASSERT_EQUAL(move(f), 1);
    CU_ASSERT_EQUAL(f->seen[0].kind, SCRIPTED_WRITTEN);
    at(f, f->t + 5);
    (void)move(f);
    expect_produced(f, correlation_id, error, offset);
}

static void answers_after_the_round_trip(void)
{
    struct fixture *f = start(two_brokers, "[]");
    connect_at_once(f, 1, 0);
    produce(f, 1, 7, 0, -1, -1, -1, 3);
    CU_ASSERT_EQUAL(move(f), 1);
    at(f, 4);
    CU_ASSERT_EQUAL(move(f), 0);
    at(f, 5);
    (void)move(f);
    expect_produced(f, 7, 0, 0);
    CU_ASSERT_EQUAL(move(f), 0);
    produce_and_expect(f, 8, -1, -1, -1, 1, 0, 3);
    CU_ASSERT_PTR_NULL(scripted_cluster_failure(f->cluster));
    stop(f);
}

static void a_wrong_leader_says_so(void)
{
    struct fixture *f = start(two_brokers, "[]");
    connect_at_once(f, 1, 1);
    produce_and_expect(f, 1, -1, -1, -1, 1, KW_ERROR_NOT_LEADER_OR_FOLLOWER, -1);
    stop(f);
}

static void checks_sequences(void)
{
    struct fixture *f = start(two_brokers, "[]");
    connect_at_once(f, 1, 0);
    /* A partition that knows nothing of the producer takes any sequence. */
    produce_and_expect(f, 1, 1000, 0, 5, 2, 0, 0);
    produce_and_expect(f, 2, 1000, 0, 7, 1, 0, 2);
    produce_and_expect(f, 3, 1000, 0, 9, 1, KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    produce_and_expect(f, 4, 1000, 0, 8, 1, 0, 3);
    /* One of the last five, and one that is like it but for its length. */
    produce_and_expect(f, 5, 1000, 0, 5, 2, 0, 0);
    produce_and_expect(f, 6, 1000, 0, 5, 3, KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    for (int32_t i = 0; i < 3; i++) {
        produce_and_expect(f, 7 + i, 1000, 0, 9 + i, 1, 0, 4 + i);
    }
    produce_and_expect(f, 10, 1000, 0, 5, 2, KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    produce_and_expect(f, 11, 1000, 0, 7, 1, 0, 2);
    /* Epochs. */
    produce_and_expect(f, 12, 1000, 1, 12, 1, KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    produce_and_expect(f, 13, 1000, 1, 0, 1, 0, 7);
    produce_and_expect(f, 14, 1000, 0, 12, 1, KW_ERROR_INVALID_PRODUCER_EPOCH, -1);
    /* Another producer is another producer. */
    produce_and_expect(f, 15, 1001, 0, 0, 1, 0, 8);
    CU_ASSERT_PTR_NULL(scripted_cluster_failure(f->cluster));
    stop(f);
}

static void sequences_wrap(void)
{
    struct fixture *f = start(two_brokers, "[]");
    connect_at_once(f, 1, 0);
    produce_and_expect(f, 1, 1000, 0, INT32_MAX, 1, 0, 0);
    produce_and_expect(f, 2, 1000, 0, 0, 1, 0, 1);
    stop(f);
}

static void the_script_answers_with_errors(void)
{
    struct fixture *f =
        start(two_brokers, "[{\"nth_produce\":0,\"action\":\"error\",\"code\":7,\"append\":true},"
                           "{\"nth_produce\":1,\"action\":\"error\",\"code\":19},"
                           "{\"nth_produce\":2,\"action\":\"error\",\"code\":6,\"partition\":1},"
                           "{\"nth_produce\":3,\"action\":\"error\",\"code\":6,\"move_leader_to\":1},"
                           "{\"nth_produce\":5,\"action\":\"error\",\"code\":10,\"base_offset\":77}]");
    connect_at_once(f, 1, 0);
    produce_and_expect(f, 1, -1, -1, -1, 2, 7, -1);
    produce_and_expect(f, 2, -1, -1, -1, 1, 19, -1);
    produce_and_expect(f, 3, -1, -1, -1, 1, 0, 2);
    produce_and_expect(f, 4, -1, -1, -1, 1, 6, -1);
    produce_and_expect(f, 5, -1, -1, -1, 1, 6, -1);
    produce_and_expect(f, 6, -1, -1, -1, 1, 10, 77);
    stop(f);
}

static void forgets_a_producer(void)
{
    struct fixture *f =
        start(two_brokers, "[{\"nth_produce\":1,\"action\":\"error\",\"code\":59,\"forget_producer\":true}]");
    connect_at_once(f, 1, 0);
    produce_and_expect(f, 1, 1000, 0, 0, 1, 0, 0);
    produce_and_expect(f, 2, 1000, 0, 1, 1, 59, -1);
    produce_and_expect(f, 3, 1000, 0, 44, 1, 0, 1);
    stop(f);
}

/* --- Time and connections */

static void responses_do_not_overtake(void)
{
    struct fixture *f = start(two_brokers, "[{\"nth_produce\":0,\"action\":\"delay\",\"ms\":10}]");
    connect_at_once(f, 1, 0);
    produce(f, 1, 1, 0, -1, -1, -1, 1);
    (void)move(f);
    at(f, 1);
    produce(f, 1, 2, 0, -1, -1, -1, 1);
    (void)move(f);
    at(f, 14);
    CU_ASSERT_EQUAL(move(f), 0);
    at(f, 15);
    (void)move(f);
    expect_produced(f, 1, 0, 0);
    (void)move(f);
    expect_produced(f, 2, 0, 1);
    stop(f);
}

static void a_closing_comes_in_place_of_the_response(void)
{
    struct fixture *f = start(two_brokers, "[{\"nth_produce\":0,\"action\":\"disconnect\"}]");
    connect_at_once(f, 1, 0);
    produce(f, 1, 1, 0, -1, -1, -1, 1);
    (void)move(f);
    produce(f, 1, 2, 0, -1, -1, -1, 1);
    (void)move(f);
    at(f, 4);
    CU_ASSERT_EQUAL(move(f), 0);
    at(f, 5);
    produce(f, 1, 3, 0, -1, -1, -1, 1);
    CU_ASSERT_EQUAL_FATAL(move(f), 2);
    CU_ASSERT_EQUAL(f->seen[0].kind, SCRIPTED_UNSENT);
    CU_ASSERT_EQUAL(f->seen[1].kind, SCRIPTED_CLOSED);
    CU_ASSERT_EQUAL(f->seen[1].correlation_id, 1);
    CU_ASSERT_EQUAL(move(f), 0);
    /* Both that were written were carried out, the third was not. */
    connect_at_once(f, 2, 0);
    produce(f, 2, 4, 0, -1, -1, -1, 1);
    (void)move(f);
    at(f, 10);
    (void)move(f);
    expect_produced(f, 4, 0, 2);
    stop(f);
}

static void a_dropped_response_silences_the_connection(void)
{
    struct fixture *f = start(two_brokers, "[{\"nth_produce\":0,\"action\":\"drop_response\"}]");
    connect_at_once(f, 1, 0);
    produce(f, 1, 1, 0, -1, -1, -1, 1);
    (void)move(f);
    produce(f, 1, 2, 0, -1, -1, -1, 1);
    (void)move(f);
    at(f, 1000);
    CU_ASSERT_EQUAL(move(f), 0);
    CU_ASSERT_FALSE(scripted_cluster_close(f->cluster, 1));
    stop(f);
}

static void brokers_go_and_come_back(void)
{
    struct fixture *f = start(two_brokers, "[{\"at\":1,\"action\":\"node_down\",\"node\":0},"
                                           "{\"at\":3,\"action\":\"node_up\",\"node\":0},"
                                           "{\"at\":4,\"action\":\"node_hang\",\"node\":0},"
                                           "{\"at\":5,\"action\":\"disconnect_node\",\"node\":0}]");
    connect_at_once(f, 1, 0);
    produce(f, 1, 1, 0, -1, -1, -1, 1);
    (void)move(f);
    at(f, 1);
    CU_ASSERT_EQUAL(move(f), 1);
    CU_ASSERT_EQUAL(f->seen[0].kind, SCRIPTED_CLOSED);
    CU_ASSERT_EQUAL(f->seen[0].correlation_id, -1);
    at(f, 2);
    scripted_cluster_connect(f->cluster, 2, 0, f->t);
    CU_ASSERT_EQUAL(move(f), 1);
    CU_ASSERT_EQUAL(f->seen[0].kind, SCRIPTED_REFUSED);
    at(f, 3);
    connect_at_once(f, 3, 0);
    at(f, 4);
    scripted_cluster_connect(f->cluster, 4, 0, f->t);
    CU_ASSERT_EQUAL(move(f), 0);
    at(f, 5);
    CU_ASSERT_EQUAL(move(f), 1);
    CU_ASSERT_EQUAL(f->seen[0].kind, SCRIPTED_CLOSED);
    CU_ASSERT_EQUAL(f->seen[0].connection, 3);
    stop(f);
}

static void connections_move_in_the_order_of_nodes(void)
{
    struct fixture *f = start("{" TWO_BROKERS ",\"connect_ms\":3}", "[]");
    scripted_cluster_connect(f->cluster, 1, 1, 0);
    scripted_cluster_connect(f->cluster, 2, 0, 0);
    scripted_cluster_connect(f->cluster, 3, -1, 0);
    scripted_cluster_connect(f->cluster, 4, -2, 0);
    at(f, 2);
    CU_ASSERT_EQUAL(move(f), 0);
    at(f, 3);
    CU_ASSERT_EQUAL_FATAL(move(f), 4);
    CU_ASSERT_EQUAL(f->seen[0].node, -2);
    CU_ASSERT_EQUAL(f->seen[1].node, -1);
    CU_ASSERT_EQUAL(f->seen[2].node, 0);
    CU_ASSERT_EQUAL(f->seen[3].node, 1);
    stop(f);
}

/* Ask on connection 1 for the metadata of "t". Returns how many partitions it has. */
static int32_t ask_for_metadata(struct fixture *f, int32_t correlation_id, struct kb_arena *arena,
                                struct kw_metadata_response *response)
{
    struct kw_metadata_request_topic topic;
    struct kw_metadata_request body;
    struct kw_reader reader;
    kw_metadata_request_topic_init(&topic);
    kw_metadata_request_init(&body);
    topic.name = (struct kw_string){.data = "t", .length_bytes = 1};
    body.topics.items = &topic;
    body.topics.count = 1;
    hand_over(f, 1, "Metadata", 11, correlation_id, &body);
    (void)move(f);
    (void)move(f);
    CU_ASSERT_EQUAL_FATAL(f->seen_count, 1);
    CU_ASSERT_EQUAL_FATAL(f->seen[0].kind, SCRIPTED_RECEIVED);
    /* Behind the header: a correlation id and no tags. */
    kw_reader_init(&reader, f->seen[0].frame + 5, f->seen[0].length_bytes - 5);
    CU_ASSERT_EQUAL_FATAL(kw_message_decode(&kw_metadata_response_schema, 11, &reader, arena, response, NULL),
                          KW_MESSAGE_OK);
    CU_ASSERT_EQUAL_FATAL(response->topics.count, 1);
    return response->topics.items[0].partitions.count;
}

static void expect_partition(const struct kw_metadata_response *response, int32_t partition, int32_t leader,
                             int32_t leader_epoch, int16_t error)
{
    const struct kw_metadata_response_partition *item =
        &response->topics.items[0].partitions.items[partition];
    CU_ASSERT_EQUAL(item->partition_index, partition);
    CU_ASSERT_EQUAL(item->leader_id, leader);
    CU_ASSERT_EQUAL(item->leader_epoch, leader_epoch);
    CU_ASSERT_EQUAL(item->error_code, error);
}

static void metadata_follows_the_cluster(void)
{
    struct kb_arena arena;
    struct kw_metadata_response response;
    struct fixture *f =
        start(two_brokers, "[{\"at\":1,\"action\":\"move_leader\",\"topic\":\"t\",\"partition\":1,\"to\":0},"
                           "{\"at\":2,\"action\":\"add_partitions\",\"topic\":\"t\",\"to\":4},"
                           "{\"at\":3,\"action\":\"node_down\",\"node\":1}]");
    kb_arena_init(&arena, kb_allocator_default(), FRAME_BYTES_MAX, 0);
    connect_at_once(f, 1, 0);
    CU_ASSERT_EQUAL_FATAL(ask_for_metadata(f, 1, &arena, &response), 2);
    CU_ASSERT_EQUAL(response.brokers.count, 2);
    expect_partition(&response, 0, 0, 0, 0);
    expect_partition(&response, 1, 1, 0, 0);
    at(f, 1);
    CU_ASSERT_EQUAL_FATAL(ask_for_metadata(f, 2, &arena, &response), 2);
    expect_partition(&response, 1, 0, 1, 0);
    at(f, 2);
    CU_ASSERT_EQUAL_FATAL(ask_for_metadata(f, 3, &arena, &response), 4);
    expect_partition(&response, 3, 1, 0, 0);
    at(f, 3);
    CU_ASSERT_EQUAL_FATAL(ask_for_metadata(f, 4, &arena, &response), 4);
    CU_ASSERT_EQUAL(response.brokers.count, 1);
    expect_partition(&response, 2, 0, 0, 0);
    expect_partition(&response, 3, -1, 0, KW_ERROR_LEADER_NOT_AVAILABLE);
    kb_arena_release(&arena);
    stop(f);
}

static void nonsense_is_a_failure(void)
{
    struct fixture *f = start("{\"brokers\":3,\"nodes\":[],\"topics\":7}", "[]");
    CU_ASSERT_PTR_NOT_NULL(scripted_cluster_failure(f->cluster));
    CU_ASSERT_EQUAL(scripted_cluster_broker_count(f->cluster), 0);
    stop(f);
    f = start(two_brokers, "[{\"at\":1,\"action\":\"node_down\",\"node\":9}]");
    CU_ASSERT_PTR_NULL(scripted_cluster_failure(f->cluster));
    at(f, 1);
    CU_ASSERT_PTR_NOT_NULL(scripted_cluster_failure(f->cluster));
    stop(f);
    f = start(two_brokers, "[]");
    connect_at_once(f, 1, 0);
    scripted_cluster_hand_over(f->cluster, 1, "\0\0\0\4abcd", 8);
    (void)move(f);
    CU_ASSERT_PTR_NOT_NULL(scripted_cluster_failure(f->cluster));
    stop(f);
    f = start(two_brokers, "[]");
    scripted_cluster_connect(f->cluster, 1, 0, 0);
    scripted_cluster_hand_over(f->cluster, 1, "\0\0\0\0", 4);
    CU_ASSERT_PTR_NOT_NULL(scripted_cluster_failure(f->cluster));
    stop(f);
}

int main(void)
{
    return unit_main(
        "scripted_cluster",
        (struct unit_test[]){
            {"answers_after_the_round_trip", answers_after_the_round_trip},
            {"a_wrong_leader_says_so", a_wrong_leader_says_so},
            {"checks_sequences", checks_sequences},
            {"sequences_wrap", sequences_wrap},
            {"the_script_answers_with_errors", the_script_answers_with_errors},
            {"forgets_a_producer", forgets_a_producer},
            {"responses_do_not_overtake", responses_do_not_overtake},
            {"a_closing_comes_in_place_of_the_response", a_closing_comes_in_place_of_the_response},
            {"a_dropped_response_silences_the_connection", a_dropped_response_silences_the_connection},
            {"brokers_go_and_come_back", brokers_go_and_come_back},
            {"connections_move_in_the_order_of_nodes", connections_move_in_the_order_of_nodes},
            {"metadata_follows_the_cluster", metadata_follows_the_cluster},
            {"nonsense_is_a_failure", nonsense_is_a_failure},
            {0}});
}
