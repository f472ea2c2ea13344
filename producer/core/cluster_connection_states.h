/**
 * What the client knows of its connection to each node: the state, when it may try again, how long it waits.
 *
 * One struct kp_connection_state per node, kept by the network client for ever, as in Java. Waits grow as
 * base * 2^failures up to a maximum, with a jitter that the driver draws. Kafka: ClusterConnectionStates,
 * ExponentialBackoff.
 */
#ifndef KP_CLUSTER_CONNECTION_STATES_H
#define KP_CLUSTER_CONNECTION_STATES_H

#include "base/trace.h"

#include <linger/producer.h>

#include <stdbool.h>
#include <stdint.h>

/** Shared by all nodes. */
struct kp_connection_settings {
    int64_t reconnect_backoff_ms;
    int64_t reconnect_backoff_max_ms;
    int64_t setup_timeout_ms;
    int64_t setup_timeout_max_ms;
    struct kp_chance chance;
};

struct kp_connection_state {
    bool exists; /* a connection was begun at least once */
    enum kb_connection_state state;
    int64_t last_attempt_ms;
    int64_t failed_attempts;
    int64_t failed_connect_attempts;
    int64_t reconnect_backoff_ms;
    int64_t setup_timeout_ms;
    int64_t throttle_until_ms;
};

/** min(initial * 2^attempts, max), times a jitter around 1000 per mille. A max of at most initial: initial.
 */
int64_t kp_exponential_backoff_ms(int64_t initial_ms, int64_t max_ms, int64_t attempts,
                                  const struct kp_chance *chance);

/** Kafka: canConnect. */
bool kp_connection_can_connect(const struct kp_connection_state *state, int64_t now_ms);
/** 0: at once; INT64_MAX: it is connecting or connected. Kafka: connectionDelay. */
int64_t kp_connection_delay_ms(const struct kp_connection_state *state, int64_t now_ms);
/** Kafka: throttleDelayMs, pollDelayMs. */
int64_t kp_connection_throttle_delay_ms(const struct kp_connection_state *state, int64_t now_ms);
int64_t kp_connection_poll_delay_ms(const struct kp_connection_state *state, int64_t now_ms);
/** Kafka: isReady, isPreparingConnection. */
bool kp_connection_is_ready(const struct kp_connection_state *state, int64_t now_ms);
bool kp_connection_is_preparing(const struct kp_connection_state *state);
bool kp_connection_is_disconnected(const struct kp_connection_state *state);
/** Connecting for longer than it may take: strictly. Kafka: isConnectionSetupTimeout. */
bool kp_connection_is_setup_timed_out(const struct kp_connection_state *state, int64_t now_ms);

/** An attempt begins; a node under another host name starts afresh. Kafka: connecting. */
void kp_connection_connecting(struct kp_connection_state *state,
                              const struct kp_connection_settings *settings, bool is_same_host,
                              int64_t now_ms);
/** Kafka: checkingApiVersions, ready, disconnected, throttle. */
void kp_connection_checking_api_versions(struct kp_connection_state *state,
                                         const struct kp_connection_settings *settings);
void kp_connection_ready(struct kp_connection_state *state, const struct kp_connection_settings *settings);
void kp_connection_disconnected(struct kp_connection_state *state,
                                const struct kp_connection_settings *settings, int64_t now_ms);
void kp_connection_throttle(struct kp_connection_state *state, int64_t until_ms);

/** When something changes by itself: a backoff, a throttling or a set-up time is over. INT64_MAX: never. */
int64_t kp_connection_next_deadline_ms(const struct kp_connection_state *state, int64_t now_ms);

#endif
