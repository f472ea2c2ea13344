/**
 * The transaction coordinator: which transactional id has which producer id and epoch, and how far its
 * transaction is.
 *
 * Every step is written to __transaction_state with acks=all before it counts, in Kafka's own format. While
 * that is under way the id has a pending state, and who asks gets CONCURRENT_TRANSACTIONS. The end of a
 * transaction is decided when PrepareCommit or PrepareAbort is logged; the client is answered then, and the
 * markers go out to the leaders of the partitions (transaction_markers.c).
 *
 * Not kept here: the expiry of transactional ids that nobody uses (seven days in Kafka).
 *
 * Kafka: TransactionCoordinator, TransactionMetadata, TransactionStateManager, TransactionLog,
 * TransactionMarkerChannelManager.
 */
#ifndef MB_TRANSACTION_COORDINATOR_H
#define MB_TRANSACTION_COORDINATOR_H

#include "mockbroker/control.h"
#include "mockbroker/partition.h"
#include "mockbroker/request.h"

/** Kafka: TransactionState; the numbers are those of the log. */
enum mb_txn_state {
    MB_TXN_EMPTY = 0,
    MB_TXN_ONGOING = 1,
    MB_TXN_PREPARE_COMMIT = 2,
    MB_TXN_PREPARE_ABORT = 3,
    MB_TXN_COMPLETE_COMMIT = 4,
    MB_TXN_COMPLETE_ABORT = 5,
};

/** Kafka: TxnTransitMetadata. */
struct mb_txn_values {
    int64_t producer_id;
    int64_t last_producer_id;
    int64_t start_ms;
    int64_t last_update_ms;
    int32_t timeout_ms;
    int16_t producer_epoch;
    int16_t last_producer_epoch;
    enum mb_txn_state state;
    uint32_t partition_count; /* of mb_txn.partitions, from the first */
};

enum mb_marker_progress { MB_MARKER_TO_SEND, MB_MARKER_SENT, MB_MARKER_WRITTEN };

struct mb_txn_partition {
    struct mb_topic_partition *tp;
    enum mb_marker_progress progress;
    int32_t broker; /* index: where it was sent to */
    uint32_t incarnation;
};

/** Who is to be told how a step ended. producer_id and epoch: what InitProducerId gives. */
typedef void mb_txn_answer(struct mb_request *request, enum kw_error error, int64_t producer_id,
                           int16_t producer_epoch);

/** One transactional id. Kafka: TransactionMetadata. */
struct mb_txn {
    struct kb_list_node of_shard;
    struct mb_txn_shard *shard;
    char *id;
    int32_t id_length_bytes;
    struct mb_txn_values now;
    struct mb_txn_values next; /* being logged, or, while markers are written, the completion */
    bool is_pending;
    bool is_fence; /* what is being logged aborts the transaction of an older epoch */
    bool has_failed_epoch_fence;
    struct mb_txn_partition *partitions;
    uint32_t partition_capacity;
    struct mb_append_wait wait;
    struct mb_request *request; /* that waits for the step; NULL: nobody */
    mb_txn_answer *answer;
    struct mb_timer retry; /* markers whose leader is not known, or a completion that could not be logged */
};

/** What one partition of __transaction_state holds, at its leader. */
struct mb_txn_shard {
    struct mb_partition *partition;
    int32_t coordinator_epoch; /* the leader epoch */
    bool is_loaded;
    struct mb_timer load;
    struct kb_list transactions; /* in the order in which they were first seen */
};

/* --- Requests. Each is answered once, at once or later. --- */

struct mb_init_producer_id {
    const char *id;
    int32_t id_length_bytes;
    int32_t timeout_ms;
    int64_t producer_id; /* KW_NO_PRODUCER_ID: the client has none */
    int16_t producer_epoch;
};
/** Kafka: TransactionCoordinator.handleInitProducerId. */
void mb_txn_init_producer_id(struct mb_request *request, const struct mb_init_producer_id *asked,
                             mb_txn_answer *answer);

struct mb_txn_who {
    const char *id;
    int32_t id_length_bytes;
    int64_t producer_id;
    int16_t producer_epoch;
};
/** Kafka: TransactionCoordinator.handleAddPartitionsToTransaction. */
void mb_txn_add_partitions(struct mb_request *request, const struct mb_txn_who *who,
                           struct mb_topic_partition *const *tps, uint32_t count, mb_txn_answer *answer);
/** Kafka: TransactionCoordinator.handleEndTransaction. */
void mb_txn_end(struct mb_request *request, const struct mb_txn_who *who, bool is_commit,
                mb_txn_answer *answer);

/** The next producer id of this broker's block. Kafka: ProducerIdManager.generateProducerId. */
int64_t mb_next_producer_id(struct mb_broker *broker);

/* --- Of the broker --- */

void mb_transactions_elect(struct mb_partition *partition);
void mb_transactions_resign(struct mb_partition *partition);
bool mb_transactions_are_loaded(const struct mb_partition *partition);
void mb_transactions_look_again(struct mb_partition *partition);
/** Abort what has been open for too long. Kafka: TransactionCoordinator.abortTimedOutTransactions. */
void mb_transactions_scan(struct mb_cluster *cluster, struct mb_timer *timer);

/* --- transaction_log.c: the records of __transaction_state --- */

/** Append txn->next. KW_ERROR_NONE: txn->wait will be done. Kafka: TransactionLog.valueToBytes. */
enum kw_error mb_txn_log_append(struct mb_txn *txn);
/** Kafka: TransactionStateManager.loadTransactionMetadata. */
void mb_txn_log_load(struct mb_partition *partition);
/** NULL when there is none. */
struct mb_txn *mb_txn_find(const struct mb_txn_shard *shard, const char *id, int32_t length_bytes);
struct mb_txn *mb_txn_create(struct mb_txn_shard *shard, const char *id, int32_t length_bytes);
/** Behind the partitions it has; not one of its transaction before next.partition_count says so. */
void mb_txn_put_partition(struct mb_txn *txn, uint32_t index, struct mb_topic_partition *tp);
void mb_txn_announce(const struct mb_txn *txn);

/* --- transaction_markers.c --- */

/** The end is logged: tell every partition, then log the completion. */
void mb_txn_begin_markers(struct mb_txn *txn);
/** Send what is to be sent; complete when everything is written. */
void mb_txn_send_markers(struct mb_txn *txn);
/** A while has passed: send what is still to be sent. */
void mb_txn_retry(struct mb_cluster *cluster, struct mb_timer *timer);
/** All markers are written. In transaction_coordinator.c. */
void mb_txn_complete(struct mb_txn *txn);
/** A message with markers, or the answer to one, reaches a broker. Takes it over. */
void mb_txn_receive_markers(struct mb_broker *broker, struct mb_control *control);
void mb_txn_receive_markers_done(struct mb_broker *broker, struct mb_control *control);
/** A message with markers did not arrive: it goes away, and its markers are sent again. */
void mb_txn_markers_lost(struct mb_cluster *cluster, struct mb_control *control);

#endif
