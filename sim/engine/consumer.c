#include "engine/consumer.h"

#include <stdlib.h>

#include "base/allocator.h"
#include "base/assert.h"
#include "engine/consumer_internal.h"

/* What one pass of the loop costs its thread. More than zero, or the clock might never move. */
enum { PASS_COST_US = 5, CLOSE_TIMEOUT_MS = 30000 };

void *consumer_allocate(size_t count, size_t size_bytes)
{
    void *memory = calloc(count > 0 ? count : 1, size_bytes);
    KB_ASSERT(memory != NULL);
    return memory;
}

void consumer_wake_at(struct sim_consumer_driver *consumer, int64_t wall_ms)
{
    if (wall_ms < consumer->wake_ms) {
        consumer->wake_ms = wall_ms;
    }
}

void consumer_set_state(struct sim_consumer_driver *consumer, enum kb_member_state state, enum kw_error error)
{
    if (consumer->group.state == state && error == KW_ERROR_NONE) {
        return;
    }
    consumer->group.state = state;
    KB_TRACE(consumer_trace(consumer), 0, CONSUMER_STATE, consumer_state, .consumer = consumer->name,
             .state = (int32_t)state, .generation = consumer->group.generation, .error = (int32_t)error);
}

void consumer_fail(struct sim_consumer_driver *consumer, enum kw_error error)
{
    if (consumer->is_closing) {
        return;
    }
    consumer->error = error;
    consumer->is_closing = true; /* the application closes what threw */
    consumer->close_deadline_ms = consumer->now_ms + CLOSE_TIMEOUT_MS;
    consumer_set_state(consumer, KB_MEMBER_STATE_FAILED, error);
}

/* --- close() --- */

static void begin_close(struct sim_consumer_driver *consumer)
{
    int64_t timeout_ms = consumer->config->request_timeout_ms;
    if (consumer->is_closing) {
        return;
    }
    consumer->is_closing = true;
    consumer->close_deadline_ms =
        consumer->now_ms + (timeout_ms < CLOSE_TIMEOUT_MS ? timeout_ms : CLOSE_TIMEOUT_MS);
    consumer->group.is_commit_due = consumer->config->enable_auto_commit != 0;
    /* What it knows of the group it needs for leaving it. */
    KB_TRACE(consumer_trace(consumer), 0, CONSUMER_STATE, consumer_state, .consumer = consumer->name,
             .state = KB_MEMBER_STATE_CLOSING, .generation = consumer->group.generation, .error = 0);
}

static void end_close(struct sim_consumer_driver *consumer)
{
    consumer_forget_fetched(consumer);
    consumer_disconnect_all(consumer);
    consumer->is_closed = true;
    consumer->group.beats = false;
    consumer_set_state(consumer, KB_MEMBER_STATE_CLOSED, consumer->error);
    sim_world_end_if_quiet(consumer->world);
}

/* Commit, leave the group, wait for the answers; not for ever. Kafka: ConsumerCoordinator.close. */
static void go_on_closing(struct sim_consumer_driver *consumer)
{
    struct consumer_group *group = &consumer->group;
    bool has_time = consumer->now_ms < consumer->close_deadline_ms && consumer->config->group_id != NULL;
    consumer_wake_at(consumer, consumer->close_deadline_ms);
    if (has_time && group->is_commit_due && consumer->config->enable_auto_commit != 0) {
        (void)consumer_commit(consumer);
        if (group->is_commit_due) {
            return;
        }
    }
    if (has_time && !group->has_left && consumer->scenario->topic_count > 0) {
        consumer_leave(consumer);
    }
    if (has_time && group->coordinator >= 0 &&
        consumer_has_requests(consumer, consumer_coordinator_key(group->coordinator))) {
        return;
    }
    end_close(consumer);
}

/* --- poll() --- */

static void poll(struct sim_consumer_driver *consumer)
{
    struct sim_world *world = consumer->world;
    if (consumer_group_poll(consumer) && !consumer->is_closing) {
        consumer_update_positions(consumer);
    }
    uint32_t count = consumer_take_records(consumer);
    if (consumer->is_closing) {
        return;
    }
    if (count == 0 && !consumer_has_all_positions(consumer)) {
        consumer_update_positions(consumer); /* one was out of range: poll() goes round again */
    }
    consumer_send_fetches(consumer);
    if (count > 0) {
        consumer->busy_until_us = world->scheduler.now_us + consumer->scenario->poll_cost_us +
                                  (int64_t)count * consumer->scenario->record_cost_us;
    }
}

static void plan_next(struct sim_consumer_driver *consumer)
{
    struct sim_world *world = consumer->world;
    int64_t now_us = world->scheduler.now_us;
    int64_t due_us = sim_world_us_of_ms(world, consumer->wake_ms);
    int64_t next_ms_us = (now_us / 1000 + 1) * 1000;
    due_us =
        due_us < next_ms_us ? next_ms_us : due_us; /* what was due and led to nothing waits for the clock */
    if (consumer->busy_until_us > now_us && consumer->busy_until_us < due_us) {
        due_us = consumer->busy_until_us;
    }
    if (consumer->busy_until_us <= now_us && !kb_list_is_empty(&consumer->fetched)) {
        due_us = now_us + PASS_COST_US;
    }
    if (consumer->scenario->stop_us > now_us && consumer->scenario->stop_us < due_us) {
        due_us = consumer->scenario->stop_us;
    }
    if (due_us != INT64_MAX) {
        sim_scheduler_at_latest(&world->scheduler, &consumer->pass, due_us);
    }
}

static void run_pass(void *context)
{
    struct sim_consumer_driver *consumer = context;
    struct sim_world *world = consumer->world;
    if (consumer->is_closed) {
        return;
    }
    if (!consumer->is_started) {
        consumer->is_started = true;
        consumer_set_state(consumer, KB_MEMBER_STATE_UNJOINED, KW_ERROR_NONE);
    }
    consumer->now_ms = sim_world_now_ms(world);
    consumer->wake_ms = INT64_MAX;
    bool is_busy = world->scheduler.now_us < consumer->busy_until_us;
    /* While the application works nobody polls the network, but for a member's heartbeat thread. */
    if (!is_busy || consumer->group.beats) {
        consumer_poll_network(consumer);
        consumer_heartbeat(consumer);
    }
    if (!is_busy && !consumer->is_closing && consumer->scenario->stop_us >= 0 &&
        world->scheduler.now_us >= consumer->scenario->stop_us) {
        begin_close(consumer);
    }
    if (!is_busy && consumer->is_finishing && consumer->scenario->close_at_end) {
        begin_close(consumer);
    }
    if (!is_busy && !consumer->is_closing) {
        poll(consumer);
    }
    if (!is_busy) {
        consumer_metadata_poll(consumer);
    }
    if (!is_busy && consumer->is_closing) {
        go_on_closing(consumer);
    }
    if (!consumer->is_closed) {
        plan_next(consumer);
        sim_world_end_if_quiet(world);
    }
}

/* --- Its life --- */

static uint64_t emit(void *context, struct kb_event *event, uint64_t cause)
{
    struct sim_consumer_driver *consumer = context;
    return sim_world_emit(consumer->world, event, cause);
}

static uint32_t intern(void *context, const char *name, size_t length_bytes)
{
    struct sim_consumer_driver *consumer = context;
    return sim_world_intern(consumer->world, name, length_bytes);
}

static int32_t partitions_of(const struct sim_scenario *scenario, const char *topic)
{
    for (uint32_t i = 0; i < scenario->topic_count; i++) {
        if (strcmp(scenario->topics[i].name, topic) == 0) {
            return scenario->topics[i].partition_count;
        }
    }
    return 0;
}

static uint32_t add_topic(struct sim_consumer_driver *consumer, const char *name)
{
    for (uint32_t i = 0; i < consumer->topic_count; i++) {
        if (strcmp(consumer->topics[i].name, name) == 0) {
            return i;
        }
    }
    consumer->topics[consumer->topic_count] = (struct consumer_topic){
        .name = name, .trace_name = kb_trace_intern(consumer_trace(consumer), name, strlen(name))};
    return consumer->topic_count++;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct consumer_topic *)a)->name, ((const struct consumer_topic *)b)->name);
}

static void subscribe(struct sim_consumer_driver *consumer)
{
    const struct sim_consumer *scenario = consumer->scenario;
    consumer->topics =
        consumer_allocate(scenario->topic_count + scenario->assignment_count, sizeof *consumer->topics);
    consumer->topic_count = 0;
    for (uint32_t i = 0; i < scenario->topic_count; i++) {
        (void)add_topic(consumer, scenario->topics[i]);
    }
    for (uint32_t i = 0; i < scenario->assignment_count; i++) {
        (void)add_topic(consumer, scenario->assignments[i].topic);
    }
    qsort(consumer->topics, consumer->topic_count, sizeof *consumer->topics, by_name);
}

static void assign(struct sim_consumer_driver *consumer)
{
    const struct sim_consumer *scenario = consumer->scenario;
    uint32_t count = 0;
    for (uint32_t i = 0; i < scenario->assignment_count; i++) {
        const struct sim_assignment *assignment = &scenario->assignments[i];
        int32_t all = partitions_of(consumer->world->scenario, assignment->topic);
        count += assignment->partition >= 0 ? 1 : (uint32_t)all;
    }
    struct consumer_partition *list = consumer_allocate(count, sizeof *list);
    uint32_t used = 0;
    for (uint32_t i = 0; i < scenario->assignment_count; i++) {
        const struct sim_assignment *assignment = &scenario->assignments[i];
        uint32_t topic = add_topic(consumer, assignment->topic);
        int32_t from = assignment->partition >= 0 ? assignment->partition : 0;
        int32_t end = assignment->partition >= 0
                          ? from + 1
                          : partitions_of(consumer->world->scenario, assignment->topic);
        for (int32_t k = from; k < end; k++) {
            list[used++] = (struct consumer_partition){.topic = topic, .partition = k};
        }
    }
    consumer_assign(consumer, list, used, false);
    free(list);
}

struct sim_consumer_driver *sim_consumer_create(struct sim_world *world, uint32_t index)
{
    struct sim_consumer_driver *consumer = calloc(1, sizeof *consumer);
    if (consumer == NULL) {
        return NULL;
    }
    consumer->world = world;
    consumer->scenario = &world->scenario->consumers[index];
    consumer->config = &consumer->scenario->config;
    consumer->index = index;
    consumer->trace = (struct kb_trace){.context = consumer,
                                        .emit = emit,
                                        .intern = intern,
                                        .source = (uint16_t)(KB_SOURCE_CONSUMER + index)};
    consumer->name =
        kb_trace_intern(consumer_trace(consumer), consumer->scenario->name, strlen(consumer->scenario->name));
    kb_arena_init(&consumer->arena, kb_allocator_default(), 1 << 16, 0);
    kw_compression_buffer_init(&consumer->decompressed, kb_allocator_default());
    kb_list_init(&consumer->fetched);
    kb_prng_init(&consumer->prng, world->scenario->seed, SIM_STREAM_CONSUMER + index);
    consumer->is_metadata_wanted = true;
    consumer->metadata_try_ms = INT64_MIN / 2;
    consumer->group.coordinator = -1;
    consumer->group.generation = -1;
    consumer->group.needs_rejoin = consumer->scenario->topic_count > 0;
    consumer->group.state = KB_MEMBER_STATE_CLOSED; /* until it begins */
    consumer->group.commit_ms = sim_world_now_ms(world) + consumer->scenario->start_us / 1000 +
                                consumer->config->auto_commit_interval_ms;
    subscribe(consumer);
    assign(consumer);
    sim_task_init(&consumer->pass, run_pass, consumer);
    sim_scheduler_at(&world->scheduler, &consumer->pass, consumer->scenario->start_us);
    return consumer;
}

void sim_consumer_destroy(struct sim_consumer_driver *consumer)
{
    if (consumer == NULL) {
        return;
    }
    consumer_forget_fetched(consumer);
    consumer_disconnect_all(consumer);
    for (uint32_t i = 0; i < consumer->topic_count; i++) {
        free(consumer->topics[i].leaders);
    }
    free(consumer->topics);
    free(consumer->brokers);
    free(consumer->partitions);
    free(consumer->order);
    kw_compression_buffer_release(&consumer->decompressed);
    kb_arena_release(&consumer->arena);
    free(consumer);
}

/* --- What others ask --- */

/* How far this partition may be read when its followers have caught up; -1: nobody leads it. */
static bool has_read_all(const struct sim_consumer_driver *consumer,
                         const struct consumer_partition *partition)
{
    const struct mb_cluster *cluster = consumer->world->cluster;
    const char *topic = consumer->topics[partition->topic].name;
    struct mb_partition_view view;
    struct mb_replica_view leader;
    if (!mb_partition_view(cluster, topic, partition->partition, &view) || view.leader < 0 ||
        !mb_replica_view(cluster, view.leader, topic, partition->partition, &leader)) {
        return true; /* nobody can read there */
    }
    int64_t limit = consumer->config->isolation_level == SIM_READ_COMMITTED ? leader.last_stable_offset
                                                                            : leader.high_watermark;
    return leader.high_watermark == leader.log_end_offset && partition->position >= limit;
}

bool sim_consumer_is_done(const struct sim_consumer_driver *consumer)
{
    if (consumer->is_closed) {
        return true;
    }
    bool is_assigned = consumer->partition_count > 0;
    bool is_busy = consumer->world->scheduler.now_us < consumer->busy_until_us;
    for (uint32_t i = 0; i < consumer->partition_count && is_assigned; i++) {
        is_assigned = has_read_all(consumer, &consumer->partitions[i]);
    }
    return is_assigned && !is_busy;
}

void sim_consumer_finish(struct sim_consumer_driver *consumer)
{
    struct sim_scheduler *scheduler = &consumer->world->scheduler;
    if (!consumer->is_finishing && !consumer->is_closed && consumer->scenario->close_at_end) {
        consumer->is_finishing = true;
        sim_scheduler_at_latest(scheduler, &consumer->pass, scheduler->now_us + 1);
    }
}

bool sim_consumer_is_over(const struct sim_consumer_driver *consumer)
{
    return consumer->is_closed || !consumer->scenario->close_at_end;
}

bool sim_consumer_position(const struct sim_consumer_driver *consumer, uint32_t index,
                           struct sim_consumer_position *out)
{
    if (index >= consumer->partition_count) {
        return false;
    }
    const struct consumer_partition *partition = &consumer->partitions[index];
    const struct mb_cluster *cluster = consumer->world->cluster;
    const char *topic = consumer->topics[partition->topic].name;
    struct mb_partition_view view;
    struct mb_replica_view leader;
    *out = (struct sim_consumer_position){topic, partition->partition, partition->position, -1};
    if (mb_partition_view(cluster, topic, partition->partition, &view) && view.leader >= 0 &&
        mb_replica_view(cluster, view.leader, topic, partition->partition, &leader)) {
        int64_t limit = consumer->config->isolation_level == SIM_READ_COMMITTED ? leader.last_stable_offset
                                                                                : leader.high_watermark;
        int64_t from = partition->position >= 0 ? partition->position : leader.log_start_offset;
        out->lag = limit > from ? limit - from : 0;
    }
    return true;
}

int32_t sim_consumer_error(const struct sim_consumer_driver *consumer)
{
    return (int32_t)consumer->error;
}
