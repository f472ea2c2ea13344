/*
 * Inspect, of a consumer: how far it has read, what it may read, and its life.
 */
#include <inttypes.h>
#include <stdio.h>

#include "model/event_text.h"
#include "view/panel_cluster.h"
#include "view/panel_side.h"

static void draw_partition(struct side_column *column, uint32_t index,
                           const struct model_partition *partition)
{
    struct view_frame *frame = column->frame;
    int64_t position = partition->consumer_positions[index];
    int64_t lag = sim_model_lag(frame->model, frame->info, index, partition);
    char name[80];
    char text[80];
    view_partition_name(frame, partition->topic, partition->partition, name, sizeof name);
    if (position < 0) {
        snprintf(text, sizeof text, "no position yet");
    } else if (lag < 0) {
        snprintf(text, sizeof text, "at %" PRId64, position);
    } else {
        snprintf(text, sizeof text, "at %" PRId64 ", lag %" PRId64, position, lag);
    }
    side_row(column, name, text, lag > 0 ? frame->theme->warn.ink : frame->theme->text,
             "The next offset that it reads, and how many more it may read now.");
}

static void draw_partitions(struct side_column *column, uint32_t index)
{
    const struct sim_model *model = column->frame->model;
    side_gap(column, column->frame->theme->space_2);
    side_caption(column, "POSITIONS");
    for (uint32_t i = 0; i < model->partition_count; i++) {
        if (model->partitions[i].consumer_positions[index] != MODEL_NOT_ASSIGNED &&
            column->y < column->bottom) {
            draw_partition(column, index, &model->partitions[i]);
        }
    }
}

void side_inspect_consumer(struct side_column *column)
{
    struct view_frame *frame = column->frame;
    const struct view_theme *theme = frame->theme;
    int64_t number = frame->stage->selected.number;
    if (number < 0 || number >= (int64_t)frame->info->consumer_count) {
        side_paragraph(column, theme->heading, theme->text, "No such consumer");
        return;
    }
    uint32_t index = (uint32_t)number;
    const struct sim_consumer_info *info = &frame->info->consumers[index];
    const struct model_consumer *consumer = &frame->model->consumers[index];
    char text[96];
    snprintf(text, sizeof text, "Consumer %s", info->name);
    side_paragraph(column, theme->heading, theme->text, text);
    side_paragraph(column, theme->mono_small, theme->text_faint,
                   info->is_read_committed ? "isolation.level=read_committed"
                                           : "isolation.level=read_uncommitted");
    side_gap(column, theme->space_2);
    side_row(column, "state", cluster_consumer_state(frame, index, text, sizeof text), theme->text, NULL);
    if (info->group[0] != '\0') {
        side_row(column, "group", info->group, theme->text, NULL);
        side_row_number(column, "generation", consumer->generation);
    }
    if (consumer->error != 0) {
        side_row(column, "error", sim_error_name(consumer->error), theme->fail.ink,
                 sim_error_message(consumer->error));
    }
    side_row_number(column, "records read", (int64_t)consumer->records);
    if (info->is_read_committed) {
        side_row_number(column, "left out as aborted", (int64_t)consumer->left_out);
    }
    int64_t lag = cluster_consumer_lag(frame, index);
    if (lag >= 0) {
        side_row_number(
            column, info->is_read_committed ? "behind the last stable offset" : "behind the high watermark",
            lag);
    }
    if (consumer->read_us > 0) {
        side_row_time(column, "poll() returned records", consumer->read_us);
    }
    draw_partitions(column, index);
    side_inspect_life(column);
}
