/**
 * A consumer's settings: Kafka 3.0.0's names, defaults and bounds.
 *
 * Kafka: org.apache.kafka.clients.consumer.ConsumerConfig.
 */
#ifndef SIM_CONSUMER_CONFIG_H
#define SIM_CONSUMER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sim_offset_reset { SIM_RESET_LATEST, SIM_RESET_EARLIEST, SIM_RESET_NONE };
enum sim_isolation { SIM_READ_UNCOMMITTED, SIM_READ_COMMITTED };

/** Texts are borrowed from whoever set them. */
struct sim_consumer_config {
    const char *client_id;
    const char *group_id; /* NULL: none */
    const char *client_rack;
    int64_t auto_offset_reset; /* enum sim_offset_reset */
    int64_t isolation_level;   /* enum sim_isolation */
    int64_t enable_auto_commit;
    int64_t auto_commit_interval_ms;
    int64_t fetch_min_bytes;
    int64_t fetch_max_wait_ms;
    int64_t fetch_max_bytes;
    int64_t max_partition_fetch_bytes;
    int64_t max_poll_records;
    int64_t max_poll_interval_ms;
    int64_t session_timeout_ms;
    int64_t heartbeat_interval_ms;
    int64_t request_timeout_ms;
    int64_t retry_backoff_ms;
    int64_t reconnect_backoff_ms;
    int64_t reconnect_backoff_max_ms;
    int64_t connection_setup_timeout_ms;
    int64_t connection_setup_timeout_max_ms;
    int64_t metadata_max_age_ms;
    int64_t allow_auto_create_topics;
    int64_t check_crcs;
};

enum sim_consumer_key_type { SIM_CONSUMER_NUMBER, SIM_CONSUMER_TRUTH, SIM_CONSUMER_WORD, SIM_CONSUMER_TEXT };

struct sim_consumer_key {
    const char *name;
    enum sim_consumer_key_type type;
    const char *default_value; /* NULL: none */
    int64_t minimum;
    int64_t maximum;
    const char *const *words; /* WORD: in the order of their numbers; ends with NULL */
    bool has_effect;
    size_t offset_bytes; /* of its member in struct sim_consumer_config, when it has an effect */
    const char *doc;
};

/** Every setting, index from 0 on; NULL past the end. */
const struct sim_consumer_key *sim_consumer_key_at(uint32_t index);
const struct sim_consumer_key *sim_consumer_key_find(const char *name);

/** Kafka's defaults. */
void sim_consumer_config_init(struct sim_consumer_config *config);

enum { SIM_CONSUMER_ERROR_BYTES = 256 };
/** False: the value is none for this key, and error says so in Kafka's words. The text is borrowed. */
bool sim_consumer_config_set(struct sim_consumer_config *config, const struct sim_consumer_key *key,
                             const char *value, char error[SIM_CONSUMER_ERROR_BYTES]);

#endif
