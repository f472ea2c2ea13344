#include "mockbroker/fault.h"

#include "base/assert.h"
#include "mockbroker/broker.h"
#include "mockbroker/connection.h"
#include "mockbroker/partition.h"
#include "mockbroker/request.h"
#include "wire/message_structs.h"
#include "wire/record_batch.h"

#include <string.h>

enum { LAST_CODE = 105 };

void mb_faults_init(struct mb_faults *faults)
{
    *faults = (struct mb_faults){.request_cut_count = 0};
    kb_list_init(&faults->queue);
    kb_list_init(&faults->hits);
}

/* --- What can be injected
 * ---------------------------------------------------------------------------------------------- */

static const char *check_point(const struct mb_request_fault *fault)
{
    bool is_append = fault->point == MB_POINT_BEFORE_APPEND || fault->point == MB_POINT_AFTER_APPEND ||
                     fault->point == MB_POINT_AFTER_REPLICATION;
    bool is_cut = fault->point == MB_POINT_REQUEST_CUT || fault->point == MB_POINT_RESPONSE_CUT;
    switch (fault->kind) {
    case MB_FAULT_ERROR:
    case MB_FAULT_DELAY_RESPONSE:
    case MB_FAULT_THROTTLE:
    case MB_FAULT_CORRUPT_BATCH:
        return fault->point == MB_POINT_NONE ? NULL : "it has a place of its own, and takes no point";
    case MB_FAULT_DROP_REQUEST:
        return fault->point == MB_POINT_NONE || fault->point == MB_POINT_REQUEST_RECEIVED ||
                       fault->point == MB_POINT_BEFORE_APPEND
                   ? NULL
                   : "a request can be dropped only at request_received or before_append";
    case MB_FAULT_DROP_RESPONSE:
        return fault->point == MB_POINT_NONE || fault->point == MB_POINT_AFTER_APPEND ||
                       fault->point == MB_POINT_AFTER_REPLICATION || fault->point == MB_POINT_BEFORE_RESPONSE
                   ? NULL
                   : "a response can be dropped only at after_append, after_replication or before_response";
    case MB_FAULT_SHUTDOWN:
    case MB_FAULT_FREEZE:
    case MB_FAULT_CUT_LINKS:
        if (is_cut) {
            return "only kill and disconnect can end a connection in the middle of a frame";
        }
        break;
    case MB_FAULT_KILL:
    case MB_FAULT_DISCONNECT:
        break;
    }
    if (fault->point == MB_POINT_NONE && fault->kind != MB_FAULT_DISCONNECT) {
        return "it needs a point";
    }
    return is_append && fault->api != KW_API_PRODUCE ? "only Produce appends" : NULL;
}

static const char *check_filter(const struct mb_request_fault *fault)
{
    bool has_partition = fault->partition != -1;
    bool has_content = fault->topic != NULL || has_partition;
    if (fault->api < INT16_MIN || fault->api > INT16_MAX || !mb_api_is_served((int16_t)fault->api)) {
        return "the cluster does not serve this API";
    }
    if (has_content && fault->point == MB_POINT_REQUEST_CUT) {
        return "half of a request does not tell its topics and partitions";
    }
    if (has_content && fault->api != KW_API_PRODUCE && fault->api != KW_API_FETCH &&
        fault->api != KW_API_LIST_OFFSETS && (fault->api != KW_API_METADATA || has_partition)) {
        return fault->api == KW_API_METADATA ? "Metadata asks for topics, not for partitions"
                                             : "requests of this API name no topics";
    }
    if (fault->kind == MB_FAULT_CORRUPT_BATCH && fault->api != KW_API_PRODUCE && fault->api != KW_API_FETCH) {
        return "only Produce and Fetch move batches";
    }
    if (fault->kind == MB_FAULT_CORRUPT_BATCH && fault->api == KW_API_FETCH && fault->client != NULL) {
        return "a follower's fetch is no producer's";
    }
    return NULL;
}

const char *mb_fault_check(const struct mb_request_fault *fault)
{
    if (fault->count == 0) {
        return "it must strike at least once";
    }
    if (fault->delay_us < 0 || fault->undo_after_us < 0) {
        return "times are not negative";
    }
    if (fault->kind == MB_FAULT_ERROR && (fault->code < -1 || fault->code > LAST_CODE)) {
        return "Kafka has no such error";
    }
    if (fault->cut_bytes > 0 && fault->point != MB_POINT_RESPONSE_CUT) {
        return "only at response_cut some bytes leave and others do not";
    }
    const char *complaint = check_filter(fault);
    return complaint != NULL ? complaint : check_point(fault);
}

/* --- The queue
 * ---------------------------------------------------------------------------------------------------------
 */

static char *copy_text(struct mb_cluster *cluster, const char *text, int32_t *length_bytes)
{
    if (text == NULL) {
        return NULL;
    }
    *length_bytes = (int32_t)strlen(text);
    char *copy = mb_take(cluster->allocator, (size_t)*length_bytes + 1);
    memcpy(copy, text, (size_t)*length_bytes);
    return copy;
}

/* Of a request that was parked the frame may be gone when such a fault asks what it was for. */
static bool asks_late(const struct mb_request_fault *fault)
{
    return (fault->topic != NULL || fault->partition != -1) && fault->api != KW_API_PRODUCE &&
           fault->point >= MB_POINT_BEFORE_RESPONSE;
}

static void destroy(struct mb_cluster *cluster, struct mb_injected *injected)
{
    cluster->faults.request_cut_count -= injected->fault.point == MB_POINT_REQUEST_CUT;
    cluster->faults.late_filter_count -= asks_late(&injected->fault);
    if (injected->topic != NULL) {
        mb_give(cluster->allocator, injected->topic, (size_t)injected->topic_length_bytes + 1);
    }
    if (injected->client != NULL) {
        mb_give(cluster->allocator, injected->client, (size_t)injected->client_length_bytes + 1);
    }
    mb_give(cluster->allocator, injected, sizeof *injected);
}

void mb_faults_release(struct mb_cluster *cluster)
{
    struct kb_list_node *node;
    while ((node = kb_list_pop_front(&cluster->faults.queue)) != NULL) {
        destroy(cluster, KB_CONTAINER_OF(node, struct mb_injected, node));
    }
    KB_ASSERT(kb_list_is_empty(&cluster->faults.hits)); /* every call of the public side settles them */
}

bool mb_inject(struct mb_cluster *cluster, const struct mb_request_fault *fault)
{
    if (mb_fault_check(fault) != NULL ||
        (fault->broker != -1 && mb_broker_of(cluster, fault->broker) == NULL)) {
        return false;
    }
    struct mb_injected *injected = mb_take(cluster->allocator, sizeof *injected);
    *injected = (struct mb_injected){.fault = *fault};
    injected->topic = copy_text(cluster, fault->topic, &injected->topic_length_bytes);
    injected->client = copy_text(cluster, fault->client, &injected->client_length_bytes);
    injected->fault.topic = injected->topic;
    injected->fault.client = injected->client;
    cluster->faults.request_cut_count += fault->point == MB_POINT_REQUEST_CUT;
    cluster->faults.late_filter_count += asks_late(fault);
    kb_list_push_back(&cluster->faults.queue, &injected->node);
    return true;
}

bool mb_injected_counts(struct mb_injected *injected)
{
    if (injected->fault.skip > 0) {
        injected->fault.skip--;
        return false;
    }
    return true;
}

void mb_injected_spend(struct mb_cluster *cluster, struct mb_injected *injected)
{
    if (--injected->fault.count == 0) {
        kb_list_remove(&injected->node);
        destroy(cluster, injected);
    }
}

/* --- The filter
 * -------------------------------------------------------------------------------------------------------- */

static bool is_same(const char *text, int32_t length_bytes, struct kw_string other)
{
    return other.length_bytes == length_bytes &&
           (length_bytes <= 0 || memcmp(other.data, text, (size_t)length_bytes) == 0);
}

bool mb_injected_meets(const struct mb_injected *injected, const struct mb_broker *broker,
                       struct kw_string client, int32_t api)
{
    return injected->fault.api == api &&
           (injected->fault.broker == -1 || injected->fault.broker == broker->id) &&
           (injected->client == NULL || is_same(injected->client, injected->client_length_bytes, client));
}

static bool names_topic(const struct mb_injected *injected, struct kw_string name)
{
    return injected->topic == NULL || is_same(injected->topic, injected->topic_length_bytes, name);
}

static bool names_partition(const struct mb_injected *injected, int32_t partition)
{
    return injected->fault.partition == -1 || injected->fault.partition == partition;
}

bool mb_injected_names(const struct mb_injected *injected, struct kw_string topic, int32_t partition)
{
    return names_topic(injected, topic) && names_partition(injected, partition);
}

#define MEETS_PARTITIONED(REQUEST, topics_, name_, partitions_, index_)                                      \
    for (int32_t i = 0; i < (REQUEST)->topics_.count; i++) {                                                 \
        for (int32_t j = 0; j < (REQUEST)->topics_.items[i].partitions_.count; j++) {                        \
            if (names_topic(injected, (REQUEST)->topics_.items[i].name_) &&                                  \
                names_partition(injected, (REQUEST)->topics_.items[i].partitions_.items[j].index_)) {        \
                return true;                                                                                 \
            }                                                                                                \
        }                                                                                                    \
    }

bool mb_injected_meets_content(const struct mb_injected *injected, const struct mb_request *request)
{
    if (injected->topic == NULL && injected->fault.partition == -1) {
        return true;
    }
    if (request->body == NULL || !mb_request_content_is_there(request)) {
        return false;
    }
    if (request->api->key == KW_API_PRODUCE) {
        const struct kw_produce_request *produce = request->body;
        MEETS_PARTITIONED(produce, topic_data, name, partition_data, index)
    } else if (request->api->key == KW_API_FETCH) {
        const struct kw_fetch_request *fetch = request->body;
        MEETS_PARTITIONED(fetch, topics, topic, partitions, partition)
    } else if (request->api->key == KW_API_LIST_OFFSETS) {
        const struct kw_list_offsets_request *list = request->body;
        MEETS_PARTITIONED(list, topics, name, partitions, partition_index)
    } else if (request->api->key == KW_API_METADATA) {
        const struct kw_metadata_request *metadata = request->body;
        for (int32_t i = 0; i < metadata->topics.count; i++) {
            if (names_topic(injected, metadata->topics.items[i].name)) {
                return true;
            }
        }
    }
    return false;
}

int32_t mb_fault_trace_kind(enum mb_request_fault_kind kind)
{
    switch (kind) {
    case MB_FAULT_ERROR:
        return KB_FAULT_KIND_ERROR;
    case MB_FAULT_DELAY_RESPONSE:
        return KB_FAULT_KIND_DELAY_RESPONSE;
    case MB_FAULT_DROP_RESPONSE:
        return KB_FAULT_KIND_DROP_RESPONSE;
    case MB_FAULT_DROP_REQUEST:
        return KB_FAULT_KIND_DROP_REQUEST;
    case MB_FAULT_DISCONNECT:
        return KB_FAULT_KIND_DISCONNECT;
    case MB_FAULT_THROTTLE:
        return KB_FAULT_KIND_THROTTLE;
    case MB_FAULT_CORRUPT_BATCH:
        return KB_FAULT_KIND_CORRUPT_BATCH;
    case MB_FAULT_KILL:
        return KB_FAULT_KIND_KILL;
    case MB_FAULT_SHUTDOWN:
        return KB_FAULT_KIND_SHUTDOWN;
    case MB_FAULT_FREEZE:
        return KB_FAULT_KIND_FREEZE;
    case MB_FAULT_CUT_LINKS:
        return KB_FAULT_KIND_CUT;
    }
    KB_UNREACHABLE();
}

/* --- What befalls requests and batches
 * --------------------------------------------------------------------------------- */

static void strike(struct mb_request *request, const struct mb_injected *injected)
{
    const struct mb_request_fault *fault = &injected->fault;
    request->fault = (struct mb_strike){
        .is_struck = true,
        .kind = fault->kind,
        .partition = fault->partition,
        .code = fault->code,
        .appended = fault->appended,
        .delay_us = fault->delay_us,
    };
    uint32_t trace_name = 0;
    if (injected->topic != NULL) {
        request->fault.topic = mb_request_take(request, (size_t)injected->topic_length_bytes + 1, 1);
        memcpy(request->fault.topic, injected->topic, (size_t)injected->topic_length_bytes);
        request->fault.topic_length_bytes = injected->topic_length_bytes;
        trace_name =
            kb_trace_intern(request->cluster->trace, injected->topic, (size_t)injected->topic_length_bytes);
    }
    if (fault->kind == MB_FAULT_THROTTLE && fault->delay_us > 0) {
        request->throttle_ms = (int32_t)(fault->delay_us / 1000);
    }
    KB_TRACE(request->cluster->trace, 0, FAULT, fault, .ms = fault->delay_us / 1000,
             .fault = mb_fault_trace_kind(fault->kind), .broker = request->broker->id, .other = -1,
             .topic = trace_name, .partition = fault->partition, .api = request->api->key,
             .connection = request->connection->id, .request = (uint32_t)request->correlation_id);
}

void mb_faults_strike(struct mb_request *request)
{
    struct mb_cluster *cluster = request->cluster;
    /* Faults are for clients: replication between brokers is disturbed by links and slow replicas. */
    if (request->connection->from != MB_FROM_CLIENT) {
        return;
    }
    KB_LIST_FOR_EACH(node, &cluster->faults.queue)
    {
        struct mb_injected *injected = KB_CONTAINER_OF(node, struct mb_injected, node);
        if (injected->fault.point == MB_POINT_NONE && injected->fault.kind != MB_FAULT_CORRUPT_BATCH &&
            mb_injected_meets(injected, request->broker, mb_request_client(request), request->api->key) &&
            mb_injected_meets_content(injected, request) && mb_injected_counts(injected)) {
            strike(request, injected);
            mb_injected_spend(cluster, injected);
            return;
        }
    }
}

int32_t mb_strike_error(const struct mb_request *request, const char *topic, int32_t length_bytes,
                        int32_t partition)
{
    const struct mb_strike *fault = &request->fault;
    if (!fault->is_struck || fault->kind != MB_FAULT_ERROR) {
        return 0;
    }
    if (topic != NULL && fault->topic != NULL &&
        (length_bytes != fault->topic_length_bytes ||
         memcmp(topic, fault->topic, (size_t)length_bytes) != 0)) {
        return 0;
    }
    if (partition != -1 && fault->partition != -1 && partition != fault->partition) {
        return 0;
    }
    return fault->code;
}

/* A batch that is as long as it says, in which one bit of the records is another. */
static struct kw_bytes damage(struct kb_arena *arena, struct kw_bytes records)
{
    uint8_t *copy = kb_arena_allocate(arena, (size_t)records.length_bytes);
    KB_ASSERT(copy != NULL);
    memcpy(copy, records.bytes, (size_t)records.length_bytes);
    struct kw_record_batch_cursor cursor;
    const uint8_t *batch = NULL;
    uint32_t size_bytes = 0;
    kw_record_batch_cursor_init(&cursor, copy, (size_t)records.length_bytes);
    if (!kw_record_batch_next(&cursor, &batch, &size_bytes)) {
        size_bytes = (uint32_t)records.length_bytes; /* it is none anyhow */
    }
    uint32_t place = size_bytes > KW_RECORD_BATCH_OVERHEAD_BYTES
                         ? KW_RECORD_BATCH_OVERHEAD_BYTES + (size_bytes - KW_RECORD_BATCH_OVERHEAD_BYTES) / 2
                         : size_bytes - 1;
    copy[place] ^= 0x10;
    return (struct kw_bytes){copy, records.length_bytes};
}

static struct mb_injected *find_corruption(const struct mb_broker *broker, struct kw_string client,
                                           int32_t api, struct kw_string topic, int32_t partition)
{
    KB_LIST_FOR_EACH(node, &broker->cluster->faults.queue)
    {
        struct mb_injected *injected = KB_CONTAINER_OF(node, struct mb_injected, node);
        if (injected->fault.kind == MB_FAULT_CORRUPT_BATCH &&
            mb_injected_meets(injected, broker, client, api) &&
            mb_injected_names(injected, topic, partition) && mb_injected_counts(injected)) {
            return injected;
        }
    }
    return NULL;
}

struct kw_bytes mb_faults_corrupt_produced(struct mb_request *request, struct kw_string topic,
                                           int32_t partition, struct kw_bytes records)
{
    struct mb_cluster *cluster = request->cluster;
    if (kb_list_is_empty(&cluster->faults.queue) || request->connection->from != MB_FROM_CLIENT ||
        records.bytes == NULL || records.length_bytes <= 0) {
        return records;
    }
    struct mb_injected *injected =
        find_corruption(request->broker, mb_request_client(request), KW_API_PRODUCE, topic, partition);
    if (injected == NULL) {
        return records;
    }
    KB_TRACE(cluster->trace, 0, FAULT, fault, .fault = KB_FAULT_KIND_CORRUPT_BATCH,
             .broker = request->broker->id, .other = -1,
             .topic = kb_trace_intern(cluster->trace, topic.data, (size_t)topic.length_bytes),
             .partition = partition, .api = KW_API_PRODUCE, .connection = request->connection->id,
             .request = (uint32_t)request->correlation_id);
    mb_injected_spend(cluster, injected);
    return damage(&request->arena, records);
}

struct kw_bytes mb_faults_corrupt_fetched(const struct mb_partition *follower, struct kb_arena *arena,
                                          struct kw_bytes records)
{
    struct mb_cluster *cluster = follower->cluster;
    if (kb_list_is_empty(&cluster->faults.queue) || records.bytes == NULL || records.length_bytes <= 0) {
        return records;
    }
    const struct mb_topic *topic = follower->tp->topic;
    struct mb_injected *injected =
        find_corruption(follower->broker, MB_WHOLE_REQUEST, KW_API_FETCH,
                        (struct kw_string){topic->name, topic->name_length_bytes}, follower->tp->index);
    if (injected == NULL) {
        return records;
    }
    KB_TRACE(cluster->trace, 0, FAULT, fault, .fault = KB_FAULT_KIND_CORRUPT_BATCH,
             .broker = follower->broker->id, .other = mb_broker_id(cluster, follower->leader),
             .topic = topic->trace_name, .partition = follower->tp->index, .api = KW_API_FETCH);
    mb_injected_spend(cluster, injected);
    return damage(arena, records);
}
