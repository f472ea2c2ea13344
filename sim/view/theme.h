/**
 * Colours, type and spacing of the view, as values. A panel takes every colour, font and distance from here,
 * so that dark, light and presenter size need no code of their own.
 *
 * Partition hues are Okabe–Ito's without vermilion: red is for failure only. Past the seventh a hue repeats
 * with a texture, so no two of the first 42 partitions look the same.
 */
#ifndef VIEW_THEME_H
#define VIEW_THEME_H

#include "view/draw_list.h"

#define VIEW_HUE_COUNT 7

enum view_theme_kind {
    VIEW_THEME_DARK,
    VIEW_THEME_LIGHT,
};

/** One thing's colour in its three uses. */
struct view_hue {
    uint32_t fill;    /**< area of a cell, a bar, a packet */
    uint32_t ink;     /**< text and outlines in this hue on a panel or card */
    uint32_t on_fill; /**< text and texture on the fill */
    enum view_pattern pattern;
};

struct view_theme {
    enum view_theme_kind kind;
    bool presenter;
    uint32_t text_scale_256; /**< 256, or 384 in presenter size; already applied to everything below */

    /* Surfaces, from back to front. */
    uint32_t background; /**< canvas, and wells inside panels */
    uint32_t panel;
    uint32_t card;
    uint32_t card_hot; /**< a card or button under the pointer */
    uint32_t card_pressed;
    uint32_t line;        /**< outlines and separators */
    uint32_t line_strong; /**< outlines of chips, wires, ticks */
    uint32_t shadow;      /**< behind popups (translucent) */
    uint32_t scrim;       /**< over the stage when an overlay is open (translucent) */

    uint32_t text, text_muted, text_faint;

    /* Meanings. Each also has a shape wherever it is used. */
    struct view_hue accent;  /**< selected, active, focus */
    struct view_hue ok;      /**< done, in sync */
    struct view_hue warn;    /**< needs attention, the reason that is true now */
    struct view_hue fail;    /**< failure, and nothing else */
    struct view_hue pool;    /**< free memory of the buffer pool, what-if branches */
    struct view_hue neutral; /**< things without a partition */
    struct view_hue partition[VIEW_HUE_COUNT];

    /* Type. At a scale of 1 nothing is below 11 px. */
    struct view_font brand;   /**< 17 bold */
    struct view_font heading; /**< 13.5 semibold: the sentence of Why */
    struct view_font title;   /**< 12.5 semibold: panels and cards */
    struct view_font body;    /**< 12: paragraphs, buttons */
    struct view_font body_strong;
    struct view_font label; /**< 11 sans: keys, captions */
    struct view_font mono;  /**< 11.66 (7 px advance): values, code */
    struct view_font mono_strong;
    struct view_font mono_small; /**< 11: subtitles, chips, cells */
    struct view_font mono_small_strong;
    struct view_font clock; /**< 15 mono semibold */

    /* Spacing, on a 4 px grid. */
    int32_t space_1, space_2, space_3, space_4, space_6; /**< 4 8 12 16 24 */
    int32_t row_height; /**< a line of key and value, a lamp, a menu entry is one and a half */
    int32_t button_height;
    int32_t chip_height;
    int32_t title_height; /**< title and subtitle of a panel or card */
    int32_t bar_height;   /**< thin fill bar */
    int32_t radius_panel, radius_card, radius_button, radius_cell;
    int32_t stroke, stroke_strong; /**< 1 and 1.5 … 2 px */
    int32_t scrollbar_width;
};

void view_theme_init(struct view_theme *theme, enum view_theme_kind kind, bool presenter);

/** The hue of partition 0, 1, 2 …; textures from VIEW_HUE_COUNT on. */
struct view_hue view_theme_partition(const struct view_theme *theme, uint32_t partition_index);

/** A length that grows with presenter size: view_theme_px(theme, 172). */
int32_t view_theme_px(const struct view_theme *theme, int32_t px);

/** WCAG contrast ratio × 100 (opaque colours), for tests: 450 is 4.5 : 1. */
uint32_t view_theme_contrast_100(uint32_t a, uint32_t b);

#endif
