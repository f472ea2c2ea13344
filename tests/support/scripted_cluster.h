/**
 * A cluster that does what a script says: brokers that answer real request bytes with real response bytes,
 * over connections in virtual milliseconds.
 *
 * `cluster` and `script` are those of a case of producer_trace.jsonl, whose README describes the behaviour:
 * what a broker does without an entry of the script, what the entries change, when a connection is made,
 * refused or closed, and when a response can be read. Nothing here knows the client.
 *
 * A driver does for each millisecond:
 *
 *     scripted_cluster_begin_ms(cluster, t)           entries of the script with that time
 *     again and again:
 *         scripted_cluster_connect(), _hand_over(), _close()    what the client wants
 *         scripted_cluster_move(cluster, t, report, context)    the network moves one step
 *
 * Descriptions and bytes may be anything: what makes no sense is told by scripted_cluster_failure().
 */
#ifndef LINGER_TESTS_SCRIPTED_CLUSTER_H
#define LINGER_TESTS_SCRIPTED_CLUSTER_H

#include "json_exact.h"

struct scripted_cluster;

enum scripted_report_kind {
    SCRIPTED_CONNECTED,
    SCRIPTED_REFUSED,
    /** Closed by the broker. */
    SCRIPTED_CLOSED,
    /** The request that was handed over is at its broker. */
    SCRIPTED_WRITTEN,
    /** A response was read. */
    SCRIPTED_RECEIVED,
    /** The request that was handed over never leaves: its connection broke before it was written. */
    SCRIPTED_UNSENT
};

/** Valid during the call; the frame until the next step. */
struct scripted_report {
    enum scripted_report_kind kind;
    uint32_t connection;
    /** As in scripted_cluster_connect(). */
    int32_t node;
    /** RECEIVED: header and body, without the length. */
    const uint8_t *frame;
    size_t length_bytes;
    /** CLOSED: of the response that it came in place of; -1: of none. */
    int64_t correlation_id;
};

typedef void scripted_report_function(void *context, const struct scripted_report *report);

/**
 * cluster and script are borrowed. epoch_ms is the wall-clock time of t = 0. Never NULL; a description
 * without sense gives a cluster without brokers and a failure.
 */
struct scripted_cluster *scripted_cluster_create(const cJSON *cluster, const cJSON *script, int64_t epoch_ms);
/** cluster may be NULL. */
void scripted_cluster_destroy(struct scripted_cluster *cluster);

/** What made no sense, the first thing: in the description, in a request, or in what the client did. NULL:
 * nothing.
 */
const char *scripted_cluster_failure(const struct scripted_cluster *cluster);

/** To be called for every t from 0 on; those before scripted_cluster_next_ms() may be left out. */
void scripted_cluster_begin_ms(struct scripted_cluster *cluster, int64_t t);

/** The first time after t at which something happens by itself: an entry of the script, a connection,
 * something to be read. INT64_MAX: never. */
int64_t scripted_cluster_next_ms(const struct scripted_cluster *cluster, int64_t t);

/** node: a broker id, or -1, -2, ... for the places of the bootstrap list. connection: a number never used
 * again. */
void scripted_cluster_connect(struct scripted_cluster *cluster, uint32_t connection, int32_t node, int64_t t);

/** A request with its 4-byte length; copies. It is a failure when the last one of the connection is not
 * written yet.
 */
void scripted_cluster_hand_over(struct scripted_cluster *cluster, uint32_t connection, const void *bytes,
                                size_t length_bytes);

/** By the client. True: a request had been handed over and was not written. */
bool scripted_cluster_close(struct scripted_cluster *cluster, uint32_t connection);

/**
 * One step of the network, for each connection in the order of the node ids: it is made or refused; at most
 * one response, or the closing, is read; what was handed over is written.
 */
void scripted_cluster_move(struct scripted_cluster *cluster, int64_t t, scripted_report_function *report,
                           void *context);

/**
 * Body of a Metadata response version 11 with all brokers and the topics that a client may know from the
 * start, for kp_producer_seed_metadata(). Valid until the cluster is destroyed. NULL and a failure without
 * sense.
 */
const uint8_t *scripted_cluster_initial_metadata(struct scripted_cluster *cluster, size_t *length_bytes);

int32_t scripted_cluster_broker_count(const struct scripted_cluster *cluster);

#endif
