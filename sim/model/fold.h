/**
 * The parts of the fold: each takes the events of its side of the stage.
 */
#ifndef SIM_FOLD_H
#define SIM_FOLD_H

#include "model/view_model.h"

/* One step: the model so far, and the event that changes it. */
struct fold {
    struct sim_model *model;
    const struct sim_run_info *info;
    const struct kb_event *event;
};

void fold_application_event(const struct fold *fold);
void fold_sender_event(const struct fold *fold);
void fold_network_event(const struct fold *fold);
void fold_cluster_event(const struct fold *fold);
/* Also markers and last stable offsets. */
void fold_consumer_event(const struct fold *fold);
/* Records of a producer (0xff: unknown) are in the log of a leader. */
void fold_transactional_append(const struct fold *fold, uint32_t topic, int32_t number, int64_t first_offset,
                               int64_t last_offset, uint8_t producer);

/* The slot of a numbered thing: the newest of each producer share the table evenly. */
uint32_t model_slot(const struct sim_model *model, uint32_t producer, uint32_t number, uint32_t slots);

struct model_producer *fold_producer(const struct fold *fold);
struct model_batch *fold_batch(const struct fold *fold, uint32_t number);   /* NULL: not (any more) there */
struct model_record *fold_record(const struct fold *fold, uint32_t number); /* likewise */
struct model_request *fold_request(const struct fold *fold, uint32_t number);
struct model_node *fold_node(const struct fold *fold, int32_t id);

/* Found, or made while there is room; NULL without. */
struct model_partition *fold_partition(const struct fold *fold, uint32_t topic, int32_t partition);
struct model_replica *fold_replica(const struct fold *fold, int32_t broker, uint32_t topic,
                                   int32_t partition);

/* The deque of a producer and a partition. */
void deque_push_back(const struct fold *fold, int32_t batch);
/* A batch that is to be sent again: the head, but behind batches of earlier sequence numbers. */
void deque_put_back(const struct fold *fold, int32_t batch);
void deque_remove(const struct fold *fold, int32_t batch);

/* Memory is given back on the side of the sender. */
void fold_memory_deallocated(const struct fold *fold);

/* Plots: the point of now. */
uint32_t plot_point(struct sim_model *model);

#endif
