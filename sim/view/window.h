/**
 * A window by SDL2: size, input, presentation. The only file of the project that knows SDL's video and
 * events.
 *
 * The picture is drawn by raster.h straight into the window's surface; when neither the list nor the size has
 * changed since the last frame, nothing is drawn or sent. Software presentation
 * (SDL_FRAMEBUFFER_ACCELERATION=0) unless the environment says otherwise: see docs/performance.md.
 */
#ifndef VIEW_WINDOW_H
#define VIEW_WINDOW_H

#include "view/input.h"
#include "view/raster.h"

struct view_window;

struct view_window_options {
    const char *title;
    int32_t width, height; /**< device-independent; 0: 1600×900, or what the display has room for */
    uint32_t scale_256;    /**< 0: by the display (HiDPI) */
    bool full_screen;
};

/** NULL when there is no display or no memory; view_window_error() says why. */
struct view_window *view_window_create(const struct view_window_options *options);
void view_window_destroy(struct view_window *window);
const char *view_window_error(void);

/**
 * Collect input. Waits up to wait_ms for the first event (0: not at all, −1: until one comes); F11 and window
 * events are handled here. *input keeps what lasts and is otherwise refilled.
 */
void view_window_poll(struct view_window *window, int32_t wait_ms, struct view_input *input);
/** Milliseconds until the next frame of the 60 a second is due, at least 0: what to wait while something
 * moves. */
int32_t view_window_frame_wait_ms(struct view_window *window);

/** Show the list. Returns false when the same picture was already there and nothing was done. */
bool view_window_present(struct view_window *window, const struct view_draw_list *list,
                         struct view_text *text);
/** Draw again even if nothing changed (after a font or theme reload). */
void view_window_invalidate(struct view_window *window);

void view_window_set_full_screen(struct view_window *window, bool full_screen);
bool view_window_is_full_screen(const struct view_window *window);
void view_window_set_title(struct view_window *window, const char *title);

enum view_pointer {
    VIEW_POINTER_ARROW,
    VIEW_POINTER_HAND,
    VIEW_POINTER_TEXT,
    VIEW_POINTER_RESIZE,
    VIEW_POINTER_COUNT
};
void view_window_set_pointer(struct view_window *window, enum view_pointer pointer);
/** UTF-8; false when the clipboard cannot be had. */
bool view_window_copy(struct view_window *window, const char *utf8);

#endif
