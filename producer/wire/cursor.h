/**
 * Cursors over Kafka's wire format: big-endian integers, variable-length integers, byte ranges.
 *
 * A cursor fails once and stays failed: after a failure every read gives zeros (or NULL) and every write is
 * dropped, so that a message is encoded or decoded straight through and checked once at the end with
 * kw_reader_is_ok() or kw_writer_is_ok(). Nothing here asserts on bytes; nothing reads or writes outside the
 * range it was given.
 *
 * Kafka: org.apache.kafka.common.protocol.ByteBufferAccessor, org.apache.kafka.common.utils.ByteUtils.
 */
#ifndef KW_CURSOR_H
#define KW_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Reads from memory it borrows. */
struct kw_reader {
    const uint8_t *bytes;
    size_t length_bytes;
    size_t position_bytes;
    bool failed;
};

/** Writes into memory it borrows. With bytes == NULL it only counts, which is how a size is computed. */
struct kw_writer {
    uint8_t *bytes;
    size_t capacity_bytes;
    size_t position_bytes;
    bool failed;
};

void kw_reader_init(struct kw_reader *reader, const void *bytes, size_t length_bytes);
size_t kw_reader_remaining_bytes(const struct kw_reader *reader);
bool kw_reader_is_ok(const struct kw_reader *reader);
/** Fail the cursor: what was read makes no sense to the caller. */
void kw_reader_fail(struct kw_reader *reader);

int8_t kw_read_i8(struct kw_reader *reader);
int16_t kw_read_i16(struct kw_reader *reader);
int32_t kw_read_i32(struct kw_reader *reader);
int64_t kw_read_i64(struct kw_reader *reader);
uint16_t kw_read_u16(struct kw_reader *reader);
uint32_t kw_read_u32(struct kw_reader *reader);
/** Zigzag, at most 5 bytes; bits beyond the 32nd fail. Kafka: ByteUtils.readVarint. */
int32_t kw_read_varint(struct kw_reader *reader);
/** Zigzag, at most 10 bytes. Kafka: ByteUtils.readVarlong. */
int64_t kw_read_varlong(struct kw_reader *reader);
/** Plain, at most 5 bytes. Kafka: ByteUtils.readUnsignedVarint. */
uint32_t kw_read_uvarint(struct kw_reader *reader);
/** The next length_bytes bytes, which stay the input's; NULL on failure (never for a length of 0 that fits).
 */
const uint8_t *kw_read_bytes(struct kw_reader *reader, size_t length_bytes);
void kw_skip_bytes(struct kw_reader *reader, size_t length_bytes);

void kw_writer_init(struct kw_writer *writer, void *bytes, size_t capacity_bytes);
/** A writer that writes nothing and only counts position_bytes. */
void kw_writer_init_counting(struct kw_writer *writer);
bool kw_writer_is_ok(const struct kw_writer *writer);

void kw_write_i8(struct kw_writer *writer, int8_t value);
void kw_write_i16(struct kw_writer *writer, int16_t value);
void kw_write_i32(struct kw_writer *writer, int32_t value);
void kw_write_i64(struct kw_writer *writer, int64_t value);
void kw_write_u16(struct kw_writer *writer, uint16_t value);
void kw_write_u32(struct kw_writer *writer, uint32_t value);
void kw_write_varint(struct kw_writer *writer, int32_t value);
void kw_write_varlong(struct kw_writer *writer, int64_t value);
void kw_write_uvarint(struct kw_writer *writer, uint32_t value);
/** Copies; bytes may be NULL when length_bytes is 0. */
void kw_write_bytes(struct kw_writer *writer, const void *bytes, size_t length_bytes);

/** Encoded sizes in bytes. Kafka: ByteUtils.sizeOfVarint, sizeOfVarlong, sizeOfUnsignedVarint. */
uint32_t kw_varint_size_bytes(int32_t value);
uint32_t kw_varlong_size_bytes(int64_t value);
uint32_t kw_uvarint_size_bytes(uint32_t value);

/** Overwrite a big-endian integer at a place already written, e.g. a length that is known last. */
void kw_store_i32(uint8_t *bytes, int32_t value);
void kw_store_i64(uint8_t *bytes, int64_t value);
void kw_store_i16(uint8_t *bytes, int16_t value);
int32_t kw_load_i32(const uint8_t *bytes);
int64_t kw_load_i64(const uint8_t *bytes);
int16_t kw_load_i16(const uint8_t *bytes);

#endif
