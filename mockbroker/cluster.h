/**
 * The cluster as a whole, its brokers, its clock and its deadlines: what every other file here works on.
 *
 * Everything happens inside one call of the public interface: mb_cluster_begin() takes the time over, the
 * call does its work, and mb_cluster_settle() carries out what became possible by it (parked requests whose
 * partition changed, connections with another request in their buffer). Nothing here recurses into itself.
 */
#ifndef MB_CLUSTER_H
#define MB_CLUSTER_H

#include <mockbroker/mockbroker.h>

#include "base/heap.h"
#include "base/list.h"
#include "base/prng.h"
#include "base/trace.h"
#include "mockbroker/controller.h"
#include "mockbroker/fault.h"
#include "mockbroker/memory.h"
#include "mockbroker/output.h"
#include "mockbroker/settings.h"
#include "mockbroker/topic.h"
#include "wire/compression.h"

struct mb_broker;
struct mb_connection;
struct mb_fetcher;
struct mb_partition;
struct mb_quota;
struct mb_quota_sensor;
struct mb_request;

/** Something that happens at a time. Of a broker: while it is frozen its timers are held back. */
struct mb_timer {
    struct kb_heap_node node;
    struct kb_list_node held;
    void (*fire)(struct mb_cluster *cluster, struct mb_timer *timer);
    struct mb_broker *broker; /* NULL: nobody's, it always fires */
};

enum mb_broker_state {
    MB_BROKER_DOWN,
    MB_BROKER_STARTING, /* started, not registered with the controller yet: refuses connections */
    MB_BROKER_UP,
    MB_BROKER_STOPPING, /* in a controlled shutdown: serves still */
};

struct mb_broker {
    struct mb_cluster *cluster;
    int32_t index;
    int32_t id;
    char *host;
    size_t host_bytes;
    uint16_t port;
    enum mb_broker_state state;
    bool is_frozen;
    uint32_t incarnation; /* counts starts: messages to an earlier process are lost */

    /* By partition number. */
    struct mb_partition **hosted; /* NULL: no replica here. The logs outlive the process */
    uint32_t hosted_capacity;
    struct mb_partition_state **known; /* the metadata cache; NULL: never heard of. Kafka: MetadataCache */
    uint32_t known_capacity;
    bool *alive; /* per broker: alive as far as the metadata cache knows */
    int32_t controller;

    struct kb_list connections;   /* server ends */
    struct mb_fetcher **fetchers; /* by index of the leader's broker; NULL: none */
    struct kb_list held_timers;   /* those that were due while it was frozen */
    struct kb_list held_controls; /* messages that came while it was frozen */
    int32_t next_session_id;

    int64_t append_us; /* what an append costs; the disk does one after the other */
    int64_t disk_free_us;
    int64_t fetch_delay_us;

    int64_t started_us;
    struct kb_list lagging; /* partitions led here in which somebody of the ISR is behind */
    struct mb_timer isr_check;
    struct kb_list alter_isr_queue; /* partitions with an ISR change to be sent */
    uint64_t alter_isr_message;     /* in flight; 0: none */
    struct mb_timer alter_isr_retry;

    struct mb_timer shutdown_retry;
    int32_t shutdown_attempts;

    struct mb_quota_sensor *quota_sensors; /* by client id; NULL: none yet */

    struct mb_timer retention_check;
    int64_t retention_check_us; /* when it is due */

    struct mb_timer transaction_scan; /* for transactions that have been open for too long */
    int32_t next_member_number;       /* of members of groups */

    int64_t next_producer_id;
    int64_t producer_ids_end;
};

struct mb_cluster {
    const struct linger_allocator *allocator;
    struct kb_trace *trace;
    struct mb_observer observer; /* log_start_moves may be NULL */
    int64_t epoch_ms;
    int64_t now_us;
    struct mb_settings settings; /* of every broker */
    struct kb_prng topic_ids;

    struct kb_heap timers;
    uint64_t timer_sequence;

    struct mb_broker *brokers;
    uint32_t broker_count;
    struct mb_topic **topics; /* in the order of their names */
    uint32_t topic_count;
    uint32_t topic_capacity;
    struct mb_topic_partition **tps; /* by number */
    uint32_t tp_count;
    uint32_t tp_capacity;

    struct mb_map connections; /* by the driver's number */
    struct mb_map connecting;  /* mb_connecting: connections that were asked for, by message */
    struct kb_list connecting_list;
    struct mb_map controls; /* messages that the driver has, by number */
    struct kb_list control_list;
    uint64_t next_message;
    struct mb_outputs outputs;
    struct kw_compression_buffer decompressed; /* of the batch that is looked into */
    struct mb_controller controller;
    struct mb_faults faults;
    struct mb_quota *quotas;
    uint32_t quota_count;

    struct kb_list ready;   /* connections that may have a request to be read */
    struct kb_list changed; /* partitions whose waiting requests are to be looked at */
    struct kb_list spare_requests;
    struct kb_list touched; /* mb_topic_partition: to be looked at by mb_check_changed() */
    uint32_t check_count;
};

/** Kafka's clock: milliseconds of the wall. */
static inline int64_t mb_now_ms(const struct mb_cluster *cluster)
{
    return cluster->epoch_ms + cluster->now_us / 1000;
}

static inline int64_t mb_setting(const struct mb_cluster *cluster, enum mb_setting_id id)
{
    return cluster->settings.values[id];
}

static inline bool mb_broker_is_running(const struct mb_broker *broker)
{
    return broker->state == MB_BROKER_UP || broker->state == MB_BROKER_STOPPING;
}

/** NULL when there is no broker with that id. */
struct mb_broker *mb_broker_of(const struct mb_cluster *cluster, int32_t id);
/** The id of a broker's index; -1 for -1. */
int32_t mb_broker_id(const struct mb_cluster *cluster, int32_t index);

/** (Re)set a timer, whose fire and broker are set. */
void mb_timer_set(struct mb_cluster *cluster, struct mb_timer *timer, int64_t due_us);
void mb_timer_cancel(struct mb_cluster *cluster, struct mb_timer *timer);

void mb_cluster_begin(struct mb_cluster *cluster, int64_t now_us);
void mb_cluster_settle(struct mb_cluster *cluster);

#endif
