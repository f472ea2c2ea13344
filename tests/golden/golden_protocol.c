/*
 * protocol.jsonl: requests and responses of every version.
 *
 * The body goes through the schema into the C struct and out as bytes, the bytes into the struct and out as a
 * body: the frame and the body that come out must be those of the row. On the way the same frame is made as
 * segments, and annotated.
 */
#include "golden.h"

#include "base/arena.h"
#include "wire/api_frame.h"

#include <string.h>

enum { ARENA_BLOCK_BYTES = 4096, UUID_BYTES = 16, UUID_TEXT_BYTES = 22, SEGMENTS_MAX = 64 };

static const char uuid_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct check {
    struct golden_case *golden;
    const cJSON *row;
    const struct kw_api *api;
    const struct kw_schema *schema;
    int16_t version;
    bool is_request;
    struct linger_allocator allocator;
    struct kb_arena arena;
};

static void *allocate(void *context, size_t size_bytes)
{
    return golden_allocate(context, size_bytes);
}

static void release(void *context, void *memory, size_t size_bytes)
{
    (void)context; /* the case frees all */
    (void)memory;
    (void)size_bytes;
}

static void fail_message(struct check *check, const char *doing, const struct kw_message_error *error)
{
    char text[KW_MESSAGE_ERROR_TEXT_MAX_BYTES];
    kw_message_error_text(error, text, sizeof text);
    golden_fail(check->golden, "%s: %s", doing, text);
}

/* Base64 of the URL alphabet without padding: 22 digits for 128 bits, the last digit holds two of them. */
static struct kw_uuid parse_uuid(struct check *check, const char *text)
{
    struct kw_uuid uuid = {{0}};
    unsigned bits = 0;
    unsigned bit_count = 0;
    size_t filled = 0;
    for (size_t i = 0; text[i] != '\0'; i++) {
        const char *digit = strchr(uuid_alphabet, text[i]);
        if (digit == NULL || i == UUID_TEXT_BYTES) {
            golden_fail(check->golden, "%s is no UUID", text);
            return uuid;
        }
        bits = (bits << 6 | (unsigned)(digit - uuid_alphabet)) & 0xffffu;
        bit_count += 6;
        if (bit_count >= 8 && filled < UUID_BYTES) {
            bit_count -= 8;
            uuid.bytes[filled++] = (uint8_t)(bits >> bit_count);
        }
    }
    if (filled != UUID_BYTES) {
        golden_fail(check->golden, "%s is no UUID", text);
    }
    return uuid;
}

static void add_uuid(cJSON *parent, const char *name, const struct kw_uuid *uuid)
{
    char text[UUID_TEXT_BYTES + 1];
    for (unsigned i = 0; i < UUID_TEXT_BYTES; i++) {
        unsigned first = i * 6 / 8;
        unsigned next = first + 1 < UUID_BYTES ? uuid->bytes[first + 1] : 0;
        unsigned pair = (unsigned)uuid->bytes[first] << 8 | next;
        text[i] = uuid_alphabet[pair >> (10 - i * 6 % 8) & 63];
    }
    text[UUID_TEXT_BYTES] = '\0';
    json_add_text(parent, name, text);
}

static void fill_struct(struct check *check, const struct kw_schema *schema, const cJSON *object,
                        void *message);

/* The value's name is that of a member of `object`, so that the functions of golden.h can say what is wrong.
 */
static void fill_value(struct check *check, const struct kw_field *field, enum kw_kind kind,
                       const cJSON *object, void *value);

static void fill_array(struct check *check, const struct kw_field *field, const cJSON *node,
                       struct kw_array *array)
{
    if (cJSON_IsNull(node)) {
        array->count = -1;
        return;
    }
    if (!cJSON_IsArray(node)) {
        golden_fail(check->golden, "%s: an array is wanted here", field->name);
        return;
    }
    size_t stride_bytes = kw_field_element_size_bytes(field);
    array->count = cJSON_GetArraySize(node);
    array->items = golden_allocate(check->golden, (size_t)array->count * stride_bytes);
    char *item = array->items;
    for (const cJSON *child = node->child; child != NULL; child = child->next, item += stride_bytes) {
        cJSON *holder = golden_new_object(check->golden);
        json_add(holder, field->name, cJSON_Duplicate(child, true));
        fill_value(check, field, field->element_kind, holder, item);
    }
}

static int64_t integer(struct check *check, const cJSON *object, const char *name, unsigned bits)
{
    int64_t maximum = (int64_t)(UINT64_MAX >> (65 - bits));
    return golden_integer_in(check->golden, object, name, -maximum - 1, maximum);
}

static void fill_value(struct check *check, const struct kw_field *field, enum kw_kind kind,
                       const cJSON *object, void *value)
{
    const char *name = field->name;
    const cJSON *node = json_member(object, name);
    size_t length_bytes = 0;
    switch (kind) {
    case KW_KIND_BOOL:
        *(bool *)value = golden_bool(check->golden, object, name);
        return;
    case KW_KIND_INT8:
        *(int8_t *)value = (int8_t)integer(check, object, name, 8);
        return;
    case KW_KIND_INT16:
        *(int16_t *)value = (int16_t)integer(check, object, name, 16);
        return;
    case KW_KIND_INT32:
        *(int32_t *)value = (int32_t)integer(check, object, name, 32);
        return;
    case KW_KIND_INT64:
        *(int64_t *)value = integer(check, object, name, 64);
        return;
    case KW_KIND_UUID:
        *(struct kw_uuid *)value = parse_uuid(check, golden_text(check->golden, object, name));
        return;
    case KW_KIND_STRING:
        *(struct kw_string *)value = (struct kw_string){NULL, -1};
        if (!cJSON_IsNull(node)) {
            const char *text = golden_text(check->golden, object, name);
            *(struct kw_string *)value = (struct kw_string){text, (int32_t)strlen(text)};
        }
        return;
    case KW_KIND_BYTES:
    case KW_KIND_RECORDS:
        ((struct kw_bytes *)value)->bytes = golden_bytes(check->golden, object, name, &length_bytes);
        ((struct kw_bytes *)value)->length_bytes = (int32_t)length_bytes;
        return;
    case KW_KIND_STRUCT:
        fill_struct(check, field->element, node, value);
        return;
    case KW_KIND_ARRAY:
        fill_array(check, field, node, value);
        return;
    }
}

static void fill_struct(struct check *check, const struct kw_schema *schema, const cJSON *object,
                        void *message)
{
    kw_message_set_defaults(schema, message);
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct kw_field *field = &schema->fields[i];
        bool is_expected = kw_version_range_contains(field->versions, check->version) &&
                           (!field->is_tagged || json_member(object, field->name) != NULL);
        if (is_expected) {
            fill_value(check, field, field->kind, object, (char *)message + field->offset_bytes);
        }
    }
}

static void add_struct(struct check *check, const struct kw_schema *schema, const void *message,
                       cJSON *object);

static void add_value(struct check *check, const struct kw_field *field, enum kw_kind kind, const void *value,
                      cJSON *parent, const char *name);

static void add_array(struct check *check, const struct kw_field *field, const struct kw_array *array,
                      cJSON *parent, const char *name)
{
    if (array->count < 0) {
        json_add(parent, name, cJSON_CreateNull());
        return;
    }
    cJSON *items = cJSON_CreateArray();
    size_t stride_bytes = kw_field_element_size_bytes(field);
    for (size_t i = 0; i < (size_t)array->count; i++) {
        add_value(check, field, field->element_kind, (const char *)array->items + i * stride_bytes, items,
                  NULL);
    }
    json_add(parent, name, items);
}

static void add_string(struct check *check, const struct kw_string *string, cJSON *parent, const char *name)
{
    if (string->length_bytes < 0) {
        json_add_text(parent, name, NULL);
        return;
    }
    char *text = golden_allocate(check->golden, (size_t)string->length_bytes + 1);
    if (string->length_bytes > 0) {
        memcpy(text, string->data, (size_t)string->length_bytes);
    }
    json_add_text(parent, name, text);
}

static void add_value(struct check *check, const struct kw_field *field, enum kw_kind kind, const void *value,
                      cJSON *parent, const char *name)
{
    const struct kw_bytes *bytes = value;
    cJSON *object = NULL;
    switch (kind) {
    case KW_KIND_BOOL:
        json_add_bool(parent, name, *(const bool *)value);
        return;
    case KW_KIND_INT8:
        json_add_integer(parent, name, *(const int8_t *)value);
        return;
    case KW_KIND_INT16:
        json_add_integer(parent, name, *(const int16_t *)value);
        return;
    case KW_KIND_INT32:
        json_add_integer(parent, name, *(const int32_t *)value);
        return;
    case KW_KIND_INT64:
        json_add_integer(parent, name, *(const int64_t *)value);
        return;
    case KW_KIND_UUID:
        add_uuid(parent, name, value);
        return;
    case KW_KIND_STRING:
        add_string(check, value, parent, name);
        return;
    case KW_KIND_BYTES:
    case KW_KIND_RECORDS:
        json_add_hex(parent, name, bytes->bytes, (size_t)bytes->length_bytes);
        return;
    case KW_KIND_STRUCT:
        object = cJSON_CreateObject();
        add_struct(check, field->element, value, object);
        json_add(parent, name, object);
        return;
    case KW_KIND_ARRAY:
        add_array(check, field, value, parent, name);
        return;
    }
}

/* A tagged field with its default is not in the row's body. */
static bool is_left_out(struct check *check, const struct kw_schema *schema, const struct kw_field *field,
                        const void *message)
{
    if (!field->is_tagged) {
        return false;
    }
    char *defaults = golden_allocate(check->golden, schema->struct_size_bytes);
    kw_message_set_defaults(schema, defaults);
    struct kw_schema alone = *schema;
    alone.fields = field;
    alone.field_count = 1;
    return kw_message_is_equal(&alone, message, defaults);
}

static void add_struct(struct check *check, const struct kw_schema *schema, const void *message,
                       cJSON *object)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct kw_field *field = &schema->fields[i];
        if (kw_version_range_contains(field->versions, check->version) &&
            !is_left_out(check, schema, field, message)) {
            add_value(check, field, field->kind, (const char *)message + field->offset_bytes, object,
                      field->name);
        }
    }
}

/* Annotations must follow upon each other without a gap; the tagged fields of the body itself are remembered.
 */
struct walk {
    struct check *check;
    size_t position_bytes;
    size_t tagged_offset_bytes;
    size_t tagged_prefix_bytes;
    int64_t tagged_count;
};

static void follow(void *context, const struct kw_annotation *annotation)
{
    struct walk *walk = context;
    bool is_end = annotation->phase == KW_ANNOTATION_LEAVE;
    size_t end_bytes = annotation->offset_bytes + annotation->length_bytes;
    size_t expected_bytes = is_end ? end_bytes : annotation->offset_bytes;
    if (walk->position_bytes != expected_bytes) {
        golden_fail(walk->check->golden, "the annotation of %s is at byte %zu, not %zu", annotation->name,
                    expected_bytes, walk->position_bytes);
    }
    if (annotation->phase == KW_ANNOTATION_VALUE) {
        walk->position_bytes = end_bytes;
    } else if (!is_end) {
        walk->position_bytes += annotation->prefix_bytes;
    }
    if (annotation->type == KW_ANNOTATION_TAGGED_FIELDS && annotation->depth == 0) {
        walk->tagged_offset_bytes = annotation->offset_bytes;
        walk->tagged_prefix_bytes = annotation->prefix_bytes;
        walk->tagged_count = annotation->integer;
    }
}

static struct walk annotate(struct check *check, const uint8_t *body, size_t length_bytes)
{
    struct walk walk = {.check = check};
    struct kw_message_error error;
    if (kw_message_annotate(check->schema, check->version, body, length_bytes, follow, &walk, &error) !=
        KW_MESSAGE_OK) {
        fail_message(check, "annotate", &error);
    } else if (walk.position_bytes != length_bytes) {
        golden_fail(check->golden, "%zu of %zu bytes were annotated", walk.position_bytes, length_bytes);
    }
    return walk;
}

/* The frame as segments, put together, must be the frame. */
static void check_scatter(struct check *check, const struct kw_frame *frame, const uint8_t *whole,
                          size_t whole_bytes, size_t records_bytes)
{
    struct kw_segment segments[SEGMENTS_MAX] = {{0}};
    struct kw_segment_list list = {.segments = segments, .capacity = SEGMENTS_MAX};
    struct kw_message_error error;
    struct kw_writer writer;
    size_t head_bytes = whole_bytes - records_bytes;
    kw_writer_init(&writer, golden_allocate(check->golden, head_bytes), head_bytes);
    if (kw_frame_encode(frame, &writer, &list, &error) != KW_MESSAGE_OK) {
        fail_message(check, "encode as segments", &error);
        return;
    }
    uint8_t *joined = golden_allocate(check->golden, whole_bytes);
    size_t joined_bytes = 0;
    for (size_t i = 0; i < list.count && joined_bytes + segments[i].length_bytes <= whole_bytes; i++) {
        memcpy(joined + joined_bytes, segments[i].bytes, segments[i].length_bytes);
        joined_bytes += segments[i].length_bytes;
    }
    golden_compare_bytes(check->golden, "segments", whole, whole_bytes, joined, joined_bytes);
}

/* Put the row's unknown tagged fields behind the known ones of the body, which come last in it. */
static void write_unknown(struct check *check, struct kw_writer *writer, const uint8_t *body,
                          size_t body_bytes)
{
    const cJSON *unknown = golden_array(check->golden, check->row, "unknown_tagged_fields");
    struct walk walk = annotate(check, body, body_bytes);
    size_t known_bytes = walk.tagged_offset_bytes + walk.tagged_prefix_bytes;
    kw_write_bytes(writer, body, walk.tagged_offset_bytes);
    kw_write_uvarint(writer, (uint32_t)(walk.tagged_count + cJSON_GetArraySize(unknown)));
    kw_write_bytes(writer, body + known_bytes, body_bytes - known_bytes);
    for (const cJSON *pair = unknown->child; pair != NULL; pair = pair->next) {
        cJSON *named = golden_new_object(check->golden);
        json_add(named, "tag", cJSON_Duplicate(cJSON_GetArrayItem(pair, 0), true));
        json_add(named, "data", cJSON_Duplicate(cJSON_GetArrayItem(pair, 1), true));
        size_t length_bytes = 0;
        const uint8_t *bytes = golden_bytes(check->golden, named, "data", &length_bytes);
        if (bytes == NULL) {
            golden_fail(check->golden, "an unknown tagged field has no data");
        }
        kw_write_uvarint(writer, (uint32_t)golden_integer_in(check->golden, named, "tag", 0, INT32_MAX));
        kw_write_uvarint(writer, (uint32_t)length_bytes);
        kw_write_bytes(writer, bytes, length_bytes);
    }
}

static void encode(struct check *check, cJSON *computed)
{
    const cJSON *header = json_member(check->row, "header");
    struct kw_frame frame = {.api = check->api,
                             .version = check->version,
                             .is_request = check->is_request,
                             .correlation_id = (int32_t)integer(check, header, "correlation_id", 32),
                             .client_id = {NULL, -1}};
    if (check->is_request && !cJSON_IsNull(json_member(header, "client_id"))) {
        frame.client_id.data = golden_text(check->golden, header, "client_id");
        frame.client_id.length_bytes = (int32_t)strlen(frame.client_id.data);
    }
    void *body = golden_allocate(check->golden, check->schema->struct_size_bytes);
    fill_struct(check, check->schema, json_member(check->row, "body"), body);
    frame.body = body;
    struct kw_message_error error;
    size_t size_bytes = 0;
    size_t records_bytes = 0;
    size_t body_bytes = 0;
    if (!golden_is_ok(check->golden)) {
        return;
    }
    if (kw_frame_size(&frame, &size_bytes, &records_bytes, &error) != KW_MESSAGE_OK ||
        kw_message_size(check->schema, check->version, body, &body_bytes, NULL, &error) != KW_MESSAGE_OK) {
        fail_message(check, "size", &error);
        return;
    }
    uint8_t *bytes = golden_allocate(check->golden, size_bytes);
    struct kw_writer writer;
    kw_writer_init(&writer, bytes, size_bytes);
    if (kw_frame_encode(&frame, &writer, NULL, &error) != KW_MESSAGE_OK) {
        fail_message(check, "encode", &error);
        return;
    }
    golden_compare_integer(check->golden, "size", (int64_t)size_bytes, (int64_t)writer.position_bytes);
    golden_compare_integer(check->golden, "length", (int64_t)size_bytes - KW_FRAME_LENGTH_BYTES,
                           kw_load_i32(bytes));
    check_scatter(check, &frame, bytes, size_bytes, records_bytes);
    size_t body_offset_bytes = size_bytes - body_bytes;
    if (json_member(check->row, "unknown_tagged_fields") != NULL) {
        size_t room_bytes = size_bytes + strlen(golden_text(check->golden, check->row, "frame_hex"));
        struct kw_writer extended;
        kw_writer_init(&extended, golden_allocate(check->golden, room_bytes), room_bytes);
        kw_write_bytes(&extended, bytes, body_offset_bytes);
        write_unknown(check, &extended, bytes + body_offset_bytes, body_bytes);
        bytes = extended.bytes;
        size_bytes = extended.position_bytes;
    }
    json_add_hex(computed, "frame_hex", bytes + KW_FRAME_LENGTH_BYTES, size_bytes - KW_FRAME_LENGTH_BYTES);
}

/* What is read back of the header. False: it cannot be. */
static bool decode_header(struct check *check, struct kw_reader *reader, cJSON *header)
{
    struct kw_request_header request;
    struct kw_response_header response;
    struct kw_message_error error;
    const struct kw_api *api = check->api;
    enum kw_message_status status =
        check->is_request ? kw_request_header_decode(reader, &request, &api, &error)
                          : kw_response_header_decode(check->api, check->version, reader, &response, &error);
    if (status != KW_MESSAGE_OK) {
        fail_message(check, "header", &error);
        return false;
    }
    json_add_integer(header, "correlation_id",
                     check->is_request ? request.correlation_id : response.correlation_id);
    if (check->is_request) {
        golden_compare_integer(check->golden, "api_key", check->api->key, request.request_api_key);
        golden_compare_integer(check->golden, "version", check->version, request.request_api_version);
        add_string(check, &request.client_id, header, "client_id");
    }
    return true;
}

static void decode(struct check *check, cJSON *computed)
{
    cJSON *header = cJSON_CreateObject();
    cJSON *body = cJSON_CreateObject();
    json_add(computed, "header", header);
    json_add(computed, "body", body);
    size_t length_bytes = 0;
    const uint8_t *bytes = golden_bytes(check->golden, check->row, "frame_hex", &length_bytes);
    struct kw_reader reader;
    kw_reader_init(&reader, bytes, length_bytes);
    if (bytes == NULL || !decode_header(check, &reader, header)) {
        return;
    }
    (void)annotate(check, bytes + reader.position_bytes, length_bytes - reader.position_bytes);
    struct kw_message_error error;
    void *message = golden_allocate(check->golden, check->schema->struct_size_bytes);
    if (kw_message_decode(check->schema, check->version, &reader, &check->arena, message, &error) !=
        KW_MESSAGE_OK) {
        fail_message(check, "decode", &error);
        return;
    }
    golden_compare_integer(check->golden, "bytes behind the message", 0,
                           (int64_t)kw_reader_remaining_bytes(&reader));
    add_struct(check, check->schema, message, body);
}

void golden_check_protocol(struct golden_case *golden, const cJSON *row)
{
    const char *kind = golden_text(golden, row, "kind");
    struct check check = {.golden = golden,
                          .row = row,
                          .api = kw_api_find_name(golden_text(golden, row, "api")),
                          .version = (int16_t)golden_integer_in(golden, row, "version", 0, INT16_MAX),
                          .is_request = strcmp(kind, "request") == 0,
                          .allocator = {golden, allocate, release}};
    check.schema = check.api == NULL ? NULL : check.is_request ? check.api->request : check.api->response;
    if (check.schema == NULL || (!check.is_request && strcmp(kind, "response") != 0)) {
        golden_fail(golden, "no such message");
        return;
    }
    kb_arena_init(&check.arena, &check.allocator, ARENA_BLOCK_BYTES, 0);
    cJSON *computed = golden_new_object(golden);
    json_add_text(computed, "api", check.api->name);
    json_add_integer(computed, "api_key", check.api->key);
    json_add_integer(computed, "version", check.version);
    json_add_text(computed, "kind", kind);
    json_add_text(computed, "filling", golden_text(golden, row, "filling"));
    json_add_integer(computed, "header_version",
                     check.is_request ? kw_api_request_header_version(check.api, check.version)
                                      : kw_api_response_header_version(check.api, check.version));
    if (json_member(row, "unknown_tagged_fields") != NULL) {
        json_add(computed, "unknown_tagged_fields",
                 cJSON_Duplicate(golden_array(golden, row, "unknown_tagged_fields"), true));
    }
    encode(&check, computed);
    decode(&check, computed);
    golden_compare(golden, "", row, computed);
}
