/*
 * Retention and the ledger: every verdict must be the same whether the ledger keeps all of a run and judges
 * at its end, or forgets records in its course.
 *
 * The same scenario runs twice with short logs. Once every record and every batch that retention takes are
 * kept until the end; once only a few records are. Each scenario of the command line and each seed of
 * `linger simulate` is tried.
 *
 *     ledger_test FIRST_SEED LAST_SEED SCENARIO...
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/simulate_plan.h"
#include "engine/world.h"

enum { KEPT_RECORDS = 8 };

struct outcome {
    struct sim_ledger_totals totals;
    uint64_t steps;
    uint64_t forgotten;
};

static bool run(const struct sim_scenario *scenario, uint32_t kept_records, struct outcome *out)
{
    struct sim_world *world;
    struct sim_complaints complaints = {0};
    struct sim_world_options options = {.kept_records = kept_records};
    *out = (struct outcome){0};
    if (!sim_world_create(scenario, &options, &world, &complaints)) {
        fprintf(stderr, "%s", complaints.text);
        sim_complaints_release(&complaints);
        return false;
    }
    while (sim_world_step(world)) {
    }
    struct sim_ledger *ledger = sim_world_ledger(world);
    bool good = sim_ledger_settle(ledger, sim_world_cluster(world));
    sim_ledger_totals(ledger, &out->totals);
    struct sim_ledger_totals again;
    good = good && sim_ledger_settle(ledger, sim_world_cluster(world));
    sim_ledger_totals(ledger, &again);
    if (memcmp(&again, &out->totals, sizeof again) != 0) {
        fprintf(stderr, "settling a second time comes to something else\n");
        good = false;
    }
    for (uint32_t i = 0; i < sim_ledger_count(ledger); i++) {
        struct sim_ledger_record record;
        out->forgotten += !sim_ledger_record(ledger, i, &record);
    }
    out->steps = sim_world_step_count(world);
    sim_world_destroy(world);
    return good;
}

static void print(const char *name, const struct sim_ledger_totals *totals)
{
    fprintf(stderr, "  %s:", name);
    for (int i = 0; i < SIM_VERDICT_COUNT; i++) {
        fprintf(stderr, " %s %" PRIu64 ",", sim_verdict_name((enum sim_verdict)i), totals->verdicts[i]);
    }
    fprintf(stderr, " reordered %" PRIu64 ", copies %" PRIu64 ", unknown %" PRIu64 "\n", totals->reordered,
            totals->copies, totals->unknown);
}

/* Whether the two agree. *forgotten: so many records the second one did without. */
static bool compare(const struct sim_scenario *scenario, const char *name, uint64_t *forgotten)
{
    struct outcome all;
    struct outcome few;
    if (!run(scenario, SIM_LEDGER_KEEP_ALL, &all) || !run(scenario, KEPT_RECORDS, &few)) {
        return false;
    }
    *forgotten += few.forgotten;
    if (all.forgotten == 0 && memcmp(&all.totals, &few.totals, sizeof all.totals) == 0 &&
        all.steps == few.steps) {
        return true;
    }
    fprintf(stderr, "%s: the verdicts differ\n", name);
    print("all kept", &all.totals);
    print("few kept", &few.totals);
    return false;
}

/* Segments hardly longer than a batch; in the shortest ones not every batch has room. */
static const struct sim_override short_logs[][2] = {
    {{"cluster.log.segment.bytes", "20000"}, {"cluster.log.retention.bytes", "0"}},
    {{"cluster.log.segment.bytes", "2000"}, {"cluster.log.retention.bytes", "3000"}},
    {{"cluster.log.segment.bytes", "700"}, {"cluster.log.retention.bytes", "0"}},
};
enum { LOG_LENGTHS = sizeof short_logs / sizeof short_logs[0] };

/* Values that are cut off before the record's number: many look alike. */
static void make_alike(struct sim_plan *plan)
{
    for (uint32_t i = 0; i < plan->producer_count; i++) {
        for (uint32_t j = 0; j < plan->producers[i].thread_count; j++) {
            plan->producers[i].threads[j].value_bytes[0] = 1;
            plan->producers[i].threads[j].value_bytes[1] = 2;
        }
    }
}

static bool compare_seed(uint64_t seed, uint64_t *forgotten)
{
    struct sim_plan plan;
    struct sim_text text = {0};
    struct sim_complaints complaints = {0};
    struct sim_scenario *scenario = NULL;
    char name[64];
    snprintf(name, sizeof name, "seed %" PRIu64, seed);
    sim_plan_draw(seed, &plan);
    if (seed / LOG_LENGTHS % 2 == 0) {
        make_alike(&plan);
    }
    sim_plan_write(&plan, &text);
    bool good =
        sim_scenario_parse(name, text.bytes, short_logs[seed % LOG_LENGTHS], 2, &scenario, &complaints, NULL);
    if (!good) {
        fprintf(stderr, "%s", complaints.text);
    } else {
        good = compare(scenario, name, forgotten);
    }
    sim_scenario_release(scenario);
    sim_complaints_release(&complaints);
    sim_text_release(&text);
    return good;
}

static bool load(const char *path, const struct sim_override *overrides, uint32_t override_count,
                 struct sim_scenario **out)
{
    struct sim_complaints complaints = {0};
    bool good = sim_scenario_load(path, overrides, override_count, out, &complaints, NULL);
    if (!good) {
        fprintf(stderr, "%s", complaints.text);
    }
    sim_complaints_release(&complaints);
    return good;
}

static bool compare_file(const char *path, int length, uint64_t *forgotten)
{
    struct sim_scenario *scenario = NULL;
    bool good = load(path, short_logs[length], 2, &scenario) && compare(scenario, path, forgotten);
    sim_scenario_release(scenario);
    return good;
}

/* Where nothing is ever taken: the ledger reads whole logs at the end. What was lost before retention came
 * must be lost with it, too. Only for scenarios that go the same way with short logs. */
static bool compare_whole(const char *path)
{
    struct sim_scenario *whole = NULL;
    struct sim_scenario *brief = NULL;
    struct outcome expected;
    struct outcome found;
    bool good = load(path, NULL, 0, &whole) && load(path, short_logs[0], 2, &brief) &&
                run(whole, KEPT_RECORDS, &expected) && run(brief, KEPT_RECORDS, &found);
    if (good && expected.steps == found.steps &&
        memcmp(expected.totals.verdicts, found.totals.verdicts, sizeof found.totals.verdicts) != 0) {
        fprintf(stderr, "%s: the verdicts differ from those of whole logs\n", path);
        print("whole logs", &expected.totals);
        print("short logs", &found.totals);
        good = false;
    }
    sim_scenario_release(whole);
    sim_scenario_release(brief);
    return good;
}

int main(int argument_count, char **arguments)
{
    if (argument_count < 3) {
        fprintf(stderr, "usage: %s FIRST_SEED LAST_SEED SCENARIO...\n", arguments[0]);
        return 2;
    }
    uint64_t first = strtoull(arguments[1], NULL, 10);
    uint64_t last = strtoull(arguments[2], NULL, 10);
    uint64_t forgotten = 0;
    uint32_t bad_count = 0;
    for (uint64_t seed = first; seed <= last; seed++) {
        bad_count += !compare_seed(seed, &forgotten);
    }
    for (int i = 3; i < argument_count; i++) {
        bad_count += !compare_whole(arguments[i]);
        for (int length = 0; length < LOG_LENGTHS; length++) {
            bad_count += !compare_file(arguments[i], length, &forgotten);
        }
    }
    printf("%" PRIu64 " records were settled and forgotten in the course of their runs\n", forgotten);
    if (forgotten == 0) {
        fprintf(stderr, "nothing was forgotten: this compares nothing\n");
    }
    return bad_count == 0 && forgotten > 0 ? 0 : 1;
}
