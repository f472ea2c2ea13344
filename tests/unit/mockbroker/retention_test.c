/* retention.ms, retention.bytes, segment.bytes and cleanup.policy: what goes, and when. */

#include "batches.h"
#include "unit.h"

#include "base/allocator.h"
#include "mockbroker/partition_log.h"

static const int64_t epoch_ms = 1600000000000;

static void send(struct harness *h, uint32_t c, int64_t timestamp_ms)
{
    struct harness_batch batch = {
        .records = 1, .value_bytes = 400, .has_key = true, .timestamp_ms = timestamp_ms};
    CU_ASSERT_EQUAL(batch_error(h, c, harness_batch(h, &batch)), KW_ERROR_NONE);
}

static int64_t start_of(struct harness *h, int32_t broker)
{
    return harness_replica(h, broker).log_start_offset;
}

/* Two batches are a segment. A segment goes when its newest record is too old, and the broker looks 30 s
 * after its start and then at its interval. */
static void by_age(void)
{
    struct mb_setting broker[] = {{"log.retention.check.interval.ms", "10000"}, {NULL, NULL}};
    struct mb_setting topic[] = {{"segment.bytes", "1000"}, {"retention.ms", "20000"}, {NULL, NULL}};
    struct harness h;
    harness_open_simple(&h, 2, 2, broker, topic);
    uint32_t c = harness_connect(&h, 1);
    send(&h, c, epoch_ms);
    send(&h, c, epoch_ms + 11000);
    send(&h, c, epoch_ms + 15000);
    send(&h, c, epoch_ms + 16000);
    send(&h, c, epoch_ms + 30000);
    harness_run(&h, 30500000 - h.now_us); /* looked at 30 s: the first segment's newest is 19 s old */
    CU_ASSERT_EQUAL(start_of(&h, 1), 0);
    harness_run(&h, 39500000 - h.now_us); /* too old by now, but nobody looks */
    CU_ASSERT_EQUAL(start_of(&h, 1), 0);
    harness_run(&h, 40500000 - h.now_us); /* both are older than 20 s, the third segment is not */
    CU_ASSERT_EQUAL(start_of(&h, 1), 4);
    CU_ASSERT_EQUAL(start_of(&h, 2), 4); /* each replica looks for itself */
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 5);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_LOG_START_MOVED], 2);
    harness_run(&h, 50500000 - h.now_us); /* exactly as old as it may be at 50 s */
    CU_ASSERT_EQUAL(start_of(&h, 1), 4);
    harness_run(&h, 60500000 - h.now_us);
    CU_ASSERT_EQUAL(start_of(&h, 1), 5); /* the active segment, too */
    /* The offsets go on. */
    send(&h, c, epoch_ms + 61000);
    CU_ASSERT_EQUAL(harness_replica(&h, 1).log_end_offset, 6);
    CU_ASSERT_EQUAL(start_of(&h, 1), 5);
    harness_run(&h, 100000000);
    CU_ASSERT_EQUAL(start_of(&h, 1), 6);
    harness_close(&h);
}

/* Kafka's own instants: 30 s, 330 s... */
static void kafkas_instants(void)
{
    struct mb_setting topic[] = {{"retention.ms", "31000"}, {NULL, NULL}};
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, topic);
    uint32_t c = harness_connect(&h, 1);
    send(&h, c, epoch_ms);
    harness_run(&h, 329000000 - h.now_us);
    CU_ASSERT_EQUAL(start_of(&h, 1), 0);
    harness_run(&h, 2000000);
    CU_ASSERT_EQUAL(start_of(&h, 1), 1);
    harness_close(&h);
}

/* Nothing goes that is not below the high watermark, nor what has no time, nor of a topic that is not to be
 * deleted, nor when there is no limit. */
static void what_stays(void)
{
    struct mb_setting broker[] = {{"log.retention.check.interval.ms", "1000"}, {NULL, NULL}};
    struct mb_setting old[] = {{"retention.ms", "1000"}, {NULL, NULL}};
    struct mb_setting never[] = {{"retention.ms", "-1"}, {NULL, NULL}};
    struct mb_setting compacted[] = {{"retention.ms", "1000"}, {"cleanup.policy", "compact"}, {NULL, NULL}};
    struct mb_setting both[] = {{"retention.ms", "1000"}, {"cleanup.policy", "compact,delete"}, {NULL, NULL}};
    const struct mb_setting *const topics[] = {old, never, compacted, both};
    for (int i = 0; i < 4; i++) {
        struct harness h;
        harness_open_simple(&h, 1, 1, broker, topics[i]);
        uint32_t c = harness_connect(&h, 1);
        send(&h, c, epoch_ms);
        harness_run(&h, 40000000);
        CU_ASSERT_EQUAL(start_of(&h, 1), i == 0 || i == 3);
        harness_close(&h);
    }
    struct harness h;
    harness_open_simple(&h, 1, 1, broker, old);
    uint32_t c = harness_connect(&h, 1);
    send(&h, c, -1);
    harness_run(&h, 40000000);
    CU_ASSERT_EQUAL(start_of(&h, 1), 0);
    harness_close(&h);
    harness_open_simple(&h, 2, 2, broker, old);
    c = harness_connect(&h, 1);
    mb_freeze(h.cluster, 2, h.now_us);
    harness_cut(&h, 1, MB_CONTROLLER); /* the ISR cannot shrink: the high watermark stays */
    send(&h, c, epoch_ms);
    harness_run(&h, 40000000);
    CU_ASSERT_EQUAL(start_of(&h, 1), 0);
    harness_close(&h);
}

static void append(struct harness *h, struct mb_log *log, int64_t timestamp_ms)
{
    struct harness_batch batch = {.records = 1, .value_bytes = 400, .timestamp_ms = timestamp_ms};
    struct kw_bytes made = harness_batch(h, &batch);
    kw_record_batch_set_base_offset((uint8_t *)made.bytes, log->end_offset);
    kw_store_i64((uint8_t *)made.bytes + KW_RECORD_BATCH_MAX_TIMESTAMP, timestamp_ms);
    mb_log_append(log, mb_block_create(log->allocator, made.bytes, (uint32_t)made.length_bytes));
}

/* One batch is a segment here. The age itself may be reached; what is behind the high watermark, or has no
 * time, stops the search. */
static void edges(void)
{
    struct harness h;
    struct mb_log log;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    mb_log_init(&log, kb_allocator_default(), 500, -1);
    append(&h, &log, 1000);
    append(&h, &log, 2000);
    append(&h, &log, -1);
    append(&h, &log, 1000);
    CU_ASSERT_EQUAL(log.segment_count, 4);
    mb_log_set_high_watermark(&log, 1, 0);
    CU_ASSERT_FALSE(mb_log_enforce_retention_ms(&log, 500, 1500));
    CU_ASSERT_TRUE(mb_log_enforce_retention_ms(&log, 500, 9000)); /* the second one is not committed */
    CU_ASSERT_EQUAL(log.start_offset, 1);
    mb_log_set_high_watermark(&log, 4, 0);
    CU_ASSERT_FALSE(mb_log_enforce_retention_ms(&log, 500, 2500));
    CU_ASSERT_TRUE(mb_log_enforce_retention_ms(&log, 500, 2501));
    CU_ASSERT_EQUAL(log.start_offset, 2);
    CU_ASSERT_FALSE(mb_log_enforce_retention_ms(&log, 500, 9000));
    mb_log_release(&log);
    /* When all is gone a new segment begins: what went does not count for it. */
    mb_log_init(&log, kb_allocator_default(), 5000, 1000);
    for (int i = 0; i < 4; i++) {
        append(&h, &log, 1000);
    }
    mb_log_set_high_watermark(&log, 4, 0);
    CU_ASSERT_TRUE(mb_log_enforce_retention_ms(&log, 500, 9000));
    CU_ASSERT_EQUAL(log.start_offset, 4);
    for (int i = 0; i < 4; i++) {
        append(&h, &log, 9000);
    }
    mb_log_set_high_watermark(&log, 8, 0);
    CU_ASSERT_EQUAL(log.segment_count, 1);
    CU_ASSERT_EQUAL(log.segments[0].base_offset, 4);
    CU_ASSERT_EQUAL(log.end_position_bytes - log.segments[0].position_bytes,
                    4 * (int64_t)mb_log_entry_at(&log, 0)->block->size_bytes);
    mb_log_release(&log);
    harness_close(&h);
}

/* retention.bytes keeps whole segments: the log without the oldest one is still large enough. */
static void by_size(void)
{
    struct mb_setting topic[] = {{"segment.bytes", "1000"}, {"retention.bytes", "1000"}, {NULL, NULL}};
    struct mb_setting compacted[] = {
        {"segment.bytes", "1000"}, {"retention.bytes", "1000"}, {"cleanup.policy", "compact"}, {NULL, NULL}};
    for (int i = 0; i < 2; i++) {
        struct harness h;
        harness_open_simple(&h, 1, 1, NULL, i == 0 ? topic : compacted);
        uint32_t c = harness_connect(&h, 1);
        for (int j = 0; j < 4; j++) { /* 475 bytes each: 950 in a segment */
            send(&h, c, epoch_ms);
        }
        CU_ASSERT_EQUAL(start_of(&h, 1), 0); /* 1900 - 950 < 1000 */
        send(&h, c, epoch_ms);
        CU_ASSERT_EQUAL(start_of(&h, 1), i == 0 ? 2 : 0);
        harness_close(&h);
    }
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"by age", by_age},         {"Kafka's instants", kafkas_instants},
        {"what stays", what_stays}, {"edges", edges},
        {"by size", by_size},       {0},
    };
    return unit_main("mockbroker retention", tests);
}
