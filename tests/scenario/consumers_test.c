/*
 * What each consumer has read, against a reading of the logs and of the events that shares no line with it:
 * a batch's fate is looked for in the markers behind it, never in the broker's list of aborted transactions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/world.h"
#include "unit.h"
#include "wire/cursor.h"
#include "wire/record_batch.h"
#include "wire/record_batch_reader.h"

static struct sim_scenario *scenario;
static struct sim_world *world;

static void run_whole(bool is_loaded, const struct sim_complaints *said)
{
    struct sim_complaints complaints = {0};
    struct sim_world_options options = {.log_events = true, .check = true};
    if (!is_loaded) {
        printf("%s", said->text);
    }
    CU_ASSERT_TRUE_FATAL(is_loaded);
    CU_ASSERT_TRUE_FATAL(sim_world_create(scenario, &options, &world, &complaints));
    while (sim_world_step(world)) {
    }
    CU_ASSERT_PTR_NULL(sim_world_failure(world));
    sim_readings_settle(sim_world_readings(world), sim_world_cluster(world));
}

static void run_file(const char *name)
{
    char path[128];
    struct sim_complaints complaints = {0};
    snprintf(path, sizeof path, "assets/scenarios/%s.json", name);
    bool is_loaded = sim_scenario_load(path, NULL, 0, &scenario, &complaints, NULL);
    run_whole(is_loaded, &complaints);
    sim_complaints_release(&complaints);
}

static void run_text(const char *text)
{
    struct sim_complaints complaints = {0};
    bool is_loaded = sim_scenario_parse("test", text, NULL, 0, &scenario, &complaints, NULL);
    run_whole(is_loaded, &complaints);
    sim_complaints_release(&complaints);
}

static void end(void)
{
    sim_world_destroy(world);
    sim_scenario_release(scenario);
}

static struct sim_reading_totals totals_of(uint32_t consumer)
{
    struct sim_reading_totals totals;
    sim_readings_totals(sim_world_readings(world), consumer, &totals);
    return totals;
}

static int64_t lag_of(uint32_t consumer)
{
    int64_t lag = 0;
    struct sim_consumer_position position;
    for (uint32_t i = 0; sim_consumer_position(sim_world_consumer(world, consumer), i, &position); i++) {
        lag += position.lag;
    }
    return lag;
}

/* --- The logs --- */

/* 1: committed, or of no transaction; 0: aborted; -1: nobody knows yet. */
static int fate_of(int32_t broker, const char *topic, int32_t partition, const uint8_t *asked)
{
    const void *bytes;
    size_t length_bytes;
    if (!kw_record_batch_is_transactional(asked)) {
        return 1;
    }
    for (int64_t offset = kw_record_batch_last_offset(asked) + 1;
         mb_log_read(sim_world_cluster(world), broker, topic, partition, offset, &bytes, &length_bytes);
         offset = kw_record_batch_last_offset(bytes) + 1) {
        const uint8_t *batch = bytes;
        if (kw_record_batch_is_control(batch) &&
            kw_record_batch_producer_id(batch) == kw_record_batch_producer_id(asked)) {
            struct kw_record_reader reader;
            struct kw_record record;
            kw_record_reader_init(&reader, batch, batch + KW_RECORD_BATCH_RECORDS,
                                  length_bytes - KW_RECORD_BATCH_RECORDS);
            CU_ASSERT_TRUE_FATAL(kw_record_reader_next(&reader, &record));
            return kw_load_i16(record.key.bytes + 2) == 1;
        }
    }
    return -1;
}

struct counts {
    uint64_t seen;    /* that the isolation level lets through */
    uint64_t aborted; /* that it does not */
    uint64_t times;   /* how often they were read, all together */
    uint64_t wrong;   /* read otherwise than once */
};

/* Every record of a leader's log, and how often the consumers from first to last have read it. */
static void count_partition(const char *topic, int32_t partition, uint32_t first, uint32_t last,
                            bool is_committed, struct counts *counts)
{
    struct mb_partition_view view;
    const void *bytes;
    size_t length_bytes;
    CU_ASSERT_TRUE_FATAL(mb_partition_view(sim_world_cluster(world), topic, partition, &view));
    for (int64_t offset = 0; mb_log_read(sim_world_cluster(world), view.leader, topic, partition, offset,
                                         &bytes, &length_bytes);) {
        const uint8_t *batch = bytes;
        bool is_control = kw_record_batch_is_control(batch);
        bool is_seen = !is_control && (!is_committed || fate_of(view.leader, topic, partition, batch) == 1);
        for (offset = kw_record_batch_base_offset(batch); offset <= kw_record_batch_last_offset(batch);
             offset++) {
            uint64_t times = 0;
            for (uint32_t consumer = first; consumer <= last; consumer++) {
                int64_t first_us;
                times += sim_readings_of(sim_world_readings(world), consumer, topic, partition, offset,
                                         kw_record_batch_partition_leader_epoch(batch), &first_us);
            }
            counts->seen += is_seen;
            counts->aborted += !is_control && !is_seen;
            counts->times += times;
            counts->wrong += times != (is_seen ? 1 : 0);
        }
    }
}

static struct counts count(const char *topic, int32_t partitions, uint32_t first, uint32_t last,
                           bool is_committed)
{
    struct counts counts = {0};
    for (int32_t i = 0; i < partitions; i++) {
        count_partition(topic, i, first, last, is_committed, &counts);
    }
    return counts;
}

/* --- The events --- */

enum { OFFSETS_MAX = 1000, PARTITIONS_MAX = 3 };

/* The latency of each record, from the events that the producer and the consumer announce. */
struct measured {
    uint64_t early;
    uint64_t late;
    int64_t longest_us;
    int64_t sum_us;
    uint64_t beyond; /* readings past what could be read at that moment */
};

static struct measured measure(uint32_t consumer, bool is_committed)
{
    static int64_t acked_us[PARTITIONS_MAX][OFFSETS_MAX];
    int64_t high_watermark[PARTITIONS_MAX] = {0};
    int64_t held_at[PARTITIONS_MAX] = {-1, -1, -1};
    struct measured found = {0};
    memset(acked_us, 0xff, sizeof acked_us);
    const struct sim_event_log *log = sim_world_log(world);
    for (uint64_t i = 1; i <= sim_event_log_count(log); i++) {
        const struct kb_event *event = sim_event_log_get(log, i);
        if (event->kind == KB_EVENT_RECORD_COMPLETED && event->as.record_completed.error == 0) {
            const struct kb_event_record_completed *done = &event->as.record_completed;
            acked_us[done->partition][done->offset] = event->time_us;
        } else if (event->kind == KB_EVENT_HW_ADVANCED && event->as.hw_advanced.is_leader) {
            high_watermark[event->as.hw_advanced.partition] = event->as.hw_advanced.high_watermark;
        } else if (event->kind == KB_EVENT_LSO_ADVANCED && event->as.lso_advanced.is_leader) {
            const struct kb_event_lso_advanced *stable = &event->as.lso_advanced;
            held_at[stable->partition] =
                stable->last_stable_offset < stable->high_watermark ? stable->last_stable_offset : -1;
        } else if (event->kind == KB_EVENT_CONSUMER_READ && event->source == KB_SOURCE_CONSUMER + consumer) {
            const struct kb_event_consumer_read *read = &event->as.consumer_read;
            int64_t limit = high_watermark[read->partition];
            if (is_committed && held_at[read->partition] >= 0) {
                limit = held_at[read->partition];
            }
            found.beyond += read->position > limit;
            for (int64_t offset = read->offset; !is_committed && offset < read->position; offset++) {
                int64_t ack_us = acked_us[read->partition][offset];
                int64_t late_us = event->time_us - ack_us;
                found.early += ack_us < 0;
                found.late += ack_us >= 0;
                found.sum_us += ack_us >= 0 ? late_us : 0;
                found.longest_us = ack_us >= 0 && late_us > found.longest_us ? late_us : found.longest_us;
            }
        }
    }
    return found;
}

static uint64_t count_events(uint32_t kind, int32_t why)
{
    uint64_t found = 0;
    const struct sim_event_log *log = sim_world_log(world);
    for (uint64_t i = 1; i <= sim_event_log_count(log); i++) {
        const struct kb_event *event = sim_event_log_get(log, i);
        found += event->kind == kind &&
                 (kind != KB_EVENT_CONSUMER_POSITION || event->as.consumer_position.why == why);
    }
    return found;
}

/* --- The tests --- */

static void acked_is_not_readable(void)
{
    run_file("acked-is-not-readable");
    struct counts counts = count("orders", 2, 0, 0, false);
    struct sim_reading_totals totals = totals_of(0);
    struct measured measured = measure(0, false);
    CU_ASSERT_EQUAL(counts.seen, 300);
    CU_ASSERT_EQUAL(counts.wrong, 0);
    CU_ASSERT_EQUAL(totals.records, 300);
    CU_ASSERT_EQUAL(measured.beyond, 0);
    CU_ASSERT_EQUAL(totals.early, measured.early);
    CU_ASSERT_EQUAL(totals.measured, measured.late);
    CU_ASSERT_EQUAL(totals.longest_us, measured.longest_us);
    CU_ASSERT_EQUAL(totals.mean_us, measured.sum_us / (int64_t)measured.late);
    /* What it is there to show: some are acked long before they can be read. */
    CU_ASSERT_TRUE(totals.p99_us > 40000);
    CU_ASSERT_EQUAL(lag_of(0), 0);
    end();
}

static void isolation_levels(void)
{
    run_file("read-committed");
    struct counts all = count("orders", 1, 0, 0, false);
    struct counts committed = count("orders", 1, 1, 1, true);
    struct sim_reading_totals billing = totals_of(1);
    CU_ASSERT_EQUAL(all.wrong, 0);
    CU_ASSERT_EQUAL(all.seen, totals_of(0).records);
    CU_ASSERT_EQUAL(totals_of(0).left_out, 0);
    CU_ASSERT_TRUE(committed.seen > 50 && committed.aborted > 40);
    CU_ASSERT_EQUAL(committed.wrong, 0);
    CU_ASSERT_EQUAL(billing.records, committed.seen);
    CU_ASSERT_EQUAL(billing.left_out, committed.aborted);
    CU_ASSERT_EQUAL(measure(0, false).beyond, 0);
    CU_ASSERT_EQUAL(measure(1, true).beyond, 0);
    /* Held back by the open transaction for most of its 160 ms. */
    CU_ASSERT_TRUE(billing.longest_us > 120000);
    CU_ASSERT_EQUAL(lag_of(0) + lag_of(1), 0);
    end();
}

static void group_reads_on(void)
{
    run_file("consumer-group");
    struct counts counts = count("orders", 3, 0, 1, false);
    CU_ASSERT_EQUAL(counts.seen, 800);
    CU_ASSERT_EQUAL(counts.wrong, 0);
    CU_ASSERT_TRUE(totals_of(0).records > 100);
    CU_ASSERT_TRUE(totals_of(1).records > 100);
    CU_ASSERT_EQUAL(lag_of(1), 0);
    CU_ASSERT_EQUAL(count_events(KB_EVENT_CONSUMER_POSITION, KB_POSITION_WHY_COMMITTED), 3);
    end();
}

static void read_and_lost(void)
{
    run_file("read-then-lost");
    struct counts counts = count("orders", 1, 0, 0, false);
    struct sim_reading_totals totals = totals_of(0);
    CU_ASSERT_EQUAL(counts.wrong, 0); /* what is there has been read once */
    CU_ASSERT_TRUE(totals.lost > 20);
    CU_ASSERT_EQUAL(totals.records, counts.times + totals.lost);
    CU_ASSERT_EQUAL(count_events(KB_EVENT_CONSUMER_POSITION, KB_POSITION_WHY_TRUNCATED), 1);
    CU_ASSERT_EQUAL(lag_of(0), 0);
    end();
}

#define PRODUCER(count, rate, more)                                                                          \
    "\"producers\":[{\"name\":\"shop\",\"config\":{\"acks\":\"all\",\"linger.ms\":1" more                    \
    "},\"threads\":[{\"records\":{\"count\":" #count ",\"rate_per_s\":" #rate "}}]}],"

static void a_link_is_cut(void)
{
    run_text("{\"cluster\":{\"topics\":[{\"name\":\"orders\"}],"
             "\"config\":{\"replica.fetch.wait.max.ms\":10}}," PRODUCER(
                 200, 1000, "") "\"consumers\":[{\"name\":\"reader\",\"assign\":[{\"topic\":\"orders\"}],"
                                "\"config\":{\"auto.offset.reset\":\"earliest\",\"request.timeout.ms\":60,"
                                "\"fetch.max.wait.ms\":20}}],"
                                "\"timeline\":[{\"at_ms\":50,\"do\":\"cut\",\"broker\":1,\"to\":\"reader\"},"
                                "{\"at_ms\":140,\"do\":\"heal\",\"broker\":1,\"to\":\"reader\"}]}");
    uint64_t lost = 0;
    const struct sim_event_log *log = sim_world_log(world);
    for (uint64_t i = 1; i <= sim_event_log_count(log); i++) {
        const struct kb_event *event = sim_event_log_get(log, i);
        lost += event->kind == KB_EVENT_PACKET_LOST &&
                (event->as.packet_lost.from == -1001 || event->as.packet_lost.to == -1001);
        CU_ASSERT_FALSE(event->kind == KB_EVENT_PACKET_LOST && event->as.packet_lost.from == -1);
    }
    CU_ASSERT_TRUE(lost > 0);
    CU_ASSERT_EQUAL(count("orders", 1, 0, 0, false).wrong, 0);
    CU_ASSERT_EQUAL(totals_of(0).records, 200);
    CU_ASSERT_TRUE(totals_of(0).longest_us > 60000);
    end();
}

static void out_of_range(void)
{
    run_text(
        "{\"duration_ms\":5000,\"cluster\":{\"topics\":[{\"name\":\"orders\",\"config\":{"
        "\"retention.bytes\":4000,\"segment.bytes\":1000}}],"
        "\"config\":{\"replica.fetch.wait.max.ms\":10}}," PRODUCER(
            400, 1000,
            ",\"batch.size\":500") "\"consumers\":[{\"name\":\"reader\",\"assign\":[{\"topic\":\"orders\"}],"
                                   "\"config\":{\"auto.offset.reset\":\"earliest\",\"max.poll.records\":10},"
                                   "\"poll_cost_us\":60000}]}");
    uint64_t errors = 0;
    const struct sim_event_log *log = sim_world_log(world);
    for (uint64_t i = 1; i <= sim_event_log_count(log); i++) {
        const struct kb_event *event = sim_event_log_get(log, i);
        errors += event->kind == KB_EVENT_CONSUMER_FETCHED &&
                  event->as.consumer_fetched.error == 1; /* OFFSET_OUT_OF_RANGE */
        CU_ASSERT_FALSE(event->kind == KB_EVENT_CONSUMER_READ && event->as.consumer_read.records > 10);
    }
    CU_ASSERT_TRUE(errors > 0);
    CU_ASSERT_EQUAL(count_events(KB_EVENT_CONSUMER_POSITION, KB_POSITION_WHY_EARLIEST), errors + 1);
    CU_ASSERT_TRUE(totals_of(0).records < 400);
    CU_ASSERT_EQUAL(totals_of(0).repeated, 0);
    CU_ASSERT_EQUAL(totals_of(0).lost, 0); /* retention is no loss */
    CU_ASSERT_EQUAL(lag_of(0), 0);
    end();
}

static void without_reset_it_fails(void)
{
    run_text("{\"cluster\":{\"topics\":[{\"name\":\"orders\"}]}," PRODUCER(
        20, 1000, "") "\"consumers\":[{\"assign\":[{\"topic\":\"orders\"}],"
                      "\"config\":{\"auto.offset.reset\":\"none\"}}]}");
    CU_ASSERT_TRUE(sim_consumer_error(sim_world_consumer(world, 0)) != 0);
    CU_ASSERT_EQUAL(totals_of(0).records, 0);
    CU_ASSERT_EQUAL(count_events(KB_EVENT_RUN_ENDED, 0), 1);
    end();
}

static void latest_and_death(void)
{
    /* A consumer that begins at the end, and a broker that dies under it: nothing behind its beginning is
     * missing, nothing is read twice. */
    run_text(
        "{\"seed\":9,\"duration_ms\":5000,\"cluster\":{\"topics\":[{\"name\":\"orders\",\"partitions\":3}],"
        "\"config\":{\"replica.fetch.wait.max.ms\":10,\"zookeeper.session.timeout.ms\":50}}," //
        PRODUCER(
            400, 1000,
            ",\"retry.backoff.ms\":10,\"enable.idempotence\":true") "\"consumers\":[{\"start_ms\":60,"
                                                                    "\"assign\":[{\"topic\":\"orders\"}],"
                                                                    "\"config\":{\"retry.backoff.ms\":10}}],"
                                                                    "\"timeline\":[{\"at_ms\":150,\"do\":"
                                                                    "\"kill\",\"broker\":2},"
                                                                    "{\"at_ms\":300,\"do\":\"restart\","
                                                                    "\"broker\":2}]}");
    struct counts counts = count("orders", 3, 0, 0, false);
    struct sim_reading_totals totals = totals_of(0);
    CU_ASSERT_EQUAL(count_events(KB_EVENT_CONSUMER_POSITION, KB_POSITION_WHY_LATEST), 3);
    CU_ASSERT_TRUE(totals.records > 200 && totals.records < 400);
    CU_ASSERT_EQUAL(counts.seen, 400);
    CU_ASSERT_EQUAL(counts.wrong, 400 - totals.records); /* those before its beginning */
    CU_ASSERT_EQUAL(totals.repeated + totals.lost, 0);
    CU_ASSERT_EQUAL(lag_of(0), 0);
    end();
}

static void one_at_a_time(void)
{
    /* Two members at once: the group takes one. */
    run_text(
        "{\"duration_ms\":1500,\"cluster\":{\"topics\":[{\"name\":\"orders\"}],"
        "\"config\":{\"group.initial.rebalance.delay.ms\":0,\"replica.fetch.wait.max.ms\":10}}," //
        PRODUCER(300, 500,
                 "") "\"consumers\":[{\"name\":\"a\",\"topics\":[\"orders\"],\"config\":{\"group.id\":\"g\","
                     "\"auto.offset.reset\":\"earliest\"}},{\"name\":\"b\",\"topics\":[\"orders\"],\"start_"
                     "ms\":300,"
                     "\"config\":{\"group.id\":\"g\"}}]}");
    CU_ASSERT_EQUAL(totals_of(0).records, 300);
    CU_ASSERT_EQUAL(sim_consumer_error(sim_world_consumer(world, 1)), 81); /* GROUP_MAX_SIZE_REACHED */
    CU_ASSERT_EQUAL(sim_consumer_error(sim_world_consumer(world, 0)), 0);
    end();
}

int main(void)
{
    return unit_main("consumers", (struct unit_test[]){
                                      {"acked is not readable", acked_is_not_readable},
                                      {"isolation levels", isolation_levels},
                                      {"a group reads on where it stopped", group_reads_on},
                                      {"read, and lost all the same", read_and_lost},
                                      {"a link to a consumer is cut", a_link_is_cut},
                                      {"a position out of range", out_of_range},
                                      {"without auto.offset.reset", without_reset_it_fails},
                                      {"from the end, and a dead broker", latest_and_death},
                                      {"one member at a time", one_at_a_time},
                                      {0},
                                  });
}
