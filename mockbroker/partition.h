/**
 * One replica of a partition on one broker: its log, and what the broker believes about it.
 *
 * A leader keeps what it knows of its followers (mb_remote), the in-sync set with the change to it that is on
 * its way to the controller, and the requests that wait for the partition. A follower keeps how far it
 * fetched.
 *
 * Kafka: Partition, Replica, IsrState.
 */
#ifndef MB_PARTITION_H
#define MB_PARTITION_H

#include "mockbroker/cluster.h"
#include "mockbroker/partition_log.h"
#include "mockbroker/replica_fetcher.h"
#include "wire/errors.h"
#include "wire/record_batch_reader.h"

struct mb_append_wait;
struct mb_fetch_session;
struct mb_group_shard;
struct mb_txn_shard;

/** Kafka: LogOffsetMetadata.UnknownOffsetMetadata. */
enum { MB_UNKNOWN_OFFSET = -1 };

/** What a leader knows of a follower. Kafka: Replica. */
struct mb_remote {
    int32_t broker;
    int64_t log_end_offset;
    int64_t last_caught_up_ms;
    int64_t last_fetch_ms;
    int64_t last_fetch_leader_end_offset;
    /* When its fetch session names it no more because nothing changes, each fetch of the session still means
     * that it was caught up then; written down when something does change. NULL: not so. */
    struct mb_fetch_session *idle_in;
};

enum mb_isr_change { MB_ISR_COMMITTED, MB_ISR_PENDING_EXPAND, MB_ISR_PENDING_SHRINK };
/** Where an AlterIsr item is. Kafka: DefaultAlterIsrManager.unsentIsrUpdates. */
enum mb_alter_isr { MB_ALTER_ISR_NONE, MB_ALTER_ISR_QUEUED, MB_ALTER_ISR_IN_FLIGHT };

struct mb_partition {
    struct mb_cluster *cluster;
    struct mb_broker *broker;
    struct mb_topic_partition *tp;
    struct mb_log log;

    /* Of the process: gone when the broker stops. */
    bool is_online; /* a LeaderAndIsr for it came */
    bool is_leader;
    int32_t leader; /* index; -1: unknown */
    int32_t leader_epoch;
    int32_t version;
    int64_t epoch_start_offset; /* of a leader */
    int32_t *isr;               /* committed; room for every replica */
    uint32_t isr_count;
    enum mb_isr_change isr_change;
    int32_t *proposed_isr;
    uint32_t proposed_isr_count;
    enum mb_alter_isr alter_isr;
    struct mb_partition_state *alter_isr_wanted; /* what that item says; NULL: there is none */
    struct kb_list_node of_alter_isr;
    struct mb_remote *remotes; /* in the order of the assignment, without this broker */
    uint32_t remote_count;

    struct kb_list produces; /* parked: mb_produce_wait */
    struct kb_list waits;    /* of coordinators: mb_append_wait */
    struct kb_list fetches;  /* parked, without a session: mb_fetch_wait */
    struct kb_list sessions; /* of followers: mb_session_partition */
    struct kb_list_node of_changed;
    bool high_watermark_changed;
    struct kb_list_node of_lagging;

    struct mb_fetch_state fetch; /* of a follower */

    /* What a leader of __transaction_state or __consumer_offsets coordinates; NULL: nothing. */
    struct mb_txn_shard *transactions;
    struct mb_group_shard *groups;

    /* The last stable offset as announced, while it is behind the high watermark; -1: it follows it. */
    int64_t told_held_at;

    /* For mb_check: the highest high watermark as leader in this epoch, and what it saw before (NULL:
     * nothing). */
    int64_t epoch_high_watermark;
    struct mb_check_memory *seen;
};

struct mb_partition *mb_partition_create(struct mb_broker *broker, struct mb_topic_partition *tp);
void mb_partition_destroy(struct mb_partition *partition);
/** The replica of tp on a broker, known to its process; or NULL. */
struct mb_partition *mb_partition_online(const struct mb_broker *broker, const struct mb_topic_partition *tp);

/** The process ends: what waits is gone, the log stays. */
void mb_partition_stop(struct mb_partition *partition, bool clean);

/** Kafka: Partition.makeLeader, makeFollower (true: fetching is to begin anew). */
void mb_partition_make_leader(struct mb_partition *partition, const struct mb_partition_state *state);
bool mb_partition_make_follower(struct mb_partition *partition, const struct mb_partition_state *state);

/** Kafka: ProduceResponse.RecordError. */
struct mb_record_error {
    int32_t batch_index;
    const char *text;
    int32_t text_bytes;
};

struct mb_append_result {
    int64_t base_offset;
    int64_t last_offset;
    int64_t log_append_time_ms;
    int64_t log_start_offset;
    bool is_duplicate;
    /* Of records that did not pass: v8 and later answers name them. Kafka: RecordValidationException. */
    struct kb_arena *arena; /* borrowed: where their texts are */
    struct mb_record_error *record_errors;
    uint32_t record_error_count;
    const char *error_text; /* of all of them; NULL: the error is of the batch */
};

/** Kafka: Partition.appendRecordsToLeader, Log.appendAsLeader. */
enum kw_error mb_partition_append_as_leader(struct mb_partition *partition, int16_t acks,
                                            const uint8_t *records, size_t length_bytes,
                                            struct mb_append_result *result);

/**
 * Append what a coordinator wrote, as with acks=all: one batch without offsets. Markers are checked against
 * the producer's epoch and the coordinator's, offsets of transactions against the producer's epoch. Kafka:
 * ReplicaManager.appendRecords with AppendOrigin.Coordinator.
 */
enum kw_error mb_partition_append_as_coordinator(struct mb_partition *partition, const uint8_t *batch,
                                                 uint32_t batch_bytes, struct mb_append_result *result);

/** A follower's fetch arrived. Kafka: Partition.updateFollowerFetchState. */
void mb_partition_follower_fetched(struct mb_partition *partition, int32_t follower, int64_t offset,
                                   struct mb_fetch_session *session);
/** What a session's silence meant up to now is written down: the follower is looked at again. */
void mb_partition_wake_remote(struct mb_partition *partition, struct mb_remote *remote);
/** NULL: not one of the assignment. */
struct mb_remote *mb_partition_remote(const struct mb_partition *partition, int32_t broker);

/** Kafka: Partition.maybeIncrementLeaderHW. */
void mb_partition_increment_high_watermark(struct mb_partition *partition);
/** Announces it when an open transaction begins or ceases to hold it back, or another one does. Called when
 *  the high watermark has moved: nothing else moves it. */
void mb_partition_announce_last_stable_offset(struct mb_partition *partition);

/** Remove what retention does not keep, as a leader whose high watermark moved. When the cluster settles: a
 * fetch that is being answered refers to places in the log. */
void mb_partition_enforce_retention(struct mb_partition *partition);
/** The start of its log has moved. */
void mb_partition_announce_start(const struct mb_partition *partition);

/* retention.c */

/** Something in its log will be too old one day: the broker is to look then, at the latest. */
void mb_retention_watch(struct mb_partition *partition);
void mb_retention_check(struct mb_cluster *cluster, struct mb_timer *timer);

/** Kafka: Partition.checkEnoughReplicasReachOffset: true when the wait is over, with its outcome. */
bool mb_partition_has_reached(const struct mb_partition *partition, int64_t required_offset,
                              enum kw_error *error);

/** Kafka: Partition.getLocalLog with an expected leader epoch (-1: none). */
enum kw_error mb_partition_check_epoch(const struct mb_partition *partition, int32_t current_leader_epoch,
                                       bool must_lead);

/** Of Fetch and ListOffsets: 0 reads what is not committed, too. Kafka: IsolationLevel. */
enum { MB_READ_COMMITTED = 1 };
/** Where a fetch may read to. Kafka: FetchIsolation. */
enum mb_fetch_isolation { MB_FETCH_LOG_END, MB_FETCH_HIGH_WATERMARK, MB_FETCH_COMMITTED };
int64_t mb_partition_fetch_limit(const struct mb_partition *partition, enum mb_fetch_isolation isolation);

/** Somebody waiting for this partition may go on: looked at when the cluster settles. */
void mb_partition_changed(struct mb_partition *partition, bool high_watermark);

/* append_wait.c */

/** Waits until an append is replicated, as acks=all does. Kafka: DelayedProduce. */
struct mb_append_wait {
    struct kb_list_node of_partition;
    struct mb_timer expiry;
    struct mb_partition *partition; /* NULL: nothing is waited for */
    int64_t required_offset;
    /** How it ended; MB_WAIT_FORGOTTEN: the broker's process did. The wait may be given back. */
    void (*done)(struct mb_append_wait *wait, enum kw_error error);
};

/* No append ends with this error: it stands for "nobody is there any more". */
#define MB_WAIT_FORGOTTEN KW_ERROR_BROKER_NOT_AVAILABLE

/** done is called later, when the cluster settles at the earliest. */
void mb_append_wait_begin(struct mb_append_wait *wait, struct mb_partition *partition,
                          int64_t required_offset, int64_t timeout_ms);
/** done is not called any more. */
void mb_append_wait_cancel(struct mb_append_wait *wait);
void mb_append_waits_try(struct mb_partition *partition);
void mb_append_waits_forget(struct mb_partition *partition);

/* partition_isr.c */

uint32_t mb_partition_maximal_isr_count(const struct mb_partition *partition);
bool mb_partition_is_in_maximal_isr(const struct mb_partition *partition, int32_t broker);
/** Kafka: Partition.maybeExpandIsr, maybeShrinkIsr. */
void mb_partition_maybe_expand_isr(struct mb_partition *partition, const struct mb_remote *remote);
void mb_partition_maybe_shrink_isr(struct mb_partition *partition);
/** The item that waits for AlterIsr, or for its answer, is nobody's any more. */
void mb_partition_forget_alter_isr(struct mb_partition *partition);
/** The controller answered. Kafka: Partition.handleAlterIsrResponse. state: NULL with an error. */
void mb_partition_alter_isr_done(struct mb_partition *partition, const struct mb_partition_state *state,
                                 int32_t error);
/** Somebody of the ISR may be behind: the broker's periodic check is to look at it. */
void mb_partition_watch_lag(struct mb_partition *partition);
/** Send what waits for AlterIsr. Kafka: DefaultAlterIsrManager.maybePropagateIsrChanges. */
void mb_broker_propagate_isr_changes(struct mb_broker *broker);
void mb_broker_check_isrs(struct mb_cluster *cluster, struct mb_timer *timer);

/* batch_validator.c */

/** Is it what this version of Produce may carry? Kafka: ProduceRequest.validateRecords. */
enum kw_error mb_records_validate(int16_t version, const uint8_t *records, int32_t length_bytes);

/** Kafka: LogAppendInfo, of records that come from a client. */
struct mb_records_analysis {
    const uint8_t *batch; /* the first one */
    uint32_t batch_bytes;
    uint32_t batch_count; /* 0: there is nothing to append, and nothing wrong with it */
};

/**
 * What can be said of a client's records without reading them, in Kafka's order.
 *   KW_ERROR_INVALID_RECORD        a base offset that is not 0
 *   KW_ERROR_MESSAGE_TOO_LARGE     larger than max.message.bytes
 *   KW_ERROR_CORRUPT_MESSAGE       the CRC
 *   KW_ERROR_UNKNOWN_SERVER_ERROR  null, or a compression that nobody knows: Kafka has no code for it
 *   KW_ERROR_UNSUPPORTED_FOR_MESSAGE_FORMAT  magic 0 or 1, which this cluster does not convert
 * Kafka: Log.analyzeAndValidateRecords.
 */
enum kw_error mb_records_analyze(const struct mb_settings *settings, const uint8_t *records,
                                 size_t length_bytes, struct mb_records_analysis *out)
    __attribute__((warn_unused_result));

/** What the records of a compressed batch may come to here; Kafka has no such limit. */
enum { MB_DECOMPRESSED_LIMIT_BYTES = 1 << 28 };

/** log_validator.c. Begin to read the records of a batch, decompressed if need be, until the next call for
 * any batch. */
enum kw_error mb_batch_open(struct mb_cluster *cluster, const uint8_t *batch, size_t size_bytes,
                            struct kw_record_reader *reader) __attribute__((warn_unused_result));

#endif
