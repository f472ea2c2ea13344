#include "core/topics.h"

#include "base/assert.h"
#include "base/murmur2.h"
#include "core/memory.h"

#include <string.h>

/* Two open hash tables of places (index + 1, 0: empty), by name and by (topic, number). They only answer
 * look-ups: nothing ever walks them, so their order decides nothing. */
struct places {
    uint32_t *slots;
    uint32_t capacity; /* a power of two, or 0 */
};

struct kp_topics {
    const struct linger_allocator *allocator;
    struct kb_trace *trace;
    struct kp_topic **topics;
    uint32_t topic_count;
    uint32_t topic_capacity;
    struct places topic_places;
    struct kp_topic_partition **partitions;
    uint32_t partition_count;
    uint32_t partition_capacity;
    struct places partition_places;
};

struct kp_topics *kp_topics_create(const struct linger_allocator *allocator, struct kb_trace *trace)
{
    struct kp_topics *topics = kb_allocate_zeroed(allocator, 1, sizeof *topics);
    if (topics != NULL) {
        topics->allocator = allocator;
        topics->trace = trace;
    }
    return topics;
}

void kp_topics_destroy(struct kp_topics *topics)
{
    if (topics == NULL) {
        return;
    }
    const struct linger_allocator *allocator = topics->allocator;
    for (uint32_t i = 0; i < topics->topic_count; i++) {
        kb_deallocate(allocator, (void *)(uintptr_t)topics->topics[i]->name,
                      topics->topics[i]->name_length_bytes + 1);
        kb_deallocate(allocator, topics->topics[i], sizeof *topics->topics[i]);
    }
    for (uint32_t i = 0; i < topics->partition_count; i++) {
        kb_deallocate(allocator, topics->partitions[i], sizeof *topics->partitions[i]);
    }
    kb_deallocate(allocator, topics->topics, topics->topic_capacity * sizeof(struct kp_topic *));
    kb_deallocate(allocator, topics->partitions,
                  topics->partition_capacity * sizeof(struct kp_topic_partition *));
    kb_deallocate(allocator, topics->topic_places.slots, topics->topic_places.capacity * sizeof(uint32_t));
    kb_deallocate(allocator, topics->partition_places.slots,
                  topics->partition_places.capacity * sizeof(uint32_t));
    kb_deallocate(allocator, topics, sizeof *topics);
}

static uint32_t hash_name(const char *name, size_t length_bytes)
{
    return (uint32_t)kb_murmur2(name, length_bytes);
}

static uint32_t hash_partition(const struct kp_topic *topic, int32_t partition)
{
    uint64_t mixed = ((uint64_t)topic->index << 32 | (uint32_t)partition) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(mixed >> 32);
}

/* Keeps the table at most half full. The elements know their hashes: hash_at(topics, index). */
static bool make_place(struct kp_topics *topics, struct places *places, uint32_t count,
                       uint32_t (*hash_at)(const struct kp_topics *, uint32_t))
{
    if ((uint64_t)(count + 1) * 2 <= places->capacity) {
        return true;
    }
    uint32_t capacity = places->capacity == 0 ? 16 : places->capacity * 2;
    uint32_t *slots = kb_allocate_zeroed(topics->allocator, capacity, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    for (uint32_t index = 0; index < count; index++) {
        uint32_t slot = hash_at(topics, index) & (capacity - 1);
        while (slots[slot] != 0) {
            slot = (slot + 1) & (capacity - 1);
        }
        slots[slot] = index + 1;
    }
    kb_deallocate(topics->allocator, places->slots, places->capacity * sizeof *slots);
    places->slots = slots;
    places->capacity = capacity;
    return true;
}

static uint32_t hash_of_topic(const struct kp_topics *topics, uint32_t index)
{
    return hash_name(topics->topics[index]->name, topics->topics[index]->name_length_bytes);
}

static uint32_t hash_of_partition(const struct kp_topics *topics, uint32_t index)
{
    return hash_partition(topics->partitions[index]->topic, topics->partitions[index]->partition);
}

/* The slot of that name: that of its topic, or the empty one where it would go. */
static uint32_t *find_name(const struct kp_topics *topics, const char *name, size_t length_bytes)
{
    const struct places *places = &topics->topic_places;
    uint32_t slot = hash_name(name, length_bytes) & (places->capacity - 1);
    while (places->slots[slot] != 0) {
        const struct kp_topic *topic = topics->topics[places->slots[slot] - 1];
        if (topic->name_length_bytes == length_bytes &&
            (length_bytes == 0 || memcmp(topic->name, name, length_bytes) == 0)) {
            break;
        }
        slot = (slot + 1) & (places->capacity - 1);
    }
    return &places->slots[slot];
}

const struct kp_topic *kp_topics_find(const struct kp_topics *topics, const char *name, size_t length_bytes)
{
    if (topics->topic_count == 0) {
        return NULL;
    }
    uint32_t place = *find_name(topics, name, length_bytes);
    return place != 0 ? topics->topics[place - 1] : NULL;
}

const struct kp_topic *kp_topics_topic(struct kp_topics *topics, const char *name, size_t length_bytes)
{
    const struct kp_topic *known = kp_topics_find(topics, name, length_bytes);
    if (known != NULL) {
        return known;
    }
    if (!kp_grow(topics->allocator, &topics->topics, &topics->topic_capacity, topics->topic_count + 1,
                 sizeof *topics->topics) ||
        !make_place(topics, &topics->topic_places, topics->topic_count, hash_of_topic)) {
        return NULL;
    }
    struct kp_topic *topic = kb_allocate_zeroed(topics->allocator, 1, sizeof *topic);
    char *copy = kp_copy_text(topics->allocator, name, length_bytes);
    if (topic == NULL || copy == NULL) {
        kb_deallocate(topics->allocator, topic, sizeof *topic);
        kb_deallocate(topics->allocator, copy, length_bytes + 1);
        return NULL;
    }
    topic->name = copy;
    topic->name_length_bytes = length_bytes;
    topic->index = topics->topic_count;
    topic->trace_name = kb_trace_intern(topics->trace, name, length_bytes);
    *find_name(topics, name, length_bytes) = topic->index + 1;
    topics->topics[topics->topic_count++] = topic;
    return topic;
}

static uint32_t *find_number(const struct kp_topics *topics, const struct kp_topic *topic, int32_t partition)
{
    const struct places *places = &topics->partition_places;
    uint32_t slot = hash_partition(topic, partition) & (places->capacity - 1);
    while (places->slots[slot] != 0) {
        const struct kp_topic_partition *known = topics->partitions[places->slots[slot] - 1];
        if (known->topic == topic && known->partition == partition) {
            break;
        }
        slot = (slot + 1) & (places->capacity - 1);
    }
    return &places->slots[slot];
}

const struct kp_topic_partition *kp_topics_partition(struct kp_topics *topics, const struct kp_topic *topic,
                                                     int32_t partition)
{
    if (topics->partition_count > 0) {
        uint32_t place = *find_number(topics, topic, partition);
        if (place != 0) {
            return topics->partitions[place - 1];
        }
    }
    if (!kp_grow(topics->allocator, &topics->partitions, &topics->partition_capacity,
                 topics->partition_count + 1, sizeof *topics->partitions) ||
        !make_place(topics, &topics->partition_places, topics->partition_count, hash_of_partition)) {
        return NULL;
    }
    struct kp_topic_partition *made = kb_allocate_zeroed(topics->allocator, 1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    made->topic = topic;
    made->partition = partition;
    made->index = topics->partition_count;
    *find_number(topics, topic, partition) = made->index + 1;
    topics->partitions[topics->partition_count++] = made;
    return made;
}

uint32_t kp_topics_count(const struct kp_topics *topics)
{
    return topics->topic_count;
}

uint32_t kp_topics_partition_count(const struct kp_topics *topics)
{
    return topics->partition_count;
}

const struct kp_topic *kp_topics_at(const struct kp_topics *topics, uint32_t index)
{
    KB_ASSERT(index < topics->topic_count);
    return topics->topics[index];
}

const struct kp_topic_partition *kp_topics_partition_at(const struct kp_topics *topics, uint32_t index)
{
    KB_ASSERT(index < topics->partition_count);
    return topics->partitions[index];
}
