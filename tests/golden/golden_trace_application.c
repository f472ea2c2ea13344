#include "golden_trace.h"

#include "base/trace.h"

#include <string.h>

/* --- Sends */

static void describe_failure(cJSON *event, const struct kp_failure *failure)
{
    enum { TEXT_BYTES = KP_FAILURE_EXCEPTION_BYTES + KP_FAILURE_MESSAGE_BYTES + 3 };
    const struct kp_throwable *thrown = &failure->thrown;
    json_add_text(event, "exception", thrown->exception);
    json_add_text(event, "message", thrown->has_message ? thrown->message : NULL);
    if (failure->cause_count > 0) {
        char text[TEXT_BYTES];
        (void)snprintf(text, sizeof text, "%s%s%s", failure->causes[0].exception,
                       failure->causes[0].has_message ? ": " : "", failure->causes[0].message);
        json_add_text(event, "cause", text);
    }
}

static void tell_blocked(struct trace_run *run, struct trace_send *send, int32_t wait)
{
    /* A thread that still waits for the same is not told again. */
    if (send->ticket == 0 || send->wait != wait) {
        cJSON *event = trace_event(run, "blocked");
        json_add_integer(event, "send", send->record.id);
        json_add_text(event, "on", wait == KB_WAIT_MEMORY ? "memory" : "metadata");
    }
}

static void tell_append(struct trace_run *run, struct trace_send *send, const struct kp_outcome *outcome)
{
    cJSON *event = trace_event(run, "append");
    json_add_integer(event, "send", send->record.id);
    json_add_integer(event, "partition", outcome->partition);
    json_add_bool(event, "wakeup", outcome->wakes_sender);
    send->is_appended = true;
    send->partition = outcome->partition;
}

static void tell_send_error(struct trace_run *run, const struct trace_send *send,
                            const struct kp_outcome *outcome)
{
    cJSON *event = trace_event(run, "send_error");
    json_add_integer(event, "send", send->record.id);
    json_add_text(event, "how", outcome->kind == KP_OUTCOME_FAILED ? "future" : "thrown");
    describe_failure(event, &outcome->failure);
}

static void take_send_outcome(struct trace_run *run, struct trace_send *send,
                              const struct kp_outcome *outcome)
{
    bool waits = outcome->kind == KP_OUTCOME_BLOCKED;
    bool was_before_metadata = send->ticket == 0 || send->wait == KB_WAIT_METADATA;
    if (was_before_metadata && !(waits && outcome->wait == KB_WAIT_METADATA)) {
        send->timestamp_ms = send->record.timestamp_ms >= 0 ? send->record.timestamp_ms : trace_now_ms(run);
    }
    switch (outcome->kind) {
    case KP_OUTCOME_DONE:
        tell_append(run, send, outcome);
        break;
    case KP_OUTCOME_BLOCKED:
        tell_blocked(run, send, outcome->wait);
        break;
    case KP_OUTCOME_FAILED:
    case KP_OUTCOME_THROWN:
        tell_send_error(run, send, outcome);
        break;
    }
    send->ticket = waits ? outcome->ticket : 0;
    send->wait = waits ? outcome->wait : -1;
    if (waits && outcome->ticket == 0) {
        trace_fail(run, "send %u is blocked without a ticket", send->record.id);
    }
}

/* --- Calls */

static void take_call_outcome(struct trace_run *run, struct trace_send *send,
                              const struct kp_outcome *outcome)
{
    send->ticket = outcome->kind == KP_OUTCOME_BLOCKED ? outcome->ticket : 0;
    if (outcome->kind == KP_OUTCOME_BLOCKED) {
        return;
    }
    cJSON *event = trace_event(run, "return");
    json_add_text(event, "call", send->call);
    json_add_integer(event, "send", send->record.id);
    if (outcome->kind != KP_OUTCOME_DONE) {
        describe_failure(event, &outcome->failure);
    }
}

static void do_call(struct trace_run *run, struct trace_send *send)
{
    struct kp_outcome *outcome = &run->outcome;
    struct kp_producer *producer = run->producer;
    int64_t now_ms = trace_now_ms(run);
    cJSON *event = trace_event(run, "call");
    json_add_text(event, "call", send->call);
    json_add_integer(event, "send", send->record.id);
    if (strcmp(send->call, "flush") == 0) {
        kp_producer_flush(producer, now_ms, outcome);
    } else if (strcmp(send->call, "close") == 0) {
        kp_producer_close(producer, json_member_integer(send->row, "timeout_ms", -1), now_ms, outcome);
    } else if (strcmp(send->call, "initTransactions") == 0) {
        kp_producer_init_transactions(producer, now_ms, outcome);
    } else if (strcmp(send->call, "beginTransaction") == 0) {
        kp_producer_begin_transaction(producer, now_ms, outcome);
    } else if (strcmp(send->call, "commitTransaction") == 0) {
        kp_producer_commit_transaction(producer, now_ms, outcome);
    } else if (strcmp(send->call, "abortTransaction") == 0) {
        kp_producer_abort_transaction(producer, now_ms, outcome);
    } else if (strcmp(send->call, "sendOffsetsToTransaction") == 0) {
        struct kp_offset offset = {.topic = "in",
                                   .offset = json_member_integer(send->row, "offset", 0),
                                   .leader_epoch = -1,
                                   .metadata = ""};
        kp_producer_send_offsets_to_transaction(producer, &offset, 1, "group-1", now_ms, outcome);
    } else {
        trace_fail(run, "nobody knows the call %.40s", send->call);
        run->is_over = true;
        return;
    }
    take_call_outcome(run, send, outcome);
}

void trace_do_sends(struct trace_run *run)
{
    for (; run->next_send < run->send_count && !run->is_over; run->next_send++) {
        struct trace_send *send = &run->sends[run->next_send];
        if (json_member_integer(send->row, "t", 0) > run->t) {
            return;
        }
        if (send->call != NULL) {
            do_call(run, send);
        } else {
            kp_producer_send(run->producer, &send->record, trace_now_ms(run), &run->outcome);
            take_send_outcome(run, send, &run->outcome);
        }
    }
}

/* --- What comes later */

static struct trace_send *find_ticket(const struct trace_run *run, uint64_t ticket)
{
    for (size_t i = 0; i < run->send_count; i++) {
        if (run->sends[i].ticket == ticket) {
            return &run->sends[i];
        }
    }
    return NULL;
}

void trace_resume_all(struct trace_run *run)
{
    uint64_t ticket = 0;
    while (!run->is_over && kp_producer_next_runnable(run->producer, trace_now_ms(run), &ticket)) {
        struct trace_send *send = ticket != 0 ? find_ticket(run, ticket) : NULL;
        if (send == NULL) {
            trace_fail(run, "ticket %llu is runnable, which nobody waits for", (unsigned long long)ticket);
            run->is_over = true;
            return;
        }
        struct kp_outcome *outcome = &run->outcome;
        kp_producer_resume(run->producer, ticket, trace_now_ms(run), outcome);
        if (outcome->kind != KP_OUTCOME_BLOCKED) {
            run->is_busy = true;
        }
        if (send->call != NULL) {
            take_call_outcome(run, send, outcome);
        } else {
            take_send_outcome(run, send, outcome);
        }
    }
}

static bool has_log_append_time(const struct trace_run *run, const char *name)
{
    const cJSON *topic = NULL;
    cJSON_ArrayForEach(topic, json_member(json_member(run->row, "cluster"), "topics"))
    {
        if (strcmp(json_member_text(topic, "name", ""), name) == 0) {
            return json_member_bool(topic, "log_append_time", false);
        }
    }
    return false;
}

/* What a completion says besides what the trace shows. */
static void check_completion(struct trace_run *run, struct trace_send *send, const struct kp_completion *done)
{
    unsigned id = done->record_id;
    if (!send->is_appended || send->is_completed) {
        trace_fail(run, "send %u completes %s", id, send->is_completed ? "twice" : "and was not appended");
    }
    send->is_completed = true;
    if (done->metadata.topic == NULL || strcmp(done->metadata.topic, send->record.topic) != 0 ||
        done->metadata.partition != send->partition) {
        trace_fail(run, "send %u completes for another partition than its own", id);
    }
    if (!done->failed && (done->metadata.key_bytes != send->record.key.length_bytes ||
                          done->metadata.value_bytes != send->record.value.length_bytes)) {
        trace_fail(run, "send %u completes with %d bytes of key and %d of value", id,
                   done->metadata.key_bytes, done->metadata.value_bytes);
    }
    if (!done->failed && !has_log_append_time(run, send->record.topic) &&
        done->metadata.timestamp_ms != send->timestamp_ms) {
        trace_fail(run, "send %u completes with timestamp %lld instead of %lld", id,
                   (long long)done->metadata.timestamp_ms, (long long)send->timestamp_ms);
    }
}

void trace_take_completions(struct trace_run *run)
{
    struct kp_completion *done = &run->completion;
    while (!run->is_over && kp_producer_next_completion(run->producer, done)) {
        run->is_busy = true;
        if (done->record_id >= run->send_count) {
            trace_fail(run, "record %u completes, which nobody sent", done->record_id);
            run->is_over = true;
            return;
        }
        cJSON *event = trace_event(run, done->failed ? "fail" : "ack");
        json_add_integer(event, "send", done->record_id);
        json_add_integer(event, "partition", done->metadata.partition);
        if (done->failed) {
            describe_failure(event, &done->failure);
        } else {
            json_add_integer(event, "offset", done->metadata.offset);
            if (has_log_append_time(run, run->sends[done->record_id].record.topic)) {
                json_add_integer(event, "timestamp", done->metadata.timestamp_ms);
            }
        }
        check_completion(run, &run->sends[done->record_id], done);
    }
}
