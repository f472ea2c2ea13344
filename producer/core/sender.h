/**
 * The sender thread as a state machine: which batches go where, and what becomes of them.
 *
 * Kafka: Sender. run() is cut where Java blocks: kp_sender_decide() is a pass up to the network,
 * kp_sender_digest() what follows. sender_responses.c holds the handling of produce responses.
 */
#ifndef KP_SENDER_H
#define KP_SENDER_H

#include "core/network_client.h"
#include "core/producer_metadata.h"
#include "core/transaction_manager.h"

struct kp_producer_metrics;
struct kp_record_accumulator;
struct kp_sender;

struct kp_sender_options {
    const struct linger_allocator *allocator; /* all of these are borrowed */
    struct kb_trace *trace;                   /* NULL: none */
    struct kp_producer_metadata *metadata;
    struct kp_record_accumulator *accumulator;
    struct kp_network_client *client;
    struct kp_transaction_manager *transaction_manager; /* NULL: neither idempotence nor transactions */
    struct kp_producer_metrics *metrics;                /* NULL: none */
    bool guarantees_message_order;                      /* max.in.flight.requests.per.connection is 1 */
    int32_t max_request_size_bytes;
    int16_t acks;
    int32_t retries;
    int32_t request_timeout_ms;
    int64_t retry_backoff_ms;
    int64_t delivery_timeout_ms;
};

/** NULL: no memory. */
struct kp_sender *kp_sender_create(const struct kp_sender_options *options);
void kp_sender_destroy(struct kp_sender *sender);

/** Kafka: runOnce up to the network, and the conditions of the loops in run(). */
void kp_sender_decide(struct kp_sender *sender, int64_t now_ms);
/** The rest of runOnce. */
void kp_sender_digest(struct kp_sender *sender, int64_t now_ms);

/** Close when everything is sent. Kafka: initiateClose. Closes the accumulator as well. */
void kp_sender_initiate_close(struct kp_sender *sender);
/** Give up what is left, in the next pass. Kafka: forceClose. */
void kp_sender_force_close(struct kp_sender *sender);
/** False as soon as closing began. */
bool kp_sender_is_running(const struct kp_sender *sender);
/** The loop is over: a close() may return. */
bool kp_sender_has_ended(const struct kp_sender *sender);

/** Nothing happened in the last pass. */
bool kp_sender_is_idle(const struct kp_sender *sender);
enum kb_sender_state kp_sender_state(const struct kp_sender *sender, int64_t *until_ms);
/** When it has something to do by itself; INT64_MAX: never. */
int64_t kp_sender_next_deadline_ms(const struct kp_sender *sender);

#endif
