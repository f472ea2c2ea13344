/*
 * The wires and the cluster: packets, replicas, leaders, and what people do to them.
 */
#include <string.h>

#include "model/fold.h"

/* --- Network
 * ----------------------------------------------------------------------------------------------------------
 */

static void packet_sent(const struct fold *fold)
{
    const struct kb_event_packet_sent *event = &fold->event->as.packet_sent;
    struct model_packet *packet = &fold->model->packets[event->packet % MODEL_PACKETS];
    memset(packet, 0, sizeof *packet);
    packet->departed_us = fold->event->time_us;
    packet->arrives_us = event->arrives_us;
    packet->lost_us = -1;
    packet->event = fold->model->sequence;
    packet->number = event->packet;
    packet->connection = event->connection;
    packet->request = event->request;
    packet->from = event->from;
    packet->to = event->to;
    packet->bytes = event->bytes;
    packet->api = event->api;
    packet->is_response = (uint8_t)event->is_response;
}

static struct model_packet *packet_of(const struct fold *fold, uint32_t number)
{
    int32_t index = sim_model_find_packet(fold->model, number);
    return index >= 0 ? &fold->model->packets[index] : NULL;
}

void fold_network_event(const struct fold *fold)
{
    const struct kb_event *event = fold->event;
    switch (event->kind) {
    case KB_EVENT_PACKET_SENT:
        packet_sent(fold);
        break;
    case KB_EVENT_PACKET_ARRIVED: {
        struct model_packet *packet = packet_of(fold, event->as.packet_arrived.packet);
        if (packet != NULL) {
            packet->number = 0;
        }
        break;
    }
    case KB_EVENT_PACKET_LOST: {
        struct model_packet *packet = packet_of(fold, event->as.packet_lost.packet);
        if (packet != NULL) {
            packet->lost_us = event->time_us;
        }
        break;
    }
    case KB_EVENT_CONNECTION_OPENED: {
        const struct kb_event_connection_opened *opened = &event->as.connection_opened;
        struct model_connection *connection =
            &fold->model->connections[opened->connection % MODEL_CONNECTIONS];
        connection->number = opened->connection;
        connection->from = opened->from;
        connection->to = opened->to;
        break;
    }
    case KB_EVENT_CONNECTION_CLOSED: {
        int32_t index = sim_model_find_connection(fold->model, event->as.connection_closed.connection);
        if (index >= 0) {
            fold->model->connections[index].number = 0;
        }
        break;
    }
    default:
        break;
    }
}

/* --- Logs
 * ----------------------------------------------------------------------------------------------------------------
 */

static void add_range(struct model_replica *replica, int64_t first_offset, int64_t last_offset, int64_t at_us,
                      uint8_t producer)
{
    if (replica->range_count == MODEL_RANGES) {
        memmove(replica->ranges, replica->ranges + 1, (MODEL_RANGES - 1) * sizeof replica->ranges[0]);
        replica->range_count--;
    }
    struct model_range *range = &replica->ranges[replica->range_count++];
    memset(range, 0, sizeof *range);
    range->first_offset = first_offset;
    range->last_offset = last_offset;
    range->at_us = at_us;
    range->producer = producer;
    replica->end_offset = last_offset + 1;
    replica->caught_up_us = at_us;
}

/* Which producer is at the other end of a connection; 0xff when that is not known. */
static uint8_t producer_at(const struct sim_model *model, uint32_t connection)
{
    int32_t index = sim_model_find_connection(model, connection);
    int32_t from = index >= 0 ? model->connections[index].from : 0;
    return from < 0 && -from <= SIM_PRODUCERS_MAX ? (uint8_t)(-from - 1) : 0xff;
}

static void leader_appended(const struct fold *fold)
{
    const struct kb_event_leader_appended *event = &fold->event->as.leader_appended;
    struct model_replica *replica = fold_replica(fold, event->broker, event->topic, event->partition);
    if (replica != NULL) {
        uint8_t producer = producer_at(fold->model, event->connection);
        add_range(replica, event->base_offset, event->last_offset, fold->event->time_us, producer);
        fold_transactional_append(fold, event->topic, event->partition, event->base_offset,
                                  event->last_offset, producer);
        replica->last_event = fold->model->sequence;
    }
}

/* A follower's range is the leader's, so that one record has one colour everywhere. */
static void follower_appended(const struct fold *fold)
{
    const struct kb_event_follower_appended *event = &fold->event->as.follower_appended;
    struct model_replica *replica = fold_replica(fold, event->broker, event->topic, event->partition);
    if (replica == NULL) {
        return;
    }
    uint8_t producer = 0xff;
    int32_t leader = sim_model_find_replica(fold->model, replica->partition, event->leader);
    for (uint32_t i = 0; leader >= 0 && i < fold->model->replicas[leader].range_count; i++) {
        const struct model_range *range = &fold->model->replicas[leader].ranges[i];
        if (range->first_offset <= event->base_offset && event->base_offset <= range->last_offset) {
            producer = range->producer;
        }
    }
    add_range(replica, event->base_offset, event->last_offset, fold->event->time_us, producer);
    replica->last_event = fold->model->sequence;
}

static void log_truncated(const struct fold *fold)
{
    const struct kb_event_log_truncated *event = &fold->event->as.log_truncated;
    struct model_replica *replica = fold_replica(fold, event->broker, event->topic, event->partition);
    if (replica == NULL) {
        return;
    }
    replica->end_offset = event->end_offset;
    replica->last_event = fold->model->sequence;
    while (replica->range_count > 0) {
        struct model_range *range = &replica->ranges[replica->range_count - 1];
        if (range->first_offset >= event->end_offset) {
            memset(range, 0, sizeof *range);
            replica->range_count--;
            continue;
        }
        if (range->last_offset >= event->end_offset) {
            range->last_offset = event->end_offset - 1;
        }
        break;
    }
    fold->model->last_error = fold->model->sequence;
}

static void append_duplicate(const struct fold *fold)
{
    const struct kb_event_append_duplicate *event = &fold->event->as.append_duplicate;
    struct model_replica *replica = fold_replica(fold, event->broker, event->topic, event->partition);
    for (uint32_t i = 0; replica != NULL && i < replica->range_count; i++) {
        if (replica->ranges[i].first_offset == event->base_offset) {
            replica->ranges[i].is_duplicate = 1;
        }
    }
}

/* --- Leaders and ISR
 * ------------------------------------------------------------------------------------------------------- */

static void leader_elected(const struct fold *fold)
{
    const struct kb_event_leader_elected *event = &fold->event->as.leader_elected;
    struct model_partition *partition = fold_partition(fold, event->topic, event->partition);
    if (partition == NULL) {
        return;
    }
    partition->leader = event->leader;
    partition->leader_epoch = event->leader_epoch;
    for (int32_t i = partition->first_replica; i >= 0; i = fold->model->replicas[i].next) {
        struct model_replica *replica = &fold->model->replicas[i];
        replica->is_leader = replica->broker == event->leader;
        if (event->why == KB_ELECTION_WHY_UNCLEAN) {
            replica->is_in_sync = replica->is_leader;
        }
    }
}

static void isr_changed(const struct fold *fold, uint32_t topic, int32_t partition_number, int32_t broker,
                        uint32_t isr_count, bool joins)
{
    struct model_partition *partition = fold_partition(fold, topic, partition_number);
    struct model_replica *replica = fold_replica(fold, broker, topic, partition_number);
    if (partition != NULL) {
        partition->isr_count = isr_count;
    }
    if (replica != NULL) {
        replica->is_in_sync = joins;
        replica->last_event = fold->model->sequence;
    }
    fold->model->last_fault = fold->model->sequence;
}

static struct model_broker *broker_of(const struct fold *fold, int32_t id)
{
    int32_t place = sim_model_find_broker(fold->model, id);
    return place >= 0 ? &fold->model->brokers[place] : NULL;
}

static void broker_changed(const struct fold *fold, int32_t id, bool is_up)
{
    struct model_broker *broker = broker_of(fold, id);
    if (broker == NULL) {
        return;
    }
    broker->is_up = is_up;
    broker->is_frozen = 0;
    broker->parked = 0;
    broker->changed_us = fold->event->time_us;
    broker->last_event = fold->model->sequence;
    if (!is_up) {
        fold->model->last_fault = fold->model->sequence;
    }
}

static void setting_changed(const struct fold *fold)
{
    const struct kb_event_setting_changed *event = &fold->event->as.setting_changed;
    fold->model->last_fault = fold->model->sequence;
    if (fold->event->source >= SIM_PRODUCERS_MAX) {
        return;
    }
    struct model_producer *producer = &fold->model->producers[fold->event->source];
    uint32_t place = 0;
    while (place < producer->setting_count && producer->settings[place].name != event->setting) {
        place++;
    }
    if (place == MODEL_SETTINGS) {
        fold->model->forgotten++;
        return;
    }
    producer->setting_count += place == producer->setting_count;
    struct model_setting *setting = &producer->settings[place];
    setting->event = fold->model->sequence;
    setting->name = event->setting;
    setting->value = event->value;
    setting->is_recreated = event->recreated != 0;
}

static uint8_t cut_of(int32_t other)
{
    /* As the engine names them; what is not here means everybody. */
    enum { FIRST_CONSUMER = -1001, CONSUMERS = -5, PRODUCERS = -2 };
    if (other == CONSUMERS || other <= FIRST_CONSUMER) {
        return MODEL_CUT_CONSUMERS;
    }
    return other >= 0 ? MODEL_CUT_BROKERS : other == PRODUCERS ? MODEL_CUT_PRODUCERS : MODEL_CUT_ALL;
}

static void set_link(struct sim_model *model, int32_t place, int32_t other, bool is_cut)
{
    struct model_broker *broker = &model->brokers[place];
    uint64_t bit = (uint64_t)1 << (other % 64);
    broker->cut_to[other / 64] =
        is_cut ? broker->cut_to[other / 64] | bit : broker->cut_to[other / 64] & ~bit;
    bool is_any_cut = false;
    for (size_t i = 0; i < sizeof broker->cut_to / sizeof broker->cut_to[0]; i++) {
        is_any_cut = is_any_cut || broker->cut_to[i] != 0;
    }
    broker->cut = is_any_cut ? broker->cut | MODEL_CUT_BROKERS : broker->cut & (uint8_t)~MODEL_CUT_BROKERS;
}

/* A link has two ends. other: a broker's id, or what stands for many: healed with everybody is healed with
 * each. */
static void link_changed(const struct fold *fold, int32_t broker, int32_t other, bool is_cut)
{
    int32_t place = sim_model_find_broker(fold->model, broker);
    bool is_each = other < 0 && cut_of(other) == MODEL_CUT_ALL && !is_cut;
    for (int32_t i = 0; i < (int32_t)fold->info->broker_count; i++) {
        if (i != place && (is_each || fold->model->brokers[i].id == other)) {
            set_link(fold->model, place, i, is_cut);
            set_link(fold->model, i, place, is_cut);
        }
    }
}

static void fault(const struct fold *fold)
{
    const struct kb_event_fault *event = &fold->event->as.fault;
    struct model_broker *broker = broker_of(fold, event->broker);
    fold->model->last_fault = fold->model->sequence;
    if (broker == NULL) {
        return;
    }
    broker->last_event = fold->model->sequence;
    switch ((enum kb_fault_kind)event->fault) {
    case KB_FAULT_KIND_FREEZE:
        broker->is_frozen = 1;
        break;
    case KB_FAULT_KIND_THAW:
        broker->is_frozen = 0;
        break;
    case KB_FAULT_KIND_SLOW_REPLICA:
        broker->fetch_delay_ms = event->ms;
        break;
    case KB_FAULT_KIND_SLOW_DISK:
        broker->append_delay_ms = event->ms;
        break;
    case KB_FAULT_KIND_CUT:
        broker->cut |= cut_of(event->other);
        link_changed(fold, event->broker, event->other, true);
        break;
    case KB_FAULT_KIND_HEAL:
        /* What is healed with everybody is healed with each; the rest as it was cut. */
        if (event->other < 0) {
            broker->cut &=
                cut_of(event->other) == MODEL_CUT_ALL ? MODEL_CUT_BROKERS : (uint8_t)~cut_of(event->other);
        }
        link_changed(fold, event->broker, event->other, false);
        break;
    case KB_FAULT_KIND_KILL:
    case KB_FAULT_KIND_RESTART:
    case KB_FAULT_KIND_DISCONNECT:
    case KB_FAULT_KIND_DROP_RESPONSE:
    case KB_FAULT_KIND_DROP_REQUEST:
    case KB_FAULT_KIND_DELAY_RESPONSE:
    case KB_FAULT_KIND_ERROR:
    case KB_FAULT_KIND_MOVE_LEADER:
    case KB_FAULT_KIND_ADD_PARTITIONS:
    case KB_FAULT_KIND_THROTTLE:
    case KB_FAULT_KIND_CORRUPT_BATCH:
    case KB_FAULT_KIND_SHUTDOWN:
        break;
    }
}

/* --- Requests at a broker
 * ----------------------------------------------------------------------------------------------------- */

static void produce_parked(const struct fold *fold)
{
    const struct kb_event_produce_parked *event = &fold->event->as.produce_parked;
    struct model_broker *broker = broker_of(fold, event->broker);
    uint8_t producer = producer_at(fold->model, event->connection);
    int32_t index =
        producer != 0xff ? sim_model_find_request(fold->model, producer, event->request) : MODEL_NONE;
    if (index >= 0 && !fold->model->requests[index].is_parked && broker != NULL) {
        fold->model->requests[index].is_parked = 1;
        broker->parked++;
    }
}

static void response_sent(const struct fold *fold)
{
    const struct kb_event_response_sent *event = &fold->event->as.response_sent;
    struct model_broker *broker = broker_of(fold, event->broker);
    uint8_t producer = producer_at(fold->model, event->connection);
    int32_t index =
        producer != 0xff ? sim_model_find_request(fold->model, producer, event->request) : MODEL_NONE;
    if (index >= 0 && fold->model->requests[index].is_parked && broker != NULL) {
        fold->model->requests[index].is_parked = 0;
        broker->parked -= broker->parked > 0;
    }
}

static void fold_log_event(const struct fold *fold)
{
    const struct kb_event *event = fold->event;
    switch (event->kind) {
    case KB_EVENT_LEADER_APPENDED:
        leader_appended(fold);
        break;
    case KB_EVENT_FOLLOWER_APPENDED:
        follower_appended(fold);
        break;
    case KB_EVENT_APPEND_DUPLICATE:
        append_duplicate(fold);
        break;
    case KB_EVENT_LOG_TRUNCATED:
        log_truncated(fold);
        break;
    case KB_EVENT_HW_ADVANCED: {
        const struct kb_event_hw_advanced *advanced = &event->as.hw_advanced;
        struct model_replica *replica =
            fold_replica(fold, advanced->broker, advanced->topic, advanced->partition);
        if (replica != NULL) {
            replica->high_watermark = advanced->high_watermark;
            if (!replica->is_held) {
                replica->last_stable_offset = advanced->high_watermark;
            }
            replica->last_event = fold->model->sequence;
        }
        break;
    }
    case KB_EVENT_LOG_START_MOVED: {
        const struct kb_event_log_start_moved *moved = &event->as.log_start_moved;
        struct model_replica *replica = fold_replica(fold, moved->broker, moved->topic, moved->partition);
        if (replica != NULL) {
            replica->start_offset = moved->start_offset;
        }
        break;
    }
    case KB_EVENT_PRODUCE_PARKED:
        produce_parked(fold);
        break;
    case KB_EVENT_RESPONSE_SENT:
        response_sent(fold);
        break;
    default:
        fold_consumer_event(fold);
        break;
    }
}

void fold_cluster_event(const struct fold *fold)
{
    const struct kb_event *event = fold->event;
    switch (event->kind) {
    case KB_EVENT_REPLICA_PLACED: {
        const struct kb_event_replica_placed *placed = &event->as.replica_placed;
        struct model_partition *partition = fold_partition(fold, placed->topic, placed->partition);
        if (fold_replica(fold, placed->broker, placed->topic, placed->partition) != NULL &&
            partition != NULL) {
            partition->isr_count++;
        }
        break;
    }
    case KB_EVENT_LEADER_ELECTED:
        leader_elected(fold);
        break;
    case KB_EVENT_ISR_SHRUNK: {
        const struct kb_event_isr_shrunk *shrunk = &event->as.isr_shrunk;
        isr_changed(fold, shrunk->topic, shrunk->partition, shrunk->broker, shrunk->isr_count, false);
        break;
    }
    case KB_EVENT_ISR_EXPANDED: {
        const struct kb_event_isr_expanded *expanded = &event->as.isr_expanded;
        isr_changed(fold, expanded->topic, expanded->partition, expanded->broker, expanded->isr_count, true);
        break;
    }
    case KB_EVENT_BROKER_UP:
        broker_changed(fold, event->as.broker_up.broker, true);
        break;
    case KB_EVENT_BROKER_DOWN:
        broker_changed(fold, event->as.broker_down.broker, false);
        break;
    case KB_EVENT_CONTROLLER_CHANGED:
        for (uint32_t i = 0; i < fold->info->broker_count; i++) {
            fold->model->brokers[i].is_controller =
                fold->model->brokers[i].id == event->as.controller_changed.broker;
        }
        break;
    case KB_EVENT_FAULT:
        fault(fold);
        break;
    case KB_EVENT_SETTING_CHANGED:
        setting_changed(fold);
        break;
    default:
        fold_log_event(fold);
        break;
    }
}
