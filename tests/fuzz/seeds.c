/*
 * fuzz_seeds GOLDEN_DIR OUT_DIR
 *
 * Makes the seeds of the fuzz targets, one folder of OUT_DIR for each: the frames, batches, compressed
 * records and integers of the golden vectors, and for messages that these lack, random ones.
 */
#include "json_exact.h"
#include "unit/wire/message_random.h"

#include "base/allocator.h"
#include "base/prng.h"
#include "wire/api_frame.h"
#include "wire/record_batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096, MESSAGE_BYTES = 512, FRAME_BYTES = 1 << 16, PREFIX_BYTES = 3 };

/* As fuzz_cursor.c numbers them. */
enum { READ_VARINT = 6, READ_VARLONG = 7, READ_UVARINT = 8 };

static const char *golden_directory;
static const char *out_directory;
static unsigned long written_count;

static void fail(const char *what)
{
    (void)fprintf(stderr, "fuzz_seeds: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void make_directory(const char *name)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", out_directory, name);
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        fail(path);
    }
}

/* A seed of two parts, either of which may be empty. */
static void write_seed(const char *target, const char *name, const void *prefix, size_t prefix_bytes,
                       const void *bytes, size_t length_bytes)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s/%s", out_directory, target, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(prefix, 1, prefix_bytes, file) != prefix_bytes ||
        fwrite(bytes, 1, length_bytes, file) != length_bytes || fclose(file) != 0) {
        fail(path);
    }
    written_count++;
}

typedef void (*each_row)(const cJSON *row, size_t line_number);

static void for_each_row(const char *file, each_row each)
{
    char path[PATH_BYTES];
    struct json_lines lines;
    const char *line = NULL;
    size_t length_bytes = 0;
    (void)snprintf(path, sizeof path, "%s/%s", golden_directory, file);
    if (!json_lines_open(&lines, path)) {
        fail(path);
    }
    while (json_lines_next(&lines, &line, &length_bytes)) {
        cJSON *row = json_parse(line, length_bytes);
        if (row != NULL) {
            each(row, lines.line_number);
        }
        cJSON_Delete(row);
    }
    json_lines_close(&lines);
}

static void seed_message(const cJSON *row, size_t line_number)
{
    char name[128];
    size_t length_bytes = 0;
    bool is_response = strcmp(json_member_text(row, "kind", ""), "response") == 0;
    long long version = json_member_integer(row, "version", 0);
    uint8_t prefix[PREFIX_BYTES] = {is_response ? 1 : 0, (uint8_t)json_member_integer(row, "api_key", 0),
                                    (uint8_t)version};
    uint8_t *frame = json_decode_hex(json_member_text(row, "frame_hex", ""), &length_bytes);
    (void)snprintf(name, sizeof name, "%s-%s-%lld-%zu", json_member_text(row, "api", ""),
                   is_response ? "response" : "request", version, line_number);
    if (frame != NULL) {
        write_seed("message", name, prefix, sizeof prefix, frame, length_bytes);
    }
    free(frame);
}

static void seed_random_message(const struct kw_api *api, int16_t version, bool is_request)
{
    static uint8_t bytes[FRAME_BYTES];
    static _Alignas(max_align_t) char body[MESSAGE_BYTES];
    char name[128];
    struct kb_arena arena;
    struct kb_prng prng;
    struct kw_writer writer;
    kb_arena_init(&arena, kb_allocator_default(), 4096, 0);
    kb_prng_init(&prng, (uint64_t)api->key, (uint64_t)version);
    message_randomize(is_request ? api->request : api->response, version, &prng, &arena, body);
    struct kw_frame frame = {.api = api,
                             .version = version,
                             .is_request = is_request,
                             .correlation_id = 1,
                             .client_id = {"client", 6},
                             .body = body};
    uint8_t prefix[PREFIX_BYTES] = {is_request ? 0 : 1, (uint8_t)api->key, (uint8_t)version};
    (void)snprintf(name, sizeof name, "%s-%s-%d-random", api->name, is_request ? "request" : "response",
                   version);
    kw_writer_init(&writer, bytes, sizeof bytes);
    if (kw_frame_encode(&frame, &writer, NULL, NULL) == KW_MESSAGE_OK) {
        write_seed("message", name, prefix, sizeof prefix, bytes + KW_FRAME_LENGTH_BYTES,
                   writer.position_bytes - KW_FRAME_LENGTH_BYTES);
    }
    kb_arena_release(&arena);
}

static void seed_batch(const cJSON *row, size_t line_number)
{
    char name[128];
    size_t length_bytes = 0;
    uint8_t *batch = json_decode_hex(json_member_text(row, "batch_hex", ""), &length_bytes);
    (void)snprintf(name, sizeof name, "%s-%zu", json_member_text(row, "compression", ""), line_number);
    if (batch != NULL) {
        write_seed("record_batch", name, "", 0, batch, length_bytes);
    }
    if (batch != NULL && length_bytes > KW_RECORD_BATCH_OVERHEAD_BYTES) {
        uint8_t prefix[] = {(uint8_t)kw_record_batch_compression_id(batch)};
        write_seed("compression", name, prefix, sizeof prefix, batch + KW_RECORD_BATCH_RECORDS,
                   length_bytes - KW_RECORD_BATCH_RECORDS);
    }
    free(batch);
}

static void seed_integer(const cJSON *row, const char *member, uint8_t kind, size_t line_number)
{
    char name[128];
    size_t length_bytes = 0;
    uint8_t prefix[] = {1, kind};
    const char *digits = json_member_text(row, member, NULL);
    uint8_t *bytes = digits != NULL ? json_decode_hex(digits, &length_bytes) : NULL;
    (void)snprintf(name, sizeof name, "%s-%zu", member, line_number);
    if (bytes != NULL) {
        write_seed("cursor", name, prefix, sizeof prefix, bytes, length_bytes);
    }
    free(bytes);
}

static void seed_integers(const cJSON *row, size_t line_number)
{
    seed_integer(row, "varint_hex", READ_VARINT, line_number);
    seed_integer(row, "varlong_hex", READ_VARLONG, line_number);
    seed_integer(row, "uvarint_hex", READ_UVARINT, line_number);
}

/* Every read once, over bytes that count up. */
static void seed_all_reads(void)
{
    uint8_t prefix[] = {12, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 9};
    uint8_t bytes[128];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)i;
    }
    write_seed("cursor", "all", prefix, sizeof prefix, bytes, sizeof bytes);
}

/* Steps of fuzz_wire.c: sends, time and a little tampering, for every shape of producer. */
static void seed_walks(void)
{
    enum { SHAPES = 32, STEPS = 96 };
    for (uint8_t shape = 0; shape < SHAPES; shape++) {
        uint8_t steps[STEPS];
        char name[32];
        struct kb_prng prng;
        kb_prng_init(&prng, shape, 0);
        for (size_t i = 0; i < STEPS; i++) {
            steps[i] = (uint8_t)kb_prng_next(&prng);
        }
        (void)snprintf(name, sizeof name, "walk-%u", shape);
        write_seed("wire", name, &shape, 1, steps, sizeof steps);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        (void)fprintf(stderr, "usage: fuzz_seeds GOLDEN_DIR OUT_DIR\n");
        return 2;
    }
    golden_directory = argv[1];
    out_directory = argv[2];
    make_directory("");
    make_directory("message");
    make_directory("record_batch");
    make_directory("compression");
    make_directory("cursor");
    make_directory("wire");
    for_each_row("protocol.jsonl", seed_message);
    for (int16_t key = 0; key < KW_API_COUNT; key++) {
        const struct kw_api *api = kw_api_find(key);
        for (int16_t version = api->min_version; api->request != NULL && version <= api->max_version;
             version++) {
            seed_random_message(api, version, true);
            seed_random_message(api, version, false);
        }
    }
    for_each_row("record_batch.jsonl", seed_batch);
    for_each_row("varint.jsonl", seed_integers);
    seed_all_reads();
    seed_walks();
    printf("%lu seeds\n", written_count);
    return EXIT_SUCCESS;
}
