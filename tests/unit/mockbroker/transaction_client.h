/**
 * A transactional client by hand, for tests of the coordinators: transactional id "tx", group "g".
 */
#ifndef TRANSACTION_CLIENT_H
#define TRANSACTION_CLIENT_H

#include "harness.h"

struct transaction_client {
    struct harness *h;
    uint32_t coordinator; /* connection to the coordinator */
    int32_t broker;       /* its id */
    int64_t producer_id;
    int16_t producer_epoch;
};

/** Find the coordinator of "tx" (or of the group "g"), asking broker until there is one; connect. */
int32_t find_coordinator(struct harness *h, int32_t broker, int8_t key_type);
void client_open(struct transaction_client *client, struct harness *h, int32_t broker);

/** Kafka's calls; the error code. HARNESS_NO_ANSWER: none came. */
int32_t client_init(struct transaction_client *client, int32_t timeout_ms);
/** Init as a client that has a producer id already (v4). */
int32_t client_init_again(struct transaction_client *client, int64_t producer_id, int16_t epoch);
/** Init until it is not CONCURRENT_TRANSACTIONS. */
int32_t client_init_patiently(struct transaction_client *client, int32_t timeout_ms);
int32_t client_add_partition(struct transaction_client *client, int32_t partition);
int32_t client_end(struct transaction_client *client, bool is_commit);
/** Produce a transactional batch to partition 0 of "t" at a broker, acks=all. */
struct kw_produce_response_partition client_produce(struct transaction_client *client, uint32_t connection,
                                                    int32_t sequence, int32_t records);

/** What a consumer sees of "t"-0 at a broker. */
struct seen {
    int32_t error;
    int64_t high_watermark;
    int64_t last_stable_offset;
    int32_t aborted_count; /* -1: null */
    int64_t aborted_producer_id;
    int64_t aborted_first_offset;
    int64_t end_offset; /* after the last batch */
    int32_t batches;
    int32_t markers;
};
struct seen consume(struct harness *h, uint32_t connection, int64_t offset, int8_t isolation);
int64_t list_latest(struct harness *h, uint32_t connection, int8_t isolation);

#endif
