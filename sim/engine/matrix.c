#include "engine/matrix.h"

#include <inttypes.h>

#include "base/assert.h"
#include "base/prng.h"
#include "engine/world.h"
#include "wire/api_keys.h"

const char *sim_matrix_fault_name(enum sim_matrix_fault fault)
{
    static const char *const names[] = {"leader-crash",    "ack-lost",         "follower-slow",
                                        "followers-down",  "unclean-election", "producer-cut",
                                        "leader-isolated", "leader-restart"};
    KB_ASSERT((uint32_t)fault < SIM_MATRIX_FAULT_COUNT);
    return names[fault];
}

const char *sim_matrix_fault_text(enum sim_matrix_fault fault)
{
    static const char *const texts[] = {
        "the leader crashes before replication",
        "an ack is lost",
        "a follower is slow",
        "two followers are down",
        "an unclean election, the stale one wins",
        "the producer is cut from the leader",
        "the leader is isolated, the producer not",
        "the leader restarts, controlled",
    };
    KB_ASSERT((uint32_t)fault < SIM_MATRIX_FAULT_COUNT);
    return texts[fault];
}

const char *sim_matrix_producer_name(enum sim_matrix_producer producer)
{
    static const char *const names[] = {"A0", "A1", "AN", "AI"};
    KB_ASSERT((uint32_t)producer < SIM_MATRIX_PRODUCER_COUNT);
    return names[producer];
}

/* --- The scenario
 * ------------------------------------------------------------------------------------------------------- */

/* Every fault begins between 40 and 100 ms, as the seed says, and is taken back before the producer gives up.
 */
static void write_timeline(const struct sim_matrix_cell *cell, uint64_t seed, struct sim_text *out)
{
    struct kb_prng prng;
    kb_prng_init(&prng, seed, 0x6d61);
    int32_t at_ms = (int32_t)kb_prng_between(&prng, 40, 100);
    bool one_way = kb_prng_chance(&prng, 1, 3);
#define AT(delay_ms, rest)                                                                                   \
    sim_text_add(out, "%s\n    { \"at_ms\": %d, " rest " }", count++ > 0 ? "," : "", at_ms + (delay_ms))
    int count = 0;
    switch (cell->fault) {
    case SIM_MATRIX_LEADER_CRASH:
        AT(-20, "\"do\": \"slow_replica\", \"broker\": 2, \"fetch_delay_ms\": 15");
        AT(-20, "\"do\": \"slow_replica\", \"broker\": 3, \"fetch_delay_ms\": 15");
        AT(0, "\"do\": \"kill\", \"broker\": 1");
        AT(5, "\"do\": \"slow_replica\", \"broker\": 2, \"fetch_delay_ms\": 0");
        AT(5, "\"do\": \"slow_replica\", \"broker\": 3, \"fetch_delay_ms\": 0");
        AT(150, "\"do\": \"restart\", \"broker\": 1");
        break;
    case SIM_MATRIX_ACK_LOST:
        AT(0, "\"do\": \"drop_response\", \"api\": \"Produce\", \"broker\": 1");
        AT(15, "\"do\": \"disconnect\", \"broker\": 1");
        break;
    case SIM_MATRIX_FOLLOWER_SLOW:
        AT(0, "\"do\": \"slow_replica\", \"broker\": 3, \"fetch_delay_ms\": 400");
        AT(350, "\"do\": \"slow_replica\", \"broker\": 3, \"fetch_delay_ms\": 0");
        break;
    case SIM_MATRIX_FOLLOWERS_DOWN:
        AT(0, "\"do\": \"kill\", \"broker\": 2");
        AT(2, "\"do\": \"kill\", \"broker\": 3");
        AT(250, "\"do\": \"restart\", \"broker\": 2");
        AT(250, "\"do\": \"restart\", \"broker\": 3");
        break;
    case SIM_MATRIX_UNCLEAN_ELECTION:
        AT(0, "\"do\": \"kill\", \"broker\": 3");
        AT(100, "\"do\": \"kill\", \"broker\": 2");
        AT(100, "\"do\": \"kill\", \"broker\": 1");
        AT(200, "\"do\": \"restart\", \"broker\": 3");
        AT(320, "\"do\": \"restart\", \"broker\": 1");
        AT(340, "\"do\": \"restart\", \"broker\": 2");
        break;
    case SIM_MATRIX_PRODUCER_CUT:
        if (one_way) {
            AT(0, "\"do\": \"cut\", \"broker\": 1, \"to\": \"producers\", \"one_way\": true");
        } else {
            AT(0, "\"do\": \"cut\", \"broker\": 1, \"to\": \"producers\"");
        }
        AT(300, "\"do\": \"heal\", \"broker\": 1, \"to\": \"producers\"");
        break;
    case SIM_MATRIX_LEADER_ISOLATED:
        AT(0, "\"do\": \"cut\", \"broker\": 1, \"to\": \"cluster\"");
        AT(200, "\"do\": \"heal\", \"broker\": 1, \"to\": \"cluster\"");
        break;
    case SIM_MATRIX_LEADER_RESTART:
        AT(0, "\"do\": \"shutdown\", \"broker\": 1");
        AT(150, "\"do\": \"restart\", \"broker\": 1");
        break;
    case SIM_MATRIX_FAULT_COUNT:
        KB_UNREACHABLE();
    }
    /* The run goes on until everybody has caught up again. */
    AT(900, "\"do\": \"slow_replica\", \"broker\": 3, \"fetch_delay_ms\": 0");
#undef AT
}

void sim_matrix_write(const struct sim_matrix_cell *cell, uint64_t seed, struct sim_text *out)
{
    static const char *const acks[] = {"0", "1", "all", "all"};
    sim_text_add(out,
                 "{\n  \"linger\": 1,\n  \"name\": \"%s, min.insync.replicas=%d: %s\",\n  \"seed\": %" PRIu64
                 ",\n  \"duration_ms\": 8000,\n",
                 sim_matrix_producer_name(cell->producer), cell->min_insync_replicas,
                 sim_matrix_fault_text(cell->fault), seed);
    sim_text_add(out,
                 "  \"cluster\": {\n    \"brokers\": 3,\n    \"config\": {\n"
                 "      \"replica.lag.time.max.ms\": 100,\n      \"replica.fetch.wait.max.ms\": 10,\n"
                 "      \"replica.fetch.backoff.ms\": 10,\n      \"zookeeper.session.timeout.ms\": 60,\n"
                 "      \"unclean.leader.election.enable\": %s\n    },\n"
                 "    \"topics\": [\n      { \"name\": \"orders\", \"assignment\": [[1, 2, 3]],"
                 " \"config\": { \"min.insync.replicas\": %d } }\n    ],\n"
                 "    \"network\": { \"latency_us\": { \"uniform\": [1000, 2000] },"
                 " \"broker_latency_us\": { \"uniform\": [300, 700] }, \"connect_us\": 400 }\n  },\n",
                 cell->fault == SIM_MATRIX_UNCLEAN_ELECTION ? "true" : "false", cell->min_insync_replicas);
    sim_text_add(out,
                 "  \"producers\": [\n    {\n      \"name\": \"shop\",\n      \"config\": {\n"
                 "        \"acks\": \"%s\",\n        \"enable.idempotence\": %s,\n"
                 "        \"max.in.flight.requests.per.connection\": 5,\n        \"batch.size\": 512,\n"
                 "        \"retry.backoff.ms\": 12,\n        \"reconnect.backoff.ms\": 5,\n"
                 "        \"reconnect.backoff.max.ms\": 20,\n        \"request.timeout.ms\": 120,\n"
                 "        \"delivery.timeout.ms\": 3000\n      },\n",
                 acks[cell->producer], cell->producer == SIM_MATRIX_AI ? "true" : "false");
    sim_text_add(out,
                 "      \"threads\": [\n        { \"records\": { \"topic\": \"orders\", \"count\": 300,"
                 " \"rate_per_s\": 1500, \"value_bytes\": { \"uniform\": [80, 160] } } }\n      ]\n    }\n"
                 "  ],\n  \"timeline\": [");
    write_timeline(cell, seed, out);
    sim_text_add(out, "\n  ]\n}\n");
}

/* --- Running it
 * ---------------------------------------------------------------------------------------------------------
 */

static void count_answers(const struct sim_event_log *log, struct sim_matrix_result *result)
{
    enum { ANSWER_COUNT = sizeof result->answers / sizeof result->answers[0] };
    for (uint64_t i = 1; i <= sim_event_log_count(log); i++) {
        const struct kb_event *event = sim_event_log_get(log, i);
        if (event->kind == KB_EVENT_REQUEST_TIMED_OUT) {
            result->timed_out++;
        }
        if (event->kind == KB_EVENT_RESPONSE_SENT && event->as.response_sent.api == KW_API_PRODUCE &&
            event->as.response_sent.error >= 0 && event->as.response_sent.error < ANSWER_COUNT) {
            result->answers[event->as.response_sent.error]++;
        }
    }
}

static void add_up(const struct sim_ledger_totals *one, struct sim_matrix_result *result)
{
    struct sim_ledger_totals *sum = &result->totals;
    sum->sent += one->sent;
    sum->acked += one->acked;
    sum->failed += one->failed;
    sum->reordered += one->reordered;
    sum->copies += one->copies;
    sum->unknown += one->unknown;
    for (int i = 0; i < SIM_VERDICT_COUNT; i++) {
        sum->verdicts[i] += one->verdicts[i];
    }
    result->runs++;
    result->runs_with_lost += one->verdicts[SIM_VERDICT_LOST_AFTER_ACK] > 0;
    result->runs_with_duplicate +=
        one->copies > one->verdicts[SIM_VERDICT_DELIVERED] + one->verdicts[SIM_VERDICT_FALSE_FAILURE];
    result->runs_with_reordered += one->reordered > 0;
    result->runs_with_error += one->failed > 0;
}

static bool run_world(struct sim_world *world, struct sim_matrix_result *result,
                      struct sim_complaints *complaints)
{
    while (sim_world_step(world)) {
    }
    if (sim_world_failure(world) != NULL) {
        sim_complain(complaints, "%s", sim_world_failure(world));
        return false;
    }
    struct sim_ledger *ledger = sim_world_ledger(world);
    if (!sim_ledger_settle(ledger, sim_world_cluster(world))) {
        sim_complain(complaints, "no memory to sum up the run");
        return false;
    }
    struct sim_ledger_totals totals;
    sim_ledger_totals(ledger, &totals);
    add_up(&totals, result);
    count_answers(sim_world_log(world), result);
    return true;
}

bool sim_matrix_run(const struct sim_matrix_cell *cell, uint64_t seed, struct sim_matrix_result *result,
                    struct sim_complaints *complaints)
{
    struct sim_text text = {0};
    struct sim_scenario *scenario = NULL;
    struct sim_world *world = NULL;
    struct sim_world_options options = {.log_events = true, .check = true};
    sim_matrix_write(cell, seed, &text);
    bool ran = sim_scenario_parse("a cell of the matrix", text.bytes, NULL, 0, &scenario, complaints, NULL) &&
               sim_world_create(scenario, &options, &world, complaints) &&
               run_world(world, result, complaints);
    sim_world_destroy(world);
    sim_scenario_release(scenario);
    sim_text_release(&text);
    return ran;
}
