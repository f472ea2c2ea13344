#include "follower.h"

#include "mockbroker/cluster.h"
#include "unit.h"

void follower_send(struct harness *h, uint32_t connection, const struct follower_fetch *fetch)
{
    struct kw_fetch_request request;
    struct kw_fetch_request_topic topic;
    struct kw_fetch_request_partition item;
    kw_fetch_request_init(&request);
    kw_fetch_request_topic_init(&topic);
    kw_fetch_request_partition_init(&item);
    item.fetch_offset = fetch->offset;
    /* A follower that claims to have what it does not have. */
    h->is_unchecked = h->is_unchecked || (fetch->replica >= 0 &&
                                          fetch->offset > harness_replica(h, fetch->replica).log_end_offset);
    item.partition_max_bytes = 1000000;
    if (fetch->has_epochs) {
        item.current_leader_epoch = fetch->current_leader_epoch;
        item.last_fetched_epoch = fetch->last_fetched_epoch;
    }
    topic.topic = (struct kw_string){"t", 1};
    topic.partitions.items = &item;
    topic.partitions.count = 1;
    request.replica_id = fetch->replica;
    request.max_wait_ms = fetch->max_wait_ms;
    request.min_bytes = 1;
    request.topics.items = &topic;
    request.topics.count = 1;
    harness_send(h, connection, KW_API_FETCH, 12, &request);
}

struct kw_fetch_response_partition follower_ask(struct harness *h, uint32_t connection,
                                                const struct follower_fetch *fetch)
{
    struct kw_fetch_response response;
    follower_send(h, connection, fetch);
    CU_ASSERT_TRUE_FATAL(harness_receive(h, connection, KW_API_FETCH, 12, &response, 60000000));
    return response.responses.items[0].partitions.items[0];
}

int16_t follower_fetch(struct harness *h, uint32_t connection, int32_t replica, int64_t offset)
{
    return follower_ask(h, connection, &(struct follower_fetch){.replica = replica, .offset = offset})
        .error_code;
}

struct mb_partition *follower_replica(struct harness *h, int32_t broker)
{
    struct mb_topic *topic = mb_topic_find(h->cluster, "t", 1);
    return mb_broker_of(h->cluster, broker)->hosted[mb_topic_partition_at(topic, 0)->number];
}

struct mb_remote *follower_remote(struct harness *h, int32_t leader, int32_t follower)
{
    return mb_partition_remote(follower_replica(h, leader), mb_broker_of(h->cluster, follower)->index);
}

int16_t follower_produce(struct harness *h, uint32_t connection)
{
    struct harness_batch one = {.records = 1, .value_bytes = 10};
    return harness_produce(h, connection, 0, 1, 1000, harness_batch(h, &one)).error_code;
}

uint32_t follower_open_alone(struct harness *h, const struct mb_setting *broker_settings,
                             const struct mb_setting *topic_settings)
{
    harness_open_simple(h, 3, 3, broker_settings, topic_settings);
    harness_run(h, 10000);
    mb_kill(h->cluster, 2, h->now_us);
    mb_kill(h->cluster, 3, h->now_us);
    harness_run(h, 8000000);
    CU_ASSERT_EQUAL_FATAL(harness_partition(h).isr_count, 1);
    return harness_connect(h, 1);
}
