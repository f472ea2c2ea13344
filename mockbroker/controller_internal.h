/** What controller.c, controller_election.c and controller_messages.c share. */
#ifndef MB_CONTROLLER_INTERNAL_H
#define MB_CONTROLLER_INTERNAL_H

#include "mockbroker/control.h"
#include "mockbroker/controller.h"

/** What the controller knows of a broker, and its channel to it. */
struct mb_session {
    enum mb_session_state state;
    struct mb_timer expiry;  /* of the session, while the broker is silent */
    uint32_t incarnation;    /* of the process that registered */
    bool is_cut;             /* the link between the two is */
    bool wants_registration; /* a new process is there, but the old one's session has not ended yet */
    struct kb_list queue;
    struct mb_control *in_flight; /* NULL: none */
    /* What the event being handled has to tell it. Kafka: ControllerBrokerRequestBatch. */
    struct mb_control *leader_and_isr;
    struct mb_control *stop_replica;
    struct mb_control *update_metadata;
    struct mb_topic_partition **replicas; /* every partition with a replica there */
    uint32_t replica_count;
    uint32_t replica_capacity;
};

void mb_batch_leader_and_isr(struct mb_cluster *cluster, int32_t broker, struct mb_topic_partition *tp);
/** Every broker that is assigned to it and can be reached. */
void mb_batch_replicas(struct mb_cluster *cluster, struct mb_topic_partition *tp);
void mb_batch_stop_replica(struct mb_cluster *cluster, int32_t broker, struct mb_topic_partition *tp);
/** To everybody: how the partition is now; NULL: only who is alive. */
void mb_batch_update_metadata(struct mb_cluster *cluster, struct mb_topic_partition *tp);
/** To one broker. */
void mb_batch_update_metadata_of(struct mb_cluster *cluster, int32_t broker, struct mb_topic_partition *tp);
void mb_batch_send(struct mb_cluster *cluster);

/** Write down a new state, which is taken over, and announce how the ISR changed. */
void mb_controller_set_state(struct mb_cluster *cluster, struct mb_topic_partition *tp,
                             struct mb_partition_state *state);

/** The next message of the channel to a broker, if the one before it was answered. Kafka: RequestSendThread.
 */
void mb_controller_send_next(struct mb_cluster *cluster, struct mb_session *session);
/** Kafka: KafkaController.onBrokerStartup. */
void mb_controller_broker_started(struct mb_cluster *cluster, int32_t broker);
/** Kafka: KafkaController.onBrokerFailure, onReplicasBecomeOffline. */
void mb_controller_broker_failed(struct mb_cluster *cluster, int32_t broker);

/* controller_election.c */

/** Kafka: ControllerState's elections. True when somebody was elected; the batch has what is to be told. */
bool mb_elect_offline(struct mb_cluster *cluster, struct mb_topic_partition *tp, enum kb_election_why why);
bool mb_elect_for_shutdown(struct mb_cluster *cluster, struct mb_topic_partition *tp);
void mb_elect(struct mb_cluster *cluster, struct mb_topic_partition *tp, int32_t leader, const int32_t *isr,
              uint32_t isr_count, enum kb_election_why why);
/** Kafka: ReplicaStateMachine.removeReplicasFromIsr: with a new leader epoch; never the last one. */
void mb_remove_from_isr(struct mb_cluster *cluster, struct mb_topic_partition *tp, int32_t broker);
bool mb_partition_has_leader(const struct mb_cluster *cluster, const struct mb_topic_partition *tp);

#endif
