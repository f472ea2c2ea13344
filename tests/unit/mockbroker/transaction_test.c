/* Transactions: the coordinator's states, the markers, and what consumers see. */

#include "transaction_client.h"
#include "unit.h"

#include "base/allocator.h"
#include "mockbroker/producer_state.h"

static const struct mb_setting few_partitions[] = {
    {"transaction.state.log.num.partitions", "5"}, {"offsets.topic.num.partitions", "3"}, {NULL, NULL}};

/* Four brokers: "t" is on broker 1 (and 2 with a factor of 2), what the coordinator writes is on 2, 3 and 4.
 */
static void open_apart(struct harness *h, struct transaction_client *client, int32_t factor)
{
    harness_open_simple(h, 4, factor, few_partitions, NULL);
    harness_run(h, 10000);
    client_open(client, h, 1);
    CU_ASSERT_EQUAL_FATAL(client->broker, 2);
    CU_ASSERT_EQUAL_FATAL(harness_partition(h).leader, 1);
}

static void open_cluster(struct harness *h, struct transaction_client *client, uint32_t brokers)
{
    harness_open_simple(h, brokers, (int32_t)brokers, few_partitions, NULL);
    harness_run(h, 10000);
    client_open(client, h, 1);
}

/* The producer ids and epochs of rule 23. */
static void init_producer_id(void)
{
    struct harness h;
    struct transaction_client client;
    open_cluster(&h, &client, 1);
    CU_ASSERT_EQUAL(client_init(&client, 900001), KW_ERROR_INVALID_TRANSACTION_TIMEOUT);
    CU_ASSERT_EQUAL(client_init(&client, 0), KW_ERROR_INVALID_TRANSACTION_TIMEOUT);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    CU_ASSERT_EQUAL(client.producer_epoch, 0);
    int64_t id = client.producer_id;
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    CU_ASSERT_EQUAL(client.producer_id, id);
    CU_ASSERT_EQUAL(client.producer_epoch, 1);
    /* A client that knows its epoch bumps it; asked once more it is told the same; an older one is fenced. */
    CU_ASSERT_EQUAL(client_init_again(&client, id, 1), 0);
    CU_ASSERT_EQUAL(client.producer_epoch, 2);
    CU_ASSERT_EQUAL(client_init_again(&client, id, 1), 0);
    CU_ASSERT_EQUAL(client.producer_epoch, 2);
    CU_ASSERT_EQUAL(client_init_again(&client, id, 0), KW_ERROR_PRODUCER_FENCED);
    CU_ASSERT_EQUAL(client_init_again(&client, id + 5, 2), KW_ERROR_PRODUCER_FENCED);
    harness_close(&h);
}

static void epochs_run_out(void)
{
    struct harness h;
    struct transaction_client client;
    open_cluster(&h, &client, 1);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    int64_t id = client.producer_id;
    while (client.producer_epoch < INT16_MAX - 1) {
        CU_ASSERT_EQUAL_FATAL(client_init(&client, 60000), 0);
        CU_ASSERT_EQUAL_FATAL(client.producer_id, id);
    }
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    CU_ASSERT_NOT_EQUAL(client.producer_id, id);
    CU_ASSERT_EQUAL(client.producer_epoch, 0);
    harness_close(&h);
}

static void an_open_transaction_is_fenced(void)
{
    struct harness h;
    struct transaction_client client;
    open_cluster(&h, &client, 1);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    CU_ASSERT_EQUAL(client_add_partition(&client, 0), 0);
    CU_ASSERT_EQUAL(client_produce(&client, c, 0, 2).error_code, 0);
    struct transaction_client old = client;
    CU_ASSERT_EQUAL(client_init(&client, 60000), KW_ERROR_CONCURRENT_TRANSACTIONS);
    CU_ASSERT_EQUAL(client_init_patiently(&client, 60000), 0);
    CU_ASSERT_EQUAL(client.producer_epoch, 2); /* one to fence, one for the client */
    CU_ASSERT_EQUAL(client_add_partition(&old, 0), KW_ERROR_PRODUCER_FENCED);
    CU_ASSERT_EQUAL(client_end(&old, true), KW_ERROR_PRODUCER_FENCED);
    /* The marker carries the new epoch: the old producer cannot even write. */
    CU_ASSERT_EQUAL(client_produce(&old, c, 2, 1).error_code, KW_ERROR_INVALID_PRODUCER_EPOCH);
    struct seen seen = consume(&h, c, 0, 1);
    CU_ASSERT_EQUAL(seen.last_stable_offset, 3);
    CU_ASSERT_EQUAL(seen.aborted_count, 1);
    CU_ASSERT_EQUAL(h.last_events[KB_EVENT_MARKER_APPENDED].as.marker_appended.marker, KB_MARKER_ABORT);
    harness_close(&h);
}

/* Rules 23 and 24: who may add, and what an end means in each state. */
static void adding_and_ending(void)
{
    struct harness h;
    struct transaction_client client;
    open_cluster(&h, &client, 1);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    struct transaction_client wrong = client;
    wrong.producer_id++;
    CU_ASSERT_EQUAL(client_add_partition(&wrong, 0), KW_ERROR_INVALID_PRODUCER_ID_MAPPING);
    CU_ASSERT_EQUAL(client_end(&wrong, true), KW_ERROR_INVALID_PRODUCER_ID_MAPPING);
    wrong = client;
    wrong.producer_epoch++;
    CU_ASSERT_EQUAL(client_add_partition(&wrong, 0), KW_ERROR_PRODUCER_FENCED);
    CU_ASSERT_EQUAL(client_add_partition(&client, 9), KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
    CU_ASSERT_EQUAL(client_end(&client, true), KW_ERROR_INVALID_TXN_STATE); /* empty */
    CU_ASSERT_EQUAL(client_add_partition(&client, 0), 0);
    CU_ASSERT_EQUAL(client_add_partition(&client, 0), 0); /* nothing new: nothing logged */
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_TRANSACTION_LOGGED], 2);
    CU_ASSERT_EQUAL(client_end(&client, true), 0);
    harness_run(&h, 100000);
    CU_ASSERT_EQUAL(client_end(&client, true), 0); /* again, the same */
    CU_ASSERT_EQUAL(client_end(&client, false), KW_ERROR_INVALID_TXN_STATE);
    CU_ASSERT_EQUAL(client_add_partition(&client, 0), 0);
    CU_ASSERT_EQUAL(client_end(&client, false), 0);
    harness_run(&h, 100000);
    CU_ASSERT_EQUAL(client_end(&client, false), 0);
    CU_ASSERT_EQUAL(client_end(&client, true), KW_ERROR_INVALID_TXN_STATE);
    /* Empty, Ongoing, PrepareCommit, CompleteCommit, Ongoing, PrepareAbort, CompleteAbort. */
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_TRANSACTION_LOGGED], 7);
    harness_close(&h);
}

/* The client is answered when the end is decided; until the markers are written there is no other one. */
static void the_reply_comes_before_the_markers(void)
{
    struct harness h;
    struct transaction_client client;
    open_apart(&h, &client, 1);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    CU_ASSERT_EQUAL(client_add_partition(&client, 0), 0);
    CU_ASSERT_EQUAL(client_produce(&client, c, 0, 3).error_code, 0);
    harness_cut(&h, 2, 1);
    CU_ASSERT_EQUAL(client_end(&client, true), 0);
    harness_run(&h, 1000000);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_MARKER_APPENDED], 0);
    CU_ASSERT_EQUAL(consume(&h, c, 0, 1).batches, 0); /* decided, but nobody has told the partition */
    CU_ASSERT_EQUAL(client_add_partition(&client, 0), KW_ERROR_CONCURRENT_TRANSACTIONS);
    CU_ASSERT_EQUAL(client_end(&client, true), KW_ERROR_CONCURRENT_TRANSACTIONS);
    CU_ASSERT_EQUAL(client_init(&client, 60000), KW_ERROR_CONCURRENT_TRANSACTIONS);
    harness_heal(&h);
    harness_run(&h, 3000000);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_MARKER_APPENDED], 1);
    struct seen seen = consume(&h, c, 0, 1);
    CU_ASSERT_EQUAL(seen.batches, 2);
    CU_ASSERT_EQUAL(seen.markers, 1);
    CU_ASSERT_EQUAL(seen.end_offset, 4);
    CU_ASSERT_EQUAL(seen.aborted_count, 0);
    harness_close(&h);
}

/* Rule 25. */
static void what_consumers_see(void)
{
    struct harness h;
    struct transaction_client client;
    struct harness_batch plain = {.records = 2, .value_bytes = 5};
    open_cluster(&h, &client, 1);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, -1, 5000, harness_batch(&h, &plain)).base_offset, 0);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    CU_ASSERT_EQUAL(client_add_partition(&client, 0), 0);
    CU_ASSERT_EQUAL(client_produce(&client, c, 0, 3).base_offset, 2);
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, -1, 5000, harness_batch(&h, &plain)).base_offset, 5);
    /* Open: read_committed stops before it, and before what stands behind it. */
    struct seen seen = consume(&h, c, 0, 1);
    CU_ASSERT_EQUAL(seen.high_watermark, 7);
    CU_ASSERT_EQUAL(seen.last_stable_offset, 2);
    CU_ASSERT_EQUAL(seen.end_offset, 2);
    CU_ASSERT_EQUAL(seen.aborted_count, 0);
    CU_ASSERT_EQUAL(list_latest(&h, c, 1), 2);
    CU_ASSERT_EQUAL(list_latest(&h, c, 0), 7);
    seen = consume(&h, c, 0, 0);
    CU_ASSERT_EQUAL(seen.end_offset, 7);
    CU_ASSERT_EQUAL(seen.last_stable_offset, 2);
    CU_ASSERT_EQUAL(seen.aborted_count, -1);
    /* The same producer without a transaction, while one is open. */
    struct harness_batch foreign = {.records = 1,
                                    .value_bytes = 5,
                                    .has_producer = true,
                                    .producer_id = client.producer_id,
                                    .base_sequence = 3};
    CU_ASSERT_EQUAL(harness_produce(&h, c, 0, -1, 5000, harness_batch(&h, &foreign)).error_code,
                    KW_ERROR_INVALID_TXN_STATE);
    /* Aborted: everything can be read, and the answer says what to leave out. */
    CU_ASSERT_EQUAL(client_end(&client, false), 0);
    harness_run(&h, 100000);
    seen = consume(&h, c, 0, 1);
    CU_ASSERT_EQUAL(seen.last_stable_offset, 8);
    CU_ASSERT_EQUAL(seen.end_offset, 8);
    CU_ASSERT_EQUAL(seen.markers, 1);
    CU_ASSERT_EQUAL(seen.aborted_count, 1);
    CU_ASSERT_EQUAL(seen.aborted_producer_id, client.producer_id);
    CU_ASSERT_EQUAL(seen.aborted_first_offset, 2);
    CU_ASSERT_EQUAL(consume(&h, c, 8, 1).aborted_count, 0); /* nothing of it is left to read */
    /* Sequences go on over the marker. */
    CU_ASSERT_EQUAL(client_add_partition(&client, 0), 0);
    CU_ASSERT_EQUAL(client_produce(&client, c, 3, 1).base_offset, 8);
    CU_ASSERT_EQUAL(client_end(&client, true), 0);
    harness_run(&h, 100000);
    CU_ASSERT_EQUAL(consume(&h, c, 8, 1).aborted_count, 0);
    CU_ASSERT_EQUAL(list_latest(&h, c, 1), 10);
    harness_close(&h);
}

static void a_late_transaction_is_aborted(void)
{
    struct harness h;
    struct transaction_client client;
    open_cluster(&h, &client, 1);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(client_init(&client, 4000), 0);
    CU_ASSERT_EQUAL(client_add_partition(&client, 0), 0);
    CU_ASSERT_EQUAL(client_produce(&client, c, 0, 1).error_code, 0);
    harness_run(&h, 9500000 - h.now_us); /* late, but nobody has looked */
    CU_ASSERT_EQUAL(consume(&h, c, 0, 1).last_stable_offset, 0);
    harness_run(&h, 1000000);
    struct seen seen = consume(&h, c, 0, 1);
    CU_ASSERT_EQUAL(seen.last_stable_offset, 2);
    CU_ASSERT_EQUAL(seen.aborted_count, 1);
    CU_ASSERT_EQUAL(client_end(&client, true), KW_ERROR_PRODUCER_FENCED);
    CU_ASSERT_EQUAL(client_init(&client, 4000), 0);
    CU_ASSERT_EQUAL(client.producer_epoch, 2);
    harness_close(&h);
}

/* The state is a log: another broker goes on with it, and decides nothing anew. */
static void the_coordinator_fails_over(void)
{
    struct harness h;
    struct transaction_client client;
    open_cluster(&h, &client, 3);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    CU_ASSERT_EQUAL(client_add_partition(&client, 0), 0);
    uint32_t c = harness_connect(&h, harness_partition(&h).leader);
    CU_ASSERT_EQUAL(client_produce(&client, c, 0, 2).error_code, 0);
    int32_t old_broker = client.broker;
    int64_t id = client.producer_id;
    mb_kill(h.cluster, old_broker, h.now_us);
    harness_run(&h, 8000000);
    client_open(&client, &h, old_broker == 1 ? 2 : 1);
    CU_ASSERT_NOT_EQUAL(client.broker, old_broker);
    client.producer_id = id;
    client.producer_epoch = 0;
    CU_ASSERT_EQUAL(client_end(&client, true), 0);
    harness_run(&h, 3000000);
    c = harness_connect(&h, harness_partition(&h).leader);
    struct seen seen = consume(&h, c, 0, 1);
    CU_ASSERT_EQUAL(seen.end_offset, 3);
    CU_ASSERT_EQUAL(seen.markers, 1);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    CU_ASSERT_EQUAL(client.producer_id, id);
    CU_ASSERT_EQUAL(client.producer_epoch, 1);
    /* Who asks the wrong one is told so; one that is just elected has to read first. */
    struct transaction_client lost = client;
    lost.coordinator = harness_connect(&h, client.broker == 3 ? 2 : client.broker == 2 ? 1 : 2);
    if (h.clients[lost.coordinator].is_open) {
        CU_ASSERT_EQUAL(client_init(&lost, 60000), KW_ERROR_NOT_COORDINATOR);
    }
    harness_close(&h);
}

static void a_decision_survives_its_coordinator(void)
{
    struct harness h;
    struct transaction_client client;
    open_apart(&h, &client, 1);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    CU_ASSERT_EQUAL(client_add_partition(&client, 0), 0);
    CU_ASSERT_EQUAL(client_produce(&client, c, 0, 2).error_code, 0);
    harness_cut(&h, 2, 1);
    CU_ASSERT_EQUAL(client_end(&client, true), 0);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_MARKER_APPENDED], 0);
    mb_kill(h.cluster, client.broker, h.now_us);
    harness_heal(&h);
    harness_run(&h, 10000000);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_MARKER_APPENDED], 1);
    struct seen seen = consume(&h, c, 0, 1);
    CU_ASSERT_EQUAL(seen.end_offset, 3);
    CU_ASSERT_EQUAL(seen.aborted_count, 0);
    harness_close(&h);
}

/* The partition's leader dies before the marker is written: the next one gets it. */
static void markers_follow_the_leader(void)
{
    struct harness h;
    struct transaction_client client;
    open_apart(&h, &client, 2);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    CU_ASSERT_EQUAL(client_add_partition(&client, 0), 0);
    CU_ASSERT_EQUAL(client_produce(&client, c, 0, 2).error_code, 0);
    mb_kill(h.cluster, 1, h.now_us);
    CU_ASSERT_EQUAL(client_end(&client, false), 0);
    harness_run(&h, 10000000);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_MARKER_APPENDED], 1);
    c = harness_connect(&h, harness_partition(&h).leader);
    struct seen seen = consume(&h, c, 0, 1);
    CU_ASSERT_EQUAL(seen.end_offset, 3);
    CU_ASSERT_EQUAL(seen.aborted_count, 1);
    CU_ASSERT_EQUAL(seen.aborted_first_offset, 0);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    harness_close(&h);
}

/* The marker is in the log of a leader that dies before anybody has copied it. */
static void a_lost_marker_is_written_again(void)
{
    struct harness h;
    struct transaction_client client;
    open_apart(&h, &client, 2);
    uint32_t c = harness_connect(&h, 1);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    CU_ASSERT_EQUAL(client_add_partition(&client, 0), 0);
    CU_ASSERT_EQUAL(client_produce(&client, c, 0, 2).error_code, 0);
    mb_slow_replica(h.cluster, 2, 5000000);
    harness_run(&h, 600000);
    CU_ASSERT_EQUAL(client_end(&client, true), 0);
    harness_run(&h, 200000);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_MARKER_APPENDED], 1);
    CU_ASSERT_EQUAL(client_init(&client, 60000), KW_ERROR_CONCURRENT_TRANSACTIONS); /* not replicated */
    mb_kill(h.cluster, 1, h.now_us);
    mb_slow_replica(h.cluster, 2, 0);
    harness_run(&h, 8000000);
    CU_ASSERT_EQUAL(h.event_counts[KB_EVENT_MARKER_APPENDED], 2);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    c = harness_connect(&h, 2);
    CU_ASSERT_EQUAL(consume(&h, c, 0, 1).end_offset, 3);
    harness_close(&h);
}

/* While a step is being logged the id has no time for another one. */
static void one_step_at_a_time(void)
{
    struct harness h;
    struct transaction_client client;
    open_cluster(&h, &client, 3);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    struct transaction_client again = client;
    again.coordinator = harness_connect(&h, client.broker);
    struct kw_init_producer_id_request request;
    struct kw_init_producer_id_response response;
    kw_init_producer_id_request_init(&request);
    request.transactional_id = (struct kw_string){"tx", 2};
    request.transaction_timeout_ms = 60000;
    harness_send(&h, client.coordinator, KW_API_INIT_PRODUCER_ID, 4, &request);
    CU_ASSERT_EQUAL(client_add_partition(&again, 0), KW_ERROR_CONCURRENT_TRANSACTIONS);
    CU_ASSERT_TRUE(harness_receive(&h, client.coordinator, KW_API_INIT_PRODUCER_ID, 4, &response, 1000000));
    CU_ASSERT_EQUAL(response.error_code, 0);
    CU_ASSERT_EQUAL(client_add_partition(&again, 0), KW_ERROR_PRODUCER_FENCED); /* there is a newer epoch */
    harness_close(&h);
}

/* Markers are checked, too: an older coordinator, or an older epoch, has nothing to say any more. */
static void markers_of_the_past(void)
{
    struct mb_producer_states states;
    mb_producer_states_init(&states, kb_allocator_default());
    struct mb_marker marker = {.producer_id = 4, .producer_epoch = 3, .coordinator_epoch = 7};
    CU_ASSERT_EQUAL(mb_producer_states_validate_marker(&states, &marker), KW_ERROR_NONE);
    struct mb_producer_entry entry = {.producer_id = 4,
                                      .producer_epoch = 3,
                                      .coordinator_epoch = 7,
                                      .first_transaction_offset = MB_NO_TRANSACTION};
    mb_map_insert(&states.by_id, 4, &entry);
    CU_ASSERT_EQUAL(mb_producer_states_validate_marker(&states, &marker), KW_ERROR_NONE);
    marker.coordinator_epoch = 6;
    CU_ASSERT_EQUAL(mb_producer_states_validate_marker(&states, &marker),
                    KW_ERROR_TRANSACTION_COORDINATOR_FENCED);
    marker.producer_epoch = 2;
    CU_ASSERT_EQUAL(mb_producer_states_validate_marker(&states, &marker), KW_ERROR_INVALID_PRODUCER_EPOCH);
    mb_producer_states_release(&states);
}

static int64_t coordinator_log_end(const struct transaction_client *client)
{
    struct mb_replica_view view;
    /* "tx" belongs to partition 1 of 5: its hash is 3716. */
    CU_ASSERT_TRUE(mb_replica_view(client->h->cluster, client->broker, "__transaction_state", 1, &view) &&
                   view.is_leader);
    return view.log_end_offset;
}

/* Too few replicas for the log of the coordinator: nothing is decided. */
static void a_step_needs_its_replicas(void)
{
    struct harness h;
    struct transaction_client client;
    open_cluster(&h, &client, 3);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    for (int32_t id = 1; id <= 3; id++) {
        if (id != client.broker) {
            mb_kill(h.cluster, id, h.now_us);
        }
    }
    harness_run(&h, 8000000);
    int64_t end_offset = coordinator_log_end(&client);
    CU_ASSERT_EQUAL(client_init(&client, 60000), KW_ERROR_COORDINATOR_NOT_AVAILABLE);
    CU_ASSERT_EQUAL(coordinator_log_end(&client), end_offset); /* refused before the append */
    for (int32_t id = 1; id <= 3; id++) {
        mb_restart(h.cluster, id, h.now_us);
    }
    harness_run(&h, 10000000);
    CU_ASSERT_EQUAL(client_init(&client, 60000), 0);
    CU_ASSERT_EQUAL(client.producer_epoch, 1);
    harness_close(&h);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"InitProducerId", init_producer_id},
        {"epochs run out", epochs_run_out},
        {"an open transaction is fenced", an_open_transaction_is_fenced},
        {"adding and ending", adding_and_ending},
        {"the reply comes before the markers", the_reply_comes_before_the_markers},
        {"what consumers see", what_consumers_see},
        {"a late transaction is aborted", a_late_transaction_is_aborted},
        {"the coordinator fails over", the_coordinator_fails_over},
        {"a decision survives its coordinator", a_decision_survives_its_coordinator},
        {"markers follow the leader", markers_follow_the_leader},
        {"a lost marker is written again", a_lost_marker_is_written_again},
        {"one step at a time", one_step_at_a_time},
        {"markers of the past", markers_of_the_past},
        {"a step needs its replicas", a_step_needs_its_replicas},
        {0},
    };
    return unit_main("mockbroker transactions", tests);
}
