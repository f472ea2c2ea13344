/**
 * How a client's batch becomes the one that the log holds: its records are looked at, offsets, leader epoch
 * and time are set, and it is written anew when the topic wants another compression or when the offsets
 * within a compressed batch do not follow each other.
 *
 * Kafka: LogValidator, called by Log.append between analyzeAndValidateRecords (batch_validator.c) and
 * analyzeAndValidateProducerState (producer_state.c).
 */
#ifndef MB_LOG_VALIDATOR_H
#define MB_LOG_VALIDATOR_H

#include "mockbroker/partition.h"
#include "wire/record_batch_reader.h"

/**
 * One batch, which mb_records_analyze() let pass. On KW_ERROR_NONE the caller owns the reference in *out.
 *   KW_ERROR_INVALID_RECORD        more batches behind it; a count that does not fit, a control batch, a
 *                                  negative sequence; records that cannot be read; no key on a compacted
 * topic KW_ERROR_INVALID_TIMESTAMP     a record's time is out of bounds, or the time type is the broker's
 *   KW_ERROR_MESSAGE_TOO_LARGE     written anew it is larger than max.message.bytes, or it decompresses to
 *                                  more than MB_DECOMPRESSED_LIMIT_BYTES
 *   KW_ERROR_UNKNOWN_SERVER_ERROR  it does not decompress, or cannot be written anew: Kafka has no code for
 * it What is wrong with single records is in result->record_errors. Kafka:
 * LogValidator.validateMessagesAndAssignOffsets.
 */
enum kw_error mb_log_validate(struct mb_partition *partition, const struct mb_records_analysis *analysis,
                              struct mb_append_result *result, struct mb_block **out)
    __attribute__((warn_unused_result));

/** The same for what a coordinator of this cluster wrote: nothing of it can be wrong. A marker is never
 * compressed. */
struct mb_block *mb_log_assign(struct mb_partition *partition, const uint8_t *batch, uint32_t batch_bytes);

#endif
