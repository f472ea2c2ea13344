/**
 * Connections: frames out of a stream of bytes, one request in service each.
 *
 * A request that is in service stays there when its connection ends: nobody takes it back from the request
 * handler or from the purgatory. Only its answer goes nowhere.
 *
 * A client's connection has one end here, the broker it goes to (the server end). One between brokers has
 * two: the follower's fetcher has the other.
 *
 * Kafka: SocketServer.Processor (mute after a request, unmute after its response; processDisconnected and
 * close leave requests alone), NetworkReceive.
 */
#ifndef MB_CONNECTION_H
#define MB_CONNECTION_H

#include "mockbroker/cluster.h"
#include "wire/schema.h"

struct mb_fetch_session;

struct mb_connection {
    struct mb_broker *server; /* NULL: the server end is not open (yet, or any more) */
    struct mb_fetcher *fetcher;
    uint32_t id;
    int32_t from; /* id of the broker at the other end, or MB_FROM_CLIENT */

    /* Of the server end. */
    struct kb_list_node of_broker;
    struct kb_list_node ready;
    struct mb_buffer input;
    struct mb_request *in_service; /* muted: nothing is read before it is answered */
    bool is_hung;                  /* an answer was dropped by a fault: muted for good */
    bool is_front_known;           /* the request at the front was looked at before it was there as a whole */
    char *client;                  /* client.id of its requests; NULL: none came */
    int32_t client_length_bytes;
    bool is_being_read; /* whoever reads frees it, when it ended meanwhile */
    /* Its socket is closed, and its number may be another one's; but what is in service goes on. */
    bool is_gone;
    bool reads_on;             /* with is_gone: what the client sent before it closed is served, too */
    bool is_reset;             /* with is_gone: somebody wrote to the client since */
    struct mb_timer throttled; /* muted until then. Kafka: ClientQuotaManager.ThrottledChannelReaper */
    bool is_throttled;
    struct mb_fetch_session *session;
};

struct mb_connection *mb_connection_find(const struct mb_cluster *cluster, uint32_t id);
struct mb_connection *mb_connection_create(struct mb_cluster *cluster, uint32_t id);
/** The broker closes its server end, after what it has written: an output. Nothing more is read from it.
 *  Kafka: SocketServer.Processor.close. */
void mb_connection_close(struct mb_cluster *cluster, struct mb_connection *connection);
/** The broker's process ends, and so do the connection and the request in service. */
void mb_connection_kill(struct mb_cluster *cluster, struct mb_connection *connection);
/** Only the output. */
void mb_connection_announce_close(struct mb_cluster *cluster, uint32_t connection, int32_t from, int32_t to);
/** An answer cannot be written: the client's end is closed. */
void mb_connection_answer_lost(struct mb_connection *connection);
/** The follower's end is gone. */
void mb_connection_drop_fetcher(struct mb_cluster *cluster, struct mb_connection *connection);
/** A request of this client came over it. */
void mb_connection_name_client(struct mb_connection *connection, struct kw_string client);
/** The request in service is done: the next one may be read. */
void mb_connection_unmute(struct mb_cluster *cluster, struct mb_connection *connection);
/** Read what may be read, request by request, until one stays in service. */
void mb_connection_read(struct mb_cluster *cluster, struct mb_connection *connection);

#endif
