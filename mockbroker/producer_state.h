/**
 * What one replica's log knows of the idempotent producers that wrote into it.
 *
 * Kafka: ProducerStateManager, ProducerStateEntry, ProducerAppendInfo.
 */
#ifndef MB_PRODUCER_STATE_H
#define MB_PRODUCER_STATE_H

#include "mockbroker/memory.h"
#include "wire/errors.h"

/** Kafka: ProducerStateEntry.NumBatchesToRetain. */
enum { MB_BATCHES_TO_RETAIN = 5 };

/** Kafka: BatchMetadata. */
struct mb_batch_metadata {
    int64_t last_offset;
    int64_t timestamp_ms;
    int32_t last_sequence;
    int32_t offset_delta;
};

/** Kafka: ProducerStateEntry. */
struct mb_producer_entry {
    struct mb_producer_entry *next; /* of all entries, to give them back */
    int64_t producer_id;
    int16_t producer_epoch;
    uint8_t batch_count;
    struct mb_batch_metadata batches[MB_BATCHES_TO_RETAIN]; /* oldest first */
};

struct mb_producer_states {
    const struct linger_allocator *allocator;
    struct mb_map by_id;
    struct mb_producer_entry *entries;
};

void mb_producer_states_init(struct mb_producer_states *states, const struct linger_allocator *allocator);
void mb_producer_states_clear(struct mb_producer_states *states);

/**
 * May a client's batch be appended?
 *   KW_ERROR_NONE                          yes; or, with *duplicate not NULL, it is in the log already, there
 *   KW_ERROR_INVALID_PRODUCER_EPOCH        its epoch is older than the one known
 *   KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER  a gap, or a new epoch that does not begin with 0
 * Kafka: Log.analyzeAndValidateProducerState, ProducerAppendInfo.checkProducerEpoch and checkSequence.
 */
enum kw_error mb_producer_states_validate(const struct mb_producer_states *states, const uint8_t *batch,
                                          const struct mb_batch_metadata **duplicate);

/** The batch, with its offsets, is in the log now. Without producer id nothing happens. */
void mb_producer_states_update(struct mb_producer_states *states, const uint8_t *batch);

#endif
