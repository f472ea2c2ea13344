#include "core/record_accumulator.h"

#include "core/record_accumulator_internal.h"
#include "core/transaction_manager_internal.h"
#include "core_support.h"
#include "unit.h"
#include "wire/record_batch_reader.h"

#include <string.h>

enum { BATCH_BYTES = 200, MAX_REQUEST_BYTES = 1 << 20 };

/* Brokers 0 and 1; partitions 0, 2, 4 at broker 0 and 1, 3 at broker 1; partition 5 has no leader. */
static const int32_t leaders[] = {0, 1, 0, 1, 0, -1};

struct fixture {
    struct recorded_trace recorded;
    struct known_cluster cluster;
    const struct kp_topic *topic;
    struct kp_record_accumulator *accumulator;
    struct kp_append append;
    struct kp_failure failure;
    enum kw_error error;
    uint32_t next_record;
};

static struct fixture f; /* large: the trace */

static void set_up_with(struct kp_transaction_manager *manager, int32_t linger_ms, int64_t memory_bytes)
{
    memset(&f, 0, sizeof f);
    recorded_trace_init(&f.recorded);
    known_cluster_init(&f.cluster);
    f.topic = known_cluster_update(&f.cluster, "t", 2, leaders, 6);
    f.accumulator = kp_record_accumulator_create(
        &(struct kp_record_accumulator_options){.allocator = &f.cluster.memory.allocator,
                                                .trace = &f.recorded.trace,
                                                .metadata = f.cluster.metadata,
                                                .transaction_manager = manager,
                                                .buffer_memory_bytes = memory_bytes,
                                                .batch_size_bytes = BATCH_BYTES,
                                                .linger_ms = linger_ms,
                                                .retry_backoff_ms = 100,
                                                .delivery_timeout_ms = 1000});
    CU_ASSERT_PTR_NOT_NULL_FATAL(f.accumulator);
}

static void set_up(int32_t linger_ms, int64_t memory_bytes)
{
    set_up_with(NULL, linger_ms, memory_bytes);
}

static void tear_down(void)
{
    kp_buffer_pool_check(kp_record_accumulator_pool(f.accumulator));
    kp_record_accumulator_destroy(f.accumulator);
    known_cluster_release(&f.cluster);
}

static enum kp_accumulate append_to(struct kp_append *append, int32_t partition, int32_t value_bytes,
                                    bool abort_on_new_batch, int64_t now_ms)
{
    static const uint8_t value[4096];
    append->partition = kp_topics_partition(f.cluster.topics, f.topic, partition);
    append->fields = (struct kw_record_fields){.value = {value, value_bytes}};
    append->timestamp_ms = 1000000 + now_ms;
    append->record_id = f.next_record++;
    append->abort_on_new_batch = abort_on_new_batch;
    return kp_record_accumulator_append(f.accumulator, append, 60, now_ms, &f.failure, &f.error);
}

static void add(int32_t partition, int32_t value_bytes, int64_t now_ms)
{
    CU_ASSERT_EQUAL_FATAL(append_to(&f.append, partition, value_bytes, false, now_ms),
                          KP_ACCUMULATE_APPENDED);
}

/* Everything for that node, as the numbers of batches; the batches become the caller's. */
static struct kp_batch_list drain(int32_t node, int32_t max_bytes, int64_t now_ms)
{
    struct kp_batch_list list;
    kp_record_accumulator_drain_node(f.accumulator, node, max_bytes, now_ms, &list);
    return list;
}

static void complete(struct kp_batch_list list)
{
    struct kp_producer_batch *next;
    for (struct kp_producer_batch *batch = list.first; batch != NULL; batch = next) {
        next = batch->drained_next;
        CU_ASSERT_TRUE(
            kp_producer_batch_complete(batch, kp_record_accumulator_completions(f.accumulator), 500, -1));
        kp_record_accumulator_deallocate(f.accumulator, batch);
    }
}

static struct kp_ready_check ready(int64_t now_ms)
{
    struct kp_ready_check check;
    kp_record_accumulator_ready(f.accumulator, now_ms, &check);
    return check;
}

static void append_opens_fills_and_closes(void)
{
    set_up(10, 10000);
    CU_ASSERT_EQUAL(append_to(&f.append, 0, 50, true, 0), KP_ACCUMULATE_ABORTED);
    add(0, 50, 0);
    CU_ASSERT_TRUE(f.append.new_batch_created);
    CU_ASSERT_FALSE(f.append.batch_is_full);
    CU_ASSERT_EQUAL(append_to(&f.append, 0, 50, true, 0), KP_ACCUMULATE_APPENDED);
    CU_ASSERT_FALSE(f.append.new_batch_created || f.append.batch_is_full);
    CU_ASSERT_EQUAL(f.append.batch, 1);
    add(0, 50, 0); /* does not fit: 61 + 2 * 57 + 57 > 200 */
    CU_ASSERT_TRUE(f.append.new_batch_created && f.append.batch_is_full);
    CU_ASSERT_EQUAL(f.append.batch, 2);
    const struct kb_event *closed = recorded_trace_last(&f.recorded, KB_EVENT_BATCH_CLOSED);
    CU_ASSERT_PTR_NOT_NULL_FATAL(closed);
    CU_ASSERT_EQUAL(closed->as.batch_closed.why, KB_CLOSE_WHY_NO_ROOM);
    CU_ASSERT_EQUAL(closed->as.batch_closed.records, 2);
    CU_ASSERT_EQUAL(kp_record_accumulator_incomplete(f.accumulator)->record_count, 3);
    /* A record larger than batch.size gets a buffer of its own upper bound. */
    add(2, 300, 0);
    CU_ASSERT_EQUAL(recorded_trace_last(&f.recorded, KB_EVENT_BATCH_CREATED)->as.batch_created.capacity_bytes,
                    61 + 21 + 300 + 1 + 2 + 1);
    tear_down();
}

static void ready_by_linger_and_by_full(void)
{
    set_up(10, 10000);
    add(0, 50, 0);
    add(1, 50, 5);
    struct kp_ready_check check = ready(6);
    CU_ASSERT_EQUAL(check.ready_node_count, 0);
    CU_ASSERT_EQUAL(check.next_ready_check_delay_ms, 4);
    const struct kb_event *held = recorded_trace_last(&f.recorded, KB_EVENT_BATCH_HELD);
    CU_ASSERT_PTR_NOT_NULL_FATAL(held);
    CU_ASSERT_EQUAL(held->as.batch_held.held, KB_HELD_LINGER);
    CU_ASSERT_EQUAL(held->as.batch_held.left_ms, 9);
    (void)ready(7);
    CU_ASSERT_EQUAL(recorded_trace_count(&f.recorded, KB_EVENT_BATCH_HELD), 2); /* told once */

    check = ready(10);
    CU_ASSERT_EQUAL_FATAL(check.ready_node_count, 1);
    CU_ASSERT_EQUAL(check.ready_nodes[0], 0);
    CU_ASSERT_EQUAL(check.next_ready_check_delay_ms, 5);
    CU_ASSERT_EQUAL(recorded_trace_last(&f.recorded, KB_EVENT_BATCH_READY)->as.batch_ready.left,
                    KB_LEFT_LINGER);

    add(1, 60, 10);
    add(1, 60, 10); /* the first is closed, and a successor stands behind it */
    check = ready(11);
    CU_ASSERT_EQUAL_FATAL(check.ready_node_count, 2);
    CU_ASSERT_EQUAL(check.ready_nodes[1], 1);
    CU_ASSERT_EQUAL(recorded_trace_last(&f.recorded, KB_EVENT_BATCH_READY)->as.batch_ready.left,
                    KB_LEFT_NO_ROOM);
    tear_down();
}

static void unknown_leader_asks_for_metadata(void)
{
    set_up(0, 10000);
    add(5, 10, 0);
    struct kp_ready_check check = ready(0);
    CU_ASSERT_EQUAL(check.ready_node_count, 0);
    CU_ASSERT_EQUAL_FATAL(check.unknown_leader_topic_count, 1);
    CU_ASSERT_PTR_EQUAL(check.unknown_leader_topics[0], f.topic);
    CU_ASSERT_EQUAL(recorded_trace_last(&f.recorded, KB_EVENT_BATCH_HELD)->as.batch_held.held,
                    KB_HELD_NO_LEADER);
    tear_down();
}

static void drain_takes_the_whole_node(void)
{
    set_up(10, 10000);
    add(0, 50, 0);
    add(2, 50, 9);
    add(1, 50, 0);
    struct kp_batch_list list = drain(0, MAX_REQUEST_BYTES, 10);
    CU_ASSERT_EQUAL(list.count, 2);
    const struct kb_event *drained = recorded_trace_last(&f.recorded, KB_EVENT_BATCH_DRAINED);
    CU_ASSERT_EQUAL(drained->as.batch_drained.partition, 2);
    CU_ASSERT_EQUAL(drained->as.batch_drained.left, KB_LEFT_PIGGYBACK);
    CU_ASSERT_TRUE(kp_producer_batch_is_closed(list.first));
    complete(list);
    CU_ASSERT_TRUE(kp_record_accumulator_has_undrained(f.accumulator));
    complete(drain(1, MAX_REQUEST_BYTES, 10));
    CU_ASSERT_FALSE(kp_record_accumulator_has_undrained(f.accumulator));
    CU_ASSERT_FALSE(kp_record_accumulator_has_incomplete(f.accumulator));
    CU_ASSERT_EQUAL(kp_buffer_pool_available_bytes(kp_record_accumulator_pool(f.accumulator)), 10000);
    tear_down();
}

static void drain_index_skips_what_did_not_fit(void)
{
    set_up(0, 10000);
    for (int round = 0; round < 2; round++) {
        add(0, 100, 0);
        add(2, 100, 0);
        add(4, 100, 0);
    }
    /* Two of 168 bytes and a third would be 504. The index has passed partition 4 by then. */
    struct kp_batch_list first = drain(0, 400, 0);
    CU_ASSERT_EQUAL(first.count, 2);
    CU_ASSERT_EQUAL(first.first->partition->partition, 0);
    CU_ASSERT_EQUAL(first.last->partition->partition, 2);
    CU_ASSERT_EQUAL(recorded_trace_last(&f.recorded, KB_EVENT_BATCH_HELD)->as.batch_held.held,
                    KB_HELD_REQUEST_CAP);
    struct kp_batch_list second = drain(0, 400, 0);
    CU_ASSERT_EQUAL(second.count, 2);
    CU_ASSERT_EQUAL(second.first->partition->partition, 0);
    /* The first batch always goes, however small the limit. */
    struct kp_batch_list third = drain(0, 1, 0);
    CU_ASSERT_EQUAL(third.count, 1);
    complete(first);
    complete(second);
    complete(third);
    tear_down();
}

static void retries_back_off_and_go_first(void)
{
    set_up(0, 10000);
    add(0, 120, 0);
    add(0, 120, 0);
    struct kp_batch_list one = drain(0, MAX_REQUEST_BYTES, 0);
    struct kp_batch_list two = drain(0, MAX_REQUEST_BYTES, 0);
    add(0, 120, 1);
    kp_record_accumulator_reenqueue(f.accumulator, one.first, KW_ERROR_NETWORK_EXCEPTION, 50);
    kp_record_accumulator_reenqueue(f.accumulator, two.first, KW_ERROR_NETWORK_EXCEPTION, 50);
    /* In the order of the responses at the head: the second stands before the first now. */
    struct kp_ready_check check = ready(60);
    CU_ASSERT_EQUAL(check.ready_node_count, 0);
    CU_ASSERT_EQUAL(check.next_ready_check_delay_ms, 90);
    CU_ASSERT_EQUAL(recorded_trace_last(&f.recorded, KB_EVENT_BATCH_HELD)->as.batch_held.held,
                    KB_HELD_BACKOFF);
    CU_ASSERT_EQUAL(drain(0, MAX_REQUEST_BYTES, 149).count, 0);
    struct kp_batch_list back = drain(0, MAX_REQUEST_BYTES, 150);
    CU_ASSERT_EQUAL_FATAL(back.count, 1);
    CU_ASSERT_EQUAL(back.first->number, 2);
    CU_ASSERT_EQUAL(back.first->attempts, 1);
    CU_ASSERT_EQUAL(recorded_trace_last(&f.recorded, KB_EVENT_BATCH_DRAINED)->as.batch_drained.left,
                    KB_LEFT_BACKOFF_OVER);
    /* A batch that comes back is announced anew. */
    back.first->held_mask = KB_HELD_BACKOFF;
    kp_record_accumulator_reenqueue(f.accumulator, back.first, KW_ERROR_NETWORK_EXCEPTION, 200);
    uint32_t told = recorded_trace_count(&f.recorded, KB_EVENT_BATCH_HELD);
    (void)ready(201);
    CU_ASSERT_EQUAL(recorded_trace_count(&f.recorded, KB_EVENT_BATCH_HELD), told + 1);
    tear_down();
}

static void muted_partitions_stay(void)
{
    set_up(0, 10000);
    add(0, 10, 0);
    struct kp_batch_list list = drain(0, MAX_REQUEST_BYTES, 0);
    kp_record_accumulator_mute_partition(f.accumulator, list.first->partition);
    add(0, 10, 0);
    CU_ASSERT_EQUAL(ready(0).ready_node_count, 0);
    CU_ASSERT_EQUAL(recorded_trace_last(&f.recorded, KB_EVENT_BATCH_HELD)->as.batch_held.held, KB_HELD_MUTED);
    CU_ASSERT_EQUAL(drain(0, MAX_REQUEST_BYTES, 0).count, 0);
    kp_record_accumulator_unmute_partition(f.accumulator, list.first->partition);
    CU_ASSERT_EQUAL(ready(0).ready_node_count, 1);
    complete(list);
    tear_down();
}

static void sender_holds_are_told_once(void)
{
    set_up(0, 10000);
    add(0, 10, 0);
    for (int64_t now_ms = 0; now_ms < 3; now_ms++) {
        (void)ready(now_ms);
        kp_record_accumulator_note_held_node(f.accumulator, 0, KB_HELD_NOT_CONNECTED, 0, now_ms);
        kp_record_accumulator_note_held_node(f.accumulator, 1, KB_HELD_INFLIGHT_FULL, 0, now_ms);
    }
    CU_ASSERT_EQUAL(recorded_trace_count(&f.recorded, KB_EVENT_BATCH_READY), 1);
    CU_ASSERT_EQUAL(recorded_trace_count(&f.recorded, KB_EVENT_BATCH_HELD), 1);
    kp_record_accumulator_note_held_node(f.accumulator, 0, KB_HELD_INFLIGHT_FULL, 0, 3);
    CU_ASSERT_EQUAL(recorded_trace_count(&f.recorded, KB_EVENT_BATCH_HELD), 2);
    tear_down();
}

static void expiry_is_at_the_delivery_timeout(void)
{
    set_up(5000, 10000);
    add(0, 120, 0);
    add(0, 120, 1);
    add(1, 10, 500);
    struct kp_batch_list list;
    kp_record_accumulator_reset_next_expiry(f.accumulator);
    kp_record_accumulator_expired(f.accumulator, 999, &list);
    CU_ASSERT_EQUAL(list.count, 0);
    CU_ASSERT_EQUAL(kp_record_accumulator_next_expiry_ms(f.accumulator), 1000);
    CU_ASSERT_EQUAL(kp_record_accumulator_next_deadline_ms(f.accumulator, 999), 1000);
    kp_record_accumulator_reset_next_expiry(f.accumulator);
    kp_record_accumulator_expired(f.accumulator, 1000, &list);
    CU_ASSERT_EQUAL_FATAL(list.count, 1);
    CU_ASSERT_EQUAL(list.first->number, 1);
    CU_ASSERT_EQUAL(kp_record_accumulator_next_expiry_ms(f.accumulator), 1001);
    complete(list);
    tear_down();
}

static void memory_waiter_finds_the_batch_of_another(void)
{
    set_up(10, 400);
    add(0, 110, 0);
    add(1, 110, 0);
    struct kp_append waiting = {0};
    struct kp_append second = {0};
    CU_ASSERT_EQUAL(append_to(&waiting, 2, 20, false, 0), KP_ACCUMULATE_BLOCKED);
    CU_ASSERT_EQUAL(append_to(&second, 2, 20, false, 0), KP_ACCUMULATE_BLOCKED);
    CU_ASSERT_EQUAL(ready(1).ready_node_count, 2); /* somebody waits: everything is ready */
    CU_ASSERT_EQUAL(recorded_trace_last(&f.recorded, KB_EVENT_BATCH_READY)->as.batch_ready.left,
                    KB_LEFT_MEMORY_WAITER);
    complete(drain(0, MAX_REQUEST_BYTES, 1));
    complete(drain(1, MAX_REQUEST_BYTES, 1));
    CU_ASSERT_TRUE_FATAL(kp_memory_waiter_is_runnable(&waiting.waiter, 1));
    CU_ASSERT_EQUAL(kp_record_accumulator_resume(f.accumulator, &waiting, 1, &f.failure, &f.error),
                    KP_ACCUMULATE_APPENDED);
    CU_ASSERT_TRUE(waiting.new_batch_created);
    CU_ASSERT_TRUE_FATAL(kp_memory_waiter_is_runnable(&second.waiter, 1));
    CU_ASSERT_EQUAL(kp_record_accumulator_resume(f.accumulator, &second, 1, &f.failure, &f.error),
                    KP_ACCUMULATE_APPENDED);
    CU_ASSERT_FALSE(second.new_batch_created);
    CU_ASSERT_EQUAL(second.batch, waiting.batch);
    CU_ASSERT_EQUAL(kp_buffer_pool_available_bytes(kp_record_accumulator_pool(f.accumulator)), 200);
    tear_down();
}

static void closed_accumulator_refuses(void)
{
    set_up(10, 10000);
    add(0, 10, 0);
    kp_record_accumulator_close(f.accumulator);
    CU_ASSERT_EQUAL(append_to(&f.append, 0, 10, false, 0), KP_ACCUMULATE_FAILED);
    CU_ASSERT_STRING_EQUAL(f.failure.thrown.message, "Producer closed while send in progress");
    CU_ASSERT_EQUAL(ready(0).ready_node_count, 1);
    CU_ASSERT_EQUAL(recorded_trace_last(&f.recorded, KB_EVENT_BATCH_READY)->as.batch_ready.left,
                    KB_LEFT_CLOSE);
    kp_record_accumulator_abort_incomplete(f.accumulator);
    CU_ASSERT_FALSE(kp_record_accumulator_has_incomplete(f.accumulator));
    struct kp_producer_batch *done =
        kp_completion_queue_first(kp_record_accumulator_completions(f.accumulator));
    CU_ASSERT_PTR_NOT_NULL_FATAL(done);
    kp_producer_batch_failure_of(done, 0, &f.failure);
    CU_ASSERT_STRING_EQUAL(f.failure.thrown.message, "Producer is closed forcefully.");
    tear_down();
}

static void abort_undrained_leaves_what_was_drained(void)
{
    set_up(0, 10000);
    add(0, 120, 0);
    struct kp_batch_list drained = drain(0, MAX_REQUEST_BYTES, 0);
    add(0, 120, 0);
    add(1, 120, 0);
    kp_failure_throw(&f.failure, "KafkaException", "why not");
    kp_record_accumulator_abort_undrained(f.accumulator, KW_ERROR_KAFKA, &f.failure);
    CU_ASSERT_EQUAL(kp_record_accumulator_incomplete(f.accumulator)->batch_count, 1);
    CU_ASSERT_FALSE(kp_record_accumulator_has_undrained(f.accumulator));
    complete(drained);
    tear_down();
}

/* The records of a closed batch, by their ids and values. */
static void check_records(const struct kp_producer_batch *batch, uint32_t first_id, uint32_t count)
{
    struct kw_record_reader reader;
    struct kw_record record;
    const uint8_t *bytes = kp_producer_batch_bytes(batch);
    uint32_t size_bytes = (uint32_t)kp_producer_batch_size_bytes(batch);
    CU_ASSERT_EQUAL(kw_record_batch_validate(bytes, size_bytes), KW_ERROR_NONE);
    CU_ASSERT_EQUAL(batch->record_count, count);
    kw_record_reader_init(&reader, bytes, bytes + KW_RECORD_BATCH_RECORDS,
                          size_bytes - KW_RECORD_BATCH_RECORDS);
    uint32_t index = 0;
    while (kw_record_reader_next(&reader, &record)) {
        CU_ASSERT_EQUAL(batch->record_ids[index], first_id + index);
        CU_ASSERT_EQUAL(record.timestamp_ms, 1000000);
        CU_ASSERT_EQUAL(record.header_count, 1);
        index++;
    }
    CU_ASSERT_EQUAL(index, count);
}

/* Let the only batch grow beyond batch.size, as compression does. */
static void enlarge_batch(uint32_t capacity_bytes)
{
    struct kp_producer_batch *batch = kp_incomplete_batches_first(&f.accumulator->incomplete);
    struct kp_buffer *large = kp_buffer_create(&f.cluster.memory.allocator, capacity_bytes);
    memcpy(large->bytes, batch->buffer->bytes, BATCH_BYTES);
    kp_buffer_pool_deallocate(&f.accumulator->pool, batch->buffer, BATCH_BYTES);
    f.accumulator->pool.unallocated_bytes -= capacity_bytes;
    batch->buffer = large;
    batch->builder.memory = large->bytes;
    batch->builder.capacity_bytes = capacity_bytes;
    batch->builder.memory_bytes = capacity_bytes;
}

/* Four records with a header each, in one batch of partition 0, drained. */
static struct kp_producer_batch *drain_large_batch(void)
{
    static const uint8_t value[100];
    struct kw_record_header header = {{(const uint8_t *)"h", 1}, {NULL, 0}};
    for (uint32_t i = 0; i < 4; i++) {
        f.append.partition = kp_topics_partition(f.cluster.topics, f.topic, 0);
        f.append.fields = (struct kw_record_fields){
            .value = {value, i == 0 ? 100 : 40}, .headers = &header, .header_count = 1};
        f.append.timestamp_ms = 1000000;
        f.append.record_id = i;
        CU_ASSERT_EQUAL_FATAL(
            kp_record_accumulator_append(f.accumulator, &f.append, 0, 0, &f.failure, &f.error),
            KP_ACCUMULATE_APPENDED);
        if (i == 0) {
            enlarge_batch(600);
        }
    }
    struct kp_batch_list whole = drain(0, MAX_REQUEST_BYTES, 7);
    CU_ASSERT_EQUAL_FATAL(whole.count, 1);
    return whole.first;
}

static void split_keeps_records_and_order(void)
{
    set_up(0, 10000);
    struct kp_producer_batch *whole = drain_large_batch();
    CU_ASSERT_EQUAL_FATAL(kp_record_accumulator_split_and_reenqueue(f.accumulator, whole), 3);
    kp_record_accumulator_deallocate(f.accumulator, whole);
    CU_ASSERT_EQUAL(kp_record_accumulator_incomplete(f.accumulator)->record_count, 4);
    CU_ASSERT_TRUE(kp_incomplete_batches_has_up_to(&f.accumulator->incomplete, 2));
    CU_ASSERT_FALSE(kp_incomplete_batches_has_up_to(&f.accumulator->incomplete, 1));

    static const uint32_t counts[] = {1, 2, 1};
    uint32_t first_id = 0;
    for (int i = 0; i < 3; i++) {
        struct kp_batch_list part = drain(0, MAX_REQUEST_BYTES, 7);
        CU_ASSERT_EQUAL_FATAL(part.count, 1);
        CU_ASSERT_TRUE(part.first->is_split);
        CU_ASSERT_EQUAL(part.first->attempts, 0);
        check_records(part.first, first_id, counts[i]);
        first_id += counts[i];
        complete(part);
    }
    CU_ASSERT_EQUAL(kp_buffer_pool_available_bytes(&f.accumulator->pool), 10000);
    tear_down();
}

static void split_without_memory_changes_nothing(void)
{
    set_up(0, 10000);
    struct kp_producer_batch *whole = drain_large_batch();
    uint32_t parts = 0;
    uint64_t allowed = 0;
    for (; parts == 0; allowed++) {
        CU_ASSERT_FALSE(kp_record_accumulator_has_undrained(f.accumulator));
        CU_ASSERT_EQUAL(kp_record_accumulator_incomplete(f.accumulator)->batch_count, 1);
        CU_ASSERT_EQUAL(kp_record_accumulator_last_batch(f.accumulator), 1);
        f.cluster.memory.allowed_count = allowed;
        parts = kp_record_accumulator_split_and_reenqueue(f.accumulator, whole);
        f.cluster.memory.allowed_count = UINT64_MAX;
    }
    CU_ASSERT(allowed > 3);
    CU_ASSERT_EQUAL(parts, 3);
    kp_record_accumulator_deallocate(f.accumulator, whole);
    tear_down();
}

static void split_with_sequences(void)
{
    struct failing_allocator memory;
    failing_allocator_init(&memory);
    struct kp_transaction_manager *manager = kp_transaction_manager_create(
        &(struct kp_transaction_manager_options){.allocator = &memory.allocator});
    CU_ASSERT_PTR_NOT_NULL_FATAL(manager);
    set_up_with(manager, 0, 10000);
    kp_txn_set_identity(manager, (struct kp_producer_identity){1000, 0});
    const struct kp_topic_partition *partition = kp_topics_partition(f.cluster.topics, f.topic, 0);
    kp_transaction_manager_maybe_update_identity(manager, partition);
    kp_transaction_manager_increment_sequence_number(manager, partition, 7);
    struct kp_producer_batch *whole = drain_large_batch();
    CU_ASSERT_EQUAL(kp_producer_batch_base_sequence(whole), 7);
    kp_transaction_manager_remove_in_flight_batch(manager, whole);
    CU_ASSERT_EQUAL_FATAL(kp_record_accumulator_split_and_reenqueue(f.accumulator, whole), 3);
    kp_record_accumulator_deallocate(f.accumulator, whole);
    static const int32_t sequences[] = {7, 8, 10};
    for (int i = 0; i < 3; i++) {
        struct kp_batch_list part = drain(0, MAX_REQUEST_BYTES, 7);
        CU_ASSERT_EQUAL_FATAL(part.count, 1);
        CU_ASSERT_EQUAL(kp_producer_batch_base_sequence(part.first), sequences[i]);
        CU_ASSERT_EQUAL(kp_producer_batch_producer_id(part.first), 1000);
        if (i == 0) {
            /* Retries go one at a time: the second waits for the first. */
            CU_ASSERT_EQUAL(drain(0, MAX_REQUEST_BYTES, 7).count, 0);
            CU_ASSERT_EQUAL(recorded_trace_last(&f.recorded, KB_EVENT_BATCH_HELD)->as.batch_held.held,
                            KB_HELD_EARLIER_SEQUENCE);
        }
        kp_transaction_manager_remove_in_flight_batch(manager, part.first);
        complete(part);
    }
    kp_transaction_manager_destroy(manager);
    tear_down();
    CU_ASSERT_EQUAL(memory.held_bytes, 0);
}

static void idempotence_stops_the_drain_of_a_node(void)
{
    struct failing_allocator memory;
    failing_allocator_init(&memory);
    struct kp_transaction_manager *manager = kp_transaction_manager_create(
        &(struct kp_transaction_manager_options){.allocator = &memory.allocator});
    set_up_with(manager, 0, 10000);
    add(0, 10, 0);
    add(2, 10, 0);
    (void)ready(0);
    CU_ASSERT_EQUAL(drain(0, MAX_REQUEST_BYTES, 0).count, 0);
    const struct kb_event *held = recorded_trace_last(&f.recorded, KB_EVENT_BATCH_HELD);
    CU_ASSERT_EQUAL(held->as.batch_held.held, KB_HELD_DRAIN_STOPPED);
    CU_ASSERT_EQUAL(held->as.batch_held.partition, 2);
    CU_ASSERT_EQUAL(held[-1].as.batch_held.held, KB_HELD_NO_PRODUCER_ID);
    CU_ASSERT_EQUAL(f.accumulator->drain_index, 1); /* the next drain begins elsewhere */
    kp_txn_set_identity(manager, (struct kp_producer_identity){1000, 0});
    struct kp_batch_list list = drain(0, MAX_REQUEST_BYTES, 0);
    CU_ASSERT_EQUAL_FATAL(list.count, 2);
    CU_ASSERT_EQUAL(list.first->partition->partition, 2);
    CU_ASSERT_EQUAL(f.accumulator->drain_index, 1); /* a whole turn */
    for (struct kp_producer_batch *batch = list.first; batch != NULL; batch = batch->drained_next) {
        kp_transaction_manager_remove_in_flight_batch(manager, batch);
    }
    complete(list);
    kp_transaction_manager_destroy(manager);
    tear_down();
    CU_ASSERT_EQUAL(memory.held_bytes, 0);
}

static void new_epoch_waits_for_the_old_one(void)
{
    struct failing_allocator memory;
    failing_allocator_init(&memory);
    struct kp_transaction_manager *manager = kp_transaction_manager_create(
        &(struct kp_transaction_manager_options){.allocator = &memory.allocator});
    set_up_with(manager, 0, 10000);
    kp_txn_set_identity(manager, (struct kp_producer_identity){1000, 0});
    add(0, 10, 0);
    struct kp_batch_list old = drain(0, MAX_REQUEST_BYTES, 0);
    CU_ASSERT_EQUAL_FATAL(old.count, 1);
    kp_txn_set_identity(manager, (struct kp_producer_identity){1000, 1});
    add(0, 10, 0);
    CU_ASSERT_EQUAL(drain(0, MAX_REQUEST_BYTES, 0).count, 0);
    CU_ASSERT_EQUAL(recorded_trace_last(&f.recorded, KB_EVENT_BATCH_HELD)->as.batch_held.held,
                    KB_HELD_STALE_EPOCH);
    kp_transaction_manager_remove_in_flight_batch(manager, old.first);
    complete(old);
    struct kp_batch_list fresh = drain(0, MAX_REQUEST_BYTES, 0);
    CU_ASSERT_EQUAL_FATAL(fresh.count, 1);
    CU_ASSERT_EQUAL(kp_producer_batch_producer_epoch(fresh.first), 1);
    CU_ASSERT_EQUAL(kp_producer_batch_base_sequence(fresh.first), 0);
    kp_transaction_manager_remove_in_flight_batch(manager, fresh.first);
    complete(fresh);
    kp_transaction_manager_destroy(manager);
    tear_down();
    CU_ASSERT_EQUAL(memory.held_bytes, 0);
}

static void partition_outside_the_transaction_stays(void)
{
    struct failing_allocator memory;
    failing_allocator_init(&memory);
    struct kp_transaction_manager *manager = kp_transaction_manager_create(
        &(struct kp_transaction_manager_options){.allocator = &memory.allocator, .transactional_id = "tx"});
    set_up_with(manager, 0, 10000);
    kp_txn_set_identity(manager, (struct kp_producer_identity){1000, 0});
    add(0, 10, 0);
    CU_ASSERT_EQUAL(drain(0, MAX_REQUEST_BYTES, 0).count, 0);
    CU_ASSERT_EQUAL(recorded_trace_last(&f.recorded, KB_EVENT_BATCH_HELD)->as.batch_held.held,
                    KB_HELD_NOT_IN_TXN);
    kp_transaction_manager_destroy(manager);
    tear_down();
    CU_ASSERT_EQUAL(memory.held_bytes, 0);
}

static void no_memory_is_a_failed_append(void)
{
    set_up(0, 10000);
    for (uint64_t allowed = 0; allowed < 16; allowed++) {
        f.cluster.memory.allowed_count = allowed;
        enum kp_accumulate result = append_to(&f.append, 3, 10, false, 0);
        f.cluster.memory.allowed_count = UINT64_MAX;
        if (result == KP_ACCUMULATE_APPENDED) {
            break;
        }
        CU_ASSERT_EQUAL(result, KP_ACCUMULATE_FAILED);
        CU_ASSERT_EQUAL(f.error, KW_ERROR_OUT_OF_MEMORY);
        CU_ASSERT_EQUAL(kp_buffer_pool_available_bytes(&f.accumulator->pool), 10000);
        CU_ASSERT_FALSE(kp_record_accumulator_has_incomplete(f.accumulator));
    }
    CU_ASSERT_EQUAL(kp_record_accumulator_incomplete(f.accumulator)->record_count, 1);
    tear_down();
}

int main(void)
{
    return unit_main("record_accumulator",
                     (struct unit_test[]){
                         {"append opens, fills and closes", append_opens_fills_and_closes},
                         {"ready by linger and by full", ready_by_linger_and_by_full},
                         {"unknown leader asks for metadata", unknown_leader_asks_for_metadata},
                         {"drain takes the whole node", drain_takes_the_whole_node},
                         {"drain index skips what did not fit", drain_index_skips_what_did_not_fit},
                         {"retries back off and go first", retries_back_off_and_go_first},
                         {"muted partitions stay", muted_partitions_stay},
                         {"holds of the sender are told once", sender_holds_are_told_once},
                         {"expiry is at the delivery time-out", expiry_is_at_the_delivery_timeout},
                         {"memory waiter finds another's batch", memory_waiter_finds_the_batch_of_another},
                         {"closed accumulator refuses", closed_accumulator_refuses},
                         {"abort undrained", abort_undrained_leaves_what_was_drained},
                         {"split keeps records and order", split_keeps_records_and_order},
                         {"split without memory changes nothing", split_without_memory_changes_nothing},
                         {"split with sequences", split_with_sequences},
                         {"idempotence stops the drain of a node", idempotence_stops_the_drain_of_a_node},
                         {"new epoch waits for the old one", new_epoch_waits_for_the_old_one},
                         {"partition outside the transaction stays", partition_outside_the_transaction_stays},
                         {"no memory is a failed append", no_memory_is_a_failed_append},
                         {0}});
}
