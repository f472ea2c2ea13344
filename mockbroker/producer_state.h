/**
 * What one replica's log knows of the idempotent producers that wrote into it, and of their transactions:
 * which are open, and which were aborted.
 *
 * Kafka: ProducerStateManager, ProducerStateEntry, ProducerAppendInfo, TransactionIndex.
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
    int64_t first_transaction_offset; /* of the open transaction; MB_NO_TRANSACTION: none is */
    int32_t coordinator_epoch;        /* of the last marker; -1: none yet */
    int16_t producer_epoch;
    uint8_t batch_count;
    struct mb_batch_metadata batches[MB_BATCHES_TO_RETAIN]; /* oldest first */
};

enum { MB_NO_TRANSACTION = -1 };

/**
 * A transaction whose offsets consumers that read committed data may not pass yet: open, or ended by a marker
 * that is not below the high watermark. Kafka: TxnMetadata, of ongoingTxns and unreplicatedTxns.
 */
struct mb_unstable_transaction {
    int64_t producer_id;
    int64_t first_offset;
    int64_t last_offset; /* of its marker; -1: open */
};

/** Kafka: AbortedTxn. */
struct mb_aborted_transaction {
    int64_t producer_id;
    int64_t first_offset;
    int64_t last_offset; /* of the marker */
};

struct mb_producer_states {
    const struct linger_allocator *allocator;
    struct mb_map by_id;
    struct mb_producer_entry *entries;
    struct mb_unstable_transaction *unstable; /* in the order of their first offsets */
    uint32_t unstable_count;
    uint32_t unstable_capacity;
    struct mb_aborted_transaction *aborted; /* in the order of their markers */
    uint32_t aborted_count;
    uint32_t aborted_capacity;
    bool has_transactions; /* there was one, ever */
};

/** What a control batch says that ends a transaction. Kafka: EndTransactionMarker. */
struct mb_marker {
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t coordinator_epoch;
    bool is_commit;
};
/** Read the marker of a control batch; false when it is none. */
bool mb_marker_read(const uint8_t *batch, size_t size_bytes, struct mb_marker *out);

void mb_producer_states_init(struct mb_producer_states *states, const struct linger_allocator *allocator);
void mb_producer_states_clear(struct mb_producer_states *states);
void mb_producer_states_release(struct mb_producer_states *states);

/** Who says that a batch is to be appended. Kafka: AppendOrigin. */
enum mb_append_origin {
    MB_ORIGIN_CLIENT,
    MB_ORIGIN_COORDINATOR, /* offsets of a transaction: no sequence, but an epoch */
};

/**
 * May a batch with a producer id be appended?
 *   KW_ERROR_NONE                          yes; or, with *duplicate not NULL, it is in the log already, there
 *   KW_ERROR_INVALID_PRODUCER_EPOCH        its epoch is older than the one known
 *   KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER  a gap, or a new epoch that does not begin with 0
 *   KW_ERROR_INVALID_TXN_STATE             it is of no transaction, while one of its producer is open
 * Kafka: Log.analyzeAndValidateProducerState, ProducerAppendInfo.checkProducerEpoch, checkSequence,
 * appendDataBatch.
 */
enum kw_error mb_producer_states_validate(const struct mb_producer_states *states,
                                          enum mb_append_origin origin, const uint8_t *batch,
                                          const struct mb_batch_metadata **duplicate);

/**
 * May this marker be appended?
 *   KW_ERROR_INVALID_PRODUCER_EPOCH           its producer's epoch is older than the one known
 *   KW_ERROR_TRANSACTION_COORDINATOR_FENCED   another coordinator has written a marker since
 * Kafka: ProducerAppendInfo.appendEndTxnMarker.
 */
enum kw_error mb_producer_states_validate_marker(const struct mb_producer_states *states,
                                                 const struct mb_marker *marker);

/** The batch, with its offsets, is in the log now. Without producer id nothing happens. */
void mb_producer_states_update(struct mb_producer_states *states, const uint8_t *batch, size_t size_bytes);

/** Transactions whose markers are below the high watermark are stable.
 *  Kafka: ProducerStateManager.onHighWatermarkUpdated. */
void mb_producer_states_high_watermark(struct mb_producer_states *states, int64_t high_watermark);

/** The first offset that is not stable; -1: none. Kafka: ProducerStateManager.firstUnstableOffset. */
int64_t mb_producer_states_first_unstable_offset(const struct mb_producer_states *states);

/** Aborted transactions that ended before the log's start are forgotten. */
void mb_producer_states_increment_start(struct mb_producer_states *states, int64_t start_offset);

/** Index of the first aborted transaction whose marker is at or behind the offset. */
uint32_t mb_producer_states_find_aborted(const struct mb_producer_states *states, int64_t offset);

#endif
