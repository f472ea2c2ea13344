/*
 * What a timeline does to the world: faults, and changes of settings. Each is announced before its
 * consequences.
 */
#include "engine/world_internal.h"

#include <string.h>

#include "base/assert.h"

static int32_t request_fault_kind(enum kb_fault_kind kind)
{
    switch (kind) {
    case KB_FAULT_KIND_KILL:
        return MB_FAULT_KILL;
    case KB_FAULT_KIND_SHUTDOWN:
        return MB_FAULT_SHUTDOWN;
    case KB_FAULT_KIND_FREEZE:
        return MB_FAULT_FREEZE;
    case KB_FAULT_KIND_CUT:
        return MB_FAULT_CUT_LINKS;
    case KB_FAULT_KIND_DISCONNECT:
        return MB_FAULT_DISCONNECT;
    case KB_FAULT_KIND_DROP_RESPONSE:
        return MB_FAULT_DROP_RESPONSE;
    case KB_FAULT_KIND_DROP_REQUEST:
        return MB_FAULT_DROP_REQUEST;
    case KB_FAULT_KIND_DELAY_RESPONSE:
        return MB_FAULT_DELAY_RESPONSE;
    case KB_FAULT_KIND_ERROR:
        return MB_FAULT_ERROR;
    case KB_FAULT_KIND_THROTTLE:
        return MB_FAULT_THROTTLE;
    case KB_FAULT_KIND_CORRUPT_BATCH:
        return MB_FAULT_CORRUPT_BATCH;
    case KB_FAULT_KIND_RESTART:
    case KB_FAULT_KIND_THAW:
    case KB_FAULT_KIND_SLOW_REPLICA:
    case KB_FAULT_KIND_SLOW_DISK:
    case KB_FAULT_KIND_HEAL:
    case KB_FAULT_KIND_MOVE_LEADER:
    case KB_FAULT_KIND_ADD_PARTITIONS:
        break;
    }
    return -1;
}

bool sim_timeline_is_armed(const struct sim_timeline_entry *entry)
{
    int32_t kind = entry->is_set ? -1 : request_fault_kind((enum kb_fault_kind)entry->fault);
    bool acts_by_itself = kind == MB_FAULT_KILL || kind == MB_FAULT_SHUTDOWN || kind == MB_FAULT_FREEZE ||
                          kind == MB_FAULT_CUT_LINKS || kind == MB_FAULT_DISCONNECT;
    return kind != -1 && (entry->point != MB_POINT_NONE || !acts_by_itself);
}

struct mb_request_fault sim_timeline_fault(const struct sim_timeline_entry *entry)
{
    return (struct mb_request_fault){
        .kind = (enum mb_request_fault_kind)request_fault_kind((enum kb_fault_kind)entry->fault),
        .point = (enum mb_fault_point)entry->point,
        .api = entry->api,
        .broker = entry->broker,
        .topic = entry->topic,
        .partition = entry->partition,
        .code = entry->code,
        .appended = entry->appended,
        .delay_us = entry->value_us,
        .skip = entry->skip,
        .count = entry->count,
        .cut_bytes = entry->cut_bytes,
        .link = entry->other,
        .one_way = entry->one_way,
        .undo_after_us = entry->undo_after_us,
    };
}

/* client.id as it is now: it may have been changed since the scenario began. */
static const char *client_of(const struct sim_world *world, int32_t producer)
{
    const struct sim_producer_driver *driver = &world->producers[producer];
    const char *client = driver->scenario->name;
    for (uint32_t i = 0; i < driver->entry_count; i++) {
        if (strcmp(driver->entries[i].name, "client.id") == 0) {
            client = driver->entries[i].value;
        }
    }
    return client;
}

static void arm(struct sim_world *world, const struct sim_timeline_entry *entry)
{
    struct kb_trace *trace = world->is_logging ? &world->cluster_trace : NULL;
    struct mb_request_fault fault = sim_timeline_fault(entry);
    fault.client = entry->producer >= 0 ? client_of(world, entry->producer) : NULL;
    uint32_t topic = entry->topic != NULL ? kb_trace_intern(trace, entry->topic, strlen(entry->topic)) : 0;
    uint32_t client = fault.client != NULL ? kb_trace_intern(trace, fault.client, strlen(fault.client)) : 0;
    int64_t ms = (entry->value_us != 0 ? entry->value_us : entry->undo_after_us) / 1000;
    world->cause =
        KB_TRACE(trace, 0, FAULT_ARMED, fault_armed, .fault = entry->fault, .point = entry->point,
                 .broker = entry->broker, .other = sim_end_in_trace(entry->other), .client = client,
                 .topic = topic, .partition = entry->partition, .api = entry->api, .skip = entry->skip,
                 .count = entry->count, .ms = (int32_t)ms, .by_hand = entry->by_hand);
    bool is_armed = mb_inject(world->cluster, &fault);
    KB_ASSERT(is_armed); /* the loader, and whoever acts by hand, have asked mb_fault_check */
}

/* A broker that is cut off from all others is cut off from ZooKeeper, too: its session ends by itself. */
static void link_controller(struct sim_world *world, int32_t broker, int32_t other, bool is_up)
{
    if (other == SIM_END_ALL || other == SIM_END_CLUSTER) {
        (void)mb_controller_link(world->cluster, broker, is_up, world->scheduler.now_us);
    }
}

static void cut(struct sim_world *world, int32_t broker, int32_t other, bool one_way)
{
    sim_network_cut(&world->network, broker, other, one_way);
    link_controller(world, broker, other, false);
}

/* It ends by itself after a while. */
static void plan_end(struct sim_world *world, enum kb_fault_kind fault, int32_t broker, int32_t other,
                     int64_t after_us)
{
    if (after_us <= 0) {
        return;
    }
    struct sim_timeline_entry entry = {
        .at_us = world->scheduler.now_us + after_us,
        .fault = (int32_t)fault,
        .broker = broker,
        .other = other,
        .producer = -1,
        .partition = -1,
    };
    sim_world_add_to_timeline(world, &entry);
}

static void plan_end_of_entry(struct sim_world *world, const struct sim_timeline_entry *entry)
{
    switch ((int)entry->fault) {
    case KB_FAULT_KIND_KILL:
    case KB_FAULT_KIND_SHUTDOWN:
        plan_end(world, KB_FAULT_KIND_RESTART, entry->broker, SIM_END_ALL, entry->undo_after_us);
        break;
    case KB_FAULT_KIND_FREEZE:
        plan_end(world, KB_FAULT_KIND_THAW, entry->broker, SIM_END_ALL, entry->undo_after_us);
        break;
    case KB_FAULT_KIND_CUT:
        plan_end(world, KB_FAULT_KIND_HEAL, entry->broker, entry->other, entry->undo_after_us);
        break;
    default:
        break;
    }
}

void sim_world_fault_happened(struct sim_world *world, const struct mb_output *output)
{
    switch ((enum mb_request_fault_kind)output->fault) {
    case MB_FAULT_KILL:
        sim_network_reset_broker(&world->network, output->from);
        plan_end(world, KB_FAULT_KIND_RESTART, output->from, SIM_END_ALL, output->undo_after_us);
        return;
    case MB_FAULT_SHUTDOWN:
        plan_end(world, KB_FAULT_KIND_RESTART, output->from, SIM_END_ALL, output->undo_after_us);
        return;
    case MB_FAULT_FREEZE:
        plan_end(world, KB_FAULT_KIND_THAW, output->from, SIM_END_ALL, output->undo_after_us);
        return;
    case MB_FAULT_CUT_LINKS:
        cut(world, output->from, output->link, output->one_way);
        plan_end(world, KB_FAULT_KIND_HEAL, output->from, output->link, output->undo_after_us);
        return;
    case MB_FAULT_ERROR:
    case MB_FAULT_DELAY_RESPONSE:
    case MB_FAULT_DROP_RESPONSE:
    case MB_FAULT_DROP_REQUEST:
    case MB_FAULT_DISCONNECT:
    case MB_FAULT_THROTTLE:
    case MB_FAULT_CORRUPT_BATCH:
        break; /* the cluster's alone */
    }
    KB_UNREACHABLE();
}

static void kill(struct sim_world *world, const struct sim_timeline_entry *entry)
{
    if (mb_kill(world->cluster, entry->broker, world->scheduler.now_us)) {
        sim_network_reset_broker(&world->network, entry->broker);
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
        cut(world, entry->broker, entry->other, entry->one_way);
        break;
    case KB_FAULT_KIND_HEAL:
        sim_network_heal(&world->network, entry->broker, entry->other);
        link_controller(world, entry->broker, entry->other, true);
        break;
    case KB_FAULT_KIND_DISCONNECT:
        (void)mb_disconnect_clients(cluster, entry->broker, now_us);
        break;
    case KB_FAULT_KIND_MOVE_LEADER:
        (void)mb_move_leader(cluster, entry->topic, entry->partition, entry->broker, now_us);
        break;
    case KB_FAULT_KIND_ADD_PARTITIONS:
        (void)mb_add_partitions(cluster, entry->topic, (int32_t)entry->count, now_us);
        break;
    case KB_FAULT_KIND_DROP_RESPONSE:
    case KB_FAULT_KIND_DROP_REQUEST:
    case KB_FAULT_KIND_DELAY_RESPONSE:
    case KB_FAULT_KIND_ERROR:
    case KB_FAULT_KIND_THROTTLE:
    case KB_FAULT_KIND_CORRUPT_BATCH:
        KB_UNREACHABLE(); /* they are armed */
    }
    plan_end_of_entry(world, entry);
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
    if (sim_timeline_is_armed(entry)) {
        arm(world, entry);
        return;
    }
    struct kb_trace *trace = world->is_logging ? &world->cluster_trace : NULL;
    uint32_t topic = entry->topic != NULL ? kb_trace_intern(trace, entry->topic, strlen(entry->topic)) : 0;
    world->cause = KB_TRACE(trace, 0, FAULT, fault, .ms = entry->value_us / 1000, .fault = entry->fault,
                            .broker = entry->broker, .other = sim_end_in_trace(entry->other), .topic = topic,
                            .partition = entry->partition, .by_hand = entry->by_hand, .api = -1);
    apply_fault(world, entry);
}
