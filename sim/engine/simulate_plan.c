#include "engine/simulate_plan.h"

#include "base/prng.h"

enum { FAULTS_FROM_MS = 10, FAULTS_UNTIL_MS = SIM_PLAN_FAULTS_UNTIL_MS };

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
    plan->fetch_max_bytes = PICK(prng, 1 << 20, 1 << 20, 1 << 20, 600);
    plan->quota_byte_rate = PICK(prng, 0, 0, 0, 0, 0, 0, 0, 2000);
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
        topic->has_append_time = kb_prng_chance(prng, 1, 4);
        topic->retention_bytes = PICK(prng, 0, 0, 0, 0, 0, 6000);
        topic->compression = PICK(prng, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5);
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

/* A producer with transactions is idempotent, and has one thread. */
static void draw_transactions(struct kb_prng *prng, struct sim_plan *plan)
{
    struct sim_plan_producer *first = &plan->producers[0];
    for (uint32_t i = 0; i < plan->producer_count; i++) {
        struct sim_plan_producer *producer = &plan->producers[i];
        bool usurps = i > 0 && first->transactions == SIM_PLAN_TRANSACTIONS && kb_prng_chance(prng, 1, 2);
        if (!usurps && !kb_prng_chance(prng, 1, 5)) {
            continue;
        }
        producer->transactions = usurps ? SIM_PLAN_USURPER : SIM_PLAN_TRANSACTIONS;
        producer->is_idempotent = true;
        producer->acks = -1;
        producer->retries = -1;
        producer->in_flight = producer->in_flight > 5 ? 5 : producer->in_flight;
        producer->transaction_records = between(prng, 1, 12);
        producer->abort_every = PICK(prng, 0, 2, 3, 5);
        producer->usurps_ms = between(prng, 40, 300);
        producer->thread_count = 1;
        producer->threads[0].sync = false;
        producer->threads[0].flush = false;
    }
}

/* Half of them where something is going on: one partition under fire meets more than three that are left
 * alone. */
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
    fault->code = between(prng, 0, SIM_PLAN_ERROR_COUNT - 1);
    fault->flag = kb_prng_chance(prng, 1, 2);
    fault->point = between(prng, 0, SIM_PLAN_POINT_COUNT - 1);
    fault->skip = PICK(prng, 0, 0, 1, 5, 20);
}

/* The way to an unclean election: everybody else of an ISR falls behind and out of it, then the last one dies
 * for longer than its session. */
static void draw_disaster(struct kb_prng *prng, const struct sim_plan *plan, struct sim_plan_fault *faults)
{
    int32_t leader = between(prng, 1, (int32_t)plan->broker_count);
    draw_fault(prng, plan, &faults[0]);
    faults[0].kind = SIM_PLAN_CUT_CLUSTER;
    faults[0].broker = leader;
    faults[0].flag = false;
    faults[0].at_ms = between(prng, FAULTS_FROM_MS, 80);
    faults[0].lasts_ms = between(prng, 50, 150);
    faults[1] = faults[0];
    faults[1].kind = SIM_PLAN_KILL;
    faults[1].broker = leader % (int32_t)plan->broker_count + 1;
    faults[1].at_ms += faults[0].lasts_ms - between(prng, 1, 20);
    faults[1].lasts_ms = plan->session_ms + between(prng, 20, 100);
    draw_fault(prng, plan, &faults[2]);
    faults[2].kind = SIM_PLAN_SLOW_REPLICA;
    faults[2].broker = leader;
    faults[2].delay_ms = 150;
    faults[2].at_ms = between(prng, FAULTS_FROM_MS, 60);
    faults[2].lasts_ms = 250;
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
    draw_transactions(&prng, out);
    out->consumer_count = (uint32_t)PICK(&prng, 0, 0, 0, 1, 2);
    for (uint32_t i = 0; i < out->consumer_count; i++) {
        struct sim_plan_consumer *consumer = &out->consumers[i];
        consumer->topic = between(&prng, 0, (int32_t)out->topic_count - 1);
        consumer->partition = between(&prng, 0, out->topics[consumer->topic].partition_count - 1);
        consumer->is_committed = kb_prng_chance(&prng, 2, 3);
    }
    out->fault_count = (uint32_t)PICK(&prng, 0, 1, 2, 3, 4, 6, 10);
    for (uint32_t i = 0; i < out->fault_count; i++) {
        draw_fault(&prng, out, &out->faults[i]);
    }
    if (kb_prng_chance(&prng, 1, 8)) {
        out->fault_count = out->fault_count < 3 ? 3 : out->fault_count;
        out->is_unclean = kb_prng_chance(&prng, 3, 4);
        draw_disaster(&prng, out, out->faults);
    }
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
    if (index == 0) {
        for (uint32_t i = 0; i < plan->producer_count; i++) {
            if (plan->producers[i].transactions == SIM_PLAN_USURPER) {
                plan->producers[i].transactions = SIM_PLAN_NO_TRANSACTIONS;
            }
        }
    }
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

static bool without_transactions(struct sim_plan *plan, uint32_t producer)
{
    bool simpler = plan->producers[producer].transactions == SIM_PLAN_TRANSACTIONS;
    for (uint32_t i = 0; i < plan->producer_count; i++) {
        if (simpler && (i == producer || plan->producers[i].transactions == SIM_PLAN_USURPER)) {
            plan->producers[i].transactions = SIM_PLAN_NO_TRANSACTIONS;
        }
    }
    return simpler;
}

static bool without_consumers(struct sim_plan *plan)
{
    bool simpler = plan->consumer_count > 0;
    plan->consumer_count = 0;
    return simpler;
}

static bool with_plain_topics(struct sim_plan *plan)
{
    bool simpler = false;
    for (uint32_t i = 0; i < plan->topic_count; i++) {
        struct sim_plan_topic *topic = &plan->topics[i];
        simpler = simpler || topic->has_append_time || topic->retention_bytes != 0 ||
                  topic->compression != 0 || topic->max_message_bytes != 0;
        topic->has_append_time = false;
        topic->retention_bytes = 0;
        topic->compression = 0;
        topic->max_message_bytes = 0;
    }
    return simpler;
}

static bool without_limits(struct sim_plan *plan)
{
    bool simpler = plan->quota_byte_rate != 0 || plan->fetch_max_bytes != 1 << 20;
    plan->quota_byte_rate = 0;
    plan->fetch_max_bytes = 1 << 20;
    return simpler;
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
    bool (*const changes[])(struct sim_plan *, uint32_t) = {
        without_producer, with_one_thread, with_fewer_records, without_compression, without_transactions};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        if (number < plan->producer_count) {
            *is_smaller = changes[i](out, number);
            return true;
        }
        number -= plan->producer_count;
    }
    bool (*const simplifications[])(struct sim_plan *) = {with_fewer_brokers, without_consumers,
                                                          with_plain_topics, without_limits};
    uint32_t simplification_count = sizeof simplifications / sizeof simplifications[0];
    *is_smaller = number < simplification_count && simplifications[number](out);
    return number < simplification_count;
}
