/*
 * Inspect: the facts of what is selected, and its life as a list of events.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/event_text.h"
#include "view/life.h"
#include "view/panel_cluster.h"
#include "view/panel_side.h"

static uint32_t plain(const struct side_column *column)
{
    return column->frame->theme->text;
}

static void title(struct side_column *column, const char *text, const char *subtitle)
{
    const struct view_theme *theme = column->frame->theme;
    side_paragraph(column, theme->heading, theme->text, text);
    if (subtitle != NULL && subtitle[0] != '\0') {
        side_paragraph(column, theme->mono_small, theme->text_faint, subtitle);
    }
    side_gap(column, theme->space_2);
}

static void error_row(struct side_column *column, int32_t error)
{
    if (error != 0) {
        side_row(column, "error", sim_error_name(error), column->frame->theme->fail.ink,
                 sim_error_message(error));
    }
}

static void text_row(struct side_column *column, const char *key, const char *value)
{
    side_row(column, key, value, plain(column), NULL);
}

/* --- Lives
 * -------------------------------------------------------------------------------------------------------------
 */

static void life_row(struct side_column *column, uint64_t sequence)
{
    struct view_frame *frame = column->frame;
    const struct view_theme *theme = frame->theme;
    const struct kb_event *event = sim_event_log_get(frame->log, sequence);
    char clock[48];
    char name[64];
    char sentence[256];
    view_format_clock(event->time_us, clock, sizeof clock);
    char *unit = strstr(clock, " ms"); /* the caption says it once */
    if (unit != NULL) {
        *unit = '\0';
    }
    side_event_name(event, name, sizeof name);
    sim_event_sentence(frame->log, event, sentence, sizeof sentence);
    bool is_past = sequence <= frame->model->sequence;
    bool is_now = sequence == frame->model->sequence;
    view_id id = view_id_make(VIEW_HIT_EVENT_LINE, (uint32_t)sequence, 1);
    struct view_rect row = {column->x, column->y, column->w, theme->row_height};
    if (frame->ui->hot == id || is_now) {
        view_draw_box(frame->ui->list, row, theme->space_1, theme->card_hot, VIEW_NONE, 0);
    }
    struct view_rect rest = view_rect_inset(row, theme->space_1, 0);
    char last[48];
    view_format_clock(sim_event_log_end_us(frame->log), last, sizeof last);
    int32_t width = view_label_width(frame->ui, theme->mono_small, last) -
                    view_label_width(frame->ui, theme->mono_small, " ms");
    struct view_rect when = view_rect_cut_left(&rest, width);
    struct view_rect dot = view_rect_cut_left(&rest, theme->space_4);
    uint32_t color = is_past ? theme->text : theme->text_faint;
    bool is_failure = sim_event_is_error(event);
    view_label(frame->ui, when, theme->mono_small, is_past ? theme->text_muted : theme->text_faint,
               VIEW_ALIGN_RIGHT, clock);
    struct view_point center = {dot.x + dot.w / 2, dot.y + dot.h / 2};
    if (is_failure) {
        view_icon(frame->ui, dot, VIEW_ICON_CROSS, theme->fail.ink);
    } else {
        view_draw_circle(frame->ui->list, center, view_theme_px(theme, 3),
                         is_past ? theme->accent.ink : VIEW_NONE,
                         is_past ? theme->accent.ink : theme->text_faint, theme->stroke);
    }
    view_label(frame->ui, rest, theme->label, is_failure ? theme->fail.ink : color, VIEW_ALIGN_LEFT, name);
    view_draw_hit(frame->ui->list, id, row, VIEW_HIT_FOCUSABLE, sentence);
    if (frame->ui->activated == id) {
        /* The thing stays selected: its life is walked along. */
        frame->stage->is_playing = false;
        view_stage_seek(frame->stage, sequence);
    }
    column->y += row.h;
}

static void draw_life(struct side_column *column, const struct life *life, const char *caption)
{
    side_separator(column);
    side_caption(column, caption);
    for (uint32_t i = 0; i < life->count; i++) {
        life_row(column, life->events[i]);
    }
    if (life->is_cut) {
        side_paragraph(column, column->frame->theme->label, column->frame->theme->text_faint, "… and more");
    }
    if (life->count == 0) {
        side_paragraph(column, column->frame->theme->label, column->frame->theme->text_faint,
                       "nothing nearby");
    }
}

static void draw_life_from(struct side_column *column, uint64_t first, uint32_t batch)
{
    struct view_frame *frame = column->frame;
    life_trace(&frame->stage->side.life, frame->log, &frame->stage->selected, first, batch);
    draw_life(column, &frame->stage->side.life, "Its life, in ms");
}

static void draw_recent(struct side_column *column)
{
    enum { RECENT = 16 };
    struct view_frame *frame = column->frame;
    struct life life;
    life_trace_back(&life, frame->log, &frame->stage->selected, frame->model->sequence, RECENT);
    draw_life(column, &life, "Lately, newest first, in ms");
}

void side_inspect_life(struct side_column *column)
{
    draw_recent(column);
}

static void gone(struct side_column *column, const char *name)
{
    char text[64];
    snprintf(text, sizeof text, "%s %" PRId64, name, column->frame->stage->selected.number);
    title(column, text, NULL);
    side_paragraph(
        column, column->frame->theme->body, column->frame->theme->text_muted,
        "It is not on the stage at this moment: either it does not exist yet, or it was so long ago that "
        "only its events are left. Go nearer to it on the timeline.");
}

/* --- Records
 * -----------------------------------------------------------------------------------------------------------
 */

static const char *station_name(const struct model_record *record)
{
    static const char *const names[] = {
        "in the interceptors",
        "waiting for metadata",
        "being serialized",
        "choosing a partition",
        "in the size check",
        "being appended",
        "in its batch",
        "done",
        "refused",
    };
    return record->station < sizeof names / sizeof names[0] ? names[record->station] : "?";
}

static void draw_record(struct side_column *column)
{
    struct view_frame *frame = column->frame;
    uint32_t number = (uint32_t)frame->stage->selected.number;
    const struct model_record *record = sim_model_find_record(frame->model, number);
    if (record == NULL) {
        gone(column, "Record");
        return;
    }
    char text[96];
    snprintf(text, sizeof text, "Record %" PRIu32, number);
    title(column, text, station_name(record));
    view_partition_name(frame, record->topic, record->partition, text, sizeof text);
    text_row(column, "partition", record->partition >= 0 ? text : "none yet");
    snprintf(text, sizeof text, "\"%.16s\"%s", record->key.bytes, record->key_bytes > 16 ? "…" : "");
    text_row(column, "key", record->key_bytes > 0 ? text : "none");
    side_row_bytes(column, "key size", record->key_bytes);
    side_row_bytes(column, "value size", record->value_bytes);
    side_row_bytes(column, "encoded in the batch", record->record_bytes);
    if (record->station > MODEL_AT_PARTITIONER) {
        const char *why = kb_field_value_name(KB_FIELD_PARTITION_WHY, record->partition_why);
        side_row(column, "partition by", why != NULL ? why : "?", plain(column),
                 kb_field_value_text(KB_FIELD_PARTITION_WHY, record->partition_why));
    }
    if (record->batch != 0) {
        snprintf(text, sizeof text, "#%" PRIu32 ", number %" PRIu32, record->batch, record->slot);
        text_row(column, "batch", text);
    }
    if (record->offset >= 0) {
        side_row_number(column, "offset", record->offset);
    }
    error_row(column, record->error);
    side_row_time(column, "sent", record->created_us);
    side_row_time(column, "appended", record->appended_us);
    side_row_time(column, "completed", record->completed_us);
    if (record->completed_us >= 0) {
        view_format_duration(record->completed_us - record->created_us, text, sizeof text);
        text_row(column, "send() to answer", text);
    }
    struct view_thing thing = view_thing_record(number);
    thing.producer = record->producer;
    uint64_t first =
        record->created_us > 0 ? sim_event_log_find_time(frame->log, record->created_us - 1) + 1 : 1;
    life_trace(&frame->stage->side.life, frame->log, &thing, first, 0);
    draw_life(column, &frame->stage->side.life, "Its life, in ms");
}

/* --- Batches and requests
 * ---------------------------------------------------------------------------------------------- */

static const char *state_name(const struct model_batch *batch)
{
    switch ((enum model_batch_state)batch->state) {
    case MODEL_BATCH_OPEN:
        return "open: takes more records";
    case MODEL_BATCH_CLOSED:
        return "closed, in its deque";
    case MODEL_BATCH_RETRYING:
        return "back in its deque, to be tried again";
    case MODEL_BATCH_DRAINED:
        return "drained";
    case MODEL_BATCH_IN_FLIGHT:
        return "in flight";
    case MODEL_BATCH_DONE:
        return batch->error != 0 ? "failed" : "done";
    }
    return "?";
}

/* What the compressor made of it, and what the accumulator had reckoned with; nothing without one. */
static void draw_compression(struct side_column *column, const struct model_batch *batch)
{
    const struct sim_event_log *log = column->frame->log;
    for (uint64_t i = batch->created_event; i > 0 && i <= batch->last_event; i++) {
        const struct kb_event *event = sim_event_log_get(log, i);
        const struct kb_event_batch_compressed *made = &event->as.batch_compressed;
        if (event->kind != KB_EVENT_BATCH_COMPRESSED || event->source != batch->producer ||
            made->batch != batch->number || i > column->frame->model->sequence) {
            continue;
        }
        char text[64];
        snprintf(text, sizeof text, "%" PRId64 " %%",
                 made->collected_bytes > 0 ? (int64_t)made->compressed_bytes * 100 / made->collected_bytes
                                           : 0);
        side_row_bytes(column, "before compression", made->collected_bytes);
        side_row_bytes(column, "as was estimated", made->estimated_bytes);
        side_row_bytes(column, "compressed", made->compressed_bytes);
        text_row(column, "of what it was", text);
        return;
    }
}

static void draw_batch(struct side_column *column)
{
    struct view_frame *frame = column->frame;
    const struct view_thing *thing = &frame->stage->selected;
    int32_t index = sim_model_find_batch(frame->model, thing->producer, (uint32_t)thing->number);
    if (index < 0) {
        gone(column, "Batch");
        return;
    }
    const struct model_batch *batch = &frame->model->batches[index];
    char text[96];
    snprintf(text, sizeof text, "Batch #%" PRIu32, batch->number);
    title(column, text, state_name(batch));
    view_partition_name(frame, batch->topic, batch->partition, text, sizeof text);
    text_row(column, "partition", text);
    side_row_number(column, "records", batch->records);
    snprintf(text, sizeof text, "%" PRIu32 " … %" PRIu32, batch->first_record, batch->last_record);
    text_row(column, "their numbers", batch->records > 0 ? text : "none");
    side_row_bytes(column, "bytes", batch->bytes);
    draw_compression(column, batch);
    side_row_bytes(column, "capacity", batch->capacity_bytes);
    snprintf(text, sizeof text, "%" PRId64 " %%",
             batch->capacity_bytes > 0 ? (int64_t)batch->bytes * 100 / batch->capacity_bytes : 0);
    text_row(column, "full", text);
    if (batch->attempts > 0) {
        side_row_number(column, "came back", batch->attempts);
    }
    if (batch->producer_id >= 0) {
        snprintf(text, sizeof text, "%" PRId64 " / %" PRId32 " / %" PRId32, batch->producer_id, batch->epoch,
                 batch->base_sequence);
        text_row(column, "id / epoch / sequence", text);
    }
    if (batch->request != 0) {
        side_row_number(column, "request", batch->request);
    }
    if (batch->base_offset >= 0 && batch->state == MODEL_BATCH_DONE) {
        side_row_number(column, "base offset", batch->base_offset);
    }
    error_row(column, batch->error);
    side_row_time(column, "opened", batch->created_us);
    side_row_time(column, "closed", batch->closed_us);
    side_row_time(column, "drained", batch->drained_us);
    side_row_time(column, "done", batch->done_us);
    draw_life_from(column, batch->created_event, 0);
}

static void draw_request(struct side_column *column)
{
    struct view_frame *frame = column->frame;
    const struct view_thing *thing = &frame->stage->selected;
    int32_t index = sim_model_find_request(frame->model, thing->producer, (uint32_t)thing->number);
    if (index < 0) {
        gone(column, "Request");
        return;
    }
    const struct model_request *request = &frame->model->requests[index];
    char text[96];
    snprintf(text, sizeof text, "%s request %" PRIu32, sim_api_name(request->api), request->number);
    title(column, text,
          request->is_over     ? request->error != 0 ? "failed" : "answered"
          : request->is_parked ? "parked at the leader"
                               : "in flight");
    snprintf(text, sizeof text, "B%" PRId32, request->node);
    text_row(column, "to", text);
    snprintf(text, sizeof text, "v%" PRId32, request->version);
    text_row(column, "version", text);
    side_row_bytes(column, "size", request->bytes);
    if (request->api == 0) {
        side_row_number(column, "batches", request->batches);
        snprintf(text, sizeof text, "%" PRId32, request->acks);
        text_row(column, "acks", request->acks == -1 ? "all (-1)" : text);
    }
    error_row(column, request->error);
    side_row_time(column, "built", request->built_us);
    side_row_time(column, "written", request->sent_us);
    side_row_time(column, "answered", request->answered_us);
    if (request->answered_us >= 0) {
        view_format_duration(request->answered_us - request->built_us, text, sizeof text);
        text_row(column, "round trip", text);
    }
    int32_t batch = request->first_batch;
    for (uint32_t i = 0; batch >= 0 && i < request->batches && i < 12; i++) {
        const struct model_batch *carried = &frame->model->batches[batch];
        char name[64];
        char size[40];
        view_partition_name(frame, carried->topic, carried->partition, name, sizeof name);
        view_format_bytes(carried->bytes, size, sizeof size);
        snprintf(text, sizeof text, "#%" PRIu32 " %s", carried->number, name);
        text_row(column, text, size);
        batch = carried->next;
    }
    draw_life_from(column, request->built_event, 0);
}

/* --- The cluster
 * ------------------------------------------------------------------------------------------------------- */

static void draw_broker(struct side_column *column)
{
    struct view_frame *frame = column->frame;
    int32_t index = sim_model_find_broker(frame->model, (int32_t)frame->stage->selected.number);
    if (index < 0) {
        gone(column, "Broker");
        return;
    }
    const struct model_broker *broker = &frame->model->brokers[index];
    const struct view_theme *theme = frame->theme;
    char text[64];
    snprintf(text, sizeof text, "Broker %" PRId32, broker->id);
    title(column, text, broker->is_controller ? "the controller" : NULL);
    side_row(column, "state",
             !broker->is_up      ? "down"
             : broker->is_frozen ? "frozen"
                                 : "up",
             broker->is_up ? plain(column) : theme->fail.ink, NULL);
    side_row_time(column, "since", broker->changed_us);
    text_row(column, "network", broker->cut != 0 ? cluster_cut_words(broker) : "connected");
    snprintf(text, sizeof text, "%" PRId64 " ms", broker->fetch_delay_ms);
    text_row(column, "fetches late by", text);
    snprintf(text, sizeof text, "%" PRId64 " ms", broker->append_delay_ms);
    text_row(column, "disk slower by", text);
    side_row_number(column, "parked requests", broker->parked);
    int64_t led = 0;
    int64_t hosted = 0;
    int64_t out = 0;
    for (uint32_t i = 0; i < frame->model->replica_count; i++) {
        const struct model_replica *replica = &frame->model->replicas[i];
        if (replica->partition >= 0 && replica->broker == broker->id) {
            hosted++;
            led += frame->model->partitions[replica->partition].leader == broker->id;
            out += !replica->is_in_sync;
        }
    }
    side_row_number(column, "replicas", hosted);
    side_row_number(column, "leads", led);
    side_row_number(column, "out of the ISR", out);
    draw_recent(column);
}

static void replica_rows(struct side_column *column, const struct model_replica *replica, bool is_leader)
{
    char text[48];
    const struct view_theme *theme = column->frame->theme;
    snprintf(text, sizeof text, "Broker %" PRId32, replica->broker);
    side_gap(column, theme->space_1);
    side_caption(column, text);
    side_row(column, "role", is_leader ? "leader" : "follower", plain(column), NULL);
    side_row(column, "in sync", replica->is_in_sync ? "yes" : "no",
             replica->is_in_sync ? theme->ok.ink : theme->fail.ink, NULL);
    side_row_number(column, "log end offset", replica->end_offset);
    side_row_number(column, "high watermark", replica->high_watermark);
    if (replica->is_held) {
        view_format_count(replica->last_stable_offset, text, sizeof text);
        side_row(column, "last stable offset", text, theme->warn.ink,
                 "An open transaction begins here: read_committed reads no further.");
    }
    side_row_number(column, "log start", replica->start_offset);
    side_row_time(column, "last append", replica->range_count > 0 ? replica->caught_up_us : -1);
}

static void draw_partition(struct side_column *column)
{
    struct view_frame *frame = column->frame;
    const struct view_thing *thing = &frame->stage->selected;
    int32_t index = sim_model_find_partition(frame->model, thing->name, (int32_t)thing->number);
    if (index < 0) {
        gone(column, "Partition");
        return;
    }
    const struct model_partition *partition = &frame->model->partitions[index];
    char text[96];
    view_partition_name(frame, partition->topic, partition->partition, text, sizeof text);
    title(column, text, thing->kind == VIEW_THING_REPLICA ? "a replica of it" : NULL);
    snprintf(text, sizeof text, "B%" PRId32, partition->leader);
    text_row(column, "leader", partition->leader >= 0 ? text : "none");
    snprintf(text, sizeof text, "B%" PRId32, partition->believed_leader);
    text_row(column, "the producer believes", partition->believed_leader >= 0 ? text : "none");
    side_row_number(column, "leader epoch", partition->leader_epoch);
    side_row_number(column, "in sync", partition->isr_count);
    for (int32_t i = partition->first_replica; i >= 0; i = frame->model->replicas[i].next) {
        const struct model_replica *replica = &frame->model->replicas[i];
        if (thing->kind == VIEW_THING_PARTITION || replica->broker == thing->other) {
            replica_rows(column, replica, partition->leader == replica->broker);
        }
    }
    draw_recent(column);
}

/* --- The producer's parts
 * ---------------------------------------------------------------------------------------------- */

static void draw_node(struct side_column *column)
{
    struct view_frame *frame = column->frame;
    const struct view_thing *thing = &frame->stage->selected;
    int32_t index = sim_model_find_broker(frame->model, (int32_t)thing->number);
    if (index < 0 || thing->producer >= frame->model->producer_count) {
        gone(column, "Node");
        return;
    }
    const struct model_node *node = &frame->model->producers[thing->producer].nodes[index];
    char text[64];
    snprintf(text, sizeof text, "Node %" PRId64, thing->number);
    title(column, text, "as the producer sees it");
    const char *state = kb_field_value_text(KB_FIELD_CONNECTION_STATE, node->connection_state);
    text_row(column, "connection", state != NULL ? state : "?");
    side_row_number(column, "in flight", node->in_flight);
    struct sim_producer_info settings;
    view_settings_in_force(frame, thing->producer, frame->model->sequence, &settings);
    side_row_number(column, "at most", settings.max_in_flight);
    text_row(column, "ready in the last pass", node->is_ready ? "yes" : "no");
    if (node->throttled_until_us > frame->now_us) {
        side_row_time(column, "throttled until", node->throttled_until_us);
    }
    draw_recent(column);
}

static void draw_pool(struct side_column *column)
{
    struct view_frame *frame = column->frame;
    uint32_t producer = (uint32_t)frame->stage->selected.producer;
    producer = producer < frame->model->producer_count ? producer : 0;
    struct sim_producer_info settings;
    view_settings_in_force(frame, producer, frame->model->sequence, &settings);
    const struct sim_producer_info *info = &settings;
    const struct model_memory *memory = &frame->model->producers[producer].memory;
    int64_t available = memory->available_bytes >= 0 ? memory->available_bytes : info->buffer_memory_bytes;
    title(column, "BufferPool", info->name);
    side_row_bytes(column, "buffer.memory", info->buffer_memory_bytes);
    side_row_bytes(column, "in use", info->buffer_memory_bytes - available);
    side_row_bytes(column, "available", available);
    side_row_number(column, "pooled buffers", memory->free_buffers);
    side_row_bytes(column, "of this size each", info->batch_size_bytes);
    side_row_number(column, "waiting for memory", memory->waiters);
    draw_recent(column);
}

static void draw_sender(struct side_column *column)
{
    struct view_frame *frame = column->frame;
    uint32_t index = (uint32_t)frame->stage->selected.producer;
    index = index < frame->model->producer_count ? index : 0;
    const struct model_producer *producer = &frame->model->producers[index];
    char text[48];
    const char *state = kb_field_value_text(KB_FIELD_SENDER_STATE, producer->sender_state);
    title(column, "Sender", frame->info->producers[index].name);
    text_row(column, "state", state != NULL ? state : "?");
    side_row_number(column, "passes", producer->passes);
    side_row_number(column, "nodes ready last", producer->ready_nodes);
    side_row_number(column, "batches drained last", producer->drained);
    snprintf(text, sizeof text, "%" PRId64 " ms", producer->poll_ms);
    text_row(column, "poll() may wait", text);
    side_row_number(column, "retries", producer->retries);
    if (producer->producer_id >= 0) {
        snprintf(text, sizeof text, "%" PRId64 " / %" PRId32, producer->producer_id, producer->epoch);
        text_row(column, "producer id / epoch", text);
    }
    side_row_number(column, "metadata version", producer->metadata_version);
    side_row_time(column, "metadata from", producer->metadata_us);
    draw_recent(column);
}

static void draw_event(struct side_column *column)
{
    struct view_frame *frame = column->frame;
    uint64_t sequence = (uint64_t)frame->stage->selected.number;
    if (sequence == 0 || sequence > sim_event_log_count(frame->log)) {
        gone(column, "Event");
        return;
    }
    const struct kb_event *event = sim_event_log_get(frame->log, sequence);
    const struct kb_event_info *info = kb_event_info(event->kind);
    char name[64];
    char text[128];
    side_event_name(event, name, sizeof name);
    snprintf(text, sizeof text, "event %" PRIu64, sequence);
    title(column, name, text);
    side_row_time(column, "time", event->time_us);
    text_row(column, "Kafka", info->method);
    for (uint32_t i = 0; i < info->field_count; i++) {
        char key[48];
        snprintf(key, sizeof key, "%s", info->fields[i].name);
        for (char *at = key; *at != '\0'; at++) {
            *at = *at == '_' ? ' ' : *at;
        }
        sim_event_field_text(frame->log, event, &info->fields[i], text, sizeof text);
        text_row(column, key, text);
    }
    uint64_t cause = sim_event_log_cause(frame->log, sequence);
    if (cause > 0) {
        side_separator(column);
        side_event_line(column, cause, "because ");
    }
}

void side_draw_inspect(struct side_column *column)
{
    const struct view_theme *theme = column->frame->theme;
    switch (column->frame->stage->selected.kind) {
    case VIEW_THING_NONE:
        side_paragraph(column, theme->heading, theme->text, "Nothing is selected");
        side_gap(column, theme->space_1);
        side_paragraph(
            column, theme->body, theme->text_muted,
            "Click on a record, a batch, a request, a replica or a broker to see all that is known of it.");
        break;
    case VIEW_THING_RECORD:
        draw_record(column);
        break;
    case VIEW_THING_BATCH:
        draw_batch(column);
        break;
    case VIEW_THING_REQUEST:
        draw_request(column);
        break;
    case VIEW_THING_BROKER:
        draw_broker(column);
        break;
    case VIEW_THING_PARTITION:
    case VIEW_THING_REPLICA:
        draw_partition(column);
        break;
    case VIEW_THING_NODE:
        draw_node(column);
        break;
    case VIEW_THING_EVENT:
        draw_event(column);
        break;
    case VIEW_THING_STATION:
        title(column, "Application thread", column->frame->pinfo->threads[column->frame->stage->thread].name);
        side_row_number(column, "records sent", column->frame->p->threads[column->frame->stage->thread].sent);
        draw_recent(column);
        break;
    case VIEW_THING_POOL:
        draw_pool(column);
        break;
    case VIEW_THING_SENDER:
        draw_sender(column);
        break;
    case VIEW_THING_CONSUMER:
        side_inspect_consumer(column);
        break;
    }
}
