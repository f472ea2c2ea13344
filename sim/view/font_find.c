#include "view/font_find.h"

#include <fontconfig/fontconfig.h>
#include <stdlib.h>
#include <string.h>

struct view_font_finder {
    FcConfig *config;
};

struct view_font_finder *view_font_finder_create(void)
{
    struct view_font_finder *finder = malloc(sizeof *finder);
    if (finder == NULL) {
        return NULL;
    }
    finder->config = FcInitLoadConfigAndFonts();
    if (finder->config == NULL) {
        free(finder);
        return NULL;
    }
    return finder;
}

void view_font_finder_destroy(struct view_font_finder *finder)
{
    if (finder != NULL) {
        FcConfigDestroy(finder->config);
        free(finder);
    }
}

static int weight_of(enum view_weight weight)
{
    switch (weight) {
    case VIEW_WEIGHT_REGULAR:
        return FC_WEIGHT_REGULAR;
    case VIEW_WEIGHT_MEDIUM:
        return FC_WEIGHT_MEDIUM;
    case VIEW_WEIGHT_SEMIBOLD:
        return FC_WEIGHT_DEMIBOLD;
    case VIEW_WEIGHT_BOLD:
    case VIEW_WEIGHT_COUNT:
        break;
    }
    return FC_WEIGHT_BOLD;
}

/* Takes the pattern. */
static bool match(struct view_font_finder *finder, FcPattern *pattern, enum view_weight weight,
                  struct view_font_file *file)
{
    file->path[0] = '\0';
    FcPatternAddInteger(pattern, FC_WEIGHT, weight_of(weight));
    FcPatternAddInteger(pattern, FC_SLANT, FC_SLANT_ROMAN);
    FcPatternAddBool(pattern, FC_SCALABLE, FcTrue);
    FcPatternAddBool(pattern, FC_COLOR, FcFalse);
    FcConfigSubstitute(finder->config, pattern, FcMatchPattern);
    FcDefaultSubstitute(pattern);
    FcResult result = FcResultNoMatch;
    FcPattern *found = FcFontMatch(finder->config, pattern, &result);
    FcPatternDestroy(pattern);
    FcChar8 *path = NULL;
    int index = 0;
    if (found != NULL && FcPatternGetString(found, FC_FILE, 0, &path) == FcResultMatch &&
        strlen((const char *)path) < sizeof file->path) {
        memcpy(file->path, path, strlen((const char *)path) + 1);
        file->index = FcPatternGetInteger(found, FC_INDEX, 0, &index) == FcResultMatch ? index : 0;
    }
    if (found != NULL) {
        FcPatternDestroy(found);
    }
    return file->path[0] != '\0';
}

bool view_font_find(struct view_font_finder *finder, const char *family, const char *generic,
                    enum view_weight weight, struct view_font_file *file)
{
    FcPattern *pattern = FcPatternCreate();
    if (pattern == NULL) {
        return false;
    }
    FcPatternAddString(pattern, FC_FAMILY, (const FcChar8 *)family);
    FcPatternAddString(pattern, FC_FAMILY, (const FcChar8 *)generic);
    return match(finder, pattern, weight, file);
}

bool view_font_find_character(struct view_font_finder *finder, uint32_t codepoint, enum view_weight weight,
                              struct view_font_file *file)
{
    FcPattern *pattern = FcPatternCreate();
    FcCharSet *characters = FcCharSetCreate();
    if (pattern == NULL || characters == NULL) {
        if (pattern != NULL) {
            FcPatternDestroy(pattern);
        }
        if (characters != NULL) {
            FcCharSetDestroy(characters);
        }
        return false;
    }
    FcCharSetAddChar(characters, codepoint);
    FcPatternAddCharSet(pattern, FC_CHARSET, characters);
    FcCharSetDestroy(characters);
    return match(finder, pattern, weight, file);
}
