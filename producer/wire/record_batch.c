#include "wire/record_batch.h"

#include "base/assert.h"
#include "base/crc32c.h"
#include "wire/cursor.h"

enum {
    COMPRESSION_MASK = 0x07,
    LOG_APPEND_TIME_FLAG = 0x08,
    TRANSACTIONAL_FLAG = 0x10,
    CONTROL_FLAG = 0x20,
    /* Kafka: LegacyRecord.RECORD_OVERHEAD_V0, the least that may stand behind offset and length in any
       format. */
    LEAST_LENGTH = 14
};

const char *kw_compression_name(enum kw_compression compression)
{
    switch (compression) {
    case KW_COMPRESSION_NONE:
        return "none";
    case KW_COMPRESSION_GZIP:
        return "gzip";
    case KW_COMPRESSION_SNAPPY:
        return "snappy";
    case KW_COMPRESSION_LZ4:
        return "lz4";
    case KW_COMPRESSION_ZSTD:
        return "zstd";
    }
    return "unknown";
}

int64_t kw_record_batch_base_offset(const uint8_t *batch)
{
    return kw_load_i64(batch + KW_RECORD_BATCH_BASE_OFFSET);
}

int64_t kw_record_batch_size_bytes(const uint8_t *batch)
{
    return (int64_t)KW_RECORD_BATCH_LOG_OVERHEAD_BYTES + kw_load_i32(batch + KW_RECORD_BATCH_LENGTH);
}

int32_t kw_record_batch_partition_leader_epoch(const uint8_t *batch)
{
    return kw_load_i32(batch + KW_RECORD_BATCH_PARTITION_LEADER_EPOCH);
}

int8_t kw_record_batch_magic(const uint8_t *batch)
{
    return (int8_t)batch[KW_RECORD_BATCH_MAGIC];
}

uint32_t kw_record_batch_crc(const uint8_t *batch)
{
    return (uint32_t)kw_load_i32(batch + KW_RECORD_BATCH_CRC);
}

int16_t kw_record_batch_attributes(const uint8_t *batch)
{
    return kw_load_i16(batch + KW_RECORD_BATCH_ATTRIBUTES);
}

int32_t kw_record_batch_last_offset_delta(const uint8_t *batch)
{
    return kw_load_i32(batch + KW_RECORD_BATCH_LAST_OFFSET_DELTA);
}

int64_t kw_record_batch_last_offset(const uint8_t *batch)
{
    /* Unsigned: in bytes from outside the sum may leave the range. */
    return (int64_t)((uint64_t)kw_record_batch_base_offset(batch) +
                     (uint64_t)kw_record_batch_last_offset_delta(batch));
}

int64_t kw_record_batch_base_timestamp_ms(const uint8_t *batch)
{
    return kw_load_i64(batch + KW_RECORD_BATCH_BASE_TIMESTAMP);
}

int64_t kw_record_batch_max_timestamp_ms(const uint8_t *batch)
{
    return kw_load_i64(batch + KW_RECORD_BATCH_MAX_TIMESTAMP);
}

int64_t kw_record_batch_producer_id(const uint8_t *batch)
{
    return kw_load_i64(batch + KW_RECORD_BATCH_PRODUCER_ID);
}

int16_t kw_record_batch_producer_epoch(const uint8_t *batch)
{
    return kw_load_i16(batch + KW_RECORD_BATCH_PRODUCER_EPOCH);
}

int32_t kw_record_batch_base_sequence(const uint8_t *batch)
{
    return kw_load_i32(batch + KW_RECORD_BATCH_BASE_SEQUENCE);
}

int32_t kw_record_batch_last_sequence(const uint8_t *batch)
{
    int32_t base_sequence = kw_record_batch_base_sequence(batch);
    if (base_sequence == KW_NO_SEQUENCE) {
        return KW_NO_SEQUENCE;
    }
    return kw_increment_sequence(base_sequence, kw_record_batch_last_offset_delta(batch));
}

int32_t kw_record_batch_record_count(const uint8_t *batch)
{
    return kw_load_i32(batch + KW_RECORD_BATCH_RECORD_COUNT);
}

int kw_record_batch_compression_id(const uint8_t *batch)
{
    return kw_record_batch_attributes(batch) & COMPRESSION_MASK;
}

enum kw_timestamp_type kw_record_batch_timestamp_type(const uint8_t *batch)
{
    return (kw_record_batch_attributes(batch) & LOG_APPEND_TIME_FLAG) != 0 ? KW_TIMESTAMP_LOG_APPEND_TIME
                                                                           : KW_TIMESTAMP_CREATE_TIME;
}

bool kw_record_batch_is_transactional(const uint8_t *batch)
{
    return (kw_record_batch_attributes(batch) & TRANSACTIONAL_FLAG) != 0;
}

bool kw_record_batch_is_control(const uint8_t *batch)
{
    return (kw_record_batch_attributes(batch) & CONTROL_FLAG) != 0;
}

int16_t kw_record_batch_compute_attributes(enum kw_compression compression,
                                           enum kw_timestamp_type timestamp_type, bool is_transactional,
                                           bool is_control)
{
    int attributes = (int)compression & COMPRESSION_MASK;
    attributes |= timestamp_type == KW_TIMESTAMP_LOG_APPEND_TIME ? LOG_APPEND_TIME_FLAG : 0;
    attributes |= is_transactional ? TRANSACTIONAL_FLAG : 0;
    attributes |= is_control ? CONTROL_FLAG : 0;
    return (int16_t)attributes;
}

int32_t kw_increment_sequence(int32_t sequence, int32_t increment)
{
    /* 31-bit arithmetic; masked, so that fields from outside wrap too instead of overflowing. */
    return (int32_t)(((uint32_t)sequence + (uint32_t)increment) & INT32_MAX);
}

int32_t kw_decrement_sequence(int32_t sequence, int32_t decrement)
{
    return (int32_t)(((uint32_t)sequence - (uint32_t)decrement) & INT32_MAX);
}

void kw_record_batch_set_base_offset(uint8_t *batch, int64_t base_offset)
{
    kw_store_i64(batch + KW_RECORD_BATCH_BASE_OFFSET, base_offset);
}

void kw_record_batch_set_partition_leader_epoch(uint8_t *batch, int32_t partition_leader_epoch)
{
    kw_store_i32(batch + KW_RECORD_BATCH_PARTITION_LEADER_EPOCH, partition_leader_epoch);
}

void kw_record_batch_set_max_timestamp(uint8_t *batch, enum kw_timestamp_type timestamp_type,
                                       int64_t max_timestamp_ms)
{
    if (kw_record_batch_timestamp_type(batch) == timestamp_type &&
        kw_record_batch_max_timestamp_ms(batch) == max_timestamp_ms) {
        return;
    }
    int attributes = kw_record_batch_attributes(batch) & ~LOG_APPEND_TIME_FLAG;
    attributes |= timestamp_type == KW_TIMESTAMP_LOG_APPEND_TIME ? LOG_APPEND_TIME_FLAG : 0;
    kw_store_i16(batch + KW_RECORD_BATCH_ATTRIBUTES, (int16_t)attributes);
    kw_store_i64(batch + KW_RECORD_BATCH_MAX_TIMESTAMP, max_timestamp_ms);
    int64_t size_bytes = kw_record_batch_size_bytes(batch);
    KB_ASSERT(size_bytes >= KW_RECORD_BATCH_OVERHEAD_BYTES);
    uint32_t crc = kw_record_batch_compute_crc(batch, (size_t)size_bytes);
    kw_store_i32(batch + KW_RECORD_BATCH_CRC, (int32_t)crc);
}

uint32_t kw_record_batch_compute_crc(const uint8_t *batch, size_t size_bytes)
{
    KB_ASSERT(size_bytes >= KW_RECORD_BATCH_OVERHEAD_BYTES);
    return kb_crc32c(batch + KW_RECORD_BATCH_ATTRIBUTES, size_bytes - KW_RECORD_BATCH_ATTRIBUTES);
}

void kw_record_batch_cursor_init(struct kw_record_batch_cursor *cursor, const void *bytes,
                                 size_t length_bytes)
{
    *cursor = (struct kw_record_batch_cursor){
        .bytes = bytes, .length_bytes = length_bytes, .position_bytes = 0, .error = KW_ERROR_NONE};
}

bool kw_record_batch_next(struct kw_record_batch_cursor *cursor, const uint8_t **batch, uint32_t *size_bytes)
{
    size_t left_bytes = cursor->length_bytes - cursor->position_bytes;
    if (cursor->error != KW_ERROR_NONE || left_bytes < KW_RECORD_BATCH_LOG_OVERHEAD_BYTES) {
        return false;
    }
    const uint8_t *at = cursor->bytes + cursor->position_bytes;
    int64_t whole_bytes = kw_record_batch_size_bytes(at);
    if (whole_bytes < KW_RECORD_BATCH_LOG_OVERHEAD_BYTES + LEAST_LENGTH) {
        cursor->error = KW_ERROR_CORRUPT_MESSAGE;
        return false;
    }
    if (left_bytes <= KW_RECORD_BATCH_MAGIC) {
        return false;
    }
    int8_t magic = kw_record_batch_magic(at);
    if (magic == 0 || magic == 1) {
        cursor->error = KW_ERROR_UNSUPPORTED_FOR_MESSAGE_FORMAT;
        return false;
    }
    if (magic != KW_RECORD_BATCH_MAGIC_V2 || whole_bytes < KW_RECORD_BATCH_OVERHEAD_BYTES) {
        cursor->error = KW_ERROR_CORRUPT_MESSAGE;
        return false;
    }
    if ((uint64_t)whole_bytes > left_bytes) {
        return false;
    }
    *batch = at;
    *size_bytes = (uint32_t)whole_bytes;
    cursor->position_bytes += (size_t)whole_bytes;
    return true;
}

enum kw_error kw_record_batch_validate(const uint8_t *batch, size_t size_bytes)
{
    if (size_bytes < KW_RECORD_BATCH_OVERHEAD_BYTES ||
        kw_record_batch_size_bytes(batch) != (int64_t)size_bytes ||
        kw_record_batch_magic(batch) != KW_RECORD_BATCH_MAGIC_V2 ||
        kw_record_batch_crc(batch) != kw_record_batch_compute_crc(batch, size_bytes)) {
        return KW_ERROR_CORRUPT_MESSAGE;
    }
    return KW_ERROR_NONE;
}
