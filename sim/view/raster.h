/**
 * Executes a draw list into pixels in memory. Integer arithmetic only: the same list, scale and fonts give
 * the same pixels on every machine, in a window, in a headless picture and in a test.
 *
 * Boxes are rows of solid colour with cached coverage masks for their corners; lines, arcs and polygons go
 * through exact area coverage; text comes as A8 masks from text.h. Blending is in sRGB values.
 */
#ifndef VIEW_RASTER_H
#define VIEW_RASTER_H

#include "view/draw_list.h"
#include "view/text.h"

/** Pixels are 0xFFRRGGBB in native byte order (SDL's XRGB8888). The caller owns them. */
struct view_surface {
    uint32_t *pixels;
    int32_t width, height; /**< device pixels */
    int32_t stride_pixels;
};

struct view_raster;

/** NULL only when memory is out. */
struct view_raster *view_raster_create(void);
void view_raster_destroy(struct view_raster *raster);

/**
 * Draw the whole list; every pixel of the surface is written. text may be NULL: then runs of text are
 * skipped. scale_256: device pixels per logical pixel × 256.
 */
void view_raster_draw(struct view_raster *raster, const struct view_draw_list *list, struct view_text *text,
                      uint32_t scale_256, struct view_surface surface);

/** A surface of its own memory; pixels is NULL when there was none. */
struct view_surface view_surface_create(int32_t width, int32_t height);
void view_surface_destroy(struct view_surface *surface);
/** FNV-1a over the visible pixels, for tests. */
uint64_t view_surface_hash(struct view_surface surface);

#endif
