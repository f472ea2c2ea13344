/*
 * How long a frame of the view takes without a GPU: the stage in a busy moment into a draw list, and the list
 * into pixels.
 */
#include "cli/bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/bench_world.h"
#include "model/timeline.h"
#include "view/raster.h"
#include "view/stage.h"

/* A run that is over, for a stage that shows it. */
struct showing {
    struct sim_event_log *log;
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

static uint32_t show_progress(void *context)
{
    (void)context;
    return 1000;
}

static uint32_t show_branch_count(void *context)
{
    (void)context;
    return 1;
}

static const struct view_branch *show_branch(void *context, uint32_t index)
{
    return index == 0 ? &((struct showing *)context)->branch : NULL;
}

static uint32_t show_current_branch(void *context)
{
    (void)context;
    return 0;
}

static bool show_act(void *context, const struct view_intent *intent, const char **message)
{
    (void)context;
    (void)intent;
    *message = "This is a measurement.";
    return false;
}

static const char *show_ledger_line(void *context, uint32_t index)
{
    (void)context;
    (void)index;
    return NULL;
}

static bool make_showing(struct showing *showing)
{
    struct bench_load load = {.producer_count = 2,
                              .thread_count = 2,
                              .record_count = 40000,
                              .rate_per_s = 100000,
                              .partition_count = 6,
                              .replication_factor = 3,
                              .acks = "all",
                              .broker_latency_us = 200};
    struct sim_scenario *scenario = bench_scenario_create(&load);
    struct sim_world *world = bench_world_create(scenario, true);
    if (world != NULL) {
        while (sim_world_step(world)) {
        }
        showing->log = sim_world_take_log(world);
        showing->timeline = sim_timeline_create(showing->log);
        sim_world_destroy(world);
    }
    bench_scenario_destroy(scenario);
    return showing->timeline != NULL;
}

static void destroy_showing(struct showing *showing)
{
    sim_timeline_destroy(showing->timeline);
    sim_event_log_destroy(showing->log);
}

struct frame_times {
    struct bench_samples advance, emit, raster, whole;
};

static void draw_frames(struct bench *bench, struct view_stage *stage, struct view_text *text,
                        struct view_raster *raster, struct view_surface surface, struct frame_times *times)
{
    enum { WARM_FRAMES = 10, FRAME_US = 16667, FRAMES_MIN = 60 };
    struct view_draw_list list;
    struct view_input input = {0};
    view_draw_list_init(&list);
    view_stage_draw(stage, &list, surface.width, surface.height,
                    256); /* input is answered by what is shown */
    view_input_add_key(&input, VIEW_KEY_SPACE, 0, ' ', false);
    view_stage_input(stage, &input); /* plays */
    double end_s = bench_wall_s() + bench->seconds;
    for (int frame = 0; frame < WARM_FRAMES + FRAMES_MIN || bench_wall_s() < end_s; frame++) {
        double begin_s = bench_cpu_s();
        (void)view_stage_advance(stage, FRAME_US);
        double advanced_s = bench_cpu_s();
        view_stage_draw(stage, &list, surface.width, surface.height, 256);
        double emitted_s = bench_cpu_s();
        view_raster_draw(raster, &list, text, 256, surface);
        double done_s = bench_cpu_s();
        if (frame < WARM_FRAMES) {
            continue;
        }
        bench_sample(&times->advance, (advanced_s - begin_s) * 1e3);
        bench_sample(&times->emit, (emitted_s - advanced_s) * 1e3);
        bench_sample(&times->raster, (done_s - emitted_s) * 1e3);
        bench_sample(&times->whole, (done_s - begin_s) * 1e3);
    }
    view_draw_list_release(&list);
}

static bool measure(struct bench *bench, const struct view_host *host, struct view_text *text, int32_t width,
                    int32_t height, double target_ms)
{
    char name[80];
    snprintf(name, sizeof name, "%dx%d", (int)width, (int)height);
    bench_announce(name);
    struct view_surface surface = view_surface_create(width, height);
    struct view_raster *raster = view_raster_create();
    struct view_stage *stage = view_stage_create(host, text);
    struct frame_times *times = calloc(1, sizeof *times);
    bool good = surface.pixels != NULL && raster != NULL && stage != NULL && times != NULL;
    if (good) {
        view_stage_seek_time(stage, sim_event_log_end_us(host->log(host->context)) / 2);
        draw_frames(bench, stage, text, raster, surface, times);
        struct bench_figure *figure = bench_add(bench, "frame", name, "ms", &times->whole);
        if (target_ms > 0) {
            bench_hold(figure, BENCH_AT_MOST, target_ms);
        }
        figure->p99 = bench_percentile(&times->whole, 990);
        bench_add(bench, "frame", "  playing: model and motion", "ms", &times->advance);
        bench_add(bench, "frame", "  stage into a draw list", "ms", &times->emit);
        bench_add(bench, "frame", "  draw list into pixels", "ms", &times->raster);
    }
    free(times);
    view_stage_destroy(stage);
    view_raster_destroy(raster);
    view_surface_destroy(&surface);
    return good;
}

/* From nothing to pixels: fonts are found and opened, the run is there. */
static bool measure_first(struct bench *bench, const struct view_host *host)
{
    struct bench_samples times = {.count = 0};
    bench_announce("first frame");
    while (times.count < BENCH_REPETITIONS_MIN) {
        double begin_s = bench_wall_s();
        struct view_text *text = view_text_create(NULL);
        struct view_raster *raster = view_raster_create();
        struct view_stage *stage = text != NULL ? view_stage_create(host, text) : NULL;
        struct view_surface surface = view_surface_create(1920, 1080);
        bool good = raster != NULL && stage != NULL && surface.pixels != NULL;
        if (good) {
            struct view_draw_list list;
            view_draw_list_init(&list);
            view_stage_draw(stage, &list, 1920, 1080, 256);
            view_raster_draw(raster, &list, text, 256, surface);
            view_draw_list_release(&list);
            bench_sample(&times, (bench_wall_s() - begin_s) * 1e3);
        }
        view_surface_destroy(&surface);
        view_stage_destroy(stage);
        view_raster_destroy(raster);
        view_text_destroy(text);
        if (!good) {
            return false;
        }
    }
    bench_hold(
        bench_add(bench, "frame", "start of the view to its first frame, 1920x1080, wall", "ms", &times),
        BENCH_AT_MOST, 300);
    return true;
}

bool bench_frame(struct bench *bench)
{
    struct showing showing = {0};
    if (!make_showing(&showing)) {
        destroy_showing(&showing);
        return false;
    }
    struct view_host host = {
        .context = &showing,
        .log = show_log,
        .timeline = show_timeline,
        .progress = show_progress,
        .branch_count = show_branch_count,
        .branch = show_branch,
        .current_branch = show_current_branch,
        .act = show_act,
        .ledger_line = show_ledger_line,
    };
    struct view_text *text = view_text_create(NULL);
    bool good = text != NULL && measure_first(bench, &host) && measure(bench, &host, text, 1920, 1080, 8) &&
                measure(bench, &host, text, 1280, 720, 0) && measure(bench, &host, text, 3840, 2160, 33);
    view_text_destroy(text);
    destroy_showing(&showing);
    return good;
}
