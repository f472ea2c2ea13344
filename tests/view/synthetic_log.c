#include "synthetic_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PARTITIONS_MAX = 400,
    BATCHES_MAX = 20000,
    STEPS_MAX = 65536,
    LINGER_US = 5000,
    LATENCY_US = 500,
    BATCH_BYTES = 16384,
    VALUE_BYTES = 512,
    BUFFER_BYTES = 1 << 20,
    IN_FLIGHT_MAX = 5,
    PASS_US = 400,
};

enum step_kind { STEP_SEND, STEP_PASS, STEP_ARRIVE, STEP_REPLICATE, STEP_RECEIVE, STEP_FAULT };

struct step {
    int64_t at_us;
    uint32_t order;
    enum step_kind kind;
    uint32_t number; /* of a request, a record, a fault */
    uint32_t packet;
};

struct batch {
    int64_t created_us, not_before_us;
    uint32_t number, records, attempts, request;
    uint32_t *record_numbers;
    int32_t partition, bytes;
    bool is_closed;
};

struct partition {
    struct batch *queue[64];
    uint32_t count;
    int32_t leader;
    int64_t end_offset;
    int64_t *replica_end; /* by broker */
};

struct request {
    struct batch *batch;
    int32_t node;
    int64_t base_offset;
    bool is_over;
};

struct world {
    struct sim_event_log *log;
    struct synthetic_options options;
    struct step steps[STEPS_MAX];
    uint32_t step_count, order;
    struct partition partitions[PARTITIONS_MAX];
    struct request requests[BATCHES_MAX];
    int32_t in_flight[SIM_BROKERS_MAX + 1];
    bool is_down[SIM_BROKERS_MAX + 1];
    int64_t now_us, free_bytes;
    uint32_t next_record, next_batch, next_request, next_packet, topic, free_buffers, random;
    int64_t pass;
};

static void emit(struct world *world, struct kb_event event, uint16_t source)
{
    event.source = source;
    uint64_t last = sim_event_log_count(world->log);
    sim_event_log_append(world->log, &event, world->now_us, last);
}

#define APP(NAME, name, ...)                                                                                 \
    emit(world, (struct kb_event){.kind = KB_EVENT_##NAME, .as.name = {__VA_ARGS__}}, 0)
#define CLUSTER(NAME, name, ...)                                                                             \
    emit(world, (struct kb_event){.kind = KB_EVENT_##NAME, .as.name = {__VA_ARGS__}}, KB_SOURCE_CLUSTER)

static void later(struct world *world, int64_t at_us, enum step_kind kind, uint32_t number, uint32_t packet)
{
    if (world->step_count < STEPS_MAX && at_us <= world->options.duration_us) {
        world->steps[world->step_count++] = (struct step){at_us, world->order++, kind, number, packet};
    }
}

static struct step next_step(struct world *world)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < world->step_count; i++) {
        const struct step *step = &world->steps[i];
        const struct step *first = &world->steps[best];
        bool before =
            step->at_us < first->at_us || (step->at_us == first->at_us && step->order < first->order);
        best = before ? i : best;
    }
    struct step step = world->steps[best];
    world->steps[best] = world->steps[--world->step_count];
    return step;
}

/* --- The application */

static struct batch *open_batch(struct world *world, int32_t partition_number, uint32_t record)
{
    struct partition *partition = &world->partitions[partition_number];
    if (partition->count == 64) {
        return NULL;
    }
    struct batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL) {
        return NULL;
    }
    batch->record_numbers = calloc(64, sizeof *batch->record_numbers);
    batch->number = ++world->next_batch;
    batch->created_us = world->now_us;
    batch->partition = partition_number;
    batch->bytes = 61;
    partition->queue[partition->count++] = batch;
    world->free_bytes -= BATCH_BYTES;
    world->free_buffers -= world->free_buffers > 0;
    APP(MEMORY_ALLOCATED, memory_allocated, .bytes = BATCH_BYTES, .available_bytes = world->free_bytes,
        .unallocated_bytes = world->free_bytes - (int64_t)world->free_buffers * BATCH_BYTES,
        .free_buffers = world->free_buffers);
    APP(BATCH_CREATED, batch_created, .batch = batch->number, .topic = world->topic,
        .partition = partition_number, .capacity_bytes = BATCH_BYTES, .record = record);
    return batch;
}

static void send_record(struct world *world)
{
    uint32_t record = world->next_record++;
    world->random = world->random * 1664525u + 1013904223u;
    int32_t value_bytes = VALUE_BYTES + (int32_t)(world->random >> 22);
    char key[16];
    int length = snprintf(key, sizeof key, "u-%u", (unsigned)(world->random >> 8) % 97);
    int32_t murmur2 = (int32_t)(world->random * 2654435761u);
    int32_t target = (int32_t)((uint32_t)(murmur2 & 0x7fffffff) % (uint32_t)world->options.partition_count);
    APP(RECORD_CREATED, record_created, .key = kb_text16_of(key, length), .record = record,
        .topic = world->topic, .wanted_partition = -1, .key_bytes = length, .value_bytes = value_bytes);
    APP(RECORD_INTERCEPTED, record_intercepted, .record = record, .interceptors = 1);
    APP(RECORD_METADATA_READY, record_metadata_ready, .record = record, .topic = world->topic,
        .partitions = world->options.partition_count);
    APP(RECORD_SERIALIZED, record_serialized, .record = record, .key_bytes = length,
        .value_bytes = value_bytes);
    APP(RECORD_PARTITIONED, record_partitioned, .record = record, .topic = world->topic, .partition = target,
        .why = KB_PARTITION_WHY_MURMUR2, .murmur2 = murmur2,
        .partition_count = world->options.partition_count);
    APP(RECORD_SIZE_CHECKED, record_size_checked, .upper_bound_bytes = value_bytes + 105,
        .limit_bytes = 1048576, .record = record);
    struct partition *partition = &world->partitions[target];
    struct batch *batch = partition->count > 0 ? partition->queue[partition->count - 1] : NULL;
    int32_t bytes = value_bytes + 16;
    if (batch != NULL && !batch->is_closed && batch->bytes + bytes > BATCH_BYTES) {
        batch->is_closed = true;
        APP(BATCH_CLOSED, batch_closed, .batch = batch->number, .topic = world->topic, .partition = target,
            .records = batch->records, .bytes = batch->bytes, .why = KB_CLOSE_WHY_NO_ROOM);
    }
    if (batch == NULL || batch->is_closed) {
        batch = open_batch(world, target, record);
    }
    if (batch != NULL) {
        batch->bytes += bytes;
        batch->record_numbers[batch->records] = record;
        APP(RECORD_APPENDED, record_appended, .record = record, .batch = batch->number, .topic = world->topic,
            .partition = target, .slot = batch->records++, .record_bytes = bytes,
            .batch_bytes = batch->bytes);
    }
    later(world,
          world->now_us + world->options.record_every_us / 2 +
              world->random % (uint32_t)world->options.record_every_us,
          STEP_SEND, 0, 0);
}

/* --- The sender */

static void send_batch(struct world *world, struct batch *batch, uint32_t left)
{
    struct partition *partition = &world->partitions[batch->partition];
    int32_t node = partition->leader;
    uint32_t number = ++world->next_request;
    APP(BATCH_DRAINED, batch_drained, .queued_ms = (world->now_us - batch->created_us) / 1000,
        .batch = batch->number, .topic = world->topic, .partition = batch->partition, .node = node,
        .bytes = batch->bytes, .records = batch->records, .left = left);
    memmove(partition->queue, partition->queue + 1, (partition->count - 1) * sizeof partition->queue[0]);
    partition->count--;
    batch->is_closed = true;
    batch->request = number;
    world->requests[number % BATCHES_MAX] = (struct request){.batch = batch, .node = node};
    world->in_flight[node]++;
    APP(REQUEST_BUILT, request_built, .timeout_ms = 30000, .request = number, .node = node, .api = 0,
        .version = 9, .bytes = batch->bytes + 90, .batches = 1, .acks = -1,
        .in_flight = (uint32_t)world->in_flight[node]);
    APP(REQUEST_CARRIES, request_carries, .request = number, .batch = batch->number, .topic = world->topic,
        .partition = batch->partition, .bytes = batch->bytes, .records = batch->records,
        .attempt = batch->attempts, .node = node);
    uint32_t packet = ++world->next_packet;
    int64_t arrives_us = world->now_us + LATENCY_US + batch->bytes / 32;
    CLUSTER(PACKET_SENT, packet_sent, .arrives_us = arrives_us, .packet = packet,
            .connection = (uint32_t)node, .from = -1, .to = node, .bytes = batch->bytes + 90, .api = 0,
            .request = number);
    later(world, arrives_us, STEP_ARRIVE, number, packet);
}

static void consider(struct world *world, struct partition *partition, int32_t index, uint32_t *drained)
{
    struct batch *batch = partition->count > 0 ? partition->queue[0] : NULL;
    if (batch == NULL) {
        return;
    }
    int64_t ripe_us = batch->attempts > 0 ? batch->not_before_us : batch->created_us + LINGER_US;
    bool is_full = batch->attempts == 0 && partition->count > 1;
    uint32_t left = is_full ? KB_LEFT_NO_ROOM : 0;
    left |= world->now_us >= ripe_us ? (batch->attempts > 0 ? KB_LEFT_BACKOFF_OVER : KB_LEFT_LINGER) : 0;
    uint32_t held = left == 0 ? (batch->attempts > 0 ? KB_HELD_BACKOFF : KB_HELD_LINGER) : 0;
    held |= world->in_flight[partition->leader] >= IN_FLIGHT_MAX ? KB_HELD_INFLIGHT_FULL : 0;
    if (held != 0) {
        APP(BATCH_HELD, batch_held, .left_ms = left == 0 ? (ripe_us - world->now_us + 999) / 1000 : -1,
            .batch = batch->number, .topic = world->topic, .partition = index, .node = partition->leader,
            .held = held);
        return;
    }
    APP(BATCH_READY, batch_ready, .waited_ms = (world->now_us - batch->created_us) / 1000,
        .batch = batch->number, .topic = world->topic, .partition = index, .node = partition->leader,
        .left = left);
    send_batch(world, batch, left);
    (*drained)++;
}

static void pass(struct world *world)
{
    uint32_t drained = 0;
    for (int32_t i = 0; i < world->options.partition_count; i++) {
        consider(world, &world->partitions[i], i, &drained);
    }
    APP(SENDER_PASS, sender_pass, .poll_ms = 1, .pass = ++world->pass, .ready_nodes = drained,
        .drained = drained);
    later(world, world->now_us + PASS_US, STEP_PASS, 0, 0);
}

/* --- The cluster */

static void arrive(struct world *world, uint32_t number, uint32_t packet)
{
    struct request *request = &world->requests[number % BATCHES_MAX];
    if (request->is_over || world->is_down[request->node]) {
        return;
    }
    struct partition *partition = &world->partitions[request->batch->partition];
    CLUSTER(PACKET_ARRIVED, packet_arrived, .packet = packet, .connection = (uint32_t)request->node,
            .from = -1, .to = request->node);
    CLUSTER(REQUEST_ARRIVED, request_arrived, .broker = request->node, .connection = (uint32_t)request->node,
            .request = number, .version = 9);
    request->base_offset = partition->end_offset;
    partition->end_offset += request->batch->records;
    partition->replica_end[request->node - 1] = partition->end_offset;
    CLUSTER(LEADER_APPENDED, leader_appended, .base_offset = request->base_offset,
            .last_offset = partition->end_offset - 1, .broker = request->node,
            .connection = (uint32_t)request->node, .request = number, .topic = world->topic,
            .partition = request->batch->partition, .bytes = request->batch->bytes);
    CLUSTER(PRODUCE_PARKED, produce_parked, .required_offset = partition->end_offset, .broker = request->node,
            .connection = (uint32_t)request->node, .request = number, .topic = world->topic,
            .partition = request->batch->partition);
    later(world, world->now_us + 700, STEP_REPLICATE, number, 0);
}

static void replicate(struct world *world, uint32_t number)
{
    struct request *request = &world->requests[number % BATCHES_MAX];
    if (request->is_over || world->is_down[request->node]) {
        return;
    }
    int32_t index = request->batch->partition;
    struct partition *partition = &world->partitions[index];
    int32_t brokers = (int32_t)world->options.broker_count < 3 ? (int32_t)world->options.broker_count : 3;
    for (int32_t i = 0; i < brokers; i++) {
        int32_t id = (index + i) % (int32_t)world->options.broker_count + 1;
        bool is_slow = id == 3 && world->now_us > 12000;
        if (id != request->node && !world->is_down[id] && !is_slow &&
            partition->replica_end[id - 1] < partition->end_offset) {
            CLUSTER(FOLLOWER_APPENDED, follower_appended, .base_offset = partition->replica_end[id - 1],
                    .last_offset = partition->end_offset - 1, .broker = id, .leader = request->node,
                    .topic = world->topic, .partition = index, .bytes = request->batch->bytes);
            partition->replica_end[id - 1] = partition->end_offset;
            CLUSTER(HW_ADVANCED, hw_advanced, .high_watermark = request->base_offset, .broker = id,
                    .topic = world->topic, .partition = index);
        }
    }
    CLUSTER(HW_ADVANCED, hw_advanced, .high_watermark = partition->end_offset, .broker = request->node,
            .topic = world->topic, .partition = index, .is_leader = 1);
    CLUSTER(RESPONSE_SENT, response_sent, .broker = request->node, .connection = (uint32_t)request->node,
            .request = number);
    uint32_t packet = ++world->next_packet;
    CLUSTER(PACKET_SENT, packet_sent, .arrives_us = world->now_us + LATENCY_US, .packet = packet,
            .connection = (uint32_t)request->node, .from = request->node, .to = -1, .bytes = 64, .api = 0,
            .request = number, .is_response = 1);
    later(world, world->now_us + LATENCY_US, STEP_RECEIVE, number, packet);
}

static void give_back(struct world *world)
{
    world->free_bytes += BATCH_BYTES;
    world->free_buffers++;
    APP(MEMORY_DEALLOCATED, memory_deallocated, .bytes = BATCH_BYTES, .available_bytes = world->free_bytes,
        .unallocated_bytes = world->free_bytes - (int64_t)world->free_buffers * BATCH_BYTES,
        .free_buffers = world->free_buffers, .kept = 1);
}

static void receive(struct world *world, uint32_t number, uint32_t packet)
{
    struct request *request = &world->requests[number % BATCHES_MAX];
    if (request->is_over) {
        return;
    }
    struct batch *batch = request->batch;
    request->is_over = true;
    CLUSTER(PACKET_ARRIVED, packet_arrived, .packet = packet, .connection = (uint32_t)request->node,
            .from = request->node, .to = -1);
    world->in_flight[request->node]--;
    APP(RESPONSE_RECEIVED, response_received, .latency_ms = 2, .request = number, .node = request->node,
        .in_flight = (uint32_t)world->in_flight[request->node]);
    APP(BATCH_DONE, batch_done, .base_offset = request->base_offset, .batch = batch->number,
        .topic = world->topic, .partition = batch->partition, .records = batch->records);
    for (uint32_t i = 0; i < batch->records; i++) {
        APP(RECORD_COMPLETED, record_completed, .offset = request->base_offset + i,
            .record = batch->record_numbers[i], .batch = batch->number, .topic = world->topic,
            .partition = batch->partition);
        APP(RECORD_CALLBACK, record_callback, .record = batch->record_numbers[i]);
    }
    give_back(world);
    free(batch->record_numbers);
    free(batch);
}

/* --- What goes wrong */

static void fail_requests(struct world *world, int32_t node)
{
    for (uint32_t number = 1; number <= world->next_request; number++) {
        struct request *request = &world->requests[number % BATCHES_MAX];
        if (request->node != node || request->is_over) {
            continue;
        }
        request->is_over = true;
        world->in_flight[node]--;
        APP(REQUEST_FAILED, request_failed, .request = number, .node = node, .error = 13,
            .in_flight = (uint32_t)world->in_flight[node]);
        struct batch *batch = request->batch;
        struct partition *partition = &world->partitions[batch->partition];
        batch->not_before_us = world->now_us + 3000;
        APP(BATCH_REENQUEUED, batch_reenqueued, .backoff_ms = 3, .batch = batch->number,
            .topic = world->topic, .partition = batch->partition, .attempts = ++batch->attempts, .error = 13);
        memmove(partition->queue + 1, partition->queue, partition->count * sizeof partition->queue[0]);
        partition->queue[0] = batch;
        partition->count++;
    }
}

static void kill_broker(struct world *world, int32_t id)
{
    CLUSTER(FAULT, fault, .fault = KB_FAULT_KIND_KILL, .broker = id, .other = -1, .partition = -1);
    CLUSTER(BROKER_DOWN, broker_down, .broker = id);
    world->is_down[id] = true;
    for (uint32_t i = 0; i < world->next_packet; i++) {
        struct step *step = NULL;
        for (uint32_t k = 0; k < world->step_count; k++) {
            if (world->steps[k].packet == i + 1 &&
                world->requests[world->steps[k].number % BATCHES_MAX].node == id) {
                step = &world->steps[k];
            }
        }
        if (step != NULL && step->kind == STEP_ARRIVE) {
            CLUSTER(PACKET_LOST, packet_lost, .packet = step->packet, .connection = (uint32_t)id, .from = -1,
                    .to = id);
        }
    }
    APP(CONNECTION_STATE, connection_state, .node = id, .state = KB_CONNECTION_STATE_DISCONNECTED,
        .error = 13);
    fail_requests(world, id);
    CLUSTER(BROKER_LOSS_NOTICED, broker_loss_noticed, .broker = id);
    for (int32_t i = 0; i < world->options.partition_count; i++) {
        struct partition *partition = &world->partitions[i];
        CLUSTER(ISR_SHRUNK, isr_shrunk, .topic = world->topic, .partition = i, .broker = id, .isr_count = 1,
                .leader = partition->leader);
        if (partition->leader == id) {
            partition->leader = 1;
            CLUSTER(LEADER_ELECTED, leader_elected, .topic = world->topic, .partition = i, .leader = 1,
                    .leader_epoch = 1, .why = KB_ELECTION_WHY_LEADER_LOST);
            APP(METADATA_PARTITION, metadata_partition, .topic = world->topic, .partition = i, .leader = 1,
                .leader_epoch = 1);
        }
    }
}

static void fault(struct world *world, uint32_t number)
{
    switch (number) {
    case 0:
        CLUSTER(FAULT, fault, .ms = 240, .fault = KB_FAULT_KIND_SLOW_REPLICA, .broker = 3, .other = -1,
                .partition = -1);
        break;
    case 1:
        CLUSTER(ISR_SHRUNK, isr_shrunk, .topic = world->topic, .partition = 0, .broker = 3, .isr_count = 2,
                .leader = 1);
        break;
    case 2:
        kill_broker(world, 2);
        break;
    case 3:
        CLUSTER(FAULT, fault, .fault = KB_FAULT_KIND_RESTART, .broker = 2, .other = -1, .partition = -1);
        CLUSTER(BROKER_UP, broker_up, .broker = 2);
        world->is_down[2] = false;
        break;
    default:
        APP(THREAD_BLOCKED, thread_blocked, .deadline_ms = 60000, .record = world->next_record - 1,
            .wait = KB_WAIT_MEMORY, .bytes = BATCH_BYTES);
        break;
    }
}

/* --- The run */

static void describe(struct world *world)
{
    struct sim_run_info *info = sim_event_log_info(world->log);
    snprintf(info->name, sizeof info->name, "acks=all with a slow follower");
    snprintf(info->path, sizeof info->path, "synthetic.json");
    info->duration_us = world->options.duration_us;
    info->latency_us = LATENCY_US;
    info->broker_count = world->options.broker_count;
    for (uint32_t i = 0; i < info->broker_count; i++) {
        info->brokers[i].id = (int32_t)i + 1;
    }
    info->topic_count = 1;
    snprintf(info->topics[0].name, sizeof info->topics[0].name, "%s", world->options.topic);
    info->topics[0].partition_count = world->options.partition_count;
    info->topics[0].replication_factor = 3;
    info->topics[0].min_insync_replicas = 2;
    info->producer_count = 1;
    info->producers[0] = (struct sim_producer_info){.name = "shop",
                                                    .acks = "all",
                                                    .partitioner = "DefaultPartitioner",
                                                    .key_serializer = "StringSerializer",
                                                    .value_serializer = "ByteArraySerializer",
                                                    .compression = "none",
                                                    .linger_ms = 5,
                                                    .batch_size_bytes = BATCH_BYTES,
                                                    .buffer_memory_bytes = BUFFER_BYTES,
                                                    .max_block_ms = 60000,
                                                    .max_in_flight = IN_FLIGHT_MAX,
                                                    .max_request_size_bytes = 1048576,
                                                    .retries = 2147483647,
                                                    .retry_backoff_ms = 3,
                                                    .request_timeout_ms = 30000,
                                                    .delivery_timeout_ms = 120000,
                                                    .is_idempotent = true,
                                                    .interceptor_count = 1,
                                                    .thread_count = 1,
                                                    .threads = {{"main"}}};
    info->badge_count = 2;
    info->badges[0] = (struct sim_badge){"linger.ms", "5", "0"};
    info->badges[1] = (struct sim_badge){"buffer.memory", "1048576", "33554432"};
}

static void begin(struct world *world)
{
    int32_t brokers = (int32_t)world->options.broker_count;
    world->topic = sim_event_log_intern(world->log, world->options.topic, strlen(world->options.topic));
    for (int32_t id = 1; id <= brokers; id++) {
        CLUSTER(BROKER_UP, broker_up, .broker = id);
        CLUSTER(CONNECTION_OPENED, connection_opened, .connection = (uint32_t)id, .from = -1, .to = id);
        APP(CONNECTION_STATE, connection_state, .node = id, .state = KB_CONNECTION_STATE_READY,
            .connection = (uint32_t)id);
    }
    CLUSTER(CONTROLLER_CHANGED, controller_changed, .broker = 1, .epoch = 1);
    for (int32_t i = 0; i < world->options.partition_count; i++) {
        struct partition *partition = &world->partitions[i];
        partition->replica_end = calloc((size_t)brokers, sizeof *partition->replica_end);
        partition->leader = i % brokers + 1;
        for (int32_t k = 0; k < 3 && k < brokers; k++) {
            CLUSTER(REPLICA_PLACED, replica_placed, .broker = (i + k) % brokers + 1, .topic = world->topic,
                    .partition = i, .position = (uint32_t)k);
        }
        CLUSTER(LEADER_ELECTED, leader_elected, .topic = world->topic, .partition = i,
                .leader = partition->leader);
        APP(METADATA_PARTITION, metadata_partition, .topic = world->topic, .partition = i,
            .leader = partition->leader);
    }
    APP(METADATA_UPDATED, metadata_updated, .refresh_in_ms = 300000, .version = 3,
        .brokers = (uint32_t)brokers, .topics = 1);
    APP(PRODUCER_ID_ASSIGNED, producer_id_assigned, .producer_id = 1000);
}

static void run(struct world *world)
{
    later(world, 100, STEP_SEND, 0, 0);
    later(world, 200, STEP_PASS, 0, 0);
    static const int64_t faults_us[5] = {12000, 18000, 25300, 34000, 38500};
    for (uint32_t i = 0; i < 5; i++) {
        later(world, faults_us[i], STEP_FAULT, i, 0);
    }
    while (world->step_count > 0) {
        struct step step = next_step(world);
        world->now_us = step.at_us;
        switch (step.kind) {
        case STEP_SEND:
            send_record(world);
            break;
        case STEP_PASS:
            pass(world);
            break;
        case STEP_ARRIVE:
            arrive(world, step.number, step.packet);
            break;
        case STEP_REPLICATE:
            replicate(world, step.number);
            break;
        case STEP_RECEIVE:
            receive(world, step.number, step.packet);
            break;
        case STEP_FAULT:
            fault(world, step.number);
            break;
        }
    }
}

static void release(struct world *world)
{
    for (int32_t i = 0; i < PARTITIONS_MAX; i++) {
        for (uint32_t k = 0; k < world->partitions[i].count; k++) {
            free(world->partitions[i].queue[k]->record_numbers);
            free(world->partitions[i].queue[k]);
        }
        free(world->partitions[i].replica_end);
    }
    for (uint32_t i = 1; i <= world->next_request && i < BATCHES_MAX; i++) {
        if (!world->requests[i].is_over) {
            free(world->requests[i].batch->record_numbers);
            free(world->requests[i].batch);
        }
    }
    free(world);
}

struct sim_event_log *synthetic_log_create(const struct synthetic_options *options)
{
    struct world *world = calloc(1, sizeof *world);
    struct sim_event_log *log = sim_event_log_create();
    if (world == NULL || log == NULL) {
        free(world);
        sim_event_log_destroy(log);
        return NULL;
    }
    world->log = log;
    world->options = options != NULL ? *options : (struct synthetic_options){0};
    struct synthetic_options *chosen = &world->options;
    chosen->partition_count = chosen->partition_count > 0 ? chosen->partition_count : 3;
    chosen->broker_count = chosen->broker_count > 0 ? chosen->broker_count : 3;
    chosen->duration_us = chosen->duration_us > 0 ? chosen->duration_us : 40000;
    chosen->record_every_us = chosen->record_every_us > 0 ? chosen->record_every_us : 130;
    chosen->topic = chosen->topic != NULL ? chosen->topic : "orders";
    world->free_bytes = BUFFER_BYTES;
    world->random = 12345;
    describe(world);
    begin(world);
    run(world);
    release(world);
    return log;
}
