#include "engine/ledger.h"

#include <stdio.h>
#include <string.h>

#include "engine/world.h"
#include "scenario_file.h"
#include "unit.h"

/*
 * A cluster whose one partition holds a, b, b, c, d at the offsets 0 to 4, and e at offset 0 of another; each
 * test then tells a ledger of its own what the application believes.
 */
static struct sim_scenario *scenario;
static struct sim_world *world;

static bool fill_cluster(void)
{
    static const char producers[] =
        "[{\"name\": \"shop\", \"config\": {\"acks\": \"all\"}, \"threads\": [{\"records\": {\"list\": ["
        "{\"key\": \"k\", \"value\": \"a\", \"partition\": 0}, {\"key\": \"k\", \"value\": \"b\", "
        "\"partition\": 0},"
        "{\"key\": \"k\", \"value\": \"b\", \"partition\": 0}, {\"value\": \"c\", \"partition\": 0},"
        "{\"key\": \"\", \"value\": \"d\", \"partition\": 0}, {\"key\": \"k\", \"value\": \"e\", "
        "\"partition\": "
        "1}]}}]}]";
    struct sim_complaints complaints = {0};
    struct sim_world_options options = {.check = true};
    scenario = scenario_load_sections(&(struct scenario_sections){.producers = producers});
    if (scenario == NULL || !sim_world_create(scenario, &options, &world, &complaints)) {
        return false;
    }
    while (sim_world_step(world)) {
    }
    return sim_world_failure(world) == NULL;
}

static uint32_t sent_count;

/* Hand a record to send(), and have it appended to the partition (-1: it never was). */
static uint32_t send(struct sim_ledger *ledger, const char *key, const char *value, int32_t partition)
{
    struct kp_record record = {
        .topic = "orders",
        .key = key != NULL ? (struct kp_bytes){key, (int32_t)strlen(key)} : KP_BYTES_NULL,
        .value = {value, (int32_t)strlen(value)},
    };
    uint32_t id = sent_count++;
    CU_ASSERT_TRUE(sim_ledger_sent(ledger, id, 0, &record));
    if (partition >= 0) {
        sim_ledger_appended(ledger, id, partition);
    }
    return id;
}

static struct sim_ledger *begin(void)
{
    sent_count = 0;
    struct sim_ledger *ledger = sim_ledger_create();
    CU_ASSERT_PTR_NOT_NULL_FATAL(ledger);
    return ledger;
}

static struct sim_ledger_totals settle(struct sim_ledger *ledger)
{
    struct sim_ledger_totals totals;
    CU_ASSERT_TRUE(sim_ledger_settle(ledger, sim_world_cluster(world)));
    sim_ledger_totals(ledger, &totals);
    CU_ASSERT_EQUAL(totals.sent, sim_ledger_count(ledger));
    CU_ASSERT_EQUAL(totals.copies, 6);
    return totals;
}

static void the_world_s_own_ledger_agrees(void)
{
    struct sim_ledger_totals totals;
    struct sim_ledger *ledger = sim_world_ledger(world);
    CU_ASSERT_TRUE(sim_ledger_settle(ledger, sim_world_cluster(world)));
    sim_ledger_totals(ledger, &totals);
    CU_ASSERT_EQUAL(totals.sent, 6);
    CU_ASSERT_EQUAL(totals.acked, 6);
    CU_ASSERT_EQUAL(totals.verdicts[SIM_VERDICT_DELIVERED], 6);
    CU_ASSERT_EQUAL(totals.copies, 6);
    CU_ASSERT_EQUAL(totals.unknown, 0);
    CU_ASSERT_EQUAL(totals.reordered, 0);
    CU_ASSERT_TRUE(sim_ledger_settle(ledger, sim_world_cluster(world))); /* again: the same */
    sim_ledger_totals(ledger, &totals);
    CU_ASSERT_EQUAL(totals.copies, 6);
    CU_ASSERT_EQUAL(totals.verdicts[SIM_VERDICT_DELIVERED], 6);
}

static void judges_each_combination(void)
{
    struct sim_ledger *ledger = begin();
    uint32_t delivered = send(ledger, "k", "a", 0);
    uint32_t duplicate = send(ledger, "k", "b", 0);
    uint32_t false_failure = send(ledger, NULL, "c", 0);
    uint32_t pending = send(ledger, "", "d", 0);
    uint32_t lost = send(ledger, "k", "never", 0);
    uint32_t failed = send(ledger, "k", "neither", 0);
    uint32_t refused = send(ledger, "k", "e", -1); /* send() threw: no partition, so no copy is its own */
    sim_ledger_acked(ledger, delivered, 0);
    sim_ledger_acked(ledger, duplicate, 1);
    sim_ledger_failed(ledger, false_failure);
    sim_ledger_acked(ledger, lost, 77);
    sim_ledger_failed(ledger, failed);
    sim_ledger_failed(ledger, refused);
    struct sim_ledger_totals totals = settle(ledger);
    const struct {
        uint32_t record;
        enum sim_verdict verdict;
        uint32_t copies;
    } expected[] = {
        {delivered, SIM_VERDICT_DELIVERED, 1},
        {duplicate, SIM_VERDICT_DUPLICATE, 2},
        {false_failure, SIM_VERDICT_FALSE_FAILURE, 1},
        {pending, SIM_VERDICT_PENDING, 1},
        {lost, SIM_VERDICT_LOST_AFTER_ACK, 0},
        {failed, SIM_VERDICT_FAILED, 0},
        {refused, SIM_VERDICT_FAILED, 0},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        uint32_t copies;
        CU_ASSERT_EQUAL(sim_ledger_verdict(ledger, expected[i].record, &copies), expected[i].verdict);
        CU_ASSERT_EQUAL(copies, expected[i].copies);
    }
    CU_ASSERT_EQUAL(totals.acked, 3);
    CU_ASSERT_EQUAL(totals.failed, 3);
    CU_ASSERT_EQUAL(totals.verdicts[SIM_VERDICT_FAILED], 2);
    CU_ASSERT_EQUAL(totals.verdicts[SIM_VERDICT_PENDING], 1);
    CU_ASSERT_EQUAL(totals.unknown, 1); /* e */
    CU_ASSERT_EQUAL(totals.reordered, 0);
    sim_ledger_destroy(ledger);
}

/* Two records that look alike are told apart by the offsets of their acks. */
static void tells_twins_apart(void)
{
    struct sim_ledger *ledger = begin();
    uint32_t first = send(ledger, "k", "b", 0);
    uint32_t second = send(ledger, "k", "b", 0);
    uint32_t third = send(ledger, "k", "b", 0);
    uint32_t elsewhere = send(ledger, "k", "b", 1);
    sim_ledger_acked(ledger, second, 1);
    sim_ledger_acked(ledger, elsewhere, 1);
    sim_ledger_failed(ledger, first);
    sim_ledger_failed(ledger, third);
    struct sim_ledger_totals totals = settle(ledger);
    uint32_t copies;
    CU_ASSERT_EQUAL(sim_ledger_verdict(ledger, second, &copies), SIM_VERDICT_DELIVERED);
    CU_ASSERT_EQUAL(sim_ledger_verdict(ledger, first, &copies), SIM_VERDICT_FALSE_FAILURE);
    CU_ASSERT_EQUAL(sim_ledger_verdict(ledger, third, &copies), SIM_VERDICT_FAILED);
    CU_ASSERT_EQUAL(sim_ledger_verdict(ledger, elsewhere, &copies), SIM_VERDICT_LOST_AFTER_ACK);
    CU_ASSERT_EQUAL(totals.verdicts[SIM_VERDICT_DUPLICATE], 0);
    sim_ledger_destroy(ledger);
}

/* A null key is not an empty one: c has none, d has an empty one. */
static void null_is_not_empty(void)
{
    struct sim_ledger *ledger = begin();
    sim_ledger_acked(ledger, send(ledger, "", "c", 0), 3);
    sim_ledger_acked(ledger, send(ledger, NULL, "d", 0), 4);
    CU_ASSERT_EQUAL(settle(ledger).verdicts[SIM_VERDICT_LOST_AFTER_ACK], 2);
    sim_ledger_destroy(ledger);
}

static void counts_what_is_behind_a_later_one(void)
{
    struct sim_ledger *ledger = begin();
    uint32_t d = send(ledger, "", "d", 0);
    uint32_t a = send(ledger, "k", "a", 0);
    uint32_t c = send(ledger, NULL, "c", 0);
    uint32_t e = send(ledger, "k", "e", 1);
    sim_ledger_acked(ledger, d, 4);
    sim_ledger_acked(ledger, a, 0);
    sim_ledger_acked(ledger, c, 3);
    sim_ledger_acked(ledger, e, 0);
    CU_ASSERT_EQUAL(settle(ledger).reordered, 1); /* d, behind a and c; e is in another partition */
    sim_ledger_destroy(ledger);
}

static void records_that_nobody_sent_are_unknown(void)
{
    struct sim_ledger *ledger = begin();
    sim_ledger_acked(ledger, send(ledger, "k", "a", 0), 0);
    CU_ASSERT_EQUAL(settle(ledger).unknown, 5);
    sim_ledger_destroy(ledger);
    ledger = begin();
    struct sim_ledger_totals totals;
    CU_ASSERT_TRUE(sim_ledger_settle(ledger, sim_world_cluster(world))); /* nothing was sent at all */
    sim_ledger_totals(ledger, &totals);
    CU_ASSERT_EQUAL(totals.copies, 0);
    sim_ledger_destroy(ledger);
    sim_ledger_destroy(NULL);
}

static void verdicts_have_names(void)
{
    for (int verdict = 0; verdict < SIM_VERDICT_COUNT; verdict++) {
        CU_ASSERT_TRUE(strlen(sim_verdict_name((enum sim_verdict)verdict)) > 3);
    }
    CU_ASSERT_STRING_EQUAL(sim_verdict_name(SIM_VERDICT_LOST_AFTER_ACK), "lost after ack");
}

int main(void)
{
    if (!fill_cluster()) {
        fprintf(stderr, "the cluster cannot be filled: %s\n", scenario_complaints);
        return 1;
    }
    int result = unit_main("ledger",
                           (struct unit_test[]){
                               {"the world's own ledger agrees", the_world_s_own_ledger_agrees},
                               {"judges each combination", judges_each_combination},
                               {"tells twins apart", tells_twins_apart},
                               {"null is not empty", null_is_not_empty},
                               {"counts what is behind a later one", counts_what_is_behind_a_later_one},
                               {"records that nobody sent are unknown", records_that_nobody_sent_are_unknown},
                               {"verdicts have names", verdicts_have_names},
                               {0},
                           });
    sim_world_destroy(world);
    sim_scenario_release(scenario);
    return result;
}
