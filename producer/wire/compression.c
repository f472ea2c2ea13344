#include "wire/compression.h"

#include "base/allocator.h"
#include "base/assert.h"
#include "wire/compression_snappy.h"
#include "wire/cursor.h"

#include <lz4.h>
#include <lz4frame.h>
#include <snappy-c.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

const uint8_t kw_snappy_magic[KW_SNAPPY_MAGIC_BYTES] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};

void kw_compression_buffer_init(struct kw_compression_buffer *buffer,
                                const struct linger_allocator *allocator)
{
    *buffer = (struct kw_compression_buffer){.allocator = allocator};
}

void kw_compression_buffer_release(struct kw_compression_buffer *buffer)
{
    kb_deallocate(buffer->allocator, buffer->bytes, buffer->capacity_bytes);
    kw_compression_buffer_init(buffer, buffer->allocator);
}

const char *kw_compression_library_version(enum kw_compression compression)
{
    switch (compression) {
    case KW_COMPRESSION_NONE:
        return "";
    case KW_COMPRESSION_GZIP:
        return zlibVersion();
    case KW_COMPRESSION_SNAPPY:
        /* Its C interface tells no version. */
        return LINGER_SNAPPY_VERSION;
    case KW_COMPRESSION_LZ4:
        return LZ4_versionString();
    case KW_COMPRESSION_ZSTD:
        return ZSTD_versionString();
    }
    return "";
}

/* What Java's client writes: blocks of 64 KB that stand alone, no checksums but the header's. */
static LZ4F_preferences_t lz4_preferences(void)
{
    return (LZ4F_preferences_t){
        .frameInfo = {.blockSizeID = LZ4F_max64KB, .blockMode = LZ4F_blockIndependent}};
}

static size_t snappy_bound_bytes(size_t length_bytes)
{
    size_t block_count = length_bytes / KW_SNAPPY_BLOCK_BYTES + 1;
    return KW_SNAPPY_HEADER_BYTES +
           block_count * (KW_SNAPPY_LENGTH_BYTES + snappy_max_compressed_length(KW_SNAPPY_BLOCK_BYTES));
}

size_t kw_compress_bound_bytes(enum kw_compression compression, size_t length_bytes)
{
    /* A gzip member has a header of 10 bytes and a trailer of 8, where zlib's bound counts 6 in all. */
    enum { GZIP_EXTRA_BYTES = 12 };
    switch (compression) {
    case KW_COMPRESSION_NONE:
        return length_bytes;
    case KW_COMPRESSION_GZIP:
        return compressBound((uLong)length_bytes) + GZIP_EXTRA_BYTES;
    case KW_COMPRESSION_SNAPPY:
        return snappy_bound_bytes(length_bytes);
    case KW_COMPRESSION_LZ4: {
        LZ4F_preferences_t preferences = lz4_preferences();
        return LZ4F_compressFrameBound(length_bytes, &preferences);
    }
    case KW_COMPRESSION_ZSTD:
        return ZSTD_compressBound(length_bytes);
    }
    return length_bytes;
}

static bool compress_gzip(const void *bytes, size_t length_bytes, uint8_t *out, size_t capacity_bytes,
                          size_t *written_bytes)
{
    enum { WINDOW_BITS = 15, GZIP = 16, MEMORY_LEVEL = 8 };
    z_stream stream = {
        .next_in = (z_const Bytef *)bytes,
        .avail_in = (uInt)length_bytes,
        .next_out = out,
        .avail_out = (uInt)capacity_bytes,
    };
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS + GZIP, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        return false;
    }
    int result = deflate(&stream, Z_FINISH);
    *written_bytes = stream.total_out;
    (void)deflateEnd(&stream);
    return result == Z_STREAM_END;
}

/* Kafka: SnappyOutputStream of snappy-java: magic, version, least compatible version, then blocks with their
 * lengths. */
static bool compress_snappy(const void *bytes, size_t length_bytes, uint8_t *out, size_t capacity_bytes,
                            size_t *written_bytes)
{
    const char *from = bytes;
    size_t at = KW_SNAPPY_HEADER_BYTES;
    memcpy(out, kw_snappy_magic, KW_SNAPPY_MAGIC_BYTES);
    kw_store_i32(out + KW_SNAPPY_MAGIC_BYTES, KW_SNAPPY_VERSION);
    kw_store_i32(out + KW_SNAPPY_MAGIC_BYTES + 4, KW_SNAPPY_VERSION);
    while (length_bytes > 0) {
        size_t block_bytes = length_bytes < KW_SNAPPY_BLOCK_BYTES ? length_bytes : KW_SNAPPY_BLOCK_BYTES;
        size_t compressed_bytes = capacity_bytes - at - KW_SNAPPY_LENGTH_BYTES;
        if (snappy_compress(from, block_bytes, (char *)out + at + KW_SNAPPY_LENGTH_BYTES,
                            &compressed_bytes) != SNAPPY_OK) {
            return false;
        }
        kw_store_i32(out + at, (int32_t)compressed_bytes);
        at += KW_SNAPPY_LENGTH_BYTES + compressed_bytes;
        from += block_bytes;
        length_bytes -= block_bytes;
    }
    *written_bytes = at;
    return true;
}

enum kw_error kw_compress(enum kw_compression compression, const void *bytes, size_t length_bytes,
                          uint8_t *out, size_t capacity_bytes, size_t *written_bytes)
{
    KB_ASSERT(length_bytes <= INT32_MAX &&
              capacity_bytes >= kw_compress_bound_bytes(compression, length_bytes));
    bool is_done = false;
    switch (compression) {
    case KW_COMPRESSION_NONE:
        if (length_bytes > 0) {
            memcpy(out, bytes, length_bytes);
        }
        *written_bytes = length_bytes;
        is_done = true;
        break;
    case KW_COMPRESSION_GZIP:
        is_done = compress_gzip(bytes, length_bytes, out, capacity_bytes, written_bytes);
        break;
    case KW_COMPRESSION_SNAPPY:
        is_done = compress_snappy(bytes, length_bytes, out, capacity_bytes, written_bytes);
        break;
    case KW_COMPRESSION_LZ4: {
        LZ4F_preferences_t preferences = lz4_preferences();
        *written_bytes = LZ4F_compressFrame(out, capacity_bytes, bytes, length_bytes, &preferences);
        is_done = !LZ4F_isError(*written_bytes);
        break;
    }
    case KW_COMPRESSION_ZSTD:
        *written_bytes = ZSTD_compress(out, capacity_bytes, bytes, length_bytes, ZSTD_CLEVEL_DEFAULT);
        is_done = !ZSTD_isError(*written_bytes);
        break;
    }
    return is_done ? KW_ERROR_NONE : KW_ERROR_OUT_OF_MEMORY;
}
