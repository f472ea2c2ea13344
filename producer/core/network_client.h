/**
 * Requests and responses over connections that somebody else moves bytes on.
 *
 * Kafka: NetworkClient with ClusterConnectionStates and InFlightRequests. poll() is cut in two: what goes out
 * is taken as actions before the network moves, kp_network_client_digest() is what follows.
 */
#ifndef KP_NETWORK_CLIENT_H
#define KP_NETWORK_CLIENT_H

#include "core/producer_metadata.h"
#include "wire/errors.h"

struct kp_network_client;
struct kp_producer_metrics;

struct kp_network_client_options {
    const struct linger_allocator *allocator; /* borrowed */
    struct kb_trace *trace;                   /* borrowed; NULL: none */
    struct kp_producer_metadata *metadata;    /* borrowed */
    struct kp_producer_metrics *metrics;      /* borrowed; NULL: none */
    struct kp_chance chance;                  /* copied */
    const char *client_id;                    /* borrowed */
    int32_t max_in_flight_requests_per_connection;
    int64_t reconnect_backoff_ms;
    int64_t reconnect_backoff_max_ms;
    int64_t connection_setup_timeout_ms;
    int64_t connection_setup_timeout_max_ms;
    int64_t connections_max_idle_ms; /* < 0: never */
    int32_t request_timeout_ms;
};

/** NULL: no memory. */
struct kp_network_client *kp_network_client_create(const struct kp_network_client_options *options);
void kp_network_client_destroy(struct kp_network_client *client);

/* --- The network's side: see kp_producer_next_action and kp_producer_on_*, which these are */

bool kp_network_client_next_action(struct kp_network_client *client, struct kp_action *out);
void kp_network_client_on_connected(struct kp_network_client *client, uint32_t connection);
void kp_network_client_on_disconnected(struct kp_network_client *client, uint32_t connection);
void kp_network_client_on_sent(struct kp_network_client *client, uint32_t connection);
void kp_network_client_on_received(struct kp_network_client *client, uint32_t connection, const void *frame,
                                   size_t length_bytes);

/* --- The sender's side */

/** Kafka: ClientResponse. Valid during the callback. */
struct kp_client_response {
    uint32_t correlation_id;
    int32_t node;
    int16_t api_version;
    bool was_disconnected;
    bool is_version_mismatch;
    const char *version_mismatch; /* message of the UnsupportedVersionException */
    const void *body;             /* the response's struct; NULL: none is expected */
    int64_t sent_ms;              /* Kafka: createdTimeMs */
    int64_t now_ms;
};
typedef void (*kp_response_callback)(void *context, void *subject, const struct kp_client_response *response);

/** Kafka: ClientRequest and its Builder. */
struct kp_client_request {
    int32_t node;
    int16_t api_key;
    int16_t oldest_version; /* the caller can make these versions */
    int16_t latest_version;
    bool expects_response;
    int32_t request_timeout_ms;
    const void *message; /* the request's struct; borrowed during send; batches until the request is over */
    kp_response_callback callback; /* called once: at a response, a disconnection, or a version mismatch */
    void *context;
    void *subject;
    /** Called last: nobody refers to the message's bytes any more. May be NULL. */
    void (*release)(void *context, void *subject);
    /** Produce: for the action; borrowed until the callback returned. */
    const struct kp_request_batch *batches;
    uint32_t batch_count;
    int32_t acks;
    int32_t timeout_ms;
};

/** Is it possible to send to the node now? Begins to connect where that is allowed. Kafka: ready. */
bool kp_network_client_ready(struct kp_network_client *client, const struct kp_node *node, int64_t now_ms);
bool kp_network_client_is_ready(const struct kp_network_client *client, int32_t node, int64_t now_ms);
/** Why it is not: bits of enum kb_held, and in *left_ms how long (INT64_MAX: until something comes). */
uint32_t kp_network_client_held_why(const struct kp_network_client *client, int32_t node, int64_t now_ms,
                                    int64_t *left_ms);
bool kp_network_client_connection_failed(const struct kp_network_client *client, int32_t node);
int64_t kp_network_client_poll_delay_ms(const struct kp_network_client *client, int32_t node, int64_t now_ms);
/** NULL: none. Kafka: leastLoadedNode. */
const struct kp_node *kp_network_client_least_loaded_node(const struct kp_network_client *client,
                                                          int64_t now_ms);
/** What the node's broker can do at most; -1: unknown. Kafka: NodeApiVersions.apiVersion().maxVersion(). */
int16_t kp_network_client_max_version(const struct kp_network_client *client, int32_t node, int16_t api_key);

/**
 * The node must be ready. Returns the correlation id. A request that the broker's version cannot express is
 * completed by the next poll, with is_version_mismatch. Kafka: newClientRequest, send, doSend.
 */
uint32_t kp_network_client_send(struct kp_network_client *client, const struct kp_client_request *request,
                                int64_t now_ms);

/** A request that could not even be built uses up its correlation id; announced as failed. */
void kp_network_client_refuse_send(struct kp_network_client *client, int32_t node, int16_t api_key,
                                   enum kw_error error);

/**
 * The first half of poll(). False when sends were aborted: their callbacks have run, and the poll is over
 * without the network having moved. Else a due metadata request went out, the network is to move, and
 * kp_network_client_digest() follows; *timeout_ms became at most how long poll() waits for it.
 */
bool kp_network_client_begin_poll(struct kp_network_client *client, int64_t *timeout_ms, int64_t now_ms);
/** The second half. */
void kp_network_client_digest(struct kp_network_client *client, int64_t now_ms);

/** Whether the network reported anything since the last digest. */
bool kp_network_client_has_reports(const struct kp_network_client *client);

uint32_t kp_network_client_in_flight_count(const struct kp_network_client *client);
/** Connections that are there or being made. */
uint32_t kp_network_client_connection_count(const struct kp_network_client *client);
/** Grows with whatever happens: what makes a pass not idle. */
uint64_t kp_network_client_change_count(const struct kp_network_client *client);
/** The earliest time at which a timeout strikes or a backoff ends; INT64_MAX: never. */
int64_t kp_network_client_next_deadline_ms(const struct kp_network_client *client, int64_t now_ms);

/** Close all connections and the metadata; requests in flight are given up without a callback. Kafka: close.
 */
void kp_network_client_close(struct kp_network_client *client, int64_t now_ms);

#endif
