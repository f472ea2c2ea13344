/*
 * A producer and a broker that talk to each other while somebody changes their bytes.
 *
 * The input is a list of steps: the application sends, time passes, and bytes of the next request or response
 * are flipped, cut or replaced. So both sides get frames that are almost right, at every state of a
 * connection. Neither may crash, and the cluster's invariants hold. What a broken frame leads to is up to the
 * side that reads it.
 */
#include "fuzz.h"

#include <linger/producer.h>
#include <mockbroker/mockbroker.h>

#include <stdlib.h>
#include <string.h>

enum {
    EPOCH_MS = 1600000000,
    FRAME_MAX_BYTES = 1 << 16,
    PASSES_MAX = 400,
    CHANGES_MAX = 8,
};

/* What happens to the next frame that travels in a direction. */
struct tampering {
    uint32_t change_count;
    struct {
        uint16_t place;
        uint8_t value;
    } changes[CHANGES_MAX];
    bool cuts;
    uint16_t cut_bytes;
};

struct pair {
    const uint8_t *steps;
    size_t steps_left;
    struct kp_config *config;
    struct kp_producer *producer;
    struct mb_cluster *cluster;
    int64_t now_ms;
    struct tampering request;
    struct tampering response;
    struct kp_record records[PASSES_MAX]; /* a send that waits borrows its record */
    uint32_t record_count;
    uint32_t passes;
};

static uint8_t next_byte(struct pair *pair)
{
    if (pair->steps_left == 0) {
        return 0;
    }
    pair->steps_left--;
    return *pair->steps++;
}

static uint16_t next_u16(struct pair *pair)
{
    uint16_t high = next_byte(pair);
    return (uint16_t)(high << 8 | next_byte(pair));
}

static void plan_tampering(struct pair *pair, struct tampering *tampering)
{
    uint8_t kind = next_byte(pair);
    tampering->cuts = (kind & 0x80) != 0;
    tampering->cut_bytes = tampering->cuts ? next_u16(pair) : 0;
    for (uint32_t left = kind % (CHANGES_MAX + 1); left > 0 && tampering->change_count < CHANGES_MAX;
         left--) {
        uint32_t i = tampering->change_count++;
        tampering->changes[i].place = next_u16(pair);
        tampering->changes[i].value = next_byte(pair);
    }
}

/* A copy of exactly its size, behind its length field: so the sanitizer sees the first byte that is read too
 * far. */
static uint8_t *tamper(struct tampering *tampering, const uint8_t *bytes, size_t *length_bytes)
{
    if (tampering->cuts && *length_bytes > 0) {
        *length_bytes = tampering->cut_bytes % *length_bytes;
    }
    uint8_t *copy = fuzz_allocate(*length_bytes);
    memcpy(copy, bytes, *length_bytes);
    for (uint32_t i = 0; i<tampering->change_count && * length_bytes> 0; i++) {
        copy[tampering->changes[i].place % *length_bytes] = tampering->changes[i].value;
    }
    *tampering = (struct tampering){0};
    return copy;
}

static int64_t now_us(const struct pair *pair)
{
    return (pair->now_ms - EPOCH_MS) * 1000;
}

static void deliver_response(struct pair *pair, uint32_t connection, const uint8_t *frame,
                             size_t length_bytes)
{
    FUZZ_CHECK(length_bytes >= 4);
    size_t body_bytes = length_bytes - 4;
    uint8_t *body = tamper(&pair->response, frame + 4, &body_bytes);
    kp_producer_on_received(pair->producer, connection, body, body_bytes);
    kp_producer_digest(pair->producer, pair->now_ms);
    free(body);
}

static void take_outputs(struct pair *pair)
{
    struct mb_output output;
    mb_advance(pair->cluster, now_us(pair));
    while (mb_next_output(pair->cluster, &output)) {
        if (output.kind == MB_OUTPUT_BYTES && output.length_bytes <= FRAME_MAX_BYTES) {
            static uint8_t frame[FRAME_MAX_BYTES];
            size_t place = 0;
            for (uint32_t i = 0; i < output.segment_count; i++) {
                memcpy(frame + place, output.segments[i].bytes, output.segments[i].length_bytes);
                place += output.segments[i].length_bytes;
            }
            deliver_response(pair, output.connection, frame, place);
        } else if (output.kind == MB_OUTPUT_CLOSE) {
            kp_producer_on_disconnected(pair->producer, output.connection);
            kp_producer_digest(pair->producer, pair->now_ms);
        } else if (output.kind == MB_OUTPUT_CONTROL) {
            mb_control_arrived(pair->cluster, output.message, now_us(pair));
        }
    }
    const char *broken = mb_check(pair->cluster);
    FUZZ_CHECK(broken == NULL);
}

static void carry_request(struct pair *pair, const struct kp_action *action)
{
    uint8_t *frame = fuzz_allocate(action->length_bytes);
    size_t place = 0;
    for (uint32_t i = 0; i < action->segment_count; i++) {
        memcpy(frame + place, action->segments[i].bytes, action->segments[i].length_bytes);
        place += action->segments[i].length_bytes;
    }
    size_t length_bytes = place;
    uint8_t *changed = tamper(&pair->request, frame, &length_bytes);
    mb_receive(pair->cluster, action->connection, 1, changed, length_bytes, now_us(pair));
    free(changed);
    free(frame);
    kp_producer_on_sent(pair->producer, action->connection);
}

static void perform(struct pair *pair)
{
    struct kp_action action;
    while (kp_producer_next_action(pair->producer, &action)) {
        switch (action.kind) {
        case KP_ACTION_CONNECT:
            if (mb_connection_opened(pair->cluster, action.connection, MB_FROM_CLIENT, 1, now_us(pair))) {
                kp_producer_on_connected(pair->producer, action.connection);
            } else {
                kp_producer_on_disconnected(pair->producer, action.connection);
            }
            break;
        case KP_ACTION_SEND:
            carry_request(pair, &action);
            break;
        case KP_ACTION_CLOSE:
            mb_connection_closed(pair->cluster, action.connection, 1, now_us(pair));
            break;
        }
    }
}

static void run_pass(struct pair *pair)
{
    struct kp_completion done;
    struct kp_outcome outcome;
    uint64_t ticket;
    pair->passes++;
    kp_producer_decide(pair->producer, pair->now_ms);
    perform(pair);
    kp_producer_digest(pair->producer, pair->now_ms);
    perform(pair);
    take_outputs(pair);
    while (kp_producer_next_completion(pair->producer, &done)) {
        FUZZ_CHECK(done.record_id < pair->record_count);
    }
    while (kp_producer_next_runnable(pair->producer, pair->now_ms, &ticket)) {
        kp_producer_resume(pair->producer, ticket, pair->now_ms, &outcome);
    }
}

static void send_record(struct pair *pair)
{
    static const char text[] = "a record that is longer than nothing";
    uint8_t shape = next_byte(pair);
    if (pair->record_count == PASSES_MAX) {
        return;
    }
    struct kp_record *record = &pair->records[pair->record_count];
    *record = (struct kp_record){
        .topic = (shape & 0x40) != 0 ? "other" : "t",
        .partition = (shape & 0x20) != 0 ? shape % 4 : -1,
        .timestamp_ms = -1,
        .key = (shape & 0x10) != 0 ? (struct kp_bytes){text, shape % 16} : KP_BYTES_NULL,
        .value = {text, shape % (int)sizeof text},
        .id = pair->record_count,
    };
    struct kp_outcome outcome;
    pair->record_count++;
    kp_producer_send(pair->producer, record, pair->now_ms, &outcome);
}

static void take_step(struct pair *pair)
{
    struct kp_outcome outcome;
    uint8_t step = next_byte(pair);
    switch (step % 8) {
    case 0:
    case 1:
        send_record(pair);
        break;
    case 2:
        pair->now_ms += step / 8;
        break;
    case 3:
        pair->now_ms += 40 * (step / 8);
        break;
    case 4:
        plan_tampering(pair, &pair->request);
        break;
    case 5:
        plan_tampering(pair, &pair->response);
        break;
    case 6:
        kp_producer_flush(pair->producer, pair->now_ms, &outcome);
        break;
    default:
        break;
    }
    run_pass(pair);
    if (!kp_producer_is_idle(pair->producer)) {
        run_pass(pair);
    }
}

static bool begin(struct pair *pair)
{
    static const char *const acks[] = {"0", "1", "all", "all"};
    uint8_t shape = next_byte(pair);
    struct kp_config_entry entries[] = {
        {"bootstrap.servers", "10.0.0.1:9092"},
        {"key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer"},
        {"value.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer"},
        {"acks", acks[shape % 4]},
        {"enable.idempotence", shape % 4 == 3 ? "true" : "false"},
        {"linger.ms", (shape & 4) != 0 ? "5" : "0"},
        {"batch.size", (shape & 8) != 0 ? "200" : "16384"},
        {"compression.type", (shape & 16) != 0 ? "lz4" : "none"},
        {"max.block.ms", "50"},
        {"request.timeout.ms", "300"},
        {"delivery.timeout.ms", "1000"},
    };
    struct kp_failure failure;
    pair->now_ms = EPOCH_MS;
    if (kp_config_create(NULL, entries, sizeof entries / sizeof entries[0], NULL, &pair->config, &failure) !=
        KP_CONFIG_OK) {
        return false;
    }
    struct kp_producer_options options = {.config = pair->config, .chance = {.seed = shape}};
    static const int32_t brokers[] = {1};
    static const char *const hosts[] = {"10.0.0.1"};
    static const struct mb_topic_options topics[] = {
        {.name = "t", .partition_count = 3, .replication_factor = 1}};
    struct mb_options cluster = {
        .broker_ids = brokers,
        .broker_count = 1,
        .hosts = hosts,
        .topics = topics,
        .topic_count = 1,
        .epoch_ms = EPOCH_MS,
        .seed = 1,
    };
    struct mb_error error;
    return kp_producer_create(&options, pair->now_ms, &pair->producer, &failure) &&
           mb_cluster_create(&cluster, 0, &pair->cluster, &error);
}

void fuzz_one(const uint8_t *bytes, size_t length_bytes)
{
    static struct pair pair;
    pair = (struct pair){.steps = bytes, .steps_left = length_bytes};
    if (begin(&pair)) {
        take_outputs(&pair);
        while (pair.steps_left > 0 && pair.passes < PASSES_MAX) {
            take_step(&pair);
        }
        struct kp_outcome outcome;
        kp_producer_close(pair.producer, 100, pair.now_ms, &outcome);
        for (int i = 0; i < 20; i++) {
            pair.now_ms += 10;
            run_pass(&pair);
        }
    }
    kp_producer_destroy(pair.producer);
    mb_cluster_destroy(pair.cluster);
    kp_config_destroy(pair.config);
}
