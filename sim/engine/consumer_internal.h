/**
 * The parts of a consumer, for the files that make it move: its client (connections, requests), metadata,
 * positions, fetches, and the group.
 *
 * A pass does what one poll() of the application does. Whoever waits for a time says so in the pass, with
 * consumer_wake_at(); the next pass comes at the earliest of these, or when the network has something.
 */
#ifndef SIM_CONSUMER_INTERNAL_H
#define SIM_CONSUMER_INTERNAL_H

#include <string.h>

#include "base/arena.h"
#include "base/list.h"
#include "engine/consumer.h"
#include "engine/random.h"
#include "engine/world_internal.h"
#include "wire/api_keys.h"
#include "wire/compression.h"
#include "wire/errors.h"
#include "wire/message_structs.h"
#include "wire/record_batch_reader.h"

/* --- The client: consumer_client.c ---------------------------------------------------------------------- */

/* What was asked about one partition, to be compared with what is true when the answer is there. */
struct consumer_asked {
    uint32_t partition; /* index */
    int32_t epoch;
    int64_t offset;
};

struct consumer_request {
    struct kb_list_node of_node;
    uint32_t correlation;
    const struct kw_api *api;
    int16_t version;
    int32_t node; /* key */
    int64_t sent_ms;
    int64_t timeout_ms;
    uint32_t assignment; /* number of the assignment that asked refers to */
    int32_t generation;
    uint32_t asked_count;
    struct consumer_asked *asked; /* owned */
};

enum consumer_link {
    CONSUMER_LINK_NONE,
    CONSUMER_LINK_CONNECTING,
    CONSUMER_LINK_CHECKING, /* ApiVersions is asked for */
    CONSUMER_LINK_READY,
};

/* A node by its key: a broker's id; bootstrap servers are -1, -2, ...; a group's coordinator has a connection
 * of its own under INT32_MAX - id. */
struct consumer_node {
    int32_t key;
    int32_t broker;
    enum consumer_link link;
    struct sim_connection *connection;
    bool is_new;
    bool is_ended;
    bool has_fetch; /* in flight */
    uint8_t *inbox;
    size_t inbox_bytes;
    size_t inbox_capacity_bytes;
    struct kb_list requests; /* in flight, oldest first */
    uint32_t request_count;
    int64_t retry_ms;   /* may be connected to from then on */
    int64_t backoff_ms; /* the last one */
    int64_t setup_deadline_ms;
    int64_t setup_timeout_ms;
    int64_t throttled_until_ms;
    int16_t max_versions[KW_API_COUNT];
};

/* --- Metadata: consumer_metadata.c ---------------------------------------------------------------------- */

struct consumer_leader {
    int32_t leader; /* -1: none */
    int32_t epoch;
};

struct consumer_topic {
    const char *name;
    uint32_t trace_name;
    int32_t partition_count; /* 0: not known yet */
    struct consumer_leader *leaders;
};

/* --- Positions: consumer_positions.c -------------------------------------------------------------------- */

/* Kafka: SubscriptionState.FetchStates. */
enum consumer_fetch_state {
    CONSUMER_INITIALIZING,
    CONSUMER_FETCHING,
    CONSUMER_AWAIT_RESET,
    CONSUMER_AWAIT_VALIDATION,
};

struct consumer_partition {
    uint32_t topic; /* index */
    int32_t partition;
    enum consumer_fetch_state state;
    int64_t position;     /* -1: none */
    int32_t offset_epoch; /* of the record before it; -1: unknown */
    struct consumer_leader leader;
    int64_t high_watermark; /* as the last answer said; -1: unknown */
    int64_t last_stable_offset;
    int64_t retry_ms;       /* a reset or a validation may be asked for again */
    uint32_t fetched_count; /* answers that wait to be read */
};

/* --- Fetches: consumer_fetch.c, consumer_records.c -------------------------------------------------------
 */

struct consumer_aborted {
    int64_t producer_id;
    int64_t first_offset;
};

/* One partition of a Fetch response, with its own copy of the batches. Kafka: Fetcher.CompletedFetch. */
struct consumer_fetched {
    struct kb_list_node node;
    uint32_t assignment;
    uint32_t partition; /* index */
    int32_t broker;
    int64_t offset;      /* as asked */
    int64_t next_offset; /* up to here it was read */
    int32_t last_epoch;
    enum kw_error error;
    int64_t high_watermark;
    int64_t last_stable_offset;
    bool is_initialized;
    uint8_t *bytes;
    size_t length_bytes;
    struct kw_record_batch_cursor batches;
    const uint8_t *batch; /* the one that is read; NULL: none */
    struct kw_record_reader records;
    bool has_records;
    struct consumer_aborted *aborted; /* by first offset; owned */
    uint32_t aborted_count;
    uint32_t aborted_next;
    int64_t *aborted_producers; /* whose transaction is open and will be aborted; owned */
    uint32_t aborted_producer_count;
    uint32_t aborted_records; /* left out since it was last asked */
};

/* --- The group: consumer_group.c, consumer_membership.c --------------------------------------------------
 */

enum { CONSUMER_MEMBER_BYTES = 128 };

struct consumer_group {
    enum kb_member_state state;
    int32_t coordinator; /* broker; -1: unknown */
    int64_t retry_ms;    /* of looking for it, joining, or reading offsets */
    bool is_finding;
    bool is_joining; /* JoinGroup or SyncGroup is in flight */
    bool is_reading_offsets;
    bool is_committing;
    bool needs_rejoin;
    bool is_commit_due; /* before it joins again, and before it closes */
    bool has_left;
    char member[CONSUMER_MEMBER_BYTES];
    int32_t generation;
    bool beats; /* the heartbeat thread is enabled */
    bool is_beating;
    int64_t heartbeat_ms;
    int64_t session_ms;
    int64_t poll_ms; /* poll() has to be called by then */
    int64_t commit_ms;
};

/* --- All of it -------------------------------------------------------------------------------------------
 */

struct sim_consumer_driver {
    struct sim_world *world;
    const struct sim_consumer *scenario;
    const struct sim_consumer_config *config;
    uint32_t index;
    struct kb_trace trace;
    uint32_t name; /* interned */
    struct sim_task pass;
    struct kb_prng prng;
    struct kb_arena arena; /* of the message that is written or read */

    struct consumer_node **nodes; /* by key */
    uint32_t node_count;
    uint32_t next_correlation;
    int64_t now_ms;
    int64_t wake_ms;
    int64_t wake_us;
    int64_t busy_until_us;

    struct consumer_topic *topics; /* by name */
    uint32_t topic_count;
    int32_t *brokers; /* ids that metadata names; none before the first answer */
    uint32_t broker_count;
    bool is_metadata_wanted;
    bool is_metadata_asked;
    int64_t metadata_ms;     /* of the last answer */
    int64_t metadata_try_ms; /* of the last one, good or bad */
    uint32_t metadata_version;
    uint32_t validated_version;

    struct consumer_partition *partitions; /* in the order of the assignment */
    uint32_t partition_count;
    uint32_t *order; /* in which they are asked for; indices */
    uint32_t assignment;
    struct kb_list fetched; /* consumer_fetched, in the order of the answers */
    struct kw_compression_buffer decompressed;
    struct consumer_fetched *current; /* decompressed is of its batch */

    struct consumer_group group;
    bool is_started;
    bool is_closing;
    bool is_closed;
    bool is_finishing; /* nobody writes any more */
    int64_t close_deadline_ms;
    enum kw_error error;
};

static inline struct kb_trace *consumer_trace(struct sim_consumer_driver *consumer)
{
    return consumer->world->is_logging ? &consumer->trace : NULL;
}

/* consumer.c */
void consumer_wake_at(struct sim_consumer_driver *consumer, int64_t wall_ms);
/* poll() throws: the application is at its end. */
void consumer_fail(struct sim_consumer_driver *consumer, enum kw_error error);
void consumer_set_state(struct sim_consumer_driver *consumer, enum kb_member_state state,
                        enum kw_error error);
void *consumer_allocate(size_t count, size_t size_bytes); /* zeroed; asserts */

/* consumer_client.c */
static inline int32_t consumer_coordinator_key(int32_t broker)
{
    return INT32_MAX - broker;
}
/* Is the node ready for a request? Connects to it when it is not, as soon as it may. */
bool consumer_is_ready(struct sim_consumer_driver *consumer, int32_t key, int32_t broker);
/* Not connected, and not to be connected to yet. Kafka: NetworkClientUtils.isUnavailable. */
bool consumer_is_unavailable(const struct sim_consumer_driver *consumer, int32_t key);
/* The node that is likeliest to answer soon; false when there is none now. */
bool consumer_least_loaded(struct sim_consumer_driver *consumer, int32_t *key, int32_t *broker);
/* Send to a node that is ready. asked (may be NULL) becomes the request's. */
void consumer_send(struct sim_consumer_driver *consumer, int32_t key, enum kw_api_key api, const void *body,
                   struct consumer_asked *asked, uint32_t asked_count);
/* The newest version that both sides have. */
int16_t consumer_version(const struct sim_consumer_driver *consumer, int32_t key, enum kw_api_key api);
struct consumer_node *consumer_node_at(const struct sim_consumer_driver *consumer, int32_t key);
/* Take what has arrived, notice what has ended or timed out. */
void consumer_poll_network(struct sim_consumer_driver *consumer);
void consumer_disconnect_all(struct sim_consumer_driver *consumer);
bool consumer_has_requests(const struct sim_consumer_driver *consumer, int32_t key);

/* consumer_metadata.c */
void consumer_metadata_poll(struct sim_consumer_driver *consumer);
void consumer_on_metadata(struct sim_consumer_driver *consumer, const struct kw_metadata_response *response);
struct consumer_topic *consumer_topic_find(const struct sim_consumer_driver *consumer, struct kw_string name);
/* Metadata that says who leads a partition; leader -1 when it does not. */
struct consumer_leader consumer_leader_of(const struct sim_consumer_driver *consumer,
                                          const struct consumer_partition *partition);
void consumer_see_epoch(struct sim_consumer_driver *consumer, const struct consumer_partition *partition,
                        int32_t epoch);

/* consumer_positions.c. Handlers get NULL when the request failed. */
void consumer_assign(struct sim_consumer_driver *consumer, const struct consumer_partition *partitions,
                     uint32_t count, bool is_subscribed);
/* Kafka: KafkaConsumer.updateFetchPositions. */
void consumer_update_positions(struct sim_consumer_driver *consumer);
void consumer_seek(struct sim_consumer_driver *consumer, struct consumer_partition *partition, int64_t offset,
                   int32_t offset_epoch, enum kb_position_why why);
void consumer_request_reset(struct sim_consumer_driver *consumer, struct consumer_partition *partition,
                            enum kw_error cause);
bool consumer_has_all_positions(const struct sim_consumer_driver *consumer);
struct consumer_partition *consumer_partition_find(const struct sim_consumer_driver *consumer,
                                                   struct kw_string topic, int32_t partition);
static inline bool consumer_has_position(const struct consumer_partition *partition)
{
    return partition->state == CONSUMER_FETCHING || partition->state == CONSUMER_AWAIT_VALIDATION;
}
void consumer_on_list_offsets(struct sim_consumer_driver *consumer, const struct consumer_request *request,
                              const struct kw_list_offsets_response *response);
/* consumer_validation.c */
void consumer_validate_on_metadata(struct sim_consumer_driver *consumer);
void consumer_validate_positions(struct sim_consumer_driver *consumer);
void consumer_on_epoch_ends(struct sim_consumer_driver *consumer, const struct consumer_request *request,
                            const struct kw_offset_for_leader_epoch_response *response);

/* consumer_fetch.c */
void consumer_send_fetches(struct sim_consumer_driver *consumer);
void consumer_on_fetch(struct sim_consumer_driver *consumer, const struct consumer_request *request,
                       const struct kw_fetch_response *response);
void consumer_move_to_end(struct sim_consumer_driver *consumer, uint32_t partition);
/* Forget what was fetched of partitions that are no longer assigned, or everything. */
void consumer_forget_fetched(struct sim_consumer_driver *consumer);
/* consumer_records.c: up to max.poll.records of what was fetched; how many. */
uint32_t consumer_take_records(struct sim_consumer_driver *consumer);

/* consumer_group.c: the coordinator, and what the group has committed. */
/* Kafka: ConsumerCoordinator.poll; false: positions have to wait. */
bool consumer_group_poll(struct sim_consumer_driver *consumer);
bool consumer_find_coordinator(struct sim_consumer_driver *consumer);
void consumer_forget_coordinator(struct sim_consumer_driver *consumer);
/* Ask for the offsets of partitions without a position; true when none of them has to wait for it. */
bool consumer_read_committed_offsets(struct sim_consumer_driver *consumer);
/* What was consumed is sent to the coordinator; false: it cannot be now. */
bool consumer_commit(struct sim_consumer_driver *consumer);
void consumer_on_find_coordinator(struct sim_consumer_driver *consumer,
                                  const struct kw_find_coordinator_response *response);
void consumer_on_offset_fetch(struct sim_consumer_driver *consumer, const struct consumer_request *request,
                              const struct kw_offset_fetch_response *response);
void consumer_on_offset_commit(struct sim_consumer_driver *consumer, const struct consumer_request *request,
                               const struct kw_offset_commit_response *response);

/* consumer_membership.c: joining, staying and leaving. */
bool consumer_join(struct sim_consumer_driver *consumer);
void consumer_heartbeat(struct sim_consumer_driver *consumer);
void consumer_leave(struct sim_consumer_driver *consumer);
/* The group does not know this member any more. Kafka: resetStateOnResponseError. */
void consumer_reset_membership(struct sim_consumer_driver *consumer, bool keeps_member, enum kw_error error);
void consumer_on_join(struct sim_consumer_driver *consumer, const struct consumer_request *request,
                      const struct kw_join_group_response *response);
void consumer_on_sync(struct sim_consumer_driver *consumer, const struct consumer_request *request,
                      const struct kw_sync_group_response *response);
void consumer_on_heartbeat(struct sim_consumer_driver *consumer, const struct consumer_request *request,
                           const struct kw_heartbeat_response *response);

static inline struct kw_string consumer_text(const char *text)
{
    return (struct kw_string){text, (int32_t)strlen(text)};
}

#endif
