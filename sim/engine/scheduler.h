/**
 * What is due when. Tasks of the same instant run in the order in which they were scheduled.
 */
#ifndef SIM_SCHEDULER_H
#define SIM_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"

/** Something to do at a time; lives inside the object it belongs to. */
struct sim_task {
    struct kb_heap_node place;
    void (*run)(void *context);
    void *context;
    int64_t due_us;
};

struct sim_scheduler {
    struct kb_heap tasks;
    uint64_t sequence;
    int64_t now_us;
};

void sim_scheduler_init(struct sim_scheduler *scheduler);
void sim_scheduler_release(struct sim_scheduler *scheduler);
/** Cancel everything. */
void sim_scheduler_forget(struct sim_scheduler *scheduler);

void sim_task_init(struct sim_task *task, void (*run)(void *context), void *context);

/** Run the task at due_us (not before now), whatever was said before. */
void sim_scheduler_at(struct sim_scheduler *scheduler, struct sim_task *task, int64_t due_us);
/** The same, unless it is due earlier anyhow. */
void sim_scheduler_at_latest(struct sim_scheduler *scheduler, struct sim_task *task, int64_t due_us);
void sim_scheduler_cancel(struct sim_scheduler *scheduler, struct sim_task *task);
bool sim_task_is_scheduled(const struct sim_scheduler *scheduler, const struct sim_task *task);

/** When the next task is due; INT64_MAX when there is none. */
int64_t sim_scheduler_next_us(const struct sim_scheduler *scheduler);
/** Move the time to the next task and run it; false when there is none. */
bool sim_scheduler_run_next(struct sim_scheduler *scheduler);

#endif
