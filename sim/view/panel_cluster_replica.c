/*
 * Replicas: a row of cells by offset, or a small tile where there are many.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "view/panel_cluster.h"

static const struct model_replica *replica_at(const struct view_frame *frame, int32_t index)
{
    return &frame->model->replicas[index];
}

static const struct model_partition *partition_of(const struct view_frame *frame, int32_t replica)
{
    return &frame->model->partitions[replica_at(frame, replica)->partition];
}

bool cluster_is_leader(const struct view_frame *frame, int32_t replica)
{
    return partition_of(frame, replica)->leader == replica_at(frame, replica)->broker;
}

static struct view_thing thing_of(const struct view_frame *frame, int32_t replica)
{
    const struct model_partition *partition = partition_of(frame, replica);
    return view_thing_replica(partition->topic, partition->partition, replica_at(frame, replica)->broker);
}

void cluster_replica_sentence(const struct view_frame *frame, int32_t index, char *text, size_t capacity)
{
    const struct model_replica *replica = replica_at(frame, index);
    const struct model_partition *partition = partition_of(frame, index);
    char name[80];
    char end[32];
    char committed[32];
    view_partition_name(frame, partition->topic, partition->partition, name, sizeof name);
    view_format_count(replica->end_offset, end, sizeof end);
    view_format_count(replica->high_watermark, committed, sizeof committed);
    snprintf(text, capacity, "%s on broker %" PRId32 ": %s, %s. Log end offset %s, high watermark %s.", name,
             replica->broker, cluster_is_leader(frame, index) ? "leader" : "follower",
             replica->is_in_sync ? "in the ISR" : "out of the ISR", end, committed);
    size_t used = strlen(text);
    if (replica->is_held && used < capacity) {
        view_format_count(replica->last_stable_offset, end, sizeof end);
        snprintf(text + used, capacity - used,
                 " An open transaction holds the last stable offset at %s (dashed): read_committed reads no "
                 "further.",
                 end);
    }
}

/* --- How much a cell stands for
 * ---------------------------------------------------------------------------------------- */

/* Of one partition: from the least of what still matters to the end of the longest log. */
static int64_t span_of(const struct view_frame *frame, const struct model_partition *partition)
{
    int64_t most = 0;
    int64_t least = INT64_MAX;
    for (int32_t i = partition->first_replica; i >= 0; i = frame->model->replicas[i].next) {
        const struct model_replica *replica = replica_at(frame, i);
        most = replica->end_offset > most ? replica->end_offset : most;
        if (replica->is_in_sync) {
            least = replica->high_watermark < least ? replica->high_watermark : least;
            least = replica->end_offset < least ? replica->end_offset : least;
        }
    }
    return least < most ? most - least : 0;
}

struct cluster_scale cluster_scale_make(const struct view_frame *frame, int32_t row_width)
{
    static const int64_t steps[] = {1, 5, 20, 100, 500, 2000, 10000, 100000, 1000000};
    struct cluster_scale scale = {.cell_width = view_theme_px(frame->theme, 13), .records_per_cell = 1};
    scale.cells = row_width / scale.cell_width;
    scale.cells = scale.cells > 2 ? scale.cells : 2;
    int64_t span = 0;
    for (uint32_t i = 0; i < frame->model->partition_count; i++) {
        int64_t one = span_of(frame, &frame->model->partitions[i]);
        span = one > span ? one : span;
    }
    /* Three quarters of a row for what is not everywhere yet; the rest shows where it comes from. */
    for (uint32_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        scale.records_per_cell = steps[i];
        if (span * 4 <= steps[i] * scale.cells * 3) {
            break;
        }
    }
    return scale;
}

int64_t cluster_window_start(const struct view_frame *frame, const struct cluster_scale *scale,
                             int32_t partition)
{
    int64_t most = 0;
    for (int32_t i = frame->model->partitions[partition].first_replica; i >= 0;
         i = frame->model->replicas[i].next) {
        int64_t end = replica_at(frame, i)->end_offset;
        most = end > most ? end : most;
    }
    int64_t full_cells = (most + scale->records_per_cell - 1) / scale->records_per_cell;
    int64_t first = full_cells - scale->cells + 2; /* two cells of room at the end */
    return first > 0 ? first * scale->records_per_cell : 0;
}

/* --- A row
 * -------------------------------------------------------------------------------------------------------------
 */

/* A tall row has the role under the name, a low one a star behind it. */
enum { NAME_PX = 70, NAME_AND_STAR_PX = 72, TALL_ROW_PX = 28, RULED_ROW_PX = 60 };

int32_t cluster_name_width(const struct view_frame *frame, int32_t row_height)
{
    bool is_tall = row_height >= view_theme_px(frame->theme, TALL_ROW_PX);
    return view_theme_px(frame->theme, is_tall ? NAME_PX : NAME_AND_STAR_PX);
}

static bool is_duplicate(const struct model_replica *replica, int64_t first, int64_t end)
{
    for (uint32_t i = 0; i < replica->range_count; i++) {
        const struct model_range *range = &replica->ranges[i];
        if (range->is_duplicate && range->first_offset < end && first <= range->last_offset) {
            return true;
        }
    }
    return false;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The part of a cell that lies before an offset. */
static int32_t part_before(const struct cluster_scale *scale, int32_t width, int64_t cell_start,
                           int64_t offset)
{
    int64_t inside = offset - cell_start;
    inside = inside < 0 ? 0 : smaller(inside, scale->records_per_cell);
    return (int32_t)(inside * width / scale->records_per_cell);
}

static void draw_cell(struct view_frame *frame, const struct cluster_scale *scale, struct view_rect cell,
                      const struct model_replica *replica, struct view_hue hue, int64_t start)
{
    int64_t end = start + scale->records_per_cell;
    int32_t written = part_before(scale, cell.w, start, replica->end_offset);
    int32_t committed =
        part_before(scale, cell.w, start, smaller(replica->high_watermark, replica->end_offset));
    if (written < cell.w || replica->start_offset >= end) {
        view_cell(frame, cell, hue, VIEW_CELL_EMPTY);
    }
    if (replica->start_offset >= end) {
        return; /* retention took it */
    }
    if (written > committed) {
        struct view_rect pale = {cell.x + committed, cell.y, written - committed, cell.h};
        view_cell(frame, pale, hue, VIEW_CELL_PALE);
    }
    if (committed > 0) {
        struct view_rect solid = {cell.x, cell.y, committed, cell.h};
        bool twice = is_duplicate(replica, start, end);
        view_cell(frame, solid, hue, twice ? VIEW_CELL_DUPLICATE : VIEW_CELL_SOLID);
    }
}

/* The cells of what is selected, in every replica that has them. */
static void mark_cells(struct view_frame *frame, struct view_rect rect, const struct cluster_scale *scale,
                       const struct model_replica *replica, int64_t start)
{
    const struct view_log_range *marked = &frame->stage->marked;
    int64_t last = smaller(marked->last, replica->end_offset - 1);
    if (marked->partition != replica->partition || last < marked->first || marked->first < start) {
        return;
    }
    int64_t first_cell = (marked->first - start) / scale->records_per_cell;
    int64_t end_cell = smaller((last - start) / scale->records_per_cell + 1, scale->cells);
    if (first_cell < end_cell) {
        int32_t width = (int32_t)(end_cell - first_cell) * scale->cell_width - VIEW_PX(1);
        struct view_rect box = {rect.x + (int32_t)first_cell * scale->cell_width - VIEW_PX(1),
                                rect.y - VIEW_PX(2), width + VIEW_PX(1), rect.h + VIEW_PX(4)};
        view_draw_box(frame->ui->list, box, frame->theme->radius_cell, VIEW_NONE, frame->theme->text,
                      frame->theme->stroke_strong);
    }
}

static void draw_cells(struct view_frame *frame, struct view_rect rect, const struct cluster_scale *scale,
                       int32_t index)
{
    const struct view_theme *theme = frame->theme;
    const struct model_replica *replica = replica_at(frame, index);
    const struct model_partition *partition = partition_of(frame, index);
    struct view_hue hue = view_hue_of(frame, partition->topic, partition->partition);
    int64_t start = cluster_window_start(frame, scale, replica->partition);
    int32_t gap = rect.h > view_theme_px(theme, 8) ? VIEW_PX(2) : VIEW_PX(1);
    for (int32_t i = 0; i < scale->cells; i++) {
        struct view_rect cell = {rect.x + i * scale->cell_width, rect.y, scale->cell_width - gap, rect.h};
        draw_cell(frame, scale, cell, replica, hue, start + i * scale->records_per_cell);
    }
    int64_t ahead = replica->high_watermark - start;
    int64_t width = ahead * scale->cell_width / scale->records_per_cell;
    if (ahead >= 0 && width <= (int64_t)scale->cells * scale->cell_width) {
        int32_t reach = rect.h > view_theme_px(theme, 8) ? VIEW_PX(3) : VIEW_PX(1);
        struct view_rect line = {rect.x + (int32_t)width - (gap + theme->stroke_strong) / 2, rect.y - reach,
                                 theme->stroke_strong, rect.h + 2 * reach};
        view_draw_rect(frame->ui->list, line, theme->text);
    }
    cluster_draw_isolation(frame, rect, scale, index, start);
    mark_cells(frame, rect, scale, replica, start);
}

/* "LEO 56" over "HW 48": the two offsets that matter, where a row is tall enough for both. */
static void draw_offsets(struct view_frame *frame, struct view_rect rect, const struct model_replica *replica)
{
    const struct view_theme *theme = frame->theme;
    char number[32];
    char text[48];
    int32_t line = view_theme_px(theme, 15);
    struct view_rect strip = {rect.x, rect.y + (rect.h - 2 * line) / 2, rect.w, line};
    view_format_count(replica->end_offset, number, sizeof number);
    snprintf(text, sizeof text, "LEO %s", number);
    view_label(frame->ui, strip, theme->mono_small, theme->text_muted, VIEW_ALIGN_RIGHT, text);
    strip.y += line;
    view_format_count(replica->high_watermark, number, sizeof number);
    snprintf(text, sizeof text, "HW %s", number);
    view_label(frame->ui, strip, theme->mono_small, theme->text_faint, VIEW_ALIGN_RIGHT, text);
    if (replica->is_held && rect.h >= 4 * line) {
        strip.y += line;
        view_format_count(replica->last_stable_offset, number, sizeof number);
        snprintf(text, sizeof text, "LSO %s", number);
        view_label(frame->ui, strip, theme->mono_small, theme->warn.ink, VIEW_ALIGN_RIGHT, text);
    }
}

/* Offsets under every fifth cell, where the row is tall enough for a line of them. */
static void draw_ruler(struct view_frame *frame, struct view_rect cells, const struct cluster_scale *scale,
                       int32_t index)
{
    enum { EVERY = 5 };
    const struct view_theme *theme = frame->theme;
    const struct model_replica *replica = replica_at(frame, index);
    int64_t start = cluster_window_start(frame, scale, replica->partition);
    int64_t step = EVERY * scale->records_per_cell;
    for (int64_t offset = (start + step - 1) / step * step; offset < replica->end_offset; offset += step) {
        int64_t place = (offset - start) / scale->records_per_cell;
        if (place >= scale->cells) {
            break;
        }
        char text[32];
        view_format_count(offset, text, sizeof text);
        struct view_rect label = {cells.x + (int32_t)place * scale->cell_width,
                                  cells.y + cells.h + VIEW_PX(1), EVERY * scale->cell_width,
                                  view_theme_px(theme, 14)};
        int32_t right = cells.x + cells.w;
        label.w = label.x + label.w > right ? right - label.x : label.w;
        if (view_label_width(frame->ui, theme->mono_small, text) <= label.w) {
            view_label(frame->ui, label, theme->mono_small, theme->text_faint, VIEW_ALIGN_LEFT, text);
        }
    }
}

/* The name in the hue of the partition, and who leads: with a star, not by colour alone. */
static void draw_name(struct view_frame *frame, struct view_rect rect, int32_t index)
{
    const struct view_theme *theme = frame->theme;
    const struct model_replica *replica = replica_at(frame, index);
    const struct model_partition *partition = partition_of(frame, index);
    struct view_hue hue = view_hue_of(frame, partition->topic, partition->partition);
    char name[80];
    int32_t line = view_theme_px(theme, 14);
    bool is_tall = rect.h >= view_theme_px(theme, TALL_ROW_PX);
    int32_t star_width = cluster_is_leader(frame, index) && !is_tall ? view_theme_px(theme, 12) : 0;
    view_partition_name_fit(frame, partition->topic, partition->partition, theme->mono_small_strong,
                            rect.w - star_width, name, sizeof name);
    struct view_rect first = {rect.x, is_tall ? rect.y + (rect.h - 2 * line) / 2 : rect.y, rect.w,
                              is_tall ? line : rect.h};
    struct view_rect second = first;
    second.y += line;
    if (cluster_is_leader(frame, index)) {
        struct view_rect star = is_tall ? second : view_rect_cut_right(&first, view_theme_px(theme, 12));
        star.w = view_theme_px(theme, 10);
        view_icon(frame->ui, star, VIEW_ICON_STAR, theme->warn.ink);
    }
    view_label(frame->ui, first, theme->mono_small_strong, hue.ink, VIEW_ALIGN_LEFT, name);
    if (!is_tall) {
        return;
    }
    if (cluster_is_leader(frame, index)) {
        view_rect_cut_left(&second, view_theme_px(theme, 13));
    }
    const char *role = cluster_is_leader(frame, index) ? "leader"
                       : replica->is_in_sync           ? "follower"
                                                       : "out of ISR";
    uint32_t color = replica->is_leader    ? theme->warn.ink
                     : replica->is_in_sync ? theme->text_faint
                                           : theme->fail.ink;
    view_label(frame->ui, second, theme->mono_small, color, VIEW_ALIGN_LEFT, role);
}

void cluster_draw_row(struct view_frame *frame, struct view_rect rect, const struct cluster_scale *scale,
                      int32_t index)
{
    const struct view_theme *theme = frame->theme;
    const struct model_replica *replica = replica_at(frame, index);
    struct view_thing thing = thing_of(frame, index);
    struct view_rect rest = rect;
    char sentence[320];
    cluster_replica_sentence(frame, index, sentence, sizeof sentence);
    view_draw_hit(frame->ui->list, view_thing_id(frame->info, &thing), rect, 0, sentence);
    bool has_words = rect.h >= view_theme_px(theme, 13);
    struct view_rect name = view_rect_cut_left(&rest, has_words ? cluster_name_width(frame, rect.h) : 0);
    if (has_words) {
        view_rect_cut_left(&rest, theme->space_2);
        draw_name(frame, name, index);
    }
    struct view_rect cells = {rest.x, rest.y, scale->cells * scale->cell_width, rest.h};
    bool is_ruled = rect.h >= view_theme_px(theme, RULED_ROW_PX);
    int32_t most = is_ruled ? rect.h / 2 : view_theme_px(theme, 26);
    int32_t height = rect.h - (has_words ? theme->space_2 : VIEW_PX(2));
    height = height > most ? most : height;
    height = height < VIEW_PX(2) ? VIEW_PX(2) : height;
    cells.y += (rest.h - height) / 2;
    cells.h = height;
    draw_cells(frame, cells, scale, index);
    if (is_ruled) {
        draw_ruler(frame, cells, scale, index);
    }
    cluster_draw_verdicts(frame, rect, cells, scale, index,
                          cluster_window_start(frame, scale, replica->partition));
    view_rect_cut_left(&rest, cells.w + theme->space_2);
    if (rest.w >= view_theme_px(theme, 52) && rect.h >= view_theme_px(theme, 30)) {
        draw_offsets(frame, rest, replica);
    }
    view_mark(frame, &thing, view_rect_inset(rect, -theme->space_1, 0), theme->space_1);
}

/* A square: how much of its log is committed as its filled height, framed when it leads, crossed out when it
 * is out of sync. */
void cluster_draw_tile(struct view_frame *frame, struct view_rect rect, int32_t index)
{
    const struct view_theme *theme = frame->theme;
    const struct model_replica *replica = replica_at(frame, index);
    const struct model_partition *partition = partition_of(frame, index);
    struct view_hue hue = view_hue_of(frame, partition->topic, partition->partition);
    struct view_thing thing = thing_of(frame, index);
    char sentence[320];
    cluster_replica_sentence(frame, index, sentence, sizeof sentence);
    view_thing_hit(frame, &thing, rect, sentence);
    int64_t start = replica->start_offset;
    int64_t length = replica->end_offset - start;
    int64_t open = replica->end_offset - replica->high_watermark;
    bool has_number = rect.w >= view_theme_px(theme, 20);
    view_draw_box(frame->ui->list, rect, theme->radius_cell, view_color_with_alpha(hue.fill, 60), VIEW_NONE,
                  0);
    if (length > 0) {
        open = open > length ? length : open > 0 ? open : 0;
        int32_t height = (int32_t)((length - open) * rect.h / length);
        struct view_rect filled = {rect.x, rect.y + rect.h - height, rect.w, height};
        /* A number tells it from its like; where there is no room for one, a texture does. */
        view_draw_pattern_box(frame->ui->list, filled, theme->radius_cell, hue.fill,
                              has_number ? VIEW_PATTERN_NONE : hue.pattern,
                              view_color_with_alpha(hue.on_fill, 150));
    }
    bool is_leader = cluster_is_leader(frame, index);
    if (has_number) {
        char number[16];
        snprintf(number, sizeof number, "%" PRId32, partition->partition);
        bool is_full = length > 0 && open * 2 < length;
        view_label(frame->ui, rect, is_leader ? theme->mono_small_strong : theme->mono_small,
                   is_full ? hue.on_fill : theme->text, VIEW_ALIGN_CENTER, number);
    }
    if (is_leader && rect.w >= VIEW_PX(12)) {
        view_draw_box(frame->ui->list, rect, theme->radius_cell, VIEW_NONE, theme->text,
                      theme->stroke_strong);
    } else if (is_leader) {
        struct view_point center = {rect.x + rect.w / 2, rect.y + rect.h / 2};
        view_draw_circle(frame->ui->list, center, rect.w / 4, theme->background, theme->text, theme->stroke);
    }
    if (!replica->is_in_sync) {
        view_draw_line(frame->ui->list, (struct view_point){rect.x, rect.y + rect.h},
                       (struct view_point){rect.x + rect.w, rect.y}, theme->fail.ink, theme->stroke_strong);
    }
    view_mark(frame, &thing, view_rect_inset(rect, -VIEW_PX(1), -VIEW_PX(1)), theme->radius_cell);
}
