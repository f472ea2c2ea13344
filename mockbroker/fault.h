/**
 * Faults that are put into the way of requests, beside those that arise from the cluster's state.
 *
 * fault.c: which requests meet which fault, and what befalls their answers. fault_points.c: what happens to
 * the broker, or to the connection, when a request reaches a point of its life.
 */
#ifndef MB_FAULT_H
#define MB_FAULT_H

#include <mockbroker/mockbroker.h>

#include "base/arena.h"
#include "base/list.h"
#include "wire/schema.h"

struct mb_broker;
struct mb_connection;
struct mb_hit;
struct mb_partition;
struct mb_request;
struct mb_topic_partition;

/** What a fault does to one request. Without one is_struck is false. */
struct mb_strike {
    bool is_struck;
    enum mb_request_fault_kind kind;
    char *topic; /* NULL: every one */
    int32_t topic_length_bytes;
    int32_t partition;
    int32_t code;
    bool appended;
    int64_t delay_us;
};

/** One that waits for requests that meet its filter. */
struct mb_injected {
    struct kb_list_node node;
    struct mb_request_fault fault; /* its texts are those below */
    char *topic;
    int32_t topic_length_bytes;
    char *client;
    int32_t client_length_bytes;
};

struct mb_faults {
    struct kb_list queue;       /* in the order of injection */
    struct kb_list hits;        /* at points: to be carried out when the cluster settles */
    uint32_t request_cut_count; /* of those in the queue, at REQUEST_CUT */
    uint32_t late_filter_count; /* of those in the queue, that ask late what a request named */
};

/* --- fault.c */

void mb_faults_init(struct mb_faults *faults);
void mb_faults_release(struct mb_cluster *cluster);
/** Does a fault meet this decoded request? It is counted, and announced. */
void mb_faults_strike(struct mb_request *request);

/** The injected error of a partition of the request, or 0. NULL and -1 ask for the request as a whole. */
int32_t mb_strike_error(const struct mb_request *request, const char *topic, int32_t length_bytes,
                        int32_t partition);

/** A batch of a produce request, as it arrives: as it was sent, or a copy that a fault has damaged, which
 * lives as long as the request. */
struct kw_bytes mb_faults_corrupt_produced(struct mb_request *request, struct kw_string topic,
                                           int32_t partition, struct kw_bytes records);
/** The same of what a follower has fetched; the copy is in the arena. */
struct kw_bytes mb_faults_corrupt_fetched(const struct mb_partition *follower, struct kb_arena *arena,
                                          struct kw_bytes records);

/* Of both files. */

/** Who sent it, what it is for: all of the filter but topic and partition. */
bool mb_injected_meets(const struct mb_injected *injected, const struct mb_broker *broker,
                       struct kw_string client, int32_t api);
/** Topic and partition of the filter, against those of a batch. */
bool mb_injected_names(const struct mb_injected *injected, struct kw_string topic, int32_t partition);
/** The same against all that a decoded request names. */
bool mb_injected_meets_content(const struct mb_injected *injected, const struct mb_request *request);
/** One that meets the filter is there: false when it passes by. */
bool mb_injected_counts(struct mb_injected *injected);
/** It has struck once; when that was the last time it is gone. */
void mb_injected_spend(struct mb_cluster *cluster, struct mb_injected *injected);
int32_t mb_fault_trace_kind(enum mb_request_fault_kind kind);

/* --- fault_points.c */

/**
 * A request reaches a point. Does a fault wait for it there? Then it is announced, and carried out before
 * anything else when the cluster settles; the caller returns at once, and mb_request_resume() goes on from
 * there if the request lives. topic: of the batch at hand; its length is -1 where the request as a whole is
 * meant.
 */
bool mb_point_reached(struct mb_request *request, enum mb_fault_point point, struct kw_string topic,
                      int32_t partition);
#define MB_WHOLE_REQUEST ((struct kw_string){NULL, -1})

/** Bytes of a connection are there, and with them half of a request: does its connection end here? Then the
 * rest of it is not to be read. */
bool mb_point_request_cut(struct mb_cluster *cluster, struct mb_connection *connection, const uint8_t *bytes,
                          size_t length_bytes);
/** The request that was hit is gone. */
void mb_hit_forget_request(struct mb_hit *hit);
/** Carry out one fault that has hit; false: there is none. */
bool mb_faults_carry_out(struct mb_cluster *cluster);

#endif
