/*
 * What a person does to a run, from the view's words to the scenario's: the branch, its title, what happens
 * in it, and what is saved of it.
 *
 * usage: session_test SCENARIO (run in a folder that it may write to)
 */
#include <CUnit/Basic.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/session.h"
#include "engine/world.h"

static const char *scenario_path;
static struct session *session;
static struct view_host host;

static void compute(void)
{
    while (session_compute(session, 1000000)) {
    }
}

static void open_session(void)
{
    struct sim_complaints complaints = {0};
    struct sim_scenario *scenario;
    CU_ASSERT_TRUE_FATAL(sim_scenario_load(scenario_path, NULL, 0, &scenario, &complaints, NULL));
    session = session_create(scenario, &complaints);
    CU_ASSERT_PTR_NOT_NULL_FATAL(session);
    host = session_host(session);
    compute();
}

static const struct view_branch *now(void)
{
    return host.branch(host.context, host.current_branch(host.context));
}

static void do_to(int32_t fault, int32_t broker, int32_t other, int64_t at_us)
{
    const char *message = NULL;
    struct view_intent intent = {.kind = VIEW_INTENT_FAULT,
                                 .at_us = at_us,
                                 .fault = fault,
                                 .broker = broker,
                                 .other = other,
                                 .partition = -1};
    CU_ASSERT_TRUE_FATAL(host.act(host.context, &intent, &message));
    compute();
}

/* What was done by hand, as the log of the branch that is shown has it; NULL: nothing of the kind. */
static const struct kb_event_fault *find_fault(int32_t fault)
{
    const struct sim_event_log *log = host.log(host.context);
    const struct kb_event_fault *found = NULL;
    for (uint64_t i = 1; i <= sim_event_log_count(log); i++) {
        const struct kb_event *event = sim_event_log_get(log, i);
        if (event->kind == KB_EVENT_FAULT && event->as.fault.fault == fault && event->as.fault.by_hand != 0) {
            found = &event->as.fault;
        }
    }
    return found;
}

/* Who loses a connection to or from broker 1 within a millisecond after the fault. */
static void lost_connections(int64_t at_us, uint32_t *of_producers, uint32_t *of_brokers)
{
    const struct sim_event_log *log = host.log(host.context);
    *of_producers = 0;
    *of_brokers = 0;
    for (uint64_t i = 1; i <= sim_event_log_count(log); i++) {
        const struct kb_event *event = sim_event_log_get(log, i);
        if (event->kind != KB_EVENT_PACKET_LOST || event->time_us < at_us || event->time_us > at_us + 30000) {
            continue;
        }
        bool has_producer = event->as.packet_lost.from < 0 || event->as.packet_lost.to < 0;
        *of_producers += has_producer;
        *of_brokers += !has_producer;
    }
}

static void test_the_other_end_of_a_link(void)
{
    enum { AT_US = 30000 };
    uint32_t producers;
    uint32_t brokers;
    open_session();
    do_to(KB_FAULT_KIND_CUT, 1, VIEW_END_PRODUCERS, AT_US);
    CU_ASSERT_STRING_EQUAL(now()->title, "cut broker 1 and the producers");
    CU_ASSERT_EQUAL(now()->from_us, AT_US);
    CU_ASSERT_PTR_NOT_NULL_FATAL(find_fault(KB_FAULT_KIND_CUT));
    CU_ASSERT_EQUAL(find_fault(KB_FAULT_KIND_CUT)->other, SIM_END_PRODUCER);
    lost_connections(AT_US, &producers, &brokers);
    CU_ASSERT_TRUE(producers > 0 && brokers == 0);
    do_to(KB_FAULT_KIND_HEAL, 1, VIEW_END_PRODUCERS, AT_US + 10000);
    CU_ASSERT_STRING_EQUAL(now()->title, "heal broker 1 and the producers");
    CU_ASSERT_EQUAL(find_fault(KB_FAULT_KIND_HEAL)->other, SIM_END_PRODUCER);
    session_destroy(session);

    open_session();
    do_to(KB_FAULT_KIND_CUT, 1, 2, AT_US);
    CU_ASSERT_STRING_EQUAL(now()->title, "cut broker 1 and broker 2");
    CU_ASSERT_EQUAL(find_fault(KB_FAULT_KIND_CUT)->other, 2);
    lost_connections(AT_US, &producers, &brokers);
    CU_ASSERT_TRUE(producers == 0 && brokers > 0);
    session_destroy(session);

    open_session();
    do_to(KB_FAULT_KIND_CUT, 1, VIEW_END_ALL, AT_US);
    CU_ASSERT_STRING_EQUAL(now()->title, "cut broker 1");
    CU_ASSERT_EQUAL(find_fault(KB_FAULT_KIND_CUT)->other, SIM_END_ALL);
    lost_connections(AT_US, &producers, &brokers);
    CU_ASSERT_TRUE(producers > 0 && brokers > 0);
    session_destroy(session);
}

static void test_what_is_saved_is_what_was_done(void)
{
    const char *message = NULL;
    struct view_intent save = {.kind = VIEW_INTENT_SAVE};
    open_session();
    do_to(KB_FAULT_KIND_CUT, 1, VIEW_END_PRODUCERS, 30000);
    uint64_t events = sim_event_log_count(host.log(host.context));
    (void)remove("linger-scenario-1.json");
    CU_ASSERT_TRUE_FATAL(host.act(host.context, &save, &message));
    CU_ASSERT_STRING_EQUAL(message, "Saved as linger-scenario-1.json");
    session_destroy(session);

    const char *before = scenario_path;
    scenario_path = "linger-scenario-1.json";
    open_session();
    CU_ASSERT_EQUAL(sim_event_log_count(host.log(host.context)), events);
    scenario_path = before;
    session_destroy(session);
    (void)remove("linger-scenario-1.json");
}

static void test_a_branch_keeps_what_was_done_before_it_and_not_what_later(void)
{
    open_session();
    do_to(KB_FAULT_KIND_KILL, 2, VIEW_END_ALL, 30000);
    do_to(KB_FAULT_KIND_RESTART, 2, VIEW_END_ALL, 50000);
    CU_ASSERT_EQUAL(host.branch_count(host.context), 3);
    CU_ASSERT_PTR_NOT_NULL(find_fault(KB_FAULT_KIND_KILL));
    do_to(KB_FAULT_KIND_FREEZE, 3, VIEW_END_ALL, 40000);
    CU_ASSERT_EQUAL(now()->parent, 2);
    CU_ASSERT_PTR_NOT_NULL(find_fault(KB_FAULT_KIND_KILL));
    CU_ASSERT_PTR_NULL(find_fault(KB_FAULT_KIND_RESTART));
    const char *message = NULL;
    struct view_intent reset = {.kind = VIEW_INTENT_RESET};
    CU_ASSERT_TRUE(host.act(host.context, &reset, &message));
    CU_ASSERT_EQUAL(host.branch_count(host.context), 1);
    CU_ASSERT_PTR_NULL(find_fault(KB_FAULT_KIND_KILL));
    session_destroy(session);
}

/* How many faults wait by hand, and how many have struck at a point. */
static void count_faults(uint32_t *armed, uint32_t *struck)
{
    const struct sim_event_log *log = host.log(host.context);
    *armed = 0;
    *struck = 0;
    for (uint64_t i = 1; i <= sim_event_log_count(log); i++) {
        const struct kb_event *event = sim_event_log_get(log, i);
        *armed += event->kind == KB_EVENT_FAULT_ARMED && event->as.fault_armed.by_hand != 0;
        *struck += event->kind == KB_EVENT_FAULT && event->as.fault.api >= 0;
    }
}

/* Each kind that waits for a request: it strikes, and a saved scenario is the same run. */
static void test_faults_that_wait_are_kept(void)
{
    enum { AT_US = 30000, FETCH = 1 };
    static const struct {
        struct view_intent intent;
        const char *title;
    } rows[] = {
        {{.fault = KB_FAULT_KIND_KILL, .broker = 1, .point = KB_FAULT_POINT_AFTER_APPEND},
         "kill broker 1 after append"},
        {{.fault = KB_FAULT_KIND_FREEZE, .broker = -1, .point = KB_FAULT_POINT_BEFORE_RESPONSE},
         "freeze before response"},
        {{.fault = KB_FAULT_KIND_CUT,
          .broker = 1,
          .other = VIEW_END_CLUSTER,
          .one_way = true,
          .point = KB_FAULT_POINT_BEFORE_APPEND},
         "cut broker 1 before append"},
        {{.fault = KB_FAULT_KIND_SHUTDOWN, .broker = -1, .point = KB_FAULT_POINT_REQUEST_RECEIVED},
         "shutdown request received"},
        {{.fault = KB_FAULT_KIND_DISCONNECT,
          .broker = -1,
          .of_producer = true,
          .point = KB_FAULT_POINT_RESPONSE_CUT},
         NULL},
        {{.fault = KB_FAULT_KIND_DISCONNECT, .broker = -1, .point = KB_FAULT_POINT_REQUEST_CUT}, NULL},
        {{.fault = KB_FAULT_KIND_DROP_REQUEST, .broker = -1, .count = 2}, "drop request"},
        {{.fault = KB_FAULT_KIND_DROP_RESPONSE, .broker = -1}, "drop response"},
        {{.fault = KB_FAULT_KIND_DELAY_RESPONSE, .broker = -1, .ms = 30}, "delay response"},
        {{.fault = KB_FAULT_KIND_THROTTLE, .broker = -1, .ms = 30}, "throttle"},
        {{.fault = KB_FAULT_KIND_ERROR, .broker = -1, .code = 7, .appended = true}, "error"},
        {{.fault = KB_FAULT_KIND_CORRUPT_BATCH, .broker = -1}, "corrupt batch"},
        {{.fault = KB_FAULT_KIND_CORRUPT_BATCH, .broker = 2, .api = FETCH}, "corrupt batch broker 2"},
    };
    const char *before = scenario_path;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *message = NULL;
        uint32_t armed;
        uint32_t struck;
        struct view_intent intent = rows[i].intent;
        struct view_intent save = {.kind = VIEW_INTENT_SAVE};
        intent.kind = VIEW_INTENT_FAULT;
        intent.at_us = AT_US;
        intent.partition = -1;
        intent.other = intent.other != 0 ? intent.other : VIEW_END_ALL;
        open_session();
        CU_ASSERT_TRUE_FATAL(host.act(host.context, &intent, &message));
        compute();
        count_faults(&armed, &struck);
        CU_ASSERT_EQUAL(armed, 1);
        CU_ASSERT_EQUAL(struck, intent.count > 1 ? intent.count : 1);
        if (rows[i].title != NULL) {
            CU_ASSERT_STRING_EQUAL(now()->title, rows[i].title);
        }
        uint64_t events = sim_event_log_count(host.log(host.context));
        (void)remove("linger-scenario-1.json");
        CU_ASSERT_TRUE_FATAL(host.act(host.context, &save, &message));
        session_destroy(session);
        scenario_path = "linger-scenario-1.json";
        open_session();
        count_faults(&armed, &struck);
        CU_ASSERT_EQUAL(sim_event_log_count(host.log(host.context)), events);
        CU_ASSERT_EQUAL(armed, 0); /* not by hand any more */
        CU_ASSERT_EQUAL(struck, intent.count > 1 ? intent.count : 1);
        scenario_path = before;
        session_destroy(session);
    }
    (void)remove("linger-scenario-1.json");
}

static void test_what_cannot_be_is_refused(void)
{
    const char *message = NULL;
    struct view_intent intent = {.kind = VIEW_INTENT_FAULT,
                                 .at_us = 1000,
                                 .fault = KB_FAULT_KIND_FREEZE,
                                 .broker = 1,
                                 .other = VIEW_END_ALL,
                                 .partition = -1,
                                 .point = KB_FAULT_POINT_RESPONSE_CUT};
    open_session();
    CU_ASSERT_FALSE(host.act(host.context, &intent, &message));
    CU_ASSERT_STRING_EQUAL(message, "only kill and disconnect can end a connection in the middle of a frame");
    CU_ASSERT_EQUAL(host.branch_count(host.context), 1);
    session_destroy(session);
}

int main(int argument_count, char **arguments)
{
    if (argument_count != 2) {
        fprintf(stderr, "usage: session_test SCENARIO\n");
        return EXIT_FAILURE;
    }
    scenario_path = arguments[1];
    if (CU_initialize_registry() != CUE_SUCCESS) {
        return EXIT_FAILURE;
    }
    CU_pSuite suite = CU_add_suite("session", NULL, NULL);
    CU_add_test(suite, "the other end of a link", test_the_other_end_of_a_link);
    CU_add_test(suite, "what is saved is what was done", test_what_is_saved_is_what_was_done);
    CU_add_test(suite, "a branch keeps what was done before it, not what later",
                test_a_branch_keeps_what_was_done_before_it_and_not_what_later);
    CU_add_test(suite, "faults that wait are kept", test_faults_that_wait_are_kept);
    CU_add_test(suite, "what cannot be is refused", test_what_cannot_be_is_refused);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
