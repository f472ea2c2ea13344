#include "mockbroker/controller.h"

#include "base/assert.h"
#include "mockbroker/broker.h"
#include "mockbroker/check.h"
#include "mockbroker/controller_internal.h"
#include "wire/errors.h"

enum { PRODUCER_ID_BLOCK_SIZE = 1000 };

static void session_expires(struct mb_cluster *cluster, struct mb_timer *timer);

void mb_controller_init(struct mb_cluster *cluster)
{
    struct mb_controller *controller = &cluster->controller;
    controller->broker = -1;
    controller->sessions = mb_take(cluster->allocator, cluster->broker_count * sizeof *controller->sessions);
    for (uint32_t i = 0; i < cluster->broker_count; i++) {
        controller->sessions[i].expiry.fire = session_expires;
        kb_list_init(&controller->sessions[i].queue);
    }
}

void mb_controller_release(struct mb_cluster *cluster)
{
    struct mb_controller *controller = &cluster->controller;
    for (uint32_t i = 0; i < cluster->tp_count; i++) {
        if (i < controller->state_capacity && controller->states[i] != NULL) {
            mb_partition_state_drop(cluster->allocator, controller->states[i]);
        }
    }
    mb_give(cluster->allocator, controller->states,
            controller->state_capacity * sizeof(struct mb_partition_state *));
    for (uint32_t i = 0; i < cluster->broker_count; i++) {
        struct mb_session *session = &controller->sessions[i];
        mb_timer_cancel(cluster, &session->expiry);
        mb_give(cluster->allocator, session->replicas,
                session->replica_capacity * sizeof(struct mb_topic_partition *));
    }
    mb_give(cluster->allocator, controller->sessions, cluster->broker_count * sizeof *controller->sessions);
}

struct mb_partition_state *mb_controller_state(const struct mb_cluster *cluster,
                                               const struct mb_topic_partition *tp)
{
    return cluster->controller.states[tp->number];
}

bool mb_controller_is_online(const struct mb_cluster *cluster, int32_t broker, bool includes_shutting_down)
{
    enum mb_session_state state = cluster->controller.sessions[broker].state;
    return state == MB_SESSION_LIVE || (includes_shutting_down && state == MB_SESSION_SHUTTING_DOWN);
}

static void announce_isr(struct mb_cluster *cluster, const struct mb_topic_partition *tp,
                         const struct mb_partition_state *old, const struct mb_partition_state *state)
{
    for (uint32_t i = 0; i < old->isr_count; i++) {
        if (!mb_is_member(state->isr, state->isr_count, old->isr[i])) {
            KB_TRACE(tp->topic->trace, 0, ISR_SHRUNK, isr_shrunk, .topic = tp->topic->trace_name,
                     .partition = tp->index, .broker = mb_broker_id(cluster, old->isr[i]),
                     .isr_count = state->isr_count, .leader = mb_broker_id(cluster, state->leader));
        }
    }
    for (uint32_t i = 0; i < state->isr_count; i++) {
        if (!mb_is_member(old->isr, old->isr_count, state->isr[i])) {
            KB_TRACE(tp->topic->trace, 0, ISR_EXPANDED, isr_expanded, .topic = tp->topic->trace_name,
                     .partition = tp->index, .broker = mb_broker_id(cluster, state->isr[i]),
                     .isr_count = state->isr_count, .leader = mb_broker_id(cluster, state->leader));
        }
    }
}

void mb_controller_set_state(struct mb_cluster *cluster, struct mb_topic_partition *tp,
                             struct mb_partition_state *state)
{
    struct mb_controller *controller = &cluster->controller;
    controller->states = mb_reserve(cluster->allocator, controller->states, &controller->state_capacity,
                                    tp->number + 1, sizeof(struct mb_partition_state *));
    struct mb_partition_state *old = controller->states[tp->number];
    controller->states[tp->number] = state;
    mb_check_touch(cluster, tp);
    if (old != NULL) {
        announce_isr(cluster, tp, old, state);
        mb_partition_state_drop(cluster->allocator, old);
    }
}

int64_t mb_controller_take_producer_ids(struct mb_cluster *cluster)
{
    int64_t first = cluster->controller.next_producer_id_block;
    cluster->controller.next_producer_id_block += PRODUCER_ID_BLOCK_SIZE;
    return first;
}

/* --- Channels: Kafka: ControllerChannelManager, RequestSendThread --- */

void mb_controller_send_next(struct mb_cluster *cluster, struct mb_session *session)
{
    if (session->in_flight != NULL) {
        return;
    }
    struct kb_list_node *node = kb_list_pop_front(&session->queue);
    if (node != NULL) {
        session->in_flight = KB_CONTAINER_OF(node, struct mb_control, node);
        mb_control_send(cluster, session->in_flight);
    }
}

static void enqueue(struct mb_cluster *cluster, int32_t broker, struct mb_control **control)
{
    if (*control == NULL) {
        return;
    }
    struct mb_session *session = &cluster->controller.sessions[broker];
    (*control)->in_channel = true;
    kb_list_push_back(&session->queue, &(*control)->node);
    *control = NULL;
    mb_controller_send_next(cluster, session);
}

static void clear_channel(struct mb_cluster *cluster, struct mb_session *session)
{
    struct kb_list_node *node;
    while ((node = kb_list_pop_front(&session->queue)) != NULL) {
        mb_control_destroy(cluster, KB_CONTAINER_OF(node, struct mb_control, node));
    }
    if (session->in_flight != NULL) {
        mb_control_forget(cluster, session->in_flight);
        session->in_flight = NULL;
    }
}

static struct mb_control *batch_of(struct mb_cluster *cluster, int32_t broker, enum mb_control_kind kind,
                                   struct mb_control **control)
{
    if (*control == NULL) {
        *control = mb_control_create(cluster, kind, MB_TO_CONTROLLER, broker);
    }
    return *control;
}

void mb_batch_leader_and_isr(struct mb_cluster *cluster, int32_t broker, struct mb_topic_partition *tp)
{
    struct mb_session *session = &cluster->controller.sessions[broker];
    if (session->state != MB_SESSION_NONE) {
        struct mb_control *control =
            batch_of(cluster, broker, MB_CONTROL_LEADER_AND_ISR, &session->leader_and_isr);
        mb_control_add(cluster, control, tp, mb_controller_state(cluster, tp), 0);
    }
}

void mb_batch_replicas(struct mb_cluster *cluster, struct mb_topic_partition *tp)
{
    for (uint32_t i = 0; i < tp->replica_count; i++) {
        mb_batch_leader_and_isr(cluster, tp->replicas[i], tp);
    }
}

void mb_batch_stop_replica(struct mb_cluster *cluster, int32_t broker, struct mb_topic_partition *tp)
{
    struct mb_session *session = &cluster->controller.sessions[broker];
    if (session->state != MB_SESSION_NONE) {
        struct mb_control *control =
            batch_of(cluster, broker, MB_CONTROL_STOP_REPLICA, &session->stop_replica);
        mb_control_add(cluster, control, tp, NULL, 0);
    }
}

void mb_batch_update_metadata_of(struct mb_cluster *cluster, int32_t broker, struct mb_topic_partition *tp)
{
    struct mb_session *session = &cluster->controller.sessions[broker];
    if (session->state != MB_SESSION_NONE) {
        struct mb_control *control =
            batch_of(cluster, broker, MB_CONTROL_UPDATE_METADATA, &session->update_metadata);
        if (tp != NULL) {
            mb_control_add(cluster, control, tp, mb_controller_state(cluster, tp), 0);
        }
    }
}

void mb_batch_update_metadata(struct mb_cluster *cluster, struct mb_topic_partition *tp)
{
    for (uint32_t i = 0; i < cluster->broker_count; i++) {
        mb_batch_update_metadata_of(cluster, (int32_t)i, tp);
    }
}

/* Kafka: sendRequestsToBrokers: leadership first, then the metadata, then who is to stop. */
void mb_batch_send(struct mb_cluster *cluster)
{
    for (uint32_t i = 0; i < cluster->broker_count; i++) {
        struct mb_session *session = &cluster->controller.sessions[i];
        struct mb_control *update = session->update_metadata;
        if (update != NULL) {
            update->alive = mb_take(cluster->allocator, cluster->broker_count * sizeof *update->alive);
            for (uint32_t j = 0; j < cluster->broker_count; j++) {
                update->alive[j] = mb_controller_is_online(cluster, (int32_t)j, true);
            }
            update->controller = cluster->controller.broker;
        }
        enqueue(cluster, (int32_t)i, &session->leader_and_isr);
        enqueue(cluster, (int32_t)i, &session->update_metadata);
        enqueue(cluster, (int32_t)i, &session->stop_replica);
    }
}

/* --- Who is alive --- */

/* The one with the lowest id, when the last one is gone. */
static void choose_controller(struct mb_cluster *cluster)
{
    struct mb_controller *controller = &cluster->controller;
    if (controller->broker >= 0 && mb_controller_is_online(cluster, controller->broker, true)) {
        return;
    }
    controller->broker = -1;
    for (uint32_t i = 0; i < cluster->broker_count && controller->broker < 0; i++) {
        controller->broker = mb_controller_is_online(cluster, (int32_t)i, true) ? (int32_t)i : -1;
    }
    if (controller->broker >= 0) {
        controller->epoch++;
        KB_TRACE(cluster->trace, 0, CONTROLLER_CHANGED, controller_changed,
                 .broker = mb_broker_id(cluster, controller->broker), .epoch = controller->epoch);
    }
}

/* Kafka: KafkaController.onBrokerStartup. */
void mb_controller_broker_started(struct mb_cluster *cluster, int32_t broker)
{
    struct mb_session *session = &cluster->controller.sessions[broker];
    session->state = MB_SESSION_LIVE;
    session->incarnation = cluster->brokers[broker].incarnation;
    session->wants_registration = false;
    mb_timer_cancel(cluster, &session->expiry);
    clear_channel(cluster, session);
    choose_controller(cluster);
    mb_batch_update_metadata(cluster, NULL);
    for (uint32_t i = 0; i < cluster->tp_count; i++) {
        mb_batch_update_metadata_of(cluster, broker, cluster->tps[i]);
    }
    mb_batch_send(cluster);
    for (uint32_t i = 0; i < session->replica_count; i++) {
        mb_batch_leader_and_isr(cluster, broker, session->replicas[i]);
    }
    mb_batch_send(cluster);
    /* triggerOnlinePartitionStateChange: only partitions with a replica there can have become electable. */
    for (uint32_t i = 0; i < session->replica_count; i++) {
        if (!mb_partition_has_leader(cluster, session->replicas[i])) {
            mb_elect_offline(cluster, session->replicas[i], KB_ELECTION_WHY_RETURNED);
        }
    }
    mb_batch_send(cluster);
}

/* Kafka: KafkaController.onBrokerFailure, onReplicasBecomeOffline. */
void mb_controller_broker_failed(struct mb_cluster *cluster, int32_t broker)
{
    struct mb_session *session = &cluster->controller.sessions[broker];
    session->state = MB_SESSION_NONE;
    mb_timer_cancel(cluster, &session->expiry);
    clear_channel(cluster, session);
    KB_TRACE(cluster->trace, 0, BROKER_LOSS_NOTICED, broker_loss_noticed,
             .broker = mb_broker_id(cluster, broker));
    choose_controller(cluster);
    for (uint32_t i = 0; i < session->replica_count; i++) {
        if (mb_controller_state(cluster, session->replicas[i])->leader == broker) {
            mb_elect_offline(cluster, session->replicas[i], KB_ELECTION_WHY_LEADER_LOST);
        }
    }
    for (uint32_t i = 0; i < session->replica_count; i++) {
        mb_remove_from_isr(cluster, session->replicas[i], broker);
    }
    mb_batch_update_metadata(cluster, NULL);
    mb_batch_send(cluster);
    if (session->wants_registration && cluster->brokers[broker].state != MB_BROKER_DOWN) {
        mb_controller_broker_started(cluster, broker);
        if (cluster->brokers[broker].is_frozen || session->is_cut) {
            mb_controller_silence(cluster, broker);
        }
    }
    session->wants_registration = false;
}

static void session_expires(struct mb_cluster *cluster, struct mb_timer *timer)
{
    struct mb_session *session = KB_CONTAINER_OF(timer, struct mb_session, expiry);
    mb_controller_broker_failed(cluster, (int32_t)(session - cluster->controller.sessions));
}

void mb_controller_silence(struct mb_cluster *cluster, int32_t broker)
{
    struct mb_session *session = &cluster->controller.sessions[broker];
    if (session->state != MB_SESSION_NONE && !kb_heap_contains(&cluster->timers, &session->expiry.node)) {
        int64_t timeout_ms = mb_setting(cluster, MB_SETTING_ZOOKEEPER_SESSION_TIMEOUT_MS);
        mb_timer_set(cluster, &session->expiry, cluster->now_us + timeout_ms * 1000);
    }
}

void mb_controller_set_link(struct mb_cluster *cluster, int32_t broker, bool is_up)
{
    cluster->controller.sessions[broker].is_cut = !is_up;
    if (is_up) {
        mb_controller_hear(cluster, broker);
    } else {
        mb_controller_silence(cluster, broker);
    }
}

void mb_controller_hear(struct mb_cluster *cluster, int32_t broker)
{
    struct mb_session *session = &cluster->controller.sessions[broker];
    const struct mb_broker *process = &cluster->brokers[broker];
    if (session->is_cut || process->is_frozen || process->state == MB_BROKER_DOWN) {
        return;
    }
    if (session->state != MB_SESSION_NONE) {
        if (session->incarnation == process->incarnation) {
            mb_timer_cancel(cluster, &session->expiry);
        }
        return;
    }
    /* The session is gone: the process registers anew, and hears what happened meanwhile. */
    mb_control_send(cluster, mb_control_create(cluster, MB_CONTROL_REGISTER, broker, MB_TO_CONTROLLER));
}

/* --- Partitions --- */

static void host(struct mb_cluster *cluster, struct mb_topic_partition *tp)
{
    for (uint32_t i = 0; i < tp->replica_count; i++) {
        struct mb_session *session = &cluster->controller.sessions[tp->replicas[i]];
        session->replicas = mb_reserve(cluster->allocator, session->replicas, &session->replica_capacity,
                                       session->replica_count + 1, sizeof(struct mb_topic_partition *));
        session->replicas[session->replica_count++] = tp;
    }
}

/* At the beginning everybody knows everything already. */
static void tell_at_once(struct mb_cluster *cluster, struct mb_topic_partition *tp)
{
    struct mb_partition_state *state = mb_controller_state(cluster, tp);
    for (uint32_t i = 0; i < cluster->broker_count; i++) {
        mb_broker_learn(&cluster->brokers[i], tp, state);
    }
    for (uint32_t i = 0; i < tp->replica_count; i++) {
        mb_broker_become(&cluster->brokers[tp->replicas[i]], tp, state);
    }
}

/* Kafka: PartitionStateMachine.initializeLeaderAndIsrForPartitions: who is online is in sync; the first
 * leads. */
static void initialize(struct mb_cluster *cluster, struct mb_topic_partition *tp, bool is_bootstrap)
{
    int32_t *isr = mb_take(cluster->allocator, tp->replica_count * sizeof *isr);
    uint32_t isr_count = 0;
    for (uint32_t i = 0; i < tp->replica_count; i++) {
        if (mb_controller_is_online(cluster, tp->replicas[i], false)) {
            isr[isr_count++] = tp->replicas[i];
        }
    }
    int32_t leader = isr_count > 0 ? isr[0] : -1;
    mb_controller_set_state(cluster, tp,
                            mb_partition_state_create(cluster->allocator, leader, 0, 0, isr, isr_count));
    mb_give(cluster->allocator, isr, tp->replica_count * sizeof *isr);
    KB_TRACE(tp->topic->trace, 0, LEADER_ELECTED, leader_elected, .topic = tp->topic->trace_name,
             .partition = tp->index, .leader = mb_broker_id(cluster, leader), .leader_epoch = 0,
             .why = leader >= 0 ? KB_ELECTION_WHY_CREATED : KB_ELECTION_WHY_NONE);
    if (is_bootstrap) {
        tell_at_once(cluster, tp);
    } else {
        mb_batch_replicas(cluster, tp);
        mb_batch_update_metadata(cluster, tp);
    }
}

void mb_controller_create_partitions(struct mb_cluster *cluster, struct mb_topic *topic, int32_t count,
                                     uint32_t replication_factor, const int32_t *assignment,
                                     bool is_bootstrap)
{
    int32_t *spread = mb_take(cluster->allocator, replication_factor * sizeof *spread);
    for (int32_t i = 0; i < count; i++) {
        uint32_t p = (uint32_t)topic->partition_count;
        for (uint32_t r = 0; r < replication_factor; r++) {
            spread[r] = (int32_t)((p + r) % cluster->broker_count);
        }
        const int32_t *replicas = assignment == NULL ? spread : &assignment[(uint32_t)i * replication_factor];
        struct mb_topic_partition *tp = mb_topic_add_partition(cluster, topic, replicas, replication_factor);
        host(cluster, tp);
        initialize(cluster, tp, is_bootstrap);
    }
    mb_give(cluster->allocator, spread, replication_factor * sizeof *spread);
    mb_batch_send(cluster);
}

bool mb_controller_move_leader(struct mb_cluster *cluster, struct mb_topic_partition *tp, int32_t broker)
{
    const struct mb_partition_state *state = mb_controller_state(cluster, tp);
    if (!mb_controller_is_online(cluster, broker, false) ||
        !mb_is_member(state->isr, state->isr_count, broker)) {
        return false;
    }
    if (state->leader != broker) {
        struct mb_partition_state *old = mb_partition_state_hold(mb_controller_state(cluster, tp));
        mb_elect(cluster, tp, broker, old->isr, old->isr_count, KB_ELECTION_WHY_MOVED);
        mb_partition_state_drop(cluster->allocator, old);
        mb_batch_send(cluster);
    }
    return true;
}

void mb_controller_bootstrap(struct mb_cluster *cluster)
{
    for (uint32_t i = 0; i < cluster->broker_count; i++) {
        cluster->controller.sessions[i].state = MB_SESSION_LIVE;
        cluster->controller.sessions[i].incarnation = 1;
    }
    choose_controller(cluster);
    for (uint32_t i = 0; i < cluster->broker_count; i++) {
        struct mb_broker *broker = &cluster->brokers[i];
        broker->incarnation = 1;
        broker->controller = cluster->controller.broker;
        for (uint32_t j = 0; j < cluster->broker_count; j++) {
            broker->alive[j] = true;
        }
        mb_broker_up(broker);
    }
}
