#include "mockbroker/delayed_produce.h"

#include "base/assert.h"
#include "base/planted.h"
#include "mockbroker/connection.h"
#include "mockbroker/partition.h"
#include "mockbroker/request.h"

static void unlink_all(struct mb_delayed_produce *produce)
{
    for (uint32_t i = 0; i < produce->wait_count; i++) {
        if (kb_list_node_is_linked(&produce->waits[i].of_partition)) {
            kb_list_remove(&produce->waits[i].of_partition);
        }
    }
    mb_timer_cancel(produce->request->cluster, &produce->expiry);
    produce->request->produce = NULL;
}

/* Everything is replicated that was to be. */
static bool reaches_point(const struct mb_delayed_produce *produce)
{
    for (uint32_t i = 0; i < produce->wait_count; i++) {
        if (produce->waits[i].status->error_code != KW_ERROR_NONE) {
            return false;
        }
    }
    return produce->wait_count > 0 &&
           mb_point_reached(produce->request, MB_POINT_AFTER_REPLICATION, MB_WHOLE_REQUEST, -1);
}

static void complete(struct mb_delayed_produce *produce)
{
    unlink_all(produce);
    if (reaches_point(produce)) {
        return;
    }
    mb_produce_respond(produce->request, produce->response);
}

/* Those that still wait answer REQUEST_TIMED_OUT, which is what their status holds. Kafka: onExpiration. */
static void expire(struct mb_cluster *cluster, struct mb_timer *timer)
{
    (void)cluster;
    struct mb_delayed_produce *produce = KB_CONTAINER_OF(timer, struct mb_delayed_produce, expiry);
    for (uint32_t i = 0; i < produce->wait_count && KB_PLANTED(TIMED_OUT_IS_SUCCESS); i++) {
        produce->waits[i].status->error_code = KW_ERROR_NONE;
    }
    complete(produce);
}

/* Is one partition's wait over? */
static bool look(struct mb_produce_wait *wait)
{
    enum kw_error error = KW_ERROR_NONE;
    if (!mb_partition_has_reached(wait->partition, wait->required_offset, &error)) {
        return false;
    }
    wait->status->error_code = (int16_t)error;
    return true;
}

static void announce(const struct mb_produce_wait *wait)
{
    const struct mb_request *request = wait->produce->request;
    const struct mb_topic_partition *tp = wait->partition->tp;
    KB_TRACE(request->cluster->trace, 0, PRODUCE_PARKED, produce_parked,
             .required_offset = wait->required_offset, .broker = request->broker->id,
             .connection = request->connection->id, .request = (uint32_t)request->correlation_id,
             .topic = tp->topic->trace_name, .partition = tp->index);
}

void mb_delayed_produce_begin(struct mb_delayed_produce *produce, int32_t timeout_ms)
{
    struct mb_request *request = produce->request;
    struct mb_cluster *cluster = request->cluster;
    produce->expiry = (struct mb_timer){.fire = expire, .broker = request->broker};
    request->produce = produce;
    for (uint32_t i = 0; i < produce->wait_count; i++) {
        struct mb_produce_wait *wait = &produce->waits[i];
        if (!look(wait)) {
            produce->pending_count++;
            kb_list_push_back(&wait->partition->produces, &wait->of_partition);
            announce(wait);
        }
    }
    if (produce->pending_count == 0 || timeout_ms <= 0) {
        complete(produce);
    } else {
        mb_timer_set(cluster, &produce->expiry, cluster->now_us + (int64_t)timeout_ms * 1000);
    }
}

void mb_delayed_produces_try(struct mb_partition *partition)
{
    struct kb_list_node *next = NULL;
    for (struct kb_list_node *node = kb_list_first(&partition->produces); node != NULL; node = next) {
        next = kb_list_next(&partition->produces, node);
        struct mb_produce_wait *wait = KB_CONTAINER_OF(node, struct mb_produce_wait, of_partition);
        if (look(wait)) {
            kb_list_remove(node);
            KB_ASSERT(wait->produce->pending_count > 0);
            if (--wait->produce->pending_count == 0) {
                complete(wait->produce);
            }
        }
    }
}

void mb_delayed_produce_cancel(struct mb_delayed_produce *produce)
{
    unlink_all(produce);
}
