/**
 * Incremental fetch sessions of followers: the leader remembers what each fetches and how far it told it, so
 * that a fetch costs what has changed, not what there is.
 *
 * A partition of a session is dirty when the next answer may have to mention it. Clean ones are never
 * touched. Consumers get no session (a broker whose cache is full does the same): they name everything each
 * time.
 *
 * Kafka: FetchSession, CachedPartition, IncrementalFetchContext (KIP-227).
 */
#ifndef MB_FETCH_SESSION_H
#define MB_FETCH_SESSION_H

#include "mockbroker/cluster.h"
#include "wire/errors.h"
#include "wire/message_structs.h"

/** What is to be fetched of one partition. */
struct mb_fetch_spec {
    struct mb_topic_partition *tp;  /* NULL: there is none of that name */
    struct mb_partition *partition; /* NULL: not hosted here */
    struct kw_string topic;
    int64_t fetch_offset;
    int32_t index;
    int32_t current_leader_epoch;
    int32_t last_fetched_epoch;
    int32_t max_bytes;
};

struct mb_session_partition {
    struct mb_fetch_session *session;
    struct mb_fetch_spec spec;
    struct kb_list_node of_session; /* every partition of the session */
    struct kb_list_node of_dirty;
    struct kb_list_node of_partition;
    int64_t told_high_watermark; /* -1: nothing told yet */
    int64_t told_log_start_offset;
};

struct mb_fetch_session {
    struct mb_connection *connection;
    struct mb_map partitions; /* by partition number */
    struct kb_list all;
    struct kb_list dirty;
    uint32_t dirty_count;
    struct mb_delayed_fetch *parked;
    int64_t last_fetch_ms; /* when its last request was read */
    int32_t follower;      /* index of a broker */
    int32_t id;
    int32_t next_epoch;
};

/** Kafka: FetchManager.newContext: the session of the request, changed as it says; NULL with *error. */
struct mb_fetch_session *mb_fetch_session_update(struct mb_connection *connection, int32_t follower,
                                                 const struct kw_fetch_request *request,
                                                 enum kw_error *error);
void mb_fetch_session_close(struct mb_fetch_session *session);
/** Something about the partition changed: every session that fetches it looks at it again. */
void mb_fetch_sessions_mark(struct mb_partition *partition);
/** Its replica goes away: nobody watches it any more. */
void mb_fetch_sessions_forget(struct mb_partition *partition);
/** Watch the replica, if it is hosted now. */
void mb_session_partition_attach(struct mb_session_partition *part);
void mb_session_partition_mark(struct mb_session_partition *part);
void mb_session_partition_unmark(struct mb_session_partition *part);

#endif
