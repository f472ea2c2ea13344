/* Fetch, by followers and consumers. Kafka: KafkaApis.handleFetchRequest. */

#include "mockbroker/broker.h"
#include "mockbroker/client_quota.h"
#include "mockbroker/connection.h"
#include "mockbroker/delayed_fetch.h"
#include "mockbroker/request.h"

#include <string.h>

static void refuse(struct mb_request *request, enum kw_error error)
{
    struct kw_fetch_response response;
    kw_fetch_response_init(&response);
    response.throttle_time_ms = request->throttle_ms;
    response.error_code = (int16_t)error;
    mb_request_respond(request, &response, error, NULL);
}

static struct kw_string keep(struct mb_request *request, struct kw_string name)
{
    char *copy = mb_request_take(request, (size_t)name.length_bytes + 1, 1);
    if (name.length_bytes > 0) {
        memcpy(copy, name.data, (size_t)name.length_bytes);
    }
    return (struct kw_string){copy, name.length_bytes};
}

/* Everything that a request without a session names. */
static void list_waits(struct mb_request *request, const struct kw_fetch_request *asked,
                       struct mb_delayed_fetch *fetch)
{
    uint32_t total = 0;
    for (int32_t i = 0; i < asked->topics.count; i++) {
        total += (uint32_t)asked->topics.items[i].partitions.count;
    }
    fetch->waits = mb_request_take(request, total, sizeof *fetch->waits);
    for (int32_t i = 0; i < asked->topics.count; i++) {
        const struct kw_fetch_request_topic *topic = &asked->topics.items[i];
        struct kw_string name = keep(request, topic->topic);
        const struct mb_topic *found = mb_topic_find(request->cluster, name.data, name.length_bytes);
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            const struct kw_fetch_request_partition *in = &topic->partitions.items[j];
            struct mb_topic_partition *tp =
                found == NULL ? NULL : mb_topic_partition_at(found, in->partition);
            fetch->waits[fetch->wait_count++] = (struct mb_fetch_wait){
                .fetch = fetch,
                .spec = {.tp = tp,
                         .partition = tp == NULL ? NULL : mb_partition_online(request->broker, tp),
                         .topic = name,
                         .index = in->partition,
                         .fetch_offset = in->fetch_offset,
                         .current_leader_epoch = in->current_leader_epoch,
                         .last_fetched_epoch = in->last_fetched_epoch,
                         .max_bytes = in->partition_max_bytes},
            };
        }
    }
}

static enum mb_fetch_isolation isolation_of(const struct kw_fetch_request *asked)
{
    if (asked->replica_id >= 0) {
        return MB_FETCH_LOG_END;
    }
    return asked->isolation_level == MB_READ_COMMITTED ? MB_FETCH_COMMITTED : MB_FETCH_HIGH_WATERMARK;
}

void mb_handle_fetch(struct mb_request *request)
{
    const struct kw_fetch_request *asked = request->body;
    struct mb_delayed_fetch *fetch = mb_request_take(request, 1, sizeof *fetch);
    const struct mb_broker *follower =
        asked->replica_id >= 0 ? mb_broker_of(request->cluster, asked->replica_id) : NULL;
    /* A consumer is not given more than would be throttled for certain. */
    int64_t limit_bytes = mb_setting(request->cluster, MB_SETTING_FETCH_MAX_BYTES);
    int64_t quota_bytes = mb_quota_most_bytes(request, MB_QUOTA_FETCH);
    int32_t max_bytes = (int32_t)(quota_bytes < limit_bytes ? quota_bytes : limit_bytes);
    max_bytes = asked->max_bytes < max_bytes ? asked->max_bytes : max_bytes;
    *fetch = (struct mb_delayed_fetch){
        .request = request,
        .is_follower = asked->replica_id >= 0,
        .follower = follower != NULL ? follower->index : -1,
        .isolation = isolation_of(asked),
        /* Since v11 a consumer may read from a follower. */
        .must_lead = asked->replica_id >= 0 || request->version < 11,
        .min_bytes = asked->min_bytes < max_bytes ? asked->min_bytes : max_bytes,
        .max_bytes = max_bytes,
        .has_hard_limit = request->version <= 2,
    };
    enum kw_error error = KW_ERROR_NONE;
    if (follower != NULL && asked->session_epoch >= 0) {
        fetch->session = mb_fetch_session_update(request->connection, follower->index, asked, &error);
        fetch->is_full = asked->session_epoch == 0;
    } else if (asked->session_epoch > 0) {
        error = KW_ERROR_FETCH_SESSION_ID_NOT_FOUND;
    } else {
        if (request->connection->session != NULL && asked->session_epoch == -1) {
            mb_fetch_session_close(request->connection->session);
        }
        list_waits(request, asked, fetch);
    }
    if (error != KW_ERROR_NONE) {
        refuse(request, error);
        return;
    }
    mb_delayed_fetch_begin(fetch, asked->max_wait_ms);
}
