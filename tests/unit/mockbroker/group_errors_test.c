/* What groups and their offsets refuse, and in which order they look. */

#include "transaction_client.h"
#include "unit.h"

#include <string.h>

static const struct kw_string nobody = {"", 0};
static const struct kw_string group_g = {"g", 1};

struct world {
    struct harness h;
    int32_t coordinator;
    uint32_t c;
};

static void world_open(struct world *w, uint32_t brokers)
{
    static const struct mb_setting settings[] = {
        {"transaction.state.log.num.partitions", "1"}, {"offsets.topic.num.partitions", "1"}, {NULL, NULL}};
    harness_open_simple(&w->h, brokers, (int32_t)brokers, settings, NULL);
    harness_run(&w->h, 10000);
    w->coordinator = find_coordinator(&w->h, 1, 0);
    harness_run(&w->h, 10000);
    w->c = harness_connect(&w->h, w->coordinator);
}

/* --- Requests --- */

struct join {
    struct kw_string group;
    struct kw_string member;
    const char *type;
    const char *wants;
    int32_t session_timeout_ms;
    int32_t protocols;
};

static const struct join plain = {{"g", 1}, {"", 0}, "consumer", "wants", 10000, 1};

static struct kw_join_group_response join(struct world *w, const struct join *join)
{
    struct kw_join_group_request request;
    struct kw_join_group_request_protocol protocol;
    struct kw_join_group_response response;
    kw_join_group_request_init(&request);
    kw_join_group_request_protocol_init(&protocol);
    protocol.name = (struct kw_string){"range", 5};
    protocol.metadata = (struct kw_bytes){(const uint8_t *)join->wants, (int32_t)strlen(join->wants)};
    request.group_id = join->group;
    request.session_timeout_ms = join->session_timeout_ms;
    request.rebalance_timeout_ms = 8000;
    request.member_id = join->member;
    request.protocol_type = (struct kw_string){join->type, (int32_t)strlen(join->type)};
    request.protocols.items = &protocol;
    request.protocols.count = join->protocols;
    harness_send(&w->h, w->c, KW_API_JOIN_GROUP, 7, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(&w->h, w->c, KW_API_JOIN_GROUP, 7, &response, 20000000));
    return response;
}

/* A member of "g" that has joined and not synced. */
static struct kw_join_group_response become_member(struct world *w)
{
    struct join again = plain;
    struct kw_join_group_response joined = join(w, &plain);
    CU_ASSERT_EQUAL(joined.error_code, KW_ERROR_MEMBER_ID_REQUIRED);
    again.member = joined.member_id;
    joined = join(w, &again);
    CU_ASSERT_EQUAL_FATAL(joined.error_code, 0);
    return joined;
}

static int32_t join_error(struct world *w, const struct join *asked)
{
    return join(w, asked).error_code;
}

static int32_t heartbeat(struct world *w, struct kw_string group, struct kw_string member, int32_t generation)
{
    struct kw_heartbeat_request request;
    struct kw_heartbeat_response response;
    kw_heartbeat_request_init(&request);
    request.group_id = group;
    request.generation_id = generation;
    request.member_id = member;
    harness_send(&w->h, w->c, KW_API_HEARTBEAT, 4, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(&w->h, w->c, KW_API_HEARTBEAT, 4, &response, 1000000));
    return response.error_code;
}

static int32_t sync_error(struct world *w, const struct kw_join_group_response *joined, const char *type,
                          const char *name)
{
    struct kw_sync_group_request request;
    struct kw_sync_group_response response;
    kw_sync_group_request_init(&request);
    request.group_id = group_g;
    request.generation_id = joined->generation_id;
    request.member_id = joined->member_id;
    if (type != NULL) {
        request.protocol_type = (struct kw_string){type, (int32_t)strlen(type)};
    }
    if (name != NULL) {
        request.protocol_name = (struct kw_string){name, (int32_t)strlen(name)};
    }
    harness_send(&w->h, w->c, KW_API_SYNC_GROUP, 5, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(&w->h, w->c, KW_API_SYNC_GROUP, 5, &response, 1000000));
    return response.error_code;
}

static int32_t leave(struct world *w, struct kw_string group, struct kw_string member)
{
    struct kw_leave_group_request request;
    struct kw_leave_group_response response;
    kw_leave_group_request_init(&request);
    request.group_id = group;
    request.member_id = member;
    harness_send(&w->h, w->c, KW_API_LEAVE_GROUP, 2, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(&w->h, w->c, KW_API_LEAVE_GROUP, 2, &response, 1000000));
    return response.error_code;
}

struct commit {
    struct kw_string group;
    struct kw_string member;
    int32_t generation;
    int32_t partition;
    int64_t offset;
    int32_t metadata_bytes;
};

static void send_commit(struct world *w, uint32_t c, const struct commit *commit)
{
    static char metadata[5000];
    struct kw_offset_commit_request request;
    struct kw_offset_commit_request_topic topic;
    struct kw_offset_commit_request_partition part;
    memset(metadata, 'm', sizeof metadata);
    kw_offset_commit_request_init(&request);
    kw_offset_commit_request_topic_init(&topic);
    kw_offset_commit_request_partition_init(&part);
    part.partition_index = commit->partition;
    part.committed_offset = commit->offset;
    part.committed_metadata = (struct kw_string){metadata, commit->metadata_bytes};
    topic.name = (struct kw_string){"t", 1};
    topic.partitions.items = &part;
    topic.partitions.count = 1;
    request.group_id = commit->group;
    request.generation_id = commit->generation;
    request.member_id = commit->member;
    request.topics.items = &topic;
    request.topics.count = 1;
    harness_send(&w->h, c, KW_API_OFFSET_COMMIT, 8, &request);
}

static int32_t commit_answer(struct world *w, uint32_t c)
{
    struct kw_offset_commit_response response;
    CU_ASSERT_TRUE_FATAL(harness_receive(&w->h, c, KW_API_OFFSET_COMMIT, 8, &response, 10000000));
    return response.topics.items[0].partitions.items[0].error_code;
}

static int32_t commit_error(struct world *w, const struct commit *commit)
{
    send_commit(w, w->c, commit);
    return commit_answer(w, w->c);
}

/* Of "t"-0; minus the error code when there is one. */
static int64_t stable_offset(struct world *w)
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
    request.group_id = group_g;
    request.topics.items = &topic;
    request.topics.count = 1;
    request.require_stable = true;
    harness_send(&w->h, w->c, KW_API_OFFSET_FETCH, 7, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(&w->h, w->c, KW_API_OFFSET_FETCH, 7, &response, 1000000));
    CU_ASSERT_EQUAL_FATAL(response.error_code, 0);
    const struct kw_offset_fetch_response_partition *answer = &response.topics.items[0].partitions.items[0];
    return answer->error_code != 0 ? -answer->error_code : answer->committed_offset;
}

static void send_txn_commit(struct world *w, int16_t version, const struct transaction_client *client,
                            struct kw_string group, int64_t offset)
{
    struct kw_txn_offset_commit_request request;
    struct kw_txn_offset_commit_request_topic topic;
    struct kw_txn_offset_commit_request_partition part;
    kw_txn_offset_commit_request_init(&request);
    kw_txn_offset_commit_request_topic_init(&topic);
    kw_txn_offset_commit_request_partition_init(&part);
    part.committed_offset = offset;
    topic.name = (struct kw_string){"t", 1};
    topic.partitions.items = &part;
    topic.partitions.count = 1;
    request.transactional_id = (struct kw_string){"tx", 2};
    request.group_id = group;
    request.producer_id = client->producer_id;
    request.producer_epoch = client->producer_epoch;
    request.topics.items = &topic;
    request.topics.count = 1;
    harness_send(&w->h, w->c, KW_API_TXN_OFFSET_COMMIT, version, &request);
}

static int32_t txn_commit_answer(struct world *w, int16_t version)
{
    struct kw_txn_offset_commit_response response;
    CU_ASSERT_TRUE_FATAL(
        harness_receive(&w->h, w->c, KW_API_TXN_OFFSET_COMMIT, version, &response, 10000000));
    return response.topics.items[0].partitions.items[0].error_code;
}

/* --- Members --- */

static void who_joins(void)
{
    struct world w;
    struct join bad = plain;
    world_open(&w, 1);
    /* The group's name, then the session, then whether the member is known, then what it can do. */
    bad.group = nobody;
    bad.session_timeout_ms = 1;
    CU_ASSERT_EQUAL(join_error(&w, &bad), KW_ERROR_INVALID_GROUP_ID);
    bad.group = group_g;
    bad.member = (struct kw_string){"x", 1};
    bad.protocols = 0;
    CU_ASSERT_EQUAL(join_error(&w, &bad), KW_ERROR_INVALID_SESSION_TIMEOUT);
    bad.session_timeout_ms = 10000;
    CU_ASSERT_EQUAL(join_error(&w, &bad), KW_ERROR_UNKNOWN_MEMBER_ID);
    bad.member = nobody;
    CU_ASSERT_EQUAL(join_error(&w, &bad), KW_ERROR_INCONSISTENT_GROUP_PROTOCOL);
    /* The group exists now. */
    bad = plain;
    bad.member = (struct kw_string){"x", 1};
    CU_ASSERT_EQUAL(join_error(&w, &bad), KW_ERROR_UNKNOWN_MEMBER_ID);
    bad = plain;
    bad.type = "";
    CU_ASSERT_EQUAL(join_error(&w, &bad), KW_ERROR_INCONSISTENT_GROUP_PROTOCOL);
    struct kw_join_group_response joined = become_member(&w);
    bad = plain;
    bad.protocols = 0;
    CU_ASSERT_EQUAL(join_error(&w, &bad), KW_ERROR_GROUP_MAX_SIZE_REACHED);
    bad = plain;
    bad.member = joined.member_id;
    bad.type = "connect";
    CU_ASSERT_EQUAL(join_error(&w, &bad), KW_ERROR_INCONSISTENT_GROUP_PROTOCOL);
    CU_ASSERT_EQUAL(heartbeat(&w, nobody, nobody, 0), KW_ERROR_INVALID_GROUP_ID);
    CU_ASSERT_EQUAL(leave(&w, nobody, nobody), KW_ERROR_INVALID_GROUP_ID);
    harness_close(&w.h);
}

/* An id is good for the session's time. */
static void ids_wait(void)
{
    struct world w;
    struct join again = plain;
    world_open(&w, 1);
    again.member = join(&w, &plain).member_id;
    harness_run(&w.h, 11000000);
    CU_ASSERT_EQUAL(join_error(&w, &again), KW_ERROR_UNKNOWN_MEMBER_ID);
    again.member = join(&w, &plain).member_id;
    CU_ASSERT_EQUAL(leave(&w, group_g, again.member), 0);
    CU_ASSERT_EQUAL(leave(&w, group_g, again.member), KW_ERROR_UNKNOWN_MEMBER_ID);
    CU_ASSERT_EQUAL(join_error(&w, &again), KW_ERROR_UNKNOWN_MEMBER_ID);
    /* Somebody else has one, too: the first rebalance does not wait for it, later ones do. */
    struct kw_string other = join(&w, &plain).member_id;
    struct kw_join_group_response joined = become_member(&w);
    CU_ASSERT_EQUAL(sync_error(&w, &joined, "consumer", "range"), 0);
    again.member = joined.member_id;
    int64_t before_us = w.h.now_us;
    CU_ASSERT_EQUAL(join_error(&w, &again), 0);
    CU_ASSERT_TRUE(w.h.now_us - before_us > 5000000); /* until that id is forgotten */
    CU_ASSERT_TRUE(w.h.now_us - before_us < 8000000);
    again.member = other;
    CU_ASSERT_EQUAL(join_error(&w, &again), KW_ERROR_GROUP_MAX_SIZE_REACHED);
    harness_close(&w.h);
}

static void joining_again(void)
{
    struct world w;
    struct join again = plain;
    world_open(&w, 1);
    struct kw_join_group_response joined = become_member(&w);
    int32_t generation = joined.generation_id;
    again.member = joined.member_id;
    CU_ASSERT_EQUAL(join(&w, &again).generation_id, generation); /* its answer was lost */
    again.wants = "more";
    CU_ASSERT_EQUAL(join(&w, &again).generation_id, generation + 1);
    joined.generation_id = generation + 1;
    CU_ASSERT_EQUAL(sync_error(&w, &joined, "consumer", "range"), 0);
    CU_ASSERT_EQUAL(join(&w, &again).generation_id, generation + 2); /* it leads */
    harness_close(&w.h);
}

static void syncing(void)
{
    struct world w;
    world_open(&w, 1);
    struct kw_join_group_response joined = become_member(&w);
    CU_ASSERT_EQUAL(sync_error(&w, &joined, NULL, "range"), KW_ERROR_INCONSISTENT_GROUP_PROTOCOL);
    CU_ASSERT_EQUAL(sync_error(&w, &joined, "consumer", NULL), KW_ERROR_INCONSISTENT_GROUP_PROTOCOL);
    CU_ASSERT_EQUAL(sync_error(&w, &joined, "connect", "range"), KW_ERROR_INCONSISTENT_GROUP_PROTOCOL);
    CU_ASSERT_EQUAL(sync_error(&w, &joined, "consumer", "sticky"), KW_ERROR_INCONSISTENT_GROUP_PROTOCOL);
    /* It has the time of a rebalance for it, heartbeats or not. */
    harness_run(&w.h, 7000000);
    CU_ASSERT_EQUAL(heartbeat(&w, group_g, joined.member_id, joined.generation_id), 0);
    harness_run(&w.h, 2000000);
    CU_ASSERT_EQUAL(heartbeat(&w, group_g, joined.member_id, joined.generation_id),
                    KW_ERROR_UNKNOWN_MEMBER_ID);
    harness_close(&w.h);
}

/* --- Offsets --- */

static void who_commits(void)
{
    struct world w;
    struct commit commit = {.group = group_g, .generation = -1, .metadata_bytes = 5000};
    world_open(&w, 1);
    commit.member = (struct kw_string){"x", 1};
    CU_ASSERT_EQUAL(commit_error(&w, &commit), KW_ERROR_UNKNOWN_MEMBER_ID);
    commit.partition = 9;
    CU_ASSERT_EQUAL(commit_error(&w, &commit), KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
    commit.partition = 0;
    commit.member = nobody;
    CU_ASSERT_EQUAL(commit_error(&w, &commit), KW_ERROR_OFFSET_METADATA_TOO_LARGE);
    commit.group = nobody; /* it is one, that has no members */
    commit.metadata_bytes = 1;
    CU_ASSERT_EQUAL(commit_error(&w, &commit), 0);
    struct kw_join_group_response joined = become_member(&w);
    commit.group = group_g;
    CU_ASSERT_EQUAL(commit_error(&w, &commit), KW_ERROR_UNKNOWN_MEMBER_ID);
    commit.member = joined.member_id;
    CU_ASSERT_EQUAL(commit_error(&w, &commit), KW_ERROR_ILLEGAL_GENERATION);
    commit.generation = joined.generation_id;
    CU_ASSERT_EQUAL(commit_error(&w, &commit), KW_ERROR_REBALANCE_IN_PROGRESS);
    CU_ASSERT_EQUAL(sync_error(&w, &joined, "consumer", "range"), 0);
    CU_ASSERT_EQUAL(commit_error(&w, &commit), 0);
    struct transaction_client nobodys = {.producer_id = 7};
    send_txn_commit(&w, 3, &nobodys, nobody, 1);
    CU_ASSERT_EQUAL(txn_commit_answer(&w, 3), KW_ERROR_INVALID_GROUP_ID);
    harness_close(&w.h);
}

/* A commit that is being replicated is unstable; in the end it has timed out. */
static void commits_take_time(void)
{
    struct world w;
    struct commit commit = {.group = group_g, .generation = -1, .offset = 10};
    world_open(&w, 3);
    CU_ASSERT_EQUAL(commit_error(&w, &commit), 0);
    CU_ASSERT_EQUAL(stable_offset(&w), 10);
    harness_cut(&w.h, w.coordinator, w.coordinator % 3 + 1);
    commit.offset = 20;
    uint32_t other = harness_connect(&w.h, w.coordinator);
    send_commit(&w, other, &commit);
    harness_run(&w.h, 1000000);
    CU_ASSERT_EQUAL(stable_offset(&w), -KW_ERROR_UNSTABLE_OFFSET_COMMIT);
    CU_ASSERT_EQUAL(commit_answer(&w, other), KW_ERROR_REQUEST_TIMED_OUT);
    CU_ASSERT_EQUAL(stable_offset(&w), 10);
    harness_close(&w.h);
}

/* The later one in the log counts, whenever its transaction ends. */
static void later_commits_count(void)
{
    struct world w;
    struct transaction_client client;
    struct commit commit = {.group = group_g, .generation = -1, .offset = 30};
    world_open(&w, 1);
    client_open(&client, &w.h, 1);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    struct kw_add_offsets_to_txn_request add;
    struct kw_add_offsets_to_txn_response added;
    kw_add_offsets_to_txn_request_init(&add);
    add.transactional_id = (struct kw_string){"tx", 2};
    add.producer_id = client.producer_id;
    add.producer_epoch = client.producer_epoch;
    add.group_id = group_g;
    harness_send(&w.h, client.coordinator, KW_API_ADD_OFFSETS_TO_TXN, 3, &add);
    CU_ASSERT_TRUE_FATAL(
        harness_receive(&w.h, client.coordinator, KW_API_ADD_OFFSETS_TO_TXN, 3, &added, 10000000));
    CU_ASSERT_EQUAL(added.error_code, 0);
    send_txn_commit(&w, 3, &client, group_g, 20);
    CU_ASSERT_EQUAL(txn_commit_answer(&w, 3), 0);
    CU_ASSERT_EQUAL(commit_error(&w, &commit), 0);
    CU_ASSERT_EQUAL(stable_offset(&w), -KW_ERROR_UNSTABLE_OFFSET_COMMIT);
    CU_ASSERT_EQUAL(client_end(&client, true), 0);
    harness_run(&w.h, 1000000);
    CU_ASSERT_EQUAL(stable_offset(&w), 30);
    harness_close(&w.h);
}

/* While the coordinator reads its log: members are kept waiting, or told to join anew. */
static void a_loading_coordinator(void)
{
    struct world w;
    world_open(&w, 2);
    struct transaction_client nobodys = {.producer_id = 7};
    struct kw_join_group_response joined = {.member_id = {"x", 1}, .generation_id = 1};
    int32_t other = w.coordinator % 2 + 1;
    w.c = harness_connect(&w.h, other);
    CU_ASSERT_EQUAL(heartbeat(&w, group_g, joined.member_id, 1), KW_ERROR_NOT_COORDINATOR);
    CU_ASSERT_TRUE_FATAL(mb_kill(w.h.cluster, w.coordinator, w.h.now_us));
    w.h.latency_us = 10;
    struct mb_partition_view view;
    do {
        harness_run(&w.h, 100);
        CU_ASSERT_TRUE_FATAL(mb_partition_view(w.h.cluster, "__consumer_offsets", 0, &view));
    } while (view.leader != other && w.h.now_us < 90000000);
    int32_t error = KW_ERROR_NOT_COORDINATOR;
    for (int i = 0; i < 10000 && error == KW_ERROR_NOT_COORDINATOR; i++) {
        error = heartbeat(&w, group_g, joined.member_id, 1);
    }
    CU_ASSERT_EQUAL(error, 0);
    CU_ASSERT_EQUAL(sync_error(&w, &joined, "consumer", "range"), KW_ERROR_REBALANCE_IN_PROGRESS);
    CU_ASSERT_EQUAL(join_error(&w, &plain), KW_ERROR_COORDINATOR_LOAD_IN_PROGRESS);
    send_txn_commit(&w, 2, &nobodys, group_g, 1);
    CU_ASSERT_EQUAL(txn_commit_answer(&w, 2), KW_ERROR_COORDINATOR_LOAD_IN_PROGRESS);
    send_txn_commit(&w, 1, &nobodys, group_g, 1);
    CU_ASSERT_EQUAL(txn_commit_answer(&w, 1), KW_ERROR_COORDINATOR_NOT_AVAILABLE);
    harness_run(&w.h, 2000);
    CU_ASSERT_EQUAL(heartbeat(&w, group_g, joined.member_id, 1), KW_ERROR_UNKNOWN_MEMBER_ID);
    harness_close(&w.h);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"who joins", who_joins},
        {"ids wait", ids_wait},
        {"joining again", joining_again},
        {"syncing", syncing},
        {"who commits", who_commits},
        {"commits take time", commits_take_time},
        {"later commits count", later_commits_count},
        {"a loading coordinator", a_loading_coordinator},
        {0},
    };
    return unit_main("mockbroker group errors", tests);
}
