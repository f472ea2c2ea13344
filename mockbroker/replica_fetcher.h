/**
 * A follower's side of replication: per leader one fetcher, one connection and one request at a time, with
 * real Fetch requests (v12) in an incremental session (KIP-227).
 *
 * Kafka: ReplicaFetcherManager, AbstractFetcherThread, ReplicaFetcherThread, FetchSessionHandler.
 */
#ifndef MB_REPLICA_FETCHER_H
#define MB_REPLICA_FETCHER_H

#include "base/arena.h"
#include "mockbroker/cluster.h"

struct kw_fetch_response_partition;

/** What a fetcher does. Kafka's is a thread: while it waits for one thing it does nothing else. */
enum mb_fetcher_state {
    MB_FETCHER_IDLE,       /* nothing to fetch */
    MB_FETCHER_BACKOFF,    /* after a failure */
    MB_FETCHER_CONNECTING, /* asked the driver for a connection */
    MB_FETCHER_DELAYED,    /* a fault slows it down */
    MB_FETCHER_FETCHING,   /* a Fetch is in flight */
    MB_FETCHER_APPENDING,  /* the answer is here, the disk is busy */
    MB_FETCHER_ASKING,     /* ListOffsets for a partition that is out of range */
};

struct mb_fetcher {
    struct mb_cluster *cluster;
    struct mb_broker *broker;
    int32_t leader;
    enum mb_fetcher_state state;
    struct mb_connection *connection; /* NULL: none */
    struct mb_connecting *connecting; /* asked for, not numbered yet; NULL: none */
    bool is_connected;                /* it may be written to */
    struct mb_timer timer;            /* of the state: the end of a back-off, of a delay, of the patience */
    struct mb_buffer input;
    struct kb_arena arena;
    int32_t correlation_id;
    int32_t session_id;
    int32_t session_epoch;                 /* of the next request; 0 asks for a full one */
    struct kb_list partitions;             /* every one: mb_fetch_state.of_fetcher */
    struct kb_list to_name;                /* those that the next request must name: of_changes */
    struct kb_list out_of_range;           /* those that have to ask for the leader's offsets */
    struct mb_topic_partition **forgotten; /* those that leave the session with the next request */
    uint32_t forgotten_count;
    uint32_t forgotten_capacity;
    uint32_t in_session_count;
    bool has_waited; /* the delay before this request is over */
    struct mb_partition *asking;
    int64_t latest_offset; /* the leader's; -1: not known yet */
};

/** A connection that the driver was asked for. */
struct mb_connecting {
    struct kb_list_node all;
    struct mb_fetcher *fetcher; /* NULL: nobody wants it any more */
    uint64_t message;
    int32_t from;
    int32_t to;
};

/** Of a follower's partition. Kafka: PartitionFetchState. */
struct mb_fetch_state {
    struct mb_fetcher *fetcher; /* NULL: none */
    struct kb_list_node of_fetcher;
    struct kb_list_node of_changes; /* in to_name or out_of_range */
    struct mb_timer delay;          /* after an error */
    bool is_delayed;
    bool is_in_session;
    int64_t fetch_offset;
    int32_t current_leader_epoch;
    int32_t last_fetched_epoch;
    int64_t sent_offset; /* what the leader was told */
    int32_t sent_epoch;
    bool is_verified; /* for mb_check: the leader answered a fetch in this epoch without objection */
};

/** Begin, or go on after a change of leader, with the partition's leader and epoch. */
void mb_fetcher_add(struct mb_partition *partition);
/** Kafka: removeFetcherForPartitions. */
void mb_fetcher_remove(struct mb_partition *partition);
/** Kafka: shutdownIdleFetcherThreads. */
void mb_fetchers_close_idle(struct mb_broker *broker);
/** The process ends: connections are dropped with an output each. */
void mb_fetchers_stop(struct mb_broker *broker);

void mb_fetcher_connected(struct mb_fetcher *fetcher);
void mb_fetcher_disconnected(struct mb_fetcher *fetcher);
void mb_fetcher_receive(struct mb_fetcher *fetcher, const void *bytes, size_t length_bytes);
/** Send the next request if it is time. */
void mb_fetcher_run(struct mb_fetcher *fetcher);
/** The driver gave the connection its number. */
void mb_fetcher_numbered(struct mb_cluster *cluster, struct mb_connecting *connecting, uint32_t connection);
/** It thaws: what came meanwhile is read. */
void mb_fetcher_read(struct mb_fetcher *fetcher);

/** Something is on its way; patience is replica.socket.timeout.ms. */
void mb_fetcher_await(struct mb_fetcher *fetcher, enum mb_fetcher_state state);

/* replica_fetcher_request.c */

enum { MB_FETCHER_FETCH_VERSION = 12, MB_FETCHER_LIST_OFFSETS_VERSION = 7 };
enum { MB_ASK_LATEST = -1, MB_ASK_EARLIEST = -2 };

/** Name what has changed since the last request. */
void mb_fetcher_send_fetch(struct mb_fetcher *fetcher);
/** Ask for an end of the log of the partition that is being asked for. */
void mb_fetcher_ask_offset(struct mb_fetcher *fetcher, int64_t which);

/* replica_fetcher_append.c */

/** What a partition's part of an answer means. */
enum mb_fetched {
    MB_FETCHED_FINE,
    MB_FETCHED_RETRY,        /* leave it alone for replica.fetch.backoff.ms */
    MB_FETCHED_FAILED,       /* stop fetching it until the next LeaderAndIsr */
    MB_FETCHED_OUT_OF_RANGE, /* ask for the leader's offsets */
};
enum mb_fetched mb_fetcher_process(struct mb_partition *partition,
                                   const struct kw_fetch_response_partition *data);
/** Cut the log and announce it. Kafka: ReplicaFetcherThread.truncate. */
void mb_fetcher_truncate(struct mb_partition *partition, int64_t offset);

#endif
