#include "engine/network.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "engine/random.h"

enum packet_kind {
    PACKET_CONNECT, /* from the asking end */
    PACKET_ACCEPTED,
    PACKET_REFUSED,
    PACKET_BYTES,
    PACKET_CLOSE,
    PACKET_CONTROL,
};

struct packet {
    struct kb_list_node node;
    struct sim_task task;
    struct sim_network *network;
    struct sim_connection *connection; /* NULL: CONTROL */
    enum packet_kind kind;
    int32_t from;
    int32_t to;
    bool is_held; /* by a cut link */
    uint32_t number;
    uint64_t message;
    uint64_t cause; /* the event of its departure */
    struct sim_packet_label label;
    size_t length_bytes;
    uint8_t bytes[];
};

int32_t sim_end_in_trace(int32_t end)
{
    enum { FIRST_CONSUMER = -1001 };
    return sim_end_is_producer(end)   ? -1 - (end - sim_end_of_producer(0))
           : sim_end_is_consumer(end) ? FIRST_CONSUMER - (end - sim_end_of_consumer(0))
                                      : end;
}

void sim_network_init(struct sim_network *network, const struct sim_scenario *scenario, uint64_t seed,
                      struct sim_scheduler *scheduler, struct kb_trace *trace,
                      const struct sim_network_listener *listener)
{
    *network = (struct sim_network){
        .scheduler = scheduler, .trace = trace, .listener = *listener, .scenario = scenario};
    kb_prng_init(&network->prng, seed, SIM_STREAM_NETWORK);
    kb_list_init(&network->connections);
    kb_list_init(&network->packets);
}

void sim_network_release(struct sim_network *network)
{
    for (struct kb_list_node *node; (node = kb_list_pop_front(&network->packets)) != NULL;) {
        struct packet *packet = KB_CONTAINER_OF(node, struct packet, node);
        sim_scheduler_cancel(network->scheduler, &packet->task);
        free(packet);
    }
    for (struct kb_list_node *node; (node = kb_list_pop_front(&network->connections)) != NULL;) {
        free(KB_CONTAINER_OF(node, struct sim_connection, node));
    }
    free(network->by_id);
    free(network->cuts);
    *network = (struct sim_network){0};
}

static void *allocate(size_t size_bytes)
{
    void *memory = calloc(1, size_bytes);
    KB_ASSERT(memory != NULL);
    return memory;
}

static bool covers(int32_t pattern, int32_t end)
{
    return pattern == end || pattern == SIM_END_ALL ||
           (pattern == SIM_END_PRODUCER && sim_end_is_producer(end)) ||
           (pattern == SIM_END_CONSUMER && sim_end_is_consumer(end)) ||
           (pattern == SIM_END_CLUSTER && !sim_end_is_client(end));
}

bool sim_network_is_cut(const struct sim_network *network, int32_t from, int32_t to)
{
    for (uint32_t i = 0; i < network->cut_count; i++) {
        if (covers(network->cuts[i].from, from) && covers(network->cuts[i].to, to)) {
            return true;
        }
    }
    return false;
}

static int64_t draw_latency_us(struct sim_network *network, int32_t from, int32_t to)
{
    bool between_brokers = !sim_end_is_client(from) && !sim_end_is_client(to);
    return sim_random_draw(&network->prng, between_brokers ? &network->scenario->broker_latency_us
                                                           : &network->scenario->latency_us);
}

/* Both ends know that it is over and nothing is on its way: nobody can name it any more. */
static void forget_if_over(struct sim_network *network, struct sim_connection *connection)
{
    if (connection->is_closed_at_from && connection->is_closed_at_to && connection->packet_count == 0) {
        network->by_id[connection->id - 1] = NULL;
        kb_list_remove(&connection->node);
        free(connection);
    }
}

static void release(struct packet *packet)
{
    if (packet->connection != NULL) {
        packet->connection->packet_count--;
    }
    free(packet);
}

static void discard(struct sim_network *network, struct packet *packet)
{
    kb_list_remove(&packet->node);
    sim_scheduler_cancel(network->scheduler, &packet->task);
    release(packet);
}

static void depart(struct packet *packet)
{
    struct sim_network *network = packet->network;
    struct sim_connection *connection = packet->connection;
    int64_t now_us = network->scheduler->now_us;
    int64_t arrives_us = now_us + draw_latency_us(network, packet->from, packet->to);
    if (connection != NULL) {
        int direction = packet->from == connection->from ? 0 : 1;
        int64_t start_us = connection->free_us[direction] > now_us ? connection->free_us[direction] : now_us;
        int64_t bandwidth = network->scenario->bandwidth_bytes_per_s;
        int64_t transfer_us = bandwidth > 0 ? (int64_t)packet->length_bytes * 1000000 / bandwidth : 0;
        connection->free_us[direction] = start_us + transfer_us;
        arrives_us += start_us - now_us + transfer_us;
        if (arrives_us < connection->arrival_us[direction]) {
            arrives_us = connection->arrival_us[direction];
        }
        connection->arrival_us[direction] = arrives_us;
    }
    KB_ASSERT(connection != NULL || packet->kind == PACKET_CONTROL);
    if (packet->kind == PACKET_BYTES) {
        packet->cause =
            KB_TRACE(network->trace, packet->cause, PACKET_SENT, packet_sent, .arrives_us = arrives_us,
                     .packet = packet->number, .connection = connection->id,
                     .from = sim_end_in_trace(packet->from), .to = sim_end_in_trace(packet->to),
                     .bytes = (int32_t)packet->length_bytes, .api = packet->label.api,
                     .request = packet->label.request, .is_response = packet->label.is_response);
    }
    packet->is_held = sim_network_is_cut(network, packet->from, packet->to);
    if (!packet->is_held) {
        sim_scheduler_at(network->scheduler, &packet->task, arrives_us);
    } else if (packet->kind == PACKET_CONTROL) {
        sim_scheduler_at(network->scheduler, &packet->task, arrives_us);
    } else if (packet->kind == PACKET_BYTES) {
        KB_TRACE(network->trace, packet->cause, PACKET_LOST, packet_lost, .packet = packet->number,
                 .connection = connection->id, .from = sim_end_in_trace(packet->from),
                 .to = sim_end_in_trace(packet->to));
    }
}

static void arrive(void *context);

static struct packet *make_packet(struct sim_network *network, enum packet_kind kind,
                                  struct sim_connection *connection, int32_t from, int32_t to,
                                  size_t length_bytes)
{
    struct packet *packet = allocate(sizeof *packet + length_bytes);
    packet->network = network;
    packet->kind = kind;
    packet->connection = connection;
    packet->from = from;
    packet->to = to;
    packet->length_bytes = length_bytes;
    packet->number = ++network->packet_count;
    packet->label = (struct sim_packet_label){.api = -1};
    sim_task_init(&packet->task, arrive, packet);
    kb_list_push_back(&network->packets, &packet->node);
    if (connection != NULL) {
        connection->packet_count++;
    }
    return packet;
}

static void tell_closed(struct sim_network *network, struct sim_connection *connection, uint32_t refused)
{
    KB_TRACE(network->trace, 0, CONNECTION_CLOSED, connection_closed, .connection = connection->id,
             .from = sim_end_in_trace(connection->from), .to = sim_end_in_trace(connection->to),
             .refused = refused);
}

static void arrive_connect(struct sim_network *network, struct sim_connection *connection)
{
    if (connection->is_closed_at_to) {
        return; /* the process that it was for has died: its end is on its way to the asking end */
    }
    bool taken = network->listener.arrived(network->listener.context, connection);
    connection->is_closed_at_to = !taken;
    depart(make_packet(network, taken ? PACKET_ACCEPTED : PACKET_REFUSED, connection, connection->to,
                       connection->from, 0));
}

static void arrive_answer(struct sim_network *network, struct sim_connection *connection, bool taken)
{
    if (connection->is_closed_at_from) {
        return;
    }
    if (taken) {
        connection->is_established = true;
        KB_TRACE(network->trace, 0, CONNECTION_OPENED, connection_opened, .connection = connection->id,
                 .from = sim_end_in_trace(connection->from), .to = sim_end_in_trace(connection->to));
        network->listener.established(network->listener.context, connection);
    } else {
        connection->is_closed_at_from = connection->owner == NULL;
        tell_closed(network, connection, 1);
        network->listener.refused(network->listener.context, connection);
    }
}

static bool *closed_flag(struct sim_connection *connection, int32_t end)
{
    return end == connection->from ? &connection->is_closed_at_from : &connection->is_closed_at_to;
}

static void arrive_bytes(struct sim_network *network, struct packet *packet)
{
    struct sim_connection *connection = packet->connection;
    if (*closed_flag(connection, packet->to)) {
        KB_TRACE(network->trace, packet->cause, PACKET_LOST, packet_lost, .packet = packet->number,
                 .connection = connection->id, .from = sim_end_in_trace(packet->from),
                 .to = sim_end_in_trace(packet->to));
        return;
    }
    uint64_t cause = KB_TRACE(network->trace, packet->cause, PACKET_ARRIVED, packet_arrived,
                              .packet = packet->number, .connection = connection->id,
                              .from = sim_end_in_trace(packet->from), .to = sim_end_in_trace(packet->to));
    network->listener.caused_by(network->listener.context, cause);
    network->listener.received(network->listener.context, connection, packet->to, packet->bytes,
                               packet->length_bytes);
}

static void arrive(void *context)
{
    struct packet *packet = context;
    struct sim_network *network = packet->network;
    struct sim_connection *connection = packet->connection;
    KB_ASSERT(connection != NULL || packet->kind == PACKET_CONTROL);
    /* It is on its way no more: whoever closes the connection now must not discard it. */
    kb_list_remove(&packet->node);
    if (connection != NULL) {
        connection->packet_count++; /* kept while the listener works */
    }
    switch (packet->kind) {
    case PACKET_CONNECT:
        arrive_connect(network, connection);
        break;
    case PACKET_ACCEPTED:
    case PACKET_REFUSED:
        arrive_answer(network, connection, packet->kind == PACKET_ACCEPTED);
        break;
    case PACKET_BYTES:
        arrive_bytes(network, packet);
        break;
    case PACKET_CLOSE:
        if (!*closed_flag(connection, packet->to)) {
            /* A client closes its end when it reads the end of the stream. */
            *closed_flag(connection, packet->to) = !sim_end_is_client(packet->to);
            network->listener.closed(network->listener.context, connection, packet->to);
        }
        break;
    case PACKET_CONTROL:
        network->listener.control(network->listener.context, packet->message, packet->is_held);
        break;
    }
    release(packet);
    if (connection != NULL) {
        connection->packet_count--;
        forget_if_over(network, connection);
    }
}

struct sim_connection *sim_network_connect(struct sim_network *network, int32_t from, int32_t to,
                                           uint64_t message, void *owner)
{
    struct sim_connection *connection = allocate(sizeof *connection);
    connection->id = ++network->connection_count;
    connection->from = from;
    connection->to = to;
    connection->message = message;
    connection->owner = owner;
    if (connection->id > network->by_id_capacity) {
        network->by_id_capacity = network->by_id_capacity != 0 ? 2 * network->by_id_capacity : 64;
        struct sim_connection **grown =
            realloc(network->by_id, network->by_id_capacity * sizeof(struct sim_connection *));
        KB_ASSERT(grown != NULL);
        network->by_id = grown;
    }
    network->by_id[connection->id - 1] = connection;
    kb_list_push_back(&network->connections, &connection->node);
    struct packet *packet = make_packet(network, PACKET_CONNECT, connection, from, to, 0);
    connection->free_us[0] = network->scheduler->now_us + network->scenario->connect_us;
    depart(packet);
    return connection;
}

struct sim_connection *sim_network_find(struct sim_network *network, uint32_t id)
{
    return id >= 1 && id <= network->connection_count ? network->by_id[id - 1] : NULL;
}

void sim_network_send(struct sim_network *network, struct sim_connection *connection, int32_t from,
                      const struct sim_segment *segments, uint32_t segment_count,
                      const struct sim_packet_label *label, uint64_t cause)
{
    if (*closed_flag(connection, from)) {
        return;
    }
    size_t length_bytes = 0;
    for (uint32_t i = 0; i < segment_count; i++) {
        length_bytes += segments[i].length_bytes;
    }
    int32_t to = from == connection->from ? connection->to : connection->from;
    struct packet *packet = make_packet(network, PACKET_BYTES, connection, from, to, length_bytes);
    packet->label = *label;
    packet->cause = cause;
    size_t place = 0;
    for (uint32_t i = 0; i < segment_count; i++) {
        if (segments[i].length_bytes > 0) {
            memcpy(packet->bytes + place, segments[i].bytes, segments[i].length_bytes);
            place += segments[i].length_bytes;
        }
    }
    depart(packet);
}

void sim_network_close(struct sim_network *network, struct sim_connection *connection, int32_t at)
{
    if (*closed_flag(connection, at)) {
        return;
    }
    *closed_flag(connection, at) = true;
    int32_t other = at == connection->from ? connection->to : connection->from;
    if (!*closed_flag(connection, other)) {
        tell_closed(network, connection, 0);
        depart(make_packet(network, PACKET_CLOSE, connection, at, other, 0));
    }
    /* What is held for the closed end will never be wanted; and what this end could not send, its host gives
     * up before the link heals. */
    for (struct kb_list_node *node = kb_list_first(&network->packets), *next; node != NULL; node = next) {
        next = kb_list_next(&network->packets, node);
        struct packet *packet = KB_CONTAINER_OF(node, struct packet, node);
        if (packet->is_held && packet->connection == connection &&
            (packet->to == at || packet->kind == PACKET_BYTES)) {
            discard(network, packet);
        }
    }
    forget_if_over(network, connection);
}

void sim_network_reset_broker(struct sim_network *network, int32_t broker)
{
    for (struct kb_list_node *node = kb_list_first(&network->connections), *next; node != NULL; node = next) {
        next = kb_list_next(&network->connections, node);
        struct sim_connection *connection = KB_CONTAINER_OF(node, struct sim_connection, node);
        if (connection->from == broker || connection->to == broker) {
            sim_network_close(network, connection, broker);
        }
    }
}

void sim_network_control(struct sim_network *network, int32_t from, int32_t to, uint64_t message)
{
    struct packet *packet = make_packet(network, PACKET_CONTROL, NULL, from, to, 0);
    packet->message = message;
    depart(packet);
}

static void add_cut(struct sim_network *network, int32_t from, int32_t to)
{
    if (network->cut_count == network->cut_capacity) {
        network->cut_capacity = network->cut_capacity != 0 ? 2 * network->cut_capacity : 8;
        struct sim_cut *grown = realloc(network->cuts, network->cut_capacity * sizeof(struct sim_cut));
        KB_ASSERT(grown != NULL);
        network->cuts = grown;
    }
    network->cuts[network->cut_count++] = (struct sim_cut){from, to};
}

void sim_network_cut(struct sim_network *network, int32_t from, int32_t to, bool one_way)
{
    add_cut(network, from, to);
    if (!one_way) {
        add_cut(network, to, from);
    }
    /* What is on its way over the link does not arrive. */
    KB_LIST_FOR_EACH(node, &network->packets)
    {
        struct packet *packet = KB_CONTAINER_OF(node, struct packet, node);
        if (!packet->is_held && sim_network_is_cut(network, packet->from, packet->to) &&
            packet->kind != PACKET_CONTROL) {
            packet->is_held = true;
            sim_scheduler_cancel(network->scheduler, &packet->task);
            if (packet->kind == PACKET_BYTES) {
                KB_TRACE(network->trace, 0, PACKET_LOST, packet_lost, .packet = packet->number,
                         .connection = packet->connection->id, .from = sim_end_in_trace(packet->from),
                         .to = sim_end_in_trace(packet->to));
            }
        }
    }
}

void sim_network_heal(struct sim_network *network, int32_t from, int32_t to)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < network->cut_count; i++) {
        struct sim_cut cut = network->cuts[i];
        /* Healed with everybody is healed with each. */
        bool healed =
            (covers(from, cut.from) && covers(to, cut.to)) || (covers(to, cut.from) && covers(from, cut.to));
        if (!healed) {
            network->cuts[kept++] = cut;
        }
    }
    network->cut_count = kept;
    KB_LIST_FOR_EACH(node, &network->packets)
    {
        struct packet *packet = KB_CONTAINER_OF(node, struct packet, node);
        if (packet->is_held && packet->kind != PACKET_CONTROL &&
            !sim_network_is_cut(network, packet->from, packet->to)) {
            depart(packet);
        }
    }
}
