/**
 * Batches that are wrong in one place, and what a log or an answer holds.
 */
#ifndef BATCHES_H
#define BATCHES_H

#include "harness.h"

#include "wire/record_batch_reader.h"

/** The CRC fits again after the batch was changed. */
void batch_fix_crc(struct kw_bytes batch);
/** A batch with some bits of one byte the other way round; the CRC fits when fix is true. */
struct kw_bytes batch_with(struct harness *h, const struct harness_batch *batch, int place, uint8_t bits,
                           bool fix);
/** Copies of two batches, one behind the other. */
struct kw_bytes batches_joined(struct harness *h, struct kw_bytes first, struct kw_bytes second);

/** Produce with acks=1 to partition 0 in version 9; the error. */
int16_t batch_error(struct harness *h, uint32_t connection, struct kw_bytes records);

/** The batch of "t" partition 0 on a broker that holds the offset. Asserts that there is one with a right
 * CRC. */
struct kw_bytes batch_in_log(struct harness *h, int32_t broker, int64_t offset);

/** Does the text of an answer say so? */
bool text_is(struct kw_string text, const char *wanted);

#endif
