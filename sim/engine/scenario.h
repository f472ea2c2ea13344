/**
 * A scenario: what is built, what is sent, what goes wrong and when. Plain data, made from one JSON file by
 * sim_scenario_load(); docs/scenario.md describes the file.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linger/producer_config.h>
#include <mockbroker/mockbroker.h>

#include "base/trace.h"
#include "engine/consumer_config.h"

/** Whole numbers drawn by the seed. Kept as integers so that every machine draws the same. */
enum sim_distribution_kind {
    SIM_DISTRIBUTION_FIXED,       /* a */
    SIM_DISTRIBUTION_UNIFORM,     /* a to b, both included */
    SIM_DISTRIBUTION_EXPONENTIAL, /* mean a */
};
struct sim_distribution {
    enum sim_distribution_kind kind;
    int64_t a;
    int64_t b;
};

enum sim_arrivals_kind { SIM_ARRIVALS_STEADY, SIM_ARRIVALS_POISSON, SIM_ARRIVALS_BURST };

enum sim_key_kind {
    SIM_KEY_NULL,
    SIM_KEY_CONSTANT,
    SIM_KEY_CYCLE, /* k-0, k-1, ... over key_count */
    SIM_KEY_UNIFORM,
    SIM_KEY_ZIPF,
};

/** One record as a list or a file gives it. Texts are owned by the source. */
struct sim_given_record {
    int64_t at_us;     /* -1: by the rate */
    int32_t partition; /* -1: not given */
    const char *key;   /* NULL: null */
    int32_t key_bytes;
    const char *value;
    int32_t value_bytes;
    int64_t timestamp_ms; /* -1: not given */
};

enum sim_source_kind { SIM_SOURCE_GENERATED, SIM_SOURCE_GIVEN };

/** Where the records of a thread come from. */
struct sim_source {
    enum sim_source_kind kind;
    const char *topic;
    int64_t count; /* GENERATED; GIVEN: given_count */
    int64_t start_us;
    int64_t rate_per_s; /* records per second */
    enum sim_arrivals_kind arrivals;
    int64_t burst_records; /* BURST: so many at once */
    int32_t partition;     /* -1 */
    enum sim_key_kind key_kind;
    const char *key_text; /* CONSTANT; CYCLE, UNIFORM and ZIPF: the prefix */
    int64_t key_count;
    int64_t zipf_exponent_milli;
    struct sim_distribution value_bytes;
    struct sim_given_record *given; /* GIVEN: in the order of sending */
    uint64_t given_count;
    const char *path; /* of a file, as the scenario names it; else NULL */
    uint32_t header_count;
    const char **header_names;
    const char **header_values;
};

/** A call that a thread makes at a time: enum kb_call. */
struct sim_thread_call {
    int64_t at_us;
    int32_t call;
    int64_t timeout_ms; /* close; -1: none */
};

struct sim_thread {
    const char *name;
    int64_t send_cost_us; /* CPU time of one send() */
    bool sync;            /* wait for each ack before the next send */
    bool flush_at_end;
    struct sim_source source;
    struct sim_thread_call *calls;
    uint32_t call_count;
    int64_t transaction_records; /* so many records a transaction; 0: no transactions */
    int64_t abort_every;         /* 5: every fifth transaction is aborted; 0: none */
};

struct sim_producer {
    const char *name;
    struct kp_config_entry
        *entries; /* Kafka's settings; bootstrap.servers and serializers are set by the engine */
    uint32_t entry_count;
    struct sim_thread *threads;
    uint32_t thread_count;
    uint32_t interceptor_count;
    bool close_at_end;
};

struct sim_assignment {
    const char *topic;
    int32_t partition; /* -1: all that the topic begins with */
};

/** It subscribes to topics, or is assigned partitions. */
struct sim_consumer {
    const char *name;
    struct sim_consumer_config config;
    const char **topics;
    uint32_t topic_count;
    struct sim_assignment *assignments;
    uint32_t assignment_count;
    int64_t start_us;
    int64_t stop_us;        /* it is closed then; -1: with the run */
    int64_t poll_cost_us;   /* what the application does with each poll() that returns records */
    int64_t record_cost_us; /* and with each record */
    bool close_at_end;
};

/** Something that happens at a time: a fault, or a change of settings. */
struct sim_timeline_entry {
    int64_t at_us;
    bool is_set;       /* a change of settings; else a fault */
    int32_t fault;     /* enum kb_fault_kind */
    int32_t broker;    /* -1: none */
    int32_t other;     /* the other end of a link: a broker, SIM_END_PRODUCER, _CONSUMER, _CLUSTER or _ALL, or
                          sim_end_of_consumer() */
    int32_t producer;  /* index: whose settings, or whose requests; -1: none, or any */
    bool one_way;      /* cut: only from broker to other */
    const char *topic; /* NULL: none */
    int32_t partition; /* -1: none */
    int64_t value_us;  /* delays; count of partitions for add_partitions */
    int32_t api;       /* corrupt_batch: Produce, or Fetch on the way to a follower */
    int32_t code;
    bool appended;
    uint32_t skip;
    uint32_t count;
    int32_t point;         /* enum mb_fault_point */
    uint32_t cut_bytes;    /* of a response that is cut; 0: half */
    int64_t undo_after_us; /* restarted, thawed or healed so long after it happened; 0: never */
    const char *setting;   /* is_set */
    const char *value;
    bool by_hand; /* an intervention, not of the scenario's file */
};
/* Of links: every producer; every consumer; every broker and the controller; all of them. */
enum { SIM_END_PRODUCER = -2, SIM_END_ALL = -3, SIM_END_CLUSTER = -4, SIM_END_CONSUMER = -5 };

/** Does it wait for requests, instead of happening at its time? */
bool sim_timeline_is_armed(const struct sim_timeline_entry *entry);
/** What such an entry has the cluster do; client is not filled in. */
struct mb_request_fault sim_timeline_fault(const struct sim_timeline_entry *entry);

struct sim_scenario {
    const char *path;
    const char *name;
    const char *description;
    uint64_t seed;
    int64_t duration_us;
    int64_t epoch_ms;

    int32_t *broker_ids;
    uint32_t broker_count;
    struct mb_quota_options *quotas;
    uint32_t quota_count;
    struct mb_setting *broker_settings;
    uint32_t broker_setting_count;
    struct mb_topic_options *topics;
    uint32_t topic_count;
    struct sim_distribution latency_us;        /* one way */
    struct sim_distribution broker_latency_us; /* between brokers */
    int64_t bandwidth_bytes_per_s;
    int64_t connect_us;
    int64_t disk_append_us;

    struct sim_producer *producers;
    uint32_t producer_count;
    struct sim_consumer *consumers;
    uint32_t consumer_count;
    struct sim_timeline_entry *timeline; /* sorted by time, else in the order of the file */
    uint32_t timeline_count;

    uint64_t input_hash; /* of the file and every file that it reads */
    void *memory;        /* everything above lives here */
};

/** All complaints about a scenario, one a line: file, JSON path, what was found, what would be right. */
struct sim_complaints {
    char *text; /* owned; NULL when there are none */
    size_t length_bytes;
    size_t capacity_bytes;
    uint32_t count;
};
void sim_complaints_release(struct sim_complaints *complaints);
/** Add a line. printf-like. */
void sim_complain(struct sim_complaints *complaints, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Changes made on the command line: "shop.linger.ms=20", "seed=7", "cluster.min.insync.replicas=1",
 * "orders.…=". */
struct sim_override {
    const char *name;
    const char *value;
};

/**
 * Read and check a scenario. Files that it names are found beside it. On success the caller owns *out until
 * sim_scenario_release(). On failure *complaints has every mistake that could be found, and *out is empty.
 * Warnings (settings without effect) are in *warnings, which may be NULL.
 */
bool sim_scenario_load(const char *path, const struct sim_override *overrides, uint32_t override_count,
                       struct sim_scenario **out, struct sim_complaints *complaints,
                       struct sim_complaints *warnings);
/** The same, of a text in memory; name stands in complaints where the path would. */
bool sim_scenario_parse(const char *name, const char *text, const struct sim_override *overrides,
                        uint32_t override_count, struct sim_scenario **out, struct sim_complaints *complaints,
                        struct sim_complaints *warnings);
void sim_scenario_release(struct sim_scenario *scenario);

enum { SIM_SCENARIO_FILE_MAX_BYTES = 16 << 20 };

#endif
