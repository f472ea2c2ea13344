/*
 * What is seen of verdicts while a run is watched is what the ledger settles when it is over.
 *
 * usage: verdicts_test PLANS SCENARIO...
 *
 * For each scenario, and for so many random ones: from the events alone, each kind of verdict holds at the
 * end for as many records as the ledger counts by reading the logs. And taking the log in bit by bit, as it
 * grows, finds the same as taking it in at once.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/simulate_plan.h"
#include "engine/world.h"
#include "model/verdicts.h"

static uint64_t seen[MODEL_FATE_KINDS];
static uint32_t failures;
static uint32_t compared;

static void find_bit_by_bit(const struct sim_event_log *log, const struct sim_verdicts *wanted)
{
    struct sim_verdicts *verdicts = sim_verdicts_create();
    for (uint64_t sequence = 0; !sim_verdicts_update(verdicts, log, sequence, 0); sequence += 97) {
    }
    uint32_t count;
    uint32_t wanted_count;
    const struct model_fate *found = sim_verdicts_list(verdicts, &count);
    const struct model_fate *expected = sim_verdicts_list(wanted, &wanted_count);
    if (count != wanted_count || memcmp(found, expected, count * sizeof *found) != 0) {
        fprintf(stderr, "bit by bit: %" PRIu32 " verdicts, at once %" PRIu32 "\n", count, wanted_count);
        failures++;
    }
    sim_verdicts_destroy(verdicts);
}

static bool everything_is_led(struct sim_world *world)
{
    const struct sim_run_info *info = sim_event_log_info_view(sim_world_log(world));
    for (uint32_t i = 0; i < info->topic_count; i++) {
        struct mb_partition_view view;
        for (int32_t k = 0; mb_partition_view(sim_world_cluster(world), info->topics[i].name, k, &view);
             k++) {
            if (view.leader < 0) {
                return false;
            }
        }
    }
    return true;
}

static void compare(const char *name, struct sim_world *world)
{
    static const enum sim_verdict of_kind[MODEL_FATE_KINDS] = {
        SIM_VERDICT_LOST_AFTER_ACK, SIM_VERDICT_DUPLICATE, SIM_VERDICT_COUNT, SIM_VERDICT_FALSE_FAILURE};
    struct sim_ledger_totals totals;
    if (!sim_ledger_settle(sim_world_ledger(world), sim_world_cluster(world))) {
        fprintf(stderr, "no memory\n");
        exit(EXIT_FAILURE);
    }
    sim_ledger_totals(sim_world_ledger(world), &totals);
    const struct sim_event_log *log = sim_world_log(world);
    struct sim_verdicts *verdicts = sim_verdicts_create();
    (void)sim_verdicts_update(verdicts, log, UINT64_MAX, 0);
    compared += everything_is_led(world);
    for (int kind = 0; kind < MODEL_FATE_KINDS && everything_is_led(world); kind++) {
        uint64_t wanted =
            of_kind[kind] == SIM_VERDICT_COUNT ? totals.reordered : totals.verdicts[of_kind[kind]];
        uint64_t found = sim_verdicts_records(verdicts, (enum model_fate_kind)kind, UINT64_MAX);
        seen[kind] += found;
        if (found != wanted) {
            fprintf(stderr, "%s: %s: %" PRIu64 " from events, %" PRIu64 " in the ledger\n", name,
                    model_fate_name((enum model_fate_kind)kind), found, wanted);
            failures++;
        }
    }
    find_bit_by_bit(log, verdicts);
    sim_verdicts_destroy(verdicts);
}

static void run(const char *name, const struct sim_scenario *scenario, struct sim_complaints *complaints)
{
    struct sim_world_options options = {.log_events = true};
    struct sim_world *world;
    if (!sim_world_create(scenario, &options, &world, complaints)) {
        fprintf(stderr, "%s: %s", name, complaints->text);
        exit(EXIT_FAILURE);
    }
    while (sim_world_step(world)) {
    }
    compare(name, world);
    sim_world_destroy(world);
}

static void run_plan(uint64_t seed)
{
    struct sim_plan plan;
    struct sim_text text = {0};
    struct sim_scenario *scenario;
    struct sim_complaints complaints = {0};
    char name[32];
    snprintf(name, sizeof name, "seed %" PRIu64, seed);
    sim_plan_draw(seed, &plan);
    sim_plan_write(&plan, &text);
    if (!sim_scenario_parse(name, text.bytes, NULL, 0, &scenario, &complaints, NULL)) {
        fprintf(stderr, "%s: %s", name, complaints.text);
        exit(EXIT_FAILURE);
    }
    run(name, scenario, &complaints);
    sim_scenario_release(scenario);
    sim_text_release(&text);
}

int main(int argument_count, char **arguments)
{
    uint64_t plans = argument_count > 1 ? strtoull(arguments[1], NULL, 10) : 0;
    for (int i = 2; i < argument_count; i++) {
        struct sim_scenario *scenario;
        struct sim_complaints complaints = {0};
        if (!sim_scenario_load(arguments[i], NULL, 0, &scenario, &complaints, NULL)) {
            fprintf(stderr, "%s", complaints.text);
            return EXIT_FAILURE;
        }
        run(arguments[i], scenario, &complaints);
        sim_scenario_release(scenario);
    }
    for (uint64_t seed = 1; seed <= plans; seed++) {
        run_plan(seed);
    }
    printf("%" PRIu32 " runs compared\n", compared);
    for (int kind = 0; kind < MODEL_FATE_KINDS; kind++) {
        printf("%s: %" PRIu64 " records\n", model_fate_name((enum model_fate_kind)kind), seen[kind]);
        failures += seen[kind] == 0; /* a test that meets none of a kind says nothing of it */
    }
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
