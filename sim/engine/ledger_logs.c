/*
 * The cluster's side of the ledger: its logs are read, and every record is judged.
 */
#include "engine/ledger_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "wire/record_batch.h"
#include "wire/record_batch_reader.h"

/* Records of a batch, decompressed; as much as the cluster takes. */
enum { LARGEST_RECORDS_BYTES = 1 << 28 };

static struct sim_tally *tally_of(struct sim_ledger_entry *entry, bool is_final)
{
    return is_final ? &entry->all : &entry->taken;
}

static void count_one(uint16_t *count)
{
    *count = *count < UINT16_MAX ? (uint16_t)(*count + 1) : *count;
}

/* --- Reading --- */

static void await_marker(struct sim_log_reading *reading, struct sim_ledger_entry *entry)
{
    if (reading->undecided_count == reading->undecided_capacity) {
        reading->undecided_capacity = reading->undecided_capacity != 0 ? 2 * reading->undecided_capacity : 64;
        struct sim_undecided *grown =
            realloc(reading->undecided, reading->undecided_capacity * sizeof *grown);
        KB_ASSERT(grown != NULL);
        reading->undecided = grown;
    }
    reading->undecided[reading->undecided_count++] = (struct sim_undecided){reading->producer_id, entry->id};
    count_one(&tally_of(entry, reading->is_final)->undecided);
}

/* A control batch ends the transaction of its producer. Kafka: ControlRecordType: the key is a version and
 * the type, of which 0 is ABORT. */
static void take_marker(struct sim_ledger *ledger, struct sim_log_reading *reading, const uint8_t *batch,
                        size_t length_bytes)
{
    enum { KEY_BYTES = 4, TYPE_AT = 2 };
    int64_t producer_id = kw_record_batch_producer_id(batch);
    struct kw_record_reader reader;
    struct kw_record record;
    kw_record_reader_init(&reader, batch, batch + KW_RECORD_BATCH_RECORDS,
                          length_bytes - KW_RECORD_BATCH_RECORDS);
    if (!kw_record_reader_next(&reader, &record) || record.key.bytes == NULL ||
        record.key.length_bytes < KEY_BYTES) {
        return;
    }
    bool is_abort = kw_load_i16(record.key.bytes + TYPE_AT) == 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < reading->undecided_count; i++) {
        struct sim_undecided undecided = reading->undecided[i];
        if (undecided.producer_id != producer_id) {
            reading->undecided[kept++] = undecided;
            continue;
        }
        struct sim_ledger_entry *entry = sim_ledger_find(ledger, undecided.record_id);
        KB_ASSERT(entry != NULL); /* it is not settled before this */
        struct sim_tally *tally = tally_of(entry, reading->is_final);
        tally->undecided--;
        if (is_abort) {
            count_one(&tally->aborted);
        }
    }
    reading->undecided_count = kept;
}

/* The highest order of the producer so far, plus one. */
static uint32_t *highest_order(struct sim_log_reading *reading, uint8_t producer)
{
    if (producer >= reading->producer_capacity) {
        uint32_t capacity = producer + 1u;
        uint32_t *grown = realloc(reading->highest_orders, capacity * sizeof *grown);
        KB_ASSERT(grown != NULL);
        memset(grown + reading->producer_capacity, 0,
               (capacity - reading->producer_capacity) * sizeof *grown);
        reading->highest_orders = grown;
        reading->producer_capacity = capacity;
    }
    return &reading->highest_orders[producer];
}

static struct sim_ledger_entry copy_of(const struct sim_log_reading *reading, const struct kw_record *record)
{
    struct kp_bytes key = {record->key.bytes, kw_bytes_encoded_length(record->key)};
    struct kp_bytes value = {record->value.bytes, kw_bytes_encoded_length(record->value)};
    return (struct sim_ledger_entry){.content = sim_ledger_hash(reading->topic, key, value),
                                     .topic = (uint16_t)reading->topic,
                                     .partition = reading->partition,
                                     .offset = record->offset};
}

static void take_copy(struct sim_ledger *ledger, struct sim_log_reading *reading,
                      const struct kw_record *record)
{
    struct sim_ledger_totals *totals = reading->is_final ? &ledger->totals : &ledger->taken;
    struct sim_ledger_entry copy = copy_of(reading, record);
    totals->copies++;
    struct sim_ledger_entry *entry = sim_ledger_find_copy(ledger, &copy, reading);
    if (entry == NULL) {
        totals->unknown++;
        return;
    }
    if (reading->producer_id != KW_NO_PRODUCER_ID) {
        await_marker(reading, entry);
    }
    struct sim_tally *tally = tally_of(entry, reading->is_final);
    count_one(&tally->copies);
    if (tally->copies > 1) {
        return; /* a duplicate is counted as that, not as out of order */
    }
    uint32_t *highest = highest_order(reading, entry->producer);
    if (entry->order + 1 < *highest) {
        totals->reordered++;
        entry->is_reordered = true;
        entry->is_reordered_now = entry->is_reordered_now || !reading->is_final;
    } else {
        *highest = entry->order + 1;
    }
}

/* The leader has read every compressed batch: what cannot be read again is corrupt, and counts as lost. */
static bool open_batch(struct sim_ledger *ledger, const uint8_t *batch, size_t length_bytes,
                       struct kw_record_reader *reader)
{
    KB_ASSERT(length_bytes >= KW_RECORD_BATCH_OVERHEAD_BYTES);
    return kw_record_reader_open(reader, batch, length_bytes, LARGEST_RECORDS_BYTES, &ledger->decompressed) ==
           KW_ERROR_NONE;
}

void sim_ledger_read_batch(struct sim_ledger *ledger, struct sim_log_reading *reading, const uint8_t *batch,
                           size_t length_bytes)
{
    struct kw_record_reader reader;
    struct kw_record record;
    if (kw_record_batch_is_control(batch)) {
        take_marker(ledger, reading, batch, length_bytes);
        return;
    }
    reading->producer_id =
        kw_record_batch_is_transactional(batch) ? kw_record_batch_producer_id(batch) : KW_NO_PRODUCER_ID;
    if (open_batch(ledger, batch, length_bytes, &reader)) {
        while (kw_record_reader_next(&reader, &record)) {
            take_copy(ledger, reading, &record);
        }
    }
}

bool sim_ledger_is_batch_ambiguous(struct sim_ledger *ledger, const struct sim_log_reading *reading,
                                   const uint8_t *batch, size_t length_bytes)
{
    struct kw_record_reader reader;
    struct kw_record record;
    bool is_ambiguous = false;
    if (!kw_record_batch_is_control(batch) && open_batch(ledger, batch, length_bytes, &reader)) {
        while (!is_ambiguous && kw_record_reader_next(&reader, &record)) {
            struct sim_ledger_entry copy = copy_of(reading, &record);
            is_ambiguous = sim_ledger_is_ambiguous(ledger, &copy);
        }
    }
    return is_ambiguous;
}

bool sim_log_reading_passes(struct sim_log_reading *reading, const uint8_t *batch)
{
    /* What an unclean election put in the place of something that was read has a higher epoch than that. */
    int32_t epoch = kw_record_batch_partition_leader_epoch(batch);
    int64_t last_offset = kw_record_batch_last_offset(batch);
    if (last_offset < reading->read_until && epoch <= reading->read_epoch) {
        return true;
    }
    reading->read_until = last_offset + 1;
    reading->read_epoch = epoch > reading->read_epoch ? epoch : reading->read_epoch;
    return false;
}

void sim_log_reading_release(struct sim_log_reading *reading)
{
    while (reading->first_waiting != NULL) {
        struct sim_taken_batch *next = reading->first_waiting->next;
        free(reading->first_waiting);
        reading->first_waiting = next;
    }
    free(reading->undecided);
    free(reading->highest_orders);
    *reading = (struct sim_log_reading){0};
}

/* --- Judging --- */

/* What counts is what a consumer with read_committed sees when everything has settled. */
enum sim_verdict sim_entry_judge(const struct sim_ledger_entry *entry, bool is_final)
{
    struct sim_tally tally = is_final ? entry->all : entry->taken;
    int visible = tally.copies - tally.aborted - tally.undecided;
    if (entry->told != SIM_TOLD_NOTHING && visible == 0 && tally.undecided > 0) {
        return SIM_VERDICT_PENDING;
    }
    if (entry->told != SIM_TOLD_NOTHING && visible == 0 && tally.aborted > 0) {
        return SIM_VERDICT_ABORTED;
    }
    switch ((enum sim_told)entry->told) {
    case SIM_TOLD_NOTHING:
        return SIM_VERDICT_PENDING;
    case SIM_TOLD_ACKED:
        return visible == 0   ? SIM_VERDICT_LOST_AFTER_ACK
               : visible == 1 ? SIM_VERDICT_DELIVERED
                              : SIM_VERDICT_DUPLICATE;
    case SIM_TOLD_FAILED:
        return visible == 0 ? SIM_VERDICT_FAILED : SIM_VERDICT_FALSE_FAILURE;
    case SIM_TOLD_ABORTED:
        return visible == 0 ? SIM_VERDICT_ABORTED : SIM_VERDICT_FALSE_FAILURE;
    }
    KB_UNREACHABLE();
}

static int32_t best_replica(const struct mb_cluster *cluster, const char *topic, int32_t partition)
{
    struct mb_partition_view view;
    if (!mb_partition_view(cluster, topic, partition, &view)) {
        return -1;
    }
    if (view.leader >= 0) {
        return view.leader;
    }
    int32_t best = -1;
    int64_t best_end_offset = -1;
    for (uint32_t i = 0; i < view.replica_count; i++) {
        int32_t broker = mb_partition_replica(cluster, topic, partition, i);
        struct mb_replica_view replica;
        if (mb_replica_view(cluster, broker, topic, partition, &replica) &&
            replica.log_end_offset > best_end_offset) {
            best = broker;
            best_end_offset = replica.log_end_offset;
        }
    }
    return best;
}

static void *copy_of_array(const void *array, size_t bytes)
{
    void *copy = bytes > 0 ? malloc(bytes) : NULL;
    KB_ASSERT(copy != NULL || bytes == 0);
    if (bytes > 0) {
        memcpy(copy, array, bytes);
    }
    return copy;
}

/* Where reading goes on when nothing more is taken. */
static struct sim_log_reading final_reading(const struct sim_ledger *ledger, uint32_t topic,
                                            int32_t partition)
{
    const struct sim_log_reading *taken = sim_ledger_reading(ledger, topic, partition);
    struct sim_log_reading reading = {
        .topic = topic, .partition = partition, .is_final = true, .read_epoch = -1};
    if (taken != NULL) {
        reading.read_until = taken->read_until;
        reading.read_epoch = taken->read_epoch;
        reading.undecided_count = reading.undecided_capacity = taken->undecided_count;
        reading.undecided =
            copy_of_array(taken->undecided, taken->undecided_count * sizeof *taken->undecided);
        reading.producer_capacity = taken->producer_capacity;
        reading.highest_orders =
            copy_of_array(taken->highest_orders, taken->producer_capacity * sizeof *taken->highest_orders);
    }
    return reading;
}

static void read_partition(struct sim_ledger *ledger, const struct mb_cluster *cluster, uint32_t topic,
                           int32_t partition)
{
    const char *name = ledger->topics[topic].name;
    struct sim_log_reading reading = final_reading(ledger, topic, partition);
    const struct sim_log_reading *taken = sim_ledger_reading(ledger, topic, partition);
    for (const struct sim_taken_batch *batch = taken != NULL ? taken->first_waiting : NULL; batch != NULL;
         batch = batch->next) {
        reading.sent_count = batch->sent_count;
        sim_ledger_read_batch(ledger, &reading, batch->bytes, batch->length_bytes);
    }
    reading.sent_count = ledger->sent_count;
    int32_t broker = best_replica(cluster, name, partition);
    struct mb_replica_view replica;
    if (broker >= 0 && mb_replica_view(cluster, broker, name, partition, &replica)) {
        const void *bytes;
        size_t length_bytes;
        int64_t offset = replica.log_start_offset;
        while (mb_log_read(cluster, broker, name, partition, offset, &bytes, &length_bytes)) {
            if (!sim_log_reading_passes(&reading, bytes)) {
                sim_ledger_read_batch(ledger, &reading, bytes, length_bytes);
            }
            offset = kw_record_batch_last_offset(bytes) + 1;
        }
    }
    sim_log_reading_release(&reading);
}

bool sim_ledger_settle(struct sim_ledger *ledger, const struct mb_cluster *cluster)
{
    struct sim_ledger_totals told = ledger->totals;
    if (!sim_ledger_build_index(ledger)) {
        return false;
    }
    ledger->totals = ledger->taken;
    ledger->totals.sent = told.sent;
    ledger->totals.acked = told.acked;
    ledger->totals.failed = told.failed;
    for (uint32_t i = 0; i < ledger->entry_count; i++) {
        struct sim_ledger_entry *entry = &ledger->entries[i];
        entry->all = entry->taken;
        entry->is_reordered = entry->is_reordered_now;
    }
    for (uint32_t topic = 0; topic < ledger->topic_count; topic++) {
        int32_t partition_count = mb_topic_partition_count(cluster, ledger->topics[topic].name);
        for (int32_t partition = 0; partition < partition_count; partition++) {
            read_partition(ledger, cluster, topic, partition);
        }
    }
    for (uint32_t i = 0; i < ledger->entry_count; i++) {
        ledger->totals.verdicts[sim_entry_judge(&ledger->entries[i], true)]++;
    }
    ledger->is_settled = true;
    ledger->is_indexed = false; /* copies were given away in it */
    return true;
}
