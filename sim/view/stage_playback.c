/* Time: playing uniformly or event-paced, stepping, jumping. */
#include "view/stage_private.h"
#include "view/verdict.h"

/* "1 s shows …", in steps that people count in. */
static const int64_t steps_us[VIEW_SPEEDS] = {10,     20,      50,      100,     200,     500,    1000,
                                              2000,   5000,    10000,   20000,   50000,   100000, 200000,
                                              500000, 1000000, 2000000, 5000000, 10000000};

enum {
    PACE_LEAST_US = 250000, /* screen time of a salient event */
    PACE_MOST_US = 1500000, /* of a stretch in which nothing salient happens */
    HOLD_US = 2500000,      /* at the first verdict of a kind */
    SLICES_PER_SECOND = 1000000
};

int64_t view_playback_us_per_second(const struct view_stage *stage)
{
    return steps_us[stage->speed < VIEW_SPEEDS ? stage->speed : VIEW_SPEEDS - 1];
}

void view_playback_faster(struct view_stage *stage, int32_t steps)
{
    int32_t speed = (int32_t)stage->speed + steps;
    speed = speed < 0 ? 0 : speed;
    stage->speed = speed < VIEW_SPEEDS ? (uint32_t)speed : VIEW_SPEEDS - 1;
    stage->pace_goal = 0;
    stage->remainder = 0;
    stage->is_dirty = true;
}

static bool run_is_over(const struct view_stage *stage)
{
    return stage->host.progress == NULL || stage->host.progress(stage->host.context) >= 1000;
}

void view_stage_play(struct view_stage *stage, bool play)
{
    const struct sim_event_log *log = view_stage_log(stage);
    if (play && stage->sequence >= sim_event_log_count(log)) {
        view_stage_seek(stage, 0); /* from the beginning again */
    }
    stage->is_playing = play;
    stage->hold_until_us = 0;
    stage->pace_goal = 0;
    stage->remainder = 0;
    stage->is_dirty = true;
}

static int64_t time_of(const struct sim_event_log *log, uint64_t sequence)
{
    return sequence > 0 ? sim_event_log_get(log, sequence)->time_us : 0;
}

static void go_to(struct view_stage *stage, uint64_t sequence, int64_t time_us)
{
    stage->is_dirty = stage->is_dirty || stage->sequence != sequence || stage->time_us != time_us;
    stage->sequence = sequence;
    stage->time_us = time_us;
}

void view_stage_seek(struct view_stage *stage, uint64_t sequence)
{
    const struct sim_event_log *log = view_stage_log(stage);
    uint64_t last = sim_event_log_count(log);
    sequence = sequence < last ? sequence : last;
    if (sequence < stage->sequence) {
        stage->held_kinds = 0;
    }
    stage->hold_until_us = 0;
    uint64_t near = stage->sequence > sequence ? stage->sequence - sequence : sequence - stage->sequence;
    /* One step is seen as a movement; anything longer is another picture. */
    stage->must_snap = stage->must_snap || near > 1;
    go_to(stage, sequence, time_of(log, sequence));
    stage->pace_goal = 0;
    stage->remainder = 0;
    stage->is_awaiting = false;
}

void view_playback_await(struct view_stage *stage, int64_t time_us)
{
    const struct sim_event_log *log = view_stage_log(stage);
    int64_t end_us = sim_event_log_end_us(log);
    bool is_over = run_is_over(stage);
    uint64_t sequence = sim_event_log_find_time(log, time_us);
    if (sequence != stage->sequence) {
        view_stage_seek(stage, sequence);
    }
    stage->time_us = is_over && time_us > end_us ? end_us : time_us;
    stage->is_awaiting = !is_over && end_us <= time_us;
    stage->awaited_us = time_us;
    stage->is_dirty = true;
}

void view_stage_seek_time(struct view_stage *stage, int64_t time_us)
{
    const struct sim_event_log *log = view_stage_log(stage);
    int64_t end_us = sim_event_log_end_us(log);
    time_us = time_us < 0 ? 0 : time_us;
    time_us = time_us < end_us ? time_us : end_us;
    view_stage_seek(stage, sim_event_log_find_time(log, time_us));
    stage->time_us = time_us;
}

void view_playback_step(struct view_stage *stage, bool backwards)
{
    stage->is_playing = false;
    if (backwards && stage->sequence > 0) {
        view_stage_seek(stage, stage->sequence - 1);
    } else if (!backwards) {
        view_stage_seek(stage, stage->sequence + 1);
    }
}

bool view_playback_find(struct view_stage *stage, bool backwards, sim_event_filter *wanted)
{
    stage->is_playing = false;
    uint64_t found = sim_timeline_find(view_stage_log(stage), stage->sequence, backwards, wanted);
    if (found != 0) {
        view_stage_seek(stage, found);
    }
    return found != 0;
}

/* --- Playing
 * ------------------------------------------------------------------------------------------------------------
 */

/* Up to this event; or, when a verdict of a kind that was not seen so far falls before, up to that one. There
 * the run stands still for a moment, so that one can look. */
static bool is_held_on_the_way(struct view_stage *stage, const struct sim_event_log *log, uint64_t sequence)
{
    enum model_fate_kind kind = MODEL_FATE_KINDS;
    uint64_t event = verdict_next(stage, stage->sequence, sequence, &kind);
    while (event != 0 && (stage->held_kinds >> kind & 1) != 0) {
        event = verdict_next(stage, event, sequence, &kind);
    }
    if (event == 0) {
        return false;
    }
    go_to(stage, event, time_of(log, event));
    stage->held_kinds |= 1u << kind;
    stage->hold_until_us = stage->clock_us + HOLD_US;
    stage->pace_goal = 0;
    stage->remainder = 0;
    return true;
}

static void advance_uniformly(struct view_stage *stage, const struct sim_event_log *log, int64_t elapsed_us)
{
    stage->remainder += elapsed_us * view_playback_us_per_second(stage);
    int64_t time_us = stage->time_us + stage->remainder / SLICES_PER_SECOND;
    stage->remainder %= SLICES_PER_SECOND;
    int64_t end_us = sim_event_log_end_us(log);
    bool is_end = time_us >= end_us;
    if (is_end) {
        time_us = end_us > stage->time_us ? end_us : stage->time_us;
    }
    uint64_t sequence = sim_event_log_find_time(log, time_us);
    if (is_held_on_the_way(stage, log, sequence)) {
        return;
    }
    stage->is_playing = !is_end || !run_is_over(stage);
    go_to(stage, sequence, time_us);
}

/* The next salient event, and how long the way to it lasts on screen. */
static bool choose_way(struct view_stage *stage, const struct sim_event_log *log)
{
    uint64_t goal = sim_timeline_find(log, stage->sequence, false, sim_event_is_salient);
    if (goal == 0) {
        goal = sim_event_log_count(log);
        if (goal <= stage->sequence) {
            return false;
        }
    }
    stage->pace_goal = goal;
    stage->pace_from_us = stage->time_us;
    stage->pace_to_us = time_of(log, goal);
    stage->pace_begun_us = stage->clock_us;
    int64_t way_us = stage->pace_to_us - stage->pace_from_us;
    int64_t lasts_us =
        way_us / (view_playback_us_per_second(stage)) * SLICES_PER_SECOND +
        way_us % view_playback_us_per_second(stage) * SLICES_PER_SECOND / view_playback_us_per_second(stage);
    stage->idle_us = lasts_us > PACE_MOST_US ? way_us : 0;
    lasts_us = lasts_us < PACE_MOST_US ? lasts_us : PACE_MOST_US;
    stage->pace_lasts_us = lasts_us > PACE_LEAST_US ? lasts_us : PACE_LEAST_US;
    return true;
}

static void advance_by_events(struct view_stage *stage, const struct sim_event_log *log)
{
    if (stage->pace_goal == 0 && !choose_way(stage, log)) {
        stage->is_playing = !run_is_over(stage);
        return;
    }
    int64_t passed_us = stage->clock_us - stage->pace_begun_us;
    if (passed_us >= stage->pace_lasts_us) {
        if (!is_held_on_the_way(stage, log, stage->pace_goal)) {
            go_to(stage, stage->pace_goal, stage->pace_to_us);
        }
        stage->pace_goal = 0;
        stage->idle_us = 0;
        return;
    }
    int64_t way_us = stage->pace_to_us - stage->pace_from_us;
    int64_t permyriad = passed_us * 10000 / stage->pace_lasts_us;
    int64_t time_us = stage->pace_from_us + way_us / 10000 * permyriad + way_us % 10000 * permyriad / 10000;
    uint64_t sequence = sim_event_log_find_time(log, time_us);
    sequence = sequence < stage->pace_goal ? sequence : stage->pace_goal - 1;
    sequence = sequence > stage->sequence ? sequence : stage->sequence;
    if (!is_held_on_the_way(stage, log, sequence)) {
        go_to(stage, sequence, time_us);
    }
}

void view_playback_advance(struct view_stage *stage, int64_t elapsed_us)
{
    if (stage->is_awaiting) {
        view_playback_await(stage, stage->awaited_us);
        return;
    }
    if (!stage->is_playing || stage->clock_us < stage->hold_until_us) {
        return;
    }
    stage->hold_until_us = 0;
    const struct sim_event_log *log = view_stage_log(stage);
    if (stage->is_paced) {
        advance_by_events(stage, log);
    } else {
        advance_uniformly(stage, log, elapsed_us);
    }
}
