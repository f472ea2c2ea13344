/**
 * What a run came to, from its events: throughput, latency and where it was spent, how full batches were, why
 * they left.
 */
#ifndef SIM_SUMMARY_H
#define SIM_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "log/event_log.h"
#include "model/percentiles.h"

enum { SIM_LEFT_REASONS = 9 };

struct sim_summary {
    int64_t first_send_us; /* -1: nothing was sent */
    int64_t last_ack_us;   /* -1: nothing was acked */
    int64_t end_us;
    uint64_t sent;
    uint64_t acked;
    uint64_t failed;
    uint64_t acked_bytes; /* encoded records */
    /* From send() to the ack, and its parts: in send(), in the deque, in a request, waiting to try again. */
    struct sim_percentiles latency;
    struct sim_percentiles blocked;
    struct sim_percentiles queued;
    struct sim_percentiles in_flight;
    struct sim_percentiles backing_off;
    uint64_t batches_drained;
    uint64_t records_drained;
    uint64_t bytes_drained;
    uint64_t capacity_drained;
    uint64_t produce_requests;
    uint64_t retries;
    uint64_t splits;
    uint64_t expired;
    uint64_t disconnects;
    uint64_t metadata_updates;
    int64_t buffer_used_max_bytes;
    uint64_t blocked_sends;
    uint64_t left[SIM_LEFT_REASONS]; /* by bit of enum kb_left */
};

/** Reads the whole log once. false when there is no memory. */
bool sim_summarize(const struct sim_event_log *log, struct sim_summary *out);

/**
 * The same, event by event, for a log that keeps none: memory for the records and batches that are under way,
 * and for the percentiles (sim_durations).
 */
struct sim_summary_fold;
/** NULL when there is no memory. The info must outlive it. */
struct sim_summary_fold *sim_summary_fold_create(const struct sim_run_info *info);
void sim_summary_fold_destroy(struct sim_summary_fold *fold);
void sim_summary_fold_take(struct sim_summary_fold *fold, const struct kb_event *event);
/** end_us: of the last event. false when there was no memory for some event. */
bool sim_summary_fold_finish(const struct sim_summary_fold *fold, int64_t end_us, struct sim_summary *out);

#endif
