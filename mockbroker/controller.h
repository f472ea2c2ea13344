/**
 * The controller, with the part of ZooKeeper that matters: who is alive, who leads what, who is in sync.
 *
 * It is a place of its own (MB_CONTROLLER), not a part of one of the brokers, and never fails; the broker
 * that clients are told to be the controller is the live one with the lowest id. Its view of a partition is
 * the truth that ZooKeeper holds.
 *
 * Kafka: KafkaController, PartitionStateMachine, ReplicaStateMachine, ControllerBrokerRequestBatch.
 */
#ifndef MB_CONTROLLER_H
#define MB_CONTROLLER_H

#include "base/list.h"
#include "base/trace.h"
#include "mockbroker/topic.h"

struct mb_control;
struct mb_timer;

enum mb_session_state {
    MB_SESSION_NONE,
    MB_SESSION_LIVE,
    MB_SESSION_SHUTTING_DOWN, /* alive, but not to be elected */
};

struct mb_session; /* what the controller knows of a broker; in controller.c's internal header */

struct mb_controller {
    struct mb_partition_state **states; /* by partition number */
    uint32_t state_capacity;
    struct mb_session *sessions; /* by index of the broker */
    int32_t broker;              /* index of the one that is called the controller; -1: none */
    int32_t epoch;
    int64_t next_producer_id_block;
};

void mb_controller_init(struct mb_cluster *cluster);
void mb_controller_release(struct mb_cluster *cluster);

/** Every broker is registered from the beginning, and everybody knows every topic. Kafka: after a start-up.
 */
void mb_controller_bootstrap(struct mb_cluster *cluster);

/** A message from a broker. */
void mb_controller_receive(struct mb_cluster *cluster, struct mb_control *control);

/** Heartbeats of a broker stop, or come again, without a message each. Kafka: ZooKeeper's session. */
void mb_controller_silence(struct mb_cluster *cluster, int32_t broker);
void mb_controller_hear(struct mb_cluster *cluster, int32_t broker);
/** The link to a broker is cut, or healed. */
void mb_controller_set_link(struct mb_cluster *cluster, int32_t broker, bool is_up);

/** A topic, or more partitions of it, come to life. assignment: indexes; NULL: spread round-robin. */
void mb_controller_create_partitions(struct mb_cluster *cluster, struct mb_topic *topic, int32_t count,
                                     uint32_t replication_factor, const int32_t *assignment,
                                     bool is_bootstrap);
bool mb_controller_move_leader(struct mb_cluster *cluster, struct mb_topic_partition *tp, int32_t broker);

/** A block of 1000 producer ids. Kafka: ZkProducerIdManager.allocateNewProducerIdBlock. */
int64_t mb_controller_take_producer_ids(struct mb_cluster *cluster);

struct mb_partition_state *mb_controller_state(const struct mb_cluster *cluster,
                                               const struct mb_topic_partition *tp);
/** Registered, and not shutting down unless that counts, too. */
bool mb_controller_is_online(const struct mb_cluster *cluster, int32_t broker, bool includes_shutting_down);

#endif
