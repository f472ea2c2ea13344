#include "engine/simulate_plan.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/prng.h"

enum { FAULTS_FROM_MS = 10, FAULTS_UNTIL_MS = 400 };

static const char *const error_names[] = {
    "NOT_LEADER_OR_FOLLOWER", "NOT_ENOUGH_REPLICAS", "NOT_ENOUGH_REPLICAS_AFTER_APPEND", "REQUEST_TIMED_OUT",
    "CORRUPT_MESSAGE",        "KAFKA_STORAGE_ERROR", "UNKNOWN_TOPIC_OR_PARTITION",
};
enum { ERROR_COUNT = sizeof error_names / sizeof error_names[0] };

/* --- Drawing
 * -------------------------------------------------------------------------------------------------------- */

static int32_t between(struct kb_prng *prng, int32_t minimum, int32_t maximum)
{
    return (int32_t)kb_prng_between(prng, minimum, maximum);
}

static int32_t pick(struct kb_prng *prng, const int32_t *values, uint64_t count)
{
    return values[kb_prng_below(prng, count)];
}
#define PICK(prng, ...)                                                                                      \
    pick(prng, (const int32_t[]){__VA_ARGS__}, sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t))

static void draw_cluster(struct kb_prng *prng, struct sim_plan *plan)
{
    plan->broker_count = (uint32_t)PICK(prng, 1, 2, 3, 3, 3, 3, 4, 5, 7);
    plan->is_unclean = kb_prng_chance(prng, 1, 3);
    plan->lag_ms = PICK(prng, 20, 50, 100, 300);
    plan->session_ms = PICK(prng, 15, 40, 80, 200);
    plan->fetch_wait_ms = PICK(prng, 5, 10, 20);
    plan->latency_us[0] = PICK(prng, 50, 200, 500, 1500);
    plan->latency_us[1] = plan->latency_us[0] + PICK(prng, 0, 100, 1000, 3000);
    plan->disk_us = PICK(prng, 0, 50, 50, 400);
    plan->topic_count = (uint32_t)PICK(prng, 1, 1, 2);
    for (uint32_t i = 0; i < plan->topic_count; i++) {
        struct sim_plan_topic *topic = &plan->topics[i];
        int32_t largest = plan->broker_count < 3 ? (int32_t)plan->broker_count : 3;
        topic->partition_count = PICK(prng, 1, 1, 2, 3);
        topic->replication_factor = kb_prng_chance(prng, 3, 4) ? largest : between(prng, 1, largest);
        topic->min_insync_replicas = between(prng, 1, topic->replication_factor);
        topic->max_message_bytes = PICK(prng, 0, 0, 0, 0, 0, 700, 3000);
    }
}

static void draw_thread(struct kb_prng *prng, uint32_t topic_count, struct sim_plan_thread *thread)
{
    thread->topic = between(prng, 0, (int32_t)topic_count - 1);
    thread->record_count = between(prng, 10, 90);
    thread->rate_per_s = PICK(prng, 100, 300, 600, 2000);
    thread->arrivals = between(prng, 0, 2);
    thread->key_kind = between(prng, 0, 3);
    thread->value_bytes[0] = PICK(prng, 12, 50, 100);
    thread->value_bytes[1] = thread->value_bytes[0] + PICK(prng, 0, 50, 400, 3000);
    thread->sync = kb_prng_chance(prng, 1, 10);
    thread->flush = kb_prng_chance(prng, 1, 6);
}

static void draw_producer(struct kb_prng *prng, uint32_t topic_count, struct sim_plan_producer *producer)
{
    producer->is_idempotent = kb_prng_chance(prng, 2, 5);
    producer->acks = producer->is_idempotent ? -1 : PICK(prng, -1, -1, 1, 1, 0);
    producer->in_flight = PICK(prng, 1, 2, 3, 5, 5, 5);
    producer->linger_ms = PICK(prng, 0, 0, 1, 5, 20);
    producer->batch_size_bytes = PICK(prng, 0, 300, 512, 1024, 4096, 16384);
    producer->buffer_memory_bytes = PICK(prng, 8192, 20000, 65536, 1 << 20);
    producer->retries = producer->is_idempotent ? -1 : PICK(prng, -1, -1, -1, 0, 2);
    producer->retry_backoff_ms = PICK(prng, 0, 3, 10, 30);
    producer->request_timeout_ms = PICK(prng, 20, 50, 100, 200);
    producer->delivery_timeout_ms =
        producer->linger_ms + producer->request_timeout_ms + PICK(prng, 0, 100, 1000, 3000);
    producer->max_block_ms = PICK(prng, 50, 300, 3000);
    producer->compression = PICK(prng, 0, 0, 0, 1, 2, 3, 4);
    producer->thread_count = (uint32_t)PICK(prng, 1, 1, 2);
    for (uint32_t i = 0; i < producer->thread_count; i++) {
        draw_thread(prng, topic_count, &producer->threads[i]);
    }
}

static void draw_fault(struct kb_prng *prng, const struct sim_plan *plan, struct sim_plan_fault *fault)
{
    fault->kind = (enum sim_plan_fault_kind)between(prng, 0, SIM_PLAN_FAULT_KIND_COUNT - 1);
    fault->at_ms = between(prng, FAULTS_FROM_MS, FAULTS_UNTIL_MS - 100);
    fault->lasts_ms = between(prng, 1, FAULTS_UNTIL_MS - fault->at_ms);
    fault->broker = between(prng, 1, (int32_t)plan->broker_count);
    fault->other = between(prng, 1, (int32_t)plan->broker_count);
    fault->topic = between(prng, 0, (int32_t)plan->topic_count - 1);
    fault->partition = between(prng, 0, plan->topics[fault->topic].partition_count - 1);
    fault->delay_ms = PICK(prng, 1, 5, 20, 60, 150);
    fault->count = PICK(prng, 1, 1, 2, 4);
    fault->code = between(prng, 0, ERROR_COUNT - 1);
    fault->flag = kb_prng_chance(prng, 1, 2);
}

void sim_plan_draw(uint64_t seed, struct sim_plan *out)
{
    struct kb_prng prng;
    kb_prng_init(&prng, seed, 0x706c616e);
    *out = (struct sim_plan){.seed = seed};
    draw_cluster(&prng, out);
    out->producer_count = (uint32_t)PICK(&prng, 1, 1, 1, 2, 3);
    for (uint32_t i = 0; i < out->producer_count; i++) {
        draw_producer(&prng, out->topic_count, &out->producers[i]);
    }
    out->fault_count = (uint32_t)PICK(&prng, 0, 1, 2, 3, 4, 6, SIM_PLAN_FAULTS_MAX);
    for (uint32_t i = 0; i < out->fault_count; i++) {
        draw_fault(&prng, out, &out->faults[i]);
    }
}

/* --- Writing
 * -------------------------------------------------------------------------------------------------------- */

/* Long enough for every batch to be acknowledged or to expire after the last fault is taken back. */
enum { DURATION_MS = 30000 };

static void write_cluster(const struct sim_plan *plan, struct sim_text *out)
{
    sim_text_add(out,
                 "  \"cluster\": {\n    \"brokers\": %" PRIu32 ",\n    \"config\": {\n"
                 "      \"replica.lag.time.max.ms\": %d,\n      \"replica.fetch.wait.max.ms\": %d,\n"
                 "      \"replica.fetch.backoff.ms\": 10,\n      \"replica.socket.timeout.ms\": 200,\n"
                 "      \"controlled.shutdown.retry.backoff.ms\": 20,\n"
                 "      \"zookeeper.session.timeout.ms\": %d,\n"
                 "      \"unclean.leader.election.enable\": %s\n    },\n    \"topics\": [",
                 plan->broker_count, plan->lag_ms, plan->fetch_wait_ms, plan->session_ms,
                 plan->is_unclean ? "true" : "false");
    for (uint32_t i = 0; i < plan->topic_count; i++) {
        const struct sim_plan_topic *topic = &plan->topics[i];
        sim_text_add(out,
                     "%s\n      { \"name\": \"t%" PRIu32 "\", \"partitions\": %d, \"replication.factor\": %d,"
                     " \"config\": { \"min.insync.replicas\": %d, \"max.message.bytes\": %d } }",
                     i > 0 ? "," : "", i, topic->partition_count, topic->replication_factor,
                     topic->min_insync_replicas,
                     topic->max_message_bytes > 0 ? topic->max_message_bytes : 1048588);
    }
    sim_text_add(out,
                 "\n    ],\n    \"network\": { \"latency_us\": { \"uniform\": [%d, %d] } },\n"
                 "    \"disk\": { \"append_us\": %d }\n  },\n",
                 plan->latency_us[0], plan->latency_us[1], plan->disk_us);
}

static void write_thread(const struct sim_plan_thread *thread, uint32_t producer, uint32_t index,
                         struct sim_text *out)
{
    static const char *const arrivals[] = {"steady", "poisson", "burst"};
    static const char *const keys[] = {NULL, "cycle", "uniform", "zipf"};
    sim_text_add(
        out,
        "%s\n        { \"sync\": %s, \"flush\": %s, \"records\": { \"topic\": \"t%d\", \"count\": %d,"
        " \"rate_per_s\": %d, \"arrivals\": \"%s\", \"value_bytes\": { \"uniform\": [%d, %d] }",
        index > 0 ? "," : "", thread->sync ? "true" : "false", thread->flush ? "true" : "false",
        thread->topic, thread->record_count, thread->rate_per_s, arrivals[thread->arrivals],
        thread->value_bytes[0], thread->value_bytes[1]);
    /* Keys are of one thread alone, so that no two records are alike: the ledger tells them apart. */
    if (thread->key_kind > 0) {
        sim_text_add(out, ", \"key\": { \"%s\": { \"keys\": 5, \"prefix\": \"p%" PRIu32 "-%" PRIu32 "-\" } }",
                     keys[thread->key_kind], producer, index);
    } else if (producer + index > 0) {
        sim_text_add(out, ", \"key\": \"p%" PRIu32 "-%" PRIu32 "\"", producer, index);
    }
    sim_text_add(out, " } }");
}

static void write_producer(const struct sim_plan_producer *producer, uint32_t index, struct sim_text *out)
{
    static const char *const compressions[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    sim_text_add(out, "%s\n    {\n      \"name\": \"p%" PRIu32 "\",\n      \"config\": {\n",
                 index > 0 ? "," : "", index);
    if (producer->retries >= 0) {
        sim_text_add(out, "        \"retries\": %d,\n", producer->retries);
    }
    sim_text_add(out,
                 "        \"acks\": \"%d\",\n        \"enable.idempotence\": %s,\n"
                 "        \"max.in.flight.requests.per.connection\": %d,\n        \"linger.ms\": %d,\n"
                 "        \"batch.size\": %d,\n        \"buffer.memory\": %d,\n"
                 "        \"retry.backoff.ms\": %d,\n        \"reconnect.backoff.ms\": 5,\n"
                 "        \"reconnect.backoff.max.ms\": 20,\n        \"request.timeout.ms\": %d,\n"
                 "        \"delivery.timeout.ms\": %d,\n        \"max.block.ms\": %d,\n"
                 "        \"compression.type\": \"%s\"\n      },\n      \"threads\": [",
                 producer->acks, producer->is_idempotent ? "true" : "false", producer->in_flight,
                 producer->linger_ms, producer->batch_size_bytes, producer->buffer_memory_bytes,
                 producer->retry_backoff_ms, producer->request_timeout_ms, producer->delivery_timeout_ms,
                 producer->max_block_ms, compressions[producer->compression]);
    for (uint32_t i = 0; i < producer->thread_count; i++) {
        write_thread(&producer->threads[i], index, i, out);
    }
    sim_text_add(out, "\n      ]\n    }");
}

#define ENTRY(at_ms, ...)                                                                                    \
    (sim_text_add(out, ",\n    { \"at_ms\": %d, ", at_ms), sim_text_add(out, __VA_ARGS__),                   \
     sim_text_add(out, " }"))

static void write_cut(const struct sim_plan_fault *fault, const char *to, struct sim_text *out)
{
    ENTRY(fault->at_ms, "\"do\": \"cut\", \"broker\": %d, \"to\": %s, \"one_way\": %s", fault->broker, to,
          fault->flag ? "true" : "false");
    ENTRY(fault->at_ms + fault->lasts_ms, "\"do\": \"heal\", \"broker\": %d, \"to\": %s", fault->broker, to);
}

static void write_outage(const struct sim_plan_fault *fault, const char *what, const char *back,
                         struct sim_text *out)
{
    ENTRY(fault->at_ms, "\"do\": \"%s\", \"broker\": %d", what, fault->broker);
    ENTRY(fault->at_ms + fault->lasts_ms, "\"do\": \"%s\", \"broker\": %d", back, fault->broker);
}

static void write_fault(const struct sim_plan *plan, const struct sim_plan_fault *fault, struct sim_text *out)
{
    char other[16];
    (void)snprintf(other, sizeof other, "%d", fault->other);
    switch (fault->kind) {
    case SIM_PLAN_KILL:
        write_outage(fault, "kill", "restart", out);
        break;
    case SIM_PLAN_SHUTDOWN:
        write_outage(fault, "shutdown", "restart", out);
        break;
    case SIM_PLAN_FREEZE:
        write_outage(fault, "freeze", "thaw", out);
        break;
    case SIM_PLAN_SLOW_REPLICA:
        ENTRY(fault->at_ms, "\"do\": \"slow_replica\", \"broker\": %d, \"fetch_delay_ms\": %d", fault->broker,
              fault->delay_ms);
        ENTRY(fault->at_ms + fault->lasts_ms,
              "\"do\": \"slow_replica\", \"broker\": %d, \"fetch_delay_ms\": 0", fault->broker);
        break;
    case SIM_PLAN_SLOW_DISK:
        ENTRY(fault->at_ms, "\"do\": \"slow_disk\", \"broker\": %d, \"append_ms\": %d", fault->broker,
              fault->delay_ms / 5);
        ENTRY(fault->at_ms + fault->lasts_ms, "\"do\": \"slow_disk\", \"broker\": %d, \"append_ms\": 0",
              fault->broker);
        break;
    case SIM_PLAN_CUT_PRODUCERS:
        write_cut(fault, "\"producers\"", out);
        break;
    case SIM_PLAN_CUT_BROKER:
        if (fault->other != fault->broker) {
            write_cut(fault, other, out);
        }
        break;
    case SIM_PLAN_CUT_CLUSTER:
        write_cut(fault, "\"cluster\"", out);
        break;
    case SIM_PLAN_CUT_ALL:
        write_cut(fault, "\"all\"", out);
        break;
    case SIM_PLAN_DISCONNECT:
        ENTRY(fault->at_ms, "\"do\": \"disconnect\", \"broker\": %d", fault->broker);
        break;
    case SIM_PLAN_DROP_RESPONSE:
        ENTRY(fault->at_ms, "\"do\": \"drop_response\", \"count\": %d", fault->count);
        break;
    case SIM_PLAN_DROP_REQUEST:
        ENTRY(fault->at_ms, "\"do\": \"drop_request\", \"count\": %d", fault->count);
        break;
    case SIM_PLAN_DELAY_RESPONSE:
        ENTRY(fault->at_ms, "\"do\": \"delay_response\", \"delay_ms\": %d, \"count\": %d", fault->delay_ms,
              fault->count);
        break;
    case SIM_PLAN_ERROR:
        ENTRY(fault->at_ms, "\"do\": \"error\", \"code\": \"%s\", \"appended\": %s, \"count\": %d",
              error_names[fault->code], fault->flag ? "true" : "false", fault->count);
        break;
    case SIM_PLAN_THROTTLE:
        ENTRY(fault->at_ms, "\"do\": \"throttle\", \"throttle_ms\": %d, \"count\": %d", fault->delay_ms,
              fault->count);
        break;
    case SIM_PLAN_MOVE_LEADER:
        ENTRY(fault->at_ms, "\"do\": \"move_leader\", \"topic\": \"t%d\", \"partition\": %d, \"broker\": %d",
              fault->topic, fault->partition, fault->broker);
        break;
    case SIM_PLAN_ADD_PARTITIONS:
        ENTRY(fault->at_ms, "\"do\": \"add_partitions\", \"topic\": \"t%d\", \"partitions\": %d",
              fault->topic, plan->topics[fault->topic].partition_count + fault->count);
        break;
    case SIM_PLAN_SET:
        ENTRY(fault->at_ms, "\"do\": \"set\", \"producer\": \"p0\", \"config\": { \"retry.backoff.ms\": %d }",
              fault->delay_ms % 20);
        break;
    case SIM_PLAN_FAULT_KIND_COUNT:
        break;
    }
}

void sim_plan_write(const struct sim_plan *plan, struct sim_text *out)
{
    sim_text_add(out,
                 "{\n  \"linger\": 1,\n  \"name\": \"simulated, seed %" PRIu64 "\",\n  \"seed\": %" PRIu64
                 ",\n  \"duration_ms\": %d,\n",
                 plan->seed, plan->seed, DURATION_MS);
    write_cluster(plan, out);
    sim_text_add(out, "  \"producers\": [");
    for (uint32_t i = 0; i < plan->producer_count; i++) {
        write_producer(&plan->producers[i], i, out);
    }
    /* The first entry does nothing but keep the run going until the cluster has recovered. */
    sim_text_add(out,
                 "\n  ],\n  \"timeline\": [\n    { \"at_ms\": %d, \"do\": \"slow_replica\", \"broker\": 1,"
                 " \"fetch_delay_ms\": 0 }",
                 FAULTS_UNTIL_MS + plan->session_ms + 600);
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        write_fault(plan, &plan->faults[i], out);
    }
    sim_text_add(out, "\n  ]\n}\n");
}

/* --- Shrinking
 * ------------------------------------------------------------------------------------------------------ */

static bool without_fault(struct sim_plan *plan, uint32_t index)
{
    for (uint32_t i = index; i + 1 < plan->fault_count; i++) {
        plan->faults[i] = plan->faults[i + 1];
    }
    plan->fault_count--;
    return true;
}

static bool without_producer(struct sim_plan *plan, uint32_t index)
{
    if (plan->producer_count == 1) {
        return false;
    }
    for (uint32_t i = index; i + 1 < plan->producer_count; i++) {
        plan->producers[i] = plan->producers[i + 1];
    }
    plan->producer_count--;
    return true;
}

static bool with_fewer_records(struct sim_plan *plan, uint32_t producer)
{
    bool fewer = false;
    for (uint32_t i = 0; i < plan->producers[producer].thread_count; i++) {
        struct sim_plan_thread *thread = &plan->producers[producer].threads[i];
        fewer = fewer || thread->record_count > 1;
        thread->record_count = (thread->record_count + 1) / 2;
    }
    return fewer;
}

static bool with_fewer_brokers(struct sim_plan *plan)
{
    int32_t fewer = (int32_t)plan->broker_count - 1;
    for (uint32_t i = 0; i < plan->topic_count; i++) {
        if (plan->topics[i].replication_factor > fewer) {
            return false;
        }
    }
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        if (plan->faults[i].broker > fewer || plan->faults[i].other > fewer) {
            plan->faults[i].broker = plan->faults[i].broker > fewer ? fewer : plan->faults[i].broker;
            plan->faults[i].other = plan->faults[i].other > fewer ? 1 : plan->faults[i].other;
        }
    }
    plan->broker_count--;
    return fewer > 0;
}

static bool with_one_thread(struct sim_plan *plan, uint32_t producer)
{
    bool fewer = plan->producers[producer].thread_count > 1;
    plan->producers[producer].thread_count = 1;
    return fewer;
}

static bool without_compression(struct sim_plan *plan, uint32_t producer)
{
    bool simpler = plan->producers[producer].compression != 0;
    plan->producers[producer].compression = 0;
    return simpler;
}

bool sim_plan_smaller(const struct sim_plan *plan, uint32_t number, struct sim_plan *out, bool *is_smaller)
{
    *out = *plan;
    if (number < plan->fault_count) {
        *is_smaller = without_fault(out, number);
        return true;
    }
    number -= plan->fault_count;
    bool (*const changes[])(struct sim_plan *, uint32_t) = {without_producer, with_one_thread,
                                                            with_fewer_records, without_compression};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        if (number < plan->producer_count) {
            *is_smaller = changes[i](out, number);
            return true;
        }
        number -= plan->producer_count;
    }
    *is_smaller = number == 0 && with_fewer_brokers(out);
    return number == 0;
}
