/* What a client's records must be before anybody looks into them, in the order in which Kafka looks. */

#include "base/planted.h"
#include "mockbroker/partition.h"
#include "wire/record_batch.h"

enum kw_error mb_records_validate(int16_t version, const uint8_t *records, int32_t length_bytes)
{
    if (version < 3 || records == NULL) {
        return KW_ERROR_NONE;
    }
    struct kw_record_batch_cursor cursor;
    kw_record_batch_cursor_init(&cursor, records, (size_t)length_bytes);
    const uint8_t *batch = NULL;
    uint32_t size_bytes = 0;
    if (!kw_record_batch_next(&cursor, &batch, &size_bytes)) {
        /* "must have at least one record batch", or "only ... with magic version 2" */
        return cursor.error == KW_ERROR_CORRUPT_MESSAGE ? cursor.error : KW_ERROR_INVALID_RECORD;
    }
    if (version < 7 && kw_record_batch_compression_id(batch) == KW_COMPRESSION_ZSTD) {
        return KW_ERROR_UNSUPPORTED_COMPRESSION_TYPE;
    }
    if (kw_record_batch_next(&cursor, &batch, &size_bytes)) {
        return KW_ERROR_INVALID_RECORD; /* "exactly one record batch" */
    }
    /* Another magic behind it is another batch, too. */
    return cursor.error == KW_ERROR_UNSUPPORTED_FOR_MESSAGE_FORMAT ? KW_ERROR_INVALID_RECORD : cursor.error;
}

static enum kw_error analyze_batch(const struct mb_settings *settings, const uint8_t *batch,
                                   uint32_t batch_bytes)
{
    if (kw_record_batch_base_offset(batch) != 0) {
        return KW_ERROR_INVALID_RECORD;
    }
    if (batch_bytes > settings->values[MB_SETTING_TOPIC_MAX_MESSAGE_BYTES] && !KB_PLANTED(SIZE_NOT_CHECKED)) {
        return KW_ERROR_MESSAGE_TOO_LARGE;
    }
    enum kw_error error =
        KB_PLANTED(CRC_NOT_CHECKED) ? KW_ERROR_NONE : kw_record_batch_validate(batch, batch_bytes);
    if (error != KW_ERROR_NONE) {
        return error;
    }
    /* Kafka: CompressionType.forId throws IllegalArgumentException, which has no code of its own. */
    return kw_record_batch_compression_id(batch) > KW_COMPRESSION_ZSTD ? KW_ERROR_UNKNOWN_SERVER_ERROR
                                                                       : KW_ERROR_NONE;
}

enum kw_error mb_records_analyze(const struct mb_settings *settings, const uint8_t *records,
                                 size_t length_bytes, struct mb_records_analysis *out)
{
    *out = (struct mb_records_analysis){0};
    if (records == NULL) {
        return KW_ERROR_UNKNOWN_SERVER_ERROR; /* a NullPointerException */
    }
    struct kw_record_batch_cursor cursor;
    kw_record_batch_cursor_init(&cursor, records, length_bytes);
    const uint8_t *batch = NULL;
    uint32_t batch_bytes = 0;
    while (kw_record_batch_next(&cursor, &batch, &batch_bytes)) {
        enum kw_error error = analyze_batch(settings, batch, batch_bytes);
        if (error != KW_ERROR_NONE) {
            return error;
        }
        if (out->batch_count++ == 0) {
            out->batch = batch;
            out->batch_bytes = batch_bytes;
        }
    }
    /* Old formats (Produce v0 to v2) would have to be converted; this cluster keeps the current one only. */
    return cursor.error;
}
