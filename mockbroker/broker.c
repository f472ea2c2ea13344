#include "mockbroker/broker.h"
#include "mockbroker/client_quota.h"

#include "base/assert.h"
#include "mockbroker/check.h"
#include "mockbroker/connection.h"
#include "mockbroker/coordinator.h"
#include "mockbroker/partition.h"
#include "mockbroker/replica_fetcher.h"
#include "mockbroker/transaction_coordinator.h"
#include "wire/errors.h"

#include <string.h>

enum { ALTER_ISR_RETRY_US = 50000 };

static void alter_isr_again(struct mb_cluster *cluster, struct mb_timer *timer)
{
    (void)cluster;
    mb_broker_propagate_isr_changes(KB_CONTAINER_OF(timer, struct mb_broker, alter_isr_retry));
}

static void ask_for_shutdown(struct mb_cluster *cluster, struct mb_timer *timer);

void mb_broker_init(struct mb_cluster *cluster, int32_t index, int32_t id, const char *host, uint16_t port)
{
    struct mb_broker *broker = &cluster->brokers[index];
    *broker = (struct mb_broker){
        .cluster = cluster,
        .index = index,
        .id = id,
        .host_bytes = strlen(host) + 1,
        .port = port,
        .alive = mb_take(cluster->allocator, cluster->broker_count * sizeof(bool)),
        .controller = -1,
        .fetchers = mb_take(cluster->allocator, cluster->broker_count * sizeof(struct mb_fetcher *)),
        .started_us = cluster->now_us,
        .isr_check = {.fire = mb_broker_check_isrs, .broker = broker},
        .alter_isr_retry = {.fire = alter_isr_again, .broker = broker},
        .shutdown_retry = {.fire = ask_for_shutdown, .broker = broker},
        .transaction_scan = {.fire = mb_transactions_scan, .broker = broker},
        .retention_check = {.fire = mb_retention_check, .broker = broker},
    };
    broker->host = mb_take(cluster->allocator, broker->host_bytes);
    memcpy(broker->host, host, broker->host_bytes);
    kb_list_init(&broker->connections);
    kb_list_init(&broker->held_timers);
    kb_list_init(&broker->held_controls);
    kb_list_init(&broker->lagging);
    kb_list_init(&broker->alter_isr_queue);
}

void mb_broker_release(struct mb_broker *broker)
{
    const struct linger_allocator *allocator = broker->cluster->allocator;
    for (uint32_t i = 0; i < broker->hosted_capacity; i++) {
        if (broker->hosted[i] != NULL) {
            mb_partition_destroy(broker->hosted[i]);
        }
    }
    mb_give(allocator, broker->hosted, broker->hosted_capacity * sizeof(struct mb_partition *));
    mb_give(allocator, broker->known, broker->known_capacity * sizeof(struct mb_partition_state *));
    mb_give(allocator, broker->alive, broker->cluster->broker_count * sizeof(bool));
    mb_give(allocator, broker->fetchers, broker->cluster->broker_count * sizeof(struct mb_fetcher *));
    mb_give(allocator, broker->host, broker->host_bytes);
}

int64_t mb_broker_disk_done_us(struct mb_broker *broker)
{
    int64_t now_us = broker->cluster->now_us;
    broker->disk_free_us =
        (broker->disk_free_us > now_us ? broker->disk_free_us : now_us) + broker->append_us;
    return broker->disk_free_us;
}

/* --- What the controller says --- */

void mb_broker_learn(struct mb_broker *broker, const struct mb_topic_partition *tp,
                     struct mb_partition_state *state)
{
    const struct linger_allocator *allocator = broker->cluster->allocator;
    broker->known = mb_reserve(allocator, broker->known, &broker->known_capacity, tp->number + 1,
                               sizeof(struct mb_partition_state *));
    mb_partition_state_hold(state);
    if (broker->known[tp->number] != NULL) {
        mb_partition_state_drop(allocator, broker->known[tp->number]);
    }
    broker->known[tp->number] = state;
}

struct mb_partition_state *mb_broker_knows(const struct mb_broker *broker,
                                           const struct mb_topic_partition *tp)
{
    return tp->number < broker->known_capacity ? broker->known[tp->number] : NULL;
}

void mb_broker_become(struct mb_broker *broker, struct mb_topic_partition *tp,
                      const struct mb_partition_state *state)
{
    broker->hosted = mb_reserve(broker->cluster->allocator, broker->hosted, &broker->hosted_capacity,
                                tp->number + 1, sizeof(struct mb_partition *));
    if (broker->hosted[tp->number] == NULL) {
        broker->hosted[tp->number] = mb_partition_create(broker, tp);
    }
    struct mb_partition *partition = broker->hosted[tp->number];
    if (state->leader_epoch <= partition->leader_epoch) {
        return; /* STALE_CONTROLLER_EPOCH: older, or known already */
    }
    if (state->leader == broker->index) {
        mb_fetcher_remove(partition);
        mb_partition_make_leader(partition, state);
    } else if (state->leader < 0 || !broker->alive[state->leader]) {
        /* makeFollowers: without a live leader only the log is made sure of; whoever led goes on believing
         * so. */
        partition->is_online = true;
    } else if (mb_partition_make_follower(partition, state)) {
        mb_fetcher_remove(partition);
        mb_fetcher_add(partition);
    }
}

static void update_metadata(struct mb_broker *broker, const struct mb_control *control)
{
    memcpy(broker->alive, control->alive, broker->cluster->broker_count * sizeof(bool));
    broker->controller = control->controller;
    for (uint32_t i = 0; i < control->item_count; i++) {
        mb_broker_learn(broker, control->items[i].tp, control->items[i].state);
    }
    if (broker->state == MB_BROKER_STARTING) {
        mb_broker_up(broker); /* the first one: the registration was accepted */
    }
    mb_coordinators_look_again(broker);
}

static void stop_replicas(struct mb_broker *broker, const struct mb_control *control)
{
    for (uint32_t i = 0; i < control->item_count; i++) {
        struct mb_partition *partition = mb_partition_online(broker, control->items[i].tp);
        if (partition != NULL) {
            mb_fetcher_remove(partition);
        }
    }
}

/* Kafka: DefaultAlterIsrManager.handleAlterIsrResponse. */
static void alter_isr_done(struct mb_broker *broker, const struct mb_control *control)
{
    if (control->answers != broker->alter_isr_message) {
        return;
    }
    broker->alter_isr_message = 0;
    bool is_refused = control->item_count > 0 && control->items[0].error == KW_ERROR_STALE_BROKER_EPOCH;
    for (uint32_t i = 0; i < control->item_count; i++) {
        const struct mb_control_item *item = &control->items[i];
        struct mb_partition *partition = mb_partition_online(broker, item->tp);
        if (partition == NULL || partition->alter_isr != MB_ALTER_ISR_IN_FLIGHT) {
            continue;
        }
        if (is_refused) {
            partition->alter_isr = MB_ALTER_ISR_QUEUED;
            kb_list_push_back(&broker->alter_isr_queue, &partition->of_alter_isr);
        } else {
            mb_partition_alter_isr_done(partition, item->state, item->error);
        }
    }
    if (is_refused) {
        mb_timer_set(broker->cluster, &broker->alter_isr_retry, broker->cluster->now_us + ALTER_ISR_RETRY_US);
    } else {
        mb_broker_propagate_isr_changes(broker);
    }
}

static void acknowledge(struct mb_broker *broker, const struct mb_control *control)
{
    struct mb_control *done =
        mb_control_create(broker->cluster, MB_CONTROL_DONE, broker->index, MB_TO_CONTROLLER);
    done->answers = control->number;
    mb_control_send(broker->cluster, done);
}

static void shutdown_answered(struct mb_broker *broker, uint64_t remaining);

void mb_broker_receive(struct mb_broker *broker, struct mb_control *control)
{
    switch (control->kind) {
    case MB_CONTROL_UPDATE_METADATA:
        update_metadata(broker, control);
        acknowledge(broker, control);
        return;
    case MB_CONTROL_LEADER_AND_ISR:
        for (uint32_t i = 0; i < control->item_count; i++) {
            mb_broker_become(broker, control->items[i].tp, control->items[i].state);
        }
        mb_fetchers_close_idle(broker);
        acknowledge(broker, control);
        return;
    case MB_CONTROL_STOP_REPLICA:
        stop_replicas(broker, control);
        acknowledge(broker, control);
        return;
    case MB_CONTROL_ALTER_ISR_DONE:
        alter_isr_done(broker, control);
        mb_control_destroy(broker->cluster, control);
        return;
    case MB_CONTROL_SHUTDOWN_DONE: {
        uint64_t remaining = control->answers;
        mb_control_destroy(broker->cluster, control);
        shutdown_answered(broker, remaining);
        return;
    }
    case MB_CONTROL_TXN_MARKERS:
        mb_txn_receive_markers(broker, control);
        return;
    case MB_CONTROL_TXN_MARKERS_DONE:
        mb_txn_receive_markers_done(broker, control);
        return;
    case MB_CONTROL_DONE:
    case MB_CONTROL_REGISTER:
    case MB_CONTROL_SESSION_CLOSED:
    case MB_CONTROL_ALTER_ISR:
    case MB_CONTROL_SHUTDOWN:
    case MB_CONTROL_CREATE_TOPIC:
        break;
    }
    KB_UNREACHABLE();
}

/* --- Start and stop --- */

void mb_broker_up(struct mb_broker *broker)
{
    broker->state = MB_BROKER_UP;
    KB_TRACE(broker->cluster->trace, 0, BROKER_UP, broker_up, .broker = broker->id);
}

static void forget_metadata(struct mb_broker *broker)
{
    for (uint32_t i = 0; i < broker->known_capacity; i++) {
        if (broker->known[i] != NULL) {
            mb_partition_state_drop(broker->cluster->allocator, broker->known[i]);
            broker->known[i] = NULL;
        }
    }
    memset(broker->alive, 0, broker->cluster->broker_count * sizeof(bool));
    broker->controller = -1;
}

/* What a frozen process had not read yet, and timers of its that were due, are nobody's now. */
static void forget_held(struct mb_broker *broker)
{
    struct kb_list_node *node;
    broker->is_frozen = false;
    while ((node = kb_list_pop_front(&broker->held_controls)) != NULL) {
        mb_control_return(broker->cluster, KB_CONTAINER_OF(node, struct mb_control, node));
    }
    while ((node = kb_list_first(&broker->held_timers)) != NULL) {
        mb_timer_set(broker->cluster, KB_CONTAINER_OF(node, struct mb_timer, held), broker->cluster->now_us);
    }
}

void mb_broker_stop(struct mb_broker *broker, bool clean)
{
    struct mb_cluster *cluster = broker->cluster;
    if (broker->state == MB_BROKER_DOWN) {
        return;
    }
    KB_TRACE(cluster->trace, 0, BROKER_DOWN, broker_down, .broker = broker->id, .clean = clean);
    struct kb_list_node *node;
    while ((node = kb_list_first(&broker->connections)) != NULL) {
        mb_connection_kill(cluster, KB_CONTAINER_OF(node, struct mb_connection, of_broker));
    }
    mb_fetchers_stop(broker);
    for (uint32_t i = 0; i < broker->hosted_capacity; i++) {
        if (broker->hosted[i] != NULL) {
            mb_partition_stop(broker->hosted[i], clean);
        }
    }
    forget_metadata(broker);
    mb_timer_cancel(cluster, &broker->isr_check);
    mb_timer_cancel(cluster, &broker->alter_isr_retry);
    mb_timer_cancel(cluster, &broker->shutdown_retry);
    mb_timer_cancel(cluster, &broker->transaction_scan);
    mb_timer_cancel(cluster, &broker->retention_check);
    mb_quota_sensors_release(broker);
    broker->state = MB_BROKER_DOWN;
    broker->alter_isr_message = 0;
    broker->next_producer_id = broker->producer_ids_end; /* what is left of the block is lost */
    forget_held(broker);
}

bool mb_kill(struct mb_cluster *cluster, int32_t broker_id, int64_t now_us)
{
    mb_cluster_begin(cluster, now_us);
    struct mb_broker *broker = mb_broker_of(cluster, broker_id);
    if (broker == NULL || broker->state == MB_BROKER_DOWN) {
        return false;
    }
    mb_broker_stop(broker, false);
    mb_controller_silence(cluster, broker->index);
    mb_cluster_settle(cluster);
    return true;
}

bool mb_restart(struct mb_cluster *cluster, int32_t broker_id, int64_t now_us)
{
    mb_cluster_begin(cluster, now_us);
    struct mb_broker *broker = mb_broker_of(cluster, broker_id);
    if (broker == NULL || broker->state != MB_BROKER_DOWN) {
        return false;
    }
    broker->state = MB_BROKER_STARTING;
    broker->incarnation++;
    broker->started_us = now_us;
    broker->disk_free_us = now_us;
    mb_control_send(cluster,
                    mb_control_create(cluster, MB_CONTROL_REGISTER, broker->index, MB_TO_CONTROLLER));
    mb_cluster_settle(cluster);
    return true;
}

/* Kafka: KafkaServer.controlledShutdown succeeded or was given up: the session ends with a word. */
static void finish_shutdown(struct mb_broker *broker)
{
    struct mb_cluster *cluster = broker->cluster;
    mb_broker_stop(broker, true);
    mb_controller_silence(cluster, broker->index);
    mb_control_send(cluster,
                    mb_control_create(cluster, MB_CONTROL_SESSION_CLOSED, broker->index, MB_TO_CONTROLLER));
}

/* The controller answers, or a wait is over: try (again), or stop all the same. */
static void ask_for_shutdown(struct mb_cluster *cluster, struct mb_timer *timer)
{
    struct mb_broker *broker = KB_CONTAINER_OF(timer, struct mb_broker, shutdown_retry);
    if (broker->shutdown_attempts > mb_setting(cluster, MB_SETTING_CONTROLLED_SHUTDOWN_MAX_RETRIES)) {
        finish_shutdown(broker);
        return;
    }
    broker->shutdown_attempts++;
    mb_control_send(cluster,
                    mb_control_create(cluster, MB_CONTROL_SHUTDOWN, broker->index, MB_TO_CONTROLLER));
    mb_timer_set(cluster, &broker->shutdown_retry,
                 cluster->now_us +
                     mb_setting(cluster, MB_SETTING_CONTROLLED_SHUTDOWN_RETRY_BACKOFF_MS) * 1000);
}

static void shutdown_answered(struct mb_broker *broker, uint64_t remaining)
{
    if (broker->state == MB_BROKER_STOPPING && remaining == 0) {
        finish_shutdown(broker);
    }
}

bool mb_broker_begin_shutdown(struct mb_broker *broker)
{
    struct mb_cluster *cluster = broker->cluster;
    if (broker->state != MB_BROKER_UP) {
        return false;
    }
    broker->shutdown_attempts = 0;
    if (mb_setting(cluster, MB_SETTING_CONTROLLED_SHUTDOWN_ENABLE)) {
        broker->state = MB_BROKER_STOPPING;
        ask_for_shutdown(cluster, &broker->shutdown_retry);
    } else {
        finish_shutdown(broker);
    }
    return true;
}

bool mb_shutdown(struct mb_cluster *cluster, int32_t broker_id, int64_t now_us)
{
    mb_cluster_begin(cluster, now_us);
    struct mb_broker *broker = mb_broker_of(cluster, broker_id);
    bool has_begun = broker != NULL && mb_broker_begin_shutdown(broker);
    mb_cluster_settle(cluster);
    return has_begun;
}

bool mb_broker_freeze(struct mb_broker *broker)
{
    if (broker->state == MB_BROKER_DOWN || broker->is_frozen) {
        return false;
    }
    broker->is_frozen = true;
    for (uint32_t i = 0; i < broker->hosted_capacity; i++) {
        if (broker->hosted[i] != NULL) {
            mb_check_touch(broker->cluster, broker->hosted[i]->tp); /* it looks at no ISR until it thaws */
        }
    }
    mb_controller_silence(broker->cluster, broker->index);
    return true;
}

bool mb_freeze(struct mb_cluster *cluster, int32_t broker_id, int64_t now_us)
{
    mb_cluster_begin(cluster, now_us);
    struct mb_broker *broker = mb_broker_of(cluster, broker_id);
    return broker != NULL && mb_broker_freeze(broker);
}

static void catch_up(struct mb_broker *broker)
{
    struct mb_cluster *cluster = broker->cluster;
    struct kb_list_node *node;
    while ((node = kb_list_pop_front(&broker->held_controls)) != NULL) {
        struct mb_control *control = KB_CONTAINER_OF(node, struct mb_control, node);
        mb_broker_receive(broker, control);
        if (broker->state == MB_BROKER_DOWN) {
            return;
        }
    }
    while ((node = kb_list_first(&broker->held_timers)) != NULL) {
        mb_timer_set(cluster, KB_CONTAINER_OF(node, struct mb_timer, held), cluster->now_us);
    }
    KB_LIST_FOR_EACH(place, &broker->connections)
    {
        struct mb_connection *connection = KB_CONTAINER_OF(place, struct mb_connection, of_broker);
        if (!kb_list_node_is_linked(&connection->ready)) {
            kb_list_push_back(&cluster->ready, &connection->ready);
        }
    }
    for (uint32_t i = 0; i < cluster->broker_count; i++) {
        if (broker->fetchers[i] != NULL) {
            mb_fetcher_read(broker->fetchers[i]);
        }
        if (broker->fetchers[i] != NULL) {
            mb_fetcher_run(broker->fetchers[i]);
        }
    }
}

bool mb_thaw(struct mb_cluster *cluster, int32_t broker_id, int64_t now_us)
{
    mb_cluster_begin(cluster, now_us);
    struct mb_broker *broker = mb_broker_of(cluster, broker_id);
    if (broker == NULL || !broker->is_frozen) {
        return false;
    }
    broker->is_frozen = false;
    mb_controller_hear(cluster, broker->index);
    catch_up(broker);
    mb_cluster_settle(cluster);
    return true;
}

bool mb_controller_link(struct mb_cluster *cluster, int32_t broker_id, bool is_up, int64_t now_us)
{
    mb_cluster_begin(cluster, now_us);
    struct mb_broker *broker = mb_broker_of(cluster, broker_id);
    if (broker == NULL) {
        return false;
    }
    mb_controller_set_link(cluster, broker->index, is_up);
    mb_cluster_settle(cluster);
    return true;
}

bool mb_slow_replica(struct mb_cluster *cluster, int32_t broker_id, int64_t fetch_delay_us)
{
    struct mb_broker *broker = mb_broker_of(cluster, broker_id);
    if (broker == NULL || fetch_delay_us < 0) {
        return false;
    }
    broker->fetch_delay_us = fetch_delay_us;
    return true;
}

bool mb_slow_disk(struct mb_cluster *cluster, int32_t broker_id, int64_t append_us)
{
    struct mb_broker *broker = mb_broker_of(cluster, broker_id);
    if (broker == NULL || append_us < 0) {
        return false;
    }
    broker->append_us = append_us;
    return true;
}
