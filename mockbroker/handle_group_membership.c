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

static void refuse_join(struct mb_request *request, int32_t error, struct kw_string member)
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
        refuse_join(request, (int32_t)error, (struct kw_string){"", 0});
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
static struct kw_string new_member_id(struct mb_request *request)
{
    enum { ID_BYTES = 40 };
    char *text = mb_request_take(request, ID_BYTES, 1);
    int length = snprintf(text, ID_BYTES, "member-%d-%d", (int)request->broker->id,
                          (int)++request->broker->next_member_number);
    return (struct kw_string){text, length};
}

static enum kw_error check_join(const struct mb_request *request, const struct kw_join_group_request *asked)
{
    const struct mb_cluster *cluster = request->cluster;
    if (asked->group_id.length_bytes <= 0) {
        return KW_ERROR_INVALID_GROUP_ID;
    }
    if (asked->session_timeout_ms < mb_setting(cluster, MB_SETTING_GROUP_MIN_SESSION_TIMEOUT_MS) ||
        asked->session_timeout_ms > mb_setting(cluster, MB_SETTING_GROUP_MAX_SESSION_TIMEOUT_MS)) {
        return KW_ERROR_INVALID_SESSION_TIMEOUT;
    }
    return asked->protocols.count <= 0 || asked->protocol_type.length_bytes <= 0
               ? KW_ERROR_INCONSISTENT_GROUP_PROTOCOL
               : KW_ERROR_NONE;
}

void mb_handle_join_group(struct mb_request *request)
{
    const struct kw_join_group_request *asked = request->body;
    struct mb_group *group = NULL;
    struct mb_partition *partition = NULL;
    int32_t injected = mb_strike_error(request, NULL, 0, -1);
    enum kw_error error = mb_group_find(request->broker, asked->group_id, &group, &partition);
    if (error == KW_ERROR_NONE) {
        error = check_join(request, asked);
    }
    bool is_known = group != NULL && group->member != NULL;
    if (error == KW_ERROR_NONE && injected == 0 && asked->member_id.length_bytes == 0 && !is_known) {
        struct kw_join_group_request named = *asked;
        named.member_id = new_member_id(request);
        /* Since v4 the client comes again with the id that it is given here (KIP-394). */
        if (request->version >= 4 && asked->group_instance_id.length_bytes < 0) {
            refuse_join(request, KW_ERROR_MEMBER_ID_REQUIRED, named.member_id);
        } else {
            mb_group_join(request, partition, &named);
        }
        return;
    }
    if (error != KW_ERROR_NONE || injected != 0) {
        refuse_join(request, injected != 0 ? injected : (int32_t)error,
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
    int32_t error = (int32_t)mb_group_find(request->broker, asked->group_id, &group, &partition);
    if (error == KW_ERROR_NONE) {
        error = group == NULL ? KW_ERROR_UNKNOWN_MEMBER_ID : (int32_t)mb_group_sync(group, asked);
    }
    kw_sync_group_response_init(&response);
    response.throttle_time_ms = request->throttle_ms;
    response.error_code = (int16_t)(injected != 0 ? injected : error);
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
    enum kw_error error = mb_group_find(request->broker, asked->group_id, &group, &partition);
    if (error == KW_ERROR_NONE) {
        error = mb_group_check_member(group, asked->member_id, asked->generation_id);
    }
    if (error == KW_ERROR_NONE) {
        mb_group_touch(group);
        error = group->state == MB_GROUP_PREPARING ? KW_ERROR_REBALANCE_IN_PROGRESS : KW_ERROR_NONE;
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
    enum kw_error error = mb_group_find(request->broker, asked->group_id, &group, &partition);
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
