/**
 * Whole requests and responses as they stand on a connection: a length of four bytes, a header, a body.
 *
 * Which version the header has follows from the API and its version. Whoever reads from a connection takes
 * the length itself; the functions that decode begin behind it.
 *
 * Kafka: org.apache.kafka.common.requests.RequestHeader, ResponseHeader, RequestUtils.serialize, SendBuilder.
 */
#ifndef KW_API_FRAME_H
#define KW_API_FRAME_H

#include "wire/api_keys.h"
#include "wire/message_structs.h"

enum { KW_FRAME_LENGTH_BYTES = 4 };

/** What is to be sent. Borrows everything. */
struct kw_frame {
    const struct kw_api *api;
    int16_t version;
    bool is_request;
    int32_t correlation_id;
    /** Of a request; may be null. */
    struct kw_string client_id;
    /** The struct of the API's request or response. */
    const void *body;
};

/**
 * Bytes of the frame with its length; *records_size_bytes (may be NULL) of them are record batches.
 *   as kw_message_size(); KW_MESSAGE_UNSUPPORTED_VERSION also for an API without a schema
 */
enum kw_message_status kw_frame_size(const struct kw_frame *frame, size_t *size_bytes,
                                     size_t *records_size_bytes, struct kw_message_error *error)
    __attribute__((warn_unused_result));

/**
 * Append the frame to the writer. With a list, record batches are not copied: the segments of the list are
 * the frame, and the writer needs room for the rest only; see kw_message_encode_scatter(). Without (NULL),
 * the writer holds it all. as kw_message_encode_scatter(), and as kw_frame_size()
 */
enum kw_message_status kw_frame_encode(const struct kw_frame *frame, struct kw_writer *writer,
                                       struct kw_segment_list *list, struct kw_message_error *error)
    __attribute__((warn_unused_result));

/**
 * Read the header of a request; *api gets whose request it is. Does not ask whether the API has that version,
 * since a broker answers an ApiVersions request of any version. KW_MESSAGE_UNSUPPORTED_VERSION   there is no
 * API with that key; *api is NULL KW_MESSAGE_MALFORMED, _NULL, _TOO_LONG
 */
enum kw_message_status kw_request_header_decode(struct kw_reader *reader, struct kw_request_header *header,
                                                const struct kw_api **api, struct kw_message_error *error)
    __attribute__((warn_unused_result));

/**
 * Read the header of the response to a request of that API and version.
 *   KW_MESSAGE_MALFORMED
 */
enum kw_message_status kw_response_header_decode(const struct kw_api *api, int16_t version,
                                                 struct kw_reader *reader, struct kw_response_header *header,
                                                 struct kw_message_error *error)
    __attribute__((warn_unused_result));

#endif
