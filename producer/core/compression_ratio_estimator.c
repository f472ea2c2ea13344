#include "core/compression_ratio_estimator.h"

#include "base/assert.h"
#include "core/memory.h"

#define INITIAL_RATIO    1.0F   /* Kafka: CompressionType.rate, of every type */
#define IMPROVING_STEP   0.005F /* Kafka: COMPRESSION_RATIO_IMPROVING_STEP */
#define DETERIORATE_STEP 0.05F  /* Kafka: COMPRESSION_RATIO_DETERIORATE_STEP */

void kp_compression_ratio_estimator_release(struct kp_compression_ratio_estimator *estimator)
{
    kb_deallocate(estimator->allocator, estimator->topics,
                  estimator->topic_capacity * sizeof *estimator->topics);
    estimator->topics = NULL;
    estimator->topic_capacity = 0;
}

bool kp_compression_ratio_reserve(struct kp_compression_ratio_estimator *estimator, uint32_t topic_index)
{
    uint32_t old_capacity = estimator->topic_capacity;
    if (!kp_grow(estimator->allocator, &estimator->topics, &estimator->topic_capacity, topic_index + 1,
                 sizeof *estimator->topics)) {
        return false;
    }
    for (uint32_t i = old_capacity; i < estimator->topic_capacity; i++) {
        kp_compression_ratio_reset_estimation(estimator, i);
    }
    return true;
}

static float *ratio_of(const struct kp_compression_ratio_estimator *estimator, uint32_t topic_index,
                       enum kw_compression compression)
{
    KB_ASSERT(topic_index < estimator->topic_capacity && (int)compression < KP_COMPRESSION_COUNT);
    return &estimator->topics[topic_index].ratios[compression];
}

float kp_compression_ratio_estimation(const struct kp_compression_ratio_estimator *estimator,
                                      uint32_t topic_index, enum kw_compression compression)
{
    return *ratio_of(estimator, topic_index, compression);
}

float kp_compression_ratio_update_estimation(struct kp_compression_ratio_estimator *estimator,
                                             uint32_t topic_index, enum kw_compression compression,
                                             float observed_ratio)
{
    float *ratio = ratio_of(estimator, topic_index, compression);
    float stepped = *ratio;
    if (observed_ratio > *ratio) {
        stepped = *ratio + DETERIORATE_STEP;
    } else if (observed_ratio < *ratio) {
        stepped = *ratio - IMPROVING_STEP;
    }
    /* Equal: nothing changes. Otherwise whichever of the two is the larger, in both directions. */
    *ratio = stepped > observed_ratio ? stepped : observed_ratio;
    return *ratio;
}

void kp_compression_ratio_set_estimation(struct kp_compression_ratio_estimator *estimator,
                                         uint32_t topic_index, enum kw_compression compression, float ratio)
{
    *ratio_of(estimator, topic_index, compression) = ratio;
}

void kp_compression_ratio_reset_estimation(struct kp_compression_ratio_estimator *estimator,
                                           uint32_t topic_index)
{
    for (int compression = 0; compression < KP_COMPRESSION_COUNT; compression++) {
        *ratio_of(estimator, topic_index, (enum kw_compression)compression) = INITIAL_RATIO;
    }
}
