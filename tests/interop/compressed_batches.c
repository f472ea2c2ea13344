/*
 * Writes batches of every compression for other programs to read, as JSON Lines: name of the compression, the
 * batch in hexadecimal, and how many records of which sizes are in it (compressed_batches.py says what their
 * bytes are).
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "wire/record_batch_builder.h"

enum { COLLECTED_BYTES = 1 << 20, PACKED_BYTES = 1 << 21, RECORDS_MAX = 2000 };

static uint8_t collected[COLLECTED_BYTES];
static uint8_t packed[PACKED_BYTES];

/* Byte i of record number n: some that compress well, some that do not at all. */
static uint8_t byte_of(uint32_t record, uint32_t i)
{
    uint32_t mixed = (record * 31 + i) * UINT32_C(2654435761);
    return record % 3 == 0 ? (uint8_t)(mixed >> 24) : (uint8_t)('a' + (record + i / 16) % 26);
}

static void write_batch(enum kw_compression compression, uint32_t record_count, uint32_t value_bytes)
{
    static uint8_t value[4096];
    struct kw_record_batch_options options = kw_record_batch_options_default();
    struct kw_record_batch_builder builder;
    KB_ASSERT(value_bytes + record_count <= sizeof value);
    options.compression = compression;
    options.base_offset = 100;
    options.producer_id = 9;
    options.producer_epoch = 2;
    options.base_sequence = 7;
    kw_record_batch_builder_init(&builder, collected, COLLECTED_BYTES, &options);
    for (uint32_t record = 0; record < record_count; record++) {
        uint32_t length_bytes = value_bytes + record % 7;
        for (uint32_t i = 0; i < length_bytes; i++) {
            value[i] = byte_of(record, i);
        }
        struct kw_record_header header = {.key = {(const uint8_t *)"h", 1}, .value = {value, 3}};
        struct kw_record_fields fields = {.key = {record % 2 == 0 ? value : NULL, 2},
                                          .value = {value, (int32_t)length_bytes},
                                          .headers = &header,
                                          .header_count = record % 5 == 0 ? 1 : 0};
        (void)kw_record_batch_builder_append(&builder, INT64_C(1600000000000) + record, &fields);
    }
    if (compression != KW_COMPRESSION_NONE) {
        kw_record_batch_builder_close_for_appends(&builder);
        KB_ASSERT(kw_record_batch_builder_compressed_bound_bytes(&builder) <= PACKED_BYTES);
        bool is_compressed = kw_record_batch_builder_compress(&builder, packed, PACKED_BYTES);
        KB_ASSERT(is_compressed);
    }
    kw_record_batch_builder_close(&builder);
    printf("{\"compression\":\"%s\",\"records\":%u,\"value_bytes\":%u,\"batch_hex\":\"",
           kw_compression_name(compression), record_count, value_bytes);
    for (uint32_t i = 0; i < builder.written_bytes; i++) {
        printf("%02x", builder.memory[i]);
    }
    puts("\"}");
}

int main(void)
{
    for (int compression = KW_COMPRESSION_NONE; compression <= KW_COMPRESSION_ZSTD; compression++) {
        write_batch((enum kw_compression)compression, 1, 3);
        write_batch((enum kw_compression)compression, 50, 100);
        /* More than a block of 64 KB. */
        write_batch((enum kw_compression)compression, 300, 1000);
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
