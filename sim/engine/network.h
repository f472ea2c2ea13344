/**
 * The network between producers and brokers, and between brokers: connections that keep their bytes in order,
 * with a latency and a bandwidth for each; links that can be cut.
 *
 * An end of a connection is a number: a broker's id, sim_end_of_producer() or sim_end_of_consumer(). Bytes on
 * a cut link are not lost for ever, as TCP would send them again: they leave once more when the link is
 * healed, unless the connection was closed before.
 */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/prng.h"
#include "base/trace.h"
#include "engine/scenario.h"
#include "engine/scheduler.h"

static inline int32_t sim_end_of_producer(uint32_t index)
{
    return INT32_MIN / 2 + (int32_t)index;
}
static inline bool sim_end_is_producer(int32_t end)
{
    return end >= INT32_MIN / 2 && end < INT32_MIN / 4; /* MB_CONTROLLER is below */
}
static inline int32_t sim_end_of_consumer(uint32_t index)
{
    return INT32_MIN / 4 + (int32_t)index;
}
static inline bool sim_end_is_consumer(int32_t end)
{
    return end >= INT32_MIN / 4 && end < INT32_MIN / 8;
}
static inline bool sim_end_is_client(int32_t end)
{
    return sim_end_is_producer(end) || sim_end_is_consumer(end);
}
/** As trace events name an end: producers are -1, -2, ..., consumers -1001, -1002, ... */
int32_t sim_end_in_trace(int32_t end);

struct sim_connection {
    struct kb_list_node node;
    uint32_t id;
    int32_t from; /* the end that asked for it */
    int32_t to;   /* a broker */
    bool is_established;
    bool is_closed_at_from;
    bool is_closed_at_to;
    int64_t free_us[2];    /* when the line is free for more bytes: from `from`, from `to` */
    int64_t arrival_us[2]; /* of the last byte on its way, in the same directions */
    uint32_t packet_count; /* on their way */
    uint64_t message;      /* of a broker that asked for the connection */
    void *owner;           /* of the asking end, if it is a client: a driver */
};

struct sim_packet_label {
    uint32_t request;
    int32_t api;
    bool is_response;
};

/**
 * What the network tells. A connection is valid until both ends are closed: a broker's end closes by itself
 * when it is told, a client's end (one with an owner) when its owner calls sim_network_close().
 */
struct sim_network_listener {
    void *context;
    /** A connection reaches the broker it is for: is it taken? */
    bool (*arrived)(void *context, struct sim_connection *connection);
    /** The asking end learns that it was taken, or not. */
    void (*established)(void *context, struct sim_connection *connection);
    void (*refused)(void *context, struct sim_connection *connection);
    void (*received)(void *context, struct sim_connection *connection, int32_t at, const void *bytes,
                     size_t length_bytes);
    void (*closed)(void *context, struct sim_connection *connection, int32_t at);
    /** A message of the cluster to itself. lost: its link is cut. */
    void (*control)(void *context, uint64_t message, bool lost);
    /** cause: what the next events follow from. */
    void (*caused_by)(void *context, uint64_t cause);
};

struct sim_cut {
    int32_t from; /* SIM_END_PRODUCER, _CONSUMER, _CLUSTER and _ALL stand for many */
    int32_t to;
};

struct sim_network {
    struct sim_scheduler *scheduler; /* borrowed */
    struct kb_trace *trace;          /* borrowed; NULL: none */
    struct sim_network_listener listener;
    const struct sim_scenario *scenario; /* borrowed: latencies */
    struct kb_prng prng;
    struct kb_list connections;
    struct kb_list packets;
    struct sim_connection **by_id; /* index id - 1; NULL when gone */
    uint32_t by_id_capacity;
    uint32_t connection_count; /* ever */
    uint32_t packet_count;     /* ever */
    struct sim_cut *cuts;
    uint32_t cut_count;
    uint32_t cut_capacity;
};

void sim_network_init(struct sim_network *network, const struct sim_scenario *scenario, uint64_t seed,
                      struct sim_scheduler *scheduler, struct kb_trace *trace,
                      const struct sim_network_listener *listener);
void sim_network_release(struct sim_network *network);

/** Numbers a new connection and sends it on its way. message and owner are handed through. */
struct sim_connection *sim_network_connect(struct sim_network *network, int32_t from, int32_t to,
                                           uint64_t message, void *owner);
/** NULL when it is gone. */
struct sim_connection *sim_network_find(struct sim_network *network, uint32_t id);

struct sim_segment {
    const void *bytes;
    size_t length_bytes;
};
/** Copies. Nothing happens when the connection is closed at the sending end. cause: the event that led to it.
 */
void sim_network_send(struct sim_network *network, struct sim_connection *connection, int32_t from,
                      const struct sim_segment *segments, uint32_t segment_count,
                      const struct sim_packet_label *label, uint64_t cause);
/** One end closes; the other learns it after what was sent before. The connection may be gone after it. */
void sim_network_close(struct sim_network *network, struct sim_connection *connection, int32_t at);
/** Every connection of a broker ends at its side: the process is gone. */
void sim_network_reset_broker(struct sim_network *network, int32_t broker);
/** A message of the cluster to itself; to and from are brokers, or MB_CONTROLLER. */
void sim_network_control(struct sim_network *network, int32_t from, int32_t to, uint64_t message);

void sim_network_cut(struct sim_network *network, int32_t from, int32_t to, bool one_way);
/** Takes back what was cut between these; what waited leaves again. */
void sim_network_heal(struct sim_network *network, int32_t from, int32_t to);
bool sim_network_is_cut(const struct sim_network *network, int32_t from, int32_t to);

#endif
