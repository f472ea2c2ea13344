#include "golden.h"

#include "wire/cursor.h"

enum { ENCODED_BYTES = 10 };

/* The encoding of what writer has written, also read back: the value and nothing more must come out. */
static void add_encoding(struct golden_case *golden, cJSON *actual, const char *name,
                         const struct kw_writer *writer, int64_t value, int64_t (*read)(struct kw_reader *))
{
    struct kw_reader reader;
    kw_reader_init(&reader, writer->bytes, writer->position_bytes);
    golden_compare_integer(golden, name, value, read(&reader));
    if (!kw_reader_is_ok(&reader) || kw_reader_remaining_bytes(&reader) != 0 || !kw_writer_is_ok(writer)) {
        golden_fail(golden, "%s: not read back whole", name);
    }
    json_add_hex(actual, name, writer->bytes, writer->position_bytes);
}

static int64_t read_varint(struct kw_reader *reader)
{
    return kw_read_varint(reader);
}

static int64_t read_uvarint(struct kw_reader *reader)
{
    return kw_read_uvarint(reader);
}

void golden_check_varint(struct golden_case *golden, const cJSON *row)
{
    int64_t value = golden_integer(golden, row, "value");
    uint8_t bytes[ENCODED_BYTES];
    struct kw_writer writer;
    cJSON *actual = golden_new_object(golden);
    json_add_integer(actual, "value", value);

    if (value >= INT32_MIN && value <= INT32_MAX) {
        kw_writer_init(&writer, bytes, sizeof bytes);
        kw_write_varint(&writer, (int32_t)value);
        golden_compare_integer(golden, "varint_hex's size", (int64_t)writer.position_bytes,
                               kw_varint_size_bytes((int32_t)value));
        add_encoding(golden, actual, "varint_hex", &writer, value, read_varint);
    } else {
        json_add_text(actual, "varint_hex", NULL);
    }

    kw_writer_init(&writer, bytes, sizeof bytes);
    kw_write_varlong(&writer, value);
    add_encoding(golden, actual, "varlong_hex", &writer, value, kw_read_varlong);
    json_add_integer(actual, "size", kw_varlong_size_bytes(value));

    if (value >= 0 && value <= INT32_MAX) {
        kw_writer_init(&writer, bytes, sizeof bytes);
        kw_write_uvarint(&writer, (uint32_t)value);
        golden_compare_integer(golden, "uvarint_hex's size", (int64_t)writer.position_bytes,
                               kw_uvarint_size_bytes((uint32_t)value));
        add_encoding(golden, actual, "uvarint_hex", &writer, value, read_uvarint);
    } else {
        json_add_text(actual, "uvarint_hex", NULL);
    }
    golden_compare(golden, "", row, actual);
}
