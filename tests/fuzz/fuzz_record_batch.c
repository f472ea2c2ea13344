/*
 * Any bytes as the records of a fetch response: batch after batch.
 *
 * Whatever the CRC says, the records of each batch are read. Each must lie in the batch, and when all of them
 * are good, they are built anew and must come back the same.
 */
#include "fuzz.h"

#include "wire/record_batch.h"
#include "wire/record_batch_builder.h"
#include "wire/record_batch_reader.h"

#include <stdlib.h>
#include <string.h>

enum { RECORDS_MAX = 512, HEADERS_MAX = 512 };

struct batch {
    const uint8_t *bytes;
    uint32_t size_bytes;
    int32_t record_count;
    struct kw_record records[RECORDS_MAX];
};

static void check_range(const struct batch *batch, struct kw_bytes range)
{
    if (range.bytes != NULL) {
        FUZZ_CHECK(range.length_bytes >= 0);
        FUZZ_CHECK(range.bytes >= batch->bytes + KW_RECORD_BATCH_RECORDS);
        FUZZ_CHECK(range.bytes <= batch->bytes + batch->size_bytes);
        FUZZ_CHECK(range.length_bytes <= batch->bytes + batch->size_bytes - range.bytes);
    }
}

/* Each header in turn, into headers when they fit. */
static void check_headers(const struct batch *batch, const struct kw_record *record,
                          struct kw_record_header headers[HEADERS_MAX])
{
    struct kw_bytes rest = record->headers;
    struct kw_record_header header;
    int32_t count = 0;
    for (; kw_record_header_next(&rest, &header); count++) {
        FUZZ_CHECK(header.key.bytes != NULL);
        check_range(batch, header.key);
        check_range(batch, header.value);
        if (count < HEADERS_MAX) {
            headers[count] = header;
        }
    }
    FUZZ_CHECK(count == record->header_count);
}

static bool is_same(struct kw_bytes left, struct kw_bytes right)
{
    return kw_bytes_encoded_length(left) == kw_bytes_encoded_length(right) &&
           (left.length_bytes == 0 || left.bytes == NULL ||
            memcmp(left.bytes, right.bytes, (size_t)left.length_bytes) == 0);
}

static void check_rebuilt(const struct batch *batch, const uint8_t *rebuilt, uint32_t size_bytes)
{
    static struct kw_record_header left[HEADERS_MAX];
    static struct kw_record_header right[HEADERS_MAX];
    struct batch whole = {.bytes = rebuilt, .size_bytes = size_bytes};
    struct kw_record_reader reader;
    struct kw_record record;
    FUZZ_CHECK(kw_record_batch_validate(rebuilt, size_bytes) == KW_ERROR_NONE);
    kw_record_reader_init(&reader, rebuilt, rebuilt + KW_RECORD_BATCH_RECORDS,
                          size_bytes - KW_RECORD_BATCH_RECORDS);
    for (int32_t i = 0; i < batch->record_count; i++) {
        const struct kw_record *original = &batch->records[i];
        FUZZ_CHECK(kw_record_reader_next(&reader, &record));
        FUZZ_CHECK(record.offset == i && record.timestamp_ms == original->timestamp_ms);
        FUZZ_CHECK(is_same(record.key, original->key) && is_same(record.value, original->value));
        FUZZ_CHECK(record.header_count == original->header_count);
        check_headers(batch, original, left);
        check_headers(&whole, &record, right);
        for (int32_t j = 0; j < record.header_count; j++) {
            FUZZ_CHECK(is_same(left[j].key, right[j].key) && is_same(left[j].value, right[j].value));
        }
    }
    FUZZ_CHECK(!kw_record_reader_next(&reader, &record) && reader.error == KW_ERROR_NONE);
}

/* Only what an application could have sent: no negative time but "none", and not too much. */
static bool can_be_built(const struct batch *batch)
{
    for (int32_t i = 0; i < batch->record_count; i++) {
        int64_t timestamp_ms = batch->records[i].timestamp_ms;
        if (timestamp_ms < KW_NO_TIMESTAMP || batch->records[i].header_count > HEADERS_MAX) {
            return false;
        }
    }
    return batch->record_count > 0;
}

static void rebuild(const struct batch *batch)
{
    static struct kw_record_header headers[HEADERS_MAX];
    struct kw_record_batch_options options = kw_record_batch_options_default();
    struct kw_record_batch_builder builder;
    uint32_t capacity_bytes =
        batch->size_bytes + (uint32_t)batch->record_count * KW_RECORD_MAX_OVERHEAD_BYTES;
    uint8_t *memory = fuzz_allocate(capacity_bytes);
    kw_record_batch_builder_init(&builder, memory, capacity_bytes, &options);
    for (int32_t i = 0; i < batch->record_count; i++) {
        const struct kw_record *record = &batch->records[i];
        struct kw_record_fields fields = {record->key, record->value, headers, record->header_count};
        check_headers(batch, record, headers);
        FUZZ_CHECK(kw_record_size_upper_bound_bytes(&fields) >=
                   kw_record_size_bytes(i, record->timestamp_ms - batch->records[0].timestamp_ms, &fields));
        FUZZ_CHECK(kw_record_batch_builder_append(&builder, record->timestamp_ms, &fields) > 0);
    }
    kw_record_batch_builder_close(&builder);
    check_rebuilt(batch, memory, kw_record_batch_builder_estimated_size_bytes(&builder));
    free(memory);
}

/* Values that nobody has checked must not trouble the accessors. */
static void touch_header(const uint8_t *batch, uint32_t size_bytes)
{
    FUZZ_CHECK(kw_record_batch_size_bytes(batch) == (int64_t)size_bytes);
    FUZZ_CHECK(kw_record_batch_magic(batch) == KW_RECORD_BATCH_MAGIC_V2);
    (void)kw_record_batch_last_offset(batch);
    (void)kw_record_batch_last_sequence(batch);
    (void)kw_record_batch_timestamp_type(batch);
    (void)kw_record_batch_compression_id(batch);
    bool is_right = kw_record_batch_compute_crc(batch, size_bytes) == kw_record_batch_crc(batch);
    FUZZ_CHECK((kw_record_batch_validate(batch, size_bytes) == KW_ERROR_NONE) == is_right);
}

static void check_batch(const uint8_t *bytes, uint32_t size_bytes)
{
    static struct batch batch;
    static struct kw_record_header headers[HEADERS_MAX];
    struct kw_record_reader reader;
    struct kw_record record;
    int32_t count = 0;
    size_t sum_bytes = 0;
    touch_header(bytes, size_bytes);
    batch.bytes = bytes;
    batch.size_bytes = size_bytes;
    kw_record_reader_init(&reader, bytes, bytes + KW_RECORD_BATCH_RECORDS,
                          size_bytes - KW_RECORD_BATCH_RECORDS);
    for (; kw_record_reader_next(&reader, &record); count++) {
        check_range(&batch, record.key);
        check_range(&batch, record.value);
        check_range(&batch, record.headers);
        check_headers(&batch, &record, headers);
        sum_bytes += record.size_bytes;
        if (count < RECORDS_MAX) {
            batch.records[count] = record;
        }
    }
    FUZZ_CHECK(sum_bytes <= size_bytes - KW_RECORD_BATCH_RECORDS);
    FUZZ_CHECK(!kw_record_reader_next(&reader, &record));
    if (reader.error == KW_ERROR_NONE) {
        FUZZ_CHECK(count == kw_record_batch_record_count(bytes));
        FUZZ_CHECK(sum_bytes == size_bytes - KW_RECORD_BATCH_RECORDS);
        batch.record_count = count;
        if (count <= RECORDS_MAX && can_be_built(&batch)) {
            rebuild(&batch);
        }
    }
}

void fuzz_one(const uint8_t *bytes, size_t length_bytes)
{
    uint8_t *copy = fuzz_allocate(length_bytes);
    struct kw_record_batch_cursor cursor;
    const uint8_t *batch = NULL;
    uint32_t size_bytes = 0;
    if (length_bytes > 0) {
        memcpy(copy, bytes, length_bytes);
    }
    kw_record_batch_cursor_init(&cursor, copy, length_bytes);
    while (kw_record_batch_next(&cursor, &batch, &size_bytes)) {
        FUZZ_CHECK(size_bytes >= KW_RECORD_BATCH_OVERHEAD_BYTES);
        FUZZ_CHECK(batch >= copy && size_bytes <= length_bytes - (size_t)(batch - copy));
        check_batch(batch, size_bytes);
    }
    FUZZ_CHECK(cursor.position_bytes <= length_bytes);
    free(copy);
}
