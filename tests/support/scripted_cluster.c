#include "base/allocator.h"
#include "scripted_internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_BYTES = 16 * 1024 };

void scripted_fail(struct scripted_cluster *cluster, const char *format, ...)
{
    if (cluster->failure[0] != '\0') {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(cluster->failure, sizeof cluster->failure, format, arguments);
    va_end(arguments);
}

const char *scripted_cluster_failure(const struct scripted_cluster *cluster)
{
    return cluster->failure[0] != '\0' ? cluster->failure : NULL;
}

static void *checked(void *memory)
{
    if (memory == NULL) {
        (void)fprintf(stderr, "scripted cluster: out of memory\n");
        abort();
    }
    return memory;
}

void *scripted_lasting(struct scripted_cluster *cluster, size_t count, size_t size_bytes)
{
    return checked(kb_arena_allocate_zeroed(&cluster->lasting, count, size_bytes));
}

void *scripted_passing(struct scripted_cluster *cluster, size_t count, size_t size_bytes)
{
    return checked(kb_arena_allocate_zeroed(&cluster->passing, count, size_bytes));
}

struct kw_string scripted_string(const char *text)
{
    return (struct kw_string){.data = text, .length_bytes = (int32_t)strlen(text)};
}

bool scripted_string_is(struct kw_string string, const char *text)
{
    return string.length_bytes >= 0 && strlen(text) == (size_t)string.length_bytes &&
           memcmp(string.data, text, (size_t)string.length_bytes) == 0;
}

struct scripted_topic *scripted_topic_find(struct scripted_cluster *cluster, struct kw_string name, int64_t t)
{
    for (int32_t i = 0; i < cluster->topic_count; i++) {
        if (scripted_string_is(name, cluster->topics[i].name)) {
            return t >= cluster->topics[i].appears_at ? &cluster->topics[i] : NULL;
        }
    }
    return NULL;
}

struct scripted_partition *scripted_partition_at(struct scripted_topic *topic, int64_t partition)
{
    return partition >= 0 && partition < topic->partition_count ? &topic->partitions[partition] : NULL;
}

void scripted_move_leader(struct scripted_cluster *cluster, struct scripted_partition *partition, int64_t to)
{
    if (to < 0 || to >= cluster->broker_count) {
        scripted_fail(cluster, "script: there is no broker %lld to lead", (long long)to);
        return;
    }
    partition->leader = (int32_t)to;
    partition->leader_epoch++;
}

/* --- The description */

/* A number of the description within its bounds, or otherwise when it is missing. */
static int64_t number(struct scripted_cluster *cluster, const cJSON *object, const char *name,
                      int64_t otherwise, int64_t minimum, int64_t maximum)
{
    const cJSON *node = json_member(object, name);
    int64_t value = json_is_integer(node) ? json_integer(node) : otherwise;
    if ((node != NULL && !json_is_integer(node)) || value < minimum || value > maximum) {
        scripted_fail(cluster, "cluster: %s is not from %lld to %lld", name, (long long)minimum,
                      (long long)maximum);
        return otherwise;
    }
    return value;
}

static const char *text(struct scripted_cluster *cluster, const cJSON *object, const char *name)
{
    const char *value = json_member_text(object, name, NULL);
    if (value == NULL) {
        scripted_fail(cluster, "cluster: %s is not a text", name);
        return "";
    }
    return value;
}

static void read_brokers(struct scripted_cluster *cluster)
{
    const cJSON *nodes = json_member(cluster->description, "nodes");
    int32_t count =
        (int32_t)number(cluster, cluster->description, "brokers", 0, 1, SCRIPTED_BROKER_COUNT_MAX);
    if (cJSON_GetArraySize(nodes) != count) {
        scripted_fail(cluster, "cluster: nodes are not as many as brokers");
        return;
    }
    cluster->brokers = scripted_lasting(cluster, (size_t)count + 1, sizeof *cluster->brokers);
    cluster->broker_count = count;
    struct scripted_broker *broker = cluster->brokers;
    const cJSON *node = NULL;
    cJSON_ArrayForEach(node, nodes)
    {
        if (number(cluster, node, "id", -1, 0, count - 1) != broker - cluster->brokers) {
            scripted_fail(cluster, "cluster: nodes are not in the order of their ids");
        }
        broker->host = text(cluster, node, "host");
        broker->port = (int32_t)number(cluster, node, "port", 0, 1, 65535);
        broker++;
    }
}

static void read_leaders(struct scripted_cluster *cluster, const cJSON *leaders, struct scripted_topic *topic)
{
    if (leaders != NULL && cJSON_GetArraySize(leaders) != topic->partition_count) {
        scripted_fail(cluster, "cluster: leaders of %s are not as many as partitions", topic->name);
        return;
    }
    const cJSON *leader = leaders != NULL ? leaders->child : NULL;
    for (int32_t p = 0; p < topic->partition_count; p++) {
        int64_t id = leader != NULL ? json_integer(leader) : p % cluster->broker_count;
        if (id < 0 || id >= cluster->broker_count) {
            scripted_fail(cluster, "cluster: a leader of %s is not a broker", topic->name);
            id = 0;
        }
        topic->partitions[p].leader = (int32_t)id;
        leader = leader != NULL ? leader->next : NULL;
    }
}

static void read_topics(struct scripted_cluster *cluster)
{
    const cJSON *topics = json_member(cluster->description, "topics");
    int count = cJSON_GetArraySize(topics);
    if (!cJSON_IsArray(topics) || count > SCRIPTED_TOPIC_COUNT_MAX || cluster->broker_count == 0) {
        scripted_fail(cluster, "cluster: topics make no sense");
        return;
    }
    cluster->topics = scripted_lasting(cluster, (size_t)count + 1, sizeof *cluster->topics);
    const cJSON *node = NULL;
    cJSON_ArrayForEach(node, topics)
    {
        struct scripted_topic *topic = &cluster->topics[cluster->topic_count++];
        topic->name = text(cluster, node, "name");
        topic->partition_count =
            (int32_t)number(cluster, node, "partitions", 0, 0, SCRIPTED_PARTITION_COUNT_MAX);
        /* Room for add_partitions, so that pointers to partitions stay. */
        topic->partitions =
            scripted_lasting(cluster, SCRIPTED_PARTITION_COUNT_MAX, sizeof *topic->partitions);
        topic->appears_at = number(cluster, node, "appears_at", 0, 0, INT32_MAX);
        topic->error = (int16_t)number(cluster, node, "error", 0, INT16_MIN, INT16_MAX);
        topic->is_known_at_start =
            json_member_bool(node, "known", true) && topic->appears_at == 0 && topic->error == 0;
        topic->has_log_append_time = json_member_bool(node, "log_append_time", false);
        read_leaders(cluster, json_member(node, "leaders"), topic);
    }
}

struct scripted_cluster *scripted_cluster_create(const cJSON *cluster, const cJSON *script, int64_t epoch_ms)
{
    struct scripted_cluster *created = checked(calloc(1, sizeof *created));
    created->description = cluster;
    created->script = script;
    created->epoch_ms = epoch_ms;
    created->next_producer_id = SCRIPTED_FIRST_PRODUCER_ID;
    kb_arena_init(&created->lasting, kb_allocator_default(), ARENA_BLOCK_BYTES, 0);
    kb_arena_init(&created->passing, kb_allocator_default(), ARENA_BLOCK_BYTES, 0);
    created->rtt_ms = number(created, cluster, "rtt_ms", 0, 0, INT32_MAX);
    created->connect_ms = number(created, cluster, "connect_ms", 0, 0, INT32_MAX);
    created->txn_rtt_ms = number(created, cluster, "txn_rtt_ms", 0, 0, INT32_MAX);
    created->first_epoch = (int16_t)number(created, cluster, "first_epoch", 0, 0, INT16_MAX);
    read_brokers(created);
    created->coordinator = (int32_t)number(created, cluster, "coordinator", 0, 0, SCRIPTED_BROKER_COUNT_MAX);
    if (created->coordinator >= created->broker_count) {
        scripted_fail(created, "cluster: the coordinator is not a broker");
        created->coordinator = 0;
    }
    read_topics(created);
    if (!cJSON_IsArray(script)) {
        scripted_fail(created, "script is not an array");
    }
    return created;
}

static void destroy_connection(struct scripted_connection *connection)
{
    while (connection->arrivals != NULL) {
        struct scripted_arrival *arrival = connection->arrivals;
        connection->arrivals = arrival->next;
        free(arrival->frame);
        free(arrival);
    }
    free(connection->handed_over);
    free(connection);
}

void scripted_cluster_destroy(struct scripted_cluster *cluster)
{
    if (cluster == NULL) {
        return;
    }
    while (cluster->connections != NULL) {
        struct scripted_connection *connection = cluster->connections;
        cluster->connections = connection->next;
        destroy_connection(connection);
    }
    scripted_release_read(cluster);
    kb_arena_release(&cluster->lasting);
    kb_arena_release(&cluster->passing);
    free(cluster);
}

int32_t scripted_cluster_broker_count(const struct scripted_cluster *cluster)
{
    return cluster->broker_count;
}

const uint8_t *scripted_cluster_initial_metadata(struct scripted_cluster *cluster, size_t *length_bytes)
{
    enum { VERSION = 11 };
    struct kw_metadata_response response;
    size_t size_bytes = 0;
    kw_metadata_response_init(&response);
    scripted_fill_metadata(cluster, NULL, 0, &response);
    *length_bytes = 0;
    if (kw_message_size(&kw_metadata_response_schema, VERSION, &response, &size_bytes, NULL, NULL) !=
        KW_MESSAGE_OK) {
        scripted_fail(cluster, "the initial metadata cannot be encoded");
        return NULL;
    }
    uint8_t *bytes = scripted_lasting(cluster, size_bytes + 1, 1);
    struct kw_writer writer;
    kw_writer_init(&writer, bytes, size_bytes);
    if (kw_message_encode(&kw_metadata_response_schema, VERSION, &response, &writer, NULL) != KW_MESSAGE_OK) {
        scripted_fail(cluster, "the initial metadata cannot be encoded");
        return NULL;
    }
    kb_arena_reset(&cluster->passing);
    *length_bytes = size_bytes;
    return bytes;
}

/* --- What happens at a time */

static void change_partitions(struct scripted_cluster *cluster, const cJSON *entry, const char *action,
                              int64_t t)
{
    struct scripted_topic *topic =
        scripted_topic_find(cluster, scripted_string(json_member_text(entry, "topic", "")), t);
    int64_t to = json_member_integer(entry, "to", -1);
    if (topic == NULL) {
        scripted_fail(cluster, "script: %s of a topic that is not there", action);
    } else if (strcmp(action, "move_leader") == 0) {
        struct scripted_partition *partition =
            scripted_partition_at(topic, json_member_integer(entry, "partition", -1));
        if (partition != NULL) {
            scripted_move_leader(cluster, partition, to);
        } else {
            scripted_fail(cluster, "script: move_leader of a partition that is not there");
        }
    } else if (to < topic->partition_count || to > SCRIPTED_PARTITION_COUNT_MAX) {
        scripted_fail(cluster, "script: add_partitions to %lld", (long long)to);
    } else {
        for (; topic->partition_count < to; topic->partition_count++) {
            topic->partitions[topic->partition_count].leader = topic->partition_count % cluster->broker_count;
        }
    }
}

static void change_broker(struct scripted_cluster *cluster, const cJSON *entry, const char *action, int64_t t)
{
    int64_t node = json_member_integer(entry, "node", -1);
    if (node < 0 || node >= cluster->broker_count) {
        scripted_fail(cluster, "script: %s of a broker that is not there", action);
        return;
    }
    struct scripted_broker *broker = &cluster->brokers[node];
    if (strcmp(action, "node_down") == 0) {
        broker->is_down = true;
        scripted_close_connections(cluster, (int32_t)node, t);
    } else if (strcmp(action, "node_up") == 0) {
        broker->is_down = false;
        broker->is_hanging = false;
    } else if (strcmp(action, "node_hang") == 0) {
        broker->is_hanging = true;
    } else if (strcmp(action, "disconnect_node") == 0) {
        scripted_close_connections(cluster, (int32_t)node, t);
    } else {
        scripted_fail(cluster, "script: nobody knows what %.32s is", action);
    }
}

void scripted_cluster_begin_ms(struct scripted_cluster *cluster, int64_t t)
{
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, cluster->script)
    {
        const char *action = json_member_text(entry, "action", "");
        if (json_member_integer(entry, "at", -1) != t) {
            continue;
        }
        if (strcmp(action, "move_leader") == 0 || strcmp(action, "add_partitions") == 0) {
            change_partitions(cluster, entry, action, t);
        } else {
            change_broker(cluster, entry, action, t);
        }
    }
}

static int64_t earlier(int64_t next, int64_t other, int64_t t)
{
    return other > t && other < next ? other : next;
}

int64_t scripted_cluster_next_ms(const struct scripted_cluster *cluster, int64_t t)
{
    int64_t next = INT64_MAX;
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, cluster->script)
    {
        next = earlier(next, json_member_integer(entry, "at", -1), t);
    }
    for (const struct scripted_connection *c = cluster->connections; c != NULL; c = c->next) {
        if (!c->is_gone && !c->is_made && !c->is_stuck) {
            next = earlier(next, c->made_at, t);
        }
        /* What is readable already was left by a client that sleeps. */
        for (const struct scripted_arrival *arrival = c->arrivals; arrival != NULL; arrival = arrival->next) {
            next = earlier(next, arrival->readable_at, t);
        }
    }
    return next;
}
