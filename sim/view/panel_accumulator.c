/*
 * RecordAccumulator: a deque of batches per partition, from records as cells down to a line per partition.
 */
#include "view/stage_private.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 128, SHOWN_BATCHES_MAX = 32 };

/* How much of a partition is drawn, by the height there is. */
enum detail { DETAIL_LINE, DETAIL_BAR, DETAIL_CELLS };

struct rows {
    int16_t order[MODEL_PARTITIONS];    /* partitions by leader, topic, number */
    int16_t departed[MODEL_PARTITIONS]; /* the batch that just left it; −1: none */
    uint32_t count;
    int32_t height, gap;
    int32_t columns; /* side by side, where they are many */
    enum detail detail;
};

/* --- What is where
 * ----------------------------------------------------------------------------------------------------------
 */

static void index_records(const struct view_frame *frame)
{
    struct view_stage *stage = frame->stage;
    memset(stage->batch_records, 0xff, sizeof stage->batch_records);
    for (int32_t i = MODEL_RECORDS - 1; i >= 0; i--) {
        const struct model_record *record = &frame->model->records[i];
        bool is_in_batch = record->number != UINT32_MAX && record->station == MODEL_IN_BATCH &&
                           record->producer == frame->producer;
        int32_t batch =
            is_in_batch ? sim_model_find_batch(frame->model, record->producer, record->batch) : MODEL_NONE;
        if (batch >= 0) {
            stage->next_record[i] = stage->batch_records[batch];
            stage->batch_records[batch] = (int16_t)i;
        }
    }
}

/* A batch that has left is shown on its way out for a moment of the person's time. */
static int64_t moment_us(const struct view_frame *frame)
{
    return view_playback_us_per_second(frame->stage) * 2 / 5;
}

static void find_departed(const struct view_frame *frame, struct rows *rows)
{
    memset(rows->departed, 0xff, sizeof rows->departed);
    int64_t moment = moment_us(frame);
    for (int32_t i = 0; i < MODEL_BATCHES; i++) {
        const struct model_batch *batch = &frame->model->batches[i];
        bool is_out = batch->state == MODEL_BATCH_DRAINED ||
                      (batch->state == MODEL_BATCH_IN_FLIGHT && frame->now_us - batch->drained_us < moment);
        if (batch->number == 0 || batch->producer != frame->producer || !is_out) {
            continue;
        }
        int32_t partition = sim_model_find_partition(frame->model, batch->topic, batch->partition);
        if (partition >= 0) {
            int16_t *departed = &rows->departed[partition];
            bool is_newer = *departed < 0 || frame->model->batches[*departed].number < batch->number;
            *departed = is_newer ? (int16_t)i : *departed;
        }
    }
}

static bool comes_before(const struct model_partition *a, const struct model_partition *b)
{
    if (a->believed_leader != b->believed_leader) {
        return a->believed_leader < b->believed_leader;
    }
    return a->topic != b->topic ? a->topic < b->topic : a->partition < b->partition;
}

static void sort_rows(const struct view_frame *frame, struct rows *rows)
{
    const struct model_partition *partitions = frame->model->partitions;
    rows->count = frame->model->partition_count;
    for (uint32_t i = 0; i < rows->count; i++) {
        uint32_t at = i;
        for (; at > 0 && comes_before(&partitions[i], &partitions[rows->order[at - 1]]); at--) {
            rows->order[at] = rows->order[at - 1];
        }
        rows->order[at] = (int16_t)i;
    }
}

static void choose_detail(const struct view_theme *theme, struct rows *rows, int32_t room, int32_t width)
{
    int32_t count = rows->count > 0 ? (int32_t)rows->count : 1;
    int32_t step = room / count;
    rows->gap = step > view_theme_px(theme, 60)   ? theme->space_2
                : step > view_theme_px(theme, 26) ? theme->space_1
                                                  : VIEW_PX(2);
    int32_t height = step - rows->gap;
    int32_t least = view_theme_px(theme, 17);
    int32_t most = view_theme_px(theme, 190);
    height = height > most ? most : height;
    rows->height = (height < least ? least : height) & ~15;
    rows->detail = rows->height >= view_theme_px(theme, 60)   ? DETAIL_CELLS
                   : rows->height >= view_theme_px(theme, 34) ? DETAIL_BAR
                                                              : DETAIL_LINE;
    rows->columns = 1;
    int32_t most_columns = width / view_theme_px(theme, 76);
    int32_t fit = room / (rows->height + rows->gap);
    while (rows->detail == DETAIL_LINE && rows->columns < most_columns && rows->columns * fit < count) {
        rows->columns++;
    }
}

/* --- A batch
 * ----------------------------------------------------------------------------------------------------------------
 */

static void draw_record(struct view_frame *frame, const struct model_record *record, struct view_rect cell,
                        struct view_hue hue, bool has_label)
{
    struct view_thing thing = view_thing_record(record->number);
    struct view_rect place = view_move(frame, view_thing_id(frame->info, &thing), cell, NULL);
    /* On its way it flies over the panels. */
    bool flies = place.x != cell.x || place.y != cell.y;
    enum view_layer before = view_draw_layer(frame->ui->list, flies ? VIEW_LAYER_MOVERS : VIEW_LAYER_STAGE);
    char text[TEXT_BYTES];
    view_cell(frame, place, hue, VIEW_CELL_SOLID);
    if (has_label && !flies) {
        snprintf(text, sizeof text, "%u", (unsigned)record->number);
        view_label(frame->ui, place, frame->theme->mono_small, hue.on_fill, VIEW_ALIGN_CENTER, text);
    }
    snprintf(text, sizeof text, "Record %u, key %.16s, %d bytes in its batch", (unsigned)record->number,
             record->key_bytes >= 0 ? record->key.bytes : "(none)", record->record_bytes);
    view_thing_hit(frame, &thing, place, text);
    view_draw_layer(frame->ui->list, before);
}

/* The cells of a batch: as chips with numbers while there is room, then smaller and smaller. */
struct grid {
    int32_t pitch_x, pitch_y, gap, columns, most;
    bool has_labels;
};

static struct grid choose_grid(struct view_frame *frame, struct view_rect rect, int32_t records)
{
    static const int32_t pitches_px[4] = {14, 11, 8, 5};
    const struct view_theme *theme = frame->theme;
    struct grid grid = {.pitch_x = view_label_width(frame->ui, theme->mono_small, "00000"),
                        .pitch_y = view_theme_px(theme, 16),
                        .gap = VIEW_PX(2),
                        .has_labels = true};
    grid.pitch_x &= ~15;
    for (uint32_t i = 0; i <= 4; i++) {
        grid.columns = (rect.w + grid.gap) / grid.pitch_x;
        grid.most = grid.columns * ((rect.h + grid.gap) / grid.pitch_y);
        if (grid.most >= records || i == 4) {
            break;
        }
        int32_t pitch = view_theme_px(theme, pitches_px[i]) & ~15;
        grid = (struct grid){pitch, pitch, pitch > VIEW_PX(6) ? VIEW_PX(2) : VIEW_PX(1), 0, 0, false};
    }
    return grid;
}

/* What does not even fit as small cells, the bar alone shows. */
static void draw_cells(struct view_frame *frame, int32_t index, struct view_rect rect, struct view_hue hue)
{
    struct grid grid = choose_grid(frame, rect, (int32_t)frame->model->batches[index].records);
    for (int16_t i = frame->stage->batch_records[index]; i >= 0; i = frame->stage->next_record[i]) {
        const struct model_record *record = &frame->model->records[i];
        int32_t slot = (int32_t)record->slot;
        if (slot < grid.most) {
            struct view_rect cell = {rect.x + slot % grid.columns * grid.pitch_x,
                                     rect.y + slot / grid.columns * grid.pitch_y, grid.pitch_x - grid.gap,
                                     grid.pitch_y - grid.gap};
            draw_record(frame, record, cell, hue, grid.has_labels);
        }
    }
}

/* Why it left, is about to leave, or came back. NULL: nothing to say. */
static const char *chip_of(const struct view_frame *frame, const struct model_batch *batch, char *text,
                           size_t capacity, struct view_hue *hue)
{
    if (batch->state == MODEL_BATCH_RETRYING && batch->left == 0) {
        snprintf(text, capacity, "RETRY %u", (unsigned)batch->attempts);
        *hue = frame->theme->fail;
        return text;
    }
    if (batch->left == 0) {
        return NULL;
    }
    view_format_mask(KB_FIELD_LEFT, batch->left, text, capacity);
    *hue = frame->theme->warn;
    return text;
}

/* How long still, and out of how much. */
static int64_t wait_of(const struct view_frame *frame, const struct model_batch *batch, int64_t *total_us)
{
    bool retries = batch->state == MODEL_BATCH_RETRYING;
    *total_us = 1000 * (retries ? frame->pinfo->retry_backoff_ms : frame->pinfo->linger_ms);
    if (retries) {
        return batch->ripe_us - frame->now_us;
    }
    return batch->created_us + *total_us - frame->now_us;
}

static void draw_foot(struct view_frame *frame, const struct model_batch *batch, struct view_rect rect,
                      struct view_hue hue)
{
    struct view_ui *ui = frame->ui;
    const struct view_theme *theme = frame->theme;
    struct view_hue chip_hue = hue;
    char text[TEXT_BYTES];
    int32_t radius = view_theme_px(theme, 6);
    int32_t chip_width = 0;
    if (chip_of(frame, batch, text, sizeof text, &chip_hue) != NULL) {
        int32_t width = view_chip_width(ui, text);
        width = width < rect.w ? width : rect.w;
        chip_width = width;
        char tip[2 * TEXT_BYTES];
        snprintf(tip, sizeof tip, "%s: %s", text,
                 batch->left != 0 ? "why the batch leaves, every reason that held when the Sender looked"
                                  : "it came back and waits for retry.backoff.ms");
        view_chip(ui, view_id_make(VIEW_HIT_LEFT_WHY, batch->number, batch->producer),
                  (struct view_point){rect.x + rect.w - width, rect.y + (rect.h - theme->chip_height) / 2},
                  width, chip_hue, VIEW_CHIP_OUTLINE, text, tip);
        if (ui->activated == view_id_make(VIEW_HIT_LEFT_WHY, batch->number, batch->producer)) {
            struct view_thing thing = view_thing_batch(batch->producer, batch->number);
            view_stage_select(frame->stage, &thing);
            frame->stage->side.tab = VIEW_TAB_WHY;
        }
    }
    int64_t total_us = 0;
    int64_t left_us = wait_of(frame, batch, &total_us);
    bool is_waiting = batch->left == 0 && left_us > 0 && total_us > 0;
    if (!is_waiting || (batch->state != MODEL_BATCH_OPEN && batch->state != MODEL_BATCH_RETRYING)) {
        return;
    }
    if (chip_width > rect.w - 2 * radius - theme->space_1) {
        return; /* no room for both, and the chip says more */
    }
    view_countdown_ring(ui, (struct view_point){rect.x + radius + VIEW_PX(1), rect.y + rect.h / 2}, radius,
                        left_us, total_us, batch->state == MODEL_BATCH_RETRYING ? theme->fail.ink : hue.ink);
    if (batch->state == MODEL_BATCH_OPEN) {
        char left[40];
        view_format_duration(left_us, left, sizeof left);
        snprintf(text, sizeof text, "%s left", left);
        struct view_rect label = rect;
        view_rect_cut_left(&label, 2 * radius + theme->space_1);
        bool is_short = view_label_width(ui, theme->mono_small, text) > label.w;
        view_label(ui, label, theme->mono_small, theme->text_muted, VIEW_ALIGN_RIGHT, is_short ? left : text);
    }
}

static void draw_batch_card(struct view_frame *frame, int32_t index, struct view_rect rect,
                            struct view_hue hue)
{
    struct view_ui *ui = frame->ui;
    const struct view_theme *theme = frame->theme;
    const struct model_batch *batch = &frame->model->batches[index];
    struct view_thing thing = view_thing_batch(batch->producer, batch->number);
    view_id id = view_thing_id(frame->info, &thing);
    bool is_open = batch->state == MODEL_BATCH_OPEN;
    bool is_retry = batch->state == MODEL_BATCH_RETRYING;
    rect = view_move(frame, id, rect, NULL);
    view_draw_box(ui->list, rect, view_theme_px(theme, 5), theme->card, is_retry ? theme->fail.ink : hue.ink,
                  is_open ? theme->stroke : theme->stroke_strong);
    char tip[TEXT_BYTES];
    char bytes[40];
    view_format_bytes(batch->bytes, bytes, sizeof bytes);
    snprintf(tip, sizeof tip, "Batch #%u: %u records, %s of %d", (unsigned)batch->number,
             (unsigned)batch->records, bytes, batch->capacity_bytes);
    view_draw_hit(ui->list, id, rect, VIEW_HIT_FOCUSABLE, tip);
    view_mark(frame, &thing, rect, view_theme_px(theme, 5));
    struct view_rect inside = view_rect_inset(rect, view_theme_px(theme, 6), VIEW_PX(4));
    char title[TEXT_BYTES];
    snprintf(title, sizeof title, "#%u", (unsigned)batch->number);
    struct view_rect strip = view_rect_cut_top(&inside, view_theme_px(theme, 16));
    int32_t width = view_label(ui, strip, theme->mono_small_strong, theme->text, VIEW_ALIGN_LEFT, title);
    view_rect_cut_left(&strip, width + theme->space_1);
    if (view_label_width(ui, theme->mono_small, bytes) <= strip.w) {
        view_label(ui, strip, theme->mono_small, theme->text_muted, VIEW_ALIGN_RIGHT, bytes);
    }
    view_bar(ui, view_rect_cut_bottom(&inside, theme->bar_height), batch->bytes, batch->capacity_bytes,
             hue.fill);
    view_rect_cut_bottom(&inside, VIEW_PX(2));
    struct view_rect foot = view_rect_cut_bottom(&inside, theme->chip_height);
    if (inside.h >= view_theme_px(theme, 5)) {
        draw_cells(frame, index, inside, hue);
    }
    draw_foot(frame, batch, foot, hue);
}

static void draw_batch_bar(struct view_frame *frame, int32_t index, struct view_rect rect,
                           struct view_hue hue)
{
    const struct view_theme *theme = frame->theme;
    const struct model_batch *batch = &frame->model->batches[index];
    struct view_thing thing = view_thing_batch(batch->producer, batch->number);
    view_id id = view_thing_id(frame->info, &thing);
    bool is_open = batch->state == MODEL_BATCH_OPEN;
    rect = view_move(frame, id, rect, NULL);
    view_draw_box(frame->ui->list, rect, VIEW_PX(3), theme->card, VIEW_NONE, 0);
    struct view_rect fill = view_rect_inset(rect, VIEW_PX(1), VIEW_PX(1));
    int64_t capacity = batch->capacity_bytes > 0 ? batch->capacity_bytes : 1;
    int64_t bytes = batch->bytes < capacity ? batch->bytes : capacity;
    fill.w = (int32_t)(fill.w * bytes / capacity);
    view_draw_pattern_box(frame->ui->list, fill, VIEW_PX(2), hue.fill, hue.pattern,
                          view_color_with_alpha(hue.on_fill, 120));
    view_draw_box(frame->ui->list, rect, VIEW_PX(3), VIEW_NONE,
                  batch->state == MODEL_BATCH_RETRYING ? theme->fail.ink
                  : is_open                            ? theme->line_strong
                                                       : hue.ink,
                  theme->stroke);
    char tip[TEXT_BYTES];
    snprintf(tip, sizeof tip, "Batch #%u: %u records, %d of %d bytes", (unsigned)batch->number,
             (unsigned)batch->records, batch->bytes, batch->capacity_bytes);
    view_draw_hit(frame->ui->list, id, rect, 0, tip);
    view_mark(frame, &thing, rect, VIEW_PX(3));
}

/* --- A row
 * ------------------------------------------------------------------------------------------------------------------
 */

/* The batches of a row from the head, with the one that just left before them. Returns how many there are. */
static uint32_t batches_of(const struct view_frame *frame, const struct rows *rows, int32_t partition,
                           int32_t shown[SHOWN_BATCHES_MAX])
{
    uint32_t count = 0;
    if (rows->departed[partition] >= 0) {
        shown[count++] = rows->departed[partition];
    }
    const struct model_partition *owner = &frame->model->partitions[partition];
    for (int32_t i = owner->first_batch[frame->producer]; i >= 0; i = frame->model->batches[i].next) {
        if (count < SHOWN_BATCHES_MAX) {
            shown[count] = i;
        }
        count++;
    }
    return count;
}

static void draw_deque(struct view_frame *frame, const struct rows *rows, int32_t partition,
                       struct view_rect rect, struct view_hue hue)
{
    const struct view_theme *theme = frame->theme;
    int32_t shown[SHOWN_BATCHES_MAX];
    uint32_t count = batches_of(frame, rows, partition, shown);
    bool has_cards = rows->detail == DETAIL_CELLS;
    int32_t gap = has_cards ? theme->space_2 : theme->space_1;
    int32_t least = view_theme_px(theme, has_cards ? 84 : rows->columns > 1 ? 12 : 26);
    int32_t fits = (rect.w + gap) / (least + gap);
    fits = fits > SHOWN_BATCHES_MAX ? SHOWN_BATCHES_MAX : fits;
    int32_t more_width = view_theme_px(theme, rows->columns > 1 ? 16 : 26);
    if (fits < (int32_t)count) {
        char more[24];
        fits = (rect.w - more_width) / (least + gap);
        snprintf(more, sizeof more, "+%u", (unsigned)count - (unsigned)(fits > 0 ? fits : 0));
        view_label(frame->ui, view_rect_cut_right(&rect, more_width), theme->mono_small, theme->text_muted,
                   VIEW_ALIGN_RIGHT, more);
    }
    int32_t columns = (int32_t)count < fits ? (int32_t)count : fits;
    int32_t usual = has_cards           ? 2
                    : rows->columns > 1 ? 1
                                        : 4; /* so that a lone batch is not as wide as the row */
    int32_t share = columns > usual ? columns : usual;
    int32_t width = ((rect.w - (share - 1) * gap) / share) & ~15;
    for (int32_t i = 0; i < columns; i++) {
        struct view_rect place = {rect.x + i * (width + gap), rect.y, width, rect.h};
        bool has_left = i == 0 && rows->departed[partition] >= 0 &&
                        frame->model->batches[shown[i]].state == MODEL_BATCH_IN_FLIGHT;
        view_draw_opacity_push(frame->ui->list, has_left ? 150 : 256);
        if (has_cards) {
            draw_batch_card(frame, shown[i], place, hue);
        } else {
            draw_batch_bar(frame, shown[i], place, hue);
        }
        view_draw_opacity_pop(frame->ui->list);
    }
}

static void draw_leader(struct view_frame *frame, struct view_rect rect, int32_t leader)
{
    char text[40];
    bool is_known = frame->p->metadata_us >= 0; /* before metadata nothing has failed */
    if (leader >= 0) {
        snprintf(text, sizeof text, "leader B%d", leader);
        if (view_label_width(frame->ui, frame->theme->mono_small, text) > rect.w) {
            snprintf(text, sizeof text, "B%d", leader);
        }
    } else {
        snprintf(text, sizeof text, is_known ? "no leader" : "leader unknown");
    }
    view_label(frame->ui, rect, frame->theme->mono_small,
               leader >= 0 || !is_known ? frame->theme->text_muted : frame->theme->fail.ink, VIEW_ALIGN_RIGHT,
               text);
}

static void draw_row(struct view_frame *frame, const struct rows *rows, int32_t index, struct view_rect rect)
{
    struct view_ui *ui = frame->ui;
    const struct view_theme *theme = frame->theme;
    const struct model_partition *partition = &frame->model->partitions[index];
    struct view_hue hue = view_hue_of(frame, partition->topic, partition->partition);
    struct view_thing thing = view_thing_partition(partition->topic, partition->partition);
    char name[TEXT_BYTES];
    view_partition_name(frame, partition->topic, partition->partition, name, sizeof name);
    bool is_line = rows->detail == DETAIL_LINE;
    view_draw_box(ui->list, rect, is_line ? VIEW_PX(3) : theme->radius_card, theme->background, theme->line,
                  theme->stroke);
    view_card_stripe(ui, rect, hue.fill);
    view_draw_hit(ui->list, view_thing_id(frame->info, &thing), rect,
                  rows->count <= 12 ? VIEW_HIT_FOCUSABLE : 0, name);
    view_mark(frame, &thing, rect, theme->radius_card);
    struct view_rect inside = view_rect_inset(rect, theme->space_2, is_line ? VIEW_PX(2) : VIEW_PX(4));
    view_rect_cut_left(&inside, theme->space_1);
    if (rows->detail == DETAIL_CELLS) {
        struct view_rect strip = view_rect_cut_top(&inside, theme->row_height);
        draw_leader(frame, view_rect_cut_right(&strip, strip.w * 2 / 5), partition->believed_leader);
        view_label(ui, strip, theme->mono_strong, hue.ink, VIEW_ALIGN_LEFT, name);
        view_rect_cut_bottom(&inside, VIEW_PX(2));
    } else {
        bool is_narrow = rows->columns > 1;
        struct view_rect place = view_rect_cut_left(&inside, inside.w * (is_narrow ? 12 : 6) / 20);
        if (view_label_width(ui, theme->mono_small_strong, name) > place.w) {
            snprintf(name, sizeof name, "P%d", partition->partition); /* the tip says of which topic */
        }
        view_label(ui, place, theme->mono_small_strong, hue.ink, VIEW_ALIGN_LEFT, name);
        view_rect_cut_left(&inside, theme->space_1);
        int32_t most = view_theme_px(theme, 24);
        if (inside.h > most) {
            inside.y += (inside.h - most) / 2;
            inside.h = most;
        }
        if (!is_narrow) {
            draw_leader(frame, view_rect_cut_right(&inside, view_theme_px(theme, 30)),
                        partition->believed_leader);
            view_rect_cut_right(&inside, theme->space_1);
        }
    }
    draw_deque(frame, rows, index, inside, hue);
}

/* --- The panel
 * --------------------------------------------------------------------------------------------------------------
 */

static void follow_into_view(struct view_frame *frame, const struct rows *rows, struct view_rect rect)
{
    struct view_stage *stage = frame->stage;
    const struct model_record *record =
        stage->followed.kind == VIEW_THING_RECORD
            ? sim_model_find_record(frame->model, (uint32_t)stage->followed.number)
            : NULL;
    int32_t partition = record != NULL
                            ? sim_model_find_partition(frame->model, record->topic, record->partition)
                            : MODEL_NONE;
    for (uint32_t i = 0; partition >= 0 && i < rows->count; i++) {
        int32_t top = (int32_t)i / rows->columns * (rows->height + rows->gap);
        if (rows->order[i] == partition && top < stage->deque_scroll) {
            stage->deque_scroll = top;
        } else if (rows->order[i] == partition && top + rows->height > stage->deque_scroll + rect.h) {
            stage->deque_scroll = top + rows->height - rect.h;
        }
    }
}

static void draw_unseen(struct view_frame *frame, struct view_rect rect, uint32_t above, uint32_t below)
{
    const struct view_theme *theme = frame->theme;
    char text[64];
    snprintf(text, sizeof text, "▲ %u above · %u below ▼%s", (unsigned)above, (unsigned)below,
             frame->model->partitions_unseen > 0 ? " · more not shown" : "");
    view_label(frame->ui, rect, theme->mono_small, theme->text_muted, VIEW_ALIGN_CENTER, text);
}

static void draw_rows(struct view_frame *frame, struct rows *rows, struct view_rect rect)
{
    const struct view_theme *theme = frame->theme;
    choose_detail(theme, rows, rect.h, rect.w);
    int32_t step = rows->height + rows->gap;
    int32_t lines = ((int32_t)rows->count + rows->columns - 1) / rows->columns;
    int32_t content = lines * step - rows->gap;
    bool scrolls = content > rect.h;
    struct view_rect counts = {0};
    if (scrolls) {
        counts = view_rect_cut_bottom(&rect, theme->row_height);
        follow_into_view(frame, rows, rect);
    }
    struct view_rect inside = view_scroll_begin(frame->ui, view_id_make(VIEW_HIT_DEQUES, 0, 0), rect, content,
                                                &frame->stage->deque_scroll);
    uint32_t above = 0;
    uint32_t below = 0;
    int32_t width = ((inside.w + rows->gap) / rows->columns) & ~15;
    for (uint32_t i = 0; i < rows->count; i++) {
        struct view_rect row = {inside.x + (int32_t)i % rows->columns * width,
                                inside.y + (int32_t)i / rows->columns * step,
                                rows->columns > 1 ? width - rows->gap : inside.w, rows->height};
        above += row.y + row.h <= rect.y;
        below += row.y >= rect.y + rect.h;
        if (view_draw_is_visible(frame->ui->list, row)) {
            draw_row(frame, rows, rows->order[i], row);
        }
    }
    view_scroll_end(frame->ui);
    if (scrolls) {
        draw_unseen(frame, counts, above, below);
    }
}

void view_draw_panel_accumulator(struct view_frame *frame, struct view_rect rect)
{
    const struct view_theme *theme = frame->theme;
    struct view_rect inside =
        view_panel(frame->ui, rect, "RecordAccumulator", "Map<TopicPartition, Deque<ProducerBatch>>");
    int32_t pool = inside.h * 34 / 100;
    int32_t least = view_theme_px(theme, 96);
    int32_t most = view_theme_px(theme, 230);
    pool = pool > most ? most : pool;
    if (pool >= least) {
        view_draw_panel_pool(frame, view_rect_cut_bottom(&inside, pool));
        view_rect_cut_bottom(&inside, theme->space_2);
    }
    index_records(frame);
    struct rows rows;
    sort_rows(frame, &rows);
    find_departed(frame, &rows);
    if (rows.count == 0) {
        view_label(frame->ui, view_rect_cut_top(&inside, theme->row_height), theme->label, theme->text_faint,
                   VIEW_ALIGN_LEFT, "No partition is known yet.");
        return;
    }
    draw_rows(frame, &rows, inside);
}
