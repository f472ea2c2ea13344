#include "view/window.h"

#include <SDL.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_US      16667
#define LONG_PRESS_MS 500
#define STILL_PX      6 /* a held pointer that moved less is a long press */
#define WHEEL_STEP    VIEW_PX(48)

struct view_window {
    SDL_Window *window;
    SDL_Cursor *pointers[VIEW_POINTER_COUNT];
    enum view_pointer pointer;
    struct view_raster *raster;
    struct view_surface shadow; /* when the window's own format is not XRGB8888 */
    uint32_t scale_wanted_256;
    uint32_t scale_256;
    int32_t width_px, height_px;
    uint64_t shown_hash;
    bool shown;
    bool exposed;
    uint64_t next_frame_us;
    struct view_point press_at;
    int64_t press_ms;
    bool press_waits;
};

const char *view_window_error(void)
{
    return SDL_GetError();
}

static uint64_t now_us(void)
{
    uint64_t count = SDL_GetPerformanceCounter();
    uint64_t frequency = SDL_GetPerformanceFrequency();
    return count / frequency * 1000000 + count % frequency * 1000000 / frequency;
}

static void measure(struct view_window *window)
{
    int points_w = 0;
    int points_h = 0;
    SDL_GetWindowSize(window->window, &points_w, &points_h);
    SDL_GetWindowSizeInPixels(window->window, &window->width_px, &window->height_px);
    uint32_t scale = window->scale_wanted_256;
    if (scale == 0) {
        scale = points_w > 0 ? (uint32_t)(window->width_px * 256 / points_w) : 256;
        if (scale == 256 && window->height_px >= 1800) {
            /* X11 tells nothing about density; so many pixels are never meant to be read one by one. */
            scale = 512;
        }
    }
    window->scale_256 = scale < 64 ? 64 : scale;
}

/* Where no display answers, SDL may take a driver that shows nothing. Only who asks for it gets it. */
static bool can_be_seen(void)
{
    static const char *const unseen[] = {"offscreen", "dummy", "evdev"};
    const char *driver = SDL_GetCurrentVideoDriver();
    const char *wanted = SDL_getenv("SDL_VIDEODRIVER");
    for (size_t i = 0; driver != NULL && i < sizeof unseen / sizeof unseen[0]; i++) {
        if (strcmp(driver, unseen[i]) == 0 && (wanted == NULL || wanted[0] == '\0')) {
            SDL_SetError("no display answers");
            return false;
        }
    }
    return true;
}

struct view_window *view_window_create(const struct view_window_options *options)
{
    /* SDL's X11 default presents through a slow accelerated framebuffer. */
    SDL_SetHintWithPriority(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0", SDL_HINT_DEFAULT);
    SDL_SetHint(SDL_HINT_MOUSE_FOCUS_CLICKTHROUGH, "1");
    struct view_window *window = calloc(1, sizeof *window);
    if (window == NULL || SDL_InitSubSystem(SDL_INIT_VIDEO) != 0) {
        free(window);
        return NULL;
    }
    if (!can_be_seen()) {
        SDL_QuitSubSystem(SDL_INIT_VIDEO);
        free(window);
        return NULL;
    }
    int width = options->width > 0 ? options->width : 1600;
    int height = options->height > 0 ? options->height : 900;
    SDL_Rect usable;
    if (options->width <= 0 && SDL_GetDisplayUsableBounds(0, &usable) == 0) {
        width = usable.w < width ? usable.w : width;
        height = usable.h < height ? usable.h : height;
    }
    uint32_t flags = SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI;
    flags |= options->full_screen ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0u;
    window->scale_wanted_256 = options->scale_256;
    window->raster = view_raster_create();
    window->window = SDL_CreateWindow(options->title != NULL ? options->title : "linger",
                                      SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED, width, height, flags);
    if (window->raster == NULL || window->window == NULL) {
        view_window_destroy(window);
        return NULL;
    }
    SDL_SetWindowMinimumSize(window->window, 640, 360);
    static const SDL_SystemCursor shapes[VIEW_POINTER_COUNT] = {
        SDL_SYSTEM_CURSOR_ARROW, SDL_SYSTEM_CURSOR_HAND, SDL_SYSTEM_CURSOR_IBEAM, SDL_SYSTEM_CURSOR_SIZEWE};
    for (int i = 0; i < VIEW_POINTER_COUNT; i++) {
        window->pointers[i] = SDL_CreateSystemCursor(shapes[i]);
    }
    SDL_StartTextInput();
    measure(window);
    return window;
}

void view_window_destroy(struct view_window *window)
{
    if (window == NULL) {
        return;
    }
    for (int i = 0; i < VIEW_POINTER_COUNT; i++) {
        SDL_FreeCursor(window->pointers[i]);
    }
    if (window->window != NULL) {
        SDL_DestroyWindow(window->window);
    }
    view_raster_destroy(window->raster);
    view_surface_destroy(&window->shadow);
    SDL_QuitSubSystem(SDL_INIT_VIDEO);
    free(window);
}

/* --- Input
 * ------------------------------------------------------------------------------------------------------ */

static int32_t key_of(SDL_Keycode code)
{
    switch (code) {
    case SDLK_LEFT:
        return VIEW_KEY_LEFT;
    case SDLK_RIGHT:
        return VIEW_KEY_RIGHT;
    case SDLK_UP:
        return VIEW_KEY_UP;
    case SDLK_DOWN:
        return VIEW_KEY_DOWN;
    case SDLK_HOME:
        return VIEW_KEY_HOME;
    case SDLK_END:
        return VIEW_KEY_END;
    case SDLK_PAGEUP:
        return VIEW_KEY_PAGE_UP;
    case SDLK_PAGEDOWN:
        return VIEW_KEY_PAGE_DOWN;
    case SDLK_KP_ENTER:
        return VIEW_KEY_RETURN;
    default:
        break;
    }
    if (code >= SDLK_F1 && code <= SDLK_F12) {
        return VIEW_KEY_F1 + (int32_t)(code - SDLK_F1);
    }
    return code > 0 && code < 256 ? code : VIEW_KEY_NONE;
}

static uint32_t modifiers_of(uint32_t state)
{
    return ((state & KMOD_SHIFT) != 0 ? VIEW_MODIFIER_SHIFT : 0u) |
           ((state & (KMOD_CTRL | KMOD_GUI)) != 0 ? VIEW_MODIFIER_CONTROL : 0u) |
           ((state & KMOD_ALT) != 0 ? VIEW_MODIFIER_ALT : 0u);
}

static void on_key(struct view_window *window, const SDL_KeyboardEvent *event, struct view_input *input)
{
    int32_t key = key_of(event->keysym.sym);
    if (key == VIEW_KEY_F11 && event->repeat == 0) {
        view_window_set_full_screen(window, !view_window_is_full_screen(window));
    } else if (key != VIEW_KEY_NONE) {
        view_input_add_key(input, key, modifiers_of(event->keysym.mod), 0, event->repeat != 0);
    }
}

/* SDL sends the text of a key right after the key: it belongs to the last key that has none. */
static void on_text(const char *utf8, struct view_input *input)
{
    view_input_add_text(input, utf8);
    if (input->key_count > 0 && input->keys[input->key_count - 1].typed == 0) {
        uint32_t typed = 0;
        view_text_decode(utf8, strlen(utf8), &typed);
        input->keys[input->key_count - 1].typed = typed;
    }
}

/* Window coordinates to logical 1/16 px. */
static struct view_point to_logical(const struct view_window *window, int x, int y)
{
    int points_w = 1;
    int points_h = 1;
    SDL_GetWindowSize(window->window, &points_w, &points_h);
    int64_t scale = window->scale_256;
    return (struct view_point){(int32_t)((int64_t)x * window->width_px * 4096 / (points_w * scale)),
                               (int32_t)((int64_t)y * window->height_px * 4096 / (points_h * scale))};
}

static void on_button(struct view_window *window, const SDL_MouseButtonEvent *event, struct view_input *input)
{
    uint32_t button = event->button == SDL_BUTTON_LEFT     ? VIEW_BUTTON_LEFT
                      : event->button == SDL_BUTTON_MIDDLE ? VIEW_BUTTON_MIDDLE
                      : event->button == SDL_BUTTON_RIGHT  ? VIEW_BUTTON_RIGHT
                                                           : 0u;
    input->mouse = to_logical(window, event->x, event->y);
    if (event->type == SDL_MOUSEBUTTONDOWN) {
        SDL_CaptureMouse(SDL_TRUE);
        input->buttons |= button;
        input->buttons_pressed |= button;
        input->double_click = input->double_click || (button == VIEW_BUTTON_LEFT && event->clicks == 2);
        window->press_at = input->mouse;
        window->press_ms = input->now_ms;
        window->press_waits = button == VIEW_BUTTON_LEFT;
    } else {
        input->buttons &= ~button;
        input->buttons_released |= button;
        window->press_waits = false;
        if (input->buttons == 0) {
            SDL_CaptureMouse(SDL_FALSE);
        }
    }
}

static void on_window(struct view_window *window, const SDL_WindowEvent *event, struct view_input *input)
{
    switch (event->event) {
    case SDL_WINDOWEVENT_SIZE_CHANGED:
    case SDL_WINDOWEVENT_DISPLAY_CHANGED:
        measure(window);
        input->resized = true;
        window->exposed = true;
        break;
    case SDL_WINDOWEVENT_EXPOSED:
        input->exposed = true;
        window->exposed = true;
        break;
    case SDL_WINDOWEVENT_ENTER:
        input->mouse_inside = true;
        break;
    case SDL_WINDOWEVENT_LEAVE:
        input->mouse_inside = false;
        break;
    case SDL_WINDOWEVENT_FOCUS_LOST:
        input->buttons = 0;
        window->press_waits = false;
        break;
    default:
        break;
    }
}

static void on_event(struct view_window *window, const SDL_Event *event, struct view_input *input)
{
    switch (event->type) {
    case SDL_QUIT:
        input->quit = true;
        break;
    case SDL_WINDOWEVENT:
        on_window(window, &event->window, input);
        break;
    case SDL_KEYDOWN:
        on_key(window, &event->key, input);
        break;
    case SDL_TEXTINPUT:
        on_text(event->text.text, input);
        break;
    case SDL_MOUSEMOTION:
        input->mouse = to_logical(window, event->motion.x, event->motion.y);
        input->mouse_inside = true;
        break;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP:
        on_button(window, &event->button, input);
        break;
    case SDL_MOUSEWHEEL: {
        int32_t direction = event->wheel.direction == SDL_MOUSEWHEEL_FLIPPED ? 1 : -1;
        input->wheel.x -= direction * event->wheel.x * WHEEL_STEP;
        input->wheel.y += direction * event->wheel.y * WHEEL_STEP;
        break;
    }
    default:
        break;
    }
}

static void check_long_press(struct view_window *window, struct view_input *input)
{
    int32_t dx = input->mouse.x - window->press_at.x;
    int32_t dy = input->mouse.y - window->press_at.y;
    const int32_t still = VIEW_PX(STILL_PX);
    if (dx > still || dx < -still || dy > still || dy < -still) {
        window->press_waits = false;
    }
    if (window->press_waits && input->now_ms - window->press_ms >= LONG_PRESS_MS) {
        window->press_waits = false;
        input->long_press = true;
    }
}

void view_window_poll(struct view_window *window, int32_t wait_ms, struct view_input *input)
{
    view_input_begin_frame(input, (int64_t)(now_us() / 1000));
    if (window->press_waits) {
        int64_t left = window->press_ms + LONG_PRESS_MS - input->now_ms;
        left = left > 0 ? left : 0;
        wait_ms = wait_ms < 0 || left < wait_ms ? (int32_t)left : wait_ms;
    }
    SDL_Event event;
    int some = wait_ms == 0  ? SDL_PollEvent(&event)
               : wait_ms < 0 ? SDL_WaitEvent(&event)
                             : SDL_WaitEventTimeout(&event, wait_ms);
    input->now_ms = (int64_t)(now_us() / 1000);
    /* A press and its release in one batch stay two frames, so that no click is lost. */
    while (some != 0) {
        on_event(window, &event, input);
        if (input->buttons_pressed != 0 || input->buttons_released != 0) {
            break;
        }
        some = SDL_PollEvent(&event);
    }
    check_long_press(window, input);
    input->modifiers = modifiers_of((uint32_t)SDL_GetModState());
    input->scale_256 = window->scale_256;
    input->width = (int32_t)((int64_t)window->width_px * 4096 / window->scale_256);
    input->height = (int32_t)((int64_t)window->height_px * 4096 / window->scale_256);
}

int32_t view_window_frame_wait_ms(struct view_window *window)
{
    uint64_t now = now_us();
    if (window->next_frame_us + 5 * (uint64_t)FRAME_US < now) {
        window->next_frame_us = now;
    }
    return window->next_frame_us > now ? (int32_t)((window->next_frame_us - now) / 1000) : 0;
}

/* --- Presentation
 * ----------------------------------------------------------------------------------------------- */

/* A surface of ours of the window's size, for windows of another pixel format. */
static bool prepare_shadow(struct view_window *window, int32_t width, int32_t height)
{
    if (window->shadow.pixels == NULL || window->shadow.width != width || window->shadow.height != height) {
        view_surface_destroy(&window->shadow);
        window->shadow = view_surface_create(width, height);
    }
    return window->shadow.pixels != NULL;
}

static bool draw_through_shadow(struct view_window *window, const struct view_draw_list *list,
                                struct view_text *text, SDL_Surface *target)
{
    if (!prepare_shadow(window, target->w, target->h)) {
        return false;
    }
    view_raster_draw(window->raster, list, text, window->scale_256, window->shadow);
    SDL_Surface *source =
        SDL_CreateRGBSurfaceWithFormatFrom(window->shadow.pixels, target->w, target->h, 32,
                                           window->shadow.stride_pixels * 4, SDL_PIXELFORMAT_RGB888);
    if (source == NULL) {
        return false;
    }
    bool copied = SDL_BlitSurface(source, NULL, target, NULL) == 0;
    SDL_FreeSurface(source);
    return copied;
}

static bool draw_directly(struct view_window *window, const struct view_draw_list *list,
                          struct view_text *text, SDL_Surface *target)
{
    if (SDL_MUSTLOCK(target) && SDL_LockSurface(target) != 0) {
        return false;
    }
    struct view_surface surface = {target->pixels, target->w, target->h, target->pitch / 4};
    view_raster_draw(window->raster, list, text, window->scale_256, surface);
    if (SDL_MUSTLOCK(target)) {
        SDL_UnlockSurface(target);
    }
    return true;
}

bool view_window_present(struct view_window *window, const struct view_draw_list *list,
                         struct view_text *text)
{
    uint64_t now = now_us();
    uint64_t due = window->next_frame_us + FRAME_US;
    window->next_frame_us = due > now ? due : now + FRAME_US;
    uint64_t hash = view_draw_list_hash(list) ^ (uint64_t)window->scale_256 << 40;
    if (window->shown && !window->exposed && hash == window->shown_hash) {
        return false;
    }
    SDL_Surface *target = SDL_GetWindowSurface(window->window);
    if (target == NULL) {
        return false;
    }
    uint32_t format = target->format->format;
    bool drawn = format == SDL_PIXELFORMAT_RGB888 || format == SDL_PIXELFORMAT_ARGB8888
                     ? draw_directly(window, list, text, target)
                     : draw_through_shadow(window, list, text, target);
    if (!drawn || SDL_UpdateWindowSurface(window->window) != 0) {
        return false;
    }
    window->shown = true;
    window->exposed = false;
    window->shown_hash = hash;
    return true;
}

void view_window_invalidate(struct view_window *window)
{
    window->shown = false;
}

void view_window_set_full_screen(struct view_window *window, bool full_screen)
{
    SDL_SetWindowFullscreen(window->window, full_screen ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0);
}

bool view_window_is_full_screen(const struct view_window *window)
{
    return (SDL_GetWindowFlags(window->window) & SDL_WINDOW_FULLSCREEN_DESKTOP) != 0;
}

void view_window_set_title(struct view_window *window, const char *title)
{
    SDL_SetWindowTitle(window->window, title);
}

void view_window_set_pointer(struct view_window *window, enum view_pointer pointer)
{
    if (pointer != window->pointer && window->pointers[pointer] != NULL) {
        SDL_SetCursor(window->pointers[pointer]);
        window->pointer = pointer;
    }
}

bool view_window_copy(struct view_window *window, const char *utf8)
{
    return window->window != NULL && SDL_SetClipboardText(utf8) == 0;
}
