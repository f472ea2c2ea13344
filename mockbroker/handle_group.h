/**
 * What the group coordinator and the handlers of its requests say to each other.
 */
#ifndef MB_HANDLE_GROUP_H
#define MB_HANDLE_GROUP_H

#include "mockbroker/group_coordinator.h"

/** Kafka: GroupCoordinator.handleJoinGroup, after the group's status and the session's time-out. Answers, now
 *  or later. */
void mb_group_join(struct mb_request *request, struct mb_partition *partition,
                   const struct kw_join_group_request *asked);
/** NONE: the member and its generation; else the member's id, when it has one. */
void mb_join_group_answer(struct mb_request *request, const struct mb_group *group, enum kw_error error);
void mb_join_group_refuse(struct mb_request *request, int32_t error, struct kw_string member);
/** Kafka: GroupMetadata.generateMemberId. */
struct kw_string mb_new_member_id(struct mb_request *request);
/** Kafka: GroupCoordinator.handleSyncGroup: NONE: group->assignment is the answer. */
enum kw_error mb_group_sync(struct mb_group *group, const struct kw_sync_group_request *asked);
/** Kafka: GroupCoordinator.handleLeaveGroup. */
enum kw_error mb_group_leave(struct mb_group *group, struct kw_string member);

#endif
