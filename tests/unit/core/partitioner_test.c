#include "core/partitioner.h"

#include "core_support.h"
#include "unit.h"

#include <string.h>

struct draws {
    const int32_t *numbers;
    int next;
};

static int32_t draw(void *context)
{
    struct draws *draws = context;
    return draws->numbers[draws->next++];
}

struct fixture {
    struct known_cluster cluster;
    struct draws draws;
    struct kp_partitioner_state partitioner;
    const struct kp_topic *topic;
    struct kp_topic_view view;
    struct kp_failure failure;
};

static const int32_t all_of_four[] = {0, 1, 2, 3};

static void set_up(struct fixture *f, enum kp_partitioner_kind kind, const int32_t *numbers,
                   const struct kp_partitioner *custom)
{
    known_cluster_init(&f->cluster);
    f->draws = (struct draws){numbers, 0};
    struct kp_chance chance = {.context = &f->draws, .sticky_draw = numbers != NULL ? draw : NULL, .seed = 1};
    kp_partitioner_init(&f->partitioner, &f->cluster.memory.allocator, NULL, kind, custom, &chance);
    f->topic = kp_topics_topic(f->cluster.topics, "t", 1);
    f->view = (struct kp_topic_view){"t", 4, all_of_four, 4};
}

static void tear_down(struct fixture *f)
{
    kp_partitioner_release(&f->partitioner);
    known_cluster_release(&f->cluster);
}

static int32_t choose(struct fixture *f, const char *key)
{
    struct kp_bytes bytes = key != NULL ? (struct kp_bytes){key, (int32_t)strlen(key)} : KP_BYTES_NULL;
    struct kp_partition_choice choice;
    CU_ASSERT_TRUE(kp_partitioner_choose(&f->partitioner, f->topic, &f->view, bytes, KP_BYTES_NULL, &choice,
                                         &f->failure));
    return choice.partition;
}

static void key_by_murmur2_and_else_sticky(void)
{
    struct fixture f;
    set_up(&f, KP_PARTITIONER_DEFAULT, (const int32_t[]){6, 2, 2, 9}, NULL);
    /* Kafka's own values: murmur2("21") = -973932308, murmur2("foobar") = -790332482. */
    CU_ASSERT_EQUAL(choose(&f, "21"), (-973932308 & 0x7fffffff) % 4);
    CU_ASSERT_EQUAL(choose(&f, "foobar"), (-790332482 & 0x7fffffff) % 4);
    CU_ASSERT_EQUAL(f.draws.next, 0);
    CU_ASSERT_EQUAL(choose(&f, NULL), 2); /* 6 mod 4 */
    CU_ASSERT_EQUAL(choose(&f, NULL), 2);
    CU_ASSERT_EQUAL(f.draws.next, 1);
    /* A batch of another partition changes nothing; one of this partition draws until another comes. */
    kp_partitioner_on_new_batch(&f.partitioner, f.topic, &f.view, 3);
    CU_ASSERT_EQUAL(choose(&f, NULL), 2);
    kp_partitioner_on_new_batch(&f.partitioner, f.topic, &f.view, 2);
    CU_ASSERT_EQUAL(f.draws.next, 4);
    CU_ASSERT_EQUAL(choose(&f, NULL), 1);
    tear_down(&f);
}

static void sticky_with_few_available(void)
{
    struct fixture f;
    set_up(&f, KP_PARTITIONER_UNIFORM_STICKY, (const int32_t[]){7}, NULL);
    f.view.available_count = 0;
    CU_ASSERT_EQUAL(choose(&f, "ignored"), 3); /* 7 mod all 4 */
    f.view.available = (const int32_t[]){1};
    f.view.available_count = 1;
    kp_partitioner_on_new_batch(&f.partitioner, f.topic, &f.view, 3);
    CU_ASSERT_EQUAL(choose(&f, NULL), 1);
    CU_ASSERT_EQUAL(f.draws.next, 1);
    kp_partitioner_on_new_batch(&f.partitioner, f.topic, &f.view, 1);
    CU_ASSERT_EQUAL(choose(&f, NULL), 1);
    tear_down(&f);
}

static int32_t draw_zero(void *context)
{
    (void)context;
    return 0;
}

static void constant_chance_does_not_hang(void)
{
    struct fixture f;
    set_up(&f, KP_PARTITIONER_DEFAULT, NULL, NULL);
    f.partitioner.sticky.chance.sticky_draw = draw_zero;
    CU_ASSERT_EQUAL(choose(&f, NULL), 0);
    kp_partitioner_on_new_batch(&f.partitioner, f.topic, &f.view, 0);
    CU_ASSERT_EQUAL(choose(&f, NULL), 1);
    tear_down(&f);
}

static void seed_repeats(void)
{
    int32_t first[8];
    for (int run = 0; run < 2; run++) {
        struct fixture f;
        set_up(&f, KP_PARTITIONER_DEFAULT, NULL, NULL);
        for (int i = 0; i < 8; i++) {
            int32_t partition = choose(&f, NULL);
            CU_ASSERT(run == 0 || first[i] == partition);
            CU_ASSERT(i == 0 || first[i - 1] != partition);
            first[i] = partition;
            kp_partitioner_on_new_batch(&f.partitioner, f.topic, &f.view, partition);
        }
        tear_down(&f);
    }
}

static void round_robin_over_available(void)
{
    struct fixture f;
    set_up(&f, KP_PARTITIONER_ROUND_ROBIN, NULL, NULL);
    f.view.available = (const int32_t[]){2, 0};
    f.view.available_count = 2;
    CU_ASSERT_EQUAL(choose(&f, "k"), 2);
    CU_ASSERT_EQUAL(choose(&f, "k"), 0);
    CU_ASSERT_EQUAL(choose(&f, "k"), 2);
    f.view.available_count = 0;
    CU_ASSERT_EQUAL(choose(&f, "k"), 3);
    f.partitioner.counters[f.topic->index] =
        UINT32_C(0x80000001); /* as Java's int: the sign bit is dropped */
    CU_ASSERT_EQUAL(choose(&f, "k"), 1);
    tear_down(&f);
}

static int32_t by_length(void *context, const struct kp_topic_view *view, struct kp_bytes key,
                         struct kp_bytes value)
{
    (void)context;
    (void)value;
    return key.length_bytes % view->partition_count;
}

static void custom_and_errors(void)
{
    struct fixture f;
    struct kp_partitioner custom = {NULL, by_length, NULL};
    set_up(&f, KP_PARTITIONER_CUSTOM, NULL, &custom);
    CU_ASSERT_EQUAL(choose(&f, "abc"), 3);
    kp_partitioner_on_new_batch(&f.partitioner, f.topic, &f.view, 3);
    tear_down(&f);

    struct kp_partition_choice choice;
    set_up(&f, KP_PARTITIONER_DEFAULT, NULL, NULL);
    f.view.partition_count = 0;
    CU_ASSERT_FALSE(kp_partitioner_choose(&f.partitioner, f.topic, &f.view, KP_BYTES_NULL, KP_BYTES_NULL,
                                          &choice, &f.failure));
    CU_ASSERT_STRING_EQUAL(f.failure.thrown.exception, "ArithmeticException");
    f.view.partition_count = 4;
    f.cluster.memory.allowed_count = 0;
    CU_ASSERT_FALSE(kp_partitioner_choose(&f.partitioner, f.topic, &f.view, KP_BYTES_NULL, KP_BYTES_NULL,
                                          &choice, &f.failure));
    CU_ASSERT_STRING_EQUAL(f.failure.thrown.exception, "OutOfMemoryError");
    tear_down(&f);
}

int main(void)
{
    return unit_main("partitioner",
                     (struct unit_test[]){{"key by murmur2, else sticky", key_by_murmur2_and_else_sticky},
                                          {"sticky with few available", sticky_with_few_available},
                                          {"constant chance does not hang", constant_chance_does_not_hang},
                                          {"seed repeats", seed_repeats},
                                          {"round robin over available", round_robin_over_available},
                                          {"custom and errors", custom_and_errors},
                                          {0}});
}
