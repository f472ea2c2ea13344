/**
 * The header of a magic-2 record batch: layout, accessors, what a broker rewrites, and the check of a whole
 * batch.
 *
 * Accessors take the first byte of a batch of at least KW_RECORD_BATCH_OVERHEAD_BYTES bytes; they check
 * nothing. Bytes from outside go through kw_record_batch_next() or kw_record_batch_validate() first. Writing:
 * wire/record_batch_builder.h. Reading the records: wire/record_batch_reader.h.
 *
 * Kafka: org.apache.kafka.common.record.DefaultRecordBatch, RecordBatch, ByteBufferLogInputStream.
 */
#ifndef KW_RECORD_BATCH_H
#define KW_RECORD_BATCH_H

#include "wire/errors.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Where each field of the header begins. */
enum kw_record_batch_field {
    KW_RECORD_BATCH_BASE_OFFSET = 0,
    KW_RECORD_BATCH_LENGTH = 8,
    KW_RECORD_BATCH_PARTITION_LEADER_EPOCH = 12,
    KW_RECORD_BATCH_MAGIC = 16,
    KW_RECORD_BATCH_CRC = 17,
    /** The CRC covers everything from here on: the fields before it belong to the broker. */
    KW_RECORD_BATCH_ATTRIBUTES = 21,
    KW_RECORD_BATCH_LAST_OFFSET_DELTA = 23,
    KW_RECORD_BATCH_BASE_TIMESTAMP = 27,
    KW_RECORD_BATCH_MAX_TIMESTAMP = 35,
    KW_RECORD_BATCH_PRODUCER_ID = 43,
    KW_RECORD_BATCH_PRODUCER_EPOCH = 51,
    KW_RECORD_BATCH_BASE_SEQUENCE = 53,
    KW_RECORD_BATCH_RECORD_COUNT = 57,
    KW_RECORD_BATCH_RECORDS = 61
};

enum {
    /** Bytes of the header. Kafka: RECORD_BATCH_OVERHEAD. */
    KW_RECORD_BATCH_OVERHEAD_BYTES = KW_RECORD_BATCH_RECORDS,
    /** Base offset and length, which the length does not count. Kafka: Records.LOG_OVERHEAD. */
    KW_RECORD_BATCH_LOG_OVERHEAD_BYTES = 12,
    KW_RECORD_BATCH_MAGIC_V2 = 2
};

/** "There is none" of the fields. Kafka: the constants of RecordBatch. */
enum {
    KW_NO_TIMESTAMP = -1,
    KW_NO_PRODUCER_ID = -1,
    KW_NO_PRODUCER_EPOCH = -1,
    KW_NO_SEQUENCE = -1,
    KW_NO_PARTITION_LEADER_EPOCH = -1
};

/** Kafka: CompressionType; the numbers are those of the attributes. */
enum kw_compression {
    KW_COMPRESSION_NONE = 0,
    KW_COMPRESSION_GZIP = 1,
    KW_COMPRESSION_SNAPPY = 2,
    KW_COMPRESSION_LZ4 = 3,
    KW_COMPRESSION_ZSTD = 4
};

enum kw_timestamp_type { KW_TIMESTAMP_CREATE_TIME = 0, KW_TIMESTAMP_LOG_APPEND_TIME = 1 };

/** The name as in compression.type: none, gzip, snappy, lz4, zstd. */
const char *kw_compression_name(enum kw_compression compression);

/* Reading the header. */

int64_t kw_record_batch_base_offset(const uint8_t *batch);
/** Whole batch, with the 12 bytes that its length field does not count; may be anything in unchecked bytes.
 */
int64_t kw_record_batch_size_bytes(const uint8_t *batch);
int32_t kw_record_batch_partition_leader_epoch(const uint8_t *batch);
int8_t kw_record_batch_magic(const uint8_t *batch);
uint32_t kw_record_batch_crc(const uint8_t *batch);
int16_t kw_record_batch_attributes(const uint8_t *batch);
int32_t kw_record_batch_last_offset_delta(const uint8_t *batch);
/** Base offset + last offset delta. */
int64_t kw_record_batch_last_offset(const uint8_t *batch);
/** Timestamp of the first record, whatever the timestamp type. */
int64_t kw_record_batch_base_timestamp_ms(const uint8_t *batch);
int64_t kw_record_batch_max_timestamp_ms(const uint8_t *batch);
int64_t kw_record_batch_producer_id(const uint8_t *batch);
int16_t kw_record_batch_producer_epoch(const uint8_t *batch);
int32_t kw_record_batch_base_sequence(const uint8_t *batch);
/** Wraps after 2^31 - 1 to 0; KW_NO_SEQUENCE when there is no base sequence. */
int32_t kw_record_batch_last_sequence(const uint8_t *batch);
int32_t kw_record_batch_record_count(const uint8_t *batch);
/** The number in the attributes: it may be one that enum kw_compression does not have (5 to 7). */
int kw_record_batch_compression_id(const uint8_t *batch);
enum kw_timestamp_type kw_record_batch_timestamp_type(const uint8_t *batch);
bool kw_record_batch_is_transactional(const uint8_t *batch);
bool kw_record_batch_is_control(const uint8_t *batch);

/** Attributes of a batch. Kafka: DefaultRecordBatch.computeAttributes. */
int16_t kw_record_batch_compute_attributes(enum kw_compression compression,
                                           enum kw_timestamp_type timestamp_type, bool is_transactional,
                                           bool is_control);

/** Sequence numbers wrap from 2^31 - 1 to 0. increment, decrement >= 0. Kafka:
 * DefaultRecordBatch.incrementSequence. */
int32_t kw_increment_sequence(int32_t sequence, int32_t increment);
int32_t kw_decrement_sequence(int32_t sequence, int32_t decrement);

/* Rewriting the header of a valid batch, as a leader does when it appends. */

/** Not covered by the CRC. Kafka: RecordBatch.setLastOffset, with the base instead. */
void kw_record_batch_set_base_offset(uint8_t *batch, int64_t base_offset);
/** Not covered by the CRC. */
void kw_record_batch_set_partition_leader_epoch(uint8_t *batch, int32_t partition_leader_epoch);
/** Also computes the CRC anew when something changes. Kafka: DefaultRecordBatch.setMaxTimestamp. */
void kw_record_batch_set_max_timestamp(uint8_t *batch, enum kw_timestamp_type timestamp_type,
                                       int64_t max_timestamp_ms);

/** What the CRC field of these size_bytes >= KW_RECORD_BATCH_OVERHEAD_BYTES bytes should hold. */
uint32_t kw_record_batch_compute_crc(const uint8_t *batch, size_t size_bytes);

/* Bytes from outside. */

/** Where kw_record_batch_next() stands. */
struct kw_record_batch_cursor {
    const uint8_t *bytes;
    size_t length_bytes;
    size_t position_bytes;
    /**
     * Sticky. NONE, or
     *   CORRUPT_MESSAGE                 a length below the header's, or a magic that never was
     *   UNSUPPORTED_FOR_MESSAGE_FORMAT  magic 0 or 1: a message set of old
     */
    enum kw_error error;
};

/** Walk over the batches in bytes, which stay the caller's (the records of a fetch response, a segment). */
void kw_record_batch_cursor_init(struct kw_record_batch_cursor *cursor, const void *bytes,
                                 size_t length_bytes);

/**
 * The next batch that is there as a whole: true, with *batch within the input and *size_bytes >= the
 * overhead. False at the end, at a batch that is cut off (cursor->position_bytes stays at its begin: a fetch
 * may end so), and on error. The CRC is not checked: kw_record_batch_validate() does. Kafka:
 * ByteBufferLogInputStream.nextBatch.
 */
bool kw_record_batch_next(struct kw_record_batch_cursor *cursor, const uint8_t **batch, uint32_t *size_bytes);

/**
 * Is this exactly one batch with the right magic and CRC? Its records are not looked at.
 *   KW_ERROR_NONE             yes
 *   KW_ERROR_CORRUPT_MESSAGE  too short, another length than its field says, another magic, wrong CRC
 * Kafka: DefaultRecordBatch.ensureValid.
 */
enum kw_error kw_record_batch_validate(const uint8_t *batch, size_t size_bytes)
    __attribute__((warn_unused_result));

#endif
