#include "core_support.h"

#include "unit.h"
#include "wire/errors.h"

#include <string.h>

static uint64_t emit(void *context, struct kb_event *event, uint64_t cause)
{
    struct recorded_trace *recorded = context;
    (void)cause;
    if (recorded->count < RECORDED_EVENTS_MAX) {
        recorded->events[recorded->count++] = *event;
    }
    return recorded->count;
}

static uint32_t intern(void *context, const char *name, size_t length_bytes)
{
    (void)context;
    return length_bytes == 0 ? 0 : (uint32_t)(length_bytes * 256 + (unsigned char)name[0]);
}

void recorded_trace_init(struct recorded_trace *recorded)
{
    memset(recorded, 0, sizeof *recorded);
    recorded->trace = (struct kb_trace){.context = recorded, .emit = emit, .intern = intern};
}

uint32_t recorded_trace_count(const struct recorded_trace *recorded, enum kb_event_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < recorded->count; i++) {
        count += recorded->events[i].kind == (uint16_t)kind;
    }
    return count;
}

const struct kb_event *recorded_trace_last(const struct recorded_trace *recorded, enum kb_event_kind kind)
{
    for (uint32_t i = recorded->count; i-- > 0;) {
        if (recorded->events[i].kind == (uint16_t)kind) {
            return &recorded->events[i];
        }
    }
    return NULL;
}

void known_cluster_init(struct known_cluster *cluster)
{
    failing_allocator_init(&cluster->memory);
    cluster->topics = kp_topics_create(&cluster->memory.allocator, NULL);
    struct kp_producer_metadata_options options = {.allocator = &cluster->memory.allocator,
                                                   .topics = cluster->topics,
                                                   .refresh_backoff_ms = 100,
                                                   .max_age_ms = 300000,
                                                   .max_idle_ms = 300000};
    cluster->metadata = kp_producer_metadata_create(&options);
    CU_ASSERT_FATAL(cluster->topics != NULL && cluster->metadata != NULL);
}

void known_cluster_release(struct known_cluster *cluster)
{
    kp_producer_metadata_destroy(cluster->metadata);
    kp_topics_destroy(cluster->topics);
    CU_ASSERT_EQUAL(cluster->memory.held_bytes, 0);
    CU_ASSERT_EQUAL(cluster->memory.wrong_size_count, 0);
}

enum { BROKERS_MAX = 8, PARTITIONS_MAX = 64 };

const struct kp_topic *known_cluster_update(struct known_cluster *cluster, const char *topic,
                                            int32_t broker_count, const int32_t *leaders,
                                            int32_t partition_count)
{
    struct kw_metadata_response_broker brokers[BROKERS_MAX];
    struct kw_metadata_response_partition partitions[PARTITIONS_MAX];
    CU_ASSERT_FATAL(broker_count <= BROKERS_MAX && partition_count <= PARTITIONS_MAX);
    for (int32_t i = 0; i < broker_count; i++) {
        kw_metadata_response_broker_init(&brokers[i]);
        brokers[i].node_id = i;
        brokers[i].host = (struct kw_string){"broker", 6};
        brokers[i].port = 9092;
    }
    for (int32_t i = 0; i < partition_count; i++) {
        kw_metadata_response_partition_init(&partitions[i]);
        partitions[i].partition_index = i;
        partitions[i].leader_id = leaders[i];
        partitions[i].error_code = leaders[i] < 0 ? KW_ERROR_LEADER_NOT_AVAILABLE : KW_ERROR_NONE;
    }
    struct kw_metadata_response_topic topics[1];
    kw_metadata_response_topic_init(&topics[0]);
    topics[0].name = (struct kw_string){topic, (int32_t)strlen(topic)};
    topics[0].partitions.items = partitions;
    topics[0].partitions.count = partition_count;
    struct kw_metadata_response response;
    kw_metadata_response_init(&response);
    response.brokers.items = brokers;
    response.brokers.count = broker_count;
    response.topics.items = topics;
    response.topics.count = 1;
    const struct kp_topic *known = kp_topics_topic(cluster->topics, topic, strlen(topic));
    CU_ASSERT_FATAL(known != NULL);
    kp_producer_metadata_add(cluster->metadata, known, 0);
    CU_ASSERT_FATAL(kp_producer_metadata_update(
        cluster->metadata, kp_producer_metadata_request_version(cluster->metadata), &response, 11, false, 0));
    return known;
}
