/**
 * How well the batches of a topic compress: what the size of the next ones is estimated by.
 *
 * The estimate falls by small steps when batches compress better than expected, and rises by a large step or
 * at once to what was seen when they compress worse: too low an estimate makes batches too large, which costs
 * a refusal by the broker and a split.
 *
 * Numbers are Java's float: IEEE single precision, operation by operation (record_batch_builder.c asserts
 * that the compiler evaluates them so). Kafka keeps one table for the whole process, and so for all of its
 * producers; here each producer has its own.
 *
 * Kafka: org.apache.kafka.common.record.CompressionRatioEstimator.
 */
#ifndef KP_COMPRESSION_RATIO_ESTIMATOR_H
#define KP_COMPRESSION_RATIO_ESTIMATOR_H

#include "wire/record_batch.h"

#include <linger/allocator.h>

#include <stdbool.h>
#include <stdint.h>

enum { KP_COMPRESSION_COUNT = KW_COMPRESSION_ZSTD + 1 };

/** Of one topic, by compression. */
struct kp_compression_ratios {
    float ratios[KP_COMPRESSION_COUNT];
};

/** Of all topics, by their index. Zeroed with its allocator set before its first use. */
struct kp_compression_ratio_estimator {
    const struct linger_allocator *allocator;
    struct kp_compression_ratios *topics;
    uint32_t topic_capacity;
};

void kp_compression_ratio_estimator_release(struct kp_compression_ratio_estimator *estimator);

/** Make a place for the topic; false without memory. The others below are for topics that have one. */
bool kp_compression_ratio_reserve(struct kp_compression_ratio_estimator *estimator, uint32_t topic_index)
    __attribute__((warn_unused_result));

/** 1 at first. Kafka: estimation. */
float kp_compression_ratio_estimation(const struct kp_compression_ratio_estimator *estimator,
                                      uint32_t topic_index, enum kw_compression compression);

/** A batch was seen to compress so. Returns the new estimate. Kafka: updateEstimation. */
float kp_compression_ratio_update_estimation(struct kp_compression_ratio_estimator *estimator,
                                             uint32_t topic_index, enum kw_compression compression,
                                             float observed_ratio);

/** Kafka: setEstimation. */
void kp_compression_ratio_set_estimation(struct kp_compression_ratio_estimator *estimator,
                                         uint32_t topic_index, enum kw_compression compression, float ratio);

/** All compressions of a topic begin anew. Kafka: resetEstimation. */
void kp_compression_ratio_reset_estimation(struct kp_compression_ratio_estimator *estimator,
                                           uint32_t topic_index);

#endif
