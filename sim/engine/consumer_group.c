/*
 * The group's coordinator, and the offsets that the group has committed. Kafka: ConsumerCoordinator,
 * AbstractCoordinator.
 */
#include "engine/consumer_internal.h"

#include <stdlib.h>

#include "base/assert.h"

static void back_off(struct sim_consumer_driver *consumer)
{
    consumer->group.retry_ms = consumer->now_ms + consumer->config->retry_backoff_ms;
}

void consumer_forget_coordinator(struct sim_consumer_driver *consumer)
{
    consumer->group.coordinator = -1;
}

/* --- FindCoordinator --- */

static void ask_for_coordinator(struct sim_consumer_driver *consumer)
{
    struct kw_find_coordinator_request request;
    struct kw_string group = consumer_text(consumer->config->group_id);
    int32_t key;
    int32_t broker;
    if (!consumer_least_loaded(consumer, &key, &broker) || !consumer_is_ready(consumer, key, broker)) {
        return;
    }
    kw_find_coordinator_request_init(&request);
    if (consumer_version(consumer, key, KW_API_FIND_COORDINATOR) >= 4) {
        request.coordinator_keys.items = &group;
        request.coordinator_keys.count = 1;
    } else {
        request.key = group;
    }
    consumer->group.is_finding = true;
    consumer_send(consumer, key, KW_API_FIND_COORDINATOR, &request, NULL, 0);
}

bool consumer_find_coordinator(struct sim_consumer_driver *consumer)
{
    struct consumer_group *group = &consumer->group;
    if (group->coordinator >= 0) {
        int32_t key = consumer_coordinator_key(group->coordinator);
        if (!consumer_is_unavailable(consumer, key)) {
            return consumer_is_ready(consumer, key, group->coordinator);
        }
        consumer_forget_coordinator(consumer); /* its connection failed: perhaps it is not alive */
        back_off(consumer);
    }
    if (group->is_finding) {
        return false;
    }
    if (consumer->now_ms < group->retry_ms) {
        consumer_wake_at(consumer, group->retry_ms);
        return false;
    }
    ask_for_coordinator(consumer);
    return false;
}

void consumer_on_find_coordinator(struct sim_consumer_driver *consumer,
                                  const struct kw_find_coordinator_response *response)
{
    struct consumer_group *group = &consumer->group;
    group->is_finding = false;
    enum kw_error error = KW_ERROR_COORDINATOR_NOT_AVAILABLE;
    int32_t node = -1;
    if (response != NULL && response->coordinators.count > 0) {
        error = kw_error_from_code(response->coordinators.items[0].error_code);
        node = response->coordinators.items[0].node_id;
    } else if (response != NULL) {
        error = kw_error_from_code(response->error_code);
        node = response->node_id;
    }
    if (error == KW_ERROR_NONE && node >= 0) {
        group->coordinator = node;
        group->session_ms = consumer->now_ms + consumer->config->session_timeout_ms;
    } else if (kw_error_is_retriable(error)) {
        consumer->is_metadata_wanted = true;
        back_off(consumer);
    } else {
        consumer_fail(consumer, error);
    }
}

/* --- OffsetFetch --- */

static void fill_topic(const struct sim_consumer_driver *consumer, uint32_t topic, int32_t *indexes,
                       struct kw_string *name, struct kw_int32_array *out)
{
    *name = consumer_text(consumer->topics[topic].name);
    out->items = indexes;
    out->count = 0;
    for (uint32_t i = 0; i < consumer->partition_count; i++) {
        const struct consumer_partition *partition = &consumer->partitions[i];
        if (partition->topic == topic && partition->state == CONSUMER_INITIALIZING) {
            out->items[out->count++] = partition->partition;
        }
    }
}

static void ask_for_offsets(struct sim_consumer_driver *consumer, int32_t key)
{
    struct kw_offset_fetch_request request;
    struct kw_offset_fetch_request_group group;
    uint32_t topic_count = consumer->topic_count;
    struct kw_offset_fetch_request_group_topic *newer = consumer_allocate(topic_count, sizeof *newer);
    struct kw_offset_fetch_request_topic *older = consumer_allocate(topic_count, sizeof *older);
    int32_t *indexes = consumer_allocate(consumer->partition_count, sizeof *indexes);
    bool has_groups = consumer_version(consumer, key, KW_API_OFFSET_FETCH) >= 8;
    int32_t used = 0;
    int32_t count = 0;
    for (uint32_t t = 0; t < topic_count; t++) {
        kw_offset_fetch_request_group_topic_init(&newer[count]);
        kw_offset_fetch_request_topic_init(&older[count]);
        fill_topic(consumer, t, &indexes[used], &newer[count].name, &newer[count].partition_indexes);
        older[count].name = newer[count].name;
        older[count].partition_indexes = newer[count].partition_indexes;
        used += newer[count].partition_indexes.count;
        count += newer[count].partition_indexes.count > 0;
    }
    kw_offset_fetch_request_init(&request);
    kw_offset_fetch_request_group_init(&group);
    if (has_groups) {
        group.group_id = consumer_text(consumer->config->group_id);
        group.topics.items = newer;
        group.topics.count = count;
        request.groups.items = &group;
        request.groups.count = 1;
    } else {
        request.group_id = consumer_text(consumer->config->group_id);
        request.topics.items = older;
        request.topics.count = count;
    }
    /* A read_committed consumer wants no offset that a transaction may still commit. */
    request.require_stable = consumer->config->isolation_level == SIM_READ_COMMITTED;
    consumer->group.is_reading_offsets = true;
    consumer_send(consumer, key, KW_API_OFFSET_FETCH, &request, NULL, 0);
    free(newer);
    free(older);
    free(indexes);
}

bool consumer_read_committed_offsets(struct sim_consumer_driver *consumer)
{
    bool is_wanted = false;
    for (uint32_t i = 0; i < consumer->partition_count; i++) {
        is_wanted = is_wanted || consumer->partitions[i].state == CONSUMER_INITIALIZING;
    }
    if (!is_wanted) {
        return true;
    }
    if (consumer->group.is_reading_offsets || !consumer_find_coordinator(consumer)) {
        return false;
    }
    if (consumer->now_ms < consumer->group.retry_ms) {
        consumer_wake_at(consumer, consumer->group.retry_ms);
        return false;
    }
    ask_for_offsets(consumer, consumer_coordinator_key(consumer->group.coordinator));
    return false;
}

/* Of one partition: -1 is nothing committed, so that it is to be reset. */
static void take_committed(struct sim_consumer_driver *consumer, struct kw_string topic, int32_t index,
                           int64_t offset, int32_t epoch)
{
    struct consumer_partition *partition = consumer_partition_find(consumer, topic, index);
    if (partition == NULL || partition->state != CONSUMER_INITIALIZING) {
        return;
    }
    if (offset >= 0) {
        consumer_see_epoch(consumer, partition, epoch);
        consumer_seek(consumer, partition, offset, epoch, KB_POSITION_WHY_COMMITTED);
    } else {
        consumer_request_reset(consumer, partition, KW_ERROR_OFFSET_OUT_OF_RANGE);
    }
}

/* The whole answer counts, or nothing of it: the first error, of the group or of a partition. */
static enum kw_error offset_fetch_error(const struct kw_offset_fetch_response *response)
{
    enum kw_error error = kw_error_from_code(response->error_code);
    for (int32_t i = 0; i < response->topics.count; i++) {
        for (int32_t j = 0; j < response->topics.items[i].partitions.count && error == KW_ERROR_NONE; j++) {
            error = kw_error_from_code(response->topics.items[i].partitions.items[j].error_code);
        }
    }
    if (response->groups.count > 0) {
        const struct kw_offset_fetch_response_group *group = &response->groups.items[0];
        error = kw_error_from_code(group->error_code);
        for (int32_t i = 0; i < group->topics.count; i++) {
            for (int32_t j = 0; j < group->topics.items[i].partitions.count && error == KW_ERROR_NONE; j++) {
                error = kw_error_from_code(group->topics.items[i].partitions.items[j].error_code);
            }
        }
    }
    return error;
}

static void take_all_committed(struct sim_consumer_driver *consumer,
                               const struct kw_offset_fetch_response *response)
{
    for (int32_t i = 0; i < response->topics.count; i++) {
        const struct kw_offset_fetch_response_topic *topic = &response->topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            take_committed(consumer, topic->name, topic->partitions.items[j].partition_index,
                           topic->partitions.items[j].committed_offset,
                           topic->partitions.items[j].committed_leader_epoch);
        }
    }
    for (int32_t i = 0; response->groups.count > 0 && i < response->groups.items[0].topics.count; i++) {
        const struct kw_offset_fetch_response_group_topic *topic = &response->groups.items[0].topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            take_committed(consumer, topic->name, topic->partitions.items[j].partition_index,
                           topic->partitions.items[j].committed_offset,
                           topic->partitions.items[j].committed_leader_epoch);
        }
    }
}

void consumer_on_offset_fetch(struct sim_consumer_driver *consumer, const struct consumer_request *request,
                              const struct kw_offset_fetch_response *response)
{
    consumer->group.is_reading_offsets = false;
    enum kw_error error = response != NULL ? offset_fetch_error(response) : KW_ERROR_NOT_COORDINATOR;
    if (request->assignment != consumer->assignment) {
        return;
    }
    if (error == KW_ERROR_NONE) {
        take_all_committed(consumer, response);
        return;
    }
    if (error == KW_ERROR_NOT_COORDINATOR) {
        consumer_forget_coordinator(consumer);
    } else if (error != KW_ERROR_COORDINATOR_LOAD_IN_PROGRESS && error != KW_ERROR_UNSTABLE_OFFSET_COMMIT) {
        consumer_fail(consumer, error);
        return;
    }
    back_off(consumer);
}

/* --- OffsetCommit --- */

static void fill_commits(const struct sim_consumer_driver *consumer, struct kw_offset_commit_request *request,
                         struct kw_offset_commit_request_partition *all, struct consumer_asked *asked)
{
    uint32_t used = 0;
    for (uint32_t t = 0; t < consumer->topic_count; t++) {
        struct kw_offset_commit_request_topic *topic = &request->topics.items[request->topics.count];
        kw_offset_commit_request_topic_init(topic);
        topic->name = consumer_text(consumer->topics[t].name);
        topic->partitions.items = &all[used];
        for (uint32_t i = 0; i < consumer->partition_count; i++) {
            const struct consumer_partition *partition = &consumer->partitions[i];
            if (partition->topic != t || !consumer_has_position(partition)) {
                continue;
            }
            struct kw_offset_commit_request_partition *out = &all[used];
            kw_offset_commit_request_partition_init(out);
            out->partition_index = partition->partition;
            out->committed_offset = partition->position;
            out->committed_leader_epoch = partition->offset_epoch;
            out->committed_metadata = (struct kw_string){"", 0};
            asked[used++] = (struct consumer_asked){i, partition->offset_epoch, partition->position};
            topic->partitions.count++;
        }
        request->topics.count += topic->partitions.count > 0;
    }
}

static uint32_t count_positions(const struct sim_consumer_driver *consumer)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < consumer->partition_count; i++) {
        count += consumer_has_position(&consumer->partitions[i]);
    }
    return count;
}

bool consumer_commit(struct sim_consumer_driver *consumer)
{
    struct consumer_group *group = &consumer->group;
    uint32_t count = count_positions(consumer);
    if (count == 0) {
        group->is_commit_due = false;
        return true;
    }
    if (group->is_committing || !consumer_find_coordinator(consumer)) {
        return false;
    }
    if (consumer->now_ms < group->retry_ms) {
        consumer_wake_at(consumer, group->retry_ms);
        return false;
    }
    struct kw_offset_commit_request request;
    struct kw_offset_commit_request_topic *topics =
        consumer_allocate(consumer->topic_count + 1, sizeof *topics);
    struct kw_offset_commit_request_partition *all = consumer_allocate(count, sizeof *all);
    struct consumer_asked *asked = consumer_allocate(count, sizeof *asked);
    kw_offset_commit_request_init(&request);
    bool is_member = group->state == KB_MEMBER_STATE_STABLE || group->generation >= 0;
    request.group_id = consumer_text(consumer->config->group_id);
    request.generation_id = is_member ? group->generation : -1;
    request.member_id = consumer_text(is_member ? group->member : "");
    request.topics.items = topics;
    fill_commits(consumer, &request, all, asked);
    group->is_committing = true;
    consumer_send(consumer, consumer_coordinator_key(group->coordinator), KW_API_OFFSET_COMMIT, &request,
                  asked, count);
    free(topics);
    free(all);
    return true;
}

static enum kw_error commit_error(struct sim_consumer_driver *consumer,
                                  const struct consumer_request *request,
                                  const struct kw_offset_commit_response *response)
{
    enum kw_error first = KW_ERROR_NONE;
    for (int32_t i = 0; i < response->topics.count; i++) {
        const struct kw_offset_commit_response_topic *topic = &response->topics.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            enum kw_error error = kw_error_from_code(topic->partitions.items[j].error_code);
            const struct consumer_partition *partition =
                consumer_partition_find(consumer, topic->name, topic->partitions.items[j].partition_index);
            first = first != KW_ERROR_NONE ? first : error;
            for (uint32_t k = 0;
                 partition != NULL && request->assignment == consumer->assignment && k < request->asked_count;
                 k++) {
                if (&consumer->partitions[request->asked[k].partition] == partition) {
                    KB_TRACE(consumer_trace(consumer), 0, CONSUMER_COMMITTED, consumer_committed,
                             .offset = request->asked[k].offset, .consumer = consumer->name,
                             .topic = consumer->topics[partition->topic].trace_name,
                             .partition = partition->partition, .error = (int32_t)error);
                }
            }
        }
    }
    return first;
}

void consumer_on_offset_commit(struct sim_consumer_driver *consumer, const struct consumer_request *request,
                               const struct kw_offset_commit_response *response)
{
    struct consumer_group *group = &consumer->group;
    group->is_committing = false;
    enum kw_error error =
        response != NULL ? commit_error(consumer, request, response) : KW_ERROR_COORDINATOR_NOT_AVAILABLE;
    if (error == KW_ERROR_NONE) {
        group->is_commit_due = false;
        return;
    }
    if (error == KW_ERROR_COORDINATOR_NOT_AVAILABLE || error == KW_ERROR_NOT_COORDINATOR ||
        error == KW_ERROR_REQUEST_TIMED_OUT) {
        consumer_forget_coordinator(consumer);
    }
    if (error == KW_ERROR_UNKNOWN_MEMBER_ID || error == KW_ERROR_ILLEGAL_GENERATION) {
        if (request->generation == group->generation) {
            consumer_reset_membership(consumer, error == KW_ERROR_ILLEGAL_GENERATION, error);
        }
    } else if (error == KW_ERROR_REBALANCE_IN_PROGRESS) {
        group->needs_rejoin = true;
    }
    if (kw_error_is_retriable(error)) {
        group->retry_ms = consumer->now_ms + consumer->config->retry_backoff_ms;
        group->commit_ms = group->retry_ms; /* the auto-commit is tried again then */
    } else {
        group->is_commit_due =
            false; /* CommitFailedException: others read from where it was committed last */
    }
}

/* --- What poll() does for the group --- */

static void commit_when_due(struct sim_consumer_driver *consumer)
{
    struct consumer_group *group = &consumer->group;
    if (consumer->config->enable_auto_commit == 0) {
        return;
    }
    if (consumer->now_ms >= group->commit_ms) {
        group->commit_ms = consumer->now_ms + consumer->config->auto_commit_interval_ms;
        (void)consumer_commit(consumer); /* not now: with the next interval */
    }
    consumer_wake_at(consumer, group->commit_ms);
}

bool consumer_group_poll(struct sim_consumer_driver *consumer)
{
    struct consumer_group *group = &consumer->group;
    if (consumer->config->group_id == NULL) {
        return true;
    }
    if (consumer->scenario->topic_count > 0) {
        group->poll_ms = consumer->now_ms + consumer->config->max_poll_interval_ms;
        if (!consumer_join(consumer)) {
            return false;
        }
    }
    commit_when_due(consumer);
    return true;
}
