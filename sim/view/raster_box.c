/*
 * Boxes: solid rows, and coverage masks for the corners.
 *
 * A mask holds one corner of a rounded box that is inset by some amount: its arc keeps the centre of the
 * outer arc. The difference of two insets is the corner of an outline. Masks depend on radius and insets only
 * and are kept.
 */
#include "view/raster_private.h"

#include <stdlib.h>

/* How much of a pixel lies in the corner of a box with this radius, inset by this much; 16×16 samples. */
static uint32_t corner_coverage(int32_t x, int32_t y, int32_t radius_16, int32_t inset_16)
{
    int32_t arc_32 = 2 * (radius_16 - inset_16);
    uint32_t inside = 0;
    for (int32_t sample_y = 0; sample_y < 16; sample_y++) {
        int32_t dy_32 = 2 * (radius_16 - (16 * y + sample_y)) - 1;
        for (int32_t sample_x = 0; sample_x < 16; sample_x++) {
            int32_t dx_32 = 2 * (radius_16 - (16 * x + sample_x)) - 1;
            bool in = 16 * x + sample_x >= inset_16 && 16 * y + sample_y >= inset_16;
            if (in && dx_32 > 0 && dy_32 > 0 && arc_32 > 0) {
                in = dx_32 * dx_32 + dy_32 * dy_32 <= arc_32 * arc_32;
            }
            inside += in;
        }
    }
    return inside == 256 ? 255 : inside;
}

/* inner_16 < 0: a filled corner inset by outer_16. Otherwise the ring between two insets. */
static bool make_corner(struct view_corner *corner, int32_t radius_16, int32_t outer_16, int32_t inner_16)
{
    int32_t reach_16 = radius_16 > inner_16 ? radius_16 : inner_16;
    reach_16 = reach_16 > outer_16 ? reach_16 : outer_16;
    int32_t side = (reach_16 + 15) / 16;
    size_t bytes = (size_t)side * (size_t)side;
    uint8_t *masks = malloc(2 * bytes + 1);
    if (masks == NULL) {
        return false;
    }
    corner->side = side;
    corner->left = masks;
    corner->right = masks + bytes;
    for (int32_t y = 0; y < side; y++) {
        for (int32_t x = 0; x < side; x++) {
            uint32_t coverage = corner_coverage(x, y, radius_16, outer_16);
            if (inner_16 >= 0) {
                coverage -= corner_coverage(x, y, radius_16, inner_16);
            }
            corner->left[y * side + x] = (uint8_t)coverage;
            corner->right[y * side + side - 1 - x] = (uint8_t)coverage;
        }
    }
    return true;
}

#define CORNER_PROBES 16

static const struct view_corner *find_corner(struct view_raster *raster, int32_t radius_16, int32_t outer_16,
                                             int32_t inner_16)
{
    uint32_t key = 1u << 31 | (uint32_t)radius_16 << 17 | (uint32_t)outer_16 << 9 | (uint32_t)(inner_16 + 1);
    uint32_t first = (key * 2654435761u) >> 24;
    struct view_corner *corner = &raster->corners[first];
    for (uint32_t probe = 0; probe < CORNER_PROBES; probe++) {
        struct view_corner *candidate = &raster->corners[(first + probe) % VIEW_CORNER_SLOTS];
        if (candidate->key == key) {
            return candidate;
        }
        if (candidate->key == 0) {
            corner = candidate;
            break;
        }
    }
    free(corner->left);
    *corner = (struct view_corner){0};
    if (!make_corner(corner, radius_16, outer_16, inner_16)) {
        return NULL;
    }
    corner->key = key;
    return corner;
}

/* A box snapped to device pixels, with what its rows need. */
struct box {
    int32_t x0, y0, x1, y1;
    int32_t radius_16, stroke_16;
};

/* The corner rows of a box: mask at the left, solid middle, mask at the right. */
static void corner_row(struct view_raster *raster, const struct box *box, const struct view_corner *corner,
                       int32_t y, int32_t mask_y, uint32_t middle, uint32_t color)
{
    int32_t width = box->x1 - box->x0;
    int32_t left = corner->side < (width + 1) / 2 ? corner->side : (width + 1) / 2;
    int32_t right = corner->side < width / 2 ? corner->side : width / 2;
    const uint8_t *left_mask = corner->left + mask_y * corner->side;
    const uint8_t *right_mask = corner->right + mask_y * corner->side + corner->side - right;
    view_span_mask(raster, y, box->x0, left_mask, left, color);
    if ((middle >> 24) != 0) {
        view_span_fill(raster, y, box->x0 + left, box->x1 - right, middle);
    }
    view_span_mask(raster, y, box->x1 - right, right_mask, right, color);
}

/* Which row of the corner masks a row of the box uses, −1 between the corners. */
static int32_t mask_row(const struct box *box, int32_t side, int32_t y)
{
    int32_t height = box->y1 - box->y0;
    int32_t top = side < (height + 1) / 2 ? side : (height + 1) / 2;
    int32_t bottom = side < height / 2 ? side : height / 2;
    if (y - box->y0 < top) {
        return y - box->y0;
    }
    return box->y1 - y <= bottom ? box->y1 - 1 - y : -1;
}

static void fill_box(struct view_raster *raster, const struct box *box, int32_t inset_16, uint32_t color)
{
    int32_t edge = (inset_16 + 15) / 16;
    int32_t first = box->y0 > raster->clip.y0 ? box->y0 : raster->clip.y0;
    int32_t last = box->y1 < raster->clip.y1 ? box->y1 : raster->clip.y1;
    const struct view_corner *corner = NULL;
    if (box->radius_16 > inset_16) {
        corner = find_corner(raster, box->radius_16, inset_16, -1);
    }
    for (int32_t y = first; y < last; y++) {
        int32_t row = corner != NULL ? mask_row(box, corner->side, y) : -1;
        bool inside = y - box->y0 >= edge && box->y1 - 1 - y >= edge;
        if (row >= 0) {
            corner_row(raster, box, corner, y, row, inside ? color : VIEW_NONE, color);
        } else if (inside) {
            view_span_fill(raster, y, box->x0 + edge, box->x1 - edge, color);
        }
    }
}

/* How much of the straight pixel at this distance from the edge an outline covers, as a colour. */
static uint32_t outline_color(int32_t distance, int32_t stroke_16, uint32_t color)
{
    int32_t covered_16 = stroke_16 - 16 * distance;
    if (covered_16 <= 0) {
        return VIEW_NONE;
    }
    return covered_16 >= 16 ? color : view_color_with_alpha(color, (uint32_t)covered_16 * 255 / 16);
}

static void stroke_box(struct view_raster *raster, const struct box *box, uint32_t color)
{
    int32_t width = box->x1 - box->x0;
    int32_t height = box->y1 - box->y0;
    int32_t most_16 = 8 * (width < height ? width : height);
    int32_t stroke_16 = box->stroke_16 < most_16 ? box->stroke_16 : most_16;
    int32_t reach = (stroke_16 + 15) / 16;
    const struct view_corner *corner = find_corner(raster, box->radius_16, 0, stroke_16);
    int32_t first = box->y0 > raster->clip.y0 ? box->y0 : raster->clip.y0;
    int32_t last = box->y1 < raster->clip.y1 ? box->y1 : raster->clip.y1;
    for (int32_t y = first; corner != NULL && y < last; y++) {
        int32_t row = mask_row(box, corner->side, y);
        if (row >= 0) {
            corner_row(raster, box, corner, y, row, outline_color(row, stroke_16, color), color);
            continue;
        }
        for (int32_t i = 0; i < reach; i++) {
            uint32_t side_color = outline_color(i, stroke_16, color);
            view_span_fill(raster, y, box->x0 + i, box->x0 + i + 1, side_color);
            view_span_fill(raster, y, box->x1 - 1 - i, box->x1 - i, side_color);
        }
    }
}

static bool pattern_has(enum view_pattern pattern, int32_t x, int32_t y)
{
    switch (pattern) {
    case VIEW_PATTERN_DIAGONAL:
        return ((x + y) & 3) == 0;
    case VIEW_PATTERN_DOTS:
        return (x % 3) == 1 && (y % 3) == 1;
    case VIEW_PATTERN_HORIZONTAL:
        return (y % 3) == 1;
    case VIEW_PATTERN_CROSS:
        return (x & 3) == 1 || (y & 3) == 1;
    case VIEW_PATTERN_VERTICAL:
        return (x % 3) == 1;
    case VIEW_PATTERN_NONE:
    case VIEW_PATTERN_COUNT:
        break;
    }
    return false;
}

static void pattern_box(struct view_raster *raster, const struct box *box, enum view_pattern pattern,
                        uint32_t color)
{
    /* Inside the arc wherever it is: the square inscribed in the corners is enough for a texture. */
    int32_t margin = 1;
    int32_t shrink = (box->radius_16 * 3 / 10 + 15) / 16;
    for (int32_t y = box->y0 + margin; y < box->y1 - margin; y++) {
        int32_t local_y = (int32_t)((int64_t)(y - box->y0 - margin) * 256 / raster->scale_256);
        int32_t near_edge = y - box->y0 < box->y1 - 1 - y ? y - box->y0 : box->y1 - 1 - y;
        int32_t inset = near_edge < shrink ? shrink : 0;
        for (int32_t x = box->x0 + margin + inset; x < box->x1 - margin - inset; x++) {
            int32_t local_x = (int32_t)((int64_t)(x - box->x0 - margin) * 256 / raster->scale_256);
            if (pattern_has(pattern, local_x, local_y)) {
                view_span_fill(raster, y, x, x + 1, color);
            }
        }
    }
}

/* Strokes near a whole number of device pixels become whole, so that outlines stay crisp at odd scales. */
static int32_t snap_stroke(int32_t stroke_16)
{
    if (stroke_16 <= 0) {
        return 0;
    }
    if (stroke_16 < 16) {
        return 16;
    }
    int32_t rest = stroke_16 & 15;
    return rest < 6 ? stroke_16 - rest : rest > 10 ? stroke_16 - rest + 16 : stroke_16;
}

/* Bounds of what one mask may cost; the key has 14 bits for the radius and 8 for a stroke. */
#define MAX_RADIUS_16 (255 * 16)
#define MAX_STROKE_16 (15 * 16)

static struct box snap_box(const struct view_raster *raster, const struct view_command *command)
{
    uint32_t scale = raster->scale_256;
    struct view_rect rect = command->rect;
    struct box box = {view_device_px(scale, rect.x),
                      view_device_px(scale, rect.y),
                      view_device_px(scale, rect.x + rect.w),
                      view_device_px(scale, rect.y + rect.h),
                      0,
                      0};
    if (rect.w == rect.h && 2 * command->radius >= rect.w) {
        /* A circle stays one: its sides are rounded together. */
        int32_t side = view_device_px(scale, rect.w);
        box.x0 = (view_device_16(scale, 2 * rect.x + rect.w) - 16 * side + 16) >> 5;
        box.y0 = (view_device_16(scale, 2 * rect.y + rect.h) - 16 * side + 16) >> 5;
        box.x1 = box.x0 + side;
        box.y1 = box.y0 + side;
    }
    /* What is there at all can be seen. */
    box.x1 = box.x1 > box.x0 ? box.x1 : box.x0 + 1;
    box.y1 = box.y1 > box.y0 ? box.y1 : box.y0 + 1;
    int32_t width = box.x1 - box.x0;
    int32_t height = box.y1 - box.y0;
    int32_t most_16 = 8 * (width < height ? width : height);
    box.radius_16 = view_device_16(scale, command->radius);
    box.radius_16 = box.radius_16 < most_16 ? box.radius_16 : most_16;
    box.radius_16 = box.radius_16 < MAX_RADIUS_16 ? box.radius_16 : MAX_RADIUS_16;
    box.stroke_16 = snap_stroke(view_device_16(scale, command->stroke_width));
    box.stroke_16 = box.stroke_16 < MAX_STROKE_16 ? box.stroke_16 : MAX_STROKE_16;
    return box;
}

void view_raster_box(struct view_raster *raster, const struct view_command *command)
{
    struct box box = snap_box(raster, command);
    if (box.x0 >= raster->clip.x1 || box.x1 <= raster->clip.x0 || box.y0 >= raster->clip.y1 ||
        box.y1 <= raster->clip.y0) {
        return;
    }
    if (command->pattern != VIEW_PATTERN_NONE) {
        if ((command->fill >> 24) != 0) {
            fill_box(raster, &box, 0, command->fill);
        }
        pattern_box(raster, &box, (enum view_pattern)command->pattern, command->stroke);
        return;
    }
    bool stroked = (command->stroke >> 24) != 0 && box.stroke_16 > 0;
    if ((command->fill >> 24) != 0) {
        /* Half under the outline: neither seam inside nor fringe outside. */
        fill_box(raster, &box, stroked ? box.stroke_16 / 2 : 0, command->fill);
    }
    if (stroked) {
        stroke_box(raster, &box, command->stroke);
    }
}
