#include "view/picture.h"

#include "image/png.h"

#include <stdio.h>

struct view_surface view_picture_draw(const struct view_draw_list *list, struct view_text *text,
                                      uint32_t scale_256)
{
    int32_t width = (int32_t)(((int64_t)list->width * scale_256 + 2048) / 4096);
    int32_t height = (int32_t)(((int64_t)list->height * scale_256 + 2048) / 4096);
    struct view_surface surface = view_surface_create(width, height);
    struct view_raster *raster = view_raster_create();
    if (surface.pixels != NULL && raster != NULL) {
        view_raster_draw(raster, list, text, scale_256, surface);
    } else {
        view_surface_destroy(&surface);
    }
    view_raster_destroy(raster);
    return surface;
}

static bool draw_image(const struct view_draw_list *list, struct view_text *text, uint32_t scale_256,
                       struct view_surface *surface, struct sim_png_image *image, char *message,
                       size_t message_bytes)
{
    *surface = view_picture_draw(list, text, scale_256);
    if (surface->pixels == NULL) {
        if (message != NULL && message_bytes > 0) {
            snprintf(message, message_bytes, "a picture of %d by %d pixels cannot be drawn",
                     (int)surface->width, (int)surface->height);
        }
        return false;
    }
    *image =
        (struct sim_png_image){surface->pixels, surface->width, surface->height, surface->stride_pixels, 0};
    return true;
}

bool view_picture_write_png(const struct view_draw_list *list, struct view_text *text, uint32_t scale_256,
                            const char *path, char *message, size_t message_bytes)
{
    struct view_surface surface;
    struct sim_png_image image;
    if (!draw_image(list, text, scale_256, &surface, &image, message, message_bytes)) {
        return false;
    }
    bool written = sim_png_write_file(path, &image, message, message_bytes);
    view_surface_destroy(&surface);
    return written;
}

bool view_picture_encode_png(const struct view_draw_list *list, struct view_text *text, uint32_t scale_256,
                             uint8_t **bytes, size_t *count, char *message, size_t message_bytes)
{
    struct view_surface surface;
    struct sim_png_image image;
    if (!draw_image(list, text, scale_256, &surface, &image, message, message_bytes)) {
        return false;
    }
    bool encoded = sim_png_encode(&image, bytes, count, message, message_bytes);
    view_surface_destroy(&surface);
    return encoded;
}
