/**
 * What a run is about, as plain data: the names and settings that a viewer needs before the first event. Free
 * of pointers, so that it can be copied and compared.
 */
#ifndef SIM_RUN_INFO_H
#define SIM_RUN_INFO_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SIM_TEXT_BYTES = 96,
    SIM_NAME_BYTES = 48,
    SIM_BROKERS_MAX = 128,
    SIM_TOPICS_MAX = 64,
    SIM_PRODUCERS_MAX = 8,
    SIM_THREADS_MAX = 16,
    SIM_BADGES_MAX = 16,
    SIM_CONSUMERS_MAX = 8,
};

struct sim_thread_info {
    char name[SIM_NAME_BYTES];
};

struct sim_producer_info {
    char name[SIM_NAME_BYTES];
    char acks[8]; /* "all", "0", "1" as people write it */
    char partitioner[SIM_NAME_BYTES];
    char key_serializer[SIM_NAME_BYTES]; /* short name, e.g. StringSerializer */
    char value_serializer[SIM_NAME_BYTES];
    char compression[16];
    int64_t linger_ms;
    int64_t batch_size_bytes;
    int64_t buffer_memory_bytes;
    int64_t max_block_ms;
    int64_t max_in_flight;
    int64_t max_request_size_bytes;
    int64_t retries;
    int64_t retry_backoff_ms;
    int64_t request_timeout_ms;
    int64_t delivery_timeout_ms;
    bool is_idempotent;
    bool is_transactional;
    uint32_t interceptor_count;
    uint32_t thread_count;
    struct sim_thread_info threads[SIM_THREADS_MAX];
};

struct sim_consumer_info {
    char name[SIM_NAME_BYTES];
    char group[SIM_NAME_BYTES]; /* empty: none */
    bool is_read_committed;
};

struct sim_topic_info {
    char name[SIM_NAME_BYTES];
    int32_t partition_count;
    int32_t replication_factor;
    int32_t min_insync_replicas;
};

struct sim_broker_info {
    int32_t id;
};

/** A setting of the scenario that differs from Kafka's default in a way that people should know. */
struct sim_badge {
    char setting[SIM_NAME_BYTES];
    char value[32];
    char kafka_default[32];
};

struct sim_run_info {
    char name[SIM_TEXT_BYTES];
    char path[256]; /* the scenario's file, as it was given */
    uint64_t seed;
    uint64_t input_hash; /* of the scenario and every file it reads */
    int64_t duration_us; /* as the scenario says; the run may end earlier */
    int64_t epoch_ms;
    int64_t latency_us; /* one way, typical */
    uint32_t broker_count;
    struct sim_broker_info brokers[SIM_BROKERS_MAX];
    uint32_t topic_count;
    struct sim_topic_info topics[SIM_TOPICS_MAX];
    uint32_t producer_count;
    struct sim_producer_info producers[SIM_PRODUCERS_MAX];
    uint32_t consumer_count;
    struct sim_consumer_info consumers[SIM_CONSUMERS_MAX];
    uint32_t badge_count;
    struct sim_badge badges[SIM_BADGES_MAX];
};

#endif
