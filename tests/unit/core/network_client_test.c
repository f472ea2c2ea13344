#include "core/network_client.h"

#include "core_support.h"
#include "unit.h"
#include "wire/api_frame.h"

#include <string.h>

enum { FRAME_BYTES = 4096, TIMEOUT_MS = 1000 };

struct told {
    int count;
    struct kp_client_response last;
    int releases;
};

struct fixture {
    struct known_cluster cluster;
    struct recorded_trace trace;
    struct kp_network_client *client;
    struct told told;
    struct kp_action action;
    uint8_t frame[FRAME_BYTES];
    size_t frame_bytes;
};

static void set_up(struct fixture *f, int64_t idle_ms)
{
    static const int32_t leaders[] = {0, 1, 2};

    memset(f, 0, sizeof(*f));
    known_cluster_init(&f->cluster);
    recorded_trace_init(&f->trace);
    (void)known_cluster_update(&f->cluster, "t", 3, leaders, 3);
    f->client = kp_network_client_create(
        &(struct kp_network_client_options){.allocator = &f->cluster.memory.allocator,
                                            .trace = &f->trace.trace,
                                            .metadata = f->cluster.metadata,
                                            .client_id = "c",
                                            .max_in_flight_requests_per_connection = 2,
                                            .reconnect_backoff_ms = 50,
                                            .reconnect_backoff_max_ms = 1000,
                                            .connection_setup_timeout_ms = 200,
                                            .connection_setup_timeout_max_ms = 400,
                                            .connections_max_idle_ms = idle_ms,
                                            .request_timeout_ms = TIMEOUT_MS});
    CU_ASSERT_PTR_NOT_NULL_FATAL(f->client);
}

static void tear_down(struct fixture *f)
{
    kp_network_client_destroy(f->client);
    known_cluster_release(&f->cluster);
}

static const struct kp_node *node_of(struct fixture *f, int32_t id)
{
    return kp_producer_metadata_find_node(f->cluster.metadata, id);
}

/* The next action, which must be of that kind. */
static void expect_action(struct fixture *f, enum kp_action_kind kind, int32_t node)
{
    CU_ASSERT_TRUE_FATAL(kp_network_client_next_action(f->client, &f->action));
    CU_ASSERT_EQUAL_FATAL(f->action.kind, kind);
    CU_ASSERT_EQUAL(f->action.node, node);
}

static void expect_no_action(struct fixture *f)
{
    CU_ASSERT_FALSE(kp_network_client_next_action(f->client, &f->action));
}

static void on_response(void *context, void *subject, const struct kp_client_response *response)
{
    struct told *told = context;

    CU_ASSERT_PTR_EQUAL(subject, told);
    told->count++;
    told->last = *response;
}

static void on_release(void *context, void *subject)
{
    CU_ASSERT_PTR_EQUAL(subject, context);
    ((struct told *)context)->releases++;
}

/* A request that needs no memory of its own: InitProducerId. */
static uint32_t send_init(struct fixture *f, int32_t node, bool expects_response, int64_t now_ms)
{
    struct kw_init_producer_id_request message;

    kw_init_producer_id_request_init(&message);
    message.transactional_id.length_bytes = -1;
    return kp_network_client_send(f->client,
                                  &(struct kp_client_request){.node = node,
                                                              .api_key = KW_API_INIT_PRODUCER_ID,
                                                              .latest_version = 4,
                                                              .expects_response = expects_response,
                                                              .request_timeout_ms = TIMEOUT_MS,
                                                              .message = &message,
                                                              .callback = on_response,
                                                              .release = on_release,
                                                              .context = &f->told,
                                                              .subject = &f->told},
                                  now_ms);
}

static void encode(struct fixture *f, int16_t api, int16_t version, uint32_t correlation_id, const void *body)
{
    struct kw_frame frame = {
        .api = kw_api_find(api), .version = version, .correlation_id = (int32_t)correlation_id, .body = body};
    struct kw_writer writer;

    kw_writer_init(&writer, f->frame, sizeof(f->frame));
    CU_ASSERT_EQUAL_FATAL(kw_frame_encode(&frame, &writer, NULL, NULL), KW_MESSAGE_OK);
    f->frame_bytes = writer.position_bytes - KW_FRAME_LENGTH_BYTES;
    memmove(f->frame, f->frame + KW_FRAME_LENGTH_BYTES, f->frame_bytes);
}

/* Which APIs the broker has: what a broker of 3.0.0 has, but for one. */
static void encode_versions(struct fixture *f, uint32_t correlation_id, int16_t error, int16_t version,
                            struct kw_api_versions_response_api *apis, int32_t api_count)
{
    struct kw_api_versions_response versions;

    kw_api_versions_response_init(&versions);
    versions.error_code = error;
    versions.api_keys.items = apis;
    versions.api_keys.count = api_count;
    encode(f, KW_API_API_VERSIONS, version, correlation_id, &versions);
}

static void receive(struct fixture *f, uint32_t connection, int64_t now_ms)
{
    kp_network_client_on_received(f->client, connection, f->frame, f->frame_bytes);
    kp_network_client_digest(f->client, now_ms);
}

/* Connect as far as the request for API versions, which is written. Returns the connection. */
static uint32_t connect(struct fixture *f, int32_t node, int64_t now_ms)
{
    uint32_t connection;

    CU_ASSERT_FALSE(kp_network_client_ready(f->client, node_of(f, node), now_ms));
    expect_action(f, KP_ACTION_CONNECT, node);
    connection = f->action.connection;
    kp_network_client_on_connected(f->client, connection);
    kp_network_client_digest(f->client, now_ms);
    expect_action(f, KP_ACTION_SEND, node);
    CU_ASSERT_EQUAL(f->action.api, KW_API_API_VERSIONS);
    kp_network_client_on_sent(f->client, connection);
    kp_network_client_digest(f->client, now_ms);
    return connection;
}

static uint32_t make_ready(struct fixture *f, int32_t node, int64_t now_ms)
{
    struct kw_api_versions_response_api apis[] = {{.api_key = KW_API_INIT_PRODUCER_ID, .max_version = 4},
                                                  {.api_key = KW_API_METADATA, .max_version = 11}};
    uint32_t connection = connect(f, node, now_ms);

    encode_versions(f, f->action.request, 0, 3, apis, 2);
    receive(f, connection, now_ms);
    CU_ASSERT_TRUE(kp_network_client_is_ready(f->client, node, now_ms));
    return connection;
}

static void write_it(struct fixture *f, uint32_t connection, int64_t now_ms)
{
    expect_action(f, KP_ACTION_SEND, f->action.node);
    kp_network_client_on_sent(f->client, connection);
    kp_network_client_digest(f->client, now_ms);
}

static void connects_and_asks_for_versions(void)
{
    struct fixture f;

    set_up(&f, -1);
    uint32_t connection = make_ready(&f, 1, 0);

    CU_ASSERT_EQUAL(kp_network_client_max_version(f.client, 1, KW_API_INIT_PRODUCER_ID), 4);
    CU_ASSERT_EQUAL(kp_network_client_max_version(f.client, 1, KW_API_PRODUCE), -1);
    CU_ASSERT_EQUAL(kp_network_client_max_version(f.client, 0, KW_API_METADATA), -1);
    uint32_t id = send_init(&f, 1, true, 5);

    CU_ASSERT_EQUAL(id, 1);
    /* Until it is written nothing else can be sent there. */
    CU_ASSERT_FALSE(kp_network_client_is_ready(f.client, 1, 5));
    write_it(&f, connection, 5);
    CU_ASSERT_TRUE(kp_network_client_is_ready(f.client, 1, 5));
    (void)send_init(&f, 1, true, 6);
    write_it(&f, connection, 6);
    int64_t left_ms;

    CU_ASSERT_FALSE(kp_network_client_is_ready(f.client, 1, 6));
    CU_ASSERT_EQUAL(kp_network_client_held_why(f.client, 1, 6, &left_ms), KB_HELD_INFLIGHT_FULL);
    CU_ASSERT_EQUAL(kp_network_client_in_flight_count(f.client), 2);
    struct kw_init_producer_id_response body;

    kw_init_producer_id_response_init(&body);
    body.producer_id = 77;
    encode(&f, KW_API_INIT_PRODUCER_ID, 4, id, &body);
    receive(&f, connection, 9);
    CU_ASSERT_EQUAL(f.told.count, 1);
    CU_ASSERT_EQUAL(f.told.last.correlation_id, id);
    CU_ASSERT_EQUAL(f.told.releases, 1);
    CU_ASSERT_EQUAL(
        recorded_trace_last(&f.trace, KB_EVENT_RESPONSE_RECEIVED)->as.response_received.latency_ms, 4);
    tear_down(&f);
}

static void an_older_broker_answers_in_version_0(void)
{
    struct fixture f;
    struct kw_api_versions_response_api apis[] = {{.api_key = KW_API_API_VERSIONS, .max_version = 2}};

    set_up(&f, -1);
    uint32_t connection = connect(&f, 0, 0);

    CU_ASSERT_EQUAL(f.action.version, 3);
    encode_versions(&f, f.action.request, KW_ERROR_UNSUPPORTED_VERSION, 0, apis, 1);
    receive(&f, connection, 0);
    expect_action(&f, KP_ACTION_SEND, 0);
    CU_ASSERT_EQUAL(f.action.version, 2);
    kp_network_client_on_sent(f.client, connection);
    kp_network_client_digest(f.client, 0);
    apis[0].api_key = KW_API_INIT_PRODUCER_ID;
    encode_versions(&f, f.action.request, 0, 2, apis, 1);
    receive(&f, connection, 0);
    CU_ASSERT_TRUE(kp_network_client_is_ready(f.client, 0, 0));
    (void)send_init(&f, 0, true, 0);
    expect_action(&f, KP_ACTION_SEND, 0);
    CU_ASSERT_EQUAL(f.action.version, 2);
    tear_down(&f);

    /* Any other error ends the connection. */
    set_up(&f, -1);
    connection = connect(&f, 0, 0);
    encode_versions(&f, f.action.request, KW_ERROR_CLUSTER_AUTHORIZATION_FAILED, 3, NULL, 0);
    receive(&f, connection, 0);
    expect_action(&f, KP_ACTION_CLOSE, 0);
    CU_ASSERT_TRUE(kp_network_client_connection_failed(f.client, 0));
    tear_down(&f);
}

static void what_the_broker_cannot_do_is_told_by_the_next_poll(void)
{
    struct fixture f;
    struct kw_api_versions_response_api apis[] = {
        {.api_key = KW_API_INIT_PRODUCER_ID, .min_version = 5, .max_version = 6}};
    int64_t timeout_ms = 10;

    set_up(&f, -1);
    uint32_t connection = connect(&f, 0, 0);

    encode_versions(&f, f.action.request, 0, 3, apis, 1);
    receive(&f, connection, 0);
    (void)send_init(&f, 0, true, 0);
    expect_no_action(&f);
    CU_ASSERT_EQUAL(f.told.count, 0);
    CU_ASSERT_FALSE(kp_network_client_begin_poll(f.client, &timeout_ms, 0));
    CU_ASSERT_EQUAL(f.told.count, 1);
    CU_ASSERT_TRUE(f.told.last.is_version_mismatch);
    CU_ASSERT_STRING_EQUAL(f.told.last.version_mismatch,
                           "The broker does not support INIT_PRODUCER_ID with version in range [0,4]. The "
                           "supported range is [5,6].");
    CU_ASSERT_TRUE(kp_network_client_begin_poll(f.client, &timeout_ms, 0));
    tear_down(&f);
}

/* Whatever comes, the client lives; what makes no sense ends the connection, and the request with it. */
static void hostile_bytes_end_the_connection(void)
{
    struct kw_init_producer_id_response body;

    kw_init_producer_id_response_init(&body);
    for (size_t length = 0; length < 40; length++) {
        for (int flip = -1; flip < 8; flip++) {
            struct fixture f;

            set_up(&f, -1);
            uint32_t connection = make_ready(&f, 0, 0);
            uint32_t id = send_init(&f, 0, true, 0);

            write_it(&f, connection, 0);
            encode(&f, KW_API_INIT_PRODUCER_ID, 4, id, &body);
            bool is_cut = flip < 0 && length < f.frame_bytes;
            bool is_flipped = flip >= 0 && length < f.frame_bytes;

            if (is_cut) {
                f.frame_bytes = length;
            }
            if (is_flipped) {
                f.frame[length] ^= (uint8_t)(1u << flip);
            }
            receive(&f, connection, 1);
            CU_ASSERT_EQUAL(f.told.count, 1);
            CU_ASSERT_EQUAL(f.told.releases, 1);
            if (is_cut || (is_flipped && length < 4)) /* the answer to another request */
                CU_ASSERT_TRUE(f.told.last.was_disconnected);
            if (f.told.last.was_disconnected) {
                expect_action(&f, KP_ACTION_CLOSE, 0);
                CU_ASSERT_TRUE(kp_network_client_connection_failed(f.client, 0));
            }
            tear_down(&f);
        }
    }
}

static void an_answer_that_nobody_asked_for_ends_the_connection(void)
{
    struct fixture f;

    set_up(&f, -1);
    uint32_t connection = make_ready(&f, 0, 0);

    f.frame_bytes = 16;
    receive(&f, connection, 0);
    expect_action(&f, KP_ACTION_CLOSE, 0);
    /* What is reported of a closed connection is not heard. */
    receive(&f, connection, 0);
    kp_network_client_on_disconnected(f.client, connection);
    kp_network_client_on_sent(f.client, 99);
    CU_ASSERT_FALSE(kp_network_client_has_reports(f.client));
    expect_no_action(&f);
    tear_down(&f);
}

static void a_lost_connection_fails_its_requests_in_order(void)
{
    struct fixture f;

    set_up(&f, -1);
    uint32_t connection = make_ready(&f, 0, 0);

    (void)send_init(&f, 0, true, 0);
    write_it(&f, connection, 0);
    (void)send_init(&f, 0, true, 0); /* queued only: the driver never hears of it */
    kp_network_client_on_disconnected(f.client, connection);
    kp_network_client_digest(f.client, 10);
    expect_no_action(&f);
    CU_ASSERT_EQUAL(f.told.count, 2);
    CU_ASSERT_EQUAL(f.told.releases, 2);
    CU_ASSERT_EQUAL(f.told.last.correlation_id, 2);
    CU_ASSERT_TRUE(f.told.last.was_disconnected);
    /* An update of the metadata is wanted, and the node may be tried again after the backoff. */
    CU_ASSERT_EQUAL(kp_producer_metadata_next_update_ms(f.cluster.metadata), 100);
    CU_ASSERT_EQUAL(kp_network_client_poll_delay_ms(f.client, 0, 20), 40);
    CU_ASSERT_EQUAL(kp_network_client_next_deadline_ms(f.client, 20), 60);
    CU_ASSERT_FALSE(kp_network_client_ready(f.client, node_of(&f, 0), 59));
    expect_no_action(&f);
    CU_ASSERT_FALSE(kp_network_client_ready(f.client, node_of(&f, 0), 60));
    expect_action(&f, KP_ACTION_CONNECT, 0);
    CU_ASSERT_NOT_EQUAL(f.action.connection, connection);
    tear_down(&f);
}

static void time_outs_are_strict(void)
{
    struct fixture f;

    set_up(&f, -1);
    CU_ASSERT_FALSE(kp_network_client_ready(f.client, node_of(&f, 2), 0));
    expect_action(&f, KP_ACTION_CONNECT, 2);
    kp_network_client_digest(f.client, 200);
    expect_no_action(&f);
    CU_ASSERT_EQUAL(kp_network_client_next_deadline_ms(f.client, 200), 201);
    kp_network_client_digest(f.client, 201);
    expect_action(&f, KP_ACTION_CLOSE, 2);
    tear_down(&f);

    set_up(&f, -1);
    uint32_t connection = make_ready(&f, 0, 300);

    (void)send_init(&f, 0, true, 300);
    /* Half-written: the bytes are the driver's until it takes the close. */
    expect_action(&f, KP_ACTION_SEND, 0);
    const struct kp_segment *segments = f.action.segments;

    kp_network_client_digest(f.client, 300 + TIMEOUT_MS);
    CU_ASSERT_EQUAL(f.told.count, 0);
    kp_network_client_digest(f.client, 301 + TIMEOUT_MS);
    CU_ASSERT_EQUAL(f.told.count, 1);
    CU_ASSERT_EQUAL(f.told.releases, 0);
    CU_ASSERT_EQUAL(((const uint8_t *)segments[0].bytes)[5], KW_API_INIT_PRODUCER_ID);
    expect_action(&f, KP_ACTION_CLOSE, 0);
    CU_ASSERT_EQUAL(f.action.connection, connection);
    CU_ASSERT_EQUAL(f.told.releases, 1);
    CU_ASSERT_EQUAL(recorded_trace_count(&f.trace, KB_EVENT_REQUEST_TIMED_OUT), 1);
    tear_down(&f);
}

static void without_an_answer_it_is_over_when_written(void)
{
    struct fixture f;

    set_up(&f, -1);
    uint32_t connection = make_ready(&f, 0, 0);

    (void)send_init(&f, 0, false, 0);
    CU_ASSERT_EQUAL(f.told.count, 0);
    write_it(&f, connection, 3);
    CU_ASSERT_EQUAL(f.told.count, 1);
    CU_ASSERT_PTR_NULL(f.told.last.body);
    CU_ASSERT_EQUAL(kp_network_client_in_flight_count(f.client), 0);
    tear_down(&f);
}

static void the_least_loaded_node_is_chosen(void)
{
    struct fixture f;

    set_up(&f, -1);
    /* Never tried: the first. Tried once: the one that was never tried, then the oldest attempt. */
    CU_ASSERT_EQUAL(kp_network_client_least_loaded_node(f.client, 0)->id, 0);
    uint32_t connection = connect(&f, 0, 0);

    CU_ASSERT_EQUAL(kp_network_client_least_loaded_node(f.client, 0)->id, 0); /* it is being made */
    kp_network_client_on_disconnected(f.client, connection);
    kp_network_client_digest(f.client, 0);
    CU_ASSERT_EQUAL(kp_network_client_least_loaded_node(f.client, 10)->id, 1);
    CU_ASSERT_EQUAL(kp_network_client_least_loaded_node(f.client, 1000)->id, 1);
    connection = make_ready(&f, 1, 10);
    (void)make_ready(&f, 2, 10);
    f.action.node = 1;
    (void)send_init(&f, 1, true, 10);
    write_it(&f, connection, 10);
    CU_ASSERT_EQUAL(kp_network_client_least_loaded_node(f.client, 20)->id, 2); /* nothing in flight */
    (void)send_init(&f, 2, true, 10);
    CU_ASSERT_EQUAL(kp_network_client_least_loaded_node(f.client, 20)->id, 1); /* 2 is still writing */
    tear_down(&f);
}

static void metadata_is_asked_of_it(void)
{
    struct fixture f;
    int64_t timeout_ms = INT64_MAX;

    set_up(&f, -1);
    uint32_t connection = make_ready(&f, 0, 0);

    (void)kp_producer_metadata_request_update(f.cluster.metadata, KB_METADATA_WHY_ERROR);
    CU_ASSERT_TRUE(kp_network_client_begin_poll(f.client, &timeout_ms, 99));
    CU_ASSERT_EQUAL(timeout_ms, 1);
    expect_no_action(&f);
    CU_ASSERT_TRUE(kp_network_client_is_ready(f.client, 0, 99));
    int64_t left_ms;

    /* Due, and not asked yet: no node is ready. */
    CU_ASSERT_FALSE(kp_network_client_is_ready(f.client, 0, 100));
    CU_ASSERT_TRUE((kp_network_client_held_why(f.client, 0, 100, &left_ms) & KB_HELD_METADATA_DUE) != 0);
    timeout_ms = INT64_MAX;
    CU_ASSERT_TRUE(kp_network_client_begin_poll(f.client, &timeout_ms, 100));
    CU_ASSERT_EQUAL(timeout_ms, TIMEOUT_MS);
    write_it(&f, connection, 100);
    CU_ASSERT_EQUAL(f.action.api, KW_API_METADATA);
    CU_ASSERT_TRUE(kp_network_client_is_ready(f.client, 0, 100));
    struct kw_metadata_response body;

    /* No broker in it: as good as none, and asked for again after the backoff. */
    kw_metadata_response_init(&body);
    body.throttle_time_ms = 30;
    encode(&f, KW_API_METADATA, 11, f.action.request, &body);
    receive(&f, connection, 110);
    CU_ASSERT_EQUAL(kp_producer_metadata_next_update_ms(f.cluster.metadata), 210);
    CU_ASSERT_EQUAL(kp_producer_metadata_node_count(f.cluster.metadata), 3);
    CU_ASSERT_FALSE(kp_network_client_is_ready(f.client, 0, 139));
    CU_ASSERT_TRUE(kp_network_client_is_ready(f.client, 0, 140));
    tear_down(&f);
}

static void an_idle_connection_is_closed(void)
{
    struct fixture f;

    set_up(&f, 500);
    (void)make_ready(&f, 0, 0);
    (void)make_ready(&f, 1, 100);
    kp_network_client_digest(f.client, 500);
    expect_no_action(&f);
    CU_ASSERT_EQUAL(kp_network_client_next_deadline_ms(f.client, 500), 501);
    kp_network_client_digest(f.client, 501);
    expect_action(&f, KP_ACTION_CLOSE, 0);
    expect_no_action(&f);
    kp_network_client_digest(f.client, 601);
    expect_action(&f, KP_ACTION_CLOSE, 1);
    tear_down(&f);
}

static void closing_gives_everything_up(void)
{
    struct fixture f;

    set_up(&f, -1);
    uint32_t connection = make_ready(&f, 0, 0);

    (void)send_init(&f, 0, true, 0);
    write_it(&f, connection, 0);
    kp_network_client_close(f.client, 0);
    expect_action(&f, KP_ACTION_CLOSE, 0);
    expect_no_action(&f);
    CU_ASSERT_EQUAL(f.told.count, 0);
    CU_ASSERT_EQUAL(f.told.releases, 1);
    CU_ASSERT_TRUE(kp_producer_metadata_is_closed(f.cluster.metadata));
    tear_down(&f);
}

int main(void)
{
    return unit_main(
        "network_client",
        (struct unit_test[]){
            {"connects and asks for versions", connects_and_asks_for_versions},
            {"an older broker answers in version 0", an_older_broker_answers_in_version_0},
            {"what the broker cannot do", what_the_broker_cannot_do_is_told_by_the_next_poll},
            {"hostile bytes end the connection", hostile_bytes_end_the_connection},
            {"an answer that nobody asked for", an_answer_that_nobody_asked_for_ends_the_connection},
            {"a lost connection fails its requests", a_lost_connection_fails_its_requests_in_order},
            {"time-outs are strict", time_outs_are_strict},
            {"without an answer it is over when written", without_an_answer_it_is_over_when_written},
            {"the least loaded node is chosen", the_least_loaded_node_is_chosen},
            {"metadata is asked of it", metadata_is_asked_of_it},
            {"an idle connection is closed", an_idle_connection_is_closed},
            {"closing gives everything up", closing_gives_everything_up},
            {0}});
}
