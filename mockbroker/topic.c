#include "mockbroker/topic.h"

#include "base/assert.h"
#include "base/prng.h"
#include "base/trace.h"
#include "mockbroker/cluster.h"

#include <string.h>

enum { NAME_MAX_BYTES = 249 };

struct mb_partition_state *mb_partition_state_create(const struct linger_allocator *allocator, int32_t leader,
                                                     int32_t leader_epoch, int32_t version,
                                                     const int32_t *isr, uint32_t isr_count)
{
    struct mb_partition_state *state = mb_take(allocator, sizeof *state + isr_count * sizeof *isr);
    state->references = 1;
    state->leader = leader;
    state->leader_epoch = leader_epoch;
    state->version = version;
    state->isr_count = isr_count;
    if (isr_count > 0) {
        memcpy(state->isr, isr, isr_count * sizeof *isr);
    }
    return state;
}

struct mb_partition_state *mb_partition_state_hold(struct mb_partition_state *state)
{
    KB_ASSERT(state->references > 0);
    state->references++;
    return state;
}

void mb_partition_state_drop(const struct linger_allocator *allocator, struct mb_partition_state *state)
{
    KB_ASSERT(state->references > 0);
    if (--state->references == 0) {
        mb_give(allocator, state, sizeof *state + state->isr_count * sizeof state->isr[0]);
    }
}

bool mb_is_member(const int32_t *members, uint32_t count, int32_t member)
{
    for (uint32_t i = 0; i < count; i++) {
        if (members[i] == member) {
            return true;
        }
    }
    return false;
}

static int compare(const struct mb_topic *topic, const char *name, int32_t length_bytes)
{
    int32_t common = topic->name_length_bytes < length_bytes ? topic->name_length_bytes : length_bytes;
    int order = common == 0 ? 0 : memcmp(topic->name, name, (size_t)common);
    if (order != 0) {
        return order;
    }
    return topic->name_length_bytes < length_bytes ? -1 : topic->name_length_bytes > length_bytes;
}

/* Index of the first topic that is not before the name. Topics are kept in the order of their names. */
static uint32_t place_of(const struct mb_cluster *cluster, const char *name, int32_t length_bytes)
{
    uint32_t low = 0;
    uint32_t high = cluster->topic_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(cluster->topics[middle], name, length_bytes) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct mb_topic *mb_topic_find(const struct mb_cluster *cluster, const char *name, int32_t length_bytes)
{
    if (length_bytes < 0) {
        return NULL;
    }
    uint32_t place = place_of(cluster, name, length_bytes);
    if (place == cluster->topic_count || compare(cluster->topics[place], name, length_bytes) != 0) {
        return NULL;
    }
    return cluster->topics[place];
}

struct mb_topic_partition *mb_topic_partition_at(const struct mb_topic *topic, int32_t index)
{
    return index >= 0 && index < topic->partition_count ? topic->partitions[index] : NULL;
}

bool mb_topic_name_is_valid(const char *name, int32_t length_bytes)
{
    if (length_bytes < 1 || length_bytes > NAME_MAX_BYTES || (length_bytes == 1 && name[0] == '.') ||
        (length_bytes == 2 && name[0] == '.' && name[1] == '.')) {
        return false;
    }
    for (int32_t i = 0; i < length_bytes; i++) {
        char c = name[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
              c == '_' || c == '-')) {
            return false;
        }
    }
    return true;
}

static char unified(char c)
{
    return c == '.' ? '_' : c;
}

bool mb_topic_name_collides(const struct mb_cluster *cluster, const char *name, int32_t length_bytes)
{
    for (uint32_t i = 0; i < cluster->topic_count; i++) {
        const struct mb_topic *topic = cluster->topics[i];
        int32_t same = 0;
        while (topic->name_length_bytes == length_bytes && same < length_bytes &&
               unified(topic->name[same]) == unified(name[same])) {
            same++;
        }
        if (same == length_bytes && topic->name_length_bytes == length_bytes) {
            return true;
        }
    }
    return false;
}

const char *mb_topic_kind_name(enum mb_topic_kind kind)
{
    switch (kind) {
    case MB_TOPIC_OF_CLIENTS:
        return NULL;
    case MB_TOPIC_TRANSACTION_STATE:
        return "__transaction_state";
    case MB_TOPIC_CONSUMER_OFFSETS:
        return "__consumer_offsets";
    }
    KB_UNREACHABLE();
}

static bool is_named(const char *name, int32_t length_bytes, enum mb_topic_kind kind)
{
    const char *kind_name = mb_topic_kind_name(kind);
    return length_bytes == (int32_t)strlen(kind_name) && memcmp(name, kind_name, (size_t)length_bytes) == 0;
}

enum mb_topic_kind mb_topic_kind_of(const char *name, int32_t length_bytes)
{
    if (is_named(name, length_bytes, MB_TOPIC_TRANSACTION_STATE)) {
        return MB_TOPIC_TRANSACTION_STATE;
    }
    return is_named(name, length_bytes, MB_TOPIC_CONSUMER_OFFSETS) ? MB_TOPIC_CONSUMER_OFFSETS
                                                                   : MB_TOPIC_OF_CLIENTS;
}

struct mb_topic *mb_topic_create(struct mb_cluster *cluster, const char *name, int32_t length_bytes)
{
    uint32_t place = place_of(cluster, name, length_bytes);
    struct mb_topic *topic = mb_take(cluster->allocator, sizeof *topic);
    topic->name = mb_take(cluster->allocator, (size_t)length_bytes + 1);
    memcpy(topic->name, name, (size_t)length_bytes);
    topic->name_length_bytes = length_bytes;
    topic->kind = mb_topic_kind_of(name, length_bytes);
    /* A hundred partitions that nobody writes to would drown the others: of what the coordinators keep, the
     * steps of the transactions themselves are announced. */
    topic->trace = topic->kind == MB_TOPIC_OF_CLIENTS ? cluster->trace : NULL;
    topic->trace_name = kb_trace_intern(topic->trace, topic->name, (size_t)length_bytes);
    /* Topic ids are random UUIDs in Kafka; these are the seed's, in the order of creation. */
    uint64_t halves[2] = {kb_prng_next(&cluster->topic_ids), kb_prng_next(&cluster->topic_ids)};
    for (size_t i = 0; i < sizeof halves; i++) {
        topic->id.bytes[i] = (uint8_t)(halves[i / 8] >> (i % 8 * 8));
    }
    cluster->topics = mb_reserve(cluster->allocator, cluster->topics, &cluster->topic_capacity,
                                 cluster->topic_count + 1, sizeof(struct mb_topic *));
    memmove(&cluster->topics[place + 1], &cluster->topics[place],
            (cluster->topic_count - place) * sizeof(struct mb_topic *));
    cluster->topics[place] = topic;
    cluster->topic_count++;
    return topic;
}

struct mb_topic_partition *mb_topic_add_partition(struct mb_cluster *cluster, struct mb_topic *topic,
                                                  const int32_t *replicas, uint32_t replica_count)
{
    struct mb_topic_partition *tp = mb_take(cluster->allocator, sizeof *tp);
    *tp = (struct mb_topic_partition){
        .topic = topic,
        .replicas = mb_take(cluster->allocator, replica_count * sizeof *replicas),
        .replica_count = replica_count,
        .index = topic->partition_count,
        .number = cluster->tp_count,
    };
    memcpy(tp->replicas, replicas, replica_count * sizeof *replicas);
    topic->partitions = mb_reserve(cluster->allocator, topic->partitions, &topic->partition_capacity,
                                   (uint32_t)topic->partition_count + 1, sizeof(struct mb_topic_partition *));
    topic->partitions[topic->partition_count++] = tp;
    cluster->tps = mb_reserve(cluster->allocator, cluster->tps, &cluster->tp_capacity, cluster->tp_count + 1,
                              sizeof(struct mb_topic_partition *));
    cluster->tps[cluster->tp_count++] = tp;
    return tp;
}

void mb_topics_release(struct mb_cluster *cluster)
{
    for (uint32_t i = 0; i < cluster->tp_count; i++) {
        struct mb_topic_partition *tp = cluster->tps[i];
        mb_give(cluster->allocator, tp->replicas, tp->replica_count * sizeof tp->replicas[0]);
        mb_give(cluster->allocator, tp, sizeof *tp);
    }
    mb_give(cluster->allocator, cluster->tps, cluster->tp_capacity * sizeof(struct mb_topic_partition *));
    for (uint32_t i = 0; i < cluster->topic_count; i++) {
        struct mb_topic *topic = cluster->topics[i];
        mb_give(cluster->allocator, topic->partitions,
                topic->partition_capacity * sizeof(struct mb_topic_partition *));
        mb_give(cluster->allocator, topic->name, (size_t)topic->name_length_bytes + 1);
        mb_give(cluster->allocator, topic, sizeof *topic);
    }
    mb_give(cluster->allocator, cluster->topics, cluster->topic_capacity * sizeof(struct mb_topic *));
}
