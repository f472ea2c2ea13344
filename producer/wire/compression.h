/**
 * What a batch's records are compressed with, whole batch at a time: gzip, snappy in the framing of the Java
 * library, LZ4 frames, zstd.
 *
 * The compressed bytes depend on the compressor and its version (the log's header names it); what they
 * decompress to does not. The libraries take their working memory from malloc; results come from the
 * allocator that is given.
 *
 * Kafka: org.apache.kafka.common.record.CompressionType, KafkaLZ4BlockOutputStream, SnappyFactory,
 * ZstdFactory.
 */
#ifndef KW_COMPRESSION_H
#define KW_COMPRESSION_H

#include "wire/errors.h"
#include "wire/record_batch.h"

#include <linger/allocator.h>
#include <stddef.h>
#include <stdint.h>

/** Memory that is owned until kw_compression_buffer_release(). */
struct kw_compression_buffer {
    const struct linger_allocator *allocator;
    uint8_t *bytes;
    size_t length_bytes;
    size_t capacity_bytes;
};

/** An empty buffer without memory. Borrows the allocator. */
void kw_compression_buffer_init(struct kw_compression_buffer *buffer,
                                const struct linger_allocator *allocator);
/** Gives the memory back; the buffer is as after init. */
void kw_compression_buffer_release(struct kw_compression_buffer *buffer);

/** Version of the library that does it, as it is loaded (of snappy: as it was built with); "" for NONE. Valid
 * forever. */
const char *kw_compression_library_version(enum kw_compression compression);

/** Room that kw_compress() needs for length_bytes bytes, whatever they are. */
size_t kw_compress_bound_bytes(enum kw_compression compression, size_t length_bytes);

/**
 * Compress bytes into out, which has kw_compress_bound_bytes() at least, with the client's default level; for
 * NONE they are copied. length_bytes <= INT32_MAX. KW_ERROR_NONE           *written_bytes is the length
 *   KW_ERROR_OUT_OF_MEMORY  the library got no memory
 */
enum kw_error kw_compress(enum kw_compression compression, const void *bytes, size_t length_bytes,
                          uint8_t *out, size_t capacity_bytes, size_t *written_bytes)
    __attribute__((warn_unused_result));

/**
 * Decompress bytes that may be hostile into buffer, whose content is replaced; its memory is used again and
 * grows as the result does, up to limit_bytes < SIZE_MAX / 4. compression_id is the number of the attributes.
 * KW_ERROR_NONE buffer holds all of it KW_ERROR_CORRUPT_MESSAGE               not what the compressor would
 * write, or cut off KW_ERROR_MESSAGE_TOO_LARGE             more than limit_bytes
 * KW_ERROR_UNSUPPORTED_COMPRESSION_TYPE  no such compression KW_ERROR_OUT_OF_MEMORY                 the
 * allocator or the library has none
 */
enum kw_error kw_decompress(int compression_id, const void *bytes, size_t length_bytes, size_t limit_bytes,
                            struct kw_compression_buffer *buffer) __attribute__((warn_unused_result));

#endif
