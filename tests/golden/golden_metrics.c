/*
 * metrics.jsonl: which metrics there are, and when each comes to be. A producer is looked at as it is
 * constructed, as it connects, and as it drains its first batch.
 */
#include "golden.h"
#include "scripted_cluster.h"

#include <linger/producer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { METRIC_COUNT_MAX = 256, MILLISECONDS_MAX = 50, FRAME_BYTES_MAX = 65536 };

/* When a metric was first seen. */
enum stage { STAGE_CONSTRUCTION, STAGE_CONNECTION, STAGE_BATCH, STAGE_OTHERWISE };

static const char *const stage_names[] = {"construction", "first connection to the node",
                                          "first batch of the topic that is sent", "some other time"};

struct seen_metric {
    struct kp_metric metric; /* its texts live as long as the producer */
    enum stage stage;
};

struct look {
    struct kp_producer *producer;
    struct scripted_cluster *cluster;
    enum stage now; /* what has happened since the last look */
    int32_t node;   /* that a connection was made to */
    bool has_node;
    struct seen_metric seen[METRIC_COUNT_MAX];
    uint32_t seen_count;
};

/* Metrics that are new belong to what has just happened. */
static void look_at(struct look *look, int64_t now_ms)
{
    uint32_t count = kp_producer_metric_count(look->producer);
    for (; look->seen_count < count && look->seen_count < METRIC_COUNT_MAX; look->seen_count++) {
        struct seen_metric *seen = &look->seen[look->seen_count];
        kp_producer_metric_at(look->producer, look->seen_count, now_ms, &seen->metric);
        char node[16] = "";
        (void)snprintf(node, sizeof node, "node-%d", (int)look->node);
        bool is_of_node = seen->metric.tag_count == 2 && strcmp(seen->metric.tags[1].name, "node-id") == 0;
        seen->stage = look->now;
        if (is_of_node && (!look->has_node || strcmp(seen->metric.tags[1].value, node) != 0)) {
            seen->stage = STAGE_OTHERWISE;
        }
    }
    look->now = STAGE_OTHERWISE;
    look->has_node = false;
}

static void on_report(void *context, const struct scripted_report *report)
{
    struct look *look = context;
    switch (report->kind) {
    case SCRIPTED_CONNECTED:
        kp_producer_on_connected(look->producer, report->connection);
        look->now = STAGE_CONNECTION;
        look->node = report->node;
        look->has_node = true;
        break;
    case SCRIPTED_WRITTEN:
        kp_producer_on_sent(look->producer, report->connection);
        break;
    case SCRIPTED_RECEIVED:
        kp_producer_on_received(look->producer, report->connection, report->frame, report->length_bytes);
        break;
    case SCRIPTED_REFUSED:
    case SCRIPTED_CLOSED:
    case SCRIPTED_UNSENT:
        break;
    }
}

static void take_actions(struct look *look, int64_t t)
{
    struct kp_action action;
    while (kp_producer_next_action(look->producer, &action)) {
        if (action.kind == KP_ACTION_CONNECT) {
            scripted_cluster_connect(look->cluster, action.connection, action.node, t);
        } else if (action.kind == KP_ACTION_SEND && action.length_bytes <= FRAME_BYTES_MAX) {
            static uint8_t frame[FRAME_BYTES_MAX];
            size_t used = 0;
            for (uint32_t i = 0; i < action.segment_count; i++) {
                memcpy(frame + used, action.segments[i].bytes, action.segments[i].length_bytes);
                used += action.segments[i].length_bytes;
            }
            scripted_cluster_hand_over(look->cluster, action.connection, frame, used);
        }
    }
}

static void run(struct look *look)
{
    struct kp_outcome outcome;
    struct kp_record record = {.topic = "t", .partition = 0, .timestamp_ms = -1, .key = KP_BYTES_NULL};
    record.value = (struct kp_bytes){"v", 1};
    look_at(look, 0);
    kp_producer_send(look->producer, &record, 0, &outcome);
    for (int64_t t = 0; t < MILLISECONDS_MAX; t++) {
        scripted_cluster_begin_ms(look->cluster, t);
        for (int i = 0; i < 4; i++) {
            uint64_t ticket;
            kp_producer_decide(look->producer, t);
            look->now = STAGE_BATCH; /* nothing else can come of it */
            look_at(look, t);
            take_actions(look, t);
            scripted_cluster_move(look->cluster, t, on_report, look);
            kp_producer_digest(look->producer, t);
            look_at(look, t);
            take_actions(look, t);
            while (kp_producer_next_runnable(look->producer, t, &ticket)) {
                kp_producer_resume(look->producer, ticket, t, &outcome);
            }
        }
    }
}

static const char *const type_names[] = {
    [KP_METRIC_DOUBLE] = "Double", [KP_METRIC_LONG] = "Long", [KP_METRIC_STRING] = "String"};

static cJSON *describe(struct golden_case *golden, const struct seen_metric *seen)
{
    cJSON *row = golden_new_object(golden);
    json_add_text(row, "group", seen->metric.group);
    json_add_text(row, "name", seen->metric.name);
    cJSON *tags = cJSON_AddArrayToObject(row, "tags");
    for (uint32_t i = 0; i < seen->metric.tag_count; i++) {
        json_add_text(tags, NULL, seen->metric.tags[i].name);
    }
    json_add_text(row, "value_type", type_names[seen->metric.type]);
    json_add_text(row, "registered_at", stage_names[seen->stage]);
    return row;
}

static bool is_same_name(const struct kp_metric *left, const struct kp_metric *right)
{
    bool is_same = strcmp(left->group, right->group) == 0 && strcmp(left->name, right->name) == 0;
    for (uint32_t i = 0; i < left->tag_count && is_same; i++) {
        is_same = strcmp(left->tags[i].value, right->tags[i].value) == 0;
    }
    return is_same;
}

/* The file has 90 rows: 69, and 12 for each node (the bootstrap one and broker 0), and 9 for the topic. With
 * that many metrics, no two alike, and every row among them, there is no other. */
static void check_all(struct golden_case *golden, const struct look *look)
{
    if (look->seen_count != 69 + 2 * 12 + 9) {
        golden_fail(golden, "there are %u metrics", look->seen_count);
    }
    for (uint32_t i = 0; i < look->seen_count; i++) {
        const struct kp_metric *metric = &look->seen[i].metric;
        bool is_described = metric->description != NULL && metric->description[0] != '\0';
        if (!is_described || strcmp(metric->tags[0].value, "golden") != 0) {
            golden_fail(golden, "%s has no description, or another client.id", metric->name);
        }
        for (uint32_t other = 0; other < i; other++) {
            if (is_same_name(metric, &look->seen[other].metric)) {
                golden_fail(golden, "%s is there twice", metric->name);
            }
        }
    }
}

static void compare(struct golden_case *golden, const cJSON *row, const struct look *look)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < look->seen_count; i++) {
        if (strcmp(look->seen[i].metric.name, golden_text(golden, row, "name")) == 0 &&
            strcmp(look->seen[i].metric.group, golden_text(golden, row, "group")) == 0) {
            golden_compare(golden, "", row, describe(golden, &look->seen[i]));
            found++;
        }
    }
    if (found == 0) {
        golden_fail(golden, "there is no such metric");
    }
}

void golden_check_metrics(struct golden_case *golden, const cJSON *row)
{
    static const char cluster_text[] =
        "{\"brokers\":1,\"metadata_known\":false,\"topics\":[{\"name\":\"t\",\"partitions\":1}],"
        "\"nodes\":[{\"id\":0,\"host\":\"127.0.0.1\",\"port\":9092}],\"rtt_ms\":1}";
    static const struct kp_config_entry entries[] = {
        {"bootstrap.servers", "127.0.0.1:9092"},
        {"client.id", "golden"},
        {"key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer"},
        {"value.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer"},
    };
    struct look *look = golden_allocate(golden, sizeof *look);
    struct kp_failure *failure = golden_allocate(golden, sizeof *failure);
    struct kp_config *config = NULL;
    cJSON *cluster = json_parse(cluster_text, strlen(cluster_text));
    cJSON *script = cJSON_CreateArray();
    look->cluster = scripted_cluster_create(cluster, script, 0);
    if (kp_config_create(NULL, entries, sizeof entries / sizeof entries[0], NULL, &config, failure) ==
            KP_CONFIG_OK &&
        kp_producer_create(&(struct kp_producer_options){.config = config}, 0, &look->producer, failure)) {
        run(look);
        if (scripted_cluster_failure(look->cluster) != NULL) {
            golden_fail(golden, "%s", scripted_cluster_failure(look->cluster));
        }
        check_all(golden, look);
        compare(golden, row, look);
    } else {
        golden_fail(golden, "%s: %s", failure->thrown.exception, failure->thrown.message);
    }
    kp_producer_destroy(look->producer);
    kp_config_destroy(config);
    scripted_cluster_destroy(look->cluster);
    cJSON_Delete(cluster);
    cJSON_Delete(script);
}
