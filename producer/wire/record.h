/**
 * One record of a magic-2 batch: its fields and its exact and estimated sizes.
 *
 *     length varint | attributes 0 | timestamp delta varlong | offset delta varint
 *     | key length varint, key | value length varint, value | header count varint, headers
 *
 * Kafka: org.apache.kafka.common.record.DefaultRecord, org.apache.kafka.common.record.AbstractRecords.
 */
#ifndef KW_RECORD_H
#define KW_RECORD_H

#include "wire/bytes.h"
#include "wire/cursor.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    /** Length 5, timestamp 10, offset 5, attributes 1. Kafka: DefaultRecord.MAX_RECORD_OVERHEAD. */
    KW_RECORD_MAX_OVERHEAD_BYTES = 21
};

/** A header as the application gives it. The key is UTF-8 and never null; the value may be null. */
struct kw_record_header {
    struct kw_bytes key;
    struct kw_bytes value;
};

/** The application's part of a record: what append and the size functions take. Borrows everything. */
struct kw_record_fields {
    struct kw_bytes key;
    struct kw_bytes value;
    const struct kw_record_header *headers;
    int32_t header_count;
};

/** A record as it was read. All ranges are the input's and valid as long as it is. */
struct kw_record {
    int64_t offset;
    /** The batch's log append time when it has one. */
    int64_t timestamp_ms;
    /** -1 when the batch has none. */
    int32_t sequence;
    int8_t attributes;
    struct kw_bytes key;
    struct kw_bytes value;
    int32_t header_count;
    /** The encoded headers, checked; kw_record_header_next() takes them apart. */
    struct kw_bytes headers;
    /** The whole record with its length. */
    uint32_t size_bytes;
};

/**
 * Encoded size of the record, length field included. int64: the sum of hostile or absurd lengths does not
 * wrap. Kafka: DefaultRecord.sizeInBytes.
 */
int64_t kw_record_size_bytes(int32_t offset_delta, int64_t timestamp_delta_ms,
                             const struct kw_record_fields *fields);

/** The same without the length field in front: what the length field says. Kafka:
 * DefaultRecord.sizeOfBodyInBytes. */
int64_t kw_record_body_size_bytes(int32_t offset_delta, int64_t timestamp_delta_ms,
                                  const struct kw_record_fields *fields);

/** At least its encoded size in any batch. Kafka: DefaultRecord.recordSizeUpperBound. */
int64_t kw_record_size_upper_bound_bytes(const struct kw_record_fields *fields);

/**
 * Upper bound of a batch that holds only this record: what is compared with max.request.size and
 * buffer.memory, and allocated when it is larger than batch.size. Says nothing of a compressor's overhead, as
 * in Java. Kafka: AbstractRecords.estimateSizeInBytesUpperBound.
 */
int64_t kw_record_batch_size_upper_bound_bytes(const struct kw_record_fields *fields);

/**
 * Read key, value and headers, the last part of a record, into those fields of *record; what is wrong fails
 * the cursor: a negative header count, a null header key, a range that leaves the input. Kafka:
 * DefaultRecord.readFrom, readHeaders.
 */
void kw_record_read_fields(struct kw_reader *cursor, struct kw_record *record);

/**
 * Take the next header off *headers, the range of a record that was read. False when there is none left.
 * *header borrows from the record's input.
 */
bool kw_record_header_next(struct kw_bytes *headers, struct kw_record_header *header);

#endif
