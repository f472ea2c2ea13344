/*
 * A plan as a scenario file.
 */
#include "engine/simulate_plan.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const error_names[] = {
    "NOT_LEADER_OR_FOLLOWER", "NOT_ENOUGH_REPLICAS", "NOT_ENOUGH_REPLICAS_AFTER_APPEND", "REQUEST_TIMED_OUT",
    "CORRUPT_MESSAGE",        "KAFKA_STORAGE_ERROR", "UNKNOWN_TOPIC_OR_PARTITION",
};
static_assert(sizeof error_names / sizeof error_names[0] == SIM_PLAN_ERROR_COUNT,
              "plans draw from all of them");

/* Long enough for every batch to be acknowledged or to expire after the last fault is taken back. */
enum { DURATION_MS = 30000 };

/* A retention of so many bytes in segments of a third. */
static void write_topic(const struct sim_plan_topic *topic, uint32_t index, struct sim_text *out)
{
    static const char *const compressions[] = {"producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"};
    sim_text_add(out,
                 "%s\n      { \"name\": \"t%" PRIu32 "\", \"partitions\": %d, \"replication.factor\": %d,"
                 " \"config\": { \"min.insync.replicas\": %d",
                 index > 0 ? "," : "", index, topic->partition_count, topic->replication_factor,
                 topic->min_insync_replicas);
    if (topic->max_message_bytes > 0) {
        sim_text_add(out, ", \"max.message.bytes\": %d", topic->max_message_bytes);
    }
    if (topic->has_append_time) {
        sim_text_add(out, ", \"message.timestamp.type\": \"LogAppendTime\"");
    }
    if (topic->retention_bytes > 0) {
        sim_text_add(out, ", \"retention.bytes\": %d, \"segment.bytes\": %d", topic->retention_bytes,
                     topic->retention_bytes / 3);
    }
    if (topic->compression > 0) {
        sim_text_add(out, ", \"compression.type\": \"%s\"", compressions[topic->compression]);
    }
    sim_text_add(out, " } }");
}

static void write_cluster(const struct sim_plan *plan, struct sim_text *out)
{
    uint32_t internal_replicas = plan->broker_count < 3 ? plan->broker_count : 3;
    sim_text_add(out,
                 "  \"cluster\": {\n    \"brokers\": %" PRIu32 ",\n    \"config\": {\n"
                 "      \"replica.lag.time.max.ms\": %d,\n      \"replica.fetch.wait.max.ms\": %d,\n"
                 "      \"replica.fetch.max.bytes\": %d,\n"
                 "      \"replica.fetch.backoff.ms\": 10,\n      \"replica.socket.timeout.ms\": 200,\n"
                 "      \"controlled.shutdown.retry.backoff.ms\": 20,\n"
                 "      \"transaction.state.log.num.partitions\": 2,\n      \"quota.window.num\": 2,\n"
                 "      \"transaction.state.log.replication.factor\": %" PRIu32 ",\n"
                 "      \"transaction.state.log.min.isr\": %" PRIu32 ",\n"
                 "      \"transaction.abort.timed.out.transaction.cleanup.interval.ms\": 200,\n"
                 "      \"zookeeper.session.timeout.ms\": %d,\n"
                 "      \"unclean.leader.election.enable\": %s\n    },\n    \"topics\": [",
                 plan->broker_count, plan->lag_ms, plan->fetch_wait_ms, plan->fetch_max_bytes,
                 internal_replicas, internal_replicas < 2 ? internal_replicas : 2, plan->session_ms,
                 plan->is_unclean ? "true" : "false");
    for (uint32_t i = 0; i < plan->topic_count; i++) {
        write_topic(&plan->topics[i], i, out);
    }
    sim_text_add(out,
                 "\n    ],\n    \"network\": { \"latency_us\": { \"uniform\": [%d, %d] } },\n"
                 "    \"disk\": { \"append_us\": %d }",
                 plan->latency_us[0], plan->latency_us[1], plan->disk_us);
    if (plan->quota_byte_rate > 0) {
        sim_text_add(out, ",\n    \"quotas\": [ { \"producer_byte_rate\": %d } ]", plan->quota_byte_rate);
    }
    sim_text_add(out, "\n  },\n");
}

static void write_transactions(const struct sim_plan_producer *producer, struct sim_text *out)
{
    if (producer->transactions == SIM_PLAN_TRANSACTIONS) {
        sim_text_add(out, " \"transactions\": { \"records\": %d, \"abort_every\": %d },",
                     producer->transaction_records, producer->abort_every);
    } else if (producer->transactions == SIM_PLAN_USURPER) {
        sim_text_add(out,
                     " \"calls\": [ { \"at_ms\": %d, \"call\": \"initTransactions\" },"
                     " { \"at_ms\": %d, \"call\": \"beginTransaction\" },"
                     " { \"at_ms\": %d, \"call\": \"commitTransaction\" } ],",
                     producer->usurps_ms, producer->usurps_ms + 40, producer->usurps_ms + 200);
    }
}

static void write_thread(const struct sim_plan_producer *of, const struct sim_plan_thread *thread,
                         uint32_t producer, uint32_t index, struct sim_text *out)
{
    static const char *const arrivals[] = {"steady", "poisson", "burst"};
    static const char *const keys[] = {NULL, "cycle", "uniform", "zipf"};
    sim_text_add(out, "%s\n        {", index > 0 ? "," : "");
    write_transactions(of, out);
    sim_text_add(out,
                 " \"sync\": %s, \"flush\": %s, \"records\": { \"topic\": \"t%d\", \"count\": %d,"
                 " \"rate_per_s\": %d, \"arrivals\": \"%s\", \"value_bytes\": { \"uniform\": [%d, %d] }",
                 thread->sync ? "true" : "false", thread->flush ? "true" : "false", thread->topic,
                 thread->record_count, thread->rate_per_s, arrivals[thread->arrivals], thread->value_bytes[0],
                 thread->value_bytes[1]);
    /* Keys are of one thread alone, so that no two records are alike: the ledger tells them apart. */
    if (thread->key_kind > 0) {
        sim_text_add(out, ", \"key\": { \"%s\": { \"keys\": 5, \"prefix\": \"p%" PRIu32 "-%" PRIu32 "-\" } }",
                     keys[thread->key_kind], producer, index);
    } else if (producer + index > 0) {
        sim_text_add(out, ", \"key\": \"p%" PRIu32 "-%" PRIu32 "\"", producer, index);
    }
    if (of->transactions == SIM_PLAN_USURPER) {
        sim_text_add(out, ", \"start_ms\": %d", of->usurps_ms + 60);
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
    if (producer->transactions != SIM_PLAN_NO_TRANSACTIONS) {
        sim_text_add(out,
                     "        \"transactional.id\": \"id-%" PRIu32 "\",\n"
                     "        \"transaction.timeout.ms\": 1500,\n",
                     producer->transactions == SIM_PLAN_USURPER ? 0 : index);
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
        write_thread(producer, &producer->threads[i], index, i, out);
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

/* What happens where. */
static const struct {
    const char *what;
    const char *when;
    const char *ends; /* after how long; NULL: at once */
} points[] = {
    {"kill", "request_cut", "restart_after_ms"},
    {"kill", "request_received", "restart_after_ms"},
    {"kill", "before_append", "restart_after_ms"},
    {"kill", "after_append", "restart_after_ms"},
    {"kill", "after_replication", "restart_after_ms"},
    {"kill", "before_response", "restart_after_ms"},
    {"kill", "response_cut", "restart_after_ms"},
    {"disconnect", "request_received", NULL},
    {"disconnect", "after_append", NULL},
    {"disconnect", "after_replication", NULL},
    {"disconnect", "response_cut", NULL},
    {"freeze", "after_append", "thaw_after_ms"},
    {"freeze", "after_replication", "thaw_after_ms"},
    {"cut", "after_append", "heal_after_ms"},
    {"cut", "before_response", "heal_after_ms"},
    {"shutdown", "after_append", "restart_after_ms"},
    {"drop_response", "after_replication", NULL},
    {"drop_request", "before_append", NULL},
};
static_assert(sizeof points / sizeof points[0] == SIM_PLAN_POINT_COUNT, "plans draw from all of them");

static void write_point(const struct sim_plan_fault *fault, struct sim_text *out)
{
    ENTRY(fault->at_ms, "\"do\": \"%s\", \"when\": \"%s\", \"skip\": %d", points[fault->point].what,
          points[fault->point].when, fault->skip);
    if (points[fault->point].ends != NULL) {
        out->length_bytes -= 2; /* " }" */
        /* A controlled shutdown takes its time, and who is still at it cannot be started. */
        bool is_slow = strcmp(points[fault->point].what, "shutdown") == 0;
        sim_text_add(out, ", \"%s\": %d }", points[fault->point].ends, fault->lasts_ms + (is_slow ? 400 : 0));
    }
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
    case SIM_PLAN_CORRUPT:
        ENTRY(fault->at_ms, "\"do\": \"corrupt_batch\", \"where\": \"%s\", \"count\": %d",
              fault->flag ? "follower" : "producer", fault->count);
        break;
    case SIM_PLAN_AT_POINT:
        write_point(fault, out);
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
    sim_text_add(out, "\n  ],\n  \"consumers\": [");
    for (uint32_t i = 0; i < plan->consumer_count; i++) {
        const struct sim_plan_consumer *consumer = &plan->consumers[i];
        sim_text_add(
            out,
            "%s\n    { \"name\": \"c%" PRIu32 "\", \"config\": { \"isolation.level\": \"read_%scommitted\","
            " \"auto.offset.reset\": \"earliest\" }, \"assign\": [ { \"topic\": \"t%d\", \"partition\": %d"
            " } ] }",
            i > 0 ? "," : "", i, consumer->is_committed ? "" : "un", consumer->topic, consumer->partition);
    }
    /* The first entry does nothing but keep the run going until the cluster has recovered. */
    sim_text_add(out,
                 "\n  ],\n  \"timeline\": [\n    { \"at_ms\": %d, \"do\": \"slow_replica\", \"broker\": 1,"
                 " \"fetch_delay_ms\": 0 }",
                 SIM_PLAN_FAULTS_UNTIL_MS + plan->session_ms + 600);
    /* Whoever was still shutting down when it was to start again. */
    for (uint32_t i = 1; i <= plan->broker_count; i++) {
        sim_text_add(out, ",\n    { \"at_ms\": %d, \"do\": \"restart\", \"broker\": %" PRIu32 " }",
                     SIM_PLAN_FAULTS_UNTIL_MS + plan->session_ms + 400, i);
    }
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        write_fault(plan, &plan->faults[i], out);
    }
    sim_text_add(out, "\n  ]\n}\n");
}
