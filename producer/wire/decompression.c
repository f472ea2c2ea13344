#include "wire/compression.h"

#include "base/allocator.h"
#include "base/assert.h"
#include "wire/compression_snappy.h"
#include "wire/cursor.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum {
    LEAST_CAPACITY_BYTES = 4096,
    GUESSED_RATIO = 4,
    /* Snappy's longest copy gives 64 bytes for 3: a length beyond that is a lie that must not cost memory. */
    SNAPPY_MOST_RATIO = 22
};

/* Where a decompressor stands: input that is left, output that grows. */
struct decompression {
    const uint8_t *input;
    size_t left_bytes;
    size_t limit_bytes;
    struct kw_compression_buffer *buffer;
};

static size_t room_bytes(const struct decompression *state)
{
    return state->buffer->capacity_bytes - state->buffer->length_bytes;
}

/* Room for more_bytes more at least (at most what the limit leaves). */
static enum kw_error grow(struct decompression *state, size_t more_bytes)
{
    struct kw_compression_buffer *buffer = state->buffer;
    if (more_bytes > state->limit_bytes - buffer->length_bytes) {
        return KW_ERROR_MESSAGE_TOO_LARGE;
    }
    if (more_bytes <= room_bytes(state)) {
        return KW_ERROR_NONE;
    }
    size_t capacity_bytes = buffer->length_bytes + more_bytes;
    if (capacity_bytes < 2 * buffer->capacity_bytes) {
        capacity_bytes = 2 * buffer->capacity_bytes;
    }
    if (capacity_bytes < LEAST_CAPACITY_BYTES) {
        capacity_bytes = LEAST_CAPACITY_BYTES;
    }
    if (capacity_bytes > state->limit_bytes) {
        capacity_bytes = state->limit_bytes;
    }
    uint8_t *bytes = kb_allocate(buffer->allocator, capacity_bytes);
    if (bytes == NULL) {
        return KW_ERROR_OUT_OF_MEMORY;
    }
    if (buffer->length_bytes > 0) {
        memcpy(bytes, buffer->bytes, buffer->length_bytes);
    }
    kb_deallocate(buffer->allocator, buffer->bytes, buffer->capacity_bytes);
    buffer->bytes = bytes;
    buffer->capacity_bytes = capacity_bytes;
    return KW_ERROR_NONE;
}

/* One more byte of room, or the limit is reached. A decompressor that still has output then has too much. */
static enum kw_error make_room(struct decompression *state)
{
    return room_bytes(state) > 0 ? KW_ERROR_NONE : grow(state, 1);
}

/* Members one after the other, as GZIPInputStream reads them; what follows the last one is ignored, as there.
 */
static enum kw_error inflate_members(struct decompression *state, z_stream *stream)
{
    bool is_inside = true;
    while (is_inside) {
        enum kw_error error = make_room(state);
        if (error != KW_ERROR_NONE) {
            return error;
        }
        size_t room = room_bytes(state);
        stream->next_out = state->buffer->bytes + state->buffer->length_bytes;
        stream->avail_out = room > UINT32_MAX ? UINT32_MAX : (uInt)room;
        uInt before = stream->avail_out;
        int result = inflate(stream, Z_NO_FLUSH);
        state->buffer->length_bytes += before - stream->avail_out;
        if (result == Z_STREAM_END) {
            is_inside = stream->avail_in > 1 && stream->next_in[0] == 0x1f && stream->next_in[1] == 0x8b;
            if (is_inside && inflateReset(stream) != Z_OK) {
                return KW_ERROR_CORRUPT_MESSAGE;
            }
        } else if (result == Z_MEM_ERROR) {
            return KW_ERROR_OUT_OF_MEMORY;
        } else if (result != Z_OK) {
            /* Z_BUF_ERROR too: there is room, so it is the input that has ended. */
            return KW_ERROR_CORRUPT_MESSAGE;
        }
    }
    return KW_ERROR_NONE;
}

static enum kw_error decompress_gzip(struct decompression *state)
{
    enum { WINDOW_BITS = 15, GZIP = 16 };
    z_stream stream = {.next_in = (z_const Bytef *)state->input, .avail_in = (uInt)state->left_bytes};
    if (inflateInit2(&stream, WINDOW_BITS + GZIP) != Z_OK) {
        return KW_ERROR_OUT_OF_MEMORY;
    }
    enum kw_error error = inflate_members(state, &stream);
    (void)inflateEnd(&stream);
    return error;
}

static enum kw_error decompress_snappy_block(struct decompression *state, size_t block_bytes)
{
    size_t length_bytes = 0;
    if (snappy_uncompressed_length((const char *)state->input, block_bytes, &length_bytes) != SNAPPY_OK ||
        length_bytes / SNAPPY_MOST_RATIO > block_bytes) {
        return KW_ERROR_CORRUPT_MESSAGE;
    }
    enum kw_error error = grow(state, length_bytes);
    if (error != KW_ERROR_NONE || length_bytes == 0) {
        return error;
    }
    char *out = (char *)state->buffer->bytes + state->buffer->length_bytes;
    if (snappy_uncompress((const char *)state->input, block_bytes, out, &length_bytes) != SNAPPY_OK) {
        return KW_ERROR_CORRUPT_MESSAGE;
    }
    state->buffer->length_bytes += length_bytes;
    state->input += block_bytes;
    state->left_bytes -= block_bytes;
    return KW_ERROR_NONE;
}

/* Without the header of snappy-java all of it is one block, as SnappyInputStream has it. */
static enum kw_error decompress_snappy(struct decompression *state)
{
    if (state->left_bytes < KW_SNAPPY_HEADER_BYTES ||
        memcmp(state->input, kw_snappy_magic, KW_SNAPPY_MAGIC_BYTES) != 0) {
        return decompress_snappy_block(state, state->left_bytes);
    }
    if (kw_load_i32(state->input + KW_SNAPPY_MAGIC_BYTES) < KW_SNAPPY_VERSION) {
        return KW_ERROR_CORRUPT_MESSAGE;
    }
    state->input += KW_SNAPPY_HEADER_BYTES;
    state->left_bytes -= KW_SNAPPY_HEADER_BYTES;
    while (state->left_bytes > 0) {
        if (state->left_bytes < KW_SNAPPY_LENGTH_BYTES) {
            return KW_ERROR_CORRUPT_MESSAGE;
        }
        int32_t block_bytes = kw_load_i32(state->input);
        state->input += KW_SNAPPY_LENGTH_BYTES;
        state->left_bytes -= KW_SNAPPY_LENGTH_BYTES;
        if (block_bytes < 0 || (size_t)block_bytes > state->left_bytes) {
            return KW_ERROR_CORRUPT_MESSAGE;
        }
        enum kw_error error = decompress_snappy_block(state, (size_t)block_bytes);
        if (error != KW_ERROR_NONE) {
            return error;
        }
    }
    return KW_ERROR_NONE;
}

/* One frame; what follows it is ignored, as KafkaLZ4BlockInputStream does. */
static enum kw_error decompress_lz4_frame(struct decompression *state, LZ4F_dctx *context)
{
    size_t hint = 1;
    while (hint != 0) {
        enum kw_error error = make_room(state);
        if (error != KW_ERROR_NONE) {
            return error;
        }
        size_t read_bytes = state->left_bytes;
        size_t written_bytes = room_bytes(state);
        hint = LZ4F_decompress(context, state->buffer->bytes + state->buffer->length_bytes, &written_bytes,
                               state->input, &read_bytes, NULL);
        if (LZ4F_isError(hint) || (hint != 0 && read_bytes == 0 && written_bytes == 0)) {
            return KW_ERROR_CORRUPT_MESSAGE;
        }
        state->input += read_bytes;
        state->left_bytes -= read_bytes;
        state->buffer->length_bytes += written_bytes;
    }
    return KW_ERROR_NONE;
}

static enum kw_error decompress_lz4(struct decompression *state)
{
    LZ4F_dctx *context = NULL;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION))) {
        return KW_ERROR_OUT_OF_MEMORY;
    }
    enum kw_error error = decompress_lz4_frame(state, context);
    (void)LZ4F_freeDecompressionContext(context);
    return error;
}

/* Frame after frame to the end of the input, which must be the end of a frame. */
static enum kw_error decompress_zstd_frames(struct decompression *state, ZSTD_DStream *stream)
{
    ZSTD_inBuffer input = {.src = state->input, .size = state->left_bytes};
    size_t hint = 1;
    while (hint != 0 || input.pos < input.size) {
        enum kw_error error = make_room(state);
        if (error != KW_ERROR_NONE) {
            return error;
        }
        size_t before = input.pos;
        ZSTD_outBuffer output = {.dst = state->buffer->bytes + state->buffer->length_bytes,
                                 .size = room_bytes(state)};
        hint = ZSTD_decompressStream(stream, &output, &input);
        if (ZSTD_isError(hint) || (hint != 0 && input.pos == before && output.pos == 0)) {
            return KW_ERROR_CORRUPT_MESSAGE;
        }
        state->buffer->length_bytes += output.pos;
    }
    return KW_ERROR_NONE;
}

static enum kw_error decompress_zstd(struct decompression *state)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    if (stream == NULL) {
        return KW_ERROR_OUT_OF_MEMORY;
    }
    enum kw_error error = decompress_zstd_frames(state, stream);
    (void)ZSTD_freeDStream(stream);
    return error;
}

static enum kw_error copy(struct decompression *state)
{
    enum kw_error error = grow(state, state->left_bytes);
    if (error == KW_ERROR_NONE && state->left_bytes > 0) {
        memcpy(state->buffer->bytes, state->input, state->left_bytes);
        state->buffer->length_bytes = state->left_bytes;
    }
    return error;
}

static enum kw_error decompress(struct decompression *state, int compression_id)
{
    /* A first guess saves copies; where it is wrong, make_room() decides. */
    if (compression_id != KW_COMPRESSION_NONE && state->left_bytes <= state->limit_bytes / GUESSED_RATIO) {
        enum kw_error error = grow(state, state->left_bytes * GUESSED_RATIO);
        if (error != KW_ERROR_NONE) {
            return error;
        }
    }
    switch (compression_id) {
    case KW_COMPRESSION_NONE:
        return copy(state);
    case KW_COMPRESSION_GZIP:
        return decompress_gzip(state);
    case KW_COMPRESSION_SNAPPY:
        return decompress_snappy(state);
    case KW_COMPRESSION_LZ4:
        return decompress_lz4(state);
    case KW_COMPRESSION_ZSTD:
        return decompress_zstd(state);
    default:
        return KW_ERROR_UNSUPPORTED_COMPRESSION_TYPE;
    }
}

enum kw_error kw_decompress(int compression_id, const void *bytes, size_t length_bytes, size_t limit_bytes,
                            struct kw_compression_buffer *buffer)
{
    KB_ASSERT(limit_bytes < SIZE_MAX / 4);
    /* One byte more than is allowed: a decompressor needs room to find out that it is at the end. */
    struct decompression state = {
        .input = bytes, .left_bytes = length_bytes, .limit_bytes = limit_bytes + 1, .buffer = buffer};
    buffer->length_bytes = 0;
    if (length_bytes > INT32_MAX) {
        return KW_ERROR_CORRUPT_MESSAGE;
    }
    enum kw_error error = decompress(&state, compression_id);
    return error == KW_ERROR_NONE && buffer->length_bytes > limit_bytes ? KW_ERROR_MESSAGE_TOO_LARGE : error;
}
