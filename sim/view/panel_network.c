/*
 * The network: a pair of wires per broker. A packet stands where its times say it is at this moment, so it
 * moves as smoothly as time does.
 */
#include "view/stage_private.h"

#include <stdio.h>

enum { TEXT_BYTES = 160, HANDFUL = 5, LOOK_BACK_EVENTS = 12 };

struct wire {
    uint32_t place; /* of the broker */
    bool is_response;
    int32_t y, x0, x1;
};

static bool is_on(const struct view_frame *frame, const struct model_packet *packet, const struct wire *wire)
{
    int32_t broker = frame->info->brokers[wire->place].id;
    int32_t far_end = packet->is_response ? packet->from : packet->to;
    int32_t near_end = packet->is_response ? packet->to : packet->from;
    bool is_producer = near_end < 0 && near_end >= -SIM_PRODUCERS_MAX; /* consumers are at the other side */
    return packet->number != 0 && is_producer && far_end == broker &&
           (packet->is_response != 0) == wire->is_response;
}

/* How long a lost packet is still seen. */
static int64_t moment_us(const struct view_frame *frame)
{
    return view_playback_us_per_second(frame->stage) * 3 / 4;
}

static int32_t place_of(const struct view_frame *frame, const struct model_packet *packet,
                        const struct wire *wire, int32_t width)
{
    int64_t until_us =
        packet->lost_us >= 0 && packet->lost_us < frame->now_us ? packet->lost_us : frame->now_us;
    int64_t way_us = packet->arrives_us - packet->departed_us;
    int64_t done_us = until_us - packet->departed_us;
    done_us = done_us < 0 ? 0 : done_us > way_us ? way_us : done_us;
    int64_t room = wire->x1 - wire->x0 - width;
    int32_t gone = way_us > 0 ? (int32_t)(room * done_us / way_us) : (int32_t)room;
    return wire->is_response ? wire->x1 - width - gone : wire->x0 + gone;
}

/* The error that a response carries, from the event that sent it; 0: none. */
static int32_t error_of(const struct view_frame *frame, const struct model_packet *packet)
{
    uint64_t at = packet->event;
    for (uint32_t looked = 0; at > 1 && looked < LOOK_BACK_EVENTS; looked++) {
        const struct kb_event *event = sim_event_log_get(frame->log, --at);
        if (event->kind == KB_EVENT_RESPONSE_SENT && event->as.response_sent.request == packet->request) {
            return event->as.response_sent.error;
        }
    }
    return 0;
}

/* --- One packet
 * --------------------------------------------------------------------------------------------------------------
 */

static void draw_lost(struct view_frame *frame, struct view_rect rect, int64_t since_us)
{
    const struct view_theme *theme = frame->theme;
    int64_t moment = moment_us(frame);
    uint32_t opacity = (uint32_t)(256 - (moment > 0 ? 200 * since_us / moment : 0));
    rect.y += (int32_t)(moment > 0 ? VIEW_PX(14) * since_us / moment : 0); /* it falls off its wire */
    view_draw_opacity_push(frame->ui->list, opacity);
    view_draw_box(frame->ui->list, rect, VIEW_PX(4), theme->background, theme->fail.ink,
                  theme->stroke_strong);
    struct view_rect cross = {rect.x + (rect.w - VIEW_PX(12)) / 2, rect.y + (rect.h - VIEW_PX(12)) / 2,
                              VIEW_PX(12), VIEW_PX(12)};
    view_icon(frame->ui, cross, VIEW_ICON_CROSS, theme->fail.ink);
    view_draw_opacity_pop(frame->ui->list);
}

/* A packet with the box that it is drawn as. */
struct flight {
    const struct model_packet *packet;
    struct view_rect rect;
    int32_t error;
    char label[24];
};

static void make_flight(const struct view_frame *frame, const struct model_packet *packet,
                        const struct wire *wire, struct flight *flight)
{
    const struct view_theme *theme = frame->theme;
    flight->packet = packet;
    flight->error = packet->is_response ? error_of(frame, packet) : 0;
    snprintf(flight->label, sizeof flight->label,
             packet->is_response ? (flight->error != 0 ? "%u err" : "%u ok") : "%u",
             (unsigned)packet->request);
    int32_t width = view_label_width(frame->ui, theme->mono_small_strong, flight->label) + theme->space_2;
    int32_t least = view_theme_px(theme, 26);
    width = width > least ? width : least;
    int32_t height = view_theme_px(theme, 18);
    flight->rect =
        (struct view_rect){place_of(frame, packet, wire, width), wire->y - height / 2, width, height};
}

static void draw_packet(struct view_frame *frame, const struct flight *flight)
{
    const struct view_theme *theme = frame->theme;
    const struct model_packet *packet = flight->packet;
    uint32_t producer = (uint32_t)(-(packet->is_response ? packet->to : packet->from) - 1);
    struct view_thing thing = view_thing_request(producer, packet->request);
    int32_t error = flight->error;
    const char *label = flight->label;
    struct view_rect rect = flight->rect;
    struct view_hue hue = producer < frame->model->producer_count
                              ? view_hue_of_request(frame, producer, packet->request)
                              : theme->neutral;
    hue = error != 0 ? theme->fail : hue;
    char tip[TEXT_BYTES];
    snprintf(tip, sizeof tip, "%s of request %u: %d bytes%s", packet->is_response ? "Response" : "Packet",
             (unsigned)packet->request, packet->bytes,
             packet->lost_us >= 0 ? "; it is lost, and the producer does not know yet" : "");
    if (packet->lost_us >= 0) {
        draw_lost(frame, rect, frame->now_us - packet->lost_us);
    } else if (packet->is_response != 0) {
        view_packet_box(frame, rect, hue, true, label);
    } else {
        view_request_box(frame, rect, producer, packet->request, label);
    }
    view_thing_hit(frame, &thing, rect, tip);
}

/* --- One wire
 * ----------------------------------------------------------------------------------------------------------------
 */

static bool is_visible_now(const struct view_frame *frame, const struct model_packet *packet)
{
    return packet->lost_us < 0 || frame->now_us - packet->lost_us < moment_us(frame);
}

/* More than a handful: ticks where they are, and how many. */
static void draw_density(struct view_frame *frame, const struct wire *wire, uint32_t count)
{
    const struct view_theme *theme = frame->theme;
    int32_t width = view_theme_px(theme, 4);
    for (uint32_t i = 0; i < MODEL_PACKETS; i++) {
        const struct model_packet *packet = &frame->model->packets[i];
        if (!is_on(frame, packet, wire) || !is_visible_now(frame, packet)) {
            continue;
        }
        uint32_t producer = (uint32_t)(-(packet->is_response ? packet->to : packet->from) - 1);
        struct view_hue hue = producer < frame->model->producer_count
                                  ? view_hue_of_request(frame, producer, packet->request)
                                  : theme->neutral;
        int32_t height = view_theme_px(theme, packet->is_response ? 7 : 13);
        view_draw_box(
            frame->ui->list,
            (struct view_rect){place_of(frame, packet, wire, width), wire->y - height / 2, width, height},
            VIEW_PX(1), packet->lost_us >= 0 ? theme->fail.fill : hue.fill, VIEW_NONE, 0);
    }
    char text[32];
    snprintf(text, sizeof text, "%u", (unsigned)count);
    int32_t row = view_theme_px(theme, 14);
    int32_t y =
        wire->is_response ? wire->y + view_theme_px(theme, 6) : wire->y - row - view_theme_px(theme, 8);
    view_label(frame->ui, (struct view_rect){wire->x0, y, wire->x1 - wire->x0, row}, theme->mono_small,
               theme->text_muted, VIEW_ALIGN_CENTER, text);
}

static bool covers_any(const struct flight *flights, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++) {
        if (!view_rect_is_empty(view_rect_intersect(flights[i].rect, flights[index].rect))) {
            return true;
        }
    }
    return false;
}

/* Those that would cover each other stand above one another, away from the other wire: the older stays on its
 * wire. false: there is no room for that. */
static bool draw_handful(struct view_frame *frame, const struct wire *wire)
{
    enum { LEVELS = 3 };
    struct flight flights[HANDFUL] = {0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < MODEL_PACKETS; i++) {
        const struct model_packet *packet = &frame->model->packets[i];
        if (!is_on(frame, packet, wire) || !is_visible_now(frame, packet)) {
            continue;
        }
        uint32_t at = count++;
        for (; at > 0 && flights[at - 1].packet->departed_us > packet->departed_us; at--) {
            flights[at] = flights[at - 1];
        }
        make_flight(frame, packet, wire, &flights[at]);
    }
    int32_t step = view_theme_px(frame->theme, 20);
    for (uint32_t i = 1; i < count; i++) {
        int32_t level = 0;
        while (level < LEVELS && covers_any(flights, i)) {
            flights[i].rect.y += wire->is_response ? step : -step;
            level++;
        }
        if (level == LEVELS) {
            return false;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        draw_packet(frame, &flights[i]);
    }
    return true;
}

/* Returns how many packets are on it. */
static uint32_t draw_wire(struct view_frame *frame, const struct wire *wire, bool is_broken)
{
    const struct view_theme *theme = frame->theme;
    struct view_point from = {wire->x0, wire->y};
    struct view_point to = {wire->x1, wire->y};
    uint32_t color = is_broken ? theme->line : theme->line_strong;
    if (wire->is_response || is_broken) {
        view_draw_dashed_line(frame->ui->list, from, to, color, theme->stroke, VIEW_PX(4),
                              VIEW_PX(is_broken ? 7 : 3));
    } else {
        view_draw_line(frame->ui->list, from, to, color, theme->stroke);
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < MODEL_PACKETS; i++) {
        const struct model_packet *packet = &frame->model->packets[i];
        count += is_on(frame, packet, wire) && is_visible_now(frame, packet);
    }
    int32_t fits = (wire->x1 - wire->x0) / view_theme_px(theme, 24);
    if (count > HANDFUL || (int32_t)count > fits) {
        draw_density(frame, wire, count);
        return count;
    }
    if (count > 0 && !draw_handful(frame, wire)) {
        draw_density(frame, wire, count);
    }
    return count;
}

/* What brokers say to each other does not go over these wires. */
static bool is_cut(const struct view_frame *frame, uint32_t place)
{
    return (frame->model->brokers[place].cut & (MODEL_CUT_ALL | MODEL_CUT_PRODUCERS)) != 0;
}

static bool is_broken(const struct view_frame *frame, uint32_t place)
{
    return frame->p->nodes[place].connection_state == KB_CONNECTION_STATE_DISCONNECTED ||
           is_cut(frame, place);
}

static void draw_pair(struct view_frame *frame, uint32_t place, struct view_rect rect)
{
    const struct view_theme *theme = frame->theme;
    struct view_rect card = view_layout_broker(frame, place);
    int32_t middle = card.y + card.h / 2;
    int32_t apart = view_theme_px(theme, 13);
    bool broken = is_broken(frame, place);
    struct view_rect reach = {rect.x, middle - 2 * apart, rect.w, 4 * apart};
    char tip[TEXT_BYTES];
    snprintf(tip, sizeof tip, "The connection to broker %d%s", frame->info->brokers[place].id,
             is_cut(frame, place) ? " is cut"
             : broken             ? " is down"
                                  : "");
    view_draw_hit(frame->ui->list, view_id_make(VIEW_HIT_WIRE, place, 0), reach, 0, tip);
    struct wire request = {place, false, middle - apart, rect.x, rect.x + rect.w};
    struct wire response = {place, true, middle + apart, rect.x, rect.x + rect.w};
    uint32_t count = draw_wire(frame, &request, broken);
    count += draw_wire(frame, &response, broken);
    bool is_wrong = is_cut(frame, place) || !frame->model->brokers[place].is_up;
    if (broken && is_wrong && count == 0) {
        struct view_rect cross = {rect.x + rect.w / 2 - view_theme_px(theme, 7),
                                  middle - view_theme_px(theme, 7), view_theme_px(theme, 14),
                                  view_theme_px(theme, 14)};
        view_icon(frame->ui, cross, VIEW_ICON_CROSS,
                  is_cut(frame, place) ? theme->fail.ink : theme->text_faint);
    }
}

void view_draw_panel_network(struct view_frame *frame, struct view_rect rect)
{
    const struct view_theme *theme = frame->theme;
    struct view_rect head = view_rect_inset(rect, theme->space_1, theme->space_3 - theme->space_1 / 2);
    char latency[40];
    char text[TEXT_BYTES];
    view_format_duration(frame->info->latency_us, latency, sizeof latency);
    snprintf(text, sizeof text, "%s each way", latency);
    view_label(frame->ui, view_rect_cut_top(&head, theme->title_height), theme->title, theme->text,
               VIEW_ALIGN_CENTER, "Network");
    struct view_rect below = view_rect_cut_top(&head, theme->title_height - theme->space_1 / 2);
    bool fits = view_label_width(frame->ui, theme->mono_small, text) <= below.w;
    view_label(frame->ui, below, theme->mono_small, theme->text_faint, VIEW_ALIGN_CENTER,
               fits ? text : latency);
    struct view_rect wires = {rect.x, frame->layout.brokers.y, rect.w, frame->layout.brokers.h};
    view_draw_clip_push(frame->ui->list, wires);
    for (uint32_t i = 0; i < frame->info->broker_count; i++) {
        struct view_rect reach = view_layout_broker(frame, i);
        reach.x = wires.x;
        reach.w = wires.w;
        if (view_draw_is_visible(frame->ui->list, reach)) {
            draw_pair(frame, i, wires);
        }
    }
    view_draw_clip_pop(frame->ui->list);
}
