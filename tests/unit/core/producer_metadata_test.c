#include "core/producer_metadata.h"

#include "core_support.h"
#include "unit.h"
#include "wire/errors.h"

#include <string.h>

/* A response that is put together piece by piece. */
struct answer {
    struct kw_metadata_response response;
    struct kw_metadata_response_broker brokers[4];
    struct kw_metadata_response_topic topics[4];
    struct kw_metadata_response_partition partitions[4][4];
};

static void answer_init(struct answer *a, int32_t broker_count)
{
    kw_metadata_response_init(&a->response);
    for (int32_t i = 0; i < broker_count; i++) {
        kw_metadata_response_broker_init(&a->brokers[i]);
        a->brokers[i].node_id = broker_count - 1 - i; /* not in order */
        a->brokers[i].host = (struct kw_string){"host", 4};
        a->brokers[i].port = 9092 + i;
    }
    a->response.brokers.items = a->brokers;
    a->response.brokers.count = broker_count;
    a->response.topics.items = a->topics;
    a->response.topics.count = 0;
}

static struct kw_metadata_response_topic *add_topic(struct answer *a, const char *name, int16_t error)
{
    struct kw_metadata_response_topic *topic = &a->topics[a->response.topics.count];

    kw_metadata_response_topic_init(topic);
    topic->name = (struct kw_string){name, (int32_t)strlen(name)};
    topic->error_code = error;
    topic->partitions.items = a->partitions[a->response.topics.count++];
    topic->partitions.count = 0;
    return topic;
}

static void add_partition(struct kw_metadata_response_topic *topic, int32_t leader, int32_t epoch)
{
    struct kw_metadata_response_partition *partition = &topic->partitions.items[topic->partitions.count];

    kw_metadata_response_partition_init(partition);
    partition->partition_index = topic->partitions.count++;
    partition->leader_id = leader;
    partition->leader_epoch = epoch;
}

static void update(struct known_cluster *c, struct answer *a, bool is_partial, int64_t now_ms)
{
    CU_ASSERT_TRUE(kp_producer_metadata_update(c->metadata, kp_producer_metadata_request_version(c->metadata),
                                               &a->response, 11, is_partial, now_ms));
}

static const struct kp_topic *track(struct known_cluster *c, const char *name, int64_t now_ms)
{
    const struct kp_topic *topic = kp_topics_topic(c->topics, name, strlen(name));

    CU_ASSERT_TRUE(kp_producer_metadata_add(c->metadata, topic, now_ms));
    return topic;
}

static int32_t leader_of(struct known_cluster *c, const struct kp_topic *topic, int32_t partition)
{
    return kp_producer_metadata_partition(c->metadata, kp_topics_partition(c->topics, topic, partition))
        ->leader;
}

static void starts_from_the_bootstrap_list(void)
{
    struct known_cluster c;
    const char *hosts[] = {"a", "b"};
    const uint16_t ports[] = {1, 2};

    known_cluster_init(&c);
    CU_ASSERT_TRUE(kp_producer_metadata_bootstrap(c.metadata, hosts, ports, 2));
    CU_ASSERT_EQUAL(kp_producer_metadata_node_count(c.metadata), 2);
    CU_ASSERT_EQUAL(kp_producer_metadata_node(c.metadata, 0)->id, -1);
    CU_ASSERT_EQUAL(kp_producer_metadata_find_node(c.metadata, -2)->port, 2);
    CU_ASSERT_PTR_NULL(kp_producer_metadata_find_node(c.metadata, 0));
    CU_ASSERT_EQUAL(kp_producer_metadata_time_to_next_update_ms(c.metadata, 0), 0);
    known_cluster_release(&c);
}

static void a_new_topic_does_not_wait_for_the_backoff(void)
{
    struct known_cluster c;
    struct answer a;
    struct kp_metadata_request request;
    const struct kp_topic *t;
    const struct kp_topic *u;

    known_cluster_init(&c);
    t = track(&c, "t", 1000);
    answer_init(&a, 2);
    add_partition(add_topic(&a, "t", 0), 1, 0);
    update(&c, &a, false, 1000);
    CU_ASSERT_EQUAL(kp_producer_metadata_time_to_next_update_ms(c.metadata, 1000), 300000);
    /* Asked for by a disconnection or an error it waits. */
    (void)kp_producer_metadata_request_update(c.metadata, KB_METADATA_WHY_ERROR);
    CU_ASSERT_EQUAL(kp_producer_metadata_time_to_next_update_ms(c.metadata, 1010), 90);
    u = track(&c, "u", 1010);
    CU_ASSERT_EQUAL(kp_producer_metadata_time_to_next_update_ms(c.metadata, 1010), 0);
    kp_producer_metadata_new_request(c.metadata, 1010, &request);
    CU_ASSERT_FALSE(request.is_partial); /* a full one is due as well */
    CU_ASSERT_EQUAL(request.topic_count, 2);
    answer_init(&a, 2);
    add_partition(add_topic(&a, "t", 0), 1, 0);
    update(&c, &a, false, 1100);
    /* It did not name u: that is still new, and asked for alone. */
    CU_ASSERT_EQUAL(kp_producer_metadata_request_update_for_topic(c.metadata, u, KB_METADATA_WHY_NEW_TOPIC),
                    kp_producer_metadata_update_version(c.metadata));
    kp_producer_metadata_new_request(c.metadata, 1100, &request);
    CU_ASSERT_TRUE(request.is_partial);
    CU_ASSERT_EQUAL(request.topic_count, 1);
    CU_ASSERT_PTR_EQUAL(request.topics[0], u);
    answer_init(&a, 2);
    add_partition(add_topic(&a, "u", 0), 0, 0);
    update(&c, &a, true, 1101);
    CU_ASSERT_EQUAL(leader_of(&c, t, 0), 1);
    CU_ASSERT_EQUAL(leader_of(&c, u, 0), 0);
    CU_ASSERT_EQUAL(kp_producer_metadata_node(c.metadata, 0)->partition_count, 1);
    known_cluster_release(&c);
}

static void an_answer_to_an_older_question_leaves_the_new_topic_due(void)
{
    struct known_cluster c;
    struct answer a;
    int32_t version;

    known_cluster_init(&c);
    (void)track(&c, "t", 0);
    version = kp_producer_metadata_request_version(c.metadata);
    (void)track(&c, "u", 0);
    answer_init(&a, 1);
    add_partition(add_topic(&a, "t", 0), 0, 0);
    CU_ASSERT_TRUE(kp_producer_metadata_update(c.metadata, version, &a.response, 11, false, 0));
    CU_ASSERT_EQUAL(kp_producer_metadata_next_update_ms(c.metadata), 100);
    known_cluster_release(&c);
}

static void an_idle_topic_is_forgotten(void)
{
    struct known_cluster c;
    struct answer a;
    const struct kp_topic *t;

    known_cluster_init(&c);
    t = track(&c, "t", 0);
    answer_init(&a, 1);
    add_partition(add_topic(&a, "t", 0), 0, 0);
    update(&c, &a, false, 0);
    update(&c, &a, false, 299999);
    CU_ASSERT_EQUAL(kp_producer_metadata_partition_count(c.metadata, t), 1);
    update(&c, &a, false, 300000);
    CU_ASSERT_EQUAL(kp_producer_metadata_partition_count(c.metadata, t), -1);
    CU_ASSERT_FALSE(kp_producer_metadata_contains_topic(c.metadata, t));
    CU_ASSERT_EQUAL(leader_of(&c, t, 0), KP_NODE_NONE);
    known_cluster_release(&c);
}

static void an_older_leader_epoch_is_not_believed(void)
{
    struct known_cluster c;
    struct answer a;
    const struct kp_topic *t;

    known_cluster_init(&c);
    t = track(&c, "t", 0);
    answer_init(&a, 3);
    add_partition(add_topic(&a, "t", 0), 1, 5);
    update(&c, &a, false, 0);
    a.partitions[0][0].leader_id = 2;
    a.partitions[0][0].leader_epoch = 4;
    update(&c, &a, false, 1);
    CU_ASSERT_EQUAL(leader_of(&c, t, 0), 1);
    a.partitions[0][0].leader_epoch = 6;
    update(&c, &a, false, 2);
    CU_ASSERT_EQUAL(leader_of(&c, t, 0), 2);
    /* Another topic id: the topic was made anew, and its epochs begin again. */
    a.topics[0].topic_id.bytes[0] = 1;
    update(&c, &a, false, 3);
    a.topics[0].topic_id.bytes[0] = 2;
    a.partitions[0][0].leader_id = 0;
    a.partitions[0][0].leader_epoch = 0;
    update(&c, &a, false, 4);
    CU_ASSERT_EQUAL(leader_of(&c, t, 0), 0);
    known_cluster_release(&c);
}

static void errors_are_told_once(void)
{
    struct known_cluster c;
    struct answer a;
    struct kp_failure failure;
    const struct kp_topic *bad;
    const struct kp_topic *secret;

    known_cluster_init(&c);
    bad = track(&c, "bad", 0);
    secret = track(&c, "secret", 0);
    answer_init(&a, 1);
    (void)add_topic(&a, "bad", KW_ERROR_INVALID_TOPIC_EXCEPTION);
    (void)add_topic(&a, "secret", KW_ERROR_TOPIC_AUTHORIZATION_FAILED);
    update(&c, &a, false, 0);
    CU_ASSERT_TRUE(kp_producer_metadata_is_invalid_topic(c.metadata, bad));
    CU_ASSERT_TRUE(kp_producer_metadata_throws_for_topic(c.metadata, secret, &failure));
    CU_ASSERT_STRING_EQUAL(failure.thrown.message, "Not authorized to access topics: [secret]");
    /* Asking for one topic takes the errors of all away. */
    CU_ASSERT_FALSE(kp_producer_metadata_throws_for_topic(c.metadata, bad, &failure));
    update(&c, &a, false, 200);
    CU_ASSERT_TRUE(kp_producer_metadata_throws_for_topic(c.metadata, bad, &failure));
    CU_ASSERT_STRING_EQUAL(failure.thrown.exception, "InvalidTopicException");
    CU_ASSERT_STRING_EQUAL(failure.thrown.message, "Invalid topics: [bad]");
    kp_failure_throw(&failure, "UnsupportedVersionException", "x");
    kp_producer_metadata_fatal_error(c.metadata, &failure);
    CU_ASSERT_TRUE(kp_producer_metadata_throws_fatal(c.metadata, &failure));
    CU_ASSERT_FALSE(kp_producer_metadata_throws_fatal(c.metadata, &failure));
    known_cluster_release(&c);
}

static int64_t backwards_in_node(void *context, int32_t node, const char *topic, int32_t partition)
{
    (void)context;
    (void)node;
    (void)topic;
    return -partition;
}

static int64_t backwards_in_topic(void *context, const char *topic, int32_t partition)
{
    (void)context;
    (void)topic;
    return -partition;
}

static void orders_are_the_drivers(void)
{
    struct known_cluster c;
    struct answer a;
    struct kp_topic_view view;
    struct kp_producer_metadata *other;
    const struct kp_topic *t;

    known_cluster_init(&c);
    other = c.metadata;
    c.metadata = kp_producer_metadata_create(&(struct kp_producer_metadata_options){
        .allocator = &c.memory.allocator,
        .topics = c.topics,
        .order = {.in_node = backwards_in_node, .in_topic = backwards_in_topic},
        .refresh_backoff_ms = 100,
        .max_age_ms = 300000,
        .max_idle_ms = 300000});
    t = track(&c, "t", 0);
    answer_init(&a, 1);
    struct kw_metadata_response_topic *topic = add_topic(&a, "t", 0);

    add_partition(topic, 0, 0);
    add_partition(topic, 7, 0); /* a leader that is not among the brokers */
    add_partition(topic, 0, 0);
    update(&c, &a, false, 0);
    kp_producer_metadata_topic_view(c.metadata, t, &view);
    CU_ASSERT_EQUAL(view.partition_count, 3);
    CU_ASSERT_EQUAL_FATAL(view.available_count, 2);
    CU_ASSERT_EQUAL(view.available[0], 2);
    CU_ASSERT_EQUAL(view.available[1], 0);
    const struct kp_node *node = kp_producer_metadata_node(c.metadata, 0);

    CU_ASSERT_EQUAL_FATAL(node->partition_count, 2);
    CU_ASSERT_EQUAL(node->partitions[0]->partition, 2);
    for (uint32_t i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(kp_producer_metadata_partition(c.metadata, node->partitions[i])->place_in_node, i);
    kp_producer_metadata_destroy(other);
    known_cluster_release(&c);
}

static void a_hostile_answer_is_harmless(void)
{
    struct known_cluster c;
    struct answer a;

    known_cluster_init(&c);
    (void)track(&c, "t", 0);
    answer_init(&a, 3);
    a.brokers[1].node_id = a.brokers[0].node_id; /* twice */
    a.brokers[2].node_id = -1;                   /* that of a bootstrap server */
    struct kw_metadata_response_topic *topic = add_topic(&a, "t", 0);

    add_partition(topic, INT32_MAX, 0);
    add_partition(topic, INT32_MIN, -7);
    add_partition(topic, 2, 0);
    a.partitions[0][0].partition_index = INT32_MIN;
    a.partitions[0][2].partition_index = INT32_MAX;
    (void)add_topic(&a, "", 0);
    add_topic(&a, "t", 77)->name.length_bytes = 1;
    update(&c, &a, false, 0);
    CU_ASSERT_EQUAL(kp_producer_metadata_node_count(c.metadata), 1);
    known_cluster_release(&c);
}

int main(void)
{
    return unit_main(
        "producer_metadata",
        (struct unit_test[]){
            {"starts from the bootstrap list", starts_from_the_bootstrap_list},
            {"a new topic does not wait for the backoff", a_new_topic_does_not_wait_for_the_backoff},
            {"an answer to an older question", an_answer_to_an_older_question_leaves_the_new_topic_due},
            {"an idle topic is forgotten", an_idle_topic_is_forgotten},
            {"an older leader epoch is not believed", an_older_leader_epoch_is_not_believed},
            {"errors are told once", errors_are_told_once},
            {"orders are the driver's", orders_are_the_drivers},
            {"a hostile answer is harmless", a_hostile_answer_is_harmless},
            {0}});
}
