/*
 * The settings of a producer that are in force at the moment that is shown.
 */
#include "view/stage_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_number(struct sim_producer_info *settings, const char *name, const char *value)
{
    const struct {
        const char *name;
        int64_t *number;
    } numbers[] = {
        {"linger.ms", &settings->linger_ms},
        {"batch.size", &settings->batch_size_bytes},
        {"buffer.memory", &settings->buffer_memory_bytes},
        {"max.block.ms", &settings->max_block_ms},
        {"max.in.flight.requests.per.connection", &settings->max_in_flight},
        {"max.request.size", &settings->max_request_size_bytes},
        {"retries", &settings->retries},
        {"retry.backoff.ms", &settings->retry_backoff_ms},
        {"request.timeout.ms", &settings->request_timeout_ms},
        {"delivery.timeout.ms", &settings->delivery_timeout_ms},
    };
    for (uint32_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(numbers[i].name, name) == 0) {
            *numbers[i].number = strtoll(value, NULL, 10);
            return;
        }
    }
}

/* The part behind the last dot, as the run's own names of classes are written. */
static const char *short_class(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL ? dot + 1 : name;
}

static void set(struct sim_producer_info *settings, const char *name, const char *value)
{
    if (strcmp(name, "acks") == 0) {
        snprintf(settings->acks, sizeof settings->acks, "%s", strcmp(value, "-1") == 0 ? "all" : value);
    } else if (strcmp(name, "enable.idempotence") == 0) {
        settings->is_idempotent = strcmp(value, "true") == 0;
        if (settings->is_idempotent) {
            snprintf(settings->acks, sizeof settings->acks, "all"); /* it takes no other */
        }
    } else if (strcmp(name, "compression.type") == 0) {
        snprintf(settings->compression, sizeof settings->compression, "%s", value);
    } else if (strcmp(name, "partitioner.class") == 0) {
        snprintf(settings->partitioner, sizeof settings->partitioner, "%s", short_class(value));
    } else {
        set_number(settings, name, value);
    }
}

void view_settings_in_force(const struct view_frame *frame, uint32_t producer, uint64_t sequence,
                            struct sim_producer_info *settings)
{
    const struct model_producer *model = &frame->model->producers[producer];
    *settings = frame->info->producers[producer];
    for (uint32_t i = 0; i < model->setting_count; i++) {
        if (model->settings[i].event <= sequence) {
            set(settings, sim_event_log_name(frame->log, model->settings[i].name),
                sim_event_log_name(frame->log, model->settings[i].value));
        }
    }
}

const struct model_setting *view_setting_change(const struct view_frame *frame, const char *name)
{
    for (uint32_t i = 0; i < frame->p->setting_count; i++) {
        if (strcmp(sim_event_log_name(frame->log, frame->p->settings[i].name), name) == 0) {
            return &frame->p->settings[i];
        }
    }
    return NULL;
}
