/* What the rasteriser's files share. Coordinates here are device pixels: whole, or 1/16 (_16), or 1/256
 * (_256). */
#ifndef VIEW_RASTER_PRIVATE_H
#define VIEW_RASTER_PRIVATE_H

#include "view/raster.h"

/** Coverage of one corner, 0 … 255, and the same mirrored for the right side, so that both are read forwards.
 */
struct view_corner {
    uint32_t key; /**< 0: empty slot */
    int32_t side; /**< pixels */
    uint8_t *left, *right;
};

#define VIEW_CORNER_SLOTS 256

/** An edge of a path, y0 < y1, 1/256 px. */
struct view_edge {
    int32_t x0, y0, x1, y1;
    int32_t direction; /**< +1 down, −1 up */
};

struct view_bounds {
    int32_t x0, y0, x1, y1; /**< [x0, x1) × [y0, y1) */
};

struct view_raster {
    struct view_corner corners[VIEW_CORNER_SLOTS];
    struct view_edge *edges;
    uint32_t edge_count, edge_capacity;
    int32_t *cells; /**< two per pixel of a row: cover and area */
    uint32_t cell_capacity;
    uint8_t *mask; /**< a row of coverage */
    struct view_point *outline;
    uint32_t outline_capacity;

    /* Of the list being drawn. */
    struct view_surface surface;
    uint32_t scale_256;
    struct view_bounds clip;
};

static inline int32_t view_device_16(uint32_t scale_256, int32_t length)
{
    return (int32_t)(((int64_t)length * scale_256 + 128) >> 8);
}

static inline int32_t view_device_px(uint32_t scale_256, int32_t length)
{
    return (int32_t)(((int64_t)length * scale_256 + 2048) >> 12);
}

static inline int32_t view_device_256(uint32_t scale_256, int32_t length)
{
    return (int32_t)(((int64_t)length * scale_256 + 8) >> 4);
}

static inline uint32_t *view_row(const struct view_raster *raster, int32_t y)
{
    return raster->surface.pixels + (ptrdiff_t)y * raster->surface.stride_pixels;
}

/** Alpha 0 … 255 as a weight 0 … 256, so that 255 replaces the pixel wholly. */
static inline uint32_t view_weight(uint32_t alpha)
{
    return alpha + (alpha >> 7);
}

static inline uint32_t view_blend(uint32_t under, uint32_t over, uint32_t weight_256)
{
    uint32_t rest = 256 - weight_256;
    uint32_t red_blue = ((over & 0xFF00FF) * weight_256 + (under & 0xFF00FF) * rest + 0x800080) >> 8;
    uint32_t green = ((over & 0x00FF00) * weight_256 + (under & 0x00FF00) * rest + 0x008000) >> 8;
    return 0xFF000000u | (red_blue & 0xFF00FF) | (green & 0x00FF00);
}

/** One colour over pixels [x0, x1) of a row, within the clip. */
void view_span_fill(struct view_raster *raster, int32_t y, int32_t x0, int32_t x1, uint32_t color);
/** A colour through a row of coverage that begins at x, within the clip. */
void view_span_mask(struct view_raster *raster, int32_t y, int32_t x, const uint8_t *coverage, int32_t count,
                    uint32_t color);

void view_raster_box(struct view_raster *raster, const struct view_command *command);
void view_raster_line(struct view_raster *raster, const struct view_command *command,
                      const struct view_point *points);
void view_raster_polyline(struct view_raster *raster, const struct view_command *command,
                          const struct view_point *points);
void view_raster_polygon(struct view_raster *raster, const struct view_command *command,
                         const struct view_point *points);
void view_raster_arc(struct view_raster *raster, const struct view_command *command);

/* raster_path.c, for raster_stroke.c: build edges of closed outlines (1/256 px), then fill their union. */
void view_path_begin(struct view_raster *raster);
void view_path_add_outline(struct view_raster *raster, const struct view_point *points, uint32_t count);
void view_path_fill(struct view_raster *raster, uint32_t color);

#endif
