/* What a transaction coordinator remembers, as records of __transaction_state.
 * Kafka: TransactionLog.keyToBytes, valueToBytes, TransactionStateManager.loadTransactionMetadata. */

#include "mockbroker/coordinator.h"
#include "mockbroker/transaction_coordinator.h"
#include "wire/record_batch.h"

#include <string.h>

enum { KEY_VERSION = 0, VALUE_VERSION = 0 };

/* --- The cache --- */

struct mb_txn *mb_txn_find(const struct mb_txn_shard *shard, const char *id, int32_t length_bytes)
{
    KB_LIST_FOR_EACH(node, &shard->transactions)
    {
        struct mb_txn *txn = KB_CONTAINER_OF(node, struct mb_txn, of_shard);
        if (txn->id_length_bytes == length_bytes && memcmp(txn->id, id, (size_t)length_bytes) == 0) {
            return txn;
        }
    }
    return NULL;
}

struct mb_txn *mb_txn_create(struct mb_txn_shard *shard, const char *id, int32_t length_bytes)
{
    const struct linger_allocator *allocator = shard->partition->cluster->allocator;
    struct mb_txn *txn = mb_take(allocator, sizeof *txn);
    txn->shard = shard;
    txn->id = mb_take(allocator, (size_t)length_bytes + 1);
    memcpy(txn->id, id, (size_t)length_bytes);
    txn->id_length_bytes = length_bytes;
    txn->now = (struct mb_txn_values){
        .producer_id = KW_NO_PRODUCER_ID,
        .last_producer_id = KW_NO_PRODUCER_ID,
        .producer_epoch = KW_NO_PRODUCER_EPOCH,
        .last_producer_epoch = KW_NO_PRODUCER_EPOCH,
        .start_ms = -1,
        .state = MB_TXN_EMPTY,
    };
    txn->retry = (struct mb_timer){.fire = mb_txn_retry, .broker = shard->partition->broker};
    kb_list_push_back(&shard->transactions, &txn->of_shard);
    return txn;
}

void mb_txn_put_partition(struct mb_txn *txn, uint32_t index, struct mb_topic_partition *tp)
{
    txn->partitions = mb_reserve(txn->shard->partition->cluster->allocator, txn->partitions,
                                 &txn->partition_capacity, index + 1, sizeof *txn->partitions);
    txn->partitions[index] = (struct mb_txn_partition){.tp = tp, .broker = -1};
}

/* --- Writing --- */

static bool is_first_of_topic(const struct mb_txn *txn, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++) {
        if (txn->partitions[i].tp->topic == txn->partitions[index].tp->topic) {
            return false;
        }
    }
    return true;
}

static uint32_t count_topics(const struct mb_txn *txn, const struct mb_topic *topic)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < txn->next.partition_count; i++) {
        count += topic == NULL ? is_first_of_topic(txn, i) : txn->partitions[i].tp->topic == topic;
    }
    return count;
}

static void write_text(struct kw_writer *writer, const char *text, int32_t length_bytes)
{
    kw_write_i16(writer, (int16_t)length_bytes);
    kw_write_bytes(writer, text, (size_t)length_bytes);
}

/* Partitions by topic, both in the order in which they were added. */
static void write_partitions(const struct mb_txn *txn, struct kw_writer *writer)
{
    if (txn->next.state == MB_TXN_EMPTY) {
        kw_write_i32(writer, -1);
        return;
    }
    kw_write_i32(writer, (int32_t)count_topics(txn, NULL));
    for (uint32_t i = 0; i < txn->next.partition_count; i++) {
        const struct mb_topic *topic = txn->partitions[i].tp->topic;
        if (!is_first_of_topic(txn, i)) {
            continue;
        }
        write_text(writer, topic->name, topic->name_length_bytes);
        kw_write_i32(writer, (int32_t)count_topics(txn, topic));
        for (uint32_t j = i; j < txn->next.partition_count; j++) {
            if (txn->partitions[j].tp->topic == topic) {
                kw_write_i32(writer, txn->partitions[j].tp->index);
            }
        }
    }
}

static size_t value_bound_bytes(const struct mb_txn *txn)
{
    size_t bytes = 64;
    for (uint32_t i = 0; i < txn->next.partition_count; i++) {
        bytes += 10 + (size_t)txn->partitions[i].tp->topic->name_length_bytes;
    }
    return bytes;
}

enum kw_error mb_txn_log_append(struct mb_txn *txn)
{
    struct mb_partition *partition = txn->shard->partition;
    const struct linger_allocator *allocator = partition->cluster->allocator;
    size_t key_bytes = 4 + (size_t)txn->id_length_bytes;
    size_t value_bytes = value_bound_bytes(txn);
    uint8_t *memory = mb_take(allocator, key_bytes + value_bytes);
    struct kw_writer key;
    struct kw_writer value;
    kw_writer_init(&key, memory, key_bytes);
    kw_write_i16(&key, KEY_VERSION);
    write_text(&key, txn->id, txn->id_length_bytes);
    kw_writer_init(&value, memory + key_bytes, value_bytes);
    kw_write_i16(&value, VALUE_VERSION);
    kw_write_i64(&value, txn->next.producer_id);
    kw_write_i16(&value, txn->next.producer_epoch);
    kw_write_i32(&value, txn->next.timeout_ms);
    kw_write_i8(&value, (int8_t)txn->next.state);
    write_partitions(txn, &value);
    kw_write_i64(&value, txn->next.last_update_ms);
    kw_write_i64(&value, txn->next.start_ms);
    struct kw_record_fields record = {
        .key = {memory, (int32_t)key_bytes},
        .value = {memory + key_bytes, (int32_t)value.position_bytes},
    };
    struct mb_coordinator_batch batch = {
        .records = &record,
        .record_count = 1,
        .producer_id = KW_NO_PRODUCER_ID,
        .producer_epoch = KW_NO_PRODUCER_EPOCH,
    };
    /* Kafka: the append may take as long as the transaction. */
    enum kw_error error = mb_coordinator_append(partition, &batch, &txn->wait, txn->next.timeout_ms);
    mb_give(allocator, memory, key_bytes + value_bytes);
    return error;
}

/* --- Reading --- */

static bool read_text(struct kw_reader *reader, const char **text, int32_t *length_bytes)
{
    *length_bytes = kw_read_i16(reader);
    *text = *length_bytes < 0 ? NULL : (const char *)kw_read_bytes(reader, (size_t)*length_bytes);
    return kw_reader_is_ok(reader) && *text != NULL;
}

static void read_partitions(struct mb_txn *txn, struct kw_reader *reader)
{
    struct mb_cluster *cluster = txn->shard->partition->cluster;
    int32_t topic_count = kw_read_i32(reader);
    txn->now.partition_count = 0;
    for (int32_t i = 0; i < topic_count; i++) {
        const char *name;
        int32_t length_bytes;
        if (!read_text(reader, &name, &length_bytes)) {
            return;
        }
        const struct mb_topic *topic = mb_topic_find(cluster, name, length_bytes);
        int32_t count = kw_read_i32(reader);
        for (int32_t j = 0; j < count && kw_reader_is_ok(reader); j++) {
            int32_t index = kw_read_i32(reader);
            struct mb_topic_partition *tp = topic == NULL ? NULL : mb_topic_partition_at(topic, index);
            if (tp != NULL) {
                mb_txn_put_partition(txn, txn->now.partition_count++, tp);
            }
        }
    }
}

static void load_record(struct mb_partition *partition, const uint8_t *batch, size_t batch_bytes,
                        const struct kw_record *record)
{
    (void)batch;
    (void)batch_bytes;
    if (record->key.bytes == NULL || record->value.bytes == NULL) {
        return;
    }
    struct kw_reader key;
    struct kw_reader value;
    const char *id;
    int32_t id_length_bytes;
    kw_reader_init(&key, record->key.bytes, (size_t)record->key.length_bytes);
    kw_reader_init(&value, record->value.bytes, (size_t)record->value.length_bytes);
    if (kw_read_i16(&key) != KEY_VERSION || !read_text(&key, &id, &id_length_bytes) ||
        kw_read_i16(&value) != VALUE_VERSION) {
        return;
    }
    struct mb_txn *txn = mb_txn_find(partition->transactions, id, id_length_bytes);
    if (txn == NULL) {
        txn = mb_txn_create(partition->transactions, id, id_length_bytes);
    }
    /* The last producer id and epoch are not in version 0 of the value. */
    txn->now.last_producer_id = KW_NO_PRODUCER_ID;
    txn->now.last_producer_epoch = KW_NO_PRODUCER_EPOCH;
    txn->now.producer_id = kw_read_i64(&value);
    txn->now.producer_epoch = kw_read_i16(&value);
    txn->now.timeout_ms = kw_read_i32(&value);
    txn->now.state = (enum mb_txn_state)kw_read_i8(&value);
    read_partitions(txn, &value);
    txn->now.last_update_ms = kw_read_i64(&value);
    txn->now.start_ms = kw_read_i64(&value);
}

void mb_txn_log_load(struct mb_partition *partition)
{
    mb_coordinator_read(partition, load_record);
}
