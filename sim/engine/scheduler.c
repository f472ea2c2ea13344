#include "engine/scheduler.h"

#include "base/allocator.h"
#include "base/assert.h"
#include "base/list.h"

void sim_scheduler_init(struct sim_scheduler *scheduler)
{
    *scheduler = (struct sim_scheduler){0};
    kb_heap_init(&scheduler->tasks, kb_allocator_default());
}

void sim_scheduler_release(struct sim_scheduler *scheduler)
{
    kb_heap_release(&scheduler->tasks);
}

void sim_scheduler_forget(struct sim_scheduler *scheduler)
{
    while (kb_heap_first(&scheduler->tasks) != NULL) {
        (void)kb_heap_pop(&scheduler->tasks);
    }
}

void sim_task_init(struct sim_task *task, void (*run)(void *context), void *context)
{
    *task = (struct sim_task){.run = run, .context = context};
}

bool sim_task_is_scheduled(const struct sim_scheduler *scheduler, const struct sim_task *task)
{
    return kb_heap_contains(&scheduler->tasks, &task->place);
}

void sim_scheduler_at(struct sim_scheduler *scheduler, struct sim_task *task, int64_t due_us)
{
    if (due_us < scheduler->now_us) {
        due_us = scheduler->now_us;
    }
    task->due_us = due_us;
    uint64_t sequence = ++scheduler->sequence;
    if (kb_heap_contains(&scheduler->tasks, &task->place)) {
        kb_heap_update(&scheduler->tasks, &task->place, due_us, sequence);
        return;
    }
    bool pushed = kb_heap_push(&scheduler->tasks, &task->place, due_us, sequence);
    KB_ASSERT(pushed);
}

void sim_scheduler_at_latest(struct sim_scheduler *scheduler, struct sim_task *task, int64_t due_us)
{
    if (!sim_task_is_scheduled(scheduler, task) || task->due_us > due_us) {
        sim_scheduler_at(scheduler, task, due_us);
    }
}

void sim_scheduler_cancel(struct sim_scheduler *scheduler, struct sim_task *task)
{
    if (kb_heap_contains(&scheduler->tasks, &task->place)) {
        kb_heap_remove(&scheduler->tasks, &task->place);
    }
}

int64_t sim_scheduler_next_us(const struct sim_scheduler *scheduler)
{
    const struct kb_heap_entry *first = kb_heap_first(&scheduler->tasks);
    return first != NULL ? first->key : INT64_MAX;
}

bool sim_scheduler_run_next(struct sim_scheduler *scheduler)
{
    const struct kb_heap_entry *first = kb_heap_first(&scheduler->tasks);
    if (first == NULL) {
        return false;
    }
    scheduler->now_us = first->key;
    struct sim_task *task = KB_CONTAINER_OF(kb_heap_pop(&scheduler->tasks), struct sim_task, place);
    task->run(task->context);
    return true;
}
