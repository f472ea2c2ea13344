/*
 * Pictures of the test scene, without a display.
 *
 *     render_scene FILE.png WIDTH HEIGHT [dark|light] [presenter] [scale=512] [menu] [keys] [toast] [tip]
 */
#include "scene.h"

#include "view/picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has(int argc, char **argv, const char *word)
{
    for (int i = 4; i < argc; i++) {
        if (strcmp(argv[i], word) == 0) {
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fputs("usage: render_scene FILE.png WIDTH HEIGHT [dark|light] [presenter] [scale=N] [menu] [keys] "
              "[toast]\n",
              stderr);
        return 2;
    }
    uint32_t scale = 256;
    for (int i = 4; i < argc; i++) {
        if (strncmp(argv[i], "scale=", 6) == 0) {
            scale = (uint32_t)strtoul(argv[i] + 6, NULL, 10);
        }
    }
    struct view_theme theme;
    view_theme_init(&theme, has(argc, argv, "light") ? VIEW_THEME_LIGHT : VIEW_THEME_DARK,
                    has(argc, argv, "presenter"));
    struct view_text *text = view_text_create(NULL);
    struct view_draw_list list;
    view_draw_list_init(&list);
    struct view_input input = {.scale_256 = scale, .now_ms = 1000};
    input.width = (int32_t)(strtol(argv[2], NULL, 10) * 4096 / (long)scale);
    input.height = (int32_t)(strtol(argv[3], NULL, 10) * 4096 / (long)scale);
    struct scene scene;
    scene_init(&scene);
    scene_build(&scene, &list, text, &theme, &input);
    scene.key_card_open = has(argc, argv, "keys");
    scene.toast = has(argc, argv, "toast");
    scene.menu_open = has(argc, argv, "menu");
    scene.menu_at = (struct view_point){input.width / 2, input.height / 2};
    if (has(argc, argv, "tip")) {
        const struct view_hit *target = view_draw_list_find(&list, view_id_make(SCENE_BUTTON, 3, 0));
        input.mouse_inside = target != NULL;
        input.mouse =
            target != NULL ? (struct view_point){target->rect.x + 100, target->rect.y + 100} : input.mouse;
        scene_build(&scene, &list, text, &theme, &input);
        input.now_ms += 1000;
    }
    scene_build(&scene, &list, text, &theme, &input);
    char message[200] = "";
    bool written = view_picture_write_png(&list, text, scale, argv[1], message, sizeof message);
    if (!written) {
        fprintf(stderr, "%s: %s\n", argv[1], message);
    }
    view_draw_list_release(&list);
    view_text_destroy(text);
    return written ? EXIT_SUCCESS : EXIT_FAILURE;
}
