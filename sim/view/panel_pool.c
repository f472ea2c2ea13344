/* BufferPool as a memory map: what buffer.memory is made of at this moment. */
#include "view/stage_private.h"

#include <inttypes.h>
#include <stdio.h>

enum { TEXT_BYTES = 96, CELLS_MAX = 64 };

struct memory {
    int64_t total, in_batches, in_flight, pooled, unused;
};

/* The pool does not say who holds what: batches outside of the deques are in flight, the rest is in them. */
static struct memory memory_of(const struct view_frame *frame)
{
    const struct model_memory *pool = &frame->p->memory;
    struct memory memory = {.total = frame->pinfo->buffer_memory_bytes};
    for (uint32_t i = 0; i < MODEL_BATCHES; i++) {
        const struct model_batch *batch = &frame->model->batches[i];
        bool is_out = batch->state == MODEL_BATCH_DRAINED || batch->state == MODEL_BATCH_IN_FLIGHT;
        if (batch->number != 0 && batch->producer == frame->producer && is_out) {
            memory.in_flight += batch->capacity_bytes;
        }
    }
    int64_t available = pool->available_bytes >= 0 ? pool->available_bytes : memory.total;
    int64_t used = memory.total - available;
    memory.in_flight = memory.in_flight < used ? memory.in_flight : used;
    memory.in_batches = used - memory.in_flight;
    memory.unused = pool->unallocated_bytes < available ? pool->unallocated_bytes : available;
    memory.pooled = available - memory.unused;
    return memory;
}

static void draw_legend_entry(struct view_frame *frame, struct view_rect rect, uint32_t color, uint32_t ink,
                              const char *name, int64_t bytes, const char *tip, uint32_t index)
{
    const struct view_theme *theme = frame->theme;
    char size[TEXT_BYTES];
    view_format_bytes_short(bytes, size, sizeof size);
    view_draw_hit(frame->ui->list, view_id_make(VIEW_HIT_TERM, 10 + index, 0), rect, 0, tip);
    struct view_rect dot = view_rect_cut_left(&rect, view_theme_px(theme, 8));
    dot.y += (dot.h - dot.w) / 2;
    dot.h = dot.w;
    view_draw_box(frame->ui->list, dot, VIEW_PX(2), color,
                  color == VIEW_NONE ? theme->line_strong : VIEW_NONE, theme->stroke);
    view_rect_cut_left(&rect, theme->space_1);
    int32_t width = view_label_width(frame->ui, theme->mono_small, size);
    view_label(frame->ui, view_rect_cut_right(&rect, width), theme->mono_small, ink, VIEW_ALIGN_RIGHT, size);
    view_rect_cut_right(&rect, theme->space_1);
    view_label(frame->ui, rect, theme->label, theme->text_muted, VIEW_ALIGN_LEFT, name);
}

static void draw_legend(struct view_frame *frame, struct view_rect *inside, const struct memory *memory,
                        const struct view_hue *flight)
{
    const struct view_theme *theme = frame->theme;
    for (uint32_t row = 0; row < 2; row++) {
        struct view_rect line = view_rect_cut_top(inside, view_theme_px(theme, 16));
        struct view_rect right = view_rect_cut_right(&line, (line.w - theme->space_3) / 2);
        view_rect_cut_right(&line, theme->space_3);
        if (row == 0) {
            draw_legend_entry(
                frame, line, theme->accent.fill, theme->text, "in batches", memory->in_batches,
                "Taken by batches that stand in their deques. A batch takes batch.size at once, "
                "however little is in it.",
                0);
            draw_legend_entry(frame, right, flight->fill, theme->text, "in flight", memory->in_flight,
                              "Taken by batches that were sent: it is given back when their answer comes.",
                              1);
        } else {
            draw_legend_entry(frame, line, theme->pool.fill, theme->text, "free list", memory->pooled,
                              "Buffers of exactly batch.size that were used and wait to be used again.", 2);
            draw_legend_entry(frame, right, VIEW_NONE, theme->text, "never used", memory->unused,
                              "Memory that no buffer has been made of.", 3);
        }
    }
}

static void draw_free_list(struct view_frame *frame, struct view_rect *inside)
{
    struct view_ui *ui = frame->ui;
    const struct view_theme *theme = frame->theme;
    char size[40];
    char text[TEXT_BYTES];
    view_format_bytes(frame->pinfo->batch_size_bytes, size, sizeof size);
    snprintf(text, sizeof text, "free list: %u of %s each", (unsigned)frame->p->memory.free_buffers, size);
    view_label(ui, view_rect_cut_top(inside, view_theme_px(theme, 16)), theme->label, theme->text_muted,
               VIEW_ALIGN_LEFT, text);
    struct view_rect cells = view_rect_cut_top(inside, view_theme_px(theme, 11));
    int32_t pitch = view_theme_px(theme, 13) & ~15;
    int32_t fits = cells.w / pitch;
    fits = fits < CELLS_MAX ? fits : CELLS_MAX;
    int32_t count =
        (int32_t)(frame->p->memory.free_buffers < CELLS_MAX ? frame->p->memory.free_buffers : CELLS_MAX);
    for (int32_t i = 0; i < fits; i++) {
        struct view_rect cell = {cells.x + i * pitch, cells.y, pitch - VIEW_PX(2), cells.h};
        view_cell(frame, cell, theme->pool, i < count ? VIEW_CELL_SOLID : VIEW_CELL_EMPTY);
    }
    view_rect_cut_top(inside, theme->space_1);
}

static void draw_waiters(struct view_frame *frame, struct view_rect row)
{
    const struct view_theme *theme = frame->theme;
    char left[TEXT_BYTES];
    char right[40];
    char most[40];
    view_format_count(frame->pinfo->max_block_ms, most, sizeof most);
    snprintf(left, sizeof left, "waiters (max.block.ms %s)", most);
    uint32_t waiters = frame->p->memory.waiters;
    snprintf(right, sizeof right, "%u waiting", (unsigned)waiters);
    view_key_value(frame->ui, row, left, waiters > 0 ? right : "none",
                   waiters > 0 ? theme->warn.ink : theme->ok.ink);
    view_draw_hit(frame->ui->list, view_id_make(VIEW_HIT_TERM, 15, 0), row, 0,
                  "Threads in send() that wait for memory, first come first served, at most max.block.ms.");
}

static void draw_history(struct view_frame *frame, struct view_rect rect)
{
    const struct view_theme *theme = frame->theme;
    const struct model_plot *plot = &frame->model->plot;
    int32_t values[MODEL_PLOT_POINTS];
    for (uint32_t i = 0; i < plot->count; i++) {
        values[i] = (int32_t)(plot->used_bytes_k[i] < INT32_MAX ? plot->used_bytes_k[i] : INT32_MAX);
    }
    /* Under the line, where there is room for both. */
    if (rect.h >= view_theme_px(theme, 40)) {
        view_label(frame->ui, view_rect_cut_bottom(&rect, view_theme_px(theme, 16)), theme->label,
                   theme->text_faint, VIEW_ALIGN_RIGHT, "bytes in use so far");
    }
    if (plot->count > 1) {
        struct view_series series = {.values = values, .count = plot->count, .hue = theme->accent};
        view_sparkline(frame->ui, rect, &series);
    }
}

void view_draw_panel_pool(struct view_frame *frame, struct view_rect rect)
{
    struct view_ui *ui = frame->ui;
    const struct view_theme *theme = frame->theme;
    char size[40];
    char detail[TEXT_BYTES];
    view_format_bytes(frame->pinfo->buffer_memory_bytes, size, sizeof size);
    snprintf(detail, sizeof detail, "buffer.memory %s", size);
    int32_t room = rect.w - 2 * theme->space_6 - view_label_width(ui, theme->title, "BufferPool");
    if (view_label_width(ui, theme->mono_small, detail) > room) {
        view_format_bytes_short(frame->pinfo->buffer_memory_bytes, size, sizeof size);
        snprintf(detail, sizeof detail, "buffer.memory %s", size);
    }
    struct view_thing thing = {.kind = VIEW_THING_POOL, .producer = frame->producer};
    struct view_rect inside = view_card(ui, view_thing_id(frame->info, &thing), rect,
                                        VIEW_CARD_WELL | VIEW_CARD_TIGHT, VIEW_NONE, "BufferPool", detail);
    view_mark(frame, &thing, rect, theme->radius_card);
    struct memory memory = memory_of(frame);
    struct view_hue flight = {theme->neutral.fill, theme->neutral.ink, theme->neutral.on_fill,
                              VIEW_PATTERN_DIAGONAL};
    struct view_bar_part parts[3] = {
        {memory.in_batches, theme->accent}, {memory.in_flight, flight}, {memory.pooled, theme->pool}};
    view_rect_cut_top(&inside, VIEW_PX(2));
    view_stacked_bar(ui, view_rect_cut_top(&inside, view_theme_px(theme, 14)), parts, 3, memory.total);
    view_rect_cut_top(&inside, theme->space_1);
    draw_legend(frame, &inside, &memory, &flight);
    struct view_rect waiters = {0};
    if (inside.h >= theme->row_height) {
        waiters = view_rect_cut_top(&inside, theme->row_height);
        draw_waiters(frame, waiters);
    }
    if (inside.h >= view_theme_px(theme, 31)) {
        draw_free_list(frame, &inside);
    }
    if (inside.h >= view_theme_px(theme, 20)) {
        draw_history(frame, inside);
    }
}
