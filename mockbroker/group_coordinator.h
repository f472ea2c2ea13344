/**
 * The group coordinator, as far as a plain console consumer and a transactional producer need it: groups of
 * one member at a time, and committed offsets.
 *
 * Committed offsets are records of __consumer_offsets in Kafka's format, and survive the coordinator. Those
 * of an open transaction count when its marker says so. Members are not written down: after a change of
 * coordinator a consumer is unknown and joins anew, which it does by itself. A second member of a group is
 * refused with GROUP_MAX_SIZE_REACHED, as by brokers with group.max.size=1.
 *
 * Kafka: GroupCoordinator, GroupMetadata, GroupMetadataManager.
 */
#ifndef MB_GROUP_COORDINATOR_H
#define MB_GROUP_COORDINATOR_H

#include "mockbroker/partition.h"
#include "mockbroker/request.h"
#include "wire/message_structs.h"

/** Kafka: OffsetAndMetadata. */
struct mb_committed_offset {
    struct mb_topic_partition *tp;
    int64_t offset;
    int32_t leader_epoch;
    char *metadata;
    int32_t metadata_length_bytes;
    int64_t producer_id; /* of the open transaction that it is pending in; KW_NO_PRODUCER_ID: it counts */
    int64_t log_offset;  /* of its batch in __consumer_offsets: the later one counts */
};

/** Has an id and is to come again with it. Kafka: GroupMetadata.pendingMembers. */
struct mb_pending_member {
    struct kb_list_node of_group;
    struct mb_group *group;
    struct mb_timer expiry;
    int32_t id_length_bytes;
    char id[];
};

enum mb_group_state { MB_GROUP_EMPTY, MB_GROUP_PREPARING, MB_GROUP_COMPLETING, MB_GROUP_STABLE };

struct mb_group {
    struct kb_list_node of_shard;
    struct mb_group_shard *shard;
    char *id;
    int32_t id_length_bytes;
    enum mb_group_state state;
    int32_t generation;

    /* The member; NULL: none. */
    char *member;
    int32_t member_length_bytes;
    int32_t session_timeout_ms;
    int32_t rebalance_timeout_ms;
    struct mb_timer session;
    struct mb_timer rebalance;     /* the wait for more members */
    bool waits_for_pending;        /* rebalance is over as soon as nobody is pending */
    struct mb_timer sync;          /* the wait for SyncGroup */
    struct mb_request *joining;    /* parked until the rebalance is over */
    struct kb_list pending;        /* mb_pending_member */
    struct mb_block *protocols;    /* what the member can do: names and metadata, as they came */
    struct mb_block *protocol;     /* its name */
    struct mb_block *type;         /* consumer */
    struct mb_block *subscription; /* what the member said it wants */
    struct mb_block *assignment;

    struct mb_committed_offset *offsets;
    uint32_t offset_count;
    uint32_t offset_capacity;
};

struct mb_group_shard {
    struct mb_partition *partition;
    bool is_loaded;
    struct mb_timer load;
    struct kb_list groups;
    struct kb_list commits; /* being replicated */
};

void mb_groups_elect(struct mb_partition *partition);
void mb_groups_resign(struct mb_partition *partition);
bool mb_groups_are_loaded(const struct mb_partition *partition);
/** A marker is written: the offsets of the transaction count, or never were.
 *  Kafka: GroupMetadataManager.handleTxnCompletion. */
void mb_groups_transaction_ended(struct mb_partition *partition, int64_t producer_id, bool is_commit);

/** The group, if this broker coordinates it; *group may be NULL when there is none yet. An empty id is that
 *  of a group that commits and fetches offsets, and has no members. */
enum kw_error mb_group_find(const struct mb_broker *broker, struct kw_string id, struct mb_group **group,
                            struct mb_partition **partition);
/** The same for what only a group with a name can do. Kafka: GroupCoordinator.validateGroupStatus. */
enum kw_error mb_group_find_named(const struct mb_broker *broker, struct kw_string id,
                                  struct mb_group **group, struct mb_partition **partition);
struct mb_group *mb_group_of(struct mb_group_shard *shard, const char *id, int32_t length_bytes);
struct mb_group *mb_group_create(struct mb_group_shard *shard, const char *id, int32_t length_bytes);

/** Is it the member, in this generation? Kafka: GroupCoordinator.doHeartbeat, validateOffsetCommit. */
enum kw_error mb_group_check_member(const struct mb_group *group, struct kw_string member,
                                    int32_t generation);
/** The member shows that it is alive. */
void mb_group_touch(struct mb_group *group);

/* --- group_offsets.c --- */

/** What a client wants to commit; texts are borrowed for the call. */
struct mb_offset_commit {
    struct mb_topic_partition *tp; /* NULL: there is none of that name */
    int64_t offset;
    int32_t leader_epoch;
    struct kw_string metadata;
};

/** How the commit ended, for all partitions that exist. */
typedef void mb_commit_answer(struct mb_request *request, enum kw_error error);

/** Write the offsets, with the producer of their transaction or KW_NO_PRODUCER_ID.
 *  Kafka: GroupMetadataManager.storeOffsets. */
void mb_group_commit(struct mb_request *request, struct mb_partition *partition, struct kw_string group_id,
                     const struct mb_offset_commit *commits, uint32_t count, int64_t producer_id,
                     int16_t producer_epoch, mb_commit_answer *answer);
/** What counts of a partition; NULL: nothing was committed. *is_unstable: an open transaction has another, or
 *  one is being replicated. */
const struct mb_committed_offset *mb_group_offset(const struct mb_group *group,
                                                  const struct mb_topic_partition *tp, bool *is_unstable);
void mb_group_offsets_load(struct mb_partition *partition);
void mb_group_offsets_release(struct mb_group *group);
void mb_group_commits_drop(struct mb_group_shard *shard);

#endif
