/* What brokers ask of the controller, and what it answers. Kafka: KafkaController.processAlterIsr,
 * doControlledShutdown; KafkaZkClient.registerBroker, createTopicAssignment. */

#include "base/assert.h"
#include "mockbroker/broker.h"
#include "mockbroker/controller_internal.h"
#include "wire/errors.h"

/* Kafka: KafkaController.processAlterIsr, one partition of it: 0, or an error. */
static int32_t alter_isr(struct mb_cluster *cluster, const struct mb_control_item *item)
{
    const struct mb_partition_state *current = mb_controller_state(cluster, item->tp);
    const struct mb_partition_state *wanted = item->state;
    if (wanted->leader_epoch < current->leader_epoch) {
        return KW_ERROR_FENCED_LEADER_EPOCH;
    }
    bool is_same = wanted->leader == current->leader && wanted->isr_count == current->isr_count;
    for (uint32_t i = 0; i < wanted->isr_count && is_same; i++) {
        is_same = mb_is_member(current->isr, current->isr_count, wanted->isr[i]);
    }
    if (is_same) {
        return KW_ERROR_NONE;
    }
    if (wanted->version != current->version) {
        return KW_ERROR_INVALID_UPDATE_VERSION; /* ZooKeeper's conditional update */
    }
    mb_controller_set_state(cluster, item->tp,
                            mb_partition_state_create(cluster->allocator, wanted->leader,
                                                      wanted->leader_epoch, current->version + 1, wanted->isr,
                                                      wanted->isr_count));
    return KW_ERROR_NONE;
}

static void receive_alter_isr(struct mb_cluster *cluster, const struct mb_control *control)
{
    struct mb_control *answer =
        mb_control_create(cluster, MB_CONTROL_ALTER_ISR_DONE, MB_TO_CONTROLLER, control->from);
    answer->answers = control->number;
    /* Kafka: an unknown broker gets STALE_BROKER_EPOCH, and tries again. */
    bool is_known = mb_controller_is_online(cluster, control->from, true);
    for (uint32_t i = 0; i < control->item_count; i++) {
        struct mb_topic_partition *tp = control->items[i].tp;
        int32_t error = is_known ? alter_isr(cluster, &control->items[i]) : KW_ERROR_STALE_BROKER_EPOCH;
        mb_control_add(cluster, answer, tp, mb_controller_state(cluster, tp), error);
        if (is_known) {
            mb_batch_update_metadata(cluster, tp);
        }
    }
    mb_control_send(cluster, answer);
    mb_batch_send(cluster);
}

/* Kafka: KafkaController.doControlledShutdown. */
static void receive_shutdown(struct mb_cluster *cluster, const struct mb_control *control)
{
    int32_t broker = control->from;
    struct mb_session *session = &cluster->controller.sessions[broker];
    if (session->state == MB_SESSION_LIVE) {
        session->state = MB_SESSION_SHUTTING_DOWN;
    }
    int32_t remaining = 0;
    for (uint32_t i = 0; i < session->replica_count && session->state != MB_SESSION_NONE; i++) {
        struct mb_topic_partition *tp = session->replicas[i];
        if (tp->replica_count < 2) {
            continue;
        }
        if (mb_controller_state(cluster, tp)->leader == broker) {
            remaining += !mb_elect_for_shutdown(cluster, tp);
        } else {
            mb_batch_stop_replica(cluster, broker, tp);
            mb_remove_from_isr(cluster, tp, broker);
        }
    }
    mb_batch_send(cluster);
    struct mb_control *answer =
        mb_control_create(cluster, MB_CONTROL_SHUTDOWN_DONE, MB_TO_CONTROLLER, broker);
    answer->answers = (uint64_t)remaining;
    mb_control_send(cluster, answer);
}

static int32_t at_most_brokers(const struct mb_cluster *cluster, int64_t count)
{
    return count > cluster->broker_count ? (int32_t)cluster->broker_count : (int32_t)count;
}

/* What the topic is to be like: as a client said, or as the brokers' settings say of topics of its kind. */
static struct mb_topic_plan plan_of(const struct mb_cluster *cluster, const struct mb_control *control)
{
    struct mb_topic_plan plan = {.assignment = NULL};
    if (control->plan != NULL) {
        return *control->plan;
    }
    mb_settings_inherit(&plan.settings, &cluster->settings);
    switch (mb_topic_kind_of(control->topic, control->topic_length_bytes)) {
    case MB_TOPIC_OF_CLIENTS:
        plan.partition_count = (int32_t)mb_setting(cluster, MB_SETTING_NUM_PARTITIONS);
        plan.replication_factor = (int32_t)mb_setting(cluster, MB_SETTING_DEFAULT_REPLICATION_FACTOR);
        return plan;
    case MB_TOPIC_TRANSACTION_STATE: {
        int64_t min_isr = mb_setting(cluster, MB_SETTING_TRANSACTION_STATE_LOG_MIN_ISR);
        plan.partition_count = (int32_t)mb_setting(cluster, MB_SETTING_TRANSACTION_STATE_LOG_NUM_PARTITIONS);
        plan.replication_factor = at_most_brokers(
            cluster, mb_setting(cluster, MB_SETTING_TRANSACTION_STATE_LOG_REPLICATION_FACTOR));
        plan.settings.values[MB_SETTING_TOPIC_MIN_INSYNC_REPLICAS] =
            min_isr < plan.replication_factor ? min_isr : plan.replication_factor;
        plan.settings.values[MB_SETTING_TOPIC_UNCLEAN_LEADER_ELECTION_ENABLE] = 0;
        break;
    }
    case MB_TOPIC_CONSUMER_OFFSETS:
        plan.partition_count = (int32_t)mb_setting(cluster, MB_SETTING_OFFSETS_TOPIC_NUM_PARTITIONS);
        plan.replication_factor =
            at_most_brokers(cluster, mb_setting(cluster, MB_SETTING_OFFSETS_TOPIC_REPLICATION_FACTOR));
        break;
    }
    /* Kafka: TransactionStateManager.transactionTopicConfigs, GroupCoordinator.offsetsTopicConfigs. What the
     * coordinators write is never compressed, whatever the brokers' compression.type. */
    plan.settings.values[MB_SETTING_TOPIC_CLEANUP_POLICY] = MB_CLEANUP_COMPACT;
    plan.settings.values[MB_SETTING_TOPIC_COMPRESSION_TYPE] = MB_COMPRESSION_PRODUCER;
    plan.settings.values[MB_SETTING_TOPIC_RETENTION_BYTES] = -1;
    plan.settings.values[MB_SETTING_TOPIC_SEGMENT_BYTES] = 104857600;
    return plan;
}

static void receive_create_topic(struct mb_cluster *cluster, const struct mb_control *control)
{
    if (mb_topic_find(cluster, control->topic, control->topic_length_bytes) != NULL) {
        return;
    }
    uint32_t online = 0;
    for (uint32_t i = 0; i < cluster->broker_count; i++) {
        online += mb_controller_is_online(cluster, (int32_t)i, false);
    }
    struct mb_topic_plan plan = plan_of(cluster, control);
    if (plan.replication_factor > (int32_t)online) {
        return;
    }
    /* Kafka: AdminUtils.assignReplicasToBrokers starts at a random broker; here the first that is online. */
    struct mb_topic *topic = mb_topic_create(cluster, control->topic, control->topic_length_bytes);
    topic->settings = plan.settings;
    mb_controller_create_partitions(cluster, topic, plan.partition_count, (uint32_t)plan.replication_factor,
                                    plan.assignment, false);
}

static void receive_done(struct mb_cluster *cluster, const struct mb_control *control)
{
    struct mb_session *session = &cluster->controller.sessions[control->from];
    if (session->in_flight != NULL && session->in_flight->number == control->answers) {
        mb_control_destroy(cluster, session->in_flight);
        session->in_flight = NULL;
        mb_controller_send_next(cluster, session);
    }
}

static void receive_register(struct mb_cluster *cluster, const struct mb_control *control)
{
    struct mb_session *session = &cluster->controller.sessions[control->from];
    const struct mb_broker *broker = &cluster->brokers[control->from];
    if (broker->incarnation != control->incarnation || broker->state == MB_BROKER_DOWN) {
        return; /* that process is gone again */
    }
    if (session->state != MB_SESSION_NONE) {
        /* Kafka: KafkaZkClient.CheckedEphemeral: the old session's node is in the way until it expires. */
        session->wants_registration = session->incarnation != control->incarnation;
        return;
    }
    mb_controller_broker_started(cluster, control->from);
    if (broker->is_frozen) {
        mb_controller_silence(cluster, control->from);
    }
}

void mb_controller_receive(struct mb_cluster *cluster, struct mb_control *control)
{
    switch (control->kind) {
    case MB_CONTROL_DONE:
        receive_done(cluster, control);
        return;
    case MB_CONTROL_REGISTER:
        receive_register(cluster, control);
        return;
    case MB_CONTROL_SESSION_CLOSED:
        if (cluster->controller.sessions[control->from].state != MB_SESSION_NONE) {
            mb_controller_broker_failed(cluster, control->from);
        }
        return;
    case MB_CONTROL_ALTER_ISR:
        receive_alter_isr(cluster, control);
        return;
    case MB_CONTROL_SHUTDOWN:
        receive_shutdown(cluster, control);
        return;
    case MB_CONTROL_CREATE_TOPIC:
        receive_create_topic(cluster, control);
        return;
    case MB_CONTROL_UPDATE_METADATA:
    case MB_CONTROL_LEADER_AND_ISR:
    case MB_CONTROL_STOP_REPLICA:
    case MB_CONTROL_ALTER_ISR_DONE:
    case MB_CONTROL_SHUTDOWN_DONE:
    case MB_CONTROL_TXN_MARKERS:
    case MB_CONTROL_TXN_MARKERS_DONE:
        break;
    }
    KB_UNREACHABLE();
}
