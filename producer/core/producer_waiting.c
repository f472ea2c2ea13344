#include "core/producer_internal.h"

#include "base/assert.h"

#include <string.h>

int64_t kp_deadline_ms(int64_t start_ms, int64_t wait_ms)
{
    return wait_ms > INT64_MAX - start_ms ? INT64_MAX : start_ms + wait_ms;
}

enum kw_error kp_error_of_failure(const struct kp_failure *failure)
{
    static const enum kw_error errors[] = {
#define KW_ERROR_ROW(code, name, exception, retriable, refreshes_metadata, message) KW_ERROR_##name,
#include "wire/errors.def"
#undef KW_ERROR_ROW
    };
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (strcmp(kw_error_exception(errors[i]), failure->thrown.exception) == 0) {
            return errors[i];
        }
    }
    return KW_ERROR_UNKNOWN_SERVER_ERROR;
}

void kp_outcome_clear(struct kp_outcome *out)
{
    out->kind = KP_OUTCOME_DONE;
    out->partition = -1;
    out->wakes_sender = false;
    out->wait = -1;
    out->ticket = 0;
    out->deadline_ms = INT64_MAX;
    /* Not all of it: it is large, and this is the path of every record. */
    out->failure.thrown.exception[0] = '\0';
    out->failure.thrown.has_message = false;
    out->failure.thrown.message[0] = '\0';
    out->failure.cause_count = 0;
}

static bool is_send(const struct kp_waiting *waiting)
{
    return waiting->kind == KP_WAITING_FOR_METADATA || waiting->kind == KP_WAITING_FOR_MEMORY;
}

static struct kp_send *send_of(struct kp_waiting *waiting)
{
    return KB_CONTAINER_OF(waiting, struct kp_send, waiting);
}

static struct kp_call *call_of(struct kp_waiting *waiting)
{
    return KB_CONTAINER_OF(waiting, struct kp_call, waiting);
}

void kp_waiting_begin(struct kp_producer *producer, struct kp_waiting *waiting, enum kp_waiting_kind kind,
                      int64_t deadline_ms, int64_t now_ms, struct kp_outcome *out)
{
    if (waiting->ticket == 0) {
        waiting->ticket = ++producer->last_ticket;
    } else if (kb_list_node_is_linked(&waiting->node)) {
        kb_list_remove(&waiting->node);
    }
    waiting->kind = kind;
    waiting->since_ms = now_ms;
    waiting->deadline_ms = deadline_ms;
    kb_list_push_back(&producer->waiting, &waiting->node);
    kp_waiting_continue(waiting, out);
}

void kp_waiting_continue(const struct kp_waiting *waiting, struct kp_outcome *out)
{
    out->kind = KP_OUTCOME_BLOCKED;
    out->ticket = waiting->ticket;
    out->deadline_ms = waiting->deadline_ms;
    out->wait = -1;
    if (is_send(waiting)) {
        out->wait = waiting->kind == KP_WAITING_FOR_METADATA ? KB_WAIT_METADATA : KB_WAIT_MEMORY;
    }
}

void kp_waiting_end(struct kp_producer *producer, struct kp_waiting *waiting)
{
    if (waiting->ticket != 0) {
        kb_list_remove(&waiting->node);
        waiting->ticket = 0;
        producer->change_count++;
    }
}

bool kp_producer_next_runnable(struct kp_producer *producer, int64_t now_ms, uint64_t *ticket)
{
    KB_LIST_FOR_EACH(node, &producer->waiting)
    {
        struct kp_waiting *waiting = KB_CONTAINER_OF(node, struct kp_waiting, node);
        if (is_send(waiting) ? kp_send_is_runnable(producer, send_of(waiting), now_ms)
                             : kp_call_is_runnable(producer, call_of(waiting), now_ms)) {
            *ticket = waiting->ticket;
            return true;
        }
    }
    return false;
}

void kp_producer_resume(struct kp_producer *producer, uint64_t ticket, int64_t now_ms, struct kp_outcome *out)
{
    kp_outcome_clear(out);
    KB_LIST_FOR_EACH(node, &producer->waiting)
    {
        struct kp_waiting *waiting = KB_CONTAINER_OF(node, struct kp_waiting, node);
        if (waiting->ticket != ticket) {
            continue;
        }
        if (is_send(waiting)) {
            kp_send_resume(producer, send_of(waiting), now_ms, out);
            kp_producer_measure_send(producer, out, now_ms);
        } else {
            kp_call_resume(producer, call_of(waiting), now_ms, out);
        }
        return;
    }
    KB_ASSERT(false); /* no such ticket: it was resumed to its end before, or never given */
}

int64_t kp_producer_next_deadline_ms(const struct kp_producer *producer)
{
    int64_t deadline_ms = kp_sender_next_deadline_ms(producer->sender);
    KB_LIST_FOR_EACH(node, &producer->waiting)
    {
        const struct kp_waiting *waiting = KB_CONTAINER_OF(node, struct kp_waiting, node);
        deadline_ms = waiting->deadline_ms < deadline_ms ? waiting->deadline_ms : deadline_ms;
    }
    return deadline_ms;
}
