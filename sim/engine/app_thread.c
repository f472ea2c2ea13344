/*
 * An application thread in virtual time: it sends its records when they are due, one after the other, and
 * blocks where KafkaProducer.send() would.
 */
#include "engine/world_internal.h"

#include <string.h>

#include "base/assert.h"

#include "engine/random.h"

static void schedule_next(struct sim_app_thread *thread);

static void finish(struct sim_app_thread *thread)
{
    thread->state = SIM_THREAD_DONE;
    thread->driver->threads_done++;
    sim_driver_after_call(thread->driver);
}

static void start_call(struct sim_app_thread *thread, int32_t call, int64_t timeout_ms,
                       struct kp_outcome *outcome)
{
    struct kp_producer *core = thread->driver->core;
    int64_t now_ms = sim_world_now_ms(thread->world);
    thread->in_call = true;
    thread->call = call;
    switch ((enum kb_call)call) {
    case KB_CALL_FLUSH:
        kp_producer_flush(core, now_ms, outcome);
        return;
    case KB_CALL_CLOSE:
        kp_producer_close(core, timeout_ms, now_ms, outcome);
        return;
    case KB_CALL_INIT_TRANSACTIONS:
        kp_producer_init_transactions(core, now_ms, outcome);
        return;
    case KB_CALL_BEGIN_TRANSACTION:
        kp_producer_begin_transaction(core, now_ms, outcome);
        return;
    case KB_CALL_COMMIT_TRANSACTION:
        kp_producer_commit_transaction(core, now_ms, outcome);
        return;
    case KB_CALL_ABORT_TRANSACTION:
        kp_producer_abort_transaction(core, now_ms, outcome);
        return;
    case KB_CALL_SEND_OFFSETS:
        break;
    }
    KB_UNREACHABLE();
}

static void after_send(struct sim_app_thread *thread, const struct kp_outcome *outcome)
{
    struct sim_world *world = thread->world;
    switch (outcome->kind) {
    case KP_OUTCOME_DONE:
        sim_ledger_appended(world->ledger, thread->record_id, outcome->partition);
        thread->state = thread->config->sync ? SIM_THREAD_AWAITING : SIM_THREAD_READY;
        thread->driver->threads_awaiting += thread->config->sync;
        break;
    case KP_OUTCOME_FAILED:
    case KP_OUTCOME_THROWN:
        sim_ledger_failed(world->ledger, thread->record_id);
        thread->state = SIM_THREAD_READY;
        break;
    case KP_OUTCOME_BLOCKED:
        KB_UNREACHABLE();
    }
    thread->has_next = sim_workload_next(thread->workload, &thread->next);
    if (thread->state == SIM_THREAD_READY) {
        schedule_next(thread);
    }
}

/* --- Transactions: as the loop around KafkaProducer that its documentation shows --- */

static bool is_transactional(const struct sim_app_thread *thread)
{
    return thread->config->transaction_records > 0;
}

/* Are all the records of the open transaction sent? */
static bool is_transaction_full(const struct sim_app_thread *thread)
{
    return !thread->has_next || thread->transaction_records >= thread->config->transaction_records;
}

/* The call that is next whatever the time is; -1: a record is. */
static int32_t next_transaction_call(const struct sim_app_thread *thread)
{
    int64_t every = thread->config->abort_every;
    switch (thread->stage) {
    case SIM_TRANSACTION_INIT:
        return KB_CALL_INIT_TRANSACTIONS;
    case SIM_TRANSACTION_BEGIN:
        return -1;
    case SIM_TRANSACTION_OPEN:
        if (!is_transaction_full(thread)) {
            return -1;
        }
        return every > 0 && thread->transaction_count % every == every - 1 ? KB_CALL_ABORT_TRANSACTION
                                                                           : KB_CALL_COMMIT_TRANSACTION;
    case SIM_TRANSACTION_ABORT:
        return KB_CALL_ABORT_TRANSACTION;
    case SIM_TRANSACTION_OVER:
        return -1;
    }
    KB_UNREACHABLE();
}

/* What the application makes of an answer: a time-out is tried again, a commit that fails is aborted, and
 * when that fails, too, the producer is of no use any more. */
static void after_transaction_call(struct sim_app_thread *thread, const struct kp_outcome *outcome)
{
    if (outcome->kind != KP_OUTCOME_DONE) {
        if (strcmp(outcome->failure.thrown.exception, "TimeoutException") == 0) {
            return;
        }
        thread->stage =
            thread->call == KB_CALL_COMMIT_TRANSACTION ? SIM_TRANSACTION_ABORT : SIM_TRANSACTION_OVER;
        return;
    }
    if (thread->call == KB_CALL_BEGIN_TRANSACTION) {
        thread->stage = SIM_TRANSACTION_OPEN;
        thread->transaction_records = 0;
    } else {
        thread->transaction_count += thread->call != KB_CALL_INIT_TRANSACTIONS;
        thread->stage = SIM_TRANSACTION_BEGIN;
    }
}

/* Has a thread with transactions nothing more to do? */
static bool is_transaction_loop_over(const struct sim_app_thread *thread)
{
    return thread->stage == SIM_TRANSACTION_OVER ||
           (thread->stage == SIM_TRANSACTION_BEGIN && !thread->has_next);
}

static void after_call(struct sim_app_thread *thread, const struct kp_outcome *outcome)
{
    thread->in_call = false;
    if (is_transactional(thread)) {
        after_transaction_call(thread, outcome);
    }
    thread->state = SIM_THREAD_READY;
    schedule_next(thread);
}

static void take_outcome(struct sim_app_thread *thread, const struct kp_outcome *outcome)
{
    if (outcome->wakes_sender || thread->in_call) {
        sim_driver_wake(thread->driver);
    }
    if (outcome->kind == KP_OUTCOME_BLOCKED) {
        thread->state = SIM_THREAD_BLOCKED;
        thread->ticket = outcome->ticket;
        /* A wait for metadata asks the sender for it; and the wait may end by time alone. */
        sim_driver_wake(thread->driver);
    } else if (thread->in_call) {
        after_call(thread, outcome);
    } else {
        after_send(thread, outcome);
    }
}

static void send_next(struct sim_app_thread *thread)
{
    struct sim_world *world = thread->world;
    const struct sim_workload_record *next = &thread->next;
    thread->record_id = world->record_count++;
    thread->record = (struct kp_record){
        .topic = next->topic,
        .partition = next->partition,
        .timestamp_ms = next->timestamp_ms,
        .key = next->key,
        .value = next->value,
        .headers = next->headers,
        .header_count = next->header_count,
        .id = thread->record_id,
    };
    bool noted = sim_ledger_sent(world->ledger, thread->record_id, thread->driver->index, &thread->record);
    KB_ASSERT(noted);
    uint32_t topic = kb_trace_intern(world->is_logging ? &thread->driver->trace : NULL, next->topic,
                                     __builtin_strlen(next->topic));
    world->cause =
        KB_TRACE(world->is_logging ? &thread->driver->trace : NULL, 0, RECORD_CREATED, record_created,
                 .key = kb_text16_of(next->key.data, next->key.length_bytes), .record = thread->record_id,
                 .thread = thread->index, .topic = topic, .wanted_partition = next->partition,
                 .key_bytes = next->key.length_bytes, .value_bytes = next->value.length_bytes);
    struct kp_outcome outcome;
    kp_producer_send(thread->driver->core, &thread->record, sim_world_now_ms(world), &outcome);
    take_outcome(thread, &outcome);
}

static void run_transaction_step(struct sim_app_thread *thread)
{
    struct kp_outcome outcome;
    int32_t call = next_transaction_call(thread);
    if (call < 0 && thread->stage == SIM_TRANSACTION_BEGIN) {
        call = KB_CALL_BEGIN_TRANSACTION;
    }
    if (call >= 0) {
        start_call(thread, call, -1, &outcome);
        take_outcome(thread, &outcome);
    } else {
        thread->transaction_records++;
        send_next(thread);
    }
}

static void run(void *context)
{
    struct sim_app_thread *thread = context;
    struct sim_producer_driver *driver = thread->driver;
    KB_ASSERT(thread->state == SIM_THREAD_READY || thread->state == SIM_THREAD_PARKED);
    if (driver->is_recreating) {
        thread->state = SIM_THREAD_PARKED;
        return;
    }
    if (driver->core == NULL) {
        finish(thread); /* somebody closed the producer: what is left is never sent */
        return;
    }
    thread->state = SIM_THREAD_READY;
    int64_t now_us = thread->world->scheduler.now_us;
    struct kp_outcome outcome;
    if (is_transactional(thread)) {
        run_transaction_step(thread);
    } else if (thread->next_call < thread->config->call_count &&
               thread->config->calls[thread->next_call].at_us <= now_us) {
        const struct sim_thread_call *call = &thread->config->calls[thread->next_call++];
        start_call(thread, call->call, call->timeout_ms, &outcome);
        take_outcome(thread, &outcome);
    } else if (thread->has_next) {
        send_next(thread);
    } else {
        thread->flushed_at_end = true;
        start_call(thread, KB_CALL_FLUSH, -1, &outcome);
        take_outcome(thread, &outcome);
    }
    sim_driver_after_call(driver);
}

/* Calls are made as soon as the thread is free; a record, and the transaction that begins with it, is due at
 * its time. */
static void schedule_transaction_step(struct sim_app_thread *thread)
{
    struct sim_scheduler *scheduler = &thread->world->scheduler;
    if (is_transaction_loop_over(thread)) {
        finish(thread);
        return;
    }
    int64_t due_us = scheduler->now_us + (thread->record_id != UINT32_MAX ? thread->config->send_cost_us : 0);
    if (next_transaction_call(thread) < 0 && thread->next.at_us > due_us) {
        due_us = thread->next.at_us;
    }
    sim_scheduler_at(scheduler, &thread->task, due_us);
}

static void schedule_next(struct sim_app_thread *thread)
{
    struct sim_scheduler *scheduler = &thread->world->scheduler;
    bool has_call = thread->next_call < thread->config->call_count;
    if (is_transactional(thread)) {
        schedule_transaction_step(thread);
        return;
    }
    if (!thread->has_next && !has_call && (thread->flushed_at_end || !thread->config->flush_at_end)) {
        finish(thread);
        return;
    }
    /* One send() takes so long, and the thread does one thing at a time. */
    int64_t free_us =
        scheduler->now_us + (thread->record_id != UINT32_MAX ? thread->config->send_cost_us : 0);
    int64_t due_us = free_us;
    if (thread->has_next || has_call) {
        due_us = thread->has_next ? thread->next.at_us : INT64_MAX;
        int64_t call_us = has_call ? thread->config->calls[thread->next_call].at_us : INT64_MAX;
        due_us = call_us < due_us ? call_us : due_us;
        due_us = due_us > free_us ? due_us : free_us;
    }
    sim_scheduler_at(scheduler, &thread->task, due_us);
}

void sim_app_thread_resume(struct sim_app_thread *thread)
{
    KB_ASSERT(thread->state == SIM_THREAD_BLOCKED);
    struct kp_outcome outcome;
    kp_producer_resume(thread->driver->core, thread->ticket, sim_world_now_ms(thread->world), &outcome);
    take_outcome(thread, &outcome);
}

void sim_app_thread_record_done(struct sim_app_thread *thread, uint32_t record_id)
{
    if (thread->state == SIM_THREAD_AWAITING && thread->record_id == record_id) {
        thread->state = SIM_THREAD_READY;
        thread->driver->threads_awaiting--;
        schedule_next(thread);
    }
}

void sim_app_thread_unpark(struct sim_app_thread *thread)
{
    if (thread->state == SIM_THREAD_PARKED) {
        thread->state = SIM_THREAD_READY;
        thread->stage = SIM_TRANSACTION_INIT; /* of the new producer */
        sim_scheduler_at(&thread->world->scheduler, &thread->task, thread->world->scheduler.now_us);
    }
}

bool sim_app_thread_init(struct sim_app_thread *thread, struct sim_producer_driver *driver, uint32_t index)
{
    struct sim_world *world = driver->world;
    *thread = (struct sim_app_thread){
        .world = world,
        .driver = driver,
        .config = &driver->scenario->threads[index],
        .index = index,
        .record_id = UINT32_MAX,
    };
    sim_task_init(&thread->task, run, thread);
    uint64_t stream = SIM_STREAM_THREAD + (uint64_t)driver->index * SIM_THREADS_MAX + index;
    thread->workload = sim_workload_create(&thread->config->source, world->scenario->seed, stream);
    if (thread->workload == NULL) {
        return false;
    }
    thread->has_next = sim_workload_next(thread->workload, &thread->next);
    schedule_next(thread);
    return true;
}

void sim_app_thread_release(struct sim_app_thread *thread)
{
    sim_workload_destroy(thread->workload);
}
