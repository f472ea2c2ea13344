/**
 * The configuration of a producer: the 70 keys of Kafka 3.0.0, their parsing and their checks.
 * Kafka: ProducerConfig, ConfigDef, AbstractConfig, and what KafkaProducer's constructor makes of them.
 *
 * kp_config_create() turns pairs of text into a checked configuration, or fails with the exception that
 * `new KafkaProducer(...)` would have thrown first, class, message and causes. kp_config_lint() tells all
 * problems at once instead. kp_config_key_at() describes the keys.
 *
 * Text is UTF-8. Nothing here blocks, opens a file or asks a name server: what a Java client would look up
 * outside (a host name, a class, a key store), a driver answers through struct kp_config_options.
 */
#ifndef LINGER_PRODUCER_CONFIG_H
#define LINGER_PRODUCER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linger/allocator.h>
#include <linger/failure.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- The keys --- */

/** Kafka: ConfigDef.Type. */
enum kp_config_type {
    KP_CONFIG_TYPE_BOOLEAN,
    KP_CONFIG_TYPE_STRING,
    KP_CONFIG_TYPE_INT,
    KP_CONFIG_TYPE_SHORT,
    KP_CONFIG_TYPE_LONG,
    KP_CONFIG_TYPE_DOUBLE,
    KP_CONFIG_TYPE_LIST,
    KP_CONFIG_TYPE_CLASS,
    KP_CONFIG_TYPE_PASSWORD,
};

/** Kafka: ConfigDef.Importance. */
enum kp_config_importance {
    KP_CONFIG_IMPORTANCE_HIGH,
    KP_CONFIG_IMPORTANCE_MEDIUM,
    KP_CONFIG_IMPORTANCE_LOW,
};

/** What is known about a key. Static: valid for ever. */
struct kp_config_key {
    const char *name;
    enum kp_config_type type;
    enum kp_config_importance importance;
    /** False for the keys that must be set. */
    bool has_default;
    /** As text; NULL for null or none. */
    const char *default_text;
    /** As Kafka's client prints it, e.g. "[0,...]"; NULL for none. */
    const char *validator;
    /** False for what is parsed and checked but changes nothing here: the badge "no effect here". */
    bool has_effect;
    /** One or two sentences: what it changes in this simulator. */
    const char *doc;
};

size_t kp_config_key_count(void);
/** Kafka's order of definition, which is the order in which values are parsed. index < kp_config_key_count().
 */
const struct kp_config_key *kp_config_key_at(size_t index);
/** NULL when Kafka has no such key. */
const struct kp_config_key *kp_config_key_find(const char *name);
/** The known key with the fewest typing errors between, for a "did you mean"; NULL when none is near. */
const char *kp_config_key_nearest(const char *name);
/** "int", "low": lower case, as in Kafka's documentation. */
const char *kp_config_type_name(enum kp_config_type type);
const char *kp_config_importance_name(enum kp_config_importance importance);

/* --- Creation --- */

/** One setting. Of several with the same name the last one counts, as in a Java map. */
struct kp_config_entry {
    const char *name;
    /** NULL: Java's null, which some keys take and others refuse. */
    const char *value;
};

/** What a class can be used as; bits of struct kp_config_class. */
enum kp_config_role {
    KP_CONFIG_ROLE_SERIALIZER = 1,
    KP_CONFIG_ROLE_PARTITIONER = 2,
    KP_CONFIG_ROLE_INTERCEPTOR = 4,
    KP_CONFIG_ROLE_REPORTER = 8,
};

/** A class that the driver brings along, under the name by which a configuration may ask for it. */
struct kp_config_class {
    const char *name;
    unsigned roles;
};

/** All zero is fine. Borrowed during the call. */
struct kp_config_options {
    /** Counts the producers without client.id of their own ("producer-1", ...). In: the next number, 0 being
     * 1; out: the one after. NULL: always 1. Kafka: ProducerConfig.PRODUCER_CLIENT_ID_SEQUENCE. */
    uint32_t *client_id_sequence;
    void *context;
    /** Does this host name resolve? Asked for names only, never for addresses. NULL: only "localhost" does.
     */
    bool (*can_resolve)(void *context, const char *host);
    /** Can this key store or variable file be read? NULL: taken for granted, since nothing here reads it. */
    bool (*can_read)(void *context, const char *path);
    /** Classes besides Kafka's own. */
    const struct kp_config_class *classes;
    size_t class_count;
};

enum kp_config_status {
    KP_CONFIG_OK,
    /** Kafka would have thrown: see *failure. */
    KP_CONFIG_REFUSED,
    /** The allocator has nothing left. */
    KP_CONFIG_NO_MEMORY,
};

struct kp_config;

/**
 * Kafka: new ProducerConfig(map), then the checks of KafkaProducer's constructor in its order.
 * Copies the entries. Makes one allocation. allocator may be NULL: malloc, here as below.
 *
 * - KP_CONFIG_OK: *out is the caller's until kp_config_destroy(); *failure is clear
 * - KP_CONFIG_REFUSED: *failure is what Kafka throws first; *out is NULL
 * - KP_CONFIG_NO_MEMORY: *out is NULL, *failure is an OutOfMemoryError
 *
 * options may be NULL.
 */
enum kp_config_status kp_config_create(const struct linger_allocator *allocator,
                                       const struct kp_config_entry *entries, size_t entry_count,
                                       const struct kp_config_options *options, struct kp_config **out,
                                       struct kp_failure *failure) __attribute__((warn_unused_result));
/** config may be NULL. */
void kp_config_destroy(struct kp_config *config);

/* --- What came out --- */

/** Kafka: CompressionType, with its numbers. */
enum kp_compression {
    KP_COMPRESSION_NONE = 0,
    KP_COMPRESSION_GZIP = 1,
    KP_COMPRESSION_SNAPPY = 2,
    KP_COMPRESSION_LZ4 = 3,
    KP_COMPRESSION_ZSTD = 4,
};

/** Kafka: SecurityProtocol, with its numbers. */
enum kp_security_protocol {
    KP_SECURITY_PLAINTEXT = 0,
    KP_SECURITY_SSL = 1,
    KP_SECURITY_SASL_PLAINTEXT = 2,
    KP_SECURITY_SASL_SSL = 3,
};

/** Kafka's partitioners; CUSTOM is one of the driver's classes. NONE: partitioner.class was null. */
enum kp_partitioner_kind {
    KP_PARTITIONER_DEFAULT,
    KP_PARTITIONER_UNIFORM_STICKY,
    KP_PARTITIONER_ROUND_ROBIN,
    KP_PARTITIONER_CUSTOM,
    KP_PARTITIONER_NONE,
};

/** org.apache.kafka.common.serialization.*Serializer; CUSTOM is one of the driver's classes. */
enum kp_serializer_kind {
    KP_SERIALIZER_BYTE_ARRAY,
    KP_SERIALIZER_BYTE_BUFFER,
    KP_SERIALIZER_BYTES,
    KP_SERIALIZER_STRING,
    KP_SERIALIZER_SHORT,
    KP_SERIALIZER_INTEGER,
    KP_SERIALIZER_LONG,
    KP_SERIALIZER_FLOAT,
    KP_SERIALIZER_DOUBLE,
    KP_SERIALIZER_UUID,
    KP_SERIALIZER_VOID,
    KP_SERIALIZER_LIST,
    KP_SERIALIZER_CUSTOM,
};

struct kp_bootstrap_server {
    /** Without brackets. "" is the loopback address. */
    const char *host;
    uint16_t port;
};

/** The values in use, as the constructor hands them to the producer's parts. Everything is owned by the
 * kp_config. */
struct kp_producer_config {
    /** The resolvable ones, in the order given; at least one. */
    const struct kp_bootstrap_server *bootstrap_servers;
    uint32_t bootstrap_server_count;
    const char *client_id;
    /** NULL: no transactions. */
    const char *transactional_id;

    int64_t buffer_memory_bytes;
    int32_t batch_size_bytes;
    int32_t max_request_size_bytes;
    int32_t send_buffer_bytes;    /* -1: the system's */
    int32_t receive_buffer_bytes; /* -1: the system's */

    /** linger.ms as the accumulator gets it: at most INT32_MAX. */
    int32_t linger_ms;
    int64_t max_block_ms;
    int32_t request_timeout_ms;
    /** Raised to linger_ms + request_timeout_ms when it was not set. */
    int32_t delivery_timeout_ms;
    int64_t retry_backoff_ms;
    int64_t reconnect_backoff_ms;
    /** Equal to reconnect_backoff_ms when only that was set. */
    int64_t reconnect_backoff_max_ms;
    int64_t socket_connection_setup_timeout_ms;
    int64_t socket_connection_setup_timeout_max_ms;
    int64_t connections_max_idle_ms; /* negative: never */
    int64_t metadata_max_age_ms;
    int64_t metadata_max_idle_ms;
    int32_t transaction_timeout_ms;

    int16_t acks; /* -1: all */
    int32_t retries;
    int32_t max_in_flight_requests;
    enum kp_compression compression;
    /**
     * Idempotence in use: only with enable.idempotence set to true, or a transactional.id. The declared
     * default of true has no effect in 3.0.0 (KAFKA-13598).
     */
    bool is_idempotent;

    enum kp_partitioner_kind partitioner;
    const char *partitioner_class; /* NULL with KP_PARTITIONER_NONE */
    enum kp_serializer_kind key_serializer;
    const char *key_serializer_class;
    enum kp_serializer_kind value_serializer;
    const char *value_serializer_class;
    const char *const *interceptor_classes;
    uint32_t interceptor_count;

    int64_t metrics_sample_window_ms;
    int32_t metrics_num_samples;
    const char *metrics_recording_level;
    enum kp_security_protocol security_protocol;
};

/** Valid until the config is destroyed. */
const struct kp_producer_config *kp_config_values(const struct kp_config *config);

/**
 * The parsed value of a known key as text, after the client's own changes, as ConfigDef.convertToString gives
 * it: lists joined by commas, passwords "[hidden]". NULL for null. The name must be known.
 */
const char *kp_config_text(const struct kp_config *config, const char *name);
/** Was this key given, known or not? */
bool kp_config_is_set(const struct kp_config *config, const char *name);

/**
 * The settings that the constructor never looked at, in the order given. For each Kafka warns "The
 * configuration 'x' was supplied but isn't a known config.", also for keys that it knows (ssl.* without SSL).
 */
size_t kp_config_unused_count(const struct kp_config *config);
const char *kp_config_unused_name(const struct kp_config *config, size_t index);

/* --- All problems at once --- */

enum kp_config_severity {
    /** kp_config_create() would refuse the configuration. */
    KP_CONFIG_ERROR,
    /** Accepted, but hardly what was meant: an unknown key, a name that does not resolve, a raised time-out.
     */
    KP_CONFIG_WARNING,
    /** Accepted and without effect here. */
    KP_CONFIG_NOTE,
};

/** Valid during the visit. */
struct kp_config_problem {
    enum kp_config_severity severity;
    /** The key it is about. */
    const char *name;
    /** Index in the entries of the setting that it is about; -1 when it is about a missing one. */
    int64_t entry_index;
    /** What is wrong; for an error the message of Kafka's (innermost own) exception. */
    const char *message;
    /** What would be right; NULL when the message says it. */
    const char *advice;
};

typedef void kp_config_visit(void *context, const struct kp_config_problem *problem);

/**
 * Visit every problem: of single values in the order of the keys, then of values that do not go together,
 * then unknown keys and keys without effect. There is an ERROR exactly when kp_config_create() refuses.
 * Returns KP_CONFIG_NO_MEMORY, or KP_CONFIG_REFUSED when there was an error, or KP_CONFIG_OK. options may be
 * NULL.
 */
enum kp_config_status kp_config_lint(const struct linger_allocator *allocator,
                                     const struct kp_config_entry *entries, size_t entry_count,
                                     const struct kp_config_options *options, kp_config_visit *visit,
                                     void *visit_context) __attribute__((warn_unused_result));

/* --- .properties files --- */

struct kp_properties;

/**
 * Parse a .properties file: java.util.Properties.load(InputStream), hence ISO 8859-1 with \uXXXX escapes.
 * A name that comes twice is there twice; of such settings kp_config_create() takes the last.
 *
 * - KP_CONFIG_OK: *out is the caller's until kp_properties_destroy()
 * - KP_CONFIG_REFUSED: a malformed \uXXXX, or a NUL, which no setting needs; *line is where, from 1, and
 *   *failure an IllegalArgumentException
 * - KP_CONFIG_NO_MEMORY
 *
 * failure and line may be NULL.
 */
enum kp_config_status kp_properties_parse(const struct linger_allocator *allocator, const void *bytes,
                                          size_t length_bytes, struct kp_properties **out, uint32_t *line,
                                          struct kp_failure *failure) __attribute__((warn_unused_result));
/** properties may be NULL. */
void kp_properties_destroy(struct kp_properties *properties);
/** Valid until destroyed. */
const struct kp_config_entry *kp_properties_entries(const struct kp_properties *properties,
                                                    size_t *entry_count);
/** The line on which the entry with that index begins, from 1. */
uint32_t kp_properties_line(const struct kp_properties *properties, size_t index);

#ifdef __cplusplus
}
#endif

#endif
