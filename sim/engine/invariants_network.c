/*
 * The invariants of connections: what a broker reads of them, and in which order answers leave.
 */
#include "engine/invariants_internal.h"

#include <inttypes.h>

static void on_opened(struct sim_invariants *invariants, const struct kb_event_connection_opened *event)
{
    /* Producers are -1, -2 and so on. */
    struct sim_seen_connection *connection = sim_seen_connection(invariants, event->connection);
    bool is_producer = event->from < 0 && -1 - event->from < (int32_t)invariants->info->producer_count;
    connection->producer = is_producer ? -1 - event->from : -1;
}

static void on_arrived(struct sim_invariants *invariants, const struct kb_event_request_arrived *event)
{
    struct sim_seen_connection *connection = sim_seen_connection(invariants, event->connection);
    if (connection->is_to_close) {
        SIM_BROKEN(invariants, "rule 18: at %" PRId64 " us broker %d reads on after an error under acks=0",
                   invariants->now_us, event->broker);
    }
    if (invariants->now_us < connection->muted_until_us) {
        SIM_BROKEN(invariants,
                   "rule 20: at %" PRId64
                   " us broker %d reads from a connection that is throttled until %" PRId64 " us",
                   invariants->now_us, event->broker, connection->muted_until_us);
    }
    connection->arrived_us = invariants->now_us;
    connection->arrived_event = invariants->event;
}

static void on_packet(struct sim_invariants *invariants, const struct kb_event_packet_sent *event)
{
    struct sim_seen_connection *connection = sim_seen_connection(invariants, event->connection);
    if (event->is_response == 0 || connection->producer < 0 || event->packet <= connection->packet) {
        return; /* what a cut held back is sent once more */
    }
    connection->packet = event->packet;
    if (event->request + 1 < connection->left) {
        SIM_BROKEN(invariants,
                   "rule 14: at %" PRId64 " us the answer to request %" PRIu32
                   " leaves behind that to a later one",
                   invariants->now_us, event->request);
    }
    connection->left = event->request + 1;
}

void sim_invariants_of_network(struct sim_invariants *invariants, const struct kb_event *event)
{
    switch ((int)event->kind) {
    case KB_EVENT_CONNECTION_OPENED:
        on_opened(invariants, &event->as.connection_opened);
        break;
    case KB_EVENT_REQUEST_ARRIVED:
        on_arrived(invariants, &event->as.request_arrived);
        break;
    case KB_EVENT_PACKET_SENT:
        on_packet(invariants, &event->as.packet_sent);
        break;
    default:
        break;
    }
}
