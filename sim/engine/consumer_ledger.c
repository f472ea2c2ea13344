#include "engine/consumer_ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "wire/record_batch.h"

enum {
    ENTRIES_MAX = 1 << 20,
    ACKS_MAX = 1 << 22,
    STEPS = 64, /* of a histogram, in each power of two */
    POWERS = 40,
};

/* What one poll() returned of a partition. */
struct entry {
    int64_t first;
    int64_t last;
    int64_t at_us;
    uint32_t records; /* fewer than from first to last when entries were put together */
    int32_t epoch;
};

struct entries {
    struct entry *items;
    uint32_t count;
    uint32_t capacity;
};

struct histogram {
    uint64_t counts[POWERS * STEPS];
    uint64_t count;
    int64_t sum_us;
    int64_t longest_us;
};

/* When the records of a partition were acked, from base on; -1: not yet. */
struct acks {
    int64_t *at_us;
    int64_t base;
    uint32_t count;
    uint32_t capacity;
};

struct partition {
    char *topic;
    int32_t partition;
    struct acks acks;
    struct entries *read; /* by consumer */
};

struct sim_readings {
    struct partition *partitions;
    uint32_t partition_count;
    uint32_t consumer_count;
    uint32_t entries_max; /* of one consumer and partition */
    uint32_t acks_max;    /* of a partition */
    struct sim_reading_totals *totals;
    struct histogram *latencies;
};

static void *allocate(size_t count, size_t size_bytes)
{
    void *memory = calloc(count > 0 ? count : 1, size_bytes);
    KB_ASSERT(memory != NULL);
    return memory;
}

struct sim_readings *sim_readings_create(const struct sim_scenario *scenario)
{
    struct sim_readings *readings = calloc(1, sizeof *readings);
    if (readings == NULL) {
        return NULL;
    }
    uint32_t partition_count = 0;
    for (uint32_t i = 0; i < scenario->topic_count; i++) {
        partition_count += (uint32_t)scenario->topics[i].partition_count;
    }
    readings->consumer_count = scenario->consumer_count;
    readings->entries_max = ENTRIES_MAX / (partition_count * scenario->consumer_count + 1) + 256;
    readings->acks_max = ACKS_MAX / (partition_count + 1) + 1024;
    readings->totals = allocate(scenario->consumer_count, sizeof *readings->totals);
    readings->latencies = allocate(scenario->consumer_count, sizeof *readings->latencies);
    return readings;
}

void sim_readings_destroy(struct sim_readings *readings)
{
    if (readings == NULL) {
        return;
    }
    for (uint32_t i = 0; i < readings->partition_count; i++) {
        struct partition *partition = &readings->partitions[i];
        for (uint32_t k = 0; k < readings->consumer_count; k++) {
            free(partition->read[k].items);
        }
        free(partition->read);
        free(partition->acks.at_us);
        free(partition->topic);
    }
    free(readings->partitions);
    free(readings->totals);
    free(readings->latencies);
    free(readings);
}

/* By topic and number, so that looking one up among many is quick. */
static uint32_t place_of(const struct sim_readings *readings, const char *topic, int32_t number,
                         bool *is_there)
{
    uint32_t from = 0;
    uint32_t end = readings->partition_count;
    while (from < end) {
        uint32_t middle = from + (end - from) / 2;
        const struct partition *partition = &readings->partitions[middle];
        int order = strcmp(partition->topic, topic);
        order = order != 0 ? order : (partition->partition > number) - (partition->partition < number);
        if (order == 0) {
            *is_there = true;
            return middle;
        }
        if (order < 0) {
            from = middle + 1;
        } else {
            end = middle;
        }
    }
    *is_there = false;
    return from;
}

static struct partition *partition_of(struct sim_readings *readings, const char *topic, int32_t number)
{
    bool is_there;
    uint32_t place = place_of(readings, topic, number, &is_there);
    if (is_there) {
        return &readings->partitions[place];
    }
    struct partition *grown = realloc(readings->partitions, (readings->partition_count + 1) * sizeof *grown);
    KB_ASSERT(grown != NULL);
    readings->partitions = grown;
    memmove(&grown[place + 1], &grown[place], (readings->partition_count - place) * sizeof *grown);
    readings->partition_count++;
    size_t name_bytes = strlen(topic) + 1;
    grown[place] = (struct partition){
        .topic = allocate(name_bytes, 1),
        .partition = number,
        .read = allocate(readings->consumer_count, sizeof(struct entries)),
    };
    memcpy(grown[place].topic, topic, name_bytes);
    return &grown[place];
}

/* --- Acks --- */

/* Room for this offset; false: it is older than what is remembered. */
static bool reach(const struct sim_readings *readings, struct acks *acks, int64_t offset)
{
    if (acks->count == 0) {
        acks->base = offset;
    }
    if (offset < acks->base) {
        return false;
    }
    if (offset - acks->base >= readings->acks_max) {
        /* Forget the older half, or all of it. */
        int64_t base = offset - readings->acks_max / 2;
        int64_t kept = acks->base + acks->count - base;
        if (kept > 0) {
            memmove(acks->at_us, acks->at_us + (acks->count - kept), (size_t)kept * sizeof(int64_t));
        }
        acks->count = kept > 0 ? (uint32_t)kept : 0;
        acks->base = base;
    }
    uint32_t needed = (uint32_t)(offset - acks->base) + 1;
    if (needed > acks->capacity) {
        acks->capacity = 2 * needed;
        int64_t *grown = realloc(acks->at_us, acks->capacity * sizeof *grown);
        KB_ASSERT(grown != NULL);
        acks->at_us = grown;
    }
    for (; acks->count < needed; acks->count++) {
        acks->at_us[acks->count] = -1;
    }
    return true;
}

void sim_readings_acked(struct sim_readings *readings, const char *topic, int32_t number, int64_t offset,
                        int64_t now_us)
{
    if (readings == NULL || offset < 0) {
        return;
    }
    struct acks *acks = &partition_of(readings, topic, number)->acks;
    if (reach(readings, acks, offset)) {
        acks->at_us[offset - acks->base] = now_us;
    }
}

/* --- Readings --- */

static uint32_t bucket_of(int64_t value_us)
{
    uint64_t value = value_us > 0 ? (uint64_t)value_us : 0;
    uint32_t power = 0;
    while (power + 1 < POWERS && value >> power >= 2 * STEPS) {
        power++;
    }
    uint64_t bucket = (uint64_t)power * STEPS + (value >> power);
    return bucket < POWERS * STEPS ? (uint32_t)bucket : POWERS * STEPS - 1;
}

/* The largest value that falls into a bucket. */
static int64_t value_of(uint32_t bucket)
{
    uint32_t power = bucket < 2 * STEPS ? 0 : bucket / STEPS - 1;
    uint64_t step = bucket - (uint64_t)power * STEPS;
    return (int64_t)(((step + 1) << power) - 1);
}

static void measure(struct histogram *histogram, int64_t latency_us)
{
    histogram->counts[bucket_of(latency_us)]++;
    histogram->count++;
    histogram->sum_us += latency_us;
    histogram->longest_us = latency_us > histogram->longest_us ? latency_us : histogram->longest_us;
}

static int64_t overlap(const struct entry *entry, int64_t first, int64_t last)
{
    int64_t from = entry->first > first ? entry->first : first;
    int64_t to = entry->last < last ? entry->last : last;
    int64_t length = to - from + 1;
    return length < 0 ? 0 : length < entry->records ? length : entry->records;
}

static uint64_t count_repeated(const struct entries *entries, int64_t first, int64_t last, int32_t epoch)
{
    uint64_t repeated = 0;
    /* Nearly always the newest one of the epoch ends before. */
    if (entries->count > 0 && entries->items[entries->count - 1].epoch == epoch &&
        entries->items[entries->count - 1].last < first) {
        return 0;
    }
    for (uint32_t i = 0; i < entries->count; i++) {
        if (entries->items[i].epoch == epoch) {
            repeated += (uint64_t)overlap(&entries->items[i], first, last);
        }
    }
    uint64_t all = (uint64_t)(last - first + 1);
    return repeated < all ? repeated : all;
}

/* Neighbours of the same epoch become one. */
static void put_together(struct entries *entries)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < entries->count; i++) {
        struct entry entry = entries->items[i];
        if (i + 1 < entries->count && entries->items[i + 1].epoch == entry.epoch &&
            entries->items[i + 1].first > entry.last) {
            entry.last = entries->items[i + 1].last;
            entry.records += entries->items[i + 1].records;
            i++;
        }
        entries->items[kept++] = entry;
    }
    entries->count = kept;
}

static void add_entry(const struct sim_readings *readings, struct entries *entries, const struct entry *entry)
{
    if (entries->count >= readings->entries_max) {
        put_together(entries);
    }
    if (entries->count == entries->capacity) {
        entries->capacity = entries->capacity != 0 ? 2 * entries->capacity : 64;
        struct entry *grown = realloc(entries->items, entries->capacity * sizeof *grown);
        KB_ASSERT(grown != NULL);
        entries->items = grown;
    }
    entries->items[entries->count++] = *entry;
}

void sim_readings_read(struct sim_readings *readings, uint32_t consumer, const char *topic, int32_t number,
                       int64_t first, int64_t last, int32_t epoch, int64_t now_us)
{
    if (readings == NULL || last < first) {
        return;
    }
    KB_ASSERT(consumer < readings->consumer_count);
    struct partition *partition = partition_of(readings, topic, number);
    struct sim_reading_totals *totals = &readings->totals[consumer];
    const struct acks *acks = &partition->acks;
    uint64_t repeated = count_repeated(&partition->read[consumer], first, last, epoch);
    totals->records += (uint64_t)(last - first + 1);
    totals->repeated += repeated;
    for (int64_t offset = first; offset <= last; offset++) {
        int64_t place = offset - acks->base;
        if (acks->count == 0 || place >= acks->count || (place >= 0 && acks->at_us[place] < 0)) {
            totals->early++;
        } else if (place >= 0 && repeated == 0) {
            measure(&readings->latencies[consumer], now_us - acks->at_us[place]);
        }
    }
    struct entry entry = {first, last, now_us, (uint32_t)(last - first + 1), epoch};
    add_entry(readings, &partition->read[consumer], &entry);
}

void sim_readings_left_out(struct sim_readings *readings, uint32_t consumer, uint32_t records)
{
    if (readings != NULL) {
        readings->totals[consumer].left_out += records;
    }
}

uint32_t sim_readings_of(const struct sim_readings *readings, uint32_t consumer, const char *topic,
                         int32_t number, int64_t offset, int32_t epoch, int64_t *first_us)
{
    uint32_t count = 0;
    *first_us = -1;
    if (readings == NULL || consumer >= readings->consumer_count) {
        return 0;
    }
    bool is_there;
    uint32_t place = place_of(readings, topic, number, &is_there);
    for (uint32_t i = 0; is_there && i < readings->partitions[place].read[consumer].count; i++) {
        const struct entry *entry = &readings->partitions[place].read[consumer].items[i];
        if (entry->epoch == epoch && entry->first <= offset && offset <= entry->last) {
            *first_us = count == 0 ? entry->at_us : *first_us;
            count++;
        }
    }
    return count;
}

/* --- The end --- */

static int32_t whose_log(const struct mb_cluster *cluster, const struct partition *partition)
{
    struct mb_partition_view view;
    int32_t best = -1;
    int64_t best_end = -1;
    if (!mb_partition_view(cluster, partition->topic, partition->partition, &view)) {
        return -1;
    }
    for (uint32_t i = 0; view.leader < 0 && i < view.replica_count; i++) {
        int32_t broker = mb_partition_replica(cluster, partition->topic, partition->partition, i);
        struct mb_replica_view replica;
        if (mb_replica_view(cluster, broker, partition->topic, partition->partition, &replica) &&
            replica.log_end_offset > best_end) {
            best = broker;
            best_end = replica.log_end_offset;
        }
    }
    return view.leader >= 0 ? view.leader : best;
}

/* The epochs of a log, each from its first to its last offset; what retention has dropped counts as there. */
static void read_epochs(const struct mb_cluster *cluster, const struct partition *partition,
                        struct entries *epochs, int64_t *start_offset)
{
    int32_t broker = whose_log(cluster, partition);
    struct mb_replica_view replica;
    const void *bytes;
    size_t length_bytes;
    *start_offset = 0;
    if (broker < 0 || !mb_replica_view(cluster, broker, partition->topic, partition->partition, &replica)) {
        return;
    }
    *start_offset = replica.log_start_offset;
    int64_t offset = replica.log_start_offset;
    while (
        mb_log_read(cluster, broker, partition->topic, partition->partition, offset, &bytes, &length_bytes)) {
        const uint8_t *batch = bytes;
        int32_t epoch = kw_record_batch_partition_leader_epoch(batch);
        offset = kw_record_batch_last_offset(batch) + 1;
        if (epochs->count > 0 && epochs->items[epochs->count - 1].epoch == epoch) {
            epochs->items[epochs->count - 1].last = offset - 1;
            continue;
        }
        struct entry entry = {kw_record_batch_base_offset(batch), offset - 1, 0, UINT32_MAX, epoch};
        static const struct sim_readings unlimited = {.entries_max = UINT32_MAX};
        add_entry(&unlimited, epochs, &entry);
    }
}

static uint64_t count_lost(const struct entries *read, const struct entries *epochs, int64_t start_offset)
{
    uint64_t lost = 0;
    for (uint32_t i = 0; i < read->count; i++) {
        const struct entry *entry = &read->items[i];
        int64_t there = overlap(entry, INT64_MIN, start_offset - 1);
        for (uint32_t k = 0; k < epochs->count; k++) {
            if (epochs->items[k].epoch == entry->epoch) {
                there += overlap(entry, epochs->items[k].first, epochs->items[k].last);
            }
        }
        lost += there < entry->records ? (uint64_t)(entry->records - there) : 0;
    }
    return lost;
}

void sim_readings_settle(struct sim_readings *readings, const struct mb_cluster *cluster)
{
    if (readings == NULL) {
        return;
    }
    for (uint32_t i = 0; i < readings->consumer_count; i++) {
        readings->totals[i].lost = 0;
    }
    for (uint32_t i = 0; i < readings->partition_count; i++) {
        struct entries epochs = {0};
        int64_t start_offset;
        read_epochs(cluster, &readings->partitions[i], &epochs, &start_offset);
        for (uint32_t k = 0; k < readings->consumer_count; k++) {
            readings->totals[k].lost += count_lost(&readings->partitions[i].read[k], &epochs, start_offset);
        }
        free(epochs.items);
    }
}

static int64_t percentile(const struct histogram *histogram, uint64_t percent)
{
    uint64_t rank = (histogram->count * percent + 99) / 100;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < POWERS * STEPS && rank > 0; i++) {
        seen += histogram->counts[i];
        if (seen >= rank) {
            int64_t value_us = value_of(i);
            return value_us < histogram->longest_us ? value_us : histogram->longest_us;
        }
    }
    return 0;
}

void sim_readings_totals(const struct sim_readings *readings, uint32_t consumer,
                         struct sim_reading_totals *out)
{
    *out = (struct sim_reading_totals){0};
    if (readings == NULL || consumer >= readings->consumer_count) {
        return;
    }
    const struct histogram *histogram = &readings->latencies[consumer];
    *out = readings->totals[consumer];
    out->measured = histogram->count;
    out->mean_us = histogram->count > 0 ? histogram->sum_us / (int64_t)histogram->count : 0;
    out->p50_us = percentile(histogram, 50);
    out->p99_us = percentile(histogram, 99);
    out->longest_us = histogram->longest_us;
}
