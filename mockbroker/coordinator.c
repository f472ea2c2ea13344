#include "mockbroker/coordinator.h"

#include "base/assert.h"
#include "mockbroker/broker.h"
#include "mockbroker/group_coordinator.h"
#include "mockbroker/transaction_coordinator.h"
#include "wire/record_batch_builder.h"

#include <string.h>

/* --- Who coordinates what --- */

/* One character of UTF-8, with its length; what is none is taken byte by byte. */
static uint32_t next_character(const uint8_t *text, int32_t left_bytes, int32_t *taken_bytes)
{
    static const uint8_t lead_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint8_t lead = text[0];
    int32_t length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (length > left_bytes || length == 1) {
        *taken_bytes = 1;
        return lead;
    }
    uint32_t character = lead & lead_mask[length];
    for (int32_t i = 1; i < length; i++) {
        character = character << 6 | (text[i] & 0x3fU);
    }
    *taken_bytes = length;
    return character;
}

int32_t mb_java_hash(const char *text, int32_t length_bytes)
{
    uint32_t hash = 0;
    int32_t taken_bytes = 0;
    for (int32_t i = 0; i < length_bytes; i += taken_bytes) {
        uint32_t character = next_character((const uint8_t *)text + i, length_bytes - i, &taken_bytes);
        if (character > 0xffff) {
            uint32_t rest = character - 0x10000;
            hash = hash * 31 + (0xd800 + (rest >> 10));
            character = 0xdc00 + (rest & 0x3ff);
        }
        hash = hash * 31 + character;
    }
    return (int32_t)hash;
}

struct mb_topic_partition *mb_coordinator_partition_of(const struct mb_cluster *cluster,
                                                       enum mb_topic_kind kind, const char *key,
                                                       int32_t length_bytes)
{
    const char *name = mb_topic_kind_name(kind);
    const struct mb_topic *topic = mb_topic_find(cluster, name, (int32_t)strlen(name));
    if (topic == NULL || topic->partition_count == 0) {
        return NULL;
    }
    /* Kafka: Utils.abs, which is 0 for the smallest number. */
    int32_t hash = mb_java_hash(key, length_bytes);
    int32_t positive = hash == INT32_MIN ? 0 : hash < 0 ? -hash : hash;
    return topic->partitions[positive % topic->partition_count];
}

enum kw_error mb_coordinator_find(const struct mb_broker *broker, enum mb_topic_kind kind, const char *key,
                                  int32_t length_bytes, struct mb_partition **out)
{
    const struct mb_topic_partition *tp =
        mb_coordinator_partition_of(broker->cluster, kind, key, length_bytes);
    struct mb_partition *partition = tp == NULL ? NULL : mb_partition_online(broker, tp);
    if (partition == NULL || !partition->is_leader) {
        return KW_ERROR_NOT_COORDINATOR;
    }
    *out = partition;
    bool is_loaded = kind == MB_TOPIC_TRANSACTION_STATE ? mb_transactions_are_loaded(partition)
                                                        : mb_groups_are_loaded(partition);
    return is_loaded ? KW_ERROR_NONE : KW_ERROR_COORDINATOR_LOAD_IN_PROGRESS;
}

void mb_coordinator_create_topic(struct mb_broker *broker, enum mb_topic_kind kind)
{
    struct mb_cluster *cluster = broker->cluster;
    const char *name = mb_topic_kind_name(kind);
    struct mb_control *control =
        mb_control_create(cluster, MB_CONTROL_CREATE_TOPIC, broker->index, MB_TO_CONTROLLER);
    control->topic_length_bytes = (int32_t)strlen(name);
    control->topic = mb_take(cluster->allocator, (size_t)control->topic_length_bytes + 1);
    memcpy(control->topic, name, (size_t)control->topic_length_bytes);
    mb_control_send(cluster, control);
}

void mb_coordinators_elect(struct mb_partition *partition)
{
    switch (partition->tp->topic->kind) {
    case MB_TOPIC_OF_CLIENTS:
        return;
    case MB_TOPIC_TRANSACTION_STATE:
        mb_transactions_elect(partition);
        return;
    case MB_TOPIC_CONSUMER_OFFSETS:
        mb_groups_elect(partition);
        return;
    }
    KB_UNREACHABLE();
}

void mb_coordinators_resign(struct mb_partition *partition)
{
    mb_transactions_resign(partition);
    mb_groups_resign(partition);
}

void mb_coordinators_look_again(struct mb_broker *broker)
{
    const char *name = mb_topic_kind_name(MB_TOPIC_TRANSACTION_STATE);
    const struct mb_topic *topic = mb_topic_find(broker->cluster, name, (int32_t)strlen(name));
    for (int32_t i = 0; topic != NULL && i < topic->partition_count; i++) {
        struct mb_partition *partition = mb_partition_online(broker, topic->partitions[i]);
        if (partition != NULL) {
            mb_transactions_look_again(partition);
        }
    }
}

/* --- The log --- */

enum kw_error mb_coordinator_append(struct mb_partition *partition, const struct mb_coordinator_batch *batch,
                                    struct mb_append_wait *wait, int64_t timeout_ms)
{
    const struct linger_allocator *allocator = partition->cluster->allocator;
    int64_t now_ms = mb_now_ms(partition->cluster);
    int64_t size_bytes = KW_RECORD_BATCH_OVERHEAD_BYTES;
    for (uint32_t i = 0; i < batch->record_count; i++) {
        size_bytes += kw_record_size_upper_bound_bytes(&batch->records[i]);
    }
    KB_ASSERT(size_bytes <= INT32_MAX);
    uint8_t *memory = mb_take(allocator, (size_t)size_bytes);
    struct kw_record_batch_options options = kw_record_batch_options_default();
    options.producer_id = batch->producer_id;
    options.producer_epoch = batch->producer_epoch;
    options.is_transactional = batch->producer_id > KW_NO_PRODUCER_ID;
    options.is_control = batch->is_control;
    if (options.is_transactional && !batch->is_control) {
        options.base_sequence = 0; /* not looked at: it is an offset of a transaction, and a coordinator's */
    }
    struct kw_record_batch_builder builder;
    kw_record_batch_builder_init(&builder, memory, (uint32_t)size_bytes, &options);
    for (uint32_t i = 0; i < batch->record_count; i++) {
        (void)kw_record_batch_builder_append(&builder, now_ms, &batch->records[i]);
    }
    kw_record_batch_builder_close(&builder);
    struct mb_append_result result = {0};
    enum kw_error error =
        mb_partition_append_as_coordinator(partition, memory, builder.written_bytes, &result);
    mb_give(allocator, memory, (size_t)size_bytes);
    if (error == KW_ERROR_NONE) {
        mb_append_wait_begin(wait, partition, result.last_offset + 1, timeout_ms);
    }
    return error;
}

void mb_coordinator_read(struct mb_partition *partition, mb_coordinator_reader *reader)
{
    const struct mb_log *log = &partition->log;
    for (uint32_t i = 0; i < log->count; i++) {
        const struct mb_block *block = mb_log_entry_at(log, i)->block;
        struct kw_record_reader records;
        struct kw_record record;
        kw_record_reader_init(&records, block->bytes, block->bytes + KW_RECORD_BATCH_RECORDS,
                              block->size_bytes - KW_RECORD_BATCH_RECORDS);
        while (kw_record_reader_next(&records, &record)) {
            reader(partition, block->bytes, block->size_bytes, &record);
        }
    }
}
