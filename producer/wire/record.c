#include "wire/record.h"

#include "base/assert.h"
#include "wire/cursor.h"
#include "wire/record_batch.h"
#include "wire/record_size.h"
#include "wire/varint.h"

int64_t kw_record_body_size_bytes(int32_t offset_delta, int64_t timestamp_delta_ms,
                                  const struct kw_record_fields *fields)
{
    return kw_record_measure_body_bytes(offset_delta, timestamp_delta_ms, fields);
}

int64_t kw_record_size_bytes(int32_t offset_delta, int64_t timestamp_delta_ms,
                             const struct kw_record_fields *fields)
{
    int64_t body_size_bytes = kw_record_body_size_bytes(offset_delta, timestamp_delta_ms, fields);
    return body_size_bytes + kw_base128_size_bytes(kw_zigzag64(body_size_bytes));
}

int64_t kw_record_size_upper_bound_bytes(const struct kw_record_fields *fields)
{
    return KW_RECORD_MAX_OVERHEAD_BYTES + kw_record_fields_size_bytes(fields);
}

int64_t kw_record_batch_size_upper_bound_bytes(const struct kw_record_fields *fields)
{
    return KW_RECORD_BATCH_OVERHEAD_BYTES + kw_record_size_upper_bound_bytes(fields);
}

/* A nullable range with its varint length in front; any negative length is null, as in Java. */
static struct kw_bytes read_bytes_field(struct kw_reader *cursor)
{
    struct kw_bytes field = {0};
    int32_t length_bytes = kw_read_varint(cursor);
    if (length_bytes >= 0 && kw_reader_is_ok(cursor)) {
        field.bytes = kw_read_bytes(cursor, (size_t)length_bytes);
        field.length_bytes = field.bytes != NULL ? length_bytes : 0;
    }
    return field;
}

static void read_header(struct kw_reader *cursor, struct kw_record_header *header)
{
    header->key = read_bytes_field(cursor);
    if (header->key.bytes == NULL) {
        kw_reader_fail(cursor);
    }
    header->value = read_bytes_field(cursor);
}

void kw_record_read_fields(struct kw_reader *cursor, struct kw_record *record)
{
    record->key = read_bytes_field(cursor);
    record->value = read_bytes_field(cursor);
    record->header_count = kw_read_varint(cursor);
    if (record->header_count < 0) {
        kw_reader_fail(cursor);
    }
    size_t begin_bytes = cursor->position_bytes;
    /* A hostile count ends with the bytes: each header takes two at least, and a failed cursor stops the
     * loop. */
    for (int32_t i = 0; i < record->header_count && kw_reader_is_ok(cursor); i++) {
        struct kw_record_header header;
        read_header(cursor, &header);
    }
    if (kw_reader_is_ok(cursor)) {
        record->headers = (struct kw_bytes){.bytes = cursor->bytes + begin_bytes,
                                            .length_bytes = (int32_t)(cursor->position_bytes - begin_bytes)};
    }
}

bool kw_record_header_next(struct kw_bytes *headers, struct kw_record_header *header)
{
    if (headers->bytes == NULL || headers->length_bytes == 0) {
        return false;
    }
    struct kw_reader cursor;
    kw_reader_init(&cursor, headers->bytes, (size_t)headers->length_bytes);
    read_header(&cursor, header);
    /* The reader of the record has been through these bytes. */
    KB_ASSERT(kw_reader_is_ok(&cursor));
    headers->bytes += cursor.position_bytes;
    headers->length_bytes -= (int32_t)cursor.position_bytes;
    return true;
}
