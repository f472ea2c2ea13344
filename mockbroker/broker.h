/**
 * A broker's process: how it starts, stops and stalls, and what it does with messages from the controller.
 *
 * Kafka: KafkaServer, ReplicaManager.becomeLeaderOrFollower, ZkMetadataCache.updateMetadata.
 */
#ifndef MB_BROKER_H
#define MB_BROKER_H

#include "mockbroker/cluster.h"
#include "mockbroker/control.h"

void mb_broker_init(struct mb_cluster *cluster, int32_t index, int32_t id, const char *host, uint16_t port);
void mb_broker_release(struct mb_broker *broker);

/** Kafka: ZkMetadataCache.updateMetadata, for one partition. Holds the state. */
void mb_broker_learn(struct mb_broker *broker, const struct mb_topic_partition *tp,
                     struct mb_partition_state *state);
/** What the metadata cache knows; NULL: nothing. */
struct mb_partition_state *mb_broker_knows(const struct mb_broker *broker,
                                           const struct mb_topic_partition *tp);
/** Kafka: ReplicaManager.becomeLeaderOrFollower, for one partition. */
void mb_broker_become(struct mb_broker *broker, struct mb_topic_partition *tp,
                      const struct mb_partition_state *state);
void mb_broker_receive(struct mb_broker *broker, struct mb_control *control);

/** When an append that begins now is on the disk. */
int64_t mb_broker_disk_done_us(struct mb_broker *broker);
/** The process ends. clean: it wrote its checkpoints. */
void mb_broker_stop(struct mb_broker *broker, bool clean);
/** As mb_shutdown and mb_freeze, from within. */
bool mb_broker_begin_shutdown(struct mb_broker *broker);
bool mb_broker_freeze(struct mb_broker *broker);
/** It is registered: it serves from now on. */
void mb_broker_up(struct mb_broker *broker);

#endif
