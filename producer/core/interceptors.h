/**
 * The chain of interceptors. One that fails is skipped, and the next gets what it would have got. Kafka:
 * ProducerInterceptors.
 */
#ifndef KP_INTERCEPTORS_H
#define KP_INTERCEPTORS_H

#include "base/trace.h"

#include <linger/producer.h>

struct kp_interceptors {
    const struct linger_allocator *allocator;
    struct kb_trace *trace;
    struct kp_interceptor *list;
    uint32_t count;
};

/** Copies the list. False without memory. */
bool kp_interceptors_init(struct kp_interceptors *interceptors, const struct linger_allocator *allocator,
                          struct kb_trace *trace, const struct kp_interceptor *list, uint32_t count)
    __attribute__((warn_unused_result));
void kp_interceptors_release(struct kp_interceptors *interceptors);

/** Kafka: onSend. */
void kp_interceptors_on_send(const struct kp_interceptors *interceptors, struct kp_record *record);
/** failure: NULL for a success. Kafka: onAcknowledgement. */
void kp_interceptors_on_acknowledgement(const struct kp_interceptors *interceptors,
                                        const struct kp_record_metadata *metadata,
                                        const struct kp_failure *failure);
/** A send failed. partition -1: it was not known yet. Kafka: onSendError. */
void kp_interceptors_on_send_error(const struct kp_interceptors *interceptors, const char *topic,
                                   int32_t partition, const struct kp_failure *failure);

#endif
