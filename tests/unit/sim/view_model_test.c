#include "model/timeline.h"
#include "model/view_model.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define EVENT(NAME, name, ...) ((struct kb_event){.kind = KB_EVENT_##NAME, .as.name = {__VA_ARGS__}})

struct stage {
    struct sim_event_log *log;
    struct sim_model *model;
    uint32_t topic;
};

static void put(struct stage *stage, int64_t time_us, struct kb_event event)
{
    (void)sim_event_log_append(stage->log, &event, time_us, 0);
    sim_model_fold(stage->model, sim_event_log_info_view(stage->log),
                   sim_event_log_get(stage->log, sim_event_log_count(stage->log)));
}

static struct stage begin(uint32_t producer_count)
{
    struct stage stage = {.log = sim_event_log_create(), .model = malloc(sizeof(struct sim_model))};
    struct sim_run_info *info = sim_event_log_info(stage.log);
    info->producer_count = producer_count;
    info->broker_count = 3;
    info->duration_us = 1000000;
    for (int32_t i = 0; i < 3; i++) {
        info->brokers[i].id = i + 1;
    }
    stage.topic = sim_event_log_intern(stage.log, "orders", 6);
    sim_model_init(stage.model, info);
    return stage;
}

static void end(struct stage *stage)
{
    sim_event_log_destroy(stage->log);
    free(stage->model);
}

static void open_batch(struct stage *stage, uint32_t batch, int32_t partition)
{
    put(stage, batch,
        EVENT(BATCH_CREATED, batch_created, .batch = batch, .topic = stage->topic, .partition = partition,
              .capacity_bytes = 1000));
}

/* The numbers in a deque, from its head, as digits. */
static uint32_t deque(const struct stage *stage, int32_t partition)
{
    int32_t index = sim_model_find_partition(stage->model, stage->topic, partition);
    uint32_t numbers = 0;
    for (int32_t i = index >= 0 ? stage->model->partitions[index].first_batch[0] : -1; i >= 0;
         i = stage->model->batches[i].next) {
        numbers = numbers * 10 + stage->model->batches[i].number;
    }
    return numbers;
}

static void deques_follow_batches(void)
{
    struct stage stage = begin(1);
    open_batch(&stage, 1, 0);
    open_batch(&stage, 2, 0);
    open_batch(&stage, 3, 1);
    open_batch(&stage, 4, 0);
    CU_ASSERT_EQUAL(deque(&stage, 0), 124);
    put(&stage, 10,
        EVENT(BATCH_DRAINED, batch_drained, .batch = 1, .topic = stage.topic, .left = KB_LEFT_NO_ROOM));
    CU_ASSERT_EQUAL(deque(&stage, 0), 24);
    put(&stage, 10, EVENT(REQUEST_BUILT, request_built, .request = 5, .node = 2, .in_flight = 1));
    put(&stage, 10, EVENT(REQUEST_CARRIES, request_carries, .request = 5, .batch = 1, .node = 2));
    int32_t request = sim_model_find_request(stage.model, 0, 5);
    CU_ASSERT_NOT_EQUAL_FATAL(request, MODEL_NONE);
    CU_ASSERT_EQUAL(stage.model->batches[stage.model->requests[request].first_batch].number, 1);
    CU_ASSERT_EQUAL(stage.model->producers[0].nodes[1].in_flight, 1);
    put(&stage, 20, EVENT(RESPONSE_RECEIVED, response_received, .request = 5, .node = 2, .error = 6));
    put(&stage, 20,
        EVENT(BATCH_REENQUEUED, batch_reenqueued, .batch = 1, .attempts = 1, .error = 6, .backoff_ms = 100));
    CU_ASSERT_EQUAL(deque(&stage, 0), 124);
    CU_ASSERT_EQUAL(stage.model->batches[sim_model_find_batch(stage.model, 0, 1)].state,
                    MODEL_BATCH_RETRYING);
    CU_ASSERT_EQUAL(stage.model->batches[sim_model_find_batch(stage.model, 0, 1)].ripe_us, 100000);
    put(&stage, 30, EVENT(BATCH_DONE, batch_done, .batch = 2, .error = 7));
    CU_ASSERT_EQUAL(deque(&stage, 0), 14);
    CU_ASSERT_EQUAL(deque(&stage, 1), 3);
    end(&stage);
}

/* Two batches of an idempotent producer come back: the one of the earlier sequence numbers stays the first.
 */
static void retried_batches_keep_their_sequence(void)
{
    struct stage stage = begin(1);
    for (uint32_t batch = 1; batch <= 3; batch++) {
        open_batch(&stage, batch, 0);
    }
    for (uint32_t batch = 1; batch <= 2; batch++) {
        put(&stage, 10, EVENT(BATCH_DRAINED, batch_drained, .batch = batch, .topic = stage.topic));
        put(&stage, 10,
            EVENT(BATCH_SEQUENCED, batch_sequenced, .batch = batch, .topic = stage.topic,
                  .base_sequence = 10 * (int32_t)batch));
    }
    CU_ASSERT_EQUAL(deque(&stage, 0), 3);
    for (uint32_t batch = 1; batch <= 2; batch++) {
        put(&stage, 20,
            EVENT(BATCH_REENQUEUED, batch_reenqueued, .batch = batch, .topic = stage.topic, .attempts = 1));
    }
    CU_ASSERT_EQUAL(deque(&stage, 0), 123);
    end(&stage);
}

static void replicas_follow_logs(void)
{
    struct stage stage = begin(1);
    /* The leader may be known before the replicas are. */
    put(&stage, 0,
        EVENT(LEADER_ELECTED, leader_elected, .topic = stage.topic, .leader = 1, .leader_epoch = 0));
    for (int32_t broker = 1; broker <= 3; broker++) {
        put(&stage, 0, EVENT(REPLICA_PLACED, replica_placed, .broker = broker, .topic = stage.topic));
    }
    put(&stage, 0,
        EVENT(LEADER_ELECTED, leader_elected, .topic = stage.topic, .leader = 1, .leader_epoch = 0));
    put(&stage, 5,
        EVENT(LEADER_APPENDED, leader_appended, .base_offset = 0, .last_offset = 9, .broker = 1,
              .topic = stage.topic));
    put(&stage, 6,
        EVENT(FOLLOWER_APPENDED, follower_appended, .base_offset = 0, .last_offset = 9, .broker = 2,
              .leader = 1, .topic = stage.topic));
    put(&stage, 7, EVENT(HW_ADVANCED, hw_advanced, .high_watermark = 10, .broker = 1, .topic = stage.topic));
    put(&stage, 8, EVENT(ISR_SHRUNK, isr_shrunk, .topic = stage.topic, .broker = 3, .isr_count = 2));
    int32_t partition = sim_model_find_partition(stage.model, stage.topic, 0);
    const struct model_replica *leader =
        &stage.model->replicas[sim_model_find_replica(stage.model, partition, 1)];
    const struct model_replica *second =
        &stage.model->replicas[sim_model_find_replica(stage.model, partition, 2)];
    const struct model_replica *third =
        &stage.model->replicas[sim_model_find_replica(stage.model, partition, 3)];
    CU_ASSERT_TRUE(leader->is_leader);
    CU_ASSERT_EQUAL(leader->high_watermark, 10);
    CU_ASSERT_EQUAL(second->end_offset, 10);
    CU_ASSERT_FALSE(third->is_in_sync);
    CU_ASSERT_EQUAL(stage.model->partitions[partition].isr_count, 2);
    put(&stage, 9,
        EVENT(LOG_TRUNCATED, log_truncated, .end_offset = 4, .old_end_offset = 10, .broker = 2,
              .topic = stage.topic));
    CU_ASSERT_EQUAL(second->end_offset, 4);
    CU_ASSERT_EQUAL(second->ranges[0].last_offset, 3);
    put(&stage, 9, EVENT(BROKER_DOWN, broker_down, .broker = 1));
    CU_ASSERT_FALSE(stage.model->brokers[0].is_up);
    put(&stage, 9,
        EVENT(LEADER_ELECTED, leader_elected, .topic = stage.topic, .leader = 2,
              .why = KB_ELECTION_WHY_LEADER_LOST));
    CU_ASSERT_FALSE(leader->is_leader);
    CU_ASSERT_TRUE(second->is_leader);
    end(&stage);
}

static void windows_forget_the_oldest(void)
{
    struct stage stage = begin(2);
    for (uint32_t i = 1; i <= 3 * MODEL_BATCHES; i++) {
        open_batch(&stage, i, (int32_t)(i % 7));
    }
    CU_ASSERT_EQUAL(sim_model_find_batch(stage.model, 0, 1), MODEL_NONE);
    CU_ASSERT_NOT_EQUAL(sim_model_find_batch(stage.model, 0, 3 * MODEL_BATCHES), MODEL_NONE);
    CU_ASSERT_EQUAL(stage.model->forgotten, 2 * MODEL_BATCHES + MODEL_BATCHES / 2);
    uint32_t listed = 0;
    for (uint32_t p = 0; p < stage.model->partition_count; p++) {
        for (int32_t i = stage.model->partitions[p].first_batch[0]; i >= 0;
             i = stage.model->batches[i].next) {
            CU_ASSERT_EQUAL(stage.model->batches[i].partition, stage.model->partitions[p].partition);
            listed++;
        }
    }
    CU_ASSERT_EQUAL(listed, MODEL_BATCHES / 2);
    end(&stage);
}

static void seeking_equals_folding(void)
{
    struct stage stage = begin(1);
    uint32_t count = TIMELINE_COARSE_EVENTS + 5000;
    for (uint32_t i = 0; i < count; i++) {
        put(&stage, i,
            EVENT(RECORD_CREATED, record_created, .record = i, .topic = stage.topic,
                  .key_bytes = (int32_t)(i % 9)));
    }
    struct sim_timeline *timeline = sim_timeline_create(stage.log);
    static const uint32_t goals[] = {
        3, 9000, 8999, 9001, TIMELINE_COARSE_EVENTS + 1, 2, TIMELINE_COARSE_EVENTS - 1, 0};
    struct sim_model *fresh = malloc(sizeof *fresh);
    for (size_t i = 0; i < sizeof goals / sizeof goals[0]; i++) {
        sim_model_init(fresh, sim_event_log_info_view(stage.log));
        for (uint32_t k = 1; k <= goals[i]; k++) {
            sim_model_fold(fresh, sim_event_log_info_view(stage.log), sim_event_log_get(stage.log, k));
        }
        CU_ASSERT_TRUE(sim_model_equals(sim_timeline_seek(timeline, goals[i]), fresh));
    }
    CU_ASSERT_TRUE(sim_model_equals(sim_timeline_seek(timeline, UINT64_MAX), stage.model));
    CU_ASSERT_EQUAL(sim_timeline_find(stage.log, 17, false, sim_event_is_departure), 0);
    free(fresh);
    sim_timeline_destroy(timeline);
    end(&stage);
}

static void the_last_word_on_a_setting_counts(void)
{
    struct stage stage = begin(2);
    uint32_t linger = sim_event_log_intern(stage.log, "linger.ms", 9);
    uint32_t acks = sim_event_log_intern(stage.log, "acks", 4);
    struct kb_event event = EVENT(SETTING_CHANGED, setting_changed, .setting = linger, .value = acks);
    event.source = 1;
    put(&stage, 10, event);
    event.as.setting_changed = (struct kb_event_setting_changed){.setting = acks, .value = linger};
    put(&stage, 20, event);
    event.as.setting_changed =
        (struct kb_event_setting_changed){.setting = linger, .value = linger, .recreated = 1};
    put(&stage, 30, event);
    const struct model_producer *producer = &stage.model->producers[1];
    CU_ASSERT_EQUAL_FATAL(producer->setting_count, 2);
    CU_ASSERT_EQUAL(producer->settings[0].name, linger);
    CU_ASSERT_EQUAL(producer->settings[0].value, linger);
    CU_ASSERT_EQUAL(producer->settings[0].event, 3);
    CU_ASSERT_EQUAL(producer->settings[0].is_recreated, 1);
    CU_ASSERT_EQUAL(producer->settings[1].name, acks);
    CU_ASSERT_EQUAL(producer->settings[1].is_recreated, 0);
    CU_ASSERT_EQUAL(stage.model->producers[0].setting_count, 0);
    for (uint32_t name = 100; name < 120; name++) {
        event.as.setting_changed.setting = name;
        put(&stage, 40, event);
    }
    CU_ASSERT_EQUAL(producer->setting_count, MODEL_SETTINGS);
    CU_ASSERT_EQUAL(stage.model->forgotten, 20 + 2 - MODEL_SETTINGS);
    end(&stage);
}

static void cuts_are_told_apart(void)
{
    struct stage stage = begin(1);
    const struct {
        enum kb_fault_kind fault;
        int32_t other;
        uint32_t cut;
    } steps[] = {
        {KB_FAULT_KIND_CUT, -2, MODEL_CUT_PRODUCERS},
        {KB_FAULT_KIND_CUT, 3, MODEL_CUT_PRODUCERS | MODEL_CUT_BROKERS},
        {KB_FAULT_KIND_HEAL, -2, MODEL_CUT_BROKERS},
        {KB_FAULT_KIND_CUT, -3, MODEL_CUT_BROKERS | MODEL_CUT_ALL},
        {KB_FAULT_KIND_HEAL, -3, 0},
        {KB_FAULT_KIND_CUT, 3, MODEL_CUT_BROKERS},
        {KB_FAULT_KIND_CUT, 1, MODEL_CUT_BROKERS},
        {KB_FAULT_KIND_HEAL, 3, MODEL_CUT_BROKERS},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        put(&stage, 10,
            EVENT(FAULT, fault, .fault = (int32_t)steps[i].fault, .broker = 2, .other = steps[i].other));
        CU_ASSERT_EQUAL(stage.model->brokers[1].cut, steps[i].cut);
    }
    /* Both ends know of the link that is cut still. */
    CU_ASSERT_TRUE(sim_model_is_link_cut(stage.model, 1, 0));
    CU_ASSERT_TRUE(sim_model_is_link_cut(stage.model, 0, 1));
    CU_ASSERT_FALSE(sim_model_is_link_cut(stage.model, 1, 2));
    CU_ASSERT_EQUAL(stage.model->brokers[0].cut, MODEL_CUT_BROKERS);
    CU_ASSERT_EQUAL(stage.model->brokers[2].cut, 0);
    end(&stage);
}

int main(void)
{
    return unit_main(
        "view_model",
        (struct unit_test[]){{"deques follow batches", deques_follow_batches},
                             {"retried batches keep their sequence", retried_batches_keep_their_sequence},
                             {"replicas follow logs", replicas_follow_logs},
                             {"the last word on a setting counts", the_last_word_on_a_setting_counts},
                             {"cuts are told apart", cuts_are_told_apart},
                             {"windows forget the oldest", windows_forget_the_oldest},
                             {"seeking equals folding", seeking_equals_folding},
                             {0}});
}
