#include "view/raster.h"

#include "base/assert.h"
#include "view/raster_private.h"

#include <stdlib.h>
#include <string.h>

struct view_raster *view_raster_create(void)
{
    return calloc(1, sizeof(struct view_raster));
}

void view_raster_destroy(struct view_raster *raster)
{
    if (raster == NULL) {
        return;
    }
    for (uint32_t i = 0; i < VIEW_CORNER_SLOTS; i++) {
        free(raster->corners[i].left);
    }
    free(raster->edges);
    free(raster->cells);
    free(raster->mask);
    free(raster->outline);
    free(raster);
}

struct view_surface view_surface_create(int32_t width, int32_t height)
{
    struct view_surface surface = {NULL, width, height, width};
    if (width > 0 && height > 0 && width <= 16384 && height <= 16384) {
        surface.pixels = calloc((size_t)width * (size_t)height, sizeof *surface.pixels);
    }
    return surface;
}

void view_surface_destroy(struct view_surface *surface)
{
    free(surface->pixels);
    surface->pixels = NULL;
}

uint64_t view_surface_hash(struct view_surface surface)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (int32_t y = 0; y < surface.height; y++) {
        const uint32_t *row = surface.pixels + (ptrdiff_t)y * surface.stride_pixels;
        for (int32_t x = 0; x < surface.width; x++) {
            hash = (hash ^ (row[x] & 0xFFFFFF)) * UINT64_C(0x100000001B3);
        }
    }
    return hash;
}

/* --- Spans
 * ------------------------------------------------------------------------------------------------------ */

void view_span_fill(struct view_raster *raster, int32_t y, int32_t x0, int32_t x1, uint32_t color)
{
    x0 = x0 > raster->clip.x0 ? x0 : raster->clip.x0;
    x1 = x1 < raster->clip.x1 ? x1 : raster->clip.x1;
    if (x0 >= x1 || y < raster->clip.y0 || y >= raster->clip.y1) {
        return;
    }
    uint32_t *pixels = view_row(raster, y) + x0;
    int32_t count = x1 - x0;
    uint32_t alpha = color >> 24;
    if (alpha == 255) {
        for (int32_t i = 0; i < count; i++) {
            pixels[i] = color;
        }
        return;
    }
    uint32_t weight = view_weight(alpha);
    for (int32_t i = 0; i < count; i++) {
        pixels[i] = view_blend(pixels[i], color, weight);
    }
}

void view_span_mask(struct view_raster *raster, int32_t y, int32_t x, const uint8_t *coverage, int32_t count,
                    uint32_t color)
{
    if (y < raster->clip.y0 || y >= raster->clip.y1) {
        return;
    }
    if (x < raster->clip.x0) {
        coverage += raster->clip.x0 - x;
        count -= raster->clip.x0 - x;
        x = raster->clip.x0;
    }
    if (count > raster->clip.x1 - x) {
        count = raster->clip.x1 - x;
    }
    uint32_t *pixels = view_row(raster, y) + x;
    uint32_t weight = view_weight(color >> 24);
    for (int32_t i = 0; i < count; i++) {
        uint32_t cover = coverage[i];
        pixels[i] = view_blend(pixels[i], color, (view_weight(cover) * weight) >> 8);
    }
}

/* --- Commands that are short enough to live here
 * ---------------------------------------------------------------- */

static void draw_gradient(struct view_raster *raster, const struct view_command *command)
{
    int32_t x0 = view_device_px(raster->scale_256, command->rect.x);
    int32_t x1 = view_device_px(raster->scale_256, command->rect.x + command->rect.w);
    int32_t y0 = view_device_px(raster->scale_256, command->rect.y);
    int32_t y1 = view_device_px(raster->scale_256, command->rect.y + command->rect.h);
    int32_t first = y0 > raster->clip.y0 ? y0 : raster->clip.y0;
    int32_t last = y1 < raster->clip.y1 ? y1 : raster->clip.y1;
    for (int32_t y = first; y < last; y++) {
        uint32_t amount = (uint32_t)(((int64_t)(y - y0) * 512 + 256) / ((int64_t)(y1 - y0) * 2));
        view_span_fill(raster, y, x0, x1, view_color_mix(command->fill, command->stroke, amount));
    }
}

/*
 * Blending sRGB values makes light text on dark look thinner than the same outline dark on light. A lift of
 * the middle coverages, by how light the colour is, evens it out.
 */
static void lift_table(uint32_t color, uint8_t table[256])
{
    uint32_t luma = (77 * ((color >> 16) & 0xFF) + 150 * ((color >> 8) & 0xFF) + 29 * (color & 0xFF)) >> 8;
    uint32_t strength = luma > 96 ? (luma - 96) * 90 / 159 : 0;
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = (uint8_t)(i + i * (255 - i) * strength / (255 * 256));
    }
}

static void draw_glyph(struct view_raster *raster, const struct view_glyph *glyph, int32_t x, int32_t y,
                       uint32_t color, const uint8_t *lift)
{
    int32_t first_x = x > raster->clip.x0 ? x : raster->clip.x0;
    int32_t last_x = x + glyph->width < raster->clip.x1 ? x + glyph->width : raster->clip.x1;
    int32_t first_y = y > raster->clip.y0 ? y : raster->clip.y0;
    int32_t last_y = y + glyph->height < raster->clip.y1 ? y + glyph->height : raster->clip.y1;
    uint32_t weight = view_weight(color >> 24);
    for (int32_t row = first_y; row < last_y; row++) {
        const uint8_t *coverage = glyph->coverage + (ptrdiff_t)(row - y) * glyph->stride_bytes - x;
        uint32_t *pixels = view_row(raster, row);
        for (int32_t column = first_x; column < last_x; column++) {
            uint32_t cover = coverage[column];
            if (cover != 0) {
                pixels[column] = view_blend(pixels[column], color, (view_weight(lift[cover]) * weight) >> 8);
            }
        }
    }
}

static void draw_text(struct view_raster *raster, const struct view_command *command, const char *bytes,
                      struct view_text *text)
{
    uint8_t lift[256];
    lift_table(command->fill, lift);
    int32_t origin_x = view_device_px(raster->scale_256, command->rect.x);
    int32_t baseline = view_device_px(raster->scale_256, command->rect.y);
    struct view_text_cursor cursor = {
        .utf8 = bytes, .length_bytes = command->data_count, .font = command->u.font};
    int32_t pen_x = 0;
    struct view_glyph glyph;
    while (view_text_next_glyph(text, &cursor, &pen_x, &glyph)) {
        int32_t x = origin_x + ((pen_x + 32) >> 6) + glyph.left;
        if (x >= raster->clip.x1) {
            return;
        }
        draw_glyph(raster, &glyph, x, baseline - glyph.top, command->fill, lift);
    }
}

/* --- The list
 * --------------------------------------------------------------------------------------------------- */

static struct view_bounds device_clip(const struct view_raster *raster, struct view_rect clip)
{
    struct view_bounds bounds = {view_device_px(raster->scale_256, clip.x),
                                 view_device_px(raster->scale_256, clip.y),
                                 view_device_px(raster->scale_256, clip.x + clip.w),
                                 view_device_px(raster->scale_256, clip.y + clip.h)};
    bounds.x0 = bounds.x0 > 0 ? bounds.x0 : 0;
    bounds.y0 = bounds.y0 > 0 ? bounds.y0 : 0;
    bounds.x1 = bounds.x1 < raster->surface.width ? bounds.x1 : raster->surface.width;
    bounds.y1 = bounds.y1 < raster->surface.height ? bounds.y1 : raster->surface.height;
    return bounds;
}

static void draw_command(struct view_raster *raster, const struct view_draw_list *list,
                         const struct view_command *command, struct view_text *text)
{
    switch ((enum view_command_kind)command->kind) {
    case VIEW_COMMAND_BOX:
        view_raster_box(raster, command);
        break;
    case VIEW_COMMAND_GRADIENT:
        draw_gradient(raster, command);
        break;
    case VIEW_COMMAND_LINE:
        view_raster_line(raster, command, &list->points[command->data_index]);
        break;
    case VIEW_COMMAND_POLYLINE:
        view_raster_polyline(raster, command, &list->points[command->data_index]);
        break;
    case VIEW_COMMAND_POLYGON:
        view_raster_polygon(raster, command, &list->points[command->data_index]);
        break;
    case VIEW_COMMAND_ARC:
        view_raster_arc(raster, command);
        break;
    case VIEW_COMMAND_TEXT:
        if (text != NULL) {
            draw_text(raster, command, &list->bytes[command->data_index], text);
        }
        break;
    case VIEW_COMMAND_COUNT:
        KB_UNREACHABLE();
    }
}

void view_raster_draw(struct view_raster *raster, const struct view_draw_list *list, struct view_text *text,
                      uint32_t scale_256, struct view_surface surface)
{
    KB_ASSERT(scale_256 > 0);
    raster->surface = surface;
    raster->scale_256 = scale_256;
    raster->clip = (struct view_bounds){0, 0, surface.width, surface.height};
    if (text != NULL) {
        view_text_set_scale(text, scale_256);
    }
    for (int32_t y = 0; y < surface.height; y++) {
        view_span_fill(raster, y, 0, surface.width, 0xFF000000u | list->background);
    }
    for (uint32_t layer = 0; layer < VIEW_LAYER_COUNT; layer++) {
        uint32_t clip_index = UINT32_MAX;
        for (uint32_t i = 0; i < list->command_count; i++) {
            const struct view_command *command = &list->commands[i];
            if (command->layer != layer) {
                continue;
            }
            if (command->clip_index != clip_index) {
                clip_index = command->clip_index;
                raster->clip = device_clip(raster, list->clips[clip_index]);
            }
            draw_command(raster, list, command, text);
        }
    }
}
