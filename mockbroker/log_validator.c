#include "mockbroker/log_validator.h"

#include "base/assert.h"
#include "base/planted.h"
#include "wire/record_batch.h"
#include "wire/record_batch_builder.h"

#include <stdio.h>
#include <string.h>

enum {
    RECORD_ERROR_TEXT_BYTES = 512,
    /* What a record's length, time and offset may grow by when it is written anew. */
    REWRITTEN_RECORD_EXTRA_BYTES = 20,
};

/* One batch under examination. */
struct examined {
    struct mb_partition *partition;
    const struct mb_records_analysis *analysis;
    struct mb_append_result *result;
    enum kw_compression target;
    bool is_compacted;
    bool has_log_append_time; /* the topic, not the batch */
    int64_t bound_ms;
    int64_t max_timestamp_ms;
    int64_t rewritten_bytes; /* at most, uncompressed */
    int32_t most_headers;
    bool is_in_place;
    bool has_bad_timestamp;
    uint32_t error_capacity;
};

static int64_t topic_setting(const struct mb_partition *partition, enum mb_setting_id id)
{
    return partition->tp->topic->settings.values[id];
}

/* Kafka: BrokerCompressionCodec.getTargetCompressionCodec. */
static enum kw_compression target_of(const struct mb_partition *partition, const uint8_t *batch)
{
    switch ((enum mb_compression_type_value)topic_setting(partition, MB_SETTING_TOPIC_COMPRESSION_TYPE)) {
    case MB_COMPRESSION_PRODUCER:
        break;
    case MB_COMPRESSION_UNCOMPRESSED:
        return KW_COMPRESSION_NONE;
    case MB_COMPRESSION_GZIP:
        return KW_COMPRESSION_GZIP;
    case MB_COMPRESSION_SNAPPY:
        return KW_COMPRESSION_SNAPPY;
    case MB_COMPRESSION_LZ4:
        return KW_COMPRESSION_LZ4;
    case MB_COMPRESSION_ZSTD:
        return KW_COMPRESSION_ZSTD;
    }
    return (enum kw_compression)kw_record_batch_compression_id(batch);
}

/* Kafka: LogValidator.validateBatch, for what comes from clients. */
static enum kw_error validate_batch(const uint8_t *batch)
{
    int64_t count_from_offsets = (int64_t)kw_record_batch_last_offset_delta(batch) + 1;
    int32_t count = kw_record_batch_record_count(batch);
    if (count_from_offsets <= 0 || count <= 0 || count_from_offsets != count ||
        kw_record_batch_is_control(batch)) {
        return KW_ERROR_INVALID_RECORD;
    }
    bool has_producer = kw_record_batch_producer_id(batch) > KW_NO_PRODUCER_ID;
    return has_producer && kw_record_batch_base_sequence(batch) < 0 ? KW_ERROR_INVALID_RECORD : KW_ERROR_NONE;
}

/* --- One record --- */

static void add_error(struct examined *examined, int32_t index, const char *text)
{
    struct mb_append_result *result = examined->result;
    size_t length_bytes = strlen(text);
    if (result->record_error_count == examined->error_capacity) {
        uint32_t larger = examined->error_capacity == 0 ? 4 : 2 * examined->error_capacity;
        struct mb_record_error *errors =
            kb_arena_allocate_zeroed(result->arena, larger, sizeof *result->record_errors);
        KB_ASSERT(errors != NULL);
        if (result->record_error_count > 0) {
            memcpy(errors, result->record_errors, result->record_error_count * sizeof *errors);
        }
        result->record_errors = errors;
        examined->error_capacity = larger;
    }
    char *copy = kb_arena_copy(result->arena, text, length_bytes + 1);
    KB_ASSERT(copy != NULL);
    result->record_errors[result->record_error_count++] =
        (struct mb_record_error){index, copy, (int32_t)length_bytes};
}

/* Kafka: |time - now| > bound on longs that wrap. */
static bool is_out_of_range(int64_t timestamp_ms, int64_t now_ms, int64_t bound_ms)
{
    int64_t distance = (int64_t)((uint64_t)timestamp_ms - (uint64_t)now_ms);
    return (distance < 0 && distance > INT64_MIN ? -distance : distance) > bound_ms;
}

/* Kafka: LogValidator.validateKey. */
static bool validate_key(struct examined *examined, const struct kw_record *record, int32_t index)
{
    char text[RECORD_ERROR_TEXT_BYTES];
    if (!examined->is_compacted || record->key.bytes != NULL) {
        return true;
    }
    snprintf(text, sizeof text, "Compacted topic cannot accept message without key in topic partition %s-%d.",
             examined->partition->tp->topic->name, (int)examined->partition->tp->index);
    add_error(examined, index, text);
    return false;
}

/* Kafka: DefaultRecord.toString, and PartialDefaultRecord's of one that is only skimmed. */
static void name_record(const struct examined *examined, const struct kw_record *record, char *text,
                        size_t capacity_bytes)
{
    bool is_skimmed = examined->is_in_place &&
                      kw_record_batch_compression_id(examined->analysis->batch) != KW_COMPRESSION_NONE;
    int32_t least = is_skimmed ? -1 : 0; /* of what is null */
    int32_t key_bytes = record->key.bytes == NULL ? least : record->key.length_bytes;
    int32_t value_bytes = record->value.bytes == NULL ? least : record->value.length_bytes;
    snprintf(text, capacity_bytes,
             "Invalid timestamp type in message %sDefaultRecord(offset=%lld, timestamp=%lld, key=%d bytes, "
             "value=%d bytes). Producer should not set timestamp type to LogAppendTime.",
             is_skimmed ? "Partial" : "", (long long)record->offset, (long long)record->timestamp_ms,
             (int)key_bytes, (int)value_bytes);
}

/* Kafka: LogValidator.validateTimestamp. */
static bool validate_timestamp(struct examined *examined, const struct kw_record *record, int32_t index)
{
    char text[RECORD_ERROR_TEXT_BYTES];
    int64_t now_ms = mb_now_ms(examined->partition->cluster);
    int64_t bound_ms = examined->bound_ms;
    if (!examined->has_log_append_time && record->timestamp_ms != KW_NO_TIMESTAMP &&
        is_out_of_range(record->timestamp_ms, now_ms, bound_ms)) {
        snprintf(text, sizeof text,
                 "Timestamp %lld of message with offset %lld is out of range. The timestamp should be within "
                 "[%lld, %lld]",
                 (long long)record->timestamp_ms, (long long)record->offset,
                 (long long)((uint64_t)now_ms - (uint64_t)bound_ms),
                 (long long)((uint64_t)now_ms + (uint64_t)bound_ms));
    } else if (kw_record_batch_timestamp_type(examined->analysis->batch) == KW_TIMESTAMP_LOG_APPEND_TIME) {
        name_record(examined, record, text, sizeof text);
    } else {
        return true;
    }
    add_error(examined, index, text);
    examined->has_bad_timestamp = true;
    return false;
}

/* Kafka: LogValidator.validateRecord, and what the loops around it keep in mind of each record. */
static void look_at_record(struct examined *examined, const struct kw_record *record, int32_t index)
{
    bool is_compressed = examined->target != KW_COMPRESSION_NONE ||
                         kw_record_batch_compression_id(examined->analysis->batch) != KW_COMPRESSION_NONE;
    examined->rewritten_bytes += (int64_t)record->size_bytes + REWRITTEN_RECORD_EXTRA_BYTES;
    if (record->header_count > examined->most_headers) {
        examined->most_headers = record->header_count;
    }
    if (!validate_key(examined, record, index) || !validate_timestamp(examined, record, index)) {
        return;
    }
    if (record->timestamp_ms > examined->max_timestamp_ms) {
        examined->max_timestamp_ms = record->timestamp_ms;
    }
    if (is_compressed && record->offset != index) { /* from base offset 0 */
        examined->is_in_place = false;
    }
}

/* Kafka: LogValidator.processRecordErrors. */
static enum kw_error process_errors(const struct examined *examined)
{
    struct mb_append_result *result = examined->result;
    if (result->record_error_count == 0) {
        return KW_ERROR_NONE;
    }
    result->error_text = examined->has_bad_timestamp
                             ? "One or more records have been rejected due to invalid timestamp"
                             : "One or more records have been rejected";
    return examined->has_bad_timestamp ? KW_ERROR_INVALID_TIMESTAMP : KW_ERROR_INVALID_RECORD;
}

enum kw_error mb_batch_open(struct mb_cluster *cluster, const uint8_t *batch, size_t size_bytes,
                            struct kw_record_reader *reader)
{
    return kw_record_reader_open(reader, batch, size_bytes, MB_DECOMPRESSED_LIMIT_BYTES,
                                 &cluster->decompressed);
}

static enum kw_error look_at_records(struct examined *examined)
{
    const struct mb_records_analysis *analysis = examined->analysis;
    struct kw_record_reader reader;
    struct kw_record record;
    enum kw_error error =
        mb_batch_open(examined->partition->cluster, analysis->batch, analysis->batch_bytes, &reader);
    if (error != KW_ERROR_NONE) {
        /* KafkaException("Failed to decompress record stream") has no code of its own. */
        return error == KW_ERROR_MESSAGE_TOO_LARGE ? error : KW_ERROR_UNKNOWN_SERVER_ERROR;
    }
    for (int32_t index = 0; kw_record_reader_next(&reader, &record); index++) {
        look_at_record(examined, &record, index);
    }
    if (reader.error != KW_ERROR_NONE && !KB_PLANTED(CRC_NOT_CHECKED)) {
        return reader.error;
    }
    return process_errors(examined);
}

/* --- The batch of the log --- */

/* Its fields that the CRC does not cover, and the time. Kafka: RecordBatch.setLastOffset,
 * setPartitionLeaderEpoch, setMaxTimestamp. */
static struct mb_block *assign(const struct mb_partition *partition, const uint8_t *batch,
                               uint32_t batch_bytes, int64_t max_timestamp_ms)
{
    struct mb_block *block = mb_block_create(partition->cluster->allocator, batch, batch_bytes);
    bool has_log_append_time =
        topic_setting(partition, MB_SETTING_TOPIC_MESSAGE_TIMESTAMP_TYPE) == MB_LOG_APPEND_TIME &&
        !KB_PLANTED(APPEND_TIME_NOT_STAMPED);
    kw_record_batch_set_base_offset(block->bytes, partition->log.end_offset);
    kw_record_batch_set_partition_leader_epoch(block->bytes, partition->leader_epoch);
    if (has_log_append_time) {
        kw_record_batch_set_max_timestamp(block->bytes, KW_TIMESTAMP_LOG_APPEND_TIME,
                                          mb_now_ms(partition->cluster));
    } else {
        kw_record_batch_set_max_timestamp(block->bytes, KW_TIMESTAMP_CREATE_TIME, max_timestamp_ms);
    }
    return block;
}

struct mb_block *mb_log_assign(struct mb_partition *partition, const uint8_t *batch, uint32_t batch_bytes)
{
    return assign(partition, batch, batch_bytes, kw_record_batch_max_timestamp_ms(batch));
}

static struct kw_record_batch_options rewritten_options(const struct examined *examined)
{
    const struct mb_partition *partition = examined->partition;
    const uint8_t *batch = examined->analysis->batch;
    struct kw_record_batch_options options = kw_record_batch_options_default();
    options.base_offset = partition->log.end_offset;
    options.producer_id = kw_record_batch_producer_id(batch);
    options.producer_epoch = kw_record_batch_producer_epoch(batch);
    options.base_sequence = kw_record_batch_base_sequence(batch);
    options.is_transactional = kw_record_batch_is_transactional(batch);
    options.partition_leader_epoch = partition->leader_epoch;
    options.compression = examined->target;
    if (examined->has_log_append_time && !KB_PLANTED(APPEND_TIME_NOT_STAMPED)) {
        options.timestamp_type = KW_TIMESTAMP_LOG_APPEND_TIME;
        options.log_append_time_ms = mb_now_ms(partition->cluster);
    }
    return options;
}

/* Kafka: MemoryRecordsBuilder.validateProducerState. */
static bool has_consistent_producer(const struct kw_record_batch_options *options)
{
    if (options->producer_id == KW_NO_PRODUCER_ID) {
        return !options->is_transactional;
    }
    return options->producer_epoch != KW_NO_PRODUCER_EPOCH && options->base_sequence >= 0;
}

/* MemoryRecordsBuilder takes no negative time but NO_TIMESTAMP. The last time of all has no distance to it.
 */
static bool can_be_written(int64_t timestamp_ms)
{
    return timestamp_ms == KW_NO_TIMESTAMP || (timestamp_ms >= 0 && timestamp_ms < INT64_MAX);
}

/* Every record once more, in order. */
static enum kw_error copy_records(const struct examined *examined, struct kw_record_batch_builder *builder)
{
    struct mb_cluster *cluster = examined->partition->cluster;
    size_t headers_bytes = (size_t)examined->most_headers * sizeof(struct kw_record_header);
    struct kw_record_header *headers = mb_take(cluster->allocator, headers_bytes);
    struct kw_record_reader reader;
    struct kw_record record;
    enum kw_error error =
        mb_batch_open(cluster, examined->analysis->batch, examined->analysis->batch_bytes, &reader);
    KB_ASSERT(error == KW_ERROR_NONE); /* it was opened before */
    while (error == KW_ERROR_NONE && kw_record_reader_next(&reader, &record)) {
        struct kw_bytes rest = record.headers;
        struct kw_record_fields fields = {.key = record.key, .value = record.value, .headers = headers};
        while (fields.header_count < record.header_count &&
               kw_record_header_next(&rest, &headers[fields.header_count])) {
            fields.header_count++;
        }
        if (!can_be_written(record.timestamp_ms)) {
            error = KW_ERROR_UNKNOWN_SERVER_ERROR; /* an IllegalArgumentException */
        } else {
            (void)kw_record_batch_builder_append(builder, record.timestamp_ms, &fields);
        }
    }
    mb_give(cluster->allocator, headers, headers_bytes);
    return error;
}

/* Kafka: LogValidator.buildRecordsAndAssignOffsets, then the look at its size in Log.append. */
static enum kw_error rewrite(const struct examined *examined, struct mb_block **out)
{
    const struct linger_allocator *allocator = examined->partition->cluster->allocator;
    struct kw_record_batch_options options = rewritten_options(examined);
    if (!has_consistent_producer(&options)) {
        return KW_ERROR_UNKNOWN_SERVER_ERROR; /* an IllegalArgumentException */
    }
    int64_t memory_bytes =
        KW_RECORD_BATCH_OVERHEAD_BYTES + KW_RECORD_MAX_OVERHEAD_BYTES + examined->rewritten_bytes;
    KB_ASSERT(memory_bytes <= INT32_MAX);
    uint8_t *memory = mb_take(allocator, (size_t)memory_bytes);
    struct kw_record_batch_builder builder;
    kw_record_batch_builder_init(&builder, memory, (uint32_t)memory_bytes, &options);
    kw_record_batch_builder_set_compression(&builder, examined->target, 0.0F); /* there is room for all */
    uint8_t *packed = NULL;
    size_t packed_bytes = 0;
    enum kw_error error = copy_records(examined, &builder);
    if (error == KW_ERROR_NONE && examined->target != KW_COMPRESSION_NONE) {
        kw_record_batch_builder_close_for_appends(&builder);
        packed_bytes = kw_record_batch_builder_compressed_bound_bytes(&builder);
        packed = mb_take(allocator, packed_bytes);
        bool is_packed = kw_record_batch_builder_compress(&builder, packed, (uint32_t)packed_bytes);
        error = is_packed ? KW_ERROR_NONE : KW_ERROR_UNKNOWN_SERVER_ERROR;
    }
    if (error == KW_ERROR_NONE) {
        kw_record_batch_builder_close(&builder);
        int64_t limit_bytes = topic_setting(examined->partition, MB_SETTING_TOPIC_MAX_MESSAGE_BYTES);
        error = (int64_t)builder.written_bytes > limit_bytes ? KW_ERROR_MESSAGE_TOO_LARGE : KW_ERROR_NONE;
    }
    if (error == KW_ERROR_NONE) {
        *out = mb_block_create(allocator, builder.memory, builder.written_bytes);
    }
    mb_give(allocator, packed, packed_bytes);
    mb_give(allocator, memory, (size_t)memory_bytes);
    return error;
}

enum kw_error mb_log_validate(struct mb_partition *partition, const struct mb_records_analysis *analysis,
                              struct mb_append_result *result, struct mb_block **out)
{
    int64_t cleanup_policy = topic_setting(partition, MB_SETTING_TOPIC_CLEANUP_POLICY);
    struct examined examined = {
        .partition = partition,
        .analysis = analysis,
        .result = result,
        .target = target_of(partition, analysis->batch),
        .is_compacted = (cleanup_policy & MB_CLEANUP_COMPACT) != 0,
        .has_log_append_time =
            topic_setting(partition, MB_SETTING_TOPIC_MESSAGE_TIMESTAMP_TYPE) == MB_LOG_APPEND_TIME,
        .bound_ms = topic_setting(partition, MB_SETTING_TOPIC_MESSAGE_TIMESTAMP_DIFFERENCE_MAX_MS),
        .max_timestamp_ms = KW_NO_TIMESTAMP,
    };
    examined.is_in_place = (int)examined.target == kw_record_batch_compression_id(analysis->batch);
    if (analysis->batch_count > 1) {
        return KW_ERROR_INVALID_RECORD; /* getFirstBatchAndMaybeValidateNoMoreBatches */
    }
    enum kw_error error = validate_batch(analysis->batch);
    if (error == KW_ERROR_NONE) {
        error = look_at_records(&examined);
    }
    if (error != KW_ERROR_NONE) {
        return error;
    }
    if (!examined.is_in_place) {
        return rewrite(&examined, out);
    }
    *out = assign(partition, analysis->batch, analysis->batch_bytes, examined.max_timestamp_ms);
    return KW_ERROR_NONE;
}
