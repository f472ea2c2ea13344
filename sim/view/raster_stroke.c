/* Lines, polylines, arcs and polygons: from points to closed outlines in 1/256 device pixels. */
#include "view/raster_private.h"

#include <stdlib.h>
#include <string.h>

/* sin of a quarter turn in 64 steps, × 32768. */
static const int32_t sine_quarter[65] = {
    0,     804,   1608,  2411,  3212,  4011,  4808,  5602,  6393,  7180,  7962,  8740,  9512,
    10279, 11039, 11793, 12540, 13279, 14010, 14733, 15447, 16151, 16846, 17531, 18205, 18868,
    19520, 20160, 20788, 21403, 22006, 22595, 23170, 23732, 24279, 24812, 25330, 25833, 26320,
    26791, 27246, 27684, 28106, 28511, 28899, 29269, 29622, 29957, 30274, 30572, 30853, 31114,
    31357, 31581, 31786, 31972, 32138, 32286, 32413, 32522, 32610, 32679, 32729, 32758, 32768};

static int32_t sine(int32_t angle)
{
    angle &= VIEW_TURN - 1;
    int32_t quadrant = angle >> 14;
    int32_t within = angle & 16383;
    if ((quadrant & 1) != 0) {
        within = 16384 - within;
    }
    int32_t index = within >> 8;
    int32_t rest = within & 255;
    int32_t value = sine_quarter[index];
    if (rest != 0) {
        value += ((sine_quarter[index + 1] - value) * rest + 128) >> 8;
    }
    return quadrant >= 2 ? -value : value;
}

static int64_t square_root(int64_t value)
{
    int64_t root = 0;
    for (int64_t bit = (int64_t)1 << 30; bit > 0; bit >>= 1) {
        if ((root + bit) * (root + bit) <= value) {
            root += bit;
        }
    }
    return root;
}

static int64_t length_of(struct view_point a, struct view_point b)
{
    int64_t dx = b.x - a.x;
    int64_t dy = b.y - a.y;
    return square_root(dx * dx + dy * dy);
}

static bool reserve_outline(struct view_raster *raster, uint32_t count)
{
    if (count <= raster->outline_capacity) {
        return true;
    }
    struct view_point *grown = realloc(raster->outline, (size_t)count * 2 * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    raster->outline = grown;
    raster->outline_capacity = count * 2;
    return true;
}

static struct view_point to_device(const struct view_raster *raster, struct view_point point)
{
    return (struct view_point){view_device_256(raster->scale_256, point.x),
                               view_device_256(raster->scale_256, point.y)};
}

/* Half the width of a stroke in 1/256 px; at least a pixel wide in all, so that no line fades away. */
static int32_t half_width(const struct view_raster *raster, int32_t width)
{
    int32_t device = view_device_256(raster->scale_256, width);
    return (device < 256 ? 256 : device) / 2;
}

/* --- Polygons and arcs
 * ------------------------------------------------------------------------------------------ */

void view_raster_polygon(struct view_raster *raster, const struct view_command *command,
                         const struct view_point *points)
{
    if (!reserve_outline(raster, command->data_count)) {
        return;
    }
    for (uint32_t i = 0; i < command->data_count; i++) {
        raster->outline[i] = to_device(raster, points[i]);
    }
    view_path_begin(raster);
    view_path_add_outline(raster, raster->outline, command->data_count);
    view_path_fill(raster, command->fill);
}

static struct view_point on_circle(struct view_point center, int32_t radius, int32_t angle)
{
    /* 0 is upwards and angles run clockwise on a screen whose y points down. */
    int64_t dx = (int64_t)radius * sine(angle);
    int64_t dy = -(int64_t)radius * sine(angle + VIEW_TURN / 4);
    return (struct view_point){center.x + (int32_t)((dx + (dx < 0 ? -16384 : 16384)) / 32768),
                               center.y + (int32_t)((dy + (dy < 0 ? -16384 : 16384)) / 32768)};
}

void view_raster_arc(struct view_raster *raster, const struct view_command *command)
{
    struct view_point center = to_device(raster, (struct view_point){command->rect.x, command->rect.y});
    /* The full ring under an arc is a box and snaps to pixels: so does the arc's centre, to a half. */
    center.x = (center.x + 64) & ~127;
    center.y = (center.y + 64) & ~127;
    int32_t radius = view_device_256(raster->scale_256, command->radius);
    int32_t half = half_width(raster, command->stroke_width);
    int32_t inner = radius > half ? radius - half : 0;
    int32_t turn_steps = radius < 16 * 256 ? 64 : 192;
    int32_t steps = (int32_t)((int64_t)command->u.arc.sweep * turn_steps / VIEW_TURN) + 1;
    uint32_t count = 2 * ((uint32_t)steps + 1);
    if (!reserve_outline(raster, count)) {
        return;
    }
    for (int32_t i = 0; i <= steps; i++) {
        int32_t angle = command->u.arc.start + (int32_t)((int64_t)command->u.arc.sweep * i / steps);
        raster->outline[i] = on_circle(center, radius + half, angle);
        raster->outline[count - 1 - (uint32_t)i] = on_circle(center, inner, angle);
    }
    view_path_begin(raster);
    view_path_add_outline(raster, raster->outline, count);
    view_path_fill(raster, command->stroke);
}

/* --- Lines
 * ------------------------------------------------------------------------------------------------------ */

/* A vector of the given length at a right angle to a → b. */
static struct view_point normal(struct view_point a, struct view_point b, int32_t length)
{
    int64_t size = length_of(a, b);
    if (size == 0) {
        return (struct view_point){0, 0};
    }
    return (struct view_point){(int32_t)(-(int64_t)(b.y - a.y) * length / size),
                               (int32_t)((int64_t)(b.x - a.x) * length / size)};
}

static void add_segment(struct view_raster *raster, struct view_point a, struct view_point b, int32_t half)
{
    struct view_point n = normal(a, b, half);
    view_path_add_outline(
        raster,
        (struct view_point[]){
            {a.x + n.x, a.y + n.y}, {b.x + n.x, b.y + n.y}, {b.x - n.x, b.y - n.y}, {a.x - n.x, a.y - n.y}},
        4);
}

static struct view_point between(struct view_point a, struct view_point b, int64_t at, int64_t length)
{
    return (struct view_point){a.x + (int32_t)((b.x - a.x) * at / length),
                               a.y + (int32_t)((b.y - a.y) * at / length)};
}

/* Dashes along one segment; *phase is how far into the dash and gap it begins and ends. */
static void add_dashes(struct view_raster *raster, struct view_point a, struct view_point b, int32_t half,
                       int32_t dash, int32_t gap, int64_t *phase)
{
    int64_t length = length_of(a, b);
    int64_t period = (int64_t)dash + gap;
    for (int64_t at = 0; at < length;) {
        int64_t in_period = (at + *phase) % period;
        bool on = in_period < dash;
        int64_t next = at + (on ? dash : period) - in_period;
        next = next < length ? next : length;
        if (on) {
            add_segment(raster, between(a, b, at, length), between(a, b, next, length), half);
        }
        at = next;
    }
    *phase = (*phase + length) % period;
}

/* A level or upright line is a box on whole pixels: crisp, and cheap. */
static void straight_line(struct view_raster *raster, const struct view_command *command, struct view_point a,
                          struct view_point b)
{
    bool level = a.y == b.y;
    int32_t width = (view_device_16(raster->scale_256, command->stroke_width) + 8) >> 4;
    width = width < 1 ? 1 : width;
    int32_t along_0 = level ? (a.x < b.x ? a.x : b.x) : (a.y < b.y ? a.y : b.y);
    int32_t along_1 = level ? (a.x < b.x ? b.x : a.x) : (a.y < b.y ? b.y : a.y);
    int32_t across = ((level ? a.y : a.x) - width * 128 + 128) >> 8;
    int32_t dash = view_device_256(raster->scale_256, command->u.line.dash);
    int32_t gap = view_device_256(raster->scale_256, command->u.line.gap);
    if (dash <= 0 || gap <= 0) {
        dash = along_1 - along_0;
        gap = 256;
    }
    for (int64_t at = along_0; dash > 0 && at < along_1; at += (int64_t)dash + gap) {
        int64_t end = at + dash < along_1 ? at + dash : along_1;
        int32_t first = (int32_t)((at + 128) >> 8);
        int32_t last = (int32_t)((end + 128) >> 8);
        if (level) {
            for (int32_t i = 0; i < width; i++) {
                view_span_fill(raster, across + i, first, last, command->stroke);
            }
            continue;
        }
        first = first > raster->clip.y0 ? first : raster->clip.y0;
        last = last < raster->clip.y1 ? last : raster->clip.y1;
        for (int32_t y = first; y < last; y++) {
            view_span_fill(raster, y, across, across + width, command->stroke);
        }
    }
}

void view_raster_line(struct view_raster *raster, const struct view_command *command,
                      const struct view_point *points)
{
    struct view_point a = to_device(raster, points[0]);
    struct view_point b = to_device(raster, points[1]);
    if (a.x == b.x || a.y == b.y) {
        straight_line(raster, command, a, b);
        return;
    }
    int32_t half = half_width(raster, command->stroke_width);
    int32_t dash = view_device_256(raster->scale_256, command->u.line.dash);
    int32_t gap = view_device_256(raster->scale_256, command->u.line.gap);
    int64_t phase = 0;
    view_path_begin(raster);
    if (dash > 0 && gap > 0) {
        add_dashes(raster, a, b, half, dash, gap, &phase);
    } else {
        add_segment(raster, a, b, half);
    }
    view_path_fill(raster, command->stroke);
}

/*
 * The two sides of a joint: the normals of both segments averaged and stretched so that the stroke keeps its
 * width (a miter). Not for sharp turns: |n0 + n1|² of unit normals is 2 + 2 cos of the turn; below 1 the
 * miter would reach beyond 2 half widths.
 */
static int64_t normals_squared(struct view_point n0, struct view_point n1)
{
    int64_t sum_x = (int64_t)n0.x + n1.x;
    int64_t sum_y = (int64_t)n0.y + n1.y;
    return sum_x * sum_x + sum_y * sum_y;
}

static bool is_sharp(struct view_point before, struct view_point at, struct view_point after)
{
    return normals_squared(normal(before, at, 4096), normal(at, after, 4096)) < (int64_t)4096 * 4096;
}

static struct view_point joint(struct view_point before, struct view_point at, struct view_point after,
                               int32_t half)
{
    struct view_point n0 = normal(before, at, 4096);
    struct view_point n1 = normal(at, after, 4096);
    int64_t sum_x = (int64_t)n0.x + n1.x;
    int64_t sum_y = (int64_t)n0.y + n1.y;
    int64_t squared = normals_squared(n0, n1);
    int64_t least = (int64_t)4096 * 4096; /* of a turn that is not sharp */
    squared = squared > least ? squared : least;
    int64_t factor = (int64_t)2 * 4096 * half;
    return (struct view_point){(int32_t)(sum_x * factor / squared), (int32_t)(sum_y * factor / squared)};
}

/* Without sharp turns. Outline: along one side, back along the other, kept in `sides`. */
static void smooth_polyline(struct view_raster *raster, const struct view_point *device, uint32_t count,
                            int32_t half, struct view_point *sides)
{
    for (uint32_t i = 0; i < count; i++) {
        struct view_point n;
        if (i == 0) {
            n = normal(device[0], device[1], half);
        } else if (i + 1 == count) {
            n = normal(device[i - 1], device[i], half);
        } else {
            n = joint(device[i - 1], device[i], device[i + 1], half);
        }
        sides[i] = (struct view_point){device[i].x + n.x, device[i].y + n.y};
        sides[2 * count - 1 - i] = (struct view_point){device[i].x - n.x, device[i].y - n.y};
    }
    view_path_add_outline(raster, sides, 2 * count);
}

/* At a sharp turn one stroke ends and another begins, each of full width: a spike does not taper. */
static void solid_polyline(struct view_raster *raster, const struct view_point *device, uint32_t count,
                           int32_t half)
{
    uint32_t from = 0;
    for (uint32_t i = 1; i < count; i++) {
        if (i + 1 == count || is_sharp(device[i - 1], device[i], device[i + 1])) {
            smooth_polyline(raster, device + from, i + 1 - from, half, raster->outline + count);
            from = i;
        }
    }
}

void view_raster_polyline(struct view_raster *raster, const struct view_command *command,
                          const struct view_point *points)
{
    if (command->data_count > UINT32_MAX / 8 || !reserve_outline(raster, command->data_count * 3)) {
        return;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < command->data_count; i++) {
        struct view_point device = to_device(raster, points[i]);
        if (count == 0 || device.x != raster->outline[count - 1].x ||
            device.y != raster->outline[count - 1].y) {
            raster->outline[count++] = device;
        }
    }
    if (count < 2) {
        return;
    }
    int32_t half = half_width(raster, command->stroke_width);
    int32_t dash = view_device_256(raster->scale_256, command->u.line.dash);
    int32_t gap = view_device_256(raster->scale_256, command->u.line.gap);
    view_path_begin(raster);
    if (dash > 0 && gap > 0) {
        int64_t phase = 0;
        for (uint32_t i = 0; i + 1 < count; i++) {
            add_dashes(raster, raster->outline[i], raster->outline[i + 1], half, dash, gap, &phase);
        }
    } else {
        solid_polyline(raster, raster->outline, count, half);
    }
    view_path_fill(raster, command->stroke);
}
