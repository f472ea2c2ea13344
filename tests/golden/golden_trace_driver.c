#include "golden_trace.h"

#include "base/trace.h"

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

/* One pass of the sender's loop, or of the poll in which it waits. False: it was idle. */
static bool iterate(struct trace_run *run)
{
    run->is_busy = false;
    kp_producer_decide(run->producer, trace_now_ms(run));
    trace_take_decisions(run);
    /* Who sleeps does not poll. */
    if (!is_sleeping(run)) {
        trace_move_network(run);
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

void trace_run_case(struct trace_run *run)
{
    int64_t duration_ms = golden_integer_in(run->golden, run->row, "duration_ms", 0, DURATION_MAX_MS);
    kp_producer_memory(run->producer, &run->memory);
    for (run->t = 0; run->t <= duration_ms && !run->is_over; run->t++) {
        run_millisecond(run);
    }
    run->t = duration_ms;
}
