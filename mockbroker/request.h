/**
 * One request in service, from its frame to its response.
 *
 * Kafka: RequestChannel.Request, RequestContext.parseRequest, KafkaApis.handle, RequestChannel.sendResponse.
 */
#ifndef MB_REQUEST_H
#define MB_REQUEST_H

#include "base/arena.h"
#include "mockbroker/cluster.h"
#include "mockbroker/fault.h"
#include "wire/api_keys.h"
#include "wire/cursor.h"

struct mb_connection;
struct mb_delayed_fetch;
struct mb_delayed_produce;

struct mb_request {
    struct kb_list_node spare;
    struct mb_cluster *cluster;
    struct mb_broker *broker;
    struct mb_connection *connection; /* the client may have closed its end: is_gone */
    const struct kw_api *api;
    int16_t version;
    int32_t correlation_id;
    struct kb_arena arena;  /* of the decoded request and of what the answer needs */
    void *body;             /* the decoded request; strings and records point into the frame */
    struct mb_block *frame; /* a copy of it, when the request outlives the call that brought it */
    const uint8_t *arrived; /* the frame in the connection's buffer; NULL: not there any more */
    size_t arrived_bytes;
    struct mb_strike fault;
    struct mb_hit *hit;             /* a fault at a point, that is about to be carried out */
    enum mb_fault_point stopped_at; /* where it goes on */
    struct mb_timer thaw;           /* it goes on when its broker does */
    int32_t throttle_ms;
    struct mb_quota_sensor *quota_sensor; /* of its client; NULL: none */
    int32_t size_bytes;                   /* of the frame, without its length */

    struct mb_timer disk;                       /* the append takes time */
    struct mb_timer delay;                      /* the answer is held back by a fault */
    struct mb_pending_output *response;         /* that is made and has not left */
    int32_t response_error;                     /* what tracing shows of it */
    struct mb_delayed_produce *produce;         /* parked */
    struct mb_delayed_fetch *fetch;             /* parked */
    void *waits_for;                            /* parked with a coordinator */
    void (*forget)(struct mb_request *request); /* with waits_for: it goes away, do not answer it */
    void *answer;                               /* what its handler has prepared of the answer */
};

/**
 * Decode a frame (without its length) and serve it. False: it is not a request that 3.0.0 would answer, and
 * the connection is to be closed. Kafka: SocketServer.processCompletedReceives, RequestHeader.parse.
 */
bool mb_request_serve(struct mb_cluster *cluster, struct mb_connection *connection, const uint8_t *frame,
                      size_t length_bytes);

/** Memory that lives as long as the request, zeroed. */
void *mb_request_take(struct mb_request *request, size_t count, size_t item_bytes);

/** A copy of a text of the decoded request that lives as long as the request. */
struct kw_string mb_request_keep(struct mb_request *request, struct kw_string text);

/** An answer is put together: blocks added to it stay valid until it has left. */
struct mb_pending_output *mb_request_begin_response(struct mb_request *request);

/**
 * Answer: encode the body, which is the struct of the API's response, and end the request. error is what
 * tracing shows. output comes from mb_request_begin_response, or is NULL when no batches are in the answer.
 */
void mb_request_respond(struct mb_request *request, const void *body, int32_t error,
                        struct mb_pending_output *output);
/** The answer to a version of ApiVersions that 3.0.0 does not have is of version 0. */
void mb_request_respond_as(struct mb_request *request, int16_t version, const void *body, int32_t error,
                           struct mb_pending_output *output);
/** It ends without an answer, and the connection goes on. Kafka: sendNoOpResponseExemptThrottle. */
void mb_request_finish(struct mb_request *request);
/** It ends, and so does its connection. Kafka: RequestChannel.closeConnection. */
void mb_request_close_connection(struct mb_request *request);
/** It is forgotten: its broker's process is gone, or it is one that nobody would miss. */
void mb_request_abandon(struct mb_request *request);

/* --- Faults at points (fault_points.c) */

/** What it asks for stays readable after the call that brought it. */
void mb_request_keep_frame(struct mb_request *request);
/** Can its decoded body, with topics and partitions, be looked at still? */
bool mb_request_content_is_there(const struct mb_request *request);
/** Go on where it was stopped; when its broker is frozen, once it thaws. */
void mb_request_resume(struct mb_request *request);
/** The first bytes of its response leave (0: half of them; never all). */
void mb_request_send_part(struct mb_request *request, uint32_t length_bytes);
/** client.id of who sent it; valid as long as its connection. */
struct kw_string mb_request_client(const struct mb_request *request);

/** The handlers, one file each. They answer, park, or end the request. */
void mb_handle_produce(struct mb_request *request);
/** From the point on where it was stopped. */
void mb_produce_resume(struct mb_request *request);
void mb_handle_fetch(struct mb_request *request);
void mb_handle_list_offsets(struct mb_request *request);
void mb_handle_metadata(struct mb_request *request);
void mb_handle_api_versions(struct mb_request *request);
void mb_handle_find_coordinator(struct mb_request *request);
void mb_handle_init_producer_id(struct mb_request *request);
void mb_handle_offset_for_leader_epoch(struct mb_request *request);
void mb_handle_add_partitions_to_txn(struct mb_request *request);
void mb_handle_add_offsets_to_txn(struct mb_request *request);
void mb_handle_end_txn(struct mb_request *request);
void mb_handle_txn_offset_commit(struct mb_request *request);
void mb_handle_join_group(struct mb_request *request);
void mb_handle_sync_group(struct mb_request *request);
void mb_handle_heartbeat(struct mb_request *request);
void mb_handle_leave_group(struct mb_request *request);
void mb_handle_offset_commit(struct mb_request *request);
void mb_handle_offset_fetch(struct mb_request *request);
void mb_handle_create_topics(struct mb_request *request);

/** Does this cluster serve the API? ApiVersions lists exactly these. */
bool mb_api_is_served(int16_t api_key);

#endif
