#include "mockbroker/group_coordinator.h"

#include "base/assert.h"
#include "mockbroker/coordinator.h"
#include "mockbroker/handle_group.h"
#include "wire/cursor.h"

#include <string.h>

static struct mb_cluster *cluster_of(const struct mb_group *group)
{
    return group->shard->partition->cluster;
}

/* --- Groups --- */

static void rebalance_is_over(struct mb_cluster *cluster, struct mb_timer *timer);
static void session_is_over(struct mb_cluster *cluster, struct mb_timer *timer);
static void sync_is_over(struct mb_cluster *cluster, struct mb_timer *timer);

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
    group->sync = (struct mb_timer){.fire = sync_is_over, .broker = shard->partition->broker};
    kb_list_init(&group->pending);
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

enum kw_error mb_group_find_named(const struct mb_broker *broker, struct kw_string id,
                                  struct mb_group **group, struct mb_partition **partition)
{
    if (id.length_bytes <= 0) {
        *group = NULL;
        *partition = NULL;
        return KW_ERROR_INVALID_GROUP_ID;
    }
    return mb_group_find(broker, id, group, partition);
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

static void refuse_join(struct mb_request *request, const struct kw_join_group_request *asked,
                        enum kw_error error)
{
    mb_join_group_refuse(request, (int32_t)error, mb_request_keep(request, asked->member_id));
}

static void remove_member(struct mb_group *group)
{
    struct mb_cluster *cluster = cluster_of(group);
    mb_timer_cancel(cluster, &group->session);
    mb_timer_cancel(cluster, &group->rebalance);
    mb_timer_cancel(cluster, &group->sync);
    group->waits_for_pending = false;
    if (group->member != NULL) {
        mb_give(cluster->allocator, group->member, (size_t)group->member_length_bytes + 1);
        group->member = NULL;
    }
    replace(group, &group->protocols, NULL, -1);
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
    struct mb_group *group = KB_CONTAINER_OF(timer, struct mb_group, rebalance);
    group->generation++;
    group->state = MB_GROUP_COMPLETING;
    group->waits_for_pending = false;
    mb_group_touch(group);
    /* Kafka: schedulePendingSync. */
    mb_timer_set(cluster, &group->sync, cluster->now_us + (int64_t)group->rebalance_timeout_ms * 1000);
    answer_join(group, KW_ERROR_NONE);
}

/* Who has joined and never syncs is no member any more. Kafka: onExpirePendingSync. */
static void sync_is_over(struct mb_cluster *cluster, struct mb_timer *timer)
{
    (void)cluster;
    remove_member(KB_CONTAINER_OF(timer, struct mb_group, sync));
}

static void forget_join(struct mb_request *request)
{
    struct mb_group *group = request->waits_for;
    group->joining = NULL;
}

/* --- Members to be --- */

static struct mb_pending_member *find_pending(const struct mb_group *group, struct kw_string member)
{
    KB_LIST_FOR_EACH(node, &group->pending)
    {
        struct mb_pending_member *pending = KB_CONTAINER_OF(node, struct mb_pending_member, of_group);
        if (pending->id_length_bytes == member.length_bytes &&
            memcmp(pending->id, member.data, (size_t)member.length_bytes) == 0) {
            return pending;
        }
    }
    return NULL;
}

/* A member that joins once more has waited for them. Kafka: removePendingMemberAndUpdateGroup. */
static void remove_pending(struct mb_pending_member *pending)
{
    struct mb_group *group = pending->group;
    struct mb_cluster *cluster = cluster_of(group);
    mb_timer_cancel(cluster, &pending->expiry);
    kb_list_remove(&pending->of_group);
    mb_give(cluster->allocator, pending, sizeof *pending + (size_t)pending->id_length_bytes);
    if (group->waits_for_pending && kb_list_is_empty(&group->pending)) {
        group->waits_for_pending = false;
        mb_timer_set(cluster, &group->rebalance, cluster->now_us);
    }
}

static void pending_is_over(struct mb_cluster *cluster, struct mb_timer *timer)
{
    (void)cluster;
    remove_pending(KB_CONTAINER_OF(timer, struct mb_pending_member, expiry));
}

static void add_pending(struct mb_group *group, struct kw_string id, int32_t session_timeout_ms)
{
    struct mb_cluster *cluster = cluster_of(group);
    struct mb_pending_member *pending =
        mb_take(cluster->allocator, sizeof *pending + (size_t)id.length_bytes);
    pending->group = group;
    pending->expiry = (struct mb_timer){.fire = pending_is_over, .broker = group->shard->partition->broker};
    pending->id_length_bytes = id.length_bytes;
    memcpy(pending->id, id.data, (size_t)id.length_bytes);
    kb_list_push_back(&group->pending, &pending->of_group);
    mb_timer_set(cluster, &pending->expiry, cluster->now_us + (int64_t)session_timeout_ms * 1000);
}

/* --- Joining --- */

static struct kw_bytes metadata_of(const struct kw_join_group_request_protocol *protocol)
{
    return protocol->metadata.bytes == NULL ? (struct kw_bytes){(const uint8_t *)"", 0} : protocol->metadata;
}

/* What the client can do, in one piece: so it is compared. */
static struct kw_bytes protocols_of(struct mb_request *request, const struct kw_join_group_request *asked)
{
    size_t size_bytes = 0;
    for (int32_t i = 0; i < asked->protocols.count; i++) {
        size_bytes += 8 + (size_t)asked->protocols.items[i].name.length_bytes +
                      (size_t)metadata_of(&asked->protocols.items[i]).length_bytes;
    }
    uint8_t *memory = mb_request_take(request, size_bytes, 1);
    struct kw_writer writer;
    kw_writer_init(&writer, memory, size_bytes);
    for (int32_t i = 0; i < asked->protocols.count; i++) {
        struct kw_string name = asked->protocols.items[i].name;
        struct kw_bytes metadata = metadata_of(&asked->protocols.items[i]);
        kw_write_i32(&writer, name.length_bytes);
        kw_write_bytes(&writer, name.data, (size_t)name.length_bytes);
        kw_write_i32(&writer, metadata.length_bytes);
        kw_write_bytes(&writer, metadata.bytes, (size_t)metadata.length_bytes);
    }
    KB_ASSERT(kw_writer_is_ok(&writer));
    return (struct kw_bytes){memory, (int32_t)size_bytes};
}

static bool is_offered(const struct kw_join_group_request *asked, const uint8_t *name, int32_t length_bytes)
{
    for (int32_t i = 0; i < asked->protocols.count; i++) {
        struct kw_string other = asked->protocols.items[i].name;
        if (other.length_bytes == length_bytes && memcmp(other.data, name, (size_t)length_bytes) == 0) {
            return true;
        }
    }
    return false;
}

/* Kafka: GroupMetadata.supportsProtocols. */
static bool supports(const struct mb_group *group, const struct kw_join_group_request *asked)
{
    struct kw_string type = asked->protocol_type;
    if (group->member == NULL) {
        return type.length_bytes > 0 && asked->protocols.count > 0;
    }
    if ((int32_t)group->type->size_bytes != type.length_bytes ||
        memcmp(group->type->bytes, type.data, (size_t)type.length_bytes) != 0) {
        return false;
    }
    struct kw_reader reader;
    kw_reader_init(&reader, group->protocols->bytes, group->protocols->size_bytes);
    while (kw_reader_remaining_bytes(&reader) > 0) {
        int32_t name_bytes = kw_read_i32(&reader);
        const uint8_t *name = kw_read_bytes(&reader, (size_t)name_bytes);
        if (is_offered(asked, name, name_bytes)) {
            return true;
        }
        (void)kw_read_bytes(&reader, (size_t)kw_read_i32(&reader));
    }
    return false;
}

static void take_member(struct mb_group *group, const struct kw_join_group_request *asked,
                        struct kw_bytes protocols)
{
    if (group->member == NULL) {
        group->member_length_bytes = asked->member_id.length_bytes;
        group->member = mb_take(cluster_of(group)->allocator, (size_t)group->member_length_bytes + 1);
        memcpy(group->member, asked->member_id.data, (size_t)group->member_length_bytes);
        group->session_timeout_ms = asked->session_timeout_ms;
        group->rebalance_timeout_ms = asked->rebalance_timeout_ms < 0 ? 0 : asked->rebalance_timeout_ms;
    }
    const struct kw_join_group_request_protocol *protocol = &asked->protocols.items[0];
    struct kw_bytes metadata = metadata_of(protocol);
    replace(group, &group->protocols, protocols.bytes, protocols.length_bytes);
    replace(group, &group->protocol, protocol->name.data, protocol->name.length_bytes);
    replace(group, &group->type, asked->protocol_type.data, asked->protocol_type.length_bytes);
    replace(group, &group->subscription, metadata.bytes, metadata.length_bytes);
    replace(group, &group->assignment, NULL, -1);
}

/* Kafka: addMemberAndRebalance, updateMemberAndRebalance, prepareRebalance. */
static void rebalance(struct mb_request *request, struct mb_group *group,
                      const struct kw_join_group_request *asked, struct kw_bytes protocols)
{
    struct mb_cluster *cluster = request->cluster;
    bool is_new = group->member == NULL;
    bool is_prepared = group->state == MB_GROUP_PREPARING;
    answer_join(group, KW_ERROR_REBALANCE_IN_PROGRESS); /* it asks again on another connection */
    take_member(group, asked, protocols);
    group->state = MB_GROUP_PREPARING;
    group->joining = request;
    request->waits_for = group;
    request->forget = forget_join;
    mb_timer_cancel(cluster, &group->sync);
    mb_group_touch(group);
    if (is_prepared) {
        return;
    }
    /* Kafka: InitialDelayedJoin of an empty group; later only those that have an id and have not come. */
    int64_t delay_ms = is_new ? mb_setting(cluster, MB_SETTING_GROUP_INITIAL_REBALANCE_DELAY_MS) : 0;
    if (!is_new && !kb_list_is_empty(&group->pending)) {
        group->waits_for_pending = true;
        delay_ms = group->rebalance_timeout_ms;
    }
    mb_timer_set(cluster, &group->rebalance, cluster->now_us + delay_ms * 1000);
}

static bool is_same(const struct mb_block *block, struct kw_bytes bytes)
{
    return (int32_t)block->size_bytes == bytes.length_bytes &&
           memcmp(block->bytes, bytes.bytes, block->size_bytes) == 0;
}

static void join_new(struct mb_request *request, struct mb_group *group,
                     const struct kw_join_group_request *asked, struct kw_bytes protocols)
{
    struct kw_join_group_request named = *asked;
    named.member_id = mb_new_member_id(request);
    /* Since v4 the client comes again with the id that it is given here (KIP-394). */
    if (request->version >= 4 && asked->group_instance_id.length_bytes < 0) {
        add_pending(group, named.member_id, asked->session_timeout_ms);
        mb_join_group_refuse(request, KW_ERROR_MEMBER_ID_REQUIRED, named.member_id);
    } else {
        rebalance(request, group, &named, protocols);
    }
}

void mb_group_join(struct mb_request *request, struct mb_partition *partition,
                   const struct kw_join_group_request *asked)
{
    bool is_unknown = asked->member_id.length_bytes == 0;
    struct mb_group *group = find(partition->groups, asked->group_id.data, asked->group_id.length_bytes);
    if (group == NULL && !is_unknown) {
        refuse_join(request, asked, KW_ERROR_UNKNOWN_MEMBER_ID);
        return;
    }
    if (group == NULL) {
        group = mb_group_create(partition->groups, asked->group_id.data, asked->group_id.length_bytes);
    }
    struct mb_pending_member *pending = find_pending(group, asked->member_id);
    struct kw_bytes protocols = protocols_of(request, asked);
    if (group->member != NULL && !is_member(group, asked->member_id)) {
        if (pending != NULL) {
            remove_pending(pending);
        }
        mb_join_group_refuse(request, KW_ERROR_GROUP_MAX_SIZE_REACHED, (struct kw_string){"", 0});
    } else if (!supports(group, asked)) {
        refuse_join(request, asked, KW_ERROR_INCONSISTENT_GROUP_PROTOCOL);
    } else if (is_unknown) {
        join_new(request, group, asked, protocols);
    } else if (pending != NULL) {
        remove_pending(pending);
        rebalance(request, group, asked, protocols);
    } else if (group->member == NULL) {
        refuse_join(request, asked, KW_ERROR_UNKNOWN_MEMBER_ID);
    } else if (group->state == MB_GROUP_COMPLETING && is_same(group->protocols, protocols)) {
        mb_join_group_answer(request, group, KW_ERROR_NONE); /* the answer before was lost */
    } else {
        rebalance(request, group, asked, protocols);
    }
}

static bool is_other(struct kw_string text, const struct mb_block *block)
{
    return text.length_bytes >= 0 &&
           !is_same(block, (struct kw_bytes){(const uint8_t *)text.data, text.length_bytes});
}

enum kw_error mb_group_sync(struct mb_group *group, const struct kw_sync_group_request *asked)
{
    enum kw_error error = mb_group_check_member(group, asked->member_id, asked->generation_id);
    if (error != KW_ERROR_NONE) {
        return error;
    }
    if (is_other(asked->protocol_type, group->type) || is_other(asked->protocol_name, group->protocol)) {
        return KW_ERROR_INCONSISTENT_GROUP_PROTOCOL;
    }
    if (group->state == MB_GROUP_PREPARING) {
        return KW_ERROR_REBALANCE_IN_PROGRESS;
    }
    mb_timer_cancel(cluster_of(group), &group->sync);
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
    struct mb_pending_member *pending = find_pending(group, member);
    if (pending != NULL) {
        remove_pending(pending);
        return KW_ERROR_NONE;
    }
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
        while (!kb_list_is_empty(&group->pending)) {
            remove_pending(
                KB_CONTAINER_OF(kb_list_first(&group->pending), struct mb_pending_member, of_group));
        }
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
