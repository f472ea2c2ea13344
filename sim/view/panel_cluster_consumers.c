/*
 * Consumers at the right edge of the cluster, and what their isolation levels see in the logs: the last
 * stable offset, markers, aborted records, and how far each has read.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "view/panel_cluster.h"

/* --- In the logs
 * ----------------------------------------------------------------------------------------------------------
 */

/* Aborted: struck through and faded. A marker: an empty cell with a check or a cross. */
static void draw_span_cell(struct view_frame *frame, struct view_rect cell, enum model_span_kind kind)
{
    const struct view_theme *theme = frame->theme;
    if (kind == MODEL_SPAN_OPEN) {
        return;
    }
    if (kind == MODEL_SPAN_ABORTED) {
        view_draw_box(frame->ui->list, cell, theme->radius_cell,
                      view_color_with_alpha(theme->background, 150), VIEW_NONE, 0);
        view_draw_line(frame->ui->list, (struct view_point){cell.x, cell.y + cell.h},
                       (struct view_point){cell.x + cell.w, cell.y}, theme->text, theme->stroke);
        return;
    }
    view_draw_box(frame->ui->list, cell, theme->radius_cell, theme->background, theme->text_muted,
                  theme->stroke);
    if (cell.w >= VIEW_PX(8) && cell.h >= VIEW_PX(8)) {
        view_icon(frame->ui, cell, kind == MODEL_SPAN_COMMIT ? VIEW_ICON_CHECK : VIEW_ICON_CROSS,
                  theme->text);
    }
}

/* Where an offset begins within a row; -1: outside it. */
static int32_t place_of(const struct cluster_scale *scale, int64_t start, int64_t offset)
{
    int64_t width = (offset - start) * scale->cell_width / scale->records_per_cell;
    return offset >= start && width <= (int64_t)scale->cells * scale->cell_width ? (int32_t)width : -1;
}

/* What lies before the first cell is told at the left edge. */
static int32_t place_or_edge(const struct cluster_scale *scale, int64_t start, int64_t offset)
{
    return offset < start ? 0 : place_of(scale, start, offset);
}

/* A triangle under the leader's row for each consumer: hollow for read_committed. */
static void draw_positions(struct view_frame *frame, struct view_rect rect, const struct cluster_scale *scale,
                           const struct model_partition *partition, int64_t start)
{
    const struct view_theme *theme = frame->theme;
    int32_t size = view_theme_px(theme, 4);
    for (uint32_t i = 0; i < frame->info->consumer_count; i++) {
        int64_t position = partition->consumer_positions[i];
        int32_t place = position >= 0 ? place_or_edge(scale, start, position) : -1;
        if (place < 0 || frame->model->consumers[i].state == KB_MEMBER_STATE_CLOSED) {
            continue;
        }
        struct view_point tip = {rect.x + place - VIEW_PX(1), rect.y + rect.h + VIEW_PX(1)};
        struct view_point left = {tip.x - size, tip.y + size + VIEW_PX(1)};
        struct view_point right = {tip.x + size, tip.y + size + VIEW_PX(1)};
        view_draw_triangle(frame->ui->list, tip, left, right, theme->accent.ink);
        if (frame->info->consumers[i].is_read_committed) {
            struct view_point inner = {tip.x, tip.y + VIEW_PX(2)};
            left.x += VIEW_PX(2);
            right.x -= VIEW_PX(2);
            left.y = right.y = left.y - VIEW_PX(1);
            view_draw_triangle(frame->ui->list, inner, left, right, theme->background);
        }
    }
}

void cluster_draw_isolation(struct view_frame *frame, struct view_rect rect,
                            const struct cluster_scale *scale, int32_t index, int64_t start)
{
    const struct view_theme *theme = frame->theme;
    const struct model_replica *replica = &frame->model->replicas[index];
    const struct model_partition *partition = &frame->model->partitions[replica->partition];
    int32_t gap = rect.h > view_theme_px(theme, 8) ? VIEW_PX(2) : VIEW_PX(1);
    for (int32_t i = 0; i < scale->cells && scale->records_per_cell == 1 && partition->span_count > 0; i++) {
        const struct model_span *span = sim_model_find_span(partition, start + i);
        struct view_rect cell = {rect.x + i * scale->cell_width, rect.y, scale->cell_width - gap, rect.h};
        if (span != NULL && start + i < replica->end_offset) {
            draw_span_cell(frame, cell, (enum model_span_kind)span->kind);
        }
    }
    int32_t held_at = replica->is_held ? place_or_edge(scale, start, replica->last_stable_offset) : -1;
    if (held_at >= 0) {
        int32_t x = rect.x + held_at - gap / 2;
        int32_t reach = rect.h > view_theme_px(theme, 8) ? VIEW_PX(4) : VIEW_PX(1);
        view_draw_dashed_line(frame->ui->list, (struct view_point){x, rect.y - reach},
                              (struct view_point){x, rect.y + rect.h + reach}, theme->warn.ink,
                              theme->stroke_strong, VIEW_PX(3), VIEW_PX(2));
    }
    if (cluster_is_leader(frame, index) && rect.h >= view_theme_px(theme, 8)) {
        draw_positions(frame, rect, scale, partition, start);
    }
}

/* --- Cards
 * ----------------------------------------------------------------------------------------------------------
 */

const char *cluster_consumer_state(const struct view_frame *frame, uint32_t index, char *text,
                                   size_t capacity)
{
    const struct model_consumer *consumer = &frame->model->consumers[index];
    const char *group = frame->info->consumers[index].group;
    bool is_subscribed = consumer->generation >= 0;
    if (!consumer->has_begun) {
        return "begins later";
    }
    switch ((enum kb_member_state)consumer->state) {
    case KB_MEMBER_STATE_UNJOINED:
        if (group[0] == '\0') {
            return "no group";
        }
        snprintf(text, capacity, "%s %s", consumer->partition_count > 0 ? "commits for" : "looks for", group);
        return text;
    case KB_MEMBER_STATE_PREPARING_REBALANCE:
    case KB_MEMBER_STATE_COMPLETING_REBALANCE:
        snprintf(text, capacity, "joins %s", group);
        return text;
    case KB_MEMBER_STATE_STABLE:
        snprintf(text, capacity, "in %s%s", group, is_subscribed ? "" : "?");
        return text;
    case KB_MEMBER_STATE_CLOSING:
        return "closes";
    case KB_MEMBER_STATE_CLOSED:
        return "closed";
    case KB_MEMBER_STATE_FAILED:
        return "poll() threw";
    }
    return "";
}

/* Over all partitions that it reads; -1: unknown. */
int64_t cluster_consumer_lag(const struct view_frame *frame, uint32_t index)
{
    int64_t sum = 0;
    bool is_known = false;
    for (uint32_t i = 0; i < frame->model->partition_count; i++) {
        int64_t lag = sim_model_lag(frame->model, frame->info, index, &frame->model->partitions[i]);
        sum += lag > 0 ? lag : 0;
        is_known = is_known || lag >= 0;
    }
    return is_known ? sum : -1;
}

static void consumer_sentence(const struct view_frame *frame, uint32_t index, char *text, size_t capacity)
{
    const struct sim_consumer_info *info = &frame->info->consumers[index];
    const struct model_consumer *consumer = &frame->model->consumers[index];
    char state[80];
    char lag[80] = "";
    int64_t behind = cluster_consumer_lag(frame, index);
    if (behind >= 0) {
        snprintf(lag, sizeof lag, ", %" PRId64 " behind the %s", behind,
                 info->is_read_committed ? "last stable offset" : "high watermark");
    }
    snprintf(text, capacity, "Consumer %s, %s, %s: %" PRIu64 " records read%s%s. It reads up to the %s.",
             info->name, info->is_read_committed ? "read_committed" : "read_uncommitted",
             cluster_consumer_state(frame, index, state, sizeof state), consumer->records,
             consumer->left_out > 0 ? ", aborted ones left out" : "", lag,
             info->is_read_committed ? "last stable offset, which an open transaction holds back"
                                     : "high watermark: what is acknowledged may be behind it");
}

static void draw_partition_row(struct view_frame *frame, struct view_rect rect, uint32_t index,
                               const struct model_partition *partition)
{
    const struct view_theme *theme = frame->theme;
    int64_t position = partition->consumer_positions[index];
    int64_t lag = sim_model_lag(frame->model, frame->info, index, partition);
    struct view_hue hue = view_hue_of(frame, partition->topic, partition->partition);
    char name[80];
    char text[48];
    char number[32];
    if (position < 0) {
        snprintf(text, sizeof text, "…");
    } else if (lag > 0) {
        view_format_count(lag, number, sizeof number);
        snprintf(text, sizeof text, "−%s", number);
    } else {
        view_format_count(position, text, sizeof text);
    }
    int32_t width = view_label_width(frame->ui, theme->mono_small, text) + theme->space_1;
    struct view_rect value = view_rect_cut_right(&rect, width < rect.w / 2 ? width : rect.w / 2);
    view_partition_name_fit(frame, partition->topic, partition->partition, theme->mono_small_strong, rect.w,
                            name, sizeof name);
    view_label(frame->ui, rect, theme->mono_small_strong, hue.ink, VIEW_ALIGN_LEFT, name);
    view_label(frame->ui, value, theme->mono_small, lag > 0 ? theme->warn.ink : theme->text_muted,
               VIEW_ALIGN_RIGHT, text);
}

static void draw_partitions(struct view_frame *frame, struct view_rect rect, uint32_t index)
{
    const struct view_theme *theme = frame->theme;
    const struct sim_model *model = frame->model;
    int32_t line = view_theme_px(theme, 15);
    uint32_t room = rect.h > 0 ? (uint32_t)(rect.h / line) : 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->partition_count; i++) {
        count += model->partitions[i].consumer_positions[index] != MODEL_NOT_ASSIGNED;
    }
    if (count == 0 || room == 0) {
        return;
    }
    /* Those that lag first, when not all can be shown: two turns over the same list. */
    uint32_t shown = 0;
    uint32_t most = count > room ? room - 1 : count;
    for (uint32_t turn = 0; turn < 2; turn++) {
        for (uint32_t i = 0; i < model->partition_count && shown < most; i++) {
            const struct model_partition *partition = &model->partitions[i];
            bool lags = sim_model_lag(model, frame->info, index, partition) > 0;
            bool is_turn = count <= room ? turn == 0 : lags == (turn == 0);
            if (partition->consumer_positions[index] != MODEL_NOT_ASSIGNED && is_turn) {
                draw_partition_row(frame, view_rect_cut_top(&rect, line), index, partition);
                shown++;
            }
        }
    }
    if (shown < count) {
        char more[32];
        snprintf(more, sizeof more, "+%" PRIu32 " more", count - shown);
        view_label(frame->ui, view_rect_cut_top(&rect, line), theme->mono_small, theme->text_faint,
                   VIEW_ALIGN_LEFT, more);
    }
}

static void draw_consumer(struct view_frame *frame, struct view_rect rect, uint32_t index)
{
    const struct view_theme *theme = frame->theme;
    const struct sim_consumer_info *info = &frame->info->consumers[index];
    const struct model_consumer *consumer = &frame->model->consumers[index];
    struct view_thing thing = view_thing_consumer(index);
    bool is_quiet = !consumer->has_begun || consumer->state == KB_MEMBER_STATE_CLOSED;
    uint32_t outline = consumer->state == KB_MEMBER_STATE_FAILED ? theme->fail.ink : theme->line;
    char text[300];
    char number[48];
    consumer_sentence(frame, index, text, sizeof text);
    view_draw_box(frame->ui->list, rect, theme->radius_card, theme->background, outline, theme->stroke);
    view_draw_hit(frame->ui->list, view_thing_id(frame->info, &thing), rect, 0, text);
    view_mark(frame, &thing, view_rect_inset(rect, VIEW_PX(2), VIEW_PX(2)), theme->radius_card - VIEW_PX(2));
    struct view_rect inside = view_rect_inset(rect, theme->space_1 + VIEW_PX(2), theme->space_1);
    int32_t line = view_theme_px(theme, 15);
    view_draw_clip_push(frame->ui->list, rect);
    if (is_quiet) {
        view_draw_opacity_push(frame->ui->list, 150);
    }
    view_label(frame->ui, view_rect_cut_top(&inside, theme->row_height), theme->title, theme->text,
               VIEW_ALIGN_LEFT, info->name);
    const char *lines[3] = {info->is_read_committed ? "committed" : "uncommitted",
                            cluster_consumer_state(frame, index, text, sizeof text), number};
    char count[32];
    view_format_count((int64_t)consumer->records, count, sizeof count);
    snprintf(number, sizeof number, "%s read", count);
    for (uint32_t i = 0; i < 3 && inside.h >= line; i++) {
        view_label(frame->ui, view_rect_cut_top(&inside, line), theme->label,
                   i == 0 ? theme->accent.ink : theme->text_muted, VIEW_ALIGN_LEFT, lines[i]);
    }
    if (consumer->left_out > 0 && inside.h >= line) {
        view_format_count((int64_t)consumer->left_out, count, sizeof count);
        snprintf(number, sizeof number, "%s aborted", count);
        view_label(frame->ui, view_rect_cut_top(&inside, line), theme->label, theme->text_muted,
                   VIEW_ALIGN_LEFT, number);
    }
    draw_partitions(frame, inside, index);
    if (is_quiet) {
        view_draw_opacity_pop(frame->ui->list);
    }
    view_draw_clip_pop(frame->ui->list);
}

/* What the marks in the logs are, where the cards leave room for it. */
static void draw_legend(struct view_frame *frame, struct view_rect rect)
{
    static const char *const lines[] = {"position", "LSO (stable)", "aborted"};
    const struct view_theme *theme = frame->theme;
    int32_t line = view_theme_px(theme, 15);
    bool has_transactions = false;
    for (uint32_t i = 0; i < frame->info->producer_count; i++) {
        has_transactions = has_transactions || frame->info->producers[i].is_transactional;
    }
    uint32_t count = has_transactions ? 3 : 1;
    if (rect.h < (int32_t)count * line) {
        return;
    }
    rect = view_rect_cut_bottom(&rect, (int32_t)count * line);
    for (uint32_t i = 0; i < count; i++) {
        struct view_rect row = view_rect_cut_top(&rect, line);
        struct view_rect mark =
            view_rect_inset(view_rect_cut_left(&row, view_theme_px(theme, 10)), 0, VIEW_PX(3));
        int32_t middle = mark.x + mark.w / 2;
        if (i == 0) {
            view_draw_triangle(frame->ui->list, (struct view_point){middle, mark.y},
                               (struct view_point){mark.x, mark.y + mark.h},
                               (struct view_point){mark.x + mark.w, mark.y + mark.h}, theme->accent.ink);
        } else if (i == 1) {
            view_draw_dashed_line(frame->ui->list, (struct view_point){middle, mark.y - VIEW_PX(2)},
                                  (struct view_point){middle, mark.y + mark.h + VIEW_PX(2)}, theme->warn.ink,
                                  theme->stroke_strong, VIEW_PX(3), VIEW_PX(2));
        } else {
            view_draw_line(frame->ui->list, (struct view_point){mark.x, mark.y + mark.h},
                           (struct view_point){mark.x + mark.w, mark.y}, theme->text, theme->stroke);
        }
        view_rect_cut_left(&row, theme->space_1);
        view_label(frame->ui, row, theme->label, theme->text_muted, VIEW_ALIGN_LEFT, lines[i]);
    }
}

void cluster_draw_consumers(struct view_frame *frame)
{
    const struct view_theme *theme = frame->theme;
    struct view_rect strip = frame->layout.consumers;
    int32_t count = (int32_t)frame->info->consumer_count;
    if (count == 0 || strip.w <= 0) {
        return;
    }
    int32_t height = (strip.h - (count - 1) * theme->space_2) / count;
    int32_t most = view_theme_px(theme, 180);
    height = (height > most ? most : height) & ~15;
    for (int32_t i = 0; i < count; i++) {
        draw_consumer(frame, view_rect_cut_top(&strip, height), (uint32_t)i);
        view_rect_cut_top(&strip, theme->space_2);
    }
    draw_legend(frame, strip);
}
