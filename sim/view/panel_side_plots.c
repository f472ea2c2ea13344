/*
 * Plots and Ledger: how it goes over time, what became of the records, and the branches of the run.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "view/panel_side.h"
#include "view/stage_actions.h"

/* --- Plots
 * -------------------------------------------------------------------------------------------------------------
 */

static void draw_plot(struct side_column *column, uint32_t index, const char *name, const char *max_label,
                      const int32_t *values, uint32_t count, struct view_hue hue, int32_t max)
{
    struct view_frame *frame = column->frame;
    const struct view_theme *theme = frame->theme;
    struct view_series series = {.values = values, .count = count, .hue = hue};
    struct view_rect rect = {column->x, column->y, column->w, view_theme_px(theme, 84)};
    view_plot(frame->ui, view_id_make(VIEW_HIT_PLOT, index, 0), rect, name, max_label, &series, 1, max);
    column->y += rect.h + theme->space_3;
}

static int32_t most(const int32_t *values, uint32_t count)
{
    int32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        found = values[i] > found ? values[i] : found;
    }
    return found;
}

void side_draw_plots(struct side_column *column)
{
    const struct view_theme *theme = column->frame->theme;
    const struct model_plot *plot = &column->frame->model->plot;
    uint32_t count = plot->count;
    int32_t values[MODEL_PLOT_POINTS];
    char label[64];
    char text[48];
    view_format_duration(plot->step_us, text, sizeof text);
    snprintf(label, sizeof label, "a point is %s", text);
    side_paragraph(column, theme->label, theme->text_muted, label);
    side_gap(column, theme->space_2);
    if (count == 0) {
        side_paragraph(column, theme->body, theme->text_muted, "Nothing to plot yet.");
        return;
    }
    /* Records a second, from records a step. */
    for (uint32_t i = 0; i < count; i++) {
        int64_t rate = plot->step_us > 0 ? (int64_t)plot->acked[i] * 1000000 / plot->step_us : 0;
        values[i] = rate > INT32_MAX ? INT32_MAX : (int32_t)rate;
    }
    view_format_count(most(values, count), text, sizeof text);
    snprintf(label, sizeof label, "%s /s", text);
    draw_plot(column, 0, "Records acked", label, values, count, theme->ok, 0);
    for (uint32_t i = 0; i < count; i++) {
        values[i] = plot->latency_us[i] > INT32_MAX ? INT32_MAX : (int32_t)plot->latency_us[i];
    }
    view_format_duration(most(values, count), label, sizeof label);
    draw_plot(column, 1, "Longest from send() to ack", label, values, count, theme->warn, 0);
    for (uint32_t i = 0; i < count; i++) {
        values[i] = plot->fill_percent[i];
    }
    draw_plot(column, 2, "Batches drained: how full", "100 %", values, count, theme->accent, 100);
    for (uint32_t i = 0; i < count; i++) {
        values[i] = plot->used_bytes_k[i] > INT32_MAX ? INT32_MAX : (int32_t)plot->used_bytes_k[i];
    }
    view_format_bytes_short((int64_t)most(values, count) * 1024, label, sizeof label);
    draw_plot(column, 3, "Buffer memory in use", label, values, count, theme->pool, 0);
    for (uint32_t i = 0; i < count; i++) {
        values[i] = plot->in_flight[i] > INT32_MAX ? INT32_MAX : (int32_t)plot->in_flight[i];
    }
    snprintf(label, sizeof label, "%" PRId32, most(values, count));
    draw_plot(column, 4, "Requests in flight", label, values, count, theme->accent, 0);
}

/* --- Ledger
 * ------------------------------------------------------------------------------------------------------------
 */

static void count_row(struct side_column *column, const char *key, int64_t value, uint32_t color,
                      const char *tip)
{
    char text[40];
    view_format_count(value, text, sizeof text);
    side_row(column, key, text, color, tip);
}

void side_draw_verdicts_now(struct side_column *column)
{
    static const char *const tips[MODEL_FATE_KINDS] = {
        "acknowledged, and not in the leader's log any more",
        "in the leader's log twice or more",
        "in the log behind records that were sent after them",
        "the application was told an error, and they are in the log",
    };
    const struct view_frame *frame = column->frame;
    bool is_first = true;
    for (int kind = 0; kind < MODEL_FATE_KINDS && frame->stage->verdicts != NULL; kind++) {
        uint64_t records =
            sim_verdicts_records(frame->stage->verdicts, (enum model_fate_kind)kind, frame->model->sequence);
        if (records == 0) {
            continue;
        }
        if (is_first) {
            side_caption(column, "Ledger so far");
        }
        is_first = false;
        count_row(column, model_fate_name((enum model_fate_kind)kind), (int64_t)records,
                  frame->theme->fail.ink, tips[kind]);
    }
}

void side_draw_ledger_now(struct side_column *column)
{
    const struct view_theme *theme = column->frame->theme;
    const struct sim_model *model = column->frame->model;
    int64_t sent = 0;
    int64_t acked = 0;
    int64_t failed = 0;
    int64_t refused = 0;
    for (uint32_t i = 0; i < model->producer_count; i++) {
        sent += model->producers[i].sent;
        acked += model->producers[i].acked;
        failed += model->producers[i].failed;
        refused += model->producers[i].rejected;
    }
    int64_t pending = sent - acked - failed; /* refused ones are among the failed */
    side_caption(column, "What the application knows now");
    count_row(column, "sent", sent, theme->text, "send() was called so often");
    count_row(column, "acked", acked, theme->ok.ink, "their callbacks were told an offset");
    count_row(column, "in flight or queued", pending > 0 ? pending : 0, theme->accent.ink,
              "nothing is known of them yet");
    count_row(column, "failed", failed, failed > 0 ? theme->fail.ink : theme->text,
              "their callbacks were told an error");
    if (refused > 0) {
        count_row(column, "of them refused", refused, theme->fail.ink,
                  "send() itself failed: they never got into a batch");
    }
}

/* A line is "name\tcount". */
static void draw_ledger_line(struct side_column *column, const char *line)
{
    const struct view_theme *theme = column->frame->theme;
    const char *tab = strchr(line, '\t');
    char name[64];
    size_t length = tab != NULL ? (size_t)(tab - line) : strlen(line);
    length = length < sizeof name - 1 ? length : sizeof name - 1;
    memcpy(name, line, length);
    name[length] = '\0';
    const char *count = tab != NULL ? tab + 1 : "";
    static const char *const bad[] = {"lost after ack", "duplicate", "reordered", "false failure", "failed"};
    bool is_bad = false;
    for (uint32_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        is_bad = is_bad || strncmp(name, bad[i], strlen(bad[i])) == 0;
    }
    is_bad = is_bad && strcmp(count, "0") != 0;
    side_row(column, name, count, is_bad ? theme->fail.ink : theme->text, NULL);
}

static void draw_run_ledger(struct side_column *column)
{
    const struct view_host *host = &column->frame->stage->host;
    const struct view_theme *theme = column->frame->theme;
    side_separator(column);
    side_caption(column, "When the dust has settled");
    bool is_done = host->progress == NULL || host->progress(host->context) >= 1000;
    const char *line = host->ledger_line != NULL && is_done ? host->ledger_line(host->context, 0) : NULL;
    if (line == NULL) {
        side_paragraph(column, theme->label, theme->text_muted,
                       is_done ? "This run has no ledger." : "The run is still being computed.");
        return;
    }
    for (uint32_t i = 0; line != NULL && i < 32; i++) {
        draw_ledger_line(column, line);
        line = host->ledger_line(host->context, i + 1);
    }
    side_gap(column, theme->space_1);
    side_paragraph(
        column, theme->label, theme->text_faint,
        "What the application was told, against what the logs of the cluster hold at the end of the run.");
}

static void draw_branches(struct side_column *column)
{
    struct view_frame *frame = column->frame;
    const struct view_host *host = &frame->stage->host;
    const struct view_theme *theme = frame->theme;
    uint32_t count = host->branch_count != NULL ? host->branch_count(host->context) : 0;
    uint32_t current = host->current_branch != NULL ? host->current_branch(host->context) : 0;
    if (count == 0) {
        return;
    }
    side_separator(column);
    side_caption(column, "Branches");
    for (uint32_t i = 0; i < count; i++) {
        const struct view_branch *branch = host->branch(host->context, i);
        struct view_rect row = {column->x, column->y, column->w, theme->row_height + theme->space_1};
        char from[48] = "";
        if (i > 0) {
            view_format_duration(branch->from_us, from, sizeof from);
        }
        view_id id = view_id_make(VIEW_HIT_BRANCH, i, 1);
        const char *name = branch->title[0] != '\0' ? branch->title : "as the scenario says";
        if (view_lamp_row(frame->ui, id, row, i == current ? VIEW_LAMP_ON : VIEW_LAMP_OFF, theme->accent,
                          name, from[0] != '\0' ? from : NULL, "Look at this branch") &&
            i != current) {
            view_act_branch(frame->stage, i);
        }
        column->y += row.h;
    }
    if (current > 0 && current < count) {
        const struct view_branch *branch = host->branch(host->context, current);
        if (branch->differs_at > 0 && branch->differs_at <= sim_event_log_count(frame->log)) {
            side_gap(column, theme->space_1);
            side_event_line(column, branch->differs_at, "first difference: ");
        }
    }
}

void side_draw_ledger(struct side_column *column)
{
    side_draw_ledger_now(column);
    side_draw_verdicts_now(column);
    draw_run_ledger(column);
    draw_branches(column);
}
