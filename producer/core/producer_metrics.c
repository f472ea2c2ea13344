#include "core/producer_metrics.h"

#include "base/assert.h"
#include "core/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum scope { SCOPE_APP, SCOPE_COUNT, SCOPE_PRODUCER, SCOPE_NODE, SCOPE_TOPIC };

struct row {
    enum scope scope;
    const char *name;
    bool is_gauge;
    int source; /* an enum kp_gauge, or a sensor of the scope */
    enum kp_stat stat;
    const char *description;
};

/* Rows of the table by scope: what they read, and how. */
#define SENSOR_OF_PRODUCER(source)      (int)KP_SENSOR_##source
#define SENSOR_OF_NODE(source)          (int)KP_NODE_SENSOR_##source
#define SENSOR_OF_TOPIC(source)         (int)KP_TOPIC_SENSOR_##source
#define READ_GAUGE(scope, source)       true, (int)KP_GAUGE_##source, KP_STAT_TOTAL
#define READ_AVG(scope, source)         false, SENSOR_OF_##scope(source), KP_STAT_AVG
#define READ_MAX(scope, source)         false, SENSOR_OF_##scope(source), KP_STAT_MAX
#define READ_RATE(scope, source)        false, SENSOR_OF_##scope(source), KP_STAT_RATE
#define READ_TOTAL(scope, source)       false, SENSOR_OF_##scope(source), KP_STAT_TOTAL
#define READ_COUNT_RATE(scope, source)  false, SENSOR_OF_##scope(source), KP_STAT_COUNT_RATE
#define READ_COUNT_TOTAL(scope, source) false, SENSOR_OF_##scope(source), KP_STAT_COUNT_TOTAL
#define READ_RATIO(scope, source)       false, SENSOR_OF_##scope(source), KP_STAT_RATIO

static const struct row rows[] = {
#define METRIC(scope, name, source, stat, description)                                                       \
    {SCOPE_##scope, name, READ_##stat(scope, source), description},
#include "core/producer_metrics.def"
#undef METRIC
};

/* How many rows each scope has, and where they begin: the table is in the order of the scopes. */
enum {
    ROW_COUNT = (int)(sizeof rows / sizeof rows[0]),
    NODE_ROW_COUNT = 12,
    TOPIC_ROW_COUNT = 9,
    FIRST_TOPIC_ROW = ROW_COUNT - TOPIC_ROW_COUNT,
    FIRST_NODE_ROW = FIRST_TOPIC_ROW - NODE_ROW_COUNT,
};

static const char *const group_names[] = {
    [SCOPE_APP] = "app-info",
    [SCOPE_COUNT] = "kafka-metrics-count",
    [SCOPE_PRODUCER] = "producer-metrics",
    [SCOPE_NODE] = "producer-node-metrics",
    [SCOPE_TOPIC] = "producer-topic-metrics",
};

enum { NODE_TAG_BYTES = 24 };

struct kp_node_metrics {
    int32_t node;
    char tag[NODE_TAG_BYTES]; /* "node-1" */
    struct kp_sensor sensors[KP_NODE_SENSOR_COUNT];
};

struct topic_metrics {
    const struct kp_topic *topic;
    struct kp_sensor sensors[KP_TOPIC_SENSOR_COUNT];
};

/* A broker or a topic: they are listed in the order in which they came. */
struct slab {
    struct kp_node_metrics *node; /* or */
    struct topic_metrics *topic;
    uint32_t first_metric;
};

struct kp_producer_metrics {
    struct kp_sensor_config config;
    const char *client_id;
    int64_t start_ms;
    struct kp_sensor sensors[KP_PRODUCER_SENSOR_COUNT];

    struct slab *slabs;
    uint32_t slab_count;
    uint32_t slab_capacity;
    uint32_t metric_count;
    struct topic_metrics **topics; /* by the index of the topic; NULL: not registered */
    uint32_t topic_capacity;
};

/* --- Life */

struct kp_producer_metrics *kp_producer_metrics_create(const struct linger_allocator *allocator,
                                                       const struct kp_producer_config *config,
                                                       int64_t now_ms)
{
    struct kp_producer_metrics *metrics = kb_allocate_zeroed(allocator, 1, sizeof *metrics);
    if (metrics == NULL) {
        return NULL;
    }
    KB_ASSERT(rows[FIRST_NODE_ROW].scope == SCOPE_NODE && rows[FIRST_NODE_ROW - 1].scope == SCOPE_PRODUCER &&
              rows[FIRST_TOPIC_ROW].scope == SCOPE_TOPIC && rows[FIRST_TOPIC_ROW - 1].scope == SCOPE_NODE);
    metrics->config = (struct kp_sensor_config){.allocator = allocator,
                                                .window_ms = config->metrics_sample_window_ms,
                                                .sample_count = config->metrics_num_samples};
    metrics->client_id = config->client_id;
    metrics->start_ms = now_ms;
    metrics->metric_count = FIRST_NODE_ROW;
    return metrics;
}

static void release_sensors(struct kp_sensor *sensors, size_t count, const struct kp_sensor_config *config)
{
    for (size_t i = 0; i < count; i++) {
        kp_sensor_release(&sensors[i], config);
    }
}

void kp_producer_metrics_destroy(struct kp_producer_metrics *metrics)
{
    if (metrics == NULL) {
        return;
    }
    const struct linger_allocator *allocator = metrics->config.allocator;
    for (uint32_t i = 0; i < metrics->slab_count; i++) {
        struct slab *slab = &metrics->slabs[i];
        if (slab->node != NULL) {
            release_sensors(slab->node->sensors, KP_NODE_SENSOR_COUNT, &metrics->config);
            kb_deallocate(allocator, slab->node, sizeof *slab->node);
        } else {
            release_sensors(slab->topic->sensors, KP_TOPIC_SENSOR_COUNT, &metrics->config);
            kb_deallocate(allocator, slab->topic, sizeof *slab->topic);
        }
    }
    release_sensors(metrics->sensors, KP_PRODUCER_SENSOR_COUNT, &metrics->config);
    kb_deallocate(allocator, metrics->slabs, metrics->slab_capacity * sizeof *metrics->slabs);
    kb_deallocate(allocator, metrics->topics, metrics->topic_capacity * sizeof(struct topic_metrics *));
    kb_deallocate(allocator, metrics, sizeof *metrics);
}

/* --- Recording */

void kp_producer_metrics_record(struct kp_producer_metrics *metrics, enum kp_producer_sensor sensor,
                                double value, int64_t now_ms)
{
    if (metrics != NULL) {
        kp_sensor_record(&metrics->sensors[sensor], &metrics->config, value, now_ms);
    }
}

static bool add_slab(struct kp_producer_metrics *metrics, struct kp_node_metrics *node,
                     struct topic_metrics *topic)
{
    if (!kp_grow(metrics->config.allocator, &metrics->slabs, &metrics->slab_capacity, metrics->slab_count + 1,
                 sizeof *metrics->slabs)) {
        return false;
    }
    metrics->slabs[metrics->slab_count++] =
        (struct slab){.node = node, .topic = topic, .first_metric = metrics->metric_count};
    metrics->metric_count += node != NULL ? NODE_ROW_COUNT : TOPIC_ROW_COUNT;
    return true;
}

static struct kp_node_metrics *find_node(const struct kp_producer_metrics *metrics, int32_t id)
{
    for (uint32_t i = 0; i < metrics->slab_count; i++) {
        if (metrics->slabs[i].node != NULL && metrics->slabs[i].node->node == id) {
            return metrics->slabs[i].node;
        }
    }
    return NULL;
}

struct kp_node_metrics *kp_producer_metrics_register_node(struct kp_producer_metrics *metrics, int32_t id)
{
    if (metrics == NULL) {
        return NULL;
    }
    struct kp_node_metrics *node = find_node(metrics, id);
    if (node != NULL) {
        return node;
    }
    node = kb_allocate_zeroed(metrics->config.allocator, 1, sizeof *node);
    if (node == NULL || !add_slab(metrics, node, NULL)) {
        kb_deallocate(metrics->config.allocator, node, sizeof *node);
        return NULL;
    }
    node->node = id;
    (void)snprintf(node->tag, sizeof node->tag, "node-%d", (int)id);
    return node;
}

static void record_node(struct kp_producer_metrics *metrics, struct kp_node_metrics *node,
                        enum kp_node_sensor sensor, double value, int64_t now_ms)
{
    if (node != NULL) {
        kp_sensor_record(&node->sensors[sensor], &metrics->config, value, now_ms);
    }
}

void kp_producer_metrics_record_request(struct kp_producer_metrics *metrics, struct kp_node_metrics *node,
                                        size_t length_bytes, int64_t now_ms)
{
    kp_producer_metrics_record(metrics, KP_SENSOR_BYTES_MOVED, (double)length_bytes, now_ms);
    kp_producer_metrics_record(metrics, KP_SENSOR_REQUESTS, (double)length_bytes, now_ms);
    record_node(metrics, node, KP_NODE_SENSOR_REQUESTS, (double)length_bytes, now_ms);
}

void kp_producer_metrics_record_response(struct kp_producer_metrics *metrics, struct kp_node_metrics *node,
                                         size_t length_bytes, int64_t now_ms)
{
    enum { LENGTH_FIELD_BYTES = 4 };
    double bytes = (double)(length_bytes + LENGTH_FIELD_BYTES);
    kp_producer_metrics_record(metrics, KP_SENSOR_BYTES_MOVED, bytes, now_ms);
    kp_producer_metrics_record(metrics, KP_SENSOR_RESPONSES, bytes, now_ms);
    record_node(metrics, node, KP_NODE_SENSOR_RESPONSES, bytes, now_ms);
}

static struct topic_metrics *find_topic(const struct kp_producer_metrics *metrics,
                                        const struct kp_topic *topic)
{
    return topic->index < metrics->topic_capacity ? metrics->topics[topic->index] : NULL;
}

static struct topic_metrics *register_topic(struct kp_producer_metrics *metrics, const struct kp_topic *topic)
{
    struct topic_metrics *known = find_topic(metrics, topic);
    if (known != NULL) {
        return known;
    }
    struct topic_metrics *new_one = kb_allocate_zeroed(metrics->config.allocator, 1, sizeof *new_one);
    if (new_one == NULL ||
        !kp_grow(metrics->config.allocator, &metrics->topics, &metrics->topic_capacity, topic->index + 1,
                 sizeof(struct topic_metrics *)) ||
        !add_slab(metrics, NULL, new_one)) {
        kb_deallocate(metrics->config.allocator, new_one, sizeof *new_one);
        return NULL;
    }
    new_one->topic = topic;
    metrics->topics[topic->index] = new_one;
    return new_one;
}

static void record_topic(struct kp_producer_metrics *metrics, struct topic_metrics *topic,
                         enum kp_topic_sensor sensor, double value, int64_t now_ms)
{
    if (topic != NULL) {
        kp_sensor_record(&topic->sensors[sensor], &metrics->config, value, now_ms);
    }
}

void kp_producer_metrics_record_batch(struct kp_producer_metrics *metrics,
                                      const struct kp_batch_measures *batch, int64_t now_ms)
{
    if (metrics == NULL) {
        return;
    }
    struct topic_metrics *topic = register_topic(metrics, batch->topic);
    record_topic(metrics, topic, KP_TOPIC_SENSOR_RECORDS, batch->record_count, now_ms);
    record_topic(metrics, topic, KP_TOPIC_SENSOR_BYTES, batch->size_bytes, now_ms);
    record_topic(metrics, topic, KP_TOPIC_SENSOR_COMPRESSION_RATE, batch->compression_ratio, now_ms);
    kp_producer_metrics_record(metrics, KP_SENSOR_BATCH_SIZE, batch->size_bytes, now_ms);
    kp_producer_metrics_record(metrics, KP_SENSOR_QUEUE_TIME, (double)batch->queue_time_ms, now_ms);
    kp_producer_metrics_record(metrics, KP_SENSOR_COMPRESSION_RATE, batch->compression_ratio, now_ms);
    kp_producer_metrics_record(metrics, KP_SENSOR_RECORD_SIZE, batch->max_record_size_bytes, now_ms);
}

void kp_producer_metrics_record_retries(struct kp_producer_metrics *metrics, const struct kp_topic *topic,
                                        uint32_t record_count, int64_t now_ms)
{
    if (metrics != NULL) {
        kp_producer_metrics_record(metrics, KP_SENSOR_RETRIES, record_count, now_ms);
        record_topic(metrics, find_topic(metrics, topic), KP_TOPIC_SENSOR_RETRIES, record_count, now_ms);
    }
}

void kp_producer_metrics_record_errors(struct kp_producer_metrics *metrics, const struct kp_topic *topic,
                                       uint32_t record_count, int64_t now_ms)
{
    if (metrics != NULL) {
        kp_producer_metrics_record(metrics, KP_SENSOR_ERRORS, record_count, now_ms);
        record_topic(metrics, find_topic(metrics, topic), KP_TOPIC_SENSOR_ERRORS, record_count, now_ms);
    }
}

void kp_producer_metrics_record_latency(struct kp_producer_metrics *metrics, int32_t node, int64_t latency_ms,
                                        int64_t now_ms)
{
    if (metrics != NULL) {
        kp_producer_metrics_record(metrics, KP_SENSOR_REQUEST_TIME, (double)latency_ms, now_ms);
        record_node(metrics, find_node(metrics, node), KP_NODE_SENSOR_LATENCY, (double)latency_ms, now_ms);
    }
}

/* --- Reading */

uint32_t kp_producer_metrics_count(const struct kp_producer_metrics *metrics)
{
    return metrics->metric_count;
}

/* The last slab that begins at or before a metric. */
static const struct slab *slab_of(const struct kp_producer_metrics *metrics, uint32_t index)
{
    uint32_t from = 0;
    uint32_t to = metrics->slab_count;
    while (to - from > 1) {
        uint32_t middle = from + (to - from) / 2;
        if (metrics->slabs[middle].first_metric <= index) {
            from = middle;
        } else {
            to = middle;
        }
    }
    return &metrics->slabs[from];
}

static void read_gauge(const struct kp_producer_metrics *metrics, enum kp_gauge gauge, kp_gauge_read *read,
                       const void *context, int64_t now_ms, struct kp_metric *out)
{
    switch (gauge) {
    case KP_GAUGE_VERSION:
    case KP_GAUGE_COMMIT_ID:
        out->type = KP_METRIC_STRING;
        out->text = gauge == KP_GAUGE_VERSION ? "3.0.0" : "unknown";
        out->value = (double)NAN;
        return;
    case KP_GAUGE_START_TIME:
        out->type = KP_METRIC_LONG;
        out->integer = metrics->start_ms;
        out->value = (double)metrics->start_ms;
        return;
    case KP_GAUGE_METRIC_COUNT:
        out->value = metrics->metric_count;
        return;
    case KP_GAUGE_REQUESTS_IN_FLIGHT:
    case KP_GAUGE_METADATA_AGE:
    case KP_GAUGE_WAITING_THREADS:
    case KP_GAUGE_BUFFER_TOTAL:
    case KP_GAUGE_BUFFER_AVAILABLE:
    case KP_GAUGE_CONNECTION_COUNT:
        out->value = read(context, gauge, now_ms);
        return;
    }
    KB_UNREACHABLE();
}

void kp_producer_metrics_at(const struct kp_producer_metrics *metrics, uint32_t index, kp_gauge_read *read,
                            const void *context, int64_t now_ms, struct kp_metric *out)
{
    KB_ASSERT(index < metrics->metric_count);
    const struct row *row = &rows[index < FIRST_NODE_ROW ? index : 0];
    const struct kp_sensor *sensors = metrics->sensors;
    memset(out, 0, sizeof *out);
    out->tags[0] = (struct kp_metric_tag){"client-id", metrics->client_id};
    out->tag_count = 1;
    if (index >= FIRST_NODE_ROW) {
        const struct slab *slab = slab_of(metrics, index);
        uint32_t place = index - slab->first_metric;
        row = &rows[slab->node != NULL ? FIRST_NODE_ROW + place : FIRST_TOPIC_ROW + place];
        sensors = slab->node != NULL ? slab->node->sensors : slab->topic->sensors;
        out->tags[1] = slab->node != NULL ? (struct kp_metric_tag){"node-id", slab->node->tag}
                                          : (struct kp_metric_tag){"topic", slab->topic->topic->name};
        out->tag_count = 2;
    }
    out->group = group_names[row->scope];
    out->name = row->name;
    out->description = row->description;
    out->type = KP_METRIC_DOUBLE;
    if (row->is_gauge) {
        read_gauge(metrics, (enum kp_gauge)row->source, read, context, now_ms, out);
    } else {
        out->value = kp_sensor_measure(&sensors[row->source], &metrics->config, row->stat, now_ms);
    }
}
