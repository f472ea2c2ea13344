/**
 * The hash that gives a key its partition.
 *
 * Kafka: org.apache.kafka.common.utils.Utils.murmur2 (MurmurHash2, 32 bits, seed 0x9747b28c) and
 * Utils.toPositive.
 */
#ifndef KB_MURMUR2_H
#define KB_MURMUR2_H

#include <stddef.h>
#include <stdint.h>

/** Signed, as Java's int is. bytes may be NULL when length_bytes is 0. */
int32_t kb_murmur2(const void *bytes, size_t length_bytes);

/** Drops the sign bit, which is not the absolute value. Kafka: Utils.toPositive. */
int32_t kb_to_positive(int32_t number);

#endif
