/**
 * The producer: org.apache.kafka.clients.producer.KafkaProducer 3.0.0 with its Sender, as a library that does
 * no I/O.
 *
 * It has no clock, thread, socket or random source. Whoever drives it passes the time (milliseconds, Kafka's
 * clock), moves the bytes, and lets application code run. Nothing here ever blocks: where Java would, the
 * answer is KP_OUTCOME_BLOCKED with a ticket.
 *
 * A driver does, again and again:
 *
 *     let application code call kp_producer_send(), _flush(), ...
 *     kp_producer_decide(p, now_ms)                   Sender.runOnce up to the poll
 *     while (kp_producer_next_action(p, &action))     connect, send, close: start doing it
 *     report what the network did since:              _on_connected, _on_disconnected, _on_sent, _on_received
 *     kp_producer_digest(p, now_ms)                   NetworkClient.poll and what follows from it
 *     while (kp_producer_next_completion(p, &done))   tell the application
 *     while (kp_producer_next_runnable(p, now_ms, &ticket))   kp_producer_resume(): sends, flushes that go on
 *     sleep until kp_producer_next_deadline_ms(), the network, or a send that wakes the sender
 *
 * One thread at a time: a driver with several takes a lock. Memory comes from the allocator of the options.
 * docs/embedding.md holds a whole driver; docs/deviations.md says where this is not the Java client.
 *
 * Ownership, in the same words everywhere: *borrows* (the caller keeps it, and keeps it alive for that long),
 * *copies*, *owns*, *gives* (the caller's from then on), *valid until*. No function blocks. One that can fail
 * says how; handing in NULL where that is not allowed, an index beyond a count or a ticket that was not given
 * is a mistake of the program and ends it with a message.
 */
#ifndef LINGER_PRODUCER_H
#define LINGER_PRODUCER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linger/allocator.h>
#include <linger/producer_config.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kp_producer;
struct kb_trace;

/** A byte range; the library borrows it. length_bytes -1 (with data NULL) is Kafka's null. */
struct kp_bytes {
    const void *data;
    int32_t length_bytes;
};

#ifdef __cplusplus
#define KP_BYTES_NULL (kp_bytes{NULL, -1})
#else
#define KP_BYTES_NULL ((struct kp_bytes){NULL, -1})
#endif

struct kp_header {
    struct kp_bytes key; /* UTF-8; never null */
    struct kp_bytes value;
};

/** Kafka: ProducerRecord. Borrowed until the send() is over, that is until an outcome other than
 * KP_OUTCOME_BLOCKED. */
struct kp_record {
    const char *topic;    /* NUL-terminated */
    int32_t partition;    /* -1: the partitioner decides */
    int64_t timestamp_ms; /* -1: the time of the send */
    struct kp_bytes key;  /* what the key serializer takes */
    struct kp_bytes value;
    const struct kp_header *headers;
    uint32_t header_count;
    uint32_t id; /* the caller's number for it; comes back in the completion and in the trace */
};

/* --- Plug-ins --- */

/** Receives the bytes that a serializer produces. Copies. */
struct kp_sink {
    void *context;
    bool (*write)(void *context, const void *bytes, size_t length_bytes); /* false: no memory */
};

/** Kafka: Serializer. NULL members mean that bytes pass through. */
struct kp_serializer {
    void *context;
    /** Returns NULL, or a message that becomes a SerializationException. A null object is written as null. */
    const char *(*serialize)(void *context, const char *topic, struct kp_bytes object, struct kp_sink *out);
};

/** What a partitioner sees of a topic. Kafka: Cluster. */
struct kp_topic_view {
    const char *topic;
    int32_t partition_count;
    const int32_t *available; /* partitions with a leader, in the client's order */
    int32_t available_count;
};

/** Kafka: Partitioner. Ignored where partitioner.class names one of Kafka's. */
struct kp_partitioner {
    void *context;
    int32_t (*partition)(void *context, const struct kp_topic_view *view, struct kp_bytes key,
                         struct kp_bytes value);
    void (*on_new_batch)(void *context, const struct kp_topic_view *view,
                         int32_t previous_partition); /* or NULL */
};

/** Kafka: RecordMetadata. */
struct kp_record_metadata {
    const char *topic;
    int32_t partition;
    int64_t offset;       /* -1: unknown */
    int64_t timestamp_ms; /* -1: unknown */
    int32_t key_bytes;    /* serialized; -1: null */
    int32_t value_bytes;
};

/** Kafka: ProducerInterceptor. Members may be NULL. One that fails returns false and is skipped. */
struct kp_interceptor {
    void *context;
    /** May change *record; what it points at must live as long as the send. */
    bool (*on_send)(void *context, struct kp_record *record);
    bool (*on_acknowledgement)(void *context, const struct kp_record_metadata *metadata,
                               const struct kp_failure *failure);
};

/* --- Creation --- */

/** Chance, taken out of the library so that a run can be repeated. */
struct kp_chance {
    void *context;
    /** Non-negative 31-bit number for StickyPartitionCache.nextPartition; NULL: an own generator from the
     * seed. */
    int32_t (*sticky_draw)(void *context);
    /** Factor per mille around 1000 for the reconnect and connection set-up back-offs (Kafka: 800 to 1200);
     *  NULL: 1000, no jitter. */
    int32_t (*jitter_permille)(void *context);
    uint64_t seed;
};

/**
 * The order of partitions, which in Java comes from hash tables. Members may be NULL: then topics in the
 * order in which they came to be known, partitions by number.
 */
struct kp_partition_order {
    void *context;
    /** Place of a partition among those its node leads (the order of drain). Smaller first. */
    int64_t (*in_node)(void *context, int32_t node, const char *topic, int32_t partition);
    /** Place of a partition among the available ones of its topic; also its place in an AddPartitionsToTxn
     * request, which Java fills from a hash set. */
    int64_t (*in_topic)(void *context, const char *topic, int32_t partition);
};

struct kp_producer_options {
    const struct kp_config *config;             /* borrowed for the lifetime of the producer */
    const struct linger_allocator *allocator;   /* NULL: malloc */
    struct kb_trace *trace;                     /* NULL: none; else borrowed for the lifetime */
    const struct kp_serializer *key_serializer; /* copied; NULL: the one that the configuration names */
    const struct kp_serializer *value_serializer;
    const struct kp_partitioner *partitioner;  /* copied; NULL: the one that the configuration names */
    const struct kp_interceptor *interceptors; /* copied, called in this order */
    uint32_t interceptor_count;
    struct kp_chance chance;
    struct kp_partition_order order;
};

/**
 * Kafka: new KafkaProducer(...), in its order; what was opened is closed again when a later step fails.
 * On success *out is the caller's, to be given back with kp_producer_destroy().
 * Returns false with *failure: "Failed to construct kafka producer" and its causes.
 */
bool kp_producer_create(const struct kp_producer_options *options, int64_t now_ms, struct kp_producer **out,
                        struct kp_failure *failure) __attribute__((warn_unused_result));

/**
 * Frees everything, whatever is still going on: what is blocked is not resumed, nobody is told a result, no
 * action is asked for. The driver closes its connections itself. producer may be NULL. Kafka: none (the
 * collector).
 */
void kp_producer_destroy(struct kp_producer *producer);

/* --- What an application does --- */

enum kp_outcome_kind {
    KP_OUTCOME_DONE,    /* send: appended; calls: returned */
    KP_OUTCOME_BLOCKED, /* goes on with kp_producer_resume(ticket) */
    KP_OUTCOME_FAILED,  /* send: a failed future, and the callback was called; calls: the exception was thrown
                         */
    KP_OUTCOME_THROWN,  /* send threw */
};

struct kp_outcome {
    enum kp_outcome_kind kind;
    int32_t partition;         /* DONE of a send */
    bool wakes_sender;         /* the sender must run, now if it sleeps */
    int32_t wait;              /* BLOCKED: what a send waits for, 0 metadata, 1 memory; -1 for calls */
    uint64_t ticket;           /* BLOCKED: never 0 */
    int64_t deadline_ms;       /* BLOCKED: when it goes on at the latest; INT64_MAX: never by itself */
    struct kp_failure failure; /* FAILED, THROWN */
};

/**
 * Kafka: KafkaProducer.send (and the constructor of ProducerRecord). Borrows *record and what it points at
 * until the outcome is another than KP_OUTCOME_BLOCKED; out is the caller's. A send that was appended has one
 * completion later; one that failed has none, its outcome is that.
 * - KP_OUTCOME_DONE: appended; out->wakes_sender: run the sender now
 * - KP_OUTCOME_BLOCKED: waits for metadata or for memory, at most max.block.ms for both
 * - KP_OUTCOME_FAILED: an ApiException (too large, time-out, memory exhausted, invalid topic): Java's failed
 * future
 * - KP_OUTCOME_THROWN: any other exception, e.g. SerializationException, IllegalStateException after close(),
 *   OutOfMemoryError of the allocator
 */
void kp_producer_send(struct kp_producer *producer, const struct kp_record *record, int64_t now_ms,
                      struct kp_outcome *out);

/**
 * Kafka: KafkaProducer.flush. Everything that was sent before becomes ready.
 * - KP_OUTCOME_DONE: nothing was under way
 * - KP_OUTCOME_BLOCKED: until all of it is completed, however; never by time
 * - KP_OUTCOME_FAILED: OutOfMemoryError
 */
void kp_producer_flush(struct kp_producer *producer, int64_t now_ms, struct kp_outcome *out);

/**
 * Kafka: KafkaProducer.close(Duration); timeout_ms < 0 is close() without a time-out, 0 gives up at once. The
 * sender must go on being driven until its state is closed. Afterwards everything but looking in and
 * destroying fails or does nothing.
 * - KP_OUTCOME_DONE: the sender has ended
 * - KP_OUTCOME_BLOCKED: until it has
 * - KP_OUTCOME_FAILED: OutOfMemoryError
 */
void kp_producer_close(struct kp_producer *producer, int64_t timeout_ms, int64_t now_ms,
                       struct kp_outcome *out);

/** An offset that an application has consumed up to. Kafka: TopicPartition and OffsetAndMetadata. */
struct kp_offset {
    const char *topic;
    int32_t partition;
    int64_t offset;
    int32_t leader_epoch; /* -1: none */
    const char *metadata; /* NULL: none */
};

/**
 * The transactional calls. Kafka: KafkaProducer.initTransactions, beginTransaction, commitTransaction,
 * abortTransaction, sendOffsetsToTransaction (with a group id alone). Offsets and texts are copied.
 * - KP_OUTCOME_DONE: it returned
 * - KP_OUTCOME_BLOCKED: at most max.block.ms (not begin, which never blocks)
 * - KP_OUTCOME_FAILED: what Java throws: TimeoutException, ProducerFencedException, KafkaException in an
 * error state, IllegalStateException without transactional.id, after close() or out of turn, OutOfMemoryError
 */
void kp_producer_init_transactions(struct kp_producer *producer, int64_t now_ms, struct kp_outcome *out);
void kp_producer_begin_transaction(struct kp_producer *producer, int64_t now_ms, struct kp_outcome *out);
void kp_producer_commit_transaction(struct kp_producer *producer, int64_t now_ms, struct kp_outcome *out);
void kp_producer_abort_transaction(struct kp_producer *producer, int64_t now_ms, struct kp_outcome *out);
void kp_producer_send_offsets_to_transaction(struct kp_producer *producer, const struct kp_offset *offsets,
                                             uint32_t offset_count, const char *group_id, int64_t now_ms,
                                             struct kp_outcome *out);

/**
 * The next blocked send or call whose wait is over (signalled, complete, or timed out at now_ms), in the
 * order in which they began to wait. The caller must resume it. Ask after anything that takes now_ms, until
 * it answers false.
 */
bool kp_producer_next_runnable(struct kp_producer *producer, int64_t now_ms, uint64_t *ticket);

/**
 * Go on with a blocked send or call that kp_producer_next_runnable() named. Outcomes as of the function that
 * blocked; it may block again, under the same ticket. Kafka: the thread returns from its wait.
 */
void kp_producer_resume(struct kp_producer *producer, uint64_t ticket, int64_t now_ms,
                        struct kp_outcome *out);

/** One record whose fate is known. Everything in it is valid until the next call with this producer. */
struct kp_completion {
    uint32_t record_id;
    struct kp_record_metadata metadata;
    bool failed;
    struct kp_failure failure; /* failed */
};

/**
 * The next result, in Kafka's order of callbacks; false when there is none (now). Interceptors hear of it
 * before it is given. Kafka: Callback.onCompletion, Future<RecordMetadata>.
 */
bool kp_producer_next_completion(struct kp_producer *producer, struct kp_completion *out);

/* --- What the sender thread does --- */

/**
 * Kafka: Sender.runOnce up to the poll, and the conditions of the loops in Sender.run. Does nothing while the
 * sender waits or sleeps (states 1 and 2) and that is not over, nor after it has ended. now_ms must not go
 * back.
 */
void kp_producer_decide(struct kp_producer *producer, int64_t now_ms);

enum kp_action_kind {
    KP_ACTION_CONNECT, /* begin to connect */
    KP_ACTION_SEND,    /* write a request */
    KP_ACTION_CLOSE,   /* close; no report is expected any more */
};

/** A piece of a request; header fields and record batches come from different places (writev). */
struct kp_segment {
    const void *bytes;
    size_t length_bytes;
};

struct kp_action {
    enum kp_action_kind kind;
    uint32_t connection; /* a number never used again */
    int32_t node;        /* broker id; -1, -2, ... for the bootstrap list */
    const char *host;    /* CONNECT */
    uint16_t port;
    /* SEND: the frame with its 4-byte length in front; valid until _on_sent or the end of the connection. */
    const struct kp_segment *segments;
    uint32_t segment_count;
    size_t length_bytes;
    uint32_t request; /* correlation id */
    int32_t api;      /* API key and version */
    int32_t version;
    /* SEND of Produce: what it says of its batches, for whoever records; valid as long as segments. */
    const struct kp_request_batch *batches;
    uint32_t batch_count;
    int32_t acks;
    int32_t timeout_ms;
};

struct kp_request_batch {
    const char *topic;
    int32_t partition;
    uint32_t batch; /* number of the batch, as in the trace */
    uint32_t record_count;
    const uint32_t *record_ids; /* in the order of the batch */
    int32_t size_bytes;
    int32_t attempt; /* 0: first */
    int64_t producer_id;
    int32_t producer_epoch;
    int32_t base_sequence;
    bool transactional;
};

/**
 * What the driver is to do, in order; false when there is nothing (now). Ask after decide, and again after
 * digest. The texts and segments of an action are valid until the next call with this producer, those of a
 * SEND until _on_sent or the end of the connection. Kafka: Selector.connect, send, close.
 */
bool kp_producer_next_action(struct kp_producer *producer, struct kp_action *out);

/**
 * What the network did. Reports of one pass are given before digest, connections in the order of their nodes
 * (of the bootstrap list -2 before -1, before 0); a report for a connection that the producer has closed is
 * ignored.
 */
void kp_producer_on_connected(struct kp_producer *producer, uint32_t connection);
/** The connection was refused, or the other side closed it. Nothing of it is borrowed any more. */
void kp_producer_on_disconnected(struct kp_producer *producer, uint32_t connection);
/** The request is written whole; its segments are not borrowed any more. */
void kp_producer_on_sent(struct kp_producer *producer, uint32_t connection);
/** A whole response, without its 4-byte length; borrowed until digest returns. */
void kp_producer_on_received(struct kp_producer *producer, uint32_t connection, const void *frame,
                             size_t length_bytes);

/** The rest of NetworkClient.poll and of runOnce. */
void kp_producer_digest(struct kp_producer *producer, int64_t now_ms);

/** Whether anything happened in the last pass (decide and digest); when not, nothing happens before the
 * deadline. */
bool kp_producer_is_idle(const struct kp_producer *producer);

/**
 * 0: the sender runs; 1: it only polls until a node is ready (Kafka: awaitReady); 2: it sleeps; 3: it has
 * ended. For 1 and 2 *until_ms is when that ends at the latest, else INT64_MAX. While it sleeps nothing is
 * reported to it: what the network did meanwhile is reported when it wakes.
 */
int32_t kp_producer_sender_state(const struct kp_producer *producer, int64_t *until_ms);

/** When the sender or a blocked thread has something to do by itself; INT64_MAX: never. */
int64_t kp_producer_next_deadline_ms(const struct kp_producer *producer);

/* --- Looking in --- */

/** Kafka: BufferPool. */
struct kp_memory_view {
    int64_t total_bytes;
    int64_t available_bytes;   /* unallocated and kept buffers. Kafka: BufferPool.availableMemory */
    int64_t unallocated_bytes; /* Kafka: BufferPool.unallocatedMemory */
    uint32_t waiter_count;
};
/** The account of buffer.memory, now. */
void kp_producer_memory(const struct kp_producer *producer, struct kp_memory_view *out);

/* --- Metrics --- */

/** Java's class of a metric's value. */
enum kp_metric_type {
    KP_METRIC_DOUBLE,
    KP_METRIC_LONG,
    KP_METRIC_STRING,
};

/** A tag of a metric's name. */
struct kp_metric_tag {
    const char *name;
    const char *value;
};

/** "client-id", and "node-id" or "topic". */
#define KP_METRIC_TAG_COUNT_MAX 2

/** Kafka: MetricName and KafkaMetric. Texts are valid until the producer is destroyed. */
struct kp_metric {
    const char *group; /* e.g. "producer-metrics" */
    const char *name;  /* e.g. "record-send-rate" */
    const char *description;
    struct kp_metric_tag tags[KP_METRIC_TAG_COUNT_MAX];
    uint32_t tag_count;
    enum kp_metric_type type;
    double value;     /* DOUBLE, and LONG; NaN where Kafka has nothing to measure, and for STRING */
    int64_t integer;  /* LONG */
    const char *text; /* STRING; else NULL */
};

/**
 * How many metrics there are now: 69 from the construction on, 12 more for each broker that was ever
 * connected to, 9 more for each topic of which a batch was drained. None ever goes. Kafka:
 * KafkaProducer.metrics.
 */
uint32_t kp_producer_metric_count(const struct kp_producer *producer);

/**
 * The metric with that index, below kp_producer_metric_count(), as of now_ms: windowed rates and averages are
 * over metrics.num.samples windows of metrics.sample.window.ms. An index keeps its metric. Reading changes
 * nothing. Kafka: KafkaMetric.metricValue.
 */
void kp_producer_metric_at(const struct kp_producer *producer, uint32_t index, int64_t now_ms,
                           struct kp_metric *out);

/** Records that were sent and are not completed. */
uint64_t kp_producer_incomplete_count(const struct kp_producer *producer);

/**
 * Test seam: start with the metadata of a cluster as though a response had come at now_ms.
 * frame: body of a Metadata response version 11. Returns false when it cannot be read.
 */
bool kp_producer_seed_metadata(struct kp_producer *producer, const void *body, size_t length_bytes,
                               int64_t now_ms) __attribute__((warn_unused_result));

#ifdef __cplusplus
}
#endif

#endif
