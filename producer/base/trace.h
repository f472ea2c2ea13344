/**
 * Typed trace events: what happened, announced where it happened, with its reason.
 *
 * The kinds and their fields are in trace_events.def. An event holds ids and integers, never pointers, and
 * takes 64 bytes, so a log of events is an array and a copy of it means the same in another process.
 *
 * Whoever drives the code owns a struct kb_trace and gives a pointer to it to the objects it creates. A NULL
 * pointer means that nobody looks, and costs one predictable branch.
 */
#ifndef KB_TRACE_H
#define KB_TRACE_H

#include <stddef.h>
#include <stdint.h>

/* Field types: how a field is stored, and how it reads. */

#define KB_UNWRAP(...)              __VA_ARGS__
#define KB_C_TYPE_I32               int32_t
#define KB_C_TYPE_I64               int64_t
#define KB_C_TYPE_U32               uint32_t
#define KB_C_TYPE_NAME              uint32_t /* an interned name, e.g. of a topic; 0 is no name */
#define KB_C_TYPE_TEXT16            struct kb_text16
#define KB_C_TYPE_ERROR             int32_t  /* wire/errors.h; 0 is none */
#define KB_C_TYPE_API               int32_t  /* Kafka's API key; -1: none */
#define KB_C_TYPE_LEFT              uint32_t /* bits of enum kb_left */
#define KB_C_TYPE_HELD              uint32_t /* bits of enum kb_held */
#define KB_C_TYPE_PARTITION_WHY     int32_t
#define KB_C_TYPE_CLOSE_WHY         int32_t
#define KB_C_TYPE_WAIT              int32_t
#define KB_C_TYPE_CALL              int32_t
#define KB_C_TYPE_SENDER_STATE      int32_t
#define KB_C_TYPE_CONNECTION_STATE  int32_t
#define KB_C_TYPE_METADATA_WHY      int32_t
#define KB_C_TYPE_TXN_STATE         int32_t
#define KB_C_TYPE_ELECTION_WHY      int32_t
#define KB_C_TYPE_COORDINATOR_STATE int32_t
#define KB_C_TYPE_MARKER            int32_t
#define KB_C_TYPE_FAULT_KIND        int32_t
#define KB_C_TYPE_POSITION_WHY      int32_t
#define KB_C_TYPE_MEMBER_STATE      int32_t
#define KB_C_TYPE_FAULT_POINT       int32_t /* 0: none */

/** The beginning of a text, cut to fit; unused bytes are zero, a cut text fills all 16. */
struct kb_text16 {
    char bytes[16];
};

/** Why a batch left the accumulator. More than one may hold. Kafka: RecordAccumulator.ready,
 * drainBatchesForOneNode. */
#define KB_LEFT_LIST(X)                                                                                      \
    X(FULL, 0, "its bytes reached its capacity")                                                             \
    X(NO_ROOM, 1, "it closed because the next record did not fit, and a successor stands behind it")         \
    X(LINGER, 2, "it waited linger.ms")                                                                      \
    X(BACKOFF_OVER, 3, "its retry.backoff.ms is over")                                                       \
    X(MEMORY_WAITER, 4, "somebody waits for memory")                                                         \
    X(FLUSH, 5, "flush() was called")                                                                        \
    X(CLOSE, 6, "close() was called")                                                                        \
    X(TXN_COMPLETING, 7, "the transaction is being completed")                                               \
    X(PIGGYBACK, 8, "its node was being drained for another partition")

/** Why a batch stays. More than one may hold. */
#define KB_HELD_LIST(X)                                                                                      \
    X(LINGER, 0, "linger.ms is not over")                                                                    \
    X(BACKOFF, 1, "retry.backoff.ms is not over")                                                            \
    X(NO_LEADER, 2, "its partition has no known leader")                                                     \
    X(MUTED, 3, "an earlier batch of its partition is in flight and max.in.flight.requests is 1")            \
    X(NOT_CONNECTED, 4, "the connection to its node is not ready")                                           \
    X(RECONNECT_BACKOFF, 5, "the node may not be reconnected yet")                                           \
    X(METADATA_DUE, 6, "a metadata update is due first")                                                     \
    X(INFLIGHT_FULL, 7, "its node has max.in.flight.requests.per.connection requests in flight")             \
    X(THROTTLED, 8, "its node asked for a pause")                                                            \
    X(REQUEST_CAP, 9, "it does not fit into max.request.size any more")                                      \
    X(NO_PRODUCER_ID, 10, "the producer has no producer id yet")                                             \
    X(EARLIER_SEQUENCE, 11, "an earlier sequence of its partition is being retried")                         \
    X(UNRESOLVED_SEQUENCE, 12, "the fate of an earlier sequence is not known")                               \
    X(STALE_EPOCH, 13, "batches of an older producer epoch are still in flight")                             \
    X(NOT_IN_TXN, 14, "its partition is not in the transaction yet")                                         \
    X(DRAIN_STOPPED, 15, "the drain of its node stopped at an earlier partition")                            \
    X(SENDER_BUSY, 16, "the sender polls or sleeps for a transactional request")

#define KB_PARTITION_WHY_LIST(X)                                                                             \
    X(EXPLICIT, 0, "the record names it")                                                                    \
    X(MURMUR2, 1, "murmur2 of the key")                                                                      \
    X(STICKY, 2, "the sticky partition")                                                                     \
    X(ROUND_ROBIN, 3, "round robin")                                                                         \
    X(CUSTOM, 4, "a partitioner of the application")

#define KB_CLOSE_WHY_LIST(X)                                                                                 \
    X(NO_ROOM, 0, "the next record did not fit")                                                             \
    X(FULL, 1, "it is full")                                                                                 \
    X(DRAINED, 2, "it is drained")                                                                           \
    X(ABORTED, 3, "it is aborted")

#define KB_WAIT_LIST(X)                                                                                      \
    X(METADATA, 0, "metadata")                                                                               \
    X(MEMORY, 1, "memory")

#define KB_CALL_LIST(X)                                                                                      \
    X(FLUSH, 0, "flush")                                                                                     \
    X(CLOSE, 1, "close")                                                                                     \
    X(INIT_TRANSACTIONS, 2, "initTransactions")                                                              \
    X(BEGIN_TRANSACTION, 3, "beginTransaction")                                                              \
    X(COMMIT_TRANSACTION, 4, "commitTransaction")                                                            \
    X(ABORT_TRANSACTION, 5, "abortTransaction")                                                              \
    X(SEND_OFFSETS, 6, "sendOffsetsToTransaction")

#define KB_SENDER_STATE_LIST(X)                                                                              \
    X(RUN, 0, "running")                                                                                     \
    X(AWAIT_READY, 1, "polling until a node is ready")                                                       \
    X(SLEEP, 2, "sleeping")                                                                                  \
    X(CLOSED, 3, "closed")

#define KB_CONNECTION_STATE_LIST(X)                                                                          \
    X(DISCONNECTED, 0, "disconnected")                                                                       \
    X(CONNECTING, 1, "being made")                                                                           \
    X(CHECKING_API_VERSIONS, 2, "asking for API versions")                                                   \
    X(READY, 3, "ready")

#define KB_METADATA_WHY_LIST(X)                                                                              \
    X(STARTUP, 0, "the producer starts")                                                                     \
    X(NEW_TOPIC, 1, "a topic is new")                                                                        \
    X(NO_LEADER, 2, "a leader is unknown")                                                                   \
    X(ERROR, 3, "a response says that metadata is stale")                                                    \
    X(DISCONNECTED, 4, "a connection was lost")                                                              \
    X(MAX_AGE, 5, "metadata.max.age.ms is over")                                                             \
    X(PARTITION_RANGE, 6, "a record names a partition that is not known")

#define KB_TXN_STATE_LIST(X)                                                                                 \
    X(UNINITIALIZED, 0, "UNINITIALIZED")                                                                     \
    X(INITIALIZING, 1, "INITIALIZING")                                                                       \
    X(READY, 2, "READY")                                                                                     \
    X(IN_TRANSACTION, 3, "IN_TRANSACTION")                                                                   \
    X(COMMITTING_TRANSACTION, 4, "COMMITTING_TRANSACTION")                                                   \
    X(ABORTING_TRANSACTION, 5, "ABORTING_TRANSACTION")                                                       \
    X(ABORTABLE_ERROR, 6, "ABORTABLE_ERROR")                                                                 \
    X(FATAL_ERROR, 7, "FATAL_ERROR")

/* What a transaction coordinator has logged; Kafka's names and numbers (TransactionState). */
#define KB_COORDINATOR_STATE_LIST(X)                                                                         \
    X(EMPTY, 0, "Empty")                                                                                     \
    X(ONGOING, 1, "Ongoing")                                                                                 \
    X(PREPARE_COMMIT, 2, "PrepareCommit")                                                                    \
    X(PREPARE_ABORT, 3, "PrepareAbort")                                                                      \
    X(COMPLETE_COMMIT, 4, "CompleteCommit")                                                                  \
    X(COMPLETE_ABORT, 5, "CompleteAbort")

#define KB_MARKER_LIST(X)                                                                                    \
    X(ABORT, 0, "ABORT")                                                                                     \
    X(COMMIT, 1, "COMMIT")

/* Why a consumer reads from where it does. */
#define KB_POSITION_WHY_LIST(X)                                                                              \
    X(COMMITTED, 0, "the group has committed it")                                                            \
    X(EARLIEST, 1, "auto.offset.reset=earliest")                                                             \
    X(LATEST, 2, "auto.offset.reset=latest")                                                                 \
    X(TRUNCATED, 3, "the new leader's log ends before what it had read")

/* A consumer's life; between UNJOINED and STABLE Kafka's names (AbstractCoordinator.MemberState). */
#define KB_MEMBER_STATE_LIST(X)                                                                              \
    X(UNJOINED, 0, "in no group")                                                                            \
    X(PREPARING_REBALANCE, 1, "joining its group")                                                           \
    X(COMPLETING_REBALANCE, 2, "waiting for its assignment")                                                 \
    X(STABLE, 3, "a member of its group")                                                                    \
    X(CLOSING, 4, "closing")                                                                                 \
    X(CLOSED, 5, "closed")                                                                                   \
    X(FAILED, 6, "at its end: poll() throws")

#define KB_ELECTION_WHY_LIST(X)                                                                              \
    X(CREATED, 0, "the partition is new")                                                                    \
    X(LEADER_LOST, 1, "the leader was lost, and this one is in the ISR")                                     \
    X(UNCLEAN, 2, "nobody of the ISR is alive: unclean election")                                            \
    X(NONE, 3, "nobody can lead")                                                                            \
    X(MOVED, 4, "somebody asked for it")                                                                     \
    X(CONTROLLED_SHUTDOWN, 5, "the leader shuts down")                                                       \
    X(RETURNED, 6, "a replica that may lead came back")

#define KB_FAULT_KIND_LIST(X)                                                                                \
    X(KILL, 0, "kill")                                                                                       \
    X(RESTART, 1, "restart")                                                                                 \
    X(FREEZE, 2, "freeze")                                                                                   \
    X(THAW, 3, "thaw")                                                                                       \
    X(SLOW_REPLICA, 4, "slow_replica")                                                                       \
    X(SLOW_DISK, 5, "slow_disk")                                                                             \
    X(CUT, 6, "cut")                                                                                         \
    X(HEAL, 7, "heal")                                                                                       \
    X(DISCONNECT, 8, "disconnect")                                                                           \
    X(DROP_RESPONSE, 9, "drop_response")                                                                     \
    X(DROP_REQUEST, 10, "drop_request")                                                                      \
    X(DELAY_RESPONSE, 11, "delay_response")                                                                  \
    X(ERROR, 12, "error")                                                                                    \
    X(MOVE_LEADER, 13, "move_leader")                                                                        \
    X(ADD_PARTITIONS, 14, "add_partitions")                                                                  \
    X(THROTTLE, 15, "throttle")                                                                              \
    X(CORRUPT_BATCH, 16, "corrupt_batch")                                                                    \
    X(SHUTDOWN, 17, "shutdown")

/* Where in a request's life at a broker a fault strikes; the words of scenarios. */
#define KB_FAULT_POINT_LIST(X)                                                                               \
    X(NONE, 0, "none")                                                                                       \
    X(REQUEST_CUT, 1, "request_cut")                                                                         \
    X(REQUEST_RECEIVED, 2, "request_received")                                                               \
    X(BEFORE_APPEND, 3, "before_append")                                                                     \
    X(AFTER_APPEND, 4, "after_append")                                                                       \
    X(AFTER_REPLICATION, 5, "after_replication")                                                             \
    X(BEFORE_RESPONSE, 6, "before_response")                                                                 \
    X(RESPONSE_CUT, 7, "response_cut")

#define KB_ENUM_LEFT(NAME, number, text) KB_LEFT_##NAME = 1u << (number),
#define KB_ENUM_HELD(NAME, number, text) KB_HELD_##NAME = 1u << (number),
enum kb_left { KB_LEFT_LIST(KB_ENUM_LEFT) };
enum kb_held { KB_HELD_LIST(KB_ENUM_HELD) };

#define KB_ENUM_PARTITION_WHY(NAME, number, text)     KB_PARTITION_WHY_##NAME = (number),
#define KB_ENUM_CLOSE_WHY(NAME, number, text)         KB_CLOSE_WHY_##NAME = (number),
#define KB_ENUM_WAIT(NAME, number, text)              KB_WAIT_##NAME = (number),
#define KB_ENUM_CALL(NAME, number, text)              KB_CALL_##NAME = (number),
#define KB_ENUM_SENDER_STATE(NAME, number, text)      KB_SENDER_STATE_##NAME = (number),
#define KB_ENUM_CONNECTION_STATE(NAME, number, text)  KB_CONNECTION_STATE_##NAME = (number),
#define KB_ENUM_METADATA_WHY(NAME, number, text)      KB_METADATA_WHY_##NAME = (number),
#define KB_ENUM_TXN_STATE(NAME, number, text)         KB_TXN_STATE_##NAME = (number),
#define KB_ENUM_ELECTION_WHY(NAME, number, text)      KB_ELECTION_WHY_##NAME = (number),
#define KB_ENUM_COORDINATOR_STATE(NAME, number, text) KB_COORDINATOR_STATE_##NAME = (number),
#define KB_ENUM_MARKER(NAME, number, text)            KB_MARKER_##NAME = (number),
#define KB_ENUM_POSITION_WHY(NAME, number, text)      KB_POSITION_WHY_##NAME = (number),
#define KB_ENUM_MEMBER_STATE(NAME, number, text)      KB_MEMBER_STATE_##NAME = (number),
#define KB_ENUM_FAULT_KIND(NAME, number, text)        KB_FAULT_KIND_##NAME = (number),
#define KB_ENUM_FAULT_POINT(NAME, number, text)       KB_FAULT_POINT_##NAME = (number),
enum kb_partition_why { KB_PARTITION_WHY_LIST(KB_ENUM_PARTITION_WHY) };
enum kb_close_why { KB_CLOSE_WHY_LIST(KB_ENUM_CLOSE_WHY) };
enum kb_wait { KB_WAIT_LIST(KB_ENUM_WAIT) };
enum kb_call { KB_CALL_LIST(KB_ENUM_CALL) };
enum kb_sender_state { KB_SENDER_STATE_LIST(KB_ENUM_SENDER_STATE) };
enum kb_connection_state { KB_CONNECTION_STATE_LIST(KB_ENUM_CONNECTION_STATE) };
enum kb_metadata_why { KB_METADATA_WHY_LIST(KB_ENUM_METADATA_WHY) };
enum kb_txn_state { KB_TXN_STATE_LIST(KB_ENUM_TXN_STATE) };
enum kb_election_why { KB_ELECTION_WHY_LIST(KB_ENUM_ELECTION_WHY) };
enum kb_coordinator_state { KB_COORDINATOR_STATE_LIST(KB_ENUM_COORDINATOR_STATE) };
enum kb_marker { KB_MARKER_LIST(KB_ENUM_MARKER) };
enum kb_position_why { KB_POSITION_WHY_LIST(KB_ENUM_POSITION_WHY) };
enum kb_member_state { KB_MEMBER_STATE_LIST(KB_ENUM_MEMBER_STATE) };
enum kb_fault_kind { KB_FAULT_KIND_LIST(KB_ENUM_FAULT_KIND) };
enum kb_fault_point { KB_FAULT_POINT_LIST(KB_ENUM_FAULT_POINT) };

enum kb_lane { KB_LANE_APP, KB_LANE_SENDER, KB_LANE_NETWORK, KB_LANE_BROKER, KB_LANE_FAULT, KB_LANE_COUNT };

enum kb_event_kind {
#define EVENT(NAME, name, lane, method, sentence, fields) KB_EVENT_##NAME,
#include "base/trace_events.def"
#undef EVENT
    KB_EVENT_KIND_COUNT
};

#define FIELD(TYPE, name) KB_C_TYPE_##TYPE name;
#define EVENT(NAME, name, lane, method, sentence, fields)                                                    \
    struct kb_event_##name {                                                                                 \
        KB_UNWRAP fields                                                                                     \
    };
#include "base/trace_events.def"
#undef EVENT
#undef FIELD

/* Sources below KB_SOURCE_CONSUMER are producers. */
enum { KB_SOURCE_CONSUMER = 1000, KB_SOURCE_CLUSTER = 0xffff };

struct kb_event {
    int64_t time_us;     /* filled in by the sink */
    uint32_t cause_back; /* the causing event is this many before; 0: none known. Filled in by the sink */
    uint16_t kind;       /* enum kb_event_kind */
    uint16_t source; /* index of the producer, KB_SOURCE_CONSUMER + that of the consumer, KB_SOURCE_CLUSTER */
    union {
#define EVENT(NAME, name, lane, method, sentence, fields) struct kb_event_##name name;
#include "base/trace_events.def"
#undef EVENT
        uint8_t bytes[48];
    } as;
};
_Static_assert(sizeof(struct kb_event) == 64, "an event is a cache line");

/** How a field of an event is stored. */
enum kb_field_type {
    KB_FIELD_I32,
    KB_FIELD_I64,
    KB_FIELD_U32,
    KB_FIELD_NAME,
    KB_FIELD_TEXT16,
    KB_FIELD_ERROR,
    KB_FIELD_API,
    KB_FIELD_LEFT,
    KB_FIELD_HELD,
    KB_FIELD_PARTITION_WHY,
    KB_FIELD_CLOSE_WHY,
    KB_FIELD_WAIT,
    KB_FIELD_CALL,
    KB_FIELD_SENDER_STATE,
    KB_FIELD_CONNECTION_STATE,
    KB_FIELD_METADATA_WHY,
    KB_FIELD_TXN_STATE,
    KB_FIELD_ELECTION_WHY,
    KB_FIELD_COORDINATOR_STATE,
    KB_FIELD_MARKER,
    KB_FIELD_POSITION_WHY,
    KB_FIELD_MEMBER_STATE,
    KB_FIELD_FAULT_KIND,
    KB_FIELD_FAULT_POINT,
};

struct kb_event_field {
    const char *name;
    enum kb_field_type type;
    uint32_t offset_bytes; /* within struct kb_event */
};

struct kb_event_info {
    const char *name; /* "batch_drained" */
    enum kb_lane lane;
    const char *method;   /* "RecordAccumulator.ready" */
    const char *sentence; /* "batch {batch} ..." */
    uint32_t field_count;
    const struct kb_event_field *fields;
};

/** What the table says of a kind; valid for ever. kind must be below KB_EVENT_KIND_COUNT. */
const struct kb_event_info *kb_event_info(uint32_t kind);

/** The value of a numeric field, widened. Not for KB_FIELD_TEXT16. */
int64_t kb_event_field_value(const struct kb_event *event, const struct kb_event_field *field);

/**
 * The word for a value of an enumerated field type ("MURMUR2"), or of bit number `value` of a mask type
 * ("LINGER"); NULL where the type has no words or the value no name. kb_field_value_text gives the
 * explanation instead.
 */
const char *kb_field_value_name(enum kb_field_type type, int64_t value);
const char *kb_field_value_text(enum kb_field_type type, int64_t value);

/** The first bytes of a text as an event carries it. text may be NULL when length_bytes <= 0. */
struct kb_text16 kb_text16_of(const void *text, int64_t length_bytes);

/** Where events go. Owned by the driver; the objects it is given to borrow it for their lifetime. */
struct kb_trace {
    void *context;
    /** Takes the event (copies it), fills in its time and cause, and returns its sequence number, from 1 on.
     *  cause: sequence number of the causing event, or 0 for whatever the driver is working on. */
    uint64_t (*emit)(void *context, struct kb_event *event, uint64_t cause);
    /** The number of a name, the same for the same text over the whole run; 0 when it cannot be kept. */
    uint32_t (*intern)(void *context, const char *name, size_t length_bytes);
    uint16_t source;
};

uint64_t kb_trace_emit(struct kb_trace *trace, uint64_t cause, struct kb_event *event);

/** intern() of a sink that may be absent: 0 without one. */
uint32_t kb_trace_intern(struct kb_trace *trace, const char *name, size_t length_bytes);

/**
 * Announce an event: KB_TRACE(trace, cause, BATCH_SPLIT, batch_split, .batch = 7, .parts = 2).
 * Evaluates to its sequence number, 0 when nobody looks.
 */
#define KB_TRACE(trace_, cause_, NAME, name, ...)                                                            \
    ((trace_) == NULL                                                                                        \
         ? (uint64_t)0                                                                                       \
         : kb_trace_emit((trace_), (cause_),                                                                 \
                         &(struct kb_event){.kind = KB_EVENT_##NAME, .as.name = {__VA_ARGS__}}))

#endif
