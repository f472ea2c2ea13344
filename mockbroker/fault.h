/**
 * Faults that are put into the way of requests, beside those that arise from the cluster's state.
 */
#ifndef MB_FAULT_H
#define MB_FAULT_H

#include <mockbroker/mockbroker.h>

#include "base/list.h"

struct mb_request;

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

struct mb_faults {
    struct kb_list queue; /* in the order of injection */
};

void mb_faults_init(struct mb_faults *faults);
void mb_faults_release(struct mb_cluster *cluster);
/** Does a fault meet this decoded request? It is counted, and announced. */
void mb_faults_strike(struct mb_request *request);

/** The injected error of a partition of the request, or 0. NULL and -1 ask for the request as a whole. */
int32_t mb_strike_error(const struct mb_request *request, const char *topic, int32_t length_bytes,
                        int32_t partition);

#endif
