/*
 * Verdicts in words: what, and because of what.
 */
#include "view/verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/event_text.h"

enum {
    NEWS_US = 6000000,         /* of screen time */
    EVENTS_A_FRAME = 1 << 17,  /* taken in ahead of the moment that is shown */
    LOOK_BACK_EVENTS = 1 << 16 /* for what caused it */
};

void verdict_update(struct view_frame *frame)
{
    struct view_stage *stage = frame->stage;
    if (stage->verdicts == NULL) {
        stage->verdicts = sim_verdicts_create();
    }
    if (stage->verdicts != NULL &&
        !sim_verdicts_update(stage->verdicts, frame->log, frame->model->sequence, EVENTS_A_FRAME)) {
        stage->is_dirty = true;
    }
}

static const struct model_fate *list_of(const struct view_stage *stage, uint32_t *count)
{
    *count = 0;
    return stage->verdicts != NULL ? sim_verdicts_list(stage->verdicts, count) : NULL;
}

/* --- Groups
 * ------------------------------------------------------------------------------------------------------ */

static int64_t offset_of(const struct model_fate *fate)
{
    return fate->kind == MODEL_FATE_DUPLICATE ? fate->copy_offset : fate->offset;
}

static struct verdict_group group_of(const struct model_fate *fate)
{
    int64_t offset = offset_of(fate);
    return (struct verdict_group){
        .fate = fate,
        .batches = 1,
        .records = fate->records,
        .first_record = fate->first_record,
        .last_record = fate->last_record,
        .offset = offset,
        .last_offset = offset >= 0 ? offset + (int64_t)fate->records - 1 : -1,
    };
}

static void add_to(struct verdict_group *group, const struct model_fate *fate)
{
    struct verdict_group more = group_of(fate);
    group->batches++;
    group->records += more.records;
    group->last_record = more.last_record;
    if (more.offset >= 0) {
        group->offset = more.offset < group->offset || group->offset < 0 ? more.offset : group->offset;
        group->last_offset = more.last_offset > group->last_offset ? more.last_offset : group->last_offset;
    }
}

/* The verdicts of the event of number `at` of the list; lost before twice, and so on. */
static void group_at(const struct model_fate *fates, uint32_t count, uint32_t at, struct verdict_group *out)
{
    uint64_t event = fates[at].event;
    while (at > 0 && fates[at - 1].event == event) {
        at--;
    }
    uint32_t first = at;
    for (uint32_t i = at; i < count && fates[i].event == event; i++) {
        first = fates[i].kind < fates[first].kind ? i : first;
    }
    *out = group_of(&fates[first]);
    for (uint32_t i = first + 1; i < count && fates[i].event == event; i++) {
        if (fates[i].kind == fates[first].kind) {
            add_to(out, &fates[i]);
        }
    }
}

/* How many of the list had fallen by then. */
static uint32_t fallen(const struct model_fate *fates, uint32_t count, uint64_t sequence)
{
    uint32_t low = 0;
    while (low < count) {
        uint32_t middle = low + (count - low) / 2;
        if (fates[middle].event <= sequence) {
            low = middle + 1;
        } else {
            count = middle;
        }
    }
    return low;
}

const struct model_fate *verdict_fallen(const struct view_frame *frame, uint32_t *count)
{
    const struct model_fate *fates = list_of(frame->stage, count);
    *count = fallen(fates, *count, frame->model->sequence);
    return fates;
}

static bool find_news(const struct view_stage *stage, uint64_t sequence, int64_t now_us,
                      struct verdict_group *out)
{
    uint32_t count;
    const struct model_fate *fates = list_of(stage, &count);
    uint32_t known = fallen(fates, count, sequence);
    if (known == 0) {
        return false;
    }
    int64_t at_us = sim_event_log_get(view_stage_log(stage), fates[known - 1].event)->time_us;
    if (now_us - at_us > view_playback_us_per_second(stage) * (NEWS_US / 1000) / 1000) {
        return false;
    }
    group_at(fates, count, known - 1, out);
    return true;
}

bool verdict_news(const struct view_frame *frame, struct verdict_group *out)
{
    return find_news(frame->stage, frame->model->sequence, frame->now_us, out);
}

bool verdict_title(const struct view_stage *stage, char *text, size_t capacity)
{
    struct verdict_group group;
    if (!find_news(stage, stage->sequence, stage->time_us, &group)) {
        return false;
    }
    verdict_headline(&group, text, capacity);
    return true;
}

bool verdict_of_event(const struct view_frame *frame, uint64_t sequence, struct verdict_group *out)
{
    uint32_t count;
    const struct model_fate *fates = list_of(frame->stage, &count);
    uint32_t known = fallen(fates, count, sequence);
    if (sequence == 0 || known == 0 || fates[known - 1].event != sequence) {
        return false;
    }
    group_at(fates, count, known - 1, out);
    return true;
}

uint64_t verdict_next(const struct view_stage *stage, uint64_t from, uint64_t to, enum model_fate_kind *kind)
{
    uint32_t count;
    const struct model_fate *fates = list_of(stage, &count);
    uint32_t next = fallen(fates, count, from);
    if (next == count || fates[next].event > to) {
        return 0;
    }
    struct verdict_group group;
    group_at(fates, count, next, &group);
    *kind = (enum model_fate_kind)group.fate->kind;
    return fates[next].event;
}

/* --- Words
 * ------------------------------------------------------------------------------------------------------- */

const char *verdict_tag(enum model_fate_kind kind)
{
    static const char *const tags[MODEL_FATE_KINDS] = {"lost", "twice", "late", "“failed”"};
    return tags[kind];
}

void verdict_headline(const struct verdict_group *group, char *text, size_t capacity)
{
    static const char *const one[MODEL_FATE_KINDS] = {"is lost, though acknowledged", "is written twice",
                                                      "is out of order: a retry came too late",
                                                      "is reported as failed, and is in the log"};
    static const char *const many[MODEL_FATE_KINDS] = {"are lost, though acknowledged", "are written twice",
                                                       "are out of order: a retry came too late",
                                                       "are reported as failed, and are in the log"};
    if (group->records == 1 && group->first_record != UINT32_MAX) {
        snprintf(text, capacity, "Record %" PRIu32 " %s", group->first_record, one[group->fate->kind]);
    } else {
        snprintf(text, capacity, "%" PRIu32 " records %s", group->records, many[group->fate->kind]);
    }
}

struct words {
    char *text;
    size_t capacity;
};

/* "Batch #9 (records 25 to 26)"; several batches of one kind only as their number. */
static void name_batches(const struct verdict_group *group, char *text, size_t capacity)
{
    const struct model_fate *fate = group->fate;
    if (group->batches > 1) {
        snprintf(text, capacity, "%" PRIu32 " batches from #%" PRIu32 " on", group->batches, fate->batch);
    } else if (fate->first_record == UINT32_MAX) {
        snprintf(text, capacity, "Batch #%" PRIu32, fate->batch);
    } else if (fate->records == 1) {
        snprintf(text, capacity, "Batch #%" PRIu32 " (record %" PRIu32 ")", fate->batch, fate->first_record);
    } else {
        snprintf(text, capacity, "Batch #%" PRIu32 " (%" PRIu32 " records from %" PRIu32 " on)", fate->batch,
                 fate->records, fate->first_record);
    }
}

static void name_offsets(int64_t first, int64_t last, char *text, size_t capacity)
{
    if (first == last) {
        snprintf(text, capacity, "offset %" PRId64, first);
    } else {
        snprintf(text, capacity, "offsets %" PRId64 " to %" PRId64, first, last);
    }
}

static void tell_lost(const struct view_frame *frame, const struct verdict_group *group, struct words words)
{
    const struct model_fate *fate = group->fate;
    const struct kb_event *event = sim_event_log_get(frame->log, fate->event);
    char who[80];
    char where[64];
    name_batches(group, who, sizeof who);
    name_offsets(group->offset, group->last_offset, where, sizeof where);
    if (fate->acks == 0) {
        snprintf(words.text, words.capacity,
                 "%s never reached the log. With acks=0 the producer counts a request as done when it is "
                 "written to the connection, and hears of nothing that happens to it later.",
                 who);
    } else if (event->kind == KB_EVENT_LEADER_ELECTED) {
        snprintf(
            words.text, words.capacity,
            "%s had been acknowledged (acks=%s) at %s. Broker %" PRId32
            " leads now, and its log ends before them: no follower had fetched them in time. Nobody will "
            "tell the application.",
            who, fate->acks < 0 ? "all" : "1", where, event->as.leader_elected.leader);
    } else if (event->kind == KB_EVENT_BATCH_DONE) {
        snprintf(words.text, words.capacity,
                 "%s is acknowledged only now, by a broker that is not the leader any more: the log of the "
                 "leader, broker %" PRId32 ", does not have it.",
                 who, fate->broker);
    } else {
        snprintf(words.text, words.capacity,
                 "%s had been acknowledged (acks=%s) at %s, and broker %" PRId32 " cuts them off its log.",
                 who, fate->acks < 0 ? "all" : "1", where, fate->broker);
    }
}

/* Why the batch came back: the error of its newest return, as words. */
static void tell_retry(const struct view_frame *frame, const struct model_fate *fate, char *text,
                       size_t capacity)
{
    snprintf(text, capacity, "it was sent again");
    if (fate->retry_event == 0) {
        return;
    }
    int32_t error = sim_event_log_get(frame->log, fate->retry_event)->as.batch_reenqueued.error;
    /* What came right before says more than the error of a connection that was given up for it. */
    uint64_t least = fate->retry_event > 64 ? fate->retry_event - 64 : 0;
    for (uint64_t i = fate->retry_event; i > least; i--) {
        const struct kb_event *event = sim_event_log_get(frame->log, i);
        if (event->kind == KB_EVENT_REQUEST_TIMED_OUT && event->source == fate->producer) {
            snprintf(text, capacity,
                     "its answer did not come within %" PRId64 " ms, so the producer sent it again",
                     event->as.request_timed_out.timeout_ms);
            return;
        }
    }
    snprintf(text, capacity, "the first attempt ended in %s, so the producer sent it again",
             sim_error_name(error));
}

static void tell_duplicate(const struct view_frame *frame, const struct verdict_group *group,
                           struct words words)
{
    const struct model_fate *fate = group->fate;
    char who[80];
    char first[64];
    char again[64];
    char retry[160];
    name_batches(group, who, sizeof who);
    int64_t more = (int64_t)fate->records - 1;
    name_offsets(fate->offset, fate->offset + more, first, sizeof first);
    name_offsets(fate->copy_offset, fate->copy_offset + more, again, sizeof again);
    tell_retry(frame, fate, retry, sizeof retry);
    snprintf(words.text, words.capacity,
             "%s was in the log already, at %s; %s. Without enable.idempotence broker %" PRId32
             " cannot tell, and appends it again at %s.",
             who, first, retry, fate->broker, again);
}

static void tell_reordered(const struct view_frame *frame, const struct verdict_group *group,
                           struct words words)
{
    const struct model_fate *fate = group->fate;
    char who[80];
    char retry[160];
    char where[64];
    name_batches(group, who, sizeof who);
    tell_retry(frame, fate, retry, sizeof retry);
    name_offsets(fate->offset, fate->offset + (int64_t)fate->records - 1, where, sizeof where);
    if (fate->overtaken_by == 0) {
        snprintf(words.text, words.capacity, "%s now stands at %s, behind what was sent after it: %s.", who,
                 where, retry);
        return;
    }
    snprintf(words.text, words.capacity,
             "%s now stands at %s, behind batch #%" PRIu32 " at offset %" PRId64
             " that was sent after it: %s, and others were in flight beside it.",
             who, where, fate->overtaken_by, fate->copy_offset, retry);
}

static void tell_false_failure(const struct view_frame *frame, const struct verdict_group *group,
                               struct words words)
{
    const struct model_fate *fate = group->fate;
    char who[80];
    char where[64];
    (void)frame;
    name_batches(group, who, sizeof who);
    name_offsets(group->offset, group->last_offset, where, sizeof where);
    snprintf(words.text, words.capacity,
             "The application is told %s for %s%s, but broker %" PRId32
             " has %s at %s. Consumers will read what the application believes to be lost, and if it sends "
             "again, twice.",
             sim_error_name(fate->error), group->batches == 1 ? "b" : "", group->batches == 1 ? who + 1 : who,
             fate->broker, group->records == 1 ? "it" : "them", where);
}

/* --- As a story
 * -------------------------------------------------------------------------------------------------- */

static void add_cause(struct story *story, uint64_t event)
{
    for (uint32_t i = 0; i < story->cause_count; i++) {
        if (story->causes[i] == event) {
            return;
        }
    }
    if (event > 0 && event != story->event && story->cause_count < STORY_CAUSES_MAX) {
        story->causes[story->cause_count++] = event;
    }
}

/* What does harm; not what repairs it. */
static bool does_harm(const struct kb_event *event)
{
    if (event->kind == KB_EVENT_BROKER_DOWN) {
        return true;
    }
    if (event->kind != KB_EVENT_FAULT) {
        return false;
    }
    int32_t fault = event->as.fault.fault;
    bool is_delay = fault == KB_FAULT_KIND_SLOW_REPLICA || fault == KB_FAULT_KIND_SLOW_DISK;
    return fault != KB_FAULT_KIND_RESTART && fault != KB_FAULT_KIND_THAW && fault != KB_FAULT_KIND_HEAL &&
           (!is_delay || event->as.fault.ms > 0);
}

/* The newest fault before the verdict, or before the retry that led to it. */
static uint64_t find_fault(const struct view_frame *frame, uint64_t from)
{
    uint64_t least = from > LOOK_BACK_EVENTS ? from - LOOK_BACK_EVENTS : 0;
    for (uint64_t i = from; i > least; i--) {
        if (does_harm(sim_event_log_get(frame->log, i))) {
            return i;
        }
    }
    return 0;
}

static void add_causes(const struct view_frame *frame, const struct model_fate *fate, struct story *story)
{
    if (fate->kind == MODEL_FATE_LOST || fate->kind == MODEL_FATE_FALSE_FAILURE) {
        add_cause(story, find_fault(frame, fate->event));
        add_cause(story, fate->told_event);
        add_cause(story, fate->appended_event);
        return;
    }
    add_cause(story, fate->retry_event);
    add_cause(story, find_fault(frame, fate->retry_event > 0 ? fate->retry_event : fate->event));
    add_cause(story, fate->appended_event);
}

bool verdict_tell(const struct view_frame *frame, uint64_t sequence, struct story *story)
{
    struct verdict_group group;
    if (!verdict_of_event(frame, sequence, &group)) {
        return false;
    }
    struct words words = {story->sentence, sizeof story->sentence};
    verdict_headline(&group, story->title, sizeof story->title);
    switch ((enum model_fate_kind)group.fate->kind) {
    case MODEL_FATE_LOST:
        tell_lost(frame, &group, words);
        break;
    case MODEL_FATE_DUPLICATE:
        tell_duplicate(frame, &group, words);
        break;
    case MODEL_FATE_REORDERED:
        tell_reordered(frame, &group, words);
        break;
    case MODEL_FATE_FALSE_FAILURE:
        tell_false_failure(frame, &group, words);
        break;
    case MODEL_FATE_KINDS:
        break;
    }
    story->is_failure = true;
    story->is_verdict = true;
    add_causes(frame, group.fate, story);
    return true;
}

/* --- The line
 * ---------------------------------------------------------------------------------------------------- */

/* Over the gap between the panels and the timeline, centred over the cluster where it happened. */
void verdict_draw_banner(struct view_frame *frame)
{
    struct verdict_group group;
    if (!verdict_news(frame, &group)) {
        return;
    }
    const struct view_theme *theme = frame->theme;
    struct view_ui *ui = frame->ui;
    char headline[128];
    char text[192];
    verdict_headline(&group, headline, sizeof headline);
    snprintf(text, sizeof text, "%s", headline);
    int32_t height = theme->row_height + theme->space_3;
    int32_t icon = theme->row_height;
    int32_t wide = view_label_width(ui, theme->body_strong, text) + icon + 3 * theme->space_3;
    int32_t most = ui->list->width - 2 * theme->space_6;
    wide = wide < most ? wide : most;
    struct view_rect over = frame->layout.cluster;
    over = over.w > 0 ? over : frame->layout.timeline;
    struct view_rect box = {over.x + (over.w - wide) / 2, frame->layout.timeline.y - height - theme->space_2,
                            wide, height};
    int32_t right = ui->list->width - theme->space_3;
    box.x = box.x + box.w > right ? right - box.w : box.x;
    box.x = box.x < theme->space_3 ? theme->space_3 : box.x;
    enum view_layer layer = view_draw_layer(ui->list, VIEW_LAYER_POPUP);
    view_draw_clip_push_canvas(ui->list);
    view_draw_box(ui->list, box, theme->radius_button, theme->fail.fill, theme->background,
                  theme->stroke_strong);
    view_id id = view_id_make(VIEW_HIT_VERDICT, 0, 0);
    view_draw_hit(ui->list, id, box, VIEW_HIT_FOCUSABLE, "What befell them, and why. A click holds it.");
    struct view_rect inside = view_rect_inset(box, theme->space_3, 0);
    struct view_rect mark = view_rect_cut_left(&inside, icon);
    view_icon(ui, view_rect_inset(mark, theme->space_1 / 2, (mark.h - mark.w) / 2 + theme->space_1 / 2),
              VIEW_ICON_WARNING, theme->fail.on_fill);
    view_rect_cut_left(&inside, theme->space_1);
    view_label(ui, inside, theme->body_strong, theme->fail.on_fill, VIEW_ALIGN_LEFT, text);
    view_draw_clip_pop(ui->list);
    view_draw_layer(ui->list, layer);
    if (ui->activated == id) {
        struct view_thing thing = view_thing_event(group.fate->event);
        frame->stage->is_playing = false;
        view_stage_seek(frame->stage, group.fate->event);
        view_stage_select(frame->stage, &thing);
        frame->stage->side.tab = VIEW_TAB_WHY;
        frame->stage->side.is_open = true;
    }
}
