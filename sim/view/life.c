#include "view/life.h"

#include <string.h>

/* Where each kind keeps what names a thing; −1: it does not. */
struct places {
    int32_t record[KB_EVENT_KIND_COUNT];
    int32_t batch[KB_EVENT_KIND_COUNT];
    int32_t request[KB_EVENT_KIND_COUNT];
    int32_t broker[KB_EVENT_KIND_COUNT];
    int32_t leader[KB_EVENT_KIND_COUNT];
    int32_t node[KB_EVENT_KIND_COUNT];
    int32_t topic[KB_EVENT_KIND_COUNT];
    int32_t partition[KB_EVENT_KIND_COUNT];
    int32_t connection[KB_EVENT_KIND_COUNT];
    bool is_known;
};

static int32_t place_of(uint32_t kind, const char *name)
{
    const struct kb_event_info *info = kb_event_info(kind);
    for (uint32_t i = 0; i < info->field_count; i++) {
        bool is_small = info->fields[i].type == KB_FIELD_I32 || info->fields[i].type == KB_FIELD_U32 ||
                        info->fields[i].type == KB_FIELD_NAME;
        if (is_small && strcmp(info->fields[i].name, name) == 0) {
            return (int32_t)info->fields[i].offset_bytes;
        }
    }
    return -1;
}

static const struct places *places(void)
{
    static struct places table;
    if (!table.is_known) {
        for (uint32_t kind = 0; kind < KB_EVENT_KIND_COUNT; kind++) {
            table.record[kind] = place_of(kind, "record");
            table.batch[kind] = place_of(kind, "batch");
            table.request[kind] = place_of(kind, "request");
            table.broker[kind] = place_of(kind, "broker");
            table.leader[kind] = place_of(kind, "leader");
            table.node[kind] = place_of(kind, "node");
            table.topic[kind] = place_of(kind, "topic");
            table.partition[kind] = place_of(kind, "partition");
            table.connection[kind] = place_of(kind, "connection");
        }
        table.is_known = true;
    }
    return &table;
}

static bool holds(const struct kb_event *event, int32_t place, int64_t value)
{
    if (place < 0) {
        return false;
    }
    int32_t found;
    memcpy(&found, (const char *)event + place, sizeof found);
    return found == (int32_t)value;
}

/* Is that connection this producer's? Their numbers are not used again, and it was opened before. */
static bool is_connection_of(const struct sim_event_log *log, uint32_t connection, int32_t end)
{
    uint64_t count = sim_event_log_count(log);
    for (uint64_t i = 1; i <= count; i++) {
        const struct kb_event *event = sim_event_log_get(log, i);
        if (event->kind == KB_EVENT_CONNECTION_OPENED &&
            event->as.connection_opened.connection == connection) {
            return event->as.connection_opened.from == end;
        }
    }
    return false;
}

/* On the wires and at brokers a request's number says nothing without whose it is. */
static bool is_of_producer(const struct sim_event_log *log, const struct kb_event *event, uint32_t producer)
{
    int32_t end = -1 - (int32_t)producer;
    if (event->source != KB_SOURCE_CLUSTER) {
        return event->source == producer;
    }
    if (event->kind == KB_EVENT_PACKET_SENT) {
        return event->as.packet_sent.from == end || event->as.packet_sent.to == end;
    }
    if (sim_event_log_info_view(log)->producer_count <= 1) {
        return true;
    }
    int32_t place = places()->connection[event->kind];
    uint32_t connection = 0;
    if (place >= 0) {
        memcpy(&connection, (const char *)event + place, sizeof connection);
    }
    return connection != 0 && is_connection_of(log, connection, end);
}

static bool is_about_place(const struct kb_event *event, const struct view_thing *thing)
{
    const struct places *table = places();
    if (event->kind == KB_EVENT_FOLLOWER_FETCHED) {
        return false; /* so many that nothing else would show */
    }
    bool is_there = holds(event, table->topic[event->kind], thing->name) &&
                    holds(event, table->partition[event->kind], thing->number);
    switch (thing->kind) {
    case VIEW_THING_BROKER:
        return kb_event_info(event->kind)->lane >= KB_LANE_BROKER &&
               (holds(event, table->broker[event->kind], thing->number) ||
                (event->kind == KB_EVENT_LEADER_ELECTED && event->as.leader_elected.leader == thing->number));
    case VIEW_THING_PARTITION:
        return is_there && kb_event_info(event->kind)->lane >= KB_LANE_BROKER;
    case VIEW_THING_REPLICA:
        return is_there && kb_event_info(event->kind)->lane >= KB_LANE_BROKER &&
               (holds(event, table->broker[event->kind], thing->other) ||
                event->kind == KB_EVENT_LEADER_ELECTED);
    case VIEW_THING_NODE:
        return event->source == thing->producer && holds(event, table->node[event->kind], thing->number);
    case VIEW_THING_POOL:
        return event->source == thing->producer &&
               (event->kind == KB_EVENT_MEMORY_ALLOCATED || event->kind == KB_EVENT_MEMORY_DEALLOCATED ||
                event->kind == KB_EVENT_MEMORY_WAITER_QUEUED);
    case VIEW_THING_SENDER:
        return event->source == thing->producer && kb_event_info(event->kind)->lane == KB_LANE_SENDER &&
               event->kind != KB_EVENT_BATCH_HELD && event->kind != KB_EVENT_MEMORY_DEALLOCATED;
    case VIEW_THING_CONSUMER:
        return event->source == KB_SOURCE_CONSUMER + thing->number;
    case VIEW_THING_STATION:
        return kb_event_info(event->kind)->lane == KB_LANE_APP && places()->record[event->kind] >= 0;
    case VIEW_THING_NONE:
    case VIEW_THING_RECORD:
    case VIEW_THING_BATCH:
    case VIEW_THING_REQUEST:
    case VIEW_THING_EVENT:
        break;
    }
    return false;
}

bool life_is_about(const struct sim_event_log *log, const struct kb_event *event,
                   const struct view_thing *thing, uint32_t batch)
{
    const struct places *table = places();
    uint32_t kind = event->kind;
    switch (thing->kind) {
    case VIEW_THING_RECORD:
        if (holds(event, table->record[kind], thing->number)) {
            return true;
        }
        /* What happens to its batch happens to it; what happens to the others in there does not. */
        return batch != 0 && event->source == thing->producer && table->record[kind] < 0 &&
               kind != KB_EVENT_BATCH_HELD && holds(event, table->batch[kind], batch);
    case VIEW_THING_BATCH:
        return event->source == thing->producer && kind != KB_EVENT_RECORD_COMPLETED &&
               holds(event, table->batch[kind], thing->number);
    case VIEW_THING_REQUEST:
        return holds(event, table->request[kind], thing->number) &&
               is_of_producer(log, event, thing->producer);
    case VIEW_THING_BROKER:
    case VIEW_THING_PARTITION:
    case VIEW_THING_REPLICA:
    case VIEW_THING_NODE:
    case VIEW_THING_STATION:
    case VIEW_THING_POOL:
    case VIEW_THING_SENDER:
    case VIEW_THING_CONSUMER:
        return is_about_place(event, thing);
    case VIEW_THING_NONE:
    case VIEW_THING_EVENT:
        break;
    }
    return false;
}

static bool ends(const struct kb_event *event, const struct view_thing *thing)
{
    switch (thing->kind) {
    case VIEW_THING_RECORD:
        return event->kind == KB_EVENT_RECORD_CALLBACK || event->kind == KB_EVENT_RECORD_REJECTED;
    case VIEW_THING_BATCH:
        return event->kind == KB_EVENT_BATCH_DONE;
    case VIEW_THING_REQUEST:
        return event->kind == KB_EVENT_RESPONSE_RECEIVED || event->kind == KB_EVENT_REQUEST_FAILED;
    case VIEW_THING_NONE:
    case VIEW_THING_BROKER:
    case VIEW_THING_PARTITION:
    case VIEW_THING_REPLICA:
    case VIEW_THING_NODE:
    case VIEW_THING_EVENT:
    case VIEW_THING_STATION:
    case VIEW_THING_POOL:
    case VIEW_THING_SENDER:
    case VIEW_THING_CONSUMER:
        break;
    }
    return false;
}

void life_trace(struct life *life, const struct sim_event_log *log, const struct view_thing *thing,
                uint64_t first, uint32_t batch)
{
    uint64_t count = sim_event_log_count(log);
    bool same = life->log == log && view_thing_equals(&life->thing, thing);
    if (same && (life->is_over || life->looked_at == count)) {
        return;
    }
    *life = (struct life){.thing = *thing, .log = log, .looked_at = count};
    for (uint64_t i = first > 0 ? first : 1; i <= count && i - first < LIFE_LOOK_EVENTS; i++) {
        const struct kb_event *event = sim_event_log_get(log, i);
        /* A record's batch is known from its append on. */
        if (thing->kind == VIEW_THING_RECORD && event->kind == KB_EVENT_RECORD_APPENDED &&
            event->as.record_appended.record == (uint32_t)thing->number) {
            batch = event->as.record_appended.batch;
        }
        if (!life_is_about(log, event, thing, batch)) {
            continue;
        }
        if (life->count == LIFE_EVENTS_MAX) {
            life->is_cut = true;
            return;
        }
        life->events[life->count++] = i;
        if (ends(event, thing)) {
            life->is_over = true;
            return;
        }
    }
}

void life_trace_back(struct life *life, const struct sim_event_log *log, const struct view_thing *thing,
                     uint64_t last, uint32_t count_max)
{
    enum { LOOK_BACK = 1 << 14 };
    count_max = count_max < LIFE_EVENTS_MAX ? count_max : LIFE_EVENTS_MAX;
    *life = (struct life){.thing = *thing, .log = log};
    for (uint64_t i = last; i > 0 && last - i < LOOK_BACK && life->count < count_max; i--) {
        if (life_is_about(log, sim_event_log_get(log, i), thing, 0)) {
            life->events[life->count++] = i;
        }
    }
}
