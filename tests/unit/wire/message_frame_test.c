/* Whole frames: headers, record batches left in place, and the annotation of bytes. */
#include "unit.h"
#include "wire/api_frame.h"

#include <stdio.h>
#include <string.h>

static struct kw_string text(const char *characters)
{
    return (struct kw_string){characters, (int32_t)strlen(characters)};
}

/* A Produce request with two partitions that have batches, and one without. */
struct produce {
    struct kw_produce_request_partition partitions[3];
    struct kw_produce_request_topic topic;
    struct kw_produce_request request;
    struct kw_frame frame;
};

static void make_produce(struct produce *produce, int16_t version)
{
    static const uint8_t batches[] = "first batchsecond";
    for (int32_t i = 0; i < 3; i++) {
        kw_produce_request_partition_init(&produce->partitions[i]);
        produce->partitions[i].index = i;
    }
    produce->partitions[0].records = (struct kw_bytes){batches, 11};
    produce->partitions[2].records = (struct kw_bytes){batches + 11, 6};
    kw_produce_request_topic_init(&produce->topic);
    produce->topic.name = text("t");
    produce->topic.partition_data = (struct kw_produce_request_partition_array){produce->partitions, 3};
    kw_produce_request_init(&produce->request);
    produce->request.acks = -1;
    produce->request.timeout_ms = 30000;
    produce->request.topic_data = (struct kw_produce_request_topic_array){&produce->topic, 1};
    produce->frame = (struct kw_frame){.api = kw_api_find(KW_API_PRODUCE),
                                       .version = version,
                                       .is_request = true,
                                       .correlation_id = 5,
                                       .client_id = text("c"),
                                       .body = &produce->request};
}

static void batches_stay_where_they_are(void)
{
    for (int16_t version = 0; version <= 9; version++) {
        struct produce produce;
        uint8_t whole[256];
        uint8_t head[256];
        uint8_t joined[256];
        struct kw_writer writer;
        size_t size_bytes = 0;
        size_t records_bytes = 0;
        make_produce(&produce, version);
        CU_ASSERT_EQUAL(kw_frame_size(&produce.frame, &size_bytes, &records_bytes, NULL), KW_MESSAGE_OK);
        CU_ASSERT_EQUAL(records_bytes, 17);
        kw_writer_init(&writer, whole, sizeof whole);
        CU_ASSERT_EQUAL(kw_frame_encode(&produce.frame, &writer, NULL, NULL), KW_MESSAGE_OK);
        CU_ASSERT_EQUAL(writer.position_bytes, size_bytes);
        CU_ASSERT_EQUAL((size_t)kw_load_i32(whole), size_bytes - KW_FRAME_LENGTH_BYTES);

        struct kw_segment segments[5];
        struct kw_segment_list list = {.segments = segments, .capacity = 5};
        kw_writer_init(&writer, head, size_bytes - records_bytes);
        CU_ASSERT_EQUAL(kw_frame_encode(&produce.frame, &writer, &list, NULL), KW_MESSAGE_OK);
        /* In flexible versions the tags of the structures stand behind the last batch. */
        CU_ASSERT_EQUAL_FATAL(list.count, version >= 9 ? 5 : 4);
        CU_ASSERT_PTR_EQUAL(segments[0].bytes, head);
        CU_ASSERT_PTR_EQUAL(segments[1].bytes, produce.partitions[0].records.bytes);
        CU_ASSERT_EQUAL(segments[1].length_bytes, 11);
        CU_ASSERT_PTR_EQUAL(segments[3].bytes, produce.partitions[2].records.bytes);
        size_t joined_bytes = 0;
        for (size_t i = 0; i < list.count; i++) {
            memcpy(joined + joined_bytes, segments[i].bytes, segments[i].length_bytes);
            joined_bytes += segments[i].length_bytes;
        }
        CU_ASSERT_EQUAL(joined_bytes, size_bytes);
        CU_ASSERT_EQUAL(memcmp(joined, whole, size_bytes), 0);

        for (size_t capacity = 0; capacity < list.count; capacity++) {
            struct kw_segment_list small = {.segments = segments, .capacity = capacity};
            kw_writer_init(&writer, head, sizeof head);
            CU_ASSERT_EQUAL(kw_frame_encode(&produce.frame, &writer, &small, NULL), KW_MESSAGE_NO_ROOM);
        }
    }
}

/* Two frames in one writer and one list, one after the other. */
static void frames_follow_each_other(void)
{
    struct produce produce;
    uint8_t head[256];
    struct kw_segment segments[16];
    struct kw_segment_list list = {.segments = segments, .capacity = 16};
    struct kw_writer writer;
    size_t size_bytes = 0;
    make_produce(&produce, 9);
    CU_ASSERT_EQUAL(kw_frame_size(&produce.frame, &size_bytes, NULL, NULL), KW_MESSAGE_OK);
    kw_writer_init(&writer, head, sizeof head);
    CU_ASSERT_EQUAL(kw_frame_encode(&produce.frame, &writer, &list, NULL), KW_MESSAGE_OK);
    size_t second = writer.position_bytes;
    CU_ASSERT_EQUAL(kw_frame_encode(&produce.frame, &writer, &list, NULL), KW_MESSAGE_OK);
    CU_ASSERT_EQUAL(list.count, 10);
    CU_ASSERT_PTR_EQUAL(segments[5].bytes, head + second);
    CU_ASSERT_EQUAL((size_t)kw_load_i32(head), size_bytes - KW_FRAME_LENGTH_BYTES);
    CU_ASSERT_EQUAL((size_t)kw_load_i32(head + second), size_bytes - KW_FRAME_LENGTH_BYTES);
    CU_ASSERT_EQUAL(memcmp(head, head + second, second), 0);
}

static void headers_have_their_versions(void)
{
    const struct kw_api *produce = kw_api_find(KW_API_PRODUCE);
    const struct kw_api *versions = kw_api_find(KW_API_API_VERSIONS);
    const struct kw_api *shutdown = kw_api_find(KW_API_CONTROLLED_SHUTDOWN);
    const struct kw_api *handshake = kw_api_find(KW_API_SASL_HANDSHAKE);
    CU_ASSERT_EQUAL(kw_api_request_header_version(produce, 8), 1);
    CU_ASSERT_EQUAL(kw_api_request_header_version(produce, 9), 2);
    CU_ASSERT_EQUAL(kw_api_response_header_version(produce, 8), 0);
    CU_ASSERT_EQUAL(kw_api_response_header_version(produce, 9), 1);
    CU_ASSERT_EQUAL(kw_api_request_header_version(versions, 3), 2);
    CU_ASSERT_EQUAL(kw_api_response_header_version(versions, 3), 0);
    CU_ASSERT_EQUAL(kw_api_request_header_version(shutdown, 0), 0);
    CU_ASSERT_EQUAL(kw_api_request_header_version(shutdown, 1), 1);
    CU_ASSERT_EQUAL(kw_api_request_header_version(shutdown, 3), 2);
    CU_ASSERT_EQUAL(kw_api_request_header_version(handshake, 1), 1);
    CU_ASSERT_EQUAL(kw_api_response_header_version(handshake, 1), 0);
}

static void request_headers_say_whose_they_are(void)
{
    struct kw_reader reader;
    struct kw_request_header header;
    const struct kw_api *api = NULL;
    const uint8_t newer[] = {0, 18, 0, 99, 0, 0, 0, 7, 0, 1, 'c', 0, 55};
    kw_reader_init(&reader, newer, sizeof newer);
    CU_ASSERT_EQUAL(kw_request_header_decode(&reader, &header, &api, NULL), KW_MESSAGE_OK);
    CU_ASSERT_PTR_EQUAL(api, kw_api_find(KW_API_API_VERSIONS));
    CU_ASSERT_EQUAL(header.request_api_version, 99);
    CU_ASSERT_EQUAL(header.correlation_id, 7);
    CU_ASSERT_EQUAL(header.client_id.length_bytes, 1);
    CU_ASSERT_EQUAL(kw_reader_remaining_bytes(&reader), 1);
    const uint8_t unknown[] = {0, 68, 0, 0, 0, 0, 0, 7, 0, 1, 'c'};
    struct kw_message_error error;
    kw_reader_init(&reader, unknown, sizeof unknown);
    CU_ASSERT_EQUAL(kw_request_header_decode(&reader, &header, &api, &error), KW_MESSAGE_UNSUPPORTED_VERSION);
    CU_ASSERT_PTR_NULL(api);
    CU_ASSERT(!kw_reader_is_ok(&reader));
    for (size_t cut = 0; cut < 11; cut++) {
        kw_reader_init(&reader, newer, cut);
        CU_ASSERT_EQUAL(kw_request_header_decode(&reader, &header, &api, NULL), KW_MESSAGE_MALFORMED);
    }
}

static void a_frame_without_schema_is_an_error(void)
{
    uint8_t bytes[16];
    struct kw_writer writer;
    struct kw_message_error error;
    size_t size_bytes = 0;
    struct kw_frame frame = {.api = kw_api_find(KW_API_VOTE), .is_request = true, .body = bytes};
    kw_writer_init(&writer, bytes, sizeof bytes);
    CU_ASSERT_EQUAL(kw_frame_size(&frame, &size_bytes, NULL, NULL), KW_MESSAGE_UNSUPPORTED_VERSION);
    CU_ASSERT_EQUAL(kw_frame_encode(&frame, &writer, NULL, &error), KW_MESSAGE_UNSUPPORTED_VERSION);
    CU_ASSERT_EQUAL(error.status, KW_MESSAGE_UNSUPPORTED_VERSION);
}

struct lines {
    char text[4096];
    size_t length;
};

static void add_line(void *context, const struct kw_annotation *annotation)
{
    static const char phases[] = {'=', '<', '>'};
    struct lines *lines = context;
    int added = snprintf(lines->text + lines->length, sizeof lines->text - lines->length,
                         "%*s%c %s[%d] %zu+%zu(%zu) %d%s %lld %d\n", (int)annotation->depth, "",
                         phases[annotation->phase], annotation->name, (int)annotation->index,
                         annotation->offset_bytes, annotation->length_bytes, annotation->prefix_bytes,
                         (int)annotation->type, annotation->is_null ? " null" : "",
                         (long long)annotation->integer, (int)annotation->content.length_bytes);
    lines->length += (size_t)added;
}

static void annotations_tell_each_byte(void)
{
    const uint8_t bytes[] = {0,                 /* transactionalId: null */
                             0xff, 0xff,        /* acks */
                             0,    0,    0, 9,  /* timeoutMs */
                             2,                 /* topicData: 1 */
                             2,    't',         /* name */
                             2,                 /* partitionData: 1 */
                             0,    0,    0, 3,  /* index */
                             3,    8,    9,     /* records */
                             0,                 /* tagged fields of the partition */
                             0,                 /* of the topic */
                             1,    77,   1, 5}; /* of the request: one that nobody knows */
    static const char expected[] = "= transactionalId[-1] 0+1(1) 3 null 0 0\n"
                                   "= acks[-1] 1+2(0) 1 -1 0\n"
                                   "= timeoutMs[-1] 3+4(0) 1 9 0\n"
                                   "< topicData[-1] 7+1(1) 7 1 0\n"
                                   " < topicData[0] 8+0(0) 6 0 0\n"
                                   "  = name[-1] 8+2(1) 3 0 1\n"
                                   "  < partitionData[-1] 10+1(1) 7 1 0\n"
                                   "   < partitionData[0] 11+0(0) 6 0 0\n"
                                   "    = index[-1] 11+4(0) 1 3 0\n"
                                   "    = records[-1] 15+3(1) 5 0 2\n"
                                   "    < taggedFields[-1] 18+1(1) 8 0 0\n"
                                   "    > taggedFields[-1] 18+1(1) 8 0 0\n"
                                   "   > partitionData[0] 11+8(0) 6 0 0\n"
                                   "  > partitionData[-1] 10+9(1) 7 1 0\n"
                                   "  < taggedFields[-1] 19+1(1) 8 0 0\n"
                                   "  > taggedFields[-1] 19+1(1) 8 0 0\n"
                                   " > topicData[0] 8+12(0) 6 0 0\n"
                                   "> topicData[-1] 7+13(1) 7 1 0\n"
                                   "< taggedFields[-1] 20+1(1) 8 1 0\n"
                                   " = unknownTaggedField[-1] 21+3(2) 9 77 1\n"
                                   "> taggedFields[-1] 20+4(1) 8 1 0\n";
    struct lines lines = {.length = 0};
    CU_ASSERT_EQUAL(
        kw_message_annotate(&kw_produce_request_schema, 9, bytes, sizeof bytes, add_line, &lines, NULL),
        KW_MESSAGE_OK);
    CU_ASSERT_STRING_EQUAL(lines.text, expected);
    /* Without the last byte everything up to it is told. */
    struct kw_message_error error;
    lines.length = 0;
    CU_ASSERT_EQUAL(
        kw_message_annotate(&kw_produce_request_schema, 9, bytes, sizeof bytes - 1, add_line, &lines, &error),
        KW_MESSAGE_MALFORMED);
    CU_ASSERT_EQUAL(strncmp(lines.text, expected, lines.length), 0);
    CU_ASSERT_EQUAL(error.offset_bytes, 23);
}

static void a_known_tag_is_told_with_its_size(void)
{
    const uint8_t partition[] = {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 9, 0, 0, 0, 7, 0, 0, 0, 8, 0};
    struct lines lines = {.length = 0};
    CU_ASSERT_EQUAL(kw_message_annotate(&kw_fetch_response_partition_schema, 12, partition, sizeof partition,
                                        add_line, &lines, NULL),
                    KW_MESSAGE_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(lines.text, " < currentLeader[-1] 37+2(2) 6 0 0\n"
                                              "  = leaderId[-1] 39+4(0) 1 7 0\n"
                                              "  = leaderEpoch[-1] 43+4(0) 1 8 0\n"
                                              "  < taggedFields[-1] 47+1(1) 8 0 0\n"
                                              "  > taggedFields[-1] 47+1(1) 8 0 0\n"
                                              " > currentLeader[-1] 37+11(2) 6 0 0\n"
                                              "> taggedFields[-1] 36+12(1) 8 1 0\n"));
}

int main(void)
{
    return unit_main(
        "message_frame",
        (struct unit_test[]){{"batches stay where they are", batches_stay_where_they_are},
                             {"frames follow each other", frames_follow_each_other},
                             {"headers have their versions", headers_have_their_versions},
                             {"request headers say whose they are", request_headers_say_whose_they_are},
                             {"a frame without schema is an error", a_frame_without_schema_is_an_error},
                             {"annotations tell each byte", annotations_tell_each_byte},
                             {"a known tag is told with its size", a_known_tag_is_told_with_its_size},
                             {0}});
}
