/*
 * The test scene in a real window, for tests/view/window_test.sh.
 *
 *     window_scene FILE.png
 *
 * F1 writes what is shown, drawn without the display, to FILE.png. Leaves on q, and says how often it drew.
 */
#include "scene.h"

#include "view/picture.h"
#include "view/window.h"

#include <stdio.h>
#include <stdlib.h>

static struct scene scene;

static bool handle_keys(const struct view_input *input, const struct view_draw_list *list,
                        struct view_text *text, struct view_theme *theme, const char *path)
{
    char message[200] = "";
    if (view_input_has_key(input, VIEW_KEY_F1, 0)) {
        if (!view_picture_write_png(list, text, input->scale_256, path, message, sizeof message)) {
            fprintf(stderr, "%s: %s\n", path, message);
        }
        puts("written");
        fflush(stdout);
    }
    if (scene.ui.key_taken) {
        return true;
    }
    if (view_input_has_key(input, 't', 0)) {
        view_theme_init(theme, theme->kind == VIEW_THEME_DARK ? VIEW_THEME_LIGHT : VIEW_THEME_DARK,
                        theme->presenter);
    }
    if (view_input_has_key(input, 'p', 0)) {
        view_theme_init(theme, theme->kind, !theme->presenter);
    }
    for (uint32_t i = 0; i < input->key_count; i++) {
        scene.key_card_open = input->keys[i].typed == '?' ? !scene.key_card_open : scene.key_card_open;
    }
    return !view_input_has_key(input, 'q', 0);
}

int main(int argc, char **argv)
{
    struct view_window_options options = {.title = "linger test scene", .width = 1280, .height = 720};
    struct view_window *window = view_window_create(&options);
    if (argc < 2 || window == NULL) {
        fprintf(stderr, "window_scene FILE.png: %s\n", view_window_error());
        return EXIT_FAILURE;
    }
    struct view_text *text = view_text_create(NULL);
    struct view_theme theme;
    view_theme_init(&theme, VIEW_THEME_DARK, false);
    struct view_draw_list list;
    view_draw_list_init(&list);
    struct view_input input = {0};
    scene_init(&scene);
    uint32_t frames = 0;
    uint32_t drawn = 0;
    int32_t wait_ms = 0;
    bool running = true;
    while (running && !input.quit) {
        view_window_poll(window, wait_ms, &input);
        int32_t due_ms = scene_build(&scene, &list, text, &theme, &input);
        bool shown = view_window_present(window, &list, text);
        running = handle_keys(&input, &list, text, &theme, argv[1]);
        frames++;
        drawn += shown;
        /* What a widget answered shows in the frame after; then nothing happens by itself. */
        bool happened =
            shown || input.key_count > 0 || input.buttons_pressed != 0 || input.buttons_released != 0;
        wait_ms = happened ? view_window_frame_wait_ms(window) : due_ms;
        if (frames == 1) {
            puts("ready");
            fflush(stdout);
        }
    }
    printf("frames %u drawn %u clicks %d linger %d chosen %d field %s\n", frames, drawn,
           (int)scene.click_count, (int)scene.linger_ms, (int)scene.chosen, scene.field.bytes);
    view_draw_list_release(&list);
    view_text_destroy(text);
    view_window_destroy(window);
    return EXIT_SUCCESS;
}
