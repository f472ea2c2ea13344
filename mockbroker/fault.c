#include "mockbroker/fault.h"

#include "base/assert.h"
#include "mockbroker/connection.h"
#include "mockbroker/request.h"
#include "wire/message_structs.h"

#include <string.h>

struct injected {
    struct kb_list_node node;
    struct mb_request_fault fault;
    char *topic;
    int32_t topic_length_bytes;
};

void mb_faults_init(struct mb_faults *faults)
{
    kb_list_init(&faults->queue);
}

static void destroy(struct mb_cluster *cluster, struct injected *injected)
{
    if (injected->topic != NULL) {
        mb_give(cluster->allocator, injected->topic, (size_t)injected->topic_length_bytes + 1);
    }
    mb_give(cluster->allocator, injected, sizeof *injected);
}

void mb_faults_release(struct mb_cluster *cluster)
{
    struct kb_list_node *node;
    while ((node = kb_list_pop_front(&cluster->faults.queue)) != NULL) {
        destroy(cluster, KB_CONTAINER_OF(node, struct injected, node));
    }
}

bool mb_inject(struct mb_cluster *cluster, const struct mb_request_fault *fault)
{
    if (fault->count == 0 || (fault->broker != -1 && mb_broker_of(cluster, fault->broker) == NULL) ||
        fault->api < INT16_MIN || fault->api > INT16_MAX || !mb_api_is_served((int16_t)fault->api)) {
        return false;
    }
    struct injected *injected = mb_take(cluster->allocator, sizeof *injected);
    injected->fault = *fault;
    if (fault->topic != NULL) {
        injected->topic_length_bytes = (int32_t)strlen(fault->topic);
        injected->topic = mb_take(cluster->allocator, (size_t)injected->topic_length_bytes + 1);
        memcpy(injected->topic, fault->topic, (size_t)injected->topic_length_bytes);
    }
    kb_list_push_back(&cluster->faults.queue, &injected->node);
    return true;
}

static bool names_topic(const struct injected *injected, struct kw_string name)
{
    return injected->topic == NULL || (name.length_bytes == injected->topic_length_bytes &&
                                       memcmp(name.data, injected->topic, (size_t)name.length_bytes) == 0);
}

static bool names_partition(const struct injected *injected, int32_t partition)
{
    return injected->fault.partition == -1 || injected->fault.partition == partition;
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

/* Does the request name the fault's topic and partition? */
static bool meets_content(const struct injected *injected, const struct mb_request *request)
{
    if (injected->topic == NULL && injected->fault.partition == -1) {
        return true;
    }
    if (request->body == NULL) {
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

static enum kb_fault_kind trace_kind(enum mb_request_fault_kind kind)
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
    }
    KB_UNREACHABLE();
}

static void strike(struct mb_request *request, const struct injected *injected)
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
             .fault = (int32_t)trace_kind(fault->kind), .broker = request->broker->id,
             .other = request->api->key, .topic = trace_name, .partition = fault->partition);
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
        struct injected *injected = KB_CONTAINER_OF(node, struct injected, node);
        if (injected->fault.api != request->api->key ||
            (injected->fault.broker != -1 && injected->fault.broker != request->broker->id) ||
            !meets_content(injected, request)) {
            continue;
        }
        strike(request, injected);
        if (--injected->fault.count == 0) {
            kb_list_remove(node);
            destroy(cluster, injected);
        }
        return;
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
