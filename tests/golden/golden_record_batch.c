#include "golden.h"

#include "base/allocator.h"
#include "wire/compression.h"
#include "wire/record_batch.h"
#include "wire/record_batch_builder.h"
#include "wire/record_batch_reader.h"

#include <string.h>

enum { LARGEST_BATCH_BYTES = 16 << 20 };

/* The batch of a row, with what its records decompress to. */
struct batch {
    const uint8_t *bytes;
    size_t size_bytes;
    enum kw_compression compression;
    const uint8_t *records;
    size_t records_bytes;
};

static const char *const timestamp_type_names[] = {"CREATE_TIME", "LOG_APPEND_TIME"};

static struct kw_bytes text_range(struct golden_case *golden, const cJSON *text)
{
    if (!json_is_text(text)) {
        golden_fail(golden, "headers: a text is wanted as key");
        return (struct kw_bytes){.bytes = (const uint8_t *)""};
    }
    return (struct kw_bytes){.bytes = (const uint8_t *)text->valuestring,
                             .length_bytes = (int32_t)strlen(text->valuestring)};
}

static struct kw_bytes hex_range(struct golden_case *golden, const cJSON *object, const char *name)
{
    size_t length_bytes = 0;
    const uint8_t *bytes = golden_bytes(golden, object, name, &length_bytes);
    return (struct kw_bytes){.bytes = bytes, .length_bytes = (int32_t)length_bytes};
}

/* A header is a pair, which the helpers for members do not know: it is made an object first. */
static struct kw_record_header read_header(struct golden_case *golden, const cJSON *pair)
{
    struct kw_record_header header = {.key = {.bytes = (const uint8_t *)""}};
    if (!cJSON_IsArray(pair) || cJSON_GetArraySize(pair) != 2) {
        golden_fail(golden, "headers: pairs are wanted");
        return header;
    }
    cJSON *object = golden_new_object(golden);
    json_add(object, "header value", cJSON_Duplicate(pair->child->next, true));
    header.key = text_range(golden, pair->child);
    header.value = hex_range(golden, object, "header value");
    return header;
}

static struct kw_record_fields read_fields(struct golden_case *golden, const cJSON *record)
{
    struct kw_record_fields fields = {.key = hex_range(golden, record, "key_hex"),
                                      .value = hex_range(golden, record, "value_hex")};
    const cJSON *list = golden_array(golden, record, "headers");
    struct kw_record_header *headers =
        golden_allocate(golden, (size_t)cJSON_GetArraySize(list) * sizeof(struct kw_record_header));
    const cJSON *pair = NULL;
    cJSON_ArrayForEach(pair, list)
    {
        headers[fields.header_count++] = read_header(golden, pair);
    }
    fields.headers = headers;
    return fields;
}

static int find_name(struct golden_case *golden, const char *name, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    golden_fail(golden, "\"%s\" is unknown", name);
    return 0;
}

static struct kw_record_batch_options read_options(struct golden_case *golden, const cJSON *row)
{
    struct kw_record_batch_options options = kw_record_batch_options_default();
    options.timestamp_type = (enum kw_timestamp_type)find_name(
        golden, golden_text(golden, row, "timestamp_type"), timestamp_type_names, 2);
    options.base_offset = golden_integer(golden, row, "base_offset");
    options.producer_id = golden_integer_in(golden, row, "producer_id", -1, INT64_MAX);
    options.producer_epoch = (int16_t)golden_integer_in(golden, row, "producer_epoch", -1, INT16_MAX);
    options.base_sequence = (int32_t)golden_integer_in(golden, row, "base_sequence", -1, INT32_MAX);
    options.is_transactional = golden_bool(golden, row, "transactional");
    /* What the builder asserts. */
    if (options.producer_id < 0 ? options.is_transactional
                                : options.producer_epoch < 0 || options.base_sequence < 0) {
        golden_fail(golden,
                    "producer_id, producer_epoch, base_sequence and transactional contradict each other");
    }
    return options;
}

/* What was built must be the batch; of a compressed one, its records and the header behind length, CRC and
 * attributes. */
static void compare_built(struct golden_case *golden, const struct batch *expected, const uint8_t *built,
                          uint32_t built_bytes)
{
    if (expected->compression == KW_COMPRESSION_NONE) {
        golden_compare_bytes(golden, "batch_hex", expected->bytes, expected->size_bytes, built, built_bytes);
        return;
    }
    golden_compare_bytes(golden, "records in batch_hex", expected->records, expected->records_bytes,
                         built + KW_RECORD_BATCH_RECORDS, built_bytes - KW_RECORD_BATCH_RECORDS);
    golden_compare_bytes(golden, "header in batch_hex", expected->bytes + KW_RECORD_BATCH_LAST_OFFSET_DELTA,
                         KW_RECORD_BATCH_RECORDS - KW_RECORD_BATCH_LAST_OFFSET_DELTA,
                         built + KW_RECORD_BATCH_LAST_OFFSET_DELTA,
                         KW_RECORD_BATCH_RECORDS - KW_RECORD_BATCH_LAST_OFFSET_DELTA);
}

/* From the fields to bytes: with all state given at once, and with the producer's state rewritten after
 * close. */
static void encode(struct golden_case *golden, const cJSON *row, const struct batch *expected)
{
    struct kw_record_batch_options options = read_options(golden, row);
    struct kw_record_batch_options plain = options;
    plain.producer_id = KW_NO_PRODUCER_ID;
    plain.is_transactional = false;
    if (!golden_is_ok(golden)) {
        return;
    }
    size_t size_bytes = KW_RECORD_BATCH_OVERHEAD_BYTES + expected->records_bytes;
    struct kw_record_batch_builder builder;
    struct kw_record_batch_builder rewritten;
    kw_record_batch_builder_init(&builder, golden_allocate(golden, size_bytes), (uint32_t)size_bytes,
                                 &options);
    kw_record_batch_builder_init(&rewritten, golden_allocate(golden, size_bytes), (uint32_t)size_bytes,
                                 &plain);
    const cJSON *record = NULL;
    cJSON_ArrayForEach(record, golden_array(golden, row, "records"))
    {
        struct kw_record_fields fields = read_fields(golden, record);
        int64_t timestamp_ms = golden_integer_in(golden, record, "timestamp", -1, INT64_MAX);
        /* The builder takes the first record unasked; whoever gives it memory makes sure of the room. */
        bool has_room = kw_record_batch_builder_record_count(&builder) > 0
                            ? kw_record_batch_builder_has_room_for(&builder, timestamp_ms, &fields)
                            : kw_record_size_bytes(0, 0, &fields) <= (int64_t)expected->records_bytes;
        if (!golden_is_ok(golden) || !has_room) {
            golden_fail(golden, "batch_hex: the records do not fit into its size");
            return;
        }
        (void)kw_record_batch_builder_append(&builder, timestamp_ms, &fields);
        (void)kw_record_batch_builder_append(&rewritten, timestamp_ms, &fields);
    }
    kw_record_batch_builder_close(&builder);
    kw_record_batch_builder_close(&rewritten);
    kw_record_batch_builder_reopen_and_rewrite_producer_state(&rewritten, options.producer_id,
                                                              options.producer_epoch, options.base_sequence,
                                                              options.is_transactional);
    kw_record_batch_builder_close(&rewritten);
    compare_built(golden, expected, builder.memory, kw_record_batch_builder_estimated_size_bytes(&builder));
    compare_built(golden, expected, rewritten.memory,
                  kw_record_batch_builder_estimated_size_bytes(&rewritten));
}

static void add_text_range(cJSON *parent, struct kw_bytes range)
{
    char text[4096];
    (void)snprintf(text, sizeof text, "%.*s", range.length_bytes, (const char *)range.bytes);
    json_add_text(parent, NULL, text);
}

static cJSON *decode_record(struct golden_case *golden, struct kw_record *record)
{
    cJSON *actual = cJSON_CreateObject();
    cJSON *headers = cJSON_CreateArray();
    struct kw_record_header header;
    json_add_integer(actual, "timestamp", record->timestamp_ms);
    json_add_hex(actual, "key_hex", record->key.bytes, (size_t)record->key.length_bytes);
    json_add_hex(actual, "value_hex", record->value.bytes, (size_t)record->value.length_bytes);
    json_add(actual, "headers", headers);
    while (kw_record_header_next(&record->headers, &header)) {
        cJSON *pair = cJSON_CreateArray();
        add_text_range(pair, header.key);
        json_add_hex(pair, NULL, header.value.bytes, (size_t)header.value.length_bytes);
        json_add(headers, NULL, pair);
    }
    golden_compare_integer(golden, "header count", cJSON_GetArraySize(headers), record->header_count);
    golden_compare_integer(golden, "record attributes", 0, record->attributes);
    return actual;
}

static void decode_records(struct golden_case *golden, const struct batch *batch, cJSON *records)
{
    struct kw_record_reader reader;
    struct kw_record record;
    int64_t next_offset = kw_record_batch_base_offset(batch->bytes);
    kw_record_reader_init(&reader, batch->bytes, batch->records, batch->records_bytes);
    while (kw_record_reader_next(&reader, &record)) {
        golden_compare_integer(golden, "offset", next_offset++, record.offset);
        json_add(records, NULL, decode_record(golden, &record));
    }
    golden_compare_text(golden, "records", "NONE", kw_error_name(reader.error));
    golden_compare_integer(golden, "last offset", next_offset - 1, kw_record_batch_last_offset(batch->bytes));
}

/* The row as the bytes tell it. */
static void decode(struct golden_case *golden, const cJSON *row, const struct batch *batch)
{
    const uint8_t *bytes = batch->bytes;
    cJSON *actual = golden_new_object(golden);
    cJSON *records = cJSON_CreateArray();
    json_add_text(actual, "compression", kw_compression_name(batch->compression));
    json_add_text(actual, "timestamp_type", timestamp_type_names[kw_record_batch_timestamp_type(bytes)]);
    json_add_integer(actual, "base_offset", kw_record_batch_base_offset(bytes));
    json_add_integer(actual, "producer_id", kw_record_batch_producer_id(bytes));
    json_add_integer(actual, "producer_epoch", kw_record_batch_producer_epoch(bytes));
    json_add_integer(actual, "base_sequence", kw_record_batch_base_sequence(bytes));
    json_add_bool(actual, "transactional", kw_record_batch_is_transactional(bytes));
    json_add(actual, "records", records);
    json_add_hex(actual, "batch_hex", bytes, batch->size_bytes);
    json_add_integer(actual, "size", (int64_t)batch->size_bytes);
    decode_records(golden, batch, records);
    golden_compare_integer(golden, "partition leader epoch", -1,
                           kw_record_batch_partition_leader_epoch(bytes));
    golden_compare_integer(golden, "control", 0, kw_record_batch_is_control(bytes));
    golden_compare(golden, "", row, actual);
}

/* The bytes of the row as one valid batch with its records decompressed; false when they are not. */
static bool read_batch(struct golden_case *golden, const cJSON *row,
                       struct kw_compression_buffer *decompressed, struct batch *batch)
{
    size_t length_bytes = 0;
    uint32_t size_bytes = 0;
    const uint8_t *bytes = golden_bytes(golden, row, "batch_hex", &length_bytes);
    struct kw_record_batch_cursor cursor;
    kw_record_batch_cursor_init(&cursor, bytes, length_bytes);
    if (bytes == NULL || !kw_record_batch_next(&cursor, &bytes, &size_bytes) || size_bytes != length_bytes ||
        kw_record_batch_validate(bytes, size_bytes) != KW_ERROR_NONE) {
        golden_fail(golden, "batch_hex: not one valid batch");
        return false;
    }
    int compression_id = kw_record_batch_compression_id(bytes);
    enum kw_error error =
        kw_decompress(compression_id, bytes + KW_RECORD_BATCH_RECORDS, size_bytes - KW_RECORD_BATCH_RECORDS,
                      LARGEST_BATCH_BYTES, decompressed);
    if (error != KW_ERROR_NONE) {
        golden_fail(golden, "batch_hex: %s", kw_error_name(error));
        return false;
    }
    *batch = (struct batch){.bytes = bytes,
                            .size_bytes = size_bytes,
                            .compression = (enum kw_compression)compression_id,
                            .records = decompressed->bytes,
                            .records_bytes = decompressed->length_bytes};
    return true;
}

void golden_check_record_batch(struct golden_case *golden, const cJSON *row)
{
    struct batch batch;
    struct kw_compression_buffer decompressed;
    kw_compression_buffer_init(&decompressed, kb_allocator_default());
    if (read_batch(golden, row, &decompressed, &batch)) {
        decode(golden, row, &batch);
        encode(golden, row, &batch);
    }
    kw_compression_buffer_release(&decompressed);
}
