/*
 * What retention takes is read before it is gone, and what is settled by it is forgotten.
 */
#include "engine/ledger_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "wire/record_batch.h"

enum { FIRST_CAPACITY = 1024, SMALLEST_CAPACITY = 16 };

struct sim_log_reading *sim_ledger_reading(const struct sim_ledger *ledger, uint32_t topic, int32_t partition)
{
    const struct sim_ledger_topic *known = &ledger->topics[topic];
    return partition >= 0 && partition < known->reading_capacity ? known->readings[partition] : NULL;
}

static struct sim_log_reading *begin_reading(struct sim_ledger *ledger, uint32_t topic, int32_t partition)
{
    struct sim_ledger_topic *known = &ledger->topics[topic];
    if (partition >= known->reading_capacity) {
        int32_t capacity = mb_topic_partition_count(ledger->cluster, known->name);
        KB_ASSERT(capacity > partition);
        struct sim_log_reading **grown =
            realloc(known->readings, (size_t)capacity * sizeof(struct sim_log_reading *));
        KB_ASSERT(grown != NULL);
        for (int32_t i = known->reading_capacity; i < capacity; i++) {
            grown[i] = NULL;
        }
        known->readings = grown;
        known->reading_capacity = capacity;
    }
    if (known->readings[partition] == NULL) {
        struct sim_log_reading *reading = malloc(sizeof *reading);
        KB_ASSERT(reading != NULL);
        *reading = (struct sim_log_reading){
            .topic = topic, .partition = partition, .read_epoch = -1, .end_offset = -1};
        known->readings[partition] = reading;
    }
    return known->readings[partition];
}

/* --- Batches that are taken --- */

/* Ids below it are told. */
static uint32_t told_until(struct sim_ledger *ledger)
{
    while (ledger->untold_from < ledger->entry_count &&
           ledger->entries[ledger->untold_from].told != SIM_TOLD_NOTHING) {
        ledger->untold_from++;
    }
    return ledger->untold_from < ledger->entry_count ? ledger->entries[ledger->untold_from].id
                                                     : ledger->sent_count;
}

static void ensure_index(struct sim_ledger *ledger)
{
    bool built = ledger->is_indexed || sim_ledger_build_index(ledger);
    KB_ASSERT(built);
}

static bool must_wait(struct sim_ledger *ledger, const struct sim_log_reading *reading, const uint8_t *batch,
                      size_t length_bytes, uint32_t sent_count)
{
    if (ledger->kept_records == SIM_LEDGER_KEEP_ALL) {
        return true;
    }
    return ledger->has_twins && told_until(ledger) < sent_count &&
           sim_ledger_is_batch_ambiguous(ledger, reading, batch, length_bytes);
}

static void wait(struct sim_ledger *ledger, struct sim_log_reading *reading, const uint8_t *batch,
                 size_t length_bytes)
{
    struct sim_taken_batch *waiting = malloc(sizeof *waiting + length_bytes);
    KB_ASSERT(waiting != NULL);
    waiting->next = NULL;
    waiting->sent_count = ledger->sent_count;
    waiting->length_bytes = length_bytes;
    memcpy(waiting->bytes, batch, length_bytes);
    if (reading->first_waiting == NULL) {
        reading->first_waiting = waiting;
    } else {
        reading->last_waiting->next = waiting;
    }
    reading->last_waiting = waiting;
    ledger->waiting_bytes += sizeof *waiting + length_bytes;
}

static void read_waiting(struct sim_ledger *ledger, struct sim_log_reading *reading)
{
    while (reading->first_waiting != NULL) {
        struct sim_taken_batch *first = reading->first_waiting;
        if (must_wait(ledger, reading, first->bytes, first->length_bytes, first->sent_count)) {
            return;
        }
        reading->sent_count = first->sent_count;
        sim_ledger_read_batch(ledger, reading, first->bytes, first->length_bytes);
        reading->first_waiting = first->next;
        ledger->waiting_bytes -= sizeof *first + first->length_bytes;
        free(first);
    }
}

static void take_batch(struct sim_ledger *ledger, struct sim_log_reading *reading, const uint8_t *batch,
                       size_t length_bytes)
{
    if (sim_log_reading_passes(reading, batch)) {
        return;
    }
    if (reading->first_waiting != NULL ||
        must_wait(ledger, reading, batch, length_bytes, ledger->sent_count)) {
        wait(ledger, reading, batch, length_bytes);
    } else {
        reading->sent_count = ledger->sent_count;
        sim_ledger_read_batch(ledger, reading, batch, length_bytes);
    }
}

/* The leader, or in sync with it, as the controller has it. */
static bool counts(const struct mb_cluster *cluster, int32_t broker, const char *topic, int32_t partition)
{
    struct mb_partition_view view;
    if (!mb_partition_view(cluster, topic, partition, &view)) {
        return false;
    }
    bool found = view.leader == broker;
    for (uint32_t i = 0; i < view.isr_count && !found; i++) {
        found = mb_partition_isr(cluster, topic, partition, i) == broker;
    }
    return found;
}

static void take_from(struct sim_ledger *ledger, struct sim_log_reading *reading, int32_t broker,
                      int64_t offset, int64_t until_offset)
{
    const char *topic = ledger->topics[reading->topic].name;
    const void *batch;
    size_t length_bytes;
    while (mb_log_read(ledger->cluster, broker, topic, reading->partition, offset, &batch, &length_bytes) &&
           kw_record_batch_last_offset(batch) < until_offset) {
        take_batch(ledger, reading, batch, length_bytes);
        offset = kw_record_batch_last_offset(batch) + 1;
    }
}

/* Each replica has retention of its own. One that was out of sync may come back with a log that begins later:
 * what it lacks is read where it still is, so that the reading goes on from front to back. */
static void take_what_is_lacking(struct sim_ledger *ledger, struct sim_log_reading *reading,
                                 int64_t until_offset)
{
    const char *topic = ledger->topics[reading->topic].name;
    struct mb_partition_view view;
    if (!mb_partition_view(ledger->cluster, topic, reading->partition, &view)) {
        return;
    }
    for (uint32_t i = 0; i < view.isr_count && reading->read_until < until_offset; i++) {
        int32_t broker = mb_partition_isr(ledger->cluster, topic, reading->partition, i);
        struct mb_replica_view replica;
        if (mb_replica_view(ledger->cluster, broker, topic, reading->partition, &replica) &&
            replica.log_start_offset <= reading->read_until) {
            take_from(ledger, reading, broker, reading->read_until, until_offset);
        }
    }
}

void sim_ledger_log_start_moves(struct sim_ledger *ledger, int32_t broker, const char *topic,
                                int32_t partition, int64_t start_offset)
{
    uint32_t known = sim_ledger_find_topic(ledger, topic);
    struct mb_replica_view replica;
    if (known == UINT32_MAX || ledger->cluster == NULL ||
        !counts(ledger->cluster, broker, topic, partition) ||
        !mb_replica_view(ledger->cluster, broker, topic, partition, &replica)) {
        return;
    }
    ledger->has_taken = true;
    ensure_index(ledger);
    struct sim_log_reading *reading = begin_reading(ledger, known, partition);
    read_waiting(ledger, reading);
    take_what_is_lacking(ledger, reading, replica.log_start_offset);
    take_from(ledger, reading, broker, replica.log_start_offset, start_offset);
}

/* --- Forgetting what is settled --- */

/* The highest end of a replica's log now: asked once for each look. */
static int64_t end_of_log(struct sim_ledger *ledger, uint32_t topic, int32_t partition)
{
    struct sim_log_reading *reading = begin_reading(ledger, topic, partition);
    if (reading->look == ledger->look_count) {
        return reading->end_offset;
    }
    const char *name = ledger->topics[topic].name;
    struct mb_partition_view view;
    struct mb_replica_view replica;
    reading->look = ledger->look_count;
    reading->end_offset = reading->read_until;
    bool exists = mb_partition_view(ledger->cluster, name, partition, &view);
    for (uint32_t i = 0; exists && i < view.replica_count; i++) {
        int32_t broker = mb_partition_replica(ledger->cluster, name, partition, i);
        if (mb_replica_view(ledger->cluster, broker, name, partition, &replica) &&
            replica.log_end_offset > reading->end_offset) {
            reading->end_offset = replica.log_end_offset;
        }
    }
    return reading->end_offset;
}

static bool is_old(const struct sim_ledger *ledger, const struct sim_ledger_entry *entry)
{
    return ledger->sent_count - entry->id > ledger->kept_records;
}

static void look_at(struct sim_ledger *ledger, struct sim_ledger_entry *entry)
{
    if (entry->settled_at == INT64_MAX && entry->told != SIM_TOLD_NOTHING && is_old(ledger, entry)) {
        entry->settled_at = entry->partition >= 0 ? end_of_log(ledger, entry->topic, entry->partition) : 0;
    }
}

/* Twice while `kept` records are sent. Each record is come across once here, in order; one that is not told
 * yet holds up those behind it, until all are looked at when there is no room for more. */
void sim_ledger_look(struct sim_ledger *ledger)
{
    uint32_t between = ledger->kept_records / 2 + 1;
    if (ledger->kept_records == SIM_LEDGER_KEEP_ALL ||
        ledger->sent_count - ledger->looked_at_count < between) {
        return;
    }
    ledger->looked_at_count = ledger->sent_count;
    ledger->look_count++;
    uint32_t first_contiguous = ledger->sent_count - (ledger->entry_count - ledger->contiguous_from);
    uint32_t skipped = ledger->looked_until > first_contiguous ? ledger->looked_until - first_contiguous : 0;
    uint32_t place = ledger->contiguous_from + skipped;
    while (place < ledger->entry_count && is_old(ledger, &ledger->entries[place]) &&
           ledger->entries[place].told != SIM_TOLD_NOTHING) {
        look_at(ledger, &ledger->entries[place++]);
    }
    ledger->looked_until = first_contiguous + (place - ledger->contiguous_from);
}

static bool is_settled(const struct sim_ledger *ledger, const struct sim_ledger_entry *entry)
{
    if (entry->settled_at == INT64_MAX || entry->taken.undecided > 0) {
        return false;
    }
    const struct sim_log_reading *reading = sim_ledger_reading(ledger, entry->topic, entry->partition);
    return entry->partition < 0 ||
           (reading != NULL && reading->first_waiting == NULL && reading->read_until >= entry->settled_at);
}

static bool lacks_copy(const struct sim_ledger_entry *entry)
{
    return entry->partition >= 0 && entry->taken.copies == 0;
}

/* Moves those that stay together; their order stays. */
static void forget_settled(struct sim_ledger *ledger)
{
    uint32_t without_copy_count = 0;
    ledger->look_count++;
    for (uint32_t i = 0; i < ledger->entry_count; i++) {
        struct sim_ledger_entry *entry = &ledger->entries[i];
        look_at(ledger, entry);
        without_copy_count += lacks_copy(entry) && is_settled(ledger, entry);
    }
    uint32_t surplus =
        without_copy_count > SIM_LEDGER_KEPT_RECORDS ? without_copy_count - SIM_LEDGER_KEPT_RECORDS : 0;
    uint32_t kept_count = 0;
    uint32_t contiguous_from = 0;
    for (uint32_t i = 0; i < ledger->entry_count; i++) {
        const struct sim_ledger_entry *entry = &ledger->entries[i];
        bool forgets = is_settled(ledger, entry);
        if (forgets && lacks_copy(entry)) {
            forgets = surplus > 0;
            surplus -= forgets;
        }
        if (forgets) {
            ledger->taken.verdicts[sim_entry_judge(entry, false)]++;
            continue;
        }
        if (kept_count > 0 && ledger->entries[kept_count - 1].id + 1 != entry->id) {
            contiguous_from = kept_count;
        }
        ledger->entries[kept_count++] = *entry;
    }
    bool keeps_newest = kept_count > 0 && ledger->entries[kept_count - 1].id + 1 == ledger->sent_count;
    ledger->entry_count = kept_count;
    ledger->contiguous_from = keeps_newest ? contiguous_from : kept_count;
    ledger->untold_from = 0;
    /* Those before it have been looked at; from it on all are kept. */
    ledger->looked_until = ledger->sent_count - (ledger->entry_count - ledger->contiguous_from);
}

static void read_all_waiting(struct sim_ledger *ledger)
{
    for (uint32_t topic = 0; topic < ledger->topic_count; topic++) {
        for (int32_t i = 0; i < ledger->topics[topic].reading_capacity; i++) {
            if (ledger->topics[topic].readings[i] != NULL) {
                read_waiting(ledger, ledger->topics[topic].readings[i]);
            }
        }
    }
}

static bool grow(struct sim_ledger *ledger)
{
    uint32_t first = ledger->kept_records < FIRST_CAPACITY ? SMALLEST_CAPACITY : FIRST_CAPACITY;
    uint32_t capacity = ledger->entry_capacity != 0 ? 2 * ledger->entry_capacity : first;
    struct sim_ledger_entry *grown = realloc(ledger->entries, capacity * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    ledger->entries = grown;
    ledger->entry_capacity = capacity;
    return true;
}

bool sim_ledger_make_room(struct sim_ledger *ledger)
{
    bool forgets = ledger->has_taken && ledger->kept_records != SIM_LEDGER_KEEP_ALL;
    if (forgets) {
        ensure_index(ledger);
        read_all_waiting(ledger);
        forget_settled(ledger);
        ledger->is_indexed = false;
    }
    if ((!forgets || ledger->entry_count > ledger->entry_capacity / 2) && !grow(ledger)) {
        return false;
    }
    ledger->is_indexed = false;
    return !ledger->has_taken || sim_ledger_build_index(ledger);
}
