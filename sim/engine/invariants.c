/*
 * The invariants of a run: what they remember, and who hears of an event.
 */
#include "engine/invariants_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static const char *value_of(const struct mb_setting *settings, uint32_t count, const char *name)
{
    for (uint32_t i = count; i-- > 0;) {
        if (strcmp(settings[i].name, name) == 0) {
            return settings[i].value;
        }
    }
    return NULL;
}

static bool is_clean(const struct sim_scenario *scenario)
{
    static const char name[] = "unclean.leader.election.enable";
    const char *value = value_of(scenario->broker_settings, scenario->broker_setting_count, name);
    bool unclean = value != NULL && strcmp(value, "true") == 0;
    for (uint32_t i = 0; i < scenario->topic_count; i++) {
        value = value_of(scenario->topics[i].settings, scenario->topics[i].setting_count, name);
        unclean = unclean || (value != NULL && strcmp(value, "true") == 0);
    }
    return !unclean;
}

/* --- What is remembered
 * -------------------------------------------------------------------------------------------------- */

/* A setting of a topic, or of the brokers, or else the default. */
static int64_t setting(const struct sim_invariants *invariants, const struct mb_topic_options *topic,
                       const char *name, int64_t otherwise)
{
    const struct sim_scenario *scenario = invariants->scenario;
    const char *value = value_of(topic->settings, topic->setting_count, name);
    if (value == NULL) {
        value = value_of(scenario->broker_settings, scenario->broker_setting_count, name);
    }
    return value != NULL ? strtoll(value, NULL, 10) : otherwise;
}

static struct sim_seen_partition *create_partition(struct sim_invariants *invariants, uint32_t topic,
                                                   int32_t number, const struct mb_topic_options *options)
{
    const char *type = value_of(options->settings, options->setting_count, "message.timestamp.type");
    struct sim_seen_partition *partition = calloc(1, sizeof *partition);
    KB_ASSERT(partition != NULL);
    *partition = (struct sim_seen_partition){
        .next = invariants->partitions,
        .topic = topic,
        .number = number,
        .name = options->name,
        .min_insync_replicas = setting(invariants, options, "min.insync.replicas", 1),
        .max_message_bytes = value_of(options->settings, options->setting_count, "max.message.bytes") != NULL
                                 ? setting(invariants, options, "max.message.bytes", 0)
                                 : INT64_MAX,
        .has_append_time = type != NULL && strcmp(type, "LogAppendTime") == 0,
        .leader = -1,
        .leader_epoch = -1,
        .scanned_leader = -1,
        .replicas = calloc(invariants->scenario->broker_count, sizeof *partition->replicas),
    };
    KB_ASSERT(partition->replicas != NULL);
    memset(partition->in_flight, 0xff, sizeof partition->in_flight);
    memset(partition->producer_id, 0xff, sizeof partition->producer_id);
    invariants->partitions = partition;
    return partition;
}

struct sim_seen_partition *sim_seen_partition(struct sim_invariants *invariants, uint32_t topic,
                                              int32_t number)
{
    struct sim_seen_partition *partition = invariants->newest;
    if (partition != NULL && partition->topic == topic && partition->number == number) {
        return partition;
    }
    for (partition = invariants->partitions; partition != NULL; partition = partition->next) {
        if (partition->topic == topic && partition->number == number) {
            invariants->newest = partition;
            return partition;
        }
    }
    const char *name = sim_event_log_name(sim_world_log(invariants->world), topic);
    for (uint32_t i = 0; i < invariants->scenario->topic_count; i++) {
        if (strcmp(invariants->scenario->topics[i].name, name) == 0) {
            return create_partition(invariants, topic, number, &invariants->scenario->topics[i]);
        }
    }
    return NULL;
}

struct sim_seen_connection *sim_seen_connection(struct sim_invariants *invariants, uint32_t number)
{
    if (number >= invariants->connection_count) {
        uint32_t count = 2 * (number + 16);
        invariants->connections = realloc(invariants->connections, count * sizeof *invariants->connections);
        KB_ASSERT(invariants->connections != NULL);
        for (uint32_t i = invariants->connection_count; i < count; i++) {
            invariants->connections[i] = (struct sim_seen_connection){.producer = -1, .arrived_us = -1};
        }
        invariants->connection_count = count;
    }
    return &invariants->connections[number];
}

struct sim_seen_producer *sim_seen_client(struct sim_invariants *invariants, uint32_t connection)
{
    int32_t producer = sim_seen_connection(invariants, connection)->producer;
    return producer >= 0 && producer < SIM_PRODUCERS_MAX ? &invariants->producers[producer] : NULL;
}

struct sim_seen_batch *sim_seen_batch(struct sim_seen_producer *producer, uint32_t number)
{
    if (number >= producer->batch_count) {
        uint32_t count = 2 * (number + 16);
        producer->batches = realloc(producer->batches, count * sizeof *producer->batches);
        KB_ASSERT(producer->batches != NULL);
        for (uint32_t i = producer->batch_count; i < count; i++) {
            producer->batches[i] = (struct sim_seen_batch){.reenqueued_us = -1};
        }
        producer->batch_count = count;
    }
    return &producer->batches[number];
}

struct sim_seen_replica *sim_seen_replica(const struct sim_invariants *invariants,
                                          const struct sim_seen_partition *partition, int32_t broker)
{
    for (uint32_t i = 0; i < invariants->scenario->broker_count; i++) {
        if (invariants->scenario->broker_ids[i] == broker) {
            return &partition->replicas[i];
        }
    }
    return NULL;
}

/* --- Their life
 * ----------------------------------------------------------------------------------------------------------
 */

struct sim_invariants *sim_invariants_create(struct sim_world *world)
{
    struct sim_invariants *invariants = calloc(1, sizeof *invariants);
    if (invariants == NULL) {
        return NULL;
    }
    invariants->world = world;
    invariants->scenario = sim_world_scenario(world);
    invariants->info = sim_event_log_info_view(sim_world_log(world));
    invariants->is_clean = is_clean(invariants->scenario);
    for (uint32_t i = 0; i < invariants->info->producer_count; i++) {
        invariants->producers[i].is_all = strcmp(invariants->info->producers[i].acks, "all") == 0;
        invariants->producers[i].is_none = strcmp(invariants->info->producers[i].acks, "0") == 0;
        invariants->producers[i].id = -1;
    }
    return invariants;
}

void sim_invariants_destroy(struct sim_invariants *invariants)
{
    if (invariants == NULL) {
        return;
    }
    while (invariants->partitions != NULL) {
        struct sim_seen_partition *partition = invariants->partitions;
        invariants->partitions = partition->next;
        free(partition->replicas);
        free(partition->sequences);
        free(partition);
    }
    for (uint32_t i = 0; i < SIM_PRODUCERS_MAX; i++) {
        free(invariants->producers[i].batches);
        sim_invariants_release_waits(&invariants->producers[i]);
    }
    free(invariants->connections);
    free(invariants->appends);
    free(invariants->records);
    free(invariants);
}

bool sim_invariants_step(struct sim_invariants *invariants, struct sim_complaints *complaints)
{
    const struct sim_event_log *log = sim_world_log(invariants->world);
    uint32_t before = complaints->count;
    invariants->complaints = complaints;
    /* A log may keep only its newest events: more than a step makes, but less than a large cluster begins
     * with. */
    if (log != NULL && sim_event_log_count(log) > invariants->taken + SIM_EVENT_LOG_NEWEST_EVENTS) {
        invariants->taken = sim_event_log_count(log) - SIM_EVENT_LOG_NEWEST_EVENTS;
    }
    /* At the end of a step in which a broker died the views of it say nothing of what it did before. */
    invariants->has_fault = false;
    for (uint64_t i = invariants->taken + 1; log != NULL && i <= sim_event_log_count(log); i++) {
        invariants->has_fault = invariants->has_fault || sim_event_log_get(log, i)->kind == KB_EVENT_FAULT;
    }
    while (log != NULL && invariants->taken < sim_event_log_count(log)) {
        const struct kb_event *event = sim_event_log_get(log, ++invariants->taken);
        invariants->event = invariants->taken;
        invariants->now_us = event->time_us;
        if (event->source < SIM_PRODUCERS_MAX) {
            sim_invariants_of_producer(invariants, event);
        } else {
            sim_invariants_of_network(invariants, event);
            sim_invariants_of_cluster(invariants, event);
        }
    }
    return complaints->count == before;
}

bool sim_invariants_end(struct sim_invariants *invariants, struct sim_complaints *complaints)
{
    uint32_t before = complaints->count;
    invariants->complaints = complaints;
    sim_invariants_of_logs(invariants);
    return complaints->count == before;
}
