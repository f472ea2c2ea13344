/**
 * A scene that shows every widget of the toolkit, for pictures and tests. Nothing of it is in the product.
 */
#ifndef LINGER_TESTS_VIEW_SCENE_H
#define LINGER_TESTS_VIEW_SCENE_H

#include "view/widget.h"

enum scene_kind {
    SCENE_BUTTON = 1,
    SCENE_ICON,
    SCENE_TAB,
    SCENE_SLIDER,
    SCENE_FIELD,
    SCENE_SCROLL,
    SCENE_LAMP,
    SCENE_CARD,
    SCENE_CHIP,
    SCENE_MENU,
    SCENE_KEY_CARD,
    SCENE_PLOT,
    SCENE_ANSWER,
};

struct scene {
    struct view_ui ui;
    uint32_t tab;
    int32_t linger_ms;
    int32_t scroll;
    struct view_field field;
    uint32_t answer;
    int32_t click_count;
    bool menu_open, key_card_open, toast;
    struct view_point menu_at;
    int32_t chosen;
    bool playing;
};

void scene_init(struct scene *scene);
/** Build one frame. Returns what view_ui_end() said. */
int32_t scene_build(struct scene *scene, struct view_draw_list *list, struct view_text *text,
                    const struct view_theme *theme, const struct view_input *input);

#endif
