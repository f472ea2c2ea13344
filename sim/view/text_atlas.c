/* The atlas: shaped phrases as A8 masks on shelves, found again by hash. When it is full it starts over. */
#include "view/text_private.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_token(uint32_t face, uint32_t px8, const char *bytes, uint32_t length)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325) ^ ((uint64_t)face << 16 | px8);
    hash *= UINT64_C(0x100000001B3);
    for (uint32_t i = 0; i < length; i++) {
        hash = (hash ^ (uint8_t)bytes[i]) * UINT64_C(0x100000001B3);
    }
    hash ^= hash >> 32;
    return hash != 0 ? hash : 1;
}

static void flush(struct view_text *text)
{
    memset(text->tokens, 0, VIEW_TOKEN_SLOTS * sizeof *text->tokens);
    text->token_count = 0;
    text->atlas.page = 0;
    text->atlas.x = text->atlas.y = text->atlas.shelf = 0;
    text->stats.flush_count++;
}

/* Room for a mask, a pixel apart from its neighbours. False when the atlas is full. */
static bool place(struct view_atlas *atlas, int32_t width, int32_t height)
{
    if (width + 1 > VIEW_ATLAS_SIDE || height + 1 > VIEW_ATLAS_SIDE) {
        return false;
    }
    if (atlas->x + width + 1 > VIEW_ATLAS_SIDE) {
        atlas->x = 0;
        atlas->y += atlas->shelf;
        atlas->shelf = 0;
    }
    if (atlas->y + height + 1 > VIEW_ATLAS_SIDE) {
        if (atlas->page + 1 == VIEW_ATLAS_PAGES) {
            return false;
        }
        atlas->page++;
        atlas->x = atlas->y = atlas->shelf = 0;
    }
    if (atlas->pages[atlas->page] == NULL) {
        atlas->pages[atlas->page] = calloc(VIEW_ATLAS_SIDE, VIEW_ATLAS_SIDE);
        if (atlas->pages[atlas->page] == NULL) {
            return false;
        }
    }
    atlas->shelf = height + 1 > atlas->shelf ? height + 1 : atlas->shelf;
    return true;
}

/* The rectangle of a picture that has ink. */
static SDL_Rect ink_of(const SDL_Surface *picture)
{
    int low_x = picture->w;
    int low_y = picture->h;
    int high_x = -1;
    int high_y = -1;
    for (int y = 0; y < picture->h; y++) {
        const uint32_t *row =
            (const uint32_t *)(const void *)((const char *)picture->pixels + y * picture->pitch);
        for (int x = 0; x < picture->w; x++) {
            if (row[x] >> 24 != 0) {
                low_x = x < low_x ? x : low_x;
                high_x = x > high_x ? x : high_x;
                low_y = y < low_y ? y : low_y;
                high_y = y > high_y ? y : high_y;
            }
        }
    }
    SDL_Rect ink = {low_x, low_y, high_x - low_x + 1, high_y - low_y + 1};
    if (high_x < 0) {
        ink = (SDL_Rect){0, 0, 0, 0};
    }
    return ink;
}

/* SDL_ttf shifts a picture right when its first glyph reaches left of the pen, and down when one rises over
 * the ascent. */
static void shift_of(const struct view_sized *sized, const char *bytes, uint32_t length, int *left, int *rise)
{
    *left = 0;
    *rise = 0;
    uint32_t at = 0;
    while (at < length) {
        uint32_t codepoint = 0;
        int min_x = 0;
        int max_y = 0;
        bool first = at == 0;
        at += (uint32_t)view_text_decode(bytes + at, length - at, &codepoint);
        if (TTF_GlyphMetrics32(sized->font, codepoint, &min_x, NULL, NULL, &max_y, NULL) == 0) {
            *left = first && min_x < 0 ? min_x : *left;
            *rise = max_y - sized->ascent_px > *rise ? max_y - sized->ascent_px : *rise;
        }
    }
}

static bool render(struct view_text *text, struct view_token *token)
{
    char string[VIEW_TOKEN_BYTES + 1];
    memcpy(string, token->bytes, token->length);
    string[token->length] = '\0';
    const struct view_sized *sized = view_face_sized(text, token->face, token->px8);
    if (sized == NULL) {
        return true;
    }
    text->stats.render_count++;
    SDL_Color white = {255, 255, 255, 255};
    SDL_Surface *picture = TTF_RenderUTF8_Blended(sized->font, string, white);
    if (picture == NULL) {
        return true;
    }
    SDL_Rect ink = ink_of(picture);
    bool placed = ink.w == 0 || place(&text->atlas, ink.w, ink.h);
    if (placed && ink.w > 0) {
        int left = 0;
        int rise = 0;
        shift_of(sized, token->bytes, token->length, &left, &rise);
        struct view_atlas *atlas = &text->atlas;
        token->left = (int16_t)(ink.x + left);
        token->top = (int16_t)(sized->ascent_px + rise - ink.y);
        token->width = (int16_t)ink.w;
        token->height = (int16_t)ink.h;
        token->page = (uint16_t)atlas->page;
        token->x = (uint16_t)atlas->x;
        token->y = (uint16_t)atlas->y;
        for (int y = 0; y < ink.h; y++) {
            const uint32_t *row = (const uint32_t *)(const void *)((const char *)picture->pixels +
                                                                   (ink.y + y) * picture->pitch);
            uint8_t *to = atlas->pages[atlas->page] + (size_t)(atlas->y + y) * VIEW_ATLAS_SIDE + atlas->x;
            for (int x = 0; x < ink.w; x++) {
                to[x] = (uint8_t)(row[ink.x + x] >> 24);
            }
        }
        atlas->x += ink.w + 1;
    }
    SDL_FreeSurface(picture);
    return placed;
}

static void measure(struct view_text *text, struct view_token *token)
{
    char string[VIEW_TOKEN_BYTES + 1];
    memcpy(string, token->bytes, token->length);
    string[token->length] = '\0';
    struct view_face *face = view_face_get(text, token->face);
    if (face != NULL) {
        token->advance_64 = (int32_t)((view_face_advance_em(face, string) * token->px8 * 8 + 32768) / 65536);
    }
}

/* The slot of a piece, or the empty one where it belongs. */
static struct view_token *find_slot(struct view_text *text, const struct view_token *wanted)
{
    uint32_t slot = (uint32_t)wanted->hash % VIEW_TOKEN_SLOTS;
    for (;;) {
        struct view_token *token = &text->tokens[slot];
        bool same = token->hash == wanted->hash && token->face == wanted->face && token->px8 == wanted->px8 &&
                    token->length == wanted->length &&
                    memcmp(token->bytes, wanted->bytes, wanted->length) == 0;
        if (token->hash == 0 || same) {
            return token;
        }
        slot = (slot + 1) % VIEW_TOKEN_SLOTS;
    }
}

const struct view_token *view_token_get(struct view_text *text, uint32_t face, uint32_t px8,
                                        const char *bytes, uint32_t length, bool drawn)
{
    text->stats.lookup_count++;
    struct view_token wanted = {.hash = hash_token(face, px8, bytes, length),
                                .face = (uint8_t)face,
                                .length = (uint8_t)length,
                                .px8 = (uint16_t)px8};
    memcpy(wanted.bytes, bytes, length);
    struct view_token *token = find_slot(text, &wanted);
    if (token->hash == 0) {
        if (text->token_count >= VIEW_TOKEN_LIMIT) {
            flush(text);
            token = find_slot(text, &wanted);
        }
        measure(text, &wanted);
        *token = wanted;
        text->token_count++;
    }
    if (drawn && !token->rendered) {
        if (!render(text, token)) {
            wanted = *token;
            flush(text);
            token = find_slot(text, &wanted);
            *token = wanted;
            text->token_count++;
            /* What is too large even for an empty atlas keeps its width and stays invisible. */
            (void)render(text, token);
        }
        token->rendered = true;
    }
    return token;
}

void view_atlas_release(struct view_text *text)
{
    for (uint32_t i = 0; i < VIEW_ATLAS_PAGES; i++) {
        free(text->atlas.pages[i]);
    }
    free(text->tokens);
}
