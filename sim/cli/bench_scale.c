/*
 * How the cost of an event and the memory grow with brokers, partitions, producers and records.
 *
 * Whole runs with the log off; what they are divided by, their trace events, comes from one run each with a
 * log that keeps none. Memory is counted by the allocator of the producers and the cluster, and as the peak
 * of the process.
 */
#define _GNU_SOURCE /* getrusage */
#include "cli/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/bench_world.h"

static const char group[] = "scale";

/* --- What is counted --- */

struct count {
    int64_t now_bytes;
    int64_t peak_bytes;
};

static void *allocate(void *context, size_t size_bytes)
{
    struct count *count = context;
    void *memory = malloc(size_bytes);
    if (memory != NULL) {
        count->now_bytes += (int64_t)size_bytes;
        count->peak_bytes = count->now_bytes > count->peak_bytes ? count->now_bytes : count->peak_bytes;
    }
    return memory;
}

static void release(void *context, void *memory, size_t size_bytes)
{
    struct count *count = context;
    count->now_bytes -= (int64_t)size_bytes;
    free(memory);
}

/* By then producers know the partitions, followers have told their leaders which ones they fetch, and the
 * leaders have answered that, which takes replica.fetch.wait.max.ms where nothing is written. */
enum { STARTED_US = 800000 };

struct run {
    double taken_s;
    double start_s; /* of it, up to STARTED_US */
    uint64_t events;
    int64_t created_bytes;
    int64_t peak_bytes;
};

static bool run_once(const struct sim_scenario *scenario, bool log_events, bool counts, struct run *out)
{
    struct count count = {0};
    struct linger_allocator allocator = {&count, allocate, release};
    struct sim_world *world = bench_world_create_with(scenario, log_events, counts ? &allocator : NULL);
    if (world == NULL) {
        return false;
    }
    out->created_bytes = count.now_bytes;
    double begin_s = bench_cpu_s();
    (void)sim_world_run_until(world, STARTED_US);
    out->start_s = bench_cpu_s() - begin_s;
    while (sim_world_step(world)) {
    }
    out->taken_s = bench_cpu_s() - begin_s;
    out->peak_bytes = count.peak_bytes;
    out->events = sim_event_log_count(sim_world_log(world));
    const char *failure = sim_world_failure(world);
    if (failure != NULL) {
        fprintf(stderr, "linger bench: %s\n", failure);
    }
    sim_world_destroy(world);
    return failure == NULL;
}

/* --- The cost of an event --- */

/* ns for an event of the load, with the log off. */
static bool measure_event(struct bench *bench, const char *name, const struct bench_load *load,
                          double *median_ns)
{
    static struct bench_samples samples;
    struct sim_scenario *scenario = bench_scenario_create(load);
    struct run counted = {0};
    struct run run = {0};
    samples.count = 0;
    bench_announce(name);
    bool good = run_once(scenario, true, false, &counted); /* warms up, too */
    double end_s = bench_wall_s() + bench->seconds;
    while (good && (samples.count < BENCH_REPETITIONS_MIN || bench_wall_s() < end_s)) {
        good = run_once(scenario, false, false, &run);
        bench_sample(&samples, run.taken_s * 1e9 / (double)counted.events);
    }
    bench_scenario_destroy(scenario);
    if (good) {
        *median_ns = bench_add(bench, group, name, "ns/event", &samples)->median;
    }
    return good;
}

static struct bench_load even_load(const struct bench *bench)
{
    return (struct bench_load){.producer_count = 1,
                               .thread_count = 1,
                               .record_count = bench->is_quick ? 10000 : 200000,
                               .rate_per_s = 200000,
                               .partition_count = 10,
                               .replication_factor = 3,
                               .acks = "all",
                               .broker_latency_us = 200};
}

/* Every record goes to another partition: from 1 000 on a batch holds one or two records. The small batches
 * of ten partitions are what that is to be compared with. */
static bool measure_matrix(struct bench *bench)
{
    static const int32_t brokers[] = {3, 30, 100};
    static const int32_t partitions[] = {10, 1000, 10000};
    int count = bench->is_quick ? 2 : 3;
    char name[80];
    double ns;
    struct bench_load load = even_load(bench);
    load.round_robin = true;
    load.batch_size = "300";
    bool good = measure_event(bench, "3 brokers, 10 partitions, batches of two records", &load, &ns);
    load.batch_size = NULL;
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < count && good; j++) {
            load.broker_count = brokers[i];
            load.partition_count = partitions[j];
            snprintf(name, sizeof name, "%d brokers, %d partitions, all written to", brokers[i],
                     partitions[j]);
            good = measure_event(bench, name, &load, &ns);
        }
    }
    return good;
}

static bool measure_producers(struct bench *bench)
{
    static const uint32_t producers[] = {1, 10, 100};
    bool good = true;
    char name[80];
    double ns;
    for (int i = 0; i < 3 && good; i++) {
        struct bench_load load = even_load(bench);
        load.producer_count = producers[i];
        snprintf(name, sizeof name, "%u producers, 3 brokers, 10 partitions", producers[i]);
        good = measure_event(bench, name, &load, &ns);
    }
    return good;
}

/* --- Idle partitions --- */

static bool measure_idle(struct bench *bench, int32_t broker_count)
{
    static struct bench_samples ratios, starts;
    struct bench_load few = even_load(bench);
    few.thread_count = 10;
    few.active_partitions = 10;
    few.broker_count = broker_count;
    few.record_count = bench->is_quick ? 8000 : 400000;
    few.rate_per_s = few.record_count / 2;
    struct bench_load many = few;
    many.partition_count = 10000;
    struct sim_scenario *scenario = bench_scenario_create(&few);
    struct sim_scenario *crowded = bench_scenario_create(&many);
    struct run alone = {0};
    struct run among = {0};
    char name[80];
    ratios.count = starts.count = 0;
    snprintf(name, sizeof name, "%d brokers, 10 written to of 10 000: time against 10 of 10", broker_count);
    bench_announce(name);
    double end_s = bench_wall_s() + bench->seconds;
    bool good = run_once(scenario, false, false, &alone); /* warms up */
    while (good && (ratios.count < BENCH_REPETITIONS_MIN || bench_wall_s() < end_s)) {
        good = run_once(scenario, false, false, &alone) && run_once(crowded, false, false, &among);
        bench_sample(&ratios, 100 * (among.taken_s - among.start_s) / (alone.taken_s - alone.start_s));
        bench_sample(&starts, (among.start_s - alone.start_s) * 1e3);
    }
    bench_scenario_destroy(scenario);
    bench_scenario_destroy(crowded);
    if (good) {
        bench_hold(bench_add(bench, group, name, "%", &ratios), BENCH_AT_MOST, 110);
        bench_add(bench, group, "  more for the first 800 ms, in which all are told of once", "ms", &starts);
    }
    return good;
}

/* What a partition that holds nothing takes: of the cluster, and of the producer that knows it. */
static bool measure_partition(struct bench *bench, int32_t replication_factor)
{
    enum { FEW = 1000, MANY = 5000 };
    struct bench_samples bytes = {.count = 0};
    struct bench_load load = even_load(bench);
    struct run run[2];
    char name[80];
    load.record_count = 10;
    load.replication_factor = replication_factor;
    for (int i = 0; i < 2; i++) {
        load.partition_count = i == 0 ? FEW : MANY;
        struct sim_scenario *scenario = bench_scenario_create(&load);
        bool good = run_once(scenario, false, true, &run[i]);
        bench_scenario_destroy(scenario);
        if (!good) {
            return false;
        }
    }
    snprintf(name, sizeof name, "an idle partition of %d replica%s", replication_factor,
             replication_factor == 1 ? "" : "s");
    bench_sample(&bytes, (double)(run[1].peak_bytes - run[0].peak_bytes) / (MANY - FEW));
    bench_add(bench, group, name, "bytes", &bytes);
    return true;
}

/* --- Records --- */

struct child {
    struct run run;
    double peak_mb;
};

/* In a process of its own, so that its peak is its own. The log is on and keeps its newest events, as in
 * `linger run`. */
static bool run_apart(const struct bench_load *load, struct child *out)
{
    int ends[2];
    if (pipe(ends) != 0) {
        perror("linger bench");
        return false;
    }
    pid_t child = fork();
    if (child == 0) {
        struct sim_scenario *scenario = bench_scenario_create(load);
        struct run run = {0};
        bool good = run_once(scenario, true, true, &run) && write(ends[1], &run, sizeof run) == sizeof run;
        bench_scenario_destroy(scenario);
        _exit(good ? 0 : 1);
    }
    close(ends[1]);
    bool good = child > 0 && read(ends[0], &out->run, sizeof out->run) == sizeof out->run;
    close(ends[0]);
    int status = 1;
    struct rusage usage = {0};
    if (child > 0 && wait4(child, &status, 0, &usage) != child) {
        status = 1;
    }
    out->peak_mb = (double)usage.ru_maxrss / 1024;
    return good && status == 0;
}

static bool measure_records(struct bench *bench)
{
    static const int64_t counts[] = {100000, 1000000, 10000000};
    char name[80];
    for (int i = 0; i < (bench->is_quick ? 1 : 3); i++) {
        struct bench_load load = even_load(bench);
        struct bench_samples ns = {.count = 0};
        struct bench_samples peak = {.count = 0};
        struct bench_samples counted = {.count = 0};
        struct child child;
        load.record_count = bench->is_quick ? 10000 : counts[i];
        load.partition_count = 6;
        load.retention_bytes = "2000000";
        load.segment_bytes = "500000";
        snprintf(name, sizeof name, "%.0f records under retention, log on", (double)load.record_count);
        bench_announce(name);
        for (int j = 0; j < BENCH_REPETITIONS_MIN; j++) {
            if (!run_apart(&load, &child)) {
                return false;
            }
            bench_sample(&ns, child.run.taken_s * 1e9 / (double)child.run.events);
            bench_sample(&peak, child.peak_mb);
            bench_sample(&counted, (double)child.run.peak_bytes / (1 << 20));
        }
        bench_add(bench, group, name, "ns/event", &ns);
        bench_add(bench, group, "  peak of the process", "MB", &peak);
        bench_add(bench, group, "  peak of producer and cluster, by their allocators", "MB", &counted);
    }
    return true;
}

bool bench_scale(struct bench *bench)
{
    bool good = measure_records(bench) && measure_matrix(bench) && measure_producers(bench) &&
                measure_idle(bench, 3) && measure_partition(bench, 1) && measure_partition(bench, 3);
    if (!bench->is_quick) {
        good = good && measure_idle(bench, 30) && measure_idle(bench, 100);
    }
    return good;
}
