#include "engine/consumer_config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const reset_words[] = {"latest", "earliest", "none", NULL};
static const char *const isolation_words[] = {"read_uncommitted", "read_committed", NULL};
static const char *const truth_words[] = {"false", "true", NULL};

#define MEMBER(member) true, offsetof(struct sim_consumer_config, member)
#define NUMBER(name, member, text, min, max, doc)                                                            \
    {                                                                                                        \
        name, SIM_CONSUMER_NUMBER, text, min, max, NULL, MEMBER(member), doc                                 \
    }
#define TRUTH(name, member, text, doc)                                                                       \
    {                                                                                                        \
        name, SIM_CONSUMER_TRUTH, text, 0, 1, truth_words, MEMBER(member), doc                               \
    }
#define WORD(name, member, text, words, doc)                                                                 \
    {                                                                                                        \
        name, SIM_CONSUMER_WORD, text, 0, 0, words, MEMBER(member), doc                                      \
    }
#define TEXT(name, member, text, doc)                                                                        \
    {                                                                                                        \
        name, SIM_CONSUMER_TEXT, text, 0, 0, NULL, MEMBER(member), doc                                       \
    }
/* Accepted, so that a file of settings can be used as it is. */
#define WITHOUT_EFFECT(name, text, doc)                                                                      \
    {                                                                                                        \
        name, SIM_CONSUMER_TEXT, text, 0, 0, NULL, false, 0, doc                                             \
    }

static const struct sim_consumer_key keys[] = {
    TRUTH("allow.auto.create.topics", allow_auto_create_topics, "true",
          "may a request for metadata create the topics it names"),
    NUMBER("auto.commit.interval.ms", auto_commit_interval_ms, "5000", 0, INT32_MAX,
           "how often positions are committed, with enable.auto.commit"),
    WORD("auto.offset.reset", auto_offset_reset, "latest", reset_words,
         "where to read from without a committed offset, or with one that is out of range"),
    TRUTH("check.crcs", check_crcs, "true", "whether every batch's CRC is checked"),
    TEXT("client.id", client_id, NULL, "how brokers know the client; the consumer's name unless it is set"),
    TEXT("client.rack", client_rack, "", "sent with every Fetch; the cluster here has no racks"),
    TRUTH("enable.auto.commit", enable_auto_commit, "true",
          "whether poll() commits positions; false by itself without group.id"),
    NUMBER("fetch.max.bytes", fetch_max_bytes, "52428800", 0, INT32_MAX,
           "of one Fetch response, but for its first batch"),
    NUMBER("fetch.max.wait.ms", fetch_max_wait_ms, "500", 0, INT32_MAX,
           "so long a broker waits for fetch.min.bytes"),
    NUMBER("fetch.min.bytes", fetch_min_bytes, "1", 0, INT32_MAX, "so many a broker waits for"),
    TEXT("group.id", group_id, NULL, "the group that it joins, or in whose name it commits"),
    NUMBER("heartbeat.interval.ms", heartbeat_interval_ms, "3000", INT32_MIN, INT32_MAX,
           "how often a member shows that it is alive"),
    WORD("isolation.level", isolation_level, "read_uncommitted", isolation_words,
         "read_committed reads up to the last stable offset and leaves aborted records out"),
    NUMBER("max.partition.fetch.bytes", max_partition_fetch_bytes, "1048576", 0, INT32_MAX,
           "of one partition in a Fetch response"),
    NUMBER("max.poll.interval.ms", max_poll_interval_ms, "300000", 1, INT32_MAX,
           "a member that does not poll() for so long leaves its group"),
    NUMBER("max.poll.records", max_poll_records, "500", 1, INT32_MAX, "so many one poll() returns at most"),
    NUMBER("metadata.max.age.ms", metadata_max_age_ms, "300000", 0, INT64_MAX,
           "metadata is asked for anew after so long"),
    NUMBER("reconnect.backoff.max.ms", reconnect_backoff_max_ms, "1000", 0, INT64_MAX,
           "the longest wait before a node is connected to again"),
    NUMBER("reconnect.backoff.ms", reconnect_backoff_ms, "50", 0, INT64_MAX,
           "the first wait before a node is connected to again; it doubles"),
    NUMBER("request.timeout.ms", request_timeout_ms, "30000", 0, INT32_MAX,
           "a request that is not answered by then has failed, and its connection is closed"),
    NUMBER("retry.backoff.ms", retry_backoff_ms, "100", 0, INT64_MAX,
           "the wait before a request is repeated"),
    NUMBER("session.timeout.ms", session_timeout_ms, "45000", INT32_MIN, INT32_MAX,
           "a member without heartbeats for so long is out of its group"),
    NUMBER("socket.connection.setup.timeout.max.ms", connection_setup_timeout_max_ms, "30000", INT64_MIN,
           INT64_MAX, "the longest time to wait for a connection"),
    NUMBER("socket.connection.setup.timeout.ms", connection_setup_timeout_ms, "10000", INT64_MIN, INT64_MAX,
           "the first time to wait for a connection; it doubles"),
    WITHOUT_EFFECT("bootstrap.servers", "", "the brokers of the scenario"),
    WITHOUT_EFFECT("client.dns.lookup", "use_all_dns_ips", "there are no names to look up"),
    WITHOUT_EFFECT("connections.max.idle.ms", "540000", "connections stay open"),
    WITHOUT_EFFECT("default.api.timeout.ms", "60000", "no call of the consumer blocks"),
    WITHOUT_EFFECT("exclude.internal.topics", "true", "there are no patterns to subscribe to"),
    WITHOUT_EFFECT("group.instance.id", NULL, "every member is a dynamic one"),
    WITHOUT_EFFECT("interceptor.classes", "", "there are none"),
    WITHOUT_EFFECT("key.deserializer", NULL, "records are counted, not read"),
    WITHOUT_EFFECT("partition.assignment.strategy", "range", "a group has one member, who gets everything"),
    WITHOUT_EFFECT("receive.buffer.bytes", "65536", "the network here has no buffers"),
    WITHOUT_EFFECT("send.buffer.bytes", "131072", "the network here has no buffers"),
    WITHOUT_EFFECT("value.deserializer", NULL, "records are counted, not read"),
};

const struct sim_consumer_key *sim_consumer_key_at(uint32_t index)
{
    return index < sizeof keys / sizeof keys[0] ? &keys[index] : NULL;
}

/* Whole families that say nothing to a client without TLS, users and reporters. */
static bool is_of_a_family(const char *name)
{
    static const char *const families[] = {"ssl.", "sasl.", "security.", "metrics.", "metric.", NULL};
    for (int i = 0; families[i] != NULL; i++) {
        if (strncmp(name, families[i], strlen(families[i])) == 0) {
            return true;
        }
    }
    return false;
}

const struct sim_consumer_key *sim_consumer_key_find(const char *name)
{
    static const struct sim_consumer_key of_a_family = WITHOUT_EFFECT(
        "ssl.*, sasl.*, security.*, metric*", NULL, "connections are plain, nothing is reported");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(keys[i].name, name) == 0) {
            return &keys[i];
        }
    }
    return is_of_a_family(name) ? &of_a_family : NULL;
}

static bool complain(char *error, const char *value, const struct sim_consumer_key *key, const char *what)
{
    snprintf(error, SIM_CONSUMER_ERROR_BYTES, "Invalid value %.60s for configuration %s: %s", value,
             key->name, what);
    return false;
}

static bool find_word(const struct sim_consumer_key *key, const char *value, int64_t *number, char *error)
{
    char known[96] = "";
    size_t used_bytes = 0;
    for (int i = 0; key->words[i] != NULL; i++) {
        if (strcmp(key->words[i], value) == 0) {
            *number = i;
            return true;
        }
        used_bytes += (size_t)snprintf(known + used_bytes, sizeof known - used_bytes, "%s%s",
                                       i > 0 ? ", " : "", key->words[i]);
    }
    char what[128];
    snprintf(what, sizeof what, "String must be one of: %s", known);
    return complain(error, value, key, what);
}

static bool read_number(const struct sim_consumer_key *key, const char *value, int64_t *number, char *error)
{
    char *end;
    errno = 0;
    long long read = strtoll(value, &end, 10);
    if (end == value || *end != '\0' || errno != 0 || read > key->maximum) {
        return complain(error, value, key,
                        key->maximum == INT32_MAX ? "Not a number of type INT" : "Not a number of type LONG");
    }
    if (read < key->minimum) {
        char what[64];
        snprintf(what, sizeof what, "Value must be at least %" PRId64, key->minimum);
        return complain(error, value, key, what);
    }
    *number = read;
    return true;
}

bool sim_consumer_config_set(struct sim_consumer_config *config, const struct sim_consumer_key *key,
                             const char *value, char error[SIM_CONSUMER_ERROR_BYTES])
{
    char *place = (char *)config + key->offset_bytes;
    int64_t number = 0;
    bool is_fine = true;
    if (!key->has_effect) {
        return true;
    }
    switch (key->type) {
    case SIM_CONSUMER_NUMBER:
        is_fine = read_number(key, value, &number, error);
        break;
    case SIM_CONSUMER_TRUTH:
        if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0) {
            return complain(error, value, key, "Expected value to be either true or false");
        }
        number = value[0] == 't';
        break;
    case SIM_CONSUMER_WORD:
        is_fine = find_word(key, value, &number, error);
        break;
    case SIM_CONSUMER_TEXT:
        memcpy(place, &value, sizeof value);
        return true;
    }
    if (is_fine) {
        memcpy(place, &number, sizeof number);
    }
    return is_fine;
}

void sim_consumer_config_init(struct sim_consumer_config *config)
{
    *config = (struct sim_consumer_config){0};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char error[SIM_CONSUMER_ERROR_BYTES];
        if (keys[i].default_value != NULL) {
            (void)sim_consumer_config_set(config, &keys[i], keys[i].default_value, error);
        }
    }
}
