/*
 * The stage as a picture, without a display.
 *
 *     stage_picture OUT.png [--seq N] [--time US] [--light] [--presenter] [--size WxH] [--scale PERCENT]
 *                   [--partitions N] [--brokers N] [--key CHARACTER] [--play MS] [--tab N] [--hash]
 */
#include "synthetic_log.h"

#include "view/picture.h"
#include "view/stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    const char *path;
    uint64_t sequence;
    int64_t time_us, play_ms;
    int32_t width, height;
    uint32_t scale_256;
    int32_t key;
    bool light, presenter, print_hash;
    struct synthetic_options log;
};

struct run {
    struct sim_event_log *log;
    struct sim_timeline *timeline;
};

static const struct sim_event_log *host_log(void *context)
{
    return ((struct run *)context)->log;
}

static struct sim_timeline *host_timeline(void *context)
{
    return ((struct run *)context)->timeline;
}

static uint32_t host_progress(void *context)
{
    (void)context;
    return 1000;
}

static bool read_arguments(int argc, char **argv, struct arguments *arguments)
{
    *arguments =
        (struct arguments){.sequence = 1500, .time_us = -1, .width = 1600, .height = 900, .scale_256 = 256};
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        bool takes = true;
        if (strcmp(name, "--seq") == 0) {
            arguments->sequence = strtoull(value, NULL, 10);
        } else if (strcmp(name, "--time") == 0) {
            arguments->time_us = strtoll(value, NULL, 10);
        } else if (strcmp(name, "--play") == 0) {
            arguments->play_ms = strtoll(value, NULL, 10);
        } else if (strcmp(name, "--scale") == 0) {
            arguments->scale_256 = (uint32_t)(strtoul(value, NULL, 10) * 256 / 100);
        } else if (strcmp(name, "--partitions") == 0) {
            arguments->log.partition_count = (int32_t)strtol(value, NULL, 10);
        } else if (strcmp(name, "--brokers") == 0) {
            arguments->log.broker_count = (uint32_t)strtoul(value, NULL, 10);
        } else if (strcmp(name, "--key") == 0) {
            arguments->key = value[0];
        } else if (strcmp(name, "--size") == 0) {
            char *end = NULL;
            arguments->width = (int32_t)strtol(value, &end, 10);
            arguments->height = *end == 'x' ? (int32_t)strtol(end + 1, NULL, 10) : 0;
        } else {
            takes = false;
            arguments->light = arguments->light || strcmp(name, "--light") == 0;
            arguments->presenter = arguments->presenter || strcmp(name, "--presenter") == 0;
            arguments->print_hash = arguments->print_hash || strcmp(name, "--hash") == 0;
            arguments->path = name[0] != '-' ? name : arguments->path;
        }
        i += takes;
    }
    return arguments->path != NULL && arguments->width > 0 && arguments->height > 0;
}

static bool draw(const struct arguments *arguments, const struct run *run)
{
    struct view_host host = {
        .context = (void *)run, .log = host_log, .timeline = host_timeline, .progress = host_progress};
    struct view_text *text = view_text_create(NULL);
    struct view_stage *stage = view_stage_create(&host, text);
    struct view_draw_list list;
    view_draw_list_init(&list);
    view_stage_set_light(stage, arguments->light);
    view_stage_set_presenter(stage, arguments->presenter);
    if (arguments->time_us >= 0) {
        view_stage_seek_time(stage, arguments->time_us);
    } else {
        view_stage_seek(stage, arguments->sequence);
    }
    view_stage_draw(stage, &list, arguments->width, arguments->height, arguments->scale_256);
    if (arguments->key != 0) {
        struct view_input input = {0};
        view_input_add_key(&input, arguments->key, 0, (uint32_t)arguments->key, false);
        view_stage_input(stage, &input);
        view_stage_draw(stage, &list, arguments->width, arguments->height, arguments->scale_256);
    }
    for (int64_t ms = 0; ms < arguments->play_ms; ms += 16) {
        if (ms == 0) {
            struct view_input input = {0};
            view_input_add_key(&input, VIEW_KEY_SPACE, 0, 0, false);
            view_stage_input(stage, &input);
        }
        view_stage_advance(stage, 16000);
        view_stage_draw(stage, &list, arguments->width, arguments->height, arguments->scale_256);
    }
    char message[200] = "";
    bool written =
        view_picture_write_png(&list, text, arguments->scale_256, arguments->path, message, sizeof message);
    if (!written) {
        fprintf(stderr, "%s: %s\n", arguments->path, message);
    }
    if (arguments->print_hash) {
        printf("%016" PRIx64 "\n", view_draw_list_hash(&list));
    }
    view_draw_list_release(&list);
    view_stage_destroy(stage);
    view_text_destroy(text);
    return written;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    if (!read_arguments(argc, argv, &arguments)) {
        fputs("usage: stage_picture OUT.png [--seq N] [--time US] [--light] [--presenter] [--size WxH]\n",
              stderr);
        return 2;
    }
    struct run run = {.log = synthetic_log_create(&arguments.log)};
    run.timeline = run.log != NULL ? sim_timeline_create(run.log) : NULL;
    bool written = run.timeline != NULL && draw(&arguments, &run);
    sim_timeline_destroy(run.timeline);
    sim_event_log_destroy(run.log);
    return written ? EXIT_SUCCESS : EXIT_FAILURE;
}
