#include "transaction_client.h"

#include "unit.h"

static const struct kw_string transactional_id = {"tx", 2};

int32_t find_coordinator(struct harness *h, int32_t broker, int8_t key_type)
{
    uint32_t c = harness_connect(h, broker);
    for (int i = 0; i < 100; i++) {
        struct kw_find_coordinator_request request;
        struct kw_find_coordinator_response response;
        kw_find_coordinator_request_init(&request);
        request.key = key_type == 1 ? transactional_id : (struct kw_string){"g", 1};
        request.key_type = key_type;
        harness_send(h, c, KW_API_FIND_COORDINATOR, 3, &request);
        CU_ASSERT_TRUE_FATAL(harness_receive(h, c, KW_API_FIND_COORDINATOR, 3, &response, 1000000));
        if (response.error_code == KW_ERROR_NONE) {
            return response.node_id;
        }
        CU_ASSERT_EQUAL_FATAL(response.error_code, KW_ERROR_COORDINATOR_NOT_AVAILABLE);
        harness_run(h, 200000);
    }
    CU_FAIL_FATAL("no coordinator is found");
    return -1;
}

void client_open(struct transaction_client *client, struct harness *h, int32_t broker)
{
    client->h = h;
    client->broker = find_coordinator(h, broker, 1);
    client->coordinator = harness_connect(h, client->broker);
    harness_run(h, 10000); /* it reads its log */
}

static int32_t init(struct transaction_client *client, int32_t timeout_ms, int64_t producer_id, int16_t epoch)
{
    struct kw_init_producer_id_request request;
    struct kw_init_producer_id_response response;
    kw_init_producer_id_request_init(&request);
    request.transactional_id = transactional_id;
    request.transaction_timeout_ms = timeout_ms;
    request.producer_id = producer_id;
    request.producer_epoch = epoch;
    harness_send(client->h, client->coordinator, KW_API_INIT_PRODUCER_ID, 4, &request);
    if (!harness_receive(client->h, client->coordinator, KW_API_INIT_PRODUCER_ID, 4, &response, 20000000)) {
        return HARNESS_NO_ANSWER;
    }
    if (response.error_code == KW_ERROR_NONE) {
        client->producer_id = response.producer_id;
        client->producer_epoch = response.producer_epoch;
    } else {
        CU_ASSERT_EQUAL(response.producer_id, -1);
        CU_ASSERT_EQUAL(response.producer_epoch, -1);
    }
    return response.error_code;
}

int32_t client_init(struct transaction_client *client, int32_t timeout_ms)
{
    return init(client, timeout_ms, -1, -1);
}

int32_t client_init_again(struct transaction_client *client, int64_t producer_id, int16_t epoch)
{
    return init(client, 60000, producer_id, epoch);
}

int32_t client_init_patiently(struct transaction_client *client, int32_t timeout_ms)
{
    int32_t error = KW_ERROR_CONCURRENT_TRANSACTIONS;
    for (int i = 0; i < 100 && error == KW_ERROR_CONCURRENT_TRANSACTIONS; i++) {
        error = client_init(client, timeout_ms);
        harness_run(client->h, 100000);
    }
    return error;
}

int32_t client_add_partition(struct transaction_client *client, int32_t partition)
{
    struct kw_add_partitions_to_txn_request request;
    struct kw_add_partitions_to_txn_request_topic topic;
    struct kw_add_partitions_to_txn_response response;
    kw_add_partitions_to_txn_request_init(&request);
    kw_add_partitions_to_txn_request_topic_init(&topic);
    topic.name = (struct kw_string){"t", 1};
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    request.transactional_id = transactional_id;
    request.producer_id = client->producer_id;
    request.producer_epoch = client->producer_epoch;
    request.topics.items = &topic;
    request.topics.count = 1;
    harness_send(client->h, client->coordinator, KW_API_ADD_PARTITIONS_TO_TXN, 3, &request);
    if (!harness_receive(client->h, client->coordinator, KW_API_ADD_PARTITIONS_TO_TXN, 3, &response,
                         20000000)) {
        return HARNESS_NO_ANSWER;
    }
    CU_ASSERT_EQUAL_FATAL(response.results.count, 1);
    CU_ASSERT_EQUAL(response.results.items[0].results.items[0].partition_index, partition);
    return response.results.items[0].results.items[0].error_code;
}

int32_t client_end(struct transaction_client *client, bool is_commit)
{
    struct kw_end_txn_request request;
    struct kw_end_txn_response response;
    kw_end_txn_request_init(&request);
    request.transactional_id = transactional_id;
    request.producer_id = client->producer_id;
    request.producer_epoch = client->producer_epoch;
    request.committed = is_commit;
    harness_send(client->h, client->coordinator, KW_API_END_TXN, 3, &request);
    return harness_receive(client->h, client->coordinator, KW_API_END_TXN, 3, &response, 20000000)
               ? response.error_code
               : HARNESS_NO_ANSWER;
}

struct kw_produce_response_partition client_produce(struct transaction_client *client, uint32_t connection,
                                                    int32_t sequence, int32_t records)
{
    struct harness_batch batch = {.records = records,
                                  .value_bytes = 5,
                                  .has_producer = true,
                                  .is_transactional = true,
                                  .producer_id = client->producer_id,
                                  .producer_epoch = client->producer_epoch,
                                  .base_sequence = sequence};
    return harness_produce(client->h, connection, 0, -1, 5000, harness_batch(client->h, &batch));
}

struct seen consume(struct harness *h, uint32_t connection, int64_t offset, int8_t isolation)
{
    struct kw_fetch_request request;
    struct kw_fetch_request_topic topic;
    struct kw_fetch_request_partition part;
    struct kw_fetch_response response;
    kw_fetch_request_init(&request);
    kw_fetch_request_topic_init(&topic);
    kw_fetch_request_partition_init(&part);
    part.fetch_offset = offset;
    part.partition_max_bytes = 1 << 20;
    topic.topic = (struct kw_string){"t", 1};
    topic.partitions.items = &part;
    topic.partitions.count = 1;
    request.replica_id = -1;
    request.max_bytes = 1 << 20;
    request.isolation_level = isolation;
    request.session_epoch = -1;
    request.topics.items = &topic;
    request.topics.count = 1;
    harness_send(h, connection, KW_API_FETCH, 11, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(h, connection, KW_API_FETCH, 11, &response, 1000000));
    CU_ASSERT_EQUAL_FATAL(response.responses.count, 1);
    const struct kw_fetch_response_partition *answer = &response.responses.items[0].partitions.items[0];
    struct seen seen = {.error = answer->error_code,
                        .high_watermark = answer->high_watermark,
                        .last_stable_offset = answer->last_stable_offset,
                        .aborted_count = answer->aborted_transactions.count,
                        .end_offset = offset};
    if (seen.aborted_count > 0) {
        seen.aborted_producer_id = answer->aborted_transactions.items[0].producer_id;
        seen.aborted_first_offset = answer->aborted_transactions.items[0].first_offset;
    }
    struct kw_record_batch_cursor cursor;
    const uint8_t *batch;
    uint32_t size_bytes;
    kw_record_batch_cursor_init(&cursor, answer->records.bytes, (size_t)answer->records.length_bytes);
    while (kw_record_batch_next(&cursor, &batch, &size_bytes)) {
        seen.batches++;
        seen.markers += kw_record_batch_is_control(batch);
        seen.end_offset = kw_record_batch_last_offset(batch) + 1;
    }
    return seen;
}

int64_t list_latest(struct harness *h, uint32_t connection, int8_t isolation)
{
    struct kw_list_offsets_request request;
    struct kw_list_offsets_request_topic topic;
    struct kw_list_offsets_request_partition part;
    struct kw_list_offsets_response response;
    kw_list_offsets_request_init(&request);
    kw_list_offsets_request_topic_init(&topic);
    kw_list_offsets_request_partition_init(&part);
    part.timestamp = -1;
    topic.name = (struct kw_string){"t", 1};
    topic.partitions.items = &part;
    topic.partitions.count = 1;
    request.replica_id = -1;
    request.isolation_level = isolation;
    request.topics.items = &topic;
    request.topics.count = 1;
    harness_send(h, connection, KW_API_LIST_OFFSETS, 5, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(h, connection, KW_API_LIST_OFFSETS, 5, &response, 1000000));
    CU_ASSERT_EQUAL(response.topics.items[0].partitions.items[0].error_code, 0);
    return response.topics.items[0].partitions.items[0].offset;
}
