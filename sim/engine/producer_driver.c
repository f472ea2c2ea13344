/*
 * Drives one producer core in virtual time: the passes of its sender thread, its connections, its application
 * threads. The order of what a pass does is the contract in <linger/producer.h>.
 */
#include "engine/world_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "engine/random.h"
#include "wire/cursor.h"

/* One connection of the producer, with what it has to tell at the next pass. */
struct sim_peer {
    int32_t node;
    uint32_t number; /* the core's */
    struct sim_connection *connection;
    bool is_new;     /* established, not reported */
    bool is_ended;   /* refused or closed, not reported */
    bool is_written; /* a request was handed to the network, not reported */
    uint8_t *inbox;
    size_t inbox_bytes;
    size_t inbox_capacity_bytes;
    size_t reported_bytes; /* of the inbox, in the pass that runs */
};

enum { FRAME_HEADER_BYTES = 4, FRAME_MAX_BYTES = 100 << 20 };

static struct kb_trace *trace_of(struct sim_producer_driver *driver)
{
    return driver->world->is_logging ? &driver->trace : NULL;
}

/* --- Connections
 * ---------------------------------------------------------------------------------------------------- */

static struct sim_peer *find_peer(struct sim_producer_driver *driver, const struct sim_connection *connection)
{
    for (uint32_t i = 0; i < driver->peer_count; i++) {
        if (driver->peers[i].connection == connection) {
            return &driver->peers[i];
        }
    }
    return NULL;
}

static struct sim_peer *find_peer_number(struct sim_producer_driver *driver, uint32_t number)
{
    for (uint32_t i = 0; i < driver->peer_count; i++) {
        if (driver->peers[i].number == number) {
            return &driver->peers[i];
        }
    }
    return NULL;
}

/* Sorted by node: it is the order in which a pass reports. */
static void add_peer(struct sim_producer_driver *driver, const struct sim_peer *peer)
{
    if (driver->peer_count == driver->peer_capacity) {
        driver->peer_capacity = driver->peer_capacity != 0 ? 2 * driver->peer_capacity : 8;
        struct sim_peer *grown = realloc(driver->peers, driver->peer_capacity * sizeof *grown);
        KB_ASSERT(grown != NULL);
        driver->peers = grown;
    }
    uint32_t place = driver->peer_count++;
    for (; place > 0 && driver->peers[place - 1].node > peer->node; place--) {
        driver->peers[place] = driver->peers[place - 1];
    }
    driver->peers[place] = *peer;
}

static void drop_peer(struct sim_producer_driver *driver, struct sim_peer *peer)
{
    struct sim_world *world = driver->world;
    sim_network_close(&world->network, peer->connection, sim_end_of_producer(driver->index));
    free(peer->inbox);
    uint32_t place = (uint32_t)(peer - driver->peers);
    driver->peer_count--;
    memmove(peer, peer + 1, (driver->peer_count - place) * sizeof *peer);
}

static int32_t broker_at(const struct sim_world *world, const char *host)
{
    const struct sim_scenario *scenario = world->scenario;
    for (uint32_t i = 0; i < scenario->broker_count; i++) {
        char expected[SIM_HOST_BYTES];
        sim_broker_host(i, expected);
        if (strcmp(host, expected) == 0) {
            return scenario->broker_ids[i];
        }
    }
    return -1;
}

static void act_connect(struct sim_producer_driver *driver, const struct kp_action *action)
{
    struct sim_world *world = driver->world;
    int32_t broker = broker_at(world, action->host);
    KB_ASSERT(broker >= 0);
    struct sim_connection *connection =
        sim_network_connect(&world->network, sim_end_of_producer(driver->index), broker, 0, driver);
    add_peer(driver, &(struct sim_peer){
                         .node = action->node, .number = action->connection, .connection = connection});
}

static void act_send(struct sim_producer_driver *driver, struct sim_peer *peer,
                     const struct kp_action *action)
{
    struct sim_world *world = driver->world;
    enum { SEGMENTS_MAX = 256 };
    struct sim_segment few[SEGMENTS_MAX];
    struct sim_segment *segments = few;
    if (action->segment_count > SEGMENTS_MAX) {
        segments = malloc(action->segment_count * sizeof *segments);
        KB_ASSERT(segments != NULL);
    }
    for (uint32_t i = 0; i < action->segment_count; i++) {
        segments[i] = (struct sim_segment){action->segments[i].bytes, action->segments[i].length_bytes};
    }
    struct sim_packet_label label = {.request = action->request, .api = action->api};
    sim_network_send(&world->network, peer->connection, sim_end_of_producer(driver->index), segments,
                     action->segment_count, &label,
                     sim_world_find_cause(world, (uint32_t)driver->index, action->request, false));
    peer->is_written = true;
    if (segments != few) {
        free(segments);
    }
}

static void perform_actions(struct sim_producer_driver *driver)
{
    struct kp_action action;
    while (kp_producer_next_action(driver->core, &action)) {
        struct sim_peer *peer =
            action.kind != KP_ACTION_CONNECT ? find_peer_number(driver, action.connection) : NULL;
        switch (action.kind) {
        case KP_ACTION_CONNECT:
            act_connect(driver, &action);
            break;
        case KP_ACTION_SEND:
            if (peer != NULL) {
                act_send(driver, peer, &action);
            }
            break;
        case KP_ACTION_CLOSE:
            if (peer != NULL) {
                drop_peer(driver, peer);
            }
            break;
        }
    }
}

/* Bytes of the first whole frame of the inbox, with its header; 0 when there is none yet. */
static size_t frame_bytes(const struct sim_peer *peer)
{
    if (peer->inbox_bytes < FRAME_HEADER_BYTES) {
        return 0;
    }
    int32_t length_bytes = kw_load_i32(peer->inbox);
    if (length_bytes < 0 || length_bytes > FRAME_MAX_BYTES) {
        return 0;
    }
    size_t whole_bytes = FRAME_HEADER_BYTES + (size_t)length_bytes;
    return peer->inbox_bytes >= whole_bytes ? whole_bytes : 0;
}

static bool has_report(const struct sim_peer *peer)
{
    return peer->is_new || peer->is_ended || peer->is_written || frame_bytes(peer) > 0;
}

/* One connection, one poll: it is made, or at most one response or its end is read; then what was written is
 * known. */
static void report_peer(struct sim_producer_driver *driver, struct sim_peer *peer)
{
    size_t whole_bytes = frame_bytes(peer);
    if (peer->is_new) {
        peer->is_new = false;
        kp_producer_on_connected(driver->core, peer->number);
    } else if (whole_bytes > 0) {
        peer->reported_bytes = whole_bytes;
        kp_producer_on_received(driver->core, peer->number, peer->inbox + FRAME_HEADER_BYTES,
                                whole_bytes - FRAME_HEADER_BYTES);
    }
    if (peer->is_written) {
        peer->is_written = false;
        kp_producer_on_sent(driver->core, peer->number);
    }
}

static void report_network(struct sim_producer_driver *driver)
{
    for (uint32_t i = 0; i < driver->peer_count;) {
        struct sim_peer *peer = &driver->peers[i];
        if (peer->is_ended && !peer->is_new && frame_bytes(peer) == 0) {
            kp_producer_on_disconnected(driver->core, peer->number);
            drop_peer(driver, peer);
            continue;
        }
        report_peer(driver, peer);
        i++;
    }
}

static void consume_reported(struct sim_producer_driver *driver)
{
    for (uint32_t i = 0; i < driver->peer_count; i++) {
        struct sim_peer *peer = &driver->peers[i];
        if (peer->reported_bytes > 0) {
            peer->inbox_bytes -= peer->reported_bytes;
            memmove(peer->inbox, peer->inbox + peer->reported_bytes, peer->inbox_bytes);
            peer->reported_bytes = 0;
        }
    }
}

void sim_driver_established(struct sim_producer_driver *driver, struct sim_connection *connection)
{
    struct sim_peer *peer = find_peer(driver, connection);
    if (peer != NULL) {
        peer->is_new = true;
        sim_driver_wake(driver);
    }
}

void sim_driver_ended(struct sim_producer_driver *driver, struct sim_connection *connection)
{
    struct sim_peer *peer = find_peer(driver, connection);
    if (peer != NULL) {
        peer->is_ended = true;
        sim_driver_wake(driver);
    }
}

void sim_driver_received(struct sim_producer_driver *driver, struct sim_connection *connection,
                         const void *bytes, size_t length_bytes)
{
    struct sim_peer *peer = find_peer(driver, connection);
    if (peer == NULL) {
        return;
    }
    size_t needed_bytes = peer->inbox_bytes + length_bytes;
    if (needed_bytes > peer->inbox_capacity_bytes) {
        peer->inbox_capacity_bytes = 2 * needed_bytes;
        uint8_t *grown = realloc(peer->inbox, peer->inbox_capacity_bytes);
        KB_ASSERT(grown != NULL);
        peer->inbox = grown;
    }
    memcpy(peer->inbox + peer->inbox_bytes, bytes, length_bytes);
    peer->inbox_bytes += length_bytes;
    sim_driver_wake(driver);
}

/* --- The sender thread
 * ------------------------------------------------------------------------------------------------ */

static void take_completions(struct sim_producer_driver *driver)
{
    struct kp_completion done;
    while (kp_producer_next_completion(driver->core, &done)) {
        if (done.failed && strcmp(done.failure.thrown.exception, "TransactionAbortedException") == 0) {
            sim_ledger_aborted(driver->world->ledger, done.record_id);
        } else if (done.failed) {
            sim_ledger_failed(driver->world->ledger, done.record_id);
        } else {
            sim_ledger_acked(driver->world->ledger, done.record_id, done.metadata.offset);
            sim_readings_acked(driver->world->readings, done.metadata.topic, done.metadata.partition,
                               done.metadata.offset, driver->world->scheduler.now_us);
        }
        /* Nearly always nobody waits, and there may be many threads and very many records. */
        for (uint32_t i = 0; driver->threads_awaiting > 0 && i < driver->thread_count; i++) {
            sim_app_thread_record_done(&driver->threads[i], done.record_id);
        }
    }
}

static void resume_runnable(struct sim_producer_driver *driver)
{
    uint64_t ticket;
    int64_t now_ms = sim_world_now_ms(driver->world);
    while (kp_producer_next_runnable(driver->core, now_ms, &ticket)) {
        struct sim_app_thread *found = NULL;
        for (uint32_t i = 0; i < driver->thread_count && found == NULL; i++) {
            struct sim_app_thread *thread = &driver->threads[i];
            found = thread->state == SIM_THREAD_BLOCKED && thread->ticket == ticket ? thread : NULL;
        }
        if (found != NULL) {
            sim_app_thread_resume(found);
        } else {
            KB_ASSERT(ticket == driver->close_ticket);
            struct kp_outcome outcome;
            kp_producer_resume(driver->core, ticket, now_ms, &outcome);
        }
    }
}

static void schedule_pass(struct sim_producer_driver *driver)
{
    struct sim_world *world = driver->world;
    int64_t now_us = world->scheduler.now_us;
    bool busy = !kp_producer_is_idle(driver->core);
    for (uint32_t i = 0; i < driver->peer_count && !busy; i++) {
        busy = has_report(&driver->peers[i]);
    }
    if (busy) {
        sim_scheduler_at_latest(&world->scheduler, &driver->sender, now_us + SIM_PASS_COST_US);
        return;
    }
    int64_t due_us = sim_world_us_of_ms(world, kp_producer_next_deadline_ms(driver->core));
    if (due_us != INT64_MAX) {
        /* A deadline that is now and led to nothing comes again with the next millisecond. */
        int64_t next_ms_us = (now_us / 1000 + 1) * 1000;
        sim_scheduler_at_latest(&world->scheduler, &driver->sender, due_us > now_us ? due_us : next_ms_us);
    }
}

static bool make_core(struct sim_producer_driver *driver, struct kp_failure *failure);

static void end_if_closed(struct sim_producer_driver *driver)
{
    int64_t until_ms;
    if (kp_producer_sender_state(driver->core, &until_ms) != KB_SENDER_STATE_CLOSED) {
        return;
    }
    /* Kafka: the end of the sender wakes nobody who waits in initTransactions: that ends with max.block.ms.
     */
    for (uint32_t i = 0; i < driver->thread_count; i++) {
        if (driver->threads[i].state == SIM_THREAD_BLOCKED) {
            return;
        }
    }
    struct sim_world *world = driver->world;
    while (driver->peer_count > 0) {
        drop_peer(driver, &driver->peers[0]);
    }
    sim_scheduler_cancel(&world->scheduler, &driver->sender);
    kp_producer_destroy(driver->core);
    driver->core = NULL;
    if (!driver->is_recreating) {
        sim_world_end_if_quiet(world);
        return;
    }
    driver->is_recreating = false;
    driver->is_closing = false;
    struct kp_failure failure;
    if (!make_core(driver, &failure)) {
        sim_world_fail(world, "producer %s cannot be made again: %s", driver->scenario->name,
                       failure.thrown.message);
        return;
    }
    for (uint32_t i = 0; i < driver->thread_count; i++) {
        sim_app_thread_unpark(&driver->threads[i]);
    }
    sim_driver_wake(driver);
    sim_driver_after_call(driver);
}

/* Before a request that is tried again the I/O thread sleeps, and does not look at the network: what comes
 * meanwhile is there when it wakes. Kafka: Sender.maybeSendAndPollTransactionalRequest. */
static bool is_asleep(const struct sim_producer_driver *driver)
{
    int64_t until_ms;
    return kp_producer_sender_state(driver->core, &until_ms) == KB_SENDER_STATE_SLEEP;
}

static void run_pass(void *context)
{
    struct sim_producer_driver *driver = context;
    struct sim_world *world = driver->world;
    if (driver->core == NULL) {
        return;
    }
    int64_t now_ms = sim_world_now_ms(world);
    resume_runnable(driver);
    kp_producer_decide(driver->core, now_ms);
    perform_actions(driver);
    if (!is_asleep(driver)) {
        report_network(driver);
    }
    kp_producer_digest(driver->core, now_ms);
    consume_reported(driver);
    perform_actions(driver);
    take_completions(driver);
    resume_runnable(driver);
    schedule_pass(driver);
    end_if_closed(driver);
}

void sim_driver_wake(struct sim_producer_driver *driver)
{
    if (driver->core != NULL) {
        struct sim_scheduler *scheduler = &driver->world->scheduler;
        sim_scheduler_at_latest(scheduler, &driver->sender, scheduler->now_us + 1);
    }
}

/* --- Its life
 * ------------------------------------------------------------------------------------------------------------
 */

static void begin_close(struct sim_producer_driver *driver)
{
    driver->is_closing = true;
    struct kp_outcome outcome;
    kp_producer_close(driver->core, -1, sim_world_now_ms(driver->world), &outcome);
    driver->close_ticket = outcome.kind == KP_OUTCOME_BLOCKED ? outcome.ticket : 0;
    resume_runnable(driver);
    sim_driver_wake(driver);
}

void sim_driver_after_call(struct sim_producer_driver *driver)
{
    if (driver->core == NULL) {
        return;
    }
    take_completions(driver);
    resume_runnable(driver);
    if (driver->threads_done == driver->scenario->thread_count && driver->scenario->close_at_end &&
        !driver->is_closing && !driver->is_recreating) {
        begin_close(driver);
    }
    if (driver->core != NULL && !sim_task_is_scheduled(&driver->world->scheduler, &driver->sender)) {
        sim_driver_wake(driver);
    }
}

bool sim_driver_is_done(const struct sim_producer_driver *driver)
{
    if (driver->threads_done < driver->thread_count) {
        return false;
    }
    return driver->core == NULL ||
           (!driver->scenario->close_at_end && kp_producer_incomplete_count(driver->core) == 0);
}

void sim_driver_set(struct sim_producer_driver *driver, const char *setting, const char *value)
{
    for (uint32_t i = 0; i < driver->entry_count; i++) {
        if (strcmp(driver->entries[i].name, setting) == 0) {
            driver->entries[i].value = value;
            setting = NULL;
            break;
        }
    }
    if (setting != NULL) {
        struct kp_config_entry *grown =
            realloc(driver->entries, (driver->entry_count + 1) * sizeof(struct kp_config_entry));
        KB_ASSERT(grown != NULL);
        driver->entries = grown;
        driver->entries[driver->entry_count++] = (struct kp_config_entry){setting, value};
    }
    if (driver->core != NULL && !driver->is_closing) {
        driver->is_recreating = true;
        begin_close(driver);
    }
}

static bool pass_on_send(void *context, struct kp_record *record)
{
    (void)context;
    (void)record;
    return true;
}

static bool make_core(struct sim_producer_driver *driver, struct kp_failure *failure)
{
    struct sim_world *world = driver->world;
    kp_config_destroy(driver->config);
    driver->config = NULL;
    if (kp_config_create(NULL, driver->entries, driver->entry_count, NULL, &driver->config, failure) !=
        KP_CONFIG_OK) {
        return false;
    }
    enum { INTERCEPTORS_MAX = 8 };
    struct kp_interceptor interceptors[INTERCEPTORS_MAX];
    uint32_t interceptor_count = driver->scenario->interceptor_count < INTERCEPTORS_MAX
                                     ? driver->scenario->interceptor_count
                                     : INTERCEPTORS_MAX;
    for (uint32_t i = 0; i < interceptor_count; i++) {
        interceptors[i] = (struct kp_interceptor){.on_send = pass_on_send};
    }
    struct kp_producer_options options = {
        .allocator = world->allocator,
        .config = driver->config,
        .trace = trace_of(driver),
        .interceptors = interceptors,
        .interceptor_count = interceptor_count,
        .chance = {.seed = kb_prng_next(&driver->prng)},
    };
    return kp_producer_create(&options, sim_world_now_ms(world), &driver->core, failure);
}

static uint64_t emit(void *context, struct kb_event *event, uint64_t cause)
{
    struct sim_producer_driver *driver = context;
    return sim_world_emit(driver->world, event, cause);
}

static uint32_t intern(void *context, const char *name, size_t length_bytes)
{
    struct sim_producer_driver *driver = context;
    return sim_world_intern(driver->world, name, length_bytes);
}

static bool init_threads(struct sim_producer_driver *driver)
{
    driver->threads = calloc(driver->scenario->thread_count, sizeof *driver->threads);
    if (driver->threads == NULL) {
        return driver->scenario->thread_count == 0;
    }
    for (; driver->thread_count < driver->scenario->thread_count; driver->thread_count++) {
        if (!sim_app_thread_init(&driver->threads[driver->thread_count], driver, driver->thread_count)) {
            return false;
        }
    }
    return true;
}

/* Every broker of the cluster, as a careful person would write them. */
static char *list_brokers(const struct sim_scenario *scenario)
{
    size_t capacity_bytes = (size_t)scenario->broker_count * (SIM_HOST_BYTES + sizeof ":9092,") + 1;
    char *list = calloc(1, capacity_bytes);
    KB_ASSERT(list != NULL);
    size_t used_bytes = 0;
    for (uint32_t i = 0; i < scenario->broker_count; i++) {
        char host[SIM_HOST_BYTES];
        sim_broker_host(i, host);
        int added_bytes =
            snprintf(list + used_bytes, capacity_bytes - used_bytes, "%s%s:9092", i > 0 ? "," : "", host);
        used_bytes += added_bytes > 0 ? (size_t)added_bytes : 0;
    }
    return list;
}

static void copy_entries(struct sim_producer_driver *driver)
{
    const struct sim_producer *scenario = driver->scenario;
    driver->bootstrap_servers = list_brokers(driver->world->scenario);
    driver->entries = calloc(scenario->entry_count + 1, sizeof *driver->entries);
    KB_ASSERT(driver->entries != NULL);
    for (uint32_t i = 0; i < scenario->entry_count; i++) {
        driver->entries[driver->entry_count] = scenario->entries[i];
        if (strcmp(scenario->entries[i].name, "bootstrap.servers") != 0) {
            driver->entry_count++;
        }
    }
    driver->entries[driver->entry_count++] =
        (struct kp_config_entry){"bootstrap.servers", driver->bootstrap_servers};
}

bool sim_driver_init(struct sim_producer_driver *driver, struct sim_world *world, uint32_t index,
                     struct sim_complaints *complaints)
{
    *driver = (struct sim_producer_driver){
        .world = world,
        .scenario = &world->scenario->producers[index],
        .index = index,
        .trace = {.context = driver, .emit = emit, .intern = intern, .source = (uint16_t)index},
    };
    sim_task_init(&driver->sender, run_pass, driver);
    kb_prng_init(&driver->prng, world->scenario->seed, SIM_STREAM_PRODUCER + index);
    copy_entries(driver);
    struct kp_failure failure;
    if (!make_core(driver, &failure)) {
        sim_complain(complaints, "producer %s: %s%s%s", driver->scenario->name, failure.thrown.message,
                     failure.cause_count > 0 ? ": " : "",
                     failure.cause_count > 0 ? failure.causes[failure.cause_count - 1].message : "");
        return false;
    }
    if (!init_threads(driver)) {
        sim_complain(complaints, "producer %s: no memory for its threads", driver->scenario->name);
        return false;
    }
    sim_driver_wake(driver);
    sim_driver_after_call(driver); /* threads without a record are done already */
    return true;
}

void sim_driver_release(struct sim_producer_driver *driver)
{
    for (uint32_t i = 0; i < driver->peer_count; i++) {
        free(driver->peers[i].inbox);
    }
    free(driver->peers);
    kp_producer_destroy(driver->core);
    kp_config_destroy(driver->config);
    for (uint32_t i = 0; i < driver->thread_count; i++) {
        sim_app_thread_release(&driver->threads[i]);
    }
    free(driver->threads);
    free(driver->entries);
    free(driver->bootstrap_servers);
}
