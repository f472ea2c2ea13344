#include "scripted_internal.h"

#include <stdlib.h>
#include <string.h>

static void *allocate(size_t size_bytes)
{
    void *memory = calloc(1, size_bytes);
    if (memory == NULL) {
        (void)fprintf(stderr, "scripted cluster: out of memory\n");
        abort();
    }
    return memory;
}

static struct scripted_connection *find(struct scripted_cluster *cluster, uint32_t number)
{
    for (struct scripted_connection *c = cluster->connections; c != NULL; c = c->next) {
        if (c->number == number && !c->is_gone) {
            return c;
        }
    }
    return NULL;
}

void scripted_cluster_connect(struct scripted_cluster *cluster, uint32_t connection, int32_t node, int64_t t)
{
    int64_t broker = node >= 0 ? node : -1 - (int64_t)node;
    if (broker >= cluster->broker_count || find(cluster, connection) != NULL) {
        scripted_fail(cluster, "connection %u to node %d: there is no such node, or the number is taken",
                      (unsigned)connection, node);
        return;
    }
    struct scripted_connection *created = allocate(sizeof *created);
    created->number = connection;
    created->node = node;
    created->broker = (int32_t)broker;
    created->is_stuck = cluster->brokers[broker].is_hanging;
    created->made_at = t + cluster->connect_ms;
    struct scripted_connection **place = &cluster->connections;
    while (*place != NULL && (*place)->node <= node) {
        place = &(*place)->next;
    }
    created->next = *place;
    *place = created;
}

void scripted_cluster_hand_over(struct scripted_cluster *cluster, uint32_t connection, const void *bytes,
                                size_t length_bytes)
{
    struct scripted_connection *c = find(cluster, connection);
    if (c == NULL || !c->is_made || c->handed_over != NULL) {
        scripted_fail(cluster, "a request for connection %u, which %s", (unsigned)connection,
                      c == NULL     ? "is not there"
                      : !c->is_made ? "is not made yet"
                                    : "has one that is not written yet");
        return;
    }
    c->handed_over = allocate(length_bytes + 1);
    c->handed_over_bytes = length_bytes;
    memcpy(c->handed_over, bytes, length_bytes);
}

static void drop_arrivals(struct scripted_connection *c, int64_t after_t)
{
    struct scripted_arrival **place = &c->arrivals;
    c->last_arrival = NULL;
    while (*place != NULL) {
        struct scripted_arrival *arrival = *place;
        if (arrival->readable_at > after_t) {
            *place = arrival->next;
            free(arrival->frame);
            free(arrival);
        } else {
            c->last_arrival = arrival;
            place = &arrival->next;
        }
    }
}

/* From here on it is only memory, which the next step frees. */
static void end(struct scripted_connection *c)
{
    c->is_gone = true;
    free(c->handed_over);
    c->handed_over = NULL;
    drop_arrivals(c, INT64_MIN);
}

bool scripted_cluster_close(struct scripted_cluster *cluster, uint32_t connection)
{
    struct scripted_connection *c = find(cluster, connection);
    bool was_unsent = c != NULL && c->handed_over != NULL;
    if (c != NULL) {
        end(c);
    }
    return was_unsent;
}

/* Takes over the frame; NULL is the closing. It is read after what is on its way already, whenever that is.
 */
static void arrive(struct scripted_connection *c, int64_t readable_at, uint8_t *frame, size_t length_bytes,
                   int64_t correlation_id)
{
    struct scripted_arrival *arrival = allocate(sizeof *arrival);
    arrival->readable_at = readable_at;
    arrival->frame = frame;
    arrival->length_bytes = length_bytes;
    arrival->correlation_id = correlation_id;
    if (c->last_arrival != NULL) {
        c->last_arrival->next = arrival;
    } else {
        c->arrivals = arrival;
    }
    c->last_arrival = arrival;
}

static void close_now(struct scripted_connection *c, int64_t t)
{
    if (!c->is_gone) {
        drop_arrivals(c, t);
        c->is_silent = true;
        arrive(c, t, NULL, 0, -1);
    }
}

void scripted_close_connections(struct scripted_cluster *cluster, int32_t broker, int64_t t)
{
    for (struct scripted_connection *c = cluster->connections; c != NULL; c = c->next) {
        if (c->broker == broker && c->is_made) {
            close_now(c, t);
        }
    }
}

static void tell(const struct scripted_connection *c, enum scripted_report_kind kind,
                 const struct scripted_arrival *arrival, scripted_report_function *report, void *context)
{
    struct scripted_report told = {
        .kind = kind, .connection = c->number, .node = c->node, .correlation_id = -1};
    if (arrival != NULL) {
        told.frame = arrival->frame;
        told.length_bytes = arrival->length_bytes;
        told.correlation_id = arrival->correlation_id;
    }
    report(context, &told);
}

static void establish(const struct scripted_cluster *cluster, struct scripted_connection *c, int64_t t,
                      scripted_report_function *report, void *context)
{
    if (c->is_stuck || t < c->made_at) {
        return;
    }
    if (cluster->brokers[c->broker].is_down) {
        end(c);
        tell(c, SCRIPTED_REFUSED, NULL, report, context);
        return;
    }
    c->is_made = true;
    tell(c, SCRIPTED_CONNECTED, NULL, report, context);
}

static void read_one(struct scripted_cluster *cluster, struct scripted_connection *c, int64_t t,
                     scripted_report_function *report, void *context)
{
    struct scripted_arrival *arrival = c->arrivals;
    if (arrival == NULL || arrival->readable_at > t) {
        return;
    }
    c->arrivals = arrival->next;
    c->last_arrival = c->arrivals != NULL ? c->last_arrival : NULL;
    if (arrival->frame != NULL) {
        tell(c, SCRIPTED_RECEIVED, arrival, report, context);
    } else {
        if (c->handed_over != NULL) {
            tell(c, SCRIPTED_UNSENT, NULL, report, context);
        }
        end(c);
        tell(c, SCRIPTED_CLOSED, arrival, report, context);
    }
    arrival->next = cluster->read;
    cluster->read = arrival;
}

void scripted_release_read(struct scripted_cluster *cluster)
{
    while (cluster->read != NULL) {
        struct scripted_arrival *arrival = cluster->read;
        cluster->read = arrival->next;
        free(arrival->frame);
        free(arrival);
    }
}

static void write_one(struct scripted_cluster *cluster, struct scripted_connection *c, int64_t t,
                      scripted_report_function *report, void *context)
{
    struct scripted_answer answer;
    uint8_t *bytes = c->handed_over;
    if (bytes == NULL) {
        return;
    }
    c->handed_over = NULL;
    bool is_answered =
        scripted_broker_answer(cluster, c->broker, bytes, c->handed_over_bytes, t, &answer) && !c->is_silent;
    free(bytes);
    if (is_answered) {
        c->is_silent = answer.is_dropped || answer.closes || answer.closes_now;
        if (answer.closes_now) {
            close_now(c, t);
        } else if (answer.closes) {
            arrive(c, t + answer.latency_ms, NULL, 0, answer.correlation_id);
        } else if (!answer.is_dropped && answer.frame != NULL) {
            arrive(c, t + answer.latency_ms, answer.frame, answer.length_bytes, answer.correlation_id);
            answer.frame = NULL;
        }
    }
    free(answer.frame);
    tell(c, SCRIPTED_WRITTEN, NULL, report, context);
}

void scripted_cluster_move(struct scripted_cluster *cluster, int64_t t, scripted_report_function *report,
                           void *context)
{
    struct scripted_connection **place = &cluster->connections;
    scripted_release_read(cluster);
    while (*place != NULL) {
        struct scripted_connection *c = *place;
        if (c->is_gone) {
            *place = c->next;
            free(c);
            continue;
        }
        if (!c->is_made) {
            establish(cluster, c, t, report, context);
        } else {
            read_one(cluster, c, t, report, context);
            if (!c->is_gone) {
                write_one(cluster, c, t, report, context);
            }
        }
        place = &c->next;
    }
}
