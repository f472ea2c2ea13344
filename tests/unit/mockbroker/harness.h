/**
 * A small world for tests of the mock cluster: it moves bytes and messages with a latency per link, lets time
 * pass, and is a client that sends hand-made requests. After every step mb_check() must hold.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <mockbroker/mockbroker.h>

#include "base/arena.h"
#include "base/trace.h"
#include "wire/api_keys.h"
#include "wire/errors.h"
#include "wire/message_structs.h"
#include "wire/record_batch_builder.h"

enum { HARNESS_CONNECTIONS = 256, HARNESS_CUTS = 16, HARNESS_NAMES = 64 };

struct harness_delivery;

struct harness_client {
    bool is_open;
    bool is_closed_by_broker;
    int32_t broker;
    uint8_t *bytes; /* received and not looked at yet */
    size_t length_bytes;
};

struct harness {
    struct mb_cluster *cluster;
    int64_t now_us;
    int64_t latency_us;         /* every link */
    int64_t control_latency_us; /* to and from the controller */
    struct harness_delivery *first;
    uint32_t next_connection;
    struct {
        int32_t from, to;
        bool is_open;
    } links[HARNESS_CONNECTIONS];
    struct harness_client clients[HARNESS_CONNECTIONS];
    struct {
        int32_t a, b;
    } cuts[HARNESS_CUTS];
    int cut_count;
    int32_t next_correlation;
    struct kb_arena arena;
    struct kb_trace trace;
    uint32_t event_counts[KB_EVENT_KIND_COUNT];
    struct kb_event last_events[KB_EVENT_KIND_COUNT];
    char names[HARNESS_NAMES][64];
    uint32_t steps;
    bool is_unchecked;             /* somebody lies on purpose: mb_check() is not asked any more */
    struct mb_output fault_output; /* the last MB_OUTPUT_FAULT */
    uint32_t fault_output_count;
    uint64_t digest; /* of everything that was sent and announced: two equal runs have equal ones */
};

/** A cluster with these options (trace is filled in). Asserts that it can be made. */
void harness_open(struct harness *h, struct mb_options *options);
/** brokers 1..n, topic "t" with one partition on all of them; the settings are NULL-terminated pairs. */
void harness_open_simple(struct harness *h, uint32_t brokers, int32_t factor,
                         const struct mb_setting *broker_settings, const struct mb_setting *topic_settings);
void harness_close(struct harness *h);

/** Let time pass, doing everything that happens meanwhile. */
void harness_run(struct harness *h, int64_t duration_us);
/** What the cluster wants done right now. */
void harness_drain(struct harness *h);

/** Nothing passes between two places (ids, MB_FROM_CLIENT, MB_CONTROLLER) until they are healed. */
void harness_cut(struct harness *h, int32_t a, int32_t b);
void harness_heal(struct harness *h);

uint32_t harness_connect(struct harness *h, int32_t broker);
void harness_send_bytes(struct harness *h, uint32_t connection, const void *bytes, size_t length_bytes);
/** The correlation id. */
int32_t harness_send(struct harness *h, uint32_t connection, enum kw_api_key api, int16_t version,
                     const void *body);
/** The next answer on the connection, if it comes within the time: true and the decoded body, valid until the
 *  harness is closed. */
bool harness_receive(struct harness *h, uint32_t connection, enum kw_api_key api, int16_t version, void *body,
                     int64_t patience_us);
bool harness_is_open(struct harness *h, uint32_t connection);
/** The client closes its end: the broker hears of it after what was sent before. */
void harness_disconnect(struct harness *h, uint32_t connection);

/** A batch of records with values of value_bytes bytes; valid until the harness is closed. */
struct harness_batch {
    int32_t records;
    int32_t value_bytes;
    bool has_key;
    int64_t producer_id; /* with has_producer */
    int16_t producer_epoch;
    int32_t base_sequence;
    bool has_producer;
    bool is_transactional;
    int64_t timestamp_ms;      /* of the first */
    int64_t timestamp_step_ms; /* from one to the next */
    enum kw_compression compression;
    char fill;
};
struct kw_bytes harness_batch(struct harness *h, const struct harness_batch *batch);

/** Send records to "t", partition; acks and time-out. */
void harness_produce_send(struct harness *h, uint32_t connection, int16_t version, int32_t partition,
                          int16_t acks, int32_t timeout_ms, struct kw_bytes records);
/** Send and wait; error -1000 when there was no answer. */
struct kw_produce_response_partition harness_produce(struct harness *h, uint32_t connection,
                                                     int32_t partition, int16_t acks, int32_t timeout_ms,
                                                     struct kw_bytes records);
struct kw_produce_response_partition harness_produce_answer(struct harness *h, uint32_t connection,
                                                            int16_t version, int64_t patience_us);
enum { HARNESS_NO_ANSWER = -1000 };

struct mb_replica_view harness_replica(struct harness *h, int32_t broker);
struct mb_partition_view harness_partition(struct harness *h);

#endif
