/**
 * A draw list as a picture, without a display: the same pixels as the window's.
 */
#ifndef VIEW_PICTURE_H
#define VIEW_PICTURE_H

#include "view/draw_list.h"
#include "view/raster.h"
#include "view/text.h"

/**
 * Draw the list at a scale (256: one device pixel a logical one) and write it as PNG. The size follows from
 * the list's canvas. False with a message when it cannot be written.
 */
__attribute__((warn_unused_result)) bool view_picture_write_png(const struct view_draw_list *list,
                                                                struct view_text *text, uint32_t scale_256,
                                                                const char *path, char *message,
                                                                size_t message_bytes);
/** The same, into memory; the caller frees *bytes with free(). */
__attribute__((warn_unused_result)) bool view_picture_encode_png(const struct view_draw_list *list,
                                                                 struct view_text *text, uint32_t scale_256,
                                                                 uint8_t **bytes, size_t *count,
                                                                 char *message, size_t message_bytes);
/** Only the pixels; the caller destroys the surface. pixels is NULL when memory is out. */
struct view_surface view_picture_draw(const struct view_draw_list *list, struct view_text *text,
                                      uint32_t scale_256);

#endif
