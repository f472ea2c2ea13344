/**
 * Between the files of the side panel: a column that is filled from the top.
 */
#ifndef VIEW_PANEL_SIDE_H
#define VIEW_PANEL_SIDE_H

#include "view/stage_private.h"

struct side_column {
    struct view_frame *frame;
    int32_t x, y, w; /* y: where the next thing goes */
    int32_t bottom;  /* of what is visible; for what only shows where there is room */
};

void side_gap(struct side_column *column, int32_t height);
void side_separator(struct side_column *column);
/** A small caption over what follows. */
void side_caption(struct side_column *column, const char *text);
void side_paragraph(struct side_column *column, struct view_font font, uint32_t color, const char *text);
/** Key and value; tip may be NULL. */
void side_row(struct side_column *column, const char *key, const char *value, uint32_t color,
              const char *tip);
void side_row_number(struct side_column *column, const char *key, int64_t value);
void side_row_bytes(struct side_column *column, const char *key, int64_t bytes);
/** A moment; negative: left out. */
void side_row_time(struct side_column *column, const char *key, int64_t time_us);
/** A line that goes to an event when it is clicked. prefix: before its sentence, may be NULL. */
void side_event_line(struct side_column *column, uint64_t sequence, const char *prefix);
/** The event's kind in words: "batch drained". */
void side_event_name(const struct kb_event *event, char *text, size_t capacity);
/** Goes to the event, and Why is about it from then on. */
void side_go_to(struct view_stage *stage, uint64_t sequence);

void side_draw_why(struct side_column *column);
void side_draw_inspect(struct side_column *column);
/** In panel_side_consumer.c. */
void side_inspect_consumer(struct side_column *column);
/** The newest events about what is selected. */
void side_inspect_life(struct side_column *column);
void side_draw_config(struct side_column *column);
void side_draw_plots(struct side_column *column);
void side_draw_ledger(struct side_column *column);
/** What the application was told so far: part of Why and of Ledger. */
void side_draw_ledger_now(struct side_column *column);
/** What it was not told: verdicts up to now, by kind; nothing as long as all is well. */
void side_draw_verdicts_now(struct side_column *column);

#endif
