#include "batches.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

void batch_fix_crc(struct kw_bytes batch)
{
    kw_store_i32((uint8_t *)batch.bytes + KW_RECORD_BATCH_CRC,
                 (int32_t)kw_record_batch_compute_crc(batch.bytes, (size_t)batch.length_bytes));
}

struct kw_bytes batch_with(struct harness *h, const struct harness_batch *batch, int place, uint8_t bits,
                           bool fix)
{
    struct kw_bytes made = harness_batch(h, batch);
    ((uint8_t *)made.bytes)[place] ^= bits;
    if (fix) {
        batch_fix_crc(made);
    }
    return made;
}

struct kw_bytes batches_joined(struct harness *h, struct kw_bytes first, struct kw_bytes second)
{
    int32_t length_bytes = first.length_bytes + second.length_bytes;
    uint8_t *bytes = kb_arena_allocate(&h->arena, (size_t)length_bytes);
    memcpy(bytes, first.bytes, (size_t)first.length_bytes);
    memcpy(bytes + first.length_bytes, second.bytes, (size_t)second.length_bytes);
    return (struct kw_bytes){bytes, length_bytes};
}

int16_t batch_error(struct harness *h, uint32_t connection, struct kw_bytes records)
{
    return harness_produce(h, connection, 0, 1, 1000, records).error_code;
}

struct kw_bytes batch_in_log(struct harness *h, int32_t broker, int64_t offset)
{
    const void *bytes = NULL;
    size_t length_bytes = 0;
    CU_ASSERT_TRUE_FATAL(mb_log_read(h->cluster, broker, "t", 0, offset, &bytes, &length_bytes));
    CU_ASSERT_EQUAL(kw_record_batch_validate(bytes, length_bytes), KW_ERROR_NONE);
    return (struct kw_bytes){bytes, (int32_t)length_bytes};
}

bool text_is(struct kw_string text, const char *wanted)
{
    size_t length_bytes = strlen(wanted);
    bool is_same = text.length_bytes == (int32_t)length_bytes && memcmp(text.data, wanted, length_bytes) == 0;
    if (!is_same) {
        printf("\n\"%.*s\" instead of \"%s\"", (int)(text.length_bytes < 0 ? 0 : text.length_bytes),
               text.length_bytes < 0 ? "" : text.data, wanted);
    }
    return is_same;
}
