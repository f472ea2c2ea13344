#include "cli/bench_world.h"

#include <stdio.h>
#include <stdlib.h>

enum { BROKER_COUNT = 3, ENTRY_COUNT = 6, VALUE_BYTES = 100, SETTING_COUNT = 2 };

static void fill_threads(struct sim_thread *threads, const struct bench_load *load, uint32_t producer)
{
    int64_t all = (int64_t)load->producer_count * load->thread_count;
    int64_t rate_per_s = load->rate_per_s / all > 0 ? load->rate_per_s / all : 1;
    for (uint32_t i = 0; i < load->thread_count; i++) {
        int64_t number = (int64_t)producer * load->thread_count + i;
        threads[i] = (struct sim_thread){
            .name = "thread",
            .source = {.kind = SIM_SOURCE_GENERATED,
                       .topic = "bench",
                       .count = load->record_count / all,
                       .rate_per_s = rate_per_s,
                       .start_us = number * 1000000 / load->rate_per_s, /* spread over the first period */
                       .arrivals = SIM_ARRIVALS_STEADY,
                       .partition =
                           load->active_partitions > 0 ? (int32_t)(number % load->active_partitions) : -1,
                       .key_kind = SIM_KEY_NULL,
                       .value_bytes = {SIM_DISTRIBUTION_FIXED, VALUE_BYTES, VALUE_BYTES}}};
    }
}

static bool fill_producers(struct sim_scenario *scenario, const struct bench_load *load)
{
    for (uint32_t i = 0; i < load->producer_count; i++) {
        struct sim_producer *producer = &scenario->producers[i];
        producer->name = "producer";
        producer->threads = calloc(load->thread_count, sizeof *producer->threads);
        producer->entries = calloc(ENTRY_COUNT, sizeof *producer->entries);
        if (producer->threads == NULL || producer->entries == NULL) {
            return false;
        }
        producer->thread_count = load->thread_count;
        producer->entries[0] = (struct kp_config_entry){
            "key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer"};
        producer->entries[1] = (struct kp_config_entry){
            "value.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer"};
        producer->entries[2] = (struct kp_config_entry){"acks", load->acks};
        producer->entries[3] = (struct kp_config_entry){"linger.ms", "5"};
        producer->entries[4] = (struct kp_config_entry){
            "partitioner.class", load->round_robin
                                     ? "org.apache.kafka.clients.producer.RoundRobinPartitioner"
                                     : "org.apache.kafka.clients.producer.internals.DefaultPartitioner"};
        producer->entries[5] =
            (struct kp_config_entry){"batch.size", load->batch_size != NULL ? load->batch_size : "16384"};
        producer->entry_count = ENTRY_COUNT;
        producer->close_at_end = true;
        fill_threads(producer->threads, load, i);
    }
    return true;
}

struct sim_scenario *bench_scenario_create(const struct bench_load *load)
{
    struct sim_scenario *scenario = calloc(1, sizeof *scenario);
    uint32_t broker_count = load->broker_count > 0 ? (uint32_t)load->broker_count : BROKER_COUNT;
    if (scenario == NULL) {
        return NULL;
    }
    *scenario = (struct sim_scenario){
        .path = "",
        .name = "bench",
        .description = "",
        .seed = 1,
        .duration_us = INT64_C(3600) * 1000000,
        .epoch_ms = 1600000000000,
        .broker_ids = calloc(broker_count, sizeof *scenario->broker_ids),
        .broker_count = broker_count,
        .broker_settings = calloc(SETTING_COUNT, sizeof *scenario->broker_settings),
        .topics = calloc(1, sizeof *scenario->topics),
        .topic_count = 1,
        .latency_us = {SIM_DISTRIBUTION_UNIFORM, 300, 700},
        .broker_latency_us = {SIM_DISTRIBUTION_UNIFORM, load->broker_latency_us, 2 * load->broker_latency_us},
        .bandwidth_bytes_per_s = 1250000000,
        .connect_us = 100,
        .disk_append_us = 50,
        .producers = calloc(load->producer_count, sizeof *scenario->producers),
        .producer_count = load->producer_count,
    };
    if (scenario->broker_ids == NULL || scenario->broker_settings == NULL || scenario->topics == NULL ||
        scenario->producers == NULL || !fill_producers(scenario, load)) {
        bench_scenario_destroy(scenario);
        return NULL;
    }
    for (uint32_t i = 0; i < broker_count; i++) {
        scenario->broker_ids[i] = (int32_t)i + 1;
    }
    if (load->retention_bytes != NULL) {
        scenario->broker_settings[0] = (struct mb_setting){"log.retention.bytes", load->retention_bytes};
        scenario->broker_settings[1] = (struct mb_setting){"log.segment.bytes", load->segment_bytes};
        scenario->broker_setting_count = SETTING_COUNT;
    }
    scenario->topics[0] = (struct mb_topic_options){.name = "bench",
                                                    .partition_count = load->partition_count,
                                                    .replication_factor = load->replication_factor};
    return scenario;
}

void bench_scenario_destroy(struct sim_scenario *scenario)
{
    if (scenario == NULL) {
        return;
    }
    for (uint32_t i = 0; scenario->producers != NULL && i < scenario->producer_count; i++) {
        free(scenario->producers[i].threads);
        free(scenario->producers[i].entries);
    }
    free(scenario->producers);
    free(scenario->topics);
    free(scenario->broker_settings);
    free(scenario->broker_ids);
    free(scenario);
}

static struct sim_world *create_world(const struct sim_scenario *scenario,
                                      const struct sim_world_options *options)
{
    struct sim_complaints complaints = {0};
    struct sim_world *world = NULL;
    if (scenario == NULL || !sim_world_create(scenario, options, &world, &complaints)) {
        fprintf(stderr, "linger bench: %s", complaints.count > 0 ? complaints.text : "no memory\n");
        world = NULL;
    }
    sim_complaints_release(&complaints);
    return world;
}

struct sim_world *bench_world_create(const struct sim_scenario *scenario, bool log_events)
{
    return create_world(scenario, &(struct sim_world_options){.log_events = log_events});
}

struct sim_world *bench_world_create_with(const struct sim_scenario *scenario, bool log_events,
                                          const struct linger_allocator *allocator)
{
    struct sim_world_options options = {
        .log_events = log_events, .allocator = allocator, .log = sim_event_log_create()};
    if (options.log != NULL) {
        sim_event_log_keep_newest(options.log);
    }
    return create_world(scenario, &options);
}
