/*
 * "consumers" of a scenario: their settings, and what they read.
 */
#include "engine/scenario_reader.h"

#include <string.h>

#include "log/run_info.h"

enum { TIME_MAX_MS = 86400000, COST_MAX_US = 60000000 };

static const char *nearest_setting(const char *name)
{
    enum { KEYS_MAX = 64 };
    const char *names[KEYS_MAX + 1] = {NULL};
    const struct sim_consumer_key *key;
    for (uint32_t i = 0; i < KEYS_MAX && (key = sim_consumer_key_at(i)) != NULL; i++) {
        names[i] = key->name;
    }
    return reader_nearest(name, names);
}

static void read_setting(struct scenario_reader *reader, const struct json_place *at, const cJSON *member,
                         struct sim_consumer_config *config)
{
    const struct sim_consumer_key *key = sim_consumer_key_find(member->string);
    const char *value = reader_setting_text(reader, at, member);
    char error[SIM_CONSUMER_ERROR_BYTES];
    if (key == NULL) {
        const char *meant = nearest_setting(member->string);
        reader_complain(reader, at, "Kafka's consumer has no such setting; %s%s%s",
                        meant != NULL ? "did you mean \"" : "`linger config` lists them",
                        meant != NULL ? meant : "", meant != NULL ? "\"?" : "");
    } else if (value != NULL && !key->has_effect) {
        reader_warn(reader, at, "has no effect: %s", key->doc);
    } else if (value != NULL && !sim_consumer_config_set(config, key, value, error)) {
        reader_complain(reader, at, "%s", error);
    }
}

static bool has_member(const cJSON *object, const char *name)
{
    return object != NULL && cJSON_GetObjectItemCaseSensitive(object, name) != NULL;
}

static void read_config(struct scenario_reader *reader, const struct json_place *place, const cJSON *object,
                        struct sim_consumer *consumer)
{
    struct sim_consumer_config *config = &consumer->config;
    const cJSON *settings = reader_object(reader, place, object, "config");
    struct json_place here = {place, "config", 0};
    sim_consumer_config_init(config);
    if (!reader_check_count(reader, &here, settings)) {
        settings = NULL;
    }
    for (const cJSON *member = settings != NULL ? settings->child : NULL; member != NULL;
         member = member->next) {
        struct json_place at = {&here, member->string, 0};
        if (cJSON_GetObjectItemCaseSensitive(settings, member->string) != member) {
            reader_complain(reader, &at, "given twice; keep one of them");
            continue;
        }
        read_setting(reader, &at, member, config);
    }
    config->client_id = config->client_id != NULL ? config->client_id : consumer->name;
    if (config->group_id == NULL) {
        struct json_place at = {&here, "enable.auto.commit", 0};
        if (has_member(settings, "enable.auto.commit") && config->enable_auto_commit) {
            reader_complain(reader, &at,
                            "cannot be set to true when default group id (null) is used; "
                            "set group.id, or leave it out");
        }
        config->enable_auto_commit = 0; /* Kafka: ConsumerConfig.maybeOverrideEnableAutoCommit */
    } else if (config->group_id[0] == '\0') {
        struct json_place at = {&here, "group.id", 0};
        reader_complain(reader, &at, "is empty; name the group, or leave it out");
    }
    if (config->heartbeat_interval_ms >= config->session_timeout_ms) {
        struct json_place at = {&here, "heartbeat.interval.ms", 0};
        reader_complain(reader, &at, "Heartbeat must be set lower than the session timeout");
    }
}

static void read_topics(struct scenario_reader *reader, const struct json_place *place, const cJSON *topics,
                        struct sim_consumer *consumer)
{
    int count = cJSON_GetArraySize(topics);
    struct json_place here = {place, "topics", 0};
    if (count < 1) {
        reader_complain(reader, &here, "is empty; name the topics to subscribe to");
    }
    consumer->topics = reader_allocate(reader, (size_t)count, sizeof(const char *));
    int index = 0;
    for (const cJSON *topic = topics->child; topic != NULL; topic = topic->next, index++) {
        struct json_place at = {&here, NULL, index};
        if (!cJSON_IsString(topic) || find_topic(reader->scenario, topic->valuestring) == NULL) {
            reader_complain(reader, &at, "found %s; must be the name of one of cluster.topics",
                            reader_show(topic));
            continue;
        }
        bool is_new = true;
        for (uint32_t i = 0; i < consumer->topic_count; i++) {
            is_new = is_new && strcmp(consumer->topics[i], topic->valuestring) != 0;
        }
        if (!is_new) {
            reader_complain(reader, &at, "found %s again; name every topic once", reader_show(topic));
            continue;
        }
        consumer->topics[consumer->topic_count++] = reader_copy(reader, topic->valuestring);
    }
    if (consumer->config.group_id == NULL) {
        reader_complain(reader, &here,
                        "subscribe() needs a group: set \"group.id\" in its config, or write "
                        "\"assign\" instead, which needs none");
    }
}

static void read_assigned(struct scenario_reader *reader, const struct json_place *place, const cJSON *entry,
                          struct sim_consumer *consumer)
{
    static const char *const known[] = {"topic", "partition", NULL};
    if (!cJSON_IsObject(entry)) {
        reader_complain(reader, place, "found %s; write {\"topic\": \"orders\", \"partition\": 0}",
                        reader_show(entry));
        return;
    }
    reader_check_keys(reader, place, entry, known);
    reader_require(reader, place, entry, "topic", "name one of cluster.topics");
    const char *name = reader_text(reader, place, entry, "topic", "");
    const struct mb_topic_options *topic = find_topic(reader->scenario, name);
    struct json_place at_topic = {place, "topic", 0};
    struct json_place at_partition = {place, "partition", 0};
    if (topic == NULL && name[0] != '\0') {
        reader_complain(reader, &at_topic, "found \"%.60s\"; cluster.topics has no such topic", name);
    }
    int32_t partition = (int32_t)reader_whole(reader, place, entry, "partition", 0, 9999, -1);
    if (topic == NULL) {
        return;
    }
    if (partition >= topic->partition_count) {
        reader_complain(reader, &at_partition, "found %d; topic %s has partitions 0 to %d", partition, name,
                        topic->partition_count - 1);
        return;
    }
    for (uint32_t i = 0; i < consumer->assignment_count; i++) {
        const struct sim_assignment *other = &consumer->assignments[i];
        bool overlaps = other->partition < 0 || partition < 0 || other->partition == partition;
        if (strcmp(other->topic, name) == 0 && overlaps) {
            reader_complain(reader, place, "is assigned already; name every partition once");
            return;
        }
    }
    consumer->assignments[consumer->assignment_count++] = (struct sim_assignment){topic->name, partition};
}

static void read_subscription(struct scenario_reader *reader, const struct json_place *place,
                              const cJSON *object, struct sim_consumer *consumer)
{
    const cJSON *topics = reader_array(reader, place, object, "topics");
    const cJSON *assign = reader_array(reader, place, object, "assign");
    struct json_place at = {place, "assign", 0};
    if (has_member(object, "topics") == has_member(object, "assign")) {
        reader_complain(reader, place,
                        "say what it reads, by one of \"topics\": [\"orders\"] (with group.id) and "
                        "\"assign\": [{\"topic\": \"orders\"}]");
        return;
    }
    if (topics != NULL) {
        read_topics(reader, place, topics, consumer);
    }
    int count = assign != NULL && reader_check_count(reader, &at, assign) ? cJSON_GetArraySize(assign) : 0;
    if (assign != NULL && count == 0) {
        reader_complain(reader, &at, "is empty; write [{\"topic\": \"orders\", \"partition\": 0}]");
    }
    consumer->assignments = reader_allocate(reader, (size_t)count, sizeof(struct sim_assignment));
    int index = 0;
    for (const cJSON *entry = count > 0 ? assign->child : NULL; entry != NULL; entry = entry->next, index++) {
        struct json_place here = {&at, NULL, index};
        read_assigned(reader, &here, entry, consumer);
    }
}

static void check_name(struct scenario_reader *reader, const struct json_place *place,
                       const struct sim_consumer *consumer)
{
    const struct sim_scenario *scenario = reader->scenario;
    struct json_place at = {place, "name", 0};
    static const char *const taken[] = {"producers", "consumers", "cluster", "all", NULL};
    for (uint32_t i = 0; i < scenario->producer_count; i++) {
        if (strcmp(scenario->producers[i].name, consumer->name) == 0) {
            reader_complain(reader, &at, "found \"%s\", which a producer is called; choose another",
                            consumer->name);
        }
    }
    for (uint32_t i = 0; i < scenario->consumer_count; i++) {
        if (strcmp(scenario->consumers[i].name, consumer->name) == 0) {
            reader_complain(reader, &at, "found \"%s\" again; give every consumer a name of its own",
                            consumer->name);
        }
    }
    for (int i = 0; taken[i] != NULL; i++) {
        if (strcmp(taken[i], consumer->name) == 0) {
            reader_complain(reader, &at,
                            "found \"%s\", which means something else in the timeline; choose "
                            "another",
                            consumer->name);
        }
    }
}

static void read_consumer(struct scenario_reader *reader, const struct json_place *place, const cJSON *object,
                          struct sim_consumer *consumer)
{
    static const char *const known[] = {"name",    "config",       "topics",         "assign", "start_ms",
                                        "stop_ms", "poll_cost_us", "record_cost_us", "close",  NULL};
    *consumer = (struct sim_consumer){.name = "consumer", .stop_us = -1, .close_at_end = true};
    sim_consumer_config_init(&consumer->config);
    if (!cJSON_IsObject(object)) {
        reader_complain(reader, place, "found %s; a consumer is an object with what it reads",
                        reader_show(object));
        return;
    }
    reader_check_keys(reader, place, object, known);
    consumer->name = reader_text(reader, place, object, "name", "consumer");
    check_name(reader, place, consumer);
    read_config(reader, place, object, consumer);
    read_subscription(reader, place, object, consumer);
    int64_t start_ms = reader_whole(reader, place, object, "start_ms", 0, TIME_MAX_MS, 0);
    int64_t stop_ms = reader_whole(reader, place, object, "stop_ms", 0, TIME_MAX_MS, -1);
    struct json_place at_stop = {place, "stop_ms", 0};
    if (stop_ms >= 0 && stop_ms <= start_ms) {
        reader_complain(reader, &at_stop, "found %lld; must be after start_ms, which is %lld",
                        (long long)stop_ms, (long long)start_ms);
    }
    consumer->start_us = start_ms * 1000;
    consumer->stop_us = stop_ms >= 0 ? stop_ms * 1000 : -1;
    consumer->poll_cost_us = reader_whole(reader, place, object, "poll_cost_us", 0, COST_MAX_US, 50);
    consumer->record_cost_us = reader_whole(reader, place, object, "record_cost_us", 0, COST_MAX_US, 0);
    consumer->close_at_end = reader_bool(reader, place, object, "close", true);
}

void read_consumers(struct scenario_reader *reader, const struct json_place *place, const cJSON *consumers)
{
    struct sim_scenario *scenario = reader->scenario;
    int count = consumers != NULL ? cJSON_GetArraySize(consumers) : 0;
    if (count > SIM_CONSUMERS_MAX) {
        reader_complain(reader, place, "found %d consumers; a scenario has at most %d", count,
                        SIM_CONSUMERS_MAX);
        count = SIM_CONSUMERS_MAX;
    }
    scenario->consumers = reader_allocate(reader, (size_t)count, sizeof(struct sim_consumer));
    for (int i = 0; i < count; i++) {
        struct json_place here = {place, NULL, i};
        read_consumer(reader, &here, cJSON_GetArrayItem(consumers, i), &scenario->consumers[i]);
        scenario->consumer_count++;
    }
}
