/**
 * The settings of brokers and topics that this cluster knows, by Kafka's names.
 *
 * Kafka: KafkaConfig, LogConfig. A topic's setting that is not given takes the broker's, as in Kafka.
 */
#ifndef MB_SETTINGS_H
#define MB_SETTINGS_H

#include <mockbroker/mockbroker.h>

enum mb_setting_id {
#define SETTING(ID, scope, name, type, minimum, maximum, default_value, kafka_default, broker_id, doc)       \
    MB_SETTING_##ID,
#include "mockbroker/settings.def"
#undef SETTING
    MB_SETTING_COUNT
};

enum mb_timestamp_type_value { MB_CREATE_TIME = 0, MB_LOG_APPEND_TIME = 1 };
/** Bits: "compact,delete" is both. */
enum mb_cleanup_policy_value { MB_CLEANUP_DELETE = 1, MB_CLEANUP_COMPACT = 2 };
/** Kafka: BrokerCompressionCodec. */
enum mb_compression_type_value {
    MB_COMPRESSION_PRODUCER,
    MB_COMPRESSION_UNCOMPRESSED,
    MB_COMPRESSION_GZIP,
    MB_COMPRESSION_SNAPPY,
    MB_COMPRESSION_LZ4,
    MB_COMPRESSION_ZSTD,
};

/** Values of every setting; those of the other scope are there, too, and unused. */
struct mb_settings {
    int64_t values[MB_SETTING_COUNT];
};

/** The defaults of the brokers. */
void mb_settings_default(struct mb_settings *settings);
/** What a topic has when nothing is set for it, on brokers with these settings. */
void mb_settings_inherit(struct mb_settings *topic, const struct mb_settings *broker);
/** Set by name. False with *error. scope: "broker" or "topic". */
bool mb_settings_set(struct mb_settings *settings, const char *scope, const struct mb_setting *setting,
                     struct mb_error *error) __attribute__((warn_unused_result));

#endif
