/**
 * The parts of a world, for the files of the engine that make it move.
 */
#ifndef SIM_WORLD_INTERNAL_H
#define SIM_WORLD_INTERNAL_H

#include <linger/producer.h>
#include <mockbroker/mockbroker.h>

#include "engine/consumer.h"
#include "engine/consumer_ledger.h"
#include "engine/ledger.h"
#include "engine/network.h"
#include "engine/scheduler.h"
#include "engine/workload.h"
#include "engine/world.h"

/* What one pass of the sender's loop costs the I/O thread. More than zero, or a loop without back-off would
 * never let the clock move. */
enum { SIM_PASS_COST_US = 5 };

struct sim_invariants;
struct sim_producer_driver;

enum sim_thread_state {
    SIM_THREAD_READY,    /* its next record or call is scheduled */
    SIM_THREAD_BLOCKED,  /* in send() or in a call, on a ticket */
    SIM_THREAD_AWAITING, /* sync: for the ack of what it sent */
    SIM_THREAD_PARKED,   /* its producer is being made again */
    SIM_THREAD_DONE,
};

/* How far a thread that runs transactions is. */
enum sim_transaction_stage {
    SIM_TRANSACTION_INIT,  /* initTransactions() is next */
    SIM_TRANSACTION_BEGIN, /* beginTransaction() is next, before the next record */
    SIM_TRANSACTION_OPEN,  /* records are sent, until there are enough */
    SIM_TRANSACTION_ABORT, /* something failed: abortTransaction() is next */
    SIM_TRANSACTION_OVER,  /* the producer can do no more: what is left is never sent */
};

/* One application thread: its workload, and what it is doing. */
struct sim_app_thread {
    struct sim_task task;
    struct sim_world *world;
    struct sim_producer_driver *driver;
    const struct sim_thread *config;
    struct sim_workload *workload;
    struct sim_workload_record next;
    bool has_next;
    uint32_t next_call;
    bool flushed_at_end;
    uint32_t index; /* within its producer */
    enum sim_thread_state state;
    uint64_t ticket;
    bool in_call;       /* the ticket belongs to a call, not to a send */
    int32_t call;       /* enum kb_call */
    uint32_t record_id; /* of the send in progress, or the one awaited */
    enum sim_transaction_stage stage;
    int64_t transaction_records; /* sent in the open transaction */
    int64_t transaction_count;   /* ended */
    struct kp_record record;
};

struct sim_peer; /* producer_driver.c: one connection of a producer */

/* One producer: the core, its sender thread and its connections. */
struct sim_producer_driver {
    struct sim_world *world;
    const struct sim_producer *scenario;
    uint32_t index;
    struct kp_config_entry *entries; /* with what was set since */
    char *bootstrap_servers;
    uint32_t entry_count;
    struct kp_config *config;
    struct kp_producer *core;
    struct kb_trace trace;
    struct sim_task sender; /* the next pass */
    struct sim_peer *peers; /* sorted by node */
    uint32_t peer_count;
    uint32_t peer_capacity;
    struct sim_app_thread *threads;
    uint32_t thread_count;
    uint32_t threads_done;
    uint32_t threads_awaiting; /* the ack of what they sent */
    bool is_closing;
    bool is_recreating;
    uint64_t close_ticket;
    struct kb_prng prng;
};

/* The events that announced the newest requests and responses, so that the bytes which follow can name their
 * cause. */
enum { SIM_ANNOUNCEMENTS = 256 };
struct sim_announcement {
    uint32_t owner;
    uint32_t request;
    bool is_response;
    uint64_t event;
};

struct sim_world {
    const struct sim_scenario *scenario;
    const struct linger_allocator *allocator;
    struct sim_scheduler scheduler;
    struct sim_network network;
    struct mb_cluster *cluster;
    struct sim_task cluster_task;
    struct sim_producer_driver *producers;
    uint32_t producer_count;
    struct sim_consumer_driver **consumers;
    uint32_t consumer_count;
    struct sim_readings *readings; /* NULL without consumers */
    struct sim_ledger *ledger;
    uint32_t record_count;
    struct sim_timeline_entry *timeline;
    uint32_t timeline_count;
    uint32_t timeline_next;
    struct sim_task timeline_task;
    struct sim_task end_task;
    struct sim_task quiet_task;
    int64_t quiet_since_us; /* nobody writes any more; -1: somebody does */
    struct sim_event_log *log;
    struct kb_trace cluster_trace;
    bool is_logging;
    struct sim_invariants *invariants; /* NULL: nothing is checked */
    bool is_over;
    uint64_t cause; /* of what happens now, where nobody knows better */
    struct sim_announcement announcements[SIM_ANNOUNCEMENTS];
    uint32_t announcement_count;
    uint64_t step_count;
    char failure[512];
};

/* world.c */
uint64_t sim_world_emit(struct sim_world *world, struct kb_event *event, uint64_t cause);
uint32_t sim_world_intern(struct sim_world *world, const char *name, size_t length_bytes);
/* The event that announced a request (of a producer) or a response (on a connection); 0 when it was long ago.
 */
uint64_t sim_world_find_cause(const struct sim_world *world, uint32_t owner, uint32_t request,
                              bool is_response);
enum { SIM_HOST_BYTES = 16 };
/* The made-up address of the broker with that index. */
void sim_broker_host(uint32_t index, char host[SIM_HOST_BYTES]);
void sim_world_fail(struct sim_world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
int64_t sim_world_now_ms(const struct sim_world *world);
/* Kafka's milliseconds to the engine's microseconds; INT64_MAX stays. */
int64_t sim_world_us_of_ms(const struct sim_world *world, int64_t wall_ms);
/* Carry out what the cluster wants, and be there when it wants something again. */
void sim_world_pump_cluster(struct sim_world *world);

/* world_check.c: the invariants, after a step. */
void sim_world_check(struct sim_world *world);
/* Something more is to happen, not before now; behind what is to happen at the same time. */
void sim_world_add_to_timeline(struct sim_world *world, const struct sim_timeline_entry *entry);
/* A producer, or the timeline, has nothing to do any more: maybe the run is over soon. */
void sim_world_end_if_quiet(struct sim_world *world);

/* world_info.c */
void sim_world_fill_info(const struct sim_world *world, struct sim_run_info *info);

/* faults.c */
void sim_world_apply(struct sim_world *world, const struct sim_timeline_entry *entry);
/* The cluster says that a fault has happened at a point: the network's part of it, and when it ends. */
void sim_world_fault_happened(struct sim_world *world, const struct mb_output *output);

/* producer_driver.c */
bool sim_driver_init(struct sim_producer_driver *driver, struct sim_world *world, uint32_t index,
                     struct sim_complaints *complaints);
void sim_driver_release(struct sim_producer_driver *driver);
/* Let the sender run at once, if it is not about to. */
void sim_driver_wake(struct sim_producer_driver *driver);
void sim_driver_after_call(struct sim_producer_driver *driver);
void sim_driver_established(struct sim_producer_driver *driver, struct sim_connection *connection);
void sim_driver_ended(struct sim_producer_driver *driver, struct sim_connection *connection);
void sim_driver_received(struct sim_producer_driver *driver, struct sim_connection *connection,
                         const void *bytes, size_t length_bytes);
/* Change a setting: the producer is closed and made again. */
void sim_driver_set(struct sim_producer_driver *driver, const char *setting, const char *value);
bool sim_driver_is_done(const struct sim_producer_driver *driver);

/* app_thread.c */
bool sim_app_thread_init(struct sim_app_thread *thread, struct sim_producer_driver *driver, uint32_t index);
void sim_app_thread_release(struct sim_app_thread *thread);
/* The blocked send or call of this ticket may go on. */
void sim_app_thread_resume(struct sim_app_thread *thread);
/* The record that a sync thread waits for is completed. */
void sim_app_thread_record_done(struct sim_app_thread *thread, uint32_t record_id);
/* Its producer is there again. */
void sim_app_thread_unpark(struct sim_app_thread *thread);

#endif
