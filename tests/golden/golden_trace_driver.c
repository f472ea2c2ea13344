#include "golden_trace.h"

#include "base/trace.h"
#include "golden_trace_observer.h"

enum {
    DURATION_MAX_MS = 1000000,
    /* Far more than any case needs; a producer that is never idle is a bug to be told. */
    ITERATION_COUNT_MAX = 2000
};

static bool is_sleeping(const struct trace_run *run)
{
    int64_t until_ms = 0;
    return kp_producer_sender_state(run->producer, &until_ms) == KB_SENDER_STATE_SLEEP &&
           trace_now_ms(run) < until_ms;
}

static void check_exit(struct trace_run *run)
{
    int64_t until_ms = 0;
    if (!run->has_sender_exited &&
        kp_producer_sender_state(run->producer, &until_ms) == KB_SENDER_STATE_CLOSED) {
        run->has_sender_exited = true;
        (void)trace_event(run, "sender_exit");
    }
}

/* Whether the run goes on with the next part of an iteration. */
static bool goes_on(struct trace_run *run)
{
    run->step_count++;
    if (run->step_count == run->step_count_max) {
        run->is_over = true;
    }
    return !run->is_over;
}

/* One pass of the sender's loop, or of the poll in which it waits. False: it was idle, or the run is over. */
static bool iterate(struct trace_run *run)
{
    run->is_busy = false;
    kp_producer_decide(run->producer, trace_now_ms(run));
    trace_observer_after_decide(run->observer);
    if (!goes_on(run)) {
        return false;
    }
    trace_take_decisions(run);
    /* Who sleeps does not poll. */
    if (!is_sleeping(run) && goes_on(run)) {
        trace_move_network(run);
        if (!goes_on(run)) {
            return false;
        }
        kp_producer_digest(run->producer, trace_now_ms(run));
        trace_take_actions(run);
        trace_take_completions(run);
    }
    run->is_busy = run->is_busy || !kp_producer_is_idle(run->producer);
    check_exit(run);
    trace_resume_all(run);
    return run->is_busy;
}

static void run_sender(struct trace_run *run)
{
    for (int i = 0; !run->is_over && !run->has_sender_exited; i++) {
        if (!iterate(run)) {
            return;
        }
        if (i == ITERATION_COUNT_MAX) {
            trace_fail(run, "the sender is still busy after %d iterations", ITERATION_COUNT_MAX);
            run->is_over = true;
        }
    }
}

static void tell_memory(struct trace_run *run)
{
    struct kp_memory_view now;
    kp_producer_memory(run->producer, &now);
    if (now.unallocated_bytes < 0 || now.available_bytes < now.unallocated_bytes ||
        now.available_bytes > now.total_bytes) {
        trace_fail(run, "the pool's accounts make no sense: total %lld, available %lld, unallocated %lld",
                   (long long)now.total_bytes, (long long)now.available_bytes,
                   (long long)now.unallocated_bytes);
    }
    if (now.available_bytes != run->memory.available_bytes ||
        now.unallocated_bytes != run->memory.unallocated_bytes) {
        cJSON *event = trace_event(run, "memory");
        json_add_integer(event, "available", now.available_bytes);
        json_add_integer(event, "unallocated", now.unallocated_bytes);
    }
    run->memory = now;
}

static void run_millisecond(struct trace_run *run)
{
    trace_resume_all(run);
    scripted_cluster_begin_ms(run->cluster, run->t);
    trace_do_sends(run);
    run_sender(run);
    tell_memory(run);
    trace_tell_view(run);
    if (scripted_cluster_failure(run->cluster) != NULL) {
        trace_fail(run, "%s", scripted_cluster_failure(run->cluster));
        run->is_over = true;
    }
}

/*
 * With idempotence the drain of a broker stops at a partition whose next batch must wait for one in flight,
 * and the drain index has moved: Java's sender does not sleep then, and each of its iterations counts.
 */
static bool does_each_iteration_count(const struct trace_run *run)
{
    return kp_config_values(run->config)->is_idempotent && run->requests != NULL;
}

static int64_t next_millisecond(struct trace_run *run)
{
    int64_t deadline_ms = kp_producer_next_deadline_ms(run->producer);
    int64_t next = scripted_cluster_next_ms(run->cluster, run->t);
    if (deadline_ms <= trace_now_ms(run) && !run->is_over) {
        trace_fail(run, "the producer is idle, and wants to run again at once");
    }
    if (!run->is_sleeping_between || does_each_iteration_count(run)) {
        return run->t + 1;
    }
    if (deadline_ms != INT64_MAX && deadline_ms - run->epoch_ms < next) {
        next = deadline_ms - run->epoch_ms;
    }
    if (run->next_send < run->send_count) {
        int64_t send_t = json_member_integer(run->sends[run->next_send].row, "t", 0);
        next = send_t < next ? send_t : next;
    }
    return next > run->t ? next : run->t + 1;
}

void trace_run_case(struct trace_run *run)
{
    int64_t duration_ms = golden_integer_in(run->golden, run->row, "duration_ms", 0, DURATION_MAX_MS);
    kp_producer_memory(run->producer, &run->memory);
    for (run->t = 0; run->t <= duration_ms && !run->is_over; run->t = next_millisecond(run)) {
        run_millisecond(run);
    }
    run->t = duration_ms;
}
