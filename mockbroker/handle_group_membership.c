/* JoinGroup, SyncGroup, Heartbeat and LeaveGroup.
 * Kafka: KafkaApis.handleJoinGroupRequest and its neighbours, GroupCoordinator. */

#include "mockbroker/handle_group.h"
#include "wire/message_structs.h"

#include <stdio.h>
#include <string.h>

static struct kw_string text_of(const struct mb_block *block)
{
    return block == NULL ? (struct kw_string){"", 0}
                         : (struct kw_string){(const char *)block->bytes, (int32_t)block->size_bytes};
}

static struct kw_bytes bytes_of(const struct mb_block *block)
{
    static const uint8_t nothing[1];
    return block == NULL ? (struct kw_bytes){nothing, 0}
                         : (struct kw_bytes){block->bytes, (int32_t)block->size_bytes};
}

/* --- JoinGroup --- */

void mb_join_group_refuse(struct mb_request *request, int32_t error, struct kw_string member)
{
    struct kw_join_group_response response;
    kw_join_group_response_init(&response);
    response.throttle_time_ms = request->throttle_ms;
    response.error_code = (int16_t)error;
    response.protocol_name =
        (struct kw_string){request->version >= 7 ? NULL : "", request->version >= 7 ? -1 : 0};
    response.leader = (struct kw_string){"", 0};
    response.member_id = member;
    mb_request_respond(request, &response, error, NULL);
}

void mb_join_group_answer(struct mb_request *request, const struct mb_group *group, enum kw_error error)
{
    struct kw_join_group_response response;
    struct kw_join_group_response_member member;
    if (error != KW_ERROR_NONE) {
        /* Who is told to look for another coordinator keeps its id; who was removed has none. */
        struct kw_string id = {group->member, group->member_length_bytes};
        mb_join_group_refuse(request, (int32_t)error,
                             error == KW_ERROR_UNKNOWN_MEMBER_ID ? (struct kw_string){"", 0} : id);
        return;
    }
    kw_join_group_response_init(&response);
    kw_join_group_response_member_init(&member);
    member.member_id = (struct kw_string){group->member, group->member_length_bytes};
    member.metadata = bytes_of(group->subscription);
    response.throttle_time_ms = request->throttle_ms;
    response.generation_id = group->generation;
    response.protocol_type = text_of(group->type);
    response.protocol_name = text_of(group->protocol);
    response.leader = member.member_id;
    response.member_id = member.member_id;
    response.members.items = &member;
    response.members.count = 1;
    mb_request_respond(request, &response, KW_ERROR_NONE, NULL);
}

/* Kafka: the client id and a random UUID; here a number for the latter. */
struct kw_string mb_new_member_id(struct mb_request *request)
{
    enum { ID_BYTES = 40 };
    char *text = mb_request_take(request, ID_BYTES, 1);
    int length = snprintf(text, ID_BYTES, "member-%d-%d", (int)request->broker->id,
                          (int)++request->broker->next_member_number);
    return (struct kw_string){text, length};
}

void mb_handle_join_group(struct mb_request *request)
{
    struct kw_join_group_request *asked = request->body;
    const struct mb_cluster *cluster = request->cluster;
    struct mb_group *group = NULL;
    struct mb_partition *partition = NULL;
    int32_t injected = mb_strike_error(request, NULL, 0, -1);
    enum kw_error error = mb_group_find_named(request->broker, asked->group_id, &group, &partition);
    if (request->version == 0) { /* Kafka: JoinGroupRequest.maybeOverrideRebalanceTimeout */
        asked->rebalance_timeout_ms = asked->session_timeout_ms;
    }
    if (error == KW_ERROR_NONE &&
        (asked->session_timeout_ms < mb_setting(cluster, MB_SETTING_GROUP_MIN_SESSION_TIMEOUT_MS) ||
         asked->session_timeout_ms > mb_setting(cluster, MB_SETTING_GROUP_MAX_SESSION_TIMEOUT_MS))) {
        error = KW_ERROR_INVALID_SESSION_TIMEOUT;
    }
    if (error != KW_ERROR_NONE || injected != 0) {
        mb_join_group_refuse(request, injected != 0 ? injected : (int32_t)error,
                             mb_request_keep(request, asked->member_id));
        return;
    }
    mb_group_join(request, partition, asked);
}

/* --- SyncGroup, Heartbeat, LeaveGroup --- */

void mb_handle_sync_group(struct mb_request *request)
{
    const struct kw_sync_group_request *asked = request->body;
    struct mb_group *group = NULL;
    struct mb_partition *partition = NULL;
    struct kw_sync_group_response response;
    int32_t injected = mb_strike_error(request, NULL, 0, -1);
    enum kw_error error = KW_ERROR_INCONSISTENT_GROUP_PROTOCOL;
    /* Kafka: SyncGroupRequest.areMandatoryProtocolTypeAndNamePresent, before the group is looked at. */
    if (request->version < 5 ||
        (asked->protocol_type.length_bytes >= 0 && asked->protocol_name.length_bytes >= 0)) {
        error = mb_group_find_named(request->broker, asked->group_id, &group, &partition);
        if (error == KW_ERROR_NONE) {
            error = group == NULL ? KW_ERROR_UNKNOWN_MEMBER_ID : mb_group_sync(group, asked);
        } else if (error == KW_ERROR_COORDINATOR_LOAD_IN_PROGRESS) {
            error = KW_ERROR_REBALANCE_IN_PROGRESS; /* it joins anew, without looking for a coordinator */
        }
    }
    kw_sync_group_response_init(&response);
    response.throttle_time_ms = request->throttle_ms;
    response.error_code = (int16_t)(injected != 0 ? injected : (int32_t)error);
    response.assignment = bytes_of(response.error_code == KW_ERROR_NONE ? group->assignment : NULL);
    if (response.error_code == KW_ERROR_NONE) {
        response.protocol_type = text_of(group->type);
        response.protocol_name = text_of(group->protocol);
    }
    mb_request_respond(request, &response, response.error_code, NULL);
}

void mb_handle_heartbeat(struct mb_request *request)
{
    const struct kw_heartbeat_request *asked = request->body;
    struct mb_group *group = NULL;
    struct mb_partition *partition = NULL;
    struct kw_heartbeat_response response;
    int32_t injected = mb_strike_error(request, NULL, 0, -1);
    enum kw_error error = mb_group_find_named(request->broker, asked->group_id, &group, &partition);
    if (error == KW_ERROR_NONE) {
        error = mb_group_check_member(group, asked->member_id, asked->generation_id);
        if (error == KW_ERROR_NONE) {
            mb_group_touch(group);
            error = group->state == MB_GROUP_PREPARING ? KW_ERROR_REBALANCE_IN_PROGRESS : KW_ERROR_NONE;
        }
    } else if (error == KW_ERROR_COORDINATOR_LOAD_IN_PROGRESS) {
        error = KW_ERROR_NONE; /* nobody knows better yet */
    }
    kw_heartbeat_response_init(&response);
    response.throttle_time_ms = request->throttle_ms;
    response.error_code = (int16_t)(injected != 0 ? injected : (int32_t)error);
    mb_request_respond(request, &response, response.error_code, NULL);
}

static enum kw_error leave(struct mb_group *group, struct kw_string member)
{
    return group == NULL ? KW_ERROR_UNKNOWN_MEMBER_ID : mb_group_leave(group, member);
}

void mb_handle_leave_group(struct mb_request *request)
{
    const struct kw_leave_group_request *asked = request->body;
    struct mb_group *group = NULL;
    struct mb_partition *partition = NULL;
    struct kw_leave_group_response response;
    int32_t injected = mb_strike_error(request, NULL, 0, -1);
    enum kw_error error = mb_group_find_named(request->broker, asked->group_id, &group, &partition);
    kw_leave_group_response_init(&response);
    response.throttle_time_ms = request->throttle_ms;
    if (error == KW_ERROR_NONE && request->version < 3) {
        error = leave(group, asked->member_id);
    } else if (error == KW_ERROR_NONE) {
        response.members.count = asked->members.count;
        response.members.items =
            mb_request_take(request, (size_t)asked->members.count, sizeof *response.members.items);
        for (int32_t i = 0; i < asked->members.count; i++) {
            struct kw_leave_group_response_member *out = &response.members.items[i];
            kw_leave_group_response_member_init(out);
            out->member_id = asked->members.items[i].member_id;
            out->group_instance_id = asked->members.items[i].group_instance_id;
            out->error_code = (int16_t)leave(group, out->member_id);
        }
    }
    response.error_code = (int16_t)(injected != 0 ? injected : (int32_t)error);
    mb_request_respond(request, &response, response.error_code, NULL);
}
