/*
 * A long run under retention takes bounded memory: 300 000 records, and every byte of the producer, the
 * cluster and the ledger counted. It is a count, not a measurement: every run comes to the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/world.h"

enum {
    RECORD_COUNT = 300000,
    WARM_RECORDS = 150000, /* a broker has died by then, so that buffers were full once */
    KEPT_RECORDS = 4096,
    LIMIT_BYTES = 18 << 20,
};

static const char text[] =
    "{\"cluster\": {\"config\": {\"log.segment.bytes\": 100000, \"log.retention.bytes\": 300000},"
    " \"topics\": [{\"name\": \"orders\", \"partitions\": 3}]},"
    " \"producers\": [{\"name\": \"shop\", \"config\": {\"acks\": \"all\", \"linger.ms\": 5,"
    "  \"buffer.memory\": 1000000}, \"threads\": [{\"send_cost_us\": 1, \"records\": {\"count\": 300000,"
    "  \"rate_per_s\": 100000, \"value_bytes\": 50}}]}],"
    " \"timeline\": [{\"at_ms\": 300, \"do\": \"kill\", \"broker\": 1},"
    "  {\"at_ms\": 1000, \"do\": \"restart\", \"broker\": 1}]}";

struct count {
    int64_t now_bytes;
    int64_t peak_bytes;
};

static void *allocate(void *context, size_t size_bytes)
{
    struct count *count = context;
    count->now_bytes += (int64_t)size_bytes;
    count->peak_bytes = count->now_bytes > count->peak_bytes ? count->now_bytes : count->peak_bytes;
    return malloc(size_bytes);
}

static void release(void *context, void *memory, size_t size_bytes)
{
    struct count *count = context;
    count->now_bytes -= (int64_t)size_bytes;
    free(memory);
}

static bool expect(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
    }
    return holds;
}

static bool run(struct sim_world *world, const struct count *count)
{
    struct sim_ledger *ledger = sim_world_ledger(world);
    int64_t warm_bytes = 0;
    int64_t ledger_bytes = 0;
    while (sim_world_step(world)) {
        int64_t bytes = (int64_t)sim_ledger_memory_bytes(ledger);
        ledger_bytes = bytes > ledger_bytes ? bytes : ledger_bytes;
        if (sim_ledger_count(ledger) <= WARM_RECORDS) {
            warm_bytes = count->peak_bytes + ledger_bytes;
        }
    }
    struct sim_ledger_totals totals;
    bool good = expect(sim_ledger_settle(ledger, sim_world_cluster(world)), "the ledger does not settle");
    sim_ledger_totals(ledger, &totals);
    printf("%" PRId64 " bytes at most in %d records, %" PRId64 " in %" PRIu64
           ", of them the ledger's %" PRId64 "\n",
           warm_bytes, WARM_RECORDS, count->peak_bytes + ledger_bytes, totals.sent, ledger_bytes);
    good = expect(totals.sent == RECORD_COUNT && totals.verdicts[SIM_VERDICT_DELIVERED] == RECORD_COUNT,
                  "not every record was delivered") &&
           good;
    good = expect(count->peak_bytes + ledger_bytes <= LIMIT_BYTES, "it took more memory than it may") && good;
    return expect(count->peak_bytes + ledger_bytes <= warm_bytes + warm_bytes / 10,
                  "memory grows with the records") &&
           good;
}

int main(void)
{
    struct count count = {0};
    struct linger_allocator allocator = {&count, allocate, release};
    struct sim_complaints complaints = {0};
    struct sim_scenario *scenario = NULL;
    struct sim_world *world = NULL;
    struct sim_world_options options = {.allocator = &allocator, .kept_records = KEPT_RECORDS};
    bool good = sim_scenario_parse("memory", text, NULL, 0, &scenario, &complaints, NULL) &&
                sim_world_create(scenario, &options, &world, &complaints) && run(world, &count);
    if (complaints.count > 0) {
        fprintf(stderr, "%s", complaints.text);
    }
    sim_world_destroy(world);
    good = expect(count.now_bytes == 0, "not everything was given back") && good;
    sim_scenario_release(scenario);
    sim_complaints_release(&complaints);
    return good ? 0 : 1;
}
