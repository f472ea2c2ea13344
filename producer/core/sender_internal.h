/**
 * What the parts of the sender share: sender.c is the loop, sender_transactions.c the part of it that sends
 * transactional requests, sender_produce.c builds produce requests, sender_responses.c digests the answers.
 */
#ifndef KP_SENDER_INTERNAL_H
#define KP_SENDER_INTERNAL_H

#include "base/arena.h"
#include "core/producer_metrics.h"
#include "core/record_accumulator.h"
#include "core/sender.h"
#include "core/transaction_manager_internal.h"

/** Where in Java's runOnce the sender is between two passes of the driver. */
enum kp_sender_step {
    KP_STEP_RUN,           /* at its beginning */
    KP_STEP_FIRST_POLL,    /* in the poll with which awaitReady begins */
    KP_STEP_AWAIT_POLL,    /* in one of the polls in which awaitReady waits */
    KP_STEP_SLEEP_TO_SEND, /* asleep before the request that is a retry */
    KP_STEP_SLEEP_TO_RETRY /* asleep because no node could be had */
};

/** What a part of a pass leads to. */
enum kp_sender_next {
    KP_NEXT_POLL,  /* the network is to move */
    KP_NEXT_SLEEP, /* the sender sleeps */
    KP_NEXT_AGAIN, /* runOnce has returned: the next one begins */
    KP_NEXT_GO_ON, /* this runOnce goes on */
};

/** Kafka: the loops of Sender.run. */
enum kp_sender_loop { KP_LOOP_RUNNING, KP_LOOP_DRAINING, KP_LOOP_ENDING_TRANSACTION, KP_LOOP_ENDED };

/** A batch in a request. It may be done, and its memory accounted as free, before its bytes are written. */
struct kp_carried_batch {
    struct kp_producer_batch *batch; /* a reference */
    struct kp_buffer *buffer;        /* likewise */
    const uint8_t *bytes;
    bool is_answered;
};

/** What one request carries, from the drain to the end of the request. Slots are used again. */
struct kp_produce_request {
    struct kp_sender *sender;
    struct kp_carried_batch *carried; /* those of a topic together */
    struct kp_request_batch *infos;   /* in the same order */
    uint32_t count;
    uint32_t carried_capacity;
    uint32_t info_capacity;
    struct kp_produce_request *next;
};

/** Batches in flight of a partition, in the order of their drains. By the index of the partition. */
struct kp_in_flight_partition {
    struct kp_producer_batch *first;
    struct kp_producer_batch *last;
    bool is_listed; /* in in_flight_partitions */
};

struct kp_sender {
    struct kp_sender_options options;
    struct kb_trace *trace;

    enum kp_sender_loop loop;
    bool is_running;
    bool is_forced;
    enum kp_sender_step step;
    int64_t until_ms; /* of a poll or a sleep */
    bool is_polling;  /* digest has a poll to finish */

    /* awaitReady for a transactional request. */
    struct kp_txn_request *request;
    enum kp_coordinator_type coordinator_type;
    struct kp_node target;
    char *target_host; /* owned */
    int64_t await_expiry_ms;

    struct kp_in_flight_partition *in_flight;
    uint32_t in_flight_capacity;
    uint32_t *in_flight_partitions; /* indices */
    uint32_t in_flight_partition_count;
    bool is_in_flight_oldest_known; /* of the first ones of all partitions */
    int64_t in_flight_oldest_ms;    /* when it was created; INT64_MAX: there is none */
    uint32_t in_flight_partition_capacity;

    struct kp_produce_request **drained; /* by the place among the ready nodes; NULL: nothing */
    uint32_t drained_capacity;
    int32_t *ready_nodes;
    uint32_t ready_node_capacity;
    struct kp_produce_request *free_requests;
    uint32_t *topic_places; /* by the index of the topic; all 0 between two requests */
    uint32_t topic_place_capacity;
    struct kb_arena arena; /* structs of a request while it is encoded */

    /* The pass, for the trace and for idleness. */
    uint64_t pass;
    uint64_t change_count;
    uint64_t changes_at_decide;
    int64_t last_pass_ms;
    int64_t poll_ms;
    uint32_t ready_node_count;
    uint32_t drained_count;
};

/** Begin a poll of at most timeout_ms. KP_NEXT_AGAIN when it was over at once. */
enum kp_sender_next kp_sender_begin_poll(struct kp_sender *sender, int64_t timeout_ms, int64_t now_ms);

/* --- sender_transactions.c */

/** Kafka: runOnce up to sendProducerData. KP_NEXT_GO_ON: the pass is for data. */
enum kp_sender_next kp_sender_run_transactions(struct kp_sender *sender, int64_t now_ms);
/** After a poll of awaitReady, or a sleep. */
enum kp_sender_next kp_sender_go_on(struct kp_sender *sender, int64_t now_ms);

/* --- sender_produce.c */

/** Kafka: sendProducerData. Returns the time-out of the poll. */
int64_t kp_sender_send_producer_data(struct kp_sender *sender, int64_t now_ms);
void kp_sender_release_produce(struct kp_sender *sender);
/** Kafka: maybeRemoveFromInflightBatches, maybeRemoveAndDeallocateBatch. */
void kp_sender_remove_in_flight(struct kp_sender *sender, struct kp_producer_batch *batch);
void kp_sender_remove_and_deallocate(struct kp_sender *sender, struct kp_producer_batch *batch);

/* --- sender_responses.c */

/** The callback of a produce request; context: the sender; subject: struct kp_produce_request. */
void kp_sender_on_produce_response(void *context, void *subject, const struct kp_client_response *response);
/** Kafka: failBatch(batch, exception, adjustSequenceNumbers). False: Java throws out of it. */
bool kp_sender_fail_batch(struct kp_sender *sender, struct kp_producer_batch *batch, enum kw_error error,
                          const struct kp_failure *failure, bool adjusts_sequences);

#endif
