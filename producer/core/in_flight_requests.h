/**
 * A request between being handed to the network and being answered, and the queue of them per connection.
 *
 * Requests are slots that keep their memory for the next request, so a running client allocates nothing for
 * them. Kafka: InFlightRequests, NetworkClient.InFlightRequest.
 */
#ifndef KP_IN_FLIGHT_REQUESTS_H
#define KP_IN_FLIGHT_REQUESTS_H

#include "core/network_client.h"
#include "wire/message.h"

struct kp_client_node;

enum kp_request_kind {
    KP_REQUEST_USER,
    /** Made by the client itself. Kafka: isInternalRequest. */
    KP_REQUEST_METADATA,
    KP_REQUEST_API_VERSIONS,
};

struct kp_in_flight_request {
    struct kp_client_request request; /* its message is not valid any more */
    enum kp_request_kind kind;
    uint32_t correlation_id;
    int16_t version;
    int32_t node;
    uint32_t connection;
    int64_t sent_ms;        /* when it was handed over. Kafka: sendTimeMs */
    bool is_sent;           /* written whole */
    bool is_handed_out;     /* the driver has its segments */
    bool is_held_by_action; /* and will until it takes the CLOSE of its connection */
    bool is_over;           /* nobody else needs it */

    /* The frame: what was written, and the segments that it and the record batches make. */
    uint8_t *frame;
    uint32_t frame_capacity;
    struct kw_segment *wire_segments;
    uint32_t wire_segment_capacity;
    struct kp_segment *segments;
    uint32_t segment_capacity;
    uint32_t segment_count;
    uint32_t length_bytes;

    /* How it ended. */
    bool was_disconnected;
    bool is_version_mismatch;
    char *version_mismatch; /* with KP_VERSION_MISMATCH_TEXT_BYTES; made when it is needed */
    const void *body;

    struct kp_in_flight_request *older; /* in the queue of its connection */
    struct kp_in_flight_request *newer;
    struct kp_in_flight_request *next; /* in a list of answered, aborted or free ones */
};

/** Requests of one connection; responses come in the order of the requests. */
struct kp_in_flight_queue {
    struct kp_in_flight_request *oldest;
    struct kp_in_flight_request *newest;
    uint32_t count;
};

void kp_in_flight_add(struct kp_in_flight_queue *queue, struct kp_in_flight_request *request);
/** Take out the oldest (completeNext) or the newest (completeLastSent); NULL when there is none. */
struct kp_in_flight_request *kp_in_flight_take_oldest(struct kp_in_flight_queue *queue);
struct kp_in_flight_request *kp_in_flight_take_newest(struct kp_in_flight_queue *queue);
/** One request at a time is being written, and max_count may wait for an answer. Kafka: canSendMore. */
bool kp_in_flight_can_send_more(const struct kp_in_flight_queue *queue, uint32_t max_count);
/** Strictly more than its time-out has passed since one of them was handed over. Kafka: hasExpiredRequest. */
bool kp_in_flight_has_expired(const struct kp_in_flight_queue *queue, int64_t now_ms);
/** When the first of them will have expired; INT64_MAX: never. */
int64_t kp_in_flight_next_expiry_ms(const struct kp_in_flight_queue *queue);

/** The slots. */
struct kp_in_flight_pool {
    const struct linger_allocator *allocator;
    struct kp_in_flight_request *free;
};

/** An empty request with the memory of an earlier one; NULL: no memory. */
struct kp_in_flight_request *kp_in_flight_pool_take(struct kp_in_flight_pool *pool);
void kp_in_flight_pool_give(struct kp_in_flight_pool *pool, struct kp_in_flight_request *request);
void kp_in_flight_pool_release(struct kp_in_flight_pool *pool);

enum { KP_VERSION_MISMATCH_TEXT_BYTES = 256 };

#endif
