/* Committed offsets: records of __consumer_offsets, and what they come to.
 * Kafka: GroupMetadataManager.storeOffsets, loadGroupsAndOffsets, handleTxnCompletion. */

#include "base/assert.h"
#include "mockbroker/coordinator.h"
#include "mockbroker/group_coordinator.h"
#include "wire/record_batch.h"

#include <string.h>

enum { KEY_VERSION = 1, VALUE_VERSION = 3 };

/* One request's offsets, until they are replicated. */
struct commit {
    struct kb_list_node of_shard;
    struct mb_append_wait wait;
    struct mb_group_shard *shard;
    struct mb_request *request; /* NULL: nobody waits for the answer any more */
    mb_commit_answer *answer;
    char *group_id;
    int32_t group_id_length_bytes;
    uint32_t count;
    struct mb_committed_offset offsets[];
};

/* --- What a group has --- */

static void put_metadata(const struct linger_allocator *allocator, struct mb_committed_offset *offset,
                         const char *text, int32_t length_bytes)
{
    offset->metadata_length_bytes = length_bytes < 0 ? 0 : length_bytes;
    offset->metadata = mb_take(allocator, (size_t)offset->metadata_length_bytes + 1);
    if (offset->metadata_length_bytes > 0) {
        memcpy(offset->metadata, text, (size_t)offset->metadata_length_bytes);
    }
}

static void give_metadata(const struct linger_allocator *allocator, struct mb_committed_offset *offset)
{
    mb_give(allocator, offset->metadata, (size_t)offset->metadata_length_bytes + 1);
    offset->metadata = NULL;
}

static const struct linger_allocator *allocator_of(const struct mb_group *group)
{
    return group->shard->partition->cluster->allocator;
}

static void remove_offset(struct mb_group *group, uint32_t index)
{
    give_metadata(allocator_of(group), &group->offsets[index]);
    memmove(&group->offsets[index], &group->offsets[index + 1],
            (group->offset_count - index - 1) * sizeof group->offsets[0]);
    group->offset_count--;
}

/* Replaces the one of the same partition and the same transaction, or none. The later one in the log counts:
 * a transaction may end after others have committed. Takes the metadata over. */
static void put_offset(struct mb_group *group, struct mb_committed_offset *offset)
{
    for (uint32_t i = 0; i < group->offset_count; i++) {
        struct mb_committed_offset *old = &group->offsets[i];
        if (old->tp != offset->tp || old->producer_id != offset->producer_id) {
            continue;
        }
        if (old->log_offset <= offset->log_offset) {
            give_metadata(allocator_of(group), old);
            *old = *offset;
        } else {
            give_metadata(allocator_of(group), offset);
        }
        return;
    }
    group->offsets = mb_reserve(allocator_of(group), group->offsets, &group->offset_capacity,
                                group->offset_count + 1, sizeof group->offsets[0]);
    group->offsets[group->offset_count++] = *offset;
}

static void end_transaction(struct mb_group *group, int64_t producer_id, bool is_commit)
{
    for (uint32_t i = 0; i < group->offset_count;) {
        if (group->offsets[i].producer_id != producer_id) {
            i++;
            continue;
        }
        struct mb_committed_offset ended = group->offsets[i];
        put_metadata(allocator_of(group), &ended, group->offsets[i].metadata,
                     group->offsets[i].metadata_length_bytes);
        ended.producer_id = KW_NO_PRODUCER_ID;
        remove_offset(group, i);
        if (is_commit) {
            put_offset(group, &ended);
        } else {
            give_metadata(allocator_of(group), &ended);
        }
    }
}

void mb_groups_transaction_ended(struct mb_partition *partition, int64_t producer_id, bool is_commit)
{
    if (partition == NULL || partition->groups == NULL) {
        return;
    }
    KB_LIST_FOR_EACH(node, &partition->groups->groups)
    {
        end_transaction(KB_CONTAINER_OF(node, struct mb_group, of_shard), producer_id, is_commit);
    }
}

static bool is_being_committed(const struct mb_group *group, const struct mb_topic_partition *tp)
{
    KB_LIST_FOR_EACH(node, &group->shard->commits)
    {
        const struct commit *commit = KB_CONTAINER_OF(node, struct commit, of_shard);
        if (commit->group_id_length_bytes != group->id_length_bytes ||
            memcmp(commit->group_id, group->id, (size_t)group->id_length_bytes) != 0) {
            continue;
        }
        for (uint32_t i = 0; i < commit->count; i++) {
            if (commit->offsets[i].tp == tp) {
                return true;
            }
        }
    }
    return false;
}

const struct mb_committed_offset *mb_group_offset(const struct mb_group *group,
                                                  const struct mb_topic_partition *tp, bool *is_unstable)
{
    const struct mb_committed_offset *found = NULL;
    *is_unstable = is_being_committed(group, tp);
    for (uint32_t i = 0; i < group->offset_count; i++) {
        const struct mb_committed_offset *offset = &group->offsets[i];
        if (offset->tp == tp && offset->producer_id == KW_NO_PRODUCER_ID) {
            found = offset;
        } else if (offset->tp == tp) {
            *is_unstable = true;
        }
    }
    return found;
}

void mb_group_offsets_release(struct mb_group *group)
{
    while (group->offset_count > 0) {
        remove_offset(group, group->offset_count - 1);
    }
    mb_give(allocator_of(group), group->offsets, group->offset_capacity * sizeof group->offsets[0]);
}

/* --- Writing --- */

static void write_text(struct kw_writer *writer, const char *text, int32_t length_bytes)
{
    kw_write_i16(writer, (int16_t)length_bytes);
    kw_write_bytes(writer, text, (size_t)length_bytes);
}

static size_t bound_bytes(const struct commit *commit, uint32_t index)
{
    return 64 + (size_t)commit->group_id_length_bytes +
           (size_t)commit->offsets[index].tp->topic->name_length_bytes +
           (size_t)commit->offsets[index].metadata_length_bytes;
}

/* Returns the bytes used. */
static size_t write_record(const struct commit *commit, uint32_t index, int64_t now_ms, uint8_t *memory,
                           struct kw_record_fields *record)
{
    const struct mb_committed_offset *offset = &commit->offsets[index];
    const struct mb_topic *topic = offset->tp->topic;
    size_t size_bytes = bound_bytes(commit, index);
    struct kw_writer key;
    struct kw_writer value;
    kw_writer_init(&key, memory, size_bytes);
    kw_write_i16(&key, KEY_VERSION);
    write_text(&key, commit->group_id, commit->group_id_length_bytes);
    write_text(&key, topic->name, topic->name_length_bytes);
    kw_write_i32(&key, offset->tp->index);
    kw_writer_init(&value, memory + key.position_bytes, size_bytes - key.position_bytes);
    kw_write_i16(&value, VALUE_VERSION);
    kw_write_i64(&value, offset->offset);
    kw_write_i32(&value, offset->leader_epoch);
    write_text(&value, offset->metadata, offset->metadata_length_bytes);
    kw_write_i64(&value, now_ms);
    KB_ASSERT(kw_writer_is_ok(&key) && kw_writer_is_ok(&value));
    *record = (struct kw_record_fields){
        .key = {memory, (int32_t)key.position_bytes},
        .value = {memory + key.position_bytes, (int32_t)value.position_bytes},
    };
    return key.position_bytes + value.position_bytes;
}

static enum kw_error append(struct commit *commit, int64_t producer_id, int16_t producer_epoch)
{
    struct mb_partition *partition = commit->shard->partition;
    struct mb_cluster *cluster = partition->cluster;
    size_t total_bytes = 0;
    for (uint32_t i = 0; i < commit->count; i++) {
        total_bytes += bound_bytes(commit, i);
    }
    uint8_t *memory = mb_take(cluster->allocator, total_bytes);
    struct kw_record_fields *records = mb_take(cluster->allocator, commit->count * sizeof *records);
    size_t used_bytes = 0;
    for (uint32_t i = 0; i < commit->count; i++) {
        used_bytes += write_record(commit, i, mb_now_ms(cluster), memory + used_bytes, &records[i]);
    }
    struct mb_coordinator_batch batch = {
        .records = records,
        .record_count = commit->count,
        .producer_id = producer_id,
        .producer_epoch = producer_epoch,
    };
    enum kw_error error = mb_coordinator_append(partition, &batch, &commit->wait,
                                                mb_setting(cluster, MB_SETTING_OFFSETS_COMMIT_TIMEOUT_MS));
    mb_give(cluster->allocator, records, commit->count * sizeof *records);
    mb_give(cluster->allocator, memory, total_bytes);
    return error;
}

static void destroy(struct commit *commit)
{
    const struct linger_allocator *allocator = commit->shard->partition->cluster->allocator;
    for (uint32_t i = 0; i < commit->count; i++) {
        if (commit->offsets[i].metadata != NULL) {
            give_metadata(allocator, &commit->offsets[i]);
        }
    }
    kb_list_remove(&commit->of_shard);
    mb_give(allocator, commit->group_id, (size_t)commit->group_id_length_bytes + 1);
    mb_give(allocator, commit, sizeof *commit + commit->count * sizeof commit->offsets[0]);
}

/* Kafka: GroupMetadataManager.storeOffsets, how it names the errors of the append. */
static enum kw_error commit_error(enum kw_error error)
{
    switch ((int)error) {
    case KW_ERROR_UNKNOWN_TOPIC_OR_PARTITION:
    case KW_ERROR_NOT_ENOUGH_REPLICAS:
    case KW_ERROR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
        return KW_ERROR_COORDINATOR_NOT_AVAILABLE;
    case KW_ERROR_NOT_LEADER_OR_FOLLOWER:
        return KW_ERROR_NOT_COORDINATOR;
    case KW_ERROR_MESSAGE_TOO_LARGE:
    case KW_ERROR_RECORD_LIST_TOO_LARGE:
        return KW_ERROR_INVALID_COMMIT_OFFSET_SIZE;
    default:
        return error;
    }
}

static void finish(struct commit *commit, enum kw_error error)
{
    struct mb_request *request = commit->request;
    mb_commit_answer *answer = commit->answer;
    destroy(commit);
    if (request != NULL) {
        request->waits_for = NULL;
        answer(request, error);
    }
}

static void is_replicated(struct mb_append_wait *wait, enum kw_error error)
{
    struct commit *commit = KB_CONTAINER_OF(wait, struct commit, wait);
    if (error == KW_ERROR_NONE) {
        struct mb_group *group = mb_group_of(commit->shard, commit->group_id, commit->group_id_length_bytes);
        for (uint32_t i = 0; i < commit->count; i++) {
            put_offset(group, &commit->offsets[i]);
            commit->offsets[i].metadata = NULL;
        }
    }
    finish(commit, commit_error(error));
}

static void forget(struct mb_request *request)
{
    struct commit *commit = request->waits_for;
    commit->request = NULL;
}

void mb_group_commits_drop(struct mb_group_shard *shard)
{
    struct kb_list_node *node;
    while ((node = kb_list_first(&shard->commits)) != NULL) {
        struct commit *commit = KB_CONTAINER_OF(node, struct commit, of_shard);
        mb_append_wait_cancel(&commit->wait);
        finish(commit, KW_ERROR_NOT_COORDINATOR);
    }
}

void mb_group_commit(struct mb_request *request, struct mb_partition *partition, struct kw_string group_id,
                     const struct mb_offset_commit *commits, uint32_t count, int64_t producer_id,
                     int16_t producer_epoch, mb_commit_answer *answer)
{
    struct mb_cluster *cluster = request->cluster;
    struct commit *commit = mb_take(cluster->allocator, sizeof *commit + count * sizeof commit->offsets[0]);
    commit->shard = partition->groups;
    commit->wait.done = is_replicated;
    commit->request = request;
    commit->answer = answer;
    commit->group_id_length_bytes = group_id.length_bytes;
    commit->group_id = mb_take(cluster->allocator, (size_t)group_id.length_bytes + 1);
    memcpy(commit->group_id, group_id.data, (size_t)group_id.length_bytes);
    commit->count = count;
    kb_list_push_back(&commit->shard->commits, &commit->of_shard);
    for (uint32_t i = 0; i < count; i++) {
        commit->offsets[i] = (struct mb_committed_offset){
            .tp = commits[i].tp,
            .offset = commits[i].offset,
            .leader_epoch = commits[i].leader_epoch,
            .producer_id = producer_id,
        };
        put_metadata(cluster->allocator, &commit->offsets[i], commits[i].metadata.data,
                     commits[i].metadata.length_bytes);
    }
    request->waits_for = commit;
    request->forget = forget;
    /* It exists from now on, whatever becomes of the commit. */
    (void)mb_group_of(commit->shard, group_id.data, group_id.length_bytes);
    enum kw_error error = append(commit, producer_id, producer_epoch);
    if (error != KW_ERROR_NONE) {
        finish(commit, commit_error(error));
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        commit->offsets[i].log_offset = commit->wait.required_offset - count;
    }
}

/* --- Reading --- */

static bool read_text(struct kw_reader *reader, struct kw_string *out)
{
    int32_t length_bytes = kw_read_i16(reader);
    const uint8_t *bytes = length_bytes < 0 ? NULL : kw_read_bytes(reader, (size_t)length_bytes);
    *out = (struct kw_string){(const char *)bytes, length_bytes};
    return kw_reader_is_ok(reader) && bytes != NULL;
}

static void load_record(struct mb_partition *partition, const uint8_t *batch, size_t batch_bytes,
                        const struct kw_record *record)
{
    struct mb_group_shard *shard = partition->groups;
    struct mb_marker marker;
    if (kw_record_batch_is_control(batch)) {
        if (mb_marker_read(batch, batch_bytes, &marker)) {
            mb_groups_transaction_ended(partition, marker.producer_id, marker.is_commit);
        }
        return;
    }
    struct kw_reader key;
    struct kw_reader value;
    struct kw_string group_id;
    struct kw_string name;
    struct kw_string metadata;
    kw_reader_init(&key, record->key.bytes, (size_t)record->key.length_bytes);
    kw_reader_init(&value, record->value.bytes, (size_t)record->value.length_bytes);
    if (kw_read_i16(&key) != KEY_VERSION || !read_text(&key, &group_id) || !read_text(&key, &name) ||
        kw_read_i16(&value) != VALUE_VERSION) {
        return;
    }
    const struct mb_topic *topic = mb_topic_find(partition->cluster, name.data, name.length_bytes);
    int32_t index = kw_read_i32(&key);
    struct mb_committed_offset offset = {
        .tp = topic == NULL ? NULL : mb_topic_partition_at(topic, index),
        .producer_id =
            kw_record_batch_is_transactional(batch) ? kw_record_batch_producer_id(batch) : KW_NO_PRODUCER_ID,
        .log_offset = kw_record_batch_base_offset(batch),
    };
    offset.offset = kw_read_i64(&value);
    offset.leader_epoch = kw_read_i32(&value);
    if (offset.tp != NULL && read_text(&value, &metadata)) {
        put_metadata(partition->cluster->allocator, &offset, metadata.data, metadata.length_bytes);
        put_offset(mb_group_of(shard, group_id.data, group_id.length_bytes), &offset);
    }
}

void mb_group_offsets_load(struct mb_partition *partition)
{
    mb_coordinator_read(partition, load_record);
}
