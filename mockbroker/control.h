/**
 * What the controller and the brokers tell each other: typed messages, delayed and lost by the driver like
 * everything else that travels.
 *
 * Kafka: ControllerChannelManager (a queue and one request in flight per broker, sent again until it is
 * answered), BrokerToControllerChannelManager, and the requests named below.
 */
#ifndef MB_CONTROL_H
#define MB_CONTROL_H

#include "mockbroker/cluster.h"
#include "mockbroker/producer_state.h"

enum mb_control_kind {
    /* From the controller. */
    MB_CONTROL_UPDATE_METADATA,
    MB_CONTROL_LEADER_AND_ISR,
    MB_CONTROL_STOP_REPLICA,
    MB_CONTROL_ALTER_ISR_DONE,
    MB_CONTROL_SHUTDOWN_DONE,
    /* From a broker. */
    MB_CONTROL_DONE, /* the answer to one of the first three */
    MB_CONTROL_REGISTER,
    MB_CONTROL_SESSION_CLOSED,
    MB_CONTROL_ALTER_ISR,
    MB_CONTROL_SHUTDOWN,
    MB_CONTROL_CREATE_TOPIC,
    /* From a broker to another one. */
    MB_CONTROL_TXN_MARKERS, /* of a transaction, to the leader of some of its partitions */
    MB_CONTROL_TXN_MARKERS_DONE,
};

enum { MB_TO_CONTROLLER = -1 };

struct mb_control_item {
    struct mb_topic_partition *tp;
    struct mb_partition_state *state; /* held */
    int32_t error;
};

/** What CreateTopics says of a topic. */
struct mb_topic_plan {
    int32_t partition_count;
    int32_t replication_factor;
    int32_t *assignment; /* partition_count * replication_factor indexes; NULL: spread */
    uint32_t assignment_count;
    struct mb_settings settings;
};
void mb_topic_plan_destroy(struct mb_cluster *cluster, struct mb_topic_plan *plan);

struct mb_control {
    struct kb_list_node all;  /* of every message of the cluster */
    struct kb_list_node node; /* of a channel's queue, or of what a frozen broker has not read */
    struct mb_timer retry;
    uint64_t number;
    enum mb_control_kind kind;
    int32_t from; /* index of a broker, or MB_TO_CONTROLLER */
    int32_t to;
    uint32_t incarnation; /* of the broker it comes from or goes to */
    bool in_channel;      /* a channel of the controller owns it, until it is answered */
    bool is_out;          /* the driver has it */
    bool is_orphan;       /* nobody waits for it any more: goes away when the driver gives it back */
    uint64_t answers;     /* DONE, ALTER_ISR_DONE: the number of the message */
    struct mb_control_item *items;
    uint32_t item_count;
    uint32_t item_capacity;
    bool *alive; /* UPDATE_METADATA: per broker */
    int32_t controller;
    char *topic; /* CREATE_TOPIC */
    int32_t topic_length_bytes;
    struct mb_topic_plan *plan; /* CREATE_TOPIC: what a client asked for; NULL: by the defaults */
    struct mb_topic_partition *transactions; /* TXN_MARKERS and their answer: who coordinates */
    struct mb_marker marker;
};

struct mb_control *mb_control_create(struct mb_cluster *cluster, enum mb_control_kind kind, int32_t from,
                                     int32_t to);
void mb_control_destroy(struct mb_cluster *cluster, struct mb_control *control);
/** Holds the state. */
void mb_control_add(struct mb_cluster *cluster, struct mb_control *control, struct mb_topic_partition *tp,
                    struct mb_partition_state *state, int32_t error);
/** Hand it to the driver; it comes back as arrived or lost. */
void mb_control_send(struct mb_cluster *cluster, struct mb_control *control);
/** It did not reach anybody: its sender tries again after a while, or gives it up. */
void mb_control_return(struct mb_cluster *cluster, struct mb_control *control);
/** Its owner needs it no more, wherever it is. */
void mb_control_forget(struct mb_cluster *cluster, struct mb_control *control);
void mb_controls_release(struct mb_cluster *cluster);

#endif
