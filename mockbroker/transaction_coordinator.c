#include "mockbroker/transaction_coordinator.h"

#include "base/assert.h"
#include "base/planted.h"
#include "mockbroker/coordinator.h"
#include "wire/record_batch.h"

#include <string.h>

enum { PRODUCER_ID_BLOCK_SIZE = 1000, COMPLETION_RETRY_US = 100000 };

int64_t mb_next_producer_id(struct mb_broker *broker)
{
    if (broker->next_producer_id == broker->producer_ids_end) {
        broker->next_producer_id = mb_controller_take_producer_ids(broker->cluster);
        broker->producer_ids_end = broker->next_producer_id + PRODUCER_ID_BLOCK_SIZE;
    }
    return broker->next_producer_id++;
}

static struct mb_cluster *cluster_of(const struct mb_txn *txn)
{
    return txn->shard->partition->cluster;
}

/* --- Answers --- */

static void forget_request(struct mb_request *request)
{
    struct mb_txn *txn = request->waits_for;
    txn->request = NULL;
}

static void park(struct mb_txn *txn, struct mb_request *request, mb_txn_answer *answer)
{
    KB_ASSERT(txn->request == NULL);
    txn->request = request;
    txn->answer = answer;
    request->waits_for = txn;
    request->forget = forget_request;
}

/* The client that waits for the step, if it still does. */
static void answer(struct mb_txn *txn, enum kw_error error)
{
    struct mb_request *request = txn->request;
    if (request != NULL) {
        txn->request = NULL;
        request->waits_for = NULL;
        txn->answer(request, error, txn->now.producer_id, txn->now.producer_epoch);
    }
}

static void refuse(struct mb_request *request, mb_txn_answer *answer_, enum kw_error error)
{
    answer_(request, error, KW_NO_PRODUCER_ID, KW_NO_PRODUCER_EPOCH);
}

/* --- Steps --- */

/* Kafka: TransactionStateManager.appendTransactionToLog, how it names the errors of the append. */
static enum kw_error coordinator_error(enum kw_error error)
{
    return error == KW_ERROR_NONE                     ? KW_ERROR_NONE
           : error == KW_ERROR_NOT_LEADER_OR_FOLLOWER ? KW_ERROR_NOT_COORDINATOR
                                                      : KW_ERROR_COORDINATOR_NOT_AVAILABLE;
}

static bool is_prepared(const struct mb_txn_values *values)
{
    return values->state == MB_TXN_PREPARE_COMMIT || values->state == MB_TXN_PREPARE_ABORT;
}

static bool is_complete(const struct mb_txn_values *values)
{
    return values->state == MB_TXN_COMPLETE_COMMIT || values->state == MB_TXN_COMPLETE_ABORT;
}

static void watch_time(struct mb_txn *txn);

static void step_failed(struct mb_txn *txn, enum kw_error error)
{
    if (is_complete(&txn->next)) {
        if (error == KW_ERROR_COORDINATOR_NOT_AVAILABLE) {
            /* Kafka: TransactionMarkerChannelManager.tryAppendToLog: the markers are written; try again. */
            mb_timer_set(cluster_of(txn), &txn->retry, cluster_of(txn)->now_us + COMPLETION_RETRY_US);
        }
        return;
    }
    txn->is_pending = false;
    txn->has_failed_epoch_fence = txn->is_fence;
    answer(txn, error);
}

/* Kafka: TransactionMetadata.completeTransitionTo, and what follows in TransactionCoordinator. */
static void step_is_logged(struct mb_append_wait *wait, enum kw_error append_error)
{
    struct mb_txn *txn = KB_CONTAINER_OF(wait, struct mb_txn, wait);
    KB_ASSERT(append_error != MB_WAIT_FORGOTTEN); /* the shard goes first */
    enum kw_error error = coordinator_error(append_error);
    if (error != KW_ERROR_NONE) {
        step_failed(txn, error);
        return;
    }
    txn->now = txn->next;
    txn->is_pending = false;
    mb_txn_announce(txn);
    if (!is_prepared(&txn->now)) {
        watch_time(txn);
        answer(txn, KW_ERROR_NONE);
        return;
    }
    /* Decided: the client need not wait for the markers. One that wanted another epoch asks again. */
    txn->has_failed_epoch_fence = false;
    struct mb_request *request = txn->request;
    bool is_init = request != NULL && txn->is_fence;
    mb_txn_begin_markers(txn);
    answer(txn, is_init ? KW_ERROR_CONCURRENT_TRANSACTIONS : KW_ERROR_NONE);
}

/* Log txn->next. Whoever waits for it is parked already. */
static void begin_step(struct mb_txn *txn)
{
    txn->is_pending = true;
    txn->wait.done = step_is_logged;
    enum kw_error error = mb_txn_log_append(txn);
    if (error != KW_ERROR_NONE) {
        step_failed(txn, coordinator_error(error));
    }
}

static struct mb_txn_values *prepare(struct mb_txn *txn, enum mb_txn_state state)
{
    txn->is_fence = false;
    txn->next = txn->now;
    txn->next.state = state;
    txn->next.last_update_ms = mb_now_ms(cluster_of(txn));
    return &txn->next;
}

/* Kafka: TransactionMetadata.prepareFenceProducerEpoch, and endTransaction that is not from a client: whoever
 * has the old epoch is shut out, and its transaction is aborted. */
static void fence_and_abort(struct mb_txn *txn)
{
    KB_ASSERT(txn->now.state == MB_TXN_ONGOING && txn->now.producer_epoch < INT16_MAX);
    if (!txn->has_failed_epoch_fence && !KB_PLANTED(ZOMBIE_KEEPS_EPOCH)) {
        txn->now.producer_epoch++;
    }
    txn->now.last_producer_epoch = KW_NO_PRODUCER_EPOCH;
    prepare(txn, MB_TXN_PREPARE_ABORT);
    txn->is_fence = true;
    begin_step(txn);
}

void mb_txn_complete(struct mb_txn *txn)
{
    begin_step(txn);
}

/* --- InitProducerId --- */

/* The client has the producer id that it was given last, or could have. */
static bool is_own_producer_id(const struct mb_txn *txn, const struct mb_init_producer_id *asked)
{
    return asked->producer_id == KW_NO_PRODUCER_ID || txn->now.producer_epoch == KW_NO_PRODUCER_EPOCH ||
           asked->producer_id == txn->now.producer_id ||
           (asked->producer_id == txn->now.last_producer_id && asked->producer_epoch >= INT16_MAX - 1);
}

/* Kafka: TransactionMetadata.isEpochExhausted: the last epoch is left for fencing. */
static bool is_exhausted(int16_t epoch)
{
    return epoch >= INT16_MAX - 1;
}

/* Kafka: TransactionMetadata.prepareIncrementProducerEpoch. */
static enum kw_error choose_epoch(const struct mb_txn_values *now, const struct mb_init_producer_id *asked,
                                  struct mb_txn_values *next)
{
    bool has_expectation = asked->producer_id != KW_NO_PRODUCER_ID;
    if (!has_expectation) {
        next->producer_epoch =
            (int16_t)(now->producer_epoch + (!KB_PLANTED(ZOMBIE_KEEPS_EPOCH) || now->producer_epoch < 0));
        next->last_producer_epoch = KW_NO_PRODUCER_EPOCH;
        return KW_ERROR_NONE;
    }
    if (now->producer_epoch == KW_NO_PRODUCER_EPOCH || asked->producer_epoch == now->producer_epoch) {
        next->producer_epoch = (int16_t)(now->producer_epoch + 1);
        next->last_producer_epoch = now->producer_epoch;
        return KW_ERROR_NONE;
    }
    /* The answer to this very request was lost: what it said once more. */
    return asked->producer_epoch == now->last_producer_epoch ? KW_ERROR_NONE : KW_ERROR_PRODUCER_FENCED;
}

/* Kafka: prepareInitProducerIdTransit, for an id without a transaction. */
static enum kw_error begin_new_epoch(struct mb_txn *txn, const struct mb_init_producer_id *asked)
{
    struct mb_txn_values *next = prepare(txn, MB_TXN_EMPTY);
    bool has_expectation = asked->producer_id != KW_NO_PRODUCER_ID;
    next->last_producer_id = txn->now.producer_id;
    next->timeout_ms = asked->timeout_ms;
    next->start_ms = -1;
    next->partition_count = 0;
    if (is_exhausted(txn->now.producer_epoch) &&
        (!has_expectation || asked->producer_epoch == txn->now.producer_epoch)) {
        next->producer_id = mb_next_producer_id(txn->shard->partition->broker);
        next->producer_epoch = 0;
        next->last_producer_epoch = has_expectation ? txn->now.producer_epoch : KW_NO_PRODUCER_EPOCH;
        return KW_ERROR_NONE;
    }
    if (is_exhausted(txn->now.producer_epoch)) {
        return KW_ERROR_UNKNOWN_SERVER_ERROR; /* an IllegalStateException, even for the one whose answer was
                                                 lost */
    }
    return choose_epoch(&txn->now, asked, next);
}

static struct mb_txn *find_or_create(struct mb_partition *partition, const struct mb_init_producer_id *asked)
{
    struct mb_txn_shard *shard = partition->transactions;
    struct mb_txn *txn = mb_txn_find(shard, asked->id, asked->id_length_bytes);
    if (txn == NULL) {
        txn = mb_txn_create(shard, asked->id, asked->id_length_bytes);
        txn->now.producer_id = mb_next_producer_id(partition->broker);
        txn->now.timeout_ms = asked->timeout_ms;
    }
    return txn;
}

void mb_txn_init_producer_id(struct mb_request *request, const struct mb_init_producer_id *asked,
                             mb_txn_answer *answer_)
{
    struct mb_partition *partition = NULL;
    if (asked->id_length_bytes <= 0 || asked->id_length_bytes > INT16_MAX) { /* the log has 16 bits for it */
        refuse(request, answer_, KW_ERROR_INVALID_REQUEST);
        return;
    }
    if (asked->timeout_ms <= 0 ||
        asked->timeout_ms > mb_setting(request->cluster, MB_SETTING_TRANSACTION_MAX_TIMEOUT_MS)) {
        refuse(request, answer_, KW_ERROR_INVALID_TRANSACTION_TIMEOUT);
        return;
    }
    enum kw_error error = mb_coordinator_find(request->broker, MB_TOPIC_TRANSACTION_STATE, asked->id,
                                              asked->id_length_bytes, &partition);
    if (error != KW_ERROR_NONE) {
        refuse(request, answer_, error);
        return;
    }
    struct mb_txn *txn = find_or_create(partition, asked);
    if (txn->is_pending) {
        error = KW_ERROR_CONCURRENT_TRANSACTIONS;
    } else if (!is_own_producer_id(txn, asked)) {
        error = KW_ERROR_PRODUCER_FENCED;
    } else if (txn->now.state == MB_TXN_ONGOING && txn->now.producer_epoch == INT16_MAX) {
        /* Kafka throws IllegalStateException: nobody was ever given this epoch. */
        error = KW_ERROR_UNKNOWN_SERVER_ERROR;
    } else if (txn->now.state == MB_TXN_ONGOING) {
        park(txn, request, answer_);
        fence_and_abort(txn);
        return;
    } else {
        error = is_prepared(&txn->now) ? KW_ERROR_CONCURRENT_TRANSACTIONS : begin_new_epoch(txn, asked);
    }
    if (error != KW_ERROR_NONE) {
        refuse(request, answer_, error);
        return;
    }
    park(txn, request, answer_);
    begin_step(txn);
}

/* --- AddPartitionsToTxn, AddOffsetsToTxn --- */

/* Who may go on with it, in Kafka's order. Kafka: TransactionCoordinator.handleAddPartitionsToTransaction,
 * endTransaction, TransactionStateManager.getTransactionState. */
static enum kw_error find_transaction(struct mb_request *request, const struct mb_txn_who *who,
                                      struct mb_txn **out)
{
    struct mb_partition *partition = NULL;
    if (who->id_length_bytes <= 0) {
        return KW_ERROR_INVALID_REQUEST;
    }
    enum kw_error error = mb_coordinator_find(request->broker, MB_TOPIC_TRANSACTION_STATE, who->id,
                                              who->id_length_bytes, &partition);
    if (error != KW_ERROR_NONE) {
        return error;
    }
    struct mb_txn *txn = mb_txn_find(partition->transactions, who->id, who->id_length_bytes);
    if (txn == NULL || txn->now.producer_id != who->producer_id) {
        return KW_ERROR_INVALID_PRODUCER_ID_MAPPING;
    }
    if (txn->now.producer_epoch != who->producer_epoch) {
        return KW_ERROR_PRODUCER_FENCED;
    }
    *out = txn;
    return txn->is_pending ? KW_ERROR_CONCURRENT_TRANSACTIONS : KW_ERROR_NONE;
}

static bool has_partition(const struct mb_txn *txn, uint32_t count, const struct mb_topic_partition *tp)
{
    for (uint32_t i = 0; i < count; i++) {
        if (txn->partitions[i].tp == tp) {
            return true;
        }
    }
    return false;
}

void mb_txn_add_partitions(struct mb_request *request, const struct mb_txn_who *who,
                           struct mb_topic_partition *const *tps, uint32_t count, mb_txn_answer *answer_)
{
    struct mb_txn *txn = NULL;
    enum kw_error error = find_transaction(request, who, &txn);
    if (error == KW_ERROR_NONE && is_prepared(&txn->now)) {
        error = KW_ERROR_CONCURRENT_TRANSACTIONS;
    }
    if (error != KW_ERROR_NONE) {
        refuse(request, answer_, error);
        return;
    }
    struct mb_txn_values *next = prepare(txn, MB_TXN_ONGOING);
    if (txn->now.state != MB_TXN_ONGOING) {
        next->start_ms = next->last_update_ms;
        next->partition_count = 0;
    }
    uint32_t known = next->partition_count;
    for (uint32_t i = 0; i < count; i++) {
        if (!has_partition(txn, next->partition_count, tps[i])) {
            mb_txn_put_partition(txn, next->partition_count++, tps[i]);
        }
    }
    if (txn->now.state == MB_TXN_ONGOING && next->partition_count == known) {
        refuse(request, answer_, KW_ERROR_NONE); /* nothing new: nothing to log */
        return;
    }
    park(txn, request, answer_);
    begin_step(txn);
}

/* --- EndTxn --- */

/* May a transaction in this state end so? *is_over: it has already. Kafka:
 * TransactionCoordinator.endTransaction. */
static enum kw_error check_end(enum mb_txn_state state, bool is_commit, bool *is_over)
{
    *is_over = false;
    switch (state) {
    case MB_TXN_ONGOING:
        return KW_ERROR_NONE;
    case MB_TXN_COMPLETE_COMMIT:
    case MB_TXN_COMPLETE_ABORT:
        *is_over = true;
        return is_commit == (state == MB_TXN_COMPLETE_COMMIT) ? KW_ERROR_NONE : KW_ERROR_INVALID_TXN_STATE;
    case MB_TXN_PREPARE_COMMIT:
    case MB_TXN_PREPARE_ABORT:
        return is_commit == (state == MB_TXN_PREPARE_COMMIT) ? KW_ERROR_CONCURRENT_TRANSACTIONS
                                                             : KW_ERROR_INVALID_TXN_STATE;
    case MB_TXN_EMPTY:
        return KW_ERROR_INVALID_TXN_STATE;
    }
    KB_UNREACHABLE();
}

void mb_txn_end(struct mb_request *request, const struct mb_txn_who *who, bool is_commit,
                mb_txn_answer *answer_)
{
    struct mb_txn *txn = NULL;
    bool is_over = false;
    enum kw_error error = find_transaction(request, who, &txn);
    if (error == KW_ERROR_NONE) {
        error = check_end(txn->now.state, is_commit, &is_over);
    }
    if (error != KW_ERROR_NONE || is_over) {
        refuse(request, answer_, error);
        return;
    }
    park(txn, request, answer_);
    prepare(txn, is_commit ? MB_TXN_PREPARE_COMMIT : MB_TXN_PREPARE_ABORT);
    begin_step(txn);
}

/* --- Time --- */

/* Kafka: TransactionCoordinator.startup looks every
 * transaction.abort.timed.out.transaction.cleanup.interval.ms; here at the same instants, but only while
 * there is something to look at. */
static void arm(struct mb_broker *broker)
{
    struct mb_cluster *cluster = broker->cluster;
    int64_t period_us =
        mb_setting(cluster, MB_SETTING_TRANSACTION_ABORT_TIMED_OUT_CLEANUP_INTERVAL_MS) * 1000;
    int64_t passed = (cluster->now_us - broker->started_us) / period_us;
    mb_timer_set(cluster, &broker->transaction_scan, broker->started_us + (passed + 1) * period_us);
}

static void watch_time(struct mb_txn *txn)
{
    struct mb_broker *broker = txn->shard->partition->broker;
    if (txn->now.state == MB_TXN_ONGOING &&
        !kb_heap_contains(&broker->cluster->timers, &broker->transaction_scan.node)) {
        arm(broker);
    }
}

/* True when one stays open. Kafka: TransactionStateManager.timedOutTransactions,
 * TransactionCoordinator.abortTimedOutTransactions. */
static bool scan_shard(struct mb_txn_shard *shard, int64_t now_ms)
{
    bool has_open = false;
    KB_LIST_FOR_EACH(node, &shard->transactions)
    {
        struct mb_txn *txn = KB_CONTAINER_OF(node, struct mb_txn, of_shard);
        bool is_late = txn->now.state == MB_TXN_ONGOING && !txn->is_pending &&
                       txn->now.producer_epoch < INT16_MAX &&
                       txn->now.start_ms + txn->now.timeout_ms < now_ms;
        if (is_late) {
            fence_and_abort(txn);
        }
        has_open = has_open || txn->now.state == MB_TXN_ONGOING;
    }
    return has_open;
}

void mb_transactions_scan(struct mb_cluster *cluster, struct mb_timer *timer)
{
    struct mb_broker *broker = KB_CONTAINER_OF(timer, struct mb_broker, transaction_scan);
    bool has_open = false;
    for (uint32_t i = 0; i < broker->hosted_capacity; i++) {
        struct mb_partition *partition = broker->hosted[i];
        if (partition != NULL && partition->transactions != NULL) {
            has_open = scan_shard(partition->transactions, mb_now_ms(cluster)) || has_open;
        }
    }
    if (has_open) {
        arm(broker);
    }
}

/* --- Coming and going --- */

void mb_txn_retry(struct mb_cluster *cluster, struct mb_timer *timer)
{
    (void)cluster;
    struct mb_txn *txn = KB_CONTAINER_OF(timer, struct mb_txn, retry);
    /* It may have ended meanwhile, and the next one begun: its partitions want no markers yet. */
    if (txn->is_pending && is_prepared(&txn->now) && txn->wait.partition == NULL) {
        mb_txn_send_markers(txn);
    }
}

/* Kafka: TransactionCoordinator.onElection: what was decided before is carried out. */
static void load(struct mb_cluster *cluster, struct mb_timer *timer)
{
    (void)cluster;
    struct mb_txn_shard *shard = KB_CONTAINER_OF(timer, struct mb_txn_shard, load);
    mb_txn_log_load(shard->partition);
    shard->is_loaded = true;
    KB_LIST_FOR_EACH(node, &shard->transactions)
    {
        struct mb_txn *txn = KB_CONTAINER_OF(node, struct mb_txn, of_shard);
        watch_time(txn);
        if (is_prepared(&txn->now)) {
            mb_txn_begin_markers(txn);
        }
    }
}

void mb_transactions_elect(struct mb_partition *partition)
{
    struct mb_cluster *cluster = partition->cluster;
    mb_transactions_resign(partition);
    struct mb_txn_shard *shard = mb_take(cluster->allocator, sizeof *shard);
    shard->partition = partition;
    shard->coordinator_epoch = partition->leader_epoch;
    shard->load = (struct mb_timer){.fire = load, .broker = partition->broker};
    kb_list_init(&shard->transactions);
    partition->transactions = shard;
    mb_timer_set(cluster, &shard->load, cluster->now_us + MB_COORDINATOR_LOAD_US);
}

void mb_transactions_resign(struct mb_partition *partition)
{
    struct mb_txn_shard *shard = partition->transactions;
    struct mb_cluster *cluster = partition->cluster;
    struct kb_list_node *node;
    if (shard == NULL) {
        return;
    }
    partition->transactions = NULL;
    mb_timer_cancel(cluster, &shard->load);
    while ((node = kb_list_pop_front(&shard->transactions)) != NULL) {
        struct mb_txn *txn = KB_CONTAINER_OF(node, struct mb_txn, of_shard);
        mb_append_wait_cancel(&txn->wait);
        mb_timer_cancel(cluster, &txn->retry);
        answer(txn, KW_ERROR_NOT_COORDINATOR);
        mb_give(cluster->allocator, txn->partitions, txn->partition_capacity * sizeof *txn->partitions);
        mb_give(cluster->allocator, txn->id, (size_t)txn->id_length_bytes + 1);
        mb_give(cluster->allocator, txn, sizeof *txn);
    }
    mb_give(cluster->allocator, shard, sizeof *shard);
}

bool mb_transactions_are_loaded(const struct mb_partition *partition)
{
    return partition->transactions != NULL && partition->transactions->is_loaded;
}

void mb_txn_announce(const struct mb_txn *txn)
{
    const struct mb_partition *partition = txn->shard->partition;
    KB_TRACE(partition->cluster->trace, 0, TRANSACTION_LOGGED, transaction_logged,
             .producer_id = txn->now.producer_id, .broker = partition->broker->id,
             .producer_epoch = txn->now.producer_epoch, .state = (int32_t)txn->now.state,
             .partitions = txn->now.partition_count);
}
