/**
 * Pixels as a PNG, through libpng. Knows nothing of drawing.
 *
 * Files are reproducible: no time stamp, fixed filters; the compression level alone decides size and speed.
 */
#ifndef SIM_EXPORT_PNG_H
#define SIM_EXPORT_PNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Pixels 0x??RRGGBB in native byte order, opaque; borrows them. */
struct sim_png_image {
    const uint32_t *pixels;
    int32_t width, height;
    int32_t stride_pixels;
    int32_t compression_level; /**< 1 … 9; 0: 6. Level 1 takes a quarter of the time. */
};

/** False when the file cannot be written, with the reason in message (zero-terminated, may be NULL). */
__attribute__((warn_unused_result)) bool sim_png_write_file(const char *path,
                                                            const struct sim_png_image *image, char *message,
                                                            size_t message_bytes);

/** On success gives *bytes; the caller frees it with free(). */
__attribute__((warn_unused_result)) bool sim_png_encode(const struct sim_png_image *image, uint8_t **bytes,
                                                        size_t *count, char *message, size_t message_bytes);

#endif
