/**
 * What the person did since the last frame, as plain data: no SDL type gets past window.c. Tests fill it by
 * hand.
 */
#ifndef VIEW_INPUT_H
#define VIEW_INPUT_H

#include "view/draw_list.h"

#define VIEW_INPUT_KEY_COUNT  32
#define VIEW_INPUT_TEXT_BYTES 128

/** Printable keys are their unshifted character ('b', '[', '.'); the rest have names. */
enum view_key {
    VIEW_KEY_NONE = 0,
    VIEW_KEY_BACKSPACE = 8,
    VIEW_KEY_TAB = 9,
    VIEW_KEY_RETURN = 13,
    VIEW_KEY_ESCAPE = 27,
    VIEW_KEY_SPACE = 32,
    VIEW_KEY_DELETE = 127,
    VIEW_KEY_LEFT = 256,
    VIEW_KEY_RIGHT,
    VIEW_KEY_UP,
    VIEW_KEY_DOWN,
    VIEW_KEY_HOME,
    VIEW_KEY_END,
    VIEW_KEY_PAGE_UP,
    VIEW_KEY_PAGE_DOWN,
    VIEW_KEY_F1,
    VIEW_KEY_F11 = VIEW_KEY_F1 + 10,
};

enum view_modifier {
    VIEW_MODIFIER_SHIFT = 1,
    VIEW_MODIFIER_CONTROL = 2,
    VIEW_MODIFIER_ALT = 4,
};

enum view_button {
    VIEW_BUTTON_LEFT = 1,
    VIEW_BUTTON_MIDDLE = 2,
    VIEW_BUTTON_RIGHT = 4,
};

struct view_key_press {
    int32_t key;        /**< enum view_key or a character; with Shift, `typed` says which character */
    uint32_t modifiers; /**< enum view_modifier */
    uint32_t typed;     /**< the character the layout makes of it ('?' for Shift+/), 0 when none */
    bool repeated;
};

struct view_input {
    int64_t now_ms;        /**< of the frame, for hover delays and easing; any epoch */
    int32_t width, height; /**< logical canvas, 1/16 px */
    uint32_t scale_256;    /**< device pixels per logical pixel */

    struct view_point mouse; /**< logical, 1/16 px */
    bool mouse_inside;
    uint32_t buttons;          /**< held now: enum view_button */
    uint32_t buttons_pressed;  /**< went down in this frame */
    uint32_t buttons_released; /**< went up in this frame */
    bool double_click;         /**< the press of this frame is the second of two */
    bool long_press;           /**< the left button has been held still for half a second, once */
    struct view_point wheel;   /**< 1/16 px; y positive: content moves up (scroll down) */
    uint32_t modifiers;

    struct view_key_press keys[VIEW_INPUT_KEY_COUNT];
    uint32_t key_count;
    char text[VIEW_INPUT_TEXT_BYTES]; /**< typed, UTF-8, zero-terminated */
    uint32_t text_count;

    bool quit;
    bool resized;
    bool exposed; /**< the picture must be shown again even when it is the same */
};

/** Keep what lasts (mouse place, held buttons, size), drop what happened. */
void view_input_begin_frame(struct view_input *input, int64_t now_ms);
/** Append a key; past the end the oldest are kept. */
void view_input_add_key(struct view_input *input, int32_t key, uint32_t modifiers, uint32_t typed,
                        bool repeated);
void view_input_add_text(struct view_input *input, const char *utf8);
/** True when the key came in this frame with exactly these modifiers. */
bool view_input_has_key(const struct view_input *input, int32_t key, uint32_t modifiers);

#endif
