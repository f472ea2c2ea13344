/* Injected faults: what the next requests meet. */

#include "harness.h"
#include "unit.h"

static const struct harness_batch one = {.records = 1, .value_bytes = 10};

static void inject(struct harness *h, enum mb_request_fault_kind kind, int32_t code, bool appended,
                   int64_t delay_us, uint32_t count)
{
    struct mb_request_fault fault = {.kind = kind,
                                     .api = KW_API_PRODUCE,
                                     .broker = -1,
                                     .topic = "t",
                                     .partition = 0,
                                     .code = code,
                                     .appended = appended,
                                     .delay_us = delay_us,
                                     .count = count};
    CU_ASSERT_TRUE(mb_inject(h->cluster, &fault));
}

static int16_t produce(struct harness *h, uint32_t c)
{
    return harness_produce(h, c, 0, 1, 1000, harness_batch(h, &one)).error_code;
}

static void errors(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    inject(&h, MB_FAULT_ERROR, KW_ERROR_NOT_LEADER_OR_FOLLOWER, false, 0, 2);
    inject(&h, MB_FAULT_ERROR, KW_ERROR_REQUEST_TIMED_OUT, true, 0, 1);
    CU_ASSERT_EQUAL(produce(&h, c), KW_ERROR_NOT_LEADER_OR_FOLLOWER);
    CU_ASSERT_EQUAL(produce(&h, c), KW_ERROR_NOT_LEADER_OR_FOLLOWER);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 0);
    CU_ASSERT_EQUAL(produce(&h, c), KW_ERROR_REQUEST_TIMED_OUT);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 1);
    CU_ASSERT_EQUAL(produce(&h, c), 0);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_FAULT], 3);
    harness_close(&h);
}

static void filters(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    struct mb_request_fault fault = {
        .kind = MB_FAULT_ERROR, .api = KW_API_PRODUCE, .broker = 2, .partition = -1, .code = 7, .count = 1};
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    fault.broker = -1;
    fault.topic = "other";
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    fault.topic = "t";
    fault.partition = 5;
    CU_ASSERT_TRUE(mb_inject(h.cluster, &fault));
    CU_ASSERT_EQUAL(produce(&h, c), 0);
    fault.broker = 9;
    CU_ASSERT_FALSE(mb_inject(h.cluster, &fault));
    fault.broker = -1;
    fault.api = 99;
    CU_ASSERT_FALSE(mb_inject(h.cluster, &fault));
    harness_close(&h);
}

static void late_and_lost_answers(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    inject(&h, MB_FAULT_DELAY_RESPONSE, 0, false, 400000, 1);
    int64_t sent_us = h.now_us;
    CU_ASSERT_EQUAL(produce(&h, c), 0);
    CU_ASSERT_EQUAL(h.now_us - sent_us, 400000 + 2 * h.latency_us);
    inject(&h, MB_FAULT_DROP_RESPONSE, 0, false, 0, 1);
    CU_ASSERT_EQUAL(produce(&h, c), HARNESS_NO_ANSWER);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 2);
    CU_ASSERT_TRUE(harness_is_open(&h, c));
    /* What is behind it on the same connection is not read any more. */
    CU_ASSERT_EQUAL(produce(&h, c), HARNESS_NO_ANSWER);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 2);
    c = harness_connect(&h, 1);
    inject(&h, MB_FAULT_DROP_REQUEST, 0, false, 0, 1);
    CU_ASSERT_EQUAL(produce(&h, c), HARNESS_NO_ANSWER);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 2);
    c = harness_connect(&h, 1);
    inject(&h, MB_FAULT_DISCONNECT, 0, false, 0, 1);
    CU_ASSERT_EQUAL(produce(&h, c), HARNESS_NO_ANSWER);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 3);
    CU_ASSERT_FALSE(harness_is_open(&h, c));
    harness_close(&h);
}

static void throttled(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    inject(&h, MB_FAULT_THROTTLE, 0, false, 700000, 1);
    harness_produce_send(&h, c, 9, 0, 1, 1000, harness_batch(&h, &one));
    harness_produce_send(&h, c, 9, 0, 1, 1000, harness_batch(&h, &one));
    struct kw_produce_response response;
    CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_PRODUCE, 9, &response, 1000000));
    CU_ASSERT_EQUAL(response.throttle_time_ms, 700);
    CU_ASSERT_EQUAL(h.now_us, 2 * h.latency_us); /* at once; but the channel is muted that long */
    CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_PRODUCE, 9, &response, 1000000));
    CU_ASSERT_EQUAL(response.throttle_time_ms, 0);
    CU_ASSERT_EQUAL(h.now_us, 700000 + 2 * h.latency_us);
    harness_close(&h);
}

static void clients_are_thrown_out(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    uint32_t d = harness_connect(&h, 2);
    CU_ASSERT_TRUE(mb_disconnect_clients(h.cluster, 1, h.now_us));
    harness_run(&h, 10000);
    CU_ASSERT_FALSE(harness_is_open(&h, c));
    CU_ASSERT_TRUE(harness_is_open(&h, d));
    /* Replication goes on. */
    c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, -1, 1000, harness_batch(&h, &one)).error_code, 0);
    harness_close(&h);
}

static void slow_disks_slow_acks(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_TRUE(mb_slow_disk(h.cluster, 1, 20000));
    CU_ASSERT_TRUE(mb_slow_disk(h.cluster, 2, 50000));
    CU_ASSERT_FALSE(mb_slow_disk(h.cluster, 7, 50000));
    int64_t sent_us = h.now_us;
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, -1, 10000, harness_batch(&h, &one)).error_code, 0);
    CU_ASSERT_EQUAL(h.now_us - sent_us, 70000 + 4 * h.latency_us);
    harness_close(&h);
}

int main(void)
{
    return unit_main("mockbroker faults", (struct unit_test[]){
                                              {"errors", errors},
                                              {"filters", filters},
                                              {"late and lost answers", late_and_lost_answers},
                                              {"throttled", throttled},
                                              {"clients are thrown out", clients_are_thrown_out},
                                              {"slow disks slow acks", slow_disks_slow_acks},
                                              {0},
                                          });
}
