#include "view/draw_list.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

/* Growing doubles, so a frame that is like the last one allocates nothing. */
static bool reserve(void **items, uint32_t *capacity, size_t count, size_t item_bytes)
{
    if (count <= *capacity) {
        return true;
    }
    if (count > UINT32_MAX / 2) {
        return false;
    }
    size_t wanted = *capacity < 64 ? 64 : (size_t)*capacity * 2;
    while (wanted < count) {
        wanted *= 2;
    }
    void *grown = realloc(*items, wanted * item_bytes);
    if (grown == NULL) {
        return false;
    }
    *items = grown;
    *capacity = (uint32_t)wanted;
    return true;
}

void view_draw_list_init(struct view_draw_list *list)
{
    memset(list, 0, sizeof *list);
}

void view_draw_list_release(struct view_draw_list *list)
{
    free(list->commands);
    free(list->points);
    free(list->bytes);
    free(list->clips);
    free(list->hits);
    view_draw_list_init(list);
}

void view_draw_list_clear(struct view_draw_list *list, int32_t width, int32_t height, uint32_t background)
{
    list->width = width;
    list->height = height;
    list->background = background;
    list->command_count = list->point_count = list->byte_count = list->hit_count = list->clip_count = 0;
    list->overflowed = false;
    list->layer = VIEW_LAYER_STAGE;
    list->clip_depth = 0;
    list->clip_stack[0] = 0;
    list->opacity_depth = 0;
    list->opacity_stack[0] = 256;
    void *clips = list->clips;
    if (!reserve(&clips, &list->clip_capacity, 1, sizeof *list->clips)) {
        list->overflowed = true;
        return;
    }
    list->clips = clips;
    list->clips[0] = (struct view_rect){0, 0, width, height};
    list->clip_count = 1;
}

/* --- States
 * ----------------------------------------------------------------------------------------------------- */

enum view_layer view_draw_layer(struct view_draw_list *list, enum view_layer layer)
{
    enum view_layer before = (enum view_layer)list->layer;
    list->layer = (uint8_t)layer;
    return before;
}

static struct view_rect current_clip(const struct view_draw_list *list)
{
    if (list->clip_count == 0) {
        return (struct view_rect){0, 0, 0, 0};
    }
    return list->clips[list->clip_stack[list->clip_depth]];
}

static void push_clip(struct view_draw_list *list, struct view_rect rect)
{
    KB_ASSERT(list->clip_depth + 1 < VIEW_CLIP_DEPTH);
    uint32_t index = list->clip_stack[list->clip_depth];
    void *clips = list->clips;
    if (reserve(&clips, &list->clip_capacity, (size_t)list->clip_count + 1, sizeof *list->clips)) {
        list->clips = clips;
        index = list->clip_count++;
        list->clips[index] = rect;
    } else {
        list->overflowed = true;
    }
    list->clip_stack[++list->clip_depth] = index;
}

void view_draw_clip_push(struct view_draw_list *list, struct view_rect rect)
{
    push_clip(list, view_rect_intersect(current_clip(list), rect));
}

void view_draw_clip_push_canvas(struct view_draw_list *list)
{
    push_clip(list, (struct view_rect){0, 0, list->width, list->height});
}

void view_draw_clip_pop(struct view_draw_list *list)
{
    KB_ASSERT(list->clip_depth > 0);
    list->clip_depth--;
}

bool view_draw_is_visible(const struct view_draw_list *list, struct view_rect rect)
{
    return !view_rect_is_empty(view_rect_intersect(current_clip(list), rect));
}

void view_draw_opacity_push(struct view_draw_list *list, uint32_t opacity_256)
{
    KB_ASSERT(list->opacity_depth + 1 < VIEW_OPACITY_DEPTH);
    uint32_t bounded = opacity_256 > 256 ? 256 : opacity_256;
    uint32_t product = (list->opacity_stack[list->opacity_depth] * bounded + 128) >> 8;
    list->opacity_stack[++list->opacity_depth] = product;
}

void view_draw_opacity_pop(struct view_draw_list *list)
{
    KB_ASSERT(list->opacity_depth > 0);
    list->opacity_depth--;
}

/* --- Appending
 * -------------------------------------------------------------------------------------------------- */

static uint32_t apply_opacity(const struct view_draw_list *list, uint32_t color)
{
    uint32_t opacity = list->opacity_stack[list->opacity_depth];
    if (opacity == 256) {
        return color;
    }
    return (color & 0x00FFFFFFu) | ((((color >> 24) * opacity + 128) >> 8) << 24);
}

static struct view_command *append(struct view_draw_list *list, enum view_command_kind kind, uint32_t fill,
                                   uint32_t stroke)
{
    fill = apply_opacity(list, fill);
    stroke = apply_opacity(list, stroke);
    if ((fill >> 24) == 0 && (stroke >> 24) == 0) {
        return NULL;
    }
    void *commands = list->commands;
    if (!reserve(&commands, &list->command_capacity, (size_t)list->command_count + 1,
                 sizeof *list->commands)) {
        list->overflowed = true;
        return NULL;
    }
    list->commands = commands;
    struct view_command *command = &list->commands[list->command_count++];
    memset(command, 0, sizeof *command);
    command->kind = (uint8_t)kind;
    command->layer = list->layer;
    command->clip_index = list->clip_stack[list->clip_depth];
    command->fill = fill;
    command->stroke = stroke;
    return command;
}

/* Points of a command that was just appended; takes the command back when there is no memory for them. */
static void attach_points(struct view_draw_list *list, struct view_command *command,
                          const struct view_point *points, uint32_t count)
{
    void *all = list->points;
    if (!reserve(&all, &list->point_capacity, (size_t)list->point_count + count, sizeof *list->points)) {
        list->overflowed = true;
        list->command_count--;
        return;
    }
    list->points = all;
    memcpy(&list->points[list->point_count], points, count * sizeof *points);
    command->data_index = list->point_count;
    command->data_count = count;
    list->point_count += count;
}

static bool attach_bytes(struct view_draw_list *list, const char *bytes, size_t count, uint32_t *index)
{
    void *all = list->bytes;
    if (!reserve(&all, &list->byte_capacity, (size_t)list->byte_count + count, 1)) {
        list->overflowed = true;
        return false;
    }
    list->bytes = all;
    memcpy(&list->bytes[list->byte_count], bytes, count);
    *index = list->byte_count;
    list->byte_count += (uint32_t)count;
    return true;
}

void view_draw_rect(struct view_draw_list *list, struct view_rect rect, uint32_t fill)
{
    view_draw_box(list, rect, 0, fill, VIEW_NONE, 0);
}

void view_draw_box(struct view_draw_list *list, struct view_rect rect, int32_t radius, uint32_t fill,
                   uint32_t stroke, int32_t stroke_width)
{
    if (!view_draw_is_visible(list, rect)) {
        return;
    }
    struct view_command *command =
        append(list, VIEW_COMMAND_BOX, fill, stroke_width > 0 ? stroke : VIEW_NONE);
    if (command != NULL) {
        command->rect = rect;
        command->radius = radius;
        command->stroke_width = stroke_width;
    }
}

void view_draw_pattern_box(struct view_draw_list *list, struct view_rect rect, int32_t radius, uint32_t fill,
                           enum view_pattern pattern, uint32_t ink)
{
    if (!view_draw_is_visible(list, rect)) {
        return;
    }
    struct view_command *command =
        append(list, VIEW_COMMAND_BOX, fill, pattern != VIEW_PATTERN_NONE ? ink : VIEW_NONE);
    if (command != NULL) {
        command->rect = rect;
        command->radius = radius;
        command->pattern = (uint8_t)pattern;
    }
}

void view_draw_gradient(struct view_draw_list *list, struct view_rect rect, uint32_t top, uint32_t bottom)
{
    if (!view_draw_is_visible(list, rect)) {
        return;
    }
    struct view_command *command = append(list, VIEW_COMMAND_GRADIENT, top, bottom);
    if (command != NULL) {
        command->rect = rect;
    }
}

void view_draw_line(struct view_draw_list *list, struct view_point from, struct view_point to, uint32_t color,
                    int32_t width)
{
    view_draw_dashed_line(list, from, to, color, width, 0, 0);
}

void view_draw_dashed_line(struct view_draw_list *list, struct view_point from, struct view_point to,
                           uint32_t color, int32_t width, int32_t dash, int32_t gap)
{
    struct view_command *command = append(list, VIEW_COMMAND_LINE, VIEW_NONE, color);
    if (command != NULL) {
        command->stroke_width = width;
        command->u.line.dash = dash;
        command->u.line.gap = gap;
        attach_points(list, command, (struct view_point[]){from, to}, 2);
    }
}

void view_draw_polyline(struct view_draw_list *list, const struct view_point *points, uint32_t count,
                        uint32_t color, int32_t width)
{
    view_draw_dashed_polyline(list, points, count, color, width, 0, 0);
}

void view_draw_dashed_polyline(struct view_draw_list *list, const struct view_point *points, uint32_t count,
                               uint32_t color, int32_t width, int32_t dash, int32_t gap)
{
    if (count < 2) {
        return;
    }
    struct view_command *command = append(list, VIEW_COMMAND_POLYLINE, VIEW_NONE, color);
    if (command != NULL) {
        command->stroke_width = width;
        command->u.line.dash = dash;
        command->u.line.gap = gap;
        attach_points(list, command, points, count);
    }
}

void view_draw_polygon(struct view_draw_list *list, const struct view_point *points, uint32_t count,
                       uint32_t fill)
{
    if (count < 3) {
        return;
    }
    struct view_command *command = append(list, VIEW_COMMAND_POLYGON, fill, VIEW_NONE);
    if (command != NULL) {
        attach_points(list, command, points, count);
    }
}

void view_draw_triangle(struct view_draw_list *list, struct view_point a, struct view_point b,
                        struct view_point c, uint32_t fill)
{
    view_draw_polygon(list, (struct view_point[]){a, b, c}, 3, fill);
}

void view_draw_circle(struct view_draw_list *list, struct view_point center, int32_t radius, uint32_t fill,
                      uint32_t stroke, int32_t stroke_width)
{
    struct view_rect rect = {center.x - radius, center.y - radius, 2 * radius, 2 * radius};
    view_draw_box(list, rect, radius, fill, stroke, stroke_width);
}

void view_draw_arc(struct view_draw_list *list, struct view_point center, int32_t radius, int32_t start,
                   int32_t sweep, uint32_t color, int32_t width)
{
    struct view_rect bounds = {center.x - radius - width, center.y - radius - width, 2 * (radius + width),
                               2 * (radius + width)};
    if (sweep <= 0 || !view_draw_is_visible(list, bounds)) {
        return;
    }
    struct view_command *command = append(list, VIEW_COMMAND_ARC, VIEW_NONE, color);
    if (command != NULL) {
        command->rect = (struct view_rect){center.x, center.y, 0, 0};
        command->radius = radius;
        command->stroke_width = width;
        command->u.arc.start = start & (VIEW_TURN - 1);
        command->u.arc.sweep = sweep > VIEW_TURN ? VIEW_TURN : sweep;
    }
}

#define CURVE_STEPS 24

void view_draw_curve(struct view_draw_list *list, struct view_point from, struct view_point to,
                     uint32_t color, int32_t width, int32_t dash, int32_t gap)
{
    /* A cubic whose handles are horizontal and half the distance long: its blend is the smoothstep 3t² − 2t³
     * in y. */
    struct view_point points[CURVE_STEPS + 1];
    const int64_t n = CURVE_STEPS;
    const int64_t dx = to.x - from.x;
    const int64_t dy = to.y - from.y;
    for (int64_t t = 0; t <= n; t++) {
        int64_t u = n - t;
        int64_t blend_x = 3 * u * u * t * dx / 2 + 3 * u * t * t * dx / 2 + t * t * t * dx;
        int64_t blend_y = (3 * u * t * t + t * t * t) * dy;
        points[t].x = from.x + (int32_t)(blend_x / (n * n * n));
        points[t].y = from.y + (int32_t)(blend_y / (n * n * n));
    }
    view_draw_dashed_polyline(list, points, CURVE_STEPS + 1, color, width, dash, gap);
}

void view_draw_bow(struct view_draw_list *list, struct view_point from, struct view_point to, int32_t bulge,
                   uint32_t color, int32_t width, int32_t dash, int32_t gap)
{
    /* A quadratic whose handle stands off the middle at a right angle; at t it is 4 t (1 − t) of the bulge
     * away. */
    struct view_point points[CURVE_STEPS + 1];
    const int64_t n = CURVE_STEPS;
    const int64_t dx = to.x - from.x;
    const int64_t dy = to.y - from.y;
    const int64_t size =
        (dx < 0 ? -dx : dx) > (dy < 0 ? -dy : dy) ? (dx < 0 ? -dx : dx) : (dy < 0 ? -dy : dy);
    for (int64_t t = 0; size > 0 && t <= n; t++) {
        int64_t away = 4 * t * (n - t) * bulge / (n * n);
        points[t].x = from.x + (int32_t)(dx * t / n - dy * away / size);
        points[t].y = from.y + (int32_t)(dy * t / n + dx * away / size);
    }
    if (size > 0) {
        view_draw_dashed_polyline(list, points, CURVE_STEPS + 1, color, width, dash, gap);
    }
}

void view_draw_text(struct view_draw_list *list, struct view_point baseline, struct view_font font,
                    uint32_t color, const char *utf8, size_t length_bytes)
{
    struct view_rect clip = current_clip(list);
    int32_t em = font.size_px16;
    if (length_bytes == 0 || baseline.y + em <= clip.y || baseline.y - 2 * em >= clip.y + clip.h ||
        baseline.x >= clip.x + clip.w) {
        return;
    }
    struct view_command *command = append(list, VIEW_COMMAND_TEXT, color, VIEW_NONE);
    if (command == NULL) {
        return;
    }
    command->rect = (struct view_rect){baseline.x, baseline.y, 0, 0};
    command->u.font = font;
    if (attach_bytes(list, utf8, length_bytes, &command->data_index)) {
        command->data_count = (uint32_t)length_bytes;
    } else {
        list->command_count--;
    }
}

/* --- Hit regions
 * ------------------------------------------------------------------------------------------------ */

view_id view_id_make(uint16_t kind, uint32_t index, uint16_t sub)
{
    KB_ASSERT(kind > 0);
    return (view_id)kind << 48 | (view_id)sub << 32 | index;
}

uint16_t view_id_kind(view_id id)
{
    return (uint16_t)(id >> 48);
}

uint32_t view_id_index(view_id id)
{
    return (uint32_t)id;
}

uint16_t view_id_sub(view_id id)
{
    return (uint16_t)(id >> 32);
}

void view_draw_hit(struct view_draw_list *list, view_id id, struct view_rect rect, uint32_t flags,
                   const char *tip)
{
    struct view_rect visible = view_rect_intersect(current_clip(list), rect);
    if (id == 0 || view_rect_is_empty(visible)) {
        return;
    }
    void *hits = list->hits;
    if (!reserve(&hits, &list->hit_capacity, (size_t)list->hit_count + 1, sizeof *list->hits)) {
        list->overflowed = true;
        return;
    }
    list->hits = hits;
    struct view_hit *hit = &list->hits[list->hit_count++];
    *hit = (struct view_hit){.id = id, .rect = visible, .flags = flags, .layer = list->layer};
    size_t tip_count = tip != NULL ? strlen(tip) : 0;
    if (tip_count > 0 && attach_bytes(list, tip, tip_count, &hit->tip_index)) {
        hit->tip_count = (uint32_t)tip_count;
    }
}

static const struct view_hit *pick(const struct view_draw_list *list, struct view_point at, uint32_t flags)
{
    const struct view_hit *best = NULL;
    for (uint32_t i = 0; i < list->hit_count; i++) {
        const struct view_hit *hit = &list->hits[i];
        bool wanted = flags == UINT32_MAX || (hit->flags & (flags | VIEW_HIT_BLOCKS)) != 0;
        if (wanted && view_rect_contains(hit->rect, at) && (best == NULL || hit->layer >= best->layer)) {
            best = hit;
        }
    }
    return best;
}

const struct view_hit *view_draw_list_pick(const struct view_draw_list *list, struct view_point at)
{
    return pick(list, at, UINT32_MAX);
}

const struct view_hit *view_draw_list_pick_flags(const struct view_draw_list *list, struct view_point at,
                                                 uint32_t flags)
{
    const struct view_hit *hit = pick(list, at, flags);
    return hit != NULL && (hit->flags & flags) != 0 ? hit : NULL;
}

const struct view_hit *view_draw_list_find(const struct view_draw_list *list, view_id id)
{
    for (uint32_t i = list->hit_count; id != 0 && i > 0; i--) {
        if (list->hits[i - 1].id == id) {
            return &list->hits[i - 1];
        }
    }
    return NULL;
}

/* --- Geometry and colours
 * --------------------------------------------------------------------------------------- */

struct view_rect view_rect_inset(struct view_rect rect, int32_t dx, int32_t dy)
{
    struct view_rect inner = {rect.x + dx, rect.y + dy, rect.w - 2 * dx, rect.h - 2 * dy};
    inner.w = inner.w < 0 ? 0 : inner.w;
    inner.h = inner.h < 0 ? 0 : inner.h;
    return inner;
}

struct view_rect view_rect_intersect(struct view_rect a, struct view_rect b)
{
    int32_t left = a.x > b.x ? a.x : b.x;
    int32_t top = a.y > b.y ? a.y : b.y;
    int32_t right = a.x + a.w < b.x + b.w ? a.x + a.w : b.x + b.w;
    int32_t bottom = a.y + a.h < b.y + b.h ? a.y + a.h : b.y + b.h;
    return (struct view_rect){left, top, right > left ? right - left : 0, bottom > top ? bottom - top : 0};
}

bool view_rect_contains(struct view_rect rect, struct view_point at)
{
    return at.x >= rect.x && at.y >= rect.y && at.x - rect.x < rect.w && at.y - rect.y < rect.h;
}

bool view_rect_is_empty(struct view_rect rect)
{
    return rect.w <= 0 || rect.h <= 0;
}

static int32_t bounded(int32_t wanted, int32_t available)
{
    int32_t most = available > 0 ? available : 0;
    return wanted < 0 ? 0 : wanted > most ? most : wanted;
}

struct view_rect view_rect_cut_top(struct view_rect *rect, int32_t height)
{
    int32_t cut = bounded(height, rect->h);
    struct view_rect strip = {rect->x, rect->y, rect->w, cut};
    rect->y += cut;
    rect->h -= cut;
    return strip;
}

struct view_rect view_rect_cut_bottom(struct view_rect *rect, int32_t height)
{
    int32_t cut = bounded(height, rect->h);
    rect->h -= cut;
    return (struct view_rect){rect->x, rect->y + rect->h, rect->w, cut};
}

struct view_rect view_rect_cut_left(struct view_rect *rect, int32_t width)
{
    int32_t cut = bounded(width, rect->w);
    struct view_rect strip = {rect->x, rect->y, cut, rect->h};
    rect->x += cut;
    rect->w -= cut;
    return strip;
}

struct view_rect view_rect_cut_right(struct view_rect *rect, int32_t width)
{
    int32_t cut = bounded(width, rect->w);
    rect->w -= cut;
    return (struct view_rect){rect->x + rect->w, rect->y, cut, rect->h};
}

uint32_t view_color_with_alpha(uint32_t color, uint32_t alpha)
{
    uint32_t product = ((color >> 24) * (alpha > 255 ? 255 : alpha) + 127) / 255;
    return (color & 0x00FFFFFFu) | product << 24;
}

uint32_t view_color_mix(uint32_t from, uint32_t to, uint32_t amount_256)
{
    uint32_t amount = amount_256 > 256 ? 256 : amount_256;
    uint32_t mixed = 0;
    for (uint32_t shift = 0; shift < 32; shift += 8) {
        uint32_t a = (from >> shift) & 0xFF;
        uint32_t b = (to >> shift) & 0xFF;
        mixed |= ((a * (256 - amount) + b * amount + 128) >> 8) << shift;
    }
    return mixed;
}
