#include "golden.h"

#include "wire/record.h"
#include "wire/record_batch_builder.h"

#include <string.h>

enum { LONGEST_BYTES = 16 << 20, LATER_OFFSET_DELTA = 64, LATER_TIMESTAMP_DELTA_MS = 1000 };

/* A range of that length; only its length counts. */
static struct kw_bytes range_of(struct golden_case *golden, const cJSON *length)
{
    if (cJSON_IsNull(length)) {
        return (struct kw_bytes){0};
    }
    if (!json_is_integer(length) || json_integer(length) < 0 || json_integer(length) > LONGEST_BYTES) {
        golden_fail(golden, "a length is wanted, or null");
        return (struct kw_bytes){0};
    }
    int32_t length_bytes = (int32_t)json_integer(length);
    return (struct kw_bytes){.bytes = golden_allocate(golden, (size_t)length_bytes),
                             .length_bytes = length_bytes};
}

static void read_headers(struct golden_case *golden, const cJSON *row, struct kw_record_fields *fields)
{
    const cJSON *list = golden_array(golden, row, "headers");
    int count = cJSON_GetArraySize(list);
    struct kw_record_header *headers = golden_allocate(golden, (size_t)count * sizeof *headers);
    const cJSON *pair = NULL;
    cJSON_ArrayForEach(pair, list)
    {
        if (!cJSON_IsArray(pair) || cJSON_GetArraySize(pair) != 2) {
            golden_fail(golden, "headers: pairs of lengths are wanted");
            return;
        }
        struct kw_record_header *header = &headers[fields->header_count++];
        header->key = range_of(golden, pair->child);
        header->value = range_of(golden, pair->child->next);
        if (header->key.bytes == NULL) {
            golden_fail(golden, "headers: a key cannot be null");
        }
    }
    fields->headers = headers;
}

/* What the builder really writes must be what the sizes say. */
static void check_written(struct golden_case *golden, const struct kw_record_fields *fields)
{
    struct kw_record_batch_builder builder;
    struct kw_record_batch_options options = kw_record_batch_options_default();
    int64_t bound_bytes = kw_record_batch_size_upper_bound_bytes(fields);
    kw_record_batch_builder_init(&builder, golden_allocate(golden, (size_t)bound_bytes),
                                 (uint32_t)bound_bytes, &options);
    golden_compare_integer(golden, "bytes written", kw_record_size_bytes(0, 0, fields),
                           kw_record_batch_builder_append(&builder, 0, fields));
}

void golden_check_size_estimate(struct golden_case *golden, const cJSON *row)
{
    static const char *const compressions[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    const char *compression = golden_text(golden, row, "compression");
    bool is_known = false;
    for (size_t i = 0; i < sizeof compressions / sizeof compressions[0]; i++) {
        is_known = is_known || strcmp(compression, compressions[i]) == 0;
    }
    if (!is_known) {
        golden_fail(golden, "compression: \"%s\" is unknown", compression);
    }
    struct kw_record_fields fields = {.key = range_of(golden, json_member(row, "key_size")),
                                      .value = range_of(golden, json_member(row, "value_size"))};
    read_headers(golden, row, &fields);
    if (!golden_is_ok(golden)) {
        return;
    }
    cJSON *actual = golden_new_object(golden);
    json_add(actual, "key_size", cJSON_Duplicate(json_member(row, "key_size"), true));
    json_add(actual, "value_size", cJSON_Duplicate(json_member(row, "value_size"), true));
    json_add(actual, "headers", cJSON_Duplicate(json_member(row, "headers"), true));
    json_add_text(actual, "compression", compression);
    json_add_integer(actual, "upper_bound", kw_record_batch_size_upper_bound_bytes(&fields));
    json_add_integer(actual, "record_size_first", kw_record_size_bytes(0, 0, &fields));
    json_add_integer(actual, "record_size_at_64_delta_1000",
                     kw_record_size_bytes(LATER_OFFSET_DELTA, LATER_TIMESTAMP_DELTA_MS, &fields));
    golden_compare(golden, "", row, actual);
    check_written(golden, &fields);
}
