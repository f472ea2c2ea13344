#include "core/topics.h"

#include "failing_allocator.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static void one_object_per_name_and_number(void)
{
    struct failing_allocator memory;
    failing_allocator_init(&memory);
    struct kp_topics *topics = kp_topics_create(&memory.allocator, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(topics);
    CU_ASSERT_PTR_NULL(kp_topics_find(topics, "t", 1));
    const struct kp_topic *made[300];
    char name[16];
    for (uint32_t i = 0; i < 300; i++) {
        int length = snprintf(name, sizeof name, "topic-%u", i);
        made[i] = kp_topics_topic(topics, name, (size_t)length);
        CU_ASSERT_PTR_NOT_NULL_FATAL(made[i]);
        CU_ASSERT_EQUAL(made[i]->index, i);
        for (int32_t p = -1; p < 3; p++) {
            CU_ASSERT_EQUAL(kp_topics_partition(topics, made[i], p)->index, i * 4 + (uint32_t)(p + 1));
        }
    }
    for (uint32_t i = 0; i < 300; i++) {
        int length = snprintf(name, sizeof name, "topic-%u", i);
        CU_ASSERT_PTR_EQUAL(kp_topics_find(topics, name, (size_t)length), made[i]);
        CU_ASSERT_PTR_EQUAL(kp_topics_topic(topics, name, (size_t)length), made[i]);
        CU_ASSERT_STRING_EQUAL(made[i]->name, name);
        CU_ASSERT_EQUAL(kp_topics_partition(topics, made[i], 1)->index, i * 4 + 2);
    }
    CU_ASSERT_EQUAL(kp_topics_count(topics), 300);
    CU_ASSERT_EQUAL(kp_topics_partition_count(topics), 1200);
    CU_ASSERT_PTR_EQUAL(kp_topics_partition_at(topics, 4)->topic, made[1]);
    /* No NUL is needed behind a name, and an empty one is a name. */
    CU_ASSERT_PTR_EQUAL(kp_topics_find(topics, "topic-12", 7), made[1]);
    CU_ASSERT_PTR_EQUAL(kp_topics_topic(topics, NULL, 0), kp_topics_topic(topics, "", 0));
    CU_ASSERT_EQUAL(kp_topics_partition(topics, made[0], INT32_MAX)->partition, INT32_MAX);
    kp_topics_destroy(topics);
    CU_ASSERT_EQUAL(memory.held_bytes, 0);
    CU_ASSERT_EQUAL(memory.wrong_size_count, 0);
}

static void no_memory_changes_nothing(void)
{
    struct failing_allocator memory;
    failing_allocator_init(&memory);
    struct kp_topics *topics = kp_topics_create(&memory.allocator, NULL);
    const struct kp_topic *topic = NULL;
    for (uint64_t allowed = 0; topic == NULL; allowed++) {
        memory.allowed_count = allowed;
        topic = kp_topics_topic(topics, "t", 1);
        memory.allowed_count = UINT64_MAX;
        CU_ASSERT_EQUAL(kp_topics_count(topics), topic != NULL);
    }
    const struct kp_topic_partition *partition = NULL;
    for (uint64_t allowed = 0; partition == NULL; allowed++) {
        memory.allowed_count = allowed;
        partition = kp_topics_partition(topics, topic, 0);
        memory.allowed_count = UINT64_MAX;
        CU_ASSERT_EQUAL(kp_topics_partition_count(topics), partition != NULL);
    }
    kp_topics_destroy(topics);
    CU_ASSERT_EQUAL(memory.held_bytes, 0);
}

int main(void)
{
    return unit_main("topics",
                     (struct unit_test[]){{"one object per name and number", one_object_per_name_and_number},
                                          {"no memory changes nothing", no_memory_changes_nothing},
                                          {0}});
}
