#include "view/input.h"

#include <string.h>

void view_input_begin_frame(struct view_input *input, int64_t now_ms)
{
    input->now_ms = now_ms;
    input->buttons_pressed = input->buttons_released = 0;
    input->double_click = input->long_press = false;
    input->wheel = (struct view_point){0, 0};
    input->key_count = 0;
    input->text[0] = '\0';
    input->text_count = 0;
    input->resized = input->exposed = false;
}

void view_input_add_key(struct view_input *input, int32_t key, uint32_t modifiers, uint32_t typed,
                        bool repeated)
{
    if (input->key_count < VIEW_INPUT_KEY_COUNT) {
        input->keys[input->key_count++] = (struct view_key_press){key, modifiers, typed, repeated};
    }
}

void view_input_add_text(struct view_input *input, const char *utf8)
{
    size_t length = strlen(utf8);
    if (input->text_count + length < VIEW_INPUT_TEXT_BYTES) {
        memcpy(input->text + input->text_count, utf8, length + 1);
        input->text_count += (uint32_t)length;
    }
}

bool view_input_has_key(const struct view_input *input, int32_t key, uint32_t modifiers)
{
    for (uint32_t i = 0; i < input->key_count; i++) {
        if (input->keys[i].key == key && input->keys[i].modifiers == modifiers) {
            return true;
        }
    }
    return false;
}
