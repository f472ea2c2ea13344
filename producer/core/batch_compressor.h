/**
 * Compresses the batches of one producer: memory in which their records are collected, the compression when
 * the last one is in, and what is learned from it for the next batches.
 *
 * Java's stream compresses along, into the batch's own buffer, which it replaces by a larger one where the
 * estimate was too low (ByteBufferOutputStream.expandBuffer): that memory is nobody's account, and the pool
 * gets back what it gave. Here records are collected in a scratch, outside the account likewise, which grows
 * by doubling and is used again; and the compressed batch goes to the batch's own buffer if it fits.
 *
 * Without memory a batch leaves uncompressed, which is as good for the broker; so closing never fails.
 */
#ifndef KP_BATCH_COMPRESSOR_H
#define KP_BATCH_COMPRESSOR_H

#include "core/buffer_pool.h"
#include "core/compression_ratio_estimator.h"
#include "wire/record_batch_builder.h"

#include <stdbool.h>
#include <stdint.h>

struct kp_batch_compressor {
    const struct linger_allocator *allocator;
    enum kw_compression compression; /* NONE: it is not used */
    struct kp_compression_ratio_estimator estimator;
    struct kp_buffer *scratches; /* kept, chained by next_free */
    uint64_t kept_bytes;
    struct kp_buffer *output; /* what was compressed last; NULL at first */
};

/** Borrows the allocator. */
void kp_batch_compressor_init(struct kp_batch_compressor *compressor,
                              const struct linger_allocator *allocator, enum kw_compression compression);
void kp_batch_compressor_release(struct kp_batch_compressor *compressor);

/**
 * An empty open batch is to be compressed. *scratch is the batch's until finish or give_scratch. False
 * without memory: nothing has changed.
 */
bool kp_batch_compressor_begin(struct kp_batch_compressor *compressor,
                               struct kw_record_batch_builder *builder, uint32_t topic_index,
                               struct kp_buffer **scratch) __attribute__((warn_unused_result));

/** Make space for a record that there is room for; false without memory. */
bool kp_batch_compressor_make_space(struct kp_batch_compressor *compressor,
                                    struct kw_record_batch_builder *builder, struct kp_buffer **scratch,
                                    int64_t length_bytes) __attribute__((warn_unused_result));

/**
 * Compress a batch that is closed for appends. It is in *buffer then, which is another one when it did not
 * fit; *scratch is NULL.
 */
void kp_batch_compressor_finish(struct kp_batch_compressor *compressor,
                                struct kw_record_batch_builder *builder, struct kp_buffer **scratch,
                                struct kp_buffer **buffer);

/** A scratch that is not needed any more, or NULL. */
void kp_batch_compressor_give_scratch(struct kp_batch_compressor *compressor, struct kp_buffer *scratch);

#endif
