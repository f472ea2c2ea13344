#include "wire/record_batch_reader.h"

#include "base/assert.h"
#include "wire/record_batch.h"

/* Sums of fields from outside wrap, as Java's do. */
static int64_t add(int64_t base, int64_t delta)
{
    return (int64_t)((uint64_t)base + (uint64_t)delta);
}

static bool fail(struct kw_record_reader *reader)
{
    reader->error = KW_ERROR_INVALID_RECORD;
    return false;
}

void kw_record_reader_init(struct kw_record_reader *reader, const uint8_t *batch, const uint8_t *records,
                           size_t records_length_bytes)
{
    *reader = (struct kw_record_reader){
        .base_offset = kw_record_batch_base_offset(batch),
        .base_timestamp_ms = kw_record_batch_base_timestamp_ms(batch),
        .log_append_time_ms = kw_record_batch_max_timestamp_ms(batch),
        .base_sequence = kw_record_batch_base_sequence(batch),
        .records_left = kw_record_batch_record_count(batch),
        .uses_log_append_time = kw_record_batch_timestamp_type(batch) == KW_TIMESTAMP_LOG_APPEND_TIME,
        .error = KW_ERROR_NONE,
    };
    kw_reader_init(&reader->cursor, records, records_length_bytes);
    /* A batch without records holds no bytes either: compaction leaves such headers. */
    if (reader->records_left < 0 || (reader->records_left == 0 && records_length_bytes > 0)) {
        reader->error = KW_ERROR_INVALID_RECORD;
    }
}

enum kw_error kw_record_reader_open(struct kw_record_reader *reader, const uint8_t *batch, size_t size_bytes,
                                    size_t limit_bytes, struct kw_compression_buffer *decompressed)
{
    KB_ASSERT(size_bytes >= KW_RECORD_BATCH_OVERHEAD_BYTES);
    const uint8_t *records = batch + KW_RECORD_BATCH_RECORDS;
    size_t records_bytes = size_bytes - KW_RECORD_BATCH_RECORDS;
    int compression_id = kw_record_batch_compression_id(batch);
    if (compression_id != KW_COMPRESSION_NONE && kw_record_batch_record_count(batch) > 0) {
        enum kw_error error =
            kw_decompress(compression_id, records, records_bytes, limit_bytes, decompressed);
        if (error != KW_ERROR_NONE) {
            return error;
        }
        records = decompressed->bytes;
        records_bytes = decompressed->length_bytes;
    }
    kw_record_reader_init(reader, batch, records, records_bytes);
    return KW_ERROR_NONE;
}

bool kw_record_reader_next(struct kw_record_reader *reader, struct kw_record *record)
{
    if (reader->error != KW_ERROR_NONE || reader->records_left == 0) {
        return false;
    }
    size_t begin_bytes = reader->cursor.position_bytes;
    int32_t body_length_bytes = kw_read_varint(&reader->cursor);
    if (body_length_bytes < 0) {
        return fail(reader);
    }
    const uint8_t *body = kw_read_bytes(&reader->cursor, (size_t)body_length_bytes);
    if (body == NULL) {
        return fail(reader);
    }
    struct kw_reader cursor;
    kw_reader_init(&cursor, body, (size_t)body_length_bytes);
    *record = (struct kw_record){.attributes = kw_read_i8(&cursor)};
    int64_t timestamp_delta_ms = kw_read_varlong(&cursor);
    int32_t offset_delta = kw_read_varint(&cursor);
    kw_record_read_fields(&cursor, record);
    if (!kw_reader_is_ok(&cursor) || kw_reader_remaining_bytes(&cursor) != 0) {
        return fail(reader);
    }
    record->offset = add(reader->base_offset, offset_delta);
    record->timestamp_ms = reader->uses_log_append_time ? reader->log_append_time_ms
                                                        : add(reader->base_timestamp_ms, timestamp_delta_ms);
    record->sequence = reader->base_sequence >= 0 ? kw_increment_sequence(reader->base_sequence, offset_delta)
                                                  : KW_NO_SEQUENCE;
    record->size_bytes = (uint32_t)(reader->cursor.position_bytes - begin_bytes);
    reader->records_left--;
    if (reader->records_left == 0 && kw_reader_remaining_bytes(&reader->cursor) != 0) {
        return fail(reader);
    }
    return true;
}
