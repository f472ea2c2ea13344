/* What several panels draw: things, their hues and marks, cells, packets, numbers as text. */
#include "view/stage_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- Things and ids
 * ------------------------------------------------------------------------------------------------------ */

enum { BROKER_BITS = 7, PARTITION_BITS = 32 - BROKER_BITS };
_Static_assert(1 << BROKER_BITS >= SIM_BROKERS_MAX, "a replica's broker fits into its id");

static uint32_t place_of_broker(const struct sim_run_info *info, int32_t id)
{
    uint32_t place = 0;
    while (place < info->broker_count && info->brokers[place].id != id) {
        place++;
    }
    return place;
}

view_id view_thing_id(const struct sim_run_info *info, const struct view_thing *thing)
{
    uint16_t kind = (uint16_t)thing->kind;
    uint32_t number = (uint32_t)thing->number;
    switch (thing->kind) {
    case VIEW_THING_NONE:
        return 0;
    case VIEW_THING_RECORD:
    case VIEW_THING_BROKER:
    case VIEW_THING_EVENT:
    case VIEW_THING_STATION:
    case VIEW_THING_CONSUMER:
        return view_id_make(kind, number, 0);
    case VIEW_THING_BATCH:
    case VIEW_THING_REQUEST:
    case VIEW_THING_NODE:
    case VIEW_THING_POOL:
    case VIEW_THING_SENDER:
        return view_id_make(kind, number, (uint16_t)thing->producer);
    case VIEW_THING_PARTITION:
        return view_id_make(kind, number, (uint16_t)thing->name);
    case VIEW_THING_REPLICA: {
        uint32_t place = place_of_broker(info, thing->other);
        if (place == info->broker_count || number >= 1u << PARTITION_BITS) {
            return 0;
        }
        return view_id_make(kind, place << PARTITION_BITS | number, (uint16_t)thing->name);
    }
    }
    return 0;
}

struct view_thing view_thing_of_id(const struct sim_run_info *info, view_id id)
{
    struct view_thing thing = {.kind = VIEW_THING_NONE};
    uint16_t kind = view_id_kind(id);
    if (kind == VIEW_THING_NONE || kind > VIEW_THING_CONSUMER) {
        return thing;
    }
    thing.kind = (enum view_thing_kind)kind;
    thing.number = view_id_index(id);
    switch (thing.kind) {
    case VIEW_THING_NONE:
    case VIEW_THING_RECORD:
    case VIEW_THING_EVENT:
    case VIEW_THING_STATION:
    case VIEW_THING_CONSUMER:
        break;
    case VIEW_THING_BROKER:
        thing.number = (int32_t)view_id_index(id);
        break;
    case VIEW_THING_NODE:
        thing.number = (int32_t)view_id_index(id);
        thing.producer = view_id_sub(id);
        break;
    case VIEW_THING_BATCH:
    case VIEW_THING_REQUEST:
    case VIEW_THING_POOL:
    case VIEW_THING_SENDER:
        thing.producer = view_id_sub(id);
        break;
    case VIEW_THING_PARTITION:
        thing.name = view_id_sub(id);
        break;
    case VIEW_THING_REPLICA: {
        uint32_t place = view_id_index(id) >> PARTITION_BITS;
        thing.name = view_id_sub(id);
        thing.number = view_id_index(id) & ((1u << PARTITION_BITS) - 1);
        thing.other = place < info->broker_count ? info->brokers[place].id : -1;
        break;
    }
    }
    return thing;
}

bool view_thing_equals(const struct view_thing *a, const struct view_thing *b)
{
    return a->kind == b->kind && a->producer == b->producer && a->name == b->name && a->number == b->number &&
           a->other == b->other;
}

struct view_thing view_thing_consumer(uint32_t index)
{
    return (struct view_thing){.kind = VIEW_THING_CONSUMER, .number = index};
}

struct view_thing view_thing_record(uint32_t number)
{
    return (struct view_thing){.kind = VIEW_THING_RECORD, .number = number};
}

struct view_thing view_thing_batch(uint32_t producer, uint32_t number)
{
    return (struct view_thing){.kind = VIEW_THING_BATCH, .producer = producer, .number = number};
}

struct view_thing view_thing_request(uint32_t producer, uint32_t number)
{
    return (struct view_thing){.kind = VIEW_THING_REQUEST, .producer = producer, .number = number};
}

struct view_thing view_thing_broker(int32_t id)
{
    return (struct view_thing){.kind = VIEW_THING_BROKER, .number = id};
}

struct view_thing view_thing_partition(uint32_t topic, int32_t partition)
{
    return (struct view_thing){.kind = VIEW_THING_PARTITION, .name = topic, .number = partition};
}

struct view_thing view_thing_replica(uint32_t topic, int32_t partition, int32_t broker)
{
    return (struct view_thing){
        .kind = VIEW_THING_REPLICA, .name = topic, .number = partition, .other = broker};
}

struct view_thing view_thing_event(uint64_t sequence)
{
    return (struct view_thing){.kind = VIEW_THING_EVENT, .number = (int64_t)sequence};
}

/* --- Hues and marks
 * ------------------------------------------------------------------------------------------------------- */

struct view_hue view_hue_of(const struct view_frame *frame, uint32_t topic, int32_t partition)
{
    if (topic == 0 || partition < 0) {
        return frame->theme->neutral;
    }
    const char *name = sim_event_log_name(frame->log, topic);
    uint32_t before = 0;
    for (uint32_t i = 0; i < frame->info->topic_count; i++) {
        if (strcmp(frame->info->topics[i].name, name) == 0) {
            break;
        }
        before += (uint32_t)frame->info->topics[i].partition_count;
    }
    return view_theme_partition(frame->theme, before + (uint32_t)partition);
}

struct view_hue view_hue_of_request(const struct view_frame *frame, uint32_t producer, uint32_t number)
{
    int32_t index = sim_model_find_request(frame->model, producer, number);
    int32_t first = index >= 0 ? frame->model->requests[index].first_batch : MODEL_NONE;
    if (first < 0) {
        return frame->theme->neutral;
    }
    const struct model_batch *batch = &frame->model->batches[first];
    return view_hue_of(frame, batch->topic, batch->partition);
}

bool view_is_selected(const struct view_frame *frame, const struct view_thing *thing)
{
    return view_thing_equals(&frame->stage->selected, thing);
}

bool view_is_marked(const struct view_frame *frame, const struct view_thing *thing)
{
    const struct view_stage *stage = frame->stage;
    if (thing->kind == VIEW_THING_NONE) {
        return false;
    }
    return view_thing_equals(&stage->selected, thing) || view_thing_equals(&stage->followed, thing) ||
           (stage->ui.hot != 0 && stage->ui.hot == view_thing_id(frame->info, thing));
}

void view_mark(struct view_frame *frame, const struct view_thing *thing, struct view_rect rect,
               int32_t radius)
{
    if (!view_is_marked(frame, thing)) {
        return;
    }
    bool chosen = view_is_selected(frame, thing) || view_thing_equals(&frame->stage->followed, thing);
    const int32_t gap = VIEW_PX(2);
    view_draw_box(frame->ui->list, view_rect_inset(rect, -gap, -gap), radius + gap, VIEW_NONE,
                  chosen ? frame->theme->text : frame->theme->text_muted,
                  chosen ? frame->theme->stroke_strong : frame->theme->stroke);
}

void view_thing_hit(struct view_frame *frame, const struct view_thing *thing, struct view_rect rect,
                    const char *tip)
{
    view_draw_hit(frame->ui->list, view_thing_id(frame->info, thing), rect, 0, tip);
    view_mark(frame, thing, rect, frame->theme->radius_cell);
}

/* --- Cells and packets
 * ---------------------------------------------------------------------------------------------------- */

void view_cell(struct view_frame *frame, struct view_rect rect, struct view_hue hue,
               enum view_cell_style style)
{
    struct view_draw_list *list = frame->ui->list;
    const struct view_theme *theme = frame->theme;
    int32_t radius = rect.w > VIEW_PX(8) ? theme->radius_cell : 0;
    switch (style) {
    case VIEW_CELL_EMPTY:
        view_draw_box(list, rect, radius, VIEW_NONE, theme->line, theme->stroke);
        return;
    case VIEW_CELL_PALE:
        view_draw_box(list, rect, radius, view_color_mix(theme->background, hue.fill, 96), VIEW_NONE, 0);
        return;
    case VIEW_CELL_SOLID:
    case VIEW_CELL_DUPLICATE:
    case VIEW_CELL_FAILED:
        break;
    }
    if (hue.pattern != VIEW_PATTERN_NONE && rect.w >= VIEW_PX(4)) {
        view_draw_pattern_box(list, rect, radius, hue.fill, hue.pattern,
                              view_color_with_alpha(hue.on_fill, 150));
    } else {
        view_draw_box(list, rect, radius, hue.fill, VIEW_NONE, 0);
    }
    if (style == VIEW_CELL_DUPLICATE) {
        view_draw_box(list, rect, radius, VIEW_NONE, theme->text, theme->stroke);
        view_draw_box(list, view_rect_inset(rect, VIEW_PX(2), VIEW_PX(2)), 0, VIEW_NONE, hue.on_fill,
                      theme->stroke);
    }
    if (style == VIEW_CELL_FAILED) {
        struct view_rect cross = view_rect_inset(rect, rect.w / 5, rect.h / 5);
        struct view_point corners[4] = {{cross.x, cross.y},
                                        {cross.x + cross.w, cross.y + cross.h},
                                        {cross.x + cross.w, cross.y},
                                        {cross.x, cross.y + cross.h}};
        view_draw_line(list, corners[0], corners[1], theme->fail.ink, theme->stroke_strong);
        view_draw_line(list, corners[2], corners[3], theme->fail.ink, theme->stroke_strong);
    }
}

void view_packet_box(struct view_frame *frame, struct view_rect rect, struct view_hue hue, bool is_response,
                     const char *label)
{
    struct view_ui *ui = frame->ui;
    const struct view_theme *theme = frame->theme;
    int32_t radius = theme->radius_button < rect.h / 3 ? theme->radius_button : rect.h / 3;
    if (is_response) {
        view_draw_box(ui->list, rect, radius, theme->background, hue.ink, theme->stroke_strong);
    } else {
        view_draw_box(ui->list, rect, radius, hue.fill, VIEW_NONE, 0);
        if (hue.pattern != VIEW_PATTERN_NONE) {
            view_draw_pattern_box(ui->list, rect, radius, hue.fill, hue.pattern,
                                  view_color_with_alpha(hue.on_fill, 90));
        }
    }
    view_label(ui, rect, theme->mono_small_strong, is_response ? hue.ink : hue.on_fill, VIEW_ALIGN_CENTER,
               label);
}

/* The hues of the partitions that a request carries batches of. */
static uint32_t hues_of_request(const struct view_frame *frame, uint32_t producer, uint32_t number,
                                struct view_hue *hues, uint32_t most)
{
    int32_t index = sim_model_find_request(frame->model, producer, number);
    int32_t batch = index >= 0 ? frame->model->requests[index].first_batch : MODEL_NONE;
    uint32_t count = 0;
    for (; batch >= 0 && count < most; batch = frame->model->batches[batch].next) {
        const struct model_batch *carried = &frame->model->batches[batch];
        hues[count++] = view_hue_of(frame, carried->topic, carried->partition);
    }
    return count;
}

void view_request_box(struct view_frame *frame, struct view_rect rect, uint32_t producer, uint32_t number,
                      const char *label)
{
    enum { STRIPES_MAX = 6 };
    struct view_hue hues[STRIPES_MAX];
    uint32_t count = hues_of_request(frame, producer, number, hues, STRIPES_MAX);
    if (count < 2) {
        view_packet_box(frame, rect, count == 1 ? hues[0] : frame->theme->neutral, false, label);
        return;
    }
    view_packet_box(frame, rect, hues[0], false, NULL);
    struct view_rect band = view_rect_inset(rect, VIEW_PX(2), VIEW_PX(2));
    struct view_rect strip = view_rect_cut_bottom(&band, VIEW_PX(3));
    view_draw_rect(frame->ui->list, view_rect_inset(strip, 0, -VIEW_PX(1)), hues[0].on_fill);
    for (uint32_t i = 0; i < count; i++) {
        int32_t from = strip.w * (int32_t)i / (int32_t)count;
        int32_t to = strip.w * (int32_t)(i + 1) / (int32_t)count;
        view_draw_rect(frame->ui->list, (struct view_rect){strip.x + from, strip.y, to - from, strip.h},
                       hues[i].fill);
    }
    view_label(frame->ui, (struct view_rect){rect.x, rect.y, rect.w, rect.h - VIEW_PX(4)},
               frame->theme->mono_small_strong, hues[0].on_fill, VIEW_ALIGN_CENTER, label);
}

/* --- Numbers and names as text
 * --------------------------------------------------------------------------------------------- */

void view_partition_name(const struct view_frame *frame, uint32_t topic, int32_t partition, char *text,
                         size_t capacity)
{
    snprintf(text, capacity, "%s-%d", sim_event_log_name(frame->log, topic), partition);
}

void view_partition_name_fit(const struct view_frame *frame, uint32_t topic, int32_t partition,
                             struct view_font font, int32_t width, char *text, size_t capacity)
{
    const char *name = sim_event_log_name(frame->log, topic);
    view_partition_name(frame, topic, partition, text, capacity);
    for (int32_t kept = (int32_t)strlen(name) - 1;
         kept > 0 && view_label_width(frame->ui, font, text) > width; kept--) {
        snprintf(text, capacity, "%.*s…-%" PRId32, (int)kept, name, partition); /* topics are ASCII */
    }
}

void view_format_count(int64_t value, char *text, size_t capacity)
{
    static const char group_space[] = "\xe2\x80\xaf"; /* narrow, and no line breaks at it */
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, value < 0 ? -value : value);
    size_t count = strlen(digits);
    char grouped[64];
    size_t used = 0;
    if (value < 0) {
        grouped[used++] = '-';
    }
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0) {
            memcpy(grouped + used, group_space, sizeof group_space - 1);
            used += sizeof group_space - 1;
        }
        grouped[used++] = digits[i];
    }
    grouped[used] = '\0';
    snprintf(text, capacity, "%s", grouped);
}

void view_format_bytes(int64_t bytes, char *text, size_t capacity)
{
    char count[40];
    view_format_count(bytes, count, sizeof count);
    snprintf(text, capacity, "%s B", count);
}

void view_format_bytes_short(int64_t bytes, char *text, size_t capacity)
{
    static const char *const units[4] = {"kB", "MB", "GB", "TB"};
    if (bytes < 1000) {
        snprintf(text, capacity, "%" PRId64 " B", bytes);
        return;
    }
    /* Rounded, not cut off, so that parts still add up to the whole as nearly as they can. */
    uint32_t unit = 0;
    int64_t size = 1000;
    while (unit < 3 && bytes / size + (bytes % size >= size / 2) >= 1000) {
        size *= 1000;
        unit++;
    }
    int64_t tenths = bytes / (size / 10) + (bytes % (size / 10) >= size / 20);
    if (tenths >= 100) {
        snprintf(text, capacity, "%" PRId64 " %s", bytes / size + (bytes % size >= size / 2), units[unit]);
    } else {
        snprintf(text, capacity, "%" PRId64 ".%d %s", tenths / 10, (int)(tenths % 10), units[unit]);
    }
}

void view_format_clock(int64_t time_us, char *text, size_t capacity)
{
    char whole[40];
    view_format_count(time_us / 1000, whole, sizeof whole);
    snprintf(text, capacity, "%s.%03d ms", whole, (int)(time_us % 1000));
}

static void format_tenths(int64_t value, int64_t unit, const char *name, char *text, size_t capacity)
{
    if (value % unit * 10 / unit == 0 || value / unit >= 100) {
        snprintf(text, capacity, "%" PRId64 " %s", value / unit, name);
    } else {
        snprintf(text, capacity, "%" PRId64 ".%d %s", value / unit, (int)(value % unit * 10 / unit), name);
    }
}

void view_format_duration(int64_t duration_us, char *text, size_t capacity)
{
    if (duration_us < 0) {
        snprintf(text, capacity, "–");
    } else if (duration_us == 0) {
        snprintf(text, capacity, "0 ms");
    } else if (duration_us < 1000) {
        snprintf(text, capacity, "%" PRId64 " µs", duration_us);
    } else if (duration_us < 10000000) {
        format_tenths(duration_us, 1000, "ms", text, capacity);
    } else if (duration_us < 600000000) {
        format_tenths(duration_us, 1000000, "s", text, capacity);
    } else {
        format_tenths(duration_us, 60000000, "min", text, capacity);
    }
}

void view_format_mask(enum kb_field_type type, uint32_t mask, char *text, size_t capacity)
{
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t bit = 0; bit < 32; bit++) {
        const char *name = (mask >> bit & 1) != 0 ? kb_field_value_name(type, bit) : NULL;
        if (name == NULL) {
            continue;
        }
        int wrote = snprintf(text + used, capacity - used, "%s%s", used > 0 ? " + " : "", name);
        if (wrote < 0 || (size_t)wrote >= capacity - used) {
            break;
        }
        used += (size_t)wrote;
    }
    for (char *at = text; *at != '\0'; at++) {
        *at = *at == '_' ? ' ' : *at;
    }
}
