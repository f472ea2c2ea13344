/* Between the files of text: faces and sizes (text_face.c), the atlas (text_atlas.c), runs and lines
 * (text.c). */
#ifndef VIEW_TEXT_PRIVATE_H
#define VIEW_TEXT_PRIVATE_H

#include "view/font_find.h"
#include "view/text.h"

#include <SDL_ttf.h>

#define VIEW_FACE_CJK     VIEW_FAMILY_COUNT
#define VIEW_FACE_ROWS    (VIEW_FAMILY_COUNT + 1)
#define VIEW_FACE_FIXED   (VIEW_FACE_ROWS * VIEW_WEIGHT_COUNT)
#define VIEW_FACE_SPARE   8 /* fonts found for single characters */
#define VIEW_FACE_COUNT   (VIEW_FACE_FIXED + VIEW_FACE_SPARE)
#define VIEW_SIZED_COUNT  96

#define VIEW_TOKEN_BYTES  40
#define VIEW_TOKEN_SLOTS  16384u
#define VIEW_TOKEN_LIMIT  10000u
#define VIEW_ATLAS_SIDE   1024
#define VIEW_ATLAS_PAGES  4
#define VIEW_CHOICE_SLOTS 1024u
#define VIEW_MEASURE_PX   1000

/* A font file; `measure` is it at 1000 px, unhinted, for widths finer than a pixel. Opened when first needed.
 */
struct view_face {
    struct view_font_file file;
    bool tried;
    TTF_Font *measure;
    int32_t space_width; /* advance of a space at that size */
};

struct view_sized {
    uint8_t face;
    uint16_t px8; /* em in 1/8 device pixel */
    TTF_Font *font;
    int32_t ascent_px;
};

/* A phrase, a few digits or one character, as it lies in the atlas. */
struct view_token {
    uint64_t hash; /* 0: empty */
    uint8_t face, length;
    uint16_t px8;
    bool rendered; /* measured first, drawn only when it is needed */
    char bytes[VIEW_TOKEN_BYTES];
    int32_t advance_64;
    int16_t left, top, width, height;
    uint16_t page, x, y;
};

struct view_atlas {
    uint8_t *pages[VIEW_ATLAS_PAGES];
    uint32_t page;
    int32_t x, y, shelf;
};

struct view_text {
    bool fixed, ttf_ready;
    uint32_t scale_256;
    struct view_font_finder *finder;
    char names[VIEW_FACE_ROWS][64];
    struct view_face faces[VIEW_FACE_COUNT];
    uint32_t spare_count;
    struct view_sized sized[VIEW_SIZED_COUNT];
    uint32_t sized_count, sized_next;
    struct view_token *tokens;
    uint32_t token_count;
    struct view_atlas atlas;
    struct {
        uint32_t codepoint;
        uint8_t wanted, chosen;
    } choices[VIEW_CHOICE_SLOTS];
    struct view_text_stats stats;
};

/* text_face.c */
struct view_face *view_face_get(struct view_text *text, uint32_t face);
/* The face that has the character: the wanted one, CJK, a spare one, else the wanted one after all. */
uint32_t view_face_for(struct view_text *text, uint32_t wanted, uint32_t codepoint);
struct view_sized *view_face_sized(struct view_text *text, uint32_t face, uint32_t px8);
void view_face_release_all(struct view_text *text);
/* The advance of a string at 1 px em, in 1/65536; zero-terminated. */
int64_t view_face_advance_em(struct view_face *face, const char *utf8);

/* text_atlas.c */
const struct view_token *view_token_get(struct view_text *text, uint32_t face, uint32_t px8,
                                        const char *bytes, uint32_t length, bool drawn);
void view_atlas_release(struct view_text *text);

#endif
