/*
 * "timeline" of a scenario: what goes wrong, and what is changed, when.
 */
#include "engine/network.h"
#include "engine/scenario_reader.h"

#include <stdlib.h>
#include <string.h>

#include "wire/api_keys.h"
#include "wire/errors.h"

enum { TIME_MAX_MS = 86400000 };

/* What an action takes, beside "at_ms" and "do". */
enum {
    TAKES_BROKER = 1,     /* required, unless it waits for a request */
    TAKES_LINK = 2,       /* "to", "one_way" */
    TAKES_DELAY = 4,      /* "ms", or the name of its own */
    TAKES_FILTER = 8,     /* "broker", "producer", "topic", "partition", "skip", "count" */
    TAKES_ERROR = 16,     /* "code", "appended" */
    TAKES_PARTITION = 32, /* "topic", "partition": required */
    TAKES_NEW_COUNT = 64, /* "topic", "partitions": required */
    TAKES_POINT = 128,    /* "when", and with it a filter */
    TAKES_API = 256,      /* "api", beside a filter */
    TAKES_WAY = 512,      /* "where" */
    TAKES_BYTES = 1024,   /* "bytes", with "when": "response_cut" */
};
enum { TAKES_REQUESTS = TAKES_FILTER | TAKES_API, TAKES_ALL_OF_POINT = TAKES_REQUESTS | TAKES_BYTES };

struct action {
    const char *word;
    int32_t fault;
    unsigned takes;
    const char *delay_key;
    const char *undo_key; /* after how long it ends by itself; may be left out */
};

static const struct action actions[] = {
    {"kill", KB_FAULT_KIND_KILL, TAKES_BROKER | TAKES_POINT, NULL, "restart_after_ms"},
    {"shutdown", KB_FAULT_KIND_SHUTDOWN, TAKES_BROKER | TAKES_POINT, NULL, "restart_after_ms"},
    {"restart", KB_FAULT_KIND_RESTART, TAKES_BROKER, NULL, NULL},
    {"freeze", KB_FAULT_KIND_FREEZE, TAKES_BROKER | TAKES_POINT, NULL, "thaw_after_ms"},
    {"thaw", KB_FAULT_KIND_THAW, TAKES_BROKER, NULL, NULL},
    {"slow_replica", KB_FAULT_KIND_SLOW_REPLICA, TAKES_BROKER | TAKES_DELAY, "fetch_delay_ms", NULL},
    {"slow_disk", KB_FAULT_KIND_SLOW_DISK, TAKES_BROKER | TAKES_DELAY, "append_ms", NULL},
    {"cut", KB_FAULT_KIND_CUT, TAKES_BROKER | TAKES_LINK | TAKES_POINT, NULL, "heal_after_ms"},
    {"heal", KB_FAULT_KIND_HEAL, TAKES_BROKER | TAKES_LINK, NULL, NULL},
    {"disconnect", KB_FAULT_KIND_DISCONNECT, TAKES_BROKER | TAKES_POINT, NULL, NULL},
    {"drop_response", KB_FAULT_KIND_DROP_RESPONSE, TAKES_REQUESTS | TAKES_POINT, NULL, NULL},
    {"drop_request", KB_FAULT_KIND_DROP_REQUEST, TAKES_REQUESTS | TAKES_POINT, NULL, NULL},
    {"delay_response", KB_FAULT_KIND_DELAY_RESPONSE, TAKES_REQUESTS | TAKES_DELAY, "delay_ms", NULL},
    {"error", KB_FAULT_KIND_ERROR, TAKES_REQUESTS | TAKES_ERROR, NULL, NULL},
    {"throttle", KB_FAULT_KIND_THROTTLE, TAKES_REQUESTS | TAKES_DELAY, "throttle_ms", NULL},
    {"corrupt_batch", KB_FAULT_KIND_CORRUPT_BATCH, TAKES_FILTER | TAKES_WAY, NULL, NULL},
    {"move_leader", KB_FAULT_KIND_MOVE_LEADER, TAKES_BROKER | TAKES_PARTITION, NULL, NULL},
    {"add_partitions", KB_FAULT_KIND_ADD_PARTITIONS, TAKES_NEW_COUNT, NULL, NULL},
};
enum { ACTION_COUNT = sizeof actions / sizeof actions[0] };

static const char *const *action_words(void)
{
    static const char *words[ACTION_COUNT + 2];
    for (size_t i = 0; i < ACTION_COUNT; i++) {
        words[i] = actions[i].word;
    }
    words[ACTION_COUNT] = "set";
    return words;
}

static void read_broker(struct scenario_reader *reader, const struct json_place *place, const cJSON *entry,
                        bool required, struct sim_timeline_entry *out)
{
    if (required) {
        reader_require(reader, place, entry, "broker", "name the broker by its id");
    }
    int64_t id = reader_whole(reader, place, entry, "broker", 0, 1000000, -1);
    struct json_place at = {place, "broker", 0};
    if (id >= 0 && !has_broker(reader->scenario, id)) {
        reader_complain(reader, &at, "found %d; there is no such broker: the ids are %d to %d", (int)id,
                        reader->scenario->broker_count > 0 ? reader->scenario->broker_ids[0] : 0,
                        reader->scenario->broker_count > 0
                            ? reader->scenario->broker_ids[reader->scenario->broker_count - 1]
                            : 0);
    }
    out->broker = (int32_t)id;
}

/* Is the value the name of a consumer? */
static bool take_consumer(const struct sim_scenario *scenario, const cJSON *value, int32_t *end)
{
    for (uint32_t i = 0; cJSON_IsString(value) && i < scenario->consumer_count; i++) {
        if (strcmp(scenario->consumers[i].name, value->valuestring) == 0) {
            *end = sim_end_of_consumer(i);
            return true;
        }
    }
    return false;
}

static void read_link(struct scenario_reader *reader, const struct json_place *place, const cJSON *entry,
                      struct sim_timeline_entry *out)
{
    const cJSON *to = cJSON_GetObjectItemCaseSensitive(entry, "to");
    struct json_place at = {place, "to", 0};
    out->other = SIM_END_ALL;
    out->one_way = reader_bool(reader, place, entry, "one_way", false);
    if (to == NULL || (cJSON_IsString(to) && strcmp(to->valuestring, "all") == 0)) {
        return;
    }
    if (cJSON_IsString(to) && strcmp(to->valuestring, "producers") == 0) {
        out->other = SIM_END_PRODUCER;
    } else if (cJSON_IsString(to) && strcmp(to->valuestring, "cluster") == 0) {
        out->other = SIM_END_CLUSTER;
    } else if (cJSON_IsString(to) && strcmp(to->valuestring, "consumers") == 0) {
        out->other = SIM_END_CONSUMER;
    } else if (!take_consumer(reader->scenario, to, &out->other) &&
               !take_broker(reader->scenario, to, &out->other)) {
        reader_complain(reader, &at,
                        "found %s; must be a broker's id, \"producers\", \"consumers\", the name of a "
                        "consumer, \"cluster\" or \"all\"",
                        reader_show(to));
    }
}

static void read_topic_partition(struct scenario_reader *reader, const struct json_place *place,
                                 const cJSON *entry, struct sim_timeline_entry *out)
{
    out->topic = reader_text(reader, place, entry, "topic", NULL);
    struct json_place at_topic = {place, "topic", 0};
    struct json_place at_partition = {place, "partition", 0};
    const struct mb_topic_options *topic =
        out->topic != NULL ? find_topic(reader->scenario, out->topic) : NULL;
    if (out->topic != NULL && topic == NULL) {
        reader_complain(reader, &at_topic, "found \"%.60s\"; cluster.topics has no such topic", out->topic);
    }
    out->partition = (int32_t)reader_whole(reader, place, entry, "partition", 0, 9999, -1);
    if (topic != NULL && out->partition >= topic->partition_count) {
        reader_complain(reader, &at_partition, "found %d; topic %s has partitions 0 to %d", out->partition,
                        topic->name, topic->partition_count - 1);
    }
}

/* The index of the producer of that name; -1 with a complaint when there is none, or when none is named. */
static int32_t read_producer(struct scenario_reader *reader, const struct json_place *place,
                             const cJSON *entry)
{
    const struct sim_scenario *scenario = reader->scenario;
    const char *name = reader_text(reader, place, entry, "producer", NULL);
    struct json_place at = {place, "producer", 0};
    for (uint32_t i = 0; name != NULL && i < scenario->producer_count; i++) {
        if (scenario->producers[i].name != NULL && strcmp(scenario->producers[i].name, name) == 0) {
            return (int32_t)i;
        }
    }
    if (name != NULL) {
        reader_complain(reader, &at, "found \"%.60s\"; there is no such producer", name);
    }
    return -1;
}

static void read_api(struct scenario_reader *reader, const struct json_place *place, const cJSON *entry,
                     struct sim_timeline_entry *out)
{
    const char *api_name = reader_text(reader, place, entry, "api", "Produce");
    const struct kw_api *api = kw_api_find_name(api_name);
    struct json_place at = {place, "api", 0};
    if (api == NULL) {
        reader_complain(reader, &at,
                        "found \"%.60s\"; must be an API of Kafka, such as Produce, Metadata or Fetch",
                        api_name);
    }
    out->api = api != NULL ? api->key : 0;
}

static void read_filter(struct scenario_reader *reader, const struct json_place *place, const cJSON *entry,
                        struct sim_timeline_entry *out)
{
    out->skip = (uint32_t)reader_whole(reader, place, entry, "skip", 0, 1000000, 0);
    out->count = (uint32_t)reader_whole(reader, place, entry, "count", 1, 1000000, 1);
    out->producer = read_producer(reader, place, entry);
    read_broker(reader, place, entry, false, out);
    read_topic_partition(reader, place, entry, out);
}

/* "when", which makes an action wait for a request. True: it is there. */
static bool read_point(struct scenario_reader *reader, const struct json_place *place, const cJSON *entry,
                       struct sim_timeline_entry *out)
{
    static const char *words[MB_POINT_RESPONSE_CUT + 1];
    for (int i = MB_POINT_REQUEST_CUT; i <= MB_POINT_RESPONSE_CUT; i++) {
        words[i - 1] = kb_field_value_text(KB_FIELD_FAULT_POINT, i);
    }
    if (cJSON_GetObjectItemCaseSensitive(entry, "when") == NULL) {
        return false;
    }
    out->point = reader_word(reader, place, entry, "when", words, MB_POINT_NONE - 1) + 1;
    out->cut_bytes = (uint32_t)reader_whole(reader, place, entry, "bytes", 1, 1000000000, 0);
    return true;
}

static void read_way(struct scenario_reader *reader, const struct json_place *place, const cJSON *entry,
                     struct sim_timeline_entry *out)
{
    static const char *const words[] = {"producer", "follower", NULL};
    out->api = reader_word(reader, place, entry, "where", words, 0) == 1 ? KW_API_FETCH : KW_API_PRODUCE;
}

static void read_error(struct scenario_reader *reader, const struct json_place *place, const cJSON *entry,
                       struct sim_timeline_entry *out)
{
    reader_require(reader, place, entry, "code", "say which error, e.g. \"NOT_ENOUGH_REPLICAS\"");
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(entry, "code");
    struct json_place at = {place, "code", 0};
    enum kw_error error = KW_ERROR_UNKNOWN_SERVER_ERROR;
    if (cJSON_IsString(code) && kw_error_find(code->valuestring, &error)) {
        out->code = (int32_t)error;
    } else if (cJSON_IsNumber(code)) {
        out->code = (int32_t)reader_whole(reader, place, entry, "code", -1, 105, -1);
    } else if (code != NULL) {
        reader_complain(reader, &at, "found %s; must be the name or the number of one of Kafka's errors",
                        reader_show(code));
    }
    out->appended = reader_bool(reader, place, entry, "appended", false);
}

static void read_new_count(struct scenario_reader *reader, const struct json_place *place, const cJSON *entry,
                           struct sim_timeline_entry *out)
{
    const struct mb_topic_options *topic =
        out->topic != NULL ? find_topic(reader->scenario, out->topic) : NULL;
    int64_t minimum = topic != NULL ? topic->partition_count + 1 : 1;
    reader_require(reader, place, entry, "partitions", "say how many there are to be");
    out->count = (uint32_t)reader_whole(reader, place, entry, "partitions", minimum, 10000, minimum);
}

static void check_entry_keys(struct scenario_reader *reader, const struct json_place *place,
                             const cJSON *entry, const struct action *action, bool has_point)
{
    static const struct {
        unsigned takes;
        const char *key;
    } keys[] = {
        {TAKES_BROKER | TAKES_FILTER, "broker"},
        {TAKES_LINK, "to"},
        {TAKES_LINK, "one_way"},
        {TAKES_POINT, "when"},
        {TAKES_WAY, "where"},
        {TAKES_API, "api"},
        {TAKES_FILTER, "producer"},
        {TAKES_FILTER | TAKES_PARTITION | TAKES_NEW_COUNT, "topic"},
        {TAKES_FILTER | TAKES_PARTITION, "partition"},
        {TAKES_FILTER, "skip"},
        {TAKES_FILTER, "count"},
        {TAKES_BYTES, "bytes"},
        {TAKES_NEW_COUNT, "partitions"},
        {TAKES_ERROR, "code"},
        {TAKES_ERROR, "appended"},
    };
    const char *known[sizeof keys / sizeof keys[0] + 5] = {"at_ms", "do"};
    size_t count = 2;
    unsigned may_take =
        (action->takes & TAKES_POINT) != 0 ? action->takes | TAKES_ALL_OF_POINT : action->takes;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct json_place at = {place, keys[i].key, 0};
        bool is_there = cJSON_GetObjectItemCaseSensitive(entry, keys[i].key) != NULL;
        if ((keys[i].takes & may_take) != 0) {
            known[count++] = keys[i].key;
        }
        if (is_there && !has_point && (keys[i].takes & may_take & ~action->takes) != 0 &&
            (keys[i].takes & action->takes) == 0) {
            reader_complain(reader, &at,
                            "it waits for no request; add \"when\": \"after_append\", or remove it");
        }
    }
    if (action->delay_key != NULL) {
        known[count++] = action->delay_key;
    }
    if (action->undo_key != NULL) {
        known[count++] = action->undo_key;
    }
    known[count] = NULL;
    reader_check_keys(reader, place, entry, known);
}

/* What waits for requests can wait in vain, but not for what cannot be. */
static void check_armed(struct scenario_reader *reader, const struct json_place *place, const cJSON *entry,
                        const struct sim_timeline_entry *out)
{
    struct mb_request_fault fault = sim_timeline_fault(out);
    fault.client = out->producer >= 0 ? "" : NULL;
    const char *complaint = mb_fault_check(&fault);
    const cJSON *when = cJSON_GetObjectItemCaseSensitive(entry, "when");
    struct json_place at = {place, when != NULL ? "when" : "do", 0};
    if (complaint != NULL) {
        reader_complain(reader, &at, "found %s; that cannot be: %s",
                        reader_show(when != NULL ? when : cJSON_GetObjectItemCaseSensitive(entry, "do")),
                        complaint);
    }
}

static void read_fault(struct scenario_reader *reader, const struct json_place *place, const cJSON *entry,
                       const struct action *action, struct sim_timeline_entry *out)
{
    uint32_t complaints = reader->complaints->count;
    bool has_point = (action->takes & TAKES_POINT) != 0 && read_point(reader, place, entry, out);
    unsigned takes = has_point ? action->takes | TAKES_ALL_OF_POINT : action->takes;
    check_entry_keys(reader, place, entry, action, has_point);
    out->fault = action->fault;
    if ((takes & TAKES_FILTER) != 0) {
        read_filter(reader, place, entry, out);
    } else if ((takes & TAKES_BROKER) != 0) {
        read_broker(reader, place, entry, true, out);
    }
    if ((takes & TAKES_API) != 0) {
        read_api(reader, place, entry, out);
    }
    if ((takes & TAKES_WAY) != 0) {
        read_way(reader, place, entry, out);
    }
    if ((takes & TAKES_LINK) != 0) {
        read_link(reader, place, entry, out);
    }
    if ((takes & TAKES_ERROR) != 0) {
        read_error(reader, place, entry, out);
    }
    if ((takes & TAKES_DELAY) != 0) {
        reader_require(reader, place, entry, action->delay_key, "say how many milliseconds");
        out->value_us = reader_whole(reader, place, entry, action->delay_key, 0, TIME_MAX_MS, 0) * 1000;
    }
    if (action->undo_key != NULL) {
        out->undo_after_us = reader_whole(reader, place, entry, action->undo_key, 1, TIME_MAX_MS, 0) * 1000;
    }
    if ((takes & (TAKES_PARTITION | TAKES_NEW_COUNT)) != 0) {
        reader_require(reader, place, entry, "topic", "name one of the cluster's topics");
        read_topic_partition(reader, place, entry, out);
    }
    if ((takes & TAKES_PARTITION) != 0) {
        reader_require(reader, place, entry, "partition", "say which one");
    }
    if ((takes & TAKES_NEW_COUNT) != 0) {
        read_new_count(reader, place, entry, out);
    }
    if (sim_timeline_is_armed(out) && reader->complaints->count == complaints) {
        check_armed(reader, place, entry, out);
    }
}

/* "set": one entry for each setting. Returns how many. */
static uint32_t read_set(struct scenario_reader *reader, const struct json_place *place, const cJSON *entry,
                         struct sim_timeline_entry *out, uint32_t capacity)
{
    static const char *const known[] = {"at_ms", "do", "producer", "config", NULL};
    struct sim_scenario *scenario = reader->scenario;
    reader_check_keys(reader, place, entry, known);
    reader_require(reader, place, entry, "config", "write {\"linger.ms\": 20}");
    bool is_named = cJSON_GetObjectItemCaseSensitive(entry, "producer") != NULL;
    int32_t producer = is_named                        ? read_producer(reader, place, entry)
                       : scenario->producer_count == 1 ? 0
                                                       : -1;
    if (!is_named && producer < 0) {
        struct json_place at_producer = {place, "producer", 0};
        reader_complain(reader, &at_producer, "is missing; name the producer whose settings change");
    }
    const cJSON *config = reader_object(reader, place, entry, "config");
    struct json_place at_config = {place, "config", 0};
    uint32_t count = 0;
    for (const cJSON *member = config != NULL ? config->child : NULL; member != NULL && count < capacity;
         member = member->next) {
        struct json_place at = {&at_config, member->string, 0};
        const char *value = reader_setting_text(reader, &at, member);
        if (value != NULL && producer >= 0 &&
            check_producer_setting(reader, &at_config, &scenario->producers[producer], member->string,
                                   value)) {
            out[count] = out[0];
            out[count].is_set = true;
            out[count].producer = producer;
            out[count].setting = reader_copy(reader, member->string);
            out[count++].value = value;
        }
    }
    return count;
}

static uint32_t read_entry(struct scenario_reader *reader, const struct json_place *place, const cJSON *entry,
                           struct sim_timeline_entry *out, uint32_t capacity)
{
    if (!cJSON_IsObject(entry)) {
        reader_complain(reader, place, "found %s; write {\"at_ms\": 60, \"do\": \"kill\", \"broker\": 2}",
                        reader_show(entry));
        return 0;
    }
    reader_require(reader, place, entry, "at_ms", "say when, in milliseconds from the start");
    reader_require(reader, place, entry, "do", "say what happens");
    *out = (struct sim_timeline_entry){.broker = -1, .other = SIM_END_ALL, .producer = -1, .partition = -1};
    int64_t at_ms = reader_whole(reader, place, entry, "at_ms", 0, TIME_MAX_MS, 0);
    out->at_us = at_ms * 1000;
    if (out->at_us > reader->scenario->duration_us) {
        struct json_place at = {place, "at_ms", 0};
        reader_complain(reader, &at, "found %lld; the scenario ends at %lld ms", (long long)at_ms,
                        (long long)(reader->scenario->duration_us / 1000));
    }
    if (cJSON_GetObjectItemCaseSensitive(entry, "do") == NULL) {
        return 0;
    }
    int word = reader_word(reader, place, entry, "do", action_words(), -1);
    if (word == ACTION_COUNT) {
        return read_set(reader, place, entry, out, capacity);
    }
    if (word >= 0) {
        read_fault(reader, place, entry, &actions[word], out);
        return 1;
    }
    return 0;
}

void read_timeline(struct scenario_reader *reader, const struct json_place *place, const cJSON *timeline)
{
    struct sim_scenario *scenario = reader->scenario;
    size_t capacity = 0;
    if (!reader_check_count(reader, place, timeline)) {
        return;
    }
    for (const cJSON *entry = timeline != NULL ? timeline->child : NULL; entry != NULL; entry = entry->next) {
        const cJSON *config = cJSON_GetObjectItemCaseSensitive(entry, "config");
        capacity += config != NULL ? (size_t)cJSON_GetArraySize(config) + 1 : 1;
    }
    scenario->timeline = reader_allocate(reader, capacity + 1, sizeof(struct sim_timeline_entry));
    int index = 0;
    for (const cJSON *entry = timeline != NULL ? timeline->child : NULL; entry != NULL;
         entry = entry->next, index++) {
        struct json_place here = {place, NULL, index};
        scenario->timeline_count +=
            read_entry(reader, &here, entry, &scenario->timeline[scenario->timeline_count],
                       (uint32_t)capacity - scenario->timeline_count);
    }
    /* By time; what happens at the same time stays in the order of the file. */
    for (uint32_t i = 1; i < scenario->timeline_count; i++) {
        struct sim_timeline_entry entry = scenario->timeline[i];
        uint32_t to = i;
        for (; to > 0 && scenario->timeline[to - 1].at_us > entry.at_us; to--) {
            scenario->timeline[to] = scenario->timeline[to - 1];
        }
        scenario->timeline[to] = entry;
    }
}
