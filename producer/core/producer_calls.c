#include "core/producer_internal.h"

#include "base/allocator.h"
#include "base/assert.h"

#include <inttypes.h>

static struct kp_call *begin_call(struct kp_producer *producer, enum kb_call kind, struct kp_outcome *out)
{
    kp_outcome_clear(out);
    struct kp_call *call = kb_allocate_zeroed(producer->allocator, 1, sizeof *call);
    if (call == NULL) {
        kp_failure_throw(&out->failure, kw_error_exception(KW_ERROR_OUT_OF_MEMORY),
                         kw_error_message(KW_ERROR_OUT_OF_MEMORY));
        out->kind = KP_OUTCOME_FAILED;
        return NULL;
    }
    call->call = kind;
    call->waiting.ticket = 0;
    KB_TRACE(producer->trace, 0, CALL_STARTED, call_started, .call = (int32_t)kind,
             .ticket = (uint32_t)producer->last_ticket + 1);
    return call;
}

void kp_call_destroy(struct kp_producer *producer, struct kp_call *call)
{
    if (call->result != NULL) {
        kp_transaction_manager_release_result(producer->transaction_manager, call->result);
    }
    kb_deallocate(producer->allocator, call, sizeof *call);
}

/* The call returns; with out->failure set it throws. */
static void end_call(struct kp_producer *producer, struct kp_call *call, struct kp_outcome *out)
{
    bool has_failed = kp_failure_is_set(&out->failure);
    out->kind = has_failed ? KP_OUTCOME_FAILED : KP_OUTCOME_DONE;
    uint64_t ticket = call->waiting.ticket != 0 ? call->waiting.ticket : producer->last_ticket + 1;
    KB_TRACE(producer->trace, 0, CALL_RETURNED, call_returned, .call = (int32_t)call->call,
             .ticket = (uint32_t)ticket,
             .error = has_failed ? (int32_t)kp_error_of_failure(&out->failure) : KW_ERROR_NONE);
    kp_waiting_end(producer, &call->waiting);
    kp_call_destroy(producer, call);
}

/* --- flush() */

static bool is_flushed(const struct kp_producer *producer, const struct kp_call *call)
{
    return !kp_incomplete_batches_has_up_to(kp_record_accumulator_incomplete(producer->accumulator),
                                            call->flush_up_to);
}

void kp_producer_flush(struct kp_producer *producer, int64_t now_ms, struct kp_outcome *out)
{
    struct kp_call *call = begin_call(producer, KB_CALL_FLUSH, out);
    if (call == NULL) {
        return;
    }
    kp_record_accumulator_begin_flush(producer->accumulator);
    out->wakes_sender = true;
    call->flush_up_to = kp_record_accumulator_last_batch(producer->accumulator);
    if (is_flushed(producer, call)) {
        kp_record_accumulator_end_flush(producer->accumulator);
        end_call(producer, call, out);
        return;
    }
    kp_waiting_begin(producer, &call->waiting, KP_WAITING_FOR_FLUSH, INT64_MAX, now_ms, out);
}

/* --- close() */

void kp_producer_close(struct kp_producer *producer, int64_t timeout_ms, int64_t now_ms,
                       struct kp_outcome *out)
{
    struct kp_call *call = begin_call(producer, KB_CALL_CLOSE, out);
    if (call == NULL) {
        return;
    }
    out->wakes_sender = true;
    int64_t deadline_ms = timeout_ms < 0 ? INT64_MAX : kp_deadline_ms(now_ms, timeout_ms);
    if (timeout_ms != 0) {
        kp_sender_initiate_close(producer->sender);
    } else if (!kp_sender_has_ended(producer->sender)) {
        kp_sender_force_close(producer->sender);
        deadline_ms = INT64_MAX;
    }
    if (kp_sender_has_ended(producer->sender)) {
        end_call(producer, call, out);
        return;
    }
    kp_waiting_begin(producer, &call->waiting, KP_WAITING_FOR_CLOSE, deadline_ms, now_ms, out);
}

static void resume_close(struct kp_producer *producer, struct kp_call *call, struct kp_outcome *out)
{
    if (kp_sender_has_ended(producer->sender)) {
        end_call(producer, call, out);
        return;
    }
    /* The time is over: give up what is left, and wait for the sender to notice. */
    kp_sender_force_close(producer->sender);
    call->waiting.deadline_ms = INT64_MAX;
    kp_waiting_continue(&call->waiting, out);
    out->wakes_sender = true;
}

/* --- Transactions */

/* Kafka: throwIfNoTransactionManager, throwIfProducerClosed. */
static struct kp_call *begin_transactional_call(struct kp_producer *producer, enum kb_call kind,
                                                struct kp_outcome *out)
{
    struct kp_call *call = begin_call(producer, kind, out);
    if (call == NULL) {
        return NULL;
    }
    if (producer->transaction_manager == NULL) {
        kp_failure_throw(&out->failure, "IllegalStateException",
                         "Cannot use transactional methods without enabling transactions by setting the "
                         "transactional.id configuration property");
    } else if (!kp_sender_is_running(producer->sender)) {
        kp_failure_throw(&out->failure, "IllegalStateException",
                         "Cannot perform operation after producer has been closed");
    } else {
        return call;
    }
    end_call(producer, call, out);
    return NULL;
}

static void return_result(struct kp_producer *producer, struct kp_call *call, struct kp_outcome *out)
{
    if (kp_failure_is_set(&call->result->failure)) {
        out->failure = call->result->failure;
    } else if (!call->result->is_completed) {
        kp_failure_throwf(&out->failure, "TimeoutException",
                          "Timeout expired after %" PRId64 " milliseconds while awaiting %s",
                          producer->config->max_block_ms, call->result->operation);
    }
    end_call(producer, call, out);
}

static bool is_result_due(const struct kp_call *call, int64_t now_ms)
{
    return call->result->is_completed || now_ms >= call->waiting.deadline_ms;
}

/* Wait for the result, or throw what the transaction manager threw instead of giving one. */
static void await_result(struct kp_producer *producer, struct kp_call *call,
                         struct kp_transactional_result *result, int64_t now_ms, struct kp_outcome *out)
{
    call->result = result;
    if (result == NULL) {
        KB_ASSERT(kp_failure_is_set(&out->failure));
        end_call(producer, call, out);
        return;
    }
    out->wakes_sender = true;
    call->waiting.deadline_ms = kp_deadline_ms(now_ms, producer->config->max_block_ms);
    if (is_result_due(call, now_ms)) {
        return_result(producer, call, out);
        return;
    }
    kp_waiting_begin(producer, &call->waiting, KP_WAITING_FOR_TRANSACTION, call->waiting.deadline_ms, now_ms,
                     out);
}

void kp_producer_init_transactions(struct kp_producer *producer, int64_t now_ms, struct kp_outcome *out)
{
    struct kp_call *call = begin_transactional_call(producer, KB_CALL_INIT_TRANSACTIONS, out);
    if (call != NULL) {
        await_result(producer, call,
                     kp_transaction_manager_initialize(producer->transaction_manager, &out->failure), now_ms,
                     out);
    }
}

void kp_producer_begin_transaction(struct kp_producer *producer, int64_t now_ms, struct kp_outcome *out)
{
    (void)now_ms;
    struct kp_call *call = begin_transactional_call(producer, KB_CALL_BEGIN_TRANSACTION, out);
    if (call != NULL) {
        bool has_begun = kp_transaction_manager_begin(producer->transaction_manager, &out->failure);
        KB_ASSERT(has_begun != kp_failure_is_set(&out->failure));
        end_call(producer, call, out);
    }
}

void kp_producer_commit_transaction(struct kp_producer *producer, int64_t now_ms, struct kp_outcome *out)
{
    struct kp_call *call = begin_transactional_call(producer, KB_CALL_COMMIT_TRANSACTION, out);
    if (call != NULL) {
        await_result(producer, call,
                     kp_transaction_manager_begin_commit(producer->transaction_manager, &out->failure),
                     now_ms, out);
    }
}

void kp_producer_abort_transaction(struct kp_producer *producer, int64_t now_ms, struct kp_outcome *out)
{
    struct kp_call *call = begin_transactional_call(producer, KB_CALL_ABORT_TRANSACTION, out);
    if (call != NULL) {
        await_result(producer, call,
                     kp_transaction_manager_begin_abort(producer->transaction_manager, &out->failure), now_ms,
                     out);
    }
}

void kp_producer_send_offsets_to_transaction(struct kp_producer *producer, const struct kp_offset *offsets,
                                             uint32_t offset_count, const char *group_id, int64_t now_ms,
                                             struct kp_outcome *out)
{
    struct kp_call *call = begin_transactional_call(producer, KB_CALL_SEND_OFFSETS, out);
    if (call != NULL) {
        await_result(producer, call,
                     kp_transaction_manager_send_offsets(producer->transaction_manager, offsets, offset_count,
                                                         group_id, &out->failure),
                     now_ms, out);
    }
}

/* --- Going on */

bool kp_call_is_runnable(const struct kp_producer *producer, const struct kp_call *call, int64_t now_ms)
{
    switch (call->waiting.kind) {
    case KP_WAITING_FOR_FLUSH:
        return is_flushed(producer, call);
    case KP_WAITING_FOR_CLOSE:
        return kp_sender_has_ended(producer->sender) || now_ms >= call->waiting.deadline_ms;
    case KP_WAITING_FOR_TRANSACTION:
        return is_result_due(call, now_ms);
    case KP_WAITING_FOR_METADATA:
    case KP_WAITING_FOR_MEMORY:
        break;
    }
    KB_UNREACHABLE();
}

void kp_call_resume(struct kp_producer *producer, struct kp_call *call, int64_t now_ms,
                    struct kp_outcome *out)
{
    KB_ASSERT(kp_call_is_runnable(producer, call, now_ms));
    switch (call->waiting.kind) {
    case KP_WAITING_FOR_FLUSH:
        kp_record_accumulator_end_flush(producer->accumulator);
        end_call(producer, call, out);
        return;
    case KP_WAITING_FOR_CLOSE:
        resume_close(producer, call, out);
        return;
    case KP_WAITING_FOR_TRANSACTION:
        return_result(producer, call, out);
        return;
    case KP_WAITING_FOR_METADATA:
    case KP_WAITING_FOR_MEMORY:
        break;
    }
    KB_UNREACHABLE();
}
