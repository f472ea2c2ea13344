#include "engine/scheduler.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static char ran[64];
static struct sim_scheduler scheduler;

static void note(void *context)
{
    strncat(ran, context, 1);
}

static struct sim_task make(const char *name)
{
    struct sim_task task;
    sim_task_init(&task, note, (void *)name);
    return task;
}

static void begin(void)
{
    ran[0] = '\0';
    sim_scheduler_init(&scheduler);
}

static void run_all(void)
{
    while (sim_scheduler_run_next(&scheduler)) {
    }
}

static void runs_by_time_then_by_order_of_scheduling(void)
{
    begin();
    struct sim_task a = make("a"), b = make("b"), c = make("c"), d = make("d");
    sim_scheduler_at(&scheduler, &c, 20);
    sim_scheduler_at(&scheduler, &a, 10);
    sim_scheduler_at(&scheduler, &d, 20);
    sim_scheduler_at(&scheduler, &b, 10);
    CU_ASSERT_EQUAL(sim_scheduler_next_us(&scheduler), 10);
    run_all();
    CU_ASSERT_STRING_EQUAL(ran, "abcd");
    CU_ASSERT_EQUAL(scheduler.now_us, 20);
    CU_ASSERT_EQUAL(sim_scheduler_next_us(&scheduler), INT64_MAX);
    CU_ASSERT_FALSE(sim_scheduler_run_next(&scheduler));
    sim_scheduler_release(&scheduler);
}

static void scheduling_again_moves_a_task_behind_the_others(void)
{
    begin();
    struct sim_task a = make("a"), b = make("b"), c = make("c");
    sim_scheduler_at(&scheduler, &a, 10);
    sim_scheduler_at(&scheduler, &b, 10);
    sim_scheduler_at(&scheduler, &c, 30);
    sim_scheduler_at(&scheduler, &a, 10); /* the same time, said later */
    sim_scheduler_at(&scheduler, &c, 5);  /* earlier after all */
    run_all();
    CU_ASSERT_STRING_EQUAL(ran, "cba");
    sim_scheduler_release(&scheduler);
}

static void at_latest_only_moves_forward(void)
{
    begin();
    struct sim_task a = make("a"), b = make("b");
    sim_scheduler_at_latest(&scheduler, &a, 10);
    sim_scheduler_at(&scheduler, &b, 10);
    sim_scheduler_at_latest(&scheduler, &a, 20);
    CU_ASSERT_EQUAL(a.due_us, 10);
    sim_scheduler_at_latest(&scheduler, &a, 10); /* keeps its place among equals */
    run_all();
    CU_ASSERT_STRING_EQUAL(ran, "ab");
    sim_scheduler_at_latest(&scheduler, &a, 40);
    sim_scheduler_at_latest(&scheduler, &a, 30);
    CU_ASSERT_EQUAL(sim_scheduler_next_us(&scheduler), 30);
    sim_scheduler_release(&scheduler);
}

static void cancelled_tasks_do_not_run(void)
{
    begin();
    struct sim_task a = make("a"), b = make("b");
    sim_scheduler_cancel(&scheduler, &a); /* not scheduled: nothing to do */
    sim_scheduler_at(&scheduler, &a, 10);
    sim_scheduler_at(&scheduler, &b, 11);
    CU_ASSERT_TRUE(sim_task_is_scheduled(&scheduler, &a));
    sim_scheduler_cancel(&scheduler, &a);
    CU_ASSERT_FALSE(sim_task_is_scheduled(&scheduler, &a));
    run_all();
    CU_ASSERT_STRING_EQUAL(ran, "b");
    sim_scheduler_release(&scheduler);
}

static struct sim_task again;
static int times;

static void schedule_again(void *context)
{
    (void)context;
    strcat(ran, "x");
    if (++times < 3) {
        sim_scheduler_at(&scheduler, &again, 0); /* in the past: now */
    }
}

static void time_does_not_go_back(void)
{
    begin();
    times = 0;
    struct sim_task a = make("a");
    sim_task_init(&again, schedule_again, NULL);
    sim_scheduler_at(&scheduler, &again, 50);
    sim_scheduler_at(&scheduler, &a, 50);
    run_all();
    CU_ASSERT_STRING_EQUAL(ran, "xaxx"); /* what is scheduled now comes behind what was due now */
    CU_ASSERT_EQUAL(scheduler.now_us, 50);
    sim_scheduler_release(&scheduler);
}

int main(void)
{
    return unit_main("scheduler", (struct unit_test[]){
                                      {"runs by time, then by order of scheduling",
                                       runs_by_time_then_by_order_of_scheduling},
                                      {"scheduling again moves a task behind the others",
                                       scheduling_again_moves_a_task_behind_the_others},
                                      {"at latest only moves forward", at_latest_only_moves_forward},
                                      {"cancelled tasks do not run", cancelled_tasks_do_not_run},
                                      {"time does not go back", time_does_not_go_back},
                                      {0},
                                  });
}
