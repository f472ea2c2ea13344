/**
 * What befell records, told when it is decided: lost though acknowledged, written twice, overtaken, reported
 * as failed though they are there. sim/model/verdicts.h finds it; here it becomes words and marks.
 */
#ifndef VIEW_VERDICT_H
#define VIEW_VERDICT_H

#include "view/stage_private.h"
#include "view/story.h"

/** Verdicts of one kind that one event decided. */
struct verdict_group {
    const struct model_fate *fate; /* the first of them; NULL: there is none */
    uint32_t batches;
    uint32_t records;
    uint32_t first_record, last_record; /* UINT32_MAX: unknown */
    int64_t offset, last_offset;        /* of the copies it is about; -1: unknown */
};

/** Take in what the log has up to the moment that is shown, and some more. Before anything is drawn. */
void verdict_update(struct view_frame *frame);
/** The newest that fell, as long as it is news: for some seconds of screen time at the present speed. */
bool verdict_news(const struct view_frame *frame, struct verdict_group *out);
/** All that fell up to the moment that is shown, in that order. */
const struct model_fate *verdict_fallen(const struct view_frame *frame, uint32_t *count);
/** Those that this event decided; the gravest kind where there are several. */
bool verdict_of_event(const struct view_frame *frame, uint64_t sequence, struct verdict_group *out);
/** The first event after `from`, up to `to`, that decides one; 0: none does. *kind is of the first. */
uint64_t verdict_next(const struct view_stage *stage, uint64_t from, uint64_t to, enum model_fate_kind *kind);

/** The headline of the newest, as long as it is news; for the window's title. */
bool verdict_title(const struct view_stage *stage, char *text, size_t capacity);

/** "2 records are written twice". */
void verdict_headline(const struct verdict_group *group, char *text, size_t capacity);
/** What they are marked with where they stand: "twice". */
const char *verdict_tag(enum model_fate_kind kind);
/** Title, sentence, cause events of a story about an event that decided one; false when it did not. */
bool verdict_tell(const struct view_frame *frame, uint64_t sequence, struct story *story);

/** The line at the lower edge of the panels, while it is news. */
void verdict_draw_banner(struct view_frame *frame);

#endif
