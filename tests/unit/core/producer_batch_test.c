#include "core/producer_batch.h"

#include "core_support.h"
#include "unit.h"

#include <string.h>

struct fixture {
    struct known_cluster cluster;
    struct kp_producer_batch *batch;
    struct kp_completion_queue completions;
};

static struct recorded_trace recorded;

static void set_up(struct fixture *f, uint32_t capacity_bytes)
{
    memset(f, 0, sizeof *f);
    recorded_trace_init(&recorded);
    known_cluster_init(&f->cluster);
    const struct kp_topic *topic = kp_topics_topic(f->cluster.topics, "t", 1);
    struct kp_buffer *buffer = kp_buffer_create(&f->cluster.memory.allocator, capacity_bytes);
    f->batch = kp_producer_batch_create(&f->cluster.memory.allocator, &recorded.trace, 1,
                                        kp_topics_partition(f->cluster.topics, topic, 3), buffer, false, 50);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f->batch);
}

static void tear_down(struct fixture *f)
{
    while (kp_completion_queue_first(&f->completions) != NULL) {
        kp_completion_queue_pop(&f->completions);
    }
    kp_producer_batch_release(f->batch);
    known_cluster_release(&f->cluster);
}

static enum kp_append_result add(struct fixture *f, uint32_t id, int32_t value_bytes, uint32_t *size_bytes)
{
    static const uint8_t value[256];
    struct kw_record_fields fields = {.key = {(const uint8_t *)"k", 1}, .value = {value, value_bytes}};
    if (value_bytes < 0) {
        fields.value = (struct kw_bytes){0};
    }
    return kp_producer_batch_try_append(f->batch, 1000 + id, &fields, id, 60, size_bytes);
}

static void slots_grow_with_the_records(void)
{
    struct fixture f;
    uint32_t size_bytes;
    set_up(&f, 61 + 30 * 9);
    uint32_t count = 0;
    while (add(&f, count, count == 1 ? -1 : 1, &size_bytes) == KP_APPEND_OK) {
        count++;
    }
    CU_ASSERT(count >= 20);
    CU_ASSERT_EQUAL(f.batch->record_count, count);
    for (uint32_t i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(f.batch->record_ids[i], i);
        CU_ASSERT_EQUAL(f.batch->slots[i].timestamp_ms, 1000 + i);
        CU_ASSERT_EQUAL(f.batch->slots[i].key_bytes, 1);
        CU_ASSERT_EQUAL(f.batch->slots[i].value_bytes, i == 1 ? -1 : 1);
    }
    tear_down(&f);
}

static void no_memory_changes_nothing(void)
{
    struct fixture f;
    uint32_t size_bytes;
    set_up(&f, 200);
    f.cluster.memory.allowed_count = 1; /* the slots, but not the ids */
    CU_ASSERT_EQUAL(add(&f, 7, 1, &size_bytes), KP_APPEND_NO_MEMORY);
    CU_ASSERT_EQUAL(f.batch->record_count, 0);
    CU_ASSERT_EQUAL(f.batch->builder.record_count, 0);
    f.cluster.memory.allowed_count = UINT64_MAX;
    CU_ASSERT_EQUAL(add(&f, 7, 1, &size_bytes), KP_APPEND_OK);
    tear_down(&f);
}

static void done_only_once(void)
{
    struct fixture f;
    uint32_t size_bytes;
    struct kp_failure failure;
    set_up(&f, 200);
    CU_ASSERT_EQUAL(add(&f, 5, 1, &size_bytes), KP_APPEND_OK);
    CU_ASSERT_EQUAL(add(&f, 6, 1, &size_bytes), KP_APPEND_OK);
    kp_producer_batch_close(f.batch);
    CU_ASSERT_FALSE(kp_producer_batch_is_done(f.batch));
    CU_ASSERT_TRUE(kp_producer_batch_complete(f.batch, &f.completions, 40, -1));
    CU_ASSERT_FALSE(kp_producer_batch_complete(f.batch, &f.completions, 41, -1));
    kp_failure_throw(&failure, "TimeoutException", "late");
    CU_ASSERT_FALSE(kp_producer_batch_complete_exceptionally(f.batch, &f.completions,
                                                             KW_ERROR_REQUEST_TIMED_OUT, &failure, NULL, 0));
    CU_ASSERT_EQUAL(f.batch->base_offset, 40);
    CU_ASSERT_EQUAL(f.batch->state, KP_BATCH_SUCCEEDED);
    CU_ASSERT_EQUAL(f.completions.batch_count, 1);
    const struct kb_event *last = recorded_trace_last(&recorded, KB_EVENT_RECORD_COMPLETED);
    CU_ASSERT_EQUAL(last->as.record_completed.offset, 41);
    CU_ASSERT_EQUAL(last->as.record_completed.record, 6);
    tear_down(&f);
}

static void records_fail_for_reasons_of_their_own(void)
{
    struct fixture f;
    uint32_t size_bytes;
    struct kp_failure failure;
    char message[] = "bad one";
    set_up(&f, 200);
    for (uint32_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(add(&f, i, 1, &size_bytes), KP_APPEND_OK);
    }
    kp_failure_throw(&failure, "InvalidRecordException", "top");
    struct kp_record_failure records[] = {{1, "InvalidRecordException", "overwritten"},
                                          {1, "InvalidRecordException", message},
                                          {-5, "InvalidRecordException", "nobody"},
                                          {2, "CorruptRecordException", NULL}};
    CU_ASSERT_TRUE(kp_producer_batch_complete_exceptionally(f.batch, &f.completions, KW_ERROR_INVALID_RECORD,
                                                            &failure, records, 4));
    message[0] = 'm'; /* it was copied */
    kp_producer_batch_failure_of(f.batch, 0, &failure);
    CU_ASSERT_STRING_EQUAL(failure.thrown.exception, "KafkaException");
    CU_ASSERT_STRING_EQUAL(
        failure.thrown.message,
        "Failed to append record because it was part of a batch which had one more more invalid records");
    kp_producer_batch_failure_of(f.batch, 1, &failure);
    CU_ASSERT_STRING_EQUAL(failure.thrown.message, "bad one");
    kp_producer_batch_failure_of(f.batch, 2, &failure);
    CU_ASSERT_STRING_EQUAL(failure.thrown.exception, "CorruptRecordException");
    CU_ASSERT_FALSE(failure.thrown.has_message);
    CU_ASSERT_EQUAL(kp_producer_batch_error(f.batch), KW_ERROR_INVALID_RECORD);
    tear_down(&f);
}

static void a_failure_needs_no_memory(void)
{
    struct fixture f;
    struct kp_failure failure;
    uint32_t size_bytes;
    struct kp_record_failure record = {0, "InvalidRecordException", "why"};
    for (uint64_t allowed = 0; allowed < 3; allowed++) {
        set_up(&f, 200);
        CU_ASSERT_EQUAL(add(&f, 0, 1, &size_bytes), KP_APPEND_OK);
        kp_failure_throw(&failure, "TimeoutException", "late");
        f.cluster.memory.allowed_count = allowed;
        CU_ASSERT_TRUE(kp_producer_batch_complete_exceptionally(
            f.batch, &f.completions, KW_ERROR_REQUEST_TIMED_OUT, &failure, &record, 1));
        kp_producer_batch_failure_of(f.batch, 0, &failure);
        CU_ASSERT_STRING_EQUAL(failure.thrown.exception, "OutOfMemoryError");
        f.cluster.memory.allowed_count = UINT64_MAX;
        tear_down(&f);
    }
}

static void waiting_counts_from_the_last_attempt(void)
{
    struct fixture f;
    set_up(&f, 200);
    CU_ASSERT_EQUAL(kp_producer_batch_waited_ms(f.batch, 40), 0);
    CU_ASSERT_EQUAL(kp_producer_batch_waited_ms(f.batch, 55), 5);
    CU_ASSERT_FALSE(kp_producer_batch_has_reached_delivery_timeout(f.batch, 10, 59));
    CU_ASSERT_TRUE(kp_producer_batch_has_reached_delivery_timeout(f.batch, 10, 60));
    kp_producer_batch_reenqueued(f.batch, 80);
    CU_ASSERT_EQUAL(kp_producer_batch_waited_ms(f.batch, 90), 10);
    CU_ASSERT_EQUAL(f.batch->attempts, 1);
    CU_ASSERT_TRUE(f.batch->in_retry);
    CU_ASSERT_EQUAL(f.batch->created_ms, 50);
    tear_down(&f);
}

static void sequences_are_rewritten_on_reset(void)
{
    struct fixture f;
    uint32_t size_bytes;
    set_up(&f, 200);
    CU_ASSERT_EQUAL(add(&f, 0, 1, &size_bytes), KP_APPEND_OK);
    CU_ASSERT_EQUAL(add(&f, 1, 1, &size_bytes), KP_APPEND_OK);
    CU_ASSERT_FALSE(kp_producer_batch_has_sequence(f.batch));
    kp_producer_batch_set_producer_state(f.batch, 1000, 2, INT32_MAX, false);
    kp_producer_batch_close(f.batch);
    CU_ASSERT_EQUAL(kw_record_batch_base_sequence(kp_producer_batch_bytes(f.batch)), INT32_MAX);
    CU_ASSERT_EQUAL(kp_producer_batch_last_sequence(f.batch), INT32_MIN); /* Java's int overflows */
    kp_producer_batch_reset_producer_state(f.batch, 1000, 3, 0, false);
    CU_ASSERT_TRUE(f.batch->sequence_has_been_reset);
    kp_producer_batch_close(f.batch);
    CU_ASSERT_FALSE(f.batch->sequence_has_been_reset);
    CU_ASSERT_EQUAL(kw_record_batch_producer_epoch(kp_producer_batch_bytes(f.batch)), 3);
    CU_ASSERT_EQUAL(kw_record_batch_validate(kp_producer_batch_bytes(f.batch),
                                             (size_t)kp_producer_batch_size_bytes(f.batch)),
                    KW_ERROR_NONE);
    tear_down(&f);
}

int main(void)
{
    return unit_main(
        "producer_batch",
        (struct unit_test[]){{"slots grow with the records", slots_grow_with_the_records},
                             {"no memory changes nothing", no_memory_changes_nothing},
                             {"done only once", done_only_once},
                             {"records fail for their own reasons", records_fail_for_reasons_of_their_own},
                             {"a failure needs no memory", a_failure_needs_no_memory},
                             {"waiting counts from the last attempt", waiting_counts_from_the_last_attempt},
                             {"sequences are rewritten on reset", sequences_are_rewritten_on_reset},
                             {0}});
}
