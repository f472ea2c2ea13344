/** Which file holds a font: fontconfig's answers, and nothing else of it. */
#ifndef VIEW_FONT_FIND_H
#define VIEW_FONT_FIND_H

#include "view/draw_list.h"

#define VIEW_FONT_PATH_BYTES 1024

struct view_font_file {
    char path[VIEW_FONT_PATH_BYTES]; /**< "": none was found */
    int32_t index;                   /**< face in a collection, and named instance in the upper half */
};

struct view_font_finder;

/** NULL when there is no font configuration at all. */
struct view_font_finder *view_font_finder_create(void);
void view_font_finder_destroy(struct view_font_finder *finder);

/** The best file for a family, with a generic family ("sans", "monospace") behind it. False when there is
 * none. */
bool view_font_find(struct view_font_finder *finder, const char *family, const char *generic,
                    enum view_weight weight, struct view_font_file *file);
/** A file that has this character. False when no installed font has it. */
bool view_font_find_character(struct view_font_finder *finder, uint32_t codepoint, enum view_weight weight,
                              struct view_font_file *file);

#endif
