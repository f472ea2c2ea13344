/**
 * A plain consumer in virtual time: it speaks Kafka's wire format over the simulated network, as
 * Kafka 3.0.0's client does where it shows, and counts what it reads.
 *
 * Its application calls poll() again and again. What poll() returned takes poll_cost_us and record_cost_us,
 * in which it does not poll; a member of a group shows that it is alive all the same.
 *
 * Kafka: KafkaConsumer, Fetcher, SubscriptionState, ConsumerCoordinator, ConsumerNetworkClient. What differs
 * is in docs/deviations.md.
 */
#ifndef SIM_CONSUMER_H
#define SIM_CONSUMER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/network.h"
#include "engine/scenario.h"

struct sim_world;
struct sim_consumer_driver;

/** Begins at the scenario's start_ms. Borrows the world. NULL: there is no memory. */
struct sim_consumer_driver *sim_consumer_create(struct sim_world *world, uint32_t index);
void sim_consumer_destroy(struct sim_consumer_driver *consumer);

/* What the network tells. */
void sim_consumer_established(struct sim_consumer_driver *consumer, struct sim_connection *connection);
void sim_consumer_ended(struct sim_consumer_driver *consumer, struct sim_connection *connection);
void sim_consumer_received(struct sim_consumer_driver *consumer, struct sim_connection *connection,
                           const void *bytes, size_t length_bytes);

/** Has it read all that there will be, or is it closed? What its partitions may still show, by the cluster's
 *  own word: up to the end of the log, and with read_committed up to an open transaction. */
bool sim_consumer_is_done(const struct sim_consumer_driver *consumer);
/** It has read everything and nobody writes any more: close() it, unless the scenario says otherwise. */
void sim_consumer_finish(struct sim_consumer_driver *consumer);
/** Closed, failed, or one that is not to be closed: the run need not wait for it. */
bool sim_consumer_is_over(const struct sim_consumer_driver *consumer);

/** A partition that it reads, for reports; index from 0 on, false past the end. */
struct sim_consumer_position {
    const char *topic;
    int32_t partition;
    int64_t position; /* -1: none yet */
    int64_t lag; /* to the high watermark, or with read_committed to the last stable offset; -1: unknown */
};
bool sim_consumer_position(const struct sim_consumer_driver *consumer, uint32_t index,
                           struct sim_consumer_position *out);
/** The error that ended it; 0: none. */
int32_t sim_consumer_error(const struct sim_consumer_driver *consumer);

#endif
