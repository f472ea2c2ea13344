#include "model/summary.h"

#include "unit.h"

#include <string.h>

/* A log of one producer, written by hand. */
struct writer {
    struct sim_event_log *log;
};

static void put(struct writer *writer, int64_t time_us, struct kb_event event)
{
    CU_ASSERT_NOT_EQUAL_FATAL(sim_event_log_append(writer->log, &event, time_us, 0), 0);
}

#define EVENT(NAME, name, ...) ((struct kb_event){.kind = KB_EVENT_##NAME, .as.name = {__VA_ARGS__}})

static struct writer begin(void)
{
    struct writer writer = {sim_event_log_create()};
    struct sim_run_info *info = sim_event_log_info(writer.log);
    info->producer_count = 1;
    info->producers[0].batch_size_bytes = 1000;
    info->producers[0].buffer_memory_bytes = 10000;
    return writer;
}

/* Two records share a batch that is sent, comes back once, and is sent again. */
static void splits_latency_into_its_parts(void)
{
    struct writer writer = begin();
    put(&writer, 100, EVENT(RECORD_CREATED, record_created, .record = 0));
    put(&writer, 100, EVENT(THREAD_BLOCKED, thread_blocked, .record = 0, .wait = KB_WAIT_METADATA));
    put(&writer, 400, EVENT(THREAD_UNBLOCKED, thread_unblocked, .record = 0));
    put(&writer, 400, EVENT(MEMORY_ALLOCATED, memory_allocated, .bytes = 1000, .available_bytes = 9000));
    put(&writer, 400,
        EVENT(RECORD_APPENDED, record_appended, .record = 0, .batch = 1, .slot = 0, .record_bytes = 70));
    put(&writer, 900, EVENT(RECORD_CREATED, record_created, .record = 1));
    put(&writer, 900,
        EVENT(RECORD_APPENDED, record_appended, .record = 1, .batch = 1, .slot = 1, .record_bytes = 30));
    put(&writer, 1400,
        EVENT(BATCH_DRAINED, batch_drained, .batch = 1, .bytes = 161, .records = 2, .left = KB_LEFT_LINGER));
    put(&writer, 1400, EVENT(REQUEST_BUILT, request_built, .request = 1, .api = 0));
    put(&writer, 2400, EVENT(BATCH_REENQUEUED, batch_reenqueued, .batch = 1, .error = 19));
    put(&writer, 5400,
        EVENT(BATCH_DRAINED, batch_drained, .batch = 1, .bytes = 161, .records = 2,
              .left = KB_LEFT_BACKOFF_OVER));
    put(&writer, 5400, EVENT(REQUEST_BUILT, request_built, .request = 2, .api = 0));
    put(&writer, 5400, EVENT(REQUEST_BUILT, request_built, .request = 3, .api = 3));
    put(&writer, 7400, EVENT(RECORD_COMPLETED, record_completed, .record = 0, .batch = 1));
    put(&writer, 7400, EVENT(RECORD_COMPLETED, record_completed, .record = 1, .batch = 1));
    struct sim_summary summary;
    CU_ASSERT_TRUE_FATAL(sim_summarize(writer.log, &summary));
    CU_ASSERT_EQUAL(summary.sent, 2);
    CU_ASSERT_EQUAL(summary.acked, 2);
    CU_ASSERT_EQUAL(summary.acked_bytes, 100);
    CU_ASSERT_EQUAL(summary.first_send_us, 100);
    CU_ASSERT_EQUAL(summary.last_ack_us, 7400);
    CU_ASSERT_EQUAL(summary.retries, 1);
    CU_ASSERT_EQUAL(summary.produce_requests, 2);
    CU_ASSERT_EQUAL(summary.batches_drained, 2);
    CU_ASSERT_EQUAL(summary.capacity_drained, 2000);
    CU_ASSERT_EQUAL(summary.left[2], 1);
    CU_ASSERT_EQUAL(summary.left[3], 1);
    CU_ASSERT_EQUAL(summary.buffer_used_max_bytes, 1000);
    CU_ASSERT_EQUAL(summary.blocked_sends, 1);
    /* Record 0: 300 blocked, 1000 in the deque, 1000 + 2000 in flight, 3000 backing off: 7300 in all. */
    CU_ASSERT_EQUAL(summary.latency.longest_us, 7300);
    CU_ASSERT_EQUAL(summary.blocked.longest_us, 300);
    CU_ASSERT_EQUAL(summary.queued.longest_us, 1000);
    CU_ASSERT_EQUAL(summary.in_flight.longest_us, 3000);
    CU_ASSERT_EQUAL(summary.backing_off.longest_us, 3000);
    /* Record 1 came 500 later into the deque. */
    CU_ASSERT_EQUAL(summary.latency.p50_us, 6500);
    CU_ASSERT_EQUAL(summary.queued.p50_us, 500);
    CU_ASSERT_EQUAL(summary.queued.mean_us, 750);
    sim_event_log_destroy(writer.log);
}

static void counts_failures_of_both_kinds(void)
{
    struct writer writer = begin();
    put(&writer, 1, EVENT(RECORD_CREATED, record_created, .record = 0));
    put(&writer, 1, EVENT(RECORD_REJECTED, record_rejected, .record = 0, .error = 10));
    put(&writer, 2, EVENT(RECORD_CREATED, record_created, .record = 1));
    put(&writer, 2, EVENT(RECORD_APPENDED, record_appended, .record = 1, .batch = 1));
    put(&writer, 9, EVENT(BATCH_EXPIRED, batch_expired, .batch = 1));
    put(&writer, 9, EVENT(RECORD_COMPLETED, record_completed, .record = 1, .batch = 1, .error = 7));
    struct sim_summary summary;
    CU_ASSERT_TRUE_FATAL(sim_summarize(writer.log, &summary));
    CU_ASSERT_EQUAL(summary.failed, 2);
    CU_ASSERT_EQUAL(summary.acked, 0);
    CU_ASSERT_EQUAL(summary.expired, 1);
    CU_ASSERT_EQUAL(summary.last_ack_us, -1);
    CU_ASSERT_EQUAL(summary.latency.count, 0);
    sim_event_log_destroy(writer.log);
}

static void percentiles_of_a_hundred(void)
{
    struct writer writer = begin();
    for (uint32_t i = 0; i < 100; i++) {
        put(&writer, 0, EVENT(RECORD_CREATED, record_created, .record = i));
        put(&writer, 0, EVENT(RECORD_APPENDED, record_appended, .record = i, .batch = 1, .slot = i));
    }
    for (uint32_t i = 0; i < 100; i++) {
        put(&writer, i + 1, EVENT(RECORD_COMPLETED, record_completed, .record = 99 - i, .batch = 1));
    }
    struct sim_summary summary;
    CU_ASSERT_TRUE_FATAL(sim_summarize(writer.log, &summary));
    CU_ASSERT_EQUAL(summary.latency.p50_us, 50);
    CU_ASSERT_EQUAL(summary.latency.p90_us, 90);
    CU_ASSERT_EQUAL(summary.latency.p99_us, 99);
    CU_ASSERT_EQUAL(summary.latency.longest_us, 100);
    sim_event_log_destroy(writer.log);
}

/* Beyond what is kept exactly the percentiles are within a thousandth; the longest and the mean are exact. */
static void percentiles_of_very_many(void)
{
    enum { COUNT = 4 * SIM_PERCENTILES_EXACT };
    struct sim_durations durations = {0};
    struct sim_percentiles found;
    for (int64_t i = 0; i < SIM_PERCENTILES_EXACT; i++) {
        CU_ASSERT_TRUE_FATAL(sim_durations_add(&durations, i * 37 % SIM_PERCENTILES_EXACT * 1000));
    }
    sim_durations_summarize(&durations, &found);
    CU_ASSERT_EQUAL(found.p90_us, (SIM_PERCENTILES_EXACT - 1) * 90 / 100 * INT64_C(1000));
    for (int64_t i = SIM_PERCENTILES_EXACT; i < COUNT; i++) {
        CU_ASSERT_TRUE_FATAL(sim_durations_add(&durations, i * 1000));
    }
    CU_ASSERT_TRUE(sim_durations_add(&durations, -5));
    sim_durations_summarize(&durations, &found);
    CU_ASSERT_EQUAL(found.count, COUNT + 1);
    CU_ASSERT_EQUAL(found.longest_us, (COUNT - 1) * INT64_C(1000));
    CU_ASSERT_EQUAL(found.mean_us, INT64_C(1000) * COUNT / 2 * (COUNT - 1) / (COUNT + 1));
    const struct {
        int64_t value_us;
        int64_t percent;
    } expected[] = {{found.p50_us, 50}, {found.p90_us, 90}, {found.p99_us, 99}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        int64_t exact_us = COUNT * expected[i].percent / 100 * 1000;
        int64_t off_us = expected[i].value_us - exact_us;
        CU_ASSERT((off_us < 0 ? -off_us : off_us) * 1000 <= exact_us);
    }
    sim_durations_release(&durations);
}

/* Many more records and batches than are remembered at a time, and one that takes as long as all of them. */
static void forgets_what_is_over(void)
{
    enum { BATCHES = 5000, RECORDS_OF_BATCH = 3 };
    struct writer writer = begin();
    put(&writer, 10, EVENT(RECORD_CREATED, record_created, .record = 0));
    put(&writer, 10, EVENT(RECORD_APPENDED, record_appended, .record = 0, .batch = 1, .record_bytes = 7));
    uint32_t record = 1;
    int64_t now_us = 10;
    for (uint32_t batch = 2; batch < 2 + BATCHES; batch++, now_us += 50) {
        uint32_t first = record;
        for (uint32_t slot = 0; slot < RECORDS_OF_BATCH; slot++, record++) {
            put(&writer, now_us, EVENT(RECORD_CREATED, record_created, .record = record));
            put(&writer, now_us,
                EVENT(RECORD_APPENDED, record_appended, .record = record, .batch = batch, .slot = slot,
                      .record_bytes = 1));
        }
        put(&writer, now_us + 20, EVENT(BATCH_DRAINED, batch_drained, .batch = batch, .records = 3));
        for (uint32_t slot = 0; slot < RECORDS_OF_BATCH; slot++) {
            put(&writer, now_us + 50,
                EVENT(RECORD_COMPLETED, record_completed, .record = first + slot, .batch = batch));
        }
    }
    put(&writer, now_us, EVENT(RECORD_COMPLETED, record_completed, .record = 0, .batch = 1));
    struct sim_summary summary;
    CU_ASSERT_TRUE_FATAL(sim_summarize(writer.log, &summary));
    CU_ASSERT_EQUAL(summary.acked, 1 + BATCHES * RECORDS_OF_BATCH);
    CU_ASSERT_EQUAL(summary.acked_bytes, 7 + BATCHES * RECORDS_OF_BATCH);
    CU_ASSERT_EQUAL(summary.latency.p50_us, 50);
    CU_ASSERT_EQUAL(summary.latency.p99_us, 50);
    CU_ASSERT_EQUAL(summary.latency.longest_us, now_us - 10);
    CU_ASSERT_EQUAL(summary.queued.p99_us, 20);
    CU_ASSERT_EQUAL(summary.in_flight.p50_us, 30);
    CU_ASSERT_EQUAL(summary.queued.longest_us, now_us - 10);
    sim_event_log_destroy(writer.log);
}

int main(void)
{
    return unit_main("summary",
                     (struct unit_test[]){{"splits latency into its parts", splits_latency_into_its_parts},
                                          {"counts failures of both kinds", counts_failures_of_both_kinds},
                                          {"percentiles of a hundred", percentiles_of_a_hundred},
                                          {"percentiles of very many", percentiles_of_very_many},
                                          {"forgets what is over", forgets_what_is_over},
                                          {0}});
}
