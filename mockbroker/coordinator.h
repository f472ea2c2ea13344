/**
 * What the transaction coordinator and the group coordinator have in common: a topic of their own, whose
 * partitions say who coordinates what, and which is their memory.
 *
 * A key (transactional id, group id) belongs to a partition of the topic by its hash, and to the broker that
 * leads it. What the coordinator decides it writes there with acks=all before it answers; a new leader reads
 * the log, and so goes on where the last one stopped. The topics are created when a client first looks for a
 * coordinator.
 *
 * Kafka: KafkaApis.getCoordinator, TransactionStateManager, GroupMetadataManager.
 */
#ifndef MB_COORDINATOR_H
#define MB_COORDINATOR_H

#include "mockbroker/partition.h"
#include "wire/record.h"

/** Kafka: Utils.abs(key.hashCode) modulo the partitions of the topic; NULL: the topic is not there. */
struct mb_topic_partition *mb_coordinator_partition_of(const struct mb_cluster *cluster,
                                                       enum mb_topic_kind kind, const char *key,
                                                       int32_t length_bytes);
/** Java's String.hashCode, over UTF-16. Bytes that are not UTF-8 count as one character each. */
int32_t mb_java_hash(const char *text, int32_t length_bytes);

/**
 * The partition through which this broker coordinates the key.
 *   KW_ERROR_NOT_COORDINATOR             another broker does, or nobody
 *   KW_ERROR_COORDINATOR_LOAD_IN_PROGRESS  it leads, but has not read the log yet
 */
enum kw_error mb_coordinator_find(const struct mb_broker *broker, enum mb_topic_kind kind, const char *key,
                                  int32_t length_bytes, struct mb_partition **out);

/** Ask the controller for the topic. Kafka: DefaultAutoTopicCreationManager. */
void mb_coordinator_create_topic(struct mb_broker *broker, enum mb_topic_kind kind);

/** The broker leads a partition, or does so no more (or in another epoch). Those of clients are nothing to
 * it.
 */
void mb_coordinators_elect(struct mb_partition *partition);
void mb_coordinators_resign(struct mb_partition *partition);
/** The metadata cache changed: who waits for a leader looks again. */
void mb_coordinators_look_again(struct mb_broker *broker);

/** How long a new leader reads before it coordinates. Kafka does that on a thread of its own. */
enum { MB_COORDINATOR_LOAD_US = 1000 };

/** What a coordinator writes: records of one batch. */
struct mb_coordinator_batch {
    const struct kw_record_fields *records;
    uint32_t record_count;
    int64_t producer_id; /* KW_NO_PRODUCER_ID: of no transaction */
    int16_t producer_epoch;
    bool is_control;
};
/** Append; KW_ERROR_NONE: wait->done will be called. Else as mb_partition_append_as_coordinator(). */
enum kw_error mb_coordinator_append(struct mb_partition *partition, const struct mb_coordinator_batch *batch,
                                    struct mb_append_wait *wait, int64_t timeout_ms);

/** Every record of the partition's log, in order. batch: the header of its batch. */
typedef void mb_coordinator_reader(struct mb_partition *partition, const uint8_t *batch, size_t batch_bytes,
                                   const struct kw_record *record);
void mb_coordinator_read(struct mb_partition *partition, mb_coordinator_reader *reader);

#endif
