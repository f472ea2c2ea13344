/* The index of the timeline: what it counts, against counting the events one by one. */
#include "view/lane_index.h"

#include "unit.h"

#include <string.h>

static struct sim_event_log *log_of_run;
static struct view_lane_index *lanes;

static void start(void)
{
    log_of_run = sim_event_log_create();
    lanes = view_lane_index_create();
    CU_ASSERT_PTR_NOT_NULL_FATAL(log_of_run);
    CU_ASSERT_PTR_NOT_NULL_FATAL(lanes);
}

static void stop(void)
{
    view_lane_index_destroy(lanes);
    sim_event_log_destroy(log_of_run);
}

static void append(const struct kb_event *event, int64_t time_us)
{
    CU_ASSERT_FATAL(sim_event_log_append(log_of_run, event, time_us, 0) > 0);
}

static void append_drained(int64_t time_us, int32_t partition)
{
    append(&(struct kb_event){.kind = KB_EVENT_BATCH_DRAINED,
                              .as.batch_drained = {.batch = 1, .topic = 3, .partition = partition}},
           time_us);
}

static uint32_t sum(const struct view_lane_cell *cells, enum kb_lane lane, uint32_t columns)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < columns; i++) {
        total += cells[lane * columns + i].count;
    }
    return total;
}

static void counts_land_in_their_columns(void)
{
    start();
    append_drained(0, 1);
    append_drained(99, 1);
    append_drained(100, 2);
    append(&(struct kb_event){.kind = KB_EVENT_PACKET_LOST, .as.packet_lost = {.packet = 9}}, 250);
    CU_ASSERT_TRUE(view_lane_index_update(lanes, log_of_run, 1000));
    const struct view_lane_cell *cells = view_lane_index_query(lanes, 0, 300, 3);
    const struct view_lane_cell *sender = cells + (uint32_t)KB_LANE_SENDER * 3;
    CU_ASSERT_EQUAL(sender[0].count, 2);
    CU_ASSERT_EQUAL(sender[1].count, 1);
    CU_ASSERT_EQUAL(sender[2].count, 0);
    CU_ASSERT_EQUAL(sender[0].topic, 3);
    CU_ASSERT_EQUAL(sender[0].partition, 1);
    CU_ASSERT_EQUAL(sender[1].partition, 2);
    CU_ASSERT_EQUAL(sender[0].errors, 0);
    CU_ASSERT_EQUAL(cells[(uint32_t)KB_LANE_NETWORK * 3 + 2].errors, 1);
    stop();
}

/* Every event is counted once however the run grows past its buckets, and however it is asked for. */
static void growth_loses_nothing(void)
{
    start();
    uint32_t appended = 0;
    for (int64_t time_us = 0; time_us < 40000000; time_us += 97) {
        append_drained(time_us, 0);
        appended++;
        if (appended % 70000 == 0) {
            (void)view_lane_index_update(lanes, log_of_run, 60000);
        }
    }
    while (!view_lane_index_update(lanes, log_of_run, 50000)) {
    }
    CU_ASSERT_EQUAL(sum(view_lane_index_query(lanes, 0, 40000000, 1000), KB_LANE_SENDER, 1000), appended);
    CU_ASSERT_EQUAL(sum(view_lane_index_query(lanes, 0, 40000000, 7), KB_LANE_SENDER, 7), appended);
    stop();
}

/* A short part is counted event by event: exactly those of [from, to). */
static void a_short_part_is_exact(void)
{
    start();
    for (int64_t time_us = 0; time_us < 20000000; time_us += 1000) {
        append_drained(time_us, 0);
    }
    CU_ASSERT_TRUE(view_lane_index_update(lanes, log_of_run, UINT64_MAX));
    const struct view_lane_cell *cells = view_lane_index_query(lanes, 10000000, 10005000, 100);
    CU_ASSERT_EQUAL(sum(cells, KB_LANE_SENDER, 100), 5);
    CU_ASSERT_EQUAL(cells[(uint32_t)KB_LANE_SENDER * 100 + 20].count, 1);
    CU_ASSERT_EQUAL(cells[(uint32_t)KB_LANE_SENDER * 100 + 21].count, 0);
    /* The answer grows with the log. */
    append_drained(20000000, 0);
    CU_ASSERT_TRUE(view_lane_index_update(lanes, log_of_run, UINT64_MAX));
    cells = view_lane_index_query(lanes, 19999000, 20001000, 100);
    CU_ASSERT_EQUAL(sum(cells, KB_LANE_SENDER, 100), 2);
    stop();
}

static void packets_take_the_hue_of_what_they_carry(void)
{
    start();
    append(&(struct kb_event){.kind = KB_EVENT_REQUEST_CARRIES,
                              .source = 1,
                              .as.request_carries = {.request = 42, .batch = 5, .topic = 7, .partition = 2}},
           10);
    append(&(struct kb_event){.kind = KB_EVENT_PACKET_SENT,
                              .source = KB_SOURCE_CLUSTER,
                              .as.packet_sent = {.packet = 4, .from = -2, .to = 1, .request = 42}},
           1000);
    append(&(struct kb_event){.kind = KB_EVENT_PACKET_ARRIVED,
                              .source = KB_SOURCE_CLUSTER,
                              .as.packet_arrived = {.packet = 4, .from = -2, .to = 1}},
           2000);
    append(&(struct kb_event){.kind = KB_EVENT_PACKET_SENT,
                              .source = KB_SOURCE_CLUSTER,
                              .as.packet_sent = {.packet = 5, .from = -1, .to = 1, .request = 42}},
           3000);
    CU_ASSERT_TRUE(view_lane_index_update(lanes, log_of_run, 10));
    const struct view_lane_cell *network =
        view_lane_index_query(lanes, 0, 4000, 4) + (uint32_t)KB_LANE_NETWORK * 4;
    CU_ASSERT_EQUAL(network[1].topic, 7);
    CU_ASSERT_EQUAL(network[1].partition, 2);
    CU_ASSERT_EQUAL(network[2].topic, 7);
    CU_ASSERT_EQUAL(network[3].count, 1);
    CU_ASSERT_EQUAL(network[3].topic, 0); /* another producer's request of the same number */
    stop();
}

static void marks_are_what_people_look_for(void)
{
    start();
    append(&(struct kb_event){.kind = KB_EVENT_LEADER_ELECTED,
                              .as.leader_elected = {.why = KB_ELECTION_WHY_CREATED}},
           1);
    append(&(struct kb_event){.kind = KB_EVENT_FAULT, .as.fault = {.fault = KB_FAULT_KIND_KILL}}, 2);
    append_drained(3, 0);
    append(&(struct kb_event){.kind = KB_EVENT_LEADER_ELECTED,
                              .as.leader_elected = {.why = KB_ELECTION_WHY_LEADER_LOST}},
           4);
    CU_ASSERT_TRUE(view_lane_index_update(lanes, log_of_run, 10));
    uint32_t count = 0;
    const uint64_t *marks = view_lane_index_marks(lanes, &count);
    CU_ASSERT_EQUAL_FATAL(count, 2);
    CU_ASSERT_EQUAL(marks[0], 2);
    CU_ASSERT_EQUAL(marks[1], 4);
    /* Another log starts anew. */
    struct sim_event_log *other = sim_event_log_create();
    CU_ASSERT_TRUE(view_lane_index_update(lanes, other, 10));
    (void)view_lane_index_marks(lanes, &count);
    CU_ASSERT_EQUAL(count, 0);
    CU_ASSERT_EQUAL(sum(view_lane_index_query(lanes, 0, 100, 4), KB_LANE_SENDER, 4), 0);
    sim_event_log_destroy(other);
    stop();
}

int main(void)
{
    return unit_main("lane_index",
                     (struct unit_test[]){
                         {"counts land in their columns", counts_land_in_their_columns},
                         {"growth loses nothing", growth_loses_nothing},
                         {"a short part is exact", a_short_part_is_exact},
                         {"packets take the hue of what they carry", packets_take_the_hue_of_what_they_carry},
                         {"marks are what people look for", marks_are_what_people_look_for},
                         {0}});
}
