/**
 * Between the files that hold a producer to a recorded trace (producer_trace.jsonl, txn_trace.jsonl).
 *
 * A run drives the producer through its public header over a scripted cluster, millisecond by millisecond, as
 * the README of the vectors says, and writes down what happens in the form of the recorded events.
 *
 * golden_trace.c               the check: a run, then both traces side by side
 * golden_trace_setup.c         the producer of a case, and the chance that was taken out of it
 * golden_trace_driver.c        a millisecond, an iteration of the sender
 * golden_trace_application.c   sends, calls, what they come to
 * golden_trace_network.c       between the producer's actions and the cluster
 * golden_trace_messages.c      requests and responses as events, from their bytes
 * golden_trace_observer.c      what the producer announces, against what it does and measures
 * golden_trace_view.c          who leads what in the client's eyes
 * golden_trace_compare.c       two traces: the first difference, all differences
 */
#ifndef LINGER_TESTS_GOLDEN_TRACE_H
#define LINGER_TESTS_GOLDEN_TRACE_H

#include "base/arena.h"
#include "failing_allocator.h"
#include "golden.h"
#include "scripted_cluster.h"
#include "wire/api_keys.h"
#include "wire/message_structs.h"

#include <linger/producer.h>

enum { TRACE_DECIDED_COUNT_MAX = 256 };

/** An entry of "sends": a record or a call. */
struct trace_send {
    const cJSON *row;
    /** NULL for a record. */
    const char *call;
    struct kp_record record;
    /** 0: it does not wait. */
    uint64_t ticket;
    /** enum kb_wait while it waits; -1 for calls. */
    int32_t wait;
    bool is_appended;
    bool is_completed;
    /** Of an appended record: what its batch must say. */
    int64_t timestamp_ms;
    int32_t partition;
};

/** A request that was handed over and whose response has not come. */
struct trace_request {
    struct trace_request *next;
    uint32_t connection;
    int32_t node;
    int32_t correlation_id;
    const struct kw_api *api;
    int16_t version;
    bool expects_response;
    /** Of the run's events; borrowed. */
    cJSON *event;
};

/** Who leads what, as the client was told; -1: nobody. */
struct trace_leader {
    struct trace_leader *next;
    const char *topic;
    int32_t partition;
    int32_t leader;
};

struct trace_run {
    struct golden_case *golden;
    const cJSON *row;
    /** What went wrong in the run apart from a difference of the traces. Empty: nothing. */
    char failure[1024];
    /** The run cannot go on. */
    bool is_over;
    struct scripted_cluster *cluster;
    /** Of the producer and its configuration alone. */
    struct failing_allocator memory_of_producer;
    struct kp_config *config;
    struct kp_producer *producer;
    /** NULL: nobody looks, and the producer announces nothing. */
    struct trace_observer *observer;
    int64_t epoch_ms;
    int64_t t;
    cJSON *events;
    bool has_frames;
    /** An object with partitions_for_node and available_partitions: the cluster, or an event metadata_view.
     */
    const cJSON *view;
    const cJSON *next_draw;
    struct trace_send *sends;
    size_t send_count;
    size_t next_send;
    struct trace_request *requests;
    /** By topic as they came to be known, then by partition. */
    struct trace_leader *leaders;
    bool has_view_changed;
    struct kp_memory_view memory;
    bool has_sender_exited;
    /** Parts of iterations: so far, and after how many the run is broken off; 0: it is not. */
    uint64_t step_count;
    uint64_t step_count_max;
    /** Leave out the milliseconds in which nothing is due. */
    bool is_sleeping_between;
    /** Something happened in the iteration. */
    bool is_busy;
    /** One message. */
    struct kb_arena arena;
    /** What the producer answered last. */
    struct kp_outcome outcome;
    struct kp_completion completion;
    /** The requests of one pass. */
    struct kp_action decided[TRACE_DECIDED_COUNT_MAX];
};

/** Note what went wrong, with the time; the first one is kept. printf's formats. */
void trace_fail(struct trace_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** A new event at the end of the run's trace, with its time and kind; borrowed. */
cJSON *trace_event(struct trace_run *run, const char *kind);

/** The producer's clock. */
int64_t trace_now_ms(const struct trace_run *run);

/* golden_trace_setup.c */

/** Everything is made; false with a failure when the case does not allow it. Released in any case. */
bool trace_setup(struct trace_run *run);
/** Fails when the producer keeps memory. */
void trace_release(struct trace_run *run);
/** Of struct kp_partition_order, whose context is the run: places in run->view. */
int64_t trace_place_in_node(void *run, int32_t node, const char *topic, int32_t partition);
int64_t trace_place_in_topic(void *run, const char *topic, int32_t partition);

/* golden_trace_driver.c */

void trace_run_case(struct trace_run *run);

/* golden_trace_application.c */

/** The sends and calls of this millisecond. */
void trace_do_sends(struct trace_run *run);
/** Threads and calls whose wait is over. */
void trace_resume_all(struct trace_run *run);
void trace_take_completions(struct trace_run *run);

/* golden_trace_network.c */

/** What decide wants: connections first, then results, then requests. */
void trace_take_decisions(struct trace_run *run);
/** What digest wants. */
void trace_take_actions(struct trace_run *run);
void trace_move_network(struct trace_run *run);

/* golden_trace_messages.c */

/** Add the fields of a request's event; frame is header and body. batches are those of the action. */
void trace_describe_request(struct trace_run *run, const struct kp_action *action, const uint8_t *frame,
                            size_t length_bytes, cJSON *event);
/** Add the fields of a response's event; frame is header and body. */
void trace_describe_response(struct trace_run *run, const struct trace_request *request, const uint8_t *frame,
                             size_t length_bytes, cJSON *event);

/* golden_trace_view.c */

/** The client is told this: the case has the orders that follow from it. */
void trace_learn_metadata(struct trace_run *run, const struct kw_metadata_response *response);
/** An event metadata_view, when the leaders that the client was told of have changed since the last one. */
void trace_tell_view(struct trace_run *run);

/* golden_trace_compare.c */

/** Fail with the first difference between the row's trace and the run's events, and what stands around it. */
void trace_compare(struct trace_run *run);
/** Print both traces, equal events once. */
void trace_print_both(struct trace_run *run);

#endif
