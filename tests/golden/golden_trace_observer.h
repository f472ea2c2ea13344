/**
 * A look over the producer's shoulder during a run: the events that it announces.
 *
 * Two things are checked. What is said of a batch agrees with what the sender then does: whoever is ready is
 * drained in that very pass, or it is said why not; whoever is held is not drained. And the metrics agree
 * with the events.
 */
#ifndef LINGER_TESTS_GOLDEN_TRACE_OBSERVER_H
#define LINGER_TESTS_GOLDEN_TRACE_OBSERVER_H

#include "base/trace.h"
#include "golden_trace.h"
#include "wire/errors.h"

struct trace_observer;

/** Lives as long as the case. */
struct trace_observer *trace_observer_create(struct trace_run *run);
/** NULL for no observer, as everywhere here. */
struct kb_trace *trace_observer_trace(struct trace_observer *observer);
/** kp_producer_decide() has returned. */
void trace_observer_after_decide(struct trace_observer *observer);
/** The run is over. */
void trace_observer_check(struct trace_observer *observer);

/** Of this run alone, in the same way. */
uint32_t trace_observer_left(const struct trace_observer *observer);
uint32_t trace_observer_held(const struct trace_observer *observer);

/** Reasons that were ever given, over all runs of the process: bits of enum kb_left and kb_held. */
extern uint32_t trace_observed_left;
extern uint32_t trace_observed_held;

#endif
