#include "core/partitioner.h"

#include "base/allocator.h"
#include "base/assert.h"
#include "base/murmur2.h"
#include "core/memory.h"
#include "wire/errors.h"

void kp_partitioner_init(struct kp_partitioner_state *partitioner, const struct linger_allocator *allocator,
                         struct kb_trace *trace, enum kp_partitioner_kind kind,
                         const struct kp_partitioner *custom, const struct kp_chance *chance)
{
    KB_ASSERT(kind != KP_PARTITIONER_CUSTOM || custom != NULL);
    *partitioner = (struct kp_partitioner_state){.kind = kind};
    if (custom != NULL) {
        partitioner->custom = *custom;
    }
    kp_sticky_partition_cache_init(&partitioner->sticky, allocator, trace, chance);
}

void kp_partitioner_release(struct kp_partitioner_state *partitioner)
{
    kb_deallocate(partitioner->sticky.allocator, partitioner->counters,
                  partitioner->counter_capacity * sizeof *partitioner->counters);
    kp_sticky_partition_cache_release(&partitioner->sticky);
}

static bool choose_sticky(struct kp_partitioner_state *partitioner, const struct kp_topic *topic,
                          const struct kp_topic_view *view, struct kp_partition_choice *out)
{
    out->why = KB_PARTITION_WHY_STICKY;
    out->partition = kp_sticky_partition_cache_partition(&partitioner->sticky, topic, view);
    return out->partition >= 0;
}

static bool choose_round_robin(struct kp_partitioner_state *partitioner, const struct kp_topic *topic,
                               const struct kp_topic_view *view, struct kp_partition_choice *out)
{
    if (!kp_grow(partitioner->sticky.allocator, &partitioner->counters, &partitioner->counter_capacity,
                 topic->index + 1, sizeof *partitioner->counters)) {
        return false;
    }
    int32_t number = kb_to_positive((int32_t)partitioner->counters[topic->index]++);
    out->why = KB_PARTITION_WHY_ROUND_ROBIN;
    out->partition = view->available_count > 0 ? view->available[number % view->available_count]
                                               : number % view->partition_count;
    return true;
}

bool kp_partitioner_choose(struct kp_partitioner_state *partitioner, const struct kp_topic *topic,
                           const struct kp_topic_view *view, struct kp_bytes key, struct kp_bytes value,
                           struct kp_partition_choice *out, struct kp_failure *failure)
{
    *out = (struct kp_partition_choice){0};
    if (partitioner->kind != KP_PARTITIONER_CUSTOM && partitioner->kind != KP_PARTITIONER_NONE &&
        view->partition_count < 1) {
        kp_failure_throw(failure, "ArithmeticException", "/ by zero");
        return false;
    }
    bool is_chosen = true;
    switch (partitioner->kind) {
    case KP_PARTITIONER_DEFAULT:
        if (key.length_bytes < 0) {
            is_chosen = choose_sticky(partitioner, topic, view, out);
            break;
        }
        out->why = KB_PARTITION_WHY_MURMUR2;
        out->murmur2 = kb_murmur2(key.data, (size_t)key.length_bytes);
        out->partition = kb_to_positive(out->murmur2) % view->partition_count;
        break;
    case KP_PARTITIONER_UNIFORM_STICKY:
        is_chosen = choose_sticky(partitioner, topic, view, out);
        break;
    case KP_PARTITIONER_ROUND_ROBIN:
        is_chosen = choose_round_robin(partitioner, topic, view, out);
        break;
    case KP_PARTITIONER_CUSTOM:
        out->why = KB_PARTITION_WHY_CUSTOM;
        out->partition = partitioner->custom.partition(partitioner->custom.context, view, key, value);
        break;
    case KP_PARTITIONER_NONE:
        kp_failure_throw(failure, "NullPointerException", NULL);
        return false;
    }
    if (!is_chosen) {
        kp_failure_throw(failure, kw_error_exception(KW_ERROR_OUT_OF_MEMORY),
                         kw_error_message(KW_ERROR_OUT_OF_MEMORY));
    }
    return is_chosen;
}

void kp_partitioner_on_new_batch(struct kp_partitioner_state *partitioner, const struct kp_topic *topic,
                                 const struct kp_topic_view *view, int32_t previous_partition)
{
    switch (partitioner->kind) {
    case KP_PARTITIONER_DEFAULT:
    case KP_PARTITIONER_UNIFORM_STICKY:
        if (view->partition_count > 0) {
            (void)kp_sticky_partition_cache_next(&partitioner->sticky, topic, view, previous_partition);
        }
        break;
    case KP_PARTITIONER_CUSTOM:
        if (partitioner->custom.on_new_batch != NULL) {
            partitioner->custom.on_new_batch(partitioner->custom.context, view, previous_partition);
        }
        break;
    case KP_PARTITIONER_ROUND_ROBIN:
    case KP_PARTITIONER_NONE:
        break;
    }
}
