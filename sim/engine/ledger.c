/*
 * The application's side of the ledger: what was sent, and what it was told. What the logs say is in
 * ledger_logs.c.
 */
#include "engine/ledger_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/allocator.h"
#include "base/assert.h"

const char *sim_verdict_name(enum sim_verdict verdict)
{
    switch (verdict) {
    case SIM_VERDICT_PENDING:
        return "pending";
    case SIM_VERDICT_DELIVERED:
        return "delivered";
    case SIM_VERDICT_LOST_AFTER_ACK:
        return "lost after ack";
    case SIM_VERDICT_DUPLICATE:
        return "duplicate";
    case SIM_VERDICT_FAILED:
        return "failed";
    case SIM_VERDICT_FALSE_FAILURE:
        return "false failure";
    case SIM_VERDICT_ABORTED:
        return "aborted";
    case SIM_VERDICT_COUNT:
        break;
    }
    KB_UNREACHABLE();
}

struct sim_ledger *sim_ledger_create(void)
{
    struct sim_ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger != NULL) {
        kw_compression_buffer_init(&ledger->decompressed, kb_allocator_default());
        ledger->kept_records = SIM_LEDGER_KEPT_RECORDS;
    }
    return ledger;
}

void sim_ledger_destroy(struct sim_ledger *ledger)
{
    if (ledger == NULL) {
        return;
    }
    for (uint32_t i = 0; i < ledger->topic_count; i++) {
        struct sim_ledger_topic *topic = &ledger->topics[i];
        for (int32_t partition = 0; partition < topic->reading_capacity; partition++) {
            if (topic->readings[partition] != NULL) {
                sim_log_reading_release(topic->readings[partition]);
                free(topic->readings[partition]);
            }
        }
        free(topic->readings);
        free(topic->name);
    }
    kw_compression_buffer_release(&ledger->decompressed);
    free(ledger->topics);
    free(ledger->entries);
    free(ledger->alike);
    free(ledger->by_offset);
    free(ledger);
}

void sim_ledger_keep(struct sim_ledger *ledger, uint32_t kept_records)
{
    KB_ASSERT(ledger->sent_count == 0);
    ledger->kept_records = kept_records;
}

void sim_ledger_watch(struct sim_ledger *ledger, const struct mb_cluster *cluster)
{
    ledger->cluster = cluster;
}

static uint64_t fold_bytes(uint64_t hash, const void *data, int64_t length_bytes)
{
    static const uint64_t factor = 0x9e3779b97f4a7c15u;
    const uint8_t *bytes = data;
    hash = (hash ^ (uint64_t)length_bytes) * factor;
    for (int64_t i = 0; i < length_bytes; i += 8) {
        uint64_t word = 0;
        memcpy(&word, bytes + i, length_bytes - i < 8 ? (size_t)(length_bytes - i) : 8);
        hash = (hash ^ word) * factor;
        hash ^= hash >> 32;
    }
    return hash;
}

uint64_t sim_ledger_hash(uint32_t topic, struct kp_bytes key, struct kp_bytes value)
{
    uint64_t hash = fold_bytes(topic + 1, key.data, key.length_bytes);
    return fold_bytes(hash, value.data, value.length_bytes);
}

uint32_t sim_ledger_find_topic(const struct sim_ledger *ledger, const char *name)
{
    for (uint32_t i = 0; i < ledger->topic_count; i++) {
        if (strcmp(ledger->topics[i].name, name) == 0) {
            return i;
        }
    }
    return UINT32_MAX;
}

static uint32_t know_topic(struct sim_ledger *ledger, const char *name)
{
    uint32_t known = sim_ledger_find_topic(ledger, name);
    if (known != UINT32_MAX) {
        return known;
    }
    struct sim_ledger_topic *grown = realloc(ledger->topics, (ledger->topic_count + 1) * sizeof *grown);
    size_t name_bytes = strlen(name) + 1;
    char *copy = malloc(name_bytes);
    KB_ASSERT(ledger->topic_count < UINT16_MAX);
    if (grown != NULL) {
        ledger->topics = grown;
    }
    if (grown == NULL || copy == NULL) {
        free(copy);
        return UINT32_MAX;
    }
    memcpy(copy, name, name_bytes);
    ledger->topics[ledger->topic_count] = (struct sim_ledger_topic){.name = copy};
    return ledger->topic_count++;
}

bool sim_ledger_sent(struct sim_ledger *ledger, uint32_t record_id, uint32_t producer,
                     const struct kp_record *record)
{
    KB_ASSERT(record_id == ledger->sent_count);
    uint32_t topic = know_topic(ledger, record->topic);
    if (topic == UINT32_MAX ||
        (ledger->entry_count == ledger->entry_capacity && !sim_ledger_make_room(ledger))) {
        return false;
    }
    ledger->entries[ledger->entry_count++] = (struct sim_ledger_entry){
        .content = sim_ledger_hash(topic, record->key, record->value),
        .offset = -1,
        .settled_at = INT64_MAX,
        .id = record_id,
        .order = UINT32_MAX,
        .partition = -1,
        .next_alike = UINT32_MAX,
        .topic = (uint16_t)topic,
        .producer = (uint8_t)producer,
    };
    ledger->sent_count++;
    ledger->totals.sent++;
    if (ledger->has_taken) {
        sim_ledger_look(ledger);
    }
    return true;
}

struct sim_ledger_entry *sim_ledger_find(const struct sim_ledger *ledger, uint32_t record_id)
{
    uint32_t contiguous = ledger->entry_count - ledger->contiguous_from;
    if (ledger->sent_count - record_id <= contiguous) {
        return &ledger->entries[ledger->entry_count - (ledger->sent_count - record_id)];
    }
    uint32_t low = 0;
    uint32_t high = ledger->contiguous_from;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ledger->entries[middle].id < record_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < ledger->contiguous_from && ledger->entries[low].id == record_id;
    return found ? &ledger->entries[low] : NULL;
}

static struct sim_ledger_entry *find_untold(const struct sim_ledger *ledger, uint32_t record_id)
{
    KB_ASSERT(record_id < ledger->sent_count);
    struct sim_ledger_entry *entry = sim_ledger_find(ledger, record_id);
    KB_ASSERT(entry != NULL && entry->told == SIM_TOLD_NOTHING);
    return entry;
}

void sim_ledger_appended(struct sim_ledger *ledger, uint32_t record_id, int32_t partition)
{
    KB_ASSERT(record_id < ledger->sent_count);
    struct sim_ledger_entry *entry = sim_ledger_find(ledger, record_id);
    KB_ASSERT(entry != NULL);
    entry->partition = partition;
    entry->order = ledger->appended_count++;
    if (ledger->is_indexed) {
        sim_ledger_index_appended(ledger, (uint32_t)(entry - ledger->entries));
    }
}

void sim_ledger_acked(struct sim_ledger *ledger, uint32_t record_id, int64_t offset)
{
    struct sim_ledger_entry *entry = find_untold(ledger, record_id);
    entry->told = SIM_TOLD_ACKED;
    entry->offset = offset;
    ledger->totals.acked++;
    if (ledger->is_indexed && offset >= 0) {
        sim_ledger_index_acked(ledger, (uint32_t)(entry - ledger->entries));
    }
}

void sim_ledger_failed(struct sim_ledger *ledger, uint32_t record_id)
{
    find_untold(ledger, record_id)->told = SIM_TOLD_FAILED;
    ledger->totals.failed++;
}

void sim_ledger_aborted(struct sim_ledger *ledger, uint32_t record_id)
{
    find_untold(ledger, record_id)->told = SIM_TOLD_ABORTED;
    ledger->totals.failed++;
}

void sim_ledger_totals(const struct sim_ledger *ledger, struct sim_ledger_totals *out)
{
    *out = ledger->totals;
}

enum sim_verdict sim_ledger_verdict(const struct sim_ledger *ledger, uint32_t record_id, uint32_t *copies)
{
    const struct sim_ledger_entry *entry = sim_ledger_find(ledger, record_id);
    KB_ASSERT(ledger->is_settled && entry != NULL);
    *copies = entry->all.copies;
    return sim_entry_judge(entry, true);
}

bool sim_ledger_record(const struct sim_ledger *ledger, uint32_t record_id, struct sim_ledger_record *out)
{
    KB_ASSERT(ledger->is_settled && record_id < ledger->sent_count);
    const struct sim_ledger_entry *entry = sim_ledger_find(ledger, record_id);
    if (entry == NULL) {
        *out = (struct sim_ledger_record){0};
        return false;
    }
    *out = (struct sim_ledger_record){
        .producer = entry->producer,
        .partition = entry->partition,
        .copies = entry->all.copies,
        .verdict = sim_entry_judge(entry, true),
        .is_reordered = entry->is_reordered,
    };
    return true;
}

uint64_t sim_ledger_count(const struct sim_ledger *ledger)
{
    return ledger->sent_count;
}

size_t sim_ledger_memory_bytes(const struct sim_ledger *ledger)
{
    size_t slot_bytes = sizeof *ledger->alike + sizeof *ledger->by_offset;
    return (size_t)ledger->entry_capacity * sizeof *ledger->entries + ledger->slot_count * slot_bytes +
           ledger->waiting_bytes;
}
