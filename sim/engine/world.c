/*
 * The world: what is due next, who hears of it, and when it is over. What its producers and application
 * threads do is in producer_driver.c and app_thread.c, what goes wrong in faults.c.
 */
#include "engine/world_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "engine/invariants.h"
#include "engine/random.h"

/* After the last producer has ended, followers may still be catching up: the picture of the end should show
 * it. */
enum { SETTLE_US = 50000 };

int64_t sim_world_now_ms(const struct sim_world *world)
{
    return world->scenario->epoch_ms + world->scheduler.now_us / 1000;
}

int64_t sim_world_us_of_ms(const struct sim_world *world, int64_t wall_ms)
{
    int64_t run_ms = wall_ms - world->scenario->epoch_ms;
    return wall_ms == INT64_MAX || run_ms > INT64_MAX / 1000 ? INT64_MAX : run_ms * 1000;
}

void sim_world_fail(struct sim_world *world, const char *format, ...)
{
    if (world->failure[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(world->failure, sizeof world->failure, format, arguments);
        va_end(arguments);
    }
    world->is_over = true;
}

void sim_broker_host(uint32_t index, char host[SIM_HOST_BYTES])
{
    snprintf(host, SIM_HOST_BYTES, "10.0.%u.%u", (index + 1) / 256 % 256, (index + 1) % 256);
}

/* --- Tracing
 * -------------------------------------------------------------------------------------------------------- */

static void remember_announcement(struct sim_world *world, const struct kb_event *event, uint64_t sequence)
{
    struct sim_announcement *slot = &world->announcements[world->announcement_count % SIM_ANNOUNCEMENTS];
    if (event->kind == KB_EVENT_REQUEST_BUILT) {
        *slot = (struct sim_announcement){event->source, event->as.request_built.request, false, sequence};
    } else if (event->kind == KB_EVENT_RESPONSE_SENT) {
        *slot = (struct sim_announcement){event->as.response_sent.connection, event->as.response_sent.request,
                                          true, sequence};
    } else {
        return;
    }
    world->announcement_count++;
}

uint64_t sim_world_find_cause(const struct sim_world *world, uint32_t owner, uint32_t request,
                              bool is_response)
{
    uint32_t oldest =
        world->announcement_count > SIM_ANNOUNCEMENTS ? world->announcement_count - SIM_ANNOUNCEMENTS : 0;
    for (uint32_t i = world->announcement_count; i > oldest; i--) {
        const struct sim_announcement *slot = &world->announcements[(i - 1) % SIM_ANNOUNCEMENTS];
        if (slot->owner == owner && slot->request == request && slot->is_response == is_response) {
            return slot->event;
        }
    }
    return 0;
}

uint64_t sim_world_emit(struct sim_world *world, struct kb_event *event, uint64_t cause)
{
    if (world->log == NULL) {
        return 0; /* it was taken: what the end of the producers announces is not of the run */
    }
    if (event->kind == KB_EVENT_THREAD_BLOCKED && event->as.thread_blocked.deadline_ms != INT64_MAX) {
        event->as.thread_blocked.deadline_ms -= world->scenario->epoch_ms; /* the log's clock begins at 0 */
    }
    uint64_t sequence =
        sim_event_log_append(world->log, event, world->scheduler.now_us, cause != 0 ? cause : world->cause);
    if (sequence == 0) {
        sim_world_fail(world, "the event log cannot grow: neither memory nor disk is left");
        return 0;
    }
    remember_announcement(world, event, sequence);
    return sequence;
}

uint32_t sim_world_intern(struct sim_world *world, const char *name, size_t length_bytes)
{
    return world->log != NULL ? sim_event_log_intern(world->log, name, length_bytes) : 0;
}

static uint64_t emit_of_cluster(void *context, struct kb_event *event, uint64_t cause)
{
    return sim_world_emit(context, event, cause);
}

static uint32_t intern_of_cluster(void *context, const char *name, size_t length_bytes)
{
    return sim_world_intern(context, name, length_bytes);
}

static struct kb_trace *cluster_trace(struct sim_world *world)
{
    return world->is_logging ? &world->cluster_trace : NULL;
}

/* --- The cluster
 * ----------------------------------------------------------------------------------------------------- */

static void send_bytes_of_cluster(struct sim_world *world, const struct mb_output *output)
{
    struct sim_connection *connection = sim_network_find(&world->network, output->connection);
    if (connection == NULL) {
        return;
    }
    struct sim_segment *segments = calloc(output->segment_count, sizeof *segments);
    KB_ASSERT(segments != NULL);
    for (uint32_t i = 0; i < output->segment_count; i++) {
        segments[i] = (struct sim_segment){output->segments[i].bytes, output->segments[i].length_bytes};
    }
    struct sim_packet_label label = {output->request, output->api, output->is_response};
    uint64_t cause =
        output->is_response ? sim_world_find_cause(world, output->connection, output->request, true) : 0;
    sim_network_send(&world->network, connection, output->from, segments, output->segment_count, &label,
                     cause);
    free(segments);
}

static void carry_out(struct sim_world *world, const struct mb_output *output)
{
    switch (output->kind) {
    case MB_OUTPUT_BYTES:
        send_bytes_of_cluster(world, output);
        break;
    case MB_OUTPUT_CLOSE: {
        struct sim_connection *connection = sim_network_find(&world->network, output->connection);
        if (connection != NULL) {
            sim_network_close(&world->network, connection, output->from);
        }
        break;
    }
    case MB_OUTPUT_CONNECT: {
        struct sim_connection *connection =
            sim_network_connect(&world->network, output->from, output->to, output->message, NULL);
        mb_connect_numbered(world->cluster, output->message, connection->id);
        break;
    }
    case MB_OUTPUT_CONTROL:
        sim_network_control(&world->network, output->from, output->to, output->message);
        break;
    case MB_OUTPUT_FAULT:
        sim_world_fault_happened(world, output);
        break;
    }
}

void sim_world_pump_cluster(struct sim_world *world)
{
    struct mb_output output;
    while (mb_next_output(world->cluster, &output)) {
        carry_out(world, &output);
    }
    int64_t due_us = mb_next_deadline_us(world->cluster);
    if (due_us == INT64_MAX) {
        sim_scheduler_cancel(&world->scheduler, &world->cluster_task);
    } else {
        sim_scheduler_at(&world->scheduler, &world->cluster_task, due_us);
    }
}

static void advance_cluster(void *context)
{
    struct sim_world *world = context;
    mb_advance(world->cluster, world->scheduler.now_us);
    sim_world_pump_cluster(world);
}

static bool on_arrived(void *context, struct sim_connection *connection)
{
    struct sim_world *world = context;
    int32_t from = sim_end_is_client(connection->from) ? (int32_t)MB_FROM_CLIENT : connection->from;
    bool taken =
        mb_connection_opened(world->cluster, connection->id, from, connection->to, world->scheduler.now_us);
    sim_world_pump_cluster(world);
    return taken;
}

static void on_established(void *context, struct sim_connection *connection)
{
    struct sim_world *world = context;
    if (sim_end_is_consumer(connection->from)) {
        sim_consumer_established(connection->owner, connection);
    } else if (connection->owner != NULL) {
        sim_driver_established(connection->owner, connection);
    } else {
        mb_connection_ready(world->cluster, connection->id, world->scheduler.now_us);
        sim_world_pump_cluster(world);
    }
}

static void on_closed(void *context, struct sim_connection *connection, int32_t at)
{
    struct sim_world *world = context;
    if (sim_end_is_consumer(at)) {
        sim_consumer_ended(connection->owner, connection);
    } else if (sim_end_is_producer(at)) {
        sim_driver_ended(connection->owner, connection);
    } else {
        mb_connection_closed(world->cluster, connection->id, at, world->scheduler.now_us);
        sim_world_pump_cluster(world);
    }
}

static void on_refused(void *context, struct sim_connection *connection)
{
    on_closed(context, connection, connection->from);
}

static void on_received(void *context, struct sim_connection *connection, int32_t at, const void *bytes,
                        size_t length_bytes)
{
    struct sim_world *world = context;
    if (sim_end_is_consumer(at)) {
        sim_consumer_received(connection->owner, connection, bytes, length_bytes);
    } else if (sim_end_is_producer(at)) {
        sim_driver_received(connection->owner, connection, bytes, length_bytes);
    } else {
        mb_receive(world->cluster, connection->id, at, bytes, length_bytes, world->scheduler.now_us);
        sim_world_pump_cluster(world);
    }
}

static void on_control(void *context, uint64_t message, bool lost)
{
    struct sim_world *world = context;
    if (lost) {
        mb_control_lost(world->cluster, message, world->scheduler.now_us);
    } else {
        mb_control_arrived(world->cluster, message, world->scheduler.now_us);
    }
    sim_world_pump_cluster(world);
}

static void on_caused_by(void *context, uint64_t cause)
{
    struct sim_world *world = context;
    world->cause = cause;
}

static void on_log_start_moves(void *context, int32_t broker, const char *topic, int32_t partition,
                               int64_t start_offset)
{
    struct sim_world *world = context;
    sim_ledger_log_start_moves(world->ledger, broker, topic, partition, start_offset);
}

static bool create_cluster(struct sim_world *world, struct sim_complaints *complaints)
{
    const struct sim_scenario *scenario = world->scenario;
    char(*hosts)[SIM_HOST_BYTES] = calloc(scenario->broker_count, sizeof *hosts);
    const char **host_list = calloc(scenario->broker_count, sizeof *host_list);
    KB_ASSERT(hosts != NULL && host_list != NULL);
    for (uint32_t i = 0; i < scenario->broker_count; i++) {
        sim_broker_host(i, hosts[i]);
        host_list[i] = hosts[i];
    }
    struct mb_observer observer = {.context = world, .log_start_moves = on_log_start_moves};
    struct mb_options options = {
        .broker_ids = scenario->broker_ids,
        .broker_count = scenario->broker_count,
        .hosts = host_list,
        .settings = scenario->broker_settings,
        .setting_count = scenario->broker_setting_count,
        .topics = scenario->topics,
        .topic_count = scenario->topic_count,
        .quotas = scenario->quotas,
        .quota_count = scenario->quota_count,
        .epoch_ms = scenario->epoch_ms,
        .disk_append_us = scenario->disk_append_us,
        .seed = scenario->seed,
        .allocator = world->allocator,
        .trace = cluster_trace(world),
        .observer = &observer,
    };
    struct mb_error error;
    bool created = mb_cluster_create(&options, 0, &world->cluster, &error);
    if (!created) {
        sim_complain(complaints, "cluster: %s", error.text);
    }
    sim_ledger_watch(world->ledger, world->cluster);
    free(hosts);
    free(host_list);
    return created;
}

/* --- The timeline and the end
 * ---------------------------------------------------------------------------------------- */

static void run_timeline(void *context)
{
    struct sim_world *world = context;
    while (world->timeline_next < world->timeline_count &&
           world->timeline[world->timeline_next].at_us <= world->scheduler.now_us) {
        struct sim_timeline_entry entry = world->timeline[world->timeline_next++]; /* the list may grow */
        sim_world_apply(world, &entry);
    }
    if (world->timeline_next < world->timeline_count) {
        sim_scheduler_at(&world->scheduler, &world->timeline_task,
                         world->timeline[world->timeline_next].at_us);
    }
    sim_world_end_if_quiet(world);
}

/* Interventions come behind what the scenario does at the same time. */
static void merge_timeline(struct sim_world *world, const struct sim_world_options *options)
{
    const struct sim_scenario *scenario = world->scenario;
    world->timeline_count = scenario->timeline_count + options->intervention_count;
    world->timeline = calloc(world->timeline_count + 1, sizeof *world->timeline);
    KB_ASSERT(world->timeline != NULL);
    uint32_t count = 0;
    for (uint32_t i = 0; i < world->timeline_count; i++) {
        struct sim_timeline_entry entry = i < scenario->timeline_count
                                              ? scenario->timeline[i]
                                              : options->interventions[i - scenario->timeline_count];
        entry.by_hand = i >= scenario->timeline_count;
        uint32_t place = count++;
        for (; place > 0 && world->timeline[place - 1].at_us > entry.at_us; place--) {
            world->timeline[place] = world->timeline[place - 1];
        }
        world->timeline[place] = entry;
    }
}

void sim_world_add_to_timeline(struct sim_world *world, const struct sim_timeline_entry *entry)
{
    struct sim_timeline_entry *grown =
        realloc(world->timeline, (world->timeline_count + 1) * sizeof *world->timeline);
    KB_ASSERT(grown != NULL && entry->at_us >= world->scheduler.now_us);
    world->timeline = grown;
    uint32_t place = world->timeline_count++;
    for (; place > world->timeline_next && grown[place - 1].at_us > entry->at_us; place--) {
        grown[place] = grown[place - 1];
    }
    grown[place] = *entry;
    sim_scheduler_at(&world->scheduler, &world->timeline_task, grown[world->timeline_next].at_us);
}

/* Consumers wait until the last markers and high watermarks may be there, read what is left, and close. */
static bool are_consumers_over(struct sim_world *world)
{
    int64_t now_us = world->scheduler.now_us;
    if (world->consumer_count == 0) {
        return true;
    }
    if (world->quiet_since_us < 0) {
        world->quiet_since_us = now_us;
        sim_scheduler_at(&world->scheduler, &world->quiet_task, now_us + SETTLE_US);
    }
    bool is_read = now_us >= world->quiet_since_us + SETTLE_US;
    for (uint32_t i = 0; i < world->consumer_count && is_read; i++) {
        is_read = sim_consumer_is_done(world->consumers[i]);
    }
    bool are_over = is_read;
    for (uint32_t i = 0; i < world->consumer_count && is_read; i++) {
        sim_consumer_finish(world->consumers[i]);
        are_over = are_over && sim_consumer_is_over(world->consumers[i]);
    }
    return are_over;
}

void sim_world_end_if_quiet(struct sim_world *world)
{
    bool quiet = world->timeline_next == world->timeline_count;
    for (uint32_t i = 0; i < world->producer_count && quiet; i++) {
        quiet = sim_driver_is_done(&world->producers[i]);
    }
    if (quiet && are_consumers_over(world)) {
        sim_scheduler_at_latest(&world->scheduler, &world->end_task, world->scheduler.now_us + SETTLE_US);
    }
}

static void look_again(void *context)
{
    sim_world_end_if_quiet(context);
}

static void end_run(void *context)
{
    struct sim_world *world = context;
    world->is_over = true;
    KB_TRACE(cluster_trace(world), 0, RUN_ENDED, run_ended, .error = 0);
}

/* --- Creation
 * ----------------------------------------------------------------------------------------------------------
 */

static bool create_producers(struct sim_world *world, struct sim_complaints *complaints)
{
    const struct sim_scenario *scenario = world->scenario;
    world->producers = calloc(scenario->producer_count + 1, sizeof *world->producers);
    KB_ASSERT(world->producers != NULL);
    for (; world->producer_count < scenario->producer_count; world->producer_count++) {
        uint32_t index = world->producer_count;
        if (!sim_driver_init(&world->producers[index], world, index, complaints)) {
            world->producer_count++; /* what there is of it is released with the others */
            return false;
        }
    }
    return true;
}

static bool create_consumers(struct sim_world *world, struct sim_complaints *complaints)
{
    const struct sim_scenario *scenario = world->scenario;
    if (scenario->consumer_count == 0) {
        return true;
    }
    world->consumers = calloc(scenario->consumer_count, sizeof(struct sim_consumer_driver *));
    KB_ASSERT(world->consumers != NULL);
    world->readings = sim_readings_create(scenario);
    for (uint32_t i = 0; i < scenario->consumer_count && world->readings != NULL; i++) {
        world->consumers[i] = sim_consumer_create(world, i);
        if (world->consumers[i] == NULL) {
            break;
        }
        world->consumer_count++;
    }
    if (world->consumer_count < scenario->consumer_count) {
        sim_complain(complaints, "no memory for the consumers");
    }
    return world->consumer_count == scenario->consumer_count;
}

bool sim_world_create(const struct sim_scenario *scenario, const struct sim_world_options *options,
                      struct sim_world **out, struct sim_complaints *complaints)
{
    struct sim_world *world = calloc(1, sizeof *world);
    *out = NULL;
    if (world == NULL) {
        sim_complain(complaints, "no memory for a run");
        sim_event_log_destroy(options->log);
        return false;
    }
    world->scenario = scenario;
    world->is_logging = options->log_events;
    world->allocator = options->allocator;
    world->cluster_trace = (struct kb_trace){
        .context = world, .emit = emit_of_cluster, .intern = intern_of_cluster, .source = KB_SOURCE_CLUSTER};
    sim_scheduler_init(&world->scheduler);
    struct sim_network_listener listener = {
        .context = world,
        .arrived = on_arrived,
        .established = on_established,
        .refused = on_refused,
        .received = on_received,
        .closed = on_closed,
        .control = on_control,
        .caused_by = on_caused_by,
    };
    sim_network_init(&world->network, scenario, scenario->seed, &world->scheduler, cluster_trace(world),
                     &listener);
    sim_task_init(&world->cluster_task, advance_cluster, world);
    sim_task_init(&world->timeline_task, run_timeline, world);
    sim_task_init(&world->end_task, end_run, world);
    sim_task_init(&world->quiet_task, look_again, world);
    world->quiet_since_us = -1;
    world->log = options->log != NULL ? options->log : sim_event_log_create();
    world->ledger = sim_ledger_create();
    if (world->log == NULL || world->ledger == NULL) {
        sim_complain(complaints, "no memory for a run");
        sim_world_destroy(world);
        return false;
    }
    if (options->kept_records > 0) {
        sim_ledger_keep(world->ledger, options->kept_records);
    }
    merge_timeline(world, options);
    sim_scheduler_at(&world->scheduler, &world->end_task, scenario->duration_us);
    if (!create_cluster(world, complaints)) {
        sim_world_destroy(world);
        return false;
    }
    sim_world_pump_cluster(world);
    if (!create_producers(world, complaints) || !create_consumers(world, complaints)) {
        sim_world_destroy(world);
        return false;
    }
    sim_world_fill_info(world, sim_event_log_info(world->log));
    if (world->timeline_count > 0) {
        sim_scheduler_at(&world->scheduler, &world->timeline_task, world->timeline[0].at_us);
    }
    if (options->check) {
        world->invariants = sim_invariants_create(world);
        if (world->invariants == NULL) {
            sim_complain(complaints, "no memory for a run");
            sim_world_destroy(world);
            return false;
        }
    }
    *out = world;
    return true;
}

void sim_world_destroy(struct sim_world *world)
{
    if (world == NULL) {
        return;
    }
    sim_scheduler_forget(&world->scheduler); /* the tasks live inside what is freed below */
    for (uint32_t i = 0; i < world->producer_count; i++) {
        sim_driver_release(&world->producers[i]);
    }
    free(world->producers);
    for (uint32_t i = 0; i < world->consumer_count; i++) {
        sim_consumer_destroy(world->consumers[i]);
    }
    free(world->consumers);
    sim_readings_destroy(world->readings);
    mb_cluster_destroy(world->cluster);
    sim_network_release(&world->network);
    sim_scheduler_release(&world->scheduler);
    sim_ledger_destroy(world->ledger);
    sim_invariants_destroy(world->invariants);
    sim_event_log_destroy(world->log);
    free(world->timeline);
    free(world);
}

bool sim_world_step(struct sim_world *world)
{
    if (world->is_over) {
        return false;
    }
    world->cause = 0;
    world->step_count++;
    bool ran = sim_scheduler_run_next(&world->scheduler);
    KB_ASSERT(ran); /* the end itself is a task */
    if (world->invariants != NULL) {
        sim_world_check(world);
    }
    return !world->is_over;
}

bool sim_world_run_until(struct sim_world *world, int64_t until_us)
{
    while (!world->is_over && sim_scheduler_next_us(&world->scheduler) <= until_us) {
        (void)sim_world_step(world);
    }
    return !world->is_over;
}

int64_t sim_world_now_us(const struct sim_world *world)
{
    return world->scheduler.now_us;
}

bool sim_world_is_over(const struct sim_world *world)
{
    return world->is_over;
}

uint64_t sim_world_step_count(const struct sim_world *world)
{
    return world->step_count;
}

const char *sim_world_failure(const struct sim_world *world)
{
    return world->failure[0] != '\0' ? world->failure : NULL;
}

struct sim_event_log *sim_world_log(struct sim_world *world)
{
    return world->log;
}

struct sim_event_log *sim_world_take_log(struct sim_world *world)
{
    struct sim_event_log *log = world->log;
    world->log = NULL;
    world->is_over = true;
    return log;
}

const struct mb_cluster *sim_world_cluster(const struct sim_world *world)
{
    return world->cluster;
}

const struct sim_consumer_driver *sim_world_consumer(const struct sim_world *world, uint32_t index)
{
    return index < world->consumer_count ? world->consumers[index] : NULL;
}

struct sim_readings *sim_world_readings(struct sim_world *world)
{
    return world->readings;
}

const struct sim_scenario *sim_world_scenario(const struct sim_world *world)
{
    return world->scenario;
}

struct sim_ledger *sim_world_ledger(struct sim_world *world)
{
    return world->ledger;
}
