/**
 * A random scenario as numbers, so that it can be made smaller and written out as a scenario file.
 */
#ifndef SIM_SIMULATE_PLAN_H
#define SIM_SIMULATE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/text_builder.h"

enum {
    SIM_PLAN_TOPICS_MAX = 2,
    SIM_PLAN_PRODUCERS_MAX = 3,
    SIM_PLAN_THREADS_MAX = 2,
    SIM_PLAN_CONSUMERS_MAX = 2,
    SIM_PLAN_FAULTS_MAX = 12
};

struct sim_plan_topic {
    int32_t partition_count;
    int32_t replication_factor;
    int32_t min_insync_replicas;
    int32_t max_message_bytes; /* 0: Kafka's default */
    bool has_append_time;      /* LogAppendTime */
    int32_t retention_bytes;   /* 0: everything is kept */
    int32_t compression;       /* index of producer, none, gzip, snappy, lz4, zstd */
};

struct sim_plan_thread {
    int32_t topic;
    int32_t record_count;
    int32_t rate_per_s;
    int32_t arrivals; /* index of steady, poisson, burst */
    int32_t key_kind; /* 0 null, else cycle, uniform, zipf */
    int32_t value_bytes[2];
    bool sync;
    bool flush;
};

enum sim_plan_transactions {
    SIM_PLAN_NO_TRANSACTIONS,
    SIM_PLAN_TRANSACTIONS,
    SIM_PLAN_USURPER, /* takes over the transactional.id of the first producer, in the middle of things */
};

struct sim_plan_consumer {
    int32_t topic;
    int32_t partition;
    bool is_committed; /* isolation.level=read_committed */
};

struct sim_plan_producer {
    int32_t acks; /* -1, 0, 1 */
    enum sim_plan_transactions transactions;
    int32_t transaction_records;
    int32_t abort_every;
    int32_t usurps_ms;
    bool is_idempotent;
    int32_t in_flight;
    int32_t linger_ms;
    int32_t batch_size_bytes;
    int32_t buffer_memory_bytes;
    int32_t retries; /* -1: Kafka's default */
    int32_t retry_backoff_ms;
    int32_t request_timeout_ms;
    int32_t delivery_timeout_ms;
    int32_t max_block_ms;
    int32_t compression; /* index of none, gzip, snappy, lz4, zstd */
    uint32_t thread_count;
    struct sim_plan_thread threads[SIM_PLAN_THREADS_MAX];
};

enum sim_plan_fault_kind {
    SIM_PLAN_KILL,
    SIM_PLAN_SHUTDOWN,
    SIM_PLAN_FREEZE,
    SIM_PLAN_SLOW_REPLICA,
    SIM_PLAN_SLOW_DISK,
    SIM_PLAN_CUT_PRODUCERS,
    SIM_PLAN_CUT_BROKER,
    SIM_PLAN_CUT_CLUSTER,
    SIM_PLAN_CUT_ALL,
    SIM_PLAN_DISCONNECT,
    SIM_PLAN_DROP_RESPONSE,
    SIM_PLAN_DROP_REQUEST,
    SIM_PLAN_DELAY_RESPONSE,
    SIM_PLAN_ERROR,
    SIM_PLAN_THROTTLE,
    SIM_PLAN_MOVE_LEADER,
    SIM_PLAN_ADD_PARTITIONS,
    SIM_PLAN_SET,
    SIM_PLAN_CORRUPT,
    SIM_PLAN_AT_POINT,
    SIM_PLAN_FAULT_KIND_COUNT,
};

struct sim_plan_fault {
    enum sim_plan_fault_kind kind;
    int32_t at_ms;
    int32_t lasts_ms; /* then it is taken back */
    int32_t broker;   /* 1 to broker_count */
    int32_t other;    /* another broker */
    int32_t topic;
    int32_t partition;
    int32_t delay_ms;
    int32_t count;
    int32_t code;  /* index into the errors that a plan knows */
    bool flag;     /* appended; one way; corrupt on the way to a follower */
    int32_t point; /* of SIM_PLAN_AT_POINT: index into what a plan knows */
    int32_t skip;
};

struct sim_plan {
    uint64_t seed;
    uint32_t broker_count;
    bool is_unclean;
    int32_t lag_ms;
    int32_t session_ms;
    int32_t fetch_wait_ms;
    int32_t fetch_max_bytes; /* of followers */
    int32_t quota_byte_rate; /* of every producer; 0: none */
    int32_t latency_us[2];
    int32_t disk_us;
    uint32_t topic_count;
    struct sim_plan_topic topics[SIM_PLAN_TOPICS_MAX];
    uint32_t producer_count;
    struct sim_plan_producer producers[SIM_PLAN_PRODUCERS_MAX];
    uint32_t consumer_count;
    struct sim_plan_consumer consumers[SIM_PLAN_CONSUMERS_MAX];
    uint32_t fault_count;
    struct sim_plan_fault faults[SIM_PLAN_FAULTS_MAX];
};

enum { SIM_PLAN_ERROR_COUNT = 7, SIM_PLAN_POINT_COUNT = 18, SIM_PLAN_FAULTS_UNTIL_MS = 400 };

void sim_plan_draw(uint64_t seed, struct sim_plan *out);
/** As a scenario file. Everything that broke is repaired in it, and there is time to recover. */
void sim_plan_write(const struct sim_plan *plan, struct sim_text *out);
/** Smaller plans to try, by number from 0 on; false past the last. *is_smaller false: nothing to take away
 * there. */
bool sim_plan_smaller(const struct sim_plan *plan, uint32_t number, struct sim_plan *out, bool *is_smaller);

#endif
