#include "core/in_flight_requests.h"

#include "base/assert.h"
#include "base/planted.h"
#include "core/memory.h"

void kp_in_flight_add(struct kp_in_flight_queue *queue, struct kp_in_flight_request *request)
{
    request->newer = NULL;
    request->older = queue->newest;
    if (queue->newest != NULL) {
        queue->newest->newer = request;
    } else {
        queue->oldest = request;
    }
    queue->newest = request;
    queue->count++;
}

struct kp_in_flight_request *kp_in_flight_take_oldest(struct kp_in_flight_queue *queue)
{
    struct kp_in_flight_request *request = queue->oldest;

    if (request == NULL) {
        return NULL;
    }
    queue->oldest = request->newer;
    if (queue->oldest != NULL) {
        queue->oldest->older = NULL;
    } else {
        queue->newest = NULL;
    }
    request->newer = NULL;
    queue->count--;
    return request;
}

struct kp_in_flight_request *kp_in_flight_take_newest(struct kp_in_flight_queue *queue)
{
    struct kp_in_flight_request *request = queue->newest;

    if (request == NULL) {
        return NULL;
    }
    queue->newest = request->older;
    if (queue->newest != NULL) {
        queue->newest->newer = NULL;
    } else {
        queue->oldest = NULL;
    }
    request->older = NULL;
    queue->count--;
    return request;
}

bool kp_in_flight_can_send_more(const struct kp_in_flight_queue *queue, uint32_t max_count)
{
    uint32_t limit = max_count + KB_PLANTED(ONE_IN_FLIGHT_TOO_MANY);

    return queue->newest == NULL || (queue->newest->is_sent && queue->count < limit);
}

bool kp_in_flight_has_expired(const struct kp_in_flight_queue *queue, int64_t now_ms)
{
    for (const struct kp_in_flight_request *r = queue->newest; r != NULL; r = r->older) {
        if (now_ms - r->sent_ms > r->request.request_timeout_ms) {
            return true;
        }
    }
    return false;
}

int64_t kp_in_flight_next_expiry_ms(const struct kp_in_flight_queue *queue)
{
    int64_t expiry_ms = INT64_MAX;

    for (const struct kp_in_flight_request *r = queue->newest; r != NULL; r = r->older) {
        if (r->sent_ms + r->request.request_timeout_ms + 1 < expiry_ms) {
            expiry_ms = r->sent_ms + r->request.request_timeout_ms + 1;
        }
    }
    return expiry_ms;
}

struct kp_in_flight_request *kp_in_flight_pool_take(struct kp_in_flight_pool *pool)
{
    struct kp_in_flight_request *request = pool->free;

    if (request == NULL) {
        return kb_allocate_zeroed(pool->allocator, 1, sizeof(*request));
    }
    pool->free = request->next;
    *request = (struct kp_in_flight_request){
        .frame = request->frame,
        .frame_capacity = request->frame_capacity,
        .wire_segments = request->wire_segments,
        .wire_segment_capacity = request->wire_segment_capacity,
        .segments = request->segments,
        .segment_capacity = request->segment_capacity,
        .version_mismatch = request->version_mismatch,
    };
    return request;
}

void kp_in_flight_pool_give(struct kp_in_flight_pool *pool, struct kp_in_flight_request *request)
{
    KB_ASSERT(request->older == NULL && request->newer == NULL);
    request->next = pool->free;
    pool->free = request;
}

void kp_in_flight_pool_release(struct kp_in_flight_pool *pool)
{
    for (struct kp_in_flight_request *request = pool->free, *next; request != NULL; request = next) {
        next = request->next;
        kb_deallocate(pool->allocator, request->frame, request->frame_capacity);
        kb_deallocate(pool->allocator, request->wire_segments,
                      request->wire_segment_capacity * sizeof(*request->wire_segments));
        kb_deallocate(pool->allocator, request->segments,
                      request->segment_capacity * sizeof(*request->segments));
        kb_deallocate(pool->allocator, request->version_mismatch, KP_VERSION_MISMATCH_TEXT_BYTES);
        kb_deallocate(pool->allocator, request, sizeof(*request));
    }
    pool->free = NULL;
}
