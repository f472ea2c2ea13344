/**
 * Fetches of followers, made by hand, and what a broker holds of a replica: for tests of what a leader makes
 * of its followers.
 */
#ifndef FOLLOWER_H
#define FOLLOWER_H

#include "harness.h"
#include "mockbroker/partition.h"

struct follower_fetch {
    int32_t replica; /* -1: a consumer */
    int64_t offset;
    bool has_epochs; /* what follows counts */
    int32_t current_leader_epoch;
    int32_t last_fetched_epoch;
    int32_t max_wait_ms;
};

/** Without a session, version 12. */
void follower_send(struct harness *h, uint32_t connection, const struct follower_fetch *fetch);
/** Sends, and waits for the answer's only partition. */
struct kw_fetch_response_partition follower_ask(struct harness *h, uint32_t connection,
                                                const struct follower_fetch *fetch);
/** A fetch without epochs; its error. */
int16_t follower_fetch(struct harness *h, uint32_t connection, int32_t replica, int64_t offset);

/** The replica of partition 0 of "t" on a broker, and what a leader knows of a follower. */
struct mb_partition *follower_replica(struct harness *h, int32_t broker);
struct mb_remote *follower_remote(struct harness *h, int32_t leader, int32_t follower);

/** One record with acks=1; the error. */
int16_t follower_produce(struct harness *h, uint32_t connection);

/** Three brokers; 1 leads alone, 2 and 3 are dead and out of the ISR. Returns a connection to 1. */
uint32_t follower_open_alone(struct harness *h, const struct mb_setting *broker_settings,
                             const struct mb_setting *topic_settings);

#endif
