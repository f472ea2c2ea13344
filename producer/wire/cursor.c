#include "wire/cursor.h"

#include <string.h>

enum { VARINT_MAX_BYTES = 5, VARLONG_MAX_BYTES = 10 };

void kw_reader_init(struct kw_reader *reader, const void *bytes, size_t length_bytes)
{
    *reader = (struct kw_reader){.bytes = bytes, .length_bytes = length_bytes};
}

size_t kw_reader_remaining_bytes(const struct kw_reader *reader)
{
    return reader->failed ? 0 : reader->length_bytes - reader->position_bytes;
}

bool kw_reader_is_ok(const struct kw_reader *reader)
{
    return !reader->failed;
}

void kw_reader_fail(struct kw_reader *reader)
{
    reader->failed = true;
}

const uint8_t *kw_read_bytes(struct kw_reader *reader, size_t length_bytes)
{
    static const uint8_t nothing[1];
    if (reader->failed || length_bytes > reader->length_bytes - reader->position_bytes) {
        reader->failed = true;
        return NULL;
    }
    if (length_bytes == 0) {
        return reader->bytes != NULL ? reader->bytes + reader->position_bytes : nothing;
    }
    const uint8_t *bytes = reader->bytes + reader->position_bytes;
    reader->position_bytes += length_bytes;
    return bytes;
}

void kw_skip_bytes(struct kw_reader *reader, size_t length_bytes)
{
    (void)kw_read_bytes(reader, length_bytes);
}

static uint64_t read_big_endian(struct kw_reader *reader, size_t length_bytes)
{
    const uint8_t *bytes = kw_read_bytes(reader, length_bytes);
    uint64_t value = 0;
    for (size_t i = 0; bytes != NULL && i < length_bytes; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

int8_t kw_read_i8(struct kw_reader *reader)
{
    return (int8_t)(uint8_t)read_big_endian(reader, 1);
}

int16_t kw_read_i16(struct kw_reader *reader)
{
    return (int16_t)(uint16_t)read_big_endian(reader, 2);
}

uint16_t kw_read_u16(struct kw_reader *reader)
{
    return (uint16_t)read_big_endian(reader, 2);
}

int32_t kw_read_i32(struct kw_reader *reader)
{
    return (int32_t)(uint32_t)read_big_endian(reader, 4);
}

uint32_t kw_read_u32(struct kw_reader *reader)
{
    return (uint32_t)read_big_endian(reader, 4);
}

int64_t kw_read_i64(struct kw_reader *reader)
{
    return (int64_t)read_big_endian(reader, 8);
}

/* Base-128, least significant group first; the last of max_bytes may only carry the bits that are left. */
static uint64_t read_base128(struct kw_reader *reader, unsigned value_bits, unsigned max_bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < max_bytes; i++) {
        const uint8_t *byte = kw_read_bytes(reader, 1);
        if (byte == NULL) {
            return 0;
        }
        unsigned shift = 7 * i;
        uint64_t group = *byte & 0x7fu;
        if (shift + 7 > value_bits && group >> (value_bits - shift) != 0) {
            break;
        }
        value |= group << shift;
        if ((*byte & 0x80u) == 0) {
            return value;
        }
    }
    reader->failed = true;
    return 0;
}

int32_t kw_read_varint(struct kw_reader *reader)
{
    uint32_t zigzag = (uint32_t)read_base128(reader, 32, VARINT_MAX_BYTES);
    return (int32_t)(zigzag >> 1 ^ (0u - (zigzag & 1u)));
}

int64_t kw_read_varlong(struct kw_reader *reader)
{
    uint64_t zigzag = read_base128(reader, 64, VARLONG_MAX_BYTES);
    return (int64_t)(zigzag >> 1 ^ (0u - (zigzag & 1u)));
}

uint32_t kw_read_uvarint(struct kw_reader *reader)
{
    return (uint32_t)read_base128(reader, 32, VARINT_MAX_BYTES);
}

void kw_writer_init(struct kw_writer *writer, void *bytes, size_t capacity_bytes)
{
    *writer = (struct kw_writer){.bytes = bytes, .capacity_bytes = capacity_bytes, .failed = bytes == NULL};
}

void kw_writer_init_counting(struct kw_writer *writer)
{
    *writer = (struct kw_writer){.bytes = NULL, .capacity_bytes = SIZE_MAX};
}

bool kw_writer_is_ok(const struct kw_writer *writer)
{
    return !writer->failed;
}

void kw_write_bytes(struct kw_writer *writer, const void *bytes, size_t length_bytes)
{
    if (writer->failed || length_bytes > writer->capacity_bytes - writer->position_bytes) {
        writer->failed = true;
        return;
    }
    if (writer->bytes != NULL && length_bytes > 0) {
        memcpy(writer->bytes + writer->position_bytes, bytes, length_bytes);
    }
    writer->position_bytes += length_bytes;
}

static void write_big_endian(struct kw_writer *writer, uint64_t value, size_t length_bytes)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < length_bytes; i++) {
        bytes[i] = (uint8_t)(value >> (8 * (length_bytes - 1 - i)));
    }
    kw_write_bytes(writer, bytes, length_bytes);
}

void kw_write_i8(struct kw_writer *writer, int8_t value)
{
    write_big_endian(writer, (uint8_t)value, 1);
}

void kw_write_i16(struct kw_writer *writer, int16_t value)
{
    write_big_endian(writer, (uint16_t)value, 2);
}

void kw_write_u16(struct kw_writer *writer, uint16_t value)
{
    write_big_endian(writer, value, 2);
}

void kw_write_i32(struct kw_writer *writer, int32_t value)
{
    write_big_endian(writer, (uint32_t)value, 4);
}

void kw_write_u32(struct kw_writer *writer, uint32_t value)
{
    write_big_endian(writer, value, 4);
}

void kw_write_i64(struct kw_writer *writer, int64_t value)
{
    write_big_endian(writer, (uint64_t)value, 8);
}

static void write_base128(struct kw_writer *writer, uint64_t value)
{
    uint8_t bytes[VARLONG_MAX_BYTES];
    size_t length_bytes = 0;
    for (; value >= 0x80u; value >>= 7) {
        bytes[length_bytes++] = (uint8_t)(value | 0x80u);
    }
    bytes[length_bytes++] = (uint8_t)value;
    kw_write_bytes(writer, bytes, length_bytes);
}

static uint32_t zigzag32(int32_t value)
{
    return (uint32_t)value << 1 ^ (value < 0 ? UINT32_MAX : 0);
}

static uint64_t zigzag64(int64_t value)
{
    return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

void kw_write_varint(struct kw_writer *writer, int32_t value)
{
    write_base128(writer, zigzag32(value));
}

void kw_write_varlong(struct kw_writer *writer, int64_t value)
{
    write_base128(writer, zigzag64(value));
}

void kw_write_uvarint(struct kw_writer *writer, uint32_t value)
{
    write_base128(writer, value);
}

static uint32_t base128_size_bytes(uint64_t value)
{
    uint32_t size_bytes = 1;
    for (; value >= 0x80u; value >>= 7) {
        size_bytes++;
    }
    return size_bytes;
}

uint32_t kw_varint_size_bytes(int32_t value)
{
    return base128_size_bytes(zigzag32(value));
}

uint32_t kw_varlong_size_bytes(int64_t value)
{
    return base128_size_bytes(zigzag64(value));
}

uint32_t kw_uvarint_size_bytes(uint32_t value)
{
    return base128_size_bytes(value);
}

static void store_big_endian(uint8_t *bytes, uint64_t value, size_t length_bytes)
{
    for (size_t i = 0; i < length_bytes; i++) {
        bytes[i] = (uint8_t)(value >> (8 * (length_bytes - 1 - i)));
    }
}

static uint64_t load_big_endian(const uint8_t *bytes, size_t length_bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < length_bytes; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

void kw_store_i16(uint8_t *bytes, int16_t value)
{
    store_big_endian(bytes, (uint16_t)value, 2);
}

void kw_store_i32(uint8_t *bytes, int32_t value)
{
    store_big_endian(bytes, (uint32_t)value, 4);
}

void kw_store_i64(uint8_t *bytes, int64_t value)
{
    store_big_endian(bytes, (uint64_t)value, 8);
}

int16_t kw_load_i16(const uint8_t *bytes)
{
    return (int16_t)(uint16_t)load_big_endian(bytes, 2);
}

int32_t kw_load_i32(const uint8_t *bytes)
{
    return (int32_t)(uint32_t)load_big_endian(bytes, 4);
}

int64_t kw_load_i64(const uint8_t *bytes)
{
    return (int64_t)load_big_endian(bytes, 8);
}
