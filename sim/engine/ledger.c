#include "engine/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/allocator.h"
#include "base/assert.h"
#include "wire/record_batch.h"
#include "wire/record_batch_reader.h"

/* Records of a batch, decompressed; as much as the cluster takes. */
enum { LARGEST_RECORDS_BYTES = 1 << 28 };

enum told { TOLD_NOTHING, TOLD_ACKED, TOLD_FAILED, TOLD_ABORTED };

/* One record that was handed to send(). */
struct entry {
    uint64_t content; /* hash of topic, key and value */
    int64_t offset;   /* as the ack says; -1 unknown */
    uint32_t order;   /* of the append among all of the run; UINT32_MAX before it */
    int32_t partition;
    uint32_t copies;
    uint32_t aborted;    /* copies of an aborted transaction */
    uint32_t undecided;  /* copies of a transaction that has not ended */
    uint32_t next_alike; /* the next entry of the same content, or UINT32_MAX */
    uint16_t topic;
    uint8_t producer;
    uint8_t told;
    bool is_reordered;
};

struct topic {
    char *name;
};

struct sim_ledger {
    struct entry *entries;
    uint32_t count;
    uint32_t capacity;
    uint32_t appended_count;
    struct topic *topics;
    uint32_t topic_count;
    /* While settling, open addressing, UINT32_MAX is free. Alike are records of one partition with the same
     * content: */
    uint32_t *alike;     /* the first that could be a copy's and has none yet, or else the last of them */
    uint32_t *by_offset; /* an acked one, by partition and offset */
    uint32_t slot_count;
    struct kw_compression_buffer decompressed; /* of the batch that is read */
    struct sim_ledger_totals totals;
    bool is_settled;
};

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
    }
    return ledger;
}

void sim_ledger_destroy(struct sim_ledger *ledger)
{
    if (ledger == NULL) {
        return;
    }
    for (uint32_t i = 0; i < ledger->topic_count; i++) {
        free(ledger->topics[i].name);
    }
    kw_compression_buffer_release(&ledger->decompressed);
    free(ledger->topics);
    free(ledger->entries);
    free(ledger->alike);
    free(ledger->by_offset);
    free(ledger);
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

static uint64_t hash_content(uint32_t topic, struct kp_bytes key, struct kp_bytes value)
{
    uint64_t hash = fold_bytes(topic + 1, key.data, key.length_bytes);
    return fold_bytes(hash, value.data, value.length_bytes);
}

static uint32_t find_topic(struct sim_ledger *ledger, const char *name)
{
    for (uint32_t i = 0; i < ledger->topic_count; i++) {
        if (strcmp(ledger->topics[i].name, name) == 0) {
            return i;
        }
    }
    struct topic *grown = realloc(ledger->topics, (ledger->topic_count + 1) * sizeof *grown);
    size_t name_bytes = strlen(name) + 1;
    char *copy = malloc(name_bytes);
    KB_ASSERT(grown != NULL && copy != NULL && ledger->topic_count < UINT16_MAX);
    memcpy(copy, name, name_bytes);
    ledger->topics = grown;
    ledger->topics[ledger->topic_count].name = copy;
    return ledger->topic_count++;
}

bool sim_ledger_sent(struct sim_ledger *ledger, uint32_t record_id, uint32_t producer,
                     const struct kp_record *record)
{
    KB_ASSERT(record_id == ledger->count);
    if (ledger->count == ledger->capacity) {
        uint32_t capacity = ledger->capacity != 0 ? 2 * ledger->capacity : 1024;
        struct entry *grown = realloc(ledger->entries, capacity * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        ledger->entries = grown;
        ledger->capacity = capacity;
    }
    uint32_t topic = find_topic(ledger, record->topic);
    ledger->entries[ledger->count++] = (struct entry){
        .content = hash_content(topic, record->key, record->value),
        .offset = -1,
        .order = UINT32_MAX,
        .partition = -1,
        .next_alike = UINT32_MAX,
        .topic = (uint16_t)topic,
        .producer = (uint8_t)producer,
    };
    ledger->totals.sent++;
    return true;
}

void sim_ledger_appended(struct sim_ledger *ledger, uint32_t record_id, int32_t partition)
{
    KB_ASSERT(record_id < ledger->count);
    ledger->entries[record_id].partition = partition;
    ledger->entries[record_id].order = ledger->appended_count++;
}

void sim_ledger_acked(struct sim_ledger *ledger, uint32_t record_id, int64_t offset)
{
    KB_ASSERT(record_id < ledger->count && ledger->entries[record_id].told == TOLD_NOTHING);
    ledger->entries[record_id].told = TOLD_ACKED;
    ledger->entries[record_id].offset = offset;
    ledger->totals.acked++;
}

void sim_ledger_failed(struct sim_ledger *ledger, uint32_t record_id)
{
    KB_ASSERT(record_id < ledger->count && ledger->entries[record_id].told == TOLD_NOTHING);
    ledger->entries[record_id].told = TOLD_FAILED;
    ledger->totals.failed++;
}

void sim_ledger_aborted(struct sim_ledger *ledger, uint32_t record_id)
{
    sim_ledger_failed(ledger, record_id);
    ledger->entries[record_id].told = TOLD_ABORTED;
}

/* --- Settling
 * ------------------------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t mixed = (a ^ b * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;
    return mixed ^ mixed >> 29;
}

static bool are_alike(const struct entry *a, const struct entry *b)
{
    return a->content == b->content && a->partition == b->partition; /* the content has the topic in it */
}

static uint32_t *find_alike(const struct sim_ledger *ledger, const struct entry *wanted)
{
    uint32_t mask = ledger->slot_count - 1;
    for (uint32_t i = (uint32_t)mix(wanted->content, (uint32_t)wanted->partition) & mask;;
         i = (i + 1) & mask) {
        uint32_t found = ledger->alike[i];
        if (found == UINT32_MAX || are_alike(&ledger->entries[found], wanted)) {
            return &ledger->alike[i];
        }
    }
}

static uint32_t *find_offset(const struct sim_ledger *ledger, const struct entry *wanted)
{
    uint32_t mask = ledger->slot_count - 1;
    uint64_t place =
        mix((uint64_t)wanted->topic << 32 | (uint32_t)wanted->partition, (uint64_t)wanted->offset);
    for (uint32_t i = (uint32_t)place & mask;; i = (i + 1) & mask) {
        uint32_t found = ledger->by_offset[i];
        if (found == UINT32_MAX ||
            (ledger->entries[found].offset == wanted->offset && are_alike(&ledger->entries[found], wanted))) {
            return &ledger->by_offset[i];
        }
    }
}

static bool names_offset(const struct entry *entry)
{
    return entry->told == TOLD_ACKED && entry->offset >= 0;
}

static uint32_t *make_slots(uint32_t *old, uint32_t count)
{
    free(old);
    uint32_t *slots = malloc(count * sizeof *slots);
    if (slots != NULL) {
        memset(slots, 0xff, count * sizeof *slots);
    }
    return slots;
}

/* Chains of records that look alike, each in the order of sending. */
static bool build_index(struct sim_ledger *ledger)
{
    ledger->slot_count = 16;
    while (ledger->slot_count < 2 * (uint64_t)ledger->count && ledger->slot_count < UINT32_C(1) << 31) {
        ledger->slot_count *= 2;
    }
    ledger->alike = make_slots(ledger->alike, ledger->slot_count);
    ledger->by_offset = make_slots(ledger->by_offset, ledger->slot_count);
    if (ledger->alike == NULL || ledger->by_offset == NULL) {
        return false;
    }
    for (uint32_t i = ledger->count; i-- > 0;) {
        struct entry *entry = &ledger->entries[i];
        entry->copies = 0;
        entry->aborted = 0;
        entry->undecided = 0;
        entry->is_reordered = false;
        entry->next_alike = UINT32_MAX;
        if (entry->partition >= 0) {
            uint32_t *first = find_alike(ledger, entry);
            entry->next_alike = *first;
            *first = i;
        }
        if (names_offset(entry)) {
            *find_offset(ledger, entry) = i;
        }
    }
    return true;
}

/* Which record is this copy? The one whose ack names the offset; else one without a copy yet whose ack names
 * none; else it is a copy too many. */
static struct entry *find_record(struct sim_ledger *ledger, const struct entry *copy)
{
    uint32_t acked = *find_offset(ledger, copy);
    if (acked != UINT32_MAX) {
        return &ledger->entries[acked];
    }
    /* The chain is used up from its front, so that many alike cost no more than few. */
    uint32_t *first = find_alike(ledger, copy);
    while (*first != UINT32_MAX) {
        struct entry *entry = &ledger->entries[*first];
        bool can_be_it = entry->copies == 0 && !names_offset(entry);
        if (can_be_it || entry->next_alike == UINT32_MAX) {
            return entry;
        }
        *first = entry->next_alike;
    }
    return NULL;
}

/* A copy whose transaction has not ended, as far as the log was read. */
struct undecided {
    int64_t producer_id;
    struct entry *entry;
};

/* A partition's log is read from front to back; the highest order seen so far, by producer. */
struct reading {
    uint32_t topic;
    int32_t partition;
    int64_t producer_id; /* of the transactional batch that is read; KW_NO_PRODUCER_ID: none */
    struct undecided *undecided;
    uint32_t undecided_count;
    uint32_t undecided_capacity;
    uint32_t highest_order[256];
    bool has_seen[256];
};

static void await_marker(struct reading *reading, struct entry *entry)
{
    if (reading->undecided_count == reading->undecided_capacity) {
        reading->undecided_capacity = reading->undecided_capacity != 0 ? 2 * reading->undecided_capacity : 64;
        struct undecided *grown = realloc(reading->undecided, reading->undecided_capacity * sizeof *grown);
        KB_ASSERT(grown != NULL);
        reading->undecided = grown;
    }
    reading->undecided[reading->undecided_count++] = (struct undecided){reading->producer_id, entry};
    entry->undecided++;
}

/* A control batch ends the transaction of its producer. Kafka: ControlRecordType: the key is a version and
 * the type, of which 0 is ABORT. */
static void take_marker(struct reading *reading, const uint8_t *batch, size_t length_bytes)
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
        struct undecided undecided = reading->undecided[i];
        if (undecided.producer_id == producer_id) {
            undecided.entry->undecided--;
            undecided.entry->aborted += is_abort;
        } else {
            reading->undecided[kept++] = undecided;
        }
    }
    reading->undecided_count = kept;
}

static void take_copy(struct sim_ledger *ledger, struct reading *reading, const struct kw_record *record,
                      int64_t offset)
{
    struct kp_bytes key = {record->key.bytes, kw_bytes_encoded_length(record->key)};
    struct kp_bytes value = {record->value.bytes, kw_bytes_encoded_length(record->value)};
    ledger->totals.copies++;
    struct entry copy = {.content = hash_content(reading->topic, key, value),
                         .topic = (uint16_t)reading->topic,
                         .partition = reading->partition,
                         .offset = offset};
    struct entry *entry = find_record(ledger, &copy);
    if (entry == NULL) {
        ledger->totals.unknown++;
        return;
    }
    if (reading->producer_id != KW_NO_PRODUCER_ID) {
        await_marker(reading, entry);
    }
    if (entry->copies++ > 0) {
        return; /* a duplicate is counted as that, not as out of order */
    }
    uint8_t producer = entry->producer;
    if (reading->has_seen[producer] && entry->order < reading->highest_order[producer]) {
        ledger->totals.reordered++;
        entry->is_reordered = true;
    } else {
        reading->has_seen[producer] = true;
        reading->highest_order[producer] = entry->order;
    }
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

/* Returns the offset after the batch. */
static int64_t read_batch(struct sim_ledger *ledger, struct reading *reading, const uint8_t *batch,
                          size_t length_bytes)
{
    KB_ASSERT(length_bytes >= KW_RECORD_BATCH_OVERHEAD_BYTES);
    struct kw_record_reader reader;
    struct kw_record record;
    if (kw_record_batch_is_control(batch)) {
        take_marker(reading, batch, length_bytes);
        return kw_record_batch_last_offset(batch) + 1;
    }
    reading->producer_id =
        kw_record_batch_is_transactional(batch) ? kw_record_batch_producer_id(batch) : KW_NO_PRODUCER_ID;
    /* The leader has read every compressed batch: what cannot be read again is corrupt, and counts as lost.
     */
    if (kw_record_reader_open(&reader, batch, length_bytes, LARGEST_RECORDS_BYTES, &ledger->decompressed) ==
        KW_ERROR_NONE) {
        while (kw_record_reader_next(&reader, &record)) {
            take_copy(ledger, reading, &record, record.offset);
        }
    }
    return kw_record_batch_last_offset(batch) + 1;
}

static void read_partition(struct sim_ledger *ledger, const struct mb_cluster *cluster, uint32_t topic,
                           int32_t partition)
{
    const char *name = ledger->topics[topic].name;
    int32_t broker = best_replica(cluster, name, partition);
    struct mb_replica_view replica;
    if (broker < 0 || !mb_replica_view(cluster, broker, name, partition, &replica)) {
        return;
    }
    struct reading reading = {.topic = topic, .partition = partition};
    const void *bytes;
    size_t length_bytes;
    int64_t offset = replica.log_start_offset;
    while (mb_log_read(cluster, broker, name, partition, offset, &bytes, &length_bytes)) {
        offset = read_batch(ledger, &reading, bytes, length_bytes);
    }
    free(reading.undecided);
}

/* What counts is what a consumer with read_committed sees when everything has settled. */
static enum sim_verdict judge(const struct entry *entry)
{
    uint32_t visible = entry->copies - entry->aborted - entry->undecided;
    if (entry->told != TOLD_NOTHING && visible == 0 && entry->undecided > 0) {
        return SIM_VERDICT_PENDING;
    }
    if (entry->told != TOLD_NOTHING && visible == 0 && entry->aborted > 0) {
        return SIM_VERDICT_ABORTED;
    }
    switch ((enum told)entry->told) {
    case TOLD_NOTHING:
        return SIM_VERDICT_PENDING;
    case TOLD_ACKED:
        return visible == 0   ? SIM_VERDICT_LOST_AFTER_ACK
               : visible == 1 ? SIM_VERDICT_DELIVERED
                              : SIM_VERDICT_DUPLICATE;
    case TOLD_FAILED:
        return visible == 0 ? SIM_VERDICT_FAILED : SIM_VERDICT_FALSE_FAILURE;
    case TOLD_ABORTED:
        return visible == 0 ? SIM_VERDICT_ABORTED : SIM_VERDICT_FALSE_FAILURE;
    }
    KB_UNREACHABLE();
}

bool sim_ledger_settle(struct sim_ledger *ledger, const struct mb_cluster *cluster)
{
    memset(ledger->totals.verdicts, 0, sizeof ledger->totals.verdicts);
    ledger->totals.reordered = 0;
    ledger->totals.copies = 0;
    ledger->totals.unknown = 0;
    if (!build_index(ledger)) {
        return false;
    }
    for (uint32_t topic = 0; topic < ledger->topic_count; topic++) {
        int32_t partition_count = mb_topic_partition_count(cluster, ledger->topics[topic].name);
        for (int32_t partition = 0; partition < partition_count; partition++) {
            read_partition(ledger, cluster, topic, partition);
        }
    }
    for (uint32_t i = 0; i < ledger->count; i++) {
        ledger->totals.verdicts[judge(&ledger->entries[i])]++;
    }
    ledger->is_settled = true;
    return true;
}

void sim_ledger_totals(const struct sim_ledger *ledger, struct sim_ledger_totals *out)
{
    *out = ledger->totals;
}

enum sim_verdict sim_ledger_verdict(const struct sim_ledger *ledger, uint32_t record_id, uint32_t *copies)
{
    KB_ASSERT(ledger->is_settled && record_id < ledger->count);
    *copies = ledger->entries[record_id].copies;
    return judge(&ledger->entries[record_id]);
}

void sim_ledger_record(const struct sim_ledger *ledger, uint32_t record_id, struct sim_ledger_record *out)
{
    KB_ASSERT(ledger->is_settled && record_id < ledger->count);
    const struct entry *entry = &ledger->entries[record_id];
    *out = (struct sim_ledger_record){
        .producer = entry->producer,
        .partition = entry->partition,
        .copies = entry->copies,
        .verdict = judge(entry),
        .is_reordered = entry->is_reordered,
    };
}

uint64_t sim_ledger_count(const struct sim_ledger *ledger)
{
    return ledger->count;
}
