#include "mockbroker/cluster.h"

#include "base/allocator.h"
#include "base/assert.h"
#include "mockbroker/broker.h"
#include "mockbroker/client_quota.h"
#include "mockbroker/connection.h"
#include "mockbroker/control.h"
#include "mockbroker/delayed_fetch.h"
#include "mockbroker/delayed_produce.h"
#include "mockbroker/fetch_session.h"
#include "mockbroker/partition.h"
#include "mockbroker/request.h"

#include <stdio.h>
#include <string.h>

enum { DEFAULT_PORT = 9092, STREAM_TOPIC_IDS = 0x7469 };

struct mb_broker *mb_broker_of(const struct mb_cluster *cluster, int32_t id)
{
    uint32_t low = 0;
    uint32_t high = cluster->broker_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (cluster->brokers[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < cluster->broker_count && cluster->brokers[low].id == id ? &cluster->brokers[low] : NULL;
}

int32_t mb_broker_id(const struct mb_cluster *cluster, int32_t index)
{
    return index < 0 ? -1 : cluster->brokers[index].id;
}

void mb_timer_cancel(struct mb_cluster *cluster, struct mb_timer *timer)
{
    if (kb_heap_contains(&cluster->timers, &timer->node)) {
        kb_heap_remove(&cluster->timers, &timer->node);
    }
    if (kb_list_node_is_linked(&timer->held)) {
        kb_list_remove(&timer->held);
    }
}

void mb_timer_set(struct mb_cluster *cluster, struct mb_timer *timer, int64_t due_us)
{
    mb_timer_cancel(cluster, timer);
    bool has_room = kb_heap_push(&cluster->timers, &timer->node, due_us, cluster->timer_sequence++);
    KB_ASSERT(has_room);
}

void mb_cluster_begin(struct mb_cluster *cluster, int64_t now_us)
{
    KB_ASSERT(now_us >= cluster->now_us);
    cluster->now_us = now_us;
}

/* Kafka: DelayedOperations.checkAndCompleteAll and ReplicaManager.tryCompleteActions. */
static void look_at_partition(struct mb_partition *partition)
{
    if (partition->high_watermark_changed && partition->is_leader) {
        mb_partition_enforce_retention(partition);
    }
    mb_retention_watch(partition);
    mb_fetch_sessions_mark(partition);
    if (partition->high_watermark_changed || !partition->is_leader) {
        partition->high_watermark_changed = false;
        mb_delayed_produces_try(partition);
        mb_append_waits_try(partition);
    }
    struct kb_list_node *next = NULL;
    for (struct kb_list_node *node = kb_list_first(&partition->fetches); node != NULL; node = next) {
        next = kb_list_next(&partition->fetches, node);
        struct mb_fetch_wait *wait = KB_CONTAINER_OF(node, struct mb_fetch_wait, of_partition);
        /* Answering takes all waits of a request out of their lists: begin anew if the next one went, too. */
        struct mb_delayed_fetch *fetch = wait->fetch;
        bool is_shared =
            next != NULL && KB_CONTAINER_OF(next, struct mb_fetch_wait, of_partition)->fetch == fetch;
        if (mb_delayed_fetch_try(fetch) && is_shared) {
            next = kb_list_first(&partition->fetches);
        }
    }
    for (struct kb_list_node *node = kb_list_first(&partition->sessions); node != NULL; node = next) {
        next = kb_list_next(&partition->sessions, node);
        struct mb_session_partition *part = KB_CONTAINER_OF(node, struct mb_session_partition, of_partition);
        if (part->session->parked != NULL) {
            (void)mb_delayed_fetch_try_changed(part->session->parked, &part->spec);
        }
    }
}

void mb_cluster_settle(struct mb_cluster *cluster)
{
    for (;;) {
        if (mb_faults_carry_out(cluster)) {
            continue;
        }
        struct kb_list_node *node = kb_list_pop_front(&cluster->changed);
        if (node != NULL) {
            look_at_partition(KB_CONTAINER_OF(node, struct mb_partition, of_changed));
            continue;
        }
        node = kb_list_pop_front(&cluster->ready);
        if (node == NULL) {
            return;
        }
        mb_connection_read(cluster, KB_CONTAINER_OF(node, struct mb_connection, ready));
    }
}

/* --- Creation --- */

static bool fail(struct mb_error *error, const char *what, const char *name, const char *wanted)
{
    snprintf(error->text, sizeof error->text, "%s %.80s: %s", what, name, wanted);
    return false;
}

static bool check_brokers(const struct mb_options *options, struct mb_error *error)
{
    if (options->broker_count == 0) {
        return fail(error, "option", "broker_count", "must be at least 1");
    }
    for (uint32_t i = 0; i < options->broker_count; i++) {
        if (options->broker_ids[i] < 0 || (i > 0 && options->broker_ids[i] <= options->broker_ids[i - 1])) {
            return fail(error, "option", "broker_ids", "must be ascending and not negative");
        }
    }
    return true;
}

static bool check_assignment(const struct mb_options *options, const struct mb_topic_options *topic,
                             struct mb_error *error)
{
    int32_t factor = topic->replication_factor;
    if (topic->assignment == NULL) {
        return true;
    }
    for (int32_t i = 0; i < topic->partition_count * factor; i++) {
        int32_t id = topic->assignment[i];
        if (!mb_is_member(options->broker_ids, options->broker_count, id)) {
            return fail(error, "topic", topic->name, "its assignment names a broker that does not exist");
        }
        if (mb_is_member(&topic->assignment[i - i % factor], (uint32_t)(i % factor), id)) {
            return fail(error, "topic", topic->name, "its assignment names a broker twice in a partition");
        }
    }
    return true;
}

static bool check_topics(const struct mb_options *options, struct mb_error *error)
{
    for (uint32_t i = 0; i < options->topic_count; i++) {
        const struct mb_topic_options *topic = &options->topics[i];
        if (topic->name == NULL || !mb_topic_name_is_valid(topic->name, (int32_t)strlen(topic->name))) {
            return fail(error, "topic", topic->name == NULL ? "(none)" : topic->name,
                        "a name has 1 to 249 letters, digits, \".\", \"_\" or \"-\"");
        }
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(options->topics[j].name, topic->name) == 0) {
                return fail(error, "topic", topic->name, "is there twice");
            }
        }
        if (topic->partition_count < 1 || topic->partition_count > 1000000) {
            return fail(error, "topic", topic->name, "partition_count must be from 1 to 1000000");
        }
        if (topic->replication_factor < 1 || (uint32_t)topic->replication_factor > options->broker_count) {
            return fail(error, "topic", topic->name,
                        "replication_factor must be at least 1 and at most the number of brokers");
        }
        if (!check_assignment(options, topic, error)) {
            return false;
        }
    }
    return true;
}

static bool check_settings(const struct mb_options *options, struct mb_settings *settings,
                           struct mb_error *error)
{
    mb_settings_default(settings);
    for (uint32_t i = 0; i < options->setting_count; i++) {
        if (!mb_settings_set(settings, "broker", &options->settings[i], error)) {
            return false;
        }
    }
    struct mb_settings scratch;
    for (uint32_t i = 0; i < options->topic_count; i++) {
        for (uint32_t j = 0; j < options->topics[i].setting_count; j++) {
            if (!mb_settings_set(&scratch, "topic", &options->topics[i].settings[j], error)) {
                return false;
            }
        }
    }
    return true;
}

static void create_topic(struct mb_cluster *cluster, const struct mb_topic_options *options)
{
    struct mb_topic *topic = mb_topic_create(cluster, options->name, (int32_t)strlen(options->name));
    mb_settings_inherit(&topic->settings, &cluster->settings);
    struct mb_error error;
    for (uint32_t i = 0; i < options->setting_count; i++) {
        bool is_fine = mb_settings_set(&topic->settings, "topic", &options->settings[i], &error);
        KB_ASSERT(is_fine);
    }
    uint32_t count = (uint32_t)(options->partition_count * options->replication_factor);
    int32_t *indexes = NULL;
    if (options->assignment != NULL) {
        indexes = mb_take(cluster->allocator, count * sizeof *indexes);
        for (uint32_t i = 0; i < count; i++) {
            indexes[i] = mb_broker_of(cluster, options->assignment[i])->index;
        }
    }
    mb_controller_create_partitions(cluster, topic, options->partition_count,
                                    (uint32_t)options->replication_factor, indexes, true);
    mb_give(cluster->allocator, indexes, indexes == NULL ? 0 : count * sizeof *indexes);
}

static void create_brokers(struct mb_cluster *cluster, const struct mb_options *options)
{
    cluster->brokers = mb_take(cluster->allocator, options->broker_count * sizeof *cluster->brokers);
    cluster->broker_count = options->broker_count;
    for (uint32_t i = 0; i < options->broker_count; i++) {
        char host[24];
        snprintf(host, sizeof host, "broker-%d", (int)options->broker_ids[i]);
        mb_broker_init(cluster, (int32_t)i, options->broker_ids[i],
                       options->hosts == NULL ? host : options->hosts[i],
                       options->ports == NULL ? DEFAULT_PORT : options->ports[i]);
        cluster->brokers[i].append_us = options->disk_append_us;
    }
}

bool mb_cluster_create(const struct mb_options *options, int64_t now_us, struct mb_cluster **out,
                       struct mb_error *error)
{
    struct mb_settings settings;
    if (!check_brokers(options, error) || !check_topics(options, error) ||
        !check_settings(options, &settings, error) || !mb_quotas_check(options, error)) {
        return false;
    }
    const struct linger_allocator *allocator =
        options->allocator != NULL ? options->allocator : kb_allocator_default();
    struct mb_cluster *cluster = mb_take(allocator, sizeof *cluster);
    *cluster = (struct mb_cluster){
        .allocator = allocator,
        .trace = options->trace,
        .observer = options->observer != NULL ? *options->observer : (struct mb_observer){0},
        .epoch_ms = options->epoch_ms,
        .now_us = now_us,
        .settings = settings,
        .next_message = 1,
    };
    kb_prng_init(&cluster->topic_ids, options->seed, STREAM_TOPIC_IDS);
    kb_heap_init(&cluster->timers, allocator);
    mb_map_init(&cluster->connections, allocator);
    mb_map_init(&cluster->connecting, allocator);
    mb_map_init(&cluster->controls, allocator);
    kb_list_init(&cluster->control_list);
    kb_list_init(&cluster->connecting_list);
    mb_outputs_init(&cluster->outputs, allocator);
    kw_compression_buffer_init(&cluster->decompressed, allocator);
    mb_faults_init(&cluster->faults);
    kb_list_init(&cluster->ready);
    kb_list_init(&cluster->changed);
    kb_list_init(&cluster->spare_requests);
    kb_list_init(&cluster->touched);
    mb_quotas_init(cluster, options);
    create_brokers(cluster, options);
    mb_controller_init(cluster);
    mb_controller_bootstrap(cluster);
    for (uint32_t i = 0; i < options->topic_count; i++) {
        create_topic(cluster, &options->topics[i]);
    }
    mb_cluster_settle(cluster);
    *out = cluster;
    return true;
}

void mb_cluster_destroy(struct mb_cluster *cluster)
{
    if (cluster == NULL) {
        return;
    }
    for (uint32_t i = 0; i < cluster->broker_count; i++) {
        mb_broker_stop(&cluster->brokers[i], false);
    }
    for (uint32_t i = 0; i < cluster->broker_count; i++) {
        mb_broker_release(&cluster->brokers[i]);
    }
    mb_controls_release(cluster); /* before the channels that they stand in */
    mb_controller_release(cluster);
    mb_faults_release(cluster);
    mb_quotas_release(cluster);
    mb_outputs_release(&cluster->outputs);
    kw_compression_buffer_release(&cluster->decompressed);
    struct kb_list_node *node;
    while ((node = kb_list_pop_front(&cluster->spare_requests)) != NULL) {
        struct mb_request *request = KB_CONTAINER_OF(node, struct mb_request, spare);
        kb_arena_release(&request->arena);
        mb_give(cluster->allocator, request, sizeof *request);
    }
    mb_give(cluster->allocator, cluster->brokers, cluster->broker_count * sizeof *cluster->brokers);
    mb_topics_release(cluster);
    while ((node = kb_list_pop_front(&cluster->connecting_list)) != NULL) {
        struct mb_connecting *connecting = KB_CONTAINER_OF(node, struct mb_connecting, all);
        mb_give(cluster->allocator, connecting, sizeof *connecting);
    }
    mb_map_release(&cluster->connections);
    mb_map_release(&cluster->connecting);
    mb_map_release(&cluster->controls);
    kb_heap_release(&cluster->timers);
    mb_give(cluster->allocator, cluster, sizeof *cluster);
}

/* --- Time --- */

void mb_advance(struct mb_cluster *cluster, int64_t now_us)
{
    mb_cluster_begin(cluster, now_us);
    const struct kb_heap_entry *first;
    while ((first = kb_heap_first(&cluster->timers)) != NULL && first->key <= now_us) {
        struct mb_timer *timer = KB_CONTAINER_OF(kb_heap_pop(&cluster->timers), struct mb_timer, node);
        if (timer->broker != NULL && timer->broker->is_frozen) {
            kb_list_push_back(&timer->broker->held_timers, &timer->held);
            continue;
        }
        timer->fire(cluster, timer);
        mb_cluster_settle(cluster);
    }
}

int64_t mb_next_deadline_us(const struct mb_cluster *cluster)
{
    const struct kb_heap_entry *first = kb_heap_first(&cluster->timers);
    return first == NULL ? INT64_MAX : first->key;
}
