#include "image/png.h"

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the bytes go: a growing block of memory. A file is written from it at once, so that none is left half
 * done. */
struct sink {
    uint8_t *bytes;
    size_t count, capacity;
    char *message;
    size_t message_bytes;
};

static void say(const struct sink *sink, const char *text)
{
    if (sink->message != NULL && sink->message_bytes > 0) {
        snprintf(sink->message, sink->message_bytes, "%s", text);
    }
}

static void on_error(png_structp png, png_const_charp text)
{
    say(png_get_error_ptr(png), text);
    longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void on_bytes(png_structp png, png_bytep bytes, png_size_t count)
{
    struct sink *sink = png_get_io_ptr(png);
    if (sink->count + count > sink->capacity) {
        size_t wanted = sink->capacity < 65536 ? 65536 : sink->capacity * 2;
        while (wanted < sink->count + count) {
            wanted *= 2;
        }
        uint8_t *grown = realloc(sink->bytes, wanted);
        if (grown == NULL) {
            png_error(png, "out of memory");
        }
        sink->bytes = grown;
        sink->capacity = wanted;
    }
    memcpy(sink->bytes + sink->count, bytes, count);
    sink->count += count;
}

static void on_flush(png_structp png)
{
    (void)png;
}

static void write_rows(png_structp png, const struct sim_png_image *image, uint8_t *row)
{
    for (int32_t y = 0; y < image->height; y++) {
        const uint32_t *pixels = image->pixels + (ptrdiff_t)y * image->stride_pixels;
        for (int32_t x = 0; x < image->width; x++) {
            row[3 * x] = (uint8_t)(pixels[x] >> 16);
            row[3 * x + 1] = (uint8_t)(pixels[x] >> 8);
            row[3 * x + 2] = (uint8_t)pixels[x];
        }
        png_write_row(png, row);
    }
}

/* The part a libpng error leaves by longjmp: no local variable is read after it. */
static bool encode(png_structp png, png_infop info, const struct sim_png_image *image, struct sink *sink,
                   uint8_t *row)
{
    if (setjmp(png_jmpbuf(png)) != 0) {
        return false;
    }
    png_set_write_fn(png, sink, on_bytes, on_flush);
    png_set_compression_level(png, image->compression_level > 0 ? image->compression_level : 6);
    png_set_filter(png, 0, PNG_FILTER_NONE | PNG_FILTER_SUB | PNG_FILTER_UP);
    png_set_IHDR(png, info, (png_uint_32)image->width, (png_uint_32)image->height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_sRGB(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
    png_write_info(png, info);
    write_rows(png, image, row);
    png_write_end(png, info);
    return true;
}

bool sim_png_encode(const struct sim_png_image *image, uint8_t **bytes, size_t *count, char *message,
                    size_t message_bytes)
{
    struct sink sink = {.message = message, .message_bytes = message_bytes};
    *bytes = NULL;
    *count = 0;
    if (image->pixels == NULL || image->width <= 0 || image->height <= 0) {
        say(&sink, "a picture needs a width and a height of at least 1");
        return false;
    }
    uint8_t *row = malloc((size_t)image->width * 3);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &sink, on_error, on_warning);
    png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
    bool encoded = false;
    if (row != NULL && info != NULL) {
        encoded = encode(png, info, image, &sink, row);
    } else {
        say(&sink, "out of memory");
    }
    png_destroy_write_struct(&png, &info);
    free(row);
    if (!encoded) {
        free(sink.bytes);
        return false;
    }
    *bytes = sink.bytes;
    *count = sink.count;
    return true;
}

bool sim_png_write_file(const char *path, const struct sim_png_image *image, char *message,
                        size_t message_bytes)
{
    uint8_t *bytes = NULL;
    size_t count = 0;
    if (!sim_png_encode(image, &bytes, &count, message, message_bytes)) {
        return false;
    }
    struct sink sink = {.message = message, .message_bytes = message_bytes};
    FILE *file = fopen(path, "wb");
    bool written = file != NULL && fwrite(bytes, 1, count, file) == count;
    if (file != NULL && fclose(file) != 0) {
        written = false;
    }
    if (!written) {
        say(&sink, strerror(errno));
    }
    free(bytes);
    return written;
}
