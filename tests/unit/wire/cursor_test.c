#include "wire/cursor.h"

#include "unit.h"
#include "wire/varint.h"

#include <string.h>

static const uint8_t digits[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};

static void reads_big_endian(void)
{
    struct kw_reader reader;
    kw_reader_init(&reader, digits, sizeof digits);
    CU_ASSERT_EQUAL(kw_read_i8(&reader), 0x01);
    CU_ASSERT_EQUAL(kw_read_i16(&reader), 0x2345);
    CU_ASSERT_EQUAL(kw_read_i32(&reader), 0x6789abcd);
    CU_ASSERT_EQUAL(kw_reader_remaining_bytes(&reader), 1);
    CU_ASSERT_EQUAL(kw_read_i8(&reader), -17);
    CU_ASSERT_TRUE(kw_reader_is_ok(&reader));
    kw_reader_init(&reader, digits, sizeof digits);
    CU_ASSERT_EQUAL(kw_read_i64(&reader), 0x0123456789abcdef);
    kw_reader_init(&reader, digits + 4, 4);
    CU_ASSERT_EQUAL(kw_read_u16(&reader), 0x89ab);
    CU_ASSERT_EQUAL(kw_read_i16(&reader), -12817);
    kw_reader_init(&reader, digits + 4, 4);
    CU_ASSERT_EQUAL(kw_read_u32(&reader), 0x89abcdefu);
}

/* Once failed, every read answers nothing, also one that would have fitted. */
static void fails_once_and_stays_failed(void)
{
    struct kw_reader reader;
    kw_reader_init(&reader, digits, 3);
    CU_ASSERT_EQUAL(kw_read_i32(&reader), 0);
    CU_ASSERT_FALSE(kw_reader_is_ok(&reader));
    CU_ASSERT_EQUAL(kw_read_i8(&reader), 0);
    CU_ASSERT_EQUAL(kw_read_varint(&reader), 0);
    CU_ASSERT_PTR_NULL(kw_read_bytes(&reader, 0));
    CU_ASSERT_EQUAL(kw_reader_remaining_bytes(&reader), 0);
    kw_reader_init(&reader, digits, 3);
    kw_reader_fail(&reader);
    CU_ASSERT_EQUAL(kw_read_i8(&reader), 0);
    CU_ASSERT_FALSE(kw_reader_is_ok(&reader));
}

static void gives_ranges_of_its_input(void)
{
    struct kw_reader reader;
    kw_reader_init(&reader, digits, sizeof digits);
    kw_skip_bytes(&reader, 2);
    CU_ASSERT_PTR_EQUAL(kw_read_bytes(&reader, 3), digits + 2);
    CU_ASSERT_PTR_NOT_NULL(kw_read_bytes(&reader, 0));
    CU_ASSERT_PTR_NULL(kw_read_bytes(&reader, 4));
    kw_reader_init(&reader, digits, sizeof digits);
    CU_ASSERT_PTR_NULL(kw_read_bytes(&reader, SIZE_MAX));
    kw_reader_init(&reader, NULL, 0);
    CU_ASSERT_PTR_NOT_NULL(kw_read_bytes(&reader, 0));
    CU_ASSERT_TRUE(kw_reader_is_ok(&reader));
}

static int64_t read_varlong_of(const void *bytes, size_t length_bytes, bool *is_ok)
{
    struct kw_reader reader;
    kw_reader_init(&reader, bytes, length_bytes);
    int64_t value = kw_read_varlong(&reader);
    *is_ok = kw_reader_is_ok(&reader) && kw_reader_remaining_bytes(&reader) == 0;
    return value;
}

static int32_t read_varint_of(const void *bytes, size_t length_bytes, bool *is_ok)
{
    struct kw_reader reader;
    kw_reader_init(&reader, bytes, length_bytes);
    int32_t value = kw_read_varint(&reader);
    *is_ok = kw_reader_is_ok(&reader) && kw_reader_remaining_bytes(&reader) == 0;
    return value;
}

static void refuses_variable_integers_that_are_too_long(void)
{
    bool is_ok = true;
    CU_ASSERT_EQUAL(read_varint_of("\xff\xff\xff\xff\x0f", 5, &is_ok), INT32_MIN);
    CU_ASSERT_TRUE(is_ok);
    (void)read_varint_of("\xff\xff\xff\xff\x1f", 5, &is_ok);
    CU_ASSERT_FALSE(is_ok);
    (void)read_varint_of("\x80\x80\x80\x80\x80\x00", 6, &is_ok);
    CU_ASSERT_FALSE(is_ok);
    (void)read_varint_of("\x80\x80", 2, &is_ok);
    CU_ASSERT_FALSE(is_ok);
    CU_ASSERT_EQUAL(read_varlong_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, &is_ok), INT64_MIN);
    CU_ASSERT_TRUE(is_ok);
    (void)read_varlong_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, &is_ok);
    CU_ASSERT_FALSE(is_ok);
    (void)read_varlong_of("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11, &is_ok);
    CU_ASSERT_FALSE(is_ok);
    /* Longer than it need be, but within the limit: Java takes it too. */
    CU_ASSERT_EQUAL(read_varint_of("\x82\x00", 2, &is_ok), 1);
    CU_ASSERT_TRUE(is_ok);
}

/* Values around every change of length, written, counted, put and read back. */
static void variable_integers_come_back(void)
{
    bool is_right = true;
    for (unsigned bit = 0; bit < 64; bit++) {
        for (int around = -1; around <= 1; around++) {
            uint64_t magnitude = ((uint64_t)1 << bit) + (uint64_t)(int64_t)around;
            for (int negative = 0; negative < 2; negative++) {
                int64_t value = (int64_t)(negative != 0 ? 0 - magnitude : magnitude);
                uint8_t bytes[10];
                struct kw_writer writer;
                bool is_ok = false;
                kw_writer_init(&writer, bytes, sizeof bytes);
                kw_write_varlong(&writer, value);
                is_right = is_right && kw_writer_is_ok(&writer) &&
                           writer.position_bytes == kw_varlong_size_bytes(value) &&
                           writer.position_bytes == kw_base128_size_bytes(kw_zigzag64(value)) &&
                           read_varlong_of(bytes, writer.position_bytes, &is_ok) == value && is_ok;
                uint8_t put[10];
                size_t put_bytes = (size_t)(kw_put_base128(put, kw_zigzag64(value)) - put);
                is_right =
                    is_right && put_bytes == writer.position_bytes && memcmp(put, bytes, put_bytes) == 0;
                int32_t narrow = (int32_t)value;
                kw_writer_init(&writer, bytes, sizeof bytes);
                kw_write_varint(&writer, narrow);
                is_right = is_right && writer.position_bytes == kw_varint_size_bytes(narrow) &&
                           writer.position_bytes == kw_base128_size_bytes(kw_zigzag32(narrow)) &&
                           read_varint_of(bytes, writer.position_bytes, &is_ok) == narrow && is_ok;
                struct kw_reader reader;
                kw_writer_init(&writer, bytes, sizeof bytes);
                kw_write_uvarint(&writer, (uint32_t)narrow);
                kw_reader_init(&reader, bytes, writer.position_bytes);
                is_right = is_right && writer.position_bytes == kw_uvarint_size_bytes((uint32_t)narrow) &&
                           kw_read_uvarint(&reader) == (uint32_t)narrow &&
                           kw_reader_remaining_bytes(&reader) == 0;
            }
        }
    }
    CU_ASSERT_TRUE(is_right);
}

static void writes_big_endian(void)
{
    uint8_t bytes[8];
    struct kw_writer writer;
    kw_writer_init(&writer, bytes, sizeof bytes);
    kw_write_i8(&writer, 0x01);
    kw_write_i16(&writer, 0x2345);
    kw_write_i32(&writer, 0x6789abcd);
    kw_write_i8(&writer, -17);
    CU_ASSERT_TRUE(kw_writer_is_ok(&writer));
    CU_ASSERT_EQUAL(memcmp(bytes, digits, sizeof bytes), 0);
    kw_writer_init(&writer, bytes, sizeof bytes);
    kw_write_i64(&writer, 0x0123456789abcdef);
    CU_ASSERT_EQUAL(memcmp(bytes, digits, sizeof bytes), 0);
    kw_writer_init(&writer, bytes, sizeof bytes);
    kw_write_u16(&writer, 0x0123);
    kw_write_u32(&writer, 0x456789abu);
    kw_write_bytes(&writer, digits + 6, 2);
    kw_write_bytes(&writer, NULL, 0);
    CU_ASSERT_EQUAL(memcmp(bytes, digits, sizeof bytes), 0);
}

static void never_writes_beyond_its_room(void)
{
    uint8_t bytes[4] = {0, 0, 0, 0x55};
    struct kw_writer writer;
    kw_writer_init(&writer, bytes, 3);
    kw_write_i16(&writer, 1);
    kw_write_i16(&writer, 2);
    CU_ASSERT_FALSE(kw_writer_is_ok(&writer));
    kw_write_i8(&writer, 3);
    CU_ASSERT_EQUAL(bytes[2], 0);
    CU_ASSERT_EQUAL(bytes[3], 0x55);
    kw_writer_init(&writer, NULL, 0);
    CU_ASSERT_FALSE(kw_writer_is_ok(&writer));
}

static void counts_without_memory(void)
{
    struct kw_writer writer;
    kw_writer_init_counting(&writer);
    kw_write_i64(&writer, 1);
    kw_write_varint(&writer, 300);
    kw_write_bytes(&writer, digits, 5);
    CU_ASSERT_TRUE(kw_writer_is_ok(&writer));
    CU_ASSERT_EQUAL(writer.position_bytes, 15);
}

static void stores_and_loads_in_place(void)
{
    uint8_t bytes[8];
    kw_store_i64(bytes, -2);
    CU_ASSERT_EQUAL(kw_load_i64(bytes), -2);
    kw_store_i32(bytes, INT32_MIN);
    CU_ASSERT_EQUAL(kw_load_i32(bytes), INT32_MIN);
    kw_store_i16(bytes, 0x0123);
    CU_ASSERT_EQUAL(memcmp(bytes, digits, 2), 0);
    CU_ASSERT_EQUAL(kw_load_i16(bytes), 0x0123);
}

int main(void)
{
    return unit_main("cursor",
                     (struct unit_test[]){{"reads_big_endian", reads_big_endian},
                                          {"fails_once_and_stays_failed", fails_once_and_stays_failed},
                                          {"gives_ranges_of_its_input", gives_ranges_of_its_input},
                                          {"refuses_variable_integers_that_are_too_long",
                                           refuses_variable_integers_that_are_too_long},
                                          {"variable_integers_come_back", variable_integers_come_back},
                                          {"writes_big_endian", writes_big_endian},
                                          {"never_writes_beyond_its_room", never_writes_beyond_its_room},
                                          {"counts_without_memory", counts_without_memory},
                                          {"stores_and_loads_in_place", stores_and_loads_in_place},
                                          {0}});
}
