/* What consumers have read: sim/engine/consumer_ledger.h. */
#include "engine/consumer_ledger.h"

#include <string.h>

#include "engine/world.h"
#include "unit.h"

static struct mb_topic_options topics[] = {{.name = "a", .partition_count = 2},
                                           {.name = "b", .partition_count = 1}};
static const struct sim_scenario two_consumers = {.topics = topics, .topic_count = 2, .consumer_count = 2};

static struct sim_reading_totals totals_of(const struct sim_readings *readings, uint32_t consumer)
{
    struct sim_reading_totals totals;
    sim_readings_totals(readings, consumer, &totals);
    return totals;
}

static void latency_is_from_ack_to_reading(void)
{
    struct sim_readings *readings = sim_readings_create(&two_consumers);
    for (int64_t offset = 0; offset < 100; offset++) {
        sim_readings_acked(readings, "a", 1, offset, 1000);
    }
    sim_readings_acked(readings, "a", 0, 5, 7);
    sim_readings_acked(readings, "a", 1, -1, 7); /* acks=0 names no offset */
    for (int64_t offset = 0; offset < 100; offset++) {
        sim_readings_read(readings, 0, "a", 1, offset, offset, 0, 1000 + offset + 1);
    }
    struct sim_reading_totals totals = totals_of(readings, 0);
    CU_ASSERT_EQUAL(totals.records, 100);
    CU_ASSERT_EQUAL(totals.measured, 100);
    CU_ASSERT_EQUAL(totals.early, 0);
    CU_ASSERT_EQUAL(totals.p50_us, 50);
    CU_ASSERT_EQUAL(totals.p99_us, 99);
    CU_ASSERT_EQUAL(totals.longest_us, 100);
    CU_ASSERT_EQUAL(totals.mean_us, 50);
    CU_ASSERT_EQUAL(totals_of(readings, 1).records, 0);
    sim_readings_destroy(readings);
}

static void large_latencies_are_nearly_exact(void)
{
    struct sim_readings *readings = sim_readings_create(&two_consumers);
    sim_readings_acked(readings, "a", 0, 0, 0);
    sim_readings_acked(readings, "a", 0, 1, 0);
    sim_readings_read(readings, 1, "a", 0, 0, 0, 0, 1234567);
    sim_readings_read(readings, 1, "a", 0, 1, 1, 0, 90000000);
    struct sim_reading_totals totals = totals_of(readings, 1);
    CU_ASSERT_TRUE(totals.p50_us >= 1234567 && totals.p50_us < 1234567 + 1234567 / 60);
    CU_ASSERT_EQUAL(totals.p99_us, 90000000); /* never beyond the longest */
    sim_readings_destroy(readings);
}

static void read_before_the_ack(void)
{
    struct sim_readings *readings = sim_readings_create(&two_consumers);
    sim_readings_read(readings, 0, "b", 0, 0, 4, 0, 10);
    sim_readings_acked(readings, "b", 0, 0, 20);
    sim_readings_read(readings, 1, "b", 0, 0, 4, 0, 30);
    CU_ASSERT_EQUAL(totals_of(readings, 0).early, 5);
    CU_ASSERT_EQUAL(totals_of(readings, 0).measured, 0);
    CU_ASSERT_EQUAL(totals_of(readings, 1).early, 4);
    CU_ASSERT_EQUAL(totals_of(readings, 1).measured, 1);
    CU_ASSERT_EQUAL(totals_of(readings, 1).longest_us, 10);
    sim_readings_destroy(readings);
}

static void how_often_and_when(void)
{
    struct sim_readings *readings = sim_readings_create(&two_consumers);
    int64_t first_us;
    sim_readings_read(readings, 0, "a", 0, 10, 19, 3, 100);
    sim_readings_read(readings, 0, "a", 0, 15, 24, 3, 200); /* from where it had committed */
    sim_readings_read(readings, 0, "a", 0, 15, 15, 4, 300); /* another record at that offset */
    CU_ASSERT_EQUAL(totals_of(readings, 0).records, 21);
    CU_ASSERT_EQUAL(totals_of(readings, 0).repeated, 5);
    CU_ASSERT_EQUAL(sim_readings_of(readings, 0, "a", 0, 12, 3, &first_us), 1);
    CU_ASSERT_EQUAL(first_us, 100);
    CU_ASSERT_EQUAL(sim_readings_of(readings, 0, "a", 0, 15, 3, &first_us), 2);
    CU_ASSERT_EQUAL(first_us, 100);
    CU_ASSERT_EQUAL(sim_readings_of(readings, 0, "a", 0, 15, 4, &first_us), 1);
    CU_ASSERT_EQUAL(first_us, 300);
    CU_ASSERT_EQUAL(sim_readings_of(readings, 0, "a", 0, 25, 3, &first_us), 0);
    CU_ASSERT_EQUAL(first_us, -1);
    CU_ASSERT_EQUAL(sim_readings_of(readings, 1, "a", 0, 15, 3, &first_us), 0);
    CU_ASSERT_EQUAL(sim_readings_of(readings, 0, "a", 1, 15, 3, &first_us), 0);
    sim_readings_left_out(readings, 1, 7);
    CU_ASSERT_EQUAL(totals_of(readings, 1).left_out, 7);
    sim_readings_destroy(readings);
}

/* Far more polls than are kept, and acks nobody ever reads: counts stay right, memory stays small. */
static void memory_is_bounded(void)
{
    enum { POLLS = 3000000 };
    struct sim_readings *readings = sim_readings_create(&two_consumers);
    int64_t first_us;
    for (int64_t offset = 0; offset < POLLS; offset++) {
        sim_readings_acked(readings, "a", 0, offset, offset);
        sim_readings_read(readings, 0, "a", 0, offset, offset, 0, offset + 5);
    }
    struct sim_reading_totals totals = totals_of(readings, 0);
    CU_ASSERT_EQUAL(totals.records, POLLS);
    CU_ASSERT_EQUAL(totals.measured, POLLS);
    CU_ASSERT_EQUAL(totals.p99_us, 5);
    CU_ASSERT_EQUAL(totals.repeated, 0);
    CU_ASSERT_EQUAL(sim_readings_of(readings, 0, "a", 0, 3, 0, &first_us), 1);
    CU_ASSERT_EQUAL(first_us, 5); /* it was put together with the first one, else it were 8 */
    CU_ASSERT_EQUAL(sim_readings_of(readings, 0, "a", 0, POLLS - 1, 0, &first_us), 1);
    CU_ASSERT_EQUAL(first_us, POLLS + 4);
    /* The acks of the first offsets are forgotten: what is read of them now is not measured, nor early. */
    sim_readings_read(readings, 1, "a", 0, 0, 9, 0, POLLS);
    CU_ASSERT_EQUAL(totals_of(readings, 1).measured + totals_of(readings, 1).early, 0);
    sim_readings_destroy(readings);
}

static void without_consumers(void)
{
    struct sim_reading_totals totals = {.records = 1};
    int64_t first_us = 0;
    sim_readings_acked(NULL, "a", 0, 1, 1);
    sim_readings_read(NULL, 0, "a", 0, 1, 1, 0, 1);
    sim_readings_left_out(NULL, 0, 1);
    sim_readings_settle(NULL, NULL);
    sim_readings_totals(NULL, 0, &totals);
    CU_ASSERT_EQUAL(totals.records, 0);
    CU_ASSERT_EQUAL(sim_readings_of(NULL, 0, "a", 0, 0, 0, &first_us), 0);
    sim_readings_destroy(NULL);
}

int main(void)
{
    return unit_main("consumer_ledger",
                     (struct unit_test[]){
                         {"latency is from ack to reading", latency_is_from_ack_to_reading},
                         {"large latencies are nearly exact", large_latencies_are_nearly_exact},
                         {"read before the ack", read_before_the_ack},
                         {"how often, and when", how_often_and_when},
                         {"memory is bounded", memory_is_bounded},
                         {"without consumers", without_consumers},
                         {0},
                     });
}
