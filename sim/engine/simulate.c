#include "engine/simulate.h"

#include <assert.h>
#include <string.h>

#include "base/assert.h"
#include "engine/world.h"
#include "wire/api_keys.h"

const char *sim_coverage_item_name(enum sim_coverage_item item)
{
    static const char *const names[] = {
        "leader lost",         "unclean election",
        "controlled shutdown", "leader moved",
        "no leader",           "ISR shrunk",
        "ISR expanded",        "log truncated",
        "produce parked",      "duplicate batch known",
        "request timed out",   "batch retried",
        "batch expired",       "batch split",
        "epoch bumped",        "memory waited for",
        "throttled",           "lost after ack",
        "duplicate",           "reordered",
        "false failure",
    };
    KB_ASSERT((uint32_t)item < SIM_COVERAGE_ITEM_COUNT);
    return names[item];
}

/* It is nothing but counts. */
void sim_coverage_add(struct sim_coverage *coverage, const struct sim_coverage *more)
{
    static_assert(sizeof *coverage % sizeof(uint64_t) == 0, "a coverage is a row of counts");
    uint64_t *to = (uint64_t *)coverage;
    const uint64_t *from = (const uint64_t *)more;
    for (size_t i = 0; i < sizeof *coverage / sizeof(uint64_t); i++) {
        to[i] += from[i];
    }
}

/* --- Coverage
 * ------------------------------------------------------------------------------------------------------------
 */

static int item_of_election(int32_t why)
{
    switch ((enum kb_election_why)why) {
    case KB_ELECTION_WHY_LEADER_LOST:
        return SIM_COVERAGE_LEADER_LOST;
    case KB_ELECTION_WHY_UNCLEAN:
        return SIM_COVERAGE_UNCLEAN_ELECTION;
    case KB_ELECTION_WHY_NONE:
        return SIM_COVERAGE_NO_LEADER;
    case KB_ELECTION_WHY_MOVED:
        return SIM_COVERAGE_LEADER_MOVED;
    case KB_ELECTION_WHY_CONTROLLED_SHUTDOWN:
        return SIM_COVERAGE_CONTROLLED_SHUTDOWN;
    case KB_ELECTION_WHY_CREATED:
    case KB_ELECTION_WHY_RETURNED:
        return -1;
    }
    return -1;
}

static int item_of(const struct kb_event *event)
{
    switch ((int)event->kind) {
    case KB_EVENT_LEADER_ELECTED:
        return item_of_election(event->as.leader_elected.why);
    case KB_EVENT_ISR_SHRUNK:
        return SIM_COVERAGE_ISR_SHRUNK;
    case KB_EVENT_ISR_EXPANDED:
        return SIM_COVERAGE_ISR_EXPANDED;
    case KB_EVENT_LOG_TRUNCATED:
        return SIM_COVERAGE_TRUNCATED;
    case KB_EVENT_PRODUCE_PARKED:
        return SIM_COVERAGE_PARKED;
    case KB_EVENT_APPEND_DUPLICATE:
        return SIM_COVERAGE_DUPLICATE_REFUSED;
    case KB_EVENT_REQUEST_TIMED_OUT:
        return SIM_COVERAGE_TIMED_OUT;
    case KB_EVENT_BATCH_REENQUEUED:
        return SIM_COVERAGE_REENQUEUED;
    case KB_EVENT_BATCH_EXPIRED:
        return SIM_COVERAGE_EXPIRED;
    case KB_EVENT_BATCH_SPLIT:
        return SIM_COVERAGE_SPLIT;
    case KB_EVENT_PRODUCER_EPOCH_BUMPED:
        return SIM_COVERAGE_EPOCH_BUMPED;
    case KB_EVENT_MEMORY_WAITER_QUEUED:
        return SIM_COVERAGE_MEMORY_WAITED;
    case KB_EVENT_THROTTLED:
        return SIM_COVERAGE_THROTTLED;
    default:
        return -1;
    }
}

static void cover_events(const struct sim_event_log *log, struct sim_coverage *coverage)
{
    for (uint64_t i = 1; i <= sim_event_log_count(log); i++) {
        const struct kb_event *event = sim_event_log_get(log, i);
        int item = item_of(event);
        if (item >= 0) {
            coverage->items[item]++;
        }
        if (event->kind == KB_EVENT_RESPONSE_SENT && event->as.response_sent.api == KW_API_PRODUCE &&
            event->as.response_sent.error >= 0 && event->as.response_sent.error < SIM_COVERAGE_ERRORS) {
            coverage->errors[event->as.response_sent.error]++;
        }
        if (event->kind == KB_EVENT_FAULT && event->as.fault.fault < SIM_COVERAGE_FAULTS) {
            coverage->faults[event->as.fault.fault]++;
        }
    }
}

static void cover(struct sim_world *world, struct sim_coverage *coverage)
{
    struct sim_ledger_totals totals;
    sim_ledger_totals(sim_world_ledger(world), &totals);
    coverage->runs++;
    coverage->steps += sim_world_step_count(world);
    coverage->records += totals.sent;
    coverage->items[SIM_COVERAGE_LOST_AFTER_ACK] += totals.verdicts[SIM_VERDICT_LOST_AFTER_ACK];
    coverage->items[SIM_COVERAGE_DUPLICATE] += totals.verdicts[SIM_VERDICT_DUPLICATE];
    coverage->items[SIM_COVERAGE_REORDERED] += totals.reordered;
    coverage->items[SIM_COVERAGE_FALSE_FAILURE] += totals.verdicts[SIM_VERDICT_FALSE_FAILURE];
    cover_events(sim_world_log(world), coverage);
}

/* --- One run
 * -------------------------------------------------------------------------------------------------------------
 */

static void run_world(struct sim_world *world, struct sim_complaints *broken)
{
    while (sim_world_step(world)) {
    }
    if (sim_world_failure(world) != NULL) {
        sim_complain(broken, "%s", sim_world_failure(world));
    }
}

void sim_simulate(const struct sim_plan *plan, struct sim_coverage *coverage, struct sim_simulation *out)
{
    *out = (struct sim_simulation){0};
    struct sim_text text = {0};
    struct sim_scenario *scenario = NULL;
    struct sim_world *world = NULL;
    struct sim_world_options options = {.log_events = true, .check = true};
    sim_plan_write(plan, &text);
    if (sim_scenario_parse("plan", text.bytes, NULL, 0, &scenario, &out->broken, NULL) &&
        sim_world_create(scenario, &options, &world, &out->broken)) {
        run_world(world, &out->broken);
        if (out->broken.count == 0) {
            if (sim_ledger_settle(sim_world_ledger(world), sim_world_cluster(world))) {
                (void)sim_world_check_end(world, &out->broken);
                if (coverage != NULL) {
                    cover(world, coverage);
                }
            } else {
                sim_complain(&out->broken, "no memory to sum up the run");
            }
        }
        out->hash = sim_event_log_hash(sim_world_log(world));
    }
    sim_world_destroy(world);
    sim_scenario_release(scenario);
    sim_text_release(&text);
}

/* --- Shrinking
 * ------------------------------------------------------------------------------------------------------ */

/* "rule 12: ...": what comes before the colon. */
bool sim_simulate_is_alike(const char *complaint, const char *other)
{
    return strncmp(complaint, other, strcspn(complaint, ":")) == 0;
}

void sim_simulate_shrink(struct sim_plan *plan, uint32_t runs_max,
                         bool (*fails)(const void *context, const struct sim_plan *plan), const void *context)
{
    uint32_t runs = 0;
    bool shrunk = true;
    while (shrunk) {
        shrunk = false;
        struct sim_plan smaller;
        bool is_smaller;
        for (uint32_t number = 0; !shrunk && sim_plan_smaller(plan, number, &smaller, &is_smaller);
             number++) {
            if (!is_smaller || runs == runs_max) {
                continue;
            }
            runs++;
            if (fails(context, &smaller)) {
                *plan = smaller;
                shrunk = true;
            }
        }
    }
}
