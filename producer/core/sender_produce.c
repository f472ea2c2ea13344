/*
 * From ready nodes to produce requests. Kafka: Sender.sendProducerData, sendProduceRequest.
 */
#include "base/assert.h"
#include "core/memory.h"
#include "core/sender_internal.h"

#include <string.h>

/* Marks, in a count of batches, that it has become a place. */
#define KP_PLACE_FLAG (UINT32_C(1) << 31)

/* The oldest version of Produce. */
enum { FIRST_VERSION_WITH_MAGIC_2 = 3 };

/* --- Batches in flight */

static struct kp_in_flight_partition *partition_of(struct kp_sender *sender,
                                                   const struct kp_producer_batch *batch)
{
    uint32_t index = batch->partition->index;

    KB_ASSERT(index < sender->in_flight_capacity ||
              kp_grow(sender->options.allocator, &sender->in_flight, &sender->in_flight_capacity, index + 1,
                      sizeof(*sender->in_flight)));
    return &sender->in_flight[index];
}

static void add_in_flight(struct kp_sender *sender, struct kp_producer_batch *batch)
{
    struct kp_in_flight_partition *partition = partition_of(sender, batch);

    KB_ASSERT(!batch->is_in_flight);
    if (!partition->is_listed) {
        KB_ASSERT(kp_grow(sender->options.allocator, &sender->in_flight_partitions,
                          &sender->in_flight_partition_capacity, sender->in_flight_partition_count + 1,
                          sizeof(*sender->in_flight_partitions)));
        sender->in_flight_partitions[sender->in_flight_partition_count++] = batch->partition->index;
        partition->is_listed = true;
    }
    batch->is_in_flight = true;
    batch->in_flight_next = NULL;
    batch->in_flight_previous = partition->last;
    if (partition->last != NULL) {
        partition->last->in_flight_next = batch;
    } else {
        partition->first = batch;
        sender->in_flight_oldest_ms =
            batch->created_ms < sender->in_flight_oldest_ms ? batch->created_ms : sender->in_flight_oldest_ms;
    }
    partition->last = batch;
}

void kp_sender_remove_in_flight(struct kp_sender *sender, struct kp_producer_batch *batch)
{
    struct kp_in_flight_partition *partition = partition_of(sender, batch);

    if (!batch->is_in_flight) {
        return;
    }
    batch->is_in_flight = false;
    sender->is_in_flight_oldest_known = false;
    if (batch->in_flight_previous != NULL) {
        batch->in_flight_previous->in_flight_next = batch->in_flight_next;
    } else {
        partition->first = batch->in_flight_next;
    }
    if (batch->in_flight_next != NULL) {
        batch->in_flight_next->in_flight_previous = batch->in_flight_previous;
    } else {
        partition->last = batch->in_flight_previous;
    }
    batch->in_flight_previous = NULL;
    batch->in_flight_next = NULL;
}

void kp_sender_remove_and_deallocate(struct kp_sender *sender, struct kp_producer_batch *batch)
{
    kp_sender_remove_in_flight(sender, batch);
    kp_record_accumulator_deallocate(sender->options.accumulator, batch);
}

/* --- Expiry */

static void take_expired_of(struct kp_sender *sender, struct kp_in_flight_partition *partition,
                            int64_t now_ms, struct kp_batch_list *out)
{
    struct kp_producer_batch *batch;

    while ((batch = partition->first) != NULL && kp_producer_batch_has_reached_delivery_timeout(
                                                     batch, sender->options.delivery_timeout_ms, now_ms)) {
        KB_ASSERT(!kp_producer_batch_is_done(batch));
        kp_sender_remove_in_flight(sender, batch);
        batch->drained_next = NULL;
        if (out->last != NULL) {
            out->last->drained_next = batch;
        } else {
            out->first = batch;
        }
        out->last = batch;
        out->count++;
        (void)KB_TRACE(sender->trace, 0, BATCH_EXPIRED, batch_expired, .age_ms = now_ms - batch->created_ms,
                       .batch = batch->number, .topic = batch->partition->topic->trace_name,
                       .partition = batch->partition->partition, .in_flight = 1);
    }
}

/* Kafka: getExpiredInflightBatches. Chained by drained_next, behind those of the accumulator. Kafka looks at
 * the first batch of every partition in each pass; here the oldest of them is remembered. */
static void take_expired_in_flight(struct kp_sender *sender, int64_t now_ms, struct kp_batch_list *out)
{
    uint32_t kept = 0;

    if (!sender->is_in_flight_oldest_known ||
        (sender->in_flight_oldest_ms != INT64_MAX &&
         now_ms - sender->in_flight_oldest_ms >= sender->options.delivery_timeout_ms)) {
        sender->in_flight_oldest_ms = INT64_MAX;
        for (uint32_t i = 0; i < sender->in_flight_partition_count; i++) {
            struct kp_in_flight_partition *partition = &sender->in_flight[sender->in_flight_partitions[i]];

            take_expired_of(sender, partition, now_ms, out);
            if (partition->first != NULL) {
                int64_t created_ms = partition->first->created_ms;

                sender->in_flight_partitions[kept++] = sender->in_flight_partitions[i];
                sender->in_flight_oldest_ms =
                    created_ms < sender->in_flight_oldest_ms ? created_ms : sender->in_flight_oldest_ms;
            } else {
                partition->is_listed = false;
            }
        }
        sender->in_flight_partition_count = kept;
        sender->is_in_flight_oldest_known = true;
    }
    if (sender->in_flight_oldest_ms != INT64_MAX) {
        kp_record_accumulator_update_next_expiry(sender->options.accumulator, sender->in_flight_oldest_ms);
    }
}

static void fail_expired(struct kp_sender *sender, struct kp_producer_batch *batch, int64_t now_ms)
{
    struct kp_transaction_manager *manager = sender->options.transaction_manager;
    bool in_retry = batch->in_retry;
    struct kp_failure failure;

    kp_failure_throwf(&failure, "TimeoutException",
                      "Expiring %u record(s) for %s-%d:%lld ms has passed since batch creation",
                      batch->record_count, batch->partition->topic->name, batch->partition->partition,
                      (long long)(now_ms - batch->created_ms));
    kp_producer_batch_retain(batch);
    (void)kp_sender_fail_batch(sender, batch, KW_ERROR_REQUEST_TIMED_OUT, &failure, false);
    if (manager != NULL && in_retry) {
        kp_transaction_manager_mark_unresolved(manager, batch);
    }
    kp_producer_batch_release(batch);
}

static void expire(struct kp_sender *sender, int64_t now_ms)
{
    struct kp_record_accumulator *accumulator = sender->options.accumulator;
    struct kp_batch_list in_flight = {NULL, NULL, 0};
    struct kp_batch_list queued;

    kp_record_accumulator_reset_next_expiry(accumulator);
    take_expired_in_flight(sender, now_ms, &in_flight);
    kp_record_accumulator_expired(accumulator, now_ms, &queued);
    for (struct kp_producer_batch *batch = queued.first, *next; batch != NULL; batch = next) {
        next = batch->drained_next;
        fail_expired(sender, batch, now_ms);
    }
    for (struct kp_producer_batch *batch = in_flight.first, *next; batch != NULL; batch = next) {
        next = batch->drained_next;
        fail_expired(sender, batch, now_ms);
    }
}

/* --- Requests */

static void on_release(void *context, void *subject)
{
    struct kp_produce_request *request = subject;
    struct kp_sender *sender = request->sender;

    (void)context;
    for (uint32_t i = 0; i < request->count; i++) {
        kp_buffer_release(request->carried[i].buffer);
        kp_producer_batch_release(request->carried[i].batch);
    }
    request->count = 0;
    request->next = sender->free_requests;
    sender->free_requests = request;
}

void kp_sender_release_produce(struct kp_sender *sender)
{
    const struct linger_allocator *allocator = sender->options.allocator;

    for (struct kp_produce_request *request = sender->free_requests, *next; request != NULL; request = next) {
        next = request->next;
        kb_deallocate(allocator, request->carried, request->carried_capacity * sizeof(*request->carried));
        kb_deallocate(allocator, request->infos, request->info_capacity * sizeof(*request->infos));
        kb_deallocate(allocator, request, sizeof(*request));
    }
    kb_deallocate(allocator, sender->in_flight, sender->in_flight_capacity * sizeof(*sender->in_flight));
    kb_deallocate(allocator, sender->in_flight_partitions,
                  sender->in_flight_partition_capacity * sizeof(*sender->in_flight_partitions));
    kb_deallocate(allocator, sender->drained, sender->drained_capacity * sizeof(struct kp_produce_request *));
    kb_deallocate(allocator, sender->ready_nodes, sender->ready_node_capacity * sizeof(*sender->ready_nodes));
    kb_deallocate(allocator, sender->topic_places,
                  sender->topic_place_capacity * sizeof(*sender->topic_places));
}

static struct kp_produce_request *take_produce_request(struct kp_sender *sender, uint32_t count)
{
    const struct linger_allocator *allocator = sender->options.allocator;
    struct kp_produce_request *request = sender->free_requests;

    if (request != NULL) {
        sender->free_requests = request->next;
    } else {
        request = kb_allocate_zeroed(allocator, 1, sizeof(*request));
    }
    KB_ASSERT(request != NULL);
    request->sender = sender;
    KB_ASSERT(
        kp_grow(allocator, &request->carried, &request->carried_capacity, count, sizeof(*request->carried)) &&
        kp_grow(allocator, &request->infos, &request->info_capacity, count, sizeof(*request->infos)));
    return request;
}

static void carry(struct kp_produce_request *request, uint32_t place, struct kp_producer_batch *batch)
{
    kp_producer_batch_retain(batch);
    kp_buffer_retain(batch->buffer);
    request->carried[place] = (struct kp_carried_batch){
        .batch = batch, .buffer = batch->buffer, .bytes = kp_producer_batch_bytes(batch)};
    request->infos[place] = (struct kp_request_batch){
        .topic = batch->partition->topic->name,
        .partition = batch->partition->partition,
        .batch = batch->number,
        .record_count = batch->record_count,
        .record_ids = batch->record_ids,
        .size_bytes = kp_producer_batch_size_bytes(batch),
        .attempt = batch->attempts,
        .producer_id = kp_producer_batch_producer_id(batch),
        .producer_epoch = kp_producer_batch_producer_epoch(batch),
        .base_sequence = kp_producer_batch_base_sequence(batch),
        .transactional = kp_producer_batch_is_transactional(batch),
    };
}

/*
 * Take hold of what was drained for a node before anything happens to it: batches of a topic together, topics
 * in the order in which the drain met them. NULL: nothing was drained.
 */
static struct kp_produce_request *collect(struct kp_sender *sender, const struct kp_batch_list *batches)
{
    struct kp_produce_request *request;
    uint32_t next_place = 0;

    if (batches->count == 0) {
        return NULL;
    }
    request = take_produce_request(sender, batches->count);
    /* How many of each topic; then, from its first batch on, where its next one goes. */
    for (const struct kp_producer_batch *b = batches->first; b != NULL; b = b->drained_next) {
        uint32_t index = b->partition->topic->index;

        KB_ASSERT(kp_grow(sender->options.allocator, &sender->topic_places, &sender->topic_place_capacity,
                          index + 1, sizeof(*sender->topic_places)));
        sender->topic_places[index]++;
    }
    for (struct kp_producer_batch *b = batches->first; b != NULL; b = b->drained_next) {
        uint32_t *place = &sender->topic_places[b->partition->topic->index];

        if ((*place & KP_PLACE_FLAG) == 0) {
            uint32_t topic_batches = *place;

            *place = next_place | KP_PLACE_FLAG;
            next_place += topic_batches;
        }
        carry(request, *place & ~KP_PLACE_FLAG, b);
        (*place)++;
    }
    request->count = batches->count;
    for (const struct kp_producer_batch *b = batches->first; b != NULL; b = b->drained_next) {
        sender->topic_places[b->partition->topic->index] = 0;
    }
    return request;
}

/* The message; its arrays lie in the arena. */
static void lay_out_message(struct kp_sender *sender, const struct kp_produce_request *request,
                            struct kw_produce_request *message)
{
    struct kw_produce_request_topic *topics;
    struct kw_produce_request_partition *partitions;
    int32_t topic_count = 0;

    kb_arena_reset(&sender->arena);
    topics = kb_arena_allocate_zeroed(&sender->arena, request->count, sizeof(*topics));
    partitions = kb_arena_allocate_zeroed(&sender->arena, request->count, sizeof(*partitions));
    KB_ASSERT(topics != NULL && partitions != NULL);
    for (uint32_t i = 0; i < request->count; i++) {
        const struct kp_topic *topic = request->carried[i].batch->partition->topic;

        if (i == 0 || request->carried[i - 1].batch->partition->topic != topic) {
            kw_produce_request_topic_init(&topics[topic_count]);
            topics[topic_count].name = (struct kw_string){topic->name, (int32_t)topic->name_length_bytes};
            topics[topic_count].partition_data.items = &partitions[i];
            topic_count++;
        }
        kw_produce_request_partition_init(&partitions[i]);
        partitions[i].index = request->infos[i].partition;
        partitions[i].records.bytes = request->carried[i].bytes;
        partitions[i].records.length_bytes = request->infos[i].size_bytes;
        topics[topic_count - 1].partition_data.count++;
    }
    kw_produce_request_init(message);
    message->topic_data.items = topics;
    message->topic_data.count = topic_count;
}

static void announce_carried(const struct kp_sender *sender, const struct kp_produce_request *request,
                             uint32_t correlation_id, int32_t node)
{
    for (uint32_t i = 0; i < request->count && sender->trace != NULL; i++) {
        const struct kp_producer_batch *batch = request->carried[i].batch;

        (void)KB_TRACE(sender->trace, 0, REQUEST_CARRIES, request_carries, .request = correlation_id,
                       .batch = batch->number, .topic = batch->partition->topic->trace_name,
                       .partition = batch->partition->partition, .bytes = request->infos[i].size_bytes,
                       .records = batch->record_count, .attempt = (uint32_t)request->infos[i].attempt,
                       .node = node);
    }
}

/* Kafka: sendProduceRequest. */
static void send_produce_request(struct kp_sender *sender, int32_t node, struct kp_produce_request *request,
                                 int64_t now_ms)
{
    const struct kp_transaction_manager *manager = sender->options.transaction_manager;
    struct kw_produce_request message;
    struct kp_client_request wanted = {
        .node = node,
        .api_key = KW_API_PRODUCE,
        .oldest_version = FIRST_VERSION_WITH_MAGIC_2,
        .latest_version = kw_api_find(KW_API_PRODUCE)->max_version,
        .expects_response = sender->options.acks != 0,
        .request_timeout_ms = sender->options.request_timeout_ms,
        .message = &message,
        .callback = kp_sender_on_produce_response,
        .context = sender,
        .subject = request,
        .release = on_release,
        .batches = request->infos,
        .batch_count = request->count,
        .acks = sender->options.acks,
        .timeout_ms = sender->options.request_timeout_ms,
    };

    lay_out_message(sender, request, &message);
    message.acks = sender->options.acks;
    message.timeout_ms = sender->options.request_timeout_ms;
    if (manager != NULL && kp_transaction_manager_is_transactional(manager)) {
        const char *id = kp_transaction_manager_transactional_id(manager);

        message.transactional_id = (struct kw_string){id, (int32_t)strlen(id)};
    }
    announce_carried(sender, request, kp_network_client_send(sender->options.client, &wanted, now_ms), node);
}

/*
 * Kafka: ProduceRequest.validateRecords throws UnsupportedCompressionTypeException("Produce requests with
 * version 6 are not allowed to use ZStandard compression") where the request is built. Sender.run only logs
 * it: the pass is over, and nothing more of it is sent.
 */
static bool is_refused_zstd(const struct kp_sender *sender, int32_t node,
                            const struct kp_produce_request *request)
{
    enum { FIRST_VERSION_WITH_ZSTD = 7 };
    int16_t version = kp_network_client_max_version(sender->options.client, node, KW_API_PRODUCE);

    if (version < FIRST_VERSION_WITH_MAGIC_2 || version >= FIRST_VERSION_WITH_ZSTD) {
        return false;
    }
    for (uint32_t i = 0; i < request->count; i++) {
        if (kw_record_batch_compression_id(request->carried[i].bytes) == KW_COMPRESSION_ZSTD) {
            return true;
        }
    }
    return false;
}

/* Nobody will answer for these batches: they stay in flight until their delivery time is over, and their
 * partitions muted for good where order is guaranteed. */
static void forget(struct kp_sender *sender, uint32_t first)
{
    kp_network_client_refuse_send(sender->options.client, sender->ready_nodes[first], KW_API_PRODUCE,
                                  KW_ERROR_UNSUPPORTED_COMPRESSION_TYPE);
    for (uint32_t i = first; i < sender->ready_node_count; i++) {
        if (sender->drained[i] != NULL) {
            on_release(NULL, sender->drained[i]);
        }
    }
}

static void send_drained(struct kp_sender *sender, int64_t now_ms)
{
    for (uint32_t i = 0; i < sender->ready_node_count; i++) {
        if (sender->drained[i] == NULL) {
            continue;
        }
        if (is_refused_zstd(sender, sender->ready_nodes[i], sender->drained[i])) {
            forget(sender, i);
            return;
        }
        send_produce_request(sender, sender->ready_nodes[i], sender->drained[i], now_ms);
    }
}

/* --- The pass */

/* Ready nodes that can be sent to, into sender->ready_nodes. Kafka: the loop over result.readyNodes. */
static void select_nodes(struct kp_sender *sender, const struct kp_ready_check *check, int64_t now_ms,
                         int64_t *not_ready_ms)
{
    struct kp_network_client *client = sender->options.client;

    KB_ASSERT(kp_grow(sender->options.allocator, &sender->ready_nodes, &sender->ready_node_capacity,
                      check->ready_node_count, sizeof(*sender->ready_nodes)) &&
              kp_grow(sender->options.allocator, &sender->drained, &sender->drained_capacity,
                      check->ready_node_count, sizeof(struct kp_produce_request *)));
    for (uint32_t i = 0; i < check->ready_node_count; i++) {
        int32_t id = check->ready_nodes[i];
        const struct kp_node *node = kp_producer_metadata_find_node(sender->options.metadata, id);
        int64_t delay_ms;
        int64_t left_ms;
        uint32_t held;

        KB_ASSERT(node != NULL);
        if (kp_network_client_ready(client, node, now_ms)) {
            sender->ready_nodes[sender->ready_node_count++] = id;
            continue;
        }
        delay_ms = kp_network_client_poll_delay_ms(client, id, now_ms);
        if (delay_ms < *not_ready_ms) {
            *not_ready_ms = delay_ms;
        }
        if (sender->trace == NULL) {
            continue;
        }
        held = kp_network_client_held_why(client, id, now_ms, &left_ms);
        kp_record_accumulator_note_held_node(sender->options.accumulator, id, held,
                                             left_ms == INT64_MAX ? 0 : left_ms, now_ms);
    }
}

static void drain(struct kp_sender *sender, int64_t now_ms)
{
    struct kp_record_accumulator *accumulator = sender->options.accumulator;

    for (uint32_t i = 0; i < sender->ready_node_count; i++) {
        struct kp_batch_list batches;

        kp_record_accumulator_drain_node(accumulator, sender->ready_nodes[i],
                                         sender->options.max_request_size_bytes, now_ms, &batches);
        sender->drained_count += batches.count;
        sender->drained[i] = collect(sender, &batches);
        for (struct kp_producer_batch *b = batches.first; b != NULL; b = b->drained_next) {
            add_in_flight(sender, b);
            /* A partition has one leader: nobody who is drained later minds that it is muted already. */
            if (sender->options.guarantees_message_order) {
                kp_record_accumulator_mute_partition(accumulator, b->partition);
            }
        }
    }
}

/* Kafka: updateProduceRequestMetrics. A ready node of which nothing was drained counts as well. */
static void measure(struct kp_sender *sender, int64_t now_ms)
{
    if (sender->options.metrics == NULL) {
        return;
    }
    for (uint32_t i = 0; i < sender->ready_node_count; i++) {
        const struct kp_produce_request *request = sender->drained[i];
        uint64_t record_count = 0;

        for (uint32_t b = 0; request != NULL && b < request->count; b++) {
            const struct kp_producer_batch *batch = request->carried[b].batch;

            kp_producer_metrics_record_batch(
                sender->options.metrics,
                &(struct kp_batch_measures){
                    .topic = batch->partition->topic,
                    .record_count = batch->record_count,
                    .size_bytes = request->infos[b].size_bytes,
                    .max_record_size_bytes = batch->max_record_size_bytes,
                    .queue_time_ms = batch->drained_ms - batch->created_ms,
                    .compression_ratio = (double)kw_record_batch_builder_compression_ratio(&batch->builder),
                },
                now_ms);
            record_count += batch->record_count;
        }
        kp_producer_metrics_record(sender->options.metrics, KP_SENSOR_RECORDS_PER_REQUEST,
                                   (double)record_count, now_ms);
    }
}

int64_t kp_sender_send_producer_data(struct kp_sender *sender, int64_t now_ms)
{
    struct kp_record_accumulator *accumulator = sender->options.accumulator;
    int64_t poll_ms = INT64_MAX;
    int64_t expiry_ms;
    struct kp_ready_check check;

    kp_record_accumulator_ready(accumulator, now_ms, &check);
    for (uint32_t i = 0; i < check.unknown_leader_topic_count; i++) {
        (void)kp_producer_metadata_add(sender->options.metadata, check.unknown_leader_topics[i], now_ms);
    }
    if (check.unknown_leader_topic_count > 0) {
        (void)kp_producer_metadata_request_update(sender->options.metadata, KB_METADATA_WHY_NO_LEADER);
    }
    select_nodes(sender, &check, now_ms, &poll_ms);
    drain(sender, now_ms);
    expire(sender, now_ms);
    measure(sender, now_ms);
    if (check.next_ready_check_delay_ms < poll_ms) {
        poll_ms = check.next_ready_check_delay_ms;
    }
    expiry_ms = kp_record_accumulator_next_expiry_ms(accumulator);
    if (expiry_ms != INT64_MAX && expiry_ms - now_ms < poll_ms) {
        poll_ms = expiry_ms - now_ms;
    }
    if (poll_ms < 0 || sender->ready_node_count > 0) {
        poll_ms = 0;
    }
    send_drained(sender, now_ms);
    return poll_ms;
}
