/*
 * Simulated events per second: whole runs of a world, with the real producer core and the mock cluster as
 * handlers.
 *
 * An event is a typed trace event of the run. A run without a log does the same things and is over in less
 * time; the events that it would have logged are known from the same run with a log. Steps of the scheduler
 * are reported beside it: one step is a record sent, a pass of a sender, a packet that arrives or a deadline.
 */
#include "cli/bench.h"

#include <stdio.h>

#include "cli/bench_world.h"

/* A log grows by so many events at a time. */
enum { CHUNK_EVENTS = 1 << 14 };

struct result {
    double taken_s;
    uint64_t steps;
    uint64_t events;
    uint64_t log_bytes;
    uint64_t unfilled_bytes; /* of its last chunk */
};

static bool run_once(const struct sim_scenario *scenario, bool log_events, struct result *out)
{
    struct sim_world *world = bench_world_create(scenario, log_events);
    if (world == NULL) {
        return false;
    }
    double begin_s = bench_cpu_s();
    while (sim_world_step(world)) {
    }
    out->taken_s = bench_cpu_s() - begin_s;
    out->steps = sim_world_step_count(world);
    out->events = sim_event_log_count(sim_world_log(world));
    size_t memory_bytes;
    size_t file_bytes;
    sim_event_log_memory(sim_world_log(world), &memory_bytes, &file_bytes);
    out->log_bytes = memory_bytes + file_bytes;
    out->unfilled_bytes =
        (CHUNK_EVENTS - out->events % CHUNK_EVENTS) % CHUNK_EVENTS * sizeof(struct kb_event);
    const char *failure = sim_world_failure(world);
    if (failure != NULL) {
        fprintf(stderr, "linger bench: %s\n", failure);
    }
    sim_world_destroy(world);
    return failure == NULL;
}

static bool measure(struct bench *bench, const char *title, const struct bench_load *load)
{
    static struct bench_samples off, on, steps;
    off.count = on.count = steps.count = 0;
    struct sim_scenario *scenario = bench_scenario_create(load);
    struct result with = {0};
    struct result without = {0};
    bench_announce(title);
    double end_s = bench_wall_s() + bench->seconds;
    bool good = run_once(scenario, true, &with); /* warms up, and counts the events */
    while (good && (off.count < BENCH_REPETITIONS_MIN || bench_wall_s() < end_s)) {
        good = run_once(scenario, false, &without) && run_once(scenario, true, &with);
        bench_sample(&off, (double)with.events / without.taken_s / 1e6);
        bench_sample(&steps, (double)without.steps / without.taken_s / 1e6);
        bench_sample(&on, (double)with.events / with.taken_s / 1e6);
    }
    bench_scenario_destroy(scenario);
    if (!good) {
        return false;
    }
    char name[80];
    snprintf(name, sizeof name, "%s, log off", title);
    bench_hold(bench_add(bench, "simulation", name, "Mevents/s", &off), BENCH_AT_LEAST, 5);
    bench_add(bench, "simulation", "  steps of the scheduler", "Msteps/s", &steps);
    snprintf(name, sizeof name, "%s, log on", title);
    bench_hold(bench_add(bench, "simulation", name, "Mevents/s", &on), BENCH_AT_LEAST, 2);
    struct bench_samples bytes = {.count = 0};
    bench_sample(&bytes, (double)(with.log_bytes - with.unfilled_bytes) / (double)with.events);
    bench_hold(bench_add(bench, "simulation", "  memory for a logged event", "bytes", &bytes), BENCH_AT_MOST,
               64);
    return true;
}

/* Ten partitions that are written to, alone and among ten thousand. */
static bool measure_idle(struct bench *bench)
{
    static struct bench_samples ratios;
    ratios.count = 0;
    struct bench_load few = {.producer_count = 1,
                             .thread_count = 10,
                             .record_count = bench->is_quick ? 20000 : 200000,
                             .rate_per_s = 100000,
                             .partition_count = 10,
                             .replication_factor = 1,
                             .acks = "1",
                             .active_partitions = 10,
                             .broker_latency_us = 200};
    struct bench_load many = few;
    many.partition_count = 10000;
    struct sim_scenario *scenario = bench_scenario_create(&few);
    struct sim_scenario *crowded = bench_scenario_create(&many);
    struct result alone = {0};
    struct result among = {0};
    bench_announce("10 active partitions of 10 000");
    double end_s = bench_wall_s() + bench->seconds;
    bool good = true;
    while (good && (ratios.count < BENCH_REPETITIONS_MIN || bench_wall_s() < end_s)) {
        good = run_once(scenario, false, &alone) && run_once(crowded, false, &among);
        bench_sample(&ratios, 100 * among.taken_s / alone.taken_s);
    }
    bench_scenario_destroy(scenario);
    bench_scenario_destroy(crowded);
    if (good) {
        bench_hold(bench_add(bench, "simulation", "10 active partitions of 10 000: time against 10 of 10",
                             "%", &ratios),
                   BENCH_AT_MOST, 110);
    }
    return good;
}

bool bench_simulation(struct bench *bench)
{
    int64_t record_count = bench->is_quick ? 20000 : 300000;
    struct bench_load small = {.producer_count = 1,
                               .thread_count = 1,
                               .record_count = record_count,
                               .rate_per_s = 200000,
                               .partition_count = 6,
                               .replication_factor = 3,
                               .acks = "all",
                               .broker_latency_us = 200};
    struct bench_load large = small;
    large.producer_count = 8;
    large.thread_count = bench->is_quick ? 125 : 1250;
    large.rate_per_s = 400000;
    return measure(bench, "1 producer, 1 thread", &small) &&
           measure(bench, bench->is_quick ? "1 000 pending" : "10 000 pending", &large) &&
           measure_idle(bench);
}
