/**
 * What a producer measures of itself. Kafka: the Metrics of KafkaProducer with SenderMetricsRegistry,
 * Sender.SenderMetrics, the sensors of BufferPool and KafkaProducer, Selector.SelectorMetrics, AppInfoParser.
 *
 * The metrics are listed in producer_metrics.def. Nothing is recorded per record: a batch, a request, a
 * response or a failure adds a few numbers. Memory is taken at creation, and once for each broker and topic
 * (with metrics.num.samples above 2 also when a window is over); without any, a broker or topic is tried
 * again the next time.
 *
 * Every function that records takes NULL for no metrics. None blocks.
 */
#ifndef KP_PRODUCER_METRICS_H
#define KP_PRODUCER_METRICS_H

#include "core/sensor.h"
#include "core/topics.h"

#include <linger/producer.h>

#include <stdbool.h>

/** The sensors of the producer as a whole; those of a broker and of a topic are below. */
enum kp_producer_sensor {
    KP_SENSOR_BATCH_SIZE,
    KP_SENSOR_COMPRESSION_RATE,
    KP_SENSOR_QUEUE_TIME,
    KP_SENSOR_REQUEST_TIME,
    KP_SENSOR_RECORDS_PER_REQUEST,
    KP_SENSOR_RETRIES,
    KP_SENSOR_ERRORS,
    KP_SENSOR_RECORD_SIZE,
    KP_SENSOR_BATCH_SPLIT,
    KP_SENSOR_THROTTLE_TIME,
    KP_SENSOR_WAIT_TIME,
    KP_SENSOR_EXHAUSTED,
    KP_SENSOR_CONNECTION_CLOSED,
    KP_SENSOR_CONNECTION_CREATED,
    KP_SENSOR_BYTES_MOVED,
    KP_SENSOR_REQUESTS,
    KP_SENSOR_RESPONSES,
    KP_SENSOR_SELECT,
    KP_SENSOR_NEVER, /* nothing is ever recorded */
    KP_PRODUCER_SENSOR_COUNT
};

enum kp_node_sensor {
    KP_NODE_SENSOR_REQUESTS,
    KP_NODE_SENSOR_RESPONSES,
    KP_NODE_SENSOR_LATENCY,
    KP_NODE_SENSOR_COUNT
};

enum kp_topic_sensor {
    KP_TOPIC_SENSOR_RECORDS,
    KP_TOPIC_SENSOR_BYTES,
    KP_TOPIC_SENSOR_COMPRESSION_RATE,
    KP_TOPIC_SENSOR_RETRIES,
    KP_TOPIC_SENSOR_ERRORS,
    KP_TOPIC_SENSOR_COUNT
};

/** What is asked for when it is read. */
enum kp_gauge {
    KP_GAUGE_VERSION,
    KP_GAUGE_COMMIT_ID,
    KP_GAUGE_START_TIME,
    KP_GAUGE_METRIC_COUNT,
    KP_GAUGE_REQUESTS_IN_FLIGHT,
    KP_GAUGE_METADATA_AGE,
    KP_GAUGE_WAITING_THREADS,
    KP_GAUGE_BUFFER_TOTAL,
    KP_GAUGE_BUFFER_AVAILABLE,
    KP_GAUGE_CONNECTION_COUNT,
};

struct kp_producer_metrics;
/** Of one broker; the producer_metrics own it. */
struct kp_node_metrics;

/** Borrows all it is given. NULL: no memory. now_ms: the time of the construction. */
struct kp_producer_metrics *kp_producer_metrics_create(const struct linger_allocator *allocator,
                                                       const struct kp_producer_config *config,
                                                       int64_t now_ms);
/** metrics may be NULL. */
void kp_producer_metrics_destroy(struct kp_producer_metrics *metrics);

/** Kafka: Sensor.record. */
void kp_producer_metrics_record(struct kp_producer_metrics *metrics, enum kp_producer_sensor sensor,
                                double value, int64_t now_ms);

/* --- Brokers. Kafka: Selector.SelectorMetrics */

/** Those of the broker, made when they are new; NULL: no memory, or no metrics. */
struct kp_node_metrics *kp_producer_metrics_register_node(struct kp_producer_metrics *metrics, int32_t node);
/** A whole request was written, its length included. node may be NULL here as below. Kafka: recordBytesSent,
 * recordCompletedSend. */
void kp_producer_metrics_record_request(struct kp_producer_metrics *metrics, struct kp_node_metrics *node,
                                        size_t length_bytes, int64_t now_ms);
/** A whole response was read, without its 4-byte length. Kafka: recordBytesReceived, recordCompletedReceive.
 */
void kp_producer_metrics_record_response(struct kp_producer_metrics *metrics, struct kp_node_metrics *node,
                                         size_t length_bytes, int64_t now_ms);

/* --- The sender. Kafka: Sender.SenderMetrics */

/** What updateProduceRequestMetrics asks a batch. */
struct kp_batch_measures {
    const struct kp_topic *topic;
    uint32_t record_count;
    int32_t size_bytes;
    int32_t max_record_size_bytes;
    int64_t queue_time_ms;
    double compression_ratio;
};
/** A batch was drained; the first one of a topic registers it. Kafka: updateProduceRequestMetrics. */
void kp_producer_metrics_record_batch(struct kp_producer_metrics *metrics,
                                      const struct kp_batch_measures *batch, int64_t now_ms);
/** RETRIES or ERRORS of the producer and of the topic, if that is registered. Kafka: recordRetries,
 * recordErrors. */
void kp_producer_metrics_record_retries(struct kp_producer_metrics *metrics, const struct kp_topic *topic,
                                        uint32_t record_count, int64_t now_ms);
void kp_producer_metrics_record_errors(struct kp_producer_metrics *metrics, const struct kp_topic *topic,
                                       uint32_t record_count, int64_t now_ms);
/** Kafka: recordLatency. */
void kp_producer_metrics_record_latency(struct kp_producer_metrics *metrics, int32_t node, int64_t latency_ms,
                                        int64_t now_ms);

/* --- Reading */

uint32_t kp_producer_metrics_count(const struct kp_producer_metrics *metrics);
/** A gauge's value; the producer knows. */
typedef double kp_gauge_read(const void *context, enum kp_gauge gauge, int64_t now_ms);
/** index < kp_producer_metrics_count(); see kp_producer_metric_at(). */
void kp_producer_metrics_at(const struct kp_producer_metrics *metrics, uint32_t index, kp_gauge_read *read,
                            const void *context, int64_t now_ms, struct kp_metric *out);

#endif
