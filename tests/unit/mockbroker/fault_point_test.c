/* Faults at points of a request's life, and batches that are corrupted on their way. */

#include "harness.h"
#include "unit.h"

#include <string.h>

#include "wire/cursor.h"
#include "wire/record_batch.h"

static const struct harness_batch one = {.records = 1, .value_bytes = 10};
static const struct harness_batch three = {.records = 3, .value_bytes = 10};

enum { PATIENCE_US = 1000000, PARTITIONS = 2 };

/* Three brokers; "t" has two partitions, both led by broker 1. */
static uint32_t open_three(struct harness *h)
{
    static const int32_t ids[] = {1, 2, 3};
    static const int32_t assignment[] = {1, 2, 3, 1, 2, 3};
    struct mb_topic_options topic = {
        .name = "t", .partition_count = PARTITIONS, .replication_factor = 3, .assignment = assignment};
    struct mb_options options = {
        .broker_ids = ids, .broker_count = 3, .topics = &topic, .topic_count = 1, .seed = 1};
    harness_open(h, &options);
    harness_run(h, 100000);
    return harness_connect(h, 1);
}

static struct mb_request_fault fault_at(enum mb_request_fault_kind kind, enum mb_fault_point point)
{
    return (struct mb_request_fault){
        .kind = kind, .point = point, .api = KW_API_PRODUCE, .broker = -1, .partition = -1, .count = 1};
}

static void arm(struct harness *h, enum mb_request_fault_kind kind, enum mb_fault_point point)
{
    struct mb_request_fault fault = fault_at(kind, point);
    CU_ASSERT_TRUE_FATAL(mb_inject(h->cluster, &fault));
}

static int16_t produce(struct harness *h, uint32_t c, int16_t acks)
{
    return harness_produce(h, c, 0, acks, 10000, harness_batch(h, &three)).error_code;
}

static int64_t end_of(struct harness *h, int32_t broker, int32_t partition)
{
    struct mb_replica_view view;
    CU_ASSERT_TRUE_FATAL(mb_replica_view(h->cluster, broker, "t", partition, &view));
    return view.log_end_offset;
}

static void expect_hit(struct harness *h, enum kb_fault_kind kind, enum kb_fault_point point)
{
    const struct kb_event_fault *event = &h->last_events[KB_EVENT_FAULT].as.fault;
    CU_ASSERT_EQUAL(h->event_counts[KB_EVENT_FAULT], 1);
    CU_ASSERT_EQUAL(event->fault, (int32_t)kind);
    CU_ASSERT_EQUAL(event->point, (int32_t)point);
    CU_ASSERT_EQUAL(event->broker, 1);
    CU_ASSERT_EQUAL(event->api, KW_API_PRODUCE);
    CU_ASSERT_EQUAL(event->request, (uint32_t)h->next_correlation);
}

/* --- Where a broker dies decides what is in which log. */

static void dies_at(enum mb_fault_point point, int16_t acks, int64_t at_leader, int64_t at_follower)
{
    struct harness h;
    uint32_t c = open_three(&h);
    arm(&h, MB_FAULT_KILL, point);
    CU_ASSERT_EQUAL(produce(&h, c, acks), HARNESS_NO_ANSWER);
    CU_ASSERT_FALSE(harness_is_open(&h, c));
    CU_ASSERT_FALSE(mb_broker_is_up(h.cluster, 1));
    CU_ASSERT_EQUAL(end_of(&h, 1, 0), at_leader);
    CU_ASSERT_EQUAL(end_of(&h, 2, 0), at_follower);
    CU_ASSERT_EQUAL(end_of(&h, 3, 0), at_follower);
    expect_hit(&h, KB_FAULT_KIND_KILL, (enum kb_fault_point)point);
    CU_ASSERT_EQUAL(h.fault_output_count, 1);
    CU_ASSERT_EQUAL(h.fault_output.fault, MB_FAULT_KILL);
    CU_ASSERT_EQUAL(h.fault_output.from, 1);
    harness_close(&h);
}

static void a_broker_dies_at_each_point(void)
{
    dies_at(MB_POINT_REQUEST_CUT, 1, 0, 0);
    dies_at(MB_POINT_REQUEST_RECEIVED, 1, 0, 0);
    dies_at(MB_POINT_BEFORE_APPEND, -1, 0, 0);
    dies_at(MB_POINT_AFTER_APPEND, 1, 3, 0);
    dies_at(MB_POINT_AFTER_APPEND, 0, 3, 0);
    dies_at(MB_POINT_AFTER_APPEND, -1, 3, 0);
    dies_at(MB_POINT_AFTER_REPLICATION, -1, 3, 3);
    dies_at(MB_POINT_BEFORE_RESPONSE, -1, 3, 3);
    dies_at(MB_POINT_BEFORE_RESPONSE, 1, 3, 0);
    dies_at(MB_POINT_RESPONSE_CUT, -1, 3, 3);
}

/* acks=1 waits for no replication, acks=0 for no response. */
static void some_requests_never_get_there(void)
{
    struct harness h;
    uint32_t c = open_three(&h);
    arm(&h, MB_FAULT_KILL, MB_POINT_AFTER_REPLICATION);
    CU_ASSERT_EQUAL(produce(&h, c, 1), 0);
    harness_close(&h);
    c = open_three(&h);
    arm(&h, MB_FAULT_KILL, MB_POINT_BEFORE_RESPONSE);
    arm(&h, MB_FAULT_KILL, MB_POINT_RESPONSE_CUT);
    (void)produce(&h, c, 0);
    CU_ASSERT_TRUE(mb_broker_is_up(h.cluster, 1));
    CU_ASSERT_EQUAL(end_of(&h, 3, 0), 3);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_FAULT], 0);
    harness_close(&h);
}

static void a_restart_is_handed_through(void)
{
    struct harness h;
    uint32_t c = open_three(&h);
    struct mb_request_fault fault = fault_at(MB_FAULT_KILL, MB_POINT_AFTER_APPEND);
    fault.undo_after_us = 12345;
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    CU_ASSERT_EQUAL(produce(&h, c, 1), HARNESS_NO_ANSWER);
    CU_ASSERT_EQUAL(h.fault_output.undo_after_us, 12345);
    CU_ASSERT_TRUE(mb_restart(h.cluster, 1, h.now_us));
    harness_run(&h, 60000000);
    /* What only it had is gone: the others went on without it. */
    CU_ASSERT_TRUE(mb_broker_is_up(h.cluster, 1));
    CU_ASSERT_EQUAL(end_of(&h, 1, 0), 0);
    harness_close(&h);
}

/* --- A request goes on where it stopped. */

static void goes_on_after_a_stall_at(enum mb_fault_point point, int64_t end_offset_meanwhile)
{
    struct harness h;
    uint32_t c = open_three(&h);
    arm(&h, MB_FAULT_FREEZE, point);
    harness_produce_send(&h, c, 9, 0, -1, 10000, harness_batch(&h, &three));
    struct kw_produce_response response;
    CU_ASSERT_FALSE(harness_receive(&h, c, KW_API_PRODUCE, 9, &response, 300000));
    CU_ASSERT_EQUAL(end_of(&h, 1, 0), end_offset_meanwhile);
    expect_hit(&h, KB_FAULT_KIND_FREEZE, (enum kb_fault_point)point);
    CU_ASSERT_TRUE(mb_thaw(h.cluster, 1, h.now_us));
    struct kw_produce_response_partition answer = harness_produce_answer(&h, c, 9, PATIENCE_US);
    CU_ASSERT_EQUAL(answer.error_code, 0);
    CU_ASSERT_EQUAL(answer.base_offset, 0);
    CU_ASSERT_EQUAL(end_of(&h, 1, 0), 3);
    CU_ASSERT_EQUAL(end_of(&h, 2, 0), 3);
    CU_ASSERT_EQUAL(produce(&h, c, -1), 0);
    harness_close(&h);
}

static void stalls(void)
{
    goes_on_after_a_stall_at(MB_POINT_REQUEST_RECEIVED, 0);
    goes_on_after_a_stall_at(MB_POINT_BEFORE_APPEND, 0);
    goes_on_after_a_stall_at(MB_POINT_AFTER_APPEND, 3);
    goes_on_after_a_stall_at(MB_POINT_AFTER_REPLICATION, 3);
    goes_on_after_a_stall_at(MB_POINT_BEFORE_RESPONSE, 3);
}

static void stalled_requests_die(void)
{
    struct harness h;
    uint32_t c = open_three(&h);
    arm(&h, MB_FAULT_FREEZE, MB_POINT_BEFORE_APPEND);
    harness_produce_send(&h, c, 9, 0, -1, 10000, harness_batch(&h, &three));
    harness_run(&h, 10000);
    CU_ASSERT_TRUE(mb_kill(h.cluster, 1, h.now_us));
    CU_ASSERT_FALSE(mb_thaw(h.cluster, 1, h.now_us));
    CU_ASSERT_EQUAL(end_of(&h, 1, 0), 0);
    harness_close(&h);
}

static void links_are_cut_at_once(void)
{
    struct harness h;
    uint32_t c = open_three(&h);
    struct mb_request_fault fault = fault_at(MB_FAULT_CUT_LINKS, MB_POINT_AFTER_APPEND);
    fault.link = 2;
    fault.one_way = true;
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    CU_ASSERT_EQUAL(produce(&h, c, 1), 0); /* it goes on at once */
    CU_ASSERT_EQUAL(h.fault_output.fault, MB_FAULT_CUT_LINKS);
    CU_ASSERT_TRUE(h.fault_output.link == 2 && h.fault_output.one_way);
    harness_run(&h, 10000);
    CU_ASSERT_EQUAL(end_of(&h, 3, 0), 3);
    CU_ASSERT_EQUAL(end_of(&h, 2, 0), 0);
    harness_close(&h);
}

static void a_shutdown_waits_for_nobody(void)
{
    struct harness h;
    uint32_t c = open_three(&h);
    arm(&h, MB_FAULT_SHUTDOWN, MB_POINT_AFTER_APPEND);
    CU_ASSERT_EQUAL(produce(&h, c, 1), 0);
    harness_run(&h, PATIENCE_US);
    CU_ASSERT_FALSE(mb_broker_is_up(h.cluster, 1));
    CU_ASSERT_EQUAL(end_of(&h, 2, 0), 3);
    struct mb_partition_view view;
    CU_ASSERT_TRUE(mb_partition_view(h.cluster, "t", 0, &view));
    CU_ASSERT_EQUAL(view.leader, 2);
    harness_close(&h);
}

/* --- Connections */

static void a_connection_ends_at_a_point(void)
{
    struct harness h;
    uint32_t c = open_three(&h);
    uint32_t d = harness_connect(&h, 1);
    arm(&h, MB_FAULT_DISCONNECT, MB_POINT_BEFORE_RESPONSE);
    CU_ASSERT_EQUAL(produce(&h, c, -1), HARNESS_NO_ANSWER);
    CU_ASSERT_FALSE(harness_is_open(&h, c));
    CU_ASSERT_TRUE(harness_is_open(&h, d));
    CU_ASSERT_EQUAL(end_of(&h, 3, 0), 3);
    expect_hit(&h, KB_FAULT_KIND_DISCONNECT, KB_FAULT_POINT_BEFORE_RESPONSE);
    CU_ASSERT_EQUAL(produce(&h, d, -1), 0);
    harness_close(&h);
}

/* The size of a whole answer, then how much of the next one came. */
static size_t cut_response(uint32_t cut_bytes, size_t *whole_bytes)
{
    struct harness h;
    uint32_t c = open_three(&h);
    harness_produce_send(&h, c, 9, 0, 1, 1000, harness_batch(&h, &one));
    harness_run(&h, 100000);
    *whole_bytes = h.clients[c].length_bytes;
    struct mb_request_fault fault = fault_at(MB_FAULT_DISCONNECT, MB_POINT_RESPONSE_CUT);
    fault.cut_bytes = cut_bytes;
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    harness_produce_send(&h, c, 9, 0, 1, 1000, harness_batch(&h, &one));
    harness_run(&h, 100000);
    size_t part_bytes = h.clients[c].length_bytes - *whole_bytes;
    CU_ASSERT_FALSE(harness_is_open(&h, c));
    CU_ASSERT_EQUAL(end_of(&h, 1, 0), 2);
    harness_close(&h);
    return part_bytes;
}

static void a_response_is_cut(void)
{
    size_t whole_bytes = 0;
    CU_ASSERT_EQUAL(cut_response(0, &whole_bytes), whole_bytes / 2);
    CU_ASSERT_EQUAL(cut_response(1, &whole_bytes), 1);
    CU_ASSERT_EQUAL(cut_response(7, &whole_bytes), 7);
    CU_ASSERT_EQUAL(cut_response(100000, &whole_bytes), whole_bytes - 1);
}

/* A Metadata request of 100 bytes behind its length, of which 80 are not looked at. */
static void half_a_request_is_cut(void)
{
    struct harness h;
    uint32_t c = open_three(&h);
    uint8_t frame[104] = {0, 0, 0, 100, 0, KW_API_METADATA, 0, 1, 0, 0, 0, 77, 0, 4, 't', 'e', 's', 't'};
    struct mb_request_fault fault = fault_at(MB_FAULT_DISCONNECT, MB_POINT_REQUEST_CUT);
    fault.api = KW_API_METADATA;
    fault.client = "other";
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    fault.client = "test";
    fault.skip = 1;
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    /* The first one passes by, and is looked at only once. */
    harness_send_bytes(&h, c, frame, 60);
    harness_run(&h, 10000);
    harness_send_bytes(&h, c, frame + 60, 20);
    harness_run(&h, 10000);
    CU_ASSERT_TRUE(harness_is_open(&h, c));
    uint32_t d = harness_connect(&h, 1);
    harness_send_bytes(&h, d, frame, 51);
    harness_run(&h, 10000);
    CU_ASSERT_TRUE(harness_is_open(&h, d));
    harness_send_bytes(&h, d, frame + 51, 1);
    harness_run(&h, 10000);
    CU_ASSERT_FALSE(harness_is_open(&h, d));
    CU_ASSERT_TRUE(harness_is_open(&h, c));
    CU_ASSERT_EQUAL(h.last_events[KB_EVENT_FAULT].as.fault.request, 77);
    CU_ASSERT_EQUAL(h.last_events[KB_EVENT_FAULT].as.fault.point, KB_FAULT_POINT_REQUEST_CUT);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_FAULT], 1);
    harness_close(&h);
}

/* Every request of a connection is looked at. */
static void the_second_request_is_cut(void)
{
    struct harness h;
    uint32_t c = open_three(&h);
    struct mb_request_fault fault = fault_at(MB_FAULT_DISCONNECT, MB_POINT_REQUEST_CUT);
    fault.skip = 1;
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    CU_ASSERT_EQUAL(produce(&h, c, 1), 0);
    CU_ASSERT_EQUAL(produce(&h, c, 1), HARNESS_NO_ANSWER);
    CU_ASSERT_FALSE(harness_is_open(&h, c));
    CU_ASSERT_EQUAL(end_of(&h, 1, 0), 3);
    harness_close(&h);
}

static void a_duplicate_is_not_appended(void)
{
    static const struct harness_batch first = {
        .records = 1, .value_bytes = 10, .has_producer = true, .producer_id = 7};
    struct harness h;
    uint32_t c = open_three(&h);
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &first)).error_code, 0);
    arm(&h, MB_FAULT_KILL, MB_POINT_AFTER_APPEND);
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &first)).error_code, 0);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_APPEND_DUPLICATE], 1);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_FAULT], 0);
    harness_close(&h);
}

static void drops(void)
{
    static const struct {
        enum mb_request_fault_kind kind;
        enum mb_fault_point point;
        int64_t end_offset;
    } rows[] = {
        {MB_FAULT_DROP_REQUEST, MB_POINT_REQUEST_RECEIVED, 0},
        {MB_FAULT_DROP_REQUEST, MB_POINT_BEFORE_APPEND, 0},
        {MB_FAULT_DROP_RESPONSE, MB_POINT_AFTER_APPEND, 3},
        {MB_FAULT_DROP_RESPONSE, MB_POINT_AFTER_REPLICATION, 3},
        {MB_FAULT_DROP_RESPONSE, MB_POINT_BEFORE_RESPONSE, 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct harness h;
        uint32_t c = open_three(&h);
        arm(&h, rows[i].kind, rows[i].point);
        CU_ASSERT_EQUAL(produce(&h, c, -1), HARNESS_NO_ANSWER);
        CU_ASSERT_EQUAL(end_of(&h, 1, 0), rows[i].end_offset);
        CU_ASSERT_TRUE(harness_is_open(&h, c));
        CU_ASSERT_EQUAL(produce(&h, harness_connect(&h, 1), -1), 0);
        harness_close(&h);
    }
}

/* --- Filters */

static void others_pass_by(void)
{
    struct harness h;
    uint32_t c = open_three(&h);
    struct mb_request_fault fault = fault_at(MB_FAULT_KILL, MB_POINT_AFTER_APPEND);
    fault.client = "tes";
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    fault.client = NULL;
    fault.topic = "u";
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    fault.topic = "t";
    fault.partition = 1;
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    fault.partition = -1;
    fault.broker = 2;
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    fault = fault_at(MB_FAULT_KILL, MB_POINT_BEFORE_RESPONSE);
    fault.api = KW_API_METADATA;
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    fault.api = KW_API_PRODUCE;
    fault.topic = "t";
    fault.partition = 1;
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    CU_ASSERT_EQUAL(produce(&h, c, -1), 0);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_FAULT], 0);
    /* And this is what two of them waited for. */
    CU_ASSERT_EQUAL(harness_produce(&h, c, 1, -1, 1000, harness_batch(&h, &one)).error_code,
                    HARNESS_NO_ANSWER);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_FAULT], 1);
    CU_ASSERT_EQUAL(h.last_events[KB_EVENT_FAULT].as.fault.partition, 1);
    harness_close(&h);
}

static void skip_and_count(void)
{
    struct harness h;
    uint32_t c = open_three(&h);
    struct mb_request_fault fault = fault_at(MB_FAULT_DISCONNECT, MB_POINT_AFTER_APPEND);
    fault.client = "test";
    fault.topic = "t";
    fault.partition = 0;
    fault.skip = 2;
    fault.count = 2;
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    CU_ASSERT_EQUAL(produce(&h, c, 1), 0);
    CU_ASSERT_EQUAL(produce(&h, c, 1), 0);
    CU_ASSERT_EQUAL(produce(&h, c, 1), HARNESS_NO_ANSWER);
    CU_ASSERT_EQUAL(produce(&h, harness_connect(&h, 1), 1), HARNESS_NO_ANSWER);
    CU_ASSERT_EQUAL(produce(&h, harness_connect(&h, 1), 1), 0);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_FAULT], 2);
    harness_close(&h);
}

/* A request with a batch for each partition: what comes before the hit is in the log. */
static void dies_between_two_batches(enum mb_fault_point point, int32_t partition, int64_t end_of_0,
                                     int64_t end_of_1)
{
    struct harness h;
    uint32_t c = open_three(&h);
    struct mb_request_fault fault = fault_at(MB_FAULT_KILL, point);
    fault.topic = "t";
    fault.partition = partition;
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    struct kw_produce_request request;
    struct kw_produce_request_topic topic;
    struct kw_produce_request_partition items[PARTITIONS];
    kw_produce_request_init(&request);
    kw_produce_request_topic_init(&topic);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        kw_produce_request_partition_init(&items[i]);
        items[i].index = i;
        items[i].records = harness_batch(&h, &one);
    }
    topic.name = (struct kw_string){"t", 1};
    topic.partition_data.items = items;
    topic.partition_data.count = PARTITIONS;
    request.acks = 1;
    request.timeout_ms = 1000;
    request.topic_data.items = &topic;
    request.topic_data.count = 1;
    harness_send(&h, c, KW_API_PRODUCE, 9, &request);
    harness_run(&h, 10000);
    CU_ASSERT_EQUAL(end_of(&h, 1, 0), end_of_0);
    CU_ASSERT_EQUAL(end_of(&h, 1, 1), end_of_1);
    harness_close(&h);
}

static void between_two_batches(void)
{
    dies_between_two_batches(MB_POINT_BEFORE_APPEND, 0, 0, 0);
    dies_between_two_batches(MB_POINT_AFTER_APPEND, 0, 1, 0);
    dies_between_two_batches(MB_POINT_BEFORE_APPEND, 1, 1, 0);
    dies_between_two_batches(MB_POINT_AFTER_APPEND, 1, 1, 1);
}

/* With a slow disk the request waits before it is appended, and has its frame by then. */
static void a_slow_disk_changes_nothing(void)
{
    struct harness h;
    uint32_t c = open_three(&h);
    CU_ASSERT_TRUE(mb_slow_disk(h.cluster, 1, 20000));
    arm(&h, MB_FAULT_FREEZE, MB_POINT_REQUEST_RECEIVED);
    harness_produce_send(&h, c, 9, 0, 1, 10000, harness_batch(&h, &three));
    harness_run(&h, 10000);
    CU_ASSERT_TRUE(mb_thaw(h.cluster, 1, h.now_us));
    arm(&h, MB_FAULT_KILL, MB_POINT_AFTER_APPEND);
    harness_run(&h, 10000);
    CU_ASSERT_EQUAL(end_of(&h, 1, 0), 0);
    harness_run(&h, 20000);
    CU_ASSERT_EQUAL(end_of(&h, 1, 0), 3);
    CU_ASSERT_FALSE(mb_broker_is_up(h.cluster, 1));
    harness_close(&h);
}

/* --- Corruption */

static void the_leader_finds_a_corrupt_batch(void)
{
    struct harness h;
    uint32_t c = open_three(&h);
    struct mb_request_fault fault = fault_at(MB_FAULT_CORRUPT_BATCH, MB_POINT_NONE);
    fault.topic = "t";
    fault.partition = 0;
    fault.client = "test";
    fault.skip = 1;
    fault.count = 2;
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    fault.client = "other";
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    CU_ASSERT_EQUAL(harness_produce(&h, c, 1, 1, 1000, harness_batch(&h, &one)).error_code, 0);
    CU_ASSERT_EQUAL(produce(&h, c, 1), 0);
    CU_ASSERT_EQUAL(produce(&h, c, 1), KW_ERROR_CORRUPT_MESSAGE);
    CU_ASSERT_EQUAL(produce(&h, c, -1), KW_ERROR_CORRUPT_MESSAGE);
    CU_ASSERT_EQUAL(end_of(&h, 1, 0), 3);
    CU_ASSERT_EQUAL(produce(&h, c, -1), 0);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_FAULT], 2);
    CU_ASSERT_EQUAL(h.last_events[KB_EVENT_FAULT].as.fault.fault, KB_FAULT_KIND_CORRUPT_BATCH);
    harness_close(&h);
}

static void a_follower_finds_a_corrupt_batch(void)
{
    struct harness h;
    uint32_t c = open_three(&h);
    struct mb_request_fault fault = fault_at(MB_FAULT_CORRUPT_BATCH, MB_POINT_NONE);
    fault.api = KW_API_FETCH;
    fault.broker = 2;
    fault.topic = "t";
    fault.partition = 1;
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    fault.partition = 0;
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    CU_ASSERT_EQUAL(produce(&h, c, 1), 0);
    harness_run(&h, 100000);
    const struct kb_event_follower_refused *refused =
        &h.last_events[KB_EVENT_FOLLOWER_REFUSED].as.follower_refused;
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_FOLLOWER_REFUSED], 1);
    CU_ASSERT_EQUAL(refused->broker, 2);
    CU_ASSERT_EQUAL(refused->leader, 1);
    CU_ASSERT_EQUAL(refused->error, KW_ERROR_CORRUPT_MESSAGE);
    CU_ASSERT_EQUAL(end_of(&h, 2, 0), 0);
    CU_ASSERT_EQUAL(end_of(&h, 3, 0), 3);
    /* replica.fetch.backoff.ms later it gets it as it is. */
    harness_run(&h, 1500000);
    CU_ASSERT_EQUAL(end_of(&h, 2, 0), 3);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_FAULT], 1);
    harness_close(&h);
}

/* --- What cannot be */

static void impossible_faults_are_refused(void)
{
    static const struct {
        struct mb_request_fault fault;
        bool is_fine;
    } rows[] = {
#define AT(kind_, point_, ...)                                                                               \
    .fault = {.kind = MB_FAULT_##kind_,                                                                      \
              .point = MB_POINT_##point_,                                                                    \
              .broker = -1,                                                                                  \
              .partition = -1,                                                                               \
              .count = 1,                                                                                    \
              __VA_ARGS__}
        {AT(KILL, AFTER_APPEND, .skip = 3), true},
        {AT(KILL, NONE, .skip = 0), false},
        {AT(FREEZE, NONE, .skip = 0), false},
        {AT(DISCONNECT, NONE, .skip = 0), true},
        {AT(KILL, AFTER_APPEND, .api = KW_API_METADATA), false},
        {AT(KILL, BEFORE_RESPONSE, .api = KW_API_METADATA), true},
        {AT(KILL, BEFORE_RESPONSE, .api = KW_API_METADATA, .topic = "t"), true},
        {AT(KILL, REQUEST_CUT, .topic = "t"), false},
        {AT(KILL, RESPONSE_CUT, .topic = "t", .cut_bytes = 9), true},
        {AT(KILL, BEFORE_RESPONSE, .cut_bytes = 9), false},
        {AT(FREEZE, RESPONSE_CUT, .skip = 0), false},
        {AT(CUT_LINKS, REQUEST_CUT, .skip = 0), false},
        {AT(SHUTDOWN, REQUEST_RECEIVED, .skip = 0), true},
        {AT(DROP_REQUEST, AFTER_APPEND, .skip = 0), false},
        {AT(DROP_REQUEST, BEFORE_APPEND, .skip = 0), true},
        {AT(DROP_RESPONSE, BEFORE_APPEND, .skip = 0), false},
        {AT(DROP_RESPONSE, AFTER_APPEND, .skip = 0), true},
        {AT(ERROR, AFTER_APPEND, .code = 3), false},
        {AT(ERROR, NONE, .code = 300), false},
        {AT(ERROR, NONE, .api = KW_API_FIND_COORDINATOR, .topic = "t"), false},
        {AT(DELAY_RESPONSE, BEFORE_RESPONSE, .delay_us = 5), false},
        {AT(DELAY_RESPONSE, NONE, .delay_us = -5), false},
        {AT(THROTTLE, RESPONSE_CUT, .delay_us = 5), false},
        {AT(CORRUPT_BATCH, BEFORE_APPEND, .skip = 0), false},
        {AT(CORRUPT_BATCH, NONE, .api = KW_API_METADATA), false},
        {AT(CORRUPT_BATCH, NONE, .api = KW_API_FETCH, .client = "shop"), false},
        {AT(CORRUPT_BATCH, NONE, .client = "shop"), true},
        {AT(KILL, AFTER_APPEND, .api = 99), false},
#undef AT
    };
    struct harness h;
    (void)open_three(&h);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT_EQUAL(mb_fault_check(&rows[i].fault) == NULL, rows[i].is_fine);
        CU_ASSERT_EQUAL(mb_inject(h.cluster, &rows[i].fault), rows[i].is_fine);
    }
    struct mb_request_fault fault = fault_at(MB_FAULT_KILL, MB_POINT_AFTER_APPEND);
    fault.count = 0;
    CU_ASSERT_FALSE(mb_inject(h.cluster, &fault));
    fault.count = 1;
    fault.broker = 9;
    CU_ASSERT_FALSE(mb_inject(h.cluster, &fault));
    harness_close(&h);
}

int main(void)
{
    return unit_main("mockbroker faults at points",
                     (struct unit_test[]){
                         {"a broker dies at each point", a_broker_dies_at_each_point},
                         {"some requests never get there", some_requests_never_get_there},
                         {"a restart is handed through", a_restart_is_handed_through},
                         {"stalls", stalls},
                         {"stalled requests die", stalled_requests_die},
                         {"links are cut at once", links_are_cut_at_once},
                         {"a shutdown waits for nobody", a_shutdown_waits_for_nobody},
                         {"a connection ends at a point", a_connection_ends_at_a_point},
                         {"a response is cut", a_response_is_cut},
                         {"half a request is cut", half_a_request_is_cut},
                         {"the second request is cut", the_second_request_is_cut},
                         {"a duplicate is not appended", a_duplicate_is_not_appended},
                         {"drops", drops},
                         {"others pass by", others_pass_by},
                         {"skip and count", skip_and_count},
                         {"between two batches", between_two_batches},
                         {"a slow disk changes nothing", a_slow_disk_changes_nothing},
                         {"the leader finds a corrupt batch", the_leader_finds_a_corrupt_batch},
                         {"a follower finds a corrupt batch", a_follower_finds_a_corrupt_batch},
                         {"impossible faults are refused", impossible_faults_are_refused},
                         {NULL, NULL},
                     });
}
