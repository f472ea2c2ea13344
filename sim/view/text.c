#include "view/text.h"

#include "base/assert.h"
#include "view/text_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct view_text *view_text_create(const struct view_text_options *options)
{
    static const struct view_text_options none = {0};
    options = options != NULL ? options : &none;
    struct view_text *text = calloc(1, sizeof *text);
    if (text == NULL) {
        return NULL;
    }
    text->scale_256 = 256;
    text->tokens = calloc(VIEW_TOKEN_SLOTS, sizeof *text->tokens);
    if (text->tokens == NULL) {
        free(text);
        return NULL;
    }
    const char *names[VIEW_FACE_ROWS] = {options->sans_name != NULL ? options->sans_name : "Inter",
                                         options->mono_name != NULL ? options->mono_name : "JetBrains Mono",
                                         options->cjk_name != NULL ? options->cjk_name : "Noto Sans CJK SC"};
    for (uint32_t row = 0; row < VIEW_FACE_ROWS; row++) {
        snprintf(text->names[row], sizeof text->names[row], "%s", names[row]);
    }
    text->fixed = options->fixed_metrics;
    if (!text->fixed) {
        text->ttf_ready = TTF_Init() == 0;
        text->finder = text->ttf_ready ? view_font_finder_create() : NULL;
        /* Without any font the boxes of fixed width still show where text would be. */
        text->fixed = text->finder == NULL || view_face_get(text, 0) == NULL ||
                      view_face_get(text, VIEW_FAMILY_MONO * VIEW_WEIGHT_COUNT) == NULL;
    }
    return text;
}

void view_text_destroy(struct view_text *text)
{
    if (text == NULL) {
        return;
    }
    view_face_release_all(text);
    view_atlas_release(text);
    view_font_finder_destroy(text->finder);
    if (text->ttf_ready) {
        TTF_Quit();
    }
    free(text);
}

void view_text_set_scale(struct view_text *text, uint32_t scale_256)
{
    KB_ASSERT(scale_256 > 0);
    text->scale_256 = scale_256;
}

static uint32_t face_of(struct view_font font)
{
    return (uint32_t)font.family * VIEW_WEIGHT_COUNT + font.weight;
}

static uint32_t device_px8(const struct view_text *text, struct view_font font)
{
    return (uint32_t)(((uint64_t)font.size_px16 * text->scale_256 + 256) / 512);
}

const char *view_text_font_path(const struct view_text *text, struct view_font font)
{
    return text->fixed ? "" : text->faces[face_of(font)].file.path;
}

struct view_text_stats view_text_stats(const struct view_text *text)
{
    return text->stats;
}

struct view_text_metrics view_text_metrics(struct view_text *text, struct view_font font)
{
    int32_t em = font.size_px16;
    struct view_text_metrics metrics = {em, em / 4, em * 5 / 4, em * 3 / 4};
    struct view_face *face = text->fixed ? NULL : view_face_get(text, face_of(font));
    if (face != NULL) {
        int cap = 0;
        metrics.ascent = TTF_FontAscent(face->measure) * em / VIEW_MEASURE_PX;
        metrics.descent = -TTF_FontDescent(face->measure) * em / VIEW_MEASURE_PX;
        metrics.line_height = (metrics.ascent + metrics.descent) * 9 / 8;
        if (TTF_GlyphMetrics32(face->measure, 'H', NULL, NULL, NULL, &cap, NULL) == 0 && cap > 0) {
            metrics.cap_height = cap * em / VIEW_MEASURE_PX;
        }
    }
    return metrics;
}

/* --- UTF-8 and the pieces of a run
 * ------------------------------------------------------------------------------ */

size_t view_text_decode(const char *utf8, size_t length_bytes, uint32_t *codepoint)
{
    const unsigned char *s = (const unsigned char *)utf8;
    *codepoint = 0xFFFD;
    if (length_bytes == 0) {
        return 0;
    }
    if (s[0] < 0x80) {
        *codepoint = s[0] < 0x20 || s[0] == 0x7F ? (s[0] == '\n' || s[0] == '\t' ? ' ' : 0xFFFD) : s[0];
        return 1;
    }
    size_t count = s[0] >= 0xF0 && s[0] < 0xF5   ? 4
                   : s[0] >= 0xE0 && s[0] < 0xF0 ? 3
                   : s[0] >= 0xC2 && s[0] < 0xE0 ? 2
                                                 : 0;
    if (count == 0 || count > length_bytes) {
        return 1;
    }
    uint32_t value = s[0] & (0xFFu >> (count + 1));
    for (size_t i = 1; i < count; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 1;
        }
        value = value << 6 | (s[i] & 0x3Fu);
    }
    bool overlong = (count == 3 && value < 0x800) || (count == 4 && value < 0x10000);
    if (overlong || (value >= 0xD800 && value < 0xE000) || value > 0x10FFFF) {
        return 1;
    }
    *codepoint = value;
    return count;
}

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= 0xC0 && c < 0x250 && c != 0xD7 && c != 0xF7);
}

/* What is shaped together with the words around it; signs that fonts join into arrows and the like are not.
 */
static bool is_phrase(uint32_t c, bool mono)
{
    return is_letter(c) || (!mono && (c == ' ' || c == ',' || c == '.' || c == ':' || c == ';' || c == '\''));
}

struct piece {
    uint32_t face, length;
    char replacement[4]; /* what is drawn instead of a malformed byte */
    bool replaced;
};

/* How far the piece reaches that begins with this character. */
static uint32_t extend_piece(struct view_text *text, struct view_font font, const char *utf8, size_t length,
                             uint32_t first, bool digits)
{
    bool mono = font.family == VIEW_FAMILY_MONO;
    uint32_t at = first;
    for (uint32_t characters = 1; at < length; characters++) {
        uint32_t codepoint = 0;
        uint32_t step = (uint32_t)view_text_decode(utf8 + at, length - at, &codepoint);
        bool alike = digits ? is_digit(codepoint) && characters < 3 : is_phrase(codepoint, mono);
        /* Two of a hexadecimal number, whatever they are. */
        bool pair = mono && characters == 1 && (is_digit(codepoint) || is_letter(codepoint));
        bool tab = codepoint == ' ' && utf8[at] != ' ';
        if (!(alike || pair) || tab || at + step > VIEW_TOKEN_BYTES ||
            (codepoint >= 0x80 && view_face_for(text, face_of(font), codepoint) != face_of(font))) {
            break;
        }
        at += step;
        if (!alike) {
            break;
        }
    }
    return at;
}

/*
 * The next piece of a run that is shaped as one: a phrase without digits, a few digits, or one character.
 * Numbers come in small pieces, so that a running clock meets the same few again; mono letters mixed with
 * digits likewise.
 */
static uint32_t next_piece(struct view_text *text, struct view_font font, const char *utf8, size_t length,
                           struct piece *piece)
{
    uint32_t codepoint = 0;
    uint32_t first = (uint32_t)view_text_decode(utf8, length, &codepoint);
    piece->replaced = codepoint == 0xFFFD || (codepoint == ' ' && utf8[0] != ' ');
    piece->face = view_face_for(text, face_of(font), codepoint);
    piece->length = first;
    if (piece->replaced) {
        memcpy(piece->replacement, codepoint == ' ' ? " " : "\xEF\xBF\xBD", codepoint == ' ' ? 2 : 4);
        return first;
    }
    bool digits = is_digit(codepoint);
    if (piece->face == face_of(font) && (digits || is_phrase(codepoint, font.family == VIEW_FAMILY_MONO))) {
        piece->length = extend_piece(text, font, utf8, length, first, digits);
    }
    return piece->length;
}

static const struct view_token *token_of(struct view_text *text, struct view_font font, const char *utf8,
                                         const struct piece *piece, bool drawn)
{
    uint32_t px8 = device_px8(text, font);
    if (piece->replaced) {
        return view_token_get(text, piece->face, px8, piece->replacement,
                              (uint32_t)strlen(piece->replacement), drawn);
    }
    return view_token_get(text, piece->face, px8, utf8, piece->length, drawn);
}

static bool is_wide(uint32_t c)
{
    return (c >= 0x1100 && c < 0x1160) || (c >= 0x2E80 && c < 0xA4D0) || (c >= 0xAC00 && c < 0xD7A4) ||
           (c >= 0xF900 && c < 0xFB00) || (c >= 0xFE30 && c < 0xFE70) || (c >= 0xFF00 && c < 0xFF61) ||
           (c >= 0x20000 && c < 0x30000);
}

/* Fixed metrics: half an em, one for ideographs; in 1/64 device pixel. */
static int32_t fixed_advance_64(const struct view_text *text, struct view_font font, uint32_t codepoint)
{
    int32_t em = (int32_t)device_px8(text, font) * 8;
    return is_wide(codepoint) ? em : em / 2;
}

/* --- Walking and measuring
 * -------------------------------------------------------------------------------------- */

static bool next_box(struct view_text *text, struct view_text_cursor *cursor, int32_t *pen_x,
                     struct view_glyph *glyph)
{
    static const uint8_t solid[64] = {160, 160, 160, 160, 160, 160, 160, 160, 160, 160, 160, 160, 160,
                                      160, 160, 160, 160, 160, 160, 160, 160, 160, 160, 160, 160, 160,
                                      160, 160, 160, 160, 160, 160, 160, 160, 160, 160, 160, 160, 160,
                                      160, 160, 160, 160, 160, 160, 160, 160, 160, 160, 160, 160, 160,
                                      160, 160, 160, 160, 160, 160, 160, 160, 160, 160, 160, 160};
    while (cursor->length_bytes > 0) {
        uint32_t codepoint = 0;
        size_t step = view_text_decode(cursor->utf8, cursor->length_bytes, &codepoint);
        int32_t advance = fixed_advance_64(text, cursor->font, codepoint);
        *pen_x = cursor->pen_x;
        cursor->pen_x += advance;
        cursor->utf8 += step;
        cursor->length_bytes -= step;
        if (codepoint != ' ') {
            int32_t height = (int32_t)device_px8(text, cursor->font) / 16;
            int32_t width = advance / 64 - 1;
            width = width > 64 ? 64 : width;
            *glyph = (struct view_glyph){solid, 0, 0, height, width > 1 ? width : 1, height};
            return true;
        }
    }
    return false;
}

bool view_text_next_glyph(struct view_text *text, struct view_text_cursor *cursor, int32_t *pen_x,
                          struct view_glyph *glyph)
{
    if (text->fixed) {
        return next_box(text, cursor, pen_x, glyph);
    }
    while (cursor->length_bytes > 0) {
        struct piece piece;
        uint32_t step = next_piece(text, cursor->font, cursor->utf8, cursor->length_bytes, &piece);
        const struct view_token *token = token_of(text, cursor->font, cursor->utf8, &piece, true);
        *pen_x = cursor->pen_x;
        cursor->utf8 += step;
        cursor->length_bytes -= step;
        if (token == NULL) {
            continue;
        }
        cursor->pen_x += token->advance_64;
        if (token->width > 0) {
            const uint8_t *page = text->atlas.pages[token->page];
            *glyph = (struct view_glyph){page + (size_t)token->y * VIEW_ATLAS_SIDE + token->x,
                                         VIEW_ATLAS_SIDE,
                                         token->left,
                                         token->top,
                                         token->width,
                                         token->height};
            return true;
        }
    }
    return false;
}

static int64_t width_64(struct view_text *text, struct view_font font, const char *utf8, size_t length)
{
    int64_t width = 0;
    while (length > 0) {
        size_t step = 0;
        if (text->fixed) {
            uint32_t codepoint = 0;
            step = view_text_decode(utf8, length, &codepoint);
            width += fixed_advance_64(text, font, codepoint);
        } else {
            struct piece piece;
            step = next_piece(text, font, utf8, length, &piece);
            const struct view_token *token = token_of(text, font, utf8, &piece, false);
            width += token != NULL ? token->advance_64 : 0;
        }
        utf8 += step;
        length -= step;
    }
    return width;
}

int32_t view_text_width(struct view_text *text, struct view_font font, const char *utf8, size_t length_bytes)
{
    /* 1/64 device to 1/16 logical, rounded up so that what is as wide as its box fits. */
    int64_t width = width_64(text, font, utf8, length_bytes);
    return (int32_t)((width * 64 + text->scale_256 - 1) / text->scale_256);
}
