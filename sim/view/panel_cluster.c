/*
 * The mock cluster: a card per broker, what it holds, and what can be done to it.
 */
#include "view/panel_cluster.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "view/glossary.h"
#include "view/stage_actions.h"

/* --- The head of a card
 * ------------------------------------------------------------------------------------------------ */

const char *cluster_cut_words(const struct model_broker *broker)
{
    if ((broker->cut & MODEL_CUT_ALL) != 0) {
        return "cut off";
    }
    if ((broker->cut & MODEL_CUT_CONSUMERS) != 0) {
        return "cut from consumers";
    }
    return (broker->cut & MODEL_CUT_PRODUCERS) != 0 ? "cut from producers" : "a link is cut";
}

/* One line of what a broker is doing; the worst first. */
static enum view_status status_of(const struct model_broker *broker, char *text, size_t capacity)
{
    if (!broker->is_up) {
        snprintf(text, capacity, "down");
        return VIEW_STATUS_DOWN;
    }
    if (broker->is_frozen) {
        snprintf(text, capacity, "frozen");
        return VIEW_STATUS_SLOW;
    }
    char parts[96] = "up";
    size_t used = strlen(parts);
    if (broker->cut != 0) {
        used += (size_t)snprintf(parts + used, sizeof parts - used, " · %s", cluster_cut_words(broker));
    }
    if (broker->fetch_delay_ms > 0) {
        used += (size_t)snprintf(parts + used, sizeof parts - used, " · fetches %" PRId64 " ms late",
                                 broker->fetch_delay_ms);
    }
    if (broker->append_delay_ms > 0) {
        (void)snprintf(parts + used, sizeof parts - used, " · slow disk %" PRId64 " ms",
                       broker->append_delay_ms);
    }
    snprintf(text, capacity, "%s", parts);
    bool is_slow = broker->cut != 0 || broker->fetch_delay_ms > 0 || broker->append_delay_ms > 0;
    return is_slow ? VIEW_STATUS_SLOW : VIEW_STATUS_UP;
}

struct action {
    const char *label;
    const char *tip;
    enum kb_fault_kind fault;
    int64_t ms;
};

static uint32_t actions_of(const struct model_broker *broker, struct action *actions)
{
    uint32_t count = 0;
    if (!broker->is_up) {
        actions[count++] = (struct action){"restart", "Start this broker again now, in a new branch.",
                                           KB_FAULT_KIND_RESTART, 0};
        return count;
    }
    actions[count++] = (struct action){
        "kill", "Kill this broker now: it stops without a word, in a new branch.", KB_FAULT_KIND_KILL, 0};
    if (broker->cut != 0) {
        actions[count++] =
            (struct action){"heal", "Its network works again, in a new branch.", KB_FAULT_KIND_HEAL, 0};
    } else {
        actions[count++] = (struct action){"cut", "Cut this broker off from everybody, in a new branch.",
                                           KB_FAULT_KIND_CUT, 0};
    }
    if (broker->is_frozen) {
        actions[count++] =
            (struct action){"thaw", "The process goes on, in a new branch.", KB_FAULT_KIND_THAW, 0};
    } else if (broker->fetch_delay_ms > 0) {
        actions[count++] =
            (struct action){"quick", "Its followers fetch without delay again, in a new branch.",
                            KB_FAULT_KIND_SLOW_REPLICA, 0};
    } else {
        actions[count++] = (struct action){"slow", "As a follower it fetches 250 ms late, in a new branch.",
                                           KB_FAULT_KIND_SLOW_REPLICA, 250};
    }
    return count;
}

static void draw_actions(struct view_frame *frame, struct view_rect *strip, uint32_t place)
{
    const struct view_theme *theme = frame->theme;
    const struct model_broker *broker = &frame->model->brokers[place];
    struct action actions[4];
    uint32_t count = actions_of(broker, actions);
    for (uint32_t i = count; i > 0; i--) {
        const struct action *action = &actions[i - 1];
        int32_t width = view_label_width(frame->ui, theme->body, action->label) + theme->space_2;
        struct view_rect button = view_rect_cut_right(strip, width);
        view_id id = view_id_make(VIEW_HIT_BROKER_ACTION, place, (uint16_t)action->fault);
        uint32_t flags = VIEW_CONTROL_QUIET;
        if (view_button(frame->ui, id, button, action->label, flags, action->tip)) {
            view_act_fault(frame->stage, action->fault, broker->id, action->ms);
        }
    }
    view_rect_cut_right(strip, theme->space_1);
}

static void draw_head(struct view_frame *frame, struct view_rect strip, uint32_t place)
{
    const struct view_theme *theme = frame->theme;
    const struct model_broker *broker = &frame->model->brokers[place];
    char text[128];
    draw_actions(frame, &strip, place);
    snprintf(text, sizeof text, "Broker %" PRId32, broker->id);
    int32_t width = view_label_width(frame->ui, theme->title, text);
    view_label(frame->ui, view_rect_cut_left(&strip, width), theme->title, theme->text, VIEW_ALIGN_LEFT,
               text);
    view_rect_cut_left(&strip, theme->space_2);
    if (broker->parked > 0) {
        snprintf(text, sizeof text, "%" PRIu32 " parked", broker->parked);
        width = view_chip_width(frame->ui, text);
        if (strip.w > width + view_theme_px(theme, 60)) {
            struct view_rect place_of_chip = view_rect_cut_right(&strip, width);
            place_of_chip.y += (place_of_chip.h - theme->chip_height) / 2;
            view_chip(frame->ui, view_id_make(VIEW_HIT_PARKED, place, 0),
                      (struct view_point){place_of_chip.x, place_of_chip.y}, width, theme->warn,
                      VIEW_CHIP_DASHED, text,
                      "Produce requests with acks=all that wait here until the high watermark passes them "
                      "(DelayedProduce).");
            view_rect_cut_right(&strip, theme->space_2);
        }
    }
    enum view_status status = status_of(broker, text, sizeof text);
    if (broker->is_controller) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, " · controller");
    }
    view_status_dot(frame->ui, strip, status, text);
}

/* --- Its replicas
 * ------------------------------------------------------------------------------------------------------ */

/* Of the broker that hosts most: rows of all cards have the same height, so that they can be compared. */
static uint32_t most_hosted(const struct view_frame *frame)
{
    uint16_t counts[SIM_BROKERS_MAX] = {0};
    uint32_t most = 0;
    for (uint32_t i = 0; i < frame->model->replica_count; i++) {
        const struct model_replica *replica = &frame->model->replicas[i];
        int32_t place = replica->partition >= 0 ? sim_model_find_broker(frame->model, replica->broker) : -1;
        if (place >= 0 && place < SIM_BROKERS_MAX) {
            counts[place]++;
            most = counts[place] > most ? counts[place] : most;
        }
    }
    return most;
}

/* In the order of partitions, which is the same on every card. */
static int32_t hosted_replica(const struct view_frame *frame, uint32_t partition, int32_t broker)
{
    return sim_model_find_replica(frame->model, (int32_t)partition, broker);
}

/* Many replicas: tiles, as large as fit. */
static void draw_tiles(struct view_frame *frame, struct view_rect rect, int32_t broker, uint32_t count)
{
    const struct view_theme *theme = frame->theme;
    int32_t size = view_theme_px(theme, 34);
    int32_t columns = rect.w / size;
    while (size > VIEW_PX(6) && (int32_t)count > columns * (rect.h / size)) {
        size -= VIEW_PX(1);
        columns = rect.w / size;
    }
    int32_t room = columns * (rect.h / size);
    int32_t shown = 0;
    int32_t left_out = 0;
    for (uint32_t i = 0; i < frame->model->partition_count; i++) {
        int32_t replica = hosted_replica(frame, i, broker);
        left_out += replica >= 0 && shown >= room;
        if (replica >= 0 && shown < room) {
            struct view_rect tile = {rect.x + shown % columns * size, rect.y + shown / columns * size,
                                     size - VIEW_PX(2), size - VIEW_PX(2)};
            cluster_draw_tile(frame, tile, replica);
            shown++;
        }
    }
    if (left_out > 0) {
        char more[32];
        snprintf(more, sizeof more, "+%" PRId32, left_out);
        struct view_rect label = {rect.x, rect.y + rect.h - theme->row_height, rect.w, theme->row_height};
        view_draw_rect(frame->ui->list, view_rect_cut_right(&label, view_theme_px(theme, 40)),
                       theme->background);
        view_label(frame->ui,
                   (struct view_rect){label.x + label.w, label.y, view_theme_px(theme, 40), label.h},
                   theme->mono_small, theme->text_muted, VIEW_ALIGN_RIGHT, more);
    }
}

/* count: of the broker that hosts most. Returns how many records a cell stands for; 0: there are no cells. */
static int64_t draw_replicas(struct view_frame *frame, struct view_rect rect, int32_t broker, uint32_t count)
{
    const struct view_theme *theme = frame->theme;
    if (count == 0) {
        view_label(frame->ui, view_rect_cut_top(&rect, theme->row_height), theme->label, theme->text_faint,
                   VIEW_ALIGN_LEFT, "no replicas yet");
        return 0;
    }
    int32_t height = rect.h / (int32_t)count;
    int32_t most = view_theme_px(theme, count == 1 ? 84 : 64); /* a few may be tall */
    height = (height > most ? most : height) & ~15;
    if (height < VIEW_PX(7)) {
        draw_tiles(frame, rect, broker, count);
        return 0;
    }
    bool has_words = height >= view_theme_px(theme, 13);
    int32_t row_width = rect.w - (has_words ? cluster_name_width(frame, height) + theme->space_2 : 0);
    if (height >= view_theme_px(theme, 30)) {
        row_width -= view_theme_px(theme, 62); /* LEO and HW */
    }
    struct cluster_scale scale = cluster_scale_make(frame, row_width);
    for (uint32_t i = 0; i < frame->model->partition_count; i++) {
        int32_t replica = hosted_replica(frame, i, broker);
        if (replica >= 0) {
            cluster_draw_row(frame, view_rect_cut_top(&rect, height), &scale, replica);
        }
    }
    return scale.records_per_cell;
}

/* --- Cards
 * -------------------------------------------------------------------------------------------------------------
 */

static int64_t draw_broker(struct view_frame *frame, struct view_rect rect, uint32_t place, uint32_t hosted)
{
    const struct view_theme *theme = frame->theme;
    const struct model_broker *broker = &frame->model->brokers[place];
    int64_t records_per_cell = 0;
    struct view_thing thing = view_thing_broker(broker->id);
    char text[128];
    enum view_status status = status_of(broker, text, sizeof text);
    uint32_t outline = status == VIEW_STATUS_DOWN   ? theme->fail.ink
                       : status == VIEW_STATUS_SLOW ? theme->warn.ink
                                                    : theme->line;
    view_draw_box(frame->ui->list, rect, theme->radius_card, theme->background, outline,
                  status == VIEW_STATUS_UP ? theme->stroke : theme->stroke_strong);
    view_draw_hit(frame->ui->list, view_thing_id(frame->info, &thing), rect, 0, NULL);
    view_mark(frame, &thing, view_rect_inset(rect, VIEW_PX(2), VIEW_PX(2)), theme->radius_card - VIEW_PX(2));
    struct view_rect inside = view_rect_inset(rect, theme->space_3, theme->space_1 + VIEW_PX(2));
    draw_head(frame, view_rect_cut_top(&inside, theme->row_height + theme->space_1), place);
    bool has_isr = inside.h >= view_theme_px(theme, 64);
    struct view_rect isr = view_rect_cut_bottom(&inside, has_isr ? theme->row_height + theme->space_1 : 0);
    view_rect_cut_top(&inside, theme->space_1);
    view_rect_cut_bottom(&inside, theme->space_1);
    if (!broker->is_up) {
        view_draw_opacity_push(frame->ui->list, CLUSTER_DIMMED);
    }
    if (inside.h >= VIEW_PX(8)) {
        records_per_cell = draw_replicas(frame, inside, broker->id, hosted);
    }
    if (has_isr && broker->is_up) {
        cluster_draw_isr(frame, isr, broker->id);
    }
    if (!broker->is_up) {
        view_draw_opacity_pop(frame->ui->list);
    }
    return records_per_cell;
}

static void subtitle(const struct view_frame *frame, char *text, size_t capacity)
{
    const struct sim_run_info *info = frame->info;
    if (info->topic_count == 1) {
        snprintf(text, capacity, "%" PRIu32 " brokers · RF %" PRId32 " · min.insync.replicas %" PRId32,
                 info->broker_count, info->topics[0].replication_factor, info->topics[0].min_insync_replicas);
        return;
    }
    snprintf(text, capacity, "%" PRIu32 " brokers · %" PRIu32 " topics", info->broker_count,
             info->topic_count);
}

static struct view_rect legend_word(struct view_frame *frame, struct view_rect *strip, const char *words)
{
    int32_t width = view_label_width(frame->ui, frame->theme->label, words);
    struct view_rect label = view_rect_cut_right(strip, width);
    view_label(frame->ui, label, frame->theme->label, frame->theme->text_muted, VIEW_ALIGN_LEFT, words);
    view_rect_cut_right(strip, frame->theme->space_1);
    return label;
}

/* What the line in a row is, and what a cell is when it is not one record. Once for all cards. */
static void draw_legend(struct view_frame *frame, struct view_rect rect, int64_t records_per_cell)
{
    const struct view_theme *theme = frame->theme;
    struct view_rect strip = {rect.x, rect.y, rect.w - theme->space_3, theme->title_height + theme->space_4};
    int32_t high = view_theme_px(theme, 12);
    if (records_per_cell == 0) {
        legend_word(frame, &strip, "framed: the leader");
        return;
    }
    struct view_rect label = legend_word(frame, &strip, "high watermark");
    view_draw_hit(frame->ui->list, view_id_make(VIEW_HIT_LEDGER, 0, 1), label, 0,
                  view_glossary("high watermark"));
    struct view_rect line = view_rect_cut_right(&strip, theme->stroke_strong);
    view_draw_rect(frame->ui->list, view_rect_inset(line, 0, (line.h - high) / 2), theme->text);
    if (records_per_cell == 1) {
        return;
    }
    char count[32];
    char words[48];
    view_format_count(records_per_cell, count, sizeof count);
    snprintf(words, sizeof words, "= %s records", count);
    view_rect_cut_right(&strip, theme->space_3);
    int32_t title = view_label_width(frame->ui, theme->title, "Mock cluster") + theme->space_6;
    if (strip.w < view_label_width(frame->ui, theme->label, words) + high + title) {
        return;
    }
    legend_word(frame, &strip, words);
    struct view_rect cell = view_rect_cut_right(&strip, high);
    cell.y += (cell.h - high) / 2;
    cell.h = high;
    view_cell(frame, cell, theme->neutral, VIEW_CELL_SOLID);
}

void view_draw_panel_cluster(struct view_frame *frame, struct view_rect rect)
{
    const struct view_theme *theme = frame->theme;
    char text[128];
    cluster_find_marked(frame);
    subtitle(frame, text, sizeof text);
    view_panel(frame->ui, rect, "Mock cluster", text);
    uint32_t count = frame->info->broker_count;
    int32_t step = frame->layout.broker_height + theme->space_2;
    int32_t content = (int32_t)count * step - theme->space_2;
    view_scroll_begin(frame->ui, view_id_make(VIEW_HIT_BROKERS, 0, 0), frame->layout.brokers, content,
                      &frame->stage->broker_scroll);
    int64_t records_per_cell = 0;
    bool is_scrolled = content > frame->layout.brokers.h;
    uint32_t hosted = most_hosted(frame);
    for (uint32_t i = 0; i < count; i++) {
        struct view_rect card = view_layout_broker(frame, i);
        card.w -= is_scrolled ? theme->scrollbar_width + theme->space_1 : 0;
        if (view_draw_is_visible(frame->ui->list, card)) {
            int64_t records = draw_broker(frame, card, i, hosted);
            records_per_cell = records > records_per_cell ? records : records_per_cell;
        }
    }
    view_scroll_end(frame->ui);
    draw_legend(frame, rect, records_per_cell);
    cluster_draw_consumers(frame);
    struct view_rect cards = frame->layout.brokers;
    int32_t card_width = cards.w - (is_scrolled ? theme->scrollbar_width + theme->space_1 : 0);
    view_draw_clip_push(frame->ui->list, (struct view_rect){rect.x, cards.y, rect.w, cards.h});
    cluster_draw_replication(frame, card_width);
    view_draw_clip_pop(frame->ui->list);
}
