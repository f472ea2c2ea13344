/* OffsetFetch. Kafka: KafkaApis.handleOffsetFetchRequest, GroupMetadataManager.getOffsets. */

#include "mockbroker/group_coordinator.h"
#include "wire/message_structs.h"
#include "wire/record_batch.h"

/* What is known of one partition, in either form of the answer. */
struct fetched {
    int64_t offset;
    int32_t leader_epoch;
    struct kw_string metadata;
    int16_t error;
};

static struct fetched fetch(const struct mb_group *group, const struct mb_topic_partition *tp,
                            bool require_stable)
{
    struct fetched fetched = {-1, -1, {"", 0}, KW_ERROR_NONE};
    bool is_unstable = false;
    const struct mb_committed_offset *offset =
        group == NULL || tp == NULL ? NULL : mb_group_offset(group, tp, &is_unstable);
    if (require_stable && is_unstable) {
        fetched.error = KW_ERROR_UNSTABLE_OFFSET_COMMIT;
    } else if (offset != NULL) {
        fetched.offset = offset->offset;
        fetched.leader_epoch = offset->leader_epoch;
        fetched.metadata = (struct kw_string){offset->metadata, offset->metadata_length_bytes};
    }
    return fetched;
}

static struct mb_topic_partition *find(const struct mb_request *request, struct kw_string name, int32_t index)
{
    const struct mb_topic *topic = mb_topic_find(request->cluster, name.data, name.length_bytes);
    return topic == NULL ? NULL : mb_topic_partition_at(topic, index);
}

/* Topics of which the group has an offset that counts, each once. */
static bool is_listed_before(const struct mb_group *group, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++) {
        if (group->offsets[i].producer_id == KW_NO_PRODUCER_ID &&
            group->offsets[i].tp->topic == group->offsets[index].tp->topic) {
            return true;
        }
    }
    return false;
}

/* The request for everything, as one that names everything. */
static void name_all(struct mb_request *request, const struct mb_group *group,
                     struct kw_offset_fetch_request_topic_array *topics)
{
    uint32_t count = group == NULL ? 0 : group->offset_count;
    topics->count = 0;
    topics->items = mb_request_take(request, count, sizeof *topics->items);
    for (uint32_t i = 0; i < count; i++) {
        const struct mb_topic *topic = group->offsets[i].tp->topic;
        if (group->offsets[i].producer_id != KW_NO_PRODUCER_ID || is_listed_before(group, i)) {
            continue;
        }
        struct kw_offset_fetch_request_topic *named = &topics->items[topics->count++];
        named->name = (struct kw_string){topic->name, topic->name_length_bytes};
        named->partition_indexes.items = mb_request_take(request, count, sizeof(int32_t));
        named->partition_indexes.count = 0;
        for (uint32_t j = i; j < count; j++) {
            if (group->offsets[j].tp->topic == topic && group->offsets[j].producer_id == KW_NO_PRODUCER_ID) {
                named->partition_indexes.items[named->partition_indexes.count++] =
                    group->offsets[j].tp->index;
            }
        }
    }
}

/* --- Versions 0 to 7: one group --- */

static void answer_one(struct mb_request *request, const struct kw_offset_fetch_request *asked,
                       struct kw_offset_fetch_response *response)
{
    struct mb_group *group = NULL;
    struct mb_partition *partition = NULL;
    int32_t injected = mb_strike_error(request, NULL, 0, -1);
    enum kw_error error = mb_group_find(request->broker, asked->group_id, &group, &partition);
    struct kw_offset_fetch_request_topic_array topics = asked->topics;
    if (injected != 0) {
        error = (enum kw_error)injected;
    }
    if (topics.count < 0) {
        name_all(request, group, &topics);
    }
    response->error_code = (int16_t)error;
    response->topics.count = error != KW_ERROR_NONE && request->version >= 2 ? 0 : topics.count;
    response->topics.items =
        mb_request_take(request, (size_t)response->topics.count, sizeof *response->topics.items);
    for (int32_t i = 0; i < response->topics.count; i++) {
        const struct kw_offset_fetch_request_topic *in = &topics.items[i];
        struct kw_offset_fetch_response_topic *out = &response->topics.items[i];
        kw_offset_fetch_response_topic_init(out);
        out->name = in->name;
        out->partitions.count = in->partition_indexes.count;
        out->partitions.items =
            mb_request_take(request, (size_t)out->partitions.count, sizeof *out->partitions.items);
        for (int32_t j = 0; j < out->partitions.count; j++) {
            struct kw_offset_fetch_response_partition *result = &out->partitions.items[j];
            int32_t index = in->partition_indexes.items[j];
            struct fetched fetched = fetch(group, find(request, in->name, index), asked->require_stable);
            kw_offset_fetch_response_partition_init(result);
            result->partition_index = index;
            result->committed_offset = fetched.offset;
            result->committed_leader_epoch = fetched.leader_epoch;
            result->metadata = fetched.metadata;
            result->error_code = error != KW_ERROR_NONE ? (int16_t)error : fetched.error;
        }
    }
}

/* --- Version 8: several groups --- */

static void answer_group(struct mb_request *request, const struct kw_offset_fetch_request_group *asked,
                         bool require_stable, struct kw_offset_fetch_response_group *out)
{
    struct mb_group *group = NULL;
    struct mb_partition *partition = NULL;
    int32_t injected = mb_strike_error(request, NULL, 0, -1);
    enum kw_error error = mb_group_find(request->broker, asked->group_id, &group, &partition);
    struct kw_offset_fetch_request_topic_array all = {NULL, 0};
    bool wants_all = asked->topics.count < 0;
    kw_offset_fetch_response_group_init(out);
    out->group_id = asked->group_id;
    out->error_code = (int16_t)(injected != 0 ? injected : (int32_t)error);
    if (out->error_code != KW_ERROR_NONE) {
        return;
    }
    if (wants_all) {
        name_all(request, group, &all);
    }
    out->topics.count = wants_all ? all.count : asked->topics.count;
    out->topics.items = mb_request_take(request, (size_t)out->topics.count, sizeof *out->topics.items);
    for (int32_t i = 0; i < out->topics.count; i++) {
        struct kw_offset_fetch_response_group_topic *topic = &out->topics.items[i];
        struct kw_int32_array indexes =
            wants_all ? all.items[i].partition_indexes : asked->topics.items[i].partition_indexes;
        kw_offset_fetch_response_group_topic_init(topic);
        topic->name = wants_all ? all.items[i].name : asked->topics.items[i].name;
        topic->partitions.count = indexes.count;
        topic->partitions.items =
            mb_request_take(request, (size_t)indexes.count, sizeof *topic->partitions.items);
        for (int32_t j = 0; j < indexes.count; j++) {
            struct kw_offset_fetch_response_group_partition *result = &topic->partitions.items[j];
            struct fetched fetched =
                fetch(group, find(request, topic->name, indexes.items[j]), require_stable);
            kw_offset_fetch_response_group_partition_init(result);
            result->partition_index = indexes.items[j];
            result->committed_offset = fetched.offset;
            result->committed_leader_epoch = fetched.leader_epoch;
            result->metadata = fetched.metadata;
            result->error_code = fetched.error;
        }
    }
}

void mb_handle_offset_fetch(struct mb_request *request)
{
    const struct kw_offset_fetch_request *asked = request->body;
    struct kw_offset_fetch_response response;
    int32_t error = KW_ERROR_NONE;
    kw_offset_fetch_response_init(&response);
    response.throttle_time_ms = request->throttle_ms;
    if (request->version < 8) {
        answer_one(request, asked, &response);
        error = response.error_code;
    } else {
        response.groups.count = asked->groups.count;
        response.groups.items =
            mb_request_take(request, (size_t)asked->groups.count, sizeof *response.groups.items);
        for (int32_t i = 0; i < asked->groups.count; i++) {
            answer_group(request, &asked->groups.items[i], asked->require_stable, &response.groups.items[i]);
            error = error != KW_ERROR_NONE ? error : response.groups.items[i].error_code;
        }
    }
    mb_request_respond(request, &response, error, NULL);
}
