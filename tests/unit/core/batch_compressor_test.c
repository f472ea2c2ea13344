#include "core/batch_compressor.h"

#include "base/allocator.h"
#include "core/record_accumulator_internal.h"
#include "core_support.h"
#include "unit.h"
#include "wire/record_batch_reader.h"

#include <string.h>

/* Numbers of records, sizes and ratios (by their bits) are those of the Java client 3.0.0: its
 * CompressionRatioEstimator and ProducerBatch, given the same records. */

enum { BATCH_BYTES = 300, MEMORY_BYTES = 100000, MAX_REQUEST_BYTES = 1 << 20, VALUE_BYTES = 100 };

struct fixture {
    struct recorded_trace recorded;
    struct known_cluster cluster;
    const struct kp_topic *topic;
    const struct kp_topic_partition *partition;
    struct kp_record_accumulator *accumulator;
    struct kp_compression_ratio_estimator *estimator;
    struct kp_append append;
    uint32_t next_record;
};

static struct fixture f; /* large: the trace */

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* --- The estimator */

static void estimates_follow_what_is_seen(void)
{
    static const struct {
        uint32_t observed;
        uint32_t estimated;
    } steps[] = {
        {0x3f000000, 0x3f7eb852}, /* 0.5: better, so 1 - 0.005 */
        {0x3f000000, 0x3f7d70a4}, /* again */
        {0x3f7ae148, 0x3f7c28f6}, /* 0.98: 0.99 - 0.005 */
        {0x3f99999a, 0x3f99999a}, /* 1.2: worse than by 0.05, so at once */
        {0x3f9ae148, 0x3fa00000}, /* 1.21: worse, 1.2 + 0.05 */
        {0x3fa00000, 0x3fa00000}, /* as estimated */
        {0x00000000, 0x3f9f5c29}, /* 0 */
        {0x3eaaaaab, 0x3f9eb852}, /* a third */
        {0x3dcccccd, 0x3f9e147b}, /* a tenth */
    };
    struct failing_allocator memory;
    failing_allocator_init(&memory);
    struct kp_compression_ratio_estimator estimator = {.allocator = &memory.allocator};
    memory.allowed_count = 0;
    CU_ASSERT_FALSE(kp_compression_ratio_reserve(&estimator, 0));
    memory.allowed_count = UINT64_MAX;
    CU_ASSERT_TRUE_FATAL(kp_compression_ratio_reserve(&estimator, 3));
    CU_ASSERT_EQUAL(bits_of(kp_compression_ratio_estimation(&estimator, 3, KW_COMPRESSION_GZIP)), 0x3f800000);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        float estimate = kp_compression_ratio_update_estimation(&estimator, 3, KW_COMPRESSION_GZIP,
                                                                from_bits(steps[i].observed));
        CU_ASSERT_EQUAL(bits_of(estimate), steps[i].estimated);
        CU_ASSERT_EQUAL(bits_of(kp_compression_ratio_estimation(&estimator, 3, KW_COMPRESSION_GZIP)),
                        steps[i].estimated);
    }
    /* Neither another compression nor another topic learned from it; growing keeps what is known. */
    CU_ASSERT_TRUE_FATAL(kp_compression_ratio_reserve(&estimator, 1000));
    CU_ASSERT_EQUAL(bits_of(kp_compression_ratio_estimation(&estimator, 3, KW_COMPRESSION_GZIP)), 0x3f9e147b);
    CU_ASSERT_EQUAL(bits_of(kp_compression_ratio_estimation(&estimator, 3, KW_COMPRESSION_ZSTD)), 0x3f800000);
    CU_ASSERT_EQUAL(bits_of(kp_compression_ratio_estimation(&estimator, 2, KW_COMPRESSION_GZIP)), 0x3f800000);
    CU_ASSERT_EQUAL(bits_of(kp_compression_ratio_estimation(&estimator, 1000, KW_COMPRESSION_GZIP)),
                    0x3f800000);
    kp_compression_ratio_reset_estimation(&estimator, 3);
    CU_ASSERT_EQUAL(bits_of(kp_compression_ratio_estimation(&estimator, 3, KW_COMPRESSION_GZIP)), 0x3f800000);
    kp_compression_ratio_estimator_release(&estimator);
    CU_ASSERT_EQUAL(memory.held_bytes, 0);
    CU_ASSERT_EQUAL(memory.wrong_size_count, 0);
}

/* Rounding adds up over many steps. */
static void estimates_over_many_steps(void)
{
    struct kp_compression_ratio_estimator estimator = {.allocator = kb_allocator_default()};
    CU_ASSERT_TRUE_FATAL(kp_compression_ratio_reserve(&estimator, 0));
    float estimate = 0.0F;
    for (int i = 0; i < 300; i++) {
        estimate = kp_compression_ratio_update_estimation(&estimator, 0, KW_COMPRESSION_LZ4, 0.03F);
    }
    CU_ASSERT_EQUAL(bits_of(estimate), 0x3cf5c28f);
    for (int i = 0; i < 7; i++) {
        float observed = 0.9F + (float)i * 0.01F;
        estimate = kp_compression_ratio_update_estimation(&estimator, 0, KW_COMPRESSION_LZ4, observed);
    }
    CU_ASSERT_EQUAL(bits_of(estimate), 0x3f7c28f6);
    kp_compression_ratio_estimator_release(&estimator);
}

/* --- Batches of an accumulator */

static void set_up(enum kw_compression compression)
{
    static const int32_t leaders[] = {0, 0};
    memset(&f, 0, sizeof f);
    recorded_trace_init(&f.recorded);
    known_cluster_init(&f.cluster);
    f.topic = known_cluster_update(&f.cluster, "t", 1, leaders, 2);
    f.partition = kp_topics_partition(f.cluster.topics, f.topic, 0);
    f.accumulator = kp_record_accumulator_create(
        &(struct kp_record_accumulator_options){.allocator = &f.cluster.memory.allocator,
                                                .trace = &f.recorded.trace,
                                                .metadata = f.cluster.metadata,
                                                .buffer_memory_bytes = MEMORY_BYTES,
                                                .batch_size_bytes = BATCH_BYTES,
                                                .compression = compression,
                                                .retry_backoff_ms = 100,
                                                .delivery_timeout_ms = 1000});
    CU_ASSERT_PTR_NOT_NULL_FATAL(f.accumulator);
    f.estimator = &f.accumulator->compressor.estimator;
    CU_ASSERT_TRUE_FATAL(kp_compression_ratio_reserve(f.estimator, f.topic->index));
}

static void tear_down(void)
{
    kp_buffer_pool_check(kp_record_accumulator_pool(f.accumulator));
    kp_record_accumulator_destroy(f.accumulator);
    known_cluster_release(&f.cluster);
}

static uint32_t estimate_of(enum kw_compression compression)
{
    return bits_of(kp_compression_ratio_estimation(f.estimator, f.topic->index, compression));
}

static enum kp_accumulate add_value(const uint8_t *value, int32_t value_bytes)
{
    struct kp_failure failure;
    enum kw_error error;
    f.append.partition = f.partition;
    f.append.fields = (struct kw_record_fields){.value = {value, value_bytes}};
    f.append.timestamp_ms = INT64_C(1600000000000) + f.next_record % 7;
    f.append.record_id = f.next_record;
    enum kp_accumulate result =
        kp_record_accumulator_append(f.accumulator, &f.append, 0, 0, &failure, &error);
    if (result == KP_ACCUMULATE_APPENDED) {
        f.next_record++;
    }
    return result;
}

static void add(uint32_t record_count)
{
    static const uint8_t zeros[VALUE_BYTES];
    for (uint32_t i = 0; i < record_count; i++) {
        CU_ASSERT_EQUAL_FATAL(add_value(zeros, VALUE_BYTES), KP_ACCUMULATE_APPENDED);
    }
}

static struct kp_producer_batch *drain(void)
{
    struct kp_batch_list list;
    kp_record_accumulator_drain_node(f.accumulator, 0, MAX_REQUEST_BYTES, 10, &list);
    CU_ASSERT_EQUAL_FATAL(list.count, 1);
    return list.first;
}

/* The records of a drained batch, in order from that number on. */
static void check_records(const struct kp_producer_batch *batch, uint32_t first, uint32_t count)
{
    const uint8_t *bytes = kp_producer_batch_bytes(batch);
    uint32_t size_bytes = (uint32_t)kp_producer_batch_size_bytes(batch);
    struct kw_compression_buffer decompressed;
    struct kw_record_reader reader;
    struct kw_record record;
    kw_compression_buffer_init(&decompressed, kb_allocator_default());
    CU_ASSERT_EQUAL(kw_record_batch_validate(bytes, size_bytes), KW_ERROR_NONE);
    CU_ASSERT_EQUAL_FATAL(kw_record_reader_open(&reader, bytes, size_bytes, 1 << 24, &decompressed),
                          KW_ERROR_NONE);
    uint32_t index = 0;
    for (; kw_record_reader_next(&reader, &record); index++) {
        CU_ASSERT_EQUAL(batch->record_ids[index], first + index);
        CU_ASSERT_EQUAL(record.timestamp_ms, INT64_C(1600000000000) + (first + index) % 7);
    }
    CU_ASSERT_EQUAL(reader.error, KW_ERROR_NONE);
    CU_ASSERT_EQUAL(index, count);
    CU_ASSERT_EQUAL(batch->record_count, count);
    kw_compression_buffer_release(&decompressed);
}

static void finish(struct kp_producer_batch *batch)
{
    CU_ASSERT_TRUE(
        kp_producer_batch_complete(batch, kp_record_accumulator_completions(f.accumulator), 0, -1));
    kp_record_accumulator_deallocate(f.accumulator, batch);
}

static void a_batch_is_compressed_into_its_buffer(void)
{
    for (int i = KW_COMPRESSION_GZIP; i <= KW_COMPRESSION_ZSTD; i++) {
        enum kw_compression compression = (enum kw_compression)i;
        set_up(compression);
        /* A ratio of 1 is no bet: two records, and the third opens another batch. */
        add(3);
        CU_ASSERT_EQUAL(f.append.batch, 2);
        const struct kb_event *closed = recorded_trace_last(&f.recorded, KB_EVENT_BATCH_CLOSED);
        CU_ASSERT_EQUAL(closed->as.batch_closed.why, KB_CLOSE_WHY_NO_ROOM);
        CU_ASSERT_EQUAL(closed->as.batch_closed.bytes, 289);
        const struct kb_event *event = recorded_trace_last(&f.recorded, KB_EVENT_BATCH_COMPRESSED);
        CU_ASSERT_PTR_NOT_NULL_FATAL(event);
        CU_ASSERT_EQUAL(event->as.batch_compressed.collected_bytes, 279);
        CU_ASSERT_EQUAL(event->as.batch_compressed.estimated_bytes, 289);
        struct kp_producer_batch *batch = drain();
        CU_ASSERT_EQUAL(kp_producer_batch_size_bytes(batch), event->as.batch_compressed.compressed_bytes);
        CU_ASSERT_TRUE(kp_producer_batch_size_bytes(batch) < 279 && batch->scratch == NULL);
        CU_ASSERT_EQUAL(kw_record_batch_compression_id(kp_producer_batch_bytes(batch)), i);
        check_records(batch, 0, 2);
        CU_ASSERT_EQUAL(estimate_of(compression), 0x3f7eb852); /* 0.995 */
        /* Its buffer is kept for the next batch. */
        finish(batch);
        event = recorded_trace_last(&f.recorded, KB_EVENT_MEMORY_DEALLOCATED);
        CU_ASSERT_EQUAL(event->as.memory_deallocated.kept, 1);
        finish(drain());
        CU_ASSERT_EQUAL(kp_buffer_pool_available_bytes(&f.accumulator->pool), MEMORY_BYTES);
        tear_down();
    }
}

/* An optimist's batch: 1127 records estimated at 191 bytes come to more than its 300. */
static struct kp_producer_batch *drain_too_large(void)
{
    set_up(KW_COMPRESSION_GZIP);
    kp_compression_ratio_set_estimation(f.estimator, f.topic->index, KW_COMPRESSION_GZIP, 0.001F);
    add(1127);
    CU_ASSERT_EQUAL(recorded_trace_count(&f.recorded, KB_EVENT_BATCH_CREATED), 1);
    CU_ASSERT_FALSE(f.append.batch_is_full);
    add(1);
    CU_ASSERT_EQUAL(recorded_trace_count(&f.recorded, KB_EVENT_BATCH_CREATED), 2);
    CU_ASSERT_EQUAL(kp_buffer_pool_available_bytes(&f.accumulator->pool), MEMORY_BYTES - 2 * BATCH_BYTES);
    return drain();
}

static void a_larger_batch_leaves_the_account_alone(void)
{
    struct kp_producer_batch *batch = drain_too_large();
    CU_ASSERT_TRUE(kp_producer_batch_size_bytes(batch) > 3000 && kp_producer_batch_size_bytes(batch) < 3600);
    CU_ASSERT_TRUE(batch->buffer->capacity_bytes >= (uint32_t)kp_producer_batch_size_bytes(batch));
    check_records(batch, 0, 1127);
    CU_ASSERT_EQUAL(kp_buffer_pool_available_bytes(&f.accumulator->pool), MEMORY_BYTES - 2 * BATCH_BYTES);
    finish(batch);
    /* The account has its 300 bytes back; the larger buffer is not kept in place of the pool's. */
    const struct kb_event *event = recorded_trace_last(&f.recorded, KB_EVENT_MEMORY_DEALLOCATED);
    CU_ASSERT_EQUAL(event->as.memory_deallocated.bytes, BATCH_BYTES);
    CU_ASSERT_EQUAL(event->as.memory_deallocated.kept, 0);
    CU_ASSERT_EQUAL(kp_buffer_pool_available_bytes(&f.accumulator->pool), MEMORY_BYTES - BATCH_BYTES);
    CU_ASSERT_EQUAL(f.accumulator->pool.free_count, 0);
    finish(drain());
    tear_down();
}

/* Java's close() tells the estimator each time that it is called, also of a batch that is sent again. */
static void a_retry_is_learned_from_again(void)
{
    struct kp_producer_batch *batch = drain_too_large();
    int32_t size_bytes = kp_producer_batch_size_bytes(batch);
    CU_ASSERT_EQUAL(estimate_of(KW_COMPRESSION_GZIP), 0x3d50e560); /* 0.001 + 0.05 */
    kp_record_accumulator_reenqueue(f.accumulator, batch, KW_ERROR_NETWORK_EXCEPTION, 10);
    struct kp_batch_list list;
    kp_record_accumulator_drain_node(f.accumulator, 0, MAX_REQUEST_BYTES, 500, &list);
    CU_ASSERT_PTR_EQUAL_FATAL(list.first, batch);
    CU_ASSERT_EQUAL(estimate_of(KW_COMPRESSION_GZIP), 0x3d3c6a7f); /* - 0.005 */
    CU_ASSERT_EQUAL(recorded_trace_count(&f.recorded, KB_EVENT_BATCH_COMPRESSED), 1);
    CU_ASSERT_EQUAL(kp_producer_batch_size_bytes(batch), size_bytes);
    finish(batch);
    finish(drain());
    tear_down();
}

/* Too large for the broker: cautious parts, of two records each. */
static void a_split_begins_with_caution(void)
{
    struct kp_producer_batch *whole = drain_too_large();
    CU_ASSERT_EQUAL_FATAL(kp_record_accumulator_split_and_reenqueue(f.accumulator, whole), 564);
    CU_ASSERT_EQUAL(estimate_of(KW_COMPRESSION_GZIP), 0x3f800000);
    kp_record_accumulator_deallocate(f.accumulator, whole);
    for (uint32_t i = 0; i < 564; i++) {
        struct kp_producer_batch *part = drain();
        CU_ASSERT_TRUE(part->is_split && part->builder.is_compressed);
        CU_ASSERT_EQUAL(part->builder.capacity_bytes, BATCH_BYTES);
        check_records(part, 2 * i, i < 563 ? 2 : 1);
        finish(part);
    }
    struct kp_producer_batch *next = drain();
    CU_ASSERT_FALSE(next->is_split);
    check_records(next, 1127, 1);
    finish(next);
    CU_ASSERT_EQUAL(kp_buffer_pool_available_bytes(&f.accumulator->pool), MEMORY_BYTES);
    tear_down();
}

/* One that came out larger than it went in resets the estimate to that, not to 1. */
static void a_split_remembers_what_does_not_compress(void)
{
    uint8_t noise[VALUE_BYTES];
    set_up(KW_COMPRESSION_GZIP);
    for (uint32_t i = 0; i < 2; i++) {
        for (uint32_t k = 0; k < VALUE_BYTES; k++) {
            noise[k] = (uint8_t)((i * VALUE_BYTES + k) * UINT32_C(2654435761) >> 24);
        }
        CU_ASSERT_EQUAL(add_value(noise, i == 0 ? 20 : 10), KP_ACCUMULATE_APPENDED);
    }
    struct kp_producer_batch *whole = drain();
    float ratio = kw_record_batch_builder_compression_ratio(&whole->builder);
    CU_ASSERT_TRUE(ratio > 1.0F);
    CU_ASSERT_EQUAL(estimate_of(KW_COMPRESSION_GZIP), bits_of(ratio > 1.05F ? ratio : 1.05F));
    CU_ASSERT_EQUAL(kp_record_accumulator_split_and_reenqueue(f.accumulator, whole), 1);
    CU_ASSERT_EQUAL(estimate_of(KW_COMPRESSION_GZIP), bits_of(ratio));
    kp_record_accumulator_deallocate(f.accumulator, whole);
    struct kp_producer_batch *part = drain();
    check_records(part, 0, 2);
    finish(part);
    tear_down();
}

static void an_abort_gives_the_scratch_back(void)
{
    set_up(KW_COMPRESSION_LZ4);
    add(1);
    CU_ASSERT_EQUAL(f.accumulator->compressor.kept_bytes, 0);
    kp_record_accumulator_abort_incomplete(f.accumulator);
    CU_ASSERT_EQUAL(f.accumulator->compressor.kept_bytes, BATCH_BYTES);
    CU_ASSERT_EQUAL(recorded_trace_count(&f.recorded, KB_EVENT_BATCH_COMPRESSED), 0);
    CU_ASSERT_EQUAL(kp_buffer_pool_available_bytes(&f.accumulator->pool), MEMORY_BYTES);
    /* The next batch collects there. */
    add(1);
    CU_ASSERT_EQUAL(f.accumulator->compressor.kept_bytes, 0);
    kp_record_accumulator_abort_incomplete(f.accumulator);
    tear_down();
}

/* Whatever is refused: an append fails, or a batch leaves larger than it might be; its records are in it. */
static void memory_may_run_out(void)
{
    static const uint8_t zeros[VALUE_BYTES];
    bool was_refused = true;
    bool left_uncompressed = false;
    for (uint64_t allowed = 0; was_refused; allowed++) {
        set_up(KW_COMPRESSION_GZIP);
        kp_compression_ratio_set_estimation(f.estimator, f.topic->index, KW_COMPRESSION_GZIP, 0.001F);
        f.cluster.memory.allowed_count = allowed;
        uint32_t tries = 0;
        for (; tries < 100; tries++) {
            (void)add_value(zeros, VALUE_BYTES);
        }
        uint32_t appended = f.next_record;
        if (appended > 0) {
            struct kp_batch_list list;
            kp_record_accumulator_drain_node(f.accumulator, 0, MAX_REQUEST_BYTES, 10, &list);
            f.cluster.memory.allowed_count = UINT64_MAX;
            struct kp_producer_batch *batch = list.first != NULL ? list.first : drain();
            left_uncompressed = left_uncompressed || !batch->builder.is_compressed;
            check_records(batch, 0, appended);
            finish(batch);
        }
        was_refused = f.cluster.memory.refused_count > 0;
        f.cluster.memory.allowed_count = UINT64_MAX;
        CU_ASSERT_EQUAL(kp_buffer_pool_available_bytes(&f.accumulator->pool), MEMORY_BYTES);
        tear_down();
        CU_ASSERT_EQUAL(f.cluster.memory.held_bytes, 0);
        CU_ASSERT_EQUAL(f.cluster.memory.wrong_size_count, 0);
    }
    CU_ASSERT_TRUE(left_uncompressed);
}

int main(void)
{
    return unit_main("batch compressor",
                     (struct unit_test[]){
                         {"estimates follow what is seen", estimates_follow_what_is_seen},
                         {"estimates over many steps", estimates_over_many_steps},
                         {"compressed into its buffer", a_batch_is_compressed_into_its_buffer},
                         {"larger than its buffer", a_larger_batch_leaves_the_account_alone},
                         {"a retry is learned from again", a_retry_is_learned_from_again},
                         {"a split begins with caution", a_split_begins_with_caution},
                         {"a split remembers", a_split_remembers_what_does_not_compress},
                         {"an abort gives the scratch back", an_abort_gives_the_scratch_back},
                         {"memory may run out", memory_may_run_out},
                         {0},
                     });
}
