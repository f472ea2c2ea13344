#include "core/cluster_connection_states.h"

#include "unit.h"

static const struct kp_connection_settings SETTINGS = {.reconnect_backoff_ms = 50,
                                                       .reconnect_backoff_max_ms = 1000,
                                                       .setup_timeout_ms = 100,
                                                       .setup_timeout_max_ms = 300};

static void backoff_doubles_up_to_its_maximum(void)
{
    static const int64_t expected[] = {50, 100, 200, 400, 800, 1000, 1000};

    for (int64_t i = 0; i < 7; i++)
        CU_ASSERT_EQUAL(kp_exponential_backoff_ms(50, 1000, i, NULL), expected[i]);
    CU_ASSERT_EQUAL(kp_exponential_backoff_ms(50, 1000, INT64_MAX, NULL), 1000);
    CU_ASSERT_EQUAL(kp_exponential_backoff_ms(50, 50, 9, NULL), 50);
    CU_ASSERT_EQUAL(kp_exponential_backoff_ms(50, 10, 9, NULL), 50);
    CU_ASSERT_EQUAL(kp_exponential_backoff_ms(0, 1000, 9, NULL), 0);
    CU_ASSERT_EQUAL(kp_exponential_backoff_ms(INT64_MAX / 2, INT64_MAX, 9, NULL), INT64_MAX);
}

static int32_t high(void *context)
{
    ++*(int *)context;
    return 1200;
}

static void jitter_is_the_drivers(void)
{
    int draws = 0;
    struct kp_chance chance = {.context = &draws, .jitter_permille = high};

    CU_ASSERT_EQUAL(kp_exponential_backoff_ms(55, 1000, 1, &chance), 132);
    CU_ASSERT_EQUAL(draws, 1);
    /* Java draws nothing where there is no range to grow in. */
    CU_ASSERT_EQUAL(kp_exponential_backoff_ms(55, 55, 1, &chance), 55);
    CU_ASSERT_EQUAL(draws, 1);
}

static void failures_lengthen_the_backoff_and_success_resets_it(void)
{
    struct kp_connection_state state = {0};

    CU_ASSERT_TRUE(kp_connection_can_connect(&state, 0));
    CU_ASSERT_EQUAL(kp_connection_delay_ms(&state, 0), 0);
    CU_ASSERT_EQUAL(kp_connection_next_deadline_ms(&state, 0), INT64_MAX);
    for (int64_t failure = 0, backoff_ms = 50; failure < 3; failure++, backoff_ms *= 2) {
        kp_connection_connecting(&state, &SETTINGS, true, 1000);
        CU_ASSERT_FALSE(kp_connection_can_connect(&state, 5000));
        CU_ASSERT_EQUAL(kp_connection_delay_ms(&state, 1000), INT64_MAX);
        kp_connection_disconnected(&state, &SETTINGS, 2000);
        CU_ASSERT_EQUAL(state.reconnect_backoff_ms, backoff_ms);
        CU_ASSERT_FALSE(kp_connection_can_connect(&state, 2000 + backoff_ms - 1));
        CU_ASSERT_TRUE(kp_connection_can_connect(&state, 2000 + backoff_ms));
        CU_ASSERT_EQUAL(kp_connection_delay_ms(&state, 2010), backoff_ms - 10);
        CU_ASSERT_EQUAL(kp_connection_next_deadline_ms(&state, 2000), 2000 + backoff_ms);
        CU_ASSERT_EQUAL(kp_connection_next_deadline_ms(&state, 2000 + backoff_ms), INT64_MAX);
    }
    kp_connection_connecting(&state, &SETTINGS, true, 3000);
    kp_connection_checking_api_versions(&state, &SETTINGS);
    CU_ASSERT_TRUE(kp_connection_is_preparing(&state));
    kp_connection_ready(&state, &SETTINGS);
    kp_connection_disconnected(&state, &SETTINGS, 4000);
    CU_ASSERT_EQUAL(state.reconnect_backoff_ms, 50);
}

static void another_host_starts_afresh(void)
{
    struct kp_connection_state state = {0};

    for (int i = 0; i < 3; i++) {
        kp_connection_connecting(&state, &SETTINGS, true, 0);
        kp_connection_disconnected(&state, &SETTINGS, 0);
    }
    CU_ASSERT_EQUAL(state.reconnect_backoff_ms, 200);
    kp_connection_connecting(&state, &SETTINGS, false, 0);
    kp_connection_disconnected(&state, &SETTINGS, 0);
    CU_ASSERT_EQUAL(state.reconnect_backoff_ms, 50);
}

static void set_up_time_is_over_strictly_after_it(void)
{
    struct kp_connection_state state = {0};

    kp_connection_connecting(&state, &SETTINGS, true, 1000);
    CU_ASSERT_FALSE(kp_connection_is_setup_timed_out(&state, 1100));
    CU_ASSERT_TRUE(kp_connection_is_setup_timed_out(&state, 1101));
    CU_ASSERT_EQUAL(kp_connection_next_deadline_ms(&state, 1000), 1101);
    /* It grows with attempts that never connected: 200, then at most 300. */
    kp_connection_disconnected(&state, &SETTINGS, 1101);
    CU_ASSERT_EQUAL(state.setup_timeout_ms, 200);
    kp_connection_connecting(&state, &SETTINGS, true, 2000);
    kp_connection_disconnected(&state, &SETTINGS, 2201);
    CU_ASSERT_EQUAL(state.setup_timeout_ms, 300);
    kp_connection_connecting(&state, &SETTINGS, true, 3000);
    kp_connection_checking_api_versions(&state, &SETTINGS);
    CU_ASSERT_FALSE(kp_connection_is_setup_timed_out(&state, 9000));
    CU_ASSERT_EQUAL(state.setup_timeout_ms, 100);
}

static void throttled_is_not_ready(void)
{
    struct kp_connection_state state = {0};

    kp_connection_throttle(&state, 500);
    CU_ASSERT_EQUAL(kp_connection_throttle_delay_ms(&state, 0), 0);
    kp_connection_connecting(&state, &SETTINGS, true, 0);
    kp_connection_ready(&state, &SETTINGS);
    CU_ASSERT_TRUE(kp_connection_is_ready(&state, 0));
    kp_connection_throttle(&state, 500);
    kp_connection_throttle(&state, 400);
    CU_ASSERT_FALSE(kp_connection_is_ready(&state, 499));
    CU_ASSERT_TRUE(kp_connection_is_ready(&state, 500));
    CU_ASSERT_EQUAL(kp_connection_poll_delay_ms(&state, 450), 50);
    CU_ASSERT_EQUAL(kp_connection_poll_delay_ms(&state, 500), INT64_MAX);
    CU_ASSERT_EQUAL(kp_connection_next_deadline_ms(&state, 450), 500);
}

int main(void)
{
    return unit_main(
        "cluster_connection_states",
        (struct unit_test[]){{"backoff doubles up to its maximum", backoff_doubles_up_to_its_maximum},
                             {"jitter is the driver's", jitter_is_the_drivers},
                             {"failures and success", failures_lengthen_the_backoff_and_success_resets_it},
                             {"another host starts afresh", another_host_starts_afresh},
                             {"set-up time", set_up_time_is_over_strictly_after_it},
                             {"throttled is not ready", throttled_is_not_ready},
                             {0}});
}
