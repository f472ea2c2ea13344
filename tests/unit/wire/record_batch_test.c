#include "wire/record_batch.h"

#include "base/prng.h"
#include "unit.h"
#include "wire/cursor.h"
#include "wire/record_batch_builder.h"
#include "wire/record_batch_reader.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_BYTES = 1024, NOW_MS = 1000 };

static struct kw_bytes text(const char *characters)
{
    return (struct kw_bytes){.bytes = (const uint8_t *)characters,
                             .length_bytes = (int32_t)strlen(characters)};
}

static struct kw_record_fields key_value(const char *key, const char *value)
{
    return (struct kw_record_fields){.key = text(key), .value = text(value)};
}

static const struct kw_record_header two_headers[] = {
    {.key = {.bytes = (const uint8_t *)"h1", .length_bytes = 2},
     .value = {.bytes = (const uint8_t *)"x", .length_bytes = 1}},
    {.key = {.bytes = (const uint8_t *)"", .length_bytes = 0}},
};

/* Three records: a plain one, one of nulls, one with headers. Returns the size. */
static uint32_t build(uint8_t *memory, const struct kw_record_batch_options *options)
{
    struct kw_record_batch_builder builder;
    struct kw_record_fields plain = key_value("key", "value");
    struct kw_record_fields nulls = {0};
    struct kw_record_fields headed = key_value("", "");
    headed.headers = two_headers;
    headed.header_count = 2;
    kw_record_batch_builder_init(&builder, memory, CAPACITY_BYTES, options);
    (void)kw_record_batch_builder_append(&builder, NOW_MS, &plain);
    (void)kw_record_batch_builder_append(&builder, NOW_MS + 500, &nulls);
    (void)kw_record_batch_builder_append(&builder, NOW_MS - 1, &headed);
    kw_record_batch_builder_close(&builder);
    return kw_record_batch_builder_estimated_size_bytes(&builder);
}

static struct kw_record_batch_options idempotent(void)
{
    struct kw_record_batch_options options = kw_record_batch_options_default();
    options.base_offset = 40;
    options.producer_id = 9;
    options.producer_epoch = 3;
    options.base_sequence = INT32_MAX - 1;
    options.is_transactional = true;
    return options;
}

static void writes_the_header(void)
{
    uint8_t batch[CAPACITY_BYTES];
    struct kw_record_batch_options options = idempotent();
    uint32_t size_bytes = build(batch, &options);
    CU_ASSERT_EQUAL(kw_record_batch_validate(batch, size_bytes), KW_ERROR_NONE);
    CU_ASSERT_EQUAL(kw_record_batch_size_bytes(batch), size_bytes);
    CU_ASSERT_EQUAL(kw_record_batch_base_offset(batch), 40);
    CU_ASSERT_EQUAL(kw_record_batch_last_offset(batch), 42);
    CU_ASSERT_EQUAL(kw_record_batch_last_offset_delta(batch), 2);
    CU_ASSERT_EQUAL(kw_record_batch_partition_leader_epoch(batch), -1);
    CU_ASSERT_EQUAL(kw_record_batch_magic(batch), 2);
    CU_ASSERT_EQUAL(kw_record_batch_attributes(batch), 0x10);
    CU_ASSERT_EQUAL(kw_record_batch_base_timestamp_ms(batch), NOW_MS);
    CU_ASSERT_EQUAL(kw_record_batch_max_timestamp_ms(batch), NOW_MS + 500);
    CU_ASSERT_EQUAL(kw_record_batch_producer_id(batch), 9);
    CU_ASSERT_EQUAL(kw_record_batch_producer_epoch(batch), 3);
    CU_ASSERT_EQUAL(kw_record_batch_base_sequence(batch), INT32_MAX - 1);
    CU_ASSERT_EQUAL(kw_record_batch_last_sequence(batch), 0);
    CU_ASSERT_EQUAL(kw_record_batch_record_count(batch), 3);
    CU_ASSERT_EQUAL(kw_record_batch_compression_id(batch), KW_COMPRESSION_NONE);
    CU_ASSERT_EQUAL(kw_record_batch_timestamp_type(batch), KW_TIMESTAMP_CREATE_TIME);
    CU_ASSERT_TRUE(kw_record_batch_is_transactional(batch));
    CU_ASSERT_FALSE(kw_record_batch_is_control(batch));
}

static void reads_back_what_was_written(void)
{
    uint8_t batch[CAPACITY_BYTES];
    struct kw_record_batch_options options = idempotent();
    uint32_t size_bytes = build(batch, &options);
    struct kw_record_reader reader;
    struct kw_record record;
    struct kw_record_header header;
    kw_record_reader_init(&reader, batch, batch + KW_RECORD_BATCH_RECORDS,
                          size_bytes - KW_RECORD_BATCH_RECORDS);

    CU_ASSERT_TRUE_FATAL(kw_record_reader_next(&reader, &record));
    CU_ASSERT_EQUAL(record.offset, 40);
    CU_ASSERT_EQUAL(record.timestamp_ms, NOW_MS);
    CU_ASSERT_EQUAL(record.sequence, INT32_MAX - 1);
    CU_ASSERT_EQUAL(record.key.length_bytes, 3);
    CU_ASSERT_EQUAL(memcmp(record.key.bytes, "key", 3), 0);
    CU_ASSERT_EQUAL(record.value.length_bytes, 5);
    CU_ASSERT_EQUAL(memcmp(record.value.bytes, "value", 5), 0);
    CU_ASSERT_EQUAL(record.size_bytes, 15);
    CU_ASSERT_FALSE(kw_record_header_next(&record.headers, &header));

    CU_ASSERT_TRUE_FATAL(kw_record_reader_next(&reader, &record));
    CU_ASSERT_EQUAL(record.timestamp_ms, NOW_MS + 500);
    CU_ASSERT_EQUAL(record.sequence, INT32_MAX);
    CU_ASSERT_PTR_NULL(record.key.bytes);
    CU_ASSERT_PTR_NULL(record.value.bytes);

    CU_ASSERT_TRUE_FATAL(kw_record_reader_next(&reader, &record));
    CU_ASSERT_EQUAL(record.offset, 42);
    CU_ASSERT_EQUAL(record.timestamp_ms, NOW_MS - 1);
    CU_ASSERT_EQUAL(record.sequence, 0);
    CU_ASSERT_PTR_NOT_NULL(record.key.bytes);
    CU_ASSERT_EQUAL(record.key.length_bytes, 0);
    CU_ASSERT_EQUAL(record.header_count, 2);
    CU_ASSERT_TRUE_FATAL(kw_record_header_next(&record.headers, &header));
    CU_ASSERT_EQUAL(memcmp(header.key.bytes, "h1", 2), 0);
    CU_ASSERT_EQUAL(memcmp(header.value.bytes, "x", 1), 0);
    CU_ASSERT_TRUE_FATAL(kw_record_header_next(&record.headers, &header));
    CU_ASSERT_PTR_NOT_NULL(header.key.bytes);
    CU_ASSERT_PTR_NULL(header.value.bytes);
    CU_ASSERT_FALSE(kw_record_header_next(&record.headers, &header));

    CU_ASSERT_FALSE(kw_record_reader_next(&reader, &record));
    CU_ASSERT_EQUAL(reader.error, KW_ERROR_NONE);
}

/* Kafka: MemoryRecordsBuilder.hasRoomFor and isFull at their very edges. */
static void has_room_to_the_last_byte(void)
{
    uint8_t memory[CAPACITY_BYTES];
    struct kw_record_batch_builder builder;
    struct kw_record_batch_options options = kw_record_batch_options_default();
    struct kw_record_fields fields = key_value("k", "v");
    uint32_t first_bytes = (uint32_t)kw_record_size_bytes(0, 0, &fields);
    uint32_t second_bytes = (uint32_t)kw_record_size_bytes(1, 70, &fields);
    CU_ASSERT_EQUAL(first_bytes, 9);
    CU_ASSERT_EQUAL(second_bytes, 10);
    uint32_t exact_bytes = KW_RECORD_BATCH_OVERHEAD_BYTES + first_bytes + second_bytes;

    kw_record_batch_builder_init(&builder, memory, exact_bytes, &options);
    CU_ASSERT_EQUAL(kw_record_batch_builder_estimated_size_bytes(&builder), KW_RECORD_BATCH_OVERHEAD_BYTES);
    CU_ASSERT_EQUAL(kw_record_batch_builder_append(&builder, NOW_MS, &fields), first_bytes);
    CU_ASSERT_FALSE(kw_record_batch_builder_is_full(&builder));
    CU_ASSERT_TRUE(kw_record_batch_builder_has_room_for(&builder, NOW_MS + 70, &fields));
    CU_ASSERT_EQUAL(kw_record_batch_builder_try_append(&builder, NOW_MS + 70, &fields), second_bytes);
    CU_ASSERT_TRUE(kw_record_batch_builder_is_full(&builder));
    CU_ASSERT_EQUAL(kw_record_batch_builder_try_append(&builder, NOW_MS, &fields), 0);

    kw_record_batch_builder_init(&builder, memory, exact_bytes - 1, &options);
    (void)kw_record_batch_builder_append(&builder, NOW_MS, &fields);
    CU_ASSERT_FALSE(kw_record_batch_builder_has_room_for(&builder, NOW_MS + 70, &fields));
    CU_ASSERT_TRUE(kw_record_batch_builder_has_room_for(&builder, NOW_MS + 7, &fields));
    CU_ASSERT_EQUAL(kw_record_batch_builder_try_append(&builder, NOW_MS + 70, &fields), 0);
    CU_ASSERT_FALSE(kw_record_batch_builder_is_full(&builder));
    CU_ASSERT_EQUAL(kw_record_batch_builder_record_count(&builder), 1);
}

/* A batch that is as large as its first record is open for it, and full with it: batching is off. */
static void always_takes_the_first_record(void)
{
    uint8_t memory[CAPACITY_BYTES];
    struct kw_record_batch_builder builder;
    struct kw_record_batch_options options = kw_record_batch_options_default();
    struct kw_record_fields fields = key_value("k", "v");
    uint32_t exact_bytes = KW_RECORD_BATCH_OVERHEAD_BYTES + (uint32_t)kw_record_size_bytes(0, 0, &fields);
    kw_record_batch_builder_init(&builder, memory, KW_RECORD_BATCH_OVERHEAD_BYTES, &options);
    CU_ASSERT_FALSE(kw_record_batch_builder_is_full(&builder));
    kw_record_batch_builder_init(&builder, memory, exact_bytes, &options);
    CU_ASSERT_FALSE(kw_record_batch_builder_is_full(&builder));
    CU_ASSERT_TRUE(kw_record_batch_builder_has_room_for(&builder, NOW_MS, &fields));
    (void)kw_record_batch_builder_append(&builder, NOW_MS, &fields);
    CU_ASSERT_TRUE(kw_record_batch_builder_is_full(&builder));
}

static void closes_in_two_steps(void)
{
    uint8_t memory[CAPACITY_BYTES];
    struct kw_record_batch_builder builder;
    struct kw_record_batch_options options = kw_record_batch_options_default();
    struct kw_record_fields fields = key_value("k", "v");
    kw_record_batch_builder_init(&builder, memory, CAPACITY_BYTES, &options);
    (void)kw_record_batch_builder_append(&builder, NOW_MS, &fields);
    kw_record_batch_builder_close_for_appends(&builder);
    CU_ASSERT_TRUE(kw_record_batch_builder_is_full(&builder));
    CU_ASSERT_FALSE(kw_record_batch_builder_is_closed(&builder));
    CU_ASSERT_FALSE(kw_record_batch_builder_has_room_for(&builder, NOW_MS, &fields));
    CU_ASSERT_EQUAL(kw_record_batch_builder_try_append(&builder, NOW_MS, &fields), 0);
    kw_record_batch_builder_set_producer_state(&builder, 5, 1, 7, false);
    kw_record_batch_builder_close(&builder);
    kw_record_batch_builder_close(&builder);
    CU_ASSERT_TRUE(kw_record_batch_builder_is_closed(&builder));
    CU_ASSERT_EQUAL(kw_record_batch_base_sequence(memory), 7);

    kw_record_batch_builder_reopen_and_rewrite_producer_state(&builder, 6, 2, 0, true);
    CU_ASSERT_FALSE(kw_record_batch_builder_is_closed(&builder));
    CU_ASSERT_TRUE(kw_record_batch_builder_is_full(&builder));
    kw_record_batch_builder_close(&builder);
    uint32_t size_bytes = kw_record_batch_builder_estimated_size_bytes(&builder);
    CU_ASSERT_EQUAL(kw_record_batch_validate(memory, size_bytes), KW_ERROR_NONE);
    CU_ASSERT_EQUAL(kw_record_batch_producer_id(memory), 6);
    CU_ASSERT_EQUAL(kw_record_batch_producer_epoch(memory), 2);
    CU_ASSERT_EQUAL(kw_record_batch_base_sequence(memory), 0);
    CU_ASSERT_TRUE(kw_record_batch_is_transactional(memory));
}

static void ends_empty_or_aborted(void)
{
    uint8_t memory[CAPACITY_BYTES];
    struct kw_record_batch_builder builder;
    struct kw_record_batch_options options = kw_record_batch_options_default();
    struct kw_record_fields fields = key_value("k", "v");
    kw_record_batch_builder_init(&builder, memory, CAPACITY_BYTES, &options);
    kw_record_batch_builder_close(&builder);
    CU_ASSERT_EQUAL(kw_record_batch_builder_estimated_size_bytes(&builder), 0);
    kw_record_batch_builder_init(&builder, memory, CAPACITY_BYTES, &options);
    kw_record_batch_builder_abort(&builder);
    CU_ASSERT_TRUE(kw_record_batch_builder_is_full(&builder));
    CU_ASSERT_FALSE(kw_record_batch_builder_is_closed(&builder));
    CU_ASSERT_EQUAL(kw_record_batch_builder_try_append(&builder, NOW_MS, &fields), 0);
}

static void keeps_timestamps(void)
{
    uint8_t memory[CAPACITY_BYTES];
    struct kw_record_batch_builder builder;
    struct kw_record_batch_options options = kw_record_batch_options_default();
    struct kw_record_fields fields = key_value("k", "v");
    kw_record_batch_builder_init(&builder, memory, CAPACITY_BYTES, &options);
    (void)kw_record_batch_builder_append(&builder, KW_NO_TIMESTAMP, &fields);
    kw_record_batch_builder_close(&builder);
    CU_ASSERT_EQUAL(kw_record_batch_base_timestamp_ms(memory), -1);
    CU_ASSERT_EQUAL(kw_record_batch_max_timestamp_ms(memory), -1);
    /* The extremes of what is allowed: the delta takes ten bytes and comes back. */
    struct kw_record_reader reader;
    struct kw_record record;
    kw_record_batch_builder_init(&builder, memory, CAPACITY_BYTES, &options);
    (void)kw_record_batch_builder_append(&builder, INT64_MAX, &fields);
    (void)kw_record_batch_builder_append(&builder, KW_NO_TIMESTAMP, &fields);
    kw_record_batch_builder_close(&builder);
    kw_record_reader_init(&reader, memory, memory + KW_RECORD_BATCH_RECORDS,
                          builder.written_bytes - KW_RECORD_BATCH_RECORDS);
    CU_ASSERT_TRUE(kw_record_reader_next(&reader, &record) && record.timestamp_ms == INT64_MAX);
    CU_ASSERT_TRUE(kw_record_reader_next(&reader, &record) && record.timestamp_ms == -1);
    CU_ASSERT_EQUAL(kw_record_batch_max_timestamp_ms(memory), INT64_MAX);
}

static void rewrites_what_is_the_brokers(void)
{
    uint8_t batch[CAPACITY_BYTES];
    struct kw_record_batch_options options = idempotent();
    uint32_t size_bytes = build(batch, &options);
    uint32_t crc = kw_record_batch_crc(batch);
    kw_record_batch_set_base_offset(batch, INT64_MAX - 2);
    kw_record_batch_set_partition_leader_epoch(batch, 77);
    kw_record_batch_set_max_timestamp(batch, KW_TIMESTAMP_CREATE_TIME, NOW_MS + 500);
    CU_ASSERT_EQUAL(kw_record_batch_crc(batch), crc);
    CU_ASSERT_EQUAL(kw_record_batch_validate(batch, size_bytes), KW_ERROR_NONE);
    CU_ASSERT_EQUAL(kw_record_batch_last_offset(batch), INT64_MAX);
    CU_ASSERT_EQUAL(kw_record_batch_partition_leader_epoch(batch), 77);

    kw_record_batch_set_max_timestamp(batch, KW_TIMESTAMP_LOG_APPEND_TIME, 123456);
    CU_ASSERT_NOT_EQUAL(kw_record_batch_crc(batch), crc);
    CU_ASSERT_EQUAL(kw_record_batch_validate(batch, size_bytes), KW_ERROR_NONE);
    CU_ASSERT_EQUAL(kw_record_batch_attributes(batch), 0x18);
    struct kw_record_reader reader;
    struct kw_record record;
    kw_record_reader_init(&reader, batch, batch + KW_RECORD_BATCH_RECORDS,
                          size_bytes - KW_RECORD_BATCH_RECORDS);
    while (kw_record_reader_next(&reader, &record)) {
        CU_ASSERT_EQUAL(record.timestamp_ms, 123456);
    }
    kw_record_batch_set_max_timestamp(batch, KW_TIMESTAMP_LOG_APPEND_TIME, 123457);
    CU_ASSERT_EQUAL(kw_record_batch_max_timestamp_ms(batch), 123457);
    CU_ASSERT_EQUAL(kw_record_batch_validate(batch, size_bytes), KW_ERROR_NONE);
    kw_record_batch_set_max_timestamp(batch, KW_TIMESTAMP_CREATE_TIME, NOW_MS + 500);
    CU_ASSERT_EQUAL(kw_record_batch_crc(batch), crc);
}

static void writes_log_append_time_and_control(void)
{
    uint8_t batch[CAPACITY_BYTES];
    struct kw_record_batch_options options = idempotent();
    options.timestamp_type = KW_TIMESTAMP_LOG_APPEND_TIME;
    options.log_append_time_ms = 99;
    options.is_control = true;
    options.base_sequence = KW_NO_SEQUENCE;
    uint32_t size_bytes = build(batch, &options);
    CU_ASSERT_EQUAL(kw_record_batch_validate(batch, size_bytes), KW_ERROR_NONE);
    CU_ASSERT_EQUAL(kw_record_batch_attributes(batch), 0x38);
    CU_ASSERT_EQUAL(kw_record_batch_max_timestamp_ms(batch), 99);
    CU_ASSERT_EQUAL(kw_record_batch_base_timestamp_ms(batch), NOW_MS);
    CU_ASSERT_EQUAL(kw_record_batch_last_sequence(batch), KW_NO_SEQUENCE);
    CU_ASSERT_TRUE(kw_record_batch_is_control(batch));
}

static void wraps_sequences(void)
{
    CU_ASSERT_EQUAL(kw_increment_sequence(0, 5), 5);
    CU_ASSERT_EQUAL(kw_increment_sequence(INT32_MAX, 1), 0);
    CU_ASSERT_EQUAL(kw_increment_sequence(INT32_MAX - 2, 5), 2);
    CU_ASSERT_EQUAL(kw_increment_sequence(INT32_MAX, INT32_MAX), INT32_MAX - 1);
    CU_ASSERT_EQUAL(kw_decrement_sequence(5, 5), 0);
    CU_ASSERT_EQUAL(kw_decrement_sequence(0, 1), INT32_MAX);
    CU_ASSERT_EQUAL(kw_decrement_sequence(2, 5), INT32_MAX - 2);
}

/* Two batches, then a part of one: a fetch response may end so. */
static void walks_over_batches(void)
{
    uint8_t bytes[3 * CAPACITY_BYTES];
    struct kw_record_batch_options options = idempotent();
    uint32_t size_bytes = build(bytes, &options);
    memcpy(bytes + size_bytes, bytes, size_bytes);
    memcpy(bytes + 2 * size_bytes, bytes, size_bytes);
    for (uint32_t part_bytes = 0; part_bytes <= size_bytes; part_bytes++) {
        struct kw_record_batch_cursor cursor;
        const uint8_t *batch = NULL;
        uint32_t found_bytes = 0;
        kw_record_batch_cursor_init(&cursor, bytes, 2 * size_bytes + part_bytes);
        CU_ASSERT_TRUE(kw_record_batch_next(&cursor, &batch, &found_bytes));
        CU_ASSERT_PTR_EQUAL(batch, bytes);
        CU_ASSERT_EQUAL(found_bytes, size_bytes);
        CU_ASSERT_TRUE(kw_record_batch_next(&cursor, &batch, &found_bytes));
        CU_ASSERT_PTR_EQUAL(batch, bytes + size_bytes);
        CU_ASSERT_EQUAL(kw_record_batch_next(&cursor, &batch, &found_bytes), part_bytes == size_bytes);
        CU_ASSERT_EQUAL(cursor.position_bytes, (part_bytes == size_bytes ? 3 : 2) * size_bytes);
        CU_ASSERT_EQUAL(cursor.error, KW_ERROR_NONE);
    }
}

static enum kw_error error_of_first(const uint8_t *bytes, size_t length_bytes)
{
    struct kw_record_batch_cursor cursor;
    const uint8_t *batch = NULL;
    uint32_t size_bytes = 0;
    kw_record_batch_cursor_init(&cursor, bytes, length_bytes);
    CU_ASSERT_FALSE(kw_record_batch_next(&cursor, &batch, &size_bytes));
    CU_ASSERT_FALSE(kw_record_batch_next(&cursor, &batch, &size_bytes));
    return cursor.error;
}

static void refuses_what_is_no_batch(void)
{
    uint8_t batch[CAPACITY_BYTES];
    struct kw_record_batch_options options = idempotent();
    uint32_t size_bytes = build(batch, &options);
    static const int32_t lengths[] = {INT32_MIN, -1, 0, 13, 48};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        kw_store_i32(batch + KW_RECORD_BATCH_LENGTH, lengths[i]);
        CU_ASSERT_EQUAL(error_of_first(batch, size_bytes), KW_ERROR_CORRUPT_MESSAGE);
        CU_ASSERT_EQUAL(kw_record_batch_validate(batch, size_bytes), KW_ERROR_CORRUPT_MESSAGE);
        /* A length that nothing can have is told before the rest is there. */
        CU_ASSERT_EQUAL(error_of_first(batch, KW_RECORD_BATCH_LOG_OVERHEAD_BYTES),
                        lengths[i] < 14 ? KW_ERROR_CORRUPT_MESSAGE : KW_ERROR_NONE);
    }
    kw_store_i32(batch + KW_RECORD_BATCH_LENGTH, INT32_MAX);
    CU_ASSERT_EQUAL(error_of_first(batch, size_bytes), KW_ERROR_NONE);
    size_bytes = build(batch, &options);
    batch[KW_RECORD_BATCH_MAGIC] = 1;
    CU_ASSERT_EQUAL(error_of_first(batch, size_bytes), KW_ERROR_UNSUPPORTED_FOR_MESSAGE_FORMAT);
    batch[KW_RECORD_BATCH_MAGIC] = 3;
    CU_ASSERT_EQUAL(error_of_first(batch, size_bytes), KW_ERROR_CORRUPT_MESSAGE);
    batch[KW_RECORD_BATCH_MAGIC] = 0xff;
    CU_ASSERT_EQUAL(error_of_first(batch, size_bytes), KW_ERROR_CORRUPT_MESSAGE);
    CU_ASSERT_EQUAL(kw_record_batch_validate(batch, size_bytes), KW_ERROR_CORRUPT_MESSAGE);
    CU_ASSERT_EQUAL(kw_record_batch_validate(batch, 0), KW_ERROR_CORRUPT_MESSAGE);
}

/* Every bit from the CRC on is guarded. */
static void notices_each_flipped_bit(void)
{
    uint8_t batch[CAPACITY_BYTES];
    struct kw_record_batch_options options = idempotent();
    uint32_t size_bytes = build(batch, &options);
    bool is_noticed = true;
    for (uint32_t bit = 8 * KW_RECORD_BATCH_CRC; bit < 8 * size_bytes; bit++) {
        batch[bit / 8] ^= (uint8_t)(1u << bit % 8);
        is_noticed = is_noticed && kw_record_batch_validate(batch, size_bytes) == KW_ERROR_CORRUPT_MESSAGE;
        batch[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CU_ASSERT_TRUE(is_noticed);
    CU_ASSERT_EQUAL(kw_record_batch_validate(batch, size_bytes), KW_ERROR_NONE);
}

/* Read to the end; how many records came, and with which error. */
static int read_all(const uint8_t *batch, const uint8_t *records, size_t length_bytes, enum kw_error *error)
{
    struct kw_record_reader reader;
    struct kw_record record;
    int count = 0;
    kw_record_reader_init(&reader, batch, records, length_bytes);
    while (kw_record_reader_next(&reader, &record)) {
        struct kw_record_header header;
        int header_count = 0;
        while (kw_record_header_next(&record.headers, &header)) {
            header_count++;
        }
        CU_ASSERT_EQUAL(header_count, record.header_count);
        count++;
    }
    *error = reader.error;
    return count;
}

static void believes_no_count(void)
{
    uint8_t batch[CAPACITY_BYTES];
    struct kw_record_batch_options options = idempotent();
    uint32_t size_bytes = build(batch, &options);
    static const int32_t counts[] = {INT32_MIN, -1, 0, 1, 2, 3, 4, INT32_MAX};
    static const int expected[] = {0, 0, 0, 0, 1, 3, 3, 3};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        enum kw_error error = KW_ERROR_NONE;
        kw_store_i32(batch + KW_RECORD_BATCH_RECORD_COUNT, counts[i]);
        int count =
            read_all(batch, batch + KW_RECORD_BATCH_RECORDS, size_bytes - KW_RECORD_BATCH_RECORDS, &error);
        CU_ASSERT_EQUAL(count, expected[i]);
        CU_ASSERT_EQUAL(error, counts[i] == 3 ? KW_ERROR_NONE : KW_ERROR_INVALID_RECORD);
    }
}

/* One record as bytes that a liar wrote, read from memory that ends where it ends. */
static enum kw_error error_of_record(const void *bytes, size_t length_bytes)
{
    uint8_t batch[CAPACITY_BYTES];
    struct kw_record_batch_options options = idempotent();
    enum kw_error error = KW_ERROR_NONE;
    (void)build(batch, &options);
    kw_store_i32(batch + KW_RECORD_BATCH_RECORD_COUNT, 1);
    uint8_t *copy = malloc(length_bytes);
    memcpy(copy, bytes, length_bytes);
    (void)read_all(batch, copy, length_bytes, &error);
    free(copy);
    return error;
}

#define ERROR_OF(literal) error_of_record(literal, sizeof(literal) - 1)

/* A record: length, attributes, timestamp delta, offset delta, key, value, headers. */
static void believes_no_length(void)
{
    CU_ASSERT_EQUAL(ERROR_OF("\x0c\x00\x00\x00\x01\x01\x00"), KW_ERROR_NONE);
    CU_ASSERT_EQUAL(ERROR_OF("\x0c\x00\x00\x00\x03\x03\x00"), KW_ERROR_NONE); /* -2 is null too, as in Java */
    CU_ASSERT_EQUAL(ERROR_OF("\x0e\x00\x00\x00\x01\x01\x00"), KW_ERROR_INVALID_RECORD);
    CU_ASSERT_EQUAL(ERROR_OF("\x0a\x00\x00\x00\x01\x01\x00"), KW_ERROR_INVALID_RECORD);
    CU_ASSERT_EQUAL(ERROR_OF("\x0e\x00\x00\x00\x01\x01\x00\x00"), KW_ERROR_INVALID_RECORD);
    CU_ASSERT_EQUAL(ERROR_OF("\x00"), KW_ERROR_INVALID_RECORD);
    CU_ASSERT_EQUAL(ERROR_OF("\x01"), KW_ERROR_INVALID_RECORD);
    CU_ASSERT_EQUAL(ERROR_OF("\xfe\xff\xff\xff\x0f\x00\x00\x00\x01\x01\x00"), KW_ERROR_INVALID_RECORD);
    CU_ASSERT_EQUAL(ERROR_OF("\x0c\x00\x00\x00\x06\x01\x00"), KW_ERROR_INVALID_RECORD);
    CU_ASSERT_EQUAL(ERROR_OF("\x0c\x00\x00\x00\x01\x04\x00"), KW_ERROR_INVALID_RECORD);
    CU_ASSERT_EQUAL(ERROR_OF("\x0c\x00\x00\x00\x01\x01\x01"), KW_ERROR_INVALID_RECORD); /* header count -1 */
    CU_ASSERT_EQUAL(ERROR_OF("\x0c\x00\x00\x00\x01\x01\x02"),
                    KW_ERROR_INVALID_RECORD); /* a header is missing */
    CU_ASSERT_EQUAL(ERROR_OF("\x10\x00\x00\x00\x01\x01\x02\x01\x01"),
                    KW_ERROR_INVALID_RECORD); /* null header key */
    CU_ASSERT_EQUAL(ERROR_OF("\x10\x00\x00\x00\x01\x01\x02\x00\x01"), KW_ERROR_NONE);
    CU_ASSERT_EQUAL(ERROR_OF("\x14\x00\x00\x00\x01\x01\xfe\xff\xff\xff\x0f"), KW_ERROR_INVALID_RECORD);
}

/* Random bytes, and a good batch with some bytes changed: whatever comes out, nothing is read beyond the end
   (the memory is exactly as long, for the sanitizer to see). */
static void survives_random_bytes(void)
{
    struct kw_record_batch_options options = idempotent();
    struct kb_prng prng;
    kb_prng_init(&prng, 11, 0);
    for (int round = 0; round < 20000; round++) {
        uint8_t good[CAPACITY_BYTES];
        uint32_t size_bytes = build(good, &options);
        size_t length_bytes = size_bytes - (size_t)kb_prng_below(&prng, 4) * kb_prng_below(&prng, 10);
        uint8_t *bytes = malloc(length_bytes);
        memcpy(bytes, good, length_bytes);
        for (uint64_t changes = kb_prng_below(&prng, 4); changes > 0; changes--) {
            bytes[kb_prng_below(&prng, length_bytes)] = (uint8_t)kb_prng_next(&prng);
        }
        struct kw_record_batch_cursor cursor;
        const uint8_t *batch = NULL;
        kw_record_batch_cursor_init(&cursor, bytes, length_bytes);
        while (kw_record_batch_next(&cursor, &batch, &size_bytes)) {
            enum kw_error error = kw_record_batch_validate(batch, size_bytes);
            CU_ASSERT_TRUE(error == KW_ERROR_NONE || error == KW_ERROR_CORRUPT_MESSAGE);
            (void)kw_record_batch_last_offset(batch);
            (void)kw_record_batch_last_sequence(batch);
            (void)read_all(batch, batch + KW_RECORD_BATCH_RECORDS, size_bytes - KW_RECORD_BATCH_RECORDS,
                           &error);
        }
        free(bytes);
    }
}

/* Sizes told, sizes written and bounds, for random records. */
static void sizes_are_exact(void)
{
    static uint8_t memory[100000];
    static const uint8_t data[20000];
    struct kw_record_batch_options options = kw_record_batch_options_default();
    struct kb_prng prng;
    bool is_exact = true;
    kb_prng_init(&prng, 12, 0);
    for (int round = 0; round < 200; round++) {
        struct kw_record_batch_builder builder;
        kw_record_batch_builder_init(&builder, memory, sizeof memory, &options);
        for (int i = 0; i < 100; i++) {
            struct kw_record_header header = {
                .key = {.bytes = data, .length_bytes = (int32_t)kb_prng_below(&prng, 70)}};
            struct kw_record_fields fields = {
                .key = {.bytes = kb_prng_chance(&prng, 1, 2) ? data : NULL, .length_bytes = 0},
                .value = {.bytes = data,
                          .length_bytes = (int32_t)kb_prng_below(&prng, i % 10 == 0 ? 20000 : 200)},
                .headers = &header,
                .header_count = (int32_t)kb_prng_below(&prng, 2),
            };
            int64_t timestamp_ms = kb_prng_between(&prng, 0, (int64_t)1 << kb_prng_below(&prng, 62));
            int64_t delta_ms = i == 0 ? 0 : timestamp_ms - builder.base_timestamp_ms;
            int64_t expected_bytes = kw_record_size_bytes(builder.record_count, delta_ms, &fields);
            bool has_room = kw_record_batch_builder_has_room_for(&builder, timestamp_ms, &fields);
            uint32_t before_bytes = builder.written_bytes;
            uint32_t added_bytes = kw_record_batch_builder_try_append(&builder, timestamp_ms, &fields);
            is_exact = is_exact && has_room == (before_bytes + expected_bytes <= (int64_t)sizeof memory) &&
                       added_bytes == (has_room ? expected_bytes : 0) &&
                       builder.written_bytes == before_bytes + added_bytes &&
                       expected_bytes <= kw_record_size_upper_bound_bytes(&fields) &&
                       kw_record_batch_size_upper_bound_bytes(&fields) ==
                           61 + kw_record_size_upper_bound_bytes(&fields);
            if (!has_room) {
                break;
            }
        }
        enum kw_error error = KW_ERROR_NONE;
        kw_record_batch_builder_close(&builder);
        is_exact =
            is_exact && kw_record_batch_validate(memory, builder.written_bytes) == KW_ERROR_NONE &&
            read_all(memory, memory + KW_RECORD_BATCH_RECORDS,
                     builder.written_bytes - KW_RECORD_BATCH_RECORDS, &error) == builder.record_count &&
            error == KW_ERROR_NONE;
    }
    CU_ASSERT_TRUE(is_exact);
}

int main(void)
{
    return unit_main(
        "record_batch",
        (struct unit_test[]){{"writes_the_header", writes_the_header},
                             {"reads_back_what_was_written", reads_back_what_was_written},
                             {"has_room_to_the_last_byte", has_room_to_the_last_byte},
                             {"always_takes_the_first_record", always_takes_the_first_record},
                             {"closes_in_two_steps", closes_in_two_steps},
                             {"ends_empty_or_aborted", ends_empty_or_aborted},
                             {"keeps_timestamps", keeps_timestamps},
                             {"rewrites_what_is_the_brokers", rewrites_what_is_the_brokers},
                             {"writes_log_append_time_and_control", writes_log_append_time_and_control},
                             {"wraps_sequences", wraps_sequences},
                             {"walks_over_batches", walks_over_batches},
                             {"refuses_what_is_no_batch", refuses_what_is_no_batch},
                             {"notices_each_flipped_bit", notices_each_flipped_bit},
                             {"believes_no_count", believes_no_count},
                             {"believes_no_length", believes_no_length},
                             {"survives_random_bytes", survives_random_bytes},
                             {"sizes_are_exact", sizes_are_exact},
                             {0}});
}
