/* ApiVersions, Metadata, ListOffsets, FindCoordinator; settings; bytes that are no requests. */

#include "harness.h"
#include "unit.h"

#include "base/prng.h"

#include <string.h>

static const struct harness_batch one = {.records = 1, .value_bytes = 10};

static bool lists(const struct kw_api_versions_response *response, int16_t key, int16_t max)
{
    for (int32_t i = 0; i < response->api_keys.count; i++) {
        if (response->api_keys.items[i].api_key == key) {
            return response->api_keys.items[i].min_version == 0 &&
                   response->api_keys.items[i].max_version == max;
        }
    }
    return false;
}

static void api_versions(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    for (int16_t version = 0; version <= 3; version++) {
        struct kw_api_versions_request request;
        struct kw_api_versions_response response;
        kw_api_versions_request_init(&request);
        if (version == 3) {
            request.client_software_name = (struct kw_string){"apache-kafka.java", 17};
            request.client_software_version = (struct kw_string){"3.0.0", 5};
        }
        harness_send(&h, c, KW_API_API_VERSIONS, version, &request);
        CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_API_VERSIONS, version, &response, 1000000));
        CU_ASSERT_EQUAL(response.error_code, 0);
        static const int16_t table[][2] = {{0, 9},  {1, 12}, {2, 7},  {3, 11}, {8, 8},  {9, 8},  {10, 4},
                                           {11, 7}, {12, 4}, {13, 4}, {14, 5}, {18, 3}, {19, 7}, {22, 4},
                                           {23, 4}, {24, 3}, {25, 3}, {26, 3}, {28, 3}};
        CU_ASSERT_EQUAL(response.api_keys.count, sizeof table / sizeof table[0]);
        for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
            CU_ASSERT_TRUE(lists(&response, table[i][0], table[i][1]));
        }
        if (version == 3) {
            request.client_software_name = (struct kw_string){"-java", 5};
            harness_send(&h, c, KW_API_API_VERSIONS, version, &request);
            CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_API_VERSIONS, version, &response, 1000000));
            CU_ASSERT_EQUAL(response.error_code, KW_ERROR_INVALID_REQUEST);
        }
    }
    /* Version 4, as Java 3.9 begins: a body of version 0 that names version 3. */
    const uint8_t newer[] = {0, 0, 0, 15, 0, 18, 0, 4, 0, 0, 0, 9, 0, 1, 'x', 0, 9, 9, 9};
    struct kw_api_versions_response response;
    harness_send_bytes(&h, c, newer, sizeof newer);
    CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_API_VERSIONS, 0, &response, 1000000));
    CU_ASSERT_EQUAL(response.error_code, KW_ERROR_UNSUPPORTED_VERSION);
    CU_ASSERT_EQUAL(response.api_keys.count, 1);
    CU_ASSERT_TRUE(lists(&response, KW_API_API_VERSIONS, 3));
    CU_ASSERT_TRUE(harness_is_open(&h, c));
    harness_close(&h);
}

static struct kw_metadata_response ask(struct harness *h, uint32_t c, int16_t version, const char *topic)
{
    struct kw_metadata_request request;
    struct kw_metadata_request_topic item;
    struct kw_metadata_response response;
    kw_metadata_request_init(&request);
    kw_metadata_request_topic_init(&item);
    request.topics.count = version == 0 ? 0 : -1;
    if (topic != NULL) {
        item.name = (struct kw_string){topic, (int32_t)strlen(topic)};
        request.topics.items = &item;
        request.topics.count = 1;
    }
    harness_send(h, c, KW_API_METADATA, version, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(h, c, KW_API_METADATA, version, &response, 1000000));
    return response;
}

static void metadata(void)
{
    struct harness h;
    harness_open_simple(&h, 3, 3, NULL, NULL);
    uint32_t c = harness_connect(&h, 2);
    for (int16_t version = 0; version <= 11; version++) {
        for (int i = 0; i < 2; i++) {
            struct kw_metadata_response response = ask(&h, c, version, i == 0 ? NULL : "t");
            CU_ASSERT_EQUAL_FATAL(response.brokers.count, 3);
            CU_ASSERT_EQUAL(response.brokers.items[0].node_id, 1);
            CU_ASSERT_EQUAL(response.brokers.items[2].port, 9092);
            CU_ASSERT_EQUAL(memcmp(response.brokers.items[2].host.data, "broker-3", 8), 0);
            CU_ASSERT_EQUAL(response.controller_id, version >= 1 ? 1 : -1);
            CU_ASSERT_EQUAL_FATAL(response.topics.count, 1);
            CU_ASSERT_EQUAL_FATAL(response.topics.items[0].partitions.count, 1);
            const struct kw_metadata_response_partition *p = &response.topics.items[0].partitions.items[0];
            CU_ASSERT_EQUAL(p->error_code, 0);
            CU_ASSERT_EQUAL(p->leader_id, 1);
            CU_ASSERT_EQUAL(p->leader_epoch, version >= 7 ? 0 : -1);
            CU_ASSERT_EQUAL(p->replica_nodes.count, 3);
            CU_ASSERT_EQUAL(p->isr_nodes.count, 3);
        }
    }
    harness_close(&h);
}

static void metadata_without_a_leader(void)
{
    struct harness h;
    harness_open_simple(&h, 2, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 2);
    mb_kill(h.cluster, 1, h.now_us);
    harness_run(&h, 100000);
    CU_ASSERT_EQUAL(ask(&h, c, 9, "t").topics.items[0].partitions.items[0].leader_id, 1); /* nobody noticed */
    harness_run(&h, 7000000);
    struct kw_metadata_response response = ask(&h, c, 9, "t");
    CU_ASSERT_EQUAL(response.brokers.count, 1);
    CU_ASSERT_EQUAL(response.controller_id, 2);
    const struct kw_metadata_response_partition *p = &response.topics.items[0].partitions.items[0];
    CU_ASSERT_EQUAL(p->error_code, KW_ERROR_LEADER_NOT_AVAILABLE);
    CU_ASSERT_EQUAL(p->leader_id, -1);
    CU_ASSERT_EQUAL(p->isr_nodes.count, 1);
    CU_ASSERT_EQUAL(p->offline_replicas.count, 1);
    p = &ask(&h, c, 0, "t").topics.items[0].partitions.items[0];
    CU_ASSERT_EQUAL(p->replica_nodes.count, 0);
    harness_close(&h);
}

static void topics_are_created_by_asking(void)
{
    struct mb_setting broker[] = {{"num.partitions", "4"}, {"default.replication.factor", "2"}, {NULL, NULL}};
    struct harness h;
    harness_open_simple(&h, 3, 1, broker, NULL);
    uint32_t c = harness_connect(&h, 2);
    CU_ASSERT_EQUAL(ask(&h, c, 9, "new").topics.items[0].error_code, KW_ERROR_LEADER_NOT_AVAILABLE);
    CU_ASSERT_EQUAL(ask(&h, c, 9, "b@d").topics.items[0].error_code, KW_ERROR_INVALID_TOPIC_EXCEPTION);
    harness_run(&h, 100000);
    struct kw_metadata_response response = ask(&h, c, 9, "new");
    CU_ASSERT_EQUAL(response.topics.items[0].error_code, 0);
    CU_ASSERT_EQUAL(response.topics.items[0].partitions.count, 4);
    CU_ASSERT_EQUAL(response.topics.items[0].partitions.items[1].replica_nodes.count, 2);
    CU_ASSERT_EQUAL(mb_topic_partition_count(h.cluster, "new"), 4);
    CU_ASSERT_TRUE(mb_add_partitions(h.cluster, "new", 6, h.now_us));
    CU_ASSERT_FALSE(mb_add_partitions(h.cluster, "new", 5, h.now_us));
    harness_run(&h, 100000);
    CU_ASSERT_EQUAL(ask(&h, c, 9, "new").topics.items[0].partitions.count, 6);
    harness_close(&h);
}

static void unknown_topics_stay_unknown(void)
{
    struct mb_setting broker[] = {{"auto.create.topics.enable", "false"}, {NULL, NULL}};
    struct harness h;
    harness_open_simple(&h, 1, 1, broker, NULL);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(ask(&h, c, 9, "new").topics.items[0].error_code, KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
    CU_ASSERT_EQUAL(ask(&h, c, 9, "").topics.items[0].error_code, KW_ERROR_INVALID_TOPIC_EXCEPTION);
    harness_run(&h, 100000);
    CU_ASSERT_EQUAL(mb_topic_partition_count(h.cluster, "new"), 0);
    harness_close(&h);
}

static int64_t offset_at(struct harness *h, uint32_t c, int16_t version, int64_t timestamp_ms)
{
    struct kw_list_offsets_request request;
    struct kw_list_offsets_request_topic topic;
    struct kw_list_offsets_request_partition item;
    struct kw_list_offsets_response response;
    kw_list_offsets_request_init(&request);
    kw_list_offsets_request_topic_init(&topic);
    kw_list_offsets_request_partition_init(&item);
    item.timestamp = timestamp_ms;
    topic.name = (struct kw_string){"t", 1};
    topic.partitions.items = &item;
    topic.partitions.count = 1;
    request.replica_id = -1;
    request.topics.items = &topic;
    request.topics.count = 1;
    harness_send(h, c, KW_API_LIST_OFFSETS, version, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(h, c, KW_API_LIST_OFFSETS, version, &response, 1000000));
    const struct kw_list_offsets_response_partition *answer = &response.topics.items[0].partitions.items[0];
    CU_ASSERT_EQUAL(answer->error_code, 0);
    return version == 0 ? answer->old_style_offsets.items[0] : answer->offset;
}

static void offsets_by_time(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    for (int i = 0; i < 5; i++) {
        struct harness_batch batch = {
            .records = 2, .value_bytes = 5, .timestamp_ms = 1600000000000 + 1000 * i};
        CU_ASSERT_EQUAL(harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &batch)).error_code, 0);
    }
    for (int16_t version = 0; version <= 7; version++) {
        CU_ASSERT_EQUAL(offset_at(&h, c, version, -1), 10);
        CU_ASSERT_EQUAL(offset_at(&h, c, version, -2), 0);
    }
    CU_ASSERT_EQUAL(offset_at(&h, c, 7, 1600000000500), 2);
    CU_ASSERT_EQUAL(offset_at(&h, c, 7, 1600000003000), 6);
    CU_ASSERT_EQUAL(offset_at(&h, c, 7, 1600000009000), -1);
    CU_ASSERT_EQUAL(offset_at(&h, c, 7, -3), 8); /* the first of those that are alike */
    /* Within a compressed batch: offsets 10 to 13. */
    struct harness_batch compressed = {.records = 4,
                                       .value_bytes = 50,
                                       .timestamp_ms = 1600000010000,
                                       .timestamp_step_ms = 10,
                                       .compression = KW_COMPRESSION_SNAPPY};
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &compressed)).error_code, 0);
    CU_ASSERT_EQUAL(offset_at(&h, c, 7, 1600000010015), 12);
    CU_ASSERT_EQUAL(offset_at(&h, c, 7, -3), 13); /* compressed, it counts as a whole */
    struct harness_batch early = {.records = 3, .value_bytes = 5, .timestamp_ms = 1600000020000};
    early.timestamp_step_ms = -10;
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &early)).error_code, 0);
    CU_ASSERT_EQUAL(offset_at(&h, c, 7, -3), 14);
    harness_close(&h);
}

static void a_partition_asked_for_twice(void)
{
    struct harness h;
    struct kw_list_offsets_request request;
    struct kw_list_offsets_request_topic topics[2];
    struct kw_list_offsets_request_partition item;
    struct kw_list_offsets_response response;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    kw_list_offsets_request_init(&request);
    kw_list_offsets_request_partition_init(&item);
    item.timestamp = -1;
    for (int i = 0; i < 2; i++) {
        kw_list_offsets_request_topic_init(&topics[i]);
        topics[i].name = (struct kw_string){"t", 1};
        topics[i].partitions.items = &item;
        topics[i].partitions.count = 1;
    }
    request.replica_id = -1;
    request.topics.items = topics;
    request.topics.count = 2;
    for (int16_t version = 0; version <= 7; version++) {
        harness_send(&h, c, KW_API_LIST_OFFSETS, version, &request);
        CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_LIST_OFFSETS, version, &response, 1000000));
        for (int i = 0; i < 2; i++) {
            CU_ASSERT_EQUAL(response.topics.items[i].partitions.items[0].error_code,
                            version == 0 ? KW_ERROR_NONE : KW_ERROR_INVALID_REQUEST);
        }
    }
    harness_close(&h);
}

/* The number of offsets of "t"-0 in version 0, and the offsets as the digits of a number. */
static int64_t segments_at(struct harness *h, uint32_t c, int64_t timestamp_ms, int32_t most, int32_t replica)
{
    struct kw_list_offsets_request request;
    struct kw_list_offsets_request_topic topic;
    struct kw_list_offsets_request_partition item;
    struct kw_list_offsets_response response;
    kw_list_offsets_request_init(&request);
    kw_list_offsets_request_topic_init(&topic);
    kw_list_offsets_request_partition_init(&item);
    item.timestamp = timestamp_ms;
    item.max_num_offsets = most;
    topic.name = (struct kw_string){"t", 1};
    topic.partitions.items = &item;
    topic.partitions.count = 1;
    request.replica_id = replica;
    request.topics.items = &topic;
    request.topics.count = 1;
    harness_send(h, c, KW_API_LIST_OFFSETS, 0, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(h, c, KW_API_LIST_OFFSETS, 0, &response, 1000000));
    const struct kw_list_offsets_response_partition *answer = &response.topics.items[0].partitions.items[0];
    int64_t digits = answer->old_style_offsets.count;
    for (int32_t i = 0; i < answer->old_style_offsets.count; i++) {
        digits = digits * 10 + answer->old_style_offsets.items[i];
    }
    return digits;
}

static void version_0_lists_segments(void)
{
    static const struct mb_setting small[] = {{"segment.bytes", "1000"}, {NULL, NULL}};
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, small);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(segments_at(&h, c, -1, 9, -1), 10); /* one: offset 0 */
    CU_ASSERT_EQUAL(segments_at(&h, c, -2, 9, -1), 10);
    for (int i = 0; i < 3; i++) {
        struct harness_batch batch = {
            .records = 2, .value_bytes = 300, .timestamp_ms = 1600000000000 + 1000 * i};
        CU_ASSERT_EQUAL(harness_produce(&h, c, 0, -1, 10000, harness_batch(&h, &batch)).error_code, 0);
    }
    harness_run(&h, 2000000);
    CU_ASSERT_EQUAL(segments_at(&h, c, -1, 9, -1), 46420);
    CU_ASSERT_EQUAL(segments_at(&h, c, -1, 2, -1), 264);
    CU_ASSERT_EQUAL(segments_at(&h, c, -1, 0, -1), 0);
    CU_ASSERT_EQUAL(segments_at(&h, c, -2, 9, -1), 10);
    CU_ASSERT_EQUAL(segments_at(&h, c, 1600000001500, 9, -1), 220);
    CU_ASSERT_EQUAL(segments_at(&h, c, 5, 9, -1), 0);
    /* What is above the high watermark is not for consumers. */
    harness_cut(&h, 1, 2);
    struct harness_batch batch = {.records = 2, .value_bytes = 300};
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, 1, 1000, harness_batch(&h, &batch)).error_code, 0);
    CU_ASSERT_EQUAL(segments_at(&h, c, -1, 9, -1), 566420); /* 6 stands for 8, and is there itself */
    CU_ASSERT_EQUAL(segments_at(&h, c, -1, 9, -2), 586420);
    harness_close(&h);
}

static void operations_are_listed(void)
{
    struct harness h;
    struct kw_metadata_request request;
    struct kw_metadata_response response;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    for (int16_t version = 8; version <= 11; version++) {
        kw_metadata_request_init(&request);
        request.topics.count = -1;
        request.include_cluster_authorized_operations = version <= 10;
        request.include_topic_authorized_operations = true;
        harness_send(&h, c, KW_API_METADATA, version, &request);
        CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_METADATA, version, &response, 1000000));
        CU_ASSERT_EQUAL(response.cluster_authorized_operations, version <= 10 ? 8096 : INT32_MIN);
        CU_ASSERT_EQUAL(response.topics.items[0].topic_authorized_operations, 3576);
    }
    harness_close(&h);
}

static int32_t ask_coordinator(struct harness *h, uint32_t c, int16_t version, int8_t key_type)
{
    struct kw_string keys[] = {{"g", 1}, {"h", 1}};
    struct kw_find_coordinator_request request;
    struct kw_find_coordinator_response response;
    kw_find_coordinator_request_init(&request);
    request.key_type = key_type;
    if (version < 4) {
        request.key = keys[0];
    } else {
        request.coordinator_keys.items = keys;
        request.coordinator_keys.count = 2;
    }
    harness_send(h, c, KW_API_FIND_COORDINATOR, version, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(h, c, KW_API_FIND_COORDINATOR, version, &response, 1000000));
    if (version < 4) {
        CU_ASSERT_EQUAL(response.node_id, response.error_code == KW_ERROR_NONE ? 1 : -1);
        return response.error_code;
    }
    CU_ASSERT_EQUAL_FATAL(response.coordinators.count, 2);
    CU_ASSERT_EQUAL(response.coordinators.items[0].error_code, response.coordinators.items[1].error_code);
    CU_ASSERT_STRING_EQUAL(response.coordinators.items[1].host.data, "broker-1");
    CU_ASSERT_EQUAL(response.coordinators.items[1].key.data[0], 'h');
    CU_ASSERT_EQUAL(response.coordinators.items[0].error_message.length_bytes > 0,
                    response.coordinators.items[0].error_code == KW_ERROR_INVALID_REQUEST);
    return response.coordinators.items[0].error_code;
}

static void find_coordinator(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    for (int8_t key_type = 0; key_type <= 1; key_type++) {
        /* The first one who asks has the topic created, and comes again. */
        CU_ASSERT_EQUAL(ask_coordinator(&h, c, 1, key_type), KW_ERROR_COORDINATOR_NOT_AVAILABLE);
        harness_run(&h, 100000);
        for (int16_t version = 1; version <= 4; version++) {
            CU_ASSERT_EQUAL(ask_coordinator(&h, c, version, key_type), KW_ERROR_NONE);
        }
    }
    CU_ASSERT_EQUAL(ask_coordinator(&h, c, 0, 0), KW_ERROR_NONE);
    CU_ASSERT_EQUAL(ask_coordinator(&h, c, 3, 2), KW_ERROR_INVALID_REQUEST);
    CU_ASSERT_EQUAL(mb_topic_partition_count(h.cluster, "__transaction_state"), 50);
    CU_ASSERT_EQUAL(mb_topic_partition_count(h.cluster, "__consumer_offsets"), 50);
    harness_close(&h);
}

static void closes(const void *bytes, size_t length_bytes)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    harness_send_bytes(&h, c, bytes, length_bytes);
    harness_run(&h, 100000);
    CU_ASSERT_FALSE(harness_is_open(&h, c));
    harness_close(&h);
}

static void what_is_no_request_ends_the_connection(void)
{
    closes("\x80\0\0\0", 4);                              /* a negative length */
    closes("\x7f\xff\xff\xff", 4);                        /* more than socket.request.max.bytes */
    closes("GET / HTTP/1.1\r\n\r\n", 18);                 /* the same, as it happens */
    closes("\0\0\0\0", 4);                                /* no header */
    closes("\0\0\0\x0a\0\x63\0\0\0\0\0\1\xff\xff", 14);   /* API 99 */
    closes("\0\0\0\x0a\0\x03\0\x0c\0\0\0\1\xff\xff", 14); /* Metadata 12 */
    closes("\0\0\0\x0a\0\x0b\0\0\0\0\0\1\xff\xff", 14);   /* JoinGroup: not served */
    closes("\0\0\0\x0e\0\x03\0\1\0\0\0\1\xff\xff\x7f\xff\xff\xff", 18); /* 2^31-1 topics */
}

static void pieces_make_a_frame(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    const uint8_t request[] = {0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 9, 0xff, 0xff};
    for (size_t i = 0; i < sizeof request; i++) {
        harness_send_bytes(&h, c, &request[i], 1);
    }
    struct kw_api_versions_response response;
    CU_ASSERT_TRUE(harness_receive(&h, c, KW_API_API_VERSIONS, 0, &response, 1000000));
    harness_close(&h);
}

/* Every request of every kind, with bytes changed and cut: whatever happens, nothing breaks. */
static void hostile_bytes(void)
{
    struct kb_prng prng;
    kb_prng_init(&prng, 4711, 0);
    struct harness h;
    harness_open_simple(&h, 2, 2, NULL, NULL);
    harness_run(&h, 10000);
    static const enum kw_api_key keys[] = {KW_API_PRODUCE,
                                           KW_API_FETCH,
                                           KW_API_LIST_OFFSETS,
                                           KW_API_METADATA,
                                           KW_API_API_VERSIONS,
                                           KW_API_FIND_COORDINATOR,
                                           KW_API_INIT_PRODUCER_ID,
                                           KW_API_OFFSET_FOR_LEADER_EPOCH,
                                           KW_API_ADD_PARTITIONS_TO_TXN,
                                           KW_API_ADD_OFFSETS_TO_TXN,
                                           KW_API_END_TXN,
                                           KW_API_TXN_OFFSET_COMMIT,
                                           KW_API_JOIN_GROUP,
                                           KW_API_SYNC_GROUP,
                                           KW_API_HEARTBEAT,
                                           KW_API_LEAVE_GROUP,
                                           KW_API_OFFSET_COMMIT,
                                           KW_API_OFFSET_FETCH,
                                           KW_API_CREATE_TOPICS};
    uint32_t c = 255;
    h.clients[c].broker = 1;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[256];
        size_t length = 14 + (size_t)kb_prng_below(&prng, 120);
        for (size_t i = 0; i < length; i++) {
            bytes[i] =
                kb_prng_chance(&prng, 1, 2) ? (uint8_t)kb_prng_below(&prng, 4) : (uint8_t)kb_prng_next(&prng);
        }
        if (kb_prng_chance(&prng, 9, 10)) {
            kw_store_i32(bytes, (int32_t)length - 4);
        }
        const struct kw_api *api =
            kw_api_find((int16_t)keys[kb_prng_below(&prng, sizeof keys / sizeof keys[0])]);
        kw_store_i16(bytes + 4, api->key);
        kw_store_i16(bytes + 6, (int16_t)kb_prng_below(&prng, (uint64_t)api->max_version + 2));
        kw_store_i16(bytes + 12, -1);
        (void)mb_connection_opened(h.cluster, c, MB_FROM_CLIENT, 1, h.now_us);
        mb_receive(h.cluster, c, 1, bytes, length, h.now_us);
        if (kb_prng_chance(&prng, 1, 3)) {
            mb_connection_closed(h.cluster, c, 1, h.now_us);
        }
        if (round % 100 == 0) {
            harness_run(&h, 10000);
        }
    }
    harness_run(&h, 1000000);
    c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, -1, 1000, harness_batch(&h, &one)).error_code, 0);
    harness_close(&h);
}

static void settings_are_checked(void)
{
    struct mb_error error;
    CU_ASSERT_PTR_NULL(mb_setting_check("broker", "replica.lag.time.max.ms", "3", &error));
    CU_ASSERT_PTR_NOT_NULL(mb_setting_check("broker", "replica.lag.time.max.ms", "0", &error));
    CU_ASSERT_PTR_NOT_NULL(mb_setting_check("broker", "replica.lag.time.max.ms", "3s", &error));
    CU_ASSERT_PTR_NOT_NULL(
        mb_setting_check("broker", "replica.lag.time.max.ms", "99999999999999999999", &error));
    CU_ASSERT_PTR_NULL(mb_setting_check("topic", "cleanup.policy", "compact", &error));
    CU_ASSERT_PTR_NOT_NULL(mb_setting_check("topic", "cleanup.policy", "keep", &error));
    CU_ASSERT_PTR_NOT_NULL(mb_setting_check("topic", "replica.lag.time.max.ms", "3", &error));
    CU_ASSERT_PTR_NULL(mb_setting_check("topic", "retention.bytes", "-1", &error));
    struct mb_setting_info info;
    uint32_t count = 0;
    while (mb_setting_info(count, &info)) {
        CU_ASSERT_PTR_NULL(mb_setting_check(info.scope, info.name, info.default_value, &error));
        CU_ASSERT_TRUE(strlen(info.doc) > 20);
        count++;
    }
    CU_ASSERT_TRUE(count > 25);

    static const int32_t ids[] = {1, 2};
    struct mb_cluster *cluster = NULL;
    struct mb_topic_options topic = {.name = "t", .partition_count = 1, .replication_factor = 3};
    struct mb_options options = {.broker_ids = ids, .broker_count = 2, .topics = &topic, .topic_count = 1};
    CU_ASSERT_FALSE(mb_cluster_create(&options, 0, &cluster, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "replication_factor"));
    topic.replication_factor = 2;
    static const int32_t twice[] = {1, 1};
    topic.assignment = twice;
    CU_ASSERT_FALSE(mb_cluster_create(&options, 0, &cluster, &error));
    static const int32_t missing[] = {1, 5};
    topic.assignment = missing;
    CU_ASSERT_FALSE(mb_cluster_create(&options, 0, &cluster, &error));
    topic.assignment = NULL;
    topic.name = "a/b";
    CU_ASSERT_FALSE(mb_cluster_create(&options, 0, &cluster, &error));
    topic.name = "t";
    struct mb_setting wrong = {"min.insync.replicas", "many"};
    options.settings = &wrong;
    options.setting_count = 1;
    CU_ASSERT_FALSE(mb_cluster_create(&options, 0, &cluster, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "min.insync.replicas"));
}

int main(void)
{
    return unit_main("mockbroker apis", (struct unit_test[]){
                                            {"ApiVersions", api_versions},
                                            {"Metadata", metadata},
                                            {"Metadata without a leader", metadata_without_a_leader},
                                            {"topics are created by asking", topics_are_created_by_asking},
                                            {"unknown topics stay unknown", unknown_topics_stay_unknown},
                                            {"ListOffsets", offsets_by_time},
                                            {"a partition asked for twice", a_partition_asked_for_twice},
                                            {"ListOffsets v0", version_0_lists_segments},
                                            {"operations", operations_are_listed},
                                            {"FindCoordinator", find_coordinator},
                                            {"no request", what_is_no_request_ends_the_connection},
                                            {"pieces make a frame", pieces_make_a_frame},
                                            {"hostile bytes", hostile_bytes},
                                            {"settings", settings_are_checked},
                                            {0},
                                        });
}
