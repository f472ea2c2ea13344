/**
 * A produce request with acks=all that waits for its records to be committed.
 *
 * Kafka: DelayedProduce, ProducePartitionStatus.
 */
#ifndef MB_DELAYED_PRODUCE_H
#define MB_DELAYED_PRODUCE_H

#include "mockbroker/cluster.h"
#include "wire/message_structs.h"

struct mb_delayed_produce;

/** One partition of it. */
struct mb_produce_wait {
    struct kb_list_node of_partition;
    struct mb_delayed_produce *produce;
    struct mb_partition *partition;
    struct kw_produce_response_partition *status;
    int64_t required_offset;
};

struct mb_delayed_produce {
    struct mb_request *request;
    struct mb_timer expiry;
    struct kw_produce_response *response;
    struct mb_produce_wait *waits;
    uint32_t wait_count;
    uint32_t pending_count;
};

/** Wait for every entry of waits, whose statuses are set to REQUEST_TIMED_OUT until they are known better;
 *  memory is the request's. */
void mb_delayed_produce_begin(struct mb_delayed_produce *produce, int32_t timeout_ms);
/** The partition changed: those that wait for it look again. Kafka: DelayedProduce.tryComplete. */
void mb_delayed_produces_try(struct mb_partition *partition);
void mb_delayed_produce_cancel(struct mb_delayed_produce *produce);
/** Answer a produce request. Kafka: KafkaApis.handleProduceRequest, sendResponseCallback. */
void mb_produce_respond(struct mb_request *request, struct kw_produce_response *response);

#endif
