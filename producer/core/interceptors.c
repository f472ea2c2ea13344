#include "core/interceptors.h"

#include "base/allocator.h"

#include <string.h>

bool kp_interceptors_init(struct kp_interceptors *interceptors, const struct linger_allocator *allocator,
                          struct kb_trace *trace, const struct kp_interceptor *list, uint32_t count)
{
    *interceptors = (struct kp_interceptors){.allocator = allocator, .trace = trace};
    if (count == 0) {
        return true;
    }
    interceptors->list = kb_allocate_zeroed(allocator, count, sizeof *list);
    if (interceptors->list == NULL) {
        return false;
    }
    memcpy(interceptors->list, list, count * sizeof *list);
    interceptors->count = count;
    return true;
}

void kp_interceptors_release(struct kp_interceptors *interceptors)
{
    kb_deallocate(interceptors->allocator, interceptors->list,
                  interceptors->count * sizeof *interceptors->list);
    interceptors->list = NULL;
    interceptors->count = 0;
}

void kp_interceptors_on_send(const struct kp_interceptors *interceptors, struct kp_record *record)
{
    if (interceptors->count == 0) {
        return;
    }
    uint32_t failed = 0;
    for (uint32_t i = 0; i < interceptors->count; i++) {
        const struct kp_interceptor *interceptor = &interceptors->list[i];
        if (interceptor->on_send == NULL) {
            continue;
        }
        struct kp_record changed = *record;
        if (interceptor->on_send(interceptor->context, &changed)) {
            *record = changed;
        } else {
            failed++;
        }
    }
    KB_TRACE(interceptors->trace, 0, RECORD_INTERCEPTED, record_intercepted, .record = record->id,
             .interceptors = interceptors->count, .failed = failed);
}

void kp_interceptors_on_acknowledgement(const struct kp_interceptors *interceptors,
                                        const struct kp_record_metadata *metadata,
                                        const struct kp_failure *failure)
{
    for (uint32_t i = 0; i < interceptors->count; i++) {
        const struct kp_interceptor *interceptor = &interceptors->list[i];
        if (interceptor->on_acknowledgement != NULL) {
            /* One that fails is passed over. */
            (void)interceptor->on_acknowledgement(interceptor->context, metadata, failure);
        }
    }
}

void kp_interceptors_on_send_error(const struct kp_interceptors *interceptors, const char *topic,
                                   int32_t partition, const struct kp_failure *failure)
{
    struct kp_record_metadata metadata = {.topic = topic,
                                          .partition = partition,
                                          .offset = -1,
                                          .timestamp_ms = -1,
                                          .key_bytes = -1,
                                          .value_bytes = -1};
    kp_interceptors_on_acknowledgement(interceptors, &metadata, failure);
}
