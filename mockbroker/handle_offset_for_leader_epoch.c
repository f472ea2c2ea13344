/* OffsetForLeaderEpoch: where an epoch ended. Kafka: ReplicaManager.lastOffsetForLeaderEpoch. */

#include "mockbroker/broker.h"
#include "mockbroker/connection.h"
#include "mockbroker/partition.h"
#include "mockbroker/request.h"
#include "wire/message_structs.h"

static int32_t answer_partition(struct mb_request *request, struct kw_string name,
                                const struct kw_offset_for_leader_epoch_request_partition *in,
                                struct mb_epoch_end *end)
{
    const struct mb_topic *topic = mb_topic_find(request->cluster, name.data, name.length_bytes);
    const struct mb_topic_partition *tp = topic == NULL ? NULL : mb_topic_partition_at(topic, in->partition);
    const struct mb_partition *partition = tp == NULL ? NULL : mb_partition_online(request->broker, tp);
    if (partition == NULL) {
        return tp != NULL && mb_broker_knows(request->broker, tp) != NULL
                   ? KW_ERROR_NOT_LEADER_OR_FOLLOWER
                   : KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    }
    enum kw_error error = mb_partition_check_epoch(partition, in->current_leader_epoch, true);
    if (error == KW_ERROR_NONE) {
        *end = mb_epoch_cache_end_offset_for(&partition->log.epochs, in->leader_epoch,
                                             partition->log.end_offset);
    }
    return error;
}

void mb_handle_offset_for_leader_epoch(struct mb_request *request)
{
    const struct kw_offset_for_leader_epoch_request *asked = request->body;
    struct kw_offset_for_leader_epoch_response response;
    int32_t first_error = KW_ERROR_NONE;
    kw_offset_for_leader_epoch_response_init(&response);
    response.throttle_time_ms = request->throttle_ms;
    response.topics.count = asked->topics.count;
    response.topics.items =
        mb_request_take(request, (size_t)asked->topics.count, sizeof *response.topics.items);
    for (int32_t i = 0; i < asked->topics.count; i++) {
        const struct kw_offset_for_leader_epoch_request_topic *in = &asked->topics.items[i];
        struct kw_offset_for_leader_epoch_response_topic *out = &response.topics.items[i];
        kw_offset_for_leader_epoch_response_topic_init(out);
        out->topic = in->topic;
        out->partitions.count = in->partitions.count;
        out->partitions.items =
            mb_request_take(request, (size_t)in->partitions.count, sizeof *out->partitions.items);
        for (int32_t j = 0; j < in->partitions.count; j++) {
            struct kw_offset_for_leader_epoch_response_partition *answer = &out->partitions.items[j];
            struct mb_epoch_end end = {MB_UNDEFINED_EPOCH, MB_UNDEFINED_EPOCH_OFFSET};
            kw_offset_for_leader_epoch_response_partition_init(answer);
            answer->partition = in->partitions.items[j].partition;
            answer->error_code =
                (int16_t)answer_partition(request, in->topic, &in->partitions.items[j], &end);
            answer->leader_epoch = end.epoch;
            answer->end_offset = end.end_offset;
            first_error = first_error != KW_ERROR_NONE ? first_error : answer->error_code;
        }
    }
    mb_request_respond(request, &response, first_error, NULL);
}
