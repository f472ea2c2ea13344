#include "core/batch_compressor.h"

#include "base/assert.h"

/* Scratches beyond this are freed rather than kept. */
enum { KEPT_LIMIT_BYTES = 1 << 22 };

void kp_batch_compressor_init(struct kp_batch_compressor *compressor,
                              const struct linger_allocator *allocator, enum kw_compression compression)
{
    *compressor = (struct kp_batch_compressor){
        .allocator = allocator, .compression = compression, .estimator = {.allocator = allocator}};
}

void kp_batch_compressor_release(struct kp_batch_compressor *compressor)
{
    while (compressor->scratches != NULL) {
        struct kp_buffer *scratch = compressor->scratches;
        compressor->scratches = scratch->next_free;
        kp_buffer_release(scratch);
    }
    kp_buffer_release(compressor->output);
    kp_compression_ratio_estimator_release(&compressor->estimator);
    kp_batch_compressor_init(compressor, compressor->allocator, compressor->compression);
}

/* The first kept one that is large enough, or a new one. */
static struct kp_buffer *take_scratch(struct kp_batch_compressor *compressor, uint32_t wanted_bytes)
{
    for (struct kp_buffer **place = &compressor->scratches; *place != NULL; place = &(*place)->next_free) {
        struct kp_buffer *scratch = *place;
        if (scratch->capacity_bytes >= wanted_bytes) {
            *place = scratch->next_free;
            scratch->next_free = NULL;
            compressor->kept_bytes -= scratch->capacity_bytes;
            return scratch;
        }
    }
    return kp_buffer_create(compressor->allocator, wanted_bytes);
}

void kp_batch_compressor_give_scratch(struct kp_batch_compressor *compressor, struct kp_buffer *scratch)
{
    if (scratch == NULL) {
        return;
    }
    if (compressor->kept_bytes + scratch->capacity_bytes > KEPT_LIMIT_BYTES) {
        kp_buffer_release(scratch);
        return;
    }
    scratch->next_free = compressor->scratches;
    compressor->scratches = scratch;
    compressor->kept_bytes += scratch->capacity_bytes;
}

bool kp_batch_compressor_begin(struct kp_batch_compressor *compressor,
                               struct kw_record_batch_builder *builder, uint32_t topic_index,
                               struct kp_buffer **scratch)
{
    if (!kp_compression_ratio_reserve(&compressor->estimator, topic_index)) {
        return false;
    }
    *scratch = take_scratch(compressor, builder->capacity_bytes);
    if (*scratch == NULL) {
        return false;
    }
    kw_record_batch_builder_set_compression(
        builder, compressor->compression,
        kp_compression_ratio_estimation(&compressor->estimator, topic_index, compressor->compression));
    kw_record_batch_builder_move(builder, (*scratch)->bytes, (*scratch)->capacity_bytes);
    return true;
}

bool kp_batch_compressor_make_space(struct kp_batch_compressor *compressor,
                                    struct kw_record_batch_builder *builder, struct kp_buffer **scratch,
                                    int64_t length_bytes)
{
    if (kw_record_batch_builder_has_space(builder, length_bytes)) {
        return true;
    }
    int64_t wanted_bytes = (int64_t)builder->written_bytes + length_bytes;
    if (wanted_bytes > INT32_MAX) {
        return false;
    }
    int64_t doubled_bytes = 2 * (int64_t)(*scratch)->capacity_bytes;
    int64_t larger_bytes = doubled_bytes > INT32_MAX ? INT32_MAX : doubled_bytes;
    struct kp_buffer *larger =
        take_scratch(compressor, (uint32_t)(larger_bytes > wanted_bytes ? larger_bytes : wanted_bytes));
    if (larger == NULL) {
        return false;
    }
    kw_record_batch_builder_move(builder, larger->bytes, larger->capacity_bytes);
    kp_batch_compressor_give_scratch(compressor, *scratch);
    *scratch = larger;
    return true;
}

/* Into the output; false without memory. */
static bool compress(struct kp_batch_compressor *compressor, struct kw_record_batch_builder *builder)
{
    size_t bound_bytes = kw_record_batch_builder_compressed_bound_bytes(builder);
    if (bound_bytes > INT32_MAX) {
        return false;
    }
    if (compressor->output == NULL || compressor->output->capacity_bytes < bound_bytes) {
        kp_buffer_release(compressor->output);
        compressor->output = kp_buffer_create(compressor->allocator, (uint32_t)bound_bytes);
    }
    return compressor->output != NULL && kw_record_batch_builder_compress(builder, compressor->output->bytes,
                                                                          compressor->output->capacity_bytes);
}

/* The batch is at the beginning of *from, and larger than its buffer may be: then it gets one of its size,
 * or without memory *from itself. */
static void place(struct kp_batch_compressor *compressor, struct kw_record_batch_builder *builder,
                  struct kp_buffer **from, struct kp_buffer **buffer)
{
    if (builder->written_bytes > (*buffer)->capacity_bytes) {
        struct kp_buffer *larger = kp_buffer_create(compressor->allocator, builder->written_bytes);
        kp_buffer_release(*buffer);
        *buffer = larger;
        if (larger == NULL) {
            *buffer = *from;
            *from = NULL;
            return;
        }
    }
    kw_record_batch_builder_move(builder, (*buffer)->bytes, (*buffer)->capacity_bytes);
}

void kp_batch_compressor_finish(struct kp_batch_compressor *compressor,
                                struct kw_record_batch_builder *builder, struct kp_buffer **scratch,
                                struct kp_buffer **buffer)
{
    KB_ASSERT(*scratch != NULL && builder->memory == (*scratch)->bytes);
    if (builder->record_count > 0 && compress(compressor, builder)) {
        place(compressor, builder, &compressor->output, buffer);
    } else {
        if (builder->record_count > 0) {
            kw_record_batch_builder_give_up_compression(builder);
        }
        place(compressor, builder, scratch, buffer);
    }
    kp_batch_compressor_give_scratch(compressor, *scratch);
    *scratch = NULL;
}
