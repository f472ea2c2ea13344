#include "cli/pictures.h"

#include <stdio.h>
#include <string.h>

#include "view/picture.h"
#include "view/stage.h"

/* A run that is over, for a stage that only shows it. */
struct showing {
    const struct sim_event_log *log;
    struct sim_timeline *timeline;
    const char *const *ledger;
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
    *message = "This is a picture.";
    return false;
}

static const char *show_ledger_line(void *context, uint32_t index)
{
    const char *const *ledger = ((struct showing *)context)->ledger;
    for (uint32_t i = 0; ledger != NULL && ledger[i] != NULL; i++) {
        if (i == index) {
            return ledger[i];
        }
    }
    return NULL;
}

/* "a/b.png" and 2 make "a/b-2.png". */
static void name_moment(const char *path, int number, char *name, size_t capacity_bytes)
{
    const char *dot = strrchr(path, '.');
    const char *slash = strrchr(path, '/');
    size_t stem_bytes = dot != NULL && (slash == NULL || dot > slash) ? (size_t)(dot - path) : strlen(path);
    if (number == 0) {
        snprintf(name, capacity_bytes, "%s", path);
    } else {
        snprintf(name, capacity_bytes, "%.*s-%d%s", (int)stem_bytes, path, number, path + stem_bytes);
    }
}

static bool draw_moment(struct view_stage *stage, struct view_text *text, int64_t at_us, const char *path,
                        const struct picture_options *options)
{
    struct view_draw_list list;
    char message[256] = "";
    view_draw_list_init(&list);
    view_stage_seek_time(stage, at_us);
    view_stage_draw_settled(stage, &list, options->width_px > 0 ? options->width_px : 1600,
                            options->height_px > 0 ? options->height_px : 900, 256);
    bool written = view_picture_write_png(&list, text, 256, path, message, sizeof message);
    if (!written) {
        fprintf(stderr, "linger: %s cannot be written: %s\n", path, message);
    }
    view_draw_list_release(&list);
    return written;
}

bool cli_write_pictures(const struct sim_event_log *log, const char *const *ledger, const char *path,
                        const struct picture_options *options)
{
    enum { MOMENTS = 5 };
    struct showing showing = {.log = log, .timeline = sim_timeline_create(log), .ledger = ledger};
    snprintf(showing.branch.title, sizeof showing.branch.title, "as the scenario says");
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
    struct view_stage *stage =
        showing.timeline != NULL && text != NULL ? view_stage_create(&host, text) : NULL;
    bool written = stage != NULL;
    if (written) {
        view_stage_set_light(stage, options->light);
        view_stage_set_reduced_motion(stage, true);
        int64_t end_us = sim_event_log_end_us(log);
        int moments = options->at_us >= 0 ? 1 : MOMENTS;
        for (int i = 0; i < moments && written; i++) {
            char name[1024];
            int64_t at_us = options->at_us >= 0 ? options->at_us : end_us * (MOMENTS - i) / MOMENTS;
            name_moment(path, i == 0 ? 0 : MOMENTS - i, name, sizeof name);
            written = draw_moment(stage, text, at_us, name, options);
        }
    } else {
        fprintf(stderr, "linger: no memory, or no fonts, to draw with\n");
    }
    view_stage_destroy(stage);
    view_text_destroy(text);
    sim_timeline_destroy(showing.timeline);
    return written;
}
