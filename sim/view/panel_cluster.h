/**
 * Between the files of the cluster's panel: one broker's card, one replica's row.
 */
#ifndef VIEW_PANEL_CLUSTER_H
#define VIEW_PANEL_CLUSTER_H

#include "view/stage_private.h"

enum { CLUSTER_DIMMED = 110 }; /* opacity of what a broker that is down holds */

/** What a cell of a log stands for in this drawing: the same for all replicas, so that they can be compared.
 */
struct cluster_scale {
    int32_t cells; /* in a row */
    int64_t records_per_cell;
    int32_t cell_width; /* with the gap behind it */
};

/** Room for the cells decides how much of the logs is shown, and how finely. */
struct cluster_scale cluster_scale_make(const struct view_frame *frame, int32_t row_width);

/** The offset of the leftmost cell of a partition's rows. */
int64_t cluster_window_start(const struct view_frame *frame, const struct cluster_scale *scale,
                             int32_t partition);

/** How a replica shows, by the height that it has. */
void cluster_draw_row(struct view_frame *frame, struct view_rect rect, const struct cluster_scale *scale,
                      int32_t replica);
void cluster_draw_tile(struct view_frame *frame, struct view_rect rect, int32_t replica);

/** The controller's word for it; a broker may not have heard yet. */
bool cluster_is_leader(const struct view_frame *frame, int32_t replica);

/** The width that names take before the cells of a row. */
int32_t cluster_name_width(const struct view_frame *frame, int32_t row_height);

/** Outlines and names the records of a row that a verdict fell on. start: offset at the cells' left edge. */
void cluster_draw_verdicts(struct view_frame *frame, struct view_rect row, struct view_rect cells,
                           const struct cluster_scale *scale, int32_t replica, int64_t start);

/** The consumers' cards, in layout.consumers. */
void cluster_draw_consumers(struct view_frame *frame);
/** "in billing", "closed": in text, or a constant. */
const char *cluster_consumer_state(const struct view_frame *frame, uint32_t index, char *text,
                                   size_t capacity);
int64_t cluster_consumer_lag(const struct view_frame *frame, uint32_t index);
/** Over the cells of a row: aborted records, markers, the last stable offset, and where consumers read.
 * start: the offset of the leftmost cell. */
void cluster_draw_isolation(struct view_frame *frame, struct view_rect rect,
                            const struct cluster_scale *scale, int32_t replica, int64_t start);

/** Finds stage->marked, which the rows drawn after it show. */
void cluster_find_marked(struct view_frame *frame);

/** Everything about a replica in a sentence. */
void cluster_replica_sentence(const struct view_frame *frame, int32_t replica, char *text, size_t capacity);

/** ISR badges of the partitions that this broker leads. */
void cluster_draw_isr(struct view_frame *frame, struct view_rect rect, int32_t broker);

/** "cut off", "cut from producers": of a broker that is. */
const char *cluster_cut_words(const struct model_broker *broker);

/** Data on its way from leaders to followers, at the right edge of the cards. card_width: of each. */
void cluster_draw_replication(struct view_frame *frame, int32_t card_width);

#endif
