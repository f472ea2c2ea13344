/* The Sender thread: what is ready and why not, what was drained, what is in flight, what it waits for. */
#include "view/stage_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    TEXT_BYTES = 128,
    LINES_MAX = 64,
    DRAINED_MAX = 8,
    SLOTS_MAX = 12,
    REQUESTS_SHOWN = 64,
    LOOK_BACK_EVENTS = 256
};

static int64_t whole_ms(int64_t duration_us)
{
    return (duration_us + 999) / 1000 * 1000;
}

/* --- ready()
 * ------------------------------------------------------------------------------------------------------------------
 */

/* The batch at the head of a partition's deque decides about it. */
struct line {
    int32_t partition; /* index */
    int32_t batch;     /* index */
};

static uint32_t collect_lines(const struct view_frame *frame, struct line lines[LINES_MAX], uint32_t *all)
{
    uint32_t count = 0;
    *all = 0;
    for (uint32_t i = 0; i < frame->model->partition_count; i++) {
        const struct model_partition *partition = &frame->model->partitions[i];
        int32_t head = partition->first_batch[frame->producer];
        if (head < 0) {
            continue;
        }
        (*all)++;
        if (count == LINES_MAX) {
            continue;
        }
        uint32_t at = count++;
        for (; at > 0 &&
               partition->believed_leader < frame->model->partitions[lines[at - 1].partition].believed_leader;
             at--) {
            lines[at] = lines[at - 1];
        }
        lines[at] = (struct line){(int32_t)i, head};
    }
    return count;
}

/* "no room"; "backoff 88 ms"; for linger, by far the most common, only the time that is left. */
static void say_why(const struct view_frame *frame, const struct model_batch *batch, char *text,
                    size_t capacity)
{
    char left[40];
    int64_t left_us = batch->ripe_us - frame->now_us;
    view_format_duration(left_us > 0 ? left_us : 0, left, sizeof left);
    if (batch->left == 0 && batch->held == KB_HELD_LINGER && batch->ripe_us >= 0) {
        snprintf(text, capacity, "%s", left);
        return;
    }
    view_format_mask(batch->left != 0 ? KB_FIELD_LEFT : KB_FIELD_HELD,
                     batch->left != 0 ? batch->left : batch->held, text, capacity);
    for (char *at = text; *at != '\0'; at++) {
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at;
    }
    size_t used = strlen(text);
    if (batch->left == 0 && (batch->held & KB_HELD_BACKOFF) != 0 && batch->ripe_us >= 0) {
        snprintf(text + used, capacity - used, " %s", left);
    } else if (used == 0) {
        snprintf(text, capacity, "new");
    }
}

/* Whose line it is: the topic gives way first. */
static void name_line(struct view_frame *frame, const struct model_partition *partition, int32_t room,
                      char *label, size_t capacity)
{
    char name[SIM_TEXT_BYTES];
    char leader[24] = "–";
    view_partition_name(frame, partition->topic, partition->partition, name, sizeof name);
    if (partition->believed_leader >= 0) {
        snprintf(leader, sizeof leader, "B%d", partition->believed_leader);
    }
    snprintf(label, capacity, "%s %s", leader, name);
    if (view_label_width(frame->ui, frame->theme->mono_small, label) > room) {
        snprintf(label, capacity, "%s P%d", leader, partition->partition);
    }
    if (view_label_width(frame->ui, frame->theme->mono_small, label) > room) {
        snprintf(label, capacity, "P%d", partition->partition);
    }
}

static void draw_ready_line(struct view_frame *frame, const struct line *line, struct view_rect row)
{
    const struct view_theme *theme = frame->theme;
    const struct model_partition *partition = &frame->model->partitions[line->partition];
    const struct model_batch *batch = &frame->model->batches[line->batch];
    struct view_hue hue = view_hue_of(frame, partition->topic, partition->partition);
    char name[TEXT_BYTES];
    char label[TEXT_BYTES + 32];
    char why[TEXT_BYTES];
    char tip[400];
    view_partition_name(frame, partition->topic, partition->partition, name, sizeof name);
    say_why(frame, batch, why, sizeof why);
    snprintf(tip, sizeof tip, "Batch #%u at the head of %s: %s", (unsigned)batch->number, name, why);
    struct view_thing thing = view_thing_partition(partition->topic, partition->partition);
    view_draw_hit(frame->ui->list, view_thing_id(frame->info, &thing), row, 0, tip);
    view_mark(frame, &thing, row, VIEW_PX(3));
    struct view_rect lamp = view_rect_cut_left(&row, view_theme_px(theme, 14));
    struct view_point center = {lamp.x + view_theme_px(theme, 5), lamp.y + lamp.h / 2};
    bool may_leave = batch->left != 0;
    if (may_leave) {
        view_draw_circle(frame->ui->list, center, view_theme_px(theme, 3), theme->warn.fill, VIEW_NONE, 0);
    }
    view_draw_circle(frame->ui->list, center, view_theme_px(theme, 5), VIEW_NONE,
                     may_leave ? theme->warn.ink : theme->line_strong, theme->stroke);
    int32_t width = view_label_width(frame->ui, theme->mono_small, why);
    int32_t most = row.w - view_theme_px(theme, 26);
    view_label(frame->ui, view_rect_cut_right(&row, width < most ? width : most), theme->mono_small,
               may_leave ? theme->warn.ink : theme->text_muted, VIEW_ALIGN_RIGHT, why);
    view_rect_cut_right(&row, theme->space_1);
    name_line(frame, partition, row.w, label, sizeof label);
    view_label(frame->ui, row, theme->mono_small, hue.ink, VIEW_ALIGN_LEFT, label);
}

static void draw_ready(struct view_frame *frame, struct view_rect *inside, uint32_t rows)
{
    const struct view_theme *theme = frame->theme;
    struct line lines[LINES_MAX];
    uint32_t all = 0;
    uint32_t count = collect_lines(frame, lines, &all);
    int32_t height = view_theme_px(theme, 28) + (int32_t)rows * view_theme_px(theme, 17);
    char detail[40];
    snprintf(detail, sizeof detail, "pass %" PRId64, frame->p->passes);
    bool fits = view_label_width(frame->ui, theme->mono_strong, "ready() ") +
                    view_label_width(frame->ui, theme->mono_small, detail) <=
                inside->w - 3 * theme->space_2;
    struct view_rect card =
        view_card(frame->ui, view_id_make(VIEW_HIT_TERM, 30, 0), view_rect_cut_top(inside, height),
                  VIEW_CARD_MONO | VIEW_CARD_TIGHT, VIEW_NONE, "ready()", fits ? detail : NULL);
    if (count == 0) {
        view_label(frame->ui, view_rect_cut_top(&card, view_theme_px(theme, 17)), theme->label,
                   theme->text_faint, VIEW_ALIGN_LEFT, "every deque is empty");
    }
    for (uint32_t i = 0; i < rows && i < count; i++) {
        struct view_rect row = view_rect_cut_top(&card, view_theme_px(theme, 17));
        if (i + 1 == rows && all > rows) {
            char more[64];
            snprintf(more, sizeof more, "and %u more", (unsigned)(all - rows + 1));
            view_label(frame->ui, row, theme->label, theme->text_faint, VIEW_ALIGN_LEFT, more);
        } else {
            draw_ready_line(frame, &lines[i], row);
        }
    }
    view_rect_cut_top(inside, theme->space_2);
}

/* --- drain()
 * ------------------------------------------------------------------------------------------------------------------
 */

/* The newest event in which this producer drained a batch; 0: none. */
static uint64_t last_drain_of(const struct view_frame *frame)
{
    uint64_t last = 0;
    for (uint32_t i = 0; i < MODEL_BATCHES; i++) {
        const struct model_batch *batch = &frame->model->batches[i];
        bool is_newer =
            batch->number != 0 && batch->producer == frame->producer && batch->drained_event > last;
        last = is_newer ? batch->drained_event : last;
    }
    return last;
}

/* The batches of the newest drain, newest first. */
static uint32_t collect_drained(const struct view_frame *frame, const struct kb_event *drained[DRAINED_MAX])
{
    uint32_t count = 0;
    uint64_t at = last_drain_of(frame);
    if (at == 0) {
        return 0;
    }
    int64_t time_us = sim_event_log_get(frame->log, at)->time_us;
    for (uint32_t looked = 0; at > 0 && looked < LOOK_BACK_EVENTS && count < DRAINED_MAX; at--, looked++) {
        const struct kb_event *event = sim_event_log_get(frame->log, at);
        if (event->time_us != time_us || event->kind == KB_EVENT_SENDER_PASS) {
            break;
        }
        if (event->kind == KB_EVENT_BATCH_DRAINED && event->source == frame->producer) {
            drained[count++] = event;
        }
    }
    return count;
}

static void draw_drain(struct view_frame *frame, struct view_rect *inside)
{
    const struct view_theme *theme = frame->theme;
    const struct kb_event *drained[DRAINED_MAX];
    uint32_t count = collect_drained(frame, drained);
    int32_t line_height = view_theme_px(theme, 17);
    struct view_rect rect = view_rect_cut_top(inside, view_theme_px(theme, 28) + 2 * line_height);
    int64_t moment_us = view_playback_us_per_second(frame->stage) * 2 / 5;
    bool is_now = count > 0 && frame->now_us - drained[0]->time_us < moment_us;
    struct view_rect card =
        view_card(frame->ui, view_id_make(VIEW_HIT_TERM, 31, 0), rect,
                  VIEW_CARD_MONO | VIEW_CARD_TIGHT | (is_now ? VIEW_CARD_ACTIVE : 0u),
                  is_now ? theme->accent.ink : VIEW_NONE, "drain()", is_now ? "now" : NULL);
    view_rect_cut_top(inside, theme->space_2);
    if (count == 0) {
        view_label(frame->ui, view_rect_cut_top(&card, line_height), theme->label, theme->text_faint,
                   VIEW_ALIGN_LEFT, "nothing drained yet");
        return;
    }
    const struct kb_event_batch_drained *last = &drained[0]->as.batch_drained;
    char text[TEXT_BYTES];
    char more[32] = "";
    char ago[40];
    if (count > 1) {
        snprintf(more, sizeof more, " +%u", (unsigned)count - 1);
    }
    snprintf(text, sizeof text, "B%d ← #%u%s", last->node, (unsigned)last->batch, more);
    view_format_duration(frame->now_us - drained[0]->time_us, ago, sizeof ago);
    char since[64];
    snprintf(since, sizeof since, "%s ago", ago);
    struct view_hue hue = view_hue_of(frame, last->topic, last->partition);
    struct view_thing thing = view_thing_batch(frame->producer, last->batch);
    struct view_rect row = view_rect_cut_top(&card, line_height);
    view_draw_hit(frame->ui->list, view_thing_id(frame->info, &thing), row, 0, NULL);
    int32_t room = row.w - theme->space_2 - view_label_width(frame->ui, theme->mono_small, text);
    if (view_label_width(frame->ui, theme->mono_small, since) > room) {
        since[0] = '\0';
    }
    view_label_pair(frame->ui, row, theme->mono_small, text, hue.ink, is_now ? "" : since, theme->text_faint);
    view_format_mask(KB_FIELD_LEFT, last->left, text, sizeof text);
    char bytes[40];
    view_format_bytes(last->bytes, bytes, sizeof bytes);
    room = card.w - theme->space_2 - view_label_width(frame->ui, theme->mono_small, text);
    bool has_room = view_label_width(frame->ui, theme->mono_small, bytes) <= room;
    view_label_pair(frame->ui, view_rect_cut_top(&card, line_height), theme->mono_small, text,
                    theme->warn.ink, has_room ? bytes : "", theme->text_muted);
}

/* --- In flight
 * ----------------------------------------------------------------------------------------------------------------
 */

/* Requests on their way to a node, in the order of their numbers. */
static uint32_t collect_requests(const struct view_frame *frame, int32_t node, int32_t found[REQUESTS_SHOWN])
{
    uint32_t count = 0;
    for (int32_t i = 0; i < MODEL_REQUESTS; i++) {
        const struct model_request *request = &frame->model->requests[i];
        if (request->api < 0 || request->is_over || request->producer != frame->producer ||
            request->node != node || count == REQUESTS_SHOWN) {
            continue;
        }
        uint32_t at = count++;
        for (; at > 0 && frame->model->requests[found[at - 1]].number > request->number; at--) {
            found[at] = found[at - 1];
        }
        found[at] = i;
    }
    return count;
}

static void draw_request_slot(struct view_frame *frame, int32_t index, struct view_rect slot)
{
    const struct model_request *request = &frame->model->requests[index];
    struct view_thing thing = view_thing_request(request->producer, request->number);
    view_id id = view_thing_id(frame->info, &thing);
    struct view_rect origin = slot;
    bool has_origin = false;
    if (request->first_batch >= 0) {
        const struct model_batch *batch = &frame->model->batches[request->first_batch];
        struct view_thing carried = view_thing_batch(batch->producer, batch->number);
        has_origin = view_move_last(frame, view_thing_id(frame->info, &carried), &origin);
    }
    struct view_rect rect = view_move(frame, id, slot, has_origin ? &origin : NULL);
    char label[24];
    snprintf(label, sizeof label, "%u", (unsigned)request->number);
    if (view_label_width(frame->ui, frame->theme->mono_small_strong, label) > rect.w) {
        label[0] = '\0';
    }
    char tip[TEXT_BYTES];
    char age[40];
    view_format_duration(frame->now_us - request->built_us, age, sizeof age);
    snprintf(tip, sizeof tip, "Request %u to broker %d: %u batches, %d bytes, for %s%s",
             (unsigned)request->number, request->node, (unsigned)request->batches, request->bytes, age,
             request->is_parked ? "; it waits at the leader for the ISR" : "");
    view_request_box(frame, rect, request->producer, request->number, label);
    view_thing_hit(frame, &thing, rect, tip);
}

static const char *connection_word(uint8_t state)
{
    switch ((enum kb_connection_state)state) {
    case KB_CONNECTION_STATE_DISCONNECTED:
        return "not connected";
    case KB_CONNECTION_STATE_CONNECTING:
        return "connecting";
    case KB_CONNECTION_STATE_CHECKING_API_VERSIONS:
        return "API versions";
    case KB_CONNECTION_STATE_READY:
        break;
    }
    return NULL;
}

static void draw_slots(struct view_frame *frame, struct view_rect row, const int32_t *requests,
                       uint32_t count)
{
    struct view_ui *ui = frame->ui;
    const struct view_theme *theme = frame->theme;
    char label[32];
    int32_t gap = theme->space_1;
    int32_t fits = (row.w + gap) / (view_theme_px(theme, 13) + gap);
    int64_t wanted = frame->pinfo->max_in_flight < SLOTS_MAX ? frame->pinfo->max_in_flight : SLOTS_MAX;
    wanted = wanted < (int64_t)count ? (int64_t)count : wanted;
    if (wanted > fits && (int32_t)count > fits) {
        struct view_rect more = view_rect_cut_right(&row, view_theme_px(theme, 26));
        fits = (row.w + gap) / (view_theme_px(theme, 13) + gap);
        snprintf(label, sizeof label, "+%u", (unsigned)count - (unsigned)(fits > 0 ? fits : 0));
        view_label(ui, more, theme->mono_small, theme->text, VIEW_ALIGN_RIGHT, label);
    }
    int32_t slots = wanted < fits ? (int32_t)wanted : fits > 0 ? fits : 1;
    int32_t size = (row.w - (slots - 1) * gap) / slots;
    size = size < view_theme_px(theme, 30) ? size : view_theme_px(theme, 30);
    for (int32_t i = 0; i < slots; i++) {
        struct view_rect slot = {row.x + i * (size + gap), row.y + VIEW_PX(2), size, row.h - VIEW_PX(4)};
        view_draw_box(ui->list, slot, VIEW_PX(4), VIEW_NONE, theme->line_strong, theme->stroke);
        if (i < (int32_t)count) {
            draw_request_slot(frame, requests[i], slot);
        }
    }
}

static void draw_node(struct view_frame *frame, uint32_t place, struct view_rect row)
{
    struct view_ui *ui = frame->ui;
    const struct view_theme *theme = frame->theme;
    const struct model_node *node = &frame->p->nodes[place];
    struct view_thing thing = {.kind = VIEW_THING_NODE, .producer = frame->producer, .number = node->id};
    char label[64];
    snprintf(label, sizeof label, "B%d", node->id);
    view_draw_hit(ui->list, view_thing_id(frame->info, &thing), row, 0,
                  "A broker as the Sender sees it, and the requests that it has not answered yet.");
    view_mark(frame, &thing, row, VIEW_PX(3));
    int32_t width = view_label_width(ui, theme->mono_strong, label) + theme->space_2;
    view_label(ui, view_rect_cut_left(&row, width), theme->mono_strong, theme->text, VIEW_ALIGN_LEFT, label);
    int32_t requests[REQUESTS_SHOWN];
    uint32_t count = collect_requests(frame, node->id, requests);
    const char *word = connection_word(node->connection_state);
    if (word != NULL && count == 0) {
        view_label(ui, row, theme->mono_small, theme->text_faint, VIEW_ALIGN_LEFT, word);
    } else {
        draw_slots(frame, row, requests, count);
    }
}

/* Before its first metadata the producer knows brokers only as addresses of bootstrap.servers, with ids below
 * 0. */
static uint32_t collect_bootstrap(const struct view_frame *frame, int32_t requests[REQUESTS_SHOWN])
{
    for (int32_t node = -1; node >= -SIM_BROKERS_MAX; node--) {
        uint32_t count = collect_requests(frame, node, requests);
        if (count > 0) {
            return count;
        }
    }
    return 0;
}

static void draw_bootstrap(struct view_frame *frame, struct view_rect row, const int32_t *requests,
                           uint32_t count)
{
    const struct view_theme *theme = frame->theme;
    view_draw_hit(frame->ui->list, view_id_make(VIEW_HIT_TERM, 33, 0), row, 0,
                  "A server of bootstrap.servers: which broker it is, the first metadata says.");
    int32_t width = view_label_width(frame->ui, theme->mono_strong, "boot") + theme->space_2;
    view_label(frame->ui, view_rect_cut_left(&row, width), theme->mono_strong, theme->text, VIEW_ALIGN_LEFT,
               "boot");
    draw_slots(frame, row, requests, count);
}

static int32_t bootstrap_rows(const struct view_frame *frame)
{
    int32_t requests[REQUESTS_SHOWN];
    return collect_bootstrap(frame, requests) > 0;
}

static void draw_in_flight(struct view_frame *frame, struct view_rect *inside, int32_t height)
{
    const struct view_theme *theme = frame->theme;
    struct view_rect rect = view_rect_cut_top(inside, height);
    char most[64];
    snprintf(most, sizeof most, "max %" PRId64 " / node", frame->pinfo->max_in_flight);
    struct view_rect head = view_rect_cut_top(&rect, theme->row_height);
    int32_t title = view_label_width(frame->ui, theme->body_strong, "InFlightRequests") + theme->space_1;
    int32_t width = view_label_width(frame->ui, theme->mono_small, most);
    if (title + width > head.w) {
        snprintf(most, sizeof most, "≤ %" PRId64, frame->pinfo->max_in_flight);
        width = view_label_width(frame->ui, theme->mono_small, most);
    }
    view_label(frame->ui, view_rect_cut_right(&head, width), theme->mono_small, theme->text_muted,
               VIEW_ALIGN_RIGHT, most);
    view_rect_cut_right(&head, theme->space_1);
    view_label(frame->ui, head, theme->body_strong, theme->text, VIEW_ALIGN_LEFT,
               title <= head.w + theme->space_1 ? "InFlightRequests" : "In flight");
    int32_t step = view_theme_px(theme, 26);
    int32_t requests[REQUESTS_SHOWN];
    uint32_t boot = collect_bootstrap(frame, requests);
    if (boot > 0) {
        draw_bootstrap(frame, view_rect_cut_top(&rect, step), requests, boot);
    }
    struct view_rect nodes =
        view_scroll_begin(frame->ui, view_id_make(VIEW_HIT_NODES, 0, 0), rect,
                          (int32_t)frame->info->broker_count * step, &frame->stage->node_scroll);
    for (uint32_t i = 0; i < frame->info->broker_count; i++) {
        struct view_rect row = {nodes.x, nodes.y + (int32_t)i * step, nodes.w, step};
        if (view_draw_is_visible(frame->ui->list, row)) {
            draw_node(frame, i, row);
        }
    }
    view_scroll_end(frame->ui);
    view_rect_cut_top(inside, theme->space_2);
}

/* --- poll() and what it knows
 * -------------------------------------------------------------------------------------------------- */

/* The first moment at which something in the deques will be ready by itself; −1: none. */
static int64_t next_ripe_us(const struct view_frame *frame, bool retries)
{
    int64_t first_us = -1;
    for (uint32_t i = 0; i < MODEL_BATCHES; i++) {
        const struct model_batch *batch = &frame->model->batches[i];
        bool fits = retries ? batch->state == MODEL_BATCH_RETRYING : batch->state == MODEL_BATCH_OPEN;
        if (batch->number == 0 || batch->producer != frame->producer || !fits) {
            continue;
        }
        int64_t ripe_us = retries ? batch->ripe_us : batch->created_us + frame->pinfo->linger_ms * 1000;
        first_us = first_us < 0 || ripe_us < first_us ? ripe_us : first_us;
    }
    return first_us;
}

static void key_and_time(struct view_frame *frame, struct view_rect *card, const char *key, int64_t at_us)
{
    char text[40] = "–";
    if (at_us >= 0) {
        view_format_duration(at_us > frame->now_us ? whole_ms(at_us - frame->now_us) : 0, text, sizeof text);
    }
    view_key_value(frame->ui, view_rect_cut_top(card, view_theme_px(frame->theme, 17)), key,
                   at_us >= 0 && at_us <= frame->now_us ? "now" : text, frame->theme->text);
}

static void draw_poll(struct view_frame *frame, struct view_rect *inside)
{
    const struct view_theme *theme = frame->theme;
    int32_t line_height = view_theme_px(theme, 17);
    struct view_thing thing = {.kind = VIEW_THING_SENDER, .producer = frame->producer};
    struct view_rect rect = view_rect_cut_top(inside, view_theme_px(theme, 28) + 4 * line_height);
    const char *state = frame->p->sender_state == KB_SENDER_STATE_AWAIT_READY
                            ? "until ready"
                            : kb_field_value_text(KB_FIELD_SENDER_STATE, frame->p->sender_state);
    struct view_rect card =
        view_card(frame->ui, view_thing_id(frame->info, &thing), rect, VIEW_CARD_MONO | VIEW_CARD_TIGHT,
                  VIEW_NONE, "poll()", frame->p->is_closed ? "closed" : state);
    view_mark(frame, &thing, rect, theme->radius_card);
    char text[TEXT_BYTES];
    view_format_duration(frame->p->poll_ms * 1000, text, sizeof text);
    view_key_value(frame->ui, view_rect_cut_top(&card, line_height), "time-out", text, theme->text);
    key_and_time(frame, &card, "next linger", next_ripe_us(frame, false));
    key_and_time(frame, &card, "next retry", next_ripe_us(frame, true));
    if (frame->p->producer_id >= 0) {
        snprintf(text, sizeof text, "%" PRId64 " epoch %d", frame->p->producer_id, frame->p->epoch);
    } else {
        snprintf(text, sizeof text, frame->pinfo->is_idempotent ? "not yet" : "none");
    }
    view_key_value(frame->ui, view_rect_cut_top(&card, line_height), "PID", text, theme->text);
    view_rect_cut_top(inside, theme->space_2);
}

static void draw_metadata(struct view_frame *frame, struct view_rect *inside)
{
    const struct view_theme *theme = frame->theme;
    int32_t line_height = view_theme_px(theme, 17);
    char version[32];
    snprintf(version, sizeof version, "v%d", frame->p->metadata_version);
    struct view_rect rect = view_rect_cut_top(inside, view_theme_px(theme, 28) + 2 * line_height);
    struct view_rect card =
        view_card(frame->ui, view_id_make(VIEW_HIT_TERM, 32, 0), rect, VIEW_CARD_MONO | VIEW_CARD_TIGHT,
                  VIEW_NONE, "metadata", frame->p->metadata_us >= 0 ? version : "none yet");
    char text[TEXT_BYTES] = "–";
    if (frame->p->metadata_us >= 0) {
        view_format_duration((frame->now_us - frame->p->metadata_us) / 1000 * 1000, text, sizeof text);
    }
    view_key_value(frame->ui, view_rect_cut_top(&card, line_height), "age",
                   frame->p->metadata_us >= 0 && frame->now_us - frame->p->metadata_us < 1000 ? "0 ms" : text,
                   theme->text);
    key_and_time(frame, &card, "refresh in",
                 frame->p->metadata_us >= 0 ? frame->p->metadata_us + frame->p->metadata_refresh_in_ms * 1000
                                            : -1);
}

void view_draw_panel_sender(struct view_frame *frame, struct view_rect rect)
{
    const struct view_theme *theme = frame->theme;
    struct view_rect inside = view_panel(frame->ui, rect, "Sender thread", "Sender.runOnce()");
    int32_t line_height = view_theme_px(theme, 17);
    int32_t card = view_theme_px(theme, 28) + theme->space_2;
    int32_t node = view_theme_px(theme, 26);
    int32_t drain = card + 2 * line_height;
    int32_t poll = card + 4 * line_height;
    int32_t metadata = card + 2 * line_height;
    int32_t brokers = (int32_t)frame->info->broker_count;
    int32_t nodes = (brokers < 3 ? brokers : 3) + bootstrap_rows(frame);
    int32_t in_flight = theme->row_height + theme->space_2 + nodes * node;
    int32_t rows = 2;
    /* What there is room for, the most telling first; then ready() and the nodes grow into the rest. */
    int32_t left = inside.h - card - rows * line_height - drain - in_flight;
    bool has_poll = left >= poll - theme->space_2;
    left -= has_poll ? poll : 0;
    bool has_metadata = has_poll && left >= metadata - theme->space_2;
    left -= has_metadata ? metadata : 0;
    int32_t partitions = (int32_t)frame->model->partition_count;
    for (; left >= line_height && rows < partitions && rows < 8; rows++) {
        left -= line_height;
    }
    for (; left >= node && nodes < brokers + bootstrap_rows(frame); nodes++) {
        left -= node;
        in_flight += node;
    }
    draw_ready(frame, &inside, (uint32_t)rows);
    draw_drain(frame, &inside);
    draw_in_flight(frame, &inside, in_flight - theme->space_2);
    if (has_poll) {
        draw_poll(frame, &inside);
    }
    if (has_metadata) {
        draw_metadata(frame, &inside);
        view_rect_cut_top(&inside, theme->space_3);
        view_draw_sender_history(frame, inside);
    }
}
