#include "mockbroker/group_coordinator.h"

#include "base/assert.h"
#include "mockbroker/coordinator.h"
#include "mockbroker/handle_group.h"

#include <string.h>

static struct mb_cluster *cluster_of(const struct mb_group *group)
{
    return group->shard->partition->cluster;
}

/* --- Groups --- */

static void rebalance_is_over(struct mb_cluster *cluster, struct mb_timer *timer);
static void session_is_over(struct mb_cluster *cluster, struct mb_timer *timer);

static struct mb_group *find(const struct mb_group_shard *shard, const char *id, int32_t length_bytes)
{
    KB_LIST_FOR_EACH(node, &shard->groups)
    {
        struct mb_group *group = KB_CONTAINER_OF(node, struct mb_group, of_shard);
        if (group->id_length_bytes == length_bytes && memcmp(group->id, id, (size_t)length_bytes) == 0) {
            return group;
        }
    }
    return NULL;
}

struct mb_group *mb_group_create(struct mb_group_shard *shard, const char *id, int32_t length_bytes)
{
    struct mb_cluster *cluster = shard->partition->cluster;
    struct mb_group *group = mb_take(cluster->allocator, sizeof *group);
    group->shard = shard;
    group->id = mb_take(cluster->allocator, (size_t)length_bytes + 1);
    memcpy(group->id, id, (size_t)length_bytes);
    group->id_length_bytes = length_bytes;
    group->session = (struct mb_timer){.fire = session_is_over, .broker = shard->partition->broker};
    group->rebalance = (struct mb_timer){.fire = rebalance_is_over, .broker = shard->partition->broker};
    kb_list_push_back(&shard->groups, &group->of_shard);
    return group;
}

struct mb_group *mb_group_of(struct mb_group_shard *shard, const char *id, int32_t length_bytes)
{
    struct mb_group *group = find(shard, id, length_bytes);
    return group != NULL ? group : mb_group_create(shard, id, length_bytes);
}

enum kw_error mb_group_find(const struct mb_broker *broker, struct kw_string id, struct mb_group **group,
                            struct mb_partition **partition)
{
    *group = NULL;
    *partition = NULL;
    if (id.length_bytes < 0 || id.length_bytes > INT16_MAX) { /* the log has 16 bits for its length */
        return KW_ERROR_INVALID_GROUP_ID;
    }
    enum kw_error error =
        mb_coordinator_find(broker, MB_TOPIC_CONSUMER_OFFSETS, id.data, id.length_bytes, partition);
    if (error == KW_ERROR_NONE) {
        *group = find((*partition)->groups, id.data, id.length_bytes);
    }
    return error;
}

static void replace(const struct mb_group *group, struct mb_block **block, const void *bytes,
                    int32_t length_bytes)
{
    if (*block != NULL) {
        mb_block_drop(cluster_of(group)->allocator, *block);
        *block = NULL;
    }
    if (length_bytes >= 0) {
        *block = mb_block_create(cluster_of(group)->allocator, length_bytes == 0 ? "" : bytes,
                                 (uint32_t)length_bytes);
    }
}

/* Who joins is told, when somebody does. */
static void answer_join(struct mb_group *group, enum kw_error error)
{
    struct mb_request *request = group->joining;
    if (request != NULL) {
        group->joining = NULL;
        request->waits_for = NULL;
        mb_join_group_answer(request, group, error);
    }
}

static void remove_member(struct mb_group *group)
{
    struct mb_cluster *cluster = cluster_of(group);
    mb_timer_cancel(cluster, &group->session);
    mb_timer_cancel(cluster, &group->rebalance);
    if (group->member != NULL) {
        mb_give(cluster->allocator, group->member, (size_t)group->member_length_bytes + 1);
        group->member = NULL;
    }
    replace(group, &group->protocol, NULL, -1);
    replace(group, &group->type, NULL, -1);
    replace(group, &group->subscription, NULL, -1);
    replace(group, &group->assignment, NULL, -1);
    group->state = MB_GROUP_EMPTY;
    group->generation++;
}

/* --- The member --- */

static bool is_member(const struct mb_group *group, struct kw_string member)
{
    return group != NULL && group->member != NULL && group->member_length_bytes == member.length_bytes &&
           memcmp(group->member, member.data, (size_t)member.length_bytes) == 0;
}

enum kw_error mb_group_check_member(const struct mb_group *group, struct kw_string member, int32_t generation)
{
    if (!is_member(group, member)) {
        return KW_ERROR_UNKNOWN_MEMBER_ID;
    }
    return generation == group->generation ? KW_ERROR_NONE : KW_ERROR_ILLEGAL_GENERATION;
}

void mb_group_touch(struct mb_group *group)
{
    struct mb_cluster *cluster = cluster_of(group);
    if (group->member != NULL) {
        mb_timer_set(cluster, &group->session, cluster->now_us + (int64_t)group->session_timeout_ms * 1000);
    }
}

static void session_is_over(struct mb_cluster *cluster, struct mb_timer *timer)
{
    (void)cluster;
    struct mb_group *group = KB_CONTAINER_OF(timer, struct mb_group, session);
    if (group->joining != NULL) {
        mb_group_touch(group); /* who waits for an answer need not show that it is alive */
        return;
    }
    remove_member(group);
}

static void rebalance_is_over(struct mb_cluster *cluster, struct mb_timer *timer)
{
    (void)cluster;
    struct mb_group *group = KB_CONTAINER_OF(timer, struct mb_group, rebalance);
    group->generation++;
    group->state = MB_GROUP_COMPLETING;
    mb_group_touch(group);
    answer_join(group, KW_ERROR_NONE);
}

static void forget_join(struct mb_request *request)
{
    struct mb_group *group = request->waits_for;
    group->joining = NULL;
}

static void take_member(struct mb_group *group, const struct kw_join_group_request *asked)
{
    if (group->member == NULL) {
        group->member_length_bytes = asked->member_id.length_bytes;
        group->member = mb_take(cluster_of(group)->allocator, (size_t)group->member_length_bytes + 1);
        memcpy(group->member, asked->member_id.data, (size_t)group->member_length_bytes);
    }
    const struct kw_join_group_request_protocol *protocol = &asked->protocols.items[0];
    group->session_timeout_ms = asked->session_timeout_ms;
    replace(group, &group->protocol, protocol->name.data, protocol->name.length_bytes);
    replace(group, &group->type, asked->protocol_type.data, asked->protocol_type.length_bytes);
    replace(group, &group->subscription, protocol->metadata.bytes,
            protocol->metadata.bytes == NULL ? 0 : protocol->metadata.length_bytes);
    replace(group, &group->assignment, NULL, -1);
}

void mb_group_join(struct mb_request *request, struct mb_partition *partition,
                   const struct kw_join_group_request *asked)
{
    struct mb_cluster *cluster = request->cluster;
    struct mb_group *group =
        mb_group_of(partition->groups, asked->group_id.data, asked->group_id.length_bytes);
    bool is_new = group->member == NULL;
    if (!is_new && !is_member(group, asked->member_id)) {
        mb_join_group_answer(request, group, KW_ERROR_GROUP_MAX_SIZE_REACHED);
        return;
    }
    if (group->joining != NULL) {
        answer_join(group, KW_ERROR_REBALANCE_IN_PROGRESS); /* it asks again on another connection */
    }
    take_member(group, asked);
    group->state = MB_GROUP_PREPARING;
    group->joining = request;
    request->waits_for = group;
    request->forget = forget_join;
    mb_group_touch(group);
    /* Kafka: InitialDelayedJoin of an empty group; with everybody there, nobody is waited for. */
    int64_t delay_ms = is_new ? mb_setting(cluster, MB_SETTING_GROUP_INITIAL_REBALANCE_DELAY_MS) : 0;
    mb_timer_set(cluster, &group->rebalance, cluster->now_us + delay_ms * 1000);
}

enum kw_error mb_group_sync(struct mb_group *group, const struct kw_sync_group_request *asked)
{
    enum kw_error error = mb_group_check_member(group, asked->member_id, asked->generation_id);
    if (error != KW_ERROR_NONE) {
        return error;
    }
    if (group->state == MB_GROUP_PREPARING) {
        return KW_ERROR_REBALANCE_IN_PROGRESS;
    }
    mb_group_touch(group);
    if (group->state == MB_GROUP_STABLE) {
        return KW_ERROR_NONE;
    }
    /* Its only member leads the group: it has decided for itself. */
    for (int32_t i = 0; i < asked->assignments.count; i++) {
        const struct kw_sync_group_request_assignment *assignment = &asked->assignments.items[i];
        if (is_member(group, assignment->member_id)) {
            replace(group, &group->assignment, assignment->assignment.bytes,
                    assignment->assignment.bytes == NULL ? 0 : assignment->assignment.length_bytes);
        }
    }
    group->state = MB_GROUP_STABLE;
    return KW_ERROR_NONE;
}

enum kw_error mb_group_leave(struct mb_group *group, struct kw_string member)
{
    if (!is_member(group, member)) {
        return KW_ERROR_UNKNOWN_MEMBER_ID;
    }
    answer_join(group, KW_ERROR_UNKNOWN_MEMBER_ID);
    remove_member(group);
    return KW_ERROR_NONE;
}

/* --- Coming and going --- */

static void load(struct mb_cluster *cluster, struct mb_timer *timer)
{
    (void)cluster;
    struct mb_group_shard *shard = KB_CONTAINER_OF(timer, struct mb_group_shard, load);
    mb_group_offsets_load(shard->partition);
    shard->is_loaded = true;
}

void mb_groups_elect(struct mb_partition *partition)
{
    struct mb_cluster *cluster = partition->cluster;
    mb_groups_resign(partition);
    struct mb_group_shard *shard = mb_take(cluster->allocator, sizeof *shard);
    shard->partition = partition;
    shard->load = (struct mb_timer){.fire = load, .broker = partition->broker};
    kb_list_init(&shard->groups);
    kb_list_init(&shard->commits);
    partition->groups = shard;
    mb_timer_set(cluster, &shard->load, cluster->now_us + MB_COORDINATOR_LOAD_US);
}

void mb_groups_resign(struct mb_partition *partition)
{
    struct mb_group_shard *shard = partition->groups;
    struct mb_cluster *cluster = partition->cluster;
    struct kb_list_node *node;
    if (shard == NULL) {
        return;
    }
    partition->groups = NULL;
    mb_timer_cancel(cluster, &shard->load);
    mb_group_commits_drop(shard);
    while ((node = kb_list_pop_front(&shard->groups)) != NULL) {
        struct mb_group *group = KB_CONTAINER_OF(node, struct mb_group, of_shard);
        answer_join(group, KW_ERROR_NOT_COORDINATOR);
        remove_member(group);
        mb_group_offsets_release(group);
        mb_give(cluster->allocator, group->id, (size_t)group->id_length_bytes + 1);
        mb_give(cluster->allocator, group, sizeof *group);
    }
    mb_give(cluster->allocator, shard, sizeof *shard);
}

bool mb_groups_are_loaded(const struct mb_partition *partition)
{
    return partition->groups != NULL && partition->groups->is_loaded;
}
