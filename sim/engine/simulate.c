#include "engine/simulate.h"

#include <assert.h>
#include <string.h>

#include "base/assert.h"
#include "engine/world.h"
#include "wire/api_keys.h"
#include "wire/errors.h"

const struct sim_coverage_info *sim_coverage_info(enum sim_coverage_item item)
{
    static const struct sim_coverage_info infos[] = {
#define SIM_COVERAGE_INFO(name, text, rules, minimum) {text, rules, minimum},
        SIM_COVERAGE_ITEMS(SIM_COVERAGE_INFO)
#undef SIM_COVERAGE_INFO
    };
    KB_ASSERT((uint32_t)item < SIM_COVERAGE_ITEM_COUNT);
    return &infos[item];
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

static int item_of_transaction(int32_t state)
{
    switch ((enum kb_coordinator_state)state) {
    case KB_COORDINATOR_STATE_EMPTY:
        return SIM_COVERAGE_TXN_EMPTY;
    case KB_COORDINATOR_STATE_ONGOING:
        return SIM_COVERAGE_TXN_ONGOING;
    case KB_COORDINATOR_STATE_PREPARE_COMMIT:
    case KB_COORDINATOR_STATE_PREPARE_ABORT:
        return SIM_COVERAGE_TXN_PREPARED;
    case KB_COORDINATOR_STATE_COMPLETE_COMMIT:
    case KB_COORDINATOR_STATE_COMPLETE_ABORT:
        return SIM_COVERAGE_TXN_COMPLETE;
    }
    return -1;
}

static int item_of_cluster(const struct kb_event *event)
{
    switch ((int)event->kind) {
    case KB_EVENT_LEADER_ELECTED:
        return item_of_election(event->as.leader_elected.why);
    case KB_EVENT_BROKER_LOSS_NOTICED:
        return SIM_COVERAGE_LOSS_NOTICED;
    case KB_EVENT_ISR_SHRUNK:
        return SIM_COVERAGE_ISR_SHRUNK;
    case KB_EVENT_ISR_EXPANDED:
        return SIM_COVERAGE_ISR_EXPANDED;
    case KB_EVENT_LOG_TRUNCATED:
        return SIM_COVERAGE_TRUNCATED;
    case KB_EVENT_LOG_START_MOVED:
        return SIM_COVERAGE_START_MOVED;
    case KB_EVENT_PRODUCE_PARKED:
        return SIM_COVERAGE_PARKED;
    case KB_EVENT_APPEND_DUPLICATE:
        return SIM_COVERAGE_DUPLICATE_KNOWN;
    case KB_EVENT_FOLLOWER_REFUSED:
        return SIM_COVERAGE_FOLLOWER_REFUSED;
    case KB_EVENT_HW_ADVANCED:
        return event->as.hw_advanced.is_leader ? SIM_COVERAGE_HW_LEADER : SIM_COVERAGE_HW_FOLLOWER;
    case KB_EVENT_TRANSACTION_LOGGED:
        return item_of_transaction(event->as.transaction_logged.state);
    case KB_EVENT_MARKER_APPENDED:
        return event->as.marker_appended.marker == KB_MARKER_COMMIT ? SIM_COVERAGE_MARKER_COMMIT
                                                                    : SIM_COVERAGE_MARKER_ABORT;
    case KB_EVENT_LSO_ADVANCED:
        return SIM_COVERAGE_LSO_HELD;
    case KB_EVENT_CONSUMER_READ:
        return event->as.consumer_read.aborted > 0 ? SIM_COVERAGE_ABORTED_SKIPPED
                                                   : SIM_COVERAGE_READ_UNCOMMITTED;
    case KB_EVENT_FAULT:
        return event->as.fault.point != 0 ? SIM_COVERAGE_AT_POINT : -1;
    default:
        return -1;
    }
}

static int item_of_producer(const struct kb_event *event)
{
    switch ((int)event->kind) {
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

/* What takes more than one event to see. */
struct met {
    bool is_none[SIM_PRODUCERS_MAX]; /* acks=0 */
    bool has_append_time;
    uint32_t parked[64]; /* the newest parked requests */
    uint32_t parked_count;
};

static void cover_together(const struct kb_event *event, struct met *met, struct sim_coverage *coverage)
{
    if (event->kind == KB_EVENT_PRODUCE_PARKED) {
        met->parked[met->parked_count++ % 64] =
            event->as.produce_parked.connection << 16 ^ event->as.produce_parked.request;
    } else if (event->kind == KB_EVENT_RESPONSE_SENT &&
               event->as.response_sent.error == KW_ERROR_NOT_LEADER_OR_FOLLOWER) {
        uint32_t request = event->as.response_sent.connection << 16 ^ event->as.response_sent.request;
        for (uint32_t i = 0; i < 64 && i < met->parked_count; i++) {
            coverage->items[SIM_COVERAGE_PARKED_REFUSED] += met->parked[i] == request;
        }
    } else if (event->kind == KB_EVENT_LEADER_APPENDED && met->has_append_time) {
        coverage->items[SIM_COVERAGE_APPEND_TIME]++;
    } else if (event->kind == KB_EVENT_BATCH_DONE && event->source < SIM_PRODUCERS_MAX &&
               met->is_none[event->source] && event->as.batch_done.error != 0) {
        coverage->items[SIM_COVERAGE_ACKS_0_REFUSED]++;
    }
}

static void cover_events(const struct sim_event_log *log, struct met *met, struct sim_coverage *coverage)
{
    for (uint64_t i = 1; i <= sim_event_log_count(log); i++) {
        const struct kb_event *event = sim_event_log_get(log, i);
        int item = item_of_cluster(event);
        item = item >= 0 ? item : item_of_producer(event);
        if (item >= 0) {
            coverage->items[item]++;
        }
        cover_together(event, met, coverage);
        if (event->kind == KB_EVENT_RESPONSE_SENT && event->as.response_sent.api == KW_API_PRODUCE &&
            event->as.response_sent.error >= 0 && event->as.response_sent.error < SIM_COVERAGE_ERRORS) {
            coverage->errors[event->as.response_sent.error]++;
        }
        if (event->kind == KB_EVENT_FAULT && event->as.fault.fault < SIM_COVERAGE_FAULTS) {
            coverage->faults[event->as.fault.fault]++;
        }
    }
}

static void cover(const struct sim_plan *plan, struct sim_world *world, struct sim_coverage *coverage)
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
    coverage->items[SIM_COVERAGE_ABORTED] += totals.verdicts[SIM_VERDICT_ABORTED];
    struct met met = {0};
    for (uint32_t i = 0; i < plan->producer_count; i++) {
        met.is_none[i] = plan->producers[i].acks == 0;
    }
    for (uint32_t i = 0; i < plan->topic_count; i++) {
        met.has_append_time = met.has_append_time || plan->topics[i].has_append_time;
    }
    cover_events(sim_world_log(world), &met, coverage);
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
                    cover(plan, world, coverage);
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
