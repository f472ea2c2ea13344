/*
 * How long it takes to go anywhere in a long run, and one step back.
 */
#include "cli/bench.h"

#include <stdio.h>

#include "base/prng.h"
#include "cli/bench_world.h"
#include "model/timeline.h"

enum { SEEK_COUNT = 400, STEP_COUNT = 400 };

/* A log of at least so many events. */
static struct sim_event_log *make_log(uint64_t event_count)
{
    struct bench_load load = {.producer_count = 4,
                              .thread_count = 4,
                              .record_count = (int64_t)event_count,
                              .rate_per_s = 20000,
                              .partition_count = 6,
                              .replication_factor = 3,
                              .acks = "all",
                              .broker_latency_us = 200};
    struct sim_scenario *scenario = bench_scenario_create(&load);
    struct sim_world *world = bench_world_create(scenario, true);
    struct sim_event_log *log = NULL;
    if (world != NULL) {
        while (sim_event_log_count(sim_world_log(world)) < event_count && sim_world_step(world)) {
        }
        log = sim_world_take_log(world);
        sim_world_destroy(world);
    }
    bench_scenario_destroy(scenario);
    return log;
}

static void add_times(struct bench *bench, const char *name, const struct bench_samples *times)
{
    bench_hold_p99(bench_add(bench, "seek", name, "ms", times), times, 16);
}

static bool measure(struct bench *bench, const char *title, uint64_t event_count)
{
    static struct bench_samples seeks, steps;
    seeks.count = steps.count = 0;
    bench_announce(title);
    struct sim_event_log *log = make_log(event_count);
    struct sim_timeline *timeline = log != NULL ? sim_timeline_create(log) : NULL;
    if (timeline == NULL) {
        sim_event_log_destroy(log);
        fputs("linger bench: no memory for a timeline\n", stderr);
        return false;
    }
    uint64_t count = sim_event_log_count(log);
    double begin_s = bench_cpu_s();
    while (sim_timeline_prepare(timeline, UINT64_C(1) << 18)) {
    }
    struct bench_samples fold = {.count = 0};
    bench_sample(&fold, (double)count / (bench_cpu_s() - begin_s) / 1e6);
    struct kb_prng prng;
    kb_prng_init(&prng, 1, 1);
    for (int i = 0; i < SEEK_COUNT; i++) {
        uint64_t goal = kb_prng_below(&prng, count) + 1;
        begin_s = bench_cpu_s();
        (void)sim_timeline_seek(timeline, goal);
        bench_sample(&seeks, (bench_cpu_s() - begin_s) * 1e3);
    }
    uint64_t at = count - count / 7;
    (void)sim_timeline_seek(timeline, at);
    for (int i = 0; i < STEP_COUNT; i++) {
        begin_s = bench_cpu_s();
        (void)sim_timeline_seek(timeline, --at);
        bench_sample(&steps, (bench_cpu_s() - begin_s) * 1e3);
    }
    sim_timeline_destroy(timeline);
    sim_event_log_destroy(log);
    char name[80];
    snprintf(name, sizeof name, "%s: to anywhere", title);
    add_times(bench, name, &seeks);
    snprintf(name, sizeof name, "%s: one event back", title);
    add_times(bench, name, &steps);
    snprintf(name, sizeof name, "%s: folding all of it", title);
    bench_add(bench, "seek", name, "Mevents/s", &fold);
    return true;
}

bool bench_seek(struct bench *bench)
{
    if (bench->is_quick) {
        return measure(bench, "100 000 events", 100000);
    }
    return measure(bench, "1 000 000 events", 1000000) && measure(bench, "10 000 000 events", 10000000);
}
