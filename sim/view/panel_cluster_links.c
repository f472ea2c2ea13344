/*
 * Between brokers: who is in sync with whom, and data on its way to followers.
 */
#include <inttypes.h>
#include <stdio.h>

#include "view/panel_cluster.h"

/* --- ISR badges
 * -------------------------------------------------------------------------------------------------------- */

/* B1 with a green outline is in sync; out of it the outline is red and the name struck through. */
static int32_t draw_badge(struct view_frame *frame, struct view_point at, int32_t broker, bool is_in_sync)
{
    const struct view_theme *theme = frame->theme;
    char label[16];
    snprintf(label, sizeof label, "B%" PRId32, broker);
    struct view_hue hue = is_in_sync ? theme->ok : theme->fail;
    int32_t width = view_chip(frame->ui, 0, at, view_theme_px(theme, 60), hue,
                              is_in_sync ? VIEW_CHIP_OUTLINE : VIEW_CHIP_DASHED, label, NULL);
    if (!is_in_sync) {
        int32_t y = at.y + theme->chip_height / 2;
        view_draw_line(frame->ui->list, (struct view_point){at.x + theme->space_1, y},
                       (struct view_point){at.x + width - theme->space_1, y}, hue.ink, theme->stroke);
    }
    return width;
}

/* Leader first, then the others in the order of assignment. Returns the width used, 0 when there was no room.
 */
static int32_t draw_partition_isr(struct view_frame *frame, struct view_rect rect, int32_t index,
                                  bool is_named)
{
    const struct view_theme *theme = frame->theme;
    const struct model_partition *partition = &frame->model->partitions[index];
    uint32_t count = 0;
    for (int32_t i = partition->first_replica; i >= 0; i = frame->model->replicas[i].next) {
        count++;
    }
    char name[80];
    view_partition_name(frame, partition->topic, partition->partition, name, sizeof name);
    int32_t badge = view_chip_width(frame->ui, "B1") + theme->space_1;
    int32_t name_width = is_named ? view_label_width(frame->ui, theme->mono_small, name) + theme->space_2 : 0;
    int32_t most = rect.w / 2;
    name_width = name_width > most ? most : name_width;
    if (name_width + (int32_t)count * badge > rect.w) {
        return 0;
    }
    struct view_hue hue = view_hue_of(frame, partition->topic, partition->partition);
    struct view_rect rest = rect;
    view_label(frame->ui, view_rect_cut_left(&rest, name_width), theme->mono_small, hue.ink, VIEW_ALIGN_LEFT,
               is_named ? name : "");
    struct view_point at = {rest.x, rect.y + (rect.h - theme->chip_height) / 2};
    for (uint32_t turn = 0; turn < 2; turn++) {
        for (int32_t i = partition->first_replica; i >= 0; i = frame->model->replicas[i].next) {
            const struct model_replica *replica = &frame->model->replicas[i];
            if (cluster_is_leader(frame, i) == (turn == 0)) {
                at.x += draw_badge(frame, at, replica->broker, replica->is_in_sync != 0) + theme->space_1;
            }
        }
    }
    struct view_thing thing = view_thing_partition(partition->topic, partition->partition);
    struct view_rect all = {rect.x, rect.y, at.x - rect.x, rect.h};
    view_thing_hit(frame, &thing, all,
                   "In-sync replicas: those that acks=all waits for. The leader stands first.");
    return at.x - rect.x + theme->space_2;
}

void cluster_draw_isr(struct view_frame *frame, struct view_rect rect, int32_t broker)
{
    const struct view_theme *theme = frame->theme;
    uint32_t led = 0;
    for (uint32_t i = 0; i < frame->model->partition_count; i++) {
        led += frame->model->partitions[i].leader == broker;
    }
    struct view_rect rest = rect;
    struct view_rect word = view_rect_cut_left(&rest, view_theme_px(theme, 28));
    if (led == 0) {
        view_label(frame->ui, rect, theme->label, theme->text_faint, VIEW_ALIGN_LEFT, "leads nothing");
        return;
    }
    view_label(frame->ui, word, theme->label, theme->text_muted, VIEW_ALIGN_LEFT, "ISR");
    /* Those that lack members first: two turns over the same list. */
    uint32_t shown = 0;
    for (uint32_t turn = 0; turn < 2; turn++) {
        for (uint32_t i = 0; i < frame->model->partition_count; i++) {
            const struct model_partition *partition = &frame->model->partitions[i];
            uint32_t replicas = 0;
            for (int32_t r = partition->first_replica; r >= 0; r = frame->model->replicas[r].next) {
                replicas++;
            }
            bool is_whole = partition->isr_count >= replicas;
            if (partition->leader != broker || is_whole != (turn == 1)) {
                continue;
            }
            int32_t used = draw_partition_isr(frame, rest, (int32_t)i, true);
            if (used == 0) {
                char more[32];
                snprintf(more, sizeof more, "+%" PRIu32, led - shown);
                view_label(frame->ui, rest, theme->mono_small, theme->text_faint, VIEW_ALIGN_LEFT, more);
                return;
            }
            view_rect_cut_left(&rest, used);
            shown++;
        }
    }
}

/* --- Replication
 * ------------------------------------------------------------------------------------------------------- */

enum { LOOK_AHEAD_EVENTS = 4000, BOWS = 24 };

static struct view_rect card_of(const struct view_frame *frame, int32_t broker)
{
    int32_t place = sim_model_find_broker(frame->model, broker);
    return place >= 0 ? view_layout_broker(frame, (uint32_t)place) : (struct view_rect){0};
}

static struct view_point bow_point(struct view_point from, struct view_point to, int32_t depth,
                                   int64_t permille)
{
    int64_t t = permille;
    int64_t bend = 4 * t * (1000 - t) / 1000; /* 0 … 1000 … 0 */
    return (struct view_point){from.x + (int32_t)((to.x - from.x) * t / 1000) +
                                   (int32_t)(depth * bend / 1000),
                               from.y + (int32_t)((to.y - from.y) * t / 1000)};
}

static void draw_bow(struct view_frame *frame, int32_t card_width, int32_t leader, int32_t follower,
                     struct view_hue hue, bool is_new, int64_t permille)
{
    struct view_rect from_card = card_of(frame, leader);
    struct view_rect to_card = card_of(frame, follower);
    if (from_card.w == 0 || to_card.w == 0) {
        return;
    }
    const struct view_theme *theme = frame->theme;
    int32_t x = from_card.x + card_width - theme->stroke;
    struct view_point from = {x, from_card.y + from_card.h / 2};
    struct view_point to = {x, to_card.y + to_card.h / 2};
    int32_t depth = theme->space_3 - VIEW_PX(3); /* it stays inside the panel */
    if (is_new) {
        view_draw_bow(frame->ui->list, from, to, to.y > from.y ? -depth : depth, theme->accent.ink,
                      theme->stroke_strong, VIEW_PX(4), VIEW_PX(4));
    }
    struct view_point dot = bow_point(from, to, depth, permille);
    view_draw_circle(frame->ui->list, dot, view_theme_px(theme, 4), hue.fill, theme->background,
                     theme->stroke);
}

struct pairs {
    int32_t from[BOWS], to[BOWS];
    uint32_t count;
};

static bool has_pair(const struct pairs *pairs, int32_t from, int32_t to)
{
    for (uint32_t i = 0; i < pairs->count; i++) {
        if (pairs->from[i] == from && pairs->to[i] == to) {
            return true;
        }
    }
    return false;
}

/* false: it is there already. Past the room for them all are new. */
static bool add_pair(struct pairs *pairs, int32_t from, int32_t to)
{
    if (has_pair(pairs, from, to)) {
        return false;
    }
    if (pairs->count < BOWS) {
        pairs->from[pairs->count] = from;
        pairs->to[pairs->count++] = to;
    }
    return true;
}

/* The response on its way that brings what a follower appends then: of those that arrive before, the last. */
static const struct model_packet *flight_of(const struct view_frame *frame, const struct kb_event *event)
{
    const struct kb_event_follower_appended *appended = &event->as.follower_appended;
    const struct model_packet *found = NULL;
    for (uint32_t i = 0; i < MODEL_PACKETS; i++) {
        const struct model_packet *packet = &frame->model->packets[i];
        if (packet->number != 0 && packet->is_response != 0 && packet->from == appended->leader &&
            packet->to == appended->broker && packet->lost_us < 0 && packet->arrives_us <= event->time_us &&
            (found == NULL || packet->arrives_us > found->arrives_us)) {
            found = packet;
        }
    }
    return found;
}

/* Until when something that is between brokers now may still be appended; −1: nothing is. */
static int64_t flights_end_us(const struct view_frame *frame)
{
    enum { APPEND_US = 100000 }; /* a disk that is slow on purpose may take this long */
    int64_t end_us = -1;
    for (uint32_t i = 0; i < MODEL_PACKETS; i++) {
        const struct model_packet *packet = &frame->model->packets[i];
        bool is_between =
            packet->number != 0 && packet->is_response != 0 && packet->from >= 0 && packet->to >= 0;
        if (is_between && packet->arrives_us + APPEND_US > end_us) {
            end_us = packet->arrives_us + APPEND_US;
        }
    }
    return end_us;
}

/*
 * Followers fetch. A response that is on its way between brokers says where it is, but not what is in it;
 * that is announced when the follower appends it, and the log already knows.
 */
void cluster_draw_replication(struct view_frame *frame, int32_t card_width)
{
    uint64_t last = sim_event_log_count(frame->log);
    uint64_t first = frame->model->sequence + 1;
    uint64_t end = last - frame->model->sequence > LOOK_AHEAD_EVENTS ? first + LOOK_AHEAD_EVENTS : last + 1;
    int64_t end_us = flights_end_us(frame);
    struct pairs drawn = {.count = 0};
    struct pairs later = {.count = 0}; /* something else has left since: what is appended then is of that */
    uint32_t dots = 0;
    for (uint64_t i = first; i < end && dots < 4 * BOWS; i++) {
        const struct kb_event *event = sim_event_log_get(frame->log, i);
        if (event->time_us > end_us) {
            break;
        }
        if (event->kind == KB_EVENT_PACKET_SENT && event->as.packet_sent.is_response) {
            (void)add_pair(&later, event->as.packet_sent.from, event->as.packet_sent.to);
        }
        const struct kb_event_follower_appended *appended = &event->as.follower_appended;
        const struct model_packet *packet =
            event->kind == KB_EVENT_FOLLOWER_APPENDED && !has_pair(&later, appended->leader, appended->broker)
                ? flight_of(frame, event)
                : NULL;
        if (packet == NULL) {
            continue;
        }
        bool is_new = add_pair(&drawn, appended->leader, appended->broker);
        int64_t way_us = packet->arrives_us - packet->departed_us;
        int64_t done_us = frame->now_us - packet->departed_us;
        done_us = done_us < 0 ? 0 : done_us > way_us ? way_us : done_us;
        draw_bow(frame, card_width, appended->leader, appended->broker,
                 view_hue_of(frame, appended->topic, appended->partition), is_new,
                 way_us > 0 ? done_us * 1000 / way_us : 1000);
        dots++;
    }
}
