#include "core/transaction_manager.h"

#include "core/transaction_manager_internal.h"
#include "core_support.h"
#include "unit.h"

#include <string.h>

enum { BACKOFF_MS = 100, BATCH_BYTES = 256 };

struct fixture {
    struct known_cluster cluster;
    struct kp_transaction_manager *manager;
    const struct kp_topic *topic;
    struct kp_failure failure;
    uint32_t batch_number;
};

static void set_up(struct fixture *f, const char *transactional_id)
{
    static const int32_t leaders[] = {0, 0, 0};

    memset(f, 0, sizeof(*f));
    known_cluster_init(&f->cluster);
    f->topic = known_cluster_update(&f->cluster, "t", 1, leaders, 3);
    f->manager = kp_transaction_manager_create(
        &(struct kp_transaction_manager_options){.allocator = &f->cluster.memory.allocator,
                                                 .topics = f->cluster.topics,
                                                 .transactional_id = transactional_id,
                                                 .transaction_timeout_ms = 60000,
                                                 .retry_backoff_ms = BACKOFF_MS});
    CU_ASSERT_PTR_NOT_NULL_FATAL(f->manager);
}

static void tear_down(struct fixture *f)
{
    kp_transaction_manager_destroy(f->manager);
    known_cluster_release(&f->cluster);
}

static const struct kp_topic_partition *partition(struct fixture *f, int32_t number)
{
    return kp_topics_partition(f->cluster.topics, f->topic, number);
}

/* Take the next request as the sender does; it must be of that kind. */
static struct kp_txn_request *take(struct fixture *f, enum kp_txn_request_kind kind)
{
    struct kp_txn_request *request = kp_transaction_manager_next_request(f->manager, false);

    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    CU_ASSERT_EQUAL_FATAL(request->kind, kind);
    return request;
}

static void answer(struct fixture *f, struct kp_txn_request *request, const void *body)
{
    kp_transaction_manager_sent(f->manager, request);
    CU_ASSERT_TRUE(kp_transaction_manager_has_in_flight_request(f->manager));
    kp_txn_on_complete(f->manager, request, &(struct kp_client_response){.api_version = 4, .body = body});
    CU_ASSERT_FALSE(kp_transaction_manager_has_in_flight_request(f->manager));
}

static void answer_init(struct fixture *f, int16_t error, int64_t id, int16_t epoch)
{
    struct kw_init_producer_id_response body;

    kw_init_producer_id_response_init(&body);
    body.error_code = error;
    body.producer_id = id;
    body.producer_epoch = epoch;
    answer(f, take(f, KP_TXN_INIT_PRODUCER_ID), &body);
}

static void answer_coordinator(struct fixture *f, int16_t error)
{
    struct kw_find_coordinator_response_coordinator coordinator;
    struct kw_find_coordinator_response body;

    kw_find_coordinator_response_init(&body);
    kw_find_coordinator_response_coordinator_init(&coordinator);
    coordinator.host = (struct kw_string){"broker", 6};
    coordinator.error_code = error;
    body.coordinators.items = &coordinator;
    body.coordinators.count = 1;
    answer(f, take(f, KP_TXN_FIND_COORDINATOR), &body);
}

static void answer_end(struct fixture *f, int16_t error)
{
    struct kw_end_txn_response body;

    kw_end_txn_response_init(&body);
    body.error_code = error;
    answer(f, take(f, KP_TXN_END), &body);
}

static void answer_add_partitions(struct fixture *f, int16_t error)
{
    struct kp_txn_request *request = take(f, KP_TXN_ADD_PARTITIONS);
    struct kw_add_partitions_to_txn_response_partition results[3];
    struct kw_add_partitions_to_txn_response_topic topic;
    struct kw_add_partitions_to_txn_response body;

    kw_add_partitions_to_txn_response_init(&body);
    kw_add_partitions_to_txn_response_topic_init(&topic);
    topic.name = (struct kw_string){"t", 1};
    for (uint32_t i = 0; i < request->count; i++) {
        results[i] = (struct kw_add_partitions_to_txn_response_partition){
            .partition_index = request->partitions[i]->partition, .error_code = error};
    }
    topic.results.items = results;
    topic.results.count = (int32_t)request->count;
    body.results.items = &topic;
    body.results.count = 1;
    answer(f, request, &body);
}

static void initialize_idempotent(struct fixture *f, int16_t epoch)
{
    kp_transaction_manager_bump_epoch_if_needed(f->manager);
    CU_ASSERT_EQUAL(kp_transaction_manager_state(f->manager), KB_TXN_STATE_INITIALIZING);
    answer_init(f, 0, 1000, epoch);
    CU_ASSERT_EQUAL(kp_transaction_manager_state(f->manager), KB_TXN_STATE_READY);
}

static void initialize_transactional(struct fixture *f)
{
    struct kp_transactional_result *result = kp_transaction_manager_initialize(f->manager, &f->failure);

    CU_ASSERT_PTR_NOT_NULL_FATAL(result);
    CU_ASSERT_FALSE(result->is_completed);
    answer_init(f, 0, 1000, 0);
    CU_ASSERT_TRUE(result->is_completed);
    kp_transaction_manager_release_result(f->manager, result);
    kp_transaction_manager_handle_coordinator_ready(f->manager, 4);
}

/* A batch of record_count records, numbered as the drain does it. */
static struct kp_producer_batch *drain_batch(struct fixture *f, int32_t number, int record_count)
{
    const struct kp_topic_partition *target = partition(f, number);
    struct kp_buffer *buffer = kp_buffer_create(&f->cluster.memory.allocator, BATCH_BYTES);
    struct kp_producer_batch *batch = kp_producer_batch_create(&f->cluster.memory.allocator, NULL,
                                                               ++f->batch_number, target, buffer, false, 0);
    struct kp_producer_identity identity = kp_transaction_manager_identity(f->manager);
    uint32_t size_bytes;

    for (int i = 0; i < record_count; i++)
        CU_ASSERT_EQUAL(
            kp_producer_batch_try_append(
                batch, 0, &(struct kw_record_fields){.value = {(const uint8_t *)"v", 1}}, 0, 0, &size_bytes),
            KP_APPEND_OK);
    kp_transaction_manager_maybe_update_identity(f->manager, target);
    kp_producer_batch_set_producer_state(batch, identity.producer_id, identity.epoch,
                                         kp_transaction_manager_sequence_number(f->manager, target), false);
    kp_transaction_manager_increment_sequence_number(f->manager, target, record_count);
    kp_transaction_manager_add_in_flight_batch(f->manager, batch);
    kp_producer_batch_close(batch);
    return batch;
}

static void acknowledge(struct fixture *f, struct kp_producer_batch *batch, int64_t base_offset)
{
    kp_transaction_manager_handle_completed_batch(
        f->manager, batch,
        &(struct kp_partition_response){.error = KW_ERROR_NONE, .base_offset = base_offset});
    kp_producer_batch_release(batch);
}

static bool fail_batch(struct fixture *f, struct kp_producer_batch *batch, enum kw_error error,
                       bool adjusts_sequences)
{
    struct kp_failure failure;

    kp_failure_throw(&failure, kw_error_exception(error), kw_error_message(error));
    bool is_handled =
        kp_transaction_manager_handle_failed_batch(f->manager, batch, error, &failure, adjusts_sequences);

    kp_producer_batch_release(batch);
    return is_handled;
}

static void sequences_follow_each_other(void)
{
    struct fixture f;

    set_up(&f, NULL);
    initialize_idempotent(&f, 3);
    struct kp_producer_batch *first = drain_batch(&f, 0, 2);
    struct kp_producer_batch *second = drain_batch(&f, 0, 1);
    struct kp_producer_batch *other = drain_batch(&f, 1, 1);

    CU_ASSERT_EQUAL(kp_producer_batch_base_sequence(first), 0);
    CU_ASSERT_EQUAL(kp_producer_batch_base_sequence(second), 2);
    CU_ASSERT_EQUAL(kp_producer_batch_base_sequence(other), 0);
    CU_ASSERT_EQUAL(kp_producer_batch_producer_epoch(second), 3);
    CU_ASSERT_PTR_EQUAL(kp_transaction_manager_next_batch_by_sequence(f.manager, partition(&f, 0)), first);
    acknowledge(&f, first, 10);
    CU_ASSERT_EQUAL(kp_transaction_manager_first_in_flight_sequence(f.manager, partition(&f, 0)), 2);
    acknowledge(&f, second, 12);
    acknowledge(&f, other, 0);
    CU_ASSERT_EQUAL(kp_transaction_manager_first_in_flight_sequence(f.manager, partition(&f, 0)), -1);
    /* Past the largest number comes 0. */
    kp_transaction_manager_increment_sequence_number(f.manager, partition(&f, 2), INT32_MAX);
    kp_transaction_manager_increment_sequence_number(f.manager, partition(&f, 2), 3);
    CU_ASSERT_EQUAL(kp_transaction_manager_sequence_number(f.manager, partition(&f, 2)), 2);
    tear_down(&f);
}

static void a_final_error_bumps_the_epoch_of_its_partition_only(void)
{
    struct fixture f;

    set_up(&f, NULL);
    initialize_idempotent(&f, 0);
    struct kp_producer_batch *failed = drain_batch(&f, 0, 2);
    struct kp_producer_batch *behind = drain_batch(&f, 0, 3);
    struct kp_producer_batch *other = drain_batch(&f, 1, 1);

    CU_ASSERT_TRUE(fail_batch(&f, failed, KW_ERROR_INVALID_RECORD, true));
    CU_ASSERT_EQUAL(kp_transaction_manager_identity(f.manager).epoch, 0);
    kp_transaction_manager_bump_epoch_if_needed(f.manager);
    CU_ASSERT_EQUAL(kp_transaction_manager_identity(f.manager).epoch, 1);
    CU_ASSERT_EQUAL(kp_producer_batch_base_sequence(behind), 0);
    CU_ASSERT_EQUAL(kp_producer_batch_producer_epoch(behind), 1);
    CU_ASSERT_TRUE(behind->sequence_has_been_reset);
    CU_ASSERT_EQUAL(kp_transaction_manager_sequence_number(f.manager, partition(&f, 0)), 3);
    CU_ASSERT_EQUAL(kp_producer_batch_producer_epoch(other), 0);
    CU_ASSERT_TRUE(kp_transaction_manager_has_stale_identity(f.manager, partition(&f, 1)));
    CU_ASSERT_FALSE(kp_transaction_manager_has_stale_identity(f.manager, partition(&f, 0)));
    acknowledge(&f, behind, 0);
    acknowledge(&f, other, 0);
    /* Without anything in flight the other partition begins anew under the new epoch. */
    kp_transaction_manager_maybe_update_identity(f.manager, partition(&f, 1));
    CU_ASSERT_EQUAL(kp_transaction_manager_sequence_number(f.manager, partition(&f, 1)), 0);
    tear_down(&f);
}

static void behind_the_last_epoch_a_new_id_is_asked_for(void)
{
    struct fixture f;

    set_up(&f, NULL);
    initialize_idempotent(&f, INT16_MAX);
    struct kp_producer_batch *failed = drain_batch(&f, 0, 1);
    struct kp_producer_batch *behind = drain_batch(&f, 0, 1);

    CU_ASSERT_TRUE(fail_batch(&f, failed, KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER, false));
    kp_transaction_manager_bump_epoch_if_needed(f.manager);
    CU_ASSERT_FALSE(kp_transaction_manager_has_producer_id(f.manager));
    CU_ASSERT_EQUAL(kp_transaction_manager_state(f.manager), KB_TXN_STATE_INITIALIZING);
    /* As in 3.0.0 the batch in flight is rewritten with no producer id at all. */
    CU_ASSERT_EQUAL(kp_producer_batch_producer_id(behind), -1);
    CU_ASSERT_EQUAL(kp_producer_batch_base_sequence(behind), 0);
    acknowledge(&f, behind, 0);
    answer_init(&f, 0, 1001, 0);
    CU_ASSERT_EQUAL(kp_transaction_manager_identity(f.manager).producer_id, 1001);
    tear_down(&f);
}

static void an_unresolved_sequence_is_resolved_by_its_successor(void)
{
    for (int is_acknowledged = 0; is_acknowledged < 2; is_acknowledged++) {
        struct fixture f;

        set_up(&f, NULL);
        initialize_idempotent(&f, 0);
        struct kp_producer_batch *lost = drain_batch(&f, 0, 1);
        struct kp_producer_batch *next = drain_batch(&f, 0, 1);

        kp_transaction_manager_mark_unresolved(f.manager, lost);
        CU_ASSERT_TRUE(fail_batch(&f, lost, KW_ERROR_REQUEST_TIMED_OUT, false));
        CU_ASSERT_TRUE(kp_transaction_manager_has_unresolved_sequence(f.manager, partition(&f, 0)));
        kp_transaction_manager_maybe_resolve_sequences(f.manager);
        CU_ASSERT_TRUE(kp_transaction_manager_has_unresolved_sequence(f.manager, partition(&f, 0)));
        if (is_acknowledged) {
            acknowledge(&f, next, 1); /* so the lost one had been written */
        } else
            CU_ASSERT_TRUE(fail_batch(&f, next, KW_ERROR_REQUEST_TIMED_OUT, false));
        kp_transaction_manager_maybe_resolve_sequences(f.manager);
        CU_ASSERT_FALSE(kp_transaction_manager_has_unresolved_sequence(f.manager, partition(&f, 0)));
        kp_transaction_manager_bump_epoch_if_needed(f.manager);
        CU_ASSERT_EQUAL(kp_transaction_manager_identity(f.manager).epoch, is_acknowledged ? 0 : 1);
        tear_down(&f);
    }
}

static void what_is_retried(void)
{
    struct fixture f;

    set_up(&f, NULL);
    initialize_idempotent(&f, 0);
    struct kp_producer_batch *first = drain_batch(&f, 0, 1);
    struct kp_producer_batch *second = drain_batch(&f, 0, 1);
    struct kp_partition_response response = {.error = KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                                             .log_start_offset = -1};

    /* The second is not next: the first is on its way. No bump. */
    CU_ASSERT_TRUE(kp_transaction_manager_can_retry(f.manager, &response, second));
    kp_transaction_manager_bump_epoch_if_needed(f.manager);
    CU_ASSERT_EQUAL(kp_transaction_manager_identity(f.manager).epoch, 0);
    /* The first is next, and refused all the same. */
    CU_ASSERT_TRUE(kp_transaction_manager_can_retry(f.manager, &response, first));
    kp_transaction_manager_bump_epoch_if_needed(f.manager);
    CU_ASSERT_EQUAL(kp_transaction_manager_identity(f.manager).epoch, 1);
    response.error = KW_ERROR_UNKNOWN_PRODUCER_ID;
    CU_ASSERT_TRUE(kp_transaction_manager_can_retry(f.manager, &response, first));
    response.error = KW_ERROR_INVALID_RECORD;
    CU_ASSERT_FALSE(kp_transaction_manager_can_retry(f.manager, &response, first));
    response.error = KW_ERROR_NOT_LEADER_OR_FOLLOWER;
    CU_ASSERT_TRUE(kp_transaction_manager_can_retry(f.manager, &response, first));
    acknowledge(&f, first, 0);
    acknowledge(&f, second, 1);
    tear_down(&f);
}

static void calls_are_refused_in_the_wrong_state(void)
{
    struct fixture f;

    set_up(&f, NULL);
    CU_ASSERT_PTR_NULL(kp_transaction_manager_initialize(f.manager, &f.failure));
    CU_ASSERT_STRING_EQUAL(f.failure.thrown.message,
                           "Transactional method invoked on a non-transactional producer.");
    tear_down(&f);

    set_up(&f, "tx");
    CU_ASSERT_FALSE(kp_transaction_manager_begin(f.manager, &f.failure));
    CU_ASSERT_STRING_EQUAL(
        f.failure.thrown.message,
        "TransactionalId tx: Invalid transition attempted from state UNINITIALIZED to state IN_TRANSACTION");
    CU_ASSERT_FALSE(kp_transaction_manager_is_ready_for_send(f.manager, &f.failure));
    CU_ASSERT_STRING_EQUAL(f.failure.thrown.exception, "IllegalStateException");
    initialize_transactional(&f);
    CU_ASSERT_FALSE(kp_transaction_manager_is_ready_for_send(f.manager, &f.failure));
    CU_ASSERT_STRING_EQUAL(f.failure.thrown.message, "Cannot call send in state READY");
    CU_ASSERT_PTR_NULL(kp_transaction_manager_send_offsets(f.manager, NULL, 0, "g", &f.failure));
    CU_ASSERT_PTR_NULL(kp_transaction_manager_begin_commit(f.manager, &f.failure));
    CU_ASSERT_TRUE(kp_transaction_manager_begin(f.manager, &f.failure));
    CU_ASSERT_TRUE(kp_transaction_manager_is_ready_for_send(f.manager, &f.failure));
    tear_down(&f);
}

static void a_transaction_from_begin_to_commit(void)
{
    struct fixture f;
    struct kp_transactional_result *result;

    set_up(&f, "tx");
    initialize_transactional(&f);
    CU_ASSERT_TRUE(kp_transaction_manager_begin(f.manager, &f.failure));
    kp_transaction_manager_maybe_add_partition(f.manager, partition(&f, 0));
    kp_transaction_manager_maybe_add_partition(f.manager, partition(&f, 0));
    CU_ASSERT_FALSE(kp_transaction_manager_is_send_allowed(f.manager, partition(&f, 0)));
    answer_add_partitions(&f, 0);
    CU_ASSERT_TRUE(kp_transaction_manager_is_send_allowed(f.manager, partition(&f, 0)));
    CU_ASSERT_FALSE(kp_transaction_manager_is_send_allowed(f.manager, partition(&f, 1)));
    result = kp_transaction_manager_begin_commit(f.manager, &f.failure);
    CU_ASSERT_PTR_NOT_NULL_FATAL(result);
    /* The end waits until no batch is incomplete. */
    CU_ASSERT_PTR_NULL(kp_transaction_manager_next_request(f.manager, true));
    answer_end(&f, KW_ERROR_CONCURRENT_TRANSACTIONS);
    CU_ASSERT_FALSE(result->is_completed);
    answer_end(&f, 0);
    CU_ASSERT_TRUE(result->is_completed);
    CU_ASSERT_EQUAL(kp_transaction_manager_state(f.manager), KB_TXN_STATE_READY);
    CU_ASSERT_FALSE(kp_transaction_manager_is_send_allowed(f.manager, partition(&f, 0)));
    kp_transaction_manager_release_result(f.manager, result);

    /* An empty transaction ends without a word to the coordinator. */
    CU_ASSERT_TRUE(kp_transaction_manager_begin(f.manager, &f.failure));
    result = kp_transaction_manager_begin_commit(f.manager, &f.failure);
    CU_ASSERT_PTR_NULL(kp_transaction_manager_next_request(f.manager, false));
    CU_ASSERT_TRUE(result->is_completed);
    kp_transaction_manager_release_result(f.manager, result);
    tear_down(&f);
}

static void the_coordinator_is_looked_up_first(void)
{
    struct fixture f;

    set_up(&f, "tx");
    struct kp_transactional_result *result = kp_transaction_manager_initialize(f.manager, &f.failure);
    struct kp_txn_request *request = take(&f, KP_TXN_INIT_PRODUCER_ID);

    CU_ASSERT_PTR_NULL(kp_transaction_manager_coordinator(f.manager, KP_COORDINATOR_TRANSACTION));
    kp_transaction_manager_lookup_for(f.manager, request);
    kp_transaction_manager_retry(f.manager, request);
    answer_coordinator(&f, KW_ERROR_COORDINATOR_NOT_AVAILABLE);
    answer_coordinator(&f, 0);
    CU_ASSERT_STRING_EQUAL(kp_transaction_manager_coordinator(f.manager, KP_COORDINATOR_TRANSACTION)->host,
                           "broker");
    /* A coordinator that is none any more: looked up again, then asked again. */
    answer_init(&f, KW_ERROR_NOT_COORDINATOR, -1, -1);
    answer_coordinator(&f, 0);
    answer_init(&f, KW_ERROR_PRODUCER_FENCED, -1, -1);
    CU_ASSERT_TRUE(kp_transaction_manager_has_fatal_error(f.manager));
    CU_ASSERT_TRUE(result->is_completed);
    CU_ASSERT_STRING_EQUAL(result->failure.thrown.exception, "ProducerFencedException");
    kp_transaction_manager_release_result(f.manager, result);
    CU_ASSERT_FALSE(kp_transaction_manager_begin(f.manager, &f.failure));
    CU_ASSERT_STRING_EQUAL(f.failure.thrown.exception, "ProducerFencedException");
    tear_down(&f);
}

static void an_abortable_error_ends_with_the_abort(void)
{
    struct fixture f;

    set_up(&f, "tx");
    initialize_transactional(&f);
    CU_ASSERT_TRUE(kp_transaction_manager_begin(f.manager, &f.failure));
    kp_transaction_manager_maybe_add_partition(f.manager, partition(&f, 0));
    answer_add_partitions(&f, KW_ERROR_TOPIC_AUTHORIZATION_FAILED);
    CU_ASSERT_TRUE(kp_transaction_manager_has_abortable_error(f.manager));
    CU_ASSERT_FALSE(kp_transaction_manager_is_ready_for_send(f.manager, &f.failure));
    CU_ASSERT_EQUAL(f.failure.cause_count, 1);
    CU_ASSERT_STRING_EQUAL(f.failure.causes[0].message, "Not authorized to access topics: [t]");
    CU_ASSERT_PTR_NULL(kp_transaction_manager_begin_commit(f.manager, &f.failure));
    struct kp_transactional_result *result = kp_transaction_manager_begin_abort(f.manager, &f.failure);

    CU_ASSERT_PTR_NOT_NULL_FATAL(result);
    CU_ASSERT_PTR_NULL(kp_transaction_manager_next_request(f.manager, false)); /* nothing was added */
    CU_ASSERT_TRUE(result->is_completed);
    CU_ASSERT_EQUAL(kp_transaction_manager_state(f.manager), KB_TXN_STATE_READY);
    kp_transaction_manager_release_result(f.manager, result);
    tear_down(&f);
}

static void partitions_that_were_not_tried_are_named(void)
{
    struct fixture f;
    enum kw_error code;

    set_up(&f, "tx");
    initialize_transactional(&f);
    CU_ASSERT_TRUE(kp_transaction_manager_begin(f.manager, &f.failure));
    kp_transaction_manager_maybe_add_partition(f.manager, partition(&f, 0));
    kp_transaction_manager_maybe_add_partition(f.manager, partition(&f, 2));
    answer_add_partitions(&f, KW_ERROR_OPERATION_NOT_ATTEMPTED);
    CU_ASSERT_STRING_EQUAL(kp_transaction_manager_last_error(f.manager, &code)->thrown.message,
                           "Could not add partitions to transaction due to errors: "
                           "{t-0=OPERATION_NOT_ATTEMPTED, t-2=OPERATION_NOT_ATTEMPTED}");
    tear_down(&f);
}

static void a_call_that_is_made_again_gets_the_same_result(void)
{
    struct fixture f;

    set_up(&f, "tx");
    struct kp_transactional_result *first = kp_transaction_manager_initialize(f.manager, &f.failure);
    struct kp_transactional_result *again = kp_transaction_manager_initialize(f.manager, &f.failure);

    CU_ASSERT_PTR_EQUAL(first, again);
    kp_transaction_manager_release_result(f.manager, first);
    kp_transaction_manager_release_result(f.manager, again);
    answer_init(&f, 0, 1, 0);
    CU_ASSERT_FALSE(kp_transaction_manager_has_pending_requests(f.manager));
    tear_down(&f);
}

static void closing_by_force_fails_what_is_pending(void)
{
    struct fixture f;

    set_up(&f, "tx");
    struct kp_transactional_result *result = kp_transaction_manager_initialize(f.manager, &f.failure);

    kp_transaction_manager_close(f.manager);
    CU_ASSERT_TRUE(result->is_completed);
    CU_ASSERT_STRING_EQUAL(result->failure.thrown.message, "The producer closed forcefully");
    kp_transaction_manager_release_result(f.manager, result);
    tear_down(&f);
}

static void an_answer_does_not_undo_a_fatal_error(void)
{
    struct fixture f;

    set_up(&f, NULL);
    kp_transaction_manager_bump_epoch_if_needed(f.manager);
    kp_failure_throw(&f.failure, "KafkaException", "x");
    struct kp_txn_request *request = take(&f, KP_TXN_INIT_PRODUCER_ID);
    struct kw_init_producer_id_response body;

    kp_txn_transition_to_fatal_error(f.manager, KW_ERROR_KAFKA, &f.failure);
    kw_init_producer_id_response_init(&body);
    body.producer_id = 1;
    answer(&f, request, &body);
    CU_ASSERT_TRUE(kp_transaction_manager_has_fatal_error(f.manager));
    CU_ASSERT_FALSE(kp_transaction_manager_is_send_allowed(f.manager, partition(&f, 0)));
    tear_down(&f);
}

int main(void)
{
    return unit_main(
        "transaction_manager",
        (struct unit_test[]){
            {"sequences follow each other", sequences_follow_each_other},
            {"a final error bumps the epoch", a_final_error_bumps_the_epoch_of_its_partition_only},
            {"behind the last epoch", behind_the_last_epoch_a_new_id_is_asked_for},
            {"unresolved sequences", an_unresolved_sequence_is_resolved_by_its_successor},
            {"what is retried", what_is_retried},
            {"calls in the wrong state", calls_are_refused_in_the_wrong_state},
            {"a transaction from begin to commit", a_transaction_from_begin_to_commit},
            {"the coordinator is looked up first", the_coordinator_is_looked_up_first},
            {"an abortable error ends with the abort", an_abortable_error_ends_with_the_abort},
            {"partitions that were not tried", partitions_that_were_not_tried_are_named},
            {"a call that is made again", a_call_that_is_made_again_gets_the_same_result},
            {"an answer does not undo a fatal error", an_answer_does_not_undo_a_fatal_error},
            {"closing by force", closing_by_force_fails_what_is_pending},
            {0}});
}
