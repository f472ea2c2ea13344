/* The invariants of transactions: what a log says of them against what is derived from it, and what the
 * coordinators believe. Part of mb_check(). */

#include "mockbroker/check.h"

#include "mockbroker/transaction_coordinator.h"
#include "wire/record_batch.h"

enum { COMPARED_MARKERS = 16 };

static uint32_t count_open(const struct mb_producer_states *states)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < states->unstable_count; i++) {
        count += states->unstable[i].last_offset < 0;
    }
    return count;
}

/* Every open transaction has a producer that knows of it, and every producer's is among the open ones. */
static const char *check_open(const struct mb_log *log)
{
    const struct mb_producer_states *states = &log->producers;
    for (uint32_t i = 0; i < states->unstable_count; i++) {
        const struct mb_unstable_transaction *transaction = &states->unstable[i];
        const struct mb_producer_entry *entry =
            mb_map_find(&states->by_id, (uint64_t)transaction->producer_id);
        if (i > 0 && transaction->first_offset <= states->unstable[i - 1].first_offset) {
            return "transactions of a log are not in the order of their first offsets";
        }
        if (transaction->last_offset >= 0 && transaction->last_offset < log->high_watermark) {
            return "a transaction whose marker is below the high watermark still holds consumers back";
        }
        if (transaction->last_offset < 0 &&
            (entry == NULL || entry->first_transaction_offset != transaction->first_offset)) {
            return "an open transaction has no producer state";
        }
    }
    uint32_t open = 0;
    for (const struct mb_producer_entry *entry = states->entries; entry != NULL; entry = entry->next) {
        open += entry->first_transaction_offset != MB_NO_TRANSACTION;
    }
    return open == count_open(states) ? NULL : "a producer's open transaction holds nobody back";
}

/* The newest of the aborted ones: where each ends there is its marker. */
static const char *check_aborted(const struct mb_log *log)
{
    const struct mb_producer_states *states = &log->producers;
    for (uint32_t n = 0; n < COMPARED_MARKERS && n < states->aborted_count; n++) {
        const struct mb_aborted_transaction *aborted = &states->aborted[states->aborted_count - 1 - n];
        uint32_t index = mb_log_find(log, aborted->last_offset);
        struct mb_marker marker;
        if (aborted->first_offset >= aborted->last_offset) {
            return "an aborted transaction ends before it begins";
        }
        if (index == log->count) {
            return "an aborted transaction ends behind the log";
        }
        const struct mb_block *block = mb_log_entry_at(log, index)->block;
        if (!mb_marker_read(block->bytes, block->size_bytes, &marker) || marker.is_commit ||
            marker.producer_id != aborted->producer_id) {
            return "an aborted transaction does not end with its marker";
        }
    }
    return NULL;
}

/* What a producer wrote last is in the log: its state goes back when the log is truncated. */
static const char *check_newest(const struct mb_log *log)
{
    for (const struct mb_producer_entry *entry = log->producers.entries; entry != NULL; entry = entry->next) {
        if (entry->batch_count > 0 && entry->batches[entry->batch_count - 1].last_offset >= log->end_offset) {
            return "a producer's state names a batch behind the end of the log";
        }
    }
    return NULL;
}

const char *mb_check_log_producers(const struct mb_log *log)
{
    const char *problem = check_newest(log);
    if (problem != NULL || !log->producers.has_transactions) {
        return problem;
    }
    int64_t last_stable_offset = mb_log_last_stable_offset(log);
    if (last_stable_offset > log->high_watermark) {
        return "a last stable offset is above the high watermark";
    }
    if (log->producers.unstable_count > 0 && last_stable_offset > log->producers.unstable[0].first_offset) {
        return "a last stable offset is past an open transaction";
    }
    problem = check_open(log);
    return problem != NULL ? problem : check_aborted(log);
}

const char *mb_check_coordinator(const struct mb_partition *partition)
{
    if (partition->transactions == NULL) {
        return NULL;
    }
    if (!partition->is_leader || partition->transactions->coordinator_epoch != partition->leader_epoch) {
        return "a broker coordinates transactions of a partition that it does not lead";
    }
    KB_LIST_FOR_EACH(node, &partition->transactions->transactions)
    {
        const struct mb_txn *txn = KB_CONTAINER_OF(node, struct mb_txn, of_shard);
        bool is_open = txn->now.state == MB_TXN_ONGOING || txn->now.state == MB_TXN_PREPARE_COMMIT ||
                       txn->now.state == MB_TXN_PREPARE_ABORT;
        if (!is_open && txn->now.partition_count > 0) {
            return "a transaction that is not open has partitions";
        }
        if (is_open && txn->now.producer_id < 0) {
            return "an open transaction has no producer id";
        }
        if (partition->transactions->is_loaded && is_open && txn->now.state != MB_TXN_ONGOING &&
            !txn->is_pending) {
            return "a transaction was decided, and nobody completes it";
        }
    }
    return NULL;
}
