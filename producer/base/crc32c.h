/**
 * CRC-32C (Castagnoli), which guards every record batch.
 *
 * Three interleaved streams of the CPU's own instruction where x86-64 has it (chosen at run time), tables
 * elsewhere; both give the same. Compute it once over a whole batch: per record it would cost more than the
 * encoding.
 *
 * Kafka: org.apache.kafka.common.utils.Crc32C.
 */
#ifndef KB_CRC32C_H
#define KB_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The checksum of bytes. */
uint32_t kb_crc32c(const void *bytes, size_t length_bytes);

/** Go on from a checksum: kb_crc32c_update(kb_crc32c(a), b) is the checksum of a followed by b. Begin with 0.
 */
uint32_t kb_crc32c_update(uint32_t crc, const void *bytes, size_t length_bytes);

/** Does kb_crc32c_update() use the CPU's instruction here? */
bool kb_crc32c_is_hardware(void);

/** The implementation with tables, everywhere: what the other is tested against. */
uint32_t kb_crc32c_update_portable(uint32_t crc, const void *bytes, size_t length_bytes);

#endif
