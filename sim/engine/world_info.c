/*
 * What a viewer wants to know of a run before its first event, gathered from the parts that know it.
 */
#include "engine/world_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As much of a text as there is room for, without half of a UTF-8 character at its end. */
static void copy_text(char *out, size_t capacity_bytes, const char *text)
{
    size_t length_bytes = strlen(text);
    if (length_bytes >= capacity_bytes) {
        length_bytes = capacity_bytes - 1;
        while (length_bytes > 0 && ((unsigned char)text[length_bytes] & 0xc0) == 0x80) {
            length_bytes--;
        }
    }
    memcpy(out, text, length_bytes);
    out[length_bytes] = '\0';
}

/* org.apache.kafka.common.serialization.StringSerializer is StringSerializer to people. */
static const char *short_class(const char *name)
{
    const char *dot = name != NULL ? strrchr(name, '.') : NULL;
    return dot != NULL ? dot + 1 : name != NULL ? name : "";
}

static const char *topic_setting(const struct mb_topic_options *topic, const char *name)
{
    for (uint32_t i = 0; i < topic->setting_count; i++) {
        if (strcmp(topic->settings[i].name, name) == 0) {
            return topic->settings[i].value;
        }
    }
    return NULL;
}

static void fill_topic(const struct sim_scenario *scenario, const struct mb_topic_options *topic,
                       struct sim_topic_info *info)
{
    snprintf(info->name, sizeof info->name, "%s", topic->name);
    info->partition_count = topic->partition_count;
    info->replication_factor = topic->replication_factor;
    const char *minimum = topic_setting(topic, "min.insync.replicas");
    for (uint32_t i = 0; i < scenario->broker_setting_count && minimum == NULL; i++) {
        if (strcmp(scenario->broker_settings[i].name, "min.insync.replicas") == 0) {
            minimum = scenario->broker_settings[i].value;
        }
    }
    info->min_insync_replicas = minimum != NULL ? (int32_t)strtol(minimum, NULL, 10) : 1;
}

static const char *compression_name(enum kp_compression compression)
{
    switch (compression) {
    case KP_COMPRESSION_NONE:
        return "none";
    case KP_COMPRESSION_GZIP:
        return "gzip";
    case KP_COMPRESSION_SNAPPY:
        return "snappy";
    case KP_COMPRESSION_LZ4:
        return "lz4";
    case KP_COMPRESSION_ZSTD:
        return "zstd";
    }
    return "?";
}

static void fill_producer(const struct sim_producer_driver *driver, struct sim_producer_info *info)
{
    const struct kp_producer_config *config = kp_config_values(driver->config);
    copy_text(info->name, sizeof info->name, driver->scenario->name);
    snprintf(info->acks, sizeof info->acks, "%s", config->acks < 0 ? "all" : config->acks == 0 ? "0" : "1");
    snprintf(info->partitioner, sizeof info->partitioner, "%s", short_class(config->partitioner_class));
    snprintf(info->key_serializer, sizeof info->key_serializer, "%s",
             short_class(config->key_serializer_class));
    snprintf(info->value_serializer, sizeof info->value_serializer, "%s",
             short_class(config->value_serializer_class));
    snprintf(info->compression, sizeof info->compression, "%s", compression_name(config->compression));
    info->linger_ms = config->linger_ms;
    info->batch_size_bytes = config->batch_size_bytes;
    info->buffer_memory_bytes = config->buffer_memory_bytes;
    info->max_block_ms = config->max_block_ms;
    info->max_in_flight = config->max_in_flight_requests;
    info->max_request_size_bytes = config->max_request_size_bytes;
    info->retries = config->retries;
    info->retry_backoff_ms = config->retry_backoff_ms;
    info->request_timeout_ms = config->request_timeout_ms;
    info->delivery_timeout_ms = config->delivery_timeout_ms;
    info->is_idempotent = config->is_idempotent;
    info->is_transactional = config->transactional_id != NULL;
    info->interceptor_count = driver->scenario->interceptor_count;
    for (uint32_t i = 0; i < driver->scenario->thread_count && i < SIM_THREADS_MAX; i++) {
        copy_text(info->threads[i].name, sizeof info->threads[i].name, driver->scenario->threads[i].name);
        info->thread_count = i + 1;
    }
}

/* The cluster's settings that differ from Kafka's, whether the scenario says so or the cluster's own default
 * does. */
static void fill_badges(const struct sim_scenario *scenario, struct sim_run_info *info)
{
    struct mb_setting_info setting;
    for (uint32_t i = 0; mb_setting_info(i, &setting); i++) {
        if (strcmp(setting.scope, "broker") != 0 || info->badge_count == SIM_BADGES_MAX) {
            continue;
        }
        const char *kafka = setting.kafka_default != NULL ? setting.kafka_default : setting.default_value;
        const char *value = setting.default_value;
        for (uint32_t k = 0; k < scenario->broker_setting_count; k++) {
            if (strcmp(scenario->broker_settings[k].name, setting.name) == 0) {
                value = scenario->broker_settings[k].value;
            }
        }
        if (kafka != NULL && value != NULL && strcmp(kafka, value) != 0) {
            struct sim_badge *badge = &info->badges[info->badge_count++];
            snprintf(badge->setting, sizeof badge->setting, "%s", setting.name);
            snprintf(badge->value, sizeof badge->value, "%s", value);
            snprintf(badge->kafka_default, sizeof badge->kafka_default, "%s", kafka);
        }
    }
}

static int64_t typical(const struct sim_distribution *distribution)
{
    return distribution->kind == SIM_DISTRIBUTION_UNIFORM ? (distribution->a + distribution->b) / 2
                                                          : distribution->a;
}

void sim_world_fill_info(const struct sim_world *world, struct sim_run_info *info)
{
    const struct sim_scenario *scenario = world->scenario;
    *info = (struct sim_run_info){
        .seed = scenario->seed,
        .input_hash = scenario->input_hash,
        .duration_us = scenario->duration_us,
        .epoch_ms = scenario->epoch_ms,
        .latency_us = typical(&scenario->latency_us),
        .broker_count = scenario->broker_count,
        .topic_count = scenario->topic_count,
        .producer_count =
            world->producer_count < SIM_PRODUCERS_MAX ? world->producer_count : SIM_PRODUCERS_MAX,
    };
    copy_text(info->name, sizeof info->name, scenario->name);
    copy_text(info->path, sizeof info->path, scenario->path);
    for (uint32_t i = 0; i < scenario->broker_count; i++) {
        info->brokers[i].id = scenario->broker_ids[i];
    }
    for (uint32_t i = 0; i < scenario->topic_count; i++) {
        fill_topic(scenario, &scenario->topics[i], &info->topics[i]);
    }
    for (uint32_t i = 0; i < info->producer_count; i++) {
        fill_producer(&world->producers[i], &info->producers[i]);
    }
    for (uint32_t i = 0; i < scenario->consumer_count; i++) {
        const struct sim_consumer *consumer = &scenario->consumers[i];
        copy_text(info->consumers[i].name, sizeof info->consumers[i].name, consumer->name);
        copy_text(info->consumers[i].group, sizeof info->consumers[i].group,
                  consumer->config.group_id != NULL ? consumer->config.group_id : "");
        info->consumers[i].is_read_committed = consumer->config.isolation_level == SIM_READ_COMMITTED;
        info->consumer_count = i + 1;
    }
    fill_badges(scenario, info);
}
