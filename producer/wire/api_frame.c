#include "wire/api_frame.h"

/* The header as one of the two structs, and the schema and version that go with it. */
struct header {
    struct kw_request_header request;
    struct kw_response_header response;
    const struct kw_schema *schema;
    const void *message;
    int16_t version;
};

static void make_header(const struct kw_frame *frame, struct header *header)
{
    kw_request_header_init(&header->request);
    kw_response_header_init(&header->response);
    header->request.request_api_key = frame->api->key;
    header->request.request_api_version = frame->version;
    header->request.correlation_id = frame->correlation_id;
    header->request.client_id = frame->client_id;
    header->response.correlation_id = frame->correlation_id;
    if (frame->is_request) {
        header->schema = &kw_request_header_schema;
        header->message = &header->request;
        header->version = kw_api_request_header_version(frame->api, frame->version);
    } else {
        header->schema = &kw_response_header_schema;
        header->message = &header->response;
        header->version = kw_api_response_header_version(frame->api, frame->version);
    }
}

static const struct kw_schema *body_schema(const struct kw_frame *frame, struct kw_message_error *error)
{
    const struct kw_schema *schema = frame->is_request ? frame->api->request : frame->api->response;
    if (schema == NULL && error != NULL) {
        *error =
            (struct kw_message_error){.status = KW_MESSAGE_UNSUPPORTED_VERSION, .version = frame->version};
    }
    return schema;
}

enum kw_message_status kw_frame_size(const struct kw_frame *frame, size_t *size_bytes,
                                     size_t *records_size_bytes, struct kw_message_error *error)
{
    struct header header;
    size_t header_bytes = 0;
    size_t body_bytes = 0;
    const struct kw_schema *schema = body_schema(frame, error);
    if (schema == NULL) {
        return KW_MESSAGE_UNSUPPORTED_VERSION;
    }
    make_header(frame, &header);
    enum kw_message_status status =
        kw_message_size(header.schema, header.version, header.message, &header_bytes, NULL, error);
    if (status == KW_MESSAGE_OK) {
        status = kw_message_size(schema, frame->version, frame->body, &body_bytes, records_size_bytes, error);
    }
    *size_bytes = KW_FRAME_LENGTH_BYTES + header_bytes + body_bytes;
    return status;
}

static size_t listed_bytes(const struct kw_segment_list *list, size_t first)
{
    size_t sum_bytes = 0;
    for (size_t i = first; i < list->count; i++) {
        sum_bytes += list->segments[i].length_bytes;
    }
    return sum_bytes;
}

enum kw_message_status kw_frame_encode(const struct kw_frame *frame, struct kw_writer *writer,
                                       struct kw_segment_list *list, struct kw_message_error *error)
{
    struct header header;
    const struct kw_schema *schema = body_schema(frame, error);
    if (schema == NULL) {
        return KW_MESSAGE_UNSUPPORTED_VERSION;
    }
    make_header(frame, &header);
    size_t begin_bytes = writer->position_bytes;
    size_t first_segment = list != NULL ? list->count : 0;
    size_t uncovered_bytes = list != NULL ? begin_bytes - list->covered_bytes : 0;
    kw_write_i32(writer, 0);
    enum kw_message_status status =
        kw_message_encode(header.schema, header.version, header.message, writer, error);
    if (status == KW_MESSAGE_OK) {
        status = list != NULL
                     ? kw_message_encode_scatter(schema, frame->version, frame->body, writer, list, error)
                     : kw_message_encode(schema, frame->version, frame->body, writer, error);
    }
    if (status != KW_MESSAGE_OK) {
        return status;
    }
    size_t whole_bytes = list != NULL ? listed_bytes(list, first_segment) - uncovered_bytes
                                      : writer->position_bytes - begin_bytes;
    size_t length_bytes = whole_bytes - KW_FRAME_LENGTH_BYTES;
    if (length_bytes > INT32_MAX) {
        if (error != NULL) {
            *error = (struct kw_message_error){
                .status = KW_MESSAGE_TOO_LONG, .schema = schema, .version = frame->version};
        }
        return KW_MESSAGE_TOO_LONG;
    }
    if (writer->bytes != NULL) {
        kw_store_i32(writer->bytes + begin_bytes, (int32_t)length_bytes);
    }
    return KW_MESSAGE_OK;
}

enum kw_message_status kw_request_header_decode(struct kw_reader *reader, struct kw_request_header *header,
                                                const struct kw_api **api, struct kw_message_error *error)
{
    struct kw_reader ahead = *reader;
    int16_t key = kw_read_i16(&ahead);
    int16_t version = kw_read_i16(&ahead);
    if (kw_reader_is_ok(&ahead)) {
        *api = kw_api_find(key);
        if (*api == NULL) {
            kw_reader_fail(reader);
            if (error != NULL) {
                *error = (struct kw_message_error){.status = KW_MESSAGE_UNSUPPORTED_VERSION,
                                                   .schema = &kw_request_header_schema,
                                                   .version = version};
            }
            return KW_MESSAGE_UNSUPPORTED_VERSION;
        }
    } else {
        *api = NULL;
    }
    /* With too few bytes for a version, any will do to say so. */
    int16_t header_version = 1;
    if (*api != NULL) {
        header_version = kw_api_request_header_version(*api, version);
    }
    return kw_message_decode(&kw_request_header_schema, header_version, reader, NULL, header, error);
}

enum kw_message_status kw_response_header_decode(const struct kw_api *api, int16_t version,
                                                 struct kw_reader *reader, struct kw_response_header *header,
                                                 struct kw_message_error *error)
{
    return kw_message_decode(&kw_response_header_schema, kw_api_response_header_version(api, version), reader,
                             NULL, header, error);
}
