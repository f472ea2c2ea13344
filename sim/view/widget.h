/**
 * Widgets, immediate mode: a function draws one into the list and says what the person did with it.
 *
 *     view_ui_begin(&ui, list, text, &theme, &input);
 *     if (view_button(&ui, id, rect, "Reset", 0)) { … }
 *     view_ui_end(&ui);
 *
 * Nothing is remembered per widget. Pointer and keys are resolved in view_ui_begin() against the regions that
 * the list still holds from the frame before, that is, against what the person saw. Ids are the caller's
 * (view_id_make()).
 *
 * Lengths are 1/16 px as in draw_list.h. Text is elided with “…” where it does not fit; nothing paints
 * outside its rectangle except focus rings, tooltips, menus and toasts. Strings are copied.
 */
#ifndef VIEW_WIDGET_H
#define VIEW_WIDGET_H

#include "view/input.h"
#include "view/text.h"
#include "view/theme.h"

#define VIEW_TIP_BYTES 256

/** Between frames the caller keeps it; zero it once. The borrowed pointers are valid from begin to end. */
struct view_ui {
    struct view_draw_list *list;
    struct view_text *text;
    const struct view_theme *theme;
    const struct view_input *input;

    /* Resolved by view_ui_begin(). 0: none. */
    view_id hot;            /**< under the pointer */
    view_id active;         /**< pressed and held */
    view_id focus;          /**< has the keyboard */
    view_id activated;      /**< clicked, or Return/Space on the focus, in this frame */
    view_id double_clicked; /**< follow it */
    view_id context;        /**< right-clicked or long-pressed: open its menu at input->mouse */
    view_id wheel;          /**< the scroll area that gets the wheel */
    view_id drag;           /**< the draggable that is held */
    bool focus_visible;     /**< the focus came by keyboard: draw its ring */
    bool key_taken;         /**< keys of this frame went to a widget; shortcuts must not see them */

    struct view_point press_at; /**< where the held button went down */
    int64_t hot_since_ms;
    bool press_cancelled;     /**< the press became a long press */
    char tip[VIEW_TIP_BYTES]; /**< of the hot region */
    int32_t drag_value;       /**< a widget's value when the drag began */
};

/** Resolve the input against the list's regions of the last frame, then clear the list for this one. */
void view_ui_begin(struct view_ui *ui, struct view_draw_list *list, struct view_text *text,
                   const struct view_theme *theme, const struct view_input *input);
/** Draw the tooltip, if one is due. Returns the milliseconds until something changes by itself (a tooltip),
 * −1: never. */
int32_t view_ui_end(struct view_ui *ui);

/* --- Text
 * ------------------------------------------------------------------------------------------------------- */

enum view_align {
    VIEW_ALIGN_LEFT,
    VIEW_ALIGN_CENTER,
    VIEW_ALIGN_RIGHT,
};

/** One line inside the rectangle, centred vertically by cap height, elided. Returns the width drawn. */
int32_t view_label(struct view_ui *ui, struct view_rect rect, struct view_font font, uint32_t color,
                   enum view_align align, const char *text);
/** Two runs in one line that never overlap: at the left, which gives way first, and at the right. */
void view_label_pair(struct view_ui *ui, struct view_rect rect, struct view_font font, const char *left,
                     uint32_t left_color, const char *right, uint32_t right_color);
/** Wrapped lines from the rectangle's top; the last that fits is elided. Returns the height used. */
int32_t view_paragraph(struct view_ui *ui, struct view_rect rect, struct view_font font, uint32_t color,
                       const char *text);
/** The height a paragraph needs at this width. */
int32_t view_paragraph_height(struct view_ui *ui, int32_t width, struct view_font font, const char *text);
int32_t view_label_width(struct view_ui *ui, struct view_font font, const char *text);

/* --- Surfaces
 * --------------------------------------------------------------------------------------------------- */

/** A panel of the stage with a title and a subtitle in mono (NULL: none). Returns the room inside. */
struct view_rect view_panel(struct view_ui *ui, struct view_rect rect, const char *title,
                            const char *subtitle);
/** A panel without a title. Returns the room inside. */
struct view_rect view_panel_plain(struct view_ui *ui, struct view_rect rect);

enum view_card_flag {
    VIEW_CARD_ACTIVE = 1, /**< outlined strongly in `outline` */
    VIEW_CARD_WELL = 2,   /**< darker than the panel instead of lighter */
    VIEW_CARD_MONO = 4,   /**< the title is code: ready(), drain() */
    VIEW_CARD_TIGHT = 8,  /**< half the padding */
};

/**
 * A card on a panel. id 0: it cannot be pointed at. outline: VIEW_NONE takes the theme's line. detail stands
 * at the right of the title. Any text may be NULL. Returns the room under the title.
 */
struct view_rect view_card(struct view_ui *ui, view_id id, struct view_rect rect, uint32_t flags,
                           uint32_t outline, const char *title, const char *detail);
/** The coloured edge at the left of a partition's card. */
void view_card_stripe(struct view_ui *ui, struct view_rect rect, uint32_t color);
void view_separator(struct view_ui *ui, int32_t x, int32_t y, int32_t width);

/* --- Controls
 * --------------------------------------------------------------------------------------------------- */

enum view_control_flag {
    VIEW_CONTROL_DISABLED = 1,
    VIEW_CONTROL_PRIMARY = 2,  /**< filled with the accent */
    VIEW_CONTROL_SELECTED = 4, /**< outlined: the chosen answer of a question */
    VIEW_CONTROL_QUIET = 8,    /**< no box until hot: kill, cut, slow on a broker's card */
    VIEW_CONTROL_DANGER = 16,  /**< breaks something: text in the fail hue */
    VIEW_CONTROL_LEFT = 32,    /**< label at the left instead of the middle */
};

/** True when it was activated. tip may be NULL. */
bool view_button(struct view_ui *ui, view_id id, struct view_rect rect, const char *label, uint32_t flags,
                 const char *tip);

enum view_icon {
    VIEW_ICON_START,
    VIEW_ICON_PREVIOUS,
    VIEW_ICON_PLAY,
    VIEW_ICON_PAUSE,
    VIEW_ICON_NEXT,
    VIEW_ICON_END,
    VIEW_ICON_SLOWER,
    VIEW_ICON_FASTER,
    VIEW_ICON_RESET,
    VIEW_ICON_HELP,
    VIEW_ICON_CLOSE,
    VIEW_ICON_MENU,
    VIEW_ICON_CHECK,
    VIEW_ICON_CROSS,
    VIEW_ICON_WARNING,
    VIEW_ICON_STAR,
    VIEW_ICON_LOCK,
    VIEW_ICON_SEARCH,
    VIEW_ICON_COUNT
};

/** An icon in the middle of the rectangle, at most 16 px. */
void view_icon(struct view_ui *ui, struct view_rect rect, enum view_icon icon, uint32_t color);
bool view_icon_button(struct view_ui *ui, view_id id, struct view_rect rect, enum view_icon icon,
                      uint32_t flags, const char *tip);

/** Tabs along the top of the rectangle; ids are id with sub 0, 1, 2 …. Returns the selected index, perhaps a
 * new one. */
uint32_t view_tabs(struct view_ui *ui, view_id id, struct view_rect rect, const char *const *labels,
                   uint32_t count, uint32_t selected);

enum view_chip_style {
    VIEW_CHIP_OUTLINE, /**< acks=all; NO ROOM */
    VIEW_CHIP_FILLED,
    VIEW_CHIP_DASHED, /**< something that is only planned or not committed */
};

int32_t view_chip_width(struct view_ui *ui, const char *label);
/** A pill. id 0: cannot be pointed at. Returns its width; at most max_width. True activation is in
 * ui->activated. */
int32_t view_chip(struct view_ui *ui, view_id id, struct view_point top_left, int32_t max_width,
                  struct view_hue hue, enum view_chip_style style, const char *label, const char *tip);
/** A count in a small filled circle or pill, centred. */
void view_badge(struct view_ui *ui, struct view_point center, struct view_hue hue, const char *label);

enum view_lamp {
    VIEW_LAMP_OFF,    /**< an empty ring */
    VIEW_LAMP_ON,     /**< a filled dot in a ring */
    VIEW_LAMP_FAILED, /**< a cross */
};

/** A reason: lamp, name, and a detail at the right (NULL: none). True when activated. */
bool view_lamp_row(struct view_ui *ui, view_id id, struct view_rect rect, enum view_lamp lamp,
                   struct view_hue hue, const char *label, const char *detail, const char *tip);
/** A small status dot with its word, as on a broker's card: round = up, triangle = slow, square = down. */
enum view_status {
    VIEW_STATUS_UP,
    VIEW_STATUS_SLOW,
    VIEW_STATUS_DOWN,
};
void view_status_dot(struct view_ui *ui, struct view_rect rect, enum view_status status, const char *label);

/** value / total of the rectangle's width; never a full bar unless value ≥ total, never empty unless value is
 * 0. */
void view_bar(struct view_ui *ui, struct view_rect rect, int64_t value, int64_t total, uint32_t color);
struct view_bar_part {
    int64_t value;
    struct view_hue hue;
};
/** Several parts of one total after each other: the memory map of the buffer pool. */
void view_stacked_bar(struct view_ui *ui, struct view_rect rect, const struct view_bar_part *parts,
                      uint32_t count, int64_t total);
/** The ring that empties: left / total of a turn, from the top. */
void view_countdown_ring(struct view_ui *ui, struct view_point center, int32_t radius, int64_t left,
                         int64_t total, uint32_t color);

/** key at the left, value in mono at the right; the key gives way first. */
void view_key_value(struct view_ui *ui, struct view_rect rect, const char *key, const char *value,
                    uint32_t value_color);

/** A slider over [min, max], moved by pointer, wheel, arrows, Home and End. True when *value changed. */
bool view_slider(struct view_ui *ui, view_id id, struct view_rect rect, int32_t min, int32_t max,
                 int32_t step, int32_t *value);

#define VIEW_FIELD_BYTES 256
/** What a text field edits; the caller keeps it. Zero it, or set `bytes` and `length`. */
struct view_field {
    char bytes[VIEW_FIELD_BYTES];   /**< UTF-8, zero-terminated */
    uint32_t length, caret, anchor; /**< selection between caret and anchor */
    int32_t scroll;
};
enum view_field_event {
    VIEW_FIELD_NOTHING,
    VIEW_FIELD_CHANGED,
    VIEW_FIELD_COMMITTED, /**< Return */
    VIEW_FIELD_CANCELLED, /**< Escape */
};
/** error: why the text is not acceptable (outlines in the fail hue, shown as tip), or NULL. */
enum view_field_event view_text_field(struct view_ui *ui, view_id id, struct view_rect rect,
                                      struct view_field *field, const char *placeholder, const char *error);
void view_field_set(struct view_field *field, const char *text);

/**
 * Content taller than its rectangle. *offset is the caller's, 0 at the top. Draw into the returned rectangle
 * (shifted and narrowed by the scroll bar), then call end. The height is that of the content in the last
 * frame or measured.
 */
struct view_rect view_scroll_begin(struct view_ui *ui, view_id id, struct view_rect rect,
                                   int32_t content_height, int32_t *offset);
void view_scroll_end(struct view_ui *ui);

/* --- Popups
 * ----------------------------------------------------------------------------------------------------- */

struct view_menu_item {
    const char *label;    /**< NULL: a separator */
    const char *shortcut; /**< NULL: none */
    uint32_t flags;       /**< enum view_control_flag: DISABLED, DANGER, SELECTED (checked) */
};
#define VIEW_MENU_OPEN   (-1)
#define VIEW_MENU_CLOSED (-2)
/**
 * A context menu at a point, kept on the canvas; ids are id with sub 1, 2 …. Up, Down, Return and Escape
 * work. Returns the chosen item, VIEW_MENU_OPEN while it stays open, VIEW_MENU_CLOSED when it was dismissed.
 */
int32_t view_menu(struct view_ui *ui, view_id id, struct view_point at, const char *title,
                  const struct view_menu_item *items, uint32_t count);
/** A note at the bottom of the canvas. visible_256 fades it. */
void view_toast(struct view_ui *ui, struct view_hue hue, const char *text, uint32_t visible_256);
/** A tooltip right now, by something other than hovering (a lesson that points at a thing). */
void view_tooltip(struct view_ui *ui, struct view_rect target, const char *text);

struct view_key_help {
    const char *keys; /**< alternatives and chords as written: "Shift+←" "Space  ." — two spaces separate
                         caps; NULL: a heading */
    const char *meaning;
};
/** The card of all keys over the stage. True when it was dismissed (Escape, its cross, or a click beside it).
 */
bool view_key_card(struct view_ui *ui, view_id id, const char *title, const struct view_key_help *keys,
                   uint32_t count);

/* --- Plots
 * ------------------------------------------------------------------------------------------------------ */

struct view_series {
    const int32_t *values; /**< oldest first, evenly spaced */
    uint32_t count;
    struct view_hue hue;
    const char *name; /**< NULL: no legend */
};
/** A line without axes, scaled to [min, max] of the values and 0. */
void view_sparkline(struct view_ui *ui, struct view_rect rect, const struct view_series *series);
/** Lines over a grid: a title, a legend, and what the top line stands for in `max_label` (NULL: none). max 0:
 * of the values.
 */
void view_plot(struct view_ui *ui, view_id id, struct view_rect rect, const char *title,
               const char *max_label, const struct view_series *series, uint32_t series_count, int32_t max);

#endif
