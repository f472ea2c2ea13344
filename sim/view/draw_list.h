/**
 * A frame as data: a flat list of drawing commands, and the regions that answer to the mouse.
 *
 * Panels append to it; the rasteriser executes it (raster.h); tests read it as text or compare its hash
 * without a display. Picking uses the same list, so what answers is what was drawn.
 *
 * Units. Every length and coordinate is in sixteenths of a logical pixel: VIEW_PX(12), VIEW_PX(1.5). The
 * rasteriser multiplies by a scale for HiDPI and snaps the edges of boxes and the origin of text to device
 * pixels. Colours are 0xAARRGGBB, not premultiplied. Angles are in 1/65536 turn, 0 upwards, clockwise.
 *
 * Order. Within a layer later commands cover earlier ones; a higher layer covers all lower ones, whenever it
 * was appended. Clip, opacity and layer are states of the list while it is being filled.
 *
 * Memory. The list owns copies of all strings and points. It keeps its memory across view_draw_list_clear(),
 * so a steady frame allocates nothing. Running out of memory drops the command and sets `overflowed`.
 */
#ifndef VIEW_DRAW_LIST_H
#define VIEW_DRAW_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VIEW_PX(x)      ((int32_t)((x)*16))
#define VIEW_TO_PX(len) ((len) / 16)
#define VIEW_TURN       65536
#define VIEW_RGB(hex)   (0xFF000000u | (uint32_t)(hex))
#define VIEW_NONE       0u /**< the colour that draws nothing */

struct view_point {
    int32_t x, y;
};

struct view_rect {
    int32_t x, y, w, h;
};

/** Rectangle from logical pixels. */
#define VIEW_RECT(x, y, w, h) ((struct view_rect){VIEW_PX(x), VIEW_PX(y), VIEW_PX(w), VIEW_PX(h)})

enum view_layer {
    VIEW_LAYER_STAGE,   /**< panels and what stands on them */
    VIEW_LAYER_MOVERS,  /**< records and requests on their way between panels */
    VIEW_LAYER_OVERLAY, /**< key card, lesson bubbles */
    VIEW_LAYER_POPUP,   /**< menus, tooltips, toasts */
    VIEW_LAYER_COUNT
};

/** Textures over a fill, so that colour never carries a meaning alone. */
enum view_pattern {
    VIEW_PATTERN_NONE,
    VIEW_PATTERN_DIAGONAL,
    VIEW_PATTERN_DOTS,
    VIEW_PATTERN_HORIZONTAL,
    VIEW_PATTERN_CROSS,
    VIEW_PATTERN_VERTICAL,
    VIEW_PATTERN_COUNT
};

enum view_family { VIEW_FAMILY_SANS, VIEW_FAMILY_MONO, VIEW_FAMILY_COUNT };

enum view_weight {
    VIEW_WEIGHT_REGULAR,
    VIEW_WEIGHT_MEDIUM,
    VIEW_WEIGHT_SEMIBOLD,
    VIEW_WEIGHT_BOLD,
    VIEW_WEIGHT_COUNT
};

/** A font as a value; text.h finds the file behind it. */
struct view_font {
    uint8_t family;     /**< enum view_family */
    uint8_t weight;     /**< enum view_weight */
    uint16_t size_px16; /**< em in 1/16 logical pixel */
};

enum view_command_kind {
    VIEW_COMMAND_BOX,      /**< rect, radius, fill, stroke, stroke_width (inside the rect), pattern */
    VIEW_COMMAND_GRADIENT, /**< rect, fill (top), stroke (bottom) */
    VIEW_COMMAND_LINE,     /**< points[2], stroke, stroke_width, dash, gap */
    VIEW_COMMAND_POLYLINE, /**< points, stroke, stroke_width, dash, gap; mitered joints */
    VIEW_COMMAND_POLYGON,  /**< points, fill; non-zero winding */
    VIEW_COMMAND_ARC,      /**< rect.x/y centre, radius to the middle of the stroke, start, sweep, stroke,
                              stroke_width */
    VIEW_COMMAND_TEXT,     /**< rect.x left edge, rect.y baseline, font, fill, text */
    VIEW_COMMAND_COUNT
};

struct view_command {
    uint8_t kind;    /**< enum view_command_kind */
    uint8_t layer;   /**< enum view_layer */
    uint8_t pattern; /**< enum view_pattern */
    uint8_t reserved;
    uint32_t clip_index; /**< into clips */
    struct view_rect rect;
    int32_t radius;
    int32_t stroke_width;
    uint32_t fill, stroke;
    union {
        struct {
            int32_t dash, gap;
        } line;
        struct {
            int32_t start, sweep;
        } arc;
        struct view_font font;
    } u;
    uint32_t data_index; /**< first of points or bytes */
    uint32_t data_count;
};

/** Names what can be pointed at. 0 is nothing; ids are made by view_id_make(). */
typedef uint64_t view_id;

/** kind: the panel's own enum (a partition, a batch, a request …), index and sub: which one. kind > 0. */
view_id view_id_make(uint16_t kind, uint32_t index, uint16_t sub);
uint16_t view_id_kind(view_id id);
uint32_t view_id_index(view_id id);
uint16_t view_id_sub(view_id id);

enum view_hit_flag {
    VIEW_HIT_FOCUSABLE = 1, /**< Tab stops here, Return activates it */
    VIEW_HIT_DRAGGABLE = 2, /**< slider, timeline: wants movement while pressed */
    VIEW_HIT_SCROLLS = 4,   /**< takes the wheel */
    VIEW_HIT_TEXT = 8,      /**< takes typed text while it has the focus */
    VIEW_HIT_BLOCKS = 16,   /**< a surface that only keeps the pointer from what is under it */
};

struct view_hit {
    view_id id;
    struct view_rect rect; /**< already clipped */
    uint32_t flags;
    uint32_t layer;
    uint32_t tip_index, tip_count; /**< tooltip text in bytes; count 0: none */
};

#define VIEW_CLIP_DEPTH    16
#define VIEW_OPACITY_DEPTH 16

/** Read freely; write only through the functions below. */
struct view_draw_list {
    int32_t width, height; /**< logical canvas in 1/16 px */
    uint32_t background;

    struct view_command *commands;
    uint32_t command_count, command_capacity;
    struct view_point *points;
    uint32_t point_count, point_capacity;
    char *bytes;
    uint32_t byte_count, byte_capacity;
    struct view_rect *clips; /**< [0] is the whole canvas */
    uint32_t clip_count, clip_capacity;
    struct view_hit *hits;
    uint32_t hit_count, hit_capacity;
    bool overflowed;

    /* States while filling. */
    uint8_t layer;
    uint32_t clip_stack[VIEW_CLIP_DEPTH];
    uint32_t clip_depth;
    uint32_t opacity_stack[VIEW_OPACITY_DEPTH];
    uint32_t opacity_depth;
};

/** Zeroes the list; it owns nothing yet. */
void view_draw_list_init(struct view_draw_list *list);
void view_draw_list_release(struct view_draw_list *list);

/** Start a frame of this size. Forgets everything that was drawn, keeps the memory. */
void view_draw_list_clear(struct view_draw_list *list, int32_t width, int32_t height, uint32_t background);

/** Where following commands go. Returns the layer before; the clip is that of the whole canvas in a new
 * layer. */
enum view_layer view_draw_layer(struct view_draw_list *list, enum view_layer layer);

/** Intersects with the present clip. Every push has its pop in the same function. */
void view_draw_clip_push(struct view_draw_list *list, struct view_rect rect);
/** The whole canvas, whatever the clip is now: for popups. Popped like any other. */
void view_draw_clip_push_canvas(struct view_draw_list *list);
void view_draw_clip_pop(struct view_draw_list *list);
/** False when nothing inside the rectangle can be seen: a cheap way to skip a subtree. */
bool view_draw_is_visible(const struct view_draw_list *list, struct view_rect rect);

/** Multiplies the alpha of following colours; opacity 0 … 256. */
void view_draw_opacity_push(struct view_draw_list *list, uint32_t opacity_256);
void view_draw_opacity_pop(struct view_draw_list *list);

/** A rectangle with square corners. */
void view_draw_rect(struct view_draw_list *list, struct view_rect rect, uint32_t fill);
/** A box, filled and outlined; either colour may be VIEW_NONE. The outline lies inside the rectangle. */
void view_draw_box(struct view_draw_list *list, struct view_rect rect, int32_t radius, uint32_t fill,
                   uint32_t stroke, int32_t stroke_width);
/** A filled box with a texture in a second colour. */
void view_draw_pattern_box(struct view_draw_list *list, struct view_rect rect, int32_t radius, uint32_t fill,
                           enum view_pattern pattern, uint32_t ink);
/** A vertical gradient. */
void view_draw_gradient(struct view_draw_list *list, struct view_rect rect, uint32_t top, uint32_t bottom);
void view_draw_line(struct view_draw_list *list, struct view_point from, struct view_point to, uint32_t color,
                    int32_t width);
void view_draw_dashed_line(struct view_draw_list *list, struct view_point from, struct view_point to,
                           uint32_t color, int32_t width, int32_t dash, int32_t gap);
void view_draw_polyline(struct view_draw_list *list, const struct view_point *points, uint32_t count,
                        uint32_t color, int32_t width);
void view_draw_dashed_polyline(struct view_draw_list *list, const struct view_point *points, uint32_t count,
                               uint32_t color, int32_t width, int32_t dash, int32_t gap);
void view_draw_polygon(struct view_draw_list *list, const struct view_point *points, uint32_t count,
                       uint32_t fill);
void view_draw_triangle(struct view_draw_list *list, struct view_point a, struct view_point b,
                        struct view_point c, uint32_t fill);
/** A circle, filled and outlined; either colour may be VIEW_NONE. */
void view_draw_circle(struct view_draw_list *list, struct view_point center, int32_t radius, uint32_t fill,
                      uint32_t stroke, int32_t stroke_width);
/** Part of a ring, from start over sweep (clockwise). The linger ring is a sweep that shrinks to 0. */
void view_draw_arc(struct view_draw_list *list, struct view_point center, int32_t radius, int32_t start,
                   int32_t sweep, uint32_t color, int32_t width);
/** A curve from a to b that leaves and arrives horizontally (forks of the timeline). dash 0: solid. */
void view_draw_curve(struct view_draw_list *list, struct view_point from, struct view_point to,
                     uint32_t color, int32_t width, int32_t dash, int32_t gap);
/** A bow from a to b that bulges by `bulge` to the right of its direction (replication). */
void view_draw_bow(struct view_draw_list *list, struct view_point from, struct view_point to, int32_t bulge,
                   uint32_t color, int32_t width, int32_t dash, int32_t gap);
/**
 * A run of text in one line, from its left edge on its baseline. It is neither elided nor aligned here: see
 * view_label() in widget.h, which keeps text inside its box. Bytes that are not UTF-8 show as U+FFFD.
 */
void view_draw_text(struct view_draw_list *list, struct view_point baseline, struct view_font font,
                    uint32_t color, const char *utf8, size_t length_bytes);

/**
 * The rectangle answers to the pointer under this id; only its visible part. tip: a sentence for the tooltip,
 * or NULL. Later regions of a layer lie over earlier ones.
 */
void view_draw_hit(struct view_draw_list *list, view_id id, struct view_rect rect, uint32_t flags,
                   const char *tip);
/** The topmost region at a point, NULL when there is none. Valid until the list is cleared or filled further.
 */
const struct view_hit *view_draw_list_pick(const struct view_draw_list *list, struct view_point at);
/** The topmost region at a point that carries one of these flags (the scroll area under a button). */
const struct view_hit *view_draw_list_pick_flags(const struct view_draw_list *list, struct view_point at,
                                                 uint32_t flags);
/** The region of an id as drawn last, NULL when it was not drawn. */
const struct view_hit *view_draw_list_find(const struct view_draw_list *list, view_id id);

/** Equal hashes mean equal pictures (64-bit, the same on every machine). Hit regions are not part of it. */
uint64_t view_draw_list_hash(const struct view_draw_list *list);
/**
 * The list as text, one command or region a line, in order; lengths in 1/16 px. Returns the bytes the whole
 * dump needs without the final zero; at most capacity − 1 are written. buffer may be NULL when capacity is 0.
 */
size_t view_draw_list_dump(const struct view_draw_list *list, char *buffer, size_t capacity);

/* Small geometry that layouts need. */
struct view_rect view_rect_inset(struct view_rect rect, int32_t dx, int32_t dy);
struct view_rect view_rect_intersect(struct view_rect a, struct view_rect b);
bool view_rect_contains(struct view_rect rect, struct view_point at);
bool view_rect_is_empty(struct view_rect rect);
/** Cut a strip off one side: *rect keeps the rest, the strip is returned. */
struct view_rect view_rect_cut_top(struct view_rect *rect, int32_t height);
struct view_rect view_rect_cut_bottom(struct view_rect *rect, int32_t height);
struct view_rect view_rect_cut_left(struct view_rect *rect, int32_t width);
struct view_rect view_rect_cut_right(struct view_rect *rect, int32_t width);
/** alpha 0 … 255 times a colour's own. */
uint32_t view_color_with_alpha(uint32_t color, uint32_t alpha);
/** Between two colours, 0 … 256. */
uint32_t view_color_mix(uint32_t from, uint32_t to, uint32_t amount_256);

#endif
