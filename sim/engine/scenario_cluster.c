/*
 * "cluster" of a scenario: brokers, topics, network, disk.
 */
#include "engine/scenario_reader.h"

#include <string.h>

#include "log/run_info.h"

enum { LATENCY_MAX_US = 60000000, PARTITIONS_MAX = 10000, QUOTAS_MAX = 64 };

const struct mb_topic_options *find_topic(const struct sim_scenario *scenario, const char *name)
{
    for (uint32_t i = 0; i < scenario->topic_count; i++) {
        if (scenario->topics[i].name != NULL && strcmp(scenario->topics[i].name, name) == 0) {
            return &scenario->topics[i];
        }
    }
    return NULL;
}

bool has_broker(const struct sim_scenario *scenario, int64_t id)
{
    for (uint32_t i = 0; i < scenario->broker_count; i++) {
        if (scenario->broker_ids[i] == id) {
            return true;
        }
    }
    return false;
}

bool take_broker(const struct sim_scenario *scenario, const cJSON *value, int32_t *id)
{
    for (uint32_t i = 0; i < scenario->broker_count; i++) {
        if (cJSON_IsNumber(value) && value->valuedouble == (double)scenario->broker_ids[i]) {
            *id = scenario->broker_ids[i];
            return true;
        }
    }
    return false;
}

static const char *nearest_setting(const char *scope, const char *name)
{
    enum { KNOWN_MAX = 256 };
    static const char *known[KNOWN_MAX + 1];
    uint32_t count = 0;
    struct mb_setting_info info;
    for (uint32_t i = 0; mb_setting_info(i, &info) && count < KNOWN_MAX; i++) {
        if (strcmp(info.scope, scope) == 0) {
            known[count++] = info.name;
        }
    }
    known[count] = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(known[i], name) == 0) {
            return NULL; /* the name is right: the value is not */
        }
    }
    return reader_nearest(name, known);
}

static struct mb_setting *read_settings(struct scenario_reader *reader, const struct json_place *place,
                                        const cJSON *config, const char *scope, uint32_t *count)
{
    *count = 0;
    if (config == NULL || !reader_check_count(reader, place, config)) {
        return NULL;
    }
    struct mb_setting *settings =
        reader_allocate(reader, (size_t)cJSON_GetArraySize(config), sizeof(struct mb_setting));
    for (const cJSON *member = config->child; member != NULL; member = member->next) {
        struct json_place at = {place, member->string, 0};
        const char *value = reader_setting_text(reader, &at, member);
        if (value == NULL) {
            continue;
        }
        struct mb_error error;
        const char *wrong = mb_setting_check(scope, member->string, value, &error);
        if (wrong != NULL) {
            const char *meant = nearest_setting(scope, member->string);
            reader_complain(reader, &at, "found %s; %s%s%s%s", reader_show(member), wrong,
                            meant != NULL ? "; did you mean \"" : "", meant != NULL ? meant : "",
                            meant != NULL ? "\"?" : "");
            continue;
        }
        settings[(*count)++] = (struct mb_setting){reader_copy(reader, member->string), value};
    }
    return settings;
}

static void read_brokers(struct scenario_reader *reader, const struct json_place *place, const cJSON *cluster)
{
    struct sim_scenario *scenario = reader->scenario;
    const cJSON *brokers = cluster != NULL ? cJSON_GetObjectItemCaseSensitive(cluster, "brokers") : NULL;
    struct json_place at = {place, "brokers", 0};
    if (brokers == NULL || !cJSON_IsArray(brokers)) {
        scenario->broker_count =
            (uint32_t)reader_whole(reader, place, cluster, "brokers", 1, SIM_BROKERS_MAX, 3);
        scenario->broker_ids = reader_allocate(reader, scenario->broker_count, sizeof(int32_t));
        for (uint32_t i = 0; i < scenario->broker_count; i++) {
            scenario->broker_ids[i] = (int32_t)i + 1;
        }
        return;
    }
    int count = cJSON_GetArraySize(brokers);
    if (count < 1 || count > SIM_BROKERS_MAX) {
        reader_complain(reader, &at, "found %d brokers; must be 1 to %d", count, SIM_BROKERS_MAX);
        count = count < 1 ? 0 : SIM_BROKERS_MAX;
    }
    scenario->broker_ids = reader_allocate(reader, (size_t)count, sizeof(int32_t));
    for (int i = 0; i < count; i++) {
        const cJSON *element = cJSON_GetArrayItem(brokers, i);
        struct json_place here = {&at, NULL, i};
        bool whole = cJSON_IsNumber(element) && element->valuedouble >= 0 &&
                     element->valuedouble <= 1000000 &&
                     (double)(int32_t)element->valuedouble == element->valuedouble;
        int32_t id = whole ? (int32_t)element->valuedouble : i;
        if (!whole) {
            reader_complain(reader, &here, "found %s; a broker id is a whole number from 0 to 1000000",
                            reader_show(element));
        } else if (scenario->broker_count > 0 && id <= scenario->broker_ids[scenario->broker_count - 1]) {
            reader_complain(reader, &here, "found %d; write the broker ids once each, in ascending order",
                            id);
            continue;
        }
        scenario->broker_ids[scenario->broker_count++] = id;
    }
}

/* The replicas of one partition. */
static bool read_replicas(struct scenario_reader *reader, const struct json_place *place, const cJSON *list,
                          int32_t *ids)
{
    int index = 0;
    for (const cJSON *element = list->child; element != NULL; element = element->next, index++) {
        struct json_place here = {place, NULL, index};
        if (!take_broker(reader->scenario, element, &ids[index])) {
            reader_complain(reader, &here, "found %s; there is no such broker", reader_show(element));
            return false;
        }
        for (int i = 0; i < index; i++) {
            if (ids[i] == ids[index]) {
                reader_complain(reader, &here, "found %d again; a broker holds one replica of a partition",
                                ids[index]);
                return false;
            }
        }
    }
    return true;
}

static int32_t *read_assignment(struct scenario_reader *reader, const struct json_place *place,
                                const cJSON *topic, struct mb_topic_options *options)
{
    const cJSON *assignment = reader_array(reader, place, topic, "assignment");
    struct json_place at = {place, "assignment", 0};
    if (assignment == NULL) {
        return NULL;
    }
    int partitions = cJSON_GetArraySize(assignment);
    if (partitions < 1 || partitions > PARTITIONS_MAX) {
        reader_complain(reader, &at, "found %d lists; write one list of broker ids for each partition",
                        partitions);
        return NULL;
    }
    int replicas = cJSON_GetArraySize(assignment->child);
    int32_t *ids = reader_allocate(reader, (size_t)partitions, (size_t)(replicas + 1) * sizeof(int32_t));
    int p = 0;
    for (const cJSON *list = assignment->child; list != NULL; list = list->next, p++) {
        struct json_place here = {&at, NULL, p};
        if (!cJSON_IsArray(list) || replicas == 0 || cJSON_GetArraySize(list) != replicas) {
            reader_complain(reader, &here, "found %s; each partition needs a list of equally many broker ids",
                            reader_show(list));
            return NULL;
        }
        if (!read_replicas(reader, &here, list, &ids[p * replicas])) {
            return NULL;
        }
    }
    options->partition_count = partitions;
    options->replication_factor = replicas;
    return ids;
}

/* An assignment says how many partitions and replicas there are: nothing else may say something else. */
static void check_against_assignment(struct scenario_reader *reader, const struct json_place *place,
                                     const cJSON *topic, const char *key, int32_t count)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(topic, key);
    struct json_place at = {place, key, 0};
    if (value != NULL && value->valuedouble != (double)count) {
        reader_complain(reader, &at, "found %s; the assignment has %d; leave one of them out",
                        reader_show(value), count);
    }
}

static bool is_topic_name(const char *name)
{
    size_t length_bytes = strlen(name);
    bool legal =
        length_bytes >= 1 && length_bytes <= 249 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
    for (size_t i = 0; i < length_bytes && legal; i++) {
        char c = name[i];
        legal = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                c == '_' || c == '-';
    }
    return legal;
}

static void read_topic(struct scenario_reader *reader, const struct json_place *place, const cJSON *topic)
{
    struct sim_scenario *scenario = reader->scenario;
    static const char *const known[] = {"name",   "partitions", "replication.factor",
                                        "config", "assignment", NULL};
    if (!cJSON_IsObject(topic)) {
        reader_complain(reader, place, "found %s; a topic is an object with a name", reader_show(topic));
        return;
    }
    reader_check_keys(reader, place, topic, known);
    reader_require(reader, place, topic, "name", "every topic has one");
    struct json_place at_name = {place, "name", 0};
    struct mb_topic_options options = {.name = reader_text(reader, place, topic, "name", NULL)};
    if (options.name != NULL && !is_topic_name(options.name)) {
        reader_complain(reader, &at_name,
                        "found \"%.60s\"; a topic's name has 1 to 249 letters, digits, '.', '_', '-'",
                        options.name);
    } else if (options.name != NULL && strlen(options.name) >= SIM_NAME_BYTES) {
        reader_complain(reader, &at_name, "has more than %d characters, which is as many as can be shown",
                        SIM_NAME_BYTES - 1);
    } else if (options.name != NULL && find_topic(scenario, options.name) != NULL) {
        reader_complain(reader, &at_name, "found \"%s\" again; give every topic a name of its own",
                        options.name);
    }
    int64_t brokers = scenario->broker_count > 0 ? scenario->broker_count : 1;
    options.partition_count = (int32_t)reader_whole(reader, place, topic, "partitions", 1, PARTITIONS_MAX, 1);
    options.replication_factor = (int32_t)reader_whole(reader, place, topic, "replication.factor", 1, brokers,
                                                       brokers < 3 ? brokers : 3);
    options.assignment = read_assignment(reader, place, topic, &options);
    if (options.assignment != NULL) {
        check_against_assignment(reader, place, topic, "partitions", options.partition_count);
        check_against_assignment(reader, place, topic, "replication.factor", options.replication_factor);
    }
    struct json_place at_config = {place, "config", 0};
    options.settings = read_settings(reader, &at_config, reader_object(reader, place, topic, "config"),
                                     "topic", &options.setting_count);
    scenario->topics[scenario->topic_count++] = options;
}

static void read_topics(struct scenario_reader *reader, const struct json_place *place, const cJSON *cluster)
{
    struct sim_scenario *scenario = reader->scenario;
    const cJSON *topics = reader_array(reader, place, cluster, "topics");
    struct json_place at = {place, "topics", 0};
    int count = topics != NULL ? cJSON_GetArraySize(topics) : 0;
    if (count == 0) {
        reader_complain(reader, &at, "is missing or empty; a cluster needs a topic to write to");
    }
    if (count > SIM_TOPICS_MAX) {
        reader_complain(reader, &at, "found %d topics; at most %d can be shown", count, SIM_TOPICS_MAX);
        count = SIM_TOPICS_MAX;
    }
    scenario->topics = reader_allocate(reader, (size_t)count, sizeof(struct mb_topic_options));
    for (int i = 0; i < count; i++) {
        struct json_place here = {&at, NULL, i};
        read_topic(reader, &here, cJSON_GetArrayItem(topics, i));
    }
}

static void read_network(struct scenario_reader *reader, const struct json_place *place, const cJSON *cluster)
{
    struct sim_scenario *scenario = reader->scenario;
    static const char *const known[] = {"latency_us", "broker_latency_us", "bandwidth_bytes_per_s",
                                        "connect_us", NULL};
    const cJSON *network = reader_object(reader, place, cluster, "network");
    struct json_place at = {place, "network", 0};
    if (network != NULL) {
        reader_check_keys(reader, &at, network, known);
    }
    scenario->latency_us = reader_distribution(reader, &at, network, "latency_us", LATENCY_MAX_US, 500);
    scenario->broker_latency_us = scenario->latency_us;
    if (network != NULL && cJSON_GetObjectItemCaseSensitive(network, "broker_latency_us") != NULL) {
        scenario->broker_latency_us =
            reader_distribution(reader, &at, network, "broker_latency_us", LATENCY_MAX_US, 500);
    }
    scenario->bandwidth_bytes_per_s =
        reader_whole(reader, &at, network, "bandwidth_bytes_per_s", 1000, 1000000000000, 125000000);
    scenario->connect_us = reader_whole(reader, &at, network, "connect_us", 0, LATENCY_MAX_US, 0);
}

static const char default_client_id[] = "<default>"; /* as in Kafka's own tools */

static void check_client_id(struct scenario_reader *reader, const struct json_place *place,
                            const struct mb_quota_options *quota)
{
    const struct sim_scenario *scenario = reader->scenario;
    struct json_place at = {place, "client-id", 0};
    if (quota->client_id != NULL && quota->client_id[0] == '\0') {
        reader_complain(reader, &at, "found \"\"; write a client.id, or \"%s\" for all others",
                        default_client_id);
    }
    for (uint32_t i = 0; i < scenario->quota_count; i++) {
        const char *other = scenario->quotas[i].client_id;
        const char *own = quota->client_id;
        if ((own == NULL && other == NULL) || (own != NULL && other != NULL && strcmp(own, other) == 0)) {
            reader_complain(reader, &at,
                            "found \"%.60s\" again; write both rates of a client id in one quota",
                            own == NULL ? default_client_id : own);
            return;
        }
    }
}

static void read_quota(struct scenario_reader *reader, const struct json_place *place, const cJSON *item)
{
    static const char *const known[] = {"client-id", "producer_byte_rate", "consumer_byte_rate", NULL};
    struct sim_scenario *scenario = reader->scenario;
    if (!cJSON_IsObject(item)) {
        reader_complain(reader, place, "found %s; a quota is an object like {\"producer_byte_rate\": 100000}",
                        reader_show(item));
        return;
    }
    reader_check_keys(reader, place, item, known);
    const char *client_id = reader_text(reader, place, item, "client-id", default_client_id);
    struct mb_quota_options quota = {
        .client_id = client_id != NULL && strcmp(client_id, default_client_id) != 0 ? client_id : NULL,
        .producer_byte_rate = reader_whole(reader, place, item, "producer_byte_rate", 1, 1000000000000, 0),
        .consumer_byte_rate = reader_whole(reader, place, item, "consumer_byte_rate", 1, 1000000000000, 0),
    };
    if (cJSON_GetObjectItemCaseSensitive(item, "producer_byte_rate") == NULL &&
        cJSON_GetObjectItemCaseSensitive(item, "consumer_byte_rate") == NULL) {
        reader_complain(
            reader, place,
            "limits nothing; write producer_byte_rate or consumer_byte_rate, in bytes per second");
    }
    check_client_id(reader, place, &quota);
    scenario->quotas[scenario->quota_count++] = quota;
}

static void read_quotas(struct scenario_reader *reader, const struct json_place *place, const cJSON *cluster)
{
    const cJSON *quotas = reader_array(reader, place, cluster, "quotas");
    struct json_place at = {place, "quotas", 0};
    int count = quotas != NULL ? cJSON_GetArraySize(quotas) : 0;
    if (count > QUOTAS_MAX) {
        reader_complain(reader, &at, "found %d quotas; at most %d are possible", count, QUOTAS_MAX);
        count = QUOTAS_MAX;
    }
    reader->scenario->quotas = reader_allocate(reader, (size_t)count, sizeof(struct mb_quota_options));
    for (int i = 0; i < count; i++) {
        struct json_place here = {&at, NULL, i};
        read_quota(reader, &here, cJSON_GetArrayItem(quotas, i));
    }
}

void read_cluster(struct scenario_reader *reader, const struct json_place *place, const cJSON *cluster)
{
    struct sim_scenario *scenario = reader->scenario;
    static const char *const known[] = {"brokers", "config", "topics", "quotas", "network", "disk", NULL};
    static const char *const known_disk[] = {"append_us", NULL};
    if (cluster == NULL) {
        reader_complain(reader, place,
                        "is missing; write {\"topics\": [{\"name\": \"orders\", \"partitions\": 3}]}");
        return;
    }
    reader_check_keys(reader, place, cluster, known);
    read_brokers(reader, place, cluster);
    struct json_place at_config = {place, "config", 0};
    scenario->broker_settings =
        read_settings(reader, &at_config, reader_object(reader, place, cluster, "config"), "broker",
                      &scenario->broker_setting_count);
    read_topics(reader, place, cluster);
    read_quotas(reader, place, cluster);
    read_network(reader, place, cluster);
    const cJSON *disk = reader_object(reader, place, cluster, "disk");
    struct json_place at_disk = {place, "disk", 0};
    if (disk != NULL) {
        reader_check_keys(reader, &at_disk, disk, known_disk);
    }
    scenario->disk_append_us = reader_whole(reader, &at_disk, disk, "append_us", 0, LATENCY_MAX_US, 50);
}
