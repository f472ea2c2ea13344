/* Groups of one member, committed offsets with and without a transaction, and CreateTopics. */

#include "transaction_client.h"
#include "unit.h"

#include <string.h>

static const struct mb_setting few_partitions[] = {
    {"transaction.state.log.num.partitions", "3"}, {"offsets.topic.num.partitions", "3"}, {NULL, NULL}};
static const struct kw_string group_id = {"g", 1};

static uint32_t open_group(struct harness *h, uint32_t brokers, int32_t *broker)
{
    harness_open_simple(h, brokers, (int32_t)brokers, few_partitions, NULL);
    harness_run(h, 10000);
    *broker = find_coordinator(h, 1, 0);
    harness_run(h, 10000);
    return harness_connect(h, *broker);
}

static struct kw_join_group_response join(struct harness *h, uint32_t c, struct kw_string member)
{
    struct kw_join_group_request request;
    struct kw_join_group_request_protocol protocol;
    struct kw_join_group_response response;
    kw_join_group_request_init(&request);
    kw_join_group_request_protocol_init(&protocol);
    protocol.name = (struct kw_string){"range", 5};
    protocol.metadata = (struct kw_bytes){(const uint8_t *)"wants", 5};
    request.group_id = group_id;
    request.session_timeout_ms = 10000;
    request.rebalance_timeout_ms = 60000;
    request.member_id = member;
    request.protocol_type = (struct kw_string){"consumer", 8};
    request.protocols.items = &protocol;
    request.protocols.count = 1;
    harness_send(h, c, KW_API_JOIN_GROUP, 7, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(h, c, KW_API_JOIN_GROUP, 7, &response, 10000000));
    return response;
}

static int32_t heartbeat(struct harness *h, uint32_t c, struct kw_string member, int32_t generation)
{
    struct kw_heartbeat_request request;
    struct kw_heartbeat_response response;
    kw_heartbeat_request_init(&request);
    request.group_id = group_id;
    request.generation_id = generation;
    request.member_id = member;
    harness_send(h, c, KW_API_HEARTBEAT, 4, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(h, c, KW_API_HEARTBEAT, 4, &response, 1000000));
    return response.error_code;
}

static struct kw_sync_group_response sync_group(struct harness *h, uint32_t c, struct kw_string member,
                                                int32_t generation)
{
    struct kw_sync_group_request request;
    struct kw_sync_group_request_assignment assignment;
    struct kw_sync_group_response response;
    kw_sync_group_request_init(&request);
    kw_sync_group_request_assignment_init(&assignment);
    assignment.member_id = member;
    assignment.assignment = (struct kw_bytes){(const uint8_t *)"t-0", 3};
    request.group_id = group_id;
    request.generation_id = generation;
    request.member_id = member;
    request.protocol_type = (struct kw_string){"consumer", 8};
    request.protocol_name = (struct kw_string){"range", 5};
    request.assignments.items = &assignment;
    request.assignments.count = 1;
    harness_send(h, c, KW_API_SYNC_GROUP, 5, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(h, c, KW_API_SYNC_GROUP, 5, &response, 1000000));
    return response;
}

static void a_member_comes_and_goes(void)
{
    struct harness h;
    int32_t broker;
    uint32_t c = open_group(&h, 1, &broker);
    struct kw_join_group_response joined = join(&h, c, (struct kw_string){"", 0});
    CU_ASSERT_EQUAL(joined.error_code, KW_ERROR_MEMBER_ID_REQUIRED);
    struct kw_string member = joined.member_id;
    int64_t before_us = h.now_us;
    joined = join(&h, c, member);
    CU_ASSERT_EQUAL_FATAL(joined.error_code, 0);
    CU_ASSERT_TRUE(h.now_us - before_us >= 3000000); /* an empty group waits for more */
    CU_ASSERT_EQUAL_FATAL(joined.members.count, 1);
    CU_ASSERT_EQUAL(joined.leader.length_bytes, member.length_bytes);
    CU_ASSERT_EQUAL(memcmp(joined.members.items[0].metadata.bytes, "wants", 5), 0);
    CU_ASSERT_EQUAL(memcmp(joined.protocol_name.data, "range", 5), 0);
    int32_t generation = joined.generation_id;
    struct kw_sync_group_response synced = sync_group(&h, c, member, generation);
    CU_ASSERT_EQUAL(synced.error_code, 0);
    CU_ASSERT_EQUAL_FATAL(synced.assignment.length_bytes, 3);
    CU_ASSERT_EQUAL(memcmp(synced.assignment.bytes, "t-0", 3), 0);
    CU_ASSERT_EQUAL(heartbeat(&h, c, member, generation), 0);
    CU_ASSERT_EQUAL(heartbeat(&h, c, member, generation + 1), KW_ERROR_ILLEGAL_GENERATION);
    CU_ASSERT_EQUAL(heartbeat(&h, c, (struct kw_string){"x", 1}, generation), KW_ERROR_UNKNOWN_MEMBER_ID);
    CU_ASSERT_EQUAL(join(&h, c, (struct kw_string){"x", 1}).error_code, KW_ERROR_GROUP_MAX_SIZE_REACHED);
    /* Joining once more is a rebalance without waiting. */
    before_us = h.now_us;
    joined = join(&h, c, member);
    CU_ASSERT_EQUAL(joined.generation_id, generation + 1);
    CU_ASSERT_TRUE(h.now_us - before_us < 100000);
    CU_ASSERT_EQUAL(sync_group(&h, c, member, generation).error_code, KW_ERROR_ILLEGAL_GENERATION);
    CU_ASSERT_EQUAL(sync_group(&h, c, member, generation + 1).error_code, 0);
    /* Silence ends it. */
    harness_run(&h, 9000000);
    CU_ASSERT_EQUAL(heartbeat(&h, c, member, generation + 1), 0);
    harness_run(&h, 11000000);
    CU_ASSERT_EQUAL(heartbeat(&h, c, member, generation + 1), KW_ERROR_UNKNOWN_MEMBER_ID);
    /* So does a word. */
    member = join(&h, c, (struct kw_string){"", 0}).member_id;
    joined = join(&h, c, member);
    struct kw_leave_group_request request;
    struct kw_leave_group_request_member leaving;
    struct kw_leave_group_response left;
    kw_leave_group_request_init(&request);
    kw_leave_group_request_member_init(&leaving);
    leaving.member_id = member;
    request.group_id = group_id;
    request.members.items = &leaving;
    request.members.count = 1;
    harness_send(&h, c, KW_API_LEAVE_GROUP, 4, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_LEAVE_GROUP, 4, &left, 1000000));
    CU_ASSERT_EQUAL(left.members.items[0].error_code, 0);
    CU_ASSERT_EQUAL(heartbeat(&h, c, member, joined.generation_id), KW_ERROR_UNKNOWN_MEMBER_ID);
    harness_close(&h);
}

static int32_t commit(struct harness *h, uint32_t c, int32_t generation, int32_t partition, int64_t offset)
{
    struct kw_offset_commit_request request;
    struct kw_offset_commit_request_topic topic;
    struct kw_offset_commit_request_partition part;
    struct kw_offset_commit_response response;
    kw_offset_commit_request_init(&request);
    kw_offset_commit_request_topic_init(&topic);
    kw_offset_commit_request_partition_init(&part);
    part.partition_index = partition;
    part.committed_offset = offset;
    part.committed_metadata = (struct kw_string){"note", 4};
    topic.name = (struct kw_string){"t", 1};
    topic.partitions.items = &part;
    topic.partitions.count = 1;
    request.group_id = group_id;
    request.generation_id = generation;
    request.topics.items = &topic;
    request.topics.count = 1;
    harness_send(h, c, KW_API_OFFSET_COMMIT, 8, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(h, c, KW_API_OFFSET_COMMIT, 8, &response, 10000000));
    return response.topics.items[0].partitions.items[0].error_code;
}

/* The offset of "t"-0; minus the error code - 1000 when there is one. */
static int64_t fetch_offset(struct harness *h, uint32_t c, bool require_stable, bool all)
{
    struct kw_offset_fetch_request request;
    struct kw_offset_fetch_request_topic topic;
    struct kw_offset_fetch_response response;
    int32_t partition = 0;
    kw_offset_fetch_request_init(&request);
    kw_offset_fetch_request_topic_init(&topic);
    topic.name = (struct kw_string){"t", 1};
    topic.partition_indexes.items = &partition;
    topic.partition_indexes.count = 1;
    request.group_id = group_id;
    request.topics.items = &topic;
    request.topics.count = all ? -1 : 1;
    request.require_stable = require_stable;
    harness_send(h, c, KW_API_OFFSET_FETCH, 7, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(h, c, KW_API_OFFSET_FETCH, 7, &response, 1000000));
    if (response.error_code != 0 || response.topics.count == 0) {
        return -1000 - response.error_code;
    }
    const struct kw_offset_fetch_response_partition *answer = &response.topics.items[0].partitions.items[0];
    return answer->error_code != 0 ? -1000 - answer->error_code : answer->committed_offset;
}

static void offsets_are_kept(void)
{
    struct harness h;
    int32_t broker;
    uint32_t c = open_group(&h, 3, &broker);
    CU_ASSERT_EQUAL(fetch_offset(&h, c, false, false), -1);
    CU_ASSERT_EQUAL(fetch_offset(&h, c, false, true), -1000); /* nothing at all */
    CU_ASSERT_EQUAL(commit(&h, c, -1, 9, 1), KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
    CU_ASSERT_EQUAL(commit(&h, c, 5, 0, 1), KW_ERROR_ILLEGAL_GENERATION);
    CU_ASSERT_EQUAL(commit(&h, c, -1, 0, 41), 0);
    CU_ASSERT_EQUAL(commit(&h, c, -1, 0, 42), 0);
    CU_ASSERT_EQUAL(fetch_offset(&h, c, false, false), 42);
    CU_ASSERT_EQUAL(fetch_offset(&h, c, true, true), 42);
    uint32_t wrong = harness_connect(&h, broker % 3 + 1);
    CU_ASSERT_EQUAL(fetch_offset(&h, wrong, false, false), -1000 - KW_ERROR_NOT_COORDINATOR);
    /* They are in a log, and survive their broker. */
    mb_kill(h.cluster, broker, h.now_us);
    harness_run(&h, 8000000);
    broker = find_coordinator(&h, broker % 3 + 1, 0);
    c = harness_connect(&h, broker);
    CU_ASSERT_EQUAL(fetch_offset(&h, c, false, false), 42);
    harness_close(&h);
}

static int32_t commit_in_transaction(struct transaction_client *client, uint32_t c, int64_t offset)
{
    struct kw_add_offsets_to_txn_request add;
    struct kw_add_offsets_to_txn_response added;
    kw_add_offsets_to_txn_request_init(&add);
    add.transactional_id = (struct kw_string){"tx", 2};
    add.producer_id = client->producer_id;
    add.producer_epoch = client->producer_epoch;
    add.group_id = group_id;
    harness_send(client->h, client->coordinator, KW_API_ADD_OFFSETS_TO_TXN, 3, &add);
    CU_ASSERT_TRUE_FATAL(
        harness_receive(client->h, client->coordinator, KW_API_ADD_OFFSETS_TO_TXN, 3, &added, 10000000));
    CU_ASSERT_EQUAL(added.error_code, 0);
    struct kw_txn_offset_commit_request request;
    struct kw_txn_offset_commit_request_topic topic;
    struct kw_txn_offset_commit_request_partition part;
    struct kw_txn_offset_commit_response response;
    kw_txn_offset_commit_request_init(&request);
    kw_txn_offset_commit_request_topic_init(&topic);
    kw_txn_offset_commit_request_partition_init(&part);
    part.committed_offset = offset;
    topic.name = (struct kw_string){"t", 1};
    topic.partitions.items = &part;
    topic.partitions.count = 1;
    request.transactional_id = add.transactional_id;
    request.group_id = group_id;
    request.producer_id = client->producer_id;
    request.producer_epoch = client->producer_epoch;
    request.topics.items = &topic;
    request.topics.count = 1;
    harness_send(client->h, c, KW_API_TXN_OFFSET_COMMIT, 3, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(client->h, c, KW_API_TXN_OFFSET_COMMIT, 3, &response, 10000000));
    return response.topics.items[0].partitions.items[0].error_code;
}

static void offsets_of_a_transaction(void)
{
    struct harness h;
    struct transaction_client client;
    int32_t broker;
    uint32_t c = open_group(&h, 3, &broker);
    client_open(&client, &h, 1);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    CU_ASSERT_EQUAL(commit(&h, c, -1, 0, 10), 0);
    CU_ASSERT_EQUAL(commit_in_transaction(&client, c, 20), 0);
    CU_ASSERT_EQUAL(fetch_offset(&h, c, false, false), 10);
    CU_ASSERT_EQUAL(fetch_offset(&h, c, true, false), -1000 - KW_ERROR_UNSTABLE_OFFSET_COMMIT);
    CU_ASSERT_EQUAL(client_end(&client, false), 0);
    harness_run(&h, 2000000);
    CU_ASSERT_EQUAL(fetch_offset(&h, c, true, false), 10);
    CU_ASSERT_EQUAL(commit_in_transaction(&client, c, 30), 0);
    CU_ASSERT_EQUAL(client_end(&client, true), 0);
    harness_run(&h, 2000000);
    CU_ASSERT_EQUAL(fetch_offset(&h, c, true, false), 30);
    /* What the log says is what a new coordinator reads: committed, aborted, and still open. */
    CU_ASSERT_EQUAL(commit_in_transaction(&client, c, 40), 0);
    CU_ASSERT_TRUE_FATAL(mb_kill(h.cluster, broker, h.now_us));
    harness_run(&h, 8000000);
    c = harness_connect(&h, find_coordinator(&h, broker % 3 + 1, 0));
    CU_ASSERT_EQUAL(fetch_offset(&h, c, false, false), 30);
    CU_ASSERT_EQUAL(fetch_offset(&h, c, true, false), -1000 - KW_ERROR_UNSTABLE_OFFSET_COMMIT);
    harness_close(&h);
}

static void topics_are_looked_at_in_order(void)
{
    static const char *const names[] = {"twice", "t", "bad name", "bad name", "a.b", "n", "twice"};
    static const int32_t errors[] = {KW_ERROR_INVALID_REQUEST,    KW_ERROR_TOPIC_ALREADY_EXISTS,
                                     KW_ERROR_INVALID_REQUEST,    KW_ERROR_INVALID_REQUEST,
                                     KW_ERROR_INVALID_PARTITIONS, KW_ERROR_INVALID_REQUEST,
                                     KW_ERROR_INVALID_REQUEST};
    struct harness h;
    struct kw_create_topics_request request;
    struct kw_create_topics_request_topic topics[7];
    struct kw_create_topics_request_config null_config;
    struct kw_create_topics_response response;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    kw_create_topics_request_init(&request);
    kw_create_topics_request_config_init(&null_config);
    null_config.name = (struct kw_string){"segment.bytes", 13};
    null_config.value = (struct kw_string){NULL, -1};
    for (int i = 0; i < 7; i++) {
        kw_create_topics_request_topic_init(&topics[i]);
        topics[i].name = (struct kw_string){names[i], (int32_t)strlen(names[i])};
        topics[i].num_partitions = 0;
        topics[i].replication_factor = 1;
    }
    topics[5].num_partitions = 1;
    topics[5].configs.items = &null_config;
    topics[5].configs.count = 1;
    request.topics.items = topics;
    request.topics.count = 7;
    harness_send(&h, c, KW_API_CREATE_TOPICS, 7, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_CREATE_TOPICS, 7, &response, 1000000));
    for (int i = 0; i < 7; i++) {
        CU_ASSERT_EQUAL(response.topics.items[i].error_code, errors[i]);
    }
    /* "." and "_" are one and the same in the names of metrics. Who does not wait is told so. */
    request.topics.count = 1;
    topics[0] = topics[4];
    topics[0].num_partitions = 1;
    request.timeout_ms = 0;
    harness_send(&h, c, KW_API_CREATE_TOPICS, 7, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_CREATE_TOPICS, 7, &response, 1000000));
    CU_ASSERT_EQUAL(response.topics.items[0].error_code, KW_ERROR_REQUEST_TIMED_OUT);
    harness_run(&h, 100000);
    CU_ASSERT_EQUAL(mb_topic_partition_count(h.cluster, "a.b"), 1);
    topics[0].name = (struct kw_string){"a_b", 3};
    harness_send(&h, c, KW_API_CREATE_TOPICS, 7, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_CREATE_TOPICS, 7, &response, 1000000));
    CU_ASSERT_EQUAL(response.topics.items[0].error_code, KW_ERROR_INVALID_TOPIC_EXCEPTION);
    harness_close(&h);
}

static struct kw_create_topics_response_topic create(struct harness *h, uint32_t c, const char *name,
                                                     int32_t partitions, int16_t factor, const char *setting,
                                                     const char *value)
{
    struct kw_create_topics_request request;
    struct kw_create_topics_request_topic topic;
    struct kw_create_topics_request_config config;
    struct kw_create_topics_response response;
    kw_create_topics_request_init(&request);
    kw_create_topics_request_topic_init(&topic);
    kw_create_topics_request_config_init(&config);
    config.name = (struct kw_string){setting, (int32_t)strlen(setting)};
    config.value = (struct kw_string){value, (int32_t)strlen(value)};
    topic.name = (struct kw_string){name, (int32_t)strlen(name)};
    topic.num_partitions = partitions;
    topic.replication_factor = factor;
    topic.configs.items = &config;
    topic.configs.count = 1;
    request.topics.items = &topic;
    request.topics.count = 1;
    harness_send(h, c, KW_API_CREATE_TOPICS, 7, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(h, c, KW_API_CREATE_TOPICS, 7, &response, 1000000));
    return response.topics.items[0];
}

static void topics_are_created(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    uint32_t other = harness_connect(&h, 2);
    CU_ASSERT_EQUAL(create(&h, other, "n", 2, 2, "min.insync.replicas", "2").error_code,
                    KW_ERROR_NOT_CONTROLLER);
    CU_ASSERT_EQUAL(create(&h, c, "t", 2, 2, "min.insync.replicas", "2").error_code,
                    KW_ERROR_TOPIC_ALREADY_EXISTS);
    CU_ASSERT_EQUAL(create(&h, c, "a b", 2, 2, "min.insync.replicas", "2").error_code,
                    KW_ERROR_INVALID_TOPIC_EXCEPTION);
    CU_ASSERT_EQUAL(create(&h, c, "n", 0, 2, "min.insync.replicas", "2").error_code,
                    KW_ERROR_INVALID_PARTITIONS);
    CU_ASSERT_EQUAL(create(&h, c, "n", 2, 4, "min.insync.replicas", "2").error_code,
                    KW_ERROR_INVALID_REPLICATION_FACTOR);
    CU_ASSERT_EQUAL(create(&h, c, "n", 2, 2, "min.insync.replicas", "two").error_code,
                    KW_ERROR_INVALID_CONFIG);
    struct kw_create_topics_response_topic made = create(&h, c, "n", 2, 2, "min.insync.replicas", "2");
    CU_ASSERT_EQUAL(made.error_code, 0);
    CU_ASSERT_EQUAL(made.num_partitions, 2);
    harness_run(&h, 100000);
    struct mb_partition_view view;
    CU_ASSERT_EQUAL(mb_topic_partition_count(h.cluster, "n"), 2);
    CU_ASSERT_TRUE(mb_partition_view(h.cluster, "n", 1, &view));
    CU_ASSERT_EQUAL(view.replica_count, 2);
    harness_close(&h);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"a member comes and goes", a_member_comes_and_goes},
        {"offsets are kept", offsets_are_kept},
        {"offsets of a transaction", offsets_of_a_transaction},
        {"topics are created", topics_are_created},
        {"topics are looked at in order", topics_are_looked_at_in_order},
        {0},
    };
    return unit_main("mockbroker groups", tests);
}
