/**
 * A log made without an engine: a small run of three brokers that looks like the producer's, for pictures and
 * tests of the stage. It follows Kafka's order of events, not its arithmetic.
 */
#ifndef LINGER_TESTS_VIEW_SYNTHETIC_LOG_H
#define LINGER_TESTS_VIEW_SYNTHETIC_LOG_H

#include "log/event_log.h"

struct synthetic_options {
    int32_t partition_count; /**< 0: 3 */
    uint32_t broker_count;   /**< 0: 3 */
    int64_t duration_us;     /**< 0: 40 ms */
    int64_t record_every_us; /**< 0: 130 µs */
    const char *topic;       /**< NULL: "orders" */
};

/** options may be NULL. NULL when there is no memory; the caller destroys it. */
struct sim_event_log *synthetic_log_create(const struct synthetic_options *options);

#endif
