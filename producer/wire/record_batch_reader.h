/**
 * The records of one batch, one by one, from bytes that may be hostile.
 *
 *     struct kw_record_reader reader;
 *     struct kw_record record;
 *     kw_record_reader_init(&reader, batch, batch + KW_RECORD_BATCH_RECORDS, size_bytes -
 * KW_RECORD_BATCH_RECORDS); while (kw_record_reader_next(&reader, &record)) { ... } if (reader.error !=
 * KW_ERROR_NONE) { ... }
 *
 * Kafka: DefaultRecordBatch.RecordIterator, DefaultRecord.readFrom.
 */
#ifndef KW_RECORD_BATCH_READER_H
#define KW_RECORD_BATCH_READER_H

#include "wire/compression.h"
#include "wire/cursor.h"
#include "wire/errors.h"
#include "wire/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kw_record_reader {
    struct kw_reader cursor;
    int64_t base_offset;
    int64_t base_timestamp_ms;
    int64_t log_append_time_ms;
    int32_t base_sequence;
    int32_t records_left;
    bool uses_log_append_time;
    /** Sticky. NONE, or INVALID_RECORD: a negative count or length, a range that leaves its record, bytes
     * left over. */
    enum kw_error error;
};

/**
 * Begin with the header at batch (at least KW_RECORD_BATCH_OVERHEAD_BYTES bytes) and its records: the bytes
 * behind the header, or what they decompress to. Borrows both until the last kw_record_reader_next(); records
 * point into records.
 */
void kw_record_reader_init(struct kw_record_reader *reader, const uint8_t *batch, const uint8_t *records,
                           size_t records_length_bytes);

/**
 * Begin with a whole batch (size_bytes >= KW_RECORD_BATCH_OVERHEAD_BYTES), compressed or not: what its
 * records decompress to is left in decompressed, which is borrowed too, and may be limit_bytes at most.
 * Returns the errors of kw_decompress(). Kafka: DefaultRecordBatch.iterator.
 */
enum kw_error kw_record_reader_open(struct kw_record_reader *reader, const uint8_t *batch, size_t size_bytes,
                                    size_t limit_bytes, struct kw_compression_buffer *decompressed)
    __attribute__((warn_unused_result));

/**
 * The next record: true. False after the last one and on error; reader->error tells which. That the bytes end
 * with the last record is checked with it: the last record is given only when they do.
 */
bool kw_record_reader_next(struct kw_record_reader *reader, struct kw_record *record);

#endif
