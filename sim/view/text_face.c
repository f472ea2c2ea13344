/* Font files as TTF_Font: which file, which size, which character is where. */
#include "view/text_private.h"

#include <string.h>

struct view_face *view_face_get(struct view_text *text, uint32_t index)
{
    struct view_face *face = &text->faces[index];
    if (face->tried) {
        return face->measure != NULL ? face : NULL;
    }
    face->tried = true;
    if (index < VIEW_FACE_FIXED) {
        uint32_t row = index / VIEW_WEIGHT_COUNT;
        const char *generic = row == VIEW_FAMILY_MONO ? "monospace" : "sans-serif";
        enum view_weight weight = (enum view_weight)(index % VIEW_WEIGHT_COUNT);
        if (text->finder == NULL ||
            !view_font_find(text->finder, text->names[row], generic, weight, &face->file)) {
            return NULL;
        }
    }
    face->measure = TTF_OpenFontIndex(face->file.path, VIEW_MEASURE_PX, face->file.index);
    if (face->measure == NULL) {
        return NULL;
    }
    TTF_SetFontHinting(face->measure, TTF_HINTING_NONE);
    int height = 0;
    TTF_SizeUTF8(face->measure, " ", &face->space_width, &height);
    return face;
}

int64_t view_face_advance_em(struct view_face *face, const char *utf8)
{
    /* A size reaches from the leftmost ink to the last advance or ink; with a space behind it, it is the
     * advance. */
    char spaced[VIEW_TOKEN_BYTES + 2];
    size_t length = strlen(utf8);
    memcpy(spaced, utf8, length);
    memcpy(spaced + length, " ", 2);
    int width = 0;
    int height = 0;
    if (TTF_SizeUTF8(face->measure, spaced, &width, &height) != 0) {
        return 0;
    }
    uint32_t first = 0;
    view_text_decode(utf8, length, &first);
    int left = 0;
    if (TTF_GlyphMetrics32(face->measure, first, &left, NULL, NULL, NULL, NULL) != 0 || left > 0) {
        left = 0;
    }
    int64_t advance = (int64_t)width + left - face->space_width;
    return (advance > 0 ? advance : 0) * 65536 / VIEW_MEASURE_PX;
}

static bool has(struct view_text *text, uint32_t index, uint32_t codepoint)
{
    struct view_face *face = view_face_get(text, index);
    return face != NULL && TTF_GlyphIsProvided32(face->measure, codepoint) != 0;
}

static uint32_t find_spare(struct view_text *text, uint32_t wanted, uint32_t codepoint)
{
    for (uint32_t i = 0; i < text->spare_count; i++) {
        if (has(text, VIEW_FACE_FIXED + i, codepoint)) {
            return VIEW_FACE_FIXED + i;
        }
    }
    struct view_font_file file = {"", 0};
    if (text->spare_count == VIEW_FACE_SPARE || text->finder == NULL ||
        !view_font_find_character(text->finder, codepoint, (enum view_weight)(wanted % VIEW_WEIGHT_COUNT),
                                  &file)) {
        return wanted;
    }
    uint32_t index = VIEW_FACE_FIXED + text->spare_count;
    text->faces[index] = (struct view_face){.file = file};
    if (has(text, index, codepoint)) {
        text->spare_count++;
        return index;
    }
    if (text->faces[index].measure != NULL) {
        TTF_CloseFont(text->faces[index].measure);
    }
    text->faces[index] = (struct view_face){0};
    return wanted;
}

uint32_t view_face_for(struct view_text *text, uint32_t wanted, uint32_t codepoint)
{
    if (codepoint < 0x7F) {
        return wanted;
    }
    uint32_t slot = (codepoint * 31 + wanted * 7) % VIEW_CHOICE_SLOTS;
    if (text->choices[slot].codepoint == codepoint && text->choices[slot].wanted == wanted) {
        return text->choices[slot].chosen;
    }
    uint32_t chosen = wanted;
    uint32_t cjk = VIEW_FACE_CJK * VIEW_WEIGHT_COUNT + wanted % VIEW_WEIGHT_COUNT;
    if (!has(text, wanted, codepoint)) {
        chosen = has(text, cjk, codepoint) ? cjk : find_spare(text, wanted, codepoint);
    }
    text->choices[slot].codepoint = codepoint;
    text->choices[slot].wanted = (uint8_t)wanted;
    text->choices[slot].chosen = (uint8_t)chosen;
    return chosen;
}

struct view_sized *view_face_sized(struct view_text *text, uint32_t face, uint32_t px8)
{
    for (uint32_t i = 0; i < text->sized_count; i++) {
        if (text->sized[i].face == face && text->sized[i].px8 == px8) {
            return &text->sized[i];
        }
    }
    const struct view_face *source = view_face_get(text, face);
    if (source == NULL) {
        return NULL;
    }
    /* 9 dots an inch make a point an eighth of a pixel, which is how a size finer than a pixel gets in. */
    TTF_Font *font = TTF_OpenFontIndexDPI(source->file.path, (int)px8, source->file.index, 9, 9);
    if (font == NULL) {
        return NULL;
    }
    TTF_SetFontHinting(font, TTF_HINTING_LIGHT_SUBPIXEL);
    uint32_t index = text->sized_count;
    if (index < VIEW_SIZED_COUNT) {
        text->sized_count++;
    } else {
        index = text->sized_next++ % VIEW_SIZED_COUNT;
        TTF_CloseFont(text->sized[index].font);
    }
    text->sized[index] = (struct view_sized){(uint8_t)face, (uint16_t)px8, font, TTF_FontAscent(font)};
    return &text->sized[index];
}

void view_face_release_all(struct view_text *text)
{
    for (uint32_t i = 0; i < text->sized_count; i++) {
        TTF_CloseFont(text->sized[i].font);
    }
    for (uint32_t i = 0; i < VIEW_FACE_COUNT; i++) {
        if (text->faces[i].measure != NULL) {
            TTF_CloseFont(text->faces[i].measure);
        }
    }
}
