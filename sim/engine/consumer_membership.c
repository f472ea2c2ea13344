/*
 * A member of a group: joining as its leader, heartbeats, leaving. Kafka: AbstractCoordinator, RangeAssignor,
 * ConsumerProtocol.
 */
#include "engine/consumer_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "wire/cursor.h"

enum { PROTOCOL_VERSION = 1 };
static const char protocol_type[] = "consumer";
static const char protocol_name[] = "range";

/* --- What members tell each other --- */

static void write_text(struct kw_writer *writer, const char *text)
{
    kw_write_i16(writer, (int16_t)strlen(text));
    kw_write_bytes(writer, text, strlen(text));
}

/* By topic; the partitions of the assignment so far. Kafka: ConsumerProtocolSubscription, ownedPartitions;
 * with an eager assignor a member that joins owns nothing. */
static void write_subscription(const struct sim_consumer_driver *consumer, struct kw_writer *writer)
{
    kw_write_i16(writer, PROTOCOL_VERSION);
    kw_write_i32(writer, (int32_t)consumer->topic_count);
    for (uint32_t t = 0; t < consumer->topic_count; t++) {
        write_text(writer, consumer->topics[t].name);
    }
    kw_write_i32(writer, -1); /* no user data */
    kw_write_i32(writer, 0);  /* owned partitions */
}

/* The range assignor with one member: all partitions of all topics, by topic. */
static void write_assignment(const struct sim_consumer_driver *consumer, struct kw_writer *writer)
{
    kw_write_i16(writer, PROTOCOL_VERSION);
    kw_write_i32(writer, (int32_t)consumer->topic_count);
    for (uint32_t t = 0; t < consumer->topic_count; t++) {
        write_text(writer, consumer->topics[t].name);
        kw_write_i32(writer, consumer->topics[t].partition_count);
        for (int32_t i = 0; i < consumer->topics[t].partition_count; i++) {
            kw_write_i32(writer, i);
        }
    }
    kw_write_i32(writer, -1);
}

/* In memory of its own, which the caller frees. */
static struct kw_bytes written(const struct sim_consumer_driver *consumer,
                               void (*write)(const struct sim_consumer_driver *, struct kw_writer *),
                               uint8_t **memory)
{
    struct kw_writer writer;
    kw_writer_init_counting(&writer);
    write(consumer, &writer);
    size_t length_bytes = writer.position_bytes;
    *memory = consumer_allocate(length_bytes, 1);
    kw_writer_init(&writer, *memory, length_bytes);
    write(consumer, &writer);
    return (struct kw_bytes){*memory, (int32_t)length_bytes};
}

/* --- Joining --- */

static bool knows_topics(struct sim_consumer_driver *consumer)
{
    for (uint32_t i = 0; i < consumer->topic_count; i++) {
        if (consumer->topics[i].partition_count == 0) {
            return false;
        }
    }
    return true;
}

static void send_join(struct sim_consumer_driver *consumer)
{
    struct consumer_group *group = &consumer->group;
    struct kw_join_group_request request;
    struct kw_join_group_request_protocol protocol;
    uint8_t *memory;
    kw_join_group_request_init(&request);
    kw_join_group_request_protocol_init(&protocol);
    protocol.name = consumer_text(protocol_name);
    protocol.metadata = written(consumer, write_subscription, &memory);
    request.group_id = consumer_text(consumer->config->group_id);
    request.session_timeout_ms = (int32_t)consumer->config->session_timeout_ms;
    request.rebalance_timeout_ms = (int32_t)consumer->config->max_poll_interval_ms;
    request.member_id = consumer_text(group->member);
    request.protocol_type = consumer_text(protocol_type);
    request.protocols.items = &protocol;
    request.protocols.count = 1;
    group->is_joining = true;
    group->beats = false;
    consumer_set_state(consumer, KB_MEMBER_STATE_PREPARING_REBALANCE, KW_ERROR_NONE);
    consumer_send(consumer, consumer_coordinator_key(group->coordinator), KW_API_JOIN_GROUP, &request, NULL,
                  0);
    free(memory);
}

/* Kafka: AbstractCoordinator.ensureActiveGroup; whether it is a member. */
bool consumer_join(struct sim_consumer_driver *consumer)
{
    struct consumer_group *group = &consumer->group;
    bool has_coordinator = consumer_find_coordinator(consumer);
    if (!group->needs_rejoin && group->state == KB_MEMBER_STATE_STABLE) {
        return true;
    }
    if (!has_coordinator || group->is_joining) {
        return false;
    }
    if (!knows_topics(consumer)) {
        consumer->is_metadata_wanted = true;
        return false;
    }
    /* Kafka: onJoinPrepare: what it has read is committed before others may read on from there. */
    if (group->is_commit_due && consumer->config->enable_auto_commit != 0) {
        (void)consumer_commit(consumer);
        if (group->is_commit_due) {
            return false;
        }
    }
    if (consumer->now_ms < group->retry_ms) {
        consumer_wake_at(consumer, group->retry_ms);
        return false;
    }
    send_join(consumer);
    return false;
}

void consumer_reset_membership(struct sim_consumer_driver *consumer, bool keeps_member, enum kw_error error)
{
    struct consumer_group *group = &consumer->group;
    group->generation = -1;
    if (!keeps_member) {
        group->member[0] = '\0';
    }
    group->needs_rejoin = true;
    group->is_commit_due = false;
    group->beats = false;
    consumer_set_state(consumer, KB_MEMBER_STATE_UNJOINED, error);
}

static void send_sync(struct sim_consumer_driver *consumer, bool is_leader)
{
    struct consumer_group *group = &consumer->group;
    struct kw_sync_group_request request;
    struct kw_sync_group_request_assignment assignment;
    uint8_t *memory;
    kw_sync_group_request_init(&request);
    kw_sync_group_request_assignment_init(&assignment);
    assignment.member_id = consumer_text(group->member);
    assignment.assignment = written(consumer, write_assignment, &memory);
    request.group_id = consumer_text(consumer->config->group_id);
    request.generation_id = group->generation;
    request.member_id = consumer_text(group->member);
    request.protocol_type = consumer_text(protocol_type);
    request.protocol_name = consumer_text(protocol_name);
    request.assignments.items = &assignment;
    request.assignments.count = is_leader ? 1 : 0;
    consumer_send(consumer, consumer_coordinator_key(group->coordinator), KW_API_SYNC_GROUP, &request, NULL,
                  0);
    free(memory);
}

static void keep_member(struct consumer_group *group, struct kw_string member)
{
    int32_t length_bytes = member.length_bytes < 0 ? 0 : member.length_bytes;
    snprintf(group->member, sizeof group->member, "%.*s", (int)length_bytes,
             member.data != NULL ? member.data : "");
}

/* Errors after which joining is tried again; at once, or after a while. */
static void take_join_error(struct sim_consumer_driver *consumer, enum kw_error error,
                            bool is_same_generation)
{
    struct consumer_group *group = &consumer->group;
    bool is_at_once = error == KW_ERROR_UNKNOWN_MEMBER_ID || error == KW_ERROR_ILLEGAL_GENERATION ||
                      error == KW_ERROR_REBALANCE_IN_PROGRESS || error == KW_ERROR_MEMBER_ID_REQUIRED;
    group->is_joining = false;
    group->needs_rejoin = true;
    if (error == KW_ERROR_COORDINATOR_NOT_AVAILABLE || error == KW_ERROR_NOT_COORDINATOR) {
        consumer_forget_coordinator(consumer);
    }
    if ((error == KW_ERROR_UNKNOWN_MEMBER_ID || error == KW_ERROR_ILLEGAL_GENERATION) && is_same_generation) {
        consumer_reset_membership(consumer, error == KW_ERROR_ILLEGAL_GENERATION, error);
    }
    if (!is_at_once && !kw_error_is_retriable(error)) {
        consumer_fail(consumer, error);
    } else if (!is_at_once) {
        group->retry_ms = consumer->now_ms + consumer->config->retry_backoff_ms;
    }
}

void consumer_on_join(struct sim_consumer_driver *consumer, const struct consumer_request *request,
                      const struct kw_join_group_response *response)
{
    struct consumer_group *group = &consumer->group;
    enum kw_error error =
        response != NULL ? kw_error_from_code(response->error_code) : KW_ERROR_COORDINATOR_NOT_AVAILABLE;
    if (error == KW_ERROR_MEMBER_ID_REQUIRED) {
        keep_member(group, response->member_id);
    }
    if (error != KW_ERROR_NONE || consumer->is_closing) {
        take_join_error(consumer, error, request->generation == group->generation);
        return;
    }
    keep_member(group, response->member_id);
    group->generation = response->generation_id;
    group->beats = true;
    group->heartbeat_ms = consumer->now_ms + consumer->config->heartbeat_interval_ms;
    group->session_ms = consumer->now_ms + consumer->config->session_timeout_ms;
    group->poll_ms = consumer->now_ms + consumer->config->max_poll_interval_ms;
    consumer_set_state(consumer, KB_MEMBER_STATE_COMPLETING_REBALANCE, KW_ERROR_NONE);
    bool is_leader =
        response->leader.length_bytes == response->member_id.length_bytes &&
        memcmp(response->leader.data, response->member_id.data, (size_t)response->leader.length_bytes) == 0;
    const struct consumer_node *node = consumer_node_at(consumer, request->node);
    if (node != NULL && node->connection != NULL) {
        send_sync(consumer, is_leader);
    }
}

/* Kafka: ConsumerProtocolAssignment. False: it makes no sense. */
static bool take_assignment(struct sim_consumer_driver *consumer, struct kw_bytes bytes)
{
    struct kw_reader reader;
    kw_reader_init(&reader, bytes.bytes, bytes.bytes != NULL ? (size_t)bytes.length_bytes : 0);
    struct consumer_partition *list = NULL;
    uint32_t count = 0;
    (void)kw_read_i16(&reader);
    int32_t topic_count = kw_read_i32(&reader);
    for (int32_t t = 0; t < topic_count && kw_reader_is_ok(&reader); t++) {
        int16_t name_bytes = kw_read_i16(&reader);
        const uint8_t *name = kw_read_bytes(&reader, name_bytes > 0 ? (size_t)name_bytes : 0);
        int32_t partition_count = kw_read_i32(&reader);
        const struct consumer_topic *topic =
            name != NULL ? consumer_topic_find(consumer, (struct kw_string){(const char *)name, name_bytes})
                         : NULL;
        for (int32_t i = 0; i < partition_count && kw_reader_is_ok(&reader); i++) {
            int32_t index = kw_read_i32(&reader);
            struct consumer_partition *grown = realloc(list, (count + 1) * sizeof *grown);
            KB_ASSERT(grown != NULL);
            list = grown;
            if (topic != NULL && kw_reader_is_ok(&reader)) {
                list[count++] = (struct consumer_partition){.topic = (uint32_t)(topic - consumer->topics),
                                                            .partition = index};
            }
        }
    }
    bool is_sound = kw_reader_is_ok(&reader);
    if (is_sound) {
        consumer_assign(consumer, list, count, true);
    }
    free(list);
    return is_sound;
}

void consumer_on_sync(struct sim_consumer_driver *consumer, const struct consumer_request *request,
                      const struct kw_sync_group_response *response)
{
    struct consumer_group *group = &consumer->group;
    enum kw_error error =
        response != NULL ? kw_error_from_code(response->error_code) : KW_ERROR_COORDINATOR_NOT_AVAILABLE;
    if (group->state != KB_MEMBER_STATE_COMPLETING_REBALANCE || consumer->is_closing) {
        group->is_joining = false;
        return;
    }
    if (error == KW_ERROR_NONE && !take_assignment(consumer, response->assignment)) {
        error = KW_ERROR_INCONSISTENT_GROUP_PROTOCOL;
    }
    if (error != KW_ERROR_NONE) {
        take_join_error(consumer, error, request->generation == group->generation);
        return;
    }
    group->is_joining = false;
    group->needs_rejoin = false;
    group->is_commit_due = true; /* before it joins the next time */
    group->commit_ms = consumer->now_ms + consumer->config->auto_commit_interval_ms;
    consumer_set_state(consumer, KB_MEMBER_STATE_STABLE, KW_ERROR_NONE);
}

/* --- Heartbeats --- */

static void send_heartbeat(struct sim_consumer_driver *consumer)
{
    struct consumer_group *group = &consumer->group;
    struct kw_heartbeat_request request;
    kw_heartbeat_request_init(&request);
    request.group_id = consumer_text(consumer->config->group_id);
    request.generation_id = group->generation;
    request.member_id = consumer_text(group->member);
    group->is_beating = true;
    group->heartbeat_ms = consumer->now_ms + consumer->config->heartbeat_interval_ms;
    consumer_send(consumer, consumer_coordinator_key(group->coordinator), KW_API_HEARTBEAT, &request, NULL,
                  0);
}

/* What the heartbeat thread does, whether the application polls or not. */
void consumer_heartbeat(struct sim_consumer_driver *consumer)
{
    struct consumer_group *group = &consumer->group;
    if (!group->beats) {
        return;
    }
    if (group->coordinator >= 0 && consumer->now_ms >= group->session_ms) {
        consumer_forget_coordinator(consumer);
    }
    bool has_coordinator = consumer_find_coordinator(consumer);
    if (consumer->now_ms >= group->poll_ms) {
        consumer_leave(consumer); /* the application does not poll: others shall have its partitions */
        consumer_reset_membership(consumer, false, KW_ERROR_NONE);
        return;
    }
    consumer_wake_at(consumer, group->poll_ms);
    consumer_wake_at(consumer, group->coordinator >= 0 ? group->session_ms : INT64_MAX);
    if (group->is_beating || !has_coordinator) {
        return;
    }
    if (consumer->now_ms >= group->heartbeat_ms) {
        send_heartbeat(consumer);
    }
    consumer_wake_at(consumer, group->heartbeat_ms);
}

void consumer_on_heartbeat(struct sim_consumer_driver *consumer, const struct consumer_request *request,
                           const struct kw_heartbeat_response *response)
{
    struct consumer_group *group = &consumer->group;
    enum kw_error error =
        response != NULL ? kw_error_from_code(response->error_code) : KW_ERROR_COORDINATOR_NOT_AVAILABLE;
    bool is_same = request->generation == group->generation;
    group->is_beating = false;
    if (error == KW_ERROR_NONE || error == KW_ERROR_REBALANCE_IN_PROGRESS) {
        group->session_ms = consumer->now_ms + consumer->config->session_timeout_ms;
        group->needs_rejoin =
            group->needs_rejoin || (error != KW_ERROR_NONE && group->state == KB_MEMBER_STATE_STABLE);
        return;
    }
    group->heartbeat_ms = consumer->now_ms + consumer->config->retry_backoff_ms;
    if (error == KW_ERROR_COORDINATOR_NOT_AVAILABLE || error == KW_ERROR_NOT_COORDINATOR) {
        consumer_forget_coordinator(consumer);
    } else if (is_same && (error == KW_ERROR_ILLEGAL_GENERATION || error == KW_ERROR_UNKNOWN_MEMBER_ID)) {
        consumer_reset_membership(consumer, error == KW_ERROR_ILLEGAL_GENERATION, error);
    }
}

/* --- Leaving --- */

void consumer_leave(struct sim_consumer_driver *consumer)
{
    struct consumer_group *group = &consumer->group;
    int32_t key = group->coordinator >= 0 ? consumer_coordinator_key(group->coordinator) : -1;
    struct kw_leave_group_request request;
    struct kw_leave_group_request_member member;
    group->has_left = true;
    group->beats = false;
    if (key < 0 || group->member[0] == '\0' || !consumer_is_ready(consumer, key, group->coordinator)) {
        return;
    }
    kw_leave_group_request_init(&request);
    kw_leave_group_request_member_init(&member);
    member.member_id = consumer_text(group->member);
    request.group_id = consumer_text(consumer->config->group_id);
    if (consumer_version(consumer, key, KW_API_LEAVE_GROUP) >= 3) {
        request.members.items = &member;
        request.members.count = 1;
    } else {
        request.member_id = member.member_id;
    }
    consumer_send(consumer, key, KW_API_LEAVE_GROUP, &request, NULL, 0);
}
