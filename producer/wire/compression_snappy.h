/**
 * The framing that snappy-java puts around blocks of snappy; private to compression.c and decompression.c.
 */
#ifndef KW_COMPRESSION_SNAPPY_H
#define KW_COMPRESSION_SNAPPY_H

#include <stdint.h>

enum {
    KW_SNAPPY_MAGIC_BYTES = 8,
    /** Magic, version, least compatible version. */
    KW_SNAPPY_HEADER_BYTES = 16,
    KW_SNAPPY_VERSION = 1,
    /** In front of each block, big-endian. */
    KW_SNAPPY_LENGTH_BYTES = 4,
    /** Uncompressed bytes of a block but the last. */
    KW_SNAPPY_BLOCK_BYTES = 32 * 1024
};

extern const uint8_t kw_snappy_magic[KW_SNAPPY_MAGIC_BYTES];

#endif
