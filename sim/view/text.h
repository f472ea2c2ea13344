/**
 * Text: fonts by fontconfig, shaping by SDL2_ttf, glyphs in one A8 atlas. Needs no display.
 *
 * Phrases are shaped as a whole (kerning, even spacing); numbers in pieces of up to three digits and
 * ideographs one by one, so that a running clock does not fill the cache. Numbers that change stand in a mono
 * font, whose digits are equally wide. A code point the font lacks is taken from the CJK font, then from
 * whatever covers it.
 *
 * Results depend on the device scale because glyphs are placed on device pixels: set it before measuring.
 * Without any font, or with `fixed_metrics`, every glyph is a box of fixed width (half an em; ideographs one
 * em), the same on all machines, which is what layout tests want.
 */
#ifndef VIEW_TEXT_H
#define VIEW_TEXT_H

#include "view/draw_list.h"

struct view_text;

struct view_text_options {
    bool fixed_metrics;    /**< use no fonts at all */
    const char *sans_name; /**< NULL: Inter, else the system's sans */
    const char *mono_name; /**< NULL: JetBrains Mono, else the system's mono */
    const char *cjk_name;  /**< NULL: Noto Sans CJK SC */
};

/** options may be NULL. NULL only when memory is out. Borrows nothing after it returns. */
struct view_text *view_text_create(const struct view_text_options *options);
void view_text_destroy(struct view_text *text);

/** Device pixels per logical pixel × 256. Glyphs of other scales stay cached. */
void view_text_set_scale(struct view_text *text, uint32_t scale_256);
/** The file behind a font, for `linger play --help` and bug reports; "" with fixed metrics. Valid until
 * destroyed. */
const char *view_text_font_path(const struct view_text *text, struct view_font font);

struct view_text_metrics {
    int32_t ascent, descent; /**< above and below the baseline, both positive */
    int32_t line_height;
    int32_t cap_height; /**< centring by it puts text optically in the middle of a button */
};

struct view_text_metrics view_text_metrics(struct view_text *text, struct view_font font);

/** Width of a run in 1/16 logical px. */
int32_t view_text_width(struct view_text *text, struct view_font font, const char *utf8, size_t length_bytes);

/**
 * As much of the text as fits, with “…” at its end when it is cut, never cut inside a character; "" when not
 * even “…” fits. Returns the bytes written without the final zero. capacity > 0.
 */
size_t view_text_elide(struct view_text *text, struct view_font font, const char *utf8, size_t length_bytes,
                       int32_t max_width, char *out, size_t capacity);

/**
 * The next line of a paragraph: breaks at spaces, between ideographs, at '\n', and inside a word only when
 * that word alone is too wide. Returns the bytes of the line; *consumed_bytes also counts the break. At least
 * one character a line.
 */
size_t view_text_next_line(struct view_text *text, struct view_font font, const char *utf8,
                           size_t length_bytes, int32_t max_width, size_t *consumed_bytes);

/** Reads one character; malformed bytes give U+FFFD and consume one byte. Returns 1 … 4, 0 at the end. */
size_t view_text_decode(const char *utf8, size_t length_bytes, uint32_t *codepoint);

/** A mask to blend: coverage rows of the atlas. Offsets are from the pen on the baseline, in device pixels.
 */
struct view_glyph {
    const uint8_t *coverage;
    int32_t stride_bytes;
    int32_t left, top; /**< top is positive upwards */
    int32_t width, height;
};

/** Walks a run as it is drawn; for the rasteriser. */
struct view_text_cursor {
    const char *utf8;
    size_t length_bytes;
    struct view_font font;
    int32_t pen_x; /**< device pixels from the start, 1/64 */
};

/** The next mask and where its pen stands (device pixels, 1/64). False at the end. *glyph is valid until the
 * next call. */
bool view_text_next_glyph(struct view_text *text, struct view_text_cursor *cursor, int32_t *pen_x,
                          struct view_glyph *glyph);

/** Hits and misses of the glyph cache, for tests and `linger bench`. */
struct view_text_stats {
    uint64_t lookup_count, render_count, flush_count;
};
struct view_text_stats view_text_stats(const struct view_text *text);

#endif
