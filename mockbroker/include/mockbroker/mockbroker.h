/**
 * The mock cluster: brokers with replica logs, leaders, ISR, high watermark and acks that mean something,
 * speaking Kafka's wire format and knowing nothing of who is at the other end.
 *
 * Like the producer it does no I/O: bytes in, bytes out, the time as an argument, the next deadline as an
 * answer. Time is in microseconds, so that a simulated network can be modelled finely.
 *
 * Connections are numbered by the driver. A client's connection ends at a broker. Brokers also connect to
 * each other (followers fetch from leaders): the cluster asks for such a connection with an output, and the
 * driver moves its bytes like any other's, with the latency of that link. What the controller and the brokers
 * tell each other are typed messages, which the driver delays in the same way (MB_OUTPUT_CONTROL).
 */
#ifndef MOCKBROKER_H
#define MOCKBROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linger/allocator.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mb_cluster;
struct kb_trace;

/** A setting by Kafka's name, e.g. {"min.insync.replicas", "2"}. */
struct mb_setting {
    const char *name;
    const char *value;
};

struct mb_topic_options {
    const char *name;
    int32_t partition_count;
    int32_t replication_factor;
    const struct mb_setting *settings;
    uint32_t setting_count;
    /* Explicit replica lists, partition_count * replication_factor broker ids, preferred leader first; NULL:
     * spread round-robin, replica r of partition p on broker (p + r) mod n in the order of the ids. */
    const int32_t *assignment;
};

/** Somebody who reads the logs and wants to see what retention takes from them. */
struct mb_observer {
    void *context;
    /**
     * The log of a replica is about to begin at start_offset. The batches that end below it can still be read
     * with mb_log_read, now and no later. Nothing may be called that takes now_us.
     */
    void (*log_start_moves)(void *context, int32_t broker, const char *topic, int32_t partition,
                            int64_t start_offset);
};

/**
 * How many bytes a second a client may send to each broker, and fetch from each. Kafka: the dynamic configs
 * of a client-id entity.
 */
struct mb_quota_options {
    const char *client_id;      /* NULL: <default>, for every client id that has none of its own */
    int64_t producer_byte_rate; /* 0: no limit */
    int64_t consumer_byte_rate;
};

struct mb_options {
    const int32_t *broker_ids; /* ascending */
    uint32_t broker_count;
    const char *const *hosts;          /* one per broker; NULL: "broker-ID" */
    const uint16_t *ports;             /* one per broker; NULL: 9092 */
    const struct mb_setting *settings; /* of every broker */
    uint32_t setting_count;
    const struct mb_topic_options *topics;
    uint32_t topic_count;
    const struct mb_quota_options *quotas;
    uint32_t quota_count;
    int64_t epoch_ms;       /* wall clock at now_us = 0 */
    int64_t disk_append_us; /* how long an append takes */
    uint64_t seed;
    /* NULL: malloc. Borrowed until mb_cluster_destroy. It must not fail: a simulated broker has no way to go
     * on without memory, so when it gives NULL, in mb_cluster_create or in any later call, the process ends
     * with a failed assertion that names the place, also in release builds; nothing is left half done. What
     * bounds the need: retention.bytes and retention.ms for the logs, socket.request.max.bytes for a request,
     * 256 MB for the records of a batch that is decompressed. What a client sends ahead is kept, and so is
     * what the driver has not taken yet with mb_next_output. */
    const struct linger_allocator *allocator;
    struct kb_trace *trace;             /* NULL: none */
    const struct mb_observer *observer; /* copied; NULL: none */
};

enum { MB_ERROR_TEXT_BYTES = 256 };

/** A complaint about options: names the option, what was found and what would be right. */
struct mb_error {
    char text[MB_ERROR_TEXT_BYTES];
};

/** Everything in options is copied. Returns false with *error. */
bool mb_cluster_create(const struct mb_options *options, int64_t now_us, struct mb_cluster **out,
                       struct mb_error *error) __attribute__((warn_unused_result));
void mb_cluster_destroy(struct mb_cluster *cluster);

/** What every setting is called, what it means; for `linger config`. index from 0; false past the end. */
struct mb_setting_info {
    const char *name;
    const char *scope; /* "broker", "topic" */
    const char *type;
    const char *default_value;
    const char *doc;
    const char *kafka_default; /* when this cluster's default differs; else NULL */
};
bool mb_setting_info(uint32_t index, struct mb_setting_info *out);
/** NULL when the value is fine for the setting, else what is wrong with it (static or in *error). */
const char *mb_setting_check(const char *scope, const char *name, const char *value, struct mb_error *error);

/* --- Bytes
 * ------------------------------------------------------------------------------------------------------------
 */

/** A connection reaches broker `to`. from: the id of a broker, or MB_FROM_CLIENT. Refused (false) when it is
 * down. */
enum { MB_FROM_CLIENT = INT32_MIN };
bool mb_connection_opened(struct mb_cluster *cluster, uint32_t connection, int32_t from, int32_t to,
                          int64_t now_us);
/** The end `at` of the connection sees that it is gone (MB_FROM_CLIENT never: the client is not ours). */
void mb_connection_closed(struct mb_cluster *cluster, uint32_t connection, int32_t at, int64_t now_us);
/** Bytes of a connection reach broker `at`: any piece of the stream of frames. Borrowed for the call. */
void mb_receive(struct mb_cluster *cluster, uint32_t connection, int32_t at, const void *bytes,
                size_t length_bytes, int64_t now_us);

enum mb_output_kind {
    MB_OUTPUT_BYTES,   /* bytes of a connection, from broker `from` to the other end */
    MB_OUTPUT_CLOSE,   /* broker `from` closes the connection, after the bytes before it */
    MB_OUTPUT_CONNECT, /* broker `from` wants a connection to broker `to`; the driver numbers it:
                          mb_connect_numbered */
    MB_OUTPUT_CONTROL, /* a message from `from` to `to`; deliver it with mb_control_arrived after the link's
                        * latency. The controller itself (ZooKeeper with it) is MB_CONTROLLER. */
    MB_OUTPUT_FAULT,   /* a fault at a point has happened at broker `from`, and the driver has a part in it */
};
enum { MB_CONTROLLER = INT32_MIN + 1 };

struct mb_segment {
    const void *bytes;
    size_t length_bytes;
};

struct mb_output {
    enum mb_output_kind kind;
    uint32_t connection;               /* BYTES, CLOSE */
    int32_t from;                      /* broker id */
    int32_t to;                        /* broker id, MB_FROM_CLIENT or MB_CONTROLLER */
    const struct mb_segment *segments; /* BYTES: valid until the next call */
    uint32_t segment_count;
    size_t length_bytes;
    uint32_t
        request; /* BYTES: correlation id, API key, whether it is a response: for whoever draws or traces */
    int32_t api;
    bool is_response;
    uint64_t message; /* CONNECT, CONTROL: a number to give back */

    /* FAULT. KILL: the process is gone, and with it the connections that have not reached it yet.
     * CUT_LINKS: what leaves after this output goes over links that are cut; the driver also says so with
     * mb_controller_link, if it cuts that one. undo_after_us > 0: the driver is to take it back then
     * (mb_restart, mb_thaw, healed links). */
    int32_t fault; /* enum mb_request_fault_kind */
    int32_t link;  /* as in the fault */
    bool one_way;
    int64_t undo_after_us;
};

/** What the cluster wants done, in order; false when there is nothing (now). */
bool mb_next_output(struct mb_cluster *cluster, struct mb_output *out);
/** The driver's number for a connection asked for with MB_OUTPUT_CONNECT, before mb_connection_opened at the
 * other end or mb_connection_closed at this one. mb_connection_ready: the asking end may write now. */
void mb_connect_numbered(struct mb_cluster *cluster, uint64_t message, uint32_t connection);
void mb_connection_ready(struct mb_cluster *cluster, uint32_t connection, int64_t now_us);
void mb_control_arrived(struct mb_cluster *cluster, uint64_t message, int64_t now_us);
/** The driver gives up on a message (its link is cut). */
void mb_control_lost(struct mb_cluster *cluster, uint64_t message, int64_t now_us);

/** Do what is due by itself at now_us: disk writes that end, fetch waits, time-outs, checks of the ISR. */
void mb_advance(struct mb_cluster *cluster, int64_t now_us);
/** When mb_advance has something to do; INT64_MAX: never. */
int64_t mb_next_deadline_us(const struct mb_cluster *cluster);

/* --- Faults
 * -----------------------------------------------------------------------------------------------------------
 */

/** Crash: connections end, parked requests are forgotten, the log stays. false: no such broker, or already
 * down. */
bool mb_kill(struct mb_cluster *cluster, int32_t broker, int64_t now_us);
/** Controlled shutdown: leaders move first. */
bool mb_shutdown(struct mb_cluster *cluster, int32_t broker, int64_t now_us);
/** Its logs are as they were, its high watermarks as last checkpointed. It is up when the controller has
 *  registered it, which waits until the session of the process before it has ended. */
bool mb_restart(struct mb_cluster *cluster, int32_t broker, int64_t now_us);
/** The process stalls: nothing is read, answered or fetched until it thaws. */
bool mb_freeze(struct mb_cluster *cluster, int32_t broker, int64_t now_us);
bool mb_thaw(struct mb_cluster *cluster, int32_t broker, int64_t now_us);
/**
 * The link between a broker and the controller is cut (is_up false) or healed: messages are the driver's to
 * lose, but the heartbeats of the session are not sent one by one, so it has to be said. When it stays cut
 * for zookeeper.session.timeout.ms the broker counts as dead, while it goes on believing what it believed.
 */
bool mb_controller_link(struct mb_cluster *cluster, int32_t broker, bool is_up, int64_t now_us);
/** Its fetches of other leaders are delayed by so much each. 0: as before. */
bool mb_slow_replica(struct mb_cluster *cluster, int32_t broker, int64_t fetch_delay_us);
bool mb_slow_disk(struct mb_cluster *cluster, int32_t broker, int64_t append_us);
/** Leadership moves to a replica in the ISR. */
bool mb_move_leader(struct mb_cluster *cluster, const char *topic, int32_t partition, int32_t broker,
                    int64_t now_us);
bool mb_add_partitions(struct mb_cluster *cluster, const char *topic, int32_t partition_count,
                       int64_t now_us);

/** Where in the life of a client's request at a broker a fault strikes. Kafka's steps are named beside. */
enum mb_fault_point {
    MB_POINT_NONE,             /* where the fault acts by itself */
    MB_POINT_REQUEST_CUT,      /* half of the request's frame has arrived. NetworkReceive.readFrom */
    MB_POINT_REQUEST_RECEIVED, /* it is there as a whole, nothing is done. KafkaApis.handle */
    MB_POINT_BEFORE_APPEND,    /* Produce: a batch is about to be appended. ReplicaManager.appendToLocalLog */
    MB_POINT_AFTER_APPEND,     /* Produce: it is in the leader's log, no follower has fetched it yet */
    MB_POINT_AFTER_REPLICATION, /* Produce, acks=all: the high watermark has passed all its batches, there is
                                 * no response yet. DelayedProduce.onComplete */
    MB_POINT_BEFORE_RESPONSE,   /* the response is made, none of it has left. RequestChannel.sendResponse */
    MB_POINT_RESPONSE_CUT,      /* its first bytes have left. NetworkSend.writeTo */
};

/**
 * What to do to the next `count` requests of clients, of an API, that meet the filter. Each hit is announced
 * as a FAULT event, which names the request.
 *
 * The batches of one produce request are appended one after the other: BEFORE_APPEND, AFTER_APPEND and
 * CORRUPT_BATCH look at each of them, all other points and kinds at the request. A batch that the log has
 * already (a duplicate) is not appended again. acks=0 has no response, acks=0 and 1 wait for no replication:
 * such requests never reach those points.
 */
struct mb_request_fault {
    enum mb_request_fault_kind {
        MB_FAULT_ERROR,          /* answer with `code`; appended: carry it out all the same */
        MB_FAULT_DELAY_RESPONSE, /* by delay_us */
        MB_FAULT_DROP_RESPONSE,  /* carried out, never answered; nothing more is read from its connection.
                                  * AFTER_APPEND, AFTER_REPLICATION: nothing happens with it after that */
        MB_FAULT_DROP_REQUEST,   /* neither; nothing more is read from its connection */
        MB_FAULT_DISCONNECT,     /* the connection is closed instead of an answer; at a point: there */
        MB_FAULT_THROTTLE,       /* throttle_time_ms = delay_us / 1000 */
        MB_FAULT_CORRUPT_BATCH,  /* a bit of a batch flips on its way, so that its CRC does not fit. Of
                                  * Produce: to the leader. Of Fetch: to a follower, which is `broker` */
        MB_FAULT_KILL,           /* at a point: as mb_kill */
        MB_FAULT_SHUTDOWN,       /* at a point: as mb_shutdown; the request goes on */
        MB_FAULT_FREEZE,         /* at a point: as mb_freeze; the request goes on when the broker thaws */
        MB_FAULT_CUT_LINKS,      /* at a point: an MB_OUTPUT_FAULT; the request goes on */
    } kind;
    enum mb_fault_point point;
    int32_t api;        /* Kafka's API key */
    int32_t broker;     /* -1: any */
    const char *client; /* client.id; NULL: any */
    const char *topic;  /* NULL: any */
    int32_t partition;  /* -1: any */
    int32_t code;
    bool appended;
    int64_t delay_us;
    uint32_t skip; /* so many that meet the filter pass by first */
    uint32_t count;
    uint32_t cut_bytes;    /* RESPONSE_CUT: so many bytes leave, though never all; 0: half of the frame */
    int32_t link;          /* CUT_LINKS: the other end, in the driver's words */
    bool one_way;          /* CUT_LINKS: handed through */
    int64_t undo_after_us; /* KILL, SHUTDOWN, FREEZE, CUT_LINKS: handed through; 0: it stays */
};
/** NULL when such a fault can happen, else why it cannot: a sentence without its end. Looks at no cluster. */
const char *mb_fault_check(const struct mb_request_fault *fault);
/** False: no such broker, or mb_fault_check complains. The fault is copied. */
bool mb_inject(struct mb_cluster *cluster, const struct mb_request_fault *fault);
/** The broker closes all its client connections. */
bool mb_disconnect_clients(struct mb_cluster *cluster, int32_t broker, int64_t now_us);

/* --- Looking in
 * ---------------------------------------------------------------------------------------------------------
 */

struct mb_replica_view {
    bool exists;
    bool is_leader; /* in its own opinion */
    int64_t log_start_offset;
    int64_t log_end_offset;
    int64_t high_watermark;
    int64_t last_stable_offset;
    int32_t leader_epoch;
    uint32_t isr_count;         /* of a leader: as the controller agreed */
    uint32_t maximal_isr_count; /* and with whom it wants to add */
};
struct mb_partition_view {
    int32_t leader; /* as the controller sees it; -1: none */
    int32_t leader_epoch;
    uint32_t isr_count;
    uint32_t replica_count;
};
bool mb_partition_view(const struct mb_cluster *cluster, const char *topic, int32_t partition,
                       struct mb_partition_view *out);
/** The committed ISR / the assignment, as broker ids; index below isr_count / replica_count. */
int32_t mb_partition_isr(const struct mb_cluster *cluster, const char *topic, int32_t partition,
                         uint32_t index);
int32_t mb_partition_replica(const struct mb_cluster *cluster, const char *topic, int32_t partition,
                             uint32_t index);
bool mb_replica_view(const struct mb_cluster *cluster, int32_t broker, const char *topic, int32_t partition,
                     struct mb_replica_view *out);
bool mb_broker_is_up(const struct mb_cluster *cluster, int32_t broker);
int32_t mb_topic_partition_count(const struct mb_cluster *cluster, const char *topic);

/** A record batch of a replica's log that holds `offset`, or the first after it; false past the end. The
 * bytes are the cluster's, valid until the next call that takes now_us. */
bool mb_log_read(const struct mb_cluster *cluster, int32_t broker, const char *topic, int32_t partition,
                 int64_t offset, const void **batch, size_t *length_bytes);

/** Check every invariant of the cluster; NULL when all hold, else a sentence that names what does not. */
const char *mb_check(const struct mb_cluster *cluster);
/** The same of the partitions that something happened to since the last call, which is cheap enough after
 * every step; now and then of all. It remembers what it saw, and so knows more than mb_check(): that a
 * follower counts as caught up only when it was. */
const char *mb_check_changed(struct mb_cluster *cluster);

#ifdef __cplusplus
}
#endif

#endif
