/* OffsetCommit and TxnOffsetCommit: the same thing, the second one within a transaction.
 * Kafka: KafkaApis.handleOffsetCommitRequest, handleTxnOffsetCommitRequest,
 * GroupCoordinator.handleCommitOffsets, handleTxnCommitOffsets. */

#include "mockbroker/broker.h"
#include "mockbroker/group_coordinator.h"
#include "wire/message_structs.h"
#include "wire/record_batch.h"

enum { METADATA_MAX_BYTES = 4096 }; /* offset.metadata.max.bytes */

/* Of one partition, before anything is written. */
static enum kw_error check(struct mb_request *request, struct kw_string name, int32_t index,
                           struct kw_string metadata, struct mb_topic_partition **tp)
{
    const struct mb_topic *topic = mb_topic_find(request->cluster, name.data, name.length_bytes);
    *tp = topic == NULL ? NULL : mb_topic_partition_at(topic, index);
    if (*tp == NULL || mb_broker_knows(request->broker, *tp) == NULL) {
        *tp = NULL;
        return KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    }
    return metadata.length_bytes > METADATA_MAX_BYTES ? KW_ERROR_OFFSET_METADATA_TOO_LARGE : KW_ERROR_NONE;
}

/* A consumer that was assigned its partitions by hand commits without a generation and without an id, as long
 * as the group has no members; a transaction always may. Kafka: GroupCoordinator.validateOffsetCommit. */
static enum kw_error check_member(const struct mb_group *group, struct kw_string member, int32_t generation,
                                  bool is_transactional)
{
    if (generation >= 0 || member.length_bytes > 0) {
        return mb_group_check_member(group, member, generation);
    }
    return is_transactional || group == NULL || group->state == MB_GROUP_EMPTY ? KW_ERROR_NONE
                                                                               : KW_ERROR_UNKNOWN_MEMBER_ID;
}

/* What a partition is told when its group has an error: that the metadata are too long is looked at last,
 * that it does not exist first. */
static int16_t combine(int16_t own, enum kw_error of_group, bool is_written)
{
    bool yields = own == KW_ERROR_NONE || (!is_written && own == KW_ERROR_OFFSET_METADATA_TOO_LARGE);
    return yields && of_group != KW_ERROR_NONE ? (int16_t)of_group : own;
}

/* --- OffsetCommit --- */

static void answer_commit(struct mb_request *request, enum kw_error error, bool is_written)
{
    struct kw_offset_commit_response *response = request->answer;
    int32_t code = (int32_t)error;
    for (int32_t i = 0; i < response->topics.count; i++) {
        struct kw_offset_commit_response_topic *topic = &response->topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            struct kw_offset_commit_response_partition *result = &topic->partitions.items[j];
            result->error_code = combine(result->error_code, error, is_written);
            code = code != KW_ERROR_NONE ? code : result->error_code;
        }
    }
    mb_request_respond(request, response, code, NULL);
}

static void commit_is_written(struct mb_request *request, enum kw_error error)
{
    answer_commit(request, error, true);
}

static uint32_t prepare_commit(struct mb_request *request, const struct kw_offset_commit_request *asked,
                               struct mb_offset_commit **commits)
{
    struct kw_offset_commit_response *response = mb_request_take(request, 1, sizeof *response);
    uint32_t total = 0;
    uint32_t count = 0;
    for (int32_t i = 0; i < asked->topics.count; i++) {
        total += (uint32_t)asked->topics.items[i].partitions.count;
    }
    *commits = mb_request_take(request, total, sizeof **commits);
    kw_offset_commit_response_init(response);
    request->answer = response;
    response->throttle_time_ms = request->throttle_ms;
    response->topics.count = asked->topics.count;
    response->topics.items =
        mb_request_take(request, (size_t)asked->topics.count, sizeof *response->topics.items);
    for (int32_t i = 0; i < asked->topics.count; i++) {
        const struct kw_offset_commit_request_topic *in = &asked->topics.items[i];
        struct kw_offset_commit_response_topic *out = &response->topics.items[i];
        kw_offset_commit_response_topic_init(out);
        out->name = mb_request_keep(request, in->name);
        out->partitions.count = in->partitions.count;
        out->partitions.items =
            mb_request_take(request, (size_t)in->partitions.count, sizeof *out->partitions.items);
        for (int32_t j = 0; j < in->partitions.count; j++) {
            const struct kw_offset_commit_request_partition *part = &in->partitions.items[j];
            struct mb_offset_commit *commit = &(*commits)[count];
            kw_offset_commit_response_partition_init(&out->partitions.items[j]);
            out->partitions.items[j].partition_index = part->partition_index;
            int32_t injected =
                mb_strike_error(request, in->name.data, in->name.length_bytes, part->partition_index);
            enum kw_error error =
                check(request, in->name, part->partition_index, part->committed_metadata, &commit->tp);
            out->partitions.items[j].error_code = (int16_t)(injected != 0 ? injected : (int32_t)error);
            if (error == KW_ERROR_NONE && (injected == 0 || request->fault.appended)) {
                commit->offset = part->committed_offset;
                commit->leader_epoch = part->committed_leader_epoch;
                commit->metadata = part->committed_metadata;
                count++;
            }
        }
    }
    return count;
}

void mb_handle_offset_commit(struct mb_request *request)
{
    const struct kw_offset_commit_request *asked = request->body;
    struct mb_offset_commit *commits = NULL;
    struct mb_group *group = NULL;
    struct mb_partition *partition = NULL;
    uint32_t count = prepare_commit(request, asked, &commits);
    enum kw_error error = mb_group_find(request->broker, asked->group_id, &group, &partition);
    if (error == KW_ERROR_NONE && group == NULL && asked->generation_id >= 0) {
        error = KW_ERROR_ILLEGAL_GENERATION;
    } else if (error == KW_ERROR_NONE) {
        error = check_member(group, asked->member_id, asked->generation_id, false);
    }
    if (error == KW_ERROR_NONE && group != NULL && group->state == MB_GROUP_COMPLETING) {
        error = KW_ERROR_REBALANCE_IN_PROGRESS;
    }
    if (error == KW_ERROR_NONE && group != NULL) {
        mb_group_touch(group);
    }
    if (error != KW_ERROR_NONE || count == 0) {
        answer_commit(request, error, false);
        return;
    }
    mb_group_commit(request, partition, asked->group_id, commits, count, KW_NO_PRODUCER_ID,
                    KW_NO_PRODUCER_EPOCH, commit_is_written);
}

/* --- TxnOffsetCommit --- */

static void answer_txn(struct mb_request *request, enum kw_error error, bool is_written)
{
    struct kw_txn_offset_commit_response *response = request->answer;
    int32_t code = (int32_t)error;
    for (int32_t i = 0; i < response->topics.count; i++) {
        struct kw_txn_offset_commit_response_topic *topic = &response->topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            struct kw_txn_offset_commit_response_partition *result = &topic->partitions.items[j];
            result->error_code = combine(result->error_code, error, is_written);
            code = code != KW_ERROR_NONE ? code : result->error_code;
        }
    }
    mb_request_respond(request, response, code, NULL);
}

static void txn_is_written(struct mb_request *request, enum kw_error error)
{
    answer_txn(request, error, true);
}

static uint32_t prepare_txn(struct mb_request *request, const struct kw_txn_offset_commit_request *asked,
                            struct mb_offset_commit **commits)
{
    struct kw_txn_offset_commit_response *response = mb_request_take(request, 1, sizeof *response);
    uint32_t total = 0;
    uint32_t count = 0;
    for (int32_t i = 0; i < asked->topics.count; i++) {
        total += (uint32_t)asked->topics.items[i].partitions.count;
    }
    *commits = mb_request_take(request, total, sizeof **commits);
    kw_txn_offset_commit_response_init(response);
    request->answer = response;
    response->throttle_time_ms = request->throttle_ms;
    response->topics.count = asked->topics.count;
    response->topics.items =
        mb_request_take(request, (size_t)asked->topics.count, sizeof *response->topics.items);
    for (int32_t i = 0; i < asked->topics.count; i++) {
        const struct kw_txn_offset_commit_request_topic *in = &asked->topics.items[i];
        struct kw_txn_offset_commit_response_topic *out = &response->topics.items[i];
        kw_txn_offset_commit_response_topic_init(out);
        out->name = mb_request_keep(request, in->name);
        out->partitions.count = in->partitions.count;
        out->partitions.items =
            mb_request_take(request, (size_t)in->partitions.count, sizeof *out->partitions.items);
        for (int32_t j = 0; j < in->partitions.count; j++) {
            const struct kw_txn_offset_commit_request_partition *part = &in->partitions.items[j];
            struct mb_offset_commit *commit = &(*commits)[count];
            kw_txn_offset_commit_response_partition_init(&out->partitions.items[j]);
            out->partitions.items[j].partition_index = part->partition_index;
            int32_t injected =
                mb_strike_error(request, in->name.data, in->name.length_bytes, part->partition_index);
            enum kw_error error =
                check(request, in->name, part->partition_index, part->committed_metadata, &commit->tp);
            out->partitions.items[j].error_code = (int16_t)(injected != 0 ? injected : (int32_t)error);
            if (error == KW_ERROR_NONE && (injected == 0 || request->fault.appended)) {
                commit->offset = part->committed_offset;
                commit->leader_epoch = part->committed_leader_epoch;
                commit->metadata = part->committed_metadata;
                count++;
            }
        }
    }
    return count;
}

void mb_handle_txn_offset_commit(struct mb_request *request)
{
    const struct kw_txn_offset_commit_request *asked = request->body;
    struct mb_offset_commit *commits = NULL;
    struct mb_group *group = NULL;
    struct mb_partition *partition = NULL;
    uint32_t count = prepare_txn(request, asked, &commits);
    enum kw_error error = mb_group_find_named(request->broker, asked->group_id, &group, &partition);
    if (error == KW_ERROR_COORDINATOR_LOAD_IN_PROGRESS && request->version < 2) {
        error = KW_ERROR_COORDINATOR_NOT_AVAILABLE; /* older producers do not know the other one */
    }
    if (error == KW_ERROR_NONE && asked->producer_id < 0) {
        error = KW_ERROR_INVALID_REQUEST;
    }
    if (error == KW_ERROR_NONE) {
        error = check_member(group, asked->member_id, asked->generation_id, true);
    }
    if (error != KW_ERROR_NONE || count == 0) {
        answer_txn(request, error, false);
        return;
    }
    mb_group_commit(request, partition, asked->group_id, commits, count, asked->producer_id,
                    asked->producer_epoch, txn_is_written);
}
