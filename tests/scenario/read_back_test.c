/*
 * What a file says is what the cluster holds: orders-file.json is run with each compression, every partition
 * is read back from its leader and from each follower, and compared with a reading of the CSV file that
 * shares no line with the engine's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/allocator.h"
#include "base/murmur2.h"
#include "engine/world.h"
#include "unit.h"
#include "wire/record_batch.h"
#include "wire/record_batch_reader.h"

enum { ROWS_MAX = 4000, PARTITIONS = 6, CUSTOMER_COLUMN = 2, LARGEST_RECORDS_BYTES = 1 << 24 };

struct row {
    const char *text; /* the row as it stands in the file, without its line break */
    size_t length_bytes;
    char customer[64];
};

static char *file_bytes;
static struct row rows[ROWS_MAX];
static size_t row_count;
static int compression; /* of the producer */
static struct kw_compression_buffer decompressed;

static void read_file(void)
{
    FILE *file = fopen("assets/data/orders.csv", "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL_FATAL(fseek(file, 0, SEEK_END), 0);
    long length_bytes = ftell(file);
    rewind(file);
    file_bytes = calloc(1, (size_t)length_bytes + 1);
    CU_ASSERT_EQUAL_FATAL(fread(file_bytes, 1, (size_t)length_bytes, file), (size_t)length_bytes);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

/* RFC 4180 by states, a character at a time: quotes toggle, two within quotes are one. */
static void split_file(void)
{
    int column = 0;
    bool quoted = false;
    size_t used_bytes = 0;
    struct row *row = &rows[0];
    row->text = file_bytes;
    for (const char *at = file_bytes; *at != '\0'; at++) {
        if (*at == '"') {
            if (!quoted && at > row->text && at[-1] == '"' && column == CUSTOMER_COLUMN) {
                row->customer[used_bytes++] = '"';
            }
            quoted = !quoted;
        } else if (*at == ',' && !quoted) {
            column++;
        } else if (*at == '\n' && !quoted) {
            row->length_bytes = (size_t)(at - row->text);
            row->customer[used_bytes] = '\0';
            row_count++;
            CU_ASSERT_FATAL(row_count < ROWS_MAX);
            row = &rows[row_count];
            row->text = at + 1;
            column = 0;
            used_bytes = 0;
        } else if (column == CUSTOMER_COLUMN) {
            row->customer[used_bytes++] = *at;
            CU_ASSERT_FATAL(used_bytes < sizeof row->customer);
        }
    }
    CU_ASSERT_FALSE(quoted);
}

/* The next row of the file behind `from` whose customer goes to the partition; row_count: none. */
static size_t next_row(size_t from, int32_t partition)
{
    for (size_t i = from; i < row_count; i++) {
        uint32_t hash = (uint32_t)kb_murmur2(rows[i].customer, strlen(rows[i].customer));
        if ((int32_t)((hash & 0x7fffffff) % PARTITIONS) == partition) {
            return i;
        }
    }
    return row_count;
}

static bool same(const void *bytes, int32_t length_bytes, const char *text, size_t text_bytes)
{
    return length_bytes >= 0 && (size_t)length_bytes == text_bytes && memcmp(bytes, text, text_bytes) == 0;
}

/* A batch's records are the next rows of the partition, in their order. Returns the row behind them. */
static size_t compare_batch(const void *batch, size_t length_bytes, int32_t partition, size_t row,
                            uint32_t *found)
{
    struct kw_record_reader reader;
    struct kw_record record;
    const uint8_t *bytes = batch;
    CU_ASSERT_EQUAL(kw_record_batch_compression_id(bytes), compression);
    CU_ASSERT_EQUAL_FATAL(
        kw_record_reader_open(&reader, bytes, length_bytes, LARGEST_RECORDS_BYTES, &decompressed),
        KW_ERROR_NONE);
    while (kw_record_reader_next(&reader, &record)) {
        size_t expected = next_row(row, partition);
        CU_ASSERT_FATAL(expected < row_count);
        CU_ASSERT_TRUE(same(record.key.bytes, kw_bytes_encoded_length(record.key), rows[expected].customer,
                            strlen(rows[expected].customer)));
        CU_ASSERT_TRUE(same(record.value.bytes, kw_bytes_encoded_length(record.value), rows[expected].text,
                            rows[expected].length_bytes));
        row = expected + 1;
        (*found)++;
    }
    return row;
}

/* Returns how many records the replica holds; they are all of the file's that belong there. */
static uint32_t compare_replica(const struct mb_cluster *cluster, int32_t broker, int32_t partition)
{
    const void *batch;
    size_t length_bytes;
    size_t row = 1; /* behind the names of the columns */
    uint32_t found = 0;
    for (int64_t offset = 0; mb_log_read(cluster, broker, "orders", partition, offset, &batch, &length_bytes);
         offset = kw_record_batch_last_offset(batch) + 1) {
        CU_ASSERT_EQUAL(kw_record_batch_base_offset(batch), offset);
        row = compare_batch(batch, length_bytes, partition, row, &found);
    }
    CU_ASSERT_EQUAL(next_row(row, partition), row_count);
    return found;
}

/* The whole run, with every batch compressed so. */
static void run_and_compare(const char *compression_type)
{
    struct sim_override override = {"import.compression.type", compression_type};
    struct sim_scenario *scenario;
    struct sim_complaints complaints = {0};
    CU_ASSERT_TRUE_FATAL(
        sim_scenario_load("assets/scenarios/orders-file.json", &override, 1, &scenario, &complaints, NULL));
    struct sim_world *world;
    struct sim_world_options options = {.log_events = false, .check = true};
    CU_ASSERT_TRUE_FATAL(sim_world_create(scenario, &options, &world, &complaints));
    while (sim_world_step(world)) {
    }
    CU_ASSERT_PTR_NULL(sim_world_failure(world));
    const struct mb_cluster *cluster = sim_world_cluster(world);
    uint32_t total = 0;
    for (int32_t partition = 0; partition < PARTITIONS; partition++) {
        struct mb_partition_view view;
        CU_ASSERT_TRUE_FATAL(mb_partition_view(cluster, "orders", partition, &view));
        CU_ASSERT_EQUAL_FATAL(view.replica_count, 3);
        uint32_t of_leader = compare_replica(cluster, view.leader, partition);
        for (uint32_t i = 0; i < view.replica_count; i++) {
            int32_t broker = mb_partition_replica(cluster, "orders", partition, i);
            CU_ASSERT_EQUAL(compare_replica(cluster, broker, partition), of_leader);
        }
        total += of_leader;
    }
    CU_ASSERT_EQUAL(total, 2400);
    sim_world_destroy(world);
    sim_scenario_release(scenario);
}

static void every_row_is_in_every_replica(void)
{
    read_file();
    split_file();
    CU_ASSERT_EQUAL_FATAL(row_count, 2401);
    kw_compression_buffer_init(&decompressed, kb_allocator_default());
    for (compression = KW_COMPRESSION_NONE; compression <= KW_COMPRESSION_ZSTD; compression++) {
        run_and_compare(kw_compression_name((enum kw_compression)compression));
    }
    kw_compression_buffer_release(&decompressed);
    free(file_bytes);
}

int main(void)
{
    return unit_main("read_back", (struct unit_test[]){
                                      {"every row is in every replica", every_row_is_in_every_replica},
                                      {0},
                                  });
}
