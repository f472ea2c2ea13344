/**
 * An exception as Kafka's Java client would have thrown it: simple class names and messages, from the outside
 * in.
 *
 *     KafkaException: Failed to construct kafka producer
 *     caused by ConfigException: No resolvable bootstrap urls given in bootstrap.servers
 *
 * A plain value of a fixed size: copy it freely, nothing in it needs to be released. Messages are UTF-8; one
 * that does not fit in KP_FAILURE_MESSAGE_BYTES is cut between two characters and ends with "...".
 */
#ifndef LINGER_FAILURE_H
#define LINGER_FAILURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of a message, its final NUL included. */
#define KP_FAILURE_MESSAGE_BYTES   512
/** Bytes of a simple class name, its final NUL included. */
#define KP_FAILURE_EXCEPTION_BYTES 64
/** Causes that are kept; Kafka's deepest chain here has four. */
#define KP_FAILURE_CAUSE_COUNT_MAX 4

struct kp_throwable {
    /** Simple name of the Java class, e.g. "ConfigException"; "" when there is none. */
    char exception[KP_FAILURE_EXCEPTION_BYTES];
    /** False for Java's null, which is not the empty message. */
    bool has_message;
    char message[KP_FAILURE_MESSAGE_BYTES];
};

struct kp_failure {
    struct kp_throwable thrown;
    uint32_t cause_count;
    struct kp_throwable causes[KP_FAILURE_CAUSE_COUNT_MAX];
};

/** No failure: no class, no message, no cause. */
void kp_failure_clear(struct kp_failure *failure);

/** True when something was thrown. */
bool kp_failure_is_set(const struct kp_failure *failure);

/** Replace what is there by one throwable without cause. message: NULL for Java's null. Copies both. */
void kp_failure_throw(struct kp_failure *failure, const char *exception, const char *message);

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
/** The same with a formatted message. */
void kp_failure_throwf(struct kp_failure *failure, const char *exception, const char *format, ...);

/**
 * Throw anew with what is there as the cause, as `throw new KafkaException(message, e)` does. When the chain
 * is full its innermost cause is dropped.
 */
void kp_failure_wrap(struct kp_failure *failure, const char *exception, const char *message);

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
/** The same with a formatted message. */
void kp_failure_wrapf(struct kp_failure *failure, const char *exception, const char *format, ...);

#ifdef __cplusplus
}
#endif

#endif
