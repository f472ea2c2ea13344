/*
 * Going to any moment of a run shows what a run that stopped there would show.
 *
 * usage: seek_test SCENARIO...
 *
 * For twenty moments of each scenario, in random order: the model of a timeline that seeks equals the model
 * folded from a second run, event by event; so does the picture; and both differ from those of fifty events
 * before and after.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "engine/world.h"
#include "model/timeline.h"
#ifdef LINGER_HAS_VIEW
#include "view/picture.h"
#include "view/stage.h"
#endif

enum { MOMENTS = 20, APART = 50 };

static struct sim_event_log *run(const struct sim_scenario *scenario)
{
    struct sim_complaints complaints = {0};
    struct sim_world_options options = {.log_events = true};
    struct sim_world *world;
    if (!sim_world_create(scenario, &options, &world, &complaints)) {
        fprintf(stderr, "%s", complaints.text);
        exit(EXIT_FAILURE);
    }
    while (sim_world_step(world)) {
    }
    struct sim_event_log *log = sim_world_take_log(world);
    sim_world_destroy(world);
    return log;
}

/* The model as one gets it without any keyframe. */
static void fold_afresh(const struct sim_event_log *log, uint64_t sequence, struct sim_model *model)
{
    const struct sim_run_info *info = sim_event_log_info_view(log);
    sim_model_init(model, info);
    for (uint64_t i = 1; i <= sequence; i++) {
        sim_model_fold(model, info, sim_event_log_get(log, i));
    }
}

#ifdef LINGER_HAS_VIEW
struct showing {
    const struct sim_event_log *log;
    struct sim_timeline *timeline;
    struct view_branch branch;
};

static const struct sim_event_log *show_log(void *context)
{
    return ((struct showing *)context)->log;
}
static struct sim_timeline *show_timeline(void *context)
{
    return ((struct showing *)context)->timeline;
}
static uint32_t show_thousand(void *context)
{
    (void)context;
    return 1000;
}
static uint32_t show_one(void *context)
{
    (void)context;
    return 1;
}
static uint32_t show_none(void *context)
{
    (void)context;
    return 0;
}
static const struct view_branch *show_branch(void *context, uint32_t index)
{
    return index == 0 ? &((struct showing *)context)->branch : NULL;
}
static bool show_act(void *context, const struct view_intent *intent, const char **message)
{
    (void)context;
    (void)intent;
    *message = "";
    return false;
}
static const char *show_no_ledger(void *context, uint32_t index)
{
    (void)context;
    (void)index;
    return NULL;
}

static struct view_host host_of(struct showing *showing)
{
    return (struct view_host){
        .context = showing,
        .log = show_log,
        .timeline = show_timeline,
        .progress = show_thousand,
        .branch_count = show_one,
        .branch = show_branch,
        .current_branch = show_none,
        .act = show_act,
        .ledger_line = show_no_ledger,
    };
}

static uint64_t picture_hash(struct view_stage *stage, struct view_text *text, uint64_t sequence)
{
    struct view_draw_list list;
    view_draw_list_init(&list);
    view_stage_seek(stage, sequence);
    view_stage_draw_settled(stage, &list, 1280, 720, 256);
    struct view_surface surface = view_picture_draw(&list, text, 256);
    uint64_t hash = view_surface_hash(surface);
    view_surface_destroy(&surface);
    view_draw_list_release(&list);
    return hash;
}

/* In a stage of its own, as a fresh process would show it. */
static uint64_t fresh_picture_hash(const struct sim_event_log *log, struct view_text *text, uint64_t sequence)
{
    struct showing showing = {.log = log, .timeline = sim_timeline_create(log)};
    struct view_host host = host_of(&showing);
    struct view_stage *stage = view_stage_create(&host, text);
    view_stage_set_reduced_motion(stage, true);
    uint64_t hash = picture_hash(stage, text, sequence);
    view_stage_destroy(stage);
    sim_timeline_destroy(showing.timeline);
    return hash;
}
#endif

static uint32_t failures;

static void expect(bool holds, const char *what, const char *path, uint64_t sequence)
{
    if (!holds) {
        failures++;
        printf("%s: event %" PRIu64 ": %s\n", path, sequence, what);
    }
}

static void test_scenario(const char *path)
{
    struct sim_complaints complaints = {0};
    struct sim_scenario *scenario;
    if (!sim_scenario_load(path, NULL, 0, &scenario, &complaints, NULL)) {
        fprintf(stderr, "%s", complaints.text);
        exit(EXIT_FAILURE);
    }
    struct sim_event_log *log = run(scenario);
    struct sim_event_log *again = run(scenario);
    struct sim_timeline *timeline = sim_timeline_create(log);
    struct sim_model *fresh = malloc(sizeof *fresh);
    uint64_t count = sim_event_log_count(log);
    struct kb_prng prng;
    kb_prng_init(&prng, 20, count);
#ifdef LINGER_HAS_VIEW
    struct showing showing = {.log = log, .timeline = timeline};
    struct view_host host = host_of(&showing);
    struct view_text *text = view_text_create(NULL);
    struct view_stage *stage = view_stage_create(&host, text);
    view_stage_set_reduced_motion(stage, true);
#endif
    for (int i = 0; i < MOMENTS; i++) {
        uint64_t sequence = 1 + APART + kb_prng_below(&prng, count - 2 * APART - 1);
        fold_afresh(again, sequence, fresh);
        expect(sim_model_equals(sim_timeline_seek(timeline, sequence), fresh), "the model is another", path,
               sequence);
        expect(!sim_model_equals(sim_timeline_seek(timeline, sequence - APART), fresh),
               "the model did not go back", path, sequence);
        expect(!sim_model_equals(sim_timeline_seek(timeline, sequence + APART), fresh),
               "the model did not go on", path, sequence);
        expect(sim_model_equals(sim_timeline_seek(timeline, sequence), fresh),
               "coming back gives another model", path, sequence);
#ifdef LINGER_HAS_VIEW
        uint64_t picture = fresh_picture_hash(again, text, sequence);
        expect(picture_hash(stage, text, sequence) == picture, "the picture is another", path, sequence);
        expect(picture_hash(stage, text, sequence - APART) != picture, "the picture did not go back", path,
               sequence);
        expect(picture_hash(stage, text, sequence + APART) != picture, "the picture did not go on", path,
               sequence);
        expect(picture_hash(stage, text, sequence) == picture, "coming back gives another picture", path,
               sequence);
#endif
    }
    printf("%s: %" PRIu64 " events, %d moments\n", path, count, MOMENTS);
#ifdef LINGER_HAS_VIEW
    view_stage_destroy(stage);
    view_text_destroy(text);
#endif
    free(fresh);
    sim_timeline_destroy(timeline);
    sim_event_log_destroy(log);
    sim_event_log_destroy(again);
    sim_scenario_release(scenario);
}

int main(int argument_count, char **arguments)
{
    for (int i = 1; i < argument_count; i++) {
        test_scenario(arguments[i]);
    }
    printf("%u failures\n", failures);
    return failures == 0 && argument_count > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
