#include "wire/record_batch_builder.h"

#include "base/assert.h"
#include "wire/compression.h"
#include "wire/cursor.h"
#include "wire/record_size.h"
#include "wire/varint.h"

#include <float.h>
#include <string.h>

/* Estimates are IEEE single precision step by step, as Java's float is: then every machine decides alike. */
_Static_assert(FLT_EVAL_METHOD == 0 && FLT_RADIX == 2 && FLT_MANT_DIG == 24 && FLT_MAX_EXP == 128,
               "float is evaluated as IEEE single precision");
#ifdef __FAST_MATH__
#error "-ffast-math may change what a batch's size is estimated at"
#endif

struct kw_record_batch_options kw_record_batch_options_default(void)
{
    return (struct kw_record_batch_options){
        .log_append_time_ms = KW_NO_TIMESTAMP,
        .producer_id = KW_NO_PRODUCER_ID,
        .producer_epoch = KW_NO_PRODUCER_EPOCH,
        .base_sequence = KW_NO_SEQUENCE,
        .partition_leader_epoch = KW_NO_PARTITION_LEADER_EPOCH,
        .timestamp_type = KW_TIMESTAMP_CREATE_TIME,
        .compression = KW_COMPRESSION_NONE,
    };
}

/* Kafka: uncompressedRecordsSizeInBytes. */
static uint32_t uncompressed_bytes(const struct kw_record_batch_builder *builder)
{
    return builder->is_compressed ? builder->uncompressed_bytes
                                  : builder->written_bytes - KW_RECORD_BATCH_OVERHEAD_BYTES;
}

/* Kafka: estimatedBytesWritten. (int) of Java's float: towards zero, and within an int here, because the
 * records are. */
static uint32_t estimated_with_ratio_bytes(const struct kw_record_batch_builder *builder)
{
    float records_bytes = (float)(int32_t)uncompressed_bytes(builder);
    records_bytes *= builder->estimated_ratio;
    records_bytes *= KW_COMPRESSION_RATE_ESTIMATION_FACTOR;
    float largest = (float)(INT32_MAX / 2);
    return KW_RECORD_BATCH_OVERHEAD_BYTES + (uint32_t)(records_bytes < largest ? records_bytes : largest);
}

static inline uint32_t estimated_bytes(const struct kw_record_batch_builder *builder)
{
    return builder->has_compression ? estimated_with_ratio_bytes(builder) : builder->written_bytes;
}

static void check(const struct kw_record_batch_builder *builder)
{
    KB_ASSERT(builder->written_bytes >= KW_RECORD_BATCH_OVERHEAD_BYTES);
    KB_ASSERT(builder->written_bytes <= builder->memory_bytes);
    KB_ASSERT(builder->record_count >= 0);
}

void kw_record_batch_builder_init(struct kw_record_batch_builder *builder, void *memory,
                                  uint32_t capacity_bytes, const struct kw_record_batch_options *options)
{
    KB_ASSERT(memory != NULL && capacity_bytes <= INT32_MAX);
    *builder = (struct kw_record_batch_builder){
        .memory = memory,
        .capacity_bytes = capacity_bytes,
        .written_bytes = KW_RECORD_BATCH_OVERHEAD_BYTES,
        .state = KW_BUILDER_OPEN,
        .base_timestamp_ms = KW_NO_TIMESTAMP,
        .max_timestamp_ms = KW_NO_TIMESTAMP,
        .options = *options,
        .has_compression = options->compression != KW_COMPRESSION_NONE,
        .memory_bytes = capacity_bytes,
        .estimated_ratio = 1.0F,
    };
    check(builder);
}

void kw_record_batch_builder_set_compression(struct kw_record_batch_builder *builder,
                                             enum kw_compression compression, float estimated_ratio)
{
    KB_ASSERT(builder->record_count == 0 && estimated_ratio >= 0.0F);
    builder->options.compression = compression;
    builder->has_compression = compression != KW_COMPRESSION_NONE;
    builder->estimated_ratio = estimated_ratio;
}

void kw_record_batch_builder_move(struct kw_record_batch_builder *builder, void *memory,
                                  uint32_t memory_bytes)
{
    KB_ASSERT(memory != NULL && memory_bytes <= INT32_MAX && memory_bytes >= builder->written_bytes);
    memcpy(memory, builder->memory, builder->written_bytes);
    builder->memory = memory;
    builder->memory_bytes = memory_bytes;
}

bool kw_record_batch_builder_has_space(const struct kw_record_batch_builder *builder, int64_t length_bytes)
{
    return (int64_t)builder->written_bytes + length_bytes <= builder->memory_bytes;
}

/* Deltas count from the first record. Kafka: MemoryRecordsBuilder.hasRoomFor, appendDefaultRecord. */
static int64_t timestamp_delta(const struct kw_record_batch_builder *builder, int64_t timestamp_ms)
{
    return builder->record_count == 0 ? 0 : timestamp_ms - builder->base_timestamp_ms;
}

/* So many bytes are estimated so far. Kafka: isFull. */
static bool is_full(const struct kw_record_batch_builder *builder, uint32_t bytes_so_far)
{
    return builder->state != KW_BUILDER_OPEN ||
           (builder->record_count > 0 && builder->capacity_bytes <= bytes_so_far);
}

/* Kafka: the last line of MemoryRecordsBuilder.hasRoomFor, after its shortcuts. */
static bool fits(const struct kw_record_batch_builder *builder, uint32_t bytes_so_far,
                 int64_t record_size_bytes)
{
    return builder->record_count == 0 || (int64_t)bytes_so_far + record_size_bytes <= builder->capacity_bytes;
}

static uint8_t *put_bytes_field(uint8_t *out, struct kw_bytes field)
{
    out = kw_put_base128(out, kw_zigzag32(kw_bytes_encoded_length(field)));
    if (field.bytes != NULL && field.length_bytes > 0) {
        memcpy(out, field.bytes, (size_t)field.length_bytes);
        out += field.length_bytes;
    }
    return out;
}

/* The record, straight to its place: whoever calls has made sure of the room. Kafka: DefaultRecord.writeTo.
 */
static uint8_t *encode(uint8_t *out, int64_t body_size_bytes, int32_t offset_delta,
                       int64_t timestamp_delta_ms, const struct kw_record_fields *fields)
{
    out = kw_put_base128(out, kw_zigzag32((int32_t)body_size_bytes));
    *out++ = 0; /* attributes: none is defined */
    out = kw_put_base128(out, kw_zigzag64(timestamp_delta_ms));
    out = kw_put_base128(out, kw_zigzag32(offset_delta));
    out = put_bytes_field(out, fields->key);
    out = put_bytes_field(out, fields->value);
    out = kw_put_base128(out, kw_zigzag32(fields->header_count));
    for (int32_t i = 0; i < fields->header_count; i++) {
        out = put_bytes_field(out, fields->headers[i].key);
        out = put_bytes_field(out, fields->headers[i].value);
    }
    return out;
}

bool kw_record_batch_builder_has_room_for(const struct kw_record_batch_builder *builder, int64_t timestamp_ms,
                                          const struct kw_record_fields *fields)
{
    uint32_t bytes_so_far = estimated_bytes(builder);
    if (is_full(builder, bytes_so_far)) {
        return false;
    }
    return fits(builder, bytes_so_far,
                kw_record_size_bytes(builder->record_count, timestamp_delta(builder, timestamp_ms), fields));
}

uint32_t kw_record_batch_builder_try_append(struct kw_record_batch_builder *builder, int64_t timestamp_ms,
                                            const struct kw_record_fields *fields)
{
    KB_ASSERT(timestamp_ms >= 0 || timestamp_ms == KW_NO_TIMESTAMP);
    uint32_t bytes_so_far = estimated_bytes(builder);
    if (is_full(builder, bytes_so_far)) {
        return 0;
    }
    int64_t timestamp_delta_ms = timestamp_delta(builder, timestamp_ms);
    int64_t body_size_bytes = kw_record_measure_body_bytes(builder->record_count, timestamp_delta_ms, fields);
    int64_t record_size_bytes = body_size_bytes + kw_base128_size_bytes(kw_zigzag64(body_size_bytes));
    if (!fits(builder, bytes_so_far, record_size_bytes)) {
        return 0;
    }
    KB_ASSERT(kw_record_batch_builder_has_space(builder, record_size_bytes));
    uint8_t *begin = builder->memory + builder->written_bytes;
    const uint8_t *end = encode(begin, body_size_bytes, builder->record_count, timestamp_delta_ms, fields);
    KB_ASSERT(end - begin == record_size_bytes);
    if (builder->record_count == 0) {
        builder->base_timestamp_ms = timestamp_ms;
    }
    if (timestamp_ms > builder->max_timestamp_ms) {
        builder->max_timestamp_ms = timestamp_ms;
    }
    builder->record_count++;
    builder->written_bytes += (uint32_t)record_size_bytes;
    return (uint32_t)record_size_bytes;
}

uint32_t kw_record_batch_builder_append(struct kw_record_batch_builder *builder, int64_t timestamp_ms,
                                        const struct kw_record_fields *fields)
{
    uint32_t size_bytes = kw_record_batch_builder_try_append(builder, timestamp_ms, fields);
    KB_ASSERT(size_bytes > 0);
    return size_bytes;
}

bool kw_record_batch_builder_is_full(const struct kw_record_batch_builder *builder)
{
    return is_full(builder, estimated_bytes(builder));
}

bool kw_record_batch_builder_is_closed(const struct kw_record_batch_builder *builder)
{
    return builder->state == KW_BUILDER_CLOSED;
}

uint32_t kw_record_batch_builder_estimated_size_bytes(const struct kw_record_batch_builder *builder)
{
    if (builder->state == KW_BUILDER_CLOSED) {
        return builder->record_count == 0 ? 0 : builder->written_bytes;
    }
    return estimated_bytes(builder);
}

int32_t kw_record_batch_builder_record_count(const struct kw_record_batch_builder *builder)
{
    return builder->record_count;
}

void kw_record_batch_builder_set_producer_state(struct kw_record_batch_builder *builder, int64_t producer_id,
                                                int16_t producer_epoch, int32_t base_sequence,
                                                bool is_transactional)
{
    KB_ASSERT(!kw_record_batch_builder_is_closed(builder));
    builder->options.producer_id = producer_id;
    builder->options.producer_epoch = producer_epoch;
    builder->options.base_sequence = base_sequence;
    builder->options.is_transactional = is_transactional;
}

void kw_record_batch_builder_close_for_appends(struct kw_record_batch_builder *builder)
{
    if (builder->state == KW_BUILDER_OPEN) {
        builder->state = KW_BUILDER_CLOSED_FOR_APPENDS;
    }
}

size_t kw_record_batch_builder_compressed_bound_bytes(const struct kw_record_batch_builder *builder)
{
    return KW_RECORD_BATCH_OVERHEAD_BYTES +
           kw_compress_bound_bytes(builder->options.compression, uncompressed_bytes(builder));
}

bool kw_record_batch_builder_compress(struct kw_record_batch_builder *builder, void *out, uint32_t out_bytes)
{
    KB_ASSERT(builder->state == KW_BUILDER_CLOSED_FOR_APPENDS && builder->has_compression &&
              !builder->is_compressed && out_bytes <= INT32_MAX);
    uint32_t length_bytes = uncompressed_bytes(builder);
    size_t records_bytes;
    if (kw_compress(builder->options.compression, builder->memory + KW_RECORD_BATCH_OVERHEAD_BYTES,
                    length_bytes, (uint8_t *)out + KW_RECORD_BATCH_OVERHEAD_BYTES,
                    out_bytes - KW_RECORD_BATCH_OVERHEAD_BYTES, &records_bytes) != KW_ERROR_NONE) {
        return false;
    }
    builder->memory = out;
    builder->memory_bytes = out_bytes;
    builder->written_bytes = KW_RECORD_BATCH_OVERHEAD_BYTES + (uint32_t)records_bytes;
    builder->uncompressed_bytes = length_bytes;
    builder->is_compressed = true;
    check(builder);
    return true;
}

void kw_record_batch_builder_give_up_compression(struct kw_record_batch_builder *builder)
{
    KB_ASSERT(builder->state == KW_BUILDER_CLOSED_FOR_APPENDS && !builder->is_compressed);
    builder->options.compression = KW_COMPRESSION_NONE;
    builder->has_compression = false;
}

float kw_record_batch_builder_compression_ratio(const struct kw_record_batch_builder *builder)
{
    if (!builder->is_compressed) {
        return 1.0F;
    }
    float records_bytes = (float)(int32_t)(builder->written_bytes - KW_RECORD_BATCH_OVERHEAD_BYTES);
    return records_bytes / (float)(int32_t)builder->uncompressed_bytes;
}

/* Kafka: MemoryRecordsBuilder.validateProducerState. */
static void check_producer_state(const struct kw_record_batch_options *options)
{
    if (options->producer_id == KW_NO_PRODUCER_ID) {
        KB_ASSERT(!options->is_transactional);
    } else {
        KB_ASSERT(options->producer_epoch != KW_NO_PRODUCER_EPOCH);
        KB_ASSERT(options->base_sequence >= 0 || options->is_control);
    }
}

/* Kafka: DefaultRecordBatch.writeHeader. */
static void write_header(struct kw_record_batch_builder *builder)
{
    const struct kw_record_batch_options *options = &builder->options;
    uint8_t *batch = builder->memory;
    int64_t max_timestamp_ms = options->timestamp_type == KW_TIMESTAMP_LOG_APPEND_TIME
                                   ? options->log_append_time_ms
                                   : builder->max_timestamp_ms;
    kw_store_i64(batch + KW_RECORD_BATCH_BASE_OFFSET, options->base_offset);
    kw_store_i32(batch + KW_RECORD_BATCH_LENGTH,
                 (int32_t)(builder->written_bytes - KW_RECORD_BATCH_LOG_OVERHEAD_BYTES));
    kw_store_i32(batch + KW_RECORD_BATCH_PARTITION_LEADER_EPOCH, options->partition_leader_epoch);
    batch[KW_RECORD_BATCH_MAGIC] = KW_RECORD_BATCH_MAGIC_V2;
    kw_store_i16(batch + KW_RECORD_BATCH_ATTRIBUTES,
                 kw_record_batch_compute_attributes(options->compression, options->timestamp_type,
                                                    options->is_transactional, options->is_control));
    kw_store_i32(batch + KW_RECORD_BATCH_LAST_OFFSET_DELTA, builder->record_count - 1);
    kw_store_i64(batch + KW_RECORD_BATCH_BASE_TIMESTAMP, builder->base_timestamp_ms);
    kw_store_i64(batch + KW_RECORD_BATCH_MAX_TIMESTAMP, max_timestamp_ms);
    kw_store_i64(batch + KW_RECORD_BATCH_PRODUCER_ID, options->producer_id);
    kw_store_i16(batch + KW_RECORD_BATCH_PRODUCER_EPOCH, options->producer_epoch);
    kw_store_i32(batch + KW_RECORD_BATCH_BASE_SEQUENCE, options->base_sequence);
    kw_store_i32(batch + KW_RECORD_BATCH_RECORD_COUNT, builder->record_count);
    kw_store_i32(batch + KW_RECORD_BATCH_CRC,
                 (int32_t)kw_record_batch_compute_crc(batch, builder->written_bytes));
}

void kw_record_batch_builder_close(struct kw_record_batch_builder *builder)
{
    KB_ASSERT(builder->state != KW_BUILDER_ABORTED);
    if (builder->state == KW_BUILDER_CLOSED) {
        return;
    }
    check(builder);
    check_producer_state(&builder->options);
    if (builder->record_count > 0) {
        KB_ASSERT(!builder->has_compression || builder->is_compressed);
        write_header(builder);
    }
    builder->state = KW_BUILDER_CLOSED;
}

void kw_record_batch_builder_reopen_and_rewrite_producer_state(struct kw_record_batch_builder *builder,
                                                               int64_t producer_id, int16_t producer_epoch,
                                                               int32_t base_sequence, bool is_transactional)
{
    KB_ASSERT(builder->state != KW_BUILDER_ABORTED);
    if (builder->state == KW_BUILDER_CLOSED) {
        builder->state = KW_BUILDER_CLOSED_FOR_APPENDS;
    }
    kw_record_batch_builder_set_producer_state(builder, producer_id, producer_epoch, base_sequence,
                                               is_transactional);
}

void kw_record_batch_builder_abort(struct kw_record_batch_builder *builder)
{
    builder->state = KW_BUILDER_ABORTED;
}
