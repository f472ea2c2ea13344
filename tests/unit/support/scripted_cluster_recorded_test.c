/*
 * The scripted cluster against the one that the golden traces were recorded with: the recorded requests go in
 * at their times, and the recorded responses must come out, byte for byte, in the same order and millisecond.
 */
#include "scripted_cluster.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

enum { QUEUE_COUNT_MAX = 64, STEP_COUNT_MAX = 10, BROKER_COUNT_MAX = 8 };

struct reported {
    enum scripted_report_kind kind;
    int32_t node;
    char *frame_hex;
};

struct replay {
    struct scripted_cluster *cluster;
    int64_t t;
    /** Connection of each node, from bootstrap node -BROKER_COUNT_MAX on; 0: none. */
    uint32_t connections[2 * BROKER_COUNT_MAX];
    uint32_t connection_count;
    bool has_handed_over[2 * BROKER_COUNT_MAX];
    /** Responses and ends that were reported and not asked for yet. */
    struct reported queue[QUEUE_COUNT_MAX];
    size_t queue_count;
    unsigned compared_frames;
};

static size_t place_of(int64_t node)
{
    CU_ASSERT_FATAL(node >= -BROKER_COUNT_MAX && node < BROKER_COUNT_MAX);
    return (size_t)(node + BROKER_COUNT_MAX);
}

static void take(void *context, const struct scripted_report *report)
{
    struct replay *replay = context;
    size_t place = place_of(report->node);
    switch (report->kind) {
    case SCRIPTED_CONNECTED:
    case SCRIPTED_UNSENT:
        return;
    case SCRIPTED_WRITTEN:
        replay->has_handed_over[place] = false;
        return;
    case SCRIPTED_REFUSED:
    case SCRIPTED_CLOSED:
        replay->connections[place] = 0;
        replay->has_handed_over[place] = false;
        break;
    case SCRIPTED_RECEIVED:
        break;
    }
    CU_ASSERT_FATAL(replay->queue_count < QUEUE_COUNT_MAX);
    struct reported *reported = &replay->queue[replay->queue_count++];
    *reported = (struct reported){.kind = report->kind, .node = report->node};
    if (report->frame != NULL) {
        cJSON *holder = cJSON_CreateObject();
        json_add_hex(holder, "hex", report->frame, report->length_bytes);
        reported->frame_hex = cJSON_GetObjectItem(holder, "hex")->valuestring;
        cJSON_GetObjectItem(holder, "hex")->valuestring = NULL;
        cJSON_Delete(holder);
    }
}

static void move(struct replay *replay)
{
    scripted_cluster_move(replay->cluster, replay->t, take, replay);
}

static void hand_over(struct replay *replay, const cJSON *event)
{
    size_t length_bytes = 0;
    size_t place = place_of(json_member_integer(event, "node", 0));
    uint8_t *frame = json_decode_hex(json_member_text(event, "frame_hex", ""), &length_bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(frame);
    uint8_t *bytes = malloc(length_bytes + 4);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    for (int i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(length_bytes >> (24 - 8 * i));
    }
    memcpy(bytes + 4, frame, length_bytes);
    /* The connection is made in the step in which the client asks for it. */
    if (replay->has_handed_over[place] || strcmp(json_member_text(event, "api", ""), "ApiVersions") == 0) {
        move(replay);
    }
    scripted_cluster_hand_over(replay->cluster, replay->connections[place], bytes, length_bytes + 4);
    replay->has_handed_over[place] = true;
    free(bytes);
    free(frame);
}

/* What the cluster reports next must be what the event says. */
static void expect(struct replay *replay, const cJSON *event)
{
    const char *frame_hex = json_member_text(event, "frame_hex", NULL);
    for (int i = 0; replay->queue_count == 0 && i < STEP_COUNT_MAX; i++) {
        move(replay);
    }
    CU_ASSERT_FATAL(replay->queue_count > 0);
    struct reported first = replay->queue[0];
    memmove(&replay->queue[0], &replay->queue[1], --replay->queue_count * sizeof first);
    CU_ASSERT_EQUAL(first.node, json_member_integer(event, "node", 0));
    CU_ASSERT_EQUAL(first.frame_hex != NULL, frame_hex != NULL);
    if (first.frame_hex != NULL && frame_hex != NULL) {
        CU_ASSERT_STRING_EQUAL(first.frame_hex, frame_hex);
        replay->compared_frames++;
    }
    free(first.frame_hex);
}

static void replay_event(struct replay *replay, const cJSON *event)
{
    const char *kind = json_member_text(event, "ev", "");
    int64_t node = json_member_integer(event, "node", 0);
    if (strcmp(kind, "connect") == 0) {
        replay->connections[place_of(node)] = ++replay->connection_count;
        scripted_cluster_connect(replay->cluster, replay->connection_count, (int32_t)node, replay->t);
    } else if (strcmp(kind, "close_connection") == 0) {
        (void)scripted_cluster_close(replay->cluster, replay->connections[place_of(node)]);
    } else if (strcmp(kind, "request") == 0) {
        hand_over(replay, event);
    } else if (strcmp(kind, "response") == 0 || strcmp(kind, "disconnected") == 0) {
        expect(replay, event);
    }
}

static void replay_case(const cJSON *row, unsigned *compared_frames)
{
    struct replay replay = {.t = -1};
    const cJSON *event = NULL;
    replay.cluster = scripted_cluster_create(json_member(row, "cluster"), json_member(row, "script"),
                                             json_member_integer(row, "epoch_ms", 0));
    cJSON_ArrayForEach(event, json_member(row, "trace"))
    {
        while (replay.t < json_member_integer(event, "t", 0)) {
            move(&replay);
            CU_ASSERT_EQUAL(replay.queue_count, 0);
            scripted_cluster_begin_ms(replay.cluster, ++replay.t);
        }
        replay_event(&replay, event);
    }
    if (scripted_cluster_failure(replay.cluster) != NULL) {
        CU_FAIL("a recorded request makes no sense");
        printf("\n%s: %s\n", json_member_text(row, "name", "?"), scripted_cluster_failure(replay.cluster));
    }
    *compared_frames += replay.compared_frames;
    scripted_cluster_destroy(replay.cluster);
}

static bool has_frames(const cJSON *row)
{
    const cJSON *event = NULL;
    cJSON_ArrayForEach(event, json_member(row, "trace"))
    {
        if (json_member(event, "frame_hex") != NULL) {
            return true;
        }
    }
    return false;
}

static void replay_file(const char *path, unsigned least_frames)
{
    struct json_lines lines;
    const char *line = NULL;
    size_t length_bytes = 0;
    unsigned compared_frames = 0;
    CU_ASSERT_FATAL(json_lines_open(&lines, path));
    while (json_lines_next(&lines, &line, &length_bytes)) {
        cJSON *row = json_parse(line, length_bytes);
        CU_ASSERT_PTR_NOT_NULL_FATAL(row);
        if (has_frames(row)) {
            unsigned failures = CU_get_number_of_failures();
            replay_case(row, &compared_frames);
            if (CU_get_number_of_failures() != failures) {
                printf("\n  %s\n", json_member_text(row, "name", "?"));
            }
        }
        cJSON_Delete(row);
    }
    json_lines_close(&lines);
    CU_ASSERT(compared_frames >= least_frames);
}

static void answers_producers_as_recorded(void)
{
    replay_file("tests/golden/data/producer_trace.jsonl", 90);
}

static void answers_transactions_as_recorded(void)
{
    replay_file("tests/golden/data/txn_trace.jsonl", 10);
}

int main(void)
{
    return unit_main(
        "scripted_cluster_recorded",
        (struct unit_test[]){{"answers_producers_as_recorded", answers_producers_as_recorded},
                             {"answers_transactions_as_recorded", answers_transactions_as_recorded},
                             {0}});
}
