#include "engine/network.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

/* What the listener heard: a line each, "TIME WHAT CONNECTION at END". */
static char heard[4096];
static struct sim_scheduler scheduler;
static struct sim_network network;
static struct sim_scenario scenario;
static bool brokers_are_up;

static void hear(const char *what, uint32_t connection, int32_t at)
{
    char line[64];
    snprintf(line, sizeof line, "%lld %s %u at %d\n", (long long)scheduler.now_us, what, connection,
             (int)sim_end_in_trace(at));
    strcat(heard, line);
}

static bool on_arrived(void *context, struct sim_connection *connection)
{
    (void)context;
    hear("asked", connection->id, connection->to);
    return brokers_are_up;
}

static void on_established(void *context, struct sim_connection *connection)
{
    (void)context;
    hear("made", connection->id, connection->from);
}

/* A producer closes its end when it reads that the other is gone. */
static void close_own_end(struct sim_connection *connection, int32_t at)
{
    if (sim_end_is_producer(at)) {
        sim_network_close(&network, connection, at);
    }
}

static void on_refused(void *context, struct sim_connection *connection)
{
    (void)context;
    hear("refused", connection->id, connection->from);
    close_own_end(connection, connection->from);
}

static void on_received(void *context, struct sim_connection *connection, int32_t at, const void *bytes,
                        size_t length_bytes)
{
    (void)context;
    char what[32];
    snprintf(what, sizeof what, "%.*s", length_bytes < 16 ? (int)length_bytes : 16, (const char *)bytes);
    hear(what, connection->id, at);
}

static void on_closed(void *context, struct sim_connection *connection, int32_t at)
{
    (void)context;
    hear("closed", connection->id, at);
    close_own_end(connection, at);
}

static void on_control(void *context, uint64_t message, bool lost)
{
    (void)context;
    hear(lost ? "lost" : "message", (uint32_t)message, 0);
}

static void on_caused_by(void *context, uint64_t cause)
{
    (void)context;
    (void)cause;
}

static void begin(int64_t latency_us, int64_t bandwidth_bytes_per_s)
{
    scenario = (struct sim_scenario){
        .latency_us = {SIM_DISTRIBUTION_FIXED, latency_us, 0},
        .broker_latency_us = {SIM_DISTRIBUTION_FIXED, 2 * latency_us, 0},
        .bandwidth_bytes_per_s = bandwidth_bytes_per_s,
        .connect_us = 7,
    };
    struct sim_network_listener listener = {NULL,        on_arrived, on_established, on_refused,
                                            on_received, on_closed,  on_control,     on_caused_by};
    brokers_are_up = true;
    heard[0] = '\0';
    sim_scheduler_init(&scheduler);
    sim_network_init(&network, &scenario, 1, &scheduler, NULL, &listener);
}

static void end(void)
{
    sim_network_release(&network);
    CU_ASSERT_EQUAL(sim_scheduler_next_us(&scheduler), INT64_MAX);
    sim_scheduler_release(&scheduler);
}

/* Everything that is due up to a time; then it is that time. */
static void run_to(int64_t until_us)
{
    while (sim_scheduler_next_us(&scheduler) <= until_us) {
        (void)sim_scheduler_run_next(&scheduler);
    }
    scheduler.now_us = until_us > scheduler.now_us ? until_us : scheduler.now_us;
}

static void send_text(struct sim_connection *connection, int32_t from, const char *text)
{
    struct sim_segment segments[2] = {{text, 1}, {text + 1, strlen(text) - 1}};
    struct sim_packet_label label = {.api = -1};
    sim_network_send(&network, connection, from, segments, 2, &label, 0);
}

static bool was_heard(const char *expected)
{
    bool same = strcmp(heard, expected) == 0;
    if (!same) {
        fprintf(stderr, "\nexpected\n%sheard\n%s", expected, heard);
    }
    heard[0] = '\0';
    return same;
}

static struct sim_connection *connect_to(int32_t broker)
{
    return sim_network_connect(&network, sim_end_of_producer(0), broker, 0, &network);
}

static void a_connection_is_made_and_used(void)
{
    begin(100, 0);
    struct sim_connection *connection = connect_to(1);
    CU_ASSERT_PTR_EQUAL(sim_network_find(&network, connection->id), connection);
    CU_ASSERT_FALSE(connection->is_established);
    run_to(1000);
    CU_ASSERT_TRUE(was_heard("107 asked 1 at 1\n207 made 1 at -1\n"));
    send_text(connection, sim_end_of_producer(0), "ping");
    run_to(1050);
    send_text(connection, 1, "pong");
    run_to(2000);
    CU_ASSERT_TRUE(was_heard("1100 ping 1 at 1\n1150 pong 1 at -1\n"));
    end();
}

static void a_broker_that_is_down_refuses(void)
{
    begin(100, 0);
    brokers_are_up = false;
    uint32_t id = connect_to(1)->id;
    run_to(1000);
    CU_ASSERT_TRUE(was_heard("107 asked 1 at 1\n207 refused 1 at -1\n"));
    CU_ASSERT_PTR_NULL(sim_network_find(&network, id)); /* nobody can name it any more */
    CU_ASSERT_PTR_NULL(sim_network_find(&network, 0));
    CU_ASSERT_PTR_NULL(sim_network_find(&network, 2));
    end();
}

static void bytes_never_overtake_each_other(void)
{
    begin(0, 0);
    scenario.latency_us = (struct sim_distribution){SIM_DISTRIBUTION_UNIFORM, 10, 5000};
    struct sim_connection *connection = connect_to(1);
    run_to(20000);
    heard[0] = '\0';
    char expected[26 * 2 + 1] = "";
    for (char letter = 'a'; letter <= 'z'; letter++) {
        char text[3] = {letter, letter, '\0'};
        send_text(connection, sim_end_of_producer(0), text);
        run_to(scheduler.now_us + 20);
        strcat(expected, text);
    }
    run_to(40000);
    char order[64] = "";
    int64_t before_us = 0;
    for (const char *line = heard; *line != '\0'; line = strchr(line, '\n') + 1) {
        long long at_us;
        char text[8];
        CU_ASSERT_EQUAL_FATAL(sscanf(line, "%lld %7s", &at_us, text), 2);
        CU_ASSERT_TRUE(at_us >= before_us);
        before_us = at_us;
        strcat(order, text);
    }
    CU_ASSERT_STRING_EQUAL(order, expected);
    end();
}

static void brokers_have_a_latency_of_their_own(void)
{
    begin(100, 0);
    struct sim_connection *connection = sim_network_connect(&network, 2, 1, 99, NULL);
    CU_ASSERT_EQUAL(connection->message, 99);
    run_to(1000);
    CU_ASSERT_TRUE(was_heard("207 asked 1 at 1\n407 made 1 at 2\n"));
    sim_network_control(&network, 1, 2, 5);
    run_to(2000);
    CU_ASSERT_TRUE(was_heard("1200 message 5 at 0\n"));
    end();
}

static void a_line_takes_its_time_for_bytes(void)
{
    begin(100, 1000); /* a byte a millisecond */
    struct sim_connection *connection = connect_to(1);
    run_to(1000);
    heard[0] = '\0';
    send_text(connection, sim_end_of_producer(0), "0123456789");
    send_text(connection, sim_end_of_producer(0), "abcde"); /* waits until the line is free */
    send_text(connection, 1, "xy");                         /* the other direction is free */
    run_to(100000);
    CU_ASSERT_TRUE(was_heard("3100 xy 1 at -1\n11100 0123456789 1 at 1\n16100 abcde 1 at 1\n"));
    end();
}

static void the_end_comes_after_the_bytes(void)
{
    begin(100, 0);
    struct sim_connection *connection = connect_to(1);
    uint32_t id = connection->id;
    run_to(1000);
    heard[0] = '\0';
    send_text(connection, 1, "last words");
    send_text(connection, sim_end_of_producer(0), "unheard");
    sim_network_close(&network, connection, 1);
    sim_network_close(&network, connection, 1); /* again: nothing */
    send_text(connection, 1, "too late");
    run_to(2000);
    CU_ASSERT_TRUE(was_heard("1100 last words 1 at -1\n1100 closed 1 at -1\n"));
    CU_ASSERT_PTR_NULL(sim_network_find(&network, id));
    end();
}

static void a_dead_broker_ends_its_connections(void)
{
    begin(100, 0);
    (void)connect_to(1);
    (void)connect_to(2);
    (void)sim_network_connect(&network, 1, 3, 0, NULL);
    run_to(1000);
    heard[0] = '\0';
    sim_network_reset_broker(&network, 1);
    run_to(2000);
    CU_ASSERT_TRUE(was_heard("1100 closed 1 at -1\n1200 closed 3 at 3\n"));
    end();
}

/* It dies while a connection to it is on its way, and is back before that arrives. */
static void a_connection_to_a_dead_broker_is_not_taken_by_the_next(void)
{
    begin(100, 0);
    uint32_t id = connect_to(1)->id;
    run_to(50);
    sim_network_reset_broker(&network, 1);
    run_to(2000);
    CU_ASSERT_TRUE(was_heard("150 closed 1 at -1\n"));
    CU_ASSERT_PTR_NULL(sim_network_find(&network, id));
    end();
}

static void a_cut_link_holds_what_healing_lets_go(void)
{
    begin(100, 0);
    struct sim_connection *connection = connect_to(1);
    struct sim_connection *other = connect_to(2);
    run_to(1000);
    heard[0] = '\0';
    send_text(connection, sim_end_of_producer(0), "on its way");
    run_to(1050);
    sim_network_cut(&network, 1, SIM_END_PRODUCER, false);
    CU_ASSERT_TRUE(sim_network_is_cut(&network, sim_end_of_producer(0), 1));
    CU_ASSERT_TRUE(sim_network_is_cut(&network, 1, sim_end_of_producer(3)));
    CU_ASSERT_FALSE(sim_network_is_cut(&network, 1, 2));
    send_text(connection, sim_end_of_producer(0), "behind");
    send_text(connection, 1, "back");
    send_text(other, 2, "free");
    run_to(5000);
    CU_ASSERT_TRUE(was_heard("1150 free 2 at -1\n"));
    sim_network_heal(&network, 1, 2); /* another link */
    run_to(6000);
    CU_ASSERT_TRUE(was_heard(""));
    sim_network_heal(&network, SIM_END_PRODUCER, 1); /* from either end */
    run_to(9000);
    CU_ASSERT_TRUE(was_heard("6100 on its way 1 at 1\n6100 behind 1 at 1\n6100 back 1 at -1\n"));
    end();
}

static void healed_with_everybody_is_healed_with_each(void)
{
    begin(100, 0);
    sim_network_cut(&network, 1, SIM_END_PRODUCER, false);
    sim_network_cut(&network, 1, 2, false);
    sim_network_cut(&network, 3, 1, false);
    sim_network_cut(&network, 2, SIM_END_ALL, false);
    sim_network_heal(&network, 1, SIM_END_ALL);
    CU_ASSERT_FALSE(sim_network_is_cut(&network, 1, sim_end_of_producer(0)));
    CU_ASSERT_FALSE(sim_network_is_cut(&network, sim_end_of_producer(0), 1));
    CU_ASSERT_FALSE(sim_network_is_cut(&network, 3, 1));
    CU_ASSERT_TRUE(sim_network_is_cut(&network, 2, 1)); /* 2 is cut off from all, which is 2's to heal */
    sim_network_heal(&network, 2, SIM_END_PRODUCER);    /* a part of it */
    CU_ASSERT_TRUE(sim_network_is_cut(&network, 2, sim_end_of_producer(0)));
    end();
}

static void one_way_cuts_let_the_other_way_pass(void)
{
    begin(100, 0);
    struct sim_connection *connection = connect_to(1);
    run_to(1000);
    heard[0] = '\0';
    sim_network_cut(&network, 1, SIM_END_ALL, true);
    send_text(connection, sim_end_of_producer(0), "there");
    send_text(connection, 1, "back");
    sim_network_control(&network, 1, 2, 3);
    sim_network_control(&network, 2, 1, 4);
    run_to(2000);
    CU_ASSERT_TRUE(was_heard("1100 there 1 at 1\n1200 lost 3 at 0\n1200 message 4 at 0\n"));
    end();
}

/* Bytes that a cut link holds for an end that closes are wanted by nobody. */
static void closing_drops_what_is_held(void)
{
    begin(100, 0);
    struct sim_connection *connection = connect_to(1);
    run_to(1000);
    heard[0] = '\0';
    sim_network_cut(&network, 1, SIM_END_ALL, false);
    send_text(connection, 1, "held");
    sim_network_close(&network, connection, sim_end_of_producer(0));
    run_to(2000);
    sim_network_heal(&network, 1, SIM_END_ALL);
    run_to(3000);
    CU_ASSERT_TRUE(was_heard("2100 closed 1 at 1\n"));
    CU_ASSERT_PTR_NULL(sim_network_find(&network, 1));
    end();
}

static void ends_have_names(void)
{
    CU_ASSERT_TRUE(sim_end_is_producer(sim_end_of_producer(7)));
    CU_ASSERT_FALSE(sim_end_is_producer(0));
    CU_ASSERT_FALSE(sim_end_is_producer(SIM_END_ALL));
    CU_ASSERT_EQUAL(sim_end_in_trace(sim_end_of_producer(0)), -1);
    CU_ASSERT_EQUAL(sim_end_in_trace(sim_end_of_producer(2)), -3);
    CU_ASSERT_EQUAL(sim_end_in_trace(5), 5);
}

int main(void)
{
    return unit_main(
        "network",
        (struct unit_test[]){
            {"a connection is made and used", a_connection_is_made_and_used},
            {"a broker that is down refuses", a_broker_that_is_down_refuses},
            {"bytes never overtake each other", bytes_never_overtake_each_other},
            {"brokers have a latency of their own", brokers_have_a_latency_of_their_own},
            {"a line takes its time for bytes", a_line_takes_its_time_for_bytes},
            {"the end comes after the bytes", the_end_comes_after_the_bytes},
            {"a dead broker ends its connections", a_dead_broker_ends_its_connections},
            {"a connection to a dead broker is not taken by the next",
             a_connection_to_a_dead_broker_is_not_taken_by_the_next},
            {"healed with everybody is healed with each", healed_with_everybody_is_healed_with_each},
            {"a cut link holds what healing lets go", a_cut_link_holds_what_healing_lets_go},
            {"one-way cuts let the other way pass", one_way_cuts_let_the_other_way_pass},
            {"closing drops what is held", closing_drops_what_is_held},
            {"ends have names", ends_have_names},
            {0},
        });
}
