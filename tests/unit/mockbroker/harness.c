#include "harness.h"

#include "unit.h"

#include "base/allocator.h"
#include "wire/api_frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { BYTES, CLOSED, OPENED, READY, CONTROL };

struct harness_delivery {
    struct harness_delivery *next;
    int64_t due_us;
    enum kind kind;
    uint32_t connection;
    int32_t from;
    int32_t to;
    uint64_t message;
    size_t length_bytes;
    uint8_t bytes[];
};

static void mix(struct harness *h, const void *bytes, size_t length_bytes)
{
    const uint8_t *byte = bytes;
    for (size_t i = 0; i < length_bytes; i++) {
        h->digest = (h->digest ^ byte[i]) * 0x100000001b3u;
    }
}

/* --- Trace --- */

static uint64_t emit(void *context, struct kb_event *event, uint64_t cause)
{
    struct harness *h = context;
    (void)cause;
    event->time_us = h->now_us;
    h->event_counts[event->kind]++;
    h->last_events[event->kind] = *event;
    mix(h, &event->kind, sizeof event->kind);
    mix(h, &event->as, sizeof event->as);
    return 1;
}

static uint32_t intern(void *context, const char *name, size_t length_bytes)
{
    struct harness *h = context;
    for (uint32_t i = 1; i < HARNESS_NAMES; i++) {
        if (h->names[i][0] == '\0') {
            snprintf(h->names[i], sizeof h->names[i], "%.*s", (int)length_bytes, name);
        }
        if (strlen(h->names[i]) == length_bytes && memcmp(h->names[i], name, length_bytes) == 0) {
            return i;
        }
    }
    return 0;
}

/* --- Life --- */

void harness_open(struct harness *h, struct mb_options *options)
{
    *h = (struct harness){.latency_us = 500, .control_latency_us = 500, .next_connection = 1};
    h->trace = (struct kb_trace){.context = h, .emit = emit, .intern = intern, .source = KB_SOURCE_CLUSTER};
    kb_arena_init(&h->arena, kb_allocator_default(), 65536, 0);
    options->trace = &h->trace;
    struct mb_error error = {{0}};
    if (!mb_cluster_create(options, 0, &h->cluster, &error)) {
        printf("%s\n", error.text);
        CU_FAIL_FATAL("the cluster cannot be made");
    }
    harness_drain(h);
}

static uint32_t count(const struct mb_setting *settings)
{
    uint32_t n = 0;
    while (settings != NULL && settings[n].name != NULL) {
        n++;
    }
    return n;
}

void harness_open_simple(struct harness *h, uint32_t brokers, int32_t factor,
                         const struct mb_setting *broker_settings, const struct mb_setting *topic_settings)
{
    static const int32_t ids[] = {1, 2, 3, 4, 5};
    struct mb_topic_options topic = {
        .name = "t",
        .partition_count = 1,
        .replication_factor = factor,
        .settings = topic_settings,
        .setting_count = count(topic_settings),
    };
    struct mb_options options = {
        .broker_ids = ids,
        .broker_count = brokers,
        .settings = broker_settings,
        .setting_count = count(broker_settings),
        .topics = &topic,
        .topic_count = 1,
        .epoch_ms = 1600000000000,
        .seed = 7,
    };
    harness_open(h, &options);
}

void harness_close(struct harness *h)
{
    mb_cluster_destroy(h->cluster);
    while (h->first != NULL) {
        struct harness_delivery *delivery = h->first;
        h->first = delivery->next;
        free(delivery);
    }
    for (int i = 0; i < HARNESS_CONNECTIONS; i++) {
        free(h->clients[i].bytes);
    }
    kb_arena_release(&h->arena);
}

/* --- Moving things --- */

static bool is_cut(const struct harness *h, int32_t a, int32_t b)
{
    for (int i = 0; i < h->cut_count; i++) {
        if ((h->cuts[i].a == a && h->cuts[i].b == b) || (h->cuts[i].a == b && h->cuts[i].b == a)) {
            return true;
        }
    }
    return false;
}

static struct harness_delivery *schedule(struct harness *h, enum kind kind, int64_t delay_us,
                                         size_t length_bytes)
{
    struct harness_delivery *delivery = calloc(1, sizeof *delivery + length_bytes);
    delivery->kind = kind;
    delivery->due_us = h->now_us + delay_us;
    delivery->length_bytes = length_bytes;
    struct harness_delivery **place = &h->first;
    while (*place != NULL && (*place)->due_us <= delivery->due_us) {
        place = &(*place)->next;
    }
    delivery->next = *place;
    *place = delivery;
    return delivery;
}

static int64_t latency(const struct harness *h, int32_t from, int32_t to)
{
    return from == MB_CONTROLLER || to == MB_CONTROLLER ? h->control_latency_us : h->latency_us;
}

static void carry_bytes(struct harness *h, const struct mb_output *out)
{
    size_t total = 0;
    for (uint32_t i = 0; i < out->segment_count; i++) {
        total += out->segments[i].length_bytes;
    }
    CU_ASSERT_EQUAL_FATAL(total, out->length_bytes);
    struct harness_delivery *delivery = schedule(h, BYTES, latency(h, out->from, out->to), total);
    delivery->connection = out->connection;
    delivery->from = out->from;
    delivery->to = out->to;
    total = 0;
    for (uint32_t i = 0; i < out->segment_count; i++) {
        memcpy(delivery->bytes + total, out->segments[i].bytes, out->segments[i].length_bytes);
        total += out->segments[i].length_bytes;
    }
    mix(h, delivery->bytes, total);
}

void harness_drain(struct harness *h)
{
    struct mb_output out;
    while (mb_next_output(h->cluster, &out)) {
        struct harness_delivery *delivery = NULL;
        switch (out.kind) {
        case MB_OUTPUT_BYTES:
            carry_bytes(h, &out);
            break;
        case MB_OUTPUT_CLOSE:
            delivery = schedule(h, CLOSED, latency(h, out.from, out.to), 0);
            break;
        case MB_OUTPUT_CONNECT:
            CU_ASSERT_FATAL(h->next_connection < HARNESS_CONNECTIONS);
            mb_connect_numbered(h->cluster, out.message, h->next_connection);
            h->links[h->next_connection].from = out.from;
            h->links[h->next_connection].to = out.to;
            delivery = schedule(h, OPENED, latency(h, out.from, out.to), 0);
            out.connection = h->next_connection++;
            break;
        case MB_OUTPUT_CONTROL:
            delivery = schedule(h, CONTROL, latency(h, out.from, out.to), 0);
            break;
        case MB_OUTPUT_FAULT:
            h->fault_output = out;
            h->fault_output_count++;
            if (out.fault == MB_FAULT_CUT_LINKS) {
                harness_cut(h, out.from, out.link);
            }
            break;
        }
        if (delivery != NULL) {
            delivery->connection = out.connection;
            delivery->from = out.from;
            delivery->to = out.to;
            delivery->message = out.message;
        }
    }
    const char *problem = h->is_unchecked ? NULL : mb_check(h->cluster);
    if (problem != NULL) {
        printf("at %lld us: %s\n", (long long)h->now_us, problem);
        CU_FAIL_FATAL("an invariant does not hold");
    }
    h->steps++;
}

static void to_client(struct harness *h, const struct harness_delivery *delivery)
{
    struct harness_client *client = &h->clients[delivery->connection];
    if (delivery->kind == CLOSED) {
        client->is_open = false;
        client->is_closed_by_broker = true;
        return;
    }
    client->bytes = realloc(client->bytes, client->length_bytes + delivery->length_bytes);
    memcpy(client->bytes + client->length_bytes, delivery->bytes, delivery->length_bytes);
    client->length_bytes += delivery->length_bytes;
}

static void answer_open(struct harness *h, const struct harness_delivery *delivery)
{
    bool is_open =
        mb_connection_opened(h->cluster, delivery->connection, delivery->from, delivery->to, h->now_us);
    struct harness_delivery *answer =
        schedule(h, is_open ? READY : CLOSED, latency(h, delivery->to, delivery->from), 0);
    answer->connection = delivery->connection;
    answer->from = delivery->to;
    answer->to = delivery->from;
}

static void deliver(struct harness *h, struct harness_delivery *delivery)
{
    if (is_cut(h, delivery->from, delivery->to)) {
        if (delivery->kind == CONTROL) {
            mb_control_lost(h->cluster, delivery->message, h->now_us);
            return;
        }
        /* TCP keeps trying: it comes when the link is healed. */
        struct harness_delivery *later = schedule(h, delivery->kind, 200000, delivery->length_bytes);
        memcpy(later->bytes, delivery->bytes, delivery->length_bytes);
        later->connection = delivery->connection;
        later->from = delivery->from;
        later->to = delivery->to;
        return;
    }
    if (delivery->to == MB_FROM_CLIENT && delivery->kind != CONTROL) {
        to_client(h, delivery);
        return;
    }
    switch (delivery->kind) {
    case BYTES:
        mb_receive(h->cluster, delivery->connection, delivery->to, delivery->bytes, delivery->length_bytes,
                   h->now_us);
        break;
    case CLOSED:
        mb_connection_closed(h->cluster, delivery->connection, delivery->to, h->now_us);
        break;
    case OPENED:
        answer_open(h, delivery);
        break;
    case READY:
        mb_connection_ready(h->cluster, delivery->connection, h->now_us);
        break;
    case CONTROL:
        mb_control_arrived(h->cluster, delivery->message, h->now_us);
        break;
    }
}

/* The next thing that happens not after end_us; false: there is none. */
static bool step(struct harness *h, int64_t end_us)
{
    int64_t deadline_us = mb_next_deadline_us(h->cluster);
    int64_t delivery_us = h->first == NULL ? INT64_MAX : h->first->due_us;
    int64_t next_us = deadline_us < delivery_us ? deadline_us : delivery_us;
    if (next_us > end_us) {
        return false;
    }
    h->now_us = next_us > h->now_us ? next_us : h->now_us;
    if (delivery_us <= deadline_us) {
        struct harness_delivery *delivery = h->first;
        h->first = delivery->next;
        deliver(h, delivery);
        free(delivery);
    } else {
        mb_advance(h->cluster, h->now_us);
    }
    harness_drain(h);
    return true;
}

void harness_run(struct harness *h, int64_t duration_us)
{
    int64_t end_us = h->now_us + duration_us;
    harness_drain(h);
    while (step(h, end_us)) {
    }
    h->now_us = end_us;
}

void harness_cut(struct harness *h, int32_t a, int32_t b)
{
    h->cuts[h->cut_count].a = a;
    h->cuts[h->cut_count++].b = b;
}

void harness_heal(struct harness *h)
{
    h->cut_count = 0;
}

/* --- Client --- */

uint32_t harness_connect(struct harness *h, int32_t broker)
{
    uint32_t id = h->next_connection++;
    CU_ASSERT_FATAL(id < HARNESS_CONNECTIONS);
    h->clients[id].broker = broker;
    h->clients[id].is_open = mb_connection_opened(h->cluster, id, MB_FROM_CLIENT, broker, h->now_us);
    return id;
}

void harness_send_bytes(struct harness *h, uint32_t connection, const void *bytes, size_t length_bytes)
{
    struct harness_delivery *delivery = schedule(h, BYTES, h->latency_us, length_bytes);
    delivery->connection = connection;
    delivery->from = MB_FROM_CLIENT;
    delivery->to = h->clients[connection].broker;
    if (length_bytes > 0) {
        memcpy(delivery->bytes, bytes, length_bytes);
    }
}

int32_t harness_send(struct harness *h, uint32_t connection, enum kw_api_key api, int16_t version,
                     const void *body)
{
    struct kw_frame frame = {
        .api = kw_api_find((int16_t)api),
        .version = version,
        .is_request = true,
        .correlation_id = ++h->next_correlation,
        .client_id = {"test", 4},
        .body = body,
    };
    size_t size_bytes = 0;
    struct kw_message_error error;
    CU_ASSERT_EQUAL_FATAL(kw_frame_size(&frame, &size_bytes, NULL, &error), KW_MESSAGE_OK);
    uint8_t *bytes = malloc(size_bytes);
    struct kw_writer writer;
    kw_writer_init(&writer, bytes, size_bytes);
    CU_ASSERT_EQUAL_FATAL(kw_frame_encode(&frame, &writer, NULL, &error), KW_MESSAGE_OK);
    harness_send_bytes(h, connection, bytes, size_bytes);
    free(bytes);
    return frame.correlation_id;
}

static bool take_answer(struct harness *h, uint32_t connection, enum kw_api_key key, int16_t version,
                        void *body)
{
    struct harness_client *client = &h->clients[connection];
    if (client->length_bytes < 4) {
        return false;
    }
    size_t length = (size_t)kw_load_i32(client->bytes);
    if (client->length_bytes < length + 4) {
        return false;
    }
    const struct kw_api *api = kw_api_find((int16_t)key);
    uint8_t *copy = kb_arena_allocate(&h->arena, length + 1);
    memcpy(copy, client->bytes + 4, length);
    struct kw_reader reader;
    struct kw_response_header header;
    struct kw_message_error error;
    kw_reader_init(&reader, copy, length);
    CU_ASSERT_EQUAL_FATAL(kw_response_header_decode(api, version, &reader, &header, &error), KW_MESSAGE_OK);
    CU_ASSERT_EQUAL_FATAL(kw_message_decode(api->response, version, &reader, &h->arena, body, &error),
                          KW_MESSAGE_OK);
    CU_ASSERT_EQUAL(kw_reader_remaining_bytes(&reader), 0);
    client->length_bytes -= length + 4;
    memmove(client->bytes, client->bytes + length + 4, client->length_bytes);
    return true;
}

bool harness_receive(struct harness *h, uint32_t connection, enum kw_api_key api, int16_t version, void *body,
                     int64_t patience_us)
{
    int64_t end_us = h->now_us + patience_us;
    harness_drain(h);
    while (!take_answer(h, connection, api, version, body)) {
        if (!step(h, end_us)) {
            h->now_us = end_us;
            return false;
        }
    }
    return true;
}

bool harness_is_open(struct harness *h, uint32_t connection)
{
    return h->clients[connection].is_open;
}

void harness_disconnect(struct harness *h, uint32_t connection)
{
    struct harness_delivery *delivery = schedule(h, CLOSED, h->latency_us, 0);
    delivery->connection = connection;
    delivery->from = MB_FROM_CLIENT;
    delivery->to = h->clients[connection].broker;
    h->clients[connection].is_open = false;
}

/* --- Produce --- */

struct kw_bytes harness_batch(struct harness *h, const struct harness_batch *batch)
{
    uint32_t capacity = 200 + (uint32_t)(batch->records * (batch->value_bytes + 40));
    uint8_t *memory = kb_arena_allocate(&h->arena, capacity);
    uint8_t *value = kb_arena_allocate(&h->arena, (size_t)batch->value_bytes + 1);
    memset(value, batch->fill != 0 ? batch->fill : 'x', (size_t)batch->value_bytes);
    struct kw_record_batch_options options = kw_record_batch_options_default();
    struct kw_record_batch_builder builder;
    kw_record_batch_builder_init(&builder, memory, capacity, &options);
    kw_record_batch_builder_set_compression(&builder, batch->compression, 0.01F);
    struct kw_record_fields fields = {.value = {value, batch->value_bytes}};
    if (batch->has_key) {
        fields.key = (struct kw_bytes){(const uint8_t *)"key", 3};
    }
    int64_t timestamp_ms = batch->timestamp_ms != 0 ? batch->timestamp_ms : 1600000000000;
    for (int32_t i = 0; i < batch->records; i++) {
        kw_record_batch_builder_append(&builder, timestamp_ms + i * batch->timestamp_step_ms, &fields);
    }
    if (batch->has_producer) {
        kw_record_batch_builder_set_producer_state(&builder, batch->producer_id, batch->producer_epoch,
                                                   batch->base_sequence, batch->is_transactional);
    }
    if (batch->compression != KW_COMPRESSION_NONE) {
        kw_record_batch_builder_close_for_appends(&builder);
        size_t bound_bytes = kw_record_batch_builder_compressed_bound_bytes(&builder);
        memory = kb_arena_allocate(&h->arena, bound_bytes);
        CU_ASSERT_TRUE_FATAL(kw_record_batch_builder_compress(&builder, memory, (uint32_t)bound_bytes));
    }
    kw_record_batch_builder_close(&builder);
    return (struct kw_bytes){memory, (int32_t)builder.written_bytes};
}

void harness_produce_send(struct harness *h, uint32_t connection, int16_t version, int32_t partition,
                          int16_t acks, int32_t timeout_ms, struct kw_bytes records)
{
    struct kw_produce_request request;
    struct kw_produce_request_topic topic;
    struct kw_produce_request_partition item;
    kw_produce_request_init(&request);
    kw_produce_request_topic_init(&topic);
    kw_produce_request_partition_init(&item);
    item.index = partition;
    item.records = records;
    topic.name = (struct kw_string){"t", 1};
    topic.partition_data.items = &item;
    topic.partition_data.count = 1;
    if (records.length_bytes >= KW_RECORD_BATCH_OVERHEAD_BYTES &&
        kw_record_batch_is_transactional(records.bytes)) {
        request.transactional_id = (struct kw_string){"tx", 2};
    }
    request.acks = acks;
    request.timeout_ms = timeout_ms;
    request.topic_data.items = &topic;
    request.topic_data.count = 1;
    harness_send(h, connection, KW_API_PRODUCE, version, &request);
}

struct kw_produce_response_partition harness_produce_answer(struct harness *h, uint32_t connection,
                                                            int16_t version, int64_t patience_us)
{
    struct kw_produce_response response;
    struct kw_produce_response_partition none;
    kw_produce_response_partition_init(&none);
    none.error_code = HARNESS_NO_ANSWER;
    if (!harness_receive(h, connection, KW_API_PRODUCE, version, &response, patience_us)) {
        return none;
    }
    CU_ASSERT_EQUAL_FATAL(response.responses.count, 1);
    CU_ASSERT_EQUAL_FATAL(response.responses.items[0].partition_responses.count, 1);
    return response.responses.items[0].partition_responses.items[0];
}

struct kw_produce_response_partition harness_produce(struct harness *h, uint32_t connection,
                                                     int32_t partition, int16_t acks, int32_t timeout_ms,
                                                     struct kw_bytes records)
{
    harness_produce_send(h, connection, 9, partition, acks, timeout_ms, records);
    return harness_produce_answer(h, connection, 9, 120000000);
}

struct mb_replica_view harness_replica(struct harness *h, int32_t broker)
{
    struct mb_replica_view view;
    (void)mb_replica_view(h->cluster, broker, "t", 0, &view);
    return view;
}

struct mb_partition_view harness_partition(struct harness *h)
{
    struct mb_partition_view view = {0};
    CU_ASSERT_TRUE_FATAL(mb_partition_view(h->cluster, "t", 0, &view));
    return view;
}
