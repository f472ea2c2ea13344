/* Producer ids, sequences, and the last five batches of each replica. */

#include "harness.h"
#include "unit.h"

static struct harness_batch batch_of(int32_t sequence, int32_t records, int16_t epoch)
{
    return (struct harness_batch){.records = records,
                                  .value_bytes = 5,
                                  .has_producer = true,
                                  .producer_id = 77,
                                  .producer_epoch = epoch,
                                  .base_sequence = sequence};
}

static struct kw_produce_response_partition send(struct harness *h, uint32_t c, int16_t acks,
                                                 int32_t sequence, int32_t records, int16_t epoch)
{
    struct harness_batch batch = batch_of(sequence, records, epoch);
    return harness_produce(h, c, 0, acks, 5000, harness_batch(h, &batch));
}

static void five_batches_are_remembered(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    for (int32_t i = 0; i < 6; i++) {
        CU_ASSERT_EQUAL(send(&h, c, 1, 2 * i, 2, 0).base_offset, 2 * i);
    }
    for (int32_t i = 1; i < 6; i++) {
        struct kw_produce_response_partition answer = send(&h, c, 1, 2 * i, 2, 0);
        CU_ASSERT_EQUAL(answer.error_code, 0);
        CU_ASSERT_EQUAL(answer.base_offset, 2 * i);
        CU_ASSERT_EQUAL(answer.log_append_time_ms, 1600000000000); /* the batch's own, under CreateTime */
    }
    /* The sixth is forgotten: out of order, not a duplicate. Nor does part of a batch count. */
    CU_ASSERT_EQUAL(send(&h, c, 1, 0, 2, 0).error_code, KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CU_ASSERT_EQUAL(send(&h, c, 1, 10, 1, 0).error_code, KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 12);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_APPEND_DUPLICATE], 5);
    harness_close(&h);
}

static void gaps_and_epochs(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(send(&h, c, 1, 40, 1, 3).error_code, 0); /* no state: any sequence */
    CU_ASSERT_EQUAL(send(&h, c, 1, 42, 1, 3).error_code, KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CU_ASSERT_EQUAL(send(&h, c, 1, 41, 1, 2).error_code, KW_ERROR_INVALID_PRODUCER_EPOCH);
    CU_ASSERT_EQUAL(send(&h, c, 1, 41, 1, 4).error_code, KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CU_ASSERT_EQUAL(send(&h, c, 1, 41, 1, 3).error_code, 0);
    CU_ASSERT_EQUAL(send(&h, c, 1, 0, 1, 4).error_code, 0);
    CU_ASSERT_EQUAL(send(&h, c, 1, 1, 1, 4).error_code, 0);
    harness_close(&h);
}

static void sequences_wrap(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(send(&h, c, 1, INT32_MAX - 1, 1, 0).error_code, 0);
    CU_ASSERT_EQUAL(send(&h, c, 1, INT32_MAX, 3, 0).error_code, 0); /* 2^31-1, 0, 1 */
    CU_ASSERT_EQUAL(send(&h, c, 1, INT32_MAX, 3, 0).base_offset, 1);
    CU_ASSERT_EQUAL(send(&h, c, 1, 2, 1, 0).base_offset, 4);
    CU_ASSERT_EQUAL(send(&h, c, 1, 0, 1, 1).error_code, 0); /* a new epoch */
    harness_close(&h);
    harness_open_simple(&h, 1, 1, NULL, NULL);
    c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(send(&h, c, 1, INT32_MAX, 1, 0).error_code, 0);
    CU_ASSERT_EQUAL(send(&h, c, 1, 0, 1, 0).error_code, 0); /* 0 follows 2^31-1 */
    harness_close(&h);
}

static void duplicates_wait_for_the_high_watermark_too(void)
{
    struct mb_setting topic[] = {{"min.insync.replicas", "2"}, {NULL, NULL}};
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, topic);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    mb_freeze(h.cluster, 2, h.now_us);
    CU_ASSERT_EQUAL(send(&h, c, 1, 0, 1, 0).error_code, 0);
    struct harness_batch batch = batch_of(0, 1, 0);
    harness_produce_send(&h, c, 9, 0, -1, 30000, harness_batch(&h, &batch));
    CU_ASSERT_EQUAL(harness_produce_answer(&h, c, 9, 1000000).error_code, HARNESS_NO_ANSWER);
    mb_thaw(h.cluster, 2, h.now_us);
    struct kw_produce_response_partition answer = harness_produce_answer(&h, c, 9, 1000000);
    CU_ASSERT_EQUAL(answer.error_code, 0);
    CU_ASSERT_EQUAL(answer.base_offset, 0);
    /* Too few in sync comes before the look at sequences. */
    mb_kill(h.cluster, 2, h.now_us);
    harness_run(&h, 7000000);
    CU_ASSERT_EQUAL(send(&h, c, -1, 0, 1, 0).error_code, KW_ERROR_NOT_ENOUGH_REPLICAS);
    CU_ASSERT_EQUAL(send(&h, c, 1, 0, 1, 0).base_offset, 0);
    harness_close(&h);
}

static void state_survives_failover_and_rolls_back(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, NULL);
    harness_run(&h, 10000);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(send(&h, c, -1, 0, 1, 0).base_offset, 0);
    mb_slow_replica(h.cluster, 2, 3000000);
    harness_run(&h, 1000000);
    CU_ASSERT_EQUAL(send(&h, c, 1, 1, 1, 0).base_offset, 1); /* only on the leader */
    mb_kill(h.cluster, 1, h.now_us);
    mb_slow_replica(h.cluster, 2, 0);
    harness_run(&h, 7000000);
    c = harness_connect(&h, 2);
    CU_ASSERT_EQUAL(send(&h, c, 1, 0, 1, 0).base_offset, 0); /* a duplicate: the follower knows it */
    CU_ASSERT_EQUAL(send(&h, c, 1, 2, 1, 0).error_code, KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    mb_restart(h.cluster, 1, h.now_us);
    harness_run(&h, 7000000);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_LOG_TRUNCATED], 1);
    /* Back on the old leader: sequence 1 was cut off there, and is expected again. */
    CU_ASSERT_TRUE(mb_move_leader(h.cluster, "t", 0, 1, h.now_us));
    harness_run(&h, 100000);
    c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(send(&h, c, 1, 2, 1, 0).error_code, KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CU_ASSERT_EQUAL(send(&h, c, -1, 1, 1, 0).base_offset, 1);
    harness_close(&h);
}

static void ids_come_in_blocks(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 2);
    uint32_t d = harness_connect(&h, 1);
    for (int16_t version = 0; version <= 4; version++) {
        struct kw_init_producer_id_request request;
        struct kw_init_producer_id_response response;
        kw_init_producer_id_request_init(&request);
        request.transactional_id = (struct kw_string){NULL, -1};
        request.transaction_timeout_ms = 1000;
        harness_send(&h, c, KW_API_INIT_PRODUCER_ID, version, &request);
        CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_INIT_PRODUCER_ID, version, &response, 1000000));
        CU_ASSERT_EQUAL(response.error_code, 0);
        CU_ASSERT_EQUAL(response.producer_id, version);
        CU_ASSERT_EQUAL(response.producer_epoch, 0);
        harness_send(&h, d, KW_API_INIT_PRODUCER_ID, version, &request);
        CU_ASSERT_TRUE_FATAL(harness_receive(&h, d, KW_API_INIT_PRODUCER_ID, version, &response, 1000000));
        CU_ASSERT_EQUAL(response.producer_id, 1000 + version);
        if (version >= 3) {
            request.producer_id = 5; /* without an epoch */
            harness_send(&h, d, KW_API_INIT_PRODUCER_ID, version, &request);
            CU_ASSERT_TRUE_FATAL(
                harness_receive(&h, d, KW_API_INIT_PRODUCER_ID, version, &response, 1000000));
            CU_ASSERT_EQUAL(response.error_code, KW_ERROR_INVALID_REQUEST);
        }
    }
    harness_close(&h);
}

int main(void)
{
    return unit_main(
        "mockbroker idempotence",
        (struct unit_test[]){
            {"five batches are remembered", five_batches_are_remembered},
            {"gaps and epochs", gaps_and_epochs},
            {"sequences wrap", sequences_wrap},
            {"duplicates wait for the high watermark", duplicates_wait_for_the_high_watermark_too},
            {"state survives failover and rolls back", state_survives_failover_and_rolls_back},
            {"ids come in blocks", ids_come_in_blocks},
            {0},
        });
}
