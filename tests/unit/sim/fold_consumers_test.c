/* Consumers, transactions and last stable offsets in the view model: sim/model/fold_consumers.c. */
#include "model/view_model.h"

#include "unit.h"

#include <stdlib.h>

#define EVENT(NAME, name, ...) ((struct kb_event){.kind = KB_EVENT_##NAME, .as.name = {__VA_ARGS__}})

static struct sim_event_log *run_log;
static struct sim_model *model;
static uint32_t topic;

static void put_from(uint16_t source, struct kb_event event)
{
    event.source = source;
    (void)sim_event_log_append(run_log, &event, 10, 0);
    sim_model_fold(model, sim_event_log_info_view(run_log),
                   sim_event_log_get(run_log, sim_event_log_count(run_log)));
}

static void put(struct kb_event event)
{
    put_from(KB_SOURCE_CLUSTER, event);
}

static void begin(void)
{
    run_log = sim_event_log_create();
    model = malloc(sizeof *model);
    struct sim_run_info *info = sim_event_log_info(run_log);
    info->producer_count = 2;
    info->producers[0].is_transactional = true;
    info->consumer_count = 2;
    info->consumers[1].is_read_committed = true;
    info->broker_count = 2;
    info->brokers[0].id = 1;
    info->brokers[1].id = 2;
    topic = sim_event_log_intern(run_log, "orders", 6);
    sim_model_init(model, info);
    put(EVENT(REPLICA_PLACED, replica_placed, .broker = 1, .topic = topic));
    put(EVENT(LEADER_ELECTED, leader_elected, .topic = topic, .leader = 1));
    put(EVENT(CONNECTION_OPENED, connection_opened, .connection = 1, .from = -1, .to = 1));
    put(EVENT(CONNECTION_OPENED, connection_opened, .connection = 2, .from = -2, .to = 1));
    put_from(0, EVENT(PRODUCER_ID_ASSIGNED, producer_id_assigned, .producer_id = 70));
}

static void end(void)
{
    sim_event_log_destroy(run_log);
    free(model);
}

static void append(uint32_t connection, int64_t first, int64_t last)
{
    put(EVENT(LEADER_APPENDED, leader_appended, .base_offset = first, .last_offset = last, .broker = 1,
              .connection = connection, .topic = topic));
}

/* What is drawn over a cell; -1: nothing is known of a transaction there. */
static int kind_at(int64_t offset)
{
    const struct model_span *span = sim_model_find_span(&model->partitions[0], offset);
    return span != NULL ? span->kind : -1;
}

static void transactions_end_with_their_markers(void)
{
    begin();
    append(1, 0, 4);
    append(2, 5, 5); /* the other producer has no transactions */
    append(1, 6, 7);
    CU_ASSERT_EQUAL(kind_at(4), MODEL_SPAN_OPEN);
    CU_ASSERT_EQUAL(kind_at(5), -1);
    put(EVENT(MARKER_APPENDED, marker_appended, .offset = 8, .producer_id = 70, .broker = 1, .topic = topic,
              .marker = KB_MARKER_ABORT));
    CU_ASSERT_EQUAL(kind_at(0), MODEL_SPAN_ABORTED);
    CU_ASSERT_EQUAL(kind_at(5), -1);
    CU_ASSERT_EQUAL(kind_at(7), MODEL_SPAN_ABORTED);
    CU_ASSERT_EQUAL(kind_at(8), MODEL_SPAN_ABORT);
    CU_ASSERT_EQUAL(model->replicas[0].end_offset, 9); /* a marker takes an offset */
    append(1, 9, 9);
    put(EVENT(MARKER_APPENDED, marker_appended, .offset = 10, .producer_id = 70, .broker = 1, .topic = topic,
              .marker = KB_MARKER_COMMIT));
    CU_ASSERT_EQUAL(kind_at(7), MODEL_SPAN_ABORTED);
    CU_ASSERT_EQUAL(kind_at(9), -1);
    CU_ASSERT_EQUAL(kind_at(10), MODEL_SPAN_COMMIT);
    append(2, 6, 6); /* after a truncation other records are there */
    CU_ASSERT_EQUAL(kind_at(4), MODEL_SPAN_ABORTED);
    CU_ASSERT_EQUAL(kind_at(6), -1);
    CU_ASSERT_EQUAL(kind_at(8), -1);
    end();
}

static void lag_is_to_what_may_be_read(void)
{
    begin();
    struct model_partition *partition = &model->partitions[0];
    for (uint16_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(partition->consumer_positions[i], MODEL_NOT_ASSIGNED);
        put_from(KB_SOURCE_CONSUMER + i, EVENT(CONSUMER_ASSIGNED, consumer_assigned, .topic = topic));
        CU_ASSERT_EQUAL(partition->consumer_positions[i], MODEL_NO_POSITION);
        put_from(KB_SOURCE_CONSUMER + i,
                 EVENT(CONSUMER_POSITION, consumer_position, .position = 2, .topic = topic));
    }
    append(1, 0, 9);
    put(EVENT(HW_ADVANCED, hw_advanced, .high_watermark = 8, .broker = 1, .topic = topic));
    CU_ASSERT_EQUAL(model->replicas[0].last_stable_offset, 8); /* it follows */
    put(EVENT(LSO_ADVANCED, lso_advanced, .last_stable_offset = 5, .high_watermark = 9, .broker = 1,
              .topic = topic));
    put(EVENT(HW_ADVANCED, hw_advanced, .high_watermark = 9, .broker = 1, .topic = topic));
    const struct sim_run_info *info = sim_event_log_info_view(run_log);
    CU_ASSERT_EQUAL(sim_model_lag(model, info, 0, partition), 7);
    CU_ASSERT_EQUAL(sim_model_lag(model, info, 1, partition), 3);
    CU_ASSERT_TRUE(model->replicas[0].is_held);
    put_from(KB_SOURCE_CONSUMER + 1, EVENT(CONSUMER_READ, consumer_read, .offset = 2, .position = 5,
                                           .topic = topic, .records = 2, .aborted = 1));
    CU_ASSERT_EQUAL(sim_model_lag(model, info, 1, partition), 0);
    CU_ASSERT_EQUAL(model->consumers[1].records, 2);
    CU_ASSERT_EQUAL(model->consumers[1].left_out, 1);
    CU_ASSERT_EQUAL(model->consumers[0].records, 0);
    put(EVENT(LSO_ADVANCED, lso_advanced, .last_stable_offset = 9, .high_watermark = 9, .broker = 1,
              .topic = topic));
    CU_ASSERT_FALSE(model->replicas[0].is_held);
    CU_ASSERT_EQUAL(sim_model_lag(model, info, 1, partition), 4);
    end();
}

int main(void)
{
    return unit_main("fold_consumers",
                     (struct unit_test[]){
                         {"transactions end with their markers", transactions_end_with_their_markers},
                         {"lag is to what may be read", lag_is_to_what_may_be_read},
                         {0},
                     });
}
