/**
 * What the tests of the core share: a trace that remembers, and a cluster that the producer knows.
 */
#ifndef LINGER_TESTS_CORE_SUPPORT_H
#define LINGER_TESTS_CORE_SUPPORT_H

#include "base/trace.h"
#include "core/producer_metadata.h"
#include "core/topics.h"
#include "failing_allocator.h"

enum { RECORDED_EVENTS_MAX = 4096 };

/** Keeps the first events it is given; names are numbered by their length and first byte. */
struct recorded_trace {
    struct kb_trace trace;
    struct kb_event events[RECORDED_EVENTS_MAX];
    uint32_t count;
};

void recorded_trace_init(struct recorded_trace *recorded);
uint32_t recorded_trace_count(const struct recorded_trace *recorded, enum kb_event_kind kind);
/** The last one of a kind; NULL when there is none. */
const struct kb_event *recorded_trace_last(const struct recorded_trace *recorded, enum kb_event_kind kind);

/** Topics and metadata of a cluster. */
struct known_cluster {
    struct failing_allocator memory;
    struct kp_topics *topics;
    struct kp_producer_metadata *metadata;
};

void known_cluster_init(struct known_cluster *cluster);
void known_cluster_release(struct known_cluster *cluster);
/**
 * The metadata is: brokers 0 to broker_count - 1, and one topic whose partition p is led by leaders[p], -1
 * being nobody. Returns the topic.
 */
const struct kp_topic *known_cluster_update(struct known_cluster *cluster, const char *topic,
                                            int32_t broker_count, const int32_t *leaders,
                                            int32_t partition_count);

#endif
