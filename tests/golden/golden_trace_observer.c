/*
 * What the producer announces during a run, held against what it then does and against what it measures.
 */
#include "golden_trace_observer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BATCH_COUNT_MAX = 4096, REQUEST_COUNT_MAX = 16384, NS_PER_MS = 1000000 };

/* What was said of one batch. */
struct watched_batch {
    uint32_t record_count;    /* at its last drain */
    bool was_ready;           /* since it was last put into its queue */
    bool is_waiting_for_word; /* ready in this decide: drained or held is to follow */
    uint32_t held;            /* what was said last; 0: nothing, or it is not held */
    bool was_held_now;        /* in this decide */
    int64_t held_until_ms;
    int32_t held_node;
};

struct trace_observer {
    struct trace_run *run;
    struct kb_trace trace;
    uint32_t last_name;
    uint32_t left; /* ever */
    uint32_t held;
    uint32_t batch_count; /* seen so far, or a little more */
    struct watched_batch batches[BATCH_COUNT_MAX];
    int32_t request_bytes[REQUEST_COUNT_MAX];

    /* Sums over the events, to be compared with the metrics. */
    double records, batches_drained, bytes, queued_ms, queued_max_ms, retried, splits, refused, exhausted,
        failed;
    double requests, request_bytes_sent, responses, produce_responses, latency_ms, connected, connecting;
    double waited_for_memory_ms, throttled_max_ms;
    bool has_late_failures;
    bool may_have_aborted;
};

uint32_t trace_observed_left;
uint32_t trace_observed_held;

static double larger(double left, double right)
{
    return left > right ? left : right;
}

static double size_of(double value)
{
    return value < 0 ? -value : value;
}

/* --- Why */

static void check_drained(struct trace_observer *o, const struct kb_event_batch_drained *e,
                          struct watched_batch *b)
{
    int64_t now_ms = trace_now_ms(o->run);
    if (e->left == 0 || (e->left != KB_LEFT_PIGGYBACK && !b->was_ready)) {
        trace_fail(o->run, "batch %u is drained (left %x), and was never said to be ready", e->batch,
                   e->left);
    }
    if (b->was_held_now && !(b->held == KB_HELD_LINGER && e->left == KB_LEFT_PIGGYBACK)) {
        trace_fail(o->run, "batch %u is drained in the pass in which it is held (%x)", e->batch, b->held);
    }
    bool is_of_node =
        (b->held & (KB_HELD_RECONNECT_BACKOFF | KB_HELD_THROTTLED)) != 0 && b->held_node == e->node;
    if (((b->held & KB_HELD_BACKOFF) != 0 || is_of_node) && now_ms < b->held_until_ms) {
        trace_fail(o->run, "batch %u is drained %lld ms too early (held %x)", e->batch,
                   (long long)(b->held_until_ms - now_ms), b->held);
    }
    o->left |= e->left;
    trace_observed_left |= e->left;
    o->records += e->records;
    o->batches_drained++;
    o->bytes += e->bytes;
    o->queued_ms += (double)e->queued_ms;
    o->queued_max_ms = larger(o->queued_max_ms, (double)e->queued_ms);
    *b = (struct watched_batch){.record_count = e->records};
}

static struct watched_batch *watched(struct trace_observer *o, uint32_t number)
{
    if (number >= BATCH_COUNT_MAX) {
        trace_fail(o->run, "there are too many batches to watch");
        return &o->batches[0];
    }
    o->batch_count = number >= o->batch_count ? number + 1 : o->batch_count;
    return &o->batches[number];
}

static void on_batch_event(struct trace_observer *o, const struct kb_event *event)
{
    struct watched_batch *b;
    switch (event->kind) {
    case KB_EVENT_BATCH_READY:
        b = watched(o, event->as.batch_ready.batch);
        b->was_ready = true;
        b->is_waiting_for_word = true;
        b->held = 0;
        break;
    case KB_EVENT_BATCH_HELD:
        b = watched(o, event->as.batch_held.batch);
        b->is_waiting_for_word = false;
        b->was_held_now = true;
        b->held = event->as.batch_held.held;
        b->held_node = event->as.batch_held.node;
        b->held_until_ms = trace_now_ms(o->run) + event->as.batch_held.left_ms;
        o->held |= b->held;
        trace_observed_held |= b->held;
        break;
    case KB_EVENT_BATCH_DRAINED:
        check_drained(o, &event->as.batch_drained, watched(o, event->as.batch_drained.batch));
        break;
    case KB_EVENT_BATCH_REENQUEUED:
        o->retried += watched(o, event->as.batch_reenqueued.batch)->record_count;
        break;
    case KB_EVENT_BATCH_SPLIT:
        o->splits++;
        break;
    case KB_EVENT_BATCH_EXPIRED:
        b = watched(o, event->as.batch_expired.batch);
        b->is_waiting_for_word = false;
        o->has_late_failures = o->has_late_failures || event->as.batch_expired.in_flight != 0;
        break;
    default:
        break;
    }
}

void trace_observer_after_decide(struct trace_observer *o)
{
    for (uint32_t i = 0; o != NULL && i < o->batch_count; i++) {
        struct watched_batch *b = &o->batches[i];
        if (b->is_waiting_for_word) {
            trace_fail(o->run, "batch %u is ready, and neither drained nor held", i);
        }
        b->is_waiting_for_word = false;
        b->was_held_now = false;
    }
}

/* --- The network */

static void on_network_event(struct trace_observer *o, const struct kb_event *event)
{
    switch (event->kind) {
    case KB_EVENT_REQUEST_BUILT:
        if (event->as.request_built.request < REQUEST_COUNT_MAX) {
            o->request_bytes[event->as.request_built.request] = event->as.request_built.bytes;
        }
        break;
    case KB_EVENT_REQUEST_SENT:
        o->requests++;
        o->request_bytes_sent += o->request_bytes[event->as.request_sent.request % REQUEST_COUNT_MAX];
        break;
    case KB_EVENT_RESPONSE_RECEIVED:
        o->responses++;
        if (event->as.response_received.api == KW_API_PRODUCE) {
            o->produce_responses++;
            o->latency_ms += (double)event->as.response_received.latency_ms;
        }
        break;
    case KB_EVENT_CONNECTION_STATE:
        o->connecting += event->as.connection_state.state == KB_CONNECTION_STATE_CONNECTING;
        o->connected += event->as.connection_state.state == KB_CONNECTION_STATE_CHECKING_API_VERSIONS;
        break;
    case KB_EVENT_THROTTLED:
        o->throttled_max_ms = larger(o->throttled_max_ms, (double)event->as.throttled.throttle_ms);
        break;
    case KB_EVENT_THREAD_UNBLOCKED:
        if (event->as.thread_unblocked.wait == KB_WAIT_MEMORY) {
            o->waited_for_memory_ms += (double)event->as.thread_unblocked.waited_ms;
        }
        break;
    case KB_EVENT_PRODUCER_CLOSED:
        o->may_have_aborted = o->may_have_aborted || event->as.producer_closed.forced != 0;
        break;
    case KB_EVENT_TRANSACTION_STATE:
        o->may_have_aborted = o->may_have_aborted ||
                              event->as.transaction_state.new_state == KB_TXN_STATE_FATAL_ERROR ||
                              event->as.transaction_state.new_state == KB_TXN_STATE_ABORTABLE_ERROR ||
                              event->as.transaction_state.new_state == KB_TXN_STATE_ABORTING_TRANSACTION;
        break;
    case KB_EVENT_RECORD_REJECTED:
        o->exhausted += event->as.record_rejected.error == KW_ERROR_BUFFER_EXHAUSTED;
        break;
    default:
        break;
    }
}

static uint64_t emit(void *context, struct kb_event *event, uint64_t cause)
{
    struct trace_observer *o = context;
    (void)cause;
    on_batch_event(o, event);
    on_network_event(o, event);
    return 1;
}

static uint32_t intern(void *context, const char *name, size_t length_bytes)
{
    (void)name;
    (void)length_bytes;
    return ++((struct trace_observer *)context)->last_name;
}

struct trace_observer *trace_observer_create(struct trace_run *run)
{
    struct trace_observer *o = golden_allocate(run->golden, sizeof *o);
    o->run = run;
    o->trace = (struct kb_trace){.context = o, .emit = emit, .intern = intern};
    return o;
}

struct kb_trace *trace_observer_trace(struct trace_observer *observer)
{
    return observer != NULL ? &observer->trace : NULL;
}

uint32_t trace_observer_left(const struct trace_observer *o)
{
    return o->left;
}

uint32_t trace_observer_held(const struct trace_observer *o)
{
    return o->held;
}

/* --- Metrics */

static double metric(const struct trace_run *run, const char *name)
{
    uint32_t count = kp_producer_metric_count(run->producer);
    for (uint32_t i = 0; i < count; i++) {
        struct kp_metric m;
        kp_producer_metric_at(run->producer, i, trace_now_ms(run), &m);
        if (strcmp(m.group, "producer-metrics") == 0 && strcmp(m.name, name) == 0) {
            return m.value;
        }
    }
    return (double)NAN;
}

/* Over all brokers, or topics. */
static double metric_sum(const struct trace_run *run, const char *group, const char *name)
{
    uint32_t count = kp_producer_metric_count(run->producer);
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct kp_metric m;
        kp_producer_metric_at(run->producer, i, trace_now_ms(run), &m);
        sum += strcmp(m.group, group) == 0 && strcmp(m.name, name) == 0 ? m.value : 0;
    }
    return sum;
}

static void expect(struct trace_observer *o, const char *name, double actual, double expected)
{
    bool is_equal =
        isnan(expected) ? isnan(actual) : size_of(actual - expected) <= 1e-9 * larger(1, size_of(expected));
    if (!is_equal) {
        trace_fail(o->run, "metric %s is %.17g, and the events say %.17g", name, actual, expected);
    }
}

/* Batches that are aborted fail, and Kafka counts no errors for them; one that expired in flight counts again
 * when its response comes. */
static void expect_errors(struct trace_observer *o)
{
    double failed = 0;
    const cJSON *event = NULL;
    cJSON_ArrayForEach(event, o->run->events)
    {
        const char *kind = json_member_text(event, "ev", "");
        const char *exception = json_member_text(event, "exception", "");
        failed += strcmp(kind, "fail") == 0;
        failed += strcmp(kind, "send_error") == 0 && strncmp(exception, "Illegal", strlen("Illegal")) != 0;
    }
    double total = metric(o->run, "record-error-total");
    if (!o->may_have_aborted && !o->has_late_failures) {
        expect(o, "record-error-total", total, failed);
    } else if (total > failed && !o->has_late_failures) {
        trace_fail(o->run, "metric record-error-total is %g, and only %g records failed", total, failed);
    }
}

void trace_observer_check(struct trace_observer *o)
{
    enum { WINDOWS_MS = 30000 };
    if (o == NULL || o->run->is_over) {
        return;
    }
    const struct trace_run *run = o->run;
    expect(o, "record-send-total", metric(run, "record-send-total"), o->records);
    expect(o, "record-send-total by topic", metric_sum(run, "producer-topic-metrics", "record-send-total"),
           o->records);
    expect(o, "byte-total by topic", metric_sum(run, "producer-topic-metrics", "byte-total"), o->bytes);
    expect(o, "record-retry-total", metric(run, "record-retry-total"), o->retried);
    expect(o, "batch-split-total", metric(run, "batch-split-total"), o->splits);
    expect(o, "request-total", metric(run, "request-total"), o->requests);
    expect(o, "request-total by node", metric_sum(run, "producer-node-metrics", "request-total"),
           o->requests);
    expect(o, "outgoing-byte-total", metric(run, "outgoing-byte-total"), o->request_bytes_sent);
    expect(o, "response-total", metric(run, "response-total"), o->responses);
    expect(o, "network-io-total", metric(run, "network-io-total"), o->requests + o->responses);
    expect(o, "incoming-byte-total", metric(run, "incoming-byte-total"),
           metric_sum(run, "producer-node-metrics", "incoming-byte-total"));
    expect(o, "connection-creation-total", metric(run, "connection-creation-total"), o->connected);
    expect(o, "connection-count", metric(run, "connection-count"),
           o->connecting - metric(run, "connection-close-total"));
    expect(o, "buffer-exhausted-total", metric(run, "buffer-exhausted-total"), o->exhausted);
    expect(o, "buffer-available-bytes", metric(run, "buffer-available-bytes"),
           (double)run->memory.available_bytes);
    expect(o, "waiting-threads", metric(run, "waiting-threads"), run->memory.waiter_count);
    if (run->memory.waiter_count == 0) {
        expect(o, "bufferpool-wait-time-total", metric(run, "bufferpool-wait-time-total"),
               o->waited_for_memory_ms * NS_PER_MS);
    }
    if (run->t < WINDOWS_MS) { /* everything is within the windows */
        double count = o->batches_drained;
        expect(o, "batch-size-avg", metric(run, "batch-size-avg"),
               count == 0 ? (double)NAN : o->bytes / count);
        expect(o, "record-queue-time-avg", metric(run, "record-queue-time-avg"),
               count == 0 ? (double)NAN : o->queued_ms / count);
        expect(o, "record-queue-time-max", metric(run, "record-queue-time-max"),
               count == 0 ? (double)NAN : o->queued_max_ms);
        expect(o, "request-latency-avg", metric(run, "request-latency-avg"),
               o->produce_responses == 0 ? (double)NAN : o->latency_ms / o->produce_responses);
    }
    if (o->throttled_max_ms > 0 && run->t < WINDOWS_MS) {
        expect(o, "produce-throttle-time-max", metric(run, "produce-throttle-time-max"), o->throttled_max_ms);
    }
    expect_errors(o);
}
