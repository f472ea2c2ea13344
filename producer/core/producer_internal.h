/**
 * What the files of KafkaProducer share: producer.c (construction, the sender's side), producer_send.c,
 * producer_calls.c (flush, close, transactions), producer_waiting.c (tickets).
 */
#ifndef KP_PRODUCER_INTERNAL_H
#define KP_PRODUCER_INTERNAL_H

#include "base/list.h"
#include "base/trace.h"
#include "core/interceptors.h"
#include "core/network_client.h"
#include "core/partitioner.h"
#include "core/producer_metadata.h"
#include "core/producer_metrics.h"
#include "core/record_accumulator.h"
#include "core/sender.h"
#include "core/serializer.h"
#include "core/topics.h"
#include "core/transaction_manager.h"

#include <linger/producer.h>

enum kp_waiting_kind {
    KP_WAITING_FOR_METADATA,
    KP_WAITING_FOR_MEMORY,
    KP_WAITING_FOR_FLUSH,
    KP_WAITING_FOR_CLOSE,
    KP_WAITING_FOR_TRANSACTION,
};

/** An application thread that would be blocked in Java. Embedded first in a send or a call. */
struct kp_waiting {
    struct kb_list_node node; /* in the order in which they began to wait */
    uint64_t ticket;          /* 0: not waiting */
    enum kp_waiting_kind kind;
    int64_t since_ms;
    int64_t deadline_ms;
};

/** A send() in progress. Kept and used again: a send allocates nothing. */
struct kp_send {
    struct kp_waiting waiting;
    struct kp_send *next_free;
    const struct kp_record *record; /* as the interceptors left it: the caller's, or kept_record */
    struct kp_record kept_record;   /* changed by interceptors, or of a send that blocks */
    const struct kp_topic *topic;
    int64_t start_ms;
    int64_t waited_on_metadata_ms;
    int64_t awaits_memory_since_ms; /* the turn of the wait at hand, for the metrics */
    int32_t awaited_version;        /* of the metadata */
    int32_t old_partition_count;    /* -1: the topic was not known */
    int32_t partition;              /* -1: not known yet */
    struct kp_serialized key_scratch;
    struct kp_serialized value_scratch;
    struct kp_bytes key; /* serialized */
    struct kp_bytes value;
    struct kw_record_header *headers;
    uint32_t header_capacity;
    struct kp_append append;
};

/** A flush, close or transactional call in progress. */
struct kp_call {
    struct kp_waiting waiting;
    enum kb_call call;
    uint32_t flush_up_to;
    struct kp_transactional_result *result;
};

struct kp_producer {
    const struct linger_allocator *allocator;
    struct kb_trace *trace;
    const struct kp_producer_config *config;

    struct kp_topics *topics;
    struct kp_partitioner_state partitioner;
    struct kp_serializer_state key_serializer;
    struct kp_serializer_state value_serializer;
    struct kp_interceptors interceptors;
    struct kp_transaction_manager *transaction_manager;
    struct kp_producer_metadata *metadata;
    struct kp_record_accumulator *accumulator;
    struct kp_network_client *client;
    struct kp_sender *sender;
    struct kp_producer_metrics *metrics;

    struct kb_list waiting;
    uint64_t last_ticket;
    struct kp_send *free_sends;
    const struct kp_topic *last_topic; /* that a record was sent to; NULL: none yet */
    /** What a pass changed beside the sender's own work: told results, threads that went on. */
    uint64_t change_count;
    uint64_t change_count_at_decide;
    struct kp_failure completion_failure; /* of the completion that was given last */
};

/* --- Waiting */

/** Begin to wait, at the end of the queue, with a ticket of its own unless it has one; fills in *out. */
void kp_waiting_begin(struct kp_producer *producer, struct kp_waiting *waiting, enum kp_waiting_kind kind,
                      int64_t deadline_ms, int64_t now_ms, struct kp_outcome *out);
/** Wait on, in the same place. */
void kp_waiting_continue(const struct kp_waiting *waiting, struct kp_outcome *out);
void kp_waiting_end(struct kp_producer *producer, struct kp_waiting *waiting);

/** start + wait, or INT64_MAX where that overflows. */
int64_t kp_deadline_ms(int64_t start_ms, int64_t wait_ms);

/** The error whose exception this is, for the trace; UNKNOWN_SERVER_ERROR when there is none. */
enum kw_error kp_error_of_failure(const struct kp_failure *failure);

void kp_outcome_clear(struct kp_outcome *out);

/** A send is over, or goes on waiting: count it if it failed. Kafka: the catch blocks of doSend. */
void kp_producer_measure_send(struct kp_producer *producer, const struct kp_outcome *outcome, int64_t now_ms);

/* --- Sends and calls that go on */

bool kp_send_is_runnable(const struct kp_producer *producer, const struct kp_send *send, int64_t now_ms);
void kp_send_resume(struct kp_producer *producer, struct kp_send *send, int64_t now_ms,
                    struct kp_outcome *out);
/** The producer is destroyed. */
void kp_send_destroy(struct kp_producer *producer, struct kp_send *send);

bool kp_call_is_runnable(const struct kp_producer *producer, const struct kp_call *call, int64_t now_ms);
void kp_call_resume(struct kp_producer *producer, struct kp_call *call, int64_t now_ms,
                    struct kp_outcome *out);
void kp_call_destroy(struct kp_producer *producer, struct kp_call *call);

#endif
