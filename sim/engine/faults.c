/*
 * What a timeline does to the world: faults, and changes of settings. Each is announced before its
 * consequences.
 */
#include "engine/world_internal.h"

#include <string.h>

#include "base/assert.h"

static bool inject(struct sim_world *world, const struct sim_timeline_entry *entry, int32_t kind)
{
    struct mb_request_fault fault = {
        .kind = (enum mb_request_fault_kind)kind,
        .api = entry->api,
        .broker = entry->broker,
        .topic = entry->topic,
        .partition = entry->partition,
        .code = entry->code,
        .appended = entry->appended,
        .delay_us = entry->value_us,
        .count = entry->count,
    };
    return mb_inject(world->cluster, &fault);
}

static void kill(struct sim_world *world, const struct sim_timeline_entry *entry)
{
    if (mb_kill(world->cluster, entry->broker, world->scheduler.now_us)) {
        sim_network_reset_broker(&world->network, entry->broker);
    }
}

/* A broker that is cut off from all others is cut off from ZooKeeper, too: its session ends by itself. */
static void link_controller(struct sim_world *world, const struct sim_timeline_entry *entry, bool is_up)
{
    if (entry->other == SIM_END_ALL || entry->other == SIM_END_CLUSTER) {
        (void)mb_controller_link(world->cluster, entry->broker, is_up, world->scheduler.now_us);
    }
}

static void apply_fault(struct sim_world *world, const struct sim_timeline_entry *entry)
{
    struct mb_cluster *cluster = world->cluster;
    int64_t now_us = world->scheduler.now_us;
    switch ((enum kb_fault_kind)entry->fault) {
    case KB_FAULT_KIND_KILL:
        kill(world, entry);
        break;
    case KB_FAULT_KIND_SHUTDOWN:
        (void)mb_shutdown(cluster, entry->broker, now_us);
        break;
    case KB_FAULT_KIND_RESTART:
        (void)mb_restart(cluster, entry->broker, now_us);
        break;
    case KB_FAULT_KIND_FREEZE:
        (void)mb_freeze(cluster, entry->broker, now_us);
        break;
    case KB_FAULT_KIND_THAW:
        (void)mb_thaw(cluster, entry->broker, now_us);
        break;
    case KB_FAULT_KIND_SLOW_REPLICA:
        (void)mb_slow_replica(cluster, entry->broker, entry->value_us);
        break;
    case KB_FAULT_KIND_SLOW_DISK:
        (void)mb_slow_disk(cluster, entry->broker, entry->value_us);
        break;
    case KB_FAULT_KIND_CUT:
        sim_network_cut(&world->network, entry->broker, entry->other, entry->one_way);
        link_controller(world, entry, false);
        break;
    case KB_FAULT_KIND_HEAL:
        sim_network_heal(&world->network, entry->broker, entry->other);
        link_controller(world, entry, true);
        break;
    case KB_FAULT_KIND_DISCONNECT:
        (void)mb_disconnect_clients(cluster, entry->broker, now_us);
        break;
    case KB_FAULT_KIND_DROP_RESPONSE:
        (void)inject(world, entry, MB_FAULT_DROP_RESPONSE);
        break;
    case KB_FAULT_KIND_DROP_REQUEST:
        (void)inject(world, entry, MB_FAULT_DROP_REQUEST);
        break;
    case KB_FAULT_KIND_DELAY_RESPONSE:
        (void)inject(world, entry, MB_FAULT_DELAY_RESPONSE);
        break;
    case KB_FAULT_KIND_ERROR:
        (void)inject(world, entry, MB_FAULT_ERROR);
        break;
    case KB_FAULT_KIND_THROTTLE:
        (void)inject(world, entry, MB_FAULT_THROTTLE);
        break;
    case KB_FAULT_KIND_MOVE_LEADER:
        (void)mb_move_leader(cluster, entry->topic, entry->partition, entry->broker, now_us);
        break;
    case KB_FAULT_KIND_ADD_PARTITIONS:
        (void)mb_add_partitions(cluster, entry->topic, (int32_t)entry->count, now_us);
        break;
    case KB_FAULT_KIND_CORRUPT_BATCH:
        KB_UNREACHABLE(); /* the scenario loader does not let it through */
    }
    sim_world_pump_cluster(world);
}

static void apply_setting(struct sim_world *world, const struct sim_timeline_entry *entry)
{
    KB_ASSERT(entry->producer >= 0 && (uint32_t)entry->producer < world->producer_count);
    struct sim_producer_driver *driver = &world->producers[entry->producer];
    struct kb_trace *trace = world->is_logging ? &driver->trace : NULL;
    uint32_t setting = kb_trace_intern(trace, entry->setting, strlen(entry->setting));
    uint32_t value = kb_trace_intern(trace, entry->value, strlen(entry->value));
    world->cause = KB_TRACE(trace, 0, SETTING_CHANGED, setting_changed, .setting = setting, .value = value,
                            .recreated = driver->core != NULL);
    sim_driver_set(driver, entry->setting, entry->value);
}

void sim_world_apply(struct sim_world *world, const struct sim_timeline_entry *entry)
{
    world->cause = 0;
    if (entry->is_set) {
        apply_setting(world, entry);
        return;
    }
    struct kb_trace *trace = world->is_logging ? &world->cluster_trace : NULL;
    uint32_t topic = entry->topic != NULL ? kb_trace_intern(trace, entry->topic, strlen(entry->topic)) : 0;
    world->cause = KB_TRACE(trace, 0, FAULT, fault, .ms = entry->value_us / 1000, .fault = entry->fault,
                            .broker = entry->broker, .other = entry->other, .topic = topic,
                            .partition = entry->partition, .by_hand = entry->by_hand);
    apply_fault(world, entry);
}
