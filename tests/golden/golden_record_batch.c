#include "golden.h"

#include "wire/record_batch.h"
#include "wire/record_batch_builder.h"
#include "wire/record_batch_reader.h"

#include <string.h>

enum { COMPRESSION_COUNT = 5 };

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

/* From the fields to bytes: with all state given at once, and with the producer's state rewritten after
 * close. */
static void encode(struct golden_case *golden, const cJSON *row, const uint8_t *batch, size_t size_bytes)
{
    struct kw_record_batch_options options = read_options(golden, row);
    struct kw_record_batch_options plain = options;
    plain.producer_id = KW_NO_PRODUCER_ID;
    plain.is_transactional = false;
    if (!golden_is_ok(golden) || size_bytes < KW_RECORD_BATCH_OVERHEAD_BYTES) {
        golden_fail(golden, "batch_hex: too short");
        return;
    }
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
        int64_t bound_bytes = builder.written_bytes + kw_record_size_upper_bound_bytes(&fields);
        if (!golden_is_ok(golden) ||
            (bound_bytes > (int64_t)size_bytes && kw_record_batch_builder_record_count(&builder) == 0 &&
             KW_RECORD_BATCH_OVERHEAD_BYTES + kw_record_size_bytes(0, 0, &fields) > (int64_t)size_bytes) ||
            !kw_record_batch_builder_has_room_for(&builder, timestamp_ms, &fields)) {
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
    uint32_t built_bytes = kw_record_batch_builder_estimated_size_bytes(&builder);
    golden_compare_integer(golden, "size", golden_integer(golden, row, "size"), built_bytes);
    golden_compare_bytes(golden, "batch_hex", batch, size_bytes, builder.memory, built_bytes);
    golden_compare_bytes(golden, "batch_hex, rewritten", batch, size_bytes, rewritten.memory, built_bytes);
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

/* The row as the bytes tell it. */
static void decode(struct golden_case *golden, const cJSON *row, const uint8_t *batch, size_t size_bytes)
{
    struct kw_record_batch_cursor cursor;
    uint32_t batch_bytes = 0;
    kw_record_batch_cursor_init(&cursor, batch, size_bytes);
    if (!kw_record_batch_next(&cursor, &batch, &batch_bytes) || batch_bytes != size_bytes ||
        kw_record_batch_validate(batch, size_bytes) != KW_ERROR_NONE) {
        golden_fail(golden, "batch_hex: not one valid batch");
        return;
    }
    cJSON *actual = golden_new_object(golden);
    cJSON *records = cJSON_CreateArray();
    json_add_text(actual, "compression",
                  kw_compression_name((enum kw_compression)kw_record_batch_compression_id(batch)));
    json_add_text(actual, "timestamp_type", timestamp_type_names[kw_record_batch_timestamp_type(batch)]);
    json_add_integer(actual, "base_offset", kw_record_batch_base_offset(batch));
    json_add_integer(actual, "producer_id", kw_record_batch_producer_id(batch));
    json_add_integer(actual, "producer_epoch", kw_record_batch_producer_epoch(batch));
    json_add_integer(actual, "base_sequence", kw_record_batch_base_sequence(batch));
    json_add_bool(actual, "transactional", kw_record_batch_is_transactional(batch));
    json_add(actual, "records", records);
    json_add_hex(actual, "batch_hex", batch, size_bytes);
    json_add_integer(actual, "size", batch_bytes);
    golden_compare_integer(golden, "partition leader epoch", -1,
                           kw_record_batch_partition_leader_epoch(batch));
    golden_compare_integer(golden, "control", 0, kw_record_batch_is_control(batch));

    struct kw_record_reader reader;
    struct kw_record record;
    int64_t next_offset = kw_record_batch_base_offset(batch);
    kw_record_reader_init(&reader, batch, batch + KW_RECORD_BATCH_RECORDS,
                          size_bytes - KW_RECORD_BATCH_RECORDS);
    while (kw_record_reader_next(&reader, &record)) {
        golden_compare_integer(golden, "offset", next_offset++, record.offset);
        json_add(records, NULL, decode_record(golden, &record));
    }
    golden_compare_text(golden, "records", "NONE", kw_error_name(reader.error));
    golden_compare_integer(golden, "last offset", next_offset - 1, kw_record_batch_last_offset(batch));
    golden_compare(golden, "", row, actual);
}

void golden_check_record_batch(struct golden_case *golden, const cJSON *row)
{
    const char *names[COMPRESSION_COUNT];
    for (int i = 0; i < COMPRESSION_COUNT; i++) {
        names[i] = kw_compression_name((enum kw_compression)i);
    }
    int compression = find_name(golden, golden_text(golden, row, "compression"), names, COMPRESSION_COUNT);
    size_t size_bytes = 0;
    const uint8_t *batch = golden_bytes(golden, row, "batch_hex", &size_bytes);
    if (batch == NULL) {
        golden_fail(golden, "batch_hex: null");
    }
    if (!golden_is_ok(golden)) {
        return;
    }
    if (compression != KW_COMPRESSION_NONE) {
        golden_skip(golden, "compression");
        return;
    }
    decode(golden, row, batch, size_bytes);
    encode(golden, row, batch, size_bytes);
}
