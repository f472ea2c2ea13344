/*
 * Any bytes as the compressed records of a batch.
 *
 * Input: the number of the compression, then the bytes. What they decompress to is within the limit, and
 * comes back when it is compressed again.
 */
#include "fuzz.h"

#include "base/allocator.h"
#include "wire/compression.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT_BYTES = 1 << 20 };

static void check_again(enum kw_compression compression, const struct kw_compression_buffer *first)
{
    struct kw_compression_buffer second;
    size_t bound_bytes = kw_compress_bound_bytes(compression, first->length_bytes);
    size_t written_bytes = 0;
    uint8_t *compressed = fuzz_allocate(bound_bytes);
    kw_compression_buffer_init(&second, kb_allocator_default());
    FUZZ_CHECK(kw_compress(compression, first->bytes, first->length_bytes, compressed, bound_bytes,
                           &written_bytes) == KW_ERROR_NONE);
    FUZZ_CHECK(written_bytes <= bound_bytes);
    FUZZ_CHECK(kw_decompress((int)compression, compressed, written_bytes, LIMIT_BYTES, &second) ==
               KW_ERROR_NONE);
    FUZZ_CHECK(second.length_bytes == first->length_bytes);
    FUZZ_CHECK(first->length_bytes == 0 || memcmp(first->bytes, second.bytes, first->length_bytes) == 0);
    kw_compression_buffer_release(&second);
    free(compressed);
}

void fuzz_one(const uint8_t *bytes, size_t length_bytes)
{
    if (length_bytes == 0) {
        return;
    }
    struct kw_compression_buffer buffer;
    int compression_id = bytes[0] % 8;
    uint8_t *copy = fuzz_allocate(length_bytes - 1);
    memcpy(copy, bytes + 1, length_bytes - 1);
    kw_compression_buffer_init(&buffer, kb_allocator_default());
    enum kw_error error = kw_decompress(compression_id, copy, length_bytes - 1, LIMIT_BYTES, &buffer);
    FUZZ_CHECK(compression_id <= KW_COMPRESSION_ZSTD || error == KW_ERROR_UNSUPPORTED_COMPRESSION_TYPE);
    FUZZ_CHECK(error != KW_ERROR_OUT_OF_MEMORY);
    if (error == KW_ERROR_NONE) {
        FUZZ_CHECK(buffer.length_bytes <= LIMIT_BYTES);
        check_again((enum kw_compression)compression_id, &buffer);
    }
    kw_compression_buffer_release(&buffer);
    free(copy);
}
