#include "mockbroker/producer_state.h"

#include "wire/record_batch.h"

#include <string.h>

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
}

/* Kafka: ProducerStateEntry.findDuplicateBatch: the same epoch and exactly the same first and last sequence.
 */
static const struct mb_batch_metadata *find_duplicate(const struct mb_producer_entry *entry,
                                                      const uint8_t *batch)
{
    if (kw_record_batch_producer_epoch(batch) != entry->producer_epoch) {
        return NULL;
    }
    int32_t first = kw_record_batch_base_sequence(batch);
    int32_t last = kw_record_batch_last_sequence(batch);
    for (uint8_t i = 0; i < entry->batch_count; i++) {
        const struct mb_batch_metadata *kept = &entry->batches[i];
        if (kept->last_sequence == last &&
            kw_decrement_sequence(kept->last_sequence, kept->offset_delta) == first) {
            return kept;
        }
    }
    return NULL;
}

enum kw_error mb_producer_states_validate(const struct mb_producer_states *states, const uint8_t *batch,
                                          const struct mb_batch_metadata **duplicate)
{
    *duplicate = NULL;
    int64_t producer_id = kw_record_batch_producer_id(batch);
    if (producer_id <= KW_NO_PRODUCER_ID) {
        return KW_ERROR_NONE;
    }
    const struct mb_producer_entry *entry = mb_map_find(&states->by_id, (uint64_t)producer_id);
    if (entry == NULL) {
        /* No state, whether it is new or retention removed it: any sequence is accepted. */
        return KW_ERROR_NONE;
    }
    *duplicate = find_duplicate(entry, batch);
    if (*duplicate != NULL) {
        return KW_ERROR_NONE;
    }
    int16_t epoch = kw_record_batch_producer_epoch(batch);
    int32_t first = kw_record_batch_base_sequence(batch);
    if (epoch < entry->producer_epoch) {
        return KW_ERROR_INVALID_PRODUCER_EPOCH;
    }
    if (epoch > entry->producer_epoch) {
        return first == 0 ? KW_ERROR_NONE : KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    }
    int32_t last =
        entry->batch_count == 0 ? KW_NO_SEQUENCE : entry->batches[entry->batch_count - 1].last_sequence;
    bool in_sequence = (int64_t)first == (int64_t)last + 1 || (first == 0 && last == INT32_MAX);
    return in_sequence ? KW_ERROR_NONE : KW_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER;
}

void mb_producer_states_update(struct mb_producer_states *states, const uint8_t *batch)
{
    int64_t producer_id = kw_record_batch_producer_id(batch);
    if (producer_id <= KW_NO_PRODUCER_ID || kw_record_batch_is_control(batch)) {
        return;
    }
    struct mb_producer_entry *entry = mb_map_find(&states->by_id, (uint64_t)producer_id);
    if (entry == NULL) {
        entry = mb_take(states->allocator, sizeof *entry);
        entry->next = states->entries;
        entry->producer_id = producer_id;
        entry->producer_epoch = KW_NO_PRODUCER_EPOCH;
        states->entries = entry;
        mb_map_insert(&states->by_id, (uint64_t)producer_id, entry);
    }
    /* Kafka: ProducerStateEntry.maybeUpdateProducerEpoch, addBatchMetadata. */
    int16_t epoch = kw_record_batch_producer_epoch(batch);
    if (entry->producer_epoch != epoch) {
        entry->batch_count = 0;
        entry->producer_epoch = epoch;
    }
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
}
