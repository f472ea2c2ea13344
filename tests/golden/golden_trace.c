#include "golden_trace.h"

#include "golden_trace_observer.h"

#include "base/trace.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void trace_fail(struct trace_run *run, const char *format, ...)
{
    if (run->failure[0] != '\0') {
        return;
    }
    int length = snprintf(run->failure, sizeof run->failure, "t=%lld: ", (long long)run->t);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(run->failure + length, sizeof run->failure - (size_t)length, format, arguments);
    va_end(arguments);
}

cJSON *trace_event(struct trace_run *run, const char *kind)
{
    cJSON *event = cJSON_CreateObject();
    json_add_integer(event, "t", run->t);
    json_add_text(event, "ev", kind);
    json_add(run->events, NULL, event);
    return event;
}

int64_t trace_now_ms(const struct trace_run *run)
{
    return run->epoch_ms + run->t;
}

/* Where the case ends with nothing going on, everything must be back where it was. */
static void check_end(struct trace_run *run)
{
    uint32_t memory_waiters = 0;
    bool is_quiet = true;
    for (size_t i = 0; i < run->send_count; i++) {
        const struct trace_send *send = &run->sends[i];
        memory_waiters += send->ticket != 0 && send->wait == KB_WAIT_MEMORY;
        is_quiet = is_quiet && send->ticket == 0 && (!send->is_appended || send->is_completed);
    }
    if (run->memory.waiter_count != memory_waiters) {
        trace_fail(run, "%u threads wait for memory, the pool says %u", memory_waiters,
                   run->memory.waiter_count);
    }
    if (is_quiet && run->memory.available_bytes != run->memory.total_bytes) {
        trace_fail(run, "all is done, and %lld of %lld bytes are not back",
                   (long long)(run->memory.total_bytes - run->memory.available_bytes),
                   (long long)run->memory.total_bytes);
    }
    if (is_quiet && kp_producer_incomplete_count(run->producer) != 0) {
        trace_fail(run, "all is done, and %llu records are incomplete",
                   (unsigned long long)kp_producer_incomplete_count(run->producer));
    }
    if (run->next_draw != NULL) {
        trace_fail(run, "not all of sticky_draws were drawn");
    }
}

/* Returns how many steps it took. */
static uint64_t run_whole(struct golden_case *golden, const cJSON *row, bool is_sleeping_between)
{
    struct trace_run run = {.golden = golden, .row = row, .is_sleeping_between = is_sleeping_between};
    run.events = cJSON_AddArrayToObject(golden_new_object(golden), "trace");
    /* Announcing changes nothing: the other run does without. */
    run.observer = is_sleeping_between ? NULL : trace_observer_create(&run);
    if (trace_setup(&run)) {
        trace_run_case(&run);
        check_end(&run);
        trace_observer_check(run.observer);
    }
    if (golden_is_ok(golden)) {
        trace_compare(&run);
    }
    if (golden_is_dumping()) {
        trace_print_both(&run);
        printf("%s%s", run.failure, run.failure[0] != '\0' ? "\n" : "");
    }
    if (run.failure[0] != '\0') {
        golden_fail(golden, "%s", run.failure);
    }
    trace_release(&run);
    return run.step_count;
}

/* A producer can be destroyed at any time, and gives everything back. */
static void run_part(struct golden_case *golden, const cJSON *row, uint64_t step_count)
{
    struct trace_run run = {.golden = golden, .row = row, .step_count_max = step_count};
    run.events = cJSON_AddArrayToObject(golden_new_object(golden), "trace");
    if (step_count > 0 && trace_setup(&run)) {
        trace_run_case(&run);
    }
    trace_release(&run);
}

static void check(struct golden_case *golden, const cJSON *row)
{
    enum { PART_COUNT = 8 };
    (void)golden_array(golden, row, "trace");
    uint64_t step_count = golden_is_ok(golden) ? run_whole(golden, row, false) : 0;
    /*
     * A driver that sleeps until something is due sees the same: what the producer says of its next deadline
     * is right. Only the idle iterations are fewer.
     */
    if (golden_is_ok(golden) && !json_member_bool(row, "iteration_sensitive", false)) {
        (void)run_whole(golden, row, true);
    }
    for (uint64_t i = 1; i < PART_COUNT && golden_is_ok(golden); i++) {
        run_part(golden, row, step_count * i / PART_COUNT);
    }
}

void golden_check_producer_trace(struct golden_case *golden, const cJSON *row)
{
    check(golden, row);
}

void golden_check_txn_trace(struct golden_case *golden, const cJSON *row)
{
    check(golden, row);
}

/* Every word of a list must be a reason that was given. */
static void expect_reasons(struct golden_case *golden, const cJSON *row, const char *member,
                           enum kb_field_type type, uint32_t given)
{
    enum { BIT_COUNT = 32 };
    const cJSON *word = NULL;
    cJSON_ArrayForEach(word, golden_array(golden, row, member))
    {
        bool was_given = false;
        for (int bit = 0; bit < BIT_COUNT && json_is_text(word); bit++) {
            const char *name = kb_field_value_name(type, bit);
            was_given = was_given ||
                        (name != NULL && strcmp(name, word->valuestring) == 0 && (given >> bit & 1) != 0);
        }
        if (!was_given) {
            golden_fail(golden, "%s: %s was not given", member, json_is_text(word) ? word->valuestring : "?");
        }
    }
}

void golden_check_why(struct golden_case *golden, const cJSON *row)
{
    struct trace_run run = {.golden = golden, .row = row};
    run.events = cJSON_AddArrayToObject(golden_new_object(golden), "trace");
    run.observer = trace_observer_create(&run);
    if (trace_setup(&run)) {
        trace_run_case(&run);
        check_end(&run);
        trace_observer_check(run.observer);
    }
    if (golden_is_dumping()) {
        trace_print_both(&run);
    }
    if (run.failure[0] != '\0') {
        golden_fail(golden, "%s", run.failure);
    }
    expect_reasons(golden, row, "left", KB_FIELD_LEFT, trace_observer_left(run.observer));
    expect_reasons(golden, row, "held", KB_FIELD_HELD, trace_observer_held(run.observer));
    trace_release(&run);
}
