/* The bar at the top: what is shown, time and its rate, and the settings that matter. */
#include "view/stage_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CHIPS_MAX = 8, CHIP_BYTES = 96, TIP_BYTES = 256 };

enum { BUTTON_START, BUTTON_PREVIOUS, BUTTON_PLAY, BUTTON_NEXT, BUTTON_END, BUTTONS };

struct chip {
    char label[CHIP_BYTES];
    char tip[TIP_BYTES];
    bool is_badge;
    bool is_changed; /* set on the way */
};

static void press(struct view_stage *stage, uint32_t button)
{
    switch (button) {
    case BUTTON_START:
        stage->is_playing = false;
        view_stage_seek(stage, 0);
        break;
    case BUTTON_PREVIOUS:
        view_playback_step(stage, true);
        break;
    case BUTTON_PLAY:
        view_stage_play(stage, !stage->is_playing);
        break;
    case BUTTON_NEXT:
        view_playback_step(stage, false);
        break;
    default:
        stage->is_playing = false;
        view_stage_seek(stage, UINT64_MAX);
        break;
    }
}

static void draw_transport(struct view_frame *frame, struct view_rect rect)
{
    static const enum view_icon icons[BUTTONS] = {VIEW_ICON_START, VIEW_ICON_PREVIOUS, VIEW_ICON_PLAY,
                                                  VIEW_ICON_NEXT, VIEW_ICON_END};
    static const char *const tips[BUTTONS] = {"To the start (Home)", "One event back (←)",
                                              "Play or pause (Space)", "One event forward (→)",
                                              "To the end (End)"};
    const struct view_theme *theme = frame->theme;
    rect.y += (rect.h - theme->button_height) / 2;
    rect.h = theme->button_height;
    for (uint32_t i = 0; i < BUTTONS; i++) {
        struct view_rect button = view_rect_cut_left(&rect, view_theme_px(theme, 33));
        view_rect_cut_left(&rect, view_theme_px(theme, 6));
        bool plays = i == BUTTON_PLAY && frame->stage->is_playing;
        if (view_icon_button(frame->ui, view_id_make(VIEW_HIT_TRANSPORT, i, 0), button,
                             plays ? VIEW_ICON_PAUSE : icons[i], i == BUTTON_PLAY ? VIEW_CONTROL_PRIMARY : 0,
                             tips[i])) {
            press(frame->stage, i);
        }
    }
}

/* "1 s shows 2 ms": always there, because a picture of time without its scale misleads. */
static void draw_rate(struct view_frame *frame, struct view_rect rect)
{
    struct view_ui *ui = frame->ui;
    struct view_stage *stage = frame->stage;
    const struct view_theme *theme = frame->theme;
    char rate[40];
    view_format_duration(view_playback_us_per_second(stage), rate, sizeof rate);
    rect.y += (rect.h - theme->button_height) / 2;
    rect.h = theme->button_height;
    struct view_rect slower = view_rect_cut_left(&rect, view_theme_px(theme, 24));
    struct view_rect faster = view_rect_cut_right(&rect, view_theme_px(theme, 24));
    if (view_icon_button(ui, view_id_make(VIEW_HIT_SPEED, 0, 0), slower, VIEW_ICON_SLOWER, VIEW_CONTROL_QUIET,
                         "Slower ([)")) {
        view_playback_faster(stage, -1);
    }
    if (view_icon_button(ui, view_id_make(VIEW_HIT_SPEED, 1, 0), faster, VIEW_ICON_FASTER, VIEW_CONTROL_QUIET,
                         "Faster (])")) {
        view_playback_faster(stage, 1);
    }
    char label[96];
    if (stage->is_playing && stage->hold_until_us > stage->clock_us) {
        snprintf(label, sizeof label, "held: look");
    } else if (stage->is_paced && stage->idle_us > 0 && stage->is_playing) {
        char idle[40];
        view_format_duration(stage->idle_us, idle, sizeof idle);
        snprintf(label, sizeof label, "%s idle", idle);
    } else {
        snprintf(label, sizeof label, stage->is_paced ? "events, ≤ %s/s" : "1 s shows %s", rate);
    }
    view_rect_cut_left(&rect, VIEW_PX(2));
    view_rect_cut_right(&rect, VIEW_PX(2));
    if (view_button(
            ui, view_id_make(VIEW_HIT_PACED, 0, 0), rect, label, stage->is_paced ? VIEW_CONTROL_SELECTED : 0,
            "How much of the run one second shows. Click (or v): event by event, each with time to be "
            "seen, idle stretches cut short.")) {
        stage->is_paced = !stage->is_paced;
        stage->pace_goal = 0;
        stage->idle_us = 0;
    }
}

static void draw_clock(struct view_frame *frame, struct view_rect clock, struct view_rect events)
{
    struct view_ui *ui = frame->ui;
    const struct view_theme *theme = frame->theme;
    char text[96];
    view_label(ui, view_rect_cut_left(&clock, view_theme_px(theme, 26)), theme->mono, theme->text_muted,
               VIEW_ALIGN_LEFT, "t =");
    view_format_clock(frame->now_us, text, sizeof text);
    view_label(ui, clock, theme->clock, theme->text, VIEW_ALIGN_LEFT, text);
    view_draw_hit(ui->list, view_id_make(VIEW_HIT_CLOCK, 0, 0), clock, 0,
                  "Virtual time since the run began. Kafka's own clock counts whole milliseconds.");
    char at[40];
    char all[40];
    view_format_count((int64_t)frame->model->sequence, at, sizeof at);
    view_format_count((int64_t)sim_event_log_count(frame->log), all, sizeof all);
    snprintf(text, sizeof text, "event %s / %s", at, all);
    view_label(ui, events, theme->mono_small, theme->text_muted, VIEW_ALIGN_LEFT, text);
}

/* --- Settings
 * -------------------------------------------------------------------------------------------------------------
 */

static const struct sim_badge *badge_of(const struct sim_run_info *info, const char *setting)
{
    for (uint32_t i = 0; i < info->badge_count; i++) {
        const char *name = info->badges[i].setting;
        size_t length = strlen(name);
        size_t wanted = strlen(setting);
        if (length >= wanted && strcmp(name + length - wanted, setting) == 0) {
            return &info->badges[i];
        }
    }
    return NULL;
}

/* "linger.ms was set to 20 at 12.400 ms"; a chip says "idempotence" for short. */
static void tell_change(const struct view_frame *frame, const struct model_setting *change, char *text,
                        size_t capacity_bytes)
{
    char when[40];
    view_format_clock(sim_event_log_get(frame->log, change->event)->time_us, when, sizeof when);
    snprintf(text, capacity_bytes, "%s was set to %s at %s.%s", sim_event_log_name(frame->log, change->name),
             sim_event_log_name(frame->log, change->value), when,
             change->is_recreated != 0
                 ? " A living Kafka producer cannot change it: it was closed and made again."
                 : "");
}

static void set_chip(const struct view_frame *frame, struct chip *chip, const char *setting,
                     const char *value)
{
    const struct sim_badge *badge = badge_of(frame->info, setting);
    bool is_short = strcmp(setting, "idempotence") == 0;
    const struct model_setting *change =
        view_setting_change(frame, is_short ? "enable.idempotence" : setting);
    chip->is_badge = badge != NULL;
    chip->is_changed = change != NULL;
    snprintf(chip->label, sizeof chip->label, "%s=%s", setting, value);
    if (change != NULL) {
        tell_change(frame, change, chip->tip, sizeof chip->tip);
    } else if (badge != NULL) {
        snprintf(chip->tip, sizeof chip->tip, "The scenario sets %s to %s. Kafka's default is %s.",
                 badge->setting, badge->value, badge->kafka_default);
    } else {
        snprintf(chip->tip, sizeof chip->tip,
                 "%s of producer %s: Kafka's default, or what the scenario says.", setting,
                 frame->pinfo->name);
    }
}

/* What is set unlike Kafka and finds no place of its own: one chip counts it, its tip names it. */
static void count_the_rest(const struct view_frame *frame, struct chip *chip)
{
    *chip = (struct chip){.is_badge = true};
    snprintf(chip->label, sizeof chip->label, "%u unlike Kafka", (unsigned)frame->info->badge_count);
    size_t used = (size_t)snprintf(chip->tip, sizeof chip->tip, "Not Kafka's defaults:");
    for (uint32_t i = 0; i < frame->info->badge_count && used < sizeof chip->tip; i++) {
        const struct sim_badge *badge = &frame->info->badges[i];
        int wrote = snprintf(chip->tip + used, sizeof chip->tip - used, "%s %s=%s (%s)", i > 0 ? "," : "",
                             badge->setting, badge->value, badge->kafka_default);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
}

/* The shown producer is not the one that the run began with. */
static bool tell_made_again(const struct view_frame *frame, struct chip *chip)
{
    const struct model_setting *last = NULL;
    for (uint32_t i = 0; i < frame->p->setting_count; i++) {
        const struct model_setting *change = &frame->p->settings[i];
        if (change->is_recreated != 0 && (last == NULL || change->event > last->event)) {
            last = change;
        }
    }
    if (last == NULL) {
        return false;
    }
    *chip = (struct chip){.label = "producer made again", .is_changed = true};
    tell_change(frame, last, chip->tip, sizeof chip->tip);
    return true;
}

static uint32_t insert_chip(struct chip chips[CHIPS_MAX], uint32_t count, const struct chip *chip)
{
    enum { PLACE = 2 };
    memmove(chips + PLACE + 1, chips + PLACE, (count - PLACE) * sizeof chips[0]);
    chips[PLACE] = *chip;
    return count + 1;
}

static uint32_t collect_chips(const struct view_frame *frame, struct chip chips[CHIPS_MAX])
{
    const struct sim_producer_info *producer = frame->pinfo;
    char number[32];
    uint32_t count = 0;
    set_chip(frame, &chips[count++], "acks", producer->acks);
    snprintf(number, sizeof number, "%" PRId64, producer->linger_ms);
    set_chip(frame, &chips[count++], "linger.ms", number);
    snprintf(number, sizeof number, "%" PRId64, producer->batch_size_bytes);
    set_chip(frame, &chips[count++], "batch.size", number);
    set_chip(frame, &chips[count++], "idempotence", producer->is_idempotent ? "on" : "off");
    uint32_t shown = 0;
    for (uint32_t i = 0; i < count; i++) {
        shown += chips[i].is_badge;
    }
    /* After acks and linger.ms: the others give way to these. */
    struct chip more;
    if (frame->info->badge_count > shown) {
        count_the_rest(frame, &more);
        count = insert_chip(chips, count, &more);
    }
    if (tell_made_again(frame, &more)) {
        count = insert_chip(chips, count, &more);
    }
    return count;
}

/* From the left; those for which there is no room are left out whole. */
static void draw_chips(struct view_frame *frame, struct view_rect rect, const struct chip *chips,
                       uint32_t count)
{
    struct view_ui *ui = frame->ui;
    const struct view_theme *theme = frame->theme;
    struct view_hue plain = {theme->card_hot, theme->text, theme->text, VIEW_PATTERN_NONE};
    int32_t y = rect.y + (rect.h - theme->chip_height) / 2;
    for (uint32_t i = 0; i < count; i++) {
        int32_t width = view_chip_width(ui, chips[i].label);
        if (width > rect.w) {
            continue;
        }
        view_chip(ui, view_id_make(VIEW_HIT_CHIP, i, 0), (struct view_point){rect.x, y}, width,
                  chips[i].is_changed ? theme->accent
                  : chips[i].is_badge ? theme->warn
                                      : plain,
                  chips[i].is_changed ? VIEW_CHIP_OUTLINE
                  : chips[i].is_badge ? VIEW_CHIP_DASHED
                                      : VIEW_CHIP_FILLED,
                  chips[i].label, chips[i].tip);
        if (ui->activated == view_id_make(VIEW_HIT_CHIP, i, 0)) {
            frame->stage->side.tab = VIEW_TAB_CONFIG;
            frame->stage->side.is_open = true;
        }
        view_rect_cut_left(&rect, width + theme->space_1 + VIEW_PX(2));
    }
}

/* Of the chips that fit into so much room. */
static int32_t chips_width(struct view_frame *frame, const struct chip *chips, uint32_t count, int32_t room)
{
    int32_t used = 0;
    int32_t gap = frame->theme->space_1 + VIEW_PX(2);
    for (uint32_t i = 0; i < count; i++) {
        int32_t width = view_chip_width(frame->ui, chips[i].label);
        used += used + width <= room ? width + gap : 0;
    }
    return used;
}

static void draw_title(struct view_frame *frame, struct view_rect rect)
{
    const struct view_theme *theme = frame->theme;
    char title[160];
    if (frame->stage->followed.kind == VIEW_THING_RECORD) {
        snprintf(title, sizeof title, "following record %" PRId64, frame->stage->followed.number);
        view_label(frame->ui, rect, theme->body_strong, theme->accent.ink, VIEW_ALIGN_LEFT, title);
        return;
    }
    view_label(frame->ui, rect, theme->body, theme->text_muted, VIEW_ALIGN_LEFT, frame->info->name);
    view_draw_hit(frame->ui->list, view_id_make(VIEW_HIT_TITLE, 0, 0), rect, 0, frame->info->name);
}

void view_draw_panel_top(struct view_frame *frame, struct view_rect rect)
{
    struct view_ui *ui = frame->ui;
    const struct view_theme *theme = frame->theme;
    view_draw_rect(ui->list, rect, theme->panel);
    view_separator(ui, rect.x, rect.y + rect.h - theme->stroke, rect.w);
    struct view_rect row = view_rect_inset(rect, theme->space_3, 0);
    view_label(ui, view_rect_cut_left(&row, view_theme_px(theme, 58)), theme->brand, theme->text,
               VIEW_ALIGN_LEFT, "linger");
    struct view_rect help = view_rect_cut_right(&row, view_theme_px(theme, 28));
    help.y += (help.h - theme->button_height) / 2;
    help.h = theme->button_height;
    if (view_icon_button(ui, view_id_make(VIEW_HIT_HELP, 0, 0), help, VIEW_ICON_HELP, VIEW_CONTROL_QUIET,
                         "All keys (?)")) {
        frame->stage->is_key_card_open = true;
    }
    int32_t transport = view_theme_px(theme, 5 * 39);
    int32_t rate = view_theme_px(theme, 176);
    int32_t clock = view_theme_px(theme, 26) + view_label_width(ui, theme->clock, "00 000.000 ms");
    int32_t events = view_label_width(ui, theme->mono_small, "event 00 000 / 00 000");
    struct chip chips[CHIPS_MAX];
    uint32_t count = collect_chips(frame, chips);
    int32_t gap = theme->space_3;
    int32_t spare = row.w - transport - rate - clock - events - 5 * gap;
    if (spare < 0) {
        spare += events + gap; /* the least important */
        events = 0;
    }
    int32_t chips_room = chips_width(frame, chips, count, spare * 70 / 100);
    if (chips_room > 0) {
        draw_chips(frame, view_rect_cut_right(&row, chips_room), chips, count);
        view_rect_cut_right(&row, gap);
    }
    int32_t title = spare - (chips_room > 0 ? chips_room : 0);
    if (title > view_theme_px(theme, 40)) {
        draw_title(frame, view_rect_cut_left(&row, title));
        view_rect_cut_left(&row, gap);
    }
    draw_transport(frame, view_rect_cut_left(&row, transport));
    view_rect_cut_left(&row, theme->space_2);
    draw_rate(frame, view_rect_cut_left(&row, rate));
    view_rect_cut_left(&row, gap);
    struct view_rect clock_rect = view_rect_cut_left(&row, clock);
    view_rect_cut_left(&row, theme->space_2);
    draw_clock(frame, clock_rect, view_rect_cut_left(&row, events));
}
