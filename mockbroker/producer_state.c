#include "mockbroker/producer_state.h"

#include "base/planted.h"
#include "wire/record_batch.h"
#include "wire/record_batch_reader.h"

#include <string.h>

/* Of the key and the value of a control record. Kafka: ControlRecordType, EndTransactionMarker. */
enum { CONTROL_KEY_BYTES = 4, CONTROL_TYPE_ABORT = 0, CONTROL_TYPE_COMMIT = 1, MARKER_VALUE_BYTES = 6 };

void mb_producer_states_init(struct mb_producer_states *states, const struct linger_allocator *allocator)
{
    *states = (struct mb_producer_states){.allocator = allocator};
    mb_map_init(&states->by_id, allocator);
}

void mb_producer_states_clear(struct mb_producer_states *states)
{
    while (states->entries != NULL) {
        struct mb_producer_entry *entry = states->entries;
        states->entries = entry->next;
        mb_give(states->allocator, entry, sizeof *entry);
    }
    mb_map_release(&states->by_id);
    states->unstable_count = 0;
    states->aborted_count = 0;
}

void mb_producer_states_release(struct mb_producer_states *states)
{
    mb_producer_states_clear(states);
    mb_give(states->allocator, states->unstable, states->unstable_capacity * sizeof *states->unstable);
    mb_give(states->allocator, states->aborted, states->aborted_capacity * sizeof *states->aborted);
}

bool mb_marker_read(const uint8_t *batch, size_t size_bytes, struct mb_marker *out)
{
    struct kw_record_reader reader;
    struct kw_record record;
    if (!kw_record_batch_is_control(batch) || kw_record_batch_compression_id(batch) != KW_COMPRESSION_NONE) {
        return false;
    }
    kw_record_reader_init(&reader, batch, batch + KW_RECORD_BATCH_RECORDS,
                          size_bytes - KW_RECORD_BATCH_RECORDS);
    if (!kw_record_reader_next(&reader, &record) || record.key.bytes == NULL || record.value.bytes == NULL ||
        record.key.length_bytes < CONTROL_KEY_BYTES || record.value.length_bytes < MARKER_VALUE_BYTES) {
        return false;
    }
    int16_t type = kw_load_i16(record.key.bytes + 2);
    *out = (struct mb_marker){
        .producer_id = kw_record_batch_producer_id(batch),
        .producer_epoch = kw_record_batch_producer_epoch(batch),
        .coordinator_epoch = kw_load_i32(record.value.bytes + 2),
        .is_commit = type == CONTROL_TYPE_COMMIT,
    };
    return type == CONTROL_TYPE_COMMIT || type == CONTROL_TYPE_ABORT;
}

/* Kafka: ProducerStateEntry.findDuplicateBatch: the same epoch and exactly the same first and last sequence.
 */
static const struct mb_batch_metadata *find_duplicate(const struct mb_producer_entry *entry,
                                                      const uint8_t *batch)
{
    if (kw_record_batch_producer_epoch(batch) != entry->producer_epoch || KB_PLANTED(DUPLICATE_UNKNOWN)) {
        return NULL;
    }
    int32_t first = kw_record_batch_base_sequence(batch);
    int32_t last = kw_record_batch_last_sequence(batch);
    uint8_t oldest = KB_PLANTED(DUPLICATE_WINDOW_OF_1) && entry->batch_count > 1 ? entry->batch_count - 1 : 0;
    for (uint8_t i = oldest; i < entry->batch_count; i++) {
        const struct mb_batch_metadata *kept = &entry->batches[i];
        if (kept->last_sequence == last &&
            kw_decrement_sequence(kept->last_sequence, kept->offset_delta) == first) {
            return kept;
        }
    }
    return NULL;
}

/* Kafka: ProducerAppendInfo.checkSequence, inSequence. */
static enum kw_error check_sequence(const struct mb_producer_entry *entry, const uint8_t *batch)
{
    int32_t first = kw_record_batch_base_sequence(batch);
    if (KB_PLANTED(SEQUENCE_NOT_CHECKED)) {
        return KW_ERROR_NONE;
    }
    if (entry->producer_epoch == KW_NO_PRODUCER_EPOCH) {
        return KW_ERROR_NONE; /* as good as no state: somebody wrote with an id, but without an epoch */
    }
    if (kw_record_batch_producer_epoch(batch) > entry->producer_epoch) {
        return first == 0 ? KW_ERROR_NONE : KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    }
    int32_t last =
        entry->batch_count == 0 ? KW_NO_SEQUENCE : entry->batches[entry->batch_count - 1].last_sequence;
    bool in_sequence = (int64_t)first == (int64_t)last + 1 || (first == 0 && last == INT32_MAX);
    return in_sequence ? KW_ERROR_NONE : KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER;
}

enum kw_error mb_producer_states_validate(const struct mb_producer_states *states,
                                          enum mb_append_origin origin, const uint8_t *batch,
                                          const struct mb_batch_metadata **duplicate)
{
    *duplicate = NULL;
    int64_t producer_id = kw_record_batch_producer_id(batch);
    if (producer_id <= KW_NO_PRODUCER_ID) {
        return KW_ERROR_NONE;
    }
    const struct mb_producer_entry *entry = mb_map_find(&states->by_id, (uint64_t)producer_id);
    if (entry == NULL || KB_PLANTED(NO_PRODUCER_STATE)) {
        /* No state, whether it is new or retention removed it: any sequence is accepted. */
        return KW_ERROR_NONE;
    }
    if (origin == MB_ORIGIN_CLIENT) {
        *duplicate = find_duplicate(entry, batch);
        if (*duplicate != NULL) {
            return KW_ERROR_NONE;
        }
    }
    if (kw_record_batch_producer_epoch(batch) < entry->producer_epoch && !KB_PLANTED(NO_FENCING)) {
        return KW_ERROR_INVALID_PRODUCER_EPOCH;
    }
    enum kw_error error = origin == MB_ORIGIN_CLIENT ? check_sequence(entry, batch) : KW_ERROR_NONE;
    if (error == KW_ERROR_NONE && entry->first_transaction_offset != MB_NO_TRANSACTION &&
        !kw_record_batch_is_transactional(batch)) {
        error = KW_ERROR_INVALID_TXN_STATE;
    }
    return error;
}

enum kw_error mb_producer_states_validate_marker(const struct mb_producer_states *states,
                                                 const struct mb_marker *marker)
{
    const struct mb_producer_entry *entry = mb_map_find(&states->by_id, (uint64_t)marker->producer_id);
    if (entry == NULL) {
        return KW_ERROR_NONE;
    }
    if (marker->producer_epoch < entry->producer_epoch) {
        return KW_ERROR_INVALID_PRODUCER_EPOCH;
    }
    return marker->coordinator_epoch < entry->coordinator_epoch ? KW_ERROR_TRANSACTION_COORDINATOR_FENCED
                                                                : KW_ERROR_NONE;
}

/* --- What the log says --- */

static struct mb_producer_entry *entry_of(struct mb_producer_states *states, int64_t producer_id)
{
    struct mb_producer_entry *entry = mb_map_find(&states->by_id, (uint64_t)producer_id);
    if (entry == NULL) {
        entry = mb_take(states->allocator, sizeof *entry);
        entry->next = states->entries;
        entry->producer_id = producer_id;
        entry->producer_epoch = KW_NO_PRODUCER_EPOCH;
        entry->first_transaction_offset = MB_NO_TRANSACTION;
        entry->coordinator_epoch = -1;
        states->entries = entry;
        mb_map_insert(&states->by_id, (uint64_t)producer_id, entry);
    }
    return entry;
}

/* Kafka: ProducerStateEntry.maybeUpdateProducerEpoch. */
static void update_epoch(struct mb_producer_entry *entry, int16_t epoch)
{
    if (entry->producer_epoch != epoch) {
        entry->batch_count = 0;
        entry->producer_epoch = epoch;
    }
}

static void start_transaction(struct mb_producer_states *states, struct mb_producer_entry *entry,
                              int64_t first_offset)
{
    entry->first_transaction_offset = first_offset;
    states->has_transactions = true;
    states->unstable = mb_reserve(states->allocator, states->unstable, &states->unstable_capacity,
                                  states->unstable_count + 1, sizeof *states->unstable);
    states->unstable[states->unstable_count++] =
        (struct mb_unstable_transaction){entry->producer_id, first_offset, -1};
}

/* Kafka: ProducerStateManager.completeTxn, Log.updateProducers and TransactionIndex.append. */
static void complete_transaction(struct mb_producer_states *states, int64_t producer_id, int64_t first_offset,
                                 int64_t last_offset, bool is_commit)
{
    for (uint32_t i = 0; i < states->unstable_count; i++) {
        if (states->unstable[i].producer_id == producer_id && states->unstable[i].last_offset < 0) {
            states->unstable[i].last_offset = last_offset;
        }
    }
    if (!is_commit) {
        states->aborted = mb_reserve(states->allocator, states->aborted, &states->aborted_capacity,
                                     states->aborted_count + 1, sizeof *states->aborted);
        states->aborted[states->aborted_count++] =
            (struct mb_aborted_transaction){producer_id, first_offset, last_offset};
    }
}

static void take_marker(struct mb_producer_states *states, const uint8_t *batch, size_t size_bytes)
{
    struct mb_marker marker;
    if (!mb_marker_read(batch, size_bytes, &marker)) {
        return;
    }
    struct mb_producer_entry *entry = entry_of(states, marker.producer_id);
    /* A marker without data before it changes nothing that a consumer sees. */
    if (entry->first_transaction_offset != MB_NO_TRANSACTION) {
        complete_transaction(states, marker.producer_id, entry->first_transaction_offset,
                             kw_record_batch_base_offset(batch), marker.is_commit);
    }
    update_epoch(entry, marker.producer_epoch);
    entry->first_transaction_offset = MB_NO_TRANSACTION;
    entry->coordinator_epoch = marker.coordinator_epoch;
}

void mb_producer_states_update(struct mb_producer_states *states, const uint8_t *batch, size_t size_bytes)
{
    int64_t producer_id = kw_record_batch_producer_id(batch);
    if (producer_id <= KW_NO_PRODUCER_ID) {
        return;
    }
    if (kw_record_batch_is_control(batch)) {
        take_marker(states, batch, size_bytes);
        return;
    }
    struct mb_producer_entry *entry = entry_of(states, producer_id);
    update_epoch(entry, kw_record_batch_producer_epoch(batch));
    /* Kafka: ProducerStateEntry.addBatchMetadata. */
    if (entry->batch_count == MB_BATCHES_TO_RETAIN) {
        memmove(&entry->batches[0], &entry->batches[1],
                (MB_BATCHES_TO_RETAIN - 1) * sizeof entry->batches[0]);
        entry->batch_count--;
    }
    entry->batches[entry->batch_count++] = (struct mb_batch_metadata){
        .last_offset = kw_record_batch_last_offset(batch),
        .timestamp_ms = kw_record_batch_max_timestamp_ms(batch),
        .last_sequence = kw_record_batch_last_sequence(batch),
        .offset_delta = kw_record_batch_last_offset_delta(batch),
    };
    if (kw_record_batch_is_transactional(batch) && entry->first_transaction_offset == MB_NO_TRANSACTION) {
        start_transaction(states, entry, kw_record_batch_base_offset(batch));
    }
}

void mb_producer_states_high_watermark(struct mb_producer_states *states, int64_t high_watermark)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < states->unstable_count; i++) {
        struct mb_unstable_transaction transaction = states->unstable[i];
        if (transaction.last_offset < 0 || transaction.last_offset >= high_watermark) {
            states->unstable[kept++] = transaction;
        }
    }
    states->unstable_count = kept;
}

int64_t mb_producer_states_first_unstable_offset(const struct mb_producer_states *states)
{
    return states->unstable_count == 0 ? -1 : states->unstable[0].first_offset;
}

uint32_t mb_producer_states_find_aborted(const struct mb_producer_states *states, int64_t offset)
{
    uint32_t low = 0;
    uint32_t high = states->aborted_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (states->aborted[middle].last_offset < offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void mb_producer_states_increment_start(struct mb_producer_states *states, int64_t start_offset)
{
    uint32_t gone = mb_producer_states_find_aborted(states, start_offset);
    if (gone > 0) {
        memmove(states->aborted, &states->aborted[gone],
                (states->aborted_count - gone) * sizeof *states->aborted);
        states->aborted_count -= gone;
    }
}
