/*
 * The records that a verdict fell on, where they stand in the logs: outlined, and named.
 */
#include "view/panel_cluster.h"
#include "view/verdict.h"

enum { MARKS_MAX = 24, LOOKED_AT = 256 };

struct mark {
    enum model_fate_kind kind;
    int64_t first, last; /* offsets */
    bool is_missing;     /* they should be there and are not */
};

struct marks {
    struct mark items[MARKS_MAX];
    uint32_t count;
};

/* Ranges that touch become one, so that a run of them has one name. */
static void add(struct marks *marks, enum model_fate_kind kind, int64_t first, int64_t last, bool is_missing)
{
    for (uint32_t i = 0; i < marks->count; i++) {
        struct mark *there = &marks->items[i];
        if (there->kind == kind && there->is_missing == is_missing && first <= there->last + 1 &&
            there->first <= last + 1) {
            there->first = first < there->first ? first : there->first;
            there->last = last > there->last ? last : there->last;
            return;
        }
    }
    if (marks->count < MARKS_MAX && first <= last) {
        marks->items[marks->count++] = (struct mark){kind, first, last, is_missing};
    }
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A log that has not noticed yet still holds what is lost: it was appended there before. */
static void add_lost(const struct view_frame *frame, const struct model_replica *replica,
                     const struct model_fate *fate, struct marks *marks)
{
    int64_t last = fate->offset + (int64_t)fate->records - 1;
    int64_t fell_us = sim_event_log_get(frame->log, fate->event)->time_us;
    if (replica->is_leader) {
        int64_t first = replica->end_offset > fate->offset ? replica->end_offset : fate->offset;
        add(marks, MODEL_FATE_LOST, first, last, true);
        return;
    }
    for (uint32_t i = 0; i < replica->range_count; i++) {
        const struct model_range *range = &replica->ranges[i];
        if (range->at_us <= fell_us && range->first_offset <= fate->offset &&
            fate->offset <= range->last_offset) {
            add(marks, MODEL_FATE_LOST, fate->offset, smaller(last, replica->end_offset - 1), false);
        }
    }
}

static void find_marks(const struct view_frame *frame, const struct model_replica *replica,
                       struct marks *marks)
{
    uint32_t count;
    const struct model_fate *fates = verdict_fallen(frame, &count);
    const struct model_partition *partition = &frame->model->partitions[replica->partition];
    uint32_t least = count > LOOKED_AT ? count - LOOKED_AT : 0;
    for (uint32_t i = count; i > least; i--) {
        const struct model_fate *fate = &fates[i - 1];
        if (fate->topic != partition->topic || fate->partition != partition->partition || fate->offset < 0 ||
            !model_fate_holds(fate, frame->model->sequence)) {
            continue;
        }
        if (fate->kind == MODEL_FATE_LOST) {
            add_lost(frame, replica, fate, marks);
            continue;
        }
        if (!replica->is_leader && !replica->is_in_sync) {
            continue; /* what it has there may be something else */
        }
        int64_t more = (int64_t)fate->records - 1;
        int64_t end = replica->end_offset - 1;
        add(marks, (enum model_fate_kind)fate->kind, fate->offset, smaller(fate->offset + more, end), false);
        if (fate->kind == MODEL_FATE_DUPLICATE) {
            add(marks, MODEL_FATE_DUPLICATE, fate->copy_offset, smaller(fate->copy_offset + more, end),
                false);
        }
    }
}

static void draw_cross(struct view_frame *frame, struct view_rect cell)
{
    const struct view_theme *theme = frame->theme;
    struct view_rect cross = view_rect_inset(cell, cell.w / 5, cell.h / 5);
    view_draw_line(frame->ui->list, (struct view_point){cross.x, cross.y},
                   (struct view_point){cross.x + cross.w, cross.y + cross.h}, theme->fail.ink,
                   theme->stroke_strong);
    view_draw_line(frame->ui->list, (struct view_point){cross.x + cross.w, cross.y},
                   (struct view_point){cross.x, cross.y + cross.h}, theme->fail.ink, theme->stroke_strong);
}

/* Under the cells where the row has room for a line there; else over them. */
static void draw_tag(struct view_frame *frame, struct view_rect row, struct view_rect box, const char *name)
{
    const struct view_theme *theme = frame->theme;
    struct view_ui *ui = frame->ui;
    int32_t high = view_theme_px(theme, 14);
    int32_t wide = view_label_width(ui, theme->mono_small_strong, name) + theme->space_2;
    struct view_rect tag = {box.x + (box.w - wide) / 2, box.y + box.h - VIEW_PX(1), wide, high};
    if (tag.y + high > row.y + row.h + VIEW_PX(2)) {
        tag.y = box.y + (box.h - high) / 2;
    }
    int32_t right = row.x + row.w;
    tag.x = tag.x + wide > right ? right - wide : tag.x;
    tag.x = tag.x < row.x ? row.x : tag.x;
    view_draw_box(ui->list, tag, theme->radius_cell, theme->fail.fill, VIEW_NONE, 0);
    view_label(ui, tag, theme->mono_small_strong, theme->fail.on_fill, VIEW_ALIGN_CENTER, name);
}

static void draw_mark(struct view_frame *frame, struct view_rect row, struct view_rect cells,
                      const struct cluster_scale *scale, const struct mark *mark, int64_t start)
{
    const struct view_theme *theme = frame->theme;
    int64_t end = start + scale->cells * scale->records_per_cell;
    if (mark->last < start || mark->first >= end) {
        return;
    }
    int64_t first_cell = mark->first > start ? (mark->first - start) / scale->records_per_cell : 0;
    int64_t end_cell = smaller((mark->last - start) / scale->records_per_cell + 1, scale->cells);
    struct view_rect box = {cells.x + (int32_t)first_cell * scale->cell_width - VIEW_PX(1),
                            cells.y - VIEW_PX(2), (int32_t)(end_cell - first_cell) * scale->cell_width,
                            cells.h + VIEW_PX(4)};
    for (int64_t i = first_cell; i < end_cell && mark->kind == MODEL_FATE_LOST; i++) {
        draw_cross(frame, (struct view_rect){cells.x + (int32_t)i * scale->cell_width, cells.y,
                                             scale->cell_width - VIEW_PX(2), cells.h});
    }
    view_draw_box(frame->ui->list, box, theme->radius_cell, VIEW_NONE, theme->fail.ink, theme->stroke_strong);
    if (mark->kind == MODEL_FATE_DUPLICATE) {
        view_draw_box(frame->ui->list, view_rect_inset(box, VIEW_PX(3), VIEW_PX(3)), 0, VIEW_NONE,
                      theme->background, theme->stroke);
    }
    draw_tag(frame, row, box, mark->is_missing ? "missing" : verdict_tag(mark->kind));
}

void cluster_draw_verdicts(struct view_frame *frame, struct view_rect row, struct view_rect cells,
                           const struct cluster_scale *scale, int32_t index, int64_t start)
{
    const struct model_replica *replica = &frame->model->replicas[index];
    struct marks marks = {.count = 0};
    if (replica->partition < 0 || cells.h < view_theme_px(frame->theme, 6)) {
        return;
    }
    find_marks(frame, replica, &marks);
    int32_t place = sim_model_find_broker(frame->model, replica->broker);
    bool is_dimmed = place >= 0 && !frame->model->brokers[place].is_up;
    if (marks.count > 0 && is_dimmed) { /* the card is; this is not */
        view_draw_opacity_pop(frame->ui->list);
    }
    for (uint32_t i = 0; i < marks.count; i++) {
        draw_mark(frame, row, cells, scale, &marks.items[i], start);
    }
    if (marks.count > 0 && is_dimmed) {
        view_draw_opacity_push(frame->ui->list, CLUSTER_DIMMED);
    }
}
