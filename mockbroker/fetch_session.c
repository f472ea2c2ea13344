#include "mockbroker/fetch_session.h"

#include "base/assert.h"
#include "mockbroker/connection.h"
#include "mockbroker/partition.h"

void mb_session_partition_mark(struct mb_session_partition *part)
{
    if (!kb_list_node_is_linked(&part->of_dirty)) {
        kb_list_push_back(&part->session->dirty, &part->of_dirty);
        part->session->dirty_count++;
    }
}

void mb_session_partition_unmark(struct mb_session_partition *part)
{
    if (kb_list_node_is_linked(&part->of_dirty)) {
        kb_list_remove(&part->of_dirty);
        part->session->dirty_count--;
    }
}

void mb_session_partition_attach(struct mb_session_partition *part)
{
    if (part->spec.partition != NULL) {
        return;
    }
    part->spec.partition = mb_partition_online(part->session->connection->server, part->spec.tp);
    if (part->spec.partition != NULL) {
        kb_list_push_back(&part->spec.partition->sessions, &part->of_partition);
    }
}

/* The replica is no longer idle in this session: write down what its fetches meant. */
static void detach(struct mb_session_partition *part)
{
    struct mb_partition *partition = part->spec.partition;
    if (partition == NULL) {
        return;
    }
    struct mb_remote *remote = mb_partition_remote(partition, part->session->follower);
    if (remote != NULL && remote->idle_in == part->session) {
        mb_partition_wake_remote(partition, remote);
    }
    kb_list_remove(&part->of_partition);
    part->spec.partition = NULL;
}

static void remove_part(struct mb_session_partition *part)
{
    struct mb_fetch_session *session = part->session;
    struct mb_cluster *cluster = session->connection->server->cluster;
    detach(part);
    mb_session_partition_unmark(part);
    kb_list_remove(&part->of_session);
    mb_map_remove(&session->partitions, part->spec.tp->number);
    mb_give(cluster->allocator, part, sizeof *part);
}

void mb_fetch_session_close(struct mb_fetch_session *session)
{
    struct mb_connection *connection = session->connection;
    struct mb_cluster *cluster = connection->server->cluster;
    KB_ASSERT(session->parked == NULL);
    struct kb_list_node *node;
    while ((node = kb_list_first(&session->all)) != NULL) {
        remove_part(KB_CONTAINER_OF(node, struct mb_session_partition, of_session));
    }
    mb_map_release(&session->partitions);
    connection->session = NULL;
    mb_give(cluster->allocator, session, sizeof *session);
}

void mb_fetch_sessions_mark(struct mb_partition *partition)
{
    KB_LIST_FOR_EACH(node, &partition->sessions)
    {
        mb_session_partition_mark(KB_CONTAINER_OF(node, struct mb_session_partition, of_partition));
    }
}

void mb_fetch_sessions_forget(struct mb_partition *partition)
{
    struct kb_list_node *node;
    while ((node = kb_list_first(&partition->sessions)) != NULL) {
        struct mb_session_partition *part = KB_CONTAINER_OF(node, struct mb_session_partition, of_partition);
        detach(part);
        mb_session_partition_mark(part);
    }
}

static struct mb_fetch_session *open(struct mb_connection *connection, int32_t follower)
{
    struct mb_broker *broker = connection->server;
    struct mb_fetch_session *session = mb_take(broker->cluster->allocator, sizeof *session);
    *session = (struct mb_fetch_session){
        .connection = connection,
        .follower = follower,
        .id = ++broker->next_session_id,
    };
    mb_map_init(&session->partitions, broker->cluster->allocator);
    kb_list_init(&session->all);
    kb_list_init(&session->dirty);
    connection->session = session;
    return session;
}

static void name_partition(struct mb_fetch_session *session, struct mb_topic_partition *tp,
                           const struct kw_fetch_request_partition *asked)
{
    struct mb_cluster *cluster = session->connection->server->cluster;
    struct mb_session_partition *part = mb_map_find(&session->partitions, tp->number);
    if (part == NULL) {
        part = mb_take(cluster->allocator, sizeof *part);
        part->session = session;
        part->told_high_watermark = -1;
        part->told_log_start_offset = -1;
        kb_list_push_back(&session->all, &part->of_session);
        mb_map_insert(&session->partitions, tp->number, part);
    }
    struct mb_partition *watched = part->spec.partition;
    part->spec = (struct mb_fetch_spec){
        .tp = tp,
        .partition = watched,
        .topic = {tp->topic->name, tp->topic->name_length_bytes},
        .index = tp->index,
        .fetch_offset = asked->fetch_offset,
        .current_leader_epoch = asked->current_leader_epoch,
        .last_fetched_epoch = asked->last_fetched_epoch,
        .max_bytes = asked->partition_max_bytes,
    };
    mb_session_partition_attach(part);
    mb_session_partition_mark(part);
}

static struct mb_topic_partition *find(const struct mb_cluster *cluster, struct kw_string topic,
                                       int32_t index)
{
    const struct mb_topic *found = mb_topic_find(cluster, topic.data, topic.length_bytes);
    return found == NULL ? NULL : mb_topic_partition_at(found, index);
}

static void apply(struct mb_fetch_session *session, const struct kw_fetch_request *request)
{
    struct mb_cluster *cluster = session->connection->server->cluster;
    for (int32_t i = 0; i < request->forgotten_topics_data.count; i++) {
        const struct kw_fetch_request_forgotten_topic *topic = &request->forgotten_topics_data.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            const struct mb_topic_partition *tp = find(cluster, topic->topic, topic->partitions.items[j]);
            struct mb_session_partition *part =
                tp == NULL ? NULL : mb_map_find(&session->partitions, tp->number);
            if (part != NULL) {
                remove_part(part);
            }
        }
    }
    for (int32_t i = 0; i < request->topics.count; i++) {
        const struct kw_fetch_request_topic *topic = &request->topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            struct mb_topic_partition *tp = find(cluster, topic->topic, topic->partitions.items[j].partition);
            if (tp != NULL) {
                name_partition(session, tp, &topic->partitions.items[j]);
            }
        }
    }
}

struct mb_fetch_session *mb_fetch_session_update(struct mb_connection *connection, int32_t follower,
                                                 const struct kw_fetch_request *request, enum kw_error *error)
{
    struct mb_fetch_session *session = connection->session;
    *error = KW_ERROR_NONE;
    if (request->session_epoch == 0) {
        if (session != NULL) {
            mb_fetch_session_close(session);
        }
        session = open(connection, follower);
        session->next_epoch = 1;
    } else if (session == NULL || session->id != request->session_id) {
        *error = KW_ERROR_FETCH_SESSION_ID_NOT_FOUND;
        return NULL;
    } else if (session->next_epoch != request->session_epoch) {
        *error = KW_ERROR_INVALID_FETCH_SESSION_EPOCH;
        return NULL;
    } else {
        session->next_epoch = session->next_epoch == INT32_MAX ? 1 : session->next_epoch + 1;
    }
    apply(session, request);
    session->last_fetch_ms = mb_now_ms(connection->server->cluster);
    return session;
}
