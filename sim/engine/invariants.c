#include "engine/invariants.h"

#include <string.h>

static bool is_true(const struct mb_setting *settings, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(settings[i].name, name) == 0 && strcmp(settings[i].value, "true") == 0) {
            return true;
        }
    }
    return false;
}

static bool is_clean(const struct sim_scenario *scenario)
{
    static const char name[] = "unclean.leader.election.enable";
    bool unclean = is_true(scenario->broker_settings, scenario->broker_setting_count, name);
    for (uint32_t i = 0; i < scenario->topic_count; i++) {
        unclean = unclean || is_true(scenario->topics[i].settings, scenario->topics[i].setting_count, name);
    }
    return !unclean;
}

bool sim_invariants_hold(struct sim_world *world, struct sim_complaints *complaints)
{
    uint32_t before = complaints->count;
    struct sim_invariants checks = {
        .world = world,
        .scenario = sim_world_scenario(world),
        .log = sim_world_log(world),
        .info = sim_event_log_info_view(sim_world_log(world)),
        .complaints = complaints,
        .is_clean = is_clean(sim_world_scenario(world)),
    };
    sim_invariants_of_events(&checks);
    sim_invariants_of_logs(&checks);
    return complaints->count == before;
}
