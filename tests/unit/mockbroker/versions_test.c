/* "Advertised APIs": what is listed, that every version of it is served, and what happens to everything else.
 */

#include "harness.h"
#include "unit.h"

#include "wire/api_frame.h"
#include "wire/schema.h"

#include <stdlib.h>
#include <string.h>

#define INIT(name)                                                                                           \
    static void init_##name(void *body)                                                                      \
    {                                                                                                        \
        kw_##name##_request_init(body);                                                                      \
    }
INIT(produce)
INIT(fetch)
INIT(list_offsets)
INIT(metadata)
INIT(offset_commit)
INIT(offset_fetch)
INIT(find_coordinator)
INIT(join_group)
INIT(heartbeat)
INIT(leave_group)
INIT(sync_group)
INIT(api_versions)
INIT(create_topics)
INIT(init_producer_id)
INIT(offset_for_leader_epoch)
INIT(add_partitions_to_txn)
INIT(add_offsets_to_txn)
INIT(end_txn)
INIT(txn_offset_commit)

/* The table of Kafka 3.0.0, as far as clients need it; every minimum is 0. */
static const struct {
    enum kw_api_key key;
    int16_t max;
    int16_t flexible;
    void (*init)(void *body);
} table[] = {
    {KW_API_PRODUCE, 9, 9, init_produce},
    {KW_API_FETCH, 12, 12, init_fetch},
    {KW_API_LIST_OFFSETS, 7, 6, init_list_offsets},
    {KW_API_METADATA, 11, 9, init_metadata},
    {KW_API_OFFSET_COMMIT, 8, 8, init_offset_commit},
    {KW_API_OFFSET_FETCH, 8, 6, init_offset_fetch},
    {KW_API_FIND_COORDINATOR, 4, 3, init_find_coordinator},
    {KW_API_JOIN_GROUP, 7, 6, init_join_group},
    {KW_API_HEARTBEAT, 4, 4, init_heartbeat},
    {KW_API_LEAVE_GROUP, 4, 4, init_leave_group},
    {KW_API_SYNC_GROUP, 5, 4, init_sync_group},
    {KW_API_API_VERSIONS, 3, 3, init_api_versions},
    {KW_API_CREATE_TOPICS, 7, 5, init_create_topics},
    {KW_API_INIT_PRODUCER_ID, 4, 2, init_init_producer_id},
    {KW_API_OFFSET_FOR_LEADER_EPOCH, 4, 4, init_offset_for_leader_epoch},
    {KW_API_ADD_PARTITIONS_TO_TXN, 3, 3, init_add_partitions_to_txn},
    {KW_API_ADD_OFFSETS_TO_TXN, 3, 3, init_add_offsets_to_txn},
    {KW_API_END_TXN, 3, 3, init_end_txn},
    {KW_API_TXN_OFFSET_COMMIT, 3, 3, init_txn_offset_commit},
};
enum { TABLE_COUNT = sizeof table / sizeof table[0] };

static void the_table(void)
{
    struct harness h;
    struct kw_api_versions_request request;
    struct kw_api_versions_response response;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    for (int16_t version = 0; version <= 3; version++) {
        kw_api_versions_request_init(&request);
        request.client_software_name = (struct kw_string){"a", 1};
        request.client_software_version = (struct kw_string){"1", 1};
        harness_send(&h, c, KW_API_API_VERSIONS, version, &request);
        CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_API_VERSIONS, version, &response, 1000000));
        CU_ASSERT_EQUAL(response.error_code, KW_ERROR_NONE);
        CU_ASSERT_EQUAL_FATAL(response.api_keys.count, TABLE_COUNT);
        for (int i = 0; i < TABLE_COUNT; i++) {
            int found = 0;
            for (int j = 0; j < TABLE_COUNT; j++) {
                const struct kw_api_versions_response_api *api = &response.api_keys.items[j];
                found += api->api_key == (int16_t)table[i].key && api->min_version == 0 &&
                         api->max_version == table[i].max;
            }
            CU_ASSERT_EQUAL(found, 1);
        }
    }
    harness_close(&h);
}

/* Every version of every API is read and answered; which header and encoding it has begins where it should.
 */
static void every_version_is_served(void)
{
    struct harness h;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    for (int i = 0; i < TABLE_COUNT; i++) {
        const struct kw_api *api = kw_api_find((int16_t)table[i].key);
        CU_ASSERT_EQUAL(api->first_flexible_version, table[i].flexible);
        for (int16_t version = 0; version <= table[i].max; version++) {
            uint32_t c = harness_connect(&h, 1);
            void *request = calloc(1, api->request->struct_size_bytes);
            void *response = calloc(1, api->response->struct_size_bytes);
            table[i].init(request);
            if (table[i].key == KW_API_PRODUCE) {
                ((struct kw_produce_request *)request)->acks = 1;
            }
            bool is_flexible = version >= table[i].flexible;
            CU_ASSERT_EQUAL(kw_schema_is_flexible(api->request, version), is_flexible);
            CU_ASSERT_EQUAL(kw_schema_is_flexible(api->response, version), is_flexible);
            CU_ASSERT_EQUAL(kw_api_request_header_version(api, version), is_flexible ? 2 : 1);
            CU_ASSERT_EQUAL(kw_api_response_header_version(api, version),
                            is_flexible && table[i].key != KW_API_API_VERSIONS ? 1 : 0);
            harness_send(&h, c, table[i].key, version, request);
            bool is_answered = harness_receive(&h, c, table[i].key, version, response, 1000000);
            CU_ASSERT_TRUE(is_answered);
            CU_ASSERT_TRUE(harness_is_open(&h, c));
            h.next_connection--; /* there are more versions than connections */
            mb_connection_closed(h.cluster, c, 1, h.now_us);
            h.clients[c].length_bytes = 0;
            free(request);
            free(response);
        }
    }
    harness_close(&h);
}

/* An answer's bytes behind its length; false: the connection is closed instead. */
static bool answer_of(struct harness *h, const void *frame, size_t length_bytes, uint8_t *out,
                      size_t *out_bytes)
{
    uint32_t c = harness_connect(h, 1);
    harness_send_bytes(h, c, frame, length_bytes);
    harness_run(h, 100000);
    *out_bytes = h->clients[c].length_bytes < 4 ? 0 : h->clients[c].length_bytes - 4;
    if (*out_bytes > 0) {
        memcpy(out, h->clients[c].bytes + 4, *out_bytes < 64 ? *out_bytes : 64);
    }
    return harness_is_open(h, c);
}

/* The header of the answer to ApiVersions never has tagged fields, or a client that asks for too much could
 * not read it; that of others has, in flexible versions. */
static void response_headers(void)
{
    static const uint8_t api_versions_3[] = {0, 0, 0, 17,  0, 18, 0,   3, 0,   0, 0,
                                             9, 0, 1, 'x', 0, 2,  'a', 2, '1', 0};
    static const uint8_t metadata_9[] = {0, 0, 0, 17, 0, 3, 0, 9, 0, 0, 0, 9, 0, 1, 'x', 0, 0, 0, 0, 0, 0};
    static const uint8_t metadata_8[] = {0, 0, 0, 18,  0,    3,    0,    8,    0, 0, 0,
                                         9, 0, 1, 'x', 0xff, 0xff, 0xff, 0xff, 0, 0, 0};
    struct harness h;
    uint8_t out[64];
    size_t length_bytes;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    CU_ASSERT_TRUE(answer_of(&h, api_versions_3, sizeof api_versions_3, out, &length_bytes));
    CU_ASSERT_TRUE_FATAL(length_bytes > 10);
    CU_ASSERT_EQUAL(memcmp(out, "\0\0\0\x09\0\0\x14", 7), 0); /* no error, 19 entries */
    CU_ASSERT_TRUE(answer_of(&h, metadata_9, sizeof metadata_9, out, &length_bytes));
    CU_ASSERT_TRUE_FATAL(length_bytes > 10);
    CU_ASSERT_EQUAL(memcmp(out, "\0\0\0\x09\0\0\0\0\0\x02", 10), 0); /* tags, throttle time, one broker */
    CU_ASSERT_TRUE(answer_of(&h, metadata_8, sizeof metadata_8, out, &length_bytes));
    CU_ASSERT_TRUE_FATAL(length_bytes > 12);
    CU_ASSERT_EQUAL(memcmp(out, "\0\0\0\x09\0\0\0\0\0\0\0\x01", 12), 0);
    harness_close(&h);
}

/* Of ApiVersions every version gets an answer: one of version 0, which says what there is. */
static void unknown_versions_of_api_versions(void)
{
    struct harness h;
    uint8_t out[64];
    size_t length_bytes;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    static const uint8_t versions[][2] = {{0, 4}, {0, 5}, {0x7f, 0xff}, {0xff, 0xff}};
    for (int i = 0; i < 4; i++) {
        uint8_t frame[] = {0, 0,   0, 15, 0, 18, versions[i][0], versions[i][1], 0, 0, 0, 9, 0,
                           1, 'x', 0, 7,  7, 7};
        CU_ASSERT_TRUE(answer_of(&h, frame, sizeof frame, out, &length_bytes));
        CU_ASSERT_EQUAL(length_bytes, 16);
        CU_ASSERT_EQUAL(memcmp(out, "\0\0\0\x09\0\x23\0\0\0\x01\0\x12\0\0\0\x03", 16), 0);
    }
    harness_close(&h);
}

/* No answer, no connection. */
static void what_is_not_served(void)
{
    struct harness h;
    uint8_t out[64];
    size_t length_bytes;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    for (int i = 0; i < TABLE_COUNT; i++) {
        for (int j = 0; j < 2; j++) {
            uint8_t frame[64] = {0, 0, 0, 60};
            if (table[i].key == KW_API_API_VERSIONS) {
                continue;
            }
            kw_store_i16(frame + 4, (int16_t)table[i].key);
            kw_store_i16(frame + 6, j == 0 ? (int16_t)(table[i].max + 1) : -1);
            CU_ASSERT_FALSE(answer_of(&h, frame, sizeof frame, out, &length_bytes));
            CU_ASSERT_EQUAL(length_bytes, 0);
        }
    }
    /* What Kafka has, but not for clients, or not here; and what it does not have. */
    static const int16_t keys[] = {4,  5,  6,  7,  15, 17, 20,        21, 27,
                                   32, 36, 56, 67, 68, 99, INT16_MAX, -1, INT16_MIN};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        uint8_t frame[64] = {0, 0, 0, 60};
        kw_store_i16(frame + 4, keys[i]);
        CU_ASSERT_FALSE(answer_of(&h, frame, sizeof frame, out, &length_bytes));
        CU_ASSERT_EQUAL(length_bytes, 0);
    }
    harness_close(&h);
}

/* The pattern of KIP-511 at its edges; only version 3 has names. */
static void software_names(void)
{
    static const struct {
        const char *text;
        bool is_fine;
    } names[] = {
        {"a", true},           {"9", true},      {"apache-kafka-java", true},
        {"a.b-c.9", true},     {"A--..Z", true}, {"", false},
        {"-a", false},         {"a-", false},    {".", false},
        {"a.", false},         {"a b", false},   {"a_b", false},
        {"a\xc3\xa4z", false}, {"a/b", false},   {"(a)", false},
    };
    struct harness h;
    struct kw_api_versions_request request;
    struct kw_api_versions_response response;
    harness_open_simple(&h, 1, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 1);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct kw_string text = {names[i].text, (int32_t)strlen(names[i].text)};
        for (int j = 0; j < 2; j++) {
            kw_api_versions_request_init(&request);
            request.client_software_name = j == 0 ? text : (struct kw_string){"a", 1};
            request.client_software_version = j == 1 ? text : (struct kw_string){"a", 1};
            harness_send(&h, c, KW_API_API_VERSIONS, 3, &request);
            CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_API_VERSIONS, 3, &response, 1000000));
            CU_ASSERT_EQUAL(response.error_code, names[i].is_fine ? KW_ERROR_NONE : KW_ERROR_INVALID_REQUEST);
            CU_ASSERT_EQUAL(response.api_keys.count, names[i].is_fine ? TABLE_COUNT : 0);
        }
    }
    kw_api_versions_request_init(&request);
    harness_send(&h, c, KW_API_API_VERSIONS, 2, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_API_VERSIONS, 2, &response, 1000000));
    CU_ASSERT_EQUAL(response.error_code, KW_ERROR_NONE);
    harness_close(&h);
}

/* What clients rely on: kafka-python's first two requests, and a controller that is one of the brokers. */
static void as_clients_begin(void)
{
    struct harness h;
    struct kw_api_versions_request versions;
    struct kw_api_versions_response listed;
    struct kw_metadata_request metadata;
    struct kw_metadata_response known;
    harness_open_simple(&h, 3, 1, NULL, NULL);
    uint32_t c = harness_connect(&h, 2);
    kw_api_versions_request_init(&versions);
    kw_metadata_request_init(&metadata);
    metadata.topics.count = 0; /* version 0: all of them */
    harness_send(&h, c, KW_API_API_VERSIONS, 0, &versions);
    harness_send(&h, c, KW_API_METADATA, 0, &metadata);
    CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_API_VERSIONS, 0, &listed, 1000000));
    CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_METADATA, 0, &known, 1000000));
    CU_ASSERT_EQUAL(known.topics.count, 1);
    /* From version 1 on an empty list is none. */
    harness_send(&h, c, KW_API_METADATA, 1, &metadata);
    CU_ASSERT_TRUE_FATAL(harness_receive(&h, c, KW_API_METADATA, 1, &known, 1000000));
    CU_ASSERT_EQUAL(known.topics.count, 0);
    bool is_listed = false;
    for (int32_t i = 0; i < known.brokers.count; i++) {
        is_listed = is_listed || known.brokers.items[i].node_id == known.controller_id;
    }
    CU_ASSERT_TRUE(is_listed);
    /* kafkajs asks the controller for an idempotent producer's id; any broker gives one. */
    struct kw_init_producer_id_request init;
    struct kw_init_producer_id_response given;
    kw_init_producer_id_request_init(&init);
    init.transactional_id.length_bytes = -1;
    uint32_t d = harness_connect(&h, known.controller_id);
    harness_send(&h, d, KW_API_INIT_PRODUCER_ID, 1, &init);
    CU_ASSERT_TRUE_FATAL(harness_receive(&h, d, KW_API_INIT_PRODUCER_ID, 1, &given, 1000000));
    CU_ASSERT_EQUAL(given.error_code, KW_ERROR_NONE);
    CU_ASSERT_TRUE(given.producer_id >= 0);
    harness_close(&h);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"the table", the_table},
        {"every version is served", every_version_is_served},
        {"response headers", response_headers},
        {"unknown versions of ApiVersions", unknown_versions_of_api_versions},
        {"what is not served", what_is_not_served},
        {"software names", software_names},
        {"as clients begin", as_clients_begin},
        {0},
    };
    return unit_main("mockbroker versions", tests);
}
