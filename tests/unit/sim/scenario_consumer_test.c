/* "consumers" of a scenario: what is read, and what is complained about. */
#include <stdio.h>
#include <string.h>

#include "engine/network.h"
#include "engine/scenario_save.h"
#include "scenario_file.h"
#include "unit.h"

#define LINES_BYTES 2048

/* The members of the root, with one consumer that has these members. */
static const char *with(const char *members)
{
    static char text[LINES_BYTES];
    CU_ASSERT_TRUE_FATAL((size_t)snprintf(text, sizeof text, "\"consumers\": [{%s}],", members) <
                         sizeof text);
    return text;
}

static void everything_is_read(void)
{
    struct sim_scenario *scenario = scenario_load_sections(&(struct scenario_sections){
        .members =
            with("\"name\": \"reader\", \"config\": {\"group.id\": \"g\", \"isolation.level\": "
                 "\"read_committed\", \"auto.offset.reset\": \"earliest\", \"max.poll.records\": 7, "
                 "\"fetch.min.bytes\": \"3\", \"enable.auto.commit\": false}, \"topics\": [\"orders\"], "
                 "\"start_ms\": 5, \"stop_ms\": 90, \"poll_cost_us\": 11, \"record_cost_us\": 12, "
                 "\"close\": false"),
        .timeline = "[{\"at_ms\": 3, \"do\": \"cut\", \"broker\": 1, \"to\": \"reader\"},"
                    "{\"at_ms\": 4, \"do\": \"heal\", \"broker\": 1, \"to\": \"consumers\"}]"});
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    const struct sim_consumer *consumer = &scenario->consumers[0];
    CU_ASSERT_EQUAL(scenario->consumer_count, 1);
    CU_ASSERT_STRING_EQUAL(consumer->name, "reader");
    CU_ASSERT_STRING_EQUAL(consumer->config.client_id, "reader");
    CU_ASSERT_STRING_EQUAL(consumer->config.group_id, "g");
    CU_ASSERT_EQUAL(consumer->config.isolation_level, SIM_READ_COMMITTED);
    CU_ASSERT_EQUAL(consumer->config.auto_offset_reset, SIM_RESET_EARLIEST);
    CU_ASSERT_EQUAL(consumer->config.max_poll_records, 7);
    CU_ASSERT_EQUAL(consumer->config.fetch_min_bytes, 3);
    CU_ASSERT_EQUAL(consumer->config.enable_auto_commit, 0);
    CU_ASSERT_EQUAL(consumer->config.fetch_max_wait_ms, 500); /* Kafka's */
    CU_ASSERT_EQUAL(consumer->config.session_timeout_ms, 45000);
    CU_ASSERT_EQUAL(consumer->topic_count, 1);
    CU_ASSERT_EQUAL(consumer->start_us, 5000);
    CU_ASSERT_EQUAL(consumer->stop_us, 90000);
    CU_ASSERT_EQUAL(consumer->poll_cost_us, 11);
    CU_ASSERT_EQUAL(consumer->record_cost_us, 12);
    CU_ASSERT_FALSE(consumer->close_at_end);
    CU_ASSERT_EQUAL(scenario->timeline[0].other, sim_end_of_consumer(0));
    CU_ASSERT_EQUAL(scenario->timeline[1].other, SIM_END_CONSUMER);
    sim_scenario_release(scenario);
}

static void defaults(void)
{
    struct sim_scenario *scenario = scenario_load_sections(
        &(struct scenario_sections){.members = with("\"assign\": [{\"topic\": \"orders\"}]")});
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    const struct sim_consumer *consumer = &scenario->consumers[0];
    CU_ASSERT_STRING_EQUAL(consumer->name, "consumer");
    CU_ASSERT_PTR_NULL(consumer->config.group_id);
    CU_ASSERT_EQUAL(consumer->config.enable_auto_commit, 0); /* there is no group to commit for */
    CU_ASSERT_EQUAL(consumer->config.auto_offset_reset, SIM_RESET_LATEST);
    CU_ASSERT_EQUAL(consumer->assignments[0].partition, -1);
    CU_ASSERT_EQUAL(consumer->stop_us, -1);
    CU_ASSERT_TRUE(consumer->close_at_end);
    sim_scenario_release(scenario);
}

static void complaints(void)
{
    static const struct {
        const char *members;
        const char *line;
    } cases[] = {
        {"\"assign\": [{\"topic\": \"orders\"}], \"isolation\": 1",
         "scenario.json: $.consumers[0].isolation: unknown key; remove it"},
        {"\"assign\": [{\"topic\": \"orders\"}], \"config\": {\"isolation.levle\": \"read_committed\"}",
         "scenario.json: $.consumers[0].config[\"isolation.levle\"]: Kafka's consumer has no such setting; "
         "did "
         "you mean \"isolation.level\"?"},
        {"\"assign\": [{\"topic\": \"orders\"}], \"config\": {\"isolation.level\": \"committed\"}",
         "scenario.json: $.consumers[0].config[\"isolation.level\"]: Invalid value committed for "
         "configuration "
         "isolation.level: String must be one of: read_uncommitted, read_committed"},
        {"\"assign\": [{\"topic\": \"orders\"}], \"config\": {\"max.poll.records\": 0}",
         "scenario.json: $.consumers[0].config[\"max.poll.records\"]: Invalid value 0 for configuration "
         "max.poll.records: Value must be at least 1"},
        {"\"assign\": [{\"topic\": \"orders\"}], \"config\": {\"enable.auto.commit\": true}",
         "scenario.json: $.consumers[0].config[\"enable.auto.commit\"]: cannot be set to true when default "
         "group id (null) is used; set group.id, or leave it out"},
        {"\"assign\": [{\"topic\": \"orders\"}], \"config\": {\"heartbeat.interval.ms\": 45000}",
         "scenario.json: $.consumers[0].config[\"heartbeat.interval.ms\"]: Heartbeat must be set lower than "
         "the "
         "session timeout"},
        {"\"name\": \"x\"", "scenario.json: $.consumers[0]: say what it reads, by one of \"topics\": "
                            "[\"orders\"] (with group.id) "
                            "and \"assign\": [{\"topic\": \"orders\"}]"},
        {"\"topics\": [\"orders\"]", "scenario.json: $.consumers[0].topics: subscribe() needs a group: set "
                                     "\"group.id\" in its config, or "
                                     "write \"assign\" instead, which needs none"},
        {"\"topics\": [\"clicks\"], \"config\": {\"group.id\": \"g\"}",
         "scenario.json: $.consumers[0].topics[0]: found \"clicks\"; must be the name of one of "
         "cluster.topics"},
        {"\"assign\": [{\"topic\": \"orders\", \"partition\": 99}]",
         "scenario.json: $.consumers[0].assign[0].partition: found 99; topic orders has partitions 0 to 2"},
        {"\"assign\": [{\"topic\": \"orders\", \"partition\": 1}, {\"topic\": \"orders\"}]",
         "scenario.json: $.consumers[0].assign[1]: is assigned already; name every partition once"},
        {"\"assign\": [{\"topic\": \"orders\"}], \"start_ms\": 9, \"stop_ms\": 9",
         "scenario.json: $.consumers[0].stop_ms: found 9; must be after start_ms, which is 9"},
        {"\"name\": \"all\", \"assign\": [{\"topic\": \"orders\"}]",
         "scenario.json: $.consumers[0].name: found \"all\", which means something else in the timeline; "
         "choose "
         "another"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scenario_sections sections = {.members = with(cases[i].members)};
        CU_ASSERT_TRUE(scenario_says(&sections, cases[i].line));
    }
}

static void without_effect(void)
{
    struct sim_scenario *scenario = scenario_load_sections(&(struct scenario_sections){
        .members =
            with("\"assign\": [{\"topic\": \"orders\"}], \"config\": {\"ssl.protocol\": \"TLSv1.3\"}")});
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    CU_ASSERT_PTR_NOT_NULL(strstr(scenario_warnings, "config[\"ssl.protocol\"]: has no effect"));
    sim_scenario_release(scenario);
}

static void every_key_has_its_default(void)
{
    struct sim_consumer_config config;
    const struct sim_consumer_key *key;
    char error[SIM_CONSUMER_ERROR_BYTES];
    sim_consumer_config_init(&config);
    for (uint32_t i = 0; (key = sim_consumer_key_at(i)) != NULL; i++) {
        CU_ASSERT_PTR_EQUAL(sim_consumer_key_find(key->name), key);
        CU_ASSERT_TRUE(key->default_value == NULL ||
                       sim_consumer_config_set(&config, key, key->default_value, error));
        CU_ASSERT_TRUE(i == 0 || !key->has_effect || strcmp(sim_consumer_key_at(i - 1)->name, key->name) < 0);
    }
    CU_ASSERT_EQUAL(config.max_poll_records, 500);
    CU_ASSERT_EQUAL(config.fetch_max_bytes, 52428800);
    CU_ASSERT_PTR_NULL(sim_consumer_key_find("linger.ms"));
}

static void a_cut_is_saved(void)
{
    struct sim_scenario *scenario = scenario_load_sections(&(struct scenario_sections){
        .members = with("\"name\": \"reader\", \"assign\": [{\"topic\": \"orders\"}]")});
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    const struct sim_timeline_entry cut = {.at_us = 7000,
                                           .fault = KB_FAULT_KIND_CUT,
                                           .broker = 1,
                                           .other = sim_end_of_consumer(0),
                                           .producer = -1,
                                           .partition = -1,
                                           .by_hand = true};
    struct sim_complaints said = {0};
    const char *path = scenario_file_path("saved.json");
    CU_ASSERT_TRUE(sim_scenario_save(scenario, &cut, 1, path, &said));
    sim_scenario_release(scenario);
    scenario = scenario_load_path(scenario_file_path("saved.json"), NULL, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    CU_ASSERT_EQUAL(scenario->timeline[scenario->timeline_count - 1].other, sim_end_of_consumer(0));
    CU_ASSERT_EQUAL(scenario->consumer_count, 1);
    sim_scenario_release(scenario);
}

static void changed_from_the_command_line(void)
{
    const struct sim_override overrides[] = {{"reader.isolation.level", "read_committed"},
                                             {"max.poll.records", "3"}};
    struct sim_scenario *scenario = scenario_load_sections(&(struct scenario_sections){
        .members = with("\"name\": \"reader\", \"assign\": [{\"topic\": \"orders\"}]")});
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    sim_scenario_release(scenario);
    scenario = scenario_load_path(scenario_file_path("scenario.json"), overrides, 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    CU_ASSERT_EQUAL(scenario->consumers[0].config.isolation_level, SIM_READ_COMMITTED);
    CU_ASSERT_EQUAL(scenario->consumers[0].config.max_poll_records, 3);
    sim_scenario_release(scenario);
}

int main(void)
{
    return unit_main("scenario_consumer",
                     (struct unit_test[]){
                         {"everything is read", everything_is_read},
                         {"defaults", defaults},
                         {"complaints", complaints},
                         {"without effect", without_effect},
                         {"every key has its default", every_key_has_its_default},
                         {"a cut is saved", a_cut_is_saved},
                         {"changed from the command line", changed_from_the_command_line},
                         {0},
                     });
}
