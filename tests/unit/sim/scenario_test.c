#define _GNU_SOURCE
#include "scenario_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

static const struct mb_setting *find_setting(const struct mb_setting *settings, uint32_t count,
                                             const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(settings[i].name, name) == 0) {
            return &settings[i];
        }
    }
    return NULL;
}

static const char *entry_of(const struct sim_producer *producer, const char *name)
{
    for (uint32_t i = 0; i < producer->entry_count; i++) {
        if (strcmp(producer->entries[i].name, name) == 0) {
            return producer->entries[i].value;
        }
    }
    return NULL;
}

/* --- What is right is read */

static void takes_defaults(void)
{
    struct sim_scenario *scenario = scenario_load_sections(&(struct scenario_sections){0});
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    CU_ASSERT_STRING_EQUAL(scenario->name, "a scenario without a name");
    CU_ASSERT_EQUAL(scenario->seed, 1);
    CU_ASSERT_EQUAL(scenario->duration_us, 600000000);
    CU_ASSERT_EQUAL(scenario->epoch_ms, 1600000000000);
    CU_ASSERT_EQUAL(scenario->broker_count, 3);
    CU_ASSERT_EQUAL(scenario->broker_ids[0], 1);
    CU_ASSERT_EQUAL(scenario->topics[0].partition_count, 3);
    CU_ASSERT_EQUAL(scenario->topics[0].replication_factor, 3);
    CU_ASSERT_EQUAL(scenario->latency_us.kind, SIM_DISTRIBUTION_FIXED);
    CU_ASSERT_EQUAL(scenario->latency_us.a, 500);
    CU_ASSERT_EQUAL(scenario->broker_latency_us.a, 500);
    CU_ASSERT_EQUAL(scenario->bandwidth_bytes_per_s, 125000000);
    CU_ASSERT_EQUAL(scenario->connect_us, 0);
    CU_ASSERT_EQUAL(scenario->disk_append_us, 50);
    const struct sim_producer *producer = &scenario->producers[0];
    CU_ASSERT_TRUE(producer->close_at_end);
    CU_ASSERT_STRING_EQUAL(entry_of(producer, "client.id"), "shop");
    const struct sim_thread *thread = &producer->threads[0];
    CU_ASSERT_EQUAL(thread->send_cost_us, 10);
    CU_ASSERT_FALSE(thread->sync || thread->flush_at_end);
    CU_ASSERT_EQUAL(thread->source.rate_per_s, 1000);
    CU_ASSERT_EQUAL(thread->source.arrivals, SIM_ARRIVALS_STEADY);
    CU_ASSERT_EQUAL(thread->source.partition, -1);
    CU_ASSERT_EQUAL(thread->source.key_kind, SIM_KEY_NULL);
    CU_ASSERT_EQUAL(thread->source.value_bytes.a, 100);
    CU_ASSERT_EQUAL(scenario->timeline_count, 0);
    sim_scenario_release(scenario);
}

static void reads_a_cluster(void)
{
    struct sim_scenario *scenario = scenario_load_sections(&(struct scenario_sections){
        .members = "\"linger\": 1, \"name\": \"n\", \"description\": \"d\", \"seed\": 9007199254740992,"
                   "\"duration_ms\": 20, \"epoch_ms\": 5, \"$schema\": \"x\", \"_comment\": [1],",
        .cluster = "{\"brokers\": [2, 5, 7], \"config\": {\"min.insync.replicas\": 2,"
                   "\"unclean.leader.election.enable\": true}, \"topics\": [{\"name\": \"orders\","
                   "\"assignment\": [[5, 2], [7, 5]], \"config\": {\"max.message.bytes\": \"5000\"}},"
                   "{\"name\": \"b.2_c-D\", \"partitions\": 4, \"replication.factor\": 1}],"
                   "\"network\": {\"latency_us\": {\"uniform\": [10, 20]}, \"broker_latency_us\":"
                   "{\"exponential\": 30}, \"bandwidth_bytes_per_s\": 4000, \"connect_us\": 40},"
                   "\"disk\": {\"append_us\": 50}}",
    });
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    CU_ASSERT_EQUAL(scenario->seed, 9007199254740992);
    CU_ASSERT_EQUAL(scenario->duration_us, 20000);
    CU_ASSERT_EQUAL(scenario->epoch_ms, 5);
    CU_ASSERT_EQUAL(scenario->broker_count, 3);
    CU_ASSERT_EQUAL(scenario->broker_ids[2], 7);
    const struct mb_setting *setting =
        find_setting(scenario->broker_settings, scenario->broker_setting_count, "min.insync.replicas");
    CU_ASSERT_TRUE(setting != NULL && strcmp(setting->value, "2") == 0);
    setting = find_setting(scenario->broker_settings, scenario->broker_setting_count,
                           "unclean.leader.election.enable");
    CU_ASSERT_TRUE(setting != NULL && strcmp(setting->value, "true") == 0);
    CU_ASSERT_EQUAL(scenario->topic_count, 2);
    CU_ASSERT_EQUAL(scenario->topics[0].partition_count, 2);
    CU_ASSERT_EQUAL(scenario->topics[0].replication_factor, 2);
    CU_ASSERT_EQUAL(scenario->topics[0].assignment[2], 7);
    CU_ASSERT_STRING_EQUAL(scenario->topics[0].settings[0].value, "5000");
    CU_ASSERT_EQUAL(scenario->topics[1].partition_count, 4);
    CU_ASSERT_EQUAL(scenario->latency_us.kind, SIM_DISTRIBUTION_UNIFORM);
    CU_ASSERT_EQUAL(scenario->latency_us.b, 20);
    CU_ASSERT_EQUAL(scenario->broker_latency_us.kind, SIM_DISTRIBUTION_EXPONENTIAL);
    CU_ASSERT_EQUAL(scenario->broker_latency_us.a, 30);
    CU_ASSERT_EQUAL(scenario->bandwidth_bytes_per_s, 4000);
    CU_ASSERT_EQUAL(scenario->connect_us, 40);
    sim_scenario_release(scenario);
}

static void reads_threads_and_records(void)
{
    struct sim_scenario *scenario = scenario_load_sections(&(struct scenario_sections){
        .producers =
            "[{\"name\": \"shop\", \"interceptors\": 2, \"close\": false, \"config\": {\"acks\": \"all\","
            "\"linger.ms\": 5, \"enable.idempotence\": true, \"client.id\": \"mine\"}, \"threads\": ["
            "{\"send_cost_us\": 7, \"sync\": true, \"flush\": true, \"calls\": [{\"at_ms\": 3, \"call\":"
            "\"flush\"}, {\"at_ms\": 4, \"call\": \"close\", \"timeout_ms\": 9}], \"records\":"
            "{\"count\": 8, \"rate_per_s\": 70, \"arrivals\": \"burst\", \"burst\": 4, \"start_ms\": 2,"
            "\"partition\": 1, \"value_bytes\": {\"uniform\": [1, 2]}, \"key\": {\"zipf\": {\"keys\": 6,"
            "\"exponent\": 1.25, \"prefix\": \"p\"}}, \"headers\": {\"a\": \"b\", \"c\": null}}},"
            "{\"records\": {\"list\": [{\"at_ms\": 1, \"key\": \"k\", \"value\": null},"
            "{\"value\": \"v\", \"partition\": 2, \"timestamp_ms\": 77}]}},"
            "{\"records\": {\"key\": \"fixed\"}}, {\"records\": {\"key\": {\"cycle\": {\"keys\": 3}}}},"
            "{\"records\": {\"key\": {\"uniform\": {\"keys\": 4}}}},"
            "{\"records\": {\"key\": {\"constant\": \"c\"}}}]}]",
    });
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    const struct sim_producer *producer = &scenario->producers[0];
    CU_ASSERT_EQUAL(producer->interceptor_count, 2);
    CU_ASSERT_FALSE(producer->close_at_end);
    CU_ASSERT_STRING_EQUAL(entry_of(producer, "client.id"), "mine");
    CU_ASSERT_STRING_EQUAL(entry_of(producer, "linger.ms"), "5");
    CU_ASSERT_STRING_EQUAL(entry_of(producer, "enable.idempotence"), "true");
    const struct sim_thread *thread = &producer->threads[0];
    CU_ASSERT_EQUAL(thread->send_cost_us, 7);
    CU_ASSERT_TRUE(thread->sync && thread->flush_at_end);
    CU_ASSERT_EQUAL(thread->call_count, 2);
    CU_ASSERT_EQUAL(thread->calls[0].timeout_ms, -1);
    CU_ASSERT_EQUAL(thread->calls[1].call, KB_CALL_CLOSE);
    CU_ASSERT_EQUAL(thread->calls[1].at_us, 4000);
    CU_ASSERT_EQUAL(thread->calls[1].timeout_ms, 9);
    const struct sim_source *source = &thread->source;
    CU_ASSERT_STRING_EQUAL(source->topic, "orders"); /* the only one */
    CU_ASSERT_EQUAL(source->count, 8);
    CU_ASSERT_EQUAL(source->rate_per_s, 70);
    CU_ASSERT_EQUAL(source->arrivals, SIM_ARRIVALS_BURST);
    CU_ASSERT_EQUAL(source->burst_records, 4);
    CU_ASSERT_EQUAL(source->start_us, 2000);
    CU_ASSERT_EQUAL(source->partition, 1);
    CU_ASSERT_EQUAL(source->key_kind, SIM_KEY_ZIPF);
    CU_ASSERT_EQUAL(source->key_count, 6);
    CU_ASSERT_EQUAL(source->zipf_exponent_milli, 1250);
    CU_ASSERT_STRING_EQUAL(source->key_text, "p");
    CU_ASSERT_EQUAL(source->header_count, 2);
    CU_ASSERT_STRING_EQUAL(source->header_values[0], "b");
    CU_ASSERT_PTR_NULL(source->header_values[1]);
    source = &producer->threads[1].source;
    CU_ASSERT_EQUAL(source->kind, SIM_SOURCE_GIVEN);
    CU_ASSERT_EQUAL(source->count, 2);
    CU_ASSERT_EQUAL(source->given[0].at_us, 1000);
    CU_ASSERT_PTR_NULL(source->given[0].value);
    CU_ASSERT_EQUAL(source->given[0].value_bytes, -1);
    CU_ASSERT_EQUAL(source->given[1].at_us, -1);
    CU_ASSERT_EQUAL(source->given[1].partition, 2);
    CU_ASSERT_EQUAL(source->given[1].timestamp_ms, 77);
    CU_ASSERT_PTR_NULL(source->given[1].key);
    CU_ASSERT_EQUAL(producer->threads[2].source.key_kind, SIM_KEY_CONSTANT);
    CU_ASSERT_STRING_EQUAL(producer->threads[2].source.key_text, "fixed");
    CU_ASSERT_EQUAL(producer->threads[3].source.key_kind, SIM_KEY_CYCLE);
    CU_ASSERT_STRING_EQUAL(producer->threads[3].source.key_text, "key-");
    CU_ASSERT_EQUAL(producer->threads[4].source.key_kind, SIM_KEY_UNIFORM);
    CU_ASSERT_STRING_EQUAL(producer->threads[5].source.key_text, "c");
    sim_scenario_release(scenario);
}

static void sorts_a_timeline(void)
{
    struct sim_scenario *scenario = scenario_load_sections(&(struct scenario_sections){
        .timeline =
            "[{\"at_ms\": 9, \"do\": \"kill\", \"broker\": 2}, {\"at_ms\": 5, \"do\": \"set\", \"config\":"
            "{\"linger.ms\": 7, \"acks\": \"1\"}}, {\"at_ms\": 5, \"do\": \"cut\", \"broker\": 1, \"to\":"
            "\"producers\", \"one_way\": true}, {\"at_ms\": 1, \"do\": \"error\", \"code\":"
            "\"NOT_ENOUGH_REPLICAS\", \"count\": 3, \"appended\": true, \"topic\": \"orders\"},"
            "{\"at_ms\": 2, \"do\": \"slow_disk\", \"broker\": 3, \"append_ms\": 4},"
            "{\"at_ms\": 9, \"do\": \"add_partitions\", \"topic\": \"orders\", \"partitions\": 5},"
            "{\"at_ms\": 9, \"do\": \"move_leader\", \"topic\": \"orders\", \"partition\": 2, \"broker\": 1},"
            "{\"at_ms\": 3, \"do\": \"heal\", \"broker\": 1, \"to\": 3},"
            "{\"at_ms\": 4, \"do\": \"throttle\", \"throttle_ms\": 6, \"api\": \"Fetch\"}]",
    });
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    CU_ASSERT_EQUAL_FATAL(scenario->timeline_count, 10);
    const struct sim_timeline_entry *entry = scenario->timeline;
    CU_ASSERT_EQUAL(entry[0].fault, KB_FAULT_KIND_ERROR);
    CU_ASSERT_EQUAL(entry[0].code, 19);
    CU_ASSERT_EQUAL(entry[0].api, 0);
    CU_ASSERT_EQUAL(entry[0].count, 3);
    CU_ASSERT_TRUE(entry[0].appended);
    CU_ASSERT_EQUAL(entry[0].broker, -1);
    CU_ASSERT_EQUAL(entry[1].fault, KB_FAULT_KIND_SLOW_DISK);
    CU_ASSERT_EQUAL(entry[1].value_us, 4000);
    CU_ASSERT_EQUAL(entry[2].other, 3);
    CU_ASSERT_EQUAL(entry[3].api, 1);
    CU_ASSERT_EQUAL(entry[3].value_us, 6000);
    CU_ASSERT_TRUE(entry[4].is_set && entry[5].is_set);
    CU_ASSERT_STRING_EQUAL(entry[4].setting, "linger.ms");
    CU_ASSERT_STRING_EQUAL(entry[5].value, "1");
    CU_ASSERT_EQUAL(entry[5].producer, 0);
    CU_ASSERT_EQUAL(entry[6].fault, KB_FAULT_KIND_CUT);
    CU_ASSERT_EQUAL(entry[6].other, SIM_END_PRODUCER);
    CU_ASSERT_TRUE(entry[6].one_way);
    CU_ASSERT_EQUAL(entry[7].fault, KB_FAULT_KIND_KILL);
    CU_ASSERT_EQUAL(entry[7].at_us, 9000);
    CU_ASSERT_EQUAL(entry[8].count, 5);
    CU_ASSERT_EQUAL(entry[9].partition, 2);
    sim_scenario_release(scenario);
}

/* --- What is wrong is said */

static void complains_about_the_root(void)
{
    static const struct {
        const char *members;
        const char *line;
    } rows[] = {
        {"\"linger\": 2,", "scenario.json: $.linger: found 2; must be a whole number from 1 to 1"},
        {"\"name\": 7,", "scenario.json: $.name: found 7; must be a text"},
        {"\"description\": [],", "scenario.json: $.description: found a list; must be a text"},
        {"\"seed\": 1.5,",
         "scenario.json: $.seed: found 1.5; must be a whole number from 0 to 9007199254740992"},
        {"\"seed\": 1e300,", "scenario.json: $.seed: found 1.0000000000000001e+300; must be a whole number "
                             "from 0 to 9007199254740992"},
        {"\"seed\": -1,",
         "scenario.json: $.seed: found -1; must be a whole number from 0 to 9007199254740992"},
        {"\"duration_ms\": \"1 s\",",
         "scenario.json: $.duration_ms: found \"1 s\"; must be a whole number from 1 to 86400000"},
        {"\"epoch_ms\": null,",
         "scenario.json: $.epoch_ms: found null; must be a whole number from 0 to 4102444800000"},
        {"\"durationms\": 5,", "scenario.json: $.durationms: unknown key; did you mean \"duration_ms\"?"},
        {"\"xyzzy-plugh\": 5,", "scenario.json: $.xyzzy-plugh: unknown key; remove it"},
        {"\"seed\": 1, \"seed\": 2,", "scenario.json: $.seed: given twice; keep one of them"},
        {"\"a\\n\\u001b[2J\": 1,", "scenario.json: $.a??[2J: unknown key; remove it"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT_TRUE(scenario_says(&(struct scenario_sections){.members = rows[i].members}, rows[i].line));
        CU_ASSERT_EQUAL(scenario_complaint_count, 1);
    }
}

static void complains_about_missing_sections(void)
{
    CU_ASSERT_PTR_NULL(scenario_load_text("{}"));
    CU_ASSERT_STRING_EQUAL(
        scenario_complaints,
        "scenario.json: $.cluster: is missing; write {\"topics\": [{\"name\": \"orders\", \"partitions\": "
        "3}]}\nscenario.json: $.producers: found 0 producers; a scenario has 1 to 8\n");
    CU_ASSERT_PTR_NULL(scenario_load_text("{\"cluster\": 5, \"producers\": {}, \"timeline\": 7}"));
    CU_ASSERT_PTR_NOT_NULL(strstr(scenario_complaints, "$.cluster: found 5; must be an object { ... }\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(scenario_complaints, "$.producers: found an object; must be a list [ ... ]\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(scenario_complaints, "$.timeline: found 7; must be a list [ ... ]\n"));
}

static void complains_about_clusters(void)
{
    static const struct {
        const char *cluster;
        const char *line;
    } rows[] = {
        {"{\"brokers\": 0, \"topics\": [{\"name\": \"orders\"}]}",
         "scenario.json: $.cluster.brokers: found 0; must be a whole number from 1 to 128"},
        {"{\"brokers\": [], \"topics\": [{\"name\": \"orders\"}]}",
         "scenario.json: $.cluster.brokers: found 0 brokers; must be 1 to 128"},
        {"{\"brokers\": [1, \"2\"], \"topics\": [{\"name\": \"orders\"}]}",
         "scenario.json: $.cluster.brokers[1]: found \"2\"; a broker id is a whole number from 0 to 1000000"},
        {"{\"brokers\": [2, 2], \"topics\": [{\"name\": \"orders\"}]}",
         "scenario.json: $.cluster.brokers[1]: found 2; write the broker ids once each, in ascending order"},
        {"{}", "scenario.json: $.cluster.topics: is missing or empty; a cluster needs a topic to write to"},
        {"{\"topics\": [5, {\"name\": \"orders\"}]}",
         "scenario.json: $.cluster.topics[0]: found 5; a topic is an object with a name"},
        {"{\"topics\": [{\"name\": \"orders\"}, {}]}",
         "scenario.json: $.cluster.topics[1].name: is missing; every topic has one"},
        {"{\"topics\": [{\"name\": \"orders\"}, {\"name\": \"a b\"}]}",
         "scenario.json: $.cluster.topics[1].name: found \"a b\"; a topic's name has 1 to 249 letters, "
         "digits, '.', '_', '-'"},
        {"{\"topics\": [{\"name\": \"orders\"}, {\"name\": \"..\"}]}",
         "scenario.json: $.cluster.topics[1].name: found \"..\"; a topic's name has 1 to 249 letters, "
         "digits, '.', '_', '-'"},
        {"{\"topics\": [{\"name\": \"orders\"}, {\"name\": "
         "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]}",
         "scenario.json: $.cluster.topics[1].name: has more than 47 characters, which is as many as can be "
         "shown"},
        {"{\"topics\": [{\"name\": \"orders\"}, {\"name\": \"orders\"}]}",
         "scenario.json: $.cluster.topics[1].name: found \"orders\" again; give every topic a name of its "
         "own"},
        {"{\"topics\": [{\"name\": \"orders\", \"partitions\": 10001}]}",
         "scenario.json: $.cluster.topics[0].partitions: found 10001; must be a whole number from 1 to "
         "10000"},
        {"{\"brokers\": 2, \"topics\": [{\"name\": \"orders\", \"replication.factor\": 3}]}",
         "scenario.json: $.cluster.topics[0][\"replication.factor\"]: found 3; must be a whole number from 1 "
         "to 2"},
        {"{\"topics\": [{\"name\": \"orders\", \"assignment\": []}]}",
         "scenario.json: $.cluster.topics[0].assignment: found 0 lists; write one list of broker ids for "
         "each partition"},
        {"{\"topics\": [{\"name\": \"orders\", \"assignment\": [[1], [1, 2]]}]}",
         "scenario.json: $.cluster.topics[0].assignment[1]: found a list; each partition needs a list of "
         "equally many broker ids"},
        {"{\"topics\": [{\"name\": \"orders\", \"assignment\": [3]}]}",
         "scenario.json: $.cluster.topics[0].assignment[0]: found 3; each partition needs a list of equally "
         "many broker ids"},
        {"{\"topics\": [{\"name\": \"orders\", \"assignment\": [[1, 9]]}]}",
         "scenario.json: $.cluster.topics[0].assignment[0][1]: found 9; there is no such broker"},
        {"{\"topics\": [{\"name\": \"orders\", \"assignment\": [[1.5]]}]}",
         "scenario.json: $.cluster.topics[0].assignment[0][0]: found 1.5; there is no such broker"},
        {"{\"topics\": [{\"name\": \"orders\", \"assignment\": [[1e300]]}]}",
         "scenario.json: $.cluster.topics[0].assignment[0][0]: found 1.0000000000000001e+300; there is no "
         "such broker"},
        {"{\"topics\": [{\"name\": \"orders\", \"assignment\": [[2, 2]]}]}",
         "scenario.json: $.cluster.topics[0].assignment[0][1]: found 2 again; a broker holds one replica of "
         "a partition"},
        {"{\"topics\": [{\"name\": \"orders\", \"partitions\": 4, \"assignment\": [[1]]}]}",
         "scenario.json: $.cluster.topics[0].partitions: found 4; the assignment has 1; leave one of them "
         "out"},
        {"{\"topics\": [{\"name\": \"orders\", \"replication.factor\": 2, \"assignment\": [[1]]}]}",
         "scenario.json: $.cluster.topics[0][\"replication.factor\"]: found 2; the assignment has 1; leave "
         "one of them out"},
        {"{\"topics\": [{\"name\": \"orders\"}], \"topcis\": 1}",
         "scenario.json: $.cluster.topcis: unknown key; did you mean \"topics\"?"},
        {"{\"topics\": [{\"name\": \"orders\", \"config\": {\"min.insync.replica\": 1}}]}",
         "scenario.json: $.cluster.topics[0].config[\"min.insync.replica\"]: found 1; topic setting "
         "min.insync.replica is not known here; did you mean \"min.insync.replicas\"?"},
        {"{\"topics\": [{\"name\": \"orders\"}], \"config\": {\"log.cleanup.policy\": {}}}",
         "scenario.json: $.cluster.config[\"log.cleanup.policy\"]: found an object; a setting is a text, a "
         "number, true or false"},
        {"{\"topics\": [{\"name\": \"orders\"}], \"network\": {\"latency_us\": {\"uniform\": [5]}}}",
         "scenario.json: $.cluster.network.latency_us.uniform: found a list; must be a list of two numbers, "
         "[from, to]"},
        {"{\"topics\": [{\"name\": \"orders\"}], \"network\": {\"latency_us\": {\"uniform\": [9, 5]}}}",
         "scenario.json: $.cluster.network.latency_us.uniform: from 9 to 5 is no range; write the smaller "
         "number first"},
        {"{\"topics\": [{\"name\": \"orders\"}], \"network\": {\"latency_us\": {\"uniform\": [1, -5]}}}",
         "scenario.json: $.cluster.network.latency_us.uniform[1]: found -5; must be a whole number from 0 to "
         "60000000"},
        {"{\"topics\": [{\"name\": \"orders\"}], \"network\": {\"latency_us\": {}}}",
         "scenario.json: $.cluster.network.latency_us: must be a number, {\"uniform\": [from, to]} or "
         "{\"exponential\": mean}"},
        {"{\"topics\": [{\"name\": \"orders\"}], \"network\": {\"latency_us\": {\"uniform\": [1, 2], "
         "\"exponential\": 3}}}",
         "scenario.json: $.cluster.network.latency_us: is both uniform and exponential; keep one of them"},
        {"{\"topics\": [{\"name\": \"orders\"}], \"network\": {\"broker_latency_us\": \"fast\"}}",
         "scenario.json: $.cluster.network.broker_latency_us: found \"fast\"; must be a whole number from 0 "
         "to 60000000"},
        {"{\"topics\": [{\"name\": \"orders\"}], \"network\": {\"bandwidth_bytes_per_s\": 1}}",
         "scenario.json: $.cluster.network.bandwidth_bytes_per_s: found 1; must be a whole number from 1000 "
         "to 1000000000000"},
        {"{\"topics\": [{\"name\": \"orders\"}], \"disk\": {\"append\": 1}}",
         "scenario.json: $.cluster.disk.append: unknown key; did you mean \"append_us\"?"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT_TRUE(scenario_says(&(struct scenario_sections){.cluster = rows[i].cluster}, rows[i].line));
    }
}

static void complains_about_producers(void)
{
    static const struct {
        const char *producers;
        const char *line;
    } rows[] = {
        {"[]", "scenario.json: $.producers: found 0 producers; a scenario has 1 to 8"},
        {"[1]", "scenario.json: $.producers[0]: found 1; a producer is an object with its threads"},
        {"[{\"name\": \"a\", \"threads\": []}]",
         "scenario.json: $.producers[0].threads: found 0 threads; a producer has 1 to 16"},
        {"[{\"name\": \"a\", \"threads\": [null]}]",
         "scenario.json: $.producers[0].threads[0]: found null; a thread is an object with its records"},
        {"[{\"name\": \"a\", \"threads\": [{}]}]",
         "scenario.json: $.producers[0].threads[0].records: is missing; say what the thread sends"},
        {"[{\"name\": \"a\", \"threads\": [{\"records\": {}}]}, {\"name\": \"a\", \"threads\": "
         "[{\"records\": "
         "{}}]}]",
         "scenario.json: $.producers[1].name: found \"a\" again; give every producer a name of its own"},
        {"[{\"interceptors\": 9, \"threads\": [{\"records\": {}}]}]",
         "scenario.json: $.producers[0].interceptors: found 9; must be a whole number from 0 to 8"},
        {"[{\"close\": 1, \"threads\": [{\"records\": {}}]}]",
         "scenario.json: $.producers[0].close: found 1; must be true or false"},
        {"[{\"config\": {\"linger.mss\": 1}, \"threads\": [{\"records\": {}}]}]",
         "scenario.json: $.producers[0].config[\"linger.mss\"]: Kafka's producer has no such setting; did "
         "you "
         "mean \"linger.ms\"?"},
        {"[{\"config\": {\"my.own.thing\": 1}, \"threads\": [{\"records\": {}}]}]",
         "scenario.json: $.producers[0].config[\"my.own.thing\"]: Kafka's producer has no such setting; "
         "`linger config` lists them"},
        {"[{\"config\": {\"acks\": [1]}, \"threads\": [{\"records\": {}}]}]",
         "scenario.json: $.producers[0].config.acks: found a list; a setting is a text, a number, true or "
         "false"},
        {"[{\"config\": {\"acks\": 1, \"acks\": 0}, \"threads\": [{\"records\": {}}]}]",
         "scenario.json: $.producers[0].config.acks: given twice; keep one of them"},
        {"[{\"threads\": [{\"records\": {}, \"calls\": [7]}]}]",
         "scenario.json: $.producers[0].threads[0].calls[0]: found 7; a call is {\"at_ms\": 20, \"call\": "
         "\"flush\"}"},
        {"[{\"threads\": [{\"records\": {}, \"calls\": [{\"at_ms\": 5}]}]}]",
         "scenario.json: $.producers[0].threads[0].calls[0].call: is missing; say which one"},
        {"[{\"threads\": [{\"records\": {}, \"calls\": [{\"call\": \"flusch\"}]}]}]",
         "scenario.json: $.producers[0].threads[0].calls[0].call: found \"flusch\"; must be one of flush, "
         "close, initTransactions, beginTransaction, commitTransaction, abortTransaction; did you mean "
         "\"flush\"?"},
        {"[{\"threads\": [{\"records\": {}, \"calls\": [{\"at_ms\": 5, \"call\": \"flush\"}, {\"at_ms\": 4, "
         "\"call\": \"flush\"}]}]}]",
         "scenario.json: $.producers[0].threads[0].calls[1]: is before the call in front of it; write the "
         "calls in their order"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT_TRUE(
            scenario_says(&(struct scenario_sections){.producers = rows[i].producers}, rows[i].line));
    }
}

static void passes_on_what_kafka_says_about_values(void)
{
    CU_ASSERT_PTR_NULL(scenario_load_sections(&(struct scenario_sections){
        .producers = "[{\"config\": {\"linger.ms\": -1}, \"threads\": [{\"records\": {}}]}]"}));
    CU_ASSERT_PTR_NOT_NULL(strstr(scenario_complaints, "$.producers[0].config[\"linger.ms\"]: Invalid value "
                                                       "-1 for configuration linger.ms"));
    CU_ASSERT_EQUAL(scenario_complaint_count, 1);
}

static void complains_about_records(void)
{
    static const struct {
        const char *records;
        const char *what; /* behind the path of the records */
    } rows[] = {
        {"{\"topic\": \"order\"}", ".topic: found \"order\"; cluster.topics has no such topic"},
        {"{\"count\": -1}", ".count: found -1; must be a whole number from 0 to 100000000"},
        {"{\"rate_per_s\": 0}", ".rate_per_s: found 0; must be a whole number from 1 to 10000000"},
        {"{\"arrivals\": \"poison\"}", ".arrivals: found \"poison\"; must be one of steady, poisson, burst; "
                                       "did you mean \"poisson\"?"},
        {"{\"arrivals\": 3}", ".arrivals: found 3; must be one of steady, poisson, burst"},
        {"{\"burst\": 0}", ".burst: found 0; must be a whole number from 1 to 100000000"},
        {"{\"start_ms\": 0.5}", ".start_ms: found 0.5; must be a whole number from 0 to 86400000"},
        {"{\"partition\": 10000}", ".partition: found 10000; must be a whole number from 0 to 9999"},
        {"{\"value_bytes\": -3}", ".value_bytes: found -3; must be a whole number from 0 to 16777216"},
        {"{\"key\": 5}", ".key: found 5; a key is null, a text, or {\"cycle\" | \"uniform\" | \"zipf\": "
                         "{\"keys\": 50}}"},
        {"{\"key\": {}}", ".key: found an object; a key is null, a text, or {\"cycle\" | \"uniform\" | "
                          "\"zipf\": {\"keys\": 50}}"},
        {"{\"key\": {\"zip\": {\"keys\": 1}}}", ".key.zip: unknown key; did you mean \"zipf\"?"},
        {"{\"key\": {\"zipf\": {\"keys\": 1}, \"cycle\": {\"keys\": 1}}}",
         ".key: says more than one thing; keep one of them"},
        {"{\"key\": {\"cycle\": 5}}", ".key.cycle: found 5; write {\"keys\": 50}"},
        {"{\"key\": {\"cycle\": {}}}", ".key.cycle.keys: is missing; say how many different keys there are"},
        {"{\"key\": {\"cycle\": {\"keys\": 0}}}",
         ".key.cycle.keys: found 0; must be a whole number from 1 to 100000"},
        {"{\"key\": {\"zipf\": {\"keys\": 3, \"exponent\": 5}}}",
         ".key.zipf.exponent: found 5; must be a number from 0 to 4"},
        {"{\"key\": {\"constant\": 5}}", ".key.constant: found 5; must be a text"},
        {"{\"headers\": {\"a\": 5}}", ".headers.a: found 5; a header's value is a text or null"},
        {"{\"list\": [1]}", ".list[0]: found 1; a record is an object with key and value"},
        {"{\"list\": [{\"ky\": \"a\"}]}", ".list[0].ky: unknown key; did you mean \"key\"?"},
        {"{\"list\": [{\"value\": 5}]}", ".list[0].value: found 5; must be a text"},
        {"{\"list\": [{\"at_ms\": 5}, {\"at_ms\": 4}]}",
         ".list[1].at_ms: is before the record in front of it; write them in their order"},
        {"{\"list\": [], \"file\": {\"path\": \"x\"}}", ": has both a list and a file; keep one of them"},
        {"{\"file\": {}}", ".file.path: is missing; name a .csv or .jsonl file"},
        {"{\"file\": {\"path\": \"x.csv\", \"separator\": \"ab\"}}",
         ".file.separator: found \"ab\"; a separator is one character"},
        {"{\"file\": {\"path\": \"x.csv\", \"format\": \"xls\"}}",
         ".file.format: found \"xls\"; must be one of csv, jsonl"},
        {"{\"file\": {\"path\": \"x.csv\", \"kee\": \"a\"}}",
         ".file.kee: unknown key; did you mean \"key\"?"},
        {"{\"contents\": 1}", ".contents: unknown key; remove it"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[512];
        snprintf(line, sizeof line, "scenario.json: $.producers[0].threads[0].records%s", rows[i].what);
        CU_ASSERT_TRUE(scenario_says(&(struct scenario_sections){.records = rows[i].records}, line));
    }
    CU_ASSERT_TRUE(scenario_says(
        &(struct scenario_sections){.cluster = "{\"topics\": [{\"name\": \"a\"}, {\"name\": \"b\"}]}",
                                    .records = "{}"},
        "scenario.json: $.producers[0].threads[0].records.topic: is missing; name one of the cluster's "
        "topics"));
}

static void complains_about_timelines(void)
{
    static const struct {
        const char *entry;
        const char *what; /* behind the path of the entry */
    } rows[] = {
        {"5", ": found 5; write {\"at_ms\": 60, \"do\": \"kill\", \"broker\": 2}"},
        {"{\"do\": \"kill\", \"broker\": 1}", ".at_ms: is missing; say when, in milliseconds from the start"},
        {"{\"at_ms\": 1}", ".do: is missing; say what happens"},
        {"{\"at_ms\": 700000, \"do\": \"kill\", \"broker\": 1}",
         ".at_ms: found 700000; the scenario ends at 600000 ms"},
        {"{\"at_ms\": 1, \"do\": \"kil\", \"broker\": 1}",
         ".do: found \"kil\"; must be one of kill, shutdown, restart, freeze, thaw, slow_replica, slow_disk, "
         "cut, heal, disconnect, drop_response, drop_request, delay_response, error, throttle, "
         "corrupt_batch, "
         "move_leader, add_partitions, set; did you mean \"kill\"?"},
        {"{\"at_ms\": 1, \"do\": \"kill\"}", ".broker: is missing; name the broker by its id"},
        {"{\"at_ms\": 1, \"do\": \"kill\", \"broker\": 4}",
         ".broker: found 4; there is no such broker: the ids are 1 to 3"},
        {"{\"at_ms\": 1, \"do\": \"kill\", \"broker\": 1, \"topic\": \"orders\"}",
         ".topic: it waits for no request; add \"when\": \"after_append\", or remove it"},
        {"{\"at_ms\": 1, \"do\": \"restart\", \"broker\": 1, \"when\": \"after_append\"}",
         ".when: unknown key; remove it"},
        {"{\"at_ms\": 1, \"do\": \"kill\", \"when\": \"afterappend\"}",
         ".when: found \"afterappend\"; must be one of request_cut, request_received, before_append, "
         "after_append, after_replication, before_response, response_cut; did you mean \"after_append\"?"},
        {"{\"at_ms\": 1, \"do\": \"kill\", \"when\": \"request_cut\", \"topic\": \"orders\"}",
         ".when: found \"request_cut\"; that cannot be: half of a request does not tell its topics and "
         "partitions"},
        {"{\"at_ms\": 1, \"do\": \"freeze\", \"when\": \"response_cut\"}",
         ".when: found \"response_cut\"; that cannot be: only kill and disconnect can end a connection in "
         "the "
         "middle of a frame"},
        {"{\"at_ms\": 1, \"do\": \"kill\", \"when\": \"after_append\", \"api\": \"Metadata\"}",
         ".when: found \"after_append\"; that cannot be: only Produce appends"},
        {"{\"at_ms\": 1, \"do\": \"drop_request\", \"when\": \"after_append\"}",
         ".when: found \"after_append\"; that cannot be: a request can be dropped only at request_received "
         "or "
         "before_append"},
        {"{\"at_ms\": 1, \"do\": \"drop_response\", \"when\": \"before_append\"}",
         ".when: found \"before_append\"; that cannot be: a response can be dropped only at after_append, "
         "after_replication or before_response"},
        {"{\"at_ms\": 1, \"do\": \"kill\", \"when\": \"after_append\", \"bytes\": 5}",
         ".when: found \"after_append\"; that cannot be: only at response_cut some bytes leave and others do "
         "not"},
        {"{\"at_ms\": 1, \"do\": \"kill\", \"when\": \"after_append\", \"producer\": \"shp\"}",
         ".producer: found \"shp\"; there is no such producer"},
        {"{\"at_ms\": 1, \"do\": \"kill\", \"broker\": 1, \"restart_after_ms\": 0}",
         ".restart_after_ms: found 0; must be a whole number from 1 to 86400000"},
        {"{\"at_ms\": 1, \"do\": \"corrupt_batch\", \"where\": \"follower\", \"producer\": \"shop\"}",
         ".do: found \"corrupt_batch\"; that cannot be: a follower's fetch is no producer's"},
        {"{\"at_ms\": 1, \"do\": \"corrupt_batch\", \"api\": \"Fetch\"}", ".api: unknown key; remove it"},
        {"{\"at_ms\": 1, \"do\": \"error\", \"code\": 7, \"api\": \"FindCoordinator\", \"topic\": "
         "\"orders\"}",
         ".do: found \"error\"; that cannot be: requests of this API name no topics"},
        {"{\"at_ms\": 1, \"do\": \"slow_replica\", \"broker\": 1}",
         ".fetch_delay_ms: is missing; say how many milliseconds"},
        {"{\"at_ms\": 1, \"do\": \"slow_replica\", \"broker\": 1, \"fetch_delay_ms\": -1}",
         ".fetch_delay_ms: found -1; must be a whole number from 0 to 86400000"},
        {"{\"at_ms\": 1, \"do\": \"cut\", \"broker\": 1, \"to\": \"me\"}",
         ".to: found \"me\"; must be a broker's id, \"producers\", \"consumers\", the name of a consumer, "
         "\"cluster\" or \"all\""},
        {"{\"at_ms\": 1, \"do\": \"cut\", \"broker\": 1, \"to\": 2.5}",
         ".to: found 2.5; must be a broker's id, \"producers\", \"consumers\", the name of a consumer, "
         "\"cluster\" or \"all\""},
        {"{\"at_ms\": 1, \"do\": \"cut\", \"broker\": 1, \"one_way\": \"yes\"}",
         ".one_way: found \"yes\"; must be true or false"},
        {"{\"at_ms\": 1, \"do\": \"drop_response\", \"api\": \"Production\"}",
         ".api: found \"Production\"; must be an API of Kafka, such as Produce, Metadata or Fetch"},
        {"{\"at_ms\": 1, \"do\": \"drop_request\", \"count\": 0}",
         ".count: found 0; must be a whole number from 1 to 1000000"},
        {"{\"at_ms\": 1, \"do\": \"drop_request\", \"topic\": \"x\"}",
         ".topic: found \"x\"; cluster.topics has no such topic"},
        {"{\"at_ms\": 1, \"do\": \"drop_request\", \"topic\": \"orders\", \"partition\": 3}",
         ".partition: found 3; topic orders has partitions 0 to 2"},
        {"{\"at_ms\": 1, \"do\": \"delay_response\"}", ".delay_ms: is missing; say how many milliseconds"},
        {"{\"at_ms\": 1, \"do\": \"throttle\"}", ".throttle_ms: is missing; say how many milliseconds"},
        {"{\"at_ms\": 1, \"do\": \"slow_disk\", \"broker\": 1}",
         ".append_ms: is missing; say how many milliseconds"},
        {"{\"at_ms\": 1, \"do\": \"error\"}",
         ".code: is missing; say which error, e.g. \"NOT_ENOUGH_REPLICAS\""},
        {"{\"at_ms\": 1, \"do\": \"error\", \"code\": \"OOPS\"}",
         ".code: found \"OOPS\"; must be the name or the number of one of Kafka's errors"},
        {"{\"at_ms\": 1, \"do\": \"error\", \"code\": 200}",
         ".code: found 200; must be a whole number from -1 to 105"},
        {"{\"at_ms\": 1, \"do\": \"move_leader\", \"broker\": 1}",
         ".topic: is missing; name one of the cluster's topics"},
        {"{\"at_ms\": 1, \"do\": \"move_leader\", \"broker\": 1, \"topic\": \"orders\"}",
         ".partition: is missing; say which one"},
        {"{\"at_ms\": 1, \"do\": \"add_partitions\", \"topic\": \"orders\"}",
         ".partitions: is missing; say how many there are to be"},
        {"{\"at_ms\": 1, \"do\": \"add_partitions\", \"topic\": \"orders\", \"partitions\": 3}",
         ".partitions: found 3; must be a whole number from 4 to 10000"},
        {"{\"at_ms\": 1, \"do\": \"set\"}", ".config: is missing; write {\"linger.ms\": 20}"},
        {"{\"at_ms\": 1, \"do\": \"set\", \"producer\": \"x\", \"config\": {}}",
         ".producer: found \"x\"; there is no such producer"},
        {"{\"at_ms\": 1, \"do\": \"set\", \"config\": {\"liner.ms\": 1}}",
         ".config[\"liner.ms\"]: Kafka's producer has no such setting; did you mean \"linger.ms\"?"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[512];
        char timeline[512];
        snprintf(timeline, sizeof timeline, "[%s]", rows[i].entry);
        snprintf(line, sizeof line, "scenario.json: $.timeline[0]%s", rows[i].what);
        CU_ASSERT_TRUE(scenario_says(&(struct scenario_sections){.timeline = timeline}, line));
    }
}

static void reports_all_mistakes_of_a_file_at_once(void)
{
    static const char text[] =
        "{\"linger\": 3, \"nmae\": \"x\", \"seed\": \"7\", \"duration_ms\": 0,"
        "\"cluster\": {\"brokers\": 2, \"config\": {\"min.insync.replicas\": 0, \"replica.lag.time.ms\": 5},"
        "  \"topics\": [{\"name\": \"orders\", \"partitions\": 0, \"replication.factor\": 3},"
        "               {\"name\": \"or ders\", \"config\": {\"retention.byte\": 5}}],"
        "  \"network\": {\"latency\": 5, \"bandwidth_bytes_per_s\": \"fast\"}, \"disk\": []},"
        "\"producers\": [{\"name\": \"shop\", \"config\": {\"ack\": \"all\", \"batch.size\": \"big\"},"
        "  \"threads\": [{\"send_cost\": 5, \"records\": {\"topic\": \"oders\", \"count\": \"many\","
        "    \"arrivals\": \"steadily\", \"key\": {\"zipff\": {\"keys\": 5}}, \"value_bytes\": {\"uniform\": "
        "[5, 1]}}}]}],"
        "\"timeline\": [{\"at_ms\": 10, \"do\": \"kill\", \"broker\": 9}, {\"at_ms\": -1, \"do\": "
        "\"explode\"},"
        "  {\"at_ms\": 5, \"do\": \"set\", \"producer\": \"store\", \"config\": {\"linger.ms\": 5}}]}";
    static const char *const expected[] = {
        "$.linger: found 3;",
        "$.nmae: unknown key; did you mean \"name\"?",
        "$.seed: found \"7\"; must be a whole number",
        "$.duration_ms: found 0; must be a whole number",
        "$.cluster.config[\"min.insync.replicas\"]: found 0;",
        "$.cluster.config[\"replica.lag.time.ms\"]: found 5;",
        "$.cluster.topics[0].partitions: found 0;",
        "$.cluster.topics[0][\"replication.factor\"]: found 3;",
        "$.cluster.topics[1].name: found \"or ders\";",
        "$.cluster.topics[1].config[\"retention.byte\"]: found 5;",
        "$.cluster.network.latency: unknown key; did you mean \"latency_us\"?",
        "$.cluster.network.bandwidth_bytes_per_s: found \"fast\";",
        "$.cluster.disk: found a list; must be an object",
        "$.producers[0].config.ack: Kafka's producer has no such setting; did you mean \"acks\"?",
        "$.producers[0].config[\"batch.size\"]: ",
        "$.producers[0].threads[0].send_cost: unknown key; did you mean \"send_cost_us\"?",
        "$.producers[0].threads[0].records.topic: found \"oders\";",
        "$.producers[0].threads[0].records.count: found \"many\";",
        "$.producers[0].threads[0].records.arrivals: found \"steadily\";",
        "$.producers[0].threads[0].records.key.zipff: unknown key; did you mean \"zipf\"?",
        "$.producers[0].threads[0].records.value_bytes.uniform: from 5 to 1 is no range",
        "$.timeline[0].broker: found 9; there is no such broker",
        "$.timeline[1].at_ms: found -1;",
        "$.timeline[1].do: found \"explode\";",
        "$.timeline[2].producer: found \"store\"; there is no such producer",
    };
    CU_ASSERT_PTR_NULL(scenario_load_text(text));
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        char line[256];
        snprintf(line, sizeof line, "scenario.json: %s", expected[i]);
        if (strstr(scenario_complaints, line) == NULL) {
            fprintf(stderr, "\nnot said: %s\n%s", line, scenario_complaints);
        }
        CU_ASSERT_PTR_NOT_NULL(strstr(scenario_complaints, line));
    }
    CU_ASSERT_TRUE(scenario_complaint_count >= sizeof expected / sizeof expected[0]);
}

static void warns_of_settings_without_effect(void)
{
    struct sim_scenario *scenario = scenario_load_sections(&(struct scenario_sections){
        .producers = "[{\"name\": \"shop\", \"config\": {\"bootstrap.servers\": \"a:1\", "
                     "\"sasl.mechanism\": \"PLAIN\"}, \"threads\": [{\"records\": {}}]}]"});
    CU_ASSERT_PTR_NOT_NULL(scenario);
    CU_ASSERT_PTR_NOT_NULL(strstr(scenario_warnings, "[\"bootstrap.servers\"]: has no effect"));
    sim_scenario_release(scenario);
}

/* --- Files that are no scenarios */

static void complains_about_files(void)
{
    CU_ASSERT_PTR_NULL(scenario_load_path(scenario_file_path("nothing.json"), NULL, 0));
    CU_ASSERT_STRING_EQUAL(scenario_complaints, "nothing.json: No such file or directory\n");
    CU_ASSERT_PTR_NULL(scenario_load_path("/tmp", NULL, 0));
    CU_ASSERT_STRING_EQUAL(scenario_complaints, "/tmp: is a directory; name a file in it\n");
    CU_ASSERT_PTR_NULL(scenario_load_path("", NULL, 0));
    CU_ASSERT_EQUAL(scenario_complaint_count, 1);
    /* A file that opens and cannot be read. */
    CU_ASSERT_PTR_NULL(scenario_load_path("/proc/self/mem", NULL, 0));
    CU_ASSERT_PTR_NOT_NULL(strstr(scenario_complaints, "/proc/self/mem: cannot be read: "));
    CU_ASSERT_EQUAL(scenario_complaint_count, 1);
    static const struct {
        const char *bytes;
        size_t length_bytes;
        const char *line;
    } rows[] = {
        {"", 0, "x.json: is empty; a scenario is a JSON object, see docs/scenario.md\n"},
        {" \n\t\r\n", 5, "x.json: is empty; a scenario is a JSON object, see docs/scenario.md\n"},
        {"\0\0\0\0", 4, "x.json: has zero bytes in it, so it is no JSON text\n"},
        {"{\"a\":\0 1}", 9, "x.json: has zero bytes in it, so it is no JSON text\n"},
        {"\x89PNG\r\n\x1a\n", 8,
         "x.json: line 1, column 1: is no JSON here; look for a missing comma, quote or bracket, or brackets "
         "nested deeper than 1000\n"},
        {"{\n \"a\": 1\n \"b\": 2}", 18,
         "x.json: line 3, column 2: is no JSON here; look for a missing comma, quote or bracket, or brackets "
         "nested deeper than 1000\n"},
        {"{\"a\": \"b", 8,
         "x.json: line 1, column 8: is no JSON here; look for a missing comma, quote or bracket, or brackets "
         "nested deeper than 1000\n"},
        {"[1]", 3, "x.json: $: found a list; a scenario is an object { ... }\n"},
        {"null", 4, "x.json: $: found null; a scenario is an object { ... }\n"},
        {"{} {}", 5,
         "x.json: line 1, column 4: is no JSON here; look for a missing comma, quote or bracket, or brackets "
         "nested deeper than 1000\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *path = scenario_file_write("x.json", rows[i].bytes, rows[i].length_bytes);
        CU_ASSERT_PTR_NULL(scenario_load_path(path, NULL, 0));
        CU_ASSERT_STRING_EQUAL(scenario_complaints, rows[i].line);
        if (strcmp(scenario_complaints, rows[i].line) != 0) {
            fprintf(stderr, "\nfound %s", scenario_complaints);
        }
    }
}

static void survives_deep_nesting(void)
{
    enum { DEPTH = 200000 };
    char *text = malloc(2 * DEPTH + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, '[', DEPTH);
    memset(text + DEPTH, ']', DEPTH);
    CU_ASSERT_PTR_NULL(scenario_load_path(scenario_file_write("deep.json", text, 2 * DEPTH), NULL, 0));
    CU_ASSERT_PTR_NOT_NULL(strstr(scenario_complaints, "nested deeper than 1000"));
    CU_ASSERT_PTR_NULL(scenario_load_path(scenario_file_write("deep.json", text, DEPTH), NULL, 0));
    CU_ASSERT_EQUAL(scenario_complaint_count, 1);
    free(text);
}

static void refuses_what_is_too_large(void)
{
    const char *path = scenario_file_write("large.json", "{", 1);
    CU_ASSERT_EQUAL_FATAL(truncate(path, 100 << 20), 0);
    CU_ASSERT_PTR_NULL(scenario_load_path(path, NULL, 0));
    CU_ASSERT_STRING_EQUAL(scenario_complaints,
                           "large.json: is larger than 16 MB, which is as much as is read\n");
    CU_ASSERT_EQUAL(truncate(scenario_file_path("large.json"), 1), 0);
    CU_ASSERT_PTR_NULL(scenario_load_path("/dev/zero", NULL, 0));
    CU_ASSERT_PTR_NOT_NULL(strstr(scenario_complaints, "is larger than 16 MB"));
}

/* Looking for repeated keys compares each with each: a file made for it must not take minutes. */
static void refuses_too_many_members(void)
{
    enum { MEMBERS = 300000 };
    char *text = malloc((size_t)MEMBERS * 16 + 16);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    size_t used_bytes = (size_t)sprintf(text, "{\"a\": 1");
    for (int i = 0; i < MEMBERS; i++) {
        used_bytes += (size_t)sprintf(text + used_bytes, ",\"m%d\":1", i);
    }
    used_bytes += (size_t)sprintf(text + used_bytes, "}");
    CU_ASSERT_PTR_NULL(scenario_load_path(scenario_file_write("many.json", text, used_bytes), NULL, 0));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(scenario_complaints, "many.json: $: found 300001 entries; more than 10000 are not read\n"));
    free(text);
}

/* --- Changes from the command line */

static const char two_producers[] =
    "{\"seed\": 3, \"cluster\": {\"config\": {\"message.max.bytes\": 9}, \"topics\": [{\"name\": \"orders\"},"
    "{\"name\": \"a.b\"}]}, \"producers\": [{\"name\": \"shop\", \"config\": {\"linger.ms\": 5}, \"threads\":"
    "[{\"records\": {\"topic\": \"orders\"}}]}, {\"name\": \"shop.eu\", \"threads\": [{\"records\":"
    "{\"topic\": \"a.b\"}}]}]}";

static struct sim_scenario *load_with(const char *name, const char *value)
{
    struct sim_override change = {name, value};
    const char *path = scenario_file_write("scenario.json", two_producers, strlen(two_producers));
    return scenario_load_path(path, &change, 1);
}

static void applies_overrides(void)
{
    struct sim_scenario *plain = scenario_load_path(
        scenario_file_write("scenario.json", two_producers, strlen(two_producers)), NULL, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plain);

    struct sim_scenario *scenario = load_with("shop.linger.ms", "20"); /* replaces */
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    CU_ASSERT_STRING_EQUAL(entry_of(&scenario->producers[0], "linger.ms"), "20");
    CU_ASSERT_PTR_NULL(entry_of(&scenario->producers[1], "linger.ms"));
    CU_ASSERT_NOT_EQUAL(scenario->input_hash, plain->input_hash);
    sim_scenario_release(scenario);

    scenario = load_with("linger.ms", "0"); /* of all producers */
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    CU_ASSERT_STRING_EQUAL(entry_of(&scenario->producers[0], "linger.ms"), "0");
    CU_ASSERT_STRING_EQUAL(entry_of(&scenario->producers[1], "linger.ms"), "0");
    sim_scenario_release(scenario);

    scenario = load_with("shop.eu.acks", "0"); /* a name with a dot */
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    CU_ASSERT_STRING_EQUAL(entry_of(&scenario->producers[1], "acks"), "0");
    CU_ASSERT_PTR_NULL(entry_of(&scenario->producers[0], "acks"));
    sim_scenario_release(scenario);

    scenario = load_with("a.b.min.insync.replicas", "2");
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    CU_ASSERT_EQUAL(scenario->topics[0].setting_count, 0);
    CU_ASSERT_EQUAL(scenario->topics[1].setting_count, 1);
    CU_ASSERT_STRING_EQUAL(scenario->topics[1].settings[0].value, "2");
    sim_scenario_release(scenario);

    scenario = load_with("cluster.message.max.bytes", "77");
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    CU_ASSERT_EQUAL(scenario->broker_setting_count, 1);
    CU_ASSERT_STRING_EQUAL(scenario->broker_settings[0].value, "77");
    sim_scenario_release(scenario);

    scenario = load_with("seed", "99");
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    CU_ASSERT_EQUAL(scenario->seed, 99);
    sim_scenario_release(scenario);

    scenario = load_with("duration_ms", "50");
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    CU_ASSERT_EQUAL(scenario->duration_us, 50000);
    sim_scenario_release(scenario);
    sim_scenario_release(plain);
}

static void complains_about_overrides(void)
{
    static const struct {
        const char *name;
        const char *value;
        const char *what;
    } rows[] = {
        {"seed", "x", "--set seed=x: must be a whole number\n"},
        {"seed", "", "--set seed=: must be a whole number\n"},
        {"seed", "1.5", "scenario.json: $.seed: found 1.5; must be a whole number from 0 to"},
        {"seed", "nan", "scenario.json: $.seed: found "},
        {"duration_ms", "0", "scenario.json: $.duration_ms: found 0; must be a whole number from 1 to"},
        {"store.linger.ms", "5",
         "--set store.linger.ms=5: no producer, consumer or topic of this scenario has that name"},
        {"linger.mss", "5",
         "--set linger.mss=5: Kafka's producer has no such setting; did you mean \"linger.ms\"?\n"},
        {"shop.linger.mss", "5",
         "config[\"linger.mss\"]: Kafka's producer has no such setting; did you mean"},
        {"shop.linger.ms", "soon", "$.producers[0].config[\"linger.ms\"]: "},
        {"orders.min.insync.replicas", "0",
         "$.cluster.topics[0].config[\"min.insync.replicas\"]: found \"0\""},
        {"cluster.nothing", "0", "$.cluster.config.nothing: found \"0\""},
        {"", "0", "--set =0: no producer, consumer or topic"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT_PTR_NULL(load_with(rows[i].name, rows[i].value));
        CU_ASSERT_PTR_NOT_NULL(strstr(scenario_complaints, rows[i].what));
        if (strstr(scenario_complaints, rows[i].what) == NULL) {
            fprintf(stderr, "\nexpected %s\nfound    %s", rows[i].what, scenario_complaints);
        }
    }
    /* Sections of another kind than they should be are left to the reader's complaints. */
    struct sim_override change = {"linger.ms", "5"};
    static const char odd[] = "{\"cluster\": [], \"producers\": [5, {\"config\": 3, \"threads\": []}]}";
    CU_ASSERT_PTR_NULL(
        scenario_load_path(scenario_file_write("scenario.json", odd, strlen(odd)), &change, 1));
    CU_ASSERT_PTR_NOT_NULL(strstr(scenario_complaints, "$.producers[1].config: found 3; must be an object"));
}

int main(void)
{
    return unit_main("scenario",
                     (struct unit_test[]){
                         {"takes defaults", takes_defaults},
                         {"reads a cluster", reads_a_cluster},
                         {"reads threads and records", reads_threads_and_records},
                         {"sorts a timeline", sorts_a_timeline},
                         {"complains about the root", complains_about_the_root},
                         {"complains about missing sections", complains_about_missing_sections},
                         {"complains about clusters", complains_about_clusters},
                         {"complains about producers", complains_about_producers},
                         {"passes on what Kafka says about values", passes_on_what_kafka_says_about_values},
                         {"complains about records", complains_about_records},
                         {"complains about timelines", complains_about_timelines},
                         {"reports all mistakes of a file at once", reports_all_mistakes_of_a_file_at_once},
                         {"warns of settings without effect", warns_of_settings_without_effect},
                         {"complains about files", complains_about_files},
                         {"survives deep nesting", survives_deep_nesting},
                         {"refuses what is too large", refuses_what_is_too_large},
                         {"refuses too many members", refuses_too_many_members},
                         {"applies overrides", applies_overrides},
                         {"complains about overrides", complains_about_overrides},
                         {0},
                     });
}
