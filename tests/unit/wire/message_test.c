/* Messages: what holds for every schema and version, and the rules of encoding and decoding one by one. */
#include "base/allocator.h"
#include "message_random.h"
#include "unit.h"
#include "wire/api_frame.h"

#include <stdio.h>
#include <string.h>

enum { BUFFER_BYTES = 1 << 16, MESSAGE_BYTES = 512, ROUNDS = 20 };

static struct kb_arena arena;

static void set_up(void)
{
    kb_arena_init(&arena, kb_allocator_default(), 4096, 0);
}

static struct kw_string text(const char *characters)
{
    return (struct kw_string){characters, (int32_t)strlen(characters)};
}

typedef void (*each_function)(const struct kw_schema *schema, int16_t version);

/* Call it for every version of every message there is. */
static void for_each_version(each_function each)
{
    unsigned count = 0;
    for (int16_t key = 0; key < KW_API_COUNT; key++) {
        const struct kw_api *api = kw_api_find(key);
        for (int16_t version = api->min_version; api->request != NULL && version <= api->max_version;
             version++) {
            each(api->request, version);
            each(api->response, version);
            count += 2;
        }
    }
    for (int16_t version = 0; version <= 2; version++) {
        each(&kw_request_header_schema, version);
    }
    CU_ASSERT_EQUAL(count, 256);
}

static size_t encode(const struct kw_schema *schema, int16_t version, const void *message, uint8_t *bytes)
{
    struct kw_writer writer;
    size_t size_bytes = 0;
    kw_writer_init(&writer, bytes, BUFFER_BYTES);
    CU_ASSERT_EQUAL(kw_message_encode(schema, version, message, &writer, NULL), KW_MESSAGE_OK);
    CU_ASSERT_EQUAL(kw_message_size(schema, version, message, &size_bytes, NULL, NULL), KW_MESSAGE_OK);
    CU_ASSERT_EQUAL(writer.position_bytes, size_bytes);
    return writer.position_bytes;
}

static enum kw_message_status decode(const struct kw_schema *schema, int16_t version, const uint8_t *bytes,
                                     size_t length_bytes, void *message, struct kw_message_error *error)
{
    struct kw_reader reader;
    kw_reader_init(&reader, bytes, length_bytes);
    enum kw_message_status status = kw_message_decode(schema, version, &reader, &arena, message, error);
    CU_ASSERT_EQUAL(kw_reader_is_ok(&reader), status == KW_MESSAGE_OK);
    CU_ASSERT(status != KW_MESSAGE_OK || kw_reader_remaining_bytes(&reader) == 0);
    return status;
}

static void ignore(void *context, const struct kw_annotation *annotation)
{
    (void)annotation;
    ++*(unsigned *)context;
}

static void round_trip(const struct kw_schema *schema, int16_t version)
{
    static uint8_t bytes[BUFFER_BYTES];
    static uint8_t again[BUFFER_BYTES];
    static _Alignas(max_align_t) char message[MESSAGE_BYTES];
    static _Alignas(max_align_t) char decoded[MESSAGE_BYTES];
    CU_ASSERT_FATAL(schema->struct_size_bytes <= MESSAGE_BYTES);
    struct kb_prng prng;
    kb_prng_init(&prng, 1, (uint64_t)version);
    for (int round = 0; round < ROUNDS; round++) {
        message_randomize(schema, version, &prng, &arena, message);
        size_t length_bytes = encode(schema, version, message, bytes);
        memset(decoded, 0xa5, sizeof decoded);
        CU_ASSERT_EQUAL(decode(schema, version, bytes, length_bytes, decoded, NULL), KW_MESSAGE_OK);
        CU_ASSERT(kw_message_is_equal(schema, message, decoded));
        CU_ASSERT_EQUAL(encode(schema, version, decoded, again), length_bytes);
        CU_ASSERT_EQUAL(memcmp(bytes, again, length_bytes), 0);
        kb_arena_reset(&arena);
    }
}

static void every_message_comes_back(void)
{
    for_each_version(round_trip);
}

/* No beginning of a message is a message, and none is read beyond its end: the copy has exactly its length.
 */
static void cut_short(const struct kw_schema *schema, int16_t version)
{
    static uint8_t bytes[BUFFER_BYTES];
    static _Alignas(max_align_t) char message[MESSAGE_BYTES];
    static _Alignas(max_align_t) char decoded[MESSAGE_BYTES];
    struct kb_prng prng;
    kb_prng_init(&prng, 2, (uint64_t)version);
    message_randomize(schema, version, &prng, &arena, message);
    size_t length_bytes = encode(schema, version, message, bytes);
    for (size_t cut = 0; cut < length_bytes; cut++) {
        unsigned steps = 0;
        uint8_t *exact = kb_allocate(kb_allocator_default(), cut + 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
        memcpy(exact + 1, bytes, cut);
        struct kw_message_error error;
        CU_ASSERT_EQUAL(decode(schema, version, exact + 1, cut, decoded, &error), KW_MESSAGE_MALFORMED);
        CU_ASSERT(error.offset_bytes <= cut);
        CU_ASSERT_EQUAL(kw_message_annotate(schema, version, exact + 1, cut, ignore, &steps, NULL),
                        KW_MESSAGE_MALFORMED);
        kb_deallocate(kb_allocator_default(), exact, cut + 1);
        kb_arena_reset(&arena);
    }
}

static void no_message_is_complete_before_its_end(void)
{
    for_each_version(cut_short);
}

static void too_little_room(const struct kw_schema *schema, int16_t version)
{
    static uint8_t bytes[BUFFER_BYTES];
    static _Alignas(max_align_t) char message[MESSAGE_BYTES];
    struct kb_prng prng;
    kb_prng_init(&prng, 3, (uint64_t)version);
    message_randomize(schema, version, &prng, &arena, message);
    size_t length_bytes = encode(schema, version, message, bytes);
    for (size_t room_bytes = 0; room_bytes < length_bytes; room_bytes++) {
        struct kw_writer writer;
        kw_writer_init(&writer, bytes, room_bytes);
        CU_ASSERT_EQUAL(kw_message_encode(schema, version, message, &writer, NULL), KW_MESSAGE_NO_ROOM);
    }
    kb_arena_reset(&arena);
}

static void a_small_writer_is_an_error(void)
{
    for_each_version(too_little_room);
}

static void is_well_formed(const struct kw_schema *schema)
{
    int64_t last_tag = -1;
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct kw_field *field = &schema->fields[i];
        CU_ASSERT(field->versions.first < field->versions.end);
        CU_ASSERT(!field->is_default_null || field->nullable.end > 0);
        if (field->is_tagged) {
            CU_ASSERT(field->versions.first >= schema->first_flexible_version);
            CU_ASSERT((int64_t)field->tag > last_tag);
            last_tag = field->tag;
        }
        bool has_struct = field->kind == KW_KIND_STRUCT ||
                          (field->kind == KW_KIND_ARRAY && field->element_kind == KW_KIND_STRUCT);
        CU_ASSERT_EQUAL(field->element != NULL, has_struct);
        if (has_struct) {
            CU_ASSERT_EQUAL(field->element->max_version, schema->max_version);
            CU_ASSERT_EQUAL(field->element->first_flexible_version, schema->first_flexible_version);
            is_well_formed(field->element);
        }
    }
}

static void the_tables_agree(void)
{
    for (int16_t key = 0; key < KW_API_COUNT; key++) {
        const struct kw_api *api = kw_api_find(key);
        CU_ASSERT_FATAL(api != NULL && api->name != NULL);
        CU_ASSERT_EQUAL(api->key, key);
        CU_ASSERT_PTR_EQUAL(kw_api_find_name(api->name), api);
        const struct kw_schema *schemas[2] = {api->request, api->response};
        for (int i = 0; i < 2 && schemas[i] != NULL; i++) {
            CU_ASSERT_EQUAL(schemas[i]->min_version, api->min_version);
            CU_ASSERT_EQUAL(schemas[i]->max_version, api->max_version);
            CU_ASSERT_EQUAL(schemas[i]->first_flexible_version, api->first_flexible_version);
            CU_ASSERT_EQUAL(strncmp(schemas[i]->name, api->name, strlen(api->name)), 0);
            is_well_formed(schemas[i]);
        }
    }
    CU_ASSERT_EQUAL(KW_API_COUNT, 68);
    CU_ASSERT_PTR_NULL(kw_api_find(-1));
    CU_ASSERT_PTR_NULL(kw_api_find(KW_API_COUNT));
    CU_ASSERT_PTR_NULL(kw_api_find_name("produce"));
    CU_ASSERT(kw_api_has_version(kw_api_find(KW_API_FETCH), 12));
    CU_ASSERT(!kw_api_has_version(kw_api_find(KW_API_FETCH), 13));
    CU_ASSERT(!kw_api_has_version(kw_api_find(KW_API_FETCH), -1));
}

struct columns {
    unsigned fields;
    unsigned arrays;
    unsigned ended;
    unsigned nullable;
    unsigned ignorable;
    unsigned tagged;
    unsigned null_by_default;
    unsigned other_by_default;
};

static void count_columns(const struct kw_schema *schema, struct columns *columns)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct kw_field *field = &schema->fields[i];
        columns->fields++;
        columns->arrays += field->kind == KW_KIND_ARRAY;
        columns->ended += field->versions.end != KW_VERSION_OPEN;
        columns->nullable += field->nullable.end != 0;
        columns->ignorable += field->is_ignorable;
        columns->tagged += field->is_tagged;
        columns->null_by_default += field->is_default_null;
        columns->other_by_default += field->default_integer != 0;
        if (field->element != NULL) {
            count_columns(field->element, columns);
        }
    }
}

/* The numbers were counted in the *.json files of 3.0.0: a column that is changed by mistake shows here. */
static void the_columns_are_those_of_kafka(void)
{
    struct columns columns = {0};
    for (int16_t key = 0; key < KW_API_COUNT; key++) {
        const struct kw_api *api = kw_api_find(key);
        if (api->request != NULL) {
            count_columns(api->request, &columns);
            count_columns(api->response, &columns);
        }
    }
    count_columns(&kw_request_header_schema, &columns);
    count_columns(&kw_response_header_schema, &columns);
    CU_ASSERT_EQUAL(columns.fields, 348);
    CU_ASSERT_EQUAL(columns.arrays, 66);
    CU_ASSERT_EQUAL(columns.ended, 26);
    CU_ASSERT_EQUAL(columns.nullable, 39);
    CU_ASSERT_EQUAL(columns.ignorable, 72);
    CU_ASSERT_EQUAL(columns.tagged, 8);
    CU_ASSERT_EQUAL(columns.null_by_default, 20);
    CU_ASSERT_EQUAL(columns.other_by_default, 48);
}

static void defaults_are_those_of_kafka(void)
{
    struct kw_metadata_request metadata;
    struct kw_fetch_request fetch;
    struct kw_fetch_response_partition partition;
    struct kw_list_offsets_request_partition offsets;
    kw_metadata_request_init(&metadata);
    kw_fetch_request_init(&fetch);
    kw_fetch_response_partition_init(&partition);
    kw_list_offsets_request_partition_init(&offsets);
    CU_ASSERT(metadata.allow_auto_topic_creation);
    CU_ASSERT_EQUAL(metadata.topics.count, 0);
    CU_ASSERT_EQUAL(fetch.max_bytes, INT32_MAX);
    CU_ASSERT_EQUAL(fetch.session_epoch, -1);
    CU_ASSERT_EQUAL(fetch.cluster_id.length_bytes, -1);
    CU_ASSERT_EQUAL(fetch.rack_id.length_bytes, 0);
    CU_ASSERT_PTR_NULL(partition.records.bytes);
    CU_ASSERT_EQUAL(partition.current_leader.leader_id, -1);
    CU_ASSERT_EQUAL(partition.aborted_transactions.count, 0);
    CU_ASSERT_EQUAL(offsets.max_num_offsets, 1);
    /* Bytes are empty where they are not null, so that what was only initialised can be sent. */
    struct kw_sync_group_response sync;
    uint8_t bytes[16];
    kw_sync_group_response_init(&sync);
    CU_ASSERT_PTR_NOT_NULL(sync.assignment.bytes);
    CU_ASSERT_EQUAL(encode(&kw_sync_group_response_schema, 0, &sync, bytes), 6);
}

/* Kafka: UnsupportedVersionException of the generated write(). */
static void a_value_that_the_version_lacks_is_an_error(void)
{
    uint8_t bytes[64];
    char sentence[KW_MESSAGE_ERROR_TEXT_MAX_BYTES];
    struct kw_writer writer;
    struct kw_message_error error;
    struct kw_find_coordinator_request request;
    kw_find_coordinator_request_init(&request);
    request.key = text("t");
    request.key_type = 1;
    kw_writer_init(&writer, bytes, sizeof bytes);
    CU_ASSERT_EQUAL(kw_message_encode(&kw_find_coordinator_request_schema, 0, &request, &writer, &error),
                    KW_MESSAGE_UNSUPPORTED_FIELD);
    kw_message_error_text(&error, sentence, sizeof sentence);
    CU_ASSERT_STRING_EQUAL(sentence, "Attempted to write a non-default keyType at version 0");
    CU_ASSERT_EQUAL(kw_message_encode(&kw_find_coordinator_request_schema, 4, &request, &writer, &error),
                    KW_MESSAGE_UNSUPPORTED_FIELD);
    kw_message_error_text(&error, sentence, sizeof sentence);
    CU_ASSERT_STRING_EQUAL(sentence, "Attempted to write a non-default key at version 4");
    CU_ASSERT_EQUAL(kw_message_encode(&kw_find_coordinator_request_schema, 3, &request, &writer, NULL),
                    KW_MESSAGE_OK);
    CU_ASSERT_EQUAL(kw_message_encode(&kw_find_coordinator_request_schema, 5, &request, &writer, &error),
                    KW_MESSAGE_UNSUPPORTED_VERSION);
    /* Null is another value than the empty default. */
    struct kw_offset_fetch_request offsets;
    kw_offset_fetch_request_init(&offsets);
    CU_ASSERT_EQUAL(kw_message_encode(&kw_offset_fetch_request_schema, 8, &offsets, &writer, NULL),
                    KW_MESSAGE_OK);
    offsets.topics.count = -1;
    CU_ASSERT_EQUAL(kw_message_encode(&kw_offset_fetch_request_schema, 8, &offsets, &writer, NULL),
                    KW_MESSAGE_UNSUPPORTED_FIELD);
    /* A structure counts as its default when all of it does. */
    struct kw_fetch_response_partition partition;
    kw_fetch_response_partition_init(&partition);
    size_t size_bytes = 0;
    CU_ASSERT_EQUAL(
        kw_message_size(&kw_fetch_response_partition_schema, 11, &partition, &size_bytes, NULL, NULL),
        KW_MESSAGE_OK);
    partition.snapshot_id.epoch = 0;
    CU_ASSERT_EQUAL(
        kw_message_size(&kw_fetch_response_partition_schema, 11, &partition, &size_bytes, NULL, &error),
        KW_MESSAGE_UNSUPPORTED_FIELD);
    CU_ASSERT_STRING_EQUAL(error.field->name, "snapshotId");
}

static void a_value_that_may_be_ignored_is_dropped(void)
{
    uint8_t bytes[256];
    struct kw_metadata_response_broker broker;
    struct kw_metadata_response response;
    struct kw_metadata_response decoded;
    kw_metadata_response_broker_init(&broker);
    kw_metadata_response_init(&response);
    broker.node_id = 7;
    broker.rack = text("r");
    response.brokers = (struct kw_metadata_response_broker_array){&broker, 1};
    response.controller_id = 7;
    response.throttle_time_ms = 9;
    size_t length_bytes = encode(&kw_metadata_response_schema, 0, &response, bytes);
    CU_ASSERT_EQUAL(decode(&kw_metadata_response_schema, 0, bytes, length_bytes, &decoded, NULL),
                    KW_MESSAGE_OK);
    CU_ASSERT_EQUAL_FATAL(decoded.brokers.count, 1);
    CU_ASSERT_EQUAL(decoded.brokers.items[0].node_id, 7);
    CU_ASSERT_EQUAL(decoded.brokers.items[0].rack.length_bytes, -1);
    CU_ASSERT_EQUAL(decoded.controller_id, -1);
    CU_ASSERT_EQUAL(decoded.throttle_time_ms, 0);
}

static void null_needs_a_version_that_allows_it(void)
{
    uint8_t bytes[256];
    struct kw_writer writer;
    struct kw_message_error error;
    struct kw_metadata_request request;
    struct kw_metadata_request decoded;
    struct kw_string key = {NULL, -1};
    kw_metadata_request_init(&request);
    request.topics.count = -1;
    kw_writer_init(&writer, bytes, sizeof bytes);
    CU_ASSERT_EQUAL(kw_message_encode(&kw_metadata_request_schema, 0, &request, &writer, &error),
                    KW_MESSAGE_NULL);
    CU_ASSERT_STRING_EQUAL(error.field->name, "topics");
    size_t length_bytes = encode(&kw_metadata_request_schema, 1, &request, bytes);
    CU_ASSERT_EQUAL(length_bytes, 4);
    CU_ASSERT_EQUAL(kw_load_i32(bytes), -1);
    CU_ASSERT_EQUAL(decode(&kw_metadata_request_schema, 1, bytes, 4, &decoded, NULL), KW_MESSAGE_OK);
    CU_ASSERT_EQUAL(decoded.topics.count, -1);
    CU_ASSERT_EQUAL(decode(&kw_metadata_request_schema, 0, bytes, 4, &decoded, &error), KW_MESSAGE_NULL);
    CU_ASSERT_STRING_EQUAL(error.field->name, "topics");
    /* Items of an array are never null, and a string with a length below -1 is as null as any. */
    struct kw_find_coordinator_request coordinators;
    kw_find_coordinator_request_init(&coordinators);
    coordinators.coordinator_keys = (struct kw_string_array){&key, 1};
    CU_ASSERT_EQUAL(kw_message_encode(&kw_find_coordinator_request_schema, 4, &coordinators, &writer, NULL),
                    KW_MESSAGE_NULL);
    const uint8_t null_key[] = {0, 2, 0, 0};
    CU_ASSERT_EQUAL(decode(&kw_find_coordinator_request_schema, 4, null_key, 4, &coordinators, NULL),
                    KW_MESSAGE_NULL);
    const uint8_t negative[] = {0xff, 0xfe, 0, 0, 0, 0};
    struct kw_init_producer_id_request init;
    CU_ASSERT_EQUAL(decode(&kw_init_producer_id_request_schema, 0, negative, 6, &init, NULL), KW_MESSAGE_OK);
    CU_ASSERT_EQUAL(init.transactional_id.length_bytes, -1);
}

static void strings_end_at_32767_bytes(void)
{
    static uint8_t bytes[BUFFER_BYTES];
    static char long_text[32768];
    static uint8_t hostile[BUFFER_BYTES];
    struct kw_writer writer;
    struct kw_message_error error;
    struct kw_find_coordinator_request request;
    memset(long_text, 'x', sizeof long_text);
    kw_find_coordinator_request_init(&request);
    request.key = (struct kw_string){long_text, 32767};
    for (int16_t version = 0; version <= 3; version++) {
        kw_writer_init(&writer, bytes, sizeof bytes);
        request.key.length_bytes = 32767;
        CU_ASSERT_EQUAL(
            kw_message_encode(&kw_find_coordinator_request_schema, version, &request, &writer, NULL),
            KW_MESSAGE_OK);
        request.key.length_bytes = 32768;
        CU_ASSERT_EQUAL(
            kw_message_encode(&kw_find_coordinator_request_schema, version, &request, &writer, &error),
            KW_MESSAGE_TOO_LONG);
    }
    kw_writer_init(&writer, hostile, sizeof hostile);
    kw_write_uvarint(&writer, 32769);
    kw_write_bytes(&writer, long_text, sizeof long_text);
    kw_write_i16(&writer, 0);
    CU_ASSERT_EQUAL(
        decode(&kw_find_coordinator_request_schema, 3, hostile, writer.position_bytes, &request, NULL),
        KW_MESSAGE_TOO_LONG);
}

static void tagged_fields_are_written_when_they_differ(void)
{
    uint8_t bytes[256];
    struct kw_fetch_request request;
    struct kw_fetch_request decoded;
    kw_fetch_request_init(&request);
    size_t plain_bytes = encode(&kw_fetch_request_schema, 12, &request, bytes);
    CU_ASSERT_EQUAL(bytes[plain_bytes - 1], 0);
    request.cluster_id = text("abc");
    size_t tagged_bytes = encode(&kw_fetch_request_schema, 12, &request, bytes);
    const uint8_t expected[] = {1, 0, 4, 4, 'a', 'b', 'c'};
    CU_ASSERT_EQUAL(tagged_bytes, plain_bytes + 6);
    CU_ASSERT_EQUAL(memcmp(bytes + plain_bytes - 1, expected, sizeof expected), 0);
    CU_ASSERT_EQUAL(decode(&kw_fetch_request_schema, 12, bytes, tagged_bytes, &decoded, NULL), KW_MESSAGE_OK);
    CU_ASSERT(kw_message_is_equal(&kw_fetch_request_schema, &request, &decoded));
    /* Empty is another value than the null default. */
    request.cluster_id = text("");
    CU_ASSERT_EQUAL(encode(&kw_fetch_request_schema, 12, &request, bytes), plain_bytes + 3);
    request.cluster_id = text("abc");
    /* An older version drops it, since it is ignorable. */
    CU_ASSERT_EQUAL(encode(&kw_fetch_request_schema, 11, &request, bytes) > 0, true);
    /* A size that is not the value's. */
    tagged_bytes = encode(&kw_fetch_request_schema, 12, &request, bytes);
    bytes[plain_bytes + 1] = 5;
    bytes[tagged_bytes] = 0;
    CU_ASSERT_EQUAL(decode(&kw_fetch_request_schema, 12, bytes, tagged_bytes + 1, &decoded, NULL),
                    KW_MESSAGE_MALFORMED);
    bytes[plain_bytes + 1] = 3;
    CU_ASSERT_EQUAL(decode(&kw_fetch_request_schema, 12, bytes, tagged_bytes, &decoded, NULL),
                    KW_MESSAGE_MALFORMED);
    bytes[plain_bytes + 1] = 0xff;
    CU_ASSERT_EQUAL(decode(&kw_fetch_request_schema, 12, bytes, tagged_bytes, &decoded, NULL),
                    KW_MESSAGE_MALFORMED);
}

static void unknown_tagged_fields_are_skipped(void)
{
    const uint8_t bytes[] = {0, 0, 0, 5, 0, 3, 2, 77, 3, 1, 2, 3, 0xac, 0x02, 0};
    struct kw_end_txn_response response;
    CU_ASSERT_EQUAL(decode(&kw_end_txn_response_schema, 3, bytes, sizeof bytes, &response, NULL),
                    KW_MESSAGE_OK);
    CU_ASSERT_EQUAL(response.throttle_time_ms, 5);
    CU_ASSERT_EQUAL(response.error_code, 3);
    const uint8_t too_many[] = {0, 0, 0, 5, 0, 3, 0xff, 0xff, 0xff, 0xff, 0x0f, 77, 0};
    CU_ASSERT_EQUAL(decode(&kw_end_txn_response_schema, 3, too_many, sizeof too_many, &response, NULL),
                    KW_MESSAGE_MALFORMED);
}

/* An arena that gives nothing shows that a count is judged before memory is asked for. */
static void counts_are_bounded_by_the_bytes(void)
{
    struct kb_arena nothing;
    struct kw_reader reader;
    struct kw_metadata_response response;
    uint8_t bytes[64] = {0};
    kb_arena_init(&nothing, kb_allocator_default(), 64, 1);
    const int32_t counts[] = {INT32_MAX, 1000, 7};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        /* A broker takes 10 bytes at least in version 0: 7 of them are more than what is left. */
        kw_store_i32(bytes, counts[i]);
        kw_reader_init(&reader, bytes, sizeof bytes);
        CU_ASSERT_EQUAL(
            kw_message_decode(&kw_metadata_response_schema, 0, &reader, &nothing, &response, NULL),
            KW_MESSAGE_MALFORMED);
    }
    kw_store_i32(bytes, 6);
    kw_reader_init(&reader, bytes, sizeof bytes);
    CU_ASSERT_EQUAL(kw_message_decode(&kw_metadata_response_schema, 0, &reader, &nothing, &response, NULL),
                    KW_MESSAGE_NO_MEMORY);
    CU_ASSERT_EQUAL(nothing.held_bytes, 0);
}

static void every_error_has_a_sentence(void)
{
    char sentence[KW_MESSAGE_ERROR_TEXT_MAX_BYTES];
    char last[KW_MESSAGE_ERROR_TEXT_MAX_BYTES] = "";
    for (int status = KW_MESSAGE_OK; status <= KW_MESSAGE_NO_MEMORY; status++) {
        struct kw_message_error error = {.status = (enum kw_message_status)status};
        kw_message_error_text(&error, sentence, sizeof sentence);
        CU_ASSERT(strlen(sentence) > 5);
        CU_ASSERT_STRING_NOT_EQUAL(sentence, last);
        (void)snprintf(last, sizeof last, "%s", sentence);
    }
}

int main(void)
{
    set_up();
    int exit_code = unit_main(
        "message",
        (struct unit_test[]){
            {"the tables agree", the_tables_agree},
            {"the columns are those of Kafka", the_columns_are_those_of_kafka},
            {"defaults are those of Kafka", defaults_are_those_of_kafka},
            {"every message comes back", every_message_comes_back},
            {"no message is complete before its end", no_message_is_complete_before_its_end},
            {"a small writer is an error", a_small_writer_is_an_error},
            {"a value that the version lacks is an error", a_value_that_the_version_lacks_is_an_error},
            {"a value that may be ignored is dropped", a_value_that_may_be_ignored_is_dropped},
            {"null needs a version that allows it", null_needs_a_version_that_allows_it},
            {"strings end at 32767 bytes", strings_end_at_32767_bytes},
            {"tagged fields are written when they differ", tagged_fields_are_written_when_they_differ},
            {"unknown tagged fields are skipped", unknown_tagged_fields_are_skipped},
            {"counts are bounded by the bytes", counts_are_bounded_by_the_bytes},
            {"every error has a sentence", every_error_has_a_sentence},
            {0}});
    kb_arena_release(&arena);
    return exit_code;
}
