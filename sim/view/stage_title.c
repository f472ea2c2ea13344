/* The stage in one line of text. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "view/stage_private.h"
#include "view/verdict.h"

/* The name of a thing as a person would say it. */
static void name_thing(const struct view_stage *stage, const struct view_thing *thing, char *text,
                       size_t capacity_bytes)
{
    static const char *const words[] = {
        [VIEW_THING_RECORD] = "record",   [VIEW_THING_BATCH] = "batch", [VIEW_THING_REQUEST] = "request",
        [VIEW_THING_BROKER] = "broker",   [VIEW_THING_NODE] = "node",   [VIEW_THING_EVENT] = "event",
        [VIEW_THING_STATION] = "station",
    };
    switch (thing->kind) {
    case VIEW_THING_NONE:
        text[0] = '\0';
        break;
    case VIEW_THING_RECORD:
    case VIEW_THING_BATCH:
    case VIEW_THING_REQUEST:
    case VIEW_THING_BROKER:
    case VIEW_THING_NODE:
    case VIEW_THING_EVENT:
    case VIEW_THING_STATION:
        snprintf(text, capacity_bytes, "%s %" PRId64, words[thing->kind], thing->number);
        break;
    case VIEW_THING_PARTITION:
        snprintf(text, capacity_bytes, "%s-%" PRId64, sim_event_log_name(view_stage_log(stage), thing->name),
                 thing->number);
        break;
    case VIEW_THING_REPLICA:
        snprintf(text, capacity_bytes, "%s-%" PRId64 " on broker %" PRId32,
                 sim_event_log_name(view_stage_log(stage), thing->name), thing->number, thing->other);
        break;
    case VIEW_THING_CONSUMER:
        snprintf(text, capacity_bytes, "consumer %s",
                 thing->number < SIM_CONSUMERS_MAX
                     ? sim_event_log_info_view(view_stage_log(stage))->consumers[thing->number].name
                     : "");
        break;
    case VIEW_THING_POOL:
        snprintf(text, capacity_bytes, "BufferPool");
        break;
    case VIEW_THING_SENDER:
        snprintf(text, capacity_bytes, "Sender");
        break;
    }
}

struct line {
    char *text;
    size_t capacity_bytes;
    size_t used_bytes;
};

static void say(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t left = line->capacity_bytes - line->used_bytes;
    int wanted = vsnprintf(line->text + line->used_bytes, left, format, arguments);
    va_end(arguments);
    if (wanted > 0) {
        line->used_bytes += (size_t)wanted < left ? (size_t)wanted : left - 1;
    }
}

void view_stage_title(const struct view_stage *stage, char *text, size_t capacity_bytes)
{
    const struct sim_event_log *log = view_stage_log(stage);
    const struct view_host *host = &stage->host;
    struct line line = {text, capacity_bytes, 0};
    char clock[48];
    view_format_clock(stage->time_us, clock, sizeof clock);
    say(&line, "Linger: %.80s · %s · event %" PRIu64 " / %" PRIu64, sim_event_log_info_view(log)->name, clock,
        stage->sequence, sim_event_log_count(log));
    if (host->progress != NULL && host->progress(host->context) < 1000) {
        say(&line, " · computing %" PRIu32 " %%", host->progress(host->context) / 10);
    }
    if (stage->is_playing) {
        say(&line, " · playing");
    }
    char befallen[96];
    if (verdict_title(stage, befallen, sizeof befallen)) {
        say(&line, " · %s", befallen);
    }
    if (stage->selected.kind != VIEW_THING_NONE) {
        char name[80];
        name_thing(stage, &stage->selected, name, sizeof name);
        say(&line, " · %s", name);
    }
    uint32_t branch = host->current_branch != NULL ? host->current_branch(host->context) : 0;
    if (branch > 0) {
        say(&line, " · branch %" PRIu32 ": %s", branch, host->branch(host->context, branch)->title);
    }
}
