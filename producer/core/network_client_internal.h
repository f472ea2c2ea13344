/**
 * What the parts of the network client share: network_client.c keeps nodes and connections and sends,
 * network_client_poll.c digests what came back, metadata_updater.c asks for metadata.
 */
#ifndef KP_NETWORK_CLIENT_INTERNAL_H
#define KP_NETWORK_CLIENT_INTERNAL_H

#include "base/arena.h"
#include "core/cluster_connection_states.h"
#include "core/in_flight_requests.h"
#include "core/network_client.h"
#include "core/producer_metrics.h"
#include "wire/api_keys.h"

struct kp_version_pair {
    int16_t min;
    int16_t max; /* below min: the broker does not have the API */
};

/** A node that the client once connected to. */
struct kp_client_node {
    int32_t id;
    struct kp_connection_state state;
    char *host; /* of the last attempt */
    uint16_t port;
    uint32_t connection; /* 0: none */
    bool is_channel_ready;
    int64_t last_active_ms;
    struct kp_node_metrics *metrics; /* NULL: none (yet) */
    struct kp_in_flight_queue in_flight;
    bool needs_api_versions;
    int16_t api_versions_version; /* of the request that is needed */
    bool has_versions;
    struct kp_version_pair versions[KW_API_COUNT];
};

enum kp_report_kind { KP_REPORT_SENT, KP_REPORT_RECEIVED, KP_REPORT_DISCONNECTED, KP_REPORT_CONNECTED };

struct kp_report {
    enum kp_report_kind kind;
    uint32_t connection;
    const void *frame;
    size_t length_bytes;
};

struct kp_pending_action {
    enum kp_action_kind kind;
    uint32_t connection;
    int32_t node;
    /** SEND: what; CLOSE: a request of the connection whose segments the driver may have, or NULL. */
    struct kp_in_flight_request *request;
};

/** First in, first out; linked through `next`. */
struct kp_request_list {
    struct kp_in_flight_request *first;
    struct kp_in_flight_request *last;
};

struct kp_network_client {
    struct kp_network_client_options options;
    struct kb_trace *trace;
    struct kp_connection_settings settings;

    struct kp_client_node **nodes; /* in the order of their ids */
    uint32_t node_count;
    uint32_t node_capacity;

    struct kp_in_flight_pool pool;
    uint32_t in_flight_count;
    uint32_t next_correlation_id;
    uint32_t last_connection;

    struct kp_pending_action *actions; /* a queue: [action_first, action_count) */
    uint32_t action_first;
    uint32_t action_count;
    uint32_t action_capacity;

    struct kp_report *reports;
    uint32_t report_count;
    uint32_t report_capacity;

    struct kp_request_list aborted;
    struct kp_request_list responses;
    struct kb_arena arena; /* decoded responses of one digest */

    bool has_metadata_in_progress;
    int32_t metadata_request_version;
    bool is_metadata_partial;
    struct kb_arena request_arena; /* structs of a metadata request while it is encoded */

    uint64_t change_count;
    bool is_closed;
};

/** NULL: the client never connected to it. */
struct kp_client_node *kp_client_find_node(const struct kp_network_client *client, int32_t id);
/** NULL: no such connection (any more). */
struct kp_client_node *kp_client_find_connection(const struct kp_network_client *client, uint32_t connection);

/** Begin to connect. Kafka: initiateConnect. */
void kp_client_connect(struct kp_network_client *client, const struct kp_node *node, int64_t now_ms);
/** Forget what was to be done with the connection and was not taken yet. False: the driver never heard of it.
 */
bool kp_client_drop_actions(struct kp_network_client *client, uint32_t connection);
/** Close the connection from this side; what the driver may still read stays until it was told. */
void kp_client_close_connection(struct kp_network_client *client, struct kp_client_node *node,
                                int64_t now_ms);
/** Kafka: canSendRequest. */
bool kp_client_can_send(const struct kp_network_client *client, const struct kp_client_node *node,
                        int64_t now_ms);
/** Kafka: doSend. */
uint32_t kp_client_do_send(struct kp_network_client *client, const struct kp_client_request *request,
                           enum kp_request_kind kind, int64_t now_ms);
/** The request is over: its slot is free. */
void kp_client_free_request(struct kp_network_client *client, struct kp_in_flight_request *request);
void kp_request_list_add(struct kp_request_list *list, struct kp_in_flight_request *request);
/** Tell those who asked, in order. Kafka: completeResponses. */
void kp_client_complete(struct kp_network_client *client, struct kp_request_list *list, int64_t now_ms);
void kp_client_announce_state(const struct kp_network_client *client, const struct kp_client_node *node,
                              enum kw_error error);

/* --- metadata_updater.c. Kafka: NetworkClient.DefaultMetadataUpdater */

bool kp_metadata_updater_is_due(const struct kp_network_client *client, int64_t now_ms);
/** Returns how long poll() may wait because of metadata. */
int64_t kp_metadata_updater_maybe_update(struct kp_network_client *client, int64_t now_ms);
void kp_metadata_updater_handle_disconnect(struct kp_network_client *client, int64_t now_ms);
/** mismatch: the UnsupportedVersionException's message, or NULL. */
void kp_metadata_updater_handle_failure(struct kp_network_client *client, const char *mismatch,
                                        int64_t now_ms);
void kp_metadata_updater_handle_response(struct kp_network_client *client,
                                         const struct kw_metadata_response *response, int16_t version,
                                         int64_t now_ms);

#endif
