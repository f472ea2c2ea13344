#include "core/sender.h"

#include "base/assert.h"
#include "core/memory.h"
#include "core/sender_internal.h"

enum { ARENA_BLOCK_BYTES = 4096 };

/* Passes of runOnce without a poll in one decide: more than Kafka ever makes, so that a loop ends. */
enum { PASSES_WITHOUT_POLL_MAX = 64 };

struct kp_sender *kp_sender_create(const struct kp_sender_options *options)
{
    struct kp_sender *sender = kb_allocate_zeroed(options->allocator, 1, sizeof(*sender));

    if (sender == NULL) {
        return NULL;
    }
    sender->options = *options;
    sender->trace = options->trace;
    sender->is_running = true;
    kb_arena_init(&sender->arena, options->allocator, ARENA_BLOCK_BYTES, 0);
    return sender;
}

void kp_sender_destroy(struct kp_sender *sender)
{
    if (sender == NULL) {
        return;
    }
    if (sender->request != NULL) {
        kp_txn_free_request(sender->options.transaction_manager, sender->request);
    }
    kp_release_text(sender->options.allocator, sender->target_host);
    kp_sender_release_produce(sender);
    kb_arena_release(&sender->arena);
    kb_deallocate(sender->options.allocator, sender, sizeof(*sender));
}

/* --- Closing */

void kp_sender_initiate_close(struct kp_sender *sender)
{
    kp_record_accumulator_close(sender->options.accumulator);
    sender->is_running = false;
}

void kp_sender_force_close(struct kp_sender *sender)
{
    sender->is_forced = true;
    kp_sender_initiate_close(sender);
}

bool kp_sender_is_running(const struct kp_sender *sender)
{
    return sender->is_running;
}

bool kp_sender_has_ended(const struct kp_sender *sender)
{
    return sender->loop == KP_LOOP_ENDED;
}

static bool has_work_left(const struct kp_sender *sender)
{
    const struct kp_transaction_manager *manager = sender->options.transaction_manager;

    return kp_record_accumulator_has_undrained(sender->options.accumulator) ||
           kp_network_client_in_flight_count(sender->options.client) > 0 ||
           (manager != NULL && kp_transaction_manager_has_pending_requests(manager) &&
            kp_transaction_manager_has_ongoing_transaction(manager));
}

/* Whether the transaction has to be ended before the sender ends; begins to abort it. */
static bool has_transaction_to_end(const struct kp_sender *sender)
{
    struct kp_transaction_manager *manager = sender->options.transaction_manager;
    struct kp_failure failure;

    if (manager == NULL || !kp_transaction_manager_has_ongoing_transaction(manager)) {
        return false;
    }
    if (!kp_transaction_manager_is_completing(manager)) {
        kp_transaction_manager_release_result(manager, kp_transaction_manager_begin_abort(manager, &failure));
    }
    return true;
}

static void end(struct kp_sender *sender)
{
    if (sender->is_forced) {
        if (sender->options.transaction_manager != NULL) {
            kp_transaction_manager_close(sender->options.transaction_manager);
        }
        kp_record_accumulator_abort_incomplete(sender->options.accumulator);
    }
    kp_network_client_close(sender->options.client, sender->last_pass_ms);
    sender->loop = KP_LOOP_ENDED;
    sender->change_count++;
    (void)KB_TRACE(sender->trace, 0, PRODUCER_CLOSED, producer_closed, .forced = sender->is_forced);
}

/* The conditions of the loops of Sender.run: false when all of them are over. */
static bool loops_on(struct kp_sender *sender)
{
    if (sender->loop == KP_LOOP_RUNNING && sender->is_running) {
        return true;
    }
    if (sender->loop == KP_LOOP_RUNNING) {
        sender->loop = KP_LOOP_DRAINING;
    }
    if (sender->loop == KP_LOOP_DRAINING && !sender->is_forced && has_work_left(sender)) {
        return true;
    }
    sender->loop = KP_LOOP_ENDING_TRANSACTION;
    return !sender->is_forced && has_transaction_to_end(sender);
}

/* --- A pass */

enum kp_sender_next kp_sender_begin_poll(struct kp_sender *sender, int64_t timeout_ms, int64_t now_ms)
{
    sender->poll_ms = timeout_ms;
    if (!kp_network_client_begin_poll(sender->options.client, &sender->poll_ms, now_ms)) {
        return KP_NEXT_AGAIN;
    }
    sender->is_polling = true;
    sender->until_ms = sender->poll_ms > INT64_MAX - now_ms ? INT64_MAX : now_ms + sender->poll_ms;
    return KP_NEXT_POLL;
}

static enum kp_sender_next run_once(struct kp_sender *sender, int64_t now_ms)
{
    enum kp_sender_next next = KP_NEXT_GO_ON;

    if (sender->options.transaction_manager != NULL) {
        next = kp_sender_run_transactions(sender, now_ms);
    }
    if (next != KP_NEXT_GO_ON) {
        return next;
    }
    return kp_sender_begin_poll(sender, kp_sender_send_producer_data(sender, now_ms), now_ms);
}

static uint64_t count_changes(const struct kp_sender *sender)
{
    const struct kp_transaction_manager *manager = sender->options.transaction_manager;

    return sender->change_count + kp_network_client_change_count(sender->options.client) +
           (manager != NULL ? kp_transaction_manager_change_count(manager) : 0) +
           kp_record_accumulator_completions(sender->options.accumulator)->batch_count;
}

static bool is_busy(const struct kp_sender *sender)
{
    return sender->step != KP_STEP_RUN;
}

/* The sender does not even look at the batches. */
static void announce_busy(struct kp_sender *sender, int64_t now_ms)
{
    int64_t left_ms = sender->until_ms == INT64_MAX ? 0 : sender->until_ms - now_ms;

    if (sender->trace != NULL && sender->drained_count == 0) {
        kp_record_accumulator_note_held_all(sender->options.accumulator, KB_HELD_SENDER_BUSY,
                                            left_ms > 0 ? left_ms : 0, now_ms);
    }
}

void kp_sender_decide(struct kp_sender *sender, int64_t now_ms)
{
    enum kp_sender_next next = KP_NEXT_AGAIN;

    sender->changes_at_decide = count_changes(sender);
    sender->last_pass_ms = now_ms;
    sender->ready_node_count = 0;
    sender->drained_count = 0;
    if (sender->loop == KP_LOOP_ENDED || sender->is_polling) {
        return; /* a poll of awaitReady goes on */
    }
    if (is_busy(sender)) {
        bool is_asleep = sender->step == KP_STEP_SLEEP_TO_SEND || sender->step == KP_STEP_SLEEP_TO_RETRY;

        if (is_asleep && now_ms < sender->until_ms) {
            return;
        }
        next = kp_sender_go_on(sender, now_ms);
    }
    for (int passes = 0; next == KP_NEXT_AGAIN; passes++) {
        if (!loops_on(sender)) {
            end(sender);
            return;
        }
        if (passes == PASSES_WITHOUT_POLL_MAX) {
            break; /* let the driver notice: it sees a pass that is never idle */
        }
        sender->pass++;
        next = run_once(sender, now_ms);
        sender->change_count += next == KP_NEXT_AGAIN;
    }
    if (is_busy(sender)) {
        announce_busy(sender, now_ms);
    }
}

/* A poll in which awaitReady waits ends when something came or its time is over; any other ends at once. */
static bool is_poll_over(const struct kp_sender *sender, int64_t now_ms)
{
    return sender->step != KP_STEP_AWAIT_POLL || now_ms >= sender->until_ms ||
           kp_network_client_has_reports(sender->options.client);
}

static void finish_poll(struct kp_sender *sender, int64_t now_ms)
{
    bool has_reports = kp_network_client_has_reports(sender->options.client);

    if (sender->is_polling ? !is_poll_over(sender, now_ms) : !has_reports) {
        return;
    }
    if (is_busy(sender) && sender->is_polling) {
        sender->change_count++; /* awaitReady goes on in the next pass, at the same time */
    }
    sender->is_polling = false;
    kp_network_client_digest(sender->options.client, now_ms);
}

void kp_sender_digest(struct kp_sender *sender, int64_t now_ms)
{
    sender->last_pass_ms = now_ms;
    if (sender->loop == KP_LOOP_ENDED) {
        return;
    }
    finish_poll(sender, now_ms);
    if (sender->trace != NULL && !kp_sender_is_idle(sender)) {
        (void)KB_TRACE(sender->trace, 0, SENDER_PASS, sender_pass, .poll_ms = sender->poll_ms,
                       .pass = (int64_t)sender->pass, .ready_nodes = sender->ready_node_count,
                       .drained = sender->drained_count,
                       .state = (int32_t)kp_sender_state(sender, &(int64_t){0}));
    }
}

/* --- Looking in */

bool kp_sender_is_idle(const struct kp_sender *sender)
{
    return count_changes(sender) == sender->changes_at_decide;
}

enum kb_sender_state kp_sender_state(const struct kp_sender *sender, int64_t *until_ms)
{
    *until_ms = INT64_MAX;
    if (sender->loop == KP_LOOP_ENDED) {
        return KB_SENDER_STATE_CLOSED;
    }
    switch (sender->step) {
    case KP_STEP_RUN:
        return KB_SENDER_STATE_RUN;
    case KP_STEP_FIRST_POLL:
    case KP_STEP_AWAIT_POLL:
        *until_ms = sender->until_ms;
        return KB_SENDER_STATE_AWAIT_READY;
    case KP_STEP_SLEEP_TO_SEND:
    case KP_STEP_SLEEP_TO_RETRY:
        *until_ms = sender->until_ms;
        return KB_SENDER_STATE_SLEEP;
    }
    KB_UNREACHABLE();
}

int64_t kp_sender_next_deadline_ms(const struct kp_sender *sender)
{
    int64_t now_ms = sender->last_pass_ms;
    int64_t deadline_ms;
    int64_t other_ms;

    if (sender->loop == KP_LOOP_ENDED) {
        return INT64_MAX;
    }
    if (!kp_sender_is_idle(sender)) {
        return now_ms;
    }
    if (is_busy(sender)) {
        return sender->until_ms;
    }
    deadline_ms = kp_record_accumulator_next_deadline_ms(sender->options.accumulator, now_ms);
    other_ms = kp_network_client_next_deadline_ms(sender->options.client, now_ms);
    if (other_ms < deadline_ms) {
        deadline_ms = other_ms;
    }
    other_ms = kp_record_accumulator_next_expiry_ms(sender->options.accumulator);
    if (other_ms > now_ms && other_ms < deadline_ms) {
        deadline_ms = other_ms;
    }
    return deadline_ms;
}
