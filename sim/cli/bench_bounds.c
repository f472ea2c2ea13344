/*
 * The bounds of the producer core: the least that a producer of this wire format must do for each record,
 * with no partitioner, accumulator, pool or protocol around it. Measured beside the core, in the same run.
 */
#define _GNU_SOURCE /* CLOCK_REALTIME_COARSE */
#include "cli/bench.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "wire/varint.h"

enum {
    HEADER_BYTES = 61, /* of a batch; the CRC covers what is behind byte 21 */
    CRC_BEGIN_BYTES = 21,
    RECORD_MAX_BYTES = 21, /* beside the value */
    RING_BATCHES = 8,      /* in flight, so that the next batch is not the last one's cache lines */
};

struct slot {
    int64_t timestamp_ms;
    int32_t value_bytes;
    uint32_t id;
};

typedef void callback(void *context, uint32_t id, int64_t offset);

struct bound {
    uint8_t *ring;
    struct slot *slots;
    uint32_t batch_bytes;
    uint32_t next_batch;
    uint32_t slot_count;
    uint8_t *batch;
    uint8_t *end;
    int64_t offset;
    uint64_t called;
    uint64_t checksum; /* keeps the work from being optimised away */
    callback *tell;
    pthread_mutex_t lock;
};

static void count_call(void *context, uint32_t id, int64_t offset)
{
    struct bound *bound = context;
    bound->called++;
    bound->checksum += (uint64_t)offset ^ id;
}

static void open_batch(struct bound *bound)
{
    bound->batch = bound->ring + (size_t)(bound->next_batch++ % RING_BATCHES) * bound->batch_bytes;
    bound->end = bound->batch + HEADER_BYTES;
    bound->slot_count = 0;
}

static void close_batch(struct bound *bound, enum bench_bound kind)
{
    size_t covered_bytes = (size_t)(bound->end - bound->batch) - CRC_BEGIN_BYTES;
    memset(bound->batch, 0, HEADER_BYTES);
    if (kind >= BENCH_BOUND_CRC) {
        bound->checksum += kb_crc32c(bound->batch + CRC_BEGIN_BYTES, covered_bytes);
    }
    if (kind >= BENCH_BOUND_VERIFY) {
        bound->checksum += kb_crc32c(bound->batch + CRC_BEGIN_BYTES, covered_bytes);
    }
    for (uint32_t i = 0; kind >= BENCH_BOUND_PATH && i < bound->slot_count; i++) {
        bound->tell(bound, bound->slots[i].id, bound->offset + i);
    }
    bound->offset += bound->slot_count;
}

static void put_record(struct bound *bound, const uint8_t *value, int32_t value_bytes, int64_t delta_ms)
{
    uint32_t delta = bound->slot_count;
    uint64_t body_bytes = 1 + kw_base128_size_bytes(kw_zigzag64(delta_ms)) +
                          kw_base128_size_bytes(kw_zigzag32((int32_t)delta)) + 1 +
                          kw_base128_size_bytes(kw_zigzag32(value_bytes)) + (uint64_t)value_bytes + 1;
    uint8_t *out = kw_put_base128(bound->end, kw_zigzag32((int32_t)body_bytes));
    *out++ = 0;
    out = kw_put_base128(out, kw_zigzag64(delta_ms));
    out = kw_put_base128(out, kw_zigzag32((int32_t)delta));
    *out++ = 1; /* no key */
    out = kw_put_base128(out, kw_zigzag32(value_bytes));
    memcpy(out, value, (size_t)value_bytes);
    out += value_bytes;
    *out++ = 0; /* no headers */
    bound->end = out;
}

static int64_t coarse_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME_COARSE, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

double bench_bound_run(enum bench_bound kind, int32_t value_bytes, uint32_t batch_bytes,
                       uint64_t record_count)
{
    struct bound bound = {.batch_bytes = batch_bytes, .tell = count_call, .lock = PTHREAD_MUTEX_INITIALIZER};
    /* Records that do not fit their batch's size any more still have room: a batch is closed behind them. */
    size_t ring_bytes = (size_t)RING_BATCHES * batch_bytes + (size_t)value_bytes + RECORD_MAX_BYTES;
    bound.ring = calloc(1, ring_bytes);
    bound.slots = calloc(batch_bytes / 8 + 1, sizeof *bound.slots);
    uint8_t *value = calloc(1, (size_t)value_bytes);
    KB_ASSERT(bound.ring != NULL && bound.slots != NULL && value != NULL);
    memset(bound.ring, 1, ring_bytes); /* its pages are there before the clock starts */
    uint32_t record_bytes = RECORD_MAX_BYTES + (uint32_t)value_bytes;
    int64_t begin_ms = coarse_ms();
    int64_t now_ms = begin_ms;
    double begin_s = bench_cpu_s();
    open_batch(&bound);
    for (uint64_t i = 0; i < record_count; i++) {
        if (kind >= BENCH_BOUND_PATH) {
            now_ms = coarse_ms();
            pthread_mutex_lock(&bound.lock);
        }
        if (bound.end + record_bytes > bound.batch + batch_bytes) {
            close_batch(&bound, kind);
            open_batch(&bound);
        }
        if (kind >= BENCH_BOUND_PATH) {
            bound.slots[bound.slot_count] = (struct slot){now_ms, value_bytes, (uint32_t)i};
        }
        put_record(&bound, value, value_bytes, now_ms - begin_ms);
        bound.slot_count++;
        if (kind >= BENCH_BOUND_PATH) {
            pthread_mutex_unlock(&bound.lock);
        }
    }
    close_batch(&bound, kind);
    double taken_s = bench_cpu_s() - begin_s;
    KB_ASSERT(kind < BENCH_BOUND_PATH || bound.called == record_count);
    volatile uint64_t kept = bound.checksum + bound.ring[ring_bytes / 2];
    (void)kept;
    free(bound.ring);
    free(bound.slots);
    free(value);
    return (double)record_count / taken_s / 1e6;
}
