#include "mockbroker/control.h"

#include "base/assert.h"
#include "mockbroker/broker.h"
#include "mockbroker/transaction_coordinator.h"

enum { RETRY_BACKOFF_US = 100000 };

static void retry(struct mb_cluster *cluster, struct mb_timer *timer);

struct mb_control *mb_control_create(struct mb_cluster *cluster, enum mb_control_kind kind, int32_t from,
                                     int32_t to)
{
    struct mb_control *control = mb_take(cluster->allocator, sizeof *control);
    int32_t broker = from == MB_TO_CONTROLLER ? to : from;
    *control = (struct mb_control){
        .retry = {.fire = retry, .broker = from == MB_TO_CONTROLLER ? NULL : &cluster->brokers[from]},
        .number = cluster->next_message++,
        .kind = kind,
        .from = from,
        .to = to,
        .incarnation = cluster->brokers[broker].incarnation,
        .controller = -1,
    };
    kb_list_push_back(&cluster->control_list, &control->all);
    return control;
}

void mb_topic_plan_destroy(struct mb_cluster *cluster, struct mb_topic_plan *plan)
{
    if (plan != NULL) {
        mb_give(cluster->allocator, plan->assignment, plan->assignment_count * sizeof *plan->assignment);
        mb_give(cluster->allocator, plan, sizeof *plan);
    }
}

void mb_control_destroy(struct mb_cluster *cluster, struct mb_control *control)
{
    mb_timer_cancel(cluster, &control->retry);
    kb_list_remove(&control->all);
    if (kb_list_node_is_linked(&control->node)) {
        kb_list_remove(&control->node);
    }
    for (uint32_t i = 0; i < control->item_count; i++) {
        if (control->items[i].state != NULL) {
            mb_partition_state_drop(cluster->allocator, control->items[i].state);
        }
    }
    mb_give(cluster->allocator, control->items, control->item_capacity * sizeof *control->items);
    if (control->alive != NULL) {
        mb_give(cluster->allocator, control->alive, cluster->broker_count * sizeof *control->alive);
    }
    if (control->topic != NULL) {
        mb_give(cluster->allocator, control->topic, (size_t)control->topic_length_bytes + 1);
    }
    mb_topic_plan_destroy(cluster, control->plan);
    mb_give(cluster->allocator, control, sizeof *control);
}

void mb_control_add(struct mb_cluster *cluster, struct mb_control *control, struct mb_topic_partition *tp,
                    struct mb_partition_state *state, int32_t error)
{
    control->items = mb_reserve(cluster->allocator, control->items, &control->item_capacity,
                                control->item_count + 1, sizeof *control->items);
    control->items[control->item_count++] = (struct mb_control_item){
        .tp = tp, .state = state == NULL ? NULL : mb_partition_state_hold(state), .error = error};
}

static int32_t place(const struct mb_cluster *cluster, int32_t index)
{
    return index == MB_TO_CONTROLLER ? MB_CONTROLLER : cluster->brokers[index].id;
}

void mb_control_send(struct mb_cluster *cluster, struct mb_control *control)
{
    control->is_out = true;
    mb_map_insert(&cluster->controls, control->number, control);
    struct mb_pending_output *output = mb_output_create(cluster->allocator, MB_OUTPUT_CONTROL);
    output->out.from = place(cluster, control->from);
    output->out.to = place(cluster, control->to);
    output->out.message = control->number;
    mb_output_push(&cluster->outputs, output);
}

/* Is the process that it comes from or goes to still the same? */
static bool is_current(const struct mb_cluster *cluster, const struct mb_control *control)
{
    const struct mb_broker *broker =
        &cluster->brokers[control->from == MB_TO_CONTROLLER ? control->to : control->from];
    return broker->incarnation == control->incarnation && broker->state != MB_BROKER_DOWN;
}

/* Between brokers: does the one that it goes to listen? */
static bool has_listener(const struct mb_cluster *cluster, const struct mb_control *control)
{
    return control->from == MB_TO_CONTROLLER || control->to == MB_TO_CONTROLLER ||
           mb_broker_is_running(&cluster->brokers[control->to]);
}

static void retry(struct mb_cluster *cluster, struct mb_timer *timer)
{
    struct mb_control *control = KB_CONTAINER_OF(timer, struct mb_control, retry);
    if (control->kind == MB_CONTROL_TXN_MARKERS && is_current(cluster, control)) {
        mb_txn_markers_lost(cluster, control); /* they may have to go to somebody else by now */
        return;
    }
    if (!has_listener(cluster, control) || control->is_orphan ||
        (!is_current(cluster, control) && !control->in_channel)) {
        mb_control_destroy(cluster, control);
        return;
    }
    mb_control_send(cluster, control);
}

void mb_control_return(struct mb_cluster *cluster, struct mb_control *control)
{
    /* Who sent it tries again, as long as there is a sender and an addressee (a channel's messages wait for
     * the broker to come back or to be declared dead). */
    if (control->is_orphan || (!is_current(cluster, control) && !control->in_channel)) {
        mb_control_destroy(cluster, control);
        return;
    }
    mb_timer_set(cluster, &control->retry, cluster->now_us + RETRY_BACKOFF_US);
}

void mb_control_arrived(struct mb_cluster *cluster, uint64_t message, int64_t now_us)
{
    mb_cluster_begin(cluster, now_us);
    struct mb_control *control = mb_map_remove(&cluster->controls, message);
    if (control == NULL) {
        return;
    }
    control->is_out = false;
    if (control->is_orphan) {
        mb_control_destroy(cluster, control);
    } else if (control->to == MB_TO_CONTROLLER) {
        mb_controller_receive(cluster, control);
        mb_control_destroy(cluster, control);
    } else if (!is_current(cluster, control) || !has_listener(cluster, control)) {
        mb_control_return(cluster, control);
    } else if (cluster->brokers[control->to].is_frozen) {
        kb_list_push_back(&cluster->brokers[control->to].held_controls, &control->node);
    } else {
        mb_broker_receive(&cluster->brokers[control->to], control);
    }
    mb_cluster_settle(cluster);
}

void mb_control_lost(struct mb_cluster *cluster, uint64_t message, int64_t now_us)
{
    mb_cluster_begin(cluster, now_us);
    struct mb_control *control = mb_map_remove(&cluster->controls, message);
    if (control != NULL) {
        control->is_out = false;
        mb_control_return(cluster, control);
    }
    mb_cluster_settle(cluster);
}

void mb_control_forget(struct mb_cluster *cluster, struct mb_control *control)
{
    if (control->is_out) {
        control->is_orphan = true;
    } else {
        mb_control_destroy(cluster, control);
    }
}

void mb_controls_release(struct mb_cluster *cluster)
{
    struct kb_list_node *node;
    while ((node = kb_list_first(&cluster->control_list)) != NULL) {
        mb_control_destroy(cluster, KB_CONTAINER_OF(node, struct mb_control, all));
    }
}
