/*
 * Config: the settings of the producer in use at this moment. A change makes a branch from here on.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view/glossary.h"
#include "view/panel_side.h"
#include "view/stage_actions.h"

enum setting_kind { SETTING_NUMBER, SETTING_BYTES, SETTING_WORDS };

enum { STEPS_MAX = 12, WORDS_MAX = 5, VALUE_BYTES = 64 };

struct setting {
    const char *name;
    enum setting_kind kind;
    const char *kafka_default;
    int64_t steps[STEPS_MAX]; /* of its slider; the first two equal: it has none */
    uint32_t step_count;
    const char *words[WORDS_MAX]; /* of SETTING_WORDS */
};

static const struct setting settings[] = {
    {"linger.ms", SETTING_NUMBER, "0", {0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000}, 11, {NULL}},
    {"batch.size",
     SETTING_BYTES,
     "16384",
     {1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 524288, 1048576},
     11,
     {NULL}},
    {"buffer.memory",
     SETTING_BYTES,
     "33554432",
     {65536, 131072, 262144, 524288, 1048576, 2097152, 4194304, 8388608, 16777216, 33554432, 67108864,
      134217728},
     12,
     {NULL}},
    {"acks", SETTING_WORDS, "all", {0}, 0, {"0", "1", "all"}},
    {"enable.idempotence", SETTING_WORDS, "true", {0}, 0, {"true", "false"}},
    {"max.in.flight.requests.per.connection", SETTING_NUMBER, "5", {1, 2, 3, 4, 5, 6, 8, 10, 20}, 9, {NULL}},
    {"compression.type", SETTING_WORDS, "none", {0}, 0, {"none", "gzip", "snappy", "lz4", "zstd"}},
    {"retries", SETTING_NUMBER, "2147483647", {0}, 0, {NULL}},
    {"retry.backoff.ms", SETTING_NUMBER, "100", {0}, 0, {NULL}},
    {"request.timeout.ms", SETTING_NUMBER, "30000", {0}, 0, {NULL}},
    {"delivery.timeout.ms", SETTING_NUMBER, "120000", {0}, 0, {NULL}},
    {"max.block.ms", SETTING_NUMBER, "60000", {0}, 0, {NULL}},
    {"max.request.size", SETTING_BYTES, "1048576", {0}, 0, {NULL}},
};
enum { SETTING_COUNT = sizeof settings / sizeof settings[0] };

/* --- Values
 * ------------------------------------------------------------------------------------------------------------
 */

static void write_number(int64_t value, char *text)
{
    snprintf(text, VALUE_BYTES, "%" PRId64, value);
}

/* In force now. */
static void value_now(const struct sim_producer_info *info, uint32_t index, char *text)
{
    const char *name = settings[index].name;
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {
        {"linger.ms", info->linger_ms},
        {"batch.size", info->batch_size_bytes},
        {"buffer.memory", info->buffer_memory_bytes},
        {"max.in.flight.requests.per.connection", info->max_in_flight},
        {"retries", info->retries},
        {"retry.backoff.ms", info->retry_backoff_ms},
        {"request.timeout.ms", info->request_timeout_ms},
        {"delivery.timeout.ms", info->delivery_timeout_ms},
        {"max.block.ms", info->max_block_ms},
        {"max.request.size", info->max_request_size_bytes},
    };
    for (uint32_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(numbers[i].name, name) == 0) {
            write_number(numbers[i].value, text);
            return;
        }
    }
    if (strcmp(name, "acks") == 0) {
        snprintf(text, VALUE_BYTES, "%s", info->acks);
    } else if (strcmp(name, "compression.type") == 0) {
        snprintf(text, VALUE_BYTES, "%s", info->compression[0] != '\0' ? info->compression : "none");
    } else {
        snprintf(text, VALUE_BYTES, "%s", info->is_idempotent ? "true" : "false");
    }
}

static void shown_value(uint32_t index, const char *value, char *text, size_t capacity)
{
    char *end = NULL;
    int64_t number = strtoll(value, &end, 10);
    bool is_number = end != value && *end == '\0';
    if (settings[index].kind == SETTING_BYTES && is_number) {
        view_format_bytes(number, text, capacity);
    } else if (settings[index].kind == SETTING_NUMBER && is_number) {
        view_format_count(number, text, capacity);
    } else {
        snprintf(text, capacity, "%s", value);
    }
}

/* --- A row
 * -------------------------------------------------------------------------------------------------------------
 */

static void set(struct side_column *column, uint32_t index, const char *value)
{
    view_act_set(column->frame->stage, column->frame->producer, settings[index].name, value);
}

static view_id part_id(uint32_t index, uint16_t part)
{
    return view_id_make(VIEW_HIT_SETTING, index, part);
}

/* The parts of a row, in its id. */
enum { PART_VALUE = 1, PART_SLIDER = 2, PART_FIELD = 3, PART_WORD = 8 };

static void draw_field(struct side_column *column, uint32_t index, struct view_rect rect)
{
    struct view_frame *frame = column->frame;
    struct view_side_state *side = &frame->stage->side;
    const char *error = side->field.length == 0 ? "A value, please" : NULL;
    enum view_field_event happened = view_text_field(frame->ui, part_id(index, PART_FIELD), rect,
                                                     &side->field, settings[index].kafka_default, error);
    if (happened == VIEW_FIELD_COMMITTED && error == NULL) {
        set(column, index, side->field.bytes);
    }
    bool is_left = frame->ui->focus != part_id(index, PART_FIELD);
    if (happened == VIEW_FIELD_CANCELLED || (happened == VIEW_FIELD_COMMITTED && error == NULL) || is_left) {
        side->edited = 0;
        frame->stage->is_dirty = true;
    }
}

static void draw_name_and_value(struct side_column *column, uint32_t index, const char *value,
                                bool is_changed)
{
    struct view_frame *frame = column->frame;
    const struct view_theme *theme = frame->theme;
    struct view_side_state *side = &frame->stage->side;
    struct view_rect row = {column->x, column->y, column->w, theme->row_height + theme->space_1};
    bool is_default = strcmp(value, settings[index].kafka_default) == 0;
    char shown[VALUE_BYTES];
    char tip[300];
    shown_value(index, value, shown, sizeof shown);
    snprintf(tip, sizeof tip, "%s Kafka's default: %s. Click to change it.",
             view_glossary(settings[index].name) != NULL ? view_glossary(settings[index].name) : "",
             settings[index].kafka_default);
    int32_t width = view_label_width(frame->ui, theme->mono, shown) + theme->space_3;
    int32_t least = view_theme_px(theme, 84);
    struct view_rect right =
        view_rect_cut_right(&row, side->edited == index + 1 && width < least ? least : width);
    view_id id = part_id(index, PART_VALUE);
    if (side->edited == index + 1) {
        draw_field(column, index, right);
    } else {
        bool hot = frame->ui->hot == id;
        view_draw_box(frame->ui->list, right, theme->space_1, hot ? theme->card_hot : theme->card,
                      theme->line, theme->stroke);
        view_label(frame->ui, right, theme->mono, is_default ? theme->text : theme->accent.ink,
                   VIEW_ALIGN_CENTER, shown);
        view_draw_hit(frame->ui->list, id, right, VIEW_HIT_FOCUSABLE, tip);
        if (frame->ui->activated == id) {
            side->edited = index + 1;
            view_field_set(&side->field, value);
            frame->ui->focus = part_id(index, PART_FIELD);
            frame->stage->is_dirty = true;
        }
    }
    view_rect_cut_right(&row, theme->space_2);
    if (is_changed || !is_default) {
        const char *mark = is_changed ? "changed" : "not default";
        int32_t mark_width = view_label_width(frame->ui, theme->label, mark);
        int32_t name_width = view_label_width(frame->ui, theme->mono_small, settings[index].name);
        if (row.w >= mark_width + name_width + theme->space_2) {
            view_label(frame->ui, view_rect_cut_right(&row, mark_width), theme->label,
                       is_changed ? theme->warn.ink : theme->accent.ink, VIEW_ALIGN_RIGHT, mark);
            view_rect_cut_right(&row, theme->space_2);
        }
    }
    view_label(frame->ui, row, theme->mono_small, theme->text_muted, VIEW_ALIGN_LEFT, settings[index].name);
    view_draw_hit(frame->ui->list, part_id(index, 0), row, 0, tip);
    column->y += theme->row_height + theme->space_1 + theme->space_1 / 2;
}

static int32_t nearest_step(const struct setting *setting, int64_t value)
{
    int32_t best = 0;
    int64_t best_away = INT64_MAX;
    for (uint32_t i = 0; i < setting->step_count; i++) {
        int64_t away = setting->steps[i] > value ? setting->steps[i] - value : value - setting->steps[i];
        if (away < best_away) {
            best_away = away;
            best = (int32_t)i;
        }
    }
    return best;
}

/* What is dragged is set when it is let go: every value on the way would be a branch. */
static void draw_slider(struct side_column *column, uint32_t index, const char *value)
{
    struct view_frame *frame = column->frame;
    struct view_side_state *side = &frame->stage->side;
    const struct setting *setting = &settings[index];
    view_id id = part_id(index, PART_SLIDER);
    bool is_pending = side->pending_setting == (int32_t)index + 1;
    int32_t step = nearest_step(setting, is_pending ? side->pending_value : strtoll(value, NULL, 10));
    struct view_rect rect = {column->x, column->y, column->w, view_theme_px(frame->theme, 20)};
    if (view_slider(frame->ui, id, rect, 0, (int32_t)setting->step_count - 1, 1, &step)) {
        side->pending_setting = (int32_t)index + 1;
        side->pending_value = setting->steps[step];
        is_pending = true;
        frame->stage->is_dirty = true;
    }
    if (is_pending && frame->ui->drag != id) {
        char text[VALUE_BYTES];
        write_number(side->pending_value, text);
        side->pending_setting = 0;
        if (strcmp(text, value) != 0) {
            set(column, index, text);
        }
    }
    column->y += rect.h + frame->theme->space_1;
}

static void draw_words(struct side_column *column, uint32_t index, const char *value)
{
    struct view_frame *frame = column->frame;
    const struct view_theme *theme = frame->theme;
    const struct setting *setting = &settings[index];
    int32_t count = 0;
    int32_t natural = 0;
    for (; count < WORDS_MAX && setting->words[count] != NULL; count++) {
        natural += view_label_width(frame->ui, theme->body, setting->words[count]);
    }
    struct view_rect row = {column->x, column->y, column->w, view_theme_px(theme, 24)};
    int32_t spare = count > 0 ? (row.w - natural) / count : 0;
    for (int32_t i = 0; i < count; i++) {
        int32_t width = view_label_width(frame->ui, theme->body, setting->words[i]) + spare;
        bool is_chosen = strcmp(setting->words[i], value) == 0;
        struct view_rect button = view_rect_inset(view_rect_cut_left(&row, width), theme->space_1 / 4, 0);
        if (view_button(frame->ui, part_id(index, (uint16_t)(PART_WORD + i)), button, setting->words[i],
                        is_chosen ? VIEW_CONTROL_SELECTED : 0u, NULL) &&
            !is_chosen) {
            set(column, index, setting->words[i]);
        }
    }
    column->y += view_theme_px(theme, 24) + theme->space_2;
}

static void draw_setting(struct side_column *column, uint32_t index)
{
    struct view_side_state *side = &column->frame->stage->side;
    const struct setting *setting = &settings[index];
    char value[VALUE_BYTES];
    bool is_changed = view_setting_change(column->frame, setting->name) != NULL;
    value_now(column->frame->pinfo, index, value);
    char shown[VALUE_BYTES];
    memcpy(shown, value, sizeof shown);
    if (side->pending_setting == (int32_t)index + 1) {
        write_number(side->pending_value, shown);
    }
    draw_name_and_value(column, index, shown, is_changed);
    if (setting->kind == SETTING_WORDS) {
        draw_words(column, index, value);
    } else if (setting->step_count > 0) {
        draw_slider(column, index, value);
    }
}

/* --- All of them
 * -------------------------------------------------------------------------------------------------------- */

static void draw_note(struct side_column *column)
{
    struct view_frame *frame = column->frame;
    const struct view_theme *theme = frame->theme;
    static const char note[] =
        "A change makes a branch from this moment on. A living Kafka producer cannot change these: it "
        "is closed and made again.";
    int32_t width = column->w - 2 * theme->space_3 - theme->space_4;
    int32_t height = view_paragraph_height(frame->ui, width, theme->label, note);
    struct view_rect box = {column->x, column->y, column->w, height + theme->space_2};
    view_draw_box(frame->ui->list, box, theme->radius_card, theme->background, theme->warn.ink,
                  theme->stroke);
    struct view_rect inside = view_rect_inset(box, theme->space_2, theme->space_1);
    struct view_rect icon = view_rect_cut_left(&inside, theme->space_4);
    icon.h = theme->row_height;
    view_icon(frame->ui, icon, VIEW_ICON_WARNING, theme->warn.ink);
    view_rect_cut_left(&inside, theme->space_2);
    inside.w = width;
    view_paragraph(frame->ui, inside, theme->label, theme->text_muted, note);
    column->y += box.h + theme->space_3;
}

static void draw_badges(struct side_column *column)
{
    const struct sim_run_info *info = column->frame->info;
    if (info->badge_count == 0) {
        return;
    }
    side_separator(column);
    side_caption(column, "Where the scenario leaves Kafka's defaults");
    for (uint32_t i = 0; i < info->badge_count && i < SIM_BADGES_MAX; i++) {
        const struct sim_badge *badge = &info->badges[i];
        char tip[120];
        snprintf(tip, sizeof tip, "Kafka's default is %s.", badge->kafka_default);
        side_row(column, badge->setting, badge->value, column->frame->theme->accent.ink, tip);
    }
}

void side_draw_config(struct side_column *column)
{
    struct view_frame *frame = column->frame;
    const struct view_theme *theme = frame->theme;
    char text[128];
    snprintf(text, sizeof text, "Producer %s", frame->pinfo->name);
    side_paragraph(column, theme->heading, theme->text, text);
    side_gap(column, theme->space_2);
    draw_note(column);
    for (uint32_t i = 0; i < SETTING_COUNT; i++) {
        draw_setting(column, i);
    }
    side_gap(column, theme->space_1);
    side_row(column, "partitioner", frame->pinfo->partitioner, theme->text,
             view_glossary("partitioner.class"));
    side_row(column, "key serializer", frame->pinfo->key_serializer, theme->text, NULL);
    side_row(column, "value serializer", frame->pinfo->value_serializer, theme->text, NULL);
    draw_badges(column);
}
