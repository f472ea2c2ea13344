/* What a client's batch must be, in the order in which Kafka looks. Of an uncompressed batch only header and
 * CRC are examined, unless a record's own properties matter (compacted topics, a bound on timestamps); a
 * compressed one is always opened. */

#include "base/planted.h"
#include "mockbroker/cluster.h"
#include "mockbroker/partition.h"
#include "wire/record_batch.h"
#include "wire/record_batch_reader.h"

enum kw_error mb_records_validate(int16_t version, const uint8_t *records, int32_t length_bytes)
{
    if (version < 3) {
        return KW_ERROR_NONE;
    }
    if (records == NULL || length_bytes <= KW_RECORD_BATCH_MAGIC) {
        return KW_ERROR_INVALID_RECORD; /* "must have at least one record batch" */
    }
    int8_t magic = kw_record_batch_magic(records);
    if (magic == 0 || magic == 1) {
        return KW_ERROR_INVALID_RECORD; /* "only allowed to contain record batches with magic version 2" */
    }
    struct kw_record_batch_cursor cursor;
    kw_record_batch_cursor_init(&cursor, records, (size_t)length_bytes);
    const uint8_t *batch = NULL;
    uint32_t size_bytes = 0;
    if (!kw_record_batch_next(&cursor, &batch, &size_bytes)) {
        return cursor.error != KW_ERROR_NONE ? cursor.error : KW_ERROR_INVALID_RECORD;
    }
    if (version < 7 && kw_record_batch_compression_id(batch) == KW_COMPRESSION_ZSTD) {
        return KW_ERROR_UNSUPPORTED_COMPRESSION_TYPE;
    }
    if (kw_record_batch_next(&cursor, &batch, &size_bytes)) {
        return KW_ERROR_INVALID_RECORD; /* "exactly one record batch" */
    }
    return cursor.error;
}

/* Kafka: LogValidator.validateBatch, for what comes from clients. */
static enum kw_error validate_header(const uint8_t *batch)
{
    int64_t count_from_offsets = (int64_t)kw_record_batch_last_offset_delta(batch) + 1;
    int32_t count = kw_record_batch_record_count(batch);
    if (count_from_offsets <= 0 || count <= 0 || count_from_offsets != count ||
        kw_record_batch_is_control(batch)) {
        return KW_ERROR_INVALID_RECORD;
    }
    if (kw_record_batch_producer_id(batch) > KW_NO_PRODUCER_ID && kw_record_batch_base_sequence(batch) < 0) {
        return KW_ERROR_INVALID_RECORD;
    }
    return kw_record_batch_compression_id(batch) > KW_COMPRESSION_ZSTD ? KW_ERROR_UNKNOWN_SERVER_ERROR
                                                                       : KW_ERROR_NONE;
}

static bool is_out_of_range(int64_t timestamp_ms, int64_t now_ms, int64_t bound_ms)
{
    if (timestamp_ms == KW_NO_TIMESTAMP || bound_ms == INT64_MAX) {
        return false;
    }
    uint64_t distance = timestamp_ms > now_ms ? (uint64_t)timestamp_ms - (uint64_t)now_ms
                                              : (uint64_t)now_ms - (uint64_t)timestamp_ms;
    return distance > (uint64_t)bound_ms;
}

enum kw_error mb_batch_open(struct mb_cluster *cluster, const uint8_t *batch, size_t size_bytes,
                            struct kw_record_reader *reader)
{
    return kw_record_reader_open(reader, batch, size_bytes, MB_DECOMPRESSED_LIMIT_BYTES,
                                 &cluster->decompressed);
}

/* Kafka: LogValidator.validateRecord. */
static enum kw_error validate_record(const struct kw_record *record, bool is_compacted, int64_t now_ms,
                                     int64_t bound_ms, const char **text)
{
    if (is_compacted && record->key.bytes == NULL) {
        *text = "Compacted topic cannot accept message without key.";
        return KW_ERROR_INVALID_RECORD;
    }
    if (is_out_of_range(record->timestamp_ms, now_ms, bound_ms)) {
        *text = "Timestamp is out of range.";
        return KW_ERROR_INVALID_TIMESTAMP;
    }
    return KW_ERROR_NONE;
}

/* Record by record: Kafka decompresses every compressed batch, and keeps its bytes when the offsets within it
 * are consecutive; where they are not it would write the batch anew, and this cluster refuses it. */
static enum kw_error validate_records(struct mb_cluster *cluster, const struct mb_settings *settings,
                                      const uint8_t *batch, uint32_t size_bytes,
                                      struct mb_append_result *result)
{
    bool is_compacted = settings->values[MB_SETTING_TOPIC_CLEANUP_POLICY] == MB_CLEANUP_COMPACT;
    bool has_create_time = settings->values[MB_SETTING_TOPIC_MESSAGE_TIMESTAMP_TYPE] == MB_CREATE_TIME;
    bool is_compressed = kw_record_batch_compression_id(batch) != KW_COMPRESSION_NONE;
    int64_t bound_ms =
        has_create_time ? settings->values[MB_SETTING_TOPIC_MESSAGE_TIMESTAMP_DIFFERENCE_MAX_MS] : INT64_MAX;
    if (!is_compressed && !is_compacted && bound_ms == INT64_MAX) {
        return KW_ERROR_NONE;
    }
    struct kw_record_reader reader;
    struct kw_record record;
    enum kw_error error = mb_batch_open(cluster, batch, size_bytes, &reader);
    if (error != KW_ERROR_NONE) {
        /* KafkaException("Failed to decompress record stream") has no code of its own. */
        return error == KW_ERROR_MESSAGE_TOO_LARGE ? error : KW_ERROR_UNKNOWN_SERVER_ERROR;
    }
    for (int32_t index = 0; kw_record_reader_next(&reader, &record); index++) {
        const char *text;
        error = validate_record(&record, is_compacted, mb_now_ms(cluster), bound_ms, &text);
        if (error != KW_ERROR_NONE) {
            result->bad_record_index = index;
            result->bad_record_text = text;
            return error;
        }
        if (is_compressed && record.offset != index) { /* from base offset 0 */
            return KW_ERROR_INVALID_RECORD;
        }
    }
    return reader.error;
}

enum kw_error mb_batch_validate(struct mb_cluster *cluster, const struct mb_settings *settings,
                                const uint8_t *records, size_t length_bytes, uint32_t *batch_bytes,
                                struct mb_append_result *result)
{
    if (records != NULL && length_bytes > KW_RECORD_BATCH_MAGIC && kw_record_batch_magic(records) >= 0 &&
        kw_record_batch_magic(records) < KW_RECORD_BATCH_MAGIC_V2) {
        /* Old formats (Produce v0 to v2) would have to be converted; this cluster keeps the current one only.
         */
        return KW_ERROR_UNSUPPORTED_FOR_MESSAGE_FORMAT;
    }
    struct kw_record_batch_cursor cursor;
    kw_record_batch_cursor_init(&cursor, records, records == NULL ? 0 : length_bytes);
    const uint8_t *batch = NULL;
    if (!kw_record_batch_next(&cursor, &batch, batch_bytes)) {
        return cursor.error != KW_ERROR_NONE ? cursor.error : KW_ERROR_INVALID_RECORD;
    }
    /* Kafka: Log.analyzeAndValidateRecords. */
    if (kw_record_batch_base_offset(batch) != 0) {
        return KW_ERROR_INVALID_RECORD;
    }
    if (*batch_bytes > settings->values[MB_SETTING_TOPIC_MAX_MESSAGE_BYTES] &&
        !KB_PLANTED(SIZE_NOT_CHECKED)) {
        return KW_ERROR_MESSAGE_TOO_LARGE;
    }
    enum kw_error error =
        KB_PLANTED(CRC_NOT_CHECKED) ? KW_ERROR_NONE : kw_record_batch_validate(batch, *batch_bytes);
    if (error != KW_ERROR_NONE) {
        return error;
    }
    const uint8_t *second = NULL;
    uint32_t second_bytes = 0;
    if (kw_record_batch_next(&cursor, &second, &second_bytes)) {
        return KW_ERROR_INVALID_RECORD; /* LogValidator.getFirstBatchAndMaybeValidateNoMoreBatches */
    }
    error = validate_header(batch);
    if (error == KW_ERROR_NONE && kw_record_batch_timestamp_type(batch) == KW_TIMESTAMP_LOG_APPEND_TIME) {
        /* LogValidator.validateTimestamp: only brokers may set that. */
        result->bad_record_index = 0;
        result->bad_record_text =
            "Invalid timestamp type in message. Producer should not set timestamp type to LogAppendTime.";
        error = KW_ERROR_INVALID_TIMESTAMP;
    }
    if (error == KW_ERROR_NONE) {
        error = validate_records(cluster, settings, batch, *batch_bytes, result);
    }
    if (error == KW_ERROR_NONE && *batch_bytes > settings->values[MB_SETTING_TOPIC_SEGMENT_BYTES]) {
        error = KW_ERROR_RECORD_LIST_TOO_LARGE;
    }
    return error;
}
