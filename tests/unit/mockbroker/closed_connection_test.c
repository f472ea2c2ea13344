/* A connection ends: what is in service goes on, and only its answer goes nowhere. */

#include "harness.h"
#include "unit.h"

static const struct harness_batch one = {.records = 1, .value_bytes = 10};

static uint32_t open_with_slow_disk(struct harness *h)
{
    harness_open_simple(h, 1, 1, NULL, NULL);
    CU_ASSERT_TRUE(mb_slow_disk(h->cluster, 1, 10000));
    return harness_connect(h, 1);
}

static void send(struct harness *h, uint32_t c, int16_t acks, int count)
{
    for (int i = 0; i < count; i++) {
        harness_produce_send(h, c, 9, 0, acks, 30000, harness_batch(h, &one));
    }
}

static void an_append_in_service_is_finished(void)
{
    struct harness h;
    uint32_t c = open_with_slow_disk(&h);
    send(&h, c, 1, 1);
    harness_run(&h, 5000); /* the disk is busy */
    harness_disconnect(&h, c);
    harness_run(&h, 4000);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 0);
    harness_run(&h, 5000);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 1);
    CU_ASSERT_EQUAL(h.clients[c].length_bytes, 0);
    harness_close(&h);
}

static void without_answers_the_whole_socket_is_served(void)
{
    struct harness h;
    uint32_t c = open_with_slow_disk(&h);
    send(&h, c, 0, 5);
    harness_disconnect(&h, c);
    harness_run(&h, 45000);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 4);
    harness_run(&h, 10000);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 5);
    harness_close(&h);
}

static void the_second_answer_meets_a_reset(void)
{
    struct harness h;
    uint32_t c = open_with_slow_disk(&h);
    send(&h, c, 1, 4);
    harness_disconnect(&h, c);
    harness_run(&h, 100000);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 2);
    CU_ASSERT_EQUAL(h.clients[c].length_bytes, 0);
    harness_close(&h);
}

static void half_a_request_is_none(void)
{
    struct harness h;
    uint32_t c = open_with_slow_disk(&h);
    send(&h, c, 0, 1);
    harness_send_bytes(&h, c, "\0\0\1\0half", 8);
    harness_disconnect(&h, c);
    harness_run(&h, 100000);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 1);
    harness_close(&h);
}

static void a_parked_produce_stays_parked(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    mb_slow_replica(h.cluster, 2, 300000);
    harness_run(&h, 1000000);
    send(&h, c, -1, 2);
    harness_run(&h, 10000);
    harness_disconnect(&h, c);
    harness_run(&h, 10000);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 1);
    /* Replicated, it is answered, and the request behind it is read. */
    harness_run(&h, 800000);
    CU_ASSERT_TRUE(harness_replica(&h, 1).high_watermark >= 1);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 2);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_PRODUCE_PARKED], 2);
    harness_run(&h, 2000000);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 2);
    harness_close(&h);
}

/* A fault that would close the connection finds that the client did already: the request goes on. */
static void a_fault_has_nothing_left_to_close(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, NULL);
    harness_run(&h, 10000);
    CU_ASSERT_TRUE(mb_slow_disk(h.cluster, 1, 10000));
    uint32_t c = harness_connect(&h, 1);
    struct mb_request_fault fault = {.kind = MB_FAULT_DISCONNECT,
                                     .point = MB_POINT_AFTER_APPEND,
                                     .api = KW_API_PRODUCE,
                                     .broker = -1,
                                     .partition = -1,
                                     .count = 1};
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    send(&h, c, -1, 1);
    harness_run(&h, 5000);
    harness_disconnect(&h, c);
    harness_run(&h, 100000);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_FAULT], 1);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_PRODUCE_PARKED], 1);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).high_watermark, 1);
    harness_close(&h);
}

static void its_number_may_be_given_again(void)
{
    struct harness h;
    uint32_t c = open_with_slow_disk(&h);
    send(&h, c, 1, 1);
    harness_run(&h, 5000);
    harness_disconnect(&h, c);
    harness_run(&h, 1000);
    CU_ASSERT_TRUE(mb_connection_opened(h.cluster, c, MB_FROM_CLIENT, 1, h.now_us));
    h.clients[c].is_open = true;
    /* The disk does one append after the other, and the first has no answer here. */
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &one)).base_offset, 1);
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &one)).base_offset, 2);
    CU_ASSERT_EQUAL(h.clients[c].length_bytes, 0);
    harness_close(&h);
}

static void a_retry_finds_what_was_in_service(void)
{
    struct harness h;
    uint32_t c = open_with_slow_disk(&h);
    struct harness_batch batch = {
        .records = 2, .value_bytes = 10, .has_producer = true, .producer_id = 7, .base_sequence = 0};
    harness_produce_send(&h, c, 9, 0, 1, 1000, harness_batch(&h, &batch));
    harness_run(&h, 5000);
    harness_disconnect(&h, c);
    c = harness_connect(&h, 1);
    struct kw_produce_response_partition answer =
        harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &batch));
    CU_ASSERT_EQUAL(answer.error_code, 0);
    CU_ASSERT_EQUAL(answer.base_offset, 0);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 2);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_APPEND_DUPLICATE], 1);
    harness_close(&h);
}

static void whom_the_broker_throws_out_is_read_no_more(void)
{
    struct harness h;
    uint32_t c = open_with_slow_disk(&h);
    send(&h, c, 0, 3);
    harness_run(&h, 5000);
    CU_ASSERT_TRUE(mb_disconnect_clients(h.cluster, 1, h.now_us));
    harness_run(&h, 100000);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 1);
    CU_ASSERT_FALSE(harness_is_open(&h, c));
    harness_close(&h);
}

static void a_dead_process_finishes_nothing(void)
{
    struct harness h;
    uint32_t c = open_with_slow_disk(&h);
    send(&h, c, 0, 2);
    harness_run(&h, 5000);
    harness_disconnect(&h, c);
    harness_run(&h, 1000);
    CU_ASSERT_TRUE(mb_kill(h.cluster, 1, h.now_us));
    harness_run(&h, 100000);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 0);
    harness_close(&h);
}

static void a_frozen_broker_reads_it_when_it_thaws(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_TRUE(mb_freeze(h.cluster, 1, h.now_us));
    send(&h, c, 0, 3);
    harness_disconnect(&h, c);
    harness_run(&h, 100000);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 0);
    CU_ASSERT_TRUE(mb_thaw(h.cluster, 1, h.now_us));
    harness_run(&h, 1000);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 3);
    harness_close(&h);
}

int main(void)
{
    return unit_main(
        "mockbroker closed connections",
        (struct unit_test[]){
            {"an append in service is finished", an_append_in_service_is_finished},
            {"without answers the whole socket is served", without_answers_the_whole_socket_is_served},
            {"the second answer meets a reset", the_second_answer_meets_a_reset},
            {"half a request is none", half_a_request_is_none},
            {"a parked produce stays parked", a_parked_produce_stays_parked},
            {"a fault has nothing left to close", a_fault_has_nothing_left_to_close},
            {"its number may be given again", its_number_may_be_given_again},
            {"a retry finds what was in service", a_retry_finds_what_was_in_service},
            {"thrown out: read no more", whom_the_broker_throws_out_is_read_no_more},
            {"a dead process finishes nothing", a_dead_process_finishes_nothing},
            {"a frozen broker reads it when it thaws", a_frozen_broker_reads_it_when_it_thaws},
            {0},
        });
}
