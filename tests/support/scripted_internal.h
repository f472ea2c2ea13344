/**
 * Between the files of the scripted cluster: its state, and what a broker does with a request.
 *
 * scripted_cluster.c   creation, the script's entries with a time
 * scripted_network.c   connections
 * scripted_script.c    entries that meet a request
 * scripted_broker.c    a request in, a response out; the APIs without state
 * scripted_produce.c   partitions, sequences
 */
#ifndef LINGER_TESTS_SCRIPTED_INTERNAL_H
#define LINGER_TESTS_SCRIPTED_INTERNAL_H

#include "base/arena.h"
#include "scripted_cluster.h"
#include "wire/api_frame.h"
#include "wire/errors.h"

/* What a description may ask for, and what a cluster begins with. */
enum {
    SCRIPTED_BROKER_COUNT_MAX = 64,
    SCRIPTED_PARTITION_COUNT_MAX = 1000,
    SCRIPTED_TOPIC_COUNT_MAX = 100,
    SCRIPTED_FIRST_PRODUCER_ID = 1000,
    /** Kafka: ProducerStateEntry.NUM_BATCHES_TO_RETAIN. */
    SCRIPTED_KEPT_BATCH_COUNT = 5
};

struct scripted_kept_batch {
    int32_t first_sequence;
    int32_t last_sequence;
    int64_t base_offset;
};

/** What a partition knows of a producer. */
struct scripted_producer_state {
    int64_t producer_id;
    int16_t epoch;
    int32_t last_sequence;
    /** The newest first. */
    struct scripted_kept_batch kept[SCRIPTED_KEPT_BATCH_COUNT];
    int kept_count;
};

struct scripted_partition {
    /** Also while that broker is down. */
    int32_t leader;
    int32_t leader_epoch;
    int64_t next_offset;
    struct scripted_producer_state *producers;
    size_t producer_count;
};

struct scripted_topic {
    const char *name;
    struct scripted_partition *partitions;
    int32_t partition_count;
    int64_t appears_at;
    int16_t error;
    bool is_known_at_start;
    bool has_log_append_time;
};

struct scripted_broker {
    const char *host;
    int32_t port;
    bool is_down;
    bool is_hanging;
};

/** What can be read from a connection: a response, or without a frame the closing. */
struct scripted_arrival {
    struct scripted_arrival *next;
    int64_t readable_at;
    uint8_t *frame;
    size_t length_bytes;
    int64_t correlation_id;
};

struct scripted_connection {
    /** In the order of the nodes, then of the connections. */
    struct scripted_connection *next;
    uint32_t number;
    int32_t node;
    int32_t broker;
    bool is_made;
    /** Begun towards a broker that hangs. */
    bool is_stuck;
    /** The broker does not answer on it any more. */
    bool is_silent;
    bool is_gone;
    int64_t made_at;
    uint8_t *handed_over;
    size_t handed_over_bytes;
    struct scripted_arrival *arrivals;
    struct scripted_arrival *last_arrival;
};

/** A producer id that was given to a transactional id. */
struct scripted_transactional_id {
    struct scripted_transactional_id *next;
    char *name;
    int64_t producer_id;
    int16_t epoch;
};

struct scripted_cluster {
    char failure[256];
    const cJSON *description;
    const cJSON *script;
    int64_t epoch_ms;
    struct scripted_broker *brokers;
    int32_t broker_count;
    struct scripted_topic *topics;
    int32_t topic_count;
    int64_t rtt_ms;
    int64_t connect_ms;
    int64_t txn_rtt_ms;
    int16_t first_epoch;
    int32_t coordinator;
    struct scripted_connection *connections;
    /** What was read in the last step. */
    struct scripted_arrival *read;
    int64_t next_producer_id;
    struct scripted_transactional_id *transactional_ids;
    /** How many requests of each API have reached a broker. */
    int64_t request_counts[KW_API_COUNT];
    /** Topics, partitions, texts: as long as the cluster. */
    struct kb_arena lasting;
    /** One request. */
    struct kb_arena passing;
};

/** A request at its broker, and the response that is being made. */
struct scripted_request {
    struct scripted_cluster *cluster;
    const struct kw_api *api;
    int16_t version;
    int32_t correlation_id;
    int32_t broker;
    int64_t t;
    /** Which request of its API over the whole run, from 0. */
    int64_t nth;
    /** The structs of the API, from the cluster's passing arena. */
    const void *body;
    void *response;
};

/** What comes back, and when. */
struct scripted_answer {
    /** NULL: none. malloc'ed; without the length. */
    uint8_t *frame;
    size_t length_bytes;
    int32_t correlation_id;
    int64_t latency_ms;
    bool is_dropped;
    bool closes;
    bool closes_now;
};

/** printf's formats; the first one is kept. */
void scripted_fail(struct scripted_cluster *cluster, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Never NULL: aborts. Zeroed. */
void *scripted_lasting(struct scripted_cluster *cluster, size_t count, size_t size_bytes);
void *scripted_passing(struct scripted_cluster *cluster, size_t count, size_t size_bytes);

struct kw_string scripted_string(const char *text);
bool scripted_string_is(struct kw_string string, const char *text);

/** NULL: no such topic, or not yet. */
struct scripted_topic *scripted_topic_find(struct scripted_cluster *cluster, struct kw_string name,
                                           int64_t t);
/** NULL: no such partition. */
struct scripted_partition *scripted_partition_at(struct scripted_topic *topic, int64_t partition);
void scripted_move_leader(struct scripted_cluster *cluster, struct scripted_partition *partition, int64_t to);

/** A request reached the broker. False with a failure when it makes no sense. */
bool scripted_broker_answer(struct scripted_cluster *cluster, int32_t broker, const uint8_t *frame,
                            size_t length_bytes, int64_t t, struct scripted_answer *answer);

/** Fill in a Metadata response for the topics asked for; NULL: those that a client knows from the start. */
void scripted_fill_metadata(struct scripted_cluster *cluster, const struct kw_metadata_request *asked,
                            int64_t t, struct kw_metadata_response *response);

/** False: no response is wanted. */
bool scripted_produce(struct scripted_request *request);

/** The next entry after `after` (NULL: the first) that meets the request and has that action; NULL: none. */
const cJSON *scripted_entry(const struct scripted_request *request, const char *action, const cJSON *after);
/** The error entry for a partition of the request; partition -1: for all of the request. NULL: none. */
const cJSON *scripted_error_entry(const struct scripted_request *request, const char *topic,
                                  int64_t partition);
/** Its code, 0 without an entry. */
int16_t scripted_error_code(const cJSON *entry);

/** Nobody looks at what was read in the last step any more. */
void scripted_release_read(struct scripted_cluster *cluster);
/** Every connection to the broker is closed now. */
void scripted_close_connections(struct scripted_cluster *cluster, int32_t broker, int64_t t);

#endif
