/* Quotas (rule 26): how long a client is left alone, and how that looks from outside. */

#include "harness.h"
#include "unit.h"

#include "mockbroker/client_quota.h"
#include "mockbroker/request.h"
#include "wire/api_frame.h"

#include <stdlib.h>
#include <string.h>

static void open_with(struct harness *h, uint32_t brokers, const struct mb_setting *settings,
                      const struct mb_quota_options *quotas, uint32_t quota_count)
{
    static const int32_t ids[] = {1, 2};
    struct mb_topic_options topic = {.name = "t", .partition_count = 2, .replication_factor = 1};
    struct mb_options options = {.broker_ids = ids,
                                 .broker_count = brokers,
                                 .settings = settings,
                                 .setting_count = settings == NULL ? 0 : 2,
                                 .topics = &topic,
                                 .topic_count = 1,
                                 .quotas = quotas,
                                 .quota_count = quota_count,
                                 .epoch_ms = 1600000000000};
    harness_open(h, &options);
}

/* --- The rate --- */

struct step {
    int64_t wait_ms;
    int64_t bytes;
    int32_t throttle_ms;
};

enum { STEPS = 24 };

/* What Kafka 3.0.0's Rate and QuotaUtils.throttleTime say, run with these numbers. */
static const struct {
    const char *samples;
    const char *window_s;
    int64_t rate;
    struct step steps[STEPS];
} vectors[] = {
    {"4",
     "1",
     900,
     {
         {0, 320, 0},      {1000, 1577, 0},    {1000, 3174, 2634},  {2000, 2553, 5116},  {1000, 2605, 6258},
         {0, 9626, 16953}, {999, 2414, 18637}, {2000, 3037, 18484}, {1000, 3028, 19012}, {1000, 1279, 5160},
         {0, 2071, 7461},  {2000, 200, 4309},  {1000, 614, 1627},   {999, 341, 1007},    {1000, 1728, 0},
         {4000, 1613, 0},  {1000, 1815, 809},  {1000, 8930, 10731}, {1000, 2434, 13436}, {2000, 1591, 11394},
         {0, 2877, 14591}, {1000, 2669, 7634}, {1000, 1060, 6108},  {2000, 9698, 11919},
     }},
    {"11",
     "1",
     1000,
     {
         {0, 1766, 0},       {0, 1003, 0},        {294, 656, 0},      {26, 295, 0},        {547, 2522, 0},
         {135, 11114, 7354}, {0, 2142, 9496},     {3945, 792, 9343},  {181, 216, 10378},   {207, 1025, 11196},
         {0, 2012, 13208},   {3767, 3206, 16647}, {245, 1875, 18277}, {0, 3021, 21298},    {19, 394, 21673},
         {30000, 2137, 0},   {483, 257, 0},       {2401, 1994, 0},    {75, 1346, 0},       {810, 2554, 0},
         {190, 1521, 0},     {3546, 742, 46},     {192, 3068, 2922},  {594, 16412, 19740},
     }},
    {"3",
     "1",
     700,
     {
         {0, 1824, 606},      {0, 2998, 4889},     {0, 873, 6136},     {3909, 668, 0},      {88, 602, 0},
         {2694, 8090, 10589}, {1868, 2830, 12732}, {0, 2019, 15616},   {832, 798, 16924},   {726, 637, 6419},
         {331, 1474, 8194},   {425, 7472, 19443},  {883, 2177, 14161}, {1020, 1827, 16751}, {550, 2243, 6354},
         {30000, 2409, 1441}, {3588, 247, 0},      {76, 4982, 5394},   {3057, 3090, 2414},  {662, 454, 2401},
         {522, 3036, 7216},   {781, 1648, 8789},   {0, 331, 9262},     {473, 11264, 25881},
     }},
    {"1",
     "2",
     5000,
     {
         {0, 2055, 0},     {367, 422, 128},   {507, 2533, 128},   {0, 2230, 574},    {7, 2264, 1020},
         {0, 14048, 3829}, {809, 2045, 3429}, {2617, 1193, 0},    {762, 1929, 0},    {0, 3121, 487},
         {728, 1051, 0},   {364, 938, 0},     {0, 490, 0},        {217, 780, 0},     {418, 813, 0},
         {30000, 255, 0},  {500, 1683, 0},    {199, 13616, 2412}, {528, 3036, 2491}, {315, 1759, 2528},
         {839, 2010, 0},   {867, 3191, 173},  {3576, 1788, 0},    {811, 7076, 962},
     }},
    {"11",
     "1",
     333,
     {
         {0, 2665, 0},        {0, 1017, 1057},     {496, 787, 2924},    {0, 2894, 11615},
         {0, 713, 13756},     {439, 5594, 30116},  {94, 2631, 38923},   {0, 685, 40980},
         {0, 637, 42893},     {1158, 3090, 52014}, {1900, 218, 52769},  {539, 13100, 91569},
         {3110, 1920, 97225}, {535, 652, 99648},   {402, 1692, 104327}, {30000, 555, 0},
         {0, 2958, 550},      {338, 9914, 29983},  {265, 1030, 32811},  {0, 1679, 37853},
         {0, 2165, 44355},    {371, 1013, 47026},  {696, 619, 49189},   {617, 13328, 89596},
     }},
};

static void rates(void)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct mb_setting settings[] = {{"quota.window.num", vectors[i].samples},
                                        {"quota.window.size.seconds", vectors[i].window_s}};
        struct mb_quota_options quota = {.producer_byte_rate = vectors[i].rate};
        struct harness h;
        open_with(&h, 1, settings, &quota, 1);
        struct mb_request request = {.cluster = h.cluster};
        request.quota_sensor = mb_quota_sensor_of(&h.cluster->brokers[0], (struct kw_string){"shop", 4});
        CU_ASSERT_PTR_NOT_NULL_FATAL(request.quota_sensor);
        for (int j = 0; j < STEPS; j++) {
            const struct step *step = &vectors[i].steps[j];
            h.cluster->now_us += step->wait_ms * 1000;
            CU_ASSERT_EQUAL(mb_quota_record(&request, MB_QUOTA_PRODUCE, step->bytes), step->throttle_ms);
            CU_ASSERT_EQUAL(mb_quota_record(&request, MB_QUOTA_FETCH, step->bytes), 0);
        }
        h.now_us = h.cluster->now_us;
        harness_close(&h);
    }
}

static void unrecorded(void)
{
    struct mb_quota_options quota = {.consumer_byte_rate = 1000};
    struct harness h;
    open_with(&h, 1, NULL, &quota, 1);
    struct mb_request request = {.cluster = h.cluster};
    request.quota_sensor = mb_quota_sensor_of(&h.cluster->brokers[0], (struct kw_string){"shop", 4});
    CU_ASSERT_EQUAL(mb_quota_record(&request, MB_QUOTA_FETCH, 5000), 0);
    CU_ASSERT_EQUAL(mb_quota_record(&request, MB_QUOTA_FETCH, 8000), 3000);
    mb_quota_unrecord(&request, MB_QUOTA_FETCH, 8000);
    CU_ASSERT_EQUAL(mb_quota_record(&request, MB_QUOTA_FETCH, 5000), 0);
    CU_ASSERT_EQUAL(mb_quota_record(&request, MB_QUOTA_FETCH, 1), 1);
    harness_close(&h);
}

static void the_largest_rate_limits_nothing(void)
{
    struct mb_quota_options quota = {.producer_byte_rate = INT64_MAX, .consumer_byte_rate = INT64_MAX};
    struct harness h;
    open_with(&h, 1, NULL, &quota, 1);
    struct mb_request request = {.cluster = h.cluster};
    request.quota_sensor = mb_quota_sensor_of(&h.cluster->brokers[0], (struct kw_string){"shop", 4});
    CU_ASSERT_EQUAL(mb_quota_record(&request, MB_QUOTA_PRODUCE, 1000000000000), 0);
    CU_ASSERT_EQUAL(mb_quota_most_bytes(&request, MB_QUOTA_FETCH), INT32_MAX);
    harness_close(&h);
}

/* --- Requests --- */

/* Send a frame as this client (NULL: without an id); its bytes without the length. */
static int64_t send_as(struct harness *h, uint32_t c, const char *client_id, enum kw_api_key api,
                       int16_t version, const void *body)
{
    struct kw_frame frame = {.api = kw_api_find((int16_t)api),
                             .version = version,
                             .is_request = true,
                             .correlation_id = ++h->next_correlation,
                             .client_id = {client_id, client_id == NULL ? -1 : (int32_t)strlen(client_id)},
                             .body = body};
    size_t size_bytes = 0;
    struct kw_message_error error;
    struct kw_writer writer;
    CU_ASSERT_EQUAL_FATAL(kw_frame_size(&frame, &size_bytes, NULL, &error), KW_MESSAGE_OK);
    uint8_t *bytes = malloc(size_bytes);
    kw_writer_init(&writer, bytes, size_bytes);
    CU_ASSERT_EQUAL_FATAL(kw_frame_encode(&frame, &writer, NULL, &error), KW_MESSAGE_OK);
    harness_send_bytes(h, c, bytes, size_bytes);
    free(bytes);
    return (int64_t)size_bytes - KW_FRAME_LENGTH_BYTES;
}

static int64_t produce_as(struct harness *h, uint32_t c, const char *client_id, int32_t partition,
                          int16_t acks, int32_t value_bytes)
{
    struct harness_batch batch = {.records = 1, .value_bytes = value_bytes};
    struct kw_produce_request request;
    struct kw_produce_request_topic topic;
    struct kw_produce_request_partition item;
    kw_produce_request_init(&request);
    kw_produce_request_topic_init(&topic);
    kw_produce_request_partition_init(&item);
    item.index = partition;
    item.records = harness_batch(h, &batch);
    topic.name = (struct kw_string){"t", 1};
    topic.partition_data.items = &item;
    topic.partition_data.count = 1;
    request.acks = acks;
    request.timeout_ms = 1000;
    request.topic_data.items = &topic;
    request.topic_data.count = 1;
    return send_as(h, c, client_id, KW_API_PRODUCE, 9, &request);
}

/* The throttle time of the next produce answer; -1: none comes within a second. */
static int32_t throttle_time(struct harness *h, uint32_t c)
{
    struct kw_produce_response response;
    return harness_receive(h, c, KW_API_PRODUCE, 9, &response, 1000000) ? response.throttle_time_ms : -1;
}

/* Ten whole windows are assumed at least: rate * 10 bytes are free, each more costs its time. */
static void answered_at_once_and_muted(void)
{
    struct mb_quota_options quota = {.producer_byte_rate = 1000};
    struct harness h;
    open_with(&h, 1, NULL, &quota, 1);
    uint32_t c = harness_connect(&h, 1);
    int64_t sent = produce_as(&h, c, "shop", 0, 1, 5000);
    CU_ASSERT_EQUAL(throttle_time(&h, c), 0);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_QUOTA_EXCEEDED], 0);
    sent += produce_as(&h, c, "shop", 0, 1, 8000);
    (void)produce_as(&h, c, "shop", 0, 1, 1); /* is in the socket already */
    int64_t before_us = h.now_us;
    int64_t throttle_ms = sent - 10000 - 1; /* the second request came one millisecond later */
    CU_ASSERT_EQUAL(throttle_time(&h, c), throttle_ms);
    CU_ASSERT_EQUAL(h.now_us, before_us + 1000); /* the way there and back */
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_QUOTA_EXCEEDED], 1);
    CU_ASSERT_EQUAL(h.last_events[KB_EVENT_QUOTA_EXCEEDED].as.quota_exceeded.throttle_ms, throttle_ms);
    /* The next one is read when the time is over; others of the same client are not muted by that. */
    uint32_t other = harness_connect(&h, 1);
    (void)produce_as(&h, other, "shop", 0, 1, 1);
    CU_ASSERT_TRUE(throttle_time(&h, other) > throttle_ms);
    CU_ASSERT_EQUAL(throttle_time(&h, c), -1);
    harness_run(&h, before_us + 500 + throttle_ms * 1000 - 1 - h.now_us);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_LEADER_APPENDED], 3);
    harness_run(&h, 1);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_LEADER_APPENDED], 4);
    harness_close(&h);
}

/* A request that is refused counts like any other; a produce with acks=0 mutes, too, though nobody is told.
 */
static void without_an_answer(void)
{
    struct mb_quota_options quota = {.producer_byte_rate = 1000};
    struct harness h;
    open_with(&h, 2, NULL, &quota, 1);
    uint32_t c = harness_connect(&h, 1);
    int64_t sent = produce_as(&h, c, "shop", 0, 0, 12000);
    (void)produce_as(&h, c, "shop", 0, 0, 10);
    harness_run(&h, 1000);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_QUOTA_EXCEEDED], 1);
    harness_run(&h, (sent - 10000) * 1000 - 1000);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_LEADER_APPENDED], 1);
    harness_run(&h, 1000000);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_LEADER_APPENDED], 2);
    CU_ASSERT_TRUE(harness_is_open(&h, c));
    uint32_t wrong = harness_connect(&h, 2);
    (void)produce_as(&h, wrong, "shop", 0, 1, 20000); /* broker 1 leads */
    struct kw_produce_response response;
    CU_ASSERT_TRUE_FATAL(harness_receive(&h, wrong, KW_API_PRODUCE, 9, &response, 1000000));
    CU_ASSERT_EQUAL(response.responses.items[0].partition_responses.items[0].error_code,
                    KW_ERROR_NOT_LEADER_OR_FOLLOWER);
    CU_ASSERT_TRUE(response.throttle_time_ms > 10000);
    harness_close(&h);
}

/* Its own quota, else the default one; per client id, per broker and per kind; without an id there is none.
 */
static void whose_quota(void)
{
    struct mb_quota_options quotas[] = {{.producer_byte_rate = 1000},
                                        {.client_id = "large", .producer_byte_rate = 1000000},
                                        {.client_id = "reader", .consumer_byte_rate = 5}};
    struct harness h;
    open_with(&h, 2, NULL, quotas, 3);
    uint32_t c = harness_connect(&h, 1);
    (void)produce_as(&h, c, "large", 0, 1, 50000);
    CU_ASSERT_EQUAL(throttle_time(&h, c), 0);
    (void)produce_as(&h, c, NULL, 0, 1, 50000);
    CU_ASSERT_EQUAL(throttle_time(&h, c), 0);
    (void)produce_as(&h, c, "", 0, 1, 50000);
    CU_ASSERT_EQUAL(throttle_time(&h, c), 0);
    (void)produce_as(&h, c, "shop", 0, 1, 9000);
    CU_ASSERT_EQUAL(throttle_time(&h, c), 0);
    (void)produce_as(&h, c, "shop2", 0, 1, 9000);
    CU_ASSERT_EQUAL(throttle_time(&h, c), 0);
    uint32_t d = harness_connect(&h, 2);
    (void)produce_as(&h, d, "shop", 1, 1, 9000);
    CU_ASSERT_EQUAL(throttle_time(&h, d), 0);
    /* "reader" has no quota of its own for what it produces. */
    (void)produce_as(&h, d, "reader", 1, 1, 11000);
    CU_ASSERT_TRUE(throttle_time(&h, d) > 1000);
    (void)produce_as(&h, c, "shop", 0, 1, 9000);
    CU_ASSERT_TRUE(throttle_time(&h, c) > 8000);
    harness_close(&h);
    /* A broker that is restarted has forgotten. */
    open_with(&h, 2, NULL, quotas, 1);
    d = harness_connect(&h, 2);
    (void)produce_as(&h, d, "shop", 1, 1, 9000);
    CU_ASSERT_EQUAL(throttle_time(&h, d), 0);
    mb_kill(h.cluster, 2, h.now_us);
    mb_restart(h.cluster, 2, h.now_us);
    for (int i = 0; i < 100 && !mb_broker_is_up(h.cluster, 2); i++) {
        harness_run(&h, 100000);
    }
    d = harness_connect(&h, 2);
    (void)produce_as(&h, d, "shop", 1, 1, 9000);
    CU_ASSERT_EQUAL(throttle_time(&h, d), 0);
    harness_close(&h);
}

static struct kw_fetch_response fetch_as(struct harness *h, uint32_t c, const char *client_id,
                                         int32_t max_bytes)
{
    struct kw_fetch_request request;
    struct kw_fetch_request_topic topic;
    struct kw_fetch_request_partition part;
    struct kw_fetch_response response;
    kw_fetch_request_init(&request);
    kw_fetch_request_topic_init(&topic);
    kw_fetch_request_partition_init(&part);
    part.partition_max_bytes = INT32_MAX;
    topic.topic = (struct kw_string){"t", 1};
    topic.partitions.items = &part;
    topic.partitions.count = 1;
    request.replica_id = -1;
    request.max_bytes = max_bytes;
    request.session_epoch = -1;
    request.topics.items = &topic;
    request.topics.count = 1;
    (void)send_as(h, c, client_id, KW_API_FETCH, 11, &request);
    CU_ASSERT_TRUE_FATAL(harness_receive(h, c, KW_API_FETCH, 11, &response, 100000000));
    return response;
}

static int32_t records_bytes(const struct kw_fetch_response *response)
{
    return response->responses.count == 0
               ? 0
               : response->responses.items[0].partitions.items[0].records.length_bytes;
}

/* A consumer over its quota is answered with nothing, and that nothing counts for nothing. */
static void consumers(void)
{
    struct mb_quota_options quota = {.consumer_byte_rate = 1000};
    struct harness h;
    open_with(&h, 1, NULL, &quota, 1);
    uint32_t c = harness_connect(&h, 1);
    for (int i = 0; i < 6; i++) {
        (void)produce_as(&h, c, "shop", 0, 1, 4000 - 70);
        CU_ASSERT_EQUAL(throttle_time(&h, c), 0);
    }
    struct kw_fetch_response response = fetch_as(&h, c, "reader", 4000);
    CU_ASSERT_EQUAL(response.throttle_time_ms, 0);
    CU_ASSERT_TRUE(records_bytes(&response) > 3900 && records_bytes(&response) < 4100);
    response = fetch_as(&h, c, "reader", 4000);
    CU_ASSERT_EQUAL(response.throttle_time_ms, 0);
    int64_t before_us = h.now_us;
    response = fetch_as(&h, c, "reader", 4000);
    CU_ASSERT_TRUE(response.throttle_time_ms > 1900 && response.throttle_time_ms < 2400);
    CU_ASSERT_EQUAL(response.responses.count, 0);
    CU_ASSERT_EQUAL(h.now_us, before_us + 1000);
    /* It is read from again when the time is over; and at last, when old samples go, it gets what it wants.
     */
    int64_t muted_ms = response.throttle_time_ms;
    response = fetch_as(&h, c, "reader", 4000);
    CU_ASSERT_EQUAL(h.now_us, before_us + 1000 + muted_ms * 1000);
    for (int i = 0; i < 10 && response.throttle_time_ms > 0; i++) {
        response = fetch_as(&h, c, "reader", 4000);
    }
    CU_ASSERT_EQUAL(response.throttle_time_ms, 0);
    CU_ASSERT_TRUE(records_bytes(&response) > 3900);
    CU_ASSERT_TRUE(h.now_us - before_us < 14000000);
    /* Whoever asks for everything gets at most ten seconds' worth: two batches, not six. */
    response = fetch_as(&h, c, "other", INT32_MAX);
    CU_ASSERT_EQUAL(response.throttle_time_ms, 0);
    CU_ASSERT_TRUE(records_bytes(&response) > 7900 && records_bytes(&response) < 10000);
    harness_close(&h);
}

/* fetch.max.bytes holds for everybody. */
static void the_brokers_limit(void)
{
    struct mb_setting settings[] = {{"fetch.max.bytes", "5000"}, {"quota.window.num", "11"}};
    struct harness h;
    open_with(&h, 1, settings, NULL, 0);
    uint32_t c = harness_connect(&h, 1);
    for (int i = 0; i < 3; i++) {
        (void)produce_as(&h, c, "shop", 0, 1, 2000);
        CU_ASSERT_EQUAL(throttle_time(&h, c), 0);
    }
    struct kw_fetch_response response = fetch_as(&h, c, "reader", INT32_MAX);
    CU_ASSERT_TRUE(records_bytes(&response) > 4000 && records_bytes(&response) <= 5000);
    harness_close(&h);
}

static void options_are_checked(void)
{
    static const int32_t ids[] = {1};
    static const struct mb_quota_options wrong[][2] = {
        {{.client_id = "", .producer_byte_rate = 1}, {.producer_byte_rate = 1}},
        {{.producer_byte_rate = -1}, {.client_id = "a", .producer_byte_rate = 1}},
        {{.client_id = "a", .consumer_byte_rate = -1, .producer_byte_rate = 1}, {.producer_byte_rate = 1}},
        {{.client_id = "a"}, {.producer_byte_rate = 1}},
        {{.producer_byte_rate = 1}, {.consumer_byte_rate = 1}},
        {{.client_id = "a", .producer_byte_rate = 1}, {.client_id = "a", .consumer_byte_rate = 1}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct mb_options options = {
            .broker_ids = ids, .broker_count = 1, .quotas = wrong[i], .quota_count = 2};
        struct mb_cluster *cluster = NULL;
        struct mb_error error = {{0}};
        CU_ASSERT_FALSE(mb_cluster_create(&options, 0, &cluster, &error));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "quota of client id"));
    }
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"rates", rates},
        {"unrecorded", unrecorded},
        {"the largest rate", the_largest_rate_limits_nothing},
        {"answered at once and muted", answered_at_once_and_muted},
        {"without an answer", without_an_answer},
        {"whose quota", whose_quota},
        {"consumers", consumers},
        {"fetch.max.bytes", the_brokers_limit},
        {"options are checked", options_are_checked},
        {0},
    };
    return unit_main("mockbroker quotas", tests);
}
