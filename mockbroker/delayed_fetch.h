/**
 * Fetches: reading, and waiting for something to read.
 *
 * Kafka: ReplicaManager.fetchMessages, readFromLocalLog, DelayedFetch, Partition.readRecords.
 */
#ifndef MB_DELAYED_FETCH_H
#define MB_DELAYED_FETCH_H

#include "mockbroker/fetch_session.h"
#include "mockbroker/partition.h"
#include "wire/message_structs.h"

/** One partition of a fetch without a session. */
struct mb_fetch_wait {
    struct kb_list_node of_partition;
    struct mb_delayed_fetch *fetch;
    struct mb_fetch_spec spec;
};

struct mb_delayed_fetch {
    struct mb_request *request;
    struct mb_timer expiry;
    struct mb_fetch_session *session; /* NULL: `waits` say what is fetched */
    bool is_full;                     /* the first fetch of a session: the answer names every partition */
    struct mb_fetch_wait *waits;
    uint32_t wait_count;
    bool is_follower;
    int32_t follower; /* index of a broker */
    enum mb_fetch_isolation isolation;
    bool must_lead;
    int32_t min_bytes;
    int32_t max_bytes;
    bool has_hard_limit; /* v2 and before: max_bytes holds for the first batch, too */
};

/** Answer at once or park; memory is the request's. Kafka: ReplicaManager.fetchMessages. */
void mb_delayed_fetch_begin(struct mb_delayed_fetch *fetch, int32_t max_wait_ms);
/** Answer if it may be by now: true, and it is gone. Kafka: DelayedFetch.tryComplete. */
bool mb_delayed_fetch_try(struct mb_delayed_fetch *fetch);
/** The same when this partition alone has changed since it was tried. */
bool mb_delayed_fetch_try_changed(struct mb_delayed_fetch *fetch, const struct mb_fetch_spec *changed);
/** Forget it. */
void mb_delayed_fetch_cancel(struct mb_delayed_fetch *fetch);

#endif
