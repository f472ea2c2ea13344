#include "core/cluster_connection_states.h"

#include "base/assert.h"

/* No jitter: the middle of what Java draws between 0.8 and 1.2. */
enum { JITTER_NONE_PERMILLE = 1000 };

int64_t kp_exponential_backoff_ms(int64_t initial_ms, int64_t max_ms, int64_t attempts,
                                  const struct kp_chance *chance)
{
    int64_t term_ms = initial_ms;
    int64_t permille = JITTER_NONE_PERMILLE;

    if (max_ms <= initial_ms) {
        return initial_ms;
    }
    for (int64_t i = 0; i < attempts && term_ms < max_ms && term_ms > 0; i++) {
        term_ms = term_ms > max_ms / 2 ? max_ms : term_ms * 2;
    }
    if (chance != NULL && chance->jitter_permille != NULL) {
        permille = chance->jitter_permille(chance->context);
    }
    return term_ms / JITTER_NONE_PERMILLE * permille +
           term_ms % JITTER_NONE_PERMILLE * permille / JITTER_NONE_PERMILLE;
}

static int64_t reconnect_backoff(const struct kp_connection_settings *settings, int64_t attempts)
{
    return kp_exponential_backoff_ms(settings->reconnect_backoff_ms, settings->reconnect_backoff_max_ms,
                                     attempts, &settings->chance);
}

static int64_t setup_timeout(const struct kp_connection_settings *settings, int64_t attempts)
{
    return kp_exponential_backoff_ms(settings->setup_timeout_ms, settings->setup_timeout_max_ms, attempts,
                                     &settings->chance);
}

bool kp_connection_can_connect(const struct kp_connection_state *state, int64_t now_ms)
{
    return !state->exists || (kp_connection_is_disconnected(state) &&
                              now_ms - state->last_attempt_ms >= state->reconnect_backoff_ms);
}

int64_t kp_connection_delay_ms(const struct kp_connection_state *state, int64_t now_ms)
{
    int64_t left_ms;

    if (!state->exists) {
        return 0;
    }
    if (!kp_connection_is_disconnected(state)) {
        return INT64_MAX;
    }
    left_ms = state->reconnect_backoff_ms - (now_ms - state->last_attempt_ms);
    return left_ms > 0 ? left_ms : 0;
}

int64_t kp_connection_throttle_delay_ms(const struct kp_connection_state *state, int64_t now_ms)
{
    return state->exists && state->throttle_until_ms > now_ms ? state->throttle_until_ms - now_ms : 0;
}

int64_t kp_connection_poll_delay_ms(const struct kp_connection_state *state, int64_t now_ms)
{
    int64_t throttle_ms = kp_connection_throttle_delay_ms(state, now_ms);
    bool is_connected = state->exists && (state->state == KB_CONNECTION_STATE_CHECKING_API_VERSIONS ||
                                          state->state == KB_CONNECTION_STATE_READY);

    return is_connected && throttle_ms > 0 ? throttle_ms : kp_connection_delay_ms(state, now_ms);
}

bool kp_connection_is_ready(const struct kp_connection_state *state, int64_t now_ms)
{
    return state->exists && state->state == KB_CONNECTION_STATE_READY && state->throttle_until_ms <= now_ms;
}

bool kp_connection_is_preparing(const struct kp_connection_state *state)
{
    return state->exists && (state->state == KB_CONNECTION_STATE_CONNECTING ||
                             state->state == KB_CONNECTION_STATE_CHECKING_API_VERSIONS);
}

bool kp_connection_is_disconnected(const struct kp_connection_state *state)
{
    return state->exists && state->state == KB_CONNECTION_STATE_DISCONNECTED;
}

bool kp_connection_is_setup_timed_out(const struct kp_connection_state *state, int64_t now_ms)
{
    return state->exists && state->state == KB_CONNECTION_STATE_CONNECTING &&
           now_ms - state->last_attempt_ms > state->setup_timeout_ms;
}

void kp_connection_connecting(struct kp_connection_state *state,
                              const struct kp_connection_settings *settings, bool is_same_host,
                              int64_t now_ms)
{
    if (!state->exists || !is_same_host) {
        *state = (struct kp_connection_state){
            .exists = true,
            .reconnect_backoff_ms = reconnect_backoff(settings, 0),
            .setup_timeout_ms = setup_timeout(settings, 0),
            .throttle_until_ms = INT64_MIN,
        };
    }
    state->state = KB_CONNECTION_STATE_CONNECTING;
    state->last_attempt_ms = now_ms;
}

static void reset_reconnect_backoff(struct kp_connection_state *state,
                                    const struct kp_connection_settings *settings)
{
    state->failed_attempts = 0;
    state->reconnect_backoff_ms = reconnect_backoff(settings, 0);
}

static void reset_setup_timeout(struct kp_connection_state *state,
                                const struct kp_connection_settings *settings)
{
    state->failed_connect_attempts = 0;
    state->setup_timeout_ms = setup_timeout(settings, 0);
}

void kp_connection_checking_api_versions(struct kp_connection_state *state,
                                         const struct kp_connection_settings *settings)
{
    KB_ASSERT(state->exists);
    state->state = KB_CONNECTION_STATE_CHECKING_API_VERSIONS;
    reset_reconnect_backoff(state, settings);
    reset_setup_timeout(state, settings);
}

void kp_connection_ready(struct kp_connection_state *state, const struct kp_connection_settings *settings)
{
    KB_ASSERT(state->exists);
    state->state = KB_CONNECTION_STATE_READY;
    reset_reconnect_backoff(state, settings);
    reset_setup_timeout(state, settings);
}

void kp_connection_disconnected(struct kp_connection_state *state,
                                const struct kp_connection_settings *settings, int64_t now_ms)
{
    KB_ASSERT(state->exists);
    state->last_attempt_ms = now_ms;
    state->reconnect_backoff_ms = reconnect_backoff(settings, state->failed_attempts);
    state->failed_attempts++;
    if (state->state == KB_CONNECTION_STATE_CONNECTING) {
        state->failed_connect_attempts++;
        state->setup_timeout_ms = setup_timeout(settings, state->failed_connect_attempts);
    } else {
        reset_setup_timeout(state, settings);
    }
    state->state = KB_CONNECTION_STATE_DISCONNECTED;
}

void kp_connection_throttle(struct kp_connection_state *state, int64_t until_ms)
{
    if (state->exists && state->throttle_until_ms < until_ms) {
        state->throttle_until_ms = until_ms;
    }
}

/* a + b, or the largest number where that overflows; b >= 0. */
static int64_t add_ms(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

int64_t kp_connection_next_deadline_ms(const struct kp_connection_state *state, int64_t now_ms)
{
    int64_t deadline_ms = INT64_MAX;

    if (!state->exists) {
        return INT64_MAX;
    }
    if (state->state == KB_CONNECTION_STATE_CONNECTING) {
        deadline_ms = add_ms(state->last_attempt_ms, add_ms(state->setup_timeout_ms, 1));
    } else if (state->state == KB_CONNECTION_STATE_DISCONNECTED &&
               !kp_connection_can_connect(state, now_ms)) {
        deadline_ms = add_ms(state->last_attempt_ms, state->reconnect_backoff_ms);
    }
    if (state->throttle_until_ms > now_ms && state->throttle_until_ms < deadline_ms) {
        deadline_ms = state->throttle_until_ms;
    }
    return deadline_ms;
}
