/*
 * Any reads on any bytes.
 *
 * Input: the number of reads, a byte for each that says which, then what is read. Each value that is read is
 * written again: fixed-size ones must give the bytes that were read, variable-length ones the shortest form.
 */
#include "fuzz.h"

#include "wire/cursor.h"

#include <stdlib.h>
#include <string.h>

enum read_kind {
    READ_I8,
    READ_I16,
    READ_I32,
    READ_I64,
    READ_U16,
    READ_U32,
    READ_VARINT,
    READ_VARLONG,
    READ_UVARINT,
    READ_BYTES,
    SKIP_BYTES,
    READ_KIND_COUNT
};

enum { WRITTEN_MAX_BYTES = 16 };

/* What a read gave, written again; and how many bytes the size functions say. */
struct again {
    uint8_t bytes[WRITTEN_MAX_BYTES];
    struct kw_writer writer;
    uint32_t size_bytes;
    bool is_fixed;
};

static void read_fixed(struct kw_reader *reader, enum read_kind kind, struct again *again)
{
    again->is_fixed = true;
    if (kind == READ_I8) {
        kw_write_i8(&again->writer, kw_read_i8(reader));
    } else if (kind == READ_I16) {
        kw_write_i16(&again->writer, kw_read_i16(reader));
    } else if (kind == READ_I32) {
        kw_write_i32(&again->writer, kw_read_i32(reader));
    } else if (kind == READ_I64) {
        kw_write_i64(&again->writer, kw_read_i64(reader));
    } else if (kind == READ_U16) {
        kw_write_u16(&again->writer, kw_read_u16(reader));
    } else {
        kw_write_u32(&again->writer, kw_read_u32(reader));
    }
    again->size_bytes = (uint32_t)again->writer.position_bytes;
}

static void read_variable(struct kw_reader *reader, enum read_kind kind, struct again *again)
{
    struct kw_reader second;
    if (kind == READ_VARINT) {
        int32_t value = kw_read_varint(reader);
        kw_write_varint(&again->writer, value);
        again->size_bytes = kw_varint_size_bytes(value);
        kw_reader_init(&second, again->bytes, again->writer.position_bytes);
        FUZZ_CHECK(kw_read_varint(&second) == value);
    } else if (kind == READ_VARLONG) {
        int64_t value = kw_read_varlong(reader);
        kw_write_varlong(&again->writer, value);
        again->size_bytes = kw_varlong_size_bytes(value);
        kw_reader_init(&second, again->bytes, again->writer.position_bytes);
        FUZZ_CHECK(kw_read_varlong(&second) == value);
    } else {
        uint32_t value = kw_read_uvarint(reader);
        kw_write_uvarint(&again->writer, value);
        again->size_bytes = kw_uvarint_size_bytes(value);
        kw_reader_init(&second, again->bytes, again->writer.position_bytes);
        FUZZ_CHECK(kw_read_uvarint(&second) == value);
    }
    FUZZ_CHECK(kw_reader_is_ok(&second) && kw_reader_remaining_bytes(&second) == 0);
}

static void check_value(struct kw_reader *reader, enum read_kind kind)
{
    struct again again = {.size_bytes = 0};
    size_t begin_bytes = reader->position_bytes;
    kw_writer_init(&again.writer, again.bytes, sizeof again.bytes);
    if (kind <= READ_U32) {
        read_fixed(reader, kind, &again);
    } else {
        read_variable(reader, kind, &again);
    }
    size_t taken_bytes = reader->position_bytes - begin_bytes;
    FUZZ_CHECK(kw_writer_is_ok(&again.writer) && again.writer.position_bytes == again.size_bytes);
    if (kw_reader_is_ok(reader)) {
        FUZZ_CHECK(again.size_bytes <= taken_bytes);
        FUZZ_CHECK(!again.is_fixed || (again.size_bytes == taken_bytes &&
                                       memcmp(again.bytes, reader->bytes + begin_bytes, taken_bytes) == 0));
        FUZZ_CHECK(again.size_bytes < taken_bytes ||
                   memcmp(again.bytes, reader->bytes + begin_bytes, taken_bytes) == 0);
    } else {
        /* A failed read gives zero, which takes one byte, or its fixed size. */
        for (size_t i = 0; i < again.size_bytes; i++) {
            FUZZ_CHECK(again.bytes[i] == 0);
        }
    }
}

/* The length is a byte of its own, four times as large, so that it often is more than there is. */
static void check_range(struct kw_reader *reader, enum read_kind kind)
{
    size_t length_bytes = (size_t)kw_read_u16(reader) * 4 / 256;
    size_t begin_bytes = reader->position_bytes;
    bool fits = kw_reader_is_ok(reader) && length_bytes <= kw_reader_remaining_bytes(reader);
    if (kind == SKIP_BYTES) {
        kw_skip_bytes(reader, length_bytes);
    } else {
        const uint8_t *bytes = kw_read_bytes(reader, length_bytes);
        FUZZ_CHECK((bytes != NULL) == fits);
        FUZZ_CHECK(bytes == NULL || length_bytes == 0 || bytes == reader->bytes + begin_bytes);
    }
    FUZZ_CHECK(kw_reader_is_ok(reader) == fits);
    FUZZ_CHECK(!fits || reader->position_bytes == begin_bytes + length_bytes);
}

void fuzz_one(const uint8_t *bytes, size_t length_bytes)
{
    size_t read_count = length_bytes > 0 ? bytes[0] : 0;
    if (length_bytes < 1 + read_count) {
        return;
    }
    const uint8_t *kinds = bytes + 1;
    size_t data_bytes = length_bytes - 1 - read_count;
    uint8_t *data = fuzz_allocate(data_bytes);
    memcpy(data, kinds + read_count, data_bytes);
    struct kw_reader reader;
    kw_reader_init(&reader, data, data_bytes);
    bool was_ok = true;
    for (size_t i = 0; i < read_count; i++) {
        enum read_kind kind = (enum read_kind)(kinds[i] % READ_KIND_COUNT);
        if (kind < READ_BYTES) {
            check_value(&reader, kind);
        } else {
            check_range(&reader, kind);
        }
        FUZZ_CHECK(reader.position_bytes <= data_bytes);
        FUZZ_CHECK(was_ok || !kw_reader_is_ok(&reader));
        FUZZ_CHECK(kw_reader_remaining_bytes(&reader) ==
                   (kw_reader_is_ok(&reader) ? data_bytes - reader.position_bytes : 0));
        was_ok = kw_reader_is_ok(&reader);
    }
    free(data);
}
