/* Rules 23 to 25: what each transactional request is told, in each version and in each state. */

#include "transaction_client.h"
#include "unit.h"

#include <string.h>

static const struct mb_setting few_partitions[] = {{"transaction.state.log.num.partitions", "5"},
                                                   {"offsets.topic.num.partitions", "3"},
                                                   {"transaction.max.timeout.ms", "50000"},
                                                   {NULL, NULL}};
static const struct mb_setting kafkas[] = {
    {"transaction.state.log.num.partitions", "5"}, {"offsets.topic.num.partitions", "3"}, {NULL, NULL}};

static void open_cluster(struct harness *h, struct transaction_client *client,
                         const struct mb_setting *settings)
{
    harness_open_simple(h, 1, 1, settings, NULL);
    harness_run(h, 10000);
    client_open(client, h, 1);
}

static int32_t init_as(struct transaction_client *client, int16_t version, struct kw_string id,
                       int32_t timeout_ms, int64_t producer_id, int16_t epoch)
{
    struct kw_init_producer_id_request request;
    struct kw_init_producer_id_response response;
    kw_init_producer_id_request_init(&request);
    request.transactional_id = id;
    request.transaction_timeout_ms = timeout_ms;
    request.producer_id = producer_id;
    request.producer_epoch = epoch;
    harness_send(client->h, client->coordinator, KW_API_INIT_PRODUCER_ID, version, &request);
    return harness_receive(client->h, client->coordinator, KW_API_INIT_PRODUCER_ID, version, &response,
                           20000000)
               ? response.error_code
               : HARNESS_NO_ANSWER;
}

/* The errors of two partitions, of topics that may be others than "t". */
static void add_as(struct transaction_client *client, int16_t version, struct kw_string id,
                   const char *const topics[2], const int32_t partitions[2], int32_t errors[2])
{
    struct kw_add_partitions_to_txn_request request;
    struct kw_add_partitions_to_txn_request_topic items[2];
    struct kw_add_partitions_to_txn_response response;
    kw_add_partitions_to_txn_request_init(&request);
    for (int i = 0; i < 2; i++) {
        kw_add_partitions_to_txn_request_topic_init(&items[i]);
        items[i].name = (struct kw_string){topics[i], (int32_t)strlen(topics[i])};
        items[i].partitions.items = (int32_t *)&partitions[i];
        items[i].partitions.count = 1;
    }
    request.transactional_id = id;
    request.producer_id = client->producer_id;
    request.producer_epoch = client->producer_epoch;
    request.topics.items = items;
    request.topics.count = 2;
    harness_send(client->h, client->coordinator, KW_API_ADD_PARTITIONS_TO_TXN, version, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(client->h, client->coordinator, KW_API_ADD_PARTITIONS_TO_TXN,
                                         version, &response, 20000000));
    for (int i = 0; i < 2; i++) {
        errors[i] = response.results.items[i].results.items[0].error_code;
    }
}

static int32_t add_offsets_as(struct transaction_client *client, int16_t version)
{
    struct kw_add_offsets_to_txn_request request;
    struct kw_add_offsets_to_txn_response response;
    kw_add_offsets_to_txn_request_init(&request);
    request.transactional_id = (struct kw_string){"tx", 2};
    request.producer_id = client->producer_id;
    request.producer_epoch = client->producer_epoch;
    request.group_id = (struct kw_string){"g", 1};
    harness_send(client->h, client->coordinator, KW_API_ADD_OFFSETS_TO_TXN, version, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(client->h, client->coordinator, KW_API_ADD_OFFSETS_TO_TXN, version,
                                         &response, 20000000));
    return response.error_code;
}

static int32_t end_as(struct transaction_client *client, int16_t version, struct kw_string id, bool is_commit)
{
    struct kw_end_txn_request request;
    struct kw_end_txn_response response;
    kw_end_txn_request_init(&request);
    request.transactional_id = id;
    request.producer_id = client->producer_id;
    request.producer_epoch = client->producer_epoch;
    request.committed = is_commit;
    harness_send(client->h, client->coordinator, KW_API_END_TXN, version, &request);
    CU_ASSERT_TRUE_FATAL(
        harness_receive(client->h, client->coordinator, KW_API_END_TXN, version, &response, 20000000));
    return response.error_code;
}

static const char *const both_t[] = {"t", "t"};
static const int32_t zeros[] = {0, 0};
static const struct kw_string tx = {"tx", 2};

/* Old clients do not know PRODUCER_FENCED (90): they are told 47. */
static void fenced_by_version(void)
{
    struct harness h;
    struct transaction_client client;
    open_cluster(&h, &client, kafkas);
    (void)find_coordinator(&h, 1, 0);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    struct transaction_client old = client;
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    for (int16_t version = 0; version <= 3; version++) {
        int32_t fenced = version < 2 ? KW_ERROR_INVALID_PRODUCER_EPOCH : KW_ERROR_PRODUCER_FENCED;
        int32_t errors[2];
        add_as(&old, version, tx, both_t, zeros, errors);
        CU_ASSERT_EQUAL(errors[0], fenced);
        CU_ASSERT_EQUAL(errors[1], fenced);
        CU_ASSERT_EQUAL(add_offsets_as(&old, version), fenced);
        CU_ASSERT_EQUAL(end_as(&old, version, tx, true), fenced);
        CU_ASSERT_EQUAL(end_as(&old, version, tx, false), fenced);
    }
    CU_ASSERT_EQUAL(init_as(&client, 3, tx, 60000, old.producer_id, old.producer_epoch),
                    KW_ERROR_INVALID_PRODUCER_EPOCH);
    CU_ASSERT_EQUAL(init_as(&client, 4, tx, 60000, old.producer_id, old.producer_epoch),
                    KW_ERROR_PRODUCER_FENCED);
    /* One that is ahead is no better. */
    old.producer_epoch = (int16_t)(client.producer_epoch + 1);
    CU_ASSERT_EQUAL(end_as(&old, 3, tx, true), KW_ERROR_PRODUCER_FENCED);
    harness_close(&h);
}

/* Nobody's id, another producer's, an empty one; half an identity. */
static void who_is_asking(void)
{
    struct harness h;
    struct transaction_client client;
    int32_t errors[2];
    open_cluster(&h, &client, kafkas);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    /* "tx" and "xt3" are coordinated by the same broker: there is only one. */
    add_as(&client, 3, (struct kw_string){"xt3", 3}, both_t, zeros, errors);
    CU_ASSERT_EQUAL(errors[0], KW_ERROR_INVALID_PRODUCER_ID_MAPPING);
    CU_ASSERT_EQUAL(end_as(&client, 3, (struct kw_string){"xt3", 3}, true),
                    KW_ERROR_INVALID_PRODUCER_ID_MAPPING);
    client.producer_id += 1;
    for (int16_t version = 0; version <= 3; version++) {
        add_as(&client, version, tx, both_t, zeros, errors);
        CU_ASSERT_EQUAL(errors[1], KW_ERROR_INVALID_PRODUCER_ID_MAPPING);
        CU_ASSERT_EQUAL(end_as(&client, version, tx, true), KW_ERROR_INVALID_PRODUCER_ID_MAPPING);
    }
    client.producer_id -= 1;
    struct kw_string empty = {"", 0};
    add_as(&client, 3, empty, both_t, zeros, errors);
    CU_ASSERT_EQUAL(errors[0], KW_ERROR_INVALID_REQUEST);
    CU_ASSERT_EQUAL(end_as(&client, 3, empty, true), KW_ERROR_INVALID_REQUEST);
    CU_ASSERT_EQUAL(init_as(&client, 4, empty, 60000, -1, -1), KW_ERROR_INVALID_REQUEST);
    CU_ASSERT_EQUAL(init_as(&client, 4, tx, 60000, client.producer_id, -1), KW_ERROR_INVALID_REQUEST);
    CU_ASSERT_EQUAL(init_as(&client, 4, tx, 60000, -1, client.producer_epoch), KW_ERROR_INVALID_REQUEST);
    harness_close(&h);
}

/* A transaction has all of the partitions or none of them. */
static void one_bad_partition_keeps_all_out(void)
{
    struct harness h;
    struct transaction_client client;
    int32_t errors[2];
    open_cluster(&h, &client, kafkas);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    static const char *const topics[][2] = {
        {"t", "nobody"}, {"t", "__consumer_offsets"}, {"t", "__transaction_state"}, {"t", "t"}};
    static const int32_t partitions[][2] = {{0, 0}, {0, 0}, {0, 99}, {0, 7}};
    static const int32_t wanted[] = {KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION, KW_ERROR_TOPIC_AUTHORIZATION_FAILED,
                                     KW_ERROR_TOPIC_AUTHORIZATION_FAILED,
                                     KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION};
    for (int i = 0; i < 4; i++) {
        add_as(&client, 3, tx, topics[i], partitions[i], errors);
        CU_ASSERT_EQUAL(errors[0], KW_ERROR_OPERATION_NOT_ATTEMPTED);
        CU_ASSERT_EQUAL(errors[1], wanted[i]);
    }
    CU_ASSERT_EQUAL(client_end(&client, true), KW_ERROR_INVALID_TXN_STATE); /* nothing has begun */
    harness_close(&h);
}

/* While the decision is logged and the markers are not written: the same end again is to wait, the other is
 * wrong. */
static void between_decision_and_completion(void)
{
    struct harness h;
    struct transaction_client client;
    harness_open_simple(&h, 4, 1, kafkas, NULL); /* "t" is on broker 1, the coordinator's log is not */
    harness_run(&h, 10000);
    client_open(&client, &h, 1);
    CU_ASSERT_NOT_EQUAL_FATAL(client.broker, 1);
    for (int commit = 0; commit < 2; commit++) {
        CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
        CU_ASSERT_EQUAL(client_add_partition(&client, 0), 0);
        for (int32_t broker = 2; broker <= 4; broker++) {
            harness_cut(&h, broker, 1);
        }
        CU_ASSERT_EQUAL(client_end(&client, commit), 0);
        int32_t opposite = client_end(&client, !commit);
        int32_t same = client_end(&client, commit);
        /* The completion is pending, which comes before the state. Kafka: pendingTransitionInProgress. */
        CU_ASSERT_EQUAL(opposite, KW_ERROR_CONCURRENT_TRANSACTIONS);
        CU_ASSERT_EQUAL(same, KW_ERROR_CONCURRENT_TRANSACTIONS);
        CU_ASSERT_EQUAL(client_add_partition(&client, 0), KW_ERROR_CONCURRENT_TRANSACTIONS);
        CU_ASSERT_EQUAL(client_init(&client, 60000), KW_ERROR_CONCURRENT_TRANSACTIONS);
        harness_heal(&h);
        harness_run(&h, 3000000);
        CU_ASSERT_EQUAL(client_end(&client, commit), 0);
        CU_ASSERT_EQUAL(client_end(&client, !commit), KW_ERROR_INVALID_TXN_STATE);
    }
    harness_close(&h);
}

/* transaction.max.timeout.ms is fifteen minutes; the bound itself is fine. */
static void the_longest_transaction(void)
{
    struct harness h;
    struct transaction_client client;
    open_cluster(&h, &client, kafkas);
    for (int16_t version = 0; version <= 4; version++) {
        CU_ASSERT_EQUAL(init_as(&client, version, tx, 900001, -1, -1), KW_ERROR_INVALID_TRANSACTION_TIMEOUT);
        CU_ASSERT_EQUAL(init_as(&client, version, tx, 0, -1, -1), KW_ERROR_INVALID_TRANSACTION_TIMEOUT);
        CU_ASSERT_EQUAL(init_as(&client, version, tx, -5, -1, -1), KW_ERROR_INVALID_TRANSACTION_TIMEOUT);
        CU_ASSERT_EQUAL(init_as(&client, version, tx, 900000, -1, -1), 0);
        CU_ASSERT_EQUAL(init_as(&client, version, tx, 1, -1, -1), 0);
    }
    harness_close(&h);
    open_cluster(&h, &client, few_partitions);
    CU_ASSERT_EQUAL(init_as(&client, 4, tx, 50001, -1, -1), KW_ERROR_INVALID_TRANSACTION_TIMEOUT);
    CU_ASSERT_EQUAL(init_as(&client, 4, tx, 50000, -1, -1), 0);
    harness_close(&h);
}

/* Every ten seconds of the broker's life, and only what is older than its time-out then. */
static void the_scan(void)
{
    struct harness h;
    struct transaction_client client;
    open_cluster(&h, &client, kafkas);
    uint32_t c = harness_connect(&h, 1);
    harness_run(&h, 1000000 - h.now_us);
    CU_ASSERT_EQUAL(client_init(&client, 9500), 0);
    CU_ASSERT_EQUAL(client_add_partition(&client, 0), 0);
    CU_ASSERT_EQUAL(client_produce(&client, c, 0, 1).error_code, 0);
    harness_run(&h, 10500000 - h.now_us); /* looked at after 10 s: 9 s old */
    CU_ASSERT_EQUAL(consume(&h, c, 0, 1).last_stable_offset, 0);
    harness_run(&h, 19900000 - h.now_us); /* late by now, but nobody looks */
    CU_ASSERT_EQUAL(consume(&h, c, 0, 1).last_stable_offset, 0);
    harness_run(&h, 20100000 - h.now_us);
    struct seen seen = consume(&h, c, 0, 1);
    CU_ASSERT_EQUAL(seen.last_stable_offset, 2);
    CU_ASSERT_EQUAL(seen.aborted_count, 1);
    CU_ASSERT_EQUAL(client_end(&client, true), KW_ERROR_PRODUCER_FENCED);
    /* The time counts from the first partition, not from the last one. */
    CU_ASSERT_EQUAL(client_init(&client, 9500), 0);
    CU_ASSERT_EQUAL(client_add_partition(&client, 0), 0);
    harness_run(&h, 29000000 - h.now_us);
    CU_ASSERT_EQUAL(add_offsets_as(&client, 3),
                    KW_ERROR_COORDINATOR_NOT_AVAILABLE); /* the topic is made first */
    harness_run(&h, 100000);
    CU_ASSERT_EQUAL(add_offsets_as(&client, 3), 0);
    harness_run(&h, 29900000 - h.now_us);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_MARKER_APPENDED], 1);
    harness_run(&h, 500000);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_MARKER_APPENDED],
                    2); /* of "t"; that of the offsets is not announced */
    harness_close(&h);
}

/* The last epoch that is given is 2^15-2; then there is a new id. Whoever asks for more of the old one finds
 * a coordinator that cannot say why not. */
static void exhausted(void)
{
    struct harness h;
    struct transaction_client client;
    open_cluster(&h, &client, kafkas);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    int64_t id = client.producer_id;
    while (client.producer_epoch < INT16_MAX - 1) {
        CU_ASSERT_EQUAL_FATAL(client_init_again(&client, id, client.producer_epoch), 0);
    }
    CU_ASSERT_EQUAL(client_init_again(&client, id, INT16_MAX - 2), KW_ERROR_UNKNOWN_SERVER_ERROR);
    CU_ASSERT_EQUAL(client_init_again(&client, id, INT16_MAX - 1), 0);
    CU_ASSERT_NOT_EQUAL(client.producer_id, id);
    CU_ASSERT_EQUAL(client.producer_epoch, 0);
    /* The answer got lost: the same once more. An older one of the old id is fenced. */
    CU_ASSERT_EQUAL(client_init_again(&client, id, INT16_MAX - 1), 0);
    CU_ASSERT_EQUAL(client.producer_epoch, 0);
    CU_ASSERT_EQUAL(client_init_again(&client, id, INT16_MAX - 2), KW_ERROR_PRODUCER_FENCED);
    harness_close(&h);
}

/* An epoch that could not be logged is nobody's: the next attempt to fence takes the same one. */
static void a_fence_that_failed(void)
{
    struct harness h;
    struct transaction_client client;
    harness_open_simple(&h, 3, 3, kafkas, NULL);
    harness_run(&h, 10000);
    client_open(&client, &h, 1);
    CU_ASSERT_EQUAL(client_init(&client, 600000), 0);
    CU_ASSERT_EQUAL(client_add_partition(&client, 0), 0);
    for (int32_t id = 1; id <= 3; id++) {
        if (id != client.broker) {
            mb_kill(h.cluster, id, h.now_us);
        }
    }
    harness_run(&h, 8000000);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(client_init(&client, 600000), KW_ERROR_COORDINATOR_NOT_AVAILABLE);
    }
    for (int32_t id = 1; id <= 3; id++) {
        mb_restart(h.cluster, id, h.now_us);
    }
    harness_run(&h, 10000000);
    CU_ASSERT_EQUAL(client_init(&client, 600000), KW_ERROR_CONCURRENT_TRANSACTIONS);
    CU_ASSERT_EQUAL(client_init_patiently(&client, 600000), 0);
    CU_ASSERT_EQUAL(client.producer_epoch, 2); /* one to fence, one for the client */
    harness_close(&h);
}

/* 3.0.0 asks nobody whether a partition is in the transaction: the batch is appended, and holds back readers.
 */
static void nobody_verifies(void)
{
    struct harness h;
    struct transaction_client client;
    open_cluster(&h, &client, kafkas);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    CU_ASSERT_EQUAL(client_produce(&client, c, 0, 2).error_code, 0);
    struct seen seen = consume(&h, c, 0, 1);
    CU_ASSERT_EQUAL(seen.high_watermark, 2);
    CU_ASSERT_EQUAL(seen.last_stable_offset, 0);
    CU_ASSERT_EQUAL(seen.batches, 0);
    CU_ASSERT_EQUAL(client_end(&client, true), KW_ERROR_INVALID_TXN_STATE);
    CU_ASSERT_EQUAL(consume(&h, c, 0, 0).end_offset, 2);
    harness_close(&h);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"fenced by version", fenced_by_version},
        {"who is asking", who_is_asking},
        {"one bad partition keeps all out", one_bad_partition_keeps_all_out},
        {"between decision and completion", between_decision_and_completion},
        {"the longest transaction", the_longest_transaction},
        {"the scan", the_scan},
        {"exhausted", exhausted},
        {"a fence that failed", a_fence_that_failed},
        {"nobody verifies", nobody_verifies},
        {0},
    };
    return unit_main("mockbroker transaction errors", tests);
}
