/* Shared by the widgets' files. */
#ifndef VIEW_WIDGET_PRIVATE_H
#define VIEW_WIDGET_PRIVATE_H

#include "view/widget.h"

/** A ring around what has the keyboard. */
void view_focus_ring(struct view_ui *ui, view_id id, struct view_rect rect, int32_t radius);
int32_t view_paragraph_line_height(struct view_ui *ui, struct view_font font);
/** A popup's surface: shadow, card, outline. It keeps the pointer from what is under it. */
void view_popup_surface(struct view_ui *ui, view_id id, struct view_rect rect);

#endif
