/* "quotas" of a cluster. */

#include "scenario_file.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static struct sim_scenario *load(const char *quotas)
{
    char cluster[600];
    snprintf(cluster, sizeof cluster, "{\"topics\": [{\"name\": \"orders\"}], \"quotas\": %s}", quotas);
    return scenario_load_sections(&(struct scenario_sections){.cluster = cluster});
}

static void reads_quotas(void)
{
    struct sim_scenario *scenario =
        load("[{\"producer_byte_rate\": 1000, \"_why\": \"all\"},"
             "{\"client-id\": \"shop\", \"producer_byte_rate\": 5, \"consumer_byte_rate\": 1000000000000}]");
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    CU_ASSERT_EQUAL_FATAL(scenario->quota_count, 2);
    CU_ASSERT_PTR_NULL(scenario->quotas[0].client_id);
    CU_ASSERT_EQUAL(scenario->quotas[0].producer_byte_rate, 1000);
    CU_ASSERT_EQUAL(scenario->quotas[0].consumer_byte_rate, 0);
    CU_ASSERT_STRING_EQUAL(scenario->quotas[1].client_id, "shop");
    CU_ASSERT_EQUAL(scenario->quotas[1].consumer_byte_rate, 1000000000000);
    sim_scenario_release(scenario);
    scenario = load("[{\"client-id\": \"<default>\", \"consumer_byte_rate\": 7}]");
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    CU_ASSERT_PTR_NULL(scenario->quotas[0].client_id);
    sim_scenario_release(scenario);
    scenario = scenario_load_sections(&(struct scenario_sections){0});
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    CU_ASSERT_EQUAL(scenario->quota_count, 0);
    sim_scenario_release(scenario);
}

static void says_what_is_wrong(void)
{
    static const struct {
        const char *quotas;
        const char *what;
    } rows[] = {
        {"5", "$.cluster.quotas: found 5; must be a list [ ... ]"},
        {"[5]", "$.cluster.quotas[0]: found 5; a quota is an object like {\"producer_byte_rate\": 100000}"},
        {"[{}]", "$.cluster.quotas[0]: limits nothing; write producer_byte_rate or consumer_byte_rate, in "
                 "bytes per second"},
        {"[{\"client-id\": \"\", \"producer_byte_rate\": 1}]",
         "$.cluster.quotas[0].client-id: found \"\"; write a client.id, or \"<default>\" for all others"},
        {"[{\"client-id\": 5, \"producer_byte_rate\": 1}]",
         "$.cluster.quotas[0].client-id: found 5; must be a text"},
        {"[{\"producer_byte_rate\": 0}]",
         "$.cluster.quotas[0].producer_byte_rate: found 0; must be a whole number from 1 to 1000000000000"},
        {"[{\"consumer_byte_rate\": \"fast\"}]", "$.cluster.quotas[0].consumer_byte_rate: found \"fast\"; "
                                                 "must be a whole number from 1 to 1000000000000"},
        {"[{\"producer_byte_rat\": 1}]",
         "$.cluster.quotas[0].producer_byte_rat: unknown key; did you mean \"producer_byte_rate\"?"},
        {"[{\"producer_byte_rate\": 1}, {\"client-id\": \"<default>\", \"producer_byte_rate\": 1}]",
         "$.cluster.quotas[1].client-id: found \"<default>\" again; write both rates of a client id in one "
         "quota"},
        {"[{\"client-id\": \"a\", \"producer_byte_rate\": 1}, {\"client-id\": \"a\", \"consumer_byte_rate\": "
         "1}]",
         "$.cluster.quotas[1].client-id: found \"a\" again; write both rates of a client id in one "
         "quota"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[300];
        char cluster[600];
        snprintf(line, sizeof line, "scenario.json: %s", rows[i].what);
        snprintf(cluster, sizeof cluster, "{\"topics\": [{\"name\": \"orders\"}], \"quotas\": %s}",
                 rows[i].quotas);
        CU_ASSERT_TRUE(scenario_says(&(struct scenario_sections){.cluster = cluster}, line));
    }
}

int main(void)
{
    return unit_main("scenario quotas", (struct unit_test[]){
                                            {"reads quotas", reads_quotas},
                                            {"says what is wrong", says_what_is_wrong},
                                            {0},
                                        });
}
