/* send() on its application thread: the stations in Kafka's order, with the record in hand. */
#include "view/stage_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { STATIONS = MODEL_AT_APPEND + 1, WAITING_MAX = 48, LOOK_AHEAD_EVENTS = 3000, DETAIL_BYTES = 128 };

static const char *const station_titles[STATIONS] = {"interceptors", "metadata",   "serializer",
                                                     "partitioner",  "size check", "append"};
static const char *const station_tips[STATIONS] = {
    "ProducerInterceptors.onSend: each interceptor may change the record; one that throws is skipped.",
    "KafkaProducer.waitOnMetadata: the topic's partitions must be known; waits at most max.block.ms.",
    "Serializer.serialize: key and value become bytes.",
    "KafkaProducer.partition: the record's own partition, or what the partitioner says.",
    "KafkaProducer.ensureValidRecordSize: against max.request.size and buffer.memory.",
    "RecordAccumulator.append: into the last batch of its partition, or a new one.",
};

/* The record that the panel is about, and what is known of it. */
struct hand {
    const struct model_thread *thread;
    const struct model_record *record; /* NULL: none yet */
    bool is_held;                      /* it is still in send() */
    bool is_blocked;
    struct view_hue hue;
};

static struct hand hand_of(const struct view_frame *frame)
{
    struct hand hand = {.thread = &frame->p->threads[frame->stage->thread]};
    hand.record = sim_model_find_record(frame->model, hand.thread->record);
    hand.is_held = hand.record != NULL && hand.record->station <= MODEL_AT_APPEND;
    hand.is_blocked = hand.is_held && hand.thread->blocked_since_us >= 0;
    bool is_placed = hand.record != NULL && hand.record->station >= MODEL_AT_PARTITIONER;
    hand.hue =
        is_placed ? view_hue_of(frame, hand.record->topic, hand.record->partition) : frame->theme->accent;
    return hand;
}

static void short_serializer(const char *name, char *text, size_t capacity)
{
    size_t length = strlen(name);
    const char *suffix = "Serializer";
    if (length > strlen(suffix) && strcmp(name + length - strlen(suffix), suffix) == 0) {
        length -= strlen(suffix);
    }
    snprintf(text, capacity, "%.*s", (int)length, name);
}

static void describe_metadata(const struct view_frame *frame, char *text, size_t capacity)
{
    if (frame->p->metadata_us < 0) {
        snprintf(text, capacity, "none yet");
        return;
    }
    char age[40];
    view_format_duration((frame->now_us - frame->p->metadata_us) / 1000 * 1000, age, sizeof age);
    snprintf(text, capacity, "v%d · age %s", frame->p->metadata_version,
             frame->now_us - frame->p->metadata_us < 1000 ? "0 ms" : age);
}

static void describe_partition(const struct model_record *record, char *text, size_t capacity)
{
    const char *why = kb_field_value_name(KB_FIELD_PARTITION_WHY, record->partition_why);
    char word[32];
    snprintf(word, sizeof word, "%s", why != NULL ? why : "?");
    for (char *at = word; *at != '\0'; at++) {
        *at = *at == '_' ? ' ' : (*at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at);
    }
    snprintf(text, capacity, "%s → P%d", word, record->partition);
}

/* What a station says: of the record when it has passed, else of the setting that it works by. */
static void describe(const struct view_frame *frame, const struct hand *hand, uint32_t station, bool is_short,
                     char *text, size_t capacity)
{
    const struct model_record *record = hand->record;
    bool has_passed = record != NULL && record->station >= station && record->station != MODEL_REJECTED;
    char first[48];
    char second[48];
    text[0] = '\0';
    switch (station) {
    case MODEL_AT_INTERCEPTORS:
        snprintf(text, capacity, "onSend ×%u", (unsigned)frame->pinfo->interceptor_count);
        break;
    case MODEL_AT_METADATA:
        describe_metadata(frame, text, capacity);
        break;
    case MODEL_AT_SERIALIZER:
        short_serializer(frame->pinfo->key_serializer, first, sizeof first);
        if (has_passed) {
            snprintf(second, sizeof second, "%d / %d B", record->key_bytes, record->value_bytes);
            snprintf(text, capacity, is_short ? "%.0s%s" : "%s → %s", first, second);
        } else {
            short_serializer(frame->pinfo->value_serializer, second, sizeof second);
            snprintf(text, capacity, "%s / %s", first, second);
        }
        break;
    case MODEL_AT_PARTITIONER:
        if (has_passed) {
            describe_partition(record, text, capacity);
        } else {
            snprintf(text, capacity, "%s", frame->pinfo->partitioner);
        }
        break;
    case MODEL_AT_SIZE_CHECK:
        if (is_short) {
            view_format_bytes_short(frame->pinfo->max_request_size_bytes, second, sizeof second);
        } else {
            view_format_bytes(frame->pinfo->max_request_size_bytes, second, sizeof second);
        }
        if (has_passed && record->record_bytes > 0) {
            view_format_count(record->record_bytes, first, sizeof first);
            snprintf(text, capacity, "%s ≤ %s", first, second);
        } else {
            snprintf(text, capacity, "≤ %s", second);
        }
        break;
    default:
        if (record != NULL && record->batch != 0) {
            snprintf(text, capacity, is_short ? "#%u, slot %u" : "batch #%u, slot %u",
                     (unsigned)record->batch, (unsigned)record->slot);
        } else {
            snprintf(text, capacity, "tryAppend");
        }
        break;
    }
}

static void draw_badge(struct view_frame *frame, const struct hand *hand, struct view_rect card)
{
    const struct view_theme *theme = frame->theme;
    char label[16];
    snprintf(label, sizeof label, "%u", (unsigned)hand->record->number);
    int32_t width = view_label_width(frame->ui, theme->mono_small_strong, label) + theme->space_2;
    int32_t height = view_theme_px(theme, 18);
    width = width > height ? width : height;
    struct view_rect rect = {card.x + card.w - width - theme->space_2, card.y + (card.h - height) / 2, width,
                             height};
    struct view_thing thing = view_thing_record(hand->record->number);
    rect = view_move(frame, view_thing_id(frame->info, &thing), rect, NULL);
    enum view_layer before = view_draw_layer(frame->ui->list, VIEW_LAYER_MOVERS);
    view_draw_box(frame->ui->list, rect, rect.h / 2, hand->hue.fill, VIEW_NONE, 0);
    view_label(frame->ui, rect, theme->mono_small_strong, hand->hue.on_fill, VIEW_ALIGN_CENTER, label);
    view_thing_hit(frame, &thing, rect, "The record in hand. Double-click to follow it.");
    view_draw_layer(frame->ui->list, before);
}

static void draw_station(struct view_frame *frame, const struct hand *hand, uint32_t station,
                         struct view_rect rect)
{
    struct view_ui *ui = frame->ui;
    const struct view_theme *theme = frame->theme;
    bool is_here = hand->is_held && hand->record->station == station;
    bool is_stuck = is_here && hand->is_blocked;
    char detail[DETAIL_BYTES];
    int32_t room = rect.w - 2 * (theme->space_2 + VIEW_PX(2)) - (is_here ? view_theme_px(theme, 22) : 0);
    describe(frame, hand, station, false, detail, sizeof detail);
    if (view_label_width(ui, theme->mono_small, detail) > room) {
        describe(frame, hand, station, true, detail, sizeof detail);
    }
    uint32_t ink = is_stuck ? theme->warn.ink : is_here ? hand->hue.ink : theme->text_muted;
    if (is_stuck) {
        char left[40];
        view_format_duration(hand->thread->deadline_ms * 1000 - frame->now_us, left, sizeof left);
        const char *wait = kb_field_value_text(KB_FIELD_WAIT, hand->thread->wait);
        snprintf(detail, sizeof detail, "%s · %s", wait != NULL ? wait : "?", left);
    }
    struct view_thing thing = {.kind = VIEW_THING_STATION, .number = station};
    view_draw_box(ui->list, rect, theme->radius_card, theme->card,
                  is_stuck  ? theme->warn.ink
                  : is_here ? hand->hue.ink
                            : theme->line,
                  is_here ? theme->stroke_strong : theme->stroke);
    view_draw_hit(ui->list, view_thing_id(frame->info, &thing), rect, VIEW_HIT_FOCUSABLE,
                  station_tips[station]);
    view_mark(frame, &thing, rect, theme->radius_card);
    struct view_rect inside = view_rect_inset(rect, theme->space_2 + VIEW_PX(2), VIEW_PX(2));
    if (is_here) {
        inside.w -= view_theme_px(theme, 22);
    }
    if (rect.h >= view_theme_px(theme, 38)) {
        int32_t lines = view_theme_px(theme, 34);
        inside.y += (inside.h - lines) / 2;
        inside.h = lines;
        view_label(ui, view_rect_cut_top(&inside, lines / 2), theme->body_strong, theme->text,
                   VIEW_ALIGN_LEFT, station_titles[station]);
        view_label(ui, inside, theme->mono_small, ink, VIEW_ALIGN_LEFT, detail);
    } else {
        int32_t width = view_label_width(ui, theme->body, station_titles[station]);
        view_label(ui, view_rect_cut_left(&inside, width), theme->body, theme->text, VIEW_ALIGN_LEFT,
                   station_titles[station]);
        view_rect_cut_left(&inside, theme->space_2);
        if (is_here || view_label_width(ui, theme->mono_small, detail) <= inside.w) {
            view_label(ui, inside, theme->mono_small, ink, VIEW_ALIGN_RIGHT, detail);
        }
    }
    if (is_here) {
        draw_badge(frame, hand, rect);
    }
}

static void draw_stations(struct view_frame *frame, const struct hand *hand, struct view_rect rect)
{
    const struct view_theme *theme = frame->theme;
    int32_t step = rect.h / STATIONS;
    int32_t gap = step > view_theme_px(theme, 52) ? theme->space_3 : theme->space_1;
    step = step < view_theme_px(theme, 72) ? step : view_theme_px(theme, 72);
    for (uint32_t i = 0; i < STATIONS; i++) {
        struct view_rect card = {rect.x, rect.y + (int32_t)i * step, rect.w, step - gap};
        if (i + 1 < STATIONS) {
            int32_t x = card.x + card.w / 2;
            view_draw_line(frame->ui->list, (struct view_point){x, card.y + card.h},
                           (struct view_point){x, card.y + step}, theme->line_strong, theme->stroke);
        }
        draw_station(frame, hand, i, card);
    }
}

/* --- The partitioner's arithmetic
 * ---------------------------------------------------------------------------------------- */

static int32_t partitions_of(const struct view_frame *frame, uint32_t topic)
{
    int32_t count = 0;
    for (uint32_t i = 0; i < frame->model->partition_count; i++) {
        count += frame->model->partitions[i].topic == topic;
    }
    return count;
}

static void draw_lines(struct view_frame *frame, struct view_rect inside, const char *const lines[4],
                       uint32_t last_ink)
{
    const struct view_theme *theme = frame->theme;
    for (uint32_t i = 0; i < 4; i++) {
        struct view_rect line = view_rect_cut_top(&inside, view_theme_px(theme, 17));
        bool is_last = i == 3;
        view_label(frame->ui, line, is_last ? theme->mono_strong : theme->mono_small,
                   is_last  ? last_ink
                   : i == 0 ? theme->text_muted
                            : theme->text,
                   VIEW_ALIGN_LEFT, lines[i]);
    }
}

static void draw_arithmetic(struct view_frame *frame, const struct hand *hand, struct view_rect rect)
{
    const struct view_theme *theme = frame->theme;
    const struct model_record *record = hand->record;
    view_draw_box(frame->ui->list, rect, theme->radius_card, theme->background, theme->line, theme->stroke);
    view_draw_hit(
        frame->ui->list, view_id_make(VIEW_HIT_TERM, 1, 0), rect, 0,
        "How the partition came about: murmur2 over the key's bytes, without its sign bit, modulo the "
        "number of partitions.");
    struct view_rect inside = view_rect_inset(rect, theme->space_2 + VIEW_PX(2), theme->space_2);
    if (record == NULL || record->station < MODEL_AT_PARTITIONER) {
        view_label(frame->ui, view_rect_cut_top(&inside, theme->row_height), theme->label, theme->text_faint,
                   VIEW_ALIGN_LEFT, "no partition yet");
        return;
    }
    char call[64];
    char hash[64];
    char modulo[64];
    char result[64];
    snprintf(result, sizeof result, "= partition %d", record->partition);
    switch ((enum kb_partition_why)record->partition_why) {
    case KB_PARTITION_WHY_MURMUR2:
        snprintf(call, sizeof call, "murmur2(\"%.16s\")", record->key.bytes);
        snprintf(hash, sizeof hash, "= 0x%08" PRIx32, (uint32_t)record->murmur2);
        snprintf(modulo, sizeof modulo, "toPositive %% %d", partitions_of(frame, record->topic));
        draw_lines(frame, inside, (const char *const[4]){call, hash, modulo, result}, hand->hue.ink);
        break;
    case KB_PARTITION_WHY_STICKY:
        draw_lines(frame, inside,
                   (const char *const[4]){"StickyPartitionCache", "no key: one partition",
                                          "until a new batch", result},
                   hand->hue.ink);
        break;
    case KB_PARTITION_WHY_EXPLICIT:
        draw_lines(frame, inside,
                   (const char *const[4]){"ProducerRecord.partition()", "the record names it", "", result},
                   hand->hue.ink);
        break;
    case KB_PARTITION_WHY_ROUND_ROBIN:
        draw_lines(
            frame, inside,
            (const char *const[4]){"RoundRobinPartitioner", "whatever the key", "the next one", result},
            hand->hue.ink);
        break;
    case KB_PARTITION_WHY_CUSTOM:
        draw_lines(frame, inside,
                   (const char *const[4]){"Partitioner.partition()", "the application's own", "", result},
                   hand->hue.ink);
        break;
    }
}

/* --- What is still to be sent
 * --------------------------------------------------------------------------------------------- */

struct waiting {
    uint32_t number;
    uint32_t topic;
    int32_t partition; /* -1: not known within the look-ahead */
};

/* The run is known beyond this moment, so what comes next can be shown in its colours. */
static uint32_t look_ahead(const struct view_frame *frame, struct waiting *waiting, uint32_t most)
{
    uint64_t last = sim_event_log_count(frame->log);
    uint64_t goal = frame->model->sequence + LOOK_AHEAD_EVENTS;
    goal = goal < last ? goal : last;
    uint32_t count = 0;
    for (uint64_t i = frame->model->sequence + 1; i <= goal; i++) {
        const struct kb_event *event = sim_event_log_get(frame->log, i);
        if (event->source != frame->producer) {
            continue;
        }
        if (event->kind == KB_EVENT_RECORD_CREATED && count < most &&
            event->as.record_created.thread == frame->stage->thread) {
            waiting[count++] =
                (struct waiting){event->as.record_created.record, event->as.record_created.topic, -1};
        } else if (event->kind == KB_EVENT_RECORD_PARTITIONED) {
            const struct kb_event_record_partitioned *placed = &event->as.record_partitioned;
            for (uint32_t k = count; k > 0; k--) {
                if (waiting[k - 1].number == placed->record) {
                    waiting[k - 1].partition = placed->partition;
                }
            }
            if (count == most && waiting[most - 1].partition >= 0) {
                break;
            }
        }
    }
    return count;
}

static void draw_waiting(struct view_frame *frame, struct view_rect rect)
{
    const struct view_theme *theme = frame->theme;
    view_label(frame->ui, view_rect_cut_top(&rect, view_theme_px(theme, 16)), theme->label, theme->text_muted,
               VIEW_ALIGN_LEFT, "waiting to send");
    int32_t pitch = view_theme_px(theme, 17);
    int32_t diameter = view_theme_px(theme, 11);
    uint32_t columns = (uint32_t)(rect.w / pitch);
    uint32_t rows = (uint32_t)(rect.h / pitch);
    uint32_t most = columns * rows < WAITING_MAX ? columns * rows : WAITING_MAX;
    struct waiting waiting[WAITING_MAX];
    uint32_t count = most > 0 ? look_ahead(frame, waiting, most) : 0;
    if (count == 0) {
        view_label(frame->ui, view_rect_cut_top(&rect, theme->row_height), theme->mono_small,
                   theme->text_faint, VIEW_ALIGN_LEFT, "nothing more in sight");
    }
    for (uint32_t i = 0; i < count; i++) {
        struct view_rect dot = {rect.x + (int32_t)(i % columns) * pitch,
                                rect.y + (int32_t)(i / columns) * pitch + VIEW_PX(2), diameter, diameter};
        struct view_thing thing = view_thing_record(waiting[i].number);
        dot = view_move(frame, view_thing_id(frame->info, &thing), dot, NULL);
        struct view_hue hue = view_hue_of(frame, waiting[i].topic, waiting[i].partition);
        view_draw_circle(frame->ui->list, (struct view_point){dot.x + dot.w / 2, dot.y + dot.h / 2},
                         dot.w / 2, view_color_mix(theme->panel, hue.fill, 168), VIEW_NONE, 0);
        view_thing_hit(frame, &thing, dot, NULL);
    }
}

static void draw_callbacks(struct view_frame *frame, struct view_rect rect)
{
    struct view_ui *ui = frame->ui;
    const struct view_theme *theme = frame->theme;
    char failed[40];
    char acked[40];
    snprintf(failed, sizeof failed, " · %u failed", (unsigned)frame->p->failed);
    snprintf(acked, sizeof acked, "%u ok", (unsigned)frame->p->acked);
    view_draw_hit(
        ui->list, view_id_make(VIEW_HIT_TERM, 2, 0), rect, 0,
        "Callback.onCompletion runs on the Sender's thread, once per record, with its offset or its error.");
    int32_t both =
        view_label_width(ui, theme->mono_small, failed) + view_label_width(ui, theme->mono_small, acked);
    int32_t name = view_label_width(ui, theme->label, "callbacks") + theme->space_1;
    if (both > rect.w) {
        snprintf(failed, sizeof failed, " · %u ✗", (unsigned)frame->p->failed);
    }
    if (both + name <= rect.w) {
        view_label(ui, rect, theme->label, theme->text_muted, VIEW_ALIGN_LEFT, "callbacks");
    }
    struct view_rect right = view_rect_cut_right(&rect, view_label_width(ui, theme->mono_small, failed));
    view_label(ui, right, theme->mono_small, frame->p->failed > 0 ? theme->fail.ink : theme->text_muted,
               VIEW_ALIGN_RIGHT, failed);
    view_label(ui, rect, theme->mono_small, theme->ok.ink, VIEW_ALIGN_RIGHT, acked);
}

/* --- Whose thread
 * ----------------------------------------------------------------------------------------------------------
 */

static bool draw_choice(struct view_frame *frame, struct view_rect *inside, view_id id, const char *name,
                        uint32_t chosen, uint32_t count, const char *tip)
{
    const struct view_theme *theme = frame->theme;
    char label[96];
    snprintf(label, sizeof label, "%s · %u of %u", name, (unsigned)chosen + 1, (unsigned)count);
    struct view_rect row = view_rect_cut_top(inside, view_theme_px(theme, 24));
    view_rect_cut_top(inside, theme->space_2);
    return view_button(frame->ui, id, row, label, 0, tip);
}

static void draw_choices(struct view_frame *frame, struct view_rect *inside)
{
    struct view_stage *stage = frame->stage;
    uint32_t producers = frame->model->producer_count;
    if (producers > 1 &&
        draw_choice(frame, inside, view_id_make(VIEW_HIT_PRODUCER, 0, 0), frame->pinfo->name, frame->producer,
                    producers, "Which producer is shown; click for the next")) {
        stage->producer = (stage->producer + 1) % producers;
        stage->thread = 0;
        stage->must_snap = true;
    }
    uint32_t threads = frame->pinfo->thread_count;
    if (threads > 1 && draw_choice(frame, inside, view_id_make(VIEW_HIT_THREAD, 0, 0),
                                   frame->pinfo->threads[stage->thread].name, stage->thread, threads,
                                   "Which thread is shown; click for the next")) {
        stage->thread = (stage->thread + 1) % threads;
        stage->must_snap = true;
    }
}

void view_draw_panel_application(struct view_frame *frame, struct view_rect rect)
{
    const struct view_theme *theme = frame->theme;
    const char *title = "Application thread";
    bool fits = view_label_width(frame->ui, theme->title, title) <= rect.w - 2 * theme->space_3;
    struct view_rect inside =
        view_panel(frame->ui, rect, fits ? title : "Application", fits ? "KafkaProducer.send()" : "send()");
    draw_choices(frame, &inside);
    struct hand hand = hand_of(frame);
    struct view_rect callbacks = view_rect_cut_bottom(&inside, theme->row_height);
    view_rect_cut_bottom(&inside, theme->space_1);
    int32_t least = STATIONS * view_theme_px(theme, 28);
    int32_t dots = view_theme_px(theme, 16 + 2 * 17) + theme->space_2;
    int32_t arithmetic = 4 * view_theme_px(theme, 17) + 2 * theme->space_2;
    bool has_dots = inside.h - dots >= least;
    bool has_arithmetic = inside.h - dots - arithmetic >= least;
    int32_t stations = inside.h - (has_dots ? dots : 0) - (has_arithmetic ? arithmetic : 0);
    int32_t most = STATIONS * view_theme_px(theme, 72);
    stations = stations < most ? stations : most;
    draw_stations(frame, &hand, view_rect_cut_top(&inside, stations));
    if (has_arithmetic) {
        draw_arithmetic(frame, &hand, view_rect_cut_top(&inside, arithmetic));
    }
    if (has_dots) {
        view_rect_cut_top(&inside, theme->space_2);
        draw_waiting(frame, inside);
    }
    draw_callbacks(frame, callbacks);
}
